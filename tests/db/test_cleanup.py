#!/usr/bin/env python3
"""test_cleanup.py BUILDDIR - what goes, how it is kept in an archive, and how it comes back, by the real grapnel-cron and grapnelctl
against the scratch MariaDB of tests/db/run.

What an administrator relies on: sources and tenants keep their events as long as they say; a dry run tells what would go; nothing is removed
that is not in the archive, whenever it is killed; an archive comes back whole or not at all; a clock that is wrong removes nothing."""
import fcntl
import gzip
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest

from programs import FAILED, OK, SOCKET, USAGE, Programs

BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else ".")
P = Programs(BUILD, "grapnel_cleanup")
ARCHIVE = os.path.join(P.folder.name, "archive")
ARCHIVING = P.conf_write("archiving.conf", extra="[retention]\narchive_dir = %s\narchive_events = true\n" % ARCHIVE)
TABLES = ["events", "event_ids", "event_attempts", "requests", "request_marks", "alerts", "incidents", "incident_keys", "timeline", "escalations", "audit_log",
          "jobs", "job_runs", "settings"]
ARCHIVED = {"events": "id", "event_ids": "source_id, id_hash", "requests": "id", "request_marks": "tenant_id, kind, id", "alerts": "id",
            "incidents": "id", "timeline": "incident_id, id", "audit_log": "id"}


made = 0


def moment(days, seq="seq"):
    """The number of a row of so many days ago; further rows a millisecond each. No call gives the numbers of another."""
    global made
    made += 1
    return "(((UNIX_TIMESTAMP() - %d * 86400) * 1000 + %s - 1577836800000) * 4194304 + %d)" % (days, seq, made * 16)


def events(n, days, source=1, status=2, incident="NULL", tenant=1):
    """Each with a request and an id, and with an alert where there is an incident."""
    P.sql("SET @of = UUID_SHORT();"
          "CREATE TEMPORARY TABLE made SELECT {id} AS id, CONCAT('ev-', @of, '-', seq) AS event_id FROM seq_1_to_{n};"
          "INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us, event_count, event_id)"
          " SELECT id, {source}, 201, 'POST', '/api', '192.0.2.7', 't', 'a: b\\n', '{{\"é\":\"\\n\"}}', 9, 1, 1, id + 1 FROM made;"
          "INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, dedup_key, summary,"
          " status, incident_id, received_at, updated_at) SELECT id + 1, {tenant}, {source}, id, 0, event_id, 'x', 1, 1, 1, 'key', 'Disk \\\\ \"ü\"',"
          " {status}, {incident}, 1, 1 FROM made;"
          "INSERT INTO event_ids (source_id, id_hash, event_id, first_at, repeats) SELECT {source}, UNHEX(LEFT(SHA2(event_id, 256), 32)), id + 1, 5, 3"
          " FROM made;"
          "INSERT INTO alerts (id, tenant_id, event_id, incident_id, level, created_at) SELECT id + 2, {tenant}, id + 1, {incident}, 3, 1"
          " FROM made WHERE {incident} IS NOT NULL".format(id=moment(days), n=n, source=source, status=status, incident=incident, tenant=tenant))


def incident(number, days, status=3):
    P.sql("INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, open_hash, title, status, level, opened_at, resolved_at,"
          " last_alert_at, updated_at) SELECT {id}, 1, 1, 1, 'key-{n}', IF({status} = 3, NULL, UNHEX(MD5({n}))), 'disk', {status}, 3, {ms}, {ms},"
          " {ms}, 1; INSERT INTO timeline (incident_id, id, at, kind, actor, level, text) SELECT {id}, {id} + seq, 5, seq, 1, IF(seq = 1, 0, NULL), 'ü'"
          " FROM seq_1_to_3; INSERT INTO escalations (incident_id, policy_id, step, round, reached, paused, since, next_at, ended, ended_at)"
          " SELECT {id}, 1, 1, 0, 1, 0, 0, NULL, 2, 1".format(id=moment(days, number), n=number, status=status, ms="(UNIX_TIMESTAMP() - %d * 86400) * 1000" % days))
    return P.number("SELECT id FROM incidents WHERE dedup_key = 'key-%d'" % number)


def count(table, where="1"):
    return P.number("SELECT COUNT(*) FROM %s WHERE %s" % (table, where))


def contents():
    """Everything that an archive is to bring back."""
    return {table: P.sql("SELECT * FROM %s ORDER BY %s" % (table, order)) for table, order in ARCHIVED.items()}


def cleanup(*args, conf=None):
    """The result of the job, run now."""
    return json.loads(P.run("grapnel-cron", "--json", *args, "cleanup", conf=conf))["jobs"][0]


def files(kind=""):
    return sorted(os.path.join(ARCHIVE, f) for f in os.listdir(ARCHIVE) if f.startswith(kind) and f.endswith(".gz"))


def rewrite(path, lines):
    """Another archive under that name, with a right sum."""
    with gzip.open(path, "wb") as f:
        f.write(b"".join(lines))
    with open(path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    with open(path + ".sha256", "w") as f:
        f.write("%s  %s\n" % (digest, os.path.basename(path)))


class Case(unittest.TestCase):
    def setUp(self):
        P.sql(";".join("DELETE FROM " + t for t in TABLES) + ";UPDATE sources SET retention_days = NULL; UPDATE tenants SET retention_days = NULL")
        subprocess.run(["rm", "-rf", ARCHIVE], check=True)
        os.mkdir(ARCHIVE)

    def refused(self, status, *args, says, conf=None):
        done = P.call("grapnelctl", *args, conf=conf)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr, says)


class Retention(Case):
    def test_sources_and_tenants_keep_their_events_as_they_say(self):
        over = incident(1, 300)
        for source, tenant in ((1, 1), (2, 1), (3, 1), (4, 2), (5, 2)):
            for days in (5, 20, 60, 100, 300):
                events(10, days, source=source, tenant=tenant, incident=over)
        P.sql("UPDATE sources SET retention_days = 10 WHERE id = 2; UPDATE sources SET retention_days = 200 WHERE id IN (3, 5);"
              "UPDATE tenants SET retention_days = 30 WHERE id = 2")
        would = cleanup("--dry-run")
        x = cleanup()
        kept = {int(s): int(n) for s, n in P.sql("SELECT source_id, COUNT(*) FROM events GROUP BY source_id")}
        self.assertEqual(kept, {1: 30, 2: 10, 3: 40, 4: 20, 5: 40})
        self.assertEqual({int(s): int(n) for s, n in P.sql("SELECT source_id, COUNT(*) FROM requests GROUP BY source_id")}, kept)
        self.assertEqual(count("event_ids"), 140)
        self.assertEqual(count("alerts a LEFT JOIN events e ON e.id = a.event_id", "e.id IS NULL"), 0)
        self.assertEqual(count("alerts"), 140)
        self.assertIn("events 110, requests 110", x["counts"])
        self.assertIn("events 110, requests 110", would["counts"])
        self.assertEqual(cleanup()["touched"], 0)

    def test_what_an_unresolved_incident_needs_stays(self):
        opened, over = incident(1, 300, status=2), incident(2, 300)
        events(7, 300, incident=opened)
        events(9, 300, incident=over)
        events(4, 300, source=2, incident=opened)
        events(3, 300, status=3)
        P.sql("UPDATE sources SET retention_days = 1 WHERE id = 2")
        cleanup()
        self.assertEqual((count("events"), count("requests"), count("alerts"), count("event_ids")), (14, 14, 11, 14))
        self.assertEqual(count("incidents"), 2)
        self.assertEqual(count("escalations"), 2)

    def test_dry_run_tells_rows_and_bytes_and_changes_nothing(self):
        events(50, 100)
        before = contents()
        out = P.run("grapnelctl", "cleanup", "--dry-run")
        self.assertRegex(out, r"^would remove events 50, requests 50; \d+ KiB\n$")
        x = json.loads(P.run("grapnelctl", "--json", "cleanup", "--dry-run"))
        self.assertEqual((x["outcome"], x["touched"]), ("done", 100))
        self.assertGreater(x["bytes"], 50 * 400)
        self.assertEqual(contents(), before)
        self.assertEqual(json.loads(P.run("grapnelctl", "--json", "cleanup", "--yes"))["bytes"], x["bytes"])

    def test_by_hand_one_tenant_or_older_than(self):
        for source, tenant in ((1, 1), (2, 1), (4, 2)):
            events(10, 50, source=source, tenant=tenant)
        P.sql("UPDATE sources SET retention_days = 60 WHERE id = 2")
        self.refused(USAGE, "cleanup", says="needs --yes")
        self.refused(USAGE, "cleanup", "--older-than", "0", "--yes", says="older-than")
        P.run("grapnelctl", "cleanup", "--older-than", "40", "--tenant", "default", "--yes")
        self.assertEqual(P.sql("SELECT source_id, COUNT(*) FROM events GROUP BY source_id"), [["2", "10"], ["4", "10"]])
        out = P.run("grapnelctl", "cleanup", "--older-than", "40", "--yes")
        self.assertRegex(out, r"^removed events 10, requests 10; \S+ KiB, in \d+\.\d s; no lock longer than \d+ ms\n$")
        self.assertEqual(P.sql("SELECT source_id, COUNT(*) FROM events GROUP BY source_id"), [["2", "10"]])
        self.assertEqual(count("jobs"), 0, "it is not the job's run")
        P.sql("INSERT INTO jobs (name, last_started_at, lease_owner, lease_until) VALUES ('cleanup', 1, 7, UNIX_TIMESTAMP() * 1000 + 60000)")
        self.refused(FAILED, "cleanup", "--yes", says="cleanup is running already")

    def test_progress_in_lines_and_as_a_bar(self):
        events(6000, 100)
        script = subprocess.run(["script", "-qec", "%s/grapnelctl -c %s cleanup --yes" % (BUILD, P.conf), "/dev/null"], capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, check=True)
        self.assertRegex(script.stdout, r"events +\[#+\.*\] +\d+ %  \d+  \d+/s")
        self.assertRegex(script.stdout, r"requests +\[#{24}\] 100 %  6000")
        self.assertIn("removed events 6,000, requests 6,000", script.stdout)


class Archive(Case):
    def fill(self):
        over = incident(1, 500)
        events(300, 100)
        events(20, 400, incident=over)
        events(30, 100, source=2, status=5)
        P.sql("UPDATE requests SET body = UNHEX('00ff1f'), body_bytes = 3 ORDER BY id LIMIT 3;"
              "UPDATE requests SET is_duplicate = 1, event_count = 0 ORDER BY id DESC LIMIT 4;"
              "UPDATE requests SET reason = 'Invalid signature', status = 401, body = '', event_id = NULL ORDER BY id LIMIT 2;"
              "INSERT INTO request_marks (tenant_id, kind, id, event_id) SELECT 1, IF(reason IS NULL, 2, 1), id, IF(reason IS NULL, event_id, NULL)"
              " FROM requests WHERE reason IS NOT NULL OR is_duplicate = 1;"
              "INSERT INTO audit_log (tenant_id, at, actor, action, object, detail) SELECT 1, 5 + seq, 3, 'a.b', seq, IF(seq % 2, NULL,"
              " '{\"name\":\"é\"}') FROM seq_1_to_40")

    def test_every_column_of_the_tables_is_in_it(self):
        self.fill()
        cleanup(conf=ARCHIVING)
        extra = {"events": {"first_at", "repeats"}, "requests": {"body_base64"}, "incidents": set(), "timeline": set(), "alerts": set(), "audit_log": set()}
        seen = {}
        for path in files():
            with gzip.open(path, "rt") as f:
                head = json.loads(f.readline())["grapnel"]
                self.assertTrue(os.path.basename(path).startswith(head["archive"] + "-"))
                for line in f:
                    [(table, row)] = json.loads(line).items()
                    seen[table] = set(row)
        for table in seen:
            columns = {c for [c] in P.sql("SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '%s'"
                                          " AND extra NOT LIKE '%%GENERATED%%' AND column_name <> 'open_hash'" % table)}
            self.assertEqual(seen[table], columns | extra[table], table)
        self.assertEqual(set(seen), set(extra))

    def test_what_went_comes_back(self):
        self.fill()
        before = contents()
        x = cleanup(conf=ARCHIVING)
        self.assertIn("events 350, requests 350, incidents 1, audit entries 40", x["counts"])
        self.assertEqual([count(t) for t in ARCHIVED], [0] * len(ARCHIVED))
        self.assertEqual(count("escalations"), 0)
        subprocess.run("sha256sum -c --quiet *.sha256", shell=True, cwd=ARCHIVE, check=True)
        listed = json.loads(P.run("grapnelctl", "--json", "archive", "read", "--dry-run", *files()))["files"]
        self.assertEqual((sum(f["rows"] for f in listed), sum(f["added"] for f in listed)), (350 + 350 + 20 + 1 + 3 + 40, 0))
        self.assertEqual(count("events"), 0)
        self.refused(USAGE, "--tenant", "default", "import", *files(), says="--tenant is for a file of export")
        self.refused(USAGE, "import", "--passphrase-file", "/dev/null", *files(), says="--passphrase-file is for a file of export")
        out = P.run("grapnelctl", "import", *files())
        self.assertRegex(out, r"(?m)^\s*rows\s+added\s+file$")
        self.maxDiff = 2000
        self.assertEqual(contents(), before)
        again = json.loads(P.run("grapnelctl", "--json", "archive", "read", *files()))["files"]
        self.assertEqual(sum(f["added"] for f in again), 0, "the second time there is nothing to do")
        self.assertEqual(contents(), before)

    def test_what_is_there_stays_as_it_is(self):
        events(10, 100)
        cleanup(conf=ARCHIVING)
        P.run("grapnelctl", "import", *files())
        P.sql("UPDATE events SET summary = 'newer'; DELETE FROM requests ORDER BY id LIMIT 4;"
              "UPDATE event_ids SET event_id = 77, repeats = 9 LIMIT 1")
        answers = json.loads(P.run("grapnelctl", "--json", "import", *files()))["files"]
        self.assertEqual(sum(f["added"] for f in answers), 4)
        self.assertEqual((count("events", "summary = 'newer'"), count("requests"), count("event_ids", "event_id = 77 AND repeats = 9")), (10, 10, 1))

    def test_a_damaged_archive_is_refused_whole(self):
        self.fill()
        cleanup(conf=ARCHIVING)
        [path] = files("requests-")
        with open(path, "rb") as f:
            good = f.read()
        with open(path + ".sha256") as f:
            summed = f.read()
        damaged = [(good[:100] + b"\0" + good[101:], summed, FAILED, "its checksum is wrong, so nothing of it is read"),
                   (good[:-20], summed, FAILED, "its checksum is wrong"),
                   (good, "0" * 64 + "  x\n", FAILED, "its checksum is wrong"),
                   (good, "", FAILED, "its checksum is wrong")]
        lines = gzip.decompress(good).splitlines(True)
        for change, says in (
                ([], " is empty"),
                (lines[1:], "line 1: its first line does not say whose archive it is"),
                ([lines[0].replace(b'"installation":"', b'"installation":"9')] + lines[1:], "archive of another installation"),
                (lines[:-1] + [lines[-1][:-1]], "line 351: its last line has no end"),
                (lines[:-1] + [lines[-1][:40] + b"\n"], "line 351: "),
                (lines[:5] + [b'{"users":{"id":"1"}}\n'] + lines[5:], "line 6: there is no archived table users"),
                (lines[:5] + [lines[5].replace(b'"method":"POST"', b'"method":7')], "line 6: requests: method is of another kind"),
                (lines[:5] + [lines[5].replace(b'"method":"POST",', b'')], "line 6: requests: method is missing"),
                ([lines[0].replace(b'"schema":', b'"scheme":')] + lines[1:], "line 1: its first line does not say whose archive it is"),
                (lines[:5] + [lines[5].replace(b'"body_base64":null', b'"body_base64":"%%"')], "line 6: requests: body_base64 is no base64"),
                (lines[:200] + [lines[200].replace(b'"method":"POST"', b'"method":"' + b"x" * 300 + b'"')], "archived.requests_add")):
            other = gzip.compress(b"".join(change))
            damaged.append((other, hashlib.sha256(other).hexdigest() + "  x\n", FAILED if "another installation" in says else USAGE, says))
        damaged.append((good[:-20], hashlib.sha256(good[:-20]).hexdigest(), USAGE, "no whole gzip file"))
        damaged.append((b"text", hashlib.sha256(b"text").hexdigest(), USAGE, "no whole gzip file"))
        for data, digest, status, says in damaged:
            with open(path, "wb") as f:
                f.write(data)
            with open(path + ".sha256", "w") as f:
                f.write(digest)
            with self.subTest(says):
                self.refused(status, "archive", "read", path, says=re.escape(says))
                self.assertEqual((count("requests"), count("request_marks")), (0, 0))
        os.unlink(path + ".sha256")
        self.refused(FAILED, "archive", "read", path, says="without its sum no archive is read")
        self.refused(FAILED, "archive", "read", path + ".nosuch", says="cannot be opened")

    def test_words_that_nobody_knows_are_refused_whole(self):
        self.fill()
        cleanup(conf=ARCHIVING)
        for kind, table, column, values in (
                ("events", "events", "status", (0, 1, 3, 6, 77, 18446744073709551615)), ("events", "events", "action", (4,)),
                ("events", "events", "severity", (4, 99)), ("events", "events", "level", (5,)), ("alerts", "alerts", "level", (5, 64)),
                ("incidents", "incidents", "status", (0, 1, 2, 4)), ("incidents", "incidents", "level", (5,)),
                ("incidents", "incidents", "resolved_by", (4,)), ("incidents", "timeline", "kind", (0, 13)),
                ("incidents", "timeline", "actor", (4,)), ("incidents", "timeline", "level", ('"5"', '"x"')),
                ("audit_log", "audit_log", "actor", (5,))):
            [path] = files(kind + "-")
            with open(path, "rb") as f, gzip.open(f) as g:
                good = g.read().splitlines(True)
            for value in values:
                bad = [re.sub(b'"%s":("\\d+"|\\d+|null)' % column.encode(), b'"%s":%s' % (column.encode(), str(value).encode()), line)
                       if line.startswith(b'{"%s"' % table.encode()) else line for line in good]
                self.assertNotEqual(bad, good)
                rewrite(path, bad)
                with self.subTest(column=column, value=value):
                    self.refused(USAGE, "archive", "read", path, says=r"line \d+: %s: %s .*is none of ours" % (table, column))
                    self.assertEqual(count(table), 0)
            rewrite(path, good)
            P.run("grapnelctl", "archive", "read", "--dry-run", path)

    def test_an_archive_outlives_an_upgrade(self):
        self.fill()
        before = contents()
        cleanup(conf=ARCHIVING)
        [path] = files("incidents-")
        with gzip.open(path) as f:
            lines = f.read().splitlines(True)
        old = [re.sub(rb',"(is_quiet|merged_into|by_link)":(false|null)', b"", line) for line in lines]
        self.assertNotEqual(old, lines)
        rewrite(path, old)
        self.refused(USAGE, "archive", "read", path, says="incidents: is_quiet is missing")
        newer = [re.sub(rb'"schema":\d+', b'"schema":9999', lines[0])] + lines[1:]
        rewrite(path, newer)
        self.refused(FAILED, "archive", "read", path, says=r"it was written with schema 9999; this program knows schema \d+")
        self.assertEqual((count("incidents"), count("timeline")), (0, 0))
        rewrite(path, [re.sub(rb'"schema":\d+', b'"schema":4', old[0])] + old[1:])
        P.run("grapnelctl", "archive", "read", path)
        after = contents()
        self.assertEqual((after["incidents"], after["timeline"]), (before["incidents"], before["timeline"]))

    def test_one_at_a_time_writes_archives(self):
        events(50, 100)
        with open(os.path.join(ARCHIVE, ".tmp-events-1"), "w") as f:
            f.write("what a killed one left")
        held = os.open(ARCHIVE, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        x = cleanup(conf=ARCHIVING)
        self.assertEqual((x["outcome"], x["touched"], x["error"]), ("unfinished", 0, None))
        self.refused(FAILED, "cleanup", "--older-than", "30", "--yes", says="another cleanup is archiving just now", conf=ARCHIVING)
        P.run("grapnelctl", "cleanup", "--older-than", "30", "--dry-run", conf=ARCHIVING)
        self.assertEqual((count("events"), os.listdir(ARCHIVE)), (50, [".tmp-events-1"]))
        os.close(held)
        self.assertEqual(cleanup(conf=ARCHIVING)["outcome"], "done")
        self.assertEqual(count("events"), 0)
        self.assertEqual([f for f in os.listdir(ARCHIVE) if not f.endswith((".gz", ".sha256"))], [])

    def test_killed_in_the_middle_nothing_is_lost(self):
        events(25000, 100)
        before = contents()
        for kills in range(4):
            left = count("requests") + count("events")
            p = P.start("grapnel-cron", "cleanup", conf=ARCHIVING, quiet=True)
            time.sleep(0.15 + 0.3 * kills)
            while kills % 2 and p.poll() is None and count("requests") + count("events") == left:
                time.sleep(0.01)
            p.send_signal(signal.SIGKILL)
            p.wait()
            while P.number("SELECT COUNT(*) FROM information_schema.innodb_trx"):
                time.sleep(0.15)    # who asks again within 100 ms is answered from a cache, without end
            P.sql("UPDATE jobs SET lease_until = 1 WHERE name = 'cleanup'")
        self.assertIn(cleanup(conf=ARCHIVING)["outcome"], ("done", "unfinished"))
        self.assertEqual(count("events") + count("requests"), 0)
        self.assertEqual([f for f in os.listdir(ARCHIVE) if not f.endswith((".gz", ".sha256"))], [])
        P.run("grapnelctl", "import", *files())
        after = contents()
        for table in ARCHIVED:
            self.assertEqual(len(after[table]), len(before[table]), table)
            self.assertEqual(after[table], before[table], table)

    def test_the_disk_is_full(self):
        events(20, 100)
        before = contents()
        conf = P.conf_write("full.conf", extra="[retention]\narchive_dir = /proc/self/fd\narchive_events = true\n")
        done = P.call("grapnel-cron", "cleanup", conf=conf)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("archive: ", done.stderr)
        self.assertEqual(contents(), before)


def faked(offset):
    """Environment of a program that lives at another time. A sanitizer's runtime must come first where there is one."""
    fake = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    linked = subprocess.run(["ldd", os.path.join(P.build, "grapnel-cron")], stdout=subprocess.PIPE, check=True, text=True).stdout
    first = re.findall(r"(/\S*/libasan\.so\S*)", linked)
    if not os.path.exists(fake):
        raise AssertionError("Debian's package faketime is missing")
    return dict(os.environ, LD_PRELOAD=" ".join([*first, fake]), FAKETIME=offset, FAKETIME_DONT_FAKE_MONOTONIC="1")


class Clock(Case):
    def refuses(self, says):
        done = P.call("grapnel-cron", "cleanup")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("nothing is removed", done.stderr)
        self.assertRegex(done.stderr, says)
        self.assertEqual(count("events", "received_at = 1"), 10)
        self.assertEqual(count("jobs", "last_error LIKE 'nothing is removed%'"), 1)

    def test_rows_from_the_future(self):
        events(10, 100)
        P.sql("INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us)"
              " VALUES (%s, 1, 201, 'POST', '/', 'x', 't', '', '', 0, 1)" % moment(-400, "1"))
        self.refuses("the newest request is from ")
        self.refused(FAILED, "cleanup", "--yes", says="is the clock right")
        P.run("grapnelctl", "cleanup", "--trust-clock", "--yes")
        self.assertEqual(count("events"), 0)
        self.assertEqual(cleanup()["outcome"], "done", "what was trusted once is trusted")

    def test_a_clock_that_leapt(self):
        events(10, 100)
        P.sql("INSERT INTO jobs (name, last_started_at) VALUES ('cron', (UNIX_TIMESTAMP() - 8 * 86400) * 1000)")
        P.call("grapnel-cron")
        self.assertEqual(count("events"), 10)
        self.refuses("the clock leapt by more than a week")
        P.sql("UPDATE jobs SET position = position - 86400000 WHERE name = 'cron'")
        self.assertEqual(cleanup()["outcome"], "done")

    def test_a_host_that_was_off_for_some_days_and_one_with_requests(self):
        events(10, 100)
        P.sql("INSERT INTO jobs (name, last_started_at) VALUES ('cron', (UNIX_TIMESTAMP() - 6 * 86400) * 1000)")
        P.run("grapnel-cron")
        self.assertEqual(count("events"), 0)
        P.sql("UPDATE jobs SET last_started_at = 1, last_finished_at = 1, position = 0")
        events(10, 100)
        events(1, 3)
        P.run("grapnel-cron")
        self.assertEqual(count("events"), 1, "requests of three days ago say that the clock is good")

    def test_the_hosts_clock_and_the_databases(self):
        events(10, 100)
        P.sql("SET GLOBAL init_connect = ''")
        done = P.call("grapnel-cron", "cleanup", env=faked("+400d"))
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("one of them is wrong", done.stderr)
        self.assertEqual(count("events"), 10)


if __name__ == "__main__":
    P.migrate()
    P.sql("INSERT INTO tenants (id, name, created_at) VALUES (2, 'other', 1);"
          "INSERT INTO sources (id, public_id, tenant_id, kind, provider, name, service_id, actions, created_at, updated_at) VALUES"
          " (1, 'in_1', 1, 1, 'webhook', 'one', 1, 1, 1, 1), (2, 'in_2', 1, 1, 'webhook', 'two', 1, 1, 1, 1),"
          " (3, 'in_3', 1, 1, 'webhook', 'three', 1, 1, 1, 1), (4, 'in_4', 2, 1, 'webhook', 'four', 1, 1, 1, 1),"
          " (5, 'in_5', 2, 1, 'webhook', 'five', 1, 1, 1, 1)")
    unittest.main(argv=sys.argv)
