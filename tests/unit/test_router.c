/* The router, src/http/router.c. */
#include "grapnel/http.h"
#include "unit.h"

static const struct route table[] = {
	{ "GET", "/", 1 },
	{ "GET", "/api/events/:id", 2 },
	{ "GET", "/api/events/stats", 3 },
	{ "POST", "/api/events", 4 },
	{ "GET", "/api/events", 5 },
	{ "DELETE", "/api/events/:id", 6 },
	{ "GET", "/api/:kind/health", 7 },
	{ "POST", "/api/integrations/:type/:id", 8 },
	{ "POST", "/api/integrations/:id/test", 9 },
	{ "PUT", "/a/:p/:q/:r/:s", 10 },
	{ 0 }
};

static const struct {
	const char *method, *path;
	int found;
	unsigned needs;
	const char *allow, *params;	/* joined by '|' */
} rows[] = {
	{ "GET", "/", 1, 1, NULL, "" },
	{ "GET", "/api/events/7", 1, 2, NULL, "7" },
	{ "GET", "/api/events/stats", 1, 3, NULL, "" },	/* a fixed word wins wherever it stands in the table */
	{ "HEAD", "/api/events/stats", 1, 3, NULL, "" },
	{ "DELETE", "/api/events/stats", 1, 6, NULL, "stats" },
	{ "POST", "/api/events", 1, 4, NULL, "" },
	{ "GET", "/api/events/health", 1, 2, NULL, "health" },	/* the earlier fixed word wins */
	{ "GET", "/api/x/health", 1, 7, NULL, "x" },
	{ "POST", "/api/integrations/github/12", 1, 8, NULL, "github|12" },
	{ "POST", "/api/integrations/12/test", 1, 9, NULL, "12" },
	{ "PUT", "/a/1/2/3/4", 1, 10, NULL, "1|2|3|4" },
	{ "GET", "/api/events/%2e%2e", 1, 2, NULL, "%2e%2e" },	/* not decoded here */
	{ "PUT", "/api/events", -1, 0, "POST, GET", "" },
	{ "PATCH", "/api/events/stats", -1, 0, "GET, DELETE", "" },
	{ "HEAD", "/api/integrations/a/b", -1, 0, "POST", "" },
	{ "get", "/", -1, 0, "GET", "" },
	{ "GET", "/api/events/", 0, 0, "", "" },		/* an empty segment is no parameter */
	{ "GET", "/api/events/7/", 0, 0, "", "" },
	{ "GET", "//", 0, 0, "", "" },
	{ "GET", "/api", 0, 0, "", "" },
	{ "GET", "/api/events/7/8", 0, 0, "", "" },
	{ "GET", "api/events", 0, 0, "", "" },
	{ "GET", "", 0, 0, "", "" },
	{ "OPTIONS", "*", 0, 0, "", "" },
};

START_TEST(test_find)
{
	struct route_match m;
	char allow[64], params[128] = "";
	size_t i, n = 0;

	ck_assert_int_eq(route_find(table, str_of(rows[_i].method), str_of(rows[_i].path), &m, allow),
		rows[_i].found);
	if (rows[_i].found < 1) {
		ck_assert_ptr_null(m.route);
		ck_assert_str_eq(allow, rows[_i].allow);
		return;
	}
	ck_assert_uint_eq(m.route->needs, rows[_i].needs);
	for (i = 0; i < ROUTE_PARAMS && m.params[i].n; i++)
		n += (size_t)snprintf(params + n, sizeof(params) - n, "%s%.*s", i ? "|" : "",
			STR_ARG(m.params[i]));
	ck_assert_str_eq(params, rows[_i].params);
}
END_TEST

UNIT_MAIN("router", UNIT_ROWS(test_find, rows))
