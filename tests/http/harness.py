"""harness.py - a running instance, and what a sender, an API client and an administrator do with it.

Instance starts `contrib/quickstart up` on a folder and a port of its own, with programs that are installed already
(GRAPNEL_USE_PREFIX), and reads the names it is known by from DIR/env, as any script would. Standard library only.
"""
import base64
import contextlib
import gzip
import hashlib
import hmac
import http.client
import itertools
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUICKSTART = os.path.join(TOP, "contrib", "quickstart")
SCOPES = {"read": 1, "incidents": 2, "events": 4, "integrations": 8, "sync": 16, "admin": 32, "all": 63}
ROLES = {"viewer": 1, "operator": 2, "admin": 3}


class Failed(AssertionError):
    """A scenario's expectation was not met."""


def same(actual, expected, what=""):
    if actual != expected:
        raise Failed("%s: %.600r instead of %.600r" % (what or "value", actual, expected))


def true(condition, what):
    if not condition:
        raise Failed(what)


def wait_until(condition, seconds=10, what="the condition"):
    """Returns the condition's first true value. The longer it lasts, the less often it is asked for: others need the processors. The last look begins
    after the time: whoever stood still meanwhile looks once more."""
    began = time.monotonic()
    while True:
        passed = time.monotonic() - began
        value = condition()
        if value:
            return value
        if passed > seconds:
            raise Failed("%s did not come about within %s s" % (what, seconds))
        time.sleep(min(max(0.05, passed / 20), 0.5))


def _proc(pid, file="cmdline"):
    """What the kernel says of a process; "" of a dead one, whose command line is empty before its parent has looked, too."""
    try:
        with open("/proc/%d/%s" % (pid, file)) as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        return self.headers.get(name.lower())

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed("answer %s is no JSON: %.300r" % (self.status, self.body)) from None

    def expect(self, status, code=None, field=None):
        """The status, and of a refusal the error code and the field to blame. Returns the body's JSON."""
        if self.status != status:
            raise Failed("answer %s instead of %s: %.600r" % (self.status, status, self.body))
        body = self.json() if self.body else None
        if code:
            same(self.header("content-type"), "application/json", "content type of a refusal")
            same(body.get("error"), code, "error code of %r" % body)
            true(isinstance(body.get("message"), str) and body["message"], "a refusal says why: %r" % body)
        if field:
            same(body.get("field"), field, "field to blame")
        return body


_ports = []     # sockets whose names say that a port is ours, until this process ends


def free_port():
    """Below those that the kernel gives to outgoing connections, so that nobody has it while a web server is started again. Nor does another process
    of the tests, which would have to take the name first."""
    while True:
        port, name = random.randrange(12000, 32000), socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError), socket.socket() as s:
            name.bind("\0grapnel-test-port-%d" % port)
            s.bind(("127.0.0.1", port))
            _ports.append(name)
            return port
        name.close()


class Instance:
    def __init__(self, server="lighttpd", sets=(), workers=2, where=None):
        self.environ = {}       # of quickstart, beside what is there
        self.wrap = []          # words before its command line
        # /metrics asks for its token: senders and scrapers of the tests share the loopback addresses.
        self.server, self.sets, self.workers = server, ["metrics.allow=192.0.2.1", *sets], workers
        self.dir = where or tempfile.mkdtemp(prefix="grapnel-%s." % server)
        self.port = free_port()
        self.env, self.token, self._address, self._lock = {}, None, itertools.count(2), threading.Lock()

    # ---- life ----

    def quickstart(self, action, *more):
        return subprocess.run([*self.wrap, QUICKSTART, action, "--data", self.dir, *more], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **self.environ})

    def up(self, *more):
        sets = [word for s in self.sets for word in ("--set", s)]
        done = self.quickstart("up", "--port", str(self.port), "--server", self.server, "--workers", str(self.workers),
                                "--no-install", *sets, *more)
        if done.returncode:
            raise Failed("quickstart up failed:\n" + done.stdout)
        with open(os.path.join(self.dir, "env")) as f:
            self.env = dict(line.rstrip("\n").split("=", 1) for line in f)
        self.token = self.token or self.env["GRAPNEL_API_TOKEN"]
        return self

    def down(self, remove=True):
        self.quickstart("down")
        if remove:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self.up()

    def __exit__(self, *_):
        self.down()

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def pid(self, part):
        """Of the part `db`, `grapnel`, `web` or `cron`; None while it is away."""
        try:
            with open(self.path("run", part + ".pid")) as f:
                return int(f.read())
        except (OSError, ValueError):
            return None

    def keeper_pid(self, part):
        """Of the process that starts the part again."""
        with open(self.path("run", part + ".keeper")) as f:
            return int(f.read())

    def stop_part(self, part):
        """Its keeper and it; the next `up` starts it: a keeper that is still there would be left alone."""
        keeper = self.keeper_pid(part)
        os.kill(keeper, signal.SIGTERM)
        wait_until(lambda: not _proc(keeper), 60, part + " has ended")

    @contextlib.contextmanager
    def without_database(self, how=signal.SIGKILL):
        """MariaDB is away: killed, shut down (SIGTERM), or silent (SIGSTOP). Afterwards it is waited for until all is ready again."""
        keeper, server = self.keeper_pid("db"), self.pid("db")
        os.kill(keeper, signal.SIGSTOP)
        try:
            os.kill(server, how)
            if how != signal.SIGSTOP:
                wait_until(lambda: not _proc(server), 60, "MariaDB has ended")
            yield
        finally:
            if how == signal.SIGSTOP:
                os.kill(server, signal.SIGCONT)
            os.kill(keeper, signal.SIGCONT)
            wait_until(self.is_ready, 60, "all is ready again")

    @contextlib.contextmanager
    def without_cron(self):
        """The instance's own cron rests: jobs run only when somebody asks for them. A run that is under way ends first."""
        cron = self.pid("cron")
        os.kill(cron, signal.SIGSTOP)
        try:
            wait_until(lambda: "State:\tT" in _proc(cron, "status"), 10, "cron rests")
            children = [int(word) for word in _proc(cron, "task/%d/children" % cron).split()]
            wait_until(lambda: not any("grapnel-cron" in _proc(pid) for pid in children), 70, "cron's run has ended")
            yield
        finally:
            os.kill(cron, signal.SIGCONT)

    def is_ready(self):
        try:
            return self.request("GET", "/readyz", timeout=5).status == 200
        except OSError:
            return False

    def spooled(self, folder=""):
        """Names of the files of the spool, or of its folder `bad`."""
        try:
            return [name for name in os.listdir(self.path("spool", folder)) if name.endswith((".open", ".spool"))]
        except FileNotFoundError:
            return []

    def worker_pids(self):
        """Children of the master."""
        with open("/proc/%d/task/%d/children" % (self.pid("grapnel"), self.pid("grapnel"))) as f:
            return sorted(int(word) for word in f.read().split())

    def logs(self):
        """All that was logged, by all parts."""
        text = b""
        for name in sorted(os.listdir(self.path("log"))):
            with open(self.path("log", name), "rb") as f:
                text += f.read()
        return text

    # ---- administrator ----

    def program(self, *argv, **how):
        """Starts one of the installed programs as the user whom the instance belongs to; `how` goes to subprocess.Popen."""
        owner = os.stat(self.dir)
        if os.getuid() == 0:
            how = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": [], **how}
        return subprocess.Popen([os.path.join(self.env["GRAPNEL_PREFIX"], argv[0]), *argv[1:]], text=True, **how)

    def cron(self, *words, conf=None, **how):
        """A run of grapnel-cron."""
        return self.program("bin/grapnel-cron", "-c", conf or self.env["GRAPNEL_CONF"], *words,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)

    def jobs(self, *names):
        """What these jobs of grapnel-cron came to: a run that meets the instance's own cron at one of them is made again."""
        def ran():
            run = self.cron("--json", *names)
            out, err = run.communicate()
            same(run.returncode, 0, err)
            results = json.loads(out)["jobs"]
            return results if all(job["outcome"] != "elsewhere" for job in results) else None
        return wait_until(ran, 30, "run of " + " ".join(names))

    def ctl(self, *words, stdin=""):
        done = subprocess.run([os.path.join(self.env["GRAPNEL_PREFIX"], "bin", "grapnelctl"), "-c",
                               self.env["GRAPNEL_CONF"], *words], input=stdin, capture_output=True, text=True)
        if done.returncode:
            raise Failed("grapnelctl %s: %s" % (" ".join(words), done.stderr))
        return done.stdout

    def sql(self, query):
        """Rows of texts, as root of the private MariaDB. A statement that lost to a program in a deadlock is sent again, as programs do."""
        for _ in range(5):
            done = subprocess.run(["mariadb", "--defaults-file=" + self.path("etc", "root.cnf"), "--batch", "--raw",
                                   "--skip-column-names", self.env["GRAPNEL_DB_NAME"], "-e", query],
                                  capture_output=True, text=True, errors="replace")
            if "ERROR 1213" not in done.stderr:
                break
        if done.returncode:
            raise Failed("sql: %s: %s" % (query, done.stderr))
        return [line.split("\t") for line in done.stdout.splitlines()]

    def number(self, query):
        return int(self.sql(query)[0][0])

    def metrics(self):
        """{name or name{labels}: value}"""
        reply = self.request("GET", "/metrics", headers={"Authorization": "Bearer " + self.setting("metrics", "token")})
        same(reply.status, 200, "/metrics")
        lines = [line for line in reply.body.decode().splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    def setting(self, section, key):
        here = None
        with open(self.env["GRAPNEL_CONF"]) as f:
            for line in f:
                if line.startswith("["):
                    here = line.strip()[1:-1]
                elif here == section and line.split("=")[0].strip() == key:
                    return line.split("=", 1)[1].strip()
        return None

    def configuration(self, text=None):
        """The whole file; with a text, that one from the next up() on."""
        with open(self.env["GRAPNEL_CONF"], "r+" if text else "r") as f:
            if not text:
                return f.read()
            f.write(text)
            f.truncate()
            return text

    def new_token(self, role="admin", scopes="all", tenant=1, expires_in_s=None, enabled=True):
        """A token of a new user of that role. Written to the tables, so that tests need no clock to expire one."""
        text, tail = "gt_" + secrets.token_urlsafe(32), secrets.token_hex(8)
        now = int(time.time() * 1000)
        expires = "NULL" if expires_in_s is None else str(now + expires_in_s * 1000)
        self.sql("INSERT INTO users (public_id, tenant_id, name, role, enabled, created_at) VALUES "
                 "('us_%s', %d, 'user-%s', %d, %d, %d); SET @u = LAST_INSERT_ID(); "
                 "INSERT INTO tokens (public_id, user_id, name, token_hash, scopes, created_at, expires_at) VALUES "
                 "('tk_%s', @u, 'test', UNHEX('%s'), %d, %d, %s)"
                 % (tail, tenant, tail, ROLES[role], enabled, now, tail, hashlib.sha256(text.encode()).hexdigest(),
                    sum(SCOPES[s] for s in scopes.split(",")), now, expires))
        return text

    def another_token(self):
        """One more of the instance's own administrator, with all scopes."""
        text = "gt_" + secrets.token_urlsafe(32)
        self.sql("INSERT INTO tokens (public_id, user_id, name, token_hash, scopes, created_at) SELECT 'tk_%s', id, 'test', UNHEX('%s'), %d, %d FROM users"
                 " WHERE name = '%s'" % (secrets.token_hex(8), hashlib.sha256(text.encode()).hexdigest(), SCOPES["all"], int(time.time() * 1000),
                                         self.env["GRAPNEL_ADMIN_USER"]))
        return text

    def new_tenant(self):
        """Number of a new tenant with a default service of its own."""
        tail = secrets.token_hex(8)
        self.sql("INSERT INTO tenants (name, created_at) VALUES ('tenant-%s', 0); SET @t = LAST_INSERT_ID(); "
                 "INSERT INTO services (public_id, tenant_id, name, is_default, created_at, updated_at) VALUES "
                 "('sv_%s', @t, 'default', 1, 0, 0)" % (tail, tail))
        return self.number("SELECT id FROM tenants WHERE name = 'tenant-%s'" % tail)

    # ---- HTTP ----

    def request(self, method, path, body=b"", headers=None, source=None, timeout=30):
        """One request on a connection of its own; a header of None is left out. `source`: the address it comes from, any of 127.0.0.0/8."""
        body = body.encode() if isinstance(body, str) else body
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout,
                                                source_address=(source, 0) if source else None)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            headers = dict(headers or {})
            if body or method in ("POST", "PUT", "PATCH"):
                headers.setdefault("Content-Length", str(len(body)))
            for name, value in headers.items():
                if value is not None:
                    connection.putheader(name, value)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):    # who refuses a body need not read it to its end
                connection.endheaders(body or None)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def fresh_address(self):
        """An address of loopback that no scenario used before: its bucket of failed proofs is full."""
        with self._lock:
            n = next(self._address)
        return "127.%d.%d.%d" % (1 + n // 62500, n // 250 % 250, 1 + n % 250)

    def api(self, method, path, body=None, token=None, headers=None):
        headers = {"Authorization": "Bearer " + (token or self.token), **(headers or {})}
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        return self.request(method, path, body or b"", headers)

    def get(self, path, token=None):
        return self.api("GET", path, token=token).expect(200)

    def integration(self, kind, token=None, **more):
        """Creates one. Its answer has id, key and, where given or made, signatureSecret."""
        body = {"name": "%s %s" % (kind, secrets.token_hex(4)), "type": kind, **more}
        return self.api("POST", "/api/integrations", body, token).expect(201)

    # ---- senders ----

    def send(self, integration, body, headers=None, path=None, source=None, method="POST", key=True, timeout=30):
        """As a sender that knows the integration's key."""
        headers = {"Content-Type": "application/json", **(headers or {})}
        if key:
            headers.setdefault("Authorization", "Bearer " + integration["key"])
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        path = path or "/api/integrations/%s/%s" % (integration["type"], integration["id"])
        return self.request(method, path, body, headers, source, timeout)

    def send_github(self, integration, event, body, delivery=None, secret=None, headers=None, source=None):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        mac = hmac.new((secret or integration["signatureSecret"]).encode(), body, hashlib.sha256).hexdigest()
        return self.send(integration, body, {
            "X-GitHub-Event": event, "X-GitHub-Delivery": delivery or uuid(),
            "X-Hub-Signature-256": "sha256=" + mac, **(headers or {})}, key=False, source=source)

    def send_stripe(self, integration, body, at=None, secret=None, path=None, header=None, source=None):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        at = int(time.time()) if at is None else at
        mac = hmac.new((secret or integration["signatureSecret"]).encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
        return self.send(integration, body, {"Stripe-Signature": header or "t=%d,v1=%s" % (at, mac)},
                         path or "/api/webhooks/stripe/" + integration["id"], key=False, source=source)

    def send_standard(self, integration, body, message_id=None, at=None, source=None):
        """Standard Webhooks."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        message_id, at = message_id or "msg_" + secrets.token_hex(8), int(time.time()) if at is None else at
        key = base64.b64decode(integration["signatureSecret"].removeprefix("whsec_"))
        mac = hmac.new(key, b"%s.%d." % (message_id.encode(), at) + body, hashlib.sha256).digest()
        return self.send(integration, body, {
            "webhook-id": message_id, "webhook-timestamp": str(at),
            "webhook-signature": "v1," + base64.b64encode(mac).decode()}, key=False, source=source)


# ---- payloads: small, true to their senders, each with ids of its own ----

def uuid():
    text = secrets.token_hex(16)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def rfc3339(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + ".%03dZ" % (at * 1000 % 1000)


def alert(status="firing", fingerprint=None, started=None, severity="critical", ended=None, **labels):
    """One alert of Alertmanager; times are epoch seconds."""
    started = time.time() if started is None else started
    ended = "0001-01-01T00:00:00Z" if status == "firing" and ended is None else rfc3339(ended or time.time())
    return {"status": status, "labels": {"alertname": "DiskFull", "instance": "db1:9100", "job": "node",
                                         "severity": severity, **labels},
            "annotations": {"summary": "Disk of db1 is full"}, "startsAt": rfc3339(started), "endsAt": ended,
            "generatorURL": "http://prometheus.example/graph", "fingerprint": fingerprint or secrets.token_hex(8)}


def alerts(*members):
    """The group that Alertmanager posts."""
    firing = any(a["status"] == "firing" for a in members if isinstance(a, dict))
    return {"version": "4", "groupKey": "{}:{alertname=\"DiskFull\"}", "truncatedAlerts": 0,
            "status": "firing" if firing else "resolved", "receiver": "grapnel", "groupLabels": {}, "commonLabels": {},
            "commonAnnotations": {}, "externalURL": "http://alertmanager.example", "alerts": list(members)}


def workflow_run(conclusion="failure", repository=None, workflow=1, branch="main"):
    repository = repository or secrets.randbelow(1 << 31)
    return {"action": "completed", "workflow": {"name": "CI"},
            "workflow_run": {"id": secrets.randbelow(1 << 31), "name": "CI", "head_branch": branch, "head_sha": "0" * 40,
                             "status": "completed", "conclusion": conclusion, "workflow_id": workflow,
                             "html_url": "https://github.com/octo/repo/actions/runs/1",
                             "head_repository": {"id": repository}},
            "repository": {"id": repository, "name": "repo", "full_name": "octo/repo",
                           "html_url": "https://github.com/octo/repo", "default_branch": "main"}}


def stripe_event(kind="charge.failed", **object_members):
    return {"id": "evt_" + secrets.token_hex(12), "object": "event", "api_version": "2023-10-16",
            "created": int(time.time()), "type": kind, "livemode": True, "pending_webhooks": 1, "request": None,
            "data": {"object": {"id": "ch_" + secrets.token_hex(8), "object": "charge", "amount": 2000, "currency": "usd",
                                **object_members}}}


def pagerduty(integration, action="trigger", dedup_key=None, **payload):
    body = {"routing_key": integration["key"], "event_action": action,
            "payload": {"summary": "Load is high", "source": "web1", "severity": "critical", **payload}}
    if dedup_key:
        body["dedup_key"] = dedup_key
    return body


def gzipped(body):
    return gzip.compress(body if isinstance(body, bytes) else json.dumps(body).encode(), mtime=0)


def together(calls):
    """Runs the calls at the same time; their results in order. An exception of one is raised."""
    results, gate = [None] * len(calls), threading.Barrier(len(calls))

    def one(i):
        gate.wait()
        try:
            results[i] = calls[i]()
        except Exception as e:      # handed on to the caller's thread
            results[i] = e
    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for r in results:
        if isinstance(r, Exception):
            raise r
    return results
