/* maintenance.h - when nobody is told: maintenance windows and silences, what they hold, and their forms. */
#ifndef GRAPNEL_DASH_MAINTENANCE_H
#define GRAPNEL_DASH_MAINTENANCE_H

#include "choice.h"
#include "incidents.h"

/* A window or silence in a list. */
struct hush_line {
	struct hush_view hush;
	struct str url;
};

struct maintenance_page {
	struct page page;
	struct hush_line *running, *coming, *over;	/* of over: the newest */
	size_t running_n, coming_n, over_n;
};

struct hushes_page {
	struct page page;
	struct str heading, sub, new_url, button, here;
	bool running, coming, over;		/* which are chosen */
	struct hush_line *rows;
	size_t rows_n;
	struct list_nav nav;
};

struct hush_page {
	struct page page;
	struct hush_view hush;
	struct str url, kind, plural_url, plural;
	bool runs;
	struct incident_line *incidents;	/* that it holds */
	size_t incidents_n;
	bool more;
};

struct weekday_box {
	const char *word, *label;
	bool ticked;
};

struct hush_form_page {
	struct page page;
	bool is_window;
	struct str heading, action, back, button;
	/* as typed */
	struct str name, reason, service, source, dedup_key;
	struct str from, to, start_time, minutes, month_day, zone;
	struct choice *services, *sources, *providers, *severities, *repeats, *weeks, *lengths;
	size_t services_n, sources_n, providers_n, severities_n, repeats_n, weeks_n, lengths_n;
	struct zone_list zone_list;
	struct weekday_box weekdays[7];
	size_t weekdays_n;
	ms_t until;				/* of a silence that is there already */
};

void page_maintenance(void *visit);
void page_windows(void *visit);
void page_window_new(void *visit);
void page_window_create(void *visit);
void page_window(void *visit);
void page_window_edit(void *visit);
void page_window_change(void *visit);
void page_window_end(void *visit);
void page_window_stop(void *visit);
void page_window_delete(void *visit);
void page_window_drop(void *visit);
void page_silences(void *visit);
void page_silence_new(void *visit);
void page_silence_create(void *visit);
void page_silence(void *visit);
void page_silence_edit(void *visit);
void page_silence_change(void *visit);
void page_silence_end(void *visit);
void page_silence_stop(void *visit);
void page_silence_delete(void *visit);
void page_silence_drop(void *visit);

/* ---- what both kinds say of themselves, for maintenance.c and maintenance_form.c ---- */

struct hush_words {
	enum hush_kind kind;
	const char *path, *title, *plural, *sub;	/* "/maintenance/windows", "maintenance window" */
	const struct form_field *fields, *query;
	const struct field *view;
	const char *api_plural;
};
extern const struct hush_words hush_window_words, hush_silence_words;

#endif
