/* sources.c - the sources that a filter names, as branches of a plan: by_source then walks their rows alone. */
#include "view_int.h"

struct source_row {
	uint64_t id;
};

static const struct field source_columns[] = {
	FIELD_U64(struct source_row, id, "id", ""),
	FIELD_END
};

static void write_sources(struct sql *q, const struct source_filter *f)
{
	sql_lit(q, "SELECT s.id AS id FROM sources s JOIN services v ON v.id = s.service_id");
	sql_lit(q, " WHERE TRUE");
	if (f->tenant_id) {
		sql_lit(q, " AND s.tenant_id = ");
		sql_val(q, V_U(f->tenant_id));
	}
	if (f->provider.n) {
		sql_lit(q, " AND s.provider = ");
		sql_val(q, V_S(f->provider));
	}
	if (f->source.n) {
		sql_lit(q, " AND s.public_id = ");
		sql_val(q, V_S(f->source));
	}
	if (f->service.n) {
		sql_lit(q, " AND v.public_id = ");
		sql_val(q, V_S(f->service));
	}
	sql_lit(q, " LIMIT ");
	sql_val(q, V_U(LIST_BRANCHES_MAX + 1));
}

/* Deleted sources count too: their rows are still there. */
bool plan_sources(struct db *db, struct arena *a, const struct source_filter *f, struct plan *p, bool *done, struct err *e)
{
	struct source_row *rows = NULL;
	size_t n = 0;
	struct sql q;

	sql_init(&q, a);
	write_sources(&q, f);
	if (!db_query_sql(db, "view.sources", &q, a, source_columns, sizeof(*rows), &rows, &n, e))
		return false;
	*done = n <= LIST_BRANCHES_MAX;
	for (size_t i = 0; *done && i < n; i++)
		plan_add(p, BRANCH_SOURCE, 0, rows[i].id);
	return true;
}

bool names_sources(const struct source_filter *f)
{
	return f->provider.n || f->source.n || f->service.n;
}

/* Scalar subqueries on purpose: the optimizer cannot turn them into a join that starts at the wrong end. */
void write_sources_of(struct sql *q, const struct source_filter *f)
{
	if (f->provider.n) {
		sql_lit(q, " AND (SELECT s.provider FROM sources s WHERE s.id = t.source_id) = ");
		sql_val(q, V_S(f->provider));
	}
	if (f->source.n) {
		sql_lit(q, " AND (SELECT s.public_id FROM sources s WHERE s.id = t.source_id) = ");
		sql_val(q, V_S(f->source));
	}
	if (f->service.n) {
		sql_lit(q, " AND (SELECT v.public_id FROM sources s JOIN services v"
			" ON v.id = s.service_id WHERE s.id = t.source_id) = ");
		sql_val(q, V_S(f->service));
	}
}

/* ---- to choose from ---- */

static const struct field name_columns[] = {
	FIELD_STR(struct source_name, id, "id", ""),
	FIELD_STR(struct source_name, name, "name", ""),
	FIELD_STR(struct source_name, provider, "provider", ""),
	FIELD_END
};

bool source_names(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t limit, struct source_name **out, size_t *n, struct err *e)
{
	return db_query(db, &view_stmt[V_SOURCE_NAMES], VALS(V_U(tenant_id), V_U(limit)), a, name_columns, sizeof(**out), out, n, e);
}
