"""Test webhooks, rotation with a grace period, health; then the same by the pages."""
import html
import json
import re
import time

from harness import alert, alerts, pagerduty, same, stripe_event, true, wait_until, workflow_run
from visitor import Visitor

KINDS = ("github", "prometheus", "stripe", "webhook")


def a_test_webhook_of_each_type_opens_an_incident_of_its_own(box):
    for kind in KINDS:
        for more in ({}, {"generateSecret": True}, {"generateSecret": True, "requireKey": True}):
            source = box.integration(kind, actions=["incident"], allowedIps=["192.0.2.1"], rateLimitPerMinute=1, **more)
            path = "/api/integrations/%s/test" % source["id"]
            done = box.api("POST", path).expect(201)
            same(list(done), ["success", "autoResolveIn", "alert", "incident", "validation"])
            same((done["success"], done["autoResolveIn"], done["incident"]["isDuplicate"]), (True, "5 minutes", False))
            same((done["validation"]["providerDetected"], done["validation"]["signature"]), (kind, "verified"))
            true(done["validation"]["severityMapped"].endswith(" -> " + done["alert"]["severity"]), "%r" % done)
            incident = box.get("/api/incidents/" + done["incident"]["id"])
            same((incident["title"], incident["isTest"], incident["status"], incident["severity"]),
                 (done["alert"]["title"], True, "OPEN", done["alert"]["severity"]))
            true(incident["dedupKey"].startswith("test:"), "dedup key %r" % incident["dedupKey"])
            true(box.api("POST", path).expect(201)["incident"]["id"] != incident["id"], "the next test opens another")
            seen = box.get("/api/integrations/" + source["id"])
            same((seen["webhookCount"], seen["errorCount"], seen["alertCount"]), (2, 0, 2))


def a_test_webhook_by_the_path_without_api(box):
    source = box.integration("prometheus")
    box.api("POST", "/integrations/%s/test" % source["id"]).expect(201)
    box.request("POST", "/integrations/%s/test" % source["id"]).expect(401, "unauthorized")


def a_test_webhook_goes_to_the_service_that_it_names(box):
    box.api("POST", "/api/services", {"name": "test-service"})
    source = box.integration("prometheus")
    same(box.api("POST", "/api/integrations/%s/test" % source["id"]).expect(201)["validation"]["serviceRouted"], "default")
    box.api("PATCH", "/api/integrations/" + source["id"], {"routeByService": True}).expect(200)
    same(box.api("POST", "/api/integrations/%s/test" % source["id"]).expect(201)["validation"]["serviceRouted"], "test-service")


def what_only_records_opens_no_incident(box):
    done = box.api("POST", "/api/integrations/%s/test" % box.integration("stripe")["id"]).expect(201)
    same((done["alert"], done["incident"], done["autoResolveIn"]), (None, None, None))


def what_cannot_be_tested_says_why(box):
    source = box.integration("webhook", enabled=False)
    path = "/api/integrations/%s/test" % source["id"]
    true("switched off" in box.api("POST", path).expect(409, "conflict")["message"], "the sentence")
    box.api("POST", "/api/integrations/in_00000000000000000000/test").expect(404, "not_found")
    box.api("POST", path, token=box.new_token(tenant=box.new_tenant())).expect(404, "not_found")
    box.api("POST", path, token=box.new_token("operator")).expect(403, "forbidden")


def a_rotated_key_is_good_beside_the_new_one_until_its_time(box):
    source = box.integration("webhook", rateLimitPerMinute=0)
    path = "/api/integrations/%s/rotate-key" % source["id"]
    fresh = {**source, "key": box.api("POST", path, {"graceSeconds": 3600}).expect(200)["key"]}
    for _ in range(4):      # each worker
        true(box.send(source, {"title": "old"}).status < 300 and box.send(fresh, {"title": "new"}).status < 300, "both are good")
        box.request("POST", "/v2/enqueue", _pagerduty(source)).expect(202)
        box.request("POST", "/v2/enqueue", _pagerduty(fresh)).expect(202)
    _ends_soon(box, "UPDATE sources SET key_old_until = %%d WHERE public_id = '%s'" % source["id"])
    wait_until(lambda: box.send(source, {"title": "old"}, source=box.fresh_address()).status == 401, what="the end of the old key")
    for _ in range(4):
        box.send(source, {"title": "old"}, source=box.fresh_address()).expect(401, "invalid_key")
        same(box.request("POST", "/v2/enqueue", _pagerduty(source), source=box.fresh_address()).status, 404)
        true(box.send(fresh, {"title": "new"}).status < 300, "the new one stays good")


def _pagerduty(source):
    return json.dumps(pagerduty(source))


def _ends_soon(box, statement):
    """A grace period, which the workers know from now on: the clock is not ours to set."""
    box.sql(statement % (time.time() * 1000 + 2000))
    box.integration("webhook")      # what the tables say of any source is read again


def without_grace_the_old_key_ends_at_once(box):
    source = box.integration("webhook", rateLimitPerMinute=0)
    answer = box.api("POST", "/api/integrations/%s/rotate-key" % source["id"], {"graceSeconds": 0}).expect(200)
    same(answer["graceUntil"], None)
    for _ in range(4):
        box.send(source, {"title": "old"}, source=box.fresh_address()).expect(401, "invalid_key")
        true(box.send({**source, "key": answer["key"]}, {"title": "new"}).status < 300, "the new one is good")


def rotated_secrets_overlap(box):
    source = box.integration("github", generateSecret=True, rateLimitPerMinute=0)
    path = "/api/integrations/%s/rotate-secret" % source["id"]
    second = box.api("POST", path, {"graceSeconds": 3600}).expect(200)["signatureSecret"]
    third = box.api("POST", path, {"signatureSecret": "of the provider"}).expect(200)["signatureSecret"]
    same(third, "of the provider")
    for secret in (source["signatureSecret"], second, third):
        true(box.send_github(source, "workflow_run", workflow_run(), secret=secret).status < 300, "all three are good")
    _ends_soon(box, "UPDATE source_secrets SET expires_at = %%d WHERE source_id = (SELECT id FROM sources WHERE public_id = '%s') ORDER BY id LIMIT 1"
               % source["id"])
    wait_until(lambda: box.send_github(source, "ping", {}, secret=source["signatureSecret"], source=box.fresh_address()).status == 401,
               what="the end of the first secret")
    for secret in (second, third):
        true(box.send_github(source, "workflow_run", workflow_run(), secret=secret).status < 300, "the others stay good")
    box.api("POST", path, {"graceSeconds": 0}).expect(200)
    box.send_github(source, "ping", {}, secret=third, source=box.fresh_address()).expect(401, "invalid_signature")
    box.api("POST", "/api/integrations/%s/rotate-secret" % box.integration("prometheus")["id"]).expect(409, "conflict")


def rotations_are_in_the_audit_log_without_what_was_made(box):
    source = box.integration("github", generateSecret=True)
    key = box.api("POST", "/api/integrations/%s/rotate-key" % source["id"]).expect(200)["key"]
    secret = box.api("POST", "/api/integrations/%s/rotate-secret" % source["id"], {"graceSeconds": 60}).expect(200)["signatureSecret"]
    box.api("POST", "/api/integrations/%s/test" % source["id"]).expect(201)
    rows = box.sql("SELECT action, COALESCE(detail, '') FROM audit_log WHERE object = '%s' ORDER BY id" % source["id"])
    same([row[0] for row in rows], ["integration.create", "integration.rotate_key", "integration.rotate_secret", "integration.test"])
    true('"graceSeconds":86400' in rows[1][1] and '"graceSeconds":60' in rows[2][1], "%r" % rows)
    true(key not in str(rows) and secret not in str(rows), "no secret in the audit log")


def health_counts_what_senders_sent(box):
    token, began = box.new_token(tenant=box.new_tenant()), time.monotonic()
    health = lambda: box.get("/api/integrations/health", token)
    same(health(), {"status": "healthy", "global": {"totalReceived": 0, "totalSuccess": 0, "totalErrors": 0, "successRate": 100.0,
                                                    "averageLatencyMs": 0.0}, "byType": {}})
    source = box.integration("prometheus", token=token)
    for _ in range(3):
        box.send(source, alerts(alert())).expect(201)
    box.send(source, b"{").expect(400)
    for _ in range(5):
        box.api("POST", "/api/integrations/%s/test" % source["id"], token=token).expect(201)
    seen = health()
    same((seen["status"], seen["global"]["totalReceived"], seen["global"]["totalSuccess"], seen["global"]["totalErrors"],
          seen["global"]["successRate"]), ("degraded", 4, 3, 1, 75.0))
    true(0 < seen["global"]["averageLatencyMs"] < (time.monotonic() - began) * 1000, "%r" % seen)
    same(seen["byType"]["PROMETHEUS"]["successRate"], 75.0)


# ---- pages ----

def _shown_once(visitor):
    found = re.search(r'<div class="flash.*?<code data-copy>(.*?)</code>', visitor.text, re.S)
    true(found, "no secret in the flash of %s" % visitor.at)
    return html.unescape(found.group(1))


def _created(box, visitor, kind, *pairs, **fields):
    """By its form. The integration as the API's answer would be, with what the set-up page shows once."""
    visitor.page("/integrations/new")
    true('href="/integrations/new/%s"' % kind in visitor.text, "%s is in the gallery" % kind)
    visitor.page("/integrations/new/" + kind)
    reply = visitor.post("/integrations/new/" + kind, *pairs, type=kind, **{"name": "made by form", "actions": "incident", **fields})
    visitor.done(reply)
    made = {"id": visitor.at.split("/")[2], "type": kind}
    same(visitor.at, "/integrations/%s/setup" % made["id"])
    if kind == "stripe":    # makes its secret itself
        return made
    shown = _shown_once(visitor)
    made["signatureSecret" if box.get("/api/integrations/" + made["id"])["hasSecret"] else "key"] = shown
    return made


def somebody_creates_one_by_its_form_and_sees_its_first_request(box):
    visitor = Visitor(box)
    made = _created(box, visitor, "prometheus")
    url = box.get("/api/integrations/" + made["id"])["webhookUrl"]
    true(url in visitor.text and made["key"] in visitor.text.replace(made["key"], "", 1), "URL and key stand in the steps")
    visitor.page(visitor.at)
    true(made["key"] not in visitor.text, "the key is shown this once")
    true("No request yet" in visitor.text and '<meta http-equiv="refresh"' in visitor.text, "it waits")
    box.api("POST", "/api/integrations/%s/test" % made["id"]).expect(201)
    true("No request yet" in visitor.page(visitor.at), "a test webhook is none of the provider's")
    box.send({**made, "key": "0" * 32}, alerts(alert()), source=box.fresh_address()).expect(401)
    visitor.page(visitor.at)
    true("Request seen, refused: Invalid key" in visitor.text and "Show the key" in visitor.text, "it says why, and what to do")
    box.send(made, alerts(alert())).expect(201)
    visitor.page(visitor.at)
    true("Verified" in visitor.text and '<meta http-equiv="refresh"' not in visitor.text, "it has come")


def who_signs_gets_a_secret_that_is_shown_once(box):
    visitor = Visitor(box)
    made = _created(box, visitor, "github", generateSecret="true")
    true(made["signatureSecret"].startswith("whsec_"), "%r" % made)
    true(made["signatureSecret"] not in visitor.page(visitor.at), "once")
    box.send_github(made, "ping", {}, secret="another", source=box.fresh_address()).expect(401)
    true("refused: Invalid signature" in visitor.page(visitor.at), "the reason")
    true(box.send_github(made, "ping", {}).status < 300 and "Verified" in visitor.page(visitor.at), "verified")
    made = _created(box, visitor, "github", generateSecret="true", signatureSecret="of our own")
    same(made["signatureSecret"], "of our own", "who types one wants that one")


def a_secret_that_the_provider_makes_is_entered_afterwards(box):
    visitor = Visitor(box)
    made = _created(box, visitor, "stripe")
    path = "/integrations/%s" % made["id"]
    same(visitor.post(path + "/secret", signatureSecret="").status, 400)
    true("Enter the secret" in visitor.error(), "names the field")
    visitor.page(path + "/setup")
    visitor.done(visitor.post(path + "/secret", signatureSecret="whsec_theirs"), path + "/setup")
    same(box.send_stripe(made, stripe_event(), secret="whsec_theirs").status, 200)
    true("Verified" in visitor.page(path + "/setup"), "verified")
    visitor.page(visitor.post(path + "/send-test").header("location"))
    true("It went through" in visitor.text and "by its signature" in visitor.text, "signed as the provider signs")


def a_form_keeps_what_was_typed_and_names_the_field(box):
    visitor = Visitor(box)
    visitor.page("/integrations/new/webhook")
    typed = {"name": "<b>mine</b>", "rateLimitPerMinute": "many", "allowedIps": "10.0.0.0/8", "actions": "record", "type": "webhook",
             "_setting.fields": '{"summary": "/x"}', "requireKey": "true", "enabled": "false"}
    same(visitor.post("/integrations/new/webhook", **typed).status, 400)
    true("must be a whole number" in visitor.error(), visitor.error())
    true(re.search(r"id=\"rateLimitPerMinute\"[^>]*aria-invalid", visitor.text), "the field is marked")
    kept = ("name", "rateLimitPerMinute", "allowedIps", "_setting.fields")
    same({name: visitor.field(name) for name in kept}, {name: typed[name] for name in kept})
    true("<b>mine" not in visitor.text, "it is text")
    for box_id, ticked in (("act-record", True), ("act-incident", False), ("requireKey", True), ("enabled", False)):
        same(" checked" in re.search(r'<input [^>]*id="%s"[^>]*>' % box_id, visitor.text).group(0), ticked, box_id)
    for wrong, field in (({"_setting.fields": "{"}, "settings"), ({"_setting.fields": "[]"}, "settings"), ({"settings": '{"x":1}'}, None), ({"allowedIps": "nowhere"}, "allowedIps"), ({"name": ""}, "name"),
                         ({"serviceId": "sv_nothing"}, "serviceId")):
        visitor.page("/integrations/new/webhook")
        fields = {"name": "x", "type": "webhook", "actions": "record", **wrong}
        if not field:   # what its type does not know is not stored
            visitor.done(visitor.post("/integrations/new/webhook", **fields))
            continue
        same(visitor.post("/integrations/new/webhook", **fields).status, 400)
        true('id="%s-error"' % field in visitor.text, "%s is named" % field)
    visitor.page("/integrations/new/webhook")
    same(visitor.post("/integrations/new/webhook", name="x", type="webhook").status, 400)
    true("Tick at least one" in visitor.error(), visitor.error())
    same(visitor.get("/integrations/new/nonsense").status, 404)


def the_gallery_is_searched(box):
    visitor = Visitor(box)
    everything = re.findall(r'href="/integrations/new/([\w-]+)" class="tile-type"', visitor.page("/integrations/new"))
    true(len(everything) == len(set(everything)) >= 4 and visitor.text.count("<h2>") >= 3, "each type once, in groups: %s" % everything)
    for query, wanted, missing in (("github", "github", "stripe"), ("GitHub+hmac", "github", "prometheus"), ("PAYMENT", "stripe", "github"),
                                   ("%3Cscript%3E", None, "github")):
        found = re.findall(r'href="/integrations/new/([\w-]+)" class="tile-type"', visitor.page("/integrations/new?q=" + query))
        true(missing not in found and (wanted in found if wanted else not found), "%s: %s" % (query, found))
    true("No type of that name" in visitor.text and visitor.field("q") == "<script>" and "<script>\"" not in visitor.text, "says so, as text")
    visitor.page("/integrations/new?color=red", 400)
    for kind in everything:
        page = html.unescape(visitor.page("/integrations/new/" + kind))
        true("/api/integrations/%s/in_..." % kind in page or "/api/webhooks/%s" % kind in page, "what its address will look like: " + kind)
        for part in ("What proves the sender</dt><dd>", "answered with an error</dt><dd>", '<ol class="steps down">'):
            true(part in page and part + "<" not in page, "%s: %s" % (kind, part))
        true("data-copy" not in page, "there is nothing to copy yet: " + kind)


def settings_of_a_type_are_fields_of_its_form(box):
    visitor = Visitor(box)
    stored = lambda i: json.loads(box.sql("SELECT COALESCE(settings, '{}') FROM sources WHERE public_id = '%s'" % i)[0][0])     # noqa: E731
    made = _created(box, visitor, "github", ("_setting.allowSha1", "true"), generateSecret="true")
    same(stored(made["id"]), {"allowSha1": True})
    path = "/integrations/%s/edit" % made["id"]
    true(re.search(r'id="_setting.allowSha1"[^>]* checked', visitor.page(path)), "ticked")
    visitor.done(visitor.post(path, name="x", actions="incident"))
    same(stored(made["id"]), {"allowSha1": True}, "what was not posted stays")
    visitor.page(path)
    visitor.done(visitor.post(path, ("_setting.allowSha1", "false"), name="x", actions="incident"))
    same(stored(made["id"]), {})
    made = _created(box, visitor, "webhook", ("_setting.fields", '{"summary": "/a/b"}'))
    same(stored(made["id"]), {"fields": {"summary": "/a/b"}})
    visitor.page("/integrations/%s/edit" % made["id"])
    same(json.loads(visitor.field("_setting.fields")), {"summary": "/a/b"})
    made = _created(box, visitor, "stripe", ("_setting.alertTestMode", "true"))
    same(stored(made["id"]), {"alertTestMode": True})
    path = "/integrations/%s/edit" % made["id"]
    visitor.page(path)
    visitor.done(visitor.post(path, ("_setting.alertTestMode", "false"), name="x", actions="incident"))
    same(stored(made["id"]), {})


def somebody_changes_one_by_its_form(box):
    visitor, source = Visitor(box), box.integration("github", generateSecret=True, rateLimitPerMinute=7)
    path = "/integrations/" + source["id"]
    visitor.page(path + "/edit")
    same((visitor.field("name"), visitor.field("rateLimitPerMinute")), (source["name"], "7"))
    visitor.done(visitor.post(path + "/edit", ("actions", "incident"), ("actions", "record"), name="renamed", rateLimitPerMinute="",
                              allowedIps="127.0.0.0/8", signatureSecret="", enabled="true"), path)
    seen = box.get("/api" + path)
    same((seen["name"], seen["rateLimitPerMinute"], seen["allowedIps"], seen["actions"], seen["hasSecret"]),
         ("renamed", 100, ["127.0.0.0/8"], ["incident", "record"], True), "an empty secret is kept")
    true(box.send_github(source, "ping", {}).status < 300, "it is the same one")
    visitor.page(path + "/edit")
    visitor.done(visitor.post(path + "/edit", name="renamed", actions="incident", _removeSecret="true"), path)
    same(box.get("/api" + path)["hasSecret"], False)


def a_test_is_shown_stage_by_stage(box):
    visitor, source = Visitor(box), box.integration("prometheus")
    path = "/integrations/" + source["id"]
    visitor.page(path)
    reply = visitor.post(path + "/send-test")
    same(reply.status, 303)
    visitor.page(reply.header("location"))
    stages = re.findall(r'<li class="(\w+)"><b>(\w+)</b>', visitor.text)
    same(stages, [("done", s) for s in ("received", "proven", "mapped", "deduplicated", "acted", "stored", "key", "match")])
    for words in ("It went through", "[Prometheus] Test Alert - CPU Usage High", "warning became MEDIUM", "by the key", "test:"):
        true(words in visitor.text, words)
    true(re.search(r'href="/incidents/\d+"', visitor.text) and re.search(r'href="/events/\d+"', visitor.text), "links")
    box.sql("UPDATE sources SET key_sealed = REVERSE(key_sealed) WHERE public_id = '%s'" % source["id"])
    same(visitor.post(path + "/send-test").status, 500, "a key that does not open")
    real = box.send(box.integration("prometheus"), alerts(alert())).expect(201)["result"]["event"]["id"]
    request = box.sql("SELECT request_id FROM events WHERE id = %s" % real)[0][0]
    same(visitor.get("%s/tests/%s" % (path, request)).status, 404, "a request that was no test of this one")
    visitor.page("/integrations/" + box.integration("webhook", enabled=False)["id"])
    visitor.done(visitor.post(visitor.at + "/send-test"))
    true(visitor.is_refused() and "switched off" in visitor.flash(), visitor.flash())


def a_test_that_is_refused_shows_where_it_stopped(box):
    visitor, source = Visitor(box), box.integration("github", generateSecret=True)
    box.sql("UPDATE source_secrets SET sealed = REVERSE(sealed) WHERE source_id = (SELECT id FROM sources WHERE public_id = '%s')" % source["id"])
    path = "/integrations/" + source["id"]
    visitor.page(path)
    reply = visitor.post(path + "/send-test")
    visitor.page(reply.header("location"))
    same(re.findall(r'<li class="(\w+)"><b>(\w+)</b>', visitor.text)[:2], [("done", "received"), ("failed", "proven")])
    true("It was refused: Invalid signature" in visitor.text, "the reason")


def key_and_secret_are_rotated_by_their_pages(box):
    visitor, source = Visitor(box), box.integration("github", generateSecret=True, requireKey=True)
    path = "/integrations/" + source["id"]
    headers = {"X-API-Key": source["key"]}
    true(box.send_github(source, "ping", {}, headers=headers).status < 300, "good at first")
    visitor.page(path + "/rotate-key")
    true("it received 1 request," in visitor.text, "in numbers")
    visitor.done(visitor.post(path + "/rotate-key", graceSeconds="3600"), path + "/setup")
    key = _shown_once(visitor)
    for given in (source["key"], key):
        true(box.send_github(source, "ping", {}, headers={"X-API-Key": given}).status < 300, "both are good")
    true("is good until" in visitor.page(path), "the page tells of it")
    visitor.page(path + "/rotate-key")
    true("ends now" in visitor.text, "what happens to the one before")
    same(visitor.post(path + "/rotate-key", graceSeconds="long").status, 400)
    true("must be a whole number" in visitor.error(), visitor.error())
    visitor.page(path + "/rotate-secret")
    visitor.done(visitor.post(path + "/rotate-secret", graceSeconds="0", signatureSecret=""), path + "/setup")
    secret = _shown_once(visitor)
    box.send_github(source, "ping", {}, headers=headers, source=box.fresh_address()).expect(401)
    true(box.send_github(source, "ping", {}, secret=secret, headers=headers).status < 300, "the new one is good")
    keyed = "/integrations/" + box.integration("prometheus")["id"]
    visitor.page(keyed + "/rotate-secret")
    same(visitor.post(keyed + "/rotate-secret", graceSeconds="0").status, 400)
    true("no signature secret" in visitor.text, "nothing to rotate")


def the_key_is_shown_to_admins_and_that_is_noted(box):
    visitor, source = Visitor(box), box.integration("webhook")
    path = "/integrations/" + source["id"]
    true(source["key"] not in visitor.page(path), "masked")
    visitor.done(visitor.post(path + "/key"), path)
    same(_shown_once(visitor), source["key"])
    true(source["key"] not in visitor.page(path), "once")
    visitor.done(visitor.post(path + "/key", _to="setup"), path + "/setup")
    true("Bearer " + source["key"] in html.unescape(visitor.text), "in the steps")
    same(box.number("SELECT COUNT(*) FROM audit_log WHERE object = '%s' AND action = 'integration.reveal_key'" % source["id"]), 2)


def one_is_switched_off_on_and_deleted(box):
    visitor, source = Visitor(box), box.integration("prometheus", rateLimitPerMinute=0)
    path = "/integrations/" + source["id"]
    box.send(source, alerts(alert())).expect(201)
    visitor.page("/integrations")
    visitor.done(visitor.post(path + "/disable", _to="list"), "/integrations")
    box.send(source, alerts(alert())).expect(403, "source_disabled")
    true('<span class="badge status-disabled">disabled</span>' in visitor.page(path), "its state")
    visitor.done(visitor.post(path + "/enable"), path)
    box.send(source, alerts(alert())).expect(201)
    visitor.page(path + "/delete")
    for words in ("It received 3 webhooks", "2 incidents of it are open", "answered 404"):
        true(words in visitor.text, words)
    visitor.done(visitor.post(path + "/delete"), "/integrations")
    box.send(source, alerts(alert())).expect(404)
    same(visitor.get(path).status, 404)


def the_list_has_health_types_and_exports(box):
    tenant = box.new_tenant()
    token, visitor = box.new_token(tenant=tenant), Visitor(box, tenant=tenant)
    true("No integration yet" in visitor.page("/integrations") and "grapnelctl integration add" in visitor.text, "empty")
    made = [box.integration(kind, token, name=kind + " one") for kind in ("prometheus", "webhook", "webhook")]
    for _ in range(3):
        box.send(made[0], b"{").expect(400)
    box.send(made[1], {"title": "x"}).expect(201)
    visitor.page("/integrations")
    for state in ("failing", "healthy", "waiting"):
        true('<span class="badge status-%s">%s</span>' % (state, state) in visitor.text, state)
    true(re.search("4 requests, 25.0.% of them accepted", visitor.text), "in all")
    same(visitor.page("/integrations?type=webhook").count("<article"), 2)
    true("No integration of this type" in visitor.page("/integrations?type=github"), "none of it")
    same(visitor.page("/integrations?limit=2").count("<article"), 2)
    more = html.unescape(re.search(r'href="([^"]+)" rel="next"', visitor.text).group(1))
    same(visitor.page(more).count("<article"), 1)
    same([i["id"] for i in visitor.get("/integrations.json").json()["integrations"]], [m["id"] for m in reversed(made)])
    lines = visitor.get("/integrations.csv?type=webhook").body.decode().splitlines()
    same((len(lines), lines[0].split(",")[:3]), (3, ["id", "name", "type"]))
    for wrong in ("?limit=0", "?cursor=events-1", "?nonsense=1"):
        same(visitor.get("/integrations" + wrong).status, 400, wrong)


def viewers_see_and_change_nothing(box):
    visitor, source = Visitor(box, "viewer"), box.integration("github", generateSecret=True)
    path = "/integrations/" + source["id"]
    for page in ("/integrations", path, path + "/setup"):
        visitor.page(page)
        true("Send test" not in visitor.text and "Rotate" not in visitor.text and "Switch off" not in visitor.text and
             source["key"] not in visitor.text, "%s offers nothing to change" % page)
    for page in ("/integrations/new", "/integrations/new/github", path + "/edit", path + "/rotate-key", path + "/delete"):
        same(visitor.get(page).status, 403, page)
    stranger = Visitor(box, tenant=box.new_tenant())
    for page in (path, path + "/setup", path + "/edit", path + "/rotate-key", path + "/delete"):
        same(stranger.get(page).status, 404, page)
    stranger.page("/integrations")
    for act in ("/send-test", "/key", "/disable", "/rotate-key", "/rotate-secret", "/delete", "/edit", "/secret"):
        same(stranger.post(path + act).status, 404, act)
