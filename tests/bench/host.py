"""host.py - the machine that is measured on: are its cores idle, what memory do processes hold, how are they started."""
import os
import pwd
import subprocess
import time

IDLE_WANTED = 0.95      # share of all cores; a shell and sshd stay below the rest
IDLE_PROBE_S = 2.0
ELSEWHERE_MAX = 0.05    # of all cores, taken by others during a run: more spoils it
PROGRAM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def cpu_ticks():
    """Of all cores since boot: idle, busy with programs (what a hypervisor stole counts as such), all."""
    with open("/proc/stat", encoding="ascii") as f:
        user, nice, system, idle, wait, irq, softirq, steal = (int(word) for word in f.readline().split()[1:9])
    return idle + wait, user + nice + system + steal, user + nice + system + idle + wait + irq + softirq + steal


def session_ticks():
    """Ticks used so far by the living processes of each session; kernel threads are session 0."""
    used = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                words = f.read().rpartition(")")[2].split()
        except OSError:
            continue        # it has ended meanwhile
        session = int(words[3])
        used[session] = used.get(session, 0) + int(words[11]) + int(words[12])
    return used


class Cpu:
    """What a run takes from the cores, by part, and what everything else on the machine took meanwhile. `parts` names lists of
    sessions; the sender is our own child. Kernel threads count as nobody's."""

    def __init__(self, parts):
        self.parts = parts
        self.before = self._now()

    def _now(self):
        _, busy, total = cpu_ticks()
        used = session_ticks()
        times = os.times()
        hz = os.sysconf("SC_CLK_TCK")
        ticks = {name: sum(used.get(session, 0) for session in sessions) for name, sessions in self.parts.items()}
        ticks["sender"] = (times.children_user + times.children_system) * hz
        ours = sum(ticks.values()) + used.get(0, 0) + (times.user + times.system) * hz
        return {**ticks, "busy": busy - ours, "total": total}

    def stop(self):
        """Returns CPU seconds of each part, and the share of all cores that went elsewhere."""
        now = self._now()
        took = {name: now[name] - self.before[name] for name in now}
        share = min(1.0, max(0.0, took.pop("busy") / max(1, took.pop("total"))))
        return {name: ticks / os.sysconf("SC_CLK_TCK") for name, ticks in took.items()}, share


def idle_share(seconds=IDLE_PROBE_S):
    idle, _, total = cpu_ticks()
    time.sleep(seconds)
    idle2, _, total2 = cpu_ticks()
    return (idle2 - idle) / max(1, total2 - total)


def wait_idle(patience_s):
    """The idle share once it is enough, or the last one when patience is over."""
    end = time.monotonic() + patience_s
    while True:
        share = idle_share()
        if share >= IDLE_WANTED or time.monotonic() >= end:
            return share


def loadavg():
    return os.getloadavg()[0]


def private_bytes(pid):
    """What this process alone holds: the memory that ends with it."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return sum(int(line.split()[1]) * 1024 for line in f if line.startswith("Private_"))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


def socket_inodes(path):
    """Inodes of the sockets that listen at this path."""
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as f:
        return {line.split()[6] for line in f if line.rstrip("\n").endswith(" " + path)}


def holds_socket(pid, inodes):
    held = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            held.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            continue
    return any(f"socket:[{inode}]" in held for inode in inodes)


class User:
    """Who the programs run as: the instance's user when root measures, else the caller."""

    def __init__(self, name):
        entry = pwd.getpwnam(name)
        self.name, self.uid, self.gid = name, entry.pw_uid, entry.pw_gid
        self.switch = {"user": self.uid, "group": self.gid, "extra_groups": []} if os.getuid() == 0 else {}

    def own(self, path):
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def start(self, argv, log, env=None):
        """Starts a program at the head of a session of its own, its output in `log`. It ends when we are killed."""
        with open(log, "ab") as out:
            return subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/",
                                    env={"PATH": PROGRAM_PATH, "LANG": "C.UTF-8", **(env or {})}, start_new_session=True,
                                    umask=0o022, **self.switch)

    def run(self, argv, cwd="/", env=None):
        """Runs a program to its end and returns its output; ends the benchmark when it fails."""
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=cwd, env={"PATH": PROGRAM_PATH, "LANG": "C.UTF-8", **(env or {})}, check=False, **self.switch)
        if done.returncode:
            raise SystemExit(f"bench: {' '.join(argv)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout


def stop(process, patience_s=10):
    """Ends a program and all of its session: SIGTERM, then, if that is not enough, SIGKILL."""
    for signal, patience in ((15, patience_s), (9, 10)):
        try:
            os.killpg(process.pid, signal)
        except ProcessLookupError:
            pass
        try:
            process.wait(patience)
            break
        except subprocess.TimeoutExpired:
            continue
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        pass


def wait_until(what, test, patience_s=60):
    end = time.monotonic() + patience_s
    while not test():
        if time.monotonic() > end:
            raise SystemExit(f"bench: {what}")
        time.sleep(0.02)
