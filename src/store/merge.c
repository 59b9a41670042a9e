/* merge.c - one incident goes on as a part of another.
 *
 * The merged one is resolved by the person who merges, and both know of it: incidents.merged_into. Its key points to the other incident as well,
 * incident_keys.merged_into, so that ingest lets what still fires join that one (incident.h says by which rules). Both pointers are taken back when the merged one is
 * open again, by a person or, once the other is over, by its sender's next trigger. Its alerts stay its own: what was merged by mistake is whole again.
 *
 * What was merged into an incident that is now merged itself goes along, so a pointer never leads to one that has another. Order of locks as in ingest: keys by
 * service and hash, then incidents. */
#include "store_int.h"

#include <inttypes.h>

enum { Q_FIND, Q_PARTS, Q_KEY_LOCK, Q_LOCK, Q_END, Q_KEY_END, Q_RAISE, Q_KEY_RAISE, Q_MOVE, Q_KEY_MOVE, Q_ENTRY };

static const struct stmt stmts[] = {
	[Q_FIND] = { "merge.find",
		"SELECT id, service_id, dedup_key, title FROM incidents WHERE id IN (?, ?) AND tenant_id = ?" },
	[Q_PARTS] = { "merge.parts",
		"SELECT id, service_id, dedup_key FROM incidents WHERE merged_into = ? ORDER BY id LIMIT ?" },
	[Q_KEY_LOCK] = { "merge.key_lock",
		"SELECT incident_id AS id FROM incident_keys WHERE service_id = ? AND key_hash = ? FOR UPDATE" },
	[Q_LOCK] = { "merge.lock", "SELECT id, status, level, is_test FROM incidents WHERE id IN (?, ?) ORDER BY id FOR UPDATE" },
	[Q_END] = { "merge.end",
		"UPDATE incidents SET status = 3, open_hash = NULL, resolved_at = ?, resolved_by = 3, snoozed_until = NULL, merged_into = ?, updated_at = ?"
		" WHERE id = ?" },
	[Q_KEY_END] = { "merge.key_end",
		"UPDATE incident_keys SET status = 3, resolved_by = 3, merged_into = ? WHERE service_id = ? AND key_hash = ?" },
	/* A higher severity ends being snoozed. */
	[Q_RAISE] = { "merge.raise",
		"UPDATE incidents SET snoozed_until = IF(? > level, NULL, snoozed_until), level = GREATEST(level, ?), updated_at = ? WHERE id = ?" },
	[Q_KEY_RAISE] = { "merge.key_raise", "UPDATE incident_keys SET level = GREATEST(level, ?) WHERE service_id = ? AND key_hash = ?" },
	[Q_MOVE] = { "merge.move", "UPDATE incidents SET merged_into = ? WHERE id = ?" },
	[Q_KEY_MOVE] = { "merge.key_move",
		"UPDATE incident_keys SET merged_into = ? WHERE service_id = ? AND key_hash = ? AND merged_into = ?" },
	[Q_ENTRY] = { "merge.entry",
		"INSERT INTO timeline (incident_id, id, at, kind, actor, user_id, level, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)" },
};
const struct stmt_table merge_stmts = { stmts, ARRAY_SIZE(stmts) };

struct part {			/* an incident with its key */
	uint64_t id, service_id, status, level;
	struct str dedup_key, title;
	bool is_test;
	unsigned char hash[KEY_HASH_BYTES];
};

static const struct field fields[] = {
	FIELD_ID(struct part, id, "id", ""),
	FIELD_ID(struct part, service_id, "service_id", ""),
	FIELD_U64(struct part, status, "status", ""),
	FIELD_U64(struct part, level, "level", ""),
	FIELD_STR(struct part, dedup_key, "dedup_key", ""),
	FIELD_STR(struct part, title, "title", ""),
	FIELD_BOOL(struct part, is_test, "is_test", ""),
	FIELD_END
};

struct merging {
	struct arena *arena;
	const struct incident_merge *m;
	struct part from, into;
	struct part *parts;		/* of `from`, before */
	size_t parts_n;
	bool found;
};

static struct val hash_of(const struct part *p)
{
	return V_B((struct str){ (const char *)p->hash, sizeof(p->hash) });
}

/* ---- reading and locking ---- */

/* False with *e, or x->found false. */
static bool find(struct db *db, struct merging *x, struct err *e)
{
	struct part *rows;
	size_t n;

	if (!db_query(db, &stmts[Q_FIND], VALS(V_U(x->m->incident), V_U(x->m->into), V_U(x->m->who->tenant_id)), x->arena, fields, sizeof(*rows), &rows, &n, e))
		return false;
	x->from = x->into = (struct part){ 0 };
	for (size_t i = 0; i < n; i++)
		*(rows[i].id == x->m->incident ? &x->from : &x->into) = rows[i];
	x->found = x->from.id;
	if (x->found && !x->into.id)
		return err_field(e, ERR_INVALID, "into", "There is no such incident to merge into.");
	if (!x->found)
		return true;
	return db_query(db, &stmts[Q_PARTS], VALS(V_U(x->from.id), V_U(INCIDENT_PARTS_MAX + 1)), x->arena, fields, sizeof(*x->parts), &x->parts, &x->parts_n, e);
}

static int by_key(const void *x, const void *y)
{
	const struct part *a = *(struct part *const *)x, *b = *(struct part *const *)y;

	if (a->service_id != b->service_id)
		return a->service_id < b->service_id ? -1 : 1;
	return memcmp(a->hash, b->hash, sizeof(a->hash));
}

static bool lock_keys(struct db *db, struct merging *x, struct err *e)
{
	struct part **all = ARENA_ARRAY(x->arena, struct part *, x->parts_n + 2);
	size_t n = 0;

	all[n++] = &x->from;
	all[n++] = &x->into;
	for (size_t i = 0; i < x->parts_n; i++)
		all[n++] = &x->parts[i];
	for (size_t i = 0; i < n; i++)
		key_hash(all[i]->dedup_key, all[i]->hash);
	qsort(all, n, sizeof(struct part *), by_key);
	for (size_t i = 0; i < n; i++) {
		struct part unused;

		if (db_query_one(db, &stmts[Q_KEY_LOCK], VALS(V_U(all[i]->service_id), hash_of(all[i])), x->arena, fields, sizeof(unused), &unused, e) < 0)
			return false;
	}
	return true;
}

static bool lock_incidents(struct db *db, struct merging *x, struct err *e)
{
	struct part *rows;
	size_t n;

	if (!db_query(db, &stmts[Q_LOCK], VALS(V_U(x->from.id), V_U(x->into.id)), x->arena, fields, sizeof(*rows), &rows, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct part *p = rows[i].id == x->from.id ? &x->from : &x->into;

		p->status = rows[i].status;
		p->level = rows[i].level;
		p->is_test = rows[i].is_test;
	}
	return n == 2 || err_set(e, ERR_CONFLICT, "one of the two has gone meanwhile");
}

static bool check(struct db *db, struct merging *x, struct err *e)
{
	struct part *there;
	size_t n;

	if (x->from.status == INCIDENT_RESOLVED)
		return err_tell(e, ERR_CONFLICT, "This incident is resolved; only an unresolved one can be merged.");
	if (x->into.status == INCIDENT_RESOLVED)
		return err_field(e, ERR_CONFLICT, "into", "The incident to merge into is resolved.");
	if (x->from.is_test != x->into.is_test)
		return err_field(e, ERR_CONFLICT, "into", "A test and a true incident are not merged.");
	if (!db_query(db, &stmts[Q_PARTS], VALS(V_U(x->into.id), V_U(INCIDENT_PARTS_MAX)), x->arena, fields, sizeof(*there), &there, &n, e))
		return false;
	return n + x->parts_n < INCIDENT_PARTS_MAX ||
		err_field(e, ERR_CONFLICT, "into", "At most %d incidents are merged into one.", INCIDENT_PARTS_MAX);
}

/* ---- writing ---- */

static bool move_parts(struct db *db, const struct merging *x, struct err *e)
{
	for (size_t i = 0; i < x->parts_n; i++) {
		const struct part *p = &x->parts[i];

		if (!db_exec(db, &stmts[Q_MOVE], VALS(V_U(x->into.id), V_U(p->id)), NULL, e) ||
			!db_exec(db, &stmts[Q_KEY_MOVE], VALS(V_U(x->into.id), V_U(p->service_id), hash_of(p), V_U(x->from.id)), NULL, e))
			return false;
	}
	return true;
}

static bool entry(struct db *db, const struct merging *x, uint64_t incident, enum timeline_kind kind, uint64_t level, struct str text, struct err *e)
{
	const struct incident_merge *m = x->m;
	struct news news = { .id = id_make(m->ids, m->now), .incident_id = incident };

	return news_add(db, x->arena, &news, 1, e) && db_exec(db, &stmts[Q_ENTRY], VALS(V_U(incident), V_U(news.id), V_I(m->now), V_U(kind), V_U(ACTOR_PERSON), V_ID(m->who->user_id),
		V_U(level), V_SN(text)), NULL, e);
}

/* "into 912330001513284801: Disk full" */
static struct str told(struct arena *a, const char *word, const struct part *other)
{
	return str_cut(arena_printf(a, "%s %" PRIu64 ": %.*s", word, other->id, STR_ARG(other->title)), SUMMARY_MAX);
}

static bool entries(struct db *db, const struct merging *x, struct err *e)
{
	uint64_t level = x->from.level > x->into.level ? x->from.level : x->into.level;
	struct str object = arena_printf(x->arena, "%" PRIu64, x->from.id);
	struct str detail = arena_printf(x->arena, "{\"into\":\"%" PRIu64 "\"}", x->into.id);

	return entry(db, x, x->from.id, TIMELINE_MERGED, x->from.level, told(x->arena, "into", &x->into), e) &&
		entry(db, x, x->into.id, TIMELINE_MERGED, level, told(x->arena, "from", &x->from), e) &&
		(level == x->into.level || entry(db, x, x->into.id, TIMELINE_RAISED, level, STR_NONE, e)) &&
		audit_add(db, x->m->who, "incident.merge", object, detail, x->m->now, e);
}

static bool write(struct db *db, const struct merging *x, struct err *e)
{
	const struct part *from = &x->from, *into = &x->into;
	ms_t now = x->m->now;

	return db_exec(db, &stmts[Q_END], VALS(V_I(now), V_U(into->id), V_I(now), V_U(from->id)), NULL, e) &&
		db_exec(db, &stmts[Q_KEY_END], VALS(V_U(into->id), V_U(from->service_id), hash_of(from)), NULL, e) &&
		db_exec(db, &stmts[Q_RAISE], VALS(V_U(from->level), V_U(from->level), V_I(now), V_U(into->id)), NULL, e) &&
		db_exec(db, &stmts[Q_KEY_RAISE], VALS(V_U(from->level), V_U(into->service_id), hash_of(into)), NULL, e) &&
		move_parts(db, x, e) && entries(db, x, e);
}

static bool merge_tx(struct db *db, void *ctx, struct err *e)
{
	struct merging *x = ctx;

	if (!find(db, x, e))
		return false;
	return !x->found || (lock_keys(db, x, e) && lock_incidents(db, x, e) && check(db, x, e) && write(db, x, e));
}

int incident_merge(struct db *db, struct arena *a, const struct incident_merge *m, struct err *e)
{
	struct merging x = { .arena = a, .m = m };

	if (m->incident == m->into) {
		err_field(e, ERR_INVALID, "into", "An incident is not merged into itself.");
		return -1;
	}
	return db_tx(db, merge_tx, &x, e) ? x.found : -1;
}
