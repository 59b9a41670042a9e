/* integration_form.c - the form of a new integration, with all that is to be known of its type, and the same form for changing one.
 *
 * The form is the API's (integration_fields); what comes back after an error is what was typed, but for the secret. */
#include "dash_int.h"
#include "integrations.h"

#include "grapnel/json.h"
#include "tmpl.h"

#define HANDLER_SECRET_MADE "Saved. Events are signed with this secret for your handler; it is shown this once."

/* ---- the form as it is shown ---- */

static bool services_fill(struct visit *v, struct str chosen, struct integration_form_page *p)
{
	struct service standard;
	struct err e = { 0 };

	if (!chosen.n && service_default(v->by.db, v->a, (uint32_t)v->by.tenant_id, &standard, &e) == 1)
		chosen = standard.public_id;
	p->service = chosen;
	return choices_of_services(v, chosen, &p->services, &p->services_n, &e) || visit_err(v, &e);
}

/* A box is ticked when its word was posted, in a form that comes back; else when it is so now. */
static bool ticked(struct visit *v, const char *name, const char *word, bool otherwise)
{
	struct str rest = v->rq->body, key, value;
	bool found = false;

	if (!str_eqs(v->rq->method, "POST"))
		return otherwise;
	while (form_next(v->a, &rest, &key, &value))
		found |= str_eqs(key, name) && str_eqs(value, word);
	return found;
}

/* A switch stands behind a hidden `false`, so the last one counts. */
static bool switched(const struct visit *v, const char *name, bool otherwise)
{
	return str_eqs(visit_typed(v, name, otherwise ? STR("true") : STR("false")), "true");
}

static struct str number_text(struct visit *v, uint64_t n)
{
	return n ? arena_printf(v->a, "%llu", (unsigned long long)n) : STR_NONE;
}

static void handler_fill(struct visit *v, const struct integration_form *f, struct integration_form_page *p)
{
	struct str mode = f->forward_mode & 1u << FORWARD_INLINE ? STR("inline") : STR("queued");

	p->handler_url = visit_typed(v, "handlerUrl", f->handler_url);
	p->forward_inline = str_eqs(visit_typed(v, "forwardMode", mode), "inline");
	p->max_retries = visit_typed(v, "_maxRetries", json_text(json_get(f->retry_policy, "maxRetries")));
	p->backoff = visit_typed(v, "_backoffSeconds", json_text(json_get(f->retry_policy, "backoffSeconds")));
	p->remove_handler_secret = switched(v, "_removeHandlerSecret", false);
}

static bool retention_fill(struct visit *v, const struct integration_form *f, struct integration_form_page *p)
{
	struct retention_view r;
	struct err e = { 0 };

	if (!retention_by(&v->by, &r, &e))
		return visit_err(v, &e);
	p->retention = visit_typed(v, "retentionDays", number_text(v, f->retention_days));
	p->retention_default = r.in_force;
	return true;
}

static bool form_fill(struct visit *v, const struct provider *type, const struct integration_form *f, struct integration_form_page *p)
{
	struct str rate = f->per_minute == RATE_DEFAULT ? STR_NONE : arena_printf(v->a, "%llu", (unsigned long long)f->per_minute);
	uint64_t actions = f->actions ? f->actions : type->actions;

	type_facts_fill(v, type, &p->type);
	setting_fields_fill(v, type, f->settings, &p->settings, &p->settings_n);
	p->asks_secret = p->has_secret || !p->type.can_sign || (p->type.takes_secret && !(p->is_new && p->type.secret_theirs));
	p->rate_default = provider_per_minute(type);
	p->name = visit_typed(v, "name", f->name);
	p->rate = visit_typed(v, "rateLimitPerMinute", rate);
	p->allowed_ips = visit_typed(v, "allowedIps", f->allowed_ips);
	p->make_secret = switched(v, "generateSecret", f->make_secret);
	p->remove_secret = switched(v, "_removeSecret", false);
	p->does_incident = ticked(v, "actions", "incident", actions & DO_INCIDENT);
	p->does_forward = ticked(v, "actions", "forward", actions & DO_FORWARD);
	p->does_record = ticked(v, "actions", "record", actions & DO_RECORD);
	p->require_key = switched(v, "requireKey", f->require_key);
	p->route_by_service = switched(v, "routeByService", f->route_by_service);
	p->enabled = switched(v, "enabled", f->enabled);
	p->is_default = switched(v, "isDefault", f->is_default);
	p->heartbeat = visit_typed(v, "heartbeatMinutes", number_text(v, f->heartbeat_minutes));
	p->heartbeat_incident = switched(v, "heartbeatIncident", f->heartbeat_incident);
	handler_fill(v, f, p);
	return retention_fill(v, f, p) && services_fill(v, visit_typed(v, "serviceId", f->service), p);
}

/* ---- a new one ---- */

static const struct provider *type_of(struct visit *v)
{
	const struct provider *p = provider_find(v->match.params[0]);

	if (!p)
		visit_not_found(v);
	return p;
}

static void show_new(struct visit *v, const struct provider *type, const struct integration_form *f, const struct err *e)
{
	struct integration_form_page p = { .is_new = true };
	struct str base = str_of(v->by.conf->server.public_url);

	if (!form_fill(v, type, f, &p) || (e->code && !page_blame(v, &p.page, e)))
		return;
	p.address = source_webhook_url(v->a, base, str_of(type->slug), STR("in_..."));
	setup_steps_fill(v, type, &(struct setup_values){ p.address, base, STR("(the key)"), STR("(the secret)") }, &p.steps);
	page_begin(v, &p.page, arena_printf(v->a, "New integration: %s", type->title).p, "integrations");
	PAGE_SEND(v, e->code ? 400 : 200, tmpl_integration_form, &p);
}

/* Two fields of the page are one object of the form; an empty one is the default. */
static const struct json *policy_read(struct visit *v)
{
	static const struct {
		const char *posted, *member;
	} numbers[] = { { "_maxRetries", "maxRetries" }, { "_backoffSeconds", "backoffSeconds" } };
	struct json *policy = json_new(v->a, JSON_OBJECT);

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct str text = str_trim(visit_posted(v, numbers[i].posted));
		struct json *number = json_new(v->a, JSON_NUMBER);

		number->text = text;
		if (text.n)
			json_add(policy, str_of(numbers[i].member), number);
	}
	return policy->count ? policy : NULL;
}

/* No box ticked would be "the default of the type", and that is a ticked box. */
static bool read_form(struct visit *v, const struct provider *type, enum form_mode mode, struct integration_form *f, struct err *e)
{
	if (!visit_form(v, integration_fields, mode, f, e) || !setting_fields_read(v, type, &f->settings, e))
		return false;
	/* The API has it beside the settings, too. */
	f->alert_test_mode = str_eqs(json_text(json_get(f->settings, "alertTestMode")), "true");
	f->retry_policy = policy_read(v);
	if (switched(v, "_removeHandlerSecret", false))
		f->handler_secret = STR("");
	else if (!f->handler_secret.n)	/* as it was */
		f->handler_secret = STR_NONE;
	return ticked(v, "actions", "incident", false) || ticked(v, "actions", "forward", false) || ticked(v, "actions", "record", false) ||
		err_field(e, ERR_INVALID, "actions", "Tick at least one of the three.");
}

/* Who types a secret wants that one, whatever the box beside it says. */
static bool read_new(struct visit *v, const struct provider *type, struct integration_form *f, struct err *e)
{
	if (!read_form(v, type, FORM_NEW, f, e))
		return false;
	f->type = str_of(type->slug);
	f->make_secret = f->make_secret && !f->secret.n;
	return true;
}

static void create(struct visit *v, const struct provider *type)
{
	struct integration_form f = INTEGRATION_FORM_NEW;
	struct str key = STR_NONE;
	struct err e = { 0 };
	struct source made;

	if (!read_new(v, type, &f, &e) || !integration_create(&v->by, &f, &made, &key, &e)) {
		show_new(v, type, &f, &e);
		return;
	}
	if (f.made_handler_secret)
		visit_flash(v, HANDLER_SECRET_MADE, f.handler_secret);
	else if (f.secret.n)
		visit_flash(v, "The integration is made. This is its signature secret; it is shown this once.", f.secret);
	else if (type->flags & SECRET_THEIRS)
		visit_flash(v, "The integration is made. Now add its address there, and enter the secret below.", STR_NONE);
	else
		visit_flash(v, "The integration is made. This is its key.", key);
	visit_redirect(v, "/integrations/%.*s/setup", STR_ARG(made.public_id));
}

void page_integration_new(void *visit)
{
	struct visit *v = visit;
	struct integration_form f = INTEGRATION_FORM_NEW;
	const struct provider *type = type_of(v);
	struct err none = { 0 };

	if (!type)
		return;
	if (str_eqs(v->rq->method, "POST")) {
		create(v, type);
		return;
	}
	f.name = str_of(type->title);
	f.make_secret = type_takes_secret(type) && !(type->flags & (SECRET_THEIRS | SECRET_OPTIONAL));
	show_new(v, type, &f, &none);
}

/* ---- a change ---- */

static void show_edit(struct visit *v, const struct source *s, const struct provider *type, const struct err *e)
{
	struct integration_form_page p = { .id = s->public_id, .has_secret = s->has_secret, .has_handler_secret = s->has_handler_secret };
	struct integration_form f;

	integration_to_form(&v->by, s, &f);
	if (!form_fill(v, type, &f, &p) || (e->code && !page_blame(v, &p.page, e)))
		return;
	page_begin(v, &p.page, arena_printf(v->a, "Change %.*s", STR_ARG(s->name)).p, "integrations");
	PAGE_SEND(v, e->code ? 400 : 200, tmpl_integration_form, &p);
}

struct change {
	struct visit *v;
	const struct provider *type;
};

/* An empty secret says: as it was. */
static bool read_change(void *ctx, struct integration_form *f, struct err *e)
{
	const struct change *c = ctx;
	struct visit *v = c->v;

	if (!read_form(v, c->type, FORM_CHANGE, f, e))
		return false;
	if (switched(v, "_removeSecret", false))
		f->secret = STR("");
	else if (!f->secret.n)
		f->secret = STR_NONE;
	return true;
}

void page_integration_edit(void *visit)
{
	struct visit *v = visit;
	const struct provider *type;
	struct integration_form f;
	struct err e = { 0 };
	struct source s, changed;
	struct change c;

	if (!integration_of(v, &s))
		return;
	type = provider_find(s.provider);
	c = (struct change){ v, type };
	if (!type) {
		visit_not_found(v);
	} else if (!str_eqs(v->rq->method, "POST")) {
		show_edit(v, &s, type, &e);
	} else if (!integration_change(&v->by, s.public_id, read_change, &c, &f, &changed, &e)) {
		show_edit(v, &s, type, &e);
	} else {
		if (f.made_handler_secret)
			visit_flash(v, HANDLER_SECRET_MADE, f.handler_secret);
		else
			visit_flash(v, arena_printf(v->a, "%.*s is changed.", STR_ARG(changed.name)).p, STR_NONE);
		visit_redirect(v, "/integrations/%.*s", STR_ARG(s.public_id));
	}
}
