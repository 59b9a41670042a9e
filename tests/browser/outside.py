"""outside.py - who is told of things, on loopback: a mail server, Slack and a program that takes webhooks, each as strict as the real one (receivers.py). What they
took is asked for over HTTP, as by a person who looks into his mail box:

    GET /mails?to=ADDRESS   [{subject, text}]       GET /slack, /hook   [{type, text}]
    GET /complaints         of all of them          POST /minutes/N     that much time passes for what escalates
                                                    POST /jobs/NAME     that job of cron has looked for what is due
"""
import http.server
import json
import re
import threading
import urllib.parse

import receivers

MINUTE_MS = 60000


class Outside:
    def __init__(self, box):
        self.box = box
        self.mail, self.slack, self.hook = receivers.MailServer(None), receivers.Slack(), receivers.EndpointHook()
        outside = self

        class Request(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(outside.seen(urllib.parse.urlsplit(self.path)))

            def do_POST(self):
                what, value = re.fullmatch(r"/(minutes|jobs)/(\w+)", self.path).groups()
                self.answer(outside.pass_minutes(int(value)) if what == "minutes" else outside.box.jobs(value))

            def answer(self, what):
                body = json.dumps(what).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Request)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        self.box.up("--set", "server.development=true", "--set", "outbound.allow=127.0.0.0/8", "--set", "outbound.ports=1-65535",
                    "--set", "mail.server=smtp://localhost:%d" % self.mail.port, "--set", "mail.from=grapnel@hooks.test")
        return self

    def __exit__(self, *_):
        for s in (self.mail, self.slack, self.hook):
            s.__exit__(None, None, None)
        self.server.shutdown()
        self.server.server_close()

    def known(self):
        """What the browser needs to know of it."""
        return {"sink": "http://127.0.0.1:%d" % self.server.server_address[1], "slack": self.slack.url, "hook": self.hook.url, "secret": self.hook.secret}

    def seen(self, url):
        if url.path == "/mails":
            to = dict(urllib.parse.parse_qsl(url.query))["to"]
            return [{"subject": m.message["Subject"], "text": m.message.get_payload(decode=True).decode().replace("\r", "")}
                    for m in list(self.mail.mails) if m.to == [to]]
        if url.path == "/complaints":
            return self.mail.complaints + self.slack.complaints + self.hook.complaints
        return [{"type": t.body.get("type"), "text": json.dumps(t.body)} for t in list(getattr(self, url.path[1:]).taken)]

    def pass_minutes(self, minutes):
        self.box.sql("UPDATE escalations SET since = since - {0}, next_at = next_at - {0}".format(minutes * MINUTE_MS))
        return minutes
