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


def _clear_end(answer, what):
    """Nothing a web server sends: refused, or closed at once without an answer; never an error of ours."""
    true(answer.status is None or 400 <= answer.status < 500, "%s: %s" % (what, answer.status))


def lying_content_length(box):
    source = box.integration("prometheus")
    for length in ("1", "1000000", "0"):
        answer = _ask(box, source, alerts(alert()), CONTENT_LENGTH=length)
        same((answer.status, answer.json()["error"]), (400, "invalid_payload"), "Content-Length " + length)
    for length in ("-1", "x", "99999999999999999999", "1e3"):
        _clear_end(_ask(box, source, alerts(alert()), CONTENT_LENGTH=length), "Content-Length " + length)
    same(_ask(box, source, alerts(alert())).status, 201, "after it")


def bytes_in_headers_that_http_cannot_carry(box):
    source = box.integration("prometheus")
    answer = _ask(box, source, alerts(alert()), headers={"X-Request-Id": "a\r\nX-Injected: 1", "X-Odd": "a\x01\r\nb\xff"})
    same(answer.status, 201)
    true("x-injected" not in answer.headers, "no header is injected")
    stored = box.sql("SELECT HEX(headers) FROM requests r JOIN sources s ON s.id = r.source_id "
                     "WHERE s.public_id = '%s'" % source["id"])
    lines = bytes.fromhex(stored[0][0]).split(b"\n")
    true(all(byte >= 32 for line in lines for byte in line), "stored headers are clean: %r" % lines)
    true(not any(line.startswith(b"X-Injected") or line.startswith(b"b") for line in lines), "no line is made up: %r" % lines)
    _clear_end(_ask(box, source, alerts(alert()), headers={"X-Nul": "a\x00b"}), "NUL in a header")


def uri_that_no_server_would_pass(box):
    for uri in ("", "no-slash", "/api/events\x00", "//", "/" + "a" * 60000, "http://host/healthz", "/%zz%00", "*"):
        _clear_end(fcgi.ask(box.path("run", "web.sock"), "GET", uri, headers={"Authorization": "Bearer " + box.token}),
                   "URI %r" % uri[:30])
    same(fcgi.ask(box.path("run", "web.sock"), "GET", "/healthz").status, 200)


def what_the_web_server_refused_is_answered_with_its_status(box):
    for status, error in ((413, "body_too_large"), (400, "invalid_request"), (417, "invalid_request"),
                          (503, "unavailable")):
        answer = fcgi.ask(box.path("run", "web.sock"), "GET", "/healthz", REDIRECT_STATUS=str(status))
        same((answer.status, answer.json()["error"]), (status, error), "handed over with %d" % status)
    same(fcgi.ask(box.path("run", "ingest.sock"), "GET", "/api/integrations/prometheus/in_0", REDIRECT_STATUS="500").status, 503)
    for status in ("200", "", "x", "-411", "411000"):
        same(fcgi.ask(box.path("run", "web.sock"), "GET", "/healthz", REDIRECT_STATUS=status).status, 200, status)


def strange_methods(box):
    source = box.integration("prometheus")
    for method in ("BREW", "post", "", "P" * 5000, "GET\r\n"):
        _clear_end(fcgi.ask(box.path("run", "ingest.sock"), method, "/api/integrations/prometheus/" + source["id"]),
                   "method %r" % method[:10])


def peers_that_say_nothing_or_half_hold_up_nobody(box):
    source = box.integration("prometheus")
    whole = fcgi.request("POST", "/api/integrations/prometheus/" + source["id"], {"X-Api-Key": source["key"]}, b"{}" * 500)
    silent = [fcgi.connect(box.path("run", "ingest.sock")) for _ in range(64)]
    for i, peer in enumerate(silent):
        peer.sendall(whole[:i * 8])
    try:
        for _ in range(20):
            same(_ask(box, source, alerts(alert())).status, 201, "an answer beside 64 stalled peers")
    finally:
        for peer in silent:
            peer.close()
