/* monitor.h - is our own work all right? The checks, what they rest on, what to do, and what went wrong before. */
#ifndef GRAPNEL_DASH_MONITOR_H
#define GRAPNEL_DASH_MONITOR_H

#include "dash_int.h"

#include "grapnel/job.h"
#include "grapnel/spool.h"

struct window_chip {
	struct str label, url;
	bool chosen;
};

struct monitor_advice {
	struct str title, severity, text, step;
	const char *act, *act_title;	/* what may mend it; or NULL */
};

struct act_link {
	const char *name, *title, *help;
};

/* A provider or an event type, and its share of the events. */
struct share_row {
	struct str name, url;		/* url empty: nothing to go to */
	uint64_t count;
	double percent;
};

/* A source that stands out in something. */
struct named_source {
	const char *what;
	struct str id, name, error;
	uint64_t count;
};

struct table_row {
	struct str name, per_day;	/* per_day: "1.2 MiB", "-3 KiB" */
	uint64_t rows, bytes;
};

struct monitor_page {
	struct page page;
	const char *tone, *state;	/* "ok", "Healthy" */
	struct str summary;
	struct window_chip *chips;
	size_t chips_n;
	struct str window;		/* "the last hour" */
	ms_t made_at;
	struct monitor_check *checks;
	size_t checks_n;
	struct monitor_advice advice[MONITOR_CHECKS];
	size_t advice_n;
	struct act_link acts[MONITOR_ACTS];	/* for platform admins */
	size_t acts_n;
	struct monitor_facts facts;
	double success_rate;		/* percent */
	struct str attempts;		/* on average */
	uint64_t average_us;
	struct share_row *providers;
	size_t providers_n;
	struct share_row *types;
	size_t types_n, more_types;
	struct named_source sources[3];
	size_t sources_n;
	struct monitor_event *oldest;
	size_t oldest_n;
	struct monitor_alert_view *running;
	size_t running_n;
	struct monitor_alert_view *past;
	size_t past_n;
	/* of the whole installation */
	struct outbox_depth outbox;
	bool spools;
	struct spool_state spool;
	struct storage_view storage;	/* for admins */
	uint64_t disk_used;		/* percent */
	struct table_row *tables;	/* the largest */
	size_t tables_n;
};

struct act_field {
	const char *name, *label, *hint;
	struct str value;
	uint64_t min, max;
	bool number, lines, required, bad;
};

/* One act: its form, what it would do, what it did. */
struct monitor_act_page {
	struct page page;
	const char *name, *title, *help, *button;
	bool harmless, looks_first, can_do, is_sample;
	struct act_field fields[6];
	size_t fields_n;
	struct monitor_event_result *results;
	size_t results_n;
	struct monitor_event_result *candidates;	/* events that the id may mean */
	size_t candidates_n;
	struct remediation_step *steps;
	size_t steps_n;
	struct duplicate_group *groups;
	size_t groups_n;
	uint64_t looked_at;
};

struct monitor_alerts_page {
	struct page page;
	struct monitor_alert_view *alerts;
	size_t alerts_n;
	struct list_nav nav;
};

/* What a status looks like: the class of its banner, and its word. */
struct status_look {
	const char *tone, *word;
};
struct status_look monitor_look(enum monitor_status s);

/* monitor_act.c */
void monitor_acts_fill(struct monitor_page *p);
const char *monitor_act_title(const char *name);	/* of NULL: NULL */

void page_monitor(void *visit);
void page_monitor_act(void *visit);
void page_monitor_act_post(void *visit);
void page_monitor_alerts(void *visit);

#endif
