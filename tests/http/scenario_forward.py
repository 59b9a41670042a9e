"""Forward: events reach the owner's handler, signed and once; what fails is tried again; nobody else waits for it."""
import contextlib
import json
import os
import signal
import time

from handler import Handler, body_of, signed_by
from harness import alert, alerts, same, stripe_event, together, true, wait_until, workflow_run

WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew
STATUS = {"pending": 0, "processing": 1, "processed": 2, "failed": 3, "dead": 4}


def _open(box):
    """Loopback is where the handlers of these tests are; none is given up that is only slow."""
    if box.setting("outbound", "allow") != "127.0.0.0/8":
        box.up("--set", "outbound.allow=127.0.0.0/8", "--set", "outbound.timeout_ms=20000")


@contextlib.contextmanager
def _set(box, setting, usual):
    """`section.key=value` for a while."""
    box.up("--set", setting)
    try:
        yield
    finally:
        box.up("--set", setting.split("=")[0] + "=" + usual)


def _source(box, handler, kind="webhook", actions=("forward",), **more):
    _open(box)
    return box.integration(kind, actions=list(actions), handlerUrl=handler.url, **more)


def _row(box, source):
    return box.number("SELECT id FROM sources WHERE public_id = '%s'" % source["id"])


def _event(box, number):
    return box.get("/api/events/" + number)


def _until(box, number, status, attempts=0):
    """Of so many attempts, where its status was that before."""
    def there():
        box.jobs("retries")
        return box.number("SELECT status = %d AND attempts >= %d FROM events WHERE id = %s" % (STATUS[status], attempts, number))
    wait_until(there, 30, "event %s is %s" % (number, status))
    return _event(box, number)


def _send(box, source, **members):
    return box.send(source, {"type": "order.paid", "id": os.urandom(6).hex(), **members})


def _number(reply, status=201):
    return reply.expect(status)["result"]["event"]["id"]


def event_is_posted_signed_with_its_payload(box):
    with Handler() as handler:
        handler.body, handler.status = b'{"thanks":true}', 200
        source = _source(box, handler, signatureSecret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        payload = json.dumps({"type": "order.paid", "id": "o-1", "amount": 12.50, "who": "Zoë"})
        message = {"webhook-id": "msg_1", "traceparent": trace, "X-Request-Id": "their-trace"}
        at = str(int(time.time()))
        reply = _standard(box, source, payload, {**message, "webhook-timestamp": at})
        number = _number(reply)
        event = _until(box, number, "processed")
        same(len(handler.of(number)), 1, "posts")
        got, body = handler.got[0], body_of(handler.got[0])
        true(signed_by(got, source["signatureSecret"]), "signed: %r" % got.headers)
        true(abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60, "its time")
        same((got.headers["content-type"], got.headers["x-webhook-event"], got.headers["x-webhook-delivery"]),
             ("application/json", "event.received", number))
        true(got.headers["user-agent"].startswith("Grapnel/"), "user agent")
        same((got.headers["traceparent"], got.headers["x-request-id"]), (trace, "their-trace"), "trace")
        same((body["event"], body["id"], body["sourceId"], body["provider"]), ("event.received", number, source["id"], "webhook"))
        same((body["payloadEncoding"], body["payload"], body["eventCount"], body["element"]), ("json", json.loads(payload), 1, 0))
        same((event["eventId"], event["attempts"], event["error"], event["forward"]), (body["eventId"], 1, None, None))
        attempt, = event["attemptLog"]
        same((attempt["number"], attempt["status"], attempt["error"], attempt["answer"]), (1, 200, None, '{"thanks":true}'))
        true(attempt["startedAt"] and attempt["at"] and attempt["durationUs"] > 0, "times of the attempt: %r" % attempt)


def _standard(box, source, payload, headers):
    import base64
    import hashlib
    import hmac
    key = base64.b64decode(source["signatureSecret"].removeprefix("whsec_"))
    mac = hmac.new(key, ("%s.%s.%s" % (headers["webhook-id"], headers["webhook-timestamp"], payload)).encode(), hashlib.sha256)
    return box.send(source, payload, {**headers, "webhook-signature": "v1," + base64.b64encode(mac.digest()).decode()}, key=False)


def without_a_secret_one_is_made(box):
    with Handler() as handler:
        source = _source(box, handler)
        number = _number(_send(box, source))
        _until(box, number, "processed")
        true(signed_by(handler.got[0], source["handlerSecret"]), "signed with the made one")
        box.api("PATCH", "/api/integrations/" + source["id"], {"handlerSecret": "of my own"}).expect(200)
        _until(box, _number(_send(box, source)), "processed")
        true(signed_by(handler.got[1], "of my own"), "signed with the given one")


def incident_is_opened_though_the_handler_fails(box):
    with Handler() as handler:
        handler.status = 500
        source = _source(box, handler, "prometheus", ("incident", "forward"))
        result = box.send(source, alerts(alert())).expect(201)["result"]
        same(result["action"], "triggered")
        event = _until(box, result["event"]["id"], "failed")
        same((event["incident"]["status"], event["error"]), ("OPEN", "The handler answered 500."))
        handler.status = 200
        _due(box, event["id"])
        event = _until(box, event["id"], "processed")
        same((event["attempts"], box.number("SELECT alert_count FROM incidents WHERE id = %s" % event["incident"]["id"])), (2, 1),
             "attempts, and alerts: what is done is not done again")


def _due(box, number):
    """Its time has come."""
    box.sql("UPDATE forwards SET next_at = 1 WHERE event_id = %s AND owner = 0" % number)


def _waits_ms(box, number):
    """From the end of its last attempt to its next one."""
    return box.number("SELECT f.next_at - a.started_at - a.duration_us DIV 1000 FROM forwards f JOIN event_attempts a ON a.event_id = f.event_id"
                      " WHERE f.event_id = %s ORDER BY a.number DESC LIMIT 1" % number)


def _dispatcher_looked(box):
    """It has begun what it thought of sending before: it has taken what came later."""
    with Handler() as handler:
        number = _number(_send(box, _source(box, handler)))
        wait_until(lambda: _event(box, number)["status"] == "processed", 30, "another handler's event is processed")


def every_event_of_a_request_goes_by_itself(box):
    with Handler() as handler:
        source = _source(box, handler, "prometheus")
        results = box.send(source, alerts(alert(), alert(), alert())).expect(201)["results"]
        numbers = [r["event"]["id"] for r in results]
        for number in numbers:
            _until(box, number, "processed")
        same(sorted(body_of(g)["id"] for g in handler.got), sorted(numbers))
        same(sorted(body_of(g)["element"] for g in handler.got), [0, 1, 2])
        same({body_of(g)["eventCount"] for g in handler.got}, {3})


def failures_are_tried_again_then_dead(box):
    with Handler() as handler:
        handler.status, handler.body = 503, b"busy " * 2000
        source = _source(box, handler, retryPolicy={"maxRetries": 2, "backoffSeconds": 100})
        number = _number(_send(box, source))
        event = _until(box, number, "failed")
        true(100_000 <= _waits_ms(box, number) <= 110_000, "after 100 s: %d ms" % _waits_ms(box, number))
        true(event["forward"]["nextAttemptAt"], "it says when")
        box.jobs("retries")
        same(len(handler.of(number)), 1, "not before its time")
        _due(box, number)
        _until(box, number, "failed", attempts=2)
        true(200_000 <= _waits_ms(box, number) <= 220_000, "then after 200 s: %d ms" % _waits_ms(box, number))
        _due(box, number)
        event = _until(box, number, "dead")
        same([(t["number"], t["status"], t["error"], len(t["answer"])) for t in event["attemptLog"]],
             [(n, 503, "The handler answered 503.", 4096) for n in (1, 2, 3)])
        same((event["attempts"], event["forward"]), (3, None))
        bodies = {g.body for g in handler.of(number)}
        same((len(handler.of(number)), len(bodies)), (3, 1), "three posts of the same bytes")
        same(box.number("SELECT COUNT(*) FROM monitor_alerts WHERE type = 'DEAD_EVENTS' AND subject = '%s' AND ended_at IS NULL"
                        % source["id"]), 1, "monitor alert")


def retry_after_is_heeded(box):
    with Handler() as handler:
        handler.status, handler.headers = 429, {"Retry-After": "600"}
        source = _source(box, handler, retryPolicy={"maxRetries": 2, "backoffSeconds": 1})
        number = _number(_send(box, source))
        _until(box, number, "failed")
        true(600_000 <= _waits_ms(box, number) <= 660_000, "after 600 s: %d ms" % _waits_ms(box, number))


def handlers_that_do_not_speak_properly(box):
    _open(box)
    with Handler() as handler, _set(box, "outbound.timeout_ms=3000", "20000"):
        source = _source(box, handler)
        for does, error in (handler.garbage, "No answer: "), (handler.slam, "It closed the connection"), \
                (handler.endless_headers, "Its answer has headers without end."), (handler.hang, "It did not answer in time."):
            handler.does = does
            event = _until(box, _number(_send(box, source)), "failed")
            true(event["error"].startswith(error), "%s: %s" % (does.__name__, event["error"]))
            same(event["attemptLog"][0]["status"], 0)
            handler.does = None
            _due(box, event["id"])
            _until(box, event["id"], "processed")
        handler.does = handler.hang
        refusal = _send(box, _source(box, handler, forwardMode="inline")).expect(500, "handler_failed")
        true("did not answer in time" in refusal["message"], refusal["message"])
        for handler.does in handler.cut, handler.drip, handler.endless_body:
            handler.status = 200
            _until(box, _number(_send(box, source)), "processed")       # it said so before the body
            handler.status = 500
            same(_until(box, _number(_send(box, source)), "failed")["error"], "The handler answered 500.")


def redirects_are_not_followed(box):
    with Handler() as handler, Handler() as elsewhere:
        handler.status, handler.headers = 302, {"Location": elsewhere.url}
        source = _source(box, handler)
        event = _until(box, _number(_send(box, source)), "failed")
        same(event["error"], "The handler answered 302; redirects are not followed.")
        same(elsewhere.got, [])


def private_addresses_are_out_of_reach(box):
    _open(box)
    body = {"name": "x", "type": "webhook", "actions": ["forward"]}
    for url in "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://0xa9fea9fe/", "http://192.168.1.1:8080/", \
            "ftp://example.org/", "http://127.0.0.1:22/":
        box.api("POST", "/api/integrations", {**body, "handlerUrl": url}).expect(400, "invalid_request", "handlerUrl")
    with Handler() as handler:
        source = _source(box, handler)
        box.up("--set", "outbound.allow=")      # what was allowed when it was set may be forbidden when it is used
        try:
            number = _number(_send(box, source))
            event = _until(box, number, "failed")
            same(event["error"], "It leads to an address or port that is not allowed.")
            same(handler.got, [])
        finally:
            box.up("--set", "outbound.allow=127.0.0.0/8")


def hanging_handler_holds_up_nobody_else(box):
    with Handler() as hanging, Handler() as fine:
        hanging.does = hanging.hang
        slow, quick = _source(box, hanging), _source(box, fine)
        for _ in range(12):
            _send(box, slow).expect(201)
        wait_until(lambda: hanging.inside, 10, "it hangs")
        for _ in range(12):
            _send(box, quick).expect(201)
        cron = box.cron("retries")
        try:
            count = "SELECT COUNT(*) FROM events WHERE source_id = %d AND status = 2"
            wait_until(lambda: box.number(count % _row(box, quick)) == 12, 15, "the others are sent")
            same(box.number("SELECT COUNT(*) FROM event_attempts a JOIN events e ON e.id = a.event_id WHERE a.duration_us IS NOT NULL AND e.source_id = %d"
                            % _row(box, slow)), 0, "while the other one hangs, nothing of its has ended")
            true(hanging.most <= 10, "at most five of the dispatcher and five of cron at once: %d" % hanging.most)
        finally:
            hanging.release()
            cron.communicate()


def breaker_opens_and_closes(box):
    with Handler() as handler:
        handler.status = 500
        source = _source(box, handler)
        numbers = [_number(_send(box, source)) for _ in range(12)]
        box.jobs("retries")
        row = _row(box, source)
        under_way = "SELECT COUNT(*) FROM events WHERE source_id = %d AND status = 1" % row
        failures = "SELECT COALESCE(MAX(failures), 0) FROM breakers WHERE kind = 1 AND target_id = %d AND opened_at IS NOT NULL" % row
        wait_until(lambda: box.number(failures), 10, "it opens")
        _dispatcher_looked(box)
        wait_until(lambda: not box.number(under_way) and box.number(failures) == len(handler.got), 10, "nothing is under way, and all failures in a row are known")
        tried = len(handler.got)
        true(5 <= tried <= 10, "five at once, of the dispatcher and of cron: %d" % tried)
        box.jobs("retries")
        same(len(handler.got), tried, "then it is left alone")
        same(box.number("SELECT SUM(attempts) FROM events WHERE source_id = %d" % row), tried, "attempts")
        event = _event(box, numbers[-1])
        true(event["forward"]["breakerOpenedAt"] and event["forward"]["probeAt"], "the event says why it waits")
        due = ("UPDATE forwards SET next_at = 1 WHERE source_id = %d AND owner = 0; UPDATE breakers SET probe_at = 1 WHERE kind = 1 AND target_id = %d"
               % (row, row))
        box.sql(due)
        box.jobs("retries")
        wait_until(lambda: box.number("SELECT wait_ms FROM breakers WHERE kind = 1 AND target_id = %d" % row) == 120_000, 10, "the wait is twice as long")
        box.jobs("retries")
        _dispatcher_looked(box)
        same(len(handler.got), tried + 1, "one probe")
        handler.status = 200
        box.sql(due)
        for number in numbers:
            _until(box, number, "processed")
        same(box.number("SELECT COUNT(*) FROM breakers WHERE kind = 1 AND target_id = %d" % row), 0)


def killed_sender_leaves_its_events_to_the_next(box):
    with Handler() as handler:
        handler.does = handler.hang
        source = _source(box, handler)
        with _set(box, "outbound.dispatcher=false", "true"):
            numbers = [_number(_send(box, source)) for _ in range(8)]
            cron = box.cron("retries")
            wait_until(lambda: len(handler.got) >= 5, 30, "five are under way")
            cron.send_signal(signal.SIGKILL)
            cron.communicate()
            same(_event(box, numbers[0])["status"], "processing")
        handler.release()
        box.sql("UPDATE jobs SET lease_until = 0 WHERE name = 'retries'")
        box.jobs("retries")
        same(_event(box, numbers[0])["status"], "processing", "while the lease lasts")
        box.sql("UPDATE forwards SET next_at = 1 WHERE source_id = %d AND owner <> 0" % _row(box, source))
        box.sql("UPDATE jobs SET lease_until = 0 WHERE name = 'retries'")
        for number in numbers:
            event = _until(box, number, "processed")
            same([t["at"] is None for t in event["attemptLog"]], [True, False], "the first attempt has no end")


# ---- inline ----

def inline_sender_hears_of_success_after_the_handler(box):
    with Handler() as handler:
        source = _source(box, handler, forwardMode="inline")
        reply = _send(box, source)
        number = _number(reply)
        same(reply.header("x-ratelimit-limit"), "100")
        same((len(handler.of(number)), _event(box, number)["status"]), (1, "processed"))
        stripe = _source(box, handler, "stripe", signatureSecret="s", forwardMode="inline")
        event = stripe_event()
        same(box.send_stripe(stripe, event).expect(200), {"received": True})
        same(box.send_stripe(stripe, event).expect(200), {"received": True, "alreadyProcessed": True})
        same(len(handler.got), 2, "once each")


def inline_sender_hears_of_failure_and_repeats(box):
    with Handler() as handler:
        handler.status = 500
        source = _source(box, handler, forwardMode="inline")
        body = {"type": "order.paid", "id": "again-" + os.urandom(4).hex()}
        headers = {"webhook-id": body["id"]}
        refusal = box.send(source, body, headers).expect(500, "handler_failed")
        true("The handler answered 500." in refusal["message"], refusal["message"])
        delivery = box.get("/api/integrations/%s/deliveries" % source["id"])["deliveries"][0]
        same((delivery["statusCode"], _event(box, delivery["eventId"])["status"]), (500, "failed"))
        same(box.get("/api/integrations/" + source["id"])["errorCount"], 1)
        box.send(source, body, headers).expect(500, "handler_failed")
        handler.status = 200
        again = box.send(source, body, headers).expect(201)
        same((again["result"]["event"]["id"], "alreadyProcessed" in again), (delivery["eventId"], False))
        same(box.send(source, body, headers).expect(200)["alreadyProcessed"], True)
        event = _event(box, delivery["eventId"])
        same((event["status"], event["attempts"], event["duplicates"]), ("processed", 3, 3))


def repeat_of_a_dead_event_is_one_more_attempt(box):
    with Handler() as handler:
        handler.status = 500
        source = _source(box, handler, retryPolicy={"maxRetries": 0})
        body, headers = {"type": "x"}, {"webhook-id": "dead-" + os.urandom(4).hex()}
        number = _number(box.send(source, body, headers))
        _until(box, number, "dead")
        handler.does = handler.hang
        _number(box.send(source, body, headers))        # answered like a first receipt
        true(_event(box, number)["status"] in ("pending", "processing"), "it is in work")
        same(box.send(source, body, headers).expect(200)["duplicate"], True, "while it waits it is in work")
        handler.release()
        same(_until(box, number, "dead")["attempts"], 2)
        handler.status = 200
        _number(box.send(source, body, headers))
        same(_until(box, number, "processed")["attempts"], 3)


def inline_waits_for_half_of_the_workers_at_most(box):
    with Handler() as handler, Handler() as other:
        handler.does = handler.hang
        source, quick = _source(box, handler, forwardMode="inline"), _source(box, other)

        def others():
            try:
                wait_until(lambda: handler.inside == 2, 10, "of four web workers two wait")
                return together([lambda: _send(box, source)] * 4 + [lambda: _send(box, quick)] * 4)
            finally:
                handler.release()
        replies, *waited = together([others] + [lambda: _send(box, source)] * 2)
        for reply in replies[:4]:
            same(reply.expect(201)["queued"], True, "the others are told that theirs are queued")
        for reply in replies[4:] + waited:
            same("queued" in reply.expect(201), False)
        for reply in replies + waited:
            _until(box, _number(reply), "processed")


def ingest_goes_on_while_senders_wait(box):
    with Handler() as handler:
        handler.does = handler.hang
        source, plain = _source(box, handler, forwardMode="inline"), box.integration("prometheus", rateLimitPerMinute=0)

        def others():
            try:
                wait_until(lambda: handler.inside == 2, 10, "two senders wait")
                for _ in range(40):
                    box.send(plain, alerts(alert())).expect(201)
            finally:
                handler.release()
        for reply in together([others] + [lambda: _send(box, source)] * 2)[1:]:
            same("queued" in reply.expect(201), False, "it has waited all the while")


def inline_is_not_asked_while_the_breaker_is_open(box):
    with Handler() as handler:
        handler.status = 500
        source = _source(box, handler, forwardMode="inline")
        for _ in range(5):
            _send(box, source).expect(500, "handler_failed")
        refusal = _send(box, source).expect(500, "handler_failed")
        true("circuit breaker is open" in refusal["message"], refusal["message"])
        same(len(handler.got), 5)
        newest = box.get("/api/events?source=%s&limit=1" % source["id"])["events"][0]
        same((newest["status"], newest["attempts"]), ("failed", 0))


def a_large_request_is_not_waited_for(box):
    with Handler() as handler:
        source = _source(box, handler, "prometheus", forwardMode="inline", rateLimitPerMinute=0)
        same(len(box.send(source, alerts(*[alert() for _ in range(5)])).expect(201)["results"]), 5)
        same(len(handler.got), 5)
        handler.does = handler.hang
        answer = box.send(source, alerts(*[alert() for _ in range(6)])).expect(201)
        same(answer["queued"], True)
        handler.release()
        for result in answer["results"]:
            _until(box, result["event"]["id"], "processed")


def test_webhook_goes_to_the_handler_too(box):
    with Handler() as handler:
        source = _source(box, handler, "github", ("incident", "forward"), generateSecret=True, forwardMode="inline")
        box.api("POST", "/api/integrations/%s/test" % source["id"]).expect(201)
        newest = box.get("/api/events?source=%s&limit=1" % source["id"])["events"][0]
        _until(box, newest["id"], "processed")
        same(body_of(handler.of(newest["id"])[0])["isTest"], True)
        box.send_github(source, "workflow_run", workflow_run()).expect(201)
        same(body_of(handler.got[-1])["isTest"], False)
