/* escalation.c - people are paged, step by step, until somebody takes care of the incident: src/incident/escalation.c says when, the policy whom.
 *
 * A step is one transaction: the incident's row, which whoever acknowledges writes as well; the entry of the timeline; the outbox's rows; where it goes on.
 * So a step is taken once or not at all, whoever dies, and nobody is paged for what is acknowledged. */
#include "grapnel/json.h"

#include "notify_int.h"

#define STEPS_AT_ONCE 100	/* in a turn of the dispatcher, who has other work as well */
#define ARENA_MAX ((size_t)16 << 20)
#define TEXT_MAX 4096
#define ALERT_MS MS_PER_DAY

/* ---- what befalls the incident ---- */

static struct str subject_of(struct arena *a, uint64_t incident)
{
	return arena_printf(a, "%llu", (unsigned long long)incident);
}

static bool begin(struct hearing *h, struct err *e)
{
	const struct incident_view *v = h->incident;

	return h->quiet || v->is_test || v->status_n != INCIDENT_OPEN || escalation_start(h->db, v->id, v->service_row,
		h->news->traceparent, h->now, e);
}

static bool stop(struct hearing *h, enum escalation_end how, struct err *e)
{
	const struct incident_view *v = h->incident;

	return escalation_stop(h->db, v->id, how, h->now, e) &&
		monitor_alert_end(h->db, h->a, h->ids, v->tenant_id, STR(ESCALATION_EXHAUSTED), subject_of(h->a, v->id), h->now, e) >= 0;
}

/* What paused goes on, and so do the pages that waited meanwhile; those of quiet hours are asked again when they are sent. */
static bool awake(struct hearing *h, struct err *e)
{
	uint64_t id = h->incident->id;

	return escalation_awake(h->db, id, h->now, e) && outbox_hurry(h->db, OUTBOX_PAGE, id, h->now, e);
}

/* What was held back goes on where it was, or begins now. */
static bool release(struct hearing *h, struct err *e)
{
	struct escalation_row row;
	int found = escalation_get(h->db, h->a, h->incident->id, &row, e);

	if (found < 0)
		return false;
	return found && row.ended == ESCALATION_GOES_ON ? awake(h, e) : begin(h, e);
}

/* A snooze is over by that, and so may be the quiet of people's hours. */
static bool get_worse(struct hearing *h, struct err *e)
{
	return h->quiet || awake(h, e);
}

static bool hear(struct hearing *h, struct err *e)
{
	switch (h->news->entry.kind_n) {
	case TIMELINE_OPENED:
	case TIMELINE_REOPENED:
		return begin(h, e);
	case TIMELINE_RELEASED:
		return release(h, e);
	case TIMELINE_ACKNOWLEDGED:
		return stop(h, ESCALATION_ACKNOWLEDGED, e);
	case TIMELINE_RESOLVED:
		return stop(h, ESCALATION_RESOLVED, e);
	case TIMELINE_MERGED:		/* into another one: it is resolved; the other one's own policy goes on */
		return h->incident->status_n != INCIDENT_RESOLVED || stop(h, ESCALATION_RESOLVED, e);
	case TIMELINE_RAISED:
		return get_worse(h, e);
	case TIMELINE_SNOOZED:		/* without an end: it is over */
		return h->news->entry.text.n || awake(h, e);
	default:
		return true;
	}
}

bool escalation_hear(struct hearing *list, size_t n, size_t *told, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (!hear(&list[i], e))
			return false;
	return true;
}

/* ---- a step ---- */

struct stepping {
	struct arena *a;
	struct id_maker *ids;
	ms_t now;
	struct escalation_row row;
	struct escalation_incident incident;
	struct policy policy;
	struct policy_step steps[ESCALATION_STEPS_MAX];
	struct escalation_plan plan;
	/* of the step that is taken */
	struct strbuf reached, missed;		/* "ann by e-mail", "bob has no verified contact" */
	struct outbox_row *rows;
	size_t n;
	uint64_t entry;
	/* returned */
	bool taken;				/* there was one */
	size_t told;
};

#define PAGES_MAX (ESCALATION_TARGETS_MAX * 21)	/* a person has CONTACTS_MAX, a channel RECIPIENTS_MAX and in a storm the row that is bundled */

static void put_in(struct strbuf *b, struct str text)
{
	strbuf_adds(b, b->n ? ", " : "");
	strbuf_addstr(b, text);
}

/* Each once: a person may stand in a step as himself and as who is on call. */
static void add_page(struct stepping *s, const struct contact *c)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->rows[i].kind == OUTBOX_PAGE && s->rows[i].target_id == c->id)
			return;
	s->rows[s->n++] = (struct outbox_row){ .id = id_make(s->ids, s->now), .tenant_id = s->incident.tenant_id, .kind = OUTBOX_PAGE, .target_id = c->id,
		.user_id = c->user_id, .recipient = address_masked(s->a, c->address), .cause_id = s->row.incident_id, .traceparent = s->row.traceparent,
		.next_at = s->now, .created_at = s->now };
}

static struct str one_id(struct arena *a, struct str id)
{
	return arena_printf(a, "[\"%.*s\"]", STR_ARG(id));
}

/* "e-mail, sms" to the person's name. */
static void add_person(struct stepping *s, struct str name, const struct contact *contacts, size_t n)
{
	bool sleeps = s->incident.level < LEVEL_HIGH && n && quiet_until(&contacts[0].quiet, s->now);
	struct strbuf how;

	strbuf_init(&how, s->a, TEXT_MAX);
	for (size_t i = 0; i < n; i++) {
		add_page(s, &contacts[i]);
		put_in(&how, contacts[i].kind);
	}
	if (n)
		put_in(&s->reached, arena_printf(s->a, "%.*s (%.*s%s)", STR_ARG(name), STR_ARG(strbuf_str(&how)), sleeps ? ", after the quiet hours" : ""));
	else
		put_in(&s->missed, arena_printf(s->a, "%.*s has no verified contact", STR_ARG(name)));
}

static bool reach_user(struct db *db, struct stepping *s, struct str id, struct str name, struct err *e)
{
	struct contact *contacts;
	size_t n;

	if (!contacts_of(db, s->a, s->incident.tenant_id, one_id(s->a, id), &contacts, &n, e))
		return false;
	add_person(s, name, contacts, n);
	return true;
}

/* Whoever is on call now. */
static bool reach_schedule(struct db *db, struct stepping *s, struct str id, struct str name, struct err *e)
{
	const struct oncall_person *people;
	size_t n;

	if (!oncall_now(db, s->a, s->incident.tenant_id, one_id(s->a, id), s->now, &people, &n, e))
		return false;
	if (!n)
		put_in(&s->missed, arena_printf(s->a, "nobody is on call by %.*s", STR_ARG(name)));
	for (size_t i = 0; i < n; i++)
		if (!reach_user(db, s, people[i].public_id, arena_printf(s->a, "%.*s for %.*s", STR_ARG(people[i].name), STR_ARG(name)), e))
			return false;
	return true;
}

static bool reach_channel(struct db *db, struct stepping *s, struct str id, struct err *e)
{
	struct outbox_row like = { .tenant_id = s->incident.tenant_id, .kind = OUTBOX_NOTIFICATION, .cause_id = s->row.incident_id,
		.traceparent = s->row.traceparent, .next_at = s->now, .created_at = s->now }, *rows;
	struct channel c;
	int found = channel_get(db, s->a, s->incident.tenant_id, id, &c, e);
	size_t n;

	if (found != 1)
		return found == 0;	/* it was named before, so it has just gone */
	if (!c.enabled) {
		put_in(&s->missed, arena_printf(s->a, "the channel %.*s is switched off", STR_ARG(c.name)));
		return true;
	}
	put_in(&s->reached, c.name);
	like.target_id = c.id;
	if (!channel_page(db, s->a, s->ids, &c, &like, s->now, &rows, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		s->rows[s->n++] = rows[i];
	return true;
}

static bool reach(struct db *db, struct stepping *s, const struct policy_target *t, struct err *e)
{
	struct policy_target_name *names;
	size_t n;

	if (!policy_target_names(db, s->a, s->incident.tenant_id, one_id(s->a, t->id), &names, &n, e))
		return false;
	if (!n || names[0].disabled) {
		put_in(&s->missed, n ? arena_printf(s->a, "%.*s is disabled", STR_ARG(names[0].name)) :
			arena_printf(s->a, "the %s %.*s is gone", policy_target_word(t->type), STR_ARG(t->id)));
		return true;
	}
	switch (t->type) {
	case TARGET_USER:
		return reach_user(db, s, t->id, names[0].name, e);
	case TARGET_SCHEDULE:
		return reach_schedule(db, s, t->id, names[0].name, e);
	case TARGET_CHANNEL:
		return reach_channel(db, s, t->id, e);
	}
	return true;
}

/* The incident as the API has it, with the entry of this step: what each of them is told. */
static bool fill_payload(struct db *db, struct stepping *s, struct str text, struct err *e)
{
	const struct timeline_view entry = { .id = s->entry, .kind = str_of(timeline_word(TIMELINE_ESCALATED)), .actor = STR("system"), .text = text,
		.at = s->now };
	struct incident_detail d;
	int found = incident_view_get(db, s->a, s->incident.tenant_id, s->row.incident_id, &d, e);
	struct str payload;

	if (found != 1)
		return !found && err_set(e, ERR_BUG, "an incident that is locked is gone");
	payload = notice_payload(s->a, "incident.escalated", notify_json(s->a, &d.incident, &entry), s->now);
	for (size_t i = 0; i < s->n; i++)
		if (!s->rows[i].payload.n)	/* a digest has its own */
			s->rows[i].payload = payload;
	return true;
}

static bool alarm(struct db *db, struct stepping *s, const char *what, struct err *e)
{
	struct str subject = subject_of(s->a, s->row.incident_id);
	const struct monitor_alert alert = { .id = id_make(s->ids, s->now), .tenant_id = s->incident.tenant_id, .type = STR(ESCALATION_EXHAUSTED),
		.subject = subject, .severity = s->incident.level >= LEVEL_HIGH ? MONITOR_CRITICAL : MONITOR_ERROR, .value = 1,
		.lasts_until = s->now + ALERT_MS,
		.message = arena_printf(s->a, "The escalation policy %.*s %s of incident %.*s.", STR_ARG(s->policy.name), what, STR_ARG(subject)),
		.advice = STR("Look at the incident; then see to it that the steps of the policy reach people.") };

	return monitor_alert_raise(db, s->a, s->ids, &alert, s->now, e) >= 0;
}

static struct str step_text(struct stepping *s, uint64_t round, uint64_t step)
{
	struct str again = round ? arena_printf(s->a, ", round %llu", (unsigned long long)round + 1) : STR("");
	struct str reached = strbuf_str(&s->reached), missed = strbuf_str(&s->missed);

	return arena_printf(s->a, "Step %llu of %.*s%.*s: %.*s%s%.*s", (unsigned long long)step + 1, STR_ARG(s->policy.name), STR_ARG(again),
		STR_ARG(reached.n ? reached : STR("nobody was reached")), missed.n ? "; " : "", STR_ARG(missed));
}

static bool take_step(struct db *db, struct stepping *s, struct err *e)
{
	const struct policy_step *step = &s->steps[s->row.at.step];
	uint64_t number = s->row.at.step, round = s->row.at.round;
	struct str text;

	strbuf_init(&s->reached, s->a, TEXT_MAX);
	strbuf_init(&s->missed, s->a, TEXT_MAX);
	s->rows = ARENA_ARRAY(s->a, struct outbox_row, PAGES_MAX);
	for (size_t i = 0; i < step->n; i++)
		if (!reach(db, s, &step->targets[i], e))
			return false;
	text = step_text(s, round, number);
	s->told = s->n;
	if (!fill_payload(db, s, text, e) ||
		!escalation_tell(db, s->a, &s->row, s->entry, (enum level)s->incident.level, text, s->now, e) ||
		!outbox_add_all(db, s->a, s->rows, s->n, e))
		return false;
	if (escalation_took(&s->plan, &s->row.at, s->n > 0, s->now) && !alarm(db, s, "reaches nobody", e))
		return false;
	return escalation_move(db, &s->row, e);
}

static const struct {
	const char *text, *alarm;	/* after the name of the policy: of the timeline; of the monitor alert, before "of incident 7." */
} ends[] = {
	[ESCALATION_AT_END] = { "is at its end, and nobody took care.", "is at its end" },
	[ESCALATION_UNREACHABLE] = { "is at its end, and none of its steps reached anybody.", "is at its end and reached nobody" },
	[ESCALATION_DELETED] = { "was deleted, nobody else is paged.", "is gone in the middle" },
};

static bool end(struct db *db, struct stepping *s, struct err *e)
{
	enum escalation_end how = !s->plan.n ? ESCALATION_DELETED : s->row.at.reached_ever ? ESCALATION_AT_END : ESCALATION_UNREACHABLE;
	struct str text = arena_printf(s->a, "%.*s %s", STR_ARG(s->policy.name), ends[how].text);

	return escalation_tell(db, s->a, &s->row, s->entry, (enum level)s->incident.level, text, s->now, e) && alarm(db, s, ends[how].alarm, e) &&
		escalation_stop(db, s->row.incident_id, how, s->now, e);
}

/* Whoever deletes a policy gives its services another one before, and that goes on: from its first step, since nobody knows whom of it the gone one had
 * reached. */
static bool end_or_replace(struct db *db, struct stepping *s, struct err *e)
{
	struct escalation_row row;

	if (s->plan.n)
		return end(db, s, e);
	if (!escalation_start(db, s->row.incident_id, s->incident.service_id, s->row.traceparent, s->now, e) || escalation_get(db, s->a, s->row.incident_id, &row, e) != 1)
		return false;
	return row.policy_id != s->row.policy_id || end(db, s, e);
}

static bool read_policy(struct db *db, struct stepping *s, struct err *e)
{
	int found = policy_by_id(db, s->a, s->row.policy_id, &s->policy, e);

	if (found < 0)
		return false;
	if (!found)
		s->policy = (struct policy){ .name = STR("The escalation policy") };
	policy_steps_read(s->a, s->policy.steps, s->steps, &s->plan.n);
	s->plan.repeats = s->policy.repeats;
	for (size_t i = 0; i < s->plan.n; i++)
		s->plan.delay_ms[i] = (ms_t)s->steps[i].delay_minutes * MS_PER_MINUTE;
	return true;
}

static bool step_tx(struct db *db, void *ctx, struct err *e)
{
	struct stepping *s = ctx;
	int due = escalation_due(db, s->a, s->now, &s->row, e), found, held;

	s->n = s->told = 0;
	s->taken = due == 1;
	if (due != 1)
		return due == 0;
	found = escalation_incident(db, s->a, s->row.incident_id, &s->incident, e);
	held = found > 0 ? incident_held(db, s->a, s->row.incident_id, s->now, e) : 0;
	if (found < 0 || held < 0 || !read_policy(db, s, e))
		return false;
	switch (escalation_look(&s->plan, &s->row.at, found ? (enum incident_status)s->incident.status : INCIDENT_NONE, held, s->incident.snoozed_until,
		s->now)) {
	case ESCALATION_WAITS:
		return escalation_move(db, &s->row, e);
	case ESCALATION_STEPS:
		return take_step(db, s, e);
	case ESCALATION_STOPS:
		return found ? escalation_stop(db, s->row.incident_id,
			s->incident.status == INCIDENT_ACKNOWLEDGED ? ESCALATION_ACKNOWLEDGED : ESCALATION_RESOLVED, s->now, e) :
			escalation_drop(db, s->row.incident_id, e);
	case ESCALATION_ENDS:
		return end_or_replace(db, s, e);
	}
	return true;
}

bool escalation_steps(struct db *db, struct id_maker *ids, ms_t now, uint64_t *told, uint64_t *taken, struct err *e)
{
	bool ok = escalation_mend(db, now, e), more = true;

	for (size_t i = 0; ok && more && i < STEPS_AT_ONCE; i++) {
		struct stepping *s = xcalloc(1, sizeof(*s));

		s->a = arena_new(ARENA_MAX);
		s->ids = ids;
		s->now = now;
		s->entry = id_make(ids, now);
		ok = db_tx(db, step_tx, s, e);
		more = s->taken;
		*told += ok ? s->told : 0;
		*taken += ok && more;
		arena_free(s->a);
		free(s);
	}
	return ok;
}
