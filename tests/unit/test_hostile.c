/* Bodies whose mapping took seconds or minutes: what a sender repeats must not be gone through anew at each of its repetitions.
 * To add one: a row. They take 20 ms each, without their fixes 3 s and more. */
#include <time.h>

#include "provider_test.h"

#define EVENTS_MAX 10000
#define CPU_MAX (2 * CLOCKS_PER_SEC)	/* under sanitizers, too */

static const struct {
	const char *slug, *front;
	size_t wide;		/* so many members "n0": 1, ... */
	const char *between, *again;
	size_t times;
	const char *back;
} rows[] = {
	/* the title is read group by group, and each looked for a brace up to its end */
	{ "datadog", "{\"title\":\"", 0, "", "[p1]", 250000, "\"}" },
	/* each attribute becomes a member of the event */
	{ "firebase", "{\"message\":{\"attributes\":{\"a\":1", 0, "", ",\"ce-a\":1", 115000, "}}}" },
	/* each record looked for its members in the header that they share, and in the body */
	{ "salesforce", "{\"ChangeEventHeader\":{", 150000, "\"recordIds\":[1", ",1", 9999, "]}}" },
	{ "salesforce", "{", 150000, "\"ChangeEventHeader\":{\"recordIds\":[1", ",1", 9999, "]}}" },
};

START_TEST(test_rows)
{
	struct arena *a = arena_new(256 << 20);
	const struct provider *p = provider_find(str_of(rows[_i].slug));
	struct inbound in = test_inbound("", NULL, 0);
	struct event *events;
	struct strbuf b;
	struct err e = { 0 };
	clock_t began;
	size_t n;

	strbuf_init(&b, a, 16 << 20);
	strbuf_adds(&b, rows[_i].front);
	for (size_t i = 0; i < rows[_i].wide; i++)
		strbuf_addf(&b, "\"n%zu\":1,", i);
	strbuf_adds(&b, rows[_i].between);
	for (size_t i = 0; i < rows[_i].times; i++)
		strbuf_adds(&b, rows[_i].again);
	strbuf_adds(&b, rows[_i].back);
	in.body = strbuf_str(&b);
	ck_assert_uint_le(in.body.n, provider_body_max(p));
	began = clock();
	ck_assert_msg(inbound_parse(p, a, &in, &e), "%s", e.text);
	ck_assert_msg(provider_map(p, a, &in, EVENTS_MAX, &events, &n, &e), "%s", e.text);
	ck_assert_int_lt(clock() - began, CPU_MAX);
	arena_free(a);
}
END_TEST

UNIT_MAIN("hostile", UNIT_ROWS(test_rows, rows))
