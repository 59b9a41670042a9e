/* net.h - addresses: parsing, lists of networks and ports. */
#ifndef GRAPNEL_NET_H
#define GRAPNEL_NET_H

#include "grapnel/base.h"

/* An IPv4 address is kept as its IPv4-mapped IPv6 form, so that ::ffff:10.0.0.1 and 10.0.0.1 are one. */
struct ip {
	unsigned char b[16];
};

struct cidr {
	struct ip ip;
	unsigned bits;	/* 0..128 in the mapped form */
};

bool ip_parse(struct str s, struct ip *out) MUST_USE;	/* inet_pton forms only, no zone ids */
/* "10.0.0.0/8", "2001:db8::/32" or a single address. */
bool cidr_parse(struct str s, struct cidr *out, struct err *e) MUST_USE;
bool cidr_match(const struct cidr *c, const struct ip *ip);
/* Comma or blank separated list -> array in the arena; empty text gives n = 0. */
bool cidr_list(struct arena *a, struct str s, struct cidr **out, size_t *n, struct err *e) MUST_USE;

struct port_range {
	unsigned from, to;	/* both of them too */
};
/* "80, 443, 1024-65535"; empty text gives n = 0. */
bool port_list(struct arena *a, struct str s, struct port_range **out, size_t *n, struct err *e) MUST_USE;

uint64_t ip_hash(const struct ip *ip);	/* IPv6: of the /64, which is one subscriber; never 0 */

#endif
