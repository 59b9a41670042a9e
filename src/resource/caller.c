/* caller.c - who asks. */
#include "grapnel/resource.h"

struct who caller_who(const struct caller *by, uint64_t tenant_id)
{
	struct who who = account_who(&by->principal, tenant_id, by->remote_addr);

	if (by->command_line)
		who.actor = AUDIT_COMMAND_LINE;
	return who;
}
