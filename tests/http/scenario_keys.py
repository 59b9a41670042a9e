"""Keys of providers: certificates and key sets are fetched from their hosts over TLS, kept, and asked for again only when it helps.

The hosts are played by a TLS server on loopback under their own names, with certificates of an authority of this test. What is
fetched is seen by the server; that a minute has passed is written to the table, since the clock is not ours to set."""
import json
import os
import subprocess
import tempfile
import threading
import time

from harness import same, true, rfc3339, uuid
from look_alike import Authority, Host, b64url, sns_signed

WORKERS_MAY_DIE = True      # the configuration is changed, which starts them anew

GOOGLE = "https://www.googleapis.com/oauth2/v3/certs"
ACCOUNT = "push@project.iam.gserviceaccount.com"
REGIONS = ["us-east-1", "eu-west-1", "eu-west-2", "us-west-2", "ap-south-1"]
HOSTS = ["www.googleapis.com"] + ["sns.%s.amazonaws.com" % region for region in REGIONS]
FOREIGN = "sns.eu-central-1.amazonaws.com"      # leads to the server as well, but is not in its certificate
LARGE = 64 * 1024
MINUTE_MS = 61000


class World:
    """Authority, host, and an instance that knows of them; made once."""
    made = {}

    def __init__(self, box):
        self.box, self.authority = box, Authority()
        self.authority.certificate("host", "host", HOSTS)
        self.authority.certificate("sns", "sns.amazonaws.com")
        for name in ("one", "two", "strange"):
            self.authority.key(name)
        self.host = Host(self.authority)
        self.publish("one")
        box.up("--set", "server.development=true", "--set", "keys.test_authorities=" + self.authority.path("ca.pem"), "--set",
               "keys.test_hosts=" + ", ".join("%s=127.0.0.1:%d" % (host, self.host.port) for host in [*HOSTS, FOREIGN]))

    @classmethod
    def of(cls, box):
        if box not in cls.made:
            cls.made[box] = cls(box)
        return cls.made[box]

    def publish(self, *names, **headers):
        text = json.dumps({"keys": [self.authority.jwk(name) for name in names]}).encode()
        self.host.answers["www.googleapis.com"] = lambda: (200, text, {"Cache-Control": "public, max-age=20000", **headers})

    def look(self, *changes):
        """All workers look again at what is kept, changed in this way."""
        self.box.sql("UPDATE key_documents SET " + ", ".join(changes))
        self.box.integration("webhook")

    def pass_a_minute(self, *changes):
        """For what was tried."""
        self.look("tried_at = tried_at - %d" % MINUTE_MS, "fetched_at = fetched_at - %d" % MINUTE_MS, *changes)

    # ---- Google ----

    def google(self):
        made = self.box.integration("google", settings={"serviceAccount": ACCOUNT})
        return {**made, "audience": self.box.env["GRAPNEL_URL"] + "/api/integrations/google/" + made["id"]}

    def push(self, source, key="one", kid=None, **claims):
        now = int(time.time())
        header = {"alg": "RS256", "kid": kid or key, "typ": "JWT"}
        claims = {"iss": "https://accounts.google.com", "aud": source["audience"], "email": ACCOUNT, "email_verified": True, "iat": now,
                  "exp": now + 3600, **claims}
        text = ".".join(b64url(json.dumps(part).encode()) for part in (header, claims))
        token = text + "." + b64url(self.authority.sign(key, text.encode()))
        body = {"message": {"data": "e30=", "messageId": uuid()}, "subscription": "projects/p/subscriptions/s"}
        return self.box.send(source, body, {"Authorization": "Bearer " + token}, key=False, source=self.box.fresh_address()).status

    # ---- SNS ----

    def notify(self, source, region, host=None, path="/SimpleNotificationService-1.pem", key="sns"):
        arn = "arn:aws:sns:%s:123456789012:alarms" % region
        message = {"Type": "Notification", "MessageId": uuid(), "TopicArn": arn, "Timestamp": rfc3339(time.time()),
                   "Message": json.dumps({"AlarmName": "cpu", "NewStateValue": "ALARM", "AWSAccountId": "123456789012", "Region": region,
                                          "AlarmArn": "arn:aws:cloudwatch:%s:123456789012:alarm:cpu" % region, "NewStateReason": "high"})}
        message = sns_signed(self.authority, message, "https://%s%s" % (host or "sns.%s.amazonaws.com" % region, path), key)
        return self.box.send(source, message, {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}, key=False,
                             source=self.box.fresh_address()).status

    def alarms(self, region):
        return self.box.integration("cloudwatch", settings={"topicArn": "arn:aws:sns:%s:123456789012:alarms" % region})


# ---- key sets ----

def a_key_set_is_fetched_once_for_all_workers(box):
    world = World.of(box)
    source = world.google()
    for _ in range(12):         # by several workers
        same(world.push(source), 200)
    same(world.host.count(GOOGLE), 1, "fetches")
    same(world.push(source, aud="https://elsewhere.example"), 401, "another audience")
    same(world.push(source, email="other@example.com"), 401, "another account")
    same(world.push(source, key="strange", kid="one"), 401, "another key under that id")
    same(world.host.count(GOOGLE), 1, "fetches")
    [row] = [key for key in json.loads(box.ctl("--json", "key", "list"))["keys"] if key["url"] == GOOGLE]
    same((row["kind"], row["pinned"]), ("key set", False))


def an_unknown_key_is_looked_for_once_a_minute(box):
    world = World.of(box)
    source = world.google()
    same(world.push(source), 200)
    world.look("fetched_at = %d" % (time.time() * 1000))
    before = world.host.count(GOOGLE)
    world.publish("one", "two")
    same(world.push(source, key="two"), 401, "rotated, but just looked")
    same(world.host.count(GOOGLE), before, "fetches")
    world.pass_a_minute()
    same(world.push(source, key="two"), 200, "rotated, and looked again")
    for _ in range(8):
        same(world.push(source, key="strange"), 401, "a key that nobody publishes")
    same(world.host.count(GOOGLE), before + 1, "fetches")


def a_key_set_serves_while_the_host_is_away(box):
    world = World.of(box)
    source = world.google()
    same(world.push(source), 200)
    world.host.answers["www.googleapis.com"] = lambda: (503, b"", {})
    world.pass_a_minute("fresh_until = fetched_at")
    for _ in range(8):
        same(world.push(source), 200, "with the old set")
    same(world.push(source, key="strange"), 503, "an unknown key may be a new one")
    world.publish("one", "two")
    world.pass_a_minute()
    same(world.push(source, key="two"), 200, "the host is back")


def an_administrators_key_set_is_used_as_it_is(box):
    world = World.of(box)
    source = world.google()
    before = world.host.count(GOOGLE)
    path = world.authority.path("pinned.json")
    with open(path, "w") as f:
        json.dump({"keys": [world.authority.jwk("strange")]}, f)
    box.ctl("key", "add", GOOGLE, path)
    same(world.push(source, key="strange"), 200)
    same(world.push(source, key="one"), 401)
    same(world.host.count(GOOGLE), before, "fetches")
    box.ctl("key", "remove", GOOGLE)
    same(world.push(source, key="one"), 200)
    same(world.push(source, key="strange"), 401)
    same(world.host.count(GOOGLE), before + 1, "fetches")


# ---- certificates ----

def a_certificate_is_fetched_once_and_must_be_the_senders(box):
    world = World.of(box)
    source, host = world.alarms("us-east-1"), "sns.us-east-1.amazonaws.com"
    pem = world.authority.text("sns.pem")
    world.host.answers[host] = lambda: (200, pem, {})
    for _ in range(6):
        same(world.notify(source, "us-east-1"), 201)
    same(world.host.count("https://%s/SimpleNotificationService-1.pem" % host), 1, "fetches")
    same(world.notify(source, "us-east-1", key="strange"), 401, "signed with another key")
    other = world.authority.text("host.pem")        # from the same authority, but not in SNS's name
    world.host.answers[host] = lambda: (200, other, {})
    same(world.notify(source, "us-east-1", path="/other.pem"), 401, "a certificate of another")
    asked = len(world.host.asked)
    for stranger in ("sns.us-east-1.amazonaws.com.evil.example", "evil.example", "sns.us-east-1.amazonaws.com:8443",
                     "sns.us-east-1.amazonaws.com@evil.example"):
        same(world.notify(source, "us-east-1", host=stranger), 401, stranger)
    same(len(world.host.asked), asked, "nobody was asked")


def what_a_host_may_not_do(box):
    world = World.of(box)
    pem, ended = world.authority.text("sns.pem"), threading.Event()
    world.host.answers.update({
        "sns.eu-west-1.amazonaws.com": lambda: (302, b"", {"Location": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem"}),
        "sns.eu-west-2.amazonaws.com": lambda: (200, pem + b"x" * LARGE, {}),
        "sns.us-west-2.amazonaws.com": lambda: (ended.wait(120), (200, pem, {}))[1],      # it is not waited for
        "sns.ap-south-1.amazonaws.com": lambda: (404, b"", {}),
        FOREIGN: lambda: (200, pem, {}),
    })
    for region, status in (("eu-west-1", 503), ("eu-west-2", 503), ("us-west-2", 503), ("ap-south-1", 401), ("eu-central-1", 503)):
        source, url = world.alarms(region), "https://sns.%s.amazonaws.com/SimpleNotificationService-1.pem" % region
        for _ in range(4):
            same(world.notify(source, region), status, region)
        same(world.host.count(url), 0 if region == "eu-central-1" else 1, "fetches from " + region)
    ended.set()
    text = box.logs()
    for cause in (b"the host answered 302", b"the answer has more than 65536 bytes", b"no alternative certificate subject name matches"):
        true(cause in text, "logged: %s" % cause.decode())


# ---- configuration ----

def a_real_server_refuses_what_is_for_tests(box):
    conf = os.path.join(tempfile.gettempdir(), "grapnel-keys-%d.conf" % os.getpid())
    for text, why in (("[keys]\ntest_hosts = www.googleapis.com=127.0.0.1:1\n", "[keys] test_hosts: is for tests"),
                      ("[server]\ndevelopment = true\npublic_url = https://hooks.example.org\n", "[server] development: is for tests on one machine")):
        with open(conf, "w") as f:
            f.write(text)
        done = subprocess.run([os.path.join(box.env["GRAPNEL_PREFIX"], "bin", "grapnelctl"), "-c", conf, "config", "print"],
                              capture_output=True, text=True)
        os.unlink(conf)
        true(done.returncode and why in done.stderr, done.stderr)


def then_all_is_as_it_was(box):
    box.up("--set", "keys.test_hosts=", "--set", "keys.test_authorities=", "--set", "server.development=false")
    same(box.request("GET", "/readyz").status, 200)
