/* users.c - people: the list, making one, changing one. A password that nobody typed is made here and shown once. */
#include "users.h"

#include <inttypes.h>

#include "dash_int.h"
#include "tmpl.h"

#define TOKENS_SHOWN 50
#define PASSWORD_BYTES 12	/* of a made one: 16 characters, 96 bits */

/* ---- the list ---- */

static bool read_users(struct visit *v, void *query, uint64_t cursor, uint64_t limit, void *rows_r, size_t *n, uint64_t *next,
	struct err *e)
{
	struct user_filter f = *(struct user_filter *)query;

	f.cursor = cursor;
	f.limit = limit;
	return user_view_list(v->by.db, v->a, &f, rows_r, n, next, e);
}

static struct str asked(struct visit *v, const char *name)
{
	struct str value = STR_NONE;

	(void)form_find(v->a, v->rq->query, name, &value);
	return value;
}

void page_users(void *visit)
{
	struct visit *v = visit;
	struct user_filter f = { .tenant_id = v->by.tenant_id, .limit = LIST_LIMIT_DEFAULT };
	const struct list_source list = { .plural = "users", .fields = user_view_fields, .size = sizeof(struct user_view),
		.read = read_users, .query = &f };
	struct users_page p = { 0 };

	if (!visit_query(v, user_query_fields, &f) || !list_read(v, &list, f.cursor, f.limit, &p.users, &p.users_n, &p.nav))
		return;
	p.q = f.text;
	p.role = asked(v, "role");
	p.enabled = asked(v, "enabled");
	p.filtered = p.q.n || p.role.n || p.enabled.n;
	page_begin(v, &p.page, "Users", "users");
	PAGE_SEND(v, 200, tmpl_users, &p);
}

/* ---- passwords ---- */

static struct str make_password(struct visit *v)
{
	unsigned char raw[PASSWORD_BYTES];
	struct str text;

	random_bytes(raw, sizeof(raw));
	text = base64url_encode(v->a, raw, sizeof(raw));
	secret_wipe(raw, sizeof(raw));
	return text;
}

/* As chosen: none, typed, or made where nothing was typed; *shown is then what the next page shows once. */
static void choose_password(struct visit *v, struct user_form *f, struct str *shown)
{
	*shown = STR_NONE;
	if (visit_posted(v, "_none").n)
		f->password = STR("");
	else if (!f->password.n)
		f->password = *shown = make_password(v);
}

/* ---- a new one ---- */

static void show_new(struct visit *v, unsigned status, struct user_new_page *p)
{
	p->name = visit_typed(v, "name", STR_NONE);
	p->typed = (struct user_typed){
		.email = visit_typed(v, "email", STR_NONE),
		.role = visit_typed(v, "role", STR("viewer")),
		.platform_admin = str_eqs(visit_posted(v, "platformAdmin"), "true"),
		.no_password = visit_posted(v, "_none").n > 0,
		.error = p->page.error,
		.error_field = p->page.error_field,
	};
	page_begin(v, &p->page, "New user", "users");
	PAGE_SEND(v, status, tmpl_user_new, p);
}

void page_user_new(void *visit)
{
	struct user_new_page p = { 0 };

	show_new(visit, 200, &p);
}

void page_user_new_post(void *visit)
{
	struct visit *v = visit;
	struct user_form f = USER_FORM_NEW;
	struct user_new_page p = { 0 };
	struct user made = { 0 };
	struct str shown;
	struct err e = { 0 };

	if (!visit_form(v, user_fields, FORM_NEW, &f, &e) || (choose_password(v, &f, &shown), !user_create(&v->by, &f, &made, &e))) {
		if (page_blame(v, &p.page, &e))
			show_new(v, 400, &p);
		return;
	}
	visit_flash(v, shown.n ? "The user is made. This is the password, shown this once:" : "The user is made.", shown);
	visit_redirect(v, "/users/%.*s", STR_ARG(made.public_id));
}

/* ---- one ---- */

/* False = answered. */
static bool fill(struct visit *v, struct user_page *p)
{
	struct user u = { 0 };
	struct err e = { 0 };
	uint64_t next;
	int found = user_find(&v->by, v->match.params[0], &u, &e);

	if (found < 0)
		return visit_err(v, &e);
	if (!found)
		return visit_not_found(v);
	user_view_fill(&u, &p->user);
	p->self = u.id == v->by.principal.user_id;
	p->locked = u.platform_admin && !v->by.principal.platform_admin;
	p->typed = (struct user_typed){
		.email = visit_typed(v, "email", u.email),
		.role = visit_typed(v, "role", p->user.role),
		.platform_admin = str_eqs(visit_typed(v, "platformAdmin", u.platform_admin ? STR("true") : STR("false")), "true"),
		.error = p->page.error,
		.error_field = p->page.error_field,
	};
	if (!token_view_list(v->by.db, v->a, u.id, 0, TOKENS_SHOWN, v->by.now, &p->tokens, &p->tokens_n, &next, &e))
		return visit_err(v, &e);
	p->more_tokens = next != 0;
	return true;
}

static void show(struct visit *v, unsigned status, struct user_page *p)
{
	if (!fill(v, p))
		return;
	page_begin(v, &p->page, arena_cstr(v->a, p->user.name), "users");
	PAGE_SEND(v, status, tmpl_user, p);
}

void page_user(void *visit)
{
	struct user_page p = { 0 };

	show(visit, 200, &p);
}

static bool change(struct visit *v, bool (*read)(void *ctx, struct user_form *f, struct err *e), const char *form)
{
	struct user_page p = { .form = form };
	struct user_form f;
	struct user out;
	struct err e = { 0 };

	if (user_change(&v->by, v->match.params[0], read, v, &f, &out, &e))
		return true;
	if (page_blame(v, &p.page, &e))
		show(v, e.code == ERR_CONFLICT ? 409 : 400, &p);
	return false;
}

static void done(struct visit *v, const char *text, struct str secret)
{
	visit_flash(v, text, secret);
	visit_redirect(v, "/users/%.*s", STR_ARG(v->match.params[0]));
}

static bool read_details(void *ctx, struct user_form *f, struct err *e)
{
	return visit_form(ctx, user_fields, FORM_CHANGE, f, e);
}

void page_user_details_post(void *visit)
{
	if (change(visit, read_details, "details"))
		done(visit, "Saved.", STR_NONE);
}

struct new_password {
	struct visit *v;
	struct str shown;
};

static bool read_password(void *ctx, struct user_form *f, struct err *e)
{
	struct new_password *n = ctx;

	if (!visit_form(n->v, user_fields, FORM_CHANGE, f, e))
		return false;
	if (n->shown.n)		/* the transaction ran again */
		f->password = n->shown;
	else
		choose_password(n->v, f, &n->shown);
	return true;
}

void page_user_password_post(void *visit)
{
	struct visit *v = visit;
	struct new_password n = { .v = v };
	struct user_page p = { .form = "password" };
	struct user_form f;
	struct user out;
	struct err e = { 0 };

	if (!user_change(&v->by, v->match.params[0], read_password, &n, &f, &out, &e)) {
		if (page_blame(v, &p.page, &e))
			show(v, 400, &p);
		return;
	}
	if (n.shown.n)
		done(v, "This is the new password, shown this once. Sessions of before are ended.", n.shown);
	else
		done(v, f.password.n ? "The password is changed. Sessions of before are ended." :
			"The password is gone: only API tokens work. Sessions are ended.", STR_NONE);
}

/* ---- what is asked twice ---- */

/* False = answered. */
static bool find(struct visit *v, struct user *u)
{
	struct err e = { 0 };
	int found = user_find(&v->by, v->match.params[0], u, &e);

	if (found < 0)
		return visit_err(v, &e);
	return found || visit_not_found(v);
}

static void ask(struct visit *v, const struct user *u, struct confirm *c)
{
	c->page.section = "users";
	c->action = v->rq->path;
	c->back = arena_printf(v->a, "/users/%.*s", STR_ARG(u->public_id));
	visit_confirm(v, c);
}

static struct str counted(struct visit *v, size_t n, const char *one, const char *many)
{
	return n == 1 ? arena_printf(v->a, "1 %s", one) : arena_printf(v->a, "%zu %s", n, many);
}

void page_user_disable(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .button = STR("Disable") };
	struct session_row *sessions;
	struct token_view *tokens;
	size_t sessions_n, tokens_n, active = 0;
	struct user u = { 0 };
	struct err e = { 0 };
	uint64_t next;

	if (!find(v, &u))
		return;
	if (!session_list(v->by.db, v->a, &v->life, u.id, v->by.now, &sessions, &sessions_n, &e) ||
		!token_view_list(v->by.db, v->a, u.id, 0, LIST_LIMIT_MAX, v->by.now, &tokens, &tokens_n, &next, &e)) {
		visit_err(v, &e);
		return;
	}
	for (size_t i = 0; i < tokens_n; i++)
		active += str_eqs(tokens[i].status, "active");
	c.question = arena_printf(v->a, "Disable %.*s?", STR_ARG(u.name));
	c.facts[c.facts_n++] = sessions_n ? arena_printf(v->a, "%.*s now.", STR_ARG(counted(v, sessions_n, "session ends", "sessions end"))) :
		STR("Nobody is signed in with this name.");
	c.facts[c.facts_n++] = active ? arena_printf(v->a, "%.*s while the user is disabled.",
		STR_ARG(counted(v, active, "API token is refused", "API tokens are refused"))) : STR("There are no API tokens that still work.");
	c.facts[c.facts_n++] = STR("Incidents and the audit log go on naming the user, who can be enabled again.");
	ask(v, &u, &c);
}

static bool read_disabled(void *ctx, struct user_form *f, struct err *e)
{
	f->enabled = false;
	return true;
}

void page_user_disable_post(void *visit)
{
	if (change(visit, read_disabled, "details"))
		done(visit, "The user is disabled.", STR_NONE);
}

static bool read_enabled(void *ctx, struct user_form *f, struct err *e)
{
	f->enabled = true;
	return true;
}

void page_user_enable_post(void *visit)
{
	if (change(visit, read_enabled, "details"))
		done(visit, "The user is enabled.", STR_NONE);
}

void page_user_totp_reset(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .button = STR("Remove the app") };
	struct user u = { 0 };

	if (!find(v, &u))
		return;
	c.question = arena_printf(v->a, "Remove the authenticator app of %.*s?", STR_ARG(u.name));
	c.facts[c.facts_n++] = STR("The password alone signs in, until the user sets up an app again.");
	c.facts[c.facts_n++] = STR("Be sure who asks for it: this is what somebody with a stolen password would ask for.");
	ask(v, &u, &c);
}

static bool read_totp_reset(void *ctx, struct user_form *f, struct err *e)
{
	f->reset_totp = true;
	return true;
}

void page_user_totp_reset_post(void *visit)
{
	if (change(visit, read_totp_reset, "details"))
		done(visit, "The app is removed.", STR_NONE);
}
