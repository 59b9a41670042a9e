/* database.c - does MariaDB answer, is it one to trust with what was acknowledged, and may we do there what we must, and no more? */
#include "doctor_int.h"

#include <inttypes.h>
#include <unistd.h>

#include "grapnel/provider.h"
#include "grapnel/shm.h"
#include "grapnel/view.h"

/* ---- does it answer? ---- */

static const struct {
	unsigned err_no;	/* MariaDB's error code list and errmsg.h of libmariadb-dev */
	const char *mend;
} refusals[] = {
	{ 1040, "raise max_connections of MariaDB" },	/* ER_CON_COUNT_ERROR */
	{ 1044, "GRANT SELECT, INSERT, UPDATE, DELETE ON the schema TO the account" },	/* ER_DBACCESS_DENIED_ERROR */
	{ 1045, "let [database] user and password_file say what CREATE USER said" },	/* ER_ACCESS_DENIED_ERROR */
	{ 1049, "CREATE DATABASE that schema, GRANT the account its rights there, then grapnelctl migrate" },	/* ER_BAD_DB_ERROR */
	{ 1130, "CREATE USER for this host, or connect by another way" },	/* ER_HOST_NOT_PRIVILEGED */
	{ 1698, "give the account a password: ALTER USER ... IDENTIFIED BY ..." },	/* ER_ACCESS_DENIED_NO_PASSWORD_ERROR */
	{ 2002, "start MariaDB; [database] socket is what its option socket says" },	/* CR_CONNECTION_ERROR */
	{ 2003, "start MariaDB, let it listen there, and mend [database] host and port" },	/* CR_CONN_HOST_ERROR */
	{ 2005, "mend [database] host" },	/* CR_UNKNOWN_HOST */
	{ 2026, "let MariaDB offer TLS (ssl_cert, ssl_key), and [database] tls_ca name who signed its certificate" },	/* CR_SSL_CONNECTION_ERROR */
};

static const char *mend_of(unsigned err_no)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (refusals[i].err_no == err_no)
			return refusals[i].mend;
	return "see the log of MariaDB";
}

static void look_database(struct doctor *d)
{
	struct err e = { 0 };

	d->db = d->c->open_db(&d->conf);
	if (!db_connect(d->db, &e)) {
		say(d, DOCTOR_FAIL, mend_of(db_errno(d->db)), "%s", e.text);
		return;
	}
	if (!server_facts(d->db, d->a, &d->server, &e)) {
		say(d, DOCTOR_FAIL, "see the log of MariaDB", "%s", e.text);
		return;
	}
	d->has |= HAS_DB;
	say(d, DOCTOR_OK, NULL, "answers to %.*s", STR_ARG(d->server.account));
}

const struct doctor_check check_database = {
	"database", "MariaDB answers", HAS_CONF, HAS_DB, look_database
};

/* ---- what it is ---- */

#define VERSION_LEAST 1006	/* 10.6: INSERT ... RETURNING and JSON_TABLE */

/* "10.11.6-MariaDB-0+deb12u1" is 1011; 0: not MariaDB. */
static unsigned version_number(struct str version)
{
	struct str rest = version, major = str_until(&rest, '.'), minor = str_until(&rest, '.');
	uint64_t a, b;

	return str_has(version, "MariaDB") && str_u64(major, &a) && str_u64(minor, &b) ? (unsigned)(a * 100 + b) : 0;
}

static void look_version(struct doctor *d)
{
	unsigned number = version_number(d->server.version);

	if (!number)
		say(d, DOCTOR_FAIL, "use MariaDB 10.6 or newer", "%.*s is not MariaDB", STR_ARG(d->server.version));
	else if (number < VERSION_LEAST)
		say(d, DOCTOR_FAIL, "upgrade to MariaDB 10.6 or newer", "MariaDB %.*s is too old", STR_ARG(d->server.version));
	else
		say(d, DOCTOR_OK, NULL, "%.*s", STR_ARG(d->server.version));
}

const struct doctor_check check_database_version = {
	"database-version", "MariaDB 10.6 or newer", HAS_DB, 0, look_version
};

/* ---- what it is set to ---- */

static void look_session(struct doctor *d)
{
	const struct server_facts *s = &d->server;
	const struct {
		const char *name;
		struct str is;
		const char *want;
	} rows[] = {
		{ "tx_isolation", s->isolation, "READ-COMMITTED" },
		{ "character_set_client", s->charset, "utf8mb4" },
		{ "time_zone", s->time_zone, "+00:00" },
		{ "sql_mode", s->sql_mode, "STRICT_ALL_TABLES" },
	};
	size_t before = said(d);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!str_has(rows[i].is, rows[i].want))
			say(d, DOCTOR_FAIL, "a proxy between Grapnel and MariaDB must pass SET SESSION on and keep one connection for one client",
				"%s of our session is \"%.*s\", though we set %s", rows[i].name, STR_ARG(rows[i].is), rows[i].want);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "strict, READ-COMMITTED, UTC, utf8mb4");
}

const struct doctor_check check_database_session = {
	"database-session", "the settings of our own connections are in force, also behind a proxy", HAS_DB, 0, look_session
};

static void look_sql_mode(struct doctor *d)
{
	if (str_has(d->server.global_sql_mode, "STRICT_"))
		say(d, DOCTOR_OK, NULL, "strict");
	else
		say(d, DOCTOR_WARN, "sql_mode = STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION in my.cnf",
			"sql_mode of the server is not strict: what people or tools write by hand is cut off without a word");
}

const struct doctor_check check_database_sql_mode = {
	"database-sql-mode", "other clients of the server write strictly too", HAS_DB, 0, look_sql_mode
};

static void look_durability(struct doctor *d)
{
	const struct server_facts *s = &d->server;
	size_t before = said(d);

	if (s->flush != 1)
		say(d, DOCTOR_FAIL, "innodb_flush_log_at_trx_commit = 1 in my.cnf, and SET GLOBAL it",
			"innodb_flush_log_at_trx_commit is %" PRIu64 ": a crash loses a second of events that were acknowledged", s->flush);
	if (!s->doublewrite)
		say(d, DOCTOR_WARN, "innodb_doublewrite = 1 in my.cnf, then restart MariaDB, unless the file system never tears a page",
			"innodb_doublewrite is off: a power cut may break pages for good");
	if (s->log_bin && !s->sync_binlog)
		say(d, DOCTOR_WARN, "sync_binlog = 1 in my.cnf, and SET GLOBAL it",
			"sync_binlog is 0: after a crash replicas and point-in-time recovery may lack events");
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "a commit is on the disk when it is answered");
}

const struct doctor_check check_database_durability = {
	"database-durability", "what was acknowledged survives a crash of the server", HAS_DB, 0, look_durability
};

#define PACKET_LEAST ((uint64_t)2 << 20)	/* twice a usual body */

static size_t largest_body(void)
{
	size_t most = 0;

	for (const struct provider *const *p = providers; *p; p++)
		if (provider_body_max(*p) > most)
			most = provider_body_max(*p);
	return most;
}

static void look_packet(struct doctor *d)
{
	uint64_t is = d->server.packet_max, want = largest_body() + (1u << 20);

	if (is >= want)
		say(d, DOCTOR_OK, NULL, "max_allowed_packet is %" PRIu64 " MiB", is >> 20);
	else
		say(d, is < PACKET_LEAST ? DOCTOR_FAIL : DOCTOR_WARN, "max_allowed_packet = 64M in my.cnf, and SET GLOBAL it",
			"max_allowed_packet is %" PRIu64 " KiB: larger bodies cannot be stored, and providers send up to %" PRIu64 " MiB", is >> 10,
			want >> 20);
}

const struct doctor_check check_database_packet = {
	"database-packet", "the largest bodies can be stored", HAS_DB, 0, look_packet
};

#define TABLES_TOLD 10

static void look_charset(struct doctor *d)
{
	struct server_table *t;
	struct err e = { 0 };
	size_t n, before = said(d);

	if (!server_other_tables(d->db, d->a, TABLES_TOLD, &t, &n, &e)) {
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		say(d, DOCTOR_FAIL, how(d, "ALTER TABLE %.*s ENGINE = InnoDB, CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", STR_ARG(t[i].name)),
			"table %.*s is %.*s in %.*s: transactions need InnoDB, names of people utf8mb4", STR_ARG(t[i].name),
			STR_ARG(t[i].engine), STR_ARG(t[i].collation));
	if (!str_eqs(d->server.schema_charset, "utf8mb4"))
		say(d, DOCTOR_WARN, how(d, "ALTER DATABASE %s CHARACTER SET utf8mb4", d->conf.database.name), "new tables of the schema would be in %.*s",
			STR_ARG(d->server.schema_charset));
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "InnoDB in utf8mb4");
}

const struct doctor_check check_database_charset = {
	"database-charset", "all tables are InnoDB in utf8mb4", HAS_DB, 0, look_charset
};

#define OTHER_PROCESSES 8	/* cron, dispatcher, command line, and workers of the image before while it drains */

static size_t statement_count(void)
{
	size_t n = view_stmts.n;

	for (const struct stmt_table *const *t = stmt_tables; *t; t++)
		n += (*t)->n;
	return n;
}

static void look_connections(struct doctor *d)
{
	const struct conf *c = &d->conf;
	uint64_t ingest = c->server.ingest_workers ? c->server.ingest_workers : (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t need = ingest + c->server.web_workers + OTHER_PROCESSES, statements = need * statement_count();
	size_t before = said(d);

	if (d->server.connections_max < need)
		say(d, DOCTOR_FAIL, how(d, "max_connections = %" PRIu64 " or more in my.cnf, and SET GLOBAL it", need),
			"max_connections is %" PRIu64 ", this host alone needs up to %" PRIu64, d->server.connections_max, need);
	if (d->server.statements_max < statements)
		say(d, DOCTOR_WARN, how(d, "max_prepared_stmt_count = %" PRIu64 " or more in my.cnf, and SET GLOBAL it", statements),
			"max_prepared_stmt_count is %" PRIu64 ", this host alone may need %" PRIu64, d->server.statements_max, statements);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%" PRIu64 " are allowed, this host needs up to %" PRIu64, d->server.connections_max, need);
}

const struct doctor_check check_database_connections = {
	"database-connections", "as many connections and statements as the processes of this host need", HAS_DB, 0, look_connections
};

#define POOL_LEAST ((uint64_t)256 << 20)	/* bytes: the indexes of some million events */

static void look_memory(struct doctor *d)
{
	if (d->server.buffer_pool < POOL_LEAST)
		say(d, DOCTOR_WARN, "innodb_buffer_pool_size in my.cnf: a half of the memory where MariaDB has the host for itself, else an eighth",
			"innodb_buffer_pool_size is %" PRIu64 " MiB: each event will wait for the disk once there are some million",
			d->server.buffer_pool >> 20);
	else
		say(d, DOCTOR_OK, NULL, "%" PRIu64 " MiB of buffer pool", d->server.buffer_pool >> 20);
}

const struct doctor_check check_database_memory = {
	"database-memory", "room for indexes in the memory of the server", HAS_DB, 0, look_memory
};

/* ---- how we get there ---- */

static bool is_elsewhere(const struct conf *c)
{
	struct str host = str_of(c->database.host);

	return !*c->database.socket && !str_eqs(host, "localhost") && !str_starts(host, "127.") && !str_eqs(host, "::1");
}

static void look_tls(struct doctor *d)
{
	const struct conf *c = &d->conf;
	const char *ca = c->database.tls_ca;
	size_t before = said(d);

	if (*ca && access(ca, R_OK))
		say(d, DOCTOR_FAIL, "mend [database] tls_ca", "%s, the authorities for the database, cannot be read", ca);
	else if (*ca && !service_may(d, ca, R_OK))
		say(d, DOCTOR_FAIL, how(d, "chmod a+r %s", ca), "%s, who runs the programs, may not read %s", d->service.name, ca);
	if (is_elsewhere(c) && d->has & HAS_DB && !d->server.cipher.n)
		say(d, DOCTOR_FAIL, "[database] tls = required, tls_ca = the authority of the server's certificate",
			"passwords and events travel to %s for everybody to read", c->database.host);
	if (!strcmp(c->database.tls, "required") && !*ca)
		say(d, DOCTOR_WARN, "[database] tls_ca = the authority of the server's certificate", "whoever answers is taken for the database");
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%s", is_elsewhere(c) ? "encrypted" : "this host; not needed");
}

const struct doctor_check check_database_tls = {
	"database-tls", "nobody reads along on the way to the database", HAS_CONF | HAS_SERVICE, 0, look_tls
};

#define CLOCK_WARN_MS (2 * MS_PER_SECOND)	/* what NTP leaves is a hundredth of it */
#define CLOCK_FAIL_MS (30 * MS_PER_SECOND)	/* leases and time stamps of signatures go wrong */

/* The server looked at its clock some time between the question and the answer, however long that took. */
static ms_t least_off(ms_t theirs, ms_t asked, ms_t answered)
{
	return theirs < asked ? theirs - asked : theirs > answered ? theirs - answered : 0;
}

static void look_clock(struct doctor *d)
{
	struct server_facts fresh;
	struct err e = { 0 };
	ms_t asked = clock_now(), off;

	if (!server_facts(d->db, d->a, &fresh, &e)) {
		say(d, DOCTOR_FAIL, "see the log of MariaDB", "%s", e.text);
		return;
	}
	off = least_off(fresh.now, asked, clock_now());
	if (off > -CLOCK_WARN_MS && off < CLOCK_WARN_MS)
		say(d, DOCTOR_OK, NULL, "%+lld ms against ours", (long long)off);
	else
		say(d, off > -CLOCK_FAIL_MS && off < CLOCK_FAIL_MS ? DOCTOR_WARN : DOCTOR_FAIL,
			"let NTP set the clocks of both hosts: timedatectl set-ntp true", "the clock of the database is %+lld s against ours",
			(long long)(off / MS_PER_SECOND));
}

const struct doctor_check check_database_clock = {
	"database-clock", "its clock against ours", HAS_DB, 0, look_clock
};

static void look_read_only(struct doctor *d)
{
	if (d->server.read_only)
		say(d, DOCTOR_FAIL, "name the primary in [database], or SET GLOBAL read_only = 0 there", "the server is read-only: nothing can be stored");
	else
		say(d, DOCTOR_OK, NULL, "it takes changes");
}

const struct doctor_check check_database_read_only = {
	"database-read-only", "it takes changes", HAS_DB, 0, look_read_only
};

/* ---- our schema, our rights ---- */

static void look_migrations(struct doctor *d)
{
	struct migration_status st = { .clean = true };
	struct err e = { 0 };
	unsigned number = 0;
	size_t before = said(d);

	if (schema_current(d->db, &number, &e) < 0) {
		say(d, DOCTOR_FAIL, "see database-rights", "%s", e.text);
		return;
	}
	if (number < SCHEMA_NUMBER) {
		say(d, DOCTOR_FAIL, "grapnelctl migrate, with an account that may create and alter tables",
			"the database has schema %u, this program needs %d", number, SCHEMA_NUMBER);
		return;
	}
	d->has |= HAS_SCHEMA;
	if (!migrate_status(d->db, d->c->sql_dir, &st, &e))
		say(d, DOCTOR_WARN, "make install puts them there", "%s", e.text);
	else if (!st.clean)
		say(d, DOCTOR_WARN, "put the files of this version back", "a migration in %s was changed after it had been applied", d->c->sql_dir);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "schema %u", number);
}

const struct doctor_check check_migrations = {
	"migrations", "the schema is the one that this program needs", HAS_DB, HAS_SCHEMA, look_migrations
};

struct preparing {
	struct doctor *d;
	size_t n, refused;
	struct err first;
};

/* The server looks at tables, columns and rights before it takes a statement. */
static void prepare_all(struct preparing *p, const struct stmt_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct err e = { 0 };

		p->n++;
		if (db_prepare(p->d->db, &t->stmts[i], &e))
			continue;
		if (!p->refused++)
			p->first = e;
	}
}

static void look_rights(struct doctor *d)
{
	struct preparing p = { .d = d };

	for (const struct stmt_table *const *t = stmt_tables; *t; t++)
		prepare_all(&p, *t);
	prepare_all(&p, &view_stmts);
	if (p.refused)
		say(d, DOCTOR_FAIL,
			how(d, "GRANT SELECT, INSERT, UPDATE, DELETE ON %s.* TO the account; where a table or column is missing: put back the backup",
				d->conf.database.name),
			"%zu of our %zu statements are refused; %s", p.refused, p.n, p.first.text);
	else
		say(d, DOCTOR_OK, NULL, "all %zu statements of the programs are taken", p.n);
}

const struct doctor_check check_database_rights = {
	"database-rights", "the account may do all that the programs do, and all tables are there", HAS_SCHEMA, 0, look_rights
};

static void look_excess_rights(struct doctor *d)
{
	struct err e = { 0 };
	struct str rights;

	if (!server_excess_rights(d->db, d->a, &rights, &e))
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
	else if (rights.n)
		say(d, DOCTOR_WARN, how(d, "REVOKE them; let another account migrate (grapnelctl -c FILE migrate)"), "%.*s may also %.*s%s",
			STR_ARG(d->server.account), STR_ARG(str_cut(rights, 200)), rights.n > 200 ? "..." : "");
	else
		say(d, DOCTOR_OK, NULL, "none");
}

const struct doctor_check check_database_excess_rights = {
	"database-excess-rights", "rights of the account that the programs never need", HAS_DB, 0, look_excess_rights
};
