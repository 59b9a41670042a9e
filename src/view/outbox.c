/* outbox.c - how much waits to go out, and what went to one target.
 *
 * The depth is counted in the index of what is due, and not to its end: that of an outbox that nobody empties costs no more than that of one that works. */
#include "view_int.h"

struct count_row {
	uint64_t status, n;
};

static const struct field columns[] = {
	FIELD_U64(struct count_row, status, "status", ""),
	FIELD_U64(struct count_row, n, "n", ""),
	FIELD_END
};

bool outbox_depth_get(struct db *db, struct arena *a, struct outbox_depth *out, struct err *e)
{
	const struct val most = V_U(COUNT_MAX + 1);
	struct count_row *rows;
	size_t n;

	*out = (struct outbox_depth){ 0 };
	if (!db_query(db, &view_stmt[V_OUTBOX_DEPTH], VALS(most, most), a, columns, sizeof(*rows), &rows, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct list_count *c = rows[i].status == OUTBOX_WAITING ? &out->waiting : &out->failed;

		c->more = rows[i].n > COUNT_MAX;
		c->n = c->more ? COUNT_MAX : rows[i].n;
	}
	return true;
}

/* ---- what was sent to one target ---- */

void sent_branch(struct sql *q, const struct branch *b)
{
	sql_lit(q, "SELECT t.id AS id FROM outbox t FORCE INDEX (by_target) WHERE t.kind = ");
	sql_val(q, V_U(b->status));
	sql_lit(q, " AND t.target_id = ");
	sql_val(q, V_U(b->value));
}

void sent_residual(struct sql *q, const struct plan *p, const struct branch *b)
{
	const struct sent_filter *f = p->filter;

	if (!f->statuses)
		return;
	sql_lit(q, " AND 1 << t.status & ");
	sql_val(q, V_U(f->statuses));
}

void sent_plan(const struct sent_filter *f, enum outbox_kind kind, struct plan *p)
{
	plan_init(p, f, 0, 0, f->cursor, f->limit);
	p->residual = f->statuses != 0;
	plan_add(p, BRANCH_TARGET, 0, f->target_row);
	p->branches[0].status = kind;
}
