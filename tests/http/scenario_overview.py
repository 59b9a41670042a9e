"""The overview: what it says on an empty installation and on a full one, and where its blocks and bars lead."""
import re
import time

from harness import rfc3339, same, true
from visitor import Visitor

PAGE_MAX = 50000
HOUR = 3600


def first_steps_lead_through_an_empty_tenant(box):
    tenant = box.new_tenant()
    # Cron rests meanwhile. That it is late is told to every tenant.
    box.sql("INSERT INTO jobs (name, last_started_at) VALUES ('cron', %d) ON DUPLICATE KEY UPDATE last_started_at = VALUES(last_started_at)"
            % (time.time() * 1000))
    person = Visitor(box, tenant=tenant)
    page = person.page("/")
    true("First steps" in page and "No webhook has come yet" in page, "it says how to begin")
    true('class="tile' not in page and "<svg class=\"bars\"" not in page, "no zeros beside it")
    same(box.api("GET", "/api/overview", token=box.new_token(tenant=tenant)).json()["status"], "HEALTHY")


def many_loud_sources_fit_into_a_page(box):
    """Names that are long and all markup, 24 busy hours, eight incidents with such titles."""
    tenant = box.new_tenant()
    box.sql("INSERT INTO sources (public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at)"
            " SELECT CONCAT('in_', LPAD(%d + seq, 20, '0')), %d, 1, 'webhook', REPEAT('<&\\\"', 33), 1, 1, 1, 1 FROM seq_1_to_40;"
            "INSERT INTO source_stats (source_id, hour, slot, received, errors, events, latency_us, last_at)"
            " SELECT s.id, h.hour, 0, 123456, 1234, 123456, 1, UNIX_TIMESTAMP() * 1000 FROM sources s"
            " JOIN (SELECT 0 AS hour UNION SELECT FLOOR(UNIX_TIMESTAMP() / 3600) - seq FROM seq_0_to_23) h"
            " WHERE s.tenant_id = %d AND s.public_id < 'in_%020d';"
            "INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, title, status, level, opened_at, last_alert_at,"
            " updated_at) SELECT (UNIX_TIMESTAMP() * 1000 - 1577836800000) * 4194304 + seq, %d, 1,"
            " (SELECT MIN(id) FROM sources WHERE tenant_id = %d), 'k', REPEAT('<script>\\\"', 100), 1, 4, 1, 1, 1 FROM seq_1_to_9"
            % (tenant * 1000, tenant, tenant, tenant * 1000 + 30, tenant, tenant))
    person = Visitor(box, tenant=tenant)
    page = person.page("/")
    true(len(page) < PAGE_MAX, "a page of %d bytes" % len(page))
    true("<script>\"" not in page, "titles are text")
    same(page.count('<div class="hours">'), 10, "sources with their hours")
    true("Quiet for a day" in page, "the others by name")
    same(len(re.findall(r'<a class="(?:ok|err|none)" href="/hour/', page)), 240, "a link for each hour")
    true("9 critical incidents open" in page, "why it is critical")
    figures = box.api("GET", "/api/overview", token=box.new_token(tenant=tenant)).json()
    same((figures["status"], figures["openIncidents"], len(figures["sources"])), ("CRITICAL", 9, 40), "the same by the API")
    same([c["passed"] for c in figures["checks"]], [True] * 6, "the monitor by the API")
    same(page.count("status-ok\">passes<"), 6, "and on the page")


def blocks_and_bars_lead_to_their_events(box):
    tenant = box.new_tenant()   # with this source alone: a page shows those with the most requests
    source = box.integration("webhook", box.new_token(tenant=tenant))
    box.send(source, {"id": "overview-1", "title": "one", "severity": "info"}).expect(201)
    person = Visitor(box, tenant=tenant)
    page = person.page("/")
    block = re.search(r'href="(/hour/%s/(\d+))"[^>]*title="[^"]*, 1 received"' % source["id"], page)
    true(block, "the block of this hour")
    hour = int(block.group(2)) * HOUR
    reply = person.get(block.group(1))
    same((reply.status, reply.header("location")),
         (303, "/events?source=%s&from=%s&to=%s" % (source["id"], rfc3339(hour), rfc3339(hour + HOUR))))
    true("one" in person.page(reply.header("location")), "its event")
    for path in ("/hour/in_x/1", "/hour/%s/x" % source["id"], "/hour/%s/99999999999" % source["id"], "/hour/%s" % source["id"]):
        same(person.get(path).status, 404, path)


def what_is_fetched_in_the_background_leaves_the_flash(box):
    person = Visitor(box)
    person.page("/services/new")
    reply = person.post("/services", name="flash of " + person.name)
    same(reply.status, 303)
    background = person.request("GET", "/", headers={"X-Requested-With": "fetch"}).body.decode()
    true('class="flash"' not in background, "nobody reads it there")
    person.page(reply.header("location"))
    true('class="flash"' in person.text, "it is said on the page")
