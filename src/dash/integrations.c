/* integrations.c - pages of what providers post to: the list with its health, one of them, and what is done to it. */
#include "dash_int.h"
#include "integrations.h"

#include "grapnel/json.h"
#include "tmpl.h"

#define REQUESTS_SHOWN 20
#define CARDS 24			/* of a page, which is below 50 KB */
#define HEALTHY_PERCENT 95		/* as /api/integrations/health has it */
#define DEGRADED_PERCENT 75

/* ---- cards ---- */

struct str integration_state(bool enabled, ms_t last_webhook_at, uint64_t received, uint64_t errors)
{
	uint64_t good = received > errors ? received - errors : 0;

	if (!enabled)
		return STR("disabled");
	if (!last_webhook_at)
		return STR("waiting");
	if (!received)
		return STR("quiet");
	if (good * 100 >= received * HEALTHY_PERCENT)
		return STR("healthy");
	return good * 100 >= received * DEGRADED_PERCENT ? STR("degraded") : STR("failing");
}

static struct str type_title(const struct source *s)
{
	const struct provider *p = provider_find(s->provider);

	return p ? str_of(p->title) : s->provider;
}

/* hours: of all sources, by source and hour. */
static void card_fill(struct visit *v, const struct source *s, const struct source_hour *hours, size_t n,
	struct integration_card *out)
{
	uint64_t first = (uint64_t)(v->by.now / MS_PER_HOUR) - TRAFFIC_HOURS + 1, values[TRAFFIC_HOURS] = { 0 };
	struct html_out pictures;

	*out = (struct integration_card){ .id = s->public_id, .name = s->name, .type_title = type_title(s), .enabled = s->enabled,
		.last_webhook_at = s->last_webhook_at, .silent_since = s->silent_since };
	for (size_t i = 0; i < n; i++) {
		if (hours[i].source_row != s->id || hours[i].hour < first || hours[i].hour - first >= TRAFFIC_HOURS)
			continue;
		values[hours[i].hour - first] = hours[i].received;
		out->received += hours[i].received;
		out->errors += hours[i].errors;
	}
	out->state = integration_state(s->enabled, s->last_webhook_at, out->received, out->errors);
	html_init(&pictures, v->a, v->by.now);
	out->spark = html_spark(&pictures, values, TRAFFIC_HOURS, STR("Requests of the last 24 hours, by the hour"));
}

static bool cards_fill(struct visit *v, const struct source *rows, size_t n, struct integration_card *out)
{
	struct source_hour *hours;
	struct err e = { 0 };
	size_t hours_n;

	if (!source_hours_list(v->by.db, v->a, JSON_IDS(v->a, rows, n, id), v->by.now, &hours, &hours_n, &e))
		return visit_err(v, &e);
	for (size_t i = 0; i < n; i++)
		card_fill(v, &rows[i], hours, hours_n, &out[i]);
	return true;
}

bool integration_card_fill(struct visit *v, const struct source *s, struct integration_card *out)
{
	return cards_fill(v, s, 1, out);
}

bool integration_of(struct visit *v, struct source *s)
{
	struct err e = { 0 };
	int found = integration_find(&v->by, v->match.params[0], s, &e);

	if (found < 0)
		return visit_err(v, &e);
	return found || visit_not_found(v);
}

/* ---- the list ---- */

static bool read_views(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *e)
{
	struct integration_query q = *(struct integration_query *)query;
	struct integration_view *views;
	struct source *rows;

	q.cursor = cursor;
	q.limit = limit;
	if (!integration_query_list(&v->by, &q, &rows, n, next, e))
		return false;
	views = ARENA_ARRAY(v->a, struct integration_view, *n + 1);
	for (size_t i = 0; i < *n; i++)
		integration_view_fill(v->a, &rows[i], str_of(v->by.conf->server.public_url), &views[i]);
	*(struct integration_view **)rows_r = views;
	return true;
}

static void chips_fill(struct visit *v, const struct integration_query *q, const struct integration_health *h,
	struct integrations_page *p)
{
	p->chips = ARENA_ARRAY(v->a, struct type_chip, h->type_n + 1);
	p->chips[p->chips_n++] = (struct type_chip){ STR("All"), query_with(v, "type", NULL), h->global.integrations, !q->type.n };
	for (size_t i = 0; i < h->type_n; i++) {
		const struct traffic_view *t = &h->types[i];
		const struct provider *type = provider_find(t->slug);

		p->chips[p->chips_n++] = (struct type_chip){ type ? str_of(type->title) : t->slug,
			query_with(v, "type", arena_cstr(v->a, t->slug)), t->integrations, str_eq(q->type, t->slug) };
	}
}

void page_integrations(void *visit)
{
	struct visit *v = visit;
	struct integration_query q = { .limit = CARDS };
	struct list_source export = { "integrations", integration_view_fields, sizeof(struct integration_view), read_views, &q };
	struct integrations_page p = { .cards_n = 0 };
	struct integration_health health;
	struct err e = { 0 };
	struct source *rows;
	uint64_t next;

	if (!visit_query(v, integration_query_fields, &q) || list_exported(v, &export, q.cursor))
		return;
	if (!integration_query_list(&v->by, &q, &rows, &p.cards_n, &next, &e) ||
		!integration_health_get(v->by.db, v->a, v->by.tenant_id, v->by.now, &health, &e)) {
		visit_err(v, &e);
		return;
	}
	p.cards = ARENA_ARRAY(v->a, struct integration_card, p.cards_n + 1);
	if (!cards_fill(v, rows, p.cards_n, p.cards))
		return;
	p.traffic = health.global;
	p.narrowed = q.type.n || q.cursor;
	chips_fill(v, &q, &health, &p);
	list_nav_fill(v, &p.nav, "integrations", q.cursor, next);
	page_begin(v, &p.page, "Integrations", "integrations");
	PAGE_SEND(v, 200, tmpl_integrations, &p);
}

/* ---- one ---- */

/* It signs with keys of its own, so that no secret is needed. */
static bool is_keyless(struct visit *v, const struct source *s)
{
	const struct provider *p = provider_find(s->provider);
	const struct json *settings = NULL;
	struct err ignored = { 0 };

	if (s->settings.n && !json_parse(v->a, s->settings, &settings, &ignored))
		settings = NULL;
	return p && proofs_keyless(provider_proofs(p), settings);
}

static struct str proof_sentence(struct visit *v, const struct source *s, bool keyless)
{
	const struct provider *p = provider_find(s->provider);
	const char *made = s->has_secret ? "made with the secret" : "that the provider makes with its own key";

	if ((s->has_secret || keyless) && s->require_key)
		return arena_printf(v->a, "Each request needs the key and a signature %s.", made);
	if (s->has_secret || keyless)
		return arena_printf(v->a, "Each request needs a signature %s; the integration's key is not asked for.", made);
	if (p && p->flags & SECRET_THEIRS)
		return STR("No secret is set yet, so each request needs the key, which this provider cannot send.");
	return STR("Each request needs the key.");
}

static struct str actions_text(uint64_t actions)
{
	bool record = actions & DO_RECORD;

	switch (actions & (DO_INCIDENT | DO_FORWARD)) {
	case DO_INCIDENT | DO_FORWARD:
		return record ? STR("Opens incidents, forwards and records all events") : STR("Opens incidents and forwards events");
	case DO_INCIDENT:
		return record ? STR("Opens incidents and records all events") : STR("Opens incidents");
	case DO_FORWARD:
		return STR("Forwards events, opens no incidents");
	default:
		return STR("Records events, opens no incidents");
	}
}

static struct str rate_text(struct visit *v, const struct integration_view *view, const struct source *s)
{
	if (!view->rate_per_minute)
		return STR("No limit");
	return arena_printf(v->a, "%llu requests a minute%s", (unsigned long long)view->rate_per_minute,
		s->rate_per_minute == RATE_DEFAULT ? " (default of the type)" : "");
}

static struct str policy_text(struct visit *v, const struct source *s)
{
	if (!s->max_retries)
		return STR("one, no further ones");
	return arena_printf(v->a, "%llu; the second after %llu s, then twice as long each time", (unsigned long long)s->max_retries + 1,
		(unsigned long long)s->backoff_s);
}

static bool retention_text(struct visit *v, const struct source *s, struct str *out)
{
	struct retention_view r;
	struct err e = { 0 };

	if (!retention_by(&v->by, &r, &e))
		return visit_err(v, &e);
	*out = s->retention_days ? arena_printf(v->a, "%llu days", (unsigned long long)s->retention_days) :
		arena_printf(v->a, "%llu days, as all of them", (unsigned long long)r.in_force);
	return true;
}

static void networks_fill(struct visit *v, struct str list, struct integration_page *p)
{
	p->networks = ARENA_ARRAY(v->a, struct str, list.n + 1);
	while (list.n) {
		struct str one = str_trim(str_until(&list, ','));

		if (one.n)
			p->networks[p->networks_n++] = one;
	}
}

static bool service_name(struct visit *v, const struct source *s, struct str *out)
{
	struct service service = { .name = STR_NONE };
	struct err e = { 0 };

	if (service_by_public_id(v->by.db, v->a, (uint32_t)v->by.tenant_id, s->service_public_id, &service, &e) < 0)
		return visit_err(v, &e);
	*out = service.name;
	return true;
}

static bool secrets_fill(struct visit *v, const struct source *s, struct integration_page *p)
{
	struct source_secret *secrets;
	struct err e = { 0 };

	if (!source_secrets(v->by.db, v->a, s->id, v->by.now, &secrets, &p->secrets_n, &e))
		return visit_err(v, &e);
	p->secrets = ARENA_ARRAY(v->a, struct secret_row, p->secrets_n + 1);
	for (size_t i = 0; i < p->secrets_n; i++)
		p->secrets[i] = (struct secret_row){ secrets[i].created_at, secrets[i].expires_at };
	return true;
}

static bool requests_fill(struct visit *v, const struct source *s, struct integration_page *p)
{
	struct request_filter f = { .tenant_id = v->by.tenant_id, .source = s->public_id, .limit = REQUESTS_SHOWN };
	struct err e = { 0 };
	uint64_t next;

	return request_view_list(v->by.db, v->a, &f, &p->requests, &p->requests_n, &next, &e) || visit_err(v, &e);
}

void page_integration(void *visit)
{
	struct visit *v = visit;
	struct integration_page p = { .requests_n = 0 };
	const struct provider *type;
	struct err e = { 0 };
	struct source s;
	bool keyless;

	if (!integration_of(v, &s) || !integration_card_fill(v, &s, &p.card) || !service_name(v, &s, &p.service_name) ||
		!secrets_fill(v, &s, &p) || !retention_text(v, &s, &p.retention) || !requests_fill(v, &s, &p))
		return;
	if (subscription_view_of_source(v->by.db, v->a, s.id, &p.subscription, &e) < 0 ||
		breaker_get(v->by.db, v->a, BREAKER_HANDLER, s.id, &p.breaker, &e) < 0) {
		visit_err(v, &e);
		return;
	}
	type = provider_find(s.provider);
	integration_view_fill(v->a, &s, str_of(v->by.conf->server.public_url), &p.view);
	networks_fill(v, s.allowed_ips, &p);
	keyless = is_keyless(v, &s);
	p.proof = proof_sentence(v, &s, keyless);
	p.actions = actions_text(s.actions);
	p.rate = rate_text(v, &p.view, &s);
	p.handler_policy = policy_text(v, &s);
	p.key_old_until = s.key_old_until;
	p.proven_by_key = !(s.has_secret || keyless) || s.require_key;
	p.secret_theirs = type && type->flags & SECRET_THEIRS;
	p.secret_unseen = s.secret_unseen;
	page_begin(v, &p.page, arena_cstr(v->a, s.name), "integrations");
	PAGE_SEND(v, 200, tmpl_integration, &p);
}

/* ---- what is done to it ---- */

struct wanted {
	struct visit *v;
	bool enabled;
};

static bool set_enabled(void *ctx, struct integration_form *f, struct err *e)
{
	const struct wanted *w = ctx;

	f->enabled = w->enabled;
	return true;
}

/* Back to where the button was: the list or the page of the integration. */
static void back_to(struct visit *v, const struct source *s)
{
	if (str_eqs(visit_posted(v, "_to"), "list"))
		visit_redirect(v, "/integrations");
	else if (str_eqs(visit_posted(v, "_to"), "setup"))
		visit_redirect(v, "/integrations/%.*s/setup", STR_ARG(s->public_id));
	else
		visit_redirect(v, "/integrations/%.*s", STR_ARG(s->public_id));
}

static void switch_it(struct visit *v, bool enabled)
{
	struct wanted w = { v, enabled };
	struct integration_form f;
	struct err e = { 0 };
	struct source s;

	if (!integration_change(&v->by, v->match.params[0], set_enabled, &w, &f, &s, &e)) {
		visit_err(v, &e);
		return;
	}
	visit_flash(v, arena_printf(v->a, enabled ? "%.*s is switched on again." : "%.*s is switched off: its senders are answered 403.",
		STR_ARG(s.name)).p, STR_NONE);
	back_to(v, &s);
}

void page_integration_enable(void *visit)
{
	switch_it(visit, true);
}

void page_integration_disable(void *visit)
{
	switch_it(visit, false);
}

void page_integration_key(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };
	struct source s;
	struct str key;

	if (!integration_of(v, &s))
		return;
	if (!integration_key(&v->by, s.public_id, &key, &e)) {
		visit_err(v, &e);
		return;
	}
	visit_flash(v, arena_printf(v->a, "The key of %.*s. The audit log has noted that you looked at it.", STR_ARG(s.name)).p, key);
	back_to(v, &s);
}

void page_integration_received_secret(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };
	struct str secret;

	if (integration_received_secret(&v->by, v->match.params[0], &secret, &e)) {
		visit_flash(v, "This is what the provider sent; it is shown this once. Enter it there where it asks for it.", secret);
	} else if (e.told) {
		visit_flash_bad(v, e.text);
	} else {
		visit_err(v, &e);
		return;
	}
	visit_redirect(v, "/integrations/%.*s/setup", STR_ARG(v->match.params[0]));
}

/* ---- the end ---- */

static bool count_open(struct visit *v, const struct source *s, struct str *out)
{
	struct incident_filter f = { .tenant_id = v->by.tenant_id, .source = s->public_id, .limit = LIST_LIMIT_MAX,
		.statuses = 1 << INCIDENT_OPEN | 1 << INCIDENT_ACKNOWLEDGED };
	struct incident_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!incident_view_list(v->by.db, v->a, &f, &rows, &n, &next, &e))
		return visit_err(v, &e);
	if (!n && !next)
		*out = STR("No incident of it is open.");
	else if (next)
		*out = arena_printf(v->a, "More than %zu incidents of it are open and stay open.", n);
	else
		*out = arena_printf(v->a, n == 1 ? "%zu incident of it is open and stays open." : "%zu incidents of it are open and stay open.", n);
	return true;
}

void page_integration_delete(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "integrations", .button = STR("Delete"), .facts_n = 4 };
	struct html_out numbers;
	struct source s;

	if (!integration_of(v, &s) || !count_open(v, &s, &c.facts[1]))
		return;
	html_init(&numbers, v->a, v->by.now);
	c.question = arena_printf(v->a, "Delete the integration %.*s?", STR_ARG(s.name));
	c.facts[0] = arena_printf(v->a, "It received %.*s webhook%s and made %.*s alert%s of them.",
		STR_ARG(html_f_count(&numbers, s.webhook_count)), s.webhook_count == 1 ? "" : "s",
		STR_ARG(html_f_count(&numbers, s.alert_count)), s.alert_count == 1 ? "" : "s");
	c.facts[2] = STR("Its senders are answered 404 from then on. Key and secrets are gone for good.");
	c.facts[3] = STR("Requests, events and incidents stay until they are cleaned up.");
	c.action = arena_printf(v->a, "/integrations/%.*s/delete", STR_ARG(s.public_id));
	c.back = arena_printf(v->a, "/integrations/%.*s", STR_ARG(s.public_id));
	visit_confirm(v, &c);
}

void page_integration_drop(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };
	struct source s;

	if (!integration_of(v, &s))
		return;
	if (!integration_remove(&v->by, s.public_id, &e)) {
		visit_err(v, &e);
		return;
	}
	visit_flash(v, arena_printf(v->a, "%.*s is deleted.", STR_ARG(s.name)).p, STR_NONE);
	visit_redirect(v, "/integrations");
}
