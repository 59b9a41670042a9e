/* cron_args.h - the command line of grapnel-cron. */
#ifndef CRON_ARGS_H
#define CRON_ARGS_H

#include "grapnel/job.h"

enum cron_exit {
	CRON_OK = 0,
	CRON_FAILED = 1,	/* a job; the others ran */
	CRON_USAGE = 2,
	CRON_NO_DATABASE = 3,
};

struct cron_wish {
	const char *conf_path;
	bool list, dry_run, json, verbose;
	const struct job *only[JOBS_MAX + 1];
	struct str only_names[JOBS_MAX];	/* as they were given: maybe with a host */
	size_t only_n;
};

/* False: nothing is left to do but to end with *status; what is wrong was said. */
bool cron_args(struct cron_wish *w, int argc, char **argv, int *status);

#endif
