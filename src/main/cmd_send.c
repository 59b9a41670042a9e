/* cmd_send.c - a provider's test webhook, made and signed as the provider does: through the pipeline of this installation, where
 * it is marked as a test and its incident ends by itself, or to any address, as the provider would send it. */
#include "config.h"

#include "ctl_request.h"

#include "grapnel/fetch.h"
#include "grapnel/ingest.h"
#include "grapnel/resource.h"

#define SECRET_MAX 4096
#define SOURCES_MAX 100
#define ANSWER_MAX (1u << 20)
#define CONNECT_MS 10000
#define TOTAL_MS 30000	/* what the most patient senders wait */

static struct str nonce_make(struct arena *a)
{
	unsigned char raw[SAMPLE_NONCE / 2];

	random_bytes(raw, sizeof(raw));
	return hex_encode(a, raw, sizeof(raw));
}

/* ---- to any address ---- */

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
	struct str secret, key;

	if (!line_of_file(c, "secret-file", &secret, e) || !line_of_file(c, "key-file", &key, e))
		return false;
	provider_sample(p, c->arena, STR_NONE, nonce_make(c->arena), c->now, in);
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

static bool send_to(struct ctl *c, const struct provider *p, struct str url, struct err *e)
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

/* ---- through the pipeline ---- */

/* The one that was named, else the default one of this type, else the only one. */
static bool integration_choose(struct ctl *c, const struct provider *p, struct str *id, struct err *e)
{
	struct str named = ctl_value(c, "integration");
	struct source *sources;
	size_t n, chosen = 0;

	if (!source_list(c->db, c->arena, c->tenant_id, str_of(p->slug), 0, SOURCES_MAX, c->now, &sources, &n, e))
		return false;
	while (chosen < n && !(named.p ? str_eq(sources[chosen].public_id, named) : sources[chosen].is_default))
		chosen++;
	if (chosen == n && named.p)
		return err_set(e, ERR_NOT_FOUND, "there is no integration \"%.*s\" of type %s", STR_ARG(named), p->slug);
	if (n == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no integration of type %s; make one with integration add", p->slug);
	if (chosen == n && n > 1)
		return err_set(e, ERR_INVALID, "there are %zu integrations of type %s; name one with --integration", n, p->slug);
	*id = sources[chosen == n ? 0 : chosen].public_id;
	return true;
}

static bool run_test(struct ctl *c, struct str id, struct ingest_tested *out, struct err *e)
{
	struct shm *shm = shm_private();
	struct id_maker ids;
	struct ingest *g;
	char trace[UUID_TEXT];
	int done;

	id_maker_init(&ids, CTL_WORKER);
	uuid_make(c->now, trace);
	g = ingest_new(&(struct ingest_config){ .db = c->db, .shm = shm, .seal = c->seal, .ids = &ids,
		.events_max = c->conf.ingest.batch_events_max, .public_url = c->conf.server.public_url });
	done = ingest_test(g, c->arena, c->tenant_id, id, STR("127.0.0.1"), str_of(trace), c->now, out, e);
	ingest_free(g);
	shm_close(shm);
	if (!done)
		err_set(e, ERR_NOT_FOUND, "there is no integration \"%.*s\"", STR_ARG(id));
	return done == 1 && tested_audit(c->db, c->arena, &c->who, id, out, c->now, e);
}

static void print_json(struct ctl *c, const struct ingest_tested *t)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, c->arena, CTL_JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	tested_json(&o, c->arena, t);
	json_close(&o, '}');
	ctl_json_print(&b);
}

static void print_text(const struct ingest_tested *t, struct str id)
{
	printf("integration  %.*s\nprovider     %s\nsignature    %s\nevent        %llu\ntitle        ", STR_ARG(id), t->provider->slug,
		t->signed_by_us ? "verified" : "not possible", (unsigned long long)t->event);
	ctl_text(stdout, t->title, false);
	fputs("\nseverity     ", stdout);
	ctl_text(stdout, t->native_severity, false);
	printf(" -> %s\nservice      ", level_word(t->level));
	ctl_text(stdout, t->service, false);
	putchar('\n');
	if (t->incident)
		printf("incident     %llu, resolved by the system in %d minutes\n", (unsigned long long)t->incident, TEST_RESOLVE_MINUTES);
}

static bool send_here(struct ctl *c, const struct provider *p, struct err *e)
{
	struct ingest_tested t;
	struct str id = STR_NONE;

	if (ctl_open(c, NEED_SCHEMA | NEED_KEY, e) || !integration_choose(c, p, &id, e) || !run_test(c, id, &t, e))
		return false;
	if (t.reason)
		return err_set(e, ERR_CONFLICT, "the test webhook was refused with %u: %s", t.status, t.reason);
	if (c->json)
		print_json(c, &t);
	else
		print_text(&t, id);
	return true;
}

static bool send(struct ctl *c, struct err *e)
{
	const struct provider *p = provider_find(ctl_word(c, 0));
	struct str url = ctl_value(c, "to");

	if (!p)
		return err_set(e, ERR_INVALID, "there is no integration type \"%s\"", c->words[0]);
	if (url.p && ctl_has(c, "integration"))
		return err_set(e, ERR_INVALID, "--to and --integration exclude each other");
	if (!url.p && (ctl_has(c, "secret-file") || ctl_has(c, "key-file")))
		return err_set(e, ERR_INVALID, "--secret-file and --key-file go with --to; an integration has its own");
	return url.p ? send_to(c, p, url, e) : send_here(c, p, e);
}

static const struct ctl_option options[] = {
	{ "integration", "ID", "which one gets it, if there are several of this type" },
	{ "to", "URL", "posts it to this address instead, as the provider would" },
	{ "secret-file", "FILE", "with --to: the signature secret" },
	{ "key-file", "FILE", "with --to: the integration's key, sent as bearer token" },
	{ 0 }
};

const struct command send_commands[] = {
	{ "send", "TYPE", options, 0, send, "sends a test webhook as the provider would, through the whole pipeline" },
	{ 0 }
};
