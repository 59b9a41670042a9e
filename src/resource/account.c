/* account.c - what a person does about himself: password, authenticator app, sessions. What could lock him out or let another
 * in asks for the password again, since the one at the keyboard may be another by now. */
#include "resource_int.h"

#define CODE_TEXT_MAX 32	/* with the blanks that people type */

const struct form_field password_fields[] = {
	{ "current", TEXT_AT(struct password_form, current), FORM_REQUIRED, 0, 511, .help = "The password until now" },
	{ "password", TEXT_AT(struct password_form, password), FORM_REQUIRED, 0, 511, .help = "The new one" },
	{ "repeated", TEXT_AT(struct password_form, repeated), FORM_REQUIRED, 0, 511, .help = "The new one again" },
	FORM_END
};

const struct form_field code_fields[] = {
	{ "code", TEXT_AT(struct code_form, code), FORM_REQUIRED, 0, CODE_TEXT_MAX, .help = "What the app shows" },
	FORM_END
};

const struct form_field confirm_fields[] = {
	{ "current", TEXT_AT(struct confirm_form, current), FORM_REQUIRED, 0, 511, .help = "The password" },
	FORM_END
};

/* Oneself, as stored. */
static bool self(struct db *db, const struct caller *by, struct user *u, struct err *e)
{
	int found = user_by_public_id(db, by->a, 0, by->principal.user_public_id, u, e);

	return found == 1 || (!found && err_set(e, ERR_NOT_FOUND, "there is no such user any more"));
}

static bool confirm(const struct caller *by, const struct user *u, struct str password, struct err *e)
{
	struct login_result r;

	if (!login_confirm(by->db, by->a, by->shm, u, password, by->remote_addr, by->now, &r, e))
		return false;
	if (r.answer == LOGIN_THROTTLED)
		return err_field(e, ERR_INVALID, "current", "Too many wrong passwords. Try again in %lld seconds.",
			(long long)((r.wait_ms + 999) / 1000));
	return r.answer == LOGIN_OK || err_field(e, ERR_INVALID, "current", "This is not your password.");
}

static bool note(struct db *db, const struct caller *by, const char *action, struct str object, struct str detail, struct err *e)
{
	struct who who = caller_who(by, by->principal.tenant_id);

	return audit_add(db, &who, action, object, detail, by->now, e);
}

static struct str ended_detail(const struct caller *by, uint64_t ended)
{
	return arena_printf(by->a, "{\"sessionsEnded\":%llu}", (unsigned long long)ended);
}

/* ---- password ---- */

struct password_change {
	const struct caller *by;
	struct str password;
	uint64_t *ended;
};

static bool password_tx(struct db *db, void *ctx, struct err *e)
{
	struct password_change *c = ctx;
	const struct caller *by = c->by;

	return user_set_password(db, by->a, by->principal.user_id, c->password, e) &&
		session_rows_end(db, by->principal.user_id, by->session_id, c->ended, e) &&
		note(db, by, "user.password", by->principal.user_public_id, ended_detail(by, *c->ended), e);
}

bool account_set_password(const struct caller *by, const struct password_form *f, uint64_t *ended, struct err *e)
{
	struct password_change c = { by, f->password, ended };
	struct user u = { 0 };

	if (!self(by->db, by, &u, e) || !account_password_check(f->password, u.name, e))
		return false;
	if (!str_eq(f->password, f->repeated))
		return err_field(e, ERR_INVALID, "repeated", "The two new passwords differ.");
	return confirm(by, &u, f->current, e) && db_tx(by->db, password_tx, &c, e);
}

/* ---- authenticator app ---- */

bool account_totp_begin(const struct caller *by, struct err *e)
{
	struct user u = { 0 };

	if (!self(by->db, by, &u, e))
		return false;
	if (u.totp_sealed.n)
		return err_tell(e, ERR_CONFLICT, "An authenticator app is set up already. Remove it first.");
	return user_totp_pending(by->db, u.id, totp_make(by->a, by->seal, u.public_id), e);
}

bool account_totp_cancel(const struct caller *by, struct err *e)
{
	return user_totp_pending(by->db, by->principal.user_id, STR_NONE, e);
}

struct totp_change {
	const struct caller *by;
	struct str sealed;	/* the seed that the code belongs to */
	int64_t step;
};

static bool totp_confirm_tx(struct db *db, void *ctx, struct err *e)
{
	struct totp_change *c = ctx;

	return user_totp_confirm(db, c->by->principal.user_id, c->sealed, c->step, e) &&
		note(db, c->by, "user.totp_on", c->by->principal.user_public_id, STR_NONE, e);
}

bool account_totp_confirm(const struct caller *by, const struct code_form *f, struct err *e)
{
	struct totp_change c = { .by = by };
	struct user u = { 0 };
	int good;

	if (!self(by->db, by, &u, e))
		return false;
	if (!u.totp_pending_sealed.n)
		return err_tell(e, ERR_CONFLICT, "There is no code to confirm. Begin to set up the app again.");
	c.sealed = u.totp_pending_sealed;
	good = totp_check(by->a, by->seal, u.public_id, c.sealed, f->code, by->now, 0, &c.step, e);
	if (!good)
		return err_field(e, ERR_INVALID, "code", "This is not the code of now. Is the clock of the phone right?");
	return good == 1 && db_tx(by->db, totp_confirm_tx, &c, e);
}

static bool totp_end_tx(struct db *db, void *ctx, struct err *e)
{
	const struct caller *by = ctx;

	return user_totp_remove(db, by->principal.user_id, e) &&
		note(db, by, "user.totp_off", by->principal.user_public_id, STR_NONE, e);
}

bool account_totp_end(const struct caller *by, const struct confirm_form *f, struct err *e)
{
	struct user u = { 0 };

	return self(by->db, by, &u, e) && confirm(by, &u, f->current, e) && db_tx(by->db, totp_end_tx, (void *)by, e);
}

/* ---- sessions ---- */

struct session_ending {
	const struct caller *by;
	struct str public_id;
	uint64_t ended;
};

static bool session_end_tx(struct db *db, void *ctx, struct err *e)
{
	struct session_ending *c = ctx;
	int done = session_row_end_one(db, c->by->principal.user_id, c->public_id, e);

	c->ended = done == 1;
	return done >= 0 && (!done || note(db, c->by, "session.end", c->public_id, STR_NONE, e));
}

bool account_session_end(const struct caller *by, struct str public_id, struct err *e)
{
	struct session_ending c = { .by = by, .public_id = public_id };

	return db_tx(by->db, session_end_tx, &c, e) && (c.ended || err_set(e, ERR_NOT_FOUND, "there is no such session"));
}

static bool sessions_end_tx(struct db *db, void *ctx, struct err *e)
{
	struct session_ending *c = ctx;

	return session_rows_end(db, c->by->principal.user_id, c->by->session_id, &c->ended, e) &&
		note(db, c->by, "user.sessions_end", c->by->principal.user_public_id, ended_detail(c->by, c->ended), e);
}

bool account_sessions_end(const struct caller *by, uint64_t *ended, struct err *e)
{
	struct session_ending c = { .by = by };
	bool done = db_tx(by->db, sessions_end_tx, &c, e);

	*ended = c.ended;
	return done;
}
