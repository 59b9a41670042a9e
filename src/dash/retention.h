/* retention.h - the page of how long things are kept. */
#ifndef GRAPNEL_DASH_RETENTION_H
#define GRAPNEL_DASH_RETENTION_H

#include "grapnel/resource.h"
#include "grapnel/view.h"
#include "page.h"

struct retention_page {
	struct page page;
	struct retention_view kept;
	struct str days;		/* as typed */
	struct job_view cleanup;
};

void page_retention(void *visit);
void page_retention_post(void *visit);

#endif
