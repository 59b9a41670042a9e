/* Whose certificate is it: name, date and the way up, of fetched files and of those that an administrator put there. The keys
 * are those of the vectors; what was signed with them is tested there (test_proof). */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "provider_test.h"
#include "src/provider/provider_int.h"
#include "tests/golden/golden.h"

#define AT INT64_C(1772000005000)	/* 2026-02-25 */

static const struct certificate_rule paypal = {
	.hosts = (const char *const[]){ "api.paypal.com", NULL },
	.path = "/certs/*",
	.names = (const char *const[]){ "messageverificationcerts.paypal.com", "messageverificationcerts.*.paypal.com", NULL },
	.issued = true,
};
static const struct certificate_rule sns = {
	.hosts = (const char *const[]){ "sns.*.amazonaws.com", NULL },
	.path = "/*.pem",
	.names = (const char *const[]){ "sns.amazonaws.com", NULL },
};

static struct arena *a;

static struct str files(const char *names)
{
	struct str rest = str_of(names), all = STR_NONE;

	while (rest.n) {
		struct str name = str_word(&rest), text;

		text = golden_file(a, arena_printf(a, "%s/../signatures/keys/paypal-%.*s.pem", golden_dir(), STR_ARG(name)).p);
		all = arena_printf(a, "%.*s%.*s", STR_ARG(all), STR_ARG(text));
	}
	return all;
}

struct store {
	struct key_store s;
	struct key_document file;
	int found;
	X509_STORE *trusted;
	unsigned asked;
};

static int document(const struct key_store *s, struct str url, bool refresh, struct key_document *out)
{
	struct store *st = (struct store *)s;

	st->asked++;
	*out = st->file;
	return st->found;
}

static struct x509_store_st *roots(const struct key_store *s)
{
	return ((const struct store *)s)->trusted;
}

static enum verdict ask(const struct certificate_rule *rule, struct store *st, struct str url, ms_t now, struct proof_report *r)
{
	struct inbound in = { .now = now };
	struct proof_input input = { .arena = a, .in = &in, .keys = &st->s };
	EVP_PKEY *key;
	enum verdict v = certificate_key(rule, &input, url, r, &key);

	ck_assert((v == PROVEN) == (key != NULL));
	EVP_PKEY_free(key);
	return v;
}

static const struct {
	const char *file;	/* at the URL */
	bool pinned;
	const char *trusted;	/* NULL: no authorities at all */
	ms_t now;
	bool good;
} rows[] = {
	{ "made-leaf", false, "made-root made-intermediate", AT, true },
	{ "made-leaf-chain", false, "made-root", AT, true },
	{ "made-leaf-sandbox", false, "made-root made-intermediate", AT, true },
	{ "made-leaf", false, "made-root", AT, false },		/* nothing tells of the one between */
	{ "made-leaf-chain", false, "made-intermediate", AT, false },	/* the way ends below an authority */
	{ "made-leaf-chain", false, "real-root-digicert", AT, false },
	{ "made-leaf-chain", false, NULL, AT, false },
	{ "made-leaf-chain made-root", false, "real-root-digicert", AT, false },	/* brought along by the host */
	{ "made-leaf-selfsigned", false, "made-root", AT, false },
	{ "made-leaf-wrong-cn", false, "made-root made-intermediate", AT, false },
	{ "made-leaf-expired", false, "made-root made-intermediate", AT, false },
	{ "made-leaf-expired", false, "made-root made-intermediate", INT64_C(1740000000000), true },
	{ "made-leaf", false, "made-root made-intermediate", INT64_C(1700000000000), false },	/* not yet */
	{ "made-root", false, "made-root", AT, false },
	{ "real-2017-leaf", false, "real-root-digicert real-intermediate-digicert", INT64_C(1490904250000), true },
	{ "real-2017-leaf", false, "real-root-digicert real-intermediate-digicert", AT, false },

	{ "made-leaf", true, NULL, AT, true },
	{ "made-leaf made-intermediate", true, NULL, AT, true },
	{ "made-leaf made-intermediate made-root", true, NULL, AT, true },
	{ "made-leaf made-root", true, NULL, AT, false },	/* what stands behind it, it must lead to */
	{ "made-leaf made-root", true, "made-root made-intermediate", AT, true },
	{ "made-leaf real-root-digicert", true, NULL, AT, false },
	{ "made-leaf-selfsigned", true, NULL, AT, false },
	{ "made-leaf-selfsigned made-leaf-selfsigned", true, NULL, AT, false },
	{ "made-leaf-selfsigned made-root", true, "made-root", AT, false },
	{ "made-leaf-wrong-cn", true, NULL, AT, false },
	{ "made-leaf-expired", true, NULL, AT, false },
	{ "real-2017-leaf real-intermediate-digicert real-root-digicert", true, NULL, INT64_C(1490904250000), true },
};

START_TEST(test_certificates)
{
	struct store st = { { document, roots }, { files(rows[_i].file), rows[_i].pinned }, 1 };
	struct proof_report r = { .step = NULL };
	enum verdict v;

	if (rows[_i].trusted) {
		st.trusted = X509_STORE_new();
		ck_assert_int_gt(certificates_trust(st.trusted, files(rows[_i].trusted)), 0);
	}
	v = ask(&paypal, &st, STR("https://api.paypal.com/certs/CERT-1"), rows[_i].now, &r);
	ck_assert_msg(v == (rows[_i].good ? PROVEN : NOT_PROVEN), "%s: %s", rows[_i].file, r.detail);
	ck_assert(rows[_i].good ? !r.step : !strcmp(r.step, "certificate"));
	X509_STORE_free(st.trusted);
}
END_TEST

/* Where the rule says so, a pinned one is trusted as it is. */
START_TEST(test_trusted_as_it_is)
{
	struct store st = { { document, roots }, { files("made-leaf-selfsigned"), true }, 1 };
	struct proof_report r;

	ck_assert_int_eq(ask(&sns, &st, STR("https://sns.eu-west-1.amazonaws.com/a-1.pem"), AT, &r), PROVEN);
	st.file.pinned = false;
	ck_assert_int_eq(ask(&sns, &st, STR("https://sns.eu-west-1.amazonaws.com/a-1.pem"), AT, &r), NOT_PROVEN);
}
END_TEST

START_TEST(test_what_is_no_certificate)
{
	static const char *const texts[] = { "", "<html>", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nAAAA\n"
		"-----END CERTIFICATE-----\n", "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct store st = { { document, roots }, { str_of(texts[i]), true }, 1 };
		struct proof_report r;

		ck_assert_int_eq(ask(&sns, &st, STR("https://sns.eu-west-1.amazonaws.com/a-1.pem"), AT, &r), NOT_PROVEN);
		ck_assert_str_eq(r.step, "certificate");
	}
}
END_TEST

/* Not there is an answer of its own, and another URL is not asked for. */
START_TEST(test_the_store)
{
	struct store st = { { document, roots }, { files("made-leaf"), true }, -1 };
	struct proof_report r;

	ck_assert_int_eq(ask(&paypal, &st, STR("https://api.paypal.com/certs/CERT-1"), AT, &r), PROOF_UNAVAILABLE);
	st.found = 0;
	ck_assert_int_eq(ask(&paypal, &st, STR("https://api.paypal.com/certs/CERT-1"), AT, &r), NOT_PROVEN);
	ck_assert_uint_eq(st.asked, 2);
	ck_assert_int_eq(ask(&paypal, &st, STR("https://api.paypal.com.evil.example/certs/CERT-1"), AT, &r), NOT_PROVEN);
	ck_assert_str_eq(r.step, "certificate-url");
	ck_assert_int_eq(ask(&paypal, &st, STR("https://api.paypal.com/certs/CERT-1?"), AT, &r), NOT_PROVEN);
	ck_assert_uint_eq(st.asked, 2);
}
END_TEST

int main(void)
{
	const struct unit_case cases[] = { UNIT_ROWS(test_certificates, rows), UNIT(test_trusted_as_it_is),
		UNIT(test_what_is_no_certificate), UNIT(test_the_store) };
	int failed;

	a = arena_new(TEST_ARENA_MAX);
	failed = unit_run("certificate", cases, ARRAY_SIZE(cases));
	arena_free(a);
	return failed;
}
