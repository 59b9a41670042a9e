/* Rows from RFC 3629 sections 3, 4 and 10, and from Markus Kuhn's "UTF-8 decoder capability and stress test". */
#include "unit.h"

static const struct {
	const char *text;
	bool ok;
} rows[] = {
	{ "", true },
	{ "plain ASCII that is longer than eight bytes", true },
	{ "A\xe2\x89\xa2\xce\x91.", true },			/* RFC 3629 section 7 */
	{ "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4", true },
	{ "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", true },
	{ "\xef\xbb\xbf\xf0\xa3\x8e\xb4", true },
	{ "\xc2\x80", true },
	{ "\xdf\xbf", true },
	{ "\xe0\xa0\x80", true },
	{ "\xed\x9f\xbf", true },
	{ "\xee\x80\x80", true },
	{ "\xef\xbf\xbf", true },
	{ "\xf0\x90\x80\x80", true },
	{ "\xf4\x8f\xbf\xbf", true },
	{ "\x80", false },
	{ "\xbf", false },
	{ "\xc0\x80", false },		/* overlong NUL */
	{ "\xc0\xaf", false },
	{ "\xc1\xbf", false },
	{ "\xe0\x80\xaf", false },
	{ "\xe0\x9f\xbf", false },
	{ "\xf0\x80\x80\xaf", false },
	{ "\xf0\x8f\xbf\xbf", false },
	{ "\xed\xa0\x80", false },	/* surrogates */
	{ "\xed\xbf\xbf", false },
	{ "\xf4\x90\x80\x80", false },	/* over U+10FFFF */
	{ "\xf5\x80\x80\x80", false },
	{ "\xf8\x88\x80\x80\x80", false },
	{ "\xff", false },
	{ "\xfe\xff", false },
	{ "\xe2\x82", false },		/* cut off */
	{ "\xf0\x9f\x98", false },
	{ "\xc3", false },
	{ "\xc3(", false },
	{ "\xe2(\xa1", false },
	{ "\xe2\x82(", false },
	{ "1234567\xff", false },	/* in each place of a word of eight */
	{ "12345678\xff", false },
	{ "\xff""12345678", false },
};

START_TEST(test_rows)
{
	ck_assert(str_is_utf8(str_of(rows[_i].text)) == rows[_i].ok);
}
END_TEST

UNIT_MAIN("utf8", UNIT_ROWS(test_rows, rows))
