/* spool_drain.c - replays what this host's workers have spooled, oldest first. They do it themselves as soon as they see the database
 * again; this is for what a host left that has none now, and it watches the spool: requests that could not be replayed are told. */
#include <unistd.h>

#include "grapnel/ingest.h"
#include "grapnel/log.h"
#include "grapnel/spool.h"

#include "job_int.h"

#define HOST_TEXT 65			/* a subject holds 64 bytes */
#define HOST_GONE_MS (7 * MS_PER_DAY)

/* ---- replay ---- */

static void tell(struct job_run *r, const struct ingest_replayed *sum)
{
	job_count(r, "requests stored", sum->stored);
	job_count(r, "were stored already", sum->known);
	job_count(r, "cannot be stored", sum->bad);
	job_count(r, "files moved to bad", sum->bad_files);
}

static bool replay(struct job_run *r, struct ingest *g, struct spool_reader *reader, struct err *e)
{
	struct ingest_replayed sum = { 0 };
	int go = 1, more = 1;

	while (more == 1 && (go = job_goes_on(r, e)) == 1) {
		more = ingest_replay(g, reader, r->a, job_now(r), &sum, e);
		arena_reset(r->a);
	}
	tell(r, &sum);
	if (go < 0 || more < 0)
		return false;
	return !sum.stuck_files || err_set(e, ERR_DOWN, "%llu files are done with and cannot be removed; the log says why",
		(unsigned long long)sum.stuck_files);
}

/* The hand of the last drainer is empty, unless it died: whoever holds the spool's lease may look. */
static bool drain_with(struct job_run *r, struct shm *shm, struct spool_reader *reader, struct err *e)
{
	const struct job_config *c = r->c;
	unsigned slot = c->ids->worker % SHM_WORKERS;
	struct ingest *g = ingest_new(&(struct ingest_config){ .db = c->db, .shm = shm, .seal = c->seal, .ids = c->ids, .slot = slot,
		.events_max = c->conf->ingest.batch_events_max, .public_url = c->conf->server.public_url, .spans = c->spans });
	bool ok;

	in_hand_to_suspects(shm, slot, job_now(r));
	ok = replay(r, g, reader, e);
	ingest_free(g);
	return ok;
}

static bool drain(struct job_run *r, struct err *e)
{
	const struct conf *conf = r->c->conf;
	struct shm *shm = r->c->shm ? r->c->shm : shm_private();
	struct spool *s = spool_new(&(struct spool_config){ conf->spool.directory, conf->spool.max_bytes, r->c->seal });
	struct spool_reader *reader;
	int found = spool_reader_new(s, &reader, e);
	bool ok = found >= 0;

	if (found == 1) {
		ok = drain_with(r, shm, reader, e);
		spool_reader_free(reader);
	}
	spool_free(s);
	if (!r->c->shm)
		shm_close(shm);
	return ok;
}

/* ---- what could not be replayed ---- */

static bool watch_bad(struct job_run *r, const struct spool_state *s, struct err *e)
{
	const struct job_config *c = r->c;
	struct monitor_alert m = { .type = STR("SPOOL_BAD"), .severity = MONITOR_ERROR, .value = (double)s->bad_files };
	char host[HOST_TEXT] = "";

	if (gethostname(host, sizeof(host) - 1))
		return err_sys(e, ERR_BUG, "gethostname");
	m.subject = str_of(host);
	if (!s->bad_files)
		return monitor_alert_end(c->db, r->a, c->ids, m.tenant_id, m.type, m.subject, job_now(r), e) >= 0;
	m.id = id_make(c->ids, job_now(r));
	m.message = arena_printf(r->a, "%llu files of the spool of %s hold acknowledged requests that could not be stored.",
		(unsigned long long)s->bad_files, host);
	m.advice = arena_printf(r->a, "grapnelctl spool list names them and the log says why; mend the cause, move them from %s/bad back to %s, "
		"and run grapnelctl spool drain.", c->conf->spool.directory, c->conf->spool.directory);
	return monitor_alert_raise(c->db, r->a, c->ids, &m, job_now(r), e) >= 0;
}

/* ---- all ---- */

static bool run(struct job_run *r, struct err *e)
{
	const struct job_config *c = r->c;
	struct spool_state s = spool_state(c->conf->spool.directory);

	if (c->dry_run) {
		job_count(r, "files to replay", s.files);
		return true;
	}
	if (s.files && !c->seal)
		return err_set(e, ERR_DENIED, "the key file cannot be read, and with it no spooled request");
	if (s.files && !drain(r, e))
		return false;
	s = spool_state(c->conf->spool.directory);
	return watch_bad(r, &s, e) && job_forget_hosts(c->db, r->a, job_spool_drain.facts.name, job_now(r) - HOST_GONE_MS, e);
}

const struct job job_spool_drain = {
	.facts = { .name = "spool-drain", .schedule = { .every_min = 1 }, .each_host = true,
		.help = "Replays requests that this host spooled while the database was away, and tells of those that cannot be." },
	.run = run,
};
