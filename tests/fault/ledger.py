"""ledger.py - a sender under load that keeps what was acknowledged, and the comparison with the tables afterwards.

The sender is tests/bench/sender.c: 32 connections, each sends the next event when the last was acknowledged, and the same
bytes again until they are, as a provider would.
"""
import os
import subprocess

from harness import same, true, wait_until

KEYS = 50


class Load:
    def __init__(self, box, builddir, seconds, connections=32):
        self.box = box
        self.file = box.path("ledger")
        self.prometheus = box.integration("prometheus", rateLimitPerMinute=0)
        self.github = box.integration("github", rateLimitPerMinute=0, signatureSecret="fault-secret")
        command = [os.path.join(builddir, "bench_sender"), "--url", "http://127.0.0.1:%d" % box.port, "--connections",
                   str(connections), "--keys", str(KEYS), "--seconds", str(seconds), "--timeout", "20", "--retry",
                   "--ledger", self.file,
                   "--prometheus", "/api/integrations/prometheus/%s,%s" % (self.prometheus["id"], self.prometheus["key"]),
                   "--github", "/api/integrations/github/%s,fault-secret" % self.github["id"]]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def running(self):
        return self.process.poll() is None

    def finish(self, timeout=120):
        out, err = self.process.communicate(timeout=timeout)
        true(self.process.returncode == 0, "the sender ended well: %s %s" % (out[-500:], err[-500:]))
        with open(self.file) as f:
            lines = [line.rstrip("\n").split(" ", 1) for line in f]
        return [event for status, event in lines if status.startswith("2")]


def spooled(box, folder=""):
    """Names of the files of the spool, or of its folder `bad`."""
    try:
        return [name for name in os.listdir(box.path("spool", folder)) if name.endswith((".open", ".spool"))]
    except FileNotFoundError:
        return []


def compare(box, acknowledged):
    """Every acknowledged event is there, once; every incident was counted once; nothing is half done."""
    true(len(acknowledged) > 100, "there was load: %d events" % len(acknowledged))
    wait_until(lambda: not spooled(box), 90, "all that was spooled is replayed")
    same(spooled(box, "bad"), [], "requests of the spool that could not be stored")
    stored = [row[0] for row in box.sql("SELECT event_id FROM events")]
    same(len(stored), len(set(stored)), "events with different ids")
    missing = set(acknowledged) - set(stored)
    true(not missing, "%d acknowledged events are missing, for example %s" % (len(missing), list(missing)[:3]))
    checks = {
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
        "events that are not done": "SELECT COUNT(*) FROM events WHERE status NOT IN (2, 5)",
    }
    for what, query in checks.items():
        same(box.number(query), 0, what)
