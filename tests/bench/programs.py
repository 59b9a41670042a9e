"""programs.py - what is measured: the product and the baselines, each behind a lighttpd with the instance's own settings.

A program has `url`, `targets` (kind of payload -> path and secret), `start`, `stop`, `empty` (its tables), `check` (its
rows), and `how`, a sentence for the report. Baselines get a database of their own on the instance's server."""
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import socket

import database
import host

TARGET_PATHS = {
    "prometheus": "/api/integrations/prometheus/in_bench000000000000001",
    "github": "/api/integrations/github/in_bench000000000000002",
    "stripe": "/api/webhooks/stripe/in_bench000000000000003",
}
SECRETS = {
    "prometheus": "0123456789abcdef0123456789abcdef",
    "github": "bench-github-secret-of-32-letters",
    "stripe": "whsec_bench0stripe0secret0of0thirty",
}

FASTCGI = """server.modules += ( "mod_fastcgi" )
server.stream-request-body = 0
server.max-request-size = 65536
fastcgi.server = ( "/" => (( "socket" => "%s", "check-local" => "disable", "fix-root-scriptname" => "enable", "disable-time" => 0 )) )
"""
PHP = """server.modules += ( "mod_rewrite", "mod_fastcgi" )
server.stream-request-body = 0
server.max-request-size = 65536
url.rewrite-once = ( "" => "/receiver.php" )
fastcgi.server = ( ".php" => (( "socket" => "%s", "disable-time" => 0 )) )
"""
PROXY = """server.modules += ( "mod_proxy" )
server.stream-request-body = 0
server.max-request-size = 65536
proxy.server = ( "/" => (( "host" => "127.0.0.1", "port" => %d, "disable-time" => 0 )) )
"""


class Unavailable(Exception):
    """A program cannot be had here, for a reason that is not its fault."""


def free_port():
    """Below those of outgoing connections, since it is listened at later."""
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", random.randrange(12000, 32000)))
            return s.getsockname()[1]


def answers(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Lighttpd:
    """The instance's lighttpd configuration with another port and another application behind it, so that all programs have the
    same web server."""

    def __init__(self, instance, name, snippet, root):
        self.instance, self.name, self.snippet, self.root = instance, name, snippet, root
        self.port = free_port()
        self.process = None

    def start(self):
        base = f"{self.instance.scratch}/{self.name}"
        text = self.instance.lighttpd_conf()
        text = re.sub(r"(?m)^server\.port = .*$", f"server.port = {self.port}", text)
        text = re.sub(r"(?m)^server\.document-root = .*$", f'server.document-root = "{self.root}"', text)
        text = re.sub(r"(?m)^(server\.errorlog|accesslog\.filename) = .*$", rf'\1 = "{base}-\1.log"', text)
        text = re.sub(r"(?m)^include .*$", "", text)
        self.instance.write(f"{base}-lighttpd.conf", text + self.snippet)
        self.process = self.instance.user.start(["/usr/sbin/lighttpd", "-D", "-f", f"{base}-lighttpd.conf"], f"{base}-lighttpd.log")
        host.wait_until(f"lighttpd for {self.name} does not answer", lambda: answers(self.port))

    def stop(self):
        if self.process:
            host.stop(self.process)
            self.process = None


class Baseline:
    schema = None       # SQL; None = the product's
    tables = database.EVENT_TABLES
    row_check = staticmethod(database.check_pipeline)

    def __init__(self, instance):
        self.instance = instance
        self.database = "bench_" + self.name
        self.targets = {kind: (TARGET_PATHS[kind], SECRETS[kind]) for kind in TARGET_PATHS}
        self.processes = []
        self.web = None
        self.made = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.web.port}"

    def start(self):
        if not self.made:
            self.instance.server.make_database(self.database, self.schema or self.instance.schema)
            self.prepare()
            self.made = True
        self.launch()
        if self.web:
            self.web.start()

    def prepare(self):
        pass

    def stop(self):
        if self.web:
            self.web.stop()
        for process in self.processes:
            host.stop(process)
        self.processes = []

    def sessions(self):
        """Of all that works for it, by part."""
        return {"database": [self.instance.part_pid("db")], "program": [process.pid for process in self.processes],
                "web": [self.web.process.pid] if self.web else []}

    def empty(self):
        self.instance.server.empty(self.database, self.tables)

    def check(self, report):
        return self.row_check(self.instance.server, self.database, report["total"], report["keys_used"])

    def spawn(self, argv, env=None):
        self.processes.append(self.instance.user.start(argv, f"{self.instance.scratch}/{self.name}.log", env))

    def config(self):
        """What PHP and Node know without looking it up."""
        sources = {}
        for number, (kind, (path, secret)) in enumerate(self.targets.items(), 1):
            sources[path] = {"id": number, "provider": kind, "service_id": 1, "secret": secret,
                             "key_hash": hashlib.sha256(secret.encode()).hexdigest()}
        return {"socket": self.instance.server.socket, "database": self.database, "user": database.USER,
                "password": self.instance.server.password, "sources": sources}


class BareC(Baseline):
    """A libfcgi program of ours with plain workers."""
    workers = 8

    def __init__(self, instance):
        super().__init__(instance)
        self.socket = f"{instance.scratch}/{self.name}.sock"
        self.web = Lighttpd(instance, self.name, FASTCGI % self.socket, instance.scratch)
        self.how = f"libfcgi, {self.workers} workers; lighttpd, FastCGI over a Unix socket"

    def launch(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.spawn([f"{self.instance.programs}/bench_{self.name}", self.socket, str(self.workers)],
                   {"BENCH_DB_SOCKET": self.instance.server.socket, "BENCH_DB_NAME": self.database,
                    "BENCH_DB_USER": database.USER, "BENCH_DB_PASSWORD": self.instance.server.password})
        host.wait_until(f"bench_{self.name} does not listen", lambda: os.path.exists(self.socket))


class Empty(BareC):
    name, title = "empty", "libfcgi, no work at all"
    schema = "CREATE TABLE bench_bodies (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, body LONGBLOB NOT NULL) ENGINE=InnoDB"
    tables = ("bench_bodies",)
    workers = 2

    def check(self, report):
        return []


class Insert(BareC):
    name, title = "insert", "libfcgi, one durable INSERT"
    schema = Empty.schema
    tables = ("bench_bodies",)
    row_check = staticmethod(database.check_bodies)
    workers = 16


class Txn(BareC):
    name, title = "txn", "C, one transaction per request"
    workers = 8


class Php(Baseline):
    name, title = "php", "PHP-FPM, one transaction per request"
    children = 8

    def __init__(self, instance):
        super().__init__(instance)
        self.folder = f"{instance.scratch}/php"
        self.socket = f"{instance.scratch}/php.sock"
        self.web = Lighttpd(instance, self.name, PHP % self.socket, self.folder)
        self.how = f"{self.children} children, opcache, PDO persistent; lighttpd, FastCGI over a Unix socket"

    def prepare(self):
        self.instance.copy("php", self.folder)
        self.instance.write(f"{self.folder}/config.php", "<?php\nreturn %s;\n" % php_literal(self.config()))
        text = self.instance.read_source("php/fpm.conf")
        for mark, value in (("@LOG@", f"{self.instance.scratch}/php-fpm.log"), ("@SOCKET@", self.socket),
                            ("@CHILDREN@", str(self.children))):
            text = text.replace(mark, value)
        self.instance.write(f"{self.folder}/fpm.conf", text)

    def launch(self):
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.spawn([php_fpm(), "--nodaemonize", "--fpm-config", f"{self.folder}/fpm.conf", "-d", "opcache.enable=1",
                    "-d", "opcache.validate_timestamps=0"])
        host.wait_until("php-fpm does not listen", lambda: os.path.exists(self.socket))


def php_fpm():
    for folder in ("/usr/sbin", "/usr/local/sbin", "/usr/bin"):
        for name in sorted(os.listdir(folder), reverse=True) if os.path.isdir(folder) else ():
            if re.fullmatch(r"php-fpm[0-9.]*", name):
                return f"{folder}/{name}"
    raise SystemExit("bench: php-fpm was not found. On Debian: apt install php-fpm php-mysql")


def php_literal(value):
    if isinstance(value, dict):
        return "[" + ", ".join(f"{php_literal(k)} => {php_literal(v)}" for k, v in value.items()) + "]"
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Node(Baseline):
    name, title = "node", "Node fastify + mysql2, one transaction per request"
    pool = 8

    def __init__(self, instance, proxied=False):
        super().__init__(instance)
        self.folder = f"{instance.scratch}/node"
        self.port = free_port()
        if proxied:
            self.web = Lighttpd(instance, self.name, PROXY % self.port, instance.scratch)
        self.how = f"one process, pool of {self.pool}; " + ("lighttpd, mod_proxy" if proxied else "asked directly, keep-alive")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.web.port if self.web else self.port}"

    def prepare(self):
        self.instance.copy("node", self.folder)
        self.instance.write(f"{self.folder}/config.json", json.dumps({**self.config(), "port": self.port}))
        if not os.path.isdir(f"{self.folder}/node_modules/fastify"):
            try:
                self.instance.user.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], self.folder,
                                       {"HOME": self.folder})
            except SystemExit as e:
                raise Unavailable(str(e)) from e

    def launch(self):
        self.spawn([shutil.which("node") or "node", f"{self.folder}/receiver.js"],
                   {"BENCH_CONFIG": f"{self.folder}/config.json", "NODE_ENV": "production"})
        host.wait_until("node does not answer", lambda: answers(self.port))
