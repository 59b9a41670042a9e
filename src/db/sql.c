/* sql.c - the text of a filtered list. Its parts are literals and question marks, so no value can
 * become SQL. */
#include "src/db/db_int.h"

#define SQL_TEXT_MAX 16384	/* the longest list of ours is below 2 KiB */

void sql_init(struct sql *q, struct arena *a)
{
	q->n = 0;
	strbuf_init(&q->text, a, SQL_TEXT_MAX);
}

void sql_lit_(struct sql *q, const char *p, size_t n)
{
	strbuf_add(&q->text, p, n);
}

/* More values than there is room for mark the text as failed; db_query_sql says so. */
void sql_val(struct sql *q, struct val v)
{
	if (q->n == ARRAY_SIZE(q->vals)) {
		q->text.failed = true;
		return;
	}
	strbuf_addc(&q->text, '?');
	q->vals[q->n++] = v;
}
