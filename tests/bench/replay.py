"""replay.py - events that were processed go to their handler again: how fast a task puts them into the queue, and how fast the handler has them.

The handler is `empty`: lighttpd and a libfcgi program that answers at once, on the same machine, so that what is measured is ours and theirs
together. Events are written by hand, all of one request of 1 KiB: what a replay costs does not depend on how they came."""
import json
import time

import host

EVENTS = 100_000
PATIENCE_S = 600

REQUEST = """INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us, event_count)
VALUES ({id}, {source}, 201, 'POST', '/', '127.0.0.1', 'bench', 'content-type: application/json', '{body}', {bytes}, 1, 1)"""
ROWS = """INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status, done,
attempts, received_at, processed_at, updated_at) SELECT {id} + (seq << 12), 1, {source}, {id}, 0, CONCAT('bench-', seq), 'order.paid', 1, 1, 1, 'bench', 2, 4, 1,
{at} + seq DIV 1024, {at} + seq DIV 1024, {at} FROM seq_1_to_{events}"""


def parsed(text):
    """Seconds since 1970."""
    whole, _, ms = text.rstrip("Z").partition(".")
    return time.mktime(time.strptime(whole + " UTC", "%Y-%m-%dT%H:%M:%S %Z")) - time.timezone + int(ms or 0) / 1000


def put_events(program, url, events):
    """A source whose handler is there, and its events of an hour ago. Returns its id and its row."""
    made = program.api("POST", "/api/integrations", {"name": "bench replay", "type": "webhook", "actions": ["forward"], "handlerUrl": url})
    server, database = program.instance.server, program.database
    row = int(server.sql(f"SELECT id FROM sources WHERE public_id = '{made['id']}'", database)[0][0])
    at = int(time.time() - 3600) * 1000
    body = json.dumps({"type": "order.paid", "text": "x" * 1000})
    first = (at - 1577836800000) << 22
    server.sql(REQUEST.format(id=first, source=row, body=body, bytes=len(body)), database)
    server.sql(ROWS.format(id=first, source=row, at=at, events=events), database)
    return made["id"], row


def task(program, wanted, what):
    found = {}

    def there():
        time.sleep(0.15)        # six hundred requests a minute are allowed
        found.update(program.api("GET", f"/api/jobs/{wanted['id']}"))
        return what(found)
    host.wait_until("the replay did not end", there, PATIENCE_S)
    return found


def check(program, row, events, counts):
    """Each event once more, no more and no less."""
    done, attempts = map(int, program.instance.server.sql(
        f"SELECT COUNT(*), COALESCE(SUM(attempts), 0) FROM events WHERE source_id = {row} AND status = 2 AND done = 4", program.database)[0])
    return [sentence for sentence, wrong in (
        (f"{counts['replayed']} events replayed of {events}", counts["replayed"] != events),
        (f"{done} events are processed of {events}", done != events),
        (f"{attempts} attempts, not {2 * events}", attempts != 2 * events)) if wrong]


def measure(program, handler, events):
    program.empty()
    source, row = put_events(program, handler.url + "/hook", events)
    asked = program.api("POST", "/api/events/replay", {"source": source})
    queued = task(program, asked, lambda t: t["over"])
    began = time.monotonic()
    left = queued["counts"]["waiting"]
    all_done = task(program, asked, lambda t: not t["counts"]["waiting"])
    took = parsed(queued["finishedAt"]) - parsed(queued["startedAt"])
    whole = took + time.monotonic() - began
    program.api("DELETE", f"/api/integrations/{source}")
    return {"events": events, "queued_per_s": round(events / max(took, 0.001)), "handled_per_s": round(events / max(whole, 0.001)),
            "left_when_queued": left, "wrong_rows": check(program, row, events, all_done["counts"])}
