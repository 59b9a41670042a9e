"""node.py - packages of npm for tests: exactly those of a package-lock.json."""
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys


FOLDER = None       # where those of the http tests are to be: run.py says it


def modules(lock_folder, folder):
    """Puts them into the folder where they are not, one process at a time; returns where node finds them."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as only_one:
        fcntl.flock(only_one, fcntl.LOCK_EX)
        _install(lock_folder, folder)
    return os.path.join(folder, "node_modules")


def _install(lock_folder, folder):
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(lock_folder, name), folder)
    lock, stamp = os.path.join(folder, "package-lock.json"), os.path.join(folder, "installed.json")
    if not os.path.exists(stamp) or open(stamp).read() != open(lock).read():
        with contextlib.suppress(FileNotFoundError):
            os.unlink(stamp)    # what is cut off from here on says nothing of what is there
        if subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder).returncode:
            sys.exit("npm could not fetch the packages of %s into %s" % (lock_folder, folder))
        shutil.copy(lock, stamp)


def cache(name):
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), name)
