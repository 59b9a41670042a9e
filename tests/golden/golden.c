/* Maps every golden payload and compares what comes out with the file beside it; then checks all of
 * it against INDEX.tsv, which was written from the providers' documents and not from this program.
 *
 * To add a case: put the payload and a .expect with its "> " lines there, run with GOLDEN_WRITE=1,
 * read what was written. */
#include "golden.h"

#define TEXT_MAX (1024 * 1024)
#define ARENA_MAX (64 * 1024 * 1024)
#define GROUPS_MAX 4096

static unsigned failures;

/* ---- what an event looks like ---------------------------------------------------------------- */

/* Line feeds inside a value would look like a new line of ours. */
static void add_line(struct strbuf *b, const char *name, struct str value)
{
	if (value.n == 0)
		return;
	strbuf_adds(b, name);
	strbuf_addc(b, ' ');
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == '\n')
			strbuf_adds(b, "\\n");
		else if (value.p[i] == '\r')
			strbuf_adds(b, "\\r");
		else
			strbuf_addc(b, value.p[i]);
	strbuf_addc(b, '\n');
}

static void add_links(struct arena *a, struct strbuf *b, const struct event *ev)
{
	for (size_t i = 0; i < ev->link_n; i++) {
		add_line(b, "link", ev->links[i].href);
		add_line(b, "\ttext", ev->links[i].text);
	}
}

static void add_details(struct arena *a, struct strbuf *b, const struct event *ev)
{
	struct strbuf text;
	struct json_out o;

	if (!ev->custom_details)
		return;
	strbuf_init(&text, a, TEXT_MAX);
	json_out_init(&o, &text);
	json_tree(&o, ev->custom_details);
	add_line(b, "details", strbuf_str(&text));
}

static void add_event(struct arena *a, struct strbuf *b, const struct event *ev)
{
	char at[TIME_TEXT];

	if (ev->invalid) {
		strbuf_addf(b, "invalid %s\n", ev->invalid);
		add_line(b, ev->native_id ? "native" : "derived", ev->event_id);
		return;
	}
	strbuf_addf(b, "%s %s %s\n", action_word(ev->action), severity_word(ev->severity), level_word(ev->level));
	add_line(b, ev->native_id ? "native" : "derived", ev->event_id);
	add_line(b, "key", ev->dedup_key);
	add_line(b, "type", ev->event_type);
	if (ev->entity_type.n || ev->entity_id.n)
		strbuf_addf(b, "entity %.*s %.*s\n", STR_ARG(ev->entity_type), STR_ARG(ev->entity_id));
	add_line(b, "at", ev->occurred_at ? str_of(time_format(ev->occurred_at, at)) : STR_NONE);
	add_line(b, "service", ev->service);
	add_line(b, "source", ev->source);
	add_line(b, "word", ev->native_severity);
	add_line(b, "summary", ev->summary);
	add_line(b, "description", ev->description);
	add_links(a, b, ev);
	add_details(a, b, ev);
}

static void add_handshake(struct strbuf *b, const struct answer *x)
{
	strbuf_addf(b, "handshake %u %s\n", x->status, x->content_type ? x->content_type : "application/json");
	for (size_t i = 0; i < ARRAY_SIZE(x->extra) && x->extra[i].name.n; i++)
		strbuf_addf(b, "header %.*s: %.*s\n", STR_ARG(x->extra[i].name), STR_ARG(x->extra[i].value));
	add_line(b, "confirm", x->confirm_url);
	add_line(b, "secret", x->new_secret);
	if (x->keep.name)
		strbuf_addf(b, "keep %s %.*s\n", x->keep.name, STR_ARG(x->keep.value));
	if (x->disconnected)
		strbuf_adds(b, "disconnected\n");
	add_line(b, "body", x->body);
}

static struct str run_case(struct arena *a, struct golden *g, struct event **events, size_t *n)
{
	struct strbuf b;
	struct err e = { 0 };
	const char *stage;

	strbuf_init(&b, a, TEXT_MAX);
	if (!golden_run(a, g, events, n, &stage, &e)) {
		strbuf_addf(&b, "refused %s %s\n", stage, e.field);
		return strbuf_str(&b);
	}
	if (g->answer.status)
		add_handshake(&b, &g->answer);
	for (size_t i = 0; i < *n; i++) {
		if (i || g->answer.status)
			strbuf_addc(&b, '\n');
		add_event(a, &b, &(*events)[i]);
	}
	return strbuf_str(&b);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void show_difference(struct str want, struct str got)
{
	while (want.n || got.n) {
		struct str w = str_until(&want, '\n'), g = str_until(&got, '\n');

		if (str_eq(w, g))
			continue;
		printf("\texpected %.*s\n\tgot      %.*s\n", STR_ARG(w), STR_ARG(g));
	}
}

static void write_case(struct arena *a, const char *slug, const char *file, const struct golden *g, struct str got)
{
	struct str path = arena_printf(a, "%s/%s/%s", golden_dir(), slug, file), whole = golden_file(a, path.p);
	FILE *f = fopen(path.p, "wb");

	if (!f)
		die("%s: cannot write", path.p);
	fwrite(whole.p, 1, whole.n - g->expected.n, f);
	fwrite(got.p, 1, got.n, f);
	fclose(f);
}

static bool is_refusal(struct str got)
{
	return str_starts(got, "refused ") || str_starts(got, "invalid ");
}

static void check_case(struct arena *a, const char *slug, const char *file)
{
	struct golden g;
	struct event *events;
	struct str got;
	size_t n;

	golden_load(a, slug, file, &g);
	got = run_case(a, &g, &events, &n);
	if (getenv("GOLDEN_WRITE"))
		write_case(a, slug, file, &g, got);
	else if (!str_eq(got, g.expected)) {
		printf("FAIL %s/%s\n", slug, file);
		show_difference(g.expected, got);
		failures++;
	}
	if (str_ends(str_of(file), ".bad") != is_refusal(got)) {
		printf("FAIL %s/%s: .bad is for refusals, .expect for events\n", slug, file);
		failures++;
	}
}

/* ---- INDEX.tsv: slug, file, actions, severities, groups, event type, entity type, entity id; '*' = says nothing  */

enum column { SLUG, PAYLOAD, ACTIONS, SEVERITIES, GROUPS, TYPE, ENTITY_TYPE, ENTITY_ID, COLUMNS };

struct group {
	struct str slug, name, key;
	enum action action;
};

static struct group groups[GROUPS_MAX];
static size_t group_n;

static void index_fail(const struct str *row, const char *what, struct str want, struct str got)
{
	printf("FAIL INDEX %.*s/%.*s: %s: expected %.*s, got %.*s\n", STR_ARG(row[SLUG]), STR_ARG(row[PAYLOAD]), what,
		STR_ARG(want), STR_ARG(got));
	failures++;
}

static void check_word(const struct str *row, const char *what, struct str want, struct str got)
{
	if (!str_eqs(want, "*") && !str_eq(want, got))
		index_fail(row, what, want, got);
}

/* Same group, same key; different groups, different keys. */
static void check_group(const struct str *row, struct str name, const struct event *ev)
{
	struct str key = ev->dedup_key;

	if (str_eqs(name, "*"))
		return;
	if (str_eqs(name, "-")) {
		check_word(row, "key", STR_NONE, key);
		return;
	}
	if (key.n == 0)
		index_fail(row, "key of group", name, STR("none"));
	for (size_t i = 0; i < group_n; i++)
		if (str_eq(groups[i].name, name) != str_eq(groups[i].key, key))
			index_fail(row, "key of group", groups[i].name, name);
	if (group_n == GROUPS_MAX)
		die("INDEX.tsv: more than %d groups", GROUPS_MAX);
	groups[group_n++] = (struct group){ row[SLUG], name, key, ev->action };
}

static struct str next_of(struct str *list)
{
	return str_eqs(*list, "*") ? *list : str_until(list, ',');
}

static void check_index_events(const struct str *row, const struct event *events, size_t n)
{
	struct str actions = row[ACTIONS], severities = row[SEVERITIES], names = row[GROUPS];

	for (size_t i = 0; i < n; i++) {
		check_word(row, "action", next_of(&actions), str_of(action_word(events[i].action)));
		check_word(row, "severity", next_of(&severities), str_of(severity_word(events[i].severity)));
		check_group(row, next_of(&names), &events[i]);
		check_word(row, "type", row[TYPE], events[i].event_type);
		check_word(row, "entity type", row[ENTITY_TYPE], events[i].entity_type);
		check_word(row, "entity id", row[ENTITY_ID], events[i].entity_id);
	}
	if (!str_eqs(actions, "*") && actions.n)
		index_fail(row, "further actions", actions, STR("no event"));
}

static void check_index_row(struct arena *a, struct str line)
{
	struct str row[COLUMNS], file;
	struct event *events;
	struct golden g;
	size_t n;

	for (int i = 0; i < COLUMNS; i++)
		row[i] = str_until(&line, '\t');
	file = row[PAYLOAD];
	while (file.n && file.p[--file.n] != '.')
		continue;
	golden_load(a, arena_cstr(a, row[SLUG]),
		arena_printf(a, "%.*s.%s", STR_ARG(file), str_eqs(row[ACTIONS], "refused") ? "bad" : "expect").p, &g);
	(void)run_case(a, &g, &events, &n);
	if (str_eqs(row[ACTIONS], "refused")) {
		if (n != 0 && !events[0].invalid)
			index_fail(row, "action", row[ACTIONS], str_of(action_word(events[0].action)));
		return;
	}
	check_index_events(row, events, n);
}

static size_t check_index(struct arena *a)
{
	struct str text = golden_file(a, arena_printf(a, "%s/INDEX.tsv", golden_dir()).p);
	size_t n = 0;

	while (text.n) {
		struct str line = str_until(&text, '\n');

		if (line.n == 0 || line.p[0] == '#')
			continue;
		check_index_row(a, line);
		n++;
	}
	return n;
}

/* Has any event of the provider (and of the group, or NULL) this action? */
static bool occurs(struct str slug, const struct str *name, enum action action)
{
	for (size_t i = 0; i < group_n; i++)
		if (groups[i].action == action && str_eq(groups[i].slug, slug) && (!name || str_eq(groups[i].name, *name)))
			return true;
	return false;
}

/* Of a provider that reports the end of trouble the index has trouble and its end under one name, and other trouble beside it. */
static void check_pairs(struct str slug)
{
	bool pair = false, others = false;
	struct str first = STR_NONE;

	if (!occurs(slug, NULL, ACTION_TRIGGER) || !occurs(slug, NULL, ACTION_RESOLVE))
		return;
	for (size_t i = 0; i < group_n; i++) {
		const struct group *g = &groups[i];

		if (!str_eq(g->slug, slug) || g->action != ACTION_TRIGGER)
			continue;
		pair |= occurs(slug, &g->name, ACTION_RESOLVE);
		others |= first.n && !str_eq(first, g->name);
		first = g->name;
	}
	if (pair && others)
		return;
	printf("FAIL INDEX %.*s: %s\n", STR_ARG(slug), pair ? "all trouble has one key" : "no trouble has its end under the same key");
	failures++;
}

int main(void)
{
	struct arena *a = arena_new(ARENA_MAX);
	size_t cases = 0, rows;

	for (size_t i = 0; providers[i]; i++)
		cases += golden_each(a, providers[i]->slug, check_case);
	rows = check_index(a);
	for (size_t i = 0; providers[i]; i++)
		check_pairs(str_of(providers[i]->slug));
	printf("%zu cases, %zu rows of INDEX.tsv, %u failures\n", cases, rows, failures);
	arena_free(a);
	return failures != 0;
}
