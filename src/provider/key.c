/* The integration's own key, in the places where senders can put one: the standard header, ours, Basic, and the query for those
 * that can do nothing else. */
#include "provider_int.h"

static struct str basic_password(struct arena *a, struct str credentials)
{
	struct str plain;

	if (!base64_decode(a, str_trim(credentials), false, &plain))
		return STR_NONE;
	(void)str_until(&plain, ':');
	return plain;
}

static struct str parameter(struct arena *a, const struct inbound *in, const char *name)
{
	struct str value = STR_NONE;

	(void)form_find(a, in->query, name, &value);
	return value;
}

struct str inbound_key(struct arena *a, const struct inbound *in, enum key_place place)
{
	struct str rest = inbound_header(in, "authorization"), scheme = str_word(&rest);

	switch (place) {
	case KEY_BEARER:
		return str_ieqs(scheme, "bearer") ? str_trim(rest) : STR_NONE;
	case KEY_BASIC:
		return str_ieqs(scheme, "basic") ? basic_password(a, rest) : STR_NONE;
	case KEY_HEADER:
		return inbound_header(in, "x-api-key");
	case KEY_QUERY:
		return parameter(a, in, "key");
	case KEY_ACCESS_TOKEN:
		return parameter(a, in, "access_token");
	default:
		return STR_NONE;
	}
}
