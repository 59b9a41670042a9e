/* outbox.c - what is to be sent: does somebody send it, and does it arrive? */
#include "doctor_int.h"

#include <inttypes.h>

#include "grapnel/fetch.h"
#include "grapnel/outbound.h"

#define WAITING_MS (30 * MS_PER_SECOND)	/* a dispatcher looks twice a second; a full receiver holds its own rows up */
#define CRON_MS (5 * MS_PER_MINUTE)
#define SOURCES_MAX 20
#define GREETING_MS 5000

static ms_t overdue(const struct doctor *d, const struct outbox_queue *x)
{
	return x->next_at && x->next_at < d->c->now ? d->c->now - x->next_at : 0;
}

static const char *minutes(struct doctor *d, ms_t ms)
{
	return ms < 2 * MS_PER_MINUTE ? how(d, "%lld seconds", (long long)(ms / MS_PER_SECOND)) : how(d, "%lld minutes", (long long)(ms / MS_PER_MINUTE));
}

/* Messages, and forwards of events: the dispatcher sends both. */
static void look_waiting(struct doctor *d, const struct outbox_queue *x)
{
	bool dispatcher = d->conf.outbound.dispatcher;

	if (overdue(d, x) <= (dispatcher ? WAITING_MS : CRON_MS))
		return;
	say(d, DOCTOR_FAIL, dispatcher ? "systemctl restart grapnel, if no process \"dispatcher\" runs; else its log says what keeps it" :
			"grapnel-cron -v outbox says what it does; [outbound] dispatcher is off, so cron sends everything",
		"%" PRIu64 " messages wait, the first for %s: nobody sends them", x->n, minutes(d, overdue(d, x)));
}

static void look_forwards(struct doctor *d, struct err *e)
{
	struct forward_source *s;
	size_t n, stuck = 0;
	ms_t oldest = d->c->now;

	if (!forward_sources_due(d->db, d->a, d->c->now - CRON_MS, SOURCES_MAX, &s, &n, e))
		return;
	for (size_t i = 0; i < n; i++)
		if (!s[i].opened_at) {
			stuck++;
			oldest = s[i].next_at < oldest ? s[i].next_at : oldest;
		}
	if (stuck)
		say(d, DOCTOR_FAIL, "grapnel-cron -v retries says what it does; and is there a process \"dispatcher\"?",
			"events of %zu sources wait for their handlers, the first for %s: nobody sends them", stuck, minutes(d, d->c->now - oldest));
}

static void look_outbox(struct doctor *d)
{
	struct outbox_queue waiting, retrying;
	size_t before = said(d);
	struct err e = { 0 };

	if (!outbox_queue_get(d->db, d->a, OUTBOX_WAITING, &waiting, &e) || !outbox_queue_get(d->db, d->a, OUTBOX_FAILED, &retrying, &e)) {
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
		return;
	}
	look_waiting(d, &waiting);
	if (overdue(d, &retrying) > CRON_MS)
		say(d, DOCTOR_FAIL, "grapnel-cron -v outbox says what it does", "%" PRIu64 " messages are to be tried again, the first was due %s ago",
			retrying.n, minutes(d, overdue(d, &retrying)));
	look_forwards(d, &e);
	if (e.code)
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
	else if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%" PRIu64 " messages wait, %" PRIu64 " are tried again later", waiting.n, retrying.n);
}

const struct doctor_check check_outbox = {
	"outbox", "messages and events that are to be sent do not lie about", HAS_SCHEMA | HAS_CONF, 0, look_outbox
};

static void look_channels(struct doctor *d)
{
	struct channel_counts x;
	struct err e = { 0 };
	size_t before = said(d);

	if (!channel_count(d->db, d->a, &x, &e)) {
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
		return;
	}
	if (x.switched_off)
		say(d, DOCTOR_WARN, "the dashboard's page of the channel says why; mend it and switch it on, or delete it",
			"%" PRIu64 " of %" PRIu64 " channels were switched off since their receiver said that it is gone", x.switched_off, x.n);
	if (x.failing)
		say(d, DOCTOR_WARN, "its page in the dashboard shows what was answered, and has a test button",
			"%" PRIu64 " of %" PRIu64 " channels fail, as %.*s: %.*s", x.failing, x.n, STR_ARG(str_cut(x.name, 60)), STR_ARG(x.error));
	if (!x.enabled)
		say(d, DOCTOR_WARN, "make a channel in the dashboard, Channels", "there is no channel: nobody is told when something is wrong");
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%" PRIu64 " of %" PRIu64 " are switched on, none fails", x.enabled, x.n);
}

const struct doctor_check check_channels = {
	"channels", "somebody is told when something is wrong", HAS_SCHEMA, 0, look_channels
};

/* ---- endpoints ---- */

static void look_endpoints(struct doctor *d)
{
	struct endpoint_counts x;
	struct err e = { 0 };
	size_t before = said(d);

	if (!endpoint_count(d->db, d->a, &x, &e)) {
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
		return;
	}
	if (x.switched_off)
		say(d, DOCTOR_WARN, "whose it is finds the reason on its page in the dashboard, mends the receiver and switches it on, or deletes it",
			"%" PRIu64 " of %" PRIu64 " endpoints were switched off since their receivers took nothing for five days, or said that they are gone", x.switched_off, x.n);
	if (x.open)
		say(d, DOCTOR_WARN, "its page in the dashboard shows what was answered, and has a test button",
			"%" PRIu64 " of %" PRIu64 " endpoints are left alone, their circuit is open, as %.*s", x.open, x.n, STR_ARG(x.first));
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%" PRIu64 " of %" PRIu64 " are switched on, none is left alone", x.enabled, x.n);
}

const struct doctor_check check_endpoints = {
	"endpoints", "programs of users take what they are told", HAS_SCHEMA, 0, look_endpoints
};

/* ---- what channels and people's contacts have of the configuration ---- */

/* How a message to somebody would leave; false: why not. */
static bool sample_request(struct doctor *d, const char *kind, struct str to, const struct channel_house *house, struct channel_request *out, struct err *e)
{
	const struct channel_kind *k = channel_kind_find(str_of(kind));
	const struct channel_call call = { .house = house, .settings.part[PART_TO] = to, .id = STR("1"), .name = STR("doctor"), .now = d->c->now, .attempt = 1 };
	const struct message nothing = { .type = STR("channel.test"), .thread = STR("test"), .title = STR("Test"), .path = STR("/"), .at = d->c->now };

	if (!k->check(&call.settings, house, e))
		return false;
	*out = (struct channel_request){ .url = STR_NONE };
	k->request(d->a, &call, &nothing, out);
	return true;
}

static bool greet(struct doctor *d, const struct channel_request *rq, struct err *e)
{
	struct fetch *fetch = fetch_new(&(struct fetch_config){ .program = d->c->program });
	bool ok = fetch_greet(fetch, d->a, &(struct fetch_greeting){ rq->url, rq->user, rq->password, rq->plain, GREETING_MS }, e);

	fetch_free(fetch);
	return ok;
}

static void look_mail_server(struct doctor *d)
{
	struct channel_house house = courier_house(&d->conf);
	struct channel_request rq;
	struct house_uses uses;
	struct err e = { 0 };

	if (!channel_house_uses(d->db, d->a, &uses, &e))
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
	else if (!uses.mail)
		say(d, DOCTOR_OK, NULL, "no channel and nobody's address needs it");
	else if (!sample_request(d, "email", STR("somebody@example.org"), &house, &rq, &e) || !greet(d, &rq, &e))
		say(d, DOCTOR_FAIL, "[mail] server, user and password must be those of a mail server that takes mail from this host",
			"%s: %s; %" PRIu64 " channels and addresses of people are told nothing", d->conf.mail.server, e.text, uses.mail);
	else
		say(d, DOCTOR_OK, NULL, "%s answers; %" PRIu64 " channels and addresses of people need it", d->conf.mail.server, uses.mail);
}

const struct doctor_check check_mail_server = {
	"mail-server", "the mail server of the configuration answers, if it is needed", HAS_SCHEMA | HAS_CONF, 0, look_mail_server
};

static void look_sms_account(struct doctor *d)
{
	struct channel_house house = courier_house(&d->conf);
	bool any = house.sms_account.n || house.sms_user.n || house.sms_token.n || house.sms_from.n;
	struct channel_request rq;
	struct house_uses uses;
	struct err e = { 0 };

	if (!channel_house_uses(d->db, d->a, &uses, &e))
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
	else if (!any && !uses.sms)
		say(d, DOCTOR_OK, NULL, "there is none, and nobody needs one");
	else if (!sample_request(d, "sms", STR("+4930123456"), &house, &rq, &e))
		say(d, uses.sms ? DOCTOR_FAIL : DOCTOR_WARN, "[sms] needs account, token and from; or delete what is there", "%s (%" PRIu64 " channels and numbers of people need it)",
			e.text, uses.sms);
	else if (!house.sms_token.n)
		say(d, uses.sms ? DOCTOR_FAIL : DOCTOR_WARN, "set [sms] token", "the account of [sms] has no token: nothing is sent for %" PRIu64 " channels and numbers of people",
			uses.sms);
	else
		say(d, DOCTOR_OK, NULL, "%" PRIu64 " channels and numbers of people need it", uses.sms);
}

const struct doctor_check check_sms_account = {
	"sms-account", "the account for text messages of the configuration is whole, if it is needed", HAS_SCHEMA | HAS_CONF, 0, look_sms_account
};
