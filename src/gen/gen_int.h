/* gen_int.h - what the programs that run at build time share: templates to C, and files in and out. */
#ifndef GRAPNEL_GEN_INT_H
#define GRAPNEL_GEN_INT_H

#include "grapnel/base.h"

#define SOURCE_MAX (1u << 20)	/* of one template or asset: over it something else was named by mistake */
#define OUTPUT_MAX (32u << 20)

/* ---- place.c: where in the HTML do we stand? ---- */

enum spot {
	SPOT_TEXT,	/* between tags */
	SPOT_TAG,	/* in a tag, after a blank: an attribute may begin */
	SPOT_WORD,	/* in a tag, right after a name or a value: a blank or the end must follow */
	SPOT_VALUE,	/* of an attribute, between its quotes */
};

/* Elements in which text is read in another way. */
enum element { ELEMENT_PLAIN, ELEMENT_PRE, ELEMENT_TEXTAREA, ELEMENT_TITLE, ELEMENT_SCRIPT };

struct place {
	enum spot spot;
	enum element tag;	/* the tag that is being read */
	enum element inside;	/* the element whose text this is */
	bool url, url_begun;	/* SPOT_VALUE: of a URL, and there is something of it already */
};

/* Goes over text of a template, which has no marks. False with the reason in *e: it is no HTML that we write. */
bool place_pass(struct place *at, struct str text, struct err *e) MUST_USE;
/* The macro of html.h that escapes a value here; NULL where no value may stand, with the reason in *e. */
const char *place_escaper(const struct place *at, struct err *e) MUST_USE;
/* A value was written here. */
void place_value(struct place *at);
/* *a becomes the place reached by either of two ways; false when they end in different places. */
bool place_join(struct place *a, const struct place *b) MUST_USE;
bool place_keeps_blanks(const struct place *at);	/* <pre>, <textarea> */

/* ---- words.c ---- */

/* Does a mark begin here, of which kind ('{' '%' '#'), and what is in it? 1 yes, 0 no, -1 it has no end: on its line, but for a
 * comment, which may be longer. */
int mark_here(struct str s, char *kind, struct str *inside) MUST_USE;
/* Each eats from the front of a mark. A word is a name, a number, "text in quotes", == != or one character; empty at the end. */
struct str word_next(struct str *mark);
bool word_eat(struct str *mark, const char *word);	/* false: it is another word, which stays */
bool word_name(struct str *mark, struct str *name);	/* false: it was no name */
bool word_is_number(struct str word);
bool word_is_quoted(struct str word);
bool word_is_header(struct str word);			/* "src/dash/page.h" */
bool template_name_is_good(struct str name);		/* part of a C name and of a file's */

/* ---- compile.c ---- */

struct template {
	struct str name;	/* "incident_row" */
	struct str path;	/* for messages and #line */
	struct str source;
	/* made by template_compile */
	struct str view, header;	/* of the first line: struct incidents_page, "src/dash/incidents.h" */
	struct str code;		/* the C function */
	unsigned line;			/* where it stopped */
};

/* Fills t->view, header and code. `all` are the templates that may be included. False: the sentence is in *e, its line in t->line. */
bool template_compile(struct arena *a, struct template *t, const struct template *all, size_t n, struct err *e) MUST_USE;

/* ---- files.c ---- */

bool file_write(struct arena *a, const char *path, struct str content, struct err *e) MUST_USE;
bool file_is(struct arena *a, const char *path, struct str content);	/* it has exactly this content */
/* "dir/name", or the name alone for ".". */
const char *file_path(struct arena *a, const char *dir, const char *name);
/* A C string literal, broken after each line; `indent` tabs before the lines that follow. */
void c_string(struct strbuf *b, struct str s, size_t indent);

#endif
