/* picture.c - charts as SVG text.
 *
 * Shapes have classes and no colours: light, dark and print are matters of web/grapnel.css, and the Content-Security-Policy
 * allows no style=. All is drawn in whole units of the viewBox and stretched to the box that the page gives. */
#include <inttypes.h>

#include "grapnel/html.h"

#define UNIT 10		/* tenths of a unit: bars of many sources are narrow */
#define SPARK_W 100
#define SPARK_H 20

static const struct { const char *class, *word; } parts[] = {
	{ "ok", "ok" }, { "repeated", "repeated" }, { "failed", "failed" },
};

_Static_assert(ARRAY_SIZE(parts) == ARRAY_SIZE(((struct bar *)0)->parts), "a word for each part");

static void put(struct html_out *o, const char *literal)
{
	strbuf_adds(&o->b, literal);
}

/* A number of units, given in tenths. */
static void put_units(struct html_out *o, const char *before, uint64_t tenths)
{
	strbuf_addf(&o->b, "%s%" PRIu64, before, tenths / UNIT);
	if (tenths % UNIT)
		strbuf_addf(&o->b, ".%" PRIu64, tenths % UNIT);
}

static uint64_t bar_total(const struct bar *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		sum += b->parts[i];
	return sum;
}

/* value * size / of, where the product might not fit. */
static uint64_t scaled(uint64_t value, uint64_t size, uint64_t of)
{
	return of ? (uint64_t)((__extension__ (unsigned __int128)value * size) / of) : 0;
}

/* "14:00: 1,200 ok, 1 failed" */
static void put_numbers(struct html_out *o, const struct bar *b)
{
	const char *between = ": ";

	html_text(o, b->label);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!b->parts[i])
			continue;
		put(o, between);
		html_text(o, html_f_count(o, b->parts[i]));
		strbuf_addf(&o->b, " %s", parts[i].word);
		between = ", ";
	}
	if (!bar_total(b))
		put(o, ": none");
}

static void put_rect(struct html_out *o, const char *class, uint64_t x, uint64_t y, uint64_t w, uint64_t h)
{
	strbuf_addf(&o->b, "<rect class=\"%s\"", class);
	put_units(o, " x=\"", x);
	put_units(o, "\" y=\"", y);
	put_units(o, "\" width=\"", w);
	put_units(o, "\" height=\"", h);
	put(o, "\"/>");
}

/* What is there at all gets at least one unit, since a single failure must be seen; the tallest part gives what that takes. */
static void part_heights(const struct bar *b, uint64_t h, uint64_t highest, uint64_t heights[ARRAY_SIZE(parts)])
{
	uint64_t sum = 0;
	size_t tallest = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		heights[i] = scaled(b->parts[i], h, highest);
		if (b->parts[i] && heights[i] < UNIT)
			heights[i] = UNIT;
		if (heights[i] > heights[tallest])
			tallest = i;
		sum += heights[i];
	}
	if (sum > h)
		heights[tallest] -= sum - h < heights[tallest] ? sum - h : heights[tallest];
}

/* From the axis at the bottom outwards. */
static void put_bar(struct html_out *o, const struct bar *b, uint64_t x, uint64_t w, uint64_t h, uint64_t highest)
{
	uint64_t heights[ARRAY_SIZE(parts)], bottom = h, gap = w > 4 * UNIT ? w / 10 : 0;

	put(o, "<a href=\"");
	html_url(o, b->href);
	put(o, "\"><title>");	/* seen when pointed at, and the link's name for screen readers */
	put_numbers(o, b);
	put(o, "</title>");
	put_rect(o, "hit", x, 0, w, h);
	part_heights(b, h, highest, heights);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!heights[i])
			continue;
		bottom -= heights[i];
		put_rect(o, parts[i].class, x, bottom, w - gap, heights[i]);
	}
	put(o, "</a>");
}

/* Pictures are written at the end of the page's own buffer and taken off again: one buffer, no second escaper. */
static struct html taken(struct html_out *o, size_t from)
{
	struct str s = { o->b.p + from, o->b.n - from };

	if (o->b.failed)
		return (struct html){ STR_NONE };
	s = arena_str(o->a, s);
	o->b.n = from;
	return (struct html){ s };
}

struct html html_bars(struct html_out *o, const struct bar *bars, size_t n, unsigned w, unsigned h, struct str title)
{
	size_t from = o->b.n;
	uint64_t highest = 0;

	if (!n)
		return (struct html){ STR_NONE };
	for (size_t i = 0; i < n; i++)
		if (bar_total(&bars[i]) > highest)
			highest = bar_total(&bars[i]);
	strbuf_addf(&o->b, "<svg class=\"bars\" viewBox=\"0 0 %u %u\" preserveAspectRatio=\"none\" role=\"group\" aria-label=\"", w, h);
	html_attr(o, title);
	put(o, "\">");
	for (size_t i = 0; i < n; i++) {
		uint64_t x = (uint64_t)w * UNIT * i / n, end = (uint64_t)w * UNIT * (i + 1) / n;

		put_bar(o, &bars[i], x, end - x, (uint64_t)h * UNIT, highest);
	}
	put(o, "</svg>");
	return taken(o, from);
}

/* ---- spans ---- */

static void put_share(struct html_out *o, const char *before, unsigned of_whole)
{
	strbuf_addf(&o->b, "%s%u.%02u%%\"", before, of_whole / 100, of_whole % 100);
}

static void put_mark(struct html_out *o, const char *class, unsigned at)
{
	strbuf_addf(&o->b, "<line class=\"%s\" y2=\"100%%\"", class);
	put_share(o, " x1=\"", at);
	put_share(o, " x2=\"", at);
	put(o, "/>");
}

/* What does not fit into its block is covered by the next one. */
static void put_span(struct html_out *o, const struct picture_span *s)
{
	strbuf_addf(&o->b, "<g class=\"who-%u\"><title>", s->tone);
	html_text(o, s->title);
	put(o, "</title><rect height=\"100%\"");
	put_share(o, " x=\"", s->from);
	put_share(o, " width=\"", s->to - s->from);
	put(o, "/><text dx=\"5\" y=\"50%\" dy=\".35em\"");
	put_share(o, " x=\"", s->from);
	put(o, ">");
	html_text(o, s->text);
	put(o, "</text></g>");
}

struct html html_spans(struct html_out *o, const struct picture_span *spans, size_t n, const unsigned *marks, size_t marks_n, unsigned now,
	struct str title)
{
	size_t from = o->b.n;

	put(o, "<svg class=\"spans\" role=\"img\" aria-label=\"");
	html_attr(o, title);
	put(o, "\">");
	for (size_t i = 0; i < n; i++)
		if (spans[i].to > spans[i].from)
			put_span(o, &spans[i]);
	for (size_t i = 0; i < marks_n; i++)
		put_mark(o, "mark", marks[i]);
	if (now < PICTURE_WHOLE)
		put_mark(o, "now", now);
	put(o, "</svg>");
	return taken(o, from);
}

/* ---- a line ---- */

struct html html_spark(struct html_out *o, const uint64_t *values, size_t n, struct str title)
{
	size_t from = o->b.n;
	uint64_t highest = 0;

	if (!n)
		return (struct html){ STR_NONE };
	for (size_t i = 0; i < n; i++)
		if (values[i] > highest)
			highest = values[i];
	/* Many stand on one page: the title is its name for screen readers too, and how the line looks says the style sheet. */
	strbuf_addf(&o->b, "<svg class=\"spark\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\"><title>", SPARK_W, SPARK_H);
	html_text(o, title);
	put(o, "</title><polyline points=\"");
	/* One unit of room above and below for the line's own width. */
	for (size_t i = 0; i < n; i++) {
		put_units(o, i ? " " : "", n > 1 ? SPARK_W * UNIT * i / (n - 1) : 0);
		put_units(o, ",", (SPARK_H - 1) * UNIT - scaled(values[i], (SPARK_H - 2) * UNIT, highest));
	}
	if (n == 1) {	/* one value is a level line */
		put_units(o, " ", SPARK_W * UNIT);
		put_units(o, ",", (SPARK_H - 1) * UNIT - scaled(values[0], (SPARK_H - 2) * UNIT, highest));
	}
	put(o, "\"/></svg>");
	return taken(o, from);
}
