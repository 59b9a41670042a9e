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
	bool narrow;			/* sign-in and alike */
};

struct list_nav {
	struct str next_url, first_url;	/* empty: there is none */
	struct str csv_url, json_url;
};

#endif
