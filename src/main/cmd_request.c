/* cmd_request.c - requests that came in: why one was let in or turned away. */
#include "ctl_request.h"

#include "grapnel/view.h"

static void print_json(struct ctl *c, const struct request_detail *d)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, c->arena, CTL_JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, request_view_fields, &d->request);
	json_key(&o, "proof");
	json_open(&o, '{');
	json_fields(&o, proof_view_fields, &d->proof);
	ctl_steps_json(&o, d->proof.steps, d->proof.steps_n);
	json_close(&o, '}');
	json_close(&o, '}');
	ctl_json_print(&b);
}

static void print_text(struct ctl *c, const struct request_detail *d)
{
	ctl_one(c, request_view_fields, &d->request);
	if (!d->proof.steps_n) {
		puts("\nnothing is known of its proof");
		return;
	}
	printf("\n%s (%.*s)\n", d->proof.failed.n ? "not proven" : "proven", STR_ARG(d->proof.scheme));
	ctl_steps_text(d->proof.steps, d->proof.steps_n);
}

static bool explain(struct ctl *c, struct err *e)
{
	uint64_t id, tenant = ctl_has(c, "tenant") ? c->tenant_id : 0;
	struct request_detail d;
	int found;

	if (!str_u64(ctl_word(c, 0), &id))
		return err_set(e, ERR_INVALID, "the id of a request is a number, not \"%s\"", c->words[0]);
	found = request_view_get(c->db, c->arena, tenant, id, &d, e);
	if (found == 0)
		err_set(e, ERR_NOT_FOUND, "there is no request %s", c->words[0]);
	if (found != 1)
		return false;
	if (c->json)
		print_json(c, &d);
	else
		print_text(c, &d);
	return true;
}

const struct command request_commands[] = {
	{ "request explain", "ID", NULL, NEED_SCHEMA, explain, "shows step by step how the sender of a request was proven, or why not" },
	{ 0 }
};
