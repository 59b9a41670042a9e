"""Once: what a repeat is answered, and what it does not do."""
import time

from harness import alert, alerts, rfc3339, same, stripe_event, together, true, uuid, workflow_run


def same_alert_again_is_a_repeat(box):
    source = box.integration("prometheus")
    group = alerts(alert())
    first = box.send(source, group).expect(201)["result"]
    again = box.send(source, group).expect(200)
    same(again["alreadyProcessed"], True)
    same((again["result"]["event"], again["result"]["incident"]["id"]), (first["event"], first["incident"]["id"]))
    event = box.get("/api/events/" + first["event"]["id"])
    same(event.get("event", event)["duplicates"], 1, "duplicates")
    same(box.number("SELECT alert_count FROM incidents WHERE id = %s" % first["incident"]["id"]), 1, "alerts of the incident")
    newest = box.get("/api/integrations/%s/deliveries?limit=1" % source["id"])["deliveries"][0]
    same((newest["isDuplicate"], newest["eventId"]), (True, first["event"]["id"]))


def batch_with_something_new_is_201(box):
    source = box.integration("prometheus")
    old, new = alert(), alert()
    box.send(source, alerts(old)).expect(201)
    results = box.send(source, alerts(old, new)).expect(201)["results"]
    same([(r["action"], r.get("alreadyProcessed", False)) for r in results], [("deduplicated", True), ("triggered", False)])
    whole = box.send(source, alerts(old, new)).expect(200)
    same(whole["alreadyProcessed"], True)


def equal_alerts_inside_one_request(box):
    source = box.integration("prometheus")
    one = alert()
    reply = box.send(source, alerts(one, one))
    same((reply.status, len(reply.json()["results"])), (201, 2))
    same(box.number("SELECT COUNT(*) FROM incidents WHERE dedup_key = 'prometheus:%s'" % one["fingerprint"]), 1, "incidents")


def derived_id_is_a_reminder_after_ten_minutes(box):
    source = box.integration("prometheus")
    group = alerts(alert())
    first = box.send(source, group).expect(201)["result"]
    box.sql("UPDATE event_ids SET first_at = first_at - 540000 WHERE event_id = %s" % first["event"]["id"])
    box.send(source, group).expect(200)
    box.sql("UPDATE event_ids SET first_at = first_at - 61000 WHERE event_id = %s" % first["event"]["id"])
    again = box.send(source, group).expect(201)["result"]
    true(again["event"]["id"] != first["event"]["id"], "a new event")
    same((again["action"], again["incident"]["id"]), ("deduplicated", first["incident"]["id"]), "of the same incident")


def native_id_is_once_for_ever(box):
    source = box.integration("stripe", signatureSecret="s")
    event = stripe_event()
    box.send_stripe(source, event).expect(200)
    box.sql("UPDATE event_ids i JOIN sources s ON s.id = i.source_id SET first_at = 1 WHERE s.public_id = '%s'" % source["id"])
    same(box.send_stripe(source, event).expect(200).get("alreadyProcessed"), True)


def github_redelivery_has_the_same_guid(box):
    source = box.integration("github", signatureSecret="s")
    run, delivery = workflow_run(), uuid()
    box.send_github(source, "workflow_run", run, delivery).expect(201)
    same(box.send_github(source, "workflow_run", run, delivery).expect(200)["alreadyProcessed"], True)
    box.send_github(source, "workflow_run", run, uuid()).expect(201)


def ids_of_two_sources_do_not_touch(box):
    group = alerts(alert())
    for _ in range(2):
        box.send(box.integration("prometheus"), group).expect(201)


def integrations_of_one_service_share_keys(box):
    one = alert(started=time.time() - 60)
    first = box.send(box.integration("prometheus"), alerts(one)).expect(201)["result"]
    second = box.send(box.integration("prometheus"), alerts(one)).expect(201)["result"]
    same(second["incident"], {"id": first["incident"]["id"], "status": "OPEN", "isDuplicate": True}, "the other of an HA pair")


def idempotency_key_is_native_for_the_generic_type(box):
    source = box.integration("webhook")
    box.send(source, {"title": "a", "id": "x"}, {"Idempotency-Key": "once"}).expect(201)
    box.send(source, {"title": "b", "id": "y"}, {"Idempotency-Key": "once"}).expect(200)


def eight_senders_of_one_id_at_once(box):
    source = box.integration("prometheus")
    for _ in range(5):
        group = alerts(alert())
        replies = together([lambda: box.send(source, group)] * 8)
        same(sorted(r.status for r in replies), [200] * 7 + [201], "answers")
        ids = {r.json()["result"]["event"]["id"] for r in replies}
        same(len(ids), 1, "event ids named in the answers")
        key = "prometheus:" + group["alerts"][0]["fingerprint"]
        same(box.number("SELECT COUNT(*) FROM events WHERE dedup_key = '%s'" % key), 1, "events")
        same(box.sql("SELECT alert_count FROM incidents WHERE dedup_key = '%s'" % key), [["1"]], "incidents and their alerts")


def eight_alerts_of_one_key_at_once(box):
    source = box.integration("prometheus")
    now = time.time()
    one = alert(started=now - 100)
    group = [alerts(alert(fingerprint=one["fingerprint"], started=now - 99 + i)) for i in range(8)]
    replies = together([lambda g=g: box.send(source, g) for g in group])
    same({r.status for r in replies}, {201})
    same(len({r.json()["result"]["incident"]["id"] for r in replies}), 1, "incidents named")
    rows = box.sql("SELECT id, alert_count FROM incidents WHERE dedup_key = 'prometheus:%s'" % one["fingerprint"])
    same([r[1] for r in rows], ["8"], "alerts of the one incident")
    same(box.number("SELECT COUNT(*) FROM timeline WHERE incident_id = %s AND kind = 1" % rows[0][0]), 1, "opened once")


def alert_that_still_fires_reopens_what_a_person_resolved(box):
    source = box.integration("prometheus")
    now = time.time()
    one = alert(started=now - 60)
    incident = box.send(source, alerts(one)).expect(201)["result"]["incident"]["id"]
    box.api("POST", "/api/incidents/%s/resolve" % incident).expect(200)
    again = alert(fingerprint=one["fingerprint"], started=now - 60.5)
    result = box.send(source, alerts(again)).expect(201)["result"]
    same((result["action"], result["incident"]["id"], result["incident"]["status"]), ("triggered", incident, "OPEN"))
    entries = box.get("/api/incidents/" + incident)["timeline"]
    same((entries[-1]["kind"], entries[-1]["actor"]), ("reopened", "system"))


def senders_resolve_then_new_outage_is_a_new_incident(box):
    source = box.integration("prometheus")
    now = time.time()
    one = alert(started=now - 60)
    first = box.send(source, alerts(one)).expect(201)["result"]["incident"]["id"]
    box.send(source, alerts({**one, "status": "resolved", "endsAt": rfc3339(now - 30)})).expect(201)
    second = box.send(source, alerts(alert(fingerprint=one["fingerprint"], started=now - 10))).expect(201)["result"]
    true(second["incident"]["id"] != first, "another incident")
    same(second["action"], "triggered")
