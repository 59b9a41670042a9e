/* Signature headers: nothing crashes, a verdict is PROVEN exactly when no step failed, and where the
 * body is signed no other has the same proof. */
#include "fuzz_request.h"

/* Tokens sign nothing, and of a form its members are signed, one of which may have no name. */
static bool signs_body(const struct proof *row)
{
	for (const char *const *part = row->parts; *part; part++)
		if (!strcmp(*part, "$body"))
			return row->encoding != ENC_SECRET;
	return false;
}

/* Key sets and certificates are what others wrote, too: the body is one, whatever its URL. */
struct body_store {
	struct key_store s;
	struct str body;
};

static int body_document(const struct key_store *s, struct str url, bool refresh, struct key_document *out)
{
	*out = (struct key_document){ ((const struct body_store *)s)->body, refresh };
	return 1;
}

static struct x509_store_st *no_roots(const struct key_store *s)
{
	return NULL;
}

/* By schemes that the headers do not choose, as well. */
static void try_all(const struct provider *p, const struct proof_input *input)
{
	struct proof_report r;

	for (const struct proof *const *row = provider_proofs(p); *row; row++)
		must((proof_check_by(*row, input, &r) == PROVEN) == !r.step);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct str secrets[] = { { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38 }, { "s3cr3t", 6 } };
	struct proof_input input = { .secrets = secrets, .secret_n = 2 };
	struct body_store keys = { .s = { body_document, no_roots } };
	struct fuzz_request rq;
	struct proof_report r;
	enum verdict v;

	if (n == 0)
		return 0;
	input.arena = arena_new(64 << 20);
	fuzz_request(input.arena, data, n, &rq);
	rq.in.now = 1772000000000;
	input.in = &rq.in;
	input.keys = &keys.s;
	keys.body = rq.in.body;
	try_all(rq.p, &input);
	v = proof_check(provider_proofs(rq.p), &input, &r);
	must((v == PROVEN) == !r.step);
	if (v == PROVEN && !str_eqs(rq.in.method, "GET") && signs_body(provider_proof(rq.p, str_of(r.scheme)))) {
		rq.in.body = arena_printf(input.arena, "%.*s!", STR_ARG(rq.in.body));
		must(proof_check(provider_proofs(rq.p), &input, &r) == NOT_PROVEN);
	}
	arena_free(input.arena);
	return 0;
}
