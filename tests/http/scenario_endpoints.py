"""Outbound webhooks of users: signed, tried again, recorded; a receiver that fails or hangs harms nobody else; and nobody reaches by us what he cannot
reach himself. The receivers are on loopback and check both signatures with code of their own; Standard Webhooks' own library checks them, too."""
import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import time

import node
from handler import Handler, body_of, signed_by
from harness import alert, alerts, same, true, wait_until
from scenario_replay import _dispatcher
from visitor import Visitor

WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew

MADE = set()
HERE = os.path.dirname(os.path.abspath(__file__))


def _world(box):
    """Loopback is open to users, and answers may take 5 s."""
    if box not in MADE:
        began = time.time()
        box.up("--set", "server.development=true", "--set", "outbound.allow=127.0.0.1", "--set", "outbound.ports=1-65535", "--set", "outbound.timeout_ms=5000")
        wait_until(lambda: box.metrics()["grapnel_dispatcher_last_look_timestamp_seconds"] > began, 30, "a dispatcher, which sends tests")
        MADE.add(box)


class Person:
    """A user with a token of his own, so that one scenario knows nothing of another's webhooks."""

    def __init__(self, box, role="viewer"):
        _world(box)
        self.box, self.token = box, box.new_token(role)

    def api(self, method, path, body=None):
        return self.box.api(method, path, body, token=self.token)

    def endpoint(self, url, **more):
        """Told of nothing that happens in other scenarios."""
        return self.api("POST", "/api/endpoints", {"url": url, "events": ["alerts.triggered"], **more}).expect(201)

    def test(self, endpoint):
        return self.api("POST", "/api/endpoints/%s/test" % endpoint["id"]).expect(200)

    def history(self):
        return self.api("GET", "/api/webhooks/history").expect(200)["deliveries"]

    def get(self, endpoint):
        return self.api("GET", "/api/endpoints/" + endpoint["id"]).expect(200)

    def deliveries(self, endpoint):
        return self.api("GET", "/api/endpoints/%s/deliveries" % endpoint["id"]).expect(200)["deliveries"]


def _queue(box, endpoint, n=1, event="incident.opened", later_ms=0):
    """So many deliveries that are due, as an incident writes them; with all the attempts that the endpoint has. Their numbers, the oldest first."""
    row, tenant, user, quick = box.sql("SELECT id, tenant_id, user_id, 3 * (retries = 0) FROM endpoints WHERE public_id = '%s'" % endpoint["id"])[0]
    first = (int(time.time() * 1000) - 1577836800000 << 22) + int.from_bytes(os.urandom(2), "big") * 64
    body = json.dumps({"event": event, "type": event, "timestamp": "2026-01-02T03:04:05.000Z", "sequence": "1", "data": {"id": "5"}})
    box.sql("START TRANSACTION; INSERT INTO outbox (id, tenant_id, kind, target_id, cause_id, payload, attempts_max, next_at, created_at) SELECT @id := %d + seq, %s, 2, %s, @id, '%s',"
            " %s, UNIX_TIMESTAMP(NOW(3)) * 1000 + %d, UNIX_TIMESTAMP(NOW(3)) * 1000 FROM seq_1_to_%d; INSERT INTO deliveries (id, tenant_id, user_id, endpoint_id, event,"
            " url, summary) SELECT %d + seq, %s, %s, %s, '%s', '%s', 'Disk full' FROM seq_1_to_%d; COMMIT"
            % (first, tenant, row, body, quick, later_ms, n, first, tenant, user, row, event, endpoint["url"], n))
    return ["%d" % (first + i + 1) for i in range(n)]


def _due(box, endpoint):
    """What waits for a later attempt is due."""
    box.sql("UPDATE outbox o JOIN endpoints p ON p.id = o.target_id SET o.next_at = 1 WHERE o.kind = 2 AND o.status IN (0, 2) AND o.lease_owner = 0"
            " AND p.public_id = '%s'" % endpoint["id"])


def _hurry(box, endpoint):
    """And so is a probe."""
    _due(box, endpoint)
    box.sql("UPDATE breakers b JOIN endpoints p ON p.id = b.target_id SET b.probe_at = 1 WHERE b.kind = 2 AND p.public_id = '%s'" % endpoint["id"])


def _dispatcher_looked(box):
    """Once more at all that is due."""
    with Handler() as handler:
        _queue(box, Person(box).endpoint(handler.url))
        wait_until(lambda: handler.got, 20, "somebody else is told")


# ---- the webhook of /api/webhooks ----

def webhook_is_made_replaced_shown_and_removed(box):
    ann = Person(box)
    none = ann.api("GET", "/api/webhooks")
    same(none.expect(200), {"url": None, "has_secret": False, "is_active": False, "created_at": None, "updated_at": None, "message": None})
    true(none.header("X-RateLimit-Limit") and none.header("X-RateLimit-Remaining") and none.header("X-RateLimit-Reset"), "rate limit headers")
    same(ann.api("DELETE", "/api/webhooks").expect(404)["error"], "webhook_not_found")
    made = ann.api("POST", "/api/webhooks", {"url": "http://127.0.0.1:9/a", "secret": "s3cr3t"}).expect(201)
    same((made["url"], made["has_secret"], made["is_active"], set(made)),
         ("http://127.0.0.1:9/a", True, True, {"url", "has_secret", "is_active", "created_at", "updated_at", "message"}))
    made = ann.api("POST", "/api/webhooks", {"url": "http://127.0.0.1:9/b"}).expect(200)
    same((made["url"], made["has_secret"]), ("http://127.0.0.1:9/b", False))
    bad = ann.api("POST", "/api/webhooks", {"url": "ftp://127.0.0.1/"})
    same((bad.expect(400)["error"], bad.expect(400)["url"]), ("invalid_webhook_url", "ftp://127.0.0.1/"))
    history = ann.api("GET", "/api/webhooks/history").expect(200)
    same((history["deliveries"], history["count"], history["max_records"]), ([], 0, 50))
    true(history["user_id"].startswith("us_"), history)
    same(set(ann.api("DELETE", "/api/webhooks").expect(200)), {"message"})
    same(ann.api("GET", "/api/webhooks").expect(200)["url"], None)


def three_quick_attempts_and_four_seconds_then_it_has_failed(box):
    ann = Person(box)
    with Handler() as handler:
        handler.status, handler.body = 500, b"out of order"
        ann.api("POST", "/api/webhooks", {"url": handler.url, "secret": "s"}).expect(201)
        hook, = ann.api("GET", "/api/endpoints").expect(200)["endpoints"]
        same((hook["isConfig"], hook["retries"], hook["events"]), (True, False, ["alerts.triggered"]))
        number, = _queue(box, hook, event="alerts.triggered")
        wait_until(lambda: ann.history()[0]["status"] == "failed", 30, "it has failed")
        same({g.headers["webhook-id"] for g in handler.got}, {number}, "the id stays")
        at = [g.at for g in handler.got] + [box.number("SELECT finished_at FROM outbox WHERE id = " + number) / 1000]
        true(len(at) == 4 and all(b - a > wait - 0.01 for a, b, wait in zip(at, at[1:], (1, 2, 4))), "three attempts, after 1 and 2 s; after 4 s it is given up: %s" % at)
        shown, = ann.history()
        same((shown["id"], shown["event"], shown["url"], shown["payload_summary"], shown["http_status"], shown["attempts"], shown["failure_reason"]),
             (number, "alerts.triggered", handler.url, "Disk full", 500, 3, "It was answered 500."))
        true(shown["completed_at"] > shown["created_at"], shown)
        one = ann.api("GET", "/api/deliveries/" + number).expect(200)
        same([(a["attempt"], a["httpStatus"], a["answer"], a["error"]) for a in one["attemptLog"]],
             [(n, 500, "out of order", "It was answered 500.") for n in (1, 2, 3)])

        handler.status, handler.does = 204, handler.hang        # once more, by hand, under the same id
        same(ann.api("POST", "/api/deliveries/%s/redeliver" % number).expect(202)["status"], "pending")
        handler.release()
        wait_until(lambda: ann.history()[0]["status"] == "delivered", 10, "it is delivered")
        same((handler.got[3].headers["webhook-id"], ann.history()[0]["attempts"], ann.history()[0]["failure_reason"]), (number, 4, None))


# ---- what is told, and how it is signed ----

def incident_reaches_endpoints_whose_filters_name_it_signed_twice(box):
    ann, bob = Person(box), Person(box, "operator")
    with Handler() as mine, Handler() as his:
        secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        endpoint = ann.endpoint(mine.url, secret=secret, events=None)
        other = bob.endpoint(his.url, events=["incident.resolved"], secret="kein base64 \u00fc")
        box.send(box.integration("prometheus"), alerts(alert())).expect(201)
        wait_until(lambda: mine.got, 10, "the beginning is told")
        got = mine.got[0]
        body = body_of(got)
        true(signed_by(got, secret), "both signatures")
        same((got.headers["content-type"], got.headers["x-webhook-event"], got.headers["x-webhook-delivery"]),
             ("application/json", "incident.opened", got.headers["webhook-id"]))
        true(got.headers["user-agent"].startswith("Grapnel/") and abs(int(got.headers["webhook-timestamp"]) - got.at) < 60, got.headers)
        same((body["event"], body["type"], body["data"]["status"], body["data"]["entry"]["kind"]), ("incident.opened", "incident.opened", "OPEN", "opened"))
        box.api("POST", "/api/incidents/%s/acknowledge" % body["data"]["id"], {}).expect(200)
        box.api("POST", "/api/incidents/%s/resolve" % body["data"]["id"], {}).expect(200)
        wait_until(lambda: len(mine.got) == 3 and his.got, 20, "what followed is told")
        sequence = sorted((body_of(g) for g in mine.got), key=lambda told: int(told["sequence"]))      # several may be under way at once
        same([told["event"] for told in sequence], ["incident.opened", "incident.acknowledged", "incident.resolved"], "their sequence is their order")
        same([body_of(g)["event"] for g in his.got], ["incident.resolved"])
        true(signed_by(his.got[0], "kein base64 \u00fc"), "a secret of any bytes")
        wait_until(lambda: [d["status"] for d in ann.deliveries(endpoint)] == ["delivered"] * 3, 20, "all are delivered")
        same(ann.get(endpoint)["status"], "working")
        incident = "/api/incidents/" + body["data"]["id"]
        told = [n for n in ann.api("GET", incident).expect(200)["notifications"] if n["kind"] == "endpoint" and n["endpointId"] == endpoint["id"]]
        same([(n["type"], n["status"], n["attempts"], n["attemptLog"][0]["httpStatus"]) for n in told],
             [("incident." + what, "sent", 1, handler.status) for what in ("opened", "acknowledged", "resolved") for handler in [mine]])
        seen, = [n for n in bob.api("GET", incident).expect(200)["notifications"] if n["id"] == told[0]["id"]]
        same((seen["endpointId"], seen["endpoint"], seen["user"], seen["status"], seen["attemptLog"][0]["answer"]),
             (None, "/".join(mine.url.split("/")[:3]) + "/…", told[0]["user"], "sent", None), "a colleague sees neither path nor answer")
        true(mine.url not in bob.api("GET", incident).body.decode(), "nowhere")
        audited = box.api("GET", "/api/audit?limit=100").body.decode()
        true(endpoint["id"] in audited and mine.url not in audited, "and an administrator reads its host alone")
        ann.api("DELETE", "/api/endpoints/" + endpoint["id"]).expect(204)
        bob.api("DELETE", "/api/endpoints/" + other["id"]).expect(204)


def processed_event_reaches_endpoints_that_hear_of_events(box):
    ann, bob, stranger = Person(box), Person(box), Person(box)
    direct = box.integration("webhook", actions=["record"], rateLimitPerMinute=0)
    with Handler() as mine, Handler() as his, Handler() as deaf, Handler() as handler:
        forwarded = box.integration("webhook", actions=["forward"], handlerUrl=handler.url, rateLimitPerMinute=0)
        box.send(direct, {"type": "nobody.listens", "id": os.urandom(6).hex()}).expect(201)
        secret = ann.endpoint(mine.url, events=["event.*"])["secret"]
        all_of_it = bob.endpoint(his.url, events=["Event.Processed", "incident.resolved"])
        same(all_of_it["events"], ["event.processed", "incident.resolved"])
        stranger.endpoint(deaf.url)
        event = {"type": "order.paid", "id": os.urandom(6).hex()}
        number = box.send(direct, event).expect(201)["result"]["event"]["id"]
        box.send(direct, event).expect(200)
        wait_until(lambda: mine.got and his.got, 10, "both are told")
        body = body_of(mine.got[0])
        true(signed_by(mine.got[0], secret), "both signatures")
        same((body["event"], body["type"], body["sequence"], mine.got[0].headers["x-webhook-event"]), ("event.processed",) * 2 + (number, "event.processed"))
        same((set(body["data"]), body["data"]["webhook"]["id"], body["data"]["event"]["id"], body["data"]["event"]["eventType"]),
             ({"webhook", "event", "syncTriggered"}, direct["id"], number, "paid"))
        true("key" not in body["data"]["webhook"], body["data"]["webhook"])
        same(body_of(his.got[0])["data"]["event"]["id"], number)
        handler.status = 500
        number = box.send(forwarded, {"type": "order.paid", "id": os.urandom(6).hex()}).expect(201)["result"]["event"]["id"]
        wait_until(lambda: box.get("/api/events/" + number)["status"] == "failed", 20, "its handler does not take it")
        same(len(mine.got), 1, "it is not processed yet, and a repeat is no event")
        handler.status = 204
        box.api("POST", "/api/events/%s/retry" % number).expect(200)
        wait_until(lambda: len(mine.got) == 2, 20, "its forward is done")
        same((body_of(mine.got[1])["data"]["event"]["id"], deaf.got), (number, []))
        newest = ann.history()[-1]
        same((newest["event"], newest["payload_summary"]), ("event.processed", "webhook: order.paid"))
        for person in ann, bob, stranger:       # the others' events are none of theirs
            for endpoint in person.api("GET", "/api/endpoints").expect(200)["endpoints"]:
                person.api("DELETE", "/api/endpoints/" + endpoint["id"]).expect(204)


def rotation_signs_with_both_secrets_until_its_end(box):
    ann = Person(box)
    with Handler() as handler:
        endpoint = ann.endpoint(handler.url)
        old = endpoint["secret"]
        true(ann.test(endpoint)["success"] and signed_by(handler.got[0], old), "the made one")
        new = ann.api("POST", "/api/endpoints/%s/rotate-secret" % endpoint["id"], {"graceSeconds": 3600}).expect(200)["secret"]
        true(ann.test(endpoint)["success"], "with both")
        got = handler.got[1]
        content = b"%s.%s." % (got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode()) + got.body
        same(got.headers["webhook-signature"].split(" "), ["v1," + base64.b64encode(hmac.new(base64.b64decode(s[6:]), content, hashlib.sha256).digest()).decode()
                                                           for s in (new, old)])
        same(got.headers["x-webhook-signature"], "sha256=" + hmac.new(new.encode(), got.body, hashlib.sha256).hexdigest())
        ann.api("POST", "/api/endpoints/%s/rotate-secret" % endpoint["id"], {"graceSeconds": 0, "secret": "last"}).expect(200)
        true(ann.test(endpoint)["success"] and signed_by(handler.got[2], "last"), "with the last one alone")
        ann.api("PATCH", "/api/endpoints/" + endpoint["id"], {"secret": None}).expect(200)
        true(ann.test(endpoint)["success"], "unsigned")
        same([n for n in handler.got[3].headers if n.endswith("signature")], [])


# ---- receivers that are no good ----

def receiver_that_answers_nonsense_is_a_failed_attempt_with_a_sentence(box):
    ann = Person(box)
    for does, sentence in (("garbage", "No answer"), ("slam", "closed the connection"), ("hang", "did not answer in time"),
                           ("endless_headers", "headers without end")):
        with Handler() as handler:
            endpoint = ann.endpoint(handler.url)
            handler.does = getattr(handler, does)
            told = ann.test(endpoint)
            true(not told["success"] and sentence in told["message"], "%s: %s" % (does, told["message"]))
            same((told["delivery"]["status"], told["delivery"]["attempts"], told["delivery"]["httpStatus"]), ("failed", 1, None))
            ann.api("DELETE", "/api/endpoints/" + endpoint["id"]).expect(204)
    with socket.socket() as nobody:     # who has the port, but does not listen
        nobody.bind(("127.0.0.1", 0))
        endpoint = ann.endpoint("http://127.0.0.1:%d/hook" % nobody.getsockname()[1])
        true("does not take the connection" in ann.test(endpoint)["message"], "nobody there")


def status_counts_once_all_headers_are_there_whatever_becomes_of_the_body(box):
    ann = Person(box)
    for does, answer in ("cut", "only this"), ("drip", "xxx"), ("endless_body", "?" * 2 + "<b>??<b>"):
        for status, success in (200, True), (500, False):
            with Handler() as handler:
                endpoint = ann.endpoint(handler.url)
                handler.status, handler.does = status, getattr(handler, does)
                told = ann.test(endpoint)
                same((told["success"], told["delivery"]["status"], told["delivery"]["attempts"], told["attempt"]["httpStatus"]),
                     (success, "delivered" if success else "failed", 1, status), does)
                same(told["attempt"]["error"], None if success else "It was answered 500.")
                true(told["attempt"]["answer"].startswith(answer) and len(told["attempt"]["answer"]) <= 4096, told["attempt"]["answer"])
                ann.api("DELETE", "/api/endpoints/" + endpoint["id"]).expect(204)


def _peak_mib(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(next(line for line in f if line.startswith("VmHWM")).split()[1]) / 1024


def answers_without_end_leave_the_dispatcher_small_and_others_served(box):
    ann, bob = Person(box), Person(box)
    hostile = [Handler() for _ in range(5)]
    try:
        with Handler() as handler:
            good, bad = bob.endpoint(handler.url), []
            for h, does in zip(hostile, ("endless_headers", "endless_body", "garbage", "drip", "hang")):
                h.status, h.does = 200, getattr(h, does)
                bad.append(ann.endpoint(h.url))
                _queue(box, bad[-1], 20)
            wait_until(lambda: all(h.got for h in hostile), 20, "all of them answer in their way")
            numbers = _queue(box, good, 100)
            wait_until(lambda: {g.headers["webhook-id"] for g in handler.got} >= set(numbers), 30, "the other one gets all of its own")
            wait_until(lambda: all(d["status"] == "delivered" for d in ann.deliveries(bad[1])), 30, "who said 200 has got his")
            pid = _dispatcher(box)
            most = 128 if "ASAN_OPTIONS" in os.environ else 24      # sanitizers keep what was freed, and a shadow of all
            true(_peak_mib(pid) < most, "the dispatcher had %.1f MiB" % _peak_mib(pid))
            for endpoint in bad:
                ann.api("DELETE", "/api/endpoints/" + endpoint["id"]).expect(204)
    finally:
        for h in hostile:
            h.__exit__()


def answer_is_read_no_further_than_64_kib_and_4_are_kept(box):
    sent = []

    def endless_body(request):
        request.wfile.write(b"HTTP/1.1 500 Oh\r\n\r\n")
        request.close_connection = True
        while True:
            sent.append(request.wfile.write(b"<b>" * 1000))

    ann = Person(box)
    with Handler() as handler:
        endpoint = ann.endpoint(handler.url)
        handler.does = endless_body
        told = ann.test(endpoint)
        same((told["success"], told["attempt"]["httpStatus"], len(told["attempt"]["answer"])), (False, 500, 4096))
        true(sum(sent) < 16 << 20, "it was cut off after %d bytes" % sum(sent))


def old_address_that_is_gone_does_not_switch_off_the_new_one(box):
    ann = Person(box)
    with Handler() as old, Handler() as new:
        endpoint = ann.endpoint(old.url)
        old.status, old.does = 410, old.hang
        number, = _queue(box, endpoint)
        wait_until(lambda: old.inside, 10, "the old one is asked")
        ann.api("PATCH", "/api/endpoints/" + endpoint["id"], {"url": new.url}).expect(200)
        old.release()
        wait_until(lambda: ann.api("GET", "/api/deliveries/" + number).expect(200)["status"] == "failed", 10, "it says that it is gone")
        same(ann.get(endpoint)["enabled"], True, "nobody asked the new one")
        same(ann.test(endpoint)["success"], True)
        ann.api("DELETE", "/api/endpoints/" + endpoint["id"]).expect(204)


def redirect_is_not_followed_and_410_switches_it_off(box):
    ann = Person(box, "admin")
    with Handler() as inside, Handler() as handler:
        endpoint = ann.endpoint(handler.url)
        handler.status, handler.headers = 307, {"Location": inside.url}
        told = ann.test(endpoint)
        same((told["success"], told["message"]), (False, "It was answered 307; redirects are not followed."))
        same(inside.got, [], "nobody went there")
        handler.status, handler.headers = 410, {}
        number, = _queue(box, endpoint)
        wait_until(lambda: not ann.get(endpoint)["enabled"], 10, "it is switched off")
        same((ann.get(endpoint)["disabledReason"], ann.api("GET", "/api/deliveries/" + number).expect(200)["status"]), ("It was answered 410.", "failed"))
        running = [a for a in ann.api("GET", "/api/admin/webhooks/monitor/alerts").expect(200)["alerts"] if (a["type"], a["subject"]) == ("ENDPOINT_DISABLED", endpoint["id"])]
        true(len(running) == 1 and not running[0]["endedAt"], running)
        same(running[0]["message"], "The endpoint at 127.0.0.1 was switched off: It was answered 410.", "without its path")
        same(ann.api("POST", "/api/deliveries/%s/redeliver" % number).status, 409, "while it is off")
        ann.api("PATCH", "/api/endpoints/" + endpoint["id"], {"enabled": True}).expect(200)
        ended = [a for a in ann.api("GET", "/api/admin/webhooks/monitor/alerts").expect(200)["alerts"] if a["id"] == running[0]["id"]]
        true(ended[0]["endedAt"], "its monitor alert is over")


def retry_after_is_heeded_but_not_for_ever(box):
    ann = Person(box)
    with Handler() as handler:
        endpoint = ann.endpoint(handler.url)

        def busy(request):
            handler.headers = {"Retry-After": "3" if len(handler.got) < 3 else "999999999"}
            handler.answer(request)

        handler.status, handler.does = 503, busy
        number, = _queue(box, endpoint)
        wait_until(lambda: len(handler.got) > 2, 30, "it is tried again, and again")
        true(all(b.at - a.at > 2.99 for a, b in zip(handler.got, handler.got[1:])), "after 3 s")
        wait_until(lambda: ann.api("GET", "/api/deliveries/" + number).expect(200)["nextAt"], 10, "its next attempt is known")
        wait_s = box.number("SELECT next_at FROM outbox WHERE id = %s" % number) / 1000 - handler.got[2].at
        true(3599 < wait_s < 3700, "an hour at most, not %d s" % wait_s)


# ---- left alone ----

def breaker_opens_after_five_failures_probes_and_closes(box):
    ann = Person(box)
    with Handler() as handler:
        handler.status = 500
        endpoint = ann.endpoint(handler.url)
        numbers = _queue(box, endpoint, 20)
        wait_until(lambda: ann.get(endpoint)["circuit"] == "open", 10, "the breaker opens")
        ours = "FROM outbox WHERE id BETWEEN %s AND %s" % (numbers[0], numbers[-1])
        wait_until(lambda: not box.number("SELECT COUNT(*) %s AND lease_owner <> 0" % ours), 20, "what was not sent is given back")
        same((len(handler.got), box.number("SELECT SUM(attempts) " + ours)), (5, 5), "attempts until it opened")
        _due(box, endpoint)
        _dispatcher_looked(box)
        same((len(handler.got), box.number("SELECT SUM(attempts) " + ours)), (5, 5), "nothing is sent meanwhile, and no attempt is used")
        breaker = "FROM breakers b JOIN endpoints p ON p.id = b.target_id WHERE b.kind = 2 AND p.public_id = '%s'" % endpoint["id"]
        same(box.number("SELECT probe_at - opened_at " + breaker), 60_000, "the first probe is due after a minute")
        _hurry(box, endpoint)
        wait_until(lambda: box.number("SELECT wait_ms " + breaker) == 120_000, 20, "one delivery tries it, and its failure doubles the wait")
        _due(box, endpoint)
        _dispatcher_looked(box)
        same(len(handler.got), 6, "and only one")
        handler.status = 204
        _hurry(box, endpoint)
        wait_until(lambda: ann.get(endpoint)["circuit"] == "closed", 10, "its success closes it")
        _hurry(box, endpoint)
        wait_until(lambda: box.jobs("outbox") and all(d["status"] == "delivered" for d in ann.deliveries(endpoint)), 30, "and all of it is sent")


def probe_that_is_not_sent_leaves_its_turn_to_the_next(box):
    ann = Person(box)
    with Handler() as handler:
        endpoint = ann.endpoint(handler.url)
        broken, whole = _queue(box, endpoint, 2, later_ms=3600000)
        box.sql("UPDATE outbox SET payload = 'no JSON' WHERE id = %s; INSERT INTO breakers (kind, target_id, failures, opened_at, wait_ms, probe_at, error, updated_at)"
                " SELECT 2, id, 5, 1, 60000, 1, 'down', 1 FROM endpoints WHERE public_id = '%s'" % (broken, endpoint["id"]))
        _due(box, endpoint)
        wait_until(lambda: ann.api("GET", "/api/deliveries/" + whole).expect(200)["status"] == "delivered", 20, "the second is sent, and not when a lease of 30 s is over")
        same((ann.api("GET", "/api/deliveries/" + broken).json()["status"], len(handler.got), ann.get(endpoint)["circuit"]), ("failed", 1, "closed"))


def receiver_that_hangs_leaves_others_alone(box):
    ann, bob = Person(box), Person(box)
    box.up("--set", "outbound.timeout_ms=30000")
    with Handler() as hanging, Handler() as quick:
        try:
            hanging.does = hanging.hang
            slow, good = ann.endpoint(hanging.url), bob.endpoint(quick.url)
            _queue(box, slow, 50)
            wait_until(lambda: hanging.inside, 10, "one hangs")
            numbers = _queue(box, good, 300)
            wait_until(lambda: {g.headers["webhook-id"] for g in quick.got} >= set(numbers), 20, "the others are sent")
            same(box.number("SELECT COUNT(*) FROM outbox o JOIN endpoints p ON p.id = o.target_id WHERE o.kind = 2 AND (o.status <> 0 OR o.error IS NOT NULL)"
                            " AND p.public_id = '%s'" % slow["id"]), 0, "while it hangs, none of its attempts has ended")
            true(hanging.most <= 5, "at most five at once")
            ann.api("DELETE", "/api/endpoints/" + slow["id"]).expect(204)
        finally:
            hanging.release()
            box.up("--set", "outbound.timeout_ms=5000")


def five_days_of_failures_switch_it_off_and_tell_its_owner(box):
    ann = Person(box)
    with Handler() as handler:
        handler.status = 500
        endpoint = ann.endpoint(handler.url)
        box.sql("UPDATE endpoints SET failures = 30, failing_since = (UNIX_TIMESTAMP() - 5 * 86400) * 1000 WHERE public_id = '%s'" % endpoint["id"])
        _queue(box, endpoint)
        wait_until(lambda: not ann.get(endpoint)["enabled"], 10, "it is switched off")
        true("five days" in ann.get(endpoint)["disabledReason"], ann.get(endpoint))
        same([d["status"] for d in ann.deliveries(endpoint)], ["failed"])
        true(box.number("SELECT COUNT(*) FROM monitor_alerts WHERE type = 'ENDPOINT_DISABLED' AND subject = '%s' AND ended_at IS NULL" % endpoint["id"]) == 1, "told")


def deleting_fails_what_is_pending(box):
    ann = Person(box)
    with Handler() as handler:
        endpoint = ann.endpoint(handler.url)
        _queue(box, endpoint, later_ms=60_000)
        ann.api("DELETE", "/api/endpoints/" + endpoint["id"]).expect(204)
        shown, = ann.history()
        same((shown["status"], shown["failure_reason"], shown["attempts"], shown["url"]), ("failed", "endpoint deleted", 0, handler.url))
        same(handler.got, [])


def history_shows_the_newest_fifty_the_oldest_first(box):
    ann = Person(box)
    with Handler() as handler:
        endpoint = ann.endpoint(handler.url)
        numbers = _queue(box, endpoint, 60)
        wait_until(lambda: len(handler.got) >= 60, 30, "they are sent")
        answer = ann.api("GET", "/api/webhooks/history").expect(200)
        same(([d["id"] for d in answer["deliveries"]], answer["count"], answer["max_records"]), (numbers[10:], 50, 50))
        page = ann.api("GET", "/api/endpoints/%s/deliveries?limit=7" % endpoint["id"]).expect(200)
        same([d["id"] for d in page["deliveries"]], numbers[::-1][:7])


def deliveries_are_listed_by_what_became_of_them(box):
    ann = Person(box)
    with Handler() as handler:
        endpoint = ann.endpoint(handler.url)
        numbers = _queue(box, endpoint, 3)
        wait_until(lambda: [d["status"] for d in ann.deliveries(endpoint)] == ["delivered"] * 3, 20, "they are sent")
        waiting, = _queue(box, endpoint, later_ms=3600000)
        box.sql("UPDATE outbox SET status = 3 WHERE id = %s" % numbers[0])
        path = "/endpoints/%s/deliveries" % endpoint["id"]
        for words, ids in (("failed", numbers[:1]), ("delivered", numbers[:0:-1]), ("pending", [waiting]), ("pending,failed", [waiting, numbers[0]])):
            same([d["id"] for d in ann.api("GET", "/api%s?status=%s" % (path, words)).expect(200)["deliveries"]], ids, words)
        first = ann.api("GET", "/api%s?status=delivered&limit=1" % path).expect(200)
        rest = ann.api("GET", "/api%s?status=delivered&limit=1&cursor=%s" % (path, first["next"])).expect(200)
        same([d["id"] for d in first["deliveries"] + rest["deliveries"]], numbers[:0:-1])
        ann.api("GET", "/api%s?status=lost" % path).expect(400, "invalid_request", "status")
    visitor = Visitor(box, "viewer")
    box.sql("UPDATE endpoints p JOIN users u ON u.name = '%s' SET p.user_id = u.id WHERE p.public_id = '%s'" % (visitor.name, endpoint["id"]))
    page = visitor.page(path + "?status=failed")
    true('?status=failed" aria-current="true">failed' in page and ">1 in all<" in page and numbers[0] in page and numbers[1] not in page, page[-2000:])
    same(len(visitor.request("GET", path + ".csv?status=delivered").body.splitlines()), 3, "a heading and two")
    box.sql("UPDATE outbox SET status = 1 WHERE id = %s" % numbers[0])
    true('<a href="%s">Show all</a>' % path in visitor.page(path + "?status=failed"), "none fits, and there are others")


# ---- who may not be reached ----

def address_that_is_not_allowed_is_refused_at_once_and_when_it_is_connected_to(box):
    ann = Person(box)
    for url in ("http://127.0.0.2/", "http://10.0.0.1/", "http://169.254.169.254/latest/", "http://2130706434/", "http://0x7f000002/", "http://0177.0.0.2/",
                "http://127.2/", "http://[::ffff:127.0.0.2]/", "http://[::ffff:a9fe:a9fe]/", "http://[fe80::1]/", "http://0.0.0.0/", "http://[::]/",
                "http://user:password@127.0.0.1/", "http:///path", "gopher://127.0.0.1/", "http://localhost.localdomain@10.0.0.1/"):
        bad = ann.api("POST", "/api/webhooks", {"url": url})
        same((bad.expect(400)["error"], bad.expect(400)["url"]), ("invalid_webhook_url", url))
        same(ann.api("POST", "/api/endpoints", {"url": url}).expect(400)["field"], "url")
    with Handler() as handler:
        endpoint = ann.endpoint(handler.url)
        inside = handler.url.replace("127.0.0.1", "127.0.0.2")      # as if the name had led elsewhere when it was looked at
        box.sql("UPDATE endpoints SET url = '%s' WHERE public_id = '%s'" % (inside, endpoint["id"]))
        number, = _queue(box, endpoint)
        wait_until(lambda: ann.api("GET", "/api/deliveries/" + number).expect(200)["status"] == "failed", 10, "it is given up")
        one = ann.api("GET", "/api/deliveries/" + number).expect(200)
        same((one["attempts"], one["error"], handler.got), (1, "It leads to an address or port that is not allowed.", []))


def name_that_does_not_resolve_is_taken_and_fails_when_it_is_sent(box):
    ann = Person(box)
    endpoint = ann.endpoint("https://nowhere.invalid/hook")
    same(ann.test(endpoint)["message"], "Its name does not resolve.")


# ---- Standard Webhooks' own library ----

def library_of_standard_webhooks_accepts_what_is_sent(box):
    ann = Person(box)
    modules = node.modules(HERE, node.FOLDER)
    with Handler() as handler:
        endpoint = ann.endpoint(handler.url)
        old = endpoint["secret"]
        true(ann.test(endpoint)["success"], "taken")
        new = ann.api("POST", "/api/endpoints/%s/rotate-secret" % endpoint["id"], {}).expect(200)["secret"]
        true(ann.test(endpoint)["success"], "taken")
        for got, secrets in zip(handler.got, ([old], [new, old])):
            for secret in secrets:
                said = subprocess.run(["node", os.path.join(HERE, "standard_webhooks.js"), modules], text=True, capture_output=True,
                                      input=json.dumps({"secret": secret, "headers": got.headers, "body": got.body.decode()}))
                same((said.returncode, said.stdout), (0, "endpoint.test\n"), said.stderr)
            wrong = subprocess.run(["node", os.path.join(HERE, "standard_webhooks.js"), modules], text=True, capture_output=True,
                                   input=json.dumps({"secret": secrets[0], "headers": got.headers, "body": got.body.decode() + " "}))
            same(wrong.returncode, 1, "it refuses another body")
