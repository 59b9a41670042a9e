/* policies.h - escalation policies: list, one of them, its form. */
#ifndef GRAPNEL_DASH_POLICIES_H
#define GRAPNEL_DASH_POLICIES_H

#include "choice.h"

struct policy_row {
	struct str id, name, description, steps, services;	/* in words */
};

struct policies_page {
	struct page page;
	struct policy_row *rows;
	size_t rows_n;
	struct list_nav nav;
};

struct policy_line_target {
	struct str name, type;
	struct str path;		/* its page */
	bool gone;
};

struct policy_line {
	size_t number;
	struct str when;		/* "at once", "5 minutes later" */
	struct policy_line_target *targets;
	size_t targets_n;
};

struct policy_page {
	struct page page;
	struct policy_view policy;
	struct policy_line *lines;
	size_t lines_n;
	struct str last;		/* what comes after the last of them */
	struct policy_service *services;
	size_t services_n;
};

struct policy_form_step {
	size_t number;
	struct str delay;		/* as typed */
	struct choice *people, *schedules, *channels;
	size_t people_n, schedules_n, channels_n;
};

struct policy_form_page {
	struct page page;
	struct str heading, action, back, button;
	struct str name, description, repeats;	/* as typed */
	struct policy_form_step *steps;
	size_t steps_n;
};

void page_policies(void *visit);
void page_policy(void *visit);
void page_policy_new(void *visit);
void page_policy_create(void *visit);
void page_policy_edit(void *visit);
void page_policy_change(void *visit);
void page_policy_delete(void *visit);
void page_policy_drop(void *visit);

#endif
