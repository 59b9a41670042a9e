/* cmd_tail.c - events as they come. Ids are made before their transactions commit, so each look goes some seconds back, and shows what the
 * one before did not. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl_filter.h"
#include "stop.h"

#include "grapnel/resource.h"

#define LOOK_US 500000
#define LATE_MS (5 * MS_PER_SECOND)	/* from the number of an event to its commit */
#define LINES_DEFAULT 10

/* The events of the last seconds, newest first, as far as they fit the filter. */
struct window {
	struct arena *a;
	struct event_view *rows;
	size_t n, room;
};

static bool read_window(struct ctl *c, const struct event_filter *wanted, ms_t from, struct window *w, struct err *e)
{
	struct event_filter f = *wanted;

	f.from = from;
	f.limit = LIST_LIMIT_MAX;
	arena_reset(w->a);
	w->rows = NULL;
	w->n = w->room = 0;
	do {
		struct event_view *page;
		size_t n;

		if (!event_view_list(c->db, w->a, &f, &page, &n, &f.cursor, e))
			return false;
		if (w->n + n > w->room) {
			size_t room = 2 * (w->n + n);

			w->rows = arena_grow(w->a, w->rows, w->room * sizeof(*page), room * sizeof(*page));
			w->room = room;
		}
		if (n)
			memcpy(w->rows + w->n, page, n * sizeof(*page));
		w->n += n;
	} while (f.cursor);
	return true;
}

/* Falling, as lists are. */
static int compare_ids(const void *x, const void *y)
{
	const struct event_view *a = x, *b = y;

	return a->id > b->id ? -1 : a->id < b->id;
}

static void show(struct ctl *c, const struct event_view *v)
{
	char at[TIME_TEXT];

	if (c->json) {
		struct arena *a = arena_new(1 << 20);
		struct json_out o;
		struct strbuf b;

		strbuf_init(&b, a, 1 << 19);
		json_out_init(&o, &b);
		json_open(&o, '{');
		json_fields(&o, event_view_fields, v);
		json_close(&o, '}');
		ctl_json_print(&b);
		arena_free(a);
		return;
	}
	printf("%s  %" PRIu64 "  %-12.*s %-10.*s %-8.*s ", time_format(v->received_at, at), v->id, STR_ARG(v->provider), STR_ARG(v->status),
		STR_ARG(v->severity));
	ctl_text(stdout, v->summary, false);
	putchar('\n');
}

/* Of the window those that were not in the one before, oldest first. */
static void show_new(struct ctl *c, const struct window *now, const struct window *before)
{
	for (size_t i = now->n; i--;)
		if (!before->n || !bsearch(&now->rows[i], before->rows, before->n, sizeof(*before->rows), compare_ids))
			show(c, &now->rows[i]);
	fflush(stdout);
}

/* Up to what the first window has: the rest is news. */
static bool show_last(struct ctl *c, const struct event_filter *wanted, uint64_t lines, struct window *w, struct err *e)
{
	struct event_filter f = *wanted;
	struct event_view *rows;
	uint64_t next;
	size_t n = 0;

	if (!read_window(c, wanted, c->now - LATE_MS, w, e))
		return false;
	f.limit = lines;
	f.cursor = w->n ? w->rows[0].id + 1 : id_floor(c->now - LATE_MS);
	if (lines && !event_view_list(c->db, w->a, &f, &rows, &n, &next, e))
		return false;
	while (n--)
		show(c, &rows[n]);
	fflush(stdout);
	return true;
}

static bool follow(struct ctl *c, const struct event_filter *wanted, struct window w[2], int64_t until_us, struct err *e)
{
	bool down = false;
	size_t turn = 0;

	while (!told_to_stop && !ferror(stdout) && clock_mono_us() < until_us) {
		struct err why = { 0 };

		usleep(LOOK_US);
		if (read_window(c, wanted, clock_now() - LATE_MS, &w[!turn], &why)) {
			show_new(c, &w[!turn], &w[turn]);
			turn = !turn;
			down = false;
		} else if (why.code < ERR_DOWN) {
			*e = why;
			return false;
		} else {
			if (!down)
				fprintf(stderr, "grapnelctl: the database does not answer; waiting for it\n");
			down = true;
		}
	}
	return true;
}

static bool tail(struct ctl *c, struct err *e)
{
	struct window w[2] = { { .a = arena_new(256u << 20) }, { .a = arena_new(256u << 20) } };
	struct event_query q = { .f = { .tenant_id = ctl_has(c, "tenant") ? c->tenant_id : 0 } };
	uint64_t lines = LINES_DEFAULT, seconds = UINT32_MAX;
	bool ok;

	ok = ctl_number(c, "lines", 0, LIST_LIMIT_MAX, &lines, e) && ctl_number(c, "for", 1, UINT32_MAX, &seconds, e) &&
		ctl_form_read(c, c->word_n, ctl_filter_fields, event_query_fields, FORM_NEW, &q, e);
	if (ok && !event_query_join(&q))
		ok = err_set(e, ERR_INVALID, "no event has such a status");
	stop_catch();
	ok = ok && show_last(c, &q.f, lines, &w[0], e) && follow(c, &q.f, w, clock_mono_us() + (int64_t)seconds * 1000000, e);
	arena_free(w[0].a);
	arena_free(w[1].a);
	return ok;
}

static const struct ctl_option tail_options[] = {
	CTL_FILTER_OPTIONS,
	{ "lines", "N", "begins with the newest N, up to 100; default 10" },
	{ "for", "SECONDS", "ends by itself after that time" },
	{ 0 }
};

const struct command tail_commands[] = {
	{ "event tail", "", tail_options, NEED_SCHEMA, tail, "shows events as they come, until it is interrupted" },
	{ 0 }
};
