"""handler.py - an owner's handler on loopback, which takes what Grapnel forwards and behaves as it is told.

    with Handler() as handler:
        handler.status = 503        # until told otherwise; or handler.does = Handler.hang
        handler.got                 # what came, in order: Got(path, headers, body, at)
"""
import base64
import collections
import hashlib
import hmac
import http.server
import json
import select
import socket
import threading
import time

Got = collections.namedtuple("Got", "path headers body at")


class Handler:
    def __init__(self):
        outer = self

        class Request(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.given = Got(self.path, {k.lower(): v for k, v in self.headers.items()}, body, time.time())
                with outer.lock:
                    outer.got.append(self.given)
                    outer.inside += 1
                    outer.most = max(outer.most, outer.inside)
                try:
                    (outer.does or outer.answer)(self)
                except OSError:
                    pass            # whoever asked has gone
                finally:
                    with outer.lock:
                        outer.inside -= 1

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.got, self.lock, self.inside, self.most = [], threading.Lock(), 0, 0
        self.status, self.body, self.headers, self.does = 204, b"", {}, None
        self.released = threading.Event()
        self.server = Server(("127.0.0.1", 0), Request)
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d/hook" % self.port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    # ---- what it may do ----

    def answer(self, request):
        request.send_response(self.status)
        for name, value in self.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(self.body)))
        request.end_headers()
        request.wfile.write(self.body)

    def hang(self, request):
        """Until release() is called, or whoever asked has gone."""
        while not self.released.wait(0.02):
            if select.select([request.connection], [], [], 0)[0] and not request.connection.recv(1, socket.MSG_PEEK):
                return
        self.answer(request)

    def release(self):
        self.does = None
        self.released.set()

    def garbage(self, request):
        request.wfile.write(b"\x00\xff what is HTTP?\r\n\r\n")
        request.close_connection = True

    def cut(self, request):
        """A status, and half of the body."""
        request.wfile.write(b"HTTP/1.1 %d Well\r\nContent-Length: 100\r\n\r\nonly this" % self.status)
        request.close_connection = True

    def drip(self, request):
        """A status, and a body that comes more slowly than anybody waits for."""
        request.wfile.write(b"HTTP/1.1 %d Well\r\nContent-Length: 1000000\r\n\r\n" % self.status)
        while not self.released.wait(0.1):
            request.wfile.write(b"x")

    def endless_body(self, request):
        request.wfile.write(b"HTTP/1.1 %d Well\r\nContent-Type: text/plain\r\n\r\n" % self.status)
        request.close_connection = True
        while not self.released.is_set():
            request.wfile.write(b"\x00\xff<b>" * 10000)

    def endless_headers(self, request):
        request.wfile.write(b"HTTP/1.1 %d Well\r\n" % self.status)
        while not self.released.is_set():
            request.wfile.write(b"X-More: %s\r\n" % (b"x" * 1000))

    def slam(self, request):
        request.close_connection = True
        request.connection.close()

    # ---- what came ----

    def of(self, event):
        """What came of the event of that number."""
        return [g for g in list(self.got) if g.headers.get("webhook-id") == str(event)]


def signed_by(got, secret):
    """Is the signature that of Standard Webhooks under the secret? And the other one?"""
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    content = b"%s.%s." % (got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode()) + got.body
    standard = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    plain = "sha256=" + hmac.new(secret.encode(), got.body, hashlib.sha256).hexdigest()
    return got.headers.get("webhook-signature") == standard and got.headers.get("x-webhook-signature") == plain


def body_of(got):
    return json.loads(got.body)
