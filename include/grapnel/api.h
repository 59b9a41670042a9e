/* api.h - the JSON API for programs, and what machines ask about us: /healthz, /readyz, /metrics.
 *
 * One request in, one answer out, nothing kept in between. The route table carries what each route
 * needs; all gates stand in one function before the handler (src/api/api.c). Handlers are a file
 * per resource: read the form, call store or view, reply. */
#ifndef GRAPNEL_API_H
#define GRAPNEL_API_H

#include "grapnel/base.h"
#include "grapnel/conf.h"
#include "grapnel/crypto.h"
#include "grapnel/db.h"
#include "grapnel/http.h"
#include "grapnel/shm.h"

/* Of a request: the largest form, an integration with all its settings, is below 128 KiB */
#define API_BODY_MAX (256 * 1024)
/* Requests of one token; also of one address without a token */
#define API_PER_MINUTE 600
#define API_BULK_PER_MINUTE 60		/* routes with NEED_BULK have a bucket of their own */

struct ingest;
struct api_config {
	struct db *db;
	struct shm *shm;
	const struct seal_key *seal;
	const struct conf *conf;	/* public_url, metrics, worker numbers, rate limit switch */
	struct id_maker *ids;
	struct ingest *ingest;		/* for test webhooks */
	const char *version;
};

struct api;
/* Copies the struct; what it points to must outlive it */
struct api *api_new(const struct api_config *c);
void api_free(struct api *api);

/* Is this path the API's, whether a route has it or not? All others are pages. */
bool api_path(struct str path);
/* Fills rq->response. Paths that no route knows are answered 404. */
void api_handle(struct api *api, struct request *rq, ms_t now);

/* The API as OpenAPI 3.1, of the route table, the field tables and the providers. */
struct str api_document(struct arena *a, const char *version, const char *public_url);

/* All routes; `needs` is made by NEED of account.h, maybe with NEED_BULK, or is NEED_SCRAPER. Ends with { 0 }. */
extern const struct route api_routes[];
#define NEED_BULK (1u << 29)		/* costs as much as a hundred others */
#define NEED_SCRAPER (1u << 31)		/* the metrics token, or an address of [metrics] allow */
#define NEED_CRON (1u << 30)		/* the token of [cron] */

#endif
