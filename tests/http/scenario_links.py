"""Links that act without a sign-in: what they may do, once, and everything that is none. The tokens are made here, by the description of their
bytes in doc/links.md and the key file of the instance."""
import base64
import hashlib
import hmac
import os
import re
import struct
import time

from harness import alert, alerts, same, together, true
from visitor import Visitor

ACKNOWLEDGE, RESOLVE = 0, 1
USER, CHANNEL = 0, 1


def _key(box):
    """The first key of the file: (number, bytes)"""
    with open(box.setting("secrets", "key_file")) as f:
        number, digits = [line.split() for line in f if line.strip() and not line.startswith("#")][0]
    return int(number), bytes.fromhex(digits)


def _token(box, incident, action, to, recipient, expires_at=None, version=1, message=None):
    """Of a message to a person's only contact, or to a channel."""
    number, key = _key(box)
    contact = box.number("SELECT COALESCE(MAX(id), 0) FROM contacts WHERE user_id = %d" % recipient) if to == USER else 0
    what = version << 6 | to << 4 | action
    rest = struct.pack(">QIIIQ", int(incident), recipient, contact, int(expires_at or time.time() + 3600), message or int.from_bytes(os.urandom(7), "big"))
    derived = hmac.new(key, b"incident-link", hashlib.sha256).digest()
    mac = hmac.new(derived, bytes((what, 0)) + rest, hashlib.sha256).digest()[:12]
    return base64.urlsafe_b64encode(bytes((what, number)) + rest + mac).decode()


def _incident(box, **more):
    source = box.integration("prometheus", rateLimitPerMinute=0)
    return box.send(source, alerts(alert(**more))).expect(201)["result"]["incident"]["id"]


def _person(box, role="operator", tenant=1):
    name = Visitor(box, role, tenant).name
    row = box.number("SELECT id FROM users WHERE name = '%s'" % name)
    box.sql("INSERT INTO contacts (public_id, tenant_id, user_id, kind, address, verified_at, created_at)"
            " VALUES ('ct_%s', %d, %d, 'sms', '+4930123456', 1, 1)" % (os.urandom(10).hex(), tenant, row))
    return name, row


def _channel(box):
    name = "mail %s" % os.urandom(3).hex()
    made = box.api("POST", "/api/channels", {"name": name, "kind": "email", "to": ["ops@example.org"], "events": ["monitor.*"]}).expect(201)
    return made["id"], name, box.number("SELECT id FROM channels WHERE public_id = '%s'" % made["id"])


def _get(box, link, method="GET", source=None, headers=None):
    return box.request(method, "/l/" + link, headers=headers, source=source)


def _post(box, link, source=None):
    return box.request("POST", "/l/" + link, source=source, headers={"Content-Type": "application/x-www-form-urlencoded"})


def _state(box, incident):
    return box.get("/api/incidents/" + incident)


def link_of_a_person_shows_then_acts_once(box):
    incident = _incident(box, summary="x")
    name, row = _person(box)
    link = _token(box, incident, ACKNOWLEDGE, USER, row)
    same(len(link), 56)
    for method in ("GET", "HEAD", "GET"):
        reply = _get(box, link, method)
        same((reply.status, reply.header("referrer-policy"), reply.header("cache-control"), reply.header("x-robots-tag"), reply.header("set-cookie")),
             (200, "no-referrer", "no-store", "noindex, nofollow, noarchive", None))
    same(_state(box, incident)["status"], "OPEN", "who looks changes nothing")
    page = _get(box, link).body.decode()
    true("Acknowledge this incident?" in page and 'action="/l/%s"' % link in page, "says what it will do: %s" % page)
    seen = _state(box, incident)
    true(seen["title"] in page and seen["serviceName"] in page, "and to what")
    for secret in (seen["dedupKey"], incident, name, "/incidents/"):
        true(secret not in page, "tells no more: %s" % secret)
    done = _post(box, link)
    true(done.status == 200 and "Acknowledged." in done.body.decode(), "%d %s" % (done.status, done.body))
    seen = _state(box, incident)
    entry = seen["timeline"][-1]
    same((seen["status"], entry["kind"], entry["actor"], entry["user"], entry["byLink"]), ("ACKNOWLEDGED", "acknowledged", "person", name, "sms to %s, +49…56" % name))
    same(box.sql("SELECT action, user_id, detail FROM audit_log WHERE object = '%s'" % incident), [["incident.acknowledge", str(row), '{"link":"sms to %s, +49…56"}' % name]])
    same((_post(box, link).status, _get(box, link).status), (410, 410), "each serves once")
    page = re.sub(r"\s+", " ", Visitor(box, "viewer").page("/incidents/" + incident))
    true("<b>%s</b> acknowledged it by a link (sms to %s, +49…56)" % (name, name) in page, "the timeline names the person, and the way")


def link_of_a_channel_acts_for_it(box):
    incident = _incident(box)
    _, name, row = _channel(box)
    same(_post(box, _token(box, incident, ACKNOWLEDGE, CHANNEL, row)).status, 200)
    same(_post(box, _token(box, incident, RESOLVE, CHANNEL, row)).status, 200)
    seen = _state(box, incident)
    same([(t["kind"], t["actor"], t["user"], t["byLink"]) for t in seen["timeline"][1:]],
         [(kind, "person", None, "email to the channel " + name) for kind in ("acknowledged", "resolved")])
    same(seen["resolvedBy"], "person")
    page = re.sub(r"\s+", " ", Visitor(box, "viewer").page("/incidents/" + incident))
    true("<b>Somebody</b> resolved it by a link (email to the channel %s)" % name in page, "the page says whose link")


def link_of_one_addressee_says_which(box):
    incident = _incident(box)
    _, name, row = _channel(box)
    message = int.from_bytes(os.urandom(6), "big")
    box.sql("INSERT INTO outbox (id, tenant_id, kind, target_id, recipient, cause_id, payload, status, next_at, created_at)"
            " VALUES (%d, 1, 1, %d, '+15005550123', %s, '{}', 1, 0, 0)" % (message, row, incident))
    same(_post(box, _token(box, incident, RESOLVE, CHANNEL, row, message=message)).status, 200)
    same(_state(box, incident)["timeline"][-1]["byLink"], "email to the channel %s, +15…23" % name)


def what_is_done_already_needs_no_link(box):
    incident, other = _incident(box), _incident(box)
    _, row = _person(box)
    box.api("POST", "/api/incidents/%s/acknowledge" % incident, {}).expect(200)
    link = _token(box, incident, ACKNOWLEDGE, USER, row)
    shown, posted = _get(box, link), _post(box, link)
    same((shown.status, posted.status), (200, 409))
    true("<form" not in shown.body.decode() and "already" in shown.body.decode(), "a sentence, and no button")
    same(_post(box, _token(box, incident, RESOLVE, USER, row)).status, 200, "an acknowledged one can be resolved")
    same(_post(box, _token(box, incident, RESOLVE, USER, row)).status, 409)
    box.api("POST", "/api/incidents/%s/reopen" % incident, {}).expect(200)
    same((_post(box, link).status, _state(box, incident)["status"]), (200, "ACKNOWLEDGED"), "open again, it serves after all")
    same(_state(box, other)["status"], "OPEN")


def links_that_are_none_any_more(box):
    incident = _incident(box)
    name, row = _person(box)
    channel, _, channel_row = _channel(box)
    _, viewer = _person(box, "viewer")
    _, stranger = _person(box, tenant=box.new_tenant())
    box.api("DELETE", "/api/channels/" + channel).expect(204)
    for what, link, status in (("too old", _token(box, incident, RESOLVE, USER, row, time.time() - 1), 410),
                               ("incident gone", _token(box, 7, RESOLVE, USER, row), 410),
                               ("channel deleted", _token(box, incident, RESOLVE, CHANNEL, channel_row), 403),
                               ("a viewer", _token(box, incident, RESOLVE, USER, viewer), 403),
                               ("of another tenant", _token(box, incident, RESOLVE, USER, stranger), 403)):
        for reply in (_get(box, link), _post(box, link)):
            same(reply.status, status, what)
            true("<form" not in reply.body.decode(), "%s: no button" % what)
    deleted = _token(box, incident, RESOLVE, USER, row)
    box.sql("DELETE FROM contacts WHERE user_id = %d" % row)
    same((_get(box, deleted).status, _post(box, deleted).status), (403, 403), "the telephone was lost, and its contact deleted")
    name, row = _person(box)
    box.sql("UPDATE users SET enabled = 0 WHERE id = %d" % row)
    same(_post(box, _token(box, incident, RESOLVE, USER, row)).status, 403, "disabled meanwhile")
    same(_state(box, incident)["status"], "OPEN")



def forged_links_are_not_found_and_slow_their_maker(box):
    incident = _incident(box)
    _, row = _person(box)
    good = _token(box, incident, RESOLVE, USER, row)
    address = box.fresh_address()
    wrong = [good[:-1] + ("A" if good[-1] != "A" else "B"), "A" * 56, good[:-4], good + "AAAA", _token(box, incident, RESOLVE, USER, row, version=2),
             "x"]
    failures, began = 2 * len(wrong), time.monotonic()
    for link in wrong:
        same((_get(box, link, source=address).status, _post(box, link, source=address).status), (404, 404), link)
    while True:
        last = _get(box, "A" * 56, source=address)
        if last.status == 429 and int(last.header("retry-after")) > 5:      # it says how long: there is time for what follows
            break
        failures += last.status != 429
        true(last.status in (404, 429) and failures <= 31 + (time.monotonic() - began) / 10, "thirty at once, and one more each ten seconds: %d" % failures)
        time.sleep(0.05)
    true(failures >= 30, "thirty may be wrong: %d" % failures)
    same(_post(box, good, source=address).status, 429, "a good one waits as well: nothing tells it from the others")
    same(_post(box, good, source=box.fresh_address()).status, 200, "elsewhere it works")
    same(box.request("PUT", "/l/" + good).status, 405)


def two_who_press_at_once_are_one(box):
    incident = _incident(box)
    _, row = _person(box)
    link = _token(box, incident, RESOLVE, USER, row)
    statuses = sorted(reply.status for reply in together([lambda: _post(box, link)] * 8))
    same(statuses, [200] + [410] * 7)
    same([t["kind"] for t in _state(box, incident)["timeline"]], ["opened", "resolved"])


def uses_go_when_their_links_have_ended(box):
    incident = _incident(box)
    _, row = _person(box)
    same(_post(box, _token(box, incident, RESOLVE, USER, row)).status, 200)
    box.sql("UPDATE link_uses SET expires_at = 1 WHERE incident_id = %s" % incident)
    box.jobs("sessions")
    same(box.number("SELECT COUNT(*) FROM link_uses WHERE incident_id = %s" % incident), 0)
