/* ctl_open.c - what a command needs: configuration, database, schema, key, shared memory. */
#include "ctl_int.h"
#include "open_db.h"

#include <unistd.h>


static bool has(unsigned needs, unsigned need)
{
	return (needs & need) == need;
}

static bool open_conf(struct ctl *c, struct err *e)
{
	struct str path = ctl_value(c, "config");

	c->conf_path = path.p ? path.p : CTL_DEFAULT_CONF;
	return conf_load(&c->conf, c->conf_path, e);
}

static void prefix(struct err *e, const char *what)
{
	char cause[sizeof(e->text)];

	snprintf(cause, sizeof(cause), "%s", e->text);
	err_set(e, e->code, "%s: %.200s", what, cause);
}

static bool connect_db(struct ctl *c, struct err *e)
{
	c->db = open_db(&c->conf);
	if (db_connect(c->db, e))
		return true;
	prefix(e, "the database does not answer");
	return false;
}

static bool find_tenant(struct ctl *c, struct err *e)
{
	struct str name = ctl_value(c, "tenant");
	struct tenant t = { .id = DEFAULT_TENANT };
	int found = name.p ? tenant_by_name(c->db, c->arena, name, &t, e) : 1;

	if (!found)
		err_set(e, ERR_NOT_FOUND, "there is no tenant \"%.*s\"", STR_ARG(name));
	c->tenant_id = (uint32_t)t.id;
	c->who = (struct who){ .tenant_id = c->tenant_id, .actor = AUDIT_COMMAND_LINE };
	return found == 1;
}

/* No file, or one we may not open: workers on this host (if any) see changes within minutes. */
static void open_state(struct ctl *c)
{
	struct err e = { 0 };

	if (access(c->conf.server.state_file, F_OK))
		return;
	c->shm = shm_open_existing(c->conf.server.state_file, &e);
	if (!c->shm)
		fprintf(stderr, "grapnelctl: workers will see the change within minutes only: %s\n", e.text);
}

enum ctl_exit ctl_open(struct ctl *c, unsigned needs, struct err *e)
{
	if (has(needs, NEED_CONF) && !open_conf(c, e))
		return CTL_FAILED;
	if (has(needs, NEED_KEY)) {
		c->seal = seal_key_load(c->conf.secrets.key_file, e);
		if (!c->seal)
			return CTL_FAILED;
	}
	if (has(needs, NEED_DB) && !connect_db(c, e))
		return CTL_NO_DATABASE;
	if (has(needs, NEED_SCHEMA) && (!open_db_schema(c->db, e) || !find_tenant(c, e)))
		return db_trouble(c->db) == DB_LOST ? CTL_NO_DATABASE : CTL_FAILED;
	if (has(needs, NEED_STATE))
		open_state(c);
	return CTL_OK;
}

void ctl_close(struct ctl *c)
{
	if (c->shm)
		shm_close(c->shm);
	if (c->seal)
		seal_key_free(c->seal);
	db_free(c->db);
	conf_free(&c->conf);
	arena_free(c->arena);
}
