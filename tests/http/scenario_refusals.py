"""Each refusal with its status, its code and its place in the order of checks; then the service goes on."""
import hashlib
import hmac
import json
import secrets
import time

from harness import alert, alerts, gzipped, pagerduty, same, stripe_event, true, uuid, workflow_run


def _still_works(box, source):
    box.send(source, alerts(alert())).expect(201)


def method_not_allowed_names_the_allowed_ones(box):
    source = box.integration("prometheus")
    path = "/api/integrations/prometheus/" + source["id"]
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        reply = box.send(source, b"" if method == "GET" else b"{}", path=path, method=method)
        reply.expect(405, "method_not_allowed")
        same(reply.header("allow"), "POST", "Allow after " + method)


def method_comes_before_source(box):
    reply = box.request("PUT", "/api/integrations/prometheus/in_" + "0" * 20, b"{}")
    reply.expect(405, "method_not_allowed")


def head_of_an_inbound_path_has_no_body(box):
    source = box.integration("prometheus")
    reply = box.request("HEAD", "/api/integrations/prometheus/" + source["id"])
    same((reply.status, reply.body), (405, b""))


def body_over_the_limit_by_one_byte(box):
    source = box.integration("prometheus")
    body = json.dumps(alerts(alert())).encode()
    over = body + b" " * (1024 * 1024 + 1 - len(body))
    box.send(source, over).expect(413, "body_too_large")
    _still_works(box, source)


def github_body_over_25_megabytes_by_one_byte(box):
    source = box.integration("github", signatureSecret="s")
    box.send_github(source, "push", b" " * (25 * 1024 * 1024 + 1)).expect(413, "body_too_large")


def body_over_any_limit(box):
    source = box.integration("github", signatureSecret="s")
    for megabytes in (31, 40, 80):
        reply = box.send(source, b" " * (megabytes << 20))
        same(reply.status, 413, "%d MiB" % megabytes)


def size_comes_before_source(box):
    reply = box.request("POST", "/api/integrations/prometheus/in_" + "0" * 20, b" " * (1024 * 1024 + 1))
    reply.expect(413, "body_too_large")


def unknown_source(box):
    trace = "unknown-" + secrets.token_hex(8)
    for path in ("/api/integrations/prometheus/in_" + "0" * 20, "/api/integrations/prometheus?integrationId=in_x",
                 "/api/integrations/prometheus", "/webhooks/rg_" + "0" * 20, "/api/webhooks/stripe/in_" + "0" * 20):
        box.request("POST", path, b"{}", {"Content-Type": "application/json", "X-Request-Id": trace}).expect(404, "not_found")
    same(box.number("SELECT COUNT(*) FROM requests WHERE trace = '%s'" % trace), 0, "requests for unknown sources are not stored")


def source_under_another_providers_path(box):
    source = box.integration("prometheus")
    box.send(source, {}, path="/api/integrations/webhook/" + source["id"]).expect(404, "not_found")


def unknown_provider(box):
    box.request("POST", "/api/integrations/no-such-type/in_" + "0" * 20, b"{}").expect(404, "not_found")


def disabled_source(box):
    source = box.integration("prometheus")
    _still_works(box, source)
    box.api("PATCH", "/api/integrations/" + source["id"], {"enabled": False}).expect(200)
    box.send(source, alerts(alert())).expect(403, "source_disabled")
    box.api("PATCH", "/api/integrations/" + source["id"], {"enabled": True}).expect(200)
    _still_works(box, source)


def address_not_on_the_list(box):
    source = box.integration("prometheus", allowedIps=["192.0.2.0/24", "127.9.9.9"])
    box.send(source, alerts(alert())).expect(403, "address_not_allowed")
    box.send(source, alerts(alert()), source="127.9.9.9").expect(201)


def wrong_or_missing_key(box):
    source = box.integration("prometheus")
    for headers in ({}, {"Authorization": "Bearer " + "0" * 32}, {"X-API-Key": source["key"][:-1]},
                    {"X-API-Key": source["key"].upper() + "0"}, {"Authorization": "Bearer"}, {"Authorization": "Basic !!!"}):
        reply = box.send(source, alerts(alert()), headers, key=False, source=box.fresh_address())
        reply.expect(401, "invalid_key")
    deliveries = box.get("/api/integrations/%s/deliveries" % source["id"])["deliveries"]
    same(len(deliveries), 6, "refused requests of a known source are kept")
    same({(d["statusCode"], d["errorMessage"]) for d in deliveries}, {(401, "Invalid key")})


def wrong_or_missing_github_signature(box):
    source = box.integration("github", signatureSecret="octo-secret")
    body = json.dumps(workflow_run()).encode()
    good = hmac.new(b"octo-secret", body, hashlib.sha256).hexdigest()
    old = "sha1=" + hmac.new(b"octo-secret", body, hashlib.sha1).hexdigest()
    head = {"X-GitHub-Event": "workflow_run", "X-GitHub-Delivery": uuid()}
    for name, value in (("X-Hub-Signature-256", ""), ("X-Hub-Signature-256", "sha256=" + "0" * 64),
                        ("X-Hub-Signature-256", good), ("X-Hub-Signature-256", "sha256=" + good.upper()),
                        ("X-Hub-Signature-256", "sha256=" + good[:-2]), ("X-Hub-Signature", old)):
        reply = box.send(source, body, {**head, name: value}, key=False, source=box.fresh_address())
        reply.expect(401, "invalid_signature")
    reply = box.send(source, body, {**head}, source=box.fresh_address())
    reply.expect(401, "invalid_signature")      # the key does not rescue it
    box.send(source, body + b"\n", {**head, "X-Hub-Signature-256": "sha256=" + good}, key=False,
             source=box.fresh_address()).expect(401, "invalid_signature")
    deliveries = box.get("/api/integrations/%s/deliveries" % source["id"])["deliveries"]
    same({d["errorMessage"] for d in deliveries}, {"Invalid signature"})


def wrong_or_old_stripe_signature(box):
    source = box.integration("stripe", signatureSecret="whsec_abc")
    now = int(time.time())
    for at in (now - 320, now + 320):
        box.send_stripe(source, stripe_event(), at=at, source=box.fresh_address()).expect(401, "invalid_signature")
    for header in ("", "t=%d" % now, "v1=" + "0" * 64, "t=%d,v0=%s" % (now, "0" * 64), "t=x,v1=" + "0" * 64,
                   "t=%d,t=%d,v1=%s" % (now, now, "0" * 64), "," * 1000):
        box.send_stripe(source, stripe_event(), header=header or " ", source=box.fresh_address()).expect(401, "invalid_signature")
    box.send_stripe(source, stripe_event(), secret="abc", source=box.fresh_address()).expect(401, "invalid_signature")


def proof_comes_before_parsing(box):
    source = box.integration("prometheus")
    box.send(source, b"{broken", key=False, source=box.fresh_address()).expect(401, "invalid_key")


def failed_proofs_use_up_the_remote_address_and_not_the_source(box):
    source = box.integration("webhook")
    bad = box.fresh_address()
    for slipped in range(50):       # the bucket fills again at five a second: on a busy machine one can slip through
        for _ in range(1000):
            reply = box.send(source, b"{}", {"X-API-Key": "wrong"}, key=False, source=bad)
            if reply.status != 401:
                break
        reply.expect(429, "rate_limited")
        true(1 <= int(reply.header("retry-after")) <= 60, "Retry-After: %s" % reply.header("retry-after"))
        good = box.send(source, {"title": "t"}, source=bad)
        if good.status != 201:
            break
    good.expect(429, "rate_limited")
    reply = box.send(source, {"title": "t"})
    true(reply.status in (200, 201), "the source itself is open: %s" % reply.status)
    true(int(reply.header("x-ratelimit-remaining")) >= 98 - slipped, "failures took nothing from the source's own bucket")


def source_over_its_rate(box):
    source, began, sent = box.integration("webhook", rateLimitPerMinute=5), time.time(), 0
    while True:
        reply = box.send(source, {"title": "t", "id": str(sent)})
        if reply.status != 201:
            break
        sent += 1
        back = (time.time() - began) / 12   # so many have come back meanwhile
        true(5 - sent <= int(reply.header("x-ratelimit-remaining")) <= 5 - sent + back, "X-RateLimit-Remaining: %s" % reply.headers)
    reply.expect(429, "rate_limited")
    true(5 <= sent <= 5 + (time.time() - began) / 12, "%d were taken" % sent)
    true(1 <= int(reply.header("retry-after")) <= 60, "Retry-After: %s" % reply.header("retry-after"))
    same((reply.header("x-ratelimit-limit"), reply.header("x-ratelimit-remaining")), ("5", "0"))
    same(box.number("SELECT COUNT(*) FROM requests r JOIN sources s ON s.id = r.source_id WHERE s.public_id = '%s' "
                    "AND r.status = 429" % source["id"]), 1, "the refused request is kept")


def sender_that_drops_on_4xx_is_told_503(box):
    source = box.integration("prometheus", rateLimitPerMinute=1)
    box.send(source, alerts(alert())).expect(201)
    reply = box.send(source, alerts(alert()))
    reply.expect(503, "rate_limited")
    true(int(reply.header("retry-after")) >= 1, "Retry-After")


def rate_limit_of_zero_is_none(box):
    source = box.integration("webhook", rateLimitPerMinute=0)
    for i in range(150):
        box.send(source, {"title": "t", "id": str(i)}).expect(201)


def unsupported_content(box):
    source = box.integration("prometheus")
    box.send(source, b"<alerts/>", {"Content-Type": "text/xml"}).expect(415, "unsupported_media_type")
    box.send(source, b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}).expect(415, "unsupported_media_type")
    for coding in ("br", "zstd", "deflate", "gzip, gzip"):
        box.send(source, alerts(alert()), {"Content-Encoding": coding}).expect(415, "unsupported_media_type")
    box.send(source, alerts(alert()), {"Content-Type": "text/plain"}).expect(201)     # a hint only
    _still_works(box, source)


def unreadable_bodies(box):
    source = box.integration("prometheus")
    for what, body in (
            ("empty", b""), ("blank", b"   "), ("cut off", b'{"alerts":[{"status":"firing"'), ("two documents", b"{}{}"),
            ("trailing comma", b'{"alerts":[],}'), ("single quotes", b"{'alerts':[]}"),
            ("300,000 brackets", b"[" * 300000), ("200,000 objects", b'{"a":' * 200000),
            ("deep and closed", b'{"alerts":' + b"[" * 100 + b"]" * 100 + b"}"),
            ("invalid UTF-8", b'{"alerts":[{"labels":{"a":"\xff\xfe"}}]}'),
            ("overlong UTF-8", b'{"alerts":[{"labels":{"a":"\xc0\xaf"}}]}'),
            ("lone surrogate bytes", b'{"alerts":[{"labels":{"a":"\xed\xa0\x80"}}]}'),
            ("raw NUL in a text", b'{"alerts":[{"labels":{"a":"\x00"}}]}'), ("NUL before", b"\x00{}"),
            ("byte order mark of UTF-16", "{}".encode("utf-16")), ("control character", b'{"a":"\x01"}'),
            ("NaN", b'{"alerts":[{"x":NaN}]}'), ("leading zero", b'{"x":012}')):
        reply = box.send(source, body)
        same((reply.status, reply.json().get("error")), (400, "invalid_payload"), what)
    _still_works(box, source)


def strange_but_valid_bodies(box):
    source = box.integration("webhook", rateLimitPerMinute=0)
    for what, body in (
            ("duplicate names", b'{"title":"a","title":"b","id":"dup-1"}'), ("huge number", b'{"title":"a","id":' + b"9" * 400 + b"}"),
            ("huge exponent", b'{"title":"a","id":1e999999}'), ("tiny exponent", b'{"title":"a","x":-1e-999999}'),
            ("escaped NUL", b'{"title":"a\\u0000b","id":"nul"}'), ("pair of surrogates", b'{"title":"\\ud83d\\ude00","id":"smile"}'),
            ("empty object", b"{}"), ("long key", b'{"title":"a","id":"' + b"k" * 5000 + b'"}'),
            ("long summary", b'{"title":"' + "\u00e9".encode() * 5000 + b'","id":"long"}'),
            ("byte order mark", b'\xef\xbb\xbf{"title":"bom","id":"bom"}'), ("empty name", b'{"":1,"title":"e","id":"e"}'),
            ("10,000 members", json.dumps({"title": "m", "id": "m", **{"n%d" % i: i for i in range(10000)}}).encode())):
        reply = box.send(source, body)
        true(reply.status in (201, 400), "%s: %s" % (what, reply.status))
        if what not in ("byte order mark", "escaped NUL", "10,000 members"):
            same(reply.status, 201, what)
    same(box.sql("SELECT summary FROM events e JOIN sources s ON s.id = e.source_id WHERE dedup_key = 'webhook:dup-1' "
                 "AND s.public_id = '%s'" % source["id"]), [["b"]], "of duplicate names the last wins")


def shape_that_no_alertmanager_sends(box):
    source = box.integration("prometheus")
    for what, body in (("array at the top", b"[]"), ("a number", b"5"), ("a text", b'"x"'), ("null", b"null"),
                       ("nothing that maps", b'{"alerts":[1,2,3]}')):
        reply = box.send(source, body)
        same((reply.status, reply.json().get("error")), (400, "invalid_payload"), what)


def broken_and_bursting_gzip(box):
    source = box.integration("prometheus")
    packed = gzipped(alerts(alert()))
    head = {"Content-Encoding": "gzip"}
    for what, body in (("no gzip", b"{}"), ("cut off", packed[:-9]), ("wrong sum", packed[:-8] + b"\0" * 8),
                       ("rest behind it", packed + b"x")):
        reply = box.send(source, body, head)
        same((reply.status, reply.json().get("error")), (400, "invalid_payload"), what)
    bomb = gzipped(b" " * (200 * 1024 * 1024))
    true(len(bomb) < 300000, "the bomb is small")
    for body in (bomb, bomb[:-8] + b"\0" * 8):      # a wrong sum is seen by who inflates it to its end
        box.send(source, body, head).expect(413, "body_too_large")
    just = gzipped(json.dumps(alerts(alert())).encode().ljust(1024 * 1024 + 1))
    box.send(source, just, head).expect(413, "body_too_large")
    _still_works(box, source)


def too_many_events_in_one_request(box):
    source = box.integration("webhook")
    box.send(source, [{"id": str(i)} for i in range(10001)]).expect(400, "invalid_payload")


def another_tenants_source_is_found_by_its_id_alone_but_not_its_key(box):
    token = box.new_token(tenant=box.new_tenant())
    theirs, ours = box.integration("prometheus", token=token), box.integration("prometheus")
    box.send({**theirs, "key": ours["key"]}, alerts(alert()), source=box.fresh_address()).expect(401, "invalid_key")
    box.send(theirs, alerts(alert())).expect(201)


def pagerduty_errors_look_like_pagerdutys(box):
    source = box.integration("webhook")

    def refused(body, status=400):
        reply = box.send(source, body, path="/v2/enqueue", key=False, source=box.fresh_address())
        answer = reply.expect(status)
        same(answer.get("status"), "invalid event", "status of %r" % answer)
        true(isinstance(answer.get("errors"), list) and answer.get("message"), "errors and message: %r" % answer)
    whole = pagerduty(source)
    for member in ("summary", "source", "severity"):
        refused({**whole, "payload": {k: v for k, v in whole["payload"].items() if k != member}})
    refused({**whole, "event_action": "explode"})
    refused({k: v for k, v in whole.items() if k != "payload"})
    refused({"routing_key": source["key"], "event_action": "resolve"})
    refused({**whole, "payload": {**whole["payload"], "custom_details": "x" * (512 * 1024)}})
    refused(b"[" * 1000)
    refused(b"not json at all")
    refused({**whole, "routing_key": secrets.token_hex(16)}, 404)
    refused({k: v for k, v in whole.items() if k != "routing_key"}, 404)


def request_log_keeps_64_kib_of_a_refused_body(box):
    source = box.integration("prometheus")
    box.send(source, b"x" * 200000).expect(400)
    row = box.sql("SELECT LENGTH(body), body_bytes, status FROM requests r JOIN sources s ON s.id = r.source_id "
                  "WHERE s.public_id = '%s'" % source["id"])
    same(row, [["65536", "200000", "400"]], "kept")


def unknown_routes(box):
    for path in ("/api/nothing", "/api", "/api/", "/v2/other", "/api/events/not-a-number", "/api/integrations/in_x/none",
                 "/api/incidents/99999999999999999999999", "/api/events/-1", "/api/events/0x10", "/%2e%2e/%2e%2e/etc/passwd"):
        reply = box.api("GET", path)
        true(reply.status in (400, 404), "%s: %s" % (path, reply.status))
        if b"{" in reply.body:
            true(reply.json()["error"] in ("not_found", "invalid_request"), "code for %s: %s" % (path, reply.body))


def errors_leak_nothing(box):
    source = box.integration("prometheus")
    for reply in (box.send(source, b"{"), box.api("GET", "/api/events?limit=x"), box.api("GET", "/api/events/1'%20OR%201=1")):
        text = reply.body.decode().lower()
        for word in ("select", "mysql", "mariadb", "/src/", ".c:", "errno", "stack"):
            true(word not in text, "%r in %r" % (word, text))
