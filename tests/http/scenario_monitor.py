"""The page Monitor: what it says of a tenant that is well and of one that is not, its windows, its alerts, and who sees what."""
from harness import same, true
from visitor import Visitor

CHECKS = ("Recent failures", "Backlog", "Oldest event that waits", "Attempts on average", "Repeats", "Success rate")


def an_empty_tenant_is_healthy(box):
    person = Visitor(box, tenant=box.new_tenant())
    page = person.page("/monitor")
    true("Healthy" in page and "All six checks pass." in page, "its status")
    for title in CHECKS:
        true('<th scope="row">%s</th>' % title in page, title)
    same(page.count(">passes</span>"), 6, "checks that pass")
    true("What to do" not in page, "no advice where none is needed")
    true("No event came in this window." in page, "nothing to break down")
    true('aria-current="page">Monitor</a>' in page, "the navigation leads here")


def _stuck(box, tenant, age_min, n=3):
    source = box.integration("webhook", box.new_token(tenant=tenant), name="Stuck")
    row = box.number("SELECT id FROM sources WHERE public_id = '%s'" % source["id"])
    box.sql("INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary,"
            " status, attempts, received_at, updated_at) SELECT ((UNIX_TIMESTAMP() * 1000 - %d - 1577836800000) << 22) + %d * 16 + seq, %d, %d, 1, 0,"
            " CONCAT('stuck-', %d, seq), 'disk.full', 1, 1, 1, 'x', 0, 1, UNIX_TIMESTAMP() * 1000 - %d, 1 FROM seq_1_to_%d"
            % (age_min * 60000, tenant, tenant, row, tenant, age_min * 60000, n))
    # Not due for an hour: what waits in no queue at all is taken up by cron.
    box.sql("INSERT INTO forwards (event_id, source_id, next_at) SELECT id, source_id, UNIX_TIMESTAMP() * 1000 + 3600000 FROM events"
            " WHERE source_id = %d" % row)
    return source


def trouble_is_named_with_what_to_do(box):
    tenant = box.new_tenant()
    source = _stuck(box, tenant, 45)
    person = Visitor(box, "viewer", tenant=tenant)
    page = person.page("/monitor")
    true("Degraded" in page and "2 of six checks fail." in page, "its status")
    true("has done so for 45 min" in page, "the sentence of the check")
    steps = page[page.index("What to do"):]
    true(0 < steps.index("severity-critical") < steps.index("severity-error"), "the most severe first")
    true('href="/events/' in steps, "where to go")
    same(page.count("disk.full</a>"), 3, "the oldest events")
    true('<a href="/integrations/%s">Stuck</a>' % source["id"] in page, "whose they are")
    for window, fails in (("15", "One of six checks fails."), ("1440", "2 of six checks fail.")):
        true(fails in person.page("/monitor?timeWindow=" + window), "a window of %s minutes" % window)
    true('aria-current="true">1 d</a>' in person.text, "which window it is")
    for query in ("timeWindow=0", "timeWindow=-1", "timeWindow=44641", "timeWindow=x", "window=60"):
        same(person.get("/monitor?" + query).status, 400, query)
    same(box.api("GET", "/api/admin/webhooks/monitor", token=box.new_token(tenant=tenant)).json()["data"]["status"], "DEGRADED",
         "the same by the API")


def the_installation_is_for_those_who_run_it(box):
    true("Tables and their disk" in Visitor(box, platform=True).page("/monitor"), "a platform admin sees the disk")
    true("Tables and their disk" not in Visitor(box).page("/monitor"), "a tenant's admin does not")
    page = Visitor(box, "viewer").page("/monitor")
    true("Tables and their disk" not in page, "others do not")
    true("for the dispatcher" in page and "<dt>Spool</dt>" in page, "what waits everybody may know")


def alerts_are_shown_while_they_last_and_afterwards(box):
    tenant = box.new_tenant()
    box.sql("INSERT INTO monitor_alerts (id, tenant_id, type, subject, severity, message, advice, value, threshold, started_at, updated_at,"
            " ended_at) SELECT ((UNIX_TIMESTAMP() * 1000 - 1577836800000) << 22) + %d * 64 + seq, %d, 'LARGE_BACKLOG', '', 1,"
            " CONCAT('<b>over ', seq), 'a', 1, 0, UNIX_TIMESTAMP() * 1000 - 60000, 1, UNIX_TIMESTAMP() * 1000 FROM seq_1_to_45;"
            "INSERT INTO monitor_alerts (id, tenant_id, type, subject, severity, message, advice, value, threshold, started_at, updated_at)"
            " VALUES (((UNIX_TIMESTAMP() * 1000 - 1577836800000) << 22) + %d * 64, %d, 'STALE_EVENTS', '', 3, 'it goes on', '=1+1', 1, 0,"
            " UNIX_TIMESTAMP() * 1000, 1)" % (tenant, tenant, tenant, tenant))
    person = Visitor(box, "viewer", tenant=tenant)
    page = person.page("/monitor")
    true("it goes on" in page and page.count("goes on</span>") >= 1, "the one that runs")
    same(page.count("&lt;b&gt;over "), 10, "the last ones")
    page = person.page("/monitor/alerts")
    same(page.count("<tr>") - 1, 40, "rows of a page")
    true('rel="next"' in page, "a next one")
    csv = person.get("/monitor/alerts.csv")
    true(csv.status == 200 and csv.body.startswith(b"id,type,subject,severity"), "export: %r" % csv.body[:60])
    true(b",'=1+1" in csv.body, "a formula is text")
    same(len(person.get("/monitor/alerts.json").json()["alerts"]), csv.body.count(b"\n") - 1, "as many in JSON")
    other = Visitor(box, tenant=box.new_tenant())
    true("&lt;b&gt;over " not in other.page("/monitor/alerts"), "another tenant has none of them")
    same(other.get("/monitor/alerts?cursor=x").status, 400)


def an_act_is_looked_at_first_and_then_done(box):
    tenant = box.new_tenant()
    source = _stuck(box, tenant, 45, 12)
    box.sql("UPDATE events SET status = 3, error = 'no answer' WHERE tenant_id = %d" % tenant)
    admin = Visitor(box, tenant=tenant)
    page = admin.page("/monitor")
    true(page.count('href="/monitor/acts/') == 7 and 'action="/monitor/acts/auto-remediate"' in page, "the acts, and what mends what fails")
    admin.page("/monitor/acts/mark-processed")
    reply = admin.post("/monitor/acts/mark-processed", dryRun="true", filter='{"source": "%s"}' % source["id"])
    same(reply.status, 200)
    same(admin.flash(), "12 events would be marked.")
    true("Some of these events" in admin.text and admin.text.count("stuck-") >= 10, "a sample")
    same(box.number("SELECT COUNT(*) FROM events WHERE tenant_id = %d AND status = 3" % tenant), 12, "nothing was changed")
    same(admin.field("filter"), '{"source": "%s"}' % source["id"], "what was asked goes on to the button")
    same(box.number("SELECT COUNT(*) FROM audit_log WHERE tenant_id = %d AND action LIKE 'monitor.%%'" % tenant), 0, "no entry of a look")
    admin.post("/monitor/acts/mark-processed", dryRun="false", filter=admin.field("filter"))
    same(admin.flash(), "12 events were marked.")
    same(admin.text.count('<span class="badge status-ok">processed</span>'), 12, "what became of each")
    same(box.number("SELECT COUNT(*) FROM audit_log WHERE tenant_id = %d AND action = 'monitor.mark-processed'" % tenant), 1, "audited")
    true("All six checks pass." in admin.page("/monitor"), "seen at once")


def acts_say_what_is_wrong(box):
    tenant = box.new_tenant()
    _stuck(box, tenant, 1)
    admin = Visitor(box, tenant=tenant)
    admin.page("/monitor/acts/retry-event")
    for act, status, more in (("retry-event", 400, {}), ("retry-event", 404, {"eventId": "nosuch"}), ("delete-event", 404, {"eventId": "1"}),
                              ("cleanup", 400, {"olderThanDays": "-1"}), ("mark-processed", 400, {}), ("mark-processed", 400, {"filter": "{"}),
                              ("retry-failed", 400, {"provider": "nosuch"}), ("find-duplicates", 400, {"timeWindow": "x"})):
        same(admin.post("/monitor/acts/" + act, **more).status, status, "%s %s" % (act, more))
        true("Nothing was changed" in admin.text and 'aria-invalid="true"' in admin.text, "the field of %s %s" % (act, more))
    same(admin.post("/monitor/acts/nosuch").status, 404)
    same(admin.post("/monitor/acts/find-duplicates", dryRun="false").status, 200)
    true("0 events came more than once." in admin.flash(), "nothing was found")
    other = Visitor(box, tenant=box.new_tenant())
    other.page("/monitor/acts/delete-event")
    number = box.sql("SELECT id FROM events WHERE tenant_id = %d LIMIT 1" % tenant)[0][0]
    same(other.post("/monitor/acts/delete-event", eventId=number).status, 404, "an event of another tenant")
    same(box.number("SELECT COUNT(*) FROM events WHERE tenant_id = %d" % tenant), 3, "they stay")
    operator = Visitor(box, "operator", tenant=tenant)
    true("/monitor/acts/" not in operator.page("/monitor"), "acts are for admins")
    same(operator.post("/monitor/acts/cleanup").status, 403)
