/* base64.c - RFC 4648 sections 4 and 5.
 *
 * Decoding refuses every byte outside the alphabet (section 3.3: no line breaks, no blanks; callers trim). Bits left
 * over in the last character are ignored as the RFC allows: what is compared afterwards are the bytes, and secrets that
 * people typed by hand often have such bits. */
#include "grapnel/base.h"

struct str base64_encode(struct arena *a, const void *p, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *u = p;
	size_t out_n = (n + 2) / 3 * 4;
	char *out = arena_alloc(a, out_n + 1), *o = out;

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		unsigned v = (unsigned)u[i] << 16;

		if (left > 1)
			v |= (unsigned)u[i + 1] << 8;
		if (left > 2)
			v |= u[i + 2];
		*o++ = alphabet[v >> 18];
		*o++ = alphabet[v >> 12 & 63];
		*o++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
		*o++ = left > 2 ? alphabet[v & 63] : '=';
	}
	return (struct str){ out, out_n };
}

struct str base64url_encode(struct arena *a, const void *p, size_t n)
{
	struct str text = base64_encode(a, p, n);
	char *out = arena_cstr(a, text);

	while (text.n && out[text.n - 1] == '=')
		text.n--;
	for (size_t i = 0; i < text.n; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	return (struct str){ out, text.n };
}

static int value_of(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	if (c == (url ? '_' : '/'))
		return 63;
	return -1;
}

bool base64_decode(struct arena *a, struct str s, bool url, struct str *out)
{
	size_t padding = 0, n = 0;
	unsigned bits = 0;
	char *p;

	while (padding < 2 && padding < s.n && s.p[s.n - 1 - padding] == '=')
		padding++;
	if ((padding || !url) && s.n % 4)
		return false;
	s.n -= padding;
	if (s.n % 4 == 1)
		return false;
	p = arena_alloc(a, s.n / 4 * 3 + 4);
	for (size_t i = 0; i < s.n; i++) {
		int v = value_of(s.p[i], url);

		if (v < 0)
			return false;
		bits = bits << 6 | (unsigned)v;
		if (i % 4 == 0)
			continue;	/* six bits: not a byte yet */
		p[n++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
	}
	*out = (struct str){ p, n };
	return true;
}
