/* cmd_tenant.c - the units of isolation. They stay: what belongs to one is told apart by it for ever. */
#include "ctl_int.h"

static const struct field fields[] = {
	FIELD_STR(struct tenant, name, "name", ""),
	FIELD_U64(struct tenant, users, "users", ""),
	FIELD_U64(struct tenant, services, "services", ""),
	FIELD_U64(struct tenant, integrations, "integrations", ""),
	FIELD_TIME(struct tenant, created_at, "createdAt", ""),
	FIELD_END
};

static bool add(struct ctl *c, struct err *e)
{
	struct tenant made;

	if (!tenant_add(c->db, c->arena, c->shm, ctl_word(c, 0), &c->who, c->now, &made, e))
		return false;
	ctl_one(c, fields, &made);
	return true;
}

static bool list(struct ctl *c, struct err *e)
{
	uint64_t limit = 100, cursor = 0, next = 0;
	struct tenant *rows;
	size_t n;

	if (!ctl_number(c, "limit", 1, 1000, &limit, e) || !ctl_number(c, "cursor", 1, UINT32_MAX, &cursor, e) ||
			!tenant_list(c->db, c->arena, cursor, limit + 1, &rows, &n, e))
		return false;
	if (n > limit) {
		n = limit;
		next = rows[n - 1].id;
	}
	ctl_list(c, "tenants", fields, "name users services integrations createdAt", rows, n, sizeof(*rows), next);
	return true;
}

static bool rename_tenant(struct ctl *c, struct err *e)
{
	struct tenant t;
	int found = tenant_by_name(c->db, c->arena, ctl_word(c, 0), &t, e);

	if (found != 1)
		return !found && err_set(e, ERR_NOT_FOUND, "there is no tenant \"%s\"", c->words[0]);
	if (!tenant_rename(c->db, c->arena, &t, ctl_word(c, 1), &c->who, c->now, e))
		return false;
	ctl_done(c, "tenant %s is called %s now", c->words[0], c->words[1]);
	return true;
}

static const struct ctl_option list_options[] = {
	{ "limit", "N", "at most so many, up to 1000; default 100" },
	{ "cursor", "N", "goes on after an earlier list" },
	{ 0 }
};

const struct command tenant_commands[] = {
	{ "tenant add", "NAME", NULL, NEED_SCHEMA | NEED_STATE, add, "makes a tenant with a default service; give it a user next, with --tenant" },
	{ "tenant list", "", list_options, NEED_SCHEMA, list, "lists the tenants and what they have" },
	{ "tenant rename", "NAME NEW", NULL, NEED_SCHEMA, rename_tenant, "gives a tenant another name" },
	{ 0 }
};
