/* users.h - people, as admins manage them. */
#ifndef GRAPNEL_DASH_USERS_H
#define GRAPNEL_DASH_USERS_H

#include "grapnel/view.h"
#include "page.h"

struct users_page {
	struct page page;
	struct user_view *users;
	size_t users_n;
	struct list_nav nav;
	bool filtered;
	struct str q, role, enabled;		/* of the filter */
};

/* What was typed into the form of a user, or what is stored. */
struct user_typed {
	struct str email, role;
	bool platform_admin, no_password;
	struct str error, error_field;	/* of the page */
};

struct user_new_page {
	struct page page;
	struct str name;
	struct user_typed typed;
};

struct user_page {
	struct page page;
	const char *form;		/* the one that the page's error is about: details, password */
	struct user_view user;
	struct user_typed typed;
	bool self, locked;		/* locked: a platform admin, shown to one who is none */
	struct token_view *tokens;
	size_t tokens_n;
	bool more_tokens;
};

void page_users(void *visit);
void page_user_new(void *visit);
void page_user_new_post(void *visit);
void page_user(void *visit);
void page_user_details_post(void *visit);
void page_user_password_post(void *visit);
void page_user_totp_reset(void *visit);
void page_user_totp_reset_post(void *visit);
void page_user_disable(void *visit);
void page_user_disable_post(void *visit);
void page_user_enable_post(void *visit);

#endif
