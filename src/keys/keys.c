/* keys.c - from a URL to a document: memory, database, host. keys.h says how long each lasts and what fetching may cost.
 *
 * An entry of the memory is a row of the database as it was read, looked at again when somebody on this host changed something (the
 * generation of sources), and once a minute for other hosts. What was tried and not had is remembered in the same way: the row says when,
 * and nobody tries again within a minute. */
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "grapnel/log.h"
#include "keys_int.h"

#define ENTRIES 32		/* a worker meets few: one key set each for Google and Microsoft's tenants, a certificate per region of AWS */
#define SCRATCH_MAX (16u << 20)	/* a document, its copy, and its tree */
#define AGAIN_MS MS_PER_MINUTE	/* between two attempts, and between two looks at a row */
#define SOON_MS MS_PER_SECOND	/* the same while another worker may be fetching */
#define AGE_MIN_S 300
#define AGE_MAX_S 86400
#define AGE_DEFAULT_S 3600
#define KEPT_MS (7 * MS_PER_DAY)
#define CONNECT_MS 2000
#define TOTAL_MS 5000

struct entry {
	char *url;		/* NULL = free */
	struct stored_key row;	/* url and text point into this entry's own memory */
	bool is_certificate;
	uint64_t generation;	/* when it was read */
	ms_t looked_at;
	uint64_t used;		/* greater = later */
};

struct keys {
	struct key_store store;	/* first: that is what others hold */
	struct keys_config c;
	struct entry entries[ENTRIES];
	uint64_t uses;
	uint64_t generation;	/* when the question came: what changes while it is answered is looked for with the next */
	struct arena *scratch;
	X509_STORE *roots;
	struct asker *asker;
};

static bool within(ms_t t, ms_t span, ms_t now)
{
	/* A time further ahead than clocks of hosts differ was written by one that was wrong. */
	return t && now - t < span && t - now < MS_PER_MINUTE;
}

/* ---- the memory ---- */

static struct entry *find(struct keys *k, struct str url)
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (k->entries[i].url && str_eqs(url, k->entries[i].url)) {
			k->entries[i].used = ++k->uses;
			return &k->entries[i];
		}
	return NULL;
}

static void clear(struct entry *x)
{
	free(x->url);
	free((char *)x->row.text.p);
	*x = (struct entry){ 0 };
}

static struct entry *oldest(struct keys *k)
{
	struct entry *x = &k->entries[0];

	for (size_t i = 1; i < ENTRIES; i++)
		if (k->entries[i].used < x->used)
			x = &k->entries[i];
	return x;
}

static struct str copy(struct str s)
{
	char *p;

	if (!s.p)
		return STR_NONE;
	p = xmalloc(s.n + 1);
	memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct str){ p, s.n };
}

/* The row is in the scratch memory, or is the entry's own, changed. */
static struct entry *keep(struct keys *k, struct entry *x, struct str url, const struct stored_key *row, ms_t now)
{
	struct key_facts facts = { 0 };
	struct err e = { 0 };
	struct entry fresh = { .url = (char *)copy(url).p, .row = *row, .generation = k->generation, .looked_at = now,
		.used = ++k->uses };

	fresh.row.url = str_of(fresh.url);
	fresh.row.text = copy(row->text);
	if (row->text.p && key_facts_read(k->scratch, row->text, &facts, &e))
		fresh.is_certificate = facts.is_certificate;
	if (!x)
		x = oldest(k);
	clear(x);
	*x = fresh;
	return x;
}

/* ---- the database ---- */

/* While it is away what is in memory serves. */
static struct entry *look(struct keys *k, struct entry *x, struct str url, ms_t now)
{
	struct stored_key row;
	struct err e = { 0 };
	int found = stored_key_get(k->c.db, k->scratch, url, &row, &e);

	if (found == 1)
		return keep(k, x, url, &row, now);
	if (!found && x) {
		clear(x);
		x = NULL;
	}
	return x;
}

/* ---- the host ---- */

static const struct budget fetches = { "fetches", 10, 30 };

static ms_t fresh_until(const struct key_facts *facts, struct str cache_control, ms_t now)
{
	int64_t age = cache_control_age(cache_control);

	if (facts->is_certificate)
		return facts->ends_at;
	if (age < 0)
		age = AGE_DEFAULT_S;
	if (age < AGE_MIN_S)
		age = AGE_MIN_S;
	if (age > AGE_MAX_S)
		age = AGE_MAX_S;
	return now + age * MS_PER_SECOND;
}

/* What the host said, into *row. False: nothing that could be used. */
static bool take_answer(struct keys *k, const struct fetch_answer *answer, ms_t now, struct stored_key *row, struct err *e)
{
	struct key_facts facts;

	row->absent = answer->status == 404 || answer->status == 410;
	if (row->absent)
		return true;
	if (answer->status != 200)
		return err_set(e, ERR_DOWN, "the host answered %u", answer->status);
	if (!key_facts_read(k->scratch, answer->body, &facts, e))
		return false;
	row->text = answer->body;
	row->fetched_at = now;
	row->fresh_until = fresh_until(&facts, answer->cache_control, now);
	return true;
}

static bool ask_host(struct keys *k, struct str url, ms_t now, struct stored_key *row, struct err *e)
{
	struct fetch_request rq = { .url = url, .answer_max = KEY_TEXT_MAX, .connect_ms = CONNECT_MS, .total_ms = TOTAL_MS };
	struct fetch_answer answer;

	count(k->c.shm, C_KEY_FETCHES, 1);
	budget_spend(k->c.shm, &fetches, host_of(url), now);
	if (fetch_run(k->c.fetch, k->scratch, &rq, &answer, e))
		return take_answer(k, &answer, now, row, e);
	budget_spend(k->c.shm, &budget_failures, host_of(url), now);
	return false;
}

/* A document that cannot be stored serves this worker all the same. */
static void store_answer(struct keys *k, struct str url, const struct stored_key *row)
{
	struct err e = { 0 };
	bool ok = row->absent ? stored_key_absent(k->c.db, url, &e) :
		stored_key_put(k->c.db, url, row->text, row->fetched_at, row->fresh_until, &e);

	if (!ok)
		log_warning("a document with keys was fetched but not stored", LOG_STR("url", url), LOG_ERR(&e));
}

static struct entry *fetch(struct keys *k, struct entry *x, struct str url, ms_t now)
{
	struct stored_key row = x ? x->row : (struct stored_key){ .url = url };
	struct str host = host_of(url);
	struct err e = { 0 };

	if (!k->c.fetch || !budget_left(k->c.shm, &fetches, host, now) || !budget_left(k->c.shm, &budget_failures, host, now) ||
		stored_key_claim(k->c.db, url, x ? &x->row : NULL, now, &e) != 1)
		return x;
	row.tried_at = now;
	if (ask_host(k, url, now, &row, &e)) {
		log_info(row.absent ? "the host has no such document with keys" : "fetched a document with keys", LOG_STR("url", url));
		store_answer(k, url, &row);
	} else {
		count(k->c.shm, C_KEY_FETCHES_FAILED, 1);
		log_warning("a document with keys could not be had", LOG_STR("url", url), LOG_ERR(&e));
	}
	return keep(k, x, url, &row, now);
}

/* ---- the three together ---- */

/* It says all that is asked for: the text, as fresh as it must be. */
static bool serves(const struct entry *x, bool refresh, ms_t now)
{
	if (!x || !x->row.text.p)
		return false;
	if (x->row.pinned)
		return true;
	return refresh ? within(x->row.fetched_at, AGAIN_MS, now) : now < x->row.fresh_until;
}

static bool tried(const struct entry *x, ms_t now)
{
	return x && within(x->row.tried_at, AGAIN_MS, now);
}

static bool must_look(const struct keys *k, const struct entry *x, bool refresh, ms_t now)
{
	if (!x || x->generation != k->generation)
		return true;
	return !within(x->looked_at, serves(x, refresh, now) ? AGAIN_MS : SOON_MS, now);
}

static bool is_kept(const struct entry *x, ms_t now)
{
	return x->is_certificate || now < x->row.fresh_until + KEPT_MS;
}

static int document(const struct key_store *s, struct str url, bool refresh, struct key_document *out)
{
	struct keys *k = (struct keys *)s;
	ms_t now = k->c.clock ? k->c.clock() : clock_now();
	struct err e = { 0 };
	struct entry *x;

	if (!key_url_check(url, &e))
		return 0;
	arena_reset(k->scratch);
	k->generation = shm_generation(k->c.shm);
	x = find(k, url);
	if (must_look(k, x, refresh, now))
		x = look(k, x, url, now);
	if (!serves(x, refresh, now) && !tried(x, now))
		x = fetch(k, x, url, now);
	if (serves(x, refresh, now) || (!refresh && x && x->row.text.p && is_kept(x, now))) {
		*out = (struct key_document){ x->row.text, x->row.pinned };
		return 1;
	}
	return x && x->row.absent && tried(x, now) ? 0 : -1;
}

/* ---- authorities ---- */

/* Read when the first chain is checked: most workers never do. */
static X509_STORE *roots(const struct key_store *s)
{
	struct keys *k = (struct keys *)s;

	if (k->roots)
		return k->roots;
	k->roots = X509_STORE_new();
	if (!k->roots || !X509_STORE_set_default_paths(k->roots))
		die("OpenSSL makes no store of certificates");
	if (k->c.authorities && *k->c.authorities && !X509_STORE_load_file(k->roots, k->c.authorities))
		log_error("the file of further authorities cannot be read", LOG_S("file", k->c.authorities));
	return k->roots;
}

/* ---- questions ---- */

static int ask(const struct key_store *s, const struct key_question *q, struct str *answer)
{
	return asker_ask(((const struct keys *)s)->asker, q, answer);
}

/* ---- life ---- */

struct keys *keys_new(const struct keys_config *c)
{
	struct keys *k = xcalloc(1, sizeof(*k));

	k->store = (struct key_store){ document, roots, ask };
	k->c = *c;
	k->asker = asker_new(c);
	k->scratch = arena_new(SCRATCH_MAX);
	return k;
}

void keys_free(struct keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < ENTRIES; i++)
		clear(&k->entries[i]);
	X509_STORE_free(k->roots);
	asker_free(k->asker);
	arena_free(k->scratch);
	free(k);
}

const struct key_store *keys_store(const struct keys *k)
{
	return &k->store;
}
