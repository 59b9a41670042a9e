/* cache.c - the sources a worker knows, newest used first.
 *
 * An entry is found by its names: its id, the hashes of its key and of the key before it, and, for default sources, its provider. A generation counter in
 * shared memory says when anything changed; an entry of an older generation, or older than five minutes, is stale: it is
 * asked for again with the next batch, and used as it is while MariaDB is away. Each entry is one block of memory,
 * wiped when it goes, since it holds opened secrets. Full: the entry that was not used for longest gives way. */
#include "ingest_int.h"

#define BUCKETS 2048		/* twice the entries, so that chains stay short */
#define SETTINGS_MAX (32u << 20)	/* two trees of JSON_NODES_MAX at most */
#define ABSENT_MAX 256
#define ABSENT_MS 5000		/* "within seconds": how long a name may stay unknown here after another host made it */

struct absent {
	uint64_t hash, generation;
	ms_t at;
};

struct cache {
	size_t n, max;
	const struct seal_key *seal;
	struct cached_source *bucket[CACHE_NAMES][BUCKETS];
	struct cached_source lru;	/* ring head: next = newest used */
	struct absent absent[ABSENT_MAX];
	size_t absent_next;
};

enum name { NAME_ID, NAME_KEY, NAME_OLD_KEY, NAME_DEFAULT };

static const enum lookup_kind kinds[CACHE_NAMES] = {
	[NAME_ID] = LOOKUP_ID, [NAME_KEY] = LOOKUP_KEY, [NAME_OLD_KEY] = LOOKUP_KEY, [NAME_DEFAULT] = LOOKUP_DEFAULT,
};

/* FNV-1a, 64 bit (Fowler, Noll, Vo). Names are random or our own: nobody gains by colliding. */
static uint64_t hash_name(enum lookup_kind kind, struct str name)
{
	uint64_t h = 14695981039346656037u ^ (uint64_t)kind;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 1099511628211u;
	return h;
}

static struct str entry_name(const struct cached_source *e, enum name k)
{
	switch (k) {
	case NAME_ID:
		return e->s.public_id;
	case NAME_KEY:
		return e->s.key_hash;
	case NAME_OLD_KEY:
		return e->s.key_old_hash;
	case NAME_DEFAULT:
		break;
	}
	return e->s.is_default ? e->s.provider : STR_NONE;
}

struct cache *cache_new(size_t max, const struct seal_key *seal)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	c->max = max;
	c->seal = seal;
	c->lru.lru_next = c->lru.lru_prev = &c->lru;
	return c;
}

static struct cached_source *find(struct cache *c, enum lookup_kind kind, struct str name)
{
	uint64_t hash = hash_name(kind, name);

	for (int k = 0; k < CACHE_NAMES && name.n; k++) {
		struct cached_source *e = kinds[k] == kind ? c->bucket[k][hash % BUCKETS] : NULL;

		while (e && !str_eq(entry_name(e, k), name))
			e = e->chain[k];
		if (e)
			return e;
	}
	return NULL;
}

/* The next setting of the entry that is a secret, from `*s` on. */
static struct json *secret_setting(const struct cached_source *e, const struct setting **s)
{
	for (; *s && (*s)->name; ++*s)
		if ((*s)->kind == SETTING_SECRET && json_get(e->settings, (*s)->name))
			return (struct json *)json_get(e->settings, (*s)->name);	/* the tree is the entry's own */
	return NULL;
}

/* As a secret that does not open, none of them fits. */
static void open_settings(struct cached_source *e, const struct seal_key *seal)
{
	struct json *value;

	for (const struct setting *s = e->provider ? e->provider->settings : NULL; (value = secret_setting(e, &s)); s++)
		value->text = seal ? source_setting_open(e->settings_arena, seal, str_of(s->name), value->text) : STR_NONE;
}

static void wipe_settings(struct cached_source *e)
{
	struct json *value;

	for (const struct setting *s = e->provider ? e->provider->settings : NULL; (value = secret_setting(e, &s)); s++)
		secret_wipe((char *)value->text.p, value->text.n);
}

static void entry_free(struct cached_source *e)
{
	wipe_settings(e);
	arena_free(e->settings_arena);
	secret_wipe(e->block, e->block_n);
	free(e->block);
	free(e->allowed);
	free(e);
}

static void remove_entry(struct cache *c, struct cached_source *e)
{
	for (int k = 0; k < CACHE_NAMES; k++) {
		struct str name = entry_name(e, k);
		struct cached_source **link;

		if (!name.n)
			continue;
		link = &c->bucket[k][hash_name(kinds[k], name) % BUCKETS];
		while (*link && *link != e)
			link = &(*link)->chain[k];
		if (*link)
			*link = e->chain[k];
	}
	e->lru_prev->lru_next = e->lru_next;
	e->lru_next->lru_prev = e->lru_prev;
	c->n--;
	entry_free(e);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	while (c->lru.lru_next != &c->lru)
		remove_entry(c, c->lru.lru_next);
	free(c);
}

/* ---- making an entry ---- */

static size_t text_bytes(const struct live_source *s)
{
	size_t n = s->public_id.n + s->provider.n + s->name.n + s->service_name.n + s->allowed_ips.n + s->settings.n
		+ s->services.n + s->key_hash.n + s->key_old_hash.n;

	for (size_t i = 0; i < s->secret_n; i++)
		n += s->secrets[i].n;
	return n + 1;
}

static void move_text(struct str *s, char **to)
{
	if (!s->p)
		return;
	memcpy(*to, s->p, s->n);
	s->p = *to;
	*to += s->n;
}

static void copy_texts(struct cached_source *e)
{
	struct str *texts[] = { &e->s.public_id, &e->s.provider, &e->s.name, &e->s.service_name, &e->s.allowed_ips, &e->s.settings,
		&e->s.services, &e->s.key_hash, &e->s.key_old_hash };
	char *to;

	e->block_n = text_bytes(&e->s);
	e->block = to = xmalloc(e->block_n);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		move_text(texts[i], &to);
	for (size_t i = 0; i < e->s.secret_n; i++)
		move_text(&e->s.secrets[i], &to);
}

static const struct json *parsed(struct arena *a, struct str text)
{
	const struct json *doc;
	struct err e = { 0 };

	return text.n && json_parse(a, text, &doc, &e) ? doc : NULL;
}

/* Settings and address list were checked when they were stored; one that does not parse allows nobody. */
static void parse_settings(struct cached_source *e)
{
	struct arena *a = arena_new(1 << 20);
	struct cidr *list = NULL;
	struct err err = { 0 };

	if (e->s.allowed_ips.n && cidr_list(a, e->s.allowed_ips, &list, &e->allowed_n, &err) && e->allowed_n) {
		e->allowed = xmalloc(e->allowed_n * sizeof(*list));
		memcpy(e->allowed, list, e->allowed_n * sizeof(*list));
	}
	arena_free(a);
	if (!e->s.settings.n && !e->s.services.n)
		return;
	e->settings_arena = arena_new(SETTINGS_MAX);
	e->settings = parsed(e->settings_arena, e->s.settings);
	e->services = parsed(e->settings_arena, e->s.services);
}

static struct cached_source *entry_new(const struct live_source *s, const struct seal_key *seal, uint64_t generation, ms_t now)
{
	struct cached_source *e = xcalloc(1, sizeof(*e));

	e->s = *s;
	copy_texts(e);
	parse_settings(e);
	e->provider = provider_find(e->s.provider);
	open_settings(e, seal);
	e->per_minute = (uint32_t)s->rate_per_minute;
	if (s->rate_per_minute == RATE_DEFAULT)
		e->per_minute = e->provider ? provider_per_minute(e->provider) : 0;
	e->rate_key = hash_name(LOOKUP_ID, e->s.public_id) | 1;
	e->generation = generation;
	e->loaded_at = now;
	return e;
}

void cache_put(struct cache *c, const struct live_source *s, uint64_t generation, ms_t now)
{
	struct cached_source *e;

	cache_forget(c, LOOKUP_ID, s->public_id);
	while (c->n >= c->max)
		remove_entry(c, c->lru.lru_prev);
	e = entry_new(s, c->seal, generation, now);
	for (int k = 0; k < CACHE_NAMES; k++) {
		struct str name = entry_name(e, k);
		struct cached_source **head;

		if (!name.n)
			continue;
		head = &c->bucket[k][hash_name(kinds[k], name) % BUCKETS];
		e->chain[k] = *head;
		*head = e;
	}
	e->lru_next = c->lru.lru_next;
	e->lru_prev = &c->lru;
	e->lru_next->lru_prev = e;
	c->lru.lru_next = e;
	c->n++;
}

struct cached_source *cache_find(struct cache *c, enum lookup_kind kind, struct str name)
{
	struct cached_source *e = find(c, kind, name);

	if (!e || e == c->lru.lru_next)
		return e;
	e->lru_prev->lru_next = e->lru_next;
	e->lru_next->lru_prev = e->lru_prev;
	e->lru_next = c->lru.lru_next;
	e->lru_prev = &c->lru;
	e->lru_next->lru_prev = e;
	c->lru.lru_next = e;
	return e;
}

/* What is of the future was noted before the clock was set back: nobody knows how old it is. */
static bool is_within(ms_t noted_at, ms_t now, ms_t span)
{
	return noted_at <= now && now - noted_at < span;
}

bool cache_is_fresh(const struct cached_source *e, uint64_t generation, ms_t now)
{
	return e->generation == generation && is_within(e->loaded_at, now, INGEST_CACHE_FRESH_MS);
}

void cache_forget(struct cache *c, enum lookup_kind kind, struct str name)
{
	struct cached_source *e = find(c, kind, name);

	if (e)
		remove_entry(c, e);
}

/* ---- names that do not exist ---- */

void cache_put_absent(struct cache *c, enum lookup_kind kind, struct str name, uint64_t generation, ms_t now)
{
	c->absent[c->absent_next++ % ABSENT_MAX] = (struct absent){ hash_name(kind, name), generation, now };
}

bool cache_is_absent(const struct cache *c, enum lookup_kind kind, struct str name, uint64_t generation, ms_t now)
{
	uint64_t h = hash_name(kind, name);

	for (size_t i = 0; i < ABSENT_MAX; i++) {
		const struct absent *x = &c->absent[i];

		if (x->hash == h && x->generation == generation && is_within(x->at, now, ABSENT_MS))
			return true;
	}
	return false;
}
