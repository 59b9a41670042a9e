/* A time that is taken can be written, and what is written reads back as the same time. Numbers and UTF-8 on the side. */
#include "fuzz.h"
#include "grapnel/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = { (const char *)data, n }, cut;
	char text[TIME_TEXT];
	ms_t t, again;
	uint64_t u;
	int64_t i;

	if (time_parse(s, &t)) {
		must(time_parse(str_of(time_format(t, text)), &again));
		must(t == again);
	}
	if (n >= sizeof(t)) {
		memcpy(&t, data, sizeof(t));
		must(strlen(time_format(t, text)) == TIME_TEXT - 1);
	}
	if (str_u64(s, &u) && u <= INT64_MAX)
		must(str_i64(s, &i) && (uint64_t)i == u);
	if (n && str_is_utf8(s)) {
		cut = str_cut(s, data[0]);
		must(cut.n <= data[0] && str_is_utf8(cut));
	}
	return 0;
}
