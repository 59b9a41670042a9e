/* cmd_key.c - certificates and key sets of providers: what was fetched, and what the administrator puts there himself, for a
 * server that may not reach the providers or for a key that he had by another way. */
#include "ctl_int.h"

#include "grapnel/keys.h"

#define LIST_MAX 1000

struct key_view {
	struct str url, kind;
	bool pinned;
	ms_t fetched_at, fresh_until;
	struct str sha256;
};

static const struct field fields[] = {
	FIELD_STR(struct key_view, url, "url", ""),
	FIELD_STR(struct key_view, kind, "kind", ""),
	FIELD_BOOL(struct key_view, pinned, "pinned", ""),
	FIELD_TIME(struct key_view, fetched_at, "fetchedAt", ""),
	FIELD_TIME(struct key_view, fresh_until, "freshUntil", ""),
	FIELD_STR(struct key_view, sha256, "sha256", ""),
	FIELD_END
};

static struct key_view view_of(struct arena *a, const struct stored_key *row)
{
	struct key_view v = { .url = row->url, .kind = STR("none"), .pinned = row->pinned, .fetched_at = row->fetched_at,
		.fresh_until = row->fresh_until };
	struct key_facts facts;
	struct err e = { 0 };

	if (!row->text.p || !key_facts_read(a, row->text, &facts, &e))
		return v;
	v.kind = facts.is_certificate ? STR("certificate") : STR("key set");
	v.sha256 = sha256_hex(a, row->text);
	if (row->pinned)
		v.fresh_until = facts.ends_at;
	return v;
}

static bool add(struct ctl *c, struct err *e)
{
	struct str url = ctl_word(c, 0), text;
	struct key_facts facts;
	struct err why = { 0 };
	struct stored_key row;
	struct key_view v;

	if (!key_url_check(url, e))
		return false;
	if (!file_read(c->arena, c->words[1], KEY_TEXT_MAX, &text, &why) || !key_facts_read(c->arena, text, &facts, &why))
		return err_set(e, why.code == ERR_INVALID ? ERR_INVALID : ERR_DOWN, "%s: %.180s", c->words[1], why.text);
	if (!stored_key_pin(c->db, c->arena, c->shm, url, text, &c->who, c->now, e))
		return false;
	row = (struct stored_key){ .url = url, .text = text, .pinned = true, .fetched_at = c->now };
	v = view_of(c->arena, &row);
	ctl_one(c, fields, &v);
	return true;
}

static bool list(struct ctl *c, struct err *e)
{
	struct stored_key *rows;
	struct key_view *views;
	size_t n;

	if (!stored_key_list(c->db, c->arena, LIST_MAX, &rows, &n, e))
		return false;
	views = ARENA_ARRAY(c->arena, struct key_view, n);
	for (size_t i = 0; i < n; i++)
		views[i] = view_of(c->arena, &rows[i]);
	ctl_list(c, "keys", fields, "kind pinned fetchedAt freshUntil url", views, n, sizeof(*views), 0);
	return true;
}

static bool remove_key(struct ctl *c, struct err *e)
{
	int done = stored_key_remove(c->db, c->arena, c->shm, ctl_word(c, 0), &c->who, c->now, e);

	if (done != 1)
		return !done && err_set(e, ERR_NOT_FOUND, "there is no document of that URL; see grapnelctl key list");
	ctl_done(c, "it is forgotten, and fetched when it is needed again");
	return true;
}

const struct command key_commands[] = {
	{ "key add", "URL FILE", NULL, NEED_SCHEMA | NEED_STATE, add,
		"keeps a provider's certificate (PEM) or key set (JSON) under its URL; it is trusted as it is" },
	{ "key list", "", NULL, NEED_SCHEMA, list, "lists the certificates and key sets that were fetched or added" },
	{ "key remove", "URL", NULL, NEED_SCHEMA | NEED_STATE, remove_key, "forgets one; it is fetched when it is needed again" },
	{ 0 }
};
