/* url.c - percent-encoding, form pairs, and a strict reading of https URLs.
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

/* ---- URLs that strangers name ---- */

static bool letter_or_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Labels of letters, digits and '-', dots between them. */
static bool is_host(struct str s)
{
	char before = '.';

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.' ? before == '.' : !letter_or_digit(c) && c != '-')
			return false;
		before = c;
	}
	return before != '.';
}

/* "." and ".." as steps, written plainly or as %2e: what they lead to is each parser's own idea. */
static bool has_dots(struct str path)
{
	while (path.n) {
		struct str step = str_until(&path, '/');
		size_t dots = 0;

		while (step.n && (step.p[0] == '.' || (step.n > 2 && step.p[0] == '%' && step.p[1] == '2' && (step.p[2] | 32) == 'e'))) {
			step = str_sub(step, step.p[0] == '.' ? 1 : 3);
			dots++;
		}
		if (dots && dots <= 2 && !step.n)
			return true;
	}
	return false;
}

struct str url_host(struct str url)
{
	(void)str_until(&url, '/');
	(void)str_until(&url, '/');
	url = str_until(&url, '/');
	url = str_sub(url, (size_t)(str_find(url, '@') + 1));
	if (!str_starts(url, "["))
		return str_until(&url, ':');
	url = str_sub(url, 1);
	return str_until(&url, ']');
}

/* Of a name before an @, or of a number, so much is shown as tells its owner which it is. */
static struct str ends_shown(struct arena *a, struct str s, size_t first, size_t last)
{
	if (s.n < first + last + 2)
		first = last = 0;
	return arena_printf(a, "%.*s…%.*s", (int)first, s.p, (int)last, s.p + s.n - last);
}

/* Users and passwords of URLs end with an @, so do names of mail addresses, which may hold another one in quotes. */
static size_t after_at(struct str s)
{
	size_t n = s.n;

	while (n && s.p[n - 1] != '@')
		n--;
	return n;
}

static struct str url_masked(struct arena *a, struct str url, size_t scheme)
{
	size_t n = scheme;

	while (n < url.n && !strchr("/?#", url.p[n]))
		n++;
	return arena_printf(a, "%.*s%.*s/…", (int)scheme, url.p, STR_ARG(str_sub((struct str){ url.p + scheme, n - scheme },
		after_at((struct str){ url.p + scheme, n - scheme }))));
}

struct str address_masked(struct arena *a, struct str address)
{
	ptrdiff_t colon = str_find(address, ':');
	size_t at = after_at(address);

	if (colon > 0 && str_starts(str_sub(address, (size_t)colon), "://"))
		return url_masked(a, address, (size_t)colon + 3);
	if (at)
		return arena_printf(a, "%.*s%.*s", STR_ARG(ends_shown(a, str_cut(address, at - 1), 1, 0)), STR_ARG(str_sub(address, at - 1)));
	return ends_shown(a, address, 3, 2);
}

bool https_url_parse(struct str s, struct https_url *out)
{
	static const char scheme[] = "https://";
	size_t n = 0;

	if (!str_ieqs(str_cut(s, strlen(scheme)), scheme))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '\\' || s.p[i] == '#')
			return false;
	s = str_sub(s, strlen(scheme));
	while (n < s.n && s.p[n] != '/' && s.p[n] != '?')
		n++;
	out->host = (struct str){ s.p, n };
	out->query = str_sub(s, n);
	out->has_query = str_find(out->query, '?') >= 0;
	out->path = str_until(&out->query, '?');
	return is_host(out->host) && !has_dots(out->path);
}

#define RUN_MIN 3	/* shorter labels are no AWS region (sns-verify-signature-of-message.md) and no id */

bool pattern_fits(const char *pattern, struct str s, const char *set)
{
	struct str tail = str_of(pattern), head = str_until(&tail, '*');
	bool star = head.n < strlen(pattern);

	if (!star)
		return str_ieqs(s, pattern);
	if (s.n < head.n + RUN_MIN + tail.n || !str_ieq(str_cut(s, head.n), head) || !str_ieq(str_sub(s, s.n - tail.n), tail))
		return false;
	for (size_t i = head.n; i < s.n - tail.n; i++)
		if (!memchr(set, s.p[i], strlen(set)))
			return false;
	return true;
}
