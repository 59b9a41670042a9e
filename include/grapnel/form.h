/* form.h - input as typed structs: a form table says which fields there are, of which type and
 * size; no handler parses a number. The same table describes the input in the API
 * document. The idea is kcgi's kvalid.
 *
 * Read from a JSON body (types must be right), a query string or a posted form (everything is text). The struct
 * keeps what it held for fields that are not there, so a change is: fill the struct from what is
 * stored, read the form over it. */
#ifndef GRAPNEL_FORM_H
#define GRAPNEL_FORM_H

#include "grapnel/base.h"
#include "grapnel/json.h"

enum form_type {
	FORM_TEXT,	/* struct str, UTF-8; min (0 or 1) to max bytes; null is "" */
	FORM_NUMBER,	/* uint64_t, min..max */
	FORM_DECIMAL,	/* double, -max..max, rounded to four decimals; as JSON writes numbers */
	FORM_BOOL,	/* bool */
	FORM_TIME,	/* ms_t, RFC 3339 */
	FORM_WORDS,	/* uint64_t: bits of the words; one, several with commas, or an array; posted also the field several times */
	FORM_ADDRESSES,	/* struct str: networks joined by ','; text or an array; null is "" */
	FORM_OBJECT,	/* const struct json *; null is NULL; posted: its JSON, or nothing */
	FORM_LIST,	/* const struct json *: an array of min..max texts; numbers count as texts, null is []. Posted: one a line, or
			 * the field several times; blank lines are passed over */
	FORM_OBJECTS,	/* const struct json *: an array of min..max objects, null is []; posted: its JSON, or nothing */
	FORM_CURSOR,	/* uint64_t: `next` of an earlier page of the same list, as form_cursor wrote it */
};

enum form_flag {
	FORM_REQUIRED = 1,	/* not with FORM_CHANGE */
	FORM_FIXED = 2,		/* refused with FORM_CHANGE: cannot be changed later */
	FORM_CLAMP = 4,		/* a number above max counts as max */
	FORM_NULL = 8,		/* null gives `absent` */
};

struct form_word {
	const char *word;	/* without case */
	uint64_t bits;
};

struct form_field {
	const char *name;
	enum form_type type;
	size_t offset;
	unsigned flags;		/* of enum form_flag */
	uint64_t min, max;
	const struct form_word *words;	/* ends with { 0 } */
	uint64_t absent;
	const char *help;	/* one sentence, for the API document */
	const char *list;	/* of a cursor: the list's plural */
	const struct form_field *items;	/* of objects: what each has, for the API document; NULL: help says it */
	const char *after;	/* of a time: the name of the row that is no later, where both are given */
};

/* Type and place of a row; a member of another type does not compile. */
#define TEXT_AT(s, m) FORM_TEXT, FIELD_CHECKED(s, m, struct str)
#define NUMBER_AT(s, m) FORM_NUMBER, FIELD_CHECKED(s, m, uint64_t)
#define DECIMAL_AT(s, m) FORM_DECIMAL, FIELD_CHECKED(s, m, double)
#define BOOL_AT(s, m) FORM_BOOL, FIELD_CHECKED(s, m, bool)
#define TIME_AT(s, m) FORM_TIME, FIELD_CHECKED(s, m, ms_t)
#define WORDS_AT(s, m) FORM_WORDS, FIELD_CHECKED(s, m, uint64_t)
#define ADDRESSES_AT(s, m) FORM_ADDRESSES, FIELD_CHECKED(s, m, struct str)
#define OBJECT_AT(s, m) FORM_OBJECT, FIELD_CHECKED(s, m, const struct json *)
#define LIST_AT(s, m) FORM_LIST, FIELD_CHECKED(s, m, const struct json *)
#define OBJECTS_AT(s, m) FORM_OBJECTS, FIELD_CHECKED(s, m, const struct json *)
/* The row of a cursor of the list `plural`. */
#define CURSOR_ROW(s, m, plural) { "cursor", FORM_CURSOR, FIELD_CHECKED(s, m, uint64_t), \
	.help = "`next` of the page before", .list = plural }
#define FORM_END { 0 }

enum form_mode { FORM_NEW, FORM_CHANGE };

/* Members that the table does not name are refused. On false, e->text is a sentence for the sender
 * and e->field the name. */
bool form_read_json(struct arena *a, const struct json *object, const struct form_field *fields,
	enum form_mode mode, void *out, struct err *e) MUST_USE;
/* A name without value counts as not there; of equal names the last one wins. The parameter `pass_over` (or NULL) was read
 * by the caller. */
bool form_read_query(struct arena *a, struct str query, const struct form_field *fields, const char *pass_over, void *out,
	struct err *e) MUST_USE;
/* Where a list goes on: "events-123". The list's name keeps the cursor of one list out of another. 0 is STR_NONE. */
struct str form_cursor(struct arena *a, const char *plural, uint64_t id);

/* What a browser posts: as a query, but a text without value is empty, not absent; a number or words without value are
 * their `absent` with FORM_NULL and not there without. Names that begin with '_' belong to the page and are passed over.
 * A checkbox stands behind a hidden field of its name with the value false. */
bool form_read_post(struct arena *a, struct str body, const struct form_field *fields, enum form_mode mode, void *out,
	struct err *e) MUST_USE;

/* ---- form_write.c ---- */

/* The members of the open object from which form_read_json makes the same form. A text with p NULL is not said. */
void form_write_json(struct json_out *o, const struct form_field *fields, const void *form);

#endif
