/* overview.h - what the templates of the overview show. */
#ifndef GRAPNEL_DASH_OVERVIEW_H
#define GRAPNEL_DASH_OVERVIEW_H

#include "grapnel/view.h"
#include "page.h"

#define OVERVIEW_LINES 12	/* sources with their 24 blocks: two KiB each, and a page has fifty */

struct hour_block {
	const char *class;		/* ok, err, none */
	uint64_t hour;			/* since 1970 */
	struct str title;
};
struct source_line {
	struct str id, name, provider, note;
	const char *status;		/* ok, failing, silent, never, disabled */
	ms_t last_at;
	uint64_t received, errors;
	struct hour_block blocks[OVERVIEW_HOURS];
	size_t blocks_n;
};
struct level_count {
	const char *level;
	uint64_t n;
};

struct overview_page {
	struct page page;
	struct overview o;
	const char *tone;		/* ok, warn, bad: of the banner */
	const char *state;		/* "Healthy" */
	struct html chart;
	struct str first, middle;	/* below the chart: its hours */
	struct level_count levels[OVERVIEW_LEVELS];	/* critical first; those that are there */
	size_t levels_n;
	struct source_line lines[OVERVIEW_LINES];
	size_t lines_n;
	uint64_t more;			/* sources without a line */
	bool begins;			/* no real webhook yet: what to do first */
};

void page_overview(void *visit);
void page_hour(void *visit);

#endif
