/* storage.c - notes how large the tables are: what the forecast of a full disk stands on. That is nothing to tell of each hour, so
 * it counts no rows. */
#include "job_int.h"

#define KEPT_MS (40 * MS_PER_DAY)
#define LIMIT 500

static bool run(struct job_run *r, struct err *e)
{
	uint64_t n = LIMIT;

	if (r->c->dry_run)
		return true;
	while (n == LIMIT)
		if (!table_sizes_forget(r->c->db, job_now(r) - KEPT_MS, LIMIT, &n, e))
			return false;
	return table_sizes_note(r->c->db, job_now(r), e);
}

const struct job job_storage = {
	.facts = { .name = "storage", .schedule = { .every_min = 60 },
		.help = "Notes how large the tables are, for the forecast of a full disk." },
	.run = run,
};
