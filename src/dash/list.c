/* list.c - what all lists share: links to further pages with the filters kept, and the list as CSV or JSON. */
#include "dash_int.h"

#include "grapnel/json.h"

#define EXPORT_MAX (64u << 20)	/* bytes: 10,000 events with the longest texts stay below */
/* Pages of an export that are short because few rows fit its filter: each has passed up to LIST_SCAN_MAX rows, so these are a
 * million, some seconds of a worker. */
#define SHORT_PAGES_MAX 50
#define QUERY_MAX 8192

/* ---- links ---- */

/* The page's own query without empty parameters, cursor and `name`, then name=value where there is one. */
static struct str query_put(const struct visit *v, const char *name, struct str value)
{
	struct str rest = v->rq->query, key, text;
	struct strbuf b;

	strbuf_init(&b, v->a, QUERY_MAX);
	while (form_next(v->a, &rest, &key, &text)) {
		if (!text.n || str_eqs(key, "cursor") || str_eqs(key, name))
			continue;
		strbuf_addc(&b, b.n ? '&' : '?');
		strbuf_addstr(&b, url_encode(v->a, key));
		strbuf_addc(&b, '=');
		strbuf_addstr(&b, url_encode(v->a, text));
	}
	if (value.n) {
		strbuf_addf(&b, "%c%s=", b.n ? '&' : '?', name);
		strbuf_addstr(&b, url_encode(v->a, value));
	}
	return b.failed ? STR_NONE : strbuf_str(&b);
}

static struct str path_with(const struct visit *v, const char *suffix, struct str query)
{
	return arena_printf(v->a, "%.*s%s%.*s", STR_ARG(v->rq->path), suffix, STR_ARG(query));
}

struct str query_with(const struct visit *v, const char *name, const char *value)
{
	return path_with(v, "", query_put(v, name, str_of(value)));
}

void chips_of_words(struct visit *v, const char *name, const struct form_word *words, uint64_t chosen, struct chip **out, size_t *n)
{
	size_t words_n = 0;

	while (words[words_n].word)
		words_n++;
	*out = ARENA_ARRAY(v->a, struct chip, words_n + 1);
	(*out)[0] = (struct chip){ STR("All"), query_with(v, name, NULL), !chosen };
	for (size_t i = 0; i < words_n; i++)
		(*out)[i + 1] = (struct chip){ str_of(words[i].word), query_with(v, name, words[i].word), chosen == words[i].bits };
	*n = words_n + 1;
}

void list_nav_fill(struct visit *v, struct list_nav *nav, const char *plural, uint64_t cursor, uint64_t next)
{
	struct str same = query_put(v, "cursor", STR_NONE);

	*nav = (struct list_nav){ .csv_url = path_with(v, ".csv", same), .json_url = path_with(v, ".json", same) };
	if (next)
		nav->next_url = path_with(v, "", query_put(v, "cursor", form_cursor(v->a, plural, next)));
	if (cursor)
		nav->first_url = path_with(v, "", same);
}

void list_nav_count(struct visit *v, struct list_nav *nav, uint64_t cursor, uint64_t next, size_t n)
{
	if (n)
		nav->count = arena_printf(v->a, "%s%zu%s", !cursor && next ? "More than " : "", n, cursor ? " on this page" : next ? "" : " in all");
}

/* ---- exports ---- */

struct export {
	struct strbuf b;
	struct json_out json;
	const struct list_source *l;
	enum suffix suffix;
};

static void export_rows(struct export *x, const char *rows, size_t n)
{
	for (size_t i = 0; i < n; i++, rows += x->l->size) {
		if (x->suffix == SUFFIX_CSV) {
			csv_row(&x->b, x->l->fields, rows);
		} else {
			json_open(&x->json, '{');
			json_fields(&x->json, x->l->fields, rows);
			json_close(&x->json, '}');
		}
	}
}

static void export_begin(struct visit *v, struct export *x)
{
	strbuf_init(&x->b, v->a, EXPORT_MAX);
	if (x->suffix == SUFFIX_CSV) {
		csv_header(&x->b, x->l->fields);
		return;
	}
	json_out_init(&x->json, &x->b);
	json_open(&x->json, '{');
	json_key(&x->json, x->l->plural);
	json_open(&x->json, '[');
}

static void export_end(struct visit *v, struct export *x, uint64_t next)
{
	bool csv = x->suffix == SUFFIX_CSV;

	if (!csv) {
		json_close(&x->json, ']');
		json_key(&x->json, "next");
		if (next)
			json_str(&x->json, form_cursor(v->a, x->l->plural, next));
		else
			json_null(&x->json);
		json_close(&x->json, '}');
	}
	v->rq->response.status = 200;
	v->rq->response.content_type = csv ? "text/csv; charset=utf-8; header=present" : "application/json";
	v->rq->response.body = strbuf_str(&x->b);
	response_header(v->rq, "Content-Disposition",
		arena_printf(v->a, "attachment; filename=\"%s.%s\"", x->l->plural, csv ? "csv" : "json"));
	if (next)	/* a CSV has no place to say that there is more */
		response_header(v->rq, "X-Next-Cursor", form_cursor(v->a, x->l->plural, next));
}

bool list_exported(struct visit *v, const struct list_source *l, uint64_t cursor)
{
	struct export x = { .l = l, .suffix = v->suffix };
	struct err e = { 0 };
	size_t total = 0, n = 0, short_pages = 0;
	void *rows;

	if (!v->suffix)
		return false;
	export_begin(v, &x);
	do {
		if (!l->read(v, l->query, cursor, LIST_LIMIT_MAX, &rows, &n, &cursor, &e))
			return !visit_err(v, &e);
		export_rows(&x, rows, n);
		total += n;
		short_pages += n < LIST_LIMIT_MAX;
	} while (cursor && total < EXPORT_ROWS_MAX && short_pages < SHORT_PAGES_MAX && !x.b.failed);
	if (x.b.failed)
		err_tell(&e, ERR_INVALID, "This export is larger than %u MiB. Narrow the filter.", EXPORT_MAX >> 20);
	else if (cursor && short_pages == SHORT_PAGES_MAX)
		err_tell(&e, ERR_INVALID, "Too few rows fit this filter to look through all for them. Choose a shorter time.");
	if (e.code)
		return !visit_err(v, &e);
	export_end(v, &x, cursor);
	return true;
}

bool list_read(struct visit *v, const struct list_source *l, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, struct list_nav *nav)
{
	struct err e = { 0 };
	uint64_t next;

	if (list_exported(v, l, cursor))
		return false;
	if (!l->read(v, l->query, cursor, limit, rows_r, n, &next, &e))
		return visit_err(v, &e);
	list_nav_fill(v, nav, l->plural, cursor, next);
	list_nav_count(v, nav, cursor, next, *n);
	return true;
}
