/* sources.c - what a filter names: integrations, services, people; and the sources of a filter, as branches of a plan, whose
 * rows alone by_source then walks, or as conditions. */
#include "view_int.h"

/* ---- names ---- */

struct named {
	uint64_t id, tenant_id;
};

static const struct field named_columns[] = {
	FIELD_U64(struct named, id, "id", ""),
	FIELD_U64(struct named, tenant_id, "tenant_id", ""),
	FIELD_END
};

struct search {
	enum view_stmt stmt;
	const char *field, *missing;
	uint64_t tenant_id;
};

static bool find_named(struct db *db, struct arena *a, const struct search *s, const struct val *vals, size_t n, uint64_t *row,
	struct err *e)
{
	struct named found;
	int known = db_query_one(db, &view_stmt[s->stmt], vals, n, a, named_columns, sizeof(found), &found, e);

	if (known < 0)
		return false;
	if (!known || (s->tenant_id && found.tenant_id != s->tenant_id))
		return err_field(e, ERR_INVALID, s->field, "%s", s->missing);
	*row = found.id;
	return true;
}

bool find_source(struct db *db, struct arena *a, uint64_t tenant_id, struct str provider, struct str id, struct source_filter *out,
	struct err *e)
{
	const struct search s = { V_FIND_SOURCE, "source", "There is no integration of that id here.", tenant_id };

	if (provider.n && !provider_find(provider))
		return err_field(e, ERR_INVALID, "provider", "There is no integration type of that name.");
	out->provider = provider;
	out->source = 0;
	return !id.n || find_named(db, a, &s, VALS(V_S(id)), &out->source, e);
}

bool find_service(struct db *db, struct arena *a, uint64_t tenant_id, struct str id, struct str word, uint64_t *row, struct err *e)
{
	const struct search by_id = { V_FIND_SERVICE, "serviceId", "There is no service of that id here.", tenant_id };
	const struct search by_word = { V_FIND_SERVICE, "service", "There is no service of that id or name here.", tenant_id };

	*row = 0;
	if (id.n)
		return find_named(db, a, &by_id, VALS(V_S(id), V_U(tenant_id), V_S(STR(""))), row, e);
	return !word.n || find_named(db, a, &by_word, VALS(V_S(word), V_U(tenant_id), V_S(word)), row, e);
}

bool find_assignee(struct db *db, struct arena *a, uint64_t tenant_id, struct str word, uint64_t *row, struct err *e)
{
	const struct search s = { V_FIND_USER, "assignee", "There is no user of that name or id here.", tenant_id };

	*row = 0;
	return !word.n || str_eqs(word, ASSIGNEE_NOBODY) || find_named(db, a, &s, VALS(V_S(word), V_S(word)), row, e);
}

/* ---- sources ---- */

bool names_sources(const struct source_filter *f)
{
	return f->provider.n || f->source || f->service;
}

void write_sources(struct sql *q, const struct source_filter *f)
{
	if (f->tenant_id) {
		sql_lit(q, " AND s.tenant_id = ");
		sql_val(q, V_U(f->tenant_id));
	}
	if (f->provider.n) {
		sql_lit(q, " AND s.provider = ");
		sql_val(q, V_S(f->provider));
	}
	if (f->source) {
		sql_lit(q, " AND s.id = ");
		sql_val(q, V_U(f->source));
	}
	if (f->service) {
		sql_lit(q, " AND s.service_id = ");
		sql_val(q, V_U(f->service));
	}
}

void write_source_of(struct sql *q, const struct source_filter *f)
{
	if (!names_sources(f))
		return;
	sql_lit(q, " AND (SELECT TRUE FROM sources s WHERE s.id = t.source_id");
	write_sources(q, f);
	sql_lit(q, ")");
}

/* Deleted sources count too: their rows are still there. */
bool plan_sources(struct db *db, struct arena *a, struct plan *p, bool *done, struct err *e)
{
	struct named *rows = NULL;
	size_t n = 0;
	struct sql q;

	sql_init(&q, a);
	sql_lit(&q, "SELECT s.id, s.tenant_id FROM sources s WHERE TRUE");
	write_sources(&q, &p->sources);
	sql_lit(&q, " LIMIT ");
	sql_val(&q, V_U(LIST_BRANCHES_MAX + 1));
	if (!db_query_sql(db, "view.sources", &q, a, named_columns, sizeof(*rows), &rows, &n, e))
		return false;
	*done = n <= LIST_BRANCHES_MAX;
	for (size_t i = 0; *done && i < n; i++)
		plan_add(p, BRANCH_SOURCE, 0, rows[i].id);
	return true;
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
