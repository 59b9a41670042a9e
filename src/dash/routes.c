/* routes.c - every page and every form of the dashboard, and what it needs.
 *
 * How to add: a handler in the file of its subject, declared in that subject's header, and a row here. A role is enough for a
 * page; a POST is checked for its CSRF token by the gates. */
#include "dash_int.h"
#include "overview.h"

const struct route dash_routes[] = {
	{ "GET", "/", ROLE_VIEWER, page_overview, "Is everything all right?" },
	{ "GET", "/hour/:source/:hour", ROLE_VIEWER, page_hour, "An hour of a source." },
	{ "GET", "/assets/:hash/:name", NEED_OPEN, asset_get, "Style sheet, script, icon." },
	{ 0 }
};
