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
    """Listens on `path`, in a folder of its own, connects to `server`. cut_every = n: each n-th COMMIT is cut off; 0 = none.
    leave_after_commit(): the next COMMIT is done, and then all connections end and there is no server any more, until come_back()."""

    def __init__(self, path, server):
        self.path, self.server = path, server
        self.cut_every = self.commits = self.cuts = 0
        self.lock = threading.Lock()
        self.clients, self.leaves, self.left = set(), False, threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def leave_after_commit(self):
        self.left.clear()
        self.leaves = True
        if not self.left.wait(20):
            raise AssertionError("there was no COMMIT in 20 s")

    def come_back(self):
        os.rename(self.path + ".away", self.path)

    def _leave(self):
        """Under the lock. Whoever else was in the middle of something is cut off as well."""
        self.leaves = False
        self.cuts += 1
        os.rename(self.path, self.path + ".away")
        for client in self.clients:
            client.shutdown(socket.SHUT_RDWR)
        self.left.set()

    def close(self):
        self.listener.close()
        for path in self.path, self.path + ".away":
            if os.path.exists(path):
                os.unlink(path)
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
        with self.lock:
            self.clients.add(client)
        try:
            server.connect(self.server)
            self._pass(client, server)
        except OSError:
            pass
        finally:
            with self.lock:
                self.clients.remove(client)
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
                if data[4:4 + len(COMMIT)] == COMMIT and self._is_over(server):
                    return

    def _is_over(self, server):
        """After a COMMIT: does this connection end here? Half of the cuts come after the server has answered, half at once."""
        with self.lock:
            self.commits += 1
            if self.leaves:
                server.recv(1 << 16)
                self._leave()
                return True
            if not self.cut_every or self.commits % self.cut_every:
                return False
            self.cuts += 1
        if os.urandom(1)[0] & 1:
            server.recv(1 << 16)
        return True
