/* probe.c - see probe.h. The question is the time, sealed: that proves the key, and a question that was overheard is of no use a minute
 * later. */
#include "grapnel/probe.h"

#include <stdlib.h>
#include <unistd.h>

#define CONTEXT "probe"
#define GOOD_FOR_MS MS_PER_MINUTE

const struct field probe_fields[] = {
	FIELD_STR(struct probe, pool, "pool", ""),
	FIELD_STR(struct probe, version, "version", ""),
	FIELD_STR(struct probe, configuration, "configuration", ""),
	FIELD_STR(struct probe, uri, "uri", ""),
	FIELD_U64(struct probe, body_bytes, "bodyBytes", ""),
	FIELD_BOOL(struct probe, passed, "passed", ""),
	FIELD_BOOL(struct probe, authorization, "authorization", ""),
	FIELD_BOOL(struct probe, keep_asked, "keepAsked", ""),
	FIELD_BOOL(struct probe, https, "https", ""),
	FIELD_BOOL(struct probe, verify_signatures, "verifySignatures", ""),
	FIELD_BOOL(struct probe, rate_limit, "rateLimit", ""),
	FIELD_BOOL(struct probe, debug, "debug", ""),
	FIELD_END
};

struct str probe_question(struct arena *a, const struct seal_key *k, ms_t now)
{
	struct str sealed = seal(a, k, arena_printf(a, "%lld", (long long)now), CONTEXT);

	return base64url_encode(a, sealed.p, sealed.n);
}

bool probe_is_asked(struct arena *a, const struct seal_key *k, struct str value, ms_t now)
{
	struct str sealed, text;
	struct err e = { 0 };
	int64_t then;

	return value.n && base64_decode(a, value, true, &sealed) && unseal(a, k, sealed, CONTEXT, &text, &e) && str_i64(text, &then) &&
		then > now - GOOD_FOR_MS && then < now + GOOD_FOR_MS;
}

/* grapnel.fcgi counts its processors at start and keeps the number in its configuration. */
struct str probe_configuration(struct arena *a, const struct conf *c)
{
	struct conf same = *c;
	struct str hash;
	char *p = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&p, &n);

	if (!f)
		die("out of memory");
	if (!same.server.ingest_workers)
		same.server.ingest_workers = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	conf_print(&same, f);
	if (fclose(f))
		die("out of memory");
	hash = sha256_hex(a, (struct str){ p, n });
	free(p);
	return hash;
}
