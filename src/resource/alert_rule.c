/* alert_rule.c - alert rules: their form; making, changing and removing one; judging those of a user at once. Each is its user's own: nobody else, not
 * even an administrator, sees or changes it. */
#include "resource_int.h"

#include "grapnel/json.h"
#include "grapnel/log.h"

static const struct form_word metric_words[] = {
	{ "event_count", 1u << RULE_EVENT_COUNT },
	{ "failure_count", 1u << RULE_FAILURE_COUNT },
	{ "success_rate", 1u << RULE_SUCCESS_RATE },
	{ "pending_count", 1u << RULE_PENDING_COUNT },
	{ "oldest_pending_minutes", 1u << RULE_OLDEST_PENDING },
	{ "minutes_since_last_event", 1u << RULE_LAST_EVENT },
	{ "open_incidents", 1u << RULE_OPEN_INCIDENTS },
	{ 0 }
};

static const struct form_word comparison_words[] = {
	{ ">", 1u << RULE_ABOVE }, { ">=", 1u << RULE_AT_LEAST }, { "<", 1u << RULE_BELOW }, { "<=", 1u << RULE_AT_MOST }, { "==", 1u << RULE_EQUAL },
	{ 0 }
};

#define FILTER_OBJECT_ROW \
	{ "filter", OBJECT_AT(struct alert_rule_form, filter), .help = "Counts only what fits all that it names: provider, source, service" }
#define NAME_ROWS \
	{ "name", TEXT_AT(struct alert_rule_form, name), FORM_REQUIRED, 1, 400, .help = "1 to 100 characters" }, \
	{ "metric", WORDS_AT(struct alert_rule_form, metric), FORM_REQUIRED, .words = metric_words, .help = "What is measured, without test traffic" }
#define LIMIT_ROWS \
	{ "comparison", WORDS_AT(struct alert_rule_form, comparison), FORM_REQUIRED, .words = comparison_words, \
		.help = "The rule triggers when the value stands so to the threshold" }, \
	{ "threshold", DECIMAL_AT(struct alert_rule_form, threshold), FORM_REQUIRED, .max = RULE_THRESHOLD_MAX, \
		.help = "A number, of which four decimals count; of success_rate 0 to 1 make sense" }, \
	{ "windowMinutes", NUMBER_AT(struct alert_rule_form, window_min), 0, 1, RULE_WINDOW_MAX, \
		.help = "The time up to now that event_count, failure_count and success_rate look at; 60 where it is not said" }, \
	{ "enabled", BOOL_AT(struct alert_rule_form, enabled), .help = "One that is off is not judged" }
#define FILTER_ROWS \
	{ "provider", TEXT_AT(struct alert_rule_form, provider), .max = 32, .help = "Slug of an integration type" }, \
	{ "source", TEXT_AT(struct alert_rule_form, source), .max = 23, .help = "Id of an integration" }, \
	{ "service", TEXT_AT(struct alert_rule_form, service), .max = 400, .help = "Id or name of a service" }

const struct form_field alert_rule_fields[] = { NAME_ROWS, FILTER_OBJECT_ROW, LIMIT_ROWS, FORM_END };
const struct form_field alert_rule_config_fields[] = {
	{ "user", TEXT_AT(struct alert_rule_form, user), FORM_REQUIRED | FORM_FIXED, 1, 23, .help = "Id of the user whose rule it is" },
	NAME_ROWS,
	FILTER_OBJECT_ROW,
	LIMIT_ROWS,
	FORM_END
};
const struct form_field alert_rule_post_fields[] = { NAME_ROWS, FILTER_ROWS, LIMIT_ROWS, FORM_END };
static const struct form_field filter_fields[] = { FILTER_ROWS, FORM_END };

const struct form_field alert_rule_query_fields[] = {
	{ "limit", NUMBER_AT(struct alert_rule_query, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most rules in the answer" },
	CURSOR_ROW(struct alert_rule_query, cursor, "rules"),
	FORM_END
};

/* ---- form and rule ---- */

bool alert_rule_form_filter(const struct caller *by, struct alert_rule_form *f, struct err *e)
{
	f->provider = f->source = f->service = STR("");
	return !f->filter || form_read_json(by->a, f->filter, filter_fields, FORM_NEW, f, e);
}

static bool one_word(uint64_t bits, const char *field, struct err *e)
{
	return (bits && !(bits & (bits - 1))) || err_field(e, ERR_INVALID, field, "%s is one word of the list.", field);
}

static bool form_to_rule(const struct caller *by, const struct alert_rule_form *f, struct alert_rule *r, struct err *e)
{
	if (!one_word(f->metric, "metric", e) || !one_word(f->comparison, "comparison", e))
		return false;
	r->name = f->name;
	r->metric = (uint64_t)__builtin_ctzll(f->metric);
	r->comparison = (uint64_t)__builtin_ctzll(f->comparison);
	r->provider = f->provider;
	r->source = f->source;
	r->service = f->service;
	r->threshold = f->threshold;
	r->window_min = f->window_min;
	r->enabled = f->enabled;
	return alert_rule_find_filter(by->db, by->a, r, e);
}

static const struct json *filter_of(const struct caller *by, const struct alert_rule *r)
{
	struct json *filter = json_new(by->a, JSON_OBJECT);

	if (r->provider.n)
		json_add(filter, STR("provider"), json_new_str(by->a, r->provider));
	if (r->source.n)
		json_add(filter, STR("source"), json_new_str(by->a, r->source));
	if (r->service.n)
		json_add(filter, STR("service"), json_new_str(by->a, r->service));
	return filter;
}

void alert_rule_to_form(const struct caller *by, const struct alert_rule *r, struct alert_rule_form *f)
{
	*f = (struct alert_rule_form){ .name = r->name, .metric = 1u << r->metric, .comparison = 1u << r->comparison, .filter = filter_of(by, r),
		.provider = r->provider, .source = r->source, .service = r->service, .threshold = r->threshold, .window_min = r->window_min,
		.enabled = r->enabled, .user = r->user };
}

/* ---- acts ---- */

static int find(const struct caller *by, uint64_t user_id, struct str public_id, struct alert_rule *out, struct err *e)
{
	return public_id_is(public_id, "ar") ? alert_rule_get(by->db, by->a, by->tenant_id, user_id, public_id, out, e) : 0;
}

int alert_rule_find(const struct caller *by, struct str public_id, struct alert_rule *out, struct err *e)
{
	return find(by, by->principal.user_id, public_id, out, e);
}

static bool not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such alert rule");
}

bool alert_rule_create(const struct caller *by, uint64_t user_id, const struct alert_rule_form *f, struct alert_rule *made, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct alert_rule r = { .tenant_id = by->tenant_id, .user_id = user_id, .public_id = f->public_id };

	return form_to_rule(by, f, &r, e) && alert_rule_add(by->db, by->a, &r, &who, by->now, made, e);
}

/* One try. 1, 0, -1 as the store. */
static int change(const struct caller *by, uint64_t user_id, struct str public_id,
	bool (*read)(void *ctx, struct alert_rule_form *f, struct err *e), void *ctx, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct alert_rule_form f;
	struct alert_rule r;
	int found = find(by, user_id, public_id, &r, e);

	if (found != 1)
		return found;
	alert_rule_to_form(by, &r, &f);
	if (!read(ctx, &f, e) || !form_to_rule(by, &f, &r, e))
		return -1;
	return alert_rule_update(by->db, by->a, by->ids, &r, &who, by->now, e);
}

bool alert_rule_change_by(const struct caller *by, uint64_t user_id, struct str public_id,
	bool (*read)(void *ctx, struct alert_rule_form *f, struct err *e), void *ctx, struct err *e)
{
	int done, tries = 0;

	do
		done = change(by, user_id, public_id, read, ctx, e);
	while (changed_meanwhile(done, &tries, e));
	if (done == 1)
		bell_ring(by->shm);
	return done == 1 || (!done && not_found(e));
}

bool alert_rule_remove(const struct caller *by, struct str public_id, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	int done = public_id_is(public_id, "ar") ?
		alert_rule_delete(by->db, by->a, by->ids, by->tenant_id, by->principal.user_id, public_id, &who, by->now, e) : 0;

	if (done == 1)
		bell_ring(by->shm);
	return done == 1 || (!done && not_found(e));
}

/* ---- judging ---- */

const struct field alert_rule_result_fields[] = {
	FIELD_STR(struct alert_rule_result, rule_id, "rule_id", "Public id of the rule"),
	FIELD_STR(struct alert_rule_result, name, "name", "As its user calls it"),
	FIELD_BOOL(struct alert_rule_result, triggered, "triggered", "Its condition holds now"),
	FIELD_NUMBER(struct alert_rule_result, value, "value", "What was measured now"),
	FIELD_NUMBER(struct alert_rule_result, threshold, "threshold", "What that was compared with"),
	FIELD_END
};

/* Trouble of ours with that is not the caller's, who asked for the results. */
static void deliver(const struct caller *by, const struct alert_rule *triggered, size_t n)
{
	struct err e = { 0 };

	if (!alert_rules_deliver(by->db, by->a, by->ids, triggered, n, by->now, &e))
		log_error("what alert rules found is not delivered", LOG_ERR(&e));
	else if (n)
		bell_ring(by->shm);
}

bool alert_rules_judge_by(const struct caller *by, struct alert_rules_judged *out, struct err *e)
{
	struct rule_meter *meter = rule_meter_new(by->db, by->a, by->tenant_id, by->now);
	struct alert_rule *rules, *triggered;

	*out = (struct alert_rules_judged){ 0 };
	if (!alert_rules_of_user(by->db, by->a, by->tenant_id, by->principal.user_id, &rules, &out->n, e))
		return false;
	out->results = ARENA_ARRAY(by->a, struct alert_rule_result, out->n + 1);
	triggered = ARENA_ARRAY(by->a, struct alert_rule, out->n + 1);
	for (size_t i = 0; i < out->n; i++) {
		const struct rule_condition c = alert_rule_condition(&rules[i]);
		struct alert_rule_result *r = &out->results[i];

		*r = (struct alert_rule_result){ .rule_id = rules[i].public_id, .name = rules[i].name, .threshold = rules[i].threshold };
		if (!rule_measure(meter, &rules[i], &r->value, e))
			return false;
		r->triggered = rule_holds(r->value, c.comparison, c.threshold);
		if (!r->triggered)
			continue;
		triggered[out->triggered] = rules[i];
		triggered[out->triggered++].value = r->value;
	}
	deliver(by, triggered, out->triggered);
	return true;
}
