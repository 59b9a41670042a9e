/* endpoints.h - outbound webhooks of whoever is signed in: list, one of them, its form, and what was sent to it. */
#ifndef GRAPNEL_DASH_ENDPOINTS_H
#define GRAPNEL_DASH_ENDPOINTS_H

#include "dash_int.h"

struct endpoints_page {
	struct page page;
	struct endpoint_view *endpoints;
	size_t endpoints_n;
	struct list_nav nav;
};

struct endpoint_page {
	struct page page;
	struct endpoint_view endpoint;
	struct endpoint_delivery_view *deliveries;
	size_t deliveries_n;
	bool more;
};

struct endpoint_word {
	const char *word, *title;
};

struct endpoint_form_page {
	struct page page;
	struct str heading, action, back, button;
	struct str url, events;		/* events: one a line */
	struct endpoint_word *words;
	size_t words_n;
	bool is_new, has_secret, drop_secret, retries, enabled;
};

struct endpoint_deliveries_page {
	struct page page;
	struct endpoint_view endpoint;
	struct chip *chips;
	size_t chips_n;
	bool filtered;
	struct endpoint_delivery_view *deliveries;
	size_t deliveries_n;
	struct list_nav nav;
};

struct endpoint_delivery_page {
	struct page page;
	struct endpoint_view endpoint;
	struct endpoint_delivery_view delivery;
	struct channel_attempt_view *attempts;
	size_t attempts_n;
};

void page_endpoints(void *visit);
void page_endpoint_new(void *visit);
void page_endpoint_create(void *visit);
void page_endpoint(void *visit);
void page_endpoint_edit(void *visit);
void page_endpoint_change(void *visit);
void page_endpoint_enable(void *visit);
void page_endpoint_test(void *visit);
void page_endpoint_rotate(void *visit);
void page_endpoint_rotate_post(void *visit);
void page_endpoint_delete(void *visit);
void page_endpoint_drop(void *visit);
void page_endpoint_deliveries(void *visit);
void page_endpoint_delivery(void *visit);
void page_endpoint_redeliver(void *visit);

#endif
