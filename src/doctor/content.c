/* content.c - what the database holds: secrets that open, somebody who can sign in, integrations of types that there are, certificates
 * that have not ended; and what cron says there of its runs. */
#include "doctor_int.h"

#include <inttypes.h>

#include "grapnel/job.h"
#include "grapnel/keys.h"
#include "grapnel/provider.h"
#include "grapnel/view.h"

/* ---- sealed secrets ---- */

#define ROWS_AT_ONCE 500
#define CHUNK_MAX (32u << 20)	/* 500 rows of at most 4 KiB, or 32 settings of 64 KiB, as they are, parsed and opened */

struct opening_tally {
	uint64_t n, lost;
	char first[200];	/* of those that do not open */
};

static void try_one(struct doctor *d, struct arena *a, const struct sealed_row *row, struct opening_tally *t)
{
	struct err e = { 0 };
	struct str plain;

	t->n++;
	if (unseal(a, d->seal, row->sealed, arena_cstr(a, row->context), &plain, &e)) {
		secret_wipe((char *)plain.p, plain.n);
		return;
	}
	if (!t->lost++)
		snprintf(t->first, sizeof(t->first), "%.*s: %.120s", STR_ARG(str_cut(row->owner, 60)), e.text);
}

static bool try_column(struct doctor *d, size_t column, struct opening_tally *t, struct err *e)
{
	struct arena *a = arena_new(CHUNK_MAX);
	struct sealed_walk walk = { .over = false };
	bool ok = true;

	while (ok && !walk.over) {
		struct sealed_row *rows;
		size_t n = 0;

		ok = sealed_rows(d->db, a, column, &walk, ROWS_AT_ONCE, &rows, &n, e);
		for (size_t i = 0; ok && i < n; i++)
			try_one(d, a, &rows[i], t);
		arena_reset(a);
	}
	arena_free(a);
	return ok;
}

static void look_sealed_secrets(struct doctor *d)
{
	size_t before = said(d);
	uint64_t all = 0;

	for (size_t i = 0; sealed_what(i); i++) {
		struct opening_tally t = { 0 };
		struct err e = { 0 };

		if (!try_column(d, i, &t, &e))
			say(d, DOCTOR_FAIL, NULL, "%s: %s", sealed_what(i), e.text);
		else if (t.lost)
			say(d, DOCTOR_FAIL, how(d, "put the line of the old key back into %s; or set each secret anew", d->conf.secrets.key_file),
				"%s: %" PRIu64 " of %" PRIu64 " cannot be opened, the first is of %s", sealed_what(i), t.lost, t.n, t.first);
		all += t.n;
	}
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "all %" PRIu64 " open", all);
}

const struct doctor_check check_sealed_secrets = {
	"sealed-secrets", "every secret in the database opens with the key file", HAS_SCHEMA | HAS_KEY, 0, look_sealed_secrets
};

/* ---- the rotation of the key ---- */

static void look_key_rotation(struct doctor *d)
{
	uint64_t counts[SEAL_KEYS_MAX + 1], old = 0;
	unsigned char numbers[SEAL_KEYS_MAX];
	size_t n = seal_key_numbers(d->seal, numbers);
	struct err e = { 0 };

	if (!sealed_counts(d->db, counts, &e)) {
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
		return;
	}
	for (size_t i = 1; i < n; i++)
		old += counts[numbers[i]];
	if (old)
		say(d, DOCTOR_WARN, "grapnelctl secrets rekey goes on", "a rotation was not ended: %" PRIu64 " secrets are sealed with a key before key %u", old,
			numbers[0]);
	else
		say(d, DOCTOR_OK, NULL, "all are sealed with key %u", numbers[0]);
}

const struct doctor_check check_key_rotation = {
	"key-rotation", "a rotation of the key was carried to its end", HAS_SCHEMA | HAS_KEY, 0, look_key_rotation
};

/* ---- people ---- */

static void look_administrators(struct doctor *d)
{
	struct administrators x = { 0 };
	struct err e = { 0 };

	if (!user_administrators(d->db, d->a, &x, &e))
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
	else if (!x.n)
		say(d, DOCTOR_FAIL, "grapnelctl user add NAME --role admin --platform", "there is no administrator who can sign in");
	else if (x.with_totp < x.n)
		say(d, DOCTOR_WARN, "each opens Account in the dashboard and sets up an authenticator app",
			"%" PRIu64 " of %" PRIu64 " administrators sign in with a password alone", x.n - x.with_totp, x.n);
	else
		say(d, DOCTOR_OK, NULL, "%" PRIu64 ", each with a second factor", x.n);
}

const struct doctor_check check_administrators = {
	"administrators", "somebody can sign in and administer, and not with a password alone", HAS_SCHEMA, 0, look_administrators
};

/* ---- integrations ---- */

static void look_integrations(struct doctor *d)
{
	struct source_type *types;
	struct err e = { 0 };
	uint64_t all = 0, disabled = 0;
	size_t n, before = said(d);

	if (!source_types(d->db, d->a, &types, &n, &e)) {
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		all += types[i].n;
		disabled += types[i].disabled;
		if (!provider_find(types[i].provider))
			say(d, DOCTOR_FAIL, "install the version that knew it, or delete them",
				"%" PRIu64 " integrations are of the type \"%.*s\", which this version does not know", types[i].n,
				STR_ARG(types[i].provider));
	}
	if (all && disabled == all)
		say(d, DOCTOR_WARN, "enable those that are in use: Integrations in the dashboard", "all %" PRIu64 " integrations are disabled", all);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%" PRIu64 ", %" PRIu64 " of them disabled", all, disabled);
}

const struct doctor_check check_integrations = {
	"integrations", "integrations are of types that this version knows, and not all disabled", HAS_SCHEMA, 0, look_integrations
};

/* ---- certificates that an administrator put here ---- */

#define KEYS_MAX 1000
#define SOON_MS (14 * MS_PER_DAY)

static void look_at_key(struct doctor *d, const struct stored_key *k)
{
	struct key_facts facts;
	struct err e = { 0 };
	char day[TIME_TEXT];

	if (!k->pinned || !k->text.p)
		return;
	if (!key_facts_read(d->a, k->text, &facts, &e)) {
		say(d, DOCTOR_FAIL, "grapnelctl key add URL FILE", "%.*s: %s", STR_ARG(k->url), e.text);
		return;
	}
	if (!facts.ends_at || facts.ends_at > d->c->now + SOON_MS)
		return;
	time_format(facts.ends_at, day);
	say(d, facts.ends_at > d->c->now ? DOCTOR_WARN : DOCTOR_FAIL, "grapnelctl key add URL FILE with the new one, or key remove URL", "%.*s %s on %.10s",
		STR_ARG(k->url), facts.ends_at > d->c->now ? "ends" : "has ended", day);
}

static void look_provider_keys(struct doctor *d)
{
	struct stored_key *keys;
	struct err e = { 0 };
	size_t n, before = said(d);

	if (!stored_key_list(d->db, d->a, KEYS_MAX, &keys, &n, &e)) {
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		look_at_key(d, &keys[i]);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%zu are kept", n);
}

const struct doctor_check check_provider_keys = {
	"provider-keys", "certificates of providers that were added by hand have not ended", HAS_SCHEMA, 0, look_provider_keys
};

/* ---- cron ---- */

static void look_cron(struct doctor *d)
{
	const char *mend = how(d, "as %s each minute: * * * * * grapnel-cron -c %s; contrib/cron.d/grapnel has it", d->service.name, d->c->conf_path);
	struct cron_watch w;
	struct err e = { 0 };

	if (!cron_watch(d->db, d->a, d->c->now, &w, &e))
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
	else if (w.late && !w.last_at)
		say(d, DOCTOR_FAIL, mend, "grapnel-cron has never run: nothing is tried again, resolved or cleaned up");
	else if (w.late)
		say(d, DOCTOR_FAIL, mend, "grapnel-cron ran last %lld minutes ago: nothing is tried again, resolved or cleaned up",
			(long long)((d->c->now - w.last_at) / MS_PER_MINUTE));
	else
		say(d, DOCTOR_OK, NULL, "it runs each minute");
}

const struct doctor_check check_cron = {
	"cron", "grapnel-cron runs each minute", HAS_SCHEMA | HAS_SERVICE, 0, look_cron
};

static void look_jobs(struct doctor *d)
{
	size_t facts_n, n, before = said(d);
	const struct job_facts *facts = job_facts_all(d->a, &facts_n);
	struct job_view *v;
	struct err e = { 0 };

	if (!job_view_list(d->db, d->a, facts, facts_n, zone_offset, d->c->now, &v, &n, &e)) {
		say(d, DOCTOR_FAIL, NULL, "%s", e.text);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (v[i].error.n)
			say(d, DOCTOR_FAIL, how(d, "mend the cause, then grapnel-cron %.*s", STR_ARG(v[i].name)), "%.*s failed: %.*s", STR_ARG(v[i].name),
				STR_ARG(v[i].error));
		else if (v[i].late && v[i].last_started_at)
			say(d, DOCTOR_WARN, how(d, "grapnel-cron -v %.*s says what it does", STR_ARG(v[i].name)), "%.*s has not run for three periods",
				STR_ARG(v[i].name));
	}
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "all %zu are well", n);
}

const struct doctor_check check_jobs = {
	"jobs", "the jobs of cron end well", HAS_SCHEMA, 0, look_jobs
};
