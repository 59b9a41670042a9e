"""Test webhooks, rotation with a grace period, health; then the same by the pages."""
import json

from harness import alert, alerts, pagerduty, same, true, wait_until, workflow_run

KINDS = ("github", "prometheus", "stripe", "webhook")


def a_test_webhook_of_each_type_opens_an_incident_of_its_own(box):
    for kind in KINDS:
        for more in ({}, {"generateSecret": True}, {"generateSecret": True, "requireKey": True}):
            source = box.integration(kind, actions=["incident"], allowedIps=["192.0.2.1"], rateLimitPerMinute=1, **more)
            path = "/api/integrations/%s/test" % source["id"]
            done = box.api("POST", path).expect(201)
            same(list(done), ["success", "autoResolveIn", "alert", "incident", "validation"])
            same((done["success"], done["autoResolveIn"], done["incident"]["isDuplicate"]), (True, "5 minutes", False))
            same((done["validation"]["providerDetected"], done["validation"]["signature"]), (kind, "verified"))
            true(done["validation"]["severityMapped"].endswith(" -> " + done["alert"]["severity"]), "%r" % done)
            incident = box.get("/api/incidents/" + done["incident"]["id"])
            same((incident["title"], incident["isTest"], incident["status"], incident["severity"]),
                 (done["alert"]["title"], True, "OPEN", done["alert"]["severity"]))
            true(incident["dedupKey"].startswith("test:"), "dedup key %r" % incident["dedupKey"])
            true(box.api("POST", path).expect(201)["incident"]["id"] != incident["id"], "the next test opens another")
            seen = box.get("/api/integrations/" + source["id"])
            same((seen["webhookCount"], seen["errorCount"], seen["alertCount"]), (2, 0, 2))


def a_test_webhook_by_the_path_without_api(box):
    source = box.integration("prometheus")
    box.api("POST", "/integrations/%s/test" % source["id"]).expect(201)
    box.request("POST", "/integrations/%s/test" % source["id"]).expect(401, "unauthorized")


def a_test_webhook_goes_to_the_service_that_it_names(box):
    box.api("POST", "/api/services", {"name": "test-service"})
    source = box.integration("prometheus")
    same(box.api("POST", "/api/integrations/%s/test" % source["id"]).expect(201)["validation"]["serviceRouted"], "default")
    box.api("PATCH", "/api/integrations/" + source["id"], {"routeByService": True}).expect(200)
    same(box.api("POST", "/api/integrations/%s/test" % source["id"]).expect(201)["validation"]["serviceRouted"], "test-service")


def what_only_records_opens_no_incident(box):
    done = box.api("POST", "/api/integrations/%s/test" % box.integration("stripe")["id"]).expect(201)
    same((done["alert"], done["incident"], done["autoResolveIn"]), (None, None, None))


def what_cannot_be_tested_says_why(box):
    source = box.integration("webhook", enabled=False)
    path = "/api/integrations/%s/test" % source["id"]
    true("switched off" in box.api("POST", path).expect(409, "conflict")["message"], "the sentence")
    box.api("POST", "/api/integrations/in_00000000000000000000/test").expect(404, "not_found")
    box.api("POST", path, token=box.new_token(tenant=box.new_tenant())).expect(404, "not_found")
    box.api("POST", path, token=box.new_token("operator")).expect(403, "forbidden")


def a_rotated_key_is_good_beside_the_new_one_until_its_time(box):
    source = box.integration("webhook", rateLimitPerMinute=0)
    path = "/api/integrations/%s/rotate-key" % source["id"]
    fresh = {**source, "key": box.api("POST", path, {"graceSeconds": 3}).expect(200)["key"]}
    for _ in range(4):      # each worker
        true(box.send(source, {"title": "old"}).status < 300 and box.send(fresh, {"title": "new"}).status < 300, "both are good")
        box.request("POST", "/v2/enqueue", _pagerduty(source)).expect(202)
        box.request("POST", "/v2/enqueue", _pagerduty(fresh)).expect(202)
    wait_until(lambda: box.send(source, {"title": "old"}, source=box.fresh_address()).status == 401, what="the end of the old key")
    for _ in range(4):
        box.send(source, {"title": "old"}, source=box.fresh_address()).expect(401, "invalid_key")
        same(box.request("POST", "/v2/enqueue", _pagerduty(source), source=box.fresh_address()).status, 404)
        true(box.send(fresh, {"title": "new"}).status < 300, "the new one stays good")


def _pagerduty(source):
    return json.dumps(pagerduty(source))


def without_grace_the_old_key_ends_at_once(box):
    source = box.integration("webhook", rateLimitPerMinute=0)
    answer = box.api("POST", "/api/integrations/%s/rotate-key" % source["id"], {"graceSeconds": 0}).expect(200)
    same(answer["graceUntil"], None)
    for _ in range(4):
        box.send(source, {"title": "old"}, source=box.fresh_address()).expect(401, "invalid_key")
        true(box.send({**source, "key": answer["key"]}, {"title": "new"}).status < 300, "the new one is good")


def rotated_secrets_overlap(box):
    source = box.integration("github", generateSecret=True, rateLimitPerMinute=0)
    path = "/api/integrations/%s/rotate-secret" % source["id"]
    second = box.api("POST", path, {"graceSeconds": 3}).expect(200)["signatureSecret"]
    third = box.api("POST", path, {"signatureSecret": "of the provider"}).expect(200)["signatureSecret"]
    same(third, "of the provider")
    for secret in (source["signatureSecret"], second, third):
        true(box.send_github(source, "workflow_run", workflow_run(), secret=secret).status < 300, "all three are good")
    wait_until(lambda: box.send_github(source, "ping", {}, secret=source["signatureSecret"], source=box.fresh_address()).status == 401,
               what="the end of the first secret")
    for secret in (second, third):
        true(box.send_github(source, "workflow_run", workflow_run(), secret=secret).status < 300, "the others stay good")
    box.api("POST", path, {"graceSeconds": 0}).expect(200)
    box.send_github(source, "ping", {}, secret=third, source=box.fresh_address()).expect(401, "invalid_signature")
    box.api("POST", "/api/integrations/%s/rotate-secret" % box.integration("prometheus")["id"]).expect(409, "conflict")


def rotations_are_in_the_audit_log_without_what_was_made(box):
    source = box.integration("github", generateSecret=True)
    key = box.api("POST", "/api/integrations/%s/rotate-key" % source["id"]).expect(200)["key"]
    secret = box.api("POST", "/api/integrations/%s/rotate-secret" % source["id"], {"graceSeconds": 60}).expect(200)["signatureSecret"]
    box.api("POST", "/api/integrations/%s/test" % source["id"]).expect(201)
    rows = box.sql("SELECT action, COALESCE(detail, '') FROM audit_log WHERE object = '%s' ORDER BY id" % source["id"])
    same([row[0] for row in rows], ["integration.create", "integration.rotate_key", "integration.rotate_secret", "integration.test"])
    true('"graceSeconds":86400' in rows[1][1] and '"graceSeconds":60' in rows[2][1], "%r" % rows)
    true(key not in str(rows) and secret not in str(rows), "no secret in the audit log")


def health_counts_what_senders_sent(box):
    token = box.new_token(tenant=box.new_tenant())
    health = lambda: box.get("/api/integrations/health", token)
    same(health(), {"status": "healthy", "global": {"totalReceived": 0, "totalSuccess": 0, "totalErrors": 0, "successRate": 100.0,
                                                    "averageLatencyMs": 0.0}, "byType": {}})
    source = box.integration("prometheus", token=token)
    for _ in range(3):
        box.send(source, alerts(alert())).expect(201)
    box.send(source, b"{").expect(400)
    for _ in range(5):
        box.api("POST", "/api/integrations/%s/test" % source["id"], token=token).expect(201)
    seen = health()
    same((seen["status"], seen["global"]["totalReceived"], seen["global"]["totalSuccess"], seen["global"]["totalErrors"],
          seen["global"]["successRate"]), ("degraded", 4, 3, 1, 75.0))
    true(0 < seen["global"]["averageLatencyMs"] < 10000, "%r" % seen)
    same(seen["byType"]["PROMETHEUS"]["successRate"], 75.0)
