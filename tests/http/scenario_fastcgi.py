"""What web servers would refuse or repair themselves, sent straight to the sockets with a raw FastCGI client."""
import json

import fcgi
from harness import alert, alerts, same, true


def _ask(box, source, body, pool="ingest", headers=None, **more):
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + source["key"], **(headers or {})}
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return fcgi.ask(box.path("run", pool + ".sock"), "POST", "/api/integrations/prometheus/" + source["id"], headers=headers,
                    body=body, **more)


def straight_to_the_socket(box):
    source = box.integration("prometheus")
    answer = _ask(box, source, alerts(alert()))
    same((answer.status, answer.json()["result"]["action"]), (201, "triggered"))


def misrouted_requests_are_passed_on(box):
    source = box.integration("prometheus")
    same(_ask(box, source, alerts(alert()), pool="web").status, 201, "a webhook at the web pool")
    answer = fcgi.ask(box.path("run", "ingest.sock"), "GET", "/api/events", headers={"Authorization": "Bearer " + box.token})
    same(answer.status, 200, "the API at the ingest pool")


def lying_content_length(box):
    source = box.integration("prometheus")
    for length in (1, 10 ** 6, 0):
        answer = _ask(box, source, alerts(alert()), CONTENT_LENGTH=str(length))
        same((answer.status, answer.json()["error"]), (400, "invalid_payload"), "Content-Length %d" % length)
    for length in ("-1", "x", "99999999999999999999", "1e3"):
        answer = _ask(box, source, alerts(alert()), CONTENT_LENGTH=length)
        true(answer.status in (400, 413), "Content-Length %s: %s" % (length, answer.status))
    same(_ask(box, source, alerts(alert())).status, 201, "after it")


def bytes_in_headers_that_http_cannot_carry(box):
    source = box.integration("prometheus")
    answer = _ask(box, source, alerts(alert()), headers={"X-Request-Id": "a\r\nX-Injected: 1", "X-Odd": "a\x00b\x01\r\nc"})
    same(answer.status, 201)
    true("x-injected" not in answer.headers, "no header is injected")
    odd = box.sql("SELECT headers FROM requests r JOIN sources s ON s.id = r.source_id WHERE s.public_id = '%s'" % source["id"])
    true("\x00" not in odd[0][0] and "\x01" not in odd[0][0], "stored headers are clean")


def uri_that_no_server_would_pass(box):
    for uri in ("", "no-slash", "/api/events\x00", "//", "/" + "a" * 60000, "http://host/healthz", "/%zz%00", "*"):
        answer = fcgi.ask(box.path("run", "web.sock"), "GET", uri, headers={"Authorization": "Bearer " + box.token})
        true(answer.status is not None and 200 <= answer.status < 500, "%r: %s" % (uri[:30], answer.status))
    same(fcgi.ask(box.path("run", "web.sock"), "GET", "/healthz").status, 200)


def strange_methods(box):
    source = box.integration("prometheus")
    for method in ("BREW", "post", "", "P" * 5000, "GET\r\n"):
        answer = fcgi.ask(box.path("run", "ingest.sock"), method, "/api/integrations/prometheus/" + source["id"])
        true(answer.status in (400, 405, 501), "%r: %s" % (method[:10], answer.status))
