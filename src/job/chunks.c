/* chunks.c - removing what is old so that nobody notices.
 *
 * How long a chunk's transaction took is how long its rows were locked. The next chunk is larger or smaller by that, and between two the
 * database has three times as much for others as it had for us. Where nothing may go, what is read at once grows, since it locks nothing.
 *
 * With an archive a file's worth of rows is read and written first; when it is on disk they go, in chunks as ever. */
#include "job_int.h"

#define ROWS_MAX 500
#define ROWS_FIRST 50
#define LOOK_MAX 4000
#define LOCKED_US_WANTED 25000		/* the promise is 100 ms; a commit on a busy disk may take most of it */
#define PAUSE_MIN_MS 5
#define PAUSE_PARTS 3			/* of what a transaction took: one part is ours, three are for others */

#define FILE_ROWS_MAX 20000
#define FILE_BYTES_MAX (32u << 20)	/* of text; a file is read back as a whole */
#define PIECE_BYTES_MAX (8u << 20)	/* as old_find has it */

struct walk {
	struct job_run *r;
	const struct cleaning *what;
	struct old_chunk c;
	size_t rows;		/* of the next transaction */
	uint64_t first;		/* key; for the progress */
	uint64_t removed;
};

static size_t next_size(size_t rows, int64_t took_us)
{
	if (took_us > LOCKED_US_WANTED)
		return rows / 2 ? rows / 2 : 1;
	if (took_us < LOCKED_US_WANTED / 2)
		return rows * 2 < ROWS_MAX ? rows * 2 : ROWS_MAX;
	return rows;
}

/* Keys of most tables hold their time; the walk of others is over when it is. */
static void tell(struct walk *w)
{
	const struct cleaning *x = w->what;
	const struct cleanup_wish *wish = w->r->c->cleanup;
	struct cleanup_progress p = { .what = old_what(x->table), .rows = w->removed, .done = w->c.end ? 1 : -1 };
	double span;

	if (!wish || !wish->progress)
		return;
	if (!w->first)
		w->first = w->c.after;
	span = (double)(x->limits.before - id_time(w->first));
	if (!w->c.end && !w->c.group && id_time(w->first) < x->limits.before)
		p.done = (double)(id_time(w->c.after) - id_time(w->first)) / span;
	wish->progress(wish->ctx, &p);
}

static void note(struct walk *w, size_t n, uint64_t bytes)
{
	w->removed += n;
	job_count(w->r, old_what(w->what->table), n);
	w->r->bytes += bytes;
}

static bool find(struct walk *w, size_t limit, struct err *e)
{
	bool barren = w->c.seen && !w->c.n;
	size_t twice = w->c.look * 2;

	w->c.limit = limit;
	w->c.look = !barren ? limit : twice < LOOK_MAX ? twice : LOOK_MAX;
	return old_find(w->r->c->db, w->r->a, w->what->table, &w->what->limits, &w->c, e);
}

/* One transaction; then others have their turn. */
static bool remove_rows(struct walk *w, const struct old_chunk *c, struct err *e)
{
	struct job_run *r = w->r;
	int64_t began_us = clock_mono_us(), took_us;

	if (!old_remove(r->c->db, r->a, w->what->table, c, e))
		return false;
	took_us = clock_mono_us() - began_us;
	if ((uint64_t)took_us > r->longest_us)
		r->longest_us = (uint64_t)took_us;
	w->rows = next_size(w->rows, took_us);
	job_pause(r, took_us * PAUSE_PARTS / 1000 > PAUSE_MIN_MS ? took_us * PAUSE_PARTS / 1000 : PAUSE_MIN_MS);
	return true;
}

static int remove_directly(struct walk *w, struct err *e)
{
	struct job_run *r = w->r;

	while (!w->c.end) {
		int go = job_goes_on(r, e);

		if (go != 1)
			return go;
		arena_reset(r->a);
		if (!find(w, r->c->dry_run ? LOOK_MAX : w->rows, e) || (w->c.n && !r->c->dry_run && !remove_rows(w, &w->c, e)))
			return -1;
		note(w, w->c.n, w->c.bytes);
		tell(w);
	}
	return 1;
}

/* ---- with an archive ---- */

struct hoard {
	struct arena *a;
	struct old_row rows[FILE_ROWS_MAX];
	size_t n;
	uint64_t bytes;
	bool time_up;
};

static void hoard_add(struct hoard *h, const struct old_chunk *c)
{
	for (size_t i = 0; i < c->n; i++) {
		h->rows[h->n] = c->rows[i];
		h->rows[h->n++].hash = arena_str(h->a, c->rows[i].hash);
	}
	h->bytes += c->bytes;
}

static bool fill_file(struct walk *w, struct archive *x, struct hoard *h, struct err *e)
{
	struct job_run *r = w->r;

	while (!w->c.end && h->n + ROWS_MAX <= FILE_ROWS_MAX && x->bytes < FILE_BYTES_MAX) {
		int go = job_goes_on(r, e);

		if (go < 0)
			return false;
		h->time_up = go == 0;
		if (h->time_up)
			return true;
		arena_reset(r->a);
		if (!find(w, ROWS_MAX, e))
			return false;
		if (!w->c.n)
			continue;
		if (!archive_add(r, x, w->what->archived, &w->c, e))
			return false;
		hoard_add(h, &w->c);
	}
	return true;
}

/* What is on disk goes, also when the time is up. */
static bool empty_hoard(struct walk *w, const struct hoard *h, struct err *e)
{
	struct old_chunk c = w->c;

	for (size_t i = 0; i < h->n; i += c.n) {
		uint64_t bytes = 0;

		if (job_goes_on(w->r, e) < 0)
			return false;
		arena_reset(w->r->a);
		for (c.n = 0; i + c.n < h->n && c.n < w->rows && (!c.n || bytes < PIECE_BYTES_MAX); c.n++)
			bytes += h->rows[i + c.n].bytes;
		c.rows = (struct old_row *)h->rows + i;
		if (!remove_rows(w, &c, e))
			return false;
		note(w, c.n, bytes);
		tell(w);
	}
	return true;
}

static int move_to_archive(struct walk *w, struct err *e)
{
	struct hoard *h = xcalloc(1, sizeof(*h));
	struct archive x = { .fd = -1 };
	bool ok;

	h->a = arena_new(8 << 20);
	do {
		arena_reset(h->a);
		h->n = 0;
		ok = archive_open(w->r, &x, w->what->dir, archived_name(w->what->archived[0]), e) && fill_file(w, &x, h, e) &&
			(!h->n || (archive_publish(w->r, &x, e) && empty_hoard(w, h, e)));
		archive_drop(&x);
	} while (ok && !w->c.end && !h->time_up);
	ok = ok && !h->time_up;
	arena_free(h->a);
	free(h);
	return ok ? 1 : e->code ? -1 : 0;
}

int job_remove_old(struct job_run *r, const struct cleaning *what, struct err *e)
{
	struct walk w = { .r = r, .what = what, .rows = ROWS_FIRST, .c = { .from = what->from, .source = what->source } };

	if (what->dir >= 0 && what->archived[0] && !r->c->dry_run)
		return move_to_archive(&w, e);
	return remove_directly(&w, e);
}
