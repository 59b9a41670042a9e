/* email.c - mail by SMTP: plain text, one thread for what belongs together.
 *
 * The first message of a thread has an id that is made of the thread's name, so that the later ones can refer to it without anybody having kept
 * anything, and a message that is sent twice is the same to its readers. What may begin a thread more than once refers to that id and has one of its own. TLS is required, but to a server on this machine. Its certificate
 * is checked. 4xx means later (grey lists want minutes), 5xx never (RFC 5321 section 4.2.1). Servers say so of each addressee: so each has a mail of
 * his own, which is tried again or given up without the others, and links that are his. */
#include "channel_int.h"
#include "mail_int.h"

#define TEXT_MAX ((size_t)256 * 1024)

/* ---- where it goes ---- */

static bool is_this_machine(struct str url)
{
	struct str host = url_host(url);

	return str_ieqs(host, "localhost") || str_eqs(host, "127.0.0.1") || str_eqs(host, "::1");
}

/* Of our addresses and ids, where a bare IPv6 address cannot stand (RFC 5321, section 4.1.3). */
static struct str domain_of(struct str public_url)
{
	struct str host = url_host(public_url);

	return str_find(host, ':') < 0 ? host : STR("localhost");
}

/* The path is the name that the server is greeted with. */
static struct str server_url(struct arena *a, struct str server, struct str domain)
{
	while (str_ends(server, "/"))
		server.n--;
	return arena_printf(a, "%.*s/%.*s", STR_ARG(server), STR_ARG(domain));
}

static void addressees(struct str list, struct channel_request *out)
{
	while (list.n && out->to_n < RECIPIENTS_MAX) {
		struct str one = str_trim(str_until(&list, ','));

		if (one.n)
			out->to[out->to_n++] = one;
	}
}

static struct str sender(struct arena *a, const struct channel_call *c, struct str domain)
{
	if (c->settings.part[PART_FROM].n)
		return c->settings.part[PART_FROM];
	return c->house->mail_from.n ? c->house->mail_from : arena_printf(a, "grapnel@%.*s", STR_ARG(domain));
}

/* ---- what it says ---- */

static void add_ids(struct strbuf *b, const struct channel_call *c, const struct message *m, struct str domain)
{
	struct str first = arena_printf(b->arena, "<%.*s@%.*s>", STR_ARG(m->thread), STR_ARG(domain));

	if (m->phase == MESSAGE_BEGINS && !m->again) {
		mail_header(b, "Message-ID", first);
		return;
	}
	mail_header(b, "Message-ID", arena_printf(b->arena, "<%.*s.%.*s@%.*s>", STR_ARG(m->thread), STR_ARG(c->id), STR_ARG(domain)));
	mail_header(b, "In-Reply-To", first);
	mail_header(b, "References", first);
}

static void add_headers(struct strbuf *b, const struct channel_call *c, const struct message *m, const struct channel_request *out,
	struct str domain)
{
	mail_date(b, m->at);
	strbuf_addf(b, "From: Grapnel <%.*s>\r\n", STR_ARG(out->from));
	strbuf_adds(b, "To: ");
	for (size_t i = 0; i < out->to_n; i++)
		strbuf_addf(b, "%s%.*s", i ? ",\r\n " : "", STR_ARG(out->to[i]));
	strbuf_adds(b, "\r\n");
	mail_header(b, "Subject", arena_printf(b->arena, "[%s] %.*s", level_word(m->level), STR_ARG(message_headline(b->arena, m))));
	add_ids(b, c, m, domain);
	mail_header(b, "List-Id", arena_printf(b->arena, "Grapnel <grapnel.%.*s>", STR_ARG(domain)));
	mail_header(b, "Auto-Submitted", STR("auto-generated"));
	mail_header(b, "X-Grapnel-Event", m->type);
	strbuf_adds(b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
}

static struct str body_text(struct arena *a, const struct channel_call *c, const struct message *m)
{
	struct str link = channel_link(a, c, m);
	struct strbuf b;

	strbuf_init(&b, a, TEXT_MAX);
	strbuf_addf(&b, "%.*s\n\n", STR_ARG(message_headline(a, m)));
	if (m->text.n)
		strbuf_addf(&b, "%.*s\n\n", STR_ARG(m->text));
	for (size_t i = 0; i < m->fact_n; i++)
		strbuf_addf(&b, "%.*s: %.*s\n", STR_ARG(m->facts[i].name), STR_ARG(m->facts[i].value));
	strbuf_addf(&b, "%s%.*s\n", m->fact_n ? "\n" : "", STR_ARG(link));
	if (m->link_n) {
		strbuf_adds(&b, "\nWithout signing in, each once:\n");
		channel_links_add(&b, m);
	}
	strbuf_addf(&b, c->person ? "\n-- \nSent by Grapnel to %.*s.\n" : "\n-- \nSent by Grapnel to its channel \"%.*s\".\n", STR_ARG(c->name));
	return strbuf_str(&b);
}

static void request(struct arena *a, const struct channel_call *c, const struct message *m, struct channel_request *out)
{
	const struct channel_settings *s = &c->settings;
	bool own = s->part[PART_URL].n;
	struct str server = own ? s->part[PART_URL] : c->house->mail_server, domain = domain_of(c->house->public_url);
	struct strbuf b;

	out->trusted = !own;
	out->url = server_url(a, server, domain);
	out->plain = str_starts(server, "smtp://") && is_this_machine(server);
	out->user = own ? s->part[PART_USER] : c->house->mail_user;
	out->password = own ? s->part[PART_PASSWORD] : c->house->mail_password;
	out->from = sender(a, c, domain);
	addressees(c->recipient.n ? c->recipient : s->part[PART_TO], out);
	strbuf_init(&b, a, 4 * TEXT_MAX);
	add_headers(&b, c, m, out, domain);
	mail_body(&b, body_text(a, c, m));
	out->body = strbuf_str(&b);
}

/* ---- what is accepted ---- */

static bool check_to(struct str list, struct err *e)
{
	size_t n = 0;

	while (list.n) {
		struct str one = str_trim(str_until(&list, ','));

		if (one.n && !mail_address_is(one))
			return err_field(e, ERR_INVALID, "to", "\"%.*s\" is no mail address.", STR_ARG(str_cut(one, 80)));
		n += one.n > 0;
	}
	if (!n || n > RECIPIENTS_MAX)
		return err_field(e, ERR_INVALID, "to", "There must be 1 to %d mail addresses.", RECIPIENTS_MAX);
	return true;
}

static bool check(const struct channel_settings *s, const struct channel_house *h, struct err *e)
{
	struct str url = s->part[PART_URL];

	if (!check_to(s->part[PART_TO], e))
		return false;
	if (s->part[PART_FROM].n && !mail_address_is(s->part[PART_FROM]))
		return err_field(e, ERR_INVALID, "from", "The sender is no mail address.");
	if (url.n && !str_starts(url, "smtp://") && !str_starts(url, "smtps://"))
		return err_field(e, ERR_INVALID, "url", "A mail server begins with smtp:// or smtps://.");
	if (!url.n && s->part[PART_USER].n)
		return err_field(e, ERR_INVALID, "user", "A user belongs to a mail server: name that as well.");
	if (!s->part[PART_USER].n && s->part[PART_PASSWORD].n)
		return err_field(e, ERR_INVALID, "password", "A password belongs to a user: name that as well.");
	return true;
}

static enum reception judge(struct arena *a, const struct channel_call *c, unsigned status, struct str body)
{
	if (status >= 200 && status < 300)
		return RECEPTION_TAKEN;
	return status >= 500 ? RECEPTION_REFUSED : RECEPTION_LATER;
}

const struct channel_kind channel_email = {
	.slug = "email", .title = "E-mail",
	.help = "Plain text by SMTP, one thread for each trouble. Without a server of its own it goes by the one of the configuration, [mail].",
	.takes = PART(TO) | PART(FROM) | PART(URL) | PART(USER) | PART(PASSWORD), .needs = PART(TO), .secret = PART_PASSWORD, .each = true, .mail = true, .people = true, .has_links = true,
	.texts = {
		[PART_TO] = { "To", "Mail addresses, one a line, up to 20. Each gets a mail of its own.", "ops@example.org" },
		[PART_FROM] = { "From", "Empty: the one of the configuration.", "grapnel@example.org" },
		[PART_URL] = { "Another mail server", "Empty: the one of the configuration. smtp:// needs STARTTLS there, smtps:// begins with TLS.",
			"smtp://mail.example.org:587" },
		[PART_USER] = { "User", "Of that other server, if it wants one.", "" },
		[PART_PASSWORD] = { "Password", "Of that user.", "" },
	},
	.check = check, .request = request, .judge = judge,
};
