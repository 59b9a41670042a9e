#!/usr/bin/env python3
"""run.py - the fault group: breaks a real instance in every way we can think of and compares tables with what was acknowledged.

    tests/fault/run.py --builddir DIR [WORD...]

Each scenario has an instance of its own behind lighttpd. GRAPNEL_USE_PREFIX names installed programs. The last line is
"N passed, N failed".
"""
import argparse
import inspect
import os
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "http")]

import harness      # noqa: E402
import scenarios    # noqa: E402
from proxy import Proxy     # noqa: E402


class Box(harness.Instance):
    proxy = None

    def keeper_pid(self, part):
        with open(self.path("run", part + ".keeper")) as f:
            return int(f.read())


def prepare(function):
    box = Box("lighttpd", getattr(function, "sets", ()))
    if getattr(function, "needs_proxy", False):
        path = os.path.join(tempfile.mkdtemp(prefix="grapnel-proxy."), "db.sock")
        os.chmod(os.path.dirname(path), 0o755)
        box.sets.append("database.socket=" + path)
        box.proxy = Proxy(path, box.path("run", "db.sock"))
    return box


def one(function, builddir):
    box, began = prepare(function), time.monotonic()
    try:
        box.up()
        function(box, builddir)
    except Exception as e:
        where = traceback.extract_tb(e.__traceback__)[-1]
        print("FAILED  %s\n        %s: %s (%s:%d)" % (function.__name__, type(e).__name__, e,
                                                   os.path.basename(where.filename), where.lineno), flush=True)
        box.down(remove=False)
        print("        its data and logs are left in %s" % box.dir, flush=True)
        return False
    finally:
        if box.proxy:
            box.proxy.close()
    box.down()
    print("ok      %s (%.1f s)" % (function.__name__, time.monotonic() - began), flush=True)
    return True


def main():
    arguments = argparse.ArgumentParser(description="fault scenarios")
    arguments.add_argument("--builddir", required=True, help="where bench_sender was built")
    arguments.add_argument("words", nargs="*")
    given = arguments.parse_args()
    chosen = [f for f in vars(scenarios).values() if inspect.isfunction(f) and f.__module__ == "scenarios"
              and not f.__name__.startswith("_") and f.__name__ != "started_with"
              and (not given.words or any(w in f.__name__ for w in given.words))]
    results = [one(f, given.builddir) for f in chosen]
    print("%d passed, %d failed" % (results.count(True), results.count(False)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
