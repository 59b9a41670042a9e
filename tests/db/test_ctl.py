#!/usr/bin/env python3
"""test_ctl.py BUILDDIR - the real grapnelctl against the scratch MariaDB of tests/db/run.

What people and scripts rely on: exit status, one sentence on standard error, JSON of every command, secrets shown once and kept
sealed or hashed, nothing from a provider that a terminal would obey, and a manual that names what the program knows."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

from programs import held

BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else ".")
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SOCKET = os.environ["GRAPNEL_TEST_SOCKET"]
DATABASE = "grapnel_ctl"
FOLDER = tempfile.TemporaryDirectory(prefix="grapnel-ctl.")
CONF = os.path.join(FOLDER.name, "grapnel.conf")
OK, FAILED, USAGE, NO_DATABASE = 0, 1, 2, 3

EVENT = 1234567890123456
INCIDENT = EVENT + 1


def sql(text, database=DATABASE):
    """Rows as lists of bytes; --raw, since a summary may hold any character."""
    done = subprocess.run(["mariadb", "--no-defaults", "-S", SOCKET, "-uroot", "-BN", "--raw", "-e", text, *([database] if database else [])],
                          capture_output=True, check=True)
    return [line.split(b"\t") for line in done.stdout.splitlines()]


def conf_write(path, **changes):
    values = {"socket": SOCKET, "user": "root", "name": DATABASE, "key": os.path.join(FOLDER.name, "key"), "extra": ""}
    values.update(changes)
    with open(path, "w") as f:
        f.write("[database]\nsocket = {socket}\nuser = {user}\nname = {name}\n[server]\npublic_url = https://hooks.example.org\n"
                "state_file = /nonexistent/state\n{extra}[secrets]\nkey_file = {key}\n".format(**values))
    return path


def contents(path):
    with open(path) as f:
        return f.read()


def ctl(*args, given="", conf=CONF):
    return subprocess.run([os.path.join(BUILD, "grapnelctl"), "-c", conf, *args], input=given, capture_output=True, text=True)


class Case(unittest.TestCase):
    def answer(self, *args, given=""):
        """The JSON of a command that succeeds."""
        done = ctl("--json", *args, given=given)
        self.assertEqual((done.returncode, done.stderr), (OK, ""), args)
        self.assertEqual(done.stdout.count("\n"), 1, "JSON is one line")
        return json.loads(done.stdout)

    def text(self, *args, given=""):
        done = ctl(*args, given=given)
        self.assertEqual((done.returncode, done.stderr), (OK, ""), args)
        return done.stdout

    def refused(self, status, *args, given="", conf=CONF, says=""):
        done = ctl(*args, given=given, conf=conf)
        self.assertEqual(done.returncode, status, (args, done.stderr))
        self.assertEqual(done.stderr.count("\n"), 1, "one sentence")
        self.assertTrue(done.stderr.startswith("grapnelctl: "), done.stderr)
        self.assertIn(says, done.stderr)
        return done


class Opening(Case):
    def test_no_database(self):
        conf = conf_write(os.path.join(FOLDER.name, "away.conf"), socket="/nonexistent/socket")
        self.refused(NO_DATABASE, "user", "list", conf=conf, says="the database does not answer")
        self.refused(NO_DATABASE, "migrate", conf=conf)

    def test_database_that_refuses_is_there(self):
        sql("CREATE USER IF NOT EXISTS reader@localhost; GRANT SELECT ON %s.* TO reader@localhost" % DATABASE)
        conf = conf_write(os.path.join(FOLDER.name, "reader.conf"), user="reader")
        self.refused(FAILED, "migrate", "--dir", os.path.join(SOURCE, "sql"), conf=conf, says="denied")
        self.refused(FAILED, "user", "add", "nobody", conf=conf, says="denied")

    def test_no_configuration(self):
        self.refused(FAILED, "user", "list", conf="/nonexistent/grapnel.conf", says="/nonexistent/grapnel.conf")

    def test_wrong_configuration_names_file_and_line(self):
        conf = conf_write(os.path.join(FOLDER.name, "wrong.conf"), extra="nonsense = 1\n")
        self.refused(FAILED, "user", "list", conf=conf, says="wrong.conf:8:")

    def test_no_key(self):
        conf = conf_write(os.path.join(FOLDER.name, "keyless.conf"), key="/nonexistent/key")
        self.refused(FAILED, "integration", "add", "github", "--name", "x", conf=conf, says="/nonexistent/key")

    def test_no_schema(self):
        sql("CREATE OR REPLACE DATABASE grapnel_ctl_empty", None)
        conf = conf_write(os.path.join(FOLDER.name, "empty.conf"), name="grapnel_ctl_empty")
        self.refused(FAILED, "user", "list", conf=conf, says="grapnelctl migrate")
        done = ctl("migrate", "status", "--dir", os.path.join(SOURCE, "sql"), conf=conf)
        self.assertEqual(done.returncode, FAILED)
        done = ctl("--json", "migrate", "--dir", os.path.join(SOURCE, "sql"), conf=conf)
        self.assertGreater(json.loads(done.stdout)["applied"], 0)
        done = ctl("--json", "migrate", "up", "--dir", os.path.join(SOURCE, "sql"), conf=conf)
        self.assertEqual((done.returncode, json.loads(done.stdout)["applied"]), (OK, 0))
        done = ctl("--json", "migrate", "status", "--dir", os.path.join(SOURCE, "sql"), conf=conf)
        self.assertEqual(done.returncode, OK)
        self.assertEqual(json.loads(done.stdout)["current"], json.loads(done.stdout)["needed"])

    def test_no_tenant(self):
        self.refused(FAILED, "--tenant", "nobody", "user", "list", says='there is no tenant "nobody"')

    def test_secrets_init(self):
        key = os.path.join(FOLDER.name, "fresh.key")
        conf = conf_write(os.path.join(FOLDER.name, "fresh.conf"), key=key)
        self.assertEqual(ctl("secrets", "init", conf=conf).returncode, OK)
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)
        before = contents(key)
        self.refused(FAILED, "secrets", "init", conf=conf)
        self.assertEqual(contents(key), before)
        conf = conf_write(os.path.join(FOLDER.name, "nowhere.conf"), key="/nonexistent/folder/key")
        self.refused(FAILED, "secrets", "init", conf=conf)


class Usage(Case):
    ROWS = (
        ((), "which command?"),
        (("user",), "grapnelctl help user"),
        (("frob",), 'there is no command "frob"'),
        (("user", "frob"), 'there is no command "user frob"'),
        (("user", "add"), "user add needs NAME"),
        (("user", "add", "a", "b"), "one word too many"),
        (("user", "add", "a", "--frob"), "there is no option --frob"),
        (("--frob", "user", "list"), "there is no option --frob"),
        (("user", "frob", "a", "--yes"), 'there is no command "user frob"'),
        (("user", "--frob", "list"), "grapnelctl help user"),
        (("-x", "user", "list"), "there is no option -x"),
        (("user", "add", "a", "--role"), "--role needs a value"),
        (("user", "add", "a", "--platform=yes"), "--platform takes no value"),
        (("user", "add", "a", "--role", "king"), "--role is"),
        (("user", "add", "", "--role", "admin"), "name"),
        (("user", "add", "x", "--password-stdin"), "standard input"),
        (("token", "add", "root", "--scopes", "read,root"), "--scopes is"),
        (("token", "add", "root", "--days", "0"), "--days must be a number"),
        (("token", "add", "root", "--days", "9999999999999999999999"), "--days must be a number"),
        (("integration", "add", "frobnicator", "--name", "x"), "there is no integration type"),
        (("integration", "add", "github"), "needs --name"),
        (("integration", "add", "github", "--name", "x", "--actions", "dance"), "actions must be of: incident, forward, record"),
        (("integration", "add", "github", "--name", "x", "--actions", ","), "actions must be of: incident, forward, record"),
        (("integration", "add", "github", "--name", "x", "--rate", "fast"), "rateLimitPerMinute must be"),
        (("integration", "add", "github", "--name", "x", "--allowed-ips", "300.0.0.1"), ""),
        (("integration", "add", "github", "--name", "x", "--secret", "a", "--generate-secret"), "exclude each other"),
        (("integration", "delete", "in_1"), "needs --yes"),
        (("event", "list", "--status", "open"), "--status is"),
        (("event", "list", "--limit", "101"), "--limit must be"),
        (("event", "show", "abc"), "is a number"),
        (("incident", "list", "--status", "failed"), "--status is"),
        (("migrate", "down"), "up and status"),
        (("help", "frob"), "there is no command"),
    )

    def test_wrong_calls(self):
        for args, says in self.ROWS:
            with self.subTest(args=args):
                done = self.refused(USAGE, *args, says=says)
                self.assertEqual(done.stdout, "")

    def test_a_dash_in_front_of_a_name(self):
        self.text("service", "add", "--", "--dashed")
        self.assertIn("--dashed", [s["name"] for s in self.answer("service", "list")["services"]])

    def test_help_at_each_level(self):
        self.assertIn("integration add TYPE", self.text("--help"))
        self.assertIn("user password NAME", self.text("user", "-h"))
        self.assertNotIn("token add", self.text("help", "user"))
        self.assertIn("--password-stdin", self.text("user", "add", "--help"))
        self.assertEqual(self.text("user", "add", "--help"), self.text("help", "user", "add"))

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([os.path.join(BUILD, "grapnelctl"), "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("could not be written", done.stderr)


class Completion(Case):
    """The scripts are run by the shells that they are for."""
    ROWS = (
        (("us",), {"user"}),
        (("user", ""), {"add", "list", "password", "totp-reset", "sessions-end"}),
        (("-c", "/etc/x", "--json", "user", "add", "--pa"), {"--password-stdin"}),
        (("doctor", "--st"), {"--strict"}),
        (("--tenant", "event", "incident", "re"), {"resolve"}),
        (("completion", ""), set()),
    )

    def offered(self, shell, words):
        script = os.path.join(FOLDER.name, "completion." + shell)
        with open(script, "w") as f:
            f.write(self.text("completion", shell))
        if shell == "bash":
            code = ('. "$0"; COMP_WORDS=(grapnelctl "$@"); COMP_CWORD=$#; _grapnelctl; printf "%s\\n" "${COMPREPLY[@]}"')
        else:   # zsh itself keeps what begins with the last word
            code = ('compadd() { shift; for w; do [[ $w = ${words[CURRENT]}* ]] && print -r -- "$w"; done }; _files() { :; };'
                    ' words=(grapnelctl "$@"); CURRENT=$#words; . "$0"')
        done = subprocess.run([shell, *(["-f"] if shell == "zsh" else []), "-c", code, script, *words], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_what_may_follow(self):
        for shell in ("bash", "zsh"):
            if not shutil.which(shell):
                continue
            for words, want in self.ROWS:
                with self.subTest(shell=shell, words=words):
                    self.assertEqual(self.offered(shell, words), want)

    def test_unknown_shell(self):
        self.refused(USAGE, "completion", "tcsh", says="bash and zsh")


class Manual(Case):
    """doc/grapnelctl.1 names each command with its words, and each option under its command; nothing else."""

    def manual(self):
        commands, name = {}, None
        for line in contents(os.path.join(SOURCE, "doc", "grapnelctl.1")).splitlines():
            line = line.strip()
            match = re.match(r"\.It Cm ([a-z -]+?)(?: (?:Ar|Op) .*)?$", line)
            if match:
                name = match.group(1)
                commands[name] = set()
            if line.startswith(".Sh "):
                name = None
            if name:
                commands[name].update(re.findall(r"Fl -([a-z][a-z-]*)", line))
        return commands

    def test_manual_and_help_agree(self):
        told = self.answer("help")
        everywhere = {o["name"] for o in told["options"]}
        want = {c["name"]: {o["name"] for o in c["options"]} for c in told["commands"]}
        have = {name: options - everywhere for name, options in self.manual().items()}
        self.assertEqual({n: sorted(o) for n, o in have.items() if o != want.get(n)}, {n: sorted(o) for n, o in want.items() if o != have.get(n)})


class Pages(Case):
    """The manuals of all programs: nothing is missing in them, and mandoc has nothing to say."""

    def pages(self):
        with open(os.path.join(FOLDER.name, "grapnel.conf.5"), "w") as f:
            f.write(self.text("config", "manual"))
        return [f.name] + [os.path.join(SOURCE, "doc", name) for name in sorted(os.listdir(os.path.join(SOURCE, "doc"))) if name[-1:].isdigit()]

    @unittest.skipUnless(shutil.which("mandoc"), "there is no mandoc")
    def test_mandoc_is_content(self):
        self.assertEqual(len(self.pages()), 4)
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *self.pages()], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (OK, ""))

    def test_every_option_of_the_configuration(self):
        options, section = set(), None
        for line in self.text("config", "sample").splitlines():
            heading, key = re.match(r"\[([a-z]+)\]$", line), re.match(r"#?([a-z_0-9]+) =", line)
            section = heading.group(1) if heading else section
            if key:
                options.add((section, key.group(1)))
        told = set()
        for line in self.text("config", "manual").splitlines():
            heading, key = re.match(r"\.Ss \[([a-z]+)\]$", line), re.match(r"\.It Ic ([a-z_0-9]+)$", line)
            section = heading.group(1) if heading else section
            if key:
                told.add((section, key.group(1)))
        self.assertEqual(told, options)
        self.assertGreater(len(told), 50)

    def test_every_option_of_grapnel_fcgi(self):
        usage = subprocess.run([os.path.join(BUILD, "grapnel.fcgi"), "--help"], capture_output=True, text=True).stdout
        manual = contents(os.path.join(SOURCE, "doc", "grapnel.fcgi.8"))
        self.assertEqual(set(re.findall(r"--([a-z]+)", usage)) | {"help"}, set(re.findall(r"^\.It Fl -([a-z]+)", manual, re.M)))


class Sealed(Case):
    """src/store/sealed.c knows each column that holds sealed secrets, so that doctor tries them and rekey seals them anew."""

    def test_every_column_is_known(self):
        known = contents(os.path.join(SOURCE, "src", "store", "sealed.c"))
        columns = sql("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '%s'"
                      " AND column_name LIKE '%%sealed%%'" % DATABASE)
        self.assertGreater(len(columns), 5)
        for table, column in columns:
            self.assertIn("UPDATE %s SET %s = ?" % (table.decode(), column.decode()), known)


class Rekeying(Case):
    """In a database of its own, since every value of it is sealed anew, with a key file and a spool of its own."""
    NAME = "grapnel_rekey"

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=FOLDER.name)
        self.key = os.path.join(self.folder, "key")
        self.conf = conf_write(os.path.join(self.folder, "conf"), name=self.NAME, key=self.key,
                               extra="[spool]\ndirectory = %s/spool\n[outbound]\nallow = 127.0.0.0/8\n" % self.folder)
        sql("CREATE OR REPLACE DATABASE " + self.NAME, None)
        for words in (("migrate", "--dir", os.path.join(SOURCE, "sql")), ("secrets", "init")):
            self.assertEqual(ctl(*words, conf=self.conf).returncode, OK)

    def do(self, *words, status=OK):
        done = ctl("--json", *words, conf=self.conf)
        self.assertEqual((done.returncode, done.stderr if status == OK else ""), (status, ""), (words, done.stderr))
        return json.loads(done.stdout)

    def keys(self):
        return {k["number"]: k for k in self.do("secrets", "list")["keys"]}

    def fill(self, rows=0):
        """A secret of each kind; and many of one."""
        made = self.do("integration", "add", "github", "--name", "g", "--generate-secret")
        self.do("integration", "add", "webhook", "--name", "h", "--actions", "forward", "--handler-url", "http://127.0.0.1/")
        if rows:
            sql("INSERT INTO source_secrets (source_id, sealed, created_at) SELECT s.source_id, s.sealed, 1 FROM source_secrets s JOIN"
                " seq_1_to_%d" % rows, self.NAME)
        return made

    def opens(self):
        [check] = [line for line in self.do("doctor", "configuration", "service-user", "key-file", "database", "migrations",
                                           "sealed-secrets", "--dir", os.path.join(SOURCE, "sql"))["checks"]
                   if line["check"] == "sealed-secrets"]
        self.assertEqual(check["level"], "ok", check)

    def test_rotation(self):
        made = self.fill()
        before = self.keys()[1]
        self.assertEqual((before["seals"], before["inFile"], before["spooled"]), (True, True, 0))
        self.assertGreaterEqual(before["values"], 3)
        self.refused(USAGE, "secrets", "rekey", conf=self.conf, says="--yes")
        told = self.do("secrets", "rekey", "--yes")
        self.assertEqual((told["key"], told["sealed"], told["lost"], told["stopped"]), (2, before["values"], 0, False))
        after = self.keys()
        self.assertEqual((after[1]["values"], after[2]["values"], after[2]["seals"]), (0, before["values"], True))
        self.opens()
        self.assertTrue(self.do("send", "github", "--integration", made["id"])["success"])
        self.refused(FAILED, "secrets", "drop", "2", "--yes", conf=self.conf, says="sealed with key 2")
        self.refused(USAGE, "secrets", "drop", "1", conf=self.conf, says="--yes")
        self.do("secrets", "drop", "1", "--yes")
        self.assertEqual(list(self.keys()), [2])
        self.refused(FAILED, "secrets", "drop", "1", "--yes", conf=self.conf, says="has no key 1")
        self.refused(USAGE, "secrets", "drop", "x", "--yes", conf=self.conf, says="1 to 255")
        self.assertEqual(sql("SELECT action FROM audit_log WHERE action LIKE 'secrets.%' ORDER BY id", self.NAME),
                         [[b"secrets.rekey"], [b"secrets.drop"]])
        self.assertEqual(os.stat(self.key).st_mode & 0o777, 0o600)

    def test_with_several_hosts(self):
        self.fill()
        values = self.keys()[1]["values"]
        self.assertEqual(self.do("secrets", "rekey", "--prepare"), {"key": 2})
        self.fill()
        self.assertEqual(self.keys()[2]["values"], 0, "it only opens as yet")
        self.assertEqual(self.do("secrets", "rekey", "--to", "2")["sealed"], 2 * values)
        self.assertEqual(self.do("secrets", "rekey", "--to", "2")["sealed"], 0)
        self.refused(FAILED, "secrets", "rekey", "--to", "9", conf=self.conf, says="has no key 9")
        self.refused(USAGE, "secrets", "rekey", "--to", "2", "--prepare", conf=self.conf)

    def test_a_setting_inside_its_text(self):
        made = self.do("integration", "add", "paypal", "--name", "p", 'settings={"clientId":"c","clientSecret":"s"}')
        before = self.keys()[1]["values"]
        self.assertEqual(before, 2, "its key and the setting")
        self.assertEqual(self.do("secrets", "rekey", "--yes")["sealed"], 2)
        [[settings]] = sql("SELECT settings FROM sources WHERE public_id = '%s'" % made["id"], self.NAME)
        self.assertEqual(json.loads(settings)["clientId"], "c")
        self.assertEqual(base64.b64decode(json.loads(settings)["clientSecret"][7:])[:2], b"\x01\x02")
        self.opens()

    def test_a_killed_rotation_goes_on(self):
        self.fill(20000)
        values = self.keys()[1]["values"]
        with held(self.NAME, "UPDATE source_secrets SET created_at = 2 ORDER BY id DESC LIMIT 1"):
            running = subprocess.Popen([os.path.join(BUILD, "grapnelctl"), "-c", self.conf, "secrets", "rekey", "--yes"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while sql("SELECT COUNT(*) FROM source_secrets WHERE HEX(LEFT(sealed, 2)) = '0102'", self.NAME)[0][0] == b"0":
                self.assertIsNone(running.poll(), "it ended before it was killed")
            running.kill()
            running.wait()
        half = self.keys()
        self.assertGreater(half[1]["values"], 0)
        self.assertGreater(half[2]["values"], 0)
        self.opens()
        told = self.do("secrets", "rekey", "--yes")
        self.assertEqual((told["key"], told["sealed"]), (2, half[1]["values"]), "no third key is made")
        self.assertEqual((self.keys()[1]["values"], self.keys()[2]["values"]), (0, values))
        self.opens()

    def test_a_key_that_is_lost(self):
        self.fill()
        values = self.keys()[1]["values"]
        os.remove(self.key)
        self.assertEqual(ctl("secrets", "init", conf=self.conf).returncode, OK)
        told = self.do("secrets", "rekey", "--yes", status=FAILED)
        self.assertEqual((told["sealed"], told["lost"]), (0, values))


class Users(Case):
    def test_password_is_random_unless_given(self):
        made = self.answer("user", "add", "random", "--role", "operator", "--email", "r@example.org")
        self.assertRegex(made["password"], "^[0-9a-f]{24}$")
        self.assertEqual(made["role"], "operator")
        given = self.answer("user", "add", "given", "--platform", "--password-stdin", given="correct horse\n")
        self.assertIsNone(given["password"])
        self.assertTrue(given["platformAdmin"])
        self.assertEqual(given["role"], "viewer")
        hashes = sql("SELECT password_hash FROM users WHERE name IN ('random', 'given')")
        for [password_hash] in hashes:
            self.assertTrue(password_hash.startswith(b"$y$"))
        self.refused(FAILED, "user", "add", "given", says="exists")
        users = {u["name"]: u for u in self.answer("user", "list")["users"]}
        self.assertEqual(users["random"]["email"], "r@example.org")

    def test_password_changes(self):
        self.answer("user", "add", "forgetful")
        [[before]] = sql("SELECT password_hash FROM users WHERE name = 'forgetful'")
        self.refused(USAGE, "user", "password", "forgetful", "--password-stdin", given="short\n", says="at least 8")
        self.answer("user", "password", "forgetful", "--password-stdin", given="long enough\r\n")
        [[after]] = sql("SELECT password_hash FROM users WHERE name = 'forgetful'")
        self.assertNotEqual(before, after)
        self.refused(FAILED, "user", "password", "nobody", says="there is no user")
        audit = sql("SELECT a.actor FROM audit_log a JOIN users u ON u.public_id = a.object WHERE u.name = 'forgetful' ORDER BY a.id")
        self.assertEqual(audit, [[b"4"], [b"4"]])

    def test_sessions_and_app_of_a_user_end(self):
        user = self.answer("user", "add", "lost phone")
        sql("UPDATE users SET totp_sealed = 'x', totp_step = 5 WHERE name = 'lost phone'")
        sql("INSERT INTO sessions (id_hash, public_id, user_id, created_at, last_seen_at, expires_at, remote_addr) SELECT UNHEX(SHA2(seq, 256)),"
            " CONCAT('se_', seq), (SELECT id FROM users WHERE name = 'lost phone'), 1, 1, 1, '' FROM seq_1_to_3")
        self.assertIn("password alone", self.text("user", "totp-reset", "lost phone"))
        self.assertEqual(sql("SELECT totp_sealed IS NULL, totp_step FROM users WHERE name = 'lost phone'"), [[b"1", b"0"]])
        self.assertIn("no authenticator app", self.text("user", "totp-reset", "lost phone"))
        self.assertIn("3 sessions", self.text("user", "sessions-end", "lost phone"))
        self.assertEqual(sql("SELECT COUNT(*) FROM sessions"), [[b"0"]])
        audit = sql(f"SELECT action FROM audit_log WHERE object = '{user['id']}' ORDER BY id")
        self.assertEqual(audit, [[b"user.create"], [b"user.totp_off"], [b"user.sessions_end"]])
        self.refused(FAILED, "user", "sessions-end", "nobody", says="there is no user")

    def test_a_refused_user_leaves_no_audit_entry(self):
        before = sql("SELECT COUNT(*) FROM audit_log")
        self.refused(USAGE, "user", "add", "two\nlines")
        self.assertEqual(sql("SELECT COUNT(*) FROM audit_log"), before)

    def test_tokens(self):
        self.answer("user", "add", "holder")
        made = self.answer("token", "add", "holder", "--name", "laptop", "--scopes", "read,sync", "--days", "7")
        self.assertRegex(made["id"], "^tk_")
        self.assertRegex(made["token"], "^gt_[A-Za-z0-9_-]{43}$")
        [[token_hash]] = sql("SELECT HEX(token_hash) FROM tokens WHERE public_id = '%s'" % made["id"])
        self.assertEqual(token_hash.decode().lower(), hashlib.sha256(made["token"].encode()).hexdigest())
        [listed] = self.answer("token", "list", "holder")["tokens"]
        self.assertEqual(listed["scopes"], "read,sync")
        self.assertNotIn("token", listed)
        self.assertIsNone(listed["revokedAt"])
        self.assertEqual(self.answer("token", "revoke", made["id"]), {"success": True})
        self.assertIsNotNone(self.answer("token", "list", "holder")["tokens"][0]["revokedAt"])
        self.refused(FAILED, "token", "revoke", "tk_none", says="there is no token")
        self.refused(FAILED, "token", "add", "nobody", says="there is no user")


class Integrations(Case):
    def test_handler_for_its_events(self):
        made = self.answer("integration", "add", "github", "--name", "F", "--actions", "forward", "--handler-url", "https://192.0.1.7/in",
                           "--forward-mode", "inline")
        self.assertEqual(list(made), ["id", "webhookUrl", "key", "signatureSecret", "handlerSecret"])
        shown = self.answer("integration", "show", made["id"])
        self.assertEqual((shown["handlerUrl"], shown["forwardMode"], shown["hasHandlerSecret"]), ("https://192.0.1.7/in", "inline", True))
        for words, why in ((("--handler-url", "http://127.0.0.1/"), "not allowed"), ((), "needs a handlerUrl"),
                           (("--handler-url", "https://192.0.1.7/", "--forward-mode", "soon"), "queued, inline")):
            done = ctl("integration", "add", "github", "--name", "G", "--actions", "forward", *words)
            self.assertNotEqual(done.returncode, OK)
            self.assertIn(why, done.stderr)

    def test_set_takes_what_the_api_takes(self):
        made = self.answer("integration", "add", "paypal", "--name", "Shop", 'settings={"clientId":"c","clientSecret":"s3cret"}')
        fields = {f["name"] for f in self.answer("integration", "set", made["id"])["fields"]}
        document = json.loads(self.text("openapi", "--json"))
        patch = document["paths"]["/api/integrations/{id}"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
        schema = document["components"]["schemas"][patch["$ref"].rsplit("/", 1)[1]] if "$ref" in patch else patch
        self.assertEqual(fields, set(schema["properties"]))
        seen = self.answer("integration", "set", made["id"], "enabled=false", "rateLimitPerMinute=7", "allowedIps=10.0.0.0/8,::1",
                           'retryPolicy={"maxRetries":2}', "signatureSecret=@-", given="from standard input\n")
        self.assertEqual((seen["enabled"], seen["rateLimitPerMinute"], seen["allowedIps"], seen["retryPolicy"]["maxRetries"], seen["hasSecret"]),
                         (False, 7, ["10.0.0.0/8", "::1"], 2, True))
        self.assertIn("whsec_", self.answer("integration", "set", made["id"], "generateSecret=true")["signatureSecret"])
        [[settings]] = sql("SELECT settings FROM sources WHERE public_id = '%s'" % made["id"])
        self.assertNotIn(b"s3cret", settings)
        for word, why in (("enabled", "no FIELD=VALUE"), ("colour=red", "colour"), ("enabled=maybe", "enabled"), ("type=github", "cannot be changed"),
                          ("signatureSecret=@/nonexistent", "/nonexistent"), ("settings={", "settings")):
            done = ctl("integration", "set", made["id"], word)
            self.assertNotEqual(done.returncode, OK, word)
            self.assertIn(why, done.stderr)
        self.refused(FAILED, "integration", "set", "in_none", "enabled=true", says='there is no integration "in_none"')
        entries = sql("SELECT action, actor FROM audit_log WHERE object = '%s'" % made["id"])
        self.assertEqual(entries, [[b"integration.create", b"4"]] + 2 * [[b"integration.update", b"4"]])

    def test_add_shows_key_and_secret_once(self):
        made = self.answer("integration", "add", "github", "--name", "Prod", "--generate-secret", "--rate", "5", "--actions",
                           "incident,record", "--allowed-ips", "10.0.0.0/8,::1")
        self.assertEqual(list(made), ["id", "webhookUrl", "key", "signatureSecret"])
        self.assertEqual(made["webhookUrl"], "https://hooks.example.org/api/integrations/github/" + made["id"])
        self.assertRegex(made["key"], "^[0-9a-f]{32}$")
        self.assertRegex(made["signatureSecret"], "^whsec_[A-Za-z0-9+/]{43}=$")
        [[key_hash]] = sql("SELECT HEX(key_hash) FROM sources WHERE public_id = '%s'" % made["id"])
        self.assertEqual(key_hash.decode().lower(), hashlib.sha256(made["key"].encode()).hexdigest())
        shown = self.answer("integration", "show", made["id"])
        self.assertEqual(shown["actions"], ["incident", "record"])
        self.assertEqual(shown["allowedIps"], ["10.0.0.0/8", "::1"])
        self.assertEqual(shown["rateLimitPerMinute"], 5)
        self.assertTrue(shown["hasSecret"])
        for word in (made["key"], made["signatureSecret"]):
            self.assertNotIn(word, json.dumps(shown) + self.text("integration", "show", made["id"]))

    def test_secret_from_standard_input(self):
        made = self.answer("integration", "add", "stripe", "--name", "Pay", "--default", "--secret-stdin", given="whsec_x\n")
        self.assertEqual(made["signatureSecret"], "whsec_x")
        self.assertIn("/api/webhooks/stripe/in_", made["webhookUrl"])
        self.refused(FAILED, "integration", "add", "stripe", "--name", "Pay", "--default", says="a default source")

    def test_without_secret(self):
        self.assertIsNone(self.answer("integration", "add", "webhook", "--name", "Plain")["signatureSecret"])

    def test_channel_from_birth_to_end(self):
        made = self.answer("channel", "add", "webhook", "Our program", "url=https://192.0.43.8/hook", "minSeverity=high")
        self.assertTrue(made["secret"].startswith("whsec_"))
        seen = self.answer("channel", "show", made["id"])
        self.assertEqual((seen["name"], seen["kind"], seen["minSeverity"], seen["status"], seen["hasSecret"]),
                         ("Our program", "webhook", "HIGH", "untried", True))
        self.assertNotIn("secret", seen)
        self.assertEqual(self.answer("channel", "set", made["id"], "enabled=false")["status"], "disabled")
        self.assertIn("routingKey", self.text("channel", "set", made["id"]))
        self.assertIn("Our program", self.text("channel", "list"))
        self.refused(USAGE, "channel", "add", "webhook", "x", "url=http://127.0.0.1/", says="not allowed")
        self.refused(USAGE, "channel", "add", "fax", "x", says="pagerduty, webhook, cloudevents or event_grid")
        self.refused(USAGE, "channel", "delete", made["id"], says="needs --yes")
        self.assertEqual(self.answer("channel", "delete", made["id"], "--yes"), {"success": True})
        self.refused(FAILED, "channel", "show", made["id"], says="there is no channel")
        self.refused(FAILED, "channel", "test", made["id"], says="there is no channel")

    def test_service_by_name_and_id(self):
        service = self.answer("service", "add", "Shop")["id"]
        for word in ("shop", service):
            made = self.answer("integration", "add", "webhook", "--name", "Plain", "--service", word)
            self.assertEqual(self.answer("integration", "show", made["id"])["serviceId"], service)
        self.refused(FAILED, "integration", "add", "webhook", "--name", "x", "--service", "nowhere", says="there is no service")
        self.refused(FAILED, "service", "add", "SHOP", says="answers to")

    def test_rotate(self):
        made = self.answer("integration", "add", "github", "--name", "Turn", "--generate-secret")
        turned = self.answer("integration", "rotate-key", made["id"])
        self.assertRegex(turned["key"], "^[0-9a-f]{32}$")
        self.assertNotEqual(turned["key"], made["key"])
        self.assertTrue(turned["graceUntil"])
        self.assertIsNone(self.answer("integration", "rotate-key", made["id"], "--grace", "0")["graceUntil"])
        self.assertRegex(self.answer("integration", "rotate-secret", made["id"])["signatureSecret"], "^whsec_")
        given = self.answer("integration", "rotate-secret", made["id"], "--secret-stdin", given="theirs\n")
        self.assertEqual(given["signatureSecret"], "theirs")
        self.refused(USAGE, "integration", "rotate-key", made["id"], "--grace", "soon", says="graceSeconds must be")
        for command in ("rotate-key", "rotate-secret"):
            self.refused(FAILED, "integration", command, "in_none", says="there is no integration")
        keyed = self.answer("integration", "add", "prometheus", "--name", "Keyed")
        self.refused(FAILED, "integration", "rotate-secret", keyed["id"], says="no signature secret")

    def test_service_changes_and_ends(self):
        made = self.answer("service", "add", "Mail", "--aliases", "post, MTA", "--auto-resolve", "60")
        self.assertEqual((made["aliases"], made["autoResolveMinutes"]), (["post", "MTA"], 60))
        seen = self.answer("service", "set", "mail", "--name", "Letters", "--auto-resolve", "0")
        self.assertEqual((seen["id"], seen["name"], seen["autoResolveMinutes"], seen["aliases"]),
                         (made["id"], "Letters", None, ["post", "MTA"]))
        self.refused(FAILED, "service", "set", "Letters", "--name", "default", says="answers to")
        self.refused(USAGE, "service", "set", "Letters", "--auto-resolve", "99999", says="must be a number")
        self.refused(USAGE, "service", "delete", "Letters", says="needs --yes")
        self.refused(FAILED, "service", "delete", "default", "--yes", says="default service cannot be deleted")
        self.assertIn("Letters", self.text("service", "list"))
        self.assertEqual(self.answer("service", "delete", "Letters", "--yes"), {"success": True})
        self.refused(FAILED, "service", "show", made["id"], says="there is no service")
        actions = sql("SELECT action FROM audit_log WHERE object = '%s' ORDER BY id" % made["id"])
        self.assertEqual(actions, [[b"service.create"], [b"service.update"], [b"service.delete"]])

    def test_list_and_delete(self):
        ids = [self.answer("integration", "add", "prometheus", "--name", "p%d" % i)["id"] for i in range(3)]
        first = self.answer("integration", "list", "--type", "prometheus", "--limit", "2")
        self.assertEqual([i["id"] for i in first["integrations"]], [ids[2], ids[1]])
        rest = self.answer("integration", "list", "--type", "prometheus", "--limit", "2", "--cursor", first["next"])
        self.assertEqual([i["id"] for i in rest["integrations"]], [ids[0]])
        self.assertIsNone(rest["next"])
        self.assertIn("p1", self.text("integration", "list"))
        self.assertEqual(self.answer("integration", "delete", ids[0], "--yes"), {"success": True})
        self.refused(FAILED, "integration", "show", ids[0], says="there is no integration")
        self.refused(FAILED, "integration", "delete", ids[0], "--yes", says="there is no integration")

    def test_tenants_do_not_see_each_other(self):
        sql("INSERT INTO tenants (name, created_at) VALUES ('other', 0)")
        made = self.answer("integration", "add", "webhook", "--name", "Mine")
        self.refused(FAILED, "--tenant", "other", "integration", "show", made["id"])
        self.assertEqual(self.answer("--tenant", "other", "integration", "list")["integrations"], [])
        self.assertEqual(self.answer("--tenant", "other", "event", "list")["events"], [])


class Transfer(Case):
    """export and import, between databases of their own with keys of their own."""
    PASSPHRASE = "correct horse battery"

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=FOLDER.name)
        self.confs = {name: self.fresh(name) for name in ("from", "to")}
        self.passphrase = self.written("passphrase", self.PASSPHRASE + "\n")

    def written(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def fresh(self, name):
        conf = conf_write(os.path.join(self.folder, name + ".conf"), name="grapnel_" + name, key=os.path.join(self.folder, name + ".key"),
                          extra="[outbound]\nallow = 127.0.0.0/8\n")
        sql("CREATE OR REPLACE DATABASE grapnel_" + name, None)
        for words in (("migrate", "--dir", os.path.join(SOURCE, "sql")), ("secrets", "init")):
            self.assertEqual(ctl(*words, conf=conf).returncode, OK)
        return conf

    def do(self, where, *words, given=""):
        done = ctl("--json", *words, conf=self.confs[where], given=given)
        self.assertEqual((done.returncode, done.stderr), (OK, ""), words)
        return json.loads(done.stdout)

    def fill(self):
        self.do("from", "service", "add", "Shop", "--aliases", "store,web", "--auto-resolve", "60")
        self.github = self.do("from", "integration", "add", "github", "--name", "G", "--generate-secret", "--service", "Shop", "--rate", "7",
                              "--allowed-ips", "10.0.0.0/8", "--actions", "forward,record", "--handler-url", "http://127.0.0.1/in")
        self.paypal = self.do("from", "integration", "add", "paypal", "--name", "P", "--secret", "WH-1",
                              'settings={"clientId":"c","clientSecret":"s3cret"}', "enabled=false")
        self.do("from", "tenant", "add", "Acme")
        self.do("from", "--tenant", "Acme", "integration", "add", "prometheus", "--name", "theirs")
        anna = self.do("from", "user", "add", "anna", "--role", "admin", "--platform", "--email", "a@example.org")
        self.do("from", "user", "add", "gone")
        sql("UPDATE users SET enabled = 0 WHERE name = 'gone'; INSERT INTO channels (public_id, tenant_id, kind, name, enabled, events, min_level,"
            " settings, max_per_minute, created_at, updated_at) VALUES ('ch_00000000000000000000', 1, 'email', 'ops', 1, 1, 3, '{\"to\":\"ops@example.org\"}', 10, 1, 1);"
            "INSERT INTO escalation_policies (id, public_id, tenant_id, name, steps, repeats, created_at, updated_at) VALUES (5, 'po_00000000000000000000', 1,"
            " 'Nights', '[{\"delayMinutes\":5,\"targets\":[{\"type\":\"user\",\"id\":\"%s\"},{\"type\":\"channel\",\"id\":\"ch_00000000000000000000\"}]}]',"
            " 2, 1, 1); UPDATE services SET policy_id = 5 WHERE name = 'Shop'; INSERT INTO service_channels SELECT s.id, c.id FROM services s"
            " JOIN channels c WHERE s.name = 'Shop';" % anna["id"] +
            "INSERT INTO schedules (id, public_id, tenant_id, name, time_zone, created_at, updated_at)"
            " VALUES (1, 'sc_00000000000000000000', 1, 'night', 'Europe/Berlin', 1, 1);"
            "INSERT INTO schedule_layers VALUES (1, 0, 'all', 3, 2, 540, 4, 20000, 31, 480, 1080);"
            "INSERT INTO schedule_layer_users SELECT 1, 0, ROW_NUMBER() OVER (ORDER BY id), id FROM users WHERE name IN ('anna', 'gone')",
            "grapnel_from")
        sql("INSERT INTO alert_rules (public_id, tenant_id, user_id, name, metric, provider, source_id, service_id, comparison, threshold, window_minutes,"
            " created_at, updated_at) SELECT 'ar_00000000000000000000', 1, u.id, 'Quiet', 3, 'github', s.id, s.service_id, 4, 0.25, 90, 1, 1 FROM users u"
            " JOIN sources s ON s.name = 'G' WHERE u.name = 'anna'", "grapnel_from")
        sql("INSERT INTO hushes (tenant_id, kind, public_id, name, repeats, at_min, minutes, weekdays, zone, over_at, created_at, updated_at)"
            " VALUES (1, 1, 'mw_00000000000000000000', 'Sundays', 2, 90, 60, 64, 'Europe/Berlin', 9223372036854775807, 1, 1),"
            " (1, 1, 'mw_00000000000000000001', 'once', 0, 0, 0, 0, 'UTC', 9223372036854775807, 1, 1)", "grapnel_from")

    def exported(self, where, *words):
        return {k: v for k, v in self.do(where, "export", *words).items() if k != "grapnel"}["configuration"]

    def sums(self, parts):
        return {p["part"]: (p["created"], p["changed"], p["unchanged"], p["leftOut"]) for p in parts["parts"]}

    def test_round_trip_on_an_empty_database(self):
        self.fill()
        plain = ctl("export", conf=self.confs["from"]).stdout
        for secret in (self.github["key"], self.github["signatureSecret"], "s3cret", "sealed:", "$y$"):
            self.assertNotIn(secret, plain)
        path = self.written("plain.json", plain)
        self.refused(USAGE, "import", path, conf=self.confs["to"], says="--yes")
        dry = self.do("to", "import", path, "--dry-run")
        self.assertEqual(len(self.do("to", "integration", "list")["integrations"]), 0)
        self.assertEqual(dry, self.do("to", "import", path, "--yes"))
        self.assertEqual(self.sums(dry), {"retention": (0, 0, 2, 0), "services": (1, 0, 2, 0), "integrations": (3, 0, 0, 0),
                                          "channels": (1, 0, 0, 0), "users": (2, 0, 0, 0), "schedules": (1, 0, 0, 0), "policies": (1, 0, 0, 0),
                                          "alertRules": (1, 0, 0, 0), "maintenanceWindows": (1, 0, 0, 0)})
        self.assertEqual(sql("SELECT u.name FROM schedule_layer_users m JOIN users u ON u.id = m.user_id ORDER BY m.position", "grapnel_to"),
                         [[b"anna"], [b"gone"]])
        seen = self.exported("to")
        want = self.exported("from")
        for tenant in want["tenants"] + seen["tenants"]:     # a service is itself by its name, so that its id may be another
            ids = {s.pop("id"): s["name"] for s in tenant["services"]}
            for i in tenant["integrations"]:
                i["serviceId"] = ids[i["serviceId"]]
            people = {u.pop("id"): u["name"] for u in tenant["users"]}
            for p in tenant["policies"]:
                p["steps"][0]["targets"][0]["id"] = people[p["steps"][0]["targets"][0]["id"]]
            for r in tenant["alertRules"]:
                r["user"], r["filter"]["service"] = people[r["user"]], ids[r["filter"]["service"]]
        self.assertEqual(want["tenants"][0]["alertRules"], [
            {"id": "ar_00000000000000000000", "user": "anna", "name": "Quiet", "metric": ["success_rate"],
             "filter": {"provider": "github", "source": self.github["id"], "service": "Shop"}, "comparison": ["<="], "threshold": 0.25,
             "windowMinutes": 90, "enabled": True}])
        self.assertEqual(seen, want)
        again = self.sums(self.do("to", "import", path, "--yes"))
        self.assertEqual({a[0] + a[1] + a[3] for a in again.values()}, {0})
        self.assertEqual(sql("SELECT enabled, password_hash IS NULL FROM users WHERE name = 'gone'", "grapnel_to"), [[b"0", b"1"]])

    def test_with_secrets(self):
        self.fill()
        words = ("export", "--secrets", "--passphrase-file", self.passphrase)
        text = ctl(*words, conf=self.confs["from"]).stdout
        for secret in (self.github["key"], self.github["signatureSecret"], "s3cret", self.PASSPHRASE):
            self.assertNotIn(secret, text)
        path = self.written("sealed.json", text)
        self.do("to", "import", path, "--passphrase-file", self.passphrase, "--yes")
        again = self.do("to", "import", path, "--passphrase-file", self.passphrase, "--yes")
        self.assertEqual({p["created"] + p["changed"] for p in again["parts"]}, {0})
        key_hash = hashlib.sha256(self.github["key"].encode()).hexdigest()
        [[stored]] = sql("SELECT LOWER(HEX(key_hash)) FROM sources WHERE public_id = '%s'" % self.github["id"], "grapnel_to")
        self.assertEqual(stored.decode(), key_hash)
        back = self.exported("to")
        self.assertEqual(self.do("to", "send", "paypal", "--integration", self.paypal["id"])["success"] if back["tenants"][0]["integrations"][1]["enabled"]
                         else "off", "off")
        self.do("to", "integration", "set", self.github["id"], "actions=incident")
        self.assertEqual(self.do("to", "send", "github", "--integration", self.github["id"])["validation"]["signature"], "verified")
        # what the file does not bring stays: the sealed setting survives an import without secrets
        self.do("to", "integration", "set", self.paypal["id"], "name=Other")
        self.assertEqual(self.sums(self.do("to", "import", path, "--yes"))["integrations"][1], 2)
        [[settings]] = sql("SELECT settings FROM sources WHERE public_id = '%s'" % self.paypal["id"], "grapnel_to")
        self.assertIn(b"sealed:", settings)
        self.refused(FAILED, "import", path, "--passphrase-file", self.written("wrong", "another passphrase"), "--yes", conf=self.confs["to"],
                     says="do not open with this passphrase")
        plain = self.written("plain.json", ctl("export", conf=self.confs["from"]).stdout)
        self.refused(USAGE, "import", plain, "--passphrase-file", self.passphrase, "--yes", conf=self.confs["to"], says="holds no secrets")
        self.refused(USAGE, "export", "--secrets", conf=self.confs["from"], says="--passphrase-file")
        self.refused(USAGE, "export", "--secrets", "--passphrase-file", self.written("short", "short"), conf=self.confs["from"], says="at least 8")

    def signed(self, change):
        """A file whose configuration was changed, with the right checksum: only the checksum would tell else."""
        file = json.loads(ctl("--json", "export", conf=self.confs["from"]).stdout)
        change(file)
        text = json.dumps(file["configuration"], separators=(",", ":"), ensure_ascii=False)
        file["grapnel"]["sha256"] = hashlib.sha256((text + "\n").encode()).hexdigest()
        return self.written("changed.%d.json" % len(os.listdir(self.folder)), json.dumps(file))

    def test_what_is_refused_is_refused_whole(self):
        self.fill()
        before = sql("SELECT COUNT(*) FROM sources; SELECT COUNT(*) FROM services; SELECT COUNT(*) FROM tenants; SELECT COUNT(*) FROM audit_log",
                     "grapnel_to")
        text = ctl("export", conf=self.confs["from"]).stdout

        def tenant(f):
            return f["configuration"]["tenants"][0]
        for path, status, why in (
                (self.written("a", text.replace('"Shop"', '"Shap"')), FAILED, "checksum is wrong"),
                (self.written("b", text[:len(text) // 2]), USAGE, ""),
                (self.written("c", "[]"), USAGE, "must be an object"),
                (self.written("d", '{"configuration":{}}'), USAGE, "no file of configuration"),
                (self.signed(lambda f: f.update(more=1)), USAGE, '"more"'),
                (self.signed(lambda f: f["grapnel"].update(version=2)), USAGE, "version 1"),
                (self.signed(lambda f: f["configuration"].update(more=1)), USAGE, '"more"'),
                (self.signed(lambda f: tenant(f).update(more=1)), USAGE, '"more"'),
                (self.signed(lambda f: tenant(f)["integrations"][1].update(colour=1)), USAGE, "default, integrations[1] P: "),
                (self.signed(lambda f: tenant(f)["integrations"][1].update(colour=1)), USAGE, "colour"),
                (self.signed(lambda f: tenant(f)["integrations"][1].update(rateLimitPerMinute=-1)), USAGE, "rateLimitPerMinute"),
                (self.signed(lambda f: tenant(f)["integrations"][1].update(type="nosuch")), USAGE, "no provider of that type"),
                (self.signed(lambda f: tenant(f)["integrations"][0].update(id="sv_1")), USAGE, "begins with in_"),
                (self.signed(lambda f: tenant(f)["services"][1].pop("name")), USAGE, "name is missing"),
                (self.signed(lambda f: tenant(f).update(users={})), USAGE, "users must be a list"),
                ("/nonexistent/file", FAILED, "/nonexistent/file")):
            with self.subTest(why):
                self.refused(status, "import", path, "--yes", conf=self.confs["to"], says=why)
                self.assertEqual(sql("SELECT COUNT(*) FROM sources; SELECT COUNT(*) FROM services; SELECT COUNT(*) FROM tenants;"
                                     " SELECT COUNT(*) FROM audit_log", "grapnel_to"), before)
        good = self.signed(lambda f: None)
        self.do("to", "import", good, "--yes")
        self.refused(FAILED, "import", self.signed(lambda f: tenant(f)["integrations"][0].update(type="gitlab")), "--yes", conf=self.confs["to"],
                     says="cannot be changed")
        self.refused(USAGE, "import", good, good, "--yes", conf=self.confs["to"], says="one file")

    def test_ids_that_are_taken(self):
        self.fill()
        path = self.signed(lambda f: f["configuration"].update(tenants=[
            {**t, "integrations": [i for i in t["integrations"] if i["name"] == "P"], "channels": [], "users": [], "schedules": [], "policies": [], "maintenanceWindows": []} for t in f["configuration"]["tenants"][:1]]))
        self.do("to", "import", path, "--yes")
        self.do("to", "tenant", "add", "Ours")
        self.refused(FAILED, "--tenant", "Ours", "import", path, "--yes", conf=self.confs["to"], says="P: its id or key is that of another integration")
        self.do("to", "integration", "delete", self.paypal["id"], "--yes")
        self.refused(FAILED, "import", path, "--yes", conf=self.confs["to"], says="deleted")
        path = self.signed(lambda f: f["configuration"].update(tenants=[{"name": "default", "channels": f["configuration"]["tenants"][0]["channels"]}]))
        self.do("to", "import", path, "--yes")
        self.refused(FAILED, "--tenant", "Ours", "import", path, "--yes", conf=self.confs["to"], says="ops: its id is that of a channel of another tenant")

    def test_from_a_pipe(self):
        self.fill()
        text = ctl("export", conf=self.confs["from"]).stdout
        self.assertEqual(self.do("to", "import", "/dev/stdin", "--dry-run", given=text), self.do("to", "import", self.written("a", text), "--dry-run"))

    def test_one_tenant_into_another(self):
        self.fill()
        self.refused(FAILED, "--tenant", "nobody", "export", conf=self.confs["from"], says="nobody")
        path = self.written("acme.json", ctl("--tenant", "Acme", "export", conf=self.confs["from"]).stdout)
        self.do("to", "tenant", "add", "Ours")
        self.do("to", "--tenant", "Ours", "import", path, "--yes")
        self.assertEqual([i["name"] for i in self.do("to", "--tenant", "Ours", "integration", "list")["integrations"]], ["theirs"])
        whole = self.written("whole.json", ctl("export", conf=self.confs["from"]).stdout)
        self.refused(USAGE, "--tenant", "Ours", "import", whole, "--yes", conf=self.confs["to"], says="2 tenants")


class Tenants(Case):
    def test_life(self):
        made = self.answer("tenant", "add", "Acme")
        self.assertEqual((made["name"], made["services"], made["users"]), ("Acme", 1, 0))
        self.assertEqual([s["name"] for s in self.answer("--tenant", "Acme", "service", "list")["services"]], ["default"])
        self.answer("--tenant", "Acme", "integration", "add", "webhook", "--name", "theirs")
        self.answer("--tenant", "Acme", "user", "add", "wile", "--role", "admin")
        [listed] = [t for t in self.answer("tenant", "list")["tenants"] if t["name"] == "Acme"]
        self.assertEqual((listed["users"], listed["services"], listed["integrations"]), (1, 1, 1))
        self.answer("tenant", "rename", "Acme", "Acme Ltd")
        self.assertEqual(len(self.answer("--tenant", "Acme Ltd", "integration", "list")["integrations"]), 1)
        audit = sql("SELECT a.action, a.actor FROM audit_log a JOIN tenants t ON t.id = a.tenant_id WHERE t.name = 'Acme Ltd' AND"
                    " a.action LIKE 'tenant.%' ORDER BY a.id")
        self.assertEqual(audit, [[b"tenant.create", b"4"], [b"tenant.update", b"4"]])
        first = self.answer("tenant", "list", "--limit", "1")
        self.assertEqual((first["tenants"][0]["name"], len(first["tenants"])), ("default", 1))
        self.assertNotIn("default", [t["name"] for t in self.answer("tenant", "list", "--cursor", first["next"])["tenants"]])

    def test_what_is_refused(self):
        self.answer("tenant", "add", "once")
        for words, status, why in ((("add", "once"), FAILED, "exists"), (("add", "all"), USAGE, "cannot be called all"), (("add", ""), USAGE, "empty"),
                                   (("add", "two\nlines"), USAGE, "control"), (("rename", "once", "default"), FAILED, "exists"),
                                   (("rename", "nobody", "x"), FAILED, "there is no tenant"), (("rename", "once", "all"), USAGE, "all")):
            before = sql("SELECT COUNT(*) FROM services")
            self.refused(status, "tenant", *words, says=why)
            self.assertEqual(sql("SELECT COUNT(*) FROM services"), before)


class Api(Case):
    def test_openapi(self):
        document = json.loads(self.text("openapi"))
        self.assertEqual((document["openapi"], document["servers"][0]["url"]), ("3.1.0", "https://hooks.example.org"))
        done = ctl("openapi", "--url", "https://other.example", conf="/nonexistent/conf")
        self.assertEqual(json.loads(done.stdout)["servers"][0]["url"], "https://other.example")
        self.assertEqual(self.text("openapi", "--json").count("\n"), 1)
        self.refused(FAILED, "openapi", conf="/nonexistent/conf", says="/nonexistent/conf")


class Events(Case):
    @classmethod
    def setUpClass(cls):
        made = json.loads(ctl("--json", "integration", "add", "webhook", "--name", "Seen").stdout)
        cls.source = made["id"]
        [[source]] = sql("SELECT id FROM sources WHERE public_id = '%s'" % made["id"])
        source = int(source)
        sql("INSERT INTO requests (id, source_id, status, method, uri, remote_addr, trace, headers, body, body_bytes, duration_us,"
            " event_count, event_id) VALUES (%d, %d, 201, 'POST', '/x', '127.0.0.1', 't', 'content-type: application/json\n',"
            " '{\"a\": \"\\\\u001b[31m\", \"raw\": 1.0}', 30, 5, 1, %d)" % (EVENT, source, EVENT))
        sql("INSERT INTO events (id, tenant_id, source_id, request_id, element, event_id, event_type, action, severity, level, summary,"
            " status, attempts, incident_id, received_at, updated_at) VALUES (%d, 1, %d, %d, 0, 'e1', 'alert', 1, 3, 4,"
            " CONCAT('disk ', CHAR(27), '[31m', CHAR(7), ' full', CHAR(10), 'grapnelctl: all is well'), 2, 1, %d, 1, 1)"
            % (EVENT, source, EVENT, INCIDENT))
        sql("INSERT INTO incidents (id, tenant_id, service_id, source_id, dedup_key, title, status, level, alert_count, opened_at,"
            " last_alert_at, updated_at) VALUES (%d, 1, 1, %d, 'k', 'disk full', 1, 4, 1, 1, 1, 1)" % (INCIDENT, source))

    def test_event_list(self):
        [event] = self.answer("event", "list", "--status", "processed", "--provider", "webhook", "--source", self.source)["events"]
        self.assertEqual((event["id"], event["status"], event["incidentId"]), (str(EVENT), "processed", str(INCIDENT)))
        self.assertEqual(self.answer("event", "list", "--status", "failed")["events"], [])

    def test_event_show(self):
        event = self.answer("event", "show", str(EVENT))
        self.assertEqual(event["headers"], {"content-type": "application/json"})
        self.assertEqual(event["payload"]["a"], "\x1b[31m")
        self.assertEqual(event["incident"]["id"], str(INCIDENT))
        self.refused(FAILED, "event", "show", "1", says="there is no event 1")
        self.refused(FAILED, "--tenant", "default", "event", "show", "1")

    def test_a_terminal_gets_no_control_characters(self):
        for args in (("event", "list"), ("event", "show", str(EVENT))):
            text = self.text(*args)
            self.assertNotRegex(text, "[\x00-\x08\x0b-\x1f\x7f]")
            self.assertIn("disk \\x1b[31m\\x07 full\\x0agrapnelctl", text)

    def test_incident_list(self):
        [incident] = self.answer("incident", "list", "--status", "open")["incidents"]
        self.assertEqual((incident["id"], incident["severity"]), (str(INCIDENT), "CRITICAL"))
        self.assertEqual(self.answer("incident", "list", "--status", "resolved")["incidents"], [])
        self.assertIn("disk full", self.text("incident", "list"))

    def test_incident_show(self):
        incident = self.answer("incident", "show", str(INCIDENT))
        self.assertEqual((incident["title"], incident["timeline"]), ("disk full", []))
        self.assertIn("no entries", self.text("incident", "show", str(INCIDENT)))
        self.assertEqual(incident["notifications"], [])
        self.assertIn("no notifications", self.text("incident", "show", str(INCIDENT)))
        self.refused(FAILED, "incident", "show", "1", says="there is no incident 1")
        self.refused(USAGE, "incident", "show", "x", says="is a number")

    def test_incident_show_says_who_was_told(self):
        channel = self.answer("channel", "add", "email", "Ops", "to=ops@example.org")["id"]
        [[number]] = sql("SELECT id FROM channels WHERE public_id = '%s'" % channel)
        told = INCIDENT + 1
        self.addCleanup(sql, "DELETE FROM outbox WHERE id = %d; DELETE FROM outbox_attempts WHERE outbox_id = %d; DELETE FROM channels WHERE id = %d"
                        % (told, told, int(number)))
        sql("INSERT INTO outbox (id, tenant_id, kind, target_id, cause_id, status, attempts, next_at, created_at, finished_at, error)"
            " VALUES (%d, 1, 1, %d, %d, 3, 2, 1, 1, 3, CONCAT('no', CHAR(27), '[31m mail'))" % (told, int(number), INCIDENT))
        sql("INSERT INTO outbox_attempts (outbox_id, attempt, at, duration_ms, status, error, answer) VALUES (%d, 1, 1, 5, 0, 'away', ''),"
            " (%d, 2, 2, 6, 550, 'refused', 'no such box')" % (told, told))
        [seen] = self.answer("incident", "show", str(INCIDENT))["notifications"]
        self.assertEqual((seen["kind"], seen["channelId"], seen["channel"], seen["status"], seen["attempts"]), ("channel", channel, "Ops", "dead", 2))
        self.assertEqual([(a["attempt"], a["httpStatus"], a["error"], a["answer"]) for a in seen["attemptLog"]],
                         [(1, 0, "away", ""), (2, 550, "refused", "no such box")])
        shown = self.text("incident", "show", str(INCIDENT)).split("\nnotifications\n")[1]
        self.assertRegex(shown, r"channel +Ops +dead +2 +no\\x1b\[31m mail")

    def test_incident_show_says_where_it_is_in_its_policy(self):
        self.assertIsNone(self.answer("incident", "show", str(INCIDENT))["escalation"])
        self.assertNotIn("\nescalation\n", self.text("incident", "show", str(INCIDENT)))
        self.addCleanup(sql, "DELETE FROM escalations; DELETE FROM escalation_policies")
        channel = self.answer("channel", "add", "email", "Ops", "to=ops@example.org")["id"]
        self.addCleanup(sql, "DELETE FROM channels WHERE public_id = '%s'" % channel)
        step = json.dumps({"delayMinutes": 5, "targets": [{"type": "channel", "id": channel}]})
        sql("INSERT INTO escalation_policies (id, tenant_id, public_id, name, steps, repeats, created_at, updated_at)"
            " VALUES (7, 1, 'po_x', 'Nights', '[%s,%s]', 1, 1, 1)" % (step, step))
        sql("INSERT INTO escalations (incident_id, policy_id, step, round, reached, paused, since, next_at) VALUES (%d, 7, 1, 0, 1, 0, 1, 1767225600000)" % INCIDENT)
        seen = self.answer("incident", "show", str(INCIDENT))["escalation"]
        self.assertEqual([seen[k] for k in ("policy", "state", "nextStep", "steps", "round", "rounds", "nextAt", "paged")],
                         ["Nights", "running", 2, 2, 1, 2, "2026-01-01T00:00:00.000Z", []])
        self.assertEqual([(t["type"], t["name"]) for t in seen["nextTargets"]], [("channel", "Ops")])
        shown = self.text("incident", "show", str(INCIDENT)).split("\nescalation\n")[1]
        self.assertRegex(shown, r"(?s)policy +Nights\n.*nextStep +2\n.*next targets\n.*channel +%s +Ops\n.*paged\n" % channel)


class Keys(Case):
    URL = "https://issuer.example/keys"
    SET = '{"keys":[]}'

    def test_life(self):
        key = self.answer("key", "add", self.URL, "-", given=self.SET)
        self.assertEqual((key["url"], key["kind"], key["pinned"]), (self.URL, "key set", True))
        self.assertEqual(key["sha256"], hashlib.sha256(self.SET.encode()).hexdigest())
        self.answer("key", "add", self.URL, "-", given=self.SET + " ")      # takes its place
        self.assertEqual([k["url"] for k in self.answer("key", "list")["keys"]], [self.URL])
        self.assertIn(self.URL, self.text("key", "list"))
        audited = sql("SELECT action, detail FROM audit_log WHERE action LIKE 'key.%' ORDER BY id")
        self.assertEqual([row[0] for row in audited], [b"key.pin", b"key.pin"])
        self.assertEqual(json.loads(audited[0][1])["url"], self.URL)
        self.answer("key", "remove", self.URL)
        self.refused(FAILED, "key", "remove", self.URL, says="there is no document of that URL")
        self.assertEqual(self.answer("key", "list")["keys"], [])

    def test_what_is_refused(self):
        for text in ("", "{}", "<html>", "-----BEGIN CERTIFICATE-----\n"):
            self.refused(USAGE, "key", "add", self.URL, "-", given=text, says="-: It is")
        self.refused(USAGE, "key", "add", "http://issuer.example/", "-", given=self.SET, says="must begin with https://")
        self.refused(USAGE, "key", "add", "https://issuer.example/" + 1024 * "x", "-", given=self.SET, says="more than 1024 bytes")
        self.refused(FAILED, "key", "add", self.URL, "/nonexistent/file", says="/nonexistent/file: ")
        self.refused(FAILED, "key", "add", self.URL, "-", given=self.SET + 65536 * " ")


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *args):
        pass


class Sending(Case):
    def written(self, name, text):
        path = os.path.join(FOLDER.name, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def test_every_type_takes_its_own_test_webhook(self):
        for slug in sorted(os.listdir(os.path.join(SOURCE, "tests", "golden"))):
            if not os.path.isdir(os.path.join(SOURCE, "tests", "golden", slug)):
                continue
            with self.subTest(slug):
                made = self.answer("integration", "add", slug, "--name", "to send", "--generate-secret")
                sent = self.answer("send", slug, "--integration", made["id"])
                self.assertTrue(sent["success"])
                self.assertEqual(sent["validation"]["providerDetected"], slug)
                self.assertIn(sent["validation"]["signature"], ("verified", "not possible"))
                if sent["incident"]:
                    self.assertEqual(sent["autoResolveIn"], "5 minutes")
                    self.assertRegex(sent["alert"]["title"], r"^\[.+\] Test Alert")
                self.answer("integration", "delete", made["id"], "--yes")

    def test_which_integration(self):
        self.refused(FAILED, "send", "dynatrace", says="there is no integration of type dynatrace")
        first = self.answer("integration", "add", "dynatrace", "--name", "one")
        self.assertIn(first["id"], self.text("send", "dynatrace"))
        second = self.answer("integration", "add", "dynatrace", "--name", "two")
        self.refused(USAGE, "send", "dynatrace", says="--integration")
        self.assertIn(second["id"], self.text("send", "dynatrace", "--integration", second["id"]))
        self.refused(FAILED, "send", "dynatrace", "--integration", "in_other", says="in_other")
        self.refused(USAGE, "send", "nosuch", says="nosuch")
        [[action]] = sql("SELECT action FROM audit_log WHERE object = '%s' ORDER BY id DESC LIMIT 1" % second["id"])
        self.assertEqual(action, b"integration.test")
        [[is_test]] = sql("SELECT DISTINCT e.is_test FROM events e JOIN sources s ON s.id = e.source_id WHERE s.public_id = '%s'"
                          % second["id"])
        self.assertEqual(is_test, b"1")
        for made in (first, second):
            self.answer("integration", "delete", made["id"], "--yes")

    CASES = ("--cases-dir", os.path.join(SOURCE, "tests", "golden"))

    def test_every_case_can_be_sent(self):
        """Each is listed; one that alerts goes through the pipeline of each type, and repeats are told."""
        for slug in sorted(os.listdir(self.CASES[1])):
            folder = os.path.join(self.CASES[1], slug)
            if not os.path.isdir(folder):
                continue
            with self.subTest(slug):
                cases = self.answer("send", slug, "--list-cases", *self.CASES)["cases"]
                self.assertEqual(sorted(c["case"] for c in cases), sorted(f[:-7] for f in os.listdir(folder) if f.endswith(".expect")))
                alerts = [c["case"] for c in cases if c["becomes"].startswith("trigger") and c["case"] != "sample"]
                if not alerts:
                    continue
                made = self.answer("integration", "add", slug, "--name", "to send", "--generate-secret")
                sent = self.answer("send", slug, "--case", alerts[0], "--integration", made["id"], *self.CASES)
                self.assertTrue(sent["success"], (alerts[0], sent))
                [[is_test]] = sql("SELECT DISTINCT e.is_test FROM events e JOIN sources s ON s.id = e.source_id WHERE s.public_id = '%s'" % made["id"])
                self.assertEqual(is_test, b"1")
                self.answer("integration", "delete", made["id"], "--yes")

    def test_a_case_sent_twice_is_a_repeat(self):
        made = self.answer("integration", "add", "prometheus", "--name", "twice")
        words = ("send", "prometheus", "--case", "firing-single", "--integration", made["id"], *self.CASES)
        self.assertIn("restarted", self.text(*words))
        self.assertEqual(self.answer(*words)["incident"], None)
        [[events, alerts]] = sql("SELECT COUNT(DISTINCT e.id), COUNT(a.id) FROM events e JOIN sources s ON s.id = e.source_id LEFT JOIN alerts a ON"
                                 " a.event_id = e.id WHERE s.public_id = '%s'" % made["id"])
        self.assertEqual((events, alerts), (b"1", b"1"))
        self.answer("integration", "delete", made["id"], "--yes")
        for name in ("nosuch", "../github/issues-opened", ""):
            self.refused(USAGE, "send", "prometheus", "--case", name, *self.CASES, says="--list-cases")
        self.refused(FAILED, "send", "prometheus", "--list-cases", "--cases-dir", "/nonexistent", says="/nonexistent/prometheus")

    def test_a_case_to_an_address(self):
        with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
            server.got, server.status = [], 200
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.answer("send", "github", "--case", "issues-opened", "--to", "http://127.0.0.1:%d/hook" % server.server_address[1], *self.CASES,
                        "--secret-file", self.written("case-secret", "s3cret\n"))
            [(path, headers, body)] = server.got
            self.assertEqual((path, headers["x-github-event"], json.loads(body)["action"]), ("/hook", "issues", "opened"))
            self.assertEqual(headers["x-hub-signature-256"], "sha256=" + hmac.new(b"s3cret", body, "sha256").hexdigest())
            server.shutdown()

    def test_to_an_address(self):
        with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
            server.got, server.status = [], 201
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = "http://127.0.0.1:%d/hook?a=b" % server.server_address[1]
            secret, key = self.written("sent-secret", "s3cret\n"), self.written("sent-key", "k3y\n")
            sent = self.answer("send", "github", "--to", url, "--secret-file", secret, "--key-file", key)
            self.assertEqual((sent["status"], sent["body"]), (201, "thanks"))
            [(path, headers, body)] = server.got
            self.assertEqual((path, headers["authorization"]), ("/hook?a=b", "Bearer k3y"))
            signed = "sha256=" + hmac.new(b"s3cret", body, "sha256").hexdigest()
            self.assertEqual(headers["x-hub-signature-256"], signed)
            server.status = 403
            done = ctl("--json", "send", "github", "--to", url)
            self.assertEqual((done.returncode, json.loads(done.stdout)["status"]), (FAILED, 403))
            server.shutdown()
        self.refused(FAILED, "send", "github", "--to", url)
        self.refused(USAGE, "send", "github", "--to", "ftp://127.0.0.1/")
        self.refused(USAGE, "send", "github", "--secret-file", secret, says="--to")
        self.refused(USAGE, "send", "github", "--to", url, "--secret-file", self.written("sent-nothing", ""), says="holds nothing")

    def test_a_request_is_explained(self):
        made = self.answer("integration", "add", "github", "--name", "explained", "--generate-secret")
        self.answer("send", "github", "--integration", made["id"])
        [[number]] = sql("SELECT r.id FROM requests r JOIN sources s ON s.id = r.source_id WHERE s.public_id = '%s'" % made["id"])
        told = self.answer("request", "explain", number.decode())
        self.assertEqual((told["sourceId"], told["proof"]["scheme"]), (made["id"], "github"))
        self.assertEqual([s["ok"] for s in told["proof"]["steps"]], [True] * len(told["proof"]["steps"]))
        self.assertIn("proven (github)", self.text("request", "explain", number.decode()))
        self.assertNotIn(made["signatureSecret"], json.dumps(told))
        self.refused(FAILED, "request", "explain", "5", says="there is no request 5")
        self.refused(USAGE, "request", "explain", "x", says="is a number")
        self.answer("integration", "delete", made["id"], "--yes")


class Configuration(Case):
    def test_print(self):
        conf = self.answer("config", "print")
        self.assertEqual(conf["server"]["public_url"], "https://hooks.example.org")
        self.assertIn("public_url = https://hooks.example.org", self.text("config", "print"))

    def test_sample_holds_the_defaults(self):
        sample = os.path.join(FOLDER.name, "sample.conf")
        with open(sample, "w") as f:
            f.write(re.sub(r"(?m)^#(?=[a-z_]+ =)", "", self.text("config", "sample")))
        empty = os.path.join(FOLDER.name, "nothing.conf")
        open(empty, "w").close()
        self.assertEqual(ctl("config", "print", conf=sample).stdout, ctl("config", "print", conf=empty).stdout)

    def test_version(self):
        self.assertRegex(self.answer("version")["version"], r"^\d+\.\d+")


if __name__ == "__main__":
    sql("CREATE OR REPLACE DATABASE " + DATABASE, None)
    conf_write(CONF)
    for setup in (("migrate", "--dir", os.path.join(SOURCE, "sql")), ("secrets", "init"), ("user", "add", "root")):
        result = ctl(*setup)
        if result.returncode:
            sys.exit("%s: %s" % (" ".join(setup), result.stderr))
    unittest.main(verbosity=1)
