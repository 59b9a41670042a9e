/* The integration's key, and what the request log keeps of a proof: the line, and the steps told of it. */
#include "provider_test.h"

/* ---- the key ---- */

static const struct {
	const char *authorization, *x_api_key, *query;
	enum key_place place;
	const char *key;
} keys[] = {
	{ "Bearer abc", NULL, "", KEY_BEARER, "abc" },
	{ "bearer   abc ", NULL, "", KEY_BEARER, "abc" },
	{ "Basic dTphYmM=", NULL, "", KEY_BASIC, "abc" },		/* u:abc */
	{ "Basic dTphYmM=", NULL, "", KEY_BEARER, "" },
	{ "Basic ????", NULL, "", KEY_BASIC, "" },
	{ "abc", NULL, "", KEY_BEARER, "" },
	{ NULL, "abc", "", KEY_HEADER, "abc" },
	{ NULL, NULL, "a=1&key=ab%63", KEY_QUERY, "abc" },
	{ NULL, NULL, "access_token=abc", KEY_ACCESS_TOKEN, "abc" },
	{ NULL, NULL, "access_token=abc", KEY_QUERY, "" },
	{ "Bearer jwt", "abc", "key=def", KEY_QUERY, "def" },	/* one hides no other */
	{ NULL, NULL, "", KEY_NOWHERE, "" },
};

START_TEST(test_places_of_the_key)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct header h[2];
	struct inbound in = test_inbound("{}", h, 0);

	if (keys[_i].authorization)
		h[in.header_n++] = (struct header){ STR("authorization"), str_of(keys[_i].authorization) };
	if (keys[_i].x_api_key)
		h[in.header_n++] = (struct header){ STR("x-api-key"), str_of(keys[_i].x_api_key) };
	in.query = str_of(keys[_i].query);
	unit_str(inbound_key(a, &in, keys[_i].place), keys[_i].key);
	arena_free(a);
}
END_TEST

/* ---- the line ---- */

static const struct {
	struct proof_note note;
	const char *line;	/* NULL: nothing to keep */
} lines[] = {
	{ { 0 }, NULL },
	{ { KEY_BEARER, true }, "bearer - - 0 " },
	{ { KEY_HEADER, false }, "!x-api-key - - 0 " },
	{ { KEY_NOWHERE, false }, "!nowhere - - 0 " },
	{ { KEY_ROUTING, true }, "routing - - 0 " },
	{ { .signature = { .scheme = "github" } }, "- github - 0 " },
	{ { .signature = { "stripe", "timestamp", "Signed 812 s ago.", 812 } }, "- stripe timestamp 812 Signed 812 s ago." },
	{ { KEY_ACCESS_TOKEN, true, { "stripe", "digest", "It does not fit.", -3 } }, "access_token stripe digest -3 It does not fit." },
	{ { .signature = { .detail = "Not looked at." } }, "- - - 0 Not looked at." },
};

START_TEST(test_line_and_back)
{
	const struct proof_note *n = &lines[_i].note;
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct str line = proof_note_text(a, n);
	struct proof_note back;

	if (!lines[_i].line) {
		ck_assert_ptr_null(line.p);
		ck_assert(!proof_note_parse(a, line, &back));
	} else {
		unit_str(line, lines[_i].line);
		ck_assert(proof_note_parse(a, line, &back));
		ck_assert(back.key == n->key && back.key_good == (n->key_good || n->key == KEY_NOT_ASKED));
		ck_assert(back.signature.skew_s == n->signature.skew_s);
		ck_assert_pstr_eq(back.signature.scheme, n->signature.scheme);
		ck_assert_pstr_eq(back.signature.step, n->signature.step);
		ck_assert_str_eq(back.signature.detail, n->signature.detail);
	}
	arena_free(a);
}
END_TEST

/* The longest there may be; and a sentence that was cut inside a character. */
START_TEST(test_the_line_fits_its_column)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct proof_note n = { .signature = { "x", "y", .skew_s = INT64_MIN + 1 } };
	struct str line;

	memset(n.signature.detail, 'x', PROOF_DETAIL_MAX - 1);
	for (const struct provider *const *p = providers; *p; p++)
		for (const struct proof *const *proof = provider_proofs(*p); *proof; proof++) {
			n.signature.scheme = (*proof)->name;
			ck_assert_msg(!strchr((*proof)->name, ' '), "a scheme's name is a word: %s", (*proof)->name);
			for (const struct proof_stage *s = (*proof)->steps; s && s->name; s++) {
				n.signature.step = s->name;
				ck_assert_msg(!strchr(s->name, ' '), "a step's name is a word: %s", s->name);
				ck_assert_uint_le(proof_note_text(a, &n).n, PROOF_NOTE_MAX);
			}
		}
	n.signature.detail[PROOF_DETAIL_MAX - 2] = '\xc3';
	line = proof_note_text(a, &n);
	ck_assert(str_is_utf8(line));
	arena_free(a);
}
END_TEST

/* ---- the steps ---- */

static const struct {
	const char *provider, *line, *steps;	/* "name" of each, '!' in front of the one that failed */
	const char *detail;			/* of the last; NULL: whatever it says */
} explained[] = {
	{ "prometheus", "bearer - - 0 ", "key match", "It is the key of this integration." },
	{ "prometheus", "!basic - - 0 ", "key !match", "It is not the key of this integration." },
	{ "prometheus", "!nowhere - - 0 ", "!key", NULL },
	{ "webhook", "routing - - 0 ", "key match", NULL },
	{ "github", "- github - 0 ", "header prefix parts secret digest", "The signature fits." },
	{ "github", "- github prefix 0 No prefix.", "header !prefix", "No prefix." },
	{ "github", "key github digest 0 Another one.", "key match header prefix parts secret !digest", "Another one." },
	{ "github", "- github - 0 An older secret.", "header prefix parts secret digest", "An older secret." },
	{ "stripe", "- stripe-v1 - -7 ", "header list timestamp parts secret digest", NULL },
	{ "stripe", "- stripe-v1 digest 7 No.", "header list timestamp parts secret !digest", "No." },
	{ "github", "- - - 0 Not looked at.", "signature", "Not looked at." },
	{ "github", "- gone digest 0 Of an older program.", "!digest", "Of an older program." },
	{ "nosuch", "- github digest 0 Its type is gone.", "!digest", "Its type is gone." },
	{ "github", "- - - 0 ", "", NULL },
	{ "github", "nonsense", "", NULL },
};

START_TEST(test_steps)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct proof_step steps[PROOF_NOTE_STEPS];
	struct proof_note note;
	struct strbuf b;
	size_t n;

	ck_assert(proof_note_parse(a, str_of(explained[_i].line), &note));
	n = proof_note_explain(a, provider_find(str_of(explained[_i].provider)), &note, steps);
	strbuf_init(&b, a, 4096);
	for (size_t i = 0; i < n; i++) {
		strbuf_addf(&b, "%s%s%.*s", i ? " " : "", steps[i].ok ? "" : "!", STR_ARG(steps[i].name));
		ck_assert(steps[i].detail.n > 0);
		ck_assert(steps[i].ok || i == n - 1);
	}
	unit_str(strbuf_str(&b), explained[_i].steps);
	if (explained[_i].detail)
		unit_str(steps[n - 1].detail, explained[_i].detail);
	arena_free(a);
}
END_TEST

/* The time that was kept is told again. */
START_TEST(test_the_time_is_told)
{
	struct arena *a = arena_new(TEST_ARENA_MAX);
	struct proof_step steps[PROOF_NOTE_STEPS];
	struct proof_note note;

	ck_assert(proof_note_parse(a, STR("- stripe-v1 digest 7 No."), &note));
	proof_note_explain(a, provider_find(STR("stripe")), &note, steps);
	unit_str(steps[2].detail, "Signed 7 s ago; 300 s are allowed.");
	ck_assert(proof_note_parse(a, STR("- stripe-v1 - -7 "), &note));
	proof_note_explain(a, provider_find(STR("stripe")), &note, steps);
	unit_str(steps[2].detail, "Signed 7 s in the future by our clock; 300 s are allowed.");
	arena_free(a);
}
END_TEST

UNIT_MAIN("proof_note", UNIT_ROWS(test_places_of_the_key, keys), UNIT_ROWS(test_line_and_back, lines), UNIT(test_the_line_fits_its_column),
	UNIT_ROWS(test_steps, explained), UNIT(test_the_time_is_told))
