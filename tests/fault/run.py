#!/usr/bin/env python3
"""run.py - the fault group: breaks a real instance in every way we can think of and compares tables with what was acknowledged.

    tests/fault/run.py --builddir DIR [WORD...]

Each scenario of scenario_*.py has an instance of its own behind lighttpd, and two run at a time, since they wait a lot; WORDs choose by part of file:name. GRAPNEL_USE_PREFIX names
installed programs. A scenario may return a sentence that says how it was done. A scenario fails, too, where its instance leaves a process
behind. The last line is "N passed, N failed".
"""
import argparse
import concurrent.futures
import glob
import importlib
import inspect
import os
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "http")]

import harness      # noqa: E402
from proxy import Proxy     # noqa: E402

LANES = 2


class Box(harness.Instance):
    proxy = clock = None

    def processes(self):
        """Command lines that name this instance's folder: nobody else's do."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    line = f.read().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if self.dir + "/" in line:
                found.append("%s %s" % (pid, line))
        return found


def prepare(function):
    box = Box("lighttpd", getattr(function, "sets", ()))
    if getattr(function, "needs_proxy", False):
        path = os.path.join(tempfile.mkdtemp(prefix="grapnel-proxy."), "db.sock")
        os.chmod(os.path.dirname(path), 0o755)
        box.sets.append("database.socket=" + path)
        box.proxy = Proxy(path, box.path("run", "db.sock"))
    getattr(function, "prepare", lambda box: None)(box)
    return box


def one(name, function, builddir):
    box, began = prepare(function), time.monotonic()
    try:
        box.up()
        note = function(box, builddir)
        box.down(remove=False)
        harness.wait_until(lambda: not box.processes(), 30, "no process is left of the instance: %s" % box.processes())
    except Exception as e:
        where = [f for f in traceback.extract_tb(e.__traceback__) if "scenario_" in f.filename] or traceback.extract_tb(e.__traceback__)
        print("FAILED  %s\n        %s: %s (%s)" % (name, type(e).__name__, e, " ".join(
            "%s:%d" % (os.path.basename(f.filename), f.lineno) for f in where)), flush=True)
        box.down(remove=False)
        print("        its data and logs are left in %s" % box.dir, flush=True)
        return False
    finally:
        for helper in filter(None, (box.proxy, box.clock)):
            helper.close()
    box.down()
    print("ok      %s (%.1f s)%s" % (name, time.monotonic() - began, ": " + note if note else ""), flush=True)
    return True


def scenarios(words):
    for path in sorted(glob.glob(os.path.join(HERE, "scenario_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-len(".py")])
        for function in vars(module).values():
            if not inspect.isfunction(function) or function.__module__ != module.__name__ or function.__name__.startswith("_"):
                continue
            full = "%s:%s" % (module.__name__[len("scenario_"):], function.__name__)
            if not words or any(w in full for w in words):
                yield full, function


def main():
    arguments = argparse.ArgumentParser(description="fault scenarios")
    arguments.add_argument("--builddir", required=True, help="where bench_sender was built")
    arguments.add_argument("words", nargs="*")
    given = arguments.parse_args()
    with concurrent.futures.ThreadPoolExecutor(LANES) as lanes:
        results = list(lanes.map(lambda scenario: one(*scenario, given.builddir), scenarios(given.words)))
    print("%d passed, %d failed" % (results.count(True), results.count(False)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
