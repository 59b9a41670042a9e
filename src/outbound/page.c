/* page.c - rows for people: what a step of an escalation policy tells somebody, the codes that prove a contact, and what concerns its person alone.
 *
 * A contact's message goes by the same kinds as a channel's, with what the installation has for them: its mail server, its SMS account. Between its writing and its
 * sending things may have changed, so it is asked again: a page is not sent when somebody takes care of the incident by now, and waits while its person
 * is not to be woken, or the incident is snoozed or held back. Of several that wait for one person and one incident the newest alone is sent. The code of a contact stands nowhere; it is made here. */
#include "grapnel/json.h"
#include "grapnel/log.h"

#include "outbound_int.h"

#define ATTEMPTS_MAX 8		/* three quick ones, then for some half an hour: then others have been paged */
#define DATA_MAX 1024
#define WAIT_MS MS_PER_HOUR	/* of one that waits for the end of quiet hours or of a snooze: no row of the outbox lies further ahead than that */

struct person {
	struct contact contact;		/* id 0: it was deleted */
	const struct channel_kind *kind;
	struct escalation_wanted *open;	/* incidents of these pages of which nobody takes care */
	size_t open_n;
	ms_t looked_at;			/* when that was so */
};

static bool look(struct round *r, ms_t now, struct err *e)
{
	struct person *x = r->target;
	struct escalation_wanted *list;
	size_t n;

	if (!escalation_wanted(courier_config(r->courier)->db, r->arena, JSON_IDS(r->arena, r->parcels, r->n, row.cause_id), r->target_id, &list, &n, e))
		return false;
	x->open = list;
	x->open_n = n;
	x->looked_at = now;
	return true;
}

/* One that cannot be read has no type. */
static void read_messages(struct round *r)
{
	struct err unreadable = { 0 };

	for (size_t i = 0; i < r->n; i++)
		if (!message_of(r->arena, r->parcels[i].row.payload, &r->parcels[i].message, &unreadable))
			r->parcels[i].message = (struct message){ 0 };
}

static bool open(struct round *r, struct err *e)
{
	struct db *db = courier_config(r->courier)->db;
	struct person *x = ARENA_NEW(r->arena, struct person);
	struct contact *found;
	size_t n;

	r->target = x;
	if (!contacts_by_ids(db, r->arena, arena_printf(r->arena, "[%llu]", (unsigned long long)r->target_id), &found, &n, e) || !look(r, clock_now(), e))
		return false;
	read_messages(r);
	if (n) {
		x->contact = found[0];
		x->kind = channel_kind_find(x->contact.kind);
	}
	return true;
}

static bool is_code(const struct parcel *p)
{
	return str_eqs(p->message.type, "contact.verify");
}

/* Whoever takes care of an incident ends its pages. */
static bool is_page(const struct parcel *p)
{
	return str_starts(p->message.type, "incident.");
}

/* With the code in it. */
static struct str code_payload(const struct parcel *p, const struct contact *c)
{
	struct arena *a = p->round->arena;
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, DATA_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "id");
	json_str(&o, c->public_id);
	json_key(&o, "user");
	json_str(&o, c->user_name);
	json_key(&o, "code");
	json_str(&o, contact_code(a, courier_config(p->round->courier)->seal, c->public_id, p->row.id));
	json_close(&o, '}');
	return notice_payload(a, "contact.verify", strbuf_str(&b), p->row.created_at);
}

/* NULL: somebody does. */
static const struct escalation_wanted *wanted(const struct person *x, uint64_t incident)
{
	for (size_t i = 0; i < x->open_n; i++)
		if (x->open[i].incident_id == incident)
			return &x->open[i];
	return NULL;
}

static struct channel_call call_of(const struct parcel *p, const struct contact *c)
{
	struct channel_call call = { .house = &courier_config(p->round->courier)->house, .name = c->user_name, .person = true,
		.id = arena_printf(p->round->arena, "%llu", (unsigned long long)p->row.id), .now = p->at, .attempt = (unsigned)p->row.attempts };

	call.settings.part[contact_part(c->kind)] = c->address;
	return call;
}

/* The sentence that says why it is never sent, or empty. */
static struct str refusal(struct parcel *p, const struct person *x)
{
	const struct contact *c = &x->contact;
	struct channel_call call;
	struct err e = { 0 };

	if (!p->message.type.n)
		return STR("The row cannot be read.");
	if (!c->id)
		return STR("The contact was deleted.");
	if (!x->kind)
		return STR("This version cannot send to such contacts.");
	call = call_of(p, c);
	if (!x->kind->check(&call.settings, call.house, &e))
		return arena_str(p->round->arena, str_of(e.text));
	if (!c->user_enabled)
		return STR("The user is disabled.");
	if (!is_code(p) && !c->verified_at)
		return STR("The contact is not verified.");
	if (is_code(p) && p->at >= p->row.created_at + CONTACT_CODE_MS)
		return STR("The code counts no more.");
	return STR_NONE;
}

static bool request(struct parcel *p, ms_t now, struct send *out, struct str *why)
{
	const struct person *x = p->round->target;
	const struct contact *c = &x->contact;
	struct arena *a = p->round->arena;
	struct channel_request *rq = ARENA_NEW(a, struct channel_request);
	struct channel_call call = call_of(p, c);
	struct err unreadable = { 0 };

	*why = refusal(p, x);
	if (why->n)
		return false;
	if (is_code(p) && !message_of(a, code_payload(p, c), &p->message, &unreadable))
		return false;
	if (x->kind->has_links && c->user_role >= ROLE_OPERATOR)	/* of anybody else they are refused */
		parcel_links(p, LINK_TO_USER, c->user_id, c->id);
	out->once = p->once = x->kind->once;
	x->kind->request(a, &call, &p->message, rq);
	parcel_fill(a, rq, out);
	return true;
}

/* By quiet hours or a snooze. By the severity of now: what got worse meanwhile is not held any more. */
static ms_t asleep_until(const struct person *x, const struct escalation_wanted *w, ms_t now)
{
	ms_t until = w && w->level < LEVEL_HIGH ? quiet_until(&x->contact.quiet, now) : 0;

	return w && w->snoozed_until > now && w->snoozed_until > until ? w->snoozed_until : until;
}

/* Whoever ends what holds a page hurries only those that nobody has taken: so one that was taken and waited for its turn is put off by what is so now. */
static bool is_stale(const struct person *x, uint64_t incident, ms_t now)
{
	return now >= x->looked_at + FRESH_MS || (now > x->looked_at && asleep_until(x, wanted(x, incident), now));
}

/* Somebody takes care of it by now, or a newer one says it better. */
static bool is_unneeded(const struct parcel *p, ms_t now)
{
	const struct person *x = p->round->target;
	const struct escalation_wanted *w;
	struct err away = { 0 };

	if (!is_page(p))
		return false;
	if (is_stale(x, p->row.cause_id, now) && !look(p->round, now, &away))
		log_warning("an incident is taken as it was read before", LOG_U("incident", p->row.cause_id), LOG_ERR(&away));
	w = wanted(x, p->row.cause_id);
	return !w || (p->row.attempts == 1 && w->newest > p->row.id);	/* one that was tried goes on */
}

/* By a window or silence that began after the page was written, since its step has asked. */
static bool is_held_back(const struct parcel *p, ms_t now)
{
	struct err away = { 0 };

	return now >= p->row.created_at + ESCALATION_LOOK_MS &&
		incident_held(courier_config(p->round->courier)->db, p->round->arena, p->row.cause_id, now, &away) == 1;
}

/* A code is of no incident. */
static ms_t hold(const struct parcel *p, ms_t now)
{
	const struct person *x = p->round->target;
	const struct escalation_wanted *w = wanted(x, p->row.cause_id);
	ms_t until;

	if (!w)
		return 0;
	until = asleep_until(x, w, now);
	if (!until && is_held_back(p, now))
		until = now + ESCALATION_LOOK_MS;
	return until > now + WAIT_MS ? now + WAIT_MS : until;
}

/* Everybody sees the error, in the notifications and the timeline of the incident, so it has none of the receiver's words: they may name the address. */
static void judge(struct parcel *p)
{
	const struct person *x = p->round->target;
	const struct channel_call call = call_of(p, &x->contact);

	p->reception = x->kind->judge(p->round->arena, &call, p->status, p->body);
	if (p->reception == RECEPTION_GONE)
		p->reception = RECEPTION_REFUSED;
	if (p->reception != RECEPTION_TAKEN)
		p->error = parcel_answered(p->round->arena, p->status);
}

/* Of the contact, for its person. */
static struct str reason(const struct parcel *p)
{
	return p->reception == RECEPTION_TAKEN ? STR_NONE : p->status ? parcel_answered_words(p) : p->error;
}

static bool note(struct db *db, struct parcel *p, ms_t now, struct err *e)
{
	const struct person *x = p->round->target;
	struct str whom = x->contact.id ? x->contact.user_name : STR("a deleted contact");

	return parcel_escalates(db, p, whom, now, e) &&
		(!x->contact.id || contact_told(db, x->contact.id, reason(p), now, e));
}

const struct cargo cargo_page = {
	.kind = OUTBOX_PAGE, .attempts_max = ATTEMPTS_MAX, .places = SEND_MAX, .open = open, .is_unneeded = is_unneeded, .hold = hold, .request = request, .judge = judge, .note = note,
};
