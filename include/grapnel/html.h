/* html.h - HTML as it is written: every value is escaped for the place where it stands.
 *
 * The templates of web/tmpl are compiled by src/gen/tmplc into one function each, `void tmpl_<name>(struct html_out *o, const struct S *v)`.
 * tmplc knows where a value stands (text, attribute, URL) and calls the escaper of that place; which types fit there
 * is decided here by _Generic, so a wrong field or type is a compile error that points into the template.
 * `struct html` is text that is HTML already: only the functions of this folder and tmplc make it.
 * web/tmpl/README.md describes the language. */
#ifndef GRAPNEL_HTML_H
#define GRAPNEL_HTML_H

#include "grapnel/base.h"

#define HTML_PAGE_MAX (8u << 20)	/* a page over this is a bug: lists are paged, payloads cut */

struct html {
	struct str s;
};

struct html_out {
	struct strbuf b;
	struct arena *a;
	ms_t now;		/* for "3 min ago" */
};
void html_init(struct html_out *o, struct arena *a, ms_t now);

/* ---- called by compiled templates ---- */

void html_lit(struct html_out *o, const char *p, size_t n);	/* of the template itself */

/* No such function is there: a value of a type that does not fit ends here, so that the compiler says so on the template's line. */
struct html_misfit { char none; };
void html_type_does_not_fit_here(struct html_out *o, struct html_misfit x);

/* Text: & < > escaped; control characters but \t and \n become U+FFFD, so does what is not UTF-8. CR LF becomes \n. */
void html_text_str(struct html_out *o, struct str s);
void html_text_cstr(struct html_out *o, const char *s);
void html_text_u64(struct html_out *o, uint64_t v);
void html_text_i64(struct html_out *o, int64_t v);
void html_text_html(struct html_out *o, struct html h);
#define html_text(o, x) _Generic((x), struct str: html_text_str, char *: html_text_cstr, const char *: html_text_cstr, \
	uint64_t: html_text_u64, uint32_t: html_text_u64, int64_t: html_text_i64, int: html_text_i64, \
	struct html: html_text_html, default: html_type_does_not_fit_here)((o), (x))
/* Attribute in double quotes: " too. Ready HTML does not fit. */
void html_attr_str(struct html_out *o, struct str s);
void html_attr_cstr(struct html_out *o, const char *s);
#define html_attr(o, x) _Generic((x), struct str: html_attr_str, char *: html_attr_cstr, const char *: html_attr_cstr, \
	uint64_t: html_text_u64, uint32_t: html_text_u64, int64_t: html_text_i64, int: html_text_i64, \
	default: html_type_does_not_fit_here)((o), (x))
/* Part of a URL after its beginning: percent-encoded but for unreserved characters (RFC 3986). */
void html_url_part_str(struct html_out *o, struct str s);
void html_url_part_cstr(struct html_out *o, const char *s);
#define html_url_part(o, x) _Generic((x), struct str: html_url_part_str, char *: html_url_part_cstr, \
	const char *: html_url_part_cstr, uint64_t: html_text_u64, uint32_t: html_text_u64, int64_t: html_text_i64, \
	int: html_text_i64, default: html_type_does_not_fit_here)((o), (x))
/* A URL from its beginning: a path of ours ("/x", not "//x"), "?x", "#x", http:// or https://; anything else becomes "#".
 * Bytes that no URL has (blanks, control characters, backslash, beyond ASCII) are percent-encoded, what is encoded already stays. */
void html_url_str(struct html_out *o, struct str s);
void html_url_cstr(struct html_out *o, const char *s);
#define html_url(o, x) _Generic((x), struct str: html_url_str, char *: html_url_cstr, const char *: html_url_cstr, \
	default: html_type_does_not_fit_here)((o), (x))

/* {% if x %}: not empty, not zero, not NULL. */
static inline bool html_true_str(struct str s) { return s.n > 0; }
static inline bool html_true_html(struct html h) { return h.s.n > 0; }
static inline bool html_true_cstr(const char *s) { return s && *s; }
static inline bool html_true_u64(uint64_t v) { return v != 0; }
static inline bool html_true_i64(int64_t v) { return v != 0; }
static inline bool html_true_bool(bool v) { return v; }
static inline bool html_true_ptr(const void *p) { return p != NULL; }
#define html_true(x) _Generic((x), struct str: html_true_str, struct html: html_true_html, char *: html_true_cstr, \
	const char *: html_true_cstr, uint64_t: html_true_u64, uint32_t: html_true_u64, int64_t: html_true_i64, \
	int: html_true_i64, bool: html_true_bool, default: html_true_ptr)(x)
/* Text of either kind as a str. */
struct str html_no_text(struct html_misfit x);	/* no such function either */
static inline struct str html_same(struct str s) { return s; }
#define html_str(x) _Generic((x), struct str: html_same, char *: str_of, const char *: str_of, default: html_no_text)(x)
/* {% if x == "word" %} */
#define html_is(x, word) str_eqs(html_str(x), (word))

/* {% for i in incidents %} */
#define html_each(i, array, count) \
	for (size_t i##_at = 0; i##_at < (count); i##_at++) \
		for (const __typeof__(*(array)) *i = &(array)[i##_at]; i; i = NULL)

/* ---- filters, {{ x | name }} calls html_f_name(o, x) ---- */

struct html html_f_when(struct html_out *o, ms_t t);	/* <time datetime="..." title="2026-01-02 03:04:05 UTC">3 min ago</time>; 0: "never" dimmed */
struct html html_f_time(struct html_out *o, ms_t t);	/* the other way round: 2026-01-02 03:04:05 UTC, titled "3 min ago" */
struct str html_f_iso(struct html_out *o, ms_t t);	/* RFC 3339; 0: "" */
struct str html_f_count(struct html_out *o, uint64_t n);	/* 12,345 */
struct str html_f_bytes(struct html_out *o, uint64_t n);	/* 1.2 KiB */
struct str html_f_us(struct html_out *o, uint64_t us);	/* <0.1 ms, 0.4 ms, 12 ms, 1.3 s, 2 min 5 s, 3 h 4 min, 5 d 6 h */
struct str html_f_ms(struct html_out *o, uint64_t ms);
struct str html_f_rate(struct html_out *o, double percent);	/* 99.5 %; 100 % and 0 % only when it is exactly that */
struct str html_lower(struct html_out *o, struct str s);
struct str html_cut80(struct html_out *o, struct str s);
#define html_f_lower(o, x) html_lower((o), html_str(x))
#define html_f_cut80(o, x) html_cut80((o), html_str(x))	/* at most 80 characters, the last an ellipsis if there were more */

/* A QR code as SVG, always dark on light; empty for an empty text and one of more than 1000 bytes. */
struct html html_f_qr(struct html_out *o, struct str text);

/* ---- pictures, made here as SVG with a title and a text alternative; colours come from CSS classes ---- */

struct bar {
	uint64_t parts[3];	/* from the axis outwards: ok, repeated, failed */
	struct str label;	/* "14:00", for the title of the bar */
	struct str href;	/* where a click goes */
};
/* A bar chart of n bars in a box of w x h units, scaled by CSS; each bar a link with a title that tells its numbers. */
struct html html_bars(struct html_out *o, const struct bar *bars, size_t n, unsigned w, unsigned h, struct str title);
/* Spans of time as blocks with their names, as wide as the box that the page gives: places are in ten thousandths of it. */
#define PICTURE_WHOLE 10000
struct picture_span {
	unsigned from, to;
	unsigned tone;		/* class who-N; 0: nobody */
	struct str text, title;	/* what stands in it, as far as there is room; what it says when pointed at */
};
/* Spans follow each other without gap. `marks`: lines between days. `now`: a line of its own, PICTURE_WHOLE = none. */
struct html html_spans(struct html_out *o, const struct picture_span *spans, size_t n, const unsigned *marks, size_t marks_n, unsigned now,
	struct str title);
/* A line without axes for a table cell. */
struct html html_spark(struct html_out *o, const uint64_t *values, size_t n, struct str title);

#endif
