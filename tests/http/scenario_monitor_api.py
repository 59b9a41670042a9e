"""The monitor: what it says, and what it can have done about events that fail, hang, are old or came twice."""
import contextlib
import json
import os
import subprocess
import time

from handler import Handler
from harness import alert, alerts, same, true, wait_until

WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew
PATH = "/api/admin/webhooks/monitor"


def _open(box):
    """Loopback is where the handlers of these tests are. No dispatcher runs: what an act makes due it might send between two statements of the act,
    which is told as queued then."""
    if box.setting("outbound", "allow") != "127.0.0.0/8":
        box.up("--set", "outbound.allow=127.0.0.0/8", "--set", "outbound.dispatcher=false")


TOKENS = {}     # of the administrator, by instance: the newest and how often it acted


def _administrator(box):
    """A token acts 60 times a minute at most, and these scenarios act more often: the same person takes another one in time."""
    token, acts = TOKENS.get(box, (None, 50))
    if acts == 50:
        token, acts = box.another_token(), 0
    TOKENS[box] = (token, acts + 1)
    return token


def _act(box, action, token=None, dry_run=None, **params):
    body = {"action": action, "params": params}
    if dry_run is not None:
        body["dryRun"] = dry_run
    return box.api("POST", PATH, body, token or _administrator(box))


def _do(box, action, token=None, **params):
    answer = _act(box, action, token, **params).expect(200)
    same((answer["success"], answer["data"]["action"]), (True, action))
    return answer["data"]


def _source(box, handler, token=None, **more):
    _open(box)
    return box.integration("webhook", token, actions=["forward"], handlerUrl=handler.url, **more)


def _send(box, source, event_id=None, **members):
    headers = {"Idempotency-Key": event_id} if event_id else {}
    body = {"type": "order.paid", "id": os.urandom(6).hex(), **members}
    return box.send(source, body, headers).expect(201)["result"]["event"]["id"]


def _until(box, number, status, token=None):
    def there():
        box.jobs("retries")
        return box.get("/api/events/" + number, token)["status"] == status
    wait_until(there, 60, "event %s is %s" % (number, status))


LATER = {"maxRetries": 4, "backoffSeconds": 3600}     # what failed is not tried again by itself while a scenario lasts


def _tenant(box):
    """A tenant of its own, whose figures nobody else changes: an admin's token."""
    tenant = box.new_tenant()
    return tenant, box.new_token("admin", "all", tenant)


def _status(box, number, token=None):
    return box.get("/api/events/" + number, token)["status"]


def _audited(box, action, tenant=1):
    return box.number("SELECT COUNT(*) FROM audit_log WHERE action = '%s' AND tenant_id = %d" % (action, tenant))


def _detail(box, action, tenant):
    return json.loads(box.sql("SELECT detail FROM audit_log WHERE action = '%s' AND tenant_id = %d ORDER BY id DESC LIMIT 1"
                              % (action, tenant))[0][0])


# ---- what it takes ----

def bad_actions_are_refused_with_the_field(box):
    for body, field in (({}, "action"), ({"action": "explode"}, "action"), ({"action": "cleanup,retry-failed"}, "action"),
                        ({"action": "cleanup", "params": {"olderThanDays": -1}}, "olderThanDays"),
                        ({"action": "cleanup", "params": {"olderThanDays": 0}}, "olderThanDays"),
                        ({"action": "cleanup", "params": {"olderThanDays": "90 days"}}, "olderThanDays"),
                        ({"action": "cleanup", "params": {"eventId": "1"}}, "eventId"),
                        ({"action": "cleanup", "params": 5}, "params"),
                        ({"action": "cleanup", "days": 5}, "days"),
                        ({"action": "retry-failed", "params": {"limit": 0}}, "limit"),
                        ({"action": "retry-failed", "params": {"limit": -3}}, "limit"),
                        ({"action": "retry-failed", "params": {"maxAttempts": 0}}, "maxAttempts"),
                        ({"action": "retry-failed", "params": {"provider": "nobody"}}, "provider"),
                        ({"action": "retry-event"}, "eventId"), ({"action": "delete-event", "params": {"eventId": ""}}, "eventId"),
                        ({"action": "mark-processed"}, "eventIds"), ({"action": "mark-processed", "params": {"filter": {}}}, "filter"),
                        ({"action": "mark-processed", "params": {"filter": {"provider": "", "q": ""}}}, "filter"),
                        ({"action": "mark-processed", "params": {"filter": {"status": "lost"}}}, "status"),
                        ({"action": "mark-processed", "params": {"filter": {"from": "yesterday"}}}, "from"),
                        ({"action": "mark-processed", "params": {"eventIds": ["1"], "filter": {"status": "dead"}}}, "eventIds"),
                        ({"action": "find-duplicates", "params": {"timeWindow": -60}}, "timeWindow"),
                        ({"action": "auto-remediate", "dryRun": "maybe"}, "dryRun")):
        box.api("POST", PATH, body, _administrator(box)).expect(400, "invalid_request", field)
    box.request("POST", PATH, "no json", {"Authorization": "Bearer " + _administrator(box), "Content-Type": "application/json"}).expect(400, "invalid_payload")
    for action in "retry-event", "delete-event":
        for unknown in "123456789012345678", "never-sent", "99999999999999999999999":
            _act(box, action, eventId=unknown).expect(404, "not_found", "eventId")
    _act(box, "mark-processed", eventIds=["123456789012345678"]).expect(404, "not_found", "eventIds")


def only_admins_may(box):
    box.api("POST", PATH, {"action": "cleanup"}, box.new_token("operator", "all")).expect(403, "forbidden")
    box.api("POST", PATH, {"action": "cleanup"}, box.new_token("admin", "read,events")).expect(403, "forbidden")
    box.request("POST", PATH, "{}", source=box.fresh_address()).expect(401, "unauthorized")
    box.api("GET", PATH, token=box.new_token("viewer", "all")).expect(403, "forbidden")
    box.api("GET", PATH + "/alerts", token=box.new_token("operator", "all")).expect(403, "forbidden")


def things_of_another_tenant_are_not_there(box):
    with Handler() as handler:
        handler.status = 500
        number = _send(box, _source(box, handler, retryPolicy=LATER), "theirs-1")
        _until(box, number, "failed")
        _, token = _tenant(box)
        for action in "retry-event", "delete-event":
            for name in number, "theirs-1":
                _act(box, action, token, eventId=name).expect(404, "not_found", "eventId")
        _act(box, "mark-processed", token, eventIds=[number]).expect(404, "not_found", "eventIds")
        same(_do(box, "mark-processed", token, filter={"status": "failed"})["affected"], 0)
        same(_do(box, "retry-failed", token)["affected"], 0)
        same(_do(box, "auto-remediate", token)["affected"], 0)
        box.api("POST", PATH + "?tenant=default", {"action": "cleanup"}, token).expect(403, "forbidden", "tenant")
        same((_status(box, number), len(handler.got)), ("failed", 1))
        _do(box, "delete-event", eventId=number)


# ---- one event ----

def an_event_is_retried_and_the_answer_says_what_became_of_it(box):
    with Handler() as handler:
        handler.status = 503
        source = _source(box, handler, retryPolicy={"maxRetries": 0})
        number = _send(box, source, "order-%s" % os.urandom(4).hex())
        _until(box, number, "dead")
        same(_act(box, "retry-event", dry_run=True, eventId=number).expect(200)["data"]["sample"][0]["status"], "dead")
        same(len(handler.got), 1, "a dry run sends nothing")
        data = _do(box, "retry-event", eventId=number)
        result, = data["results"]
        same((data["affected"], result["success"], result["outcome"], result["status"], result["attempts"], result["message"]),
             (1, False, "failed", "dead", 2, "The handler answered 503."))
        handler.status = 200
        event = box.get("/api/events/" + number)
        result, = _do(box, "retry-event", eventId=event["eventId"])["results"]      # by the provider's id
        same((result["id"], result["success"], result["outcome"], result["status"]), (number, True, "processed", "processed"))
        same((_status(box, number), len(handler.got)), ("processed", 3))
        message = _act(box, "retry-event", eventId=number).expect(409, "conflict", "eventId")["message"]
        true("processed" in message, message)
        same(box.number("SELECT COUNT(*) FROM audit_log WHERE action = 'monitor.retry-event' AND object = '%s'" % number), 2)


def an_id_that_fits_several_events_is_asked_back(box):
    with Handler() as handler:
        handler.status = 500
        name = "twin-" + os.urandom(4).hex()
        numbers = [_send(box, _source(box, handler, retryPolicy=LATER), name) for _ in range(2)]
        for number in numbers:
            _until(box, number, "failed")
        for action in "retry-event", "delete-event":
            answer = _act(box, action, eventId=name).expect(409, "conflict", "eventId")
            same(sorted(c["id"] for c in answer["candidates"]), sorted(numbers))
            same({c["eventId"] for c in answer["candidates"]}, {name})
        data = _do(box, "mark-processed", eventIds=[name, numbers[0]])
        same([(r["outcome"], r["success"]) for r in data["results"]], [("ambiguous", False), ("processed", True)])
        same([_status(box, n) for n in numbers], ["processed", "failed"])
        group, = [g for g in _do(box, "find-duplicates", limit=1000)["groups"] if g["eventId"] == name]
        same((group["kind"], group["count"], sorted(group["events"])), ("sources", 2, sorted(numbers)))


def an_event_that_is_named_twice_is_one(box):
    with Handler() as handler:
        handler.status = 500
        name = "both-" + os.urandom(4).hex()
        number = _send(box, _source(box, handler, retryPolicy=LATER), name)
        _until(box, number, "failed")
        data = _act(box, "mark-processed", dry_run=True, eventIds=[number, name, number]).expect(200)["data"]
        same((data["affected"], [s["id"] for s in data["sample"]]), (1, [number]))
        data = _do(box, "mark-processed", eventIds=[number, "never-sent", name])
        same((data["affected"], [r["outcome"] for r in data["results"]]), (1, ["not_found", "processed"]))


def a_deleted_event_is_gone_and_may_come_again(box):
    source = box.integration("prometheus")
    body = alerts(alert())
    result = box.send(source, body).expect(201)["result"]
    number = result["event"]["id"]
    before = _audited(box, "event.delete")
    same(_act(box, "delete-event", dry_run=True, eventId=number).expect(200)["data"]["affected"], 1)
    same(_status(box, number), "processed")
    data = _do(box, "delete-event", eventId=number)
    same((data["affected"], data["results"][0]["outcome"]), (1, "deleted"))
    box.api("GET", "/api/events/" + number).expect(404)
    incident = box.get("/api/incidents/" + result["incident"]["id"])
    same(([a for a in incident["alerts"] if a["eventId"] == number], incident["status"]), ([], "OPEN"))
    _act(box, "delete-event", eventId=number).expect(404, "not_found", "eventId")
    same(_audited(box, "event.delete"), before + 1)
    delivery = box.get("/api/integrations/%s/deliveries" % source["id"])["deliveries"][0]
    same((delivery["statusCode"], delivery["eventId"]), (201, None), "its request stays in the log")
    again = box.send(source, body).expect(201)["result"]["event"]["id"]
    true(again != number, "its sender may send it anew")


def an_event_that_is_being_sent_is_left_alone(box):
    with Handler() as handler:
        handler.does = handler.hang
        source = _source(box, handler)
        box.up("--set", "outbound.timeout_ms=20000")
        cron = None
        try:
            number = _send(box, source)
            cron = subprocess.Popen([box.env["GRAPNEL_PREFIX"] + "/bin/grapnel-cron", "-c", box.env["GRAPNEL_CONF"], "retries"])
            wait_until(lambda: handler.got, 30, "it is under way")
            for action in "retry-event", "delete-event":
                _act(box, action, eventId=number).expect(409, "conflict", "eventId")
            result, = _do(box, "mark-processed", eventIds=[number])["results"]
            same((result["success"], result["outcome"], result["status"]), (False, "skipped", "processing"))
        finally:
            handler.release()
            if cron:
                cron.wait()
            box.up("--set", "outbound.timeout_ms=10000")
        _until(box, number, "processed")


# ---- many ----

def failed_events_are_retried_within_bounds(box):
    tenant, token = _tenant(box)
    with Handler() as handler, Handler() as other:
        handler.status = other.status = 500
        source, second = (_source(box, h, token, retryPolicy=LATER) for h in (handler, other))
        numbers = [_send(box, source) for _ in range(4)]
        for number in numbers:
            _until(box, number, "failed", token)
        broken = _send(box, second)
        _until(box, broken, "failed", token)
        data = _act(box, "retry-failed", token, dry_run=True, limit=3).expect(200)["data"]
        same((data["affected"], data["left"], len(data["sample"])), (3, 2, 3))
        same(len(handler.got) + len(other.got), 5, "a dry run sends nothing")
        same(_do(box, "retry-failed", token, maxAttempts=1)["affected"], 0, "each was tried once")
        same(_do(box, "retry-failed", token, provider="github")["affected"], 0, "of another provider")
        handler.status = 200
        data = _do(box, "retry-failed", token, provider="webhook")
        outcomes = {r["id"]: (r["outcome"], r["success"], r["status"]) for r in data["results"]}
        same((data["affected"], data["left"], data["more"]), (5, 0, False))
        same([outcomes[n] for n in numbers], [("processed", True, "processed")] * 4)
        same(outcomes[broken], ("failed", False, "failed"))
        same([r["message"] for r in data["results"] if r["id"] == broken], ["The handler answered 500."])
        same(_audited(box, "monitor.retry-failed", tenant), 3)


@contextlib.contextmanager
def _dispatcher(box):
    _open(box)
    box.up("--set", "outbound.dispatcher=true")
    try:
        yield
    finally:
        box.up("--set", "outbound.dispatcher=false")


def all_events_of_a_handler_that_answers_again_are_retried(box):
    _, token = _tenant(box)
    with Handler() as handler, _dispatcher(box):
        handler.status = 500
        source = _source(box, handler, token)
        numbers = [_send(box, source) for _ in range(8)]
        opened = ("SELECT COUNT(*) FROM breakers b JOIN sources s ON s.id = b.target_id WHERE b.kind = 1 AND b.opened_at IS NOT NULL"
                  " AND s.public_id = '%s'" % source["id"])
        wait_until(lambda: box.number(opened), 60, "the breaker opens")
        handler.status = 200
        results = {r["id"]: r["outcome"] for r in _do(box, "retry-failed", token)["results"]}
        true(len(results) >= 5, "those that failed")
        true(set(results.values()) <= {"processed", "queued"}, "not only the first of them; the dispatcher may have sent some: %s" % results)
        for number in numbers:
            _until(box, number, "processed", token)


def events_are_marked_processed_by_a_filter(box):
    tenant, token = _tenant(box)
    with Handler() as handler:
        handler.status = 500
        source, other = (_source(box, handler, token, retryPolicy={"maxRetries": 0}) for _ in range(2))
        numbers = [_send(box, source) for _ in range(3)]
        kept = _send(box, other)
        for number in numbers + [kept]:
            _until(box, number, "dead", token)
        wish = {"source": source["id"], "status": "dead,processed"}
        data = _act(box, "mark-processed", token, dry_run=True, filter=wish).expect(200)["data"]
        same((data["affected"], sorted(s["id"] for s in data["sample"])), (3, sorted(numbers)))
        data = _act(box, "mark-processed", token, dry_run=True, filter=wish, limit=2).expect(200)["data"]
        same((data["affected"], data["left"]), (2, 1), "as many as it would mark")
        data = _act(box, "mark-processed", token, dry_run=True, filter=wish, **{"dryRun": False}).expect(200)["data"]
        same((data["dryRun"], data["affected"]), (True, 3), "said in one place is enough")
        same(_status(box, numbers[0], token), "dead", "a dry run changes nothing")
        data = _do(box, "mark-processed", token, filter=wish, limit=2)
        same((data["affected"], len(data["results"]), data["more"]), (2, 2, True))
        data = _do(box, "mark-processed", token, filter=wish)
        same((data["affected"], data["more"]), (1, False))
        same([_status(box, n, token) for n in numbers + [kept]], ["processed"] * 3 + ["dead"])
        same(_do(box, "mark-processed", token, eventIds=numbers[:1] + ["x" * 250] * 99)["results"][0]["outcome"], "not_found")
        same(_detail(box, "monitor.mark-processed", tenant), {"affected": 0, "eventIds": [int(numbers[0])]})
        same(_do(box, "mark-processed", token, eventIds=numbers[:1])["results"][0]["outcome"], "unchanged")
        same(_do(box, "mark-processed", token, filter={"status": "processed"})["affected"], 0)
        box.jobs("retries")
        same(len(handler.got), 4, "nothing of them waits any more")
        true(_audited(box, "monitor.mark-processed", tenant) >= 3, "audited")


def cleanup_takes_what_is_old_and_keeps_what_an_open_incident_needs(box):
    tenant, token = _tenant(box)
    plain, paging = box.integration("webhook", token, actions=["record"]), box.integration("prometheus", token)
    numbers = [_send(box, plain) for _ in range(5)]
    needed = box.send(paging, alerts(alert())).expect(201)["result"]["event"]["id"]
    old = 100 * 86400000
    for table in "events", "requests":
        box.sql("UPDATE %s SET id = id - (%d << 22)%s WHERE source_id IN (SELECT id FROM sources WHERE tenant_id = %d)"
                % (table, old, ", request_id = request_id - (%d << 22), received_at = received_at - %d" % (old, old) if table == "events"
                   else "", tenant))
    box.sql("UPDATE event_ids SET event_id = event_id - (%d << 22) WHERE source_id IN (SELECT id FROM sources WHERE tenant_id = %d)" % (old, tenant))

    def left():
        return box.number("SELECT COUNT(*) FROM events WHERE tenant_id = %d" % tenant)
    same(_do(box, "cleanup", token, olderThanDays=200)["affected"], 0, "nothing is as old")
    data = _act(box, "cleanup", token, dry_run=True).expect(200)["data"]
    same((data["affected"], data["cleanup"]["counts"].split(";")[0], len(data["sample"])), (10, "events 5, requests 5", 5))
    same(left(), 6, "a dry run removes nothing")
    sample = box.api("POST", PATH + "?tenant=all", {"action": "cleanup", "params": {"dryRun": True}}).expect(200)["data"]["sample"]
    true(0 < len(sample) <= 10, "of all tenants: %d" % len(sample))
    data = _do(box, "cleanup", token)
    same((data["affected"], data["cleanup"]["outcome"], data["left"], data["more"]), (10, "done", 0, False))
    same((left(), box.number("SELECT COUNT(*) FROM events WHERE id = %d" % (int(needed) - (old << 22)))), (1, 1), "of an open incident")
    same((len(numbers), _audited(box, "monitor.cleanup", tenant)), (5, 2))


def duplicates_of_three_kinds_are_found(box):
    _, token = _tenant(box)
    source, twin = box.integration("webhook", token), box.integration("webhook", token)
    body = json.dumps({"type": "order.paid", "note": os.urandom(20).hex()})

    def send(to, name, text):
        return box.send(to, text, {"Idempotency-Key": name})
    same(_do(box, "find-duplicates", token)["groups"], [])
    first = send(source, "one", body).expect(201)["result"]["event"]["id"]
    for _ in range(3):
        send(source, "one", body).expect(200)
    second = send(twin, "one", json.dumps({"type": "x"})).expect(201)["result"]["event"]["id"]
    third = send(source, "two", body).expect(201)["result"]["event"]["id"]
    send(source, "three", json.dumps({"type": "y"})).expect(201)
    data = _do(box, "find-duplicates", token, timeWindow=10)
    same({g["kind"]: (g["count"], sorted(g["events"])) for g in data["groups"]},
         {"repeats": (3, [first]), "sources": (2, sorted((first, second))), "bodies": (2, sorted((first, third)))})
    same(data["counts"], {"lookedAt": 4, "repeats": 1, "sources": 1, "bodies": 1})
    same(data["affected"], 7)
    _, other = _tenant(box)
    alien = send(box.integration("webhook", other), "one", body).expect(201)["result"]["event"]["id"]
    groups = box.api("POST", PATH + "?tenant=all", {"action": "find-duplicates", "params": {"timeWindow": 10, "limit": 1000}}).expect(200)["data"]["groups"]
    same([kind for kind in ("repeats", "sources", "bodies") if first in sum((g["events"] for g in groups if g["kind"] == kind), [])],
         ["repeats", "sources", "bodies"], "of all tenants")
    same([g for g in groups if alien in g["events"]], [], "what is equal at two tenants is no duplicate")


# ---- what is mended without a person ----

def _step(data, name):
    step, = [s for s in data["steps"] if s["step"] == name]
    return step["found"], step["affected"]


def remediation_mends_what_can_be_mended(box):
    tenant, token = _tenant(box)
    with Handler() as handler, Handler() as dead:
        handler.status = dead.status = 500
        source, hopeless = _source(box, handler, token), _source(box, dead, token)
        numbers = [_send(box, source) for _ in range(8)] + [_send(box, hopeless) for _ in range(6)]
        wait_until(lambda: box.jobs("retries") and box.number(
            "SELECT COUNT(*) FROM breakers b JOIN sources s ON s.id = b.target_id AND b.kind = 1 WHERE s.tenant_id = %d AND b.opened_at > 0" % tenant) == 2,
            60, "both handlers are left alone")
        wait_until(lambda: not box.number("SELECT COUNT(*) FROM events WHERE status = 1 AND tenant_id = %d" % tenant), 30, "nothing is under way")
        stuck = numbers[0]
        box.sql("UPDATE forwards SET owner = 7, next_at = 5 WHERE event_id = %s; UPDATE events SET status = 1 WHERE id = %s" % (stuck, stuck))
        data = _act(box, "auto-remediate", token, dry_run=True).expect(200)["data"]
        same((_step(data, "release-stuck"), _step(data, "close-breakers")), ((1, 0), (2, 0)))
        sent = len(handler.got), len(dead.got)
        handler.status = 200
        data = _do(box, "auto-remediate", token)
        same((_step(data, "release-stuck"), _step(data, "close-breakers")), ((1, 1), (2, 1)))
        true(len(dead.got) <= sent[1] + 1, "who does not answer gets one probe: %d, then %d" % (sent[1], len(dead.got)))
        for number in numbers[:8]:
            _until(box, number, "processed", token)
        same([_status(box, n, token) for n in numbers[8:]].count("processed"), 0)
        same(box.number("SELECT COUNT(*) FROM breakers b JOIN sources s ON s.id = b.target_id AND b.kind = 1 WHERE s.tenant_id = %d" % tenant), 1)
        same(_audited(box, "monitor.auto-remediate", tenant), 1)
        same(_detail(box, "monitor.auto-remediate", tenant)["close-breakers"], 1)


def events_without_a_sender_wait_again(box):
    """In processing, and nobody knows of it: neither a forward nor a lease is there."""
    _, token = _tenant(box)
    with Handler() as handler:
        number = _send(box, _source(box, handler, token))
        _until(box, number, "processed", token)
        box.sql("UPDATE events SET status = 1, processed_at = NULL, updated_at = 5 WHERE id = %s" % number)
        same(_step(_do(box, "auto-remediate", token), "release-stuck"), (1, 1))
        _until(box, number, "processed", token)


def floods_of_wrong_signatures_are_told_and_switch_nothing_off(box):
    tenant, token = _tenant(box)
    source = box.integration("github", token, signatureSecret="right")
    now = int(time.time() * 1000)
    row = box.number("SELECT id FROM sources WHERE public_id = '%s'" % source["id"])
    box.sql("INSERT INTO requests (id, source_id, status, reason, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us)"
            " SELECT ((%d - 1577836800000) << 22) + seq, %d, 401, 'Invalid signature', 'POST', '/', 'x', 't', '', '', 0, 1 FROM seq_1_to_150;"
            "INSERT INTO request_marks (tenant_id, kind, id) SELECT %d, 1, id FROM requests WHERE source_id = %d" % (now, row, tenant, row))
    same(_step(_do(box, "auto-remediate", token), "bad-signatures"), (1, 1))
    same(_step(_do(box, "auto-remediate", token), "bad-signatures"), (1, 0), "told once")
    told, = [a for a in box.get(PATH + "/alerts", token)["alerts"] if a["type"] == "BAD_SIGNATURES"]
    same((told["type"], told["subject"], told["severity"], told["value"], told["endedAt"]), ("BAD_SIGNATURES", source["id"], "WARNING", 150, None))
    same(box.get("/api/integrations/" + source["id"], token)["enabled"], True)


def cron_remediates_while_a_check_fails_where_that_is_switched_on(box):
    tenant, token = _tenant(box)
    with Handler() as handler:
        handler.status = 500
        number = _send(box, _source(box, handler, token, retryPolicy={"maxRetries": 4, "backoffSeconds": 80000}))
        _until(box, number, "failed", token)
        handler.status = 200
        box.sql("UPDATE events SET received_at = received_at - 3600000, updated_at = updated_at - 600000 WHERE id = %s" % number)
        wait_until(lambda: box.jobs("monitor") and box.number("SELECT COUNT(*) FROM monitor_alerts WHERE tenant_id = %d" % tenant), 60, "a check fails")
        same(_status(box, number, token), "failed", "nobody said so")
        box.up("--set", "monitor.auto_remediate=true")
        try:
            wait_until(lambda: box.jobs("monitor", "retries") and _status(box, number, token) == "processed", 60, "cron mends it")
        finally:
            box.up("--set", "monitor.auto_remediate=false")
        entry = box.get("/api/audit?action=monitor.auto-remediate", token)["audit"][0]
        same((entry["actor"], entry["detail"]["retry-failed"]), ("system", 1))
        true("STALE_EVENTS" in {t["type"] for t in box.get(PATH + "/alerts", token)["alerts"]}, "which one")


# ---- what it says ----

def monitor_sees_what_was_done_at_once(box):
    tenant, token = _tenant(box)
    with Handler() as handler:
        handler.status = 500
        source = _source(box, handler, token, retryPolicy={"maxRetries": 0})
        number = _send(box, source)
        _until(box, number, "dead", token)
        wait_until(lambda: box.get(PATH, token)["data"]["metrics"]["failedEvents"] == 1, 60, "what was kept is out of date")
        data = box.get(PATH + "?report=true", token)["data"]
        same((data["metrics"]["totalEvents"], data["metrics"]["successRate"], data["checks"]["successRate"]["passed"]), (1, 0, False))
        same(data["breakdowns"]["worstSource"]["id"], source["id"])
        advice = [a["check"] for a in data["recommendations"]]
        same(advice, ["successRate"])
        told = {a["type"]: (a["severity"], a["value"], a["threshold"], a["endedAt"]) for a in data["alerts"]}
        same(told["LOW_SUCCESS_RATE"], ("ERROR", 0, 0.95, None), "whether cron has looked since or not")
        true(all(a["startedAt"] for a in data["alerts"]), "since when")
        _do(box, "mark-processed", token, eventIds=[number])
        data = box.get(PATH, token)["data"]
        same((data["metrics"]["failedEvents"], data["metrics"]["processedEvents"], data["status"]), (0, 1, "HEALTHY"))
        _do(box, "delete-event", token, eventId=number)
        same(box.get(PATH, token)["data"]["metrics"]["totalEvents"], 0)


def monitor_windows_have_bounds(box):
    for window in "0", "-60", "44641", "x", "1.5", "99999999999999999999":
        box.api("GET", PATH + "?timeWindow=" + window).expect(400, "invalid_request", "timeWindow")
    box.api("GET", PATH + "?report=perhaps").expect(400, "invalid_request", "report")
    box.api("GET", PATH + "?window=5").expect(400, "invalid_request", "window")
    box.api("GET", PATH + "/alerts?limit=0").expect(400, "invalid_request", "limit")
    box.api("GET", PATH + "/alerts?cursor=events-5").expect(400, "invalid_request", "cursor")
    for window in "1", "60", "1440", "44640":
        data = box.get(PATH + "?timeWindow=" + window)["data"]
        same((data["healthy"], len(data["checks"]), "alerts" in data), (data["status"] == "HEALTHY", 6, False))
    true("breakdowns" in box.get(PATH + "?report=true&tenant=all")["data"], "of all tenants")


def past_monitor_alerts_are_listed_page_by_page(box):
    tenant, token = _tenant(box)
    now = int(time.time() * 1000)
    for i in range(5):
        box.sql("INSERT INTO monitor_alerts (id, tenant_id, type, severity, message, advice, value, threshold, started_at, updated_at, ended_at)"
                " VALUES (((%d - 1577836800000) << 22) + %d, %d, 'LARGE_BACKLOG', 1, 'm%d', 'a', 101, 100, %d, %d, %d)"
                % (now + i, i, tenant, i, now + i, now + i, now + i + 60000))
    seen, cursor = [], ""
    while True:
        page = box.get(PATH + "/alerts?limit=2" + cursor, token)
        seen += [a["message"] for a in page["alerts"] if a["type"] == "LARGE_BACKLOG"]
        if not page["next"]:
            break
        cursor = "&cursor=" + page["next"]
    same(seen, ["m4", "m3", "m2", "m1", "m0"])
    true(all(a["endedAt"] > a["startedAt"] for a in box.get(PATH + "/alerts", token)["alerts"] if a["type"] == "LARGE_BACKLOG"), "with their ends")
