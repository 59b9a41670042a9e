"""database.py - the private MariaDB of the instance, and the rows that a run must have left in it.

All programs use the same server: the product its own database, each baseline one of its own with the same schema."""
import subprocess

USER = "bench"
EVENT_TABLES = ("requests", "event_ids", "events", "alerts", "incidents", "incident_keys", "timeline", "source_stats", "outbox", "outbox_attempts",
                "deliveries", "incident_news")


class Server:
    """Root's view of it; `client_file` is a defaults file with socket and password."""

    def __init__(self, client_file, socket, password):
        self.client_file, self.socket, self.password = client_file, socket, password

    def sql(self, text, database=""):
        argv = ["mariadb", f"--defaults-file={self.client_file}", "--batch", "--skip-column-names"]
        done = subprocess.run(argv + ([database] if database else []), input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"bench: MariaDB: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def make_user(self):
        self.sql(f"CREATE USER IF NOT EXISTS {USER}@localhost; ALTER USER {USER}@localhost IDENTIFIED BY '{self.password}'")

    def make_database(self, name, schema):
        """An empty database with this schema (SQL text), for the baselines' user."""
        self.sql(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4;"
                 f"GRANT ALL PRIVILEGES ON {name}.* TO {USER}@localhost")
        self.sql(schema, name)

    def schema_of(self, name):
        """SQL that makes the same tables, as the migrations left them, and the rows that ingest needs: tenant and service."""
        tables = [row[0] for row in self.sql("SHOW TABLES", name)]
        return ("".join(f"CREATE TABLE {table} LIKE {name}.{table};" for table in tables)
                + "".join(self.copy_of(table, name) for table in ("tenants", "services")))

    def copy_of(self, table, name):
        """All columns but those that MariaDB makes itself."""
        columns = ",".join(row[0] for row in self.sql(f"SHOW COLUMNS FROM {table} WHERE Extra NOT LIKE '%GENERATED%'", name))
        return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {name}.{table};"

    def variables(self):
        """The settings that a reader of the numbers wants to know."""
        names = ("version", "innodb_flush_log_at_trx_commit", "innodb_buffer_pool_size", "innodb_log_file_size",
                 "innodb_doublewrite", "sync_binlog", "log_bin")
        quoted = ",".join(f"'{name}'" for name in names)
        return dict(self.sql(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({quoted})"))

    def empty(self, database, tables=EVENT_TABLES):
        self.sql("SET foreign_key_checks = 0;" + "".join(f"TRUNCATE TABLE {table};" for table in tables), database)


COUNTS = """SELECT (SELECT COUNT(*) FROM requests), (SELECT COUNT(*) FROM events), (SELECT COUNT(*) FROM event_ids),
(SELECT COUNT(*) FROM alerts), (SELECT COUNT(*) FROM incidents), (SELECT COUNT(*) FROM incident_keys),
(SELECT COUNT(*) FROM timeline), (SELECT COALESCE(SUM(alert_count), 0) FROM incidents),
(SELECT COALESCE(SUM(received), 0) FROM source_stats WHERE hour = 0),
(SELECT COUNT(*) FROM events e JOIN incidents i ON i.id = e.incident_id AND i.dedup_key = e.dedup_key)"""


COUNT_NAMES = ("requests", "events", "event_ids", "alerts", "incidents", "incident_keys", "timeline", "alert_count", "received",
               "events_joined")
COUNTED_ONCE = ("requests", "events", "event_ids", "alerts", "alert_count", "received", "events_joined")     # for each webhook


def counts(server, database):
    return dict(zip(COUNT_NAMES, map(int, server.sql(COUNTS, database)[0])))


def check_grown(server, database, before, total):
    """The same where there were rows before: each acknowledged webhook has added its own. Returns what is wrong, in sentences."""
    found = counts(server, database)
    return [f"{name} has grown by {found[name] - before[name]}, acknowledged {total['acknowledged']}, sent {total['sent']}"
            for name in COUNTED_ONCE if not total["acknowledged"] <= found[name] - before[name] <= total["sent"]]


NEWER = """SELECT (SELECT COUNT(*) FROM requests WHERE id >= {0}), (SELECT COUNT(*) FROM events WHERE id >= {0}),
(SELECT COUNT(*) FROM event_ids WHERE event_id >= {0}), (SELECT COUNT(*) FROM alerts WHERE id >= {0})"""


def check_newer(server, database, first, total):
    """The same of those with numbers from `first` on, where others go meanwhile."""
    found = zip(COUNT_NAMES, map(int, server.sql(NEWER.format(first), database)[0]))
    return [f"newer {name} are {n}, acknowledged {total['acknowledged']}, sent {total['sent']}"
            for name, n in found if not total["acknowledged"] <= n <= total["sent"]]


def check_pipeline(server, database, total, keys_used):
    """Every acknowledged event once, an alert for each, an incident for each key. Returns what is wrong, in sentences. Where
    answers were lost, events may be stored that nobody acknowledged; there are none of these in an undisturbed run."""
    found = counts(server, database)
    least, most = total["acknowledged"], total["sent"]
    wrong = [f"{name} is {found[name]}, acknowledged {least}, sent {most}"
             for name in COUNTED_ONCE
             if not least <= found[name] <= most]
    wrong += [f"{name} is {found[name]} for {keys_used} keys"
              for name in ("incidents", "incident_keys", "timeline") if found[name] != keys_used]
    return wrong


def check_bodies(server, database, total, _keys_used):
    found = int(server.sql("SELECT COUNT(*) FROM bench_bodies", database)[0][0])
    if total["acknowledged"] <= found <= total["sent"]:
        return []
    return [f"bodies are {found}, acknowledged {total['acknowledged']}"]
