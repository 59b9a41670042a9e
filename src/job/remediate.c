/* remediate.c - what can be mended without a person: an act of the monitor, and of cron where [monitor] auto_remediate is set.
 *
 * Each step is a row of a table. It does nothing that would not happen by itself in time, or that somebody would have to take back: it hurries
 * what waits, asks handlers whether they answer again, and removes what is past its retention. Floods of wrong signatures are told of and nothing
 * more: whoever sends them could switch sources off otherwise. */
#include <assert.h>

#include "grapnel/forward.h"
#include "grapnel/json.h"

#include "job_int.h"

#define MAX_ATTEMPTS 5
#define LIMIT 100
#define STUCK_ROWS 500			/* released at once */
#define STUCK_PAGES 20
#define STUCK_ARENA_MAX ((size_t)8 << 20)
#define BREAKERS_MAX 50
#define RECENT_MS (5 * MS_PER_MINUTE)	/* cron hurries nothing that failed a moment ago: its own turn comes soon */
#define CLEANUP_PART 3			/* of the time that is left */
#define CRON_MS (3 * MS_PER_SECOND)	/* too short to wait for slow handlers: what cron hurries, the senders send */

struct mending {
	struct job_run *r;
	uint64_t tenant_id;
	bool by_cron;
	struct remediation *out;
	struct remediation_step *step;	/* the one that is under way */
	struct breaker_open *open;	/* handlers that still do not answer */
	size_t open_n;
};

static bool finds_only(const struct mending *m)
{
	return m->r->c->dry_run;
}

static bool each_tenant(struct mending *m, bool (*act)(struct mending *m, uint64_t tenant_id, struct err *e), struct err *e)
{
	struct tenant t = { 0 };
	int found;

	if (m->tenant_id)
		return act(m, m->tenant_id, e);
	while ((found = tenant_next(m->r->c->db, m->r->a, t.id, &t, e)) == 1)
		if (!act(m, t.id, e))
			return false;
	return found == 0;
}

/* ---- events whose sender died ---- */

/* One without a forward is nobody's; a claim of another host may just be made. */
static bool is_stuck(const struct event_brief *ev, ms_t now)
{
	return !event_is_held(ev, now) && (ev->next_at || ev->updated_at < now - FORWARD_LEASE_MAX_MS);
}

static bool release_page(struct mending *m, struct arena *a, const struct event_brief *rows, size_t n, struct err *e)
{
	struct event_brief *stuck = ARENA_ARRAY(a, struct event_brief, n);
	size_t k = 0;
	uint64_t released;

	for (size_t i = 0; i < n; i++)
		if (is_stuck(&rows[i], job_now(m->r)))
			stuck[k++] = rows[i];
	m->step->found += k;
	if (!k || finds_only(m))
		return true;
	if (!forward_release(m->r->c->db, m->tenant_id, JSON_IDS(a, stuck, k, id), job_now(m->r), &released, e))
		return false;
	m->step->affected += released;
	return true;
}

static bool release_of_tenant(struct mending *m, uint64_t tenant_id, struct err *e)
{
	struct arena *a = arena_new(STUCK_ARENA_MAX);
	size_t n = STUCK_ROWS;
	uint64_t after = 0;
	bool ok = true;

	for (size_t page = 0; page < STUCK_PAGES && n == STUCK_ROWS && ok; page++) {
		struct event_brief *rows;

		arena_reset(a);
		ok = event_of_status(m->r->c->db, a, tenant_id, EVENT_PROCESSING, after, STUCK_ROWS, &rows, &n, e) && release_page(m, a, rows, n, e);
		if (ok && n)
			after = rows[n - 1].id;
	}
	m->step->more |= n == STUCK_ROWS;
	arena_free(a);
	return ok;
}

static bool release_stuck(struct mending *m, struct err *e)
{
	return each_tenant(m, release_of_tenant, e);
}

/* ---- handlers that may answer again ---- */

/* The probe is an event that waits for the handler: what it answers to anything else says nothing. 1 it answers, 0 it does not, or was not asked. */
static int probe(struct mending *m, const struct breaker_open *b, struct err *e)
{
	struct job_run *r = m->r;
	struct event_brief *ev;
	struct breaker now = { 0 };
	uint64_t id;
	size_t n;
	int found = forward_first(r->c->db, r->a, b->target_id, job_now(r), &id, e);

	if (found != 1)
		return found;
	if (!event_these(r->c->db, r->a, b->tenant_id, arena_printf(r->a, "[%llu]", (unsigned long long)id), &ev, &n, e))
		return -1;
	if (!n)
		return 0;
	if (breaker_probe_soon(r->c->db, BREAKER_HANDLER, b->target_id, job_now(r), e) < 0 || !again_send(r, again_results(r->a, ev, 1), 1, e))
		return -1;
	found = breaker_get(r->c->db, r->a, BREAKER_HANDLER, b->target_id, &now, e);
	return found < 0 ? -1 : !now.opened_at;
}

static bool close_breakers(struct mending *m, struct err *e)
{
	size_t open = 0;

	if (!breakers_open(m->r->c->db, m->r->a, m->tenant_id, BREAKERS_MAX, &m->open, &m->open_n, e))
		return false;
	m->step->found = m->open_n;
	for (size_t i = 0; i < m->open_n && !finds_only(m); i++) {
		int answers = probe(m, &m->open[i], e);

		if (answers < 0)
			return false;
		m->step->affected += (uint64_t)answers;
		if (!answers)
			m->open[open++] = m->open[i];
	}
	if (!finds_only(m))
		m->open_n = open;
	return true;
}

/* ---- events that failed ---- */

static bool is_left_alone(const struct mending *m, uint64_t source_row)
{
	for (size_t i = 0; i < m->open_n; i++)
		if (m->open[i].target_id == source_row)
			return true;
	return false;
}

static bool retry_failed(struct mending *m, struct err *e)
{
	struct job_run *r = m->r;
	const struct again_filter f = { .tenant_id = m->tenant_id, .max_attempts = MAX_ATTEMPTS, .limit = LIMIT,
		.before = m->by_cron ? job_now(r) - RECENT_MS : 0 };
	struct again_found found;
	size_t n = 0;

	if (!again_find(r->c->db, r->a, &f, job_now(r), &found, e))
		return false;
	for (size_t i = 0; i < found.n; i++)
		if (!is_left_alone(m, found.events[i].source_row))
			found.events[n++] = found.events[i];
	m->step->found = n;
	m->step->more = found.more || found.fit > found.n;
	m->out->retried = again_results(r->a, found.events, n);
	m->out->retried_n = n;
	if (finds_only(m))
		return true;
	m->step->affected = n;
	return again_send(r, m->out->retried, n, e);
}

/* ---- events past their retention ---- */

/* Whatever keeps it from being done is told, and no reason to leave the rest undone. */
static bool clean_up(struct mending *m, struct err *e)
{
	struct job_run *r = m->r;
	const struct cleanup_wish wish = { .tenant_id = m->tenant_id };
	struct job_config c = *r->c;
	struct job_result x;
	struct err why = { 0 };

	c.cleanup = &wish;
	c.now = job_now(r);
	c.limit_ms = job_left_ms(r) / CLEANUP_PART;
	if (!cleanup_apart(&c, r->a, &x, &why)) {
		m->step->note = arena_str(r->a, str_of(why.text));
		return true;
	}
	m->step->found = x.touched;
	m->step->affected = finds_only(m) ? 0 : x.touched;
	m->step->more = x.outcome == JOB_UNFINISHED;
	m->step->note = x.counts.n ? x.counts : STR_NONE;
	return job_goes_on(r, e) >= 0;
}

/* ---- wrong signatures in numbers ---- */

static bool tell_floods_of(struct mending *m, uint64_t tenant_id, struct err *e)
{
	uint64_t found, begun;

	if (!job_floods(m->r, tenant_id, &found, &begun, e))
		return false;
	m->step->found += found;
	m->step->affected += begun;
	return true;
}

static bool tell_floods(struct mending *m, struct err *e)
{
	return each_tenant(m, tell_floods_of, e);
}

/* ---- all ---- */

static const struct {
	const char *name, *help;
	bool (*run)(struct mending *m, struct err *e);
	bool is_crons;		/* the job does it anyhow */
} steps[] = {
	{ "release-stuck", "Events in processing whose sender died wait again", release_stuck, false },
	{ "close-breakers", "Handlers that answer a probe are no longer left alone", close_breakers, false },
	{ "retry-failed", "Events that failed are sent again, but those of handlers that do not answer", retry_failed, false },
	{ "cleanup", "Processed events past their retention are removed", clean_up, false },
	{ "bad-signatures", "Sources with many wrong signatures are told of by a monitor alert; none is switched off", tell_floods, true },
};
static_assert(ARRAY_SIZE(steps) <= REMEDIATION_STEPS, "REMEDIATION_STEPS");

static bool remediate(struct job_run *r, uint64_t tenant_id, bool by_cron, struct remediation *out, struct err *e)
{
	struct mending m = { .r = r, .tenant_id = tenant_id, .by_cron = by_cron, .out = out };

	*out = (struct remediation){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (by_cron && steps[i].is_crons)
			continue;
		m.step = &out->steps[out->n++];
		*m.step = (struct remediation_step){ .name = str_of(steps[i].name), .help = str_of(steps[i].help) };
		if (!steps[i].run(&m, e))
			return false;
		out->affected += m.step->affected;
	}
	return true;
}

bool remediate_apart(const struct job_config *c, struct arena *a, uint64_t tenant_id, struct remediation *out, struct err *e)
{
	struct job_run r = job_apart(c, a);

	return remediate(&r, tenant_id, false, out, e);
}

bool remediate_by_cron(struct job_run *r, uint64_t tenant_id, struct remediation *out, struct err *e)
{
	struct job_config c = *r->c;
	struct job_run part;

	c.now = job_now(r);
	c.limit_ms = job_left_ms(r) < CRON_MS ? job_left_ms(r) : CRON_MS;
	part = job_apart(&c, r->a);
	return remediate(&part, tenant_id, true, out, e);
}

struct str remediation_json(struct arena *a, const struct remediation *x)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, 1024);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "affected");
	json_u64(&o, x->affected);
	for (size_t i = 0; i < x->n; i++) {
		json_keyn(&o, x->steps[i].name);
		json_u64(&o, x->steps[i].affected);
	}
	json_close(&o, '}');
	return strbuf_str(&b);
}

const struct field remediation_step_fields[] = {
	FIELD_STR(struct remediation_step, name, "step", "release-stuck, close-breakers, retry-failed, cleanup or bad-signatures"),
	FIELD_U64(struct remediation_step, found, "found", "What it applies to"),
	FIELD_U64(struct remediation_step, affected, "affected", "Of these mended"),
	FIELD_BOOL(struct remediation_step, more, "more", "There is more than it looked at, or had time for: do it again"),
	FIELD_STR(struct remediation_step, help, "help", "What it does"),
	FIELD_STR(struct remediation_step, note, "note", "The same by kind, or what kept it from being done"),
	FIELD_END
};
