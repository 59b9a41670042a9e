"""look_alike.py - hosts of providers, played by a TLS server on loopback under their own names, with certificates of an authority of the
test; and what those providers sign."""
import atexit
import base64
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SNS_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
SNS_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sns_signed(authority, message, certificate_url, key="sns"):
    """The envelope with its signature, version 2."""
    names = SNS_NOTIFICATION if message["Type"] == "Notification" else SNS_CONFIRMATION
    text = "".join("%s\n%s\n" % (name, message[name]) for name in names if name in message)
    return {**message, "SignatureVersion": "2", "Signature": base64.b64encode(authority.sign(key, text.encode())).decode(),
            "SigningCertURL": certificate_url}


class Authority:
    """Makes keys and certificates with openssl(1)."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="grapnel-keys.")
        atexit.register(shutil.rmtree, self.dir, True)
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test authority",
                 "-addext", "basicConstraints=critical,CA:TRUE")
        os.chmod(self.dir, 0o755)
        os.chmod(self.path("ca.pem"), 0o644)

    def path(self, name):
        return os.path.join(self.dir, name)

    def run(self, *words, given=None):
        return subprocess.run(["openssl", *words], cwd=self.dir, input=given, check=True, capture_output=True).stdout

    def key(self, name):
        self.run("genrsa", "-out", name + ".key", "2048")

    def certificate(self, name, common_name, hosts=()):
        self.run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + common_name)
        with open(self.path(name + ".ext"), "w") as f:
            f.write("basicConstraints=CA:FALSE\n")
            if hosts:
                f.write("subjectAltName=" + ",".join("DNS:" + host for host in hosts) + "\n")
        self.run("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile",
                 name + ".ext", "-out", name + ".pem")

    def text(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def sign(self, name, data):
        return self.run("dgst", "-sha256", "-sign", name + ".key", given=data)

    def jwk(self, name):
        modulus = self.run("rsa", "-in", name + ".key", "-noout", "-modulus").decode().strip().split("=")[1]
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": name, "n": b64url(bytes.fromhex(modulus)), "e": "AQAB"}


class Host:
    """Plays the providers' hosts. `answers` maps a host to what it does; `asked` lists the URLs that came, `request` is the one that is
    answered, as a whole: path, headers, body."""

    def __init__(self, authority):
        self.answers, self.asked, self.own = {}, [], threading.local()
        handler = type("Handler", (BaseHTTPRequestHandler,), {"do_GET": lambda request: self.answer(request),
                                                              "do_POST": lambda request: self.answer(request), "log_message": lambda *_: None})
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.path("host.pem"), authority.path("host.key"))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        host = request.headers["Host"]
        self.asked.append("https://%s%s" % (host, request.path))
        self.own.request = (request.path, {name.lower(): value for name, value in request.headers.items()},
                            request.rfile.read(int(request.headers.get("Content-Length", 0))))
        status, body, headers = self.answers.get(host, lambda: (404, b"", {}))()
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Connection": "close", **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    @property
    def request(self):
        return self.own.request

    def count(self, url):
        return self.asked.count(url)
