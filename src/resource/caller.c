/* caller.c - who asks. */
#include "grapnel/resource.h"

struct who caller_who(const struct caller *by, uint64_t tenant_id)
{
	return account_who(&by->principal, tenant_id, by->remote_addr);
}
