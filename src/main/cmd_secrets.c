/* cmd_secrets.c - the key file that seals secrets in the database: made, looked at, rotated. */
#include "ctl_int.h"
#include "stop.h"

#include "grapnel/job.h"
#include "grapnel/spool.h"

/* ---- secrets init ---- */

struct made {
	struct str key_file;
};

static const struct field fields[] = {
	FIELD_STR(struct made, key_file, "keyFile", ""),
	FIELD_END
};

static bool init(struct ctl *c, struct err *e)
{
	struct made a = { str_of(c->conf.secrets.key_file) };

	if (!seal_key_create(c->conf.secrets.key_file, e))
		return false;
	ctl_one(c, fields, &a);
	return true;
}

/* ---- secrets list ---- */

struct key_row {
	uint64_t number, values, spooled;
	bool seals, in_file;
};

static const struct field key_fields[] = {
	FIELD_U64(struct key_row, number, "number", ""),
	FIELD_BOOL(struct key_row, in_file, "inFile", ""),
	FIELD_BOOL(struct key_row, seals, "seals", ""),
	FIELD_U64(struct key_row, values, "values", ""),
	FIELD_U64(struct key_row, spooled, "spooled", ""),
	FIELD_END
};

/* What each key is needed for, in the database and on this host. */
static bool tally(struct ctl *c, uint64_t values[SEAL_KEYS_MAX + 1], uint64_t spooled[SEAL_KEYS_MAX + 1], struct err *e)
{
	memset(spooled, 0, (SEAL_KEYS_MAX + 1) * sizeof(*spooled));
	return sealed_counts(c->db, values, e) && spool_count_keys(c->conf.spool.directory, spooled, e);
}

static bool list(struct ctl *c, struct err *e)
{
	uint64_t values[SEAL_KEYS_MAX + 1], spooled[SEAL_KEYS_MAX + 1];
	unsigned char numbers[SEAL_KEYS_MAX];
	struct key_row rows[SEAL_KEYS_MAX + 1];
	size_t known = seal_key_numbers(c->seal, numbers), n = 0;

	if (!tally(c, values, spooled, e))
		return false;
	for (size_t i = 0; i < known; i++) {
		unsigned k = numbers[i];

		rows[n++] = (struct key_row){ k, values[k], spooled[k], i == 0, true };
		values[k] = spooled[k] = 0;
	}
	for (unsigned k = 1; k <= SEAL_KEYS_MAX; k++)
		if (values[k] + spooled[k])
			rows[n++] = (struct key_row){ k, values[k], spooled[k], false, false };
	ctl_list(c, "keys", key_fields, "number inFile seals values spooled", rows, n, sizeof(*rows), 0);
	return true;
}

/* ---- secrets rekey ---- */

static const struct field rekey_fields[] = {
	FIELD_U64(struct rekey_result, key, "key", ""),
	FIELD_U64(struct rekey_result, sealed, "sealed", ""),
	FIELD_U64(struct rekey_result, lost, "lost", ""),
	FIELD_U64(struct rekey_result, passes, "passes", ""),
	FIELD_BOOL(struct rekey_result, stopped, "stopped", ""),
	FIELD_END
};

static const struct field prepared_fields[] = {
	FIELD_U64(struct rekey_result, key, "key", ""),
	FIELD_END
};

static bool prepare(struct ctl *c, struct err *e)
{
	struct rekey_result x = { 0 };
	unsigned number;

	if (!seal_key_add(c->conf.secrets.key_file, false, &number, e))
		return false;
	x.key = number;
	if (c->json)
		ctl_one(c, prepared_fields, &x);
	else
		ctl_done(c, "key %u is in %s and seals nothing yet; copy the file to all hosts, then: grapnelctl secrets rekey --to %u",
			number, c->conf.secrets.key_file, number);
	return true;
}

static void show(void *ctx, const char *what, double done, uint64_t n)
{
	ctl_progress(ctx, what, done, n);
}

static void say(const struct rekey_result *x)
{
	printf("%s; key %llu seals, %llu values were sealed anew\n", x->stopped ? "stopped; the same command goes on" : "done",
		(unsigned long long)x->key, (unsigned long long)x->sealed);
	if (x->lost)
		printf("%llu values do not open and stayed as they are: %s\n", (unsigned long long)x->lost, x->first_lost);
	else if (!x->stopped)
		puts("keep a copy of the key file; when an old key can go, grapnelctl secrets list tells");
}

static bool run_rekey(struct ctl *c, struct err *e)
{
	struct ctl_progress progress = { .ctl = c };
	struct rekey_result x = { 0 };
	uint64_t to = 0;
	bool ok;

	if (!ctl_number(c, "to", 1, SEAL_KEYS_MAX, &to, e))
		return false;
	if (to && ctl_has(c, "prepare"))
		return err_set(e, ERR_INVALID, "--prepare makes a key that --to uses later, when all hosts have it");
	if (ctl_has(c, "prepare"))
		return prepare(c, e);
	if (!to && !ctl_sure(c, "Seal all secrets with a new key? Other hosts of this database need it before: see --prepare.", e))
		return false;
	stop_catch();
	ok = rekey(&(struct rekey_config){ c->db, c->seal, c->conf.secrets.key_file, &told_to_stop, show, &progress }, (unsigned)to,
		&c->who, c->now, &x, e);
	ctl_progress_end(&progress);
	if (!ok)
		return false;
	if (c->json)
		ctl_one(c, rekey_fields, &x);
	else
		say(&x);
	c->said_no = x.lost || x.stopped;
	return true;
}

/* ---- secrets drop ---- */

static bool drop(struct ctl *c, struct err *e)
{
	uint64_t values[SEAL_KEYS_MAX + 1], spooled[SEAL_KEYS_MAX + 1], number;

	if (!str_u64(ctl_word(c, 0), &number) || number < 1 || number > SEAL_KEYS_MAX)
		return err_set(e, ERR_INVALID, "the number of a key is 1 to %d, not \"%s\"", SEAL_KEYS_MAX, c->words[0]);
	if (!tally(c, values, spooled, e))
		return false;
	if (values[number] || spooled[number])
		return err_set(e, ERR_CONFLICT, "%llu values in the database and %llu requests in the spool are sealed with key %llu",
			(unsigned long long)values[number], (unsigned long long)spooled[number], (unsigned long long)number);
	if (!ctl_sure(c, "Remove this key? Backups that were made before the rotation need it.", e) ||
			!seal_key_drop(c->conf.secrets.key_file, (unsigned)number, e) ||
			!audit_add(c->db, &c->who, "secrets.drop", ctl_word(c, 0), STR_NONE, c->now, e))
		return false;
	ctl_done(c, "key %s is gone from %s", c->words[0], c->conf.secrets.key_file);
	return true;
}

static const struct ctl_option rekey_options[] = {
	{ "prepare", NULL, "only makes the key, so that it can be copied to the other hosts first" },
	{ "to", "NUMBER", "seals with this key of the file, which all hosts have" },
	{ "yes", NULL, "does not ask" },
	{ 0 }
};

static const struct ctl_option drop_options[] = {
	{ "yes", NULL, "does not ask" },
	{ 0 }
};

const struct command secrets_commands[] = {
	{ "secrets init", "", NULL, NEED_CONF, init, "makes the key file; keep a copy of it apart from the database" },
	{ "secrets list", "", NULL, NEED_SCHEMA | NEED_KEY, list, "says what each key is still needed for, in the database and the spool of this host" },
	{ "secrets rekey", "", rekey_options, NEED_SCHEMA | NEED_KEY, run_rekey,
		"makes a new key and seals all secrets with it, while everything runs; goes on where it was stopped" },
	{ "secrets drop", "NUMBER", drop_options, NEED_SCHEMA | NEED_KEY, drop, "removes a key that seals nothing any more" },
	{ 0 }
};
