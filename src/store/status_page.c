/* status_page.c - what a tenant shows to everybody: where, under which title, and which of its services. */
#include "store_int.h"

#include "grapnel/json.h"

#define SERVICES_TEXT_MAX (STATUS_SERVICES_MAX * 32)
#define DETAIL_MAX (4 * (SERVICES_TEXT_MAX + 8192))

enum { Q_GET, Q_BY_SLUG, Q_LOCK, Q_ADD, Q_UPDATE, Q_DROP_SERVICES, Q_FIND_SERVICES, Q_ADD_SERVICE };

#define SHOWN(column) \
	"(SELECT JSON_ARRAYAGG(s." column " ORDER BY x.position) FROM status_services x JOIN services s ON s.id = x.service_id" \
	" WHERE x.tenant_id = p.tenant_id AND s.deleted_at IS NULL) AS "
#define COLUMNS \
	"p.tenant_id, p.slug, p.title, p.about, p.enabled, p.show_titles, p.updated_at, " SHOWN("public_id") "services, " SHOWN("name") "names"

static const struct stmt stmts[] = {
	[Q_GET] = { "status_page.get", "SELECT " COLUMNS " FROM status_pages p WHERE p.tenant_id = ?" },
	[Q_BY_SLUG] = { "status_page.by_slug", "SELECT " COLUMNS " FROM status_pages p WHERE p.slug = ? AND p.enabled = 1" },
	/* Two who save at once do it one after the other: of a page that is not there yet, the tenant's row is what both have. */
	[Q_LOCK] = { "status_page.lock", "SELECT id AS tenant_id FROM tenants WHERE id = ? FOR UPDATE" },
	[Q_ADD] = { "status_page.add",
		"INSERT INTO status_pages (slug, title, about, enabled, show_titles, updated_at, tenant_id) VALUES (?, ?, ?, ?, ?, ?, ?)" },
	[Q_UPDATE] = { "status_page.update",
		"UPDATE status_pages SET slug = ?, title = ?, about = ?, enabled = ?, show_titles = ?, updated_at = ? WHERE tenant_id = ?" },
	[Q_DROP_SERVICES] = { "status_page.drop_services", "DELETE FROM status_services WHERE tenant_id = ?" },
	/* By id, else by name; the same one twice is one. */
	[Q_FIND_SERVICES] = { "status_page.find_services",
		"SELECT MIN(j.word) AS word, COALESCE(s.id, n.id) AS id FROM JSON_TABLE(?, '$[*]' COLUMNS (position FOR ORDINALITY,"
		" word VARCHAR(400) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) j"
		" LEFT JOIN services s ON s.public_id = j.word AND s.tenant_id = ? AND s.deleted_at IS NULL"
		" LEFT JOIN services n ON n.tenant_id = ? AND n.live_name = j.word COLLATE utf8mb4_unicode_ci"
		" GROUP BY COALESCE(s.id, n.id, -j.position) ORDER BY MIN(j.position)" },
	[Q_ADD_SERVICE] = { "status_page.add_service", "INSERT INTO status_services (tenant_id, position, service_id) VALUES (?, ?, ?)" },
};
const struct stmt_table status_page_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct status_page, tenant_id, "tenant_id", ""),
	FIELD_STR(struct status_page, slug, "slug", ""),
	FIELD_STR(struct status_page, title, "title", ""),
	FIELD_STR(struct status_page, about, "about", ""),
	FIELD_BOOL(struct status_page, enabled, "enabled", ""),
	FIELD_BOOL(struct status_page, show_titles, "show_titles", ""),
	FIELD_STR(struct status_page, services, "services", ""),
	FIELD_STR(struct status_page, names, "names", ""),
	FIELD_TIME(struct status_page, updated_at, "updated_at", ""),
	FIELD_END
};

static const struct field audit_fields[] = {
	FIELD_STR(struct status_page, slug, "slug", ""),
	FIELD_STR(struct status_page, title, "title", ""),
	FIELD_STR(struct status_page, about, "about", ""),
	FIELD_BOOL(struct status_page, enabled, "enabled", ""),
	FIELD_BOOL(struct status_page, show_titles, "showTitles", ""),
	FIELD_JSON(struct status_page, services, "services", ""),
	FIELD_END
};

bool status_page_get(struct db *db, struct arena *a, uint64_t tenant_id, struct status_page *out, struct err *e)
{
	*out = (struct status_page){ .tenant_id = tenant_id };
	return db_query_one(db, &stmts[Q_GET], VALS(V_U(tenant_id)), a, fields, sizeof(*out), out, e) >= 0;
}

int status_page_by_slug(struct db *db, struct arena *a, struct str slug, struct status_page *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_SLUG], VALS(V_S(slug)), a, fields, sizeof(*out), out, e);
}

/* ---- changing ---- */

struct shown {
	uint64_t id;			/* 0: no such service of this tenant */
	struct str word;
};

static const struct field shown_fields[] = {
	FIELD_STR(struct shown, word, "word", ""),
	FIELD_ID(struct shown, id, "id", ""),
	FIELD_END
};

struct change {
	struct arena *a;
	const struct status_page *in;
	const struct who *who;
	ms_t now;
};

static bool write_services(struct db *db, const struct change *x, struct err *e)
{
	const struct status_page *in = x->in;
	struct shown *rows;
	struct val *v;
	size_t n;

	if (!db_exec(db, &stmts[Q_DROP_SERVICES], VALS(V_U(in->tenant_id)), NULL, e) ||
		!db_query(db, &stmts[Q_FIND_SERVICES], VALS(V_S(in->services.n ? in->services : STR("[]")), V_U(in->tenant_id), V_U(in->tenant_id)), x->a,
			shown_fields, sizeof(*rows), &rows, &n, e))
		return false;
	v = ARENA_ARRAY(x->a, struct val, 3 * n + 1);
	for (size_t i = 0; i < n; i++) {
		if (!rows[i].id)
			return err_field(e, ERR_INVALID, "services", "There is no service %.*s.", STR_ARG(str_cut(rows[i].word, 60)));
		v[3 * i] = V_U(in->tenant_id);
		v[3 * i + 1] = V_U(i);
		v[3 * i + 2] = V_U(rows[i].id);
	}
	return db_bulk(db, &stmts[Q_ADD_SERVICE], v, n, 3, e);
}

static bool write_audit(struct db *db, const struct change *x, const struct status_page *before, struct err *e)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, x->a, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	if (before->updated_at) {
		json_key(&o, "before");
		json_open(&o, '{');
		json_fields(&o, audit_fields, before);
		json_close(&o, '}');
	}
	json_key(&o, "after");
	json_open(&o, '{');
	json_fields(&o, audit_fields, x->in);
	json_close(&o, '}');
	json_close(&o, '}');
	return audit_add(db, x->who, "status_page.update", x->in->slug, strbuf_str(&b), x->now, e);
}

static bool set_tx(struct db *db, void *ctx, struct err *e)
{
	const struct change *x = ctx;
	const struct status_page *in = x->in;
	struct status_page before, ignored;

	if (db_query_one(db, &stmts[Q_LOCK], VALS(V_U(in->tenant_id)), x->a, fields, sizeof(ignored), &ignored, e) < 0 ||
		!status_page_get(db, x->a, in->tenant_id, &before, e))
		return false;
	if (!db_exec(db, &stmts[before.updated_at ? Q_UPDATE : Q_ADD],
		VALS(V_S(in->slug), V_S(in->title), V_S(in->about), V_U(in->enabled), V_U(in->show_titles), V_I(x->now), V_U(in->tenant_id)), NULL, e))
		return conflict_if_duplicate(db, "slug", "another status page has this address", e);
	return write_services(db, x, e) && write_audit(db, x, &before, e);
}

static bool slug_check(struct str slug, struct err *e)
{
	bool good = slug.n >= 1 && slug.n <= STATUS_SLUG_MAX && slug.p[0] != '-' && slug.p[slug.n - 1] != '-';

	for (size_t i = 0; good && i < slug.n; i++)
		good = (slug.p[i] >= 'a' && slug.p[i] <= 'z') || (slug.p[i] >= '0' && slug.p[i] <= '9') || slug.p[i] == '-';
	return good || err_field(e, ERR_INVALID, "slug", "An address has 1 to %d of a-z, 0-9 and -, and no - at its ends.", STATUS_SLUG_MAX);
}

bool status_page_set(struct db *db, struct arena *a, const struct status_page *in, const struct who *who, ms_t now, struct err *e)
{
	struct change x = { .a = a, .in = in, .who = who, .now = now };

	if (!slug_check(in->slug, e) || !name_check(in->title, "title", e))
		return false;
	if (characters(in->about) > STATUS_ABOUT_MAX)
		return err_field(e, ERR_INVALID, "about", "The text has at most %d characters.", STATUS_ABOUT_MAX);
	return db_tx(db, set_tx, &x, e);
}
