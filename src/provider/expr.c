/* Expressions: how a table row says where a value is. provider.h describes the language.
 *
 * They are read anew at each evaluation. That is cheaper than it looks, since a single path is a
 * pointer walk that ends in a view, and it spares a compiled form with its own life time. A text
 * with braces is gathered as a list of views and copied once. Expressions are our own constants;
 * only the paths under %name come from an administrator. */
#include <assert.h>

#include "grapnel/crypto.h"
#include "provider_int.h"

#define LABELS_MAX (64 * 1024 * 1024)	/* written labels: more than the largest body can hold */
#define PARTS_MAX 32	/* views in one text; the longest row has 9 */

/* ---- what counts as not there ---------------------------------------------------------------- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_letter(s.p[i]) && (i == 0 || s.p[i] < '0' || s.p[i] > '9'))
			return false;
	return s.n > 0;
}

static bool is_capitals(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'a' && s.p[i] <= 'z')
			return false;
	return true;
}

static struct str inner(struct str s, size_t front, size_t back)
{
	return (struct str){ s.p + front, s.n - front - back };
}

/* Template variables that the sender left in place: *name* (UptimeRobot), ${...} (AppDynamics,
 * VictorOps), $NAME (Datadog), {{...}} (Mustache), {Placeholder} (Dynatrace). A UUID in braces is
 * none, nor is a price. */
static bool is_template_variable(struct str s)
{
	if (s.n < 3)
		return false;
	switch (s.p[0]) {
	case '*':
		return s.p[s.n - 1] == '*' && is_name(inner(s, 1, 1));
	case '$':
		if (s.p[1] == '{')
			return s.p[s.n - 1] == '}';
		return is_name(str_sub(s, 1)) && is_capitals(s);
	case '{':
		if (s.p[s.n - 1] != '}')
			return false;
		if (s.p[1] == '{')
			return s.n > 3 && s.p[s.n - 2] == '}';
		return is_name(inner(s, 1, 1));
	}
	return false;
}

bool value_absent(struct str s)
{
	return s.n == 0 || is_template_variable(s);
}

static struct str value_of(struct str raw)
{
	struct str s = str_trim(raw);

	return value_absent(s) ? STR_NONE : s;
}

static struct str id_of(struct str s)
{
	static const char *const nothing[] = { "null", "none", "n/a", "undefined" };

	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++)
		if (str_ieqs(s, nothing[i]))
			return STR_NONE;
	return s;
}

/* ---- single paths ---------------------------------------------------------------------------- */

/* "a.b.c": the member of that name, else c in "a.b", else "b.c" in a. */
static const struct json *dotted(const struct json *j, struct str name)
{
	const struct json *found = json_getn(j, name);

	for (size_t i = name.n; i-- > 0 && !found;)
		if (name.p[i] == '.')
			found = dotted(json_getn(j, (struct str){ name.p, i }), str_sub(name, i + 1));
	return found;
}

static const struct json *inside(const struct json *j, struct str path)
{
	return str_starts(path, ".") ? dotted(j, str_sub(path, 1)) : json_at(j, path);
}

/* The top of a body can hold 190,000 members, and 9,000 events could each walk along them. */
static const struct json *json_at_top(struct str path, const struct where *w)
{
	struct top_paths *top = w->top;
	const struct json *value;

	for (size_t i = 0; top && i < top->n; i++)
		if (str_eq(top->seen[i].path, path))
			return top->seen[i].value;
	value = inside(w->in->doc, path);
	if (top && top->n < TOP_PATHS_MAX) {
		top->seen[top->n].path = path;
		top->seen[top->n++].value = value;
	}
	return value;
}

static const struct json *json_of(struct str path, const struct where *w)
{
	switch (path.n ? path.p[0] : '\0') {
	case '/':
	case '.':
		return inside(w->element, path);
	case '^':
		return json_at_top(str_sub(path, 1), w);
	case '<':
		return inside(w->wrapper, str_sub(path, 1));
	}
	return NULL;
}

const struct json *expr_json(const char *path, const struct where *w)
{
	return json_of(str_of(path), w);
}

static int member_order(const void *a, const void *b)
{
	const struct json *const *x = a, *const *y = b;

	return str_cmp((*x)->name, (*y)->name);
}

/* A name and a value can hold '=' and line feeds, but a set of labels that was made to look like
 * another harms only its sender. */
static struct str members_hash(struct arena *a, const struct json *object)
{
	const struct json **member;
	struct strbuf text;
	size_t n = 0;

	if (!object || object->type != JSON_OBJECT || object->count == 0)
		return STR_NONE;
	member = ARENA_ARRAY(a, const struct json *, object->count);
	for (const struct json *j = object->first; j; j = j->next)
		member[n++] = j;
	qsort(member, n, sizeof(*member), member_order);
	strbuf_init(&text, a, LABELS_MAX);
	for (size_t i = 0; i < n; i++) {
		strbuf_addstr(&text, member[i]->name);
		strbuf_addc(&text, '=');
		strbuf_addstr(&text, json_text(member[i]));
		strbuf_addc(&text, '\n');
	}
	return sha256_hex(a, strbuf_str(&text));
}

/* ---- tags ------------------------------------------------------------------------------------ */

/* "name:value", in Elastic "name=value", in Sentry ["name", "value"] */
static struct str tag_in_piece(struct str piece, struct str name)
{
	struct str s = str_trim(piece), rest;
	size_t n = 0;

	while (n < s.n && s.p[n] != ':' && s.p[n] != '=')
		n++;
	rest = str_sub(s, n + 1);
	return str_ieq(str_trim((struct str){ s.p, n }), name) ? value_of(rest) : STR_NONE;
}

static struct str tag_in_text(struct str text, struct str name)
{
	struct str value = STR_NONE;

	text = str_trim(text);
	if (str_starts(text, "[") && str_ends(text, "]"))	/* Dynatrace puts all of them in brackets */
		text = inner(text, 1, 1);
	while (text.n && !value.n)
		value = tag_in_piece(str_until(&text, ','), name);
	return value;
}

static struct str tag_in_element(const struct json *tag, struct str name)
{
	bool object = tag->type == JSON_OBJECT;

	if (!object && tag->type != JSON_ARRAY)
		return tag_in_piece(json_text(tag), name);
	if (!str_ieq(str_trim(json_text(object ? json_get(tag, "name") : json_index(tag, 0))), name))
		return STR_NONE;
	return value_of(json_text(object ? json_get(tag, "value") : json_index(tag, 1)));
}

/* The first of that name, without case. */
static struct str tag_value(struct str name, const struct json *set)
{
	struct str value = STR_NONE;

	if (!json_is(set, JSON_ARRAY))
		return tag_in_text(json_text(set), name);
	for (const struct json *tag = set->first; tag && !value.n; tag = tag->next)
		value = tag_in_element(tag, name);
	return value;
}

/* Parts a name from the path behind it: "name/a/b", "name^/a/b". */
static struct str name_before(struct str *expr)
{
	struct str all = *expr;
	size_t n = 0;

	while (n < all.n && !strchr("/^<", all.p[n]))
		n++;
	*expr = str_sub(all, n);
	return (struct str){ all.p, n };
}

/* "name/a/b" */
static struct str tag_at(struct str expr, const struct where *w)
{
	struct str name = name_before(&expr);

	return tag_value(name, json_of(expr, w));
}

/* ---- facts of the request -------------------------------------------------------------------- */

/* With GET there is no body, and the query tells one request from another. */
static struct str body_hash(struct arena *a, const struct where *w)
{
	struct str body = str_eqs(w->in->method, "GET") ? w->in->query : w->in->body;

	if (!w->body_hash)
		return sha256_hex(a, body);
	if (w->body_hash->n == 0)
		*w->body_hash = sha256_hex(a, body);
	return *w->body_hash;
}

static struct str request_fact(struct arena *a, struct str name, const struct where *w)
{
	if (str_eqs(name, "body"))
		return body_hash(a, w);
	if (str_eqs(name, "request"))
		return w->in->request_id;
	if (str_eqs(name, "path"))
		return w->in->path;
	if (str_eqs(name, "key"))
		return w->event ? w->event->dedup_key : STR_NONE;
	if (str_eqs(name, "list"))
		return w->list;
	assert(str_eqs(name, "index"));
	return arena_printf(a, "%zu", w->index);
}

static struct str query_value(struct arena *a, struct str name, const struct where *w)
{
	struct str rest = w->in->query, n, value;

	while (form_next(a, &rest, &n, &value))
		if (str_eq(n, name))
			return value_of(value);
	return STR_NONE;
}

static struct str header_value(const struct inbound *in, struct str name)
{
	for (size_t i = 0; i < in->header_n; i++)
		if (str_eq(in->headers[i].name, name))
			return in->headers[i].value;
	return STR_NONE;
}

struct str inbound_header(const struct inbound *in, const char *name)
{
	return header_value(in, str_of(name));
}

void inbound_set_uri(struct inbound *in, struct str uri)
{
	in->uri = in->query = uri;
	in->path = str_until(&in->query, '?');
}

void inbound_set_url(struct inbound *in, struct str url)
{
	size_t n = 0;

	while (n < url.n && url.p[n] != ':')
		n++;
	for (n += strlen("://"); n < url.n && !strchr("/?#", url.p[n]); n++)
		continue;
	in->public_url = (struct str){ url.p, n < url.n ? n : url.n };
	inbound_set_uri(in, str_sub(url, n));
}

void inbound_add_header(struct arena *a, struct inbound *in, const char *name, struct str value)
{
	struct header *copy = ARENA_ARRAY(a, struct header, in->header_n + 1);

	for (size_t i = 0; i < in->header_n; i++)
		copy[i] = in->headers[i];
	copy[in->header_n] = (struct header){ str_of(name), value };
	in->headers = copy;
	in->header_n++;
}

/* A path of the settings: a JSON pointer, or the bare name of a member. */
static struct str value_at_setting(const struct json *path, const struct where *w)
{
	struct str p = json_text(path);

	if (p.n == 0)
		return STR_NONE;
	if (p.p[0] == '/')
		return value_of(json_text(json_at(w->element, p)));
	return value_of(json_text(json_getn(w->element, p)));
}

static struct str setting_value(struct str name, const struct where *w)
{
	const struct json *paths = json_getn(json_get(w->in->settings, "fields"), name);
	struct str s;

	if (!json_is(paths, JSON_ARRAY))
		return value_at_setting(paths, w);
	for (const struct json *path = paths->first; path; path = path->next) {
		s = value_at_setting(path, w);
		if (s.n)
			return s;
	}
	return STR_NONE;
}

/* The last part of a URL's path; a slash may stand behind it. */
static struct str last_part(struct str url)
{
	size_t from;

	while (str_ends(url, "/"))
		url.n--;
	for (from = url.n; from && url.p[from - 1] != '/'; from--)
		continue;
	return str_sub(url, from);
}

/* What follows the part of that name. */
static struct str part_behind(struct str url, struct str name)
{
	size_t n = 0;

	while (url.n)
		if (str_ieq(str_until(&url, '/'), name))
			break;
	while (n < url.n && !strchr("/?#", url.p[n]))
		n++;
	return (struct str){ url.p, n };
}

/* "name/a/b" */
static struct str url_part_at(struct str expr, const struct where *w)
{
	struct str name = name_before(&expr);

	return value_of(part_behind(json_text(json_of(expr, w)), name));
}

bool value_left_over(const struct provider *p, struct str s)
{
	for (const char *const *word = p ? p->left_over : NULL; word && *word; word++)
		if (str_eqs(s, *word))
			return true;
	return false;
}

static struct str eval_path(struct arena *a, struct str path, const struct where *w);

static struct str value_at_path(struct arena *a, struct str path, const struct where *w)
{
	struct str rest = str_sub(path, 1);

	assert(path.n > 1);
	switch (path.p[0]) {
	case '/':
	case '.':
	case '^':
	case '<':
		return value_of(json_text(json_of(path, w)));
	case '#':
		return id_of(value_of(json_text(json_of(rest, w))));
	case '~':
		return last_part(eval_path(a, rest, w));
	case '&':
		return url_part_at(rest, w);
	case '=':
		return members_hash(a, json_of(rest, w));
	case ':':
		return tag_at(rest, w);
	case '%':
		return setting_value(rest, w);
	case '@':
		return value_of(header_value(w->in, rest));
	case '?':
		return query_value(a, rest, w);
	case '$':
		return request_fact(a, rest, w);
	case '!':
		return value_of(w->p->own(a, rest, w));
	}
	assert(path.p[0] == '\'' && path.p[path.n - 1] == '\'');
	return inner(path, 1, 1);
}

static struct str eval_path(struct arena *a, struct str path, const struct where *w)
{
	struct str value = value_at_path(a, path, w);

	return value_left_over(w->p, value) ? STR_NONE : value;
}

static struct str eval_first(struct arena *a, struct str paths, const struct where *w)
{
	while (paths.n) {
		struct str value = eval_path(a, str_until(&paths, '|'), w);

		if (value.n)
			return value;
	}
	return STR_NONE;
}

/* ---- texts with braces ----------------------------------------------------------------------- */

struct text {
	struct str part[PARTS_MAX];
	size_t n;
};

static void add_part(struct text *t, struct str part)
{
	assert(t->n < PARTS_MAX);
	t->part[t->n++] = part;
}

static struct str literal(struct str *expr)
{
	struct str all = *expr;
	size_t n = 0;

	while (n < all.n && !strchr("{[]", all.p[n]))
		n++;
	*expr = str_sub(all, n);
	return (struct str){ all.p, n };
}

/* False when a brace outside of [ ] is not there. */
static bool gather(struct arena *a, struct str expr, const struct where *w, struct text *t)
{
	size_t group = SIZE_MAX;	/* parts in front of the open '[' */

	while (expr.n) {
		char c = expr.p[0];

		if (c == '[' || c == ']') {
			group = c == '[' ? t->n : SIZE_MAX;
			expr = str_sub(expr, 1);
		} else if (c == '{') {
			struct str value;

			expr = str_sub(expr, 1);
			value = eval_first(a, str_until(&expr, '}'), w);
			if (value.n) {
				add_part(t, value);
			} else if (group != SIZE_MAX) {
				t->n = group;
				group = SIZE_MAX;
				(void)str_until(&expr, ']');
			} else {
				return false;
			}
		} else {
			add_part(t, literal(&expr));
		}
	}
	return true;
}

static struct str eval_text(struct arena *a, struct str expr, const struct where *w)
{
	struct text t = { .n = 0 };
	size_t n = 0;
	char *p;

	if (!gather(a, expr, w, &t))
		return STR_NONE;
	for (size_t i = 0; i < t.n; i++)
		n += t.part[i].n;
	p = arena_alloc(a, n + 1);
	n = 0;
	for (size_t i = 0; i < t.n; i++) {
		memcpy(p + n, t.part[i].p, t.part[i].n);
		n += t.part[i].n;
	}
	return (struct str){ p, n };
}

struct str expr_eval(struct arena *a, const char *expr, const struct where *w)
{
	struct str s = str_of(expr);

	return str_find(s, '{') >= 0 ? eval_text(a, s, w) : eval_first(a, s, w);
}
