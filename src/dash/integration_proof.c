/* integration_proof.c - rotating key and secret, and the test webhook with its result, stage by stage. */
#include "dash_int.h"
#include "integrations.h"

#include "grapnel/ingest.h"
#include "tmpl.h"

/* ---- rotating ---- */

static const struct grace_choice graces[] = {
	{ 86400, "a day", false },
	{ 3600, "an hour", false },
	{ 7 * 86400, "a week", false },
	{ 30 * 86400, "30 days", false },
	{ 0, "not at all: it ends at once", false },
};

static struct str count_text(struct visit *v, uint64_t n)
{
	struct html_out o;

	html_init(&o, v->a, v->by.now);
	return html_f_count(&o, n);
}

static void facts_fill(struct visit *v, const struct source *s, size_t secrets, struct rotate_page *p)
{
	p->facts[p->facts_n++] = arena_printf(v->a, "In the last 24 hours it received %.*s request%s, and refused %.*s.",
		STR_ARG(count_text(v, p->card.received)), p->card.received == 1 ? "" : "s", STR_ARG(count_text(v, p->card.errors)));
	if (p->is_key && s->has_secret && !s->require_key)
		p->facts[p->facts_n++] = STR("Requests are proven by their signature now; the key is not asked for.");
	if (p->is_key && s->key_old_until)
		p->facts[p->facts_n++] = STR("The key before this one is still good; it ends now.");
	if (!p->is_key)
		p->facts[p->facts_n++] = arena_printf(v->a, "%zu of at most %d secrets are good now.", secrets, SOURCE_SECRETS_MAX);
	p->facts[p->facts_n++] = STR("Whoever still uses the old one after its time is answered 401.");
}

static void show_rotate(struct visit *v, const struct source *s, const struct rotate_form *f, bool is_key, const struct err *e)
{
	struct rotate_page p = { .is_key = is_key };
	const struct provider *type = provider_find(s->provider);
	struct source_secret *secrets;
	struct err cause = { 0 };
	size_t n;

	if (!integration_card_fill(v, s, &p.card))
		return;
	if (!source_secrets(v->by.db, v->a, s->id, v->by.now, &secrets, &n, &cause)) {
		visit_err(v, &cause);
		return;
	}
	if (e->code && !page_blame(v, &p.page, e))
		return;
	facts_fill(v, s, n, &p);
	p.secret_theirs = type && type->flags & SECRET_THEIRS;
	p.choices_n = ARRAY_SIZE(graces);
	for (size_t i = 0; i < p.choices_n; i++) {
		p.choices[i] = graces[i];
		p.choices[i].chosen = graces[i].seconds == f->grace_seconds;
	}
	page_begin(v, &p.page, arena_printf(v->a, "Rotate the %s of %.*s?", is_key ? "key" : "secret", STR_ARG(s->name)).p, "integrations");
	PAGE_SEND(v, e->code ? 400 : 200, tmpl_integration_rotate, &p);
}

static void rotate(struct visit *v, bool is_key)
{
	struct rotate_form f = ROTATE_FORM_NEW;
	struct err e = { 0 };
	struct source s, after;
	struct str made = STR_NONE;
	bool ok;

	if (!integration_of(v, &s))
		return;
	if (!str_eqs(v->rq->method, "POST")) {
		show_rotate(v, &s, &f, is_key, &e);
		return;
	}
	ok = visit_form(v, is_key ? integration_rotate_key_fields : integration_rotate_secret_fields, FORM_NEW, &f, &e) &&
		(is_key ? integration_rotate_key(&v->by, s.public_id, &f, &after, &made, &e) :
			integration_rotate_secret(&v->by, s.public_id, &f, &after, &e));
	if (!ok) {
		show_rotate(v, &s, &f, is_key, &e);
		return;
	}
	visit_flash(v, is_key ? "This is the new key. Enter it where the old one is used." :
		"This is the new secret; it is shown this once. Enter it at the provider.", is_key ? made : f.secret);
	visit_redirect(v, "/integrations/%.*s/setup", STR_ARG(s.public_id));
}

void page_integration_rotate_key(void *visit)
{
	rotate(visit, true);
}

void page_integration_rotate_secret(void *visit)
{
	rotate(visit, false);
}

/* ---- the test webhook ---- */

void page_integration_send_test(void *visit)
{
	struct visit *v = visit;
	struct test_form f = { .notify = false };
	struct ingest_tested t;
	struct err e = { 0 };
	struct source s;

	if (!integration_of(v, &s))
		return;
	if (visit_form(v, integration_test_fields, FORM_NEW, &f, &e) && integration_test(&v->by, s.public_id, &f, str_of(v->rq->id), &t, &e)) {
		visit_redirect(v, "/integrations/%.*s/tests/%llu", STR_ARG(s.public_id), (unsigned long long)t.request);
	} else if (e.told) {
		visit_flash_bad(v, e.text);
		visit_redirect(v, "/integrations/%.*s", STR_ARG(s.public_id));
	} else {
		visit_err(v, &e);
	}
}

/* The service that the incident is of, else the integration's own. */
static bool service_fill(struct visit *v, const struct source *s, struct tested_page *p)
{
	struct service service = { .name = STR_NONE };
	struct incident_detail incident;
	struct err e = { 0 };
	int found;

	if (p->event.incident_id) {
		found = incident_view_get(v->by.db, v->a, v->by.tenant_id, p->event.incident_id, &incident, &e);
		if (found == 1) {
			p->service_name = incident.incident.service_name;
			p->resolves_soon = incident.incident.status_n != INCIDENT_RESOLVED;
		}
	} else {
		found = service_by_public_id(v->by.db, v->a, (uint32_t)v->by.tenant_id, s->service_public_id, &service, &e);
		p->service_name = service.name;
	}
	return found >= 0 || visit_err(v, &e);
}

static struct str signature_text(const struct proof_view *proof)
{
	if (str_eqs(proof->scheme, "key"))
		return STR("by the key");
	return proof->scheme.n ? STR("by its signature") : STR("not possible: only the provider can sign");
}

static void words_fill(struct visit *v, const struct source *s, struct tested_page *p)
{
	const struct provider *type = provider_find(s->provider);
	struct str native = p->event.native_severity;

	if (!type)
		return;
	if (!native.n)
		native = str_of(type->sample->severity);
	p->severity_mapped = arena_printf(v->a, "%.*s became %s", STR_ARG(native), level_word((enum level)p->event.level_n));
	p->signature = signature_text(&p->proof);
}

void page_integration_tested(void *visit)
{
	struct visit *v = visit;
	struct tested_page p = { .accepted = false };
	struct request_detail d;
	struct err e = { 0 };
	struct source s;
	uint64_t id;
	int found;

	if (!integration_of(v, &s) || !visit_id(v, 1, &id) || !integration_card_fill(v, &s, &p.card))
		return;
	found = request_view_get(v->by.db, v->a, v->by.tenant_id, id, &d, &e);
	if (found < 0) {
		visit_err(v, &e);
		return;
	}
	if (!found || !d.request.is_test || !str_eq(d.request.source_id, s.public_id)) {
		visit_not_found(v);
		return;
	}
	p.request = d.request;
	p.lifecycle = (struct lifecycle){ d.steps, REQUEST_STEPS };
	p.proof = d.proof;
	if (d.events_n)
		p.event = d.events[0];
	p.accepted = d.request.outcome_n != REQUEST_REFUSED;
	if (!service_fill(v, &s, &p))
		return;
	words_fill(v, &s, &p);
	page_begin(v, &p.page, arena_printf(v->a, "Test of %.*s", STR_ARG(s.name)).p, "integrations");
	PAGE_SEND(v, 200, tmpl_integration_tested, &p);
}
