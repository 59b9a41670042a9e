/* news.c - what befell incidents and nobody has been told of yet: a queue between those who write a timeline and those who say who is to know.
 *
 * A row is written in the transaction of its entry, and goes in the one that writes what follows from it. Whoever takes rows locks the first of them,
 * so two who do it at once do it one after the other, in the order of the entries. Members of a Galera cluster do not see each other's locks,
 * but both would delete the same rows: certification lets one of them through, and db_tx runs the other again. */
#include "store_int.h"

enum { Q_ADD, Q_LOCK, Q_DROP };

static const struct stmt stmts[] = {
	[Q_ADD] = { "news.add", "INSERT INTO incident_news (id, incident_id, traceparent) VALUES (?, ?, ?)" },
	[Q_LOCK] = { "news.lock", "SELECT id FROM incident_news ORDER BY id LIMIT ? FOR UPDATE" },
	[Q_DROP] = { "news.drop", "DELETE FROM incident_news WHERE id = ?" },
};
const struct stmt_table news_stmts = { stmts, ARRAY_SIZE(stmts) };

#define ADD_COLUMNS 3

bool news_add(struct db *db, struct arena *a, const struct news *rows, size_t n, struct err *e)
{
	struct val *vals = ARENA_ARRAY(a, struct val, n * ADD_COLUMNS + 1);

	for (size_t i = 0; i < n; i++) {
		const struct val row[ADD_COLUMNS] = { V_U(rows[i].id), V_U(rows[i].incident_id), V_SN(rows[i].traceparent.n ? rows[i].traceparent : STR_NONE) };

		memcpy(vals + i * ADD_COLUMNS, row, sizeof(row));
	}
	return db_bulk(db, &stmts[Q_ADD], vals, n, ADD_COLUMNS, e);
}

static const struct field id_fields[] = {
	FIELD_ID(struct news, id, "id", ""),
	FIELD_END
};

bool news_lock(struct db *db, struct arena *a, size_t limit, struct news **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LOCK], VALS(V_U(limit)), a, id_fields, sizeof(**out), out, n, e);
}

bool news_drop(struct db *db, struct arena *a, const struct news *rows, size_t n, struct err *e)
{
	struct val *vals = ARENA_ARRAY(a, struct val, n + 1);

	for (size_t i = 0; i < n; i++)
		vals[i] = V_U(rows[i].id);
	return db_bulk(db, &stmts[Q_DROP], vals, n, 1, e);
}
