/* channels.h - where people and programs are told of things: list, one of them, its form, and what it was told. */
#ifndef GRAPNEL_DASH_CHANNELS_H
#define GRAPNEL_DASH_CHANNELS_H

#include "grapnel/channel.h"
#include "choice.h"

struct channels_page {
	struct page page;
	struct channel_view *channels;
	size_t channels_n;
	struct list_nav nav;
};

struct channel_kind_tile {
	const char *slug, *title, *help;
};

struct channel_kinds_page {
	struct page page;
	struct channel_kind_tile *kinds;
	size_t kinds_n;
};

/* A part that the kind takes. */
struct channel_part_field {
	const char *name, *label, *help, *example;
	struct str value;		/* never of a secret */
	bool secret, lines, needed;
	bool is_set;			/* of a secret: there is one */
	struct choice *choices;		/* of one that is chosen among words */
	size_t choices_n;
	struct str error;		/* of the form, where it is about this one */
};

struct channel_event_box {
	const char *word, *title;
	bool ticked;
};

struct channel_form_page {
	struct page page;
	struct str heading, action, back, button;
	const char *new_kind;		/* NULL: it is a change, and the kind stays */
	const char *kind_title, *kind_help;
	struct str name;
	struct channel_part_field parts[PART_COUNT];
	size_t parts_n;
	struct channel_event_box *events;
	size_t events_n;
	struct choice *severities;
	size_t severities_n;
	struct str per_minute;
	uint64_t per_minute_max;	/* 0: the kind has no limit */
	const char *drop_label;		/* of the box that drops the secret; NULL: there is none */
	bool enabled, drop_secret;
};

struct channel_page {
	struct page page;
	struct channel_view channel;
	struct str to;			/* in lines */
	struct channel_delivery_view *deliveries;
	size_t deliveries_n;
	bool more;
};

struct channel_deliveries_page {
	struct page page;
	struct channel_view channel;
	struct chip *chips;
	size_t chips_n;
	bool filtered;
	struct channel_delivery_view *deliveries;
	size_t deliveries_n;
	struct list_nav nav;
};

struct channel_delivery_page {
	struct page page;
	struct channel_view channel;
	struct channel_delivery_view delivery;
	struct channel_attempt_view *attempts;
	size_t attempts_n;
};

void page_channels(void *visit);
void page_channel_kinds(void *visit);
void page_channel_new(void *visit);
void page_channel_create(void *visit);
void page_channel(void *visit);
void page_channel_edit(void *visit);
void page_channel_change(void *visit);
void page_channel_test(void *visit);
void page_channel_delete(void *visit);
void page_channel_drop(void *visit);
void page_channel_deliveries(void *visit);
void page_channel_delivery(void *visit);

#endif
