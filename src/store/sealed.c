/* sealed.c - every column that holds sealed secrets, for those who look at all of them: doctor, which finds what does not open, and
 * `secrets rekey`, which seals anew while the programs run.
 *
 * How to add one: the statement that walks it and the one that replaces a value, in which the old value is named, so that what a
 * person sets meanwhile is never overwritten; and a row of sealed_columns. `context` is the text that it was sealed with.
 *
 * Settings of a source are one JSON text in which single values are sealed: the walk takes them apart, and a value is replaced inside the
 * text, where its nonce makes it the only one of its kind. */
#include "store_int.h"

#include "grapnel/json.h"

#define SETTINGS_AT_ONCE 32	/* their texts are up to 64 KiB each */

enum { Q_SOURCE_KEYS, Q_SOURCE_KEY_SET, Q_SECRETS, Q_SECRET_SET, Q_TOTP, Q_TOTP_SET, Q_TOTP_PENDING, Q_TOTP_PENDING_SET,
	Q_FLASHES, Q_FLASH_SET, Q_HANDLERS, Q_HANDLER_SET, Q_CHANNELS, Q_CHANNEL_SET, Q_ENDPOINTS, Q_ENDPOINT_SET, Q_OLD_ENDPOINTS, Q_OLD_ENDPOINT_SET,
	Q_SETTINGS, Q_SETTING_SET };

static const struct stmt stmts[] = {
	[Q_SOURCE_KEYS] = { "sealed.source_keys",
		"SELECT CAST(id AS CHAR) AS at, public_id AS owner, CONCAT('source_key:', public_id) AS context, key_sealed AS sealed"
		" FROM sources WHERE id > ? AND key_sealed IS NOT NULL ORDER BY id LIMIT ?" },
	[Q_SOURCE_KEY_SET] = { "sealed.source_key_set",
		"UPDATE sources SET key_sealed = ? WHERE id = ? AND key_sealed = ?" },
	[Q_SECRETS] = { "sealed.source_secrets",
		"SELECT CAST(x.id AS CHAR) AS at, s.public_id AS owner, CONCAT('source_secret:', s.public_id) AS context,"
		" x.sealed AS sealed FROM source_secrets x STRAIGHT_JOIN sources s ON s.id = x.source_id"
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
	[Q_ENDPOINTS] = { "sealed.endpoints",
		"SELECT CAST(id AS CHAR) AS at, public_id AS owner, CONCAT('endpoint:', public_id) AS context, secret_sealed AS sealed"
		" FROM endpoints WHERE id > ? AND secret_sealed IS NOT NULL ORDER BY id LIMIT ?" },
	[Q_ENDPOINT_SET] = { "sealed.endpoint_set",
		"UPDATE endpoints SET secret_sealed = ? WHERE id = ? AND secret_sealed = ?" },
	[Q_OLD_ENDPOINTS] = { "sealed.old_endpoints",
		"SELECT CAST(id AS CHAR) AS at, public_id AS owner, CONCAT('endpoint:', public_id) AS context, old_secret_sealed AS sealed"
		" FROM endpoints WHERE id > ? AND old_secret_sealed IS NOT NULL ORDER BY id LIMIT ?" },
	[Q_OLD_ENDPOINT_SET] = { "sealed.old_endpoint_set",
		"UPDATE endpoints SET old_secret_sealed = ? WHERE id = ? AND old_secret_sealed = ?" },
	[Q_SETTINGS] = { "sealed.settings",
		"SELECT CAST(id AS CHAR) AS at, public_id AS owner, '' AS context, settings AS sealed"
		" FROM sources WHERE id > ? AND settings LIKE '%\"sealed:%' ORDER BY id LIMIT ?" },
	[Q_SETTING_SET] = { "sealed.setting_set",
		"UPDATE sources SET settings = REPLACE(settings, ?, ?) WHERE id = ? AND INSTR(settings, ?)" },
};
const struct stmt_table sealed_stmts = { stmts, ARRAY_SIZE(stmts) };

enum sealed_kind {
	BY_NUMBER,
	BY_TEXT,	/* its rows have no number */
	IN_SETTINGS,
};

struct sealed_column {
	const char *what;
	const struct stmt *walk, *set;
	enum sealed_kind kind;
};

static const struct sealed_column columns[] = {
	{ "integration key", &stmts[Q_SOURCE_KEYS], &stmts[Q_SOURCE_KEY_SET] },
	{ "signature secret", &stmts[Q_SECRETS], &stmts[Q_SECRET_SET] },
	{ "secret setting", &stmts[Q_SETTINGS], &stmts[Q_SETTING_SET], IN_SETTINGS },
	{ "authenticator seed", &stmts[Q_TOTP], &stmts[Q_TOTP_SET] },
	{ "unconfirmed authenticator seed", &stmts[Q_TOTP_PENDING], &stmts[Q_TOTP_PENDING_SET] },
	{ "handler secret", &stmts[Q_HANDLERS], &stmts[Q_HANDLER_SET] },
	{ "secret of a channel", &stmts[Q_CHANNELS], &stmts[Q_CHANNEL_SET] },
	{ "secret of an endpoint", &stmts[Q_ENDPOINTS], &stmts[Q_ENDPOINT_SET] },
	{ "former secret of an endpoint", &stmts[Q_OLD_ENDPOINTS], &stmts[Q_OLD_ENDPOINT_SET] },
	{ "message to a session", &stmts[Q_FLASHES], &stmts[Q_FLASH_SET], BY_TEXT },
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

	if (c->kind == BY_TEXT)
		return V_S(at.n ? at : STR(""));
	return V_U(str_u64(at, &id) ? id : 0);
}

const char *sealed_what(size_t column)
{
	return column < ARRAY_SIZE(columns) ? columns[column].what : NULL;
}

/* ---- settings ---- */

/* The sealed values of one text; `out` NULL: only counts them. */
static size_t take_apart(struct arena *a, const struct sealed_row *text, struct sealed_row *out)
{
	const struct json *object = NULL;
	struct err ignored = { 0 };
	size_t n = 0;

	if (!json_parse(a, text->sealed, &object, &ignored))
		return 0;
	for (const struct json *m = object->first; m; m = m->next) {
		struct str sealed;

		if (!source_setting_sealed(a, json_text(m), &sealed))
			continue;
		if (out)
			out[n] = (struct sealed_row){ text->at, text->owner, source_setting_context(a, m->name), sealed };
		n++;
	}
	return n;
}

static void all_apart(struct arena *a, struct sealed_row **rows, size_t *n)
{
	struct sealed_row *texts = *rows, *out;
	size_t sum = 0;

	for (size_t i = 0; i < *n; i++)
		sum += take_apart(a, &texts[i], NULL);
	out = ARENA_ARRAY(a, struct sealed_row, sum);
	*rows = out;
	for (size_t i = 0; i < *n; i++)
		out += take_apart(a, &texts[i], out);
	*n = sum;
}

/* ---- the walk ---- */

bool sealed_rows(struct db *db, struct arena *a, size_t column, struct sealed_walk *w, size_t limit, struct sealed_row **out, size_t *n,
	struct err *e)
{
	const struct sealed_column *c = &columns[column];

	if (c->kind == IN_SETTINGS && limit > SETTINGS_AT_ONCE)
		limit = SETTINGS_AT_ONCE;
	if (!db_query(db, c->walk, VALS(place(c, str_of(w->at)), V_U(limit)), a, fields, sizeof(**out), out, n, e))
		return false;
	w->over = *n < limit;
	if (*n)
		snprintf(w->at, sizeof(w->at), "%.*s", STR_ARG((*out)[*n - 1].at));
	if (c->kind == IN_SETTINGS)
		all_apart(a, out, n);
	return true;
}

bool sealed_replace(struct db *db, struct arena *a, size_t column, const struct sealed_row *row, struct str sealed, uint64_t *replaced,
	struct err *e)
{
	const struct sealed_column *c = &columns[column];
	struct str was, is;

	if (c->kind != IN_SETTINGS)
		return db_exec(db, c->set, VALS(V_B(sealed), place(c, row->at), V_B(row->sealed)), replaced, e);
	was = base64_encode(a, row->sealed.p, row->sealed.n);
	is = base64_encode(a, sealed.p, sealed.n);
	return db_exec(db, c->set, VALS(V_S(was), V_S(is), place(c, row->at), V_S(was)), replaced, e);
}
