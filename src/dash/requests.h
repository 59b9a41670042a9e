/* requests.h - the pages of what came in. */
#ifndef GRAPNEL_DASH_REQUESTS_H
#define GRAPNEL_DASH_REQUESTS_H

#include "traffic.h"

struct requests_page {
	struct page page;
	struct traffic_chip chips[4];
	size_t chips_n;
	struct traffic_filter filter;
	struct str outcome;		/* kept while other filters change */
	struct request_view *requests;
	size_t requests_n;
	struct list_count count;
	struct traffic_empty empty;
	struct list_nav nav;
};

struct request_page {
	struct page page;
	struct request_view request;
	struct str advice;		/* of a refused one, */
	const char *on_error;		/* and what its sender does now */
	struct lifecycle life;
	struct proof_view proof;
	struct subscription_view subscription;	/* that it asked to have confirmed */
	struct event_view *events;
	size_t events_n;
	struct header_table headers;
	struct payload payload;
	struct str curl;
	bool cut;			/* the stored body is not all */
};

void page_requests(void *visit);
void page_request(void *visit);
void page_request_payload(void *visit);

#endif
