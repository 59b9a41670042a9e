/* cmd_replay.c - the events of a filter once more: the task that puts them into the queue again, run here while somebody watches. */
#include <inttypes.h>
#include <unistd.h>

#include "ctl_filter.h"
#include "stop.h"

#include "grapnel/resource.h"
#include "grapnel/task.h"

#define TURN_US 200000
#define LOOK_US 500000

static const struct field replay_fields[] = {
	FIELD_ID(struct task_view, id, "id", ""),
	FIELD_STR(struct task_view, state, "state", ""),
	FIELD_STR(struct task_view, about, "filter", ""),
	FIELD_U64(struct task_view, seen, "events", ""),
	FIELD_U64(struct task_view, changed, "replayed", ""),
	FIELD_U64(struct task_view, passed_over, "passedOver", ""),
	FIELD_U64(struct task_view, waiting, "waiting", ""),
	FIELD_U64(struct task_view, undone, "withdrawn", ""),
	FIELD_STR(struct task_view, error, "error", ""),
	FIELD_END
};

static const struct field look_fields[] = {
	FIELD_U64(struct event_replay_look, count, "count", ""),
	FIELD_BOOL(struct event_replay_look, more, "more", ""),
	FIELD_END
};

/* What a dry run and the question say. */
static bool look(struct ctl *c, const struct caller *by, const struct event_replay_form *f, struct event_replay_look *out, struct err *e)
{
	if (!event_replay_look(by, f, out, e))
		return false;
	if (c->json || (ctl_has(c, "yes") && !ctl_has(c, "dry-run")))
		return true;
	printf("%s%" PRIu64 " events%s\n", out->more ? "more than " : "", out->count, out->sample_n ? "; the newest of them:" : "");
	if (out->sample_n)
		ctl_list(c, "events", event_view_fields, "id receivedAt provider status summary", out->sample, out->sample_n, sizeof(*out->sample), 0);
	return true;
}

/* Interrupted, it is cancelled, and what can be taken back is. */
static bool work(struct ctl *c, const struct caller *by, uint64_t id, struct task_view *v, struct err *e)
{
	struct task_runner *t = task_runner_new(&(struct task_config){ .db = c->db, .shm = c->shm, .only = id });
	struct ctl_progress progress = { .ctl = c };
	bool cancelled = false, ok;

	do {
		ok = task_runner_turn(t, clock_now(), e) && task_find(by, id, v, e);
		if (!ok)
			break;
		ctl_progress(&progress, "replay", v->progress, v->seen);
		if (!v->over && !task_runner_is_busy(t))
			usleep(TURN_US);	/* the dispatcher has it */
		if (told_to_stop && !cancelled && !v->over) {
			ok = task_cancel_by(by, id, v, e) || e->code == ERR_CONFLICT;
			cancelled = true;
		}
	} while (ok && !v->over);
	ctl_progress_end(&progress);
	task_runner_free(t);
	return ok;
}

/* Until the handlers have had a try at each, or somebody does not want to wait any more. */
static bool wait_for_handlers(struct ctl *c, const struct caller *by, struct task_view *v, struct err *e)
{
	struct ctl_progress progress = { .ctl = c };
	uint64_t all = v->changed;

	while (v->waiting && !told_to_stop) {
		uint64_t sent = v->waiting_more || v->waiting > all ? 0 : all - v->waiting;

		ctl_progress(&progress, "sent", v->waiting_more ? -1 : (double)sent / (double)all, sent);
		usleep(LOOK_US);
		if (!task_find(by, v->id, v, e))
			return false;
	}
	ctl_progress_end(&progress);
	return true;
}

static bool tell(struct ctl *c, const struct task_view *v, struct err *e)
{
	if (v->state_n == TASK_FAILED)
		return err_set(e, ERR_CONFLICT, "the replay failed: %.*s", STR_ARG(v->error));
	if (c->json) {
		ctl_one(c, replay_fields, v);
		return true;
	}
	printf("%s %" PRIu64 " of %" PRIu64 " events; %s%" PRIu64 " wait for their handler\n",
		v->state_n == TASK_CANCELLED ? "cancelled; replayed" : "replayed", v->changed - v->undone, v->seen, v->waiting_more ? "more than " : "",
		v->waiting);
	return true;
}

/* What was queued is sent whether anybody waits for it or not. */
static bool waited(const struct ctl *c, const struct task_view *v, struct err *e)
{
	return !ctl_has(c, "wait") || !v->waiting || v->state_n == TASK_CANCELLED ||
		err_set(e, ERR_CONFLICT, "interrupted; replay %" PRIu64 " goes on, and what waits for its handler is sent", v->id);
}

static bool replay(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct event_replay_form f = { .filter = NULL };
	struct event_replay_look found;
	struct task_view v;
	char question[100];

	if (!ctl_form_read(c, c->word_n, ctl_filter_fields, event_replay_fields, FORM_NEW, &f, e) || !event_replay_read(&by, &f, e))
		return false;
	if (!look(c, &by, &f, &found, e))
		return false;
	if (ctl_has(c, "dry-run")) {
		if (c->json)
			ctl_one(c, look_fields, &found);
		return true;
	}
	snprintf(question, sizeof(question), "Replay %s%" PRIu64 " events?", found.more ? "more than " : "", found.count);
	if (!ctl_sure(c, question, e))
		return false;
	stop_catch();
	return event_replay_by(&by, &f, id_make(by.ids, c->now), &v, e) && work(c, &by, v.id, &v, e) &&
		(!ctl_has(c, "wait") || wait_for_handlers(c, &by, &v, e)) && tell(c, &v, e) && waited(c, &v, e);
}

static const struct ctl_option replay_options[] = {
	CTL_FILTER_OPTIONS,
	{ "from", "TIME", "received at or after, as 2026-01-02T03:04:05Z" },
	{ "to", "TIME", "received before" },
	{ "dry-run", NULL, "says how many these are, and which, and changes nothing" },
	{ "wait", NULL, "and waits until the handlers have had them" },
	{ "yes", NULL, "do not ask" },
	{ 0 }
};

const struct command replay_commands[] = {
	{ "event replay", "", replay_options, NEED_SCHEMA | NEED_STATE, replay, "sends the events of a filter to their handlers once more" },
	{ 0 }
};
