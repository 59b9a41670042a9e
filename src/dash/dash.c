/* dash.c - the way of a request to a page: route, gates, handler.
 *
 * The gates stand in one function and are read from top to bottom; a handler begins only when all of them hold. Who is not
 * signed in is led to the sign-in page and back. A form whose token is too old comes back with what was typed; one whose
 * token was never ours is refused. */
#include "dash_int.h"

#define NEXT_MAX 600	/* bytes of a path that is kept over the sign-in; three times that when encoded */

struct dash *dash_new(const struct dash_config *c)
{
	struct dash *d = xcalloc(1, sizeof(*d));

	d->c = *c;
	return d;
}

void dash_free(struct dash *d)
{
	free(d);
}

/* ---- who is here ---- */

/* A page that the script fetches anew each few seconds keeps no session alive: a browser left open would stay signed in. */
static bool a_person_asks(const struct visit *v)
{
	return !str_eqs(request_header(v->rq, "x-requested-with"), "refresh");
}

/* Fills session and principal; false = answered. */
static bool find_session(struct visit *v)
{
	struct str text = cookie_session(v->rq);
	struct err e = { 0 };

	if (!text.n)
		return true;
	if (session_find(v->by.db, v->a, text, &v->life, v->by.now, a_person_asks(v), &v->session, &e) < 0)
		return visit_err(v, &e);
	if (v->session.text.n) {
		v->csrf_secret = v->session.text;
		v->by.principal = v->session.principal;
		v->by.session_id = v->session.public_id;
		v->by.tenant_id = v->session.principal.tenant_id;
	}
	return true;
}

/* After signing in he comes back to the page he wanted; a form that was posted is lost, its page is not. */
static bool lead_to_login(struct visit *v)
{
	struct str wanted = str_eqs(v->rq->method, "POST") ? visit_back_path(v) : v->rq->uri;

	if (str_eqs(wanted, "/") || wanted.n > NEXT_MAX)
		visit_redirect(v, "/login");
	else
		visit_redirect(v, "/login?next=%.*s", STR_ARG(url_encode(v->a, wanted)));
	return false;
}

/* ---- the gates ---- */

static bool body_is_a_form(struct visit *v)
{
	struct request *rq = v->rq;

	if (rq->body_too_large)
		return visit_refuse(v, 413, "Too large", "The form is larger than a form of this page can be.");
	if (rq->body_short)
		return visit_refuse(v, 400, "Not complete", "The form did not arrive whole. Please send it again.");
	if (rq->body.n && !str_eqs(rq->content_type, "application/x-www-form-urlencoded"))
		return visit_refuse(v, 415, "No form", "This page takes a posted form, nothing else.");
	return true;
}

static bool check_csrf(struct visit *v)
{
	int good = csrf_check(v->csrf_secret, visit_posted(v, "_csrf"), v->by.now);

	if (good > 0)
		return true;
	return good ? visit_foreign_form(v) : visit_old_form(v);
}

/* Everything that must hold before a handler runs; false = answered. */
static bool pass_gates(struct visit *v)
{
	unsigned needs = v->match.route->needs;
	bool post = str_eqs(v->rq->method, "POST");

	if (needs & NEED_OPEN)
		return true;
	if (!find_session(v))
		return false;
	if (!v->session.text.n && needs & NEED_GUEST)
		v->csrf_secret = cookie_guest(v);
	else if (!v->session.text.n)
		return lead_to_login(v);
	if (!account_has_role(&v->by.principal, NEED_ROLE(needs)) && !(needs & NEED_GUEST))
		return visit_refuse(v, 403, "Not allowed", "Your role does not allow this. An administrator can change it.");
	if (needs & NEED_PLATFORM && !v->by.principal.platform_admin)
		return visit_refuse(v, 403, "Not allowed", "This is for administrators of the whole installation.");
	return !post || (body_is_a_form(v) && check_csrf(v));
}

/* ---- the way ---- */

static const struct suffix_row {
	const char *text;
	enum suffix suffix;
} suffixes[] = { { ".csv", SUFFIX_CSV }, { ".json", SUFFIX_JSON } };

/* A list's path with a suffix is the list in another dress. */
static int find_route(struct visit *v, char allow[64])
{
	struct str path = v->rq->path;
	int found = route_find(dash_routes, v->rq->method, path, &v->match, allow);

	for (size_t i = 0; found != 1 && i < ARRAY_SIZE(suffixes); i++) {
		if (!str_ends(path, suffixes[i].text))
			continue;
		v->suffix = suffixes[i].suffix;
		path.n -= strlen(suffixes[i].text);
		found = route_find(dash_routes, v->rq->method, path, &v->match, allow);
		return found == 1 && !(v->match.route->needs & CAN_EXPORT) ? 0 : found;
	}
	return found;
}

static void wrong_method(struct visit *v, const char *allow)
{
	response_header(v->rq, "Allow", arena_str(v->a, str_of(allow)));
	(void)visit_refuse(v, 405, "Not this way", "This page is not asked for in this way.");
}

void dash_handle(struct dash *d, struct request *rq, ms_t now)
{
	struct visit v = {
		.dash = d, .rq = rq, .a = rq->arena, .began_us = clock_mono_us(),
		.life = { .idle_ms = d->c.conf->web.session_idle_minutes * MS_PER_MINUTE,
			.max_ms = d->c.conf->web.session_max_hours * MS_PER_HOUR },
		.by = { .db = d->c.db, .shm = d->c.shm, .seal = d->c.seal, .conf = d->c.conf, .ids = d->c.ids,
			.ingest = d->c.ingest, .a = rq->arena, .remote_addr = rq->remote_addr, .now = now },
	};
	char allow[64];
	int found = find_route(&v, allow);

	if (found == 1 && pass_gates(&v))
		v.match.route->handler(&v);
	else if (found != 1 && find_session(&v))	/* the page of an error has a navigation too */
		found ? wrong_method(&v, allow) : (void)visit_not_found(&v);
}
