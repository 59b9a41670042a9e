"""world.py - fills an instance with what a busy one holds, and with what strangers would like to get into its pages: markup, quotes,
control characters and formulas in every text that comes from outside."""
import json
import time

from harness import alert, alerts, stripe_event, workflow_run

MARKUP = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"
CONTROL = MARKUP + "\u0001\u0007\u001b[31m\u202e\u0085"
FORMULA = "=cmd|' /C calc'!A0"
MANY = 130		# more than a page of any list
VIEWER = {"name": "vera", "password": "looks at everything"}


def _refused(box, source):
    """One of each kind, so that each reason is seen."""
    box.send({**source, "key": "0" * 32}, alerts(alert()), source=box.fresh_address())
    box.send(source, b"{\"cut\": ")
    box.send(source, CONTROL.encode(), {"Content-Type": "text/html"})
    box.send(source, {"alerts": "none"})
    box.send(source, alerts(alert()), {"User-Agent": MARKUP, "X-Markup": MARKUP},
             path="/api/integrations/prometheus/%s?x=%s" % (source["id"], "<script>alert(1)</script>".replace(" ", "%20")))


def _accepted(box, prometheus, github, stripe, webhook):
    box.send(prometheus, alerts(*[alert(severity=s, summary=str(i), instance="db%d" % i)
                                  for i in range(MANY) for s in [("critical", "warning", "info")[i % 3]]]))
    again = alerts(alert())
    box.send(prometheus, again)
    box.send(prometheus, again)
    nasty = alert(alertname=CONTROL, instance=MARKUP, job=FORMULA)
    nasty["annotations"] = {"summary": CONTROL, "description": MARKUP, "runbook_url": "javascript:alert(3)"}
    nasty["generatorURL"] = "javascript:alert(4)//" + MARKUP
    formula = alert(alertname="Formula")
    formula["annotations"] = {"summary": FORMULA}
    box.send(prometheus, alerts(nasty, formula))
    run = workflow_run()
    run["workflow_run"].update(name=CONTROL, html_url="javascript:alert(5)", head_branch=MARKUP)
    run["repository"].update(name=MARKUP, full_name=CONTROL, html_url="javascript:alert(6)")
    box.send_github(github, "workflow_run", run)
    box.send_github(github, "<script>alert(7)</script>", {"action": MARKUP})
    box.send_stripe(stripe, stripe_event("<script>alert(8)</script>", description=CONTROL))
    box.send_stripe(stripe, stripe_event())
    box.send(webhook, {"summary": CONTROL, "severity": MARKUP, "source": CONTROL, "service": MARKUP, "type": MARKUP, "id": MARKUP,
                       "dedup_key": CONTROL, "action": "trigger", "link": "javascript:alert(9)", "component": FORMULA})
    box.send(webhook, json.dumps({"summary": FORMULA, "dedup_key": FORMULA, "id": FORMULA, "type": FORMULA}))


def _channel(box, **more):
    """Its path in the API."""
    return "/api/channels/" + box.api("POST", "/api/channels", more).expect(201)["id"]


def furnish(box):
    """Returns pages that a walk from the start page does not surely come to."""
    service = box.api("POST", "/api/services", {"name": "shop " + MARKUP[:60], "description": MARKUP,
                                                "aliases": [FORMULA]}).expect(201)
    sources = [box.integration("prometheus", name="Prometheus", serviceId=service["id"]),
               box.integration("github", name="GitHub " + MARKUP, generateSecret=True),
               box.integration("stripe", name=FORMULA, generateSecret=True), box.integration("webhook", name=MARKUP)]
    _accepted(box, *sources)
    _refused(box, sources[0])
    box.ctl("user", "add", "eve " + MARKUP, "--role", "operator", "--email", "eve@example.org")
    box.ctl("user", "add", VIEWER["name"], "--password-stdin", stdin=VIEWER["password"] + "\n")
    box.sql("UPDATE users SET totp_sealed = 'an app that nobody has' WHERE name LIKE 'eve%'")
    for incident in box.get("/api/incidents?limit=3")["incidents"]:
        box.api("POST", "/api/incidents/%s/notes" % incident["id"], {"note": CONTROL})
    newest = box.get("/api/incidents?limit=1")["incidents"][0]
    box.api("POST", "/api/incidents/%s/acknowledge" % newest["id"], {"note": MARKUP}).expect(200)
    channels = [_channel(box, kind="email", name=MARKUP, to=["ops@example.org"]), _channel(box, kind="email", name=FORMULA, to=["x@example.org"] * 20),
                _channel(box, kind="slack", name="Slack", url="https://192.0.43.8/services/T0/B0/x", enabled=False),
                _channel(box, kind="pagerduty", name="PagerDuty", routingKey="0" * 32, enabled=False)]
    delivery = box.api("POST", channels[0] + "/test").expect(200)["delivery"]["id"]
    box.sql("UPDATE outbox_attempts SET answer = '%s' WHERE outbox_id = %s" % (MARKUP.replace("'", "''"), delivery))
    schedule = box.api("POST", "/api/schedules", {"name": MARKUP[:60], "description": MARKUP, "timeZone": "Europe/Berlin", "layers": [
        {"name": MARKUP[:60], "rotation": "hours", "length": 12, "startDate": "2026-01-01", "users": [box.env["GRAPNEL_ADMIN_USER"], "eve " + MARKUP]},
        {"name": FORMULA, "users": []}]}).expect(201)
    box.api("POST", "/api/schedules", {"name": FORMULA}).expect(201)
    for text in MARKUP, FORMULA, "db1":
        box.api("POST", "/api/events/replay", {"q": text}).expect(202)
    eve = next(u for u in box.get("/api/users?limit=100")["users"] if u["name"].startswith("eve"))
    steps = [{"delayMinutes": 5, "targets": [{"id": eve["id"]}]}, {"delayMinutes": 1440, "targets": [{"id": c.removeprefix("/api/channels/")} for c in channels]}]
    policy = box.api("POST", "/api/escalation-policies", {"name": MARKUP[:60], "description": FORMULA, "repeat": 2, "steps": steps}).expect(201)
    box.api("PATCH", "/api/services/" + service["id"], {"policyId": policy["id"], "channelIds": [channels[0].removeprefix("/api/channels/")]}).expect(200)
    for name, metric, of in ((MARKUP, "open_incidents", {}), (FORMULA, "success_rate", {"source": sources[3]["id"], "provider": "webhook"})):
        box.api("POST", "/api/alerts/rules", {"name": name[:100].strip(), "metric": metric, "comparison": ">", "threshold": 0.5, "filter": of}).expect(201)
    for address in "me@example.org", "them@example.org":
        box.api("POST", "/api/contacts", {"kind": "email", "address": address}).expect(201)
    box.sql("UPDATE contacts SET verified_at = created_at, sent_at = created_at WHERE address LIKE 'them%'")
    hour = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + s)) for s in (-60, 3600)]
    box.api("POST", "/api/maintenance-windows", {"name": MARKUP[:60], "reason": FORMULA, "from": hour[0], "to": hour[1], "serviceId": service["id"]}).expect(201)
    box.api("POST", "/api/schedules/%s/overrides" % schedule["id"], {"user": "eve " + MARKUP, "to": hour[1]}).expect(201)
    box.api("POST", "/api/silences", {"name": FORMULA, "reason": MARKUP, "dedupKey": MARKUP + "*", "until": hour[1]}).expect(201)
    github = "/integrations/" + sources[1]["id"]
    box.api("PATCH", "/api/status-page", {"slug": "shop", "title": MARKUP[:60], "about": MARKUP, "enabled": True, "showTitles": True, "services": [service["id"]]}).expect(200)
    box.api("POST", "/api" + github + "/test").expect(201)
    newest = box.get("/api%s/deliveries?limit=1" % github)["deliveries"][0]
    admin = next(u for u in box.get("/api/users?limit=100")["users"] if u["name"] == box.env["GRAPNEL_ADMIN_USER"])
    box.sql("UPDATE alert_rules SET user_id = (SELECT id FROM users WHERE public_id = '%s')" % admin["id"])    # who walks
    box.jobs("alert-rules")
    endpoint = box.api("POST", "/api/endpoints", {"url": "https://192.0.43.8/hook?x=" + "y" * 300}).expect(201)["id"]
    sent = box.api("POST", "/api/endpoints/%s/test" % endpoint).expect(200)["delivery"]["id"]
    box.sql("UPDATE endpoints SET user_id = (SELECT id FROM users WHERE public_id = '%s'); UPDATE deliveries SET user_id = (SELECT id FROM users"
            " WHERE public_id = '%s')" % (admin["id"], admin["id"]))
    channel = channels[0].removeprefix("/api")
    return [channel + "/deliveries", "%s/deliveries/%s" % (channel, delivery), github, "%s/tests/%s" % (github, newest["id"]), "/users/" + admin["id"],
            "/endpoints/%s/deliveries" % endpoint, "/endpoints/%s/deliveries/%s" % (endpoint, sent)]
