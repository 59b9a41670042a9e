/* dash_int.h - what gates, pages and the route table share. */
#ifndef GRAPNEL_DASH_INT_H
#define GRAPNEL_DASH_INT_H

#include "grapnel/account.h"
#include "grapnel/dash.h"
#include "grapnel/form.h"
#include "grapnel/html.h"
#include "grapnel/resource.h"
#include "grapnel/view.h"
#include "page.h"

/* Needs of a route. Else a role: at least that; a session is needed, and for POST its CSRF token. */
#define NEED_OPEN (1u << 30)		/* nothing: assets */
#define NEED_GUEST (1u << 29)		/* no session; POST brings the CSRF token of the cookie before sign-in */
#define CAN_EXPORT (1u << 27)		/* a list: the path also ends in .csv and .json */

enum suffix { SUFFIX_NONE, SUFFIX_CSV, SUFFIX_JSON };

struct dash {
	struct dash_config c;
};

/* One request on its way through a page. Handlers get it as their `void *visit`. */
struct visit {
	struct dash *dash;
	struct request *rq;
	struct arena *a;		/* of the request */
	struct route_match match;
	struct session session;		/* empty for guests */
	struct str csrf_secret;		/* of the session, or of the cookie before sign-in */
	struct caller by;
	struct session_life life;	/* as configured */
	enum suffix suffix;
	int64_t began_us;
};

/* ---- page.c: every page goes out here ---- */

/* Fills what each page shows around its content: title, navigation, who is signed in, CSRF, flash, banners. `section` is the word
 * of the navigation that is marked: overview incidents requests events integrations services channels endpoints policies schedules alert-rules users audit monitor jobs account. */
void page_begin(struct visit *v, struct page *p, const char *title, const char *section);
/* Renders: PAGE_SEND(v, 200, tmpl_incidents, &page). */
#define PAGE_SEND(v, status, tmpl, page_struct) do { \
	struct html_out out_; \
	html_init(&out_, (v)->a, (v)->by.now); \
	(tmpl)(&out_, (page_struct)); \
	page_send_html((v), (status), &out_); \
} while (0)
void page_send_html(struct visit *v, unsigned status, struct html_out *o);

/* 303 after a POST that is done. */
void visit_redirect(struct visit *v, const char *fmt, ...) PRINTF(2, 3);
/* The next page says it once. `secret` (or STR_NONE) is shown in a copy field, for keys that are shown this once. */
void visit_flash(struct visit *v, const char *text, struct str secret);
void visit_flash_bad(struct visit *v, const char *text);
/* A page with the status and one sentence; all return false. */
bool visit_refuse(struct visit *v, unsigned status, const char *title, const char *sentence);
bool visit_not_found(struct visit *v);
bool visit_err(struct visit *v, const struct err *e);

/* ---- cookie.c ---- */

struct str cookie_session(const struct request *rq);
void cookie_session_set(struct visit *v, struct str text);
void cookie_session_drop(struct visit *v);
struct str cookie_guest(struct visit *v);	/* made and set where there is none */

/* ---- assets.c ---- */

/* "/assets/0123456789abcdef/grapnel.css" of "grapnel.css". Ends the process for a name that is not in web/. */
const char *asset_url(const char *name);
void asset_get(void *visit);		/* GET /assets/:hash/:name, NEED_OPEN */

/* ---- again.c: forms whose token is not good ---- */

bool visit_old_form(struct visit *v);		/* shows it again, to be sent with one click; returns false */
bool visit_foreign_form(struct visit *v);	/* refuses; returns false */
/* Where this form was, as the browser says, if that is a page of ours; else "/". */
struct str visit_back_path(const struct visit *v);

/* ---- input.c ---- */

/* As the API's: each answers a refusal itself and returns false. */
bool visit_id(struct visit *v, size_t param, uint64_t *id);
bool visit_query(struct visit *v, const struct form_field *fields, void *out);
/* The posted form over *out. False with *e filled and nothing answered: the handler shows its form again with page_blame. */
bool visit_form(struct visit *v, const struct form_field *fields, enum form_mode mode, void *out, struct err *e) MUST_USE;
/* Puts the error of a form into the page: page.error, page.error_field. Answers itself and returns false where the error is
 * not the person's (database away...): then the handler returns. */
bool page_blame(struct visit *v, struct page *p, const struct err *e) MUST_USE;
/* What was typed into a field, else `otherwise`: a form that comes back keeps everything. */
struct str visit_typed(const struct visit *v, const char *name, struct str otherwise);
/* The last value of a hidden or single field, or STR_NONE. */
struct str visit_posted(const struct visit *v, const char *name);

/* ---- confirm.c: what is about to happen, in numbers, before it happens: struct confirm of page.h; and removing ---- */

void visit_confirm(struct visit *v, struct confirm *c);
/* Then: removes what the path names and goes on to the list at `path`, or back to it with the reason why it stays. `done`: a sentence. */
void visit_remove(struct visit *v, bool (*remove_it)(const struct caller *by, struct str public_id, struct err *e), const char *done, const char *path);

/* ---- list.c: paging and exports of a list ---- */

#define EXPORT_ROWS_MAX 10000
#define PAGE_ROWS 40		/* of a list: with long words in each it stays below 50 KB */

/* One page of the list's API: fills rows from `cursor`. */
struct list_source {
	const char *plural;		/* "incidents": member of the JSON, name of the file */
	const struct field *fields;	/* columns of CSV, members of JSON */
	size_t size;			/* of a row */
	/* At most limit rows below the cursor (0: from the newest). */
	bool (*read)(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
		struct err *e);
	void *query;
};
/* Where the path ends in .csv or .json: answers with all rows of the filter, at most EXPORT_ROWS_MAX, and returns true. */
bool list_exported(struct visit *v, const struct list_source *l, uint64_t cursor);
/* Links to the next and the first page with this page's filters, and to the exports. */
void list_nav_fill(struct visit *v, struct list_nav *nav, const char *plural, uint64_t cursor, uint64_t next);
/* How many there are, as far as a page of n rows knows: for lists that do not count theirs. */
void list_nav_count(struct visit *v, struct list_nav *nav, uint64_t cursor, uint64_t next, size_t n);
/* All of them, and the rows of a page. False: answered. */
bool list_read(struct visit *v, const struct list_source *l, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, struct list_nav *nav);
/* This page with one parameter of its query replaced (NULL removes it) and the cursor dropped: for chips. */
struct str query_with(const struct visit *v, const char *name, const char *value);
/* "All", and one for each word that the parameter takes; `chosen`: its value as the form reads it. */
void chips_of_words(struct visit *v, const char *name, const struct form_word *words, uint64_t chosen, struct chip **out, size_t *n);

#endif
