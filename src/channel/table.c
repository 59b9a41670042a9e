/* table.c - all kinds of channels, and what they share. How to add one: a file whose foot is a const struct channel_kind, and a line in channel_kinds. */
#include "channel_int.h"

#define SETTINGS_MAX (32 * 1024)

const struct channel_kind *const channel_kinds[] = {
	&channel_slack,
	&channel_email,
	&channel_sms,
	&channel_push,
	&channel_pagerduty,
	&channel_webhook,
	&channel_cloudevents,
	&channel_event_grid,
	NULL
};

const char *const channel_part_names[PART_COUNT] = {
	[PART_URL] = "url",
	[PART_TO] = "to",
	[PART_FROM] = "from",
	[PART_ACCOUNT] = "account",
	[PART_USER] = "user",
	[PART_PASSWORD] = "password",
	[PART_TOKEN] = "token",
	[PART_ROUTING_KEY] = "routingKey",
	[PART_KEY] = "key",
	[PART_SECRET] = "secret",
	[PART_FORMAT] = "format",
};

const struct channel_kind *channel_kind_find(struct str slug)
{
	for (size_t i = 0; channel_kinds[i]; i++)
		if (str_eqs(slug, channel_kinds[i]->slug))
			return channel_kinds[i];
	return NULL;
}

/* ---- settings ---- */

struct str channel_settings_write(struct arena *a, const struct channel_settings *s, enum channel_part secret)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, SETTINGS_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	for (unsigned p = 0; p < PART_COUNT; p++)
		if (p != secret && s->part[p].n) {
			json_key(&o, channel_part_names[p]);
			json_str(&o, s->part[p]);
		}
	json_close(&o, '}');
	return strbuf_str(&b);
}

void channel_settings_read(struct arena *a, struct str json, struct channel_settings *out)
{
	struct err ignored = { 0 };
	const struct json *j;

	*out = (struct channel_settings){ 0 };
	if (!json_parse(a, json, &j, &ignored))
		return;
	for (unsigned p = 0; p < PART_COUNT; p++)
		out->part[p] = json_text(json_get(j, channel_part_names[p]));
}

/* ---- requests ---- */

struct str channel_link(struct arena *a, const struct channel_call *c, const struct message *m)
{
	return arena_printf(a, "%.*s%.*s", STR_ARG(c->house->public_url), STR_ARG(m->path));
}

void channel_links_add(struct strbuf *b, const struct message *m)
{
	for (size_t i = 0; i < m->link_n; i++)
		strbuf_addf(b, "%s: %.*s\n", m->links[i].label, STR_ARG(m->links[i].url));
}

void channel_member(struct json_out *o, const char *name, struct str value)
{
	json_key(o, name);
	json_str(o, value);
}

void channel_header(struct channel_request *rq, const char *name, struct str value)
{
	rq->headers[rq->header_n++] = (struct header){ str_of(name), value };
}

void channel_json(struct channel_request *rq, struct str url, struct str body)
{
	rq->url = url;
	rq->body = body;
	channel_header(rq, "Content-Type", STR("application/json"));
}

void channel_bearer(struct arena *a, struct channel_request *rq, struct str token)
{
	if (token.n)
		channel_header(rq, "Authorization", arena_printf(a, "Bearer %.*s", STR_ARG(token)));
}

void channel_basic(struct arena *a, struct channel_request *rq, struct str user, struct str password)
{
	struct str both = arena_printf(a, "%.*s:%.*s", STR_ARG(user), STR_ARG(password)), text = base64_encode(a, both.p, both.n);

	channel_header(rq, "Authorization", arena_printf(a, "Basic %.*s", STR_ARG(text)));
}

/* ---- answers ---- */

enum reception channel_judge_http(struct arena *a, const struct channel_call *c, unsigned status, struct str body)
{
	if (status >= 200 && status < 300)
		return RECEPTION_TAKEN;
	if (status == 410)
		return RECEPTION_GONE;
	if (status == 429 || status == 502 || status == 504)
		return RECEPTION_LATER;
	return status == 408 || status == 425 || status >= 500 ? RECEPTION_AGAIN : RECEPTION_REFUSED;
}

bool channel_check_url(struct str url, struct err *e)
{
	if (!str_starts(url, "https://") && !str_starts(url, "http://"))
		return err_field(e, ERR_INVALID, "url", "The URL must begin with https:// or http://.");
	return true;
}

bool channel_check_word(struct str word, enum channel_part part, struct err *e)
{
	for (size_t i = 0; i < word.n; i++)
		if ((unsigned char)word.p[i] <= ' ' || (unsigned char)word.p[i] >= 0x7f)
			return err_field(e, ERR_INVALID, channel_part_names[part], "The %s has printable ASCII characters and no blanks.",
				channel_part_names[part]);
	return true;
}

bool channel_check_format(const struct channel_kind *kind, const struct channel_settings *s, struct err *e)
{
	struct str format = s->part[PART_FORMAT];

	for (size_t i = 0; kind->formats[i].word; i++)
		if (!format.n || str_eqs(format, kind->formats[i].word))
			return true;
	return err_field(e, ERR_INVALID, channel_part_names[PART_FORMAT], "The format is %s or %s.", kind->formats[0].word, kind->formats[1].word);
}

enum channel_part contact_part(struct str kind)
{
	static const struct {
		const char *kind;
		enum channel_part part;
	} parts[] = { { "email", PART_TO }, { "sms", PART_TO }, { "push", PART_URL } };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (str_eqs(kind, parts[i].kind) && channel_kind_find(kind))
			return parts[i].part;
	return PART_COUNT;
}
