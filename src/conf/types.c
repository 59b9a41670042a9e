/* types.c - the kinds of values: how each is read, checked, written and explained. A new kind is a struct at its place
 * here and a name in conf_int.h. */
#include <inttypes.h>

#include "conf_int.h"
#include "grapnel/crypto.h"
#include "grapnel/net.h"

/* ---- texts ---- */

void text_set(char **member, struct str value)
{
	char *p = xmalloc(value.n + 1);

	if (value.n)
		memcpy(p, value.p, value.n);
	p[value.n] = '\0';
	if (*member)
		secret_wipe(*member, strlen(*member));
	free(*member);
	*member = p;
}

static bool set_text(void *member, const struct option *o, struct str s, struct err *e)
{
	if (str_find(s, '\0') >= 0)
		return err_set(e, ERR_INVALID, "a NUL byte in it");
	text_set(member, s);
	return true;
}

static void print_text(const void *member, const struct option *o, FILE *to)
{
	fputs(*(char *const *)member, to);
}

static void print_secret(const void *member, const struct option *o, FILE *to)
{
	fputs(**(char *const *)member ? "***" : "", to);
}

const struct option_type type_text = { set_text, print_text, .is_text = true };
const struct option_type type_secret = { set_text, print_secret, .is_text = true };

static bool set_cidrs(void *member, const struct option *o, struct str s, struct err *e)
{
	struct arena *a = arena_new(1 << 20);
	struct cidr *list;
	size_t n;
	bool ok = cidr_list(a, s, &list, &n, e);

	arena_free(a);
	return ok && set_text(member, o, s, e);
}

static bool set_ports(void *member, const struct option *o, struct str s, struct err *e)
{
	struct arena *a = arena_new(1 << 20);
	struct port_range *list;
	size_t n;
	bool ok = port_list(a, s, &list, &n, e);

	arena_free(a);
	return ok && set_text(member, o, s, e);
}

const struct option_type type_ports = { set_ports, print_text, .is_text = true };
const struct option_type type_cidrs = { set_cidrs, print_text, .is_text = true };

/* "127.0.0.1:8443" or "[::1]:8443" */
static bool is_loopback_address(struct str s)
{
	static const char *const loopback[] = { "127.0.0.0/8", "::1" };
	bool bracket = str_starts(s, "[");
	struct str rest = str_sub(s, bracket), host = str_until(&rest, bracket ? ']' : ':');
	struct err e = { 0 };
	struct cidr net;
	uint64_t port;
	struct ip ip;

	if (bracket && !str_starts(rest, ":"))
		return false;
	if (!str_u64(str_sub(rest, bracket), &port) || !port || port > 65535 || !ip_parse(host, &ip))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(loopback); i++)
		if (cidr_parse(str_of(loopback[i]), &net, &e) && cidr_match(&net, &ip))
			return true;
	return false;
}

static bool set_hosts(void *member, const struct option *o, struct str s, struct err *e)
{
	struct str rest = s;

	while (rest.n) {
		struct str address = str_trim(str_until(&rest, ',')), host = str_until(&address, '=');

		if (!host.n || !is_loopback_address(address))
			return err_set(e, ERR_INVALID, "must be host=127.0.0.1:port, with commas between several");
	}
	return set_text(member, o, s, e);
}

const struct option_type type_hosts = { set_hosts, print_text, .is_text = true };

/* Kept without '/' at the end: paths are put behind it. */
static bool set_url_of(void *member, const struct option *o, struct str s, const char *plain, const char *tls, struct err *e)
{
	struct str host = s;

	if (!str_starts(s, plain) && !str_starts(s, tls))
		return err_set(e, ERR_INVALID, "must begin with %s or %s", plain, tls);
	while (s.n && s.p[s.n - 1] == '/')
		s.n--;
	host = str_sub(s, str_starts(s, tls) ? strlen(tls) : strlen(plain));
	if (!host.n || host.p[0] == '/')
		return err_set(e, ERR_INVALID, "names no host");
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '?' || s.p[i] == '#')
			return err_set(e, ERR_INVALID, "a blank, '?' or '#' in it");
	return set_text(member, o, s, e);
}

static bool set_url(void *member, const struct option *o, struct str s, struct err *e)
{
	return set_url_of(member, o, s, "http://", "https://", e);
}

/* Empty: none. */
static bool set_endpoint(void *member, const struct option *o, struct str s, struct err *e)
{
	return s.n ? set_url(member, o, s, e) : set_text(member, o, s, e);
}

const struct option_type type_endpoint = { set_endpoint, print_text, .is_text = true };

static bool set_mail_server(void *member, const struct option *o, struct str s, struct err *e)
{
	return set_url_of(member, o, s, "smtp://", "smtps://", e);
}

/* "api-key=abc,x-tenant=7"; never quoted in messages */
static bool set_headers(void *member, const struct option *o, struct str s, struct err *e)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!#$%&'*+^`|~";
	struct str rest = s;

	while (rest.n) {
		struct str value = str_until(&rest, ','), name = str_trim(str_until(&value, '='));

		for (size_t i = 0; i < name.n; i++)
			if (!name.p[i] || !strchr(token, name.p[i]))
				return err_set(e, ERR_INVALID, "must be name=value, with commas between several");
		for (size_t i = 0; i < value.n; i++)
			if (value.p[i] < ' ' || value.p[i] > '~')
				return err_set(e, ERR_INVALID, "a value has what is no printable ASCII: write it as %%XX");
		if (!name.n || !str_trim(value).n)
			return err_set(e, ERR_INVALID, "must be name=value, with commas between several");
	}
	return set_text(member, o, s, e);
}

const struct option_type type_headers = { set_headers, print_secret, .is_text = true };
const struct option_type type_url = { set_url, print_text, .is_text = true };
const struct option_type type_mail_server = { set_mail_server, print_text, .is_text = true };

static bool set_zone(void *member, const struct option *o, struct str s, struct err *e)
{
	char name[64];

	snprintf(name, sizeof(name), "%.*s", STR_ARG(s));
	if (s.n && (s.n >= sizeof(name) || strlen(name) != s.n || !zone_exists(name)))
		return err_set(e, ERR_INVALID, "\"%.*s\" is no zone below /usr/share/zoneinfo", STR_ARG(str_cut(s, 60)));
	return set_text(member, o, s, e);
}

const struct option_type type_zone = { set_zone, print_text, .is_text = true };

/* ---- words ---- */

static int word_index(const char *const *words, struct str s)
{
	for (int i = 0; words[i]; i++)
		if (str_ieqs(s, words[i]))
			return i;
	return -1;
}

static bool set_index(void *member, const struct option *o, struct str s, struct err *e)
{
	int i = word_index(o->words, s);

	if (i < 0)
		return err_set(e, ERR_INVALID, "\"%.*s\" is none of its words", STR_ARG(str_cut(s, 60)));
	*(uint32_t *)member = (uint32_t)i;
	return true;
}

static bool set_word(void *member, const struct option *o, struct str s, struct err *e)
{
	uint32_t i;

	if (!set_index(&i, o, s, e))
		return false;
	text_set(member, str_of(o->words[i]));
	return true;
}

static void print_index(const void *member, const struct option *o, FILE *to)
{
	fputs(o->words[*(const uint32_t *)member], to);
}

static void print_words(const struct option *o, FILE *to)
{
	fputs(" One of:", to);
	for (int i = 0; o->words[i]; i++)
		fprintf(to, " %s", o->words[i]);
	fputs(".", to);
}

const struct option_type type_word = { set_index, print_index, print_words };
const struct option_type type_text_word = { set_word, print_text, print_words, .is_text = true };

static bool set_bool(void *member, const struct option *o, struct str s, struct err *e)
{
	static const char *const yes[] = { "true", "yes", "on", "1", NULL };
	static const char *const no[] = { "false", "no", "off", "0", NULL };
	bool v = word_index(yes, s) >= 0;

	if (!v && word_index(no, s) < 0)
		return err_set(e, ERR_INVALID, "\"%.*s\" is neither true nor false", STR_ARG(str_cut(s, 60)));
	*(bool *)member = v;
	return true;
}

static void print_bool(const void *member, const struct option *o, FILE *to)
{
	fputs(*(const bool *)member ? "true" : "false", to);
}

const struct option_type type_bool = { set_bool, print_bool };

/* ---- numbers ---- */

struct suffix {
	const char *text;
	uint64_t factor;
};

static bool set_limited(void *member, const struct option *o, uint64_t v, struct err *e)
{
	if (v < o->min || v > o->max)
		return err_set(e, ERR_INVALID, "%" PRIu64 " is not within %u to %u", v, o->min, o->max);
	*(uint32_t *)member = (uint32_t)v;
	return true;
}

/* Digits and one of the suffixes, without case; `kind` is for the message. */
static bool set_suffixed(void *member, const struct option *o, struct str s, const struct suffix *suffixes, const char *kind,
	struct err *e)
{
	size_t digits = 0;
	uint64_t v;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	/* More digits than any limit has: the product below cannot overflow. */
	if (digits <= 10 && str_u64((struct str){ s.p, digits }, &v))
		for (const struct suffix *f = suffixes; f->text; f++)
			if (str_ieqs(str_trim(str_sub(s, digits)), f->text))
				return set_limited(member, o, v * f->factor, e);
	return err_set(e, ERR_INVALID, "\"%.*s\" is no %s", STR_ARG(str_cut(s, 60)), kind);
}

static bool set_number(void *member, const struct option *o, struct str s, struct err *e)
{
	static const struct suffix none[] = { { "", 1 }, { 0 } };

	return set_suffixed(member, o, s, none, "number", e);
}

static bool set_ms(void *member, const struct option *o, struct str s, struct err *e)
{
	static const struct suffix units[] = { { "", 1 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { 0 } };

	return set_suffixed(member, o, s, units, "duration", e);
}

static bool set_bytes(void *member, const struct option *o, struct str s, struct err *e)
{
	static const struct suffix units[] = { { "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, { 0 } };

	return set_suffixed(member, o, s, units, "size", e);
}

static bool set_octal(void *member, const struct option *o, struct str s, struct err *e)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s.n && i < 10 && s.p[i] >= '0' && s.p[i] <= '7'; i++)
		v = v * 8 + (uint64_t)(s.p[i] - '0');
	if (!s.n || i < s.n || v > o->max)
		return err_set(e, ERR_INVALID, "\"%.*s\" is no octal number up to 0%o", STR_ARG(str_cut(s, 60)), o->max);
	*(uint32_t *)member = (uint32_t)v;
	return true;
}

/* "0.95", "2": kept in ten-thousandths. */
static bool set_decimal(void *member, const struct option *o, struct str s, struct err *e)
{
	struct str rest = s, whole = str_until(&rest, '.');
	uint64_t v, part = 0;
	size_t n = rest.n;

	if (whole.n > 5 || n > CONF_DECIMALS || !str_u64(whole, &v) || (n && !str_u64(rest, &part)) || (!n && whole.n < s.n))
		return err_set(e, ERR_INVALID, "\"%.*s\" is no number with up to %d decimals", STR_ARG(str_cut(s, 60)), CONF_DECIMALS);
	for (; n < CONF_DECIMALS; n++)
		part *= 10;
	v = v * CONF_DECIMAL_ONE + part;
	if (v < o->min || v > o->max)
		return err_set(e, ERR_INVALID, "%.*s is not within %g to %g", STR_ARG(s), (double)o->min / CONF_DECIMAL_ONE,
			(double)o->max / CONF_DECIMAL_ONE);
	*(uint32_t *)member = (uint32_t)v;
	return true;
}

static void print_decimal(const void *member, const struct option *o, FILE *to)
{
	fprintf(to, "%g", (double)*(const uint32_t *)member / CONF_DECIMAL_ONE);
}

static void limits_decimal(const struct option *o, FILE *to)
{
	fprintf(to, " %g to %g.", (double)o->min / CONF_DECIMAL_ONE, (double)o->max / CONF_DECIMAL_ONE);
}

const struct option_type type_decimal = { set_decimal, print_decimal, limits_decimal };

static void print_number(const void *member, const struct option *o, FILE *to)
{
	fprintf(to, "%" PRIu32, *(const uint32_t *)member);
}

static void print_octal(const void *member, const struct option *o, FILE *to)
{
	fprintf(to, "0%" PRIo32, *(const uint32_t *)member);
}

static void limits_number(const struct option *o, FILE *to)
{
	fprintf(to, " %u to %u.", o->min, o->max);
}

static void limits_ms(const struct option *o, FILE *to)
{
	fprintf(to, " %u to %u ms.", o->min, o->max);
}

static void limits_bytes(const struct option *o, FILE *to)
{
	fprintf(to, " %u to %u bytes.", o->min, o->max);
}

const struct option_type type_number = { set_number, print_number, limits_number };
const struct option_type type_ms = { set_ms, print_number, limits_ms };
const struct option_type type_bytes = { set_bytes, print_number, limits_bytes };
const struct option_type type_octal = { set_octal, print_octal };
