/* login.c - name and password, then a code where one is set up.
 *
 * A guesser is slowed per account, whoever asks, and per address, whichever account; only failures count, and a success
 * gives an address nothing back, else one own account would pay for guessing at others. Nothing tells whether a name
 * exists: an unknown one has its buckets too, and costs a hash as well. The wait grows because each bucket has a second
 * one with a longer window behind it. Nobody is locked out for good: that would hand everybody a way to do it to others.
 *
 * The second step must not carry the password through the page, so the first gives out a ticket: user, time and a
 * digest of the stored hash, sealed. */
#include <inttypes.h>

#include "grapnel/account.h"

#include "grapnel/net.h"

#define TICKET_LIFE_MS (5 * MS_PER_MINUTE)
#define TICKET_CONTEXT "login-ticket"
#define TENANT_OF_STRANGERS 1	/* where failures of unknown names are noted: the default tenant is the host's own */
#define STRANGERS_PER_HOUR 1000	/* such entries, so that strangers cannot fill the database */

struct limit {
	uint32_t failures;
	ms_t window;
};
static const struct limit account_limits[] = { { 10, 5 * MS_PER_MINUTE }, { 30, MS_PER_HOUR } };
static const struct limit address_limits[] = { { 30, 5 * MS_PER_MINUTE }, { 100, MS_PER_HOUR } };
#define LIMITS ARRAY_SIZE(account_limits)
_Static_assert(ARRAY_SIZE(address_limits) == LIMITS, "both are walked together");

struct attempt {
	struct db *db;
	struct arena *a;
	struct shm *shm;
	const struct seal_key *seal;
	const struct login *in;
	struct str name;
	ms_t now;
	uint64_t account_keys[LIMITS], address_keys[LIMITS];
	struct user user;
	bool known;		/* user is filled */
};

/* ---- throttle ---- */

static uint64_t key_of(const char *what, size_t i, const void *p, size_t n)
{
	const struct str parts[] = { str_of(what), { (const char *)&i, sizeof(i) }, { p, n } };
	unsigned char digest[DIGEST_MAX];
	uint64_t key;

	hmac(DIGEST_SHA256, STR("login"), parts, ARRAY_SIZE(parts), digest);
	memcpy(&key, digest, sizeof(key));
	return key | 1;
}

static void keys_make(struct attempt *t)
{
	struct ip ip = { { 0 } };
	uint64_t address = ip_parse(t->in->remote_addr, &ip) ? ip_hash(&ip) : 0;

	for (size_t i = 0; i < LIMITS; i++) {
		t->account_keys[i] = key_of("account", i, t->name.p, t->name.n);
		t->address_keys[i] = key_of("address", i, &address, sizeof(address));
	}
}

static ms_t wait_of(const struct attempt *t)
{
	ms_t wait = 0;

	for (size_t i = 0; i < LIMITS; i++) {
		const struct limit *by_name = &account_limits[i], *by_ip = &address_limits[i];
		ms_t account = rate_peek_in(t->shm, t->account_keys[i], by_name->failures, by_name->window, t->now).retry_after_ms;
		ms_t address = rate_peek_in(t->shm, t->address_keys[i], by_ip->failures, by_ip->window, t->now).retry_after_ms;

		wait = account > wait ? account : wait;
		wait = address > wait ? address : wait;
	}
	return wait;
}

static void count_failure(const struct attempt *t)
{
	for (size_t i = 0; i < LIMITS; i++) {
		rate_take_in(t->shm, t->account_keys[i], account_limits[i].failures, account_limits[i].window, t->now);
		rate_take_in(t->shm, t->address_keys[i], address_limits[i].failures, address_limits[i].window, t->now);
	}
}

/* ---- audit ---- */

static bool note(const struct attempt *t, const char *action, struct str detail, struct err *e)
{
	struct who who = { .tenant_id = TENANT_OF_STRANGERS, .actor = ACTOR_PERSON, .remote_addr = t->in->remote_addr };

	if (t->known) {
		who.tenant_id = (uint32_t)t->user.tenant_id;
		who.user_id = (uint32_t)t->user.id;
	} else if (!hourly_take(t->shm, key_of("strangers", 0, "", 0), STRANGERS_PER_HOUR, t->now)) {
		return true;
	}
	return audit_add(t->db, &who, action, t->known ? t->user.public_id : STR(""), detail, t->now, e);
}

/* What was typed as an unknown name is not kept: it may be a password in the wrong field. */
static bool refuse(const struct attempt *t, enum login_answer answer, const char *reason, struct login_result *out, struct err *e)
{
	out->answer = answer;
	count_failure(t);
	return note(t, "user.sign_in_refused", arena_printf(t->a, "{\"reason\":\"%s\"}", reason), e);
}

/* ---- the ticket between the steps ---- */

static struct str ticket_text(const struct attempt *t, ms_t made)
{
	return arena_printf(t->a, "%.*s %" PRId64 " %.*s", STR_ARG(t->user.public_id), made,
		STR_ARG(sha256_hex(t->a, t->user.password_hash)));
}

static struct str ticket_make(const struct attempt *t)
{
	struct str sealed = seal(t->a, t->seal, ticket_text(t, t->now), TICKET_CONTEXT);

	return base64url_encode(t->a, sealed.p, sealed.n);
}

/* 1 the user of the ticket, its password unchanged; 0 stale; -1 failed. */
static int ticket_open(struct attempt *t, struct err *e)
{
	struct str sealed, text, id, time;
	struct err unopened = { 0 };
	int64_t made;
	int found;

	if (!base64_decode(t->a, t->in->ticket, true, &sealed) || !unseal(t->a, t->seal, sealed, TICKET_CONTEXT, &text, &unopened))
		return 0;
	time = text;
	id = str_word(&time);
	if (!str_i64(str_word(&time), &made) || t->now - made > TICKET_LIFE_MS)
		return 0;
	found = user_by_public_id(t->db, t->a, 0, id, &t->user, e);
	t->known = found == 1;
	if (found == 1 && (!t->user.enabled || !str_eq(text, ticket_text(t, made))))
		return 0;
	return found;
}

/* ---- the steps ---- */

static bool take_code(struct attempt *t, struct login_result *out, struct err *e)
{
	int64_t step = 0;
	int good = totp_check(t->a, t->seal, t->user.public_id, t->user.totp_sealed, t->in->code, t->now, t->user.totp_step, &step, e);

	if (good == 1)
		good = user_totp_use(t->db, t->user.id, step, e);
	if (good < 0)
		return false;
	if (good)
		return true;
	out->ticket = ticket_make(t);
	return refuse(t, LOGIN_TOTP_WRONG, "wrong code", out, e);
}

/* After name and password, or the ticket of both. */
static bool go_on(struct attempt *t, struct login_result *out, struct err *e)
{
	if (t->user.totp_sealed.n && !t->in->code.n) {
		out->answer = LOGIN_TOTP_NEEDED;
		out->ticket = ticket_make(t);
		return true;
	}
	out->answer = LOGIN_OK;
	if (t->user.totp_sealed.n && !take_code(t, out, e))
		return false;
	if (out->answer != LOGIN_OK)
		return true;
	out->user_id = t->user.id;
	return note(t, "user.sign_in", STR_NONE, e);
}

static bool begin(struct attempt *t, struct login_result *out, struct err *e)
{
	int found = str_is_utf8(t->name) ? user_by_name(t->db, t->a, t->name, &t->user, e) : 0;
	struct err ignored = { 0 };
	struct str unused;

	if (found < 0)
		return false;
	t->known = found;
	if (found && t->user.password_hash.n) {
		if (!password_verify(t->in->password, t->user.password_hash))
			return refuse(t, LOGIN_WRONG, "wrong password", out, e);
		if (!t->user.enabled)
			return refuse(t, LOGIN_WRONG, "disabled", out, e);
		return go_on(t, out, e);
	}
	/* To make a hash costs what it costs to verify one. */
	if (!password_hash(t->a, t->in->password, &unused, &ignored) && ignored.code == ERR_BUG)
		*e = ignored;
	return !e->code && refuse(t, LOGIN_WRONG, found ? "no password set" : "unknown name", out, e);
}

bool login_confirm(struct db *db, struct arena *a, struct shm *shm, const struct user *user, struct str password, struct str remote_addr,
	ms_t now, struct login_result *out, struct err *e)
{
	const struct login in = { .remote_addr = remote_addr };
	struct attempt t = { .db = db, .a = a, .shm = shm, .in = &in, .name = user->name, .now = now, .user = *user, .known = true };

	*out = (struct login_result){ .answer = LOGIN_OK, .user_id = user->id };
	keys_make(&t);
	out->wait_ms = wait_of(&t);
	if (out->wait_ms)
		out->answer = LOGIN_THROTTLED;
	else if (!password_verify(password, user->password_hash))
		return refuse(&t, LOGIN_WRONG, "wrong password", out, e);
	return true;
}

bool login_try(struct db *db, struct arena *a, struct shm *shm, const struct seal_key *seal, const struct login *in, ms_t now,
	struct login_result *out, struct err *e)
{
	/* A collation of MariaDB takes no notice of blanks at the end, so the bucket must not either. */
	struct attempt t = { .db = db, .a = a, .shm = shm, .seal = seal, .in = in, .name = str_trim(in->name), .now = now };
	int open = 1;

	*out = (struct login_result){ .answer = LOGIN_STALE };
	if (in->ticket.n) {
		open = ticket_open(&t, e);
		if (open != 1)
			return open == 0;
		t.name = t.user.name;
	}
	keys_make(&t);
	out->wait_ms = wait_of(&t);
	if (out->wait_ms) {
		out->answer = LOGIN_THROTTLED;
		return true;
	}
	return in->ticket.n ? go_on(&t, out, e) : begin(&t, out, e);
}
