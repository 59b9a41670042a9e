/* What the program knows of its providers, for doc/providers.md and for check-providers.
 *
 *	provider_doc doc	the page, from the tables of src/provider and from what the golden cases become
 *	provider_doc sets	"gallery SLUG" and "document SLUG", a line each: what the dashboard offers, and the paths that OpenAPI has
 *
 * The page is kept in the tree; `make provider-doc` writes it anew. */
#include <dirent.h>

#include "golden.h"
#include "grapnel/api.h"
#include "src/dash/dash_int.h"
#include "src/dash/integrations.h"

#define ARENA_MAX (256u << 20)
#define ROWS_MAX 2000
#define EXAMPLE_MAX 90

static struct arena *a;

/* ---- text as markdown ---- */

/* One line of a table's cell. */
static void put_cell(struct str s)
{
	struct str cut = str_cut(s, EXAMPLE_MAX);

	for (size_t i = 0; i < cut.n; i++) {
		char c = cut.p[i];

		if (c == '|' || c == '<' || c == '*' || c == '`' || c == '_')
			putchar('\\');
		putchar(c == '\n' || c == '\r' ? ' ' : c);
	}
	if (cut.n < s.n)
		fputs("...", stdout);
}

static void put_copy(const char *copy)
{
	struct str rest = str_of(copy);

	puts("\n   ```");
	while (rest.n) {
		struct str line = str_until(&rest, '\n');

		printf("   %.*s\n", STR_ARG(line));
	}
	puts("   ```");
}

/* ---- what the golden cases become ---- */

struct row {
	struct str type, example;
	enum action action;
	enum severity severity;
	bool handshake;
};

static struct row rows[ROWS_MAX];
static size_t row_n;

static bool same_row(const struct row *x, const struct row *y)
{
	return str_eq(x->type, y->type) && x->action == y->action && x->handshake == y->handshake &&
		(x->severity == y->severity || x->action == ACTION_IGNORE);
}

static void add_row(struct row row)
{
	for (size_t i = 0; i < row_n; i++)
		if (same_row(&rows[i], &row))
			return;
	if (row_n == ROWS_MAX)
		die("more than %d rows", ROWS_MAX);
	rows[row_n++] = row;
}

static void add_case(const char *slug, const char *file)
{
	struct event *events;
	const char *stage;
	struct err e = { 0 };
	struct golden g;
	size_t n;

	golden_load(a, slug, file, &g);
	if (g.is_sample || !golden_run(a, &g, &events, &n, &stage, &e))
		return;
	for (size_t i = 0; i < n; i++)
		if (!events[i].invalid)
			add_row((struct row){ events[i].event_type, events[i].summary, events[i].action, events[i].severity,
				g.answer.status != 0 });
}

static int is_case(const struct dirent *d)
{
	return str_ends(str_of(d->d_name), ".expect");
}

static int by_type(const void *x, const void *y)
{
	static const int places[] = { [ACTION_TRIGGER] = 0, [ACTION_ACKNOWLEDGE] = 1, [ACTION_RESOLVE] = 2, [ACTION_IGNORE] = 3 };
	const struct row *r = x, *s = y;
	int order = str_cmp(r->type, s->type);

	if (!order)
		order = places[r->action] - places[s->action];
	return order ? order : (int)s->severity - (int)r->severity;
}

static void read_cases(const char *slug)
{
	struct dirent **names;
	int n = scandir(arena_printf(a, "%s/%s", golden_dir(), slug).p, &names, is_case, alphasort);

	if (n < 0)
		die("%s: no golden cases", slug);
	row_n = 0;
	for (int made = 0; made < 2; made++)	/* what a sender really sent stands for what was made after it */
		for (int i = 0; i < n; i++)
			if (str_ends(str_of(names[i]->d_name), "-made.expect") == made)
				add_case(slug, names[i]->d_name);
	while (n)
		free(names[--n]);
	free(names);
	qsort(rows, row_n, sizeof(*rows), by_type);
}

static void put_rows(const struct provider *p)
{
	read_cases(p->slug);
	puts("\n| event type | becomes | severity | for example |\n| --- | --- | --- | --- |");
	for (size_t i = 0; i < row_n; i++) {
		const struct row *r = &rows[i];

		fputs("| ", stdout);
		put_cell(r->type);
		printf(" | %s | %s | ", r->handshake ? "handshake" : action_word(r->action),
			r->action == ACTION_IGNORE ? "" : severity_word(r->severity));
		put_cell(r->example);
		puts(" |");
	}
}

/* ---- a provider ---- */

static void put_methods(const struct provider *p)
{
	static const struct {
		enum method bit;
		const char *name;
	} methods[] = { { METHOD_POST, "POST" }, { METHOD_GET, "GET" }, { METHOD_PUT, "PUT" }, { METHOD_OPTIONS, "OPTIONS" } };
	static const struct {
		enum body_form bit;
		const char *name;
	} bodies[] = { { BODY_JSON, "JSON" }, { BODY_FORM, "form" }, { BODY_XML, "XML" }, { BODY_CLOUDEVENTS, "CloudEvents" },
		{ BODY_QUERY, "query" } };
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (p->methods & methods[i].bit) {
			printf("%s%s", comma, methods[i].name);
			comma = ", ";
		}
	comma = " with ";
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		if (p->bodies & bodies[i].bit) {
			printf("%s%s", comma, bodies[i].name);
			comma = " or ";
		}
}

static void put_facts(const struct provider *p)
{
	printf("- **Address**: `{base}/api/%s/%s/{id}`, ", provider_folder(p), p->slug);
	put_methods(p);
	printf("; at most %zu KiB and %u requests a minute, unless set otherwise.\n", provider_body_max(p) / 1024, provider_per_minute(p));
	printf("- **Proof**: %s", p->signs);
	if (p->proofs)
		for (const struct proof *const *proof = p->proofs; *proof; proof++)
			printf("%s`%s`", proof == p->proofs ? " Schemes: " : ", ", (*proof)->name);
	printf("%s\n- **Errors**: %s\n", p->proofs ? "." : "", p->on_error);
	printf("- **Events** %s.\n", p->actions & DO_INCIDENT ? "open and resolve incidents" :
		"are recorded, unless the integration says otherwise");
}

static void put_steps(const struct provider *p)
{
	size_t n = 0;

	puts("\n### Set-up\n");
	for (const struct step *s = p->steps; s->text; s++) {
		printf("%zu. %s\n", ++n, s->text);
		if (s->copy)
			put_copy(s->copy);
	}
}

static void put_settings(const struct provider *p)
{
	static const char *const kinds[] = {
		[SETTING_TEXT] = "text", [SETTING_FLAG] = "true or false", [SETTING_ON] = "true or false, default true",
		[SETTING_LIST] = "list of texts", [SETTING_OBJECT] = "object", [SETTING_SECRET] = "text, kept sealed and never shown",
	};

	if (!p->settings)
		return;
	puts("\n### Settings\n\n| setting | kind | |\n| --- | --- | --- |");
	for (const struct setting *s = p->settings; s->name; s++)
		printf("| `%s` | %s | %s. %s |\n", s->name, kinds[s->kind], s->label, s->help);
}

static void put_provider(const struct provider *p)
{
	printf("\n## %s\n\n`%s`: %s\n\n", p->title, p->slug, p->about);
	put_facts(p);
	put_steps(p);
	put_settings(p);
	puts("\n### What it becomes");
	put_rows(p);
}

/* ---- the page ---- */

static void doc(void)
{
	puts("# Providers\n\n"
		"<!-- Written by `make provider-doc` from src/provider and tests/golden; not by hand. -->\n\n"
		"What Grapnel takes, and from whom. In what is to be copied, `{url}` is the address of the integration, `{key}` and `{secret}`\n"
		"are its key and its signature secret, `{base}` is the public address of the installation; the dashboard shows them filled in.\n"
		"Scheme names are those of `grapnelctl prove --scheme`. The tables at the end of each section show what real payloads became in\n"
		"the tests: `trigger`, `acknowledge` and `resolve` act on the incident of their key, `ignore` is recorded only.");
	for (enum provider_group group = 0; group < GROUP_COUNT; group++)
		for (size_t i = 0, n = 0; providers[i]; i++) {
			if (providers[i]->group != group)
				continue;
			if (!n++)
				printf("\n**%s**\n", provider_group_title(group));
			printf("- %s (`%s`): %s\n", providers[i]->title, providers[i]->slug, providers[i]->about);
		}
	for (size_t i = 0; providers[i]; i++)
		put_provider(providers[i]);
}

/* ---- the sets ---- */

static void gallery_set(void)
{
	struct gallery_page page = { .groups_n = 0 };

	gallery_fill(a, &page);
	for (size_t g = 0; g < page.groups_n; g++)
		for (size_t i = 0; i < page.groups[g].entries_n; i++)
			printf("gallery %s\n", page.groups[g].entries[i].slug);
}

/* The types whose four paths are there. */
static void document_set(void)
{
	static const char *const paths[] = { "integrations/%s", "integrations/%s/{id}", "webhooks/%s", "webhooks/%s/{id}" };
	const struct json *document, *all;
	struct err e = { 0 };

	if (!json_parse(a, api_document(a, "0", "https://grapnel.example"), &document, &e))
		die("the API document: %s", e.text);
	all = json_get(document, "paths");
	for (const struct json *path = all->first; path; path = path->next) {
		struct str slug = str_sub(path->name, strlen("/api/integrations/"));
		size_t found = 0;

		if (!str_starts(path->name, "/api/integrations/") || str_find(slug, '/') >= 0 || !json_get(path, "post") ||
				!str_eqs(json_text(json_at(path, STR("/post/tags/0"))), "inbound"))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			found += json_getn(all, arena_printf(a, "/api/%.*s%.*s%s", (int)(strchr(paths[i], '%') - paths[i]), paths[i],
				STR_ARG(slug), strchr(paths[i], '%') + 2)) != NULL;
		if (found == ARRAY_SIZE(paths))
			printf("document %.*s\n", STR_ARG(slug));
	}
}

int main(int argc, char **argv)
{
	a = arena_new(ARENA_MAX);
	if (argc == 2 && !strcmp(argv[1], "doc")) {
		doc();
	} else if (argc == 2 && !strcmp(argv[1], "sets")) {
		gallery_set();
		document_set();
	} else {
		fputs("usage: provider_doc doc|sets\n", stderr);
		return 2;
	}
	arena_free(a);
	return ferror(stdout) != 0;
}
