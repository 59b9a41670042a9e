/* cmd_replay.c - events once more, and events as they come. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl_int.h"

#include "grapnel/resource.h"
#include "grapnel/task.h"

#define TURN_US 200000
#define LOOK_US 500000
#define LATE_MS (5 * MS_PER_SECOND)	/* from the number of an event to its commit */
#define LINES_DEFAULT 10

static volatile sig_atomic_t told_to_stop;

static void on_signal(int number)
{
	told_to_stop = number;
}

static void catch_signals(void)
{
	const struct sigaction stop = { .sa_handler = on_signal };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
}

/* The filters of GET /api/events. */
static const struct ctl_field filter_fields[] = {
	{ "status", "status" }, { "processed", "processed" }, { "severity", "severity" }, { "provider", "provider" }, { "source", "source" },
	{ "service", "service" }, { "type", "type" }, { "text", "q" }, { "from", "from" }, { "to", "to" }, { NULL, NULL },
};

#define FILTER_OPTIONS \
	{ "status", "STATUS", "pending, processing, processed, failed, dead or ignored; several with commas between" }, \
	{ "processed", "true|false", "nothing is left to do of them, or something" }, \
	{ "severity", "SEVERITY", "critical, error, warning or info; several with commas between" }, \
	{ "provider", "TYPE", "only of this provider" }, \
	{ "source", "ID", "only of this integration or registration" }, \
	{ "service", "ID", "only of this service's integrations; its name will do" }, \
	{ "type", "TYPE", "only of this event type" }, \
	{ "text", "TEXT", "an event id, whole; else part of summary or type, or a whole dedup key" }

/* ---- event retry ---- */

static bool retry(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct event_view v;
	uint64_t id;

	if (!str_u64(ctl_word(c, 0), &id))
		return err_set(e, ERR_INVALID, "the id of an event is a number, not \"%s\"", c->words[0]);
	if (!ctl_has(c, "tenant"))
		by.tenant_id = 0;	/* a number names one event of all tenants */
	if (!event_retry_by(&by, id, &v, e))
		return e->code == ERR_NOT_FOUND ? err_set(e, ERR_NOT_FOUND, "there is no event %s", c->words[0]) : false;
	if (c->json)
		ctl_one(c, event_view_fields, &v);
	else
		ctl_done(c, "What is left to do of event %" PRIu64 " is done now, by the dispatcher or by cron.", id);
	return true;
}

/* ---- event replay ---- */

static const struct field replay_fields[] = {
	FIELD_ID(struct task_view, id, "id", ""),
	FIELD_STR(struct task_view, state, "state", ""),
	FIELD_STR(struct task_view, about, "filter", ""),
	FIELD_U64(struct task_view, seen, "events", ""),
	FIELD_U64(struct task_view, changed, "replayed", ""),
	FIELD_U64(struct task_view, passed_over, "passedOver", ""),
	FIELD_U64(struct task_view, waiting, "waiting", ""),
	FIELD_U64(struct task_view, undone, "withdrawn", ""),
	FIELD_STR(struct task_view, error, "error", ""),
	FIELD_END
};

static const struct field look_fields[] = {
	FIELD_U64(struct event_replay_look, count, "count", ""),
	FIELD_BOOL(struct event_replay_look, more, "more", ""),
	FIELD_END
};

/* What a dry run and the question say. */
static bool look(struct ctl *c, const struct caller *by, const struct event_replay_form *f, struct event_replay_look *out, struct err *e)
{
	if (!event_replay_look(by, f, out, e))
		return false;
	if (c->json || (ctl_has(c, "yes") && !ctl_has(c, "dry-run")))
		return true;
	printf("%s%" PRIu64 " events%s\n", out->more ? "more than " : "", out->count, out->sample_n ? "; the newest of them:" : "");
	if (out->sample_n)
		ctl_list(c, "events", event_view_fields, "id receivedAt provider status summary", out->sample, out->sample_n, sizeof(*out->sample), 0);
	return true;
}

/* Interrupted, it is cancelled, and what can be taken back is. */
static bool work(struct ctl *c, const struct caller *by, uint64_t id, struct task_view *v, struct err *e)
{
	struct task_runner *t = task_runner_new(&(struct task_config){ .db = c->db, .shm = c->shm, .only = id });
	struct ctl_progress progress = { .ctl = c };
	bool cancelled = false, ok;

	do {
		ok = task_runner_turn(t, clock_now(), e) && task_find(by, id, v, e);
		if (!ok)
			break;
		ctl_progress(&progress, "replay", v->progress, v->seen);
		if (!v->over && !task_runner_is_busy(t))
			usleep(TURN_US);	/* the dispatcher has it */
		if (told_to_stop && !cancelled && !v->over) {
			ok = task_cancel_by(by, id, v, e) || e->code == ERR_CONFLICT;
			cancelled = true;
		}
	} while (ok && !v->over);
	ctl_progress_end(&progress);
	task_runner_free(t);
	return ok;
}

/* Until the handlers have had a try at each, or somebody does not want to wait any more. */
static bool wait_for_handlers(struct ctl *c, const struct caller *by, struct task_view *v, struct err *e)
{
	struct ctl_progress progress = { .ctl = c };
	uint64_t all = v->changed;

	while (v->waiting && !told_to_stop) {
		uint64_t sent = v->waiting_more || v->waiting > all ? 0 : all - v->waiting;

		ctl_progress(&progress, "sent", v->waiting_more ? -1 : (double)sent / (double)all, sent);
		usleep(LOOK_US);
		if (!task_find(by, v->id, v, e))
			return false;
	}
	ctl_progress_end(&progress);
	return true;
}

static bool tell(struct ctl *c, const struct task_view *v, struct err *e)
{
	if (v->state_n == TASK_FAILED)
		return err_set(e, ERR_CONFLICT, "the replay failed: %.*s", STR_ARG(v->error));
	if (c->json) {
		ctl_one(c, replay_fields, v);
		return true;
	}
	printf("%s %" PRIu64 " of %" PRIu64 " events; %s%" PRIu64 " wait for their handler\n",
		v->state_n == TASK_CANCELLED ? "cancelled; replayed" : "replayed", v->changed - v->undone, v->seen, v->waiting_more ? "more than " : "",
		v->waiting);
	return true;
}

/* What was queued is sent whether anybody waits for it or not. */
static bool waited(const struct ctl *c, const struct task_view *v, struct err *e)
{
	return !ctl_has(c, "wait") || !v->waiting || v->state_n == TASK_CANCELLED ||
		err_set(e, ERR_CONFLICT, "interrupted; replay %" PRIu64 " goes on, and what waits for its handler is sent", v->id);
}

static bool replay(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct event_replay_form f = { .filter = NULL };
	struct event_replay_look found;
	struct task_view v;
	char question[100];

	if (!ctl_form_read(c, c->word_n, filter_fields, event_replay_fields, FORM_NEW, &f, e) || !event_replay_read(&by, &f, e))
		return false;
	if (!look(c, &by, &f, &found, e))
		return false;
	if (ctl_has(c, "dry-run")) {
		if (c->json)
			ctl_one(c, look_fields, &found);
		return true;
	}
	snprintf(question, sizeof(question), "Replay %s%" PRIu64 " events?", found.more ? "more than " : "", found.count);
	if (!ctl_sure(c, question, e))
		return false;
	catch_signals();
	return event_replay_by(&by, &f, id_make(by.ids, c->now), &v, e) && work(c, &by, v.id, &v, e) &&
		(!ctl_has(c, "wait") || wait_for_handlers(c, &by, &v, e)) && tell(c, &v, e) && waited(c, &v, e);
}

/* ---- event tail ---- */

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
		ctl_form_read(c, c->word_n, filter_fields, event_query_fields, FORM_NEW, &q, e);
	if (ok && !event_query_join(&q))
		ok = err_set(e, ERR_INVALID, "no event has such a status");
	catch_signals();
	ok = ok && show_last(c, &q.f, lines, &w[0], e) && follow(c, &q.f, w, clock_mono_us() + (int64_t)seconds * 1000000, e);
	arena_free(w[0].a);
	arena_free(w[1].a);
	return ok;
}

static const struct ctl_option replay_options[] = {
	FILTER_OPTIONS,
	{ "from", "TIME", "received at or after, as 2026-01-02T03:04:05Z" },
	{ "to", "TIME", "received before" },
	{ "dry-run", NULL, "says how many these are, and which, and changes nothing" },
	{ "wait", NULL, "and waits until the handlers have had them" },
	{ "yes", NULL, "do not ask" },
	{ 0 }
};

static const struct ctl_option tail_options[] = {
	FILTER_OPTIONS,
	{ "lines", "N", "begins with the newest N, up to 100; default 10" },
	{ "for", "SECONDS", "ends by itself after that time" },
	{ 0 }
};

const struct command replay_commands[] = {
	{ "event retry", "ID", NULL, NEED_SCHEMA | NEED_STATE, retry, "does now what is left to do of an event" },
	{ "event replay", "", replay_options, NEED_SCHEMA | NEED_STATE, replay, "sends the events of a filter to their handlers once more" },
	{ "event tail", "", tail_options, NEED_SCHEMA, tail, "shows events as they come, until it is interrupted" },
	{ 0 }
};
