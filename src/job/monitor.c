/* monitor.c - looks each minute whether our own work is all right, for each tenant, and says so when that changes.
 *
 * A check that fails raises the monitor alert of its type, one that passes ends it: the table knows whether that is a change, so nobody is
 * told each minute, whichever host looks. Here too: proofs that fail in numbers, jobs that do not run; sums of minutes move to their hours, and monitor alerts that nobody will end are ended. */
#include <inttypes.h>

#include "grapnel/log.h"

#include "job_int.h"

#define FOLD_ROWS 500
#define OVER_MAX 100

#define LISTED_MAX 5	/* events of a monitor alert's text */
#define LIST_TEXT_MAX 4096

/* Proofs of a source that failed: so many of the last minutes are no mistake of a person who sets up a sender. */
#define FLOOD_MINUTES 10
#define FLOOD_REFUSED 100
#define FLOOD_LASTS_MS (30 * MS_PER_MINUTE)

#define PAUSE_MS (3 * MS_PER_MINUTE)	/* without a look of ours */
#define HOST_GONE_MS (7 * MS_PER_DAY)	/* then a host's own job is missed no more: it was taken away */

struct monitor_limits job_monitor_limits(const struct conf *c)
{
	return (struct monitor_limits){ .failures = c->monitor.max_recent_failures, .backlog = c->monitor.max_backlog_size,
		.oldest_minutes = c->monitor.max_oldest_pending_minutes, .duplicates = c->monitor.max_duplicates,
		.attempts = (double)c->monitor.max_average_attempts / CONF_DECIMAL_ONE,
		.success_rate = (double)c->monitor.min_success_rate / CONF_DECIMAL_ONE };
}

/* ---- the checks of a tenant ---- */

static bool runs(const struct monitor_alert *running, size_t n, const char *type)
{
	for (size_t i = 0; i < n; i++)
		if (str_eqs(running[i].type, type))
			return true;
	return false;
}

static const struct monitor_recommendation *advice_of(const struct monitor_result *x, const struct monitor_check *c)
{
	for (size_t i = 0; i < x->advice_n; i++)
		if (x->advice[i].check == c)
			return &x->advice[i];
	return NULL;
}

/* That events wait too long comes with the list of them. */
static struct str message_of(struct job_run *r, const struct monitor_view *v, const struct monitor_check *c, enum monitor_check_id id)
{
	struct strbuf b;

	if (id != CHECK_OLDEST || !v->oldest_n)
		return c->message;
	strbuf_init(&b, r->a, LIST_TEXT_MAX);
	strbuf_addstr(&b, c->message);
	for (size_t i = 0; i < v->oldest_n && i < LISTED_MAX; i++)
		strbuf_addf(&b, "%s %" PRIu64 " from %.*s", i ? "," : " The oldest:", v->oldest[i].id, STR_ARG(v->oldest[i].source));
	strbuf_addc(&b, '.');
	return b.failed ? c->message : strbuf_str(&b);
}

/* 1 it changed, 0 it is as it was, -1 failed. */
static int tell(struct job_run *r, uint64_t tenant_id, const struct monitor_view *v, const struct monitor_result *x, enum monitor_check_id id, bool was_running,
	struct err *e)
{
	const struct monitor_check *c = &x->checks[id];
	const struct monitor_recommendation *advice = advice_of(x, c);
	ms_t now = job_now(r);
	struct monitor_alert m = { .tenant_id = tenant_id, .type = str_of(c->alert), .subject = STR(""), .severity = c->severity,
		.message = message_of(r, v, c, id), .value = c->value, .threshold = c->threshold };

	if (c->passed)
		return was_running ? monitor_alert_end(r->c->db, r->a, r->c->ids, tenant_id, m.type, m.subject, now, e) : 0;
	m.id = id_make(r->c->ids, now);
	m.advice = arena_printf(r->a, "%.*s See %.*s", STR_ARG(advice->text), STR_ARG(advice->step));
	return monitor_alert_raise(r->c->db, r->a, r->c->ids, &m, now, e);
}

static bool check_tenant(struct job_run *r, uint64_t tenant_id, bool *fails, struct err *e)
{
	const struct monitor_limits limits = job_monitor_limits(r->c->conf);
	struct monitor_alert *running;
	struct monitor_result x;
	struct monitor_view v;
	size_t n;

	if (!monitor_view_get(r->c->db, r->a, tenant_id, r->c->conf->monitor.window_minutes, true, job_now(r), &v, e) ||
		!monitor_alerts_running(r->c->db, r->a, tenant_id, &running, &n, e))
		return false;
	monitor_judge(r->a, &v.facts, &limits, job_now(r), &x);
	for (size_t i = 0; i < MONITOR_CHECKS; i++) {
		const struct monitor_check *c = &x.checks[i];
		bool was_running = runs(running, n, c->alert);
		int changed = r->c->dry_run ? was_running == c->passed : tell(r, tenant_id, &v, &x, (enum monitor_check_id)i, was_running, e);

		if (changed < 0)
			return false;
		job_count(r, c->passed ? "ended" : "begun", (uint64_t)changed);
	}
	*fails = x.advice_n > 0;
	return true;
}

/* ---- proofs that fail in numbers ---- */

bool job_floods(struct job_run *r, uint64_t tenant_id, uint64_t *found, uint64_t *begun, struct err *e)
{
	ms_t now = job_now(r);
	struct proof_flood *rows;
	size_t n;

	*found = *begun = 0;
	if (!proof_floods(r->c->db, r->a, tenant_id, now - FLOOD_MINUTES * MS_PER_MINUTE, FLOOD_REFUSED, &rows, &n, e))
		return false;
	*found = n;
	for (size_t i = 0; i < n && !r->c->dry_run; i++) {
		const struct monitor_alert m = { .id = id_make(r->c->ids, now), .tenant_id = tenant_id, .type = STR("BAD_SIGNATURES"),
			.subject = rows[i].public_id, .severity = MONITOR_WARNING, .value = (double)rows[i].refused, .threshold = FLOOD_REFUSED,
			.message = arena_printf(r->a, "%.*s refused %" PRIu64 " requests of the last %d minutes, since their key or signature is wrong.",
				STR_ARG(rows[i].name), rows[i].refused, FLOOD_MINUTES),
			.advice = arena_printf(r->a, "Mend the secret, if it is the sender; else name the addresses it sends from. See "
				"/requests?outcome=refused&source=%.*s", STR_ARG(rows[i].public_id)),
			.lasts_until = now + FLOOD_LASTS_MS };
		int began = monitor_alert_raise(r->c->db, r->a, r->c->ids, &m, now, e);

		if (began < 0)
			return false;
		*begun += (uint64_t)began;
	}
	return true;
}

static bool floods(struct job_run *r, uint64_t tenant_id, struct err *e)
{
	uint64_t found, begun;

	if (!job_floods(r, tenant_id, &found, &begun, e))
		return false;
	job_count(r, "begun", begun);
	return true;
}

/* ---- what cron may mend ---- */

static bool mend(struct job_run *r, uint64_t tenant_id, struct err *e)
{
	const struct who system = { .tenant_id = (uint32_t)tenant_id, .actor = ACTOR_SYSTEM };
	struct remediation x;

	if (!remediate_by_cron(r, tenant_id, &x, e))
		return false;
	job_count(r, "remedied", x.affected);
	return !x.affected || r->c->dry_run || (monitor_cache_drop(r->c->db, tenant_id, e) &&
		audit_add(r->c->db, &system, "monitor.auto-remediate", STR("events"), remediation_json(r->a, &x), job_now(r), e));
}

/* ---- jobs that do not run ---- */

static bool is_missed(const struct job_view *v, ms_t now)
{
	return v->late && (str_find(v->name, '@') < 0 || v->last_started_at > now - HOST_GONE_MS);
}

/* Of a run of cron after a pause nobody can say yet which jobs have their turn in it. Ends by itself, once nobody raises it again. */
static bool late_jobs(struct job_run *r, struct err *e)
{
	ms_t now = job_now(r);
	struct job_view *jobs_r;
	size_t facts_n, n;
	const struct job_facts *facts = job_facts_all(r->a, &facts_n);

	if (r->c->dry_run || r->started_at - r->previous_at > PAUSE_MS)
		return true;
	if (!job_view_list(r->c->db, r->a, facts, facts_n, zone_offset, now, &jobs_r, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct job_view *v = &jobs_r[i];
		char since[TIME_TEXT];
		const struct monitor_alert m = { .id = id_make(r->c->ids, now), .type = STR("JOB_LATE"), .subject = v->name,
			.severity = MONITOR_ERROR, .lasts_until = r->started_at + PAUSE_MS,	/* by runs, however long this one takes */
			.message = arena_printf(r->a, "The job %.*s, which runs %.*s, did not run in the time of three runs; %s%s.", STR_ARG(v->name),
				STR_ARG(v->schedule), v->last_started_at ? "it did last at " : "it never did",
				v->last_started_at ? time_format(v->last_started_at, since) : ""),
			.advice = STR("See what its last runs said, and whether another one holds it. See /jobs") };
		int began = is_missed(v, now) ? monitor_alert_raise(r->c->db, r->a, r->c->ids, &m, now, e) : 0;

		if (began < 0)
			return false;
		job_count(r, "begun", (uint64_t)began);
	}
	return true;
}

/* ---- housekeeping ---- */

static bool end_those_over(struct job_run *r, struct err *e)
{
	ms_t now = job_now(r);
	struct monitor_alert *over;
	size_t n;

	if (!monitor_alerts_over(r->c->db, r->a, now, OVER_MAX, &over, &n, e))
		return false;
	for (size_t i = 0; i < n && !r->c->dry_run; i++) {
		int ended = monitor_alert_end(r->c->db, r->a, r->c->ids, over[i].tenant_id, over[i].type, over[i].subject, now, e);

		if (ended < 0)
			return false;
		job_count(r, "ended", (uint64_t)ended);
	}
	return true;
}

static int fold(struct job_run *r, struct err *e)
{
	size_t moved = FOLD_ROWS;
	int go = 1;

	while (moved == FOLD_ROWS && !r->c->dry_run) {
		go = job_goes_on(r, e);
		if (go != 1)
			return go;
		arena_reset(r->a);
		if (!tallies_fold(r->c->db, r->a, job_now(r), FOLD_ROWS, &moved, e))
			return -1;
	}
	return go;
}

/* ---- all ---- */

/* The position is the last one that had its turn: where time runs out, or one of them fails, the next run goes on behind it. */
static int tenants(struct job_run *r, struct err *e)
{
	struct tenant t = { .id = r->position };
	int found;

	while ((found = tenant_next(r->c->db, r->a, t.id, &t, e)) == 1) {
		int go = job_goes_on(r, e);
		bool fails;

		if (go != 1)
			return go;
		r->position = t.id;
		if (!check_tenant(r, t.id, &fails, e) || !floods(r, t.id, e) ||
			(fails && r->c->conf->monitor.auto_remediate && !mend(r, t.id, e)))
			return -1;
		arena_reset(r->a);
	}
	if (found < 0)
		return -1;
	r->position = 0;
	return 1;
}

static bool run(struct job_run *r, struct err *e)
{
	int go = tenants(r, e);

	if (go < 0 || !late_jobs(r, e) || !end_those_over(r, e) || (!r->c->dry_run && !monitor_cache_forget(r->c->db, job_now(r), e)))
		return false;
	return go != 1 || fold(r, e) >= 0;
}

const struct job job_monitor = {
	.facts = { .name = "monitor", .schedule = { .every_min = 1 },
		.help = "Evaluates the six checks of the monitor and tells the channels when one begins to fail or passes again." },
	.run = run,
};
