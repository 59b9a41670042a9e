/* outbox.c - what is to be sent: does somebody send it, and does it arrive? */
#include "doctor_int.h"

#include <inttypes.h>

#define WAITING_MS (30 * MS_PER_SECOND)	/* a dispatcher looks twice a second; a full receiver holds its own rows up */
#define CRON_MS (5 * MS_PER_MINUTE)
#define SOURCES_MAX 20

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
