/* tasks.c - long work: events replayed as a task, and /api/jobs/{id}. */
#include "api_int.h"

#include "grapnel/task.h"

const struct field task_progress_fields[] = {
	FIELD_NUMBER(struct task_view, progress, "progress", "0 to 1; left out while nobody knows how much it is"),
	FIELD_END
};

const struct doc_part task_parts[] = {
	{ "counts", PART_COUNTS, .help = "events: looked at, of `total` where that is known; replayed of these; passedOver: nothing is left to do"
		" of them, or they are being sent; waiting: still in the queue of their handler, counted up to 10,000; withdrawn: taken out"
		" of it when the task was cancelled" },
	{ 0 }
};

static void write_counts(struct reply *r, const struct task_view *v)
{
	const struct task_kind *kind = task_kind_find(v->kind);
	const struct stats_count counts[] = {
		{ STR("total"), v->total }, { STR("events"), v->seen }, { str_of(kind ? kind->changed : "changed"), v->changed },
		{ STR("passedOver"), v->passed_over }, { STR("waiting"), v->waiting }, { STR("withdrawn"), v->undone },
	};

	reply_counts(r, "counts", counts + !v->counted, ARRAY_SIZE(counts) - !v->counted);
}

static void write_task(struct reply *r, const struct task_view *v)
{
	json_fields(&r->o, task_view_fields, v);
	if (v->progress >= 0)
		json_fields(&r->o, task_progress_fields, v);
}

static void reply_task(struct call *c, unsigned status, const struct task_view *v)
{
	struct reply r;

	reply_begin(c, &r);
	write_task(&r, v);
	write_counts(&r, v);
	reply_end(c, &r, status);
}

void api_task_get(void *call)
{
	struct call *c = call;
	struct task_view v;
	struct err e = { 0 };
	uint64_t id;

	if (!input_id(c, 0, &id))
		return;
	if (task_find(&c->by, id, &v, &e))
		reply_task(c, 200, &v);
	else
		reply_err(c, &e);
}

void api_task_cancel(void *call)
{
	struct call *c = call;
	struct task_view v;
	struct err e = { 0 };
	uint64_t id;

	if (!input_id(c, 0, &id))
		return;
	if (task_cancel_by(&c->by, id, &v, &e))
		reply_task(c, 200, &v);
	else
		reply_err(c, &e);
}

void api_task_list(void *call)
{
	struct call *c = call;
	struct task_filter f = { .tenant_id = c->by.tenant_id, .limit = LIST_LIMIT_DEFAULT };
	struct task_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_query(c, task_query_fields, &f))
		return;
	if (task_view_list(c->by.db, c->a, &f, &rows, &n, &next, &e))
		reply_list(c, "tasks", task_view_fields, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

/* ---- replay ---- */

void api_event_retry(void *call)
{
	struct call *c = call;
	struct event_view v;
	struct err e = { 0 };
	uint64_t id;

	if (!input_id(c, 0, &id))
		return;
	if (event_retry_by(&c->by, id, &v, &e))
		reply_fields(c, 200, event_view_fields, &v);
	else
		reply_err(c, &e);
}

struct dry_answer {
	bool dry_run, more;
	uint64_t count;
};
static const struct field replay_look_fields[] = {
	FIELD_BOOL(struct dry_answer, dry_run, "dryRun", "true: nothing was done"),
	FIELD_U64(struct dry_answer, count, "count", "Events that the filter names, as far as they could be counted in a moment"),
	FIELD_BOOL(struct dry_answer, more, "more", "And more than that"),
	FIELD_END
};
static const struct doc_part look_parts[] = {
	{ "sample", PART_ROWS, FIELDS(event_view_fields), .help = "The newest of them" },
	{ 0 }
};
const struct doc event_replay_look_doc = { .fields = FIELDS(replay_look_fields), .parts = look_parts };

static void reply_look(struct call *c, const struct event_replay_form *f)
{
	struct event_replay_look look;
	struct dry_answer x;
	struct err e = { 0 };
	struct reply r;

	if (!event_replay_look(&c->by, f, &look, &e)) {
		reply_err(c, &e);
		return;
	}
	x = (struct dry_answer){ true, look.more, look.count };
	reply_begin(c, &r);
	json_fields(&r.o, replay_look_fields, &x);
	reply_rows(&r, "sample", event_view_fields, look.sample, sizeof(*look.sample), look.sample_n);
	reply_end(c, &r, 200);
}

void api_event_replay(void *call)
{
	struct call *c = call;
	struct event_replay_form f = { .filter = NULL };
	struct task_view v;
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_form(c, event_replay_fields, false, &f))
		return;
	if (!event_replay_read(&c->by, &f, &e))
		reply_err(c, &e);
	else if (f.dry_run)
		reply_look(c, &f);
	else if (event_replay_by(&c->by, &f, id_make(c->by.ids, c->by.now), &v, &e))
		reply_task(c, 202, &v);
	else
		reply_err(c, &e);
}
