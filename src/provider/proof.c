/* Is this request from who it says? HMAC schemes as rows: which header, how its value is written,
 * what was signed. The same rows sign test webhooks, so that a test proves what the sender proves.
 *
 * Our own digest is written as the sender would have written it and the texts are compared, so that
 * nothing of a stranger's signature is ever decoded. Prefix, form and time are looked at first:
 * they are no secret. The digest is computed once for each secret and compared in constant time
 * with each signature of the list. */
#include <inttypes.h>
#include <stdarg.h>

#include "grapnel/crypto.h"
#include "provider_int.h"

#define SIGNATURES_MAX 8	/* in one header; a rolled secret makes two */
#define KEYS_MAX 2		/* readings of one secret */

struct check {
	const struct proof *p;
	const struct proof_input *in;
	struct proof_report *r;
	struct str header;			/* the signature header's value */
	struct str signature[SIGNATURES_MAX];	/* encoded, without prefix */
	size_t n;
	struct str part[ARRAY_SIZE(((struct proof *)0)->parts)];
	size_t part_n;
};

bool proof_failed(struct proof_report *r, const char *step, const char *detail, ...)
{
	va_list ap;

	r->step = step;
	va_start(ap, detail);
	vsnprintf(r->detail, sizeof(r->detail), detail, ap);
	va_end(ap);
	return false;
}

/* ---- the header ------------------------------------------------------------------------------ */

static bool add_signature(struct check *c, struct str s)
{
	const struct proof *p = c->p;

	if (p->prefix && str_starts(s, p->prefix))
		s = str_sub(s, strlen(p->prefix));
	else if (p->prefix && !p->prefix_optional)
		return proof_failed(c->r, "prefix", "The value of %s does not begin with %s.", p->header, p->prefix);
	if (c->n == SIGNATURES_MAX)
		return proof_failed(c->r, "list", "%s holds more than %d signatures.", p->header, SIGNATURES_MAX);
	c->signature[c->n++] = s;
	return true;
}

/* Signatures in a list have a name each: "t=1,v1=aa,v1=bb" or "v1,aa v1a,bb". Unknown names are
 * passed over. */
static bool read_header(struct check *c)
{
	struct str rest = c->header;

	if (!rest.n)
		return proof_failed(c->r, "header", "The header %s is not there.", c->p->header);
	if (!c->p->list)
		return add_signature(c, rest);
	while (rest.n) {
		struct str item = str_until(&rest, c->p->list);
		struct str name = str_until(&item, c->p->list_assign);

		if (str_eqs(name, c->p->list_name) && !add_signature(c, item))
			return false;
	}
	if (c->n)
		return true;
	return proof_failed(c->r, "list", "%s holds no signature of the kind %s.", c->p->header, c->p->list_name);
}

/* The value of a list's entry that must stand there once, else empty. */
static struct str list_entry(const struct check *c, const char *wanted)
{
	struct str rest = c->header, found = STR_NONE;

	while (rest.n) {
		struct str item = str_until(&rest, c->p->list);
		struct str name = str_until(&item, c->p->list_assign);

		if (!str_eqs(name, wanted))
			continue;
		if (found.n)
			return STR_NONE;
		found = item;
	}
	return found;
}

/* ---- what was signed ------------------------------------------------------------------------- */

static struct str body_of(const struct inbound *in)
{
	return str_eqs(in->method, "GET") ? in->query : in->body;
}

struct pair {
	struct str name, value;
};

static int pair_order(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = str_cmp(x->name, y->name);

	return order ? order : str_cmp(x->value, y->value);
}

bool form_sorted(struct arena *a, struct str form, struct str *out)
{
	struct pair pairs[FORM_PAIRS_MAX], *p;
	struct strbuf b;
	size_t n = 0;

	strbuf_init(&b, a, form.n);
	for (p = pairs; form_next(a, &form, &p->name, &p->value); p = &pairs[n])
		if (++n == FORM_PAIRS_MAX)
			return false;
	qsort(pairs, n, sizeof(*pairs), pair_order);
	for (size_t i = 0; i < n; i++) {
		if (i && pair_order(&pairs[i - 1], &pairs[i]) == 0)
			continue;
		strbuf_addstr(&b, pairs[i].name);
		strbuf_addstr(&b, pairs[i].value);
	}
	*out = strbuf_str(&b);
	return true;
}

static struct str url_of(struct arena *a, const struct inbound *in)
{
	struct str base = in->public_url, set = json_text(json_get(in->settings, "url"));

	if (set.n) {
		set = str_until(&set, '#');
		set = str_until(&set, '?');
		return arena_printf(a, "%.*s%s%.*s", STR_ARG(set), in->query.n ? "?" : "", STR_ARG(in->query));
	}
	while (str_ends(base, "/"))
		base.n--;
	return arena_printf(a, "%.*s%.*s", STR_ARG(base), STR_ARG(in->uri));
}

/* Without its port; or, where it names none, with that of its scheme. */
static struct str url_other_port(struct arena *a, struct str url)
{
	size_t host = 0, end, colon;

	while (host < url.n && url.p[host] != ':')
		host++;
	end = host += strlen("://");
	while (end < url.n && !strchr("/?#", url.p[end]))
		end++;
	if (host >= url.n)
		return url;
	for (colon = end; colon > host && !strchr(":]@", url.p[colon - 1]); colon--)
		continue;
	if (colon > host && url.p[colon - 1] == ':')
		return arena_printf(a, "%.*s%.*s", (int)colon - 1, url.p, STR_ARG(str_sub(url, end)));
	return arena_printf(a, "%.*s:%s%.*s", (int)end, url.p, str_starts(url, "https:") ? "443" : "80",
		STR_ARG(str_sub(url, end)));
}

/* False where a header or list entry is missing. */
static bool part_value(const struct check *c, const char *part, struct str *out)
{
	if (str_eqs(str_of(part), "$body")) {
		*out = body_of(c->in->in);
		return true;
	}
	if (str_eqs(str_of(part), "$url")) {
		*out = url_of(c->in->arena, c->in->in);
		return true;
	}
	if (str_eqs(str_of(part), "$form"))
		return form_sorted(c->in->arena, c->in->in->body, out);
	if (*part == '\'') {
		*out = (struct str){ part + 1, strlen(part) - 2 };
		return true;
	}
	*out = *part == '@' ? inbound_header(c->in->in, part + 1) : list_entry(c, part + 1);
	return out->n > 0;
}

static bool collect_parts(struct check *c)
{
	for (const char *const *part = c->p->parts; *part; part++)
		if (!part_value(c, *part, &c->part[c->part_n++]))
			return proof_failed(c->r, "parts", "%s is signed too, and is not there (once).", *part + 1);
	return true;
}

static bool body_hash_fits(struct check *c)
{
	const char *name = c->p->body_hash;
	struct arena *a = c->in->arena;
	struct str hash;

	if (!name || (form_find(a, c->in->in->query, name, &hash) &&
			str_eq(arena_lower(a, hash), sha256_hex(a, c->in->in->body))))
		return true;
	return proof_failed(c->r, "body", "The body is not the one whose hash stands in the URL as %s.", name);
}

/* Exactly the tolerance is still good. */
bool proof_in_time(struct proof_report *r, int64_t skew_s, int past_s, int ahead_s)
{
	r->skew_s = skew_s;
	if (skew_s > past_s)
		return proof_failed(r, "timestamp", "Signed %" PRId64 " s ago; %d s are allowed. Is the clock right?",
			skew_s, past_s);
	return skew_s >= -ahead_s ||
		proof_failed(r, "timestamp", "Signed %" PRId64 " s in the future; %d s are allowed. Is the clock right?",
			-skew_s, ahead_s);
}

/* Decimal digits and nothing else. */
static bool in_time(struct check *c)
{
	const struct proof *p = c->p;
	struct proof_report *r = c->r;
	uint64_t seconds;
	struct str text;

	if (!p->time)
		return true;
	if (!part_value(c, p->time, &text))
		return proof_failed(r, "timestamp", "The signed time %s is not there (once).", p->time + 1);
	if (!str_u64(text, &seconds) || seconds > INT64_MAX)
		return proof_failed(r, "timestamp", "The signed time %s is no number of seconds.", p->time + 1);
	return proof_in_time(r, c->in->in->now / MS_PER_SECOND - (int64_t)seconds, p->tolerance_s, p->tolerance_s);
}

/* ---- the digest ------------------------------------------------------------------------------ */

/* How a secret may be read. Standard Webhooks libraries take a secret without prefix as base64,
 * others as its bytes. */
static size_t secret_keys(const struct check *c, struct str secret, struct str keys[KEYS_MAX],
	bool *decoded)
{
	bool whsec = str_starts(secret, "whsec_");
	struct str text = str_sub(secret, whsec ? strlen("whsec_") : 0);
	size_t n = 0;

	*decoded = c->p->secret_form == SECRET_WHSEC &&
		base64_decode(c->in->arena, text, false, &keys[0]);
	if (*decoded)
		n = 1;
	if (c->p->secret_form == SECRET_TEXT || !whsec)
		keys[n++] = secret;
	return n;
}

static struct str encoded_digest(const struct check *c, struct str key)
{
	unsigned char digest[DIGEST_MAX];
	size_t n;

	if (c->p->encoding == ENC_SECRET)
		return key;
	n = hmac(c->p->digest, key, c->part, c->part_n, digest);
	if (c->p->encoding == ENC_BASE64)
		return base64_encode(c->in->arena, digest, n);
	return hex_encode(c->in->arena, digest, n);
}

static bool matches_one(const struct check *c, struct str expected)
{
	bool match = false;

	for (size_t i = 0; i < c->n; i++) {
		struct str given = c->signature[i];

		if (given.n != expected.n)
			continue;
		if (c->p->upper_ok)
			given = arena_lower(c->in->arena, given);
		match |= equal_ct(given.p, given.n, expected.p, expected.n);
	}
	return match;
}

static bool fits_one(const struct check *c, struct str secret)
{
	struct strbuf text;
	size_t n = 0;

	for (size_t i = 0; i < c->part_n; i++)
		n += c->part[i].n;
	strbuf_init(&text, c->in->arena, n);
	for (size_t i = 0; i < c->part_n; i++)
		strbuf_addstr(&text, c->part[i]);
	for (size_t i = 0; i < c->n; i++)
		if (c->p->fits(c->in->arena, secret, strbuf_str(&text), c->signature[i]))
			return true;
	return false;
}

static bool matches_secret(const struct check *c, struct str secret)
{
	struct str keys[KEYS_MAX];
	bool decoded, match = false;
	size_t n;

	if (c->p->fits)
		return fits_one(c, secret);
	n = secret_keys(c, secret, keys, &decoded);
	for (size_t i = 0; i < n; i++)
		match |= keys[i].n && matches_one(c, encoded_digest(c, keys[i]));
	if (decoded)
		secret_wipe((void *)keys[0].p, keys[0].n);
	return match;
}

static bool matches_any(struct check *c)
{
	for (size_t i = 0; i < c->in->secret_n; i++)
		if (matches_secret(c, c->in->secrets[i])) {
			c->r->secret = i;
			return true;
		}
	return false;
}

/* The URL among the parts, or NULL. */
static struct str *url_part(struct check *c)
{
	for (size_t i = 0; i < c->part_n; i++)
		if (str_eqs(str_of(c->p->parts[i]), "$url"))
			return &c->part[i];
	return NULL;
}

static size_t signed_bytes(const struct check *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->part_n; i++)
		n += c->part[i].n;
	return n;
}

static bool matches(struct check *c)
{
	struct str *url = url_part(c);

	if (c->in->secret_n == 0)
		return proof_failed(c->r, "secret", "The integration has no signature secret.");
	if (matches_any(c))
		return true;
	if (c->p->any_port) {
		*url = url_other_port(c->in->arena, *url);
		if (matches_any(c))
			return true;
	}
	if (c->p->encoding == ENC_SECRET)
		return proof_failed(c->r, "token", "%s holds another secret.", c->p->header);
	if (url)
		return proof_failed(c->r, "digest", "The signature does not fit URL and body: another secret, "
			"another URL than the public one, or one of them was changed on its way.");
	return proof_failed(c->r, "digest", "The signature does not fit the %zu bytes that are signed (secrets tried: %zu): "
		"another secret, or the body was changed on its way.", signed_bytes(c), c->in->secret_n);
}

/* ---- choosing the scheme --------------------------------------------------------------------- */

/* Schemes without a secret may hang on a setting of the source. */
static bool switched_on(const struct proof *p, const struct json *settings)
{
	const char *name = p->keyless;

	if (!name || !*name)
		return true;
	if (*name == '!')
		return !str_eqs(json_text(json_get(settings, name + 1)), "false");
	return json_text(json_get(settings, name)).n > 0;
}

bool proofs_keyless(const struct proof *const *proofs, const struct json *settings)
{
	for (const struct proof *const *p = proofs; *p; p++)
		if ((*p)->keyless && switched_on(*p, settings))
			return true;
	return false;
}

static bool allowed(const struct proof *p, const struct json *settings)
{
	const char *name = p->allowed_by;
	bool unless = name && *name == '!';

	return !name || str_eqs(json_text(json_get(settings, name + unless)), "true") != unless;
}

static bool has_secret_for(const struct proof *p, const struct proof_input *in)
{
	for (size_t i = 0; i < in->secret_n; i++)
		if (str_starts(in->secrets[i], p->secret_prefix))
			return true;
	return false;
}

static bool is_there(struct arena *a, const struct inbound *in, const char *name)
{
	struct str value;

	return *name == '?' ? form_find(a, in->query, name + 1, &value) : inbound_header(in, name).n > 0;
}

static bool chosen(const struct proof *p, const struct proof_input *input)
{
	const struct inbound *in = input->in;

	if (!switched_on(p, in->settings) || !allowed(p, in->settings))
		return false;
	if (p->only_with && !is_there(input->arena, in, p->only_with))
		return false;
	if (p->length && inbound_header(in, p->header).n != p->length)
		return false;
	if (p->secret_prefix)
		return has_secret_for(p, input);
	return !p->header || inbound_header(in, p->header).n > 0;
}

static enum verdict check_hmac(const struct proof *p, const struct proof_input *in,
	struct proof_report *r)
{
	struct check c = { .p = p, .in = in, .r = r, .header = inbound_header(in->in, p->header) };
	bool proven = read_header(&c) && in_time(&c) && collect_parts(&c) && body_hash_fits(&c) &&
		matches(&c);

	return proven ? PROVEN : NOT_PROVEN;
}

enum verdict proof_check_by(const struct proof *p, const struct proof_input *in,
	struct proof_report *r)
{
	enum verdict v;

	*r = (struct proof_report){ .scheme = p->name, .secret = -1 };
	v = p->verify ? p->verify(p, in, r) : check_hmac(p, in, r);
	if (v == PROVEN && r->secret > 0)
		snprintf(r->detail, sizeof(r->detail), "It fits an older secret: the sender does not use the newest one yet.");
	return v;
}

/* The one to name where none was chosen: the first that asks for no more than its header. */
static const struct proof *usual(const struct proof *const *proofs)
{
	for (const struct proof *const *p = proofs; *p; p++)
		if (!(*p)->only_with && !(*p)->allowed_by && !(*p)->secret_prefix)
			return *p;
	return proofs[0];
}

enum verdict proof_check(const struct proof *const *proofs, const struct proof_input *in,
	struct proof_report *r)
{
	for (const struct proof *const *p = proofs; *p; p++)
		if (chosen(*p, in))
			return proof_check_by(*p, in, r);
	*r = (struct proof_report){ .scheme = usual(proofs)->name, .secret = -1 };
	proof_failed(r, "header", "None of the headers that hold the signature is there.");
	return NOT_PROVEN;
}

/* ---- explaining ------------------------------------------------------------------------------- */

const struct field proof_step_fields[] = {
	FIELD_STR(struct proof_step, name, "step", "header, timestamp, digest... as the scheme has them; key and match of the integration's key"),
	FIELD_BOOL(struct proof_step, ok, "ok", "It was passed; the first that was not is the last"),
	FIELD_STR(struct proof_step, detail, "detail", "A sentence about it; no secret, no signature"),
	FIELD_END
};

static const char *time_passed(struct arena *a, const struct proof *p, int64_t skew_s)
{
	return arena_printf(a, "Signed %" PRId64 " s %s; %d s are allowed.", skew_s < 0 ? -skew_s : skew_s,
		skew_s < 0 ? "in the future by our clock" : "ago", p->tolerance_s).p;
}

/* The steps of an HMAC row, in the order in which check_hmac takes them. */
static size_t hmac_stages(struct arena *a, const struct proof *p, int64_t skew_s, struct proof_stage *out)
{
	size_t n = 0;

	out[n++] = (struct proof_stage){ "header", arena_printf(a, "%s is there.", p->header).p };
	if (p->prefix && !p->prefix_optional)
		out[n++] = (struct proof_stage){ "prefix", arena_printf(a, "It begins with %s.", p->prefix).p };
	if (p->list)
		out[n++] = (struct proof_stage){ "list",
			arena_printf(a, "It holds a signature of the kind %s.", p->list_name).p };
	if (p->time)
		out[n++] = (struct proof_stage){ "timestamp", time_passed(a, p, skew_s) };
	if (p->encoding != ENC_SECRET)
		out[n++] = (struct proof_stage){ "parts", "All that is signed is there." };
	if (p->body_hash)
		out[n++] = (struct proof_stage){ "body", "The body is the one whose hash stands in the URL." };
	out[n++] = (struct proof_stage){ "secret", "The integration has a signature secret." };
	out[n++] = p->encoding == ENC_SECRET ?
		(struct proof_stage){ "token", "It is the integration's secret." } :
		(struct proof_stage){ "digest", "The signature fits." };
	return n;
}

static size_t own_stages(const struct proof *p, struct proof_stage *out)
{
	size_t n = 0;

	for (; n + 1 < PROOF_STEPS_MAX && p->steps[n].name; n++)
		out[n] = p->steps[n];
	return n;
}

size_t proof_explain(struct arena *a, const struct proof *p, const struct proof_report *r,
	struct proof_step out[PROOF_STEPS_MAX])
{
	struct proof_stage stages[PROOF_STEPS_MAX];
	size_t n = p->verify ? own_stages(p, stages) : hmac_stages(a, p, r->skew_s, stages), passed = 0;

	while (passed < n && !(r->step && !strcmp(r->step, stages[passed].name)))
		passed++;
	if (r->step && passed == n)	/* no step of this scheme: it was not even chosen */
		passed = 0;
	for (size_t i = 0; i < passed; i++)
		out[i] = (struct proof_step){ str_of(stages[i].name), true, str_of(stages[i].passed) };
	if (passed && !r->step && r->detail[0])
		out[passed - 1].detail = arena_str(a, str_of(r->detail));
	if (r->step)
		out[passed++] = (struct proof_step){ str_of(r->step), false, arena_str(a, str_of(r->detail)) };
	return passed;
}

/* ---- signing as the sender does --------------------------------------------------------------- */

/* The time where the scheme wants it: a header of its own, or the list's first entry. */
static void add_time(struct check *c, struct inbound *in)
{
	struct arena *a = c->in->arena;
	struct str seconds = arena_printf(a, "%lld", (long long)(in->now / MS_PER_SECOND));
	const char *time = c->p->time;

	if (time && *time == '$')
		c->header = arena_printf(a, "%s%c%.*s", time + 1, c->p->list_assign, STR_ARG(seconds));
	else if (time && !inbound_header(in, time + 1).n)
		inbound_add_header(a, in, time + 1, seconds);
}

/* "t=1700000000,v1=<digest>", "sha256=<digest>", "<digest>" */
static struct str header_value(const struct check *c, struct str digest)
{
	const struct proof *p = c->p;
	struct arena *a = c->in->arena;
	const char *prefix = p->prefix ? p->prefix : "";

	if (!p->list)
		return arena_printf(a, "%s%.*s", prefix, STR_ARG(digest));
	if (!c->header.n)
		return arena_printf(a, "%s%c%s%.*s", p->list_name, p->list_assign, prefix,
			STR_ARG(digest));
	return arena_printf(a, "%.*s%c%s%c%s%.*s", STR_ARG(c->header), p->list, p->list_name,
		p->list_assign, prefix, STR_ARG(digest));
}

static bool sign_hmac(const struct proof *p, struct arena *a, struct inbound *in, struct str secret)
{
	struct proof_report ignored;
	struct inbound signed_in = *in;
	struct proof_input input = { .arena = a, .in = &signed_in };
	struct check c = { .p = p, .in = &input, .r = &ignored };
	struct str keys[KEYS_MAX], value;
	bool decoded;

	add_time(&c, &signed_in);
	if (!collect_parts(&c) || !secret_keys(&c, secret, keys, &decoded) || !keys[0].n)
		return false;
	value = header_value(&c, encoded_digest(&c, keys[0]));
	if (decoded)
		secret_wipe((void *)keys[0].p, keys[0].n);
	inbound_add_header(a, &signed_in, p->header, value);
	*in = signed_in;
	return true;
}

bool proof_sign(const struct proof *const *proofs, struct arena *a, struct inbound *in, struct str secret)
{
	for (const struct proof *const *p = proofs; *p; p++) {
		if ((*p)->only_with && !is_there(a, in, (*p)->only_with))
			continue;
		if (!allowed(*p, in->settings))
			continue;
		if ((*p)->secret_prefix && !str_starts(secret, (*p)->secret_prefix))
			continue;
		if ((*p)->fits)		/* we have the public key only */
			return false;
		if ((*p)->sign ? (*p)->sign(*p, a, in, secret) :
				!(*p)->verify && sign_hmac(*p, a, in, secret))
			return true;
	}
	return false;
}

/* ---- the plain scheme ------------------------------------------------------------------------ */

#define PLAIN_HMAC(scheme, in) { \
	.name = scheme, .header = in, .prefix = "sha256=", .prefix_optional = true, \
	.encoding = ENC_HEX, .upper_ok = true, .digest = DIGEST_SHA256, .parts = { "$body" } }

const struct proof proof_x_signature = PLAIN_HMAC("x-signature", "x-signature");
const struct proof proof_x_webhook_signature = PLAIN_HMAC("grapnel-x-webhook-signature", "x-webhook-signature");
const struct proof proof_x_hub_signature = PLAIN_HMAC("x-hub-signature-256", "x-hub-signature-256");

const struct proof *const proofs_plain_hmac[] = {
	&proof_x_signature, &proof_x_webhook_signature, &proof_x_hub_signature, NULL
};
