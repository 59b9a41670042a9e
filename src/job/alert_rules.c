/* alert_rules.c - judges each minute the thresholds that users set for themselves, and tells when one is passed and when that is over.
 *
 * A tenant has its part of the time; what it has too much of is judged by the next run first, since those come first that were not judged
 * for longest. */
#include "job_int.h"

#define RULES_MAX 10000		/* of a tenant in a run: some megabytes, and a second */
#define TENANT_US 5000000	/* that one tenant takes while others wait */

/* What is found is written whole: a change at once, with who is told of it; values that changed nothing together. */
struct round {
	struct job_run *r;
	struct rule_meter *meter;
	struct alert_rule *noted;
	size_t noted_n;
};

static bool change(struct round *x, const struct alert_rule *rule, const struct rule_verdict *v, struct err *e)
{
	const struct job_config *c = x->r->c;
	int changed = c->dry_run ? 1 : alert_rule_change(c->db, x->r->a, c->ids, rule, v, job_now(x->r), e);

	if (changed > 0)
		job_count(x->r, v->triggered ? "triggered" : "over", 1);
	return changed >= 0;
}

static bool judge(struct round *x, const struct alert_rule *rule, struct err *e)
{
	struct rule_verdict v = { .why = STR("The user of the rule was disabled.") };
	const struct rule_condition c = alert_rule_condition(rule);

	if (!rule->enabled || !rule->user_enabled)
		return change(x, rule, &v, e);
	if (!rule_measure(x->meter, rule, &v.value, e))
		return false;
	v = (struct rule_verdict){ .measured = true, .value = v.value, .triggered = rule_holds(v.value, c.comparison, c.threshold) };
	if (v.triggered != rule->triggered)
		return change(x, rule, &v, e);
	x->noted[x->noted_n] = *rule;
	x->noted[x->noted_n++].value = v.value;
	return true;
}

/* As job_goes_on. */
static int judge_tenant(struct job_run *r, uint64_t tenant_id, struct err *e)
{
	int64_t until_us = clock_mono_us() + TENANT_US;
	struct round x = { .r = r, .meter = rule_meter_new(r->c->db, r->a, tenant_id, job_now(r)) };
	struct alert_rule *rules;
	size_t n;
	int go = 1;

	if (!alert_rules_due(r->c->db, r->a, tenant_id, RULES_MAX, &rules, &n, e))
		return -1;
	x.noted = ARENA_ARRAY(r->a, struct alert_rule, n + 1);
	for (size_t i = 0; go == 1 && i < n && clock_mono_us() < until_us; i++) {
		go = job_goes_on(r, e);
		if (go == 1 && !judge(&x, &rules[i], e))
			go = -1;
	}
	if (go >= 0 && !r->c->dry_run && !alert_rules_note(r->c->db, r->a, x.noted, x.noted_n, job_now(r), e))
		go = -1;
	return go;
}

/* The position is the last tenant that had its turn: where time runs out, or one fails, the next run goes on behind it. */
static bool run(struct job_run *r, struct err *e)
{
	uint64_t tenant_id = r->position;
	int found, go = 1;

	while (go == 1 && (found = alert_rule_tenant_next(r->c->db, r->a, tenant_id, &tenant_id, e)) == 1) {
		r->position = tenant_id;
		go = judge_tenant(r, tenant_id, e);
		arena_reset(r->a);
	}
	if (go != 1)
		return go == 0;
	if (!found)
		r->position = 0;
	return found == 0;
}

const struct job job_alert_rules = {
	.facts = { .name = "alert-rules", .schedule = { .every_min = 1 },
		.help = "Judges the alert rules of all users and tells when one triggers or is over." },
	.run = run,
};
