#include "unit.h"

static struct arena *arena;
static struct strbuf b;

struct sample {
	struct str text, json;
	uint64_t count, id;
	int64_t change;
	bool yes;
	ms_t at;
	double rate;
};

static const struct field fields[] = {
	FIELD_STR(struct sample, text, "text", ""),
	FIELD_JSON(struct sample, json, "json", ""),
	FIELD_U64(struct sample, count, "count", ""),
	FIELD_ID(struct sample, id, "id", ""),
	FIELD_I64(struct sample, change, "change", ""),
	FIELD_BOOL(struct sample, yes, "yes", ""),
	FIELD_TIME(struct sample, at, "at", ""),
	FIELD_RATE(struct sample, rate, "rate", ""),
	FIELD_END
};

static const struct field text_alone[] = { FIELD_STR(struct sample, text, "text", ""), FIELD_END };

static void begin(void)
{
	arena = arena_new(1 << 20);
	strbuf_init(&b, arena, 1 << 16);
}

static void expect(const char *want)
{
	unit_str(strbuf_str(&b), want);
	arena_free(arena);
}

START_TEST(test_types)
{
	const struct sample full = { STR("x"), STR("[\"a\",1]"), UINT64_MAX, INT64_MAX, -5, true, 1767323045678, 99.5 };
	const struct sample empty = { 0 };

	begin();
	csv_header(&b, fields);
	csv_row(&b, fields, &full);
	csv_row(&b, fields, &empty);
	expect("text,json,count,id,change,yes,at,rate\r\n"
		"x,\"[\"\"a\"\",1]\",18446744073709551615,9223372036854775807,-5,true,2026-01-02T03:04:05.678Z,99.50\r\n"
		",,0,,0,false,,0.00\r\n");
}
END_TEST

static const struct {
	const char *text, *want;
} cells[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "two words", "two words" },
	/* RFC 4180, section 2 */
	{ "a,b", "\"a,b\"" },
	{ "say \"hi\"", "\"say \"\"hi\"\"\"" },
	{ "a;b", "\"a;b\"" },	/* the separator of some countries' spreadsheets */
	{ " edge", "\" edge\"" },
	{ "edge ", "\"edge \"" },
	/* what would be run */
	{ "=1+1", "'=1+1" },
	{ "+1", "'+1" },
	{ "-1", "'-1" },
	{ "@SUM(A1)", "'@SUM(A1)" },
	{ "=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0" },
	{ "=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"" },
	{ "\t=1", "' =1" },
	{ "\r=1", "' =1" },
	{ "\n=1", "' =1" },
	{ "  =1", "\"'  =1\"" },
	{ "\xef\xbc\x9d" "1", "'\xef\xbc\x9d" "1" },
	{ "a=1", "a=1" },
	{ "'quoted'", "'quoted'" },
	/* control characters, and bytes that are none */
	{ "a\r\nb\tc", "a  b c" },
	{ "a\x01\x1b[31m\x7f", "a\xef\xbf\xbd\xef\xbf\xbd[31m\xef\xbf\xbd" },
	{ "\xc2\x85|\xc2\xa0", "\xef\xbf\xbd|\xc2\xa0" },
	{ "\xff\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "<script>alert(1)</script>", "<script>alert(1)</script>" },
	{ "\xf0\x9f\x98\x80 \xc3\xa4", "\xf0\x9f\x98\x80 \xc3\xa4" },
};

START_TEST(test_cells)
{
	const struct sample s = { .text = str_of(cells[_i].text) };
	struct str got;

	begin();
	csv_row(&b, text_alone, &s);
	got = strbuf_str(&b);
	ck_assert(str_ends(got, "\r\n"));
	unit_str(str_cut(got, got.n - 2), cells[_i].want);
	arena_free(arena);
}
END_TEST

/* A NUL is a control character like others, and ends nothing. */
START_TEST(test_nul)
{
	const struct sample s = { .text = STR("a\0b") };

	begin();
	csv_row(&b, text_alone, &s);
	expect("a\xef\xbf\xbd" "b\r\n");
}
END_TEST

START_TEST(test_too_long)
{
	const struct sample s = { .text = STR("0123456789") };

	arena = arena_new(1 << 20);
	strbuf_init(&b, arena, 8);
	csv_row(&b, text_alone, &s);
	ck_assert(b.failed);
	arena_free(arena);
}
END_TEST

UNIT_MAIN("csv", UNIT(test_types), UNIT_ROWS(test_cells, cells), UNIT(test_nul), UNIT(test_too_long))
