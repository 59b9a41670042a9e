"""deliveries.py - what endpoints of users get: how long it takes from a webhook to the signed request that tells of its incident, how many such
requests go out in a second, also beside an endpoint that never answers, and what news cost ingest.

The receiver is bench_receiver: it answers at once, checks each signature, and notes when each request has come."""
import collections
import http.client
import json
import os
import statistics
import time

import host
import outbox
import programs

ROWS = 10_000
INCIDENTS = 300         # opened one after the other...
PACE_S = 0.02           # ...with so long between two
ENDPOINTS = 8
HANG_PAIRS = 3
PATIENCE_S = 120
SECRET = "bench-endpoints-secret-of-32-letters"

Arrival = collections.namedtuple("Arrival", "us path id mark signed")


class Receiver:
    def __init__(self, instance):
        self.instance, self.port = instance, programs.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = f"{instance.scratch}/receiver.log"
        self.process = None

    def start(self):
        if os.path.exists(self.log):
            os.unlink(self.log)
        self.process = self.instance.user.start([f"{self.instance.programs}/bench_receiver", str(self.port), self.log, SECRET],
                                                f"{self.instance.scratch}/receiver.err")
        host.wait_until("bench_receiver does not listen", lambda: programs.answers(self.port))

    def stop(self):
        host.stop(self.process)

    def restart(self):
        """What hangs comes to its end, and what has come is forgotten."""
        self.stop()
        self.start()

    def arrivals(self):
        """Those that were noted whole."""
        with open(self.log, encoding="utf-8") as f:
            lines = [line.split() for line in f if line.endswith("\n")]
        return [Arrival(int(us), path, number, int(mark), signed == "signed") for us, path, number, mark, signed in lines]


class Endpoints:
    """Of the administrator, while it is entered. `rows` are their numbers in the database."""

    def __init__(self, program, receiver, paths, events=("incident.*",)):
        self.program, self.events = program, events
        self.urls = [receiver.url + path for path in paths]

    def __enter__(self):
        self.ids = [self.program.api("POST", "/api/endpoints", {"url": url, "events": self.events, "secret": SECRET})["id"] for url in self.urls]
        found = dict(self.program.instance.server.sql("SELECT public_id, id FROM endpoints", self.program.database))
        self.rows = [int(found[one]) for one in self.ids]
        return self

    def __exit__(self, *_):
        for one in self.ids:
            self.program.api("DELETE", "/api/endpoints/" + one)


# ---- from a webhook to the request ----

def alert(n):
    return json.dumps({"version": "4", "status": "firing", "receiver": "grapnel", "groupKey": f"bench-{n}", "truncatedAlerts": 0, "groupLabels": {},
                       "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://127.0.0.1:9093", "alerts": [{
                           "status": "firing", "labels": {"alertname": f"bench-mark-{n}", "severity": "critical", "instance": "db-1"},
                           "annotations": {"summary": f"bench-mark-{n} of the benchmark"}, "startsAt": "2026-01-02T03:04:05Z",
                           "endsAt": "0001-01-01T00:00:00Z", "fingerprint": f"{time.time_ns():016x}"}]})


def open_incidents(program, n):
    """One after the other on one connection. Returns {mark: (when it was sent, when it was answered)} in microseconds since 1970."""
    path, key = program.targets["prometheus"]
    connection = http.client.HTTPConnection("127.0.0.1", int(program.url.rsplit(":", 1)[1]), timeout=60)
    times = {}
    for mark in range(1, n + 1):
        began = time.time_ns()
        connection.request("POST", path, alert(mark), {"Content-Type": "application/json", "Authorization": "Bearer " + key})
        with connection.getresponse() as answer:
            answer.read()
            if answer.status // 100 != 2:
                raise SystemExit(f"bench: a webhook was answered {answer.status}")
        times[mark] = began // 1000, time.time_ns() // 1000
        time.sleep(PACE_S)
    connection.close()
    return times


def percentiles(ms):
    return {"p50": round(statistics.median(ms), 2), "p99": round(sorted(ms)[len(ms) * 99 // 100], 2)}


def latency(program, receiver, n):
    """Milliseconds until the endpoint's request is there: from the webhook's first byte, and from its answer, which follows the commit."""
    with Endpoints(program, receiver, ["/one"]):
        times = open_incidents(program, n)
        host.wait_until("deliveries of incidents are missing", lambda: len(receiver.arrivals()) >= n, PATIENCE_S)
        arrivals = receiver.arrivals()
        wait_stored(program, n)
    wrong = wrong_arrivals(arrivals, n)
    if sorted(a.mark for a in arrivals) != sorted(times):
        wrong.append("not each incident was told once")
        return {"wrong_rows": wrong}
    return {"incidents": n, "from_webhook_ms": percentiles([(a.us - times[a.mark][0]) / 1000 for a in arrivals]),
            "from_answer_ms": percentiles([(a.us - times[a.mark][1]) / 1000 for a in arrivals]), "wrong_rows": wrong}


def wait_stored(program, n):
    def stored():
        return int(program.instance.server.sql("SELECT COUNT(*) FROM outbox WHERE kind = 2 AND status = 1", program.database)[0][0])
    host.wait_until("results are missing", lambda: stored() >= n)


def wrong_arrivals(arrivals, n):
    """Each once, and signed; in sentences."""
    ids, signed = {a.id for a in arrivals}, sum(a.signed for a in arrivals)
    return [sentence for sentence, wrong in (
        (f"{len(arrivals)} deliveries of {n} came", len(arrivals) != n),
        (f"{len(arrivals) - len(ids)} deliveries came twice", len(ids) != len(arrivals)),
        (f"{len(arrivals) - signed} deliveries have no right signature", signed != len(arrivals))) if wrong]


# ---- a queue ----

def payload(program):
    """Of a delivery that was sent, as an expression of SQL."""
    text = program.instance.server.sql("SELECT HEX(payload) FROM outbox WHERE kind = 2 AND status = 1 LIMIT 1", program.database)[0][0]
    return f"CONVERT(UNHEX('{text}') USING utf8mb4)"


def queue(program, body, endpoints, n):
    """Commits n deliveries that are due, dealt out to the endpoints, each of a cause of its own."""
    whose = f"ELT(1 + seq % {len(endpoints)}, {', '.join(map(str, endpoints))})"
    number = "((UNIX_TIMESTAMP() * 1000 - 1577836800000) << 22)"
    program.instance.server.sql(
        f"DELETE FROM outbox; DELETE FROM outbox_attempts; DELETE FROM deliveries; DELETE FROM breakers; SET @n = {number}; START TRANSACTION;"
        "INSERT INTO deliveries (id, tenant_id, user_id, endpoint_id, event, url, summary)"
        f" SELECT @n + seq, 1, p.user_id, p.id, 'incident.opened', p.url, 'bench' FROM seq_1_to_{n} JOIN endpoints p ON p.id = {whose};"
        "INSERT INTO outbox (id, tenant_id, kind, target_id, cause_id, payload, next_at, created_at)"
        f" SELECT @n + seq, 1, 2, {whose}, @n + seq, {body}, UNIX_TIMESTAMP() * 1000, UNIX_TIMESTAMP() * 1000 FROM seq_1_to_{n}; COMMIT",
        program.database)


def drain(program, receiver, n):
    """Of the deliveries that are answered: how many came in a second, and the most that the dispatcher held by itself meanwhile."""
    pid, most, there, end = outbox.dispatcher(program), 0, 0, time.monotonic() + PATIENCE_S
    while there < n and time.monotonic() < end:
        time.sleep(0.1)
        most = max(most, host.private_bytes(pid))
        there = sum(not a.path.startswith("/hang") for a in receiver.arrivals())
    arrivals = [a for a in receiver.arrivals() if not a.path.startswith("/hang")]

    def stored():
        return int(program.instance.server.sql("SELECT COUNT(*) FROM outbox WHERE status = 1 AND attempts = 1", program.database)[0][0])
    host.wait_until("results are missing", lambda: stored() >= len(arrivals))
    times = sorted(a.us for a in arrivals)
    return {"rate": round((len(times) - 1) / max(1, times[-1] - times[0]) * 1e6), "private_bytes": most, "wrong_rows": wrong_arrivals(arrivals, n)}


def rates(program, receiver, body, n):
    with Endpoints(program, receiver, [f"/{k}" for k in range(ENDPOINTS)], ("alerts.triggered",)) as endpoints:
        runs = {}
        for name, rows in (("one", endpoints.rows[:1]), ("eight", endpoints.rows)):
            receiver.restart()
            queue(program, body, rows, n)
            runs[name] = drain(program, receiver, n)
    return runs


def hanging(program, receiver, body, n, pairs):
    """Eight endpoints without and with a ninth that never answers, close together; `share` is what is left of the rate."""
    found = []
    with Endpoints(program, receiver, [f"/{k}" for k in range(ENDPOINTS)] + ["/hang"], ("alerts.triggered",)) as endpoints:
        for _ in range(pairs):
            both = []
            for rows, count in ((endpoints.rows[:-1], n), (endpoints.rows, n + n // ENDPOINTS)):
                receiver.restart()
                queue(program, body, rows, count)
                both.append(drain(program, receiver, n))
            found.append({"without": both[0], "with": both[1], "share": round(both[1]["rate"] / both[0]["rate"], 4)})
    return found


def measure(plan, program, smoke_rows):
    """All of it; `smoke_rows` 0 measures in earnest."""
    receiver = Receiver(program.instance)
    receiver.start()
    program.empty()
    try:
        idle = plan.idle_cores()
        found = {"deliveries": smoke_rows or ROWS, "idle_before": round(idle, 3), "latency": latency(program, receiver, 20 if smoke_rows else INCIDENTS)}
        body = payload(program)
        found.update(rates(program, receiver, body, smoke_rows or ROWS))
        found["hanging"] = hanging(program, receiver, body, smoke_rows or ROWS, 1 if smoke_rows else HANG_PAIRS)
    finally:
        receiver.stop()
    runs = [found["latency"], found["one"], found["eight"]] + [pair[which] for pair in found["hanging"] for which in ("without", "with")]
    return {**found, "wrong_rows": [sentence for run in runs for sentence in run["wrong_rows"]]}


# ---- what news cost ingest ----

class Listening:
    """Somebody wants to know, while it is entered: an endpoint and a channel of incidents, or a sink that gets each event."""

    def __init__(self, program, events):
        self.program, self.events = program, events
        self.receiver = Receiver(program.instance)

    def __enter__(self):
        self.receiver.start()
        self.program.beside = [self.receiver.process.pid]
        self.endpoints = Endpoints(self.program, self.receiver, ["/told"] if self.events == "incident.*" else [])
        self.endpoints.__enter__()
        self.channel = self.program.api("POST", "/api/channels", {"name": "bench", "kind": "webhook", "url": self.receiver.url + "/channel",
                                                                  "events": [self.events], "secret": SECRET})["id"]
        return self

    def __exit__(self, *_):
        host.wait_until("nothing was told", self.receiver.arrivals)
        self.arrived = len(self.receiver.arrivals())
        self.endpoints.__exit__()
        self.program.api("DELETE", "/api/channels/" + self.channel)
        self.program.empty()
        self.program.beside = []
        self.receiver.stop()
