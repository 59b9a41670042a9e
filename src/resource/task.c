/* task.c - long work as people see and cancel it. */
#include <inttypes.h>

#include "resource_int.h"

const struct form_field task_query_fields[] = {
	{ "limit", NUMBER_AT(struct task_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most tasks in the answer" },
	CURSOR_ROW(struct task_filter, cursor, "tasks"),
	FORM_END
};

bool task_find(const struct caller *by, uint64_t id, struct task_view *out, struct err *e)
{
	int found = task_view_get(by->db, by->a, by->tenant_id, id, out, e);

	return found == 1 || (!found && err_set(e, ERR_NOT_FOUND, "there is no such task"));
}

bool task_cancel_by(const struct caller *by, uint64_t id, struct task_view *out, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	int done;

	if (!task_find(by, id, out, e))
		return false;
	done = task_cancel(by->db, by->tenant_id, id, by->now, e);
	if (done < 0 || (done && !audit_add(by->db, &who, "task.cancel", arena_printf(by->a, "%" PRIu64, id), STR_NONE, by->now, e)))
		return false;
	bell_ring(by->shm);
	if (!task_find(by, id, out, e))
		return false;
	if (done || out->state_n == TASK_CANCELLING || out->state_n == TASK_CANCELLED)
		return true;	/* cancelled once more is cancelled */
	return err_tell(e, ERR_CONFLICT, "It is over already, and nothing of it waits in the queue any more.");
}
