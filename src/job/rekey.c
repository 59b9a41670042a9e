/* rekey.c - every sealed value under the key that seals now, while all programs run.
 *
 * From the moment in which the key file is replaced nobody seals with the old key any more (see key_file.c), so what is left to do only
 * gets less: walk through all columns, seal anew what is under another key, in short transactions that each name the value they replace.
 * Nothing is remembered of the way but the values themselves: who is killed begins again and finds less. A transaction that sealed before
 * the file changed may commit behind the walk, so the walk is repeated until one finds nothing. */
#include "grapnel/job.h"

#define ROWS_AT_ONCE 100		/* of a transaction: their locks are held for a part of 100 ms */
#define CHUNK_MAX (32u << 20)		/* rows of at most 4 KiB, or 32 settings of 64 KiB, as they are, parsed and sealed */
#define PASSES_MAX 20

struct pass {
	const struct rekey_config *c;
	struct rekey_result *out;
	struct arena *a;
	unsigned number;		/* of the key that seals */
	uint64_t before, seen, sealed, lost;	/* before: rows when it began, for the progress */
};

static unsigned first_number(const struct seal_key *k)
{
	unsigned char numbers[SEAL_KEYS_MAX];

	return seal_key_numbers(k, numbers) ? numbers[0] : 0;
}

static bool goes_on(const struct pass *p)
{
	return !p->c->stop || !*p->c->stop;
}

/* ---- how many, under which key ---- */

static bool count_column(struct db *db, struct arena *a, size_t column, uint64_t counts[SEAL_KEYS_MAX + 1], struct err *e)
{
	struct sealed_walk walk = { .over = false };
	struct sealed_row *rows;
	size_t n;

	while (!walk.over) {
		if (!sealed_rows(db, a, column, &walk, ROWS_AT_ONCE, &rows, &n, e))
			return false;
		for (size_t i = 0; i < n; i++)
			counts[sealed_by(rows[i].sealed)]++;
		arena_reset(a);
	}
	return true;
}

bool sealed_counts(struct db *db, uint64_t counts[SEAL_KEYS_MAX + 1], struct err *e)
{
	struct arena *a = arena_new(CHUNK_MAX);
	bool ok = true;

	memset(counts, 0, (SEAL_KEYS_MAX + 1) * sizeof(*counts));
	for (size_t column = 0; ok && sealed_what(column); column++)
		ok = count_column(db, a, column, counts, e);
	arena_free(a);
	return ok;
}

/* ---- one chunk ---- */

struct chunk {
	struct pass *pass;
	size_t column, n;
	struct sealed_row *rows;
	struct str *anew;
	uint64_t replaced;
};

static bool replace_tx(struct db *db, void *ctx, struct err *e)
{
	struct chunk *ch = ctx;
	uint64_t one;

	ch->replaced = 0;
	for (size_t i = 0; i < ch->n; i++) {
		if (!sealed_replace(db, ch->pass->a, ch->column, &ch->rows[i], ch->anew[i], &one, e))
			return false;
		ch->replaced += one;
	}
	return true;
}

/* What does not open stays as it is: perhaps its key comes back. */
static void take(struct chunk *ch, const struct sealed_row *row)
{
	struct pass *p = ch->pass;
	char *context = arena_cstr(p->a, row->context);
	struct err why = { 0 };
	struct str plain;

	if (sealed_by(row->sealed) == p->number)
		return;
	if (!unseal(p->a, p->c->seal, row->sealed, context, &plain, &why)) {
		if (!p->lost++)
			snprintf(p->out->first_lost, sizeof(p->out->first_lost), "%s of %.*s: %.100s", sealed_what(ch->column),
				STR_ARG(str_cut(row->owner, 60)), why.text);
		return;
	}
	ch->rows[ch->n] = *row;
	ch->anew[ch->n++] = seal(p->a, p->c->seal, plain, context);
	secret_wipe((char *)plain.p, plain.n);
}

static void tell(struct pass *p, size_t rows)
{
	p->seen += rows;
	if (p->c->progress)
		p->c->progress(p->c->ctx, "secrets", p->before ? (double)p->seen / (double)p->before : 1, p->seen);
}

static bool column_pass(struct pass *p, size_t column, struct err *e)
{
	struct sealed_walk walk = { .over = false };

	while (!walk.over && goes_on(p)) {
		struct chunk ch = { .pass = p, .column = column };
		size_t n;

		if (!sealed_rows(p->c->db, p->a, column, &walk, ROWS_AT_ONCE, &ch.rows, &n, e))
			return false;
		ch.anew = ARENA_ARRAY(p->a, struct str, n);
		for (size_t i = 0; i < n; i++)
			take(&ch, &ch.rows[i]);
		if (ch.n && !db_tx(p->c->db, replace_tx, &ch, e))
			return false;
		p->sealed += ch.replaced;
		tell(p, n);
		arena_reset(p->a);
	}
	return true;
}

/* ---- all of it ---- */

static bool run(struct pass *p, struct err *e)
{
	struct rekey_result *out = p->out;

	do {
		p->seen = p->sealed = p->lost = 0;
		p->number = first_number(p->c->seal);	/* two who rotate at once end with the newest */
		for (size_t column = 0; sealed_what(column) && goes_on(p); column++)
			if (!column_pass(p, column, e))
				return false;
		out->sealed += p->sealed;
		out->lost = p->lost;
		out->passes++;
	} while (p->sealed && goes_on(p) && out->passes < PASSES_MAX);
	out->key = p->number;
	out->stopped = !goes_on(p) || p->sealed;
	return true;
}

/* A rotation that did not end left values under other keys of the file: it goes on. Else one begins. */
static bool choose(const struct rekey_config *c, unsigned to, uint64_t *rows, struct err *e)
{
	uint64_t counts[SEAL_KEYS_MAX + 1];
	unsigned char numbers[SEAL_KEYS_MAX];
	size_t n = seal_key_numbers(c->seal, numbers);
	unsigned added;

	if (!sealed_counts(c->db, counts, e))
		return false;
	*rows = 0;
	for (size_t i = 0; i <= SEAL_KEYS_MAX; i++)
		*rows += counts[i];
	if (to)
		return seal_key_prefer(c->key_file, to, e);
	for (size_t i = 1; i < n; i++)
		if (counts[numbers[i]])
			return true;
	return seal_key_add(c->key_file, true, &added, e);
}

bool rekey(const struct rekey_config *c, unsigned to, const struct who *who, ms_t now, struct rekey_result *out, struct err *e)
{
	struct pass p = { .c = c, .out = out };
	char detail[96];
	bool ok;

	*out = (struct rekey_result){ .key = 0 };
	if (!choose(c, to, &p.before, e))
		return false;
	p.a = arena_new(CHUNK_MAX);
	ok = run(&p, e);
	arena_free(p.a);
	snprintf(detail, sizeof(detail), "{\"key\":%llu,\"sealed\":%llu,\"lost\":%llu}", (unsigned long long)out->key,
		(unsigned long long)out->sealed, (unsigned long long)out->lost);
	return ok && audit_add(c->db, who, "secrets.rekey", STR_NONE, str_of(detail), now, e);
}
