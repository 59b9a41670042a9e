/* Tokens of links: what goes in comes out, and nothing else does. */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "grapnel/store.h"

#define ONE "1 0101010101010101010101010101010101010101010101010101010101010101\n"
#define TWO "2 0202020202020202020202020202020202020202020202020202020202020202\n"

static struct seal_key *keys(const char *text)
{
	struct err e = { 0 };
	char name[64];
	struct seal_key *k;
	int fd;

	snprintf(name, sizeof(name), "test_link.%d.tmp", (int)getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	k = seal_key_load(name, &e);
	unlink(name);
	ck_assert_msg(k != NULL, "%s", e.text);
	return k;
}

static const struct incident_link links[] = {
	{ 1, COMMAND_ACKNOWLEDGE, LINK_TO_USER, 1, 0, 1, 1000 },
	{ 7362512345678901234, COMMAND_RESOLVE, LINK_TO_USER, 4294967295, 4294967295, 9223372036854775807, 4294967295000 },
	{ 7362512345678901234, COMMAND_ACKNOWLEDGE, LINK_TO_CHANNEL, 12, 0, 7362512345678901299, 1760000400000 },
};

START_TEST(test_what_goes_in_comes_out)
{
	const struct incident_link *in = &links[_i];
	struct arena *a = arena_new(1 << 20);
	struct seal_key *k = keys(ONE);
	struct str token = incident_link_token(a, k, in), again = incident_link_token(a, k, in);
	struct incident_link out;

	ck_assert_uint_eq(token.n, INCIDENT_LINK_TOKEN);
	ck_assert_msg(str_eq(token, again), "a second attempt has the same link");
	for (size_t i = 0; i < token.n; i++)
		ck_assert_msg(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", token.p[i]), "%.*s", STR_ARG(token));
	ck_assert(incident_link_read(a, k, token, &out));
	ck_assert_uint_eq(out.incident, in->incident);
	ck_assert_int_eq(out.action, in->action);
	ck_assert_int_eq(out.to, in->to);
	ck_assert_uint_eq(out.recipient, in->recipient);
	ck_assert_uint_eq(out.contact, in->contact);
	ck_assert_uint_eq(out.message, in->message);
	ck_assert_int_eq(out.expires_at, in->expires_at);
	seal_key_free(k);
	arena_free(a);
}
END_TEST

/* Every bit counts, and so does the length. */
START_TEST(test_nothing_else_is_ours)
{
	struct arena *a = arena_new(1 << 20);
	struct seal_key *k = keys(ONE);
	struct str token = incident_link_token(a, k, &links[2]);
	char *other = arena_cstr(a, token);
	struct incident_link out;

	for (size_t i = 0; i < token.n; i++) {
		other[i] = token.p[i] == 'A' ? 'B' : 'A';
		ck_assert_msg(!incident_link_read(a, k, (struct str){ other, token.n }, &out), "character %zu", i);
		ck_assert_uint_eq(out.incident, 0);
		other[i] = '*';
		ck_assert(!incident_link_read(a, k, (struct str){ other, token.n }, &out));
		other[i] = token.p[i];
	}
	ck_assert(!incident_link_read(a, k, STR_NONE, &out));
	ck_assert(!incident_link_read(a, k, str_cut(token, INCIDENT_LINK_TOKEN - 4), &out));
	ck_assert(!incident_link_read(a, k, arena_printf(a, "%.*sAAAA", STR_ARG(token)), &out));
	seal_key_free(k);
	arena_free(a);
}
END_TEST

START_TEST(test_a_link_lives_as_long_as_its_key)
{
	struct arena *a = arena_new(1 << 20);
	struct seal_key *one = keys(ONE), *both = keys(TWO ONE), *two = keys(TWO);
	struct str old = incident_link_token(a, one, &links[0]), young = incident_link_token(a, both, &links[0]);
	struct incident_link out;

	ck_assert_msg(!str_eq(old, young), "the first key of the file signs");
	ck_assert(incident_link_read(a, both, old, &out));
	ck_assert_msg(str_eq(incident_link_hash(a, &out), incident_link_hash(a, &links[0])), "and both are one use");
	ck_assert(incident_link_read(a, two, young, &out));
	ck_assert(!incident_link_read(a, two, old, &out));
	seal_key_free(one);
	seal_key_free(both);
	seal_key_free(two);
	arena_free(a);
}
END_TEST

UNIT_MAIN("link", UNIT_ROWS(test_what_goes_in_comes_out, links), UNIT(test_nothing_else_is_ours), UNIT(test_a_link_lives_as_long_as_its_key))
