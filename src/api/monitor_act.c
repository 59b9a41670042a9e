/* monitor_act.c - POST /api/admin/webhooks/monitor. */
#include "api_int.h"

#include "grapnel/job.h"

struct acted {
	struct str action;
	bool dry_run, more;
	uint64_t affected, left;
};
static const struct field monitor_acted_fields[] = {
	FIELD_STR(struct acted, action, "action", "As it was asked for"),
	FIELD_BOOL(struct acted, dry_run, "dryRun", "Nothing was changed"),
	FIELD_U64(struct acted, affected, "affected",
		"What was changed: events, of cleanup rows, of auto-remediate the sum of its steps; in a dry run what would be; of find-duplicates what it found"),
	FIELD_U64(struct acted, left, "left", "What there was no time or room for, as far as it was counted: do it again"),
	FIELD_BOOL(struct acted, more, "more", "There may be more than that"),
	FIELD_END
};

static const struct field monitor_cleanup_result_fields[] = {
	FIELD_STR(struct job_result, outcome_word, "outcome", "done or unfinished"),
	FIELD_STR(struct job_result, counts, "counts", "Rows by kind"),
	FIELD_U64(struct job_result, bytes, "bytes", "What they held, more or less"),
	FIELD_U64(struct job_result, duration_ms, "durationMs", "How long it took"),
	FIELD_U64(struct job_result, longest_ms, "longestLockMs", "The longest that rows were locked"),
	FIELD_END
};

static const struct doc_part data_parts[] = {
	{ "results", PART_ROWS, FIELDS(monitor_result_fields), .help = "What became of each event, but of cleanup and find-duplicates", .maybe = true },
	{ "sample", PART_ROWS, FIELDS(monitor_sample_fields), .help = "With dryRun: some of the events", .maybe = true },
	{ "cleanup", PART_ONE, FIELDS(monitor_cleanup_result_fields), .help = "Of the action cleanup", .maybe = true },
	{ "steps", PART_ROWS, FIELDS(remediation_step_fields), .help = "Of the action auto-remediate", .maybe = true },
	{ "groups", PART_ROWS, FIELDS(duplicate_group_fields), .help = "Of the action find-duplicates, by kind, of a tenant the largest repeats first", .maybe = true },
	{ "counts", PART_ONE, FIELDS(duplicates_fields), .help = "Of the action find-duplicates", .maybe = true },
	{ 0 }
};

const struct doc_part monitor_act_parts[] = {
	{ "data", PART_ONE, FIELDS(monitor_acted_fields), data_parts, "What was done" },
	{ 0 }
};

/* An id that fits several events: which? */
static void refuse_ambiguous(struct call *c, const struct monitor_acted *x, const struct err *e)
{
	struct reply r;

	reply_begin(c, &r);
	json_key(&r.o, "error");
	json_strz(&r.o, "conflict");
	json_key(&r.o, "message");
	json_strz(&r.o, e->text);
	json_key(&r.o, "field");
	json_strz(&r.o, e->field);
	reply_rows(&r, "candidates", monitor_sample_fields, x->candidates, sizeof(*x->candidates), x->candidates_n);
	reply_end(c, &r, 409);
}

static void write_data(struct reply *r, const struct monitor_acted *x)
{
	const struct acted head = { str_of(x->act->name), x->dry_run, x->more, x->affected, x->left };

	json_fields(&r->o, monitor_acted_fields, &head);
	if (x->dry_run)
		reply_rows(r, "sample", monitor_sample_fields, x->results, sizeof(*x->results), x->results_n);
	else if (x->results)
		reply_rows(r, "results", monitor_result_fields, x->results, sizeof(*x->results), x->results_n);
	if (x->cleanup) {
		json_key(&r->o, "cleanup");
		json_open(&r->o, '{');
		json_fields(&r->o, monitor_cleanup_result_fields, x->cleanup);
		json_close(&r->o, '}');
	}
	if (x->remediation)
		reply_rows(r, "steps", remediation_step_fields, x->remediation->steps, sizeof(*x->remediation->steps), x->remediation->n);
	if (!x->duplicates)
		return;
	reply_rows(r, "groups", duplicate_group_fields, x->duplicates->groups, sizeof(*x->duplicates->groups), x->duplicates->n);
	json_key(&r->o, "counts");
	json_open(&r->o, '{');
	json_fields(&r->o, duplicates_fields, x->duplicates);
	json_close(&r->o, '}');
}

void api_monitor_act(void *call)
{
	struct call *c = call;
	struct monitor_acted *x = ARENA_NEW(c->a, struct monitor_acted);
	struct monitor_act_form f = { 0 };
	const struct monitor_act *act;
	struct monitor_params p;
	struct err e = { 0 };
	struct reply r;

	if (!input_form(c, monitor_act_fields, false, &f))
		return;
	if (!monitor_act_read(&c->by, &f, &act, &p, &e) || !monitor_act_by(&c->by, act, &p, x, &e)) {
		x->candidates_n ? refuse_ambiguous(c, x, &e) : (void)reply_err(c, &e);
		return;
	}
	reply_begin(c, &r);
	json_fields(&r.o, monitor_success_fields, &(struct monitor_success){ true });
	json_key(&r.o, "data");
	json_open(&r.o, '{');
	write_data(&r, x);
	json_close(&r.o, '}');
	reply_end(c, &r, 200);
}
