/* json_write.c - JSON text, a call per value.
 *
 * Escaped are what RFC 8259 section 7 asks for, and U+2028 and U+2029, which end a line in old JavaScript. Bytes that are
 * not UTF-8 become U+FFFD each, so that whatever is in the database, the answer is JSON. Own and not yajl_gen: that one
 * fails on bad UTF-8 in the middle of an answer and writes to a buffer of its own without a maximum. */
#include "base_int.h"
#include "grapnel/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

void json_out_init(struct json_out *o, struct strbuf *b)
{
	*o = (struct json_out){ .b = b };
}

/* A value or key begins: the comma before it, unless it is the first at its level or follows its key. */
static void begin(struct json_out *o)
{
	if (o->comma[o->depth])
		strbuf_addc(o->b, ',');
	o->comma[o->depth] = true;
}

void json_open(struct json_out *o, char brace)
{
	assert(brace == '{' || brace == '[');
	assert(o->depth + 1 < ARRAY_SIZE(o->comma));
	begin(o);
	strbuf_addc(o->b, brace);
	o->comma[++o->depth] = false;
}

void json_close(struct json_out *o, char brace)
{
	assert(brace == '}' || brace == ']');
	assert(o->depth > 0);
	o->depth--;
	strbuf_addc(o->b, brace);
}

static void escape(struct strbuf *b, unsigned char c)
{
	static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *n = names; *n; n += 2) {
		if ((unsigned char)n[0] == c) {
			strbuf_add(b, (char[]){ '\\', n[1] }, 2);
			return;
		}
	}
	strbuf_addf(b, "\\u%04x", (unsigned)c);
}

/* Bytes at i that need care, or 0: *plain is how many go as they are. */
static size_t special(struct str s, size_t i, size_t *plain)
{
	size_t from = i;

	for (; i < s.n; i += *plain) {
		unsigned char c = (unsigned char)s.p[i];

		*plain = c < 0x80 ? 1 : utf8_sequence(s.p + i, s.n - i);
		if (c < 0x20 || c == '"' || c == '\\' || !*plain) {
			*plain = i - from;
			return 1;
		}
		if (*plain == 3 && !memcmp(s.p + i, "\xe2\x80", 2) && ((unsigned char)s.p[i + 2] | 1) == 0xa9) {
			*plain = i - from;
			return 3;
		}
	}
	*plain = i - from;
	return 0;
}

static void quoted(struct strbuf *b, struct str s)
{
	size_t i = 0, plain, n;

	strbuf_addc(b, '"');
	do {
		n = special(s, i, &plain);
		strbuf_add(b, s.p + i, plain);
		i += plain;
		if (n == 3)
			strbuf_adds(b, s.p[i + 2] & 1 ? "\\u2029" : "\\u2028");
		else if (n && (unsigned char)s.p[i] >= 0x80)
			strbuf_adds(b, "\xef\xbf\xbd");
		else if (n)
			escape(b, (unsigned char)s.p[i]);
		i += n;
	} while (n);
	strbuf_addc(b, '"');
}

void json_keyn(struct json_out *o, struct str name)
{
	assert(o->depth > 0);
	begin(o);
	quoted(o->b, name);
	strbuf_addc(o->b, ':');
	o->comma[o->depth] = false;
}

void json_key(struct json_out *o, const char *name)
{
	json_keyn(o, str_of(name));
}

void json_str(struct json_out *o, struct str s)
{
	begin(o);
	quoted(o->b, s);
}

void json_strz(struct json_out *o, const char *s)
{
	if (s)
		json_str(o, str_of(s));
	else
		json_null(o);
}

static void literal(struct json_out *o, struct str text)
{
	begin(o);
	strbuf_addstr(o->b, text);
}

void json_u64(struct json_out *o, uint64_t v)
{
	begin(o);
	strbuf_addf(o->b, "%" PRIu64, v);
}

void json_i64(struct json_out *o, int64_t v)
{
	begin(o);
	strbuf_addf(o->b, "%" PRId64, v);
}

void json_id(struct json_out *o, uint64_t v)
{
	if (!v) {
		json_null(o);
		return;
	}
	begin(o);
	strbuf_addf(o->b, "\"%" PRIu64 "\"", v);
}

void json_time(struct json_out *o, ms_t t)
{
	char text[TIME_TEXT];

	json_strz(o, t ? time_format(t, text) : NULL);
}

void json_bool(struct json_out *o, bool v)
{
	literal(o, v ? STR("true") : STR("false"));
}

void json_null(struct json_out *o)
{
	literal(o, STR("null"));
}

void json_rate(struct json_out *o, double v)
{
	if (!isfinite(v)) {
		json_null(o);
		return;
	}
	begin(o);
	strbuf_addf(o->b, "%.2f", v);
}

void json_number(struct json_out *o, double v)
{
	if (!isfinite(v)) {
		json_null(o);
		return;
	}
	begin(o);
	strbuf_number(o->b, v);
}

void json_raw(struct json_out *o, struct str json)
{
	literal(o, json.n ? json : STR("null"));
}

void json_tree(struct json_out *o, const struct json *j)
{
	bool object = json_is(j, JSON_OBJECT);

	if (!j || j->type == JSON_NULL) {
		json_null(o);
		return;
	}
	if (j->type == JSON_STRING) {
		json_str(o, j->text);
		return;
	}
	if (!object && j->type != JSON_ARRAY) {
		literal(o, j->text);
		return;
	}
	json_open(o, object ? '{' : '[');
	for (const struct json *m = j->first; m; m = m->next) {
		if (object)
			json_keyn(o, m->name);
		json_tree(o, m);
	}
	json_close(o, object ? '}' : ']');
}

static void field_value(struct json_out *o, enum field_type type, const void *member)
{
	const struct str *s = member;

	switch (type) {
	case FIELD_TYPE_STR:
		if (s->p)
			json_str(o, *s);
		else
			json_null(o);
		return;
	case FIELD_TYPE_U64:
		json_u64(o, *(const uint64_t *)member);
		return;
	case FIELD_TYPE_I64:
		json_i64(o, *(const int64_t *)member);
		return;
	case FIELD_TYPE_BOOL:
		json_bool(o, *(const bool *)member);
		return;
	case FIELD_TYPE_TIME:
		json_time(o, *(const ms_t *)member);
		return;
	case FIELD_TYPE_ID:
		json_id(o, *(const uint64_t *)member);
		return;
	case FIELD_TYPE_JSON:
		json_raw(o, *s);
		return;
	case FIELD_TYPE_RATE:
		json_rate(o, *(const double *)member);
		return;
	case FIELD_TYPE_NUMBER:
		json_number(o, *(const double *)member);
		return;
	}
	assert(!"field type");
}

void json_fields(struct json_out *o, const struct field *fields, const void *obj)
{
	for (const struct field *f = fields; f->name; f++) {
		json_key(o, f->name);
		field_value(o, f->type, (const char *)obj + f->offset);
	}
}

void json_rows(struct json_out *o, const struct field *fields, const void *rows, size_t size, size_t n)
{
	json_open(o, '[');
	for (size_t i = 0; i < n; i++) {
		json_open(o, '{');
		json_fields(o, fields, (const char *)rows + i * size);
		json_close(o, '}');
	}
	json_close(o, ']');
}

#define ID_BYTES 21	/* 20 digits and a comma */

struct str json_ids(struct arena *a, const void *rows, size_t size, size_t offset, size_t n)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, n * ID_BYTES + 2);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		json_u64(&o, *(const uint64_t *)((const char *)rows + i * size + offset));
	json_close(&o, ']');
	return strbuf_str(&b);
}
