/* openapi.c - GET /api/openapi.json: the API as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html; looked up 2025-11).
 *
 * Nothing is written by hand twice: paths and needs are rows of routes.c, parameters and bodies are form tables, answers are
 * field tables, inbound paths come from the table of providers. What a route needs stands as x-role, x-platform-admin and x-scopes, since the scopes
 * of OpenAPI are those of OAuth. */
#include "openapi_int.h"

#include <ctype.h>

#include "grapnel/crypto.h"

#define DOCUMENT_MAX (4u << 20)		/* 60 providers with 4 paths of 600 bytes each, 200 routes, and room */

void openapi_ref(struct json_out *o, const char *kind, const char *name)
{
	char ref[128];

	snprintf(ref, sizeof(ref), "#/components/%s/%s", kind, name);
	json_open(o, '{');
	member_str(o, "$ref", ref);
	json_close(o, '}');
}

/* "get", "/api/events/{id}": getApiEventsId */
static void write_id(struct json_out *o, struct arena *a, const char *method, const char *path)
{
	struct strbuf b;
	bool upper = true;

	strbuf_init(&b, a, 256);
	strbuf_adds(&b, method);
	for (; *path; path++) {
		if (isalnum((unsigned char)*path))
			strbuf_addc(&b, (char)(upper ? toupper((unsigned char)*path) : *path));
		upper = !isalnum((unsigned char)*path);
	}
	json_key(o, "operationId");
	json_str(o, strbuf_str(&b));
}

void openapi_head(struct json_out *o, struct arena *a, const char *method, const char *path, const char *tag, const char *summary)
{
	write_id(o, a, method, path);
	member_str(o, "summary", summary);
	json_key(o, "tags");
	json_open(o, '[');
	json_strz(o, tag);
	json_close(o, ']');
}

/* ---- one route ---- */

/* "/api/events/:id" is /api/events/{id} */
static const char *path_template(struct arena *a, const char *pattern)
{
	struct strbuf b;
	bool inside = false;

	strbuf_init(&b, a, 256);
	for (; *pattern; pattern++) {
		if (*pattern == '/' && inside)
			strbuf_addc(&b, '}');
		inside = *pattern == ':' || (inside && *pattern != '/');
		strbuf_addc(&b, *pattern == ':' ? '{' : *pattern);
	}
	if (inside)
		strbuf_addc(&b, '}');
	return arena_cstr(a, strbuf_str(&b));
}

/* What the path is about: "events"; "process" where it is about the program itself. */
static const char *tag_of(struct arena *a, const char *pattern)
{
	struct str rest = str_sub(str_of(pattern), 1), first = str_until(&rest, '/');

	if (str_eqs(first, "api"))
		first = str_until(&rest, '/');
	else if (!rest.n)
		first = STR("process");
	return arena_cstr(a, str_until(&first, '.'));
}

static bool has_token(unsigned needs)
{
	return needs != NEED_NOTHING && needs != NEED_SCRAPER && needs != NEED_CRON;
}

static void write_needs(struct json_out *o, struct arena *a, unsigned needs)
{
	if (needs != NEED_NOTHING) {
		json_key(o, "security");
		json_open(o, '[');
		json_open(o, '{');
		json_key(o, has_token(needs) ? "token" : needs == NEED_CRON ? "cron" : "metrics");
		json_open(o, '[');
		json_close(o, ']');
		json_close(o, '}');
		json_close(o, ']');
	}
	if (!has_token(needs))
		return;
	member_str(o, "x-role", role_word(NEED_ROLE(needs)));
	json_key(o, "x-platform-admin");
	json_bool(o, needs & NEED_PLATFORM);
	json_key(o, "x-scopes");
	json_open(o, '[');
	for (uint32_t scope = 1; scope & SCOPE_ALL; scope <<= 1)
		if (scope & (NEED_SCOPES(needs) | SCOPE_ADMIN))
			json_str(o, scopes_text(a, scope));
	json_close(o, ']');
}

static void write_path_parameters(struct json_out *o, struct arena *a, const char *pattern)
{
	struct str rest = str_of(pattern);

	while (rest.n) {
		struct str word = str_until(&rest, '/');

		if (!str_starts(word, ":"))
			continue;
		json_open(o, '{');
		member_str(o, "name", arena_cstr(a, str_sub(word, 1)));
		member_str(o, "in", "path");
		json_key(o, "required");
		json_bool(o, true);
		json_key(o, "schema");
		json_open(o, '{');
		member_str(o, "type", "string");
		json_close(o, '}');
		json_close(o, '}');
	}
}

static void write_query_parameter(struct json_out *o, const struct form_field *f)
{
	json_open(o, '{');
	member_str(o, "name", f->name);
	member_str(o, "in", "query");
	if (f->help)
		member_str(o, "description", f->help);
	if (f->flags & FORM_REQUIRED) {
		json_key(o, "required");
		json_bool(o, true);
	}
	if (f->type == FORM_WORDS) {	/* with commas between */
		json_key(o, "explode");
		json_bool(o, false);
	}
	json_key(o, "schema");
	schema_value(o, f, true);
	json_close(o, '}');
}

static void write_parameters(struct json_out *o, struct arena *a, const struct route *r, const struct doc *d)
{
	if (!d->query && !has_token(r->needs) && !strchr(r->pattern, ':'))
		return;
	json_key(o, "parameters");
	json_open(o, '[');
	write_path_parameters(o, a, r->pattern);
	for (const struct form_field *f = d->query; f && f->name; f++)
		write_query_parameter(o, f);
	if (has_token(r->needs))
		openapi_ref(o, "parameters", TENANT_PARAMETER);
	json_close(o, ']');
}

static void write_body(struct json_out *o, struct arena *a, const struct doc *d, bool change)
{
	bool needed = change;

	if (!d->body)
		return;
	for (const struct form_field *f = d->body; f->name; f++)
		needed = needed || f->flags & FORM_REQUIRED;
	json_key(o, "requestBody");
	json_open(o, '{');
	json_key(o, "required");
	json_bool(o, needed);
	json_key(o, "content");
	json_open(o, '{');
	json_key(o, "application/json");
	json_open(o, '{');
	json_key(o, "schema");
	schema_body(o, a, d, change);
	json_close(o, '}');
	json_close(o, '}');
	json_close(o, '}');
}

static void write_content(struct json_out *o, struct arena *a, const struct doc *d)
{
	json_key(o, "content");
	json_open(o, '{');
	json_key(o, d->media_type ? d->media_type : "application/json");
	json_open(o, '{');
	if (!d->media_type) {
		json_key(o, "schema");
		schema_answer(o, a, d);
	}
	json_close(o, '}');
	json_close(o, '}');
}

static void write_response(struct json_out *o, struct arena *a, const struct doc *d, unsigned status)
{
	char key[8];

	snprintf(key, sizeof(key), "%u", status);
	json_key(o, key);
	json_open(o, '{');
	member_str(o, "description", status < 300 ? "Done" : "Not well");
	if (d->fields.fields || d->also.fields || d->parts || d->media_type)
		write_content(o, a, d);
	json_close(o, '}');
}

/* Each error has the same members, so those that follow from the row are named and the rest is `default`. */
static void write_errors(struct json_out *o, const struct route *r, const struct doc *d)
{
	const struct {
		const char *status;
		bool there;
	} errors[] = {
		{ "400", d->query || d->body },
		{ "401", has_token(r->needs) },
		{ "403", r->needs != NEED_NOTHING },
		{ "404", strchr(r->pattern, ':') },
		{ "429", has_token(r->needs) },
		{ "default", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].there) {
			json_key(o, errors[i].status);
			openapi_ref(o, "responses", "Error");
		}
}

static void write_operation(struct json_out *o, struct arena *a, const struct route *r)
{
	const struct doc *d = r->doc;
	char method[8] = "";

	for (size_t i = 0; r->method[i] && i + 1 < sizeof(method); i++)
		method[i] = (char)tolower((unsigned char)r->method[i]);
	json_key(o, method);
	json_open(o, '{');
	openapi_head(o, a, method, r->pattern, tag_of(a, r->pattern), r->summary);
	write_needs(o, a, r->needs);
	write_parameters(o, a, r, d);
	write_body(o, a, d, !strcmp(r->method, "PATCH"));
	json_key(o, "responses");
	json_open(o, '{');
	write_response(o, a, d, d->status ? d->status : 200);
	if (d->or_status)
		write_response(o, a, d, d->or_status);
	if (d->or_doc)
		write_response(o, a, d->or_doc, d->or_doc->status ? d->or_doc->status : 200);
	write_errors(o, r, d);
	json_close(o, '}');
	json_close(o, '}');
}

static const struct route *first_of_path(const struct route *r)
{
	const struct route *first = api_routes;

	while (strcmp(first->pattern, r->pattern) != 0)
		first++;
	return first;
}

static void write_paths(struct json_out *o, struct arena *a)
{
	for (const struct route *r = api_routes; r->method; r++) {
		if (first_of_path(r) != r)
			continue;
		json_key(o, path_template(a, r->pattern));
		json_open(o, '{');
		for (const struct route *m = r; m->method; m++)
			if (!strcmp(m->pattern, r->pattern))
				write_operation(o, a, m);
		json_close(o, '}');
	}
}

/* ---- the document ---- */

static void write_info(struct json_out *o, const char *version, const char *public_url)
{
	json_key(o, "info");
	json_open(o, '{');
	member_str(o, "title", "Grapnel");
	member_str(o, "version", version);
	member_str(o, "description", "Takes webhooks of any provider, proves and stores them, and opens incidents. Lists are newest first; "
		"`next` of a page is the `cursor` of the following one. Times are RFC 3339 in UTC; numbers of things are texts.");
	json_key(o, "license");
	json_open(o, '{');
	member_str(o, "name", "MIT");
	member_str(o, "identifier", "MIT");
	json_close(o, '}');
	json_close(o, '}');
	json_key(o, "servers");
	json_open(o, '[');
	json_open(o, '{');
	member_str(o, "url", *public_url ? public_url : "/");
	json_close(o, '}');
	json_close(o, ']');
}

static void write_scheme(struct json_out *o, const char *name, const char *help)
{
	json_key(o, name);
	json_open(o, '{');
	member_str(o, "type", "http");
	member_str(o, "scheme", "bearer");
	member_str(o, "description", help);
	json_close(o, '}');
}

static void write_response_of(struct json_out *o, struct arena *a, const char *name, const char *help, const struct doc *d)
{
	json_key(o, name);
	json_open(o, '{');
	member_str(o, "description", help);
	json_key(o, "content");
	json_open(o, '{');
	json_key(o, "application/json");
	json_open(o, '{');
	json_key(o, "schema");
	if (d)
		schema_answer(o, a, d);
	else
		openapi_ref(o, "schemas", "Error");
	json_close(o, '}');
	json_close(o, '}');
	json_close(o, '}');
}

static const struct form_field tenant_field = { TENANT_PARAMETER, FORM_TEXT, .max = 64,
	.help = "For platform admins: a tenant by name, or all where a list serves all" };

static void write_components(struct json_out *o, struct arena *a)
{
	json_key(o, "components");
	json_open(o, '{');
	json_key(o, "securitySchemes");
	json_open(o, '{');
	write_scheme(o, "token", "A token of a user: role and scopes must both allow the call, see x-role and x-scopes; x-platform-admin: a platform admin alone may");
	write_scheme(o, "cron", "The token of [cron] in the configuration");
	write_scheme(o, "metrics", "The token of [metrics] in the configuration; its `allow` list of addresses does without");
	json_close(o, '}');
	json_key(o, "parameters");
	json_open(o, '{');
	json_key(o, "tenant");
	write_query_parameter(o, &tenant_field);
	inbound_parameters_write(o);
	json_close(o, '}');
	json_key(o, "responses");
	json_open(o, '{');
	write_response_of(o, a, "Error", "Not done, and why", NULL);
	write_response_of(o, a, "Inbound", "Taken (201), known before (200), or kept until the database is back (202). Providers that "
		"insist on an answer of their own get that", &inbound_doc);
	json_close(o, '}');
	json_key(o, "schemas");
	json_open(o, '{');
	schemas_write(o, a, api_routes, &inbound_doc);
	json_close(o, '}');
	json_close(o, '}');
}

struct str api_document(struct arena *a, const char *version, const char *public_url)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, DOCUMENT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	member_str(&o, "openapi", "3.1.0");
	write_info(&o, version, public_url);
	json_key(&o, "paths");
	json_open(&o, '{');
	write_paths(&o, a);
	inbound_paths_write(&o, a);
	json_close(&o, '}');
	write_components(&o, a);
	json_close(&o, '}');
	return strbuf_str(&b);
}

/* ---- the handler ---- */

/* It only changes with the program, so it is made once and every later call costs a comparison. */
static void keep_document(struct api *api)
{
	unsigned char digest[SHA256_BYTES];

	api->kept = arena_new(4 * (size_t)DOCUMENT_MAX);	/* what grows is copied */
	api->document = api_document(api->kept, api->c.version, api->c.conf->server.public_url);
	sha256(api->document, digest);
	api->document_etag = arena_printf(api->kept, "\"%.*s\"", STR_ARG(hex_encode(api->kept, digest, 16)));
}

void api_openapi(void *call)
{
	struct call *c = call;
	struct api *api = c->api;

	if (!api->kept)
		keep_document(api);
	response_header(c->rq, "ETag", api->document_etag);
	response_header(c->rq, "Cache-Control", STR("public, max-age=300"));
	if (request_has(c->rq, api->document_etag))
		c->rq->response.status = 304;
	else
		response_json(c->rq, 200, api->document);
}
