"""fcgi.py - FastCGI from the web server's side, for tests: builds records (also wrong ones), sends them in any
pieces, parses answers. Standard library only. FastCGI Specification 1.0.

    answer = fcgi.ask(path, "POST", "/webhooks/1", body=b"{}", headers={"X-Api-Key": "k"})
    answer.status, answer.headers["content-type"], answer.body, answer.json()
"""
import json
import socket
import struct
import time

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = range(1, 10)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONN = 1


def record(kind, content=b"", request_id=1, padding=None, version=1, length=None):
    """One record. `length` lies about the content's length; `padding` defaults to what fills 8 bytes."""
    if padding is None:
        padding = -len(content) % 8 if kind in (PARAMS, STDIN) else 0
    head = struct.pack("!BBHHBx", version, kind, request_id, len(content) if length is None else length, padding)
    return head + content + b"\0" * padding


def begin(request_id=1, role=RESPONDER, flags=0):
    return record(BEGIN, struct.pack("!HB5x", role, flags), request_id)


def _length(n):
    return struct.pack("!B", n) if n < 128 else struct.pack("!I", n | 0x80000000)


def pairs(items):
    """Name-value pairs of section 3.4; items is a dict or a list of (name, value)."""
    out = b""
    for name, value in items.items() if isinstance(items, dict) else items:
        name, value = _bytes(name), _bytes(value)
        out += _length(len(name)) + _length(len(value)) + name + value
    return out


def _bytes(text):
    return text if isinstance(text, bytes) else str(text).encode()


def stream(kind, data, request_id=1, piece=65528):
    """A whole stream: records of up to `piece` bytes, then the empty one."""
    parts = [record(kind, data[i:i + piece], request_id) for i in range(0, len(data), piece)]
    return b"".join(parts) + record(kind, b"", request_id)


def environment(method="GET", uri="/", headers=None, length=0, **more):
    """What a web server sends as parameters. `more` adds or replaces (None removes) single ones."""
    path, _, query = uri.partition("?")
    env = {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "test", "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "REMOTE_ADDR": "192.0.2.7", "REMOTE_PORT": "40000",
        "SCRIPT_NAME": path, "QUERY_STRING": query, "REQUEST_METHOD": method, "REQUEST_URI": uri,
        "CONTENT_LENGTH": length,
    }
    for name, value in (headers or {}).items():
        name = name.upper().replace("-", "_")
        env[name if name == "CONTENT_TYPE" else "HTTP_" + name] = value
    env.update(more)
    return {name: value for name, value in env.items() if value is not None}


def request(method="GET", uri="/", headers=None, body=b"", request_id=1, role=RESPONDER, flags=0, piece=65528,
            env=None, **more):
    """All bytes of one request."""
    if env is None:
        env = environment(method, uri, headers, **{"length": len(body), **more})
    return (begin(request_id, role, flags) + stream(PARAMS, pairs(env), request_id)
            + stream(STDIN, body, request_id, piece))


class Answer:
    """One parsed answer: `ended` tells whether END_REQUEST came, `raw` is all bytes."""

    def __init__(self, raw):
        self.raw = raw
        self.ended, self.app_status, self.protocol_status = False, None, None
        streams = {STDOUT: [], STDERR: []}
        self._records(raw, streams)
        self.stdout, self.stderr = b"".join(streams[STDOUT]), b"".join(streams[STDERR])
        head, self.found, self.body = self.stdout.partition(b"\r\n\r\n")
        self.lines = head.decode("latin-1").split("\r\n") if self.found else []
        self.headers = {}
        for line in self.lines:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        status = self.headers.get("status", "")
        self.status = int(status.split()[0]) if status else (200 if self.found else None)

    def _records(self, raw, streams):
        at = 0
        while at + 8 <= len(raw):
            version, kind, _, length, padding = struct.unpack("!BBHHBx", raw[at:at + 8])
            assert version == 1, "version %d in an answer" % version
            content = raw[at + 8:at + 8 + length]
            at += 8 + length + padding
            if kind in streams:
                streams[kind].append(content)
            elif kind == END:
                self.app_status, self.protocol_status = struct.unpack("!IB3x", content)
                self.ended = at == len(raw)

    def json(self):
        return json.loads(self.body)


def connect(path, timeout=30):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(path)
    return s


def send(sock, data, sizes=None, pause=0):
    """Sends all at once, or in pieces of the given sizes (an int: all of that size), pausing between them."""
    if sizes is None:
        sock.sendall(data)
        return
    at = 0
    while at < len(data):
        n = sizes if isinstance(sizes, int) else (sizes.pop(0) if sizes else len(data))
        sock.sendall(data[at:at + n])
        at += n
        if pause:
            time.sleep(pause)


def read_all(sock, step=65536, pause=0):
    """Bytes until the end; a reset counts as the end."""
    out = []
    try:
        while True:
            piece = sock.recv(step)
            if not piece:
                break
            out.append(piece)
            if pause:
                time.sleep(pause)
    except (ConnectionResetError, BrokenPipeError):
        pass
    return b"".join(out)


def finish(sock, **how):
    """The answer on a connection whose request was sent."""
    with sock:
        return Answer(read_all(sock, **how))


def ask(path, method="GET", uri="/", headers=None, body=b"", sizes=None, pause=0, timeout=30, **more):
    sock = connect(path, timeout)
    try:
        send(sock, request(method, uri, headers, body, **more), sizes, pause)
    except (BrokenPipeError, ConnectionResetError):
        pass    # refused early; the answer may be there all the same
    return finish(sock)
