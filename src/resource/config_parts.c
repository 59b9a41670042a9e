/* config_parts.c - what stands in a file of configuration, a row for each kind of thing: how all are listed, one is made, one is changed.
 *
 * Its members are those of its form, read and written by the form's table. */
#include "config_int.h"

#include "grapnel/json.h"

#define THINGS_MAX 1000000

static struct config_thing *things_new(struct arena *a, size_t n, size_t form_size)
{
	struct config_thing *things = ARENA_ARRAY(a, struct config_thing, n);

	for (size_t i = 0; i < n; i++)
		things[i].form = arena_alloc(a, form_size);
	return things;
}

struct wish {
	struct config_work *w;
	const struct json *json;
};

/* ---- how long events are kept ---- */

static const struct retention_form retention_new;

static bool retention_list(struct config_work *w, struct config_thing **out, size_t *n, struct err *e)
{
	struct retention_form *f;

	*n = 1;
	*out = things_new(w->by.a, 1, sizeof(*f));
	f = (*out)->form;
	*f = retention_new;
	(*out)->name = STR_NONE;
	(*out)->id = STR_NONE;
	return tenant_retention(w->by.db, w->by.a, w->by.tenant_id, &f->events_days, e);
}

static bool retention_set(struct config_work *w, const struct config_thing *stored, const struct json *wish, struct err *e)
{
	struct retention_form f = *(const struct retention_form *)stored->form;

	return form_read_json(w->by.a, wish, retention_fields, FORM_CHANGE, &f, e) && retention_change(&w->by, &f, e);
}

/* ---- services ---- */

static const struct service_form service_new;

static bool service_things(struct config_work *w, struct config_thing **out, size_t *n, struct err *e)
{
	struct service *rows;

	if (!service_list(w->by.db, w->by.a, (uint32_t)w->by.tenant_id, &rows, n, e))
		return false;
	*out = things_new(w->by.a, *n, sizeof(struct service_form));
	for (size_t i = 0; i < *n; i++) {
		(*out)[i].id = rows[i].public_id;
		(*out)[i].name = rows[i].name;
		service_to_form(&w->by, &rows[i], (*out)[i].form);
	}
	return true;
}

/* It has another id here. */
static void has_id(struct config_work *w, struct str theirs, struct str ours)
{
	if (w->ids)
		json_add(w->ids, theirs, json_new_str(w->by.a, ours));
}

static int service_make(struct config_work *w, void *form, struct str id, struct err *e)
{
	struct service_form *f = form;
	struct service made;

	f->leave_gone = true;
	if (!service_create(&w->by, f, &made, e))
		return -1;
	has_id(w, id, made.public_id);
	return 1;
}

static bool service_read(void *ctx, struct service_form *f, struct err *e)
{
	struct wish *x = ctx;

	f->leave_gone = true;
	return form_read_json(x->w->by.a, x->json, service_fields, FORM_CHANGE, f, e);
}

static bool service_set(struct config_work *w, const struct config_thing *stored, const struct json *wish, struct err *e)
{
	return service_change(&w->by, stored->id, service_read, &(struct wish){ w, wish }, e);
}

/* ---- integrations ---- */

static const struct integration_form integration_new = INTEGRATION_FORM_NEW;

/* Without those that are sealed, or with them opened. */
static const struct json *settings_of(struct config_work *w, const struct json *settings)
{
	struct json *out = json_new(w->by.a, JSON_OBJECT);

	for (const struct json *m = settings ? settings->first : NULL; m; m = m->next) {
		struct str text = json_text(m);

		if (!source_setting_is_sealed(text))
			json_share(w->by.a, out, m->name, m);
		else if (w->secrets)
			json_add(out, m->name, json_new_str(w->by.a, source_setting_open(w->by.a, w->by.seal, m->name, text)));
	}
	return out->count ? out : NULL;
}

static bool integration_thing(struct config_work *w, const struct source *s, struct config_thing *out, struct err *e)
{
	struct integration_form *f = out->form;
	struct source_plain plain = { .key = STR_NONE };

	out->id = s->public_id;
	out->name = s->name;
	integration_to_form(&w->by, s, f);
	f->type = s->provider;
	f->settings = settings_of(w, f->settings);
	if (!w->secrets)
		return true;
	if (!source_plain(w->by.db, w->by.a, w->by.seal, s, &plain, e))
		return false;
	f->key = plain.key;
	f->secret = plain.secret.n ? plain.secret : STR_NONE;
	f->handler_secret = plain.handler_secret.n ? plain.handler_secret : STR_NONE;
	return true;
}

static bool integration_things(struct config_work *w, struct config_thing **out, size_t *n, struct err *e)
{
	struct source *rows;
	size_t row_n;

	*n = 0;
	if (!source_list(w->by.db, w->by.a, (uint32_t)w->by.tenant_id, STR_NONE, 0, THINGS_MAX, w->by.now, &rows, &row_n, e))
		return false;
	*out = things_new(w->by.a, row_n, sizeof(struct integration_form));
	while (row_n--)		/* newest first; the file begins with the oldest */
		if (rows[row_n].kind == SOURCE_INTEGRATION && !integration_thing(w, &rows[row_n], &(*out)[(*n)++], e))
			return false;
	return true;
}

static bool is_hex_key(struct str s)
{
	unsigned char bytes[16];

	return hex_decode(s, bytes, sizeof(bytes));
}

static int integration_make(struct config_work *w, void *form, struct str id, struct err *e)
{
	struct integration_form *f = form;
	struct source made;
	struct str key;

	if (!public_id_is(id, "in"))
		err_field(e, ERR_INVALID, "id", "The id of an integration begins with in_.");
	else if (f->key.n && !is_hex_key(f->key))
		err_field(e, ERR_INVALID, "key", "A key is 32 hexadecimal digits.");
	f->public_id = id;
	return !e->code && integration_create(&w->by, f, &made, &key, e) ? 1 : -1;
}

/* A setting that is a secret, and that the file does not bring, stays. */
static const struct json *with_sealed(struct config_work *w, const struct json *wish, const struct json *before)
{
	struct json *out = json_new(w->by.a, JSON_OBJECT);

	for (const struct json *m = wish ? wish->first : NULL; m; m = m->next)
		json_share(w->by.a, out, m->name, m);
	for (const struct json *m = before ? before->first : NULL; m; m = m->next)
		if (source_setting_is_sealed(json_text(m)) && !json_getn(out, m->name))
			json_share(w->by.a, out, m->name, m);
	return out->count ? out : NULL;
}

static bool integration_read(void *ctx, struct integration_form *f, struct err *e)
{
	const struct json *before = f->settings;
	struct wish *x = ctx;

	if (!form_read_json(x->w->by.a, x->json, integration_fields, FORM_CHANGE, f, e))
		return false;
	f->settings = with_sealed(x->w, f->settings, before);
	return true;
}

static bool integration_set(struct config_work *w, const struct config_thing *stored, const struct json *wish, struct err *e)
{
	struct integration_form f;
	struct source s;

	return integration_change(&w->by, stored->id, integration_read, &(struct wish){ w, wish }, &f, &s, e);
}

/* ---- channels ---- */

static const struct channel_form channel_new = CHANNEL_FORM_NEW;

static bool channel_things(struct config_work *w, struct config_thing **out, size_t *n, struct err *e)
{
	struct channel *rows;
	bool ok;

	ok = channel_list(w->by.db, w->by.a, w->by.tenant_id, 0, CHANNELS_MAX, &rows, n, e);
	*out = ok ? things_new(w->by.a, *n, sizeof(struct channel_form)) : NULL;
	for (size_t i = 0; ok && i < *n; i++) {
		struct config_thing *x = &(*out)[i];

		x->id = rows[i].public_id;
		x->name = rows[i].name;
		if (w->secrets)
			ok = channel_to_form_open(&w->by, &rows[i], x->form, e);
		else
			channel_to_form(&w->by, &rows[i], x->form);
	}
	return ok;
}

static int channel_make(struct config_work *w, void *form, struct str id, struct err *e)
{
	struct channel_form *f = form;
	struct channel made;

	if (!public_id_is(id, "ch"))
		err_field(e, ERR_INVALID, "id", "The id of a channel begins with ch_.");
	else if (channel_secret_missing(f))
		return 0;
	f->public_id = id;
	return !e->code && channel_create(&w->by, f, &made, e) ? 1 : -1;
}

static bool channel_read(void *ctx, struct channel_form *f, struct err *e)
{
	struct wish *x = ctx;

	return form_read_json(x->w->by.a, x->json, channel_fields, FORM_CHANGE, f, e);
}

static bool channel_set(struct config_work *w, const struct config_thing *stored, const struct json *wish, struct err *e)
{
	struct channel_form f;

	return channel_change(&w->by, stored->id, channel_read, &(struct wish){ w, wish }, &f, e);
}

/* ---- maintenance windows: those that recur; what applies once is no configuration ---- */

static const struct hush_form window_new = HUSH_FORM_NEW;

static bool window_things(struct config_work *w, struct config_thing **out, size_t *n, struct err *e)
{
	const struct hush_range r = { .tenant_id = w->by.tenant_id, .kind = HUSH_WINDOW, .over_after = w->by.now, .over_until = INT64_MAX };
	struct hush *rows;
	size_t row_n;

	*n = 0;
	if (!hush_list(w->by.db, w->by.a, &r, HUSHES_MAX, &rows, &row_n, e))
		return false;
	*out = things_new(w->by.a, row_n, sizeof(struct hush_form));
	while (row_n--) {	/* newest first; the file begins with the oldest */
		struct config_thing *x = &(*out)[*n];

		if (!rows[row_n].times.repeat)
			continue;
		x->id = rows[row_n].public_id;
		x->name = rows[row_n].name;
		hush_to_form(&w->by, &rows[row_n], x->form);
		(*n)++;
	}
	return true;
}

static int window_make(struct config_work *w, void *form, struct str id, struct err *e)
{
	struct hush_form *f = form;
	struct hush made;

	if (!public_id_is(id, "mw"))
		err_field(e, ERR_INVALID, "id", "The id of a maintenance window begins with mw_.");
	f->public_id = id;
	return !e->code && hush_create(&w->by, HUSH_WINDOW, f, &made, e) ? 1 : -1;
}

static bool window_read(void *ctx, struct hush_form *f, struct err *e)
{
	struct wish *x = ctx;

	return form_read_json(x->w->by.a, x->json, window_fields, FORM_CHANGE, f, e);
}

static bool window_set(struct config_work *w, const struct config_thing *stored, const struct json *wish, struct err *e)
{
	return hush_change(&w->by, HUSH_WINDOW, stored->id, window_read, &(struct wish){ w, wish }, e);
}

/* ---- users: without passwords, also where secrets are asked for ---- */

static const struct user_form user_new = USER_FORM_NEW;

static bool user_things(struct config_work *w, struct config_thing **out, size_t *n, struct err *e)
{
	struct user *rows;

	if (!user_list(w->by.db, w->by.a, (uint32_t)w->by.tenant_id, &rows, n, e))
		return false;
	*out = things_new(w->by.a, *n, sizeof(struct user_form));
	for (size_t i = 0; i < *n; i++) {
		(*out)[i].id = rows[i].public_id;
		(*out)[i].name = rows[i].name;
		user_to_form(&rows[i], (*out)[i].form);
	}
	return true;
}

static int user_make(struct config_work *w, void *form, struct str id, struct err *e)
{
	struct user made;

	if (!user_create(&w->by, form, &made, e))
		return -1;
	has_id(w, id, made.public_id);
	return 1;
}

static bool user_read(void *ctx, struct user_form *f, struct err *e)
{
	struct wish *x = ctx;

	return form_read_json(x->w->by.a, x->json, user_fields, FORM_CHANGE, f, e);
}

static bool user_set(struct config_work *w, const struct config_thing *stored, const struct json *wish, struct err *e)
{
	struct user_form f;
	struct user out;

	return user_change(&w->by, stored->id, user_read, &(struct wish){ w, wish }, &f, &out, e);
}

/* ---- schedules: whoever takes turns is named, since users have other ids elsewhere. Without overrides ---- */

static const struct schedule_form schedule_new = SCHEDULE_FORM_NEW;

static bool schedule_things(struct config_work *w, struct config_thing **out, size_t *n, struct err *e)
{
	struct oncall_schedule *rows;

	if (!oncall_list(w->by.db, w->by.a, w->by.tenant_id, 0, SCHEDULES_MAX, w->by.now, &rows, n, e))
		return false;
	*out = things_new(w->by.a, *n, sizeof(struct schedule_form));
	for (size_t i = 0; i < *n; i++) {
		(*out)[i].id = rows[i].public_id;
		(*out)[i].name = rows[i].name;
		schedule_to_form(&w->by, &rows[i], ONCALL_BY_NAME, (*out)[i].form);
	}
	return true;
}

static int schedule_make(struct config_work *w, void *form, struct str id, struct err *e)
{
	struct schedule_form *f = form;
	struct oncall_schedule made;

	if (!public_id_is(id, "sc"))
		err_field(e, ERR_INVALID, "id", "The id of a schedule begins with sc_.");
	f->public_id = id;
	f->leave_viewers = true;
	return !e->code && schedule_create(&w->by, f, &made, e) ? 1 : -1;
}

static bool schedule_read(void *ctx, struct schedule_form *f, struct err *e)
{
	struct wish *x = ctx;

	f->leave_viewers = true;
	return form_read_json(x->w->by.a, x->json, schedule_fields, FORM_CHANGE, f, e);
}

static bool schedule_set(struct config_work *w, const struct config_thing *stored, const struct json *wish, struct err *e)
{
	return schedule_change(&w->by, stored->id, schedule_read, &(struct wish){ w, wish }, e);
}

/* ---- escalation policies ---- */

static const struct policy_form policy_new;

static bool policy_things(struct config_work *w, struct config_thing **out, size_t *n, struct err *e)
{
	struct policy *rows;

	if (!policy_list(w->by.db, w->by.a, w->by.tenant_id, 0, POLICIES_MAX, &rows, n, e))
		return false;
	*out = things_new(w->by.a, *n, sizeof(struct policy_form));
	for (size_t i = 0; i < *n; i++) {
		(*out)[i].id = rows[i].public_id;
		(*out)[i].name = rows[i].name;
		policy_to_form(&w->by, &rows[i], (*out)[i].form);
	}
	return true;
}

/* A copy, since the import may run again. */
static struct json *with_our_ids(struct config_work *w, const struct json *j)
{
	const struct json *ours = json_is(j, JSON_STRING) && str_eqs(j->name, "id") ? json_getn(w->ids, j->text) : NULL;
	struct json *out = json_new(w->by.a, j->type);

	out->text = ours ? ours->text : j->text;
	for (const struct json *x = j->first; x; x = x->next)
		json_add(out, x->name, with_our_ids(w, x));
	return out;
}

/* Users have other ids here; channels that were left out are left out of it. */
static void policy_ours(struct config_work *w, void *form)
{
	struct policy_form *f = form;

	f->leave_gone = true;
	if (f->steps)
		f->steps = with_our_ids(w, f->steps);
}

static int policy_make(struct config_work *w, void *form, struct str id, struct err *e)
{
	struct policy_form *f = form;
	struct policy made;

	if (!public_id_is(id, "po")) {
		err_field(e, ERR_INVALID, "id", "The id of an escalation policy begins with po_.");
		return -1;
	}
	f->public_id = id;
	return policy_create(&w->by, f, &made, e) ? 1 : -1;
}

static bool policy_read(void *ctx, struct policy_form *f, struct err *e)
{
	struct wish *x = ctx;

	if (!form_read_json(x->w->by.a, x->json, policy_fields, FORM_CHANGE, f, e))
		return false;
	policy_ours(x->w, f);
	return true;
}

static bool policy_set(struct config_work *w, const struct config_thing *stored, const struct json *wish, struct err *e)
{
	return policy_change(&w->by, stored->id, policy_read, &(struct wish){ w, wish }, e);
}

/* ---- alert rules ---- */

static const struct alert_rule_form rule_new = ALERT_RULE_FORM_NEW;

static bool rule_things(struct config_work *w, struct config_thing **out, size_t *n, struct err *e)
{
	struct alert_rule *rows;

	if (!alert_rules_of_tenant(w->by.db, w->by.a, w->by.tenant_id, &rows, n, e))
		return false;
	*out = things_new(w->by.a, *n, sizeof(struct alert_rule_form));
	for (size_t i = 0; i < *n; i++) {
		(*out)[i].id = rows[i].public_id;
		(*out)[i].name = rows[i].name;
		alert_rule_to_form(&w->by, &rows[i], (*out)[i].form);
	}
	return true;
}

static struct str our_id(const struct config_work *w, struct str theirs)
{
	const struct json *ours = json_getn(w->ids, theirs);

	return ours ? ours->text : theirs;
}

/* Users and services have other ids here. */
static void rule_ours(struct config_work *w, void *form)
{
	struct alert_rule_form *f = form;
	struct json *filter = json_new(w->by.a, JSON_OBJECT);

	f->user = our_id(w, f->user);
	for (const struct json *m = f->filter ? f->filter->first : NULL; m; m = m->next)
		if (str_eqs(m->name, "service") && json_is(m, JSON_STRING))
			json_add(filter, m->name, json_new_str(w->by.a, our_id(w, m->text)));
		else
			json_share(w->by.a, filter, m->name, m);
	f->filter = filter;
}

static int rule_user(struct config_work *w, const struct alert_rule_form *f, uint64_t *user_id, struct err *e)
{
	struct user u;
	int found = user_by_public_id(w->by.db, w->by.a, (uint32_t)w->by.tenant_id, f->user, &u, e);

	*user_id = found == 1 ? u.id : 0;
	return found;
}

/* One whose user is not of this tenant, or whose integration is not there, is left out. */
static int rule_make(struct config_work *w, void *form, struct str id, struct err *e)
{
	struct alert_rule_form *f = form;
	struct alert_rule made;
	uint64_t user_id;
	int found;

	if (!public_id_is(id, "ar")) {
		err_field(e, ERR_INVALID, "id", "The id of an alert rule begins with ar_.");
		return -1;
	}
	f->public_id = id;
	found = rule_user(w, f, &user_id, e);
	if (found != 1)
		return found;
	if (alert_rule_form_filter(&w->by, f, e) && alert_rule_create(&w->by, user_id, f, &made, e))
		return 1;
	if (e->code != ERR_INVALID || strcmp(e->field, "source"))
		return -1;
	*e = (struct err){ 0 };
	return 0;
}

static bool rule_read(void *ctx, struct alert_rule_form *f, struct err *e)
{
	struct wish *x = ctx;

	if (!form_read_json(x->w->by.a, x->json, alert_rule_config_fields, FORM_CHANGE, f, e))
		return false;
	rule_ours(x->w, f);
	return alert_rule_form_filter(&x->w->by, f, e);
}

static bool rule_set(struct config_work *w, const struct config_thing *stored, const struct json *wish, struct err *e)
{
	uint64_t user_id;
	int found = rule_user(w, stored->form, &user_id, e);

	return found == 1 && alert_rule_change_by(&w->by, user_id, stored->id, rule_read, &(struct wish){ w, wish }, e);
}

/* ---- the table ---- */

const struct config_part config_parts[] = {
	{ "retention", retention_fields, sizeof(struct retention_form), &retention_new, retention_list, NULL, retention_set },
	{ "channels", channel_fields, sizeof(struct channel_form), &channel_new, channel_things, channel_make, channel_set },
	{ "users", user_fields, sizeof(struct user_form), &user_new, user_things, user_make, user_set },
	{ "schedules", schedule_fields, sizeof(struct schedule_form), &schedule_new, schedule_things, schedule_make, schedule_set },
	{ "policies", policy_fields, sizeof(struct policy_form), &policy_new, policy_things, policy_make, policy_set,
		policy_ours },
	{ "services", service_fields, sizeof(struct service_form), &service_new, service_things, service_make, service_set },
	{ "integrations", integration_fields, sizeof(struct integration_form), &integration_new, integration_things, integration_make,
		integration_set },
	{ "alertRules", alert_rule_config_fields, sizeof(struct alert_rule_form), &rule_new, rule_things, rule_make, rule_set, rule_ours },
	{ "maintenanceWindows", window_fields, sizeof(struct hush_form), &window_new, window_things, window_make, window_set },
	{ NULL }
};
static_assert(ARRAY_SIZE(config_parts) == CONFIG_PARTS + 1, "CONFIG_PARTS");
