/* openapi_schema.c - field tables and form tables as JSON Schema 2020-12, the dialect of OpenAPI 3.1.
 *
 * An answer's members are all there, hence `required`; a null says that there is nothing. Limits of texts are bytes here and
 * characters there, so they are told as the most that can be right. */
#include "openapi_int.h"

#include <ctype.h>

#define SCHEMAS_MAX 200		/* different tables of all routes */

/* "event_view_fields" is Event, "integration_fields" with the ending "Form" is IntegrationForm. */
static const char *schema_name(struct arena *a, const char *table, const char *ending)
{
	struct str rest = str_of(table);
	struct strbuf b;

	strbuf_init(&b, a, 128);
	while (rest.n) {
		struct str word = str_until(&rest, '_');

		if (!word.n || str_eqs(word, "fields") || str_eqs(word, "view") || str_eqs(word, "form"))
			continue;
		strbuf_addc(&b, (char)toupper((unsigned char)word.p[0]));
		strbuf_addstr(&b, str_sub(word, 1));
	}
	strbuf_adds(&b, ending);
	return arena_cstr(a, strbuf_str(&b));
}

/* ---- types ---- */

static void type(struct json_out *o, const char *name, bool or_null)
{
	json_key(o, "type");
	if (!or_null) {
		json_strz(o, name);
		return;
	}
	json_open(o, '[');
	json_strz(o, name);
	json_strz(o, "null");
	json_close(o, ']');
}

static void number_member(struct json_out *o, const char *name, uint64_t n)
{
	json_key(o, name);
	json_u64(o, n);
}

static void field_type(struct json_out *o, const struct field *f)
{
	switch (f->type) {
	case FIELD_TYPE_STR:
		type(o, "string", true);
		return;
	case FIELD_TYPE_U64:
		type(o, "integer", false);
		number_member(o, "minimum", 0);
		return;
	case FIELD_TYPE_I64:
		type(o, "integer", false);
		return;
	case FIELD_TYPE_BOOL:
		type(o, "boolean", false);
		return;
	case FIELD_TYPE_TIME:
		type(o, "string", true);
		member_str(o, "format", "date-time");
		return;
	case FIELD_TYPE_ID:
		type(o, "string", true);
		member_str(o, "pattern", "^[0-9]+$");
		return;
	case FIELD_TYPE_RATE:
	case FIELD_TYPE_NUMBER:
		type(o, "number", false);
		return;
	case FIELD_TYPE_JSON:
		return;		/* anything */
	}
}

static void describe(struct json_out *o, const char *help)
{
	if (help && *help)
		member_str(o, "description", help);
}

static void word_list(struct json_out *o, const struct form_word *words)
{
	json_open(o, '{');
	type(o, "string", false);
	json_key(o, "enum");
	json_open(o, '[');
	for (; words->word; words++)
		json_strz(o, words->word);
	json_close(o, ']');
	json_close(o, '}');
}

static void words_type(struct json_out *o, const struct form_field *f, bool in_query)
{
	if (in_query) {
		type(o, "array", false);
		json_key(o, "items");
		word_list(o, f->words);
		return;
	}
	json_key(o, "anyOf");
	json_open(o, '[');
	word_list(o, f->words);
	json_open(o, '{');
	type(o, "array", false);
	json_key(o, "items");
	word_list(o, f->words);
	json_close(o, '}');
	if (f->flags & FORM_NULL) {
		json_open(o, '{');
		type(o, "null", false);
		json_close(o, '}');
	}
	json_close(o, ']');
}

static void texts_type(struct json_out *o, const struct form_field *f, bool in_query)
{
	type(o, "array", !in_query);
	if (f->min)
		number_member(o, "minItems", f->min);
	if (f->max)
		number_member(o, "maxItems", f->max);
	json_key(o, "items");
	json_open(o, '{');
	type(o, "string", false);
	json_close(o, '}');
}

static void write_form(struct json_out *o, const struct form_field *fields, bool change);

static void objects_type(struct json_out *o, const struct form_field *f)
{
	type(o, "array", true);
	if (f->min)
		number_member(o, "minItems", f->min);
	number_member(o, "maxItems", f->max);
	json_key(o, "items");
	if (f->items) {
		write_form(o, f->items, false);
		return;
	}
	json_open(o, '{');
	type(o, "object", false);
	json_close(o, '}');
}

void schema_value(struct json_out *o, const struct form_field *f, bool in_query)
{
	bool null_ok = !in_query && f->flags & FORM_NULL;

	json_open(o, '{');
	switch (f->type) {
	case FORM_TEXT:
		type(o, "string", !in_query && !f->min);
		if (f->min)
			number_member(o, "minLength", 1);
		number_member(o, "maxLength", f->max);
		break;
	case FORM_NUMBER:
		type(o, "integer", null_ok);
		number_member(o, "minimum", f->min);
		if (!(f->flags & FORM_CLAMP))
			number_member(o, "maximum", f->max);
		break;
	case FORM_DECIMAL:
		type(o, "number", false);
		json_key(o, "minimum");
		json_i64(o, -(int64_t)f->max);
		number_member(o, "maximum", f->max);
		break;
	case FORM_BOOL:
		type(o, "boolean", false);
		break;
	case FORM_TIME:
		type(o, "string", false);
		member_str(o, "format", "date-time");
		break;
	case FORM_WORDS:
		words_type(o, f, in_query);
		break;
	case FORM_ADDRESSES:
	case FORM_LIST:
		texts_type(o, f, in_query);
		break;
	case FORM_OBJECT:
		type(o, "object", true);
		break;
	case FORM_OBJECTS:
		objects_type(o, f);
		break;
	case FORM_CURSOR:
		type(o, "string", false);
		break;
	}
	if (!in_query)
		describe(o, f->help);
	json_close(o, '}');
}

/* ---- objects of fields and parts ---- */

struct object {
	struct arena *a;
	struct doc_fields fields, more;	/* `fields` come by name */
	const struct field *maybe;
	const struct doc_part *parts;
	bool all_maybe;
};

static void write_object(struct json_out *o, const struct object *x);

static void write_fields(struct json_out *o, const struct field *f)
{
	for (; f && f->name; f++) {
		json_key(o, f->name);
		json_open(o, '{');
		field_type(o, f);
		describe(o, f->help);
		json_close(o, '}');
	}
}

static void require_fields(struct json_out *o, const struct field *f)
{
	for (; f && f->name; f++)
		json_strz(o, f->name);
}

static void part_object(struct json_out *o, struct arena *a, const struct doc_part *p)
{
	write_object(o, &(struct object){ .a = a, .fields = p->fields, .parts = p->parts });
}

static void write_part(struct json_out *o, struct arena *a, const struct doc_part *p)
{
	json_key(o, p->name);
	json_open(o, '{');
	switch (p->type) {
	case PART_END:
	case PART_ONE:
	case PART_MAYBE:
		json_key(o, "anyOf");
		json_open(o, '[');
		part_object(o, a, p);
		if (p->type == PART_MAYBE) {
			json_open(o, '{');
			type(o, "null", false);
			json_close(o, '}');
		}
		json_close(o, ']');
		break;
	case PART_ROWS:
		type(o, "array", false);
		json_key(o, "items");
		part_object(o, a, p);
		break;
	case PART_BY_NAME:
		type(o, "object", false);
		json_key(o, "additionalProperties");
		part_object(o, a, p);
		break;
	case PART_TEXTS:
	case PART_COUNTS:
		type(o, "object", false);
		json_key(o, "additionalProperties");
		json_open(o, '{');
		type(o, p->type == PART_TEXTS ? "string" : "integer", false);
		json_close(o, '}');
		break;
	}
	describe(o, p->help);
	json_close(o, '}');
}

static void write_required(struct json_out *o, const struct object *x)
{
	json_key(o, "required");
	json_open(o, '[');
	require_fields(o, x->more.fields);
	for (const struct doc_part *p = x->parts; p && p->name; p++)
		if (p->type != PART_TEXTS && !p->maybe)
			json_strz(o, p->name);
	json_close(o, ']');
}

/* What stands beside the fields that have a name of their own. */
static void write_rest(struct json_out *o, const struct object *x)
{
	json_open(o, '{');
	type(o, "object", false);
	json_key(o, "properties");
	json_open(o, '{');
	write_fields(o, x->more.fields);
	write_fields(o, x->maybe);
	for (const struct doc_part *p = x->parts; p && p->name; p++)
		write_part(o, x->a, p);
	json_close(o, '}');
	if (!x->all_maybe)
		write_required(o, x);
	json_close(o, '}');
}

static void write_object(struct json_out *o, const struct object *x)
{
	bool rest = x->more.fields || x->maybe || x->parts;

	if (!x->fields.fields) {
		write_rest(o, x);
	} else if (!rest) {
		openapi_ref(o, "schemas", schema_name(x->a, x->fields.name, ""));
	} else {
		json_open(o, '{');
		json_key(o, "allOf");
		json_open(o, '[');
		openapi_ref(o, "schemas", schema_name(x->a, x->fields.name, ""));
		write_rest(o, x);
		json_close(o, ']');
		json_close(o, '}');
	}
}

/* ---- answers and bodies ---- */

static const struct field next_fields[] = {
	{ "next", FIELD_TYPE_STR, 0, "The `cursor` of the next page; null at the end" },
	FIELD_END
};

void schema_answer(struct json_out *o, struct arena *a, const struct doc *d)
{
	struct object x = { a, d->fields, d->also, d->maybe.fields, d->parts, false };
	struct doc_part list[] = { { d->list, PART_ROWS, d->fields, NULL, NULL }, { 0 } };

	if (d->list) {
		json_open(o, '{');
		json_key(o, "allOf");
		json_open(o, '[');
		write_object(o, &(struct object){ .a = a, .more = FIELDS(next_fields), .parts = list });
		x.fields = (struct doc_fields){ 0 };
		if (x.more.fields || x.maybe || x.parts)
			write_object(o, &x);
		json_close(o, ']');
		json_close(o, '}');
	} else {
		x.all_maybe = d == &inbound_doc;
		write_object(o, &x);
	}
}

void schema_body(struct json_out *o, struct arena *a, const struct doc *d, bool change)
{
	openapi_ref(o, "schemas", schema_name(a, d->body_name, change ? "Change" : "Form"));
}

static void write_form(struct json_out *o, const struct form_field *fields, bool change)
{
	const struct form_field *f;

	json_open(o, '{');
	type(o, "object", false);
	json_key(o, "properties");
	json_open(o, '{');
	for (f = fields; f->name; f++)
		if (!change || !(f->flags & FORM_FIXED)) {
			json_key(o, f->name);
			schema_value(o, f, false);
		}
	json_close(o, '}');
	json_key(o, "required");
	json_open(o, '[');
	for (f = fields; f->name && !change; f++)
		if (f->flags & FORM_REQUIRED)
			json_strz(o, f->name);
	json_close(o, ']');
	json_key(o, "additionalProperties");
	json_bool(o, false);
	json_close(o, '}');
}

/* ---- all schemas, each once ---- */

struct schemas {
	struct json_out *o;
	struct arena *a;
	const char *names[SCHEMAS_MAX];
	size_t n;
};

static bool is_new(struct schemas *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->names[i], name))
			return false;
	if (s->n == SCHEMAS_MAX)
		die("more than %d schemas", SCHEMAS_MAX);
	s->names[s->n++] = name;
	return true;
}

static void add_fields(struct schemas *s, const struct doc_fields *t)
{
	const char *name = t->fields ? schema_name(s->a, t->name, "") : NULL;

	if (!name || !is_new(s, name))
		return;
	json_key(s->o, name);
	write_object(s->o, &(struct object){ .a = s->a, .more = *t });
}

static void add_parts(struct schemas *s, const struct doc_part *p)
{
	for (; p && p->name; p++) {
		add_fields(s, &p->fields);
		add_parts(s, p->parts);
	}
}

static void add_body(struct schemas *s, const struct doc *d, bool change)
{
	const char *name = d->body ? schema_name(s->a, d->body_name, change ? "Change" : "Form") : NULL;

	if (!name || !is_new(s, name))
		return;
	json_key(s->o, name);
	write_form(s->o, d->body, change);
}

static const struct field error_fields[] = {
	{ "error", FIELD_TYPE_STR, 0, "A word for programs: invalid_request, not_found, conflict..." },
	{ "message", FIELD_TYPE_STR, 0, "A sentence for people" },
	FIELD_END
};

static const struct field error_maybe_fields[] = {
	{ "field", FIELD_TYPE_STR, 0, "The member or parameter to blame, if there is one" },
	{ "url", FIELD_TYPE_STR, 0, "Of invalid_webhook_url: the URL as it was given" },
	FIELD_END
};

void schemas_write(struct json_out *o, struct arena *a, const struct route *routes, const struct doc *inbound)
{
	struct schemas s = { .o = o, .a = a };

	for (const struct route *r = routes; r->method; r++) {
		const struct doc *d = r->doc;

		add_fields(&s, &d->fields);
		add_parts(&s, d->parts);
		if (d->or_doc) {
			add_fields(&s, &d->or_doc->fields);
			add_parts(&s, d->or_doc->parts);
		}
		add_body(&s, d, !strcmp(r->method, "PATCH"));
	}
	add_parts(&s, inbound->parts);
	json_key(o, "Error");
	write_object(o, &(struct object){ .a = a, .more = FIELDS(error_fields), .maybe = error_maybe_fields });
}
