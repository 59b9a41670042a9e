/* db_int.h - inside of src/db: the connection's state and the steps that its files share.
 *
 * connection.c opens, closes and judges, with patience.c; statement.c prepares, binds and runs; rows.c turns a
 * stored result into structs; bulk.c turns rows of values into columns; tx.c knows whether a
 * transaction is open. */
#ifndef GRAPNEL_DB_INT_H
#define GRAPNEL_DB_INT_H

#include "grapnel/db.h"

#include <sys/socket.h>

#include <mysql.h>
#undef FIELD_TYPE_TIME		/* an old name of MYSQL_TYPE_TIME; here it is that of base.h */

/* Memory that a connection keeps for the hot path: it grows and is used again, so that no row costs
 * a malloc. */
struct scratch {
	void *p;
	size_t cap;
};

/* One column of a result and where it goes. */
struct column {
	enum field_type type;
	size_t offset;		/* in the caller's struct */
	union {
		uint64_t u;
		int64_t i;
		double d;
	} cell; /* the library writes here; texts are fetched straight into the arena */
	unsigned long length;
	my_bool is_null, error;
};

struct prepared {
	const struct stmt *stmt;	/* the key; NULL for a text of the moment */
	MYSQL_STMT *st;
	unsigned params;
	const struct field *fields;	/* what `columns` was made for */
	unsigned column_n;
	struct column *columns;
	MYSQL_BIND *binds;		/* one per column */
};

/* An open transaction that the server has given up (deadlock) or that went with its connection is
 * BROKEN: nothing runs until the caller has rolled it back, else its remaining statements would
 * commit one by one. */
enum tx_state { TX_NONE, TX_OPEN, TX_BROKEN };

/* What is known of a server that did not answer. */
struct patience {
	struct sockaddr_storage peer;	/* where it is asked whether it lives */
	socklen_t peer_n;		/* 0: not known */
	bool silent;
	int fd;				/* where its greeting is waited for; -1 = nowhere */
	int64_t asked_us, anyway_us;	/* when; after which an attempt is due that may block */
};

struct db {
	struct db_config conf;		/* texts are copies */
	MYSQL *my;			/* NULL: not connected */
	uint64_t connects;
	size_t packet_max;		/* max_allowed_packet of the server */
	enum tx_state tx;
	bool chained;			/* COMMIT AND CHAIN has begun the next transaction already */
	enum db_trouble trouble, tx_trouble;	/* of the last call; what broke the transaction */
	unsigned err_no;
	uint64_t insert_id;
	bool pinned; /* a migration: no time-out on answers, no second connection behind its back */
	struct prepared *cache;		/* open addressing by the address of the struct stmt */
	size_t cache_n, cache_cap;	/* cap is a power of two */
	struct scratch binds, columns;
	struct patience patience;
};

/* ---- connection.c ---- */
bool conn_open(struct db *db, struct err *e) MUST_USE;
/* Ready to run a statement: connected, and no broken transaction. */
bool conn_ready(struct db *db, const char *name, struct err *e) MUST_USE;
/* As conn_ready where no transaction is open; one that COMMIT AND CHAIN has begun stays. */
bool conn_ready_to_begin(struct db *db, struct err *e) MUST_USE;
void conn_close(struct db *db);
/* Notes what the server or the library said of `name`, and draws the consequences for connection
 * and transaction. Always false. */
bool conn_failed(struct db *db, const char *name, unsigned err_no, const char *text, struct err *e);
/* A text without values and without result rows of interest. No second try. */
bool conn_query(struct db *db, const char *name, struct str sql, struct err *e) MUST_USE;
void *scratch_get(struct scratch *s, size_t n);

/* ---- patience.c ---- */
/* poll(2) for the library, but it ends early with a server that does not live: see there. */
int patience_wait(my_socket fd, my_bool is_read, int timeout_ms);
void patience_init(struct patience *p, const char *socket_path);	/* NULL: TCP */
void patience_release(struct patience *p);
void patience_connected(struct patience *p, int fd);
void patience_failed(struct patience *p, int64_t took_us);	/* an attempt to connect, which took so long */
void patience_lost(struct patience *p);		/* a connection; was that patience_wait's judgement? */
bool patience_allows(struct patience *p);	/* false: an attempt to connect would only be waiting */

/* ---- trouble.c: pure ---- */
/* What an error number of the server or the client library asks for; *code is the class for the
 * answer. */
enum db_trouble trouble_of(unsigned err_no, enum err_code *code);

/* ---- statement.c ---- */
/* `rows` 0: one row of values, `vals` in order. Else `binds` stand for arrays of that many rows. */
struct params {
	const struct val *vals;
	size_t n;
	MYSQL_BIND *binds;
	unsigned rows;
};
/* Prepares if need be, binds, executes and stores the result. Outside a transaction a lost
 * connection is opened once more and the statement runs again if it only reads or has surely not
 * run; else the error is ERR_UNKNOWN. */
bool statement_run(struct db *db, const struct stmt *s, const struct params *in,
	struct prepared **p_r, struct err *e) MUST_USE;
void statements_forget(struct db *db);	/* the connection is about to go */
#define PACKET_ROOM 64		/* header, statement id, flags of an execute packet, rounded up */
size_t val_bytes(const struct val *v);	/* at most, inside a packet */

/* ---- rows.c ---- */
/* Reads all stored rows, at most `max` of them, into out[], and frees the result. */
bool rows_read(struct db *db, const char *name, struct prepared *p, struct arena *a,
	const struct field *fields, size_t size, void *out, size_t max, struct err *e) MUST_USE;
void prepared_release(struct prepared *p);

/* ---- migrate_split.c: pure ---- */
/* Eats the next statement of a migration file from *rest, comments before it included, without its
 * ';'. 1 found, 0 at the end, -1 when the text ends inside a quote, a comment or a statement. */
int migrate_next(struct str *rest, struct str *statement);

#endif
