/* filters.c - numbers and times as people read them. Whole numbers only: nothing depends on a rounding mode. */
#include <inttypes.h>

#include "grapnel/html.h"

#define RELATIVE_MAX (30 * MS_PER_DAY)	/* "45 d ago" has to be counted back by the reader: the date says more */
#define CUT 80

/* ---- times ---- */

/* "2026-01-02 03:04:05 UTC" */
static struct str utc(struct arena *a, ms_t t)
{
	char text[TIME_TEXT];

	time_format(t, text);
	return arena_printf(a, "%.10s %.8s UTC", text, text + 11);
}

/* "3 min ago", "in 2 h" */
static struct str relative(struct arena *a, ms_t t, ms_t now)
{
	static const struct { ms_t size; const char *name; } units[] = {
		{ MS_PER_DAY, "d" }, { MS_PER_HOUR, "h" }, { MS_PER_MINUTE, "min" }, { MS_PER_SECOND, "s" },
	};
	ms_t d = t > now ? t - now : now - t;

	if (d >= RELATIVE_MAX)
		return (struct str){ utc(a, t).p, 10 };
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (d >= units[i].size)
			return arena_printf(a, "%s%" PRId64 " %s%s", t > now ? "in " : "", d / units[i].size, units[i].name,
				t > now ? "" : " ago");
	return STR("now");
}

static struct html time_element(struct html_out *o, ms_t t, struct str title, struct str text)
{
	char iso[TIME_TEXT];

	if (!t)
		return (struct html){ STR("<span class=\"never\">never</span>") };
	return (struct html){ arena_printf(o->a, "<time datetime=\"%s\" title=\"%.*s\">%.*s</time>", time_format(t, iso),
		STR_ARG(title), STR_ARG(text)) };
}

struct html html_f_when(struct html_out *o, ms_t t)
{
	return time_element(o, t, utc(o->a, t), relative(o->a, t, o->now));
}

struct html html_f_time(struct html_out *o, ms_t t)
{
	return time_element(o, t, relative(o->a, t, o->now), utc(o->a, t));
}

struct str html_f_iso(struct html_out *o, ms_t t)
{
	char text[TIME_TEXT];

	return t ? arena_str(o->a, str_of(time_format(t, text))) : STR_NONE;
}

/* ---- numbers ---- */

struct str html_f_count(struct html_out *o, uint64_t n)
{
	char text[32], *p = text + sizeof(text);

	for (size_t digits = 0; n || !digits; digits++, n /= 10) {
		if (digits && digits % 3 == 0)
			*--p = ',';
		*--p = (char)('0' + n % 10);
	}
	return arena_str(o->a, (struct str){ p, (size_t)(text + sizeof(text) - p) });
}

struct str html_f_bytes(struct html_out *o, uint64_t n)
{
	return bytes_text(o->a, n);
}

/* "1 min 5 s": two units that follow each other. */
static struct str pair(struct arena *a, uint64_t n, uint64_t large, const char *large_name, uint64_t small, const char *small_name)
{
	uint64_t rest = n % large / small;

	if (!rest)
		return arena_printf(a, "%" PRIu64 " %s", n / large, large_name);
	return arena_printf(a, "%" PRIu64 " %s %" PRIu64 " %s", n / large, large_name, rest, small_name);
}

struct str html_f_us(struct html_out *o, uint64_t us)
{
	if (!us)
		return STR("0 ms");
	if (us < 50)
		return STR("<0.1 ms");
	if (us < 999500)
		return quantity_text(o->a, us, 1000, "ms");
	return html_f_ms(o, us / 1000 + (us % 1000 >= 500));
}

struct str html_f_ms(struct html_out *o, uint64_t ms)
{
	if (ms < 1000)
		return arena_printf(o->a, "%" PRIu64 " ms", ms);
	if (ms < 59500)
		return quantity_text(o->a, ms, 1000, "s");
	ms = ms / 1000 + (ms % 1000 >= 500);
	if (ms < 3600)
		return pair(o->a, ms, 60, "min", 1, "s");
	if (ms < 86400)
		return pair(o->a, ms, 3600, "h", 60, "min");
	return pair(o->a, ms, 86400, "d", 3600, "h");
}

/* Never rounded up to 100 % or down to 0 %: that is what one looks for. */
struct str html_f_rate(struct html_out *o, double percent)
{
	unsigned tenths;

	if (!(percent > 0))
		return STR("0 %");
	if (percent >= 100)
		return STR("100 %");
	tenths = (unsigned)(percent * 10 + 0.5);
	tenths = tenths < 1 ? 1 : tenths > 999 ? 999 : tenths;
	return arena_printf(o->a, "%u.%u %%", tenths / 10, tenths % 10);
}

/* ---- text ---- */

struct str html_lower(struct html_out *o, struct str s)
{
	return arena_lower(o->a, s);
}

/* Bytes of the first `max` characters; a byte that is not UTF-8 counts as one. */
static size_t characters(struct str s, size_t max)
{
	size_t n = 0;

	for (; max && n < s.n; max--) {
		size_t length = utf8_sequence(s.p + n, s.n - n);

		n += length ? length : 1;
	}
	return n;
}

struct str html_cut80(struct html_out *o, struct str s)
{
	struct str front;

	if (characters(s, CUT) == s.n)
		return s;
	front = str_trim((struct str){ s.p, characters(s, CUT - 1) });
	return arena_printf(o->a, "%.*s\xe2\x80\xa6", STR_ARG(front));
}
