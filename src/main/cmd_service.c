/* cmd_service.c - services: what can break. */
#include "ctl_int.h"

static const struct field fields[] = {
	FIELD_STR(struct service, public_id, "id", ""),
	FIELD_STR(struct service, name, "name", ""),
	FIELD_BOOL(struct service, is_default, "isDefault", ""),
	FIELD_TIME(struct service, created_at, "createdAt", ""),
	FIELD_END
};

struct adding {
	struct ctl *c;
	struct service made;
};

static bool add_tx(struct db *db, void *ctx, struct err *e)
{
	struct adding *add = ctx;
	struct ctl *c = add->c;

	return service_add(db, c->arena, c->tenant_id, ctl_word(c, 0), ctl_has(c, "default"), c->now, &add->made, e) &&
		audit_add(db, &c->who, "service.create", add->made.public_id, STR_NONE, c->now, e);
}

static bool add(struct ctl *c, struct err *e)
{
	struct adding adding = { .c = c };

	if (!db_tx(c->db, add_tx, &adding, e))
		return false;
	ctl_one(c, fields, &adding.made);
	return true;
}

static bool list(struct ctl *c, struct err *e)
{
	struct service *services;
	size_t n;

	if (!service_list(c->db, c->arena, c->tenant_id, &services, &n, e))
		return false;
	ctl_list(c, "services", fields, "id isDefault createdAt name", services, n, sizeof(*services), 0);
	return true;
}

static const struct ctl_option add_options[] = {
	{ "default", NULL, "takes the integrations that name no service" },
	{ 0 }
};

const struct command service_commands[] = {
	{ "service add", "NAME", add_options, NEED_SCHEMA, add, "makes a service" },
	{ "service list", "", NULL, NEED_SCHEMA, list, "lists the services of the tenant" },
	{ 0 }
};
