/* routes.c - every page and every form of the dashboard, and what it needs.
 *
 * How to add: a handler in the file of its subject, declared in that subject's header, and a row here. A role is enough for a
 * page; a POST is checked for its CSRF token by the gates. */
#include "dash_int.h"
#include "incidents.h"
#include "overview.h"
#include "services.h"

const struct route dash_routes[] = {
	{ "GET", "/", ROLE_VIEWER, page_overview, "Is everything all right?" },
	{ "GET", "/hour/:source/:hour", ROLE_VIEWER, page_hour, "An hour of a source." },
	{ "GET", "/assets/:hash/:name", NEED_OPEN, asset_get, "Style sheet, script, icon." },
	{ "GET", "/incidents", ROLE_VIEWER | CAN_EXPORT, page_incidents, "Incidents by status, service, person." },
	{ "POST", "/incidents/select", ROLE_OPERATOR, page_incidents_select, "What doing it to those ticked means." },
	{ "POST", "/incidents/bulk", ROLE_OPERATOR, page_incidents_bulk, "Acknowledges or resolves many." },
	{ "GET", "/incidents/:id", ROLE_VIEWER, page_incident, "One incident with its story." },
	{ "POST", "/incidents/:id/acknowledge", ROLE_OPERATOR, page_incident_acknowledge, "Somebody takes care." },
	{ "POST", "/incidents/:id/resolve", ROLE_OPERATOR, page_incident_resolve, "It is over." },
	{ "POST", "/incidents/:id/reopen", ROLE_OPERATOR, page_incident_reopen, "It is not over." },
	{ "POST", "/incidents/:id/notes", ROLE_OPERATOR, page_incident_note, "A note in its timeline." },
	{ "POST", "/incidents/:id/assign", ROLE_OPERATOR, page_incident_assign, "Who takes care." },
	{ "POST", "/incidents/:id/snooze", ROLE_OPERATOR, page_incident_snooze, "Quiet for a while." },
	{ "GET", "/services", ROLE_VIEWER | CAN_EXPORT, page_services, "What can break." },
	{ "POST", "/services", ROLE_ADMIN, page_service_create, "Makes a service." },
	{ "GET", "/services/new", ROLE_ADMIN, page_service_new, "The form of a new service." },
	{ "GET", "/services/:id", ROLE_VIEWER, page_service, "One service: its incidents, integrations, names." },
	{ "GET", "/services/:id/edit", ROLE_ADMIN, page_service_edit, "The form of a service." },
	{ "POST", "/services/:id/edit", ROLE_ADMIN, page_service_change, "Changes a service." },
	{ "GET", "/services/:id/delete", ROLE_ADMIN, page_service_delete, "What deleting it means." },
	{ "POST", "/services/:id/delete", ROLE_ADMIN, page_service_drop, "Deletes a service." },
	{ 0 }
};
