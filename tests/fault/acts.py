"""acts.py - what scenarios do to a running instance, and how they look at it."""
import os
import random
import secrets
import signal

from harness import together, wait_until


def started_with(*sets):
    """Settings of the scenario's instance."""
    def mark(function):
        function.sets = sets
        return function
    return mark


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
        return True
    except (ProcessLookupError, TypeError):
        return False


def named(pid):
    try:
        with open("/proc/%d/comm" % pid) as f:
            return f.read().strip()
    except OSError:
        return None


def _children(box):
    try:
        return box.worker_pids()
    except (OSError, TypeError):
        return []


def workers(box):
    """Pids of those who answer requests; none while the master is away."""
    return [pid for pid in _children(box) if lives(pid) and named(pid) != "dispatcher"]


def dispatcher(box):
    """Its pid; None while it is away."""
    return next((pid for pid in _children(box) if lives(pid) and named(pid) == "dispatcher"), None)


def kill_one(pids):
    return bool(pids) and kill(random.choice(pids))


def lives(pid):
    """A dead one has no command line, also before its parent has looked."""
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            return bool(f.read())
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill_worker(box):
    return kill_one(workers(box))


def kill_dispatcher(box):
    return kill(dispatcher(box))


def kill_master(box):
    return kill(box.pid("grapnel"))


def kill_database(box):
    return kill(box.pid("db"))


def known(box, source, body):
    """When each worker has taken a `body()` of that source: one that never did spools nothing of it. Event numbers say whose they are."""
    all_of_them = int(box.setting("server", "ingest_workers"))

    def taken():
        together([lambda: box.send(source, body())] * 8)
        return box.number("SELECT COUNT(DISTINCT e.id >> 12 & 1023) FROM events e JOIN sources s ON s.id = e.source_id WHERE s.public_id = '%s'"
                          % source["id"]) == all_of_them
    wait_until(taken, 60, "each worker has taken an event of " + source["id"])
    return source


def channels(box, url, n):
    """So many channels that tell that URL of monitor alerts."""
    names = ["ch_" + secrets.token_hex(8) for _ in range(n)]
    box.sql("INSERT INTO channels (public_id, tenant_id, kind, name, events, settings, created_at, updated_at) VALUES "
            + ", ".join("('%s', 1, 'webhook', '%s', 1, '{\"url\":\"%s\"}', 1, 1)" % (name, name, url) for name in names))
    return names


def lease_is_over(box):
    """Ends all leases, as the time would: to be called when everybody who might hold one is dead."""
    box.sql("UPDATE forwards SET next_at = 1 WHERE owner <> 0; UPDATE outbox SET next_at = 1 WHERE lease_owner <> 0 AND status IN (0, 2);"
            "UPDATE jobs SET lease_until = 1 WHERE lease_until <> 0")


def logged(box, text):
    return text.encode() in box.logs()


def wait_logged(box, text, seconds=20):
    wait_until(lambda: logged(box, text), seconds, "the log says: " + text)
