/* list.c - one page of a filtered list: see view_int.h for the idea. */
#include <assert.h>

#include "view_int.h"

void plan_init(struct plan *p, const void *filter, ms_t from, ms_t to, uint64_t cursor,
	uint64_t limit)
{
	*p = (struct plan){ .filter = filter, .limit = limit, .below = INT64_MAX };
	if (from > 0)
		p->from = id_floor(from);
	if (to)
		p->below = id_floor(to > 0 ? to : 0);
	if (cursor && cursor < p->below)
		p->below = cursor;
}

void plan_add(struct plan *p, enum branch_kind kind, uint64_t tenant_id, uint64_t value)
{
	assert(p->n < LIST_BRANCHES_MAX);
	p->branches[p->n++] = (struct branch){ kind, tenant_id, value };
}

static void write_range(struct sql *q, const struct plan *p)
{
	sql_lit(q, " AND t.id >= ");
	sql_val(q, V_U(p->from));
	sql_lit(q, " AND t.id < ");
	sql_val(q, V_U(p->below));
}

static void write_order(struct sql *q, const struct plan *p)
{
	if (p->upwards)
		sql_lit(q, " ORDER BY t.id LIMIT ");
	else
		sql_lit(q, " ORDER BY t.id DESC LIMIT ");
}

/* The same of what the branches brought. */
static void write_merge(struct sql *q, const struct plan *p)
{
	if (p->upwards)
		sql_lit(q, " ORDER BY id LIMIT ");
	else
		sql_lit(q, " ORDER BY id DESC LIMIT ");
}

/* The ids of the newest limit + 1 rows, newest first; or of the oldest. */
static void write_ids(struct sql *q, const struct list_table *t, const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (i)
			sql_lit(q, " UNION ALL ");
		sql_lit(q, "(");
		t->branch(q, &p->branches[i]);
		write_range(q, p);
		t->residual(q, p, &p->branches[i]);
		write_order(q, p);
		sql_val(q, V_U(p->limit + 1));
		sql_lit(q, ")");
	}
	write_merge(q, p);
	sql_val(q, V_U(p->limit + 1));
}

void list_page_sql(struct sql *q, const struct list_table *t, const struct plan *p)
{
	t->open(q);
	write_ids(q, t, p);
	t->close(q);
}

/* The id at which a scan of all branches together has passed `scan` entries; no row: it never gets
 * there. Only the indexes are read. */
void list_floor_sql(struct sql *q, const struct list_table *t, const struct plan *p, uint64_t scan)
{
	sql_lit(q, "SELECT id AS id FROM (");
	for (size_t i = 0; i < p->n; i++) {
		if (i)
			sql_lit(q, " UNION ALL ");
		sql_lit(q, "(");
		t->branch(q, &p->branches[i]);
		write_range(q, p);
		write_order(q, p);
		sql_val(q, V_U(scan + 1));
		sql_lit(q, ")");
	}
	write_merge(q, p);
	sql_val(q, V_U(1));
	sql_lit(q, " OFFSET ");
	sql_val(q, V_U(scan));
	sql_lit(q, ") k");
}

static const struct field id_columns[] = {
	FIELD_U64(struct id_row, id, "id", ""),
	FIELD_END
};

/* *floor stays 0 where the whole range may be looked through. */
static bool list_floor(struct db *db, struct arena *a, const struct list_table *t,
	const struct plan *p, uint64_t scan, uint64_t *floor, struct err *e)
{
	struct id_row *rows = NULL;
	size_t n = 0;
	struct sql q;

	*floor = 0;
	if (!p->residual)
		return true;
	sql_init(&q, a);
	list_floor_sql(&q, t, p, scan);
	if (!db_query_sql(db, "view.list_floor", &q, a, id_columns, sizeof(*rows), &rows, &n, e))
		return false;
	if (n)
		*floor = rows[0].id;
	return true;
}

/* At most p->limit + 1 rows from the cursor down to the floor. */
static bool list_step(struct db *db, struct arena *a, const struct list_table *t,
	const struct plan *whole, uint64_t floor, void *rows_r, size_t *n, struct err *e)
{
	struct plan p = *whole;
	struct sql q;

	if (floor > p.from)
		p.from = floor;
	sql_init(&q, a);
	list_page_sql(&q, t, &p);
	return db_query_sql(db, t->name, &q, a, t->columns, t->size, rows_r, n, e);
}

bool list_run(struct db *db, struct arena *a, const struct list_table *t, const struct plan *p,
	void *rows_r, size_t *n, uint64_t *next, struct err *e)
{
	/* Most conditions are met often, so a page is mostly full after the first step; a rare one gets longer ones. */
	const uint64_t scan = t->scan ? t->scan : LIST_SCAN_MAX;
	const uint64_t steps[] = { scan / 20, scan / 5, scan - scan / 20 - scan / 5 };
	char *rows = arena_alloc(a, p->limit * t->size), *found;
	struct plan rest = *p;
	size_t got;

	*(char **)rows_r = rows;
	*n = 0;
	*next = 0;
	for (size_t i = 0; i < ARRAY_SIZE(steps) && p->n && rest.from < rest.below; i++) {
		bool more;

		rest.limit = p->limit - *n;
		if (!list_floor(db, a, t, &rest, steps[i], next, e) ||
			!list_step(db, a, t, &rest, *next, &found, &got, e))
			return false;
		more = got > rest.limit;
		if (more)
			got = rest.limit;
		if (got)
			memcpy(rows + *n * t->size, found, got * t->size);
		*n += got;
		if (more)
			*next = *(const uint64_t *)(rows + (*n - 1) * t->size);
		if (*n == p->limit || !*next)
			return true;
		rest.below = *next;
	}
	return true;
}

/* The rows that a count passes at most, so that the chips of a page cost less than the page. */
#define COUNT_SCAN_MAX (LIST_SCAN_MAX / 4)

bool list_counted(struct db *db, struct arena *a, const struct list_table *t, const struct plan *whole,
	struct list_count *out, struct err *e)
{
	struct id_row *rows;
	struct plan p = *whole;
	uint64_t floor;
	struct sql q;
	size_t n;

	*out = (struct list_count){ 0 };
	if (!p.n || p.from >= p.below)
		return true;
	if (!list_floor(db, a, t, &p, COUNT_SCAN_MAX, &floor, e))
		return false;
	if (floor > p.from)
		p.from = floor;
	p.limit = COUNT_MAX;
	sql_init(&q, a);
	sql_lit(&q, "SELECT COUNT(*) AS id FROM (");
	write_ids(&q, t, &p);
	sql_lit(&q, ") k");
	if (!db_query_sql(db, "view.list_count", &q, a, id_columns, sizeof(*rows), &rows, &n, e))
		return false;
	out->more = rows[0].id > COUNT_MAX || floor;
	out->n = rows[0].id > COUNT_MAX ? COUNT_MAX : rows[0].id;
	return true;
}

bool list_walk(struct db *db, struct arena *a, const struct list_table *t, const struct plan *whole, struct id_row **out, size_t *n,
	uint64_t *reached, bool *end, struct err *e)
{
	struct plan p = *whole;
	uint64_t ceiling;
	struct sql q;

	p.upwards = true;
	*out = NULL;
	*n = 0;
	*reached = p.below ? p.below - 1 : 0;
	*end = true;
	if (!p.n || p.from >= p.below)
		return true;
	if (!list_floor(db, a, t, &p, LIST_SCAN_MAX, &ceiling, e))
		return false;
	if (ceiling && ceiling < p.below) {
		p.below = ceiling;
		*reached = ceiling - 1;
		*end = false;
	}
	sql_init(&q, a);
	write_ids(&q, t, &p);
	if (!db_query_sql(db, "view.list_walk", &q, a, id_columns, sizeof(**out), out, n, e))
		return false;
	if (*n > p.limit) {
		*n = p.limit;
		*reached = (*out)[*n - 1].id;
		*end = false;
	}
	return true;
}

struct str like_part(struct arena *a, struct str text)
{
	struct strbuf b;

	strbuf_init(&b, a, text.n * 2 + 3);
	strbuf_addc(&b, '%');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '%' || text.p[i] == '_' || text.p[i] == '\\')
			strbuf_addc(&b, '\\');
		strbuf_addc(&b, text.p[i]);
	}
	strbuf_addc(&b, '%');
	return strbuf_str(&b);
}

void null_if_empty(struct str *s)
{
	if (!s->n)
		*s = STR_NONE;
}
