/* slack.c - an incoming webhook of Slack: blocks with a coloured bar, and a plain text for notifications.
 *
 * By docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and the error table there (looked up 2026-06-02): success is 200 with the
 * text "ok" and nothing else; all 4xx but 429 are permanent. Its URL is the credential: whoever has it can post. Limits: header 150
 * characters, section 3000, field 2000; '&', '<' and '>' are written as entities, nothing else is. */
#include "channel_int.h"

#define BODY_MAX (64 * 1024)
#define HEADER_MAX 150		/* characters; bytes are at least as many */
#define SECTION_MAX 3000
#define FIELD_MAX 2000
#define HOST "https://hooks.slack.com/"

static const char *const colours[] = {
	[LEVEL_INFO] = "#4a7ebb", [LEVEL_LOW] = "#4a7ebb", [LEVEL_MEDIUM] = "#e0a100", [LEVEL_HIGH] = "#d9570b", [LEVEL_CRITICAL] = "#c4161c",
};
#define COLOUR_TAKEN "#7a5cc4"
#define COLOUR_ENDED "#2f8f4e"

static const char *colour(const struct message *m)
{
	return m->phase == MESSAGE_ENDS ? COLOUR_ENDED : m->phase == MESSAGE_TAKEN ? COLOUR_TAKEN : colours[m->level];
}

/* At most `max` bytes with its entities, which stay whole, as do characters. */
static struct str escaped(struct arena *a, struct str s, size_t max)
{
	struct strbuf b;

	strbuf_init(&b, a, max);
	for (size_t i = 0; i < s.n; i++) {
		bool begins = ((unsigned char)s.p[i] & 0xc0) != 0x80;

		if (begins && b.n + strlen("&amp;") > max)
			break;
		if (s.p[i] == '&')
			strbuf_adds(&b, "&amp;");
		else if (s.p[i] == '<')
			strbuf_adds(&b, "&lt;");
		else if (s.p[i] == '>')
			strbuf_adds(&b, "&gt;");
		else
			strbuf_addc(&b, s.p[i]);
	}
	return strbuf_str(&b);
}

static void text(struct json_out *o, const char *key, const char *type, struct str s)
{
	if (key)
		json_key(o, key);
	json_open(o, '{');
	json_key(o, "type");
	json_strz(o, type);
	json_key(o, "text");
	json_str(o, s);
	json_close(o, '}');
}

static void block(struct json_out *o, const char *type)
{
	json_open(o, '{');
	json_key(o, "type");
	json_strz(o, type);
}

static void fields(struct json_out *o, struct arena *a, const struct message *m)
{
	if (!m->fact_n)
		return;
	block(o, "section");
	json_key(o, "fields");
	json_open(o, '[');
	for (size_t i = 0; i < m->fact_n; i++) {
		struct str value = escaped(a, m->facts[i].value, FIELD_MAX - 100);

		text(o, NULL, "mrkdwn", arena_printf(a, "*%.*s*\n%.*s", STR_ARG(m->facts[i].name), STR_ARG(value)));
	}
	json_close(o, ']');
	json_close(o, '}');
}

static void blocks(struct json_out *o, struct arena *a, const struct channel_call *c, const struct message *m)
{
	struct str link = channel_link(a, c, m);

	json_key(o, "blocks");
	json_open(o, '[');
	block(o, "header");
	text(o, "text", "plain_text", escaped(a, message_headline(a, m), HEADER_MAX));
	json_close(o, '}');
	if (m->text.n) {
		block(o, "section");
		text(o, "text", "mrkdwn", escaped(a, m->text, SECTION_MAX));
		json_close(o, '}');
	}
	fields(o, a, m);
	block(o, "context");
	json_key(o, "elements");
	json_open(o, '[');
	text(o, NULL, "mrkdwn", arena_printf(a, "<%.*s|Open in Grapnel>", STR_ARG(escaped(a, link, SECTION_MAX))));
	json_close(o, ']');
	json_close(o, '}');
	json_close(o, ']');
}

static void request(struct arena *a, const struct channel_call *c, const struct message *m, struct channel_request *out)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, BODY_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "text");
	json_str(&o, arena_printf(a, "[%s] %.*s", level_word(m->level), STR_ARG(escaped(a, message_headline(a, m), SECTION_MAX))));
	json_key(&o, "attachments");
	json_open(&o, '[');
	json_open(&o, '{');
	json_key(&o, "color");
	json_strz(&o, colour(m));
	blocks(&o, a, c, m);
	json_close(&o, '}');
	json_close(&o, ']');
	json_key(&o, "unfurl_links");
	json_bool(&o, false);
	json_close(&o, '}');
	channel_json(out, c->settings.part[PART_URL], strbuf_str(&b));
}

static bool check(const struct channel_settings *s, const struct channel_house *h, struct err *e)
{
	return channel_check_url(s->part[PART_URL], e);
}

/* An archived channel, a deleted hook or a workspace that is gone stays so. */
static enum reception judge(struct arena *a, const struct channel_call *c, unsigned status, struct str body)
{
	static const char *const gone[] = { "no_service", "no_service_id", "no_team", "team_disabled", "channel_not_found", "channel_is_archived" };

	if (status == 200)
		return str_eqs(str_trim(body), "ok") ? RECEPTION_TAKEN : RECEPTION_REFUSED;
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		if (status < 500 && str_eqs(str_trim(body), gone[i]))
			return RECEPTION_GONE;
	return channel_judge_http(a, c, status, body);
}

const struct channel_kind channel_slack = {
	.slug = "slack", .title = "Slack",
	.help = "An incoming webhook of a Slack app posts into the channel that was chosen there.",
	.takes = PART(URL), .needs = PART(URL), .secret = PART_URL, .people = true,
	.texts = {
		[PART_URL] = { "Webhook URL", "Slack shows it under Features, Incoming Webhooks. Whoever knows it can post: it is kept as a secret.",
			HOST "services/T000/B000/XXXX" },
	},
	.check = check, .request = request, .judge = judge,
};
