/* audit.c - who changed what, newest first.
 *
 * The ids of this log are counted up by the database and hold no time, so `from` and `to` find their ids through the
 * index on time. Hosts of one database may differ in their clocks, hence the margin; the time itself is looked at again
 * in each row. */
#include "view_int.h"

#define SKEW_MS MS_PER_MINUTE

const struct field audit_view_fields[] = {
	FIELD_ID(struct audit_view, id, "id", "Number of the entry"),
	FIELD_TIME(struct audit_view, at, "at", "When it was done"),
	FIELD_STR(struct audit_view, actor, "actor", "person, system or command line"),
	FIELD_STR(struct audit_view, user, "user", "Name of the person"),
	FIELD_STR(struct audit_view, user_id, "userId", "Id of the person"),
	FIELD_STR(struct audit_view, token_id, "tokenId", "The API token that was used; null: the dashboard"),
	FIELD_STR(struct audit_view, remote_addr, "remoteAddr", "From where"),
	FIELD_STR(struct audit_view, action, "action", "What was done: integration.create"),
	FIELD_STR(struct audit_view, object, "object", "Id of what was changed"),
	FIELD_STR(struct audit_view, object_name, "objectName", "Its name now, of users, tokens, integrations and services"),
	FIELD_JSON(struct audit_view, detail, "detail", "Before and after, and what else is worth knowing; no secrets"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct audit_view, id, "id", ""),
	FIELD_U64(struct audit_view, tenant_id, "tenant_id", ""),
	FIELD_U64(struct audit_view, actor_n, "actor_n", ""),
	FIELD_TIME(struct audit_view, at, "at", ""),
	FIELD_STR(struct audit_view, user, "user", ""),
	FIELD_STR(struct audit_view, user_id, "user_id", ""),
	FIELD_STR(struct audit_view, token_id, "token_id", ""),
	FIELD_STR(struct audit_view, remote_addr, "remote_addr", ""),
	FIELD_STR(struct audit_view, action, "action", ""),
	FIELD_STR(struct audit_view, object, "object", ""),
	FIELD_STR(struct audit_view, object_name, "object_name", ""),
	FIELD_STR(struct audit_view, detail, "detail", ""),
	FIELD_END
};

static const char *const actor_words[] = {
	[ACTOR_SYSTEM] = "system", [ACTOR_PERSON] = "person", [AUDIT_COMMAND_LINE] = "command line",
};

static void write_open(struct sql *q)
{
	sql_lit(q, "SELECT l.id, l.tenant_id, l.actor AS actor_n, l.at, u.name AS user, u.public_id AS user_id,"
		" o.public_id AS token_id, l.remote_addr, l.action, l.object, l.detail,"
		" COALESCE(x.name, s.name, w.name, k.name) AS object_name FROM (");
}

static void write_close(struct sql *q)
{
	sql_lit(q, ") k JOIN audit_log l ON l.id = k.id LEFT JOIN users u ON u.id = l.user_id"
		" LEFT JOIN tokens o ON o.id = l.token_id LEFT JOIN users x ON x.public_id = l.object"
		" LEFT JOIN sources s ON s.public_id = l.object LEFT JOIN services w ON w.public_id = l.object"
		" LEFT JOIN tokens k ON k.public_id = l.object ORDER BY l.id DESC");
}

static void write_branch(struct sql *q, const struct branch *b)
{
	switch (b->kind) {
	case BRANCH_OBJECT:
		sql_lit(q, "SELECT t.id AS id FROM audit_log t FORCE INDEX (by_object) WHERE t.object = ");
		sql_val(q, V_S(b->text));
		break;
	case BRANCH_TENANT:
		sql_lit(q, "SELECT t.id AS id FROM audit_log t FORCE INDEX (by_tenant) WHERE t.tenant_id = ");
		sql_val(q, V_U(b->tenant_id));
		break;
	default:
		sql_lit(q, "SELECT t.id AS id FROM audit_log t FORCE INDEX (PRIMARY) WHERE TRUE");
	}
}

static void write_actor(struct sql *q, struct str actor)
{
	for (size_t i = 0; i < ARRAY_SIZE(actor_words); i++)
		if (actor_words[i] && str_ieqs(actor, actor_words[i])) {
			sql_lit(q, " AND t.actor = ");
			sql_val(q, V_U(i));
			return;
		}
	sql_lit(q, " AND t.user_id = (SELECT u.id FROM users u WHERE u.name = ");
	sql_val(q, V_S(actor));
	sql_lit(q, " UNION SELECT u.id FROM users u WHERE u.public_id = ");
	sql_val(q, V_S(actor));
	sql_lit(q, " LIMIT 1)");
}

static void write_action(struct sql *q, struct str action)
{
	sql_lit(q, " AND (t.action = ");
	sql_val(q, V_S(action));
	sql_lit(q, " OR LEFT(t.action, ");
	sql_val(q, V_U(action.n + 1));
	sql_lit(q, ") = ");
	sql_val(q, V_S(arena_printf(q->text.arena, "%.*s.", STR_ARG(action))));
	sql_lit(q, ")");
}

static void write_text(struct sql *q, struct str text)
{
	struct str part = like_part(q->text.arena, text);

	sql_lit(q, " AND (t.detail COLLATE utf8mb4_general_ci LIKE ");
	sql_val(q, V_S(part));
	sql_lit(q, " OR t.action LIKE ");
	sql_val(q, V_S(part));
	sql_lit(q, " OR t.object LIKE ");
	sql_val(q, V_S(part));
	sql_lit(q, " OR t.remote_addr LIKE ");
	sql_val(q, V_S(part));
	sql_lit(q, ")");
}

static void write_times(struct sql *q, const struct audit_filter *f)
{
	if (f->from) {
		sql_lit(q, " AND t.at >= ");
		sql_val(q, V_I(f->from));
	}
	if (f->to) {
		sql_lit(q, " AND t.at < ");
		sql_val(q, V_I(f->to));
	}
}

static void write_residual(struct sql *q, const struct plan *p, const struct branch *b)
{
	const struct audit_filter *f = p->filter;

	write_times(q, f);
	if (f->tenant_id && b->kind != BRANCH_TENANT) {
		sql_lit(q, " AND t.tenant_id = ");
		sql_val(q, V_U(f->tenant_id));
	}
	if (f->actor.n)
		write_actor(q, f->actor);
	if (f->action.n)
		write_action(q, f->action);
	if (f->text.n)
		write_text(q, f->text);
}

const struct list_table audit_table = {
	.name = "view.audit_list",
	.branch = write_branch,
	.residual = write_residual,
	.open = write_open,
	.close = write_close,
	.columns = columns,
	.size = sizeof(struct audit_view),
};

/* The first entry at or after `t`; INT64_MAX where there is none. */
static bool since(struct db *db, struct arena *a, ms_t t, uint64_t *id, struct err *e)
{
	struct audit_view first = { 0 };
	int found = db_query_one(db, &view_stmt[V_AUDIT_SINCE], VALS(V_I(t)), a, columns, sizeof(first), &first, e);

	*id = found == 1 ? first.id : INT64_MAX;
	return found >= 0;
}

bool audit_plan(struct db *db, struct arena *a, const struct audit_filter *f, struct plan *p, struct err *e)
{
	uint64_t end = INT64_MAX;

	plan_init(p, f, 0, 0, f->cursor, f->limit);
	if ((f->from && !since(db, a, f->from - SKEW_MS, &p->from, e)) || (f->to && !since(db, a, f->to + SKEW_MS, &end, e)))
		return false;
	if (end < p->below)
		p->below = end;
	p->residual = f->from || f->to || f->actor.n || f->action.n || f->text.n || (f->object.n && f->tenant_id);
	plan_add(p, f->object.n ? BRANCH_OBJECT : f->tenant_id ? BRANCH_TENANT : BRANCH_ALL, f->tenant_id, 0);
	p->branches[0].text = f->object;
	return true;
}

bool audit_view_list(struct db *db, struct arena *a, const struct audit_filter *f, struct audit_view **out, size_t *n, uint64_t *next,
	struct err *e)
{
	struct plan p;

	if (!audit_plan(db, a, f, &p, e) || !list_run(db, a, &audit_table, &p, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n; i++) {
		struct audit_view *v = &(*out)[i];

		v->actor = v->actor_n < ARRAY_SIZE(actor_words) ? str_of(actor_words[v->actor_n]) : STR_NONE;
		null_if_empty(&v->object);
	}
	return true;
}
