/* record.c - a request as it is kept: headers and path without what would let a reader send in its name. */
#include <inttypes.h>

#include "ingest_int.h"

#define RECORD_HEADERS_MAX (32 * 1024)
#define RECORD_URI_MAX 2048

/* Values that are secrets themselves, by the end of their header's or parameter's name: X-Gitlab-Token, Aeg-Sas-Key, access_token.
 * Signatures are none: they prove one body only, and are needed to judge a request again. */
static const char *const secret_names[] = {
	"authorization", "cookie", "api-key", "api_key", "apikey", "sas-key", "token", "secret", "password",
};

static bool is_secret(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(secret_names); i++)
		if (str_ends(name, secret_names[i]))
			return true;
	return false;
}

/* Control characters cannot come from a web server; a raw FastCGI peer could send them, and bytes that are not UTF-8. */
static void add_text(struct strbuf *b, struct str s)
{
	if (str_is_utf8(s)) {
		for (size_t i = 0; i < s.n; i++)
			strbuf_addc(b, (unsigned char)s.p[i] < ' ' ? ' ' : s.p[i]);
		return;
	}
	for (size_t i = 0; i < s.n; i++)
		strbuf_addc(b, (unsigned char)s.p[i] < ' ' || (unsigned char)s.p[i] > '~' ? '?' : s.p[i]);
}

/* Decoded, as the look-up of the key reads it: "k%65y" is a key, too. */
static bool is_secret_parameter(struct arena *a, struct str pair)
{
	struct str name = url_decode(a, str_until(&pair, '='), true);

	return str_ieqs(name, "key") || is_secret(arena_lower(a, name));
}

/* VictorOps' endpoint has the key in its path. */
static void add_path(struct strbuf *b, struct str path)
{
	if (str_starts(path, VICTOROPS_PATH)) {
		strbuf_adds(b, VICTOROPS_PATH "***");
		path = str_sub(path, strlen(VICTOROPS_PATH));
		while (path.n && *path.p != '/')
			path = str_sub(path, 1);
	}
	add_text(b, path);
}

static struct str without_keys(struct arena *a, struct str uri)
{
	struct str path = str_until(&uri, '?');
	struct strbuf b;
	char mark = '?';

	strbuf_init(&b, a, path.n + uri.n * 2 + 16);
	add_path(&b, path);
	while (uri.n) {
		struct str pair = str_until(&uri, '&');

		strbuf_addc(&b, mark);
		mark = '&';
		if (is_secret_parameter(a, pair)) {
			add_text(&b, str_until(&pair, '='));
			strbuf_adds(&b, "=***");
		} else {
			add_text(&b, pair);
		}
	}
	return strbuf_str(&b);
}

struct str record_uri(struct arena *a, struct str uri)
{
	return str_cut(without_keys(a, uri), RECORD_URI_MAX);
}

struct str record_headers(struct arena *a, const struct inbound *in)
{
	struct strbuf b;

	strbuf_init(&b, a, RECORD_HEADERS_MAX);
	for (size_t i = 0; i < in->header_n; i++) {
		const struct header *h = &in->headers[i];

		if (b.n + h->name.n + h->value.n + 4 > RECORD_HEADERS_MAX)
			break;
		add_text(&b, h->name);
		strbuf_adds(&b, ": ");
		if (is_secret(h->name))
			strbuf_adds(&b, "***");
		else	/* proxies repeat the URL: X-Original-URI, X-Envoy-Original-Path, Referer */
			add_text(&b, without_keys(a, h->value));
		strbuf_addc(&b, '\n');
	}
	return strbuf_str(&b);
}

/* A repeat does nothing, so it never acted. */
struct str record_stages(const struct batch *b, const struct ingest_work *w, bool repeated)
{
	struct strbuf text;

	strbuf_init(&text, b->a, 128);
	for (unsigned i = 0; i < STAGES; i++) {
		int64_t done_us = i == STAGE_STORED ? clock_mono_us() : b->done_us[i];

		if (i)
			strbuf_addc(&text, ' ');
		if (i == STAGE_STORED || (w->stages & 1u << i && !(repeated && i == STAGE_ACTED)))
			strbuf_addf(&text, "%" PRId64, done_us > w->item->began_us ? done_us - w->item->began_us : 0);
		else
			strbuf_addc(&text, '-');
	}
	return strbuf_str(&text);
}

struct str record_body(struct arena *a, const struct ingest_work *w)
{
	struct str body = w->refused && !w->inflated ? w->raw : w->item->in.body;

	body = provider_mask(w->provider, a, body);
	if (w->refused && body.n > INGEST_REFUSED_BODY)
		body.n = INGEST_REFUSED_BODY;
	return body;
}
