"""The database dies, is shut down, falls silent, or takes a COMMIT and says nothing more."""
import signal
import threading
import time

from acts import known, wait_logged
from harness import alert, alerts, same, true, wait_until
from ledger import SPOOL_S, Load, Senders, compare, firing


def commit_without_answer(box, builddir):
    """The proxy cuts the connection just after COMMIT. Nothing is lost, nothing is double."""
    proxy = box.proxy
    load = Load(box, builddir, 10)
    proxy.cut_every = 7
    wait_until(lambda: proxy.cuts > 10, 60, "COMMITs are cut")
    acknowledged = load.finish()
    proxy.cut_every = 0
    compare(box, acknowledged)


commit_without_answer.needs_proxy = True


def commit_without_answer_and_then_no_database(box, builddir):
    """Nobody can ask whether it was stored: the requests are spooled with their numbers, and those numbers are found at their replay."""
    load = Load(box, builddir, 12)
    load.flows()
    while load.running(_replayed(box, "known") >= 4):
        wait_until(lambda: not box.spooled(), SPOOL_S, "all that was spooled is replayed")
        box.proxy.leave_after_commit()
        wait_until(box.spooled, 20, "it is in the spool")
        time.sleep(1)
        box.proxy.come_back()
    compare(box, load.finish())
    true(_replayed(box, "known") >= 4, "what was stored before its answer was lost is known: %d" % _replayed(box, "known"))


commit_without_answer_and_then_no_database.needs_proxy = True


def _replayed(box, what):
    """Sum of that member of all lines that tell of a replay."""
    lines = [line for line in box.logs().decode(errors="replace").splitlines() if '"spool replayed"' in line]
    return sum(int(word.split("=")[1]) for line in lines for word in line.split() if word.startswith(what + "="))


def database_away_for_seconds(box, builddir):
    """While mariadbd is gone, what comes is spooled; afterwards it is stored, and all goes on."""
    source = known(box, box.integration("prometheus", rateLimitPerMinute=0), lambda: alerts(alert()))
    late = alert()
    with box.without_database():
        same(box.send(source, alerts(late)).expect(202), {"received": True, "spooled": True})
        true(box.spooled(), "it is in the spool")
        same(box.request("GET", "/healthz").status, 200, "the process is healthy")
        same(box.request("GET", "/readyz").status, 503, "but not ready")
        box.send(source, alerts(alert()), {"Authorization": "Bearer wrong"}).expect(401, "invalid_key")
    box.send(source, alerts(alert())).expect(201)
    compare(box, [], at_least=-1)
    same(box.number("SELECT COUNT(*) FROM events WHERE event_id LIKE '%s%%'" % late["fingerprint"]), 1, "what was spooled is stored")


def database_stopped_for_a_minute(box, builddir):
    """Shut down under load, as for an update. All of it is acknowledged meanwhile; each event is sent again, the same bytes, in most cases on
    the other side of the border between spool and tables; and each incident has its story in its order."""
    load = Load(box, builddir, 6, connections=8)
    source = box.integration("prometheus", rateLimitPerMinute=0)
    repeats = Senders(box, source, threads=8, pause=0.2, again=20.0, make=firing)
    stories = _Stories(box, source)
    time.sleep(2)
    with box.without_database(signal.SIGTERM):
        acknowledged = load.finish()
        time.sleep(60)
        told = repeats.told(202)
    true(told > 20, "the spool took over: %d" % told)
    time.sleep(2)
    stories.finish()
    keys = repeats.finish()
    compare(box, acknowledged)
    stored = box.sql("SELECT dedup_key, COUNT(*), MAX(alert_count) FROM incidents GROUP BY dedup_key")
    counts = {key.rsplit(":", 1)[-1]: (int(n), int(alerts_)) for key, n, alerts_ in stored}
    wrong = [(key, counts.get(key)) for key in keys if counts.get(key) != (1, 1)]
    same(wrong[:3], [], "of the alerts that were sent twice each is one incident with one alert, but")
    stories.compare()


class _Stories(threading.Thread):
    """Alerts that fire and are resolved, one after the other, in the spool or not: none is left open, none is opened twice. One whose resolve
    came live before its trigger was replayed is over already then, and opens nothing."""

    def __init__(self, box, source):
        super().__init__(daemon=True)
        self.box, self.source, self.keys, self.over = box, source, [], threading.Event()
        self.start()

    def _until_taken(self, body):
        while self.box.send(self.source, body).status >= 300:
            time.sleep(0.05)

    def run(self):
        while not self.over.wait(0.1):
            one = alert()
            self._until_taken(alerts(one))
            time.sleep(0.3)
            self._until_taken(alerts(alert("resolved", fingerprint=one["fingerprint"], started=time.time() - 1, ended=time.time())))
            self.keys.append(one["fingerprint"])

    def finish(self):
        self.over.set()
        self.join(60)
        true(not self.is_alive(), "the stories come to an end")

    def compare(self):
        true(len(self.keys) > 30, "stories: %d" % len(self.keys))
        rows = self.box.sql("SELECT dedup_key, COUNT(*), MIN(status) FROM incidents GROUP BY dedup_key")
        state = {key.rsplit(":", 1)[-1]: (int(n), int(status)) for key, n, status in rows}
        wrong = [(key, state[key]) for key in self.keys if state.get(key, (1, 3)) != (1, 3)]
        same(wrong[:3], [], "each alert that was resolved is one resolved incident, but")
        true(len(set(self.keys) & set(state)) > len(self.keys) * 3 / 4, "most of them are incidents")


def silent_database(box, builddir):
    """Stopped, not dead: connections are open and nothing answers. Nobody waits for it for longer than the first did; the rest is spooled."""
    load = Load(box, builddir, 12)
    source = known(box, load.prometheus, lambda: alerts(alert()))
    with box.without_database(signal.SIGSTOP):
        time.sleep(6)
        for _ in range(20):
            same(box.send(source, alerts(alert()), timeout=10).status, 202, "while it is silent")
        same(box.request("GET", "/healthz", timeout=10).status, 200, "the process is healthy")
    acknowledged = load.finish()
    compare(box, acknowledged)
    wait_until(lambda: _replayed(box, "stored") > 20, 20, "the log tells that the spool took over")


def database_refuses_to_write(box, builddir):
    """Read only, as a replica or a full disk is: connections work, statements do not."""
    load = Load(box, builddir, 5, connections=8)
    load.flows()
    box.sql("SET GLOBAL read_only = 1")
    wait_until(box.spooled, 20, "it is in the spool")
    box.sql("SET GLOBAL read_only = 0")
    compare(box, load.finish())
    wait_logged(box, "spool replayed")
