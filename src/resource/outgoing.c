/* outgoing.c - what people give for requests that go out: where to, and what they are signed with. */
#include "resource_int.h"

#define SECRET_BYTES 32		/* 256 bits, the strength of its HMAC-SHA256 */

bool address_check(const struct caller *by, bool (*check)(const struct guard *g, struct str url, struct err *e), struct str url, const char *field,
	struct err *e)
{
	struct guard *g = guard_new(by->conf->outbound.allow, by->conf->outbound.ports);
	struct err why = { 0 };
	bool ok = check(g, url, &why);

	guard_free(g);
	return ok || err_field(e, ERR_INVALID, field, "%s", why.text);
}

struct str secret_make(const struct caller *by, const char *prefix)
{
	unsigned char raw[SECRET_BYTES];
	struct str text;

	random_bytes(raw, sizeof(raw));
	text = base64_encode(by->a, raw, sizeof(raw));
	secret_wipe(raw, sizeof(raw));
	return arena_printf(by->a, "%s%.*s", prefix, STR_ARG(text));
}
