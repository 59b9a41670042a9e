"""collector.py - an OpenTelemetry collector on loopback, as strict as the definition of OTLP is: what is not of its form is a complaint.

    with Collector() as collector:
        collector.handler.status = 503      # behaves as handler.py says
        collector.spans()                   # what was taken, in order, attributes as a dict in "with"
        collector.complaints                # has to stay empty

It reads what opentelemetry-proto defines (collector/trace/v1, trace/v1, common/v1) in its JSON form: members in lowerCamelCase and no others, ids as
lower-case hex, 64-bit numbers as strings of digits, enums as numbers.
"""
import json
import re
import threading

from handler import Handler

HEX = {"traceId": 32, "spanId": 16, "parentSpanId": 16}
KINDS = {1, 2, 3, 4, 5}
SPAN = {"traceId", "spanId", "parentSpanId", "flags", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes", "status",
        "traceState", "events", "links", "droppedAttributesCount", "droppedEventsCount", "droppedLinksCount"}
VALUES = {"stringValue": lambda v: isinstance(v, str), "intValue": lambda v: isinstance(v, str) and re.fullmatch(r"-?[0-9]{1,19}", v),
          "boolValue": lambda v: isinstance(v, bool), "doubleValue": lambda v: isinstance(v, float)}


class Complaint(Exception):
    pass


def must(condition, *what):
    if not condition:
        raise Complaint(" ".join(repr(w) if not isinstance(w, str) else w for w in what))


def members(thing, known, needed=()):
    must(isinstance(thing, dict), "no object:", thing)
    must(set(thing) <= set(known), "unknown members:", sorted(set(thing) - set(known)))
    must(set(needed) <= set(thing), "missing members:", sorted(set(needed) - set(thing)))


def once(pairs):
    must(len({name for name, _ in pairs}) == len(pairs), "a member twice:", [name for name, _ in pairs])
    return dict(pairs)


def attributes(listed):
    found = {}
    must(isinstance(listed, list), "attributes are no list")
    for one in listed:
        members(one, {"key", "value"}, {"key", "value"})
        must(isinstance(one["key"], str) and one["key"] and one["key"] not in found, "key:", one)
        must(isinstance(one["value"], dict) and len(one["value"]) == 1, "value:", one)
        (kind, value), = one["value"].items()
        must(kind in VALUES and VALUES[kind](value), "value:", one)
        found[one["key"]] = int(value) if kind == "intValue" else value
    return found


def nanoseconds(text):
    must(isinstance(text, str) and re.fullmatch(r"[1-9][0-9]{18}", text), "time:", text)
    return int(text)


def span_of(s, resource):
    members(s, SPAN, {"traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano"})
    for name, n in HEX.items():
        if name in s:
            must(isinstance(s[name], str) and re.fullmatch("[0-9a-f]{%d}" % n, s[name]) and s[name].strip("0"), name, s[name])
    must(isinstance(s["name"], str) and s["name"], "name:", s)
    must(type(s["kind"]) is int and s["kind"] in KINDS, "kind:", s["kind"])
    must(type(s.get("flags", 0)) is int and 0 <= s.get("flags", 0) < 1 << 10, "flags:", s.get("flags"))
    must(nanoseconds(s["startTimeUnixNano"]) <= nanoseconds(s["endTimeUnixNano"]), "it ends before it begins:", s)
    if "status" in s:
        members(s["status"], {"code", "message"})
        must(type(s["status"].get("code", 0)) is int and s["status"].get("code", 0) in (0, 1, 2), "status:", s["status"])
    return {**s, "with": attributes(s.get("attributes", [])), "resource": resource}


def spans_of(body):
    seen = []
    members(body, {"resourceSpans"}, {"resourceSpans"})
    for r in body["resourceSpans"]:
        members(r, {"resource", "scopeSpans", "schemaUrl"}, {"resource", "scopeSpans"})
        members(r["resource"], {"attributes", "droppedAttributesCount"})
        resource = attributes(r["resource"].get("attributes", []))
        must(resource.get("service.name"), "no service.name")
        for scope in r["scopeSpans"]:
            members(scope, {"scope", "spans", "schemaUrl"}, {"spans"})
            members(scope.get("scope", {}), {"name", "version", "attributes", "droppedAttributesCount"})
            must(scope["spans"], "no spans")
            seen += [span_of(s, resource) for s in scope["spans"]]
    return seen


class Collector:
    def __init__(self):
        self.handler = Handler()
        self.url = "http://127.0.0.1:%d" % self.handler.port
        self.complaints, self.taken, self.ids = [], [], set()
        self.forget()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.handler.__exit__()

    def forget(self):
        """What came, and how it was told to behave."""
        self.handler.released = threading.Event()
        self.handler.status, self.handler.does = 200, self.take
        self.handler.body, self.handler.headers = b'{"partialSuccess":{}}', {"Content-Type": "application/json"}
        self.handler.got.clear()
        self.taken.clear()
        self.complaints.clear()

    def take(self, request):
        if self.handler.status // 100 == 2:
            try:
                self.read(request.given)
            except (Complaint, ValueError) as e:
                self.complaints.append(str(e))
        self.handler.answer(request)

    def read(self, got):
        must(got.path == "/v1/traces", "path:", got.path)
        must(got.headers.get("content-type") == "application/json", "content type:", got.headers.get("content-type"))
        spans = spans_of(json.loads(got.body, object_pairs_hook=once))
        for s in spans:
            must((s["traceId"], s["spanId"]) not in self.ids, "a span twice:", s)
            self.ids.add((s["traceId"], s["spanId"]))
        self.taken += spans

    def spans(self, trace=None):
        return [s for s in list(self.taken) if trace in (None, s["traceId"])]
