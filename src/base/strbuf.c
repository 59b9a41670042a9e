/* strbuf.c - bytes that grow up to a maximum; see curl's dynbuf for why a maximum belongs to the buffer. */
#include "grapnel/base.h"

#include <assert.h>

#define FIRST_CAP 256	/* an answer of the ingest path fits without growing twice */

void strbuf_init(struct strbuf *b, struct arena *a, size_t max)
{
	*b = (struct strbuf){ .arena = a, .max = max };
}

/* Room for n more bytes, or `failed`. One byte more than max may be taken: vsnprintf wants to write its NUL. */
static bool room(struct strbuf *b, size_t n, size_t terminator)
{
	size_t cap = b->cap ? b->cap : FIRST_CAP;

	if (b->failed || n > b->max - b->n) {
		b->failed = true;
		return false;
	}
	n += b->n + terminator;
	if (n <= b->cap)
		return true;
	while (cap < n)
		cap *= 2;
	if (cap > b->max + terminator)
		cap = b->max + terminator;
	b->p = arena_grow(b->arena, b->p, b->cap, cap);
	b->cap = cap;
	return true;
}

void strbuf_add(struct strbuf *b, const void *p, size_t n)
{
	if (!n || !room(b, n, 0))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void strbuf_addstr(struct strbuf *b, struct str s)
{
	strbuf_add(b, s.p, s.n);
}

void strbuf_adds(struct strbuf *b, const char *terminated)
{
	strbuf_add(b, terminated, strlen(terminated));
}

void strbuf_addc(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	size_t space = b->cap - b->n;
	va_list ap;
	int n;

	if (b->failed)
		return;
	va_start(ap, fmt);
	n = vsnprintf(space ? b->p + b->n : NULL, space, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if (!room(b, (size_t)n, 1))
		return;
	if ((size_t)n >= space) {
		va_start(ap, fmt);
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

void strbuf_number(struct strbuf *b, double x)
{
	char text[400];		/* the largest double has 309 digits */
	int n = snprintf(text, sizeof(text), "%.4f", x);

	while (text[n - 1] == '0')
		n--;
	strbuf_add(b, text, (size_t)(text[n - 1] == '.' ? n - 1 : n));
}

/* Without libm, which nothing else needs. */
double number_rounded(double x)
{
	const double unit = 1e4, half = x < 0 ? -0.5 : 0.5;

	return (double)(int64_t)(x * unit + half) / unit;
}

struct str strbuf_str(const struct strbuf *b)
{
	return (struct str){ b->p, b->n };
}
