/* outbox.c - what is to be sent. A row is written in the transaction of its cause, so nothing is forgotten and nothing is sent for what was
 * not done; whoever sends takes a lease by compare-and-set, so a row is sent by one at a time, and again when its sender died. */
#include "store_int.h"

enum { Q_ADD, Q_DUE, Q_CLAIM, Q_FINISH, Q_NEWEST, Q_OF_CAUSE };

#define COLUMNS "id, tenant_id, kind, target_id, cause_id, payload, status, attempts, answer, error, next_at, created_at, finished_at"

static const struct stmt stmts[] = {
	[Q_ADD] = { "outbox.add",
		"INSERT INTO outbox (id, tenant_id, kind, target_id, cause_id, payload, next_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_DUE] = { "outbox.due",
		"SELECT " COLUMNS " FROM outbox WHERE status = 0 AND next_at <= ? AND kind = ? AND lease_until <= ? ORDER BY next_at LIMIT ?" },
	[Q_CLAIM] = { "outbox.claim",
		"UPDATE outbox SET attempts = attempts + 1, lease_owner = ?, lease_until = ? WHERE id = ? AND status = 0 AND attempts = ?"
		" AND lease_until <= ?" },
	[Q_FINISH] = { "outbox.finish",
		"UPDATE outbox SET status = ?, answer = ?, error = ?, next_at = ?, finished_at = ?, lease_owner = 0, lease_until = 0"
		" WHERE id = ? AND lease_owner = ?" },
	[Q_NEWEST] = { "outbox.newest",
		"SELECT " COLUMNS " FROM outbox WHERE kind = ? AND target_id = ? ORDER BY id DESC LIMIT 1" },
	[Q_OF_CAUSE] = { "outbox.of_cause",
		"SELECT " COLUMNS " FROM outbox WHERE cause_id = ? AND kind = ? ORDER BY id LIMIT 1" },
};
const struct stmt_table outbox_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct outbox_row, id, "id", ""),
	FIELD_ID(struct outbox_row, tenant_id, "tenant_id", ""),
	FIELD_U64(struct outbox_row, kind, "kind", ""),
	FIELD_ID(struct outbox_row, target_id, "target_id", ""),
	FIELD_ID(struct outbox_row, cause_id, "cause_id", ""),
	FIELD_STR(struct outbox_row, payload, "payload", ""),
	FIELD_U64(struct outbox_row, status, "status", ""),
	FIELD_U64(struct outbox_row, attempts, "attempts", ""),
	FIELD_STR(struct outbox_row, answer, "answer", ""),
	FIELD_STR(struct outbox_row, error, "error", ""),
	FIELD_TIME(struct outbox_row, next_at, "next_at", ""),
	FIELD_TIME(struct outbox_row, created_at, "created_at", ""),
	FIELD_TIME(struct outbox_row, finished_at, "finished_at", ""),
	FIELD_END
};

bool outbox_add(struct db *db, const struct outbox_row *row, struct err *e)
{
	return db_exec(db, &stmts[Q_ADD],
		VALS(V_U(row->id), V_U(row->tenant_id), V_U(row->kind), V_U(row->target_id), V_U(row->cause_id), V_SN(row->payload),
			V_I(row->next_at), V_I(row->created_at)), NULL, e);
}

bool outbox_due(struct db *db, struct arena *a, enum outbox_kind kind, ms_t now, size_t limit, struct outbox_row **out, size_t *n,
	struct err *e)
{
	return db_query(db, &stmts[Q_DUE], VALS(V_I(now), V_U(kind), V_I(now), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

int outbox_claim(struct db *db, const struct outbox_row *seen, uint64_t owner, ms_t now, ms_t until, struct err *e)
{
	uint64_t changed;

	if (!db_exec(db, &stmts[Q_CLAIM], VALS(V_U(owner), V_I(until), V_U(seen->id), V_U(seen->attempts), V_I(now)), &changed, e))
		return -1;
	return changed == 1;
}

bool outbox_finish(struct db *db, const struct outbox_row *row, uint64_t owner, struct err *e)
{
	return db_exec(db, &stmts[Q_FINISH],
		VALS(V_U(row->status), V_SN(str_cut(row->answer, 255)), V_SN(str_cut(row->error, 255)), V_I(row->next_at),
			V_T(row->finished_at), V_U(row->id), V_U(owner)), NULL, e);
}

int outbox_newest(struct db *db, struct arena *a, enum outbox_kind kind, uint64_t target_id, struct outbox_row *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_NEWEST], VALS(V_U(kind), V_U(target_id)), a, fields, sizeof(*out), out, e);
}

int outbox_of_cause(struct db *db, struct arena *a, enum outbox_kind kind, uint64_t cause_id, struct outbox_row *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_OF_CAUSE], VALS(V_U(cause_id), V_U(kind)), a, fields, sizeof(*out), out, e);
}
