/* alert_rules.c - /api/alerts/rules and /api/alerts/triggered: thresholds that users set for themselves. */
#include "api_int.h"

void api_alert_rule_list(void *call)
{
	struct call *c = call;
	struct alert_rule_query q = ALERT_RULE_QUERY_NEW;
	struct alert_rule_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, alert_rule_query_fields, &q))
		return;
	if (alert_rule_view_list(c->by.db, c->a, c->by.tenant_id, c->by.principal.user_id, q.cursor, q.limit, &rows, &n, &next, &e))
		reply_list(c, "rules", alert_rule_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

static void reply_rule(struct call *c, unsigned status, struct str id)
{
	struct alert_rule_view v;
	struct alert_rule r;
	struct err e = { 0 };
	int found = alert_rule_find(&c->by, id, &r, &e);

	if (found != 1) {
		found < 0 ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	alert_rule_view_fill(c->a, &r, &v);
	reply_fields(c, status, alert_rule_view_fields, &v);
}

void api_alert_rule_get(void *call)
{
	struct call *c = call;

	if (input_one_tenant(c))
		reply_rule(c, 200, c->match.params[0]);
}

void api_alert_rule_create(void *call)
{
	struct call *c = call;
	struct alert_rule_form f = ALERT_RULE_FORM_NEW;
	struct alert_rule made;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, alert_rule_fields, false, &f))
		return;
	if (!alert_rule_form_filter(&c->by, &f, &e) || !alert_rule_create(&c->by, c->by.principal.user_id, &f, &made, &e)) {
		reply_err(c, &e);
		return;
	}
	response_header(c->rq, "Location", arena_printf(c->a, "/api/alerts/rules/%.*s", STR_ARG(made.public_id)));
	reply_rule(c, 201, made.public_id);
}

struct wish {
	struct call *c;
	const struct json *body;
};

static bool wish_read(void *ctx, struct alert_rule_form *f, struct err *e)
{
	const struct wish *w = ctx;

	return form_read_json(w->c->a, w->body, alert_rule_fields, FORM_CHANGE, f, e) && alert_rule_form_filter(&w->c->by, f, e);
}

void api_alert_rule_update(void *call)
{
	struct call *c = call;
	struct wish wish = { .c = c };
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_body(c, false, &wish.body))
		return;
	if (alert_rule_change_by(&c->by, c->by.principal.user_id, c->match.params[0], wish_read, &wish, &e))
		reply_rule(c, 200, c->match.params[0]);
	else
		reply_err(c, &e);
}

void api_alert_rule_delete(void *call)
{
	reply_removed(call, alert_rule_remove);
}

/* ---- judged now ---- */

struct summary {
	uint64_t evaluated, triggered;
};

static const struct field alert_rule_summary_fields[] = {
	FIELD_U64(struct summary, evaluated, "evaluated", "Rules that were judged"),
	FIELD_U64(struct summary, triggered, "triggered_count", "Those of them whose condition holds"),
	FIELD_END
};

const struct doc_part alert_triggered_parts[] = {
	{ "results", PART_ROWS, FIELDS(alert_rule_result_fields), .help = "Each enabled rule, the oldest first" },
	{ "summary", PART_ONE, FIELDS(alert_rule_summary_fields), .help = "How many" },
	{ 0 }
};

void api_alert_triggered(void *call)
{
	struct call *c = call;
	struct alert_rules_judged j;
	struct err e = { 0 };
	struct reply r;

	if (!input_one_tenant(c))
		return;
	if (!alert_rules_judge_by(&c->by, &j, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	reply_rows(&r, "results", alert_rule_result_fields, j.results, sizeof(*j.results), j.n);
	json_key(&r.o, "summary");
	json_open(&r.o, '{');
	json_fields(&r.o, alert_rule_summary_fields, &(struct summary){ j.n, j.triggered });
	json_close(&r.o, '}');
	reply_end(c, &r, 200);
}
