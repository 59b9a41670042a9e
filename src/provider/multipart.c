/* One member of a multipart form (RFC 7578), for senders that put their JSON there (Uptime
 * Kuma).
 *
 * Parts are told apart by their boundary alone and nothing is decoded: the sender's library
 * writes names in quotes and values as they are. What stands in front of the first boundary is
 * passed over, a form that breaks off has no further part. */
#include "provider_int.h"

/* Value of a parameter, `boundary=x` or `name="x"`, of a header's value; empty when absent. */
static struct str parameter(struct str header, const char *wanted)
{
	while (header.n) {
		struct str value = str_trim(str_until(&header, ';'));
		struct str name = str_until(&value, '=');

		if (!str_ieqs(str_trim(name), wanted))
			continue;
		value = str_trim(value);
		if (!str_starts(value, "\""))
			return value;
		value = str_sub(value, 1);
		return str_until(&value, '"');
	}
	return STR_NONE;
}

/* All in front of `mark`, which is eaten too; false and untouched where there is none. */
static bool until(struct str *s, struct str mark, struct str *front)
{
	const char *at = s->n ? memmem(s->p, s->n, mark.p, mark.n) : NULL;

	if (!at)
		return false;
	*front = (struct str){ s->p, (size_t)(at - s->p) };
	*s = str_sub(*s, front->n + mark.n);
	return true;
}

/* Name of a part by its headers, a line each. */
static struct str part_name(struct str headers)
{
	while (headers.n) {
		struct str value = str_trim(str_until(&headers, '\n'));
		struct str name = str_until(&value, ':');

		if (str_ieqs(str_trim(name), "content-disposition"))
			return parameter(value, "name");
	}
	return STR_NONE;
}

bool multipart_find(struct arena *a, struct str body, struct str type, const char *name,
	struct str *value)
{
	struct str boundary = parameter(type, "boundary"), front, headers;
	struct str mark = arena_printf(a, "\r\n--%.*s", STR_ARG(boundary));

	if (!boundary.n || !until(&body, str_sub(mark, 2), &front))
		return false;
	while (!str_starts(body, "--") &&	/* behind the last boundary */
			until(&body, STR("\r\n\r\n"), &headers) && until(&body, mark, value))
		if (str_eqs(part_name(headers), name))
			return true;
	return false;
}
