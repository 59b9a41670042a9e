/* login.h - signing in. */
#ifndef GRAPNEL_DASH_LOGIN_H
#define GRAPNEL_DASH_LOGIN_H

#include "page.h"

struct login_page {
	struct page page;
	struct str name;
	struct str next;		/* path of ours to go to afterwards, or empty */
	struct str ticket;		/* not empty: the password was right, now the code */
	bool nobody_yet;		/* there are no users at all */
};

void page_login(void *visit);
void page_login_post(void *visit);
void page_logout_post(void *visit);

#endif
