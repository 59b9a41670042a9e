/* grapnel_cron.c - one run of cron: the jobs that are due, or those named. Wiring; src/job does it. Silent while all is well, since cron
 * mails whatever is printed. */
#include <unistd.h>

#include "config.h"
#include "grapnel/job.h"
#include "grapnel/json.h"
#include "grapnel/log.h"
#include "grapnel/trace.h"

#include "cron_args.h"
#include "id_worker.h"
#include "open_db.h"
#include "stop.h"

#define JSON_MAX (1u << 20)

struct cron {
	struct cron_wish wish;
	struct conf conf;
	struct db *db;
	struct shm *shm;
	struct seal_key *seal;
	struct spans *spans;
	struct arena *a;
	ms_t now;
};

static void complain(const char *what)
{
	fprintf(stderr, "grapnel-cron: %s\n", what);
}

/* ---- answers ---- */

static void print_json(struct cron *c, const struct field *fields, const void *rows, size_t size, size_t n)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, c->a, JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "jobs");
	json_rows(&o, fields, rows, size, n);
	json_close(&o, '}');
	printf("%.*s\n", STR_ARG(strbuf_str(&b)));
}

static void print_results(struct cron *c, const struct job_result *x, size_t n)
{
	if (c->wish.json)
		print_json(c, job_result_fields, x, sizeof(*x), n);
	for (size_t i = 0; i < n; i++) {
		if (x[i].outcome == JOB_FAILED && c->conf.log.target != LOG_TARGET_STDERR)	/* else the log has said so */
			fprintf(stderr, "grapnel-cron: %.*s: %.*s\n", STR_ARG(x[i].name), STR_ARG(x[i].error));
		if (!c->wish.json && (c->wish.verbose || c->wish.dry_run || c->wish.only_n))
			printf("%-14.*s %-11s %6llu ms  %.*s\n", STR_ARG(x[i].name),
				c->wish.dry_run && x[i].outcome == JOB_DONE ? "would do" : job_outcome_word(x[i].outcome),
				(unsigned long long)x[i].duration_ms, STR_ARG(x[i].counts.n ? x[i].counts : STR("nothing")));
	}
}

static enum cron_exit list(struct cron *c, struct err *e)
{
	char last[TIME_TEXT], next[TIME_TEXT];
	struct job_view *v;
	size_t facts_n, n;
	const struct job_facts *facts = job_facts_all(c->a, &facts_n);

	if (!job_view_list(c->db, c->a, facts, facts_n, zone_offset, c->now, &v, &n, e))
		return CRON_FAILED;
	if (c->wish.json) {
		print_json(c, job_view_fields, v, sizeof(*v), n);
		return CRON_OK;
	}
	printf("%-14s %-17s %-24s %9s  %-10s %8s  %-24s\n", "JOB", "SCHEDULE", "LAST RUN", "TOOK", "RESULT", "ROWS", "NEXT RUN");
	for (size_t i = 0; i < n; i++)
		printf("%-14.*s %-17.*s %-24s %6llu ms  %-10.*s %8llu  %-24s%s%.*s\n", STR_ARG(v[i].name), STR_ARG(v[i].schedule),
			v[i].last_started_at ? time_format(v[i].last_started_at, last) : "never",
			(unsigned long long)v[i].last_duration_ms, STR_ARG(v[i].result), (unsigned long long)v[i].last_touched,
			time_format(v[i].next_at, next), v[i].late ? "  LATE" : v[i].error.n ? "  " : "", STR_ARG(v[i].error));
	return CRON_OK;
}

/* ---- the run ---- */

static enum cron_exit run(struct cron *c, struct err *e)
{
	struct job_result results[JOBS_MAX];
	struct id_maker ids;
	const struct job_config jc = { .db = c->db, .shm = c->shm, .conf = &c->conf, .seal = c->seal, .ids = &ids, .spans = c->spans, .now = c->now,
		.limit_ms = c->conf.cron.time_limit_s * MS_PER_SECOND, .dry_run = c->wish.dry_run, .stop = &told_to_stop };
	const struct job *const *only = c->wish.only_n ? c->wish.only : c->wish.dry_run ? jobs : NULL;
	enum cron_exit status = CRON_OK;
	size_t n;

	id_maker_init(&ids, id_worker_of_program(&c->conf));
	if (!jobs_run(&jc, c->a, only, results, &n, e))
		return CRON_FAILED;
	print_results(c, results, n);
	for (size_t i = 0; i < n; i++)
		if (results[i].outcome == JOB_FAILED)
			status = CRON_FAILED;
	return status;
}

/* Which host this is stands in the configuration. */
static bool are_here(const struct cron *c, struct err *e)
{
	for (size_t i = 0; i < c->wish.only_n; i++)
		if (!job_here(c->wish.only_names[i], c->conf.server.node, e))
			return false;
	return true;
}

static enum cron_exit open_and_run(struct cron *c, struct err *e)
{
	enum cron_exit status = CRON_FAILED;
	struct err no_key = { 0 };

	if (!conf_load(&c->conf, c->wish.conf_path, e))
		return CRON_FAILED;
	if (!are_here(c, e))
		return CRON_USAGE;
	zone_set(c->conf.cron.timezone);
	log_init("grapnel-cron", c->conf.log.target, c->conf.log.level, c->conf.log.format);
	stop_catch();
	c->db = open_db(&c->conf);
	if (!db_connect(c->db, e))
		return CRON_NO_DATABASE;
	if (!access(c->conf.server.state_file, F_OK))
		c->shm = shm_open_existing(c->conf.server.state_file, &(struct err){ 0 });
	if (*c->conf.tracing.endpoint)
		c->spans = spans_open(c->conf.server.state_file, c->shm, c->conf.tracing.sample_ratio);
	c->seal = seal_key_load(c->conf.secrets.key_file, &no_key);
	if (!c->seal)
		log_warning("sealed secrets cannot be opened", LOG_ERR(&no_key));
	if (open_db_schema(c->db, e))
		status = c->wish.list ? list(c, e) : run(c, e);
	return e->code && db_trouble(c->db) == DB_LOST ? CRON_NO_DATABASE : status;
}

int main(int argc, char **argv)
{
	struct cron c = { .wish = { .conf_path = GRAPNEL_SYSCONFDIR "/grapnel/grapnel.conf" }, .a = arena_new(16 << 20), .now = clock_now() };
	struct err e = { 0 };
	int status;

	standard_files();
	if (cron_args(&c.wish, argc, argv, &status))
		status = open_and_run(&c, &e);
	if (e.code)
		complain(e.text);
	if (fflush(stdout) || ferror(stdout)) {
		complain("the answer could not be written");
		status = status ? status : CRON_FAILED;
	}
	if (c.shm)
		shm_close(c.shm);
	spans_free(c.spans);
	seal_key_free(c.seal);
	db_free(c.db);
	conf_free(&c.conf);
	arena_free(c.a);
	return status;
}
