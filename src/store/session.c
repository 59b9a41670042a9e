/* session.c - sessions of the dashboard. As with tokens only the SHA-256 of the text is kept, so that whoever reads the
 * database cannot sign in with what he finds. */
#include "store_int.h"

enum { Q_FIND, Q_ADD, Q_SEEN, Q_FLASH, Q_END, Q_LIST, Q_END_ONE, Q_END_ALL };

#define COLUMNS \
	"s.user_id, s.public_id, s.remote_addr, s.user_agent, s.flash_sealed, s.created_at, s.last_seen_at, s.expires_at," \
	" u.tenant_id, u.role, u.platform_admin, u.name AS user_name, u.public_id AS user_public_id"
#define ALIVE " AND s.created_at > ? AND s.last_seen_at > ? AND s.expires_at > ? AND u.enabled = 1"

static const struct stmt stmts[] = {
	[Q_FIND] = { "session.find",
		"SELECT " COLUMNS " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id_hash = ?" ALIVE },
	[Q_ADD] = { "session.add",
		"INSERT INTO sessions (id_hash, public_id, user_id, created_at, last_seen_at, expires_at, remote_addr, user_agent)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_SEEN] = { "session.seen",
		"UPDATE sessions s JOIN users u ON u.id = s.user_id SET s.last_seen_at = ?, u.last_seen_at = ? WHERE s.id_hash = ?" },
	[Q_FLASH] = { "session.flash",
		"UPDATE sessions SET flash_sealed = ? WHERE id_hash = ?" },
	[Q_END] = { "session.end",
		"DELETE FROM sessions WHERE id_hash = ?" },
	[Q_LIST] = { "session.list",
		"SELECT " COLUMNS " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.user_id = ?" ALIVE
		" ORDER BY s.created_at DESC" },
	[Q_END_ONE] = { "session.end_one",
		"DELETE FROM sessions WHERE public_id = ? AND user_id = ?" },
	[Q_END_ALL] = { "session.end_all",
		"DELETE FROM sessions WHERE user_id = ? AND public_id <> ?" },
};
const struct stmt_table session_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct session_row, user_id, "user_id", ""),
	FIELD_ID(struct session_row, tenant_id, "tenant_id", ""),
	FIELD_U64(struct session_row, role, "role", ""),
	FIELD_BOOL(struct session_row, platform_admin, "platform_admin", ""),
	FIELD_STR(struct session_row, public_id, "public_id", ""),
	FIELD_STR(struct session_row, user_name, "user_name", ""),
	FIELD_STR(struct session_row, user_public_id, "user_public_id", ""),
	FIELD_STR(struct session_row, remote_addr, "remote_addr", ""),
	FIELD_STR(struct session_row, user_agent, "user_agent", ""),
	FIELD_STR(struct session_row, flash_sealed, "flash_sealed", ""),
	FIELD_TIME(struct session_row, created_at, "created_at", ""),
	FIELD_TIME(struct session_row, last_seen_at, "last_seen_at", ""),
	FIELD_TIME(struct session_row, expires_at, "expires_at", ""),
	FIELD_END
};

int session_row_find(struct db *db, struct arena *a, struct str hash, const struct session_bounds *alive, struct session_row *out,
	struct err *e)
{
	return db_query_one(db, &stmts[Q_FIND],
		VALS(V_B(hash), V_I(alive->created_after), V_I(alive->seen_after), V_I(alive->now)), a, fields, sizeof(*out), out, e);
}

bool session_row_add(struct db *db, struct arena *a, struct str hash, struct session_row *row, struct err *e)
{
	char id[PUBLIC_ID_MAX];

	public_id_make("se", id);
	row->public_id = arena_str(a, str_of(id));
	return db_exec(db, &stmts[Q_ADD],
		VALS(V_B(hash), V_S(row->public_id), V_U(row->user_id), V_I(row->created_at), V_I(row->created_at),
			V_I(row->expires_at), V_S(row->remote_addr), V_S(row->user_agent)),
		NULL, e);
}

bool session_row_seen(struct db *db, struct str hash, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_SEEN], VALS(V_I(now), V_I(now), V_B(hash)), NULL, e);
}

bool session_row_flash(struct db *db, struct str hash, struct str sealed, struct err *e)
{
	return db_exec(db, &stmts[Q_FLASH], VALS(V_BE(sealed), V_B(hash)), NULL, e);
}

bool session_row_end(struct db *db, struct str hash, struct err *e)
{
	return db_exec(db, &stmts[Q_END], VALS(V_B(hash)), NULL, e);
}

bool session_rows(struct db *db, struct arena *a, uint64_t user_id, const struct session_bounds *alive, struct session_row **out, size_t *n,
	struct err *e)
{
	return db_query(db, &stmts[Q_LIST],
		VALS(V_U(user_id), V_I(alive->created_after), V_I(alive->seen_after), V_I(alive->now)), a, fields, sizeof(**out), out, n,
		e);
}

int session_row_end_one(struct db *db, uint64_t user_id, struct str public_id, struct err *e)
{
	uint64_t ended;

	if (!db_exec(db, &stmts[Q_END_ONE], VALS(V_S(public_id), V_U(user_id)), &ended, e))
		return -1;
	return ended != 0;
}

bool session_rows_end(struct db *db, uint64_t user_id, struct str keep, uint64_t *ended, struct err *e)
{
	return db_exec(db, &stmts[Q_END_ALL], VALS(V_U(user_id), V_S(keep.n ? keep : STR(""))), ended, e);
}
