/* What the request log keeps of a proof, in one line: where the key stood ('!' in front: it was not the right one), which scheme,
 * which step failed, how far the clocks are apart, and the sentence about it; '-' for what there was not:
 *	bearer - - 0
 *	!nowhere - - 0
 *	- stripe timestamp 812 Signed 812 s ago; 300 s are allowed. Is the clock right?
 * The steps before the one that failed are told by the provider's own rows, so they need not be kept. */
#include <inttypes.h>

#include "provider_int.h"

static const struct place {
	const char *word, *name;
} places[KEY_PLACES] = {
	[KEY_NOT_ASKED] = { "-", NULL },
	[KEY_NOWHERE] = { "nowhere", NULL },
	[KEY_ROUTING] = { "routing", "the request, and the integration was found by it" },
	[KEY_BEARER] = { "bearer", "Authorization, as Bearer" },
	[KEY_BASIC] = { "basic", "Authorization, as the password of Basic" },
	[KEY_HEADER] = { "x-api-key", "X-Api-Key" },
	[KEY_QUERY] = { "key", "the parameter key" },
	[KEY_ACCESS_TOKEN] = { "access_token", "the parameter access_token" },
};

/* ---- the line ---------------------------------------------------------------------------------- */

static const char *word_or_none(const char *word)
{
	return word ? word : "-";
}

struct str proof_note_text(struct arena *a, const struct proof_note *n)
{
	const struct proof_report *r = &n->signature;
	bool bad = n->key != KEY_NOT_ASKED && !n->key_good;

	if (n->key == KEY_NOT_ASKED && !r->scheme && !r->detail[0])
		return STR_NONE;
	return utf8_clean(a, arena_printf(a, "%s%s %s %s %" PRId64 " %s", bad ? "!" : "", places[n->key].word,
		word_or_none(r->scheme), word_or_none(r->step), r->skew_s, r->detail));
}

static enum key_place place_of(struct str word)
{
	enum key_place p = KEY_NOT_ASKED;

	while (p < KEY_PLACES && !str_eqs(word, places[p].word))
		p++;
	return p < KEY_PLACES ? p : KEY_NOT_ASKED;
}

static const char *word_kept(struct arena *a, struct str word)
{
	return !word.n || str_eqs(word, "-") ? NULL : arena_cstr(a, word);
}

static int64_t skew_kept(struct str word)
{
	bool ahead = str_starts(word, "-");
	uint64_t n;

	if (!str_u64(str_sub(word, ahead), &n) || n > INT64_MAX)
		return 0;
	return ahead ? -(int64_t)n : (int64_t)n;
}

bool proof_note_parse(struct arena *a, struct str text, struct proof_note *out)
{
	struct proof_report *r = &out->signature;
	struct str key;

	*out = (struct proof_note){ .signature.secret = -1 };
	if (!text.n)
		return false;
	key = str_until(&text, ' ');
	out->key_good = !str_starts(key, "!");
	out->key = place_of(str_sub(key, !out->key_good));
	r->scheme = word_kept(a, str_until(&text, ' '));
	r->step = word_kept(a, str_until(&text, ' '));
	r->skew_s = skew_kept(str_until(&text, ' '));
	snprintf(r->detail, sizeof(r->detail), "%.*s", STR_ARG(text));
	return true;
}

/* ---- the steps --------------------------------------------------------------------------------- */

static size_t explain_key(struct arena *a, const struct proof_note *n, struct proof_step *out)
{
	const char *place = places[n->key].name;

	if (n->key == KEY_NOT_ASKED)
		return 0;
	if (!place) {
		out[0] = (struct proof_step){ STR("key"), false, STR("There is none: not in Authorization (Bearer or Basic), not in"
			" X-Api-Key, not in the parameters key and access_token.") };
		return 1;
	}
	out[0] = (struct proof_step){ STR("key"), true, arena_printf(a, "There is one in %s.", place) };
	out[1] = (struct proof_step){ STR("match"), n->key_good,
		n->key_good ? STR("It is the key of this integration.") : STR("It is not the key of this integration.") };
	return 2;
}

/* With its detour the request may have been proven as the other type does it. */
static const struct proof *proof_named(const struct provider *p, struct str scheme)
{
	const struct proof *proof = p ? provider_proof(p, scheme) : NULL;

	return proof || !p || !p->detour.header ? proof : provider_proof(p->detour.to, scheme);
}

static size_t explain_signature(struct arena *a, const struct provider *p, const struct proof_report *r, struct proof_step *out)
{
	const struct proof *proof = r->scheme ? proof_named(p, str_of(r->scheme)) : NULL;

	if (proof)
		return proof_explain(a, proof, r, out);
	if (!r->scheme && !r->detail[0])
		return 0;
	/* Not looked at, or by a scheme that this program no longer has. */
	out[0] = (struct proof_step){ str_of(r->step ? r->step : "signature"), !r->step, arena_str(a, str_of(r->detail)) };
	return 1;
}

size_t proof_note_explain(struct arena *a, const struct provider *p, const struct proof_note *n,
	struct proof_step out[PROOF_NOTE_STEPS])
{
	size_t count = explain_key(a, n, out);

	return count + explain_signature(a, p, &n->signature, out + count);
}
