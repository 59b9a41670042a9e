/* ctl_caller.c - the command line as one who asks for things: it may do whatever a platform admin may. */
#include "ctl_int.h"
#include "id_worker.h"

#include "grapnel/resource.h"

struct caller ctl_caller(struct ctl *c)
{
	id_maker_init(&c->ids, id_worker_of_program(&c->conf));
	return (struct caller){ .db = c->db, .shm = c->shm, .seal = c->seal, .conf = &c->conf, .ids = &c->ids, .a = c->arena,
		.principal = { .tenant_id = c->tenant_id, .role = ROLE_ADMIN, .scopes = SCOPE_ALL, .platform_admin = true,
			.user_name = STR("grapnelctl") },
		.command_line = true, .tenant_id = c->tenant_id, .now = c->now };
}
