/* source_effect.c - what a message changes in its own source: that there is one at all, a secret that the sender made, a setting that is
 * kept from the first time on, that the sender has gone.
 *
 * First come, first served, decided under the lock of the source: whoever sends a second secret or another topic changes nothing, and
 * an administrator's own value stays. */
#include "store_int.h"

#include "grapnel/json.h"

#define SETTINGS_MAX 60000	/* as source.c */

enum { Q_LOCK, Q_UPDATE, Q_SECRET };

static const struct stmt stmts[] = {
	[Q_LOCK] = { "source_effect.lock",
		"SELECT s.id, s.tenant_id, s.public_id, s.settings, EXISTS (SELECT 1 FROM source_secrets x WHERE x.source_id = s.id"
		" AND (x.expires_at IS NULL OR x.expires_at > ?)) AS has_secret FROM sources s"
		" WHERE s.id = ? AND s.deleted_at IS NULL FOR UPDATE" },
	[Q_UPDATE] = { "source_effect.update",
		"UPDATE sources SET settings = ?, verified_at = COALESCE(verified_at, ?), disconnected_at = ?,"
		" updated_at = GREATEST(updated_at + 1, ?) WHERE id = ?" },
	[Q_SECRET] = { "source_effect.secret",
		"INSERT INTO source_secrets (source_id, sealed, created_at, unseen) VALUES (?, ?, ?, 1)" },
};
const struct stmt_table source_effect_stmts = { stmts, ARRAY_SIZE(stmts) };

struct row {
	uint64_t id, tenant_id;
	struct str public_id, settings;
	bool has_secret;
};

static const struct field fields[] = {
	FIELD_ID(struct row, id, "id", ""),
	FIELD_ID(struct row, tenant_id, "tenant_id", ""),
	FIELD_STR(struct row, public_id, "public_id", ""),
	FIELD_STR(struct row, settings, "settings", ""),
	FIELD_BOOL(struct row, has_secret, "has_secret", ""),
	FIELD_END
};

/* The settings with one more member. */
static struct str with_setting(struct arena *a, const struct json *settings, const char *name, struct str value)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, SETTINGS_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	for (const struct json *member = settings ? settings->first : NULL; member; member = member->next) {
		if (str_eqs(member->name, name))
			continue;
		json_keyn(&o, member->name);
		json_tree(&o, member);
	}
	json_key(&o, name);
	json_str(&o, value);
	json_close(&o, '}');
	return b.failed ? STR_NONE : strbuf_str(&b);
}

/* What there is stays; what cannot be read, or has no room for more, too. */
static bool keep_setting(struct arena *a, struct row *r, struct source_effect *x)
{
	const struct json *settings = NULL;
	struct err e = { 0 };
	struct str now, more;

	if (r->settings.n && !json_parse(a, r->settings, &settings, &e))
		return false;
	now = json_text(json_get(settings, x->keep_name));
	x->kept = str_eq(now, x->keep_value);
	if (now.n)
		return false;
	more = with_setting(a, settings, x->keep_name, x->keep_value);
	x->kept = more.n > 0;
	if (x->kept)
		r->settings = more;
	return x->kept;
}

static bool audit(struct db *db, struct arena *a, const struct row *r, const struct source_effect *x, bool secret, bool setting, ms_t now,
	struct err *e)
{
	const struct who who = { .tenant_id = (uint32_t)r->tenant_id, .actor = ACTOR_SYSTEM };
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, SETTINGS_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	if (secret) {
		json_key(&o, "hasSecret");
		json_bool(&o, true);
	}
	if (setting) {
		json_key(&o, x->keep_name);
		json_str(&o, x->keep_value);
	}
	json_close(&o, '}');
	return audit_add(db, &who, "integration.handshake", r->public_id, strbuf_str(&b), now, e);
}

int source_effect(struct db *db, struct arena *a, const struct seal_key *sk, struct source_effect *x, ms_t now, struct err *e)
{
	bool secret, setting;
	struct row r;
	int found = db_query_one(db, &stmts[Q_LOCK], VALS(V_I(now), V_U(x->source_id)), a, fields, sizeof(r), &r, e);

	x->kept = false;
	if (found != 1)
		return found;
	secret = x->new_secret.n && x->new_secret.n <= SOURCE_SECRET_MAX && !r.has_secret;
	setting = x->keep_name && keep_setting(a, &r, x);
	if (!db_exec(db, &stmts[Q_UPDATE], VALS(V_SN(r.settings), V_I(now), V_T(x->disconnected ? now : 0), V_I(now), V_U(r.id)), NULL, e))
		return -1;
	if (secret && !db_exec(db, &stmts[Q_SECRET],
			VALS(V_U(r.id), V_S(source_secret_seal(a, sk, r.public_id, x->new_secret)), V_I(now)), NULL, e))
		return -1;
	return (!secret && !setting) || audit(db, a, &r, x, secret, setting, now, e) ? 1 : -1;
}
