/* services.h - what can break: list, one of them, and its form. */
#ifndef GRAPNEL_DASH_SERVICES_H
#define GRAPNEL_DASH_SERVICES_H

#include "choice.h"
#include "incidents.h"

struct service_row {
	struct str id, name, description, aliases, auto_resolve;	/* in words */
	struct str maintenance;		/* name of the window that runs */
	bool is_default;
	uint64_t integrations, open_incidents;
	ms_t created_at;
};

struct services_page {
	struct page page;
	struct str q;
	struct service_row *rows;
	size_t rows_n;
	struct list_nav nav;
};

struct service_page {
	struct page page;
	struct service_view service;
	struct str *aliases;
	size_t aliases_n;
	struct str auto_resolve;	/* in words */
	struct service_source *sources;
	size_t sources_n;
	struct incident_line *incidents;
	size_t incidents_n;
	struct oncall_view *on_call;	/* by its escalation policy */
	size_t on_call_n;
	struct choice *channels;	/* that are told */
	size_t channels_n;
};

struct service_form_page {
	struct page page;
	struct str heading, action, back, button;
	struct str name, description, aliases, minutes;	/* as typed */
	bool is_default, was_default;
	struct choice *policies, *channels;
	size_t policies_n, channels_n;
};

void page_services(void *visit);
void page_service(void *visit);
void page_service_new(void *visit);
void page_service_create(void *visit);
void page_service_edit(void *visit);
void page_service_change(void *visit);
void page_service_delete(void *visit);
void page_service_drop(void *visit);

#endif
