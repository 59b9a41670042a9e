"""bench.py - what contrib/bench runs once the instance is up: all programs in alternating order over several rounds, one
table, one JSON file. See README.md beside it."""
import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time

import deliveries
import filled
import host
import instance as instances
import monitor
import outbox
import pages
import programs
import replay
import report
import scenarios
import spool

SMOKE_SECONDS = 0.5
SMOKE_EVENTS = 5000


def arguments():
    p = argparse.ArgumentParser(prog="contrib/bench", usage="contrib/bench [option]...; see contrib/bench --help")
    p.add_argument("--data", required=True)
    p.add_argument("--user", required=True)
    p.add_argument("--programs", required=True, help="folder of bench_sender and the others")
    p.add_argument("--only", nargs="+", choices=("grapnel", "php", "node", "insert", "txn", "empty"))
    p.add_argument("--scenarios", nargs="+", choices=("pipeline", "storm", "latency", "stalls", "map", "memory", "start", "pages", "pages-load", "cleanup", "monitor", "tracing", "outbox", "deliveries", "news", "replay", "spool"))
    p.add_argument("--seconds", type=float, default=8)
    p.add_argument("--warmup", type=float, default=2)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--smoke", action="store_true", help="everything once, a second each: proves that it runs and rows are right")
    p.add_argument("--force", action="store_true", help="measure though the cores are not idle")
    p.add_argument("--node-proxied", action="store_true", help="put lighttpd before Node too")
    p.add_argument("--json", metavar="FILE")
    p.add_argument("--parse-only", action="store_true", help="only say what is wrong with the arguments")
    return p.parse_args()


# Scenario -> the programs that take part in it.
TAKES_PART = {
    "pipeline 64": ("grapnel", "php", "node", "insert", "empty", "txn"),
    "pipeline 16": ("grapnel", "php", "node", "insert", "empty", "txn"),
    "storm 64": ("grapnel", "php", "node", "txn"),
    "latency 1": ("grapnel", "txn"),
    "stalls": ("grapnel",),
    "tracing": ("grapnel",),
    "news": ("grapnel",),
}


def run_one(plan, scenario, program, results):
    kind, _, number = scenario.partition(" ")
    print(f"  {program.name}: {scenario}", file=sys.stderr, flush=True)
    if kind == "pipeline":
        results.add(scenario, program.name, scenarios.pipeline(plan, program, int(number)))
    elif kind == "storm":
        results.add(scenario, program.name, scenarios.storm(plan, program, int(number)))
    elif kind == "latency":
        results.add(scenario, program.name, scenarios.pipeline(plan, program, 1))
    elif kind == "stalls":
        for name, run in scenarios.stalls(plan, program, 64):
            results.add(name, program.name, run)
    elif kind == "tracing":
        for name, run in scenarios.traced(plan, program, 64):
            results.add(name, program.name, run)
    elif kind == "news":
        for name, run in scenarios.news(plan, program, 64):
            results.add(name, program.name, run)


def begin(options, program):
    """Starts it. Where the network is away, npm cannot fetch Node's packages: no reason for a smoke run to fail."""
    try:
        program.start()
        return True
    except programs.Unavailable as e:
        if not options.smoke:
            raise SystemExit(f"bench: {e}") from e
        print(f"  {program.name}: left out, {e}", file=sys.stderr, flush=True)
        return False


def run_rounds(plan, options, everyone, results):
    wanted = [s for s in TAKES_PART if not options.scenarios or s.split()[0] in options.scenarios]
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        for program in everyone if number % 2 == 0 else reversed(everyone):
            mine = [s for s in wanted if program.name in TAKES_PART[s]]
            if not mine:
                continue
            if not begin(options, program):
                continue
            try:
                for scenario in mine:
                    run_one(plan, scenario, program, results)
            finally:
                program.stop()


def run_single(plan, options, everyone, results):
    """What needs one look only: what an event of each type costs, memory and start of the product."""
    for program in everyone:
        if program.name != "grapnel":
            continue
        program.start()
        if not options.scenarios or "map" in options.scenarios:
            print("  grapnel: map", file=sys.stderr, flush=True)
            results.single["map"] = scenarios.mapping(plan, program)
        if not options.scenarios or "memory" in options.scenarios:
            print("  grapnel: memory", file=sys.stderr, flush=True)
            results.single["memory"] = scenarios.memory(plan, program, 4000 if options.smoke else scenarios.MEMORY_REQUESTS)
        if not options.scenarios or "start" in options.scenarios:
            print("  grapnel: start", file=sys.stderr, flush=True)
            results.single["start"] = scenarios.start_time(plan, program)
        run_outbox(plan, options, program, results)
        if not options.scenarios or "deliveries" in options.scenarios:
            print("  grapnel: deliveries", file=sys.stderr, flush=True)
            results.single["deliveries"] = deliveries.measure(plan, program, 300 if options.smoke else 0)
        run_pages(plan, options, program, results)
        run_cleanup(plan, options, program, results)
        if not options.scenarios or "monitor" in options.scenarios:
            run_monitor(plan, options, program, results)
        if not options.scenarios or "replay" in options.scenarios:
            run_replay(plan, options, program, results)
        if not options.scenarios or "spool" in options.scenarios:
            print("  grapnel: spool", file=sys.stderr, flush=True)
            size = (SMOKE_SECONDS, SMOKE_EVENTS) if options.smoke else (spool.ALONE_S, spool.EVENTS)
            results.single["spool"] = {"idle_before": plan.idle_cores(), **spool.measure(program, *size)}


def run_replay(plan, options, program, results):
    handler = programs.Empty(program.instance)
    handler.start()
    try:
        print("  grapnel: replay", file=sys.stderr, flush=True)
        results.single["replay"] = {"idle_before": plan.idle_cores(),
                                    **replay.measure(program, handler, SMOKE_EVENTS if options.smoke else replay.EVENTS)}
    finally:
        handler.stop()


def run_monitor(plan, options, program, results):
    with pages.Filled(program, SMOKE_EVENTS if options.smoke else monitor.EVENTS, filled.MONITORED) as program:
        print("  grapnel: monitor", file=sys.stderr, flush=True)
        results.single["monitor"] = {"idle_before": plan.idle_cores(), **monitor.measure(program)}


def run_pages(plan, options, program, results):
    """Both on one filling of the tables."""
    wanted = [s for s in ("pages", "pages-load") if not options.scenarios or s in options.scenarios]
    if not wanted:
        return
    with pages.Filled(program, SMOKE_EVENTS if options.smoke else filled.EVENTS) as program:
        if "pages" in wanted:
            print("  grapnel: pages", file=sys.stderr, flush=True)
            results.single["pages"] = {"events": program.events, "idle_before": plan.idle_cores(), **pages.measure(program)}
        if "pages-load" in wanted:
            print("  grapnel: pages-load", file=sys.stderr, flush=True)
            for name, run in scenarios.pages_load(plan, program, 64):
                results.add(name, program.name, run)


def run_outbox(plan, options, program, results):
    if options.scenarios and "outbox" not in options.scenarios:
        return
    print("  grapnel: outbox", file=sys.stderr, flush=True)
    results.single["outbox"] = outbox.measure(plan, program, programs.Empty(program.instance), 300 if options.smoke else outbox.ROWS)


def run_cleanup(plan, options, program, results):
    if options.scenarios and "cleanup" not in options.scenarios:
        return
    print("  grapnel: cleanup", file=sys.stderr, flush=True)
    with scenarios.Old(program, SMOKE_EVENTS if options.smoke else filled.EVENTS) as program:
        for name, run in scenarios.cleanup(plan, program, 64):
            results.add(name, program.name, run)


def versions():
    found = {}
    for name, argv in (("php", [programs.php_fpm(), "-v"]), ("node", ["node", "--version"]), ("lighttpd", ["/usr/sbin/lighttpd", "-v"])):
        if not shutil.which(argv[0]):  # left out by --only
            continue
        said = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
        found[name] = next((word.lstrip("v") for word in said.replace("/", " ").split() if word.lstrip("v")[:1].isdigit()), "?")
    return found


def describe(instance, everyone):
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "?")
    return {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cores": os.cpu_count(), "cpu": model,
            "kernel": platform.release(), "versions": versions(), "mariadb": instance.server.variables(),
            "keys": scenarios.KEYS, "programs": {p.name: {"title": p.title, "how": p.how} for p in everyone}}


def print_all(about, results, titles, smoke):
    print(f"\n{about['at']}, {about['cores']} cores ({about['cpu']}), MariaDB {about['mariadb']['version']}, "
          f"innodb_flush_log_at_trx_commit={about['mariadb']['innodb_flush_log_at_trx_commit']}, {about['keys']} keys in the pipeline")
    print(", ".join(f"{name} {version}" for name, version in about["versions"].items()))
    for p in about["programs"].values():
        print(f"- {p['title']}: {p['how']}")
    print("\n" + "\n".join(report.table(results, titles)))
    if "map" in results.single:
        print("\n" + "\n".join(report.map_table(results.single["map"])))
    memory = results.single.get("memory")
    if memory:
        print(f"\nPrivate MiB of each ingest worker: " + "; ".join(
            f"{when} " + " ".join(f"{n / 2**20:.2f}" for n in memory[step])
            for when, step in (("at start", "start"), (f"after {memory['requests'] // 2:,} requests", "half"),
                               (f"after {memory['requests']:,}", "end"),
                               (f"after {memory['type_requests']:,} of {memory['types']} types", "all_types"))))
    if "outbox" in results.single:
        print("\n" + report.outbox_text(results.single["outbox"]))
    if "deliveries" in results.single:
        print("\n" + report.deliveries_text(results.single["deliveries"]))
    if "pages" in results.single:
        print("\n" + "\n".join(report.page_table(results.single["pages"])))
    if "monitor" in results.single:
        print("\n" + "\n".join(report.monitor_table(results.single["monitor"])))
    replayed = results.single.get("replay")
    if replayed:
        print(f"\nReplay of {replayed['events']:,} events: {replayed['queued_per_s']:,}/s into the queue, {replayed['handled_per_s']:,}/s at the handler")
    if "spool" in results.single:
        print("\n" + "\n".join(report.spool_table(results.single["spool"])))
    print("\n" + "\n".join(report.target_table(results)))
    if smoke:
        print("\nA smoke run: rows are checked, rates mean nothing.")


def on_term(*_):
    raise scenarios.Unfinished("it was told to end")


def main():
    signal.signal(signal.SIGTERM, on_term)
    options = arguments()
    if options.parse_only:
        return 0
    if options.smoke:
        options.seconds, options.warmup, options.rounds, options.force = SMOKE_SECONDS, 0.2, 1, True
    here = os.path.dirname(os.path.abspath(__file__))
    instance = instances.Instance(options.data, here, options.user, options.programs)
    everyone = [instances.Product(instance), programs.Php(instance), programs.Node(instance, options.node_proxied),
                programs.Insert(instance), programs.Txn(instance), programs.Empty(instance)]
    everyone = [p for p in everyone if not options.only or p.name in options.only]
    plan = scenarios.Plan(options.seconds, options.warmup, options.smoke, options.force)
    results = report.Results()
    unfinished = None
    try:
        run_rounds(plan, options, everyone, results)
        run_single(plan, options, everyone, results)
    except (scenarios.Unfinished, KeyboardInterrupt) as e:
        unfinished = str(e) or "it was interrupted"
    return finish(options, describe(instance, everyone), results, unfinished)


def finish(options, about, results, unfinished):
    """Prints and writes what there is; returns the exit status."""
    print_all(about, results, {name: p["title"] for name, p in about["programs"].items()}, options.smoke)
    wrong = results.wrong()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump({"about": about, "runs": results.runs, **results.single, "targets": report.targets(results), "wrong": wrong,
                       "unfinished": unfinished}, f, indent=1)
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    if unfinished:
        print(f"bench: not finished: {unfinished}", file=sys.stderr)
    return 1 if wrong or unfinished else 0


if __name__ == "__main__":
    sys.exit(main())
