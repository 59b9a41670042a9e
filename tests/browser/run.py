#!/usr/bin/env python3
"""run.py - the dashboard in headless Chromium, with scripts and without, on an instance of its own behind lighttpd; a first
look and a night behind Apache.

    tests/browser/run.py [--modules DIR] [--keep] [PART...]

node does the clicking (run.js: playwright-core, axe-core), tidy reads the HTML of each page that was walked. The packages of
package-lock.json are put into DIR (default: a folder in the cache of the user). GRAPNEL_USE_PREFIX names installed programs,
else each instance builds its own. The last line is "N passed, N failed".
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "http"))
import harness  # noqa: E402
import node  # noqa: E402
import outside  # noqa: E402
import world  # noqa: E402

# What tidy, which is of 2017, does not know of HTML, each with its reason.
TIDY_IGNORES = [
    r'proprietary attribute "aria-current"',            # WAI-ARIA 1.1, section 6.6
    r'<input> proprietary attribute "(autocapitalize|inputmode|minlength)"',    # of the HTML Standard since 2016 and later
    r'<a> proprietary attribute "href"',                # of a link inside SVG: SVG 2, section 16.2; tidy wants xlink:href
]


class Tests:
    def __init__(self, node_modules, words):
        self.node_modules, self.words = node_modules, words
        self.passed = self.failed = 0
        self.out = threading.Lock()

    def say(self, server, text):
        with self.out:
            print("%-8s  %s" % (server, text), flush=True)

    def count(self, passed, failed):
        with self.out:
            self.passed += passed
            self.failed += failed

    def node(self, box, pages, *parts, lead=(), **more):
        parts = [p for p in parts if not self.words or p in self.words]
        if not parts:
            return
        known = {"url": box.env["GRAPNEL_URL"], "user": box.env["GRAPNEL_ADMIN_USER"],
                 "password": box.env["GRAPNEL_ADMIN_PASSWORD"], "token": box.token, "out": pages, "server": box.server,
                 "chromium": shutil.which("chromium"), "pages": list(lead), "viewer": world.VIEWER, **more}
        file = os.path.join(pages, "world.json")
        with open(file, "w") as f:
            json.dump(known, f)
        done = subprocess.run(["node", os.path.join(HERE, "run.js"), file, *parts], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env={**os.environ, "NODE_PATH": self.node_modules})
        lines = done.stdout.splitlines() or ["run.js said nothing"]
        counted = re.fullmatch(r"(\d+) passed, (\d+) failed", lines[-1])
        for line in lines[:-1] if counted else lines:
            self.say(box.server, line)
        self.count(*(map(int, counted.groups()) if counted else (0, 1)))

    def tidy(self, box, pages):
        """Each page's HTML is valid, without warnings."""
        for name in sorted(n for n in os.listdir(pages) if n.endswith(".html")):
            done = subprocess.run(["tidy", "-e", "-q", "-utf8", "--show-info", "no", os.path.join(pages, name)],
                                  capture_output=True, text=True)
            found = [line for line in done.stderr.splitlines() if not any(re.search(i, line) for i in TIDY_IGNORES)]
            self.count(not found, bool(found))
            if found:
                self.say(box.server, "FAILED  tidy %s: %s" % (name, "; ".join(found[:5])))

    def whole(self, box, pages):
        self.node(box, pages, "withScripts", "withoutScripts")
        self.node(box, pages, "walkAll", "walkOutside", "walkViewer", "walkExports", "comfort", "walkForms",
                  lead=world.furnish(box))
        self.tidy(box, pages)

    def short(self, box, pages):
        self.node(box, pages, "smoke")
        with outside.Outside(box) as told:
            self.node(box, pages, "night", outside=told.known())
        self.tidy(box, pages)

    def on(self, server, what, keep):
        box = harness.Instance(server)
        try:
            with tempfile.TemporaryDirectory(prefix="grapnel-pages.") as pages:
                box.up()
                what(box, pages)
        except Exception as e:
            self.count(0, 1)
            self.say(server, "FAILED  %s: %s" % (type(e).__name__, e))
        finally:
            if keep:
                self.say(server, "left running in %s, address %s" % (box.dir, box.env.get("GRAPNEL_URL")))
            else:
                box.down(remove=not self.failed)


def main():
    for program in ("node", "npm", "chromium", "tidy"):
        if not shutil.which(program):
            sys.exit("run.py: %s is missing; contrib/check browser installs what is needed" % program)
    arguments = argparse.ArgumentParser(description="The dashboard in a browser")
    arguments.add_argument("--modules", help="folder for npm's packages")
    arguments.add_argument("--keep", action="store_true", help="leave the instances running")
    arguments.add_argument("--server", choices=["lighttpd", "apache"])
    arguments.add_argument("words", nargs="*", metavar="PART")
    given = arguments.parse_args()
    tests = Tests(node.modules(HERE, given.modules or node.cache("grapnel-browser")), given.words)
    runs = [("lighttpd", tests.whole), ("apache", tests.short)]
    threads = [threading.Thread(target=tests.on, args=(server, what, given.keep)) for server, what in runs
               if given.server in (None, server)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print("%d passed, %d failed" % (tests.passed, tests.failed))
    return 1 if tests.failed or not tests.passed else 0


if __name__ == "__main__":
    sys.exit(main())
