/* audit.c - the audit log as people read it: what changed, from what to what. Entries are JSON made by us, {"before": {...},
 * "after": {...}} and what else is worth knowing; one that is none is shown as it stands. */
#include "audit.h"

#include "dash_int.h"
#include "tmpl.h"

#define CHANGES_MAX 40		/* members of the largest thing, twice */
#define VALUE_MAX 200

/* ---- changes ---- */

static struct str value_text(struct visit *v, const struct json *j)
{
	struct strbuf b;
	struct json_out o;

	if (!j || json_is(j, JSON_NULL))
		return STR_NONE;
	if (!json_is(j, JSON_ARRAY) && !json_is(j, JSON_OBJECT))
		return str_cut(json_text(j), VALUE_MAX);
	if (!j->count)
		return STR_NONE;
	strbuf_init(&b, v->a, 65536);
	if (json_is(j, JSON_ARRAY) && !json_is(j->first, JSON_OBJECT)) {
		for (const struct json *i = j->first; i; i = i->next) {
			strbuf_adds(&b, b.n ? ", " : "");
			strbuf_addstr(&b, json_text(i));
		}
	} else {
		json_out_init(&o, &b);
		json_tree(&o, j);
	}
	return str_cut(strbuf_str(&b), VALUE_MAX);
}

static void add_change(struct audit_line *row, struct str name, struct str before, struct str after)
{
	if (row->changes_n < CHANGES_MAX && (before.n || after.n))
		row->changes[row->changes_n++] = (struct audit_change){ name, before, after };
}

/* Of both sides what differs; of one side all that is there: a list of what is off says nothing. */
static void add_sides(struct visit *v, struct audit_line *row, const struct json *before, const struct json *after)
{
	const struct json *all = after ? after : before;

	row->both = before && after;
	for (const struct json *j = all ? all->first : NULL; j; j = j->next) {
		struct str was = value_text(v, json_getn(before, j->name)), is = value_text(v, json_getn(after, j->name));

		if (row->both ? !str_eq(was, is) : !str_eqs(was, "false") && !str_eqs(is, "false"))
			add_change(row, j->name, was, is);
	}
}

static void add_changes(struct visit *v, struct audit_line *row, struct str detail)
{
	const struct json *j = NULL;
	struct err ignored = { 0 };

	row->changes = ARENA_ARRAY(v->a, struct audit_change, CHANGES_MAX);
	if (!detail.n)
		return;
	if (!json_parse(v->a, detail, &j, &ignored) || !json_is(j, JSON_OBJECT)) {
		add_change(row, STR_NONE, STR_NONE, str_cut(detail, VALUE_MAX));
		return;
	}
	add_sides(v, row, json_get(j, "before"), json_get(j, "after"));
	for (const struct json *other = j->first; other; other = other->next)
		if (!str_eqs(other->name, "before") && !str_eqs(other->name, "after") && !str_eqs(json_text(other), "false"))
			add_change(row, other->name, STR_NONE, value_text(v, other));
}

/* ---- rows ---- */

/* Where the thing has a page. */
static struct str object_url(struct visit *v, const struct audit_view *a)
{
	static const struct {
		const char *prefix, *path;
	} pages[] = { { "in_", "integrations" }, { "us_", "users" }, { "sv_", "services" } };

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (str_starts(a->object, pages[i].prefix) && !str_ends(a->action, ".delete"))
			return arena_printf(v->a, "/%s/%.*s", pages[i].path, STR_ARG(a->object));
	if (str_starts(a->action, "incident."))
		return arena_printf(v->a, "/incidents/%.*s", STR_ARG(a->object));
	return STR_NONE;
}

static void add_rows(struct visit *v, struct audit_page *p, const struct audit_view *views, size_t n)
{
	p->rows = ARENA_ARRAY(v->a, struct audit_line, n + 1);
	p->rows_n = n;
	for (size_t i = 0; i < n; i++) {
		const struct audit_view *a = &views[i];

		p->rows[i] = (struct audit_line){ .id = a->id, .at = a->at, .actor = a->actor, .user = a->user, .user_id = a->user_id,
			.token_id = a->token_id, .remote_addr = a->remote_addr, .action = a->action, .object = a->object, .object_name = a->object_name,
			.object_url = object_url(v, a) };
		add_changes(v, &p->rows[i], a->detail);
	}
}

static bool read_audit(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *e)
{
	struct audit_filter f = *(struct audit_filter *)query;

	f.cursor = cursor;
	f.limit = limit;
	return audit_view_list(v->by.db, v->a, &f, rows_r, n, next, e);
}

/* ---- the page ---- */

static void add_chips(struct visit *v, struct audit_page *p)
{
	static const char *const kinds[] = { "user", "token", "session", "integration", "service", "incident" };

	bool exact = str_find(p->action, '.') >= 0;

	p->chips[p->chips_n++] = (struct chip){ STR("All"), query_with(v, "action", NULL), !p->action.n };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		p->chips[p->chips_n++] = (struct chip){ str_of(kinds[i]), query_with(v, "action", kinds[i]), str_eqs(p->action, kinds[i]) };
	if (exact)
		p->chips[p->chips_n++] = (struct chip){ p->action, query_with(v, "action", arena_cstr(v->a, p->action)), true };
}

static struct str asked(struct visit *v, const char *name)
{
	struct str value = STR_NONE;

	(void)form_find(v->a, v->rq->query, name, &value);
	return value;
}

void page_audit(void *visit)
{
	struct visit *v = visit;
	struct audit_filter f = { .tenant_id = v->by.tenant_id, .limit = PAGE_ROWS };
	const struct list_source list = { .plural = "audit", .fields = audit_view_fields, .size = sizeof(struct audit_view),
		.read = read_audit, .query = &f };
	struct audit_page p = { 0 };
	struct audit_view *views;
	size_t n;

	if (!visit_query(v, audit_query_fields, &f) || !list_read(v, &list, f.cursor, f.limit, &views, &n, &p.nav))
		return;
	p.actor = f.actor;
	p.action = f.action;
	p.object = f.object;
	p.q = f.text;
	p.from = asked(v, "from");
	p.to = asked(v, "to");
	p.filtered = f.actor.n || f.action.n || f.object.n || f.text.n || f.from || f.to;
	add_rows(v, &p, views, n);
	add_chips(v, &p);
	page_begin(v, &p.page, "Audit log", "audit");
	PAGE_SEND(v, 200, tmpl_audit, &p);
}
