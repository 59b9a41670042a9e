/* change_int.h - how things of the configuration are made, changed and removed: channels, services, schedules and their like.
 *
 * All of them go one way. A transaction locks the row, sees that it still is what the caller has read, writes it, and says in the audit log what was
 * before and what is after. So of two who change a thing at once the later one gets ERR_CONFLICT, without field or sentence, and reads it again. A file of
 * this folder brings what its kind of thing has of its own: a struct changeable. */
#ifndef CHANGE_INT_H
#define CHANGE_INT_H

#include "store_int.h"

struct change {
	const struct changeable *kind;
	struct arena *arena;
	void *to;			/* the thing as it is to be; where it is to go, what `lock` finds it by */
	const struct who *who;
	ms_t now;
	struct shm *shm;		/* where ingest caches such things; else NULL */
	void *own;			/* what the functions of its kind need, or leave there, beside that */
	/* For these functions: */
	const void *before;		/* the thing as it is, locked; NULL while it is made */
	ms_t changed_at;		/* its new updated_at: `now`, but later than the one before, also within a millisecond */
};

/* A step of the transaction, which may run several times: nothing in it is random. */
typedef bool change_step(struct db *db, const struct change *x, struct err *e);

struct changeable {
	const char *word;		/* of the audit log: "policy" for policy.create, policy.update, policy.delete */
	const char *prefix;		/* of its public ids */
	size_t size, public_id, created_at, updated_at;		/* CHANGEABLE(its struct) */
	const struct field *audited;	/* what the audit log says of it, */
	void (*audited_too)(struct json_out *o, const void *thing);	/* and what is no plain member. One of both may be NULL */
	int (*lock)(struct db *db, const struct change *x, void *before, struct err *e);	/* 1, 0, -1 */
	change_step *add;		/* sets the id of x->to */
	change_step *update, *remove;
};
#define CHANGEABLE(type) .size = sizeof(type), .public_id = offsetof(type, public_id), .created_at = offsetof(type, created_at), \
	.updated_at = offsetof(type, updated_at)

/* x->to gets a public id, unless it has one. For what needs it before change_add, which does it as well. */
void change_id(struct change *x);
bool change_add(struct db *db, struct change *x, struct err *e) MUST_USE;

/* 1 done, 0 there is none, -1. Where x->to says when it was changed last (updated_at), that must be so still. */
int change_update(struct db *db, struct change *x, struct err *e) MUST_USE;
int change_remove(struct db *db, struct change *x, struct err *e) MUST_USE;
/* The same with another act, which writes its own entry of the audit log. */
int change_by(struct db *db, struct change *x, change_step *act, struct err *e) MUST_USE;

/* An entry of the audit log, "policy." and the verb. before and after may be NULL. */
bool change_audit(struct db *db, const struct change *x, const char *verb, const void *before, const void *after, struct err *e) MUST_USE;

/* `count` has one column, id. ERR_CONFLICT with a sentence: there are `max` of them, "channels", already. */
bool room_check(struct db *db, struct arena *a, const struct stmt *count, const struct val *vals, size_t n, unsigned max, const char *what,
	struct err *e) MUST_USE;

#endif
