/* ctl_text.c - what a provider wrote (summaries, names, bodies) ends up on somebody's terminal: no control character passes. */
#include "ctl_int.h"

#define PIECE_MAX 5	/* bytes of "\\xNN" and its end */

/* Bytes of the character at s.p[0] that may be printed as they are; 0: not this byte. U+0080 to U+009F are controls too. */
static size_t printable(struct str s)
{
	unsigned char first = (unsigned char)s.p[0];
	size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first < 0x20 || first == 0x7f || n > s.n || !str_is_utf8((struct str){ s.p, n }))
		return 0;
	if (first == 0xc2 && (unsigned char)s.p[1] < 0xa0)
		return 0;
	return n;
}

/* The first character as it may be shown, which is *out; returns what is left. */
static struct str piece(struct str s, bool lines, char room[PIECE_MAX], struct str *out)
{
	size_t n = printable(s);

	if (!n && lines && (s.p[0] == '\n' || s.p[0] == '\t'))
		n = 1;
	if (n)
		*out = (struct str){ s.p, n };
	else
		*out = (struct str){ room, (size_t)snprintf(room, PIECE_MAX, "\\x%02x", (unsigned char)s.p[0]) };
	return str_sub(s, n ? n : 1);
}

void ctl_text_add(struct strbuf *b, struct str s)
{
	char room[PIECE_MAX];
	struct str out;

	while (s.n) {
		s = piece(s, false, room, &out);
		strbuf_add(b, out.p, out.n);
	}
}

void ctl_text(FILE *to, struct str s, bool lines)
{
	char room[PIECE_MAX];
	struct str out;

	while (s.n) {
		s = piece(s, lines, room, &out);
		fwrite(out.p, 1, out.n, to);
	}
}
