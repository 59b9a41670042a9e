"""tracing.py - the product with a collector that takes every span, and without."""
import re
import socket
import threading


class Sink(threading.Thread):
    """An HTTP server that reads what is posted and says yes: it costs next to nothing, so what is measured is the product."""
    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"

    def __init__(self):
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listening.getsockname()[1]
        self.posts = self.bytes = 0
        self.buffer = bytearray(1 << 20)

    def run(self):
        while True:
            try:
                one, _ = self.listening.accept()
            except OSError:
                return
            with one:
                self.take(one)

    def take(self, one):
        head = b""
        while b"\r\n\r\n" not in head:
            got = one.recv(65536)
            if not got:
                return
            head += got
        head, _, body = head.partition(b"\r\n\r\n")
        left = int(re.search(rb"(?i)content-length: *(\d+)", head)[1]) - len(body)
        self.posts += 1
        self.bytes += left + len(body)
        while left > 0:
            got = one.recv_into(self.buffer)
            if not got:
                return
            left -= got
        one.sendall(self.ANSWER)


class Traced:
    """While it is entered, every webhook is traced."""

    def __init__(self, program):
        self.program, self.sink = program, Sink()

    def set_endpoint(self, url):
        program = self.program
        text = re.sub(r"\n\[tracing\]\nendpoint = .*\n", "", program.conf())
        if url:
            text += f"\n[tracing]\nendpoint = {url}\n"
        with open(program.instance.env["GRAPNEL_CONF"], "r+", encoding="utf-8") as f:     # owner and mode stay
            f.write(text)
            f.truncate()
        program.restart()

    def __enter__(self):
        self.sink.start()
        self.set_endpoint(self.sink.url)
        return self

    def __exit__(self, *_):
        self.set_endpoint(None)
        self.sink.listening.close()
