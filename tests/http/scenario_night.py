"""A night, as it comes to whoever is woken: a signed alert, a mail, its link, the sender's all-clear, and the story in the morning."""
import json
import os
import re

from harness import alert, alerts, same, true, wait_until, workflow_run
from scenario_channels import World, _channel, _remove
from visitor import Visitor

WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew


def _text(mail):
    return mail.message.get_payload(decode=True).decode()


def _links(box, mail):
    """{"Acknowledge": path}"""
    public = box.setting("server", "public_url")
    found = dict(re.findall(r"^(Acknowledge|Resolve): (\S+)$", _text(mail).replace("\r", ""), re.M))
    true(all(url.startswith(public + "/l/") for url in found.values()), found)
    return {what: url[len(public):] for what, url in found.items()}


def night_from_the_alert_to_the_morning(box):
    mails, address = World.of(box).local.mails, "night-%s@example.org" % os.urandom(3).hex()
    channel = _channel(box, "email", to=[address], events=["incident.*"])
    mine = lambda: [m for m in mails if m.to == [address]]
    source = box.integration("github", signatureSecret="night's secret", rateLimitPerMinute=0)
    repository = "acme/night-" + os.urandom(3).hex()
    incident = box.send_github(source, "workflow_run", workflow_run(repository=repository)).expect(201)["result"]["incident"]["id"]
    wait_until(mine, 10, "a mail wakes somebody")
    links = _links(box, mine()[0])
    same(sorted(links), ["Acknowledge", "Resolve"])
    # a scanner of mail is faster than the person
    for path in links.values():
        for method in ("HEAD", "GET"):
            same(box.request(method, path).status, 200)
    same(box.get("/api/incidents/" + incident)["status"], "OPEN")
    same(box.request("POST", links["Acknowledge"]).status, 200)
    wait_until(lambda: len(mine()) == 2, 10, "the acknowledgement is told")
    way = "email to the channel %s, n…@example.org" % channel["name"]
    true("By: a link (%s)" % way in _text(mine()[1]), _text(mine()[1]))
    same((_links(box, mine()[1]), mine()[1].message["References"]), ({}, mine()[0].message["Message-ID"]))
    box.send_github(source, "workflow_run", workflow_run("success", repository)).expect(201)
    wait_until(lambda: len(mine()) == 3, 10, "the end is told")
    same(box.request("POST", links["Resolve"]).status, 409, "there is nothing left to do")
    wait_until(lambda: all(n["status"] == "sent" for n in box.get("/api/incidents/" + incident)["notifications"]), 10, "that they were sent is stored")
    seen = box.get("/api/incidents/" + incident)
    same([(t["kind"], t["actor"], t["byLink"]) for t in seen["timeline"]],
         [("opened", "sender", None), ("acknowledged", "person", way), ("resolved", "sender", None)])
    same([(n["type"], n["channel"], n["status"], len(n["attemptLog"])) for n in seen["notifications"]],
         [("incident." + what, channel["name"], "sent", 1) for what in ("opened", "acknowledged", "resolved")])
    same(json.loads(box.ctl("--json", "incident", "show", incident))["notifications"], seen["notifications"], "and so has the command line")
    page = re.sub(r"\s+", " ", Visitor(box, "viewer").page("/incidents/" + incident))
    true("Who was told" in page and page.count(">sent</span>") == 3 and page.count(channel["name"]) > 3, "the page has the story")
    _remove(box, channel)
    page = Visitor(box, "viewer").page("/incidents/" + incident)
    true("A deleted channel" in page, "and keeps it when its channel is gone")


def worse_after_the_acknowledgement_offers_what_is_left(box):
    mails, address = World.of(box).local.mails, "worse-%s@example.org" % os.urandom(3).hex()
    channel = _channel(box, "email", to=[address], events=["incident.*"])
    mine = lambda: [m for m in mails if m.to == [address]]
    source, key = box.integration("prometheus", rateLimitPerMinute=0), os.urandom(4).hex()
    incident = box.send(source, alerts(alert(fingerprint=key, severity="warning"))).expect(201)["result"]["incident"]["id"]
    box.api("POST", "/api/incidents/%s/acknowledge" % incident, {}).expect(200)
    box.send(source, alerts(alert(fingerprint=key, severity="critical", instance="b"))).expect(201)
    wait_until(lambda: len(mine()) == 3, 10, "that it is worse is told")
    links = _links(box, mine()[2])
    same(sorted(links), ["Resolve"], "somebody has it already")
    same(box.request("POST", links["Resolve"]).status, 200)
    same(box.get("/api/incidents/" + incident)["resolvedBy"], "person")
    box.api("POST", "/api/incidents/%s/reopen" % incident, {}).expect(200)
    wait_until(lambda: len(mine()) == 5, 10, "that it is here again is told")
    again = _links(box, mine()[4])
    same(sorted(again), ["Acknowledge", "Resolve"])
    true(again["Resolve"] != links["Resolve"], "each message has links of its own")
    same((box.request("POST", links["Resolve"]).status, box.request("POST", again["Resolve"]).status), (410, 200))
    _remove(box, channel)


def merged_incident_is_told_as_over(box):
    mails, address = World.of(box).local.mails, "merged-%s@example.org" % os.urandom(3).hex()
    channel = _channel(box, "email", to=[address], events=["incident.*"])
    source = box.integration("prometheus", rateLimitPerMinute=0)
    part, whole = (box.send(source, alerts(alert(severity="critical"))).expect(201)["result"]["incident"]["id"] for _ in range(2))
    mine = lambda: [m for m in mails if m.to == [address] and (part in _text(m) or whole in _text(m))]
    box.api("POST", "/api/incidents/%s/merge" % part, {"into": whole}).expect(200)
    wait_until(lambda: len(mine()) == 3, 10, "its thread ends")
    merged, = [m for m in mine() if "Merged: " in m.message["Subject"]]      # the other's beginning may come after it
    true("into " + whole in _text(merged), _text(merged))
    same(_links(box, merged), {})
    same(box.get("/api/incidents/" + whole)["notifications"][-1]["type"], "incident.opened", "of the other nothing is told")
    _remove(box, channel)


def without_hours_messages_carry_no_links(box):
    world = World.of(box)
    mails, address = world.local.mails, "bare-%s@example.org" % os.urandom(3).hex()
    channel = _channel(box, "email", to=[address], events=["incident.*"])
    source = box.integration("prometheus", rateLimitPerMinute=0)
    box.up("--set", "outbound.link_hours=0")
    try:
        box.send(source, alerts(alert())).expect(201)
        wait_until(lambda: [m for m in mails if m.to == [address]], 10, "a mail")
        same(_links(box, [m for m in mails if m.to == [address]][0]), {})
    finally:
        box.up("--set", "outbound.link_hours=24")
    _remove(box, channel)
