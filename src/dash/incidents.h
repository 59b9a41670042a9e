/* incidents.h - the list of incidents, one incident, and what people do to them. */
#ifndef GRAPNEL_DASH_INCIDENTS_H
#define GRAPNEL_DASH_INCIDENTS_H

#include "traffic.h"

/* ---- incidents.c: the list, and many at once ---- */

struct incident_line {
	uint64_t id, alerts;
	struct str title, status, level, service, provider, assignee;
	bool is_test, snoozed, held;
	ms_t opened_at, snoozed_until;
};

struct incident_chip {
	const char *label;
	struct str url;
	uint64_t n;
	bool more, chosen;
};

struct incidents_page {
	struct page page;
	struct str here;		/* this page with its filters, for the forms that come back */
	/* what is filtered by, as it stands in the fields */
	struct str q, status, service, assignee, from, to;
	struct choice *levels, *services, *people, *kinds, *tests;
	size_t levels_n, services_n, people_n, kinds_n, tests_n;
	bool nobodys, filtered, more_open;	/* filtered: by more than status; more_open: by what is folded away */
	struct incident_chip chips[5];
	size_t chips_n;
	struct incident_line *rows;
	size_t rows_n;
	bool none_at_all;		/* the tenant has no incident yet */
	struct list_nav nav;
};

void page_incidents(void *visit);
void page_incidents_select(void *visit);
void page_incidents_bulk(void *visit);

/* ---- incident.c: one of them ---- */

/* An entry of the timeline, in words. */
struct story {
	struct str actor, who, did, by_link, level, text;
	struct str other;		/* the title of the other one of a merge; the next: its number */
	uint64_t incident_id, event_id;
	ms_t at, until;
};

/* A message about it. */
struct told_line {
	struct str to, to_url, note, what, status, bundle, error;	/* note: which addressee, by which way; bundle: what came of the message that told it */
	uint64_t attempts;
	ms_t at, next_at;
};

/* Where it is in a policy. */
struct escalation_facts {
	struct escalation_view v;
	struct str ended;		/* a sentence */
	bool began;			/* else there is none of it */
	bool runs, paused, failed;	/* failed: it is at its end, and nobody takes care */
};

struct incident_page {
	struct page page;
	struct incident_view incident;
	struct story *stories;
	size_t stories_n;
	struct alert_view *alerts;
	size_t alerts_n;
	struct told_line *told;		/* newest first */
	size_t told_n;
	bool more_told;
	struct escalation_facts escalation;
	uint64_t alerts_in_all;		/* with those of its parts */
	struct related_view *related, *parts;
	size_t related_n, parts_n;
	struct choice *people, *snoozes, *targets;
	size_t people_n, snoozes_n, targets_n;
	struct str into;		/* typed */
	struct str note;		/* typed */
	bool open, resolved, snoozed, held, mine, more_stories, more_alerts;
};

void page_incident(void *visit);
void page_incident_acknowledge(void *visit);
void page_incident_resolve(void *visit);
void page_incident_reopen(void *visit);
void page_incident_note(void *visit);
void page_incident_assign(void *visit);
void page_incident_snooze(void *visit);
void page_incident_merge(void *visit);

void incident_line_fill(struct incident_line *r, const struct incident_view *i, ms_t now);

#endif
