/* health.c - /healthz and /readyz: for load balancers and monitors, open to everybody, so they say
 * no more than ok or failing. */
#include "api_int.h"

#include "grapnel/log.h"

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

struct parts {
	struct str status, database, migrations, shared_memory;
};

const struct field ready_fields[] = {
	FIELD_STR(struct parts, status, "status", "ok when every part is"),
	FIELD_STR(struct parts, database, "database", "MariaDB answers"),
	FIELD_STR(struct parts, migrations, "migrations",
		"The schema is what this program needs, or newer"),
	FIELD_STR(struct parts, shared_memory, "sharedMemory",
		"Rate limits and counters are there"),
	FIELD_END
};

static struct str word(bool ok)
{
	return ok ? STR("ok") : STR("failing");
}

/* A migration that only adds may run before the program is renewed, so a newer schema is fine. */
void api_readyz(void *call)
{
	struct call *c = call;
	struct err e = { 0 };
	unsigned number = 0;
	int known = schema_current(c->by.db, &number, &e);
	bool schema = known == 1 && number >= SCHEMA_NUMBER;
	bool ok = schema && c->by.shm;
	struct parts parts = { word(ok), word(known >= 0), word(schema),
		word(c->by.shm != NULL) };

	if (known < 0)
		log_warning("not ready", LOG_ERR(&e));
	reply_fields(c, ok ? 200 : 503, ready_fields, &parts);
	if (!ok)
		response_header(c->rq, "Retry-After", STR("5"));
}
