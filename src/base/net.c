/* net.c - addresses and networks over inet_pton. */
#include "grapnel/net.h"
#include "base_int.h"

#include <arpa/inet.h>

#define V4_BITS 96	/* of the prefix ::ffff:0:0/96 in front of a mapped IPv4 address (RFC 4291 section 2.5.5.2) */

static const unsigned char v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

static bool parse(struct str s, struct ip *out, bool *v4)
{
	char text[INET6_ADDRSTRLEN];
	struct ip ip;

	if (!s.n || s.n >= sizeof(text) || str_find(s, '\0') >= 0)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*v4 = str_find(s, ':') < 0;
	if (*v4)
		memcpy(ip.b, v4_prefix, sizeof(v4_prefix));
	if (inet_pton(*v4 ? AF_INET : AF_INET6, text, *v4 ? ip.b + sizeof(v4_prefix) : ip.b) != 1)
		return false;
	*out = ip;
	return true;
}

bool ip_parse(struct str s, struct ip *out)
{
	bool v4;

	return parse(s, out, &v4);
}

/* Host bits are cleared, so that "10.1.2.3/8" means the network it is in. */
static void mask(struct cidr *c)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = c->bits <= 8 * i ? 0 : c->bits - 8 * i;

		if (keep < 8)
			c->ip.b[i] &= (unsigned char)(0xff00 >> keep);
	}
}

bool cidr_parse(struct str s, struct cidr *out, struct err *e)
{
	struct str rest = s, address = str_until(&rest, '/');
	uint64_t bits, offset;
	struct cidr c;
	bool v4;

	if (!parse(address, &c.ip, &v4))
		return err_set(e, ERR_INVALID, "\"%.*s\" is no address or network", STR_ARG(str_cut(s, 64)));
	offset = v4 ? V4_BITS : 0;
	bits = 128 - offset;
	if (address.n != s.n && (!str_u64(rest, &bits) || bits > 128 - offset))
		return err_set(e, ERR_INVALID, "\"%.*s\": the prefix is 0 to %u", STR_ARG(str_cut(s, 64)),
			(unsigned)(128 - offset));
	c.bits = (unsigned)(bits + offset);
	mask(&c);
	*out = c;
	return true;
}

bool cidr_match(const struct cidr *c, const struct ip *ip)
{
	unsigned whole = c->bits / 8, left = c->bits % 8;

	return !memcmp(c->ip.b, ip->b, whole) &&
		(!left || !((c->ip.b[whole] ^ ip->b[whole]) & (0xff00 >> left) & 0xff));
}

/* The next item of a comma or blank separated list; empty at the end. */
static struct str item_next(struct str *s)
{
	while (s->n) {
		struct str piece = str_word(s), item = str_until(&piece, ',');

		/* What follows the comma is still to be read: the view of the rest begins there. */
		if (piece.n)
			*s = (struct str){ piece.p, s->n ? (size_t)(s->p + s->n - piece.p) : piece.n };
		if (item.n)
			return item;
	}
	return STR_NONE;
}

bool cidr_list(struct arena *a, struct str s, struct cidr **out, size_t *n, struct err *e)
{
	struct cidr *list = NULL;
	size_t count = 0, cap = 0;
	struct str item;

	for (; (item = item_next(&s)).n; count++) {
		if (count == cap) {
			list = arena_grow(a, list, cap * sizeof(*list), (cap ? 2 * cap : 8) * sizeof(*list));
			cap = cap ? 2 * cap : 8;
		}
		if (!cidr_parse(item, &list[count], e))
			return false;
	}
	*out = list;
	*n = count;
	return true;
}

static bool port_parse(struct str s, unsigned *out)
{
	uint64_t port;

	if (!str_u64(s, &port) || !port || port > 65535)
		return false;
	*out = (unsigned)port;
	return true;
}

static bool port_range_parse(struct str s, struct port_range *out, struct err *e)
{
	struct str to = s, from = str_until(&to, '-');

	if (!port_parse(from, &out->from) || !port_parse(from.n == s.n ? from : to, &out->to) || out->from > out->to)
		return err_set(e, ERR_INVALID, "\"%.*s\" is no port or range of ports", STR_ARG(str_cut(s, 64)));
	return true;
}

bool port_list(struct arena *a, struct str s, struct port_range **out, size_t *n, struct err *e)
{
	struct port_range *list = NULL;
	size_t count = 0, cap = 0;
	struct str item;

	for (; (item = item_next(&s)).n; count++) {
		if (count == cap) {
			list = arena_grow(a, list, cap * sizeof(*list), (cap ? 2 * cap : 8) * sizeof(*list));
			cap = cap ? 2 * cap : 8;
		}
		if (!port_range_parse(item, &list[count], e))
			return false;
	}
	*out = list;
	*n = count;
	return true;
}

uint64_t ip_hash(const struct ip *ip)
{
	bool v4 = !memcmp(ip->b, v4_prefix, sizeof(v4_prefix));
	uint64_t half, h;

	/* An IPv4 address takes the place of a /64 that is never routed (::/64), so that the two kinds do not meet. */
	memcpy(&half, v4 ? ip->b + 8 : ip->b, sizeof(half));
	h = mix64(half);
	return h ? h : 1;
}
