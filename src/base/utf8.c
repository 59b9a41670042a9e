/* utf8.c - is it UTF-8? The table of well-formed sequences is that of RFC 3629 section 4: the second byte's range
 * depends on the first, which is what keeps overlong forms, surrogates and code points over U+10FFFF out. */
#include "base_int.h"

static const struct {
	unsigned char first_min, first_max, second_min, second_max;
	size_t n;
} forms[] = {
	{ 0x00, 0x7f, 0x00, 0x00, 1 },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },	/* 0xa0 and up would be surrogates */
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t utf8_sequence(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (u[0] < forms[i].first_min || u[0] > forms[i].first_max)
			continue;
		if (forms[i].n == 1)
			return 1;
		if (n < forms[i].n || u[1] < forms[i].second_min || u[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].n; k++)
			if ((u[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].n;
	}
	return 0;
}

size_t utf8_prefix(struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		uint64_t eight;
		size_t n;

		/* Bodies are ASCII for long stretches: eight bytes at a time. */
		if (s.n - i >= sizeof(eight)) {
			memcpy(&eight, s.p + i, sizeof(eight));
			if (!(eight & UINT64_C(0x8080808080808080))) {
				i += sizeof(eight);
				continue;
			}
		}
		n = utf8_sequence(s.p + i, s.n - i);
		if (!n)
			break;
		i += n;
	}
	return i;
}

bool str_is_utf8(struct str s)
{
	return utf8_prefix(s) == s.n;
}
