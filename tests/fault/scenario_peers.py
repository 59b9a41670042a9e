"""Senders and readers that are slow, silent, hostile, many at once, or gone."""
import random
import socket
import time

import fcgi
import harness
from acts import started_with
from harness import same, true, wait_until

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


@started_with("ingest.request_deadline_ms=2s")
def stalled_and_silent_clients(box, builddir):
    """They cost a file descriptor until their deadline, and hold no worker."""
    source = box.integration("prometheus", rateLimitPerMinute=0)
    whole = fcgi.request("POST", "/api/integrations/prometheus/" + source["id"], {"Content-Type": "application/json"},
                         b"x" * 20000)
    for name in ("ingest", "web"):
        silent = _hold(_socket_of(box, name), b"", 100)
        stalled = _hold(_socket_of(box, name), whole[:len(whole) // 2], 100)
        began = time.monotonic()
        for _ in range(50):
            box.send(source, harness.alerts(harness.alert())).expect(201)
            same(box.request("GET", "/healthz").status, 200, "health")
        true(time.monotonic() - began < 5, "50 requests beside 200 stalled ones took %.1f s" % (time.monotonic() - began))
        wait_until(lambda: all(_is_closed(s) for s in silent + stalled), 15, "the stalled ones are closed")
    true(box.metrics()["grapnel_connections_expired_total"] >= 200, "expiries are counted")


@started_with("web.response_deadline_ms=3s")
def slow_readers(box, builddir):
    """A peer that does not take its answer holds no worker, and is dropped at the deadline."""
    source = box.integration("prometheus", rateLimitPerMinute=0)
    big = harness.alerts(*[harness.alert(note="x" * 3000) for _ in range(200)])
    event = box.send(source, big).expect(201)["results"][0]["event"]["id"]
    request = fcgi.request("GET", "/api/events/" + event, {"Authorization": "Bearer " + box.token})
    readers = _hold(_socket_of(box, "web"), request, 30)
    began = time.monotonic()
    for _ in range(50):
        box.get("/api/incidents?limit=1")
    true(time.monotonic() - began < 5, "50 pages beside 30 slow readers took %.1f s" % (time.monotonic() - began))
    time.sleep(3.5)
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
