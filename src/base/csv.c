/* csv.c - rows of a table for spreadsheets: RFC 4180, a field table's names as header.
 *
 * Whoever opens such a file runs what a cell says: a text that begins like a formula is one to Excel, LibreOffice and Google
 * Sheets, and texts here come from strangers. So these get an apostrophe in front, which the programs take as "this is text"
 * (OWASP, "CSV Injection", looked up 2026-01). Line breaks and tabs become blanks, so that a row is a line; other control
 * characters and bytes that are not UTF-8 become U+FFFD. Quotes stand only where they are needed. */
#include "base_int.h"

#include <assert.h>
#include <inttypes.h>

#define NOT_TEXT "\xef\xbf\xbd"	/* U+FFFD */

/* The last four are wide forms, which Japanese settings read as the plain ones. */
static const char *const formula_starts[] = {
	"=", "+", "-", "@", "\t", "\r", "\n", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0",
};

/* Blanks in front are cut off by some programs, before they look. */
static bool is_formula(struct str s)
{
	while (s.n && *s.p == ' ')
		s = str_sub(s, 1);
	for (size_t i = 0; i < ARRAY_SIZE(formula_starts); i++)
		if (str_starts(s, formula_starts[i]))
			return true;
	return false;
}

static bool needs_quotes(struct str s)
{
	return str_find(s, ',') >= 0 || str_find(s, '"') >= 0 || str_find(s, ';') >= 0 || str_starts(s, " ") || str_ends(s, " ");
}

/* Writes the character at s and tells its bytes. C1 controls are two bytes, 0xc2 and 0x80 to 0x9f. */
static size_t put_char(struct strbuf *b, struct str s)
{
	size_t n = utf8_sequence(s.p, s.n);
	unsigned char c = (unsigned char)*s.p;

	if (c == '\t' || c == '\n' || c == '\r')
		strbuf_addc(b, ' ');
	else if (!n || c < ' ' || c == 0x7f || (c == 0xc2 && (unsigned char)s.p[1] < 0xa0))
		strbuf_adds(b, NOT_TEXT);
	else if (c == '"')
		strbuf_adds(b, "\"\"");
	else
		strbuf_add(b, s.p, n);
	return n ? n : 1;
}

static void put_text(struct strbuf *b, struct str s)
{
	bool formula = is_formula(s), quotes = needs_quotes(s);

	if (quotes)
		strbuf_addc(b, '"');
	if (formula)
		strbuf_addc(b, '\'');
	while (s.n)
		s = str_sub(s, put_char(b, s));
	if (quotes)
		strbuf_addc(b, '"');
}

static void put_cell(struct strbuf *b, enum field_type type, const void *member)
{
	char time[TIME_TEXT];

	switch (type) {
	case FIELD_TYPE_STR:
	case FIELD_TYPE_JSON:
		put_text(b, *(const struct str *)member);
		return;
	case FIELD_TYPE_U64:
		strbuf_addf(b, "%" PRIu64, *(const uint64_t *)member);
		return;
	case FIELD_TYPE_I64:
		strbuf_addf(b, "%" PRId64, *(const int64_t *)member);
		return;
	case FIELD_TYPE_BOOL:
		strbuf_adds(b, *(const bool *)member ? "true" : "false");
		return;
	case FIELD_TYPE_TIME:
		if (*(const ms_t *)member)
			strbuf_adds(b, time_format(*(const ms_t *)member, time));
		return;
	case FIELD_TYPE_ID:
		if (*(const uint64_t *)member)
			strbuf_addf(b, "%" PRIu64, *(const uint64_t *)member);
		return;
	case FIELD_TYPE_RATE:
		strbuf_addf(b, "%.2f", *(const double *)member);
		return;
	case FIELD_TYPE_NUMBER:
		strbuf_number(b, *(const double *)member);
		return;
	}
	assert(!"field type");
}

void csv_header(struct strbuf *b, const struct field *fields)
{
	for (const struct field *f = fields; f->name; f++) {
		if (f > fields)
			strbuf_addc(b, ',');
		put_text(b, str_of(f->name));
	}
	strbuf_adds(b, "\r\n");
}

void csv_row(struct strbuf *b, const struct field *fields, const void *obj)
{
	for (const struct field *f = fields; f->name; f++) {
		if (f > fields)
			strbuf_addc(b, ',');
		put_cell(b, f->type, (const char *)obj + f->offset);
	}
	strbuf_adds(b, "\r\n");
}
