/* id.c - numbers and names of things, made without asking anyone.
 *
 * A 63-bit id is [41 bits ms since 2020][10 bits worker][12 bits counter]: Twitter's Snowflake with a later epoch, good
 * until 2089. Why not AUTO_INCREMENT: a transaction whose COMMIT answer was lost must be able to run again and know its
 * own rows, and the spool answers with an id while the database is away. */
#include "grapnel/base.h"
#include "grapnel/crypto.h"

#include <assert.h>

#define ID_EPOCH INT64_C(1577836800000)	/* 2020-01-01T00:00:00Z */
#define COUNTER_BITS 12
#define WORKER_BITS 10
#define TIME_SHIFT (COUNTER_BITS + WORKER_BITS)
#define COUNTER_MAX ((1u << COUNTER_BITS) - 1)
#define ID_MS_MAX ((INT64_C(1) << 41) - 1)

void id_maker_init(struct id_maker *m, unsigned worker)
{
	assert(worker < 1u << WORKER_BITS);
	*m = (struct id_maker){ .worker = worker };
}

static uint64_t id_of(uint64_t ms, unsigned worker, unsigned counter)
{
	return ms << TIME_SHIFT | (uint64_t)worker << COUNTER_BITS | counter;
}

/* At least 1, so that no id is 0, whatever the clock says. */
static uint64_t id_ms(ms_t t)
{
	ms_t ms = t - ID_EPOCH;

	return (uint64_t)(ms < 1 ? 1 : ms > ID_MS_MAX ? ID_MS_MAX : ms);
}

uint64_t id_make(struct id_maker *m, ms_t now)
{
	uint64_t ms = id_ms(now), last_ms = m->last >> TIME_SHIFT;
	unsigned counter = 0;

	if (ms <= last_ms) {
		counter = (unsigned)(m->last & COUNTER_MAX) + 1;
		ms = last_ms;
		if (counter > COUNTER_MAX) {
			counter = 0;
			ms++;
		}
	}
	m->last = id_of(ms, m->worker, counter);
	return m->last;
}

ms_t id_time(uint64_t id)
{
	return (ms_t)(id >> TIME_SHIFT) + ID_EPOCH;
}

uint64_t id_floor(ms_t t)
{
	return id_of(id_ms(t), 0, 0);
}

/* Crockford's base 32: no i, l, o, u, so that an id read over the phone stays one. Lower case here. */
static const char crockford[] = "0123456789abcdefghjkmnpqrstvwxyz";
#define PUBLIC_ID_CHARS 20

void public_id_make(const char *prefix, char out[PUBLIC_ID_MAX])
{
	unsigned char random[PUBLIC_ID_CHARS];
	char text[PUBLIC_ID_CHARS + 1];
	int n;

	random_bytes(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		text[i] = crockford[random[i] & 31];
	text[PUBLIC_ID_CHARS] = '\0';
	n = snprintf(out, PUBLIC_ID_MAX, "%s_%s", prefix, text);
	assert(n > 0 && n < PUBLIC_ID_MAX);
	(void)n;
}

bool public_id_is(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s.n != n + 1 + PUBLIC_ID_CHARS || !str_starts(s, prefix) || s.p[n] != '_')
		return false;
	for (size_t i = n + 1; i < s.n; i++)
		if (!memchr(crockford, s.p[i], 32))
			return false;
	return true;
}

/* RFC 9562 section 5.7: 48 bits of ms since 1970, version 7, 12 random bits, variant 10, 62 random bits. */
void uuid_make(ms_t now, char out[UUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char b[16];
	char *p = out;

	random_bytes(b, sizeof(b));
	for (unsigned i = 0; i < 6; i++)
		b[i] = (unsigned char)((uint64_t)now >> (40 - 8 * i));
	b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[b[i] >> 4];
		*p++ = digits[b[i] & 15];
	}
	*p = '\0';
}
