/* spool_int.h - what writer and reader share: the frame around a record, and the names of files.
 *
 * A file is
 *	16 bytes "grapnel-spool 1\n", 8 random bytes: its id
 *	frames: 4 bytes "\xfeGr\n", 4 CRC-32 of what follows, 4 number in its file, 4 length, 8 time of receipt, then so many
 *	bytes: the record, sealed under the context "spool:<id in hex>:<number>"
 * Numbers are little-endian. A frame is whole where magic, length and CRC agree; behind damage the reader goes on with the next whole one. */
#ifndef SPOOL_INT_H
#define SPOOL_INT_H

#include "grapnel/spool.h"

#define SPOOL_ID 8
#define SPOOL_HEAD (16 + SPOOL_ID)
#define SPOOL_FRAME_HEAD 24

#define SPOOL_NAME_MAX 64
#define SPOOL_OPEN ".open"
#define SPOOL_CLOSED ".spool"
#define SPOOL_BAD "bad"
#define SPOOL_LOCK "lock"
#define SPOOL_FILE_BYTES (4u << 20)	/* a file is closed when it has so many: a reader has it in memory, for each writer one */
#define SPOOL_FILE_MAX (SPOOL_FILE_BYTES + SPOOL_RECORD_MAX + SPOOL_RECORD_MAX)	/* and the batch that went over it */

/* ---- record.c ---- */
void put_number(unsigned char *to, uint64_t v, unsigned bytes);
uint64_t get_number(const char *from, unsigned bytes);

/* ---- frame.c ---- */

void frame_file_begin(unsigned char head[SPOOL_HEAD]);	/* with a new id */
/* Appends a record as a frame: `id` and `number` of its file. */
void frame_add(struct strbuf *b, const struct seal_key *k, const char *id, uint32_t number, const struct spool_record *r);

struct frame {
	uint32_t number;
	uint64_t received_us;
	struct str sealed;
};

struct frames {			/* a walk through a file's bytes */
	struct str rest;
	const char *id;		/* SPOOL_ID bytes; NULL: not one of our files */
	bool damaged;		/* there was something that is no whole frame */
};
void frames_begin(struct frames *f, struct str file);
bool frames_next(struct frames *f, struct frame *out);	/* false: there are no more */
bool frame_open(struct arena *a, const struct seal_key *k, const struct frames *f, const struct frame *frame, struct spool_record *out,
	struct err *e) MUST_USE;

/* ---- write.c ---- */

struct spool {
	struct spool_config c;	/* the directory is a copy */
	int dir_fd;		/* -1: not yet */
	/* the open file */
	int fd;			/* -1: none */
	char name[SPOOL_NAME_MAX];
	unsigned char head[SPOOL_HEAD];
	uint32_t records;
	uint64_t bytes;
	ms_t opened_at;
	/* all files */
	uint64_t sum;
	int64_t summed_us;	/* 0: not yet */
};

/* ---- folder.c ---- */

int folder_open(const char *directory, bool make, struct err *e);	/* -1 failed */
bool folder_give(int dir_fd, int fd, struct err *e) MUST_USE;	/* makes its owner that of the directory */
/* A name is the time when its file was begun, in 13 digits, and what makes it unique: they sort by age. */
bool name_ends(const char *name, const char *ending);
ms_t name_time(const char *name);
bool name_change(int dir_fd, const char *name, const char *ending, struct err *e) MUST_USE;	/* of the file, to another ending */
/* Names with that ending, oldest first. */
bool folder_names(int dir_fd, const char *ending, struct arena *a, const char ***out, size_t *n, struct err *e) MUST_USE;
/* The whole file, to be freed. ERR_LIMIT: none of ours is so large. */
bool folder_read(int dir_fd, const char *name, struct str *out, struct err *e) MUST_USE;
/* How many such files, and their bytes. */
struct folder_sum {
	uint64_t files, bytes;
	ms_t first_at, last_at;		/* the oldest name's time; the newest write */
};
void folder_add(int dir_fd, const char *ending, struct folder_sum *sum);

#endif
