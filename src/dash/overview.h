/* overview.h - what the templates of the overview show. */
#ifndef GRAPNEL_DASH_OVERVIEW_H
#define GRAPNEL_DASH_OVERVIEW_H

#include "grapnel/spool.h"
#include "grapnel/view.h"
#include "page.h"

#define OVERVIEW_LINES 10	/* sources with their 24 blocks: two KiB each, and a page has fifty */
#define OVERVIEW_QUIET 3	/* quiet ones named beside them */

struct hour_block {
	const char *class;		/* ok, err, none */
	uint64_t hour;			/* since 1970 */
	struct str title;
};
struct source_line {
	struct str id, name, provider;
	struct str state;		/* of integration_state */
	ms_t last_at;
	uint64_t received, errors;
	struct hour_block blocks[OVERVIEW_HOURS];
	size_t blocks_n;
};
struct quiet_source {
	struct str id, name;
	ms_t last_at;
	bool first;			/* of the list: no comma before it */
};

#define OVERVIEW_WINDOWS 5
struct running_window {
	struct str id, name;
	ms_t until;
};

#define OVERVIEW_ON_CALL 10
struct overview_page {
	struct page page;
	struct overview o;
	const char *tone;		/* ok, warn, bad: of the banner */
	const char *state;		/* "Healthy" */
	struct monitor_check *checks;
	size_t checks_n;
	bool spools;
	struct spool_state spool;	/* of this host */
	struct html chart;
	struct str first, middle;	/* below the chart: its hours */
	uint64_t peak;			/* most events in one of them */
	struct str open;		/* "2 critical, 1 low"; empty: none */
	uint64_t tests;			/* unresolved ones among the badge's, which are not counted here */
	struct source_line lines[OVERVIEW_LINES];
	size_t lines_n;
	struct quiet_source quiet[OVERVIEW_QUIET];	/* nothing came for a day, or ever; without a line */
	size_t quiet_n;
	uint64_t more;			/* sources that are not named here */
	struct running_window windows[OVERVIEW_WINDOWS];	/* of maintenance */
	size_t windows_n;
	bool more_windows;
	struct oncall_view *on_call;	/* by schedule */
	size_t on_call_n;
	bool more_on_call;
	bool begins;			/* no real webhook yet: what to do first */
};

void page_overview(void *visit);
void page_hour(void *visit);

#endif
