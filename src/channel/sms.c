/* sms.c - text messages by Twilio's REST API, or by a server that speaks it: one line for each number.
 *
 * By twilio_api_v2010.json of github.com/twilio/twilio-oai and twilio.com/docs/api/errors (looked up 2026-11-22): a form by Basic authentication;
 * 201 means that it was accepted, not that it arrived. Errors are {"code","message","status"}: 20429 and 21611 (the sender's queue is full) pass,
 * 21211, 21608, 21610 (it opted out), 21614 and 20003 do not. There is no key that makes a repeat harmless, so what may have been
 * taken is not sent again. A body has at most 1600 characters; a sender is a number, a name of up to 11 characters or a messaging service. */
#include "channel_int.h"

#define TWILIO "https://api.twilio.com"
#define BODY_MAX 1600		/* characters; bytes are at least as many */
#define SID_LENGTH 34
#define NAME_MAX_BYTES 11
#define DIGITS_MIN 7
#define DIGITS_MAX 15		/* E.164 */
#define FORM_MAX (8 * 1024)

/* ---- numbers and names ---- */

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

bool sms_number_is(struct str s)
{
	struct str digits = str_sub(s, 1);

	return str_starts(s, "+") && digits.n >= DIGITS_MIN && digits.n <= DIGITS_MAX && all_digits(digits) && digits.p[0] != '0';
}

/* "AC" and 32 hex digits. */
static bool is_sid(struct str s, const char *prefix)
{
	if (s.n != SID_LENGTH || !str_starts(s, prefix))
		return false;
	for (size_t i = 2; i < s.n; i++)
		if (!s.p[i] || !strchr("0123456789abcdefABCDEF", s.p[i]))
			return false;
	return true;
}

static bool is_name(struct str s)
{
	bool letter = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alpha && (c < '0' || c > '9') && c != ' ')
			return false;
		letter |= alpha;
	}
	return letter && s.n <= NAME_MAX_BYTES;
}

/* ---- what it says ---- */

/* One line, whose end is whole whatever the title is: the page's link, and the first of those that act. */
static struct str text_of(struct arena *a, const struct channel_call *c, const struct message *m)
{
	struct str page = channel_link(a, c, m), head = message_headline(a, m);
	struct str title = arena_printf(a, "[%s] %.*s", level_word(m->level), STR_ARG(head)), end = arena_printf(a, " %.*s", STR_ARG(page));

	if (m->link_n)
		end = arena_printf(a, "%.*s %s: %.*s", STR_ARG(end), m->links[0].label, STR_ARG(m->links[0].url));
	title = str_cut(title, end.n < BODY_MAX ? BODY_MAX - end.n : 0);
	return arena_printf(a, "%.*s%.*s", STR_ARG(title), STR_ARG(end));
}

static struct str first_of(struct str list)
{
	return str_trim(str_until(&list, ','));
}

static void member(struct strbuf *b, const char *name, struct str value)
{
	struct str text = url_encode(b->arena, value);

	strbuf_addf(b, "%s%s=%.*s", b->n ? "&" : "", name, STR_ARG(text));
}

static void request(struct arena *a, const struct channel_call *c, const struct message *m, struct channel_request *out)
{
	const struct channel_settings *s = &c->settings;
	const struct channel_house *h = c->house;
	bool own = s->part[PART_ACCOUNT].n;
	struct str account = own ? s->part[PART_ACCOUNT] : h->sms_account, user = own ? s->part[PART_USER] : h->sms_user,
		   token = own ? s->part[PART_TOKEN] : h->sms_token, from = s->part[PART_FROM].n ? s->part[PART_FROM] : h->sms_from,
		   base = own ? s->part[PART_URL] : h->sms_url;
	struct strbuf b;

	if (!base.n)
		base = STR(TWILIO);
	while (str_ends(base, "/"))
		base.n--;
	strbuf_init(&b, a, FORM_MAX);
	member(&b, "To", c->recipient.n ? c->recipient : first_of(s->part[PART_TO]));
	member(&b, is_sid(from, "MG") ? "MessagingServiceSid" : "From", from);
	member(&b, "Body", text_of(a, c, m));
	out->trusted = !own;
	out->url = arena_printf(a, "%.*s/2010-04-01/Accounts/%.*s/Messages.json", STR_ARG(base), STR_ARG(account));
	out->body = strbuf_str(&b);
	channel_header(out, "Content-Type", STR("application/x-www-form-urlencoded"));
	channel_basic(a, out, user.n ? user : account, token);
}

/* ---- what is accepted ---- */

static bool check_to(struct str list, struct err *e)
{
	size_t n = 0;

	while (list.n) {
		struct str one = str_trim(str_until(&list, ','));

		if (one.n && !sms_number_is(one))
			return err_field(e, ERR_INVALID, "to", "\"%.*s\" is no telephone number: + and %d to %d digits, with the country's code.",
				STR_ARG(str_cut(one, 40)), DIGITS_MIN, DIGITS_MAX);
		n += one.n > 0;
	}
	if (!n || n > RECIPIENTS_MAX)
		return err_field(e, ERR_INVALID, "to", "There must be 1 to %d telephone numbers.", RECIPIENTS_MAX);
	return true;
}

static bool check_account(const struct channel_settings *s, const struct channel_house *h, struct err *e)
{
	static const enum channel_part its[] = { PART_USER, PART_TOKEN, PART_URL };

	if (s->part[PART_ACCOUNT].n) {
		if (!is_sid(s->part[PART_ACCOUNT], "AC"))
			return err_field(e, ERR_INVALID, "account", "An account's SID is AC and 32 hex digits.");
		if (s->part[PART_USER].n && !is_sid(s->part[PART_USER], "SK"))
			return err_field(e, ERR_INVALID, "user", "An API key's SID is SK and 32 hex digits.");
		if (!s->part[PART_TOKEN].n)
			return err_field(e, ERR_INVALID, "token", "An account needs its auth token, or the secret of its API key.");
		return channel_check_word(s->part[PART_TOKEN], PART_TOKEN, e) && (!s->part[PART_URL].n || channel_check_url(s->part[PART_URL], e));
	}
	for (size_t i = 0; i < ARRAY_SIZE(its); i++)
		if (s->part[its[i]].n)
			return err_field(e, ERR_INVALID, channel_part_names[its[i]], "It belongs to an account: name that as well.");
	return h->sms_account.n || err_field(e, ERR_INVALID, "account", "The configuration has no account, [sms]: give one here.");
}

static bool check(const struct channel_settings *s, const struct channel_house *h, struct err *e)
{
	struct str from = s->part[PART_FROM];

	if (!check_to(s->part[PART_TO], e) || !check_account(s, h, e))
		return false;
	if (!from.n && (s->part[PART_ACCOUNT].n || !h->sms_from.n))
		return err_field(e, ERR_INVALID, "from", "Who sends it is needed: a number, a name or a messaging service of the account.");
	if (from.n && !sms_number_is(from) && !is_sid(from, "MG") && !is_name(from))
		return err_field(e, ERR_INVALID, "from", "The sender is a number like +4930123456, a name of up to %d letters and digits, or a messaging "
			"service, MG and 32 hex digits.", NAME_MAX_BYTES);
	return true;
}

/* ---- what is answered ---- */

/* What another time may go well. */
static bool passes(struct arena *a, struct str body)
{
	const struct json *j;
	struct err e = { 0 };
	struct str code;

	if (!json_parse(a, body, &j, &e))
		return false;
	code = json_text(json_get(j, "code"));
	return str_eqs(code, "20429") || str_eqs(code, "21611");
}

static enum reception judge(struct arena *a, const struct channel_call *c, unsigned status, struct str body)
{
	return status >= 400 && passes(a, body) ? RECEPTION_LATER : channel_judge_http(a, c, status, body);
}

const struct channel_kind channel_sms = {
	.slug = "sms", .title = "SMS",
	.help = "A line of text to telephone numbers, by Twilio. Without an account of its own it goes by the one of the configuration, [sms].",
	.takes = PART(TO) | PART(FROM) | PART(ACCOUNT) | PART(USER) | PART(TOKEN) | PART(URL), .needs = PART(TO), .secret = PART_TOKEN,
	.each = true, .people = true, .once = true, .has_links = true,
	.texts = {
		[PART_TO] = { "Telephone numbers", "With + and the country's code, one a line, up to 20. Each gets a message of its own.", "+4930123456" },
		[PART_FROM] = { "Sender", "A number, a name or a messaging service (MG...) of the account. Empty: the one of the configuration.", "+15005550006" },
		[PART_ACCOUNT] = { "Another account", "The Account SID at Twilio. Empty: the one of the configuration.", "AC..." },
		[PART_USER] = { "API key", "The SID of an API key of that account, where the token is a key's secret.", "SK..." },
		[PART_TOKEN] = { "Token", "The auth token of that account, or the secret of that API key.", "" },
		[PART_URL] = { "Another server", "One that speaks Twilio's REST API. Empty: " TWILIO ".", "" },
	},
	.check = check, .request = request, .judge = judge,
};
