"""The clock of a host is set, forwards and back, while everything runs: the programs are started under libfaketime, whose offset stands in a
file. MariaDB's clock stays right, as on another host."""
import json
import os
import random
import shutil
import stat
import tempfile
import time

from acts import dispatcher, kill, started_with, workers
from handler import Handler
from harness import Failed, same, stripe_event, true, wait_until
from ledger import Load, Senders, compare, compare_handler

FAKE = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
PROGRAMS = ("libexec/grapnel.fcgi", "bin/grapnel-cron", "bin/grapnelctl")
LOOPBACK = ("outbound.allow=127.0.0.0/8", "outbound.timeout_ms=5000")


class Clock:
    """Programs of the instance whose clock is set by set("+2h")."""

    def __init__(self, box):
        if not os.path.exists(FAKE):
            raise Failed("Debian's package faketime is missing")
        real = os.environ["GRAPNEL_USE_PREFIX"]
        self.folder = tempfile.mkdtemp(prefix="grapnel-clock.")
        self.file = os.path.join(self.folder, "offset")
        box.environ["GRAPNEL_USE_PREFIX"] = self.folder
        os.chmod(self.folder, 0o755)
        for program in PROGRAMS:
            path = os.path.join(self.folder, program)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write("#!/bin/sh\nexec env LD_PRELOAD=%s FAKETIME_TIMESTAMP_FILE=%s FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 "
                        "FAKETIME_DISABLE_SHM=1 %s/%s \"$@\"\n" % (FAKE, self.file, real, program))
            os.chmod(path, stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
        os.symlink(os.path.join(real, "share"), os.path.join(self.folder, "share"))
        self.set("+0")

    def set(self, offset):
        with open(self.file + ".new", "w") as f:
            f.write(offset + "\n")
        os.rename(self.file + ".new", self.file)

    def close(self):
        shutil.rmtree(self.folder)


def _prepare(box):
    box.clock = Clock(box)


@started_with(*LOOPBACK)
def clock_steps_under_load(box, builddir):
    """Hours forwards, hours back, a month ahead and right again; whoever is killed meanwhile leaves leases and starts of jobs in the future."""
    clock = box.clock
    with Handler() as handler:
        source = box.integration("webhook", actions=["forward"], handlerUrl=handler.url, rateLimitPerMinute=0)
        stripe = box.integration("stripe", signatureSecret="s", rateLimitPerMinute=0)
        senders = Senders(box, source)
        load = Load(box, builddir, 14, connections=4)
        for offset in "+2h", "-3h", "+40d", "+0":
            time.sleep(1.5)
            clock.set(offset)
            time.sleep(0.5)
            run = box.cron("retries", "outbox", "monitor")
            time.sleep(random.uniform(0.05, 0.3))
            kill(run.pid)
            run.communicate()
            kill(dispatcher(box))
            kill(random.choice(workers(box) or [0]))
            if offset == "+2h":     # signed by a clock that is right: too old for ours
                box.send_stripe(stripe, stripe_event()).expect(401, "invalid_signature")
        acknowledged = load.finish() + senders.finish()
        box.send_stripe(stripe, stripe_event()).expect(200)
        wait_until(lambda: _cron_runs(box) and not box.number("SELECT COUNT(*) FROM forwards"), 90, "nothing waits for the time of a wrong clock")
        compare(box, acknowledged)
        compare_handler(box, handler, source, senders.finish(), leases_hold=False)


clock_steps_under_load.prepare = _prepare


def _cron_runs(box):
    """All jobs at once, by the clock as it is now."""
    out, err = box.cron("--json", "retries", "outbox", "monitor", "auto-resolve").communicate()
    same({job["outcome"] for job in json.loads(out)["jobs"]} - {"done", "elsewhere"}, set(), "outcomes: %s %s" % (out, err))
    return True


@started_with("retention.events_days=30")
def cleanup_by_a_wrong_clock(box, builddir):
    """A month ahead everything is old: cleanup refuses, says why, and works again when the clock is right."""
    box.clock.set("+0")
    load = Load(box, builddir, 2, connections=4)
    acknowledged = load.finish()
    events = box.number("SELECT COUNT(*) FROM events")
    with box.without_cron():
        for offset in "+31d", "+400d", "-31d":
            box.clock.set(offset)
            run = box.cron("cleanup")
            _, err = run.communicate()
            same(run.returncode, 1, "exit status at %s" % offset)
            true("one of them is wrong" in err, "it says why: " + err)
            same(box.number("SELECT COUNT(*) FROM events"), events, "events at %s" % offset)
        box.clock.set("+0")
        same(box.cron("cleanup").wait(), 0, "exit status of a right clock")
    compare(box, acknowledged)


cleanup_by_a_wrong_clock.prepare = _prepare


@started_with("spool.max_bytes=64M")
def clock_steps_while_the_database_is_away(box, builddir):
    """What was spooled by a clock of tomorrow and of yesterday is replayed."""
    load = Load(box, builddir, 10, connections=2)
    load.flows()
    with box.without_database():
        for offset in "+1d", "-1d", "+0":
            box.clock.set(offset)
            time.sleep(1.5)
        true(box.spooled(), "it is in the spool")
    compare(box, load.finish())


clock_steps_while_the_database_is_away.prepare = _prepare
