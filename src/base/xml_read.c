/* xml_read.c - XML text into a tree, by expat's event parser.
 *
 * expat checks well-formedness and UTF-8. Namespaces are not resolved, as only local names count here: expat would write the name
 * of its namespace in front of each element and attribute, and 1 MiB that declares a long one and uses it 50,000 times takes half
 * a minute. A DTD ends the parse where it begins, so no entity is ever declared, and neither a "billion laughs" nor a file from
 * elsewhere can happen. Which elements repeat is found out when their parent ends, by sorting: looking for a brother at each new
 * element would take minutes for 100,000 of different names. */
#include "grapnel/xml.h"

#include <expat.h>

struct level {
	struct json *j;
	struct json *last;	/* last child so far */
	size_t text;		/* where its text begins in reader.text */
};

struct reader {
	struct arena *arena;
	XML_Parser parser;
	struct level levels[XML_DEPTH_MAX + 1];	/* the first is the document */
	unsigned depth;		/* open elements */
	unsigned nodes;
	struct strbuf text;	/* of all open elements, one behind the other: what is inside ends first */
	const char *why;	/* we ended the parse, for this */
	bool limit;
};

static void stop(struct reader *r, const char *why, bool limit)
{
	if (r->why)
		return;
	r->why = why;
	r->limit = limit;
	XML_StopParser(r->parser, XML_FALSE);
}

/* ---- building -------------------------------------------------------------------------------------------------- */

static const char *local(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static bool declares_namespace(const char *attribute)
{
	return str_starts(str_of(attribute), "xmlns") && (attribute[5] == '\0' || attribute[5] == ':');
}

static struct json *append(struct reader *r, struct level *l, struct str name)
{
	struct json *j = json_new(r->arena, JSON_STRING);

	j->name = name;
	if (l->last)
		l->last->next = j;
	else
		l->j->first = j;
	l->last = j;
	l->j->count++;
	return j;
}

static bool counted(struct reader *r)
{
	if (++r->nodes > JSON_NODES_MAX)
		stop(r, "too many elements and attributes", true);
	return !r->why;
}

static void on_open(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = ctx;
	struct level *l = &r->levels[r->depth];

	if (r->depth == XML_DEPTH_MAX)
		stop(r, "too many levels", true);
	if (r->why || !counted(r))
		return;
	l->j->type = JSON_OBJECT;
	l[1] = (struct level){ .j = append(r, l, arena_str(r->arena, str_of(local(name)))), .text = r->text.n };
	r->depth++;
	for (; *attributes; attributes += 2) {
		if (declares_namespace(attributes[0]))
			continue;
		if (!counted(r))
			break;
		append(r, &l[1], arena_printf(r->arena, "@%s", local(attributes[0])))->text =
			arena_str(r->arena, str_of(attributes[1]));
	}
	if (l[1].j->count)
		l[1].j->type = JSON_OBJECT;
}

static void on_text(void *ctx, const XML_Char *p, int n)
{
	struct reader *r = ctx;
	struct str s = { p, (size_t)n };

	/* What indents is dropped before it is kept. */
	if (r->text.n == r->levels[r->depth].text && !str_trim(s).n)
		return;
	strbuf_addstr(&r->text, s);
}

/* ---- elements that repeat ---------------------------------------------------------------------------------------- */

struct place {
	struct json *j;
	size_t at;	/* among its brothers */
	bool moved;	/* into the array */
};

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = str_cmp(x->j->name, y->j->name);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* The first of them becomes the array, with a copy of itself as its first element. */
static void into_array(struct reader *r, struct place *same, size_t n)
{
	struct json *array = same[0].j, *last = json_new(r->arena, array->type);

	*last = *array;
	last->name = STR_NONE;
	array->type = JSON_ARRAY;
	array->text = STR_NONE;
	array->first = last;
	array->count = (uint32_t)n;
	for (size_t i = 1; i < n; i++) {
		same[i].moved = true;
		last->next = same[i].j;
		last = same[i].j;
		last->name = STR_NONE;
	}
	last->next = NULL;
}

static bool find_arrays(struct reader *r, struct place *places, size_t n)
{
	bool found = false;

	qsort(places, n, sizeof(*places), by_name);
	for (size_t i = 0, end; i < n; i = end) {
		struct str name = places[i].j->name;

		for (end = i + 1; end < n && str_eq(places[end].j->name, name); end++)
			continue;
		if (end - i == 1)
			continue;
		into_array(r, places + i, end - i);
		found = true;
	}
	return found;
}

static void gather_repeated(struct reader *r, struct json *parent)
{
	size_t n = 0;
	struct place *places = ARENA_ARRAY(r->arena, struct place, parent->count);
	struct json **link = &parent->first;

	for (struct json *j = parent->first; j; j = j->next, n++)
		places[n] = (struct place){ .j = j, .at = n };
	if (!find_arrays(r, places, n))
		return;
	qsort(places, n, sizeof(*places), by_place);
	parent->count = 0;
	for (size_t i = 0; i < n; i++) {
		if (places[i].moved)
			continue;
		*link = places[i].j;
		link = &places[i].j->next;
		parent->count++;
	}
	*link = NULL;
}

static void on_close(void *ctx, const XML_Char *name)
{
	struct reader *r = ctx;
	struct level *l = &r->levels[r->depth];
	struct str text;

	if (r->why)
		return;
	text = arena_str(r->arena, str_trim(str_sub(strbuf_str(&r->text), l->text)));
	if (l->j->type == JSON_STRING)
		l->j->text = text;
	else if (text.n)
		append(r, l, STR("#text"))->text = text;
	if (l->j->count > 1)
		gather_repeated(r, l->j);
	r->text.n = l->text;
	r->depth--;
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id, int internal)
{
	stop(ctx, "a document type declaration is not taken", false);
}

static void on_declaration(void *ctx, const XML_Char *version, const XML_Char *encoding, int standalone)
{
	static const char *const taken[] = { "UTF-8", "US-ASCII", "ISO-8859-1" };

	for (size_t i = 0; encoding && i < ARRAY_SIZE(taken); i++)
		if (str_ieqs(str_of(encoding), taken[i]))
			return;
	if (encoding)
		stop(ctx, "encoding is none of UTF-8, US-ASCII and ISO-8859-1", false);
}

/* ---- the parse --------------------------------------------------------------------------------------------------- */

static const XML_Memory_Handling_Suite memory = { xmalloc, xrealloc, free };

static bool blame(const struct reader *r, struct str text, struct err *e)
{
	enum XML_Error error = XML_GetErrorCode(r->parser);
	long long at = XML_GetCurrentByteIndex(r->parser);
	const char *why = r->why ? r->why : XML_ErrorString(error);

	if (error == XML_ERROR_UNKNOWN_ENCODING)
		why = "encoding is none of UTF-8, US-ASCII and ISO-8859-1";
	if (at < 0)
		at = (long long)text.n;
	return err_set(e, r->limit ? ERR_LIMIT : ERR_INVALID, "XML: %s at byte %lld", why, at);
}

static bool parse(struct reader *r, struct str text, struct err *e)
{
	bool ok;

	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_open, on_close);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	XML_SetXmlDeclHandler(r->parser, on_declaration);
	ok = XML_Parse(r->parser, text.p, (int)text.n, XML_TRUE) == XML_STATUS_OK;
	return ok || blame(r, text, e);
}

bool xml_parse(struct arena *a, struct str text, const struct json **out, struct err *e)
{
	struct reader r = { .arena = a };
	bool ok;

	/* UTF-16 shows by this, declared or not, and no other text may hold one. */
	if (memchr(text.n ? text.p : "", '\0', text.n))
		return err_set(e, ERR_INVALID, "XML: holds a NUL byte, so its encoding is none of UTF-8, US-ASCII and ISO-8859-1");
	if (text.n > INT32_MAX)
		return err_set(e, ERR_LIMIT, "XML: over 2 GiB");
	strbuf_init(&r.text, a, 2 * text.n);	/* a byte of ISO-8859-1 is two in UTF-8 */
	r.levels[0].j = json_new(a, JSON_OBJECT);
	r.parser = XML_ParserCreate_MM(NULL, &memory, NULL);
	if (!r.parser)
		die("expat: no parser");
	ok = parse(&r, text, e);
	XML_ParserFree(r.parser);
	if (ok)
		*out = r.levels[0].j;
	return ok;
}
