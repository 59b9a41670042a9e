/* traffic.c - filters, empty lists and headers of the pages of requests and events. */
#include "traffic.h"

/* ---- filters ---- */

struct str traffic_typed(struct visit *v, const char *name)
{
	struct str value = STR_NONE;

	(void)form_find(v->a, v->rq->query, name, &value);
	return value;
}

bool traffic_blame(struct visit *v, struct page *p, const struct err *e)
{
	char first = e->text[0] >= 'a' && e->text[0] <= 'z' ? (char)(e->text[0] & ~32) : e->text[0];

	if (!page_blame(v, p, e))
		return false;
	if (e->field[0])
		p->error = arena_printf(v->a, "%c%s", first, e->text + 1);
	return true;
}

struct str traffic_time(struct visit *v, const char *name, ms_t t)
{
	char text[TIME_TEXT];

	if (!t)
		return traffic_typed(v, name);
	return arena_str(v->a, (struct str){ time_format(t, text), t / MS_PER_SECOND % 60 ? 19 : 16 });
}

bool traffic_any(struct visit *v, const char *const *names)
{
	while (*names && !traffic_typed(v, *names).n)
		names++;
	return *names;
}

bool traffic_filter_fill(struct visit *v, struct traffic_filter *f, ms_t from, ms_t to)
{
	static const char *const fields[] = { "q", "provider", "source", "status", "severity", "type", "from", "to", NULL };
	struct err e = { 0 };

	f->filtered = traffic_any(v, fields);
	f->source = traffic_typed(v, "source");
	f->status = traffic_typed(v, "status");
	f->type = traffic_typed(v, "type");
	f->q = traffic_typed(v, "q");
	f->from = traffic_time(v, "from", from);
	f->to = traffic_time(v, "to", to);
	f->more_open = (f->of_events ? f->type : f->status).n || f->from.n || f->to.n;
	choices_of_providers(v, traffic_typed(v, "provider"), &f->providers, &f->providers_n);
	return choices_of_sources(v, f->source, &f->sources, &f->sources_n, &e) || visit_err(v, &e);
}

void traffic_choices(struct visit *v, const char *name, const struct choice_word *words, struct choice **out, size_t *n)
{
	choices_of_words(v, words, traffic_typed(v, name), out, n);
}

/* Does the query filter at all? */
static bool is_filtered(struct visit *v)
{
	struct str rest = v->rq->query, name, value;

	while (form_next(v->a, &rest, &name, &value))
		if (value.n && !str_eqs(name, "limit"))
			return true;
	return false;
}

/* ---- an empty list ---- */

static struct str first_command(struct visit *v, const struct source *s)
{
	struct str url = source_webhook_url(v->a, str_of(v->by.conf->server.public_url), s->provider, s->public_id);
	const char *body = "{\"id\":\"disk-1\",\"summary\":\"Disk of db1 is full\",\"severity\":\"critical\"}";

	if (!s->has_secret)
		return arena_printf(v->a, "curl -i '%.*s' -H \"Authorization: Bearer $KEY\" \\\n  -H 'Content-Type: application/json' -d '%s'",
			STR_ARG(url), body);
	return arena_printf(v->a, "BODY='%s'\ncurl -i '%.*s' -H 'Content-Type: application/json' \\\n"
		"  -H \"X-Signature: $(printf %%s \"$BODY\" | openssl dgst -sha256 -hmac \"$SECRET\" -r | cut -d' ' -f1)\" -d \"$BODY\"",
		body, STR_ARG(url));
}

/* For the newest integration of the type that takes any JSON. */
static bool fill_command(struct visit *v, struct traffic_empty *out, struct err *e)
{
	struct source *s;
	size_t n;

	if (!source_list(v->by.db, v->a, (uint32_t)v->by.tenant_id, STR("webhook"), 0, 1, v->by.now, &s, &n, e))
		return false;
	if (n)
		out->command = first_command(v, s);
	return true;
}

bool traffic_empty_fill(struct visit *v, struct traffic_empty *out, const char *what, uint64_t looked_at, const struct list_nav *nav,
	struct err *e)
{
	*out = (struct traffic_empty){ .what = what, .filtered = is_filtered(v), .more = nav->next_url.n > 0,
		.looked_at = looked_at, .clear_url = v->rq->path, .older_url = nav->next_url };
	return out->filtered || fill_command(v, out, e);
}

/* ---- one request ---- */

void traffic_headers(struct visit *v, struct str lines, struct header_table *out)
{
	struct str rest = lines;
	size_t n = 0;

	for (; rest.n; n++)
		str_until(&rest, '\n');
	out->lines = ARENA_ARRAY(v->a, struct header_line, n);
	for (out->lines_n = 0; out->lines_n < n; out->lines_n++) {
		struct str line = str_until(&lines, '\n');

		out->lines[out->lines_n].name = str_trim(str_until(&line, ':'));
		out->lines[out->lines_n].value = str_trim(line);
	}
}
