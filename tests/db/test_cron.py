#!/usr/bin/env python3
"""test_cron.py BUILDDIR - the real grapnel-cron against the scratch MariaDB of tests/db/run.

What cron and people rely on: exit status, silence while all is well, JSON, nothing done twice, nothing lost by a kill."""
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest

from programs import FAILED, NO_DATABASE, OK, SOURCE, USAGE, Programs, held

BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else ".")
DATABASE = "grapnel_cron"
JOBS = [
    "spool-drain",
    "auto-resolve",
    "escalate",
    "outbox",
    "tasks",
    "retries",
    "monitor",
    "alert-rules",
    "stale-alerts",
    "sessions",
    "storage",
    "cleanup",
]
HOLD = "SELECT id INTO @one FROM events ORDER BY id LIMIT %d, 1; UPDATE events SET updated_at = updated_at WHERE id = @one"
OLD_ID = "(((UNIX_TIMESTAMP() - 100 * 86400) * 1000 + seq - 1577836800000) * 4194304)"


PROGRAMS = Programs(BUILD, DATABASE)
CONF, sql, number, conf_write = PROGRAMS.conf, PROGRAMS.sql, PROGRAMS.number, PROGRAMS.conf_write


def start(*args, conf=CONF, quiet=False):
    return PROGRAMS.start("grapnel-cron", *args, conf=conf, quiet=quiet)


def cron(*args, conf=CONF):
    return PROGRAMS.call("grapnel-cron", *args, conf=conf)


def old_events(n):
    sql("INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us, event_count)"
        " SELECT %s, 1, 201, 'POST', '/', 'x', 't', '', 'x', 1, 1, 1 FROM seq_1_to_%d;"
        "INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status,"
        " received_at, updated_at) SELECT %s + 1, 1, 1, %s, 0, seq, 'x', 1, 1, 1, 's', 2, 1, 1 FROM seq_1_to_%d;"
        % (OLD_ID, n, OLD_ID, OLD_ID, n))


class Case(unittest.TestCase):
    def setUp(self):
        sql("DELETE FROM events; DELETE FROM requests; DELETE FROM jobs; DELETE FROM job_runs")

    def done(self, status, *args, conf=CONF, out="", err=""):
        done = cron(*args, conf=conf)
        self.assertEqual(done.returncode, status, (args, done.stdout, done.stderr))
        if out is not None:
            self.assertRegex(done.stdout, "^%s$" % out if not out else out)
        self.assertRegex(done.stderr, "^$" if not err else err)
        return done


class Calling(Case):
    def test_an_answer_that_cannot_be_written(self):
        """Neither to a full disk nor where standard output is closed: the connection to the database would have its number."""
        program = os.path.join(BUILD, "grapnel-cron")
        for words in ("--list",), ("--dry-run", "--json"), ("--help",), ("--version",):
            for how in ">/dev/full", ">&-":
                done = subprocess.run(["sh", "-c", '"$@" ' + how, "sh", program, "-c", CONF, *words], stderr=subprocess.PIPE, text=True)
                self.assertEqual((done.returncode, done.stderr), (FAILED, "grapnel-cron: the answer could not be written\n"), (words, how))

    def test_wrongly_called(self):
        self.done(USAGE, "nosuch", err='^grapnel-cron: there is no job "nosuch"')
        self.done(USAGE, "--nosuch", err="nosuch")
        self.done(USAGE, "--list", "cleanup", err="--list goes with nothing")
        self.done(USAGE, "-c", err="requires an argument")

    def test_no_database(self):
        self.done(NO_DATABASE, conf=conf_write("away.conf", socket="/nonexistent/socket"), err="^grapnel-cron: .*connect")

    def test_bad_configuration(self):
        self.done(FAILED, conf=conf_write("bad.conf", extra="[cron]\ntimezone = Nowhere/Town\n"), err=r"bad.conf:10: \[cron\] timezone")

    def test_old_schema(self):
        sql("CREATE DATABASE IF NOT EXISTS grapnel_old", None)
        self.done(FAILED, conf=conf_write("old.conf", name="grapnel_old"), err="run grapnelctl migrate")

    def test_help_and_manual_know_the_same(self):
        text = self.done(OK, "--help", out="usage:").stdout
        with open(os.path.join(SOURCE, "doc", "grapnel-cron.8")) as f:
            manual = f.read()
        self.assertEqual(re.findall(r"^  ([a-z-]+) +[A-Z]", text, re.M), JOBS)
        self.assertEqual(re.findall(r"^\.It Cm ([a-z-]+)", manual, re.M), JOBS)
        options = set(re.findall(r"--([a-z][a-z-]+)", text))
        self.assertEqual(options, set(re.findall(r"^\.It (?:Fl \w(?: Ar \w+)? , )?Fl -([a-z-]+)", manual, re.M)))


class Running(Case):
    def test_silent_while_all_is_well(self):
        self.done(OK)
        self.assertEqual(number("SELECT COUNT(*) FROM job_runs"), len(JOBS))
        self.done(OK)
        self.assertEqual(number("SELECT COUNT(*) FROM jobs WHERE name = 'cron'"), 1)

    def test_list(self):
        lines = self.done(OK, "--list", out="^JOB").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines[1:]], JOBS)
        self.assertIn("never", lines[1])
        self.done(OK)
        rows = json.loads(self.done(OK, "--list", "--json", out=None).stdout)["jobs"]
        self.assertEqual([r["name"].split("@")[0] for r in rows], JOBS)
        self.assertTrue(all(r["result"] == "done" and r["lastStartedAt"] and r["nextAt"] and not r["late"] for r in rows), rows)

    def test_named_and_verbose(self):
        self.done(OK, "sessions", out="^sessions +done +[0-9]+ ms  nothing\n$")
        self.done(OK, "-v", out="(?s)^spool-drain@0 .*cleanup")
        self.done(OK, "spool-drain@0", out="^spool-drain@0 +done ")
        self.done(USAGE, "spool-drain@9999", err="is of another host: this one is 0")
        rows = json.loads(self.done(OK, "--json", "cleanup", "cleanup", out=None).stdout)["jobs"]
        self.assertEqual([(r["name"], r["outcome"], r["touched"]) for r in rows], [("cleanup", "done", 0)])

    def test_dry_run(self):
        old_events(700)
        self.done(OK, "--dry-run", out="cleanup +would do .* events 700, requests 700; 278 KiB\n")
        self.assertEqual(number("SELECT COUNT(*) FROM events"), 700)
        self.assertEqual(number("SELECT COUNT(*) FROM jobs"), 0)

    def test_one_job_fails_and_the_others_run(self):
        conf = conf_write("archive.conf", extra="[retention]\narchive_dir = /nonexistent/folder\n")
        self.done(FAILED, conf=conf, err="^grapnel-cron: cleanup: .*archive_dir")
        self.assertEqual(number("SELECT COUNT(*) FROM jobs WHERE last_ok = 1"), len(JOBS) - 1)
        self.assertEqual(sql("SELECT ok, error LIKE '%archive_dir%' FROM job_runs WHERE name = 'cleanup'"), [["0", "1"]])

    def test_two_at_once(self):
        old_events(3000)
        both = [start("--json", "-v") for _ in range(4)]
        touched = 0
        for p in both:
            out, err = p.communicate(timeout=60)
            self.assertEqual((p.returncode, err), (OK, ""))
            touched += sum(r["touched"] for r in json.loads(out)["jobs"])
        self.assertEqual(touched, 6000)
        self.assertEqual(number("SELECT COUNT(DISTINCT name) FROM job_runs"), len(JOBS))
        self.assertEqual(sql("SELECT name FROM job_runs GROUP BY name, started_at DIV 60000 HAVING COUNT(*) > 1"), [], "what ran twice in a minute")

    def test_told_to_end_and_killed(self):
        old_events(30000)
        with held(DATABASE, HOLD % 15000):               # so that it is not done before it is told
            p = start("-v")
            while number("SELECT COUNT(*) FROM events") > 29000:
                time.sleep(0.01)
            p.send_signal(signal.SIGTERM)
        out, _ = p.communicate(timeout=60)
        self.assertEqual(p.returncode, OK)
        self.assertRegex(out, "cleanup +unfinished")
        left = number("SELECT COUNT(*) FROM events")
        self.assertGreater(left, 0)
        with held(DATABASE, HOLD % (left - 1)):
            p = start(quiet=True)                       # it is due at once
            while number("SELECT COUNT(*) FROM events") == left:
                time.sleep(0.01)
            p.kill()
            p.wait()
        self.done(OK, "-v", out="^$|auto-resolve")      # the lease of the dead one holds for a while
        self.assertGreater(number("SELECT COUNT(*) FROM requests"), 0)
        sql("UPDATE jobs SET lease_until = 1 WHERE name = 'cleanup'")
        self.done(OK, "-v", out="cleanup +done")
        self.assertEqual(number("SELECT COUNT(*) FROM requests"), 0)

    def test_one_that_takes_the_process_with_it_is_the_last(self):
        """However it does so: it has begun and not ended, and the others have had their turn before it."""
        self.done(OK)
        sql("UPDATE jobs SET last_started_at = last_started_at - 600000, last_finished_at = last_finished_at - 600000;"
            "UPDATE jobs SET unfinished = 1, last_finished_at = NULL WHERE name = 'auto-resolve'")
        ran = [r["name"] for r in json.loads(self.done(OK, "--json", out=None).stdout)["jobs"]]
        self.assertEqual(ran[-1], "auto-resolve")
        self.assertGreater(len(ran), 4)

    def test_time_limit(self):
        old_events(20000)
        conf = conf_write("short.conf", extra="[cron]\ntime_limit_s = 1\n")
        runs = 0
        while number("SELECT COUNT(*) FROM requests"):
            self.done(OK, conf=conf)
            runs += 1
        self.assertGreater(runs, 1)


if __name__ == "__main__":
    PROGRAMS.migrate()
    sql("INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at)"
        " VALUES (1, 'in_1', 1, 1, 'webhook', 'hook', 1, 1, 1, 1)")
    unittest.main(argv=sys.argv)
