"""People are paged, step by step, until somebody takes care: by contacts that their codes have proven, once, whatever dies in between, and never after
somebody has acknowledged. Time is told by moving what waits."""
import os
import re
import signal
import threading
import time

from handler import Handler
from harness import alert, alerts, same, true, wait_until
from receivers import Hook, Twilio
from scenario_channels import World, _channel, _dispatcher, _hook, _remove
from visitor import Visitor

WORKERS_MAY_DIE = True      # the dispatcher is killed, and the configuration changed

MINUTE = 60000


def _mails(box, to):
    return [m for m in World.of(box).local.mails if m.to == [to]]


def _forget_codes(box):
    box.sql("DELETE FROM contact_codes")


def _contact(box, kind="email", address=None):
    """A verified one of the admin's; its address. How many codes are sent is a scenario of its own."""
    World.of(box)
    _forget_codes(box)
    address = address or "pager-%s@example.org" % os.urandom(4).hex()
    made = box.api("POST", "/api/contacts", {"kind": kind, "address": address}).expect(201)
    same(made["status"], "waiting")
    wait_until(lambda: _mails(box, address), 30, "the code comes")
    code = re.search(r"\b(\d{6})\b", _mails(box, address)[0].message["Subject"]).group(1)
    same(box.api("POST", "/api/contacts/%s/verify" % made["id"], {"code": code}).expect(200)["status"], "verified")
    return made["id"], address


def _me(box):
    return next(u["id"] for u in box.get("/api/users?limit=100")["users"] if u["name"] == box.env["GRAPNEL_ADMIN_USER"])


class Setting:
    """A policy, a service that uses it, a source of that service. Its contacts and channels are gone afterwards."""

    def __init__(self, box, *steps, repeat=0):
        World.of(box)
        # What other scenarios left would go on after its five minutes: with alerts of the monitor, of which channels hear.
        box.sql("UPDATE escalations SET ended = 3, ended_at = 1, next_at = NULL, since = 0, paused = 0 WHERE ended = 0")
        word = os.urandom(3).hex()
        self.box = box
        self.policy = box.api("POST", "/api/escalation-policies", {"name": "policy " + word, "repeat": repeat, "steps": [
            {"delayMinutes": delay, "targets": [{"id": t} for t in targets]} for delay, *targets in steps]}).expect(201)["id"]
        self.service = box.api("POST", "/api/services", {"name": "service " + word, "policyId": self.policy}).expect(201)["id"]
        self.source = box.integration("prometheus", rateLimitPerMinute=0, serviceId=self.service)

    def incident(self, severity="critical"):
        return self.box.send(self.source, alerts(alert(severity=severity))).expect(201)["result"]["incident"]["id"]

    def escalation(self, incident):
        return self.box.get("/api/incidents/" + incident)["escalation"]

    def entries(self, incident):
        return [t["text"] for t in self.box.get("/api/incidents/" + incident)["timeline"] if t["kind"] == "escalated"]

    def passes(self, incident, minutes):
        self.box.sql("UPDATE escalations SET since = since - {0}, next_at = next_at - {0} WHERE incident_id = {1}".format(minutes * MINUTE, incident))

    def runs(self, incident):
        return self.box.number("SELECT COUNT(*) FROM escalations WHERE ended = 0 AND incident_id = " + incident) == 1


def _pages(box, incident):
    return box.number("SELECT COUNT(*) FROM outbox WHERE kind = 5 AND cause_id = " + incident)


def contact_is_proven_by_its_code(box):
    World.of(box)
    address = "me-%s@example.org" % os.urandom(4).hex()
    contact = box.api("POST", "/api/contacts", {"kind": "email", "address": address}).expect(201)
    path = "/api/contacts/" + contact["id"]
    box.api("POST", "/api/contacts", {"kind": "email", "address": address}).expect(409)
    wait_until(lambda: _mails(box, address), 30, "the code comes")
    mail = _mails(box, address)[0]
    code = re.search(r"Your code is (\d{6})$", mail.message["Subject"]).group(1)
    true(code in mail.raw and "Sent by Grapnel to admin." in mail.raw, mail.raw)
    same(box.number("SELECT COUNT(*) FROM outbox WHERE kind = 5 AND payload LIKE '%%%s%%'" % code), 0, "it stands nowhere")
    wrong = "%06d" % ((int(code) + 1) % 1000000)
    for _ in range(5):
        same(box.api("POST", path + "/verify", {"code": wrong}).expect(400)["message"], "This is not the code.")
    same(box.api("POST", path + "/verify", {"code": code}).expect(400)["message"], "There were five wrong codes. Have another one sent.")
    same(box.api("POST", path + "/code").expect(200)["status"], "waiting")
    wait_until(lambda: len(_mails(box, address)) == 2, 30, "another one comes")
    newer = re.search(r"Your code is (\d{6})$", _mails(box, address)[1].message["Subject"]).group(1)
    box.sql("UPDATE contacts SET code_until = code_until - %d WHERE public_id = '%s'" % (16 * MINUTE, contact["id"]))
    same(box.api("POST", path + "/verify", {"code": newer}).expect(400)["message"], "The code counts no more. Have another one sent.")
    box.sql("UPDATE contacts SET code_until = code_until + %d WHERE public_id = '%s'" % (16 * MINUTE, contact["id"]))
    same(box.api("POST", path + "/verify", {"code": newer[:3] + " " + newer[3:]}).expect(200)["status"], "verified")
    box.api("POST", path + "/code").expect(409)
    box.api("DELETE", path).expect(204)
    box.api("DELETE", path).expect(404)


def codes_are_not_sent_without_end(box):
    World.of(box)
    _forget_codes(box)
    word = os.urandom(4).hex()
    first, second = (box.api("POST", "/api/contacts", {"kind": "email", "address": "%s-%s@example.org" % (name, word)}).expect(201)["id"]
                     for name in ("many", "more"))

    def send(contact, times=1):
        for _ in range(times):
            box.api("POST", "/api/contacts/%s/code" % contact).expect(200)

    def refused(contact, sentence):
        answer = box.api("POST", "/api/contacts/%s/code" % contact).expect(429)
        same((answer["error"], answer["message"]), ("rate_limited", sentence))

    def an_hour_passes():
        box.sql("UPDATE contact_codes SET since = since - %d" % (61 * MINUTE))

    try:
        send(first, 8)
        refused(first, "10 codes were sent within an hour. Try again later.")
        an_hour_passes()
        send(first)
        refused(first, "10 codes were sent to this address within a day. Try again tomorrow.")
        box.api("DELETE", "/api/contacts/" + first).expect(204)
        same(box.api("POST", "/api/contacts", {"kind": "email", "address": ("many-%s@example.org" % word).upper()}).expect(429)["message"],
             "10 codes were sent to this address within a day. Try again tomorrow.", "made anew, and written otherwise")
        first = next(c["id"] for c in box.get("/api/contacts")["contacts"] if c["address"].lower() == "many-%s@example.org" % word)
        send(second, 8)
        an_hour_passes()
        send(second)
        same(box.api("POST", "/api/contacts", {"kind": "email", "address": "third-%s@example.org" % word}).expect(429)["message"],
             "20 codes were sent within a day. Try again tomorrow.")
        box.sql("UPDATE contact_codes SET since = since + %d" % (1441 * MINUTE))    # a clock was wrong
        send(first)
        box.sql("UPDATE contact_codes SET since = since - %d" % (2 * 1441 * MINUTE))
        send(first)
        same(box.number("SELECT COUNT(*) FROM contact_codes"), 3, "those of the day before are gone")
    finally:
        for contact in box.get("/api/contacts")["contacts"]:
            if word in contact["address"].lower():
                box.api("DELETE", "/api/contacts/" + contact["id"]).expect(204)
        _forget_codes(box)


def endpoints_that_hang_hold_up_no_page(box):
    """Everybody may name twenty receivers that hang, and of each five requests are under way: the places of those who are woken are not among them."""
    contact, address = _contact(box)
    box.up("--set", "outbound.timeout_ms=60000")
    viewer = box.new_token("viewer")
    endpoints = []
    with Handler() as hanging:
        hanging.does = hanging.hang
        s = Setting(box, (5, _me(box)))
        try:
            for i in range(20):
                endpoints.append(box.api("POST", "/api/endpoints", {"url": "%s/%d" % (hanging.url, i), "events": ["incident.*"]}, token=viewer).expect(201)["id"])
            for _ in range(5):
                s.incident("info")
            wait_until(lambda: hanging.inside >= 40, 30, "all who hang have begun")
            incident = s.incident()
            wait_until(lambda: any("/incidents/" + incident in m.raw.replace("=\r\n", "") for m in _mails(box, address)), 30, "the page comes")
            true(40 <= hanging.inside <= 44 and hanging.most <= 44, "they hang still, and have no more places: %d" % hanging.most)
        finally:
            for endpoint in endpoints:
                box.api("DELETE", "/api/endpoints/" + endpoint, token=viewer).expect(204)
            hanging.release()
            box.up("--set", "outbound.timeout_ms=5000")
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def whoever_has_an_endpoint_is_told_by_mail_that_it_is_off(box):
    contact, address = _contact(box)
    with Handler() as receiver:
        receiver.status = 410
        endpoint = box.api("POST", "/api/endpoints", {"url": receiver.url + "/secret-path", "events": ["alerts.triggered"]}).expect(201)["id"]
        box.api("POST", "/api/endpoints/%s/test" % endpoint).expect(200)
        wait_until(lambda: len(_mails(box, address)) == 2, 30, "the mail comes")
        mail = _mails(box, address)[1]
        true("Your endpoint at 127.0.0.1 was switched off" in mail.message["Subject"], mail.message["Subject"])
        text = mail.raw.replace("=\r\n", "")
        true("It was answered 410." in text and "/endpoints/" + endpoint in text and "secret-path" not in text, text)
        same(box.get("/api/endpoints/" + endpoint)["disabledReason"], "It was answered 410.")
        box.api("DELETE", "/api/endpoints/" + endpoint).expect(204)
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def first_step_is_taken_within_a_second(box):
    """One of them is, whatever else the machine does meanwhile."""
    contact, address = _contact(box)
    s, late = Setting(box, (5, _me(box))), []
    while min(late, default=1) >= 1 and len(late) < 20:
        began = time.time()
        s.incident()
        wait_until(lambda: len(_mails(box, address)) == len(late) + 2, 30, "the page comes")
        late.append(_mails(box, address)[-1].at - began)
    true(min(late) < 1, "paged so many seconds after it was sent: %s" % late)
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def people_are_paged_until_somebody_takes_care(box):
    contact, address = _contact(box)
    with Hook() as hook:
        channel = _hook(box, hook, events=["monitor.*"])
        s = Setting(box, (5, _me(box)), (10, channel["id"]), repeat=1)
        incident = s.incident()
        wait_until(lambda: len(_mails(box, address)) == 2, 30, "the page comes")
        page = _mails(box, address)[1]
        true("[CRITICAL]" in page.message["Subject"] and "/incidents/" + incident in page.raw.replace("=\r\n", ""), page.raw)
        true(re.match(r"Step 1 of policy \w+: admin \(email\)$", s.entries(incident)[0]), s.entries(incident))
        same(hook.taken, [])
        at = s.escalation(incident)
        same([at[k] for k in ("policyId", "state", "why", "nextStep", "steps", "round", "rounds", "endedAt")],
             [s.policy, "running", None, 2, 2, 1, 2, None])
        same([(t["type"], t["id"], t["name"]) for t in at["nextTargets"]], [("channel", channel["id"], channel["name"])])
        true(at["nextAt"] > box.get("/api/incidents/" + incident)["openedAt"], at)
        wait_until(lambda: [(p["name"], p["pages"], p["sent"]) for p in s.escalation(incident)["paged"]] == [("admin", 1, 1)], 30, "who was paged")
        s.passes(incident, 5)
        wait_until(lambda: hook.taken, 30, "the next step is taken")
        same([s.escalation(incident)[k] for k in ("nextStep", "round")], [1, 2])
        body = hook.taken[0].body
        same((body["type"], body["data"]["id"], body["data"]["entry"]["kind"]), ("incident.escalated", incident, "escalated"))
        s.passes(incident, 10)
        wait_until(lambda: len(_mails(box, address)) == 3, 30, "all once more")
        true(", round 2: admin" in s.entries(incident)[2], s.entries(incident))
        link = re.search(r"^Acknowledge: \S+(/l/\S+)$", _mails(box, address)[2].message.get_payload(decode=True).decode().replace("\r", ""), re.M).group(1)
        same(box.request("POST", link).status, 200, "the person takes it by the link of the page")
        masked = address[0] + "…@example.org"
        same(box.get("/api/incidents/" + incident)["timeline"][-1]["byLink"], "email to admin, " + masked)
        same([s.escalation(incident)[k] for k in ("state", "why", "nextStep", "nextTargets")], ["ended", "acknowledged", 0, []])
        wait_until(lambda: not s.runs(incident), 30, "it stops")
        wait_until(lambda: len(hook.taken) == 2, 30, "the channel hears of it")
        time.sleep(1)
        same((len(_mails(box, address)), [t.body["type"] for t in hook.taken]), (3, ["incident.escalated", "incident.acknowledged"]),
             "nobody else is paged, and the channel that was hears that somebody takes care")
        wait_until(lambda: s.escalation(incident)["paged"][0]["sent"] == 2, 30, "what became of the pages is written")
        told = [n for n in box.get("/api/incidents/" + incident)["notifications"] if n["user"]]
        same([(n["kind"], n["user"], n["channelKind"], n["recipient"], n["status"], n["attempts"]) for n in told],
             [("person", "admin", "email", masked, "sent", 1)] * 2)
        page = re.sub(r"\s+", " ", Visitor(box, "viewer").page("/incidents/" + incident))
        true("email, " + masked in page and "It stopped when somebody acknowledged the incident." in page and address not in page, page)
        true(s.escalation(incident)["endedAt"], "it says when")
        same(hook.complaints, [])
        _remove(box, channel)
    box.api("DELETE", "/api/contacts/" + contact).expect(204)
    told = [n for n in box.get("/api/incidents/" + incident)["notifications"] if n["kind"] == "person"]
    same([(n["user"], n["channelKind"], n["recipient"]) for n in told], [("admin", None, masked)] * 2, "it stays when the contact is gone")


def step_that_reaches_nobody_is_followed_at_once(box):
    with Hook() as hook:
        channel, off = _hook(box, hook, events=["monitor.*"]), _hook(box, hook, events=["monitor.*"], enabled=False)
        bob = box.api("POST", "/api/users", {"name": "bob" + os.urandom(3).hex(), "role": "operator"}).expect(201)
        s = Setting(box, (5, bob["id"], off["id"]), (10, channel["id"]))
        incident = s.incident()
        wait_until(lambda: hook.taken, 30, "who is behind is told at once")
        first, second = s.entries(incident)
        true("nobody was reached; %s has no verified contact, the channel %s is switched off" % (bob["name"], off["name"]) in first, first)
        true(second.endswith(": " + channel["name"]), second)
        s.passes(incident, 10)
        wait_until(lambda: not s.runs(incident), 30, "it is at its end")
        true("is at its end, and nobody took care." in s.entries(incident)[2], s.entries(incident))
        same([s.escalation(incident)[k] for k in ("state", "why", "nextAt")], ["ended", "at_end", None])
        true("Nobody takes care" in Visitor(box, "viewer").page("/incidents/" + incident), "the page says it above all")
        running = "SELECT COUNT(*) FROM monitor_alerts WHERE type = 'ESCALATION_EXHAUSTED' AND subject = '%s' AND ended_at IS NULL" % incident
        same(box.number(running), 1)
        box.api("POST", "/api/incidents/%s/resolve" % incident, {}).expect(200)
        wait_until(lambda: box.number(running) == 0, 30, "somebody took care after all")
        same(s.escalation(incident)["why"], "at_end", "how it ended stays")
        box.api("POST", "/api/incidents/%s/reopen" % incident, {}).expect(200)
        wait_until(lambda: len([t for t in hook.taken if t.body["type"] == "incident.escalated"]) == 2, 30, "it begins anew")
        same([s.escalation(incident)[k] for k in ("state", "why", "endedAt")], ["running", None, None])
        box.api("POST", "/api/incidents/%s/resolve" % incident, {}).expect(200)
        lone = Setting(box, (5, bob["id"]), repeat=1)
        nobody = lone.incident()
        wait_until(lambda: lone.entries(nobody), 30, "its first round")
        same(lone.escalation(nobody)["round"], 2, "its second is next")
        lone.passes(nobody, 5)
        wait_until(lambda: lone.escalation(nobody)["state"] == "ended", 30, "it is at its end")
        same(lone.escalation(nobody)["why"], "unreachable")
        true("none of its steps reached anybody" in lone.entries(nobody)[-1], lone.entries(nobody))
        _remove(box, channel, off)


def who_is_on_call_is_paged(box):
    contact, address = _contact(box)
    schedule = box.api("POST", "/api/schedules", {"name": "Day shift " + os.urandom(3).hex(), "layers": [{"users": [_me(box)]}]}).expect(201)
    nobody = box.api("POST", "/api/schedules", {"name": "Nobody " + os.urandom(3).hex(), "layers": []}).expect(201)
    s = Setting(box, (5, nobody["id"]), (5, schedule["id"], _me(box)))
    incident = s.incident()
    wait_until(lambda: len(s.entries(incident)) == 2, 30, "both steps are taken")
    true(s.entries(incident)[0].endswith("nobody was reached; nobody is on call by " + nobody["name"]), s.entries(incident))
    true("admin for %s (email), admin (email)" % schedule["name"] in s.entries(incident)[1], s.entries(incident))
    same(_pages(box, incident), 1, "who stands in it twice is paged once")
    wait_until(lambda: len(_mails(box, address)) == 2, 30, "the page comes")
    box.api("DELETE", "/api/schedules/" + schedule["id"]).expect(409)     # its policy names it
    same([t["name"] for step in box.get("/api/escalation-policies/" + s.policy)["steps"] for t in step["targets"]],
         [nobody["name"], schedule["name"], "admin"])
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def snooze_pauses_it_and_a_test_begins_none(box):
    with Hook() as hook:
        channel = _hook(box, hook, events=["monitor.*"])
        s = Setting(box, (5, channel["id"]), (5, channel["id"]))
        box.api("POST", "/api/integrations/%s/test" % s.source["id"], {"notify": True}).expect(201)
        incident = s.incident()
        wait_until(lambda: len(hook.taken) == 1, 30, "the first step")
        box.api("POST", "/api/incidents/%s/snooze" % incident, {"minutes": 60}).expect(200)
        s.passes(incident, 5)
        wait_until(lambda: box.number("SELECT paused FROM escalations WHERE incident_id = " + incident) == 1, 30, "it pauses")
        same((len(hook.taken), s.escalation(incident)["state"]), (1, "paused"))
        box.api("POST", "/api/incidents/%s/snooze" % incident, {"minutes": 0}).expect(200)
        wait_until(lambda: len(hook.taken) == 2, 30, "it goes on when it wakes")
        same(box.number("SELECT COUNT(*) FROM escalations e JOIN incidents i ON i.id = e.incident_id WHERE i.is_test = 1"), 0)
        same({r.body["data"]["isTest"] for r in hook.taken}, {False})
        _remove(box, channel)


def quiet_hours_are_for_what_is_not_urgent(box):
    contact, address = _contact(box)
    hour = time.gmtime().tm_hour
    box.api("PATCH", "/api/quiet-hours", {"from": "%02d:00" % ((hour - 1) % 24), "to": "%02d:00" % ((hour + 2) % 24), "timeZone": "UTC"}).expect(200)
    s = Setting(box, (5, _me(box)))
    loud, soft = s.incident("critical"), s.incident("warning")
    wait_until(lambda: len(_mails(box, address)) == 2, 30, "the urgent one comes")
    wait_until(lambda: s.entries(soft), 30, "its step is taken")
    true("(email, after the quiet hours)" in s.entries(soft)[0] and "quiet" not in s.entries(loud)[0], s.entries(soft))
    wait_until(lambda: box.sql("SELECT status, attempts, lease_owner, next_at > created_at FROM outbox WHERE kind = 5 AND cause_id = " + soft)
               == [["0", "0", "0", "1"]], 30, "it is put off")
    same([m.message["Subject"][:10] for m in _mails(box, address)[1:]], ["[CRITICAL]"])
    key = os.urandom(4).hex()
    worse = box.send(s.source, alerts(alert(fingerprint=key, severity="warning"))).expect(201)["result"]["incident"]["id"]
    wait_until(lambda: s.entries(worse), 30, "its step is taken")
    wait_until(lambda: box.sql("SELECT status, attempts, lease_owner, next_at > created_at FROM outbox WHERE kind = 5 AND cause_id = " + worse)
               == [["0", "0", "0", "1"]], 30, "its page is put off")
    box.send(s.source, alerts(alert(fingerprint=key, severity="critical"))).expect(201)
    wait_until(lambda: len(_mails(box, address)) == 3, 30, "what gets worse waits no longer")
    box.api("PATCH", "/api/quiet-hours", {"from": None, "to": None}).expect(200)
    box.sql("UPDATE outbox SET next_at = created_at WHERE kind = 5 AND cause_id = " + soft)
    wait_until(lambda: len(_mails(box, address)) == 4, 30, "it comes when they are over")
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def page_that_waits_is_not_sent_while_the_incident_sleeps(box):
    contact, address = _contact(box)
    hour = time.gmtime().tm_hour
    box.api("PATCH", "/api/quiet-hours", {"from": "%02d:00" % ((hour - 1) % 24), "to": "%02d:00" % ((hour + 2) % 24), "timeZone": "UTC"}).expect(200)
    s = Setting(box, (5, _me(box)))
    snoozed, covered = s.incident("warning"), s.incident("warning")

    def page(incident):
        return box.sql("SELECT status, attempts, next_at > UNIX_TIMESTAMP(NOW(3)) * 1000 FROM outbox WHERE kind = 5 AND cause_id = " + incident)

    for incident in snoozed, covered:
        wait_until(lambda: page(incident) == [["0", "0", "1"]], 30, "its page waits for the end of the quiet hours")
    box.api("POST", "/api/incidents/%s/snooze" % snoozed, {"minutes": 600}).expect(200)
    key = box.get("/api/incidents/" + covered)["dedupKey"]
    silence = box.api("POST", "/api/silences", {"name": "page that waits", "dedupKey": key, "minutes": 60}).expect(201)
    box.api("PATCH", "/api/quiet-hours", {"from": None, "to": None}).expect(200)
    box.sql("UPDATE outbox SET created_at = created_at - {0}, next_at = created_at WHERE kind = 5 AND cause_id IN ({1}, {2})".format(60 * MINUTE, snoozed, covered))
    for incident in snoozed, covered:
        wait_until(lambda: page(incident) != [["0", "0", "0"]] and page(incident)[0][1] == "0" or page(incident)[0][0] != "0", 30, "it was looked at")
        same(page(incident), [["0", "0", "1"]], "it goes on waiting")
    same(len(_mails(box, address)), 1, "nobody was woken")
    box.api("POST", "/api/incidents/%s/snooze" % snoozed, {"minutes": 0}).expect(200)
    wait_until(lambda: page(snoozed)[0][0] == "1", 30, "it is sent when the incident wakes")
    box.api("POST", "/api/silences/%s/end" % silence["id"]).expect(200)

    def uncovered():
        """Its next look is in a minute, or is made just now."""
        box.sql("UPDATE outbox SET next_at = created_at WHERE kind = 5 AND status = 0 AND lease_owner = 0 AND cause_id = " + covered)
        return page(covered)[0][0] == "1"

    wait_until(uncovered, 30, "it is sent when the silence is over")
    wait_until(lambda: len(_mails(box, address)) == 3, 30, "both came")
    for incident in snoozed, covered:
        box.api("POST", "/api/incidents/%s/resolve" % incident).expect(200)
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def whoever_sleeps_through_many_steps_gets_one_page(box):
    contact, address = _contact(box)
    hour = time.gmtime().tm_hour
    box.api("PATCH", "/api/quiet-hours", {"from": "%02d:00" % ((hour - 1) % 24), "to": "%02d:00" % ((hour + 2) % 24), "timeZone": "UTC"}).expect(200)
    s = Setting(box, (5, _me(box)), repeat=2)
    incident = s.incident("warning")
    for n in 1, 2, 3:
        wait_until(lambda: len(s.entries(incident)) == n, 30, "step %d is taken" % n)
        s.passes(incident, 5)
    box.api("PATCH", "/api/quiet-hours", {"from": None, "to": None}).expect(200)
    ended = lambda: [row[0] for row in box.sql("SELECT status FROM outbox WHERE kind = 5 AND cause_id = %s ORDER BY id" % incident)]

    def all_ended():
        """The newest may be put off only now, by somebody who has read of the quiet hours before their end."""
        box.sql("UPDATE outbox SET next_at = created_at WHERE kind = 5 AND status = 0 AND lease_owner = 0 AND cause_id = " + incident)
        return "0" not in ended()
    wait_until(all_ended, 30, "all are done with")
    same((ended(), len(_mails(box, address))), (["6", "6", "1"], 2), "the code and the newest page")
    same(_mails(box, address)[1].message["Subject"][:8], "[MEDIUM]")
    box.api("POST", "/api/incidents/%s/resolve" % incident).expect(200)
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def storm_of_steps_is_bundled_for_a_channel(box):
    address = "storm-%s@example.org" % os.urandom(4).hex()
    World.of(box)
    channel = _channel(box, "email", to=[address], events=["monitor.*"], maxPerMinute=1)
    s = Setting(box, (5, channel["id"]))
    incidents = [s.incident() for _ in range(6)]
    for incident in incidents:
        wait_until(lambda: s.entries(incident), 30, "its step is taken")
    those = "kind = 1 AND cause_id IN (%s)" % ", ".join(incidents)
    each = box.sql("SELECT COUNT(*) FROM outbox WHERE status <> 4 AND %s GROUP BY FLOOR(created_at / 60000)" % those)
    same({n for n, in each}, {"1"}, "messages in a minute")
    digests = box.sql("SELECT DISTINCT bundled_in FROM outbox WHERE status = 4 AND " + those)
    true(len(digests) > 0, "the others are bundled")
    box.sql("UPDATE outbox SET next_at = created_at WHERE status = 0 AND id IN (%s)" % ", ".join(d for d, in digests))
    wait_until(lambda: len(_mails(box, address)) == len(each) + len(digests), 30, "all are told")
    subjects = [m.message["Subject"] for m in _mails(box, address)]
    same(sum("more messages" in x for x in subjects), len(digests), subjects)
    for incident in incidents:
        same(s.escalation(incident)["nextStep"], 0, "who is told by a digest is reached")
        box.api("POST", "/api/incidents/%s/resolve" % incident).expect(200)
    _remove(box, channel)


def page_of_what_is_acknowledged_is_not_sent(box):
    contact, address = _contact(box)
    World.of(box).local.busy = "451 4.3.0 not now"
    try:
        s = Setting(box, (5, _me(box)))
        incident = s.incident()
        wait_until(lambda: box.number("SELECT COUNT(*) FROM outbox WHERE kind = 5 AND error IS NOT NULL AND cause_id = " + incident) == 1, 30, "it is tried")
        box.api("POST", "/api/incidents/%s/acknowledge" % incident, {}).expect(200)

        def called_off():
            """By dispatcher or cron, whose it is after three attempts."""
            box.sql("UPDATE outbox SET next_at = created_at WHERE kind = 5 AND status IN (0, 2) AND lease_owner = 0 AND cause_id = " + incident)
            box.jobs("outbox")
            return [n for n in box.get("/api/incidents/" + incident)["notifications"] if n["kind"] == "person" and n["status"] == "unneeded"]

        page, = wait_until(called_off, 30, "it is called off")
    finally:
        World.of(box).local.busy = None
    true("451" in page["error"] and page["attempts"] == len(page["attemptLog"]) and page["finishedAt"] and not page["nextAt"], page)
    same(box.sql("SELECT failed_at IS NULL OR error LIKE '%%451%%' FROM contacts WHERE public_id = '%s'" % contact), [["1"]], "no failure of the contact")
    same([text for text in s.entries(incident) if "Nobody was reached" in text], [], "nor of its step")
    same(len(_mails(box, address)), 1, "the code alone")
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def what_the_receiver_of_a_page_answers_is_for_its_person_alone(box):
    """Mail servers name the address that they refuse; what others see has its middle left out."""
    contact, address = _contact(box)
    local = World.of(box).local
    s = Setting(box, (5, _me(box)))
    local.unknown = {address}
    try:
        incident = s.incident()
        refused = wait_until(lambda: [n for n in box.get("/api/incidents/" + incident)["notifications"] if n["kind"] == "person" and n["status"] == "dead"],
                             30, "it is refused")[0]
    finally:
        local.unknown = set()
    true(address in refused["attemptLog"][0]["answer"], refused)
    same(refused["error"], "It was answered 550.")
    true(any("It was answered 550." in text for text in s.entries(incident)), s.entries(incident))
    mine, = [c for c in box.get("/api/contacts")["contacts"] if c["id"] == contact]
    true(address in mine["error"], mine)
    seen = box.api("GET", "/api/incidents/" + incident, token=box.new_token("operator"))
    theirs, = [n for n in seen.expect(200)["notifications"] if n["id"] == refused["id"]]
    same((theirs["error"], theirs["recipient"], theirs["attemptLog"][0]["httpStatus"], theirs["attemptLog"][0]["answer"]),
         (refused["error"], refused["recipient"], 550, None))
    true(address not in seen.body.decode(), "nowhere")
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def page_that_waits_for_its_turn_is_not_sent_after_an_acknowledgement(box):
    """Five are under way to a server that is slow, and the sixth was taken together with them."""
    contact, address = _contact(box)
    local = World.of(box).local
    box.up("--set", "outbound.timeout_ms=60000")
    s = Setting(box, (5, _me(box)))
    local.gate, local.inside = threading.Event(), []
    try:
        box.send(s.source, alerts(*[alert() for _ in range(6)])).expect(201)
        wait_until(lambda: len(local.inside) >= 5, 30, "five are under way")
        box.sql("UPDATE incidents i JOIN services v ON v.id = i.service_id SET i.status = 2 WHERE v.public_id = '%s'" % s.service)
        time.sleep(1.1)
    finally:
        local.gate.set()
        local.gate = None
    mine = "FROM outbox o JOIN incidents i ON i.id = o.cause_id JOIN services v ON v.id = i.service_id WHERE o.kind = 5 AND v.public_id = '%s'" % s.service
    wait_until(lambda: box.number("SELECT COUNT(*) %s AND o.status IN (1, 6)" % mine) == 6, 30, "all are done with")
    same(box.number("SELECT COUNT(*) %s AND o.status = 6" % mine), 1, "one was called off")
    same(len(_mails(box, address)), 6, "five, and the code")
    box.up("--set", "outbound.timeout_ms=5000")
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def page_that_waits_for_its_turn_is_put_off_by_what_is_so_then(box):
    """Quiet hours hold a warning back. It gets worse while its page is taken already, behind five to a server that is slow: nobody hurries it any more."""
    contact, address = _contact(box)
    local = World.of(box).local
    box.up("--set", "outbound.timeout_ms=60000")
    hour = time.gmtime().tm_hour
    box.api("PATCH", "/api/quiet-hours", {"from": "%02d:00" % ((hour - 1) % 24), "to": "%02d:00" % ((hour + 2) % 24), "timeZone": "UTC"}).expect(200)
    s, key = Setting(box, (5, _me(box))), os.urandom(4).hex()
    local.gate, local.inside = threading.Event(), []
    try:
        for n in range(5):      # one by one: behind five that were taken together nothing is taken
            s.incident()
            wait_until(lambda: len(local.inside) == n + 1, 30, "five are under way")
        incident = box.send(s.source, alerts(alert(fingerprint=key, severity="warning"))).expect(201)["result"]["incident"]["id"]
        wait_until(lambda: box.number("SELECT COUNT(*) FROM outbox WHERE kind = 5 AND lease_owner <> 0 AND cause_id = " + incident), 30, "the sixth is taken")
        box.send(s.source, alerts(alert(fingerprint=key, severity="critical"))).expect(201)
        wait_until(lambda: not box.number("SELECT COUNT(*) FROM incident_news WHERE incident_id = " + incident), 30, "that it got worse is heard")
    finally:
        local.gate.set()
        local.gate = None
    wait_until(lambda: len(_mails(box, address)) == 7, 30, "it comes when it is its turn")
    box.api("PATCH", "/api/quiet-hours", {"from": None, "to": None}).expect(200)
    box.up("--set", "outbound.timeout_ms=5000")
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def killed_dispatcher_pages_nobody_twice_and_stalls_nothing(box):
    contact, address = _contact(box)
    s = Setting(box, (5, _me(box)), (5, _me(box)))
    incidents = []
    for n in range(20):
        incidents.append(s.incident())
        if n % 6 == 3:
            os.kill(wait_until(lambda: _dispatcher(box), 30, "one runs"), signal.SIGKILL)
    for i in incidents:     # one after the other: a token has no more than ten requests a second
        wait_until(lambda: s.entries(i), 60, "each had its first step")
    for i in incidents:
        s.passes(i, 5)
    os.kill(wait_until(lambda: _dispatcher(box), 30, "one runs"), signal.SIGKILL)
    for i in incidents:
        wait_until(lambda: len(s.entries(i)) == 2, 60, "and its second")
    same([_pages(box, i) for i in incidents], [2] * 20, "a page for each step")
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def whoever_may_not_acknowledge_is_no_target_and_gets_no_link(box):
    contact, address = _contact(box)
    eve = box.api("POST", "/api/users", {"name": "eve" + os.urandom(3).hex(), "role": "viewer"}).expect(201)
    refused = eve["name"] + " is a viewer, who may not acknowledge."
    reply = box.api("POST", "/api/escalation-policies", {"name": "p" + os.urandom(3).hex(), "steps": [{"delayMinutes": 5, "targets": [{"id": eve["id"]}]}]})
    same((reply.expect(400)["field"], reply.expect(400)["message"]), ("steps", "Step 1: " + refused))
    reply = box.api("POST", "/api/schedules", {"name": "s" + os.urandom(3).hex(), "layers": [{"users": [eve["id"]]}]})
    same((reply.expect(400)["field"], reply.expect(400)["message"]), ("layers", "Layer 1: " + refused))
    schedule = box.api("POST", "/api/schedules", {"name": "s" + os.urandom(3).hex(), "layers": []}).expect(201)
    to = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    reply = box.api("POST", "/api/schedules/%s/overrides" % schedule["id"], {"user": eve["id"], "to": to})
    same((reply.expect(400)["field"], reply.expect(400)["message"]), ("user", refused))
    box.api("PATCH", "/api/users/" + eve["id"], {"role": "operator"}).expect(200)
    box.sql("UPDATE contacts SET user_id = (SELECT id FROM users WHERE public_id = '%s') WHERE public_id = '%s'" % (eve["id"], contact))
    s = Setting(box, (5, eve["id"]), (5, eve["id"]))
    incident = s.incident()
    wait_until(lambda: len(_mails(box, address)) == 2, 30, "she is paged")
    box.api("PATCH", "/api/users/" + eve["id"], {"role": "viewer"}).expect(200)
    s.passes(incident, 5)
    wait_until(lambda: len(_mails(box, address)) == 3, 30, "and is as a viewer")
    links = ["/l/" in m.message.get_payload(decode=True).decode() for m in _mails(box, address)[1:]]
    same(links, [True, False], "without a link that would be refused")
    box.api("POST", "/api/incidents/%s/resolve" % incident, {}).expect(200)
    box.sql("DELETE FROM contacts WHERE public_id = '%s'" % contact)
    box.api("DELETE", "/api/schedules/" + schedule["id"]).expect(204)


def pages_go_on_with_the_trace_of_what_opened_the_incident(box):
    contact, address = _contact(box)
    with Hook() as hook:
        channel = _hook(box, hook, events=["monitor.*"])
        s = Setting(box, (5, _me(box)), (5, channel["id"]))
        trace = os.urandom(16).hex()
        incident = box.send(s.source, alerts(alert(severity="critical")), headers={"traceparent": "00-%s-00f067aa0ba902b7-01" % trace}).expect(201)
        incident = incident["result"]["incident"]["id"]
        wait_until(lambda: len(_mails(box, address)) == 2, 30, "the page comes")
        s.passes(incident, 5)
        wait_until(lambda: hook.taken, 30, "and the next step")
        same(hook.taken[0].headers["traceparent"].split("-")[1], trace)
        same({row[0].split("-")[1] for row in box.sql("SELECT traceparent FROM outbox WHERE cause_id = %s" % incident)}, {trace})
        box.api("POST", "/api/incidents/%s/resolve" % incident, {}).expect(200)
        _remove(box, channel)
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def merged_part_pages_nobody_any_more(box):
    with Hook() as hook:
        channel = _hook(box, hook, events=["monitor.*"])
        s = Setting(box, (5, channel["id"]), (5, channel["id"]))
        part, whole = s.incident(), s.incident()
        wait_until(lambda: len(hook.taken) == 2, 30, "both began")
        box.api("POST", "/api/incidents/%s/merge" % part, {"into": whole}).expect(200)
        wait_until(lambda: not s.runs(part), 30, "the part's ends")
        same((s.escalation(part)["why"], s.escalation(whole)["state"]), ("resolved", "running"))
        box.api("POST", "/api/incidents/%s/resolve" % whole, {}).expect(200)
        _remove(box, channel)


def cron_escalates_where_no_dispatcher_runs(box):
    contact, address = _contact(box)
    s = Setting(box, (5, _me(box)), (5, _me(box)))
    box.up("--set", "outbound.dispatcher=false")
    try:
        incident = s.incident()
        box.jobs("escalate")
        same((len(s.entries(incident)), _pages(box, incident)), (1, 1))
        box.jobs("escalate")
        same(_pages(box, incident), 1, "once")
        s.passes(incident, 5)
        box.jobs("escalate")
        same(_pages(box, incident), 2)
    finally:
        box.up("--set", "outbound.dispatcher=true")
    box.api("DELETE", "/api/contacts/" + contact).expect(204)


def text_message_is_a_contact_too(box):
    World.of(box)
    box.api("POST", "/api/contacts", {"kind": "sms", "address": "+4930123456"}).expect(400)     # there is no account
    with Twilio() as twilio:
        box.up("--set", "sms.url=" + twilio.url, "--set", "sms.account=" + twilio.account, "--set", "sms.token=" + twilio.token, "--set", "sms.from=+15005550006")
        made = box.api("POST", "/api/contacts", {"kind": "sms", "address": "+4930123456"}).expect(201)
        wait_until(lambda: twilio.taken, 30, "the code comes")
        code = re.search(r"Your code is (\d{6})", twilio.taken[0].body["Body"]).group(1)
        box.api("POST", "/api/contacts/%s/verify" % made["id"], {"code": code}).expect(200)
        incident = Setting(box, (5, _me(box))).incident()
        wait_until(lambda: len(twilio.taken) == 2, 30, "the page comes")
        same((twilio.taken[1].body["To"], twilio.complaints), ("+4930123456", []))
        box.api("POST", "/api/incidents/%s/resolve" % incident, {}).expect(200)
        box.api("DELETE", "/api/contacts/" + made["id"]).expect(204)
        box.up("--set", "sms.account=", "--set", "sms.token=", "--set", "sms.from=")
    same(box.api("POST", "/api/contacts", {"kind": "sms", "address": "no number"}).expect(400)["field"], "address")
