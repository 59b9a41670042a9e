#!/usr/bin/env python3
"""test_loop.py - the loop, the gate and the master of src/http, driven from the web server's side.

    python3 tests/http/test_loop.py --builddir DIR [name...]

Each test starts its own small server (tests/http/fcgi_server.c) on sockets in a scratch directory. Tests wait for
conditions, not for times; what they allow for time is generous, what they check is what was promised.
"""
import argparse
import contextlib
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fcgi

TESTS = []
PROGRAM = None


def test(f):
    TESTS.append(f)
    return f


def wait_until(condition, seconds=30, what="condition"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("waited %g s for: %s" % (seconds, what))


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Server:
    """One running master. Keyword arguments become options of the program; env and fds are for inheritance."""

    def __init__(self, env=None, fds=(), stdin=subprocess.DEVNULL, dir=None, preexec=None, start=True, **options):
        self.dir = dir or tempfile.mkdtemp(prefix="grapnel-http-")
        self.ingest, self.web = self.dir + "/ingest.sock", self.dir + "/web.sock"
        self.options = {"ingest": self.ingest, "web": self.web, "shm": self.dir + "/shm",
                        "ingest_workers": 1, "web_workers": 1, **options}
        self.log = open(self.dir + "/log", "a+")
        self.process, self.extra = None, dict(env=env, pass_fds=fds, stdin=stdin, preexec_fn=preexec)
        if start:
            self.start()

    def start(self, listens=True):
        args = [PROGRAM] + ["%s=%s" % o for o in self.options.items() if o[1] is not None]
        self.process = subprocess.Popen(args, stderr=self.log, stdout=self.log, **self.extra)
        if listens:
            self.wait_started()

    def wait_started(self, images=1):
        """That many masters said so, and the last one has all its workers."""
        count = int(self.options["ingest_workers"]) + int(self.options["web_workers"])
        wait_until(lambda: self.text().count("master started") == images, what="the master's start")
        wait_until(lambda: len(self.workers()) == count, what="%d workers" % count)

    def reload(self):
        """Until all workers of before have left; the new image says that it started before it has any of its own."""
        before, images = set(self.workers()), self.text().count("master started")
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not before & set(self.workers()), what="the old workers to leave")
        self.wait_started(images + 1)

    @property
    def pid(self):
        return self.process.pid

    def text(self):
        with open(self.dir + "/log") as f:
            return f.read()

    def ask(self, method="GET", uri="/echo", to=None, **how):
        return fcgi.ask(to or self.ingest, method, uri, **how)

    def workers(self):
        path = "/proc/%d/task/%d/children" % (self.pid, self.pid)
        with open(path) as f:
            return [int(p) for p in f.read().split() if alive(int(p))]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("the master did not stop")
        return self.process.returncode if self.process else None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if exc[0]:
            sys.stdout.write(self.text())
        try:
            self.stop()
        finally:
            self.log.close()
            shutil.rmtree(self.dir, ignore_errors=True)


def listening(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(64)
    return s


def fd_count(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def settled_fds(pid):
    """The number of descriptors of an idle worker: an answer may reach us before its socket is closed."""
    counts = [0, 1]

    def settled():
        counts.append(fd_count(pid))
        time.sleep(0.02)
        return counts[-1] == counts[-2] == counts[-3] and counts[-1]
    return wait_until(settled)


def cpu_ticks(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total


def fast(s, n=20, **how):
    """n requests are answered, and do not wait for anybody: the median tells, since any process may stand still now and then."""
    took = []
    for _ in range(n):
        begun = time.monotonic()
        a = s.ask("POST", body=b"x" * 700, **how)
        assert a.status == 200 and a.ended, a.raw
        took.append(time.monotonic() - begun)
    assert statistics.median(took) < 0.5, "answers took %s s" % took


# ---- what a request becomes ----

@test
def whole_request_in_one_write():
    with Server() as s:
        a = s.ask("POST", "/echo/a%20b?c=d&e", body=b"hello", headers={
            "Content-Type": "Application/JSON; charset=utf-8", "X-GitHub-Event": "push", "X-Request-Id": "abc.1_2-Z",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
        j = a.json()
        assert a.status == 200 and a.ended and a.app_status == 0
        assert (j["method"], j["path"], j["query"]) == ("POST", "/echo/a%20b", "c=d&e")
        assert j["type"] == "application/json" and j["headers"]["x-github-event"] == "push"
        assert j["headers"]["content-type"] == "Application/JSON; charset=utf-8"
        assert j["body"] == 5 and not j["short"] and not j["too_large"] and j["addr"] == "192.0.2.7"
        assert j["trace"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
        assert a.headers["x-request-id"] == "abc.1_2-Z" and a.headers["cache-control"] == "no-store"
        assert a.headers["x-content-type-options"] == "nosniff" and "connection" not in a.headers
        assert int(a.headers["content-length"]) == len(a.body)


@test
def bad_ids_are_replaced():
    with Server() as s:
        for bad in "", "a b", "x" * 65, "a/b", "\xe9":
            a = s.ask(headers={"X-Request-Id": bad, "Traceparent": "00-zz-1-01"})
            assert len(a.headers["x-request-id"]) == 36, a.headers
            assert a.json()["trace"][:3] == "00-" and len(a.json()["trace"]) == 55
        zero = "00-" + "0" * 32 + "-b7ad6b7169203331-01"
        assert s.ask(headers={"Traceparent": zero}).json()["trace"] != zero


@test
def https_is_seen():
    with Server() as s:
        assert not s.ask().json()["https"]
        assert s.ask(HTTPS="on").json()["https"] and s.ask(REQUEST_SCHEME="https").json()["https"]


@test
def head_and_forgotten_answers():
    with Server() as s:
        a = s.ask("HEAD", "/echo")
        assert a.status == 200 and a.body == b"" and int(a.headers["content-length"]) > 100
        a = s.ask("GET", "/echo/none")
        assert a.status == 500 and a.json()["error"] == "internal_error"
        assert s.ask("HEAD", "/echo/large?n=5000000").body == b""


@test
def many_headers():
    with Server() as s:
        assert len(s.ask(headers={"X-H%d" % i: i for i in range(128)}).json()["headers"]) == 128
        a = s.ask(headers={"X-H%d" % i: i for i in range(129)})
        assert a.status == 431 and a.json()["error"] == "invalid_request"


# ---- pieces ----

@test
def byte_by_byte():
    with Server() as s:
        for uri in "/echo", "/web/echo":
            for _ in range(10):
                j = s.ask("POST", uri, body=b"b" * 300, sizes=1).json()
                assert j["body"] == 300 and j["pool"] == ("web" if uri[1] == "w" else "ingest"), j


@test
def records_split_anywhere():
    rnd = random.Random(7)
    with Server(ingest_workers=2) as s:
        for i in range(60):
            body = rnd.randbytes(rnd.choice([0, 1, 100, 5000, 70000, 300000]))
            uri = rnd.choice(["/echo/raw", "/web/raw"])
            data = fcgi.begin(9) + b"".join(
                fcgi.record(fcgi.PARAMS, p, 9, rnd.randrange(9)) for p in cut(rnd, fcgi.pairs(
                    fcgi.environment("POST", uri, length=len(body))))) + fcgi.record(fcgi.PARAMS, b"", 9)
            data += b"".join(fcgi.record(fcgi.STDIN, p, 9, rnd.randrange(256)) for p in cut(rnd, body))
            data += fcgi.record(fcgi.STDIN, b"", 9, rnd.choice([0, 0, 5]))
            sock = fcgi.connect(s.ingest)
            fcgi.send(sock, data, [len(p) for p in cut(rnd, data)], rnd.choice([0, 0, 0.002]))
            a = fcgi.finish(sock)
            assert a.status == 200 and a.body == body and a.ended, (i, a.status, len(a.body), len(body))


def cut(rnd, data):
    """data in random pieces, at most 65535 bytes each, at most about ten"""
    out, at = [], 0
    while at < len(data):
        n = min(rnd.randrange(1, max(2, len(data) // 5 + 1)), 65535)
        out.append(data[at:at + n])
        at += n
    return out


@test
def body_of_25_mib():
    body = random.Random(1).randbytes(25 << 20)
    with Server() as s:
        a = s.ask("POST", "/big/raw", body=body, timeout=30)
        assert a.status == 200 and a.body == body and a.ended
        j = s.ask("POST", "/big", body=body, timeout=30).json()
        assert j["body"] == 25 << 20 and j["pool"] == "web", j    # an ingest worker passes it on
    with Server(web=None, web_workers=0) as s:
        assert s.ask("POST", "/big", body=body, timeout=30).json()["body"] == 25 << 20


# ---- limits ----

@test
def params_limit():
    with Server() as s:
        base = len(fcgi.pairs(fcgi.environment()))
        room = 65536 - base - len(b"HTTP_X_LONG") - 5
        assert s.ask("GET", "/", headers={"X-Long": "v" * room}).status == 200
        assert s.ask("GET", "/", headers={"X-Long": "v" * (room + 1)}).raw == b""
        assert s.ask("GET", "/", headers={"X-Long": "v" * (1 << 20)}).raw == b""


@test
def body_over_the_limit_by_one_byte():
    for limit in 1000, 100000, 1 << 20:
        with Server(body_max=limit) as s:
            a = s.ask("POST", body=b"x" * limit)
            assert a.status == 200 and a.json()["body"] == limit
            a = s.ask("POST", body=b"x" * (limit + 1))
            assert a.status == 413 and a.json()["too_large"] and a.json()["body"] == 0, a.raw
            a = s.ask("POST", body=b"x" * (limit + 1), env=fcgi.environment("POST", "/echo", length=None))
            assert a.status == 413, a.raw    # no length announced
            a = s.ask("POST", body=b"x" * (limit * 3), sizes=8000)
            assert a.status == 413, a.raw


@test
def refused_bodies_are_drained_up_to_8_mib():
    with Server() as s:
        a = s.ask("POST", body=b"x" * (7 << 20))
        assert a.status == 413 and a.ended
        sock = fcgi.connect(s.ingest)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(fcgi.request("POST", "/echo", body=b"x" * (40 << 20)))
            raise AssertionError("40 MiB were read")
        assert fcgi.finish(sock).status == 413
        fast(s)


@test
def a_refused_body_that_stalls_is_answered_at_the_deadline():
    with Server(request_ms=3000) as s:
        sock = fcgi.connect(s.ingest)
        sock.sendall(fcgi.request("POST", "/echo", body=b"x" * (3 << 20))[:2 << 20])
        a = fcgi.finish(sock)
        assert a.status == 413 and a.ended, a.raw


@test
def lying_lengths():
    with Server() as s:
        for length in 4, 6, 70000, 100000:
            a = s.ask("POST", body=b"12345", length=length)
            assert a.status == 200 and a.json()["short"] and a.json()["body"] == 5, (length, a.raw)
        assert s.ask("POST", body=b"12345", length=2 << 20).status == 413
        assert not s.ask("POST", body=b"12345", env=fcgi.environment("POST", length=None)).json()["short"]
        assert not s.ask("GET", env=fcgi.environment("GET", length="")).json()["short"]


@test
def uploads_beyond_the_memory_are_refused():
    with Server(web=None, web_workers=0, request_ms=60000) as s:
        part = fcgi.request("POST", "/big", body=b"x" * (25 << 20))[:-100000]
        stuck = []
        for _ in range(3):
            stuck.append(fcgi.connect(s.ingest))
            stuck[-1].sendall(part)
        a = s.ask("POST", "/big", body=b"x" * (25 << 20), timeout=30)
        assert a.status == 503 and a.json()["error"] == "unavailable" and a.headers["retry-after"], a.raw[:200]
        fast(s)
        for sock in stuck:
            sock.close()
        wait_until(lambda: s.ask("POST", "/big", body=b"x" * (25 << 20), timeout=30).status == 200)


# ---- who is no web server ----

def garbage():
    env = fcgi.pairs(fcgi.environment("POST", "/echo", length=3))
    b, p, e = fcgi.begin(), fcgi.stream(fcgi.PARAMS, env), fcgi.stream(fcgi.STDIN, b"abc")
    r, pairs = fcgi.record, fcgi.pairs
    return {
        "text": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "zeros": b"\0" * 64,
        "ones": b"\xff" * 70000,
        "wrong version": r(fcgi.BEGIN, b"\0\1" + bytes(6), version=2) + p + e,
        "version in the middle": b + p + r(fcgi.STDIN, b"abc", version=0),
        "authorizer": fcgi.begin(role=fcgi.AUTHORIZER) + p + e,
        "filter": fcgi.begin(role=fcgi.FILTER) + p + e,
        "role 0": fcgi.begin(role=0) + p + e,
        "id 0": fcgi.begin(0) + fcgi.stream(fcgi.PARAMS, env, 0) + fcgi.stream(fcgi.STDIN, b"abc", 0),
        "no begin": p + e,
        "begin of 7 bytes": r(fcgi.BEGIN, b"\0\1" + bytes(5)) + p + e,
        "padded begin": r(fcgi.BEGIN, b"\0\1" + bytes(6), padding=8) + p + e,
        "two begins": b + b + p + e,
        "multiplexed": b + fcgi.begin(2) + p + e,
        "another id in params": b + fcgi.stream(fcgi.PARAMS, env, 2) + e,
        "another id in stdin": b + p + fcgi.stream(fcgi.STDIN, b"abc", 2),
        "stdin before params": b + e + p,
        "stdin among params": b + r(fcgi.PARAMS, env) + e,
        "params twice": b + p + p + e,
        "padded end of params": b + r(fcgi.PARAMS, env) + r(fcgi.PARAMS, b"", padding=8) + e,
        "get values": r(fcgi.GET_VALUES, pairs({"FCGI_MAX_CONNS": ""}), 0) + b + p + e,
        "data": b + p + r(fcgi.DATA, b"x") + e,
        "unknown type": b + r(99, b"x") + p + e,
        "stdout": b + p + r(fcgi.STDOUT, b"x") + e,
        "abort at once": b + r(fcgi.ABORT),
        "abort in the body": b + p + r(fcgi.STDIN, b"ab") + r(fcgi.ABORT),
        "abort behind the end": b + p + e + r(fcgi.ABORT),
        "bytes behind the end": b + p + e + b"x",
        "second request": (b + p + e) * 2,
        "no params": b + r(fcgi.PARAMS) + e,
        "no method": b + fcgi.stream(fcgi.PARAMS, pairs({"REQUEST_URI": "/"})) + e,
        "no uri": b + fcgi.stream(fcgi.PARAMS, pairs({"REQUEST_METHOD": "GET"})) + e,
        "half a pair": b + fcgi.stream(fcgi.PARAMS, env[:-2]) + e,
        "one byte more": b + fcgi.stream(fcgi.PARAMS, env + b"\1") + e,
        "huge name": b + fcgi.stream(fcgi.PARAMS, env + b"\xff\xff\xff\xff\x01ab") + e,
        "huge value": b + fcgi.stream(fcgi.PARAMS, env + b"\x01\xff\xff\xff\xfeab") + e,
        "nul in a value": b + fcgi.stream(fcgi.PARAMS, env + pairs({"HTTP_X": b"a\0b"})) + e,
        "nul in a name": b + fcgi.stream(fcgi.PARAMS, env + pairs({b"HTTP_X\0Y": b"a"})) + e,
        "length is no number": b + fcgi.stream(fcgi.PARAMS, pairs(fcgi.environment(length="1x"))) + e,
        "negative length": b + fcgi.stream(fcgi.PARAMS, pairs(fcgi.environment(length="-1"))) + e,
        "giant length": b + fcgi.stream(fcgi.PARAMS, pairs(fcgi.environment(length="9" * 30))) + e,
        "too many pairs": b + fcgi.stream(fcgi.PARAMS, env + pairs([("A", "")] * 2000)) + e,
    }


@test
def garbage_is_closed_without_an_answer():
    with Server(request_ms=60000) as s:
        pids = s.workers()
        for name, data in garbage().items():
            for sizes in None, 7 if len(data) < 9000 else 4096:
                sock = fcgi.connect(s.ingest)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    fcgi.send(sock, data, sizes)
                try:
                    raw = fcgi.read_all(sock)
                except TimeoutError:
                    raise AssertionError("%s: still open" % name)
                # in pieces, what stands behind a whole request comes too late to spoil it
                late = sizes and name in ("abort behind the end", "bytes behind the end", "second request")
                assert raw == b"" or late, (name, sizes, raw)
                sock.close()
        fast(s)
        assert s.workers() == pids


@test
def random_bytes_do_not_kill():
    rnd = random.Random(3)
    good = fcgi.request("POST", "/echo", body=b"abcdef" * 50)
    with Server(request_ms=300, ingest_workers=2) as s:
        pids = s.workers()
        for _ in range(600):
            data = bytearray(good)
            for _ in range(rnd.choice([1, 1, 2, 5])):
                data[rnd.randrange(len(data))] = rnd.randrange(256)
            sock = fcgi.connect(s.ingest)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data[:rnd.choice([len(data), rnd.randrange(len(data))])])
            if rnd.random() < 0.5:
                sock.shutdown(socket.SHUT_WR)
            sock.settimeout(0 if rnd.random() < 0.8 else 30)
            with contextlib.suppress(BlockingIOError):
                fcgi.Answer(fcgi.read_all(sock))
            sock.close()
        fast(s)
        assert s.workers() == pids


# ---- who makes us wait ----

@test
def silent_clients():
    with Server(request_ms=3000) as s:
        socks = [fcgi.connect(s.ingest) for _ in range(300)]
        begun = time.monotonic()
        fast(s)
        for sock in socks:
            assert fcgi.read_all(sock) == b""
            sock.close()
        assert time.monotonic() - begun < 30    # all at their time, not one after the other
        wait_until(lambda: fd_count(s.workers()[0]) < 30)


@test
def silent_clients_beyond_all_places_do_not_lock_out():
    with Server(connections_max=50, request_ms=30000) as s:
        socks = [fcgi.connect(s.ingest) for _ in range(400)]
        begun = time.monotonic()
        a = s.ask("POST", body=b"x", timeout=20)
        assert a.status == 200 and time.monotonic() - begun < 12
        for sock in socks:
            sock.close()
        wait_until(lambda: s.ask().status == 200)
        fast(s)


@test
def stalled_bodies():
    with Server(request_ms=2000) as s:
        part = [fcgi.request("POST", uri, body=b"x" * size)[:-50]
                for uri in ("/echo", "/web/echo") for size in (100, 3000, 60000, 200000)]
        socks = []
        for i in range(120):
            socks.append(fcgi.connect(s.ingest))
            socks[-1].sendall(part[i % len(part)])
        fast(s)
        fast(s, uri="/web")
        for sock in socks:
            assert fcgi.read_all(sock) == b""
            sock.close()
        assert cpu_share(s, 1) < 0.2


def cpu_share(s, seconds):
    """Of one core, all workers together."""
    pids = s.workers()
    before, began = cpu_ticks(pids), time.monotonic()
    time.sleep(seconds)
    return (cpu_ticks(pids) - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)


@test
def waiting_costs_no_processor():
    with Server(request_ms=30000, connections_max=40) as s:
        data = fcgi.request("POST", "/echo", body=b"x" * 50000)
        socks = []
        for cut_at in 0, 3, 8, 20, 300, 40000, len(data) - 1:
            for _ in range(8):
                socks.append(fcgi.connect(s.ingest))
                socks[-1].sendall(data[:cut_at])
        reader = fcgi.connect(s.ingest)
        reader.sendall(fcgi.request("GET", "/echo/large?n=5000000"))
        time.sleep(0.3)
        share = cpu_share(s, 1.5)
        assert share < 0.1, "%.0f %% of a core while all wait" % (100 * share)
        for sock in socks + [reader]:
            sock.close()


@test
def endless_dribble_ends():
    with Server(request_ms=1000, upload_ms=2500) as s:
        sock = fcgi.connect(s.ingest)
        data = fcgi.request("POST", "/echo", body=b"x" * 5000)
        begun = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for i in range(len(data)):
                sock.sendall(data[i:i + 1])
                time.sleep(0.05)
        assert 2 < time.monotonic() - begun < 30


@test
def slow_reader():
    with Server(response_ms=2000) as s:
        for uri in "/echo/large?n=20971520", "/web/large?n=20971520":
            sock = fcgi.connect(s.ingest)
            sock.sendall(fcgi.request("GET", uri))
            sock.recv(1000)
            fast(s)
            fast(s, uri="/web")
            raw = []
            while True:    # slowly, but more than 64 KiB in 2 s
                piece = sock.recv(1 << 19)
                if not piece:
                    break
                raw.append(piece)
                time.sleep(0.005)
            sock.close()
            fast(s, 3)


@test
def slow_reader_gets_all():
    with Server() as s:
        sock = fcgi.connect(s.ingest)
        sock.sendall(fcgi.request("GET", "/echo/large?n=20971520"))
        a = fcgi.finish(sock, step=1 << 18, pause=0.002)
        assert len(a.body) == 20971520 and a.ended
        assert a.body == (b"abcdefghijklmnopqrstuvw" * (20971520 // 23 + 1))[:20971520]


@test
def sizes_of_answers():
    with Server() as s:
        for n in 0, 1, 8000, 8176, 8192, 32767, 32768, 32769, 65536, 300000:
            a = s.ask("GET", "/echo/large?n=%d" % n)
            assert len(a.body) == n and a.ended and int(a.headers["content-length"]) == n, n


@test
def reader_that_takes_nothing_is_dropped():
    with Server(response_ms=5000) as s:
        pid = s.ask().json()["pid"]
        base = settled_fds(pid)
        sock = fcgi.connect(s.ingest)
        sock.sendall(fcgi.request("GET", "/echo/large?n=20971520"))
        wait_until(lambda: fd_count(pid) == base + 2, what="the answer to be made")
        wait_until(lambda: fd_count(pid) == base, what="the peer to be dropped")
        assert 0 < len(fcgi.read_all(sock)) < 20971520
        fast(s, 3)


@test
def vanishing_clients():
    with Server() as s:
        pid = s.ask().json()["pid"]
        base = settled_fds(pid)
        data = fcgi.request("POST", "/echo/large?n=400000", body=b"x" * 5000)
        for i in range(300):
            sock = fcgi.connect(s.ingest)
            sock.sendall(data[:i * 20])
            sock.close()
        fast(s)
        wait_until(lambda: fd_count(pid) == base, what="descriptors to be closed")


# ---- batches and pools ----

def parallel(n, call):
    out = [None] * n

    def run(i):
        out[i] = call(i)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


@test
def waiting_requests_share_a_batch():
    with Server(web=None, web_workers=0, batch_max=8) as s:
        slow = fcgi.connect(s.ingest)
        slow.sendall(fcgi.request("GET", "/echo/sleep?ms=2000"))
        time.sleep(0.1)
        answers = parallel(30, lambda i: s.ask("POST", "/echo", body=b"x" * 100))
        batches = [a.json()["batch"] for a in answers]
        assert max(batches) == 8 and len(set(a.json()["batches"] for a in answers)) <= 6, batches
        assert fcgi.finish(slow).status == 200
        assert s.ask().json()["batch"] == 1    # and nobody waits for a batch to fill


@test
def bytes_bound_a_batch():
    with Server(web=None, web_workers=0, batch_bytes=100000) as s:
        slow = fcgi.connect(s.ingest)
        slow.sendall(fcgi.request("GET", "/echo/sleep?ms=2000"))
        time.sleep(0.1)
        answers = parallel(12, lambda i: s.ask("POST", "/echo", body=b"x" * 40000))
        assert max(a.json()["batch"] for a in answers) == 2
        assert s.ask("POST", body=b"x" * 500000).json()["batch"] == 1
        slow.close()


@test
def packed_bodies_count_as_what_they_can_become():
    with Server(web=None, web_workers=0, batch_bytes=1 << 20) as s:
        slow = fcgi.connect(s.ingest)
        slow.sendall(fcgi.request("GET", "/echo/sleep?ms=2000"))
        time.sleep(0.1)
        packed = {"Content-Encoding": "gzip"}
        answers = parallel(12, lambda i: s.ask("POST", "/echo", body=b"x" * 400, headers=packed))
        assert max(a.json()["batch"] for a in answers) == 2
        answers = parallel(4, lambda i: s.ask("POST", "/big/echo", body=b"x" * 40000, headers=packed))
        assert max(a.json()["batch"] for a in answers) == 1
        slow.close()


@test
def web_requests_are_passed_on():
    with Server(ingest_workers=2, web_workers=2) as s:
        for a in parallel(40, lambda i: s.ask("POST", "/web", body=b"y" * (i * 4000))):
            assert a.status == 200 and a.json()["pool"] == "web"
        assert s.ask(to=s.web).json()["pool"] == "web"
        assert s.ask(uri="/echo").json()["pool"] == "ingest"


@test
def slow_pages_do_not_slow_ingest():
    with Server() as s:
        page = threading.Thread(target=lambda: s.ask(uri="/web/sleep?ms=5000"))
        page.start()
        time.sleep(0.1)
        fast(s)
        assert page.is_alive()
        page.join()


@test
def full_queue_is_served_here():
    with Server(web_workers=1) as s:
        sleeper = threading.Thread(target=lambda: s.ask(uri="/web/sleep?ms=3000"))
        sleeper.start()
        time.sleep(0.1)
        answers = parallel(400, lambda i: s.ask(uri="/web", timeout=20))
        assert all(a.status == 200 for a in answers)
        pools = [a.json()["pool"] for a in answers]
        assert "ingest" in pools and "web" in pools, (pools.count("ingest"), pools.count("web"))
        sleeper.join()


@test
def both_workers_take_part():
    with Server(ingest_workers=2, web=None, web_workers=0) as s:
        wait_until(lambda: len(set(a.json()["pid"] for a in parallel(40, lambda i: s.ask(uri="/echo/sleep?ms=20")))) == 2)


# ---- the master ----

@test
def killed_worker_is_replaced():
    with Server() as s:
        first = s.ask().json()["pid"]
        os.kill(first, signal.SIGKILL)
        second = s.ask().json()
        assert second["pid"] != first and second["slot"] == 0
        wait_until(lambda: "worker died" in s.text() and "signal=9" in s.text())


@test
def crash_takes_one_worker_and_backs_off():
    with Server(web=None, web_workers=0) as s:
        for _ in range(5):
            s.ask(uri="/echo/crash", timeout=20)
        begun = time.monotonic()
        assert s.ask(timeout=20).status == 200
        assert time.monotonic() - begun > 0.3    # 0, 100, 200, 400, 800 ms
        assert s.text().count("worker died") == 5 and "signal=11" in s.text()


@test
def a_long_back_off_ends_without_a_signal():
    with Server(web=None, web_workers=0) as s:
        for _ in range(6):
            s.ask(uri="/echo/crash", timeout=20)
        assert s.ask(timeout=20).status == 200    # after 1.6 s in which the master hears of nothing


@test
def killed_master_takes_its_workers_along():
    with Server(ingest_workers=2) as s:
        pids = s.workers()
        silent = fcgi.connect(s.ingest)    # the workers drain for a while
        silent.sendall(b"\1")
        os.kill(s.pid, signal.SIGKILL)
        s.process.wait()
        begun = time.monotonic()
        s.start(listens=False)    # a new one can bind at once
        s.wait_started(2)
        assert s.ask().json()["parent"] == s.pid
        wait_until(lambda: not any(alive(p) for p in pids), 8, "the orphans to leave")
        assert time.monotonic() - begun < 8
        silent.close()


class Load:
    """Asks without a pause on several threads until stopped; keeps what went wrong."""

    def __init__(self, s, threads=6, uris=("/echo", "/web", "/echo?x")):
        self.s, self.uris, self.wrong, self.done, self.ending = s, uris, [], 0, False
        self.slots, self.pids = set(), set()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(threads)]
        for t in self.threads:
            t.start()

    def run(self, i):
        body = b"z" * (50 if i % 2 else 90000)
        while not self.ending:
            try:
                a = self.s.ask("POST", self.uris[i % len(self.uris)], body=body, sizes=60000 if i % 3 else None)
                if a.status == 200 and a.ended and a.json()["body"] == len(body):
                    self.done += 1
                    self.slots.add(a.json()["slot"])
                    self.pids.add(a.json()["pid"])
                else:
                    self.wrong.append(a.raw[:200])
            except (OSError, AssertionError) as e:
                self.wrong.append(repr(e))

    def stop(self):
        self.ending = True
        for t in self.threads:
            t.join()


@test
def reload_under_load_loses_nothing():
    with Server(ingest_workers=2) as s:
        load = Load(s)
        for _ in range(4):
            done = load.done
            wait_until(lambda: load.done > done + 1000 and set(s.workers()) <= load.pids)
            s.reload()
        wait_until(lambda: set(s.workers()) <= load.pids)
        load.stop()
        assert not load.wrong, load.wrong[:3]
        assert len(load.pids) >= 12 and load.slots == {0, 1, 2, 32, 33, 34}, (load.pids, load.slots)
        assert s.process.poll() is None and "worker died" not in s.text()


@test
def refused_reload_changes_nothing():
    with Server(reload=0) as s:
        pids = s.workers()
        s.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "not reloaded" in s.text())
        assert s.workers() == pids
        fast(s, 3)


@test
def failed_exec_changes_nothing():
    with Server(start=False) as s:
        copy = s.dir + "/program"
        shutil.copy(PROGRAM, copy)
        args = [copy] + ["%s=%s" % o for o in s.options.items()]
        s.process = subprocess.Popen(args, stderr=s.log)
        wait_until(lambda: "master started" in s.text())
        os.rename(copy, copy + ".away")
        for n in 1, 2:
            s.process.send_signal(signal.SIGHUP)
            wait_until(lambda: s.text().count("not reloaded") == n)
            fast(s, 3)
        os.kill(s.workers()[0], signal.SIGKILL)    # its replacement still finds the socket
        fast(s, 3)
        os.rename(copy + ".away", copy)
        s.reload()
        fast(s, 3)


@test
def sigterm_drains():
    with Server(ingest_workers=1) as s:
        slow = fcgi.connect(s.ingest)
        slow.sendall(fcgi.request("GET", "/echo/sleep?ms=500"))
        half = fcgi.connect(s.ingest)
        data = fcgi.request("POST", "/echo", body=b"x" * 100)
        half.sendall(data[:-30])
        big = fcgi.connect(s.ingest)
        big.sendall(fcgi.request("GET", "/echo/large?n=8000000"))
        time.sleep(0.2)
        backlog = fcgi.connect(s.ingest)    # the only worker is busy: nobody has accepted this one
        backlog.sendall(fcgi.request("GET", "/web"))
        s.process.terminate()
        time.sleep(0.2)
        half.sendall(data[-30:])
        assert fcgi.finish(slow).status == 200
        assert fcgi.finish(half).status == 200
        assert fcgi.finish(backlog).status == 200
        assert len(fcgi.finish(big).body) == 8000000
        assert s.process.wait(10) == 0
        assert not os.path.exists(s.ingest) and not os.path.exists(s.web)


@test
def stop_is_heard_by_a_worker_that_never_sleeps():
    """Its epoll always has something to report, and then the kernel lets no signal in."""
    with Server(web=None, web_workers=0, batch_max=1) as s:
        load = Load(s, threads=24, uris=("/echo/sleep?ms=10",))
        try:
            wait_until(lambda: load.done > 100)
            pid = s.workers()[0]
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not alive(pid), 30, "the worker to leave")
        finally:
            load.stop()
        assert not load.wrong, load.wrong[:3]


@test
def drain_has_an_end():
    with Server(drain_ms=1500, response_ms=60000) as s:
        reader = fcgi.connect(s.ingest)
        reader.sendall(fcgi.request("GET", "/echo/large?n=20000000"))
        stuck = fcgi.connect(s.ingest)
        time.sleep(0.2)
        begun = time.monotonic()
        s.process.terminate()
        assert s.process.wait(30) == 0 and time.monotonic() - begun < 30
        reader.close()
        stuck.close()


# ---- sockets ----

@test
def second_master_is_refused():
    with Server() as s:
        with Server(dir=tempfile.mkdtemp(), start=False, ingest=s.ingest) as other:
            other.start(listens=False)
            assert other.process.wait(5) == 1
            assert "another running program listens" in other.text()
        fast(s, 3)


@test
def bad_socket_paths_are_refused_with_a_sentence():
    for path, text in (("/tmp/" + "x" * 103, "107 are possible"), ("/nowhere/at/all", "/nowhere/at"),
                       (os.path.abspath(__file__), "is no socket")):
        with Server(start=False, ingest=path) as s:
            s.start(listens=False)
            assert s.process.wait(5) == 1 and text in s.text(), s.text()
    assert os.path.isfile(__file__)


@test
def stale_socket_is_replaced_and_mode_set():
    with Server(start=False, mode=0o660) as s:
        listening(s.ingest).close()
        s.start()
        assert os.stat(s.ingest).st_mode & 0o777 == 0o660
        fast(s, 3)


@test
def descriptor_zero():
    directory = tempfile.mkdtemp(prefix="grapnel-http-")
    sock = listening(directory + "/zero.sock")
    with Server(dir=directory, stdin=sock, ingest=None, web=None) as s:
        for uri in "/echo", "/web":
            assert s.ask(uri=uri, to=directory + "/zero.sock").json()["pool"] == "both"
        assert len(s.workers()) == 2
        s.reload()
        assert s.ask(to=directory + "/zero.sock").json()["slot"] >= 32
        s.stop()
        assert os.path.exists(directory + "/zero.sock")    # not ours to remove


def activated(directory, sockets, names):
    """Environment and set-up of sd_listen_fds(3) for the child."""
    env = dict(os.environ, LISTEN_FDS=str(len(sockets)))
    if names:
        env["LISTEN_FDNAMES"] = names
    numbers = [s.fileno() for s in sockets]

    def preexec():
        for i, fd in enumerate([os.dup2(n, 200 + i) for i, n in enumerate(numbers)]):
            os.dup2(fd, 3 + i)
    program = "export LISTEN_PID=$$; exec \"$@\""
    return env, preexec, ["/bin/sh", "-c", program, "sh"]


def start_activated(s, sockets, names):
    env, preexec, prefix = activated(s.dir, sockets, names)
    args = prefix + [PROGRAM] + ["%s=%s" % o for o in s.options.items() if o[1] is not None]
    s.process = subprocess.Popen(args, stderr=s.log, env=env, preexec_fn=preexec, close_fds=False)
    s.wait_started()


@test
def listen_fds_with_names():
    with Server(start=False) as s:
        a, b = listening(s.dir + "/a"), listening(s.dir + "/b")
        start_activated(s, [b, a], "web:ingest")
        for _ in range(2):
            assert s.ask(to=s.dir + "/a").json()["pool"] == "ingest"
            assert s.ask(to=s.dir + "/b").json()["pool"] == "web"
            assert s.ask(to=s.dir + "/a", uri="/web").json()["pool"] == "web"
            assert not os.path.exists(s.ingest)
            s.reload()
        s.stop()
        assert os.path.exists(s.dir + "/a")


# ---- answers that another worker gives ----

@test
def handed_over_to_the_web_pool():
    with Server(ingest_workers=1, web_workers=2) as s:
        for request_id, body, n in (1, b"", 1), (7, b"hello", 500), (0xfffe, b"x" * 60000, 200000):
            data = fcgi.request("POST", "/echo/later?n=%d" % n, body=body, request_id=request_id,
                                headers={"X-Request-Id": "trace-%d" % n})
            sock = fcgi.connect(s.ingest)
            sock.sendall(data)
            a = fcgi.finish(sock)
            j = a.json()
            assert a.status == 200 and a.ended, a.raw
            assert j["pool"] == "web" and j["note"] == n + 1 and j["body"] == 0 and j["batch"] == 1, j
            assert j["method"] == "POST" and j["addr"] == "192.0.2.7" and j["path"] == "/echo/later", j
            assert j["headers"]["x-request-id"] == "trace-%d" % n, j


@test
def nobody_else_waits_for_what_was_handed_over():
    with Server(ingest_workers=1, web_workers=2) as s:
        sock = fcgi.connect(s.ingest)
        sock.sendall(fcgi.request("POST", "/echo/later?ms=3000", body=b"x"))
        time.sleep(0.2)
        fast(s)
        fast(s, uri="/web")
        assert fcgi.finish(sock).json()["pool"] == "web"


@test
def handed_over_by_a_slow_request():
    with Server(ingest_workers=1, web_workers=1) as s:
        j = s.ask("POST", "/echo/later?n=10", body=b"b" * 3000, sizes=700).json()
        assert j["pool"] == "web" and j["note"] == 11, j
        j = s.ask("POST", "/big/later?n=10", body=b"b" * 300000).json()     # read by the web pool itself
        assert j["pool"] == "web" and j["note"] == 11, j


@test
def with_one_pool_it_comes_in_a_later_turn():
    sockets = [listening(tempfile.mkdtemp() + "/a")]
    with Server(dir=os.path.dirname(sockets[0].getsockname()), stdin=sockets[0], ingest=None, web=None) as s:
        path = s.dir + "/a"
        for n in 1, 70000:
            j = s.ask("POST", "/echo/later?n=%d" % n, to=path, body=b"x").json()
            assert j["pool"] == "both" and j["note"] == n + 1 and j["batch"] == 1, j


@test
def a_note_that_is_too_large_is_not_handed_over():
    with Server(ingest_workers=1, web_workers=1) as s:
        j = s.ask("POST", "/echo/later?n=%d" % (17 << 20), body=b"x").json()
        assert j["pool"] == "ingest" and j["note"] == 0, j
        fast(s)


@test
def a_client_cannot_write_notes():
    with Server(ingest_workers=1, web_workers=1) as s:
        for name in "NOTE", "GRAPNEL_NOTE", "HTTP_NOTE":
            j = s.ask("POST", "/web/echo", body=b"x", **{name: "1"}).json()
            assert j["note"] == 0 and j["body"] == 1, j


@test
def listen_fds_without_names():
    with Server(start=False) as s:
        start_activated(s, [listening(s.dir + "/a")], None)
        assert s.ask(to=s.dir + "/a").json()["pool"] == "both"
        assert s.ask(to=s.dir + "/a", uri="/web").json()["pool"] == "both"


def main():
    global PROGRAM
    p = argparse.ArgumentParser()
    p.add_argument("--builddir", default=".")
    p.add_argument("names", nargs="*")
    args = p.parse_args()
    PROGRAM = os.path.abspath(os.path.join(args.builddir, "test_fcgi_server"))
    passed = failed = 0
    for t in TESTS:
        if args.names and t.__name__ not in args.names:
            continue
        begun = time.monotonic()
        try:
            t()
            passed += 1
            print("ok   %-55s %.1f s" % (t.__name__, time.monotonic() - begun), flush=True)
        except Exception:
            failed += 1
            print("FAIL %s" % t.__name__, flush=True)
            traceback.print_exc(file=sys.stdout)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
