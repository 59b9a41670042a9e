/* ctl_case.c - the cases that come with Grapnel: requests as providers sent them, a file each of what is above the body, and one of the body.
 *
 * FOLDER/TYPE/NAME.expect begins with lines "> Name: value" for headers, "> :method GET", "> :uri /path?query", "> :payload FILE" and
 * "> :sample", the type's test webhook; what follows is what it becomes. The body stands beside it, NAME.json or another ending. */
#include <dirent.h>

#include "ctl_case.h"

#define CASE_BYTES_MAX (4u << 20)
#define CASE_HEADERS_MAX 32
#define CASES_MAX 1000
#define SUFFIX ".expect"

static const char *folder_of(struct ctl *c, const struct provider *p)
{
	struct str given = ctl_value(c, "cases-dir");

	return arena_printf(c->arena, "%s/%s", given.p ? given.p : CTL_CASES_FOLDER, p->slug).p;
}

/* ---- one case ---- */

struct reading {
	struct ctl *c;
	const struct provider *p;
	const char *folder;
	struct str name, payload;
	struct header *headers;
	struct inbound *in;
	bool is_sample;
};

/* The signature of then fits no secret of now: it is made anew. */
static bool is_signature(const struct provider *p, struct str header)
{
	for (const struct proof *const *proof = provider_proofs(p); *proof; proof++)
		if ((*proof)->header && str_eqs(header, (*proof)->header))
			return true;
	return false;
}

static void add_header(struct reading *r, struct str line)
{
	struct str name = arena_lower(r->c->arena, str_trim(str_until(&line, ':')));

	if (r->in->header_n < CASE_HEADERS_MAX && !is_signature(r->p, name))
		r->headers[r->in->header_n++] = (struct header){ name, str_trim(line) };
}

static void take_line(struct reading *r, struct str line)
{
	struct str rest = line, first = str_word(&rest);

	rest = str_trim(rest);
	if (str_eqs(first, ":method"))
		r->in->method = rest;
	else if (str_eqs(first, ":uri"))
		inbound_set_uri(r->in, rest);
	else if (str_eqs(first, ":payload"))
		r->payload = rest;
	else if (str_eqs(first, ":sample"))
		r->is_sample = true;
	else if (!str_starts(line, ":"))
		add_header(r, line);
}

static bool read_payload(struct reading *r, struct str *out, struct err *e)
{
	static const char *const endings[] = { "json", "form", "xml", "body", "query" };
	struct arena *a = r->c->arena;

	if (r->payload.n)
		return file_read(a, arena_printf(a, "%s/%.*s", r->folder, STR_ARG(r->payload)).p, CASE_BYTES_MAX, out, e);
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		*e = (struct err){ 0 };
		if (file_read(a, arena_printf(a, "%s/%.*s.%s", r->folder, STR_ARG(r->name), endings[i]).p, CASE_BYTES_MAX, out, e))
			return true;
		if (e->code != ERR_NOT_FOUND)
			return false;
	}
	return false;
}

/* Of GET the query is the body, unless :uri brought one. */
static bool set_payload(struct reading *r, struct err *e)
{
	struct str type = inbound_header(r->in, "content-type"), text;

	if (!read_payload(r, &text, e))
		return false;
	r->in->content_type = arena_lower(r->c->arena, str_trim(str_until(&type, ';')));
	if (!str_eqs(r->in->method, "GET"))
		r->in->body = text;
	else if (!r->in->query.n)
		inbound_set_uri(r->in, arena_printf(r->c->arena, "%.*s?%.*s", STR_ARG(r->in->path), STR_ARG(str_trim(text))));
	return true;
}

bool ctl_case_read(struct ctl *c, const struct provider *p, struct str name, struct str nonce, struct inbound *in, struct err *e)
{
	struct reading r = { .c = c, .p = p, .folder = folder_of(c, p), .name = name, .in = in,
		.headers = ARENA_ARRAY(c->arena, struct header, CASE_HEADERS_MAX) };
	struct err why = { 0 };
	struct str text;

	if (!name.n || str_find(name, '/') >= 0 ||
			!file_read(c->arena, arena_printf(c->arena, "%s/%.*s" SUFFIX, r.folder, STR_ARG(name)).p, CASE_BYTES_MAX, &text, &why))
		return err_set(e, ERR_INVALID, "the type %s has no case \"%.*s\"; see grapnelctl send %s --list-cases", p->slug,
			STR_ARG(str_cut(name, 60)), p->slug);
	*in = (struct inbound){ .method = STR("POST"), .headers = r.headers, .now = c->now };
	inbound_set_uri(in, STR("/"));
	while (str_starts(text, "> "))
		take_line(&r, str_sub(str_until(&text, '\n'), 2));
	if (!r.is_sample)
		return set_payload(&r, e);
	provider_sample(p, c->arena, STR_NONE, nonce, c->now, in);
	return true;
}

/* ---- all of a type ---- */

struct row {
	struct str name, becomes;
};

static const struct field row_fields[] = {
	FIELD_STR(struct row, name, "case", ""),
	FIELD_STR(struct row, becomes, "becomes", ""),
	FIELD_END
};

static int is_case(const struct dirent *x)
{
	return str_ends(str_of(x->d_name), SUFFIX);
}

/* "trigger critical CRITICAL", "handshake 200 text/plain": the first line behind the head. */
static struct str becomes(struct ctl *c, const char *folder, const char *file)
{
	struct err ignored = { 0 };
	struct str text;

	if (!file_read(c->arena, arena_printf(c->arena, "%s/%s", folder, file).p, CASE_BYTES_MAX, &text, &ignored))
		return STR_NONE;
	while (str_starts(text, "> "))
		str_until(&text, '\n');
	return str_until(&text, '\n');
}

bool ctl_case_list(struct ctl *c, const struct provider *p, struct err *e)
{
	const char *folder = folder_of(c, p);
	struct row *rows = ARENA_ARRAY(c->arena, struct row, CASES_MAX);
	struct dirent **names;
	int n = scandir(folder, &names, is_case, alphasort);
	size_t row_n = 0;

	if (n < 0)
		return err_sys(e, ERR_NOT_FOUND, "the cases of %s, %s", p->slug, folder);
	for (int i = 0; i < n; i++) {
		struct str file = str_of(names[i]->d_name);

		if (row_n < CASES_MAX)
			rows[row_n++] = (struct row){ arena_str(c->arena, (struct str){ file.p, file.n - strlen(SUFFIX) }),
				becomes(c, folder, names[i]->d_name) };
		free(names[i]);
	}
	free(names);
	ctl_list(c, "cases", row_fields, "case becomes", rows, row_n, sizeof(*rows), 0);
	return true;
}
