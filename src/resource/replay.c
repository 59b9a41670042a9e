/* replay.c - events once more: one that is not done, at once; or those of a filter, as a task. */
#include <inttypes.h>

#include "resource_int.h"

#include "grapnel/json.h"
#include "grapnel/task.h"

static bool audit_replay(const struct caller *by, uint64_t tenant_id, const char *action, uint64_t id, struct str detail, struct err *e)
{
	struct who who = caller_who(by, tenant_id);

	return audit_add(by->db, &who, action, arena_printf(by->a, "%" PRIu64, id), detail, by->now, e);
}

/* ---- one ---- */

static bool retry(const struct caller *by, const struct event_view *v, struct err *e)
{
	uint64_t n;

	if (!forward_retry(by->db, by->tenant_id, arena_printf(by->a, "[%" PRIu64 "]", v->id), by->now, &n, e) ||
		breaker_probe_soon(by->db, BREAKER_HANDLER, v->source_row, by->now, e) < 0 ||
		!monitor_cache_drop(by->db, v->tenant_id, e) || !audit_replay(by, v->tenant_id, "event.retry", v->id, STR_NONE, e))
		return false;
	bell_ring(by->shm);
	return true;
}

/* It is on its way already, and trying again would change nothing. */
static bool is_under_way(const struct event_detail *d, ms_t now)
{
	return d->forward.waits && (d->forward.held || (d->event.status_n == EVENT_PENDING && d->forward.next_at <= now && !d->forward.breaker_opened_at));
}

bool event_retry_by(const struct caller *by, uint64_t id, struct event_view *out, struct err *e)
{
	struct event_detail d;
	int found = event_view_get(by->db, by->a, by->tenant_id, id, &d, e);

	if (found < 0)
		return false;
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "there is no such event");
	if (d.event.processed)
		return err_tell(e, ERR_CONFLICT, "Nothing of it is left to do. A replay sends it to its handler anew.");
	if (!is_under_way(&d, by->now) && (!retry(by, &d.event, e) || event_view_get(by->db, by->a, by->tenant_id, id, &d, e) < 0))
		return false;
	*out = d.event;
	return true;
}

/* ---- those of a filter ---- */

#define FILTER_MAX 4096
#define COUNT_US 300000		/* somebody waits for the number */
#define COUNT_STEP 20000
#define COUNT_ARENA_MAX ((size_t)8 << 20)

const struct form_field event_replay_fields[] = {
	EVENT_FILTER_ROWS(struct event_replay_form, q.f, q.processed),
	{ "filter", OBJECT_AT(struct event_replay_form, filter), .help = "The same members as an object of their own" },
	{ "dryRun", BOOL_AT(struct event_replay_form, dry_run), .help = "true: only says how many these are, and which" },
	FORM_END
};

static const struct form_field filter_fields[] = {
	EVENT_FILTER_ROWS(struct event_query, f, processed),
	FORM_END
};

bool event_replay_read(const struct caller *by, struct event_replay_form *f, struct err *e)
{
	if (f->filter && !form_read_json(by->a, f->filter, filter_fields, FORM_NEW, &f->q, e))
		return false;
	f->q.f.tenant_id = by->tenant_id;
	f->q.f.cursor = 0;
	return event_query_join(&f->q) || err_field(e, ERR_INVALID, "processed", "No event has such a status.");
}

static bool count_all(const struct caller *by, const struct event_filter *f, struct arena *a, struct event_replay_look *out, struct err *e)
{
	struct event_walk w = { .limit = COUNT_STEP };
	int64_t until_us = clock_mono_us() + COUNT_US;

	do {
		arena_reset(a);
		if (!event_view_walk(by->db, a, f, &w, e))
			return false;
		out->count += w.n;
	} while (!w.end && clock_mono_us() < until_us);
	out->more = !w.end;
	return true;
}

bool event_replay_look(const struct caller *by, const struct event_replay_form *f, struct event_replay_look *out, struct err *e)
{
	struct event_filter newest = f->q.f;
	struct arena *a = arena_new(COUNT_ARENA_MAX);
	uint64_t next;
	bool ok;

	*out = (struct event_replay_look){ 0 };
	newest.limit = REPLAY_SAMPLE;
	ok = event_view_list(by->db, by->a, &newest, &out->sample, &out->sample_n, &next, e) && count_all(by, &f->q.f, a, out, e);
	arena_free(a);
	return ok;
}

static void add_text(struct arena *a, struct strbuf *b, const char *name, struct str value)
{
	if (!value.n)
		return;
	strbuf_addf(b, "%s%s=", b->n ? "&" : "", name);
	strbuf_addstr(b, url_encode(a, value));
}

static struct str words_of(struct arena *a, uint64_t bits, unsigned n, const char *(*word)(unsigned i))
{
	struct strbuf b;

	strbuf_init(&b, a, 256);
	for (unsigned i = 0; i < n; i++)
		if (bits & 1u << i)
			strbuf_addf(&b, "%s%s", b.n ? "," : "", word(i));
	return strbuf_str(&b);
}

static const char *status_word(unsigned i)
{
	return event_status_word((enum event_status)i);
}

static const char *severity_name(unsigned i)
{
	return severity_word((enum severity)i);
}

static struct str time_text(struct arena *a, ms_t t)
{
	char text[TIME_TEXT];

	if (!t)
		return STR_NONE;
	time_format(t, text);
	return arena_str(a, str_of(text));
}

struct str event_filter_query(struct arena *a, const struct event_filter *f)
{
	struct strbuf b;

	strbuf_init(&b, a, FILTER_MAX);
	add_text(a, &b, "status", words_of(a, f->statuses, EVENT_IGNORED + 1, status_word));
	add_text(a, &b, "severity", words_of(a, f->severities, SEVERITY_CRITICAL + 1, severity_name));
	add_text(a, &b, "provider", f->provider);
	add_text(a, &b, "source", f->source);
	add_text(a, &b, "serviceId", f->service_id);
	add_text(a, &b, "service", f->service);
	add_text(a, &b, "type", f->type);
	add_text(a, &b, "q", f->text);
	add_text(a, &b, "from", time_text(a, f->from));
	add_text(a, &b, "to", time_text(a, f->to));
	return strbuf_str(&b);
}

struct replay_wish {
	const struct caller *by;
	struct task_wish task;
};

static bool add_tx(struct db *db, void *ctx, struct err *e)
{
	const struct replay_wish *w = ctx;
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, w->by->a, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "filter");
	json_str(&o, w->task.about);
	if (w->task.counted) {
		json_key(&o, "count");
		json_u64(&o, w->task.total);
	}
	json_close(&o, '}');
	return task_add(db, &w->task, w->by->now, e) && audit_replay(w->by, w->task.tenant_id, "event.replay", w->task.id, strbuf_str(&b), e);
}

bool event_replay_by(const struct caller *by, const struct event_replay_form *f, uint64_t id, struct task_view *out, struct err *e)
{
	struct replay_wish w = { .by = by, .task = { .id = id, .tenant_id = by->tenant_id, .user_id = by->principal.user_id,
		.kind = str_of(task_replay.slug), .about = str_cut(event_filter_query(by->a, &f->q.f), TASK_ABOUT_MAX),
		.params = task_replay_params(by->a, &f->q.f) } };
	struct event_replay_look look;
	int found;

	found = task_view_get(by->db, by->a, by->tenant_id, id, out, e);
	if (found)	/* the same form once more */
		return found == 1;
	if (!event_replay_look(by, f, &look, e))
		return false;
	w.task.counted = !look.more;
	w.task.total = look.count;
	if (!db_tx(by->db, add_tx, &w, e))
		return false;
	bell_ring(by->shm);
	found = task_view_get(by->db, by->a, by->tenant_id, id, out, e);
	return found == 1 || (!found && err_set(e, ERR_BUG, "a task is not there"));
}
