/* routes.c - every route of the API, what it needs and what it is for; gates and API document read
 * it.
 *
 * How to add: a handler in the file of its resource, declared in api_int.h, and a row here. A scope
 * of the resource's own reads too, so that a token for one purpose needs no second scope. */
#include "api_int.h"

#define READ_ANY(scope) NEED(ROLE_VIEWER, SCOPE_READ | (scope))

const struct route api_routes[] = {
	{ "GET", "/api/integrations", READ_ANY(SCOPE_INTEGRATIONS), api_integration_list,
		"Integrations of the tenant, newest first." },
	{ "POST", "/api/integrations", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS), api_integration_create,
		"Makes an integration; key and signature secret are shown this once." },
	{ "GET", "/api/integrations/:id", READ_ANY(SCOPE_INTEGRATIONS), api_integration_get,
		"One integration." },
	{ "PATCH", "/api/integrations/:id", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS),
		api_integration_update, "Changes the members that are given." },
	{ "DELETE", "/api/integrations/:id", NEED(ROLE_ADMIN, SCOPE_INTEGRATIONS),
		api_integration_delete, "Ends an integration; its events stay." },
	{ "GET", "/api/integrations/:id/deliveries", READ_ANY(SCOPE_INTEGRATIONS),
		api_delivery_list,
		"Requests of an integration, accepted and refused ones, newest first." },
	{ "GET", "/integrations/:id/deliveries", READ_ANY(SCOPE_INTEGRATIONS), api_delivery_list,
		"The same, for clients that know this path." },
	{ "GET", "/api/events", READ_ANY(SCOPE_EVENTS), api_event_list, "Events, newest first." },
	{ "GET", "/api/events/:id", READ_ANY(SCOPE_EVENTS), api_event_get,
		"One event with its payload, headers and what it caused." },
	{ "GET", "/api/incidents", READ_ANY(SCOPE_INCIDENTS), api_incident_list,
		"Incidents, newest first." },
	{ "GET", "/api/incidents/:id", READ_ANY(SCOPE_INCIDENTS), api_incident_get,
		"One incident with its timeline and newest alerts." },
	{ "POST", "/api/incidents/:id/acknowledge", NEED(ROLE_OPERATOR, SCOPE_INCIDENTS),
		api_incident_acknowledge, "Somebody takes care: OPEN becomes ACKNOWLEDGED." },
	{ "POST", "/api/incidents/:id/resolve", NEED(ROLE_OPERATOR, SCOPE_INCIDENTS),
		api_incident_resolve, "The trouble is over: becomes RESOLVED." },
	{ "GET", "/healthz", NEED_NOTHING, api_healthz, "Does this process answer?" },
	{ "GET", "/readyz", NEED_NOTHING, api_readyz,
		"Are database, schema and shared memory there?" },
	{ "GET", "/metrics", NEED_SCRAPER, api_metrics, "Counters for Prometheus." },
	{ 0 }
};
