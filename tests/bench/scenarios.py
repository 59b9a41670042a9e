"""scenarios.py - one measurement each: empty tables, idle cores, a run of the sender, and the rows compared with what was
acknowledged. Every function returns a dict that goes into the JSON as it is."""
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

import all_types
import database
import deliveries
import filled
import host
import pages
import tracing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
import fcgi  # noqa: E402  pylint: disable=wrong-import-position

KEYS = 1000             # of the pipeline: each kind of payload has a third of them
STORM_KIND = "prometheus"
SILENT, STALLED = 8, 1  # hostile clients beside the normal ones
STALL_PAIRS = 2         # in a round, for each place where they are
PAGE_CLIENTS, PAGE_PAIRS = 8, 3
CLEANUP_PAIRS = 3
DAYS_KEPT = 90
TRACE_PAIRS = 3
NEWS_PAIRS = 2
MANY_KEYS = 1 << 24    # so that nearly each webhook opens an incident
MEMORY_REQUESTS = 200000
TYPE_ROUNDS = 20        # of all golden payloads, after them
MAP_MS = 50             # of one kind of work, five times for each type
STARTS = 7
TRIES = 4               # of a run that was disturbed; the last one counts anyway, and says so
PATIENCE_S = 180        # for idle cores


class Unfinished(Exception):
    """The rest cannot be measured; what was measured until then still counts."""


class Plan:
    """How long and how careful: from the command line. A smoke run measures nothing, so it waits for nothing."""

    def __init__(self, seconds, warmup, smoke, force):
        self.seconds, self.warmup, self.smoke, self.force = seconds, warmup, smoke, force

    def idle_cores(self):
        """Their share; ends the benchmark where it stays too small."""
        if self.smoke:
            return host.idle_share(0.05)
        idle = host.wait_idle(0 if self.force else PATIENCE_S)
        if idle < host.IDLE_WANTED and not self.force:
            raise Unfinished(f"the cores are only {idle:.0%} idle (load {host.loadavg():.2f}): something else runs here, "
                             "and the numbers would be worth nothing. Stop it, or say --force.")
        return idle


def sender(program, connections, keys, kinds, length):
    argv = [f"{program.instance.programs}/bench_sender", "--url", program.url, "--connections", str(connections),
            "--keys", str(keys)] + length
    for kind in kinds or program.targets:
        argv += ["--" + kind, ",".join(program.targets[kind])]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: the sender failed against {program.name}")
    return json.loads(done.stdout)


def measure(plan, program, connections, keys=KEYS, kinds=None, length=None, beside=None):
    """A run of fixed length on idle cores; `beside` makes a context that is held open meanwhile. A run that something else on
    this machine disturbed is done again."""
    length = length or ["--seconds", str(plan.seconds), "--warmup", str(plan.warmup)]
    for _ in range(1 if plan.smoke else TRIES):
        program.empty()
        idle = plan.idle_cores()
        with beside() if beside else contextlib.nullcontext():
            cpu = host.Cpu(program.sessions())
            report = sender(program, connections, keys, kinds, length)
            seconds, elsewhere = cpu.stop()
        report["elsewhere"] = round(elsewhere, 3)
        report["cpu_us"] = {part: round(1e6 * s / max(1, report["total"]["sent"]), 1) for part, s in seconds.items()}
        report["idle_before"] = round(idle, 3)
        report["wrong_rows"] = program.check(report)
        bad = {status: n for status, n in report["status"].items() if not status.startswith("2")}
        if bad or any(report["errors"].values()):
            report["wrong_rows"].append(f"answers {bad}, errors {report['errors']}")
        if report["wrong_rows"] or report["elsewhere"] <= host.ELSEWHERE_MAX:
            break
    return report


def pipeline(plan, program, connections):
    return measure(plan, program, connections)


def storm(plan, program, connections):
    return measure(plan, program, connections, keys=1, kinds=[STORM_KIND])


# ---- hostile clients ----

class Clients(threading.Thread):
    """Holds connections open that say nothing, or begin a request and stop; a closed one is opened anew. `openers` make
    one connection each."""

    def __init__(self, openers):
        super().__init__(daemon=True)
        self.openers, self.over = openers, threading.Event()
        self.sockets = [None] * len(openers)

    def run(self):
        while not self.over.wait(0.2):
            for i, s in enumerate(self.sockets):
                if s is None or self.closed(s):
                    self.sockets[i] = self.openers[i]()

    @staticmethod
    def closed(s):
        try:
            if s.recv(4096, socket.MSG_DONTWAIT):
                return False
        except BlockingIOError:
            return False
        except OSError:
            pass
        s.close()
        return True

    def __enter__(self):
        self.sockets = [opener() for opener in self.openers]
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        for s in self.sockets:
            if s:
                s.close()


def web_clients(program):
    """At the web server: silent ones, and one whose body stops after ten bytes."""
    port = int(program.url.rsplit(":", 1)[1])
    path = program.targets[STORM_KIND][0]
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"

    def connect(first=b""):
        s = socket.create_connection(("127.0.0.1", port))
        s.sendall(first)
        return s
    return Clients([connect] * SILENT + [lambda: connect(head.encode() + b'{"alerts":')] * STALLED)


def fastcgi_clients(program):
    """The same at the FastCGI socket, as a web server that streams bodies would do: this is what the gate is for."""
    path = program.conf_value("ingest_socket")
    uri = program.targets[STORM_KIND][0]
    begun = fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs(fcgi.environment("POST", uri, length=1000)))
    begun += fcgi.record(fcgi.STDIN, b'{"alerts":')

    def connect(first=b""):
        s = fcgi.connect(path)
        s.sendall(first)
        return s
    return Clients([connect] * SILENT + [lambda: connect(begun)] * STALLED)


def stalls(plan, program, connections):
    """Pairs of runs without and with hostile clients, close together: the same machine is up to a fifth faster or slower from
    one minute to the next, and the cost looked for is smaller. Yields (name, report); `share` is the rate of a pair's second
    run by its first."""
    for where, clients in (("web", web_clients), ("fastcgi", fastcgi_clients)) * (1 if plan.smoke else STALL_PAIRS):
        without = measure(plan, program, connections)
        with_ = measure(plan, program, connections, beside=lambda clients=clients: clients(program))
        with_["share"] = round(with_["rate"] / without["rate"], 4)
        yield "stalls without", without
        yield "stalls " + where, with_


# ---- pages ----

def pages_load(plan, program, connections):
    """Pairs of runs without and with people at the pages, as `stalls`. `program` holds a month of events."""
    for _ in range(1 if plan.smoke else PAGE_PAIRS):
        crowds = []

        def crowd():
            crowds.append(pages.Crowd(program, PAGE_CLIENTS))
            return crowds[-1]
        without = measure(plan, program, connections)
        with_ = measure(plan, program, connections, beside=crowd)
        with_["share"] = round(with_["rate"] / without["rate"], 4)
        with_["pages"] = {"seen": len(crowds[-1].seen), "median_ms": statistics.median(crowds[-1].seen or [0])}
        yield "pages-load without", without
        yield "pages-load with", with_


# ---- cleanup ----

class Old(pages.Filled):
    """The product with events in its tables that are all older than it keeps them."""

    def __enter__(self):
        self.program.empty()
        filled.empty(self.instance.server, self.database)
        filled.fill(self.instance.server, self.database, self.events, DAYS_KEPT + 10)
        return self

    def empty(self):
        """Notes what number the next ones have at least."""
        self.before = (int(time.time() * 1000) - 1577836800000) << 22

    def check(self, report):
        return database.check_newer(self.instance.server, self.database, self.before, report["total"])


class Cleaning:
    """`grapnelctl cleanup` from beginning to end of a run, or until nothing is left."""

    def __init__(self, program):
        env, self.user, self.program = program.instance.env, program.instance.user, program
        self.log, self.process = f"{program.instance.scratch}/cleanup.log", None
        self.argv = [f"{env['GRAPNEL_PREFIX']}/bin/grapnelctl", "--config", env["GRAPNEL_CONF"], "--json", "cleanup", "--yes",
                     "--older-than", str(DAYS_KEPT)]

    def __enter__(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.log)
        self.found = self.left()
        self.process = self.user.start(self.argv, self.log)
        return self

    def __exit__(self, *_):
        """A short run may be over before it has begun."""
        host.wait_until("cleanup removed nothing meanwhile", lambda: self.process.poll() is not None or self.left() < self.found)
        host.stop(self.process, 60)

    def left(self):
        return int(self.program.instance.server.sql("SELECT COUNT(*) FROM events WHERE id < %d" % self.program.before, self.program.database)[0][0])

    def result(self):
        with open(self.log, encoding="utf-8") as f:
            said = f.read()
        try:
            return json.loads(said.splitlines()[-1])
        except (IndexError, ValueError):
            raise SystemExit(f"bench: cleanup failed: {said[-500:]}") from None


def cleanup(plan, program, connections):
    """Pairs of runs without and with cleanup at work, as `stalls`; each goes on where the one before has stopped."""
    for _ in range(1 if plan.smoke else CLEANUP_PAIRS):
        begun = []

        def cleaning():
            begun.append(Cleaning(program))
            return begun[-1]
        without = measure(plan, program, connections)
        with_ = measure(plan, program, connections, beside=cleaning)
        with_["share"] = round(with_["rate"] / without["rate"], 4)
        with_["cleanup"] = begun[-1].result()
        if not with_["cleanup"]["touched"]:
            with_["wrong_rows"].append("cleanup removed nothing meanwhile")
        yield "cleanup without", without
        yield "cleanup with", with_


# ---- tracing ----

def traced(plan, program, connections):
    """Pairs of runs without a collector and with one that gets the spans of every webhook, as `stalls`."""
    for _ in range(1 if plan.smoke else TRACE_PAIRS):
        without = measure(plan, program, connections)
        with tracing.Traced(program) as t:
            with_ = measure(plan, program, connections)
            with_["share"] = round(with_["rate"] / without["rate"], 4)
            with_["posts"], with_["posted_bytes"] = t.sink.posts, t.sink.bytes
        yield "tracing without", without
        yield "tracing with", with_


# ---- news ----

# What there is to tell -> who listens, and how many keys the webhooks are about.
NEWS = {"usual": ("incident.*", KEYS), "each": ("incident.*", MANY_KEYS), "sink": ("event.processed", KEYS)}


def news(plan, program, connections):
    """Pairs of runs without anybody who listens and with, as `stalls`."""
    for name, (events, keys) in NEWS.items():
        for _ in range(1 if plan.smoke else NEWS_PAIRS):
            without = measure(plan, program, connections, keys=keys)
            with deliveries.Listening(program, events) as listening:
                with_ = measure(plan, program, connections, keys=keys)
            with_["share"] = round(with_["rate"] / without["rate"], 4)
            with_["arrived"] = listening.arrived
            yield f"news {name} without", without
            yield f"news {name} with", with_


# ---- mapping, memory and start ----

def mapping(plan, program):
    """One event of each type on one core, without web server and database."""
    idle = plan.idle_cores()
    top = os.path.join(program.instance.sources, "..", "..")
    done = subprocess.run([f"{program.instance.programs}/bench_map", "2" if plan.smoke else str(MAP_MS)], stdout=subprocess.PIPE, text=True,
                          check=False, env={**os.environ, "srcdir": top})
    if done.returncode:
        raise SystemExit("bench: bench_map failed")
    return {"idle_before": round(idle, 3), "providers": json.loads(done.stdout)}


def memory(plan, program, requests):
    """Private bytes of each ingest worker of a fresh start: at once, half way, at the end, and after payloads of all types."""
    program.restart()
    workers = program.ingest_workers()
    steps = [[host.private_bytes(pid) for pid in workers]]
    wrong = []
    for _ in range(2):
        wrong += measure(plan, program, 64, length=["--requests", str(requests // 2)])["wrong_rows"]
        steps.append([host.private_bytes(pid) for pid in workers])
    types, type_requests = all_types.post(program, 1 if plan.smoke else TYPE_ROUNDS)
    steps.append([host.private_bytes(pid) for pid in workers])
    return {"requests": requests, "pids": workers, "start": steps[0], "half": steps[1], "end": steps[2], "all_types": steps[3],
            "types": types, "type_requests": type_requests,
            "same_workers": program.ingest_workers() == workers, "wrong_rows": wrong}


def start_time(_plan, program):
    """Milliseconds from the start of grapnel.fcgi to its first answer, on sockets of its own, without a web server."""
    base = f"{program.instance.scratch}/start"
    conf = program.conf()
    for key in ("ingest_socket", "web_socket", "state_file"):
        conf = conf.replace(program.conf_value(key), f"{base}.{key}")
    program.instance.write(f"{base}.conf", conf)
    times = []
    for _ in range(STARTS):
        began = time.monotonic()
        process = program.instance.user.start([f"{program.instance.env['GRAPNEL_PREFIX']}/libexec/grapnel.fcgi", "--config",
                                               f"{base}.conf", "--foreground"], f"{base}.log")
        try:
            while not answered(f"{base}.web_socket"):
                if time.monotonic() - began > 60:
                    raise SystemExit(f"bench: grapnel.fcgi did not start; its log is {base}.log")
                time.sleep(0.001)
            times.append((time.monotonic() - began) * 1000)
        finally:
            host.stop(process)
    return {"ms": [round(t, 1) for t in times], "median_ms": round(statistics.median(times), 1)}


def answered(path):
    try:
        return fcgi.ask(path, "GET", "/healthz", timeout=5).status == 200
    except OSError:
        return False
