/* dash.h - the dashboard: pages for people, complete without JavaScript.
 *
 * One route table with what each page needs; all gates (session, role, CSRF) stand in one function before the handler
 * (src/dash/dash.c). A page is a template over the views that the API answers with. Handlers are a file per subject: read
 * the form, call a resource's act, then redirect, or fill the page's struct and render. */
#ifndef GRAPNEL_DASH_H
#define GRAPNEL_DASH_H

#include "grapnel/conf.h"
#include "grapnel/crypto.h"
#include "grapnel/db.h"
#include "grapnel/http.h"
#include "grapnel/shm.h"

struct ingest;

struct dash_config {
	struct db *db;
	struct shm *shm;
	const struct seal_key *seal;
	const struct conf *conf;
	struct id_maker *ids;
	struct ingest *ingest;
	const char *version;
};

struct dash;
struct dash *dash_new(const struct dash_config *c);	/* copies the struct; what it points to must outlive it */
void dash_free(struct dash *d);
/* Fills rq->response. Unknown paths are a 404 page. */
void dash_handle(struct dash *d, struct request *rq, ms_t now);

/* All routes; `needs` is a role, NEED_OPEN, or NEED_GUEST. Ends with { 0 }. */
extern const struct route dash_routes[];

#endif
