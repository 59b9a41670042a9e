/* escape.c - values into HTML, each in the way of the place where it stands.
 *
 * Text is copied in runs: what needs no escape is the rule. Control characters and broken UTF-8 become U+FFFD, since a
 * page must be well-formed whatever a sender put into his payload, and one should see that something was there. */
#include <inttypes.h>

#include "grapnel/html.h"

#define REPLACEMENT "\xef\xbf\xbd"	/* U+FFFD */

void html_init(struct html_out *o, struct arena *a, ms_t now)
{
	*o = (struct html_out){ .a = a, .now = now };
	strbuf_init(&o->b, a, HTML_PAGE_MAX);
}

void html_lit(struct html_out *o, const char *p, size_t n)
{
	strbuf_add(&o->b, p, n);
}

/* U+FFFE and U+FFFF, which XML does not take (XML 1.0, section 2.2): one of them would end a feed. */
static bool is_no_character(struct str s, size_t n)
{
	return n == 3 && (str_starts(s, "\xef\xbf\xbe") || str_starts(s, "\xef\xbf\xbf"));
}

/* Bytes at s that stay as they are, else 0. C1 controls are 0xc2 0x80 to 0x9f. */
static size_t plain(struct str s, bool quoted)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n;

	if (c < 0x80)
		return (c >= ' ' || c == '\t' || c == '\n') && c != 0x7f && c != '&' && c != '<' && c != '>' && (!quoted || c != '"');
	n = utf8_sequence(s.p, s.n);
	if (n == 2 && c == 0xc2 && (unsigned char)s.p[1] < 0xa0)
		return 0;
	return is_no_character(s, n) ? 0 : n;
}

/* What stands for the character that is not plain, and how long that one is. */
static const char *escaped(struct str s, size_t *n)
{
	*n = 1;
	switch (s.p[0]) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\r':
		if (s.n > 1 && s.p[1] == '\n')
			return "";
		break;
	}
	if (utf8_sequence(s.p, s.n))
		*n = utf8_sequence(s.p, s.n);
	return REPLACEMENT;
}

static void escape(struct html_out *o, struct str s, bool quoted)
{
	while (s.n) {
		size_t run = 0, n = 0;

		while (run < s.n && (n = plain(str_sub(s, run), quoted)))
			run += n;
		strbuf_add(&o->b, s.p, run);
		s = str_sub(s, run);
		if (!s.n)
			break;
		strbuf_adds(&o->b, escaped(s, &n));
		s = str_sub(s, n);
	}
}

void html_text_str(struct html_out *o, struct str s)
{
	escape(o, s, false);
}

void html_text_cstr(struct html_out *o, const char *s)
{
	escape(o, str_of(s), false);
}

void html_text_u64(struct html_out *o, uint64_t v)
{
	strbuf_addf(&o->b, "%" PRIu64, v);
}

void html_text_i64(struct html_out *o, int64_t v)
{
	strbuf_addf(&o->b, "%" PRId64, v);
}

void html_text_html(struct html_out *o, struct html h)
{
	strbuf_addstr(&o->b, h.s);
}

void html_attr_str(struct html_out *o, struct str s)
{
	escape(o, s, true);
}

void html_attr_cstr(struct html_out *o, const char *s)
{
	escape(o, str_of(s), true);
}

/* ---- URLs ---- */

void html_url_part_str(struct html_out *o, struct str s)
{
	strbuf_addstr(&o->b, url_encode(o->a, s));
}

void html_url_part_cstr(struct html_out *o, const char *s)
{
	html_url_part_str(o, str_of(s));
}

/* Browsers read a backslash as a slash and pass over tabs and line breaks, so only what is encoded below is safe to look at:
 * "/\t/evil" leaves here as "/%09/evil". */
static bool may_begin(struct str s)
{
	struct str scheme = s;

	if (str_starts(s, "/"))
		return !str_starts(s, "//");
	if (str_starts(s, "?") || str_starts(s, "#"))
		return true;
	scheme = str_until(&s, ':');
	return (str_ieqs(scheme, "http") || str_ieqs(scheme, "https")) && str_starts(s, "//");
}

/* RFC 3986, section 2: reserved, unreserved, and what is encoded already. */
static bool url_char(unsigned char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"<>\\^`{|}", c);
}

void html_url_str(struct html_out *o, struct str s)
{
	if (!may_begin(s))
		s = STR("#");
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!url_char(c))
			strbuf_addf(&o->b, "%%%02X", c);
		else if (c == '&')
			strbuf_adds(&o->b, "&amp;");
		else
			strbuf_addc(&o->b, (char)c);
	}
}

void html_url_cstr(struct html_out *o, const char *s)
{
	html_url_str(o, str_of(s));
}
