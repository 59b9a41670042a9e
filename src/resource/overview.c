/* overview.c - is everything all right? With the thresholds of this installation. */
#include "grapnel/job.h"
#include "grapnel/resource.h"

bool overview_by(const struct caller *by, struct overview *out, struct err *e)
{
	const struct monitor_limits limits = job_monitor_limits(by->conf);

	return overview_get(by->db, by->a, by->tenant_id, &limits, by->conf->monitor.window_minutes, by->now, out, e);
}
