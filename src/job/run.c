/* run.c - finds what is due, takes leases, runs, stores results.
 *
 * Why leases and no lock file: jobs must not run twice at the same time on any host of one database. Why not GET_LOCK: Galera does not
 * replicate it. Why "due" and no queue: a machine that was off for a day does what is to be done once, not 1440 times.
 *
 * Nobody starves: whoever ended his last run has his turn before those who did not, be it that their time was up, that they failed or that
 * they took the process with them; among equals the longest waiting is first. Those who had too little time share what is left. */
#include <time.h>
#include <unistd.h>

#include "grapnel/crypto.h"
#include "grapnel/log.h"

#include "job_int.h"

#define RETRY_MS (10 * MS_PER_MINUTE)	/* after a failure: soon enough for a daily job, not each minute */
#define RENEW_US 15000000		/* a sixth of the lease */
#define US_PER_MS 1000
#define ARENA_MAX ((size_t)512 << 20)	/* an archived request has a body of 25 MiB, which is copied and escaped */

/* ---- due ---- */

static ms_t period(const struct schedule *s)
{
	return s->every_min ? s->every_min * MS_PER_MINUTE : MS_PER_DAY;
}

/* A start in the future was noted by a clock that was wrong; hosts may differ by less than a period. */
bool job_is_due(const struct schedule *schedule, ms_t (*offset)(ms_t t), const struct job_state *s, ms_t now)
{
	if (s->last_started_at < schedule_last(schedule, offset, now) || s->last_started_at > now + period(schedule))
		return true;
	if (!s->unfinished)
		return false;
	return s->last_finished_at < s->last_started_at || s->last_ok || s->last_finished_at + RETRY_MS <= now;
}

/* ---- whose turn it is ---- */

static int compare_turns(const void *x, const void *y)
{
	const struct job_turn *a = x, *b = y;

	if (a->state.unfinished != b->state.unfinished)
		return a->state.unfinished - b->state.unfinished;
	if (a->state.last_started_at != b->state.last_started_at)
		return a->state.last_started_at < b->state.last_started_at ? -1 : 1;
	return a->number - b->number;
}

void jobs_order(struct job_turn *turns, size_t n)
{
	if (n)
		qsort(turns, n, sizeof(*turns), compare_turns);
}

int64_t jobs_share(int64_t left, const struct job_turn *later, size_t n)
{
	int64_t parts = 1;

	for (size_t i = 0; i < n; i++)
		parts += later[i].state.unfinished;
	return left / parts;
}

/* ---- what jobs call ---- */

ms_t job_now(const struct job_run *r)
{
	return r->started_at + (clock_mono_us() - r->began_us) / US_PER_MS;
}

int64_t job_left_ms(const struct job_run *r)
{
	return (r->until_us - clock_mono_us()) / US_PER_MS;
}

static bool is_told_to_stop(const struct job_run *r)
{
	return r->c->stop && *r->c->stop;
}

int job_goes_on(struct job_run *r, struct err *e)
{
	int64_t now_us = clock_mono_us();
	int ours;

	if (now_us >= r->until_us || is_told_to_stop(r)) {
		r->unfinished = true;
		return 0;
	}
	if (r->c->dry_run || !r->owner || now_us - r->renewed_us < RENEW_US)
		return 1;
	ours = job_renew(r->c->db, r->name, r->owner, job_now(r), e);
	if (!ours)
		err_set(e, ERR_CONFLICT, "the lease was lost: another run has taken over");
	r->renewed_us = now_us;
	return ours == 1 ? 1 : -1;
}

void job_count(struct job_run *r, const char *what, uint64_t n)
{
	size_t i = 0;

	while (i < r->count_n && strcmp(r->counts[i].what, what))
		i++;
	if (i == JOB_COUNTS_MAX)
		die("more than %d counts in a job", JOB_COUNTS_MAX);
	if (i == r->count_n)
		r->counts[r->count_n++].what = what;
	r->counts[i].n += n;
}

void job_pause(struct job_run *r, int64_t ms)
{
	int64_t left_ms = job_left_ms(r);
	struct timespec t;

	if (ms > left_ms)
		ms = left_ms;
	if (ms <= 0)
		return;
	t.tv_sec = ms / MS_PER_SECOND;
	t.tv_nsec = ms % MS_PER_SECOND * 1000000;
	nanosleep(&t, NULL);	/* a signal ends it: good */
}

/* ---- results ---- */

static const char *const outcomes[] = {
	[JOB_DONE] = "done",
	[JOB_UNFINISHED] = "unfinished",
	[JOB_FAILED] = "failed",
	[JOB_ELSEWHERE] = "elsewhere",
};

const char *job_outcome_word(enum job_outcome o)
{
	return outcomes[o];
}

const struct field job_result_fields[] = {
	FIELD_STR(struct job_result, name, "name", "The job"),
	FIELD_STR(struct job_result, outcome_word, "outcome",
		"done; unfinished: the next run goes on; failed; elsewhere: another run has it"),
	FIELD_U64(struct job_result, touched, "touched", "Rows"),
	FIELD_STR(struct job_result, counts, "counts", "The same by kind"),
	FIELD_U64(struct job_result, bytes, "bytes", "What the removed rows held, more or less"),
	FIELD_U64(struct job_result, duration_ms, "durationMs", "How long it took"),
	FIELD_U64(struct job_result, longest_ms, "longestLockMs", "The longest that rows were locked"),
	FIELD_STR(struct job_result, error, "error", "Why it failed"),
	FIELD_END
};

/* 12,345 */
static void add_grouped(struct strbuf *b, uint64_t n)
{
	if (n >= 1000) {
		add_grouped(b, n / 1000);
		strbuf_addf(b, ",%03u", (unsigned)(n % 1000));
	} else {
		strbuf_addf(b, "%u", (unsigned)n);
	}
}

static struct str counts_text(struct arena *a, const struct job_run *r, uint64_t *sum)
{
	struct strbuf b;

	strbuf_init(&b, a, 1024);
	*sum = 0;
	for (size_t i = 0; i < r->count_n; i++) {
		*sum += r->counts[i].n;
		if (!r->counts[i].n)
			continue;
		strbuf_addf(&b, "%s%s ", b.n ? ", " : "", r->counts[i].what);
		add_grouped(&b, r->counts[i].n);
	}
	if (r->bytes)
		strbuf_addf(&b, "; %.*s", STR_ARG(bytes_text(a, r->bytes)));
	return b.n ? strbuf_str(&b) : STR("");
}

static void log_result(const struct job_result *x)
{
	if (x->outcome == JOB_FAILED)
		log_error("job failed", LOG_STR("job", x->name), LOG_STR("error", x->error), LOG_U("touched", x->touched),
			LOG_U("duration_ms", x->duration_ms));
	else if (x->touched || x->outcome == JOB_UNFINISHED)
		log_info("job ran", LOG_STR("job", x->name), LOG_S("outcome", outcomes[x->outcome]), LOG_STR("counts", x->counts),
			LOG_U("duration_ms", x->duration_ms), LOG_U("longest_lock_ms", x->longest_ms));
}

/* ---- one job ---- */

static void fill_result(struct arena *a, const struct job_run *r, bool ok, const struct err *e, struct job_result *x)
{
	x->outcome = !ok ? JOB_FAILED : r->unfinished ? JOB_UNFINISHED : JOB_DONE;
	x->counts = counts_text(a, r, &x->touched);
	x->bytes = r->bytes;
	x->error = ok ? STR_NONE : arena_str(a, str_of(e->text));
	x->duration_ms = (uint64_t)(clock_mono_us() - r->began_us) / US_PER_MS;
	x->longest_ms = r->longest_us / US_PER_MS;
}

/* A result that cannot be stored is a failure too: the job is due again, so it will be done twice, never not at all. */
static void store_result(const struct job_run *r, struct arena *a, struct job_result *x)
{
	struct job_end end = { .name = r->name, .counts = str_cut(x->counts, 255), .error = x->error, .started_at = r->started_at,
		.duration_ms = x->duration_ms, .touched = x->touched, .bytes = x->bytes, .longest_ms = x->longest_ms, .position = r->position, .ok = x->outcome != JOB_FAILED,
		.unfinished = r->unfinished };
	struct err e = { 0 };

	if (job_finish(r->c->db, &end, r->owner, &e))
		return;
	x->outcome = JOB_FAILED;
	if (!x->error.p)
		x->error = arena_str(a, str_of(e.text));
}

static uint64_t make_owner(void)
{
	uint64_t owner;

	random_bytes(&owner, sizeof(owner));
	return owner >> 1 | 1;
}

/* `began_us`: when what the configuration calls now was. */
static struct job_run new_run(const struct job_config *c, struct str name, int64_t began_us, int64_t time_us)
{
	int64_t now_us = clock_mono_us();

	return (struct job_run){ .c = c, .a = arena_new(ARENA_MAX), .name = name,
		.started_at = c->now + (now_us - began_us) / US_PER_MS, .began_us = now_us, .renewed_us = now_us,
		.until_us = now_us + time_us, .owner = make_owner() };
}

/* "web1, process 4711" */
static struct str holder(struct arena *a)
{
	char host[65] = "";

	(void)gethostname(host, sizeof(host) - 1);
	return arena_printf(a, "%s, process %ld", *host ? host : "?", (long)getpid());
}

/* `a` outlives the job, which has an arena of its own. */
static void run_one(const struct job_config *c, struct arena *a, const struct job_turn *turn, int64_t began_us, int64_t time_us,
	struct job_result *x)
{
	const struct job_state *seen = &turn->state;
	struct job_run r = new_run(c, seen->name, began_us, time_us);
	struct err e = { 0 };
	int claimed = c->dry_run ? 1 : job_claim(c->db, seen, r.owner, holder(a), r.started_at, &e);

	*x = (struct job_result){ .job = turn->job, .name = r.name, .outcome = JOB_ELSEWHERE };
	r.position = seen->position;
	r.previous_at = seen->last_started_at;
	if (claimed > 0) {
		fill_result(a, &r, turn->job->run(&r, &e), &e, x);
		if (!c->dry_run)
			store_result(&r, a, x);
	} else if (claimed < 0) {
		fill_result(a, &r, false, &e, x);
	}
	x->outcome_word = str_of(outcomes[x->outcome]);
	if (!c->dry_run)
		log_result(x);
	arena_free(r.a);
}

struct job_run job_apart(const struct job_config *c, struct arena *a)
{
	int64_t now_us = clock_mono_us();

	return (struct job_run){ .c = c, .a = a, .started_at = c->now, .began_us = now_us, .renewed_us = now_us,
		.until_us = now_us + c->limit_ms * US_PER_MS };
}

bool cleanup_apart(const struct job_config *c, struct arena *a, struct job_result *out, struct err *e)
{
	struct job_run r = new_run(c, str_of(job_cleanup.facts.name), clock_mono_us(), c->limit_ms * US_PER_MS);
	bool ok;

	r.owner = 0;
	ok = cleanup_run(&r, e);
	*out = (struct job_result){ .job = &job_cleanup, .name = r.name };
	fill_result(a, &r, ok, e, out);
	out->outcome_word = str_of(outcomes[out->outcome]);
	arena_free(r.a);
	return ok;
}

/* ---- all ---- */

static struct str row_name(const struct job_config *c, struct arena *a, const struct job_facts *f)
{
	return f->each_host ? arena_printf(a, "%s@%u", f->name, c->conf->server.node) : str_of(f->name);
}

static struct job_state state_of(struct str name, const struct job_state *states, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(states[i].name, name))
			return states[i];
	return (struct job_state){ .name = name };
}

/* Those of the list that are due, or all of them where somebody named them. */
static size_t find_turns(const struct job_config *c, struct arena *a, const struct job *const *only, const struct job_state *states, size_t state_n,
	struct job_turn *turns)
{
	const struct job *const *list = only ? only : jobs;
	size_t n = 0;

	for (int i = 0; list[i]; i++) {
		struct job_turn t = { list[i], state_of(row_name(c, a, &list[i]->facts), states, state_n), i };

		if (only || (!job_is_held(&t.state, c->now) && job_is_due(&list[i]->facts.schedule, zone_offset, &t.state, c->now)))
			turns[n++] = t;
	}
	if (!only)
		jobs_order(turns, n);
	return n;
}

bool jobs_run(const struct job_config *c, struct arena *a, const struct job *const *only, struct job_result *results, size_t *n,
	struct err *e)
{
	int64_t began_us = clock_mono_us(), end_us = began_us + c->limit_ms * US_PER_MS;
	struct job_turn turns[JOBS_MAX];
	struct job_state *states;
	size_t state_n, turn_n;

	*n = 0;
	if (!only && !c->dry_run && !job_beat(c->db, c->now, e))
		return false;
	if (!job_states(c->db, a, &states, &state_n, e))
		return false;
	turn_n = find_turns(c, a, only, states, state_n, turns);
	for (size_t i = 0; i < turn_n; i++) {
		int64_t left_us = end_us - clock_mono_us();

		if (left_us <= 0 || (c->stop && *c->stop))
			break;
		run_one(c, a, &turns[i], began_us, jobs_share(left_us, turns + i + 1, turn_n - i - 1), &results[(*n)++]);
	}
	return true;
}
