"""spool.py - MariaDB is away: what that costs a request before it is spooled, and how fast it is replayed afterwards."""
import contextlib
import os
import signal
import time

import database
import host
import scenarios

EVENTS = 60000          # ten seconds and more of replay
KNOWN_S = 2             # each worker has read the sources by then
ALONE_S = 4             # at one connection
# A dead one costs nobody more than the others; a silent one is told from a slow one after a second, by the first who asks.
AWAY = (("killed", signal.SIGKILL, 0), ("silent", signal.SIGSTOP, 2))


@contextlib.contextmanager
def without_database(program, how):
    """Killed (SIGKILL) or silent (SIGSTOP); back at the end."""
    server = program.instance.part_pid("db")
    with open(f"{program.instance.data}/run/db.keeper", encoding="ascii") as f:
        keeper = int(f.read())
    os.kill(keeper, signal.SIGSTOP)
    try:
        os.kill(server, how)
        yield
    finally:
        if how == signal.SIGSTOP:
            os.kill(server, signal.SIGCONT)
        os.kill(keeper, signal.SIGCONT)


def files(program):
    """Files that wait, also such as a process still writes to."""
    folder = program.conf_value("directory")
    return [name for name in os.listdir(folder) if name.endswith((".spool", ".open"))] if os.path.isdir(folder) else []


def one(program, connections, length, found):
    """A run of the sender while the database is away; its events are added up in `found`."""
    report = scenarios.sender(program, connections, scenarios.KEYS, None, length)
    found["sent"] += report["total"]["sent"]
    found["acknowledged"] += report["total"]["acknowledged"]
    bad = {status: n for status, n in report["status"].items() if not status.startswith("2")}
    return report, [f"answers {bad}, errors {report['errors']}"] if bad or any(report["errors"].values()) else []


def replay(program, events):
    """Rows in a second, from the first look that finds some of them to the one that finds the spool empty."""
    def stored():
        return int(program.instance.server.sql("SELECT COUNT(*) FROM requests", program.database)[0][0])
    host.wait_until("MariaDB did not come back", program.ready, 60)
    cpu, already = host.Cpu(program.sessions()), stored()
    began, first = time.monotonic(), already
    while files(program):
        if time.monotonic() - began > 300:
            raise SystemExit("bench: the spool is not replayed")
        time.sleep(0.1)
        if first == already:        # nothing yet: workers wait until all of them see the database
            began, first = time.monotonic(), stored()
    seconds = time.monotonic() - began
    used, _ = cpu.stop()
    return {"events": events, "seconds": round(seconds, 2), "rate": round((stored() - first) / seconds),
            "cpu_us": {part: round(1e6 * s / events, 1) for part, s in used.items()}}


def measure(program, seconds, events):
    """`seconds`: of each run at one connection."""
    program.empty()
    time.sleep(KNOWN_S)
    before = database.counts(program.instance.server, program.database)
    found, wrong, away = {"sent": 0, "acknowledged": 0}, [], {}
    for name, how, warmup in AWAY:
        with without_database(program, how):
            report, sentences = one(program, 1, ["--seconds", str(seconds), "--warmup", str(warmup)], found)
            away[name] = report["latency_us"]
            wrong += sentences
        replay(program, report["total"]["acknowledged"])
    with without_database(program, signal.SIGKILL):
        report, sentences = one(program, 64, ["--requests", str(events)], found)
        wrong += sentences
        spooling = report["rate"]
    replayed = replay(program, report["total"]["acknowledged"])
    wrong += database.check_grown(program.instance.server, program.database, before, found)
    return {"away_us": away, "spooling_rate": spooling, "replay": replayed, "wrong_rows": wrong}
