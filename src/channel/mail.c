/* mail.c - the text of a mail: RFC 5322 headers, RFC 2047 words, a quoted-printable body (RFC 2045). What goes into a header is one line here, whoever
 * wrote it. */
#include <time.h>

#include "grapnel/channel.h"
#include "mail_int.h"

#define LINE_MAX_QP 76		/* RFC 2045 section 6.7, with the '=' at its end */
#define WORD_BYTES 45		/* an encoded word has at most 75 characters: 60 of base64 and 12 of its frame */
#define HEADER_BYTES_MAX 900	/* RFC 5322: a line has at most 998 */

/* ---- addresses ---- */

static bool all_of(struct str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(set, s.p[i]))
			return false;
	return s.n > 0;
}

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* Without quotes and comments: those that people have. */
bool mail_address_is(struct str s)
{
	struct str domain = s, local = str_until(&domain, '@');

	return local.n <= 64 && domain.n <= 253 && all_of(local, ALNUM "!#$%&'*+/=?^_`{|}~.-") && all_of(domain, ALNUM ".-") &&
		local.p[0] != '.' && local.p[0] != '-' && domain.p[0] != '.' && domain.p[0] != '-' && domain.p[domain.n - 1] != '.';
}

/* ---- headers ---- */

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* ASCII that readers would take for an encoded word is none to be left as it is. */
static bool stands_as_it_is(struct str s)
{
	return is_ascii(s) && !str_has(s, "=?");
}

static void add_words(struct strbuf *b, struct str s)
{
	const char *before = "";

	while (s.n) {
		struct str piece = str_cut(s, WORD_BYTES), text = base64_encode(b->arena, piece.p, piece.n);

		if (!piece.n)
			return;		/* no UTF-8 */
		strbuf_addf(b, "%s=?UTF-8?B?%.*s?=", before, STR_ARG(text));
		before = "\r\n ";
		s = str_sub(s, piece.n);
	}
}

void mail_header(struct strbuf *b, const char *name, struct str value)
{
	value = arena_line(b->arena, str_cut(value, HEADER_BYTES_MAX));
	strbuf_addf(b, "%s: ", name);
	if (stands_as_it_is(value))
		strbuf_addstr(b, value);
	else
		add_words(b, value);
	strbuf_adds(b, "\r\n");
}

void mail_date(struct strbuf *b, ms_t at)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)(at / MS_PER_SECOND);
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	strbuf_addf(b, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
		tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* ---- body ---- */

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '=';
}

/* One line of text without its break. A blank at its end would be lost on the way. */
static void add_line(struct strbuf *b, struct str line)
{
	size_t column = 0;

	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];
		bool last = i + 1 == line.n, plain = is_plain(c) && !(last && c == ' ');
		size_t width = plain ? 1 : 3;

		if (column + width + !last > LINE_MAX_QP) {
			strbuf_adds(b, "=\r\n");
			column = 0;
		}
		if (plain)
			strbuf_addc(b, (char)c);
		else
			strbuf_addf(b, "=%02X", c);
		column += width;
	}
	strbuf_adds(b, "\r\n");
}

void mail_body(struct strbuf *b, struct str text)
{
	while (text.n) {
		struct str line = str_until(&text, '\n');

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		add_line(b, line);
	}
}
