/* page.h - what every page shows around its content, and parts that many pages share. Templates include them by these structs. */
#ifndef GRAPNEL_DASH_PAGE_H
#define GRAPNEL_DASH_PAGE_H

#include "grapnel/base.h"
#include "grapnel/html.h"

struct flash {
	struct str text, secret;
	bool bad;
};

struct page {
	struct str title;
	const char *section;
	struct str path;		/* of this page, for forms that come back */
	bool signed_in, can_operate, can_admin, is_platform;
	struct str user_name, user_id, role;
	struct str csrf;		/* <input type="hidden" name="_csrf" value="{{ page.csrf }}"> */
	struct flash flash;
	struct str warnings[6];		/* banners: switches that are off, cron late */
	size_t warnings_n;
	struct str error, error_field;	/* of the form on this page */
	const char *css_url, *js_url, *icon_url, *version;
	uint64_t server_us;		/* until rendering began */
	uint64_t open_incidents;	/* badge of the navigation */
	uint64_t refresh_s;		/* meta refresh; 0 = none */
};

struct hidden_field {
	struct str name, value;
};

/* A question before something that cannot be undone, with what it costs. */
struct confirm {
	struct page page;
	struct str question;		/* "Delete the integration Prometheus?" */
	struct str facts[6];		/* "It received 12,345 webhooks; its 3 open incidents stay open." */
	size_t facts_n;
	struct str action, button, back;	/* URL posted to, label, URL to return to */
	struct hidden_field fields[16];	/* posted again */
	size_t fields_n;
	bool harmless;			/* not in red */
};

/* One sentence instead of a page. */
struct error_page {
	struct page page;
	unsigned status;
	const char *sentence;
};

/* A form that was open for too long: all its fields, to be sent again. */
struct again_page {
	struct page page;
	struct str action, back;
	struct hidden_field *fields;
	size_t fields_n;
};

/* A choice above a list that narrows it. */
struct chip {
	struct str label, url;
	bool chosen;
};

struct list_nav {
	struct str next_url, first_url;	/* empty: there is none */
	struct str csv_url, json_url;
	struct str count;		/* "12 in all", "More than 50"; empty: the page has a better one, or no rows */
};

#endif
