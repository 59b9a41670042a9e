#!/usr/bin/env python3
"""run.py - what contrib/ brings for other monitors, against a real instance: the plugin in each of its states, and every metric that the
alert rules and the dashboard name. promtool, where it is installed, reads the rules too. The last line is "N passed, N failed"."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "http"))
import harness  # noqa: E402

CONTRIB = os.path.join(harness.TOP, "contrib")
RULES = os.path.join(CONTRIB, "prometheus", "grapnel.rules.yml")
OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3


def plugin(*words):
    done = subprocess.run([os.path.join(CONTRIB, "check_grapnel"), *words], capture_output=True, text=True)
    return done.returncode, done.stdout


class Plugin(unittest.TestCase):
    def here(self, *words, token=True):
        with open(box.path("token"), "w") as f:
            f.write(box.token + "\n")
        return plugin("-U", box.env["GRAPNEL_URL"], "-t", "60", *(["--token-file", box.path("token")] if token else []), *words)

    def test_well(self):
        status, text = self.here()
        self.assertEqual(status, OK, text)
        self.assertRegex(text, r"^GRAPNEL OK - HEALTHY \| success_rate=100;;;0 open_incidents=0;;;0 .*\n$")
        status, text = self.here(token=False)
        self.assertEqual((status, text), (OK, "GRAPNEL OK - database, schema and cron are well\n"))

    def test_thresholds(self):
        status, text = self.here("-w", "events_per_minute=1")
        self.assertEqual(status, WARNING, text)
        self.assertIn("events_per_minute=0;1:;;0", text)
        status, text = self.here("-w", "failed_events=5", "-c", "success_rate=101")
        self.assertEqual(status, CRITICAL, text)
        self.assertIn("success_rate is 100", text)
        self.assertIn("failed_events=0;5;;0", text)

    def test_what_the_monitor_finds(self):
        """A backlog: more events wait than [monitor] allows, and the oldest for too long. Cron would see to them."""
        with box.without_cron():
            self.backlog()

    def backlog(self):
        made = box.api("POST", "/api/integrations", {"name": "waiting", "type": "webhook"}).expect(201)
        [[source]] = box.sql("SELECT id FROM sources WHERE public_id = '%s'" % made["id"])
        at = int(time.time() * 1000) - 3600 * 1000
        box.sql("INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary, status,"
                " attempts, received_at, updated_at) SELECT %d + seq, 1, %s, 1, 0, CONCAT('w', seq), 'alert', 1, 3, 4, 'waits', 0, 0, %d, %d"
                " FROM seq_1_to_150" % (at << 22, source, at, at))
        box.sql("DELETE FROM monitor_cache")
        try:
            status, text = self.here()
            self.assertIn(status, (WARNING, CRITICAL), text)
            self.assertIn("150 events wait to be processed; at most 100 may.", text)
            self.assertIn("backlog=150;100;;0", text)
            answer = json.loads(self.here("--json")[1])
            self.assertEqual(answer["backlog"], 150)
            self.assertGreaterEqual(answer["oldest_pending_minutes"], 60)
        finally:
            box.sql("DELETE FROM events WHERE source_id = %s; DELETE FROM monitor_cache" % source)
            box.api("DELETE", "/api/integrations/" + made["id"])

    def test_json_for_zabbix(self):
        status, text = self.here("--json")
        answer = json.loads(text)
        self.assertEqual((status, answer["status"], answer["word"], answer["success_rate"]), (OK, 0, "OK", 100.0))

    def test_called_wrongly(self):
        for words in ((), ("-U", box.env["GRAPNEL_URL"], "-w", "failed_events=5"), ("-U", "http://x", "--nonsense"),
                      ("-U", box.env["GRAPNEL_URL"], "--token-file", "/nonexistent"), ("-U", box.env["GRAPNEL_URL"], "--ca-file", "/nonexistent"),
                      ("-U", box.env["GRAPNEL_URL"], "-t", "0"), ("-U", box.env["GRAPNEL_URL"], "-t", "nan"), ("-U", "example.org"),
                      ("-U", "ftp://x"), ("-U", "http://"), ("-U", "http://[::1"), ("-U", "http://x:99999"), ("-U", "http://x/a b")):
            status, text = plugin(*words)
            self.assertEqual(status, UNKNOWN, (words, text))
            self.assertTrue(text.startswith("GRAPNEL UNKNOWN - "))
        self.assertEqual(self.here("-w", "nonsense=5")[0], UNKNOWN)
        self.assertEqual(self.here("-w", "failed_events=many")[0], UNKNOWN)
        self.assertEqual(self.here("-c", "success_rate=nan")[0], UNKNOWN)

    def test_wrong_token(self):
        with open(box.path("wrong"), "w") as f:
            f.write("gt_nonsense\n")
        status, text = plugin("-U", box.env["GRAPNEL_URL"], "--token-file", box.path("wrong"))
        self.assertEqual(status, UNKNOWN, text)

    def test_what_is_no_token(self):
        for text in (b"", b"\n", b"\xff\xfe\n", "tök\n".encode(), b"a\x01b\n"):
            with open(box.path("wrong"), "wb") as f:
                f.write(text)
            status, said = plugin("-U", box.env["GRAPNEL_URL"], "--token-file", box.path("wrong"))
            self.assertEqual((status, said.startswith("GRAPNEL UNKNOWN - ")), (UNKNOWN, True), (text, said))

    def test_somebody_else_there(self):
        """Whatever answers: a sentence, and never that all is well."""
        def http(status, body, n=None):
            return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body) if n is None else n, body)

        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(60)
            for answer in (b"SSH-2.0-x\r\n", b"", http(200, b'{"database":', 100), http(200, b"[]"), http(200, b"{}"), http(200, b"\xff\xfe"),
                           http(200, b"<html>"), http(200, b'{"status":"UP"}'), http(503, b"[]"), http(503, b"null"), http(503, b"{", 100),
                           http(503, b'{"error":"x"}')):
                child = subprocess.Popen([os.path.join(CONTRIB, "check_grapnel"), "-U", "http://127.0.0.1:%d" % server.getsockname()[1]],
                                         stdout=subprocess.PIPE, text=True)
                with server.accept()[0] as c:
                    c.recv(65536)
                    c.sendall(answer)
                said = child.communicate(timeout=60)[0]
                self.assertEqual((child.returncode, said.startswith("GRAPNEL CRITICAL - ")), (CRITICAL, True), (answer, said))

    def test_a_redirection_gets_no_token(self):
        def answer(server, text):
            with server.accept()[0] as c:
                got = c.recv(65536)
                c.sendall(b"HTTP/1.1 " + text)
            return got

        with open(box.path("token"), "w") as f:
            f.write(box.token + "\n")
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
            server.settimeout(60)
            other.settimeout(60)
            child = subprocess.Popen([os.path.join(CONTRIB, "check_grapnel"), "-U", "http://127.0.0.1:%d" % server.getsockname()[1], "--token-file",
                                      box.path("token")], stdout=subprocess.PIPE, text=True)
            answer(server, b'200 X\r\nContent-Length: 17\r\n\r\n{"database":"ok"}')
            self.assertIn(box.token.encode(), answer(server, b"302 X\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:%d/\r\n\r\n"
                                                     % other.getsockname()[1]))
            self.assertNotIn(box.token.encode(), answer(other, b"401 X\r\nContent-Length: 2\r\n\r\n{}"))
            child.communicate(timeout=60)
            self.assertEqual(child.returncode, UNKNOWN)

    def test_nobody_there(self):
        status, text = plugin("-U", "http://127.0.0.1:%d" % harness.free_port())
        self.assertEqual(status, CRITICAL)
        self.assertIn("does not answer", text)

    def test_degraded(self):
        made = box.api("POST", "/api/integrations", {"name": "plugin", "type": "github", "signatureSecret": "s3cret"}).expect(201)
        for _ in range(20):
            box.request("POST", "/api/integrations/github/" + made["id"], b"{}", {"Content-Type": "application/json"},
                        source=box.fresh_address())
        seen = box.get("/api/overview")
        status, text = self.here()
        self.assertEqual(status, {"HEALTHY": OK, "DEGRADED": WARNING, "CRITICAL": CRITICAL}[seen["status"]], text)
        self.assertNotEqual(status, OK, text)
        box.api("DELETE", "/api/integrations/" + made["id"])

    def test_zz_broken(self):
        box.stop_part("cron")
        box.sql("UPDATE schema_migrations SET applied_at = 0; UPDATE jobs SET last_started_at = 1000 WHERE name = 'cron'")
        status, text = self.here()
        self.assertEqual(status, CRITICAL, text)
        self.assertIn("cron: failing", text)


class Metrics(unittest.TestCase):
    def known(self):
        return {name.split("{")[0] for name in box.metrics()}

    def named(self, text):
        return set(re.findall(r"\bgrapnel_[a-z0-9_]+\b", text))

    def test_rules_name_what_there_is(self):
        with open(RULES) as f:
            named = self.named(f.read())
        self.assertGreater(len(named), 5)
        self.assertEqual(named - self.known(), set())

    def test_dashboard_names_what_there_is(self):
        with open(os.path.join(CONTRIB, "grafana", "grapnel-dashboard.json")) as f:
            dashboard = json.load(f)
        queries = [t["expr"] for p in dashboard["panels"] for t in p["targets"]]
        self.assertGreater(len(queries), 10)
        for query in queries:
            self.assertTrue(self.named(query), query)
            self.assertEqual(self.named(query) - self.known(), set(), query)

    def test_every_metric_is_shown_or_alerts(self):
        with open(os.path.join(CONTRIB, "grafana", "grapnel-dashboard.json")) as shown, open(RULES) as alerts:
            named = self.named(shown.read()) | self.named(alerts.read())
        self.assertEqual(self.known() - named, set(), "add it to a panel of contrib/grafana/make-dashboard")

    def test_dashboard_is_what_its_program_makes(self):
        path = os.path.join(CONTRIB, "grafana", "grapnel-dashboard.json")
        made = subprocess.run([sys.executable, "-c", "import importlib.machinery, importlib.util, json, sys; sys.dont_write_bytecode = True;"
                               " loader = importlib.machinery.SourceFileLoader('m', sys.argv[1]); spec = importlib.util.spec_from_loader('m', loader);"
                               " m = importlib.util.module_from_spec(spec); loader.exec_module(m); print(json.dumps(m.dashboard()))",
                               os.path.join(CONTRIB, "grafana", "make-dashboard")], capture_output=True, text=True, check=True)
        with open(path) as f:
            self.assertEqual(json.load(f), json.loads(made.stdout))

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool_takes_the_rules(self):
        done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool_takes_the_metrics(self):
        text = box.request("GET", "/metrics", headers={"Authorization": "Bearer " + box.setting("metrics", "token")}).body
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
        self.assertIn(done.returncode, (0, 3), done.stdout + done.stderr)    # 3: it can be read, but a name could be better


if __name__ == "__main__":
    with harness.Instance() as box:
        result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
    bad = len(result.failures) + len(result.errors)
    print("%d passed, %d failed" % (result.testsRun - bad - len(result.skipped), bad))
    sys.exit(1 if bad else 0)
