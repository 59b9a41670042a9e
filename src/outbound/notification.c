/* notification.c - rows for channels: a notice becomes a message, and that the request of the channel's kind.
 *
 * What becomes of it is noted of the channel as well. A message that is given up is trouble of its own: a monitor alert, which the other
 * channels tell; it ends with the next message that is taken. */
#include "grapnel/json.h"
#include "grapnel/log.h"

#include "outbound_int.h"

#define ATTEMPTS_MAX 12		/* three quick ones, then for some three hours: whoever hears of it later has seen it */
#define ALERT_MS MS_PER_DAY	/* then it is no news any more */
#define ANSWER_SHOWN 150	/* bytes */
#define SETTINGS_LOST "The channel's secret does not open under our keys."

struct target {
	struct channel channel;		/* id 0: it was deleted */
	const struct channel_kind *kind;
	struct channel_settings settings;
	bool lost;
	ms_t read_at;
};

static bool load_settings(struct round *r, struct target *t)
{
	const struct seal_key *seal = courier_config(r->courier)->seal;
	struct err e = { 0 };
	struct str secret;

	channel_settings_read(r->arena, t->channel.settings, &t->settings);
	if (seal && channel_secret(r->arena, seal, &t->channel, &secret, &e)) {
		t->settings.part[t->kind->secret] = secret;
		return true;
	}
	log_error("the secret of a channel does not open", LOG_STR("channel", t->channel.public_id), LOG_S("error", seal ? e.text : "no key file"));
	return false;
}

/* Of one that is gone the kind stays: what is under way is still to be judged. */
static bool read_target(struct round *r, ms_t now, struct err *e)
{
	struct str ids = arena_printf(r->arena, "[%llu]", (unsigned long long)r->target_id);
	const struct target *before = r->target;
	struct target *t = ARENA_NEW(r->arena, struct target);
	struct channel *found;
	size_t n;

	if (!channels_by_ids(courier_config(r->courier)->db, r->arena, ids, &found, &n, e))
		return false;
	t->read_at = now;
	if (n) {
		t->channel = found[0];
		t->kind = channel_kind_find(t->channel.kind);
		t->lost = !t->kind || !load_settings(r, t);
	} else if (before) {
		t->kind = before->kind;
	}
	r->target = t;
	return true;
}

static bool open(struct round *r, struct err *e)
{
	const struct target *t;

	if (!read_target(r, clock_now(), e))
		return false;
	t = r->target;
	return !t->channel.id || (digests_open(r, e) && publications_open(r, "type", PUBLISHED_TYPE, e));
}

static bool is_test(const struct parcel *p)
{
	return str_starts(p->message.type, "channel.");
}

static struct channel_call call_of(const struct parcel *p, ms_t now)
{
	const struct target *t = p->round->target;

	return (struct channel_call){ .house = &courier_config(p->round->courier)->house, .settings = t->settings, .name = t->channel.name,
		.id = arena_printf(p->round->arena, "%llu", (unsigned long long)p->row.id), .recipient = p->row.recipient, .now = now,
		.attempt = (unsigned)p->row.attempts };
}

/* The sentence that says why not, or empty. Settings may lean on the configuration, which may be another one than when they were made. */
static struct str refusal(struct parcel *p, const struct target *t)
{
	struct err e = { 0 };

	if (p->refusal.n)
		return p->refusal;
	if (!message_of(p->round->arena, p->row.payload, &p->message, &e))
		return STR("The row cannot be read.");
	if (!t->channel.id)
		return STR("The channel was deleted.");
	if (t->lost)
		return STR(SETTINGS_LOST);
	if (!t->kind->check(&t->settings, &courier_config(p->round->courier)->house, &e))
		return arena_str(p->round->arena, str_of(e.text));
	return t->channel.enabled || is_test(p) ? STR_NONE : STR("The channel is switched off.");
}

static void fill_mail(struct arena *a, const struct channel_request *rq, struct send *out)
{
	struct send_mail *mail = ARENA_NEW(a, struct send_mail);
	struct str *to = ARENA_ARRAY(a, struct str, rq->to_n);

	memcpy(to, rq->to, rq->to_n * sizeof(*to));
	*mail = (struct send_mail){ .from = rq->from, .to = to, .to_n = rq->to_n, .user = rq->user, .password = rq->password, .plain = rq->plain };
	out->mail = mail;
}

void parcel_fill(struct arena *a, const struct channel_request *rq, struct send *out)
{
	out->url = rq->url;
	out->headers = rq->headers;
	out->header_n = rq->header_n;
	out->body = rq->body;
	out->trusted = rq->trusted;
	if (rq->to_n)
		fill_mail(a, rq, out);
}

/* As it is now: a round may wait for long behind a receiver that is slow. */
static const struct target *fresh_target(const struct parcel *p, ms_t now)
{
	const struct target *t = p->round->target;
	struct err away = { 0 };

	if (now >= t->read_at + FRESH_MS && !read_target(p->round, now, &away))
		log_warning("a channel is used as it was read before", LOG_U("channel", p->round->target_id), LOG_ERR(&away));
	return p->round->target;
}

/* Whom it is for was taken off the channel's list. */
static bool is_unneeded(const struct parcel *p, ms_t now)
{
	const struct target *t = fresh_target(p, now);
	struct str list = t->settings.part[PART_TO];

	if (!t->channel.id || !p->row.recipient.n)
		return false;
	while (list.n)
		if (str_eq(str_trim(str_until(&list, ',')), p->row.recipient))
			return false;
	return true;
}

static bool request(struct parcel *p, ms_t now, struct send *out, struct str *why)
{
	struct arena *a = p->round->arena;
	struct channel_request *rq = ARENA_NEW(a, struct channel_request);
	const struct target *t = fresh_target(p, now);
	struct channel_call call;

	*why = refusal(p, t);
	if (why->n)
		return false;
	call = call_of(p, now);
	p->asked = t->channel.updated_at;
	if (t->kind->has_links)
		parcel_links(p, LINK_TO_CHANNEL, t->channel.id, 0);
	out->once = p->once = t->kind->once;
	t->kind->request(a, &call, &p->message, rq);
	parcel_fill(a, rq, out);
	return true;
}

/* The beginning of what was answered, for logs and lists: one line. */
static struct str in_a_line(struct arena *a, struct str s)
{
	return arena_line(a, str_cut(str_trim(s), ANSWER_SHOWN));
}

struct str parcel_answered_words(const struct parcel *p)
{
	struct arena *a = p->round->arena;
	struct str answered = parcel_answered(a, p->status);

	return p->body.n ? arena_printf(a, "%.*s %.*s", STR_ARG(answered), STR_ARG(in_a_line(a, p->body))) : answered;
}

void parcel_judge(struct parcel *p, const struct channel_kind *kind, const struct channel_call *call)
{
	p->reception = kind->judge(p->round->arena, call, p->status, p->body);
	if (p->reception != RECEPTION_TAKEN)
		p->error = parcel_answered_words(p);
}

static void judge(struct parcel *p)
{
	const struct target *t = p->round->target;
	const struct channel_call call = call_of(p, p->at);

	parcel_judge(p, t->kind, &call);
}

/* ---- what is noted ---- */

static bool given_up(struct db *db, struct parcel *p, ms_t now, struct err *e)
{
	const struct target *t = p->round->target;
	struct id_maker *ids = courier_config(p->round->courier)->ids;
	struct arena *a = p->round->arena;
	struct channel asked = t->channel;
	const struct monitor_alert alert = { .id = id_make(ids, now), .tenant_id = t->channel.tenant_id, .type = STR(CHANNEL_FAILED),
		.subject = t->channel.public_id, .severity = MONITOR_ERROR, .value = 1, .lasts_until = now + ALERT_MS,
		.message = arena_printf(a, "A message for the channel %.*s was given up: %.*s", STR_ARG(t->channel.name), STR_ARG(p->error)),
		.advice = STR("Mend the channel's settings, then press its test button.") };

	asked.updated_at = p->asked;
	if (p->reception == RECEPTION_GONE && !channel_disable(db, a, &asked, p->error, now, e))
		return false;
	return is_test(p) || !t->channel.enabled || monitor_alert_raise(db, a, ids, &alert, now, e) >= 0;
}

/* Of several addressees all: else one that is never reached would be told and over with each message. */
static bool taken(struct db *db, struct parcel *p, ms_t now, struct err *e)
{
	const struct channel *c = &((const struct target *)p->round->target)->channel;
	struct arena *a = p->round->arena;
	int others = p->row.recipient.n ? outbox_untaken(db, a, &p->row, e) : 0;

	if (others)
		return others > 0;
	return channel_sent(db, c->id, now, e) &&
		monitor_alert_end(db, a, courier_config(p->round->courier)->ids, c->tenant_id, STR(CHANNEL_FAILED), c->public_id, now, e) >= 0;
}

static bool note(struct db *db, struct parcel *p, ms_t now, struct err *e)
{
	const struct target *t = p->round->target;

	if (!parcel_escalates(db, p, t->channel.id ? t->channel.name : STR("a deleted channel"), now, e))
		return false;
	if (!t->channel.id)
		return true;
	if (p->reception == RECEPTION_TAKEN)
		return taken(db, p, now, e);
	if (!channel_failed(db, t->channel.id, p->error, now, e))
		return false;
	return p->row.status != OUTBOX_DEAD || given_up(db, p, now, e);
}

const struct cargo cargo_notification = {
	.kind = OUTBOX_NOTIFICATION, .attempts_max = ATTEMPTS_MAX, .places = SEND_CHANNELS_MAX, .open = open, .is_unneeded = is_unneeded,
	.request = request, .judge = judge, .note = note,
};
