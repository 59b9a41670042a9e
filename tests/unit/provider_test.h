/* provider_test.h - a request in a line, for the tests of src/provider. */
#ifndef GRAPNEL_PROVIDER_TEST_H
#define GRAPNEL_PROVIDER_TEST_H

#include "grapnel/provider.h"
#include "unit.h"

#define TEST_ARENA_MAX (64 * 1024 * 1024)

static inline const struct json *test_json(struct arena *a, const char *text)
{
	const struct json *doc = NULL;
	struct err e = { 0 };

	ck_assert_msg(json_parse(a, str_of(text), &doc, &e), "%s: %s", text, e.text);
	return doc;
}

/* A POST of `body` with up to `header_n` headers. */
static inline struct inbound test_inbound(const char *body, const struct header *headers, size_t header_n)
{
	return (struct inbound){
		.method = STR("POST"), .uri = STR("/x"), .path = STR("/x"), .headers = headers, .header_n = header_n,
		.body = str_of(body), .request_id = STR("1001"),
	};
}

#endif
