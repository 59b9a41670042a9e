/* job.c - the jobs of cron: when they ran and run again, how that went, and whether cron runs at all.
 *
 * What jobs there are is said by the caller, since the table of jobs stands above this folder. */
#include "view_int.h"

/* A run begins a moment after its minute. */
#define LATE_GRACE_MS (30 * MS_PER_SECOND)

const struct field job_view_fields[] = {
	FIELD_STR(struct job_view, name, "name", "Name of the job, for grapnel-cron too"),
	FIELD_STR(struct job_view, help, "description", "What it does"),
	FIELD_STR(struct job_view, schedule, "schedule", "When it runs"),
	FIELD_STR(struct job_view, result, "result",
		"Of the last run: never, running, done, unfinished (the next run goes on), failed, killed"),
	FIELD_BOOL(struct job_view, late, "late", "It has not run for three periods"),
	FIELD_TIME(struct job_view, last_started_at, "lastStartedAt", "When it ran last"),
	FIELD_TIME(struct job_view, last_finished_at, "lastFinishedAt", "When that ended"),
	FIELD_U64(struct job_view, last_duration_ms, "lastDurationMs", "How long it took"),
	FIELD_U64(struct job_view, last_touched, "lastTouched", "Rows it touched; 0 for who is no platform admin"),
	FIELD_STR(struct job_view, error, "error", "Why it failed, for platform admins"),
	FIELD_TIME(struct job_view, next_at, "nextAt", "When it is due again"),
	FIELD_STR(struct job_view, holder, "holder", "Host and process that runs it, or ran it last, for platform admins"),
	FIELD_TIME(struct job_view, lease_until, "leaseUntil", "Nobody else runs it before, unless it ends; null: nobody runs it now"),
	FIELD_END
};

const struct field job_run_view_fields[] = {
	FIELD_ID(struct job_run_view, id, "id", "Our number of the run"),
	FIELD_STR(struct job_run_view, job, "job", "Name of the job"),
	FIELD_TIME(struct job_run_view, started_at, "startedAt", "When it began"),
	FIELD_U64(struct job_run_view, duration_ms, "durationMs", "How long it took"),
	FIELD_STR(struct job_run_view, result, "result", "done, unfinished or failed"),
	FIELD_U64(struct job_run_view, touched, "touched", "Rows; 0 for who is no platform admin, as other figures"),
	FIELD_STR(struct job_run_view, counts, "counts", "The same by kind, for platform admins"),
	FIELD_U64(struct job_run_view, bytes, "bytes", "What the removed rows held, more or less"),
	FIELD_U64(struct job_run_view, longest_lock_ms, "longestLockMs", "The longest that rows were locked"),
	FIELD_STR(struct job_run_view, error, "error", "Why it failed, for platform admins"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct job_run_view, id, "id", ""),
	FIELD_STR(struct job_run_view, job, "name", ""),
	FIELD_TIME(struct job_run_view, started_at, "started_at", ""),
	FIELD_U64(struct job_run_view, duration_ms, "duration_ms", ""),
	FIELD_BOOL(struct job_run_view, ok, "ok", ""),
	FIELD_BOOL(struct job_run_view, unfinished, "unfinished", ""),
	FIELD_U64(struct job_run_view, touched, "touched", ""),
	FIELD_STR(struct job_run_view, counts, "counts", ""),
	FIELD_U64(struct job_run_view, bytes, "bytes", ""),
	FIELD_U64(struct job_run_view, longest_lock_ms, "longest_lock_ms", ""),
	FIELD_STR(struct job_run_view, error, "error", ""),
	FIELD_END
};

/* ---- does cron run? ---- */

static const struct field cron_columns[] = {
	FIELD_TIME(struct cron_watch, last_at, "last_at", ""),
	FIELD_TIME(struct cron_watch, since, "since", ""),
	FIELD_END
};

/* Has the third moment before now passed since `last`? */
static bool is_late(const struct schedule *s, ms_t (*offset)(ms_t t), ms_t last, ms_t now)
{
	ms_t moment = now - LATE_GRACE_MS + 1;

	for (int i = 0; i < LATE_PERIODS; i++)
		moment = schedule_last(s, offset, moment - 1);
	return last < moment;
}

bool cron_watch(struct db *db, struct arena *a, ms_t now, struct cron_watch *out, struct err *e)
{
	static const struct schedule each_minute = { .every_min = 1 };
	struct cron_watch w = { 0 };

	if (db_query_one(db, &view_stmt[V_CRON], NULL, 0, a, cron_columns, sizeof(w), &w, e) < 0)
		return false;
	if (w.last_at > w.since)
		w.since = w.last_at;
	w.late = is_late(&each_minute, zone_offset, w.since, now);
	*out = w;
	return true;
}

/* ---- the jobs ---- */

static struct str result_word(const struct job_state *s, ms_t now)
{
	if (!s->last_started_at)
		return STR("never");
	if (job_is_held(s, now))
		return STR("running");
	if (s->last_finished_at < s->last_started_at)
		return STR("killed");
	return !s->last_ok ? STR("failed") : s->unfinished ? STR("unfinished") : STR("done");
}

static void fill(struct arena *a, const struct job_facts *f, const struct job_state *s, ms_t installed_at, ms_t (*offset)(ms_t t),
	ms_t now, struct job_view *v)
{
	bool ended = s->last_finished_at && s->last_finished_at >= s->last_started_at;

	*v = (struct job_view){
		.name = s->name.n ? s->name : str_of(f->name), .help = str_of(f->help), .schedule = schedule_text(a, &f->schedule),
		.result = result_word(s, now), .last_started_at = s->last_started_at, .last_touched = s->last_touched,
		.last_finished_at = ended ? s->last_finished_at : 0,
		.last_duration_ms = ended ? (uint64_t)(s->last_finished_at - s->last_started_at) : 0,
		.next_at = schedule_next(&f->schedule, offset, now),
		.late = is_late(&f->schedule, offset, s->last_started_at > installed_at ? s->last_started_at : installed_at, now),
	};
	if (job_is_held(s, now))
		v->lease_until = s->lease_until;
	if (s->holder.n)
		v->holder = s->holder;
	if (ended && !s->last_ok)
		v->error = s->last_error;
}

/* Is that the row of the job, or of one host's? */
static bool is_of(const struct job_state *s, const struct job_facts *f)
{
	size_t n = strlen(f->name);

	return f->each_host ? str_starts(s->name, f->name) && s->name.n > n && s->name.p[n] == '@' : str_eqs(s->name, f->name);
}

bool job_view_list(struct db *db, struct arena *a, const struct job_facts *facts, size_t facts_n, ms_t (*offset)(ms_t t), ms_t now,
	struct job_view **out, size_t *n, struct err *e)
{
	const struct job_state none = { 0 };
	struct cron_watch w = { 0 };
	struct job_state *states;
	size_t state_n;

	if (db_query_one(db, &view_stmt[V_CRON], NULL, 0, a, cron_columns, sizeof(w), &w, e) < 0 ||
		!job_states(db, a, &states, &state_n, e))
		return false;
	*out = ARENA_ARRAY(a, struct job_view, facts_n + state_n);
	*n = 0;
	for (size_t i = 0; i < facts_n; i++) {
		size_t before = *n;

		for (size_t k = 0; k < state_n; k++)
			if (is_of(&states[k], &facts[i]))
				fill(a, &facts[i], &states[k], w.since, offset, now, &(*out)[(*n)++]);
		if (*n == before)
			fill(a, &facts[i], &none, w.since, offset, now, &(*out)[(*n)++]);
	}
	return true;
}

/* ---- their runs ---- */

bool job_run_view_list(struct db *db, struct arena *a, const struct job_run_filter *f, struct job_run_view **out, size_t *n,
	uint64_t *next, struct err *e)
{
	uint64_t below = f->cursor ? f->cursor : INT64_MAX;
	struct job_run_view *rows;

	if (f->job.n ? !db_query(db, &view_stmt[V_JOB_RUNS_OF], VALS(V_S(f->job), V_U(below), V_U(f->notable), V_U(f->limit + 1)),
			a, columns, sizeof(*rows), &rows, n, e) :
		!db_query(db, &view_stmt[V_JOB_RUNS], VALS(V_U(below), V_U(f->notable), V_U(f->limit + 1)), a, columns, sizeof(*rows),
			&rows, n, e))
		return false;
	*next = 0;
	if (*n > f->limit) {
		*n = f->limit;
		*next = rows[*n - 1].id;
	}
	for (size_t i = 0; i < *n; i++) {
		rows[i].result = !rows[i].ok ? STR("failed") : rows[i].unfinished ? STR("unfinished") : STR("done");
		null_if_empty(&rows[i].counts);
	}
	*out = rows;
	return true;
}
