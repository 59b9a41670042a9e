/* sealed.c - every column that holds sealed secrets, for those who look at all of them: doctor, which finds what does not open, and
 * `secrets rekey`, which seals anew while the programs run.
 *
 * How to add one: the statement that walks it and the one that replaces a value, in which the old value is named, so that what a
 * person sets meanwhile is never overwritten; and a row of sealed_columns. `context` is the text that it was sealed with. */
#include "store_int.h"

enum { Q_SOURCE_KEYS, Q_SOURCE_KEY_SET, Q_SECRETS, Q_SECRET_SET, Q_TOTP, Q_TOTP_SET, Q_TOTP_PENDING, Q_TOTP_PENDING_SET,
	Q_FLASHES, Q_FLASH_SET, Q_HANDLERS, Q_HANDLER_SET, Q_CHANNELS, Q_CHANNEL_SET };

static const struct stmt stmts[] = {
	[Q_SOURCE_KEYS] = { "sealed.source_keys",
		"SELECT CAST(id AS CHAR) AS at, public_id AS owner, CONCAT('source_key:', public_id) AS context, key_sealed AS sealed"
		" FROM sources WHERE id > ? AND key_sealed IS NOT NULL ORDER BY id LIMIT ?" },
	[Q_SOURCE_KEY_SET] = { "sealed.source_key_set",
		"UPDATE sources SET key_sealed = ? WHERE id = ? AND key_sealed = ?" },
	[Q_SECRETS] = { "sealed.source_secrets",
		"SELECT CAST(x.id AS CHAR) AS at, s.public_id AS owner, CONCAT('source_secret:', s.public_id) AS context,"
		" x.sealed AS sealed FROM source_secrets x JOIN sources s ON s.id = x.source_id"
		" WHERE x.id > ? ORDER BY x.id LIMIT ?" },
	[Q_SECRET_SET] = { "sealed.source_secret_set",
		"UPDATE source_secrets SET sealed = ? WHERE id = ? AND sealed = ?" },
	[Q_TOTP] = { "sealed.totp",
		"SELECT CAST(id AS CHAR) AS at, name AS owner, CONCAT('totp:', public_id) AS context, totp_sealed AS sealed"
		" FROM users WHERE id > ? AND totp_sealed IS NOT NULL ORDER BY id LIMIT ?" },
	[Q_TOTP_SET] = { "sealed.totp_set",
		"UPDATE users SET totp_sealed = ? WHERE id = ? AND totp_sealed = ?" },
	[Q_TOTP_PENDING] = { "sealed.totp_pending",
		"SELECT CAST(id AS CHAR) AS at, name AS owner, CONCAT('totp:', public_id) AS context, totp_pending_sealed AS sealed"
		" FROM users WHERE id > ? AND totp_pending_sealed IS NOT NULL ORDER BY id LIMIT ?" },
	[Q_TOTP_PENDING_SET] = { "sealed.totp_pending_set",
		"UPDATE users SET totp_pending_sealed = ? WHERE id = ? AND totp_pending_sealed = ?" },
	[Q_FLASHES] = { "sealed.flashes",
		"SELECT public_id AS at, public_id AS owner, CONCAT('flash:', public_id) AS context, flash_sealed AS sealed"
		" FROM sessions WHERE public_id > ? AND flash_sealed IS NOT NULL ORDER BY public_id LIMIT ?" },
	[Q_FLASH_SET] = { "sealed.flash_set",
		"UPDATE sessions SET flash_sealed = ? WHERE public_id = ? AND flash_sealed = ?" },
	[Q_HANDLERS] = { "sealed.handler_secrets",
		"SELECT CAST(id AS CHAR) AS at, public_id AS owner, CONCAT('handler_secret:', public_id) AS context,"
		" handler_secret_sealed AS sealed FROM sources WHERE id > ? AND handler_secret_sealed IS NOT NULL ORDER BY id LIMIT ?" },
	[Q_HANDLER_SET] = { "sealed.handler_secret_set",
		"UPDATE sources SET handler_secret_sealed = ? WHERE id = ? AND handler_secret_sealed = ?" },
	[Q_CHANNELS] = { "sealed.channels",
		"SELECT CAST(id AS CHAR) AS at, name AS owner, CONCAT('channel:', public_id) AS context, secret_sealed AS sealed"
		" FROM channels WHERE id > ? AND secret_sealed IS NOT NULL ORDER BY id LIMIT ?" },
	[Q_CHANNEL_SET] = { "sealed.channel_set",
		"UPDATE channels SET secret_sealed = ? WHERE id = ? AND secret_sealed = ?" },
};
const struct stmt_table sealed_stmts = { stmts, ARRAY_SIZE(stmts) };

struct sealed_column {
	const char *what;
	const struct stmt *walk, *set;
	bool by_text;		/* its rows have no number */
};

static const struct sealed_column columns[] = {
	{ "integration key", &stmts[Q_SOURCE_KEYS], &stmts[Q_SOURCE_KEY_SET] },
	{ "signature secret", &stmts[Q_SECRETS], &stmts[Q_SECRET_SET] },
	{ "authenticator seed", &stmts[Q_TOTP], &stmts[Q_TOTP_SET] },
	{ "unconfirmed authenticator seed", &stmts[Q_TOTP_PENDING], &stmts[Q_TOTP_PENDING_SET] },
	{ "handler secret", &stmts[Q_HANDLERS], &stmts[Q_HANDLER_SET] },
	{ "secret of a channel", &stmts[Q_CHANNELS], &stmts[Q_CHANNEL_SET] },
	{ "message to a session", &stmts[Q_FLASHES], &stmts[Q_FLASH_SET], true },
};

static const struct field fields[] = {
	FIELD_STR(struct sealed_row, at, "at", ""),
	FIELD_STR(struct sealed_row, owner, "owner", ""),
	FIELD_STR(struct sealed_row, context, "context", ""),
	FIELD_STR(struct sealed_row, sealed, "sealed", ""),
	FIELD_END
};

static struct val place(const struct sealed_column *c, struct str at)
{
	uint64_t id = 0;

	if (c->by_text)
		return V_S(at.n ? at : STR(""));
	return V_U(str_u64(at, &id) ? id : 0);
}

const char *sealed_what(size_t column)
{
	return column < ARRAY_SIZE(columns) ? columns[column].what : NULL;
}

bool sealed_rows(struct db *db, struct arena *a, size_t column, struct str after, size_t limit, struct sealed_row **out, size_t *n,
	struct err *e)
{
	const struct sealed_column *c = &columns[column];

	return db_query(db, c->walk, VALS(place(c, after), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

bool sealed_replace(struct db *db, size_t column, const struct sealed_row *row, struct str sealed, struct err *e)
{
	const struct sealed_column *c = &columns[column];

	return db_exec(db, c->set, VALS(V_B(sealed), place(c, row->at), V_B(row->sealed)), NULL, e);
}
