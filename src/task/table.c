/* table.c - all kinds of tasks. How to add: a file whose foot is a const struct task_kind, and a line here. */
#include "task_int.h"

const struct task_kind *const task_kinds[] = {
	&task_replay,
	NULL
};

const struct task_kind *task_kind_find(struct str slug)
{
	for (size_t i = 0; task_kinds[i]; i++)
		if (str_eqs(slug, task_kinds[i]->slug))
			return task_kinds[i];
	return NULL;
}
