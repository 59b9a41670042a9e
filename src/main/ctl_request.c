/* ctl_request.c - a captured request from the command line and files, as an adapter sees it. No database is asked: what a source would
 * add, its settings, are options as well (ctl_settings.c). */
#include "ctl_request.h"
#include "id_worker.h"

#define BODY_MAX ((size_t)32 << 20)	/* over the largest that a provider may send */
#define HEADERS_BYTES_MAX (1u << 20)
#define HEADERS_MAX 256

/* ---- headers, and what a capture may have before them ---- */

static struct str upper(struct arena *a, struct str s)
{
	char *p = arena_cstr(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'a' && p[i] <= 'z')
			p[i] -= 'a' - 'A';
	return (struct str){ p, s.n };
}

/* "POST /path HTTP/1.1", or HTTP/2's ":method: POST" and ":path: /path". False: it is neither. */
static bool is_request_line(struct ctl *c, struct inbound *in, struct str line)
{
	struct str rest = line, first = str_word(&rest), second = str_word(&rest);

	if (str_eqs(first, ":method:"))
		in->method = upper(c->arena, second);
	else if (str_eqs(first, ":path:"))
		inbound_set_uri(in, second);
	else if (str_starts(str_trim(rest), "HTTP/") && str_starts(second, "/")) {
		in->method = upper(c->arena, first);
		inbound_set_uri(in, second);
	} else {
		return str_starts(first, ":");	/* :authority, :scheme */
	}
	return true;
}

static bool add_header(struct ctl *c, struct inbound *in, struct header *list, struct str line, struct err *e)
{
	struct str value = line, name = str_trim(str_until(&value, ':'));

	if (is_request_line(c, in, line))
		return true;
	if (!name.n || name.n == str_trim(line).n || str_find(name, ' ') >= 0)
		return err_set(e, ERR_INVALID, "a header is \"Name: value\", not \"%.*s\"", STR_ARG(str_cut(line, 100)));
	if (in->header_n == HEADERS_MAX)
		return err_set(e, ERR_INVALID, "there are more than %d headers", HEADERS_MAX);
	list[in->header_n++] = (struct header){ arena_lower(c->arena, name), str_trim(value) };
	return true;
}

static bool add_header_file(struct ctl *c, struct inbound *in, struct header *list, struct str path, struct err *e)
{
	struct str text;

	if (!ctl_file(c, "header-file", path, HEADERS_BYTES_MAX, &text, e))
		return false;
	while (text.n) {
		struct str line = str_until(&text, '\n');

		if (str_trim(line).n && !add_header(c, in, list, line, e))
			return false;
	}
	return true;
}

static bool set_headers(struct ctl *c, struct inbound *in, struct err *e)
{
	struct header *list = ARENA_ARRAY(c->arena, struct header, HEADERS_MAX);
	struct str given;

	in->headers = list;
	for (size_t i = 0; (given = ctl_value_at(c, "header-file", i)).p; i++)
		if (!add_header_file(c, in, list, given, e))
			return false;
	for (size_t i = 0; (given = ctl_value_at(c, "header", i)).p; i++)
		if (!add_header(c, in, list, given, e))
			return false;
	given = inbound_header(in, "content-type");
	in->content_type = arena_lower(c->arena, str_trim(str_until(&given, ';')));
	return true;
}

/* ---- what options say of method and address, over what headers said ---- */

static void set_query(struct ctl *c, struct inbound *in, struct str query)
{
	inbound_set_uri(in, arena_printf(c->arena, "%.*s?%.*s", STR_ARG(in->path), STR_ARG(query)));
}

static bool set_address(struct ctl *c, struct inbound *in, struct err *e)
{
	struct str url = ctl_value(c, "url"), query = ctl_value(c, "query"), method = ctl_value(c, "method");

	if (method.n)
		in->method = upper(c->arena, method);
	if (!url.p && !in->path.n)
		url = arena_printf(c->arena, "/api/integrations/%s", c->words[0]);
	if (str_starts(url, "https://") || str_starts(url, "http://"))
		inbound_set_url(in, url);
	else if (str_starts(url, "/"))
		inbound_set_uri(in, url);
	else if (url.p)
		return err_set(e, ERR_INVALID, "--url is the address that the sender called, https://...");
	if (query.p)
		set_query(c, in, str_sub(query, str_starts(query, "?")));
	return true;
}

/* A GET has no body: what stands for it is the query. */
static bool set_body(struct ctl *c, struct inbound *in, struct err *e)
{
	struct str path = ctl_value(c, "body");

	if (path.p && !ctl_file(c, "body", path, BODY_MAX, &in->body, e))
		return false;
	if (str_eqs(in->method, "GET") && !in->query.n && in->body.n) {
		set_query(c, in, str_trim(in->body));
		in->body = STR_NONE;
	}
	return true;
}

/* ---- all of it ---- */

bool ctl_request(struct ctl *c, const struct provider **p, struct inbound *in, struct err *e)
{
	struct id_maker ids;
	uint64_t at = 0;

	*p = provider_find(ctl_word(c, 0));
	if (!*p)
		return err_set(e, ERR_INVALID, "there is no integration type \"%s\"", c->words[0]);
	id_maker_init(&ids, id_worker_of_program(&c->conf));	/* keys are made of the request's number where the sender names none */
	*in = (struct inbound){ .method = STR("POST"),
		.request_id = arena_printf(c->arena, "%llu", (unsigned long long)id_make(&ids, c->now)) };
	if (!ctl_number(c, "at", 0, INT32_MAX * UINT64_C(100), &at, e) || !set_headers(c, in, e) || !set_address(c, in, e) ||
		!set_body(c, in, e) || !ctl_settings(c, *p, in, e))
		return false;
	in->now = ctl_has(c, "at") ? (ms_t)at * MS_PER_SECOND : c->now;
	return true;
}

/* ---- proofs ---- */

void ctl_steps_json(struct json_out *o, const struct proof_step *steps, size_t n)
{
	json_key(o, "steps");
	json_rows(o, proof_step_fields, steps, sizeof(*steps), n);
}

void ctl_steps_text(const struct proof_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("%-5s %-12.*s ", steps[i].ok ? "ok" : "FAIL", STR_ARG(steps[i].name));
		ctl_text(stdout, steps[i].detail, false);
		putchar('\n');
	}
}
