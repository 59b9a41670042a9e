/* health.c - /healthz and /readyz: for load balancers and monitors, open to everybody, so they say
 * no more than ok or failing. */
#include "api_int.h"

#include "grapnel/log.h"
#include "grapnel/spool.h"

struct health {
	struct str status;
};

const struct field health_fields[] = {
	FIELD_STR(struct health, status, "status", "ok"),
	FIELD_END
};

void api_healthz(void *call)
{
	reply_fields(call, 200, health_fields, &(struct health){ STR("ok") });
}

struct strict {
	bool strict;
};

struct parts {
	struct str status, database, migrations, shared_memory, spool, cron;
};

const struct form_field ready_query_fields[] = {
	{ "strict", BOOL_AT(struct strict, strict), .help = "Also fails while cron is late or the spool cannot be written; the name alone is enough" },
	FORM_END
};

const struct field ready_fields[] = {
	FIELD_STR(struct parts, status, "status", "ok when every part is"),
	FIELD_STR(struct parts, database, "database", "MariaDB answers"),
	FIELD_STR(struct parts, migrations, "migrations",
		"The schema is what this program needs, or newer"),
	FIELD_STR(struct parts, shared_memory, "sharedMemory",
		"Rate limits and counters are there"),
	FIELD_STR(struct parts, spool, "spool",
		"Webhooks can be kept on this host while the database is away; off where that is not wanted. Counts only if asked for strictly"),
	FIELD_STR(struct parts, cron, "cron", "Cron has run in the last three minutes; counts only if asked for strictly"),
	FIELD_END
};

static struct str word(bool ok)
{
	return ok ? STR("ok") : STR("failing");
}

/* Balancers ask with whatever they like: what is unknown here is passed over, not refused. */
static bool is_strict(struct call *c)
{
	struct str value;

	return form_find(c->a, c->rq->query, "strict", &value) && !str_ieqs(value, "false") && !str_eqs(value, "0");
}

static bool cron_runs(struct call *c)
{
	struct cron_watch w = { .late = true };
	struct err e = { 0 };

	return cron_watch(c->by.db, c->a, c->by.now, &w, &e) && !w.late;
}

static struct str spool_word(const struct conf *c)
{
	return c->spool.enabled ? word(spool_state(c->spool.directory).writable) : STR("off");
}

/* A migration that only adds may run before the program is renewed, so a newer schema is fine. */
void api_readyz(void *call)
{
	struct call *c = call;
	struct err e = { 0 };
	unsigned number = 0;
	int known = schema_current(c->by.db, &number, &e);
	bool schema = known == 1 && number >= SCHEMA_NUMBER, cron = schema && cron_runs(c);
	struct str spool = spool_word(c->by.conf);
	bool ok = schema && c->by.shm && (!is_strict(c) || (cron && !str_eqs(spool, "failing")));
	struct parts parts = { word(ok), word(known >= 0), word(schema),
		word(c->by.shm != NULL), spool, word(cron) };

	if (known < 0)
		log_warning("not ready", LOG_ERR(&e));
	reply_fields(c, ok ? 200 : 503, ready_fields, &parts);
	if (!ok)
		response_header(c->rq, "Retry-After", STR("5"));
}
