"""The spool: while MariaDB is away senders are acknowledged, each as it needs, and afterwards all is as if it had been there."""
import gzip
import json
import os
import time

import scenario_saas as saas
from handler import Handler, body_of
from harness import alert, alerts, same, true, uuid, wait_until, workflow_run

SPOOLED = {"received": True, "spooled": True}
WORKERS_MAY_DIE = True      # handlers of these tests are on loopback, which the configuration must allow


def _source(box, kind="webhook", **more):
    more.setdefault("rateLimitPerMinute", 0)
    return box.integration(kind, **more)


def _all_know(box, *sources):
    """A request that cannot be proven is not spooled: each worker must have read the sources, which it does each second."""
    time.sleep(3)
    return sources[0] if len(sources) == 1 else sources


def _replayed(box):
    wait_until(lambda: not box.spooled(), 60, "all that was spooled is replayed")


def _events(box, source, columns="event_id"):
    rows = box.sql("SELECT %s FROM events e WHERE source_id = (SELECT id FROM sources WHERE public_id = '%s') ORDER BY id" % (columns, source["id"]))
    return [row[0] for row in rows] if "," not in columns else rows


def _send(box, source, event, **more):
    return box.send(source, {"type": "order.paid", "id": event, **more}, {"webhook-id": event})


def requests_are_answered_202_and_stored_later(box):
    source = _all_know(box, _source(box, "prometheus"))
    began, one = int(time.time() * 1000), alert()
    with box.without_database():
        reply = box.send(source, alerts(one))
        same((reply.expect(202), reply.header("content-type")), (SPOOLED, "application/json"))
        true(box.spooled(), "a file of the spool")
        for name in box.spooled():
            with open(box.path("spool", name), "rb") as f:
                content = f.read()
            true(one["fingerprint"].encode() not in content and source["key"].encode() not in content, "it is sealed")
            same(os.stat(box.path("spool", name)).st_mode & 0o777, 0o600, "mode of the file")
        until = int(time.time() * 1000)
    _replayed(box)
    event, = box.get("/api/events?source=%s" % source["id"])["events"]
    event = box.get("/api/events/" + event["id"])
    same((event["status"], event["incident"]["status"]), ("processed", "OPEN"))
    received = box.number("SELECT received_at FROM events WHERE id = %s" % event["id"])
    true(began <= received <= until, "it was received while the database was away")
    delivery, = box.get("/api/integrations/%s/deliveries" % source["id"])["deliveries"]
    same((delivery["statusCode"], delivery["eventId"]), (202, event["id"]), "the delivery log")
    same(box.spooled("bad"), [], "bad files")


def readiness_tells_of_it(box):
    """Not ready without a database, since nobody can sign in; a balancer may heed that or not. The process lives."""
    source = _all_know(box, _source(box))
    with box.without_database():
        _send(box, source, uuid()).expect(202)
        parts = box.request("GET", "/readyz").expect(503)
        same((parts["status"], parts["database"], parts["spool"]), ("failing", "failing", "ok"))
        true(int(box.request("GET", "/readyz").header("retry-after")) > 0, "Retry-After")
        same(box.request("GET", "/healthz").status, 200)
        same(box.request("GET", "/api/events", headers={"Authorization": "Bearer " + box.token}).status, 503, "the API")
    same(box.request("GET", "/readyz").expect(200)["spool"], "ok")
    _replayed(box)
    metrics = box.metrics()
    true(metrics["grapnel_spooled_total"] >= 1 and metrics["grapnel_spool_replayed_total"] >= 1, "counters")
    same((metrics["grapnel_spool_files"], metrics["grapnel_spool_bytes"]), (0, 0), "gauges")


def senders_that_need_an_answer_of_their_own_get_it(box):
    slack, twilio, salesforce, appdynamics = _all_know(box, saas._slack_source(box), _source(box, "twilio", signatureSecret=saas.TOKEN),
                                                       _source(box, "salesforce"), _source(box, "appdynamics"))
    challenge = {"token": "x", "type": "url_verification", "challenge": uuid()}
    sid = "SM" + os.urandom(16).hex()
    with box.without_database():
        reply = saas._twilio(box, twilio, twilio["webhookUrl"], body=b"MessageSid=%s&SmsStatus=received&AccountSid=AC1" % sid.encode())
        same((reply.status, reply.header("content-type"), reply.body), (200, "text/xml", saas.TWIML), "TwiML")
        reply, answer = saas._soap(box, salesforce, saas._golden("salesforce", "outbound-message-2-contacts.xml"))
        same((reply.status, answer.find(".//%sAck" % saas.OUTBOUND).text), (200, "true"), "SOAP")
        reply = saas._slack(box, slack, saas._golden("slack", "slash-command.form"), saas.FORM)
        same((reply.status, reply.body), (200, b""), "a command of Slack")
        reply = saas._slack(box, slack, challenge)
        same((reply.status, reply.body.decode()), (200, challenge["challenge"]), "a handshake")
        same(box.send(appdynamics, saas._golden("appdynamics", "close-warning-made.json")).expect(200), SPOOLED, "exactly 200")
    _replayed(box)
    same(box.sql("SELECT event_type, entity_id FROM events WHERE entity_id = '%s'" % sid), [["message.received", sid]])
    same(len(_events(box, salesforce)), 2, "both of the message")
    same(len(_events(box, appdynamics)), 1)
    same(box.spooled("bad"), [], "bad files")


def refused_stays_refused(box):
    source, signed, off = _all_know(box, _source(box, "prometheus"), _source(box, "github", signatureSecret="s"), _source(box))
    box.api("PATCH", "/api/integrations/" + off["id"], {"enabled": False}).expect(200)
    _all_know(box, off)
    with box.without_database():
        before = sorted(box.spooled())
        box.send(source, alerts(alert()), {"Authorization": "Bearer wrong"}, source=box.fresh_address()).expect(401, "invalid_key")
        box.send_github(signed, "workflow_run", workflow_run(), secret="other", source=box.fresh_address()).expect(401, "invalid_signature")
        box.send(source, "no JSON").expect(400, "invalid_payload")
        box.send(source, {"alerts": [7]}).expect(400, "invalid_payload", "element")
        box.send(off, {"id": "x"}).expect(403, "source_disabled")
        same(sorted(box.spooled()), before, "nothing is spooled of it")
        box.send(source, alerts(alert())).expect(202)
    _replayed(box)
    same((len(_events(box, source)), len(_events(box, signed)), len(_events(box, off))), (1, 0, 0), "events")


def a_new_source_is_not_known_yet(box):
    """Whether a path leads to a source cannot be asked: come again, not 404."""
    with box.without_database():
        reply = box.request("POST", "/api/integrations/webhook/in_00000000000000000000", b"{}", {"Content-Type": "application/json"})
        reply.expect(503, "unavailable")
        true(int(reply.header("retry-after")) > 0, "Retry-After")


def replay_keeps_the_order(box):
    """By the millisecond of receipt, whoever of the workers had it: alerts that fire, are resolved and fire again."""
    source, events = _all_know(box, _source(box, "prometheus")), []
    with box.without_database():
        for _ in range(10):
            one, now = alert(), time.time()
            for n in range(3):
                body = alert("firing" if n != 1 else "resolved", fingerprint=one["fingerprint"], started=now + n, ended=now + n if n == 1 else None)
                box.send(source, alerts(body)).expect(202)
                events.append((one["fingerprint"], body["status"]))
                time.sleep(0.005)
    _replayed(box)
    rows = _events(box, source, "dedup_key, IF(action = 3, 'resolved', 'firing')")
    same([(key.rsplit(":", 1)[-1], status) for key, status in rows], events, "events in the order of their numbers")
    states = box.sql("SELECT i.status < 3, i.alert_count FROM incidents i JOIN (SELECT DISTINCT incident_id FROM events WHERE source_id ="
                     " (SELECT id FROM sources WHERE public_id = '%s')) e ON e.incident_id = i.id ORDER BY i.id" % source["id"])
    same(sum(int(count) for _, count in states), 20, "alerts counted: two of each")
    same(sum(int(is_open) for is_open, _ in states), 10, "what fired last is open")


def repeats_are_repeats_on_either_side(box):
    source = _all_know(box, _source(box))
    early, late, twice = uuid(), uuid(), uuid()
    _send(box, source, early).expect(201)
    with box.without_database():
        for event in early, late, twice, twice:
            same(_send(box, source, event).expect(202), SPOOLED)
    answer = _send(box, source, late)       # perhaps before its first one is replayed: then this is the first one, stored or spooled
    true(answer.status in (200, 201, 202), "answer %d" % answer.status)
    _replayed(box)
    for event in early, late, twice:
        same(_send(box, source, event).expect(200)["alreadyProcessed"], True)
    same(sorted(_events(box, source)), sorted((early, late, twice)), "each is there once")
    counts = dict(box.sql("SELECT e.event_id, i.repeats FROM event_ids i JOIN events e ON e.id = i.event_id WHERE i.source_id ="
                          " (SELECT id FROM sources WHERE public_id = '%s')" % source["id"]))
    same(counts, {early: "2", late: "2", twice: "2"}, "repeats")


def rates_hold_meanwhile(box):
    source = _all_know(box, _source(box, rateLimitPerMinute=5))
    with box.without_database():
        statuses = [_send(box, source, uuid()).status for _ in range(8)]
    same(sorted(set(statuses)), [202, 429], "%s" % statuses)
    _replayed(box)
    same(len(_events(box, source)), statuses.count(202))


def compressed_and_large_bodies(box):
    source, event, large = _all_know(box, _source(box)), uuid(), uuid()
    with box.without_database():
        body = gzip.compress(json.dumps({"type": "order.paid", "id": event}).encode(), mtime=0)
        box.send(source, body, {"webhook-id": event, "Content-Encoding": "gzip"}).expect(202)
        _send(box, source, large, note="x" * 500000).expect(202)
    _replayed(box)
    same(sorted(_events(box, source)), sorted((event, large)))
    same(box.number("SELECT MAX(body_bytes) FROM requests r JOIN events e ON e.request_id = r.id WHERE e.event_id = '%s'" % large) > 500000, True)


def events_for_a_handler_go_on_afterwards(box):
    """Nobody waits for it meanwhile, not even a sender who asked to."""
    if box.setting("outbound", "allow") != "127.0.0.0/8":
        box.up("--set", "outbound.allow=127.0.0.0/8", "--set", "outbound.timeout_ms=5000")
    with Handler() as handler:
        queued, inline = _all_know(box, *[_source(box, actions=["forward"], handlerUrl=handler.url, forwardMode=mode) for mode in ("queued", "inline")])
        events = [uuid() for _ in range(6)]
        with box.without_database():
            for i, event in enumerate(events):
                same(_send(box, (queued, inline)[i % 2], event).expect(202), SPOOLED)
            same(handler.got, [], "nothing is sent before it is stored")
        _replayed(box)
        wait_until(lambda: len(handler.got) >= 6, 30, "all reach the handler")
        same(sorted(body_of(got)["eventId"] for got in handler.got), sorted(events))
