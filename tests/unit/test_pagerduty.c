/* The answers that PagerDuty's clients look at. Bodies and what they become are golden cases. */
#include "provider_test.h"

static struct arena *a;

static struct answer answer_to(const char *path, const char *body, const struct refusal *refusal, const struct outcome *out, size_t n,
	bool *own)
{
	const struct provider *p = provider_find(STR("webhook"));
	struct inbound in = test_inbound(body, NULL, 0);
	struct answer answer = { 0 };

	in.path = str_of(path);
	if (body)
		in.doc = test_json(a, body);
	*own = p->answer(p, a, &in, refusal, out, n, &answer);
	return answer;
}

static const struct event keyed = { .action = ACTION_TRIGGER, .dedup_key = { "srv \"1\"", 7 } };
static const struct event change = { .action = ACTION_IGNORE };
static const struct event unusable = { .invalid = "payload.source" };

static const struct refusal bad_json = { .status = 400, .code = "invalid_payload", .message = "No JSON.", .field = "body" };
static const struct refusal limited = { .status = 429, .code = "rate_limited", .message = "Too many." };
static const struct refusal down = { .status = 503, .code = "unavailable", .message = "Later." };

#define PD "{\"routing_key\":\"k\"}"

static const struct {
	const char *path, *body;
	const struct refusal *refusal;
	struct outcome outcome;
	size_t n;
	unsigned status;	/* 0 = the common answer does */
	const char *want;
} rows[] = {
	{ "/v2/enqueue", PD, NULL, { OUT_TRIGGERED, &keyed }, 1, 202,
		"{\"status\":\"success\",\"message\":\"Event processed\",\"dedup_key\":\"srv \\\"1\\\"\"}" },
	{ "/api/integrations/webhook/in_1", PD, NULL, { OUT_REPEATED, &keyed }, 1, 202,
		"{\"status\":\"success\",\"message\":\"Event processed\",\"dedup_key\":\"srv \\\"1\\\"\"}" },
	{ "/v2/change/enqueue", "{}", NULL, { OUT_IGNORED, &change }, 1, 202,
		"{\"status\":\"success\",\"message\":\"Change event processed\"}" },
	{ "/v2/enqueue", PD, NULL, { OUT_INVALID, &unusable }, 1, 400,
		"{\"status\":\"invalid event\",\"message\":\"Event object is invalid\",\"errors\":[\"payload.source\"]}" },
	{ "/v2/enqueue", NULL, &bad_json, { 0 }, 0, 400,
		"{\"status\":\"invalid event\",\"message\":\"No JSON.\",\"errors\":[\"body\"]}" },
	{ "/v2/enqueue", PD, &limited, { 0 }, 0, 429,
		"{\"status\":\"throttle exceeded\",\"message\":\"Too many.\",\"errors\":[]}" },
	{ "/v2/enqueue", PD, &down, { 0 }, 0, 503, "{\"status\":\"error\",\"message\":\"Later.\",\"errors\":[]}" },
	{ "/api/integrations/webhook/in_1", "{\"a\":1}", NULL, { OUT_TRIGGERED, &keyed }, 1, 0, NULL },
	{ "/api/integrations/webhook/in_1", "[" PD "]", NULL, { OUT_TRIGGERED, &keyed }, 1, 0, NULL },
	{ "/api/integrations/webhook/in_1", NULL, &bad_json, { 0 }, 0, 0, NULL },
};

START_TEST(test_answers)
{
	struct answer answer;
	bool own;

	a = arena_new(TEST_ARENA_MAX);
	answer = answer_to(rows[_i].path, rows[_i].body, rows[_i].refusal, &rows[_i].outcome, rows[_i].n, &own);
	ck_assert_int_eq(own, rows[_i].status != 0);
	ck_assert_uint_eq(answer.status, rows[_i].status);
	unit_str(answer.body, rows[_i].want);
	arena_free(a);
}
END_TEST

UNIT_MAIN("pagerduty", UNIT_ROWS(test_answers, rows))
