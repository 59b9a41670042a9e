/* change.c - see change_int.h. */
#include "change_int.h"

#include "grapnel/json.h"

#define DETAIL_MAX 65535	/* bytes of the column; the most that is said are the 50 aliases of a service, twice 20 KiB */

static struct str *public_id(const struct change *x)
{
	return (struct str *)((char *)x->to + x->kind->public_id);
}

static ms_t *time_at(const void *thing, size_t offset)
{
	return (ms_t *)((char *)thing + offset);
}

/* ---- the audit log ---- */

static void thing_json(struct json_out *o, const char *key, const struct changeable *k, const void *thing)
{
	if (!thing)
		return;
	json_key(o, key);
	json_open(o, '{');
	if (k->audited)
		json_fields(o, k->audited, thing);
	if (k->audited_too)
		k->audited_too(o, thing);
	json_close(o, '}');
}

bool change_audit(struct db *db, const struct change *x, const char *verb, const void *before, const void *after, struct err *e)
{
	char action[64];
	struct json_out o;
	struct strbuf b;

	snprintf(action, sizeof(action), "%s.%s", x->kind->word, verb);
	strbuf_init(&b, x->arena, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	thing_json(&o, "before", x->kind, before);
	thing_json(&o, "after", x->kind, after);
	json_close(&o, '}');
	return audit_add(db, x->who, action, *public_id(x), strbuf_str(&b), x->now, e);
}

/* ---- making one ---- */

static bool add_tx(struct db *db, void *ctx, struct err *e)
{
	const struct change *x = ctx;

	return x->kind->add(db, x, e) && change_audit(db, x, "create", NULL, x->to, e);
}

void change_id(struct change *x)
{
	struct str *id = public_id(x);
	char made[PUBLIC_ID_MAX];

	if (id->n)
		return;
	public_id_make(x->kind->prefix, made);
	*id = arena_str(x->arena, str_of(made));
}

bool change_add(struct db *db, struct change *x, struct err *e)
{
	bool ok;

	change_id(x);
	*time_at(x->to, x->kind->created_at) = *time_at(x->to, x->kind->updated_at) = x->now;
	ok = db_tx(db, add_tx, x, e);
	bump_if_done(x->shm, ok, e);
	return ok;
}

/* ---- what is there ---- */

struct run {
	struct change *change;
	change_step *act;
	int found;
};

static bool locked_tx(struct db *db, void *ctx, struct err *e)
{
	struct run *r = ctx;
	struct change *x = r->change;
	void *before = arena_alloc(x->arena, x->kind->size);
	ms_t seen = *time_at(x->to, x->kind->updated_at), is;

	r->found = x->kind->lock(db, x, before, e);
	if (r->found != 1)
		return r->found == 0;
	is = *time_at(before, x->kind->updated_at);
	if (seen && seen != is)
		return err_set(e, ERR_CONFLICT, "%s %.*s has changed since it was read", x->kind->word, STR_ARG(*public_id(x)));
	x->before = before;
	x->changed_at = x->now > is ? x->now : is + 1;
	return r->act(db, x, e);
}

int change_by(struct db *db, struct change *x, change_step *act, struct err *e)
{
	struct run r = { .change = x, .act = act };
	bool ok = db_tx(db, locked_tx, &r, e);

	bump_if_done(x->shm, ok, e);
	return ok ? r.found : -1;
}

static bool update(struct db *db, const struct change *x, struct err *e)
{
	return x->kind->update(db, x, e) && change_audit(db, x, "update", x->before, x->to, e);
}

int change_update(struct db *db, struct change *x, struct err *e)
{
	return change_by(db, x, update, e);
}

static bool remove_it(struct db *db, const struct change *x, struct err *e)
{
	return x->kind->remove(db, x, e) && change_audit(db, x, "delete", x->before, NULL, e);
}

int change_remove(struct db *db, struct change *x, struct err *e)
{
	return change_by(db, x, remove_it, e);
}

/* ---- how many ---- */

struct count {
	uint64_t n;
};
static const struct field count_fields[] = { FIELD_ID(struct count, n, "id", ""), FIELD_END };

bool room_check(struct db *db, struct arena *a, const struct stmt *count, const struct val *vals, size_t n, unsigned max, const char *what,
	struct err *e)
{
	struct count row = { 0 };

	if (db_query_one(db, count, vals, n, a, count_fields, sizeof(row), &row, e) < 0)
		return false;
	return row.n < max || err_tell(e, ERR_CONFLICT, "There are %u %s, and no room for more.", max, what);
}
