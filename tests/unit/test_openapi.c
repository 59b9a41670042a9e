/* The API document against the program: it is OpenAPI 3.1 as far as its structure goes, each route is in it and nothing else, each
 * reference leads somewhere, and what it says of inbound paths is what src/ingest takes. That the answers are as documented is
 * seen in tests/db/test_api, where there are answers. */
#include <ctype.h>

#include "grapnel/api.h"
#include "grapnel/ingest.h"
#include "grapnel/json.h"
#include "grapnel/provider.h"
#include "src/api/api_int.h"
#include "unit.h"

static struct arena *a;
static const struct json *doc;

static void begin(void)
{
	struct err e = { 0 };

	a = arena_new(32 << 20);
	ck_assert_msg(json_parse(a, api_document(a, "1.2.3", "https://hooks.example.org"), &doc, &e), "%s", e.text);
}

static const struct json *at(const char *pointer)
{
	return json_at(doc, str_of(pointer));
}

static const struct json *first(const struct json *parent, const char *member)
{
	const struct json *j = json_get(parent, member);

	return j ? j->first : NULL;
}

/* ---- the whole tree ---- */

static void each_value(const struct json *j, void (*see)(const struct json *j))
{
	see(j);
	for (const struct json *m = j->first; m; m = m->next)
		each_value(m, see);
}

static void see_names_once(const struct json *j)
{
	for (const struct json *m = j->first; m && j->type == JSON_OBJECT; m = m->next)
		ck_assert_msg(json_getn(j, m->name) == m, "%.*s stands twice in %.*s", STR_ARG(m->name), STR_ARG(j->name));
}

static void see_reference(const struct json *j)
{
	struct str ref = json_text(json_get(j, "$ref"));

	if (!ref.n)
		return;
	ck_assert_msg(str_starts(ref, "#/components/"), "%.*s", STR_ARG(ref));
	ck_assert_msg(json_at(doc, str_sub(ref, 1)) != NULL, "%.*s leads nowhere", STR_ARG(ref));
}

START_TEST(test_names_stand_once_and_references_lead_somewhere)
{
	begin();
	each_value(doc, see_names_once);
	each_value(doc, see_reference);
	arena_free(a);
}
END_TEST

static struct str wanted_ref;
static bool ref_seen;

static void see_wanted(const struct json *j)
{
	ref_seen = ref_seen || str_eq(json_text(json_get(j, "$ref")), wanted_ref);
}

START_TEST(test_every_component_is_used)
{
	static const char *const kinds[] = { "schemas", "parameters", "responses" };

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (const struct json *j = first(at("/components"), kinds[i]); j; j = j->next) {
			wanted_ref = arena_printf(a, "#/components/%s/%.*s", kinds[i], STR_ARG(j->name));
			ref_seen = false;
			each_value(doc, see_wanted);
			ck_assert_msg(ref_seen, "nobody speaks of %.*s", STR_ARG(wanted_ref));
		}
	arena_free(a);
}
END_TEST

/* ---- structure: the required parts of OpenAPI 3.1, sections 4.8 ---- */

START_TEST(test_head)
{
	begin();
	unit_str(json_text(at("/openapi")), "3.1.0");
	unit_str(json_text(at("/info/title")), "Grapnel");
	unit_str(json_text(at("/info/version")), "1.2.3");
	unit_str(json_text(at("/servers/0/url")), "https://hooks.example.org");
	unit_str(json_text(at("/components/securitySchemes/token/scheme")), "bearer");
	arena_free(a);
}
END_TEST

static void check_parameter(const struct json *p, struct str path)
{
	const struct json *ref = json_get(p, "$ref");
	struct str in;

	p = ref ? json_at(doc, str_sub(ref->text, 1)) : p;
	in = json_text(json_get(p, "in"));
	ck_assert(json_text(json_get(p, "name")).n > 0);
	ck_assert(json_is(json_get(p, "schema"), JSON_OBJECT));
	ck_assert_msg(str_eqs(in, "query") || str_eqs(in, "path"), "%.*s", STR_ARG(in));
	if (str_eqs(in, "path")) {
		const char *want = arena_printf(a, "{%.*s}", STR_ARG(json_text(json_get(p, "name")))).p;

		unit_str(json_text(json_get(p, "required")), "true");
		ck_assert_msg(strstr(arena_cstr(a, path), want), "%.*s has no %s", STR_ARG(path), want);
	}
}

static size_t braces(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '{';
	return n;
}

static void check_operation(const struct json *op, struct str path)
{
	size_t in_path = 0, responses = 0;

	ck_assert(json_text(json_get(op, "summary")).n > 0);
	ck_assert_uint_eq(json_get(op, "tags")->count, 1);
	for (const struct json *p = first(op, "parameters"); p; p = p->next) {
		const struct json *ref = json_get(p, "$ref");

		check_parameter(p, path);
		in_path += str_eqs(json_text(json_get(ref ? json_at(doc, str_sub(ref->text, 1)) : p, "in")), "path");
	}
	ck_assert_msg(in_path == braces(path), "%.*s: %zu path parameters", STR_ARG(path), in_path);
	for (const struct json *r = first(op, "responses"); r; r = r->next, responses++) {
		ck_assert_msg(str_eqs(r->name, "default") || isdigit((unsigned char)r->name.p[0]), "%.*s", STR_ARG(r->name));
		ck_assert(json_get(r, "$ref") || json_text(json_get(r, "description")).n);
	}
	ck_assert_uint_gt(responses, 1);
}

START_TEST(test_operations)
{
	const struct json *ids;
	struct json *list;

	begin();
	list = json_new(a, JSON_OBJECT);
	ids = list;
	for (const struct json *path = at("/paths")->first; path; path = path->next) {
		ck_assert(str_starts(path->name, "/"));
		ck_assert_uint_gt(path->count, 0);
		for (const struct json *op = path->first; op; op = op->next) {
			struct str id = json_text(json_get(op, "operationId"));

			check_operation(op, path->name);
			ck_assert_msg(id.n && !json_getn(ids, id), "operationId \"%.*s\"", STR_ARG(id));
			json_add(list, id, json_new_str(a, id));
		}
	}
	arena_free(a);
}
END_TEST

static void see_schema(const struct json *j)
{
	static const char types[] = " null boolean integer number string array object ";
	const struct json *type = json_get(j, "type");

	if (!json_get(j, "properties") && !json_get(j, "items"))
		return;
	ck_assert(json_is(type, JSON_STRING) || json_is(type, JSON_ARRAY));
	if (json_is(type, JSON_STRING))
		ck_assert(strstr(types, arena_printf(a, " %.*s ", STR_ARG(type->text)).p));
	for (const struct json *r = first(j, "required"); r; r = r->next)
		ck_assert_msg(json_getn(json_get(j, "properties"), r->text), "%.*s is required and unknown", STR_ARG(r->text));
	for (const struct json *p = first(j, "properties"); p; p = p->next)
		ck_assert(json_is(p, JSON_OBJECT));
}

START_TEST(test_schemas)
{
	begin();
	each_value(doc, see_schema);
	for (const struct json *s = at("/components/schemas")->first; s; s = s->next) {
		ck_assert_msg(isupper((unsigned char)s->name.p[0]), "%.*s", STR_ARG(s->name));
		ck_assert(json_get(s, "properties") != NULL);
		/* each member says what it is */
		for (const struct json *p = first(s, "properties"); p; p = p->next)
			ck_assert_msg(json_text(json_get(p, "description")).n, "%.*s.%.*s has no help", STR_ARG(s->name),
				STR_ARG(p->name));
	}
	arena_free(a);
}
END_TEST

/* ---- the document and the routes ---- */

static const struct json *operation(const char *method, const char *pattern)
{
	struct strbuf b;

	strbuf_init(&b, a, 256);
	for (; *pattern; pattern++) {
		if (*pattern != ':') {
			strbuf_addc(&b, *pattern);
			continue;
		}
		strbuf_addc(&b, '{');
		while (pattern[1] && pattern[1] != '/')
			strbuf_addc(&b, *++pattern);
		strbuf_addc(&b, '}');
	}
	for (const struct json *op = json_getn(at("/paths"), strbuf_str(&b))->first; op; op = op->next)
		if (str_ieqs(op->name, method))
			return op;
	return NULL;
}

START_TEST(test_each_route_is_documented)
{
	begin();
	for (const struct route *r = api_routes; r->method; r++) {
		const struct json *op = operation(r->method, r->pattern);
		const struct doc *d = r->doc;

		ck_assert_msg(op && d, "%s %s", r->method, r->pattern);
		unit_str(json_text(json_get(op, "summary")), r->summary);
		for (const struct form_field *f = d->query; f && f->name; f++)
			ck_assert_msg(f->help && *f->help, "%s of %s has no help", f->name, r->pattern);
		ck_assert_msg(!d->body == !json_get(op, "requestBody"), "%s", r->pattern);
		/* it says what it answers: fields, parts, another media type, or no content */
		ck_assert_msg(d->fields.fields || d->also.fields || d->parts || d->media_type || d->status == 204, "%s %s answers what?",
			r->method, r->pattern);
	}
	arena_free(a);
}
END_TEST

static bool is_api_route(struct str method, struct str path)
{
	struct route_match m;
	char allow[64], upper[8] = "";

	for (size_t i = 0; i < method.n && i < sizeof(upper) - 1; i++)
		upper[i] = (char)toupper((unsigned char)method.p[i]);
	return route_find(api_routes, str_of(upper), path, &m, allow) == 1;
}

/* An example of "/api/webhooks/github/{id}". */
static struct str example(struct str path)
{
	struct str front = str_until(&path, '{');

	if (!path.n)
		return front;
	str_until(&path, '}');
	return arena_printf(a, "%.*s%s%.*s", STR_ARG(front), str_starts(front, "/webhooks/") ? "rg_1" : "in_1", STR_ARG(path));
}

START_TEST(test_each_documented_path_is_served)
{
	begin();
	for (const struct json *path = at("/paths")->first; path; path = path->next)
		for (const struct json *op = path->first; op; op = op->next) {
			bool inbound = str_eqs(json_text(json_at(op, STR("/tags/0"))), "inbound");
			struct str one = example(path->name), method = arena_str(a, op->name);
			size_t body_max;

			for (size_t i = 0; i < method.n; i++)
				((char *)method.p)[i] = (char)toupper((unsigned char)method.p[i]);
			ck_assert_msg(ingest_path(method, one, &body_max) == inbound, "%.*s", STR_ARG(one));
			ck_assert_msg(inbound || is_api_route(op->name, one), "%.*s", STR_ARG(one));
		}
	arena_free(a);
}
END_TEST

START_TEST(test_each_provider_has_its_paths)
{
	begin();
	for (const struct provider *const *p = providers; *p; p++) {
		ck_assert(json_getn(at("/paths"), arena_printf(a, "/api/integrations/%s", (*p)->slug)) != NULL);
		ck_assert(json_getn(at("/paths"), arena_printf(a, "/api/webhooks/%s/{id}", (*p)->slug)) != NULL);
	}
	arena_free(a);
}
END_TEST

START_TEST(test_needs_are_told)
{
	const struct json *op;

	begin();
	op = operation("PATCH", "/api/integrations/:id");
	unit_str(json_text(json_get(op, "x-role")), "admin");
	unit_str(json_text(json_at(op, STR("/x-scopes/0"))), "integrations");
	unit_str(json_text(json_at(op, STR("/x-scopes/1"))), "admin");
	ck_assert(json_at(op, STR("/security/0/token")) != NULL);
	ck_assert_uint_eq(json_get(operation("GET", "/api/tokens"), "x-scopes")->count, 6);
	unit_str(json_text(json_get(op, "x-platform-admin")), "false");
	unit_str(json_text(json_get(operation("GET", "/api/storage"), "x-platform-admin")), "true");
	ck_assert(json_get(operation("GET", "/healthz"), "security") == NULL);
	ck_assert(json_at(operation("GET", "/metrics"), STR("/security/0/metrics")) != NULL);
	ck_assert(json_at(at("/paths/~1api~1webhooks~1github/post"), STR("/security")) != NULL);
	arena_free(a);
}
END_TEST

UNIT_MAIN("openapi", UNIT(test_names_stand_once_and_references_lead_somewhere), UNIT(test_every_component_is_used), UNIT(test_head),
	UNIT(test_operations), UNIT(test_schemas), UNIT(test_each_route_is_documented), UNIT(test_each_documented_path_is_served),
	UNIT(test_each_provider_has_its_paths), UNIT(test_needs_are_told))
