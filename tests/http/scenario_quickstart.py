"""contrib/quickstart and the README: what a newcomer types."""
import os
import re
import signal
import stat
import subprocess
import tempfile

from harness import TOP, alert, alerts, same, true, wait_until

WORKERS_MAY_DIE = True      # instances are changed, which starts them anew
CRON_RUNS = True            # it is one of the parts


def running_it_twice_is_harmless(box):
    before = [box.pid(part) for part in ("db", "grapnel", "web", "cron")]
    box.up()
    same([box.pid(part) for part in ("db", "grapnel", "web", "cron")], before, "pids")


def data_survives_down_and_up(box):
    token, source = box.env["GRAPNEL_API_TOKEN"], box.integration("prometheus")
    group = alerts(alert())
    number = box.send(source, group).expect(201)["result"]["event"]["id"]
    box.down(remove=False)
    same([box.pid(part) for part in ("db", "grapnel", "web", "cron")], [None] * 4, "pids after down")
    box.up()
    same(box.env["GRAPNEL_API_TOKEN"], token, "API token")
    box.get("/api/events/" + number)
    same(box.send(source, group).expect(200)["alreadyProcessed"], True)


def set_is_written_into_the_configuration_and_stays(box):
    box.up("--set", "ingest.remote_per_minute=77")
    same(box.setting("ingest", "remote_per_minute"), "77")
    box.up()
    same(box.setting("ingest", "remote_per_minute"), "77", "after another up")
    same(box.request("GET", "/readyz").status, 200)


def option_that_does_not_exist_is_named_and_changes_nothing(box):
    with open(box.env["GRAPNEL_CONF"]) as f:
        before = f.read()
    for wrong in ("nosuch.option=1", "server.web_workers=many"):
        done = box.quickstart("up", "--no-install", "--set", wrong)
        true(done.returncode != 0 and wrong.split("=")[0].split(".")[1] in done.stdout, "answer %r" % done.stdout)
    with open(box.env["GRAPNEL_CONF"]) as f:
        same(f.read(), before, "the configuration")
    box.up()


def address_of_ones_own_stays_and_the_workers_last_asked_for(box):
    box.up("--set", "server.public_url=https://hooks.example", "--set", "server.ingest_workers=3")
    done = box.quickstart("up", "--no-install")
    same(done.returncode, 0, done.stdout)
    same((box.setting("server", "public_url"), box.setting("server", "ingest_workers")), ("https://hooks.example", "3"))
    box.up("--set", "server.public_url=" + box.env["GRAPNEL_URL"])
    same(box.setting("server", "ingest_workers"), str(box.workers))


def files_that_hold_secrets_are_for_their_owner_alone(box):
    for name in ("env", "etc/grapnel.conf", "etc/secret.key", "etc/root.cnf", "etc/app.password", "etc/admin.password"):
        same(stat.S_IMODE(os.stat(box.path(name)).st_mode) & 0o077, 0, "others' rights on " + name)


def nothing_runs_as_root(box):
    owners = {os.stat("/proc/%d" % box.pid(part)).st_uid for part in ("db", "grapnel", "web", "cron")}
    same(len(owners), 1, "owners")
    true(0 not in owners, "a part runs as root")


def killed_part_is_back(box):
    for part in ("web", "grapnel"):
        was = box.pid(part)
        os.kill(was, signal.SIGKILL)
        wait_until(lambda: box.pid(part) not in (was, None), 30, part + " is back")
        wait_until(lambda: _answers(box), 30, "an answer after " + part + " was killed")


def _answers(box):
    try:
        return box.request("GET", "/readyz").status == 200
    except OSError:
        return False


def part_that_dies_at_once_is_tried_again(box):
    base = box.path("run", "dies")
    keeper = subprocess.Popen([os.path.join(TOP, "contrib/lib/keeper"), base, "TERM", base + ".log", "/bin/false"])
    wait_until(lambda: os.path.exists(base + ".deaths") and int(open(base + ".deaths").read() or 0) >= 3, 30, "three tries")
    same(keeper.poll(), None, "the keeper's exit status")
    keeper.terminate()
    same(keeper.wait(30), 0, "the keeper ends when told to")


def keeper_killed_and_up_again(box):
    with open(box.path("run", "web.keeper")) as f:
        os.kill(int(f.read()), signal.SIGKILL)
    box.up()
    wait_until(lambda: _answers(box), 30, "it answers")


def wrong_arguments_end_with_a_sentence(box):
    for words, part in ((["--port", "x"], "--port"), (["--server", "nginx"], "lighttpd or apache"), (["--data", "/tmp/a b"], "character"),
                        (["--data", "/tmp/" + "d" * 100], "107"), (["--set", "nonsense"], "SECTION.KEY"), (["--nonsense"], "unknown"),
                        (["--data", ""], "empty"), (["--port", "00"], "between")):
        done = subprocess.run([os.path.join(TOP, "contrib/quickstart"), "up", "--no-install", *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        true(done.returncode != 0 and part in done.stdout, "%s: %r" % (words, done.stdout))


def folder_the_user_cannot_reach_is_named(box):
    if os.getuid() != 0:
        return      # the instance runs as the caller, who can
    with tempfile.TemporaryDirectory() as closed:       # mode 0700, of root
        done = subprocess.run([os.path.join(TOP, "contrib/quickstart"), "up", "--no-install", "--data", closed + "/data"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        true(done.returncode != 0 and "cannot enter " + closed in done.stdout, "answer %r" % done.stdout)
        same(os.listdir(closed), [], "what it left there")


def demo_sends_what_its_providers_send(box):
    for _ in range(2):
        box.up("--demo")
    rows = box.sql("SELECT s.provider, COUNT(*) FROM events e JOIN sources s ON s.id = e.source_id WHERE s.name LIKE 'demo %' GROUP BY s.provider")
    same(sorted(row[0] for row in rows), ["github", "prometheus", "stripe"])
    true(sum(int(row[1]) for row in rows) > 4, "events of the demo: %r" % rows)


def commands_of_the_readme_work(box):
    with open(os.path.join(TOP, "README.md")) as f:
        script = "\n".join(re.findall(r"```sh\n(.*?)```", f.read(), re.S))
    script = re.sub(r"(?m)^\. .*", ". " + box.path("env"), script, count=1)
    done = subprocess.run(["bash", "-eu", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    same(done.returncode, 0, "exit status; %s" % done.stderr[-500:])
    same(re.findall(r"HTTP/1\.1 (\d+)", done.stdout), ["201", "201", "200", "201"], "answers of curl")
    for words in ("Disk of db1 is full", "CI: failure on main", "charge.failed", '"incidents":[', '"events":['):
        true(words in done.stdout, "%r in what they print" % words)
