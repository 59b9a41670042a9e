"""visitor.py - a person at the pages: a session, pages, forms with the token of the page they stand on. No JavaScript."""
import hashlib
import html
import re
import secrets
import time
import urllib.parse

from harness import ROLES, Failed, same, true


class Visitor:
    """A new user of that role who is signed in. Written to the tables, since signing in has scenarios of its own."""

    def __init__(self, box, role="admin", tenant=1, platform=False):
        self.box, tail, now = box, secrets.token_hex(8), int(time.time() * 1000)
        self.name, self.cookie, self.at, self.text = "visitor-" + tail, secrets.token_urlsafe(32), None, ""
        box.sql("INSERT INTO users (public_id, tenant_id, name, role, platform_admin, created_at) VALUES "
                "('us_%s', %d, '%s', %d, %d, %d); "
                "INSERT INTO sessions (id_hash, public_id, user_id, created_at, last_seen_at, expires_at, remote_addr) VALUES "
                "(UNHEX('%s'), 'se_%s', LAST_INSERT_ID(), %d, %d, %d, '127.0.0.1')"
                % (tail, tenant, self.name, ROLES[role], platform, now, hashlib.sha256(self.cookie.encode()).hexdigest(), tail, now, now,
                   now + 3600000))

    def request(self, method, path, body=b"", headers=None):
        head = {"Cookie": "grapnel=" + self.cookie, **(headers or {})}
        if self.at:
            head["Referer"] = self.box.env["GRAPNEL_URL"] + self.at
        return self.box.request(method, path, body, head)

    def get(self, path):
        """A page becomes the one that this person is at."""
        reply = self.request("GET", path.partition("#")[0])
        if (reply.header("content-type") or "").startswith("text/html"):
            self.at, self.text = path, reply.body.decode()
        return reply

    def page(self, path, status=200):
        reply = self.get(path)
        same(reply.status, status, "GET " + path)
        return self.text

    def token(self):
        found = re.search(r'name="_csrf" value="([^"]+)"', self.text)
        if not found:
            raise Failed("there is no form on %s" % self.at)
        return html.unescape(found.group(1))

    def post(self, path, *fields, **more):
        """A form of the page this person is at, as pairs or as names with a value."""
        pairs = [("_csrf", self.token()), *fields, *more.items()]
        reply = self.request("POST", path, urllib.parse.urlencode(pairs).encode(),
                             {"Content-Type": "application/x-www-form-urlencoded"})
        if (reply.header("content-type") or "").startswith("text/html"):
            self.text = reply.body.decode()
        return reply

    def done(self, reply, where=None):
        """After a form that led on: what the next page says once."""
        same(reply.status, 303, "answer to a form: %.300r" % reply.body)
        if where:
            same(reply.header("location"), where, "where it leads")
        self.page(reply.header("location"))
        return self.flash()

    def flash(self):
        found = re.search(r'<div class="flash[^"]*"[^>]*><span>(.*?)</span>', self.text, re.S)
        true(found, "no flash on %s" % self.at)
        return html.unescape(found.group(1))

    def is_refused(self):
        return '<div class="flash bad"' in self.text

    def field(self, name):
        """What stands in a field of the page."""
        found = re.search(r'<(?:input[^>]* name="%s"[^>]* value="([^"]*)"|textarea[^>]* name="%s"[^>]*>(.*?)</textarea>)' % (name, name),
                          self.text, re.S)
        true(found, "there is no field %s" % name)
        return html.unescape(found.group(1) if found.group(1) is not None else found.group(2))

    def error(self):
        found = re.search(r'<p class="error"[^>]*>(.*?)</p>', self.text, re.S)
        true(found, "no field is to blame")
        return html.unescape(found.group(1))
