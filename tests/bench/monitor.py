"""monitor.py - what the monitor costs when its tables are full: found out anew, and as it is kept for half a minute."""
import json
import re
import statistics
import urllib.request

EVENTS = 10_000_000
ROUNDS = 9              # of each look, after one that nobody counts
PATH = "/api/admin/webhooks/monitor?report=true&timeWindow="
ALL = 31 * 24 * 60      # minutes: all that was filled
LOOKS = (("an hour", PATH + "60"), ("a day", PATH + "1440"), ("a month", f"{PATH}{ALL}"), ("a month, all tenants", f"{PATH}{ALL}&tenant=all"))


def look(program, path):
    """Milliseconds of the server, and the answer."""
    request = urllib.request.Request(program.url + path, headers={"Authorization": "Bearer " + program.instance.env["GRAPNEL_API_TOKEN"]})
    with urllib.request.urlopen(request, timeout=60) as answer:
        took = re.search(r"dur=([0-9.]+)", answer.headers["Server-Timing"])
        return float(took.group(1)), json.load(answer)["data"]


def anew(program, path):
    program.instance.server.sql("UPDATE monitor_cache SET made_at = 1", program.database)
    return look(program, path)


def times(look_at, program, path):
    look_at(program, path)
    took = [look_at(program, path)[0] for _ in range(ROUNDS)]
    return {"median_ms": round(statistics.median(took), 2), "max_ms": max(took)}


def measure(program):
    found = {name: {"path": path, "anew": times(anew, program, path), "kept": times(look, program, path)} for name, path in LOOKS}
    counted = look(program, f"{PATH}{ALL}")[1]["metrics"]
    wrong = [] if counted["totalEvents"] == program.events else [f"{counted['totalEvents']} events counted of {program.events}"]
    return {"events": program.events, "metrics": counted, "looks": found, "wrong_rows": wrong}
