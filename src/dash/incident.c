/* incident.c - one incident: what happened in order, what came in, and what a person can do about it.
 *
 * Every act is a small form of its own. What its status does not allow comes back as a sentence above the page; a note that
 * is refused stays in its field. */
#include "incidents.h"

#include "tmpl.h"

/* ---- the timeline in words ---- */

static struct str gave(struct visit *v, const struct timeline_view *t, struct story *s)
{
	s->text = STR_NONE;
	return t->text.n ? arena_printf(v->a, "gave it to %.*s", STR_ARG(t->text)) : STR("took it from whoever had it");
}

static struct str snoozed(const struct timeline_view *t, struct story *s)
{
	s->text = STR_NONE;
	return t->text.n && time_parse(t->text, &s->until) ? STR("snoozed it until") : STR("ended the snooze");
}

/* "into 912330001513284801: Disk full" */
static struct str merged(const struct timeline_view *t, struct story *s)
{
	struct str title = t->text, number = str_until(&title, ':'), word = str_word(&number);

	if (!str_u64(str_trim(number), &s->incident_id))
		return STR("merged it");
	s->other = str_trim(title);
	if (!s->other.n)
		s->other = STR("another incident");
	s->text = STR_NONE;
	return str_eqs(word, "into") ? STR("merged it into") : STR("merged in");
}

/* By which window or silence. */
static struct str named(struct visit *v, const char *what, const struct timeline_view *t, struct story *s)
{
	s->text = STR_NONE;
	return arena_printf(v->a, "%s %.*s", what, STR_ARG(t->text));
}

static struct str did(struct visit *v, const struct timeline_view *t, struct story *s)
{
	switch (t->kind_n) {
	case TIMELINE_OPENED:
		return STR("opened it");
	case TIMELINE_RAISED:
		return STR("raised it");
	case TIMELINE_ACKNOWLEDGED:
		return STR("acknowledged it");
	case TIMELINE_RESOLVED:
		return STR("resolved it");
	case TIMELINE_REOPENED:
		return STR("reopened it");
	case TIMELINE_ASSIGNED:
		return gave(v, t, s);
	case TIMELINE_SNOOZED:
		return snoozed(t, s);
	case TIMELINE_MERGED:
		return merged(t, s);
	case TIMELINE_HELD:
		return named(v, "held it back, for", t, s);
	case TIMELINE_RELEASED:
		return t->text.n ? named(v, "told of it, after", t, s) : STR("told of it, after the snooze");
	case TIMELINE_ESCALATED:
		return STR("escalated it");
	default:
		return STR("noted");
	}
}

static struct str who(const struct timeline_view *t, struct str provider)
{
	if (t->actor_n == ACTOR_SYSTEM)
		return STR("Grapnel");
	if (t->actor_n == ACTOR_SENDER)
		return provider;
	if (t->user.n)
		return t->user;
	return t->by_link.n ? STR("Somebody") : STR("The command line");
}

static void tell(struct visit *v, const struct timeline_view *t, struct str provider, struct story *s)
{
	*s = (struct story){ .actor = t->actor, .who = who(t, provider), .by_link = t->by_link, .text = t->text, .event_id = t->event_id, .at = t->at };
	s->did = did(v, t, s);
	if (t->kind_n == TIMELINE_OPENED || t->kind_n == TIMELINE_RAISED)
		s->level = t->level;
}

static void tell_all(struct visit *v, const struct incident_detail *d, struct incident_page *p)
{
	p->stories = ARENA_ARRAY(v->a, struct story, d->timeline_n + 1);
	p->stories_n = d->timeline_n;
	for (size_t i = 0; i < d->timeline_n; i++)	/* newest first */
		tell(v, &d->timeline[d->timeline_n - 1 - i], d->incident.provider, &p->stories[i]);
	p->more_stories = d->timeline_n == INCIDENT_TIMELINE_MAX;
	p->alerts = d->alerts;
	p->alerts_n = d->alert_n;
	p->more_alerts = d->alert_n == INCIDENT_ALERTS_MAX;
}

/* ---- who was told ---- */

/* "incident.severity_raised" is "severity raised". */
static struct str what_of(struct visit *v, struct str type)
{
	struct str what = str_starts(type, "incident.") ? str_sub(type, strlen("incident.")) : type;
	char *p = arena_cstr(v->a, what);

	for (size_t i = 0; i < what.n; i++)
		if (p[i] == '_')
			p[i] = ' ';
	return (struct str){ p, what.n };
}

static void tell_channel(struct visit *v, const struct incident_notification_view *r, struct told_line *t)
{
	t->to = r->target.n ? r->target : STR("A deleted channel");
	t->note = r->recipient;
	if (r->target_id.n)
		t->to_url = arena_printf(v->a, "/channels/%.*s/deliveries/%llu", STR_ARG(r->target_id), (unsigned long long)r->id);
}

static void tell_person(struct visit *v, const struct incident_notification_view *r, struct told_line *t)
{
	t->to = r->user;
	t->note = r->target_kind.n ? arena_printf(v->a, "%.*s, %.*s", STR_ARG(r->target_kind), STR_ARG(r->recipient)) : r->recipient;
}

static void tell_endpoint(struct visit *v, const struct incident_notification_view *r, struct told_line *t)
{
	t->to = r->endpoint;
	t->note = arena_printf(v->a, "endpoint of %.*s", STR_ARG(r->user));
	if (r->endpoint_id.n)
		t->to_url = arena_printf(v->a, "/endpoints/%.*s/deliveries/%llu", STR_ARG(r->endpoint_id), (unsigned long long)r->id);
}

static void tell_line(struct visit *v, const struct incident_notification_view *r, struct told_line *t)
{
	*t = (struct told_line){ .what = what_of(v, r->type), .status = r->status, .bundle = r->bundle_status, .error = r->error, .attempts = r->attempts,
		.at = r->finished_at ? r->finished_at : r->created_at, .next_at = r->next_at > v->by.now ? r->next_at : 0 };
	switch ((enum outbox_kind)r->kind_n) {
	case OUTBOX_PAGE:
		tell_person(v, r, t);
		return;
	case OUTBOX_DELIVERY:
		tell_endpoint(v, r, t);
		return;
	default:
		tell_channel(v, r, t);
	}
}

static bool fill_told(struct visit *v, struct incident_page *p, struct err *e)
{
	struct incident_notification_view *rows;
	size_t n;

	if (!incident_notification_view_list(v->by.db, v->a, p->incident.tenant_id, p->incident.id, v->by.principal.user_id, &rows, &n, e))
		return false;
	p->told = ARENA_ARRAY(v->a, struct told_line, n + 1);
	p->told_n = n;
	p->more_told = n == INCIDENT_NOTIFICATIONS_MAX;
	for (size_t i = 0; i < n; i++)
		tell_line(v, &rows[n - 1 - i], &p->told[i]);
	return true;
}

/* ---- its escalation ---- */

static const struct {
	const char *why, *sentence;
	bool failed;
} endings[] = {
	{ "acknowledged", "It stopped when somebody acknowledged the incident." },
	{ "resolved", "It stopped when the incident was resolved." },
	{ "at_end", "All its steps were taken, and nobody took care.", true },
	{ "unreachable", "All its steps were taken, and none reached anybody.", true },
	{ "policy_deleted", "The policy was deleted; nobody else is paged.", true },
};

static bool fill_escalation(struct visit *v, struct incident_page *p, struct err *e)
{
	struct escalation_facts *x = &p->escalation;
	int found = escalation_view_get(v->by.db, v->a, &p->incident, v->by.now, &x->v, e);

	if (found != 1)
		return found == 0;
	x->began = true;
	x->runs = str_eqs(x->v.state, "running");
	x->paused = str_eqs(x->v.state, "paused");
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (str_eqs(x->v.why, endings[i].why)) {
			x->ended = str_of(endings[i].sentence);
			x->failed = endings[i].failed && p->open;
		}
	return true;
}

/* ---- the page ---- */

static const struct choice_word snooze_choices[] = {
	{ "30", "30 minutes" }, { "60", "1 hour" }, { "240", "4 hours" }, { "480", "8 hours" }, { "1440", "1 day" },
	{ "4320", "3 days" }, { "10080", "7 days" }, { NULL, NULL },
};

/* Those that it may be merged into: unresolved ones that have to do with it. */
static void fill_merge(struct visit *v, struct incident_page *p)
{
	p->targets = ARENA_ARRAY(v->a, struct choice, p->related_n + 1);
	for (size_t i = 0; i < p->related_n && !p->resolved; i++) {
		const struct related_view *r = &p->related[i];
		struct str number = arena_printf(v->a, "%llu", (unsigned long long)r->id);

		if (r->status_n != INCIDENT_RESOLVED)
			p->targets[p->targets_n++] = (struct choice){ .value = number, .label = arena_printf(v->a, "%.*s (%.*s)", STR_ARG(str_cut(r->title, 80)), STR_ARG(r->why)) };
	}
}

/* 1, 0, -1 as any look-up. */
static int fill(struct visit *v, uint64_t id, struct incident_page *p, struct err *e)
{
	struct incident_detail d;
	int found = incident_view_get(v->by.db, v->a, v->by.tenant_id, id, &d, e);

	if (found != 1)
		return found;
	p->incident = d.incident;
	p->open = d.incident.status_n == INCIDENT_OPEN;
	p->resolved = d.incident.status_n == INCIDENT_RESOLVED;
	p->snoozed = d.incident.snoozed_until > v->by.now;
	p->held = d.incident.held_by.n && !p->resolved;
	p->mine = str_eq(d.incident.assignee_id, v->by.principal.user_public_id);
	tell_all(v, &d, p);
	p->related = d.related;
	p->related_n = d.related_n;
	p->parts = d.parts;
	p->parts_n = d.parts_n;
	p->alerts_in_all = d.incident.alert_count;
	for (size_t i = 0; i < d.parts_n; i++)
		p->alerts_in_all += d.parts[i].alert_count;
	fill_merge(v, p);
	p->into = visit_posted(v, "into");
	choices_of_words(v, snooze_choices, STR("60"), &p->snoozes, &p->snoozes_n);
	return choices_of_people(v, ROLE_VIEWER, d.incident.assignee_id, &p->people, &p->people_n, e) && fill_told(v, p, e) &&
		fill_escalation(v, p, e) ? 1 : -1;
}

/* With the error of a form, or NULL. */
static void show(struct visit *v, uint64_t id, const struct err *bad)
{
	struct incident_page p = { .note = visit_posted(v, "text") };
	struct err e = { 0 };
	int found = fill(v, id, &p, &e);

	if (found != 1) {
		found ? visit_err(v, &e) : visit_not_found(v);
		return;
	}
	page_begin(v, &p.page, arena_cstr(v->a, p.incident.title), "incidents");
	if (bad && !page_blame(v, &p.page, bad))
		return;
	PAGE_SEND(v, bad ? 400 : 200, tmpl_incident, &p);
}

void page_incident(void *visit)
{
	struct visit *v = visit;
	uint64_t id;

	if (visit_id(v, 0, &id))
		show(v, id, NULL);
}

/* ---- acts ---- */

/* A conflict is no error of the form: somebody was faster, and the page shows what is now. */
static void finish(struct visit *v, uint64_t id, bool done, const char *said, const struct err *e)
{
	if (!done && e->code != ERR_CONFLICT) {
		if (e->code == ERR_INVALID)
			show(v, id, e);
		else
			(void)visit_err(v, e);
		return;
	}
	if (done)
		visit_flash(v, said, STR_NONE);
	else
		visit_flash_bad(v, e->text);
	visit_redirect(v, "/incidents/%llu", (unsigned long long)id);
}

static void command(struct visit *v, enum incident_command what, const char *said)
{
	struct command_form f = { .note = STR_NONE };
	struct err e = { 0 };
	uint64_t id;

	if (visit_id(v, 0, &id))
		finish(v, id, visit_form(v, incident_command_fields, FORM_NEW, &f, &e) &&
			incident_command_by(&v->by, id, what, f.note, &e), said, &e);
}

void page_incident_acknowledge(void *visit)
{
	command(visit, COMMAND_ACKNOWLEDGE, "Acknowledged. It stays unresolved until its sender or somebody here resolves it.");
}

void page_incident_resolve(void *visit)
{
	command(visit, COMMAND_RESOLVE, "Resolved. An alert that still fires reopens it.");
}

void page_incident_reopen(void *visit)
{
	command(visit, COMMAND_REOPEN, "Open again.");
}

void page_incident_note(void *visit)
{
	struct visit *v = visit;
	struct note_form f = { 0 };
	struct err e = { 0 };
	uint64_t id;

	if (visit_id(v, 0, &id))
		finish(v, id, visit_form(v, incident_note_fields, FORM_NEW, &f, &e) && incident_note_by(&v->by, id, &f, &e),
			"The note stands in the timeline.", &e);
}

void page_incident_assign(void *visit)
{
	struct visit *v = visit;
	struct assign_form f = { 0 };
	struct err e = { 0 };
	uint64_t id;

	if (visit_id(v, 0, &id))
		finish(v, id, visit_form(v, incident_assign_fields, FORM_NEW, &f, &e) && incident_assign_by(&v->by, id, &f, &e),
			f.assignee.n ? "Assigned." : "Nobody has it now.", &e);
}

void page_incident_merge(void *visit)
{
	struct visit *v = visit;
	struct merge_form f = { 0 };
	struct err e = { 0 };
	uint64_t id;

	if (visit_id(v, 0, &id))
		finish(v, id, visit_form(v, incident_merge_fields, FORM_NEW, &f, &e) && incident_merge_by(&v->by, id, &f, &e),
			"Merged. What still fires joins the other; reopening takes it back.", &e);
}

void page_incident_snooze(void *visit)
{
	struct visit *v = visit;
	struct snooze_form f = SNOOZE_FORM_NEW;
	struct err e = { 0 };
	uint64_t id;

	if (visit_id(v, 0, &id))
		finish(v, id, visit_form(v, incident_snooze_fields, FORM_NEW, &f, &e) && incident_snooze_by(&v->by, id, &f, &e),
			f.minutes ? "Snoozed. It wakes at its time, or when its severity rises." : "No longer snoozed.", &e);
}
