/* link.h - the page behind the link of a message. */
#ifndef GRAPNEL_DASH_LINK_H
#define GRAPNEL_DASH_LINK_H

#include "page.h"

struct link_page {
	struct page page;
	struct str title, service, level;	/* of the incident; empty: nothing is said of it */
	struct str sentence;		/* what will happen, what happened, or why nothing will */
	struct str token;
	const char *button;		/* NULL: there is none */
	bool bad;
};

void page_link(void *visit);
void page_link_post(void *visit);

#endif
