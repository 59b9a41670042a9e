/* curl.c - a request as a command that sends it again.
 *
 * Whoever copies it pastes into a shell what a stranger sent. So everything stands in single quotes, where a shell reads nothing but
 * the quote itself (POSIX, Shell Command Language, 2.2.2), no control character goes out, since a terminal would act on it, and a body
 * that has any is named as a file to be downloaded. Secrets were masked when the request was stored: a variable stands for them. */
#include "view_int.h"

#define INLINE_MAX (32 * 1024)	/* of a body in the command; Linux takes 128 KiB for one argument */
#define COMMAND_MAX (4u << 20)	/* 32 KiB of quotes, and headers and path likewise */
#define MASKED "***"		/* see src/ingest/record.c */

/* Made by whoever sends it, or by what stood in between. */
static const char *const own_headers[] = {
	"host", "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive", "accept-encoding", "expect", "te",
	"via", "forwarded", "x-real-ip", "x-request-id", "traceparent", "tracestate", "cookie",
};

static bool is_own(struct str name)
{
	if (str_starts(name, "x-forwarded-"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(own_headers); i++)
		if (str_eqs(name, own_headers[i]))
			return true;
	return false;
}

/* DEL and the two bytes of C1 controls (0xc2 0x80 to 0x9f) as well. */
static bool is_control(struct str s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i], before = i ? (unsigned char)s.p[i - 1] : 0;

	return c < ' ' || c == 0x7f || (before == 0xc2 && c < 0xa0);
}

static bool has_control(struct str s, const char *but)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_control(s, i) && !(s.p[i] && strchr(but, s.p[i])))
			return true;
	return false;
}

static void add_quoted(struct strbuf *b, struct str s)
{
	strbuf_addc(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			strbuf_adds(b, "'\\''");
		else
			strbuf_addc(b, s.p[i]);
	}
	strbuf_addc(b, '\'');
}

static void add_line(struct strbuf *b)
{
	strbuf_adds(b, " \\\n  ");
}

/* *masked: the key is needed. */
static void add_url(struct strbuf *b, struct str url, bool *masked)
{
	strbuf_addc(b, '\'');
	for (size_t i = 0; i < url.n; i++) {
		if (str_starts(str_sub(url, i), "=" MASKED)) {
			strbuf_adds(b, "='\"$KEY\"'");
			i += strlen(MASKED);
			*masked = true;
		} else if (url.p[i] == '\'' || is_control(url, i)) {
			strbuf_addf(b, "%%%02X", (unsigned char)url.p[i]);
		} else {
			strbuf_addc(b, url.p[i]);
		}
	}
	strbuf_addc(b, '\'');
}

static void add_header(struct strbuf *b, struct arena *a, struct str name, struct str value, bool *masked)
{
	if (!name.n || is_own(name) || has_control(name, "") || has_control(value, ""))
		return;
	add_line(b);
	strbuf_adds(b, "-H ");
	if (str_eqs(value, MASKED)) {
		add_quoted(b, arena_printf(a, "%.*s: %s", STR_ARG(name), str_eqs(name, "authorization") ? "Bearer " : ""));
		strbuf_adds(b, "\"$KEY\"");
		*masked = true;
	} else if (value.n) {
		add_quoted(b, arena_printf(a, "%.*s: %.*s", STR_ARG(name), STR_ARG(value)));
	} else {
		add_quoted(b, arena_printf(a, "%.*s;", STR_ARG(name)));	/* so curl sends one without value */
	}
}

/* Returns whether there is a content-type: without one curl would call the body a form. */
static bool add_headers(struct strbuf *b, struct arena *a, struct str lines, bool *masked)
{
	bool typed = false;

	while (lines.n) {
		struct str line = str_until(&lines, '\n'), name = str_trim(str_until(&line, ':'));

		typed |= str_eqs(name, "content-type");
		add_header(b, a, name, str_trim(line), masked);
	}
	return typed;
}

static bool has_body(const struct request_view *v)
{
	return v->body.n || str_eqs(v->method, "POST");
}

static void add_body(struct strbuf *b, const struct request_view *v, bool typed)
{
	bool file = v->body.n > INLINE_MAX || !str_is_utf8(v->body) || has_control(v->body, "\n\t");

	if (!has_body(v))
		return;
	if (!typed) {
		add_line(b);
		strbuf_adds(b, "-H 'content-type:'");
	}
	add_line(b);
	if (file) {
		strbuf_addf(b, "--data-binary @request-%llu.bin", (unsigned long long)v->id);
	} else {
		strbuf_adds(b, "--data-raw ");
		add_quoted(b, v->body);
	}
}

struct str request_view_curl(struct arena *a, struct str public_url, const struct request_view *v)
{
	struct strbuf b;
	bool masked = false, typed;

	while (str_ends(public_url, "/"))
		public_url.n--;
	strbuf_init(&b, a, COMMAND_MAX);
	strbuf_adds(&b, "curl -i -g ");
	if (!str_eqs(v->method, has_body(v) ? "POST" : "GET") && !has_control(v->method, "")) {
		strbuf_adds(&b, "-X ");
		add_quoted(&b, v->method);
		strbuf_addc(&b, ' ');
	}
	add_url(&b, arena_printf(a, "%.*s%.*s", STR_ARG(public_url), STR_ARG(v->uri)), &masked);
	typed = add_headers(&b, a, v->headers, &masked);
	add_body(&b, v, typed);
	if (!masked)
		return strbuf_str(&b);
	return arena_printf(a, "KEY='paste the key here'\n%.*s", STR_ARG(strbuf_str(&b)));
}
