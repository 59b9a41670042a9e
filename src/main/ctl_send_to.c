/* ctl_send_to.c - a provider's webhook to any address, made and signed as the provider would. */
#include "config.h"

#include "ctl_case.h"
#include "ctl_int.h"

#include "grapnel/fetch.h"

#define SECRET_MAX 4096
#define ANSWER_MAX (1u << 20)
#define CONNECT_MS 10000
#define TOTAL_MS 30000	/* what the most patient senders wait */

struct str ctl_nonce(struct arena *a)
{
	unsigned char raw[SAMPLE_NONCE / 2];

	random_bytes(raw, sizeof(raw));
	return hex_encode(a, raw, sizeof(raw));
}

/* The first line of a file, or STR_NONE where the option was not given. */
static bool line_of_file(struct ctl *c, const char *option, struct str *out, struct err *e)
{
	struct str path = ctl_value(c, option), text;

	*out = STR_NONE;
	if (!path.p)
		return true;
	if (!ctl_file(c, option, path, SECRET_MAX, &text, e))
		return false;
	*out = str_trim(str_until(&text, '\n'));
	return out->n || err_set(e, ERR_INVALID, "--%s %.150s holds nothing", option, path.p);
}

static bool make_request(struct ctl *c, const struct provider *p, struct str url, struct inbound *in, struct err *e)
{
	struct str secret, key, name = ctl_value(c, "case");

	if (!line_of_file(c, "secret-file", &secret, e) || !line_of_file(c, "key-file", &key, e))
		return false;
	if (name.p && !ctl_case_read(c, p, name, ctl_nonce(c->arena), in, e))
		return false;
	if (!name.p)
		provider_sample(p, c->arena, STR_NONE, ctl_nonce(c->arena), c->now, in);
	if (in->query.n)
		url = arena_printf(c->arena, "%.*s%c%.*s", STR_ARG(url), str_find(url, '?') < 0 ? '?' : '&', STR_ARG(in->query));
	inbound_set_url(in, url);
	if (key.n)
		inbound_add_header(c->arena, in, "authorization", arena_printf(c->arena, "Bearer %.*s", STR_ARG(key)));
	return !secret.n || proof_sign(provider_proofs(p), c->arena, in, secret) ||
		err_set(e, ERR_CONFLICT, "only %s itself can sign its webhooks", p->title);
}

struct sent {
	uint64_t status;
	struct str content_type, body;
};

static const struct field sent_fields[] = {
	FIELD_U64(struct sent, status, "status", ""),
	FIELD_STR(struct sent, content_type, "contentType", ""),
	FIELD_STR(struct sent, body, "body", ""),
	FIELD_END
};

bool ctl_send_to(struct ctl *c, const struct provider *p, struct str url, struct err *e)
{
	struct fetch_answer answer;
	struct inbound in;
	struct fetch *fetch;
	struct sent sent;
	bool ok;

	if (!make_request(c, p, url, &in, e))
		return false;
	fetch = fetch_new(&(struct fetch_config){ .program = "Grapnel/" PACKAGE_VERSION, .plain_too = true });
	ok = fetch_run(fetch, c->arena, &(struct fetch_request){ arena_cstr(c->arena, in.method),
		arena_printf(c->arena, "%.*s%.*s", STR_ARG(in.public_url), STR_ARG(in.uri)), in.headers, in.header_n, in.body,
		ANSWER_MAX, CONNECT_MS, TOTAL_MS }, &answer, e);
	fetch_free(fetch);
	if (!ok)
		return false;
	sent = (struct sent){ answer.status, answer.content_type, answer.body };
	ctl_one(c, sent_fields, &sent);
	c->said_no = answer.status >= 300;
	return true;
}
