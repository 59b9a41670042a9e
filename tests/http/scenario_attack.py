"""What a hostile sender tries on the ingest path: bodies that grow, names that spoil a batch, the edges of the order of checks.
After each scenario run.py looks whether a worker died."""
import gzip
import time

from harness import alert, alerts, same, together, true

MIB = 1024 * 1024
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def gzip_bombs_of_strangers_share_no_memory(box):
    """/v2/enqueue is read before its sender is known: 190,000 values each."""
    body = gzip.compress(b"[" + b"0," * 190000 + b"0]")
    head = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    for reply in together([lambda: box.request("POST", "/v2/enqueue", body, head) for _ in range(48)]):
        reply.expect(404)


def gzip_bombs_of_25_mib_share_no_memory(box):
    source = box.integration("github", signatureSecret="0123456789abcdef")
    body = gzip.compress(b'{"a":"' + b" " * (25 * MIB - 20) + b'"}')
    send = lambda: box.send_github(source, "push", body, headers={"Content-Encoding": "gzip"})
    for reply in together([send for _ in range(24)]):
        reply.expect(201)


def form_of_twelve_million_names(box):
    source = box.integration("github", signatureSecret="0123456789abcdef")
    form = b"a&" * (12 * MIB)
    box.send_github(source, "push", form, headers=FORM).expect(400, "invalid_payload")
    packed = {**FORM, "Content-Encoding": "gzip"}
    box.send_github(source, "push", gzip.compress(form), headers=packed).expect(400, "invalid_payload")


def a_long_text_of_the_group_in_each_of_ten_thousand_alerts(box):
    source = box.integration("prometheus")
    group = {"status": "x" * 900000, "receiver": "y" * 100000, "alerts": [{}] * 9999}
    box.send(source, group).expect(400, "invalid_payload")
    box.send(source, alerts(alert())).expect(201)


def a_group_of_190_000_members_with_nine_thousand_alerts(box):
    source = box.integration("prometheus")
    body = b"{" + b'"":1,' * 190000 + b'"alerts":[' + b",".join([b"{}"] * 9900) + b"]}"
    began = time.monotonic()
    same(len(box.send(source, body).expect(201)["results"]), 9900)
    true(time.monotonic() - began < 10, "answer after %.1f s" % (time.monotonic() - began))
