"""Maintenance windows and silences: incidents are made and nobody is told; when it is over, what is unresolved is told as new, once. The receiver is a
real one on loopback."""
import contextlib
import datetime
import html
import os
import re
import signal
import time

from harness import alert, alerts, same, true, wait_until
from receivers import Hook
from scenario_channels import World, _dispatcher, _hook, _remove, _row
from visitor import Visitor

WORKERS_MAY_DIE = True      # the dispatcher is killed, and the configuration changed
WINDOWS, SILENCES = "/api/maintenance-windows", "/api/silences"


def _time(seconds_from_now):
    at = datetime.datetime.fromtimestamp(time.time() + seconds_from_now, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000)


def _window(box, **more):
    body = {"name": "window " + os.urandom(3).hex(), "from": _time(-60), "to": _time(3600), **more}
    return box.api("POST", WINDOWS, {k: v for k, v in body.items() if v is not None}).expect(201)


def _silence(box, **more):
    return box.api("POST", SILENCES, {"name": "silence " + os.urandom(3).hex(), **more}).expect(201)


def _end(box, what):
    return box.api("POST", "%s/%s/end" % (WINDOWS if what["id"].startswith("mw_") else SILENCES, what["id"])).expect(200)


def _open(box, source, key=None, severity="warning"):
    return box.send(source, alerts(alert(fingerprint=key or os.urandom(4).hex(), severity=severity))).expect(201)["result"]["incident"]["id"]


def _told(hook, incident):
    return [r.body["type"].split(".")[1] for r in list(hook.taken) if r.body["data"]["id"] == incident]


def _kinds(box, incident):
    return [t["kind"] for t in box.api("GET", "/api/incidents/" + incident).expect(200)["timeline"]]


def _heard(box):
    wait_until(lambda: box.number("SELECT COUNT(*) FROM incident_news") == 0, 30, "all news is heard")


class _Place:
    """A service of its own with an integration, and a receiver that is told of all incidents."""

    def __init__(self, box, hook):
        World.of(box)
        self.box, self.channel = box, _hook(box, hook, events=["incident.*"])
        self.service = box.api("POST", "/api/services", {"name": "shop " + os.urandom(3).hex()}).expect(201)["id"]
        self.source = box.integration("prometheus", rateLimitPerMinute=0, serviceId=self.service)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for path, plural in ((WINDOWS, "maintenanceWindows"), (SILENCES, "silences")):
            for each in self.box.api("GET", path + "?limit=100").expect(200)[plural]:
                self.box.api("DELETE", path + "/" + each["id"]).expect(204)
        _remove(self.box, self.channel)


# ---- what is held, and told after ----

def window_holds_incidents_and_tells_what_is_open_when_it_ends(box):
    with Hook() as hook, _Place(box, hook) as place:
        before = _open(box, place.source, "before")
        wait_until(lambda: _told(hook, before), 30, "what opened before is told")
        window = _window(box, serviceId=place.service, name="Sunday work")
        same((window["status"], window["heldIncidents"]), ("running", 0))
        held, over = _open(box, place.source), _open(box, place.source, "over")
        box.send(place.source, alerts(alert(fingerprint="over", status="resolved"))).expect(201)
        box.send(place.source, alerts(alert(fingerprint="before", status="resolved"))).expect(201)
        elsewhere = _open(box, box.integration("prometheus", rateLimitPerMinute=0))
        wait_until(lambda: _told(hook, elsewhere) and len(_told(hook, before)) == 2, 30, "what it does not cover is told")
        _heard(box)
        same((_told(hook, held), _told(hook, over), _told(hook, before)), ([], [], ["opened", "resolved"]))
        same(_kinds(box, held), ["opened", "held"])
        entry = box.api("GET", "/api/incidents/" + held).expect(200)["timeline"][-1]
        same((entry["text"], entry["actor"]), ("Sunday work", "system"))
        same(box.api("GET", WINDOWS + "/" + window["id"]).expect(200)["heldIncidents"], 1, "what is resolved is not held")
        same(_end(box, window)["status"], "over")
        wait_until(lambda: _told(hook, held), 30, "it is told when the window ends")
        same((_told(hook, held), _kinds(box, held)), (["released"], ["opened", "held", "released"]))
        told = [r.body["data"] for r in hook.taken if r.body["data"]["id"] == held][0]
        same((told["status"], told["entry"]["text"]), ("OPEN", "Sunday work"))
        same(box.number("SELECT COUNT(*) FROM held_incidents WHERE incident_id IN (%s, %s)" % (held, over)), 0)
        box.api("POST", "/api/incidents/%s/resolve" % held).expect(200)
        wait_until(lambda: len(_told(hook, held)) > 1, 30, "from then on it is as loud as any")
        same((_told(hook, held), _told(hook, over)), (["released", "resolved"], []), "once; what was resolved is never told")
        same(hook.complaints, [])


def window_ends_by_itself(box):
    with Hook() as hook, _Place(box, hook) as place:
        window = _window(box)
        incident = _open(box, place.source)
        _heard(box)
        same((_told(hook, incident), _kinds(box, incident)), ([], ["opened", "held"]))
        box.api("PATCH", WINDOWS + "/" + window["id"], {"to": _time(5)}).expect(200)
        wait_until(lambda: _told(hook, incident) == ["released"], 30, "it is told when the window ends")
        same(box.api("GET", WINDOWS + "/" + window["id"]).expect(200)["status"], "over")


def dispatcher_that_is_killed_at_the_end_tells_all_once(box):
    with Hook() as hook, _Place(box, hook) as place:
        window = _window(box, serviceId=place.service)
        incidents = [_open(box, place.source) for _ in range(30)]
        _heard(box)
        same([i for i in incidents if _told(hook, i)], [])
        _end(box, window)
        for _ in range(3):
            time.sleep(0.05)
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):    # one that we killed is gone between two looks
                pid = _dispatcher(box)
                if pid:
                    os.kill(pid, signal.SIGKILL)
        wait_until(lambda: all(_told(hook, i) for i in incidents), 200, "each is told")
        same(box.number("SELECT COUNT(*) FROM timeline WHERE kind = 10 AND incident_id IN (%s)" % ",".join(incidents)), 30, "one entry each")
        same(box.number("SELECT COUNT(*) FROM outbox WHERE kind = 1 AND target_id = %d AND cause_id IN (%s)"
                        % (_row(box, place.channel), ",".join(incidents))), 30, "one message each")


def cron_tells_where_no_dispatcher_runs(box):
    with Hook() as hook, _Place(box, hook) as place:
        box.up("--set", "outbound.dispatcher=false")
        try:
            window = _window(box, serviceId=place.service)
            incident = _open(box, place.source)
            box.jobs("outbox")
            same((_told(hook, incident), _kinds(box, incident)), ([], ["opened", "held"]))
            _end(box, window)
            box.jobs("escalate")
            box.jobs("escalate")
            same(_kinds(box, incident), ["opened", "held", "released"])

            def carried():
                box.sql("UPDATE outbox SET next_at = next_at - 60000 WHERE status = 0 AND target_id = %d" % _row(box, place.channel))
                box.jobs("outbox")
                return _told(hook, incident)
            same(wait_until(carried, 60, "it is told"), ["released"])
        finally:
            box.up("--set", "outbound.dispatcher=true")


# ---- edges ----

def severity_above_what_is_held_back_is_told_at_once(box):
    with Hook() as hook, _Place(box, hook) as place:
        _silence(box, serviceId=place.service, maxSeverity="MEDIUM", minutes=60)
        incident = _open(box, place.source, "k", "warning")
        _heard(box)
        same((_told(hook, incident), _kinds(box, incident)), ([], ["opened", "held"]))
        box.send(place.source, alerts(alert(fingerprint="k", severity="critical"))).expect(201)
        wait_until(lambda: _told(hook, incident) == ["released"], 30, "it is told")
        same([r.body["data"]["severity"] for r in hook.taken if r.body["data"]["id"] == incident], ["CRITICAL"])
        loud = _open(box, place.source, severity="critical")
        wait_until(lambda: _told(hook, loud) == ["opened"], 30, "what is above it is not held")


def what_was_told_before_goes_on_but_for_its_severity(box):
    with Hook() as hook, _Place(box, hook) as place:
        incident = _open(box, place.source, "k", "warning")
        wait_until(lambda: _told(hook, incident) == ["opened"], 30, "told")
        silence = _silence(box, dedupKey="*k", minutes=60, serviceId=place.service)
        box.send(place.source, alerts(alert(fingerprint="k", severity="critical"))).expect(201)
        box.api("POST", "/api/incidents/%s/acknowledge" % incident).expect(200)
        wait_until(lambda: _told(hook, incident) == ["opened", "acknowledged"], 30, "that somebody has it is told")
        _heard(box)
        same(_kinds(box, incident), ["opened", "raised", "acknowledged", "held"] if _kinds(box, incident)[2] == "acknowledged" else
             ["opened", "raised", "held", "acknowledged"])
        _end(box, silence)
        wait_until(lambda: _told(hook, incident) == ["opened", "acknowledged", "released"], 30, "the severity is told in the end")


def longest_of_two_holds_and_what_is_reopened_too(box):
    with Hook() as hook, _Place(box, hook) as place:
        short, long = _window(box, serviceId=place.service), _silence(box, sourceId=place.source["id"], minutes=600)
        incident = _open(box, place.source, "k")
        _heard(box)
        same([box.api("GET", p + "/" + x["id"]).expect(200)["heldIncidents"] for p, x in ((WINDOWS, short), (SILENCES, long))], [0, 1])
        _end(box, long)
        wait_until(lambda: box.api("GET", WINDOWS + "/" + short["id"]).expect(200)["heldIncidents"] == 1, 30, "the other one holds it on")
        same((_told(hook, incident), _kinds(box, incident)), ([], ["opened", "held"]))
        box.api("POST", "/api/incidents/%s/resolve" % incident).expect(200)
        box.send(place.source, alerts(alert(fingerprint="k"))).expect(201)
        _heard(box)
        same(_told(hook, incident), [])
        box.api("DELETE", WINDOWS + "/" + short["id"]).expect(204)
        wait_until(lambda: _told(hook, incident) == ["released"], 30, "what is deleted holds nothing")


def snoozed_incident_is_quiet_but_for_its_end(box):
    with Hook() as hook, _Place(box, hook) as place:
        incident, other = _open(box, place.source, "k"), _open(box, place.source, "o")
        wait_until(lambda: _told(hook, incident) and _told(hook, other), 30, "told")
        for each in (incident, other):
            box.api("POST", "/api/incidents/%s/snooze" % each, {"minutes": 60}).expect(200)
            box.api("POST", "/api/incidents/%s/acknowledge" % each).expect(200)
        _heard(box)
        box.api("POST", "/api/incidents/%s/resolve" % other).expect(200)
        wait_until(lambda: _told(hook, other) == ["opened", "resolved"], 30, "its end is told")
        _heard(box)
        same(_told(hook, incident), ["opened"])
        box.sql("UPDATE incidents SET snoozed_until = UNIX_TIMESTAMP(NOW(3)) * 1000 WHERE id = " + incident)
        wait_until(lambda: _told(hook, incident) == ["opened", "released"], 30, "it is told when the snooze is over")
        same(_kinds(box, incident), ["opened", "snoozed", "acknowledged", "snoozed", "released"])


def tests_are_told_whatever_holds(box):
    with Hook() as hook, _Place(box, hook) as place:
        _window(box)
        box.api("POST", "/api/integrations/%s/test" % place.source["id"], {"notify": True}).expect(201)
        wait_until(lambda: any(r.body["data"]["isTest"] for r in list(hook.taken)), 30, "the test is told")


# ---- the API ----

def windows_and_silences_are_made_changed_and_removed(box):
    """In a tenant of their own, whose lists hold no others. The window is on a day of the week that is not today."""
    World.of(box)
    token, day = box.new_token(tenant=box.new_tenant()), datetime.datetime.utcnow() + datetime.timedelta(days=3)

    def api(method, path, body=None):
        return box.api(method, path, body, token)
    body = {"name": "Patch day", "reason": "Kernel", "repeat": "monthly", "week": "second", "weekdays": [day.strftime("%A").lower()], "startTime": "22:30",
            "durationMinutes": 120, "timeZone": "Europe/Berlin", "maxSeverity": "HIGH"}
    made = api("POST", WINDOWS, body).expect(201)
    true(made["id"].startswith("mw_"), made["id"])
    same({k: made[k] for k in body}, body)
    same((made["status"], made["from"], made["to"], made["monthDay"], made["times"]),
         ("coming", None, None, None, "monthly on the second %s at 22:30 for 2 hours, Europe/Berlin" % day.strftime("%A")))
    next_from = datetime.datetime.strptime(made["nextFrom"][:19], "%Y-%m-%dT%H:%M:%S")
    same((next_from.weekday(), 7 < next_from.day <= 14, next_from.minute), (day.weekday(), True, 30), made["nextFrom"])
    path = WINDOWS + "/" + made["id"]
    api("POST", path + "/end").expect(409)
    changed = api("PATCH", path, {"repeat": "daily", "startTime": "00:00", "durationMinutes": 1440, "maxSeverity": None, "timeZone": None}).expect(200)
    same((changed["status"], changed["weekdays"], changed["week"], changed["maxSeverity"], changed["timeZone"]), ("running", None, None, None, "UTC"))
    ended = api("POST", path + "/end").expect(200)
    same(ended["status"], "coming", "of what recurs this one alone")
    same(api("PATCH", path, {"name": "Patch days"}).expect(200)["endedAt"], ended["endedAt"], "a new name starts nothing")
    once = api("PATCH", path, {"repeat": "once", "from": "2099-03-29T02:30", "to": "2099-03-29T04:00", "timeZone": "Europe/Berlin"}).expect(200)
    same((once["from"], once["to"], once["startTime"], once["endedAt"]), ("2099-03-29T01:30:00.000Z", "2099-03-29T02:00:00.000Z", None, None))
    silence = api("POST", SILENCES, {"name": "noise", "provider": "prometheus", "dedupKey": "prometheus:*"}).expect(201)
    days = (datetime.datetime.strptime(silence["until"][:19], "%Y-%m-%dT%H:%M:%S") - datetime.datetime.utcnow()).total_seconds() / 86400
    true(29.9 < days <= 30, "no end is 30 days")
    same(api("PATCH", SILENCES + "/" + silence["id"], {"minutes": 5}).expect(200)["status"], "running")
    same([w["id"] for w in api("GET", WINDOWS + "?status=coming").expect(200)["maintenanceWindows"]], [made["id"]])
    same(api("GET", WINDOWS + "?status=over,running").expect(200), {"maintenanceWindows": [w for w in
         api("GET", WINDOWS).expect(200)["maintenanceWindows"] if w["status"] != "coming"], "next": None})
    api("GET", SILENCES + "/" + made["id"]).expect(404)
    api("DELETE", path).expect(204)
    api("DELETE", path).expect(404)
    api("DELETE", SILENCES + "/" + silence["id"]).expect(204)
    actions = [r[0] for r in box.sql("SELECT action FROM audit_log WHERE object = '%s' ORDER BY id" % made["id"])]
    same(actions, ["maintenance_window." + x for x in ("create", "update", "end", "update", "update", "delete")])


def what_is_wrong_with_one_is_said_with_its_field(box):
    World.of(box)
    ok = {"name": "n", "from": _time(3600), "to": _time(7200)}
    daily = {"name": "n", "repeat": "daily", "startTime": "02:00", "durationMinutes": 60}
    for path, body, field in (
            (WINDOWS, {**ok, "name": ""}, "name"), (WINDOWS, {**ok, "name": "x" * 101}, "name"), (WINDOWS, {**ok, "reason": "x" * 1025}, "reason"),
            (WINDOWS, {"name": "n"}, "from"), (WINDOWS, {"name": "n", "from": _time(1)}, "to"), (WINDOWS, {**ok, "to": _time(1800)}, "to"),
            (WINDOWS, {**ok, "from": _time(-20), "to": _time(-10)}, "to"), (WINDOWS, {**ok, "to": _time(400 * 86400)}, "to"),
            (WINDOWS, {**ok, "from": "tomorrow"}, "from"), (WINDOWS, {**ok, "from": "1960-01-01T00:00:00Z"}, "from"),
            (WINDOWS, {**ok, "serviceId": "sv_" + "9" * 20}, "serviceId"), (WINDOWS, {**ok, "sourceId": "in_1"}, "sourceId"),
            (WINDOWS, {**ok, "provider": "carrier-pigeon"}, "provider"), (WINDOWS, {**ok, "maxSeverity": "BAD"}, "maxSeverity"),
            (WINDOWS, {**ok, "maxSeverity": "LOW,HIGH"}, "maxSeverity"), (WINDOWS, {**ok, "dedupKey": "x" * 256}, "dedupKey"),
            (WINDOWS, {**ok, "timeZone": "Middle/Earth"}, "timeZone"), (WINDOWS, {**ok, "timeZone": "../../etc/passwd"}, "timeZone"),
            (WINDOWS, {**ok, "repeat": "hourly"}, "repeat"), (WINDOWS, {**ok, "every": 1}, "every"),
            (WINDOWS, {**daily, "startTime": "24:00"}, "startTime"), (WINDOWS, {**daily, "startTime": None}, "startTime"),
            (WINDOWS, {**daily, "durationMinutes": 1441}, "durationMinutes"), (WINDOWS, {**daily, "durationMinutes": None}, "durationMinutes"),
            (WINDOWS, {**daily, "to": "2020-01-01"}, "to"), (WINDOWS, {**daily, "repeat": "weekly"}, "weekdays"),
            (WINDOWS, {**daily, "repeat": "weekly", "weekdays": ["someday"]}, "weekdays"), (WINDOWS, {**daily, "repeat": "monthly"}, "monthDay"),
            (WINDOWS, {**daily, "repeat": "monthly", "monthDay": 32}, "monthDay"), (WINDOWS, {**daily, "repeat": "monthly", "week": "last"}, "weekdays"),
            (WINDOWS, {**daily, "repeat": "monthly", "week": "last", "weekdays": ["monday", "friday"]}, "weekdays"),
            (SILENCES, {"name": "n"}, "serviceId"), (SILENCES, {"name": "n", "provider": "github", "minutes": 0}, "minutes"),
            (SILENCES, {"name": "n", "provider": "github", "minutes": 43201}, "minutes"),
            (SILENCES, {"name": "n", "provider": "github", "until": _time(31 * 86400)}, "until"),
            (SILENCES, {"name": "n", "provider": "github", "until": _time(-5)}, "until"),
            (SILENCES, {"name": "n", "provider": "github", "until": _time(3600), "minutes": 5}, "minutes")):
        answer = box.api("POST", path, body)
        same((answer.status, answer.json().get("field")), (400, field), body)
    box.api("GET", WINDOWS + "?status=maybe").expect(400, field="status")


# ---- where nobody listens ----

def timelines_say_held_though_nobody_listens(box):
    World.of(box)
    tenant = box.new_tenant()
    token = box.new_token(tenant=tenant)
    source = box.integration("prometheus", token, rateLimitPerMinute=0)
    silence = box.api("POST", SILENCES, {"name": "noise", "provider": "prometheus"}, token).expect(201)
    incident = _open(box, source)
    kinds = lambda: [t["kind"] for t in box.api("GET", "/api/incidents/" + incident, token=token).expect(200)["timeline"]]  # noqa: E731
    wait_until(lambda: "held" in kinds(), 30, "its timeline says so")
    box.api("POST", "%s/%s/end" % (SILENCES, silence["id"]), token=token).expect(200)
    wait_until(lambda: "released" in kinds(), 30, "and that it is over")
    same(box.number("SELECT COUNT(*) FROM outbox WHERE tenant_id = %d" % tenant), 0)


# ---- pages ----

def windows_and_silences_by_plain_forms(box):
    with Hook() as hook, _Place(box, hook) as place:
        person = Visitor(box, "operator")
        form = {"name": "Patch day", "reason": "Kernel", "serviceId": place.service, "sourceId": "", "dedupKey": "", "provider": "", "maxSeverity": "",
                "repeat": "once", "from": _time(-60)[:16], "to": _time(3600)[:16], "startTime": "", "durationMinutes": "", "week": "", "monthDay": "",
                "timeZone": "UTC"}
        person.page("/maintenance/windows/new")
        same(person.post("/maintenance/windows/new", **{**form, "to": form["from"]}).status, 400)
        same((person.error(), person.field("name")), ("The end must be after the begin.", "Patch day"))
        person.done(person.post("/maintenance/windows/new", **form))
        path = person.at
        incident = _open(box, place.source)
        wait_until(lambda: incident in person.page(path), 30, "what it holds is on its page")
        true("Patch day" in person.page("/incidents/" + incident), "and the incident says by what")
        person.page(path + "/edit")
        person.done(person.post(path + "/edit", **{**form, "name": "Patch days", "repeat": "daily", "from": "", "to": "", "startTime": "00:00",
                                                  "durationMinutes": "1440"}), path)
        true("daily at 00:00 for 24 hours" in person.text, "it recurs")
        person.page(path + "/edit")
        same(person.post(path + "/edit", **{**form, "repeat": "weekly", "startTime": "00:00", "durationMinutes": "60"}).status, 400)
        same(person.error(), "Say on which days of the week.")
        same(_told(hook, incident), [])
        person.page(path + "/end")
        person.done(person.post(path + "/end"), path)
        wait_until(lambda: _told(hook, incident) == ["released"], 30, "what was open is told")
        same(box.api("GET", "/api" + path.replace("/windows", "-windows")).expect(200)["status"], "coming", "the next one comes as ever")
        person.page(path + "/delete")
        person.done(person.post(path + "/delete"))
        person.page(path, 404)

        page = person.page("/incidents/" + incident)
        link = re.search(r'href="(/maintenance/silences/new\?[^"]+)"', page)
        true(link, "the incident's page brings a silence")
        person.page(html.unescape(link.group(1)))
        key = box.get("/api/incidents/" + incident)["dedupKey"]
        same((person.field("dedupKey"), '<option value="%s" selected>' % place.service in person.text), (key, True), "that is filled in")
        quiet = os.urandom(4).hex()
        person.done(person.post("/maintenance/silences/new", name="Known", reason="", serviceId=place.service, sourceId="", dedupKey="*%s*" % quiet, provider="",
                                maxSeverity="", until=_time(3600)[:16]))
        silence = person.at
        known, other = _open(box, place.source, key=quiet + "1"), _open(box, place.source)
        wait_until(lambda: _told(hook, other), 30, "another one is told")
        _heard(box)
        same(_told(hook, known), [])
        person.page(silence + "/end")
        person.done(person.post(silence + "/end"), silence)
        wait_until(lambda: _told(hook, known) == ["released"], 30, "when it is over")
        viewer = Visitor(box, "viewer")
        for action in ("/end", "/edit", "/delete"):
            viewer.page(silence + action, 403)
