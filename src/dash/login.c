/* login.c - signing in and out. Two steps where an authenticator app is set up; between them the page carries a ticket, never
 * the password. */
#include "login.h"

#include "dash_int.h"
#include "tmpl.h"

#define NEXT_MAX 600		/* as long as the gates make it */

/* A path of this server and nothing that a browser could take for another one: "//host" and "/\host" are. */
static struct str local_path(struct str s)
{
	bool ok = s.n && s.n <= NEXT_MAX && s.p[0] == '/' && !str_starts(s, "//");

	for (size_t i = 0; i < s.n; i++)
		ok = ok && (unsigned char)s.p[i] > ' ' && s.p[i] != '\\' && s.p[i] != 0x7f;
	return ok ? s : STR_NONE;
}

static void go_on(struct visit *v, struct str next)
{
	if (next.n)
		visit_redirect(v, "%.*s", STR_ARG(next));
	else
		visit_redirect(v, "/");
}

static void show(struct visit *v, unsigned status, struct login_page *p)
{
	page_begin(v, &p->page, p->ticket.n ? "One more step" : "Sign in", "");
	PAGE_SEND(v, status, tmpl_login, p);
}

void page_login(void *visit)
{
	struct visit *v = visit;
	struct login_page p = { 0 };
	struct str next = STR_NONE;
	struct err e = { 0 };
	int any;

	(void)form_find(v->a, v->rq->query, "next", &next);
	p.next = local_path(next);
	if (v->session.text.n) {
		go_on(v, p.next);
		return;
	}
	any = user_any(v->by.db, v->a, &e);
	if (any < 0) {
		visit_err(v, &e);
		return;
	}
	p.nobody_yet = !any;
	show(v, 200, &p);
}

/* ---- the answer ---- */

static void welcome(struct visit *v, uint64_t user_id, struct str next)
{
	struct session fresh;
	struct err e = { 0 };

	/* An old session ends here, so that no id lives on from before the password was given. */
	if ((v->session.text.n && !session_end(v->by.db, v->a, v->session.text, &e)) ||
		!session_begin(v->by.db, v->a, &v->life, user_id, v->rq->remote_addr, request_header(v->rq, "user-agent"), v->by.now,
			&fresh, &e)) {
		visit_err(v, &e);
		return;
	}
	cookie_session_set(v, fresh.text);
	go_on(v, next);
}

static struct str wait_text(struct visit *v, ms_t wait)
{
	unsigned long long s = (unsigned long long)(wait + MS_PER_SECOND - 1) / MS_PER_SECOND;

	response_header(v->rq, "Retry-After", arena_printf(v->a, "%llu", s));
	if (s >= 120)
		return arena_printf(v->a, "Too many failures. Wait %llu minutes, then try again.", (s + 59) / 60);
	return arena_printf(v->a, "Too many failures. Wait %llu seconds, then try again.", s);
}

static void refuse(struct visit *v, struct login_page *p, unsigned status, struct str text, const char *field)
{
	p->page.error = text;
	p->page.error_field = str_of(field);
	show(v, status, p);
}

static void answer(struct visit *v, struct login_page *p, const struct login_result *r)
{
	switch (r->answer) {
	case LOGIN_OK:
		welcome(v, r->user_id, p->next);
		break;
	case LOGIN_WRONG:
		refuse(v, p, 403, STR("This name and password do not go together."), "");
		break;
	case LOGIN_TOTP_NEEDED:
		p->ticket = r->ticket;
		show(v, 200, p);
		break;
	case LOGIN_TOTP_WRONG:
		p->ticket = r->ticket;
		refuse(v, p, 403, STR("This is not the code of now. Each code serves once: wait for the next."), "code");
		break;
	case LOGIN_STALE:
		p->ticket = STR_NONE;
		refuse(v, p, 403, STR("That took too long. Sign in again."), "");
		break;
	case LOGIN_THROTTLED:
		refuse(v, p, 429, wait_text(v, r->wait_ms), "");
		break;
	}
}

void page_login_post(void *visit)
{
	struct visit *v = visit;
	struct login in = {
		.name = str_trim(visit_posted(v, "name")),
		.password = visit_posted(v, "password"),
		.ticket = visit_posted(v, "_ticket"),
		.code = str_trim(visit_posted(v, "code")),
		.remote_addr = v->rq->remote_addr,
	};
	struct login_page p = { .name = in.name, .next = local_path(visit_posted(v, "_next")), .ticket = in.ticket };
	struct login_result r;
	struct err e = { 0 };

	if (!in.ticket.n && !in.name.n)
		refuse(v, &p, 400, STR("Type your name."), "name");
	else if (!in.ticket.n && !in.password.n)
		refuse(v, &p, 400, STR("Type your password."), "password");
	else if (in.ticket.n && !in.code.n)
		refuse(v, &p, 400, STR("Type the code that the app shows."), "code");
	else if (login_try(v->by.db, v->a, v->by.shm, v->by.seal, &in, v->by.now, &r, &e))
		answer(v, &p, &r);
	else
		visit_err(v, &e);
}

void page_logout_post(void *visit)
{
	struct visit *v = visit;
	struct who who = caller_who(&v->by, v->by.principal.tenant_id);
	struct err e = { 0 };

	if (!session_end(v->by.db, v->a, v->session.text, &e) ||
		!audit_add(v->by.db, &who, "user.sign_out", v->by.principal.user_public_id, STR_NONE, v->by.now, &e)) {
		visit_err(v, &e);
		return;
	}
	cookie_session_drop(v);
	visit_redirect(v, "/login");
}
