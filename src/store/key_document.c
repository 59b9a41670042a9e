/* key_document.c - certificates and key sets of providers, by URL; src/keys says when they are fetched.
 *
 * Whoever wants to fetch claims the row first, by one statement that says what it expects to find: the last attempt as it was read. So of
 * all workers of all hosts one fetches, and none within a minute after another. */
#include "store_int.h"

#include "grapnel/json.h"

#define DETAIL_MAX (8 * KEY_URL_MAX)	/* each byte of it escaped */

enum { Q_GET, Q_ADD, Q_CLAIM, Q_DROP_NEVER_HAD, Q_PUT, Q_ABSENT, Q_PIN, Q_LIST, Q_REMOVE };

#define COLUMNS "url, text, pinned, absent, fetched_at, fresh_until, tried_at"

static const struct stmt stmts[] = {
	[Q_GET] = { "key_document.get",
		"SELECT " COLUMNS " FROM key_documents WHERE url_hash = ?" },
	[Q_ADD] = { "key_document.add",
		"INSERT INTO key_documents (url_hash, url, tried_at) VALUES (?, ?, ?)" },
	[Q_CLAIM] = { "key_document.claim",
		"UPDATE key_documents SET tried_at = ? WHERE url_hash = ? AND pinned = 0 AND tried_at <=> ?" },
	[Q_DROP_NEVER_HAD] = { "key_document.drop_never_had",
		"DELETE FROM key_documents WHERE tried_at < ? AND text IS NULL" },
	[Q_PUT] = { "key_document.put",
		"UPDATE key_documents SET text = ?, absent = 0, fetched_at = ?, fresh_until = ? WHERE url_hash = ? AND pinned = 0" },
	[Q_ABSENT] = { "key_document.absent",
		"UPDATE key_documents SET absent = 1 WHERE url_hash = ? AND pinned = 0" },
	[Q_PIN] = { "key_document.pin",
		"INSERT INTO key_documents (url_hash, url, text, pinned, fetched_at) VALUES (?, ?, ?, 1, ?)"
		" ON DUPLICATE KEY UPDATE text = VALUES(text), pinned = 1, absent = 0, fetched_at = VALUES(fetched_at),"
		" fresh_until = NULL" },
	[Q_LIST] = { "key_document.list",
		"SELECT " COLUMNS " FROM key_documents ORDER BY url LIMIT ?", SCAN_OK },
	[Q_REMOVE] = { "key_document.remove",
		"DELETE FROM key_documents WHERE url_hash = ?" },
};
const struct stmt_table key_document_stmts = { stmts, ARRAY_SIZE(stmts) };

#define NEVER_HAD_MS MS_PER_HOUR	/* then such a row says nothing any more */

static const struct field fields[] = {
	FIELD_STR(struct stored_key, url, "url", ""),
	FIELD_STR(struct stored_key, text, "text", ""),
	FIELD_BOOL(struct stored_key, pinned, "pinned", ""),
	FIELD_BOOL(struct stored_key, absent, "absent", ""),
	FIELD_TIME(struct stored_key, fetched_at, "fetched_at", ""),
	FIELD_TIME(struct stored_key, fresh_until, "fresh_until", ""),
	FIELD_TIME(struct stored_key, tried_at, "tried_at", ""),
	FIELD_END
};

struct hash {
	unsigned char b[SHA256_BYTES];
};

static struct hash hash_of(struct str url)
{
	struct hash h;

	sha256(url, h.b);
	return h;
}

#define V_HASH(h) V_B(((struct str){ (const char *)(h).b, sizeof((h).b) }))

int stored_key_get(struct db *db, struct arena *a, struct str url, struct stored_key *out, struct err *e)
{
	struct hash h = hash_of(url);

	return db_query_one(db, &stmts[Q_GET], VALS(V_HASH(h)), a, fields, sizeof(*out), out, e);
}

/* A new row is the moment to drop old ones that strangers made with URLs that lead nowhere. */
static int add(struct db *db, struct hash h, struct str url, ms_t now, struct err *e)
{
	if (!db_exec(db, &stmts[Q_ADD], VALS(V_HASH(h), V_S(url), V_I(now)), NULL, e))
		return db_trouble(db) == DB_DUPLICATE ? 0 : -1;
	return db_exec(db, &stmts[Q_DROP_NEVER_HAD], VALS(V_I(now - NEVER_HAD_MS)), NULL, e) ? 1 : -1;
}

int stored_key_claim(struct db *db, struct str url, const struct stored_key *seen, ms_t now, struct err *e)
{
	struct hash h = hash_of(url);
	uint64_t matched;

	if (!seen)
		return add(db, h, url, now, e);
	if (!db_exec(db, &stmts[Q_CLAIM], VALS(V_I(now), V_HASH(h), V_T(seen->tried_at)), &matched, e))
		return db_trouble(db) == DB_CONFLICT ? 0 : -1;
	return matched == 1;
}

bool stored_key_put(struct db *db, struct str url, struct str text, ms_t fetched_at, ms_t fresh_until, struct err *e)
{
	struct hash h = hash_of(url);

	return db_exec(db, &stmts[Q_PUT], VALS(V_S(text), V_I(fetched_at), V_T(fresh_until), V_HASH(h)), NULL, e);
}

bool stored_key_absent(struct db *db, struct str url, struct err *e)
{
	struct hash h = hash_of(url);

	return db_exec(db, &stmts[Q_ABSENT], VALS(V_HASH(h)), NULL, e);
}

bool stored_key_list(struct db *db, struct arena *a, size_t limit, struct stored_key **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

/* ---- an administrator's ---- */

struct change {
	struct str url, text;
	const struct who *who;
	ms_t now;
	uint64_t removed;
	struct hash hash;
	struct arena *a;	/* for what the audit log is told */
};

/* A URL is longer than the name of what was changed may be: its hash is the name, and it stands in the detail. */
static bool audit(struct db *db, const struct change *c, const char *action, struct err *e)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, c->a, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "url");
	json_str(&o, c->url);
	if (c->text.p) {
		json_key(&o, "sha256");
		json_str(&o, sha256_hex(c->a, c->text));
	}
	json_close(&o, '}');
	return audit_add(db, c->who, action, hex_encode(c->a, c->hash.b, sizeof(c->hash.b)), strbuf_str(&b), c->now, e);
}

static bool pin_tx(struct db *db, void *ctx, struct err *e)
{
	const struct change *c = ctx;

	return db_exec(db, &stmts[Q_PIN], VALS(V_HASH(c->hash), V_S(c->url), V_S(c->text), V_I(c->now)), NULL, e) &&
		audit(db, c, "key.pin", e);
}

bool stored_key_pin(struct db *db, struct arena *a, struct shm *shm, struct str url, struct str text, const struct who *who, ms_t now,
	struct err *e)
{
	struct change c = { url, text, who, now, 0, hash_of(url), a };
	bool ok = db_tx(db, pin_tx, &c, e);

	bump_if_done(shm, ok, e);
	return ok;
}

static bool remove_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *c = ctx;

	if (!db_exec(db, &stmts[Q_REMOVE], VALS(V_HASH(c->hash)), &c->removed, e))
		return false;
	return !c->removed || audit(db, c, "key.remove", e);
}

int stored_key_remove(struct db *db, struct arena *a, struct shm *shm, struct str url, const struct who *who, ms_t now, struct err *e)
{
	struct change c = { url, STR_NONE, who, now, 0, hash_of(url), a };
	bool ok = db_tx(db, remove_tx, &c, e);

	bump_if_done(shm, ok, e);
	return ok ? c.removed == 1 : -1;
}
