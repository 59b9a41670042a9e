"""instance.py - the instance that contrib/quickstart made: its paths, its database server, and the product as a program to be measured."""
import json
import os
import shutil
import urllib.request

import database
import host


def read_env(path):
    """NAME=VALUE lines, as quickstart writes them."""
    with open(path, encoding="utf-8") as f:
        return dict(line.rstrip("\n").split("=", 1) for line in f if "=" in line)


class Instance:
    def __init__(self, data, sources, user, programs):
        self.data, self.sources = data, sources
        self.user = host.User(user)
        self.env = read_env(f"{data}/env")
        self.programs = programs
        self.scratch = f"{data}/bench"
        if not os.path.isdir(self.scratch):
            os.mkdir(self.scratch)
            self.user.own(self.scratch)
        self.server = database.Server(f"{data}/etc/root.cnf", self.env["GRAPNEL_DB_SOCKET"], os.urandom(16).hex())
        self.server.make_user()
        self.schema = self.server.schema_of(self.env["GRAPNEL_DB_NAME"])

    def lighttpd_conf(self):
        with open(f"{self.data}/etc/lighttpd.conf", encoding="utf-8") as f:
            return f.read()

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        self.user.own(path)

    def read_source(self, name):
        with open(f"{self.sources}/{name}", encoding="utf-8") as f:
            return f.read()

    def copy(self, name, to):
        """A folder of tests/bench, for a user who may be unable to read the checkout."""
        os.makedirs(to, exist_ok=True)
        self.user.own(to)
        for entry in os.listdir(f"{self.sources}/{name}"):
            if os.path.isfile(f"{self.sources}/{name}/{entry}"):
                shutil.copyfile(f"{self.sources}/{name}/{entry}", f"{to}/{entry}")
                self.user.own(f"{to}/{entry}")

    def part_pid(self, name):
        """Of db, grapnel or web; each leads a session of its own."""
        with open(f"{self.data}/run/{name}.pid", encoding="ascii") as f:
            return int(f.read())


class Product:
    """Grapnel itself, as quickstart runs it; it stays up while the others are measured, with nothing to do."""
    name, title = "grapnel", "Grapnel"

    def __init__(self, instance):
        self.instance = instance
        self.database = instance.env["GRAPNEL_DB_NAME"]
        self.url = instance.env["GRAPNEL_URL"]
        self.targets = {}
        self.beside = []        # sessions of what works for a scenario, and is not measured

    @property
    def how(self):
        return f"{len(self.ingest_workers())} ingest workers; lighttpd, FastCGI over a Unix socket"

    def start(self):
        if self.targets:
            return
        for kind in ("prometheus", "github", "stripe"):
            made = self.api("POST", "/api/integrations", {
                "name": f"bench {kind}", "type": kind, "rateLimitPerMinute": 0, "actions": ["incident"],
                **({"signatureSecret": f"bench-{kind}-secret-of-32-letters-or-so"} if kind != "prometheus" else {})})
            path = "/" + made["webhookUrl"].split("/", 3)[3]
            self.targets[kind] = (path, made["key"] if kind == "prometheus" else made["signatureSecret"])

    def stop(self):
        pass

    def sessions(self):
        """Of all that works for it, by part."""
        return {"database": [self.instance.part_pid("db")], "program": [self.instance.part_pid("grapnel")],
                "web": [self.instance.part_pid("web")], "beside": self.beside}

    def empty(self):
        self.instance.server.empty(self.database)

    def check(self, report):
        return database.check_pipeline(self.instance.server, self.database, report["total"], report["keys_used"])

    def api(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, data=json.dumps(body).encode() if body else None, headers={
            "Authorization": "Bearer " + self.instance.env["GRAPNEL_API_TOKEN"], "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def ready(self):
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def conf(self):
        with open(self.instance.env["GRAPNEL_CONF"], encoding="utf-8") as f:
            return f.read()

    def conf_value(self, key):
        for line in self.conf().splitlines():
            name, found, value = line.partition("=")
            if found and name.strip() == key:
                return value.strip()
        raise SystemExit(f"bench: {self.instance.env['GRAPNEL_CONF']} has no {key}")

    def ingest_workers(self):
        """Pids of the workers that listen at the ingest socket."""
        inodes = host.socket_inodes(self.conf_value("ingest_socket"))
        return [pid for pid in host.children(self.instance.part_pid("grapnel")) if host.holds_socket(pid, inodes)]

    def restart(self):
        """Ends grapnel.fcgi; its keeper starts it again."""
        old = self.instance.part_pid("grapnel")
        os.kill(old, 15)

        def new_one_is_ready():
            try:
                return self.instance.part_pid("grapnel") != old and self.ready()
            except (OSError, ValueError):
                return False
        host.wait_until("grapnel did not come back", new_one_is_ready, 30)
