/* The request that "Send test" sends: a provider's sample with the time and a random part put in.
 *
 * A sample is a text with a few marks and not code that builds one: what the provider sends can be
 * laid beside its documents, and a further provider is data only. */
#include "provider_int.h"

#define SAMPLE_MAX (64 * 1024)	/* of one text; samples have some 2 KiB */

struct mark {
	const char *name;
	struct str value;
};

enum { MARKS = 4 };

static void marks_fill(struct arena *a, struct str nonce, ms_t now, struct mark marks[MARKS])
{
	char time[TIME_TEXT];

	marks[0] = (struct mark){ "$nonce", nonce };
	marks[1] = (struct mark){ "$time", arena_str(a, str_of(time_format(now, time))) };
	marks[2] = (struct mark){ "$seconds", arena_printf(a, "%lld", (long long)(now / MS_PER_SECOND)) };
	marks[3] = (struct mark){ "$ms", arena_printf(a, "%lld", (long long)now) };
}

static const struct mark *mark_at(const struct mark *marks, struct str text)
{
	for (size_t i = 0; i < MARKS; i++)
		if (str_starts(text, marks[i].name))
			return &marks[i];
	return NULL;
}

/* `quotes`: an apostrophe becomes a quotation mark. */
static struct str expand(struct arena *a, const struct mark *marks, const char *text, bool quotes)
{
	struct str rest = str_of(text);
	struct strbuf b;

	strbuf_init(&b, a, SAMPLE_MAX);
	while (rest.n) {
		const struct mark *m = mark_at(marks, rest);

		if (m)
			strbuf_addstr(&b, m->value);
		else
			strbuf_addc(&b, quotes && *rest.p == '\'' ? '"' : *rest.p);
		rest = str_sub(rest, m ? strlen(m->name) : 1);
	}
	return strbuf_str(&b);
}

void provider_sample(const struct provider *p, struct arena *a, struct str path, struct str nonce, ms_t now,
	struct inbound *in)
{
	const struct sample *s = p->sample;
	struct mark marks[MARKS];

	marks_fill(a, nonce, now, marks);
	*in = (struct inbound){ .method = str_of(s->method ? s->method : "POST"), .uri = path, .path = path, .now = now };
	if (s->query) {
		in->query = expand(a, marks, s->query, false);
		in->uri = arena_printf(a, "%.*s?%.*s", STR_ARG(path), STR_ARG(in->query));
	}
	if (s->body) {
		in->content_type = str_of(s->content_type ? s->content_type : "application/json");
		in->body = expand(a, marks, s->body, !s->content_type);
		inbound_add_header(a, in, "content-type", in->content_type);
	}
	for (size_t i = 0; i < SAMPLE_HEADERS && s->headers[i].name; i++)
		inbound_add_header(a, in, s->headers[i].name, expand(a, marks, s->headers[i].value, false));
}
