"""scenario_spool.py - the spool of a host: replayed by cron and by hand where no worker is left, and watched."""
import json
import os
import signal
import time

from acts import kill_database, kill_master, known, lives, workers
from harness import Failed, same, uuid, wait_until


def _ctl(box, *words):
    return json.loads(box.ctl("--json", "spool", *words))


def _drain(box):
    return json.loads(box.cron("--json", "spool-drain").communicate(timeout=120)[0])["jobs"][0]


def _database_answers(box):
    try:
        return box.number("SELECT 1") == 1
    except Failed:
        return False


def spool_of_a_host_without_workers(box, builddir):
    """What workers spooled before they went is replayed by cron, or by hand; a damaged file is told of until it is mended."""
    source = known(box, box.integration("webhook", rateLimitPerMinute=0, actions=["record"]), lambda: {"n": uuid()})
    keepers = [box.keeper_pid(part) for part in ("db", "grapnel", "cron")]
    for keeper in keepers:
        os.kill(keeper, signal.SIGSTOP)
    try:
        kill_database(box)
        for n in range(20):
            time.sleep(0.002)       # the order of a replay is that of milliseconds
            same(box.send(source, {"n": n}, {"webhook-id": "late-%02d" % n}).expect(202)["spooled"], True)
        orphans = workers(box)
        kill_master(box)
        wait_until(lambda: not any(map(lives, orphans)), 30, "its workers leave")
        os.kill(keepers[0], signal.SIGCONT)
        wait_until(lambda: _database_answers(box), 60, "MariaDB back")
        files = _ctl(box, "list")["files"]
        same(sum(f["records"] for f in files), 20, "requests in %s" % files)
        same(_ctl(box, "drain", "--dry-run")["counts"], "files to replay %d" % len(files))
        done = _drain(box)
        same((done["outcome"], done["counts"]), ("done", "requests stored 20"))
        same(_ctl(box, "list")["files"], [])
        same([row[0] for row in box.sql("SELECT event_id FROM events WHERE event_id LIKE 'late-%' ORDER BY id")],
             ["late-%02d" % n for n in range(20)], "in their order")
        damaged = box.path("spool", "1700000000000-1-0.spool")
        with open(damaged, "wb") as f:
            f.write(b"grapnel-spool 1\n" + bytes(range(200)))
        os.chmod(damaged, 0o644)
        same(_drain(box)["counts"], "files moved to bad 1")
        running = "SELECT COUNT(*) FROM monitor_alerts WHERE type = 'SPOOL_BAD' AND running = 1"
        same(box.number(running), 1, "monitor alert")
        same([f["state"] for f in _ctl(box, "list")["files"]], ["bad"])
        os.remove(box.path("spool", "bad", os.path.basename(damaged)))
        _drain(box)
        same(box.number(running), 0, "it ended")
    finally:
        for keeper in keepers:
            os.kill(keeper, signal.SIGCONT)
    wait_until(lambda: box.send(source, {"id": "live"}).status in (200, 201), 60, "workers back")
