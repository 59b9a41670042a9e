"""outbox.py - how fast the dispatcher sends what waits, and what it holds meanwhile: 10,000 messages for one channel, then for eight, signed and
posted to a program on loopback that answers at once (libfcgi behind lighttpd). From the commit of the messages to the last stored result."""
import json
import time

import host

ROWS = 10_000
CHANNELS = 8
PATIENCE_S = 120
PAYLOAD = {"type": "monitor.alert_started", "at": "2026-01-02T03:04:05.000Z", "data": {
    "id": "5", "type": "LARGE_BACKLOG", "subject": "", "severity": "WARNING", "message": "120 events are unprocessed, 100 may be.", "value": 120,
    "threshold": 100, "startedAt": "2026-01-02T03:04:05.000Z", "endedAt": None, "advice": "Add workers, and look at the slowest handler."}}


def dispatcher(program):
    for pid in host.children(program.instance.part_pid("grapnel")):
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            if f.read().strip() == "dispatcher":
                return pid
    raise SystemExit("bench: no dispatcher runs")


def make_channels(program, url):
    """Their rows."""
    made = [program.api("POST", "/api/channels", {"name": f"bench {n}", "kind": "webhook", "url": url + "/bench"})["id"] for n in range(CHANNELS)]
    rows = program.instance.server.sql(f"SELECT id FROM channels WHERE public_id IN ({', '.join(repr(m) for m in made)})", program.database)
    return made, [int(row[0]) for row in rows]


def queue(program, channels, n):
    """Commits n messages that are due, dealt out to the channels."""
    whose = f"ELT(1 + seq % {len(channels)}, {', '.join(map(str, channels))})"
    program.instance.server.sql(
        "DELETE FROM outbox; DELETE FROM outbox_attempts; INSERT INTO outbox (id, tenant_id, kind, target_id, cause_id, payload, next_at, created_at)"
        f" SELECT ((UNIX_TIMESTAMP() * 1000 - 1577836800000) << 22) + seq, 1, 1, {whose}, seq, '{json.dumps(PAYLOAD)}', UNIX_TIMESTAMP() * 1000,"
        f" UNIX_TIMESTAMP() * 1000 FROM seq_1_to_{n}", program.database)


def drain(program, n):
    """Deliveries per second, and the most that the dispatcher held by itself while it sent them."""
    pid, most, began = dispatcher(program), 0, time.monotonic()
    left = n
    while left and time.monotonic() - began < PATIENCE_S:
        time.sleep(0.1)
        most = max(most, host.private_bytes(pid))
        left = int(program.instance.server.sql("SELECT COUNT(*) FROM outbox WHERE status IN (0, 2)", program.database)[0][0])
    took = time.monotonic() - began
    sent = int(program.instance.server.sql("SELECT COUNT(*) FROM outbox WHERE status = 1 AND attempts = 1", program.database)[0][0])
    wrong = [] if sent == n else [f"{sent} of {n} messages were sent by one attempt"]
    return {"rate": round(sent / took), "private_bytes": most, "wrong_rows": wrong}


def measure(plan, program, receiver, n):
    receiver.start()
    made, channels = make_channels(program, receiver.url)
    try:
        idle = plan.idle_cores()
        at_rest = host.private_bytes(dispatcher(program))
        runs = {}
        for name, whose in (("one", channels[:1]), ("eight", channels)):
            queue(program, whose, n)
            runs[name] = drain(program, n)
        return {"messages": n, "idle_before": round(idle, 3), "at_rest_bytes": at_rest, **runs,
                "wrong_rows": [sentence for run in runs.values() for sentence in run["wrong_rows"]]}
    finally:
        for channel in made:
            program.api("DELETE", "/api/channels/" + channel)
        receiver.stop()
