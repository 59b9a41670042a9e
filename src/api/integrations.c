/* integrations.c - /api/integrations: what people set up for a provider to post to. */
#include "api_int.h"

#include "grapnel/provider.h"

#define SECRET_MAX 900		/* as the store takes it */
#define CHANGE_TRIES 8		/* one of those who change a source at once gets through at each */
#define SECRET_BYTES 32		/* of a made one: 256 bits, the strength of its HMAC-SHA256 */

/* Only what somebody carries out: an event with another action would stay pending. */
static const struct form_word action_words[] = {
	{ "incident", DO_INCIDENT },
	{ "record", DO_RECORD },
	{ 0 }
};

struct integration_form {
	struct str name, type, service, secret, allowed_ips;
	uint64_t actions, per_minute;
	const struct json *settings;
	bool require_key, route_by_service, enabled, is_default, make_secret, alert_test_mode;
};

const struct form_field integration_fields[] = {
	{ "name", TEXT_AT(struct integration_form, name), FORM_REQUIRED, 1, 400,
		.help = "1 to 100 characters" },
	{ "type", TEXT_AT(struct integration_form, type), FORM_REQUIRED | FORM_FIXED, 1, 32,
		.help = "Provider slug" },
	{ "serviceId", TEXT_AT(struct integration_form, service), .max = 23,
		.help = "Service whose incidents it opens; else the tenant's default service" },
	{ "signatureSecret", TEXT_AT(struct integration_form, secret), .max = SECRET_MAX,
		.help = "What the provider signs with; null or empty removes it" },
	{ "generateSecret", BOOL_AT(struct integration_form, make_secret),
		.help = "Makes a signature secret" },
	{ "rateLimitPerMinute", NUMBER_AT(struct integration_form, per_minute), FORM_NULL,
		.max = 1000000, .absent = RATE_DEFAULT,
		.help = "0 = no limit; null = the type's default" },
	{ "allowedIps", ADDRESSES_AT(struct integration_form, allowed_ips),
		.help = "Addresses and networks that may send; null or empty = all" },
	{ "actions", WORDS_AT(struct integration_form, actions), FORM_NULL, .words = action_words,
		.help = "What is done with its events; null = the type's default" },
	{ "requireKey", BOOL_AT(struct integration_form, require_key),
		.help = "Key and signature both are needed" },
	{ "routeByService", BOOL_AT(struct integration_form, route_by_service),
		.help = "The service an event names decides, where one of that name exists" },
	{ "enabled", BOOL_AT(struct integration_form, enabled),
		.help = "A disabled one answers 403" },
	{ "isDefault", BOOL_AT(struct integration_form, is_default),
		.help = "Serves /api/webhooks/{type} without an id" },
	{ "alertTestMode", BOOL_AT(struct integration_form, alert_test_mode),
		.help = "Stripe: events of test mode open incidents too" },
	{ "settings", OBJECT_AT(struct integration_form, settings),
		.help = "Settings that only this type knows" },
	FORM_END
};

/* ---- answers ---- */

static void fill_view(struct call *c, const struct source *s, struct integration_view *v)
{
	integration_view_fill(c->a, s, str_of(c->api->c.conf->server.public_url), v);
}

/* Key and secret with p NULL are left out. */
static void reply_integration(struct call *c, unsigned status, const struct source *s,
	struct str key, struct str secret)
{
	struct integration_view v;
	struct reply r;

	fill_view(c, s, &v);
	reply_begin(c, &r);
	json_fields(&r.o, integration_view_fields, &v);
	if (key.p) {
		json_key(&r.o, "key");
		json_str(&r.o, key);
	}
	if (key.p || secret.p) {
		json_key(&r.o, "signatureSecret");
		if (secret.n)
			json_str(&r.o, secret);
		else
			json_null(&r.o);
	}
	reply_end(c, &r, status);
}

/* ---- from form to source ---- */

/* The members of `settings`, with alertTestMode as it is wanted; empty settings are none. */
static struct str settings_text(struct call *c, const struct json *settings, bool alert_test_mode)
{
	struct json *merged = json_new(c->a, JSON_OBJECT), *flag = json_new(c->a, JSON_BOOL);
	struct json_out o;
	struct strbuf b;

	for (const struct json *j = settings ? settings->first : NULL; j; j = j->next) {
		struct json *copy = ARENA_NEW(c->a, struct json);

		*copy = *j;
		copy->next = NULL;
		if (!str_eqs(j->name, "alertTestMode"))
			json_add(merged, j->name, copy);
	}
	flag->text = STR("true");
	if (alert_test_mode)
		json_add(merged, STR("alertTestMode"), flag);
	if (!merged->count)
		return STR_NONE;
	strbuf_init(&b, c->a, 2 * API_BODY_MAX);
	json_out_init(&o, &b);
	json_tree(&o, merged);
	return strbuf_str(&b);
}

static struct str make_secret(struct call *c)
{
	unsigned char raw[SECRET_BYTES];
	struct str text;

	random_bytes(raw, sizeof(raw));
	text = base64_encode(c->a, raw, sizeof(raw));
	secret_wipe(raw, sizeof(raw));
	return arena_printf(c->a, "whsec_%.*s", STR_ARG(text));
}

/* What the form says over what is stored (or over nothing). */
static bool form_to_source(struct call *c, struct integration_form *f, const struct provider *p,
	struct source *s, struct err *e)
{
	if (f->alert_test_mode && strcmp(p->slug, "stripe"))
		return err_field(e, ERR_INVALID, "alertTestMode",
			"alertTestMode is for the type stripe only.");
	if (f->make_secret && f->secret.n)
		return err_field(e, ERR_INVALID, "generateSecret",
			"Give a signatureSecret or have one made, not both.");
	if (f->make_secret)
		f->secret = make_secret(c);
	s->name = f->name;
	s->service_public_id = f->service;
	if (!f->service.n)
		s->service_id = 0;	/* the default one */
	s->allowed_ips = f->allowed_ips;
	s->actions = f->actions ? f->actions : p->actions;
	s->rate_per_minute = f->per_minute;
	s->require_key = f->require_key;
	s->route_by_service = f->route_by_service;
	s->enabled = f->enabled;
	s->is_default = f->is_default;
	s->settings = settings_text(c, f->settings, f->alert_test_mode);
	return true;
}

static void source_to_form(struct call *c, const struct source *s, struct integration_form *f)
{
	const struct json *settings = NULL;
	struct err ignored = { 0 };

	*f = (struct integration_form){
		.name = s->name,
		.service = s->service_public_id,
		.allowed_ips = s->allowed_ips,
		.actions = s->actions,
		.per_minute = s->rate_per_minute,
		.require_key = s->require_key,
		.route_by_service = s->route_by_service,
		.enabled = s->enabled,
		.is_default = s->is_default,
	};
	if (s->settings.n && json_parse(c->a, s->settings, &settings, &ignored))
		f->settings = settings;
	f->alert_test_mode = str_eqs(json_text(json_get(settings, "alertTestMode")), "true");
}

/* ---- handlers ---- */

struct list_query {
	struct str type;
	uint64_t limit, cursor;
};

const struct form_field integration_query_fields[] = {
	{ "type", TEXT_AT(struct list_query, type), .max = 32, .help = "Provider slug" },
	{ "provider", TEXT_AT(struct list_query, type), .max = 32, .help = "The same as type" },
	{ "limit", NUMBER_AT(struct list_query, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most integrations in the answer" },
	{ "cursor", NUMBER_AT(struct list_query, cursor), 0, 1, UINT32_MAX,
		.help = "`next` of the page before" },
	FORM_END
};

void api_integration_list(void *call)
{
	struct call *c = call;
	struct list_query q = { .limit = LIST_LIMIT_DEFAULT };
	struct integration_view *views;
	struct source *rows;
	struct err e = { 0 };
	uint64_t next = 0;
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, integration_query_fields, &q))
		return;
	if (!source_list(c->api->c.db, c->a, (uint32_t)c->tenant_id, q.type, q.cursor, q.limit + 1,
			c->now, &rows, &n, &e)) {
		reply_err(c, &e);
		return;
	}
	if (n > q.limit) {
		n = q.limit;
		next = rows[n - 1].id;
	}
	views = ARENA_ARRAY(c->a, struct integration_view, n + 1);
	for (size_t i = 0; i < n; i++)
		fill_view(c, &rows[i], &views[i]);
	reply_list(c, "integrations", integration_view_fields, views, sizeof(*views), n, next);
}

void api_integration_get(void *call)
{
	struct call *c = call;
	struct source s;

	if (input_one_tenant(c) && input_source(c, 0, &s))
		reply_integration(c, 200, &s, STR_NONE, STR_NONE);
}

void api_integration_create(void *call)
{
	struct call *c = call;
	struct integration_form f = { .per_minute = RATE_DEFAULT, .enabled = true };
	struct source s = { .tenant_id = c->tenant_id, .kind = SOURCE_INTEGRATION }, made = { 0 };
	struct who who = account_who(&c->principal, c->tenant_id, c->rq->remote_addr);
	const struct provider *p;
	struct str key = STR("");
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, integration_fields, false, &f))
		return;
	p = provider_find(f.type);
	if (!p) {
		reply_refuse(c, 400, "invalid_request", "There is no provider of that type.",
			"type");
		return;
	}
	s.provider = str_of(p->slug);
	if (!form_to_source(c, &f, p, &s, &e) ||
		!source_add(c->api->c.db, c->a, c->api->c.seal, c->api->c.shm, &s, f.secret, &who,
			c->now, &made, &key, &e)) {
		reply_err(c, &e);
		return;
	}
	response_header(c->rq, "Location",
		arena_printf(c->a, "/api/integrations/%.*s", STR_ARG(made.public_id)));
	reply_integration(c, 201, &made, key, f.secret);
}

/* One try: what the body says over what was just read. */
static int change(struct call *c, const struct json *body, struct source *s, struct integration_form *f,
	struct err *e)
{
	struct who who = account_who(&c->principal, c->tenant_id, c->rq->remote_addr);
	const struct provider *p = provider_find(s->provider);

	if (!p)
		return 0;
	source_to_form(c, s, f);
	if (!form_read_json(c->a, body, integration_fields, FORM_CHANGE, f, e) ||
		!form_to_source(c, f, p, s, e))
		return -1;
	return source_update(c->api->c.db, c->a, c->api->c.seal, c->api->c.shm, s, f->secret, &who,
		c->now, e);
}

/* Who changes another member at the same time wins as well: the later one looks again. */
void api_integration_update(void *call)
{
	struct call *c = call;
	const struct json *body;
	struct integration_form f;
	struct err e;
	struct source s;
	int done = -1, tries = 0;

	if (!input_one_tenant(c) || !input_source(c, 0, &s) || !input_body(c, false, &body))
		return;
	do {
		if (tries && !input_source(c, 0, &s))
			return;
		e = (struct err){ 0 };
		done = change(c, body, &s, &f, &e);
	} while (done < 0 && e.code == ERR_CONFLICT && !e.field[0] && ++tries < CHANGE_TRIES);
	if (done == 1 && input_source(c, 0, &s))
		reply_integration(c, 200, &s, STR_NONE, f.make_secret ? f.secret : STR_NONE);
	else if (done < 0)
		reply_err(c, &e);
	else if (!done)
		reply_not_found(c);
}

void api_integration_delete(void *call)
{
	struct call *c = call;
	struct who who = account_who(&c->principal, c->tenant_id, c->rq->remote_addr);
	struct err e = { 0 };
	struct source s;
	int done;

	if (!input_one_tenant(c) || !input_source(c, 0, &s))
		return;
	done = source_delete(c->api->c.db, c->a, c->api->c.shm, (uint32_t)c->tenant_id, s.public_id,
		&who, c->now, &e);
	if (done == 1)
		c->rq->response.status = 204;
	else
		done < 0 ? reply_err(c, &e) : reply_not_found(c);
}
