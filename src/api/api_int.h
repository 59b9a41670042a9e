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
	struct arena *kept;		/* for the document, which never changes */
	struct str document, document_etag;
};

/* Whose things a call is about: find_tenant reads it for all routes, so no route's table names it. */
#define TENANT_PARAMETER "tenant"

/* One request on its way through a handler. */
struct call {
	struct api *api;
	struct request *rq;
	struct arena *a;		/* of the request */
	struct route_match match;
	struct caller by;
};

/* ---- what the API document says of a route, beside its row: see routes.c ---- */

/* A field table and what it is called: "event_view_fields" is the schema Event. */
struct doc_fields {
	const char *name;
	const struct field *fields;
};

#define FIELDS(table) { #table, table }

enum part_type {
	PART_END = 0,
	PART_ONE,	/* an object of `fields` and `parts` */
	PART_MAYBE,	/* the same or null */
	PART_ROWS,	/* a list of such objects */
	PART_BY_NAME,	/* an object with such an object for each name */
	PART_TEXTS,	/* an object with a text for each name; the member may be left out */
	PART_COUNTS,	/* an object with a number for each name */
};

/* A member that is itself an object or a list. */
struct doc_part {
	const char *name;
	enum part_type type;
	struct doc_fields fields;
	const struct doc_part *parts;	/* ends with { 0 } */
	const char *help;
	bool maybe;			/* left out when nobody asked for it */
};

struct doc {
	const struct form_field *query;	/* parameters; NULL = none */
	const struct form_field *body;	/* members of the body; NULL = none is read */
	const char *body_name;
	unsigned status;		/* of success; 0 = 200 */
	unsigned or_status;		/* another one with the same members, or 0 */
	const struct doc *or_doc;	/* another success, with members of its own; NULL = none */
	const char *list;		/* answer {list: [objects of `fields`], "next"}, else one such object */
	struct doc_fields fields;	/* members of the answer; none with 204 */
	struct doc_fields also;		/* more of them, which no other route has */
	struct doc_fields maybe;	/* more, which are left out when there is nothing to say */
	const struct doc_part *parts;	/* more, beside a list: of the outer object */
	const char *media_type;		/* of an answer that is no JSON, else NULL */
};

/* What the row of this call says; handlers and document cannot differ: input_*, reply_list and reply_fields insist on it. */
static inline const struct doc *call_doc(const struct call *c)
{
	return c->match.route->doc;
}

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

/* Members of a struct, as a member of the open object; obj NULL: null. */
void reply_object(struct reply *r, const char *name, const struct field *fields, const void *obj);

/* {name: count...}, as a member of the open object. */
void reply_counts(struct reply *r, const char *name, const struct stats_count *counts, size_t n);

/* All return false. */
bool reply_refuse(struct call *c, unsigned status, const char *code, const char *message,
	const char *field);
bool reply_not_found(struct call *c);
/* From an error of store, view or form: the sentence of a field to blame, else that of the code;
 * logged where we are to blame. */
bool reply_err(struct call *c, const struct err *e);

/* Removes what the path names, which belongs to one tenant: 204, or the error. */
void reply_removed(struct call *c, bool (*remove_it)(const struct caller *by, struct str public_id, struct err *e));

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
void api_integration_received_secret(void *call);
void api_integration_rotate_key(void *call);
void api_integration_rotate_secret(void *call);
void api_integration_test(void *call);
void api_integration_health(void *call);
void api_delivery_list(void *call);
void api_overview(void *call);
void api_event_list(void *call);
void api_event_get(void *call);
void api_event_retry(void *call);
void api_event_replay(void *call);
void api_stats(void *call);
void api_request_list(void *call);
void api_request_get(void *call);
void api_alert_list(void *call);
void api_alert_rule_list(void *call);
void api_alert_rule_create(void *call);
void api_alert_rule_get(void *call);
void api_alert_rule_update(void *call);
void api_alert_rule_delete(void *call);
void api_alert_triggered(void *call);
void api_incident_list(void *call);
void api_incident_get(void *call);
void api_incident_acknowledge(void *call);
void api_incident_resolve(void *call);
void api_incident_reopen(void *call);
void api_incident_note(void *call);
void api_incident_assign(void *call);
void api_incident_snooze(void *call);
void api_incident_merge(void *call);
void api_incident_bulk(void *call);
void api_service_list(void *call);
void api_service_create(void *call);
void api_service_get(void *call);
void api_service_update(void *call);
void api_service_delete(void *call);
void api_contact_list(void *call);
void api_contact_create(void *call);
void api_contact_code(void *call);
void api_contact_verify(void *call);
void api_contact_delete(void *call);
void api_quiet_get(void *call);
void api_quiet_set(void *call);
extern const struct form_field quiet_query_fields[];
extern const struct field quiet_view_fields[];
void api_policy_list(void *call);
void api_policy_create(void *call);
void api_policy_get(void *call);
void api_policy_update(void *call);
void api_policy_delete(void *call);
void api_window_list(void *call);
void api_window_create(void *call);
void api_window_get(void *call);
void api_window_update(void *call);
void api_window_end(void *call);
void api_window_delete(void *call);
void api_silence_list(void *call);
void api_silence_create(void *call);
void api_silence_get(void *call);
void api_silence_update(void *call);
void api_silence_end(void *call);
void api_silence_delete(void *call);
void api_channel_list(void *call);
void api_channel_create(void *call);
void api_channel_get(void *call);
void api_channel_update(void *call);
void api_channel_delete(void *call);
void api_channel_test(void *call);
void api_channel_delivery_list(void *call);
void api_channel_delivery_get(void *call);
void api_schedule_list(void *call);
void api_schedule_create(void *call);
void api_schedule_get(void *call);
void api_schedule_update(void *call);
void api_schedule_delete(void *call);
void api_schedule_calendar(void *call);
void api_schedule_override_create(void *call);
void api_schedule_override_delete(void *call);
void api_on_call(void *call);
void api_webhook_get(void *call);
void api_webhook_put(void *call);
void api_webhook_delete(void *call);
void api_webhook_history(void *call);
void api_endpoint_list(void *call);
void api_endpoint_create(void *call);
void api_endpoint_get(void *call);
void api_endpoint_update(void *call);
void api_endpoint_delete(void *call);
void api_endpoint_rotate_secret(void *call);
void api_endpoint_test(void *call);
void api_endpoint_delivery_list(void *call);
void api_endpoint_delivery_get(void *call);
void api_endpoint_redeliver(void *call);
void api_user_list(void *call);
void api_user_create(void *call);
void api_user_get(void *call);
void api_user_update(void *call);
void api_user_delete(void *call);
void api_token_list(void *call);
void api_token_create(void *call);
void api_token_delete(void *call);
void api_audit_list(void *call);
void api_storage(void *call);
void api_monitor(void *call);
void api_monitor_act(void *call);
void api_monitor_alert_list(void *call);
void api_job_list(void *call);
void api_job_run_list(void *call);
void api_job_run(void *call);
void api_task_list(void *call);
void api_task_get(void *call);
void api_task_cancel(void *call);
void api_cron(void *call);
void api_status_page_get(void *call);
void api_status_page_update(void *call);
void api_retention_get(void *call);
void api_retention_update(void *call);
void api_healthz(void *call);
void api_readyz(void *call);
void api_metrics(void *call);
void api_openapi(void *call);

/* ---- tables of their own ---- */

extern const struct form_field delivery_query_fields[], token_query_fields[];
extern const struct field integration_once_fields[], integration_secret_fields[], integration_received_fields[], event_element_fields[], event_payload_fields[];
extern const struct field token_once_fields[], channel_once_fields[];
extern const struct doc_part alert_triggered_parts[];
extern const struct doc_part channel_delivery_parts[], channel_tested_parts[];
extern const struct doc_part schedule_calendar_parts[], service_parts[];
extern const struct field webhook_done_fields[], webhook_history_fields[], endpoint_once_fields[], endpoint_rotated_fields[], endpoint_payload_fields[];
extern const struct doc_part webhook_history_parts[], endpoint_delivery_parts[], endpoint_tested_parts[];
extern const struct field health_fields[], ready_fields[], rotated_key_fields[], rotated_secret_fields[],
	integration_health_fields[], overview_fields[], cron_watch_fields[];
extern const struct doc_part event_parts[], request_parts[], stats_parts[], incident_parts[], incident_bulk_parts[], tested_parts[], integration_health_parts[];
extern const struct form_field ready_query_fields[];
/* Of the monitor. */
struct monitor_success {
	bool success;
};
extern const struct field monitor_success_fields[];
extern const struct doc_part monitor_parts[], monitor_act_parts[];
extern const struct field task_progress_fields[];
extern const struct doc_part task_parts[];
extern const struct doc event_replay_look_doc;
extern const struct doc_part job_list_parts[], cron_parts[], overview_parts[], storage_parts[];

#endif
