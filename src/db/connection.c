/* connection.c - opening and closing the connection, and judging what went wrong on it.
 *
 * A connect costs the handshake and two round trips: all session settings go in one statement, and
 * the server's packet limit is read once. The library never reconnects by itself, since that would
 * lose the settings, the prepared statements and, in silence, the transaction. Before each
 * statement outside a transaction the socket is asked whether the server has hung up meanwhile (an
 * idle time-out, a restart): that costs half a microsecond and turns most lost connections into a
 * plain reconnect, with no statement whose fate is unknown. */
#include <errno.h>
#include <sys/socket.h>

#include <errmsg.h>

#include "grapnel/crypto.h"
#include "src/db/db_int.h"

/* tx_isolation is the name that every MariaDB from 10.5 to 11.8 knows. */
static const char session_settings[] =
	"SET SESSION tx_isolation='READ-COMMITTED', "
	"sql_mode='STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
	" time_zone='+00:00', innodb_lock_wait_timeout=5, autocommit=1";

#define PACKET_KEPT_MAX (4u << 20)	/* most bodies end at 1 MiB, and a batch with its headers fits */
#define PACKET_MAX_LEAST 1024	/* the smallest max_allowed_packet a server takes */

static char *copy(const char *s)
{
	size_t n = s ? strlen(s) : 0;
	char *p;

	if (!n)
		return NULL;
	p = xmalloc(n + 1);
	memcpy(p, s, n + 1);
	return p;
}

struct db *db_new(const struct db_config *c)
{
	struct db *db = xcalloc(1, sizeof(*db));

	db->conf = *c;
	db->conf.socket = copy(c->socket);
	db->conf.host = copy(c->host);
	db->conf.user = copy(c->user);
	db->conf.password = copy(c->password);
	db->conf.name = copy(c->name);
	db->conf.tls = copy(c->tls);
	db->conf.tls_ca = copy(c->tls_ca);
	patience_init(&db->patience, db->conf.socket);
	return db;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	conn_close(db);
	patience_release(&db->patience);
	if (db->conf.password)
		secret_wipe((char *)db->conf.password, strlen(db->conf.password));
	free((char *)db->conf.socket);
	free((char *)db->conf.host);
	free((char *)db->conf.user);
	free((char *)db->conf.password);
	free((char *)db->conf.name);
	free((char *)db->conf.tls);
	free((char *)db->conf.tls_ca);
	free(db->cache);
	free(db->binds.p);
	free(db->columns.p);
	free(db);
}

void conn_close(struct db *db)
{
	if (!db->my)
		return;
	patience_lost(&db->patience);
	statements_forget(db);
	mysql_close(db->my);
	db->my = NULL;
	db->chained = false;
}

/* The library counts in seconds; a part of one is a whole one. 0 = no limit. */
static void set_timeout(MYSQL *my, enum mysql_option option, unsigned ms)
{
	unsigned seconds = (ms + MS_PER_SECOND - 1) / MS_PER_SECOND;

	if (ms)
		mysql_options(my, option, &seconds);
}

static bool tls_is(const struct db *db, const char *word)
{
	return str_eqs(str_of(db->conf.tls), word);
}

static void set_options(struct db *db, MYSQL *my)
{
	const my_bool off = 0, on = 1;
	const unsigned no_infile = 0, tcp = MYSQL_PROTOCOL_TCP;

	set_timeout(my, MYSQL_OPT_CONNECT_TIMEOUT, db->conf.connect_timeout_ms);
	if (!db->pinned) {
		set_timeout(my, MYSQL_OPT_READ_TIMEOUT, db->conf.read_timeout_ms);
		set_timeout(my, MYSQL_OPT_WRITE_TIMEOUT, db->conf.read_timeout_ms);
		mysql_options(my, MARIADB_OPT_IO_WAIT, patience_wait);
	}
	if (!db->conf.socket)	/* else "localhost" would mean a socket of the library's choice */
		mysql_options(my, MYSQL_OPT_PROTOCOL, &tcp);
	mysql_options(my, MYSQL_OPT_RECONNECT, &off);
	mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &no_infile);
	/* rows.c looks at each column itself: a text is longer than the nothing it is bound to */
	mysql_options(my, MYSQL_REPORT_DATA_TRUNCATION, &off);
	mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(my, MYSQL_INIT_COMMAND, session_settings);
	if (tls_is(db, "preferred") || tls_is(db, "required"))
		mysql_options(my, MYSQL_OPT_SSL_ENFORCE, &on);
	if (db->conf.tls_ca) {
		mysql_options(my, MYSQL_OPT_SSL_CA, db->conf.tls_ca);
		if (tls_is(db, "required"))
			mysql_options(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
	}
}

static bool read_packet_max(struct db *db, MYSQL *my)
{
	MYSQL_RES *res = NULL;
	MYSQL_ROW row;
	uint64_t n;

	if (mysql_query(my, "SELECT @@max_allowed_packet"))
		return false;
	res = mysql_store_result(my);
	row = res ? mysql_fetch_row(res) : NULL;
	if (row && row[0] && str_u64(str_of(row[0]), &n))
		db->packet_max = n < PACKET_MAX_LEAST ? PACKET_MAX_LEAST : n;
	if (res)
		mysql_free_result(res);
	return row != NULL;
}

/* Every failure to connect counts as "lost": there is no connection, and later there may be one. */
static bool connect_failed(struct db *db, MYSQL *my, int64_t began_us, struct err *e)
{
	patience_failed(&db->patience, clock_mono_us() - began_us);
	db->trouble = DB_LOST;
	db->err_no = mysql_errno(my);
	err_set(e, ERR_DOWN, "connect: %u: %s", db->err_no, mysql_error(my));
	mysql_close(my);
	return false;
}

bool conn_open(struct db *db, struct err *e)
{
	static bool library_ready;	/* the library's own state is the process's */
	int64_t began_us = clock_mono_us();
	MYSQL *my;

	if (!patience_allows(&db->patience)) {
		db->trouble = DB_LOST;
		db->err_no = CR_CONNECTION_ERROR;
		return err_set(e, ERR_DOWN, "connect: the server does not answer");
	}
	if (!library_ready && mysql_library_init(0, NULL, NULL))
		die("the MariaDB client library does not start");
	library_ready = true;
	my = mysql_init(NULL);
	if (!my)
		die("out of memory");
	set_options(db, my);
	if (!mysql_real_connect(my, db->conf.host, db->conf.user, db->conf.password, db->conf.name,
		    db->conf.port, db->conf.socket, CLIENT_FOUND_ROWS))
		return connect_failed(db, my, began_us, e);
	if (my->passwd)		/* the library's copy, kept for a reconnect that we forbid */
		secret_wipe(my->passwd, strlen(my->passwd));
	if (!read_packet_max(db, my))
		return connect_failed(db, my, began_us, e);
	if (tls_is(db, "required") && !mysql_get_ssl_cipher(my)) {
		mysql_close(my);
		db->trouble = DB_LOST;
		db->err_no = CR_SSL_CONNECTION_ERROR;
		return err_set(
			e, ERR_DOWN, "connect: TLS is required, but the server does not offer it");
	}
	patience_connected(&db->patience, mysql_get_socket(my));
	db->my = my;
	db->connects++;
	return true;
}

/* An idle MariaDB sends nothing: end of file, an error, or bytes mean that it has closed. Under TLS
 * bytes may be a session ticket. */
static bool peer_has_gone(const struct db *db)
{
	char c;
	ssize_t n = recv(mysql_get_socket(db->my), &c, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
	return n == 0 || !mysql_get_ssl_cipher(db->my);
}

/* The library keeps the largest packet it ever sent or got; after a body of 25 MB that is 25 MB for good. */
static bool is_swollen(const struct db *db)
{
	return db->my->net.max_packet > PACKET_KEPT_MAX;
}

/* What runs outside of transactions must not become part of the one that was begun ahead. */
static void unchain(struct db *db)
{
	db->chained = false;
	if (mysql_query(db->my, "COMMIT"))
		conn_close(db);
}

static bool ready(struct db *db, const char *name, bool to_begin, struct err *e)
{
	if (db->tx == TX_BROKEN) {
		db->trouble = db->tx_trouble;
		return err_set(e, ERR_DOWN, "%s: the transaction is broken since error %u", name,
			db->err_no);
	}
	if (db->my && db->tx == TX_NONE && !db->pinned && (is_swollen(db) || peer_has_gone(db)))
		conn_close(db);
	if (db->my && db->chained && db->tx == TX_NONE && !to_begin)
		unchain(db);
	if (db->my)
		return true;
	if (db->pinned) {
		db->trouble = DB_LOST;
		return err_set(e, ERR_DOWN, "%s: the connection was lost", name);
	}
	return conn_open(db, e);
}

bool conn_ready(struct db *db, const char *name, struct err *e)
{
	return ready(db, name, false, e);
}

bool conn_ready_to_begin(struct db *db, struct err *e)
{
	return ready(db, "begin", true, e);
}

bool db_connect(struct db *db, struct err *e)
{
	if (!conn_ready(db, "connect", e))
		return false;
	db->trouble = DB_FINE;
	return true;
}

bool db_is_connected(const struct db *db)
{
	return db->my != NULL;
}

bool db_is_silent(const struct db *db)
{
	return !db->my && db->patience.silent;
}

void db_doubt(struct db *db)
{
	if (!db->my || db->tx != TX_NONE || db->pinned)
		return;
	conn_close(db);
	patience_failed(&db->patience, 0);
}

uint64_t db_connects(const struct db *db)
{
	return db->connects;
}

enum db_trouble db_trouble(const struct db *db)
{
	return db->trouble;
}

unsigned db_errno(const struct db *db)
{
	return db->err_no;
}

uint64_t db_insert_id(const struct db *db)
{
	return db->insert_id;
}

bool conn_failed(struct db *db, const char *name, unsigned err_no, const char *text, struct err *e)
{
	enum err_code code;

	db->trouble = trouble_of(err_no, &code);
	db->err_no = err_no;
	/* before the close: `text` may belong to the handle */
	err_set(e, code, "%s: %u: %s", name, err_no, text);
	if (db->tx != TX_NONE && (db->trouble == DB_LOST || db->trouble == DB_CONFLICT)) {
		db->tx = TX_BROKEN;
		db->tx_trouble = db->trouble;
	}
	if (db->trouble == DB_LOST)
		conn_close(db);
	return false;
}

bool conn_query(struct db *db, const char *name, struct str sql, struct err *e)
{
	MYSQL_RES *res;

	if (mysql_real_query(db->my, sql.p, sql.n))
		return conn_failed(db, name, mysql_errno(db->my), mysql_error(db->my), e);
	res = mysql_store_result(db->my);
	if (res)
		mysql_free_result(res);
	else if (mysql_errno(db->my))
		return conn_failed(db, name, mysql_errno(db->my), mysql_error(db->my), e);
	db->trouble = DB_FINE;
	return true;
}

void *scratch_get(struct scratch *s, size_t n)
{
	if (n > s->cap) {
		free(s->p);	/* its old content is of no use to anyone */
		s->cap = n + n / 2;
		s->p = xmalloc(s->cap);
	}
	return s->p;
}
