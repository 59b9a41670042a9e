/* status.h - what a tenant shows to everybody, and the form that says it. */
#ifndef GRAPNEL_DASH_STATUS_H
#define GRAPNEL_DASH_STATUS_H

#include "grapnel/resource.h"
#include "grapnel/view.h"
#include "page.h"

struct status_line {
	struct status_incident incident;
	struct str opened, resolved;	/* "2026-01-02 03:04 UTC"; resolved empty: not yet */
};

struct status_window {
	struct status_maintenance window;
	struct str from, to;		/* "2026-01-02 03:04 UTC" */
};

struct public_status_page {
	struct page page;
	struct str title, about, summary, feed_url, made;
	const char *banner;		/* ok, warn or bad */
	struct status_service *services;
	size_t services_n;
	struct status_line *open, *past;
	size_t open_n, past_n;
	struct status_window *maintenance;
	size_t maintenance_n;
	uint64_t days;			/* that past ones are of */
};
void page_status(void *visit);
void status_feed(void *visit);		/* GET /status/:slug/feed.atom */

struct status_form_page {
	struct page page;
	struct str slug, title, about, services;	/* as typed */
	struct str url;			/* empty: nobody sees it */
	bool enabled, show_titles;
};
void page_status_form(void *visit);
void page_status_form_post(void *visit);

#endif
