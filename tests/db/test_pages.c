/* Who may see and do what in the dashboard: every row of its route table, also those to come, as a guest, in each role and as a
 * platform admin. A form without a good token never acts, and looking at a page changes nothing: the tables are compared. */
#include <check.h>

#include "grapnel/ingest.h"
#include "src/dash/dash_int.h"
#include "view_data.h"

#define NOW (BASE + 40000 * 1000LL)
#define TABLES_MAX 100

enum person { GUEST, VIEWER, OPERATOR, ADMIN, PLATFORM, PERSONS };

static const char *const person_words[] = { "guest", "viewer", "operator", "admin", "platform admin" };

static struct db *db;
static struct arena *a;
static struct err e;
static struct shm *shm;
static struct seal_key *seal_key;
static struct dash *dash;
static struct ingest *ingest;
static struct conf conf;
static struct id_maker ids = { .worker = 5 };
static uint64_t users[PERSONS];
static const struct session_life life = { 12 * MS_PER_HOUR, 7 * MS_PER_DAY };
static char their_user[24], their_token[24], their_session[24];	/* public ids of another tenant's */
static struct stmt checksum = { .name = "test.checksum" };

/* ---- requests ---- */

static struct str session_of(enum person who)
{
	struct session s = { 0 };

	if (who != GUEST)
		succeeds(session_begin(db, a, &life, users[who], STR("192.0.2.1"), STR("test"), NOW, &s, &e));
	return s.text;
}

static struct request *ask_as(struct str session, const char *method, const char *uri, struct str body)
{
	struct request *rq = ARENA_NEW(a, struct request);

	rq->arena = a;
	rq->method = str_of(method);
	rq->uri = str_of(uri);
	rq->query = rq->uri;
	rq->path = str_until(&rq->query, '?');
	rq->body = body;
	rq->content_type = STR("application/x-www-form-urlencoded");
	rq->remote_addr = STR("192.0.2.1");
	rq->received_at = NOW;
	rq->headers = ARENA_ARRAY(a, struct header, 1);
	rq->headers[0] = (struct header){ STR("cookie"), session.n ? arena_printf(a, "grapnel=%.*s", STR_ARG(session)) : STR("") };
	rq->header_n = 1;
	dash_handle(dash, rq, NOW);
	ck_assert_uint_ne(rq->response.status, 0);
	return rq;
}

static struct request *ask(enum person who, const char *method, const char *uri)
{
	return ask_as(session_of(who), method, uri, STR_NONE);
}

/* With the token of its own session. */
static struct request *post(enum person who, const char *uri)
{
	struct str session = session_of(who);

	return ask_as(session, "POST", uri, arena_printf(a, "_csrf=%.*s", STR_ARG(csrf_make(a, session, NOW))));
}

static struct str header_of(const struct request *rq, const char *name)
{
	for (const struct header *h = rq->response.headers; h->name.n; h++)
		if (str_ieqs(h->name, name))
			return h->value;
	return STR_NONE;
}

/* ---- what is stored ---- */

struct table_row {
	struct str name;
	uint64_t checksum;
};

static const struct field table_fields[] = {
	FIELD_STR(struct table_row, name, "Table", ""),
	FIELD_U64(struct table_row, checksum, "Checksum", ""),
	FIELD_END
};

/* Of all tables but the large ones, which no page writes, sessions, which the test makes, and what is kept of the monitor. */
static void choose_tables(void)
{
	static const struct stmt list = { "test.tables", "SELECT table_name AS `Table` FROM information_schema.tables"
		" WHERE table_schema = DATABASE() AND table_name NOT IN ('sessions', 'events', 'event_ids', 'requests', 'alerts', 'monitor_cache')"
		" ORDER BY table_name", SCAN_OK };
	static char text[4096] = "CHECKSUM TABLE ";
	struct table_row *rows;
	size_t n;

	if (!db_query(db, &list, NULL, 0, a, table_fields, sizeof(*rows), &rows, &n, &e))
		die("%s", e.text);
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s", i ? ", " : "", STR_ARG(rows[i].name));
	checksum.sql = text;
}

struct state {
	struct table_row *rows;
	size_t n;
};

static struct state state(void)
{
	struct state s;

	succeeds(db_query(db, &checksum, NULL, 0, a, table_fields, sizeof(*s.rows), &s.rows, &s.n, &e));
	return s;
}

static void nothing_changed(const struct state *was, const char *method, const char *uri, enum person who)
{
	struct state is = state();

	ck_assert_uint_eq(was->n, is.n);
	for (size_t i = 0; i < is.n; i++)
		ck_assert_msg(was->rows[i].checksum == is.rows[i].checksum, "%s %s as %s changed %.*s", method, uri, person_words[who],
			STR_ARG(is.rows[i].name));
}

/* ---- rows ---- */

/* "/services/:id/edit" with that in place of all words like ":id". */
static const char *with_thing(const struct route *r, struct str thing)
{
	struct str rest = str_of(r->pattern);
	struct strbuf b;

	strbuf_init(&b, a, 4096);
	while (rest.n) {
		struct str word = str_until(&rest, '/');

		strbuf_addstr(&b, !str_starts(word, ":") ? word : thing);
		if (rest.n)
			strbuf_addc(&b, '/');
	}
	if (!b.n)
		strbuf_addc(&b, '/');
	return arena_cstr(a, strbuf_str(&b));
}

/* By the beginning of a pattern: a thing of the persons' tenant, and one of another. What is not named has a number. */
static const struct things {
	const char *pattern, *ours, *theirs;
} things[] = {
	{ "/integrations", "in_00000000000000000001", "in_00000000000000000009" }, { "/services", "sv_shop", "sv_other" },
	{ "/users", "us_seven", their_user }, { "/account/sessions", "se_0", their_session }, { "/account/tokens", "tk_0", their_token },
	{ "/account/contacts", "ct_00000000000000000001", "ct_00000000000000000009" },
	{ "/channels", "ch_00000000000000000001", "ch_00000000000000000009" },
	{ "/policies", "po_00000000000000000001", "po_00000000000000000009" },
	{ "/alert-rules", "ar_00000000000000000001", "ar_00000000000000000009" },
	{ "/schedules", "sc_00000000000000000001", "sc_00000000000000000009" },
	{ "/endpoints", "ep_00000000000000000001", "ep_00000000000000000009" },
	{ "/hour", "in_00000000000000000001", "in_00000000000000000009" },
};

static struct str number(unsigned k)
{
	return arena_printf(a, "%llu", (unsigned long long)ID_OF(k));
}

static const struct things *things_of(const struct route *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(things); i++)
		if (str_starts(str_of(r->pattern), things[i].pattern))
			return &things[i];
	return NULL;
}

/* Things that are there, or for what is posted things that are not, so that a right that is had changes nothing. */
static const char *example(const struct route *r, bool there)
{
	const struct things *t = things_of(r);

	return with_thing(r, !there ? STR("7") : t ? str_of(t->ours) : number(8));
}

static bool may(enum person who, unsigned needs)
{
	if (needs & NEED_PLATFORM && who != PLATFORM)
		return false;
	switch (NEED_ROLE(needs)) {
	case ROLE_NONE:
	case ROLE_VIEWER:
		return true;
	case ROLE_OPERATOR:
		return who >= OPERATOR;
	case ROLE_ADMIN:
		return who >= ADMIN;
	}
	return false;
}

#define says(rq, want, what)                                                                                           \
	ck_assert_msg((rq)->response.status == (want), "%.*s %.*s as %s%s: %u instead of %u", STR_ARG((rq)->method),   \
		STR_ARG((rq)->uri), person_words[who], what, (rq)->response.status, (unsigned)(want))

static void guest_is_led_to_login(const struct route *r, const char *uri)
{
	enum person who = GUEST;
	struct request *rq = ask(who, r->method, uri);

	says(rq, 303, "");
	ck_assert_msg(str_starts(header_of(rq, "Location"), "/login"), "%s: %.*s", uri, STR_ARG(header_of(rq, "Location")));
	ck_assert_uint_eq(rq->response.body.n, 0);
}

static void get_as(const struct route *r, const char *uri, enum person who)
{
	struct request *rq = ask(who, "GET", uri);
	struct str csp = header_of(rq, "Content-Security-Policy");

	if (!may(who, r->needs)) {
		says(rq, 403, "");
		return;
	}
	ck_assert_msg(rq->response.status == 200 || rq->response.status == 303 || rq->response.status == 404, "GET %s as %s: %u", uri,
		person_words[who], rq->response.status);
	if (rq->response.content_type && str_starts(str_of(rq->response.content_type), "text/html")) {
		ck_assert_msg(csp.n && str_find(csp, '*') < 0 && !strstr(arena_cstr(a, csp), "unsafe"), "%s: CSP %.*s", uri, STR_ARG(csp));
		ck_assert_msg(rq->response.body.n < 50 * 1024, "%s has %zu bytes", uri, rq->response.body.n);
	}
}

static void post_as(const struct route *r, const char *uri, enum person who, const struct state *was)
{
	struct str mine = session_of(who), theirs = session_of(who);
	struct request *rq;

	if (!may(who, r->needs)) {
		rq = post(who, uri);
		says(rq, 403, " with a token");
		nothing_changed(was, "POST", uri, who);
		return;
	}
	rq = ask_as(mine, "POST", uri, STR_NONE);
	says(rq, 403, " without a token");
	rq = ask_as(mine, "POST", uri, arena_printf(a, "_csrf=%.*s", STR_ARG(csrf_make(a, theirs, NOW))));
	says(rq, 403, " with the token of another session");
	rq = ask_as(mine, "POST", uri, arena_printf(a, "_csrf=%.*s", STR_ARG(csrf_make(a, mine, NOW - 30 * MS_PER_DAY))));
	says(rq, 403, " with an old token");
	nothing_changed(was, "POST", uri, who);
	rq = post(who, uri);
	ck_assert_msg(rq->response.status < 500 && rq->response.status != 403, "POST %s as %s: %u", uri, person_words[who],
		rq->response.status);
}

START_TEST(test_a_row_holds_its_needs)
{
	const struct route *r = &dash_routes[_i];
	bool reads = !strcmp(r->method, "GET");
	const char *uri = example(r, reads);
	struct state was = state();
	enum person who = GUEST;

	ck_assert_msg(reads || !strcmp(r->method, "POST"), "%s %s: pages are asked for or posted", r->method, uri);
	ck_assert_msg(!str_starts(str_of(uri), "/api") && !str_starts(str_of(uri), "/webhooks"), "%s is no place for a page", uri);
	ck_assert(r->summary && *r->summary);
	if (r->needs & NEED_OPEN)
		return;
	if (r->needs & NEED_GUEST && reads)
		says(ask(who, "GET", uri), 200, "");
	else if (r->needs & NEED_GUEST)
		says(ask(who, "POST", uri), 403, " without a token");
	else
		guest_is_led_to_login(r, uri);
	nothing_changed(&was, r->method, uri, who);
	for (who = VIEWER; who < PERSONS; who++) {
		if (reads) {
			get_as(r, uri, who);
			nothing_changed(&was, "GET", uri, who);
		} else if (!(r->needs & NEED_GUEST)) {
			post_as(r, uri, who, &was);
			was = state();
		}
	}
}
END_TEST

START_TEST(test_needs_make_sense)
{
	const struct route *r = &dash_routes[_i];
	static const char *const open[] = { "/assets/:hash/:name", "/l/:token", "/status/:slug", "/status/:slug/feed.atom" }, *const guest[] = { "/login" };
	bool is_open = false, is_guest = str_starts(str_of(r->pattern), guest[0]);

	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		is_open |= !strcmp(r->pattern, open[i]);

	ck_assert_msg(!(r->needs & NEED_OPEN) == !is_open, "%s", r->pattern);
	ck_assert_msg(!(r->needs & NEED_GUEST) == !is_guest, "%s", r->pattern);
	ck_assert_msg(is_open || is_guest || NEED_ROLE(r->needs) != ROLE_NONE, "%s %s needs no role", r->method, r->pattern);
	ck_assert_msg(!(r->needs & CAN_EXPORT) || !strcmp(r->method, "GET"), "%s", r->pattern);
}
END_TEST

/* ---- things of others, and things that are none ---- */

static bool has_thing(const struct route *r)
{
	return strchr(r->pattern, ':') && !(r->needs & (NEED_OPEN | NEED_GUEST)) && !strstr(r->pattern, "/new/:") &&
		!str_starts(str_of(r->pattern), "/jobs");	/* a type and a job belong to nobody */
}

START_TEST(test_another_tenants_things_do_not_exist)
{
	const struct route *r = &dash_routes[_i];
	const struct things *t = things_of(r);
	const char *uri = with_thing(r, t ? str_of(t->theirs) : number(100));
	struct state was = state();
	enum person who = ADMIN;

	if (!has_thing(r))
		return;
	says(!strcmp(r->method, "GET") ? ask(who, "GET", uri) : post(who, uri), 404, " of another tenant");
	nothing_changed(&was, r->method, uri, who);
}
END_TEST

START_TEST(test_what_is_no_id_names_nothing)
{
	static const char *const nonsense[] = { "0", "-1", "99999999999999999999999", "in_", "in_0000000000000000000", "IN_00000000000000000001",
		"us_%00", "..", "%2e%2e", "%3Cscript%3E", "%ff", "' OR 1=1 --", "\xff", ":id" };
	const struct route *r = &dash_routes[_i];
	enum person who = PLATFORM;

	if (!has_thing(r))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(nonsense) + 1; i++) {
		const char *uri = with_thing(r, i < ARRAY_SIZE(nonsense) ? str_of(nonsense[i]) : arena_printf(a, "%03000d", 7));
		struct request *rq = !strcmp(r->method, "GET") ? ask(who, "GET", uri) : post(who, uri);

		says(rq, 404, "");
		ck_assert(!strstr(arena_cstr(a, rq->response.body), "<script>"));
	}
}
END_TEST

/* A list below something that nobody here has: endpoints are a person's own. tests/http looks at it. */
static bool is_below_own(const struct route *r)
{
	return str_starts(str_of(r->pattern), "/endpoints/:");
}

/* Filters that are none, of every list. */
START_TEST(test_wrong_filters_are_told)
{
	static const char *const queries[] = { "nonsense=1", "tenant=default", "limit=0", "cursor=7", "cursor=nonsense-7", "cursor=-1", "q=%ff", "q=%00" };
	const struct route *r = &dash_routes[_i];
	const char *uri = example(r, true);
	enum person who = ADMIN;

	if (!(r->needs & CAN_EXPORT) || is_below_own(r))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++)
		says(ask(who, "GET", arena_printf(a, "%s?%s", uri, queries[i]).p), 400, "");
	says(ask(who, "GET", arena_printf(a, "%s?limit=", uri).p), 200, "");	/* left empty in a form */
}
END_TEST

/* ---- there is nothing ---- */

/* An admin of a tenant that has nothing sees every list and every form. */
START_TEST(test_pages_of_an_empty_tenant)
{
	static const struct stmt tenant = { "test.tenant", "INSERT IGNORE INTO tenants (id, name, created_at) VALUES (3, 'empty', 1)" };
	struct session s;
	struct user u;

	succeeds(db_exec(db, &tenant, NULL, 0, NULL, &e));
	succeeds(user_add(db, a, 3, STR("alone"), STR_NONE, STR_NONE, ROLE_ADMIN, false, NOW, &u, &e));
	succeeds(session_begin(db, a, &life, u.id, STR("192.0.2.1"), STR("test"), NOW, &s, &e));
	for (const struct route *r = dash_routes; r->method; r++)
		if (!strcmp(r->method, "GET") && !strchr(r->pattern, ':') && !(r->needs & (NEED_OPEN | NEED_GUEST))) {
			struct request *rq = ask_as(s.text, "GET", r->pattern, STR_NONE);

			ck_assert_msg(rq->response.status == 200 || rq->response.status == 303, "GET %s: %u", r->pattern, rq->response.status);
		}
}
END_TEST

/* ---- a part of the database fails ---- */

static void rename_table(struct str from, struct str to)
{
	struct stmt *s = ARENA_NEW(a, struct stmt);	/* each has a place of its own: prepared ones are known by it */

	*s = (struct stmt){ "test.rename", arena_printf(a, "RENAME TABLE `%.*s` TO `%.*s`", STR_ARG(from), STR_ARG(to)).p };
	succeeds(db_exec(db, s, NULL, 0, NULL, &e));
}

static void every_page_is_a_page(struct str session, struct str gone)
{
	for (const struct route *r = dash_routes; r->method; r++) {
		const char *uri = example(r, true);
		struct request *rq;

		if (strcmp(r->method, "GET") != 0 || r->needs & NEED_OPEN)
			continue;
		rq = ask_as(session, "GET", uri, STR_NONE);
		ck_assert_msg(rq->response.body.n || rq->response.status == 303, "GET %s without %.*s: nothing", uri, STR_ARG(gone));
	}
}

/* Each table is away once: what needs it says so in a page, what does not goes on. */
START_TEST(test_a_page_whose_table_is_away_is_still_a_page)
{
	static const struct stmt list = { "test.all_tables", "SELECT table_name AS `Table` FROM information_schema.tables"
		" WHERE table_schema = DATABASE() ORDER BY table_name", SCAN_OK };
	struct str session = session_of(PLATFORM);
	struct table_row *tables;
	size_t n, refused = 0;

	succeeds(db_query(db, &list, NULL, 0, a, table_fields, sizeof(*tables), &tables, &n, &e));
	for (size_t i = 0; i < n; i++) {
		rename_table(tables[i].name, STR("gone"));
		every_page_is_a_page(session, tables[i].name);
		refused += ask_as(session, "GET", "/", STR_NONE)->response.status >= 500;
		rename_table(STR("gone"), tables[i].name);
	}
	ck_assert_msg(refused > 3, "the first page needs %zu tables", refused);
	ck_assert_uint_eq(ask_as(session, "GET", "/", STR_NONE)->response.status, 200);
}
END_TEST

/* A list is also CSV and JSON, for those who may see it. */
START_TEST(test_exports_need_what_their_list_needs)
{
	const struct route *r = &dash_routes[_i];
	const char *uri = example(r, true);
	enum person who;

	if (strcmp(r->method, "GET") != 0 || r->needs & (NEED_OPEN | NEED_GUEST) || is_below_own(r))
		return;
	for (size_t i = 0; i < 2; i++) {
		const char *path = arena_printf(a, "%s%s", uri, i ? ".json" : ".csv").p;

		if (!(r->needs & CAN_EXPORT))
			continue;
		guest_is_led_to_login(r, path);
		for (who = VIEWER; who < PERSONS; who++) {
			struct request *rq = ask(who, "GET", path);

			says(rq, may(who, r->needs) ? 200 : 403, "");
			if (!may(who, r->needs))
				continue;
			ck_assert_msg(str_starts(header_of(rq, "Content-Disposition"), "attachment"), "%s is shown", path);
			ck_assert_msg(i ? !rq->response.content_type || strstr(rq->response.content_type, "json") :
					  rq->response.content_type && str_starts(str_of(rq->response.content_type), "text/csv"),
				"%s is %s", path, rq->response.content_type);
		}
	}
}
END_TEST

/* What a page knows of it without counting. */
START_TEST(test_lists_say_how_many_they_have)
{
	const char *first = arena_printf(a, "%.*s", STR_ARG(ask(ADMIN, "GET", "/users?limit=1")->response.body)).p;
	const char *cursor = strstr(first, "cursor=");
	struct str rest, older;

	ck_assert(strstr(first, ">More than 1</span>"));
	ck_assert_ptr_nonnull(cursor);
	rest = str_of(cursor);
	older = str_until(&rest, '"');
	older = arena_printf(a, "/users?limit=1&%.*s", STR_ARG(older));
	ck_assert(str_has(ask(ADMIN, "GET", older.p)->response.body, ">1 on this page</span>"));
	ck_assert(str_has(ask(ADMIN, "GET", "/users")->response.body, " in all</span>"));
}
END_TEST

static unsigned pages_read;

/* As a filter that fits next to nothing of a large table. */
static bool read_hardly_any(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *error)
{
	const uint64_t last = *(uint64_t *)query;

	ck_assert_uint_eq(cursor, pages_read);
	*n = 0;
	*next = ++pages_read < last ? pages_read : 0;
	return true;
}

/* A worker has other things to do than to look through all that was ever received; but an end that is near is reached. */
START_TEST(test_an_export_that_finds_nothing_ends)
{
	static const struct { uint64_t pages; unsigned status; } rows[] = { { 20, 200 }, { UINT64_MAX, 400 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct request rq = { .arena = a, .method = STR("GET"), .uri = STR("/things.csv"), .path = STR("/things") };
		struct visit v = { .dash = dash, .rq = &rq, .a = a, .suffix = SUFFIX_CSV };
		uint64_t pages = rows[i].pages;
		const struct list_source l = { .plural = "things", .fields = table_fields, .size = sizeof(struct table_row),
			.read = read_hardly_any, .query = &pages };

		pages_read = 0;
		ck_assert(list_exported(&v, &l, 0));
		ck_assert_uint_eq(rq.response.status, rows[i].status);
		ck_assert_uint_le(pages_read, 100);
	}
}
END_TEST

/* ---- cookies ---- */

/* With https the name binds the cookie to this host and path, and it never travels in the clear. */
START_TEST(test_cookies_over_https)
{
	struct request *rq = ARENA_NEW(a, struct request);
	struct str cookie;

	rq->arena = a;
	rq->method = STR("GET");
	rq->uri = rq->path = STR("/login");
	rq->remote_addr = STR("192.0.2.1");
	rq->https = true;
	dash_handle(dash, rq, NOW);
	cookie = header_of(rq, "Set-Cookie");
	ck_assert_msg(str_starts(cookie, "__Host-grapnel_guest=") && str_ends(cookie, "; Path=/; HttpOnly; SameSite=Lax; Secure"), "%.*s",
		STR_ARG(cookie));
	/* a cookie without the prefix may come from anywhere in the domain */
	rq->response = (struct response){ 0 };
	rq->uri = rq->path = STR("/account");
	rq->headers = &(struct header){ STR("cookie"), arena_printf(a, "grapnel=%.*s", STR_ARG(session_of(ADMIN))) };
	rq->header_n = 1;
	dash_handle(dash, rq, NOW);
	ck_assert_uint_eq(rq->response.status, 303);
}
END_TEST

/* ---- begin and end ---- */

static void setup(void)
{
	static const struct stmt signed_out = { "test.signed_out", "DELETE FROM sessions" };	/* the account page lists them all */

	e = (struct err){ 0 };
	a = arena_new(256 << 20);
	if (db)
		succeeds(db_exec(db, &signed_out, NULL, 0, NULL, &e));
}

static void teardown(void)
{
	arena_free(a);
}

static void user_for(enum person who, enum role role)
{
	struct session s;	/* the first one notes when he was seen */
	struct user u;

	if (!user_add(db, a, 1, str_of(person_words[who]), STR_NONE, STR_NONE, role, who == PLATFORM, NOW - MS_PER_DAY, &u, &e) ||
		!session_begin(db, a, &life, u.id, STR("192.0.2.1"), STR("test"), NOW, &s, &e))
		die("%s", e.text);
	users[who] = u.id;
}

/* A user of tenant 2 with all that a user has. */
static void make_theirs(void)
{
	struct session s;
	struct token token;
	struct user u;
	struct str text;

	if (!user_add(db, a, 2, STR("theirs"), STR_NONE, STR_NONE, ROLE_VIEWER, false, NOW, &u, &e) ||
		!session_begin(db, a, &life, u.id, STR("192.0.2.9"), STR("test"), NOW, &s, &e) ||
		!token_add(db, a, u.id, STR("theirs"), SCOPE_ALL, 0, NOW, &token, &text, &e))
		die("%s", e.text);
	snprintf(their_user, sizeof(their_user), "%.*s", STR_ARG(u.public_id));
	snprintf(their_session, sizeof(their_session), "%.*s", STR_ARG(s.public_id));
	snprintf(their_token, sizeof(their_token), "%.*s", STR_ARG(token.public_id));
}

static void begin(const char *shm_path, const char *key_path)
{
	static char url[] = "https://hooks.example.org", none[] = "";

	setup();
	db = view_database("grapnel_pages");
	if (!conf_load(&conf, NULL, &e))
		die("%s", e.text);
	conf.server.public_url = url;
	conf.retention.archive_dir = conf.spool.directory = none;
	conf.retention.events_days = conf.retention.refused_bodies_days = conf.retention.incidents_days = 36500;
	conf.ingest.rate_limit = conf.ingest.verify_signatures = true;
	conf.web.session_idle_minutes = (unsigned)(life.idle_ms / MS_PER_MINUTE);
	conf.web.session_max_hours = (unsigned)(life.max_ms / MS_PER_HOUR);
	shm = shm_open_file(shm_path, &e);
	if (!shm || !seal_key_create(key_path, &e) || !(seal_key = seal_key_load(key_path, &e)))
		die("%s", e.text);
	ingest = ingest_new(&(struct ingest_config){ .db = db, .shm = shm, .seal = seal_key, .ids = &ids, .events_max = 1000,
		.public_url = url, .verify_signatures = true, .rate_limit = true, .remote_per_minute = 60 });
	dash = dash_new(&(struct dash_config){ db, shm, seal_key, &conf, &ids, ingest, "9.9" });
	user_for(VIEWER, ROLE_VIEWER);
	user_for(OPERATOR, ROLE_OPERATOR);
	user_for(ADMIN, ROLE_ADMIN);
	user_for(PLATFORM, ROLE_VIEWER);
	make_theirs();
	choose_tables();
	teardown();
}

static Suite *suite(void)
{
	Suite *s = suite_create("pages");
	TCase *t = tcase_create("pages");
	int n = 0;

	while (dash_routes[n].method)
		n++;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_cookies_over_https);
	tcase_add_test(t, test_lists_say_how_many_they_have);
	tcase_add_test(t, test_an_export_that_finds_nothing_ends);
	tcase_add_loop_test(t, test_needs_make_sense, 0, n);
	tcase_add_loop_test(t, test_a_row_holds_its_needs, 0, n);
	tcase_add_loop_test(t, test_another_tenants_things_do_not_exist, 0, n);
	tcase_add_loop_test(t, test_what_is_no_id_names_nothing, 0, n);
	tcase_add_loop_test(t, test_wrong_filters_are_told, 0, n);
	tcase_add_loop_test(t, test_exports_need_what_their_list_needs, 0, n);
	tcase_add_test(t, test_pages_of_an_empty_tenant);
	tcase_add_test(t, test_a_page_whose_table_is_away_is_still_a_page);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	char shm_path[64], key_path[64];
	SRunner *r;
	int failed;

	if (!getenv("GRAPNEL_TEST_SOCKET") || !getenv("GRAPNEL_TEST_SQL"))
		return 77;	/* skipped: tests/db/run starts a server */
	snprintf(shm_path, sizeof(shm_path), "/tmp/grapnel-test-pages.%d.shm", (int)getpid());
	snprintf(key_path, sizeof(key_path), "/tmp/grapnel-test-pages.%d.key", (int)getpid());
	begin(shm_path, key_path);
	r = srunner_create(suite());
	srunner_set_fork_status(r, CK_NOFORK);	/* one connection, one state */
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	dash_free(dash);
	ingest_free(ingest);
	db_free(db);
	seal_key_free(seal_key);
	shm_close(shm);
	unlink(shm_path);
	unlink(key_path);
	return failed != 0;
}
