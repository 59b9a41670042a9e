/* subscription.c - what became of a subscription that a sender asked to have confirmed: a row of the outbox in words. */
#include "view_int.h"

static void fill(struct arena *a, const struct outbox_row *row, struct subscription_view *out)
{
	*out = (struct subscription_view){ .asked_at = row->created_at, .finished_at = row->finished_at };
	switch ((enum outbox_status)row->status) {
	case OUTBOX_SENT:
		out->status = STR("confirmed");
		out->text = row->answer;
		return;
	case OUTBOX_BUNDLED:	/* not of this kind */
	case OUTBOX_UNNEEDED:
	case OUTBOX_DEAD:
	case OUTBOX_ENDING:
		out->status = STR("failed");
		out->text = row->error;
		return;
	case OUTBOX_WAITING:
	case OUTBOX_FAILED:
		break;
	}
	out->status = STR("waiting");
	out->next_at = row->next_at;
	out->text = row->attempts ? row->error : STR("It is being confirmed.");
}

int subscription_view_of_source(struct db *db, struct arena *a, uint64_t source_row, struct subscription_view *out, struct err *e)
{
	struct outbox_row row;
	int found = outbox_newest(db, a, OUTBOX_CONFIRMATION, source_row, &row, e);

	*out = (struct subscription_view){ .status = STR_NONE };
	if (found == 1)
		fill(a, &row, out);
	return found;
}

int subscription_view_of_request(struct db *db, struct arena *a, uint64_t request, struct subscription_view *out, struct err *e)
{
	struct outbox_row row;
	int found = outbox_of_cause(db, a, OUTBOX_CONFIRMATION, request, &row, e);

	*out = (struct subscription_view){ .status = STR_NONE };
	if (found == 1)
		fill(a, &row, out);
	return found;
}
