"""Cron: the quickstart's really runs, pages and API tell about it, and whoever may starts a job."""
import threading

from harness import same, together, true, wait_until
from visitor import Visitor

JOBS = [
    "spool-drain",
    "auto-resolve",
    "escalate",
    "outbox",
    "tasks",
    "retries",
    "monitor",
    "alert-rules",
    "stale-alerts",
    "sessions",
    "storage",
    "cleanup",
]
WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew
CRON_RUNS = True            # what it does by itself is the subject


def cron_of_the_quickstart_runs(box):
    """Where it rested during the scenarios before this one, it is late until its next run."""
    wait_until(lambda: box.get("/api/jobs")["cron"]["lastAt"], 70, "a first run")
    wait_until(lambda: box.get("/api/jobs")["cron"]["late"] is False, 70, "a run in time")
    same([job["name"].split("@")[0] for job in box.get("/api/jobs")["jobs"]], JOBS)
    wait_until(lambda: all(job["result"] == "done" for job in box.get("/api/jobs")["jobs"]), 130, "all jobs done")
    true(box.get("/api/jobs/runs?job=cleanup")["runs"], "its runs are listed")
    same(box.request("GET", "/readyz?strict").status, 200)


def test_incident_is_resolved_by_the_system_in_time(box):
    """The clock is not ours to set, so the incident is made five minutes ago."""
    box.sql("INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level, is_test, opened_at,"
            " last_alert_at, updated_at) SELECT ((UNIX_TIMESTAMP() * 1000 - 299000 - 1577836800000) << 22), 1, 1, 1, 'test:cron',"
            " UNHEX(LEFT(SHA2('test:cron', 256), 32)), 'cron test', 1, 1, 1, UNIX_TIMESTAMP() * 1000 - 299000, 1, 1;"
            "INSERT INTO incident_keys (service_id, key_hash, incident_id, status) SELECT 1, open_hash, id, 1 FROM incidents"
            " WHERE dedup_key = 'test:cron'")
    if not box.sql("SELECT 1 FROM sources WHERE id = 1"):
        box.integration("webhook")
    wait_until(lambda: box.number("SELECT COUNT(*) FROM incidents WHERE dedup_key = 'test:cron' AND status = 3"), 130, "it is resolved")
    age = box.number("SELECT resolved_at - opened_at FROM incidents WHERE dedup_key = 'test:cron'")
    true(300000 <= age <= 420000, "by the next run or the one after it: %d ms" % age)
    number = box.sql("SELECT id FROM incidents WHERE dedup_key = 'test:cron'")[0][0]
    entries = [(t["kind"], t["actor"]) for t in box.get("/api/incidents/" + number)["timeline"]]
    same(entries, [("resolved", "system")])


def jobs_page_shows_them_and_runs_one(box):
    admin, viewer = Visitor(box, platform=True), Visitor(box)
    page = admin.page("/jobs?notable=false")
    for word in (*JOBS, "daily at 02:00", "Run now"):
        true(word in page, word)
    true("Run now" not in viewer.page("/jobs"), "who is no administrator of the installation has no button")
    same(viewer.post("/jobs/sessions/run").status, 403)
    with box.without_cron():
        before = box.number("SELECT COUNT(*) FROM job_runs WHERE name = 'sessions'")
        said = admin.done(admin.post("/jobs/sessions/run"), "/jobs")
        true(said.startswith("sessions ran: "), said)
        same(box.number("SELECT COUNT(*) FROM job_runs WHERE name = 'sessions'") - before, 1, "runs")
        true(box.number("SELECT COUNT(*) FROM audit_log WHERE action = 'job.run' AND object = 'sessions'") >= 1, "audited")
        same(admin.post("/jobs/nosuch/run").status, 404)
        box.sql("UPDATE job_runs SET counts = 'rows of others' WHERE name = 'sessions' ORDER BY id DESC LIMIT 1")
        for path in "/jobs?job=sessions&notable=false", "/jobs.csv?notable=false&job=sessions":
            true(b"rows of others" in admin.get(path).body and b"rows of others" not in viewer.get(path).body, "what it did: " + path)
    csv = admin.get("/jobs.csv?notable=false&job=sessions")
    true(csv.status == 200 and csv.body.startswith(b"id,job,startedAt"), "export: %r" % csv.body[:60])


def _cron_alerts(box, which):
    return box.number("SELECT COUNT(*) FROM monitor_alerts WHERE type = 'CRON_LATE' AND %s" % which)


def late_cron_is_told_everywhere(box):
    """It may have been late before, where it rested during others' scenarios."""
    admin = Visitor(box)
    wait_until(lambda: not _cron_alerts(box, "ended_at IS NULL"), 130, "an earlier one is over")
    earlier = _cron_alerts(box, "1")
    box.stop_part("cron")
    try:
        box.sql("UPDATE jobs SET last_started_at = last_started_at - 600000 WHERE name = 'cron';"
                "UPDATE schema_migrations SET applied_at = applied_at - 900000")
        same(box.request("GET", "/readyz").status, 200)
        same(box.request("GET", "/readyz?strict").json()["cron"], "failing")
        same([box.request("GET", "/readyz?strict" + value).status for value in ("", "=1", "=true", "=0", "=false")], [503] * 3 + [200] * 2)
        for page in ("/", "/incidents", "/monitor", "/account"):
            true("Cron has not run since" in admin.page(page), "the banner on " + page)
        same(box.metrics()["grapnel_cron_late"], 1, "metric")
        wait_until(lambda: _cron_alerts(box, "ended_at IS NULL"), 240, "a monitor alert")
        true("goes on</span>" in admin.page("/monitor") and "CRON_LATE" in admin.text, "the monitor shows it")
    finally:
        box.up()
    wait_until(lambda: box.request("GET", "/readyz?strict").status == 200, 70, "cron is back")
    true("Cron has not run since" not in admin.page("/"), "the banner goes")
    same(box.metrics()["grapnel_cron_late"], 0, "metric")
    wait_until(lambda: not _cron_alerts(box, "ended_at IS NULL"), 130, "its end")
    same(_cron_alerts(box, "1") - earlier, 1, "told once")


def _run_now(box, job):
    """While cron rests, so that nobody else has it."""
    result = box.api("POST", "/api/jobs/%s/run" % job).expect(200)
    true(result["outcome"] in ("done", "unfinished"), result)
    return result


def silence_of_a_source_is_told_until_it_is_heard_again(box):
    with box.without_cron():
        _silence_is_told(box)


def silence_is_told_though_a_clock_was_ahead(box):
    """Of requests, of the beginning of the watch and of cron: a year passes before that clock's time comes."""
    with box.without_cron():
        source = box.integration("webhook", heartbeatMinutes=30)
        same(box.send(source, {"backup": "done"}).status, 201)
        _run_now(box, "stale-alerts")
        year, hour = 365 * 86400000, 3600000
        for column in "heard_at", "since", "position":
            sql = {"heard_at": "UPDATE source_stats SET heard_at = heard_at + (%d) WHERE hour = 0 AND source_id = {id}",
                   "since": "UPDATE sources SET heartbeat_since = heartbeat_since + (%d) WHERE id = {id}",
                   "position": "UPDATE jobs SET position = UNIX_TIMESTAMP(NOW(3)) * 1000 + (%d) WHERE name = 'stale-alerts'"}
            by_id = "(SELECT id FROM (SELECT id FROM sources WHERE public_id = '%s') x)" % source["id"]
            box.sql((sql[column] % year).format(id=by_id))
            _run_now(box, "stale-alerts")
            box.sql(";".join((one % -hour).format(id=by_id) for one in sql.values()))
            _run_now(box, "stale-alerts")
            same(box.number("SELECT COUNT(*) FROM monitor_alerts WHERE type = 'STALE' AND subject = '%s' AND ended_at IS NULL" % source["id"]), 1, column)
            same(box.send(source, {"backup": column}).status, 201)
            _run_now(box, "stale-alerts")


def _silence_is_told(box):
    admin = Visitor(box)
    source = box.integration("webhook", name="night backup", heartbeatMinutes=30, heartbeatIncident=True)
    where = "FROM incidents i JOIN sources s ON s.id = i.source_id WHERE s.public_id = '%s'" % source["id"]
    alerts = "SELECT COUNT(*) FROM monitor_alerts WHERE type = 'STALE' AND subject = '%s' AND ended_at IS %%s" % source["id"]
    same((source["heartbeatMinutes"], source["heartbeatIncident"], source["silentSince"]), (30, True, None))
    _run_now(box, "stale-alerts")
    same(box.number(alerts % "NULL"), 0, "nothing yet")
    box.sql("UPDATE sources SET heartbeat_since = heartbeat_since - 3600000 WHERE public_id = '%s';"
            "UPDATE jobs SET position = 1 WHERE name = 'stale-alerts'" % source["id"])
    since = box.get("/api/integrations/" + source["id"])["silentSince"]
    true(since, "the API says since when")
    same(box.api("PATCH", "/api/integrations/" + source["id"], {"name": "night backup"}).expect(200)["silentSince"], since, "another change")
    true("a request is expected every 30 minutes" in admin.page("/integrations/" + source["id"]), "the page, too")
    true("silent</span>" in admin.page("/integrations?type=webhook"), "and the list")
    _run_now(box, "stale-alerts")
    same(box.number(alerts % "NULL"), 1, "told")
    same(box.number("SELECT COUNT(*) %s AND i.status = 1 AND title LIKE 'Nothing from night backup since %%'" % where), 1)
    _run_now(box, "stale-alerts")
    same(box.number(alerts % "NULL"), 1, "and not again")
    number = box.sql("SELECT i.id " + where)[0][0]
    true("Nothing from night backup" in admin.page("/incidents/" + number), "the incident's page")

    same(box.api("POST", "/api/integrations/%s/test" % source["id"]).status, 201)
    box.send(source, {}, key=False, headers={"X-Integration-Key": "0" * 32})
    _run_now(box, "stale-alerts")
    same(box.number(alerts % "NULL"), 1, "neither a test nor what is refused is a sign of life")
    same(box.send(source, {"backup": "done"}).status, 201)
    _run_now(box, "stale-alerts")
    same((box.number(alerts % "NULL"), box.number(alerts % "NOT NULL")), (0, 1), "ended")
    seen = box.get("/api/incidents/" + number)
    same((seen["status"], [(t["kind"], t["actor"]) for t in seen["timeline"]]), ("RESOLVED", [("opened", "system"), ("resolved", "system")]))
    for bad in (0, 43201, "often"):
        box.api("PATCH", "/api/integrations/" + source["id"], {"heartbeatMinutes": bad}).expect(400, "invalid_request", "heartbeatMinutes")
    same(box.api("PATCH", "/api/integrations/" + source["id"], {"heartbeatMinutes": None}).expect(200)["heartbeatMinutes"], None)


def who_was_switched_off_was_not_silent_meanwhile(box):
    source, admin = box.integration("webhook", heartbeatMinutes=30), Visitor(box)
    path, page = "/api/integrations/" + source["id"], "/integrations/%s/edit" % source["id"]
    back = "UPDATE sources SET heartbeat_since = heartbeat_since - 3600000 WHERE public_id = '%s'" % source["id"]
    box.sql(back)
    true(box.get(path)["silentSince"], "silent")
    same(box.api("PATCH", path, {"enabled": False}).expect(200)["silentSince"], None, "who is off is not expected")
    box.sql(back)
    same(box.api("PATCH", path, {"enabled": True}).expect(200)["silentSince"], None, "its time begins anew")
    admin.page(page)
    form = [("name", "by the page"), ("actions", "record"), ("enabled", "true"), ("heartbeatMinutes", "15"), ("heartbeatIncident", "true"),
            ("retentionDays", "5")]
    admin.done(admin.post(page, *form), "/integrations/" + source["id"])
    seen = box.get(path)
    same((seen["heartbeatMinutes"], seen["heartbeatIncident"], seen["retentionDays"]), (15, True, 5))
    admin.page(page)
    same((admin.field("heartbeatMinutes"), admin.field("retentionDays")), ("15", "5"))
    same(admin.post(page, *form[:3], ("heartbeatMinutes", "soon")).status, 400)
    true("heartbeatMinutes-error" in admin.text, "the field to blame")
    admin.page(page)
    admin.done(admin.post(page, *form[:3], ("heartbeatMinutes", ""), ("retentionDays", "")), "/integrations/" + source["id"])
    same((box.get(path)["heartbeatMinutes"], box.get(path)["retentionDays"]), (None, None))


def how_long_things_are_kept_is_said_by_api_and_page(box):
    admin, viewer, path = Visitor(box), Visitor(box, "viewer"), "/api/retention"
    audited = "SELECT COUNT(*) FROM audit_log WHERE action = 'retention.update'"
    before, entries = box.get(path), box.number(audited)
    same((before["eventsDays"], before["eventsDaysInForce"], before["incidentsDays"]), (None, 90, 365))
    same(box.api("PATCH", path, {"eventsDays": 14}).expect(200)["eventsDaysInForce"], 14)
    same(box.api("PATCH", path, {}).expect(200)["eventsDays"], 14, "what is not named stays")
    for bad in (0, 40000, "long"):
        box.api("PATCH", path, {"eventsDays": bad}).expect(400, "invalid_request", "eventsDays")
    box.api("PATCH", path, {"eventsDays": 1}, token=box.new_token("operator")).expect(403, "forbidden")
    same(viewer.get("/retention").status, 403)
    true('name="eventsDays" value="14"' in admin.page("/retention"), "the form")
    same(admin.post("/retention", eventsDays="never").status, 400)
    admin.done(admin.post("/retention", eventsDays=""), "/retention")
    same(box.get(path)["eventsDays"], None)
    same(box.number(audited) - entries, 2, "audited")
    source = box.integration("webhook", retentionDays=7)
    same(source["retentionDays"], 7)
    true("7 days" in admin.page("/integrations/" + source["id"]), "its page")
    true("90 days, as all of them" in admin.page("/integrations/" + box.integration("webhook")["id"]), "another's page")
    box.api("PATCH", "/api/integrations/" + source["id"], {"retentionDays": 0}).expect(400, "invalid_request", "retentionDays")


def cron_over_http_needs_its_token(box):
    path = "/api/cron/webhook-maintenance"
    said = box.request("POST", path, source=box.fresh_address()).expect(404, "not_found")
    same(said, box.request("POST", "/api/cron/nosuch", source=box.fresh_address()).expect(404, "not_found"), "as if it were not there")
    box.up("--set", "cron.token=let-me-run")
    same(box.api("POST", path).status, 401, "a token of the API")
    box.request("POST", path, headers={"Authorization": "Bearer let-me-ru"}).expect(401, "unauthorized")
    mine = {"Authorization": "Bearer let-me-run"}
    for method in ("POST", "GET"):
        reply = box.request(method, path, headers=mine)
        same(reply.status, 200)
        true(isinstance(reply.json()["jobs"], list), "jobs")
    box.stop_part("cron")
    try:
        box.sql("UPDATE jobs SET last_started_at = last_started_at - 600000")
        last = box.number("SELECT MAX(id) FROM job_runs")
        answers = together([lambda: box.request("POST", path, headers=mine)] * 4)
        ran = {job["name"].split("@")[0] for reply in answers for job in reply.json()["jobs"] if job["outcome"] == "done"}
        same(sorted(ran | {"storage", "cleanup"}), sorted(JOBS), "each, whoever of the four had it")
        same(box.sql("SELECT name FROM job_runs WHERE id > %d GROUP BY name, started_at DIV 60000 HAVING COUNT(*) > 1" % last), [],
             "twice, though each is due once a minute at most")
        same(box.request("GET", "/readyz?strict").status, 200, "that is cron")
        refused = []
        while not refused and len(answers) < 1000:      # one a second comes back meanwhile
            answers += together([lambda: box.request("POST", path, headers=mine)] * 10)
            refused = [reply for reply in answers if reply.status == 429]
        true(refused and refused[0].header("retry-after"), "too often")
    finally:
        box.up("--set", "cron.token=")


OLD = ("((UNIX_TIMESTAMP() - 100 * 86400) * 1000 + seq - 1577836800000) * 4194304")     # ids of 100 days ago


def _old_events(box, source, n):
    """Processed, each with its request and its id: what cleanup is to remove."""
    number = box.sql("SELECT id FROM sources WHERE public_id = '%s'" % source["id"])[0][0]
    box.sql("CREATE TEMPORARY TABLE made SELECT {old} AS id, CONCAT('old-', seq) AS event_id FROM seq_1_to_{n};"
            "INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us, event_count, event_id)"
            " SELECT id, {source}, 201, 'POST', '/', 'x', 't', '', REPEAT('x', 500), 500, 1, 1, id + 1 FROM made;"
            "INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status,"
            " received_at, updated_at) SELECT id + 1, 1, {source}, id, 0, event_id, 'x', 1, 1, 1, 's', 2, 1, 1 FROM made;"
            "INSERT INTO event_ids (source_id, id_hash, event_id, first_at) SELECT {source}, UNHEX(LEFT(SHA2(event_id, 256), 32)), id + 1, 1 FROM made"
            .format(old=OLD, n=n, source=number))


def _lock_waits(box):
    return int(box.sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_waits'")[0][1])


def cleanup_locks_no_row_that_ingest_waits_for(box):
    """The server's own count of waits for row locks says so, not a clock; cron and dispatcher, who may wait for each other and for ingest,
    stand still meanwhile, and one worker takes all webhooks, since two may wait for each other. The events go to the source whose old ones are removed, with the
    incidents of its service; each sender has a key of its own, so that senders do not wait for each other."""
    source = box.integration("webhook", actions=["incident"], rateLimitPerMinute=0)
    row = box.number("SELECT id FROM sources WHERE public_id = '%s'" % source["id"])
    workers, box.workers = box.workers, 1
    box.up("--set", "outbound.dispatcher=false")
    box.stop_part("cron")
    try:
        done = threading.Event()
        sent = [0] * 4

        def send(i):
            while not done.is_set():
                body = {"title": "x", "severity": "critical", "dedup_key": "sender-%d" % i, "id": "%d-%d" % (i, sent[i])}
                same(box.send(source, body).status, 201)
                sent[i] += 1

        def left():
            return box.number("SELECT (SELECT COUNT(*) FROM requests WHERE source_id = {0} AND uri = '/')"
                              " + (SELECT COUNT(*) FROM events WHERE source_id = {0} AND event_id LIKE 'old-%')"
                              " + (SELECT COUNT(*) FROM event_ids WHERE source_id = {0} AND first_at = 1)".format(row))

        def clean():
            try:
                while left():
                    result = _run_now(box, "cleanup")
                    same(result["error"], None)
                    results.append(result)
            finally:
                done.set()

        results = []
        waits = _lock_waits(box)
        while min(sent) <= 20:      # where few came while it ran, that would prove little
            _old_events(box, source, 20000)
            done.clear()
            together([lambda i=i: send(i) for i in range(4)] + [clean])
        same(_lock_waits(box) - waits, 0, "waits for row locks while %d requests came" % sum(sent))
        true(sum(result["touched"] for result in results) >= 40000, "it was cleanup that removed them: %r" % results)
    finally:
        box.workers = workers
        box.up("--set", "outbound.dispatcher=true")
