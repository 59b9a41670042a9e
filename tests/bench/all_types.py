"""all_types.py - the golden payloads of all types, posted with a key to a source of each type that is there while this runs. What is
answered does not matter: a worker has then run every adapter, and read bodies of every size."""
import http.client
import os
import urllib.parse

ENDS = ("json", "form", "xml", "body")


def cases(folder):
    """Headers and body of each case that is a POST with a payload of its own."""
    for name in sorted(os.listdir(folder)):
        base, end = os.path.splitext(name)
        payload = next((f"{folder}/{base}.{e}" for e in ENDS if os.path.exists(f"{folder}/{base}.{e}")), None)
        if end not in (".expect", ".bad") or not payload:
            continue
        with open(f"{folder}/{name}", encoding="utf-8") as f:
            facts = [line[2:].rstrip("\n") for line in f if line.startswith("> ")]
        with open(payload, "rb") as f:
            yield {k: v.strip().encode() for k, _, v in (fact.partition(":") for fact in facts if not fact.startswith(":"))}, f.read()


def post_cases(connection, path, key, folder):
    sent = 0
    for headers, body in cases(folder):
        connection.request("POST", path, body, {**headers, "Authorization": f"Bearer {key}"})
        connection.getresponse().read()
        sent += 1
    return sent


def post(program, rounds):
    """Number of types, and of requests in all rounds."""
    golden = os.path.join(program.instance.sources, "..", "golden")
    slugs = sorted(d for d in os.listdir(golden) if os.path.isdir(f"{golden}/{d}"))
    made = {slug: program.api("POST", "/api/integrations", {"name": f"bench all types: {slug}", "type": slug, "rateLimitPerMinute": 0,
                                                           "actions": ["incident"]}) for slug in slugs}
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(program.url).netloc, timeout=60)
    sent = 0
    try:
        for _ in range(rounds):
            for slug, source in made.items():
                sent += post_cases(connection, "/" + source["webhookUrl"].split("/", 3)[3], source["key"], f"{golden}/{slug}")
    finally:
        connection.close()
        for source in made.values():
            program.api("DELETE", f"/api/integrations/{source['id']}")
    return len(slugs), sent
