/* Lines are caught by putting a file in the place of stderr. */
#include "unit.h"

#include "grapnel/json.h"
#include "grapnel/log.h"

static int kept;
static FILE *caught;

static void catch_begin(void)
{
	kept = dup(STDERR_FILENO);
	caught = tmpfile();
	ck_assert_ptr_nonnull(caught);
	dup2(fileno(caught), STDERR_FILENO);
}

/* What was written since, in a buffer that the next call overwrites. */
static struct str catch_end(void)
{
	static char text[65536];
	size_t n;

	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(caught);
	n = fread(text, 1, sizeof(text) - 1, caught);
	fclose(caught);
	text[n] = '\0';
	return (struct str){ text, n };
}

/* The part after time, program and process. */
static struct str facts(struct str line)
{
	const char *at = strstr(line.p, "level=");

	ck_assert_ptr_nonnull(at);
	return str_sub(line, (size_t)(at - line.p));
}

START_TEST(test_keys)
{
	struct str line;

	log_init("grapnel.fcgi", LOG_TARGET_STDERR, LOG_LEVEL_INFO, LOG_FORMAT_KEYS);
	log_prefix("request=%s", "abc");
	catch_begin();
	log_info("worker started", LOG_U("pid", 7), LOG_S("pool", "web"), LOG_STR("empty", STR_NONE));
	log_debug("not shown", LOG_U("pid", 7));
	line = catch_end();
	ck_assert(str_starts(line, "time=20"));
	ck_assert_ptr_nonnull(strstr(line.p, " program=grapnel.fcgi process="));
	unit_str(facts(line), "level=info request=abc message=\"worker started\" pid=7 pool=web empty=\"\"\n");
	log_prefix(NULL);
	catch_begin();
	log_error("done");
	unit_str(facts(catch_end()), "level=error message=done\n");
}
END_TEST

/* A value cannot end its line, close its quotes or make up a pair. */
START_TEST(test_forgery)
{
	struct err e = { 0 };

	log_init("t", LOG_TARGET_STDERR, LOG_LEVEL_DEBUG, LOG_FORMAT_KEYS);
	err_set(&e, ERR_DOWN, "x\nlevel=error");
	catch_begin();
	log_debug("m", LOG_S("a", "1 b=2"), LOG_S("c", "\"\\"), LOG_S("d", "x\r\n\x1b[31m\x7f\xff"), LOG_S("f", "k=v"),
		LOG_S("g", "\xc3\xa4"), LOG_ERR(&e), LOG_STR("n", STR("a\0b")));
	unit_str(facts(catch_end()), "level=debug message=m a=\"1 b=2\" c=\"\\\"\\\\\" d=\"x\\x0d\\x0a\\x1b[31m\\x7f\\xff\" f=\"k=v\""
		" g=\"\xc3\xa4\" error=\"x\\x0alevel=error\" n=\"a\\x00b\"\n");
}
END_TEST

START_TEST(test_json)
{
	struct arena *a = arena_new(1 << 20);
	const struct json *j;
	struct err e = { 0 };
	struct str line;

	log_init("t", LOG_TARGET_STDERR, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_prefix("request=abc plain");
	catch_begin();
	log_warning("m", LOG_U("n", UINT64_MAX), LOG_S("s", "a\"\n\xff"));
	line = catch_end();
	log_prefix(NULL);
	ck_assert_msg(json_parse(a, line, &j, &e), "%s in %s", e.text, line.p);
	ck_assert_int_eq(line.p[line.n - 1], '\n');
	unit_str(json_text(json_get(j, "level")), "warning");
	unit_str(json_text(json_get(j, "request")), "abc");
	unit_str(json_text(json_get(j, "about")), "plain");
	unit_str(json_text(json_get(j, "n")), "18446744073709551615");
	unit_str(json_text(json_get(j, "s")), "a\"\n\xef\xbf\xbd");
	arena_free(a);
}
END_TEST

/* Values are cut, and what does not fit is left out whole. */
START_TEST(test_long_lines)
{
	struct arena *a = arena_new(1 << 20);
	const struct json *j;
	struct err e = { 0 };
	char text[20000];
	struct str line;
	struct log_pair many[12];

	memset(text, '\x01', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = LOG_S("k", text);
	for (int format = LOG_FORMAT_KEYS; format <= LOG_FORMAT_JSON; format++) {
		log_init("t", LOG_TARGET_STDERR, LOG_LEVEL_INFO, (enum log_format)format);
		catch_begin();
		log_write(LOG_LEVEL_INFO, "m", many, ARRAY_SIZE(many));
		line = catch_end();
		ck_assert_uint_le(line.n, 4096);
		ck_assert_int_eq(line.p[line.n - 1], '\n');
	}
	ck_assert_msg(json_parse(a, line, &j, &e), "%s", e.text);
	ck_assert_ptr_nonnull(json_get(j, "k"));
	arena_free(a);
}
END_TEST

START_TEST(test_syslog_takes_it)
{
	log_init("test_log", LOG_TARGET_SYSLOG, LOG_LEVEL_ERROR, LOG_FORMAT_KEYS);
	ck_assert(log_enabled(LOG_LEVEL_ERROR));
	ck_assert(!log_enabled(LOG_LEVEL_WARNING));
	log_error("unit test", LOG_S("text", "%s%n"));
}
END_TEST

UNIT_MAIN("log", UNIT(test_keys), UNIT(test_forgery), UNIT(test_json), UNIT(test_long_lines), UNIT(test_syslog_takes_it))
