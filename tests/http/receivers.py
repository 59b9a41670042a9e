"""receivers.py - who is told of things, played by small servers on loopback that are as strict as the real ones: Slack's incoming webhooks,
PagerDuty's Events API v2, Twilio's messages, ntfy, a custom topic of Azure Event Grid, a sink of CloudEvents, a program that takes Standard Webhooks,
and a mail server with STARTTLS, TLS from the start and AUTH.

They check what their documents ask for, with code of their own, and remember what they took. What is wrong is refused as the real ones
refuse it, and noted in `complaints`."""
import base64
import collections
import email
import email.policy
import hashlib
import hmac
import json
import re
import secrets
import socket
import ssl
import threading
import time
import urllib.parse

from handler import Handler

Taken = collections.namedtuple("Taken", "body headers at")


class Receiver(Handler):
    """Takes what `check` has nothing to say against. `does` and `status` of a Handler still do what they do there."""

    def __init__(self):
        super().__init__()
        self.taken, self.complaints, self.strict = [], [], True

    def answer(self, request):
        got = request.given
        wrong = self.check(got) if self.strict and self.status == 204 else None
        if wrong:
            self.complaints.append(wrong)
            self.say(request, *wrong)
        elif self.strict and self.status == 204:
            self.taken.append(Taken(self.read(got), got.headers, got.at))
            self.say(request, *self.success)
        else:
            super().answer(request)

    def read(self, got):
        """What was taken."""
        return json.loads(got.body)

    def say(self, request, status, body, kind="text/plain"):
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body.encode())

    def at(self, path):
        return "http://127.0.0.1:%d%s" % (self.port, path)

    def telling(self, word):
        """What was taken and holds the word."""
        return [t for t in list(self.taken) if word in json.dumps(t.body)]


# ---- Slack: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, and the reference of blocks ----

class Slack(Receiver):
    path, success = "/services/T0000AAAA/B0000BBBB/" + "x" * 24, (200, "ok")

    def __init__(self):
        super().__init__()
        self.url = self.at(self.path)

    def check(self, got):
        if got.path != self.path:
            return 404, "no_service"
        if not got.headers.get("content-type", "").startswith("application/json"):
            return 400, "invalid_payload"
        try:
            body = json.loads(got.body)
        except ValueError:
            return 400, "invalid_payload"
        if not isinstance(body.get("text"), str) or not body["text"]:
            return 400, "no_text"
        attachments = body.get("attachments", [])
        if len(attachments) > 100:
            return 400, "too_many_attachments"
        blocks = body.get("blocks", []) + [b for a in attachments for b in a.get("blocks", [])]
        wrong = [w for b in blocks for w in self.block(b)]
        if len(blocks) > 50 or wrong or not self.escaped(body["text"]):
            return 400, "invalid_blocks" if blocks else "invalid_payload"
        return None

    @staticmethod
    def escaped(text):
        """'&' begins one of three entities; '<' a link."""
        return not re.search(r"&(?!amp;|lt;|gt;)", text) and not re.search(r"<(?![^<>|]+\|[^<>]+>)", text)

    def text(self, t, kinds, most):
        return (t.get("type") in kinds and isinstance(t.get("text"), str) and 1 <= len(t["text"]) <= most and set(t) <= {"type", "text", "emoji", "verbatim"}
                and (t["type"] == "plain_text" or self.escaped(t["text"])))

    def block(self, b):
        kind = b.get("type")
        if kind == "header":
            fine = set(b) <= {"type", "text", "block_id"} and self.text(b.get("text", {}), {"plain_text"}, 150)
        elif kind == "section":
            fields = b.get("fields", [])
            fine = ("text" in b or fields) and len(fields) <= 10 and all(self.text(f, {"mrkdwn", "plain_text"}, 2000) for f in fields) and (
                "text" not in b or self.text(b["text"], {"mrkdwn", "plain_text"}, 3000))
        elif kind == "context":
            fine = 1 <= len(b.get("elements", [])) <= 10 and all(self.text(e, {"mrkdwn", "plain_text"}, 3000) for e in b["elements"])
        else:
            fine = kind == "divider"
        return [] if fine else [b]


# ---- PagerDuty: developer.pagerduty.com/docs/send-alert-event ----

class PagerDuty(Receiver):
    success = 202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": "x"}), "application/json"
    members = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images"}
    key = "R0123456789ABCDEFGHIJKLMNOPQRSTU"

    def __init__(self):
        super().__init__()
        self.url = self.at("/v2/enqueue")

    @property
    def open(self):
        """Its alerts that were not resolved: payloads by dedup_key. Who acknowledges one keeps it open."""
        alerts = {}
        for taken in list(self.taken):
            if taken.body["event_action"] == "trigger":
                alerts[taken.body["dedup_key"]] = taken.body["payload"]
            elif taken.body["event_action"] == "resolve":
                alerts.pop(taken.body["dedup_key"], None)
        return alerts

    def refuse(self, *errors):
        return 400, json.dumps({"status": "invalid event", "message": "Event object is invalid", "errors": errors}), "application/json"

    def check(self, got):
        if got.path != "/v2/enqueue":
            return 404, ""
        if len(got.body) > 512 * 1024:
            return 413, ""
        try:
            body = json.loads(got.body)
        except ValueError:
            return self.refuse("JSON parse error")
        if set(body) - self.members:
            return self.refuse("unknown %s" % (set(body) - self.members))
        if body.get("routing_key") != self.key:
            return self.refuse("invalid routing key")
        if body.get("event_action") not in ("trigger", "acknowledge", "resolve"):
            return self.refuse("event_action")
        dedup = body.get("dedup_key")
        if not isinstance(dedup, str) or not 1 <= len(dedup) <= 255:
            return self.refuse("dedup_key")
        if body["event_action"] != "trigger":
            return None
        payload = body.get("payload", {})
        if not 1 <= len(payload.get("summary", "")) <= 1024 or not payload.get("source"):
            return self.refuse("'payload.summary' is missing or blank")
        if payload.get("severity") not in ("critical", "error", "warning", "info"):
            return self.refuse("'payload.severity' is invalid")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", payload.get("timestamp", "")):
            return self.refuse("'payload.timestamp'")
        return None


# ---- Twilio: twilio_api_v2010, POST /2010-04-01/Accounts/{AccountSid}/Messages.json ----

class Twilio(Receiver):
    account, token, service = "AC" + "0123456789abcdef" * 2, "a token of 32 characters, or so".replace(" ", "_"), "MG" + "0" * 32
    success = 201, json.dumps({"sid": "SM" + "1" * 32, "status": "queued", "error_code": None, "num_segments": "1", "price": None}), "application/json"

    def __init__(self):
        super().__init__()
        self.url, self.opted_out, self.busy = self.at(""), set(), False

    @staticmethod
    def read(got):
        return dict(urllib.parse.parse_qsl(got.body.decode(), strict_parsing=True))

    @staticmethod
    def error(status, code, message):
        more = "https://www.twilio.com/docs/errors/%d" % code
        return status, json.dumps({"code": code, "message": message, "more_info": more, "status": status}), "application/json"

    def check(self, got):
        basic = "Basic " + base64.b64encode(("%s:%s" % (self.account, self.token)).encode()).decode()
        if got.headers.get("authorization") != basic:
            return self.error(401, 20003, "Authenticate")
        if got.path != "/2010-04-01/Accounts/%s/Messages.json" % self.account:
            return self.error(404, 20404, "The requested resource %s was not found" % got.path)
        if self.busy:
            return self.error(429, 20429, "Too Many Requests")
        if got.headers.get("content-type") != "application/x-www-form-urlencoded":
            return self.error(400, 21604, "A 'To' phone number is required.")
        form = self.read(got)
        if not re.fullmatch(r"\+[1-9]\d{6,14}", form.get("To", "")):
            return self.error(400, 21211, "Invalid 'To' Phone Number: " + form.get("To", ""))
        if form["To"] in self.opted_out:
            return self.error(400, 21610, "Attempt to send to unsubscribed recipient")
        if ("From" in form) == ("MessagingServiceSid" in form):
            return self.error(400, 21603, "A 'From' phone number is required.")
        if form.get("MessagingServiceSid", self.service) != self.service:
            return self.error(400, 21705, "The Messaging Service Sid is invalid.")
        if not form.get("Body"):
            return self.error(400, 21602, "Message body is required.")
        if len(form["Body"]) > 1600 or "\n" in form["Body"]:
            return self.error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        return None


# ---- ntfy: docs.ntfy.sh/publish, "Publish as JSON" ----

class Ntfy(Receiver):
    members = {"topic", "message", "title", "tags", "priority", "click", "actions", "attach", "filename", "markdown", "icon", "delay", "email", "call"}

    def __init__(self):
        super().__init__()
        self.url, self.token, self.success = self.at("/ops"), None, (200, json.dumps({"id": "x", "event": "message", "topic": "ops"}), "application/json")

    @staticmethod
    def error(status, code, message):
        return status, json.dumps({"code": code, "http": status, "error": message}), "application/json"

    def check(self, got):
        if self.token and got.headers.get("authorization") != "Bearer " + self.token:
            return self.error(401, 40101, "unauthorized")
        if got.path != "/":
            return self.error(404, 40401, "page not found")
        try:
            body = json.loads(got.body)
        except ValueError:
            return self.error(400, 40024, "invalid request: request body must be valid JSON")
        if set(body) - self.members or not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", body.get("topic", "")):
            return self.error(400, 40009, "invalid request: topic invalid")
        if body.get("priority", 3) not in (1, 2, 3, 4, 5):
            return self.error(400, 40007, "invalid request: priority invalid")
        if len(body.get("message", "").encode()) > 4096 or not all(isinstance(t, str) for t in body.get("tags", [])):
            return self.error(413, 41301, "payload too large")
        return None


# ---- a custom topic of Azure Event Grid: learn.microsoft.com/azure/event-grid/post-to-custom-topic ----

class EventGrid(Receiver):
    success = 200, ""

    def __init__(self, schema="eventgrid"):
        super().__init__()
        self.url, self.keys, self.schema = self.at("/api/events"), {"key/one+1==", "key/two+2=="}, schema

    @staticmethod
    def error(status, code, message):
        return status, json.dumps({"error": {"code": code, "message": message, "details": []}}), "application/json"

    def check(self, got):
        path, _, query = got.path.partition("?")
        if path != "/api/events" or "api-version=2018-01-01" not in query.split("&"):
            return self.error(404, "NotFound", "no such endpoint")
        if got.headers.get("aeg-sas-key") not in self.keys:
            return self.error(401, "Unauthorized", "The request authorization key is not authorized")
        if len(got.body) > 1 << 20:
            return self.error(413, "RequestEntityTooLarge", "The maximum size (1048576) has been exceeded.")
        body, kind = json.loads(got.body), got.headers.get("content-type")
        wrong = self.grid(body, kind) if self.schema == "eventgrid" else CloudSink.structured(body, kind)
        return self.error(400, "BadRequest", wrong) if wrong else None

    @staticmethod
    def grid(body, kind):
        if not isinstance(body, list) or not (kind or "").startswith("application/json"):
            return "the input is not a valid Event Grid array"
        for event in body:
            if set(event) - {"id", "eventType", "subject", "eventTime", "data", "dataVersion"} or not isinstance(event.get("data"), dict):
                return "members %s" % sorted(event)
            if not all(isinstance(event.get(m), str) and event[m] for m in ("id", "eventType", "subject", "dataVersion")):
                return "a member is missing"
            if not RFC3339.fullmatch(event.get("eventTime", "")):
                return "eventTime"
        return None


# ---- a sink of CloudEvents 1.0: specification and HTTP binding ----

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class CloudSink(Receiver):
    success = 202, ""

    def __init__(self):
        super().__init__()
        self.url, self.token = self.at("/sink"), None

    @staticmethod
    def read(got):
        """As if it were structured, whichever mode it came in."""
        body = json.loads(got.body)
        if "ce-id" not in got.headers:
            return body
        return {**{h[3:]: urllib.parse.unquote(v) for h, v in got.headers.items() if h.startswith("ce-")}, "data": body}

    @staticmethod
    def attributes(x):
        if x.get("specversion") != "1.0" or not all(isinstance(x.get(m), str) and x[m] for m in ("id", "source", "type")):
            return "required attributes"
        if not RFC3339.fullmatch(x.get("time", "")) or x.get("subject") == "":
            return "time or subject"
        return None

    @classmethod
    def structured(cls, body, kind):
        if (kind or "").replace(" ", "") != "application/cloudevents+json;charset=utf-8":
            return "content type %s" % kind
        return cls.attributes(body) or (None if isinstance(body.get("data"), dict) and all(re.fullmatch("[a-z0-9]+", m) for m in body) else "shape")

    def check(self, got):
        kind = got.headers.get("content-type", "")
        if self.token and got.headers.get("authorization") != "Bearer " + self.token:
            return 401, "who?"
        if kind.startswith("application/cloudevents"):
            wrong = self.structured(json.loads(got.body), kind)
        else:
            encoded = all(re.fullmatch(r"([!#$&-~]|%[0-9A-F]{2})*", v) for h, v in got.headers.items() if h.startswith("ce-"))
            wrong = self.attributes(self.read(got)) if encoded and kind == "application/json" else "headers"
        return (400, wrong) if wrong else None


# ---- a program that takes Standard Webhooks (specification 1.0), and our plain signature beside it ----

class Hook(Receiver):
    path, success, members = "/hooks/grapnel", (204, ""), {"type", "timestamp", "data"}

    def __init__(self):
        super().__init__()
        self.url, self.secret, self.ids = self.at(self.path), "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(), set()

    def check(self, got):
        h, raw = got.headers, base64.b64decode(self.secret.removeprefix("whsec_"))
        message, at = h.get("webhook-id", ""), h.get("webhook-timestamp", "")
        if got.path != self.path or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", message) or not at.isdigit() or abs(int(at) - time.time()) > 300:
            return 400, "id or timestamp"
        mac = hmac.new(raw, ("%s.%s." % (message, at)).encode() + got.body, hashlib.sha256).digest()
        given = [s.split(",", 1) for s in h.get("webhook-signature", "").split(" ")]
        if not any(v == "v1" and hmac.compare_digest(base64.b64decode(s), mac) for v, s in given):
            return 401, "signature"
        plain = "sha256=" + hmac.new(self.secret.encode(), got.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(h.get("x-webhook-signature", ""), plain):
            return 401, "X-Webhook-Signature"
        body = json.loads(got.body)
        if set(body) != self.members or h.get("x-webhook-event") != body["type"] or not h["user-agent"].startswith("Grapnel/"):
            return 400, "shape"
        self.ids.add(message)
        return None


class EndpointHook(Hook):
    """The same, of a user's own endpoint."""
    members = {"event", "type", "timestamp", "sequence", "data"}


# ---- a mail server: RFC 5321, 3207 (STARTTLS), 4954 (AUTH), 1870 (SIZE) ----

Mail = collections.namedtuple("Mail", "sender to message raw tls user at")


class MailServer:
    """`tls`: "start" begins with TLS, "starttls" demands it before mail, None has none. `users` {name: password}: mail needs AUTH.
    `unknown`: mailboxes that it has not. `busy`: a reply to MAIL instead of 250. `gate`: an event
    that it waits for before that reply; `inside`: those that came to it."""

    def __init__(self, authority, tls=None, users=None, certificate="mail"):
        self.tls, self.users, self.unknown, self.busy, self.mails, self.complaints = tls, users or {}, set(), None, [], []
        self.gate, self.inside = None, []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if tls:
            self.context.load_cert_chain(authority.path(certificate + ".pem"), authority.path(certificate + ".key"))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.quietly, args=(peer,), daemon=True).start()

    def quietly(self, peer):
        try:
            with peer:
                peer.settimeout(20)
                if self.tls == "start":
                    with self.context.wrap_socket(peer, server_side=True) as secure:
                        self.Session(self, secure, True).run()
                else:
                    self.Session(self, peer, False).run()
        except (OSError, ssl.SSLError):
            pass

    class Session:
        def __init__(self, server, peer, secure):
            self.server, self.peer, self.secure, self.buffer = server, peer, secure, b""
            self.user = self.sender = self.greeted = None
            self.to = []

        def say(self, *lines):
            code = lines[0][:3]
            text = "".join("%s%s%s\r\n" % (code, "-" if i + 1 < len(lines) else " ", l[4:] if i == 0 else l) for i, l in enumerate(lines))
            self.peer.sendall(text.encode())

        def line(self):
            while b"\n" not in self.buffer:
                more = self.peer.recv(65536)
                if not more:
                    raise OSError("closed")
                self.buffer += more
            line, self.buffer = self.buffer.split(b"\n", 1)
            if not line.endswith(b"\r"):
                self.server.complaints.append("a line without CR: %.80r" % line)
            return line.rstrip(b"\r").decode("utf-8", "replace")

        def run(self):
            self.say("220 mail.test ESMTP")
            while True:
                line = self.line()
                verb, _, rest = line.partition(" ")
                if verb.upper() == "QUIT":
                    self.say("221 bye")
                    return
                handler = getattr(self, "on_" + verb.lower(), None)
                if handler:
                    handler(rest)
                else:
                    self.say("502 unknown")

        def on_ehlo(self, name):
            if not name.strip():
                self.say("501 who?")
                return
            self.greeted = name
            offers = ["250 mail.test", "SIZE 10485760", "8BITMIME"]
            if self.server.tls == "starttls" and not self.secure:
                offers.append("STARTTLS")
            if self.server.users and (self.secure or not self.server.tls):
                offers.append("AUTH PLAIN LOGIN")
            self.say(*offers)

        def on_starttls(self, _):
            if self.server.tls != "starttls" or self.secure:
                self.say("502 not here")
                return
            self.say("220 go on")
            if self.buffer:
                self.server.complaints.append("it spoke before TLS")
            self.peer = self.server.context.wrap_socket(self.peer, server_side=True)
            self.secure, self.buffer, self.greeted = True, b"", None

        def on_auth(self, rest):
            kind, _, first = rest.partition(" ")
            if not self.secure:
                self.server.complaints.append("a password without TLS")
            if kind.upper() == "PLAIN":
                if not first:
                    self.say("334 ")
                    first = self.line()
                _, user, password = base64.b64decode(first).decode().split("\0")
            elif kind.upper() == "LOGIN":
                self.say("334 VXNlcm5hbWU6")
                user = base64.b64decode(self.line()).decode()
                self.say("334 UGFzc3dvcmQ6")
                password = base64.b64decode(self.line()).decode()
            else:
                self.say("504 unknown mechanism")
                return
            if self.server.users.get(user) == password:
                self.user = user
                self.say("235 2.7.0 welcome")
            else:
                self.say("535 5.7.8 Authentication credentials invalid")

        def on_noop(self, _):
            self.say("250 2.0.0 ok")

        def on_mail(self, rest):
            gate = self.server.gate
            if gate:
                self.server.inside.append(rest)
                gate.wait(60)
            if not self.greeted:
                self.say("503 EHLO first")
            elif self.server.tls and not self.secure:
                self.say("530 5.7.0 Must issue a STARTTLS command first")
            elif self.server.users and not self.user:
                self.say("530 5.7.0 Authentication required")
            elif self.server.busy:
                self.say(self.server.busy)
            elif not re.match(r"FROM:<[^<>\s]+@[^<>\s]+>", rest, re.I):
                self.say("501 syntax")
            else:
                self.sender, self.to = re.match(r"FROM:<([^>]*)>", rest, re.I).group(1), []
                self.say("250 2.1.0 ok")

        def on_rcpt(self, rest):
            to = re.match(r"TO:<([^<>\s]+@[^<>\s]+)>", rest, re.I)
            if not to or not self.sender:
                self.say("501 syntax")
            elif to.group(1) in self.server.unknown:
                self.say("550 5.1.1 <%s>: no such user here" % to.group(1))
            else:
                self.to.append(to.group(1))
                self.say("250 2.1.5 ok")

        def on_data(self, _):
            if not self.to:
                self.say("554 5.5.1 no valid recipients")
                return
            self.say("354 go on")
            lines = []
            while True:
                line = self.line()
                if line == ".":
                    break
                if len(line.encode()) > 998:
                    self.server.complaints.append("a line of %d bytes" % len(line))
                lines.append(line[1:] if line.startswith("..") else line)
            raw = "\r\n".join(lines) + "\r\n"
            message = email.message_from_string(raw, policy=email.policy.strict)
            self.server.complaints += ["no header " + h for h in ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Auto-Submitted")
                                       if h not in message]
            self.server.mails.append(Mail(self.sender, self.to, message, raw, self.secure, self.user, time.time()))
            self.sender = None
            self.say("250 2.0.0 queued")
