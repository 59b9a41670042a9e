"""Cron: the quickstart's really runs, pages and API tell about it, and whoever may starts a job."""
from harness import same, true, wait_until
from visitor import Visitor

JOBS = [
    "auto-resolve",
    "outbox",
    "retries",
    "monitor",
    "sessions",
    "storage",
    "cleanup",
]
WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew


def cron_of_the_quickstart_runs(box):
    wait_until(lambda: box.get("/api/jobs")["cron"]["lastAt"], 10, "a first run")
    answer = box.get("/api/jobs")
    same(answer["cron"]["late"], False, "late")
    same([job["name"] for job in answer["jobs"]], JOBS)
    wait_until(lambda: all(job["result"] == "done" for job in box.get("/api/jobs")["jobs"]), 10, "all jobs done")
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
    wait_until(lambda: box.number("SELECT COUNT(*) FROM incidents WHERE dedup_key = 'test:cron' AND status = 3"), 70, "it is resolved")
    age = box.number("SELECT resolved_at - opened_at FROM incidents WHERE dedup_key = 'test:cron'")
    true(300000 <= age <= 362000, "after %d ms" % age)
    number = box.sql("SELECT id FROM incidents WHERE dedup_key = 'test:cron'")[0][0]
    entries = [(t["kind"], t["actor"]) for t in box.get("/api/incidents/" + number)["timeline"]]
    same(entries, [("resolved", "system")])


def jobs_page_shows_them_and_runs_one(box):
    admin, viewer = Visitor(box), Visitor(box, "viewer")
    page = admin.page("/jobs?notable=false")
    for word in (*JOBS, "daily at 02:00", "Run now"):
        true(word in page, word)
    true("Run now" not in viewer.page("/jobs"), "a viewer has no button")
    same(viewer.post("/jobs/sessions/run").status, 403)
    before = box.number("SELECT COUNT(*) FROM job_runs WHERE name = 'sessions'")
    said = admin.done(admin.post("/jobs/sessions/run"), "/jobs")
    true(said.startswith("sessions ran: "), said)
    same(box.number("SELECT COUNT(*) FROM job_runs WHERE name = 'sessions'") - before, 1, "runs")
    true(box.number("SELECT COUNT(*) FROM audit_log WHERE action = 'job.run' AND object = 'sessions'") >= 1, "audited")
    same(admin.post("/jobs/nosuch/run").status, 404)
    csv = admin.get("/jobs.csv?notable=false&job=sessions")
    true(csv.status == 200 and csv.body.startswith(b"id,job,startedAt"), "export: %r" % csv.body[:60])


def late_cron_is_told_everywhere(box):
    admin = Visitor(box)
    box.stop_part("cron")
    box.sql("UPDATE jobs SET last_started_at = last_started_at - 600000 WHERE name = 'cron';"
            "UPDATE schema_migrations SET applied_at = applied_at - 900000 WHERE number = 2")
    same(box.request("GET", "/readyz").status, 200)
    same(box.request("GET", "/readyz?strict").json()["cron"], "failing")
    same(box.request("GET", "/readyz?strict").status, 503)
    true("Cron has not run since" in admin.page("/"), "the banner")
    box.up()
    wait_until(lambda: box.request("GET", "/readyz?strict").status == 200, 10, "cron is back")
    true("Cron has not run since" not in admin.page("/"), "the banner goes")


def cron_over_http_needs_its_token(box):
    path = "/api/cron/webhook-maintenance"
    box.request("POST", path, source=box.fresh_address()).expect(403, "forbidden")
    box.up("--set", "cron.token=let-me-run")
    same(box.api("POST", path).status, 401, "a token of the API")
    for method in ("POST", "GET"):
        reply = box.request(method, path, headers={"Authorization": "Bearer let-me-run"})
        same(reply.status, 200)
        true(isinstance(reply.json()["jobs"], list), "jobs")
    box.up("--set", "cron.token=")
