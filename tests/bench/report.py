"""report.py - medians over the rounds, the targets of the specification, and the table."""
import statistics


def median_rate(runs):
    return statistics.median(run["rate"] for run in runs)


def median_latency(runs, name):
    return statistics.median(run["latency_us"][name] for run in runs)


def cpu_text(runs):
    """Of one request, by part: what rates come from on a machine whose cores are all in use."""
    return " ".join(f"{statistics.median(run['cpu_us'][part] for run in runs):.0f}"
                    for part in ("database", "program", "web", "sender"))


class Results:
    """`runs[scenario][program]` is a list of reports, one for each round."""

    def __init__(self):
        self.runs = {}
        self.single = {}        # memory, start
        self.order = []

    def add(self, scenario, program, report):
        self.runs.setdefault(scenario, {}).setdefault(program, []).append(report)

    def get(self, scenario, program):
        return self.runs.get(scenario, {}).get(program)

    def wrong(self):
        """Every run whose rows were not what was acknowledged, in sentences."""
        return [f"{scenario}, {program}: {sentence}" for scenario, programs in self.runs.items()
                for program, runs in programs.items() for run in runs for sentence in run["wrong_rows"]
                ] + [f"{name}: {sentence}" for name in ("memory", "monitor", "outbox", "deliveries", "replay", "spool") for sentence in self.single.get(name, {}).get("wrong_rows", [])]


def rate_ratio(results, scenario, other):
    ours, theirs = results.get(scenario, "grapnel"), results.get(scenario, other)
    return median_rate(ours) / median_rate(theirs) if ours and theirs else None


def latency_ratio(results):
    ours, theirs = results.get("latency 1", "grapnel"), results.get("latency 1", "txn")
    return median_latency(ours, "p50") / median_latency(theirs, "p50") if ours and theirs else None


def p99_ms(results):
    runs = results.get("pipeline 64", "grapnel")
    return median_latency(runs, "p99") / 1000 if runs else None


def stall_cost(results, where):
    """Share of the rate that hostile clients cost, median over the pairs; below zero where noise is larger than the cost."""
    runs = results.get("stalls " + where, "grapnel")
    return 1 - statistics.median(run["share"] for run in runs) if runs else None


def memory_max(results):
    m = results.single.get("memory")
    return max(m["end"]) / 2**20 if m else None


def memory_of_types(results):
    m = results.single.get("memory")
    return max(m["all_types"]) / 2**20 if m else None


def memory_growth(results):
    """Over the second half of the requests: caches have filled in the first."""
    m = results.single.get("memory")
    return max(end - half for half, end in zip(m["half"], m["end"])) / 2**20 if m else None


def slowest(results, work):
    """Events per second of the type that takes longest for it."""
    m = results.single.get("map")
    return min(p[work] for p in m["providers"] if p[work]) if m else None


def share(ours, bare):
    return f"{ours / bare:.2f}" if ours and bare else "-"


def slowest_page(results):
    """Milliseconds of the server, median of its looks."""
    p = results.single.get("pages")
    return max(look["median_ms"] for look in p["looks"].values()) if p else None


def overview_kb(results):
    p = results.single.get("pages")
    return p["looks"]["overview"]["bytes"] / 1024 if p else None


def crowd_cost(results):
    """Share of the rate that people at the pages cost, median over the pairs."""
    runs = results.get("pages-load with", "grapnel")
    return 1 - statistics.median(run["share"] for run in runs) if runs else None


def cleanup_share(results):
    """Of the rate that ingest keeps while old events are removed, median over the pairs."""
    runs = results.get("cleanup with", "grapnel")
    return statistics.median(run["share"] for run in runs) if runs else None


def longest_lock_ms(results):
    runs = results.get("cleanup with", "grapnel")
    return max(run["cleanup"]["longestLockMs"] for run in runs) if runs else None


def slowest_monitor(results, how):
    """Milliseconds of the server, median of its looks at the slowest window."""
    m = results.single.get("monitor")
    return max(look[how]["median_ms"] for look in m["looks"].values()) if m else None


def outbox_rate(results):
    """To several channels."""
    o = results.single.get("outbox")
    return o["eight"]["rate"] if o else None


def dispatcher_mib(results):
    found = [results.single[name][run]["private_bytes"] for name in ("outbox", "deliveries") if name in results.single for run in ("one", "eight")]
    return max(found) / 2**20 if found else None


def delivery_rate(results, to):
    d = results.single.get("deliveries")
    return d[to]["rate"] if d else None


def delivery_ms(results):
    """From the first byte of a webhook, so its commit is in it."""
    d = results.single.get("deliveries")
    return d["latency"]["from_webhook_ms"]["p50"] if d and "from_webhook_ms" in d["latency"] else None


def hanging_share(results):
    """Of the rate to the others, that is left beside an endpoint that never answers, median over the pairs."""
    d = results.single.get("deliveries")
    return statistics.median(pair["share"] for pair in d["hanging"]) if d else None


def news_share(results, which):
    """Of the rate, that is left while somebody is told, median over the pairs."""
    runs = results.get(f"news {which} with", "grapnel")
    return statistics.median(run["share"] for run in runs) if runs else None


def tracing_share(results):
    """Of the rate, that is left while every webhook is traced, median over the pairs."""
    runs = results.get("tracing with", "grapnel")
    return statistics.median(run["share"] for run in runs) if runs else None


def replay_rate(results, which):
    r = results.single.get("replay")
    return r[which] if r else None


def spool_rate(results):
    s = results.single.get("spool")
    return s["replay"]["rate"] if s else None


def away_ms(results, how):
    """A whole request through lighttpd at one connection, in milliseconds: of a hundred, 99 took less."""
    s = results.single.get("spool")
    return s["away_us"][how]["p99"] / 1000 if s else None


def start_ms(results):
    s = results.single.get("start")
    return s["median_ms"] if s else None


# A target: what, the value as a function of the results, "least" or "most", the bound, how it is printed.
TARGETS = (
    ("one event of 2 KiB read and mapped, slowest type", lambda r: slowest(r, "map"), "least", 50000, "%.0f/s"),
    ("its sender proven, slowest type that is not RSA", lambda r: slowest(r, "prove"), "least", 100000, "%.0f/s"),
    ("pipeline at 64 connections / PHP-FPM", lambda r: rate_ratio(r, "pipeline 64", "php"), "least", 3, "%.2f x"),
    ("pipeline at 64 connections / Node", lambda r: rate_ratio(r, "pipeline 64", "node"), "least", 3, "%.2f x"),
    ("pipeline at 64 connections / one INSERT", lambda r: rate_ratio(r, "pipeline 64", "insert"), "least", 1.25, "%.2f x"),
    ("storm on one key at 64 connections / PHP-FPM", lambda r: rate_ratio(r, "storm 64", "php"), "least", 4.5, "%.2f x"),
    ("one connection: latency / C, one transaction", latency_ratio, "most", 1.3, "%.2f x"),
    ("p99 at 64 connections", p99_ms, "most", 50, "%.1f ms"),
    ("cost of stalled and silent clients, web server", lambda r: stall_cost(r, "web"), "most", 0.05, "%.3f"),
    ("cost of stalled and silent clients, FastCGI", lambda r: stall_cost(r, "fastcgi"), "most", 0.05, "%.3f"),
    ("private memory of an ingest worker, largest", memory_max, "most", 12, "%.1f MiB"),
    ("the same after payloads of all types", memory_of_types, "most", 14, "%.1f MiB"),
    ("its growth over the second half of the requests", memory_growth, "most", 0.5, "%.2f MiB"),
    ("messages to eight channels of a fast receiver", outbox_rate, "least", 2000, "%.0f/s"),
    ("deliveries to one endpoint that answers at once", lambda r: delivery_rate(r, "one"), "least", 2000, "%.0f/s"),
    ("deliveries to eight", lambda r: delivery_rate(r, "eight"), "least", 2000, "%.0f/s"),
    ("from a webhook to the delivery that tells of its incident, median", delivery_ms, "most", 50, "%.1f ms"),
    ("rate of the others that is left beside an endpoint that hangs", hanging_share, "least", 0.95, "%.3f"),
    ("rate that is left with an endpoint and a channel listening", lambda r: news_share(r, "usual"), "least", 0.8, "%.3f"),
    ("private memory of the dispatcher with 10,000 queued", dispatcher_mib, "most", 24, "%.1f MiB"),
    ("start to first answer", start_ms, "most", 200, "%.0f ms"),
    ("slowest page at 1,000,000 events, server time", slowest_page, "most", 100, "%.0f ms"),
    ("the monitor at 10,000,000 events, found out anew", lambda r: slowest_monitor(r, "anew"), "most", 100, "%.1f ms"),
    ("the same, as it is kept", lambda r: slowest_monitor(r, "kept"), "most", 1, "%.2f ms"),
    ("size of the overview", overview_kb, "most", 50, "%.1f KiB"),
    ("rate that is left with tracing", tracing_share, "least", 0.95, "%.3f"),
    ("cost of 8 clients on pages", crowd_cost, "most", 0.3, "%.3f"),
    ("rate kept while 1,000,000 old events go", cleanup_share, "least", 0.8, "%.3f"),
    ("events replayed, put into the queue again", lambda r: replay_rate(r, "queued_per_s"), "least", 5000, "%.0f/s"),
    ("events replayed, taken by the handler", lambda r: replay_rate(r, "handled_per_s"), "least", 2000, "%.0f/s"),
    ("replay of the spool", spool_rate, "least", 5000, "%.0f/s"),
    ("a request while MariaDB is dead, p99", lambda r: away_ms(r, "killed"), "most", 20, "%.2f ms"),
    ("a request while MariaDB is silent, p99", lambda r: away_ms(r, "silent"), "most", 20, "%.2f ms"),
    ("longest that cleanup locked its rows meanwhile", longest_lock_ms, "most", 100, "%.0f ms"),
)


def targets(results):
    """Those that were measured, each with value, bound and whether it is met."""
    found = []
    for what, value_of, kind, bound, form in TARGETS:
        value = value_of(results)
        if value is not None:
            met = value >= bound if kind == "least" else value <= bound
            found.append({"what": what, "value": round(value, 4), "text": form % value, kind: bound, "met": met,
                          "bound": ("at least " if kind == "least" else "at most ") + form % bound})
    return found


def table(results, titles):
    lines = ["| program | scenario | requests/s | rounds | p50 ms | p99 ms | CPU µs: database, program, web, sender | idle before | elsewhere |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for scenario, programs in results.runs.items():
        for name, runs in programs.items():
            rates = " ".join(f"{run['rate']:,.0f}" for run in runs)
            lines.append(f"| {titles[name]} | {scenario} | {median_rate(runs):,.0f} | {rates} | "
                         f"{median_latency(runs, 'p50') / 1000:.2f} | {median_latency(runs, 'p99') / 1000:.2f} | "
                         f"{cpu_text(runs)} | "
                         f"{min(run['idle_before'] for run in runs):.0%} | {max(run['elsewhere'] for run in runs):.0%} |")
    return lines


def map_table(m):
    """The bare limits are of the same bytes: yajl that builds nothing, one HMAC-SHA256."""
    def number(n):
        return f"{n:,}" if n else "-"
    return [f"One event of each type, a second of one core, {m['idle_before']:.0%} of the cores idle before:", "",
            "| type | bytes | read | read and mapped | / bare yajl | proven | / bare HMAC | payload |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |"] + [
        f"| {p['slug']} | {p['bytes']:,} | {number(p['parse'])} | {number(p['map'])} | {share(p['map'], p['yajl'])} | "
        f"{number(p['prove'])} | {share(p['prove'], p['hmac'])} | {p['case'].removesuffix('.expect')} |" for p in m["providers"]]


def outbox_text(o):
    return (f"Messages sent per second, {o['messages']:,} queued: to one channel {o['one']['rate']:,}, to eight {o['eight']['rate']:,}; private MiB of the "
            f"dispatcher: at rest {o['at_rest_bytes'] / 2**20:.2f}, at most {max(o['one']['private_bytes'], o['eight']['private_bytes']) / 2**20:.2f}")


def deliveries_text(d):
    waits = d["latency"]
    return (f"Deliveries per second, {d['deliveries']:,} queued: to one endpoint {d['one']['rate']:,}, to eight {d['eight']['rate']:,}; beside one that hangs "
            + ", ".join(f"{pair['with']['rate']:,} of {pair['without']['rate']:,}" for pair in d["hanging"])
            + (f"; ms until an incident's delivery is there, p50 and p99: from its webhook {waits['from_webhook_ms']['p50']} and {waits['from_webhook_ms']['p99']},"
               f" from the webhook's answer {waits['from_answer_ms']['p50']} and {waits['from_answer_ms']['p99']}" if "from_webhook_ms" in waits else "")
            + f"; private MiB of the dispatcher at most {max(d[run]['private_bytes'] for run in ('one', 'eight')) / 2**20:.2f}")


def page_table(pages):
    return [f"Pages with {pages['events']:,} events, {pages['idle_before']:.0%} of the cores idle before:", "",
            "| page | server ms, median | slowest | KiB |", "| --- | --- | --- | --- |"] + [
        f"| {name} | {look['median_ms']:.1f} | {look['max_ms']:.1f} | {look['bytes'] / 1024:.1f} |" for name, look in pages["looks"].items()]


def monitor_table(m):
    return [f"The monitor with {m['events']:,} events, {m['idle_before']:.0%} of the cores idle before:", "",
            "| window | found out anew: server ms, median | slowest | kept: median | slowest |", "| --- | --- | --- | --- | --- |"] + [
        f"| {name} | {x['anew']['median_ms']:.1f} | {x['anew']['max_ms']:.1f} | {x['kept']['median_ms']:.2f} | {x['kept']['max_ms']:.2f} |"
        for name, x in m["looks"].items()]


def spool_table(s):
    return [f"The spool, {s['idle_before']:.0%} of the cores idle before: {s['spooling_rate']:,.0f} requests/s are spooled at 64 connections,",
            f"{s['replay']['events']:,} are replayed in {s['replay']['seconds']} s, "
            f"each with {s['replay']['cpu_us']['program']:.0f} µs of our processors' time and {s['replay']['cpu_us']['database']:.0f} of MariaDB's.", "",
            "| MariaDB, one connection | p50 ms | p99 ms | slowest |", "| --- | --- | --- | --- |"] + [
        f"| {name} | {x['p50'] / 1000:.2f} | {x['p99'] / 1000:.2f} | {x['max'] / 1000:.2f} |" for name, x in s["away_us"].items()]


def target_table(results):
    found = targets(results)
    if not found:
        return []
    return ["| target | measured | wanted | |", "| --- | --- | --- | --- |"] + [
        f"| {t['what']} | {t['text']} | {t['bound']} | {'ok' if t['met'] else 'MISSED'} |" for t in found]
