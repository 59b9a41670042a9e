"""proxy.py - between grapnel.fcgi and MariaDB: passes everything, and on demand cuts a connection just after COMMIT was sent.

It reads no more of the protocol than it must: a client packet is 3 bytes of length, a sequence number and the payload; a
COM_QUERY is the byte 3 and the text (MariaDB documentation, "0-packet" and "COM_QUERY", looked up 2026-11-22). The server
gets the COMMIT, the client never gets its answer: the case in which nobody can know.
"""
import os
import select
import socket
import threading

COMMIT = b"\x03COMMIT"


class Proxy:
    """Listens on `path`, in a folder of its own, connects to `server`. cut_every = n: each n-th COMMIT is cut off; 0 = none."""

    def __init__(self, path, server):
        self.path, self.server = path, server
        self.cut_every = self.commits = self.cuts = 0
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()
        os.unlink(self.path)
        os.rmdir(os.path.dirname(self.path))

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.server)
            self._pass(client, server)
        except OSError:
            pass
        finally:
            client.close()
            server.close()

    def _pass(self, client, server):
        while True:
            ready, _, _ = select.select([client, server], [], [])
            if server in ready:
                data = server.recv(1 << 16)
                if not data:
                    return
                client.sendall(data)
            if client in ready:
                data = client.recv(1 << 16)
                if not data:
                    return
                server.sendall(data)
                if data[4:4 + len(COMMIT)] == COMMIT and self._cut_this():
                    self._let_it_commit(server)
                    return

    @staticmethod
    def _let_it_commit(server):
        """Half of the cuts come after the server has answered, half at once."""
        if os.urandom(1)[0] & 1:
            server.recv(1 << 16)

    def _cut_this(self):
        with self.lock:
            self.commits += 1
            if not self.cut_every or self.commits % self.cut_every:
                return False
            self.cuts += 1
            return True
