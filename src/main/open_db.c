/* open_db.c - from the configuration to a connection. */
#include "open_db.h"

struct db *open_db(const struct conf *c)
{
	const struct db_config d = {
		.socket = c->database.socket, .host = c->database.host, .port = c->database.port, .user = c->database.user,
		.password = c->database.password, .name = c->database.name,
		.connect_timeout_ms = c->database.connect_timeout_ms, .read_timeout_ms = c->database.read_timeout_ms,
		.tls = c->database.tls, .tls_ca = c->database.tls_ca,
	};

	return db_new(&d);
}

bool open_db_schema(struct db *db, struct err *e)
{
	unsigned number = 0;

	if (schema_current(db, &number, e) < 0)
		return false;
	return number >= SCHEMA_NUMBER || err_set(e, ERR_CONFLICT,
		"the database has schema %u and this program needs %d; run grapnelctl migrate", number, SCHEMA_NUMBER);
}
