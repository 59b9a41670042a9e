/* escalation.c - where incidents are in their escalation policies.
 *
 * A due row is locked, then its incident is written: so a step and somebody's acknowledgement come one after the other, also on a Galera cluster, where
 * both wrote the incident's row and certification lets one of them through. Nobody who acknowledges holds a row of this table. */
#include "store_int.h"

enum { Q_BEGIN, Q_END, Q_DROP, Q_WAKE, Q_MEND, Q_DUE, Q_MOVE, Q_INCIDENT, Q_TOUCH, Q_WANTED, Q_GET, Q_HURRY };

#define COLUMNS "incident_id, policy_id, step, round, reached, reached_ever, paused, since, next_at, ended, ended_at, traceparent"

static const struct stmt stmts[] = {
	[Q_BEGIN] = { "escalation.begin",
		"INSERT INTO escalations (incident_id, policy_id, step, round, reached, paused, since, next_at, traceparent)"
		" SELECT ?, policy_id, 0, 0, 0, 0, ?, ?, ? FROM services WHERE id = ? AND policy_id IS NOT NULL"
		" ON DUPLICATE KEY UPDATE policy_id = VALUES(policy_id), step = 0, round = 0, reached = 0, reached_ever = 0, paused = 0, since = VALUES(since),"
		" next_at = VALUES(next_at), ended = 0, ended_at = NULL, traceparent = VALUES(traceparent)" },
	[Q_END] = { "escalation.end",
		"UPDATE escalations SET ended = ?, ended_at = ?, next_at = NULL, since = 0, paused = 0 WHERE incident_id = ? AND ended = 0" },
	[Q_DROP] = { "escalation.drop", "DELETE FROM escalations WHERE incident_id = ?" },
	[Q_WAKE] = { "escalation.wake", "UPDATE escalations SET paused = 0, since = ?, next_at = ? WHERE incident_id = ? AND paused = 1" },
	[Q_MEND] = { "escalation.mend", "UPDATE escalations SET since = ?, next_at = ? WHERE since > ?" },
	[Q_DUE] = { "escalation.due", "SELECT " COLUMNS " FROM escalations WHERE next_at <= ? ORDER BY next_at LIMIT 1 FOR UPDATE" },
	[Q_MOVE] = { "escalation.move",
		"UPDATE escalations SET step = ?, round = ?, reached = ?, reached_ever = ?, paused = ?, since = ?, next_at = ? WHERE incident_id = ?" },
	[Q_INCIDENT] = { "escalation.incident",
		"SELECT tenant_id, service_id, status, level, COALESCE(snoozed_until, 0) AS snoozed_until FROM incidents WHERE id = ? FOR UPDATE" },
	[Q_TOUCH] = { "escalation.touch", "UPDATE incidents SET updated_at = ? WHERE id = ?" },
	[Q_WANTED] = { "escalation.wanted",
		"SELECT i.id AS incident_id, i.level, COALESCE(i.snoozed_until, 0) AS snoozed_until, (SELECT COALESCE(MAX(o.id), 0) FROM outbox o FORCE INDEX (by_cause)"
		" WHERE o.cause_id = i.id AND o.kind = 5 AND o.target_id = ? AND o.status = 0) AS newest FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$')) j JOIN incidents i ON i.id = j.id"
		" WHERE i.status = 1" },
	/* Status 3 of the outbox: given up. A new round has its pause all the same, the end has none. */
	[Q_HURRY] = { "escalation.hurry",
		"UPDATE escalations x SET x.next_at = ? WHERE x.incident_id = ? AND x.since = ? AND x.ended = 0 AND x.paused = 0 AND x.next_at > ?"
		" AND (x.step > 0 OR x.round > (SELECT p.repeats FROM escalation_policies p WHERE p.id = x.policy_id))"
		" AND (SELECT i.status FROM incidents i WHERE i.id = x.incident_id) = 1 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.cause_id = x.incident_id"
		" AND o.created_at = x.since AND o.kind IN (1, 5) AND o.status <> 3)" },
	[Q_GET] = { "escalation.get", "SELECT " COLUMNS " FROM escalations WHERE incident_id = ?" },
};
const struct stmt_table escalation_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct escalation_row, incident_id, "incident_id", ""),
	FIELD_ID(struct escalation_row, policy_id, "policy_id", ""),
	FIELD_U64(struct escalation_row, at.step, "step", ""),
	FIELD_U64(struct escalation_row, at.round, "round", ""),
	FIELD_BOOL(struct escalation_row, at.reached, "reached", ""),
	FIELD_BOOL(struct escalation_row, at.reached_ever, "reached_ever", ""),
	FIELD_BOOL(struct escalation_row, at.paused, "paused", ""),
	FIELD_TIME(struct escalation_row, at.since, "since", ""),
	FIELD_TIME(struct escalation_row, at.next_at, "next_at", ""),
	FIELD_U64(struct escalation_row, ended, "ended", ""),
	FIELD_TIME(struct escalation_row, ended_at, "ended_at", ""),
	FIELD_STR(struct escalation_row, traceparent, "traceparent", ""),
	FIELD_END
};

static const struct field incident_fields[] = {
	FIELD_ID(struct escalation_incident, tenant_id, "tenant_id", ""),
	FIELD_ID(struct escalation_incident, service_id, "service_id", ""),
	FIELD_U64(struct escalation_incident, status, "status", ""),
	FIELD_U64(struct escalation_incident, level, "level", ""),
	FIELD_TIME(struct escalation_incident, snoozed_until, "snoozed_until", ""),
	FIELD_END
};

bool escalation_start(struct db *db, uint64_t incident, uint64_t service_row, struct str traceparent, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_BEGIN], VALS(V_U(incident), V_I(now), V_I(now), V_SN(traceparent.n ? traceparent : STR_NONE), V_U(service_row)), NULL, e);
}

bool escalation_stop(struct db *db, uint64_t incident, enum escalation_end how, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_END], VALS(V_U(how), V_I(now), V_U(incident)), NULL, e);
}

bool escalation_drop(struct db *db, uint64_t incident, struct err *e)
{
	return db_exec(db, &stmts[Q_DROP], VALS(V_U(incident)), NULL, e);
}

bool escalation_awake(struct db *db, uint64_t incident, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_WAKE], VALS(V_I(now), V_I(now), V_U(incident)), NULL, e);
}

bool escalation_mend(struct db *db, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_MEND], VALS(V_I(now), V_I(now), V_I(now + ESCALATION_CLOCKS_MS)), NULL, e);
}

int escalation_due(struct db *db, struct arena *a, ms_t now, struct escalation_row *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_DUE], VALS(V_I(now)), a, fields, sizeof(*out), out, e);
}

static bool hurried(struct db *db, struct arena *a, struct id_maker *ids, uint64_t incident, struct str whom, struct str why, ms_t now, struct err *e)
{
	struct escalation_incident i;
	struct escalation_row row;

	return escalation_get(db, a, incident, &row, e) == 1 && escalation_incident(db, a, incident, &i, e) == 1 &&
		escalation_tell(db, a, &row, id_make(ids, now), (enum level)i.level,
			arena_printf(a, "Nobody was reached after all; the last who was tried, %.*s: %.*s", STR_ARG(whom), STR_ARG(why)), now, e);
}

bool escalation_failed(struct db *db, struct arena *a, struct id_maker *ids, const struct outbox_row *row, struct str whom, struct str why, ms_t now,
	struct err *e)
{
	uint64_t changed;

	return db_exec(db, &stmts[Q_HURRY], VALS(V_I(now), V_U(row->cause_id), V_I(row->created_at), V_I(now)), &changed, e) &&
		(!changed || hurried(db, a, ids, row->cause_id, whom, why, now, e));
}

int escalation_get(struct db *db, struct arena *a, uint64_t incident, struct escalation_row *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_GET], VALS(V_U(incident)), a, fields, sizeof(*out), out, e);
}

bool escalation_move(struct db *db, const struct escalation_row *r, struct err *e)
{
	const struct escalation *x = &r->at;

	return db_exec(db, &stmts[Q_MOVE],
		VALS(V_U(x->step), V_U(x->round), V_U(x->reached), V_U(x->reached_ever), V_U(x->paused), V_I(x->since), V_I(x->next_at), V_U(r->incident_id)), NULL, e);
}

int escalation_incident(struct db *db, struct arena *a, uint64_t incident, struct escalation_incident *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_INCIDENT], VALS(V_U(incident)), a, incident_fields, sizeof(*out), out, e);
}

bool escalation_tell(struct db *db, struct arena *a, const struct escalation_row *r, uint64_t entry, enum level level, struct str text, ms_t now, struct err *e)
{
	const struct timeline_row row = { .incident_id = r->incident_id, .id = entry, .kind = TIMELINE_ESCALATED, .actor = ACTOR_SYSTEM, .level = level,
		.text = str_cut(text, SUMMARY_MAX), .at = now };

	return db_exec(db, &stmts[Q_TOUCH], VALS(V_I(now), V_U(r->incident_id)), NULL, e) && batch_insert_timeline(db, a, &row, 1, e) &&
		news_add(db, a, &(struct news){ .id = entry, .incident_id = r->incident_id, .traceparent = r->traceparent }, 1, e);
}

static const struct field wanted_fields[] = {
	FIELD_ID(struct escalation_wanted, incident_id, "incident_id", ""),
	FIELD_U64(struct escalation_wanted, level, "level", ""),
	FIELD_TIME(struct escalation_wanted, snoozed_until, "snoozed_until", ""),
	FIELD_ID(struct escalation_wanted, newest, "newest", ""),
	FIELD_END
};

bool escalation_wanted(struct db *db, struct arena *a, struct str incidents, uint64_t contact, struct escalation_wanted **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_WANTED], VALS(V_U(contact), V_S(incidents)), a, wanted_fields, sizeof(**out), out, n, e);
}
