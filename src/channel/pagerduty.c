/* pagerduty.c - PagerDuty Events API v2: what begins triggers an alert, who takes care acknowledges it, what ends resolves it, all
 * by the same dedup key.
 *
 * By developer.pagerduty.com/docs/send-alert-event (looked up 2026-06-02): 202 is success; 400 is an invalid event, for ever; 429 and 5xx are to be
 * tried again after some time. Summary at most 1024 characters, dedup key 255, the whole 512 KB. The routing key is the credential. */
#include "channel_int.h"

#define ENQUEUE "https://events.pagerduty.com/v2/enqueue"
#define BODY_MAX (512 * 1024)
#define SUMMARY_MAX_BYTES 1024
#define KEY_LENGTH 32

static const char *const severities[] = {
	[LEVEL_INFO] = "info", [LEVEL_LOW] = "info", [LEVEL_MEDIUM] = "warning", [LEVEL_HIGH] = "error", [LEVEL_CRITICAL] = "critical",
};

static const char *const actions[] = {
	[MESSAGE_BEGINS] = "trigger", [MESSAGE_GOES_ON] = "trigger", [MESSAGE_TAKEN] = "acknowledge", [MESSAGE_ENDS] = "resolve",
};

/* The host part of the public URL: which of several installations speaks. */
static struct str source(const struct channel_call *c)
{
	struct str rest = c->house->public_url;

	(void)str_until(&rest, '/');
	(void)str_until(&rest, '/');
	return str_until(&rest, '/');
}

static void payload(struct json_out *o, const struct channel_call *c, const struct message *m)
{
	json_key(o, "payload");
	json_open(o, '{');
	channel_member(o, "summary", str_cut(m->title, SUMMARY_MAX_BYTES));
	channel_member(o, "source", source(c));
	json_key(o, "severity");
	json_strz(o, severities[m->level]);
	json_key(o, "timestamp");
	json_time(o, m->at);
	channel_member(o, "class", m->type);
	json_key(o, "custom_details");
	json_open(o, '{');
	if (m->text.n)
		channel_member(o, "text", m->text);
	for (size_t i = 0; i < m->fact_n; i++) {
		json_keyn(o, m->facts[i].name);
		json_str(o, m->facts[i].value);
	}
	json_close(o, '}');
	json_close(o, '}');
}

static void request(struct arena *a, const struct channel_call *c, const struct message *m, struct channel_request *out)
{
	const struct channel_settings *s = &c->settings;
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, BODY_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	channel_member(&o, "routing_key", s->part[PART_ROUTING_KEY]);
	json_key(&o, "event_action");
	json_strz(&o, actions[m->phase]);
	channel_member(&o, "dedup_key", arena_printf(a, "grapnel:%.*s", STR_ARG(m->thread)));
	if (m->phase == MESSAGE_BEGINS || m->phase == MESSAGE_GOES_ON) {
		json_key(&o, "client");
		json_strz(&o, "Grapnel");
		channel_member(&o, "client_url", channel_link(a, c, m));
		payload(&o, c, m);
	}
	json_close(&o, '}');
	channel_json(out, s->part[PART_URL].n ? s->part[PART_URL] : STR(ENQUEUE), strbuf_str(&b));
}

static bool check(const struct channel_settings *s, const struct channel_house *h, struct err *e)
{
	struct str key = s->part[PART_ROUTING_KEY];

	for (size_t i = 0; i < key.n; i++)
		if (!strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", key.p[i]) || !key.p[i])
			key.n = 0;
	if (key.n != KEY_LENGTH)
		return err_field(e, ERR_INVALID, "routingKey", "A routing key has %d letters and digits.", KEY_LENGTH);
	return !s->part[PART_URL].n || channel_check_url(s->part[PART_URL], e);
}

const struct channel_kind channel_pagerduty = {
	.slug = "pagerduty", .title = "PagerDuty",
	.help = "Events API v2: an alert is triggered, acknowledged when somebody takes care, and resolved when the trouble is over.",
	.takes = PART(ROUTING_KEY) | PART(URL), .needs = PART(ROUTING_KEY), .secret = PART_ROUTING_KEY, .pairs = true,
	.texts = {
		[PART_ROUTING_KEY] = { "Routing key", "The integration key of an Events API v2 integration of your PagerDuty service: 32 letters and digits.", "" },
		[PART_URL] = { "Another address", "Empty: " ENQUEUE ". In the EU region: https://events.eu.pagerduty.com/v2/enqueue.", "" },
	},
	.check = check, .request = request, .judge = channel_judge_http,
};
