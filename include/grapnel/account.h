/* account.h - who calls, and what he may do.
 *
 * A caller is a *principal*: the user behind a bearer token, with the role of the user and the
 * scopes of the token. A right needs both: the role says what the person may do, the scopes what
 * this token may do of it. What a route needs is one number of its table, made by NEED. */
#ifndef GRAPNEL_ACCOUNT_H
#define GRAPNEL_ACCOUNT_H

#include "grapnel/base.h"
#include "grapnel/store.h"

/* At least this role, and one of these scopes. NEED_NOTHING: open to everybody, no token is looked
 * at. */
#define NEED(role, scopes) ((unsigned)(role) | (unsigned)(scopes) << 8)
#define NEED_NOTHING 0u
#define NEED_PLATFORM (1u << 28)	/* a platform admin, beside the role: what is the installation's, not a tenant's */
#define NEED_ROLE(needs) ((enum role)((needs) & 3))
#define NEED_SCOPES(needs) ((needs) >> 8 & SCOPE_ALL)

/* The principal of an Authorization header "Bearer <token>". 1 found; 0 no such header or no living
 * token of that text; -1 failed. */
int account_bearer(struct db *db, struct arena *a, struct str authorization, ms_t now,
	struct principal *out, struct err *e) MUST_USE;

/* A platform admin is an admin everywhere. */
bool account_has_role(const struct principal *p, unsigned needs);
/* The scope `admin` holds all others. */
bool account_has_scope(const struct principal *p, unsigned needs);

/* Whose things this call is about: the principal's own tenant, unless a platform admin names
 * another one, or "all", which gives 0. 1 done; 0 no such tenant; -1 failed (ERR_DENIED: somebody
 * else named a tenant). */
int account_tenant(struct db *db, struct arena *a, const struct principal *p, struct str wanted,
	uint64_t *tenant_id, struct err *e) MUST_USE;

/* ---- sessions of the dashboard (session.c) ---- */

#define CSRF_LIFE_MS (12 * MS_PER_HOUR)
#define SESSION_TEXT 44				/* 43 characters of base64url and NUL */

/* [web] session_idle_minutes and session_max_hours. */
struct session_life {
	ms_t idle_ms;			/* without a page */
	ms_t max_ms;			/* whatever happens */
};
struct session {
	struct str text;		/* of the cookie */
	struct str public_id;		/* se_... */
	struct principal principal;	/* all scopes: a person may do what the role says */
	ms_t created_at, last_seen_at, expires_at;
	struct str flash_sealed;	/* n 0: none */
};
/* The living session of that cookie text: 1, 0, -1. Where a person asks, last_seen_at is noted, at most once a minute. */
int session_find(struct db *db, struct arena *a, struct str text, const struct session_life *life, ms_t now, bool person, struct session *out,
	struct err *e) MUST_USE;
/* A new one, always with a new id. */
bool session_begin(struct db *db, struct arena *a, const struct session_life *life, uint64_t user_id, struct str remote_addr,
	struct str user_agent, ms_t now, struct session *out, struct err *e) MUST_USE;
bool session_end(struct db *db, struct arena *a, struct str text, struct err *e) MUST_USE;
/* Puts what the next page says; empty removes it. */
bool session_flash(struct db *db, struct arena *a, const struct session *s, struct str sealed, struct err *e) MUST_USE;
/* The living ones of a user, newest first. */
bool session_list(struct db *db, struct arena *a, const struct session_life *life, uint64_t user_id, ms_t now, struct session_row **out,
	size_t *n, struct err *e) MUST_USE;

/* ---- csrf.c ---- */

/* A token bound to `secret` (the session's text, or that of the cookie before sign-in) and a time: made from both, nothing is
 * stored. csrf_check: 1 good; 0 expired; -1 not ours. */
struct str csrf_make(struct arena *a, struct str secret, ms_t now);
int csrf_check(struct str secret, struct str token, ms_t now);

/* ---- throttle.c: whoever fails too often waits ---- */

#define THROTTLE_WINDOWS 2	/* the second is longer: so the wait grows */
struct throttle {
	const char *what;	/* names its buckets */
	struct throttle_limit {
		uint32_t failures;
		ms_t window;
	} limits[THROTTLE_WINDOWS];
};
extern const struct throttle throttle_address;	/* failures of one address, at one kind of thing: 30 in 5 minutes, 100 in an hour */
ms_t throttle_wait(struct shm *shm, const struct throttle *t, struct str whose, ms_t now);	/* 0: he may try */
void throttle_failure(struct shm *shm, const struct throttle *t, struct str whose, ms_t now);
/* Whose failures those are, for a thing: of IPv6 the network that one customer has. Valid as long as the arena is. */
struct str throttle_whose(struct arena *a, const char *thing, struct str remote_addr);

/* ---- sign-in (login.c) ---- */

enum login_answer {
	LOGIN_OK,
	LOGIN_WRONG,		/* name or password, not said which */
	LOGIN_TOTP_NEEDED,	/* the password is right, a code is set up and none was given: try again with `ticket` */
	LOGIN_TOTP_WRONG,
	LOGIN_STALE,		/* the ticket is too old, or the password was changed meanwhile: begin again */
	LOGIN_THROTTLED,	/* too many failures of this account or address: wait_ms */
};
struct login {
	struct str name, password;
	struct str ticket;	/* instead of both: proves that the password was right a moment ago */
	struct str code;	/* of the app, or empty */
	struct str remote_addr;
};
struct login_result {
	enum login_answer answer;
	uint64_t user_id;	/* LOGIN_OK */
	ms_t wait_ms;		/* LOGIN_THROTTLED */
	struct str ticket;	/* LOGIN_TOTP_NEEDED, LOGIN_TOTP_WRONG */
};
/* Only failures count against account and address. Writes an audit entry either way. Takes as long for a name that does not exist.
 * False: could not be judged, *e. */
bool login_try(struct db *db, struct arena *a, struct shm *shm, const struct seal_key *seal, const struct login *in, ms_t now,
	struct login_result *out, struct err *e) MUST_USE;

/* The password of somebody who is signed in, asked again before something grave: LOGIN_OK, LOGIN_WRONG or LOGIN_THROTTLED. Failures
 * count as at sign-in. */
bool login_confirm(struct db *db, struct arena *a, struct shm *shm, const struct user *user, struct str password, struct str remote_addr,
	ms_t now, struct login_result *out, struct err *e) MUST_USE;

/* ---- password.c ---- */

#define PASSWORD_MIN_CHARS 8	/* what people choose; NIST SP 800-63B, section 5.1.1 */
/* May `user_name` choose it? ERR_INVALID with a sentence, field "password". */
bool account_password_check(struct str password, struct str user_name, struct err *e) MUST_USE;

/* ---- codes of an authenticator app (totp.c) ---- */

#define TOTP_DIGITS 6
/* A new seed, sealed for that user. */
struct str totp_make(struct arena *a, const struct seal_key *seal, struct str user_public_id);
/* What the app needs: the key in base 32, and the otpauth:// URL that a QR code carries. */
struct totp_setup {
	struct str key, url;
};
bool totp_setup(struct arena *a, const struct seal_key *seal, struct str user_public_id, struct str sealed, struct str user_name,
	struct str issuer, struct totp_setup *out, struct err *e) MUST_USE;
/* Is it the code of the step of `now`, the one before or after, and newer than `used_step`? 1 yes, *step; 0 no; -1 the seed does not
 * open under our keys. Whoever takes it stores *step by compare-and-set (user_totp_use): a code serves once. */
int totp_check(struct arena *a, const struct seal_key *seal, struct str user_public_id, struct str sealed, struct str code, ms_t now,
	int64_t used_step, int64_t *step, struct err *e) MUST_USE;

/* For audit log and timeline. */
struct who account_who(const struct principal *p, uint64_t tenant_id, struct str remote_addr);

#endif
