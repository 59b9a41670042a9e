/* source_secret.c - the key and the secrets of a source: made, sealed, shown, rotated.
 *
 * Both are sealed with the source's public id as context, so that a value copied to another row does not open there. A rotation
 * leaves the old one valid for a grace period: the key in a second column (one old key is enough, since a person enters the new one in
 * that time), secrets as rows with an end. Whoever reads them asks for the time; nothing has to be cleaned up at the right moment. */
#include "store_int.h"

#include "grapnel/json.h"

#define KEY_BYTES 16		/* 32 hex digits: the form of a PagerDuty routing key */

enum { Q_LOCK, Q_KEY, Q_ROTATE_KEY, Q_LIST, Q_END, Q_DROP_ENDED, Q_ADD, Q_DROP_OLDEST, Q_TOUCH, Q_UNSEEN, Q_SEEN, Q_ALL };

static const struct stmt stmts[] = {
	[Q_LOCK] = { "source_secret.lock",
		"SELECT id, kind, updated_at FROM sources WHERE public_id = ? AND tenant_id = ? AND deleted_at IS NULL FOR UPDATE" },
	[Q_KEY] = { "source_secret.key",
		"SELECT id, kind, key_sealed FROM sources WHERE public_id = ? AND tenant_id = ? AND deleted_at IS NULL" },
	/* Assignments go from left to right. */
	[Q_ROTATE_KEY] = { "source_secret.rotate_key",
		"UPDATE sources SET key_old_hash = IF(? IS NULL, NULL, key_hash), key_old_until = ?, key_hash = ?, key_sealed = ?,"
		" updated_at = ? WHERE id = ?" },
	[Q_LIST] = { "source_secret.list",
		"SELECT created_at, expires_at FROM source_secrets WHERE source_id = ? AND (expires_at IS NULL OR expires_at > ?)"
		" ORDER BY created_at DESC, id DESC LIMIT ?" },
	[Q_END] = { "source_secret.end",
		"UPDATE source_secrets SET expires_at = LEAST(COALESCE(expires_at, ?), ?) WHERE source_id = ?" },
	[Q_DROP_ENDED] = { "source_secret.drop_ended",
		"DELETE FROM source_secrets WHERE source_id = ? AND expires_at <= ?" },
	[Q_ADD] = { "source_secret.rotate_add",
		"INSERT INTO source_secrets (source_id, sealed, created_at) VALUES (?, ?, ?)" },
	[Q_DROP_OLDEST] = { "source_secret.drop_oldest",
		"DELETE FROM source_secrets WHERE source_id = ? AND id NOT IN (SELECT id FROM (SELECT id FROM source_secrets"
		" WHERE source_id = ? ORDER BY created_at DESC, id DESC LIMIT ?) newest)" },
	[Q_UNSEEN] = { "source_secret.unseen",
		"SELECT x.id, s.kind, x.sealed AS key_sealed FROM sources s JOIN source_secrets x ON x.source_id = s.id AND x.unseen = 1"
		" WHERE s.public_id = ? AND s.tenant_id = ? AND s.deleted_at IS NULL LIMIT 1" },
	[Q_SEEN] = { "source_secret.seen",
		"UPDATE source_secrets SET unseen = 0 WHERE id = ? AND unseen = 1" },
	[Q_ALL] = { "source_secret.all",
		"SELECT s.key_sealed AS key_sealed, s.handler_secret_sealed AS handler_secret, (SELECT x.sealed FROM source_secrets x"
		" WHERE x.source_id = s.id AND x.expires_at IS NULL ORDER BY x.created_at DESC, x.id DESC LIMIT 1) AS secret"
		" FROM sources s WHERE s.id = ?" },
	[Q_TOUCH] = { "source_secret.touch",
		"UPDATE sources SET updated_at = ? WHERE id = ?" },
};
const struct stmt_table source_secret_stmts = { stmts, ARRAY_SIZE(stmts) };

struct row {
	uint64_t id, kind;
	struct str key_sealed;
	ms_t updated_at;
};

static const struct field fields[] = {
	FIELD_ID(struct row, id, "id", ""),
	FIELD_U64(struct row, kind, "kind", ""),
	FIELD_STR(struct row, key_sealed, "key_sealed", ""),
	FIELD_TIME(struct row, updated_at, "updated_at", ""),
	FIELD_END
};

static const struct field secret_fields[] = {
	FIELD_TIME(struct source_secret, created_at, "created_at", ""),
	FIELD_TIME(struct source_secret, expires_at, "expires_at", ""),
	FIELD_END
};

/* ---- making and sealing ---- */

static struct str key_context(struct arena *a, struct str public_id)
{
	return arena_printf(a, "source_key:%.*s", STR_ARG(public_id));
}

struct made_key source_key_make(struct arena *a, const struct seal_key *sk, struct str public_id, struct str text)
{
	unsigned char raw[KEY_BYTES], digest[SHA256_BYTES];
	struct made_key k;

	random_bytes(raw, sizeof(raw));
	k.text = text.n ? text : hex_encode(a, raw, sizeof(raw));
	secret_wipe(raw, sizeof(raw));
	sha256(k.text, digest);
	k.hash = arena_str(a, (struct str){ (const char *)digest, sizeof(digest) });
	k.sealed = seal(a, sk, k.text, key_context(a, public_id).p);
	return k;
}

struct str source_secret_seal(struct arena *a, const struct seal_key *sk, struct str public_id, struct str secret)
{
	struct str context = arena_printf(a, "source_secret:%.*s", STR_ARG(public_id));

	return secret.n ? seal(a, sk, secret, context.p) : STR_NONE;
}

/* ---- settings that are secrets ---- */

#define SEALED "sealed:"

/* Not bound to the source, which has no id yet when it is made; a value that was copied to another one serves the same purpose there. */
struct str source_setting_context(struct arena *a, struct str name)
{
	return arena_printf(a, "source_setting:%.*s", STR_ARG(name));
}

bool source_setting_is_sealed(struct str value)
{
	return str_starts(value, SEALED);
}

struct str source_setting_seal(struct arena *a, const struct seal_key *sk, struct str name, struct str value)
{
	struct str sealed = seal(a, sk, value, source_setting_context(a, name).p);

	return arena_printf(a, SEALED "%.*s", STR_ARG(base64_encode(a, sealed.p, sealed.n)));
}

bool source_setting_sealed(struct arena *a, struct str value, struct str *sealed)
{
	return source_setting_is_sealed(value) && base64_decode(a, str_sub(value, strlen(SEALED)), false, sealed);
}

struct str source_setting_open(struct arena *a, const struct seal_key *sk, struct str name, struct str value)
{
	struct str sealed, plain;
	struct err e = { 0 };

	if (!source_setting_sealed(a, value, &sealed) || !unseal(a, sk, sealed, source_setting_context(a, name).p, &plain, &e))
		return STR_NONE;
	return plain;
}

/* ---- showing ---- */

static bool audit(struct db *db, const struct who *who, uint64_t kind, const char *verb, struct str public_id, struct str detail,
	ms_t now, struct err *e)
{
	char action[64];

	snprintf(action, sizeof(action), "%s.%s", kind == SOURCE_REGISTRATION ? "registration" : "integration", verb);
	return audit_add(db, who, action, public_id, detail, now, e);
}

int source_key(struct db *db, struct arena *a, const struct seal_key *sk, uint64_t tenant_id, struct str public_id,
	const struct who *who, ms_t now, struct str *key, struct err *e)
{
	struct row r;
	int found = db_query_one(db, &stmts[Q_KEY], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(r), &r, e);
	struct err cause = { 0 };

	if (found != 1)
		return found;
	if (!unseal(a, sk, r.key_sealed, key_context(a, public_id).p, key, &cause)) {
		err_set(e, ERR_BUG, "the key of %.*s: %s", STR_ARG(public_id), cause.text);	/* nothing that the caller could mend */
		return -1;
	}
	return !who || audit(db, who, r.kind, "reveal_key", public_id, STR_NONE, now, e) ? 1 : -1;
}

int source_received_secret(struct db *db, struct arena *a, const struct seal_key *sk, uint64_t tenant_id, struct str public_id,
	const struct who *who, ms_t now, struct str *secret, struct err *e)
{
	struct str context = arena_printf(a, "source_secret:%.*s", STR_ARG(public_id));
	struct err cause = { 0 };
	uint64_t changed;
	struct row r;
	int found = db_query_one(db, &stmts[Q_UNSEEN], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(r), &r, e);

	if (found != 1)
		return found;
	if (!unseal(a, sk, r.key_sealed, context.p, secret, &cause)) {
		err_set(e, ERR_BUG, "the secret of %.*s: %s", STR_ARG(public_id), cause.text);
		return -1;
	}
	if (!db_exec(db, &stmts[Q_SEEN], VALS(V_U(r.id)), &changed, e))
		return -1;
	if (!changed)
		return 0;
	return audit(db, who, r.kind, "reveal_secret", public_id, STR_NONE, now, e) ? 1 : -1;
}

bool source_secrets(struct db *db, struct arena *a, uint64_t source_id, ms_t now, struct source_secret **out, size_t *n,
	struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(source_id), V_I(now), V_U(SOURCE_SECRETS_MAX)), a, secret_fields,
		sizeof(**out), out, n, e);
}

/* ---- rotating ---- */

struct rotation {
	struct arena *arena;
	uint64_t tenant_id;
	struct str public_id;
	struct made_key key;
	struct str secret_sealed;
	ms_t grace_ms, now;
	const struct who *who;
	bool found;
};

/* Locks the row. True with found false: there is no such source. */
static bool lock(struct db *db, struct rotation *r, struct row *row, struct err *e)
{
	int found = db_query_one(db, &stmts[Q_LOCK], VALS(V_S(r->public_id), V_U(r->tenant_id)), r->arena, fields, sizeof(*row),
		row, e);

	r->found = found == 1;
	return found >= 0;
}

static ms_t changed_at(const struct rotation *r, const struct row *row)
{
	return r->now > row->updated_at ? r->now : row->updated_at + 1;
}

static bool audit_rotation(struct db *db, const struct rotation *r, const struct row *row, const char *verb, struct err *e)
{
	struct str detail = arena_printf(r->arena, "{\"graceSeconds\":%lld}", (long long)(r->grace_ms / MS_PER_SECOND));

	return audit(db, r->who, row->kind, verb, r->public_id, detail, r->now, e);
}

static bool rotate_key_tx(struct db *db, void *ctx, struct err *e)
{
	struct rotation *r = ctx;
	struct val until = r->grace_ms ? V_I(r->now + r->grace_ms) : V_NULL();
	struct row row;

	if (!lock(db, r, &row, e))
		return false;
	return !r->found ||
		(db_exec(db, &stmts[Q_ROTATE_KEY],
			VALS(until, until, V_S(r->key.hash), V_S(r->key.sealed), V_I(changed_at(r, &row)), V_U(row.id)), NULL, e) &&
		audit_rotation(db, r, &row, "rotate_key", e));
}

static bool rotate_secret_tx(struct db *db, void *ctx, struct err *e)
{
	struct rotation *r = ctx;
	struct val until = V_I(r->now + r->grace_ms);
	struct source_secret *before;
	struct row row;
	size_t n;

	if (!lock(db, r, &row, e))
		return false;
	if (!r->found)
		return true;
	if (!source_secrets(db, r->arena, row.id, r->now, &before, &n, e))
		return false;
	if (!n)
		return err_tell(e, ERR_CONFLICT, "This integration has no signature secret to rotate; set one first.");
	return db_exec(db, &stmts[Q_END], VALS(until, until, V_U(row.id)), NULL, e) &&
		db_exec(db, &stmts[Q_DROP_ENDED], VALS(V_U(row.id), V_I(r->now)), NULL, e) &&
		db_exec(db, &stmts[Q_ADD], VALS(V_U(row.id), V_S(r->secret_sealed), V_I(r->now)), NULL, e) &&
		db_exec(db, &stmts[Q_DROP_OLDEST], VALS(V_U(row.id), V_U(row.id), V_U(SOURCE_SECRETS_MAX)), NULL, e) &&
		db_exec(db, &stmts[Q_TOUCH], VALS(V_I(changed_at(r, &row)), V_U(row.id)), NULL, e) &&
		audit_rotation(db, r, &row, "rotate_secret", e);
}

int source_rotate_key(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, uint64_t tenant_id,
	struct str public_id, ms_t grace_ms, const struct who *who, ms_t now, struct str *key, struct err *e)
{
	struct rotation r = { .arena = a, .tenant_id = tenant_id, .public_id = public_id, .grace_ms = grace_ms, .now = now, .who = who,
		.key = source_key_make(a, sk, public_id, STR_NONE) };
	bool ok = db_tx(db, rotate_key_tx, &r, e);

	bump_if_done(shm, ok, e);
	*key = r.key.text;
	return ok ? r.found : -1;
}

int source_rotate_secret(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, uint64_t tenant_id,
	struct str public_id, struct str secret, ms_t grace_ms, const struct who *who, ms_t now, struct err *e)
{
	struct rotation r = { .arena = a, .tenant_id = tenant_id, .public_id = public_id, .grace_ms = grace_ms, .now = now, .who = who,
		.secret_sealed = source_secret_seal(a, sk, public_id, secret) };
	bool ok;

	if (secret.n > SOURCE_SECRET_MAX) {
		err_field(e, ERR_INVALID, "signatureSecret", "the secret has more than %d bytes", SOURCE_SECRET_MAX);
		return -1;
	}
	ok = db_tx(db, rotate_secret_tx, &r, e);
	bump_if_done(shm, ok, e);
	return ok ? r.found : -1;
}

/* ---- all of them, for who moves a source to another installation ---- */

static const struct field all_fields[] = {
	FIELD_STR(struct source_plain, key, "key_sealed", ""),
	FIELD_STR(struct source_plain, secret, "secret", ""),
	FIELD_STR(struct source_plain, handler_secret, "handler_secret", ""),
	FIELD_END
};

static bool open_one(struct arena *a, const struct seal_key *sk, const char *what, struct str public_id, struct str *text, struct err *e)
{
	return !text->n || unseal(a, sk, *text, arena_printf(a, "%s:%.*s", what, STR_ARG(public_id)).p, text, e);
}

bool source_plain(struct db *db, struct arena *a, const struct seal_key *sk, const struct source *s, struct source_plain *out, struct err *e)
{
	*out = (struct source_plain){ .key = STR_NONE };
	return db_query_one(db, &stmts[Q_ALL], VALS(V_U(s->id)), a, all_fields, sizeof(*out), out, e) >= 0 &&
		open_one(a, sk, "source_key", s->public_id, &out->key, e) && open_one(a, sk, "source_secret", s->public_id, &out->secret, e) &&
		open_one(a, sk, "handler_secret", s->public_id, &out->handler_secret, e);
}
