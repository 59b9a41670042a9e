"""scenarios.py - what is done to a running instance, and what must hold afterwards. Each function gets an instance of its
own; `options(function)` are the settings it is started with."""
import base64
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time

import fcgi
import harness
from harness import same, true, wait_until
from ledger import Load, compare, spooled


def started_with(*sets):
    def mark(function):
        function.sets = sets
        return function
    return mark


def _kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
        return True
    except (ProcessLookupError, TypeError):
        return False


def _ready(box):
    try:
        return box.request("GET", "/readyz", timeout=5).status == 200
    except OSError:
        return False


def _workers(box):
    try:
        return box.worker_pids()
    except (OSError, TypeError):
        return []


# ---- kills under load ----

def workers_killed_at_random(box, builddir):
    load, kills = Load(box, builddir, 6), 0
    while load.running():
        time.sleep(random.uniform(0.05, 0.4))
        workers = _workers(box)
        kills += bool(workers) and _kill(random.choice(workers))
    compare(box, load.finish())
    true(kills > 10, "workers were killed: %d" % kills)
    true(box.metrics()["grapnel_worker_deaths_total"] >= kills / 2, "the deaths were counted")
    wait_until(lambda: len(_workers(box)) >= 3, 15, "all workers back")


def master_killed_at_random(box, builddir):
    load, kills = Load(box, builddir, 10), 0
    while load.running():
        time.sleep(random.uniform(1.0, 2.0))
        before = _workers(box)
        if _kill(box.pid("grapnel")):
            kills += 1
            wait_until(lambda: not any(os.path.exists("/proc/%d" % pid) for pid in before), 30, "orphans leave")
    compare(box, load.finish())
    true(kills >= 3, "the master was killed: %d" % kills)


def mariadbd_killed_at_random(box, builddir):
    load, kills = Load(box, builddir, 12), 0
    while load.running():
        time.sleep(random.uniform(2.0, 5.0))
        kills += load.running() and _kill(box.pid("db"))
        wait_until(lambda: _ready(box), 60, "MariaDB back")
    compare(box, load.finish())
    true(kills >= 2, "mariadbd was killed: %d" % kills)


def everything_killed_at_random(box, builddir):
    load = Load(box, builddir, 15)
    while load.running():
        time.sleep(random.uniform(0.2, 1.5))
        choice = random.randrange(10)
        if choice == 0:
            _kill(box.pid("db"))
        elif choice <= 2:
            _kill(box.pid("grapnel"))
        elif _workers(box):
            _kill(random.choice(_workers(box)))
    acknowledged = load.finish()
    wait_until(lambda: _ready(box), 60, "everything back")
    compare(box, acknowledged)


def reload_and_drain_under_load(box, builddir):
    """SIGHUP and SIGTERM lose nothing; a reload refuses nobody."""
    load = Load(box, builddir, 8)
    for _ in range(4):
        time.sleep(1)
        _kill(box.pid("grapnel"), signal.SIGHUP)
    time.sleep(1)
    _kill(box.pid("grapnel"), signal.SIGTERM)
    compare(box, load.finish())


# ---- the database ----

def commit_without_answer(box, builddir):
    """The proxy cuts the connection just after COMMIT. Nothing is lost, nothing is double."""
    proxy = box.proxy
    load = Load(box, builddir, 10)
    proxy.cut_every = 7
    acknowledged = load.finish()
    proxy.cut_every = 0
    compare(box, acknowledged)
    true(proxy.cuts > 10, "COMMITs were cut: %d of %d" % (proxy.cuts, proxy.commits))


commit_without_answer.needs_proxy = True


def database_away_for_seconds(box, builddir):
    """While mariadbd is gone, what comes is spooled; afterwards it is stored, in its order, and all goes on."""
    source = box.integration("prometheus", rateLimitPerMinute=0)
    box.send(source, harness.alerts(harness.alert())).expect(201)
    keeper = box.keeper_pid("db")
    os.kill(keeper, signal.SIGSTOP)
    try:
        os.kill(box.pid("db"), signal.SIGKILL)
        late = harness.alert()
        same(box.send(source, harness.alerts(late)).expect(202), {"received": True, "spooled": True})
        true(spooled(box), "it is in the spool")
        same(box.request("GET", "/healthz").status, 200, "the process is healthy")
        same(box.request("GET", "/readyz").status, 503, "but not ready")
        box.send(source, harness.alerts(harness.alert()), {"Authorization": "Bearer wrong"}).expect(401, "invalid_key")
    finally:
        os.kill(keeper, signal.SIGCONT)
    wait_until(lambda: _ready(box), 60, "MariaDB back")
    box.send(source, harness.alerts(harness.alert())).expect(201)
    wait_until(lambda: not spooled(box), 30, "the spool is replayed")
    same(box.number("SELECT COUNT(*) FROM events WHERE event_id LIKE '%s%%'" % late["fingerprint"]), 1, "what was spooled is stored")


# ---- the key that seals secrets ----

def _rekey(box):
    return subprocess.Popen([os.path.join(box.env["GRAPNEL_PREFIX"], "bin", "grapnelctl"), "-c", box.env["GRAPNEL_CONF"],
                             "secrets", "rekey", "--yes"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _spool_one(box, source):
    """A request that the database could not take, its file put aside. Gives back its alert and a function that puts it back."""
    keeper, alert = box.keeper_pid("db"), harness.alert()
    os.kill(keeper, signal.SIGSTOP)
    try:
        os.kill(box.pid("db"), signal.SIGKILL)
        box.send(source, harness.alerts(alert)).expect(202)
        files = [name for name in spooled(box)]
        for name in files:
            os.rename(box.path("spool", name), box.path("held." + name))
    finally:
        os.kill(keeper, signal.SIGCONT)
    wait_until(lambda: _ready(box), 60, "MariaDB back")

    def put_back():
        for name in files:
            os.rename(box.path("held." + name), box.path("spool", name.replace(".open", ".spool")))
    return alert, put_back


def key_rotated_under_load(box, builddir):
    """grapnelctl secrets rekey, killed again and again while workers seal, open and die: nothing is lost, and nobody finds a secret
    that does not open. What was spooled before it is replayed after it."""
    source = box.integration("prometheus", rateLimitPerMinute=0)
    box.send(source, harness.alerts(harness.alert())).expect(201)
    alert, put_back = _spool_one(box, source)
    paypal = box.integration("paypal", signatureSecret="WH-1", settings={"clientId": "c", "clientSecret": "sealed by key one"})
    box.sql("INSERT INTO source_secrets (source_id, sealed, created_at, expires_at) SELECT s.source_id, s.sealed, 1, 2 FROM source_secrets s"
            " JOIN seq_1_to_20000 LIMIT 20000")
    load, kills = Load(box, builddir, 15), 0
    while load.running():
        rekey = _rekey(box)
        time.sleep(random.uniform(0.1, 0.6))
        kills += _kill(rekey.pid) if kills < 5 and rekey.poll() is None else 0
        rekey.communicate()
        if _workers(box):
            _kill(random.choice(_workers(box)))
        box.integration("github", signatureSecret="made meanwhile")
    acknowledged = load.finish()
    true(kills >= 2, "rekey was killed: %d" % kills)
    wait_until(lambda: _ready(box), 60, "everything back")
    done = _rekey(box)
    out, _ = done.communicate()
    same(done.returncode, 0, out)
    keys = box.ctl("--json", "secrets", "list")
    newest = max(json.loads(keys)["keys"], key=lambda k: k["number"])
    true(newest["seals"] and newest["number"] > 2, keys)
    same([k["values"] for k in json.loads(keys)["keys"] if k["number"] != newest["number"]], [0] * (newest["number"] - 1), keys)
    put_back()
    compare(box, acknowledged)
    wait_until(lambda: box.number("SELECT COUNT(*) FROM events WHERE dedup_key LIKE '%" + alert["fingerprint"] + "%'") == 1, 90,
               "what the old key sealed is replayed")
    [[settings]] = box.sql("SELECT settings FROM sources WHERE public_id = '%s'" % paypal["id"])
    same(json.loads(settings)["clientId"], "c", settings)
    same(base64.b64decode(json.loads(settings)["clientSecret"].removeprefix("sealed:"))[1], newest["number"], "the key of a setting")
    true("ok" in [line.split()[0] for line in box.ctl("doctor", "configuration", "service-user", "key-file", "database", "migrations",
                                                      "sealed-secrets").splitlines() if "sealed-secrets" in line], "all secrets open")
    for word in (b"does not open", b"cannot be opened", b"was changed or belongs elsewhere"):
        true(word not in box.logs(), "nobody said: " + word.decode())


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


# ---- nothing is left behind ----

def down_leaves_no_process(box, builddir):
    load = Load(box, builddir, 3)
    pids = [box.pid(p) for p in ("db", "grapnel", "web")] + box.worker_pids()
    load.finish()
    box.down(remove=False)
    same([pid for pid in pids if os.path.exists("/proc/%d" % pid)], [], "processes after down")
