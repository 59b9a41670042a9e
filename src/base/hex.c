/* hex.c - base 16 of RFC 4648 section 8, written in lower case as every provider sends it. */
#include "grapnel/base.h"

struct str hex_encode(struct arena *a, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *u = p;
	char *out = arena_alloc(a, 2 * n + 1);

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[u[i] >> 4];
		out[2 * i + 1] = digits[u[i] & 15];
	}
	return (struct str){ out, 2 * n };
}

/* As hexdump -C does. */
void hex_dump(struct strbuf *b, struct str s)
{
	const unsigned char *u = (const unsigned char *)s.p;

	for (size_t at = 0; at < s.n; at += 16) {
		strbuf_addf(b, "%08zx ", at);
		for (size_t i = at; i < at + 16; i++) {
			if (i == at + 8)
				strbuf_addc(b, ' ');
			if (i < s.n)
				strbuf_addf(b, " %02x", u[i]);
			else
				strbuf_adds(b, "   ");
		}
		strbuf_adds(b, "  |");
		for (size_t i = at; i < at + 16 && i < s.n; i++)
			strbuf_addc(b, u[i] >= ' ' && u[i] <= '~' ? s.p[i] : '.');
		strbuf_adds(b, "|\n");
	}
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(struct str s, void *out, size_t out_n)
{
	unsigned char *u = out;

	if (s.n != 2 * out_n)
		return false;
	for (size_t i = 0; i < out_n; i++) {
		int high = digit(s.p[2 * i]), low = digit(s.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		u[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}
