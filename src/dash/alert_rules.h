/* alert_rules.h - thresholds that users set for themselves: the list of one's own, and their form. */
#ifndef GRAPNEL_DASH_ALERT_RULES_H
#define GRAPNEL_DASH_ALERT_RULES_H

#include "choice.h"

struct alert_rules_page {
	struct page page;
	struct alert_rule_view *rules;
	size_t rules_n;
	struct list_nav nav;
};

struct alert_rule_form_page {
	struct page page;
	struct str heading, action, button;
	struct str name, threshold, window, source, service;	/* as typed */
	struct choice *metrics, *comparisons, *providers;
	size_t metrics_n, comparisons_n, providers_n;
	struct choice *sources, *services;	/* none: there are too many, and a field to type into is shown */
	size_t sources_n, services_n;
	bool enabled;
};

void page_alert_rules(void *visit);
void page_alert_rule_new(void *visit);
void page_alert_rule_create(void *visit);
void page_alert_rule_edit(void *visit);
void page_alert_rule_change(void *visit);
void page_alert_rule_enable(void *visit);
void page_alert_rule_disable(void *visit);
void page_alert_rule_delete(void *visit);
void page_alert_rule_drop(void *visit);

#endif
