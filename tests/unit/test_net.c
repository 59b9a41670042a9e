#include "unit.h"

#include "grapnel/net.h"

static const struct {
	const char *text;
	const char *want;	/* hex, or NULL = refused */
} addresses[] = {
	{ "10.0.0.1", "00000000000000000000ffff0a000001" },
	{ "::ffff:10.0.0.1", "00000000000000000000ffff0a000001" },
	{ "::ffff:a00:1", "00000000000000000000ffff0a000001" },
	{ "::1", "00000000000000000000000000000001" },
	{ "::", "00000000000000000000000000000000" },
	{ "2001:DB8::8:800:200C:417A", "20010db80000000000080800200c417a" },	/* RFC 4291 section 2.2 */
	{ "", NULL },
	{ "10.0.0", NULL },
	{ "10.0.0.256", NULL },
	{ "010.0.0.1", NULL },
	{ "0x7f.1", NULL },
	{ "2130706433", NULL },
	{ "10.0.0.1 ", NULL },
	{ "10.0.0.1:80", NULL },
	{ "[::1]", NULL },
	{ "fe80::1%eth0", NULL },
	{ ":::", NULL },
	{ "1::2::3", NULL },
	{ "localhost", NULL },
	{ "2001:0db8:0000:0000:0008:0800:200c:417a:0000:0000:0000:0000", NULL },
};

START_TEST(test_address)
{
	struct arena *a = arena_new(1 << 16);
	struct ip ip;
	bool ok = ip_parse(str_of(addresses[_i].text), &ip);

	ck_assert(ok == (addresses[_i].want != NULL));
	if (ok)
		unit_str(hex_encode(a, ip.b, sizeof(ip.b)), addresses[_i].want);
	ck_assert(!ip_parse(STR("10.0.0.1\0"), &ip));
	arena_free(a);
}
END_TEST

static const struct {
	const char *net, *ip;
	bool want;
} matches[] = {
	{ "10.0.0.0/8", "10.255.255.255", true },
	{ "10.0.0.0/8", "11.0.0.0", false },
	{ "10.1.2.3/8", "10.9.9.9", true },	/* host bits do not count */
	{ "10.0.0.0/8", "::ffff:10.1.1.1", true },
	{ "::ffff:10.0.0.0/104", "10.1.1.1", true },
	{ "192.168.1.7", "192.168.1.7", true },
	{ "192.168.1.7", "192.168.1.8", false },
	{ "192.168.1.0/25", "192.168.1.127", true },
	{ "192.168.1.0/25", "192.168.1.128", false },
	{ "0.0.0.0/0", "255.255.255.255", true },
	{ "0.0.0.0/0", "::1", false },		/* all of IPv4, not all */
	{ "::/0", "10.0.0.1", true },
	{ "2001:db8::/32", "2001:db8:ffff::1", true },
	{ "2001:db8::/32", "2001:db9::1", false },
	{ "2001:db8::/33", "2001:db8:8000::", false },
	{ "::1", "::1", true },
	{ "::1/128", "::2", false },
};

START_TEST(test_match)
{
	struct err e = { 0 };
	struct cidr c;
	struct ip ip;

	ck_assert_msg(cidr_parse(str_of(matches[_i].net), &c, &e), "%s", e.text);
	ck_assert(ip_parse(str_of(matches[_i].ip), &ip));
	ck_assert(cidr_match(&c, &ip) == matches[_i].want);
}
END_TEST

static const char *const bad_nets[] = {
	"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/ 8", "::/129", "10.0.0.0/a", "any",
	"10.0.0.0/99999999999999999999",
};

START_TEST(test_bad_net)
{
	struct err e = { 0 };
	struct cidr c;

	ck_assert(!cidr_parse(str_of(bad_nets[_i]), &c, &e));
	ck_assert_int_eq(e.code, ERR_INVALID);
}
END_TEST

static const struct {
	const char *text;
	int want;	/* -1 = refused */
} lists[] = {
	{ "", 0 },
	{ " , ,, ", 0 },
	{ "10.0.0.1", 1 },
	{ "10.0.0.1,::1", 2 },
	{ "10.0.0.1 ::1", 2 },
	{ " 10.0.0.0/8 ,\t::1,1.2.3.4 , ", 3 },
	{ "1.1.1.1,2.2.2.2,3.3.3.3 4.4.4.4\n5.5.5.5,6.6.6.6,7.7.7.7,8.8.8.8,9.9.9.9,10.10.10.10", 10 },
	{ "10.0.0.1;::1", -1 },
	{ "10.0.0.1,x", -1 },
};

START_TEST(test_list)
{
	struct arena *a = arena_new(1 << 16);
	struct cidr *list = NULL;
	struct err e = { 0 };
	size_t n = 0;
	bool ok = cidr_list(a, str_of(lists[_i].text), &list, &n, &e);

	ck_assert(ok == (lists[_i].want >= 0));
	if (ok)
		ck_assert_uint_eq(n, (size_t)lists[_i].want);
	if (n == 10)
		ck_assert_uint_eq(list[9].ip.b[15], 10);
	arena_free(a);
}
END_TEST

static const struct {
	const char *text;
	int want;	/* -1 = refused */
} ports[] = {
	{ "", 0 },
	{ "80, 443, 1024-65535", 3 },
	{ "1-1 65535", 2 },
	{ "0", -1 },
	{ "65536", -1 },
	{ "80-79", -1 },
	{ "80-", -1 },
	{ "-80", -1 },
	{ "80-90-100", -1 },
	{ "http", -1 },
};

START_TEST(test_ports)
{
	struct arena *a = arena_new(1 << 16);
	struct port_range *list = NULL;
	struct err e = { 0 };
	size_t n = 0;
	bool ok = port_list(a, str_of(ports[_i].text), &list, &n, &e);

	ck_assert(ok == (ports[_i].want >= 0));
	if (ok)
		ck_assert_uint_eq(n, (size_t)ports[_i].want);
	if (n == 3)
		ck_assert(list[1].from == 443 && list[1].to == 443 && list[2].to == 65535);
	arena_free(a);
}
END_TEST

static uint64_t hash(const char *text)
{
	struct ip ip;

	ck_assert(ip_parse(str_of(text), &ip));
	return ip_hash(&ip);
}

START_TEST(test_hash)
{
	ck_assert_uint_ne(hash("10.0.0.1"), hash("10.0.0.2"));
	ck_assert_uint_eq(hash("10.0.0.1"), hash("::ffff:10.0.0.1"));
	ck_assert_uint_eq(hash("2001:db8::1"), hash("2001:db8::ffff"));		/* one subscriber */
	ck_assert_uint_ne(hash("2001:db8::1"), hash("2001:db8:0:1::1"));
	ck_assert_uint_ne(hash("::"), 0);
}
END_TEST

UNIT_MAIN("net", UNIT_ROWS(test_address, addresses), UNIT_ROWS(test_match, matches), UNIT_ROWS(test_bad_net, bad_nets),
	UNIT_ROWS(test_list, lists), UNIT_ROWS(test_ports, ports), UNIT(test_hash))
