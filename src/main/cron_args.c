/* cron_args.c - see cron_args.h. */
#include "cron_args.h"

#include <getopt.h>
#include <stdio.h>

#include "config.h"

static int usage(FILE *to, int status)
{
	fprintf(to, "usage: grapnel-cron [-v] [-c FILE] [--json] [--dry-run] [JOB...]\n"
		"       grapnel-cron [-c FILE] [--json] --list\n"
		"       grapnel-cron --help | --version\n\n"
		"Runs the jobs that are due, or those named whether due or not. To be called each minute.\n\n"
		"  -c, --config FILE  the configuration, if not " GRAPNEL_SYSCONFDIR "/grapnel/grapnel.conf\n"
		"      --list         says when each job runs, ran last, and how that went\n"
		"      --dry-run      says what all jobs, or those named, would do, and changes nothing\n"
		"      --json         answers in JSON\n"
		"  -v, --verbose      says what was done; else only what failed\n\njobs:\n");
	for (size_t i = 0; jobs[i]; i++)
		fprintf(to, "  %-14s %s\n", jobs[i]->facts.name, jobs[i]->facts.help);
	return status;
}

static bool complain(const char *what)
{
	fprintf(stderr, "grapnel-cron: %s\n", what);
	return false;
}

static bool take_job(struct cron_wish *w, const char *name)
{
	const struct job *job = job_find(str_of(name));

	for (size_t i = 0; i < w->only_n; i++)
		if (w->only[i] == job)
			return true;
	if (!job) {
		fprintf(stderr, "grapnel-cron: there is no job \"%s\"; see grapnel-cron --list\n", name);
		return false;
	}
	w->only_names[w->only_n] = str_of(name);
	w->only[w->only_n++] = job;
	return true;
}

bool cron_args(struct cron_wish *w, int argc, char **argv, int *status)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "list", no_argument, NULL, 'l' },
		{ "dry-run", no_argument, NULL, 'n' }, { "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { 0 }
	};
	int option;

	*status = CRON_USAGE;
	while ((option = getopt_long(argc, argv, "c:vh", options, NULL)) != -1) {
		switch (option) {
		case 'c': w->conf_path = optarg; break;
		case 'l': w->list = true; break;
		case 'n': w->dry_run = true; break;
		case 'j': w->json = true; break;
		case 'v': w->verbose = true; break;
		case 'h': *status = usage(stdout, CRON_OK); return false;
		case 'V': *status = puts("grapnel-cron " PACKAGE_VERSION) < 0; return false;
		default: return false;	/* getopt has said why */
		}
	}
	for (; optind < argc; optind++)
		if (!take_job(w, argv[optind]))
			return false;
	return !w->list || (!w->only_n && !w->dry_run) || complain("--list goes with nothing but --config and --json");
}
