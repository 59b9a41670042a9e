/* alert_rule.c - alert rules as people see them. */
#include "view_int.h"

#include "grapnel/json.h"

#define FILTER_MAX 512
#define TEXT_MAX 1024

const struct field alert_rule_view_fields[] = {
	FIELD_STR(struct alert_rule_view, id, "id", "Public id"),
	FIELD_STR(struct alert_rule_view, name, "name", "As its user calls it"),
	FIELD_STR(struct alert_rule_view, metric, "metric", "What is measured"),
	FIELD_JSON(struct alert_rule_view, filter, "filter", "An object with provider, source and service, as far as they are set"),
	FIELD_STR(struct alert_rule_view, comparison, "comparison", "How the value is compared with the threshold: >, >=, <, <= or =="),
	FIELD_NUMBER(struct alert_rule_view, threshold, "threshold", "What it is compared with"),
	FIELD_U64(struct alert_rule_view, window_min, "windowMinutes", "The time that is looked at, up to now"),
	FIELD_BOOL(struct alert_rule_view, enabled, "enabled", "One that is off is not judged"),
	FIELD_STR(struct alert_rule_view, status, "status", "triggered; fine: it does not hold; untried: nobody has looked yet; or disabled"),
	FIELD_TIME(struct alert_rule_view, since, "since", "When it triggered or was over; null = it never triggered"),
	FIELD_JSON(struct alert_rule_view, value, "value", "What the job alert-rules measured last; null = nothing yet"),
	FIELD_TIME(struct alert_rule_view, evaluated_at, "evaluatedAt", "When that was"),
	FIELD_TIME(struct alert_rule_view, created_at, "createdAt", "Creation"),
	FIELD_TIME(struct alert_rule_view, updated_at, "updatedAt", "Last change"),
	FIELD_END
};

static struct str filter_json(struct arena *a, const struct alert_rule *r)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, FILTER_MAX);
	json_out_init(&o, &b);
	alert_rule_filter_json(&o, r);
	return strbuf_str(&b);
}

static struct str number_text(struct arena *a, double x)
{
	struct strbuf b;

	strbuf_init(&b, a, TEXT_MAX);
	strbuf_number(&b, x);
	return strbuf_str(&b);
}

/* "Stripe, of the service shop"; empty: all. */
static struct str filter_text(struct arena *a, const struct alert_rule *r)
{
	const struct provider *p = r->provider.n ? provider_find(r->provider) : NULL;
	struct strbuf b;

	strbuf_init(&b, a, TEXT_MAX);
	if (r->provider.n)
		strbuf_addf(&b, "%s", p ? p->title : arena_cstr(a, r->provider));
	if (r->source_row)
		strbuf_addf(&b, "%s%.*s", b.n ? ", " : "", STR_ARG(r->source_name));
	if (r->service_row)
		strbuf_addf(&b, "%sservice %.*s", b.n ? ", " : "", STR_ARG(r->service_name));
	return strbuf_str(&b);
}

static struct str status_word(const struct alert_rule *r)
{
	if (!r->enabled)
		return STR("disabled");
	if (r->triggered)
		return STR("triggered");
	return r->has_value ? STR("fine") : STR("untried");
}

void alert_rule_view_fill(struct arena *a, const struct alert_rule *r, struct alert_rule_view *out)
{
	const struct rule_condition c = alert_rule_condition(r);

	*out = (struct alert_rule_view){
		.id = r->public_id, .name = r->name, .metric = str_of(rule_metric_word(c.metric)), .filter = filter_json(a, r),
		.comparison = str_of(rule_comparison_word(c.comparison)), .threshold = r->threshold, .window_min = r->window_min,
		.condition = rule_text(a, &c), .of = filter_text(a, r), .enabled = r->enabled, .status = status_word(r), .since = r->since,
		.value = r->has_value ? number_text(a, r->value) : STR_NONE, .evaluated_at = r->evaluated_at, .created_at = r->created_at,
		.updated_at = r->updated_at,
	};
}

bool alert_rule_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, uint64_t cursor, uint64_t limit,
	struct alert_rule_view **out, size_t *n, uint64_t *next, struct err *e)
{
	struct alert_rule *rows;

	*next = 0;
	if (!alert_rule_list(db, a, tenant_id, user_id, cursor, limit + 1, &rows, n, e))
		return false;
	if (*n > limit) {
		*n = limit;
		*next = rows[limit - 1].id;
	}
	*out = ARENA_ARRAY(a, struct alert_rule_view, *n + 1);
	for (size_t i = 0; i < *n; i++)
		alert_rule_view_fill(a, &rows[i], &(*out)[i]);
	return true;
}

bool alert_rule_find_filter(struct db *db, struct arena *a, struct alert_rule *r, struct err *e)
{
	struct source_filter named = { 0 };

	if (!find_source(db, a, r->tenant_id, r->provider, r->source, &named, e) ||
		!find_service(db, a, r->tenant_id, STR_NONE, r->service, &r->service_row, e))
		return false;
	r->source_row = named.source;
	return true;
}
