"""Replay: events once more, one or those of a filter; tasks that outlive whoever works at them."""
import contextlib
import json
import os
import re
import signal
import subprocess
import threading

from handler import Handler
from harness import alert, alerts, same, true, wait_until
from visitor import Visitor

WORKERS_MAY_DIE = True      # the configuration is changed, and the dispatcher killed


def _open(box):
    if box.setting("outbound", "allow") != "127.0.0.0/8":
        box.up("--set", "outbound.allow=127.0.0.0/8")


def _source(box, handler, kind="webhook", actions=("forward",), **more):
    _open(box)
    return box.integration(kind, actions=list(actions), handlerUrl=handler.url, **more)


def _send(box, source, n):
    return [box.send(source, {"type": "order.paid", "id": os.urandom(8).hex()}).expect(201)["result"]["event"]["id"] for _ in range(n)]


def _status(box, number):
    return box.get("/api/events/" + number)["status"]


def _all(box, numbers, status="processed", seconds=20):
    for number in numbers:
        wait_until(lambda: _status(box, number) == status, seconds, "event %s is %s" % (number, status))


def _replay(box, **wish):
    return box.api("POST", "/api/events/replay", wish).expect(202)


def _task(box, task):
    return box.get("/api/jobs/" + task["id"])


def _over(box, task, seconds=20):
    wait_until(lambda: _task(box, task)["over"], seconds, "task %s is over" % task["id"])
    return _task(box, task)



def _ctl(box, *words):
    run = box.program("bin/grapnelctl", "-c", box.env["GRAPNEL_CONF"], *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE)
    out, err = run.communicate()
    return run.returncode, out, err


def _dispatcher(box):
    for pid in box.worker_pids():
        try:
            with open("/proc/%d/comm" % pid) as f:
                if f.read().strip() == "dispatcher":
                    return pid
        except OSError:
            pass
    return None


def filtered_events_reach_their_handler_once_more(box):
    with Handler() as handler:
        source, other = _source(box, handler), _source(box, handler)
        numbers = _send(box, source, 12)
        _all(box, numbers + _send(box, other, 3))
        same(len(handler.got), 15)
        look = box.api("POST", "/api/events/replay", {"source": source["id"], "dryRun": True}).expect(200)
        same((look["dryRun"], look["count"], look["more"], len(look["sample"])), (True, 12, False, 10))
        same(len(handler.got), 15, "a dry run sends nothing")
        task = _replay(box, source=source["id"])
        same((task["kind"], task["filter"], task["counts"]["total"]), ("replay", "source=" + source["id"], 12))
        done = _over(box, task)
        same((done["state"], done["progress"], done["counts"]["events"], done["counts"]["replayed"], done["counts"]["passedOver"]),
             ("done", 1, 12, 12, 0))
        wait_until(lambda: _task(box, task)["counts"]["waiting"] == 0, 20, "nothing waits")
        _all(box, numbers)
        for number in numbers:
            same(len(handler.of(number)), 2, "posts of " + number)
        event = box.get("/api/events/" + numbers[0])
        same((event["attempts"], [t["number"] for t in event["attemptLog"]], [t["error"] for t in event["attemptLog"]]),
             (2, [1, 2], [None, None]))
        same(len(handler.got), 15 + 12, "the other integration's are none of it")
        true(any(t["id"] == task["id"] for t in box.get("/api/jobs/tasks")["tasks"]), "it is listed")


def replay_goes_from_the_oldest_to_the_newest(box):
    with Handler() as handler:
        handler.status = 503
        source = _source(box, handler, retryPolicy={"maxRetries": 0, "backoffSeconds": 60})
        numbers = _send(box, source, 4)
        _all(box, numbers, "dead")
        handler.status = 200
        del handler.got[:]
        _over(box, _replay(box, source=source["id"], status="dead"))
        _all(box, numbers)
        # up to five at once: the first was begun first
        same(sorted(g.headers["webhook-id"] for g in handler.got), sorted(numbers))


def incidents_are_not_opened_twice(box):
    with Handler() as handler:
        both = _source(box, handler, "prometheus", ("incident", "forward"))
        alone = box.integration("prometheus", actions=["incident"])
        sent = box.send(both, alerts(alert())).expect(201)["result"]
        only = box.send(alone, alerts(alert())).expect(201)["result"]
        _all(box, [sent["event"]["id"]])
        done = _over(box, _replay(box, source=alone["id"]))
        same((done["counts"]["events"], done["counts"]["replayed"], done["counts"]["passedOver"]), (1, 0, 1), "nothing is left of it")
        _over(box, _replay(box, filter={"source": both["id"]}))
        wait_until(lambda: len(handler.got) == 2, 20, "the handler has it again")
        _all(box, [sent["event"]["id"]])
        for result in sent, only:
            incident = box.get("/api/incidents/" + result["incident"]["id"])
            same((incident["alertCount"], incident["status"]), (1, "OPEN"))
            same(box.number("SELECT COUNT(*) FROM alerts WHERE incident_id = " + result["incident"]["id"]), 1)


def what_is_asked_wrongly_is_refused_with_its_field(box):
    for body, field in [({"status": "nope"}, "status"), ({"provider": "x" * 33}, "provider"), ({"from": "yesterday"}, "from"),
                        ({"from": "2026-01-03T00:00:00Z", "to": "2026-01-02T00:00:00Z"}, "from"),
                        ({"from": "2026-01-03T00:00:00Z", "filter": {"to": "2026-01-02T00:00:00Z"}}, "from"),
                        ({"source": "in_00000000000000000000"}, "source"), ({"filter": {"status": "nope"}}, "status"),
                        ({"filter": 7}, "filter"), ({"status": "failed", "processed": True}, "processed"), ({"all": True}, "all"),
                        ({"dryRun": "perhaps"}, "dryRun")]:
        reply = box.api("POST", "/api/events/replay", body)
        same((reply.status, reply.json().get("field")), (400, field), body)
    viewer = box.new_token("viewer")
    same(box.api("POST", "/api/events/replay", {"status": "failed"}, token=viewer).status, 403)
    for path in "/api/jobs/12345", "/api/jobs/nothing":
        same(box.request("GET", path, headers={"Authorization": "Bearer " + box.env["GRAPNEL_API_TOKEN"]}).status, 404, path)
    same(box.api("POST", "/api/jobs/12345/cancel").status, 404)
    task = _over(box, _replay(box, q="nothing that anybody said"))
    same((task["state"], task["counts"]["events"]), ("done", 0))
    stranger = box.new_token("admin", tenant=box.new_tenant())
    same(box.api("GET", "/api/jobs/" + task["id"], token=stranger).status, 404, "of another tenant")
    same(box.api("POST", "/api/jobs/%s/cancel" % task["id"], token=stranger).status, 404)
    box.api("POST", "/api/jobs/%s/cancel" % task["id"]).expect(409, "conflict")


def retry_does_what_is_left_once(box):
    with Handler() as handler:
        handler.status = 500
        source = _source(box, handler)
        number, = _send(box, source, 1)
        _all(box, [number], "failed")
        handler.status = 200
        replies = []
        clicks = [threading.Thread(target=lambda: replies.append(box.api("POST", "/api/events/%s/retry" % number).status)) for _ in range(4)]
        for click in clicks:
            click.start()
        for click in clicks:
            click.join()
        true(set(replies) <= {200, 409} and 200 in replies, replies)
        _all(box, [number])
        same((len(handler.of(number)), box.get("/api/events/" + number)["attempts"]), (2, 2), "once, however often it was clicked")
        refusal = box.api("POST", "/api/events/%s/retry" % number).expect(409, "conflict")
        true("replay" in refusal["message"], refusal)
        same(box.api("POST", "/api/events/1/retry").status, 404)
        same(box.number("SELECT COUNT(*) FROM audit_log WHERE action = 'event.retry' AND object = '%s'" % number) >= 1, True)


def dead_events_are_told_of_until_none_is_dead(box):
    with Handler() as handler:
        handler.status = 500
        source = _source(box, handler, retryPolicy={"maxRetries": 0, "backoffSeconds": 60})
        number, = _send(box, source, 1)
        _all(box, [number], "dead")
        running = "SELECT COUNT(*) FROM monitor_alerts WHERE type = 'DEAD_EVENTS' AND subject = '%s' AND ended_at IS NULL" % source["id"]
        wait_until(lambda: box.number(running) == 1, 10, "a monitor alert")
        box.jobs("retries")
        same(box.number(running), 1, "while one is dead")
        handler.status = 200
        box.api("POST", "/api/events/%s/retry" % number).expect(200)
        _all(box, [number])
        box.jobs("retries")
        same(box.number(running), 0, "none is dead any more")


MANY = 40000


def _many(box, source):
    """Events of an hour ago, written by hand: that many would take too long to send."""
    row = box.number("SELECT id FROM sources WHERE public_id = '%s'" % source["id"])
    box.sql("INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status, done,"
            " attempts, received_at, processed_at, updated_at) SELECT (((UNIX_TIMESTAMP() - 3600) * 1000 - 1577836800000 + seq) << 22), 1, %d, 1, 0,"
            " CONCAT('%s-', seq), 'x', 1, 1, 1, 's', 2, 4, 1, (UNIX_TIMESTAMP() - 3600) * 1000 + seq, 1, 1 FROM seq_1_to_%d"
            % (row, source["id"], MANY))
    # nobody sends them: this is about the task
    box.sql("INSERT INTO breakers (kind, target_id, failures, opened_at, wait_ms, probe_at, error, updated_at) VALUES"
            " (1, %d, 9, 1, 3600000, UNIX_TIMESTAMP() * 1000 + 3600000, 'closed for this test', 1)" % row)
    return row


@contextlib.contextmanager
def _slowly(box):
    """Each step of a task takes some time, so that it is seen in its middle."""
    box.sql("CREATE TRIGGER steps_are_slow BEFORE UPDATE ON tasks FOR EACH ROW SET @slept = SLEEP(0.2)")
    try:
        yield
    finally:
        box.sql("DROP TRIGGER steps_are_slow")


def dispatcher_killed_in_the_middle_of_a_task(box):
    with Handler() as handler:
        source = _source(box, handler)
        row = _many(box, source)
        with _slowly(box):
            task = _replay(box, source=source["id"])
            for _ in range(3):
                before = _task(box, task)["counts"]["events"]
                wait_until(lambda: _task(box, task)["counts"]["events"] > before, 20, "it goes on")
                os.kill(wait_until(lambda: _dispatcher(box), 10, "a dispatcher"), signal.SIGKILL)
                # the lease of the dead is over
                box.sql("UPDATE tasks SET next_at = 1 WHERE id = %s AND finished_at IS NULL" % task["id"])
            true(not _task(box, task)["over"], "it was not done before the last of them died")
        done = _over(box, task, 60)
        same((done["state"], done["counts"]["events"], done["counts"]["replayed"]), ("done", MANY, MANY))
        same(box.number("SELECT COUNT(*) FROM forwards WHERE source_id = %d AND was = 2 AND task_id = %s" % (row, task["id"])), MANY)
        box.sql("DELETE FROM forwards WHERE source_id = %d; DELETE FROM events WHERE source_id = %d" % (row, row))


def cancelled_task_takes_back_what_waits(box):
    with Handler() as handler:
        source = _source(box, handler)
        row = _many(box, source)
        with _slowly(box):
            task = _replay(box, source=source["id"])
            wait_until(lambda: _task(box, task)["counts"]["events"] > 0, 20, "it has begun")
            box.api("POST", "/api/jobs/%s/cancel" % task["id"]).expect(200)
            box.api("POST", "/api/jobs/%s/cancel" % task["id"]).expect(200)
        done = _over(box, task, 60)
        same(done["state"], "cancelled")
        same(done["counts"]["withdrawn"], done["counts"]["replayed"])
        same(box.number("SELECT COUNT(*) FROM events WHERE source_id = %d AND status = 2 AND done = 4" % row), MANY)
        same(box.number("SELECT COUNT(*) FROM forwards WHERE source_id = %d" % row), 0)
        box.sql("DELETE FROM events WHERE source_id = %d" % row)


def cron_works_at_tasks_where_no_dispatcher_does(box):
    with Handler() as handler:
        source = _source(box, handler)
        box.up("--set", "outbound.dispatcher=false")
        try:
            number, = _send(box, source, 1)
            box.jobs("retries")
            _all(box, [number], seconds=70)
            task = _replay(box, source=source["id"])
            box.jobs("tasks")
            same(_over(box, task, 70)["counts"]["replayed"], 1)
            box.jobs("retries")
            wait_until(lambda: len(handler.of(number)) == 2, 70, "its handler has it again")
        finally:
            box.up("--set", "outbound.dispatcher=true")


def pages_ask_before_they_replay(box):
    with Handler() as handler:
        source = _source(box, handler)
        numbers = _send(box, source, 3)
        _all(box, numbers)
        person = Visitor(box, "operator")
        text = person.page("/events?source=" + source["id"])
        link = re.search(r'href="(/events/replay[^"]*)"', text).group(1).replace("&amp;", "&")
        text = person.page(link)
        true("Replay 3 events?" in text, "it says how many")
        number = person.field("_task")
        first = person.post("/events/replay", ("source", source["id"]), ("_task", number))
        same((first.status, first.header("location")), (303, "/tasks/" + number))
        person.page(link)
        again = person.post("/events/replay", ("source", source["id"]), ("_task", number))
        same((again.status, again.header("location")), (303, "/tasks/" + number), "a double click is one task")
        wait_until(lambda: "status-done" in person.page("/tasks/" + number), 20, "the page says that it is done")
        wait_until(lambda: len(handler.got) == 6, 20, "each twice")
        true("3 of 3 events" in person.text, "its progress")
        true("/tasks/" + number in person.page("/tasks"), "it is listed")
        _all(box, numbers)
        person.page("/events/" + numbers[0])
        true('href="/events/replay?q=%s"' % numbers[0] in person.text and "/retry" not in person.text, "what is done can be replayed")
        handler.status = 500
        failed, = _send(box, source, 1)
        _all(box, [failed], "failed")
        handler.status = 200
        person.page("/events/" + failed)
        person.done(person.post("/events/%s/retry" % failed), "/events/" + failed)
        _all(box, [failed])
        viewer = Visitor(box, "viewer")
        true("/retry" not in viewer.page("/events/" + failed) and "/events/replay" not in viewer.text, "who only reads has no buttons")
        viewer.page("/events/replay", 403)


def pages_settle_and_delete_an_event(box):
    with Handler() as handler:
        handler.status = 500
        source = _source(box, handler)
        settled, dropped = _send(box, source, 2)
        _all(box, [settled, dropped], "failed")
        person = Visitor(box)
        person.page("/events/" + settled)
        person.done(person.post("/events/%s/settle" % settled), "/events/" + settled)
        same((_status(box, settled), box.number("SELECT COUNT(*) FROM forwards WHERE event_id = " + settled)), ("processed", 0))
        person.page("/events/" + dropped)
        true("goes for good" in person.page("/events/%s/delete" % dropped), "it asks")
        same(person.done(person.post("/events/%s/delete" % dropped), "/events"), "The event is deleted.")
        same(person.get("/events/" + dropped).status, 404)
        operator = Visitor(box, "operator")
        true("/settle" not in operator.page("/events/" + settled) and "/delete" not in operator.text, "for admins alone")


def commands_replay_and_follow(box):
    with Handler() as handler:
        source = _source(box, handler)
        numbers = _send(box, source, 3)
        _all(box, numbers)
        status, out, err = _ctl(box, "event", "replay", "--source", source["id"], "--dry-run")
        true(status == 0 and "3 events" in out and numbers[0] in out, (out, err))
        status, out, err = _ctl(box, "--json", "event", "replay", "--source", source["id"], "--yes", "--wait")
        answer = json.loads(out)
        same((status, answer["state"], answer["replayed"], answer["waiting"], err), (0, "done", 3, 0, ""))
        _all(box, numbers)
        same([len(handler.of(n)) for n in numbers], [2, 2, 2])
        dispatcher = wait_until(lambda: _dispatcher(box), 10, "a dispatcher")
        os.kill(dispatcher, signal.SIGSTOP)
        try:
            waiting = box.program("bin/grapnelctl", "-c", box.env["GRAPNEL_CONF"], "event", "replay", "--source", source["id"], "--yes", "--wait",
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            row = box.number("SELECT id FROM sources WHERE public_id = '%s'" % source["id"])
            wait_until(lambda: box.number("SELECT COUNT(*) FROM forwards WHERE source_id = %d" % row) == 3 and
                       not box.number("SELECT COUNT(*) FROM tasks WHERE state < 3 AND about = 'source=%s'" % source["id"]), 20, "all is queued")
            waiting.send_signal(signal.SIGINT)
            out, err = waiting.communicate(timeout=60)
        finally:
            os.kill(dispatcher, signal.SIGCONT)
        same(waiting.returncode, 1, (out, err))
        true("3 wait for their handler" in out and "interrupted; replay" in err and "goes on" in err, (out, err))
        wait_until(lambda: [len(handler.of(n)) for n in numbers] == [3, 3, 3], 120, "and is sent, though nobody waits")
        _all(box, numbers)
        same(_ctl(box, "event", "replay", "--source", source["id"])[0], 2, "it asks, and there is nobody")
        same(_ctl(box, "event", "replay", "--status", "nope", "--yes")[0], 2)
        status, out, err = _ctl(box, "event", "retry", numbers[0])
        true(status == 1 and "Nothing of it is left to do" in err, (out, err))
        tail = box.program("bin/grapnelctl", "-c", box.env["GRAPNEL_CONF"], "--json", "event", "tail", "--source", source["id"], "--lines", "1", "--for", "60",
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        same(json.loads(tail.stdout.readline())["id"], numbers[-1], "it begins with the newest")
        more = _send(box, source, 2)
        same([json.loads(tail.stdout.readline())["id"] for _ in more], more, "and follows")
        tail.send_signal(signal.SIGINT)
        same((tail.communicate()[1], tail.returncode), ("", 0))
