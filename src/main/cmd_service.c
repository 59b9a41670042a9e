/* cmd_service.c - services: what can break. */
#include "ctl_int.h"

#include "grapnel/view.h"

#define ALIASES_TEXT_MAX 65536

/* ---- what the options say, over what is stored ---- */

/* Names with commas between become the JSON array that is stored. */
static bool aliases_json(struct ctl *c, struct str list, struct str *out, struct err *e)
{
	struct json_out o;
	struct strbuf b;
	size_t n = 0;

	strbuf_init(&b, c->arena, ALIASES_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	while (list.n) {
		struct str one = str_trim(str_until(&list, ','));

		if (one.n) {
			json_str(&o, one);
			n++;
		}
	}
	json_close(&o, ']');
	*out = n ? strbuf_str(&b) : STR_NONE;
	return !b.failed || err_set(e, ERR_INVALID, "--aliases is too long");
}

static bool read_options(struct ctl *c, struct service *s, struct err *e)
{
	struct str name = ctl_value(c, "name"), description = ctl_value(c, "description"), aliases = ctl_value(c, "aliases");

	if (name.p)
		s->name = name;
	if (description.p)
		s->description = description;
	s->is_default |= ctl_has(c, "default");
	return ctl_number(c, "auto-resolve", 0, AUTO_RESOLVE_MAX, &s->auto_resolve_minutes, e) &&
		(!aliases.p || aliases_json(c, aliases, &s->aliases, e));
}

/* By name or by id. */
static bool find(struct ctl *c, struct service *s, struct err *e)
{
	struct str word = ctl_word(c, 0);
	int found = public_id_is(word, "sv") ? service_by_public_id(c->db, c->arena, c->tenant_id, word, s, e) :
		service_by_name(c->db, c->arena, c->tenant_id, word, s, e);

	return found == 1 || (!found && err_set(e, ERR_NOT_FOUND, "there is no service \"%s\"", c->words[0]));
}

static bool show_id(struct ctl *c, struct str id, struct err *e)
{
	struct service_view v;
	int found = service_view_get(c->db, c->arena, c->tenant_id, id, c->now, &v, e);

	if (found == 1)
		ctl_one(c, service_view_fields, &v);
	return found == 1 || (!found && err_set(e, ERR_NOT_FOUND, "the service is gone"));
}

/* ---- the commands ---- */

static bool add(struct ctl *c, struct err *e)
{
	struct service s = { .tenant_id = c->tenant_id, .name = ctl_word(c, 0) }, made;

	return read_options(c, &s, e) && service_add(c->db, c->arena, c->shm, &s, &c->who, c->now, &made, e) &&
		show_id(c, made.public_id, e);
}

static bool list(struct ctl *c, struct err *e)
{
	struct service_filter f = { .tenant_id = c->tenant_id, .limit = LIST_LIMIT_DEFAULT, .now = c->now };
	struct service_view *services;
	uint64_t next;
	size_t n;

	if (!ctl_number(c, "limit", 1, LIST_LIMIT_MAX, &f.limit, e) || !ctl_number(c, "cursor", 1, UINT32_MAX, &f.cursor, e) ||
		!service_view_list(c->db, c->arena, &f, &services, &n, &next, e))
		return false;
	ctl_list(c, "services", service_view_fields, "id isDefault integrations openIncidents createdAt name", services, n,
		sizeof(*services), next);
	return true;
}

static bool show(struct ctl *c, struct err *e)
{
	struct service s;

	return find(c, &s, e) && show_id(c, s.public_id, e);
}

static bool set(struct ctl *c, struct err *e)
{
	struct service s;
	int done;

	if (!find(c, &s, e) || !read_options(c, &s, e))
		return false;
	done = service_update(c->db, c->arena, c->shm, &s, &c->who, c->now, e);
	if (done != 1)
		return !done && err_set(e, ERR_NOT_FOUND, "the service is gone");
	return show_id(c, s.public_id, e);
}

static bool delete(struct ctl *c, struct err *e)
{
	struct service s;
	int done;

	if (!find(c, &s, e) || !ctl_sure(c, "Delete this service?", e))
		return false;
	done = service_delete(c->db, c->arena, c->shm, c->tenant_id, s.public_id, &c->who, c->now, e);
	if (done != 1)
		return !done && err_set(e, ERR_NOT_FOUND, "the service is gone");
	ctl_done(c, "service %s is deleted", c->words[0]);
	return true;
}

#define SETTABLE \
	{ "default", NULL, "takes the integrations that name no service" }, \
	{ "description", "TEXT", "what it is" }, \
	{ "aliases", "LIST", "further names that events may call it by, separated by commas" }, \
	{ "auto-resolve", "MINUTES", "resolves its incidents when no alert came for so long; 0 = never" }

static const struct ctl_option add_options[] = {
	SETTABLE,
	{ 0 }
};

static const struct ctl_option set_options[] = {
	{ "name", "NAME", "as people know it" },
	SETTABLE,
	{ 0 }
};

static const struct ctl_option list_options[] = {
	{ "limit", "N", "at most so many, up to 100; default 50" },
	{ "cursor", "N", "goes on after an earlier list" },
	{ 0 }
};

static const struct ctl_option delete_options[] = {
	{ "yes", NULL, "does not ask" },
	{ 0 }
};

const struct command service_commands[] = {
	{ "service add", "NAME", add_options, NEED_SCHEMA | NEED_STATE, add, "makes a service" },
	{ "service list", "", list_options, NEED_SCHEMA, list, "lists the services of the tenant, newest first" },
	{ "service show", "NAME|ID", NULL, NEED_SCHEMA, show, "shows a service" },
	{ "service set", "NAME|ID", set_options, NEED_SCHEMA | NEED_STATE, set, "changes a service" },
	{ "service delete", "NAME|ID", delete_options, NEED_SCHEMA | NEED_STATE, delete,
		"deletes a service that no integration and no unresolved incident uses" },
	{ 0 }
};
