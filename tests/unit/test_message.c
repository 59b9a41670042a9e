/* A message as JSON and back. */
#include "grapnel/channel.h"
#include "unit.h"

static struct arena *a;
static struct err e;

static const char whole[] =
	"{\"type\":\"monitor.alert_started\",\"thread\":\"monitor-7\",\"phase\":\"begins\",\"level\":\"HIGH\",\"title\":\"T \\\"1\\\"\","
	"\"text\":\"Some text.\",\"facts\":[{\"name\":\"Value\",\"value\":\"12\"}],\"path\":\"/monitor\",\"at\":\"2026-01-02T03:04:05.678Z\","
	"\"data\":{\"id\":\"7\",\"n\":1.50}}";

START_TEST(test_it_comes_back_as_it_was)
{
	struct message m = { .type = STR("monitor.alert_started"), .thread = STR("monitor-7"), .phase = MESSAGE_BEGINS, .level = LEVEL_HIGH,
		.title = STR("T \"1\""), .text = STR("Some text."), .path = STR("/monitor"), .at = 1767323045678,
		.data = STR("{\"id\":\"7\",\"n\":1.50}") }, back;

	a = arena_new(1 << 20);
	message_add_fact(&m, "Value", STR("12"));
	message_add_fact(&m, "Nothing", STR_NONE);
	unit_str(message_write(a, &m), whole);
	ck_assert_msg(message_read(a, str_of(whole), &back, &e), "%s", e.text);
	unit_str(message_write(a, &back), whole);
	arena_free(a);
}
END_TEST

START_TEST(test_without_what_is_optional)
{
	struct message m = { .type = STR("channel.test"), .thread = STR("test"), .title = STR("x"), .at = 1 }, back;

	a = arena_new(1 << 20);
	ck_assert(message_read(a, message_write(a, &m), &back, &e));
	ck_assert(back.phase == MESSAGE_NOTE && back.level == LEVEL_INFO && !back.data.n && !back.fact_n && !back.text.n && back.at == 1);
	arena_free(a);
}
END_TEST

START_TEST(test_more_facts_than_there_is_room_for)
{
	struct message m = { 0 };

	for (int i = 0; i < 30; i++)
		message_add_fact(&m, "name", STR("value"));
	ck_assert_uint_eq(m.fact_n, MESSAGE_FACTS_MAX);
}
END_TEST

static const char *const wrong[] = { "", "[]", "{}", "{\"type\":\"a\"}",
	"{\"type\":\"a\",\"thread\":\"t\",\"phase\":\"begins\",\"level\":\"HIGH\",\"title\":\"x\",\"at\":\"yesterday\"}",
	"{\"type\":\"a\",\"thread\":\"t\",\"phase\":\"begun\",\"level\":\"HIGH\",\"title\":\"x\",\"at\":\"2026-01-02T03:04:05Z\"}",
	"{\"type\":\"a\",\"thread\":\"t\",\"phase\":\"begins\",\"level\":\"SEVERE\",\"title\":\"x\",\"at\":\"2026-01-02T03:04:05Z\"}" };

START_TEST(test_what_is_no_message)
{
	struct message m;

	a = arena_new(1 << 20);
	ck_assert(!message_read(a, str_of(wrong[_i]), &m, &e));
	arena_free(a);
}
END_TEST

UNIT_MAIN("message", UNIT(test_it_comes_back_as_it_was), UNIT(test_without_what_is_optional), UNIT(test_more_facts_than_there_is_room_for),
	UNIT_ROWS(test_what_is_no_message, wrong))
