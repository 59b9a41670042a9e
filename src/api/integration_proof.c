/* integration_proof.c - /api/integrations/{id}/rotate-key, rotate-secret, test, and /api/integrations/health: is what comes
 * in proven, and how does it fare? */
#include "api_int.h"

#include "grapnel/ingest.h"

/* ---- rotation ---- */

struct rotated {
	struct str key, secret;
	ms_t grace_until;
};

#define GRACE_UNTIL FIELD_TIME(struct rotated, grace_until, "graceUntil", \
	"The old one is valid until then; null: it is not any more")

const struct field rotated_key_fields[] = {
	FIELD_STR(struct rotated, key, "key", "The new key, shown this once"),
	GRACE_UNTIL,
	FIELD_END
};

const struct field rotated_secret_fields[] = {
	FIELD_STR(struct rotated, secret, "signatureSecret", "The new secret, shown this once"),
	GRACE_UNTIL,
	FIELD_END
};

static void reply_rotated(struct call *c, const struct source *s, const struct field *fields, struct rotated *r,
	uint64_t grace_seconds)
{
	struct integration_view v;
	struct reply reply;

	if (grace_seconds)
		r->grace_until = c->by.now + (ms_t)grace_seconds * MS_PER_SECOND;
	integration_view_fill(c->a, s, str_of(c->by.conf->server.public_url), &v);
	reply_begin(c, &reply);
	json_fields(&reply.o, integration_view_fields, &v);
	json_fields(&reply.o, fields, r);
	reply_end(c, &reply, 200);
}

void api_integration_rotate_key(void *call)
{
	struct call *c = call;
	struct rotate_form f = ROTATE_FORM_NEW;
	struct rotated r = { .grace_until = 0 };
	struct err e = { 0 };
	struct source s;

	if (!input_one_tenant(c) || !input_form(c, integration_rotate_key_fields, true, &f))
		return;
	if (integration_rotate_key(&c->by, c->match.params[0], &f, &s, &r.key, &e))
		reply_rotated(c, &s, rotated_key_fields, &r, f.grace_seconds);
	else
		reply_err(c, &e);
}

void api_integration_rotate_secret(void *call)
{
	struct call *c = call;
	struct rotate_form f = ROTATE_FORM_NEW;
	struct rotated r = { .grace_until = 0 };
	struct err e = { 0 };
	struct source s;

	if (!input_one_tenant(c) || !input_form(c, integration_rotate_secret_fields, true, &f))
		return;
	if (!integration_rotate_secret(&c->by, c->match.params[0], &f, &s, &e)) {
		reply_err(c, &e);
		return;
	}
	r.secret = f.secret;
	reply_rotated(c, &s, rotated_secret_fields, &r, f.grace_seconds);
}

/* ---- the test webhook ---- */

const struct doc_part tested_parts[] = {
	{ "alert", PART_MAYBE, FIELDS(tested_alert_fields), .help = "null where the integration opens no incidents" },
	{ "incident", PART_MAYBE, FIELDS(tested_incident_fields), .help = "null where the integration opens no incidents" },
	{ "validation", PART_ONE, FIELDS(tested_validation_fields), .help = "What the pipeline made of it" },
	{ 0 }
};

static void reply_tested(struct call *c, const struct ingest_tested *t)
{
	struct reply r;

	reply_begin(c, &r);
	tested_json(&r.o, c->a, t);
	reply_end(c, &r, 201);
}

/* What our own pipeline refuses is no fault of the call: 503 where the database is away, else a conflict with what is set up. */
static void reply_test_refused(struct call *c, const struct ingest_tested *t)
{
	const char *why = arena_printf(c->a, "The test webhook was refused: %s%s", t->reason,
		str_ends(str_of(t->reason), ".") ? "" : ".").p;

	if (t->status >= 500)
		reply_refuse(c, 503, "unavailable", why, NULL);
	else
		reply_refuse(c, 409, "conflict", why, NULL);
}

void api_integration_test(void *call)
{
	struct call *c = call;
	struct test_form f = { .notify = false };
	struct ingest_tested t;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, integration_test_fields, true, &f))
		return;
	if (!integration_test(&c->by, c->match.params[0], &f, str_of(c->rq->id), &t, &e))
		reply_err(c, &e);
	else if (t.reason)
		reply_test_refused(c, &t);
	else
		reply_tested(c, &t);
}

/* ---- health ---- */

const struct field integration_health_fields[] = {
	FIELD_STR(struct integration_health, status, "status", "healthy, degraded, unhealthy"),
	FIELD_END
};

const struct doc_part integration_health_parts[] = {
	{ "global", PART_ONE, FIELDS(traffic_view_fields), .help = "All requests of the last 24 hours, without test webhooks" },
	{ "byType", PART_BY_NAME, FIELDS(type_traffic_fields), .help = "The same of each type, by its slug in capitals" },
	{ 0 }
};

static void put_traffic(struct json_out *o, const char *name, const struct field *fields, const struct traffic_view *t)
{
	json_key(o, name);
	json_open(o, '{');
	json_fields(o, fields, t);
	json_close(o, '}');
}

void api_integration_health(void *call)
{
	struct call *c = call;
	struct integration_health h;
	struct err e = { 0 };
	struct reply r;

	if (!input_one_tenant(c))
		return;
	if (!integration_health_get(c->by.db, c->a, c->by.tenant_id, c->by.now, &h, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, integration_health_fields, &h);
	put_traffic(&r.o, "global", traffic_view_fields, &h.global);
	json_key(&r.o, "byType");
	json_open(&r.o, '{');
	for (size_t i = 0; i < h.type_n; i++)
		put_traffic(&r.o, arena_cstr(c->a, h.types[i].type), type_traffic_fields, &h.types[i]);
	json_close(&r.o, '}');
	reply_end(c, &r, 200);
}
