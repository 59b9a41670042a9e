/* schedules.h - who is on call: list, one schedule with its calendar, its form, the form of a layer, overrides. */
#ifndef GRAPNEL_DASH_SCHEDULES_H
#define GRAPNEL_DASH_SCHEDULES_H

#include "choice.h"

struct schedules_page {
	struct page page;
	struct schedule_view *schedules;
	size_t schedules_n;
	struct list_nav nav;
};

struct schedule_form_page {
	struct page page;
	struct str heading, action, back, button;
	struct str name, description, time_zone;	/* as typed */
	struct zone_list zones;
	bool is_new;
};

struct schedule_week {
	struct str label;		/* "23 to 29 November" */
	struct html picture;
};

struct schedule_person {
	struct str name;
	uint64_t tone;			/* class who-N */
};

struct schedule_turn {
	struct str from, to, user, by;	/* on the clocks of the schedule; user empty: nobody */
	bool now;
};

struct schedule_layer_row {
	struct str name, rotation, counts, people;	/* in words */
	uint64_t number;		/* from 1 */
	bool is_first;
};

struct schedule_override_row {
	uint64_t id;
	struct str user, from, to;
};

struct schedule_page {
	struct page page;
	struct schedule_view schedule;
	struct str until;		/* on its clocks */
	uint64_t version;
	struct str earlier_url, later_url, today_url;
	struct schedule_week *weeks;
	size_t weeks_n;
	struct schedule_person *people;
	size_t people_n;
	struct schedule_turn *turns;
	size_t turns_n;
	bool more_turns;
	struct schedule_layer_row *layers;
	size_t layers_n;
	struct schedule_override_row *overrides;
	size_t overrides_n;
	struct choice *choices;		/* who takes over; none: a field to type into */
	size_t choices_n;
	struct str user, from, to;	/* of the form of an override, as typed */
	bool room;			/* for another layer */
};

struct schedule_seat {
	uint64_t number;
	struct str value;
	struct choice *choices;
	size_t choices_n;
};

struct schedule_day_box {
	const char *word, *label;
	bool ticked;
};

struct schedule_layer_page {
	struct page page;
	struct schedule_view schedule;
	struct str heading, action, button;
	uint64_t version;
	struct str name, length, hand_over, start_date, from, to;	/* as typed */
	struct choice *rotations, *weekdays;
	size_t rotations_n, weekdays_n;
	struct schedule_seat *seats;
	size_t seats_n;
	struct schedule_day_box *days;
	size_t days_n;
};

/* A time on the clocks of a zone: "Mon 23 Nov 09:00", with the year where it is not this one. */
struct str wall_text(struct arena *a, const struct zone *z, ms_t t, ms_t now);

void page_schedules(void *visit);
void page_schedule_new(void *visit);
void page_schedule_create(void *visit);
void page_schedule(void *visit);
void page_schedule_edit(void *visit);
void page_schedule_change(void *visit);
void page_schedule_delete(void *visit);
void page_schedule_drop(void *visit);
void page_schedule_override(void *visit);
void page_schedule_override_delete(void *visit);
void page_schedule_override_drop(void *visit);
void page_schedule_layer_new(void *visit);
void page_schedule_layer_create(void *visit);
void page_schedule_layer_edit(void *visit);
void page_schedule_layer_change(void *visit);
void page_schedule_layer_up(void *visit);
void page_schedule_layer_delete(void *visit);
void page_schedule_layer_drop(void *visit);

#endif
