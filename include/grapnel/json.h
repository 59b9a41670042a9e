/* json.h - reading JSON into a tree that lives in an arena, and writing JSON.
 *
 * Reading: yajl's event parser, never its tree (that crashed on 300,000 nested '['). Numbers keep their digits, since
 * keys over 2^53 occur; of equal member names the last wins; depth and count are limited before memory is taken. The
 * text must be UTF-8; a byte order mark in front is passed over. */
#ifndef GRAPNEL_JSON_H
#define GRAPNEL_JSON_H

#include "grapnel/base.h"

#define JSON_DEPTH_MAX 64	/* deepest real payload seen: 12 (GitHub); the generic endpoint promises 64 */
#define JSON_NODES_MAX 200000	/* 25 MB of real GitHub push is about 150,000 values */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	struct str name;	/* member name inside an object, else empty */
	struct str text;	/* JSON_STRING: decoded; JSON_NUMBER: the digits as sent; JSON_BOOL: "true" or "false" */
	struct json *first;	/* children in their order */
	struct json *next;	/* next child of the same parent */
	uint32_t count;		/* of children */
	enum json_type type;
};

/* ERR_INVALID with the byte position in the text, or ERR_LIMIT. Text after the value is an error. Numbers and strings without
 * escapes stay views of `text`, which must live as long as the tree. */
bool json_parse(struct arena *a, struct str text, const struct json **out, struct err *e) MUST_USE;
/* The same of what a template made that does not know JSON: control characters may stand in strings as they are, and several
 * documents one behind the other, with or without commas between, which become one array. One level less of depth. */
bool json_parse_loose(struct arena *a, struct str text, const struct json **out, struct err *e) MUST_USE;

/* Member of that name (the last one of equals) or NULL; NULL also when `j` is NULL or no object. */
const struct json *json_get(const struct json *j, const char *name);
const struct json *json_getn(const struct json *j, struct str name);
/* RFC 6901 JSON pointer ("" is j itself). NULL when anything on the way is missing. */
const struct json *json_at(const struct json *j, struct str pointer);
const struct json *json_index(const struct json *j, size_t n);
/* Text of a string, number or boolean; else STR_NONE. A number without fraction loses ".0" (12345.0 is 12345). */
struct str json_text(const struct json *j);
bool json_is(const struct json *j, enum json_type type);	/* false for NULL */

/* Building trees by hand (forms, headers, tests). */
struct json *json_new(struct arena *a, enum json_type type);
struct json *json_new_str(struct arena *a, struct str text);
void json_add(struct json *parent, struct str name, struct json *child);	/* name is ignored in arrays */
/* The same with a value of another tree, which keeps its own place: its children are shared. */
void json_share(struct arena *a, struct json *parent, struct str name, const struct json *value);

/* What json_fields wrote, back into the struct; texts stay views of the tree. Members that are null or not there stay as they are. False: it
 * is no object, or a member does not fit its field. A FIELD_JSON cannot be read. */
bool json_fields_read(const struct json *object, const struct field *fields, void *out) MUST_USE;
/* The same of what came from a file that people can touch: the object has the members of the table, all of them and no others; `older`: it was
 * written before some of them were thought of, so they may be missing. `out` is zeroed before; FIELD_JSON is read, too. ERR_INVALID names the
 * member. */
bool json_fields_read_all(struct arena *a, const struct json *object, const struct field *fields, bool older, void *out, struct err *e) MUST_USE;

/* ---- writing ---- */

/* A writer over a strbuf, so that a member costs a line. Commas and escapes are its business; nesting is the caller's
 * and is asserted. Bytes that are not UTF-8 are written as U+FFFD each. */
struct json_out {
	struct strbuf *b;
	unsigned depth;
	bool comma[JSON_DEPTH_MAX + 8];
};

void json_out_init(struct json_out *o, struct strbuf *b);
void json_open(struct json_out *o, char brace);		/* '{' or '['; as an array element or after json_key */
void json_close(struct json_out *o, char brace);	/* '}' or ']' */
void json_key(struct json_out *o, const char *name);
void json_keyn(struct json_out *o, struct str name);
void json_str(struct json_out *o, struct str s);
void json_strz(struct json_out *o, const char *s);	/* NULL is null */
void json_u64(struct json_out *o, uint64_t v);
void json_i64(struct json_out *o, int64_t v);
void json_id(struct json_out *o, uint64_t v);		/* decimal string; 0 is null */
void json_time(struct json_out *o, ms_t t);		/* RFC 3339; 0 is null */
void json_bool(struct json_out *o, bool v);
void json_null(struct json_out *o);
void json_rate(struct json_out *o, double v);		/* two decimals */
void json_number(struct json_out *o, double v);	/* as strbuf_number */
void json_raw(struct json_out *o, struct str json);	/* JSON text made by us */
void json_tree(struct json_out *o, const struct json *j);	/* NULL is null */
/* Adds the JSON text with a line for each member, two blanks for each level; nothing but blanks differs from what was given. The text was
 * parsed before. What does not fit is left out. */
void json_indent(struct strbuf *b, struct str json);
/* [1,2,3]: a number of each row, for a statement that joins JSON_TABLE. */
#define ID_BYTES 21	/* 20 digits and a comma */

struct str json_ids(struct arena *a, const void *rows, size_t size, size_t offset, size_t n);
#define JSON_IDS(a, rows, n, member) json_ids((a), (rows), sizeof(*(rows)), offsetof(__typeof__(*(rows)), member), (n))

/* All fields of a struct as members of the open object. */
void json_fields(struct json_out *o, const struct field *fields, const void *obj);
/* An array of n such objects, each `size` bytes. */
void json_rows(struct json_out *o, const struct field *fields, const void *rows, size_t size, size_t n);

#endif
