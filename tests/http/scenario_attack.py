"""What a hostile sender tries on the ingest path: bodies that grow, names that spoil a batch, the edges of the order of checks.
After each scenario run.py looks whether a worker died."""
import gzip
import json
import time

from harness import alert, alerts, gzipped, pagerduty, same, together, true

MIB = 1024 * 1024
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _last(box, column):
    return box.sql("SELECT %s FROM requests ORDER BY id DESC LIMIT 1" % column)[0][0]


def gzip_bombs_of_strangers_share_no_memory(box):
    """/v2/enqueue is read before its sender is known: 190,000 values each."""
    body = gzip.compress(b"[" + b"0," * 190000 + b"0]")
    head = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    for reply in together([lambda: box.request("POST", "/v2/enqueue", body, head) for _ in range(48)]):
        reply.expect(404)


def gzip_bombs_of_25_mib_share_no_memory(box):
    source = box.integration("github", signatureSecret="0123456789abcdef")
    body = gzip.compress(b'{"a":"' + b" " * (25 * MIB - 20) + b'"}')
    send = lambda: box.send_github(source, "push", body, headers={"Content-Encoding": "gzip"})
    for reply in together([send for _ in range(24)]):
        reply.expect(201)


def form_of_twelve_million_names(box):
    source = box.integration("github", signatureSecret="0123456789abcdef")
    form = b"a&" * (12 * MIB)
    box.send_github(source, "push", form, headers=FORM).expect(400, "invalid_payload")
    packed = {**FORM, "Content-Encoding": "gzip"}
    box.send_github(source, "push", gzip.compress(form), headers=packed).expect(400, "invalid_payload")


def a_long_text_of_the_group_in_each_of_ten_thousand_alerts(box):
    source = box.integration("prometheus")
    group = {"status": "x" * 900000, "receiver": "y" * 100000, "alerts": [{}] * 9999}
    box.send(source, group).expect(400, "invalid_payload")
    box.send(source, alerts(alert())).expect(201)


def many_small_bodies_of_many_events(box):
    """What is mapped of one takes 64 MB before it is refused, and what is stored of another 20: a batch holds 32."""
    source = box.integration("prometheus", rateLimitPerMinute=10000)
    body = json.dumps({"status": "s" * 14000, "alerts": [{}] * 4500})
    for reply in together([lambda: box.send(source, body) for _ in range(64)]):
        reply.expect(400, "invalid_payload")
    source = box.integration("webhook", rateLimitPerMinute=10000)
    replies = together([lambda: box.send(source, [{}] * 9999) for _ in range(24)])
    same(sorted(reply.status for reply in replies), [200] * 23 + [201], "one is stored, and repeated")


def a_group_of_190_000_members_with_nine_thousand_alerts(box):
    source = box.integration("prometheus")
    body = b"{" + b'"":1,' * 190000 + b'"alerts":[' + b",".join([b"{}"] * 9900) + b"]}"
    began = time.monotonic()
    same(len(box.send(source, body).expect(201)["results"]), 9900)
    true(time.monotonic() - began < 10, "answer after %.1f s" % (time.monotonic() - began))


def a_key_under_an_encoded_name_is_not_stored(box):
    source = box.integration("prometheus")
    path = "/api/integrations/prometheus/%s?a=b&%%6Bey=%s" % (source["id"], source["key"])
    box.send(source, alerts(alert()), path=path, key=False).expect(201)
    same(_last(box, "uri"), "/api/integrations/prometheus/%s?a=b&%%6Bey=***" % source["id"])


def a_key_is_no_way_around_a_token(box):
    """What wants Google's token at its own address wants it at PagerDuty's, too."""
    source = box.integration("google", settings={"serviceAccount": "push@example.iam.gserviceaccount.com"})
    address = box.fresh_address()
    box.send(source, {"message": {"data": ""}}, source=address).expect(401, "invalid_signature")
    same(box.send(source, pagerduty(source), path="/v2/enqueue", key=False, source=address).status, 401)
    same(box.number("SELECT COUNT(*) FROM events e JOIN sources s ON s.id = e.source_id WHERE s.public_id = '%s'" % source["id"]), 0)


def names_of_secrets_cost_a_stranger_nothing(box):
    """Of a refused body, too, secrets are hidden: once for each place where a name stands."""
    for kind, text in (("webhook", '"routing_key":x'), ("salesforce", "<SessionId ")):
        source, began = box.integration(kind), time.monotonic()
        box.send(source, text * (MIB // len(text)), key=False, source=box.fresh_address()).expect(401)
        true(time.monotonic() - began < 5, kind)


def a_routing_key_is_not_stored(box):
    source = box.integration("webhook")
    body = pagerduty(source)
    stars = json.dumps(body).replace(source["key"], "*" * 32)
    box.send(source, body, path="/v2/enqueue", key=False).expect(202)
    same(_last(box, "body"), stars)
    head = {"Content-Encoding": "gzip"}
    box.send(source, gzipped({**body, "event_action": "x"}), head, path="/v2/enqueue", key=False).expect(400)
    same(_last(box, "body"), stars.replace("trigger", "x"))


def _while_refused(box, wrong, address, send):
    """What `send` is told while the address's bucket is empty. It fills again at five a second, so on a busy machine a
    request can slip through between the last failure and this one; then once more."""
    for _ in range(50):
        while box.send(wrong, b"{}", source=address).status == 401:
            pass
        reply = send()
        if reply.status >= 400:
            return reply
    raise AssertionError("the address was never refused")


def an_address_that_failed_is_told_503_where_4xx_is_final(box):
    source, other = box.integration("prometheus", rateLimitPerMinute=0), box.integration("webhook", rateLimitPerMinute=0)
    address = box.fresh_address()
    wrong = {**source, "key": "0" * 32}
    reply = _while_refused(box, wrong, address, lambda: box.send(source, alerts(alert()), source=address))
    same((reply.status, bool(reply.header("retry-after")), reply.header("x-ratelimit-remaining")), (503, True, "0"))
    reply = _while_refused(box, wrong, address, lambda: box.send(other, {"a": 1}, source=address))
    reply.expect(429, "rate_limited")
    box.send(source, alerts(alert())).expect(201)


def rate_headers_stand_on_every_answer(box):
    source = box.integration("prometheus")
    unknown = "/api/integrations/prometheus/in_" + "0" * 20
    for reply in (box.send(source, b"{"), box.send(source, alerts(alert())), box.send(source, b"", method="GET"),
                  box.send({**source, "key": "x"}, b"{}", source=box.fresh_address()),
                  box.request("POST", unknown, b"{}"), box.request("PUT", unknown, b"{}"),
                  box.request("POST", "/v2/enqueue", b"[")):
        for name in ("limit", "remaining", "reset"):
            true(reply.header("x-ratelimit-" + name), "X-RateLimit-%s of %s %r" % (name, reply.status, reply.body))


def two_gzip_members_are_one_body(box):
    source = box.integration("prometheus")
    body = json.dumps(alerts(alert())).encode()
    box.send(source, gzipped(body[:50]) + gzipped(body[50:]), {"Content-Encoding": "gzip"}).expect(201)
