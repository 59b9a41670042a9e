/* str.c - views of bytes: comparing, cutting, eating from the front, reading numbers.
 *
 * Nothing here allocates. The parsers are verbs on a view, as in curl's strparse.h, so that no caller computes a
 * pointer. All letters are ASCII letters: the locale has no say in protocol text. */
#include "grapnel/base.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_of(const char *terminated)
{
	return terminated ? (struct str){ terminated, strlen(terminated) } : STR_NONE;
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

bool str_eqs(struct str a, const char *terminated)
{
	return str_eq(a, str_of(terminated));
}

bool str_ieq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool str_ieqs(struct str a, const char *terminated)
{
	return str_ieq(a, str_of(terminated));
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && (!n || !memcmp(s.p, prefix, n));
}

bool str_ends(struct str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n >= n && (!n || !memcmp(s.p + s.n - n, suffix, n));
}

struct str str_trim(struct str s)
{
	while (s.n && blank(s.p[0]))
		s.p++, s.n--;
	while (s.n && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_cut(struct str s, size_t max)
{
	size_t n = max;

	if (s.n <= max)
		return s;
	/* p[n] is the first byte left out: while it continues a sequence, that sequence goes too. Four in a row are
	 * no UTF-8, then there is nothing to respect. */
	while (n && max - n < 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	if (((unsigned char)s.p[n] & 0xc0) == 0x80)
		n = max;
	return (struct str){ s.p, n };
}

struct str str_sub(struct str s, size_t from)
{
	return from < s.n ? (struct str){ s.p + from, s.n - from } : STR_NONE;
}

ptrdiff_t str_find(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? at - s.p : -1;
}

bool str_has(struct str s, const char *part)
{
	return s.n && memmem(s.p, s.n, part, strlen(part));
}

struct str str_until(struct str *s, char c)
{
	ptrdiff_t at = str_find(*s, c);
	struct str front = *s;

	if (at < 0) {
		*s = STR_NONE;
		return front;
	}
	front.n = (size_t)at;
	*s = str_sub(*s, front.n + 1);
	return front;
}

struct str str_word(struct str *s)
{
	struct str word;
	size_t n = 0;

	while (s->n && blank(s->p[0]))
		s->p++, s->n--;
	while (n < s->n && !blank(s->p[n]))
		n++;
	word = (struct str){ s->p, n };
	*s = str_sub(*s, n);
	return word;
}

bool str_u64(struct str s, uint64_t *out)
{
	uint64_t v = 0;

	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

bool str_i64(struct str s, int64_t *out)
{
	bool minus = s.n && s.p[0] == '-';
	uint64_t v;

	if (!str_u64(minus ? str_sub(s, 1) : s, &v) || v > (uint64_t)INT64_MAX + minus)
		return false;
	/* INT64_MIN has no positive twin: step over it. */
	*out = minus && v ? -(int64_t)(v - 1) - 1 : (int64_t)v;
	return true;
}
