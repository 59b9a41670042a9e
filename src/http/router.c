/* router.c - from method and path to a row of a table. Patterns and paths are walked segment by segment; among patterns
 * that fit, the one with the earlier fixed word wins, so the order of the table means nothing. */
#include "grapnel/http.h"

/* Next segment of a path that starts with '/'; false at the end. */
static bool segment(struct str *path, struct str *out)
{
	if (!path->n)
		return false;
	*path = str_sub(*path, 1);
	*out = (struct str){ path->p, 0 };
	while (out->n < path->n && path->p[out->n] != '/')
		out->n++;
	*path = str_sub(*path, out->n);
	return true;
}

/* *fixed gets a bit for each fixed word, the first one highest. */
static bool fits(const struct route *r, struct str path, struct str params[ROUTE_PARAMS], uint32_t *fixed)
{
	struct str pattern = str_of(r->pattern), want, have;
	uint32_t bit = 1u << 31;
	size_t n = 0;

	*fixed = 0;
	for (; segment(&pattern, &want); bit >>= 1) {
		if (!segment(&path, &have))
			return false;
		if (str_starts(want, ":") && have.n && n < ROUTE_PARAMS)
			params[n++] = have;
		else if (str_eq(want, have))
			*fixed |= bit;
		else
			return false;
	}
	return !path.n;
}

static bool method_fits(const struct route *r, struct str method)
{
	return str_eqs(method, r->method) || (str_eqs(method, "HEAD") && !strcmp(r->method, "GET"));
}

static void allow_add(char allow[64], const char *method)
{
	size_t n = strlen(allow);

	if (!strstr(allow, method))
		snprintf(allow + n, 64 - n, "%s%s", n ? ", " : "", method);
}

int route_find(const struct route *table, struct str method, struct str path, struct route_match *out,
	char allow[64])
{
	uint32_t fixed, best = 0;
	struct route_match m;

	*out = (struct route_match){ 0 };
	allow[0] = '\0';
	if (!str_starts(path, "/"))
		return 0;
	for (; table->method; table++) {
		m = (struct route_match){ .route = table };
		if (!fits(table, path, m.params, &fixed))
			continue;
		allow_add(allow, table->method);
		if (method_fits(table, method) && (!out->route || fixed > best)) {
			*out = m;
			best = fixed;
		}
	}
	if (out->route)
		return 1;
	return allow[0] ? -1 : 0;
}
