"""Several who do the same work at once: runs of cron, and two hosts on one database."""
import collections
import contextlib
import json
import os
import subprocess
import time

import fcgi
from acts import channels, started_with, workers
from handler import Handler
from harness import free_port, same, true, uuid, wait_until
from ledger import Senders, compare, compare_handler, compare_messages, order

LOOPBACK = ("outbound.allow=127.0.0.0/8", "outbound.timeout_ms=20s")


def _once_each(handler, what):
    posts = collections.Counter(got.headers["webhook-id"] for got in list(handler.got))
    same([number for number, n in posts.items() if n > 1], [], what)


def _node(box, number):
    """The configuration of another host: its own sockets, state, spool, and number."""
    conf, folder = box.path("etc", "node%d.conf" % number), box.path("node%d" % number)
    owner = os.stat(box.dir)
    os.makedirs(folder)
    os.chown(folder, owner.st_uid, owner.st_gid)
    with open(box.env["GRAPNEL_CONF"]) as f:
        text = f.read()
    for name in "run/ingest.sock", "run/web.sock", "run/state", "spool":
        text = text.replace(box.path(name), os.path.join(folder, os.path.basename(name)))
    with open(conf, "w") as f:
        f.write(text.replace("[server]\n", "[server]\nnode = %d\n" % number))
    os.chmod(conf, 0o600)
    os.chown(conf, owner.st_uid, owner.st_gid)
    return conf


@contextlib.contextmanager
def _second_host(box):
    """Its ingest socket, and its configuration."""
    conf = _node(box, 1)
    with open(box.path("log", "node1.log"), "w") as log:
        process = box.program("libexec/grapnel.fcgi", "--config", conf, "--foreground", stdout=log, stderr=subprocess.STDOUT,
                              start_new_session=True)
    path = box.path("node1", "ingest.sock")
    try:
        wait_until(lambda: _answers(box.path("node1", "web.sock")), 20, "the second host answers")
        yield path, conf
    finally:
        process.terminate()
        process.wait(30)


def _answers(path):
    try:
        return fcgi.ask(path, "GET", "/readyz", timeout=5).status == 200
    except OSError:
        return False


@started_with(*LOOPBACK, "outbound.dispatcher=false")
def crons_at_once(box, builddir):
    """Four runs on two hosts, again and again: no event and no message goes out twice, and no run fails."""
    confs = [box.env["GRAPNEL_CONF"], _node(box, 1)]
    with Handler() as handler, Handler() as receiver, Handler() as refusing:
        refusing.status = 500
        channels(box, receiver.url, 2)
        source = box.integration("webhook", actions=["forward"], handlerUrl=handler.url, rateLimitPerMinute=0)
        hopeless = [box.integration("webhook", actions=["forward"], handlerUrl=refusing.url, retryPolicy={"maxRetries": 0}) for _ in range(5)]
        senders = Senders(box, source)
        for one in hopeless:
            box.send(one, *order()[1:]).expect(201)
        for _ in range(6):
            _at_once(box, confs, ["retries", "outbox", "monitor", "storage", "sessions", "cleanup"])
        acknowledged = senders.finish()
        wait_until(lambda: _at_once(box, confs, ["retries", "outbox"]) and not box.number("SELECT COUNT(*) FROM forwards"), 60, "all is forwarded")
        wait_until(lambda: _at_once(box, confs, ["outbox"]) and not box.number("SELECT COUNT(*) FROM outbox WHERE status IN (0, 2)"), 60,
                   "all messages are sent")
        compare(box, acknowledged, at_least=20)
        compare_handler(box, handler, source, acknowledged)
        true(compare_messages(box, receiver) >= 10, "channels were told")
        _once_each(handler, "events that came twice")
        _once_each(receiver, "messages that came twice")
    same(box.number("SELECT COUNT(*) FROM job_runs WHERE ok = 0"), 0, "runs that failed")


def _at_once(box, confs, jobs):
    runs = [box.cron("--json", *jobs, conf=conf) for conf in confs * 2]
    for run in runs:
        out, err = run.communicate(timeout=120)
        same(run.returncode, 0, "exit status of cron: %s %s" % (out, err))
        same({job["outcome"] for job in json.loads(out)["jobs"]} - {"done", "elsewhere", "unfinished"}, set(), "outcomes")
    return True


@started_with(*LOOPBACK)
def two_hosts_on_one_database(box, builddir):
    """Both take the same events at once and both have a dispatcher: each event is stored once and goes out once, and no number was given twice."""
    with Handler() as handler, _second_host(box) as (path, conf):
        source = box.integration("webhook", actions=["forward"], handlerUrl=handler.url, rateLimitPerMinute=0)
        senders = Senders(box, source, threads=2)
        elsewhere = Senders(_Host(path), source, threads=2)
        shared = [order() for _ in range(200)]
        for event, body, headers in shared:
            replies = [host.send(source, body, headers).status for host in (box, _Host(path))]
            true(all(200 <= status < 300 for status in replies), "answers: %s" % replies)
        same(box.cron("retries", "outbox").wait(), 0, "cron here")
        same(box.cron("retries", "outbox", conf=conf).wait(), 0, "cron there")
        acknowledged = senders.finish() + elsewhere.finish() + [event for event, _, _ in shared]
        compare(box, acknowledged)
        compare_handler(box, handler, source, acknowledged)
        _once_each(handler, "events that came twice")
        true(len(workers(box)) >= 3, "workers here")


class _Host:
    """The other host, without a web server."""

    def __init__(self, path):
        self.path = path

    def send(self, source, body, headers, timeout=30):
        return fcgi.ask(self.path, "POST", "/api/integrations/%s/%s" % (source["type"], source["id"]), timeout=timeout,
                        headers={"Content-Type": "application/json", "Authorization": "Bearer " + source["key"], **headers},
                        body=json.dumps(body).encode())
