"""Processes killed at random under load: what was acknowledged is there once, and what was held by the dead is done by others."""
import os
import random
import signal
import threading
import time

from acts import (channels, dispatcher, kill, kill_database, kill_dispatcher, kill_master, kill_worker, lease_is_over, lives, started_with,
                  workers)
from handler import Handler
from harness import true, wait_until
from ledger import Load, Senders, compare, compare_handler, compare_messages, order

LOOPBACK = ("outbound.allow=127.0.0.0/8", "outbound.timeout_ms=5000")


def workers_killed_at_random(box, builddir):
    load, kills = Load(box, builddir, 6), 0
    while load.running(kills > 10):
        time.sleep(random.uniform(0.05, 0.4))
        kills += kill_worker(box)
    compare(box, load.finish())
    true(kills > 10, "workers were killed: %d" % kills)
    wait_until(lambda: box.metrics()["grapnel_worker_deaths_total"] >= kills / 2, 15, "the deaths were counted")
    wait_until(lambda: len(workers(box)) >= 3, 15, "all workers back")


def master_killed_at_random(box, builddir):
    load, kills = Load(box, builddir, 10), 0
    while load.running(kills >= 3):
        time.sleep(random.uniform(1.0, 2.0))
        before = workers(box)
        if kill_master(box):
            kills += 1
            wait_until(lambda: not any(lives(pid) for pid in before), 30, "orphans leave")
    compare(box, load.finish())
    true(kills >= 3, "the master was killed: %d" % kills)


def mariadbd_killed_at_random(box, builddir):
    load, kills = Load(box, builddir, 12), 0
    while load.running(kills >= 2):
        time.sleep(random.uniform(2.0, 5.0))
        kills += kill_database(box)
        wait_until(box.is_ready, 60, "MariaDB back")
    compare(box, load.finish())
    true(kills >= 2, "mariadbd was killed: %d" % kills)


def reload_and_drain_under_load(box, builddir):
    """SIGHUP and SIGTERM lose nothing; a reload refuses nobody."""
    load = Load(box, builddir, 8)
    for _ in range(4):
        time.sleep(1)
        kill(box.pid("grapnel"), signal.SIGHUP)
    time.sleep(1)
    kill(box.pid("grapnel"), signal.SIGTERM)
    compare(box, load.finish())


# ---- what goes out ----

class Traffic:
    """Events that go on to a handler, and events that are given up at once, of which channels are told: one monitor alert for each source."""
    HOPELESS, CHANNELS = 12, 3

    def __init__(self, box):
        self.box, self.handler, self.receiver, self.refusing = box, Handler(), Handler(), Handler()
        self.refusing.status = 500
        channels(box, self.receiver.url, self.CHANNELS)
        self.source = box.integration("webhook", actions=["forward"], handlerUrl=self.handler.url, rateLimitPerMinute=0)
        self.hopeless = [box.integration("webhook", actions=["forward"], handlerUrl=self.refusing.url, retryPolicy={"maxRetries": 0})
                         for _ in range(self.HOPELESS)]
        self.senders = Senders(box, self.source)
        self.over = threading.Event()
        self.lost = threading.Thread(target=self._lose, daemon=True)
        self.lost.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.senders.over.set()
        for server in (self.handler, self.receiver, self.refusing):
            server.__exit__()

    def _lose(self):
        for source in self.hopeless:
            event, body, headers = order()
            while True:
                try:
                    if self.box.send(source, body, headers, timeout=20).status < 300:
                        break
                except OSError:
                    pass
                time.sleep(0.1)
            if self.over.wait(0.4):
                break

    def finish(self):
        self.acknowledged = self.senders.finish()
        self.lost.join(60)
        return self.acknowledged

    def compare(self):
        """How many events came twice."""
        doubles = compare_handler(self.box, self.handler, self.source, self.acknowledged)
        true(compare_messages(self.box, self.receiver) >= self.HOPELESS * self.CHANNELS, "each channel was told of each source")
        return doubles


@started_with(*LOOPBACK)
def dispatcher_killed_at_random(box, builddir):
    """The leases of what it held end by themselves, and the next one sends it again, under the same webhook-id."""
    kills, end = 0, time.monotonic() + 8
    with Traffic(box) as traffic:
        while time.monotonic() < end or (kills < 4 and time.monotonic() < end + 60):
            time.sleep(random.uniform(0.1, 0.7))
            kills += kill_dispatcher(box)
        compare(box, traffic.finish())
        doubles = traffic.compare()
    true(kills >= 4, "the dispatcher was killed: %d" % kills)
    return "%d kills, %d events came twice" % (kills, doubles)


@started_with(*LOOPBACK, "outbound.dispatcher=false", "retention.events_days=30")
def cron_killed_at_random(box, builddir):
    """On a host without dispatcher cron does it all: what a killed run held is done by another one when its lease has ended."""
    kills, end = 0, time.monotonic() + 15
    _old_events(box, 20000)
    with Traffic(box) as traffic:
        while time.monotonic() < end or (kills < 10 and time.monotonic() < end + 45):   # quick runs are over before they are killed
            run = box.cron("outbox", "retries", "cleanup", "monitor")
            time.sleep(random.uniform(0.02, 0.4))
            kills += run.poll() is None and kill(run.pid)
            run.communicate()
            if random.random() < 0.5:       # else the next run finds the lease of the dead one, and leaves the job alone
                lease_is_over(box)
        acknowledged = traffic.finish()
        lease_is_over(box)
        wait_until(lambda: box.cron("outbox", "retries", "cleanup").wait() == 0 and _all_is_sent(box), 60, "other runs do the rest")
        compare(box, acknowledged)
        traffic.compare()
    true(kills >= 10, "cron was killed: %d" % kills)
    wait_until(lambda: box.cron("cleanup").wait() == 0 and not box.number("SELECT COUNT(*) FROM requests WHERE uri = '/old'"), 60,
               "what is old is gone")


def _all_is_sent(box):
    return not box.number("SELECT (SELECT COUNT(*) FROM forwards) + (SELECT COUNT(*) FROM outbox WHERE status IN (0, 2))")


def _old_events(box, n):
    """Processed a hundred days ago."""
    number = "(((UNIX_TIMESTAMP() - 100 * 86400) * 1000 + seq - 1577836800000) * 4194304)"
    source = box.integration("webhook")
    source = box.number("SELECT id FROM sources WHERE public_id = '%s'" % source["id"])
    box.sql("INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us, event_count)"
            " SELECT %s, %d, 201, 'POST', '/old', 'x', 't', '', 'x', 1, 1, 1 FROM seq_1_to_%d;"
            "INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status,"
            " received_at, updated_at) SELECT %s + 1, 1, %d, %s, 0, CONCAT('old-', seq), 'x', 0, 1, 1, 's', 2, 1, 1 FROM seq_1_to_%d"
            % (number, source, n, number, source, number, n))


@started_with(*LOOPBACK)
def everything_killed_at_random(box, builddir):
    """Workers, dispatcher, master, cron and MariaDB."""
    acts = [kill_worker] * 6 + [kill_dispatcher] * 3 + [kill_master] * 2 + [_kill_cron] * 2 + [kill_database]
    with Traffic(box) as traffic:
        load = Load(box, builddir, 15, connections=8)
        while load.running():
            time.sleep(random.uniform(0.1, 0.9))
            random.choice(acts)(box)
        acknowledged = load.finish() + traffic.finish()
        wait_until(box.is_ready, 60, "everything back")
        for part in "cron", "grapnel":
            box.stop_part(part)
        lease_is_over(box)      # nobody lives who could hold one
        box.up()
        compare(box, acknowledged)
        traffic.compare()


def _kill_cron(box):
    run = box.cron("spool-drain", "outbox", "retries", "monitor")
    time.sleep(random.uniform(0.02, 0.3))
    kill(run.pid)
    run.communicate()


# ---- nothing is left behind ----

def down_leaves_no_process(box, builddir):
    load = Load(box, builddir, 3)
    pids = [box.pid(p) for p in ("db", "grapnel", "web")] + workers(box) + [dispatcher(box)]
    load.finish()
    box.down(remove=False)
    true(all(pids), "all parts were there: %s" % pids)
    left = [pid for pid in pids if os.path.exists("/proc/%d" % pid)]
    true(not left, "processes after down: %s" % left)
