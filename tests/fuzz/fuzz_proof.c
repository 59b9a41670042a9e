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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct str secrets[] = { { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38 }, { "s3cr3t", 6 } };
	struct proof_input input = { .secrets = secrets, .secret_n = 2 };
	struct fuzz_request rq;
	struct proof_report r;
	enum verdict v;

	if (n == 0)
		return 0;
	input.arena = arena_new(64 << 20);
	fuzz_request(input.arena, data, n, &rq);
	rq.in.now = 1772000000000;
	input.in = &rq.in;
	v = proof_check(provider_proofs(rq.p), &input, &r);
	must((v == PROVEN) == !r.step);
	if (v == PROVEN && !str_eqs(rq.in.method, "GET") && signs_body(provider_proof(rq.p, str_of(r.scheme)))) {
		rq.in.body = arena_printf(input.arena, "%.*s!", STR_ARG(rq.in.body));
		must(proof_check(provider_proofs(rq.p), &input, &r) == NOT_PROVEN);
	}
	arena_free(input.arena);
	return 0;
}
