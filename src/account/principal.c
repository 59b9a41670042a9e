/* principal.c - from a bearer token to rights. */
#include <inttypes.h>

#include "grapnel/account.h"

#define TOKEN_TEXT_MAX 255	/* ours have 46 characters; more is not worth hashing */

/* RFC 6750, section 2.1; the scheme's name has no case (RFC 9110, section 11.1). */
static struct str bearer_text(struct str authorization)
{
	struct str scheme = str_word(&authorization), text = str_trim(authorization);

	return str_ieqs(scheme, "Bearer") && text.n <= TOKEN_TEXT_MAX ? text : STR_NONE;
}

int account_bearer(struct db *db, struct arena *a, struct str authorization, ms_t now,
	struct principal *out, struct err *e)
{
	struct str text = bearer_text(authorization);

	return text.n ? token_principal(db, a, text, now, out, e) : 0;
}

bool account_has_role(const struct principal *p, unsigned needs)
{
	return p->platform_admin || p->role >= (uint64_t)NEED_ROLE(needs);
}

bool account_has_scope(const struct principal *p, unsigned needs)
{
	return p->scopes & SCOPE_ADMIN || p->scopes & NEED_SCOPES(needs);
}

int account_tenant(struct db *db, struct arena *a, const struct principal *p, struct str wanted,
	uint64_t *tenant_id, struct err *e)
{
	struct tenant t;
	int found;

	*tenant_id = p->tenant_id;
	if (!wanted.n)
		return 1;
	if (!p->platform_admin) {
		err_field(e, ERR_DENIED, "tenant", "user %" PRIu64 " is no platform admin",
			p->user_id);
		return -1;
	}
	*tenant_id = 0;
	if (str_eqs(wanted, "all"))
		return 1;
	found = tenant_by_name(db, a, wanted, &t, e);
	if (found == 1)
		*tenant_id = t.id;
	return found;
}

struct who account_who(const struct principal *p, uint64_t tenant_id, struct str remote_addr)
{
	return (struct who){
		.tenant_id = (uint32_t)tenant_id,
		.user_id = (uint32_t)p->user_id,
		.token_id = (uint32_t)p->token_id,
		.actor = 3,
		.remote_addr = remote_addr,
	};
}
