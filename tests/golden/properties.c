/* What must hold for every adapter and any payload, tried on the golden ones: each is changed in ways that change nothing
 * (numbers written as texts, members in another order, other times, another delivery, ...), and what happened, how bad it is and
 * to which alert it belongs must stay the same. A batch that is turned round gives its events turned round.
 *
 * That a trigger and its end have one key, and different trouble different ones, is golden.c's, which has the groups of
 * INDEX.tsv. To add a property: a function that changes a tree or a request, and a row. */
#include "golden.h"

#define ARENA_MAX (256 * 1024 * 1024)
#define UNKNOWN "zzGrapnelUnknown"

static unsigned failures;
static size_t tried;

/* ---- ways to write the same ------------------------------------------------------------------- */

static bool is_whole(struct str s)
{
	uint64_t n;

	return str_u64(s, &n) && (s.n == 1 || s.p[0] != '0');
}

static void number_as_text(struct arena *a, struct json *j)
{
	if (j->type != JSON_NUMBER)
		return;
	j->text = json_text(j);
	j->type = JSON_STRING;
}

static void number_as_float(struct arena *a, struct json *j)
{
	if (j->type == JSON_NUMBER && is_whole(j->text))
		j->text = arena_printf(a, "%.*s.0", STR_ARG(j->text));
}

static void text_as_number(struct arena *a, struct json *j)
{
	if (j->type == JSON_STRING && is_whole(j->text))
		j->type = JSON_NUMBER;
}

static void null_as_nothing(struct arena *a, struct json *j)
{
	struct json **link = &j->first;

	if (j->type != JSON_OBJECT)
		return;
	while (*link)
		if ((*link)->type == JSON_NULL) {
			*link = (*link)->next;
			j->count--;
		} else {
			link = &(*link)->next;
		}
}

static void null_as_empty(struct arena *a, struct json *j)
{
	if (j->type == JSON_NULL)
		*j = (struct json){ .name = j->name, .next = j->next, .type = JSON_STRING };
}

static void null_as_variable(struct arena *a, struct json *j)
{
	null_as_empty(a, j);
	if (j->type == JSON_STRING && !j->text.n)
		j->text = STR(" {{ left.in.place }} ");
}

static void reverse(struct json *j)
{
	struct json *turned = NULL, *next;

	for (struct json *child = j->first; child; child = next) {
		next = child->next;
		child->next = turned;
		turned = child;
	}
	j->first = turned;
}

/* Of equal names the last one counts, so their order does matter. */
static bool has_twins(const struct json *j)
{
	for (const struct json *x = j->first; x; x = x->next)
		if (json_getn(j, x->name) != x)
			return true;
	return false;
}

static void members_reversed(struct arena *a, struct json *j)
{
	if (j->type == JSON_OBJECT && !has_twins(j))
		reverse(j);
}

/* No key holds a time, and no time says what happened. */
static void another_time(struct arena *a, struct json *j)
{
	ms_t t;

	if (j->type == JSON_STRING && time_parse(str_trim(j->text), &t))
		j->text = STR("2031-07-08T09:10:11Z");
}

static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= 'A' && s.p[i] <= 'Z') && !strchr(" _-", s.p[i]))
			return false;
	return s.n > 0;
}

/* Words are compared without case; names of types with dots and slashes are no words. */
static void word_in_capitals(struct arena *a, struct json *j)
{
	char *p;

	if (j->type != JSON_STRING || !is_word(j->text))
		return;
	p = arena_cstr(a, j->text);
	for (size_t i = 0; i < j->text.n; i++)
		if (p[i] >= 'a' && p[i] <= 'z')
			p[i] -= 'a' - 'A';
	j->text.p = p;
}

static void each_value(struct arena *a, struct json *j, void (*change)(struct arena *a, struct json *j))
{
	change(a, j);
	for (struct json *child = j->first; child; child = child->next)
		each_value(a, child, change);
}

/* A new member of the provider's, with a word that means something. An empty body is no longer empty then. */
static void add_unknown(struct arena *a, struct json *doc)
{
	if (doc->type == JSON_OBJECT && doc->count)
		json_add(doc, STR(UNKNOWN), json_new_str(a, STR("resolved")));
}

/* Headers that name the delivery: another one of the same event. */
static void another_delivery(struct arena *a, struct inbound *in)
{
	static const char *const ends[] = { "-delivery", "-uuid", "idempotency-key", "request-id", "webhook-id", "message-id" };
	struct header *h = (struct header *)in->headers;

	for (size_t i = 0; i < in->header_n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(ends); k++)
			if (str_ends(h[i].name, ends[k]))
				h[i].value = STR("00000000-1111-4222-8333-444444444444");
}

/* ---- the properties --------------------------------------------------------------------------- */

static const struct property {
	const char *name;
	void (*value)(struct arena *a, struct json *j);		/* each value of the tree */
	void (*doc)(struct arena *a, struct json *doc);
	void (*request)(struct arena *a, struct inbound *in);	/* before it is parsed */
	bool other_keys;	/* what it changes may be part of a key, too */
} properties[] = {
	{ "the same again" },
	{ "numbers as texts", .value = number_as_text },
	{ "whole numbers with .0", .value = number_as_float },
	{ "texts of digits as numbers", .value = text_as_number },
	{ "null left out", .value = null_as_nothing },
	{ "null as an empty text", .value = null_as_empty },
	{ "null as a variable left in place", .value = null_as_variable },
	{ "members in the other order", .value = members_reversed },
	{ "other times", .value = another_time },
	{ "words in capitals", .value = word_in_capitals, .other_keys = true },
	{ "a member more", .doc = add_unknown },
	{ "another delivery", .request = another_delivery },
};

struct mapped {
	struct event *events;
	size_t n;
	bool ok;
};

static struct json *parse(struct arena *a, struct golden *g)
{
	struct err e = { 0 };

	return inbound_parse(provider_for(g->p, &g->in), a, &g->in, &e) ? (struct json *)g->in.doc : NULL;
}

static struct mapped map(struct arena *a, struct golden *g)
{
	struct mapped m = { .n = 0 };
	struct err e = { 0 };

	m.ok = provider_map(provider_for(g->p, &g->in), a, &g->in, GOLDEN_EVENTS_MAX, &m.events, &m.n, &e);
	return m;
}

static void differ(const char *slug, const char *file, const struct property *p, const char *what, struct str want, struct str got)
{
	printf("FAIL %s/%s: %s: %s: expected %.*s, got %.*s\n", slug, file, p->name, what, STR_ARG(want), STR_ARG(got));
	failures++;
}

static void compare_event(const char *slug, const char *file, const struct property *property, const struct event *x,
	const struct event *y)
{
	if (x->action != y->action)
		differ(slug, file, property, "action", str_of(action_word(x->action)), str_of(action_word(y->action)));
	if (x->severity != y->severity)
		differ(slug, file, property, "severity", str_of(severity_word(x->severity)), str_of(severity_word(y->severity)));
	if (!property->other_keys && !str_eq(x->dedup_key, y->dedup_key))
		differ(slug, file, property, "key", x->dedup_key, y->dedup_key);
	if (!str_eq(str_of(x->invalid), str_of(y->invalid)))
		differ(slug, file, property, "field to blame", str_of(x->invalid), str_of(y->invalid));
}

static void compare(const char *slug, const char *file, const struct property *property, const struct mapped *x,
	const struct mapped *y)
{
	tried++;
	if (x->ok != y->ok || x->n != y->n) {
		differ(slug, file, property, "events", STR("as many"), STR("another number"));
		return;
	}
	for (size_t i = 0; i < x->n; i++)
		compare_event(slug, file, property, &x->events[i], &y->events[i]);
}

static void try_property(struct arena *a, const char *slug, const char *file, const struct property *p, const struct mapped *before)
{
	struct golden g;
	struct mapped after;
	struct json *doc;

	golden_load(a, slug, file, &g);
	if (p->request)
		p->request(a, &g.in);
	doc = parse(a, &g);
	if (!doc)
		return;
	if (p->value)
		each_value(a, doc, p->value);
	if (p->doc)
		p->doc(a, doc);
	after = map(a, &g);
	compare(slug, file, p, before, &after);
}

/* The list that the events stand in, where there is one and they stand in no other. */
static struct json *list_of(const struct golden *g, const struct mapped *m)
{
	const struct provider *p = provider_for(g->p, &g->in);
	struct json *list = (struct json *)(p->each ? json_at(g->in.doc, str_of(p->each)) : g->in.doc);

	return json_is(list, JSON_ARRAY) && list->count == m->n ? list : NULL;
}

static void try_batch(struct arena *a, const char *slug, const char *file, const struct mapped *before)
{
	static const struct property turned = { "a batch turned round" };
	struct golden g;
	struct mapped after;
	struct json *list;

	golden_load(a, slug, file, &g);
	if (!parse(a, &g))
		return;
	list = list_of(&g, before);
	if (!list)
		return;
	reverse(list);
	after = map(a, &g);
	for (size_t i = 0; i < after.n / 2; i++) {
		struct event x = after.events[i];

		after.events[i] = after.events[after.n - 1 - i];
		after.events[after.n - 1 - i] = x;
	}
	compare(slug, file, &turned, before, &after);
}

/* Each case in an arena of its own: the bodies are large, and each is read many times. */
static void try_case(struct arena *ignored, const char *slug, const char *file)
{
	struct arena *a = arena_new(ARENA_MAX);
	struct mapped before;
	struct answer answer;
	struct event *events;
	struct golden g;
	size_t n;

	golden_load(a, slug, file, &g);
	if (parse(a, &g) && !provider_handshake(provider_for(g.p, &g.in), a, &g.in, &answer, &events, &n)) {
		before = map(a, &g);
		for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
			try_property(a, slug, file, &properties[i], &before);
		if (before.n > 1)
			try_batch(a, slug, file, &before);
	}
	arena_free(a);
}

int main(void)
{
	struct arena *a = arena_new(1024 * 1024);
	size_t cases = 0;

	for (size_t i = 0; providers[i]; i++)
		cases += golden_each(a, providers[i]->slug, try_case);
	printf("%zu cases, %zu properties tried, %u failures\n", cases, tried, failures);
	arena_free(a);
	return failures != 0;
}
