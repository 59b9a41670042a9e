/* When a row is tried again, and when it is given up. */
#include "src/outbound/outbound_int.h"
#include "unit.h"

#define NOW 1760000400000LL
#define SECOND MS_PER_SECOND

static const struct {
	uint64_t attempts, attempts_max;
	enum reception reception;
	uint64_t retry_after_s;
	unsigned chance;
	enum outbox_status status;
	ms_t wait;		/* -1: it is over */
} rows[] = {
	{ 1, 0, RECEPTION_TAKEN, 0, 0, OUTBOX_SENT, -1 },
	{ 1, 0, RECEPTION_REFUSED, 0, 0, OUTBOX_DEAD, -1 },
	{ 1, 0, RECEPTION_GONE, 60, 0, OUTBOX_DEAD, -1 },
	/* quick ones: at 0, 1 and 3 s; 4 s later it is cron's */
	{ 1, 0, RECEPTION_AGAIN, 0, 500, OUTBOX_WAITING, SECOND },
	{ 2, 0, RECEPTION_AGAIN, 0, 999, OUTBOX_WAITING, 2 * SECOND },
	{ 3, 0, RECEPTION_AGAIN, 0, 0, OUTBOX_FAILED, 4 * SECOND },
	/* a minute, doubling to an hour, a fifth more or less */
	{ 4, 0, RECEPTION_AGAIN, 0, 500, OUTBOX_FAILED, 60 * SECOND },
	{ 4, 0, RECEPTION_AGAIN, 0, 0, OUTBOX_FAILED, 48 * SECOND },
	{ 5, 0, RECEPTION_AGAIN, 0, 500, OUTBOX_FAILED, 120 * SECOND },
	{ 9, 0, RECEPTION_AGAIN, 0, 500, OUTBOX_FAILED, 1920 * SECOND },
	{ 10, 0, RECEPTION_AGAIN, 0, 500, OUTBOX_FAILED, 3600 * SECOND },
	{ 11, 0, RECEPTION_AGAIN, 0, 1000, OUTBOX_FAILED, 4320 * SECOND },
	{ 12, 0, RECEPTION_AGAIN, 0, 500, OUTBOX_DEAD, -1 },
	{ 200, 255, RECEPTION_AGAIN, 0, 500, OUTBOX_FAILED, 3600 * SECOND },
	/* a row's own number: a test is tried once */
	{ 1, 1, RECEPTION_AGAIN, 0, 500, OUTBOX_DEAD, -1 },
	{ 2, 3, RECEPTION_AGAIN, 0, 500, OUTBOX_WAITING, 2 * SECOND },
	/* ...and where there are but the quick ones, the last wait passes, too */
	{ 3, 3, RECEPTION_AGAIN, 0, 500, OUTBOX_ENDING, 4 * SECOND },
	{ 3, 3, RECEPTION_LATER, 900, 500, OUTBOX_ENDING, 4 * SECOND },
	{ 3, 3, RECEPTION_REFUSED, 0, 500, OUTBOX_DEAD, -1 },
	{ 4, 4, RECEPTION_AGAIN, 0, 500, OUTBOX_DEAD, -1 },
	/* what the receiver asks for: never sooner than planned, and not for ever */
	{ 1, 0, RECEPTION_AGAIN, 5, 500, OUTBOX_WAITING, 5 * SECOND },
	{ 1, 0, RECEPTION_AGAIN, 11, 500, OUTBOX_FAILED, 11 * SECOND },
	{ 6, 0, RECEPTION_AGAIN, 5, 500, OUTBOX_FAILED, 240 * SECOND },
	{ 1, 0, RECEPTION_AGAIN, 999999999, 500, OUTBOX_FAILED, 3600 * SECOND },
	{ 1, 0, RECEPTION_AGAIN, UINT64_MAX, 500, OUTBOX_FAILED, 3600 * SECOND },
	/* who is overloaded has a minute */
	{ 1, 0, RECEPTION_LATER, 0, 500, OUTBOX_FAILED, 60 * SECOND },
	{ 1, 0, RECEPTION_LATER, 30, 500, OUTBOX_FAILED, 60 * SECOND },
	{ 1, 0, RECEPTION_LATER, 90, 500, OUTBOX_FAILED, 90 * SECOND },
};

START_TEST(test_schedule)
{
	struct outbox_row row = { .kind = OUTBOX_DELIVERY, .attempts = rows[_i].attempts, .attempts_max = rows[_i].attempts_max, .next_at = 7 };

	parcel_schedule(&row, rows[_i].reception, 12, rows[_i].retry_after_s, rows[_i].chance, NOW);
	ck_assert_uint_eq(row.status, rows[_i].status);
	if (rows[_i].wait < 0)
		ck_assert(row.finished_at == NOW && row.next_at == 7);
	else
		ck_assert_msg(!row.finished_at && row.next_at == NOW + rows[_i].wait, "%lld", (long long)(row.next_at - NOW));
}
END_TEST

UNIT_MAIN("outbox schedule", UNIT_ROWS(test_schedule, rows))
