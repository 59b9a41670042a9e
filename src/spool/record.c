/* record.c - a record as bytes: a version, then its numbers and texts in the order of their rows here, each text behind its length. */
#include "spool_int.h"

#define VERSION 1
#define NUMBER 8	/* bytes */
#define LENGTH 4

static const size_t numbers[] = {
	offsetof(struct spool_record, request), offsetof(struct spool_record, received_at), offsetof(struct spool_record, received_us),
	offsetof(struct spool_record, status), offsetof(struct spool_record, took_us),
};

static const size_t texts[] = {
	offsetof(struct spool_record, source), offsetof(struct spool_record, method), offsetof(struct spool_record, uri),
	offsetof(struct spool_record, content_type), offsetof(struct spool_record, body), offsetof(struct spool_record, remote_addr),
	offsetof(struct spool_record, trace), offsetof(struct spool_record, traceparent), offsetof(struct spool_record, proof),
};

void put_number(unsigned char *to, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (unsigned char)(v >> 8 * i);
}

uint64_t get_number(const char *from, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)from[i] << 8 * i;
	return v;
}

/* ---- to bytes ---- */

static void add_number(struct strbuf *b, uint64_t v, unsigned bytes)
{
	unsigned char raw[NUMBER];

	put_number(raw, v, bytes);
	strbuf_add(b, raw, bytes);
}

static void add_text(struct strbuf *b, struct str s)
{
	add_number(b, s.n, LENGTH);
	strbuf_addstr(b, s);
}

struct str spool_encode(struct arena *a, const struct spool_record *r)
{
	struct strbuf b;

	strbuf_init(&b, a, SPOOL_RECORD_MAX);
	strbuf_addc(&b, VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		add_number(&b, *(const uint64_t *)((const char *)r + numbers[i]), NUMBER);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		add_text(&b, *(const struct str *)((const char *)r + texts[i]));
	add_number(&b, r->header_n, LENGTH);
	for (size_t i = 0; i < r->header_n; i++) {
		add_text(&b, r->headers[i].name);
		add_text(&b, r->headers[i].value);
	}
	add_number(&b, r->event_n, LENGTH);
	for (size_t i = 0; i < r->event_n; i++)
		add_number(&b, r->events[i], NUMBER);
	return b.failed ? STR_NONE : strbuf_str(&b);
}

/* ---- from bytes ---- */

static bool take_number(struct str *s, unsigned bytes, uint64_t *out)
{
	if (s->n < bytes)
		return false;
	*out = get_number(s->p, bytes);
	*s = str_sub(*s, bytes);
	return true;
}

static bool take_text(struct str *s, struct str *out)
{
	uint64_t n;

	if (!take_number(s, LENGTH, &n) || n > s->n)
		return false;
	*out = n ? (struct str){ s->p, n } : STR_NONE;
	*s = str_sub(*s, n);
	return true;
}

/* How many follow, each of at least `bytes`. */
static bool take_count(struct str *s, unsigned bytes, size_t *out)
{
	uint64_t n;

	if (!take_number(s, LENGTH, &n) || n > s->n / bytes)
		return false;
	*out = n;
	return true;
}

static bool take_headers(struct arena *a, struct str *s, struct spool_record *r)
{
	struct header *h;

	if (!take_count(s, 2 * LENGTH, &r->header_n))
		return false;
	r->headers = h = ARENA_ARRAY(a, struct header, r->header_n);
	for (size_t i = 0; i < r->header_n; i++)
		if (!take_text(s, &h[i].name) || !take_text(s, &h[i].value))
			return false;
	return true;
}

static bool take_events(struct arena *a, struct str *s, struct spool_record *r)
{
	uint64_t *ids;

	if (!take_count(s, NUMBER, &r->event_n))
		return false;
	r->events = ids = ARENA_ARRAY(a, uint64_t, r->event_n);
	for (size_t i = 0; i < r->event_n; i++)
		if (!take_number(s, NUMBER, &ids[i]))
			return false;
	return true;
}

static bool take_record(struct arena *a, struct str *s, struct spool_record *r)
{
	uint64_t version;

	if (!take_number(s, 1, &version) || version != VERSION)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!take_number(s, NUMBER, (uint64_t *)((char *)r + numbers[i])))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!take_text(s, (struct str *)((char *)r + texts[i])))
			return false;
	return take_headers(a, s, r) && take_events(a, s, r) && !s->n && r->request;
}

bool spool_decode(struct arena *a, struct str bytes, struct spool_record *out, struct err *e)
{
	*out = (struct spool_record){ 0 };
	return take_record(a, &bytes, out) || err_set(e, ERR_INVALID, "not a record of version %d", VERSION);
}
