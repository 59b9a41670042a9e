"""Health, metrics, request ids, and what must never be written down."""
import base64
import re
import secrets

from harness import alert, alerts, same, stripe_event, true, workflow_run


def health_and_readiness(box):
    same(box.request("GET", "/healthz").status, 200)
    same(box.request("GET", "/readyz").status, 200)


def api_document_is_for_everybody_and_can_be_kept(box):
    reply = box.request("GET", "/api/openapi.json")
    document = reply.expect(200)
    same((document["openapi"], document["servers"][0]["url"]), ("3.1.0", box.env["GRAPNEL_URL"]))
    true("max-age" in reply.header("cache-control"), "Cache-Control %r" % reply.header("cache-control"))
    again = box.request("GET", "/api/openapi.json", headers={"If-None-Match": reply.header("etag")})
    same((again.status, again.body), (304, b""))
    same(box.request("HEAD", "/api/openapi.json").status, 200)
    for path, methods in document["paths"].items():
        if "/github" in path:
            same(list(methods), ["post"], path)


def metrics_count_what_happened(box):
    source = box.integration("prometheus")
    before = box.metrics()
    group = alerts(alert())
    box.send(source, group).expect(201)
    box.send(source, group).expect(200)
    box.send(source, b"{").expect(400)
    after = box.metrics()
    grown = {name for name in after if after[name] > before.get(name, 0)}
    for word in ("request", "event", "batch"):
        true(any(word in name for name in grown), "a counter of %ss grew: %s" % (word, sorted(grown)))
    true(all(re.fullmatch(r"grapnel_[a-z0-9_]+(\{[^}]*\})?", name) for name in after), "names: %s" % sorted(after)[:5])


def metrics_need_their_token(box):
    reply = box.request("GET", "/metrics", headers={"Authorization": "Bearer wrong"})
    true(reply.status in (401, 403), "answer %s" % reply.status)


def request_id_is_taken_over_or_made(box):
    source = box.integration("prometheus")
    for wanted in ("abc-123_x.Y", "a" * 64):
        for reply in (box.send(source, alerts(alert()), {"X-Request-Id": wanted}),
                      box.api("GET", "/api/events", headers={"X-Request-Id": wanted}),
                      box.request("GET", "/healthz", headers={"X-Request-Id": wanted})):
            same(reply.header("x-request-id"), wanted)
    for bad in ("a" * 65, "white space", "semi;colon", "\u00e9"):
        reply = box.send(source, alerts(alert()), {"X-Request-Id": bad.encode().decode("latin-1")})
        made = reply.header("x-request-id")
        true(made and made != bad and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", made), "made for %r: %r" % (bad, made))
    true(box.send(source, b"{", key=False, source=box.fresh_address()).header("x-request-id"), "refusals carry one too")


def request_id_is_stored_with_the_request(box):
    source = box.integration("prometheus")
    wanted = "trace-" + secrets.token_hex(8)
    box.send(source, alerts(alert()), {"X-Request-Id": wanted}).expect(201)
    same(box.number("SELECT COUNT(*) FROM requests WHERE trace = '%s'" % wanted), 1)


def secrets_are_in_no_log_and_no_stored_request(box):
    marker = "payload" + secrets.token_hex(12)
    prometheus = box.integration("prometheus")
    github = box.integration("github", signatureSecret="signing-" + secrets.token_hex(12))
    stripe = box.integration("stripe", signatureSecret="whsec_" + secrets.token_hex(12))
    token = box.new_token()
    basic = base64.b64encode(("x:" + prometheus["key"]).encode()).decode()
    path = "/api/integrations/prometheus/" + prometheus["id"]
    box.send(prometheus, alerts(alert(note=marker))).expect(201)
    box.send(prometheus, alerts(alert()), {"X-API-Key": prometheus["key"], "Cookie": "s=" + token}).expect(201)
    box.send(prometheus, alerts(alert()), {"Authorization": "Basic " + basic}).expect(201)
    box.send(prometheus, alerts(alert()), key=False, path=path + "?a=b&key=" + prometheus["key"] + "&c=d").expect(201)
    box.send(prometheus, b"{", key=False, path=path + "?key=" + prometheus["key"]).expect(400)
    box.send_github(github, "workflow_run", workflow_run()).expect(201)
    box.send_github(github, "workflow_run", workflow_run(), secret="wrong", source=box.fresh_address()).expect(401)
    box.send_stripe(stripe, stripe_event()).expect(200)
    box.get("/api/events", token)
    uri = box.sql("SELECT uri FROM requests WHERE uri LIKE '%%a=b%%' AND uri LIKE '%%%s%%'" % prometheus["id"])
    true(uri and "c=d" in uri[0][0], "the rest of the query is kept: %r" % uri)
    logs = box.logs()
    for what, secret in (("integration key", prometheus["key"]), ("github secret", github["signatureSecret"]),
                         ("stripe secret", stripe["signatureSecret"]), ("api token", token), ("basic", basic),
                         ("payload", marker)):
        true(secret.encode() not in logs, "%s is in a log" % what)
        if what != "payload":
            same(box.number("SELECT COUNT(*) FROM requests WHERE INSTR(headers, '%s') OR INSTR(uri, '%s')" % (secret, secret)), 0,
                 "%s in stored requests" % what)
            for table, column in (("sources", "key_sealed"), ("source_secrets", "sealed"), ("audit_log", "detail"),
                                  ("sources", "settings")):
                same(box.number("SELECT COUNT(*) FROM %s WHERE INSTR(%s, '%s')" % (table, column, secret)), 0,
                     "%s in %s.%s" % (what, table, column))


def web_account_of_the_database_cannot_change_the_schema(box):
    grants = "\n".join(row[0] for row in box.sql("SHOW GRANTS FOR grapnel@localhost"))
    for word in ("ALL PRIVILEGES", "CREATE", "DROP", "ALTER", "GRANT OPTION"):
        true(word not in grants, "%s: %s" % (word, grants))
    true("SELECT, INSERT, UPDATE, DELETE" in grants, grants)


def long_header_and_many_headers_do_no_harm(box):
    source = box.integration("prometheus")
    box.send(source, alerts(alert()), {"X-Long": "v" * 6000}).expect(201)
    reply = box.send(source, alerts(alert()), {"X-H%d" % i: "v" for i in range(90)})
    true(reply.status in (201, 400, 431), "90 headers: %s" % reply.status)
    box.send(source, alerts(alert())).expect(201)
