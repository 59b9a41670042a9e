"""filled.py - a database as it is after a month: a million events with all that belongs to them, made by the server itself from its
sequence tables in a minute or two.

A request every 2.6 s over 30 days, of 40 sources: each with one event, three of five with an alert, each twentieth alert a new incident,
of which a few hundred are unresolved; beside them refused and repeated ones, hourly counters, an audit log, runs of jobs, people."""
import sys
import time

EVENTS = 1_000_000
DAYS = 30
SOURCES = 40
SERVICES = 12
KEYS = 20_000           # dedup keys; an incident has one, and all alerts of a key since belong to it
CHUNK = 50_000          # rows of one statement
WORKER = 900            # in the numbers, so that none is one of a worker's
PROVIDERS = ("prometheus", "github", "stripe", "webhook")

# Numbers made as base/id.c does; `t` is a moment in ms.
ID = f"((({{t}}) - 1577836800000) * 4194304 + {WORKER} * 4096 + {{n}})"
EMPTIED = ("request_marks", "source_stats", "audit_log", "job_runs", "event_minutes", "event_hours", "event_days", "event_failures", "forwards", "monitor_cache")
SUMMED = ("event_minutes", "event_hours", "event_days", "event_failures", "forwards")     # what is left of events that came lately
MONITORED = ("services", "sources", "events", *SUMMED)      # all that the monitor reads
DURATIONS = 40          # classes of them in a minute: more than a product that is busy has


def body(length=700):
    """Some JSON of about that size, different in each row."""
    return ("CONCAT('{\"receiver\":\"grapnel\",\"status\":\"firing\",\"alerts\":[{\"labels\":{\"alertname\":\"HighLoad\",\"instance\":\"host-', seq % 500,"
            f"'\"}},\"annotations\":{{\"summary\":\"Load of host-', seq % 500, ' is high\",\"note\":\"', REPEAT(MD5(seq), {length // 32}), '\"}}}}]}}')")


def statements(began_ms, events):
    """SQL texts in order. `seq` counts events from 1; source, key and incident of an event follow from it."""
    step = DAYS * 86_400_000 // events
    t = f"{began_ms} + seq * {step}"
    source = f"(100 + seq % {SOURCES})"
    key_of = f"(seq DIV 5 % {min(KEYS, events)})"
    alert = "(seq % 5 < 3)"
    per_incident = 20                           # alerts
    first = f"(({{seq}}) DIV {per_incident * 5 // 3} * {per_incident * 5 // 3} + 5)"   # the event that opened the incident
    incident = ID.format(t=f"{began_ms} + {first.format(seq='seq')} * {step}", n=3)
    open_from = events - events // 25          # the newest 4 % of incidents: some of them are not over
    own = ID.format(t=t, n="{n}")
    yield "services", (
        "INSERT INTO services (id, public_id, tenant_id, name, created_at, updated_at) SELECT 100 + seq, CONCAT('sv_bench', LPAD(seq, 15, '0')), 1,"
        f" CONCAT('service ', seq), 1, 1 FROM seq_1_to_{SERVICES} ON DUPLICATE KEY UPDATE id = VALUES(id)")
    yield "sources", (
        "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at)"
        f" SELECT 100 + seq, CONCAT('in_bench', LPAD(seq, 15, '0')), 1, 1, ELT(1 + seq % 4, {', '.join(repr(p) for p in PROVIDERS)}),"
        f" CONCAT('source ', seq), 101 + seq % {SERVICES}, 1, 1, 1 FROM seq_0_to_{SOURCES - 1} ON DUPLICATE KEY UPDATE id = VALUES(id)")
    yield "users", (
        "INSERT INTO users (id, public_id, tenant_id, name, email, role, created_at) SELECT 100 + seq, CONCAT('us_bench', LPAD(seq, 15, '0')), 1,"
        " CONCAT('person ', seq), CONCAT('person', seq, '@example.org'), 1 + seq % 3, 1 FROM seq_1_to_200 ON DUPLICATE KEY UPDATE id = VALUES(id)")
    for low in range(1, events + 1, CHUNK):
        rows = f"seq_{low}_to_{min(low + CHUNK - 1, events)}"
        yield "requests", (
            "INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us, event_count,"
            f" event_id, stages) SELECT {own.format(n=0)}, {source}, 201, 'POST', '/api/integrations/prometheus/in_bench', '192.0.2.7', MD5(seq),"
            " 'content-type: application/json\\nuser-agent: Alertmanager/0.27\\nauthorization: ***\\n',"
            f" {body()}, 900, 1000 + seq % 5000, 1, {own.format(n=1)}, '80 200 300 400 900' FROM {rows}")
        yield "events", (
            "INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, entity_type, entity_id, action, severity, level,"
            " dedup_key, summary, service, origin, status, done, attempts, error, incident_id, occurred_at, received_at, processed_at, updated_at)"
            f" SELECT {own.format(n=1)}, 1, {source}, {own.format(n=0)}, 0, CONCAT('bench-', seq), ELT(1 + seq % 7, 'push', 'alert', 'charge.failed',"
            f" 'workflow_run', 'invoice.paid', 'deploy', 'check'), 'host', seq % 500, IF({alert}, 1, 0), seq % 4, seq % 5, CONCAT('key-', {key_of}),"
            f" CONCAT('Load of host-', seq % 500, ' is high, ', MD5(seq)), 'shop', 'node', IF(seq % 997 = 0, 3, IF(seq % 991 = 0, 4, IF({alert}, 2, 5))), 1, 1,"
            f" IF(seq % 997 = 0, 'handler answered 500', NULL), IF({alert}, {incident}, NULL), {t} - 900, {t}, {t} + 3, {t} + 3 FROM {rows}")
        yield "event_ids", (
            "INSERT INTO event_ids (source_id, id_hash, event_id, first_at, repeats)"
            f" SELECT {source}, UNHEX(LEFT(SHA2(CONCAT('bench-', seq), 256), 32)), {own.format(n=1)}, {t}, seq % 20 = 0 FROM {rows}")
        yield "alerts", (
            "INSERT INTO alerts (id, tenant_id, event_id, incident_id, level, created_at)"
            f" SELECT {own.format(n=2)}, 1, {own.format(n=1)}, {incident}, seq % 5, {t} FROM {rows} WHERE {alert}")
    opens = f"seq_{1}_to_{events}"
    width = per_incident * 5 // 3
    unresolved = f"(seq > {open_from} AND seq DIV {width} % 3)"
    service = f"(101 + seq DIV {width} % {SERVICES})"
    which = f"seq % {width} = 5"
    status = f"IF({unresolved}, 1 + (seq DIV {width} % 3 > 1), 3)"
    yield "incidents", (
        "INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level, alert_count, opened_at,"
        " acknowledged_at, resolved_at, resolved_by, assignee_id, last_alert_at, updated_at)"
        f" SELECT {own.format(n=3)}, 1, {service}, {source}, CONCAT('incident-', seq), IF({unresolved}, UNHEX(LEFT(SHA2(CONCAT('incident-', seq), 256), 32)), NULL),"
        f" CONCAT('Load of host-', seq % 500, ' is high'), {status}, seq DIV {width} % 5, {per_incident}, {t}, NULL, IF({unresolved}, NULL, {t} + 3600000),"
        f" IF({unresolved}, 0, 3), IF(seq DIV {width} % 7, NULL, 101), {t} + 600000, {t} + 3600000 FROM {opens} WHERE {which}")
    yield "incident_keys", (
        "INSERT INTO incident_keys (service_id, key_hash, incident_id, status, level) SELECT service_id, UNHEX(LEFT(SHA2(dedup_key, 256), 32)), id,"
        " status, level FROM incidents")
    yield "timeline", (
        "INSERT INTO timeline (incident_id, id, at, kind, actor, event_id, level, text)"
        " SELECT id, id + 1, opened_at, 1, 1, id - 2, level, NULL FROM incidents UNION ALL"
        " SELECT id, id + 2, opened_at + 60000, 6, 3, NULL, NULL, 'Looking at it.' FROM incidents UNION ALL"
        " SELECT id, id + 3, resolved_at, 4, 3, NULL, level, NULL FROM incidents WHERE status = 3")
    for kind, every, status_code, reason in ((1, 33, 401, "'Invalid signature'"), (2, 20, 200, "NULL")):
        yield "requests", (
            "INSERT INTO requests (id, source_id, status, reason, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us, event_count,"
            f" event_id, is_duplicate) SELECT {own.format(n=10 + kind)}, {source}, {status_code}, {reason}, 'POST', '/x', '192.0.2.7', 't', '', {body()}, 900,"
            f" 700, {kind - 1}, IF({kind} = 2, {own.format(n=1)}, NULL), {kind - 1} FROM {opens} WHERE seq % {every} = 0")
        yield "request_marks", (
            f"INSERT INTO request_marks (tenant_id, kind, id, event_id) SELECT 1, {kind}, {own.format(n=10 + kind)},"
            f" IF({kind} = 2, {own.format(n=1)}, NULL) FROM {opens} WHERE seq % {every} = 0")
    hours = DAYS * 24
    per_hour = events // hours // SOURCES // 4 + 1
    counters = (f"{per_hour} * h.n, {per_hour} * h.n DIV 33, {per_hour} * h.n, {per_hour} * h.n DIV 20, {per_hour} * h.n * 3 DIV 5,"
                f" {per_hour} * h.n * 1500, {began_ms} + {DAYS} * 86400000")
    yield "source_stats", (
        "INSERT INTO source_stats (source_id, hour, slot, received, errors, events, repeats, alerts, latency_us, last_at)"
        f" SELECT s.id, h.hour, w.seq, {counters} FROM sources s JOIN (SELECT {began_ms} DIV 3600000 + seq AS hour, 1 AS n FROM seq_1_to_{hours}"
        f" UNION ALL SELECT 0, {hours}) h JOIN seq_0_to_3 w WHERE s.id BETWEEN 100 AND {99 + SOURCES}")
    # Two hours and more, below three: else the job "monitor" moves some of them between these statements.
    minutes_from = (began_ms + DAYS * 86_400_000 - 120 * 60_000) // 3_600_000 * 3_600_000
    hours_from = (began_ms + (DAYS - 8) * 86_400_000) // 86_400_000 * 86_400_000
    for table, when, unit, slots in (("event_minutes", f">= {minutes_from}", 1, 4),
                                     ("event_hours", f"BETWEEN {hours_from} AND {minutes_from - 1}", 60, 1), ("event_days", f"< {hours_from}", 1440, 1)):
        slot = ", slot" if slots > 1 else ""
        at = f"received_at DIV {unit * 60_000} * {unit}"
        yield table, (
            f"INSERT INTO {table} (tenant_id, at, took, source_id, event_type{slot}, events, starts, duplicates)"
            f" SELECT 1, {at} AS a, 0, source_id, event_type{f', received_at MOD {slots} AS w' if slot else ''}, COUNT(*), SUM(attempts), SUM(received_at MOD 20 = 0)"
            f" FROM events WHERE received_at {when} GROUP BY a, source_id, event_type{', w' if slot else ''}")
        yield table, (
            f"INSERT INTO {table} (tenant_id, at, took, source_id, event_type{slot}, events, took_us)"
            f" SELECT 1, t.at, 60 + c.seq, 0, ''{', w.seq' if slot else ''}, 1 + c.seq, 4000 * c.seq FROM (SELECT DISTINCT at FROM {table}) t"
            f" JOIN seq_1_to_{DURATIONS} c{f' JOIN seq_0_to_{slots - 1} w' if slot else ''}")
    yield "event_failures", (
        "INSERT INTO event_failures (tenant_id, at, event_id, source_id) SELECT 1, received_at, id, source_id FROM events WHERE status IN (3, 4)")
    yield "forwards", (
        f"INSERT INTO forwards (event_id, source_id, next_at, tries) SELECT id, source_id, {began_ms} + {DAYS + 1} * 86400000, 1 FROM events WHERE status = 3")
    yield "audit_log", (
        "INSERT INTO audit_log (tenant_id, at, actor, user_id, remote_addr, action, object, detail) SELECT 1,"
        f" {began_ms} + seq * {DAYS * 864}, 3, 100 + seq % 200 + 1, '192.0.2.7', ELT(1 + seq % 4, 'incident.acknowledge', 'incident.resolve',"
        " 'integration.update', 'user.update'), CONCAT('in_bench', LPAD(seq % 40, 15, '0')), CONCAT('{\"name\":\"source ', seq, '\"}') FROM seq_1_to_100000")
    yield "job_runs", (
        "INSERT INTO job_runs (name, started_at, duration_ms, ok, touched) SELECT IF(seq % 10, 'auto-resolve', 'sessions'),"
        f" {began_ms} + seq * {DAYS * 1728}, 3, 1, seq % 50 = 0 FROM seq_1_to_50000")


def fill(server, database, events=EVENTS, until_days_ago=0, only=None):
    """Into empty tables, or into those of `only`. Returns seconds."""
    began = time.monotonic()
    now_ms = int(time.time() * 1000)
    settings = "SET unique_checks = 0, foreign_key_checks = 0;"
    server.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 0")
    last = None
    try:
        for table, text in statements(now_ms - (DAYS + until_days_ago) * 86_400_000, events):
            if (only and table not in only) or (until_days_ago and table in SUMMED):
                continue
            if table != last:
                print(f"  filling {table}", file=sys.stderr, flush=True)
                last = table
            server.sql(settings + text, database)
        tables = only or {name for name, _ in statements(now_ms, CHUNK)}
        server.sql(f"ANALYZE TABLE {', '.join(sorted(tables))}", database)
    finally:
        server.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    return time.monotonic() - began


def empty(server, database):
    """All that fill put there, but for what the event tables hold."""
    server.empty(database, EMPTIED)
    server.sql("".join(f"DELETE FROM {table} WHERE public_id LIKE '{prefix}\\_bench%';"
                       for table, prefix in (("sources", "in"), ("services", "sv"), ("users", "us"))), database)
