/* event_grid.c - a custom topic of Azure Event Grid, in Event Grid's own schema or in that of CloudEvents, as the topic was made.
 *
 * By learn.microsoft.com/azure/event-grid/post-to-custom-topic (looked up 2026-11-22): 200 is success; 400 is a wrong schema, 401 a wrong key, 404 a wrong
 * endpoint, 413 more than 1 MB: all for ever. In its own schema an array of events, without `topic` and `metadataVersion`. A topic has two keys, so
 * that one can be made anew while the other is in use: with both given, what one does not open the next attempt tries with the other. */
#include "channel_int.h"

#define HEAD_MAX 8192
#define API_VERSION "api-version=2018-01-01"
#define KEY_MAX 200
#define KEY_ATTEMPTS 4		/* twice with each key: then neither is one */

enum { EVENTGRID, CLOUDEVENTS };
static const struct channel_format formats[] = {
	[EVENTGRID] = { "eventgrid", "Event Grid schema" },
	[CLOUDEVENTS] = { "cloudevents", "CloudEvents schema 1.0" },
	{ NULL }
};

/* ---- keys ---- */

static struct str second_key(struct str keys)
{
	(void)str_until(&keys, ' ');
	return str_trim(keys);
}

static struct str key_of(const struct channel_call *c)
{
	struct str keys = c->settings.part[PART_KEY], second = second_key(keys);

	return second.n && c->attempt % 2 == 0 ? second : str_until(&keys, ' ');
}

/* ---- what is sent ---- */

static struct str events_json(struct arena *a, const struct channel_call *c, const struct message *m)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, m->data.n + HEAD_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	json_open(&o, '{');
	channel_member(&o, "id", c->id);
	channel_member(&o, "eventType", m->type);
	channel_member(&o, "subject", channel_subject(m));
	json_key(&o, "eventTime");
	json_time(&o, m->at);
	json_key(&o, "data");
	json_raw(&o, m->data);
	channel_member(&o, "dataVersion", STR("1.0"));
	json_close(&o, '}');
	json_close(&o, ']');
	return strbuf_str(&b);
}

static struct str endpoint(struct arena *a, struct str url)
{
	if (str_has(url, "api-version="))
		return url;
	return arena_printf(a, "%.*s%c" API_VERSION, STR_ARG(url), str_find(url, '?') < 0 ? '?' : '&');
}

static void request(struct arena *a, const struct channel_call *c, const struct message *m, struct channel_request *out)
{
	const struct channel_settings *s = &c->settings;
	bool cloud = str_eqs(s->part[PART_FORMAT], formats[CLOUDEVENTS].word);

	out->url = endpoint(a, s->part[PART_URL]);
	out->body = cloud ? cloudevents_json(a, c, m) : events_json(a, c, m);
	channel_header(out, "Content-Type", cloud ? STR(CLOUDEVENTS_TYPE) : STR("application/json"));
	channel_header(out, "aeg-sas-key", key_of(c));
}

/* ---- what is accepted, and what is answered ---- */

static bool check_keys(struct str keys, struct err *e)
{
	struct str second = second_key(keys), first = str_until(&keys, ' ');

	if (first.n > KEY_MAX || second.n > KEY_MAX)
		return err_field(e, ERR_INVALID, "key", "A key has at most %d characters.", KEY_MAX);
	return channel_check_word(first, PART_KEY, e) && channel_check_word(second, PART_KEY, e);
}

static bool check(const struct channel_settings *s, const struct channel_house *h, struct err *e)
{
	return channel_check_url(s->part[PART_URL], e) && check_keys(s->part[PART_KEY], e) && channel_check_format(&channel_event_grid, s, e);
}

static enum reception judge(struct arena *a, const struct channel_call *c, unsigned status, struct str body)
{
	if (status == 401 && second_key(c->settings.part[PART_KEY]).n && c->attempt < KEY_ATTEMPTS)
		return RECEPTION_AGAIN;
	return channel_judge_http(a, c, status, body);
}

const struct channel_kind channel_event_grid = {
	.slug = "event_grid", .title = "Azure Event Grid",
	.help = "A custom topic of Azure Event Grid, by its access keys.",
	.takes = PART(URL) | PART(KEY) | PART(FORMAT), .needs = PART(URL) | PART(KEY), .secret = PART_KEY, .sink = true,
	.test_attempts = 2,		/* one with each key */
	.texts = {
		[PART_URL] = { "Topic endpoint", "As the Azure portal shows it on the topic's overview.", "https://TOPIC.westeurope-1.eventgrid.azure.net/api/events" },
		[PART_KEY] = { "Access key", "One, or both with a blank between: where the first is refused, the second is tried.", "" },
		[PART_FORMAT] = { "Schema", "The input schema that the topic was made with.", "" },
	},
	.formats = formats,
	.check = check, .request = request, .judge = judge,
};
