"""What befalls incidents reaches channels: in its order, once, also where no dispatcher ran when it happened."""
import email.utils
import os
import signal
import time

from harness import alert, alerts, same, true, wait_until
from receivers import Hook, PagerDuty, Slack, Twilio
from scenario_channels import World, _channel, _dispatcher, _hook, _remove, _row, _sms
from visitor import Visitor

WORKERS_MAY_DIE = True      # the dispatcher is stopped, and the configuration changed


def _types(hook):
    return [r.body["type"] for r in hook.taken]


def story_of_an_incident_reaches_channels_in_its_order(box):
    World.of(box)
    with Slack() as slack, PagerDuty() as duty, Hook() as hook:
        channels = [_channel(box, "slack", url=slack.url, events=["incident.*"]), _hook(box, hook, events=["incident.*"]),
                    _channel(box, "pagerduty", url=duty.url, routingKey=duty.key, events=["incident.*"], minSeverity="HIGH"),
                    _hook(box, hook, events=["monitor.*"])]
        source = box.integration("prometheus", rateLimitPerMinute=0)
        key = os.urandom(4).hex()
        incident = box.send(source, alerts(alert(fingerprint=key, severity="warning"))).expect(201)["result"]["incident"]["id"]
        wait_until(lambda: len(hook.taken) == 1, 10, "the opening is told")
        body = hook.taken[0].body
        same((body["type"], body["data"]["id"], body["data"]["status"], body["data"]["severity"], body["data"]["entry"]["kind"]),
             ("incident.opened", incident, "OPEN", "MEDIUM", "opened"))
        same(duty.open, {}, "PagerDuty hears of high ones")
        box.send(source, alerts(alert(fingerprint=key, severity="critical"))).expect(201)
        box.api("POST", "/api/incidents/%s/notes" % incident, {"text": "a note is for readers"}).expect(200)
        box.api("POST", "/api/incidents/%s/acknowledge" % incident, {"note": "on my way"}).expect(200)
        wait_until(lambda: len(duty.taken) == 2, 10, "PagerDuty hears of it")
        true(duty.open, "who acknowledges it does not end it")
        box.send(source, alerts(alert(fingerprint=key, status="resolved"))).expect(201)
        wait_until(lambda: len(hook.taken) == 4 and not duty.open and len(slack.taken) == 4, 10, "the end is told")
        same(_types(hook), ["incident.opened", "incident.severity_raised", "incident.acknowledged", "incident.resolved"])
        same([r.body["event_action"] for r in duty.taken], ["trigger", "acknowledge", "resolve"])
        same(len({r.body["dedup_key"] for r in duty.taken}), 1, "one alert there")
        true("Now CRITICAL: " in slack.taken[1].body["text"] and "Acknowledged: " in slack.taken[2].body["text"], [r.body["text"] for r in slack.taken])
        true("on my way" in str(slack.taken[2].body), "what the person wrote")
        for receiver in (slack, duty, hook):
            same(receiver.complaints, [])
        same(box.number("SELECT COUNT(*) FROM incident_news WHERE incident_id = " + incident), 0)
        _remove(box, *channels)


def storm_is_told_people_in_one_message_and_programs_each(box):
    """200 incidents at once, and the dispatcher is killed in the middle."""
    World.of(box)
    with Slack() as slack, PagerDuty() as duty, Hook() as hook, Twilio() as twilio:
        channels = [_channel(box, "slack", url=slack.url, events=["incident.*"]), _hook(box, hook, events=["incident.*"]),
                    _channel(box, "pagerduty", url=duty.url, routingKey=duty.key, events=["incident.*"]),
                    _sms(box, twilio, ["+4930123456", "+4930123457"], events=["incident.*"], maxPerMinute=2)]
        same([box.get("/api/channels/" + c["id"])["maxPerMinute"] for c in channels], [10, 0, 0, 2])
        source = box.integration("prometheus", rateLimitPerMinute=0)
        many = [alert(fingerprint=os.urandom(8).hex(), severity="critical" if i == 77 else "warning") for i in range(200)]
        for i in range(0, 200, 20):
            box.send(source, alerts(*many[i:i + 20])).expect(201)
            if i == 100:
                os.kill(wait_until(lambda: _dispatcher(box), 10, "one runs"), signal.SIGKILL)
        told = "SELECT COUNT(*) FROM outbox WHERE kind = 1 AND target_id = %d AND payload LIKE '{\"type\":\"incident.opened%%'"
        rows = [box.number("SELECT id FROM channels WHERE public_id = '%s'" % c["id"]) for c in channels]
        wait_until(lambda: box.number(told % rows[1]) == 200, 20, "all is news to somebody")
        same([box.number(told % rows[0] + " AND status <> 4") <= 20, box.number(told % rows[0])], [True, 200], "ten a minute, if it was two minutes")
        # The minute is over, and no lease of the dead one is left.
        box.sql("UPDATE outbox SET next_at = 1 WHERE status IN (0, 2) AND target_id IN (%s)" % ", ".join(map(str, rows)))
        wait_until(lambda: not box.number("SELECT COUNT(*) FROM outbox WHERE status IN (0, 2) AND target_id IN (%s)" % ", ".join(map(str, rows))), 30, "all is sent")
        digests = [t.body["attachments"][0]["blocks"] for t in slack.taken if "more messages in one minute" in t.body["text"]]
        true(1 <= len(digests) <= 2, "one for each minute")
        bundled = sum(int(blocks[0]["text"]["text"].split()[0]) for blocks in digests)
        singles = {t.body["text"] + str(t.body["attachments"]) for t in slack.taken if "more messages" not in t.body["text"]}
        same(len(singles) + bundled, 200, "each is told once")
        if len(digests) == 1:
            lines = digests[0][1]["text"]["text"].split("\n")
            same((len(lines), lines[0].startswith("[CRITICAL] "), lines[1].startswith("[MEDIUM] ")), (20, True, True), lines)
        same((len({h.headers["webhook-id"] for h in hook.taken}), len(duty.open)), (200, 200), "programs are told each")
        for number in "+4930123456", "+4930123457":
            texts = {t.body["Body"] for t in twilio.taken if t.body["To"] == number}
            true(any("more messages in one minute" in t for t in texts), texts)
        true(len(twilio.taken) <= 12, "at most two, and one more, to each number and minute: %d" % len(twilio.taken))
        last = box.get("/api/incidents/" + box.sql("SELECT MAX(cause_id) FROM outbox WHERE kind = 1 AND status = 4 AND target_id = %d" % rows[0])[0][0])
        mine = {n["channelId"]: n for n in last["notifications"]}
        said = mine[channels[0]["id"]]
        same((said["status"], said["bundleStatus"], [a["httpStatus"] for a in said["attemptLog"]], mine[channels[1]["id"]]["status"]),
             ("bundled", "sent", [200], "sent"), "what came of the message that tells it")
        page = Visitor(box, "viewer").page("/incidents/" + last["id"])
        true("with others: sent" in page, "the page says so, too")
        same(box.get("/api/channels/%s/deliveries/%s" % (channels[0]["id"], said["bundledIn"]))["status"], "sent")
        same([a["httpStatus"] for a in mine[channels[1]["id"]]["attemptLog"]][-1], 204)
        for receiver in (slack, duty, hook, twilio):
            same(receiver.complaints, [])
        _remove(box, *channels)


def what_tells_of_a_storm_is_dated_by_the_end_of_its_minute(box):
    World.of(box)
    address = "storm-%s@example.org" % os.urandom(4).hex()
    channel = _channel(box, "email", to=[address], events=["incident.*"], maxPerMinute=1)
    source = box.integration("prometheus", rateLimitPerMinute=0)
    box.send(source, alerts(*[alert() for _ in range(4)])).expect(201)
    told = "FROM outbox o JOIN channels c ON c.id = o.target_id WHERE o.kind = 1 AND c.public_id = '%s'" % channel["id"]
    wait_until(lambda: box.number("SELECT COUNT(*) " + told) >= 5, 10, "all is news")
    box.sql("UPDATE outbox o JOIN channels c ON c.id = o.target_id SET o.next_at = 1 WHERE o.status = 0 AND c.public_id = '%s'" % channel["id"])
    wait_until(lambda: any("more messages" in m.message["Subject"] for m in World.of(box).local.mails if m.to == [address]), 15, "it comes")
    mail = next(m.message for m in World.of(box).local.mails if m.to == [address] and "more messages" in m.message["Subject"])
    at = email.utils.parsedate_to_datetime(mail["Date"]).timestamp()
    true(at % 60 == 0 and at <= time.time() + 60, mail["Date"])
    _remove(box, channel)


def test_incident_says_that_it_is_one(box):
    World.of(box)
    with Hook() as hook, Slack() as slack:
        channels = [_hook(box, hook, events=["incident.*"]), _channel(box, "slack", url=slack.url, events=["incident.*"])]
        source = box.integration("prometheus", rateLimitPerMinute=0)
        path = "/api/integrations/%s/test" % source["id"]
        quiet = box.api("POST", path).expect(201)["incident"]["id"]
        box.api("POST", "/api/incidents/%s/acknowledge" % quiet).expect(200)
        told = box.api("POST", path, {"notify": True}).expect(201)["incident"]["id"]
        wait_until(lambda: hook.taken and slack.taken and not box.number("SELECT COUNT(*) FROM incident_news"), 10, "the test is told")
        same([r.body["data"]["id"] for r in hook.taken], [told], "who only tries it out wakes nobody")
        same(box.api("POST", path, {"notify": "yes"}).expect(400)["field"], "notify")
        true(hook.taken[0].body["data"]["isTest"] and "[TEST] " in slack.taken[0].body["text"], "marked as a test")
        _remove(box, *channels)


def channel_of_a_service_hears_of_its_incidents_alone(box):
    World.of(box)
    with Hook() as hook:
        channel = _hook(box, hook, events=["monitor.*"])
        mine, other = (box.api("POST", "/api/services", {"name": "shop " + os.urandom(3).hex()}).expect(201)["id"] for _ in range(2))
        box.sql("INSERT INTO service_channels (service_id, channel_id) SELECT s.id, c.id FROM services s JOIN channels c"
                " WHERE s.public_id = '%s' AND c.public_id = '%s'; UPDATE services SET updated_at = updated_at + 1 WHERE public_id = '%s'" % (mine, channel["id"], mine))
        sources = [box.integration("prometheus", rateLimitPerMinute=0, serviceId=s) for s in (other, mine)]
        for source in sources:
            box.send(source, alerts(alert())).expect(201)
        wait_until(lambda: hook.taken, 10, "it is told")
        time.sleep(1)
        same([r.body["data"]["serviceId"] for r in hook.taken], [mine])
        row = _row(box, channel)
        _remove(box, channel)
        same(box.number("SELECT COUNT(*) FROM service_channels WHERE channel_id = %d" % row), 0, "gone with its channel")


def nobody_listens_and_nothing_is_written(box):
    World.of(box)
    tenant = box.new_tenant()
    source = box.integration("prometheus", box.new_token(tenant=tenant), rateLimitPerMinute=0)
    stopped = wait_until(lambda: _dispatcher(box), 10, "a dispatcher runs")
    os.kill(stopped, signal.SIGSTOP)
    try:
        box.send(source, alerts(alert())).expect(201)
        same(box.number("SELECT COUNT(*) FROM incidents WHERE tenant_id = %d" % tenant), 1)
        same(box.number("SELECT COUNT(*) FROM incident_news n JOIN incidents i ON i.id = n.incident_id WHERE i.tenant_id = %d" % tenant), 0)
    finally:
        os.kill(stopped, signal.SIGCONT)


def killed_dispatcher_loses_no_news_and_tells_none_twice(box):
    World.of(box)
    with Hook() as hook:
        channel = _hook(box, hook, events=["incident.*"])
        source = box.integration("prometheus", rateLimitPerMinute=0)
        mine = set()
        for n in range(40):
            mine.add(box.send(source, alerts(alert())).expect(201)["result"]["incident"]["id"])
            if n % 10 == 5:
                pid = _dispatcher(box)
                if pid:
                    os.kill(pid, signal.SIGKILL)
        wait_until(lambda: mine <= {r.body["data"]["id"] for r in hook.taken}, 60, "all are told")
        same(len(mine), 40)
        same(box.number("SELECT COUNT(*) FROM outbox o JOIN channels c ON c.id = o.target_id WHERE o.kind = 1 AND c.public_id = '%s' AND o.cause_id IN (%s)"
                        % (channel["id"], ", ".join(mine))), 40, "one message each, whatever its receiver got")
        _remove(box, channel)


def cron_tells_where_no_dispatcher_runs(box):
    World.of(box)
    with Hook() as hook:
        channel = _hook(box, hook, events=["incident.*"])
        source = box.integration("prometheus", rateLimitPerMinute=0)
        box.up("--set", "outbound.dispatcher=false")
        try:
            incident = box.send(source, alerts(alert())).expect(201)["result"]["incident"]["id"]
            news = "SELECT COUNT(*) FROM incident_news WHERE incident_id = " + incident
            same((box.number(news), hook.taken), (1, []))
            box.jobs("outbox")
            wait_until(lambda: box.number(news) == 0, 10, "cron takes it")
            box.sql("UPDATE outbox SET next_at = next_at - 60000 WHERE status = 0")
            box.jobs("outbox")
            same(_types(hook), ["incident.opened"])
        finally:
            box.up("--set", "outbound.dispatcher=true")
        _remove(box, channel)
