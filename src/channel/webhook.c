/* webhook.c - any program: a signed POST as Standard Webhooks 1.0 has it, {"type","timestamp","data"}.
 *
 * All failures but 410 are tried again, as good senders do: the receiver may be a server that is being set up. */
#include "channel_int.h"

#include "grapnel/fetch.h"

#define SECRET_MAX 255

static void request(struct arena *a, const struct channel_call *c, const struct message *m, struct channel_request *out)
{
	const struct channel_settings *s = &c->settings;
	struct header signatures[SIGN_HEADERS];
	struct strbuf b;
	struct json_out o;
	size_t n;

	strbuf_init(&b, a, m->data.n + 1024);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "type");
	json_str(&o, m->type);
	json_key(&o, "timestamp");
	json_time(&o, m->at);
	json_key(&o, "data");
	json_raw(&o, m->data);
	json_close(&o, '}');
	channel_json(out, s->part[PART_URL], strbuf_str(&b));
	n = sign_headers(a, s->part[PART_SECRET], STR_NONE, c->id, m->type, out->body, c->now, signatures);
	for (size_t i = 0; i < n; i++)
		out->headers[out->header_n++] = signatures[i];
}

static bool check(const struct channel_settings *s, const struct channel_house *h, struct err *e)
{
	if (s->part[PART_SECRET].n > SECRET_MAX)
		return err_field(e, ERR_INVALID, "secret", "The secret has more than %d bytes.", SECRET_MAX);
	return channel_check_url(s->part[PART_URL], e);
}

static enum reception judge(struct arena *a, const struct channel_call *c, unsigned status, struct str body)
{
	enum reception v = channel_judge_http(a, c, status, body);

	return v == RECEPTION_REFUSED ? RECEPTION_AGAIN : v;
}

const struct channel_kind channel_webhook = {
	.slug = "webhook", .title = "Signed webhook",
	.help = "A POST of JSON to a program of yours, signed as Standard Webhooks and with X-Webhook-Signature.",
	.takes = PART(URL) | PART(SECRET), .needs = PART(URL) | PART(SECRET), .secret = PART_SECRET, .makes_secret = true, .sink = true,
	.texts = {
		[PART_URL] = { "URL", "Answers 2xx within ten seconds. Redirects are not followed.", "https://app.example.org/hooks/grapnel" },
		[PART_SECRET] = { "Signing secret", "Up to 255 bytes. One that begins with whsec_ is base64 behind it, as Standard Webhooks libraries expect. "
			"Empty: one is made and shown once.", "" },
	},
	.check = check, .request = request, .judge = judge,
};
