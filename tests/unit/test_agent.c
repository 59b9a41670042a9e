/* A browser as a person would name it. */
#include "src/dash/account.h"
#include "unit.h"

static const struct {
	const char *agent, *words;
} rows[] = {
	{ "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux" },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", "Chrome on Windows" },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows" },
	{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15", "Safari on macOS" },
	{ "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile Safari/604.1",
		"Safari on iPhone" },
	{ "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android" },
	{ "curl/7.88.1", "curl" },
	{ "Some program 1.0", "Some program 1.0" },
	{ "", "unknown browser" },
	{ "012345678901234567890123456789012345678901234567890123456789tail", "012345678901234567890123456789012345678901234567890123456789" },
};

START_TEST(test_words)
{
	struct arena *a = arena_new(1 << 16);

	unit_str(agent_words(a, str_of(rows[_i].agent)), rows[_i].words);
	arena_free(a);
}
END_TEST

UNIT_MAIN("agent", UNIT_ROWS(test_words, rows))
