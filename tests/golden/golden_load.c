#include <dirent.h>
#include <errno.h>

#include "golden.h"

#define HEADERS_MAX 32

const char *golden_dir(void)
{
	static char dir[4096];
	const char *srcdir = getenv("srcdir");

	snprintf(dir, sizeof(dir), "%s/tests/golden", srcdir ? srcdir : ".");
	return dir;
}

struct str golden_file(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "rb");
	long n;
	char *p;

	if (!f)
		die("%s: %s", path, strerror(errno));
	if (fseek(f, 0, SEEK_END) || (n = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		die("%s: cannot seek", path);
	p = arena_alloc(a, (size_t)n + 1);
	if (fread(p, 1, (size_t)n, f) != (size_t)n)
		die("%s: cannot read", path);
	fclose(f);
	return (struct str){ p, (size_t)n };
}

/* "> :sample": the provider's own test webhook. */
static void set_sample(struct arena *a, struct golden *g)
{
	g->is_sample = true;
	provider_sample(g->p, a, g->in.path, STR(GOLDEN_NONCE), GOLDEN_NOW, &g->in);
	g->in.request_id = STR(GOLDEN_REQUEST_ID);
}

/* "payload" of the case, or the file of its name. */
static struct str payload(struct arena *a, const char *slug, const char *file, struct str named)
{
	static const char *const ends[] = { "json", "form", "xml", "body", "query" };
	struct str path, base = str_of(file);

	if (named.n)
		return golden_file(a, arena_printf(a, "%s/%s/%.*s", golden_dir(), slug, STR_ARG(named)).p);
	base.n = strrchr(file, '.') - file;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		FILE *f;

		path = arena_printf(a, "%s/%s/%.*s.%s", golden_dir(), slug, STR_ARG(base), ends[i]);
		f = fopen(path.p, "rb");
		if (f) {
			fclose(f);
			return golden_file(a, path.p);
		}
	}
	die("%s/%s has no payload", slug, file);
}

static void set_fact(struct arena *a, struct golden *g, struct str name, struct str value, struct str *named)
{
	struct err e = { 0 };

	if (str_eqs(name, ":method"))
		g->in.method = value;
	else if (str_eqs(name, ":uri"))
		inbound_set_uri(&g->in, value);
	else if (str_eqs(name, ":payload"))
		*named = value;
	else if (str_eqs(name, ":sample"))
		set_sample(a, g);
	else if (!str_eqs(name, ":settings") || !json_parse(a, value, &g->in.settings, &e))
		die("golden: bad line %.*s %.*s: %s", STR_ARG(name), STR_ARG(value), e.text);
}

static void add_header(struct arena *a, struct golden *g, struct str line)
{
	struct header *h = (struct header *)g->in.headers + g->in.header_n++;
	struct str name = str_until(&line, ':'), type;

	if (g->in.header_n > HEADERS_MAX)
		die("golden: too many headers");
	*h = (struct header){ arena_lower(a, name), str_trim(line) };
	if (!str_eqs(h->name, "content-type"))
		return;
	type = h->value;
	g->in.content_type = arena_lower(a, str_trim(str_until(&type, ';')));
}

/* With GET the query is the payload, unless :uri brought one. */
static void set_payload(struct arena *a, struct golden *g, struct str text)
{
	if (!str_eqs(g->in.method, "GET"))
		g->in.body = text;
	else if (!g->in.query.n)
		inbound_set_uri(&g->in, arena_printf(a, "%.*s?%.*s", STR_ARG(g->in.path), STR_ARG(str_trim(text))));
}

void golden_load(struct arena *a, const char *slug, const char *file, struct golden *g)
{
	struct str text = golden_file(a, arena_printf(a, "%s/%s/%s", golden_dir(), slug, file).p), named = STR_NONE;

	*g = (struct golden){ .p = provider_find(str_of(slug)) };
	if (!g->p)
		die("golden: no provider %s", slug);
	g->in = (struct inbound){ .method = STR("POST"), .headers = ARENA_ARRAY(a, struct header, HEADERS_MAX),
		.request_id = STR(GOLDEN_REQUEST_ID) };
	inbound_set_uri(&g->in, arena_printf(a, "/api/integrations/%s/in_1", slug));
	while (str_starts(text, "> ")) {
		struct str line = str_sub(str_until(&text, '\n'), 2);

		if (str_starts(line, ":")) {
			struct str name = str_word(&line);

			set_fact(a, g, name, str_trim(line), &named);
		} else {
			add_header(a, g, line);
		}
	}
	g->expected = text;
	if (!g->is_sample)
		set_payload(a, g, payload(a, slug, file, named));
}

static int is_case(const struct dirent *d)
{
	struct str name = str_of(d->d_name);

	return str_ends(name, ".expect") || str_ends(name, ".bad");
}

size_t golden_each(struct arena *a, const char *slug, void (*each)(struct arena *a, const char *slug, const char *file))
{
	struct dirent **names;
	struct str dir = arena_printf(a, "%s/%s", golden_dir(), slug);
	int n = scandir(dir.p, &names, is_case, alphasort);

	if (n <= 0)
		die("%s: no golden cases", dir.p);
	for (int i = 0; i < n; i++) {
		each(a, slug, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return (size_t)n;
}

bool golden_run(struct arena *a, struct golden *g, struct event **events, size_t *n, const char **stage, struct err *e)
{
	const struct provider *p = provider_for(g->p, &g->in);

	*n = 0;
	*stage = "parse";
	if (!inbound_parse(p, a, &g->in, e))
		return false;
	*stage = "map";
	g->answer = (struct answer){ 0 };
	if (provider_handshake(p, a, &g->in, &g->answer, events, n))
		return true;
	return provider_map(p, a, &g->in, GOLDEN_EVENTS_MAX, events, n, e);
}
