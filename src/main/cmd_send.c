/* cmd_send.c - a provider's test webhook, made and signed as the provider does: through the pipeline of this installation, where
 * it is marked as a test and its incident ends by itself, or to any address, as the provider would send it. */
#include "ctl_case.h"
#include "id_worker.h"

#include "grapnel/ingest.h"
#include "grapnel/resource.h"

#define SOURCES_MAX 100

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

static bool run_test(struct ctl *c, struct str id, const struct inbound *as, struct ingest_tested *out, struct err *e)
{
	struct shm *shm = shm_private();
	struct id_maker ids;
	struct ingest *g;
	char trace[UUID_TEXT];
	int done;

	id_maker_init(&ids, id_worker_of_program(&c->conf));
	uuid_make(c->now, trace);
	g = ingest_new(&(struct ingest_config){ .db = c->db, .shm = shm, .seal = c->seal, .ids = &ids,
		.events_max = c->conf.ingest.batch_events_max, .public_url = c->conf.server.public_url });
	done = ingest_test(g, c->arena, c->tenant_id, id, as, ctl_has(c, "notify"), STR("127.0.0.1"), str_of(trace), c->now, out, e);
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
	if (!t->event) {
		printf("integration  %.*s\nprovider     %s\nanswer       %u: nothing new was stored\n", STR_ARG(id), t->provider->slug, t->status);
		return;
	}
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
	struct str id = STR_NONE, name = ctl_value(c, "case");
	struct ingest_tested t;
	struct inbound in;

	if ((name.p && !ctl_case_read(c, p, name, ctl_nonce(c->arena), &in, e)) || ctl_open(c, NEED_SCHEMA | NEED_KEY, e) ||
			!integration_choose(c, p, &id, e) || !run_test(c, id, name.p ? &in : NULL, &t, e))
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
	if (ctl_has(c, "list-cases"))
		return ctl_case_list(c, p, e);
	if (url.p && ctl_has(c, "integration"))
		return err_set(e, ERR_INVALID, "--to and --integration exclude each other");
	if (!url.p && (ctl_has(c, "secret-file") || ctl_has(c, "key-file")))
		return err_set(e, ERR_INVALID, "--secret-file and --key-file go with --to; an integration has its own");
	return url.p ? ctl_send_to(c, p, url, e) : send_here(c, p, e);
}

static const struct ctl_option options[] = {
	{ "case", "NAME", "a request as the provider once sent it, instead of its test webhook" },
	{ "list-cases", NULL, "lists those of the type and what each becomes, and sends nothing" },
	{ "cases-dir", "DIR", "where they are, if not in " CTL_CASES_FOLDER },
	{ "integration", "ID", "which one gets it, if there are several of this type" },
	{ "notify", NULL, "channels and endpoints are told of its incident; else nobody is" },
	{ "to", "URL", "posts it to this address instead, as the provider would" },
	{ "secret-file", "FILE", "with --to: the signature secret" },
	{ "key-file", "FILE", "with --to: the integration's key, sent as bearer token" },
	{ 0 }
};

const struct command send_commands[] = {
	{ "send", "TYPE", options, 0, send, "sends a test webhook as the provider would, through the whole pipeline" },
	{ 0 }
};
