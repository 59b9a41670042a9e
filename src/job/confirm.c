/* confirm.c - visits the addresses by which senders have their subscriptions confirmed (SNS), as the outbox says.
 *
 * Not inside the request that asks for it: the sender must not wait for our visit to him. Its host was checked by the adapter before the
 * row was written; no redirect is followed. A host that is busy is asked again a few times; one that refuses will not change its mind. */
#include "config.h"

#include "grapnel/fetch.h"
#include "grapnel/json.h"
#include "grapnel/log.h"

#include "job_int.h"

#define LIMIT 20			/* rows of a step; each may take TOTAL_MS */
#define LEASE_MS MS_PER_MINUTE
#define CONNECT_MS 5000
#define TOTAL_MS 10000
#define ANSWER_MAX (64 * 1024)

/* After the first attempt, the second ... */
static const ms_t waits[] = { MS_PER_MINUTE, 5 * MS_PER_MINUTE, 15 * MS_PER_MINUTE, MS_PER_HOUR };

struct confirming {
	struct job_run *r;
	struct fetch *fetch;
};

/* The word behind `mark` in an XML answer, or empty. */
static struct str shown(struct str body, struct str mark)
{
	for (size_t i = 0; mark.n && i + mark.n <= body.n; i++)
		if (!memcmp(body.p + i, mark.p, mark.n)) {
			struct str rest = str_sub(body, i + mark.n);

			return str_trim(str_until(&rest, '<'));
		}
	return STR_NONE;
}

static bool is_final(unsigned status)
{
	return status < 500 && status != 408 && status != 429;
}

/* Fills answer or error; *final: there is no use in another attempt. */
static void visit(struct confirming *x, struct outbox_row *row, bool *final)
{
	struct arena *a = x->r->a;
	struct fetch_request rq = { .answer_max = ANSWER_MAX, .connect_ms = CONNECT_MS, .total_ms = TOTAL_MS };
	struct fetch_answer answer;
	const struct json *payload;
	struct err e = { 0 };

	*final = true;
	row->answer = row->error = STR_NONE;
	if (!json_parse(a, row->payload, &payload, &e)) {
		row->error = STR("The row cannot be read.");
		return;
	}
	rq.url = json_text(json_get(payload, "url"));
	if (!fetch_run(x->fetch, a, &rq, &answer, &e)) {
		row->error = arena_printf(a, "No answer: %s.", e.text);
		*final = e.code == ERR_INVALID;
		return;
	}
	if (answer.status == 200)
		row->answer = shown(answer.body, json_text(json_get(payload, "shows")));
	if (row->answer.n)
		return;
	row->answer = STR_NONE;
	row->error = answer.status == 200 ? STR("The answer does not confirm it.") :
		arena_printf(a, "It was answered %u.", answer.status);
	*final = is_final(answer.status);
}

static void settle(struct confirming *x, struct outbox_row *row, bool final)
{
	ms_t now = job_now(x->r);

	if (row->answer.n) {
		row->status = OUTBOX_SENT;
	} else if (final || row->attempts > ARRAY_SIZE(waits)) {
		row->status = OUTBOX_DEAD;
	} else {
		row->next_at = now + waits[row->attempts - 1];
		return;
	}
	row->finished_at = now;
}

static void tell(const struct outbox_row *row)
{
	if (row->status == OUTBOX_SENT)
		log_info("subscription confirmed", LOG_U("source_number", row->target_id), LOG_STR("subscription", row->answer));
	else
		log_warning("subscription not confirmed", LOG_U("source_number", row->target_id), LOG_STR("error", row->error),
			LOG_U("attempt", row->attempts), LOG_S("next", row->status == OUTBOX_DEAD ? "given up" : "again"));
}

struct finishing {
	struct arena *a;
	const struct outbox_result *result;
};

static bool finish_tx(struct db *db, void *ctx, struct err *e)
{
	const struct finishing *x = ctx;

	return outbox_finish(db, x->a, x->result, 1, e);
}

/* False: the database failed. */
static bool confirm(struct confirming *x, struct outbox_row *row, struct err *e)
{
	struct job_run *r = x->r;
	struct outbox_result result = { .owner = r->owner, .at = job_now(r) };
	struct finishing f = { r->a, &result };
	int64_t began_us = clock_mono_us();
	bool final;

	visit(x, row, &final);
	settle(x, row, final);
	tell(row);
	job_count(r, row->status == OUTBOX_SENT ? "subscriptions confirmed" : "subscriptions not confirmed", 1);
	result.row = *row;
	result.duration_ms = (uint64_t)(clock_mono_us() - began_us) / 1000;
	return db_tx(r->c->db, finish_tx, &f, e);
}

static bool claim_and_confirm(struct confirming *x, struct outbox_row *seen, struct err *e)
{
	struct job_run *r = x->r;
	struct outbox_row *ours;
	size_t n;

	if (r->c->dry_run) {
		job_count(r, "subscriptions to confirm", 1);
		return true;
	}
	if (!outbox_claim(r->c->db, r->a, seen, 1, r->owner, job_now(r) + LEASE_MS, &ours, &n, e))
		return false;
	return !n || confirm(x, &ours[0], e);
}

/* 1 all of that source, 0 the time was up, -1 failed. */
static int confirm_target(struct confirming *x, uint64_t target, struct err *e)
{
	struct job_run *r = x->r;
	struct outbox_row *rows;
	size_t n;

	if (!outbox_due(r->c->db, r->a, OUTBOX_CONFIRMATION, OUTBOX_WAITING, target, job_now(r), LIMIT, &rows, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		int go = job_goes_on(r, e);

		if (go != 1)
			return go;
		if (!claim_and_confirm(x, &rows[i], e))
			return -1;
	}
	return 1;
}

static bool confirm_all(struct confirming *x, struct err *e)
{
	struct job_run *r = x->r;
	struct outbox_target *targets;
	size_t n;

	do {
		arena_reset(r->a);
		if (!outbox_targets(r->c->db, r->a, OUTBOX_CONFIRMATION, OUTBOX_WAITING, job_now(r), LIMIT, &targets, &n, e))
			return false;
		if (n && !x->fetch)
			x->fetch = fetch_new(&(struct fetch_config){ "Grapnel/" PACKAGE_VERSION, r->c->conf->keys.test_hosts,
				r->c->conf->keys.test_authorities });
		for (size_t i = 0; i < n; i++) {
			int go = confirm_target(x, targets[i].id, e);

			if (go != 1)
				return go == 0;
		}
	} while (n == LIMIT && !r->c->dry_run);
	return true;
}

static bool run(struct job_run *r, struct err *e)
{
	struct confirming x = { .r = r };
	bool ok = confirm_all(&x, e);

	fetch_free(x.fetch);
	return ok;
}

const struct job job_confirm = {
	.facts = { .name = "confirm", .schedule = { .every_min = 1 },
		.help = "Confirms the subscriptions that senders ask to have confirmed (Amazon SNS)." },
	.run = run,
};
