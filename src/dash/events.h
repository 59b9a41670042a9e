/* events.h - the pages of events. */
#ifndef GRAPNEL_DASH_EVENTS_H
#define GRAPNEL_DASH_EVENTS_H

#include "traffic.h"

struct events_page {
	struct page page;
	struct traffic_filter filter;
	struct choice *statuses;
	size_t statuses_n;
	struct choice *severities;
	size_t severities_n;
	struct event_view *events;
	size_t events_n;
	struct list_count count;
	struct traffic_empty empty;
	struct list_nav nav;
	struct str replay_url;
	bool filtered;
};

struct event_page {
	struct page page;
	struct event_view event;
	struct request_view request;	/* id 0: cleaned up */
	struct alert_view alert;
	struct incident_view incident;
	struct lifecycle life;
	struct attempt_view *attempts;
	size_t attempts_n;
	struct forward_view forward;
	struct request_view *repeats;
	size_t repeats_n;
	struct header_table headers;
	struct payload payload;
	struct str curl;
	uint64_t place;			/* from 1, where its request has several events */
};

void page_events(void *visit);
void page_event(void *visit);
void page_event_payload(void *visit);

/* event_acts.c */
void page_event_settle(void *visit);
void page_event_delete(void *visit);
void page_event_drop(void *visit);

#endif
