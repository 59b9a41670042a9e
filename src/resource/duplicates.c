/* duplicates.c - where the same thing came more than once: events that their sender repeated, equal ids of a provider at different sources, and
 * equal bodies under different ids.
 *
 * Looked for among the newest events of a window, a bounded number of them; bodies are compared by their length first and read only
 * where that is equal, up to so many bytes. What was not looked at is said. */
#include <stdlib.h>

#include "resource_int.h"

#include "grapnel/json.h"

#define LOOK_MAX 20000			/* events, of all tenants together; and repeats, of each */
#define LOOK_US 10000000		/* at tenants, where there are many: somebody waits */
#define BODY_BYTES_MAX (32u << 20)	/* read and hashed in all: some tenth of a second */
#define HASHED_AT_ONCE 500		/* bodies of a statement */
#define IDS_SHOWN 20			/* of a group */

/* The newest events of a tenant. What is equal at two tenants is a matter of chance. */
struct look {
	struct look *next;
	uint64_t tenant_id;
	struct duplicate_trace *t;
	size_t n;
};

struct search {
	const struct caller *by;
	ms_t since;
	size_t limit;			/* groups of a kind */
	uint64_t body_bytes;		/* read so far */
	struct duplicates *out;
};

/* ---- groups ---- */

static struct str ids_json(struct arena *a, const struct duplicate_trace *t, size_t n)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, 1024);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n && i < IDS_SHOWN; i++)
		json_id(&o, t[i].id);
	json_close(&o, ']');
	return strbuf_str(&b);
}

static void add(struct search *s, const char *kind, const struct duplicate_trace *t, size_t n, uint64_t count, uint64_t *of_kind)
{
	struct duplicates *d = s->out;

	++*of_kind;
	d->events += count;
	if (*of_kind > s->limit) {
		d->more = true;
		return;
	}
	d->groups[d->n++] = (struct duplicate_group){ .kind = str_of(kind), .count = count, .provider = t->provider, .event_id = t->event_id,
		.events = ids_json(s->by->a, t, n) };
}

/* ---- repeats of an event ---- */

static bool find_repeats(struct search *s, const struct look *l, struct err *e)
{
	struct duplicate_trace *t;
	size_t n;

	if (!duplicate_repeated(s->by->db, s->by->a, l->tenant_id, s->since, LOOK_MAX, s->limit + 1, &t, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		add(s, "repeats", &t[i], 1, t[i].repeats, &s->out->repeats);
	return true;
}

/* ---- equal ids at different sources ---- */

static int by_event_id(const void *x, const void *y)
{
	const struct duplicate_trace *a = x, *b = y;
	int c = str_cmp(a->event_id, b->event_id);

	if (!c)
		c = str_cmp(a->provider, b->provider);
	if (!c)
		c = str_cmp(a->source_id, b->source_id);
	return c ? c : a->id < b->id ? -1 : a->id > b->id;
}

static bool same_event_id(const struct duplicate_trace *a, const struct duplicate_trace *b)
{
	return str_eq(a->event_id, b->event_id) && str_eq(a->provider, b->provider);
}

static bool find_ids(struct search *s, const struct look *l, struct err *e)
{
	if (l->n)
		qsort(l->t, l->n, sizeof(*l->t), by_event_id);
	for (size_t i = 0, k; i < l->n; i = k) {
		for (k = i + 1; k < l->n && same_event_id(&l->t[i], &l->t[k]);)
			k++;
		if (!str_eq(l->t[i].source_id, l->t[k - 1].source_id))
			add(s, "sources", &l->t[i], k - i, k - i, &s->out->sources);
	}
	return true;
}

/* ---- equal bodies ---- */

/* A request with several events stands for the first of them. */
static int by_request(const void *x, const void *y)
{
	const struct duplicate_trace *a = x, *b = y;

	if (a->request_id != b->request_id)
		return a->request_id < b->request_id ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* Where each stands once. */
static int request_alone(const void *x, const void *y)
{
	const struct duplicate_trace *a = x, *b = y;

	return a->request_id < b->request_id ? -1 : a->request_id > b->request_id;
}

static int by_length(const void *x, const void *y)
{
	const struct duplicate_trace *a = x, *b = y;

	return a->body_bytes < b->body_bytes ? -1 : a->body_bytes > b->body_bytes;
}

static int by_hash(const void *x, const void *y)
{
	const struct duplicate_trace *a = x, *b = y;
	int c = str_cmp(a->hash, b->hash);

	return c ? c : str_cmp(a->event_id, b->event_id);
}

/* One for each request that has a body, moved to the front. */
static size_t requests_alone(struct duplicate_trace *t, size_t n)
{
	size_t k = 0;

	if (n)
		qsort(t, n, sizeof(*t), by_request);
	for (size_t i = 0; i < n; i++)
		if (t[i].body_bytes && (!k || t[k - 1].request_id != t[i].request_id))
			t[k++] = t[i];
	return k;
}

/* Those whose length another one has, as far as the bytes allow. */
static size_t equal_lengths(struct search *s, struct duplicate_trace *t, size_t n)
{
	size_t k = 0;

	if (n)
		qsort(t, n, sizeof(*t), by_length);
	for (size_t i = 0; i < n; i++) {
		bool equal = (i && t[i - 1].body_bytes == t[i].body_bytes) || (i + 1 < n && t[i + 1].body_bytes == t[i].body_bytes);

		if (!equal)
			continue;
		s->body_bytes += t[i].body_bytes;
		if (s->body_bytes > BODY_BYTES_MAX) {
			s->out->more = true;
			break;
		}
		t[k++] = t[i];
	}
	return k;
}

static bool hash_bodies(struct search *s, struct duplicate_trace *t, size_t n, struct err *e)
{
	qsort(t, n, sizeof(*t), by_request);
	for (size_t i = 0; i < n; i += HASHED_AT_ONCE) {
		size_t m = n - i < HASHED_AT_ONCE ? n - i : HASHED_AT_ONCE, got_n;
		struct duplicate_trace *got;

		if (!duplicate_bodies(s->by->db, s->by->a, JSON_IDS(s->by->a, t + i, m, request_id), &got, &got_n, e))
			return false;
		for (size_t k = 0; k < got_n; k++) {
			struct duplicate_trace *of = bsearch(&got[k], t + i, m, sizeof(*t), request_alone);

			if (of)
				of->hash = got[k].hash;
		}
	}
	return true;
}

static bool find_bodies(struct search *s, const struct look *l, struct err *e)
{
	struct duplicate_trace *t = l->t;
	size_t n = equal_lengths(s, t, requests_alone(t, l->n));

	if (!n)
		return true;
	if (!hash_bodies(s, t, n, e))
		return false;
	qsort(t, n, sizeof(*t), by_hash);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && str_eq(t[i].hash, t[k].hash);)
			k++;
		if (t[i].hash.n && !str_eq(t[i].event_id, t[k - 1].event_id))
			add(s, "bodies", &t[i], k - i, k - i, &s->out->bodies);
	}
	return true;
}

/* ---- all ---- */

static bool look_at(struct search *s, uint64_t tenant_id, struct look ***end, struct err *e)
{
	struct look *l = ARENA_NEW(s->by->a, struct look);
	size_t most = LOOK_MAX - s->out->looked_at;

	*l = (struct look){ .tenant_id = tenant_id };
	if (!duplicate_recent(s->by->db, s->by->a, tenant_id, s->since, most, &l->t, &l->n, e))
		return false;
	s->out->looked_at += l->n;
	s->out->more |= l->n == most;
	**end = l;
	*end = &l->next;
	return true;
}

static bool look_at_all(struct search *s, struct look **end, struct err *e)
{
	int64_t until_us = clock_mono_us() + LOOK_US;
	struct tenant t = { 0 };
	int found;

	while ((found = tenant_next(s->by->db, s->by->a, t.id, &t, e)) == 1) {
		if (s->out->looked_at == LOOK_MAX || clock_mono_us() > until_us) {
			s->out->more = true;
			return true;
		}
		if (!look_at(s, t.id, &end, e))
			return false;
	}
	return found == 0;
}

bool duplicates_find(const struct caller *by, ms_t since, size_t limit, struct duplicates *out, struct err *e)
{
	static bool (*const kinds[])(struct search *s, const struct look *l, struct err *e) = { find_repeats, find_ids, find_bodies };
	struct search s = { .by = by, .since = since, .limit = limit, .out = out };
	struct look *looks = NULL, **end = &looks;

	*out = (struct duplicates){ .groups = ARENA_ARRAY(by->a, struct duplicate_group, 3 * limit) };
	if (by->tenant_id ? !look_at(&s, by->tenant_id, &end, e) : !look_at_all(&s, end, e))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (const struct look *l = looks; l; l = l->next)
			if (!kinds[i](&s, l, e))
				return false;
	return true;
}

const struct field duplicate_group_fields[] = {
	FIELD_STR(struct duplicate_group, kind, "kind",
		"repeats: their sender sent them again; sources: the same id of a provider at different sources; bodies: the same body under different ids"),
	FIELD_U64(struct duplicate_group, count, "count", "Repeats, or events of the group"),
	FIELD_STR(struct duplicate_group, provider, "provider", "Provider slug"),
	FIELD_STR(struct duplicate_group, event_id, "eventId", "What the provider calls it, or the first of them"),
	FIELD_JSON(struct duplicate_group, events, "events", "Our numbers of them, at most twenty"),
	FIELD_END
};
const struct field duplicates_fields[] = {
	FIELD_U64(struct duplicates, looked_at, "lookedAt", "Events: the newest ones of the window"),
	FIELD_U64(struct duplicates, repeats, "repeats", "Groups of this kind"),
	FIELD_U64(struct duplicates, sources, "sources", "Groups of this kind"),
	FIELD_U64(struct duplicates, bodies, "bodies", "Groups of this kind"),
	FIELD_END
};
