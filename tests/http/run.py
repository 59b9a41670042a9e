#!/usr/bin/env python3
"""run.py - runs the scenarios of scenario_*.py against instances of their own, through lighttpd and through Apache.

    tests/http/run.py [--server lighttpd|apache]... [--modules DIR] [--keep] [WORD...]

Each public function of a scenario file is one scenario; its name says what it proves. WORDs choose by part of
file:name. A scenario fails, too, when a worker died during it, unless its file says WORKERS_MAY_DIE. GRAPNEL_USE_PREFIX
names installed programs, else each instance builds its own. The packages of package-lock.json, which check what we sign, are
put into DIR (default: a folder in the cache of the user). The last line is "N passed, N failed".
"""
import argparse
import glob
import importlib.util
import inspect
import os
import sys
import threading
import time
import traceback

import harness
import node

HERE = os.path.dirname(os.path.abspath(__file__))


def scenarios(words):
    for path in sorted(glob.glob(os.path.join(HERE, "scenario_*.py"))):
        name = os.path.basename(path)[len("scenario_"):-len(".py")]
        spec = importlib.util.spec_from_file_location("scenario_" + name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for function in vars(module).values():
            if not inspect.isfunction(function) or function.__module__ != module.__name__:
                continue
            full = "%s:%s" % (name, function.__name__)
            if not function.__name__.startswith("_") and (not words or any(w in full for w in words)):
                yield full, function, getattr(module, "WORKERS_MAY_DIE", False)


class Run:
    """All scenarios on one server."""
    out = threading.Lock()

    def __init__(self, server, chosen, keep):
        self.server, self.chosen, self.keep = server, chosen, keep
        self.passed = self.failed = 0

    def say(self, text):
        with Run.out:
            print("%-8s  %s" % (self.server, text), flush=True)

    def one(self, box, name, function, workers_may_die):
        began = time.monotonic()
        try:
            workers = box.worker_pids()
            function(box)
            if not workers_may_die:
                harness.same(box.worker_pids(), workers, "worker processes after the scenario")
        except Exception as e:
            self.failed += 1
            where = traceback.extract_tb(e.__traceback__)
            lines = ["%s:%d" % (os.path.basename(f.filename), f.lineno) for f in where if "scenario_" in f.filename]
            self.say("FAILED  %s\n          %s: %s (%s)" % (name, type(e).__name__, e, " ".join(lines)))
        else:
            self.passed += 1
            self.say("ok      %s (%.1f s)" % (name, time.monotonic() - began))

    def all(self):
        box = harness.Instance(self.server)
        file = None
        try:
            box.up()
            usual = box.configuration()
            for name, *scenario in self.chosen:
                if file not in (None, name.split(":")[0]) and box.configuration() != usual:
                    box.configuration(usual)    # what the scenarios of one file settled is none of the next one's
                    box.up()
                file = name.split(":")[0]
                self.one(box, name, *scenario)
        except Exception as e:
            self.failed += 1
            self.say("FAILED  %s" % e)
        finally:
            if self.keep:
                self.say("left running in %s, address %s" % (box.dir, box.env.get("GRAPNEL_URL")))
            else:
                box.down(remove=not self.failed)
                if self.failed:
                    self.say("its data and logs are left in %s" % box.dir)


def main():
    arguments = argparse.ArgumentParser(description="HTTP scenarios through real web servers")
    arguments.add_argument("--server", action="append", choices=["lighttpd", "apache"])
    arguments.add_argument("--modules", help="folder for npm's packages")
    arguments.add_argument("--keep", action="store_true", help="leave the instances running")
    arguments.add_argument("words", nargs="*")
    given = arguments.parse_args()
    chosen = list(scenarios(given.words))
    node.FOLDER = given.modules or node.cache("grapnel-http")
    runs = [Run(server, chosen, given.keep) for server in given.server or ["lighttpd", "apache"]]
    threads = [threading.Thread(target=run.all) for run in runs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    failed = sum(run.failed for run in runs)
    print("%d passed, %d failed" % (sum(run.passed for run in runs), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
