/* PayPal by asking PayPal: what is asked, and what each answer means. (By certificate: test_proof and test_certificate.) */
#include "provider_test.h"

#define NOW INT64_C(1772000005000)
#define BODY "{ \"id\":\"WH-1\",\n \"amount\":1.10 }"	/* goes into the question byte for byte */

static struct arena *a;

struct paypal {
	struct key_store s;
	const char *says[4];	/* one for each question; NULL: nobody could be asked */
	unsigned asked;
	struct key_question q;	/* the last one */
};

static int ask(const struct key_store *s, const struct key_question *q, struct str *answer)
{
	struct paypal *p = (struct paypal *)s;
	const char *says = p->says[p->asked++];

	p->q = *q;
	*answer = str_of(says);
	return says ? 1 : -1;
}

#define SETTINGS "{\"postback\":true,\"clientId\":\"app\",\"clientSecret\":\"hidden\"}"
#define LIVE "https://api.paypal.com/v1/notifications/certs/CERT-1"

static struct inbound request(const char *cert_url)
{
	struct inbound in = test_inbound(BODY, NULL, 0);

	in.now = NOW;
	in.settings = test_json(a, SETTINGS);
	inbound_add_header(a, &in, "paypal-transmission-id", STR("id\"1"));
	inbound_add_header(a, &in, "paypal-transmission-time", STR("2026-02-25T06:13:21Z"));
	inbound_add_header(a, &in, "paypal-transmission-sig", STR("c2ln"));
	inbound_add_header(a, &in, "paypal-cert-url", str_of(cert_url));
	inbound_add_header(a, &in, "paypal-auth-algo", STR("SHA256withRSA"));
	return in;
}

static enum verdict check(const struct inbound *in, struct paypal *p, size_t secrets, struct proof_report *r)
{
	static const struct str ids[] = { { "WEBHOOK-1", 9 }, { "WEBHOOK-2", 9 } };
	struct proof_input input = { .arena = a, .in = in, .secrets = ids, .secret_n = secrets, .keys = &p->s };

	p->s.ask = ask;
	return proof_check(provider_proofs(provider_find(STR("paypal"))), &input, r);
}

#define SUCCESS "{\"verification_status\":\"SUCCESS\"}"
#define FAILURE "{\"verification_status\":\"FAILURE\"}"

START_TEST(test_what_is_asked)
{
	struct inbound in = request(LIVE);
	struct paypal p = { .says = { SUCCESS } };
	struct proof_report r;

	ck_assert_int_eq(check(&in, &p, 1, &r), PROVEN);
	ck_assert(!r.step && !strcmp(r.scheme, "paypal-postback") && r.secret == 0);
	unit_str(p.q.url, "https://api-m.paypal.com/v1/notifications/verify-webhook-signature");
	unit_str(p.q.token_url, "https://api-m.paypal.com/v1/oauth2/token");
	unit_str(p.q.client_id, "app");
	unit_str(p.q.client_secret, "hidden");
	unit_str(p.q.body, "{\"auth_algo\":\"SHA256withRSA\",\"cert_url\":\"" LIVE "\",\"transmission_id\":\"id\\\"1\","
		"\"transmission_sig\":\"c2ln\",\"transmission_time\":\"2026-02-25T06:13:21Z\",\"webhook_id\":\"WEBHOOK-1\","
		"\"webhook_event\":" BODY "}");
	in = request("https://API.Sandbox.PayPal.com/v1/notifications/certs/CERT-1");
	p = (struct paypal){ .says = { SUCCESS } };
	ck_assert_int_eq(check(&in, &p, 1, &r), PROVEN);
	unit_str(p.q.url, "https://api-m.sandbox.paypal.com/v1/notifications/verify-webhook-signature");
	unit_str(p.q.token_url, "https://api-m.sandbox.paypal.com/v1/oauth2/token");
}
END_TEST

static const struct {
	const char *says[3];
	size_t secrets;
	enum verdict verdict;
	int secret;
} answers[] = {
	{ { SUCCESS }, 1, PROVEN, 0 },
	{ { FAILURE }, 1, NOT_PROVEN, -1 },
	{ { FAILURE, SUCCESS }, 2, PROVEN, 1 },
	{ { FAILURE, FAILURE }, 2, NOT_PROVEN, -1 },
	{ { FAILURE, NULL }, 2, PROOF_UNAVAILABLE, -1 },
	{ { NULL }, 1, PROOF_UNAVAILABLE, -1 },
	{ { "" }, 1, PROOF_UNAVAILABLE, -1 },
	{ { "<html>" }, 1, PROOF_UNAVAILABLE, -1 },
	{ { "{\"name\":\"VALIDATION_ERROR\"}" }, 1, PROOF_UNAVAILABLE, -1 },
	{ { "{\"verification_status\":\"success\"}" }, 1, PROOF_UNAVAILABLE, -1 },
};

START_TEST(test_answers)
{
	struct inbound in = request(LIVE);
	struct paypal p = { .asked = 0 };
	struct proof_report r;

	memcpy(p.says, answers[_i].says, sizeof(answers[_i].says));
	ck_assert_int_eq(check(&in, &p, answers[_i].secrets, &r), answers[_i].verdict);
	ck_assert_int_eq(r.secret, answers[_i].secret);
	ck_assert(answers[_i].verdict == PROVEN ? !r.step : !strcmp(r.step, "answer"));
}
END_TEST

/* What can be told without PayPal is not asked. */
START_TEST(test_what_is_not_asked)
{
	static const struct { const char *settings, *body, *url, *step; size_t secrets; ms_t now; } rows[] = {
		{ SETTINGS, BODY, "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1", "certificate-url", 1, NOW },
		{ SETTINGS, BODY, "http://api.paypal.com/v1/notifications/certs/CERT-1", "certificate-url", 1, NOW },
		{ SETTINGS, BODY, LIVE, "timestamp", 1, NOW + 4 * MS_PER_DAY },
		{ SETTINGS, BODY, LIVE, "secret", 0, NOW },
		{ SETTINGS, "{\"id\":1", LIVE, "body", 1, NOW },
		{ SETTINGS, "[1]", LIVE, "body", 1, NOW },
		{ SETTINGS, "1}, {\"a\":{}", LIVE, "body", 1, NOW },
		{ SETTINGS, "\xef\xbb\xbf{}", LIVE, "body", 1, NOW },	/* JSON to us, but not inside of JSON */
		{ "{\"postback\":true,\"clientId\":\"app\"}", BODY, LIVE, "credentials", 1, NOW },
		{ "{\"postback\":true,\"clientSecret\":\"x\"}", BODY, LIVE, "credentials", 1, NOW },
	};
	struct proof_report r;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct inbound in = request(rows[i].url);
		struct paypal p = { .says = { SUCCESS } };

		in.settings = test_json(a, rows[i].settings);
		in.body = str_of(rows[i].body);
		in.now = rows[i].now;
		ck_assert_int_eq(check(&in, &p, rows[i].secrets, &r), NOT_PROVEN);
		ck_assert_str_eq(r.step, rows[i].step);
		ck_assert_uint_eq(p.asked, 0);
	}
}
END_TEST

/* With the setting off, PayPal is not asked; where nobody can be asked, it is not known. */
START_TEST(test_the_setting_decides)
{
	struct inbound in = request(LIVE);
	struct proof_input input = { .arena = a, .in = &in, .secrets = &STR("WEBHOOK-1"), .secret_n = 1 };
	struct proof_report r;

	ck_assert_int_eq(proof_check(provider_proofs(provider_find(STR("paypal"))), &input, &r), PROOF_UNAVAILABLE);
	ck_assert_str_eq(r.scheme, "paypal-postback");
	in.settings = test_json(a, "{\"postback\":false}");
	ck_assert_int_eq(proof_check(provider_proofs(provider_find(STR("paypal"))), &input, &r), PROOF_UNAVAILABLE);
	ck_assert_str_eq(r.scheme, "paypal-cert");
}
END_TEST

int main(void)
{
	const struct unit_case cases[] = { UNIT(test_what_is_asked), UNIT_ROWS(test_answers, answers), UNIT(test_what_is_not_asked),
		UNIT(test_the_setting_decides) };
	int failed;

	a = arena_new(TEST_ARENA_MAX);
	failed = unit_run("paypal", cases, ARRAY_SIZE(cases));
	arena_free(a);
	return failed;
}
