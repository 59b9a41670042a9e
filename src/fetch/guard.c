/* guard.c - server-side request forgery: a user must not reach by us what he cannot reach himself.
 *
 * Two looks. One at the URL when it is set, so that who sets it is told: curl's own parser reads it, the one that will use it, and it
 * writes 0x7f.1, 017700000001 and 2130706433 as 127.0.0.1. The other, the one that counts, at the address of each connection in the
 * moment in which its socket is made (send.c): a name may lead elsewhere by then.
 *
 * What is public is what IANA's registries of special-purpose addresses leave over (RFC 6890; looked up 2026-06-02): of IPv6 the
 * global unicast 2000::/3 without its special parts, of IPv4 all but the list below. Addresses that carry an IPv4 address inside are
 * judged by that one. The host's own public addresses are none: from here they lead past its firewall, to whatever listens. */
#include <curl/curl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "fetch_int.h"

#define LISTS_MAX ((size_t)4 << 20)	/* a line of the configuration is far shorter */

struct guard {
	struct arena *arena;
	struct cidr *allowed;
	size_t allowed_n;
	struct port_range *ports;
	size_t port_n;
	struct ip *own;		/* addresses that this host had when the guard was made */
	size_t own_n;
};

static const char *const forbidden[] = {
	"0.0.0.0/8",		/* this network */
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",	/* private */
	"100.64.0.0/10",	/* behind a provider's NAT; metadata of Alibaba */
	"127.0.0.0/8",		/* loopback */
	"169.254.0.0/16",	/* link-local; metadata of nearly all clouds */
	"168.63.129.16",	/* Azure's own, in a public range */
	"192.0.0.0/24",		/* protocol assignments; metadata of Oracle */
	"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",	/* documentation */
	"192.88.99.0/24",	/* relays to 6to4 */
	"198.18.0.0/15",	/* benchmarks */
	"224.0.0.0/4",		/* multicast */
	"240.0.0.0/4",		/* reserved; broadcast */
	"2001::/23",		/* protocol assignments; Teredo, which hides an IPv4 address */
	"2001:db8::/32", "3fff::/20",	/* documentation */
	"2002::/16",		/* 6to4, which hides another */
};
#define GLOBAL_UNICAST "2000::/3"
#define NAT64 "64:ff9b::/96"	/* how hosts without IPv4 reach it: the last four bytes (RFC 6052) */
#define MAPPED "::ffff:0:0/96"

static bool within(const char *net, const struct ip *ip)
{
	struct err ignored = { 0 };
	struct cidr c;

	return cidr_parse(str_of(net), &c, &ignored) && cidr_match(&c, ip);
}

/* Where a packet to it arrives in the end. */
static struct ip reached(const struct ip *ip)
{
	struct ip v4 = *ip;

	if (!within(NAT64, ip))
		return v4;
	memset(v4.b, 0, 10);
	memset(v4.b + 10, 0xff, 2);
	return v4;
}

static bool is_public(const struct ip *ip)
{
	if (!within(MAPPED, ip) && !within(GLOBAL_UNICAST, ip))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
		if (within(forbidden[i], ip))
			return false;
	return true;
}

/* No host: multicast, broadcast, and 0.0.0.0 and ::, by which Linux reaches this host itself. */
static const char *const nobody[] = { "0.0.0.0/8", "224.0.0.0/4", "255.255.255.255", "::", "ff00::/8" };

static bool is_unicast(const struct ip *ip)
{
	for (size_t i = 0; i < ARRAY_SIZE(nobody); i++)
		if (within(nobody[i], ip))
			return false;
	return true;
}

static bool is_own(const struct guard *g, const struct ip *ip)
{
	for (size_t i = 0; i < g->own_n; i++)
		if (!memcmp(g->own[i].b, ip->b, sizeof(ip->b)))
			return true;
	return false;
}

/* A host that does not tell has none. */
static void list_own(struct guard *g)
{
	struct ifaddrs *list = NULL;
	size_t n = 0;

	if (getifaddrs(&list))
		return;
	for (const struct ifaddrs *x = list; x; x = x->ifa_next)
		n++;
	g->own = ARENA_ARRAY(g->arena, struct ip, n + 1);
	for (const struct ifaddrs *x = list; x; x = x->ifa_next) {
		unsigned port;

		if (x->ifa_addr && guard_sockaddr(x->ifa_addr, &g->own[g->own_n], &port))
			g->own_n++;
	}
	freeifaddrs(list);
}

struct guard *guard_new(const char *allow, const char *ports)
{
	struct guard *g = xcalloc(1, sizeof(*g));
	struct err e = { 0 };

	g->arena = arena_new(LISTS_MAX);
	if (!cidr_list(g->arena, str_of(allow), &g->allowed, &g->allowed_n, &e) ||
		!port_list(g->arena, str_of(ports), &g->ports, &g->port_n, &e))
		die("a list of addresses or ports that nobody checked: %s", e.text);
	list_own(g);
	return g;
}

void guard_free(struct guard *g)
{
	if (!g)
		return;
	arena_free(g->arena);
	free(g);
}

bool guard_allows(const struct guard *g, const struct ip *ip)
{
	struct ip at = reached(ip);

	for (size_t i = 0; i < g->allowed_n && is_unicast(&at); i++)
		if (cidr_match(&g->allowed[i], ip))
			return true;
	return is_public(&at) && !is_own(g, &at);
}

/* Ports of mail servers are no other service's. */
static bool is_mail_port(unsigned port)
{
	return port == 25 || port == 465 || port == 587;
}

bool guard_port(const struct guard *g, unsigned port, bool mail)
{
	if (mail && is_mail_port(port))
		return true;
	for (size_t i = 0; i < g->port_n; i++)
		if (port >= g->ports[i].from && port <= g->ports[i].to)
			return true;
	return false;
}

/* ---- URLs ---- */

struct parts {
	char *scheme, *host, *port, *user, *password, *zone;
};

/* True: all but host and scheme may be NULL. Free the parts in any case. */
static bool parts_read(CURLU *u, struct parts *p)
{
	curl_url_get(u, CURLUPART_USER, &p->user, 0);
	curl_url_get(u, CURLUPART_PASSWORD, &p->password, 0);
	curl_url_get(u, CURLUPART_ZONEID, &p->zone, 0);
	return !curl_url_get(u, CURLUPART_SCHEME, &p->scheme, 0) && !curl_url_get(u, CURLUPART_HOST, &p->host, 0) &&
		!curl_url_get(u, CURLUPART_PORT, &p->port, CURLU_DEFAULT_PORT);
}

static void parts_free(struct parts *p)
{
	curl_free(p->scheme);
	curl_free(p->host);
	curl_free(p->port);
	curl_free(p->user);
	curl_free(p->password);
	curl_free(p->zone);
}

/* "[2001:db8::1]" without its brackets. */
static struct str bare_host(const char *host)
{
	struct str s = str_of(host);

	return str_starts(s, "[") && str_ends(s, "]") ? (struct str){ s.p + 1, s.n - 2 } : s;
}

static bool host_is_ascii(const char *host)
{
	for (; *host; host++)
		if ((unsigned char)*host >= 0x80)
			return false;
	return true;
}

static bool refuse_address(struct err *e)
{
	return err_tell(e, ERR_INVALID, "It leads to an address that is not allowed: [outbound] allow can open private networks.");
}

/* "http" or "https"; of mail "smtp" or "smtps". */
static bool scheme_is(struct str scheme, bool mail)
{
	return str_ieqs(scheme, mail ? "smtp" : "http") || str_ieqs(scheme, mail ? "smtps" : "https");
}

static bool parts_check(const struct guard *g, const struct parts *p, bool mail, struct err *e)
{
	struct ip ip;
	uint64_t port;

	if (!scheme_is(str_of(p->scheme), mail))
		return err_tell(e, ERR_INVALID, mail ? "A mail server begins with smtp:// or smtps://." : "A URL begins with http:// or https://.");
	if (p->user || p->password)
		return err_tell(e, ERR_INVALID, "A URL must not hold a user or password.");
	if (p->zone || !host_is_ascii(p->host))
		return err_tell(e, ERR_INVALID, "The host must be a name or an address; write other letters as xn--.");
	if (str_ends(str_of(p->host), "."))
		return err_tell(e, ERR_INVALID, "The host must not end with a dot.");
	if (!str_u64(str_of(p->port), &port) || !guard_port(g, (unsigned)port, mail))
		return err_tell(e, ERR_INVALID, "Its port is not allowed: [outbound] ports names those that are.");
	if (ip_parse(bare_host(p->host), &ip) && !guard_allows(g, &ip))
		return refuse_address(e);
	return true;
}

/* curl takes the path of "http:///path" for the host that is missing. */
static bool has_host(struct str url)
{
	(void)str_until(&url, ':');
	return str_starts(url, "//") && !str_starts(url, "///");
}

/* Takes the URL apart and judges the parts; `p` is to be freed in any case. */
static bool url_check(const struct guard *g, struct str url, bool mail, struct parts *p, struct err *e)
{
	struct arena *a = arena_new(LISTS_MAX);
	CURLU *u = curl_url();
	bool ok;

	if (!u)
		die("libcurl has no memory");
	/* Without guessing: "example.org" alone is no URL. */
	ok = has_host(url) && str_find(url, '\0') < 0 && !curl_url_set(u, CURLUPART_URL, arena_cstr(a, url), CURLU_NON_SUPPORT_SCHEME) && parts_read(u, p);
	ok = ok ? parts_check(g, p, mail, e) : err_tell(e, ERR_INVALID, "This is no URL with a host.");
	curl_url_cleanup(u);
	arena_free(a);
	return ok;
}

static bool url_judge(const struct guard *g, struct str url, bool mail, struct err *e)
{
	struct parts p = { 0 };
	bool ok = url_check(g, url, mail, &p, e);

	parts_free(&p);
	return ok;
}

bool guard_url(const struct guard *g, struct str url, struct err *e)
{
	return url_judge(g, url, false, e);
}

bool guard_mail_url(const struct guard *g, struct str url, struct err *e)
{
	return url_judge(g, url, true, e);
}

/* ---- names ---- */

bool guard_sockaddr(const struct sockaddr *sa, struct ip *ip, unsigned *port)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)sa;
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)sa;

	if (sa->sa_family == AF_INET6) {
		memcpy(ip->b, &six->sin6_addr, sizeof(ip->b));
		*port = ntohs(six->sin6_port);
	} else if (sa->sa_family == AF_INET) {
		memset(ip->b, 0, 10);
		memset(ip->b + 10, 0xff, 2);
		memcpy(ip->b + 12, &four->sin_addr, 4);
		*port = ntohs(four->sin_port);
	} else {
		return false;
	}
	return true;
}

static bool all_allowed(const struct guard *g, const struct addrinfo *list)
{
	for (; list; list = list->ai_next) {
		struct ip ip;
		unsigned port;

		if (!guard_sockaddr(list->ai_addr, &ip, &port) || !guard_allows(g, &ip))
			return false;
	}
	return true;
}

bool guard_resolve(const struct guard *g, struct str url, struct err *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	struct parts p = { 0 };
	struct ip ip;
	bool ok = url_check(g, url, false, &p, e);

	if (ok && !ip_parse(bare_host(p.host), &ip) && !getaddrinfo(p.host, NULL, &hints, &list))
		ok = all_allowed(g, list) || refuse_address(e);
	if (list)
		freeaddrinfo(list);
	parts_free(&p);
	return ok;
}
