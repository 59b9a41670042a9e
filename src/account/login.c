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
#define STRANGERS_KEY UINT64_C(0x5354524e47455253)	/* of their bucket: no source has it */

static const struct throttle throttle_account = { "account", { { 10, 5 * MS_PER_MINUTE }, { 30, MS_PER_HOUR } } };

struct attempt {
	struct db *db;
	struct arena *a;
	struct shm *shm;
	const struct seal_key *seal;
	const struct login *in;
	struct str name;
	ms_t now;
	struct str address;	/* whose failures those are */
	struct user user;
	bool known;		/* user is filled */
};

/* ---- throttle ---- */

static ms_t wait_of(const struct attempt *t)
{
	ms_t account = throttle_wait(t->shm, &throttle_account, t->name, t->now);
	ms_t address = throttle_wait(t->shm, &throttle_address, t->address, t->now);

	return account > address ? account : address;
}

static void count_failure(const struct attempt *t)
{
	throttle_failure(t->shm, &throttle_account, t->name, t->now);
	throttle_failure(t->shm, &throttle_address, t->address, t->now);
}

/* ---- audit ---- */

static bool note(const struct attempt *t, const char *action, struct str detail, struct err *e)
{
	struct who who = { .tenant_id = TENANT_OF_STRANGERS, .actor = ACTOR_PERSON, .remote_addr = t->in->remote_addr };

	if (t->known) {
		who.tenant_id = (uint32_t)t->user.tenant_id;
		who.user_id = (uint32_t)t->user.id;
	} else if (!hourly_take(t->shm, STRANGERS_KEY, STRANGERS_PER_HOUR, t->now)) {
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
	struct attempt t = { .db = db, .a = a, .shm = shm, .in = &in, .name = user->name, .now = now, .user = *user, .known = true,
		.address = throttle_whose(a, "sign-in", remote_addr) };

	*out = (struct login_result){ .answer = LOGIN_OK, .user_id = user->id };
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
	struct attempt t = { .db = db, .a = a, .shm = shm, .seal = seal, .in = in, .name = str_trim(in->name), .now = now,
		.address = throttle_whose(a, "sign-in", in->remote_addr) };
	int open = 1;

	*out = (struct login_result){ .answer = LOGIN_STALE };
	if (in->ticket.n) {
		open = ticket_open(&t, e);
		if (open != 1)
			return open == 0;
		t.name = t.user.name;
	}
	out->wait_ms = wait_of(&t);
	if (out->wait_ms) {
		out->answer = LOGIN_THROTTLED;
		return true;
	}
	return in->ticket.n ? go_on(&t, out, e) : begin(&t, out, e);
}
