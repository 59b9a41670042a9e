/* routes.c - every route of the API: what it needs, what it is for, what it takes and answers. Gates and API document read it.
 *
 * How to add: a handler in the file of its resource, declared in api_int.h, and a row here. A scope of the resource's own
 * reads too, so that a token for one purpose needs no second scope.
 *
 * How to document: a row ends with DOC(...), which names the tables that the handler uses, so that the document says nothing that the
 * program does not do:
 *	QUERY(t)	form table of the parameters, BODY(t) of the body
 *	LIST(plural, t)	answers {"<plural>": [objects of field table t], "next"}, as reply_list does
 *	ONE(t)		answers one object of t; neither: no body, as with STATUS(204)
 *	STATUS(n)	of success, where it is not 200; OR(n) another one with the same members
 *	ALSO(t)		more members, which only this route has; MAYBE(t) such as are sometimes left out
 *	PARTS(p)	members that are objects or lists themselves: struct doc_part, beside the handler
 *	MEDIA("...")	type of an answer that is no JSON
 * A field table x_view_fields or x_fields becomes the schema X, a form table in a body x_fields the schema XForm (XChange for PATCH).
 * Tables of a handler's own are declared at the end of api_int.h. Each answer of tests/db/test_api is held against the document. */
#include "api_int.h"

#include "grapnel/job.h"

#define READ_ANY(scope) NEED(ROLE_VIEWER, SCOPE_READ | (scope))
#define CHANGE_ANY (SCOPE_ALL & ~SCOPE_READ)	/* a token that only reads changes nothing */

#define DOC(...) &(const struct doc){ __VA_ARGS__ }
#define QUERY(table) .query = table
#define BODY(table) .body = table, .body_name = #table
#define STATUS(n) .status = n
#define OR(n) .or_status = n
#define ONE(table) .fields = FIELDS(table)
#define LIST(plural, table) .list = plural, .fields = FIELDS(table)
#define ALSO(table) .also = FIELDS(table)
#define MAYBE(table) .maybe = FIELDS(table)
#define PARTS(table) .parts = table
#define MEDIA(type) .media_type = type

const struct route api_routes[] = {
	{ "GET", "/api/integrations", READ_ANY(SCOPE_INTEGRATIONS), api_integration_list,
		"Integrations of the tenant, newest first.",
		DOC(QUERY(integration_query_fields), LIST("integrations", integration_view_fields)) },
	{ "POST", "/api/integrations", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_integration_create,
		"Makes an integration; key and signature secret are shown this once.",
		DOC(BODY(integration_fields), STATUS(201), ONE(integration_view_fields), ALSO(integration_once_fields)) },
	{ "GET", "/api/integrations/:id", READ_ANY(SCOPE_INTEGRATIONS), api_integration_get,
		"One integration.", DOC(ONE(integration_view_fields)) },
	{ "PATCH", "/api/integrations/:id", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_integration_update,
		"Changes the members that are given.",
		DOC(BODY(integration_fields), ONE(integration_view_fields), MAYBE(integration_secret_fields)) },
	{ "DELETE", "/api/integrations/:id", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_integration_delete,
		"Ends an integration; its events stay.", DOC(STATUS(204)) },
	{ "POST", "/api/integrations/:id/rotate-key", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_integration_rotate_key,
		"Makes a new key and shows it this once; the old one stays valid for graceSeconds.",
		DOC(BODY(integration_rotate_key_fields), ONE(integration_view_fields), ALSO(rotated_key_fields)) },
	{ "POST", "/api/integrations/:id/rotate-secret", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_integration_rotate_secret,
		"Makes a new signature secret and shows it this once; the old ones stay valid for graceSeconds.",
		DOC(BODY(integration_rotate_secret_fields), ONE(integration_view_fields), ALSO(rotated_secret_fields)) },
	{ "POST", "/api/integrations/:id/received-secret", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_integration_received_secret,
		"Shows once the signature secret that the provider sent by itself (Notion).", DOC(ONE(integration_received_fields)) },
	{ "POST", "/api/integrations/:id/test", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_integration_test,
		"Sends the type's own test webhook through the whole pipeline.",
		DOC(STATUS(201), ONE(tested_fields), PARTS(tested_parts)) },
	{ "POST", "/integrations/:id/test", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_integration_test,
		"The same, for clients that know this path.",
		DOC(STATUS(201), ONE(tested_fields), PARTS(tested_parts)) },
	{ "GET", "/api/integrations/health", READ_ANY(SCOPE_INTEGRATIONS), api_integration_health,
		"How the requests of the last 24 hours fared, in all and by type.",
		DOC(ONE(integration_health_fields), PARTS(integration_health_parts)) },
	{ "GET", "/api/integrations/:id/deliveries", READ_ANY(SCOPE_INTEGRATIONS), api_delivery_list,
		"Requests of an integration, accepted and refused ones, newest first.",
		DOC(QUERY(delivery_query_fields), LIST("deliveries", delivery_view_fields)) },
	{ "GET", "/integrations/:id/deliveries", READ_ANY(SCOPE_INTEGRATIONS), api_delivery_list,
		"The same, for clients that know this path.",
		DOC(QUERY(delivery_query_fields), LIST("deliveries", delivery_view_fields)) },
	{ "GET", "/api/overview", NEED(ROLE_VIEWER, SCOPE_READ), api_overview,
		"Is everything all right? The figures of the last 24 hours, what is open, and why it needs somebody.",
		DOC(ONE(overview_fields), PARTS(overview_parts)) },
	{ "GET", "/api/events", READ_ANY(SCOPE_EVENTS), api_event_list,
		"Events, newest first.", DOC(QUERY(event_query_fields), LIST("events", event_view_fields)) },
	{ "GET", "/api/events/:id", READ_ANY(SCOPE_EVENTS), api_event_get,
		"One event with its payload, headers and what it caused.",
		DOC(ONE(event_view_fields), ALSO(event_element_fields), MAYBE(event_payload_fields), PARTS(event_parts)) },
	{ "GET", "/api/requests", READ_ANY(SCOPE_EVENTS), api_request_list,
		"Inbound requests, accepted, repeated and refused ones, newest first.",
		DOC(QUERY(request_query_fields), LIST("requests", request_view_fields)) },
	{ "GET", "/api/requests/:id", READ_ANY(SCOPE_EVENTS), api_request_get,
		"One request with its body, headers and the events it brought.",
		DOC(ONE(request_view_fields), ALSO(event_payload_fields), PARTS(request_parts)) },
	{ "GET", "/api/stats", READ_ANY(SCOPE_EVENTS) | NEED_BULK, api_stats,
		"What became of the events of a window of time, test traffic left out.",
		DOC(QUERY(stats_query_fields), ONE(stats_view_fields), PARTS(stats_parts)) },
	{ "GET", "/api/alerts", READ_ANY(SCOPE_INCIDENTS), api_alert_list,
		"Alerts, newest first.", DOC(QUERY(alert_query_fields), LIST("alerts", alert_view_fields)) },
	{ "GET", "/api/incidents", READ_ANY(SCOPE_INCIDENTS), api_incident_list,
		"Incidents, newest first.", DOC(QUERY(incident_query_fields), LIST("incidents", incident_view_fields)) },
	{ "GET", "/api/incidents/:id", READ_ANY(SCOPE_INCIDENTS), api_incident_get,
		"One incident with its timeline and newest alerts.",
		DOC(ONE(incident_view_fields), PARTS(incident_parts)) },
	{ "POST", "/api/incidents/:id/acknowledge", NEED(ROLE_OPERATOR, SCOPE_INCIDENTS), api_incident_acknowledge,
		"Somebody takes care: OPEN becomes ACKNOWLEDGED.",
		DOC(BODY(incident_command_fields), ONE(incident_view_fields), PARTS(incident_parts)) },
	{ "POST", "/api/incidents/:id/resolve", NEED(ROLE_OPERATOR, SCOPE_INCIDENTS), api_incident_resolve,
		"The trouble is over: becomes RESOLVED.",
		DOC(BODY(incident_command_fields), ONE(incident_view_fields), PARTS(incident_parts)) },
	{ "POST", "/api/incidents/:id/reopen", NEED(ROLE_OPERATOR, SCOPE_INCIDENTS), api_incident_reopen,
		"It is not over: RESOLVED becomes OPEN.",
		DOC(BODY(incident_command_fields), ONE(incident_view_fields), PARTS(incident_parts)) },
	{ "POST", "/api/incidents/:id/notes", NEED(ROLE_OPERATOR, SCOPE_INCIDENTS), api_incident_note,
		"Adds a note to the timeline.",
		DOC(BODY(incident_note_fields), ONE(incident_view_fields), PARTS(incident_parts)) },
	{ "POST", "/api/incidents/:id/assign", NEED(ROLE_OPERATOR, SCOPE_INCIDENTS), api_incident_assign,
		"Gives it to a user of its tenant, or to nobody.",
		DOC(BODY(incident_assign_fields), ONE(incident_view_fields), PARTS(incident_parts)) },
	{ "POST", "/api/incidents/:id/snooze", NEED(ROLE_OPERATOR, SCOPE_INCIDENTS), api_incident_snooze,
		"Keeps it quiet for a while; its end or a higher severity wakes it.",
		DOC(BODY(incident_snooze_fields), ONE(incident_view_fields), PARTS(incident_parts)) },
	{ "POST", "/api/incidents/bulk", NEED(ROLE_OPERATOR, SCOPE_INCIDENTS) | NEED_BULK, api_incident_bulk,
		"Acknowledges or resolves up to 100 incidents, each for itself.",
		DOC(BODY(incident_bulk_fields), PARTS(incident_bulk_parts)) },
	{ "GET", "/api/services", READ_ANY(SCOPE_INTEGRATIONS), api_service_list,
		"Services of the tenant, newest first.",
		DOC(QUERY(service_query_fields), LIST("services", service_view_fields)) },
	{ "POST", "/api/services", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_service_create,
		"Makes a service.", DOC(BODY(service_fields), STATUS(201), ONE(service_view_fields)) },
	{ "GET", "/api/services/:id", READ_ANY(SCOPE_INTEGRATIONS), api_service_get,
		"One service.", DOC(ONE(service_view_fields)) },
	{ "PATCH", "/api/services/:id", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_service_update,
		"Changes the members that are given; isDefault true moves the default here.",
		DOC(BODY(service_fields), ONE(service_view_fields)) },
	{ "DELETE", "/api/services/:id", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_service_delete,
		"Ends a service that nothing uses; its name is free again.", DOC(STATUS(204)) },
	{ "GET", "/api/channels", NEED(ROLE_VIEWER, SCOPE_READ), api_channel_list,
		"Channels of the tenant, newest first: where people and programs are told of things.",
		DOC(QUERY(channel_query_fields), LIST("channels", channel_view_fields)) },
	{ "POST", "/api/channels", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_channel_create,
		"Makes a channel. Its secrets are sealed and never shown again.",
		DOC(BODY(channel_fields), STATUS(201), ONE(channel_view_fields), MAYBE(channel_once_fields)) },
	{ "GET", "/api/channels/:id", NEED(ROLE_VIEWER, SCOPE_READ), api_channel_get, "One channel.", DOC(ONE(channel_view_fields)) },
	{ "PATCH", "/api/channels/:id", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_channel_update,
		"Changes the members that are given; a secret that is not given stays.",
		DOC(BODY(channel_fields), ONE(channel_view_fields), MAYBE(channel_once_fields)) },
	{ "DELETE", "/api/channels/:id", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_channel_delete,
		"Ends a channel; what waits for it is given up.", DOC(STATUS(204)) },
	{ "POST", "/api/channels/:id/test", NEED(ROLE_ADMIN, SCOPE_ADMIN) | NEED_BULK, api_channel_test,
		"Sends it a test message on the way that all take, and answers what happened; success false says why not.",
		DOC(ONE(channel_tested_fields), PARTS(channel_tested_parts)) },
	{ "GET", "/api/channels/:id/deliveries", NEED(ROLE_VIEWER, SCOPE_READ), api_channel_delivery_list,
		"What it was told, and how that went, newest first.",
		DOC(QUERY(channel_delivery_query_fields), LIST("deliveries", channel_delivery_view_fields)) },
	{ "GET", "/api/channels/:id/deliveries/:delivery", NEED(ROLE_VIEWER, SCOPE_READ), api_channel_delivery_get,
		"One message with each attempt and what its receiver answered.",
		DOC(ONE(channel_delivery_view_fields), PARTS(channel_delivery_parts)) },
	{ "GET", "/api/users", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_user_list,
		"Users of the tenant, newest first.", DOC(QUERY(user_query_fields), LIST("users", user_view_fields)) },
	{ "POST", "/api/users", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_user_create,
		"Makes a user.", DOC(BODY(user_fields), STATUS(201), ONE(user_view_fields)) },
	{ "GET", "/api/users/:id", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_user_get, "One user.", DOC(ONE(user_view_fields)) },
	{ "PATCH", "/api/users/:id", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_user_update,
		"Changes the members that are given. A new password and being disabled end the user's sessions.",
		DOC(BODY(user_fields), ONE(user_view_fields)) },
	{ "DELETE", "/api/users/:id", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_user_delete,
		"Disables a user: the audit log goes on naming him.", DOC(STATUS(204)) },
	{ "GET", "/api/tokens", NEED(ROLE_VIEWER, SCOPE_ALL), api_token_list,
		"One's own API tokens, newest first; an admin may name another user of the tenant.",
		DOC(QUERY(token_query_fields), LIST("tokens", token_view_fields)) },
	{ "POST", "/api/tokens", NEED(ROLE_VIEWER, CHANGE_ANY), api_token_create,
		"Makes a token of one's own; its text is shown this once. It has at most the scopes of the token that makes it, and ends"
		" no later.", DOC(BODY(token_fields), STATUS(201), ONE(token_view_fields), ALSO(token_once_fields)) },
	{ "DELETE", "/api/tokens/:id", NEED(ROLE_VIEWER, CHANGE_ANY), api_token_delete,
		"Revokes a token of one's own, or as admin any of the tenant.", DOC(STATUS(204)) },
	{ "GET", "/api/audit", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_audit_list,
		"Who changed what, when and from where, newest first.",
		DOC(QUERY(audit_query_fields), LIST("audit", audit_view_fields)) },
	{ "GET", "/api/admin/webhooks/monitor", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_monitor,
		"Is our own work all right? Six checks and what they rest on, at most 30 seconds old; tenant=all for platform admins.",
		DOC(QUERY(monitor_query_fields), ONE(monitor_success_fields), PARTS(monitor_parts)) },
	{ "GET", "/api/jobs", NEED(ROLE_VIEWER, SCOPE_READ), api_job_list,
		"What cron does and when it did; the same for all tenants.",
		DOC(LIST("jobs", job_view_fields), PARTS(job_list_parts)) },
	{ "GET", "/api/jobs/runs", NEED(ROLE_VIEWER, SCOPE_READ), api_job_run_list,
		"Runs of jobs, newest first; those of the last 30 days.",
		DOC(QUERY(job_run_query_fields), LIST("runs", job_run_view_fields)) },
	{ "POST", "/api/jobs/:id/run", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_job_run,
		"Runs the job of that name now, for at most 20 seconds; cron goes on with the rest.", DOC(ONE(job_result_fields)) },
	{ "GET", "/api/storage", NEED(ROLE_ADMIN, SCOPE_ADMIN), api_storage,
		"How large the tables are, how fast they grow, and when the disk is full; the same for all tenants.",
		DOC(ONE(storage_view_fields), PARTS(storage_parts)) },
	{ "GET", "/api/cron/webhook-maintenance", NEED_CRON, api_cron,
		"The same, for callers that cannot POST.", DOC(PARTS(cron_parts), OR(500)) },
	{ "POST", "/api/cron/webhook-maintenance", NEED_CRON, api_cron,
		"Runs the jobs that are due, for at most 20 seconds; for hosts that only have HTTP cron. 500 if one failed.",
		DOC(PARTS(cron_parts), OR(500)) },
	{ "GET", "/api/openapi.json", NEED_NOTHING, api_openapi, "This document.", DOC(MEDIA("application/json")) },
	{ "GET", "/healthz", NEED_NOTHING, api_healthz, "Does this process answer?", DOC(ONE(health_fields)) },
	{ "GET", "/readyz", NEED_NOTHING, api_readyz,
		"Are database, schema and shared memory there?",
		DOC(QUERY(ready_query_fields), ONE(ready_fields), OR(503)) },
	{ "GET", "/metrics", NEED_SCRAPER, api_metrics, "Counters for Prometheus.", DOC(MEDIA("text/plain")) },
	{ 0 }
};
