"""What senders get for what they rightly send, and what becomes of it."""
import base64
import hashlib
import hmac
import json
import secrets
import socket
import time
import urllib.parse

from harness import alert, alerts, gzipped, pagerduty, rfc3339, same, stripe_event, true, workflow_run


def prometheus_alert_opens_an_incident(box):
    source = box.integration("prometheus")
    one = alert()
    body = box.send(source, alerts(one)).expect(201)
    same(body["status"], "success")
    result = body["result"]
    same((result["action"], result["incident"]["status"], result["incident"]["isDuplicate"]), ("triggered", "OPEN", False))
    incident = box.get("/api/incidents/" + result["incident"]["id"])
    incident = incident.get("incident", incident)
    same((incident["title"], incident["severity"], incident["status"], incident["alertCount"]),
         ("Disk of db1 is full", "CRITICAL", "OPEN", 1))
    same(incident["dedupKey"], "prometheus:" + one["fingerprint"], "dedup key")
    event = box.get("/api/events/" + result["event"]["id"])
    event = event.get("event", event)
    same((event["provider"], event["eventType"], event["action"], event["severity"], event["status"]),
         ("prometheus", "alert.firing", "trigger", "critical", "processed"))
    same(event["incidentId"], result["incident"]["id"], "incident of the event")


def prometheus_group_answers_in_order(box):
    source = box.integration("prometheus")
    first, second = alert(), alert(severity="warning")
    results = box.send(source, alerts(first, second)).expect(201)["results"]
    same([r["action"] for r in results], ["triggered", "triggered"])
    keys = [box.sql("SELECT dedup_key FROM events WHERE id = %s" % r["event"]["id"])[0][0] for r in results]
    same(keys, ["prometheus:" + first["fingerprint"], "prometheus:" + second["fingerprint"]], "order of the results")


def prometheus_status_of_the_alert_decides_not_of_the_group(box):
    source = box.integration("prometheus")
    down, other = alert(started=time.time() - 60), alert()
    box.send(source, alerts(down)).expect(201)
    up = {**down, "status": "resolved", "endsAt": rfc3339(time.time())}
    results = box.send(source, alerts(other, up)).expect(201)["results"]
    same([(r["action"], r["incident"]["status"]) for r in results], [("triggered", "OPEN"), ("resolved", "RESOLVED")])


def firing_alert_with_an_end_in_the_past_is_still_firing(box):
    source = box.integration("prometheus")
    result = box.send(source, alerts(alert(ended=time.time() - 3600))).expect(201)["result"]
    same(result["action"], "triggered")


def second_alert_of_a_key_joins_and_raises_and_never_lowers(box):
    source = box.integration("prometheus")
    one = alert(severity="warning", started=time.time() - 90)
    incident = box.send(source, alerts(one)).expect(201)["result"]["incident"]["id"]
    for ago, severity, level in ((60, "critical", "CRITICAL"), (30, "info", "CRITICAL")):
        again = alert(fingerprint=one["fingerprint"], started=time.time() - ago, severity=severity)
        result = box.send(source, alerts(again)).expect(201)["result"]
        same((result["action"], result["incident"]), ("deduplicated", {"id": incident, "status": "OPEN", "isDuplicate": True}))
        detail = box.get("/api/incidents/" + incident)
        same(detail.get("incident", detail)["severity"], level, "severity after %s" % severity)
    same(detail.get("incident", detail)["alertCount"], 3, "alerts")
    kinds = [entry["kind"] for entry in detail["timeline"]]
    same((kinds.count("opened"), kinds.count("raised")), (1, 1), "timeline %s" % kinds)


def resolve_without_an_incident_is_recorded_only(box):
    source = box.integration("prometheus")
    result = box.send(source, alerts(alert("resolved"))).expect(201)["result"]
    same((result["action"], result["incident"]), ("ignored", None))


def late_trigger_behind_the_senders_resolve_changes_nothing(box):
    source = box.integration("prometheus")
    now = time.time()
    one = alert(started=now - 300)
    box.send(source, alerts(one)).expect(201)
    box.send(source, alerts({**one, "status": "resolved", "endsAt": rfc3339(now - 100)})).expect(201)
    late = alert(fingerprint=one["fingerprint"], started=now - 200)
    result = box.send(source, alerts(late)).expect(201)["result"]
    same(result["action"], "ignored", "a trigger older than the resolve")
    fresh = alert(fingerprint=one["fingerprint"], started=now - 50)
    same(box.send(source, alerts(fresh)).expect(201)["result"]["action"], "triggered", "a newer one")


def late_resolve_does_not_close_what_a_newer_trigger_opened(box):
    source = box.integration("prometheus")
    now = time.time()
    one = alert(started=now - 50)
    box.send(source, alerts(one)).expect(201)
    late = {**one, "status": "resolved", "startsAt": rfc3339(now - 300), "endsAt": rfc3339(now - 200)}
    result = box.send(source, alerts(late)).expect(201)["result"]
    same(result["action"], "ignored")
    same(box.number("SELECT status FROM incidents WHERE dedup_key = 'prometheus:%s'" % one["fingerprint"]), 1, "still open")


def group_without_alerts_is_taken_and_ignored(box):
    source = box.integration("prometheus")
    same(box.send(source, alerts()).expect(201)["result"]["action"], "ignored")


def key_is_taken_from_every_place_a_sender_can_put_it(box):
    source = box.integration("prometheus")
    path = "/api/integrations/prometheus"
    basic = "Basic " + base64.b64encode(("any:" + source["key"]).encode()).decode()
    for what, headers, where in (
            ("bearer", {"Authorization": "Bearer " + source["key"]}, path + "/" + source["id"]),
            ("lower case scheme", {"authorization": "bearer " + source["key"]}, path + "/" + source["id"]),
            ("X-API-Key", {"X-API-Key": source["key"]}, path + "/" + source["id"]),
            ("Basic", {"Authorization": basic}, path + "/" + source["id"]),
            ("query", {}, path + "/" + source["id"] + "?key=" + source["key"]),
            ("integrationId", {"X-API-Key": source["key"]}, path + "?integrationId=" + source["id"])):
        reply = box.send(source, alerts(alert()), headers, path=where, key=False)
        same(reply.status, 201, what)


def github_failed_run_opens_and_success_resolves(box):
    source = box.integration("github", signatureSecret="octo-secret")
    run = workflow_run()
    result = box.send_github(source, "workflow_run", run).expect(201)["result"]
    same((result["action"], result["incident"]["status"]), ("triggered", "OPEN"))
    good = workflow_run("success", repository=run["repository"]["id"])
    again = box.send_github(source, "workflow_run", good).expect(201)["result"]
    same((again["action"], again["incident"]), ("resolved", {"id": result["incident"]["id"], "status": "RESOLVED", "isDuplicate": False}))


def github_form_is_proven_over_the_encoded_bytes(box):
    source = box.integration("github", signatureSecret="octo-secret")
    form = urllib.parse.urlencode({"payload": json.dumps(workflow_run())}).encode()
    reply = box.send_github(source, "workflow_run", form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    same(reply.expect(201)["result"]["action"], "triggered")


def github_ping_is_taken_without_an_alert(box):
    source = box.integration("github", signatureSecret="octo-secret")
    reply = box.send_github(source, "ping", {"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {}})
    true(reply.status in (200, 201), "answer %s" % reply.status)
    same(box.number("SELECT COUNT(*) FROM alerts a JOIN events e ON e.id = a.event_id JOIN sources s ON s.id = e.source_id "
                    "WHERE s.public_id = '%s'" % source["id"]), 0, "alerts")


def stripe_event_is_recorded_and_repeated_once(box):
    source = box.integration("stripe", signatureSecret="whsec_stripe")
    event = stripe_event()
    same(box.send_stripe(source, event).expect(200), {"received": True})
    same(box.send_stripe(source, event).expect(200), {"received": True, "alreadyProcessed": True})
    row = box.sql("SELECT event_type, entity_type, native_severity FROM events WHERE event_id = '%s'" % event["id"])
    same([r[:2] for r in row], [["charge.failed", "charge"]], "rows of the event")


def stripe_takes_any_matching_v1_and_300_seconds_either_way(box):
    source = box.integration("stripe", signatureSecret="whsec_stripe")
    now = int(time.time())
    for at in (now - 270, now + 290):
        box.send_stripe(source, stripe_event(), at=at).expect(200)
    body = json.dumps(stripe_event()).encode()
    mac = hmac.new(b"whsec_stripe", b"%d." % now + body, hashlib.sha256).hexdigest()
    box.send_stripe(source, body, header="t=%d,v1=%s,v1=%s,v0=%s" % (now, "0" * 64, mac, "1" * 64)).expect(200)


def generic_json_takes_the_usual_names(box):
    source = box.integration("webhook")
    body = {"title": "Backup failed", "status": "firing", "severity": "high", "id": 12345678901234567890, "host": "nas"}
    result = box.send(source, body).expect(201)["result"]
    same(result["action"], "triggered")
    row = box.sql("SELECT summary, dedup_key, level, origin FROM events WHERE id = %s" % result["event"]["id"])[0]
    same(row, ["Backup failed", "webhook:12345678901234567890", "3", "nas"], "stored event")
    done = box.send(source, {"title": "Backup is fine", "state": "OK", "id": "12345678901234567890"}).expect(201)["result"]
    same((done["action"], done["incident"]["id"]), ("resolved", result["incident"]["id"]))


def generic_form_and_batch(box):
    source = box.integration("webhook")
    reply = box.send(source, "title=Disk+full&level=p4&id=a1", {"Content-Type": "application/x-www-form-urlencoded"})
    result = reply.expect(201)["result"]
    same(box.sql("SELECT summary, level FROM events WHERE id = %s" % result["event"]["id"])[0], ["Disk full", "1"], "p4 is LOW")
    results = box.send(source, [{"title": "a", "id": "b1"}, {"title": "b", "id": "b2", "status": "ack"}]).expect(201)["results"]
    same([r["action"] for r in results], ["triggered", "ignored"], "an acknowledge of nothing is recorded")


def acknowledge_by_the_sender(box):
    source = box.integration("webhook")
    incident = box.send(source, {"title": "x", "id": "k"}).expect(201)["result"]["incident"]["id"]
    result = box.send(source, {"title": "x", "id": "k", "status": "acknowledged"}).expect(201)["result"]
    same((result["action"], result["incident"]), ("acknowledged", {"id": incident, "status": "ACKNOWLEDGED", "isDuplicate": False}))


def generic_signatures(box):
    source = box.integration("webhook", signatureSecret="whsec_" + base64.b64encode(b"k" * 32).decode())
    box.send_standard(source, {"type": "a.b", "timestamp": "2026-01-01T00:00:00Z", "data": {"title": "t"}}).expect(201)
    plain = box.integration("webhook", signatureSecret="plain secret")
    body = json.dumps({"title": "signed", "id": secrets.token_hex(4)}).encode()
    mac = hmac.new(b"plain secret", body, hashlib.sha256).hexdigest()
    for header, value in (("X-Signature", mac), ("X-Webhook-Signature", "sha256=" + mac), ("X-Hub-Signature-256", "sha256=" + mac)):
        reply = box.send(plain, body, {header: value}, key=False)
        true(reply.status in (200, 201), "%s: %s" % (header, reply.status))


def both_key_and_signature_where_both_are_wanted(box):
    source = box.integration("github", signatureSecret="octo-secret", requireKey=True)
    box.send_github(source, "workflow_run", workflow_run(), source=box.fresh_address()).expect(401, "invalid_key")
    box.send_github(source, "workflow_run", workflow_run(), headers={"X-API-Key": source["key"]}).expect(201)


def gzip_is_inflated(box):
    source = box.integration("prometheus")
    packed = gzipped(alerts(alert()))
    same(box.send(source, packed, {"Content-Encoding": "gzip"}).expect(201)["result"]["action"], "triggered")


def body_of_exactly_the_limit_is_taken(box):
    source = box.integration("prometheus")
    body = json.dumps(alerts(alert())).encode()
    box.send(source, body + b" " * (1024 * 1024 - len(body))).expect(201)


def github_body_of_25_megabytes_is_taken(box):
    source = box.integration("github", signatureSecret="octo-secret")
    body = json.dumps(workflow_run()).encode()
    box.send_github(source, "workflow_run", body + b" " * (25 * 1024 * 1024 - len(body))).expect(201)


def batch_keeps_the_good_and_names_the_bad(box):
    source = box.integration("prometheus")
    good = alert()
    results = box.send(source, {**alerts(good), "alerts": [good, "no alert"]}).expect(201)["results"]
    same([r["action"] for r in results], ["triggered", "invalid"])
    true(results[1].get("field"), "the field to blame is named: %r" % results[1])
    same(results[1]["event"], None, "event of an invalid element")


def pagerduty_trigger_acknowledge_resolve(box):
    source = box.integration("webhook")
    key = "pd-" + secrets.token_hex(4)

    def enqueue(action):
        reply = box.send(source, pagerduty(source, action, key), path="/v2/enqueue", key=False)
        same(reply.expect(202), {"status": "success", "message": "Event processed", "dedup_key": key})
        return box.sql("SELECT status FROM incidents WHERE dedup_key = '%s'" % key)
    same(enqueue("acknowledge"), [], "an acknowledge of an unknown key is dropped")
    same(enqueue("trigger"), [["1"]])
    same(enqueue("Acknowledge"), [["2"]])
    same(enqueue("RESOLVE"), [["3"]])


def pagerduty_trigger_without_a_key_is_always_new(box):
    source = box.integration("webhook")
    keys = [box.send(source, pagerduty(source), path="/v2/enqueue", key=False).expect(202)["dedup_key"] for _ in "12"]
    true(keys[0] and keys[0] != keys[1], "made-up keys: %r" % keys)
    same(box.number("SELECT COUNT(*) FROM incidents WHERE dedup_key IN ('%s', '%s')" % tuple(keys)), 2, "incidents")


def pagerduty_change_event_is_recorded(box):
    source = box.integration("webhook")
    body = {"routing_key": source["key"], "payload": {"summary": "Deployed", "timestamp": "2026-01-01T00:00:00Z"}}
    box.send(source, body, path="/v2/change/enqueue", key=False).expect(202)
    same(box.number("SELECT COUNT(*) FROM events e JOIN sources s ON s.id = e.source_id WHERE s.public_id = '%s' "
                    "AND e.action = 0" % source["id"]), 1, "events with action ignore")


def a_tool_made_for_victorops_needs_another_host_only(box):
    source = box.integration("splunk-oncall")
    path = "/integrations/generic/20131114/alert/%s/team" % source["key"]
    entity = "disk-" + secrets.token_hex(4)

    def post(kind):
        reply = box.send(source, {"message_type": kind, "entity_id": entity, "state_message": "full"}, path=path, key=False)
        same(reply.expect(200), {"result": "success", "entity_id": entity})
        return box.sql("SELECT status FROM incidents WHERE dedup_key LIKE '%%%s'" % entity)
    same(post("CRITICAL"), [["1"]])
    same(post("RECOVERY"), [["3"]])
    same(box.number("SELECT COUNT(*) FROM requests WHERE uri LIKE '%%%s%%'" % source["key"]), 0, "requests that keep the key")
    box.request("POST", path.replace(source["key"], secrets.token_hex(16)), b"{}", source=box.fresh_address()).expect(404)
    other = box.integration("prometheus")
    box.request("POST", path.replace(source["key"], other["key"]), b"{}", source=box.fresh_address()).expect(404)


def cloudevents_in_three_modes(box):
    source = box.integration("webhook")
    subject = "probe-" + secrets.token_hex(4)

    def event(number, **more):
        return {"specversion": "1.0", "id": "%s-%d" % (subject, number), "source": "/probes", "type": "x.probe", "subject": subject, **more}

    def result(reply):
        return reply.expect(202)["result"]["action"]
    structured = {"Content-Type": "application/cloudevents+json"}
    same(result(box.send(source, event(1, data={"status": "firing"}), structured)), "triggered")
    same(result(box.send(source, {"status": "acked"}, {"ce-" + k: v for k, v in event(2).items()})), "acknowledged")
    batch = box.send(source, [event(3, data={"status": "ok"}), event(4, data={"status": "firing"})],
                     {"Content-Type": "application/cloudevents-batch+json"}).expect(202)
    same([r["action"] for r in batch["results"]], ["resolved", "triggered"])
    again = box.send(source, event(1, data={"status": "firing"}), structured).expect(202)
    true(again["alreadyProcessed"], "source and id name an event for ever")
    bad = box.send(source, {**event(5), "id": None}, structured).expect(400)
    same((bad["error"], bad["field"]), ("invalid_payload", "id"))
    box.send(source, b"<event/>", {"Content-Type": "application/cloudevents+xml"}).expect(415)
    same(box.send(source, [], {"Content-Type": "application/cloudevents-batch+json"}).status, 202)


def cloudevents_senders_may_ask_first(box):
    source = box.integration("webhook", signatureSecret="a secret: the question is not signed")
    path = "/api/integrations/webhook/" + source["id"]
    asked = {"WebHook-Request-Origin": "events.example", "WebHook-Request-Callback": "http://127.0.0.1:1/confirm"}
    reply = box.request("OPTIONS", path, headers=asked)
    same([reply.status] + [reply.header(n) for n in ("webhook-allowed-origin", "webhook-allowed-rate", "allow")],
         [200, "events.example", "100", "POST"])
    plain = box.request("OPTIONS", path)
    same(box.get("/api/integrations/" + source["id"])["verifiedAt"], None, "a question proves nothing")
    same((plain.status, plain.header("allow"), plain.header("webhook-allowed-origin")), (200, "POST", None))
    unknown = box.request("OPTIONS", "/api/integrations/webhook/in_00000000000000000000", headers=asked, source=box.fresh_address())
    same((unknown.status, unknown.header("webhook-allowed-origin")), (405, None))
    same(box.number("SELECT COUNT(*) FROM events e JOIN sources s ON s.id = e.source_id WHERE s.public_id = '%s'" % source["id"]), 0,
         "events of questions")
    for _ in range(5):
        asker = box.fresh_address()
        for _ in range(25):
            box.request("OPTIONS", path, headers=asked, source=asker)
    same(box.request("OPTIONS", path).header("x-ratelimit-remaining"), "100", "what is left for the sender")


def answers_carry_the_rate_limit(box):
    source = box.integration("prometheus")
    reply = box.send(source, alerts(alert()))
    same((reply.header("x-ratelimit-limit"), reply.header("x-ratelimit-remaining")), ("100", "99"))
    true(abs(int(reply.header("x-ratelimit-reset")) - time.time()) < 120, "reset is in epoch seconds")
    payment = box.integration("stripe", signatureSecret="s")
    same(box.send_stripe(payment, stripe_event()).header("x-ratelimit-limit"), "1000", "payment providers")


def unknown_action_words_and_substrings_do_not_fool_the_generic_type(box):
    source = box.integration("webhook")
    for status, action in (("unresolved", "triggered"), ("not ok", "triggered"), ("backup", "triggered"), ("ok", "ignored")):
        result = box.send(source, {"title": "t", "id": secrets.token_hex(4), "status": status}).expect(201)["result"]
        same(result["action"], action, status)


def chunked_body_is_one_body(box):
    source = box.integration("prometheus")
    body = json.dumps(alerts(alert())).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 100]), body[i:i + 100]) for i in range(0, len(body), 100)) + b"0\r\n\r\n"
    head = {"Transfer-Encoding": "chunked", "Content-Length": None}
    reply = _raw(box, source, head, chunks)
    true(b" 201 " in reply.split(b"\r\n")[0], "answer %r" % reply[:200])


def _raw(box, source, headers, body):
    head = {"Host": "x", "Connection": "close", "Content-Type": "application/json",
            "Authorization": "Bearer " + source["key"], "Content-Length": str(len(body)), **headers}
    text = "POST /api/integrations/prometheus/%s HTTP/1.1\r\n" % source["id"]
    text += "".join("%s: %s\r\n" % (k, v) for k, v in head.items() if v is not None) + "\r\n"
    with socket.create_connection(("127.0.0.1", box.port), 20) as s:
        s.sendall(text.encode() + body)
        answer = b""
        while piece := s.recv(65536):
            answer += piece
        return answer
