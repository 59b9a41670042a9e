/* A spool file may hold anything: what is read of it lies inside of it, and what reads as a record is one when it is written again. */
#include "fuzz.h"
#include "src/spool/spool_int.h"

static void walk(struct str file)
{
	struct frames frames;
	struct frame frame;
	size_t bytes = 0;

	for (frames_begin(&frames, file); frames_next(&frames, &frame);) {
		must(frame.sealed.p >= file.p + SPOOL_HEAD && frame.sealed.p + frame.sealed.n <= file.p + file.n);
		bytes += SPOOL_FRAME_HEAD + frame.sealed.n;
	}
	must(bytes <= file.n);
	must(frames.damaged || bytes + SPOOL_HEAD == file.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str bytes = { (const char *)data, n };
	struct arena *a = arena_new(64 << 20);
	struct spool_record r;
	struct err e = { 0 };

	walk(bytes);
	if (spool_decode(a, bytes, &r, &e))
		must(str_eq(spool_encode(a, &r), bytes));
	else
		must(e.code == ERR_INVALID);
	arena_free(a);
	return 0;
}
