"""Alert rules: thresholds of one's own by API and page, judged by cron and at once, told to channels when that changes."""
import json
import os

from handler import Handler, body_of, signed_by
from harness import alert, alerts, same, true, wait_until
from receivers import Hook
from visitor import Visitor

WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew


def _rule(box, token, **more):
    body = {"name": "rule " + os.urandom(3).hex(), "metric": "open_incidents", "comparison": ">=", "threshold": 1, **more}
    return box.api("POST", "/api/alerts/rules", body, token).expect(201)


def _judged(box, token):
    """What cron found, once it has looked again: the quickstart's or ours, whoever has the lease."""
    rules = {r["id"]: r["evaluatedAt"] for r in box.get("/api/alerts/rules", token)["rules"] if r["enabled"]}

    def looked():
        box.cron("alert-rules").communicate()
        now = {r["id"]: r for r in box.get("/api/alerts/rules", token)["rules"]}
        return all(now[i]["evaluatedAt"] not in (None, at) for i, at in rules.items()) and now

    return wait_until(looked, 60, "cron judges the rules")


def _told(hook, rule):
    """What was taken of this rule: channels hear of those of all users."""
    return [t.body for t in list(hook.taken) if t.body["data"].get("ruleId") == rule["id"]]


def _outbound(box):
    box.up("--set", "server.development=true", "--set", "outbound.allow=127.0.0.0/8", "--set", "outbound.ports=1-65535",
           "--set", "outbound.dispatcher=true")


def rule_from_birth_to_end(box):
    token, other = box.new_token("viewer", "read,events"), box.new_token()
    source = box.integration("prometheus")
    reply = box.api("POST", "/api/alerts/rules", {"name": "Quiet", "metric": "event_count", "filter": {"source": source["id"], "service": "default"},
                                                  "comparison": "<", "threshold": 0.5, "windowMinutes": 5}, token)
    made = reply.expect(201)
    path = "/api/alerts/rules/" + made["id"]
    same(reply.header("location"), path)
    same((made["status"], made["value"], made["threshold"], made["windowMinutes"], made["filter"]["source"]),
         ("untried", None, 0.5, 5, source["id"]))
    same(box.get(path, token), made)
    for stranger in (other, box.new_token(tenant=box.new_tenant())):
        for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
            box.api(method, path, body, stranger).expect(404, "not_found")
        same(box.get("/api/alerts/rules", stranger)["rules"], [])
    box.api("POST", "/api/alerts/rules", {}, box.new_token("admin", "read")).expect(403, "forbidden")
    for wrong, field in (({"metric": "cpu"}, "metric"), ({"filter": {"provider": "nobody"}}, "provider"), ({"filter": {"source": "in_1"}}, "source"),
                         ({"filter": {"service": "nowhere"}}, "service"), ({"threshold": "9"}, "threshold"), ({"windowMinutes": 44641}, "windowMinutes"),
                         ({"comparison": "=>"}, "comparison"), ({"name": "x" * 101}, "name")):
        reply = box.api("PATCH", path, wrong, token)
        reply.expect(400, "invalid_request", field)
        true(reply.json()["message"].endswith("."), reply.json())
    raw = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
    same(box.request("PATCH", path, '{"threshold":1e999}', raw).status, 400, "no finite number")
    same(box.api("GET", "/api/alerts/triggered", token=token).expect(200),
         {"results": [{"rule_id": made["id"], "name": "Quiet", "triggered": True, "value": 0, "threshold": 0.5}],
          "summary": {"evaluated": 1, "triggered_count": 1}})
    box.send(source, alerts(alert())).expect(201)
    same(box.get("/alerts/triggered", token)["results"][0]["value"], 1, "the alias")
    same(box.get(path, token)["status"], "untried", "what is stored is the job's")
    same(_judged(box, token)[made["id"]]["status"], "fine")
    box.api("PATCH", path, {"enabled": False}, token).expect(200)
    same(box.get("/api/alerts/triggered", token)["summary"], {"evaluated": 0, "triggered_count": 0})
    same(box.api("DELETE", path, token=token).status, 204)
    box.api("GET", path, token=token).expect(404, "not_found")
    same([r[0] for r in box.sql("SELECT action FROM audit_log WHERE object = '%s' ORDER BY id" % made["id"])],
         ["alert_rule.create", "alert_rule.update", "alert_rule.delete"])


def what_is_sent_to_try_something_out_is_not_counted(box):
    token, source = box.new_token("viewer"), box.integration("datadog")
    for metric, threshold in (("open_incidents", 1), ("event_count", 1), ("minutes_since_last_event", 10000)):
        _rule(box, token, metric=metric, threshold=threshold, filter={"source": source["id"]})
    box.api("POST", "/api/integrations/%s/test" % source["id"]).expect(201)
    same([r["value"] for r in box.get("/api/alerts/triggered", token)["results"]], [0, 0, 0])


def channels_are_told_of_the_change_and_of_its_end(box):
    _outbound(box)
    token, source = box.new_token(), box.integration("prometheus")
    with Hook() as hook, Hook() as deaf:
        channels = [box.api("POST", "/api/channels", {"name": "rules", "kind": "webhook", "url": h.url, "secret": h.secret, "events": events}).expect(201)
                    for h, events in ((hook, ["alerts.*"]), (deaf, ["monitor.*"]))]
        same(channels[0]["events"], ["alerts.*"])
        rule = _rule(box, token, filter={"source": source["id"]})
        _judged(box, token)
        same(_told(hook, rule), [])
        incident = box.send(source, alerts(alert())).expect(201)["result"]["incident"]["id"]
        same(_judged(box, token)[rule["id"]]["status"], "triggered")
        body, = wait_until(lambda: _told(hook, rule), 30, "it is told")
        same((body["type"], body["data"]["ruleId"], body["data"]["name"], body["data"]["value"], body["data"]["threshold"], body["data"]["endedAt"]),
             ("alerts.triggered", rule["id"], rule["name"], 1, 1, None))
        same(body["data"]["message"], "Open incidents: 1, at least 1.")
        _judged(box, token)
        same(len(_told(hook, rule)), 1, "once")
        box.api("POST", "/api/incidents/%s/resolve" % incident).expect(200)
        rule = _judged(box, token)[rule["id"]]
        same((rule["status"], rule["value"]), ("fine", 0))
        over = wait_until(lambda: _told(hook, rule)[1:], 30, "its end is told")
        same([(b["type"], b["data"]["id"]) for b in over], [("alerts.over", body["data"]["id"])])
        box.send(source, alerts(alert())).expect(201)
        _judged(box, token)
        wait_until(lambda: len(_told(hook, rule)) == 3, 30, "it is told anew")
        same(box.api("DELETE", "/api/alerts/rules/" + rule["id"], token=token).status, 204)
        over = wait_until(lambda: _told(hook, rule)[3:], 30, "deleted it is over, and that is told at once")
        same([(b["type"], b["data"]["message"]) for b in over], [("alerts.over", "The rule was deleted.")])
        same((hook.complaints, _told(deaf, rule)), ([], []))
        for channel in channels:
            box.api("DELETE", "/api/channels/" + channel["id"]).expect(204)


def endpoints_of_its_user_are_told_when_it_triggers_and_at_each_look(box):
    _outbound(box)
    token, other, source = box.new_token("viewer", "admin"), box.new_token("viewer", "admin"), box.integration("prometheus")
    with Handler() as all_of_his, Handler() as short, Handler() as deaf, Handler() as stranger:
        short_secret = "kein base64 \u00fc"
        box.api("POST", "/api/webhooks", {"url": short.url, "secret": short_secret}, token).expect(201)
        secret = box.api("POST", "/api/endpoints", {"url": all_of_his.url, "events": ["alerts.*"]}, token).expect(201)["secret"]
        box.api("POST", "/api/endpoints", {"url": deaf.url, "events": ["incident.snoozed"]}, token).expect(201)
        box.api("POST", "/api/endpoints", {"url": stranger.url, "events": ["alerts.*"]}, other).expect(201)
        rule, quiet = _rule(box, token, filter={"source": source["id"]}), _rule(box, token, filter={"source": source["id"]}, threshold=1000)
        _judged(box, token)
        same((box.get("/api/alerts/triggered", token)["summary"]["triggered_count"], all_of_his.got, short.got), (0, [], []))
        incident = box.send(source, alerts(alert())).expect(201)["result"]["incident"]["id"]
        same({i: r["status"] for i, r in _judged(box, token).items()}, {rule["id"]: "triggered", quiet["id"]: "fine"})
        wait_until(lambda: all_of_his.got and short.got, 30, "both are told")
        for got, key in (all_of_his.got[0], secret), (short.got[0], short_secret):
            true(signed_by(got, key), "both signatures under %r" % key)
            body = body_of(got)
            same((got.headers["x-webhook-event"], set(body)),
                 ("alerts.triggered", {"event", "user_id", "triggered_alerts", "triggered_count", "evaluated_at"}))
            same((body["event"], body["triggered_count"], [(t["rule_id"], t["value"], t["threshold"]) for t in body["triggered_alerts"]]),
                 ("alerts.triggered", 1, [(rule["id"], 1, 1)]))
            true(body["user_id"].startswith("us_"), body)
        _judged(box, token)
        same((len(all_of_his.got), len(short.got)), (1, 1), "cron tells of the change alone")
        same(box.get("/api/alerts/triggered", token)["summary"], {"evaluated": 2, "triggered_count": 1})
        wait_until(lambda: len(all_of_his.got) == 2 and len(short.got) == 2, 30, "who looks is told again")
        box.api("POST", "/api/incidents/%s/resolve" % incident).expect(200)
        same(_judged(box, token)[rule["id"]]["status"], "fine")
        same(box.get("/api/alerts/triggered", token)["summary"]["triggered_count"], 0)
        history = wait_until(lambda: (h := box.get("/api/webhooks/history", token)["deliveries"]) and len(h) >= 4 and h, 30, "each is noted")
        same([(d["event"], d["payload_summary"]) for d in history], [("alerts.triggered", "1 triggered: " + rule["name"])] * 4)
        same((deaf.got, stranger.got), ([], []))
        for r in rule, quiet:
            same(box.api("DELETE", "/api/alerts/rules/" + r["id"], token=token).status, 204)


def page_makes_changes_switches_and_deletes(box):
    viewer, other = Visitor(box, "viewer"), Visitor(box, "admin")
    source = box.integration("stripe")
    true("You have no alert rules" in viewer.page("/alert-rules"), "an empty page says what rules are for")
    viewer.page("/alert-rules/new")
    form = {"name": "Tills <b>quiet</b>", "metric": "minutes_since_last_event", "comparison": ">", "threshold": "30", "windowMinutes": "60",
            "provider": "", "source": source["id"], "service": "", "enabled": "true"}
    for field, value in (("threshold", ""), ("threshold", "many"), ("windowMinutes", "0"), ("name", ""), ("provider", "nobody"), ("metric", "cpu")):
        same(viewer.post("/alert-rules", **{**form, field: value}).status, 400, "%s %r" % (field, value))
        true(viewer.error().endswith("."), viewer.error())
        same(viewer.field("name"), form["name"] if field != "name" else "", "what was typed is kept")
    same(viewer.done(viewer.post("/alert-rules", **form), "/alert-rules"), "The rule is there. Cron judges it within the minute.")
    true("Tills &lt;b&gt;quiet&lt;/b&gt;" in viewer.text and "Minutes since the last event: above 30" in viewer.text, "it is listed")
    true("You have no alert rules" in other.page("/alert-rules"), "it is its user's own")
    (rule, user), = box.sql("SELECT public_id, user_id FROM alert_rules r WHERE source_id = (SELECT id FROM sources WHERE public_id = '%s')" % source["id"])
    other.page("/alert-rules/%s/edit" % rule, 404)
    other.page("/alert-rules/%s/delete" % rule, 404)
    other.page("/alert-rules/new")
    same(other.post("/alert-rules/%s/delete" % rule).status, 404)
    same(other.post("/alert-rules/%s/disable" % rule).status, 404)
    viewer.page("/alert-rules/%s/edit" % rule)
    same((viewer.field("name"), viewer.field("threshold")), (form["name"], "30"))
    same(viewer.done(viewer.post("/alert-rules/%s/edit" % rule, **{**form, "threshold": "-0.5", "source": ""}), "/alert-rules"), "Saved.")
    true("above -0.5" in viewer.text, "it is changed")
    wait_until(lambda: box.cron("alert-rules").communicate() and box.sql("SELECT 1 FROM alert_rules WHERE public_id = '%s' AND triggered = 1" % rule),
               60, "cron judges it")
    true("status-triggered" in viewer.page("/alert-rules"), "its state is shown")
    same(viewer.done(viewer.post("/alert-rules/%s/disable" % rule), "/alert-rules"), "The rule is off.")
    true("status-disabled" in viewer.text, "it is off")
    same(viewer.done(viewer.post("/alert-rules/%s/enable" % rule), "/alert-rules"), "The rule is on.")
    listed = json.loads(viewer.get("/alert-rules.json").body)["rules"]
    same([(r["id"], r["threshold"], r["enabled"]) for r in listed], [(rule, -0.5, True)])
    viewer.page("/alert-rules/%s/delete" % rule)
    same(viewer.done(viewer.post("/alert-rules/%s/delete" % rule), "/alert-rules"), "The rule is deleted.")
    viewer.page("/alert-rules/%s/edit" % rule, 404)
