"""Signing in and what follows from it: sessions, authenticator app, tokens, users and the audit log, as a browser without
JavaScript sees them."""
import base64
import csv
import hashlib
import hmac
import html
import io
import re
import secrets
import time
import urllib.parse

from harness import same, true, wait_until
from visitor import Visitor

PASSWORD = "correct horse battery"


class _Person(Visitor):
    """Somebody at a browser of his own: not signed in, with a cookie jar, from an address of his own."""

    def __init__(self, box, name=None):
        self.box, self.name, self.at, self.text, self.jar, self.set_cookie = box, name, None, "", {}, None
        self.source = box.fresh_address()

    def request(self, method, path, body=b"", headers=None):
        head = dict(headers or {})
        if self.jar:
            head["Cookie"] = "; ".join("%s=%s" % pair for pair in self.jar.items())
        if self.at:
            head["Referer"] = "http://127.0.0.1:%d%s" % (self.box.port, self.at)
        reply = self.box.request(method, path, body, {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", **head}, self.source)
        if reply.header("set-cookie"):
            self.set_cookie = reply.header("set-cookie")
            name, _, value = self.set_cookie.partition(";")[0].partition("=")
            self.jar.pop(name, None) if "Max-Age=0" in self.set_cookie else self.jar.update({name: value})
        return reply

    def hidden(self, name):
        found = re.search(r'<input type="hidden" name="%s" value="([^"]*)"' % name, self.text)
        return html.unescape(found.group(1)) if found else None

    def sign_in(self, password=PASSWORD, path="/login", name=None, **more):
        self.page(path)
        fields = {"name": self.name if name is None else name, "password": password, **more}
        if self.hidden("_next"):
            fields["_next"] = self.hidden("_next")
        return self.post("/login", **fields)

    def signed_in(self):
        reply = self.sign_in()
        same((reply.status, reply.header("location")), (303, "/"), "sign-in")
        return self


def _user(box, role="viewer", password=PASSWORD):
    name = "person-" + secrets.token_hex(6)
    box.ctl("user", "add", name, "--role", role, "--password-stdin", stdin=password + "\n")
    return name


def _person(box, role="viewer"):
    return _Person(box, _user(box, role)).signed_in()


def _id(box, name):
    return box.sql("SELECT public_id FROM users WHERE name = '%s'" % name)[0][0]


def _code(key, at=None):
    """RFC 6238."""
    step = int(time.time() if at is None else at) // 30
    mac = hmac.new(base64.b32decode(key), step.to_bytes(8, "big"), hashlib.sha1).digest()
    return "%06d" % ((int.from_bytes(mac[mac[19] & 15:][:4], "big") & 0x7fffffff) % 1000000)


def _csrf(secret, age_s):
    """As src/account/csrf.c makes it."""
    made = "%016x" % int((time.time() - age_s) * 1000)
    return made + hmac.new(secret.encode(), b"csrf:" + made.encode(), hashlib.sha256).hexdigest()


# ---- signing in ----

def signing_in_leads_back_to_the_wanted_page(box):
    person = _Person(box, _user(box, "admin"))
    reply = person.get("/users?role=admin")
    same((reply.status, reply.header("location")), (303, "/login?next=%2Fusers%3Frole%3Dadmin"))
    same(person.get("/login").header("cache-control"), "no-store")
    reply = person.sign_in(path="/login?next=%2Fusers%3Frole%3Dadmin")
    same((reply.status, reply.header("location")), (303, "/users?role=admin"))
    true(person.name in person.page("/users?role=admin&q=" + person.name), "the wanted page")
    same(person.get("/login?next=%2Faccount").header("location"), "/account", "who is signed in needs no sign-in page")


def the_cookie_is_for_this_server_alone(box):
    person = _Person(box, _user(box)).signed_in()
    parts = [p.strip() for p in person.set_cookie.split(";")]
    true(re.fullmatch(r"grapnel=[A-Za-z0-9_-]{43}", parts[0]), parts[0])
    same(sorted(parts[1:]), ["HttpOnly", "Path=/", "SameSite=Lax"], "attributes over http")
    text = person.jar["grapnel"]
    same(box.number("SELECT COUNT(*) FROM sessions WHERE id_hash = UNHEX('%s')" % hashlib.sha256(text.encode()).hexdigest()), 1,
         "the table holds the hash")
    same(box.number("SELECT COUNT(*) FROM sessions WHERE HEX(id_hash) LIKE '%%%s%%'" % text.encode().hex()), 0)
    true(text.encode() not in box.logs(), "no log holds it")


def each_sign_in_is_a_new_session_and_ends_the_old_one(box):
    person = _person(box)
    old, page = person.jar["grapnel"], person.page("/account")
    token = person.token()
    reply = person.request("POST", "/login", urllib.parse.urlencode({"_csrf": token, "name": person.name, "password": PASSWORD}).encode(),
                           {"Content-Type": "application/x-www-form-urlencoded"})
    same(reply.status, 303)
    true(person.jar["grapnel"] != old and page, "a new id")
    person.page("/account")
    person.jar["grapnel"] = old
    same(person.get("/account").header("location"), "/login?next=%2Faccount", "the old id opens nothing")


def wrong_names_and_passwords_are_told_alike(box):
    known = _Person(box, _user(box))
    nobody = _Person(box, "nobody-" + secrets.token_hex(4))
    for person in known, nobody:
        reply = person.sign_in("wrong horse")
        same(reply.status, 403)
        same(person.field("name"), person.name, "the name stays")
        true("wrong horse" not in person.text, "the password does not")
    same(known.text.replace(known.name, ""), re.sub(r'value="[0-9a-f]{80}"', lambda m: 'value="%s"' % known.token(),
                                                   nobody.text.replace(nobody.name, "")), "one page for both")
    same(known.sign_in("").status, 400)
    same(known.error(), "Type your password.")
    same(known.sign_in(name="").status, 400)
    same(known.error(), "Type your name.")
    box.sql("UPDATE users SET enabled = 0 WHERE name = '%s'" % known.name)
    same(known.sign_in().status, 403, "a disabled user")


def strange_input_is_refused_as_wrong(box):
    person = _Person(box, "x")
    for name in "\u0000", "x" * 5000, "'; DROP TABLE users; --", "<script>alert(1)</script>", "%ff", "\u202e":
        reply = person.sign_in(name=name)
        true(reply.status in (400, 403), "%r: %s" % (name[:20], reply.status))
        true("<script>alert" not in person.text, "text stays text")
    person = _Person(box, "x")
    person.page("/login")
    reply = person.request("POST", "/login", b"name=x&password=y", {"Content-Type": "application/json"})
    same(reply.status, 415)
    same(person.request("POST", "/login", b"name=x&password=y", {"Content-Type": "application/x-www-form-urlencoded"}).status, 403)


def only_paths_of_this_server_are_led_to(box):
    name = _user(box)
    for wanted in ("//evil.example/", "/\\evil.example/", "https://evil.example/", "javascript:alert(1)", "evil", "/x\r\nSet-Cookie: x=1",
                   "/ x", "/" + "a" * 700, "\\\\evil.example"):
        if "\r" not in wanted:     # which web servers refuse themselves
            person = _Person(box, name)
            reply = person.sign_in(path="/login?next=" + urllib.parse.quote(wanted))
            same((reply.status, reply.header("location")), (303, "/"), wanted)
        person = _Person(box, name)
        reply = person.sign_in(_next=wanted)
        same((reply.status, reply.header("location")), (303, "/"), "posted " + wanted)


def _until_refused(guess, failures, each_s):
    """Guesses until it is refused: after so many failures, of which one is forgotten each `each_s`, and for more than half of that from now on."""
    statuses, began = [], time.monotonic()

    def refused():
        reply = guess()
        statuses.append(reply.status)
        if statuses.count(429) == 1 and reply.status == 429:
            true(failures < len(statuses) <= failures + 2 + (time.monotonic() - began) / each_s, "refused after %d guesses" % len(statuses))
        return reply.status == 429 and int(reply.header("retry-after")) > each_s / 2
    wait_until(refused, 120, "guessing is refused")
    same(set(statuses), {403, 429})


def guessing_is_slowed_per_account_and_per_address(box):
    name, other = _user(box), _user(box)
    _until_refused(lambda: _Person(box, name).sign_in("guess"), 10, 30)
    person = _Person(box, name)
    reply = person.sign_in()
    same(reply.status, 429, "the right password, after ten failures from ten addresses")
    true(1 <= int(reply.header("retry-after")) <= 30, reply.header("retry-after"))
    true("Wait" in person.text and person.field("name") == name, "says how long; the name stays")
    same(_Person(box, other).sign_in().status, 303, "another account")
    guesser = _Person(box, other)
    _until_refused(lambda: guesser.sign_in("guess", name="nobody-" + secrets.token_hex(4)), 30, 10)
    same(guesser.sign_in().status, 429, "one address, thirty accounts")
    same(_Person(box, other).sign_in().status, 303, "from elsewhere")


def signing_out_ends_the_session(box):
    person = _person(box)
    text = person.jar["grapnel"]
    person.page("/account")
    reply = person.post("/logout")
    same((reply.status, reply.header("location")), (303, "/login"))
    true("grapnel" not in person.jar, "the cookie is gone")
    person.jar["grapnel"] = text
    same(person.get("/account").status, 303)
    same(box.number("SELECT COUNT(*) FROM audit_log WHERE object = '%s' AND action IN ('user.sign_in', 'user.sign_out')"
                    % _id(box, person.name)), 2)


def sessions_end_idle_and_after_their_time(box):
    for column, age in ("last_seen_at", 13 * 3600), ("created_at", 8 * 86400):
        person = _person(box)
        person.page("/account")
        box.sql("UPDATE sessions SET %s = %s - %d WHERE user_id = (SELECT id FROM users WHERE name = '%s')"
                % (column, column, age * 1000, person.name))
        same(person.get("/account").header("location"), "/login?next=%2Faccount", column)


# ---- forms ----

def an_old_form_comes_back_with_what_was_typed(box):
    person = _person(box)
    person.page("/account")
    old = _csrf(person.jar["grapnel"], 13 * 3600)
    body = [("_csrf", old), ("name", "<b>Backup</b>"), ("expiresInDays", "7"), ("scopes", "read"), ("scopes", "events")]
    reply = person.request("POST", "/account/tokens", urllib.parse.urlencode(body).encode(),
                           {"Content-Type": "application/x-www-form-urlencoded"})
    same(reply.status, 403)
    person.text = reply.body.decode()
    fields = [(html.unescape(n), html.unescape(v)) for n, v in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', person.text)]
    same([f for f in fields if f[0] != "_csrf"][-4:], body[1:], "the fields, as typed")
    true("<b>Backup" not in person.text, "as text")
    same(box.number("SELECT COUNT(*) FROM tokens WHERE name = '<b>Backup</b>'"), 0, "nothing was done")
    true("this once" in person.done(person.post("/account/tokens", *[f for f in fields if f[0] != "_csrf"])), "sent again with one click")
    reply = person.request("POST", "/account/password", urllib.parse.urlencode(
        {"_csrf": old, "current": PASSWORD, "password": "new secret 1", "repeated": "new secret 1"}).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"})
    true(reply.status == 403 and b"new secret 1" not in reply.body and PASSWORD.encode() not in reply.body, "passwords do not come back")


def an_old_sign_in_form_keeps_the_name(box):
    person = _Person(box, _user(box))
    person.page("/login")
    reply = person.request("POST", "/login", urllib.parse.urlencode(
        {"_csrf": _csrf(person.jar["grapnel_guest"], 13 * 3600), "name": person.name, "password": PASSWORD}).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"})
    same(reply.status, 403)
    person.text = reply.body.decode()
    reply = person.post("/login", name=person.hidden("name"))
    same((reply.status, person.field("name"), person.error()), (400, person.name, "Type your password."))


def forms_of_others_do_nothing(box):
    person, stranger = _person(box), _person(box)
    stranger.page("/account")
    theirs = stranger.token()
    for token in (theirs, "", "0" * 80, _csrf(person.jar["grapnel"], -600)):
        reply = person.request("POST", "/account/tokens", urllib.parse.urlencode(
            {"_csrf": token, "name": "stolen", "scopes": "read"}).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
        same(reply.status, 403)
    same(box.number("SELECT COUNT(*) FROM tokens WHERE name = 'stolen'"), 0)


# ---- one's own account ----

def a_new_password_ends_other_sessions(box):
    person = _person(box)
    other = _Person(box, person.name).signed_in()
    person.page("/account")
    for fields, why in (({"current": "wrong", "password": "another horse", "repeated": "another horse"}, "This is not your password."),
                        ({"current": PASSWORD, "password": "short", "repeated": "short"}, "at least 8"),
                        ({"current": PASSWORD, "password": "another horse", "repeated": "another hors"}, "differ")):
        reply = person.post("/account/password", **fields)
        same(reply.status, 400)
        true(why in person.error(), "%s: %s" % (why, person.error()))
        true("another hors" not in person.text, "no password comes back")
    text = person.done(person.post("/account/password", current=PASSWORD, password="another horse", repeated="another horse"), "/account")
    same(text, "Your password is changed. 1 other session ended.")
    same(other.get("/account").status, 303)
    same(_Person(box, person.name).sign_in().status, 403)
    same(_Person(box, person.name).sign_in("another horse").status, 303)


def sessions_are_listed_and_ended(box):
    person = _person(box)
    other, third = _Person(box, person.name).signed_in(), _Person(box, person.name).signed_in()
    page = person.page("/account")
    same(page.count("Firefox on Linux</td>"), 3)
    same(page.count("this one"), 1)
    true(other.source in page, "from where")
    ends = re.findall(r'href="(/account/sessions/se_[^"]+/end)"', page)
    same(len(ends), 2)
    true(third.source in person.page(ends[0]), "what it is about, newest first")
    same(person.done(person.post(ends[0]), "/account"), "The session is ended.")
    same((third.get("/account").status, other.get("/account").status), (303, 200))
    person.page("/account/sessions/end")
    true("1 session ends" in person.text, "in numbers")
    same(person.done(person.post("/account/sessions/end"), "/account"), "Done. 1 other session ended.")
    same((other.get("/account").status, person.get("/account").status), (303, 200))
    person.page("/account")
    same(person.get("/account/sessions/se_00000000000000000000/end").status, 404)
    stranger = _person(box)
    stranger.page("/account")
    mine = box.sql("SELECT s.public_id FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.name = '%s'" % person.name)[0][0]
    same(stranger.post("/account/sessions/%s/end" % mine).status, 404, "that of another")
    same(person.get("/account").status, 200)


def sessions_end_from_the_command_line_and_with_the_user(box):
    person = _person(box)
    box.ctl("user", "sessions-end", person.name)
    same(person.get("/account").status, 303)
    person.signed_in()
    box.sql("UPDATE users SET enabled = 0 WHERE name = '%s'" % person.name)
    same(person.get("/account").status, 303)


def tokens_are_made_shown_once_and_revoked(box):
    person = _person(box)
    person.page("/account")
    for fields, why in (([("name", "x")], "scopes is missing."), ([("scopes", "read"), ("name", "")], "must not be empty"),
                        ([("name", "x"), ("scopes", "read"), ("expiresInDays", "0")], "This must be a whole number from 1 to 3650.")):
        reply = person.post("/account/tokens", *fields)
        same(reply.status, 400)
        true(why in person.error() or "missing" in why, "%s: %s" % (why, person.error()))
    person.done(person.post("/account/tokens", ("name", "Script"), ("scopes", "read"), ("scopes", "incidents"), ("expiresInDays", "30")))
    token = re.search(r"gt_[A-Za-z0-9_-]{43}", person.text).group(0)
    true(token not in person.page("/account"), "shown once")
    box.api("GET", "/api/incidents", token=token).expect(200)
    box.api("GET", "/api/users", token=token).expect(403, "forbidden")
    path = re.search(r'href="(/account/tokens/tk_[^"]+/revoke)"', person.text).group(1)
    true("It may: incidents" in person.page(path) or "It may: read" in person.text, "the cost")
    same(person.done(person.post(path), "/account"), "The token is revoked.")
    box.api("GET", "/api/incidents", token=token).expect(401, "unauthorized")
    stranger = _person(box, "operator")
    same(stranger.get(path).status, 404, "that of another")


def an_authenticator_app_is_asked_for_a_code_once(box):
    person = _person(box)
    person.page("/account")
    same(person.post("/account/totp").header("location"), "/account#app")
    page = person.page("/account")
    true('<svg class="qr"' in page and "data:" not in page, "a QR code drawn by ourselves")
    key = re.search(r"<code data-copy>([A-Z2-7 ]+)</code>", page).group(1).replace(" ", "")
    same(_Person(box, person.name).sign_in().status, 303, "not in force before the first code")
    reply = person.post("/account/totp/confirm", code="000000" if _code(key) != "000000" else "111111")
    same(reply.status, 400)
    true("not the code of now" in person.error(), person.error())
    code = _code(key)
    true("set up" in person.done(person.post("/account/totp/confirm", code=code[:3] + " " + code[3:])), "in force")

    again = _Person(box, person.name)
    same(again.sign_in().status, 200, "the password alone does not sign in")
    true("grapnel" not in again.jar and again.hidden("_ticket") and PASSWORD not in again.text, "nor does it travel on")
    ticket = again.hidden("_ticket")
    same(again.post("/login", _ticket=ticket, code=code).status, 403, "a code serves once")
    later = _code(key, time.time() + 30)
    reply = again.post("/login", _ticket=again.hidden("_ticket"), code=later)
    same((reply.status, reply.header("location")), (303, "/"), "the next one, before its time")
    same(_Person(box, person.name).sign_in(code=later).status, 403, "nor a second time")

    person.page("/account")
    same(person.post("/account/totp/end", current="wrong").status, 400)
    true(person.error() == "This is not your password.", person.error())
    true("removed" in person.done(person.post("/account/totp/end", current=PASSWORD)), "removed")
    same(_Person(box, person.name).sign_in().status, 303)


def who_lost_the_phone_is_helped(box):
    person, admin = _person(box), _person(box, "admin")
    key = None
    for help_by in "command line", "page":
        person.page("/account")
        person.post("/account/totp")
        key = re.search(r"<code data-copy>([A-Z2-7 ]+)</code>", person.page("/account")).group(1).replace(" ", "")
        person.done(person.post("/account/totp/confirm", code=_code(key)))
        same(_Person(box, person.name).sign_in().status, 200)
        if help_by == "page":
            path = "/users/%s/totp-reset" % _id(box, person.name)
            admin.page(path)
            admin.done(admin.post(path))
        else:
            box.ctl("user", "totp-reset", person.name)
        same(_Person(box, person.name).sign_in().status, 303, help_by)
        box.sql("UPDATE users SET totp_step = 0 WHERE name = '%s'" % person.name)


# ---- users ----

def an_admin_makes_a_user_who_signs_in(box):
    admin, name = _person(box, "admin"), "made-" + secrets.token_hex(4)
    admin.page("/users/new")
    same(admin.post("/users", name=name, email="nonsense", role="operator").status, 400)
    same((admin.field("name"), admin.field("email")), (name, "nonsense"), "what was typed")
    true("address" in admin.error(), admin.error())
    admin.done(admin.post("/users", name=name, email="ops@example.org", role="operator", password=""))
    made = re.search(r"<code data-copy>([A-Za-z0-9_-]{16})</code>", admin.text).group(1)
    same(_Person(box, name).sign_in(made).status, 303, "with the password that was shown")
    true(made not in admin.page(admin.at), "shown once")
    admin.page("/users/new")
    same(admin.post("/users", name=name, role="viewer").status, 400)
    true("exists" in admin.error(), admin.error())
    admin.page("/users/new")
    admin.done(admin.post("/users", name="<script>alert(%r)</script>" % name, role="viewer", _none="1"))
    page = admin.page("/users?q=" + name)
    true("<script>alert" not in page and "&lt;script&gt;" in page, "text stays text")
    true("tokens only" in page, "without a password")


def an_admin_changes_and_disables_a_user(box):
    admin, person = _person(box, "admin"), _person(box)
    path = "/users/" + _id(box, person.name)
    admin.page(path)
    same(admin.done(admin.post(path, email="p@example.org", role="operator"), path), "Saved.")
    true("p@example.org" in admin.text, "as stored")
    person.page("/account")
    true("in the role operator" in person.text, "at once, in the same session")
    admin.page(path)
    text = admin.done(admin.post(path + "/password", password="set by the admin"), path)
    true("Sessions of before are ended" in text, text)
    same(person.get("/account").status, 303)
    person = _Person(box, person.name)
    same(person.sign_in("set by the admin").status, 303)
    true("1 session ends now." in admin.page(path + "/disable"), "in numbers")
    same(admin.done(admin.post(path + "/disable"), path), "The user is disabled.")
    same(person.get("/account").status, 303)
    same(admin.done(admin.post(path + "/enable"), path), "The user is enabled.")
    same(person.get("/account").status, 303, "being enabled brings no session back")
    same(admin.get("/users/us_00000000000000000000").status, 404)


def the_last_admin_of_a_tenant_stays(box):
    tenant = box.new_tenant()
    admin = Visitor(box, "admin", tenant)
    path = "/users/" + _id(box, admin.name)
    box.sql("UPDATE users SET public_id = 'us_%020d' WHERE name = '%s'" % (tenant, admin.name))
    path = "/users/us_%020d" % tenant
    admin.page(path + "/disable")
    reply = admin.post(path + "/disable")
    same(reply.status, 409)
    true("last admin" in admin.text and "Make another user admin first" in admin.text, "why, and what to do")
    same(box.number("SELECT enabled FROM users WHERE name = '%s'" % admin.name), 1)


def users_and_audit_log_are_for_admins(box):
    admin, operator = _person(box, "admin"), _person(box, "operator")
    path = "/users/" + _id(box, admin.name)
    for page in "/users", "/users/new", path, path + "/disable", "/audit", "/audit.csv", "/users.json":
        same(operator.get(page).status, 403, page)
    operator.page("/account")
    for act in "/users", path, path + "/password", path + "/disable", path + "/totp-reset":
        same(operator.post(act, password="mine now 1").status, 403, act)
    same(_Person(box, admin.name).sign_in().status, 303)
    true('href="/users"' not in operator.page("/account"), "nor does the navigation offer it")


def only_platform_admins_change_their_own_kind(box):
    admin, root = _person(box, "admin"), _user(box, "admin")
    box.sql("UPDATE users SET platform_admin = 1 WHERE name = '%s'" % root)
    path = "/users/" + _id(box, root)
    true("Only an administrator of the platform can change this user" in admin.page(path), "says so")
    admin.page("/account")
    same(admin.post(path + "/password", password="mine now 1").status, 403)
    same(admin.post("/users/" + _id(box, admin.name), role="admin", platformAdmin="true").status, 403)
    same(_Person(box, root).sign_in().status, 303)


# ---- the audit log ----

def the_audit_log_tells_what_changed(box):
    admin, person = _person(box, "admin"), _person(box)
    user = _id(box, person.name)
    box.api("PATCH", "/api/users/" + user, {"role": "operator", "email": "=HYPERLINK(1)@x"}).expect(200)
    page = admin.page("/audit?object=" + user)
    true(re.search(r'role</span> <del>viewer</del> <ins>operator</ins>', page), "from what to what")
    true("by token" in page and person.name in page, "who, on whom")
    same(len(re.findall(r"<td class=\"title\"", page)), 3, "made, signed in, changed")
    page = admin.page("/audit?action=user.update&object=" + user)
    same(len(re.findall(r"<td class=\"title\"", page)), 1)
    true("Nothing matches" in admin.page("/audit?actor=nobody"), "an empty filter says so")
    same(admin.get("/audit?from=yesterday").status, 400)
    same(admin.get("/audit?cursor=events-7").status, 400)
    listed = admin.request("GET", "/audit.json?object=" + user).json()["audit"]
    same([e["action"] for e in listed], ["user.update", "user.sign_in", "user.create"])
    same((listed[0]["detail"]["before"]["role"], listed[0]["detail"]["after"]["role"], listed[0]["objectName"]), ("viewer", "operator", person.name))
    rows = list(csv.reader(io.StringIO(admin.request("GET", "/audit.csv?object=" + user).body.decode())))
    same(len(rows), 4)
    true(all(not cell.startswith(("=", "+", "@")) for row in rows for cell in row), "no cell is a formula")
    listed = box.get("/api/users?q=" + person.name)["users"]
    rows = list(csv.reader(io.StringIO(admin.request("GET", "/users.csv?q=" + person.name).body.decode())))
    same(dict(zip(*rows))["email"].lstrip("'"), listed[0]["email"])


def the_audit_log_pages_by_cursor(box):
    admin = _person(box, "admin")
    for _ in range(60):
        box.sql("INSERT INTO audit_log (tenant_id, at, actor, action, object) VALUES (1, 1, 2, 'test.many', 'x')")
    seen, path = 0, "/audit?action=test.many"
    while path:
        page = admin.page(path)
        seen += len(re.findall(r"<td class=\"title\"", page))
        found = re.search(r'href="(/audit\?[^"]*cursor=audit-[^"]*)"', page)
        path = html.unescape(found.group(1)) if found else None
    same(seen, 60)


def nobody_signs_in_with_a_token_or_uses_the_api_with_a_cookie(box):
    person = _person(box)
    same(box.request("GET", "/account", headers={"Authorization": "Bearer " + box.token}).status, 303)
    same(box.request("GET", "/api/incidents", headers={"Cookie": "grapnel=" + person.jar["grapnel"]}).status, 401)
