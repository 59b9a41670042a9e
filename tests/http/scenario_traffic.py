"""Requests and events as people and programs see them: lists, filters, one of them, exports; and what strangers put into them."""
import csv
import html
import io
import json
import os
import re
import subprocess
import time

from harness import same, true, uuid, wait_until
from visitor import Visitor

EVIL = "<script>alert('x')</script>\"'>&</pre></textarea>\u0007\u001b[31m\u202e\u0085 ünï"
FORMULA = "=HYPERLINK(\"http://x.example\",\"y\")" + EVIL


def _rows(page):
    """Text of the cells of each row of the list."""
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.S)
    return [[" ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)]
            for row in re.findall(r"<tr>(.*?)</tr>", body.group(1), re.S)] if body else []


def _link(page, text):
    found = re.search(r'<a [^>]*href="([^"]*)"[^>]*>%s</a>' % re.escape(text), page)
    return html.unescape(found.group(1)) if found else None


def _pre(page, part):
    for text in re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.S):
        if part in html.unescape(text):
            return html.unescape(text)
    raise AssertionError("no <pre> with %r" % part)


def _shell(command, **variables):
    done = subprocess.run(["sh", "-c", command], env={**os.environ, **variables}, capture_output=True, text=True)
    same(done.returncode, 0, done.stderr)
    return done.stdout


def _is_safe(reply, what):
    """Nothing that strangers wrote is markup, and no control character goes out."""
    same(reply.status, 200, what)
    text = reply.body.decode()
    true("<script>alert" not in text and "</pre></textarea>" not in text, "%s: a payload is markup" % what)
    true(not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f]", text.replace("\r\n", "\n")), "%s: a control character" % what)
    return text


# ---- what strangers write ----

def a_hostile_payload_stays_text(box):
    source = box.integration("webhook", name="<script>alert('name')</script>")
    body = {"id": EVIL, "summary": FORMULA, "type": "a\"><b>" + EVIL, "source": EVIL, "service": EVIL, "severity": EVIL, "text": EVIL,
            EVIL: {EVIL: [EVIL]}}
    headers = {"User-Agent": "<script>alert(1)</script>'\"$(id)", "Idempotency-Key": "<script>alert(2)</script>" + uuid(),
               "X-Request-Id": uuid(), "Content-Type": "application/json"}
    answer = box.send(source, body, headers).expect(201)
    event, incident = answer["result"]["event"]["id"], answer["result"]["incident"]["id"]
    request = box.get("/api/events/" + event)["request"]["id"]
    box.send(source, "<script>alert(3)</script>", headers={"Idempotency-Key": uuid()}).expect(400)
    refused = box.get("/api/requests?source=%s&outcome=refused" % source["id"])["requests"][0]["id"]
    who = Visitor(box)
    for path in ("/", "/requests", "/requests/" + request, "/requests/%s?view=raw" % request, "/requests/%s?view=hex" % request,
                 "/requests/" + refused, "/requests?q=%3Cscript%3Ealert", "/events", "/events?q=%3Cscript%3Ealert", "/events/" + event,
                 "/events/%s?view=raw" % event, "/events/%s?view=hex" % event, "/incidents?status=all", "/incidents/" + incident):
        _is_safe(who.get(path), path)
    for path in ("/requests.csv", "/events.csv"):
        reply = who.get(path + "?source=" + source["id"])
        same(reply.header("content-type"), "text/csv; charset=utf-8; header=present")
        rows = list(csv.DictReader(io.StringIO(reply.body.decode(), newline="")))
        true(not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u0080-\u009f]", reply.body.decode()), "a control character in " + path)
        true(any(r["summary"].startswith("'=HYPERLINK(\"http://x.example\",\"y\")<script>") for r in rows), path + " defuses the formula")
        true(not any(cell[:1] in "=+-@\t\r" for r in rows for cell in r.values() if cell), path + " has no cell that is run")
    exported = json.loads(who.get("/events.json?source=" + source["id"]).body)["events"]
    same([e["id"] for e in exported], [event])
    true(exported[0]["summary"].startswith("=HYPERLINK"), "JSON has it as it is")


def a_payload_is_shown_and_downloaded(box):
    source, who = box.integration("webhook"), Visitor(box)
    big = json.dumps({"id": "big", "summary": "big", "list": ["x" * 100] * 5000}).encode()
    binary = b"\xff\xfe\x00\x01" * 8
    event = box.send(source, b'{"id":"a","n":12345678901234567890,"n":1.0}').expect(201)["result"]["event"]["id"]
    page = who.page("/events/" + event)
    same(_pre(page, '"n"').splitlines(), ["{", '  "id": "a",', '  "n": 12345678901234567890,', '  "n": 1.0', "}"], "indented, nothing lost")
    same(_pre(who.page("/events/%s?view=raw" % event), '"n"'), '{"id":"a","n":12345678901234567890,"n":1.0}')
    true("00000000  7b 22 69 64" in _pre(who.page("/events/%s?view=hex" % event), "00000000"), "hex")
    same(who.get("/events/%s?view=upside-down" % event).status, 400)
    event = box.send(source, big).expect(201)["result"]["event"]["id"]
    reply = who.get("/events/" + event)
    true(len(reply.body) < 300 * 1024 and "Only the first 256 KiB" in reply.body.decode(), "a large one is cut")
    reply = who.get("/events/%s/payload" % event)
    same(reply.body, big, "the download is whole")
    same((reply.header("content-type"), reply.header("x-content-type-options")), ("application/octet-stream", "nosniff"))
    true(reply.header("content-disposition").startswith("attachment; filename=\"request-"), "an attachment")
    true(reply.header("content-security-policy").startswith("sandbox"), "in a sandbox")
    box.send(source, binary).expect(400)
    refused = box.get("/api/requests?source=%s&outcome=refused" % source["id"])["requests"][0]["id"]
    true("ff fe 00 01" in who.page("/requests/" + refused), "what is no text is shown in hex")
    same(who.get("/requests/%s/payload" % refused).body, binary)


def the_command_sends_it_again(box):
    source, who = box.integration("webhook"), Visitor(box)
    body = json.dumps({"id": "it's", "summary": "'; touch /tmp/grapnel-pwned; '$(id)`id`\"\\", "severity": "critical"})
    answer = box.send(source, body, {"Idempotency-Key": "'$(id)' " + uuid()}).expect(201)
    command = _pre(who.page("/events/" + answer["result"]["event"]["id"]), "curl -i")
    true(source["key"] not in command and source["key"] not in who.text, "no secret")
    out = _shell(command.replace("paste the key here", source["key"]))
    true(out.startswith("HTTP/1.1 200") and '"alreadyProcessed":true' in out, "the same again: " + out)
    true(not os.path.exists("/tmp/grapnel-pwned"), "nothing of it is run")
    same(len(box.get("/api/events/" + answer["result"]["event"]["id"])["repeats"]), 1)


def a_refused_proof_says_at_which_step(box):
    who = Visitor(box)
    github, stripe, keyed = box.integration("github", signatureSecret="hush hush hush"), box.integration("stripe", signatureSecret="hush hush hush"), \
        box.integration("prometheus")
    both = box.integration("github", signatureSecret="hush hush hush", requireKey=True)
    good = [("header", True), ("prefix", True), ("parts", True), ("secret", True)]
    github_path, keyed_path = ("/api/integrations/%s/%s" % (i["type"], i["id"]) for i in (github, keyed))
    cases = [
        (github, "github", good + [("digest", True)], lambda: box.send_github(github, "ping", {"zen": "."}).expect(201)),
        (github, "github", good + [("digest", False)], lambda: box.send_github(github, "ping", {}, secret="another").expect(401)),
        (github, "github", [("header", True), ("prefix", False)],
         lambda: box.request("POST", github_path, "{}", {"X-Hub-Signature-256": "sha1=00", "Content-Type": "application/json"}).expect(401)),
        (github, "github", [("header", False)], lambda: box.request("POST", github_path, "{}", {"Content-Type": "application/json"}).expect(401)),
        (stripe, "stripe-v1", [("header", True), ("list", True), ("timestamp", False)],
         lambda: box.send_stripe(stripe, {"id": "evt_1"}, at=int(time.time()) - 1000).expect(401)),
        (keyed, "key", [("key", True), ("match", True)], lambda: box.send(keyed, "{").expect(400)),
        (keyed, "key", [("key", True), ("match", False)],
         lambda: box.request("POST", keyed_path, "{}", {"X-Api-Key": "some other key", "Content-Type": "application/json"}).expect(401)),
        (keyed, "key", [("key", False)], lambda: box.request("POST", keyed_path, "{}", {"Content-Type": "application/json"}).expect(401)),
        (both, "github", [("key", True), ("match", True)] + good + [("digest", False)],
         lambda: box.send_github(both, "ping", {}, secret="another", headers={"X-Api-Key": both["key"]}).expect(401)),
    ]
    for source, scheme, steps, send in cases:
        send()
        request = box.get("/api/requests?source=%s&limit=1" % source["id"])["requests"][0]["id"]
        proof = box.get("/api/requests/" + request)["proof"]
        same((proof["scheme"], [(s["step"], s["ok"]) for s in proof["steps"]]), (scheme, steps))
        true(all(s["detail"] for s in proof["steps"]), "each step has a sentence")
        page = who.page("/requests/" + request)
        shown = page[page.index('id="proof"'):]
        same([(name, state == "done") for state, name in re.findall(r'<li class="(\w+)"><b>([\w-]+)</b>', shown)], steps)
        true(("It failed at <b>%s</b>" % steps[-1][0] in shown) != steps[-1][1], "the step that failed is named")
        true("hush" not in page and "some other key" not in page and source["key"] not in page, "no secret is shown")
    stale = box.get("/api/requests?source=%s" % stripe["id"])["requests"][0]["id"]
    true(re.search(r"Signed 10\d\d s ago; 300 s are allowed", who.page("/requests/" + stale)), "how far the clocks are apart: " + who.text)
    box.request("PUT", keyed_path, "{}", {"Content-Type": "application/json"}).expect(405)
    early = box.get("/api/requests?source=%s&limit=1" % keyed["id"])["requests"][0]["id"]
    same(box.get("/api/requests/" + early)["proof"], {"scheme": None, "steps": []})
    true("It did not come to a proof" in who.page("/requests/" + early), "refused before")


# ---- the lists ----

def all_that_came_in_is_in_one_list(box):
    tenant = box.new_tenant()
    token, who = box.new_token(tenant=tenant), Visitor(box, tenant=tenant)
    source = box.integration("webhook", token)
    first = box.send(source, {"id": "disk", "summary": "Disk is full"}, {"Idempotency-Key": "1"}).expect(201)
    box.send(source, {"id": "disk", "summary": "Disk is full"}, {"Idempotency-Key": "1"}).expect(200)
    box.request("POST", "/api/integrations/webhook/" + source["id"], "{}", {"Authorization": "Bearer wrong", "Content-Type": "application/json"})
    box.send(source, "{").expect(400)
    box.send(source, [{"summary": "one"}, {"summary": "two"}]).expect(201)
    rows = _rows(who.page("/requests"))
    same([(r[0], r[1]) for r in rows],
         [("one first of 2 events", "accepted 201"), ("The body could not be read: JSON: parse error: premature EOF at byte 1.", "refused 400"),
          ("Invalid key", "refused 401"), ("Disk is full", "repeated 200"), ("Disk is full", "accepted 201")])
    same(re.findall(r">(\w+) <b>([\d,]+)</b>", who.text), [("All", "5"), ("Accepted", "2"), ("Repeated", "1"), ("Refused", "2")])
    for outcome, n in (("accepted", 2), ("repeated", 1), ("refused", 2), ("refused,repeated", 3)):
        same(len(_rows(who.page("/requests?outcome=" + outcome))), n, outcome)
        same(len(box.get("/api/requests?outcome=" + outcome, token)["requests"]), n, outcome)
    same(len(_rows(who.page("/requests?status=401&provider=webhook&source=%s&from=2020-01-01T00:00&to=2100-01-01" % source["id"]))), 1)
    seen = box.get("/api/requests?outcome=refused", token)["requests"][1]
    same((seen["reason"], seen["statusCode"], seen["provider"], seen["sourceName"]), ("Invalid key", 401, "webhook", source["name"]))
    page = who.page("/requests/" + seen["id"])
    true("Invalid key" in page and 'class="failed"><b>proven</b>' in page, "where it was refused")
    same(len(_rows(who.page("/requests?q=" + seen["traceId"]))), 1, "by trace id")
    event = box.get("/api/events/" + first["result"]["event"]["id"], token)
    same([s["state"] for s in event["lifecycle"]], ["done"] * 6)
    times = [s["afterUs"] for s in event["lifecycle"]]
    same(times, sorted(times), "one stage after the other")
    same((len(event["repeats"]), event["repeats"][0]["outcome"], event["attemptLog"][0]["number"]), (1, "repeated", 1))
    same(box.get("/api/requests/" + event["repeats"][0]["id"], token)["events"], [], "a repeat brings nothing new")
    two = box.get("/api/requests?outcome=accepted", token)["requests"][0]
    same([e["summary"] for e in box.get("/api/requests/" + two["id"], token)["events"]], ["one", "two"])


def events_are_found_by_id_and_text(box):
    tenant = box.new_tenant()
    token, who = box.new_token(tenant=tenant), Visitor(box, tenant=tenant)
    source = box.integration("webhook", token)
    for i in range(3):
        box.send(source, {"id": "k%d" % i, "summary": "Load %d%% of db_%d" % (i, i), "type": "load.High"}, {"Idempotency-Key": "id-%d" % i}).expect(201)
    for query, found in (("id-1", ["id-1"]), ("LOAD", ["id-2", "id-1", "id-0"]), ("load.high", ["id-2", "id-1", "id-0"]), ("db_2", ["id-2"]),
                         ("webhook:k0", ["id-0"]), ("1%25", ["id-1"]), ("id-", [])):
        same([e["eventId"] for e in box.get("/api/events?q=" + query, token)["events"]], found, query)
    event = box.get("/api/events", token)["events"][0]
    same([e["eventId"] for e in box.get("/api/events?q=" + event["id"], token)["events"]], ["id-2"], "by our number")
    same(len(_rows(who.page("/events?severity=warning,info"))), len(box.get("/api/events?severity=warning,info", token)["events"]))
    alerts = box.get("/api/alerts?q=db_1", token)["alerts"]
    same([a["title"] for a in alerts], ["Load 1% of db_1"])
    same(len(box.get("/api/alerts?incidentId=" + alerts[0]["incidentId"], token)["alerts"]), 1)
    stats = box.get("/api/stats", token)
    same((stats["total"], stats["processed"], stats["byProvider"], stats["byType"]), (3, 3, {"WEBHOOK": 3}, {"load.High": 3}))
    same(sorted(stats), sorted(["total", "processed", "failed", "pending", "ignored", "dead", "successRate", "averageAttempts", "oldestPendingAt",
                                "byProvider", "byType"]))


def lists_go_on_page_by_page(box):
    tenant = box.new_tenant()
    token, who = box.new_token(tenant=tenant), Visitor(box, tenant=tenant)
    source = box.integration("webhook", token, rateLimitPerMinute=0)
    for i in range(120):
        box.send(source, {"id": "k%d" % i, "summary": "s%d" % i}, {"Idempotency-Key": "n%d" % i}).expect(201)
    for plural in ("requests", "events"):
        seen, path = [], "/" + plural
        while path:
            page = who.page(path)
            seen += [int(re.match(r"s(\d+)", r[0]).group(1)) for r in _rows(page)]
            path = _link(page, "Older")
        same(sorted(seen), list(range(120)), plural)
        true(all(abs(119 - i - n) < 4 for i, n in enumerate(seen)), "newest first, but for those of one millisecond: %s" % seen)
        true(_link(page, "Newest") == "/" + plural, "back to the newest")
        rows = list(csv.DictReader(io.StringIO(who.get("/%s.csv" % plural).body.decode(), newline="")))
        same(len(rows), 120, "the export has all pages")
        same(len(json.loads(who.get("/%s.json?from=2020-01-01" % plural).body)[plural]), 120)


def wrong_filters_come_back(box):
    who = Visitor(box)
    for path in ("/requests?color=red", "/requests?tenant=default", "/requests?cursor=events-5", "/requests?cursor=requests-0", "/requests?cursor=x", "/requests?status=abc",
                 "/requests?status=99", "/requests?outcome=lost", "/requests?from=yesterday", "/requests?limit=0",
                 "/events?color=red", "/events?tenant=all", "/events?cursor=requests-5", "/events?cursor=events--5", "/events?status=open", "/events?severity=HIGH",
                 "/events?to=32.13.2026", "/requests?source=in_nothing", "/events?source=in_nothing", "/events?service=nothing",
                 "/incidents?color=red", "/incidents?status=lost", "/incidents?service=nothing", "/incidents?assignee=nobody.here",
                 "/incidents?source=in_nothing", "/incidents?from=yesterday", "/incidents?tenant=all"):
        page = who.page(path, 400)
        true('class="error"' in page and 'name="q"' in page, "the form and the reason: " + path)
        true("<tbody>" not in page, "no list: " + path)
        same(who.get(path.replace("?", ".csv?")).status, 400, path)
    who.page("/requests?q=some+words&status=abc", 400)
    same((who.field("q"), who.field("status")), ("some words", "abc"), "what was typed is kept")
    true("Status must be a whole number from 100 to 599" in who.text, "which field and why")
    who.page("/incidents?status=open&service=gone&from=2026-01-02T03:04", 400)
    true('value="gone" selected' in who.text, "what was typed is kept")
    same((who.field("status"), who.field("from")), ("open", "2026-01-02T03:04"))
    for path in ("/requests/0", "/requests/x", "/requests/9223372036854775808", "/events/1.csv", "/requests/5/payload", "/events/5/payload", "/requests.xml"):
        same(who.get(path).status, 404, path)


def other_tenants_see_nothing_of_it(box):
    source = box.integration("webhook")
    event = box.send(source, {"id": "x", "summary": "ours alone"}).expect(201)["result"]["event"]["id"]
    request = box.get("/api/events/" + event)["request"]["id"]
    tenant = box.new_tenant()
    token, who = box.new_token(tenant=tenant), Visitor(box, tenant=tenant)
    for path in ("/events/" + event, "/events/%s/payload" % event, "/requests/" + request, "/requests/%s/payload" % request):
        same(who.get(path).status, 404, path)
    box.api("GET", "/api/requests/" + request, token=token).expect(404, "not_found")
    for path in ("/events", "/requests", "/events?q=" + event):
        true("ours alone" not in who.page(path) and event not in _rows(who.text), path)
    for plural in ("events", "requests", "incidents", "alerts"):
        box.api("GET", "/api/%s?source=%s" % (plural, source["id"]), token=token).expect(400, field="source")
        if plural != "alerts":
            true("There is no integration of that id here." in who.page("/%s?source=%s" % (plural, source["id"]), 400), plural)
    same(box.get("/api/events?q=" + event, token)["events"], [])
    same(box.get("/api/alerts", token)["alerts"], [])
    same(box.get("/api/stats", token)["total"], 0)


# ---- nothing there yet ----

def an_empty_list_says_what_to_run(box):
    tenant = box.new_tenant()
    token, who = box.new_token(tenant=tenant), Visitor(box, tenant=tenant)
    true("grapnelctl integration add" in who.page("/requests"), "first an integration")
    source = box.integration("webhook", token, signatureSecret="it is secret enough")
    for path in ("/requests", "/events"):
        command = _pre(who.page(path), "curl -i")
    out = _shell(command, SECRET="it is secret enough")
    true("HTTP/1.1 201" in out and '"triggered"' in out, out)
    same(len(_rows(who.page("/requests"))), 1)
    tenant = box.new_tenant()
    token, who = box.new_token(tenant=tenant), Visitor(box, tenant=tenant)
    keyed = box.integration("webhook", token)
    out = _shell(_pre(who.page("/events"), "curl -i"), KEY=keyed["key"])
    true("HTTP/1.1 201" in out, out)
    true("Clear the filter" in who.page("/events?q=nothing+like+this"), "a filter that finds nothing can be cleared")
    wait_until(lambda: len(_rows(who.page("/events"))) == 1)
