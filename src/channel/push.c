/* push.c - push messages by ntfy (ntfy.sh, or a server of one's own): JSON, since headers would have to be ASCII.
 *
 * By docs.ntfy.sh/publish, "Publish as JSON" (looked up 2026-11-22): it is posted to the server and not to the topic, whose name is a member.
 * A title and a message of at most 4096 bytes, else it becomes an attachment; priority 1 to 5; the tags that name an emoji are shown
 * as one before the title. Errors are {"code","http","error"}; 429 is its limit of requests. */
#include "channel_int.h"

#define BODY_MAX (64 * 1024)
#define TITLE_MAX 250		/* what phones show of it is less */
#define MESSAGE_MAX 4000
#define TOPIC_MAX 64

struct look {
	unsigned priority;
	const char *emoji;
};
static const struct look taken = { 2, "eyes" }, ended = { 2, "white_check_mark" }, levels[] = {
	[LEVEL_INFO] = { 2, "information_source" }, [LEVEL_LOW] = { 2, "information_source" }, [LEVEL_MEDIUM] = { 3, "warning" },
	[LEVEL_HIGH] = { 4, "warning" }, [LEVEL_CRITICAL] = { 5, "rotating_light" },
};

static const struct look *look_of(const struct message *m)
{
	return m->phase == MESSAGE_ENDS ? &ended : m->phase == MESSAGE_TAKEN ? &taken : &levels[m->level];
}

/* "https://ntfy.sh/ops" is the topic ops of https://ntfy.sh/. */
static struct str topic_of(struct str url)
{
	for (size_t i = url.n; i; i--)
		if (url.p[i - 1] == '/')
			return str_sub(url, i);
	return url;
}

static struct str server_of(struct str url)
{
	url.n -= topic_of(url).n;
	return url;
}

static struct str text_of(struct arena *a, const struct message *m)
{
	struct strbuf b;

	strbuf_init(&b, a, m->text.n + BODY_MAX);
	strbuf_addstr(&b, m->text);
	for (size_t i = 0; i < m->fact_n; i++)
		strbuf_addf(&b, "%s%.*s: %.*s", b.n ? "\n" : "", STR_ARG(m->facts[i].name), STR_ARG(str_cut(m->facts[i].value, MESSAGE_MAX)));
	return str_cut(b.n ? strbuf_str(&b) : m->title, MESSAGE_MAX);
}

static void request(struct arena *a, const struct channel_call *c, const struct message *m, struct channel_request *out)
{
	struct str url = c->settings.part[PART_URL];
	const struct look *look = look_of(m);
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, BODY_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	channel_member(&o, "topic", topic_of(url));
	channel_member(&o, "title", str_cut(message_headline(a, m), TITLE_MAX));
	channel_member(&o, "message", text_of(a, m));
	json_key(&o, "priority");
	json_u64(&o, look->priority);
	json_key(&o, "tags");
	json_open(&o, '[');
	json_strz(&o, look->emoji);
	json_strz(&o, level_word(m->level));
	json_close(&o, ']');
	channel_member(&o, "click", channel_link(a, c, m));
	json_close(&o, '}');
	channel_json(out, server_of(url), strbuf_str(&b));
	channel_bearer(a, out, c->settings.part[PART_TOKEN]);
}

static bool is_topic(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", s.p[i]))
			return false;
	return s.n && s.n <= TOPIC_MAX;
}

static bool check(const struct channel_settings *s, const struct channel_house *h, struct err *e)
{
	struct str url = s->part[PART_URL], server = server_of(url);

	if (!channel_check_url(url, e))
		return false;
	if (!is_topic(topic_of(url)) || str_eqs(server, "https://") || str_eqs(server, "http://"))
		return err_field(e, ERR_INVALID, "url", "The URL ends with the topic: up to %d letters, digits, _ and -.", TOPIC_MAX);
	return channel_check_word(s->part[PART_TOKEN], PART_TOKEN, e);
}

const struct channel_kind channel_push = {
	.slug = "push", .title = "Push",
	.help = "A push message to phones and desktops by ntfy, of ntfy.sh or of a server of your own.",
	.takes = PART(URL) | PART(TOKEN), .needs = PART(URL), .secret = PART_TOKEN, .people = true,
	.texts = {
		[PART_URL] = { "Topic's URL", "As it is subscribed to in the app. Without an access token whoever knows the topic can read it, so choose one that cannot be guessed.",
			"https://ntfy.sh/grapnel-Xq7vT2" },
		[PART_TOKEN] = { "Access token", "Where the server protects the topic: tk_...", "" },
	},
	.check = check, .request = request, .judge = channel_judge_http,
};
