"""Channels: people and programs are told of trouble when it begins and when it ends; who does not take it well harms nobody else,
and what was to be told outlives whoever tells it. The receivers are those of receivers.py, on loopback."""
import base64
import contextlib
import email
import json
import os
import signal
import subprocess
import time

from handler import Handler
from harness import alert, alerts, same, stripe_event, true, wait_until
from look_alike import Authority
from receivers import CloudSink, EventGrid, Hook, MailServer, Ntfy, PagerDuty, Slack, Twilio

WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew

MAIL_HOSTS = ("mail.test", "tls.test", "bare.test", "strange.test")
WAITING, SENT, FAILED, DEAD = range(4)


class World:
    """Mail servers under names of their own, and an instance that knows of them; made once."""
    made = {}

    def __init__(self, box):
        authority = Authority()
        authority.certificate("mail", "mail.test", MAIL_HOSTS[:2])
        users = {"grapnel": "open sesame"}
        self.starttls = MailServer(authority, "starttls", users)
        self.tls = MailServer(authority, "start", users)
        self.bare = MailServer(authority)
        self.strange = MailServer(authority, "start")       # its certificate names others
        self.local = MailServer(authority)                  # as a mail server of the machine itself
        ports = [s.port for s in (self.starttls, self.tls, self.bare, self.strange)]
        self.settings = ["--set", "server.development=true", "--set", "outbound.allow=127.0.0.0/8", "--set", "outbound.ports=1-65535",
                         "--set", "outbound.timeout_ms=5000", "--set", "outbound.dispatcher=true", "--set", "mail.server=smtp://localhost:%d" % self.local.port,
                         "--set", "mail.from=grapnel@hooks.test", "--set", "keys.test_authorities=" + authority.path("ca.pem"),
                         "--set", "keys.test_hosts=" + ", ".join("%s=127.0.0.1:%d" % pair for pair in zip(MAIL_HOSTS, ports))]
        self.box = box

    @classmethod
    def of(cls, box):
        if box not in cls.made:
            cls.made[box] = cls(box)
        if "grapnel@hooks.test" not in box.configuration():     # of a new instance, or after scenarios of another file
            box.up(*cls.made[box].settings)
        return cls.made[box]


def _channel(box, kind, **more):
    """Told of Grapnel's own trouble unless the scenario is about something else: incidents are made by others as well."""
    World.of(box)
    return box.api("POST", "/api/channels", {"name": "%s %s" % (kind, os.urandom(3).hex()), "kind": kind, "events": ["monitor.*"], **more}).expect(201)


def _hook(box, hook, **more):
    return _channel(box, "webhook", url=hook.url, secret=getattr(hook, "secret", None), **more)


def _row(box, channel):
    return box.number("SELECT id FROM channels WHERE public_id = '%s'" % channel["id"])


def _remove(box, *channels):
    """What is told later does not wait for it."""
    for channel in channels:
        box.api("DELETE", "/api/channels/" + channel["id"]).expect(204)


def _test(box, channel):
    return box.api("POST", "/api/channels/%s/test" % channel["id"]).expect(200)


def _queue(box, channel, n, **more):
    """So many messages that are due, as the monitor writes them. Their numbers."""
    first = (int(time.time() * 1000) - 1577836800000 << 22) + int.from_bytes(os.urandom(2), "big") * 64
    payload = {"type": "monitor.alert_started", "at": "2026-01-02T03:04:05.000Z",
               "data": {"id": "5", "type": "LARGE_BACKLOG", "severity": "WARNING", "message": "120 wait.", "advice": "Wait."}}
    box.sql("INSERT INTO outbox (id, tenant_id, kind, target_id, cause_id, payload, next_at, created_at) SELECT @id := %d + seq, 1, 1, %d, @id, '%s',"
            " UNIX_TIMESTAMP(NOW(3)) * 1000, UNIX_TIMESTAMP(NOW(3)) * 1000 FROM seq_1_to_%d" % (first, _row(box, channel), json.dumps(payload), n))
    return ["%d" % (first + i + 1) for i in range(n)]


def _states(box, channel):
    """{status: rows}"""
    return {int(s): int(n) for s, n in box.sql("SELECT status, COUNT(*) FROM outbox WHERE kind = 1 AND target_id = %d GROUP BY status" % _row(box, channel))}



def _dispatcher(box):
    for pid in box.worker_pids():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open("/proc/%d/comm" % pid) as f:     # it may have ended just now
            if f.read().strip() == "dispatcher":
                return pid
    return None


def _begin_trouble(box):
    """A sender that repeats itself beyond what the monitor takes. True trouble, which the job finds."""
    source = box.integration("stripe", signatureSecret="s", rateLimitPerMinute=0)
    event = stripe_event()
    for _ in range(8):
        box.send_stripe(source, event, secret="s")
    box.jobs("monitor")


def _end_trouble(box):
    box.sql("UPDATE event_minutes SET duplicates = 0; UPDATE event_hours SET duplicates = 0")
    box.jobs("monitor")


# ---- what is told ----

def alert_begins_and_ends_on_each_kind(box):
    world = World.of(box)
    box.jobs("monitor")     # what else is wrong has begun before
    with Slack() as slack, PagerDuty() as duty, Hook() as hook, Twilio() as twilio, Ntfy() as ntfy, EventGrid() as topic, CloudSink() as sink:
        channels = [_channel(box, "slack", url=slack.url), _channel(box, "pagerduty", url=duty.url, routingKey=duty.key), _hook(box, hook),
                    _channel(box, "email", to=["ops@example.org", "boss@example.org"]), _hook(box, hook, minSeverity="CRITICAL"),
                    _sms(box, twilio, ["+4930123456"]), _channel(box, "push", url=ntfy.url), _channel(box, "event_grid", url=topic.url, key="key/one+1=="),
                    _channel(box, "cloudevents", url=sink.url)]
        others = twilio, ntfy, topic, sink
        mails = world.local.mails
        mails.clear()
        _begin_trouble(box)
        for what in (lambda: slack.telling("DUPLICATE_EVENTS"), lambda: duty.open, lambda: hook.telling("DUPLICATE_EVENTS"), lambda: mails,
                     lambda: all(r.taken for r in others)):
            wait_until(what, 10, "the beginning is told")
        body = hook.taken[0].body
        same((body["type"], body["data"]["type"], body["data"]["severity"], body["data"]["endedAt"]),
             ("monitor.alert_started", "DUPLICATE_EVENTS", "WARNING", None))
        true(slack.taken[0].body["text"].startswith("[MEDIUM] "), slack.taken[0].body)
        (key, payload), = duty.open.items()
        same((payload["severity"], payload["class"]), ("warning", "monitor.alert_started"))
        wait_until(lambda: len(mails) == 2, 10, "each addressee has a mail of his own")
        same(sorted(m.to for m in mails), [["boss@example.org"], ["ops@example.org"]])
        same((mails[0].sender, mails[0].message["Auto-Submitted"]), ("grapnel@hooks.test", "auto-generated"))
        true(mails[0].message["Subject"].startswith("[MEDIUM] "), mails[0].message["Subject"])
        true("review" in mails[0].message.get_payload(decode=True).decode().lower() or body["data"]["message"] in
             mails[0].message.get_payload(decode=True).decode(), "the mail says what is wrong")

        _end_trouble(box)
        wait_until(lambda: len(hook.taken) > 1 and not duty.open and len(mails) > 3 and len(slack.taken) > 1 and all(len(r.taken) > 1 for r in others), 20,
                   "the end is told")
        same((hook.taken[1].body["type"], hook.taken[1].body["data"]["id"]), ("monitor.alert_ended", body["data"]["id"]))
        true(hook.taken[1].body["data"]["endedAt"], "with its end")
        same((duty.taken[1].body["event_action"], duty.taken[1].body["dedup_key"], set(duty.taken[1].body)),
             ("resolve", key, {"routing_key", "event_action", "dedup_key"}))
        true("Resolved: " in slack.taken[1].body["text"], slack.taken[1].body)
        same((mails[3].message["References"], mails[3].message["In-Reply-To"]), (mails[0].message["Message-ID"],) * 2, "one thread")
        true(mails[3].message["Message-ID"] != mails[0].message["Message-ID"], "two mails")
        for receiver in (slack, duty, hook, world.local, *others):
            same(receiver.complaints, [])
        same([t.body["Body"].startswith("[MEDIUM] Resolved: ") for t in twilio.taken], [False, True])
        same([(t.body["priority"], t.body["tags"]) for t in ntfy.taken], [(3, ["warning", "MEDIUM"]), (2, ["white_check_mark", "MEDIUM"])])
        same([e["eventType"] for t in topic.taken for e in t.body], ["monitor.alert_started", "monitor.alert_ended"])
        same([t.body["type"] for t in sink.taken], ["monitor.alert_started", "monitor.alert_ended"])
        same(len(hook.taken), 2, "the channel for critical things was told nothing")
        wait_until(lambda: _states(box, channels[0]) == {SENT: 2}, 20, "that it was sent is stored")
        newest = box.get("/api/channels/%s/deliveries" % channels[0]["id"])["deliveries"]
        same([(d["type"], d["status"], d["attempts"]) for d in newest], [("monitor.alert_ended", "sent", 1), ("monitor.alert_started", "sent", 1)])
        for words, n in ("sent", 2), ("waiting,dead", 0):
            same(len(box.get("/api/channels/%s/deliveries?status=%s" % (channels[0]["id"], words))["deliveries"]), n, words)
        same(box.get("/api/channels/" + channels[0]["id"])["status"], "working")
        _remove(box, *channels)


def test_button_says_what_happened(box):
    with Slack() as slack, PagerDuty() as duty, Hook() as hook:
        channels = [_channel(box, "slack", url=slack.url), _channel(box, "pagerduty", url=duty.url, routingKey=duty.key), _hook(box, hook),
                    _channel(box, "email", to=["ops@example.org"])]
        for channel, status in zip(channels, (200, 202, 204, 250)):
            answer = _test(box, channel)
            same((answer["success"], answer["delivery"]["status"], answer["attempt"]["httpStatus"], answer["attempt"]["error"]), (True, "sent", status, None))
        same([len(r.taken) for r in (slack, duty, hook)], [1, 1, 1])
        true(duty.open, "PagerDuty's is open")
        box.sql("UPDATE outbox SET next_at = 1 WHERE kind = 1 AND target_id = %d AND status = 0" % _row(box, channels[1]))
        wait_until(lambda: not duty.open, 10, "and is resolved later")
        hook.secret = "whsec_" + base64.b64encode(b"another one, 24 bytes or more").decode()
        answer = _test(box, channels[2])
        same((answer["success"], answer["attempt"]["httpStatus"], answer["attempt"]["answer"]), (False, 401, "signature"))
        true("401" in answer["message"], answer["message"])
        wrong = _channel(box, "pagerduty", url=duty.url, routingKey="0" * 32)
        answer = _test(box, wrong)
        same((answer["attempt"]["httpStatus"], "invalid routing key" in answer["attempt"]["answer"]), (400, True))
        same(box.get("/api/channels/" + wrong["id"])["status"], "failing")
        same(_test(box, {"id": _channel(box, "webhook", url="http://127.0.0.1:1/")["id"]})["message"], "It does not take the connection.")
        lost = _channel(box, "slack", url=slack.at("/services/T0/B0/deleted"))
        same(_test(box, lost)["attempt"]["answer"], "no_service")
        seen = box.get("/api/channels/" + lost["id"])
        same((seen["enabled"], seen["status"], "no_service" in seen["disabledReason"]), (False, "disabled", True))
        box.api("PATCH", "/api/channels/" + lost["id"], {"enabled": True, "url": slack.url}).expect(200)
        same(_test(box, lost)["success"], True)
        same(box.get("/api/channels/" + lost["id"])["disabledReason"], None)
        _remove(box, *channels, wrong, lost)


def secrets_are_shown_to_nobody(box):
    key = "Q" + os.urandom(15).hex() + "Z"
    with Slack() as slack, Hook() as hook:
        path = "/services/T1/B1/" + os.urandom(12).hex()
        slack.path = path
        channels = [_channel(box, "slack", url=slack.at(path)), _channel(box, "pagerduty", url=slack.at("/x"), routingKey=key), _hook(box, hook),
                    _channel(box, "email", to=["a@example.org"], url="smtps://tls.test", user="grapnel", password="open sesame")]
        for channel in channels:
            _test(box, channel)
        secrets = [path.rsplit("/", 1)[1], key, hook.secret, "open sesame"]
        shown = [box.request("GET", "/api" + p, headers={"Authorization": "Bearer " + box.token}).body for p in
                 ["/channels?limit=100", "/audit?limit=100"] + ["/channels/%s%s" % (c["id"], x) for c in channels for x in ("", "/deliveries")]]
        shown += [box.logs(), json.dumps(box.sql("SELECT settings, payload FROM channels c JOIN outbox o ON o.target_id = c.id AND o.kind = 1")).encode()]
        for secret in secrets:
            for text in shown:
                true(secret.encode() not in text, "%s... is in %.200r" % (secret[:6], text))
        _remove(box, *channels)


def channels_are_of_their_tenant_and_for_admins(box):
    World.of(box)
    with Hook() as hook:
        channel = _hook(box, hook)
        other = box.new_token(tenant=box.new_tenant())
        for method, tail in ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries"):
            body = {"name": "mine"} if method == "PATCH" else None
            box.api(method, "/api/channels/%s%s" % (channel["id"], tail), body, other).expect(404, "not_found")
        same(box.get("/api/channels", other)["channels"], [])
        viewer, reader = box.new_token("viewer"), box.new_token("admin", "read")
        for token in viewer, reader:
            same(box.get("/api/channels/" + channel["id"], token)["name"], channel["name"])
            box.api("POST", "/api/channels/%s/test" % channel["id"], token=token).expect(403, "forbidden")
            box.api("DELETE", "/api/channels/" + channel["id"], token=token).expect(403, "forbidden")
        same(hook.taken, [])
        _remove(box, channel)


# ---- mail ----

def mail_goes_by_tls_with_a_password(box):
    world = World.of(box)
    for server, url in (world.starttls, "smtp://mail.test:587"), (world.tls, "smtps://tls.test"):
        server.mails.clear()
        channel = _channel(box, "email", to=["ops@example.org", "gone@example.org"], url=url, user="grapnel", password="open sesame",
                           **{"from": "us@example.org"}, name="Grüße aus dem Rechenzentrum, Störung")
        server.unknown = {"gone@example.org"}
        answer = _test(box, channel)
        same((answer["success"], answer["attempt"]["httpStatus"], answer["delivery"]["recipient"]), (False, 550, "gone@example.org"), "one is refused, which is said")
        mail, = server.mails
        same((mail.tls, mail.user, mail.sender, mail.to), (True, "grapnel", "us@example.org", ["ops@example.org"]), "and the other is told")
        subject = str(email.header.make_header(email.header.decode_header(mail.message["Subject"])))
        true("Grüße aus dem Rechenzentrum" in subject, subject)
        server.unknown = {"ops@example.org", "gone@example.org"}
        answer = _test(box, channel)
        same((answer["success"], answer["attempt"]["httpStatus"]), (False, 550), "nobody takes it")
        server.unknown = set()
        box.api("PATCH", "/api/channels/" + channel["id"], {"password": "wrong"}).expect(200)
        answer = _test(box, channel)
        same((answer["success"], answer["attempt"]["httpStatus"], "535" in answer["attempt"]["answer"]), (False, 535, True))
        same(server.complaints, [])
        _remove(box, channel)


def mail_is_not_sent_without_tls_nor_to_a_stranger(box):
    world = World.of(box)
    for url, error in ("smtp://bare.test:587", "It does not offer TLS."), ("smtps://strange.test", "Its certificate is not accepted."):
        channel = _channel(box, "email", to=["ops@example.org"], url=url)
        same(_test(box, channel)["message"], error)
        _remove(box, channel)
    same((world.bare.mails, world.strange.mails), ([], []))


def mail_server_that_makes_strangers_wait_is_asked_again(box):
    world = World.of(box)
    world.local.busy = "451 4.7.1 greylisted,\tcome back later" + 300 * "."
    channel = _channel(box, "email", to=["ops@example.org"])
    try:
        number, = _queue(box, channel, 1)
        wait_until(lambda: _states(box, channel) == {FAILED: 1}, 10, "it waits for cron")
        error = box.sql("SELECT error FROM outbox WHERE id = %s" % number)[0][0]
        true("greylisted, come back later" in error and len(error) < 200, "one line, and a short one: %r" % error)
        wait = box.number("SELECT FLOOR(next_at - UNIX_TIMESTAMP(NOW(3)) * 1000) FROM outbox WHERE id = %s" % number)
        true(50000 < wait <= 60000, "a minute: %d ms" % wait)
    finally:
        world.local.busy = None
    world.local.mails.clear()
    box.sql("UPDATE outbox SET next_at = 1 WHERE id = %s" % number)
    box.jobs("outbox")
    same(len(world.local.mails), 1)
    attempts = box.get("/api/channels/%s/deliveries/%s" % (channel["id"], number))["attemptLog"]
    same([(a["attempt"], a["httpStatus"]) for a in attempts], [(1, 451), (2, 250)])
    _remove(box, channel)


# ---- text messages ----

def _sms(box, twilio, to, **more):
    return _channel(box, "sms", to=to, url=twilio.url, account=twilio.account, token=twilio.token, **{"from": "+15005550006", **more})


def text_message_goes_to_each_number_by_itself(box):
    with Twilio() as twilio:
        channel = _sms(box, twilio, ["+4930123456", "+4930123457", "+4930123458"])
        same(_test(box, channel)["success"], True)
        same(sorted(t.body["To"] for t in twilio.taken), ["+4930123456", "+4930123457", "+4930123458"])
        text = twilio.taken[0].body["Body"]
        true(text.startswith("[INFO] Test of the channel ") and text.endswith("/channels"), text)
        twilio.opted_out.add("+4930123457")
        answer = _test(box, channel)
        same((answer["success"], answer["attempt"]["httpStatus"], "21610" in answer["message"]), (False, 400, True))

        def got():
            return sorted((d["recipient"], d["status"]) for d in box.get("/api/channels/%s/deliveries" % channel["id"])["deliveries"][:3])
        wait_until(lambda: {status for _, status in got()} == {"sent", "dead"}, 10, "the answer waits for nobody after the first who did not take it")
        same(len(twilio.taken), 5, "the other two got it")
        same(got(), [("+4930123456", "sent"), ("+4930123457", "dead"), ("+4930123458", "sent")])
        box.api("PATCH", "/api/channels/" + channel["id"], {"token": "stale"}).expect(200)
        answer = _test(box, channel)
        same((answer["attempt"]["httpStatus"], "20003" in answer["attempt"]["answer"]), (401, True))
        box.api("PATCH", "/api/channels/" + channel["id"], {"url": None}).expect(400, "invalid_request", "token")
        _remove(box, channel)


def text_message_that_may_have_arrived_is_not_sent_again(box):
    with Twilio() as twilio:
        channel = _sms(box, twilio, ["+4930123456"], minSeverity="CRITICAL", **{"from": twilio.service})   # not told that it fails itself
        for does in twilio.hang, twilio.slam:
            twilio.does = does
            number, = _queue(box, channel, 1)
            wait_until(lambda: _states(box, channel).get(DEAD), 10, "it is given up")
            error = box.get("/api/channels/%s/deliveries/%s" % (channel["id"], number))["error"]
            true(error.endswith("It may have been taken, so it is not sent again."), error)
            box.sql("DELETE FROM outbox WHERE id = " + number)
        same(len(twilio.got), 2)
        twilio.does, twilio.busy = None, True
        number, = _queue(box, channel, 1)
        wait_until(lambda: _states(box, channel) == {FAILED: 1}, 10, "that is safe: it was not taken")
        twilio.busy = False
        box.sql("UPDATE outbox SET next_at = 1 WHERE id = " + number)
        box.jobs("outbox")
        same([t.body["MessagingServiceSid"] for t in twilio.taken], [twilio.service])
        _remove(box, channel)
        nobody = _channel(box, "sms", to=["+4930123456"], url="http://127.0.0.1:1/", account=twilio.account, token="x", minSeverity="CRITICAL",
                          **{"from": "Grapnel"})
        number, = _queue(box, nobody, 1)
        wait_until(lambda: _states(box, nobody) == {FAILED: 1}, 10, "nobody took the connection: it is tried again")
        _remove(box, nobody)


def text_messages_by_the_account_of_the_configuration(box):
    World.of(box)
    box.api("POST", "/api/channels", {"name": "x", "kind": "sms", "to": ["+4930123456"]}).expect(400, "invalid_request", "account")
    with Twilio() as twilio:
        box.up("--set", "sms.url=" + twilio.url, "--set", "sms.account=" + twilio.account, "--set", "sms.token=" + twilio.token, "--set", "sms.from=Grapnel")
        try:
            channel = _channel(box, "sms", to=["+4930123456"])
            same((_test(box, channel)["success"], twilio.taken[0].body["From"]), (True, "Grapnel"))
        finally:
            box.up("--set", "sms.account=", "--set", "sms.token=", "--set", "sms.from=", "--set", "sms.url=https://api.twilio.com")
        true("no account" in _test(box, channel)["message"], "the configuration has none any more")
        same(len(twilio.taken), 1)
        _remove(box, channel)


# ---- events for programs ----

def topic_of_event_grid_by_either_key(box):
    with EventGrid() as topic, EventGrid("cloudevents") as cloud:
        channel = _channel(box, "event_grid", url=topic.url, key="key/one+1== key/two+2==")
        same(_test(box, channel)["success"], True)
        event, = topic.taken[0].body
        same((event["eventType"], event["subject"], event["dataVersion"]), ("channel.test", "/channels", "1.0"))
        topic.keys.discard("key/one+1==")
        answer = _test(box, channel)
        same((answer["success"], answer["delivery"]["attempts"], topic.taken[1].headers["aeg-sas-key"]), (True, 2, "key/two+2=="))
        topic.keys.clear()
        answer = _test(box, channel)
        same((answer["success"], answer["attempt"]["httpStatus"], answer["delivery"]["attempts"]), (False, 401, 2))
        wrong = _channel(box, "event_grid", url=cloud.url, key="key/one+1==")
        same(_test(box, wrong)["attempt"]["httpStatus"], 400, "the topic was made with the other schema")
        box.api("PATCH", "/api/channels/" + wrong["id"], {"format": "cloudevents"}).expect(200)
        same((_test(box, wrong)["success"], cloud.taken[0].body["type"]), (True, "channel.test"))
        _remove(box, channel, wrong)


def sink_of_cloudevents_in_either_mode(box):
    with CloudSink() as sink:
        sink.token = "s3cret"
        channel = _channel(box, "cloudevents", url=sink.url, token="s3cret")
        same(_test(box, channel)["success"], True)
        box.api("PATCH", "/api/channels/" + channel["id"], {"format": "binary"}).expect(200)
        same(_test(box, channel)["success"], True)
        whole, parts = (t.body for t in sink.taken)
        same({m for m in whole if m != "datacontenttype"}, set(parts))
        same((whole["source"], whole["type"], parts["source"], parts["type"]), (whole["source"], "channel.test") * 2)
        same((parts["data"]["channel"], sink.complaints), (channel["name"], []))
        sink.token = "another"
        same(_test(box, channel)["attempt"]["httpStatus"], 401)
        _remove(box, channel)


def each_processed_event_is_published_to_sinks_once(box):
    World.of(box)
    with EventGrid() as topic, CloudSink() as sink, Handler() as handler:
        direct = box.integration("webhook", actions=["record"], rateLimitPerMinute=0)
        forwarded = box.integration("webhook", actions=["forward"], handlerUrl=handler.url, rateLimitPerMinute=0)
        box.send(direct, {"type": "nobody.listens", "id": os.urandom(6).hex()}).expect(201)
        channels = [_channel(box, "event_grid", url=topic.url, key="key/one+1==", events=["event.processed"]),
                    _channel(box, "cloudevents", url=sink.url, events=["event.processed"]), _channel(box, "cloudevents", url=sink.url, minSeverity="CRITICAL",
                                                                                                     events=["event.processed"])]
        box.api("POST", "/api/channels", {"name": "x", "kind": "email", "to": ["a@example.org"], "events": ["event.processed"]}).expect(
            400, "invalid_request", "events")
        event = {"type": "order.paid", "id": os.urandom(6).hex()}
        number = box.send(direct, event).expect(201)["result"]["event"]["id"]
        wait_until(lambda: topic.taken and sink.taken, 10, "it is published")
        box.send(direct, event).expect(200)
        (grid,), cloud = topic.taken[0].body, sink.taken[0].body
        same((grid["eventType"], grid["subject"], cloud["type"], cloud["subject"]), ("webhook.received", "/webhook/webhooks/" + direct["id"]) * 2)
        same((grid["data"]["webhook"]["id"], grid["data"]["event"]["id"], grid["data"]["event"]["eventType"], grid["data"]["syncTriggered"]),
             (direct["id"], number, "paid", False))
        same(grid["data"], cloud["data"])
        true("key" not in grid["data"]["webhook"], grid["data"]["webhook"])
        handler.status = 500
        number = box.send(forwarded, {"type": "order.paid", "id": os.urandom(6).hex()}).expect(201)["result"]["event"]["id"]
        wait_until(lambda: box.get("/api/events/" + number)["status"] == "failed", 10, "its handler fails")
        same(box.number("SELECT COUNT(*) FROM outbox WHERE kind = 1 AND target_id = %d" % _row(box, channels[0])), 1, "it is not processed yet, and a repeat is no event")
        handler.status = 204
        box.api("POST", "/api/events/%s/retry" % number).expect(200)
        wait_until(lambda: len(topic.taken) == 2 and len(sink.taken) == 2, 10, "its forward is done")
        same(topic.taken[1].body[0]["data"]["event"]["id"], number)
        same((topic.complaints, sink.complaints), ([], []))
        title = box.get("/api/channels/%s/deliveries" % channels[0]["id"])["deliveries"][0]["title"]
        same(title, "Event " + number)
        several = box.integration("prometheus", actions=["record"], rateLimitPerMinute=0)
        box.send(several, alerts(*[alert(severity="warning", alertname="N%d" % n) for n in range(12)])).expect(201)
        wait_until(lambda: len(sink.taken) == 14, 10, "all of a request are published")
        many = [t.body["data"] for t in sink.taken[2:]]
        same({m["webhook"]["id"] for m in many}, {several["id"]})
        same(sorted(m["event"]["id"] for m in many), sorted(r[0] for r in box.sql("SELECT e.id FROM events e JOIN sources s ON s.id = e.source_id"
                                                                                   " WHERE s.public_id = '%s'" % several["id"])))
        wait_until(lambda: len(topic.taken) == 14, 10, "to both")
        _remove(box, *channels)
        number = box.send(direct, {"type": "nobody.listens", "id": os.urandom(6).hex()}).expect(201)["result"]["event"]["id"]
        same(box.number("SELECT COUNT(*) FROM outbox WHERE cause_id = " + number), 0)


# ---- receivers that do not behave ----

def hanging_receivers_hold_up_nobody_else(box):
    World.of(box)
    box.up("--set", "outbound.timeout_ms=30000")
    hanging, channels = [Handler() for _ in range(16)], []
    try:
        with Hook() as fine:
            channels.append(_hook(box, fine))
            for handler in hanging:
                handler.does = handler.hang
                channels.append(_hook(box, handler))
            quick, *others = channels
            for channel in others[:3]:
                _queue(box, channel, 20)
            wait_until(lambda: all(h.inside == 5 for h in hanging[:3]), 10, "as many hang as each gets")
            _queue(box, quick, 20)
            wait_until(lambda: len(fine.taken) == 20, 20, "all of the other's are there")
            same([len(h.got) for h in hanging[:3]], [5] * 3, "while the first ones hang, and at most five at once to each")
            same(len({t.headers["webhook-id"] for t in fine.taken}), 20)
            for channel in others[3:]:
                _queue(box, channel, 20)
            wait_until(lambda: sum(len(h.got) for h in hanging) >= 40, 10, "the others hang, too")
            time.sleep(1.5)         # the dispatcher looks for more twice a second
            true(sum(len(h.got) for h in hanging) <= 64, "at most 64 in all at once: %s" % [len(h.got) for h in hanging])
            same(fine.complaints, [])
    finally:
        _remove(box, *channels)
        for handler in hanging:
            handler.__exit__()
        box.up("--set", "outbound.timeout_ms=5000")


def retry_after_is_heeded(box):
    with Handler() as handler:
        channel = _hook(box, handler)
        for status, asked, least in (503, "20", 20000), (429, "3", 60000), (503, "999999", 3600000), (503, None, 0):
            handler.status, handler.headers = status, {"Retry-After": asked} if asked else {}
            number, = _queue(box, channel, 1)
            tried = "SELECT COUNT(*) FROM outbox_attempts WHERE outbox_id = %s" % number
            wait_until(lambda: box.number(tried), 10, "the first attempt")
            wait = box.number("SELECT o.next_at - a.at FROM outbox o JOIN outbox_attempts a ON a.outbox_id = o.id AND a.attempt = 1 WHERE o.id = %s" % number)
            if asked:
                true(least - 100 < wait < least + 20000, "%d with Retry-After %s: %d ms" % (status, asked, wait))
        handler.status, handler.headers = 204, {}
        wait_until(lambda: _states(box, channel).get(SENT) == 1, 10, "the last one by a quick attempt")
        _remove(box, channel)


def three_quick_attempts_then_cron(box):
    with Hook() as hook:
        hook.status = 500
        channel = _hook(box, hook)
        number, = _queue(box, channel, 1)
        wait_until(lambda: _states(box, channel) == {FAILED: 1}, 30, "the quick attempts are over")
        same(len(hook.got), 3)
        gaps = [b.at - a.at for a, b in zip(hook.got, hook.got[1:])]
        true(gaps[0] > 0.99 and gaps[1] > 1.99, "after 1 s and 2 s: %r" % gaps)
        same({g.headers["webhook-id"] for g in hook.got}, {number}, "one id over all attempts")
        true(int(hook.got[2].headers["webhook-timestamp"]) > int(hook.got[0].headers["webhook-timestamp"]), "each signs its own time")
        hook.status = 204
        box.sql("UPDATE outbox SET next_at = 1 WHERE id = " + number)
        box.jobs("outbox")
        same(([t.headers["webhook-id"] for t in hook.taken], hook.complaints), ([number], []))
        _remove(box, channel)


def gone_receiver_is_told_nothing_more_and_others_hear_of_it(box):
    with Hook() as hook, Hook() as other:
        hook.status = 410
        channel, witness = _hook(box, hook), _hook(box, other)
        _queue(box, channel, 1)
        wait_until(lambda: not box.get("/api/channels/" + channel["id"])["enabled"], 10, "it is switched off")
        wait_until(lambda: other.telling("CHANNEL_FAILED"), 10, "the other channel hears of it")
        same(box.get("/api/audit?object=" + channel["id"])["audit"][0]["action"], "channel.disable")
        same(len(hook.got), 1, "one attempt")
        _remove(box, channel)
        wait_until(lambda: [t for t in other.taken if t.body["type"] == "monitor.alert_ended"], 10, "its end, once the channel is gone")
        _remove(box, witness)


def old_address_that_is_gone_does_not_switch_off_the_new_one(box):
    with Handler() as old, Hook() as new:
        channel = _channel(box, "webhook", url=old.url, secret=new.secret)
        old.status, old.does = 410, old.hang
        number, = _queue(box, channel, 1)
        wait_until(lambda: old.inside, 10, "the old one is asked")
        box.api("PATCH", "/api/channels/" + channel["id"], {"url": new.url}).expect(200)
        old.release()
        wait_until(lambda: box.get("/api/channels/%s/deliveries/%s" % (channel["id"], number))["status"] == "dead", 10, "it says that it is gone")
        same(box.get("/api/channels/" + channel["id"])["enabled"], True, "nobody asked the new one")
        same(_test(box, channel)["success"], True)
        _remove(box, channel)


def what_was_taken_for_a_channel_goes_nowhere_once_it_is_deleted(box):
    """Five are under way to a receiver that is slow, and the others were taken together with them."""
    with Handler() as slow:
        slow.does = slow.hang
        channel = _channel(box, "webhook", url=slow.url, secret="whsec_" + "A" * 32)
        _queue(box, channel, 12)
        wait_until(lambda: slow.inside == 5, 10, "five are under way")
        _remove(box, channel)
        time.sleep(1.1)         # what was asked of the database counts for a second
        slow.release()
        time.sleep(2)
        same(len(slow.got), 5, "none follows")


def channel_is_not_told_that_it_fails_itself(box):
    with Hook() as hook, Hook() as other:
        channel, witness = _hook(box, hook), _hook(box, other)
        hook.status = 500
        number, = _queue(box, channel, 1)
        box.sql("UPDATE outbox SET attempts_max = 1 WHERE id = %s" % number)
        wait_until(lambda: other.telling("CHANNEL_FAILED"), 10, "the other channel hears of it")
        hook.status = 204
        same(_test(box, channel)["success"], True)
        wait_until(lambda: len(other.telling("CHANNEL_FAILED")) == 2, 10, "and of its end")
        told = box.number("SELECT COUNT(*) FROM outbox WHERE kind = 1 AND target_id = %d AND payload LIKE '%%CHANNEL_FAILED%%'" % _row(box, channel))
        same((told, hook.telling("CHANNEL_FAILED")), (0, []))
        _remove(box, channel, witness)


def one_addressee_who_is_not_reached_is_one_trouble(box):
    server = World.of(box).local
    with Hook() as other:
        channel, witness = _channel(box, "email", to=["gone@example.org", "ops@example.org"]), _hook(box, other)
        server.unknown = {"gone@example.org"}
        try:
            for turn in range(2):
                _begin_trouble(box)
                wait_until(lambda: box.number("SELECT COUNT(*) FROM outbox WHERE kind = 1 AND target_id = %d AND status IN (1, 3)" % _row(box, channel)) == 4 * turn + 2, 10,
                           "one is told, the other given up")
                _end_trouble(box)
                wait_until(lambda: box.number("SELECT COUNT(*) FROM outbox WHERE kind = 1 AND target_id = %d AND status IN (1, 3)" % _row(box, channel)) == 4 * turn + 4, 10,
                           "and again")
            wait_until(lambda: len(other.telling("DUPLICATE_EVENTS")) == 4 and other.telling("CHANNEL_FAILED"), 20, "the witness hears all")
            same([t.body["type"] for t in other.telling("CHANNEL_FAILED")], ["monitor.alert_started"], "it does not end with each mail that is taken")
            same(box.get("/api/channels/" + channel["id"])["status"], "failing")
        finally:
            server.unknown = set()
        same(_test(box, channel)["success"], True)
        wait_until(lambda: len(other.telling("CHANNEL_FAILED")) == 2, 10, "its end, once all take it")
        _remove(box, channel, witness)


def who_was_taken_off_the_list_is_told_nothing_more(box):
    server = World.of(box).local
    channel = _channel(box, "email", to=["left@example.org", "ops@example.org"])
    server.busy = "451 come back later"
    try:
        _begin_trouble(box)
        wait_until(lambda: _states(box, channel) == {FAILED: 2}, 10, "both wait")
        box.api("PATCH", "/api/channels/" + channel["id"], {"to": ["ops@example.org"]}).expect(200)
    finally:
        server.busy = None
    box.sql("UPDATE outbox SET next_at = 1 WHERE kind = 1 AND target_id = %d" % _row(box, channel))
    box.jobs("outbox")
    told = box.get("/api/channels/%s/deliveries" % channel["id"])["deliveries"]
    same({d["recipient"]: d["status"] for d in told}, {"left@example.org": "unneeded", "ops@example.org": "sent"})
    same([m.to for m in server.mails if "left@example.org" in m.to], [])
    same(box.get("/api/channels/" + channel["id"])["status"], "working", "that is no failure")
    _end_trouble(box)
    _remove(box, channel)


def channel_that_was_mended_is_trouble_no_more(box):
    """As its monitor alert advises: the settings are changed, then the test button is pressed."""
    def runs():
        return box.number("SELECT COUNT(*) FROM monitor_alerts WHERE subject = '%s' AND running = 1" % channel["id"])

    with Hook() as hook:
        hook.status = 500
        channel = _hook(box, hook)
        number, = _queue(box, channel, 1)
        box.sql("UPDATE outbox SET attempts_max = 1 WHERE id = %s" % number)
        wait_until(runs, 10, "it is given up")
        hook.status = 204
        box.api("PATCH", "/api/channels/" + channel["id"], {"name": "mended"}).expect(200)
        same(_test(box, channel)["success"], True)
        same(runs(), 0, "monitor alerts of the channel")
        box.api("PATCH", "/api/channels/" + channel["id"], {"enabled": False}).expect(200)
        _queue(box, channel, 1)
        wait_until(lambda: _states(box, channel).get(DEAD) == 2, 10, "what waited for a channel that is off is given up")
        same(runs(), 0, "that is what was wanted")
        _remove(box, channel)


def receivers_that_do_not_speak_properly(box):
    with Handler() as handler, Handler() as elsewhere:
        channel = _hook(box, handler)
        before = _dispatcher(box)
        for does, error in ((handler.garbage, "No answer: "), (handler.slam, "It closed the connection without an answer."),
                            (handler.endless_headers, "Its answer has headers without end."), (handler.hang, "It did not answer in time.")):
            handler.does = does
            answer = _test(box, channel)
            same((answer["success"], answer["message"].startswith(error), answer["attempt"]["httpStatus"]), (False, True, 0), answer["message"])
        for does in handler.cut, handler.drip, handler.endless_body:       # the status is said before the body, and counts
            for handler.status in 200, 500:
                handler.does = does
                answer = _test(box, channel)
                same((answer["success"], answer["attempt"]["httpStatus"]), (handler.status == 200, handler.status), does.__name__)
                true(len(answer["attempt"]["answer"].encode()) <= 4096 and "\x00" not in answer["attempt"]["answer"], "4 KiB of text are kept")
                true(answer["attempt"]["durationMs"] < 15000, "it is not read to its end")
        handler.does, handler.status, handler.headers = None, 302, {"Location": elsewhere.url}
        same(_test(box, channel)["message"], "It was answered 302; redirects are not followed.")
        same(elsewhere.got, [])
        handler.status, handler.headers = 204, {}
        same((_test(box, channel)["success"], _dispatcher(box)), (True, before))
        _remove(box, channel)


def private_addresses_are_out_of_reach(box):
    World.of(box)
    for kind, more in ("webhook", {}), ("slack", {}), ("pagerduty", {"routingKey": "0" * 32}):
        for url in "http://10.0.0.1/", "http://169.254.169.254/latest/", "http://[::1]/", "http://0xa9fea9fe/", "ftp://example.org/", "http://u@example.org/":
            box.api("POST", "/api/channels", {"name": "x", "kind": kind, "url": url, **more}).expect(400, "invalid_request", "url")
    box.api("POST", "/api/channels", {"name": "x", "kind": "email", "to": ["a@example.org"], "url": "smtp://10.0.0.1"}).expect(400, "invalid_request", "url")
    with Hook() as hook:
        channel = _hook(box, hook)
        box.up("--set", "outbound.allow=")      # what was allowed when it was set may be forbidden when it is used
        try:
            same(_test(box, channel)["message"], "It leads to an address or port that is not allowed.")
            same(hook.got, [])
        finally:
            box.up("--set", "outbound.allow=127.0.0.0/8")
        _remove(box, channel)


# ---- whoever sends may go ----

def killed_dispatcher_loses_nothing(box):
    with Hook() as hook:
        hook.does = hook.hang
        channel = _hook(box, hook)
        numbers = _queue(box, channel, 30)
        wait_until(lambda: len(hook.got) >= 5, 10, "five are under way")
        old = _dispatcher(box)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: _dispatcher(box) not in (None, old), 10, "the master starts another")
        wait_until(lambda: len(hook.got) >= 10, 20, "which goes on")
        same(len({g.headers["webhook-id"] for g in hook.got[:10]}), 10, "what the dead one had claimed is left alone while its lease lasts; it had not claimed all")
        hook.release()
        # The leases end, 40 s later: that is not waited for.
        box.sql("UPDATE outbox SET next_at = 1 WHERE kind = 1 AND target_id = %d AND status IN (0, 2)" % _row(box, channel))
        wait_until(lambda: _states(box, channel) == {SENT: 30}, 20, "all are sent")
        same(hook.ids, set(numbers), "each under its one id")
        same(hook.complaints, [])
        _remove(box, channel)


def database_restarted_under_the_dispatcher(box):
    with Hook() as hook:
        hook.does = hook.hang
        channel = _hook(box, hook)
        numbers = _queue(box, channel, 20)
        wait_until(lambda: len(hook.got) >= 5, 10, "five are under way")
        box.stop_part("db")
        hook.release()          # they are answered while nothing can be stored
        time.sleep(1.5)
        box.up()
        wait_until(lambda: _states(box, channel).get(SENT) == 20, 60, "all are sent")
        same(hook.ids, set(numbers))
        _remove(box, channel)


def reload_in_the_middle_sends_each_once(box):
    with Hook() as hook:
        channel = _hook(box, hook)
        numbers = _queue(box, channel, 400)
        wait_until(lambda: len(hook.taken) > 20, 10, "it has begun")
        box.up("--set", "outbound.timeout_ms=5500")
        wait_until(lambda: _states(box, channel) == {SENT: 400}, 30, "all are sent")
        same(sorted(t.headers["webhook-id"] for t in hook.taken), sorted(numbers), "each once")
        box.up("--set", "outbound.timeout_ms=5000")
        _remove(box, channel)


def cron_sends_where_no_dispatcher_runs(box):
    World.of(box)
    box.up("--set", "outbound.dispatcher=false")
    try:
        with Hook() as hook:
            channel = _hook(box, hook)
            same(_dispatcher(box), None)
            answer = _test(box, channel)
            same((answer["success"], answer["delivery"]["status"], answer["attempt"]), (False, "waiting", None))
            true("cron" in answer["message"], answer["message"])
            box.jobs("outbox")
            same(hook.got, [], "what is younger than ten seconds is the dispatcher's, were there one")
            box.sql("UPDATE outbox SET next_at = next_at - 11000 WHERE target_id = %d AND status = 0" % _row(box, channel))
            box.jobs("outbox")
            same(([t.body["type"] for t in hook.taken], hook.complaints), (["channel.test"], []))
            _remove(box, channel)
    finally:
        box.up("--set", "outbound.dispatcher=true")


# ---- forwards have the same dispatcher ----

def forwarded_event_wakes_the_dispatcher(box):
    """Which looks by itself twice a second: each begins just behind such a look, so that none would be quick. How quick it is, contrib/bench says."""
    World.of(box)
    with Handler() as handler:
        source = box.integration("webhook", actions=["forward"], handlerUrl=handler.url, rateLimitPerMinute=0)
        answered = {}
        for _ in range(20):
            reply = box.send(source, {"type": "order.paid", "id": os.urandom(6).hex()})
            answered[reply.expect(201)["result"]["event"]["id"]] = time.time()     # just behind the commit
            wait_until(lambda: len(handler.got) == len(answered), 10, "it leaves by itself")
        late = min((g.at - answered[g.headers["webhook-id"]]) * 1000 for g in handler.got[1:])
        true(late < 200, "%.1f ms after the answer" % late)


def without_look_alikes_things_are_as_before(box):
    """The last one: what the others changed is set back."""
    box.up("--set", "server.development=false", "--set", "keys.test_hosts=", "--set", "keys.test_authorities=")
    box.get("/api/channels")
