/* spool.h - requests that were acknowledged while the database was away: in files of this host, until they are replayed.
 *
 * Each process appends to a file of its own, DIRECTORY/<ms>-<pid>-<n>.open, and holds it locked. Closed, it is called .spool; so is
 * one whose owner died, by whoever finds its lock free. One process at a time replays: it holds DIRECTORY/lock, a lease that ends
 * with it. It takes all records in the order of their receipt, to the microsecond, whatever files they stand in; a file goes when all of its records are
 * stored, and one that could not be read or stored as a whole moves to DIRECTORY/bad, under its name: moved back it is tried again.
 *
 * A record is on disk when spool_add has returned. It is sealed as secrets are, since it holds headers and body as they came; its
 * checksum tells damage from a wrong key. Knows nothing of webhooks but this record, and logs nothing. */
#ifndef GRAPNEL_SPOOL_H
#define GRAPNEL_SPOOL_H

#include "grapnel/base.h"
#include "grapnel/crypto.h"

#define SPOOL_RECORD_MAX (64u << 20)	/* the largest body is 25 MiB, headers are a part of a MiB */

/* A request that was accepted and proven. */
struct spool_record {
	uint64_t request;		/* number that it was given; never 0 */
	ms_t received_at;
	uint64_t received_us;		/* the same to the microsecond, since 1970: the order of replay */
	uint64_t status, took_us;	/* what its sender was told, after how long */
	struct str source;		/* public id */
	struct str method, uri, content_type, body;	/* as in struct inbound */
	struct str remote_addr, trace, traceparent;
	struct str proof;		/* how it was proven: proof_note_text */
	const struct header *headers;
	size_t header_n;
	const uint64_t *events;		/* numbers that its events were given, in their order */
	size_t event_n;
	size_t file;			/* the reader's own */
};

/* ---- record.c: one record as bytes ---- */
struct str spool_encode(struct arena *a, const struct spool_record *r);
/* The texts point into `bytes`. ERR_INVALID: these are no record. */
bool spool_decode(struct arena *a, struct str bytes, struct spool_record *out, struct err *e) MUST_USE;

/* ---- write.c: a process and its file ---- */

struct spool;
struct spool_config {
	const char *directory;		/* made where it is not there; 0700 */
	uint64_t max_bytes;		/* of all its files, but for those in bad */
	const struct seal_key *seal;
};
struct spool *spool_new(const struct spool_config *c);	/* touches nothing yet */
void spool_free(struct spool *s);			/* closes its file; NULL is fine */
/* Is there a directory that this process can write to? Makes it. */
bool spool_ready(struct spool *s, struct err *e) MUST_USE;
/* All of them with one fsync, or none. ERR_LIMIT: full; ERR_DOWN: it cannot be written. */
bool spool_add(struct spool *s, struct arena *a, const struct spool_record *records, size_t n, ms_t now, struct err *e) MUST_USE;
void spool_close(struct spool *s);			/* its file, if there is one: it may be replayed */
void spool_close_old(struct spool *s, ms_t now);	/* the same after a minute, so that no file holds back what is in it */

/* ---- read.c: whoever replays ---- */

struct spool_reader;
/* 1 it is ours, and there is something to replay; 0 nothing is there, or another process replays; -1 failed. */
int spool_reader_new(const struct spool *s, struct spool_reader **out, struct err *e) MUST_USE;
void spool_reader_free(struct spool_reader *r);	/* what was not settled is read again by the next; NULL is fine */
/* The oldest record that is left. 1; 0 there is none; -1 one that cannot be read: its file is marked for bad, and the next may be good. */
int spool_next(struct spool_reader *r, struct arena *a, struct spool_record *out, struct err *e) MUST_USE;
void spool_mark_bad(struct spool_reader *r, const struct spool_record *record);	/* it cannot be stored */
/* Tells that every record that was given is stored, or marked. A file without more records goes, or moves to bad: 1 one did, 0 none
 * is left, -1 one cannot: it stays for the next reader, and this one goes on with the others. */
struct spool_settled {
	const char *name;	/* until the next call */
	bool bad;
};
int spool_settle(struct spool_reader *r, struct spool_settled *out, struct err *e) MUST_USE;

/* ---- state.c: what is in it, for those who watch ---- */

struct spool_state {
	uint64_t files, bytes;		/* that wait to be replayed */
	ms_t oldest_at;			/* when the oldest of them was begun; 0 = none */
	uint64_t bad_files, bad_bytes;
	ms_t bad_at;			/* when the newest of them was last written to; 0 = none */
	bool writable;			/* by this process */
};
struct spool_state spool_state(const char *directory);	/* of a directory that is not there: zeros */

struct spool_file {
	struct str name, state;		/* open, closed, bad */
	ms_t oldest_at;			/* receipt of its first record; 0: it has none */
	uint64_t records, bytes;
	bool damaged;
};
extern const struct field spool_file_fields[];
/* Adds to counts[number] the records that are sealed with that key, those in bad too. */
bool spool_count_keys(const char *directory, uint64_t counts[SEAL_KEYS_MAX + 1], struct err *e) MUST_USE;
bool spool_list(const char *directory, struct arena *a, struct spool_file **out, size_t *n, struct err *e) MUST_USE;	/* bad, closed, open */

#endif
