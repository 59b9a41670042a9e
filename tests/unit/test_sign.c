/* Signatures of what we send. The values were made with Python's hmac. */
#include "unit.h"

#include "grapnel/fetch.h"

#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY "{\"test\": 2432232314}"
#define NOW 1614265330999	/* the timestamp is whole seconds */

static const struct {
	const char *secret, *standard, *plain;
} rows[] = {
	{ "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "sha256=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c" },
	{ "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,ELhqG0Ku1gwOc1f4jyKdp3SFGFLAOdJ9bvpWLciCakI=", "sha256=5ee0e8e3d564cf9cbeea807e97cecc6cccf0b0e20aa28073cc267a2881a839fc" },	/* its bytes */
	{ "whsec_no base64", "v1,y2j4ypw34pCP9ZDxG3u7V86m7SA+6xGrHmIuSXICXIY=", "sha256=b7412f41cc5bf77c2ed21af2520292678b7f7ebc7a57422befafea13963f2dc0" },			/* as it stands */
	{ "", NULL, NULL },
};

static struct str value_of(const struct header *h, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eqs(h[i].name, name))
			return h[i].value;
	return STR_NONE;
}

START_TEST(test_headers)
{
	struct arena *a = arena_new(1 << 20);
	struct header h[SIGN_HEADERS];
	size_t n = sign_headers(a, str_of(rows[_i].secret), STR_NONE, STR(ID), STR("event.received"), STR(BODY), NOW, h);

	unit_str(value_of(h, n, "webhook-id"), ID);
	unit_str(value_of(h, n, "webhook-timestamp"), "1614265330");
	unit_str(value_of(h, n, "webhook-signature"), rows[_i].standard);
	unit_str(value_of(h, n, "X-Webhook-Event"), "event.received");
	unit_str(value_of(h, n, "X-Webhook-Delivery"), ID);
	unit_str(value_of(h, n, "X-Webhook-Signature"), rows[_i].plain);
	arena_free(a);
}
END_TEST

/* While a secret is replaced: the new one first. The older form has room for one. */
START_TEST(test_two_secrets)
{
	struct arena *a = arena_new(1 << 20);
	struct header h[SIGN_HEADERS];
	size_t n = sign_headers(a, str_of(rows[0].secret), str_of(rows[1].secret), STR(ID), STR("event.received"), STR(BODY), NOW, h);
	struct str both = arena_printf(a, "%s %s", rows[0].standard, rows[1].standard);

	unit_str(value_of(h, n, "webhook-signature"), both.p);
	unit_str(value_of(h, n, "X-Webhook-Signature"), rows[0].plain);
	arena_free(a);
}
END_TEST

UNIT_MAIN("sign", UNIT_ROWS(test_headers, rows), { test_two_secrets })
