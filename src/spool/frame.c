/* frame.c - records in a file: sealed, checked, and found again behind damage. Pure but for the random bytes of sealing. */
#include <zlib.h>

#include "spool_int.h"

static const char file_magic[16] = "grapnel-spool 1\n";
static const char frame_magic[4] = { '\xfe', 'G', 'r', '\n' };

/* Where in the frame's head. */
enum { AT_CRC = 4, AT_NUMBER = 8, AT_LENGTH = 12, AT_RECEIVED = 16 };

/* So that a record opens at its own place only. */
#define CONTEXT_MAX 64
static void context(char out[CONTEXT_MAX], const char *id, uint32_t number)
{
	unsigned char b[SPOOL_ID];
	int n = snprintf(out, CONTEXT_MAX, "spool:");

	memcpy(b, id, SPOOL_ID);
	for (size_t i = 0; i < SPOOL_ID; i++)
		n += snprintf(out + n, CONTEXT_MAX - (size_t)n, "%02x", (unsigned)b[i]);
	snprintf(out + n, CONTEXT_MAX - (size_t)n, ":%u", number);
}

static uint32_t crc_of(const char *frame, size_t n)
{
	return (uint32_t)crc32_z(0, (const Bytef *)frame + AT_NUMBER, n - AT_NUMBER);
}

/* ---- to bytes ---- */

void frame_file_begin(unsigned char head[SPOOL_HEAD])
{
	memcpy(head, file_magic, sizeof(file_magic));
	random_bytes(head + sizeof(file_magic), SPOOL_ID);
}

void frame_add(struct strbuf *b, const struct seal_key *k, const char *id, uint32_t number, const struct spool_record *r)
{
	unsigned char head[SPOOL_FRAME_HEAD];
	struct str plain = spool_encode(b->arena, r), sealed;
	char place[CONTEXT_MAX];
	size_t at = b->n;

	context(place, id, number);
	sealed = seal(b->arena, k, plain, place);
	memcpy(head, frame_magic, sizeof(frame_magic));
	put_number(head + AT_NUMBER, number, 4);
	put_number(head + AT_LENGTH, sealed.n, 4);
	put_number(head + AT_RECEIVED, r->received_us, 8);
	strbuf_add(b, head, sizeof(head));
	strbuf_addstr(b, sealed);
	b->failed |= !plain.n;		/* over SPOOL_RECORD_MAX */
	if (!b->failed)
		put_number((unsigned char *)b->p + at + AT_CRC, crc_of(b->p + at, b->n - at), 4);
}

/* ---- from bytes ---- */

void frames_begin(struct frames *f, struct str file)
{
	*f = (struct frames){ .rest = file };
	if (file.n < SPOOL_HEAD || memcmp(file.p, file_magic, sizeof(file_magic))) {
		f->rest = STR_NONE;
		f->damaged = true;
		return;
	}
	f->id = file.p + sizeof(file_magic);
	f->rest = str_sub(file, SPOOL_HEAD);
}

static bool is_whole(struct str s, struct frame *out)
{
	size_t n;

	if (s.n < SPOOL_FRAME_HEAD || memcmp(s.p, frame_magic, sizeof(frame_magic)))
		return false;
	n = get_number(s.p + AT_LENGTH, 4);
	if (n > s.n - SPOOL_FRAME_HEAD || get_number(s.p + AT_CRC, 4) != crc_of(s.p, SPOOL_FRAME_HEAD + n))
		return false;
	*out = (struct frame){ .number = (uint32_t)get_number(s.p + AT_NUMBER, 4),
		.received_us = get_number(s.p + AT_RECEIVED, 8), .sealed = { s.p + SPOOL_FRAME_HEAD, n } };
	return true;
}

/* The next place where a frame may begin, behind the first byte. */
static struct str next_magic(struct str s)
{
	const char *p = s.n > 1 ? memmem(s.p + 1, s.n - 1, frame_magic, sizeof(frame_magic)) : NULL;

	return p ? str_sub(s, (size_t)(p - s.p)) : STR_NONE;
}

bool frames_next(struct frames *f, struct frame *out)
{
	while (f->rest.n && !is_whole(f->rest, out)) {
		f->damaged = true;
		f->rest = next_magic(f->rest);
	}
	if (!f->rest.n)
		return false;
	f->rest = str_sub(f->rest, SPOOL_FRAME_HEAD + out->sealed.n);
	return true;
}

bool frame_open(struct arena *a, const struct seal_key *k, const struct frames *f, const struct frame *frame, struct spool_record *out,
	struct err *e)
{
	char place[CONTEXT_MAX];
	struct str plain;

	context(place, f->id, frame->number);
	return unseal(a, k, frame->sealed, place, &plain, e) && spool_decode(a, plain, out, e);
}
