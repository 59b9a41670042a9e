/* jobs.h - what cron does: the jobs, and their last runs. */
#ifndef GRAPNEL_DASH_JOBS_H
#define GRAPNEL_DASH_JOBS_H

#include "dash_int.h"

struct jobs_page {
	struct page page;
	struct str zone;		/* of times of day, or empty: the host's */
	struct cron_watch cron;
	struct job_view *jobs;
	size_t jobs_n;
	struct chip *chips;		/* whose runs are shown */
	size_t chips_n;
	bool notable, filtered;
	struct str other_url;		/* with the runs that found nothing to do, or without */
	struct job_run_view *runs;
	size_t runs_n;
	struct list_nav nav;
};

void page_jobs(void *visit);
void page_job_run(void *visit);

#endif
