"""Wrong wishes for all that says who is told, when and how: each is refused with its field and a sentence, and writes nothing."""
import os
import time

from harness import same, true

WINDOWS, SILENCES, POLICIES, SCHEDULES = "/api/maintenance-windows", "/api/silences", "/api/escalation-policies", "/api/schedules"
TABLES = ("hushes", "escalation_policies", "schedules", "schedule_layers", "schedule_layer_users", "schedule_overrides", "contacts", "paging", "alert_rules",
          "status_pages", "endpoints", "channels", "service_channels", "audit_log")
WRONG_TYPES = (1, True, {}, [], [[]])
LONG = "x" * 70000


def _at(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def _rows(box, tenant):
    """What is there of that tenant, also changes that leave the number as it is. A scenario beside this one works in another tenant."""
    own = {"schedule_layers": "schedule_id IN (SELECT id FROM schedules WHERE tenant_id = %d)", "paging": "user_id IN (SELECT id FROM users WHERE tenant_id = %d)",
           "service_channels": "service_id IN (SELECT id FROM services WHERE tenant_id = %d)"}
    own["schedule_layer_users"] = own["schedule_overrides"] = own["schedule_layers"]
    return {t: box.sql("SELECT * FROM %s WHERE %s" % (t, own.get(t, "tenant_id = %d") % tenant)) for t in TABLES}


class _Place:
    """A tenant with one of each, and another one whose things are nobody's business here."""

    def __init__(self, box):
        self.box, self.tenant, self.theirs = box, box.new_tenant(), box.new_tenant()
        self.token, self.their_token = (box.new_token("admin", tenant=t) for t in (self.tenant, self.theirs))
        self.before = None

    def api(self, method, path, body=None, theirs=False):
        return self.box.api(method, path, body, self.their_token if theirs else self.token)

    def make(self, path, body, theirs=False):
        return self.api("POST", path, body, theirs).expect(201)["id"]

    def refuses(self, method, path, ok, wrong):
        """Each of `wrong` is (what is changed of `ok`, field)."""
        before, other = _rows(self.box, self.tenant), []
        for change, field in wrong:
            answer = self.api(method, path, {k: v for k, v in {**ok, **change}.items() if v is not Ellipsis})
            said = answer.json()
            if (answer.status, said.get("field")) != (400, field) or not said["message"].endswith(".") or len(said["message"]) > 300:
                other.append("%.100r, %s: %s %.300r" % (change, field, answer.status, answer.body))
        same(other, [], method + " " + path)
        same(_rows(self.box, self.tenant), before, method + " " + path)


def _texts(*fields):
    """No text at all, and one that is far too long."""
    return [({f: v}, f) for f in fields for v in WRONG_TYPES + (LONG,)]


def _numbers(*fields):
    return [({f: v}, f) for f in fields for v in (-1, 1.5, 10 ** 30, "many", True, {}, [1])]


def _flags(*fields):
    return [({f: v}, f) for f in fields for v in (1, "perhaps", {}, [])]


def wrong_windows_and_silences(box):
    p = _Place(box)
    strange = p.make("/api/services", {"name": "theirs"}, theirs=True)
    scope = _texts("name", "reason", "serviceId", "sourceId", "dedupKey", "provider", "maxSeverity") + [
        ({"name": ...}, "name"), ({"name": "a\nb"}, "name"), ({"name": " a"}, "name"), ({"reason": "x" * 1025}, "reason"),
        ({"serviceId": strange}, "serviceId"), ({"serviceId": "theirs"}, "serviceId"), ({"sourceId": "in_" + "0" * 20}, "sourceId"),
        ({"provider": "pigeon"}, "provider"), ({"maxSeverity": "LOW,HIGH"}, "maxSeverity"), ({"more": 1}, "more")]
    once = {"name": "n", "from": _at(10), "to": _at(1000)}
    p.refuses("POST", WINDOWS, once, scope + _texts("from", "to", "timeZone", "repeat") + [
        ({"to": _at(5)}, "to"), ({"to": once["from"]}, "to"), ({"from": _at(-20), "to": _at(-10)}, "to"), ({"to": _at(400 * 86400)}, "to"),
        ({"from": "2026-02-30T00:00:00Z"}, "from"), ({"timeZone": "Mars/Olympus"}, "timeZone"), ({"timeZone": "/etc/passwd"}, "timeZone")])
    daily = {"name": "n", "repeat": "daily", "startTime": "02:00", "durationMinutes": 60}
    p.refuses("POST", WINDOWS, daily, _numbers("durationMinutes") + _texts("startTime") + [
        ({"startTime": "2:0"}, "startTime"), ({"startTime": "-1:00"}, "startTime"), ({"startTime": "02:60"}, "startTime"), ({"durationMinutes": 0}, "durationMinutes"),
        ({"repeat": "weekly", "weekdays": [], "durationMinutes": 60}, "weekdays"), ({"repeat": "weekly", "weekdays": ["x"]}, "weekdays"),
        ({"repeat": "weekly", "weekdays": ["monday"], "durationMinutes": 10081}, "durationMinutes"), ({"repeat": "monthly", "monthDay": 0}, "monthDay"),
        ({"repeat": "monthly", "monthDay": -1}, "monthDay"), ({"repeat": "monthly", "week": "fifth", "weekdays": ["monday"]}, "week")])
    made = p.make(WINDOWS, daily)
    p.refuses("PATCH", WINDOWS + "/" + made, {}, [({"startTime": None}, "startTime"), ({"repeat": "once"}, "from"), ({"name": None}, "name"), ({"id": made}, "id")])
    quiet = {"name": "n", "provider": "prometheus"}
    p.refuses("POST", SILENCES, quiet, scope + _numbers("minutes") + _texts("until") + [
        ({"provider": None}, "serviceId"), ({"minutes": 0}, "minutes"), ({"minutes": 43201}, "minutes"), ({"until": _at(-1)}, "until"),
        ({"until": _at(31 * 86400)}, "until"), ({"minutes": 5, "until": _at(3600)}, "minutes")])
    for path in (WINDOWS + "/" + made, WINDOWS + "/" + made + "/end"):
        p.api("PATCH" if path.endswith(made) else "POST", path, {} if path.endswith(made) else None, theirs=True).expect(404, "not_found")
    p.api("DELETE", WINDOWS + "/" + made, theirs=True).expect(404, "not_found")


def wrong_policies(box):
    p = _Place(box)
    theirs = p.make("/api/channels", {"name": "c", "kind": "email", "to": ["a@example.org"]}, theirs=True)
    ours = p.make("/api/channels", {"name": "c", "kind": "email", "to": ["a@example.org"]})
    target, step = {"id": ours}, {"delayMinutes": 5, "targets": [{"id": ours}]}
    made = p.make(POLICIES, {"name": "made", "steps": [step]})
    p.refuses("POST", POLICIES, {"name": "n", "steps": [step]}, _texts("name", "description") + _numbers("repeat") + [
        ({"name": ...}, "name"), ({"name": "x" * 101}, "name"), ({"description": "x" * 1025}, "description"), ({"repeat": 11}, "repeat"), ({"steps": ...}, "steps"),
        ({"steps": []}, "steps"), ({"steps": {}}, "steps"), ({"steps": "all"}, "steps"), ({"steps": [1]}, "steps"), ({"steps": [step] * 21}, "steps"),
        ({"steps": [step] * 200}, "steps"), ({"steps": [{"targets": [target]}]}, "steps"), ({"steps": [{"delayMinutes": 5}]}, "steps"),
        ({"steps": [{**step, "targets": []}]}, "steps"), ({"steps": [{**step, "targets": [target] * 11}]}, "steps"), ({"steps": [{**step, "targets": [1]}]}, "steps"),
        ({"steps": [{**step, "targets": [{}]}]}, "steps"), ({"steps": [{**step, "more": 1}]}, "steps"), ({"steps": [{**step, "targets": [{**target, "x": 1}]}]}, "steps"),
        ({"steps": [{**step, "targets": [{"id": ours, "type": "user"}]}]}, "steps"), ({"steps": [{**step, "targets": [{"id": theirs}]}]}, "steps"),
        ({"steps": [{**step, "targets": [{"id": "us_" + "0" * 20}]}]}, "steps"), ({"steps": [{**step, "targets": [{"id": made}]}]}, "steps"),
        ({"more": 1}, "more")] + [({"steps": [{**step, "delayMinutes": d}]}, "steps") for d in (0, -5, 1441, 1.5, "5", None, 10 ** 30)])
    p.refuses("PATCH", POLICIES + "/" + made, {}, [({"steps": [{**step, "targets": [{"id": made}]}]}, "steps"), ({"name": None}, "name"), ({"repeat": -1}, "repeat")])
    p.api("POST", POLICIES, {"name": "made", "steps": [step]}).expect(409, "conflict", "name")
    p.api("PATCH", POLICIES + "/" + made, {"name": "x"}, theirs=True).expect(404, "not_found")
    p.api("DELETE", POLICIES + "/" + made, theirs=True).expect(404, "not_found")
    p.refuses("POST", "/api/services", {"name": "s"}, [({"policyId": "po_" + "0" * 20}, "policyId"), ({"policyId": ours}, "policyId"),
                                                      ({"channelIds": [theirs]}, "channelIds"), ({"channelIds": ["ch_x"]}, "channelIds")])
    p.api("POST", "/api/services", {"name": "s", "policyId": made}, theirs=True).expect(400, "invalid_request", "policyId")


def wrong_schedules(box):
    p = _Place(box)
    ids = {}
    for tenant in (p.tenant, p.theirs):
        ids[tenant] = "us_" + os.urandom(10).hex()
        box.sql("INSERT INTO users (public_id, tenant_id, name, role, created_at) VALUES ('%s', %d, '%s', 2, 1)" % (ids[tenant], tenant, ids[tenant][3:]))
    layer = {"users": [ids[p.tenant]]}
    ok = {"name": "s", "layers": [layer]}

    def layers(*changes):
        return [({"layers": [{**layer, **c}]}, "layers") for c in changes]

    p.refuses("POST", SCHEDULES, ok, _texts("name", "description", "timeZone") + [
        ({"name": ...}, "name"), ({"name": "x" * 101}, "name"), ({"description": "x" * 1025}, "description"), ({"timeZone": "Berlin"}, "timeZone"),
        ({"timeZone": "Europe/../UTC"}, "timeZone"), ({"timeZone": ""}, "timeZone"), ({"layers": [layer] * 11}, "layers"), ({"layers": {}}, "layers"),
        ({"layers": [1]}, "layers"), ({"more": 1}, "more")] + layers(
            {"users": [ids[p.theirs]]}, {"users": ["nobody"]}, {"users": "all"}, {"users": [ids[p.tenant]] * 51}, {"users": [1]},
            {"rotation": "yearly"}, {"length": 0}, {"length": -1}, {"length": 721, "rotation": "hours"}, {"length": 367, "rotation": "days"},
            {"length": 53, "rotation": "weekly"}, {"length": "1d"}, {"handOver": "24:00"}, {"handOver": "9"}, {"handOver": ""}, {"weekday": "someday"},
            {"weekday": 1}, {"startDate": "2026-02-30"}, {"startDate": "today"}, {"days": ["x"]}, {"days": []}, {"from": "25:00"}, {"to": "24:01"},
            {"name": "x" * 101}, {"more": 1}))
    made = p.make(SCHEDULES, ok)
    path = SCHEDULES + "/" + made
    p.refuses("PATCH", path, {}, [({"name": None}, "name"), ({"timeZone": "Mars"}, "timeZone"), ({"layers": [{"users": ["nobody"]}]}, "layers")])
    take = {"user": ids[p.tenant], "from": _at(60), "to": _at(3600)}
    p.refuses("POST", path + "/overrides", take, _texts("user", "from", "to") + [
        ({"to": ...}, "to"), ({"to": _at(30)}, "to"), ({"to": take["from"]}, "to"), ({"to": _at(-10)}, "to"), ({"to": _at(400 * 86400)}, "to"),
        ({"from": _at(800 * 86400), "to": _at(801 * 86400)}, "from"), ({"user": ids[p.theirs]}, "user"), ({"user": "nobody"}, "user"), ({"more": 1}, "more")])
    first = p.api("POST", path + "/overrides", take).expect(201)
    second = p.api("POST", path + "/overrides", take).expect(201)
    true(first["id"] != second["id"], "the later of two that overlap wins, so both are taken")
    for method, at, body in (("PATCH", path, {"name": "x"}), ("DELETE", path, None), ("POST", path + "/overrides", {"to": take["to"]}),
                             ("DELETE", path + "/overrides/" + first["id"], None), ("GET", path + "/calendar", None)):
        p.api(method, at, body, theirs=True).expect(404, "not_found")
    for query, field in (("from=x", "from"), ("to=x", "to"), ("from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
                         ("from=2026-01-01T00:00:00Z&to=2026-12-01T00:00:00Z", "to")):
        p.api("GET", path + "/calendar?" + query).expect(400, "invalid_request", field)


def wrong_contacts_and_quiet_hours(box):
    p = _Place(box)
    p.refuses("POST", "/api/contacts", {"kind": "email", "address": "ann@example.org"}, _texts("kind", "address") + [
        ({"kind": "fax"}, "kind"), ({"kind": ...}, "kind"), ({"address": ...}, "address"), ({"address": "ann"}, "address"), ({"address": "a@b c"}, "address"),
        ({"address": "a@example.org\r\nBcc: b@example.org"}, "address"), ({"address": "a@example.org, b@example.org"}, "address"),
        ({"kind": "push", "address": "http://169.254.169.254/x"}, "address"), ({"kind": "push", "address": "ftp://example.org/x"}, "address"), ({"more": 1}, "more")])
    same(p.api("GET", "/api/quiet-hours").expect(200)["timeZone"], "UTC", "of somebody who never said it")
    p.refuses("PATCH", "/api/quiet-hours", {"from": "22:00", "to": "07:00"}, _texts("from", "to", "timeZone") + [
        ({"from": "24:00"}, "from"), ({"to": "7"}, "to"), ({"from": None}, "from"), ({"to": None}, "to"), ({"to": "22:00"}, "to"), ({"timeZone": "Mars"}, "timeZone"),
        ({"timeZone": "../UTC"}, "timeZone"), ({"more": 1}, "more")])


def wrong_rules(box):
    p = _Place(box)
    p.refuses("POST", "/api/alerts/rules", {"name": "n", "metric": "event_count", "comparison": ">", "threshold": 1, "windowMinutes": 5},
              _texts("name", "metric", "comparison") + _flags("enabled") + [
        ({"name": ...}, "name"), ({"metric": ...}, "metric"), ({"threshold": ...}, "threshold"), ({"windowMinutes": 0}, "windowMinutes"), ({"windowMinutes": -1}, "windowMinutes"),
        ({"windowMinutes": 44641}, "windowMinutes"), ({"windowMinutes": "5m"}, "windowMinutes"), ({"threshold": "1"}, "threshold"), ({"threshold": {}}, "threshold"),
        ({"filter": 1}, "filter"), ({"filter": {"provider": "pigeon"}}, "provider"), ({"filter": {"service": "nowhere"}}, "service"), ({"more": 1}, "more")])


def wrong_status_pages(box):
    p = _Place(box)
    strange = p.make("/api/services", {"name": "theirs"}, theirs=True)
    p.api("PATCH", "/api/status-page", {"slug": "p-" + os.urandom(4).hex(), "title": "T"}).expect(200)
    p.refuses("PATCH", "/api/status-page", {}, _texts("slug", "title", "about") + _flags("enabled", "showTitles") + [
        ({"slug": "../x"}, "slug"), ({"slug": None}, "slug"), ({"title": None}, "title"), ({"title": "x" * 101}, "title"), ({"about": "x" * 1025}, "about"),
        ({"services": [strange]}, "services"), ({"services": ["theirs"]}, "services"), ({"services": {}}, "services"), ({"services": ["x"] * 101}, "services"),
        ({"more": 1}, "more")])


def wrong_endpoints(box):
    p = _Place(box)
    p.refuses("POST", "/api/endpoints", {"url": "https://example.org/hook"}, _texts("secret", "description") + _flags("enabled", "retries") + [
        ({"events": ["nothing.such"]}, "events"), ({"events": {}}, "events"), ({"events": [1]}, "events"), ({"events": ["incident.*"] * 100}, "events"),
        ({"secret": "x" * 256}, "secret"), ({"more": 1}, "more")])
    before = _rows(box, p.tenant)
    for url in ("", "example.org", "https://", "ftp://example.org/", "http://127.0.0.1/", "http://0x7f.1/", "http://[::1]/", "https://example.org/" + "x" * 3000, "https://a:b@example.org/"):
        answer = p.api("POST", "/api/endpoints", {"url": url})
        same((answer.status, answer.json().get("field")), (400, "url"), url[:80])
    same(_rows(box, p.tenant), before)


def wrong_channels(box):
    p = _Place(box)
    p.refuses("POST", "/api/channels", {"name": "n", "kind": "email", "to": ["a@example.org"]},
              _texts("name", "kind", "from", "user", "password") + _numbers("maxPerMinute") + _flags("enabled") + [
        ({"name": ...}, "name"), ({"name": "x" * 101}, "name"), ({"kind": ...}, "kind"), ({"kind": "fax"}, "kind"), ({"to": []}, "to"), ({"to": ["nobody"]}, "to"),
        ({"to": ["a@example.org"] * 21}, "to"), ({"to": {}}, "to"), ({"events": ["x"]}, "events"), ({"minSeverity": "BAD"}, "minSeverity"), ({"minSeverity": "LOW,HIGH"}, "minSeverity"),
        ({"maxPerMinute": 0}, "maxPerMinute"), ({"more": 1}, "more")])
    made = p.make("/api/channels", {"name": "n", "kind": "email", "to": ["a@example.org"]})
    p.refuses("PATCH", "/api/channels/" + made, {}, [({"kind": "slack"}, "kind"), ({"name": None}, "name"), ({"to": None}, "to")])
    for method, path, body in (("PATCH", "", {"name": "x"}), ("DELETE", "", None), ("POST", "/test", {}), ("GET", "/deliveries", None)):
        p.api(method, "/api/channels/" + made + path, body, theirs=True).expect(404, "not_found")
