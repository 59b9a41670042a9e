/* api_int.h - what gates, handlers and the route table share. */
#ifndef GRAPNEL_API_INT_H
#define GRAPNEL_API_INT_H

#include "grapnel/account.h"
#include "grapnel/api.h"
#include "grapnel/form.h"
#include "grapnel/resource.h"
#include "grapnel/view.h"

struct api {
	struct api_config c;
};

/* One request on its way through a handler. */
struct call {
	struct api *api;
	struct request *rq;
	struct arena *a;		/* of the request */
	struct route_match match;
	struct caller by;
};

/* ---- reply.c ---- */

/* The largest body that is stored, 25 MiB, as base64 or with escapes, and some more. */
#define REPLY_MAX (80u << 20)

struct reply {
	struct strbuf b;
	struct json_out o;
};
void reply_begin(struct call *c, struct reply *r);	/* opens the object */
void reply_end(struct call *c, struct reply *r, unsigned status);
void reply_fields(struct call *c, unsigned status, const struct field *fields, const void *obj);
/* {"<plural>": [...], "next": cursor or null} */
void reply_list(struct call *c, const char *plural, const struct field *fields, const void *rows,
	size_t size, size_t n, uint64_t next);
/* Members of a list of structs, as a member of the open object. */
void reply_rows(struct reply *r, const char *name, const struct field *fields, const void *rows,
	size_t size, size_t n);

/* All return false. */
bool reply_refuse(struct call *c, unsigned status, const char *code, const char *message,
	const char *field);
bool reply_not_found(struct call *c);
/* From an error of store, view or form: the sentence of a field to blame, else that of the code;
 * logged where we are to blame. */
bool reply_err(struct call *c, const struct err *e);

/* ---- input.c: path, query and body; each answers a refusal itself and returns false ---- */

bool input_id(struct call *c, size_t param, uint64_t *id);	/* decimal; else 404 */
/* An integration of the call's tenant; else 404. */
bool input_source(struct call *c, size_t param, struct source *out);
bool input_query(struct call *c, const struct form_field *fields, void *out);
/* The body as a JSON object; an empty body is an empty object where `optional`. */
bool input_body(struct call *c, bool optional, const struct json **object);
bool input_form(struct call *c, const struct form_field *fields, bool optional,
	void *out);
bool input_one_tenant(struct call *c);	/* tenant=all serves lists of events and incidents only */

/* ---- handlers ---- */

void api_integration_list(void *call);
void api_integration_create(void *call);
void api_integration_get(void *call);
void api_integration_update(void *call);
void api_integration_delete(void *call);
void api_delivery_list(void *call);
void api_event_list(void *call);
void api_event_get(void *call);
void api_incident_list(void *call);
void api_incident_get(void *call);
void api_incident_acknowledge(void *call);
void api_incident_resolve(void *call);
void api_healthz(void *call);
void api_readyz(void *call);
void api_metrics(void *call);

#endif
