/* integrations.h - what the pages of integrations show. */
#ifndef GRAPNEL_DASH_INTEGRATIONS_H
#define GRAPNEL_DASH_INTEGRATIONS_H

#include "grapnel/provider.h"
#include "grapnel/view.h"
#include "page.h"
#include "traffic.h"

/* ---- integrations.c: the list, one of them, and what is done to it ---- */

struct integration_card {
	struct str id, name, type_title;
	struct str state;		/* word and status-WORD: healthy degraded failing quiet waiting disabled */
	bool enabled;
	ms_t silent_since;		/* 0: it is not, or nobody watches */
	uint64_t received, errors;	/* of the last 24 hours, without test webhooks */
	ms_t last_webhook_at;
	struct html spark;
};

struct type_chip {
	struct str title, href;
	uint64_t n;
	bool chosen;
};

struct integrations_page {
	struct page page;
	struct type_chip *chips;
	size_t chips_n;
	struct integration_card *cards;
	size_t cards_n;
	struct list_nav nav;
	struct traffic_view traffic;
	bool narrowed;			/* a type or a further page was asked for */
};

struct secret_row {
	ms_t created_at, expires_at;	/* expires_at 0: the active one */
};

struct integration_page {
	struct page page;
	struct integration_card card;
	struct integration_view view;
	struct str proof;		/* how its requests are proven, a sentence */
	struct str service_name, actions, rate;
	struct str *networks;		/* that may send; none: all */
	size_t networks_n;
	struct secret_row *secrets;	/* newest first */
	size_t secrets_n;
	ms_t key_old_until;
	bool proven_by_key, secret_theirs, secret_unseen;
	struct breaker breaker;		/* of its handler; opened_at 0: it is closed */
	struct str retention;		/* how long its events are kept, in words */
	struct str handler_policy;	/* how often and when it is tried, a sentence */
	struct subscription_view subscription;
	struct request_view *requests;
	size_t requests_n;
};

/* Its state in a word, from the traffic of the last 24 hours. */
struct str integration_state(bool enabled, ms_t last_webhook_at, uint64_t received, uint64_t errors);
/* The integration that the path names; false = answered. */
bool integration_of(struct visit *v, struct source *s);
/* Name, type, state and traffic. False = answered. */
bool integration_card_fill(struct visit *v, const struct source *s, struct integration_card *out);

void page_integrations(void *visit);
void page_integration(void *visit);
void page_integration_enable(void *visit);
void page_integration_disable(void *visit);
void page_integration_key(void *visit);
void page_integration_received_secret(void *visit);
void page_integration_delete(void *visit);
void page_integration_drop(void *visit);

/* ---- integration_gallery.c: which type? ---- */

struct gallery_entry {
	const char *slug, *title, *about, *signs;
};

struct gallery_group {
	const char *title;
	struct gallery_entry *entries;
	size_t entries_n;
};

struct gallery_page {
	struct page page;
	struct str q;			/* what is looked for */
	struct gallery_group groups[GROUP_COUNT];	/* that have something of it */
	size_t groups_n;
};

/* Groups with their types, those that fit p->q. */
void gallery_fill(struct arena *a, struct gallery_page *p);
void page_integration_gallery(void *visit);

/* ---- integration_setup.c: what is to be done at the provider, and did it work? ---- */

/* What is to be known of a type, whoever has an integration of it. */
struct type_facts {
	const char *slug, *title, *about, *signs, *on_error;
	bool can_sign;			/* has a scheme of its own */
	bool takes_secret;		/* and one that needs a secret which we make or are told */
	bool secret_theirs;
};
void type_facts_fill(struct visit *v, const struct provider *type, struct type_facts *out);
bool type_takes_secret(const struct provider *type);

struct setup_step {
	struct str text, copy;
	bool many_lines;
};
struct setup_steps {
	struct setup_step *steps;
	size_t steps_n;
	bool final;			/* with the integration's own values, to be copied */
};
/* What stands in the steps for {url}, {base}, {key}, {secret}. */
struct setup_values {
	struct str url, base, key, secret;
};
void setup_steps_fill(struct visit *v, const struct provider *type, const struct setup_values *x, struct setup_steps *out);

struct setup_page {
	struct page page;
	struct integration_card card;
	struct type_facts type;
	struct setup_steps steps;
	struct request_view request;	/* the newest that was no test; id 0: none */
	struct str state;		/* waiting, refused, verified */
	struct str advice;		/* of a refused one */
	bool needs_secret;		/* the provider made it: it is to be entered here */
	bool key_hidden, secret_hidden, secret_unseen;
	struct subscription_view subscription;
	bool waits;
};

void page_integration_setup(void *visit);
void page_integration_secret(void *visit);

/* ---- integration_settings.c: the fields of a type's own settings ---- */

struct setting_field {
	const char *name, *label, *help;	/* name: also its id */
	struct str value;
	bool is_flag, on;		/* a box; ticked */
	bool is_lines, is_json;		/* several lines; those of JSON */
	bool is_secret, is_set;		/* never shown; there is one */
};
/* `settings` is an object or NULL; what was typed comes first. */
void setting_fields_fill(struct visit *v, const struct provider *type, const struct json *settings, struct setting_field **out, size_t *n);
/* The posted fields over *settings (an object, or NULL), for the resource to check. */
bool setting_fields_read(struct visit *v, const struct provider *type, const struct json **settings, struct err *e) MUST_USE;

/* ---- integration_form.c: making one, changing one ---- */

struct integration_form_page {
	struct page page;
	bool is_new, has_secret, asks_secret;
	struct str id;			/* of the one that is changed */
	struct type_facts type;
	struct setup_steps steps;	/* of a new one: what will be to be done */
	struct str address;		/* of a new one: what its address will look like */
	uint64_t rate_default;
	/* the fields */
	struct str name, service, rate, allowed_ips;
	struct choice *services;		/* none: there are too many */
	size_t services_n;
	struct setting_field *settings;	/* of this type alone */
	size_t settings_n;
	bool make_secret, remove_secret, does_incident, does_forward, does_record, require_key, route_by_service, enabled, is_default;
	struct str heartbeat, retention;
	bool heartbeat_incident;
	uint64_t retention_default;	/* days */
	struct str handler_url, max_retries, backoff;
	bool forward_inline, has_handler_secret, remove_handler_secret;
};

void page_integration_new(void *visit);		/* GET and POST /integrations/new/:type */
void page_integration_edit(void *visit);		/* GET and POST /integrations/:id/edit */

/* ---- integration_proof.c: rotating, and the test webhook ---- */

struct rotate_page {
	struct page page;
	struct integration_card card;
	bool is_key;
	struct str facts[4];
	size_t facts_n;
	struct grace_choice {
		uint64_t seconds;
		const char *text;
		bool chosen;
	} choices[5];
	size_t choices_n;
	bool secret_theirs;
};

struct tested_page {
	struct page page;
	struct integration_card card;
	struct request_view request;
	struct lifecycle lifecycle;
	struct proof_view proof;
	struct event_view event;	/* id 0: none */
	struct str severity_mapped, service_name, signature;
	bool accepted, resolves_soon;
};

void page_integration_rotate_key(void *visit);		/* GET and POST */
void page_integration_rotate_secret(void *visit);	/* GET and POST */
void page_integration_send_test(void *visit);
void page_integration_tested(void *visit);

#endif
