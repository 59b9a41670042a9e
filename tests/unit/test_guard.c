/* Where requests may lead that users name: every notation of an address that curl understands, and what is private. */
#include "unit.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include "grapnel/fetch.h"

/* The addresses of a host that is reachable from everywhere, in place of this one's: the program's own function is found before that of libc. */
static struct sockaddr_in own_four = { .sin_family = AF_INET };
static struct sockaddr_in6 own_six = { .sin6_family = AF_INET6 };
static struct ifaddrs interfaces[] = {
	{ &interfaces[1], "ppp0" },	/* one without an address */
	{ &interfaces[2], "eth0", .ifa_addr = (struct sockaddr *)&own_four },
	{ NULL, "eth0", .ifa_addr = (struct sockaddr *)&own_six },
};

int getifaddrs(struct ifaddrs **out)
{
	inet_pton(AF_INET, "192.30.255.112", &own_four.sin_addr);
	inet_pton(AF_INET6, "2600:1f14::77", &own_six.sin6_addr);
	*out = interfaces;
	return 0;
}

void freeifaddrs(struct ifaddrs *list)
{
}

#define PORTS "80, 443, 1024-65535"

static const struct {
	const char *ip;
	bool allowed;
} addresses[] = {
	{ "8.8.8.8", true }, { "1.1.1.1", true }, { "93.184.216.34", true }, { "223.255.255.255", true },
	{ "0.0.0.0", false }, { "0.1.2.3", false },
	{ "10.0.0.0", false }, { "10.255.255.255", false }, { "9.255.255.255", true }, { "11.0.0.0", true },
	{ "100.63.255.255", true }, { "100.64.0.0", false }, { "100.100.100.200", false }, { "100.127.255.255", false }, { "100.128.0.0", true },
	{ "127.0.0.1", false }, { "127.255.255.254", false }, { "128.0.0.1", true },
	{ "168.63.129.16", false }, { "168.63.129.17", true },
	{ "169.254.169.254", false }, { "169.253.255.255", true }, { "169.255.0.0", true },
	{ "172.15.255.255", true }, { "172.16.0.0", false }, { "172.31.255.255", false }, { "172.32.0.0", true },
	{ "192.0.0.192", false }, { "192.0.2.1", false }, { "192.0.1.1", true }, { "192.88.99.1", false },
	{ "192.167.255.255", true }, { "192.168.0.1", false }, { "192.169.0.0", true },
	{ "198.17.255.255", true }, { "198.18.0.1", false }, { "198.19.255.255", false }, { "198.20.0.0", true },
	{ "198.51.100.1", false }, { "203.0.113.255", false },
	{ "224.0.0.1", false }, { "239.255.255.255", false }, { "240.0.0.1", false }, { "255.255.255.255", false },
	{ "2606:2800:220:1:248:1893:25c8:1946", true }, { "2a00:1450:4001:81b::200e", true }, { "2001:4860:4860::8888", true },
	{ "::", false }, { "::1", false }, { "::8.8.8.8", false },
	{ "::ffff:8.8.8.8", true }, { "::ffff:127.0.0.1", false }, { "::ffff:a9fe:a9fe", false },
	{ "64:ff9b::8.8.8.8", true }, { "64:ff9b::10.0.0.1", false }, { "64:ff9b::7f00:1", false }, { "64:ff9b:1::8.8.8.8", false },
	{ "100::1", false }, { "2001::1", false }, { "2001:1ff::1", false }, { "2001:200::1", true }, { "2001:db8::1", false },
	{ "2002:7f00:1::", false }, { "2002:808:808::", false }, { "3fff::1", false }, { "3fff:1000::1", true },
	{ "::ffff:0:8.8.8.8", false },	/* SIIT (RFC 7915) */
	{ "100:0:0:1::1", false }, { "4000::1", false },	/* not given out */
	{ "192.30.255.112", false }, { "::ffff:192.30.255.112", false }, { "64:ff9b::192.30.255.112", false }, { "192.30.255.113", true },	/* this host's own */
	{ "2600:1f14::77", false }, { "2600:1f14::78", true },
	{ "fc00::1", false }, { "fd00:ec2::254", false }, { "fe80::1", false }, { "fec0::1", false }, { "ff02::1", false }, { "5f00::1", false },
};

/* Where the administrator has opened all there is. */
static const struct {
	const char *ip;
	bool allowed;
} opened[] = {
	{ "127.0.0.1", true }, { "10.1.2.3", true }, { "::1", true }, { "fd00::1", true }, { "8.8.8.8", true },
	{ "0.0.0.0", false }, { "0.1.2.3", false }, { "224.0.0.1", false }, { "239.255.255.250", false }, { "255.255.255.255", false },
	{ "::", false }, { "ff02::1", false }, { "::ffff:224.0.0.1", false }, { "64:ff9b::e000:1", false },
};

START_TEST(test_all_opened)
{
	struct guard *g = guard_new("0.0.0.0/0, ::/0", PORTS);
	struct ip ip;

	ck_assert(ip_parse(str_of(opened[_i].ip), &ip));
	ck_assert_msg(guard_allows(g, &ip) == opened[_i].allowed, "%s", opened[_i].ip);
	guard_free(g);
}
END_TEST

START_TEST(test_address)
{
	struct guard *g = guard_new("", PORTS);
	struct ip ip;

	ck_assert(ip_parse(str_of(addresses[_i].ip), &ip));
	ck_assert_msg(guard_allows(g, &ip) == addresses[_i].allowed, "%s", addresses[_i].ip);
	guard_free(g);
}
END_TEST

static const struct {
	const char *url;
	const char *why;	/* of the sentence; NULL: it is fine */
} urls[] = {
	{ "https://example.org", NULL },
	{ "http://example.org/hook?a=b", NULL },
	{ "HTTPS://EXAMPLE.org:8443/", NULL },
	{ "https://8.8.8.8/", NULL },
	{ "https://[2606:2800:220:1::1]/", NULL },
	{ "https://xn--bcher-kva.example/", NULL },
	{ "http://localhost/", NULL },		/* a name: judged by where it leads */
	{ "", "no URL" },
	{ "example.org", "no URL" },
	{ "//example.org/", "no URL" },
	{ "/hook", "no URL" },
	{ "https://", "no URL" },
	{ "https:///path", "no URL" },		/* which curl would take for a host */
	{ "https:////example.org/", "no URL" },
	{ "https:example.org", "no URL" },
	{ "https://example.org./", "dot" },
	{ "http://127.0.0.1./", "dot" },
	{ "https://exa mple.org/", "no URL" },
	{ "https://example.org:0/", "port is not allowed" },
	{ "https://example.org:65536/", "no URL" },
	{ "https://example.org:22/", "port is not allowed" },
	{ "http://example.org:25/", "port is not allowed" },
	{ "ftp://example.org/", "begins with http" },
	{ "file:///etc/passwd", "no URL" },
	{ "gopher://127.0.0.1:6379/_x", "begins with http" },
	{ "unix:/run/mysqld/mysqld.sock", "no URL" },
	{ "javascript:alert(1)", "no URL" },
	{ "https://user@example.org/", "user or password" },
	{ "https://user:secret@example.org/", "user or password" },
	{ "https://:secret@example.org/", "user or password" },
	{ "https://example.org@127.0.0.1/", "user or password" },
	{ "http://127.0.0.1/", "not allowed" },
	{ "http://127.0.0.1:8080/", "not allowed" },
	{ "http://127.1/", "not allowed" },
	{ "http://127.0.1/", "not allowed" },
	{ "http://0/", "not allowed" },
	{ "http://2130706433/", "not allowed" },	/* decimal */
	{ "http://0x7f000001/", "not allowed" },	/* hexadecimal */
	{ "http://0X7F.1/", "not allowed" },
	{ "http://0x7f.0x0.0x0.0x1/", "not allowed" },
	{ "http://017700000001/", "not allowed" },	/* octal */
	{ "http://0177.0.0.01/", "not allowed" },
	{ "http://0300.0250.1/", "not allowed" },	/* 192.168.0.1 */
	{ "http://%31%32%37.0.0.1/", "not allowed" },	/* escaped digits */
	{ "http://2852039166/latest/meta-data/", "not allowed" },	/* 169.254.169.254 */
	{ "http://169.254.169.254/latest/meta-data/", "not allowed" },
	{ "http://[::1]/", "not allowed" },
	{ "http://[0:0:0:0:0:0:0:1]/", "not allowed" },
	{ "http://4294967295/", "not allowed" },
	{ "http://00000177.0.0.1/", "not allowed" },
	{ "http://127%2e0%2E0%2e1/", "not allowed" },
	{ "http://0xffffffff7f000001/", NULL },		/* no notation of an address: a name, which leads nowhere */
	{ "http://192.30.255.112/", "not allowed" },	/* our own */
	{ "http://[::ffff:127.0.0.1]/", "not allowed" },
	{ "http://[::ffff:7f00:1]/", "not allowed" },
	{ "http://[::127.0.0.1]/", "not allowed" },
	{ "http://[64:ff9b::7f00:1]/", "not allowed" },
	{ "http://[fd00:ec2::254]/", "not allowed" },
	{ "http://[fe80::1]/", "not allowed" },
	{ "http://[fe80::1%25eth0]/", "must be a name or an address" },
	{ "http://[fe80::1%eth0]/", "must be a name or an address" },
	{ "http://[::1%25lo]/", "must be a name or an address" },
	{ "http://[::1]x/", "no URL" },
	{ "http://[127.0.0.1]/", "no URL" },
	{ "http://[::ffff:0:127.0.0.1]/", "not allowed" },
	{ "http://[2002:7f00:1::]/", "not allowed" },
	{ "http://[64:ff9b:1::7f00:1]/", "not allowed" },
	{ "http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1/", "must be a name or an address" },	/* circled digits, which IDN makes 127 */
	{ "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "must be a name or an address" },	/* of full width */
	{ "http://127\xe3\x80\x82" "0\xe3\x80\x82" "0\xe3\x80\x82" "1/", "must be a name or an address" },	/* an ideographic full stop is a dot there */
	{ "http://%e2%91%a0.example/", "must be a name or an address" },
	{ "http://exa\tmple.org/", "no URL" },
	{ "http://example.org\r\nHost: inside/", "no URL" },
	{ "http://example.org%0d%0aHost:%20inside/", "no URL" },
	{ "http://example.org%00.example/", "no URL" },
	{ "http://example.org%2f@127.0.0.1/", "user or password" },
	{ "http://example.org%23@127.0.0.1/", "user or password" },
	{ "http://127.0.0.1#@example.org/", "not allowed" },
	{ "http://127.0.0.1?@example.org/", "not allowed" },
	{ "http://b\xc3\xbc" "cher.example/", "must be a name or an address" },
	{ "http://example.org\\@127.0.0.1/", "" },	/* parsers differ: refused, whatever the reason */
};

START_TEST(test_url)
{
	struct guard *g = guard_new("", PORTS);
	struct err e = { 0 };
	bool ok = guard_url(g, str_of(urls[_i].url), &e);

	ck_assert_msg(ok == !urls[_i].why, "%s: %s", urls[_i].url, e.text);
	if (!ok) {
		ck_assert_int_eq(e.code, ERR_INVALID);
		ck_assert(e.told);
		ck_assert_msg(str_has(str_of(e.text), urls[_i].why), "%s: %s", urls[_i].url, e.text);
	}
	guard_free(g);
}
END_TEST

START_TEST(test_opened)
{
	struct guard *g = guard_new("127.0.0.0/8, 10.1.2.3, fd00::/8", "8000-8999");
	struct err e = { 0 };

	ck_assert(guard_url(g, STR("http://127.0.0.1:8080/"), &e));
	ck_assert(guard_url(g, STR("http://0x7f.1:8080/"), &e));
	ck_assert(guard_url(g, STR("http://[::ffff:127.0.0.1]:8080/"), &e));
	ck_assert(guard_url(g, STR("http://10.1.2.3:8080/"), &e));
	ck_assert(guard_url(g, STR("http://[fd00::1]:8080/"), &e));
	ck_assert(!guard_url(g, STR("http://10.1.2.4:8080/"), &e));
	ck_assert(!guard_url(g, STR("http://[::1]:8080/"), &e));
	ck_assert(!guard_url(g, STR("http://127.0.0.1/"), &e));		/* its port */
	ck_assert(!guard_url(g, STR("https://example.org/"), &e));
	guard_free(g);
	g = guard_new("192.30.255.112", PORTS);
	ck_assert(guard_url(g, STR("https://192.30.255.112/"), &e) && !guard_url(g, STR("https://[2600:1f14::77]/"), &e));
	guard_free(g);
}
END_TEST

START_TEST(test_resolve)
{
	struct guard *closed = guard_new("", PORTS), *open = guard_new("127.0.0.0/8 ::1", PORTS);
	struct err e = { 0 };

	ck_assert(!guard_resolve(closed, STR("http://localhost:8080/"), &e));
	ck_assert_msg(str_has(str_of(e.text), "not allowed"), "%s", e.text);
	ck_assert(guard_resolve(open, STR("http://localhost:8080/"), &e));
	ck_assert(guard_resolve(closed, STR("http://nobody.invalid/"), &e));	/* RFC 6761: resolves nowhere */
	ck_assert(!guard_resolve(open, STR("http://169.254.169.254/"), &e));
	guard_free(closed);
	guard_free(open);
}
END_TEST

UNIT_MAIN("guard", UNIT_ROWS(test_address, addresses), UNIT_ROWS(test_all_opened, opened), UNIT_ROWS(test_url, urls), UNIT(test_opened), UNIT(test_resolve))
