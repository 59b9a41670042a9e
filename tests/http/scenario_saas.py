"""Platforms that insist on an answer of their own: Slack, Twilio, Salesforce. Notion's handshake is among the handshakes."""
import base64
import hashlib
import hmac
import json
import os
import secrets
import time
import urllib.parse
import xml.etree.ElementTree as xml

from harness import same, true

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")
FORM = "application/x-www-form-urlencoded"
TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


def _golden(*path):
    with open(os.path.join(GOLDEN, *path), "rb") as f:
        return f.read()


def _slack(box, source, body, content_type="application/json", ago=0, headers=None):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = str(int(time.time()) - ago)
    mac = hmac.new(source["signatureSecret"].encode(), b"v0:%s:" % at.encode() + body, hashlib.sha256).hexdigest()
    return box.send(source, body, {"Content-Type": content_type, "X-Slack-Request-Timestamp": at, "X-Slack-Signature": "v0=" + mac,
                                   **(headers or {})}, key=False, source=box.fresh_address())


def _slack_source(box):
    return {**box.integration("slack", signatureSecret="8f742231b10e8888abcd99yyyzzz85a5"),
            "signatureSecret": "8f742231b10e8888abcd99yyyzzz85a5"}


def slack_challenge_comes_back_as_text_once_it_is_proven(box):
    source = _slack_source(box)
    ask = {"token": "x", "type": "url_verification", "challenge": secrets.token_hex(20)}
    reply = _slack(box, source, ask)
    same((reply.status, reply.header("content-type"), reply.body.decode()), (200, "text/plain", ask["challenge"]))
    reply = _slack(box, source, ask, ago=301)
    reply.expect(401, "invalid_signature")
    same(reply.header("x-slack-no-retry"), "1")


def slack_tells_an_event_three_times_and_it_is_one(box):
    source = _slack_source(box)
    event = {"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "Ev" + secrets.token_hex(5),
             "event_time": int(time.time()), "event": {"type": "reaction_added", "user": "U1", "reaction": "eyes",
                                                       "item": {"type": "message", "channel": "C1", "ts": "1.2"}}}
    first = _slack(box, source, event).expect(200)
    again = _slack(box, source, event, headers={"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}).expect(200)
    same((first["result"]["action"], again["alreadyProcessed"]), ("ignored", True))
    same(again["result"]["event"]["id"], first["result"]["event"]["id"])
    one = box.get("/api/events/" + first["result"]["event"]["id"])
    same((one["eventType"], one["entityType"], one["entityId"]), ("reaction_added", "message", "C1:1.2"))


def slack_people_get_empty_answers_and_suggestions_a_list(box):
    source = _slack_source(box)
    for name in ("view_submission", "slash-command", "block_actions"):
        reply = _slack(box, source, _golden("slack", name + ".form"), FORM)
        same((reply.status, reply.body), (200, b""), name)
    reply = _slack(box, source, _golden("slack", "block_suggestion-made.form"), FORM)
    same((reply.status, json.loads(reply.body)), (200, {"options": []}))


# ---- Twilio ----

TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f"


def _twilio(box, source, url, uri="", body=b"", content_type=FORM, method="POST", form=True):
    """`url`: what Twilio has called, up to the query."""
    pairs = sorted(set(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))) if form else []
    signed = url + uri + "".join(name + value for name, value in pairs)
    mac = base64.b64encode(hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    return box.send(source, body, {"Content-Type": content_type if body else None, "X-Twilio-Signature": mac}, method=method, key=False,
                    path="/api/webhooks/twilio/%s%s" % (source["id"], uri), source=box.fresh_address())


def twilio_signs_the_public_url_with_or_without_its_port(box):
    source = box.integration("twilio", signatureSecret=TOKEN)
    url = source["webhookUrl"]
    for called in (url, url.replace(":%d" % box.port, "")):
        sid = "SM" + secrets.token_hex(16)
        reply = _twilio(box, source, called, body=b"MessageSid=%s&SmsStatus=received&AccountSid=AC1&ToZip=&Body=a+b" % sid.encode())
        same((reply.status, reply.header("content-type"), reply.body), (200, "text/xml", TWIML))
        same(box.sql("SELECT event_type, entity_id FROM events WHERE entity_id = '%s'" % sid), [["message.received", sid]])
    _twilio(box, source, "https://elsewhere.example/x", body=b"MessageSid=SM1&SmsStatus=received").expect(401, "invalid_signature")
    reply = _twilio(box, source, url, "?MessageSid=SM2&SmsStatus=received&Body=it%27s", method="GET")
    same((reply.status, reply.body), (200, TWIML))


def twilio_calls_the_url_that_the_owner_says(box):
    source = box.integration("twilio", signatureSecret=TOKEN, settings={"url": "https://public.example/hook#rc=2"})
    body = b"MessageSid=SM3&MessageStatus=sent&AccountSid=AC1"
    same(_twilio(box, source, "https://public.example/hook", body=body).status, 200)
    _twilio(box, source, source["webhookUrl"], body=body).expect(401, "invalid_signature")
    refused = box.api("PATCH", "/api/integrations/" + source["id"], {"settings": {"url": 7, "uri": "x"}})
    refused.expect(400, "invalid_request")


def twilio_streams_bring_the_hash_of_their_body(box):
    source = box.integration("twilio", signatureSecret=TOKEN)
    body = _golden("twilio", "event-streams-two-made.json")
    uri = "?bodySHA256=" + hashlib.sha256(body).hexdigest()
    same(_twilio(box, source, source["webhookUrl"], uri, body, "application/json", form=False).expect(200), {"received": True})
    for changed, query in ((body + b" ", uri), (body, "")):
        _twilio(box, source, source["webhookUrl"], query, changed, "application/json", form=False).expect(401, "invalid_signature")


# ---- Salesforce ----

SOAP = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"


def _soap(box, source, body, query="", key=True):
    path = "/api/integrations/salesforce/%s%s" % (source["id"], "?key=" + source["key"] if key else "")
    reply = box.send(source, body, SOAP, path=path + query, key=False, source=box.fresh_address())
    same(reply.header("content-type"), "text/xml")
    return reply, xml.fromstring(reply.body)


def salesforce_messages_are_acknowledged_as_a_whole_and_the_session_is_not_kept(box):
    source = box.integration("salesforce")
    message = _golden("salesforce", "outbound-message-2-contacts.xml")
    reply, answer = _soap(box, source, message)
    same((reply.status, answer.find(".//%sAck" % OUTBOUND).text), (200, "true"))
    same(box.number("SELECT COUNT(*) FROM events e JOIN sources s ON s.id = e.source_id WHERE s.public_id = '%s'" % source["id"]), 2)
    kept = box.sql("SELECT r.body FROM requests r JOIN sources s ON s.id = r.source_id WHERE s.public_id = '%s'" % source["id"])
    true("EXAMPLEONLY" not in str(kept) and "<SessionId>***" in str(kept), "the session")
    true(b"EXAMPLEONLY" not in box.logs(), "the session in the logs")
    reply, answer = _soap(box, source, message)
    same((reply.status, answer.find(".//%sAck" % OUTBOUND).text), (200, "true"), "again")


def salesforce_refusals_are_faults(box):
    source = box.integration("salesforce", settings={"organizationId": "00D1I000003qqqEUAQ"})
    ours = _golden("salesforce", "outbound-message-one-made.xml")
    same(_soap(box, source, ours)[0].status, 200)
    for body, key, status in ((ours.replace(b"003qqqE", b"003QQQE"), True, 400), (ours, False, 401), (ours[:300], True, 400),
                              (_golden("salesforce", "outbound-message-empty.xml"), True, 400),
                              (_golden("salesforce", "doctype-made.xml"), True, 400)):
        reply, answer = _soap(box, source, body, key=key)
        same((reply.status, answer.find(".//faultcode").text), (status, "soapenv:Client"))
        true(answer.find(".//%sFault" % ENVELOPE) is not None and len(answer.find(".//faultstring").text) > 10, "a sentence")


def salesforce_change_of_two_records_is_two_events(box):
    source = box.integration("salesforce")
    results = box.send(source, _golden("salesforce", "cdc-two-records-made.json")).expect(201)["results"]
    same([box.get("/api/events/" + r["event"]["id"])["entityId"] for r in results], ["0011t00000AAAAA", "0011t00000BBBBB"])
