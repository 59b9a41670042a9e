"""What people do to incidents, by API and by page: notes, assignees, snoozing, reopening, many at once."""
import json
import re
import time

from harness import alert, alerts, rfc3339, same, together, true
from visitor import Visitor


def _incident(box, source=None, **more):
    source = source or box.integration("prometheus", rateLimitPerMinute=0)
    return box.send(source, alerts(alert(**more))).expect(201)["result"]["incident"]["id"]


def _act(box, incident, verb, body, token=None):
    return box.api("POST", "/api/incidents/%s/%s" % (incident, verb), body, token)


# ---- API ----

def incident_gets_a_note_an_assignee_a_rest_and_a_second_life(box):
    incident = _incident(box)
    person = Visitor(box, "operator").name
    seen = _act(box, incident, "assign", {"assignee": person}).expect(200)
    same(seen["assignee"], person)
    seen = _act(box, incident, "snooze", {"minutes": 30}).expect(200)
    true(seen["snoozedUntil"].endswith("Z"), "snoozedUntil %r" % seen["snoozedUntil"])
    _act(box, incident, "notes", {"text": "it was the fan"}).expect(200)
    _act(box, incident, "snooze", {"minutes": 0}).expect(200)
    _act(box, incident, "assign", {"assignee": None}).expect(200)
    _act(box, incident, "resolve", {"note": "new fan"}).expect(200)
    seen = _act(box, incident, "reopen", {}).expect(200)
    same((seen["status"], seen["resolvedAt"], seen["resolvedBy"], seen["assignee"], seen["snoozedUntil"]), ("OPEN", None, None, None, None))
    # Where somebody of the tenant listens, the system says that it is released from its snooze.
    done = [(t["kind"], t["text"]) for t in seen["timeline"][1:] if (t["kind"], t["actor"]) != ("released", "system")]
    same(done, [("assigned", person), ("snoozed", done[1][1]), ("note", "it was the fan"), ("snoozed", None), ("assigned", None), ("resolved", "new fan"),
                ("reopened", None)])
    same({t["actor"] for t in seen["timeline"][1:] if t["kind"] != "released"}, {"person"})
    same(box.number("SELECT COUNT(*) FROM audit_log WHERE object = '%s' AND user_id IS NOT NULL" % incident), 7, "audit log")


def what_the_status_does_not_allow_is_a_conflict_with_a_sentence(box):
    incident = _incident(box)
    for verb, body in (("reopen", {}), ("resolve", None), ("resolve", {}), ("acknowledge", {}), ("snooze", {"minutes": 5})):
        reply = _act(box, incident, verb, body)
        if body is None:
            reply.expect(200)
            continue
        true(reply.expect(409, "conflict")["message"].endswith("."), "%s: a sentence" % verb)


def wrong_acts_name_the_field(box):
    incident = _incident(box)
    soon, late = rfc3339(time.time() + 20), rfc3339(time.time() + 31 * 86400)
    for verb, body, field in (("notes", {}, "text"), ("notes", {"text": ""}, "text"), ("notes", {"text": " \n"}, "text"),
                              ("notes", {"text": "x" * 1025}, "text"), ("notes", {"note": "x"}, "note"),
                              ("assign", {}, "assignee"), ("assign", {"assignee": "nobody at all"}, "assignee"), ("assign", {"assignee": 7}, "assignee"),
                              ("snooze", {}, "minutes"), ("snooze", {"minutes": -1}, "minutes"), ("snooze", {"minutes": 43201}, "minutes"),
                              ("snooze", {"minutes": 5, "until": late}, "minutes"), ("snooze", {"until": soon}, "until"),
                              ("snooze", {"until": late}, "until"), ("snooze", {"until": "tomorrow"}, "until")):
        _act(box, incident, verb, body).expect(400, "invalid_request", field)
    same(len(box.get("/api/incidents/" + incident)["timeline"]), 1, "nothing was done")


def acts_do_not_reach_another_tenant(box):
    incident = _incident(box)
    other = box.new_token(tenant=box.new_tenant())
    for verb, body in (("reopen", {}), ("notes", {"text": "x"}), ("assign", {"assignee": None}), ("snooze", {"minutes": 5})):
        _act(box, incident, verb, body, other).expect(404, "not_found")
    result = box.api("POST", "/api/incidents/bulk", {"ids": [incident], "action": "resolve"}, other).expect(200)["results"]
    same((result[0]["success"], result[0]["error"]), (False, "not_found"))


def a_worse_alert_wakes_a_snoozed_incident(box):
    source = box.integration("prometheus")
    incident = _incident(box, source, fingerprint="wakes", severity="warning")
    _act(box, incident, "snooze", {"minutes": 60}).expect(200)
    box.send(source, alerts(alert(fingerprint="wakes", severity="warning", instance="b"))).expect(201)
    true(box.get("/api/incidents/" + incident)["snoozedUntil"], "as bad as before: it sleeps on")
    box.send(source, alerts(alert(fingerprint="wakes", severity="critical"))).expect(201)
    seen = box.get("/api/incidents/" + incident)
    same((seen["severity"], seen["snoozedUntil"]), ("CRITICAL", None))


def many_incidents_at_once_each_for_itself(box):
    source = box.integration("prometheus", rateLimitPerMinute=0)
    ids = [_incident(box, source) for _ in range(3)]
    _act(box, ids[0], "resolve", {}).expect(200)
    body = {"ids": [ids[0], ids[1], int(ids[2]), "7", "x"], "action": "resolve", "note": "all over"}
    results = box.api("POST", "/api/incidents/bulk", body).expect(200)["results"]
    same([(r["id"], r["success"], r["error"]) for r in results],
         [(ids[0], False, "conflict"), (ids[1], True, None), (ids[2], True, None), ("7", False, "not_found"), ("x", False, "not_found")])
    same(box.get("/api/incidents/" + ids[2])["timeline"][-1]["text"], "all over")
    for wrong, field in (({"ids": [], "action": "resolve"}, "ids"), ({"ids": ["1"] * 101, "action": "resolve"}, "ids"),
                         ({"ids": "1", "action": "resolve"}, "ids"), ({"ids": ["1"]}, "action"), ({"action": "resolve"}, "ids"),
                         ({"ids": ["1"], "action": "reopen"}, "action"), ({"ids": ["1"], "action": "acknowledge,resolve"}, "action")):
        box.api("POST", "/api/incidents/bulk", wrong).expect(400, "invalid_request", field)


def bulk_acts_have_a_rate_of_their_own(box):
    token, body, answers, began = box.new_token("operator"), {"ids": ["7"], "action": "resolve"}, [], time.time()
    while all(a.status == 200 for a in answers) and len(answers) < 1000:
        answers += together([lambda: box.api("POST", "/api/incidents/bulk", body, token)] * 10)
    same({a.header("x-ratelimit-limit") for a in answers}, {"60"})
    answered = [a.status for a in answers].count(200)
    true(60 <= answered <= 61 + time.time() - began, "60 are answered, and one for each second since: %d" % answered)
    true(all(a.status == 429 and a.header("retry-after") for a in answers if a.status != 200), "the others have to wait")
    box.get("/api/incidents?limit=1", token)


def tests_and_assignees_are_filters(box):
    token = box.new_token(tenant=box.new_tenant())
    incident = _incident(box, box.integration("prometheus", token=token))
    for query, count in (("isTest=false", 1), ("isTest=true", 0), ("assignee=none", 1), ("status=unresolved", 1),
                         ("service=default", 1), ("status=all&isTest=true,false", 1)):
        same([i["id"] for i in box.get("/api/incidents?" + query, token)["incidents"]], [incident] * count, query)
    for query, field in (("isTest=maybe", "isTest"), ("assignee=somebody", "assignee"), ("service=nothing", "service"),
                         ("serviceId=default", "serviceId"), ("source=in_nothing", "source")):
        box.api("GET", "/api/incidents?" + query, token=token).expect(400, "invalid_request", field)


def incident_from_the_command_line(box):
    incident = _incident(box)
    box.ctl("incident", "ack", incident, "--note", "on my way")
    box.ctl("incident", "resolve", incident)
    shown = json.loads(box.ctl("--json", "incident", "show", incident))
    same([(t["kind"], t["actor"], t["user"], t["text"]) for t in shown["timeline"][1:]],
         [("acknowledged", "person", None, "on my way"), ("resolved", "person", None, None)])
    true("resolved" in box.ctl("incident", "show", incident), "the text shows the timeline")


# ---- pages ----

def the_list_shows_what_is_unresolved_and_filters(box):
    tenant = box.new_tenant()
    token, person = box.new_token(tenant=tenant), Visitor(box, "operator", tenant)
    text = person.page("/incidents")
    true("No incident yet" in text and "grapnelctl integration add" in text, "an empty list says what to do")
    source = box.integration("prometheus", token=token)
    ids = [_incident(box, source, severity=s) for s in ("critical", "warning", "critical")]
    _act(box, ids[2], "resolve", {}, token).expect(200)
    rows = lambda text: re.findall(r'id="i(\d+)"', text)
    same(rows(person.page("/incidents")), [ids[1], ids[0]])
    same(re.findall(r"<b>([\d,+]+)</b></a>", person.text), ["2", "2", "0", "1", "3"], "chips")
    same(rows(person.page("/incidents?status=resolved")), [ids[2]])
    same(rows(person.page("/incidents?status=all&severity=critical")), [ids[2], ids[0]])
    true("Nothing matches" in person.page("/incidents?q=no+such+thing&severity=&from="), "empty fields are no filters")
    same(rows(person.page("/incidents?q=DISK&from=2020-01-01T00:00&assignee=none")), [ids[1], ids[0]])
    for query in ("status=explode", "color=red", "cursor=events-7", "from=yesterday"):
        person.page("/incidents?" + query, 400)
    same([i["id"] for i in person.get("/incidents.json").expect(200)["incidents"]], [ids[1], ids[0]], "the filter of the page")
    lines = person.get("/incidents.csv?status=all").body.decode().split("\r\n")
    true(lines[0].startswith("id,") and len(lines) == 5, "CSV: %r" % lines)


def the_list_goes_on_page_by_page(box):
    tenant = box.new_tenant()
    source = box.integration("prometheus", token=box.new_token(tenant=tenant))
    many = box.send(source, alerts(*[alert() for _ in range(60)])).expect(201)["results"]
    person, seen = Visitor(box, "viewer", tenant), []
    path = "/incidents"
    while path:
        seen += re.findall(r'id="i(\d+)"', person.page(path))
        older = re.search(r'href="([^"]+)" rel="next"', person.text)
        path = older and older.group(1)
    same(sorted(seen), sorted(r["incident"]["id"] for r in many))


def a_person_acts_with_forms(box):
    person, incident = Visitor(box, "operator"), _incident(box)
    path = "/incidents/" + incident
    person.page(path)
    true("Acknowledged." in person.done(person.post(path + "/acknowledge"), path), "it is said")
    true(not person.is_refused(), "in the colour of success")
    true("only an open incident" in person.done(person.post(path + "/acknowledge"), path).lower(), "a conflict is a sentence")
    true(person.is_refused(), "in the colour of refusal")
    person.done(person.post(path + "/assign", assignee=person.name), path)
    person.done(person.post(path + "/snooze", minutes="60"), path)
    person.done(person.post(path + "/notes", text="it was\nthe fan"), path)
    true("it was\nthe fan" in person.text.replace("\r", ""), "the note keeps its lines")
    true("status-snoozed" in person.text, "it is said to be snoozed")
    person.done(person.post(path + "/resolve"), path)
    true(">Reopen<" in person.text and ">Resolve<" not in person.text, "what can be done now")
    person.done(person.post(path + "/reopen"), path)
    same([e["kind"] for e in box.get("/api/incidents/" + incident)["timeline"] if (e["kind"], e["actor"]) != ("released", "system")],
         ["opened", "acknowledged", "assigned", "snoozed", "note", "resolved", "reopened"])
    true(person.text.count('class="by-person"') == 6 and person.text.count('class="by-sender"') == 1, "people apart from senders")


def a_refused_note_stays_in_its_field(box):
    person, path = Visitor(box, "operator"), "/incidents/" + _incident(box)
    person.page(path)
    same(person.post(path + "/notes", text="x" * 1030).status, 400)
    same(person.field("text"), "x" * 1030)
    true(person.error().endswith("."), "the field says why")
    same(person.post(path + "/notes", text=" ").status, 400)
    same(person.post(path + "/assign", assignee="nobody at all").status, 400)
    true("There is no user" in person.error(), "the field says why")


def another_tenants_incident_is_no_page(box):
    incident = _incident(box)
    stranger = Visitor(box, "admin", box.new_tenant())
    stranger.page("/incidents")
    stranger.page("/incidents/" + incident, 404)
    stranger.page("/services")
    for verb in ("acknowledge", "resolve", "reopen"):
        same(stranger.post("/incidents/%s/%s" % (incident, verb)).status, 404, verb)
    same(stranger.post("/incidents/%s/notes" % incident, text="x").status, 404)
    stranger.page("/incidents/7", 404)
    stranger.page("/incidents/x", 404)


def a_viewer_looks_and_does_not_touch(box):
    viewer, incident = Visitor(box, "viewer"), _incident(box)
    text = viewer.page("/incidents/" + incident)
    true("/acknowledge" not in text and "/notes" not in text, "there are no forms")
    true('type="checkbox"' not in viewer.page("/incidents"), "nothing to tick")
    same(viewer.post("/incidents/%s/resolve" % incident).status, 403)
    same(viewer.post("/incidents/bulk", ids=incident, action="resolve").status, 403)
    same(box.get("/api/incidents/" + incident)["status"], "OPEN")


def many_are_ticked_told_in_numbers_and_done(box):
    tenant = box.new_tenant()
    token, person = box.new_token(tenant=tenant), Visitor(box, "operator", tenant)
    source = box.integration("prometheus", token=token)
    ids = [_incident(box, source) for _ in range(4)]
    _act(box, ids[0], "acknowledge", {}, token).expect(200)
    _act(box, ids[1], "resolve", {}, token).expect(200)
    here = "/incidents?status=all&q=disk"
    person.page(here)
    reply = person.post("/incidents/select", *[("ids", i) for i in ids[:3]], action="resolve")
    same(reply.status, 200)
    true("Resolve 2 incidents?" in person.text and "1 of those you ticked stays as it is" in person.text, "numbers: %.2000s" % person.text)
    same(box.get("/api/incidents/" + ids[2], token)["status"], "OPEN", "nothing is done yet")
    said = person.done(person.post("/incidents/bulk", ids=person.field("ids"), action="resolve", _back=person.field("_back")), here)
    same(said, "2 incidents resolved. 1 stayed as it was.")
    same([box.get("/api/incidents/" + i, token)["status"] for i in ids], ["RESOLVED"] * 3 + ["OPEN"])
    said = person.done(person.post("/incidents/select", action="resolve"), here)
    true("Tick" in said and person.is_refused(), "nothing was ticked")
    same(person.post("/incidents/bulk", ids=ids[3], action="resolve", _back="//evil.example/").header("location"), "/incidents")


def a_payload_stays_text(box):
    evil = "<script>alert(1)</script>\"'&amp; \u0001 =cmd|' /C calc'!A0"
    source = box.integration("prometheus")
    body = alert()
    body["annotations"]["summary"] = evil
    incident = box.send(source, alerts(body)).expect(201)["result"]["incident"]["id"]
    person = Visitor(box, "operator")
    for path in ("/incidents/" + incident, "/incidents"):
        text = person.page(path)
        true("<script>alert" not in text and "&lt;script&gt;alert(1)" in text and "\u0001" not in text, path)
    _act(box, incident, "notes", {"text": "=1+1 <b>x</b>"}).expect(200)
    true("<b>x</b>" not in person.page("/incidents/" + incident), "a note is text")


# ---- merging, and what is related ----

def _merge(box, incident, into, token=None):
    return _act(box, incident, "merge", {"into": into}, token)


def _fire(box, source, key, **more):
    return box.send(source, alerts(alert(fingerprint=key, **more))).expect(201)["result"]


def merged_incident_goes_on_in_the_other(box):
    source, other = box.integration("prometheus", rateLimitPerMinute=0), box.integration("prometheus", rateLimitPerMinute=0)
    part = _fire(box, source, "part", severity="critical")["incident"]["id"]
    whole = _fire(box, other, "whole", severity="warning")["incident"]["id"]
    person = box.new_token("operator")
    seen = _merge(box, part, whole, person).expect(200)
    same((seen["status"], seen["resolvedBy"], seen["mergedInto"]), ("RESOLVED", "person", whole))
    same((seen["timeline"][-1]["kind"], seen["timeline"][-1]["text"].split(":")[0]), ("merged", "into " + whole))
    seen = box.get("/api/incidents/" + whole)
    same([(t["kind"], t["severity"]) for t in seen["timeline"][1:]], [("merged", "CRITICAL"), ("raised", "CRITICAL")])
    same((seen["severity"], [m["id"] for m in seen["merged"]], len(seen["alerts"])), ("CRITICAL", [part], 2), "its alerts stand there as well")
    joined = _fire(box, source, "part", severity="critical", instance="b")
    same((joined["action"], joined["incident"]["id"]), ("deduplicated", whole))
    same([box.get("/api/incidents/" + i)["alertCount"] for i in (part, whole)], [1, 2])
    # people go on with the other, and what fires for the part changes nothing of it
    _act(box, whole, "acknowledge", {}).expect(200)
    _fire(box, source, "part", severity="critical", instance="c")
    box.send(source, alerts(alert(fingerprint="part", status="resolved"))).expect(201)
    seen = box.get("/api/incidents/" + whole)
    same((seen["status"], bool(seen["acknowledgedAt"])), ("ACKNOWLEDGED", True), "the part's sender does not resolve it")
    same(box.number("SELECT open_hash = UNHEX(LEFT(SHA2(dedup_key, 256), 32)) FROM incidents WHERE id = %s" % whole), 1, "the key it is open for is its own")
    box.send(other, alerts(alert(fingerprint="whole", status="resolved"))).expect(201)
    same(box.get("/api/incidents/" + whole)["status"], "RESOLVED", "its own does")
    new = _fire(box, source, "part")
    same((new["action"], new["incident"]["id"] in (part, whole)), ("triggered", False), "and then the part is new trouble")


def still_firing_after_the_other_is_over_reopens_it(box):
    source = box.integration("prometheus", rateLimitPerMinute=0)
    part, whole = (_fire(box, source, key)["incident"]["id"] for key in ("still-a", "still-b"))
    _merge(box, part, whole).expect(200)
    _act(box, whole, "resolve", {}).expect(200)
    same(_fire(box, source, "still-a")["incident"]["id"], part)
    seen = box.get("/api/incidents/" + part)
    same((seen["status"], seen["mergedInto"]), ("OPEN", None))
    same(box.get("/api/incidents/" + whole)["merged"], [])


def reopening_takes_a_merge_back(box):
    source = box.integration("prometheus", rateLimitPerMinute=0)
    part, whole = (_fire(box, source, key)["incident"]["id"] for key in ("back-a", "back-b"))
    _merge(box, part, whole).expect(200)
    seen = _act(box, part, "reopen", {}).expect(200)
    same((seen["status"], seen["mergedInto"], len(seen["alerts"])), ("OPEN", None, 1))
    same(_fire(box, source, "back-a")["incident"]["id"], part)
    seen = box.get("/api/incidents/" + whole)
    same((seen["merged"], len(seen["alerts"]), seen["status"]), ([], 1, "OPEN"))


def what_was_merged_before_goes_along(box):
    source = box.integration("prometheus", rateLimitPerMinute=0)
    a, b, c = (_fire(box, source, key)["incident"]["id"] for key in ("along-a", "along-b", "along-c"))
    _merge(box, a, b).expect(200)
    _merge(box, b, c).expect(200)
    same([m["id"] for m in box.get("/api/incidents/" + c)["merged"]], [b, a])
    # both keys and that of the other in one request: one batch, one incident, three alerts
    together = box.send(source, alerts(*[alert(fingerprint="along-" + k, severity="critical") for k in "cab"])).expect(201)["results"]
    same({r["incident"]["id"] for r in together}, {c})
    seen = box.get("/api/incidents/" + c)
    same((seen["alertCount"], seen["severity"], seen["status"]), (4, "CRITICAL", "OPEN"))


def merges_that_make_no_sense(box):
    source = box.integration("prometheus", rateLimitPerMinute=0)
    a, b, over = (_fire(box, source, key)["incident"]["id"] for key in ("none-a", "none-b", "none-c"))
    _act(box, over, "resolve", {}).expect(200)
    other = box.new_token(tenant=box.new_tenant())
    foreign = _fire(box, box.integration("prometheus", token=other), "none-d")["incident"]["id"]
    test = box.api("POST", "/api/integrations/%s/test" % source["id"], {}).expect(201)["incident"]["id"]
    for body in ({}, {"into": ""}, {"into": "x"}, {"into": a}, {"into": "7"}, {"into": foreign}, {"into": 7}):
        _act(box, a, "merge", body).expect(400, "invalid_request", "into")
    for incident, into in ((a, over), (a, test), (test, a)):
        _merge(box, incident, into).expect(409, "conflict", "into")
    true(_merge(box, over, a).expect(409, "conflict")["message"].endswith("only an unresolved one can be merged."), "a sentence")
    _merge(box, a, b, other).expect(404, "not_found")
    _merge(box, a, b, box.new_token("viewer")).expect(403, "forbidden")
    same([box.get("/api/incidents/" + i)["status"] for i in (a, b)], ["OPEN", "OPEN"], "nothing was done")


def many_who_merge_and_fire_at_once_lose_nothing(box):
    source = box.integration("prometheus", rateLimitPerMinute=0)
    keys = ["storm-%d" % n for n in range(8)]
    ids = [_fire(box, source, key)["incident"]["id"] for key in keys]
    calls = [lambda i=i: _merge(box, i, ids[0]) for i in ids[1:]] + [
        lambda k=k, n=n: box.send(source, alerts(alert(fingerprint=k, started=time.time() - n))) for n in range(6) for k in keys]
    replies = together(calls)
    true(all(r.status in (200, 201) for r in replies), sorted({r.status for r in replies}))
    seen = box.get("/api/incidents/" + ids[0])
    same((seen["status"], sorted(m["id"] for m in seen["merged"])), ("OPEN", sorted(ids[1:])))
    fired = sum("alreadyProcessed" not in r.json() for r in replies if r.status == 201)
    same(sum(box.get("/api/incidents/" + i)["alertCount"] for i in ids), 8 + fired, "each alert counts once")
    true(fired > 40, fired)
    same(box.number("SELECT COUNT(*) FROM incident_keys WHERE merged_into = %s AND status = 3" % ids[0]), 7)


def related_incidents_say_why(box):
    token = box.new_token(tenant=box.new_tenant())
    shop = box.api("POST", "/api/services", {"name": "shop"}, token).expect(201)["id"]
    source, elsewhere = box.integration("prometheus", token=token), box.integration("prometheus", token=token, serviceId=shop)
    first = _fire(box, source, "again", instance="web-1")["incident"]["id"]
    box.send(source, alerts(alert(fingerprint="again", status="resolved"))).expect(201)
    again = _fire(box, source, "again", instance="web-1")["incident"]["id"]
    host = _fire(box, elsewhere, "host", instance="web-1")["incident"]["id"]
    neighbour = _fire(box, source, "neighbour", instance="web-2")["incident"]["id"]
    _fire(box, elsewhere, "stranger", instance="web-3")
    seen = box.get("/api/incidents/" + again, token)
    same([(r["id"], r["why"]) for r in seen["related"]],
         [(first, "same key, same host, same service"), (host, "same host"), (neighbour, "same service")])
    for _ in range(12):
        _fire(box, source, None)
    same(len(box.get("/api/incidents/" + again, token)["related"]), 10)


def a_person_merges_with_a_form(box):
    person = Visitor(box, "operator")
    source = box.integration("prometheus", rateLimitPerMinute=0)
    part, whole = (_fire(box, source, key, summary="x")["incident"]["id"] for key in ("form-a", "form-b"))
    path, title = "/incidents/" + part, box.get("/api/incidents/" + whole)["title"]
    true('<option value="%s">' % whole in person.page(path), "what it may be a part of is proposed")
    same(person.post(path + "/merge", into="12").status, 400)
    true("no such incident" in person.error() and person.field("into") == "12", "the field says why and keeps what was typed")
    person.done(person.post(path + "/merge", into=whole), path)
    true("merged it into" in person.text and '<a href="/incidents/%s">%s</a>' % (whole, title) in person.text, "the timeline leads there")
    true("Merged into it" in person.page("/incidents/" + whole) and "/incidents/" + part in person.text, "and back")
    true("2 so far" in person.text, "with its alerts")
    true("/merge" not in Visitor(box, "viewer").page("/incidents/" + whole), "not for viewers")
