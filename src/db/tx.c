/* tx.c - transactions, and running them again.
 *
 * A deadlock has rolled back everything on the server, and a lost connection has too, as long as
 * COMMIT was not sent: the function given to db_tx simply runs again. After a COMMIT without an
 * answer nobody knows, and only the caller can find out (by the ids it made). */
#include <errmsg.h>
#include <time.h>

#include "grapnel/crypto.h"
#include "src/db/db_int.h"

#define CONFLICT_TRIES 3	/* 6-quality.md, rule 6: "again, three times with jitter" */
#define JITTER_MS                                                                                  \
	20 /* about the length of a transaction that was in the way; grows with each try */

bool db_begin(struct db *db, struct err *e)
{
	if (db->tx != TX_NONE)
		return err_set(e, ERR_BUG, "begin: a transaction is open already");
	for (unsigned tries = 0;; tries++) {
		if (!conn_ready_to_begin(db, e))
			return false;
		if (db->chained || conn_query(db, "begin", STR("START TRANSACTION"), e))
			break;
		if (tries || db->trouble != DB_LOST || db->pinned)
			return false;
		*e = (struct err){ 0 };
	}
	db->chained = false;
	db->tx = TX_OPEN;
	return true;
}

/* Number 2006 says that COMMIT did not leave this machine whole: nothing was written. */
static bool commit(struct db *db, struct str sql, struct err *e)
{
	bool sent = db->tx == TX_OPEN;

	if (db->tx == TX_NONE)
		return err_set(e, ERR_BUG, "commit: no transaction is open");
	if (conn_ready(db, "commit", e) && conn_query(db, "commit", sql, e)) {
		db->tx = TX_NONE;
		return true;
	}
	if (sent && db->trouble == DB_LOST && db->err_no != CR_SERVER_GONE_ERROR)
		e->code = ERR_UNKNOWN;
	db_rollback(db);
	return false;
}

bool db_commit(struct db *db, struct err *e)
{
	return commit(db, STR("COMMIT"), e);
}

bool db_commit_and_begin(struct db *db, struct err *e)
{
	if (!commit(db, STR("COMMIT AND CHAIN"), e))
		return false;
	db->chained = true;
	return true;
}

bool db_in_tx(const struct db *db)
{
	return db->tx != TX_NONE;
}

/* Leaves db_trouble and db_errno as they are: the caller still wants to know why. */
void db_rollback(struct db *db)
{
	if (db->tx != TX_NONE && db->my && mysql_query(db->my, "ROLLBACK"))
		conn_close(db);	/* the server rolls back what has no connection */
	db->tx = TX_NONE;
}

static void wait_with_jitter(unsigned tries)
{
	uint32_t r;
	struct timespec t = { 0 };

	random_bytes(&r, sizeof(r));
	t.tv_nsec = (long)(r % (JITTER_MS * 1000000u) + 1) * tries;
	nanosleep(&t, NULL);
}

/* One go. *again says that nothing was written and the reason may be gone next time. */
static bool tx_once(struct db *db, bool (*fn)(struct db *db, void *ctx, struct err *e), void *ctx,
	bool *again, struct err *e)
{
	bool ok;

	*again = false;
	if (!db_begin(db, e))
		return false;
	ok = fn(db, ctx, e);
	if (ok)
		ok = db_commit(db, e);
	else
		db_rollback(db);
	*again = !ok && e->code != ERR_UNKNOWN;
	return ok;
}

bool db_tx(struct db *db, bool (*fn)(struct db *db, void *ctx, struct err *e), void *ctx,
	struct err *e)
{
	unsigned conflicts = 0, losses = 0;

	if (db_in_tx(db))
		return fn(db, ctx, e);	/* a step of that one, which ends with it or is rolled back with it */
	for (;;) {
		bool again;

		if (tx_once(db, fn, ctx, &again, e))
			return true;
		if (again && db->trouble == DB_CONFLICT && conflicts < CONFLICT_TRIES)
			wait_with_jitter(++conflicts);
		else if (!again || db->trouble != DB_LOST || losses++)
			return false;
		*e = (struct err){ 0 };
	}
}
