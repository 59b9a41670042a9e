/* A network holds its own address, and every list of networks can be taken apart. */
#include "fuzz.h"
#include "grapnel/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new(64 << 20);
	struct str s = { (const char *)data, n };
	struct err e = { 0 };
	struct cidr *list;
	struct ip ip;
	size_t count;

	if (cidr_list(a, s, &list, &count, &e)) {
		must(count <= n);
		for (size_t i = 0; i < count; i++) {
			must(list[i].bits <= 128);
			must(cidr_match(&list[i], &list[i].ip));
		}
	} else {
		must(e.code == ERR_INVALID);
	}
	if (ip_parse(s, &ip))
		must(ip_hash(&ip) != 0);
	arena_free(a);
	return 0;
}
