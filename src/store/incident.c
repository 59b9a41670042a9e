/* incident.c - what people, and the system in their place, do to an incident.
 *
 * Order of locks as in ingest: the key's row before the incident's row. Status and key are changed together, always.
 * Members of a Galera cluster do not see each other's row locks, but both would write the key's row, and certification
 * lets one of them through; db_tx runs the other again.
 *
 * An incident that is not the newest of its key is over. Its only way back is to be reopened while the newer one is over
 * too: then it becomes what the key points to, so that the sender's next message finds it. */
#include "store_int.h"

#include <inttypes.h>

#include "grapnel/json.h"


enum { Q_FIND, Q_KEY_LOCK, Q_LOCK, Q_UPDATE, Q_KEY_UPDATE, Q_TIMELINE, Q_AUTO, Q_LOCK_EDIT, Q_EDIT, Q_USER_BY_ID,
	Q_USER_BY_NAME };

static const struct stmt stmts[] = {
	[Q_FIND] = { "incident.find",
		"SELECT service_id, dedup_key FROM incidents WHERE id = ? AND tenant_id = ?" },
	[Q_KEY_LOCK] = { "incident.key_lock",
		"SELECT incident_id AS newest, status AS newest_status, triggered_at, sender_resolved_at"
		" FROM incident_keys WHERE service_id = ? AND key_hash = ? FOR UPDATE" },
	[Q_LOCK] = { "incident.lock",
		"SELECT status, level, resolved_by, acknowledged_at FROM incidents WHERE id = ? FOR UPDATE" },
	[Q_UPDATE] = { "incident.update",
		"UPDATE incidents SET status = ?, open_hash = ?, acknowledged_at = ?, resolved_at = ?, resolved_by = ?,"
		" snoozed_until = IF(open_hash IS NULL, NULL, snoozed_until), merged_into = IF(open_hash IS NULL, merged_into, NULL), updated_at = ? WHERE id = ?" },
	[Q_KEY_UPDATE] = { "incident.key_update",
		"UPDATE incident_keys SET incident_id = ?, status = ?, level = ?, resolved_by = ?, merged_into = IF(status = 3, merged_into, 0)"
		" WHERE service_id = ? AND key_hash = ?" },
	[Q_TIMELINE] = { "incident.timeline_add",
		"INSERT INTO timeline (incident_id, id, at, kind, actor, user_id, level, text, by_link) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	/* Whatever a person does with it later: a test is resolved by the system once, another once for each silence. */
	[Q_AUTO] = { "incident.auto",
		"UPDATE incidents SET auto_resolved_at = ? WHERE id = ? AND (auto_resolved_at IS NULL"
		" OR (is_test = 0 AND auto_resolved_at < last_alert_at))" },
	[Q_LOCK_EDIT] = { "incident.lock_edit",
		"SELECT status, assignee_id, snoozed_until FROM incidents WHERE id = ? AND tenant_id = ? FOR UPDATE" },
	[Q_EDIT] = { "incident.edit",
		"UPDATE incidents SET assignee_id = ?, snoozed_until = ?, updated_at = ? WHERE id = ?" },
	[Q_USER_BY_ID] = { "incident.user_by_id",
		"SELECT id, name FROM users WHERE public_id = ? AND tenant_id = ? AND enabled = 1" },
	[Q_USER_BY_NAME] = { "incident.user_by_name",
		"SELECT id, name FROM users WHERE name = ? AND tenant_id = ? AND enabled = 1" },
};
const struct stmt_table incident_stmts = { stmts, ARRAY_SIZE(stmts) };

/* All that the three reads bring. */
struct row {
	uint64_t service_id;
	struct str dedup_key;
	uint64_t newest, newest_status;
	ms_t triggered_at, sender_resolved_at;
	uint64_t status, level, resolved_by;
	ms_t acknowledged_at;
};

static const struct field fields[] = {
	FIELD_ID(struct row, service_id, "service_id", ""),
	FIELD_STR(struct row, dedup_key, "dedup_key", ""),
	FIELD_ID(struct row, newest, "newest", ""),
	FIELD_U64(struct row, newest_status, "newest_status", ""),
	FIELD_TIME(struct row, triggered_at, "triggered_at", ""),
	FIELD_TIME(struct row, sender_resolved_at, "sender_resolved_at", ""),
	FIELD_U64(struct row, status, "status", ""),
	FIELD_U64(struct row, level, "level", ""),
	FIELD_U64(struct row, resolved_by, "resolved_by", ""),
	FIELD_TIME(struct row, acknowledged_at, "acknowledged_at", ""),
	FIELD_END
};

static const struct command_facts {
	const char *audit, *refusal;
	enum timeline_kind kind;
} commands[] = {
	[COMMAND_ACKNOWLEDGE] = { "incident.acknowledge", "only an open incident can be acknowledged", TIMELINE_ACKNOWLEDGED },
	[COMMAND_RESOLVE] = { "incident.resolve", "the incident is resolved already", TIMELINE_RESOLVED },
	[COMMAND_REOPEN] = { "incident.reopen", "only a resolved incident can be reopened", TIMELINE_REOPENED },
};

static const char *const timeline_words[] = {
	[0] = "",
	[TIMELINE_OPENED] = "opened",
	[TIMELINE_RAISED] = "raised",
	[TIMELINE_ACKNOWLEDGED] = "acknowledged",
	[TIMELINE_RESOLVED] = "resolved",
	[TIMELINE_REOPENED] = "reopened",
	[TIMELINE_NOTE] = "note",
	[TIMELINE_ASSIGNED] = "assigned",
	[TIMELINE_SNOOZED] = "snoozed",
	[TIMELINE_HELD] = "held",
	[TIMELINE_RELEASED] = "released",
	[TIMELINE_ESCALATED] = "escalated",
	[TIMELINE_MERGED] = "merged",
};

const char *timeline_word(unsigned kind)
{
	return kind < ARRAY_SIZE(timeline_words) ? timeline_words[kind] : "";
}

struct act {
	struct arena *arena;
	uint32_t tenant_id;
	uint64_t incident;
	enum incident_command command;
	enum actor actor;
	const struct who *who;
	uint64_t timeline_id;
	struct str text;
	ms_t now;
	bool found;
};

/* Locks key and incident and reads both into r. 1, 0, -1 as any look-up. */
static int lock(struct db *db, const struct act *act, struct row *r, struct str *hash, struct err *e)
{
	struct row found = { 0 }, key = { 0 };
	unsigned char bytes[KEY_HASH_BYTES];
	int is = db_query_one(db, &stmts[Q_FIND], VALS(V_U(act->incident), V_U(act->tenant_id)), act->arena, fields,
		sizeof(found), &found, e);

	if (is != 1)
		return is;
	key_hash(found.dedup_key, bytes);
	*hash = arena_str(act->arena, (struct str){ (const char *)bytes, sizeof(bytes) });
	is = db_query_one(db, &stmts[Q_KEY_LOCK], VALS(V_U(found.service_id), V_S(*hash)), act->arena, fields, sizeof(key),
		&key, e);
	if (!is)
		err_set(e, ERR_BUG, "incident %" PRIu64 " has no row in incident_keys", act->incident);
	if (is != 1)
		return -1;
	is = db_query_one(db, &stmts[Q_LOCK], VALS(V_U(act->incident)), act->arena, fields, sizeof(*r), r, e);
	r->service_id = found.service_id;
	r->newest = key.newest;
	r->newest_status = key.newest_status;
	r->triggered_at = key.triggered_at;
	r->sender_resolved_at = key.sender_resolved_at;
	return is;
}

static bool decide(const struct act *act, const struct row *r, struct key_state *state, struct err *e)
{
	*state = (struct key_state){ .incident = act->incident, .status = r->status, .level = r->level,
		.resolved_by = r->resolved_by, .triggered_at = r->triggered_at,
		.sender_resolved_at = r->sender_resolved_at };
	if (r->newest != act->incident && r->newest_status != INCIDENT_RESOLVED)
		return err_set(e, ERR_CONFLICT, "a newer incident of the same key is open");
	if (!incident_command(state, act->command, act->actor))
		return err_set(e, ERR_CONFLICT, "%s", commands[act->command].refusal);
	return true;
}

static bool change_write(struct db *db, const struct act *act, const struct row *r, const struct key_state *state, struct str hash,
	struct err *e)
{
	bool over = state->status == INCIDENT_RESOLVED;
	ms_t acknowledged_at = act->command == COMMAND_ACKNOWLEDGE ? act->now :
		act->command == COMMAND_REOPEN ? 0 : r->acknowledged_at;

	if (!db_exec(db, &stmts[Q_UPDATE],
		VALS(V_U(state->status), over ? V_NULL() : V_S(hash), V_T(acknowledged_at), over ? V_I(act->now) : V_NULL(),
			V_U(state->resolved_by), V_I(act->now), V_U(act->incident)),
		NULL, e))
		return conflict_if_duplicate(db, "", "a newer incident of the same key is open", e);
	return db_exec(db, &stmts[Q_KEY_UPDATE],
		VALS(V_U(act->incident), V_U(state->status), V_U(state->level), V_U(state->resolved_by), V_U(r->service_id),
			V_S(hash)),
		NULL, e);
}

static bool entry_write(struct db *db, const struct act *act, const struct key_state *state, struct err *e)
{
	const struct command_facts *facts = &commands[act->command];
	struct str object = arena_printf(act->arena, "%" PRIu64, act->incident);

	return db_exec(db, &stmts[Q_TIMELINE],
		VALS(V_U(act->incident), V_U(act->timeline_id), V_I(act->now), V_U(facts->kind), V_U(act->actor),
			V_ID(act->who->user_id), V_U(state->level), V_SN(act->text), V_SN(act->who->link)),
		NULL, e) &&
		news_add(db, act->arena, &(struct news){ .id = act->timeline_id, .incident_id = act->incident }, 1, e) &&
		audit_add(db, act->who, facts->audit, object, act->who->link.p ? member_json(act->arena, "link", act->who->link) : STR_NONE, act->now, e);
}

static bool auto_mark(struct db *db, const struct act *act, struct err *e)
{
	uint64_t matched;

	if (act->actor != ACTOR_SYSTEM)
		return true;
	if (!db_exec(db, &stmts[Q_AUTO], VALS(V_I(act->now), V_U(act->incident)), &matched, e))
		return false;
	return matched || err_set(e, ERR_CONFLICT, "the system has resolved it before");
}

static bool act_tx(struct db *db, void *ctx, struct err *e)
{
	struct act *act = ctx;
	struct key_state state;
	struct row r = { 0 };
	struct str hash;
	int found = lock(db, act, &r, &hash, e);

	act->found = found == 1;
	if (found != 1)
		return found == 0;
	return decide(act, &r, &state, e) && auto_mark(db, act, e) && change_write(db, act, &r, &state, hash, e) && entry_write(db, act, &state, e);
}

int incident_act(struct db *db, struct arena *a, uint32_t tenant_id, uint64_t incident, enum incident_command c, enum actor actor,
	const struct who *who, uint64_t timeline_id, struct str text, ms_t now, struct err *e)
{
	struct act act = { .arena = a, .tenant_id = tenant_id, .incident = incident, .command = c, .actor = actor, .who = who,
		.timeline_id = timeline_id, .text = str_cut(text, SUMMARY_MAX), .now = now };

	return db_tx(db, act_tx, &act, e) ? act.found : -1;
}

/* ---- notes, assignees, snoozing: the key is not concerned ---- */

static const struct field assignee_fields[] = {
	FIELD_ID(struct assignee, id, "id", ""),
	FIELD_STR(struct assignee, name, "name", ""),
	FIELD_END
};

int assignee_find(struct db *db, struct arena *a, uint32_t tenant_id, struct str word, struct assignee *out, struct err *e)
{
	const struct stmt *by = &stmts[public_id_is(word, "us") ? Q_USER_BY_ID : Q_USER_BY_NAME];

	return db_query_one(db, by, VALS(V_S(word), V_U(tenant_id)), a, assignee_fields, sizeof(*out), out, e);
}

/* What an edit may change. */
struct editable {
	uint64_t status, assignee_id;
	ms_t snoozed_until;
};

static const struct field editable_fields[] = {
	FIELD_U64(struct editable, status, "status", ""),
	FIELD_ID(struct editable, assignee_id, "assignee_id", ""),
	FIELD_TIME(struct editable, snoozed_until, "snoozed_until", ""),
	FIELD_END
};

struct editing {
	struct arena *arena;
	uint32_t tenant_id;
	uint64_t incident, timeline_id;
	const struct incident_edit *edit;
	const struct who *who;
	ms_t now;
	bool found;
};

/* What is left behind in the timeline and in the audit log. */
struct trace {
	struct str text;
	const char *action, *member;	/* member: of the audit log's detail; NULL: none */
	bool changes;			/* else it is so already */
};

static struct trace assign(const struct editing *x, struct editable *row)
{
	const struct assignee *to = &x->edit->assignee;
	struct trace t = { to->id ? to->name : STR_NONE, "incident.assign", "assignee", row->assignee_id != to->id };

	row->assignee_id = to->id;
	return t;
}

static struct trace snooze(const struct editing *x, struct editable *row)
{
	ms_t until = x->edit->snoozed_until;
	struct trace t = { STR_NONE, "incident.snooze", "snoozedUntil", row->snoozed_until != until };
	char text[TIME_TEXT];

	if (until)
		t.text = arena_str(x->arena, str_of(time_format(until, text)));
	if (x->who->actor == ACTOR_SYSTEM && row->snoozed_until > x->now)
		t.changes = false;	/* a person was faster, and snoozed it anew */
	row->snoozed_until = until;
	return t;
}

static struct trace decide_edit(const struct editing *x, struct editable *row)
{
	switch (x->edit->kind) {
	case TIMELINE_ASSIGNED:
		return assign(x, row);
	case TIMELINE_SNOOZED:
		return snooze(x, row);
	default:
		return (struct trace){ str_cut(x->edit->note, SUMMARY_MAX), "incident.note", NULL, true };
	}
}

static bool edit_write(struct db *db, const struct editing *x, const struct editable *row, const struct trace *t, struct err *e)
{
	struct str object = arena_printf(x->arena, "%" PRIu64, x->incident);

	return db_exec(db, &stmts[Q_EDIT],
		VALS(V_ID(row->assignee_id), V_T(row->snoozed_until), V_I(x->now), V_U(x->incident)), NULL, e) &&
		db_exec(db, &stmts[Q_TIMELINE],
			VALS(V_U(x->incident), V_U(x->timeline_id), V_I(x->now), V_U(x->edit->kind),
				V_U(x->who->actor == ACTOR_SYSTEM ? ACTOR_SYSTEM : ACTOR_PERSON),
				V_ID(x->who->user_id), V_NULL(), V_SN(t->text), V_NULL()),
			NULL, e) &&
		news_add(db, x->arena, &(struct news){ .id = x->timeline_id, .incident_id = x->incident }, 1, e) &&
		audit_add(db, x->who, t->action, object, t->member ? member_json(x->arena, t->member, t->text) : STR_NONE, x->now, e);
}

static bool edit_tx(struct db *db, void *ctx, struct err *e)
{
	struct editing *x = ctx;
	struct editable row = { 0 };
	struct trace t;
	int found = db_query_one(db, &stmts[Q_LOCK_EDIT], VALS(V_U(x->incident), V_U(x->tenant_id)), x->arena, editable_fields,
		sizeof(row), &row, e);

	x->found = found == 1;
	if (found != 1)
		return found == 0;
	if (x->edit->kind == TIMELINE_SNOOZED && row.status == INCIDENT_RESOLVED)
		return err_set(e, ERR_CONFLICT, "a resolved incident cannot be snoozed");
	t = decide_edit(x, &row);
	return !t.changes || edit_write(db, x, &row, &t, e);
}

int incident_edit(struct db *db, struct arena *a, uint32_t tenant_id, uint64_t incident, const struct incident_edit *edit, const struct who *who,
	uint64_t timeline_id, ms_t now, struct err *e)
{
	struct editing x = { .arena = a, .tenant_id = tenant_id, .incident = incident, .timeline_id = timeline_id, .edit = edit,
		.who = who, .now = now };

	return db_tx(db, edit_tx, &x, e) ? x.found : -1;
}
