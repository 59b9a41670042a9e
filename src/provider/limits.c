/* Text as our tables take it: UTF-8 only, within the limits of event.h.
 *
 * JSON bodies are UTF-8 already; headers, query strings and forms may hold any byte. A bad byte
 * becomes U+FFFD rather than a refusal: an alert with a spoilt letter is worth more than none. Ids
 * and keys are hashed when too long, as cutting could make two of them one; everything else is cut.
 */
#include "grapnel/crypto.h"
#include "provider_int.h"

/* Length of the good UTF-8 sequence at the front of s, or 0. */
static size_t sequence(struct str s)
{
	unsigned char c = s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	return n <= s.n && str_is_utf8((struct str){ s.p, n }) ? n : 0;
}

struct str utf8_clean(struct arena *a, struct str s)
{
	char *p;
	size_t n = 0;

	if (str_is_utf8(s))
		return s;
	p = arena_alloc(a, 3 * s.n);
	while (s.n) {
		size_t good = sequence(s);

		memcpy(p + n, good ? s.p : "\xef\xbf\xbd", good ? good : 3);
		n += good ? good : 3;
		s = str_sub(s, good ? good : 1);
	}
	return (struct str){ p, n };
}

/* Cleans the cut text, not the whole: a megabyte of bad bytes would become three. */
struct str text_limit(struct arena *a, struct str s, size_t max)
{
	if (s.n > max)
		s.n = str_cut(s, max).n;
	s = utf8_clean(a, s);
	return str_trim(s.n > max ? str_cut(s, max) : s);
}

static struct str hashed(struct arena *a, const char *prefix, struct str s)
{
	struct str hex = sha256_hex(a, s);

	return arena_printf(a, "%s%.*s", prefix, STR_ARG(hex));
}

struct str id_limit(struct arena *a, struct str s)
{
	if (s.n <= EVENT_ID_MAX)
		s = utf8_clean(a, s);
	return s.n > EVENT_ID_MAX ? hashed(a, "sha256:", s) : s;
}

struct str key_limit(struct arena *a, const char *prefix, struct str s)
{
	char *p;
	size_t n = prefix ? strlen(prefix) : 0;

	if (n) {
		p = arena_alloc(a, n + 1 + s.n);
		memcpy(p, prefix, n);
		p[n] = ':';
		memcpy(p + n + 1, s.p, s.n);
		s = (struct str){ p, n + 1 + s.n };
	}
	if (s.n <= DEDUP_KEY_MAX)
		s = utf8_clean(a, s);
	return s.n > DEDUP_KEY_MAX ? hashed(a, "", s) : s;
}

static bool link_ok(struct str href)
{
	struct str s = href, scheme = str_until(&s, ':');

	if (href.n > LINK_MAX || !str_starts(s, "//") || s.n < 3)
		return false;
	if (!str_ieqs(scheme, "https") && !str_ieqs(scheme, "http"))
		return false;
	for (size_t i = 0; i < href.n; i++)
		if ((unsigned char)href.p[i] <= ' ' || href.p[i] == 0x7f)
			return false;
	return str_is_utf8(href);
}

void event_link(struct event *ev, struct str href, struct str text)
{
	if (ev->link_n == EVENT_LINKS_MAX || !link_ok(href))
		return;
	for (size_t i = 0; i < ev->link_n; i++)
		if (str_eq(ev->links[i].href, href))
			return;
	ev->links[ev->link_n++] = (struct link){ href, text };
}
