/* notify_int.h - one entry of a timeline, and those who may want to know of it. */
#ifndef NOTIFY_INT_H
#define NOTIFY_INT_H

#include "grapnel/notify.h"
#include "grapnel/store.h"
#include "grapnel/view.h"

#define NOTIFY_ARENA_MAX ((size_t)64 << 20)	/* of a transaction: each with the incident as JSON, and a payload for each channel */

struct hearing {
	struct db *db;
	struct arena *a;
	struct id_maker *ids;
	ms_t now;
	const struct news_view *news;
	const struct incident_view *incident;
	const char *type;		/* "incident.opened" */
	struct str data;		/* the incident as the API has it, and "entry" */
	bool quiet;			/* nobody is to be woken: a listener before has said so */
	struct hush_memory *hushes;	/* of the transaction */
};

/* Who may want to know of these, which are in their order. How to add: a file whose foot is one of these functions, and a line in `listeners` of notify.c.
 * Each runs inside the transaction, which may be run again; adds to *told how many rows of the outbox it wrote. False: the database failed. */
typedef bool listener(struct hearing *list, size_t n, size_t *told, struct err *e);
listener hush_hear;		/* the first: it says whether it is quiet */
listener channels_hear;
listener endpoints_hear;
listener escalation_hear;

/* Takes steps of escalation policies that are due, some hundred; adds how many were told, and how many steps these are. */
bool escalation_steps(struct db *db, struct id_maker *ids, ms_t now, uint64_t *told, uint64_t *taken, struct err *e) MUST_USE;

/* The incident as the API has it, and "entry". */
struct str notify_json(struct arena *a, const struct incident_view *incident, const struct timeline_view *entry);

#endif
