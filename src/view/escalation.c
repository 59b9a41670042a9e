/* escalation.c - where an incident is in its escalation policy: what comes next and when, who was paged, or how it ended. */
#include "view_int.h"

const struct field escalation_view_fields[] = {
	FIELD_STR(struct escalation_view, policy_id, "policyId", "The policy that its service had when it began; null = it was deleted"),
	FIELD_STR(struct escalation_view, policy, "policy", "Its name"),
	FIELD_STR(struct escalation_view, state, "state", "running; paused: by a snooze, a maintenance window or a silence; or ended"),
	FIELD_STR(struct escalation_view, why, "why",
		"How it ended: acknowledged, resolved, at_end: all steps were taken and nobody took care, unreachable: the same and no step reached anybody, or"
		" policy_deleted; null = it goes on"),
	FIELD_U64(struct escalation_view, step, "nextStep", "Which one is taken next, from 1; 0 = none"),
	FIELD_U64(struct escalation_view, steps, "steps", "So many the policy has"),
	FIELD_U64(struct escalation_view, round, "round", "Of that one: 1, with repeats 2..."),
	FIELD_U64(struct escalation_view, rounds, "rounds", "So many there are"),
	FIELD_TIME(struct escalation_view, next_at, "nextAt", "When that is, or, with no further step, when it ends; null = it has ended"),
	FIELD_TIME(struct escalation_view, ended_at, "endedAt", "When it ended; null = it goes on"),
	FIELD_END
};

const struct field escalation_target_view_fields[] = {
	FIELD_STR(struct escalation_target_view, type, "type", "user, schedule or channel"),
	FIELD_STR(struct escalation_target_view, id, "id", "Its id"),
	FIELD_STR(struct escalation_target_view, name, "name", "Its name; null = it is gone"),
	FIELD_END
};

const struct field escalation_paged_view_fields[] = {
	FIELD_STR(struct escalation_paged_view, id, "id", "Public id of the person"),
	FIELD_STR(struct escalation_paged_view, name, "name", "User name"),
	FIELD_U64(struct escalation_paged_view, pages, "pages", "Messages to all contacts, in all steps"),
	FIELD_U64(struct escalation_paged_view, sent, "sent", "Of these were taken by who carries them"),
	FIELD_TIME(struct escalation_paged_view, last_at, "lastAt", "The newest"),
	FIELD_END
};

static const struct field paged_columns[] = {
	FIELD_STR(struct escalation_paged_view, id, "public_id", ""),
	FIELD_STR(struct escalation_paged_view, name, "name", ""),
	FIELD_U64(struct escalation_paged_view, pages, "pages", ""),
	FIELD_U64(struct escalation_paged_view, sent, "sent", ""),
	FIELD_TIME(struct escalation_paged_view, last_at, "last_at", ""),
	FIELD_END
};

struct row {
	struct escalation at;
	uint64_t ended, repeats;
	ms_t ended_at;
	struct str policy_id, policy, steps;
};

static const struct field columns[] = {
	FIELD_U64(struct row, at.step, "step", ""),
	FIELD_U64(struct row, at.round, "round", ""),
	FIELD_BOOL(struct row, at.paused, "paused", ""),
	FIELD_TIME(struct row, at.next_at, "next_at", ""),
	FIELD_U64(struct row, ended, "ended", ""),
	FIELD_TIME(struct row, ended_at, "ended_at", ""),
	FIELD_STR(struct row, policy_id, "public_id", ""),
	FIELD_STR(struct row, policy, "name", ""),
	FIELD_STR(struct row, steps, "steps", ""),
	FIELD_U64(struct row, repeats, "repeats", ""),
	FIELD_END
};

static struct str ids_json(struct arena *a, const struct policy_step *s)
{
	struct strbuf b;

	strbuf_init(&b, a, ESCALATION_TARGETS_MAX * 32 + 16);
	strbuf_addc(&b, '[');
	for (size_t i = 0; i < s->n; i++)
		strbuf_addf(&b, "%s\"%.*s\"", i ? "," : "", STR_ARG(s->targets[i].id));
	strbuf_addc(&b, ']');
	return strbuf_str(&b);
}

static bool fill_targets(struct db *db, struct arena *a, uint64_t tenant_id, const struct policy_step *s, struct escalation_view *v, struct err *e)
{
	struct policy_target_name *names;
	size_t n;

	if (!policy_target_names(db, a, tenant_id, ids_json(a, s), &names, &n, e))
		return false;
	v->targets = ARENA_ARRAY(a, struct escalation_target_view, s->n + 1);
	for (v->targets_n = 0; v->targets_n < s->n; v->targets_n++) {
		const struct policy_target *t = &s->targets[v->targets_n];

		v->targets[v->targets_n] = (struct escalation_target_view){ str_of(policy_target_word(t->type)), t->id, policy_target_name(names, n, t->id) };
	}
	return true;
}

/* What somebody has just done is seen before the escalation has heard of it. */
static enum escalation_end end_of(const struct row *r, const struct incident_view *incident)
{
	if (r->ended != ESCALATION_GOES_ON || incident->status_n == INCIDENT_OPEN)
		return (enum escalation_end)r->ended;
	return incident->status_n == INCIDENT_ACKNOWLEDGED ? ESCALATION_ACKNOWLEDGED : ESCALATION_RESOLVED;
}

static bool fill_next(struct db *db, struct arena *a, const struct row *r, const struct incident_view *incident, ms_t now, struct escalation_view *v, struct err *e)
{
	bool paused = r->at.paused || incident->held_by.n || incident->snoozed_until > now;
	struct policy_step *steps = ARENA_ARRAY(a, struct policy_step, ESCALATION_STEPS_MAX);
	struct escalation_plan plan = { .repeats = r->repeats };
	uint64_t step, round;

	policy_steps_read(a, r->steps, steps, &plan.n);
	v->steps = plan.n;
	if (v->why.n)
		return true;
	v->state = paused ? STR("paused") : STR("running");
	v->next_at = r->at.next_at;
	if (!escalation_next(&plan, &r->at, &step, &round))
		return true;
	v->step = step + 1;
	v->round = round + 1;
	return fill_targets(db, a, incident->tenant_id, &steps[step], v, e);
}

int escalation_view_get(struct db *db, struct arena *a, const struct incident_view *incident, ms_t now, struct escalation_view *out, struct err *e)
{
	struct row r;
	int found = db_query_one(db, &view_stmt[V_ESCALATION], VALS(V_U(incident->id)), a, columns, sizeof(r), &r, e);

	if (found != 1)
		return found;
	*out = (struct escalation_view){ .policy_id = r.policy_id, .policy = r.policy, .state = STR("ended"), .why = str_of(escalation_end_word(end_of(&r, incident))),
		.rounds = r.repeats + 1, .ended_at = r.ended_at };
	out->round = r.at.round < out->rounds ? r.at.round + 1 : out->rounds;
	if (!fill_next(db, a, &r, incident, now, out, e) ||
		!db_query(db, &view_stmt[V_PAGED], VALS(V_U(incident->id), V_U(incident->tenant_id), V_U(ESCALATION_PAGED_MAX)), a, paged_columns,
			sizeof(*out->paged), &out->paged, &out->paged_n, e))
		return -1;
	return 1;
}
