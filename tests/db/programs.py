"""What the tests of the installed programs share: a migrated database of their own on the scratch server, its configuration, and calls of
grapnel-cron and grapnelctl as cron and people make them."""
import contextlib
import os
import subprocess
import tempfile

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SOCKET = os.environ["GRAPNEL_TEST_SOCKET"]
OK, FAILED, USAGE, NO_DATABASE = 0, 1, 2, 3


@contextlib.contextmanager
def held(database, statements):
    """A transaction that has done so, until the end: whoever wants to change those rows waits, for five seconds at the most."""
    with subprocess.Popen(["mariadb", "--no-defaults", "-S", SOCKET, "-uroot", "-BNn", database], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as client:
        client.stdin.write("BEGIN; %s; SELECT 'held';\n" % statements)
        client.stdin.flush()
        if client.stdout.readline() != "held\n":
            raise AssertionError("not held: " + statements)
        yield


class Programs:
    def __init__(self, build, database):
        self.build, self.database = build, database
        self.folder = tempfile.TemporaryDirectory(prefix="grapnel-%s." % database)
        self.conf = self.conf_write("grapnel.conf")

    def migrate(self):
        self.sql("DROP DATABASE IF EXISTS %s; CREATE DATABASE %s CHARACTER SET utf8mb4" % (self.database, self.database), None)
        self.run("grapnelctl", "migrate", "--dir", os.path.join(SOURCE, "sql"))
        if not os.path.exists(os.path.join(self.folder.name, "key")):
            self.run("grapnelctl", "secrets", "init")

    def sql(self, text, database=""):
        database = self.database if database == "" else database
        done = subprocess.run(["mariadb", "--no-defaults", "-S", SOCKET, "-uroot", "-BN", "-e", text, *([database] if database else [])],
                              stdout=subprocess.PIPE, check=True, encoding="utf-8", errors="surrogateescape")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def number(self, text):
        return int(self.sql(text)[0][0])

    def conf_write(self, file, **changes):
        values = {"socket": SOCKET, "name": self.database, "extra": "", "key": os.path.join(self.folder.name, "key")}
        values.update(changes)
        path = os.path.join(self.folder.name, file)
        with open(path, "w") as f:
            f.write("[database]\nsocket = {socket}\nuser = root\nname = {name}\n[server]\nstate_file = /nonexistent/state\n"
                    "[log]\nlevel = error\n{extra}[secrets]\nkey_file = {key}\n".format(**values))
        return path

    def start(self, program, *args, conf=None, quiet=False, env=None):
        to = subprocess.DEVNULL if quiet else subprocess.PIPE
        return subprocess.Popen([os.path.join(self.build, program), "-c", conf or self.conf, *args], stdin=subprocess.DEVNULL, stdout=to,
                                stderr=to, text=True, env=env)

    def call(self, program, *args, conf=None, env=None):
        p = self.start(program, *args, conf=conf, env=env)
        out, err = p.communicate(timeout=120)
        return subprocess.CompletedProcess(args, p.returncode, out, err)

    def run(self, program, *args, conf=None):
        """The answer of a call that succeeds."""
        done = self.call(program, *args, conf=conf)
        if done.returncode:
            raise AssertionError("%s %s: %d %s%s" % (program, args, done.returncode, done.stdout, done.stderr))
        return done.stdout
