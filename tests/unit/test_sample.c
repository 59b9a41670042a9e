/* Test webhooks: each provider's own, signed as its sender signs, and what a further provider may need of samples and
 * signatures (GET, forms, XML, schemes that only the provider can sign). */
#include "provider_test.h"

#define T0 INT64_C(1800000000000)	/* 2027-01-15T08:00:00Z */

static struct arena *a;

static void setup(void)
{
	a = arena_new(TEST_ARENA_MAX);
}

static void teardown(void)
{
	arena_free(a);
}

static struct inbound sample_of(const struct provider *p)
{
	struct inbound in;

	provider_sample(p, a, STR("/api/integrations/x/in_1"), STR("0123456789ab"), T0, &in);
	return in;
}

static enum verdict check(const struct proof *const *proofs, const struct inbound *in, struct str secret)
{
	struct proof_input input = { .arena = a, .in = in, .secrets = &secret, .secret_n = 1 };
	struct proof_report r;

	return proof_check(proofs, &input, &r);
}

#define is(got, want) ck_assert_msg(str_eqs(got, want), "got \"%.*s\", want \"%s\"", STR_ARG(got), want)

/* ---- those there are ---- */

START_TEST(test_each_provider_says_all_of_itself)
{
	for (size_t i = 0; providers[i]; i++) {
		const struct provider *p = providers[i];

		ck_assert_msg(p->about && str_ends(str_of(p->about), "."), "%s: about", p->slug);
		ck_assert_msg(p->signs && str_ends(str_of(p->signs), "."), "%s: signs", p->slug);
		ck_assert_msg(p->on_error && str_ends(str_of(p->on_error), "."), "%s: on_error", p->slug);
		for (const struct setting *s = p->settings; s && s->name; s++)
			ck_assert_msg(s->label && str_ends(str_of(s->help), "."), "%s: setting %s", p->slug, s->name);
		for (const struct proof *const *proof = provider_proofs(p); *proof; proof++)
			ck_assert_msg(!(*proof)->verify || (*proof)->steps, "%s: steps of %s", p->slug, (*proof)->name);
		ck_assert_msg(p->group < GROUP_COUNT && provider_group_title(p->group), "%s: group", p->slug);
		ck_assert_msg(p->steps && p->steps[0].text, "%s: steps", p->slug);
		ck_assert_msg(p->sample, "%s: sample", p->slug);
		for (const struct step *s = p->steps; s->text; s++)
			ck_assert_msg(str_ends(str_of(s->text), ".") || str_ends(str_of(s->text), ":"), "%s: %s", p->slug, s->text);
	}
}
END_TEST

/* Of a type that tells of changes alone there is no trouble to send. */
START_TEST(test_each_sample_is_trouble_with_a_word_for_it)
{
	for (size_t i = 0; providers[i]; i++) {
		struct inbound in = sample_of(providers[i]);
		struct event *events;
		struct err e = { 0 };
		size_t n;

		ck_assert_msg(inbound_parse(providers[i], a, &in, &e), "%s: %s", providers[i]->slug, e.text);
		ck_assert_msg(provider_map(providers[i], a, &in, 10, &events, &n, &e), "%s: %s", providers[i]->slug, e.text);
		ck_assert_uint_eq(n, 1);
		ck_assert_msg(events[0].action == ACTION_TRIGGER || !(providers[i]->actions & DO_INCIDENT), "%s: action",
			providers[i]->slug);
		ck_assert(events[0].action == ACTION_IGNORE || events[0].dedup_key.n);
		ck_assert(!events[0].occurred_at || events[0].occurred_at == T0);	/* some send no time */
		ck_assert_msg(events[0].native_severity.n || providers[i]->sample->severity, "%s: word", providers[i]->slug);
	}
}
END_TEST

/* All its schemes are the provider's alone (RSA, JWT). */
static bool only_it_can_sign(const struct provider *p)
{
	for (const struct proof *const *proof = provider_proofs(p); *proof; proof++)
		if (!(*proof)->verify || (*proof)->sign)
			return false;
	return true;
}

/* One byte less of what is signed. */
static void shorten(struct inbound *in)
{
	if (str_eqs(in->method, "GET"))
		in->query.n--;
	else
		in->body.n--;
}

static bool signs_content(const struct proof *p, const struct inbound *in)
{
	return p->encoding != ENC_SECRET && (in->body.n || str_eqs(in->method, "GET"));
}

/* With both forms of secrets that people have. Where the secret itself is sent nothing is signed. */
START_TEST(test_each_sample_is_signed_as_its_sender_signs)
{
	static const char *const secrets[] = { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "just a text" };

	for (size_t i = 0; providers[i]; i++)
		for (size_t k = 0; k < ARRAY_SIZE(secrets); k++) {
			const struct proof *const *proofs = provider_proofs(providers[i]);
			struct inbound in = sample_of(providers[i]);
			struct str secret = str_of(secrets[k]);
			struct proof_input input = { .arena = a, .in = &in, .secrets = &secret, .secret_n = 1 };
			struct proof_report r;

			ck_assert_msg(proof_sign(proofs, a, &in, secret) != only_it_can_sign(providers[i]), "%s",
				providers[i]->slug);
			if (only_it_can_sign(providers[i]))
				continue;
			ck_assert_msg(proof_check(proofs, &input, &r) == PROVEN, "%s", providers[i]->slug);
			ck_assert_int_eq(check(proofs, &in, STR("another")), NOT_PROVEN);
			if (!signs_content(provider_proof(providers[i], str_of(r.scheme)), &in))
				continue;
			shorten(&in);
			ck_assert_int_eq(check(proofs, &in, secret), NOT_PROVEN);
		}
}
END_TEST

/* ---- what a sample may be ---- */

START_TEST(test_marks)
{
	static const struct sample sample = { .headers = { { "x-id", "a-$nonce-$ms" } },
		.body = "{'id':'$nonce$nonce','at':'$time','s':$seconds,'t':'5 $ or \\'$other\\''}" };
	static const struct provider p = { .sample = &sample };
	struct inbound in = sample_of(&p);

	is(in.method, "POST");
	is(in.uri, "/api/integrations/x/in_1");
	is(in.content_type, "application/json");
	is(in.body, "{\"id\":\"0123456789ab0123456789ab\",\"at\":\"2027-01-15T08:00:00.000Z\",\"s\":1800000000,"
		"\"t\":\"5 $ or \\\"$other\\\"\"}");
	is(inbound_header(&in, "x-id"), "a-0123456789ab-1800000000000");
	is(inbound_header(&in, "content-type"), "application/json");
}
END_TEST

START_TEST(test_a_sample_by_get)
{
	static const struct sample sample = { .method = "GET", .query = "monitorID=$seconds&alertType=1&text=it's" };
	static const struct provider p = { .sample = &sample };
	struct inbound in = sample_of(&p);

	is(in.method, "GET");
	is(in.uri, "/api/integrations/x/in_1?monitorID=1800000000&alertType=1&text=it's");
	is(in.query, "monitorID=1800000000&alertType=1&text=it's");
	ck_assert_uint_eq(in.body.n + in.content_type.n + in.header_n, 0);
	ck_assert(proof_sign(proofs_plain_hmac, a, &in, STR("k")));
	ck_assert_int_eq(check(proofs_plain_hmac, &in, STR("k")), PROVEN);
}
END_TEST

START_TEST(test_a_sample_that_is_no_json)
{
	static const struct sample sample = { .content_type = "text/xml", .body = "<Id note='x'>$nonce</Id>" };
	static const struct provider p = { .sample = &sample };
	struct inbound in = sample_of(&p);

	is(in.body, "<Id note='x'>0123456789ab</Id>");
	is(inbound_header(&in, "content-type"), "text/xml");
}
END_TEST

/* ---- schemes ---- */

static enum verdict verify_certificate(const struct proof *p, const struct proof_input *in, struct proof_report *r)
{
	proof_failed(r, "certificate", "It could not be had.");
	return PROOF_UNAVAILABLE;
}

static enum verdict verify_token(const struct proof *p, const struct proof_input *in, struct proof_report *r)
{
	return str_eq(inbound_header(in->in, p->header), in->secrets[0]) ? PROVEN : NOT_PROVEN;
}

/* GitLab: the header is the secret. */
static bool sign_token(const struct proof *p, struct arena *arena, struct inbound *in, struct str secret)
{
	inbound_add_header(arena, in, p->header, secret);
	return true;
}

START_TEST(test_what_only_the_provider_can_sign)
{
	static const struct proof rsa = { .name = "rsa", .header = "x-rsa", .verify = verify_certificate };
	static const struct proof in_body = { .name = "in body", .verify = verify_certificate };
	static const struct proof *const none[] = { &rsa, &in_body, NULL };
	struct inbound in = test_inbound("{}", NULL, 0);

	ck_assert(!proof_sign(none, a, &in, STR("k")));
	ck_assert_uint_eq(in.header_n, 0);
}
END_TEST

START_TEST(test_a_scheme_that_signs_by_itself)
{
	static const struct proof token = { .name = "token", .header = "x-gitlab-token", .verify = verify_token, .sign = sign_token };
	static const struct proof *const proofs[] = { &token, NULL };
	struct inbound in = test_inbound("{}", NULL, 0);

	ck_assert(proof_sign(proofs, a, &in, STR("k")));
	is(inbound_header(&in, "x-gitlab-token"), "k");
	ck_assert_int_eq(check(proofs, &in, STR("k")), PROVEN);
}
END_TEST

START_TEST(test_a_second_header_chooses_the_scheme)
{
	static const struct proof dated = { .name = "dated", .header = "x-sig", .only_with = "x-time", .prefix = "v2=",
		.parts = { "'v2:'", "@x-time", "$body" } };
	static const struct proof plain = { .name = "plain", .header = "x-sig", .prefix = "sha256=", .parts = { "$body" } };
	static const struct proof *const proofs[] = { &dated, &plain, NULL };
	struct header time = { STR("x-time"), STR("1") };
	struct inbound without = test_inbound("{}", NULL, 0), with = test_inbound("{}", &time, 1);

	ck_assert(proof_sign(proofs, a, &without, STR("k")) && proof_sign(proofs, a, &with, STR("k")));
	ck_assert(str_starts(inbound_header(&without, "x-sig"), "sha256="));
	ck_assert(str_starts(inbound_header(&with, "x-sig"), "v2="));
	ck_assert_int_eq(check(proofs, &without, STR("k")), PROVEN);
	ck_assert_int_eq(check(proofs, &with, STR("k")), PROVEN);
}
END_TEST

/* A signed header that nobody can invent must be in the sample; a secret must be of the scheme's form. */
START_TEST(test_what_cannot_be_signed_is_left_as_it_was)
{
	static const struct proof named = { .name = "named", .header = "x-sig", .secret_form = SECRET_WHSEC,
		.parts = { "@x-id", "$body" }, .time = "@x-time" };
	static const struct proof *const proofs[] = { &named, NULL };
	struct header id = { STR("x-id"), STR("1") };
	struct inbound without = test_inbound("{}", NULL, 0), with = test_inbound("{}", &id, 1);

	ck_assert(!proof_sign(proofs, a, &without, STR("k")));
	ck_assert_uint_eq(without.header_n, 0);
	ck_assert(!proof_sign(proofs, a, &with, STR("whsec_not base64")));
	ck_assert_uint_eq(with.header_n, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sample");
	TCase *t = tcase_create("sample");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_each_provider_says_all_of_itself);
	tcase_add_test(t, test_each_sample_is_trouble_with_a_word_for_it);
	tcase_add_test(t, test_each_sample_is_signed_as_its_sender_signs);
	tcase_add_test(t, test_marks);
	tcase_add_test(t, test_a_sample_by_get);
	tcase_add_test(t, test_a_sample_that_is_no_json);
	tcase_add_test(t, test_what_only_the_provider_can_sign);
	tcase_add_test(t, test_a_scheme_that_signs_by_itself);
	tcase_add_test(t, test_a_second_header_chooses_the_scheme);
	tcase_add_test(t, test_what_cannot_be_signed_is_left_as_it_was);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
