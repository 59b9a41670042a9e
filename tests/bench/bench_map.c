/* bench_map.c - what one event costs before the database: its body read, the event mapped, its sender proven. For each provider
 * on the golden payload nearest to 2 KiB that is one event, on one core, beside the bare limits on the same bytes: yajl without
 * a tree, HMAC-SHA256 without a scheme. Prints JSON for bench.py.
 *
 * A shorter payload is filled up with one long text, as a description would be. Time is that of the process, so that a neighbour
 * costs less; each figure is the median of rounds in which all kinds of work take turns. */
#include <dirent.h>
#include <stdlib.h>
#include <time.h>

#include <yajl/yajl_parse.h>

#include "grapnel/crypto.h"
#include "tests/golden/golden.h"

#define ARENA_MAX (64u << 20)
#define BYTES 2048
#define ROUNDS 5
#define TURNS 32	/* between two looks at the clock */
#define FILLER "The disk of db1 is nearly full. "

struct subject {
	const struct provider *p;
	char name[256];		/* of its golden case */
	struct inbound in;	/* the payload */
	struct inbound proof;	/* the same, signed */
	struct arena *a;	/* emptied by each turn */
	bool json, signs;
};

/* ---- the payload ----------------------------------------------------------------------------- */

static bool is_one_event(struct arena *a, const struct provider *p, struct inbound *in)
{
	struct event *events;
	struct err e = { 0 };
	size_t n;

	return inbound_parse(p, a, in, &e) && provider_map(p, a, in, GOLDEN_EVENTS_MAX, &events, &n, &e) && n == 1 &&
		!events[0].invalid;
}

static int is_case(const struct dirent *d)
{
	return str_ends(str_of(d->d_name), ".expect");
}

static size_t distance(size_t n)
{
	return n < BYTES ? BYTES - n : n - BYTES;
}

/* `a` keeps what was chosen. */
static void choose(struct arena *a, struct subject *s)
{
	struct str dir = arena_printf(a, "%s/%s", golden_dir(), s->p->slug);
	struct dirent **names;
	int n = scandir(dir.p, &names, is_case, alphasort);

	for (int i = 0; i < n; i++) {
		struct golden g;

		golden_load(a, s->p->slug, names[i]->d_name, &g);
		if (!g.is_sample && g.in.body.n && (!s->in.body.n || distance(g.in.body.n) < distance(s->in.body.n)) &&
				is_one_event(a, s->p, &g.in)) {
			s->in = g.in;
			snprintf(s->name, sizeof(s->name), "%s", names[i]->d_name);
		}
		free(names[i]);
	}
	if (n <= 0 || !s->in.body.n)
		die("%s: no payload of one event", s->p->slug);
	free(names);
}

static void fill_up(struct arena *a, struct subject *s)
{
	struct str body = str_trim(s->in.body);
	struct strbuf b;

	s->json = str_starts(body, "{");
	if (body.n >= BYTES || (!s->json && !str_eqs(s->in.content_type, "application/x-www-form-urlencoded")))
		return;
	strbuf_init(&b, a, 2 * BYTES);
	strbuf_add(&b, body.p, body.n - s->json);
	strbuf_adds(&b, s->json ? ",\"filler\":\"" : "&filler=");
	for (size_t i = 0; b.n + 2 < BYTES; i++)
		strbuf_addc(&b, s->json || FILLER[i % strlen(FILLER)] != ' ' ? FILLER[i % strlen(FILLER)] : '+');
	strbuf_adds(&b, s->json ? "\"}" : "");
	s->in.body = strbuf_str(&b);
	if (!is_one_event(a, s->p, &s->in))
		die("%s: %s, filled up, is no event", s->p->slug, s->name);
}

/* With the headers of the provider's sample, since a scheme may sign some of them. */
static void sign(struct arena *a, struct subject *s)
{
	struct str secret = STR("grapnel-bench-secret");
	struct proof_report r;
	struct proof_input input = { .arena = a, .in = &s->proof, .secrets = &secret, .secret_n = 1 };

	provider_sample(s->p, a, STR("/api/integrations/x/in_1"), STR(GOLDEN_NONCE), GOLDEN_NOW, &s->proof);
	s->proof.method = s->in.method;
	s->proof.body = s->in.body;
	s->proof.content_type = s->in.content_type;
	s->proof.public_url = STR("https://hooks.example.org");
	s->signs = proof_sign(provider_proofs(s->p), a, &s->proof, secret) &&
		proof_check(provider_proofs(s->p), &input, &r) == PROVEN;
}

/* ---- the work -------------------------------------------------------------------------------- */

static void parse(struct subject *s)
{
	struct err e = { 0 };

	if (!inbound_parse(s->p, s->a, &s->in, &e))
		die("%s: %s", s->p->slug, e.text);
}

static void map(struct subject *s)
{
	if (!is_one_event(s->a, s->p, &s->in))
		die("%s: no event", s->p->slug);
}

static void prove(struct subject *s)
{
	struct str secret = STR("grapnel-bench-secret");
	struct proof_report r;
	struct proof_input input = { .arena = s->a, .in = &s->proof, .secrets = &secret, .secret_n = 1 };

	if (proof_check(provider_proofs(s->p), &input, &r) != PROVEN)
		die("%s: %s", s->p->slug, r.step);
}

static void bare_json(struct subject *s)
{
	yajl_handle h = yajl_alloc(NULL, NULL, NULL);

	if (yajl_parse(h, (const unsigned char *)s->in.body.p, s->in.body.n) != yajl_status_ok)
		die("%s: yajl", s->p->slug);
	yajl_free(h);
}

static void bare_hmac(struct subject *s)
{
	unsigned char out[DIGEST_MAX];

	hmac(DIGEST_SHA256, STR("grapnel-bench-secret"), &s->in.body, 1, out);
}

static const struct {
	const char *name;
	void (*turn)(struct subject *s);
} works[] = {
	{ "parse", parse }, { "map", map }, { "prove", prove }, { "yajl", bare_json }, { "hmac", bare_hmac },
};

static bool takes_part(const struct subject *s, size_t work)
{
	if (works[work].turn == prove)
		return s->signs;
	return works[work].turn != bare_json || s->json;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Turns per second. */
static double rate(struct subject *s, size_t work, double length)
{
	double began = seconds(), now = began;
	unsigned turns = 0;

	for (; now - began < length; turns += TURNS) {
		for (unsigned i = 0; i < TURNS; i++) {
			works[work].turn(s);
			arena_reset(s->a);
		}
		now = seconds();
	}
	return turns / (now - began);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(struct subject *s, double length, double out[ARRAY_SIZE(works)])
{
	double all[ARRAY_SIZE(works)][ROUNDS] = { 0 };

	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t w = 0; w < ARRAY_SIZE(works); w++)
			if (takes_part(s, w))
				all[w][round] = rate(s, w, length);
	for (size_t w = 0; w < ARRAY_SIZE(works); w++) {
		qsort(all[w], ROUNDS, sizeof(all[w][0]), by_value);
		out[w] = all[w][ROUNDS / 2];
	}
}

/* ---- the report ------------------------------------------------------------------------------ */

static void report(struct json_out *o, const struct subject *s, const double rates[ARRAY_SIZE(works)])
{
	json_open(o, '{');
	json_key(o, "slug");
	json_strz(o, s->p->slug);
	json_key(o, "case");
	json_strz(o, s->name);
	json_key(o, "bytes");
	json_u64(o, s->in.body.n);
	json_key(o, "ownScheme");
	json_bool(o, provider_can_sign(s->p));
	for (size_t w = 0; w < ARRAY_SIZE(works); w++) {
		json_key(o, works[w].name);
		if (takes_part(s, w))
			json_u64(o, (uint64_t)rates[w]);
		else
			json_null(o);
	}
	json_close(o, '}');
}

static void run(const struct provider *p, double length, struct json_out *o)
{
	struct arena *kept = arena_new(ARENA_MAX);
	struct subject s = { .p = p, .a = arena_new(ARENA_MAX) };
	double rates[ARRAY_SIZE(works)];

	choose(kept, &s);
	fill_up(kept, &s);
	sign(kept, &s);
	measure(&s, length, rates);
	report(o, &s, rates);
	arena_free(s.a);
	arena_free(kept);
}

/* bench_map [MILLISECONDS [SLUG]]: of one kind of work in one round. */
int main(int argc, char **argv)
{
	double length = argc > 1 ? strtod(argv[1], NULL) / 1000 : 0.05;
	struct arena *a = arena_new(ARENA_MAX);
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, 1u << 20);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; providers[i]; i++)
		if (argc < 3 || !strcmp(argv[2], providers[i]->slug))
			run(providers[i], length, &o);
	json_close(&o, ']');
	printf("%.*s\n", STR_ARG(strbuf_str(&b)));
	arena_free(a);
	return 0;
}
