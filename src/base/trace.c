/* trace.c - the header traceparent of W3C Trace Context, read strictly: what is not of its form counts as not sent, and a new trace begins
 * (section 3.2, and 4.3 for what to do with versions to come; looked up 2026-06-02). */
#include "grapnel/crypto.h"
#include "grapnel/trace.h"

/* "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": where each part begins */
enum { AT_VERSION = 0, AT_TRACE = 3, AT_SPAN = 36, AT_FLAGS = 53 };

static const char digits[] = "0123456789abcdef";

/* Lower case alone: hex_decode would take either. */
static bool read_hex(const char *p, unsigned char *out, size_t n)
{
	for (size_t i = 0; i < 2 * n; i++)
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
	return hex_decode((struct str){ p, 2 * n }, out, n);
}

static void put_hex(char *out, const unsigned char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
}

static bool is_zero(const unsigned char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

static uint64_t number(const unsigned char b[8])
{
	uint64_t x = 0;

	for (size_t i = 0; i < 8; i++)
		x = x << 8 | b[i];
	return x;
}

/* Version 00 ends with its flags; a later one may go on behind another dash. */
static bool has_form(struct str s, unsigned char version)
{
	return version != 0xff && s.p[2] == '-' && s.p[35] == '-' && s.p[52] == '-' &&
		(s.n == TRACEPARENT || (version && s.p[TRACEPARENT] == '-'));
}

bool trace_parse(struct str s, struct trace *out)
{
	unsigned char version, span[8], flags;

	if (s.n < TRACEPARENT || !read_hex(s.p + AT_VERSION, &version, 1) || !has_form(s, version) ||
		!read_hex(s.p + AT_TRACE, out->id, 16) || !read_hex(s.p + AT_SPAN, span, 8) || !read_hex(s.p + AT_FLAGS, &flags, 1))
		return false;
	out->span = number(span);
	out->flags = version ? flags & TRACE_SAMPLED : flags & (TRACE_SAMPLED | TRACE_RANDOM);
	return out->span && !is_zero(out->id, 16);
}

void trace_write(const struct trace *t, char out[TRACEPARENT + 1])
{
	unsigned char span[8];

	for (size_t i = 0; i < 8; i++)
		span[i] = (unsigned char)(t->span >> (56 - 8 * i));
	memcpy(out, "00-", AT_TRACE);
	put_hex(out + AT_TRACE, t->id, 16);
	out[AT_SPAN - 1] = '-';
	put_hex(out + AT_SPAN, span, 8);
	out[AT_FLAGS - 1] = '-';
	put_hex(out + AT_FLAGS, &t->flags, 1);
	out[TRACEPARENT] = '\0';
}

/* The last seven bytes decide, by OpenTelemetry's "consistent probability sampling": whoever takes a half takes the same half. */
static bool is_chosen(const unsigned char id[16], uint32_t ratio)
{
	uint64_t all = UINT64_C(1) << 56, random = number(id + 8) & (all - 1);

	return ratio && random >= (TRACE_ALL - ratio) * (all / TRACE_ALL);
}

void trace_begin(struct trace *out, uint32_t ratio)
{
	unsigned char bytes[24];

	random_bytes(bytes, sizeof(bytes));
	bytes[0] |= 1;	/* none of them is all zero */
	bytes[16] |= 1;
	memcpy(out->id, bytes, 16);
	out->span = number(bytes + 16);
	out->flags = TRACE_RANDOM | (is_chosen(out->id, ratio) ? TRACE_SAMPLED : 0);
}
