"""Tracing: spans of a webhook reach the collector, whose parents are right; handlers and channels get our span; nobody waits for the collector."""
import os
import secrets
import signal
import time

from collector import Collector
from handler import Handler
from harness import Failed, alert, alerts, same, true, wait_until

WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew
SERVER, INTERNAL, CLIENT = 2, 1, 3


COLLECTORS = {}             # of each instance, from its first scenario here on; the last one switches it off


class _Tracing:
    """The instance's collector, well again, and the instance with these settings."""
    USUAL = {"tracing.sample_ratio": "1", "tracing.headers": "", "tracing.service_name": "grapnel", "outbound.allow": "127.0.0.0/8",
             "outbound.timeout_ms": "5000"}

    def __init__(self, box, **more):
        self.collector = COLLECTORS.setdefault(box.port, Collector())
        wanted = {"tracing.endpoint": self.collector.url, **self.USUAL, **more}
        changed = {name: value for name, value in wanted.items() if (box.setting(*name.split(".")) or "") != value}
        if changed:
            box.up(*[word for name, value in changed.items() for word in ("--set", "%s=%s" % (name, value))])

    def __enter__(self):
        self.collector.forget()
        return self.collector

    def __exit__(self, kind, *_):
        if not kind:
            same(self.collector.complaints, [], "what the collector complains of")


def _trace(flags="01"):
    trace, parent = secrets.token_hex(16), secrets.token_hex(8)
    return trace, parent, "00-%s-%s-%s" % (trace, parent, flags)


def _send(box, source, traceparent=None, **members):
    headers = {"traceparent": traceparent} if traceparent else {}
    return box.send(source, {"type": "order.paid", "id": os.urandom(6).hex(), **members}, headers)


def _own(collector, trace):
    """Spans of the trace without messages of the incident, which goes to whatever channels other scenarios have left."""
    return [s for s in collector.spans(trace) if "grapnel.message.id" not in s["with"]]


def _spans(collector, trace, *names):
    """Those of the trace, by name, once all that are named are there."""
    def there():
        found = {s["name"]: s for s in _own(collector, trace)}
        return found if set(names) <= set(found) else None
    try:
        return wait_until(there, 30, "spans")
    except Failed:
        raise Failed("spans %s instead of %s; complaints %s" % ([s["name"] for s in collector.spans(trace)], names, collector.complaints)) from None


def webhook_with_a_trace_is_told_whole(box):
    with _Tracing(box) as collector, Handler() as handler:
        source = box.integration("prometheus", actions=["incident", "forward"], handlerUrl=handler.url)
        trace, parent, traceparent = _trace()
        event = box.send(source, alerts(alert()), {"traceparent": traceparent}).expect(201)["result"]["event"]["id"]
        spans = _spans(collector, trace, "receive", "prove", "store", "act", "send")
        same(sorted(s["name"] for s in _own(collector, trace)), ["act", "prove", "receive", "send", "store"])
        receive, send = spans["receive"], spans["send"]
        same((receive["parentSpanId"], receive["kind"], receive["flags"]), (parent, SERVER, 0x301), "receive")
        for name, above, kind in (("prove", "receive", INTERNAL), ("store", "receive", INTERNAL), ("act", "store", INTERNAL),
                                  ("send", "receive", CLIENT)):
            same((spans[name]["parentSpanId"], spans[name]["kind"], spans[name]["flags"]), (spans[above]["spanId"], kind, 0x101), name)
            true(spans[name]["startTimeUnixNano"] >= receive["startTimeUnixNano"], name + " begins after its receipt")
        true(abs(int(receive["startTimeUnixNano"]) / 1e9 - time.time()) < 30, "the time of receipt")
        request = box.get("/api/events/" + event)["request"]
        common = {"grapnel.source": source["id"], "grapnel.provider": "prometheus", "grapnel.request.id": request["id"]}
        same(receive["with"], {"http.request.method": "POST", "url.path": "/api/integrations/prometheus/" + source["id"],
                               "http.response.status_code": 201, "grapnel.events": 1, **common})
        same(spans["store"]["with"], {"grapnel.batch.requests": 1, "grapnel.events": 1, **common})
        same(send["with"], {"http.request.method": "POST", "server.address": "127.0.0.1", "server.port": handler.port,
                            "http.response.status_code": 204, "grapnel.event.id": event, "grapnel.attempt": 1, **common})
        same(handler.got[0].headers["traceparent"], "00-%s-%s-01" % (trace, send["spanId"]), "what the handler got")
        same(request["traceparent"], traceparent, "what is kept")
        same((receive["resource"]["service.name"], receive["resource"]["telemetry.sdk.language"]), ("grapnel", "c"))


def webhook_without_a_trace_begins_one(box):
    with _Tracing(box, **{"tracing.service_name": "hooks of Zoë"}) as collector:
        source = box.integration("webhook")
        for bad in (None, "00-%s-%s-01" % ("0" * 32, "b7ad6b7169203331"), "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
            event = _send(box, source, bad).expect(201)["result"]["event"]["id"]
            kept = box.get("/api/events/" + event)["request"]["traceparent"].split("-")
            spans = _spans(collector, kept[1], "receive", "store")
            true("parentSpanId" not in spans["receive"], "it has no parent: %r" % spans["receive"])
            same(spans["receive"]["spanId"], kept[2], "the trace begins with our span")
            same(spans["receive"]["resource"]["service.name"], "hooks of Zoë")


def who_does_not_want_to_be_traced_is_not(box):
    with _Tracing(box, **{"tracing.sample_ratio": "0"}) as collector, Handler() as handler:
        source = box.integration("webhook", actions=["forward"], handlerUrl=handler.url)
        trace, parent, traceparent = _trace("00")
        _send(box, source, traceparent).expect(201)
        _send(box, source).expect(201)
        wait_until(lambda: len(handler.got) == 2, 30, "both are forwarded")
        sent = {g.headers["traceparent"][:35]: g.headers["traceparent"] for g in handler.got}
        same(sent.pop("00-" + trace), traceparent, "it goes on as it came")
        same([text[-3:-1] for text in sent.values()], ["-0"], "a trace of ours that is not recorded: %r" % sent)
        true(not int(list(sent.values())[0][-2:], 16) & 1, "not sampled")
        traced, _, traceparent = _trace()
        _send(box, source, traceparent).expect(201)
        _spans(collector, traced, "receive", "send")
        seen = {s["traceId"] for s in collector.spans()}
        true(traced in seen and not seen & {trace, list(sent.values())[0][3:35]}, "traces: %s" % seen)


def refused_requests_are_told_without_their_secrets(box):
    with _Tracing(box, **{"tracing.headers": "api-key=s3cret,x-tenant=a%20b"}) as collector:
        source = box.integration("webhook")
        trace, _, traceparent = _trace()
        reply = box.send(source, {"id": "1"}, {"traceparent": traceparent, "Authorization": "Bearer wrong-key-of-somebody"},
                         "/api/integrations/webhook/%s?token=wrong-key-of-somebody" % source["id"], source=box.fresh_address())
        reply.expect(401)
        spans = _spans(collector, trace, "receive", "prove")
        same(sorted(s["name"] for s in collector.spans(trace)), ["prove", "receive"])
        same(spans["prove"]["status"]["code"], 2)
        true(spans["prove"]["with"]["error.type"] and "status" not in spans["receive"], "4xx is no error of the server: %r" % spans["receive"])
        oncall = box.integration("splunk-oncall")
        trace, _, traceparent = _trace()
        box.request("POST", "/integrations/generic/20131114/alert/%s/team" % oncall["key"], b'{"message_type":"CRITICAL","entity_id":"x"}',
                    {"Content-Type": "application/json", "traceparent": traceparent})
        spans = _spans(collector, trace, "receive")
        same(spans["receive"]["with"]["url.path"], "/integrations/generic/20131114/alert/***/team")
        sent = b"".join(g.body for g in collector.handler.got)
        for secret in (source["key"], oncall["key"], "wrong-key"):
            true(secret.encode() not in sent, "a secret in a span")
        got = collector.handler.got[-1].headers
        same((got.get("api-key"), got.get("x-tenant")), ("s3cret", "a b"), "headers of the configuration")
        true(b"s3cret" not in box.logs(), "no header in the log")


def failed_sends_are_told_each(box):
    with _Tracing(box) as collector, Handler() as handler:
        handler.status = 503
        source = box.integration("webhook", actions=["forward"], handlerUrl=handler.url, retryPolicy={"maxRetries": 2, "backoffSeconds": 1})
        trace, _, traceparent = _trace()
        event = _send(box, source, traceparent).expect(201)["result"]["event"]["id"]

        def twice():
            box.sql("UPDATE forwards SET next_at = 1 WHERE event_id = %s AND owner = 0" % event)
            return len([s for s in collector.spans(trace) if s["name"] == "send"]) >= 2
        wait_until(twice, 30, "two sends")
        sends = sorted((s for s in collector.spans(trace) if s["name"] == "send"), key=lambda s: s["startTimeUnixNano"])[:2]
        same([s["with"]["grapnel.attempt"] for s in sends], [1, 2])
        same([s["with"].get("http.request.resend_count") for s in sends], [None, 1])
        same([(s["status"]["code"], s["with"]["error.type"], s["with"]["http.response.status_code"]) for s in sends], [(2, "503", 503)] * 2)
        same([g.headers["traceparent"].split("-")[2] for g in handler.got[:2]], [s["spanId"] for s in sends])


def sender_that_waits_is_told_to_the_end(box):
    with _Tracing(box) as collector, Handler() as handler:
        source = box.integration("webhook", actions=["forward"], handlerUrl=handler.url, forwardMode="inline", retryPolicy={"maxRetries": 1})
        for status, answered in ((204, 201), (503, 500)):
            handler.status = status
            trace, parent, traceparent = _trace()
            _send(box, source, traceparent).expect(answered)
            spans = _spans(collector, trace, "receive", "store", "send")
            receive, send = spans["receive"], spans["send"]
            same((receive["parentSpanId"], send["parentSpanId"]), (parent, receive["spanId"]))
            same((receive["with"]["http.response.status_code"], receive.get("status", {}).get("code", 0)), (answered, 2 if answered == 500 else 0))
            true(int(receive["endTimeUnixNano"]) >= int(send["endTimeUnixNano"]), "it ends after the handler's answer")


def spooled_webhook_stays_one_trace(box):
    with _Tracing(box) as collector:
        source = box.integration("webhook")
        trace, parent, traceparent = _trace()
        time.sleep(3)       # a worker looks for new sources once a second
        box.stop_part("db")
        try:
            _send(box, source, traceparent).expect(202)
        finally:
            box.up()
        spans = _spans(collector, trace, "receive", "prove", "spool", "store", "act")
        same(sorted(s["name"] for s in _own(collector, trace)), ["act", "prove", "receive", "spool", "store"])
        receive = spans["receive"]
        same((receive["parentSpanId"], receive["with"]["http.response.status_code"]), (parent, 202))
        same({spans[n]["parentSpanId"] for n in ("prove", "spool", "store")}, {receive["spanId"]})
        true(spans["store"]["startTimeUnixNano"] > receive["endTimeUnixNano"], "it is stored later")


def channel_messages_go_on_in_the_trace(box):
    with _Tracing(box) as collector, Handler() as handler, Handler() as hook:
        handler.status = 500
        number = _channel(box, hook.url)
        source = box.integration("webhook", actions=["forward"], handlerUrl=handler.url, retryPolicy={"maxRetries": 0})
        trace, _, traceparent = _trace()
        _send(box, source, traceparent).expect(201)
        message = wait_until(lambda: [g for g in hook.got if trace in g.headers.get("traceparent", "")], 30, "the alert about a dead event")[0]

        def both():
            found = [s for s in collector.spans(trace) if s["name"] == "send"]
            first = [s for s in found if "grapnel.message.id" not in s["with"]]
            second = [s for s in found if message.headers["traceparent"] == "00-%s-%s-01" % (trace, s["spanId"])]
            return (first[0], second[0]) if first and second else None
        first, second = wait_until(both, 30, "the send that failed, and that of the message")
        same(second["parentSpanId"], first["spanId"], "the send that failed caused the message")
        true("grapnel.message.id" in second["with"] and "url.path" not in second["with"], "of the message: %r" % second["with"])
        box.sql("DELETE FROM channels WHERE id = %d; DELETE FROM monitor_alerts" % number)


def _channel(box, url):
    """A signed webhook, without a secret, that is told of all monitor alerts."""
    box.sql("INSERT INTO channels (tenant_id, public_id, kind, name, events, settings, created_at, updated_at) VALUES"
            " (1, 'ch_%s', 'webhook', 'told', 1, '{\"url\":\"%s\"}', 1, 1)" % (secrets.token_hex(10), url))
    return box.number("SELECT MAX(id) FROM channels")


def collector_that_fails_costs_nobody_else(box):
    with _Tracing(box) as collector:
        source = box.integration("webhook")
        before = box.metrics()["grapnel_spans_dropped_total"]
        dropped = lambda: box.metrics()["grapnel_spans_dropped_total"] - before
        for status, how in ((500, None), (429, None), (200, "hang"), (200, "slam")):
            collector.handler.status = status
            collector.handler.does = getattr(collector.handler, how) if how else collector.take
            seen = len(collector.handler.got)
            began = time.monotonic()
            for _ in range(20):
                _send(box, source, _trace()[2]).expect(201)
            true(time.monotonic() - began < 10, "senders do not wait")
            wait_until(lambda: len(collector.handler.got) > seen, 45, "it was asked")
            if status == 500:
                wait_until(lambda: dropped() >= 80, 45, "what was answered 500 is not tried again")
        collector.handler.release()
        collector.handler.status, collector.handler.does = 200, collector.take
        trace, _, traceparent = _trace()
        _send(box, source, traceparent).expect(201)
        wait_until(lambda: collector.spans(trace), 60, "it goes on")
        true(b"spans are not taken by the collector" in box.logs() and b"the collector takes spans again" in box.logs(), "the log says so")


def busy_collector_gets_them_later(box):
    with _Tracing(box) as collector:
        collector.handler.status = 503
        collector.handler.headers = {"Retry-After": "2"}
        source = box.integration("webhook")
        trace, _, traceparent = _trace()
        _send(box, source, traceparent).expect(201)
        wait_until(lambda: collector.handler.got, 30, "it was asked")
        first = collector.handler.got[0]
        collector.handler.status, collector.handler.headers = 200, {"Content-Type": "application/json"}
        wait_until(lambda: collector.spans(trace), 30, "it was asked again")
        true(collector.handler.got[1].at - first.at >= 1.9, "not before it asked for")
        same(collector.handler.got[1].body, first.body)


def rejected_spans_are_counted(box):
    with _Tracing(box) as collector:
        collector.handler.body = b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'
        before = box.metrics()
        trace, _, traceparent = _trace()
        _send(box, box.integration("webhook"), traceparent).expect(201)
        _spans(collector, trace, "receive", "prove", "store", "act")
        wait_until(lambda: box.metrics()["grapnel_spans_rejected_total"] - before["grapnel_spans_rejected_total"] >= 2, 30, "two of each post are rejected")
        after = box.metrics()
        true(after["grapnel_spans_total"] - before["grapnel_spans_total"] >= 4, "spans were made")
        same(after["grapnel_spans_dropped_total"], before["grapnel_spans_dropped_total"])
        true(after["grapnel_spans_sent_total"] - before["grapnel_spans_sent_total"] >= 2, "the others are sent")
        true(b"too old" in box.logs(), "why is in the log")


def killed_dispatcher_and_worker_do_not_stop_it(box):
    with _Tracing(box) as collector:
        source = box.integration("webhook")
        for pid in box.worker_pids():
            os.kill(pid, signal.SIGKILL)
        trace, _, traceparent = _trace()
        wait_until(lambda: _send(box, source, traceparent).status == 201, 30, "a worker is back")
        _spans(collector, trace, "receive", "store")


def cron_tells_of_what_it_sends(box):
    import subprocess
    with _Tracing(box) as collector, Handler() as handler:
        handler.status = 500
        source = box.integration("webhook", actions=["forward"], handlerUrl=handler.url, retryPolicy={"maxRetries": 5, "backoffSeconds": 3600})
        trace, _, traceparent = _trace()
        event = _send(box, source, traceparent).expect(201)["result"]["event"]["id"]
        wait_until(lambda: box.number("SELECT status FROM events WHERE id = %s" % event) == 3, 30, "it failed")
        handler.status = 204

        def sent():
            box.sql("UPDATE forwards SET next_at = 1 WHERE event_id = %s AND owner = 0" % event)
            subprocess.run([box.env["GRAPNEL_PREFIX"] + "/bin/grapnel-cron", "-c", box.env["GRAPNEL_CONF"], "retries"], check=True,
                           capture_output=True)
            return box.number("SELECT status FROM events WHERE id = %s" % event) == 2
        wait_until(sent, 30, "it is sent")
        wait_until(lambda: len([s for s in collector.spans(trace) if s["name"] == "send"]) == 2, 30, "both sends")


def nothing_is_sent_or_made_when_it_is_off(box):
    collector = COLLECTORS.setdefault(box.port, Collector())
    with Handler() as handler:
        box.up("--set", "tracing.endpoint=", "--set", "outbound.allow=127.0.0.0/8", "--set", "tracing.headers=")
        made, asked = box.metrics()["grapnel_spans_total"], len(collector.handler.got)
        source = box.integration("webhook", actions=["forward"], handlerUrl=handler.url)
        trace, _, traceparent = _trace()
        event = _send(box, source, traceparent).expect(201)["result"]["event"]["id"]
        wait_until(lambda: handler.of(event), 30, "it is forwarded")
        same(handler.of(event)[0].headers["traceparent"], traceparent, "the trace goes on as it came")
        same((box.metrics()["grapnel_spans_total"], len(collector.handler.got)), (made, asked))
