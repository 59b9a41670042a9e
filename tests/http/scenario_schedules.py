"""On-call schedules by API and by page: who is on call, across changes of clocks, with overrides, by plain forms."""
import datetime
import json
import os

from harness import rfc3339, same, true
from visitor import Visitor

BERLIN = "Europe/Berlin"


def _people(box, n=3, tenant=1):
    """Names; new ones, since people of other scenarios are disabled now and then."""
    names = ["%s-%s" % (who, os.urandom(4).hex()) for who in ("ann", "bob", "cem", "dia")[:n]]
    for name in names:
        box.sql("INSERT INTO users (public_id, tenant_id, name, role, created_at) VALUES ('us_%s', %d, '%s', 2, 1)" % (os.urandom(10).hex(), tenant, name))
    return names


def _new(box, *layers, zone=BERLIN, token=None, **more):
    return box.api("POST", "/api/schedules", {"name": "Schedule " + os.urandom(4).hex(), "timeZone": zone, "layers": list(layers), **more},
                   token).expect(201)


def _remove(box, *schedules):
    for s in schedules:
        box.api("DELETE", "/api/schedules/" + s["id"]).expect(204)


def _calendar(box, schedule, begin, end):
    seen = box.get("/api/schedules/%s/calendar?from=%s&to=%s" % (schedule["id"], begin, end))
    spans = seen["spans"]
    same((spans[0]["from"], spans[-1]["to"]), (seen["from"], seen["to"]), "it begins and ends where it was asked to")
    for one, other in zip(spans, spans[1:]):
        same(one["to"], other["from"], "without gap")
    return [(s["from"][:16], s["user"]) for s in spans]


# ---- API ----

def hand_over_stays_at_its_time_when_clocks_change(box):
    ann, bob, _ = _people(box)
    s = _new(box, {"rotation": "daily", "handOver": "09:00", "startDate": "2026-03-27", "users": [ann, bob]})
    same(_calendar(box, s, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"),
         [("2026-03-28T00:00", ann), ("2026-03-28T08:00", bob), ("2026-03-29T07:00", ann), ("2026-03-30T07:00", bob)])
    same(_calendar(box, s, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z")[1:][0][0], "2026-10-25T08:00")
    south = _new(box, {"rotation": "daily", "handOver": "09:00", "startDate": "2026-04-03", "users": [ann, bob]}, zone="Australia/Lord_Howe")
    same([at for at, _ in _calendar(box, south, "2026-04-03T23:00:00Z", "2026-04-05T12:00:00Z")][1:], ["2026-04-04T22:30"])
    _remove(box, s, south)


def layers_hours_and_overrides(box):
    ann, bob, cem, dia = _people(box, 4)
    s = _new(box, {"name": "Office", "days": ["monday", "tuesday", "wednesday", "thursday", "friday"], "from": "08:00", "to": "18:00",
                   "startDate": "2026-01-01", "users": [ann]},
             {"name": "Rest", "rotation": "weekly", "weekday": "friday", "handOver": "12:00", "startDate": "2026-01-02", "users": [bob, cem]}, zone="UTC")
    days = ("2026-06-04T00:00:00Z", "2026-06-06T00:00:00Z")     # Thursday and Friday
    expected = [("2026-06-04T00:00", bob), ("2026-06-04T08:00", ann), ("2026-06-04T18:00", bob), ("2026-06-05T08:00", ann), ("2026-06-05T18:00", cem)]
    seen = _calendar(box, s, *days)
    if seen[0][1] == cem:
        expected = [(at, {bob: cem, cem: bob}.get(who, who)) for at, who in expected]
    same(seen, expected)
    now = datetime.datetime.now(datetime.timezone.utc).timestamp()
    override = box.api("POST", "/api/schedules/%s/overrides" % s["id"], {"user": dia, "to": rfc3339(now + 7200)}).expect(201)
    seen = box.get("/api/schedules/" + s["id"])
    same((seen["onCall"], seen["onCallUntil"][:16], seen["overrides"][0]["id"]), (dia, override["to"][:16], override["id"]))
    mine, = [x for x in box.get("/api/on-call")["onCall"] if x["scheduleId"] == s["id"]]
    same((mine["user"], mine["overrideId"], mine["layer"]), (dia, override["id"], None))
    box.sql("UPDATE users SET enabled = 0 WHERE name = '%s'" % dia)
    true(box.get("/api/schedules/" + s["id"])["onCall"] in (ann, bob, cem), "who is disabled is passed over")
    box.api("POST", "/api/schedules/%s/overrides" % s["id"], {"user": dia, "to": rfc3339(now + 7200)}).expect(400, "invalid_request", "user")
    box.api("DELETE", "/api/schedules/%s/overrides/%s" % (s["id"], override["id"])).expect(204)
    same([r[0] for r in box.sql("SELECT action FROM audit_log WHERE object = '%s' ORDER BY id" % s["id"])],
         ["schedule.create", "schedule.override", "schedule.override_delete"])
    _remove(box, s)


def what_is_shown_can_be_sent_back(box):
    ann, bob, _ = _people(box)
    s = _new(box, {"rotation": "hours", "length": 12, "handOver": "07:30", "startDate": "2026-01-01", "users": [bob, ann, bob], "from": "22:00", "to": "06:00",
                   "days": ["sunday"]}, description="nights")
    again = box.api("PATCH", "/api/schedules/" + s["id"], {k: s[k] for k in ("name", "description", "timeZone", "layers")}).expect(200)
    same((again["layers"], again["users"]), (s["layers"], s["users"]))
    same(again["layers"][0]["to"], "06:00")
    box.api("PATCH", "/api/schedules/" + s["id"], {"onCall": ann}).expect(400, "invalid_request", "onCall")
    _remove(box, s)


def schedules_are_of_their_tenant_and_for_admins(box):
    ann, _, _ = _people(box)
    s = _new(box, {"users": [ann]})
    other = box.new_token(tenant=box.new_tenant())
    for method, tail, body in (("GET", "", None), ("PATCH", "", {"name": "mine"}), ("DELETE", "", None), ("GET", "/calendar", None),
                               ("DELETE", "/overrides/1", None)):
        box.api(method, "/api/schedules/%s%s" % (s["id"], tail), body, other).expect(404, "not_found")
    same((box.get("/api/schedules", other)["schedules"], box.get("/api/on-call", other)["onCall"]), ([], []))
    box.api("POST", "/api/schedules", {"name": "x", "layers": [{"users": [ann]}]}, other).expect(400, "invalid_request", "layers")
    operator, viewer = box.new_token("operator"), box.new_token("viewer")
    same(box.get("/api/schedules/" + s["id"], viewer)["name"], s["name"])
    box.api("POST", "/api/schedules", {"name": "x"}, operator).expect(403, "forbidden")
    box.api("POST", "/api/schedules/%s/overrides" % s["id"], {"user": ann, "to": "2100-01-01T00:00:00Z"}, viewer).expect(403, "forbidden")
    override = {"user": ann, "to": rfc3339(datetime.datetime.now(datetime.timezone.utc).timestamp() + 600)}
    box.api("POST", "/api/schedules/%s/overrides" % s["id"], override, operator).expect(201)
    _remove(box, s)


def services_are_on_call_through_their_policy(box):
    ann, bob, _ = _people(box)
    one, other = (_new(box, {"startDate": "2026-01-01", "users": [who]}) for who in (ann, bob))
    policy = box.api("POST", "/api/escalation-policies", {"name": "Policy " + os.urandom(4).hex(), "steps": [
        {"delayMinutes": 5, "targets": [{"id": one["id"]}]}, {"delayMinutes": 5, "targets": [{"id": other["id"]}, {"id": one["id"]}]}]}).expect(201)
    service = box.api("POST", "/api/services", {"name": "Service " + os.urandom(4).hex(), "policyId": policy["id"]}).expect(201)
    same([(x["schedule"], x["user"]) for x in service["onCall"]], [(one["name"], ann), (other["name"], bob)])
    same(box.get("/api/on-call?serviceId=" + service["id"])["onCall"], service["onCall"])
    box.api("GET", "/api/on-call?serviceId=sv_nobody").expect(400, "invalid_request", "serviceId")
    true(ann in Visitor(box, "viewer").page("/services/" + service["id"]), "who is on call, on its page")
    reply = box.api("DELETE", "/api/schedules/" + one["id"])
    reply.expect(409, "conflict")
    true(policy["name"] in reply.json()["message"], reply.json()["message"])
    person = Visitor(box)
    person.page("/schedules/%s/delete" % one["id"])
    said = person.done(person.post("/schedules/%s/delete" % one["id"]), "/schedules/" + one["id"])
    true(person.is_refused() and policy["name"] in said, said)
    box.api("DELETE", "/api/services/" + service["id"]).expect(204)
    box.api("DELETE", "/api/escalation-policies/" + policy["id"]).expect(204)
    _remove(box, one, other)


# ---- pages ----

def a_schedule_is_made_of_plain_forms(box):
    ann, bob, _ = _people(box)
    person = Visitor(box)
    name = "Night " + os.urandom(4).hex()
    person.page("/schedules/new")
    same(person.post("/schedules", name=name, description="", timeZone="Europe/Nowhere").status, 400)
    same(person.error(), "There is no time zone of that name; one is Europe/Berlin.")
    same(person.field("name"), name)
    person.done(person.post("/schedules", name=name, description="d", timeZone=BERLIN))
    path = person.at
    true("Nobody takes turns yet" in person.text and "Nobody is on call now" in person.text, "an empty one")
    person.page(path + "/layers/new")
    fields = {"name": "Primary", "rotation": "weekly", "length": "2", "handOver": "09:00", "weekday": "monday", "startDate": "2026-01-05",
              "from": "00:00", "to": "24:00"}
    version = ("_version", person.field("_version"))
    same(person.post(path + "/layers/new", version, ("users", ann), ("users", "nobody"), **fields).status, 400)
    same(person.error(), "There is no user nobody.")
    same(person.post(path + "/layers/new", version, ("users", ann), **{**fields, "handOver": "9"}).status, 400)
    person.done(person.post(path + "/layers/new", version, ("users", ann), ("users", ""), ("users", bob), ("days", ""), **fields), path)
    true("every 2 weeks, hand-over Mon at 09:00" in person.text and "%s, %s" % (ann, bob) in person.text and 'class="spans"' in person.text,
         "its layer and its calendar")
    person.page(path + "/layers/new")
    person.done(person.post(path + "/layers/new", ("_version", person.field("_version")), ("users", bob), ("days", ""), ("days", "saturday"), ("days", "sunday"),
                            **{**fields, "name": "Weekend", "rotation": "days", "length": "1", "from": "08:00", "to": "20:00"}), path)
    true("Sat, Sun, 08:00 to 20:00" in person.text, "when it counts")
    same([x["name"] for x in box.get("/api" + path)["layers"]], ["Primary", "Weekend"])
    version = ("_version", person.field("_version"))
    person.done(person.post(path + "/layers/2/up", version), path)
    same([x["name"] for x in box.get("/api" + path)["layers"]], ["Weekend", "Primary"])
    said = person.done(person.post(path + "/layers/2/up", version), path)
    true(person.is_refused() and "Somebody changed this schedule meanwhile" in said, said)
    person.page(path + "/layers/2/edit")
    same(person.field("name"), "Primary")
    person.done(person.post(path + "/layers/2/edit", ("_version", person.field("_version")), ("users", bob), **{**fields, "name": "Second"}), path)
    seen = box.get("/api" + path)["layers"]
    same([(x["name"], len(x["users"])) for x in seen], [("Weekend", 1), ("Second", 1)])
    true("1 people take turns in it." in person.page(path + "/layers/1/delete"), "what it means")
    person.done(person.post(path + "/layers/1/delete", ("_version", person.field("_version"))), path)
    same([x["name"] for x in box.get("/api" + path)["layers"]], ["Second"])
    person.page(path + "/layers/2/edit", 404)
    person.page(path + "/edit")
    person.done(person.post(path + "/edit", name=name + "!", description="", timeZone="UTC"), path)
    same((box.get("/api" + path)["timeZone"], len(box.get("/api" + path)["layers"])), ("UTC", 1), "the layers stay")
    person.page(path + "/delete")
    same(person.done(person.post(path + "/delete"), "/schedules"), "The schedule is deleted.")
    person.page(path, 404)


def an_operator_takes_over(box):
    ann, _, _ = _people(box)
    s = _new(box, {"startDate": "2026-01-01", "users": [ann]})
    path = "/schedules/" + s["id"]
    person = Visitor(box, "operator")
    text = person.page(path)
    true("On call now: <b>%s</b>" % ann in text and "Add a layer" not in text, "an operator's page")
    same(person.post(path + "/overrides", user="", **{"from": person.field("from"), "to": ""}).status, 400)
    begin = datetime.datetime.fromisoformat(person.field("from"))       # on the clocks of Berlin
    end = (begin + datetime.timedelta(hours=5)).isoformat()[:16]
    same(person.done(person.post(path + "/overrides", user="", **{"from": begin.isoformat()[:16], "to": end}), path), person.name + " takes over.")
    true("On call now: <b>%s</b>" % person.name in person.text, "at once")
    override, = box.get("/api" + path)["overrides"]
    offset = begin.replace(tzinfo=datetime.timezone.utc) - datetime.datetime.fromisoformat(override["from"].replace("Z", "+00:00"))
    true(abs(offset.total_seconds()) <= 3600 * 2 + 120, "a time on the wall of the schedule: %s" % offset)
    person.page("%s/overrides/1/delete" % path, 404)
    true("Take back the override of %s?" % person.name in person.page("%s/overrides/%s/delete" % (path, override["id"])), "it asks first")
    same(person.done(person.post("%s/overrides/%s/delete" % (path, override["id"])), path), "The override is taken back.")
    true("On call now: <b>%s</b>" % ann in person.text, "taken back")
    viewer = Visitor(box, "viewer")
    true("Takes over" not in viewer.page(path) and s["name"] in viewer.page("/schedules"), "a viewer's page")
    viewer.page(path + "?week=2026-03-23")
    true("23 to 29 March 2026" in viewer.text, "another week")
    viewer.page(path + "?week=1800-01-01", 404)
    viewer.page(path + "?week=soon", 400)
    same(json.loads(viewer.get("/schedules.json").body)["schedules"][0]["timeZone"], BERLIN)
    _remove(box, s)
