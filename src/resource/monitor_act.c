/* monitor_act.c - what the monitor can have done: the actions of POST /api/admin/webhooks/monitor and the buttons of its page.
 *
 * An action is a row of monitor_acts: its word, the table of its parameters, and a function. Each is bounded in number and time, so that it
 * fits into a request; what is left is said, and doing it again goes on. `dryRun` finds and changes nothing. What was done stands in the audit log,
 * and what was kept for the monitor counts no more. */
#include "resource_int.h"

#include "grapnel/job.h"
#include "grapnel/json.h"

#define LIMIT_MS (20 * MS_PER_SECOND)		/* as a job that a person starts */
#define CLEANUP_MS (15 * MS_PER_SECOND)
#define REST_MS (3 * MS_PER_SECOND)		/* to count what cleanup left; to find a sample of it */
#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000
#define ATTEMPTS_DEFAULT 5
#define ATTEMPTS_MAX 255
#define CANDIDATES_MAX 20
#define SAMPLE 10
#define PAGE 100
#define DAY_MINUTES (24 * 60)
#define WAITING (1u << EVENT_PENDING | 1u << EVENT_PROCESSING | 1u << EVENT_FAILED | 1u << EVENT_DEAD)

/* ---- parameters ---- */

#define DRY_RUN { "dryRun", BOOL_AT(struct monitor_params, dry_run), .help = "true: says what would be done, with a sample, and changes nothing" }
#define EVENT_ID { "eventId", TEXT_AT(struct monitor_params, event_id), FORM_REQUIRED, 1, EVENT_ID_TEXT_MAX, \
	.help = "Our number of the event, or the provider's id where it fits one event" }
#define LIMIT(words) { "limit", NUMBER_AT(struct monitor_params, limit), .min = 1, .max = LIMIT_MAX, .help = words }
#define EVENT_ID_TEXT_MAX 255

const struct form_field monitor_cleanup_fields[] = {
	{ "olderThanDays", NUMBER_AT(struct monitor_params, older_than_days), .min = 1, .max = 36500,
		.help = "Age of what goes; [retention] events_days where it is not given. Sources that keep their events longer keep them" },
	DRY_RUN,
	FORM_END
};

const struct form_field monitor_remediate_fields[] = { DRY_RUN, FORM_END };

const struct form_field monitor_retry_fields[] = {
	{ "provider", TEXT_AT(struct monitor_params, provider), .max = 32, .help = "Provider slug; all where it is not given" },
	{ "maxAttempts", NUMBER_AT(struct monitor_params, max_attempts), .min = 1, .max = ATTEMPTS_MAX, .help = "Events with fewer attempts; 5" },
	LIMIT("Most events that are tried; 100"),
	DRY_RUN,
	FORM_END
};

const struct form_field monitor_one_fields[] = { EVENT_ID, DRY_RUN, FORM_END };

const struct form_field monitor_mark_fields[] = {
	{ "eventIds", LIST_AT(struct monitor_params, event_ids), .min = 0, .max = BULK_IDS_MAX, .help = "Ids of events, as eventId elsewhere" },
	{ "filter", OBJECT_AT(struct monitor_params, filter),
		.help = "Instead of ids: the filters of GET /api/events, at least one; only events that wait or failed count" },
	LIMIT("Most events of a filter; 100"),
	DRY_RUN,
	FORM_END
};

const struct form_field monitor_duplicates_fields[] = {
	{ "timeWindow", NUMBER_AT(struct monitor_params, window_min), .min = 1, .max = MONITOR_WINDOW_MAX, .help = "Minutes to look back; 1440" },
	LIMIT("Most groups of each kind; 100"),
	DRY_RUN,
	FORM_END
};

/* ---- what all share ---- */

struct doing {
	const struct caller *by;
	const struct monitor_params *p;
	struct monitor_acted *out;
	struct str ids;		/* of the events that were named one by one, for the audit log: JSON */
};

static struct job_config config(const struct caller *by, bool dry_run, int64_t limit_ms)
{
	return (struct job_config){ .db = by->db, .shm = by->shm, .conf = by->conf, .seal = by->seal, .ids = by->ids, .now = by->now,
		.limit_ms = limit_ms, .dry_run = dry_run };
}

static struct monitor_event_result result_of(const struct event_brief *ev)
{
	return (struct monitor_event_result){ .id = ev->id, .event_id = ev->event_id, .source_id = ev->source_id, .provider = ev->provider,
		.status = str_of(event_status_word((enum event_status)ev->status)), .attempts = ev->attempts, .received_at = ev->received_at };
}

static struct monitor_event_result *results_of(struct arena *a, const struct event_brief *ev, size_t n)
{
	struct monitor_event_result *r = ARENA_ARRAY(a, struct monitor_event_result, n);

	for (size_t i = 0; i < n; i++)
		r[i] = result_of(&ev[i]);
	return r;
}

static void set_sample(struct doing *d, const struct event_brief *ev, size_t n)
{
	d->out->results_n = n < SAMPLE ? n : SAMPLE;
	d->out->results = results_of(d->by->a, ev, d->out->results_n);
}

/* What is kept of the monitor's figures is wrong now, whoever's they are. */
static bool drop_cache(const struct caller *by, struct err *e)
{
	struct tenant t = { 0 };
	int found;

	if (by->tenant_id)
		return monitor_cache_drop(by->db, by->tenant_id, e);
	while ((found = tenant_next(by->db, by->a, t.id, &t, e)) == 1)
		if (!monitor_cache_drop(by->db, t.id, e))
			return false;
	return found == 0;
}

static struct str detail(const struct doing *d)
{
	const struct monitor_params *p = d->p;
	struct strbuf b;
	struct json_out o;

	if (d->out->remediation)
		return remediation_json(d->by->a, d->out->remediation);
	strbuf_init(&b, d->by->a, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "affected");
	json_u64(&o, d->out->affected);
	if (p->older_than_days) {
		json_key(&o, "olderThanDays");
		json_u64(&o, p->older_than_days);
	}
	if (p->provider.n) {
		json_key(&o, "provider");
		json_str(&o, p->provider);
	}
	if (p->filter) {
		json_key(&o, "filter");
		json_tree(&o, p->filter);
	}
	if (d->ids.n) {
		json_key(&o, "eventIds");
		json_raw(&o, d->ids);
	}
	json_close(&o, '}');
	return b.failed ? STR_NONE : strbuf_str(&b);
}

static bool audit(const struct doing *d, uint64_t tenant_id, struct str object, struct err *e)
{
	const struct caller *by = d->by;
	const struct who who = caller_who(by, tenant_id ? tenant_id : by->principal.tenant_id);

	return audit_add(by->db, &who, arena_printf(by->a, "monitor.%s", d->out->act->name).p, object, detail(d), by->now, e);
}

/* The end of each action. */
static bool done(const struct doing *d, uint64_t tenant_id, struct str object, struct err *e)
{
	return drop_cache(d->by, e) && audit(d, tenant_id, object, e);
}

static struct str number(struct arena *a, uint64_t id)
{
	return arena_printf(a, "%llu", (unsigned long long)id);
}

static bool set_retried(struct doing *d, const struct again_result *r, size_t n, struct err *e)
{
	struct arena *a = d->by->a;
	struct event_brief *ev = ARENA_ARRAY(a, struct event_brief, n), *now;
	size_t now_n;

	for (size_t i = 0; i < n; i++)
		ev[i] = r[i].event;
	d->out->results = results_of(a, ev, n);
	d->out->results_n = n;
	if (!event_these(d->by->db, a, d->by->tenant_id, JSON_IDS(a, ev, n, id), &now, &now_n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct monitor_event_result *x = &d->out->results[i];

		x->outcome = str_of(again_outcome_word(r[i].outcome));
		x->success = r[i].outcome != AGAIN_FAILED;
		x->message = r[i].error;
		for (size_t k = 0; k < now_n; k++)
			if (now[k].id == x->id) {
				x->status = str_of(event_status_word((enum event_status)now[k].status));
				x->attempts = now[k].attempts;
			}
	}
	return true;
}

/* ---- one event ---- */

static bool one_event(struct doing *d, struct event_brief **out, struct err *e)
{
	size_t n;

	if (!event_by_any_id(d->by->db, d->by->a, d->by->tenant_id, d->p->event_id, CANDIDATES_MAX, out, &n, e))
		return false;
	if (!n)
		return err_field(e, ERR_NOT_FOUND, "eventId", "there is no such event");
	if (n == 1)
		return true;
	d->out->candidates = results_of(d->by->a, *out, n);
	d->out->candidates_n = n;
	return err_field(e, ERR_CONFLICT, "eventId", "%zu events have this id: name one of them by our number.", n);
}

static bool refuse_held(const struct event_brief *ev, ms_t now, struct err *e)
{
	return !event_is_held(ev, now) || err_field(e, ERR_CONFLICT, "eventId", "This event is being sent to its handler just now.");
}

static bool retry_event(struct doing *d, struct err *e)
{
	const struct caller *by = d->by;
	const struct job_config c = config(by, false, LIMIT_MS);
	struct again_result *r;
	struct event_brief *ev;
	uint64_t released;

	if (!one_event(d, &ev, e) || !refuse_held(ev, by->now, e))
		return false;
	if (ev->status == EVENT_PROCESSED || ev->status == EVENT_IGNORED)
		return err_field(e, ERR_CONFLICT, "eventId", "Nothing of this event is left to do: it is %s.",
			event_status_word((enum event_status)ev->status));
	d->out->affected = 1;
	if (d->p->dry_run) {
		set_sample(d, ev, 1);
		return true;
	}
	r = again_results(by->a, ev, 1);
	if ((ev->status == EVENT_PROCESSING && !forward_release(by->db, ev->tenant_id, JSON_IDS(by->a, ev, 1, id), by->now, &released, e)) ||
		!again_apart(&c, by->a, r, 1, e))
		return false;
	return set_retried(d, r, 1, e) && done(d, ev->tenant_id, number(by->a, ev->id), e);
}

static bool delete_event(struct doing *d, struct err *e)
{
	const struct caller *by = d->by;
	struct event_brief *ev;
	struct who who;

	if (!one_event(d, &ev, e) || !refuse_held(ev, by->now, e))
		return false;
	d->out->affected = 1;
	set_sample(d, ev, 1);
	if (d->p->dry_run)
		return true;
	who = caller_who(by, ev->tenant_id);
	if (!event_remove(by->db, by->a, ev, &who, by->ids->worker, by->now, e))
		return e->code == ERR_CONFLICT && !e->told ? err_field(e, ERR_CONFLICT, "eventId", "This event is being sent to its handler just now.") : false;
	d->out->results[0].success = true;
	d->out->results[0].outcome = STR("deleted");
	return drop_cache(by, e);
}

/* ---- events that failed ---- */

static bool retry_failed(struct doing *d, struct err *e)
{
	const struct caller *by = d->by;
	const struct monitor_params *p = d->p;
	const struct job_config c = config(by, false, LIMIT_MS);
	const struct again_filter f = { .tenant_id = by->tenant_id, .provider = p->provider, .limit = p->limit ? p->limit : LIMIT_DEFAULT,
		.max_attempts = p->max_attempts ? p->max_attempts : ATTEMPTS_DEFAULT, .dead = true };
	struct again_found found;
	struct again_result *r;

	if (p->provider.n && !provider_find(p->provider))
		return err_field(e, ERR_INVALID, "provider", "There is no provider of that name.");
	if (!again_find(by->db, by->a, &f, by->now, &found, e))
		return false;
	d->out->affected = found.n;
	d->out->left = found.fit - found.n;
	d->out->more = found.more;
	if (p->dry_run) {
		set_sample(d, found.events, found.n);
		return true;
	}
	r = again_results(by->a, found.events, found.n);
	return again_apart(&c, by->a, r, found.n, e) && set_retried(d, r, found.n, e) && done(d, by->tenant_id, STR("events"), e);
}

/* ---- events that are done with because somebody says so ---- */

static void not_there(struct monitor_event_result *x, struct str given, size_t n)
{
	*x = (struct monitor_event_result){ .event_id = given, .outcome = n ? STR("ambiguous") : STR("not_found"),
		.message = n ? STR("Several events have this id: name one by our number.") : STR("There is no such event here.") };
}

static void look_at_end(struct monitor_event_result *x, const struct event_brief *before, const struct event_brief *now)
{
	bool was = before->status == EVENT_PROCESSED || before->status == EVENT_IGNORED;

	*x = result_of(now);
	x->success = now->status == EVENT_PROCESSED || now->status == EVENT_IGNORED;
	x->outcome = was ? STR("unchanged") : x->success ? STR("processed") : STR("skipped");
	if (!x->success)
		x->message = STR("It is being sent to its handler just now.");
}

/* Settles these and tells what became of each, at results[..n]. */
static bool settle(struct doing *d, const struct event_brief *ev, size_t n, struct monitor_event_result *results, struct err *e)
{
	const struct caller *by = d->by;
	struct str ids = JSON_IDS(by->a, ev, n, id);
	struct event_brief *now;
	uint64_t settled;
	size_t now_n;

	if (!event_settle(by->db, by->tenant_id, ids, by->now, &settled, e) || !event_these(by->db, by->a, by->tenant_id, ids, &now, &now_n, e))
		return false;
	d->out->affected += settled;
	for (size_t i = 0; i < n; i++) {
		not_there(&results[i], ev[i].event_id, 0);
		for (size_t k = 0; k < now_n; k++)
			if (now[k].id == ev[i].id)
				look_at_end(&results[i], &ev[i], &now[k]);
	}
	return true;
}

static bool is_waiting(const struct event_brief *ev)
{
	return WAITING & 1u << ev->status;
}

static bool is_among(const struct event_brief *ev, size_t n, uint64_t id)
{
	while (n)
		if (ev[--n].id == id)
			return true;
	return false;
}

/* One that is named twice, by both of its ids say, is one. */
static bool mark_ids(struct doing *d, struct err *e)
{
	const struct caller *by = d->by;
	size_t all = d->p->event_ids->count, n = 0, unclear = 0, ambiguous = 0, found;
	struct event_brief *ev = ARENA_ARRAY(by->a, struct event_brief, all), *one;
	struct monitor_event_result *x = ARENA_ARRAY(by->a, struct monitor_event_result, 2 * all), *settled = x + all;

	for (const struct json *j = d->p->event_ids->first; j; j = j->next) {
		if (!event_by_any_id(by->db, by->a, by->tenant_id, json_text(j), 2, &one, &found, e))
			return false;
		if (found != 1)
			not_there(&x[unclear++], json_text(j), found);
		else if (!is_among(ev, n, one->id))
			ev[n++] = *one;
		ambiguous += found > 1;
	}
	if (!n && !ambiguous)
		return err_field(e, ERR_NOT_FOUND, "eventIds", "none of these events is there");
	d->out->results = x;
	d->out->results_n = unclear + n;
	if (d->p->dry_run) {
		for (size_t i = 0; i < n; i++)
			d->out->affected += is_waiting(&ev[i]) && !event_is_held(&ev[i], by->now);
		set_sample(d, ev, n);
		return true;
	}
	if (!settle(d, ev, n, settled, e))
		return false;
	memmove(x + unclear, settled, n * sizeof(*x));
	d->ids = JSON_IDS(by->a, ev, n, id);
	return done(d, by->tenant_id, STR("events"), e);
}

static const struct form_field filter_fields[] = {
	EVENT_FILTER_ROWS(struct event_query, f, processed),
	FORM_END
};

static bool read_filter(struct doing *d, struct event_query *q, struct err *e)
{
	*q = (struct event_query){ .f = { .tenant_id = d->by->tenant_id } };
	if (!form_read_json(d->by->a, d->p->filter, filter_fields, FORM_NEW, q, e))
		return false;
	if (q->f.provider.n && !provider_find(q->f.provider))
		return err_field(e, ERR_INVALID, "provider", "There is no provider of that name.");
	if (!event_query_join(q))
		return err_field(e, ERR_INVALID, "processed", "No event has such a status.");
	if (!event_filter_query(d->by->a, &q->f).n)	/* {}, or members that say nothing */
		return err_field(e, ERR_INVALID, "filter", "An empty filter names all events: give at least one member a value.");
	q->f.statuses = q->f.statuses ? q->f.statuses & WAITING : WAITING;
	q->f.limit = PAGE;
	return true;
}

static struct event_brief *briefs_of(struct arena *a, const struct event_view *v, size_t n)
{
	struct event_brief *ev = ARENA_ARRAY(a, struct event_brief, n);

	for (size_t i = 0; i < n; i++)
		ev[i] = (struct event_brief){ .id = v[i].id, .tenant_id = v[i].tenant_id, .event_id = v[i].event_id, .source_id = v[i].source_id,
			.provider = v[i].provider, .status = v[i].status_n, .attempts = v[i].attempts, .received_at = v[i].received_at };
	return ev;
}

/* One page of what the filter names; *next 0: that was the last. */
static bool mark_page(struct doing *d, struct event_query *q, size_t limit, uint64_t *next, struct err *e)
{
	struct event_view *v;
	size_t n;

	q->f.limit = limit - d->out->results_n < PAGE ? limit - d->out->results_n : PAGE;
	if (!event_query_list(d->by, q, &v, &n, next, e) || !settle(d, briefs_of(d->by->a, v, n), n, d->out->results + d->out->results_n, e))
		return false;
	d->out->results_n += n;
	q->f.cursor = *next;
	return true;
}

static bool count_filtered(struct doing *d, struct event_query *q, size_t limit, struct err *e)
{
	struct list_count count = { 0 };
	struct event_view *v;
	uint64_t next;
	size_t n = 0;

	q->f.limit = SAMPLE;
	if (!q->f.statuses)
		return true;
	if (!event_view_count(d->by->db, d->by->a, &q->f, &count, e) || !event_query_list(d->by, q, &v, &n, &next, e))
		return false;
	d->out->affected = count.n < limit ? count.n : limit;
	d->out->left = count.n - d->out->affected;
	d->out->more = count.more;
	set_sample(d, briefs_of(d->by->a, v, n), n);
	return true;
}

static bool mark_filtered(struct doing *d, struct err *e)
{
	size_t limit = d->p->limit ? d->p->limit : LIMIT_DEFAULT;
	int64_t until_us = clock_mono_us() + LIMIT_MS * 1000;
	struct event_query q;
	uint64_t next;

	if (!read_filter(d, &q, e))
		return false;
	if (d->p->dry_run)
		return count_filtered(d, &q, limit, e);
	if (!q.f.statuses)
		return done(d, d->by->tenant_id, STR("events"), e);	/* only processed ones are named: nothing is to be done */
	d->out->results = ARENA_ARRAY(d->by->a, struct monitor_event_result, limit);
	do {
		if (!mark_page(d, &q, limit, &next, e))
			return false;
	} while (next && d->out->results_n < limit && clock_mono_us() < until_us);
	d->out->more = next != 0;
	return done(d, d->by->tenant_id, STR("events"), e);
}

static bool mark_processed(struct doing *d, struct err *e)
{
	bool ids = d->p->event_ids && d->p->event_ids->count;

	if (ids == (d->p->filter != NULL))
		return err_field(e, ERR_INVALID, "eventIds", "Give eventIds or a filter, one of both.");
	return ids ? mark_ids(d, e) : mark_filtered(d, e);
}

/* ---- what is old ---- */

/* Events of no incident: others may be kept by it. */
static bool add_old(struct doing *d, uint64_t tenant_id, ms_t before, struct event_brief *old, size_t *old_n, struct err *e)
{
	struct event_brief *ev;
	size_t n;

	if (!event_of_status(d->by->db, d->by->a, tenant_id, EVENT_PROCESSED, 0, PAGE, &ev, &n, e))
		return false;
	for (size_t i = 0; i < n && ev[i].received_at < before && *old_n < SAMPLE; i++)
		if (!ev[i].incident_id)
			old[(*old_n)++] = ev[i];
	return true;
}

static bool sample_old(struct doing *d, ms_t before, struct err *e)
{
	int64_t until_us = clock_mono_us() + REST_MS * 1000;
	struct event_brief old[SAMPLE];
	struct tenant t = { 0 };
	size_t n = 0;
	int found = 0;

	if (d->by->tenant_id && !add_old(d, d->by->tenant_id, before, old, &n, e))
		return false;
	while (!d->by->tenant_id && n < SAMPLE && clock_mono_us() < until_us && (found = tenant_next(d->by->db, d->by->a, t.id, &t, e)) == 1)
		if (!add_old(d, t.id, before, old, &n, e))
			return false;
	set_sample(d, old, n);
	return found >= 0;
}

/* A clock that may not say what is old, an archive that cannot be written: said in a sentence, by who found out. Of the database it is not
 * for the caller. */
static bool clean(const struct job_config *c, struct arena *a, struct job_result *x, struct err *e)
{
	if (cleanup_apart(c, a, x, e))
		return true;
	if (e->code != ERR_CONFLICT && (e->code != ERR_DOWN || db_trouble(c->db) != DB_FINE))
		return false;
	return err_tell(e, ERR_CONFLICT, "Cleanup refuses: %.200s.", arena_str(a, str_of(e->text)).p);
}

static bool cleanup(struct doing *d, struct err *e)
{
	const struct caller *by = d->by;
	uint64_t days = d->p->older_than_days ? d->p->older_than_days : by->conf->retention.events_days;
	const struct cleanup_wish wish = { .tenant_id = by->tenant_id, .events_days = days };
	struct job_config c = config(by, d->p->dry_run, CLEANUP_MS);
	struct job_result *x = ARENA_NEW(by->a, struct job_result), rest;

	c.cleanup = &wish;
	if (!clean(&c, by->a, x, e))
		return false;
	d->out->cleanup = x;
	d->out->affected = x->touched;
	if (d->p->dry_run) {
		d->out->more = x->outcome == JOB_UNFINISHED;
		return sample_old(d, by->now - (ms_t)days * MS_PER_DAY, e);
	}
	if (x->outcome == JOB_UNFINISHED) {
		c.dry_run = true;
		c.limit_ms = REST_MS;
		if (!clean(&c, by->a, &rest, e))
			return false;
		d->out->left = rest.touched;
		d->out->more = rest.outcome == JOB_UNFINISHED;
	}
	return done(d, by->tenant_id, STR("events"), e);
}

/* ---- the rest ---- */

static bool auto_remediate(struct doing *d, struct err *e)
{
	const struct caller *by = d->by;
	const struct job_config c = config(by, d->p->dry_run, LIMIT_MS);
	struct remediation *x = d->out->remediation = ARENA_NEW(by->a, struct remediation);

	if (!remediate_apart(&c, by->a, by->tenant_id, x, e))
		return false;
	d->out->affected = x->affected;
	for (size_t i = 0; i < x->n; i++)
		d->out->more |= x->steps[i].more;
	if (!d->p->dry_run)
		return set_retried(d, x->retried, x->retried_n, e) && done(d, by->tenant_id, STR("events"), e);
	for (size_t i = 0; i < x->n; i++)
		d->out->affected += x->steps[i].found;
	d->out->results = ARENA_ARRAY(by->a, struct monitor_event_result, SAMPLE);
	for (; d->out->results_n < SAMPLE && d->out->results_n < x->retried_n; d->out->results_n++)
		d->out->results[d->out->results_n] = result_of(&x->retried[d->out->results_n].event);
	return true;
}

static bool find_duplicates(struct doing *d, struct err *e)
{
	const struct caller *by = d->by;
	uint64_t window = d->p->window_min ? d->p->window_min : DAY_MINUTES;
	struct duplicates *x = d->out->duplicates = ARENA_NEW(by->a, struct duplicates);

	if (!duplicates_find(by, by->now - (ms_t)window * MS_PER_MINUTE, d->p->limit ? d->p->limit : LIMIT_DEFAULT, x, e))
		return false;
	d->out->affected = x->events;
	d->out->more = x->more;
	return d->p->dry_run || audit(d, by->tenant_id, STR("events"), e);
}

/* ---- the table ---- */

const struct monitor_act monitor_acts[MONITOR_ACTS] = {
	{ "cleanup", monitor_cleanup_fields, cleanup },
	{ "auto-remediate", monitor_remediate_fields, auto_remediate },
	{ "retry-failed", monitor_retry_fields, retry_failed },
	{ "retry-event", monitor_one_fields, retry_event },
	{ "mark-processed", monitor_mark_fields, mark_processed },
	{ "delete-event", monitor_one_fields, delete_event },
	{ "find-duplicates", monitor_duplicates_fields, find_duplicates },
};

static const struct form_word act_words[] = {
	{ "cleanup", 1 << 0 }, { "auto-remediate", 1 << 1 }, { "retry-failed", 1 << 2 }, { "retry-event", 1 << 3 }, { "mark-processed", 1 << 4 },
	{ "delete-event", 1 << 5 }, { "find-duplicates", 1 << 6 }, { 0 }
};

const struct form_field monitor_act_fields[] = {
	{ "action", WORDS_AT(struct monitor_act_form, action), FORM_REQUIRED, .words = act_words, .help = "What is to be done" },
	{ "params", OBJECT_AT(struct monitor_act_form, params),
		.help = "cleanup: olderThanDays; retry-failed: provider, maxAttempts, limit; retry-event and delete-event: eventId; mark-processed: eventIds or"
			" filter, limit; find-duplicates: timeWindow, limit; all: dryRun" },
	{ "dryRun", BOOL_AT(struct monitor_act_form, dry_run), .help = "The same as dryRun in params; true in either place is enough" },
	FORM_END
};

bool monitor_act_read(const struct caller *by, const struct monitor_act_form *f, const struct monitor_act **act, struct monitor_params *p, struct err *e)
{
	size_t i = 0;

	*p = (struct monitor_params){ 0 };
	if (f->action & (f->action - 1))
		return err_field(e, ERR_INVALID, "action", "action must be one of them.");
	while (!(f->action & UINT64_C(1) << i))
		i++;
	*act = &monitor_acts[i];
	if (!form_read_json(by->a, f->params ? f->params : json_new(by->a, JSON_OBJECT), (*act)->fields, FORM_NEW, p, e))
		return false;
	p->dry_run |= f->dry_run;
	return true;
}

const struct monitor_act *monitor_act_find(struct str name)
{
	for (size_t i = 0; i < MONITOR_ACTS; i++)
		if (str_eqs(name, monitor_acts[i].name))
			return &monitor_acts[i];
	return NULL;
}

bool monitor_act_by(const struct caller *by, const struct monitor_act *act, const struct monitor_params *p, struct monitor_acted *out, struct err *e)
{
	struct doing d = { by, p, out };

	*out = (struct monitor_acted){ .act = act, .dry_run = p->dry_run };
	return act->run(&d, e);
}

const struct field monitor_sample_fields[] = {
	FIELD_ID(struct monitor_event_result, id, "id", "Our number of the event; null where there is none"),
	FIELD_STR(struct monitor_event_result, event_id, "eventId", "What the provider calls it, or the id that was given"),
	FIELD_STR(struct monitor_event_result, source_id, "sourceId", "The integration"),
	FIELD_STR(struct monitor_event_result, provider, "provider", "Provider slug"),
	FIELD_STR(struct monitor_event_result, status, "status", "Its status now"),
	FIELD_U64(struct monitor_event_result, attempts, "attempts", "Starts of its actions"),
	FIELD_TIME(struct monitor_event_result, received_at, "receivedAt", "First receipt"),
	FIELD_END
};
const struct field monitor_result_fields[] = {
	FIELD_ID(struct monitor_event_result, id, "id", "Our number of the event; null where there is none"),
	FIELD_STR(struct monitor_event_result, event_id, "eventId", "What the provider calls it, or the id that was given"),
	FIELD_STR(struct monitor_event_result, source_id, "sourceId", "The integration"),
	FIELD_STR(struct monitor_event_result, provider, "provider", "Provider slug"),
	FIELD_BOOL(struct monitor_event_result, success, "success", "It was done, or will be"),
	FIELD_STR(struct monitor_event_result, outcome, "outcome",
		"processed, failed, queued (a sender has it, or takes it next), deleted, unchanged, skipped, not_found or ambiguous"),
	FIELD_STR(struct monitor_event_result, status, "status", "Its status now"),
	FIELD_U64(struct monitor_event_result, attempts, "attempts", "Starts of its actions"),
	FIELD_STR(struct monitor_event_result, message, "message", "Why it was not done"),
	FIELD_TIME(struct monitor_event_result, received_at, "receivedAt", "First receipt"),
	FIELD_END
};
