/* totp.c - codes of an authenticator app: RFC 6238 with SHA-1, 30 s and 6 digits, the one form that every app knows.
 *
 * The seed lies sealed in the user's row. A code is taken from the step of now and its two neighbours (RFC 6238, section
 * 5.2), and only if its step is newer than the last one used, so that one who looks over a shoulder gains nothing. */
#include <liboath/oath.h>
#include <stdlib.h>

#include "grapnel/account.h"

#define SEED_BYTES 20		/* RFC 4226, section 4: 160 bits recommended */
#define STEP_MS (OATH_TOTP_DEFAULT_TIME_STEP_SIZE * MS_PER_SECOND)
#define WINDOW 1

static const char *context_of(struct arena *a, struct str user_public_id)
{
	return arena_printf(a, "totp:%.*s", STR_ARG(user_public_id)).p;
}

struct str totp_make(struct arena *a, const struct seal_key *sk, struct str user_public_id)
{
	unsigned char seed[SEED_BYTES];
	struct str sealed;

	random_bytes(seed, sizeof(seed));
	sealed = seal(a, sk, (struct str){ (const char *)seed, sizeof(seed) }, context_of(a, user_public_id));
	secret_wipe(seed, sizeof(seed));
	return sealed;
}

static struct str base32(struct arena *a, struct str seed)
{
	struct str copy;
	char *text;
	size_t n;

	if (oath_base32_encode(seed.p, seed.n, &text, &n) != OATH_OK)
		die("base 32 of a seed failed");
	copy = arena_str(a, (struct str){ text, n });
	secret_wipe(text, n);
	free(text);
	return copy;
}

/* https://github.com/google/google-authenticator/wiki/Key-Uri-Format, read 2026-07. The issuer stands twice because apps differ
 * in which one they show. */
bool totp_setup(struct arena *a, const struct seal_key *sk, struct str user_public_id, struct str sealed, struct str user_name,
	struct str issuer, struct totp_setup *out, struct err *e)
{
	struct str seed, who = url_encode(a, user_name), whose = url_encode(a, issuer);

	if (!unseal(a, sk, sealed, context_of(a, user_public_id), &seed, e))
		return false;
	out->key = base32(a, seed);
	out->url = arena_printf(a, "otpauth://totp/%.*s:%.*s?secret=%.*s&issuer=%.*s", STR_ARG(whose), STR_ARG(who),
		STR_ARG(out->key), STR_ARG(whose));
	return true;
}

static bool is_code_of(struct str seed, struct str code, int64_t step)
{
	char want[TOTP_DIGITS + 1];

	if (oath_hotp_generate(seed.p, seed.n, (uint64_t)step, TOTP_DIGITS, false, OATH_HOTP_DYNAMIC_TRUNCATION, want) != OATH_OK)
		die("a code could not be made");
	return equal_ct(want, TOTP_DIGITS, code.p, code.n);
}

/* Apps show "123 456", and so people type it. */
static struct str without_blanks(struct arena *a, struct str code)
{
	struct strbuf b;

	strbuf_init(&b, a, code.n + 1);
	for (struct str word = str_word(&code); word.n; word = str_word(&code))
		strbuf_addstr(&b, word);
	return strbuf_str(&b);
}

int totp_check(struct arena *a, const struct seal_key *sk, struct str user_public_id, struct str sealed, struct str code, ms_t now,
	int64_t used_step, int64_t *step, struct err *e)
{
	int64_t newest = now / STEP_MS + WINDOW;
	struct str seed;
	int found = 0;

	if (!unseal(a, sk, sealed, context_of(a, user_public_id), &seed, e))
		return -1;
	code = without_blanks(a, code);
	if (code.n != TOTP_DIGITS)
		return 0;
	for (int64_t s = newest; s >= newest - 2 * WINDOW && s > used_step && !found; s--)
		if (is_code_of(seed, code, s)) {
			*step = s;
			found = 1;
		}
	return found;
}
