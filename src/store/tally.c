/* tally.c - sums by the minute of what the monitor asks for: events received, starts of their actions, repeats, and how long they took.
 *
 * The monitor must answer in a tenth of a second with ten million events stored, and they may all have come within its window. So it
 * cannot look at events; and what is counted by a job afterwards is late by a minute, and reads each event once more. These sums are
 * written in the transaction that changes what they count, so they are neither late nor wrong after a crash, and cost that transaction one
 * statement of a few rows (src/base/hist.c has some twenty classes for a minute's durations). What an index counts well is not in them: the few
 * events that wait or failed (view/monitor.c).
 *
 * A day is 1440 minutes; after three hours they move to their hours, and after nine days these to their days. A late sum - an event that is processed
 * days after its receipt - makes a row of its old minute anew, which moves in its turn. Readers add all three tables up. */
#include <stdlib.h>

#include "store_int.h"

enum { Q_ADD, Q_FAILURE, Q_NEXT_TENANT, Q_OLD_MINUTES, Q_ADD_HOURS, Q_DROP_MINUTES, Q_OLD_HOURS, Q_ADD_DAYS, Q_DROP_HOURS, Q_DAYS_OVER, Q_FAILURES_OVER };

#define KEYS "tenant_id, at, took, source_id, event_type"
#define SUMS "events, starts, duplicates, took_us"
#define OLDEST " WHERE tenant_id = ? AND at < ? ORDER BY at, took, source_id, event_type"
#define ADD_TO(table) \
	"INSERT INTO " table " (" KEYS ", " SUMS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE events = events + VALUES(events)," \
	" starts = starts + VALUES(starts), duplicates = duplicates + VALUES(duplicates), took_us = took_us + VALUES(took_us)"
#define DROP_FROM(table) "DELETE FROM " table " WHERE tenant_id = ? AND at = ? AND took = ? AND source_id = ? AND event_type = ?"

static const struct stmt stmts[] = {
	[Q_ADD] = { "tally.add",
		"INSERT INTO event_minutes (tenant_id, at, took, source_id, event_type, slot, events, starts, duplicates, took_us)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE events = events + VALUES(events),"
		" starts = starts + VALUES(starts), duplicates = duplicates + VALUES(duplicates), took_us = took_us + VALUES(took_us)" },
	[Q_FAILURE] = { "tally.failure",
		"INSERT INTO event_failures (tenant_id, at, event_id, source_id) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE at = at" },
	[Q_NEXT_TENANT] = { "tally.next_tenant", "SELECT id AS tenant_id FROM tenants WHERE id > ? ORDER BY id LIMIT 1" },
	[Q_OLD_MINUTES] = { "tally.old_minutes", "SELECT " KEYS ", slot, " SUMS " FROM event_minutes" OLDEST ", slot LIMIT ? FOR UPDATE" },
	[Q_ADD_HOURS] = { "tally.add_hours", ADD_TO("event_hours") },
	[Q_DROP_MINUTES] = { "tally.drop_minutes", DROP_FROM("event_minutes") " AND slot = ?" },
	[Q_OLD_HOURS] = { "tally.old_hours", "SELECT " KEYS ", 0 AS slot, " SUMS " FROM event_hours" OLDEST " LIMIT ? FOR UPDATE" },
	[Q_ADD_DAYS] = { "tally.add_days", ADD_TO("event_days") },
	[Q_DROP_HOURS] = { "tally.drop_hours", DROP_FROM("event_hours") },
	[Q_DAYS_OVER] = { "tally.days_over", "DELETE FROM event_days WHERE tenant_id = ? AND at < ? LIMIT ?" },
	[Q_FAILURES_OVER] = { "tally.failures_over", "DELETE FROM event_failures WHERE tenant_id = ? AND at < ? LIMIT ?" },
};
const struct stmt_table tally_stmts = { stmts, ARRAY_SIZE(stmts) };

struct row {
	uint64_t tenant_id, at, took, source_id, slot;
	struct str event_type;
	int64_t events, starts, duplicates, took_us;
};

static const struct field fields[] = {
	FIELD_ID(struct row, tenant_id, "tenant_id", ""),
	FIELD_U64(struct row, at, "at", ""),
	FIELD_U64(struct row, took, "took", ""),
	FIELD_ID(struct row, source_id, "source_id", ""),
	FIELD_U64(struct row, slot, "slot", ""),
	FIELD_STR(struct row, event_type, "event_type", ""),
	FIELD_I64(struct row, events, "events", ""),
	FIELD_I64(struct row, starts, "starts", ""),
	FIELD_I64(struct row, duplicates, "duplicates", ""),
	FIELD_I64(struct row, took_us, "took_us", ""),
	FIELD_END
};

/* ---- gathering ---- */

struct tallies {
	struct arena *a;
	struct row *rows;
	size_t n, cap;
};

struct tallies *tallies_new(struct arena *a)
{
	struct tallies *t = ARENA_NEW(a, struct tallies);

	t->a = a;
	return t;
}

static bool is_same(const struct row *x, const struct row *y)
{
	return x->at == y->at && x->took == y->took && x->source_id == y->source_id && x->tenant_id == y->tenant_id &&
		str_eq(x->event_type, y->event_type);
}

/* A batch has a handful of sources and types; the newest row is the likeliest. */
static struct row *row_of(struct tallies *t, const struct row *key)
{
	for (size_t i = t->n; i-- > 0;)
		if (is_same(&t->rows[i], key))
			return &t->rows[i];
	if (t->n == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 16;

		t->rows = arena_grow(t->a, t->rows, t->cap * sizeof(*t->rows), cap * sizeof(*t->rows));
		t->cap = cap;
	}
	t->rows[t->n] = *key;
	return &t->rows[t->n++];
}

static struct row *counts_of(struct tallies *t, const struct tally *of)
{
	const struct row key = { .tenant_id = of->tenant_id, .at = (uint64_t)(of->at / MS_PER_MINUTE), .source_id = of->source_id,
		.event_type = of->type.n ? of->type : STR("") };

	return row_of(t, &key);
}

void tally_events(struct tallies *t, const struct tally *of, int64_t events)
{
	counts_of(t, of)->events += events;
}

void tally_starts(struct tallies *t, const struct tally *of, int64_t starts)
{
	counts_of(t, of)->starts += starts;
}

void tally_duplicate(struct tallies *t, const struct tally *of)
{
	counts_of(t, of)->duplicates++;
}

void tally_done(struct tallies *t, uint64_t tenant_id, ms_t now, uint64_t took_us)
{
	const struct row key = { .tenant_id = tenant_id, .at = (uint64_t)(now / MS_PER_MINUTE), .took = hist_class(took_us) + 1,
		.event_type = STR("") };
	const uint64_t longest = UINT64_C(1) << (HIST_MAX_LOG + 1);	/* a clock that was set; 65,536 of them still add up */
	struct row *r = row_of(t, &key);

	r->events++;
	r->took_us += (int64_t)(took_us < longest ? took_us : longest);
}

/* ---- writing ---- */

/* The order of the key, in which tallies_fold locks too. */
static int compare_rows(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->tenant_id != b->tenant_id)
		return a->tenant_id < b->tenant_id ? -1 : 1;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->took != b->took)
		return a->took < b->took ? -1 : 1;
	if (a->source_id != b->source_id)
		return a->source_id < b->source_id ? -1 : 1;
	return str_cmp(a->event_type, b->event_type);
}

static void put_sums(struct val *v, const struct row *r)
{
	v[0] = V_I(r->events);
	v[1] = V_I(r->starts);
	v[2] = V_I(r->duplicates);
	v[3] = V_I(r->took_us);
}

static void put_key(struct val *v, const struct row *r, uint64_t at)
{
	v[0] = V_U(r->tenant_id);
	v[1] = V_U(at);
	v[2] = V_U(r->took);
	v[3] = V_U(r->source_id);
	v[4] = V_S(r->event_type);
}

bool tallies_write(struct db *db, struct arena *a, const struct tallies *t, unsigned slot, struct err *e)
{
	struct val *v = ARENA_ARRAY(a, struct val, 10 * t->n + 1);

	if (t->n)
		qsort(t->rows, t->n, sizeof(*t->rows), compare_rows);
	for (size_t i = 0; i < t->n; i++) {
		put_key(v + 10 * i, &t->rows[i], t->rows[i].at);
		v[10 * i + 5] = V_U(slot);
		put_sums(v + 10 * i + 6, &t->rows[i]);
	}
	return db_bulk(db, &stmts[Q_ADD], v, t->n, 10, e);
}

bool tally_failure(struct db *db, uint64_t tenant_id, uint64_t source_id, uint64_t event_id, ms_t at, struct err *e)
{
	return db_exec(db, &stmts[Q_FAILURE], VALS(V_U(tenant_id), V_I(at), V_U(event_id), V_U(source_id)), NULL, e);
}

/* ---- minutes to hours, hours to days ---- */

static const struct step {
	unsigned old, add, drop;	/* statements */
	size_t key_n;			/* of `drop` */
	uint64_t unit, kept;		/* minutes: of a row of the coarser table, and how long the finer one has them */
} steps[] = {
	{ Q_OLD_MINUTES, Q_ADD_HOURS, Q_DROP_MINUTES, 6, 60, TALLY_MINUTES_KEPT },
	{ Q_OLD_HOURS, Q_ADD_DAYS, Q_DROP_HOURS, 5, 24 * 60, TALLY_HOURS_KEPT * 60 },
};

struct fold {
	const struct step *step;
	struct arena *a;
	uint64_t tenant_id, before;	/* minutes */
	size_t limit, moved;
};

/* Rows of one time come side by side: those of one sum are added up before they are written. */
static size_t sum_up(struct arena *a, uint64_t unit, const struct row *rows, size_t n, struct row **out)
{
	struct tallies *t = tallies_new(a);

	for (size_t i = 0; i < n; i++) {
		struct row key = rows[i], *sum;

		key.at -= key.at % unit;
		key.events = key.starts = key.duplicates = key.took_us = 0;
		sum = row_of(t, &key);
		sum->events += rows[i].events;
		sum->starts += rows[i].starts;
		sum->duplicates += rows[i].duplicates;
		sum->took_us += rows[i].took_us;
	}
	*out = t->rows;
	return t->n;
}

static bool add_sums(struct db *db, const struct fold *f, const struct row *rows, size_t n, struct err *e)
{
	struct val *v = ARENA_ARRAY(f->a, struct val, 9 * n + 1);

	for (size_t i = 0; i < n; i++) {
		put_key(v + 9 * i, &rows[i], rows[i].at);
		put_sums(v + 9 * i + 5, &rows[i]);
	}
	return db_bulk(db, &stmts[f->step->add], v, n, 9, e);
}

static bool drop_moved(struct db *db, const struct fold *f, const struct row *rows, size_t n, struct err *e)
{
	struct val *v = ARENA_ARRAY(f->a, struct val, 6 * n + 1), *next = v;

	for (size_t i = 0; i < n; i++, next += f->step->key_n) {
		put_key(next, &rows[i], rows[i].at);
		next[5] = V_U(rows[i].slot);	/* the next one writes over it where it is no part of the key */
	}
	return db_bulk(db, &stmts[f->step->drop], v, n, f->step->key_n, e);
}

/* The rows are locked from the reading on, so no sum is added in between that nobody moves. */
static bool fold_tx(struct db *db, void *ctx, struct err *e)
{
	struct fold *f = ctx;
	struct row *rows, *sums;
	size_t sum_n;

	if (!db_query(db, &stmts[f->step->old], VALS(V_U(f->tenant_id), V_U(f->before), V_U(f->limit)), f->a, fields, sizeof(*rows), &rows, &f->moved, e))
		return false;
	sum_n = sum_up(f->a, f->step->unit, rows, f->moved, &sums);
	return add_sums(db, f, sums, sum_n, e) && drop_moved(db, f, rows, f->moved, e);
}

static bool forget(struct db *db, uint64_t tenant_id, ms_t now, size_t limit, size_t *most, struct err *e)
{
	ms_t kept = now - TALLY_DAYS_KEPT * MS_PER_DAY;
	uint64_t days, failures;

	if (!db_exec(db, &stmts[Q_DAYS_OVER], VALS(V_U(tenant_id), V_I(kept / MS_PER_MINUTE), V_U(limit)), &days, e) ||
		!db_exec(db, &stmts[Q_FAILURES_OVER], VALS(V_U(tenant_id), V_I(kept), V_U(limit)), &failures, e))
		return false;
	*most = days > *most ? days : *most;
	*most = failures > *most ? failures : *most;
	return true;
}

/* *most: the rows of the step that had most to do. */
static bool fold_tenant(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now, size_t limit, size_t *most, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct fold f = { .step = &steps[i], .a = a, .tenant_id = tenant_id, .before = (uint64_t)(now / MS_PER_MINUTE) - steps[i].kept, .limit = limit };

		if (!db_tx(db, fold_tx, &f, e))
			return false;
		*most = f.moved > *most ? f.moved : *most;
	}
	return forget(db, tenant_id, now, limit, most, e);
}

bool tallies_fold(struct db *db, struct arena *a, ms_t now, size_t limit, size_t *moved, struct err *e)
{
	struct row next = { 0 };
	int found;

	*moved = 0;
	while ((found = db_query_one(db, &stmts[Q_NEXT_TENANT], VALS(V_U(next.tenant_id)), a, fields, sizeof(next), &next, e)) == 1)
		if (!fold_tenant(db, a, next.tenant_id, now, limit, moved, e))
			return false;
	return found == 0;
}
