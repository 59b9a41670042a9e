/* outbox.c - how much waits to go out. Counted in the index of what is due, and not to its end: the depth of an outbox that nobody empties
 * costs no more than that of one that works. */
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
