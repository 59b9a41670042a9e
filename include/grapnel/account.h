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

/* For audit log and timeline. */
struct who account_who(const struct principal *p, uint64_t tenant_id, struct str remote_addr);

#endif
