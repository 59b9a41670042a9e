#!/usr/bin/env python3
"""run.py - breaks an instance in every way that grapnelctl doctor claims to find, and mends it again.

    tests/doctor/run.py [WORD...]

Each @breaks names a check, the level and a word that doctor must say. Before and after, the check says what it says of a sound instance. A
check that nothing breaks fails the run. GRAPNEL_USE_PREFIX names installed programs, as for tests/http/run.py. The last line is
"N passed, N failed". Some ways need root, and are passed over without it.
"""
import argparse
import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "http"))
import harness  # noqa: E402
from look_alike import Authority  # noqa: E402
from receivers import MailServer  # noqa: E402

OK, FAILED, USAGE, NO_DATABASE = 0, 1, 2, 3
BREAKS = []


def breaks(check, level, says, server="lighttpd", lasts=False, status=None):
    """`lasts`: it cannot be undone within a test; such ways come last."""
    def note(function):
        BREAKS.append((check, level, says, server, lasts, status, contextlib.contextmanager(function)))
        return function
    return note


class Skip(Exception):
    """This way cannot be tried here; the text says why."""


# ---- what is done to an instance ----

@contextlib.contextmanager
def edited(path, change):
    """The text of a file through `change` for a while; owner and mode stay."""
    with open(path) as f:
        text = f.read()
    changed = change(text)
    harness.true(changed != text, "%s has what is to be changed" % path)
    with open(path, "w") as f:
        f.write(changed)
    try:
        yield
    finally:
        with open(path, "w") as f:
            f.write(text)


def setting(section, key, value):
    """A change of the configuration: that key set to that value."""
    def change(text):
        lines, here, done = [], None, False
        for line in text.splitlines():
            if line.startswith("["):
                here = line.strip()[1:-1]
            elif here == section and line.split("=")[0].strip() == key:
                continue
            lines.append(line)
            if line.startswith("[") and here == section:
                lines.append("%s = %s" % (key, value))
                done = True
        return "\n".join(lines + ([] if done else ["[%s]" % section, "%s = %s" % (key, value)])) + "\n"
    return change


def configured(box, *settings):
    def change(text):
        for s in settings:
            text = setting(*s)(text)
        return text
    return edited(box.path("etc", "grapnel.conf"), change)


@contextlib.contextmanager
def moved(path):
    os.rename(path, path + ".away")
    try:
        yield
    finally:
        os.rename(path + ".away", path)


@contextlib.contextmanager
def mode(path, bits):
    before = os.stat(path).st_mode
    os.chmod(path, bits)
    try:
        yield
    finally:
        os.chmod(path, before)


@contextlib.contextmanager
def variable(box, name, value):
    """A global variable of MariaDB for a while."""
    before = box.sql("SELECT @@global.%s" % name)[0][0]
    box.sql("SET GLOBAL %s = %s" % (name, value))
    try:
        yield
    finally:
        box.sql("SET GLOBAL %s = %s" % (name, before if before.isdigit() else "'%s'" % before))


@contextlib.contextmanager
def statements(box, breaking, mending):
    box.sql(breaking)
    try:
        yield
    finally:
        box.sql(mending)


@contextlib.contextmanager
def environment(box, **values):
    """Of the doctor."""
    box.doctor_env = values
    try:
        yield
    finally:
        box.doctor_env = {}


@contextlib.contextmanager
def options(box, *words):
    """Of the doctor."""
    box.doctor_options = words
    try:
        yield
    finally:
        box.doctor_options = ()


@contextlib.contextmanager
def small_disk(box):
    folder = box.path("small")
    os.mkdir(folder)
    try:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True).returncode:
            raise Skip("needs the right to mount")
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)
    finally:
        os.rmdir(folder)


def restart_web(box):
    """The keeper starts it again, with its files as they are now."""
    before = box.pid("web")
    os.kill(before, signal.SIGKILL)
    harness.wait_until(lambda: box.pid("web") not in (None, before), 60, "the web server is started again")

    def answers():
        with contextlib.suppress(OSError):
            return box.request("GET", "/healthz").status
        return None
    harness.wait_until(answers, 60, "the web server answers")


@contextlib.contextmanager
def web_server(box, change):
    try:
        with edited(box.path("etc", "grapnel-%s.conf" % box.server), change):
            restart_web(box)
            yield
    finally:
        restart_web(box)


class Proxy:
    """Between the programs and MariaDB's socket; replaces bytes by as many others, as a proxy might that thinks it knows better."""

    def __init__(self, box, to_server=(), to_client=()):
        self.path, self.target = box.path("run", "proxy.sock"), box.path("run", "db.sock")
        self.rules = {"server": to_server, "client": to_client}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o777)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            for source, sink, way in ((client, server, "server"), (server, client, "client")):
                threading.Thread(target=self.copy, args=(source, sink, way), daemon=True).start()

    def copy(self, source, sink, way):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                for old, new in self.rules[way]:
                    data = data.replace(old, new)
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        os.unlink(self.path)


@contextlib.contextmanager
def proxied(box, **rules):
    proxy = Proxy(box, **rules)
    try:
        with configured(box, ("database", "socket", proxy.path)):
            yield
    finally:
        proxy.close()


@contextlib.contextmanager
def http_server(context=None):
    """Answers 404 to everybody; the port."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder, days, name="localhost"):
    """A certificate that signs itself."""
    key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                    "-out", cert, "-days", str(days), "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name],
                   check=True, capture_output=True)
    return key, cert


# ---- the configuration ----

@breaks("configuration", "FAIL", "there is no such option")
def unknown_option(box):
    with edited(box.path("etc", "grapnel.conf"), lambda text: text + "nonsense = 1\n"):
        yield


@breaks("configuration", "FAIL", "cannot be read")
def no_configuration(box):
    with moved(box.path("etc", "grapnel.conf")):
        yield


@breaks("service-user", "FAIL", "there is no user")
def unknown_user(box):
    with configured(box, ("server", "user", "nobody-of-this-name")):
        yield


@breaks("configuration-file", "FAIL", "everybody on this host may read")
def open_configuration(box):
    with mode(box.path("etc", "grapnel.conf"), 0o644):
        yield


@breaks("configuration-file", "FAIL", "everybody on this host may change")
def writable_configuration(box):
    with mode(box.path("etc", "grapnel.conf"), 0o622):
        yield


@breaks("configuration-file", "FAIL", "may not read")
def configuration_of_root(box):
    path = box.path("etc", "grapnel.conf")
    owner = os.stat(path).st_uid
    if os.geteuid() or not owner:
        raise Skip("needs root and an instance of another user")
    os.chown(path, 0, -1)
    try:
        yield
    finally:
        os.chown(path, owner, -1)


@breaks("password-file", "FAIL", "everybody on this host may read")
def open_password(box):
    with mode(box.path("etc", "app.password"), 0o644):
        yield


@breaks("configuration", "FAIL", "password_file")
def no_password_file(box):
    with configured(box, ("database", "password_file", "/nonexistent/password")):
        yield


@breaks("tracing", "FAIL", "everybody on this host may read")
def open_headers(box):
    path = box.path("etc", "headers")
    with open(path, "w") as f:
        f.write("api-key=s3cret\n")
    os.chmod(path, 0o644)
    with configured(box, ("tracing", "headers_file", path)):
        yield
    os.unlink(path)


@breaks("tracing", "warn", "no dispatcher sends spans")
def spans_without_a_dispatcher(box):
    with configured(box, ("tracing", "endpoint", "http://127.0.0.1:4318"), ("outbound", "dispatcher", "false")):
        yield


@breaks("public-url", "FAIL", "travel for everybody to read")
def public_url_without_tls(box):
    with configured(box, ("server", "public_url", "http://hooks.example.org")):
        yield


@breaks("test-switches", "FAIL", "anybody may send anything")
def signatures_off(box):
    with configured(box, ("ingest", "verify_signatures", "false")):
        yield


@breaks("test-switches", "warn", "rate limits are off")
def rate_limits_off(box):
    with environment(box, INTEGRATION_RATE_LIMIT="false"):
        yield


@breaks("test-switches", "warn", "only tests need")
def development(box):
    with configured(box, ("server", "development", "true")):
        yield


@breaks("weak-tokens", "warn", "[cron] token")
def short_token(box):
    with configured(box, ("cron", "token", "secret")):
        yield


@breaks("metrics-access", "warn", "everybody may read /metrics")
def open_metrics(box):
    with configured(box, ("metrics", "allow", "0.0.0.0/0")):
        yield


@breaks("outbound-guard", "warn", "the metadata of a cloud host")
def open_guard(box):
    with configured(box, ("outbound", "allow", "10.0.0.0/8, 169.254.0.0/16")):
        yield


@breaks("retention", "warn", "counts as new")
def short_retention(box):
    with configured(box, ("retention", "events_days", "2")):
        yield


@breaks("log", "warn", "warnings are not logged")
def quiet_log(box):
    with configured(box, ("log", "level", "error")):
        yield


@breaks("log", "FAIL", "/dev/log")
def no_syslog(box):
    if os.path.exists("/dev/log"):
        raise Skip("this host has a syslog")
    with configured(box, ("log", "target", "syslog")):
        yield


@breaks("worker-number", "FAIL", "more than a host can have")
def too_many_workers(box):
    with configured(box, ("server", "ingest_workers", "20"), ("server", "web_workers", "20")):
        yield


# ---- files ----

@breaks("key-file", "FAIL", "No such file")
def no_key(box):
    with moved(box.path("etc", "secret.key")):
        yield


@breaks("key-file", "FAIL", "lets others at the key")
def open_key(box):
    with mode(box.path("etc", "secret.key"), 0o644):
        yield


@breaks("key-file", "FAIL", "64 hex digits")
def broken_key(box):
    with edited(box.path("etc", "secret.key"), lambda text: text[:40]):
        yield


@breaks("state-file", "FAIL", "No such file")
def no_state_file(box):
    with moved(box.path("run", "state")):
        yield


@breaks("state-file", "FAIL", "of another version")
def state_of_another_version(box):
    with moved(box.path("run", "state")):
        with open(box.path("run", "state"), "wb") as f:
            f.write(b"x" * 4096)
        try:
            yield
        finally:
            os.unlink(box.path("run", "state"))


@breaks("archive-folder", "FAIL", "No such file")
def no_archive_folder(box):
    with configured(box, ("retention", "archive_dir", "/nonexistent/archive")):
        yield


@breaks("archive-folder", "FAIL", "may not write")
def archive_folder_of_root(box):
    folder = box.path("archive")
    os.mkdir(folder, 0o500)
    try:
        if not os.geteuid() and not os.stat(box.dir).st_uid:
            raise Skip("an instance of root may write everywhere")
        with configured(box, ("retention", "archive_dir", folder)):
            yield
    finally:
        os.rmdir(folder)


@breaks("spool", "warn", "switched off")
def spool_off(box):
    with configured(box, ("spool", "enabled", "false")):
        yield


@breaks("spool", "FAIL", "No such file")
def no_spool(box):
    with configured(box, ("spool", "directory", "/nonexistent/spool")):
        yield


@breaks("spool", "FAIL", "is no folder")
def spool_that_is_a_file(box):
    with configured(box, ("spool", "directory", box.path("etc", "grapnel.conf"))):
        yield


@breaks("spool", "FAIL", "may not write")
def spool_of_root(box):
    folder = box.path("spool.root")
    os.mkdir(folder, 0o500)
    try:
        if not os.geteuid() and not os.stat(box.dir).st_uid:
            raise Skip("an instance of root may write everywhere")
        with configured(box, ("spool", "directory", folder)):
            yield
    finally:
        os.rmdir(folder)


@contextlib.contextmanager
def spool_file(box, folder, at, size=100):
    """In a spool of the doctor's own, so that nobody replays it."""
    owner, path = os.stat(box.path("spool") if os.path.isdir(box.path("spool")) else box.dir), box.path("spool.other")
    os.makedirs(os.path.join(path, "bad"), 0o700)
    name = os.path.join(path, folder, "%013d-1-1.spool" % at)
    with open(name, "wb") as f:
        f.truncate(size)
    for made in (path, os.path.join(path, "bad"), name):
        os.chown(made, owner.st_uid, owner.st_gid)
    try:
        with configured(box, ("spool", "directory", path), ("spool", "max_bytes", "1M")):
            yield
    finally:
        shutil.rmtree(path)


@breaks("spool", "FAIL", "could not be replayed")
def bad_spool_file(box):
    with spool_file(box, "bad", time.time() * 1000):
        yield


@breaks("spool", "warn", "wait for")
def old_spool_file(box):
    with spool_file(box, "", (time.time() - 3600) * 1000):
        yield


@breaks("spool", "warn", "MiB are used")
def full_spool(box):
    with spool_file(box, "", time.time() * 1000, 1000000):
        yield


@breaks("disk-space", "FAIL", "left for the spool")
def full_disk_of_the_spool(box):
    with small_disk(box) as folder, configured(box, ("spool", "directory", folder)):
        yield


@breaks("disk-space", "FAIL", "left for archives")
def full_disk(box):
    with small_disk(box) as folder, configured(box, ("retention", "archive_dir", folder)):
        yield


@breaks("authorities", "FAIL", "no certificate authority")
def no_authorities(box):
    with environment(box, SSL_CERT_FILE="/nonexistent/cert.pem", SSL_CERT_DIR="/nonexistent"):
        yield


# ---- the database ----

@breaks("database", "FAIL", "2002", status=NO_DATABASE)
def no_socket(box):
    with configured(box, ("database", "socket", "/nonexistent/socket")):
        yield


@breaks("database", "FAIL", "1045", status=NO_DATABASE)
def wrong_password(box):
    with configured(box, ("database", "password_file", box.path("etc", "root.password"))):
        yield


@breaks("database", "FAIL", "connect", status=NO_DATABASE)
def hanging_database(box):
    os.kill(box.pid("db"), signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(box.pid("db"), signal.SIGCONT)


@breaks("database-version", "FAIL", "too old")
def old_database(box):
    with proxied(box, to_client=[(b"10.11.", b"10.05."), (b"11.4.", b"10.5."), (b"11.8.", b"10.5.")]):
        yield


@breaks("database-session", "FAIL", "tx_isolation")
def proxy_that_swallows(box):
    with proxied(box, to_server=[(b"tx_isolation='READ-COMMITTED', ", b"tx_isolation='SERIALIZABLE',   ")]):
        yield


@breaks("database-sql-mode", "warn", "not strict")
def lax_server(box):
    with variable(box, "sql_mode", "''"):
        yield


@breaks("database-durability", "FAIL", "loses a second of events")
def lazy_commits(box):
    with variable(box, "innodb_flush_log_at_trx_commit", 2):
        yield


@breaks("database-packet", "FAIL", "max_allowed_packet is 1024 KiB")
def small_packets(box):
    with variable(box, "max_allowed_packet", 1 << 20):
        yield


@breaks("database-packet", "warn", "larger bodies cannot be stored")
def packets_of_the_default(box):
    with variable(box, "max_allowed_packet", 16 << 20):
        yield


@breaks("database-charset", "warn", "latin1")
def latin1(box):
    with statements(box, "ALTER DATABASE grapnel CHARACTER SET latin1", "ALTER DATABASE grapnel CHARACTER SET utf8mb4"):
        yield


@breaks("database-charset", "FAIL", "transactions need InnoDB")
def table_without_transactions(box):
    with statements(box, "ALTER TABLE settings ENGINE = MyISAM", "ALTER TABLE settings ENGINE = InnoDB"):
        yield


@breaks("database-connections", "FAIL", "max_connections is 13")
def few_connections(box):
    with variable(box, "max_connections", 13):
        yield


@breaks("database-connections", "warn", "max_prepared_stmt_count")
def few_statements(box):
    with variable(box, "max_prepared_stmt_count", 2000):
        yield


@breaks("database-memory", "warn", "innodb_buffer_pool_size")
def small_memory(box):
    with variable(box, "innodb_buffer_pool_size", 128 << 20):
        harness.wait_until(lambda: box.number("SELECT @@innodb_buffer_pool_size") <= 128 << 20, 60, "the pool is smaller")
        yield
    harness.wait_until(lambda: box.number("SELECT @@innodb_buffer_pool_size") > 255 << 20, 60, "the pool is back")


@breaks("database-tls", "FAIL", "cannot be read")
def no_tls_authority(box):
    with configured(box, ("database", "tls_ca", "/nonexistent/ca.pem")):
        yield


@breaks("database-tls", "FAIL", "for everybody to read")
def database_elsewhere_without_tls(box):
    """Another address of this host plays another host; behind it is the same database."""
    address = next((word for word in subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split() if ":" not in word), None)
    if not address:
        raise Skip("this host has no address but loopback")
    with socket.create_server((address, 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(box.path("run", "db.sock"))
                    copier = Proxy.__new__(Proxy)
                    copier.rules = {"server": (), "client": ()}
                    for source, sink in ((client, server), (server, client)):
                        threading.Thread(target=copier.copy, args=(source, sink, "server"), daemon=True).start()
        threading.Thread(target=serve, daemon=True).start()
        with configured(box, ("database", "socket", ""), ("database", "host", address), ("database", "port", listener.getsockname()[1])):
            yield


@breaks("database-clock", "FAIL", "the clock of the database")
def wrong_clock(box):
    # Run at each login of an account without SUPER.
    with variable(box, "init_connect", "'SET timestamp = UNIX_TIMESTAMP() - 3600'"):
        yield


@breaks("database-clock", "warn", "the clock of the database")
def clock_that_drifts(box):
    with variable(box, "init_connect", "'SET timestamp = UNIX_TIMESTAMP() + 25'"):
        yield


@breaks("database-read-only", "FAIL", "read-only")
def read_only(box):
    with variable(box, "read_only", 1):
        yield


@breaks("migrations", "FAIL", "this program needs")
def old_schema(box):
    number, name, checksum, at = box.sql("SELECT * FROM schema_migrations ORDER BY number DESC LIMIT 1")[0]
    with statements(box, "DELETE FROM schema_migrations WHERE number = %s" % number,
                    "INSERT INTO schema_migrations VALUES (%s, '%s', '%s', %s)" % (number, name, checksum, at)):
        yield


@breaks("migrations", "warn", "was changed after")
def changed_migration(box):
    before = box.sql("SELECT checksum FROM schema_migrations WHERE number = 1")[0][0]
    with statements(box, "UPDATE schema_migrations SET checksum = REPEAT('0', 64) WHERE number = 1",
                    "UPDATE schema_migrations SET checksum = '%s' WHERE number = 1" % before):
        yield


@breaks("database-rights", "FAIL", "denied")
def right_missing(box):
    with statements(box, "REVOKE DELETE ON grapnel.* FROM grapnel@localhost", "GRANT DELETE ON grapnel.* TO grapnel@localhost"):
        yield


@breaks("database-rights", "FAIL", "doesn't exist")
def table_missing(box):
    with statements(box, "RENAME TABLE job_runs TO job_runs_away", "RENAME TABLE job_runs_away TO job_runs"):
        yield


@breaks("database-excess-rights", "warn", "DROP")
def too_many_rights(box):
    with statements(box, "GRANT ALL ON grapnel.* TO grapnel@localhost",
                    "REVOKE ALL ON grapnel.* FROM grapnel@localhost; GRANT SELECT, INSERT, UPDATE, DELETE ON grapnel.* TO grapnel@localhost"):
        yield


# ---- what it holds ----

@breaks("sealed-secrets", "FAIL", "cannot be opened")
def another_key(box):
    with edited(box.path("etc", "secret.key"), lambda text: "1 " + "0" * 64 + "\n"):
        yield


@breaks("sealed-secrets", "FAIL", "signature secret: 1 of")
def secret_of_another_row(box):
    row, sealed = box.sql("SELECT id, HEX(sealed) FROM source_secrets LIMIT 1")[0]
    with statements(box, "UPDATE source_secrets SET sealed = REVERSE(sealed) WHERE id = " + row,
                    "UPDATE source_secrets SET sealed = UNHEX('%s') WHERE id = %s" % (sealed, row)):
        yield


@breaks("key-rotation", "warn", "was not ended")
def rotation_that_was_killed(box):
    with edited(box.path("etc", "secret.key"), lambda text: "9 " + "9" * 64 + "\n" + text):
        yield


@breaks("administrators", "FAIL", "no administrator")
def nobody_administers(box):
    with statements(box, "UPDATE users SET enabled = 0", "UPDATE users SET enabled = 1"):
        yield


@breaks("integrations", "FAIL", 'the type "acme"')
def unknown_type(box):
    with statements(box, "UPDATE sources SET provider = 'acme'", "UPDATE sources SET provider = 'github'"):
        yield


@breaks("integrations", "warn", "are disabled")
def all_disabled(box):
    with statements(box, "UPDATE sources SET enabled = 0", "UPDATE sources SET enabled = 1"):
        yield


@breaks("provider-keys", "warn", "ends on")
def certificate_that_ends(box):
    with tempfile.TemporaryDirectory() as folder:
        _, cert = certificate(folder, 3)
        box.ctl("key", "add", "https://keys.example.org/cert.pem", cert)
    try:
        yield
    finally:
        box.ctl("key", "remove", "https://keys.example.org/cert.pem")


@contextlib.contextmanager
def channel(box, **more):
    """Its row."""
    made = box.api("POST", "/api/channels", {"name": "doctor's", "kind": "email", "to": ["ops@example.org"], **more}).expect(201)
    try:
        yield box.number("SELECT id FROM channels WHERE public_id = '%s'" % made["id"])
    finally:
        box.api("DELETE", "/api/channels/" + made["id"]).expect(204)


@contextlib.contextmanager
def message(box, row, status, age_s):
    """One that is due since then; the dispatcher stands still meanwhile."""
    pids = [int(p) for p in box.worker_pids() if open("/proc/%d/comm" % p).read().strip() == "dispatcher"]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        with statements(box, "INSERT INTO outbox (id, tenant_id, kind, target_id, cause_id, payload, status, attempts, next_at, created_at) VALUES"
                        " (77, 1, 1, %d, 1, '{}', %d, %d, (UNIX_TIMESTAMP() - %d) * 1000, 0)" % (row, status, status, age_s),
                        "DELETE FROM outbox WHERE id = 77"):
            yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@breaks("outbox", "FAIL", "nobody sends them")
def dispatcher_stands_still(box):
    with channel(box) as row, message(box, row, 0, 120):
        yield


@breaks("outbox", "FAIL", "to be tried again")
def cron_leaves_messages(box):
    with channel(box) as row, message(box, row, 2, 1200):
        yield


@breaks("outbox", "FAIL", "wait for their handlers")
def forwards_lie_about(box):
    with channel(box) as row, message(box, row, 1, 0), statements(box, "INSERT INTO forwards (event_id, source_id, next_at) SELECT 77, MIN(id), 1 FROM sources",
                                                                 "DELETE FROM forwards WHERE event_id = 77"):
        yield


@breaks("channels", "warn", "doctor's: It was answered 500.")
def channel_that_fails(box):
    with channel(box) as row:
        box.sql("UPDATE channels SET failures = 3, error = 'It was answered 500.' WHERE id = %d" % row)
        yield


@breaks("channels", "warn", "1 of 1 channels were switched off")
def channel_that_is_gone(box):
    with channel(box) as row:
        box.sql("UPDATE channels SET enabled = 0, disabled_reason = 'It was answered 410.' WHERE id = %d" % row)
        yield


@breaks("mail-server", "FAIL", "1 channels and addresses of people are told nothing")
def mail_server_is_away(box):
    with channel(box), configured(box, ("mail", "server", "smtp://localhost:1")):
        yield


@breaks("mail-server", "FAIL", "does not take the password")
def mail_server_refuses_the_password(box):
    with MailServer(Authority(), None, {"grapnel": "another"}) as server, channel(box), configured(
            box, ("mail", "server", "smtp://localhost:%d" % server.port), ("mail", "user", "grapnel"), ("mail", "password", "stale")):
        yield


@breaks("sms-account", "warn", "needed")
def sms_account_without_a_sender(box):
    with configured(box, ("sms", "account", "AC" + 32 * "0"), ("sms", "token", "x")):
        yield


@breaks("sms-account", "FAIL", "has no account")
def text_messages_without_an_account(box):
    with channel(box, kind="sms", to=["+4930123456"], account="AC" + 32 * "0", token="x", **{"from": "Grapnel"}) as row, statements(
            box, "UPDATE channels SET settings = JSON_REMOVE(settings, '$.account') WHERE id = %d" % row, "DO 0"):
        yield


@contextlib.contextmanager
def endpoint(box):
    """Its row."""
    made = box.api("POST", "/api/endpoints", {"url": "https://nowhere.invalid/hook", "events": ["alerts.triggered"]}).expect(201)
    try:
        yield box.number("SELECT id FROM endpoints WHERE public_id = '%s'" % made["id"])
    finally:
        box.api("DELETE", "/api/endpoints/" + made["id"]).expect(204)


@breaks("endpoints", "warn", "circuit is open")
def endpoint_that_is_left_alone(box):
    with endpoint(box) as row, statements(box, "INSERT INTO breakers (kind, target_id, failures, opened_at, probe_at, wait_ms, error, updated_at) VALUES"
                                          " (2, %d, 5, 1, 9000000000000, 60000, 'It was answered 500.', 1)" % row, "DELETE FROM breakers WHERE kind = 2"):
        yield


@breaks("endpoints", "warn", "1 of 1 endpoints were switched off")
def endpoint_that_was_switched_off(box):
    with endpoint(box) as row:
        box.sql("UPDATE endpoints SET enabled = 0, disabled_reason = 'It was answered 410.' WHERE id = %d" % row)
        yield


@breaks("cron", "FAIL", "grapnel-cron ran last")
def cron_is_away(box):
    with statements(box, "UPDATE schema_migrations SET applied_at = applied_at - 86400000;"
                    " UPDATE jobs SET last_started_at = last_started_at - 600000 WHERE name = 'cron'",
                    "UPDATE schema_migrations SET applied_at = applied_at + 86400000;"
                    " UPDATE jobs SET last_started_at = last_started_at + 600000 WHERE name = 'cron'"):
        yield


@breaks("jobs", "FAIL", "cleanup failed")
def failing_job(box):
    box.sql("REVOKE SELECT ON grapnel.* FROM grapnel@localhost; GRANT SELECT ON grapnel.jobs TO grapnel@localhost;"
            " GRANT SELECT ON grapnel.schema_migrations TO grapnel@localhost; GRANT SELECT ON grapnel.job_runs TO grapnel@localhost")
    subprocess.run([os.path.join(box.env["GRAPNEL_PREFIX"], "bin", "grapnel-cron"), "-c", box.env["GRAPNEL_CONF"], "cleanup"],
                   capture_output=True)
    box.sql("GRANT SELECT ON grapnel.* TO grapnel@localhost")
    try:
        yield
    finally:
        for table in ("jobs", "schema_migrations", "job_runs"):
            box.sql("REVOKE SELECT ON grapnel.%s FROM grapnel@localhost" % table)
        subprocess.run([os.path.join(box.env["GRAPNEL_PREFIX"], "bin", "grapnel-cron"), "-c", box.env["GRAPNEL_CONF"], "cleanup"], check=True,
                       capture_output=True)


# ---- the program ----

@breaks("sockets", "FAIL", "No such file")
def socket_missing(box):
    with moved(box.path("run", "ingest.sock")):
        yield


@breaks("sockets", "warn", "socket_mode says")
def socket_of_another_mode(box):
    with mode(box.path("run", "web.sock"), 0o600):
        yield


@breaks("workers", "FAIL", "ingest workers do not answer")
def hanging_workers(box):
    workers = box.worker_pids()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)


@breaks("workers", "warn", "a worker died", lasts=True)
def dead_worker(box):
    before = box.worker_pids()
    victim = before[0]
    os.kill(victim, signal.SIGKILL)
    harness.wait_until(lambda: victim not in box.worker_pids() and len(box.worker_pids()) == len(before), 60, "another worker takes its place")
    yield


@breaks("running-configuration", "warn", "other settings")
def not_reloaded(box):
    with configured(box, ("web", "session_idle_minutes", "99")):
        yield


@breaks("running-configuration", "FAIL", "another key file")
def running_with_another_key(box):
    """A file that the programs read anew they all have; another path they learn by a reload."""
    other, here = box.path("etc", "other.key"), os.stat(box.path("etc", "secret.key"))
    with open(other, "w") as f:
        f.write("1 " + "0" * 64 + "\n")
    os.chmod(other, 0o600)
    os.chown(other, here.st_uid, here.st_gid)
    try:
        with configured(box, ("secrets", "key_file", other)):
            yield
    finally:
        os.unlink(other)


@breaks("running-configuration", "FAIL", "without verifying signatures")
def switch_in_the_environment(box):
    os.environ["INTEGRATION_VERIFY_SIGNATURES"] = "false"
    try:
        box.stop_part("grapnel")
        box.up()
        del os.environ["INTEGRATION_VERIFY_SIGNATURES"]
        yield
    finally:
        os.environ.pop("INTEGRATION_VERIFY_SIGNATURES", None)
        box.stop_part("grapnel")
        box.up()


# ---- the web server ----

@breaks("certificate", "FAIL", "refuse the certificate")
def self_signed(box):
    with tempfile.TemporaryDirectory() as folder:
        key, cert = certificate(folder, 90)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        with http_server(context) as port, options(box, "--url", "https://localhost:%d" % port):
            yield


@breaks("certificate", "FAIL", "refuse the certificate")
def certificate_of_another_name(box):
    with tempfile.TemporaryDirectory() as folder:
        key, cert = certificate(folder, 90, "other.example.org")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        with http_server(context) as port, options(box, "--url", "https://localhost:%d" % port), environment(box, SSL_CERT_FILE=cert):
            yield


@breaks("certificate", "warn", "ends on")
def certificate_ends_soon(box):
    with tempfile.TemporaryDirectory() as folder:
        key, cert = certificate(folder, 5)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        with http_server(context) as port, options(box, "--url", "https://localhost:%d" % port), environment(box, SSL_CERT_FILE=cert):
            yield


@breaks("web-server", "FAIL", "Failed to connect")
def web_server_is_away(box):
    box.stop_part("web")
    try:
        yield
    finally:
        box.up()


@breaks("web-server", "FAIL", "not this Grapnel")
def another_web_server(box):
    with http_server() as port, options(box, "--url", "http://localhost:%d" % port):
        yield


@breaks("web-server", "FAIL", "does not reach grapnel.fcgi")
def wrong_socket_path(box):
    with web_server(box, lambda text: text.replace("web.sock", "nothing.sock")):
        yield


@breaks("web-server-routing", "warn", "slow pages hold up webhooks")
def webhooks_to_web_workers(box):
    with web_server(box, lambda text: text.replace("ingest.sock", "web.sock")):
        yield


@breaks("web-server-routing", "warn", "who pass it on")
def pages_to_ingest_workers(box):
    with web_server(box, lambda text: text.replace("web.sock", "ingest.sock")):
        yield


@breaks("web-server-routing", "FAIL", "answered with 301")
def paths_of_another(box):
    with web_server(box, lambda text: text.replace('"mod_rewrite", ', '"mod_redirect", "mod_rewrite", ') +
                    '$HTTP["url"] =~ "^/api/events" { url.redirect = ( "" => "/elsewhere" ) }\n'):
        yield


@breaks("web-server-authorization", "FAIL", "does not arrive")
def authorization_dropped(box):
    with web_server(box, lambda text: text + 'server.modules += ( "mod_setenv" )\nsetenv.set-request-header = ( "Authorization" => "" )\n'):
        yield


@breaks("web-server-authorization", "FAIL", "CGIPassAuth", server="apache")
def no_cgi_pass_auth(box):
    with web_server(box, lambda text: text.replace("CGIPassAuth On", "CGIPassAuth Off")):
        yield


@breaks("web-server-keep-alive", "FAIL", "uses FastCGI connections again", server="apache")
def connections_used_again(box):
    with web_server(box, lambda text: text.replace("enablereuse=off", "enablereuse=on")):
        yield


@breaks("web-server-routing", "FAIL", "a%2Fb", server="apache")
def encoded_slashes_refused(box):
    with web_server(box, lambda text: text.replace("AllowEncodedSlashes NoDecode", "AllowEncodedSlashes Off")):
        yield


@breaks("web-server-body", "FAIL", "do not get through")
def small_bodies(box):
    with web_server(box, lambda text: text.replace("server.max-request-size = 65536", "server.max-request-size = 1024")):
        yield


# ---- running ----

class Run:
    def __init__(self, server, chosen):
        self.server, self.chosen = server, chosen
        self.passed = self.failed = 0

    def doctor(self, box, check):
        """Exit status and the lines of a check."""
        done = subprocess.run([os.path.join(box.env["GRAPNEL_PREFIX"], "bin", "grapnelctl"), "-c", box.env["GRAPNEL_CONF"], "--json", "doctor",
                               check, *box.doctor_options], capture_output=True, text=True, env={**os.environ, **box.doctor_env})
        if done.stderr:
            raise harness.Failed("doctor: " + done.stderr)
        return done.returncode, json.loads(done.stdout)["checks"]

    def verdict(self, box, check):
        return [line["level"] for line in self.doctor(box, check)[1]]

    def one(self, box, check, level, says, lasts, status, broken):
        """Cron rests meanwhile: a job that meets what is broken fails, and says so until its next run."""
        before = self.verdict(box, check)
        harness.true("FAIL" not in before, "a sound instance: %s" % before)
        with box.without_cron(), broken(box):
            exit_status, lines = self.doctor(box, check)
            found = [line for line in lines if line["level"] == level and says in line["text"] + " " + (line["mend"] or "")]
            harness.true(found, "%s with %r among %s" % (level, says, lines))
            harness.true(found[0]["mend"], "it says what to do")
            harness.same(exit_status, status or (FAILED if level == "FAIL" else OK), "exit status")
        if not lasts:
            harness.same(self.verdict(box, check), before, "after it was mended")

    def all(self):
        box = harness.Instance(self.server)
        box.doctor_env, box.doctor_options = {}, ()
        try:
            box.up()
            harness.wait_until(lambda: box.sql("SELECT 1 FROM jobs WHERE name = 'cron'"), 60, "cron has run")
            box.api("POST", "/api/integrations", {"name": "doctor", "type": "github", "signatureSecret": "s3cret"}).expect(201)
            for check, level, says, _, lasts, status, broken in self.chosen:
                name = "%s: %s" % (check, broken.__wrapped__.__name__)
                began = time.monotonic()
                try:
                    self.one(box, check, level, says, lasts, status, broken)
                except Skip as e:
                    print("%-8s  passed over  %s: %s" % (self.server, name, e), flush=True)
                except Exception as e:
                    self.failed += 1
                    print("%-8s  FAILED  %s\n          %s: %s\n%s" % (self.server, name, type(e).__name__, e, traceback.format_exc(limit=-1)),
                          flush=True)
                else:
                    self.passed += 1
                    print("%-8s  ok      %s (%.1f s)" % (self.server, name, time.monotonic() - began), flush=True)
            if not self.failed:
                self.whole(box)
        except Exception as e:
            self.failed += 1
            print("%-8s  FAILED  %s" % (self.server, e), flush=True)
        finally:
            box.down(remove=not self.failed)

    def whole(self, box):
        """What a sound instance gets, as a person and as a script; and each check is broken by somebody."""
        ctl = [os.path.join(box.env["GRAPNEL_PREFIX"], "bin", "grapnelctl"), "-c", box.env["GRAPNEL_CONF"]]
        done = subprocess.run([*ctl, "doctor"], capture_output=True, text=True)
        harness.same((done.returncode, done.stderr, "FAIL" in done.stdout), (OK, "", False), done.stdout)
        harness.same(subprocess.run([*ctl, "doctor", "--strict"], capture_output=True).returncode, FAILED, "--strict: loopback is a warning")
        harness.same(subprocess.run([*ctl, "doctor", "nonsense"], capture_output=True).returncode, USAGE, "an unknown check")
        told = {row["name"] for row in json.loads(box.ctl("--json", "doctor", "--list"))["checks"]}
        harness.same(told - {row[0] for row in BREAKS}, set(), "checks that no test breaks")
        self.passed += 1


def main():
    arguments = argparse.ArgumentParser(description="breaks an instance in every way that doctor finds")
    arguments.add_argument("words", nargs="*")
    given = arguments.parse_args()
    passed = failed = 0
    for server in ("lighttpd", "apache"):
        chosen = [b for b in BREAKS if b[3] == server and (not given.words or any(w in b[0] + b[6].__wrapped__.__name__ for w in given.words))]
        if chosen:
            run = Run(server, sorted(chosen, key=lambda b: b[4]))
            run.all()
            passed, failed = passed + run.passed, failed + run.failed
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
