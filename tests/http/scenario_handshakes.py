"""Handshakes: what a sender asks for before it sends, carried out: SNS from its subscription to alarm and end of alarm, Notion's secret.

SNS is played by a TLS server on loopback under its own name; cron's job is run by hand, and a time that has passed is written to the
table, since the clock is not ours to set."""
import base64
import hashlib
import hmac
import json
import subprocess
import time

from harness import same, true, rfc3339, uuid
from look_alike import Authority, Host, sns_signed
from visitor import Visitor

WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew

SNS = "sns.us-east-1.amazonaws.com"
CERTIFICATE = "https://%s/SimpleNotificationService-0.pem" % SNS
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
OTHER = "arn:aws:sns:us-east-1:210987654321:stranger"
ARN = TOPIC + ":11111111-2222-3333-4444-555555555555"
CONFIRMED = ("<ConfirmSubscriptionResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><ConfirmSubscriptionResult>\n"
             "<SubscriptionArn>%s</SubscriptionArn>\n</ConfirmSubscriptionResult></ConfirmSubscriptionResponse>" % ARN).encode()


OURS = "kind = 4"       # of the outbox: visits that confirm


class World:
    """SNS, and an instance that knows of it; made once."""
    made = {}

    def __init__(self, box):
        self.box, self.authority = box, Authority()
        self.authority.certificate("host", "host", [SNS])
        self.authority.certificate("sns", "sns.amazonaws.com")
        self.host, pem = Host(self.authority), self.authority.text("sns.pem")
        self.confirmation = (200, CONFIRMED, {})
        self.host.answers[SNS] = lambda: (200, pem, {}) if self.host.request[0].endswith(".pem") else self.confirmation
        box.up("--set", "outbound.dispatcher=false", "--set", "server.development=true", "--set", "keys.test_authorities=" + self.authority.path("ca.pem"), "--set",
               "keys.test_hosts=%s=127.0.0.1:%d" % (SNS, self.host.port))

    @classmethod
    def of(cls, box):
        if box not in cls.made:
            cls.made[box] = cls(box)
        return cls.made[box]

    def sns(self, source, message, topic=TOPIC):
        message = {"MessageId": uuid(), "TopicArn": topic, "Timestamp": rfc3339(time.time()), **message}
        return self.box.send(source, sns_signed(self.authority, message, CERTIFICATE), {
            "Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": message["Type"]}, key=False,
            source=self.box.fresh_address())

    def ask(self, source, kind="SubscriptionConfirmation", topic=TOPIC):
        """SNS's question; the address that it gives."""
        token = uuid()
        url = "https://%s/?Action=ConfirmSubscription&TopicArn=%s&Token=%s" % (SNS, topic, token)
        return url, self.sns(source, {"Type": kind, "Token": token, "Message": "You have chosen ...", "SubscribeURL": url}, topic)

    def alarm(self, source, state, name="cpu", topic=TOPIC):
        return self.sns(source, {"Type": "Notification", "Subject": "%s: cpu" % state, "Message": json.dumps({
            "AlarmName": name, "AWSAccountId": "123456789012", "NewStateValue": state, "NewStateReason": "Threshold Crossed",
            "StateChangeTime": rfc3339(time.time()), "Region": "US East (N. Virginia)",
            "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:" + name})}, topic)

    def cron(self):
        """Its job, when no dispatcher has taken what came."""
        self.box.sql("UPDATE outbox SET next_at = next_at - 10000 WHERE attempts = 0 AND " + OURS)
        same([job["outcome"] for job in self.box.jobs("outbox")], ["done"])

    def next_attempt_is_due(self):
        self.box.sql("UPDATE outbox SET next_at = next_at - 7200000 WHERE status IN (0, 2) AND " + OURS)


def _get(box, source):
    return box.get("/api/integrations/" + source["id"])


def sns_from_its_subscription_to_alarm_and_end(box):
    world, admin = World.of(box), Visitor(box)
    source = box.integration("cloudwatch")
    page = "/integrations/" + source["id"]
    same(_get(box, source)["verifiedAt"], None)
    url, reply = world.ask(source)
    same(reply.status, 200, "answer to SNS")
    true("waiting" in admin.page(page) and "Subscription not confirmed yet" in admin.page(page + "/setup"), "it waits for cron")
    same(world.host.count(url), 0, "nothing is visited inside the request")
    world.cron()
    world.cron()
    same(world.host.count(url), 1, "visits")
    true(ARN in admin.page(page) and "Subscription confirmed" in admin.page(page + "/setup"), "it is confirmed")
    number = box.number("SELECT MAX(id) FROM requests WHERE uri LIKE '%%%s'" % source["id"])
    true(ARN in admin.page("/requests/%d" % number), "the request tells, too")
    true(_get(box, source)["verifiedAt"], "verified")
    same(box.sql("SELECT settings FROM sources WHERE public_id = '%s'" % source["id"]), [[json.dumps({"topicArn": TOPIC}, separators=(",", ":"))]])

    opened = world.alarm(source, "ALARM").expect(201)["result"]
    same((opened["action"], opened["incident"]["status"]), ("triggered", "OPEN"))
    same(world.alarm(source, "INSUFFICIENT_DATA").expect(201)["result"]["action"], "ignored")
    ended = world.alarm(source, "OK").expect(201)["result"]
    same((ended["action"], ended["incident"]), ("resolved", {"id": opened["incident"]["id"], "status": "RESOLVED", "isDuplicate": False}))

    asked = len(world.host.asked)
    refused = world.alarm(source, "ALARM", topic=OTHER)
    refused.expect(403, "forbidden")
    true("topicArn" in refused.json()["message"], refused.json()["message"])
    world.ask(source, topic=OTHER)[1].expect(403, "forbidden")
    world.cron()
    same(len(world.host.asked), asked, "nobody was asked")


def sns_says_farewell(box):
    world, admin = World.of(box), Visitor(box)
    source = box.integration("cloudwatch")
    world.alarm(source, "OK").expect(201)
    url, reply = world.ask(source, "UnsubscribeConfirmation")
    same(reply.status, 200)
    world.cron()
    same(world.host.count(url), 0, "visits: that would subscribe again")
    true(_get(box, source)["disconnectedAt"] and "sends no more" in admin.page("/integrations/" + source["id"]), "disconnected")
    world.alarm(source, "OK").expect(201)
    same(_get(box, source)["disconnectedAt"], None, "its next message")
    true("sends no more" not in admin.page("/integrations/" + source["id"]), "connected again")


def a_confirmation_is_tried_again_and_given_up(box):
    world, admin = World.of(box), Visitor(box)
    page = "/integrations/%s"
    source = box.integration("cloudwatch")
    world.confirmation = (503, b"busy", {})
    url, _ = world.ask(source)
    world.cron()
    newest = "SELECT %s FROM outbox WHERE " + OURS + " ORDER BY id DESC LIMIT 1"
    same(box.sql(newest % "status, attempts, next_at > created_at"), [["0", "1", "1"]], "there is a next one")
    box.sql("UPDATE outbox SET next_at = next_at + 3600000 WHERE status = 0 AND " + OURS)
    world.cron()
    same(world.host.count(url), 1, "visits before the next is due")
    true("It was answered 503." in admin.page(page % source["id"]), "why")
    world.confirmation = (200, b"<html>Sign in</html>", {})
    second, _ = world.ask(box.integration("cloudwatch"))
    world.cron()
    same(box.number("SELECT COUNT(*) FROM outbox WHERE error = 'The answer does not confirm it.' AND status = 3"), 1)
    world.confirmation = (200, CONFIRMED, {})
    world.next_attempt_is_due()
    world.cron()
    same((world.host.count(url), world.host.count(second)), (2, 1), "visits")
    true(ARN in admin.page(page % source["id"]), "confirmed at last")

    lost = box.integration("cloudwatch")
    world.confirmation = (302, b"", {"Location": "https://%s/elsewhere" % SNS})
    url, _ = world.ask(lost)
    world.cron()
    same(box.sql(newest % "status, attempts, error"), [["3", "1", "It was answered 302; redirects are not followed."]])
    true("https://%s/elsewhere" % SNS not in world.host.asked, "a redirect was followed")
    true("Ask AWS CloudWatch for another" in admin.page(page % lost["id"] + "/setup"), "what to do")
    world.confirmation = (500, b"", {})
    url, _ = world.ask(box.integration("cloudwatch"))
    for _ in range(14):
        world.cron()
        world.next_attempt_is_due()
    same(world.host.count(url), 12, "visits until it is given up")
    world.confirmation = (200, CONFIRMED, {})


def what_sns_cannot_sign_comes_by_the_key(box):
    world = World.of(box)
    raw = {"AlarmName": "raw", "NewStateValue": "ALARM", "AWSAccountId": "123456789012", "StateChangeTime": rfc3339(time.time()),
           "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:raw"}
    headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-rawdelivery": "true", "x-amz-sns-message-id": uuid(), "x-amz-sns-topic-arn": TOPIC}
    signing = box.integration("cloudwatch")
    box.send(signing, raw, headers, source=box.fresh_address()).expect(401, "invalid_signature")
    number = box.number("SELECT MAX(id) FROM requests WHERE uri LIKE '%%%s'" % signing["id"])
    true("checkSignature" in Visitor(box).page("/requests/%d" % number), "the page of the request says why")
    keyed = box.integration("cloudwatch", settings={"checkSignature": False})
    first = box.send(keyed, raw, headers, key=False, source=box.fresh_address())
    first.expect(401, "invalid_key")
    true(first.header("www-authenticate").startswith("Basic realm=\"Grapnel\""), "asked for: %r" % first.header("www-authenticate"))
    basic = "Basic " + base64.b64encode(("aws:" + keyed["key"]).encode()).decode()
    box.send(keyed, raw, {**headers, "Authorization": basic}, key=False).expect(201)
    same(box.send(keyed, raw, {**headers, "Authorization": basic}, key=False).expect(200)["alreadyProcessed"], True)
    same(world.alarm(keyed, "OK", "raw").status, 401, "an envelope without the key")


def notion_brings_its_secret_and_wants_it_back(box):
    World.of(box)
    admin, token = Visitor(box), "secret_" + uuid()
    source = box.integration("notion")
    page = "/integrations/%s" % source["id"]

    def send(body, secret=None):
        body = json.dumps(body).encode()
        mac = hmac.new((secret or token).encode(), body, hashlib.sha256).hexdigest()
        return box.send(source, body, {"X-Notion-Signature": "sha256=" + mac}, "/api/integrations/notion/%s?key=%s" % (source["id"], source["key"]),
                        key=False, source=box.fresh_address())

    same(box.api("POST", "/api/integrations/%s/received-secret" % source["id"]).status, 409, "nothing came yet")
    same(send({"verification_token": token}).status, 200)
    same(_get(box, source)["hasSecret"], True)
    admin.page(page + "/setup")
    true("Show the secret that Notion sent" in admin.text, "a button")
    true(token in admin.done(admin.post(page + "/received-secret"), page + "/setup") or token in admin.text, "shown")
    same(admin.post(page + "/received-secret").status, 303)
    true(token not in admin.page(page + "/setup"), "shown twice")
    same(box.api("POST", "/api/integrations/%s/received-secret" % source["id"]).status, 409)

    event = {"id": uuid(), "timestamp": rfc3339(time.time()), "type": "page.created", "entity": {"id": uuid(), "type": "page"}}
    same(send(event).status // 100, 2, "signed with it")
    other = "secret_" + uuid()
    same(send({"verification_token": other}, other).status, 200, "a token of somebody else")
    same(send({**event, "id": uuid()}, other).status, 401, "changes nothing")
    same(send({**event, "id": uuid()}).status // 100, 2, "the first one is still good")
    true(token.encode() not in box.logs() and other.encode() not in box.logs(), "a token in a log")
    true("the integration has one: nothing was changed" in admin.page("/requests?outcome=refused&source=" + source["id"]), "reported")


def then_all_is_as_it_was(box):
    box.up("--set", "outbound.dispatcher=true", "--set", "keys.test_hosts=", "--set", "keys.test_authorities=", "--set", "server.development=false")
    same(box.request("GET", "/readyz").status, 200)
