/* url.c - percent-encoding and form pairs.
 *
 * Decoding follows the WHATWG URL standard, sections "percent-decode" and "urlencoded parsing" (a bad escape stays as
 * it stands): that is what browsers and senders are tested against. Encoding keeps the unreserved characters of RFC 3986
 * section 2.3 alone. */
#include "grapnel/base.h"

struct str url_decode(struct arena *a, struct str s, bool plus)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && s.n - i > 2 && hex_decode((struct str){ s.p + i + 1, 2 }, p + n, 1)) {
			n++;
			i += 2;
		} else {
			p[n++] = plus && s.p[i] == '+' ? ' ' : s.p[i];
		}
	}
	p[n] = '\0';
	return (struct str){ p, n };
}

static bool unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
		c == '.' || c == '_' || c == '~';
}

struct str url_encode(struct arena *a, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";	/* upper case: RFC 3986 section 2.1 */
	char *p = arena_alloc(a, 3 * s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (unreserved(s.p[i])) {
			p[n++] = s.p[i];
			continue;
		}
		p[n++] = '%';
		p[n++] = digits[c >> 4];
		p[n++] = digits[c & 15];
	}
	return (struct str){ p, n };
}

/* The next piece that is not empty, still encoded. */
static bool piece_next(struct str *s, struct str *name, struct str *value)
{
	while (s->n) {
		struct str piece = str_until(s, '&');

		if (!piece.n)
			continue;
		*name = str_until(&piece, '=');
		*value = piece;
		return true;
	}
	return false;
}

bool form_next(struct arena *a, struct str *s, struct str *name, struct str *value)
{
	if (!piece_next(s, name, value))
		return false;
	*name = url_decode(a, *name, true);
	*value = url_decode(a, *value, true);
	return true;
}

bool form_find(struct arena *a, struct str s, const char *name, struct str *value)
{
	struct str n, v;
	size_t length = strlen(name);

	while (piece_next(&s, &n, &v)) {
		/* Only a name that can be it takes memory: 25 MB can hold 12 million others. */
		if (n.n < length || n.n > 3 * length || !str_eqs(url_decode(a, n, true), name))
			continue;
		*value = url_decode(a, v, true);
		return true;
	}
	return false;
}
