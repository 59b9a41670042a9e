"""The disk of the spool: full, not writable, damaged. Without it nothing is acknowledged that is not stored."""
import os
import random
import shutil
import time

from acts import kill, kill_worker, known, lives, started_with, wait_logged, workers
from harness import alert, alerts, same, together, true, wait_until
from ledger import Load, compare

REFUSES = "the spool takes nothing; senders are told to come again"
HEAD, FRAME_HEAD, MAGIC = 24, 24, b"\xfeGr\n"       # src/spool/spool_int.h


def _source(box):
    """One that every worker knows: a request that cannot be proven is not spooled."""
    return known(box, box.integration("prometheus", rateLimitPerMinute=0), lambda: alerts(alert()))


def _send(box, source, note=""):
    """Event id and answer of one alert; a refusal must say when to come again."""
    one = alert(note=note)
    reply = box.send(source, alerts(one))
    if reply.status != 202:
        reply.expect(503, "unavailable")
        true(int(reply.header("retry-after")) > 0, "it says when to come again")
    return one["fingerprint"], reply


def _fill(box, source, bytes_, most=400):
    """Sends alerts of that size until one is refused. Those that were taken."""
    taken = []
    for _ in range(most):
        event, reply = _send(box, source, "x" * bytes_)
        if reply.status == 503:
            return taken
        taken.append(event)
    true(False, "the spool took %d requests of %d bytes" % (most, bytes_))


def _all_there(box, taken, load=(), bad=()):
    compare(box, list(load), at_least=-1, bad=bad)
    stored = " ".join(row[0] for row in box.sql("SELECT dedup_key FROM incidents"))
    same([event for event in taken if event not in stored], [], "what was acknowledged and is not there")


@started_with("spool.max_bytes=1M")
def full_spool(box, builddir):
    """503 with Retry-After; smaller ones may still find room. Whoever retries is heard in the end."""
    source = _source(box)
    load = Load(box, builddir, 8, connections=8)
    with box.without_database():
        taken = _fill(box, source, 50000)
        # A process asks once a second what the others have written.
        true(sum(os.path.getsize(box.path("spool", f)) for f in box.spooled()) <= 4 << 20, "it is no larger than it may be")
        wait_logged(box, REFUSES)
        wait_logged(box, "full, it has")
        same(box.request("GET", "/healthz").status, 200, "the process is healthy")
    true(box.metrics()["grapnel_spool_refused_total"] >= 1, "refusals are counted")
    _all_there(box, taken, load.finish())


def file_size_limit(box, builddir):
    """A write that ends in the middle of a record, as on a full disk, by a limit of the processes: needs no rights. It ends no worker."""
    source = _source(box)
    pids = workers(box)
    for pid in pids:
        same(box.program(shutil.which("prlimit"), "--pid=%d" % pid, "--fsize=200000").wait(), 0, "prlimit")
    with box.without_database():
        taken = []
        for _ in range(3):
            taken += _fill(box, source, 30000)
            taken.append(_send(box, source)[0])     # a new file has room again
        wait_logged(box, REFUSES)
        same(workers(box), pids, "workers")
        kill_worker(box)
    _all_there(box, taken)


def full_disk(box, builddir):
    """A disk of 1 MiB that holds nothing but the spool, mounted for grapnel.fcgi alone."""
    if os.getuid():
        return "not done: only root can mount a disk; file_size_limit is what there is without"
    source, folder = _source(box), box.path("spool")
    os.makedirs(folder, exist_ok=True)
    box.stop_part("grapnel")
    box.wrap = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=1m,mode=0700,uid=%d tmpfs "$0" && exec "$@"'
                % os.stat(box.dir).st_uid, folder]
    box.up()
    box.wrap = []
    inside = "/proc/%d/root%s" % (box.pid("grapnel"), folder)
    with box.without_database():
        taken = _fill(box, source, 30000)
        wait_logged(box, REFUSES)
        wait_logged(box, "No space left on device")
        true(len(taken) > 10 and not box.spooled(), "it is on that disk: %d" % len(taken))
    acknowledged = Load(box, builddir, 3).finish()
    wait_until(lambda: os.listdir(inside) == ["lock"], 60, "all that was spooled is replayed")
    _all_there(box, taken, acknowledged)


def directory_that_takes_no_files(box, builddir):
    """Not writable, then no directory at all: 503 and a line of the log; mended, it works at once."""
    source, folder = _source(box), box.path("spool")
    with box.without_database():
        os.makedirs(folder, 0o700, exist_ok=True)
        os.chown(folder, os.stat(box.dir).st_uid, -1)
        os.chmod(folder, 0o500)
        same(_send(box, source)[1].status, 503, "answer")
        wait_logged(box, REFUSES)
        os.chmod(folder, 0o700)
        taken = [_send(box, source)[0] for _ in range(5)]
        wait_until(box.spooled, 10, "it is in the spool")
    _all_there(box, taken)
    with box.without_database():
        os.rename(folder, folder + ".away")
        open(folder, "w").close()
        for _ in range(8):      # workers that had looked at the folder before may still know it
            event, reply = _send(box, source)
            taken += [event] if reply.status == 202 else []
        os.unlink(folder)
        os.rename(folder + ".away", folder)
        taken += [_send(box, source)[0] for _ in range(5)]
    _all_there(box, taken)


# ---- damage ----

def _frames(path):
    """Places of the records in a file: (begin, end)."""
    with open(path, "rb") as f:
        data = f.read()
    found, at = [], HEAD
    while data[at:at + 4] == MAGIC:
        end = at + FRAME_HEAD + int.from_bytes(data[at + 12:at + 16], "little")
        if end > len(data):
            break
        found.append((at, end))
        at = end
    return found


def _records(box):
    return {name: _frames(box.path("spool", name)) for name in box.spooled()}


def _change(path, at, change):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([change(byte[0])]))


@started_with("server.ingest_workers=4")
def damaged_files(box, builddir):
    """Power cut in the middle of a record, a flipped byte, something that is no file of ours: it moves to bad, all the rest is replayed."""
    source, sent = _source(box), 0
    before = box.number("SELECT COUNT(*) FROM events")
    with box.without_database():
        while sum(len(r) > 5 for r in _records(box).values()) < 3:
            true(sent < 2000, "three workers have a file each")
            for event, reply in together([lambda: _send(box, source, "x" * random.randrange(2000))] * 8):
                same(reply.status, 202, "answer")
                sent += 1
        pids = workers(box)
        for pid in pids:
            kill(pid)
        wait_until(lambda: not any(map(lives, pids)), 10, "they are dead")
        records = _records(box)
        same(sum(map(len, records.values())), sent, "records of all files")
        whole, lost, bad = sorted(records, key=lambda name: -len(records[name])), 0, []

        cut = whole[0]
        place = random.randrange(HEAD + 1, records[cut][-1][1])
        os.truncate(box.path("spool", cut), place)
        lost += sum(end > place for _, end in records[cut])

        flipped = whole[1]
        begin, end = random.choice(records[flipped])
        _change(box.path("spool", flipped), random.randrange(begin, end), lambda b: b ^ 1 << random.randrange(8))
        lost += 1

        no_head = whole[2]
        _change(box.path("spool", no_head), random.randrange(16), lambda b: b ^ 0x20)
        lost += len(records[no_head])

        strange = "%013d-1-0.spool" % (time.time() * 1000)
        with open(box.path("spool", strange), "wb") as f:
            f.write(os.urandom(5000))
        shutil.chown(box.path("spool", strange), os.stat(box.dir).st_uid)
        bad = [cut, flipped, no_head, strange]
        if place in {end for _, end in records[cut]}:
            bad.remove(cut)         # cut between two records: nothing of it is damaged
    _all_there(box, [], bad=[name.replace(".open", ".spool") for name in bad])
    stored = box.number("SELECT COUNT(*) FROM events") - before
    same(stored, sent - lost, "events: all but those of damaged records")
    wait_until(lambda: box.metrics()["grapnel_spool_bad_files_total"] >= len(bad), 10, "bad files are counted")
    wait_logged(box, "it is in the folder bad")
    box.jobs("spool-drain", "monitor")
    same(box.number("SELECT COUNT(*) FROM monitor_alerts WHERE type = 'SPOOL_BAD' AND ended_at IS NULL"), 1, "monitor alert")
    # Mended by hand, it is tried again, and what is stored of it already is known.
    mended = box.path("spool", "bad", no_head.replace(".open", ".spool"))
    with open(mended, "r+b") as f:
        f.write(b"grapnel-spool 1\n")
    os.rename(mended, box.path("spool", no_head.replace(".open", ".spool")))
    bad.remove(no_head)
    wait_until(lambda: box.number("SELECT COUNT(*) FROM events") - before == stored + len(records[no_head]), 30, "the mended file is replayed")
    _all_there(box, [], bad=[name.replace(".open", ".spool") for name in bad])
