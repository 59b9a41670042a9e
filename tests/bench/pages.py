"""pages.py - a person at the dashboard: signs in with name and password, and looks at pages."""
import html
import http.client
import re
import statistics
import threading
import urllib.parse

import database
import filled

ROUNDS = 9              # of each page, after one that nobody counts


class Filled:
    """The product with a month of events in its tables, or in `only` these, which stay there from run to run."""

    def __init__(self, program, events, only=None):
        self.program, self.events, self.only, self.before = program, events, only, None

    def __getattr__(self, name):
        return getattr(self.program, name)

    def __enter__(self):
        self.program.empty()
        filled.empty(self.instance.server, self.database)
        filled.fill(self.instance.server, self.database, self.events, only=self.only)
        return self

    def __exit__(self, *_):
        self.program.empty()
        filled.empty(self.instance.server, self.database)

    def empty(self):
        """Notes what is there."""
        self.before = database.counts(self.instance.server, self.database)

    def check(self, report):
        return database.check_grown(self.instance.server, self.database, self.before, report["total"])


class Visitor:
    def __init__(self, url):
        self.host = urllib.parse.urlsplit(url).netloc
        self.cookies, self.connection = {}, None

    def request(self, method, path, body=None):
        """Status, headers, body; on a connection that is kept."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        for again in (True, False):
            self.connection = self.connection or http.client.HTTPConnection(self.host, timeout=60)
            try:
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                break
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if not again:
                    raise
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        return answer.status, answer.headers, answer.read()

    def page(self, path):
        """Text of a page, milliseconds the server took for it, bytes."""
        status, headers, body = self.request("GET", path)
        took = re.search(r"dur=([0-9.]+)", headers.get("Server-Timing") or "")
        if status != 200 or not took:
            raise SystemExit(f"bench: {path} answered {status}")
        return body.decode(), float(took.group(1)), len(body)

    def sign_in(self, name, password):
        _, _, form = self.request("GET", "/login")
        token = html.unescape(re.search(r'name="_csrf" value="([^"]+)"', form.decode()).group(1))
        status, headers, _ = self.request("POST", "/login", urllib.parse.urlencode(
            {"_csrf": token, "name": name, "password": password}))
        if status != 303 or headers["Location"].startswith("/login"):
            raise SystemExit(f"bench: signing in answered {status}")
        return self


def signed_in(program):
    env = program.instance.env
    return Visitor(program.url).sign_in(env["GRAPNEL_ADMIN_USER"], env["GRAPNEL_ADMIN_PASSWORD"])


# What is looked at: a name, and a path in which {words} are filled from what the database holds.
PAGES = (
    ("overview", "/"),
    ("an hour of a source", "/events?source={source}&from={hour}&to={hour_end}"),
    ("incidents, unresolved", "/incidents"),
    ("incidents, all", "/incidents?status=all"),
    ("incidents, resolved and critical", "/incidents?status=resolved&severity=CRITICAL"),
    ("incidents of a service", "/incidents?status=all&service={service}"),
    ("incidents, nobody's", "/incidents?status=all&assignee=none"),
    ("incidents, a text", "/incidents?status=all&q=host-77+is"),
    ("incidents, a text that is nowhere", "/incidents?status=all&q=nowhere"),
    ("incident, newest", "/incidents/{incident}"),
    ("incident, a month old", "/incidents/{old_incident}"),
    ("requests", "/requests"),
    ("requests, refused", "/requests?outcome=refused"),
    ("requests, repeated", "/requests?outcome=repeated"),
    ("requests of a source", "/requests?source={source}"),
    ("requests, refused, of a source", "/requests?outcome=refused&source={source}"),
    ("request", "/requests/{request}"),
    ("events", "/events"),
    ("events, failed", "/events?status=failed"),
    ("events, ignored", "/events?status=ignored"),
    ("events of a source", "/events?source={source}"),
    ("events of a provider", "/events?provider=github"),
    ("events of a type", "/events?type=deploy"),
    ("events of a severity and a source", "/events?severity=critical&source={source}"),
    ("events, a text", "/events?q=host-77+is"),
    ("events, an event id", "/events?q=bench-5000"),
    ("events, a text that is nowhere", "/events?q=nowhere"),
    ("events, a type that is nowhere", "/events?type=nowhere"),
    ("events of a day a fortnight ago", "/events?from={from}&to={to}"),
    ("event, newest", "/events/{event}"),
    ("event, a month old", "/events/{old_event}"),
    ("integrations", "/integrations"),
    ("integration", "/integrations/{source}"),
    ("services", "/services"),
    ("service", "/services/{service}"),
    ("monitor", "/monitor"),
    ("monitor, a week", "/monitor?timeWindow=10080"),
    ("monitor alerts", "/monitor/alerts"),
    ("users", "/users"),
    ("user", "/users/{user}"),
    ("audit log", "/audit"),
    ("audit log of a person", "/audit?actor=person+7"),
    ("audit log, a text", "/audit?q=source+77"),
    ("jobs", "/jobs"),
    ("account", "/account"),
)

WORDS = """SELECT
(SELECT public_id FROM sources WHERE id = 107), (SELECT public_id FROM services WHERE id = 103), (SELECT public_id FROM users WHERE id = 107),
(SELECT MAX(id) FROM incidents), (SELECT MIN(id) FROM incidents), (SELECT MAX(id) FROM events), (SELECT MIN(id) FROM events),
(SELECT MAX(id) FROM requests), DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 30 HOUR, '%Y-%m-%dT%H:%i'),
DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 29 HOUR, '%Y-%m-%dT%H:%i'),
DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 14 DAY, '%Y-%m-%dT%H:%i'), DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 13 DAY, '%Y-%m-%dT%H:%i')"""


def paths(program):
    """(name, path) of all pages."""
    names = ("source", "service", "user", "incident", "old_incident", "event", "old_event", "request", "hour", "hour_end", "from", "to")
    words = dict(zip(names, program.instance.server.sql(WORDS, program.database)[0]))
    return [(name, path.format(**words)) for name, path in PAGES]


def measure(program):
    """Server time and size of each page, by its name."""
    visitor, found = signed_in(program), {}
    for name, path in paths(program):
        visitor.page(path)
        looks = [visitor.page(path)[1:] for _ in range(ROUNDS)]
        found[name] = {"path": path, "median_ms": round(statistics.median(ms for ms, _ in looks), 1),
                       "max_ms": max(ms for ms, _ in looks), "bytes": max(n for _, n in looks)}
    return {"looks": found}


class Crowd:
    """Clients that look at pages, each at the next one as soon as it has the last, as long as the context is open."""

    def __init__(self, program, clients):
        self.over, self.seen, self.lock = threading.Event(), [], threading.Lock()
        todo = paths(program)
        self.threads = [threading.Thread(target=self.client, args=(signed_in(program), todo[i * 5:] + todo[:i * 5]), daemon=True)
                        for i in range(clients)]

    def client(self, visitor, todo):
        while True:
            for _, path in todo:
                if self.over.is_set():
                    return
                took = visitor.page(path)[1]
                with self.lock:
                    self.seen.append(took)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
