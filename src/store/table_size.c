/* table_size.c - how large the tables are, noted from time to time.
 *
 * InnoDB's own figures: pages that hold rows and indexes. They lag a little (a table is counted anew when a tenth of it has changed), and
 * that is good enough for days. */
#include "store_int.h"

enum { Q_NOTE, Q_FORGET };

static const struct stmt stmts[] = {
	[Q_NOTE] = { "table_size.note",
		"INSERT INTO table_sizes (at, name, row_count, bytes)"
		" SELECT ?, table_name, COALESCE(table_rows, 0), COALESCE(data_length + index_length, 0) FROM information_schema.tables"
		" WHERE table_schema = DATABASE() AND engine = 'InnoDB' ON DUPLICATE KEY UPDATE bytes = VALUES(bytes)", SCAN_OK },
	[Q_FORGET] = { "table_size.forget", "DELETE FROM table_sizes WHERE at < ? LIMIT ?" },
};
const struct stmt_table table_size_stmts = { stmts, ARRAY_SIZE(stmts) };

bool table_sizes_note(struct db *db, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_NOTE], VALS(V_I(now)), NULL, e);
}

bool table_sizes_forget(struct db *db, ms_t before, size_t limit, uint64_t *n, struct err *e)
{
	return db_exec(db, &stmts[Q_FORGET], VALS(V_I(before), V_U(limit)), n, e);
}
