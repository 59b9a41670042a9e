"""PayPal: proven by its certificate, and by asking PayPal. Its hosts are played by a TLS server on loopback under their own names."""
import base64
import json
import secrets
import time
import urllib.parse
import zlib

from harness import same, true, uuid
from look_alike import Authority, Host
from visitor import Visitor

WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew

CERTIFICATES, API = "api.paypal.com", "api-m.paypal.com"
NAME = "messageverificationcerts.paypal.com"
HOOK = "8PT597110X687430LKGECATA"


class World:
    """PayPal, and an instance that knows of it; made once."""
    made = {}

    def __init__(self, box):
        self.box, self.authority = box, Authority()
        self.authority.certificate("host", "host", [CERTIFICATES, API])
        self.authority.certificate("paypal", NAME, [NAME])
        self.authority.certificate("stranger", NAME + ".evil.example")
        self.host = Host(self.authority)
        self.host.answers.update({CERTIFICATES: self.certificate, API: self.api})
        self.tokens, self.status, self.verdict = [], 200, "SUCCESS"
        box.up("--set", "server.development=true", "--set", "keys.test_authorities=" + self.authority.path("ca.pem"), "--set",
               "keys.test_hosts=" + ", ".join("%s=127.0.0.1:%d" % (host, self.host.port) for host in (CERTIFICATES, API)))

    @classmethod
    def of(cls, box):
        if box not in cls.made:
            cls.made[box] = cls(box)
        return cls.made[box]

    # ---- what PayPal does ----

    def certificate(self):
        name = "stranger" if self.host.request[0].endswith("STRANGER") else "paypal"
        return 200, self.authority.text(name + ".pem"), {"Content-Type": "application/x-pem-file"}

    def api(self):
        path, headers, body = self.host.request
        if path == "/v1/oauth2/token":
            same(headers["authorization"], "Basic " + base64.b64encode(b"the-app:the-secret").decode())
            same(urllib.parse.parse_qs(body.decode()), {"grant_type": ["client_credentials"]})
            self.tokens.append(secrets.token_urlsafe(16))
            return 200, json.dumps({"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 32400}).encode(), {}
        same(path, "/v1/notifications/verify-webhook-signature")
        if headers["authorization"] not in ["Bearer " + token for token in self.tokens]:
            return 401, b'{"error":"invalid_token"}', {}
        self.asked = body
        return self.status, json.dumps({"verification_status": self.verdict}).encode(), {}

    def questions(self):
        return self.host.count("https://%s/v1/notifications/verify-webhook-signature" % API)

    # ---- what it sends ----

    def send(self, source, body=None, cert="CERT-1", key="paypal", hook=HOOK, at=None, headers=None):
        body = body or json.dumps({"id": "WH-" + uuid(), "event_type": "CUSTOMER.DISPUTE.CREATED", "resource_type": "dispute", "create_time":
                                   "2026-01-01T00:00:00Z", "summary": "A dispute", "resource": {"dispute_id": "PP-" + uuid()}}, indent=1).encode()
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at or time.time()))
        transmission = uuid()
        text = "%s|%s|%s|%d" % (transmission, at, hook, zlib.crc32(body))
        return self.box.send(source, body, {
            "PAYPAL-TRANSMISSION-ID": transmission, "PAYPAL-TRANSMISSION-TIME": at, "PAYPAL-AUTH-ALGO": "SHA256withRSA", "PAYPAL-AUTH-VERSION": "v2",
            "PAYPAL-TRANSMISSION-SIG": base64.b64encode(self.authority.sign(key, text.encode())).decode(),
            "PAYPAL-CERT-URL": "https://%s/v1/notifications/certs/%s" % (CERTIFICATES, cert), **(headers or {})}, key=False,
            source=self.box.fresh_address())


def paypal_is_proven_by_its_certificate(box):
    world = World.of(box)
    source = box.integration("paypal", signatureSecret=HOOK)
    same(world.send(source).expect(200), {"received": True})
    body = json.dumps({"id": "WH-1", "event_type": "PAYMENT.SALE.COMPLETED", "resource": {"id": "1"}}).encode()
    same(world.send(source, body).expect(200), {"received": True})
    same(world.send(source, body).expect(200), {"received": True, "alreadyProcessed": True})
    same(world.host.count("https://%s/v1/notifications/certs/CERT-1" % CERTIFICATES), 1, "fetches")
    asked = len(world.host.asked)
    for what, reply in {
            "another webhook's": world.send(source, hook="OTHER"), "signed by another": world.send(source, key="stranger"),
            "four days old": world.send(source, at=time.time() - 4 * 86400), "of tomorrow": world.send(source, at=time.time() + 86400),
            "of another host": world.send(source, headers={"PAYPAL-CERT-URL": "https://api.paypal.com.evil.example/v1/notifications/certs/C"}),
            "without signature": world.send(source, headers={"PAYPAL-TRANSMISSION-SIG": None})}.items():
        same(reply.status, 401, what)
    same(len(world.host.asked), asked, "nobody was asked")
    same(world.send(source, cert="STRANGER", key="stranger").status, 401, "a good certificate of somebody else")


def paypal_is_asked_about_each_event(box):
    world = World.of(box)
    source = box.integration("paypal", signatureSecret=HOOK, settings={"postback": True, "clientId": "the-app", "clientSecret": "the-secret"})
    body = b'{ "id":"WH-2" ,\n"event_type":"PAYMENT.CAPTURE.DENIED","resource":{"id":"2","amount":{"value":"1.10"}} }'
    same(world.send(source, body, key="stranger").expect(200), {"received": True})
    true(world.asked.endswith(b',"webhook_id":"%s","webhook_event":%s}' % (HOOK.encode(), body)), "asked: %r" % world.asked)
    same(json.loads(world.asked)["auth_algo"], "SHA256withRSA")
    for _ in range(2):
        for _ in range(12):
            world.send(source).expect(200)
        true(1 <= len(world.tokens) < len(box.worker_pids()), "a token for each worker but the dispatcher, not %d" % len(world.tokens))
        world.tokens.clear()    # PayPal has forgotten what it gave

    world.verdict = "FAILURE"
    world.send(source).expect(401, "invalid_signature")
    world.verdict = "SUCCESS"
    for status in (500, 429, 400):
        world.status = status
        reply = world.send(source)
        reply.expect(503, "unavailable")
        true(reply.header("retry-after"), "PayPal repeats")
    world.status = 200
    asked = world.questions()
    world.send(source, at=time.time() - 4 * 86400).expect(401)
    world.send(source, headers={"PAYPAL-CERT-URL": "https://evil.example/v1/notifications/certs/C"}).expect(401)
    same(world.questions(), asked, "what we can tell ourselves is not asked")
    world.send(source).expect(200)


def the_client_secret_is_sealed_and_never_shown(box):
    World.of(box)
    admin, made = Visitor(box), box.integration("paypal", signatureSecret=HOOK)
    page = "/integrations/%s/edit" % made["id"]
    admin.page(page)
    fields = [("name", made["name"]), ("actions", "record"), ("_setting.postback", "true"), ("_setting.clientId", "the-app")]
    admin.done(admin.post(page, *fields, ("_setting.clientSecret", "the-secret")))
    stored = "SELECT settings FROM sources WHERE public_id = '%s'" % made["id"]
    first = json.loads(box.sql(stored)[0][0])
    true(first["clientSecret"].startswith("sealed:") and "the-secret" not in json.dumps(first), first)
    text = admin.page(page)
    true("the-secret" not in text and "sealed:" not in text and "an empty field keeps it" in text, "the form")
    world = World.of(box)
    world.send(made).expect(200)
    admin.done(admin.post(page, *fields, ("_setting.clientSecret", "")))
    same(json.loads(box.sql(stored)[0][0]), first, "an empty field keeps it")
    admin.page(page)
    admin.done(admin.post(page, *fields, ("_setting.clientSecret", "wrong")))
    true(json.loads(box.sql(stored)[0][0]) != first, "changed")
    true(b"the-secret" not in box.logs(), "in a log")
    true(box.number("SELECT COUNT(*) FROM audit_log WHERE detail LIKE '%the-secret%' OR detail LIKE '%sealed:%'") == 0, "in the audit log")


def then_all_is_as_it_was(box):
    box.up("--set", "keys.test_hosts=", "--set", "keys.test_authorities=", "--set", "server.development=false")
    same(box.request("GET", "/readyz").status, 200)
