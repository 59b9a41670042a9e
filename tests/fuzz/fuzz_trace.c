/* A header that is taken is written as one of version 00, which reads back as the same. */
#include "fuzz.h"
#include "grapnel/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[TRACEPARENT + 1];
	struct trace t, again;

	if (!trace_parse((struct str){ (const char *)data, n }, &t))
		return 0;
	must(n >= TRACEPARENT);
	trace_write(&t, text);
	must(strlen(text) == TRACEPARENT);
	must(trace_parse(str_of(text), &again));
	must(!memcmp(t.id, again.id, sizeof(t.id)) && t.span == again.span && t.flags == again.flags);
	must(n > TRACEPARENT || data[1] != '0' || data[0] != '0' || !memcmp(text, data, 53));
	return 0;
}
