/* database_url.c - DATABASE_URL, as hosting platforms give it: mysql://user:password@host:port/name?socket=/path.
 *
 * Each part may be absent and then keeps its value from the file; each may be percent-encoded (RFC 3986 section 3). Other
 * parameters than `socket` belong to other programs and are passed over. A host takes the place of a configured socket. */
#include "conf_int.h"

struct parts {
	struct str user, password, host, port, name, query;	/* still encoded; n == 0 = absent */
};

/* The last '@' ends the user: people do not encode the '@' of their password. */
static void split_user(struct parts *u, struct str *authority)
{
	size_t at = authority->n;
	struct str user;

	while (at && authority->p[at - 1] != '@')
		at--;
	if (!at)
		return;
	user = (struct str){ authority->p, at - 1 };
	*authority = str_sub(*authority, at);
	u->user = str_until(&user, ':');
	u->password = user;
}

static bool split_host(struct parts *u, struct str authority)
{
	if (str_starts(authority, "[")) {	/* an IPv6 address: RFC 3986 section 3.2.2 */
		if (str_find(authority, ']') < 0)
			return false;
		authority = str_sub(authority, 1);
		u->host = str_until(&authority, ']');
		if (authority.n && authority.p[0] != ':')
			return false;
		u->port = str_sub(authority, 1);
		return true;
	}
	u->host = str_until(&authority, ':');
	u->port = authority;
	return true;
}

static bool split(struct parts *u, struct str url)
{
	struct str authority;

	*u = (struct parts){ 0 };
	if (str_starts(url, "mysql://"))
		url = str_sub(url, strlen("mysql://"));
	else if (str_starts(url, "mariadb://"))
		url = str_sub(url, strlen("mariadb://"));
	else
		return false;
	u->name = str_until(&url, '?');
	u->query = url;
	authority = str_until(&u->name, '/');
	split_user(u, &authority);
	return split_host(u, authority);
}

static bool set_part(struct conf *c, struct arena *a, const char *key, struct str encoded, struct err *e)
{
	struct err why = { 0 };

	if (!encoded.n || option_set(c, option_find(STR("database"), str_of(key)), url_decode(a, encoded, false), &why))
		return true;
	return err_set(e, ERR_INVALID, "its %s: %.150s", key, why.text);
}

bool conf_database_url(struct conf *c, struct str url, struct err *e)
{
	struct arena *a = arena_new(64 * (url.n + 64));
	struct parts u;
	struct str socket;
	bool ok;

	if (!split(&u, url)) {
		arena_free(a);
		return err_set(e, ERR_INVALID, "must be mysql://user:password@host:port/name");
	}
	ok = set_part(c, a, "user", u.user, e) && set_part(c, a, "password", u.password, e) &&
		set_part(c, a, "host", u.host, e) && set_part(c, a, "port", u.port, e) && set_part(c, a, "name", u.name, e);
	if (ok && u.host.n)
		text_set(&c->database.socket, STR_NONE);
	if (ok && form_find(a, u.query, "socket", &socket))
		ok = option_set(c, option_find(STR("database"), STR("socket")), socket, e);
	arena_free(a);
	return ok;
}
