/* storage.c - /api/storage. */
#include "api_int.h"

const struct doc_part storage_parts[] = {
	{ "tables", PART_ROWS, FIELDS(table_view_fields), NULL, "The largest first" },
	{ 0 }
};

void api_storage(void *call)
{
	struct call *c = call;
	struct storage_view v;
	struct err e = { 0 };
	struct reply r;

	if (!storage_by(&c->by, &v, &e)) {
		reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, storage_view_fields, &v);
	reply_rows(&r, "tables", table_view_fields, v.tables, sizeof(*v.tables), v.tables_n);
	reply_end(c, &r, 200);
}
