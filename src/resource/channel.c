/* channel.c - where people and programs are told of things: its form; making, changing, removing and trying one.
 *
 * Which members a channel takes, and which of them is the secret, says its kind (src/channel); this file knows none by name. */
#include "resource_int.h"

#include "grapnel/channel.h"
#include "grapnel/json.h"
#include "grapnel/outbound.h"

#define URL_MAX 2000		/* as a secret it is sealed into VARBINARY(2100) */
#define ADDRESSES_TEXT_MAX 16384	/* RECIPIENTS_MAX of 320 bytes */

static const struct form_word event_words[] = {
	{ "event.processed", CHANNEL_PROCESSED },
	{ "incident.*", CHANNEL_INCIDENT },
	{ "monitor.*", CHANNEL_MONITOR },
	{ "alerts.*", CHANNEL_ALERTS },
	{ 0 }
};

const struct form_field channel_fields[] = {
	{ "name", TEXT_AT(struct channel_form, name), FORM_REQUIRED, 1, 400, .help = "1 to 100 characters" },
	{ "kind", TEXT_AT(struct channel_form, kind), FORM_REQUIRED | FORM_FIXED, 1, 20, .help = "slack, email, sms, push, pagerduty, webhook, cloudevents or event_grid" },
	{ "enabled", BOOL_AT(struct channel_form, enabled), .help = "A disabled one is told nothing" },
	{ "events", WORDS_AT(struct channel_form, events), FORM_NULL, .words = event_words, .absent = CHANNEL_INCIDENT | CHANNEL_MONITOR,
		.help = "What it is told of; null = incident.* and monitor.*. event.processed is for webhook, cloudevents and event_grid" },
	{ "minSeverity", WORDS_AT(struct channel_form, min_severity), FORM_NULL, .words = level_words, .absent = 1u << LEVEL_INFO,
		.help = "Nothing below it: INFO, LOW, MEDIUM, HIGH or CRITICAL; null = INFO" },
	{ "maxPerMinute", NUMBER_AT(struct channel_form, max_per_minute), FORM_NULL, 1, CHANNEL_PER_MINUTE_MAX,
		.help = "slack, email, sms, push: messages a minute; what comes more is told in one message at its end; null = 10. The others have no limit" },
	{ "url", TEXT_AT(struct channel_form, url), .max = URL_MAX,
		.help = "slack: the incoming webhook, kept as a secret. webhook, cloudevents, event_grid: where to. push: the topic. email: a mail server of its"
			" own, smtp:// or smtps://. sms, pagerduty: another address than Twilio's or PagerDuty's" },
	{ "to", LIST_AT(struct channel_form, to), .max = RECIPIENTS_MAX, .help = "email: mail addresses. sms: telephone numbers, like +4930123456" },
	{ "from", TEXT_AT(struct channel_form, from), .max = 320,
		.help = "email: the sender. sms: a number, a name or a messaging service. Else the one of the configuration" },
	{ "account", TEXT_AT(struct channel_form, account), .max = 255, .help = "sms: Account SID at Twilio; else the one of the configuration" },
	{ "user", TEXT_AT(struct channel_form, user), .max = 255, .help = "email: user of its own mail server. sms: SID of an API key of its own account" },
	{ "password", TEXT_AT(struct channel_form, password), .max = 255, .help = "email: password of that user; null or empty removes it" },
	{ "token", TEXT_AT(struct channel_form, token), .max = 900,
		.help = "sms: auth token of its own account, or secret of its API key. push, cloudevents: bearer token; null or empty removes it" },
	{ "routingKey", TEXT_AT(struct channel_form, routing_key), .max = 255, .help = "pagerduty: integration key, 32 letters and digits" },
	{ "key", TEXT_AT(struct channel_form, key), .max = 500, .help = "event_grid: access key, or both with a blank between" },
	{ "format", TEXT_AT(struct channel_form, format), .max = 20,
		.help = "cloudevents: structured or binary. event_grid: eventgrid or cloudevents. null = the first" },
	{ "secret", TEXT_AT(struct channel_form, secret), .max = 900,
		.help = "webhook: what its messages are signed with; none, null or empty: one is made and shown this once" },
	FORM_END
};

const struct form_field channel_query_fields[] = {
	{ "limit", NUMBER_AT(struct channel_query, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most channels in the answer" },
	CURSOR_ROW(struct channel_query, cursor, "channels"),
	FORM_END
};

const struct form_word channel_delivery_words[] = {
	{ "waiting", 1 << OUTBOX_WAITING | 1 << OUTBOX_FAILED }, { "sent", 1 << OUTBOX_SENT }, { "dead", 1 << OUTBOX_DEAD | 1 << OUTBOX_ENDING },
	{ "bundled", 1 << OUTBOX_BUNDLED }, { "unneeded", 1 << OUTBOX_UNNEEDED }, { 0 }
};

const struct form_field channel_delivery_query_fields[] = {
	{ "status", WORDS_AT(struct sent_filter, statuses), .words = channel_delivery_words, .help = "waiting, which those that are being sent or tried again are, too; sent, dead, bundled or unneeded: one or more, with commas between" },
	{ "limit", NUMBER_AT(struct sent_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most deliveries in the answer" },
	CURSOR_ROW(struct sent_filter, cursor, "deliveries"),
	FORM_END
};

/* ---- form and settings ---- */

struct str *channel_form_text(struct channel_form *f, enum channel_part p)
{
	static const size_t offsets[PART_COUNT] = {
		[PART_URL] = offsetof(struct channel_form, url), [PART_FROM] = offsetof(struct channel_form, from),
		[PART_ACCOUNT] = offsetof(struct channel_form, account), [PART_USER] = offsetof(struct channel_form, user),
		[PART_PASSWORD] = offsetof(struct channel_form, password), [PART_TOKEN] = offsetof(struct channel_form, token),
		[PART_ROUTING_KEY] = offsetof(struct channel_form, routing_key), [PART_KEY] = offsetof(struct channel_form, key),
		[PART_SECRET] = offsetof(struct channel_form, secret), [PART_FORMAT] = offsetof(struct channel_form, format),
	};

	return offsets[p] ? (struct str *)((char *)f + offsets[p]) : NULL;
}

static struct str addresses_joined(const struct caller *by, const struct json *list)
{
	struct strbuf b;

	strbuf_init(&b, by->a, ADDRESSES_TEXT_MAX);
	for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
		strbuf_adds(&b, b.n ? "," : "");
		strbuf_addstr(&b, json_text(j));
	}
	return strbuf_str(&b);
}

static const struct json *addresses_list(const struct caller *by, struct str joined)
{
	struct json *list = json_new(by->a, JSON_ARRAY);

	while (joined.n)
		json_add(list, STR_NONE, json_new_str(by->a, str_trim(str_until(&joined, ','))));
	return list;
}

static bool commas(const struct json *list)
{
	for (const struct json *j = list ? list->first : NULL; j; j = j->next)
		if (str_find(json_text(j), ',') >= 0)
			return true;
	return false;
}

/* A secret part that was not given is as it is stored. */
static bool form_settings(const struct caller *by, struct channel_form *f, const struct channel_kind *kind, const struct channel *c,
	struct channel_settings *s, struct err *e)
{
	*s = (struct channel_settings){ 0 };
	if (commas(f->to))
		return err_field(e, ERR_INVALID, "to", "Give each address or number for itself, without commas.");
	for (enum channel_part p = 0; p < PART_COUNT; p++) {
		struct str *text = channel_form_text(f, p);

		s->part[p] = text ? *text : addresses_joined(by, f->to);
		if (p != PART_PASSWORD && p != PART_SECRET)
			s->part[p] = str_trim(s->part[p]);
		if (s->part[p].n && !(kind->takes & 1u << p))
			return err_field(e, ERR_INVALID, channel_part_names[p], "%s takes no %s.", kind->title, channel_part_names[p]);
		if (p == kind->secret && !text->p && !channel_secret(by->a, by->seal, c, &s->part[p], e))
			return false;
	}
	return true;
}

static bool check_parts(const struct caller *by, const struct channel_kind *kind, const struct channel_settings *s, struct err *e)
{
	const struct channel_house house = courier_house(by->conf);

	for (enum channel_part p = 0; p < PART_COUNT; p++)
		if (kind->needs & 1u << p && !s->part[p].n)
			return err_field(e, ERR_INVALID, channel_part_names[p], "%s: %s is needed.", kind->title, kind->texts[p].label);
	return kind->check(s, &house, e);
}

/* One that is the secret is new whenever it is given. */
static bool url_is_new(const struct channel_form *f, const struct channel_settings *s, const struct channel_settings *before)
{
	return f->url.n && !str_eq(s->part[PART_URL], before->part[PART_URL]);
}

/* A secret that is sent, not signed with, goes to no other server than the one it was given for. */
static bool check_kept_secret(const struct channel_kind *kind, const struct channel_settings *s, const struct channel_settings *before,
	struct err *e)
{
	if (kind->secret == PART_URL || kind->makes_secret || !s->part[kind->secret].n || str_eq(s->part[PART_URL], before->part[PART_URL]))
		return true;
	return err_field(e, ERR_INVALID, channel_part_names[kind->secret], "The address is another one: give its %s as well.",
		kind->texts[kind->secret].label);
}

/* `*secret` is what the store is to seal: p NULL, as it was. */
static bool form_to_channel(const struct caller *by, struct channel_form *f, const struct channel_kind *kind, struct channel *c,
	struct str *secret, struct err *e)
{
	struct channel_settings s, before;
	bool kept, ok;

	channel_settings_read(by->a, c->settings, &before);
	if (!f->min_severity || f->min_severity & (f->min_severity - 1))
		return err_field(e, ERR_INVALID, "minSeverity", "minSeverity is one of INFO, LOW, MEDIUM, HIGH, CRITICAL.");
	if (f->events & CHANNEL_PROCESSED && !kind->sink)
		return err_field(e, ERR_INVALID, "events", "%s is told of what needs somebody, not of each event: event.processed goes to webhook, cloudevents and "
			"event_grid.", kind->title);
	if (f->max_per_minute && !kind->people)
		return err_field(e, ERR_INVALID, "maxPerMinute", "%s is told each thing by itself: it takes no limit.", kind->title);
	if (!form_settings(by, f, kind, c, &s, e))
		return false;
	f->made_secret = kind->makes_secret && !s.part[kind->secret].n;
	if (f->made_secret)
		*channel_form_text(f, kind->secret) = s.part[kind->secret] = secret_make(by, "whsec_");
	kept = !channel_form_text(f, kind->secret)->p;
	ok = check_parts(by, kind, &s, e) && (!kept || check_kept_secret(kind, &s, &before, e));
	if (kept && s.part[kind->secret].n)
		secret_wipe((char *)s.part[kind->secret].p, s.part[kind->secret].n);
	if (!ok || (url_is_new(f, &s, &before) && !address_check(by, kind->mail ? guard_mail_url : guard_resolve, s.part[PART_URL], channel_part_names[PART_URL], e)))
		return false;
	*secret = kept ? STR_NONE : s.part[kind->secret];
	c->name = f->name;
	c->enabled = f->enabled;
	c->events = f->events;
	c->min_level = (uint64_t)__builtin_ctzll(f->min_severity);
	c->settings = channel_settings_write(by->a, &s, kind->secret);
	c->each_recipient = kind->each;
	c->max_per_minute = !kind->people ? 0 : f->max_per_minute ? f->max_per_minute : CHANNEL_PER_MINUTE;
	return true;
}

void channel_to_form(const struct caller *by, const struct channel *c, struct channel_form *f)
{
	const struct channel_kind *kind = channel_kind_find(c->kind);
	struct channel_settings s;

	channel_settings_read(by->a, c->settings, &s);
	*f = (struct channel_form){ .name = c->name, .kind = c->kind, .events = c->events, .min_severity = 1u << c->min_level, .enabled = c->enabled,
		.max_per_minute = c->max_per_minute,
		.to = addresses_list(by, s.part[PART_TO]) };
	for (enum channel_part p = 0; p < PART_COUNT; p++)
		if (p != PART_TO && (!kind || p != kind->secret))
			*channel_form_text(f, p) = s.part[p];
}

bool channel_to_form_open(const struct caller *by, const struct channel *c, struct channel_form *f, struct err *e)
{
	const struct channel_kind *kind = channel_kind_find(c->kind);

	channel_to_form(by, c, f);
	return !kind || channel_secret(by->a, by->seal, c, channel_form_text(f, kind->secret), e);
}

bool channel_secret_missing(const struct channel_form *f)
{
	const struct channel_kind *kind = channel_kind_find(f->kind);

	return kind && kind->needs & 1u << kind->secret && !kind->makes_secret && !channel_form_text((struct channel_form *)f, kind->secret)->n;
}

/* ---- acts ---- */

int channel_find(const struct caller *by, struct str public_id, struct channel *out, struct err *e)
{
	return public_id_is(public_id, "ch") ? channel_get(by->db, by->a, by->tenant_id, public_id, out, e) : 0;
}

static bool not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such channel");
}

bool channel_create(const struct caller *by, struct channel_form *f, struct channel *made, struct err *e)
{
	const struct channel_kind *kind = channel_kind_find(f->kind);
	struct who who = caller_who(by, by->tenant_id);
	struct channel c = { .tenant_id = by->tenant_id };
	struct str secret;

	if (!kind)
		return err_field(e, ERR_INVALID, "kind", "A channel is of the kind slack, email, sms, push, pagerduty, webhook, cloudevents or event_grid.");
	c.kind = str_of(kind->slug);
	c.public_id = f->public_id;
	return form_to_channel(by, f, kind, &c, &secret, e) && channel_add(by->db, by->a, by->shm, by->seal, &c, secret, &who, by->now, made, e);
}

/* One try. 1, 0, -1 as the store. */
static int change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct channel_form *f, struct err *e), void *ctx,
	struct channel_form *f, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	const struct channel_kind *kind;
	struct str secret;
	struct channel c;
	int found = channel_find(by, public_id, &c, e);

	if (found != 1)
		return found;
	kind = channel_kind_find(c.kind);
	if (!kind)
		return 0;
	channel_to_form(by, &c, f);
	if (!read(ctx, f, e) || !form_to_channel(by, f, kind, &c, &secret, e))
		return -1;
	return channel_update(by->db, by->a, by->shm, by->seal, &c, secret, &who, by->now, e);
}

bool channel_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct channel_form *f, struct err *e), void *ctx,
	struct channel_form *f, struct err *e)
{
	int done, tries = 0;

	do
		done = change(by, public_id, read, ctx, f, e);
	while (changed_meanwhile(done, &tries, e));
	return done == 1 || (!done && not_found(e));
}

bool channel_remove(const struct caller *by, struct str public_id, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	int done = public_id_is(public_id, "ch") ? channel_delete(by->db, by->a, by->shm, by->tenant_id, public_id, &who, by->now, e) : 0;

	if (done != 1)
		return !done && not_found(e);
	return monitor_alert_end(by->db, by->a, by->ids, by->tenant_id, STR(CHANNEL_FAILED), public_id, by->now, e) >= 0;
}

/* ---- trying one ---- */

#define TEST_ENDS_MS (2 * MS_PER_MINUTE)	/* long enough that its begin is there before, whoever sends it */

const struct field channel_tested_fields[] = {
	FIELD_BOOL(struct channel_tested, success, "success", "The receiver took it"),
	FIELD_STR(struct channel_tested, message, "message", "What happened, a sentence"),
	FIELD_END
};

struct trial {
	const struct caller *by;
	const struct channel *channel;
	struct outbox_row *rows, *ends;	/* of what ends later, where that is needed */
	size_t n, end_n;
};

static size_t test_rows(const struct caller *by, const struct channel *c, const char *type, struct str data, ms_t next_at, struct outbox_row **out)
{
	const struct channel_kind *kind = channel_kind_find(c->kind);
	const struct outbox_row like = { .tenant_id = c->tenant_id, .kind = OUTBOX_NOTIFICATION, .target_id = c->id,
		.payload = notice_payload(by->a, type, data, by->now), .attempts_max = kind->test_attempts ? kind->test_attempts : 1,
		.next_at = next_at, .created_at = by->now };

	return channel_rows(by->a, by->ids, c, &like, by->now, out);
}

static struct str test_data(const struct caller *by, const struct channel *c)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, by->a, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "id");
	json_str(&o, arena_printf(by->a, "%llu", (unsigned long long)id_make(by->ids, by->now)));
	json_key(&o, "channel");
	json_str(&o, c->name);
	json_key(&o, "user");
	json_str(&o, by->principal.user_name);
	json_close(&o, '}');
	return strbuf_str(&b);
}

static bool trial_tx(struct db *db, void *ctx, struct err *e)
{
	const struct trial *t = ctx;
	struct who who = caller_who(t->by, t->by->tenant_id);

	return outbox_add_all(db, t->by->a, t->rows, t->n, e) && outbox_add_all(db, t->by->a, t->ends, t->end_n, e) &&
		audit_add(db, &who, "channel.test", t->channel->public_id, STR("{}"), t->by->now, e);
}

static bool is_over(const struct channel_delivery_view *v)
{
	return v->finished_at != 0;
}

struct watch {
	const struct trial *trial;
	struct channel_delivery_view *out;
};

/* Of the first of its messages that was not taken, else of the last one: is it over? */
static int look(void *ctx, struct err *e)
{
	const struct watch *w = ctx;
	const struct trial *t = w->trial;

	for (size_t i = 0; i < t->n; i++) {
		int found = channel_delivery_view_get(t->by->db, t->by->a, t->channel->id, t->rows[i].id, w->out, e);

		if (!found)
			(void)not_found(e);
		if (found != 1)
			return -1;
		if (!is_over(w->out) || !str_eqs(w->out->status, "sent"))
			return is_over(w->out);
	}
	return 1;
}

static struct str verdict(const struct caller *by, const struct channel_tested *t)
{
	if (t->success)
		return arena_printf(by->a, "It was taken: %llu after %llu ms.", (unsigned long long)t->attempt.http_status,
			(unsigned long long)t->attempt.duration_ms);
	if (is_over(&t->delivery))
		return t->delivery.error;
	return not_sent_yet(by);
}

bool channel_test(const struct caller *by, struct str public_id, struct channel_tested *out, struct err *e)
{
	struct channel_attempt_view *attempts;
	const struct channel_kind *kind;
	struct channel c;
	struct trial t = { .by = by, .channel = &c };
	struct str data;
	size_t n;
	int found = channel_find(by, public_id, &c, e);

	*out = (struct channel_tested){ 0 };
	kind = found == 1 ? channel_kind_find(c.kind) : NULL;
	if (!kind)
		return found >= 0 && not_found(e);
	data = test_data(by, &c);
	t.n = test_rows(by, &c, "channel.test", data, by->now, &t.rows);
	if (kind->pairs)
		t.end_n = test_rows(by, &c, "channel.test_ended", data, by->now + TEST_ENDS_MS, &t.ends);
	if (!db_tx(by->db, trial_tx, &t, e))
		return false;
	bell_ring(by->shm);
	if (!await_attempt(by, look, &(struct watch){ &t, &out->delivery }, e) ||
		!channel_attempt_view_list(by->db, by->a, out->delivery.id, &attempts, &n, e))
		return false;
	if (n)
		out->attempt = attempts[n - 1];
	out->success = str_eqs(out->delivery.status, "sent");
	out->message = verdict(by, out);
	return true;
}
