/* cloudevents.c - CloudEvents 1.0 over HTTP, to any sink: the whole event in the body (structured), or its attributes in headers (binary).
 *
 * By the specification and its HTTP binding, github.com/cloudevents/spec, 1.0.2 (looked up 2026-11-22): any 2xx is success; in headers, what is not
 * printable ASCII, blanks, '"' and '%' are percent-encoded. `id` with `source` names the event, the same at each attempt. */
#include "channel_int.h"

#define HEAD_MAX 8192		/* without data */

enum { STRUCTURED, BINARY };
static const struct channel_format formats[] = {
	[STRUCTURED] = { "structured", "structured: all of it in the body" },
	[BINARY] = { "binary", "binary: attributes in headers, data in the body" },
	{ NULL }
};

struct str channel_subject(const struct message *m)
{
	return m->subject.n ? m->subject : m->path;
}

struct str cloudevents_json(struct arena *a, const struct channel_call *c, const struct message *m)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, m->data.n + HEAD_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	channel_member(&o, "specversion", STR("1.0"));
	channel_member(&o, "id", c->id);
	channel_member(&o, "source", c->house->public_url);
	channel_member(&o, "type", m->type);
	channel_member(&o, "subject", channel_subject(m));
	json_key(&o, "time");
	json_time(&o, m->at);
	channel_member(&o, "datacontenttype", STR("application/json"));
	json_key(&o, "data");
	json_raw(&o, m->data);
	json_close(&o, '}');
	return strbuf_str(&b);
}

static struct str escaped(struct arena *a, struct str s)
{
	struct strbuf b;

	strbuf_init(&b, a, 3 * s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char x = (unsigned char)s.p[i];

		if (x <= ' ' || x >= 0x7f || x == '"' || x == '%')
			strbuf_addf(&b, "%%%02X", x);
		else
			strbuf_addc(&b, s.p[i]);
	}
	return strbuf_str(&b);
}

static void headers(struct arena *a, const struct channel_call *c, const struct message *m, struct channel_request *out)
{
	char time[TIME_TEXT];

	channel_header(out, "ce-specversion", STR("1.0"));
	channel_header(out, "ce-id", escaped(a, c->id));
	channel_header(out, "ce-source", escaped(a, c->house->public_url));
	channel_header(out, "ce-type", escaped(a, m->type));
	channel_header(out, "ce-subject", escaped(a, channel_subject(m)));
	channel_header(out, "ce-time", arena_str(a, str_of(time_format(m->at, time))));
}

static void request(struct arena *a, const struct channel_call *c, const struct message *m, struct channel_request *out)
{
	const struct channel_settings *s = &c->settings;

	if (str_eqs(s->part[PART_FORMAT], formats[BINARY].word)) {
		channel_json(out, s->part[PART_URL], m->data);
		headers(a, c, m, out);
	} else {
		out->url = s->part[PART_URL];
		out->body = cloudevents_json(a, c, m);
		channel_header(out, "Content-Type", STR(CLOUDEVENTS_TYPE));
	}
	channel_bearer(a, out, s->part[PART_TOKEN]);
}

static bool check(const struct channel_settings *s, const struct channel_house *h, struct err *e)
{
	return channel_check_url(s->part[PART_URL], e) && channel_check_word(s->part[PART_TOKEN], PART_TOKEN, e) &&
		channel_check_format(&channel_cloudevents, s, e);
}

const struct channel_kind channel_cloudevents = {
	.slug = "cloudevents", .title = "CloudEvents",
	.help = "CloudEvents 1.0 over HTTP, for event brokers and functions: Knative, Google Eventarc, Dapr and their like.",
	.takes = PART(URL) | PART(TOKEN) | PART(FORMAT), .needs = PART(URL), .secret = PART_TOKEN, .sink = true,
	.texts = {
		[PART_URL] = { "URL", "Where events are posted to. Redirects are not followed.", "https://broker.example.org/default" },
		[PART_TOKEN] = { "Token", "Sent as Authorization: Bearer, where the sink wants one.", "" },
		[PART_FORMAT] = { "Format", "What the sink takes; most take both.", "" },
	},
	.formats = formats,
	.check = check, .request = request, .judge = channel_judge_http,
};
