/* account.c - the page of one's own. Its forms come back on the same page, with what was typed and the reason beside the field. */
#include "account.h"

#include <inttypes.h>

#include "dash_int.h"
#include "tmpl.h"

#define TOKENS_SHOWN 50
#define DAYS_PRESET "90"

static const struct account_scope scopes[] = {
	{ "read", "read everything your role may see" },
	{ "incidents", "acknowledge, resolve, assign and note incidents" },
	{ "events", "act on events" },
	{ "integrations", "set up integrations and services" },
	{ "sync", "take sync tasks" },
	{ "admin", "all of it, and users and the audit log" },
};
_Static_assert(ARRAY_SIZE(scopes) == ARRAY_SIZE(((struct account_page *)0)->scopes), "each is offered");

/* ---- what the page shows ---- */

static bool add_sessions(struct visit *v, struct account_page *p, struct err *e)
{
	struct session_row *rows;
	size_t n;

	if (!session_list(v->by.db, v->a, &v->life, v->by.principal.user_id, v->by.now, &rows, &n, e))
		return false;
	p->sessions = ARENA_ARRAY(v->a, struct account_session, n + 1);
	p->sessions_n = n;
	for (size_t i = 0; i < n; i++)
		p->sessions[i] = (struct account_session){
			.id = rows[i].public_id,
			.browser = agent_words(v->a, rows[i].user_agent),
			.remote_addr = rows[i].remote_addr,
			.created_at = rows[i].created_at,
			.last_seen_at = rows[i].last_seen_at,
			.current = str_eq(rows[i].public_id, v->session.public_id),
		};
	return true;
}

/* Four by four, as it is typed. */
static struct str grouped(struct arena *a, struct str key)
{
	struct strbuf b;

	strbuf_init(&b, a, 2 * key.n + 1);
	for (size_t i = 0; i < key.n; i++) {
		if (i && i % 4 == 0)
			strbuf_addc(&b, ' ');
		strbuf_addc(&b, key.p[i]);
	}
	return strbuf_str(&b);
}

/* Apps show the issuer: it tells one installation from another. */
static struct str issuer(struct visit *v)
{
	struct str url = str_of(v->by.conf->server.public_url);

	return arena_printf(v->a, "Grapnel %.*s", STR_ARG(str_sub(url, str_starts(url, "https://") ? 8 : 7)));
}

static bool add_app(struct visit *v, struct account_page *p, const struct user *u, struct err *e)
{
	struct totp_setup setup;

	if (u->totp_sealed.n || !u->totp_pending_sealed.n)
		return true;
	if (!totp_setup(v->a, v->by.seal, u->public_id, u->totp_pending_sealed, u->name, issuer(v), &setup, e))
		return false;
	p->totp_url = setup.url;
	p->totp_key = grouped(v->a, setup.key);
	return true;
}

/* What was ticked stays ticked. */
static void add_token_form(struct visit *v, struct account_page *p)
{
	struct str rest = str_eqs(v->rq->method, "POST") ? v->rq->body : STR_NONE, name, value;

	p->token_name = visit_typed(v, "name", STR_NONE);
	p->token_days = visit_typed(v, "expiresInDays", STR(DAYS_PRESET));
	p->scopes_n = ARRAY_SIZE(scopes);
	for (size_t i = 0; i < p->scopes_n; i++)
		p->scopes[i] = scopes[i];
	while (form_next(v->a, &rest, &name, &value))
		for (size_t i = 0; str_eqs(name, "scopes") && i < p->scopes_n; i++)
			p->scopes[i].chosen |= str_eqs(value, scopes[i].word);
}

static bool fill(struct visit *v, struct account_page *p, struct err *e)
{
	struct user u = { 0 };
	uint64_t next;
	int found = user_by_public_id(v->by.db, v->a, 0, v->by.principal.user_public_id, &u, e);

	if (found != 1)
		return !found && err_set(e, ERR_NOT_FOUND, "the user is gone");
	user_view_fill(&u, &p->user);
	add_token_form(v, p);
	if (!token_view_list(v->by.db, v->a, u.id, 0, TOKENS_SHOWN, v->by.now, &p->tokens, &p->tokens_n, &next, e))
		return false;
	p->more_tokens = next != 0;
	return add_sessions(v, p, e) && add_app(v, p, &u, e) && account_contacts_fill(v, p, e);
}

static void show(struct visit *v, unsigned status, struct account_page *p)
{
	struct err e = { 0 };

	if (!fill(v, p, &e)) {
		visit_err(v, &e);
		return;
	}
	page_begin(v, &p->page, "Account", "account");
	PAGE_SEND(v, status, tmpl_account, p);
}

void page_account(void *visit)
{
	struct account_page p = { 0 };

	show(visit, 200, &p);
}

void account_blame(struct visit *v, const char *form, const struct err *e)
{
	struct account_page p = { .form = form };

	if (page_blame(v, &p.page, e))
		show(v, 400, &p);
}

/* ---- password ---- */

static const char *ended_text(struct visit *v, const char *before, uint64_t ended)
{
	if (!ended)
		return before;
	return arena_printf(v->a, "%s %" PRIu64 " other session%s ended.", before, ended, ended == 1 ? "" : "s").p;
}

void page_account_password_post(void *visit)
{
	struct visit *v = visit;
	struct password_form f = { .current = STR_NONE };
	struct err e = { 0 };
	uint64_t ended = 0;

	if (!visit_form(v, password_fields, FORM_NEW, &f, &e) || !account_set_password(&v->by, &f, &ended, &e)) {
		account_blame(v, "password", &e);
		return;
	}
	visit_flash(v, ended_text(v, "Your password is changed.", ended), STR_NONE);
	visit_redirect(v, "/account");
}

/* ---- sessions ---- */

void page_account_session_end(void *visit)
{
	struct visit *v = visit;
	struct account_page p = { 0 };
	struct err e = { 0 };
	struct confirm c = { .page.section = "account", .question = STR("End this session?"), .action = v->rq->path, .button = STR("End it"),
		.back = STR("/account") };

	if (!add_sessions(v, &p, &e)) {
		visit_err(v, &e);
		return;
	}
	for (size_t i = 0; i < p.sessions_n; i++)
		if (str_eq(p.sessions[i].id, v->match.params[0])) {
			c.facts[c.facts_n++] = arena_printf(v->a, "%.*s, from %.*s.", STR_ARG(p.sessions[i].browser),
				STR_ARG(p.sessions[i].remote_addr));
			c.facts[c.facts_n++] = p.sessions[i].current ? STR("It is the one you use now: you sign in again.") :
				STR("Whoever uses it has to sign in again.");
			visit_confirm(v, &c);
			return;
		}
	visit_not_found(v);
}

void page_account_session_end_post(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };

	if (!account_session_end(&v->by, v->match.params[0], &e)) {
		visit_err(v, &e);
		return;
	}
	visit_flash(v, "The session is ended.", STR_NONE);
	visit_redirect(v, "/account");
}

void page_account_sessions_end(void *visit)
{
	struct visit *v = visit;
	struct account_page p = { 0 };
	struct err e = { 0 };
	struct confirm c = { .page.section = "account", .question = STR("End all other sessions?"), .action = v->rq->path,
		.button = STR("End them"), .back = STR("/account") };

	if (!add_sessions(v, &p, &e)) {
		visit_err(v, &e);
		return;
	}
	c.facts[c.facts_n++] = p.sessions_n == 2 ? STR("1 session ends; you stay signed in here.") :
		arena_printf(v->a, "%zu sessions end; you stay signed in here.", p.sessions_n - 1);
	c.facts[c.facts_n++] = STR("API tokens go on working.");
	visit_confirm(v, &c);
}

void page_account_sessions_end_post(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };
	uint64_t ended;

	if (!account_sessions_end(&v->by, &ended, &e)) {
		visit_err(v, &e);
		return;
	}
	visit_flash(v, ended_text(v, "Done.", ended), STR_NONE);
	visit_redirect(v, "/account");
}

/* ---- tokens ---- */

void page_account_token_post(void *visit)
{
	struct visit *v = visit;
	struct token_form f = { .name = STR_NONE };
	struct token made = { 0 };
	struct str text;
	struct err e = { 0 };

	if (!visit_form(v, token_fields, FORM_NEW, &f, &e) || !token_create(&v->by, &f, &made, &text, &e)) {
		account_blame(v, "token", &e);
		return;
	}
	visit_flash(v, "The token is made. Copy it now: it is shown this once.", text);
	visit_redirect(v, "/account");
}

static bool is_of_others(const struct visit *v)
{
	return str_starts(str_of(v->match.route->pattern), "/users/");
}

/* One's own, or an admin's of the tenant. False = answered. `path` is where the token is listed. */
static bool find_token(struct visit *v, struct token *t, struct str *path)
{
	bool others = is_of_others(v);
	struct str id = v->match.params[others];
	struct user u = { 0 };
	struct err e = { 0 };
	int found = token_get(v->by.db, v->a, (uint32_t)v->by.tenant_id, id, t, &e);

	if (found == 1 && others)
		found = user_find(&v->by, v->match.params[0], &u, &e);
	if (found < 0)
		return visit_err(v, &e);
	if (!found || t->user_id != (others ? u.id : v->by.principal.user_id))
		return visit_not_found(v);
	*path = others ? arena_printf(v->a, "/users/%.*s", STR_ARG(u.public_id)) : STR("/account");
	return true;
}

void page_token_revoke(void *visit)
{
	struct visit *v = visit;
	struct token t = { 0 };
	struct token_view view;
	struct confirm c = { .page.section = is_of_others(v) ? "users" : "account", .action = v->rq->path, .button = STR("Revoke it") };
	char when[TIME_TEXT];

	if (!find_token(v, &t, &c.back))
		return;
	c.question = arena_printf(v->a, "Revoke the token \"%.*s\"?", STR_ARG(t.name));
	token_view_fill(v->a, &t, v->by.now, &view);
	c.facts[c.facts_n++] = arena_printf(v->a, "It may: %.*s.", STR_ARG(view.scopes_text));
	c.facts[c.facts_n++] = t.last_used_at ? arena_printf(v->a, "It was last used at %s.", time_format(t.last_used_at, when)) :
		STR("It was never used.");
	c.facts[c.facts_n++] = STR("Programs that use it are refused from then on. There is no way back.");
	visit_confirm(v, &c);
}

void page_token_revoke_post(void *visit)
{
	struct visit *v = visit;
	struct token t = { 0 };
	struct err e = { 0 };
	struct str back;

	if (!find_token(v, &t, &back))
		return;
	if (!token_end(&v->by, t.public_id, &e)) {
		visit_err(v, &e);
		return;
	}
	visit_flash(v, "The token is revoked.", STR_NONE);
	visit_redirect(v, "%.*s", STR_ARG(back));
}
