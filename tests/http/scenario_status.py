"""The public status page: what a tenant shows to everybody, and what stays inside."""
import os
import time
import xml.etree.ElementTree as tree

from harness import alert, alerts, same, true
from visitor import Visitor

ATOM = "{http://www.w3.org/2005/Atom}"


def _ask(box, path, **headers):
    """(status, the answer's headers, text) of somebody who is not signed in."""
    reply = box.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return reply.status, {name: reply.header(name) for name in ("cache-control", "content-type", "etag", "set-cookie")}, reply.body.decode()


def _page(box, **more):
    slug = "shop-" + os.urandom(3).hex()
    return slug, box.api("PATCH", "/api/status-page", {"slug": slug, "title": "Shop & Co <1>", "enabled": True, **more}).expect(200)


def _service(box):
    return box.api("POST", "/api/services", {"name": "till " + os.urandom(3).hex()}).expect(201)


def everybody_sees_the_services_that_are_shown_and_nothing_else(box):
    shown, hidden = _service(box), _service(box)
    slug, made = _page(box, services=[shown["id"]], about="We sell.", showTitles=False)
    true(made["url"].endswith("/status/" + slug), made)
    status, headers, text = _ask(box, "/status/" + slug)
    same((status, headers["cache-control"], headers["set-cookie"]), (200, "public, max-age=30", None))
    true("All systems operational" in text and shown["name"] in text and "We sell." in text and "Shop &amp; Co &lt;1>" in text.replace("&gt;", ">"), text)
    true(hidden["name"] not in text, "what is not shown is not there")
    true("Nothing to tell." in text and "<h2>Now" not in text and "<h2>Maintenance" not in text, "no heading stands above nothing")

    mine, other = (box.integration("prometheus", rateLimitPerMinute=0, serviceId=s["id"]) for s in (shown, hidden))
    key = os.urandom(4).hex()
    box.send(mine, alerts(alert(fingerprint=key, severity="critical"))).expect(201)
    box.send(mine, alerts(alert(severity="info"))).expect(201)
    box.send(other, alerts(alert(severity="critical"))).expect(201)
    text = _ask(box, "/status/" + slug)[2]
    true("Major outage: " + shown["name"] in text and "Investigating since " in text, text)
    same(text.count("<h3"), 1, "neither what is less grave nor what is elsewhere")
    incident = box.get("/api/incidents?limit=3")["incidents"]
    title = [i["title"] for i in incident if i["serviceId"] == shown["id"] and i["severity"] == "CRITICAL"][0]
    true(title not in text, "its title stays inside")
    box.api("PATCH", "/api/status-page", {"showTitles": True}).expect(200)
    true(title in _ask(box, "/status/" + slug)[2], "until the tenant says so")

    box.send(mine, alerts(alert(fingerprint=key, status="resolved"))).expect(201)
    text = _ask(box, "/status/" + slug)[2]
    true("All systems operational" in text and text.count("<h3") == 1, "it is past, and told")


def part_of_another_incident_is_not_told_as_resolved(box):
    shown = _service(box)
    slug, _ = _page(box, services=[shown["id"]])
    source = box.integration("prometheus", rateLimitPerMinute=0, serviceId=shown["id"])
    whole, part = (box.send(source, alerts(alert(severity="critical"))).expect(201)["result"]["incident"]["id"] for _ in range(2))
    same(_ask(box, "/status/" + slug)[2].count("<h3"), 2)
    box.api("POST", "/api/incidents/%s/merge" % part, {"into": whole}).expect(200)
    text = _ask(box, "/status/" + slug)[2]
    true(text.count("<h3") == 1 and "Nothing to tell." in text, text)


def test_incidents_are_not_told(box):
    shown = _service(box)
    slug, _ = _page(box, services=[shown["id"]])
    source = box.integration("prometheus", rateLimitPerMinute=0, serviceId=shown["id"])
    box.api("POST", "/api/integrations/%s/test" % source["id"], {}).expect(201)
    true("All systems operational" in _ask(box, "/status/" + slug)[2], "a test is nobody's business")


def maintenance_is_told_and_what_breaks_in_it_is_not(box):
    shown, broken, hidden = _service(box), _service(box), _service(box)
    slug, _ = _page(box, services=[shown["id"], broken["id"]], showTitles=False)
    at = lambda minutes: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60 * minutes))
    window = lambda name, service, begin, end, **more: box.api("POST", "/api/maintenance-windows", {
        "name": name, "serviceId": service["id"], "from": at(begin), "to": at(end), **more}).expect(201)["id"]
    old, new, other = (box.integration("prometheus", rateLimitPerMinute=0, serviceId=s["id"]) for s in (broken, shown, hidden))
    box.send(old, alerts(alert(severity="critical"))).expect(201)
    made = [window("db17 is moved", shown, -5, 60), window("secret disk", broken, -5, 60), window("db18 is moved", shown, 60 * 24, 60 * 25),
            window("nobody's", hidden, -5, 60), window("far", shown, 60 * 24 * 20, 60 * 24 * 20 + 5), window("a part", shown, -5, 60, dedupKey="x")]
    box.send(new, alerts(alert(severity="critical"))).expect(201)
    text = _ask(box, "/status/" + slug)[2]
    true(">Under maintenance</span>" in text and text.count("Maintenance: " + shown["name"]) == 2, text)
    true("Now</span> " + shown["name"] in text and "Planned</span> " + shown["name"] in text, text)
    true("Major outage: " + shown["name"] not in text, "what breaks in it breaks on purpose")
    key = os.urandom(4).hex()
    for status in ("firing", "resolved"):
        box.send(new, alerts(alert(fingerprint=key, severity="critical", status=status))).expect(201)
    true("Nothing to tell." in _ask(box, "/status/" + slug)[2], "and what was whole again in it is not told as past")
    box.api("POST", "/api/maintenance-windows/%s/end" % made[0]).expect(200)
    text = _ask(box, "/status/" + slug)[2]
    same((text.count("Major outage: " + shown["name"]), "Nothing to tell." in text), (1, True), "nor when the window is over: the one that goes on is told")
    made[0] = window("db17 is moved", shown, -5, 60)
    for word in ("db17", "db18", "secret", "nobody", "far", "a part", hidden["name"]):
        true(word not in text, word)
    box.api("PATCH", "/api/maintenance-windows/" + made[1], {"from": at(-1)}).expect(200)
    box.sql("UPDATE incidents SET opened_at = opened_at - 3600000 WHERE service_id = (SELECT id FROM services WHERE public_id = '%s')" % broken["id"])
    true("Major outage: " + broken["name"] in _ask(box, "/status/" + slug)[2], "what was broken before stays so")
    feed = tree.fromstring(_ask(box, "/status/%s/feed.atom" % slug)[2])
    titles = [e.find(ATOM + "title").text for e in feed.findall(ATOM + "entry")]
    same(titles[:3], ["Now: Maintenance: " + shown["name"], "Now: Maintenance: " + broken["name"], "Planned: Maintenance: " + shown["name"]])
    box.api("PATCH", "/api/status-page", {"showTitles": True}).expect(200)
    true("db18 is moved" in _ask(box, "/status/" + slug)[2], "its name where the tenant says so")
    for one in made:
        box.api("DELETE", "/api/maintenance-windows/" + one).expect(204)
    text = _ask(box, "/status/" + slug)[2]
    true("aintenance" not in text and text.count("Major outage of ") + text.count("Investigating since") == 2, "when it is over, what is broken is told")


def feed_is_atom_and_tells_the_same(box):
    shown = _service(box)
    slug, made = _page(box, services=[shown["id"]], showTitles=False)
    source = box.integration("prometheus", rateLimitPerMinute=0, serviceId=shown["id"])
    box.send(source, alerts(alert(severity="critical"))).expect(201)
    status, headers, text = _ask(box, "/status/%s/feed.atom" % slug)
    same((status, headers["content-type"], headers["cache-control"]), (200, "application/atom+xml; charset=utf-8", "public, max-age=30"))
    feed = tree.fromstring(text)
    same((feed.tag, feed.find(ATOM + "id").text, feed.find(ATOM + "title").text), (ATOM + "feed", made["url"], "Shop & Co <1>"))
    entries = feed.findall(ATOM + "entry")
    same([e.find(ATOM + "title").text for e in entries], ["Investigating: Major outage: " + shown["name"]])
    for part in ("id", "title", "updated"):     # what RFC 4287 wants of each
        true(all(e.find(ATOM + part) is not None for e in [feed] + entries), part)


def feed_stays_xml_whatever_a_sender_writes(box):
    shown = _service(box)
    slug, _ = _page(box, services=[shown["id"]], showTitles=True)
    source = box.integration("webhook", rateLimitPerMinute=0, serviceId=shown["id"])
    box.send(source, {"title": "]]></title>\x01\x0b&#0; \ufffe\uffff \U0001f525", "severity": "critical", "status": "triggered"}).expect(201)
    entry, = tree.fromstring(_ask(box, "/status/%s/feed.atom" % slug)[2]).findall(ATOM + "entry")
    title = entry.find(ATOM + "title").text
    true(title.startswith("Investigating: ]]></title>\ufffd\ufffd&#0;") and title.endswith(" \ufffd\ufffd \U0001f525"), title)


def caches_are_answered_without_a_body(box):
    shown = _service(box)
    slug, _ = _page(box, services=[shown["id"]])
    for path in ("/status/" + slug, "/status/%s/feed.atom" % slug):
        etag = _ask(box, path)[1]["etag"]
        time.sleep(1.1)
        status, headers, text = _ask(box, path, If_None_Match=etag)
        same((status, text, headers["etag"]), (304, "", etag), path)
        same(_ask(box, path, If_None_Match='"other", W/' + etag)[0], 304, "as one that compresses sends it")
        same(_ask(box, path, If_None_Match='"other"')[0], 200)


def page_that_is_switched_off_is_not_there(box):
    slug, _ = _page(box, enabled=False)
    for path in ("/status/" + slug, "/status/%s/feed.atom" % slug, "/status/none", "/status/" + "x" * 300):
        same(_ask(box, path)[0], 404, path)
    same(box.get("/api/status-page")["url"], None)


def wrong_wishes_name_the_field(box):
    _page(box)
    for wish, field in (({"slug": "Shop"}, "slug"), ({"slug": "-a"}, "slug"), ({"slug": "a" * 64}, "slug"), ({"slug": ""}, "slug"),
                        ({"title": ""}, "title"), ({"title": " x"}, None), ({"title": "x" * 101}, "title"), ({"about": "x" * 1025}, "about"),
                        ({"services": ["sv_unknown"]}, "services"), ({"services": ["x"] * 101}, "services"), ({"services": "sv"}, "services"), ({"colour": 1}, "colour")):
        reply = box.api("PATCH", "/api/status-page", wish)
        if field:
            reply.expect(400, "invalid_request", field)
        else:
            reply.expect(200)
    box.sql("INSERT IGNORE INTO tenants (id, name, created_at) VALUES (77, 'status neighbour', 1);"
            " REPLACE INTO status_pages (tenant_id, slug, title, updated_at) VALUES (77, 'theirs', 't', 1)")
    box.api("PATCH", "/api/status-page", {"slug": "theirs"}).expect(409, "conflict")
    same(box.number("SELECT COUNT(*) FROM status_pages WHERE slug = 'theirs' AND tenant_id = 77"), 1)


def form_says_it_and_is_for_admins(box):
    shown, second = _service(box), _service(box)
    _page(box)
    admin = Visitor(box, "admin")
    admin.page("/status-page")
    slug = "form-" + os.urandom(3).hex()
    admin.done(admin.post("/status-page", slug=slug, title="Ours", about="", showTitles="false", enabled="true", services="%s\n%s\n" % (second["name"].upper(), shown["name"])))
    true(shown["name"] in _ask(box, "/status/" + slug)[2], "it is shown")
    same(box.get("/api/status-page")["services"], [second["id"], shown["id"]], "in their order")
    true("%s\n%s\n" % (second["name"], shown["name"]) in admin.page("/status-page"), "as they were typed")
    same(box.number("SELECT COUNT(*) FROM audit_log WHERE action = 'status_page.update' AND object = '%s'" % slug), 1)


def what_is_graver_than_its_window_holds_back_is_told(box):
    shown = _service(box)
    slug, _ = _page(box, services=[shown["id"]], showTitles=False)
    source = box.integration("prometheus", rateLimitPerMinute=0, serviceId=shown["id"])
    window = box.api("POST", "/api/maintenance-windows", {"name": "disks are swapped", "repeat": "once", "serviceId": shown["id"], "maxSeverity": "MEDIUM",
                     "from": time.strftime("%FT%TZ", time.gmtime(time.time() - 300)), "to": time.strftime("%FT%TZ", time.gmtime(time.time() + 3600))}).expect(201)
    box.send(source, alerts(alert(severity="warning"))).expect(201)
    text = _ask(box, "/status/" + slug)[2]
    true("Degraded performance" not in text and ">Under maintenance</span>" in text, text)
    key = os.urandom(4).hex()
    box.send(source, alerts(alert(fingerprint=key, severity="critical"))).expect(201)
    text = _ask(box, "/status/" + slug)[2]
    true("Major outage: " + shown["name"] in text and ">Under maintenance</span>" not in text and "Degraded performance" not in text, text)
    box.send(source, alerts(alert(fingerprint=key, status="resolved"))).expect(201)
    text = _ask(box, "/status/" + slug)[2]
    true("Major outage: " + shown["name"] in text and ">Under maintenance</span>" in text, "it is past, and told: " + text)
    box.api("DELETE", "/api/maintenance-windows/" + window["id"]).expect(204)
