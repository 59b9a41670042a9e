"""The JSON API: integrations, events, incidents, deliveries; who may do what; lists and their cursors."""
import time

from harness import alert, alerts, same, stripe_event, together, true, workflow_run


def integration_is_created_shown_changed_and_deleted(box):
    made = box.api("POST", "/api/integrations", {"name": "CI", "type": "github", "signatureSecret": "s3cret",
                                                 "rateLimitPerMinute": 7, "allowedIps": ["127.0.0.0/8"]}).expect(201)
    true(made["id"].startswith("in_"), "id %r" % made["id"])
    same((len(made["key"]), made["key"].strip("0123456789abcdef")), (32, ""), "key is 32 hex digits")
    true(made["webhookUrl"].startswith(box.env["GRAPNEL_URL"] + "/") and made["id"] in made["webhookUrl"],
         "webhookUrl %r" % made["webhookUrl"])
    path = "/api/integrations/" + made["id"]
    seen = box.get(path)
    seen = seen.get("integration", seen)
    same((seen["name"], seen["type"], seen["hasSecret"], seen["enabled"]), ("CI", "github", True, True))
    for word in ("key", "signatureSecret", "secret"):
        true(not seen.get(word), "%s is never shown again" % word)
    same((seen["alertCount"], seen["webhookCount"], seen["lastWebhookAt"], seen["errorCount"]), (0, 0, None, 0))
    box.api("PATCH", path, {"name": "CI 2", "rateLimitPerMinute": 0}).expect(200)
    seen = box.get(path)
    same(seen.get("integration", seen)["name"], "CI 2")
    reply = box.api("DELETE", path)
    true(reply.status in (200, 204), "DELETE: %s" % reply.status)
    box.api("GET", path).expect(404, "not_found")
    box.send_github({**made, "type": "github", "signatureSecret": "s3cret"}, "ping", {}).expect(404, "not_found")


def webhook_url_is_where_the_provider_posts(box):
    for kind in ("prometheus", "stripe", "github", "webhook"):
        source = box.integration(kind)
        path = source["webhookUrl"][len(box.env["GRAPNEL_URL"]):]
        reply = box.send({**source, "key": "0" * 32}, b"{}", path=path, source=box.fresh_address())
        same(reply.status, 401, "POST to %s is known, and asks for a proof" % path)


def counts_of_an_integration(box):
    source = box.integration("prometheus")
    group = alerts(alert(), alert())
    box.send(source, group).expect(201)
    box.send(source, group).expect(200)
    box.send(source, b"{").expect(400)
    seen = box.get("/api/integrations/" + source["id"])
    seen = seen.get("integration", seen)
    same((seen["alertCount"], seen["webhookCount"], seen["errorCount"]), (2, 3, 1))
    true(seen["lastWebhookAt"].endswith("Z"), "lastWebhookAt %r" % seen["lastWebhookAt"])


def changed_integration_is_seen_at_once_by_all_workers(box):
    source = box.integration("webhook", rateLimitPerMinute=0)
    for wanted in (False, True, False, True):
        box.api("PATCH", "/api/integrations/" + source["id"], {"enabled": wanted}).expect(200)
        same({box.send(source, {"title": "x"}).status for _ in range(8)} <= ({200, 201} if wanted else {403}), True,
             "answers after enabled = %s" % wanted)


def changes_at_the_same_time_all_count(box):
    path = "/api/integrations/" + box.integration("webhook")["id"]
    for n in range(10):
        wanted = {"name": "n%d" % n, "rateLimitPerMinute": n, "enabled": n % 2 == 0, "allowedIps": ["10.0.0.%d" % n]}
        for reply in together([lambda name=name: box.api("PATCH", path, {name: wanted[name]}) for name in wanted]):
            reply.expect(200)
        seen = box.get(path)
        same({name: seen[name] for name in wanted}, wanted)


def bad_integrations_name_the_field(box):
    for body, field in (({"name": "x"}, "type"), ({"name": "x", "type": "nonsense"}, "type"), ({"type": "github"}, "name"),
                        ({"name": "", "type": "github"}, "name"), ({"name": "a\tb", "type": "github"}, "name"), ({"name": "x" * 1000, "type": "github"}, "name"),
                        ({"name": "x", "type": "github", "rateLimitPerMinute": -1}, "rateLimitPerMinute"),
                        ({"name": "x", "type": "github", "rateLimitPerMinute": "many"}, "rateLimitPerMinute"),
                        ({"name": "x", "type": "github", "allowedIps": ["300.1.1.1"]}, "allowedIps"),
                        ({"name": "x", "type": "github", "serviceId": "sv_nothing"}, "serviceId"),
                        ({"name": 5, "type": "github"}, "name"),
                        ({"name": "x", "type": "github", "actions": ["explode"]}, "actions")):
        reply = box.api("POST", "/api/integrations", body)
        same((reply.status, reply.json().get("error"), reply.json().get("field")), (400, "invalid_request", field), str(body))
        true(reply.json()["message"].endswith("."), "a sentence: %r" % reply.json()["message"])


def bad_bodies_of_the_api(box):
    head = {"Authorization": "Bearer " + box.token, "Content-Type": "application/json"}
    for what, body in (("none", b""), ("broken", b"{"), ("an array", b"[]"), ("brackets", b"[" * 200000), ("bytes", b"\xff\xfe")):
        reply = box.request("POST", "/api/integrations", body, head)
        same(reply.status, 400, what)
        true(reply.json()["error"] in ("invalid_request", "invalid_payload"), what)
    box.request("POST", "/api/integrations", b" " * (256 * 1024 + 1), head).expect(413, "body_too_large")


def list_of_integrations_pages_newest_first(box):
    token = box.new_token(tenant=box.new_tenant())
    made = [box.integration("webhook", token=token)["id"] for _ in range(5)]
    seen, cursor = [], ""
    for _ in range(5):
        page = box.get("/api/integrations?limit=2" + cursor, token)
        seen += [i["id"] for i in page["integrations"]]
        if page["next"] is None:
            break
        cursor = "&cursor=" + str(page["next"])
    same(seen, made[::-1])


def lists_refuse_limits_that_are_none(box):
    for path in ("/api/events", "/api/incidents", "/api/integrations"):
        for limit in ("0", "-1", "x", "1.5"):
            box.api("GET", "%s?limit=%s" % (path, limit)).expect(400, "invalid_request")
        box.api("GET", path + "?limit=100000").expect(200)


def events_by_filter_and_cursor(box):
    token = box.new_token(tenant=box.new_tenant())
    prometheus = box.integration("prometheus", token=token)
    stripe = box.integration("stripe", token=token, signatureSecret="s")
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    for _ in range(3):
        box.send(prometheus, alerts(alert())).expect(201)
    box.send(prometheus, alerts(alert("resolved"))).expect(201)
    box.send_stripe(stripe, stripe_event()).expect(200)
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    for query, count in (("", 5), ("provider=prometheus", 4), ("provider=stripe", 1), ("source=" + stripe["id"], 1),
                         ("type=alert.firing", 3), ("type=charge.failed", 1), ("status=processed", None),
                         ("from=" + began, 5), ("to=" + began, 0), ("from=%s&to=%s" % (began, later), 5), ("q=disk%20of", 4),
                         ("q=nothing-like-this", 0), ("provider=prometheus&type=alert.resolved", 1)):
        events = box.get("/api/events?" + query, token)["events"]
        if count is not None:
            same(len(events), count, "events for %r" % query)
    seen, cursor = [], ""
    while True:
        page = box.get("/api/events?limit=2" + cursor, token)
        seen += [e["id"] for e in page["events"]]
        if page["next"] is None:
            break
        cursor = "&cursor=" + str(page["next"])
    same((len(seen), len(set(seen)), seen), (5, 5, sorted(seen, key=int, reverse=True)), "pages")
    for bad in ("status=explode", "from=yesterday", "cursor=x", "severity=purple"):
        box.api("GET", "/api/events?" + bad, token=token).expect(400, "invalid_request")


def event_shows_its_payload_and_headers_without_secrets(box):
    source = box.integration("prometheus")
    reply = box.send(source, alerts(alert()), {"X-Custom": "seen"})
    event = box.api("GET", "/api/events/" + reply.json()["result"]["event"]["id"])
    text = event.expect(200)
    true(source["key"].encode() not in event.body, "the key does not stand in the stored headers")
    headers = text.get("headers") or text.get("request", {}).get("headers") or text["event"]["headers"]
    same({k.lower(): v for k, v in headers.items()}["x-custom"], "seen")


def members_of_an_event(box):
    source = box.integration("github", signatureSecret="s")
    number = box.send_github(source, "workflow_run", workflow_run()).expect(201)["result"]["event"]["id"]
    event = box.get("/api/events/" + number)
    event = event.get("event", event)
    wanted = ("id eventId sourceId provider eventType entityType entityId action severity nativeSeverity dedupKey summary "
              "occurredAt status attempts error duplicates isTest incidentId receivedAt processedAt processed lastAttemptAt "
              "updatedAt").split()
    same([name for name in wanted if name not in event], [], "missing members")
    same((event["id"], event["sourceId"], event["attempts"], event["processed"]), (number, source["id"], 1, True))


def incident_is_acknowledged_and_resolved_by_a_person(box):
    source = box.integration("prometheus")
    incident = box.send(source, alerts(alert())).expect(201)["result"]["incident"]["id"]
    path = "/api/incidents/" + incident
    box.api("POST", path + "/acknowledge").expect(200)
    seen = box.get(path)
    inner = seen.get("incident", seen)
    same(inner["status"], "ACKNOWLEDGED")
    true(inner["acknowledgedAt"], "acknowledgedAt")
    box.api("POST", path + "/acknowledge").expect(409, "conflict")
    box.api("POST", path + "/resolve").expect(200)
    seen = box.get(path)
    same(seen.get("incident", seen)["status"], "RESOLVED")
    same([(e["kind"], e["actor"]) for e in seen["timeline"]],
         [("opened", "sender"), ("acknowledged", "person"), ("resolved", "person")], "timeline")
    box.api("POST", path + "/resolve").expect(409, "conflict")
    same(box.number("SELECT COUNT(*) FROM audit_log WHERE object = '%s'" % incident), 2, "audit log")


def incidents_by_filter(box):
    token = box.new_token(tenant=box.new_tenant())
    source = box.integration("prometheus", token=token)
    results = box.send(source, alerts(alert(severity="critical"), alert(severity="warning"))).expect(201)["results"]
    box.api("POST", "/api/incidents/%s/resolve" % results[0]["incident"]["id"], token=token).expect(200)
    for query, count in (("", 2), ("status=OPEN", 1), ("status=RESOLVED", 1), ("severity=CRITICAL", 1), ("severity=LOW", 0),
                         ("q=disk", 2), ("provider=prometheus", 2), ("provider=stripe", 0), ("limit=1", 1)):
        same(len(box.get("/api/incidents?" + query, token)["incidents"]), count, "incidents for %r" % query)


def deliveries_newest_first(box):
    source = box.integration("prometheus")
    box.send(source, alerts(alert())).expect(201)
    box.send(source, b"{").expect(400)
    page = box.get("/api/integrations/%s/deliveries" % source["id"])["deliveries"]
    same([d["statusCode"] for d in page], [400, 201])
    wanted = "id statusCode errorMessage createdAt alertId eventId durationMs remoteAddr isDuplicate".split()
    same([name for name in wanted if name not in page[0]], [], "missing members")
    same((page[1]["errorMessage"], page[1]["remoteAddr"]), (None, "127.0.0.1"))
    same(len(box.get("/api/integrations/%s/deliveries?limit=1" % source["id"])["deliveries"]), 1)


def wrong_expired_and_revoked_tokens(box):
    for headers in ({}, {"Authorization": "Bearer gt_" + "A" * 43}, {"Authorization": "Bearer"}, {"Authorization": "Basic eA=="},
                    {"Authorization": "Bearer " + box.token + "x"}):
        box.request("GET", "/api/events", headers=headers).expect(401, "unauthorized")
    expired = box.new_token(expires_in_s=-1)
    box.api("GET", "/api/events", token=expired).expect(401, "unauthorized")
    token = box.new_token()
    box.get("/api/events", token)
    box.sql("UPDATE tokens SET revoked_at = 1 WHERE token_hash = UNHEX(SHA2('%s', 256))" % token)
    box.api("GET", "/api/events", token=token).expect(401, "unauthorized")
    box.api("GET", "/api/events", token=box.new_token(enabled=False)).expect(401, "unauthorized")


def roles(box):
    source = box.integration("prometheus")
    incident = box.send(source, alerts(alert())).expect(201)["result"]["incident"]["id"]
    viewer, operator = box.new_token("viewer"), box.new_token("operator")
    new = {"name": "x", "type": "webhook"}
    for token in (viewer, operator):
        for path in ("/api/events", "/api/incidents", "/api/integrations", "/api/integrations/" + source["id"]):
            box.get(path, token)
        box.api("POST", "/api/integrations", new, token).expect(403, "forbidden")
        box.api("PATCH", "/api/integrations/" + source["id"], {"name": "x"}, token).expect(403, "forbidden")
        box.api("DELETE", "/api/integrations/" + source["id"], token=token).expect(403, "forbidden")
    box.api("POST", "/api/incidents/%s/acknowledge" % incident, token=viewer).expect(403, "forbidden")
    box.api("POST", "/api/incidents/%s/acknowledge" % incident, token=operator).expect(200)


def scopes_narrow_a_role(box):
    source = box.integration("prometheus")
    incident = box.send(source, alerts(alert())).expect(201)["result"]["incident"]["id"]
    reader = box.new_token(scopes="read")
    box.get("/api/events", reader)
    box.api("POST", "/api/incidents/%s/acknowledge" % incident, token=reader).expect(403, "forbidden")
    box.api("POST", "/api/integrations", {"name": "x", "type": "webhook"}, reader).expect(403, "forbidden")
    box.api("POST", "/api/incidents/%s/acknowledge" % incident, token=box.new_token(scopes="read,incidents")).expect(200)


def another_tenants_things_do_not_exist(box):
    other = box.new_token(tenant=box.new_tenant())
    source = box.integration("prometheus")
    result = box.send(source, alerts(alert())).expect(201)["result"]
    for method, path in (("GET", "/api/integrations/" + source["id"]), ("DELETE", "/api/integrations/" + source["id"]),
                         ("GET", "/api/integrations/%s/deliveries" % source["id"]), ("GET", "/api/events/" + result["event"]["id"]),
                         ("GET", "/api/incidents/" + result["incident"]["id"]),
                         ("POST", "/api/incidents/%s/acknowledge" % result["incident"]["id"]),
                         ("POST", "/api/incidents/%s/resolve" % result["incident"]["id"])):
        box.api(method, path, token=other).expect(404, "not_found")
    box.api("PATCH", "/api/integrations/" + source["id"], {"name": "mine"}, other).expect(404, "not_found")
    for path, plural in (("/api/events", "events"), ("/api/incidents", "incidents"), ("/api/integrations", "integrations")):
        same(box.get(path, other)[plural], [], path)


def wrong_methods_of_the_api(box):
    for method, path, allow in (("DELETE", "/api/events", "GET"), ("PUT", "/api/integrations", "GET, POST"),
                                ("POST", "/healthz", "GET")):
        reply = box.api(method, path)
        reply.expect(405, "method_not_allowed")
        true(set(allow.split(", ")) <= set(reply.header("allow").replace(" ", "").split(",")), "Allow: %s" % reply.header("allow"))


def head_is_get_without_a_body(box):
    for path in ("/healthz", "/readyz", "/api/events"):
        get, head = box.api("GET", path), box.api("HEAD", path)
        same((head.status, head.body, head.header("content-type")), (get.status, b"", get.header("content-type")), path)


def api_answers_carry_the_rate_limit(box):
    reply = box.api("GET", "/api/events", token=box.new_token())
    same((reply.header("x-ratelimit-limit"), reply.header("x-ratelimit-remaining")), ("600", "599"))
    true(abs(int(reply.header("x-ratelimit-reset")) - time.time()) < 120, "reset is in epoch seconds")


def token_over_its_rate(box):
    token, refused = box.new_token(), []
    for _ in range(100):    # ten a second come back meanwhile
        replies = together([lambda: box.api("GET", "/api/integrations?limit=1", token=token)] * 40)
        refused = [reply for reply in replies if reply.status != 200]
        if refused:
            break
    true(refused, "all of 4000 requests were answered")
    for reply in refused:
        reply.expect(429, "rate_limited")
        true(int(reply.header("retry-after")) >= 1, "Retry-After")


def post_without_content_length_has_no_body(box):
    """What `curl -X POST` sends; lighttpd would answer 411 by itself."""
    source = box.integration("prometheus")
    answer = box.api("POST", "/api/integrations/%s/test" % source["id"], headers={"Content-Length": None})
    same((answer.status, answer.json()["success"]), (201, True), "a test webhook")
    answer = box.request("POST", "/api/integrations/prometheus/" + source["id"], headers={"Content-Length": None,
                                                                                          "X-Api-Key": source["key"]})
    same((answer.status, answer.json()["error"]), (400, "invalid_payload"), "a webhook without a body")
