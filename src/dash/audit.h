/* audit.h - who changed what. */
#ifndef GRAPNEL_DASH_AUDIT_H
#define GRAPNEL_DASH_AUDIT_H

#include "page.h"

struct audit_change {
	struct str name, before, after;	/* empty: was not, is not there */
};

struct audit_line {
	uint64_t id;
	ms_t at;
	struct str actor, user, user_id, token_id, remote_addr, action, object, object_name;
	struct str object_url;		/* empty: it has no page */
	bool both;			/* before and after are told: what differs is shown */
	struct audit_change *changes;
	size_t changes_n;
};

struct audit_page {
	struct page page;
	struct audit_line *rows;
	size_t rows_n;
	struct list_nav nav;
	struct chip chips[8];
	size_t chips_n;
	bool filtered;
	struct str actor, action, object, q, from, to;	/* of the filter */
};

void page_audit(void *visit);

#endif
