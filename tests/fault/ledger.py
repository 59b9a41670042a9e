"""ledger.py - senders that keep what was acknowledged, and the comparison with the tables afterwards.

Load is tests/bench/sender.c: as fast as it goes, each event of its 32 connections again until it is acknowledged, as a provider would.
Senders are a few threads at a steady pace, each with the whole story of its events: for events that go on to a handler, and for
scenarios that last.
"""
import collections
import os
import subprocess
import threading
import time

from harness import alert, alerts, same, true, uuid, wait_until

KEYS = 50
PATIENCE_S = 60         # of a scenario that counts what it does under load, when the load's time is over
SPOOL_S = 120           # until all is replayed, at a machine's worst
LEASE_S = 90            # the longest lease of these settings, and half of it


class Load:
    """Goes on for so many seconds, and until finish() is called."""

    def __init__(self, box, builddir, seconds, connections=32):
        self.box = box
        self.file = box.path("ledger")
        self.prometheus = box.integration("prometheus", rateLimitPerMinute=0)
        self.github = box.integration("github", rateLimitPerMinute=0, signatureSecret="fault-secret")
        command = [os.path.join(builddir, "bench_sender"), "--url", "http://127.0.0.1:%d" % box.port, "--connections",
                   str(connections), "--keys", str(KEYS), "--seconds", str(seconds + 2 * PATIENCE_S), "--timeout", "20", "--retry",
                   "--ledger", self.file,
                   "--prometheus", "/api/integrations/prometheus/%s,%s" % (self.prometheus["id"], self.prometheus["key"]),
                   "--github", "/api/integrations/github/%s,fault-secret" % self.github["id"]]
        self.process, self.end = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), time.monotonic() + seconds

    def running(self, enough=True):
        """Until its time is over and there is `enough` of what the scenario counts: what would take much longer does not come about."""
        return time.monotonic() < self.end + (0 if enough else PATIENCE_S)

    def flows(self):
        wait_until(lambda: self.box.number("SELECT COUNT(*) FROM events") > 100, 60, "the load flows")

    def finish(self, timeout=120):
        time.sleep(max(0, self.end - time.monotonic()))
        self.process.terminate()
        out, err = self.process.communicate(timeout=timeout)
        true(self.process.returncode == 0, "the sender ended well: %s %s" % (out[-500:], err[-500:]))
        with open(self.file) as f:
            lines = [line.rstrip("\n").split(" ", 1) for line in f]
        return [event for status, event in lines if status.startswith("2")]


class Senders:
    """Threads that send `make()` = (event id, body, headers) to the source until it is acknowledged, and then the next one. With `again`
    each is sent once more, the same bytes, after a moment: whatever it was told first, it is there once."""

    def __init__(self, box, source, threads=3, pause=0.01, again=0.0, make=None):
        self.box, self.source, self.pause, self.again, self.make = box, source, pause, again, make or order
        self.stories = collections.OrderedDict()        # event id -> statuses, in their order
        self.over, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for t in self.threads:
            t.start()

    def _send(self, event, body, headers):
        try:
            status = self.box.send(self.source, body, headers, timeout=20).status
        except OSError:
            status = 0
        with self.lock:
            self.stories.setdefault(event, []).append(status)
        return 200 <= status < 300

    def _until_taken(self, *message):
        while not self._send(*message):
            time.sleep(0.05)

    def _run(self):
        while not self.over.wait(self.pause):
            message = self.make()
            self._until_taken(*message)
            if self.again:
                time.sleep(self.again)
                self._until_taken(*message)

    def finish(self, timeout=60):
        """Event ids: each was acknowledged."""
        self.over.set()
        for t in self.threads:
            t.join(timeout)
            true(not t.is_alive(), "the senders come to an end")
        return list(self.stories)

    def told(self, status):
        return sum(story.count(status) for story in list(self.stories.values()))


def order():
    """An event of a program's own, for a source of the type webhook."""
    event = uuid()
    return event, {"type": "order.paid", "id": event}, {"webhook-id": event}


def firing():
    one = alert()
    return one["fingerprint"], alerts(one), {}


# ---- the tables ----

WRONG = {
    "events whose request is missing":
        "SELECT COUNT(*) FROM events e LEFT JOIN requests r ON r.id = e.request_id WHERE r.id IS NULL",
    "event ids without their event":
        "SELECT COUNT(*) FROM event_ids i LEFT JOIN events e ON e.id = i.event_id WHERE e.id IS NULL",
    "alerts without their event": "SELECT COUNT(*) FROM alerts a LEFT JOIN events e ON e.id = a.event_id WHERE e.id IS NULL",
    "events with two alerts": "SELECT COUNT(*) FROM (SELECT 1 FROM alerts GROUP BY event_id HAVING COUNT(*) > 1) t",
    "triggers of an open incident without alert":
        "SELECT COUNT(*) FROM events WHERE action = 1 AND incident_id IS NOT NULL "
        "AND id NOT IN (SELECT event_id FROM alerts)",
    "incidents whose count is wrong":
        "SELECT COUNT(*) FROM incidents i LEFT JOIN (SELECT incident_id, COUNT(*) n FROM alerts GROUP BY incident_id) a "
        "ON a.incident_id = i.id WHERE i.alert_count <> COALESCE(a.n, 0)",
    "keys that disagree with their incident":
        "SELECT COUNT(*) FROM incident_keys k JOIN incidents i ON i.id = k.incident_id "
        "WHERE k.status <> i.status OR k.level <> i.level",
    "keys with two unresolved incidents":
        "SELECT COUNT(*) FROM (SELECT 1 FROM incidents WHERE status < 3 GROUP BY service_id, dedup_key "
        "HAVING COUNT(*) > 1) t",
    "events that are not done": "SELECT COUNT(*) FROM events WHERE status NOT IN (2, 4, 5)",
    "forwards of events that are done":
        "SELECT COUNT(*) FROM forwards f LEFT JOIN events e ON e.id = f.event_id WHERE e.id IS NULL OR e.status IN (2, 4, 5)",
    "messages whose result is not the last attempt's":
        "SELECT COUNT(*) FROM outbox o WHERE o.status = 1 AND NOT EXISTS (SELECT 1 FROM outbox_attempts a WHERE a.outbox_id = o.id "
        "AND a.attempt = o.attempts AND a.error IS NULL)",
}

HELD = {
    "forwards": "SELECT COUNT(*) FROM forwards",
    "messages": "SELECT COUNT(*) FROM outbox WHERE status IN (0, 2)",
    "jobs": "SELECT COUNT(*) FROM jobs WHERE lease_until <> 0 AND lease_until < UNIX_TIMESTAMP() * 1000 - 60000",
}


def compare(box, acknowledged, at_least=100, bad=()):
    """Every acknowledged event is there, once; every incident was counted once; nothing is half done, or held by the dead. `bad` names the
    files of the spool that are expected in its folder bad."""
    true(len(acknowledged) > at_least, "there was load: %d events" % len(acknowledged))
    wait_until(lambda: not box.spooled(), SPOOL_S, "all that was spooled is replayed")
    same(sorted(box.spooled("bad")), sorted(bad), "requests of the spool that could not be stored")
    for what, query in HELD.items():
        wait_until(lambda: not box.number(query), LEASE_S, "no %s wait or are held" % what)
    stored = [row[0] for row in box.sql("SELECT event_id FROM events")]
    same(len(stored), len(set(stored)), "events with different ids")
    missing = set(acknowledged) - set(stored)
    true(not missing, "%d acknowledged events are missing, for example %s" % (len(missing), list(missing)[:3]))
    for what, query in WRONG.items():
        same(box.number(query), 0, what)


def compare_handler(box, handler, source, acknowledged, leases_hold=True):
    """The handler's own ledger: every event reached it, under one webhook-id whatever happened; twice only where somebody who sent it died
    before he could tell; and the tables know one success of each. Where a clock was set, a lease may end while its holder still sends."""
    posts = collections.Counter(got.headers["webhook-id"] for got in list(handler.got))
    rows = box.sql("SELECT e.event_id, e.id, e.status, e.attempts, COALESCE(SUM(a.duration_us IS NULL), 0), COALESCE(SUM(a.status = 204), 0) "
                   "FROM events e LEFT JOIN event_attempts a ON a.event_id = e.id "
                   "WHERE e.source_id = (SELECT id FROM sources WHERE public_id = '%s') GROUP BY e.id" % source["id"])
    same({row[0] for row in rows} - set(acknowledged), set(), "events that nobody sent")
    same(set(acknowledged) - {row[0] for row in rows}, set(), "events that are not there")
    doubles = 0
    for event, number, status, attempts, cut, taken in rows:
        seen = posts.pop(number, 0)
        same(status, "2", "status of event %s" % number)
        same(int(attempts), int(cut) + int(taken), "attempts of event %s: those that were cut, and the one that was not" % number)
        true(int(taken) == 1 or (int(taken) > 1 and not leases_hold), "successes of event %s: %s" % (number, taken))
        true(1 <= seen <= int(attempts), "event %s (%s) came %d times in %s attempts" % (number, event, seen, attempts))
        doubles += seen > 1
    same(dict(posts), {}, "posts of events that are not stored")
    return doubles


def compare_messages(box, receiver):
    """The same of what channels are told. Cron, whose monitor may have more to tell, rests meanwhile."""
    with box.without_cron():
        wait_until(lambda: not box.number(HELD["messages"]), LEASE_S, "no messages wait")
        return _messages(box, receiver)


def _messages(box, receiver):
    posts = collections.Counter(got.headers["webhook-id"] for got in list(receiver.got))
    bodies = {(got.headers["webhook-id"], got.body) for got in list(receiver.got)}
    same(len(bodies), len(posts), "different bodies under one webhook-id")
    rows = box.sql("SELECT id, status, attempts FROM outbox WHERE kind = 1")
    for number, status, attempts in rows:
        seen = posts.pop(number, 0)
        same(status, "1", "status of message %s" % number)
        true(1 <= seen <= int(attempts), "message %s came %d times in %s attempts" % (number, seen, attempts))
    same(dict(posts), {}, "messages that are not in the outbox")
    return len(rows)
