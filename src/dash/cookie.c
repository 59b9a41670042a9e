/* cookie.c - the two cookies: that of a session, and one for visitors before they sign in, which only ties the sign-in form
 * to this browser. With https both carry the prefix __Host- (RFC 6265bis section 4.1.3.2), so that no other host or path can
 * set them. */
#include "dash_int.h"

#define SESSION_COOKIE "grapnel"
#define GUEST_COOKIE "grapnel_guest"
#define GUEST_BYTES 16

static const char *full_name(const struct request *rq, const char *name)
{
	return rq->https ? arena_printf(rq->arena, "__Host-%s", name).p : name;
}

static struct str cookie_get(const struct request *rq, const char *name)
{
	struct str header = request_header(rq, "cookie"), pair, key;

	name = full_name(rq, name);
	while (header.n) {
		pair = str_trim(str_until(&header, ';'));
		key = str_until(&pair, '=');
		if (str_eqs(key, name))
			return pair;
	}
	return STR_NONE;
}

/* Without Max-Age a cookie ends with the browser; the session's own end stands in the database. */
static void cookie_put(struct request *rq, const char *name, struct str value, const char *more)
{
	response_header(rq, "Set-Cookie",
		arena_printf(rq->arena, "%s=%.*s; Path=/; HttpOnly; SameSite=Lax%s%s", full_name(rq, name), STR_ARG(value),
			rq->https ? "; Secure" : "", more));
}

struct str cookie_session(const struct request *rq)
{
	return cookie_get(rq, SESSION_COOKIE);
}

void cookie_session_set(struct visit *v, struct str text)
{
	cookie_put(v->rq, SESSION_COOKIE, text, "");
}

void cookie_session_drop(struct visit *v)
{
	cookie_put(v->rq, SESSION_COOKIE, STR(""), "; Max-Age=0");
}

struct str cookie_guest(struct visit *v)
{
	struct str text = cookie_get(v->rq, GUEST_COOKIE);
	unsigned char raw[GUEST_BYTES];

	if (text.n == 2 * GUEST_BYTES)
		return text;
	random_bytes(raw, sizeof(raw));
	text = hex_encode(v->a, raw, sizeof(raw));
	cookie_put(v->rq, GUEST_COOKIE, text, "");
	return text;
}
