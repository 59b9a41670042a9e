"""Senders and readers that are slow, silent, hostile, many at once, or gone."""
import random
import select
import socket
import struct
import threading
import time

import fcgi
import harness
from acts import started_with, workers
from handler import Handler
from harness import alert, alerts, same, together, true, wait_until
from ledger import Load, Senders, compare, compare_handler, order

# ---- the same event at once ----

def equal_ids_from_eight_senders(box, builddir):
    source = box.integration("github", rateLimitPerMinute=0, signatureSecret="s")
    for _ in range(30):
        body, delivery = harness.workflow_run(), harness.uuid()
        replies = harness.together([lambda: box.send_github(source, "workflow_run", body, delivery)] * 8)
        same(sorted(r.status for r in replies), [200] * 7 + [201], "one is first, seven are repeats")
        same(box.number("SELECT COUNT(*) FROM events WHERE event_id LIKE '%%%s%%'" % delivery), 1, "events of that id")
        same(box.number("SELECT repeats FROM event_ids i JOIN events e ON e.id = i.event_id WHERE e.event_id LIKE '%%%s%%'"
                        % delivery), 7, "repeats counted")


def eight_senders_open_one_incident(box, builddir):
    source = box.integration("prometheus", rateLimitPerMinute=0)
    for _ in range(20):
        fingerprint, now = harness.secrets.token_hex(8), time.time()
        replies = harness.together([lambda n=n: box.send(source, harness.alerts(
            harness.alert(fingerprint=fingerprint, started=now - n))) for n in range(8)])
        actions = sorted(r.expect(201)["result"]["action"] for r in replies)
        same(actions, ["deduplicated"] * 7 + ["triggered"], "one opens, seven join")
        same(box.sql("SELECT COUNT(*), SUM(alert_count) FROM incidents WHERE dedup_key LIKE '%%%s'" % fingerprint),
             [["1", "8"]], "one incident with eight alerts")


# ---- hostile peers ----

def _socket_of(box, name):
    return box.setting("server", name + "_socket")


def _hold(path, data, n):
    held = []
    for _ in range(n):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        if data:
            s.sendall(data)
        held.append(s)
    return held


def _is_closed(s):
    s.settimeout(0.2)
    try:
        return s.recv(65536) == b""
    except socket.timeout:
        return False
    except OSError:
        return True


def _is_hung_up(s):
    """Whatever of what came before is not read yet."""
    peer = select.poll()
    peer.register(s, select.POLLRDHUP)
    return bool(peer.poll(0))


@started_with("ingest.request_deadline_ms=2s")
def stalled_and_silent_clients(box, builddir):
    """They cost a file descriptor until their deadline, and hold no worker: if one had to end before another's turn, nobody would be answered."""
    source = box.integration("prometheus", rateLimitPerMinute=0)
    whole = fcgi.request("POST", "/api/integrations/prometheus/" + source["id"], {"Content-Type": "application/json"},
                         b"x" * 20000)
    for name in ("ingest", "web"):
        silent = _hold(_socket_of(box, name), b"", 100)
        stalled = _hold(_socket_of(box, name), whole[:len(whole) // 2], 100)
        for _ in range(50):
            box.send(source, harness.alerts(harness.alert())).expect(201)
            same(box.request("GET", "/healthz").status, 200, "health")
        wait_until(lambda: all(_is_closed(s) for s in silent + stalled), 30, "the stalled ones are closed")
    wait_until(lambda: box.metrics()["grapnel_connections_expired_total"] >= 200, 10, "expiries are counted")


@started_with("web.response_deadline_ms=3s")
def slow_readers(box, builddir):
    """A peer that does not take its answer holds no worker, though all of their deadlines are longer than anybody waits; and is dropped at it."""
    source = box.integration("prometheus", rateLimitPerMinute=0)
    big = harness.alerts(*[harness.alert(note="x" * 3000) for _ in range(200)])
    event = box.send(source, big).expect(201)["results"][0]["event"]["id"]
    request = fcgi.request("GET", "/api/events/" + event, {"Authorization": "Bearer " + box.token})
    readers = _hold(_socket_of(box, "web"), request, 60)
    for _ in range(50):
        box.get("/api/incidents?limit=1")
    wait_until(lambda: all(map(_is_hung_up, readers)), 30, "the slow ones are dropped")
    for s in readers:
        s.settimeout(5)
        seen = 0
        try:
            while True:
                part = s.recv(1 << 20)
                if not part:
                    break
                seen += len(part)
        except OSError:
            pass
        true(seen < 600000, "the answer was cut at the deadline")


def garbage_kills_nobody(box, builddir):
    workers = box.worker_pids()
    for name in ("ingest", "web"):
        for n in range(200):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(_socket_of(box, name))
                s.sendall(random.Random(n).randbytes(random.Random(n).randrange(1, 4000)))
    source = box.integration("prometheus", rateLimitPerMinute=0)
    box.send(source, harness.alerts(harness.alert())).expect(201)
    same(box.worker_pids(), workers, "workers")


# ---- gone in the middle ----

class Cuts(threading.Thread):
    """Sends requests and leaves: in the middle of the head, of the body, or before the answer; with a reset."""

    def __init__(self, box, source):
        super().__init__(daemon=True)
        self.box, self.source, self.over, self.events, self.cuts = box, source, threading.Event(), [], 0
        self.start()

    def _whole(self, event):
        body = harness.json.dumps({"type": "order.paid", "id": event, "note": "x" * random.randrange(20000)}).encode()
        head = ("POST /api/integrations/webhook/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n"
                "webhook-id: %s\r\nContent-Length: %d\r\n\r\n" % (self.source["id"], self.source["key"], event, len(body)))
        return head.encode() + body

    def run(self):
        while not self.over.is_set():
            event, whole = harness.uuid(), None
            whole = self._whole(event)
            with socket.create_connection(("127.0.0.1", self.box.port)) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.sendall(whole[:random.choice((random.randrange(len(whole)), len(whole)))])
                time.sleep(random.choice((0, 0.001, 0.02)))
            self.events.append((event, whole))
            self.cuts += 1

    def finish(self):
        """A sender that had no answer sends the same again."""
        wait_until(lambda: self.cuts > 50, 60, "connections are cut")
        self.over.set()
        self.join(30)
        for event, whole in self.events:
            with socket.create_connection(("127.0.0.1", self.box.port), timeout=20) as s:
                s.sendall(whole)
                status = int(s.recv(4096).split()[1])
            true(status in (200, 201), "the repeat of a request that was cut is answered %d" % status)
        return [event for event, _ in self.events]


def connections_cut_in_the_middle(box, builddir):
    """What is not whole is not stored, what is whole is; the repeat makes it one of each. It costs no worker, and nobody else a request."""
    source, pids = box.integration("webhook", rateLimitPerMinute=0), workers(box)
    load, cuts = Load(box, builddir, 5), Cuts(box, source)
    acknowledged = load.finish() + cuts.finish()
    compare(box, acknowledged)
    same(box.number("SELECT COUNT(*) FROM events e JOIN sources s ON s.id = e.source_id WHERE s.public_id = '%s'" % source["id"]), cuts.cuts,
         "events of requests that were cut")
    same(workers(box), pids, "workers")


# ---- handlers ----

@started_with("outbound.allow=127.0.0.0/8", "outbound.timeout_ms=5000")
def hanging_and_slow_handlers(box, builddir):
    """Events of a handler that hangs and of one that takes its time; meanwhile load on other sources loses no connection, a quick handler gets
    all of its own, and of those who wait for the handler half of the workers are the most that are held."""
    with Handler() as hanging, Handler() as slow, Handler() as quick:
        hanging.does = hanging.hang
        slow.does = lambda request: (time.sleep(0.3), slow.answer(request))
        sources = {name: box.integration("webhook", actions=["forward"], handlerUrl=handler.url, rateLimitPerMinute=0, **more)
                   for name, handler, more in (("hanging", hanging, {"retryPolicy": {"maxRetries": 5, "backoffSeconds": 1}}),
                                               ("inline", hanging, {"forwardMode": "inline", "retryPolicy": {"maxRetries": 5, "backoffSeconds": 1}}),
                                               ("slow", slow, {}), ("quick", quick, {}))}
        load, rest = Load(box, builddir, 8, connections=8), Senders(box, sources["quick"], threads=2)
        for name in ("hanging", "slow"):
            for _ in range(30):
                box.send(sources[name], *order()[1:]).expect(201)
        while load.running():
            replies = together([lambda: box.send(sources["inline"], *order()[1:])] * 6)
            true({r.status for r in replies} <= {201, 500}, "answers: %s" % [r.status for r in replies])
            # Five of each source by the dispatcher and half of the web workers, and as many that have just gone.
            true(hanging.most <= 2 * (5 + 5 + 2), "at once at the handler: %d" % hanging.most)
            same(box.request("GET", "/readyz", timeout=20).status, 200, "/readyz")
        acknowledged, sent = load.finish(), rest.finish()
        wait_until(lambda: len({got.headers["webhook-id"] for got in list(quick.got)}) == len(sent), 30, "the quick one has all of its own")
        true(hanging.inside > 0 or box.number("SELECT COUNT(*) FROM forwards") > 0, "the other one still hangs")
        hanging.release()
        wait_until(lambda: _nothing_waits(box), 90, "all is forwarded")
        compare(box, acknowledged + sent)
        compare_handler(box, quick, sources["quick"], sent)


def _nothing_waits(box):
    """Retries are due when their time and the breaker's have come: now."""
    box.sql("UPDATE forwards SET next_at = 1 WHERE owner = 0; UPDATE breakers SET probe_at = 1")
    return box.cron("retries").wait() == 0 and not box.number("SELECT COUNT(*) FROM forwards")
