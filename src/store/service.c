/* service.c - services: what can break, and where integrations without one go.
 *
 * The default service is the newest one that says so, else the oldest of all: this order makes every moment of a change
 * of default a valid one. A change locks all living services of its tenant: there are few, changes are rare, and names
 * and aliases must not meet. Who points to a service holds its row (service_hold), so that it is not deleted under him. */
#include "change_int.h"

#include <inttypes.h>

#include "grapnel/json.h"

#define ALIASES_MAX 65535	/* bytes of the column */

enum { Q_BY_PUBLIC_ID, Q_BY_NAME, Q_DEFAULT, Q_LIST, Q_HOLD, Q_LOCK, Q_ADD, Q_UPDATE, Q_ONLY_DEFAULT, Q_USE, Q_DELETE, Q_DROP_CHANNELS, Q_ADD_CHANNELS };

#define SELECT_SERVICE \
	"SELECT id, tenant_id, COALESCE(auto_resolve_minutes, 0) AS auto_resolve_minutes, public_id, name, description, aliases," \
	" (SELECT p.public_id FROM escalation_policies p WHERE p.id = services.policy_id) AS policy," \
	" (SELECT JSON_ARRAYAGG(c.public_id ORDER BY c.id) FROM service_channels l JOIN channels c ON c.id = l.channel_id" \
	" WHERE l.service_id = services.id) AS channels, is_default, created_at, updated_at FROM services WHERE deleted_at IS NULL"

static const struct stmt stmts[] = {
	[Q_BY_PUBLIC_ID] = { "service.by_public_id", SELECT_SERVICE " AND public_id = ? AND tenant_id = ?" },
	[Q_BY_NAME] = { "service.by_name", SELECT_SERVICE " AND tenant_id = ? AND live_name = ?" },
	[Q_DEFAULT] = { "service.default",
		SELECT_SERVICE " AND tenant_id = ? ORDER BY is_default DESC, is_default * id DESC, id LIMIT 1" },
	[Q_LIST] = { "service.list", SELECT_SERVICE " AND tenant_id = ? ORDER BY name" },
	[Q_HOLD] = { "service.hold", "SELECT id FROM services WHERE id = ? AND deleted_at IS NULL LOCK IN SHARE MODE" },
	[Q_LOCK] = { "service.lock", SELECT_SERVICE " AND tenant_id = ? ORDER BY id FOR UPDATE" },
	[Q_ADD] = { "service.add",
		"INSERT INTO services (public_id, tenant_id, name, description, aliases, is_default, auto_resolve_minutes, policy_id,"
		" created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
	[Q_UPDATE] = { "service.update",
		"UPDATE services SET name = ?, description = ?, aliases = ?, is_default = ?, auto_resolve_minutes = ?, policy_id = ?,"
		" updated_at = ? WHERE id = ?" },
	[Q_ONLY_DEFAULT] = { "service.only_default",
		"UPDATE services SET is_default = 0, updated_at = ? WHERE tenant_id = ? AND is_default = 1 AND id <> ?" },
	[Q_USE] = { "service.use",
		"SELECT (SELECT COUNT(*) FROM sources WHERE service_id = ? AND deleted_at IS NULL) AS integrations,"
		" (SELECT COUNT(*) FROM incidents WHERE service_id = ? AND status IN (1, 2)) AS incidents" },
	[Q_DROP_CHANNELS] = { "service.drop_channels", "DELETE FROM service_channels WHERE service_id = ?" },
	[Q_ADD_CHANNELS] = { "service.add_channels",
		"INSERT INTO service_channels (service_id, channel_id) SELECT ?, c.id FROM JSON_TABLE(?, '$[*]'"
		" COLUMNS (id VARCHAR(23) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) j JOIN channels c ON c.public_id = j.id"
		" WHERE c.tenant_id = ?" },
	[Q_DELETE] = { "service.delete", "UPDATE services SET deleted_at = ?, updated_at = ? WHERE id = ?" },
};
const struct stmt_table service_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct service, id, "id", ""),
	FIELD_ID(struct service, tenant_id, "tenant_id", ""),
	FIELD_U64(struct service, auto_resolve_minutes, "auto_resolve_minutes", ""),
	FIELD_STR(struct service, public_id, "public_id", ""),
	FIELD_STR(struct service, name, "name", ""),
	FIELD_STR(struct service, description, "description", ""),
	FIELD_STR(struct service, aliases, "aliases", ""),
	FIELD_STR(struct service, policy, "policy", ""),
	FIELD_STR(struct service, channels, "channels", ""),
	FIELD_BOOL(struct service, is_default, "is_default", ""),
	FIELD_TIME(struct service, created_at, "created_at", ""),
	FIELD_TIME(struct service, updated_at, "updated_at", ""),
	FIELD_END
};

static const struct field audit_fields[] = {
	FIELD_STR(struct service, name, "name", ""),
	FIELD_STR(struct service, description, "description", ""),
	FIELD_JSON(struct service, aliases, "aliases", ""),
	FIELD_STR(struct service, policy, "policyId", ""),
	FIELD_JSON(struct service, channels, "channelIds", ""),
	FIELD_BOOL(struct service, is_default, "isDefault", ""),
	FIELD_U64(struct service, auto_resolve_minutes, "autoResolveMinutes", ""),
	FIELD_END
};

/* ---- reading ---- */

int service_by_public_id(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, struct service *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_PUBLIC_ID], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(*out),
		out, e);
}

int service_by_name(struct db *db, struct arena *a, uint32_t tenant_id, struct str name, struct service *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_BY_NAME], VALS(V_U(tenant_id), V_S(name)), a, fields, sizeof(*out), out, e);
}

int service_default(struct db *db, struct arena *a, uint32_t tenant_id, struct service *out, struct err *e)
{
	return db_query_one(db, &stmts[Q_DEFAULT], VALS(V_U(tenant_id)), a, fields, sizeof(*out), out, e);
}

bool service_list(struct db *db, struct arena *a, uint32_t tenant_id, struct service **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_LIST], VALS(V_U(tenant_id)), a, fields, sizeof(**out), out, n, e);
}

int service_hold(struct db *db, struct arena *a, uint64_t id, struct err *e)
{
	struct service s;

	return db_query_one(db, &stmts[Q_HOLD], VALS(V_U(id)), a, fields, sizeof(s), &s, e);
}

/* ---- what is accepted ---- */

static const struct json *aliases_of(struct arena *a, const struct service *s)
{
	struct err ignored = { 0 };
	const struct json *j;

	return s->aliases.n && json_parse(a, s->aliases, &j, &ignored) && json_is(j, JSON_ARRAY) ? j->first : NULL;
}

static bool aliases_check(struct arena *a, const struct service *s, struct err *e)
{
	size_t n = 0;

	if (s->aliases.n > ALIASES_MAX)
		return err_field(e, ERR_INVALID, "aliases", "The aliases together have more than %d bytes.", ALIASES_MAX);
	for (const struct json *x = aliases_of(a, s); x; x = x->next) {
		if (!name_check(json_text(x), "aliases", e))
			return false;
		if (++n > SERVICE_ALIASES_MAX)
			return err_field(e, ERR_INVALID, "aliases", "A service has at most %d aliases.", SERVICE_ALIASES_MAX);
	}
	return true;
}

static bool check(struct arena *a, const struct service *s, struct err *e)
{
	if (!name_check(s->name, "name", e) || !description_check(s->description, e))
		return false;
	if (s->auto_resolve_minutes > AUTO_RESOLVE_MAX)
		return err_field(e, ERR_INVALID, "autoResolveMinutes", "At most %d minutes, 30 days, can pass.", AUTO_RESOLVE_MAX);
	return aliases_check(a, s, e);
}

/* As ingest compares names: ASCII letters without case. */
static bool answers_to(struct arena *a, const struct service *s, struct str name)
{
	if (str_ieq(s->name, name))
		return true;
	for (const struct json *x = aliases_of(a, s); x; x = x->next)
		if (str_ieq(json_text(x), name))
			return true;
	return false;
}

static bool name_is_free(struct arena *a, const struct service *others, size_t n, uint64_t self, struct str name, const char *field, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (others[i].id != self && answers_to(a, &others[i], name))
			return err_field(e, ERR_CONFLICT, field, "The service %.*s answers to \"%.*s\" already.",
				STR_ARG(str_cut(others[i].name, 60)), STR_ARG(str_cut(name, 60)));
	return true;
}

static bool names_are_free(struct arena *a, const struct service *others, size_t n, const struct service *s, struct err *e)
{
	if (!name_is_free(a, others, n, s->id, s->name, "name", e))
		return false;
	for (const struct json *x = aliases_of(a, s); x; x = x->next)
		if (!name_is_free(a, others, n, s->id, json_text(x), "aliases", e))
			return false;
	return true;
}

/* ---- writing ---- */

/* Those that it may not meet. */
struct services {
	struct service *list;
	size_t n;
};

static bool lock_all(struct db *db, const struct change *x, struct err *e)
{
	const struct service *s = x->to;
	struct services *all = x->own;

	return db_query(db, &stmts[Q_LOCK], VALS(V_U(s->tenant_id)), x->arena, fields, sizeof(*s), &all->list, &all->n, e);
}

static int lock(struct db *db, const struct change *x, void *before, struct err *e)
{
	const struct service *s = x->to;
	const struct services *all = x->own;

	if (!lock_all(db, x, e))
		return -1;
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->list[i].public_id, s->public_id)) {
			*(struct service *)before = all->list[i];
			return 1;
		}
	return 0;
}

static bool only_default(struct db *db, const struct service *s, ms_t now, struct err *e)
{
	return !s->is_default || db_exec(db, &stmts[Q_ONLY_DEFAULT], VALS(V_I(now), V_U(s->tenant_id), V_U(s->id)), NULL, e);
}

/* The row of its policy, which is not deleted before the end of this transaction; 0: it has none. */
static bool hold_policy(struct db *db, struct arena *a, const struct service *s, uint64_t *row, struct err *e)
{
	struct policy p = { 0 };
	int found = s->policy.n ? policy_hold(db, a, s->tenant_id, s->policy, &p, e) : 1;

	*row = p.id;
	return found == 1 || (!found && err_field(e, ERR_INVALID, "policyId", "There is no such escalation policy."));
}

/* Those that are deleted at the same moment are left out. */
static bool write_channels(struct db *db, const struct service *s, struct err *e)
{
	return db_exec(db, &stmts[Q_DROP_CHANNELS], VALS(V_U(s->id)), NULL, e) &&
		(!s->channels.n || db_exec(db, &stmts[Q_ADD_CHANNELS], VALS(V_U(s->id), V_S(s->channels), V_U(s->tenant_id)), NULL, e));
}

static struct str text_or_empty(struct str s)
{
	return s.p ? s : STR("");
}

static bool name_taken(struct db *db, struct err *e)
{
	return conflict_if_duplicate(db, "name", "A service of that name exists.", e);
}

static bool add(struct db *db, const struct change *x, struct err *e)
{
	const struct services *all = x->own;
	struct service *s = x->to;
	uint64_t policy_row;

	if (!lock_all(db, x, e) || !names_are_free(x->arena, all->list, all->n, s, e) || !hold_policy(db, x->arena, s, &policy_row, e))
		return false;
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(s->public_id), V_U(s->tenant_id), V_S(s->name), V_S(text_or_empty(s->description)), V_SE(s->aliases),
			V_U(s->is_default), V_ID(s->auto_resolve_minutes), V_ID(policy_row), V_I(x->now), V_I(x->now)),
		NULL, e))
		return name_taken(db, e);
	s->id = db_insert_id(db);
	return write_channels(db, s, e) && only_default(db, s, x->now, e);
}

static bool update(struct db *db, const struct change *x, struct err *e)
{
	const struct services *all = x->own;
	const struct service *before = x->before;
	struct service *s = x->to;
	uint64_t policy_row;

	s->id = before->id;
	if (before->is_default && !s->is_default)
		return err_field(e, ERR_CONFLICT, "isDefault", "This is the default service. Make another one the default instead.");
	if (!names_are_free(x->arena, all->list, all->n, s, e) || !hold_policy(db, x->arena, s, &policy_row, e))
		return false;
	if (!db_exec(db, &stmts[Q_UPDATE],
		VALS(V_S(s->name), V_S(text_or_empty(s->description)), V_SE(s->aliases), V_U(s->is_default),
			V_ID(s->auto_resolve_minutes), V_ID(policy_row), V_I(x->changed_at), V_U(s->id)),
		NULL, e))
		return name_taken(db, e);
	return write_channels(db, s, e) && only_default(db, s, x->now, e);
}

struct use {
	uint64_t integrations, incidents;
};

static const struct field use_fields[] = {
	FIELD_U64(struct use, integrations, "integrations", ""),
	FIELD_U64(struct use, incidents, "incidents", ""),
	FIELD_END
};

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static bool not_in_use(struct db *db, struct arena *a, const struct service *s, struct err *e)
{
	struct use use = { 0 };

	if (s->is_default)
		return err_tell(e, ERR_CONFLICT, "The default service cannot be deleted. Make another one the default first.");
	if (db_query_one(db, &stmts[Q_USE], VALS(V_U(s->id), V_U(s->id)), a, use_fields, sizeof(use), &use, e) < 0)
		return false;
	if (use.integrations || use.incidents)
		return err_tell(e, ERR_CONFLICT,
			"%" PRIu64 " integration%s and %" PRIu64 " unresolved incident%s use this service. Move the integrations to"
			" another service and resolve the incidents first.",
			use.integrations, plural(use.integrations), use.incidents, plural(use.incidents));
	return true;
}

static bool remove_it(struct db *db, const struct change *x, struct err *e)
{
	const struct service *before = x->before;

	return not_in_use(db, x->arena, before, e) && db_exec(db, &stmts[Q_DROP_CHANNELS], VALS(V_U(before->id)), NULL, e) &&
		db_exec(db, &stmts[Q_DELETE], VALS(V_I(x->now), V_I(x->now), V_U(before->id)), NULL, e);
}

static const struct changeable kind = {
	CHANGEABLE(struct service), .word = "service", .prefix = "sv", .audited = audit_fields,
	.lock = lock, .add = add, .update = update, .remove = remove_it,
};

bool service_add(struct db *db, struct arena *a, struct shm *shm, const struct service *in, const struct who *who, ms_t now, struct service *out,
	struct err *e)
{
	struct services all;
	struct change x = { .kind = &kind, .arena = a, .to = out, .who = who, .now = now, .shm = shm, .own = &all };

	*out = *in;
	out->id = 0;
	out->public_id = STR_NONE;
	return check(a, in, e) && change_add(db, &x, e);
}

int service_update(struct db *db, struct arena *a, struct shm *shm, const struct service *in, const struct who *who, ms_t now, struct err *e)
{
	struct service to = *in;
	struct services all;
	struct change x = { .kind = &kind, .arena = a, .to = &to, .who = who, .now = now, .shm = shm, .own = &all };

	return check(a, in, e) ? change_update(db, &x, e) : -1;
}

int service_delete(struct db *db, struct arena *a, struct shm *shm, uint32_t tenant_id, struct str public_id, const struct who *who, ms_t now,
	struct err *e)
{
	struct service gone = { .tenant_id = tenant_id, .public_id = public_id };
	struct services all;
	struct change x = { .kind = &kind, .arena = a, .to = &gone, .who = who, .now = now, .shm = shm, .own = &all };

	return change_remove(db, &x, e);
}
