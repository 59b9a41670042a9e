/* json_read.c - JSON text into a tree, by yajl's event parser.
 *
 * What stands where it is in the text is not copied: strings without escapes and numbers become views of the text, and
 * only decoded strings take memory. yajl counts neither depth nor values, so the events do; its allocator is malloc, so
 * that its scratch buffers, which double as they grow, do not stay in the arena.
 *
 * yajl's check of UTF-8 lets overlong forms and surrogates pass. The text is checked before, by our own; yajl's is off.
 * An escape can still name half a surrogate pair (RFC 8259 section 8.2 leaves the meaning open): of a lone high half yajl
 * makes '?', of a lone low half we make U+FFFD, so that what the tree holds is always UTF-8.
 *
 * Loose text is mended in a copy, and the place of an error found by mending once more. Given to yajl in pieces with what
 * is missing between them it would not be copied, but at each piece yajl reads the string that it is in from its beginning:
 * 50 KB of line feeds took half a minute. */
#include "base_int.h"
#include "grapnel/json.h"

#include <yajl/yajl_parse.h>

struct level {
	struct json *parent, *last;	/* last child so far: appending never walks the list */
	struct str name;		/* of the member whose value is awaited */
};

struct reader {
	struct arena *arena;
	struct str given, text;	/* as it came, behind a byte order mark; as yajl gets it */
	size_t skipped;		/* of the mark */
	struct json *root;
	struct level levels[JSON_DEPTH_MAX];
	unsigned depth;
	unsigned nodes;
	const char *limit;	/* which limit ended the parse */
};

/* Decoded bytes with each broken sequence replaced by U+FFFD. */
static struct str repaired(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, 3 * s.n + 1);
	size_t n = 0, step;

	for (size_t i = 0; i < s.n; i += step) {
		step = utf8_sequence(s.p + i, s.n - i);
		if (step) {
			memcpy(p + n, s.p + i, step);
			n += step;
			continue;
		}
		/* A surrogate is three bytes that stand for one wrong thing. */
		step = (unsigned char)s.p[i] == 0xed && s.n - i >= 3 ? 3 : 1;
		memcpy(p + n, "\xef\xbf\xbd", 3);
		n += 3;
	}
	return (struct str){ p, n };
}

/* Bytes that yajl hands over: a view where they lie in the text, else a copy. Compared as numbers, since they may point
 * into another object. */
static struct str kept(struct reader *r, const void *p, size_t n)
{
	uintptr_t at = (uintptr_t)p, begin = (uintptr_t)r->text.p;
	struct str s = { p, n };

	if (at >= begin && at - begin <= r->text.n)
		return s;
	return str_is_utf8(s) ? arena_str(r->arena, s) : repaired(r->arena, s);
}

static struct json *add(struct reader *r, enum json_type type)
{
	struct level *l = r->depth ? &r->levels[r->depth - 1] : NULL;
	struct json *j;

	if (++r->nodes > JSON_NODES_MAX) {
		r->limit = "values";
		return NULL;
	}
	j = ARENA_NEW(r->arena, struct json);
	j->type = type;
	if (!l) {
		r->root = j;
		return j;
	}
	j->name = l->name;
	if (l->last)
		l->last->next = j;
	else
		l->parent->first = j;
	l->last = j;
	l->parent->count++;
	return j;
}

static int on_scalar(struct reader *r, enum json_type type, struct str text)
{
	struct json *j = add(r, type);

	if (j)
		j->text = text;
	return j != NULL;
}

static int on_null(void *ctx)
{
	return on_scalar(ctx, JSON_NULL, STR_NONE);
}

static int on_boolean(void *ctx, int value)
{
	return on_scalar(ctx, JSON_BOOL, value ? STR("true") : STR("false"));
}

static int on_number(void *ctx, const char *p, size_t n)
{
	return on_scalar(ctx, JSON_NUMBER, kept(ctx, p, n));
}

static int on_string(void *ctx, const unsigned char *p, size_t n)
{
	return on_scalar(ctx, JSON_STRING, kept(ctx, p, n));
}

static int on_key(void *ctx, const unsigned char *p, size_t n)
{
	struct reader *r = ctx;

	r->levels[r->depth - 1].name = kept(r, p, n);
	return 1;
}

static int on_open(struct reader *r, enum json_type type)
{
	struct json *j;

	if (r->depth == JSON_DEPTH_MAX) {
		r->limit = "levels";
		return 0;
	}
	j = add(r, type);
	if (!j)
		return 0;
	r->levels[r->depth++] = (struct level){ .parent = j };
	return 1;
}

static int on_open_object(void *ctx)
{
	return on_open(ctx, JSON_OBJECT);
}

static int on_open_array(void *ctx)
{
	return on_open(ctx, JSON_ARRAY);
}

static int on_close(void *ctx)
{
	struct reader *r = ctx;

	r->depth--;
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_open_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_close,
	.yajl_start_array = on_open_array,
	.yajl_end_array = on_close,
};

static void *yajl_take(void *ctx, size_t n)
{
	return xmalloc(n);
}

static void *yajl_more(void *ctx, void *p, size_t n)
{
	return xrealloc(p, n);
}

static void yajl_give(void *ctx, void *p)
{
	free(p);
}

/* ---- loose text ---- */

struct loose {
	struct str text;
	size_t from, at;	/* written up to here; the scan is there */
	struct strbuf *out;	/* NULL: only counted */
	size_t n;		/* bytes written */
	size_t wanted, origin;	/* of that byte of what is written: its place in the text */
	unsigned depth, documents;
	bool in_string;
};

/* Writes the text up to the scan, and `between` instead of the next `skip` bytes. */
static void put(struct loose *l, size_t skip, const char *between)
{
	size_t run = l->at - l->from, all = run + strlen(between);

	if (l->wanted >= l->n && l->wanted - l->n < all)
		l->origin = l->wanted - l->n < run ? l->from + (l->wanted - l->n) : l->at;
	if (l->out) {
		strbuf_add(l->out, l->text.p + l->from, run);
		strbuf_adds(l->out, between);
	}
	l->n += all;
	l->from = l->at + skip;
}

static void scan_string(struct loose *l, unsigned char c)
{
	char escape[] = "\\u0000";

	if (c == '\\') {
		l->at++;
	} else if (c == '"') {
		l->in_string = false;
	} else if (c < ' ') {
		snprintf(escape, sizeof(escape), "\\u%04x", c);
		put(l, 1, escape);
	}
}

static void scan_structure(struct loose *l, char c)
{
	switch (c) {
	case '"':
		l->in_string = true;
		break;
	case '{':
	case '[':
		if (!l->depth++ && l->documents++)
			put(l, 0, ",");
		break;
	case '}':
	case ']':
		if (l->depth)
			l->depth--;
		break;
	case ',':
		if (!l->depth)
			put(l, 1, "");
		break;
	}
}

/* As one array of all documents. */
static void mend(struct loose *l)
{
	l->origin = l->text.n;
	put(l, 0, "[");
	for (; l->at < l->text.n; l->at++)
		if (l->in_string)
			scan_string(l, l->text.p[l->at]);
		else
			scan_structure(l, l->text.p[l->at]);
	l->at = l->text.n;	/* a backslash at the very end goes beyond */
	put(l, 0, "]");
}

static struct str mended(struct arena *a, struct str text)
{
	struct strbuf b;
	struct loose l = { .text = text, .out = &b };

	strbuf_init(&b, a, 6 * text.n + 2);	/* each byte an escape, and the brackets */
	mend(&l);
	return strbuf_str(&b);
}

/* Where the text had what is at that byte of the mended one. */
static size_t place_before(struct str text, size_t at)
{
	struct loose l = { .text = text, .wanted = at };

	mend(&l);
	return l.origin;
}

/* ---- both ---- */

static bool blame(const struct reader *r, yajl_handle h, size_t at, struct err *e)
{
	unsigned char *why;
	struct str text;

	if (r->text.p != r->given.p)
		at = place_before(r->given, at);
	at += r->skipped;
	if (r->limit)
		return err_set(e, ERR_LIMIT, "JSON: over %u %s at byte %zu",
			!strcmp(r->limit, "levels") ? JSON_DEPTH_MAX : JSON_NODES_MAX, r->limit, at);
	why = yajl_get_error(h, 0, NULL, 0);
	text = str_trim(str_of((char *)why));
	text.n -= str_ends(text, ".");	/* some end as sentences */
	err_set(e, ERR_INVALID, "JSON: %.*s at byte %zu", STR_ARG(text), at);
	yajl_free_error(h, why);
	return false;
}

static bool parse(struct reader *r, struct err *e)
{
	yajl_alloc_funcs memory = { yajl_take, yajl_more, yajl_give, NULL };
	yajl_handle h = yajl_alloc(&callbacks, &memory, r);
	bool given, ok;

	yajl_config(h, yajl_dont_validate_strings, 1);
	given = yajl_parse(h, (const unsigned char *)r->text.p, r->text.n) == yajl_status_ok;
	/* yajl overlooks a string behind the value that is never closed: close it. */
	ok = given && yajl_complete_parse(h) == yajl_status_ok &&
		yajl_parse(h, (const unsigned char *)"\"", 1) == yajl_status_ok;
	if (!ok)
		blame(r, h, given ? r->text.n : yajl_get_bytes_consumed(h), e);
	yajl_free(h);
	return ok;
}

/* NULL on errors. */
static struct json *read_text(struct arena *a, struct str text, bool loose, struct err *e)
{
	struct reader r = { .arena = a, .given = text };
	size_t good = utf8_prefix(text);

	if (good != text.n) {
		err_set(e, ERR_INVALID, "JSON: not UTF-8 at byte %zu", good);
		return NULL;
	}
	if (str_starts(text, "\xef\xbb\xbf"))
		r.skipped = 3;
	r.given = str_sub(text, r.skipped);
	if (!str_trim(r.given).n) {
		err_set(e, ERR_INVALID, "JSON: empty");
		return NULL;
	}
	r.text = loose ? mended(a, r.given) : r.given;
	return parse(&r, e) ? r.root : NULL;
}

bool json_parse(struct arena *a, struct str text, const struct json **out, struct err *e)
{
	struct json *root = read_text(a, text, false, e);

	if (root)
		*out = root;
	return root != NULL;
}

bool json_parse_loose(struct arena *a, struct str text, const struct json **out, struct err *e)
{
	struct json *root = read_text(a, text, true, e);

	if (root)
		*out = root->count == 1 ? root->first : root;
	return root != NULL;
}
