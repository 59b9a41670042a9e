#!/usr/bin/env python3
"""run.py - runs the scenarios of scenario_*.py against instances of their own, through lighttpd and through Apache.

    tests/http/run.py [--server lighttpd|apache]... [--lanes N] [--modules DIR] [--keep] [WORD...]

Each server has N instances side by side (default: 4; 1 where each builds its own programs, since GRAPNEL_USE_PREFIX names none
that are installed), to which the files are dealt out. Each public function of a file is one scenario; its name says what it
proves. WORDs choose by part of file:name. A scenario fails, too, when a worker died during it, unless its file says
WORKERS_MAY_DIE. The instance's own cron rests meanwhile, unless its file says CRON_RUNS. The packages of package-lock.json,
which check what we sign, are put into DIR (default: a folder in the cache of the user). The last line is "N passed, N failed".
"""
import argparse
import contextlib
import glob
import importlib.util
import inspect
import multiprocessing
import os
import signal
import sys
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
                yield full, function, getattr(module, "WORKERS_MAY_DIE", False), getattr(module, "CRON_RUNS", False)


# Seconds that files take which wait for long, so that all lanes end at about the same time; of the others none takes five.
LONG = {"jobs": 150, "tracing": 135, "channels": 75, "endpoints": 60, "forward": 45, "spool": 40, "monitor_api": 35, "escalation": 28,
        "maintenance": 25, "quickstart": 25, "attack": 25, "notify": 25, "replay": 20, "keys": 14, "account": 12, "integrations": 9}


def deal(chosen, lanes):
    """The scenarios of each lane: those of a file stay together, and the deal is always the same."""
    files = {}
    for scenario in chosen:
        files.setdefault(scenario[0].split(":")[0], []).append(scenario)
    hands = [[0, []] for _ in range(min(lanes, len(files)))]
    for file in sorted(files, key=lambda file: -LONG.get(file, 3)):
        hand = min(hands, key=lambda hand: hand[0])
        hand[0] += LONG.get(file, 3)
        hand[1].append(file)
    return [[scenario for file in sorted(names) for scenario in files[file]] for _, names in hands]


class Lane(multiprocessing.Process):
    """Scenarios that use one instance, one after another. A process, so that no lane's receivers wait for another's."""
    out = multiprocessing.Lock()

    def __init__(self, server, chosen, keep):
        super().__init__()
        self.server, self.chosen, self.keep = server, chosen, keep
        self.passed, self.failed = multiprocessing.Value("i"), multiprocessing.Value("i")

    def say(self, text):
        with Lane.out:
            print("%-8s  %s" % (self.server, text), flush=True)

    def one(self, box, name, function, workers_may_die, cron_runs):
        began = time.monotonic()
        try:
            workers = box.worker_pids()
            with contextlib.nullcontext() if cron_runs else box.without_cron():
                function(box)
            if not workers_may_die:
                harness.same(box.worker_pids(), workers, "worker processes after the scenario")
        except Exception as e:
            self.failed.value += 1
            where = traceback.extract_tb(e.__traceback__)
            lines = ["%s:%d" % (os.path.basename(f.filename), f.lineno) for f in where if "scenario_" in f.filename]
            self.say("FAILED  %s\n          %s: %s (%s)" % (name, type(e).__name__, e, " ".join(lines)))
        else:
            self.passed.value += 1
            self.say("ok      %s (%.1f s)" % (name, time.monotonic() - began))

    def run(self):
        box = harness.Instance(self.server)
        file, left = None, len(self.chosen)
        try:
            box.up()
            usual = box.configuration()
            for name, *scenario in self.chosen:
                if file not in (None, name.split(":")[0]) and box.configuration() != usual:
                    box.configuration(usual)    # what the scenarios of one file settled is none of the next one's
                    box.up()
                if file != name.split(":")[0]:
                    box.token = box.another_token()     # how often one may act in a minute is a file's own
                file = name.split(":")[0]
                self.one(box, name, *scenario)
                left -= 1
        except Exception as e:
            self.failed.value += left
            self.say("FAILED  %d scenarios did not run: %s" % (left, e))
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if self.keep:
                self.say("left running in %s, address %s" % (box.dir, box.env.get("GRAPNEL_URL")))
            else:
                box.down(remove=not self.failed.value)
                if self.failed.value:
                    self.say("its data and logs are left in %s" % box.dir)


def main():
    arguments = argparse.ArgumentParser(description="HTTP scenarios through real web servers")
    arguments.add_argument("--server", action="append", choices=["lighttpd", "apache"])
    arguments.add_argument("--lanes", type=int, default=4 if "GRAPNEL_USE_PREFIX" in os.environ else 1, help="instances of each server")
    arguments.add_argument("--modules", help="folder for npm's packages")
    arguments.add_argument("--keep", action="store_true", help="leave the instances running")
    arguments.add_argument("words", nargs="*")
    given = arguments.parse_args()
    chosen = list(scenarios(given.words))
    node.FOLDER = given.modules or node.cache("grapnel-http")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # of the lanes, too, which end their instances
    lanes = [Lane(server, hand, given.keep) for server in given.server or ["lighttpd", "apache"] for hand in deal(chosen, given.lanes)]
    for lane in lanes:
        lane.start()
    try:
        for lane in lanes:
            lane.join()
    finally:
        for lane in lanes:
            lane.terminate()
    failed = sum(lane.failed.value or lane.exitcode != 0 for lane in lanes)
    print("%d passed, %d failed" % (sum(lane.passed.value for lane in lanes), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
