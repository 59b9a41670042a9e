"""Senders whose bodies people write, and what these senders insist on: Elastic, Dynatrace, AppDynamics, Splunk."""
import base64
import hashlib
import hmac
import json
import secrets
import time
import urllib.parse

from harness import rfc3339, same, true


def elastic_summary_comes_by_put_and_is_answered_in_the_order_of_its_lists(box):
    source, rule = box.integration("elastic"), secrets.token_hex(4)

    def summary(**lists):
        alerts = {name: {"count": len(ids), "data": [{"kibana.alert.instance.id": i} for i in ids]} for name, ids in lists.items()}
        return {"ruleId": rule, "date": rfc3339(time.time()), "alerts": alerts}
    results = box.send(source, summary(recovered=[], new=["a", "b"], ongoing=[]), method="PUT").expect(201)["results"]
    same([r["action"] for r in results], ["triggered", "triggered"])
    results = box.send(source, summary(recovered=["b"], new=[], ongoing=["a"]), method="PUT").expect(201)["results"]
    same([r["action"] for r in results], ["deduplicated", "resolved"])
    same(box.sql("SELECT dedup_key, status FROM incidents WHERE dedup_key LIKE 'elastic:%s:%%' ORDER BY dedup_key" % rule),
         [["elastic:%s:a" % rule, "1"], ["elastic:%s:b" % rule, "3"]])
    reply = box.send(box.integration("dynatrace"), {"PID": "1"}, method="PUT")
    reply.expect(405, "method_not_allowed")
    same(reply.header("allow"), "POST")


def elastic_test_button_opens_nothing(box):
    source = box.integration("elastic")
    result = box.send(source, {"ruleId": "{{rule.id}}", "alertId": "{{alert.id}}", "severity": "critical"}).expect(201)["result"]
    same((result["action"], result["incident"]), ("ignored", None))
    box.send(source, {"text": "nothing that is known"}).expect(400, "invalid_payload", "alertId")


def appdynamics_gets_exactly_200_for_several_documents_in_one_body(box):
    source, incident = box.integration("appdynamics"), str(secrets.randbelow(10**9))

    def event(kind):
        return json.dumps({"eventType": kind, "incidentId": incident, "summaryMessage": "CPU is high"}).replace("is ", "is\n\t")
    body = box.send(source, event("POLICY_OPEN_WARNING") + event("POLICY_UPGRADED") + ",\n" + event("POLICY_CLOSE")).expect(200)
    same([r["action"] for r in body["results"]], ["triggered", "deduplicated", "resolved"])
    same(box.sql("SELECT COUNT(*), MAX(status) FROM incidents WHERE dedup_key = 'appdynamics:incident:%s'" % incident), [["1", "3"]])


def a_template_that_breaks_is_told_where(box):
    source = box.integration("dynatrace")
    body = box.send(source, '{"PID":"1","ProblemTitle":"Disk "C:" is full"}').expect(400, "invalid_payload", "body")
    true("at byte 34" in body["message"], "the message says where: %s" % body["message"])
    same(box.number("SELECT COUNT(*) FROM requests r JOIN sources s ON s.id = r.source_id WHERE s.public_id = '%s' "
                    "AND r.body LIKE '%%Disk%%'" % source["id"]), 1, "requests that keep the body")


def splunk_observability_gets_200_and_sha1_only_where_it_is_allowed(box):
    source = box.integration("splunk-observability", signatureSecret="shared with Splunk")
    incident = secrets.token_hex(6)

    def send(state, digest):
        body = json.dumps({"incidentId": incident, "statusExtended": state, "timestamp": rfc3339(time.time()), "severity": "Major"})
        mac = base64.b64encode(hmac.new(b"shared with Splunk", body.encode(), digest).digest()).decode()
        return box.send(source, body, {"X-SFX-Signature": mac}, key=False)
    same(send("anomalous", hashlib.sha256).expect(200)["result"]["action"], "triggered")
    send("ok", hashlib.sha1).expect(401, "invalid_signature")
    box.api("PATCH", "/api/integrations/" + source["id"], {"settings": {"allowSha1": True}}).expect(200)
    same(send("manually resolved", hashlib.sha1).expect(200)["result"]["action"], "resolved")
    box.send(source, "", {"X-SFX-Signature": base64.b64encode(hmac.new(b"shared with Splunk", b"", hashlib.sha256).digest()).decode()},
             key=False).expect(200)


def victorops_escalation_is_proven_by_its_url_and_form(box):
    source = box.integration("splunk-oncall", signatureSecret="the auth key")
    fields = {"Incident": str(secrets.randbelow(10**9)), "Summary": "Disk of db1 is full", "Message": "99 % & rising"}

    def send(url, **more):
        text = url + "".join(k + v for k, v in sorted(fields.items()))
        mac = base64.b64encode(hmac.new(b"the auth key", text.encode(), hashlib.sha1).digest()).decode()
        return box.send(source, urllib.parse.urlencode({**fields, **more}),
                        {"X-VictorOps-Signature": mac, "Content-Type": "application/x-www-form-urlencoded"}, key=False)
    same(send(source["webhookUrl"]).expect(201)["result"]["action"], "triggered")
    send(source["webhookUrl"] + "/").expect(401, "invalid_signature")
    send(source["webhookUrl"], Other="1").expect(401, "invalid_signature")
    box.send(source, {"message_type": "CRITICAL", "entity_id": "x"}).expect(401)


def victorops_message_without_a_type_is_a_failure_with_200(box):
    source = box.integration("splunk-oncall")
    same(box.send(source, {"entity_id": "x"}).expect(200), {"result": "failure", "message": "Missing fields: message_type"})
