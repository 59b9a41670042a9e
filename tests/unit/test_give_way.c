/* How long a web worker leaves the machine to webhooks. */
#include "unit.h"

#include "src/main/give_way.h"

static const struct {
	int64_t took_us;
	uint64_t webhooks;
	unsigned workers, processors;
	int64_t rest_us;
} rows[] = {
	{ 20000, 0, 4, 2, 0 },		/* nobody to give way to */
	{ 20000, 9, 4, 2, 0 },		/* 450 a second */
	{ 20000, 10, 4, 2, 100000 },	/* each of four works a sixth of its time: two thirds of a processor, of two */
	{ 20000, 10, 4, 1, 220000 },
	{ 20000, 100, 2, 2, 40000 },
	{ 20000, 100, 1, 2, 10000 },
	{ 20000, 100, 4, 8, 10000 },
	{ 20000, 100, 4, 12, 0 },	/* four are no more than a third of twelve */
	{ 20000, 100, 4, 64, 0 },
	{ 0, 100, 4, 2, 0 },
	{ 1, 1, 4, 2, 5 },
};

START_TEST(test_rest)
{
	ck_assert_int_eq(give_way_us(rows[_i].took_us, rows[_i].webhooks, rows[_i].workers, rows[_i].processors), rows[_i].rest_us);
}
END_TEST

UNIT_MAIN("give_way", UNIT_ROWS(test_rest, rows))
