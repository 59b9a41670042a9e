"""The key that seals secrets is rotated while everything runs, and dies."""
import base64
import json
import os
import random
import subprocess
import time

import harness
from acts import kill, kill_worker, known
from harness import same, true, wait_until
from ledger import Load, compare


def _rekey(box):
    return box.program("bin/grapnelctl", "-c", box.env["GRAPNEL_CONF"], "secrets", "rekey", "--yes", stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT)


def _spool_one(box, source):
    """A request that the database could not take, its file put aside. Gives back its alert and a function that puts it back."""
    alert = harness.alert()
    with box.without_database():
        box.send(source, harness.alerts(alert)).expect(202)
        files = box.spooled()
        for name in files:
            os.rename(box.path("spool", name), box.path("held." + name))

    def put_back():
        for name in files:
            os.rename(box.path("held." + name), box.path("spool", name.replace(".open", ".spool")))
    return alert, put_back


def key_rotated_under_load(box, builddir):
    """grapnelctl secrets rekey, killed again and again while workers seal, open and die: nothing is lost, and nobody finds a secret
    that does not open. What was spooled before it is replayed after it."""
    source = known(box, box.integration("prometheus", rateLimitPerMinute=0), lambda: harness.alerts(harness.alert()))
    alert, put_back = _spool_one(box, source)
    paypal = box.integration("paypal", signatureSecret="WH-1", settings={"clientId": "c", "clientSecret": "sealed by key one"})
    box.sql("INSERT INTO source_secrets (source_id, sealed, created_at, expires_at) SELECT s.source_id, s.sealed, 1, 2 FROM source_secrets s"
            " JOIN seq_1_to_20000 LIMIT 20000")
    load, kills = Load(box, builddir, 15), 0
    while load.running(kills >= 2):
        rekey = _rekey(box)
        time.sleep(random.uniform(0.1, 0.6))
        kills += kill(rekey.pid) if kills < 5 and rekey.poll() is None else 0
        rekey.communicate()
        kill_worker(box)
        box.integration("github", signatureSecret="made meanwhile")
    acknowledged = load.finish()
    true(kills >= 2, "rekey was killed: %d" % kills)
    wait_until(box.is_ready, 60, "everything back")
    done = _rekey(box)
    out, _ = done.communicate()
    same(done.returncode, 0, out)
    keys = box.ctl("--json", "secrets", "list")
    newest = max(json.loads(keys)["keys"], key=lambda k: k["number"])
    true(newest["seals"] and newest["number"] > 2, keys)
    same([k["values"] for k in json.loads(keys)["keys"] if k["number"] != newest["number"]], [0] * (newest["number"] - 1), keys)
    put_back()
    compare(box, acknowledged)
    wait_until(lambda: box.number("SELECT COUNT(*) FROM events WHERE dedup_key LIKE '%" + alert["fingerprint"] + "%'") == 1, 90,
               "what the old key sealed is replayed")
    [[settings]] = box.sql("SELECT settings FROM sources WHERE public_id = '%s'" % paypal["id"])
    same(json.loads(settings)["clientId"], "c", settings)
    same(base64.b64decode(json.loads(settings)["clientSecret"].removeprefix("sealed:"))[1], newest["number"], "the key of a setting")
    true("ok" in [line.split()[0] for line in box.ctl("doctor", "configuration", "service-user", "key-file", "database", "migrations",
                                                      "sealed-secrets").splitlines() if "sealed-secrets" in line], "all secrets open")
    for word in (b"does not open", b"cannot be opened", b"was changed or belongs elsewhere"):
        true(word not in box.logs(), "nobody said: " + word.decode())
