/* account.h - the page of one's own: password, authenticator app, sessions, API tokens. */
#ifndef GRAPNEL_DASH_ACCOUNT_H
#define GRAPNEL_DASH_ACCOUNT_H

#include "grapnel/view.h"
#include "choice.h"
#include "page.h"

struct account_session {
	struct str id, browser, remote_addr;
	ms_t created_at, last_seen_at;
	bool current;
};

struct account_scope {
	const char *word, *help;
	bool chosen;
};

struct account_page {
	struct page page;
	const char *form;		/* the one that the page's error is about: password, token, setup, remove, contact, verify, quiet */
	struct user_view user;
	struct account_session *sessions;
	size_t sessions_n;
	struct token_view *tokens;	/* the newest */
	size_t tokens_n;
	bool more_tokens;
	struct account_scope scopes[6];
	size_t scopes_n;
	struct str token_name, token_days;
	struct contact_view *contacts;
	size_t contacts_n;
	struct choice *contact_kinds;
	size_t contact_kinds_n;
	struct str contact_address, quiet_from, quiet_to, time_zone;
	struct zone_list zones;
	struct str totp_url, totp_key;	/* of an app that waits for its first code, else empty */
};

void page_account(void *visit);
void page_account_password_post(void *visit);
void page_account_session_end(void *visit);
void page_account_session_end_post(void *visit);
void page_account_sessions_end(void *visit);
void page_account_sessions_end_post(void *visit);
void page_account_token_post(void *visit);
/* One's own, and for admins those of others: /account/tokens/:token/revoke, /users/:id/tokens/:token/revoke. */
void page_token_revoke(void *visit);
void page_token_revoke_post(void *visit);

struct visit;
/* The page again, with the error at the form it is about; or an answer of its own. */
void account_blame(struct visit *v, const char *form, const struct err *e);

/* ---- account_totp.c ---- */

void page_account_totp_post(void *visit);
void page_account_totp_confirm_post(void *visit);
void page_account_totp_cancel_post(void *visit);
void page_account_totp_end_post(void *visit);

/* ---- account_contacts.c ---- */

bool account_contacts_fill(struct visit *v, struct account_page *p, struct err *e) MUST_USE;
void page_account_contact_post(void *visit);
void page_account_contact_code_post(void *visit);
void page_account_contact_verify_post(void *visit);
void page_account_contact_end(void *visit);
void page_account_contact_end_post(void *visit);
void page_account_quiet_post(void *visit);

/* ---- agent.c ---- */

/* "Firefox on Linux" of a User-Agent, or as much of it as is known. */
struct str agent_words(struct arena *a, struct str user_agent);

#endif
