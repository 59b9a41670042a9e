/* later.h - senders that are answered after their handler: what a web worker does with the note of an ingest worker (later_note.h). */
#ifndef LATER_H
#define LATER_H

#include "grapnel/conf.h"
#include "grapnel/forward.h"
#include "grapnel/http.h"
#include "grapnel/ingest.h"

struct later_config {
	const struct conf *conf;
	struct db *db;
	struct shm *shm;
	const struct seal_key *seal;
	struct id_maker *ids;
	struct spans *spans;	/* or NULL */
};

struct later;
struct later *later_new(const struct later_config *c);
void later_free(struct later *l);
/* Half of the web workers may wait at once. */
unsigned later_waiting_max(const struct conf *c);
ms_t later_waiting_ms(const struct conf *c);

/* Carries out what rq->note says, waiting for the handler, and answers. */
void later_answer(struct later *l, struct request *rq);

#endif
