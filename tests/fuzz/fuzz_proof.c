/* Signature headers: nothing crashes, a verdict is PROVEN exactly when no step failed, and where the
 * body is signed no other has the same proof. */
#include <openssl/x509.h>

#include "fuzz_request.h"

/* Tokens sign nothing, and of a form its members are signed, one of which may have no name. */
static bool signs_body(const struct proof *row)
{
	for (const char *const *part = row->parts; *part; part++)
		if (!strcmp(*part, "$body"))
			return row->encoding != ENC_SECRET;
	return false;
}

/* Key sets and certificates are what others wrote, too: where none is given the body is one, whatever its URL. */
struct fuzz_store {
	struct key_store s;
	struct str text;
	X509_STORE *roots;
};

static int any_document(const struct key_store *s, struct str url, bool refresh, struct key_document *out)
{
	*out = (struct key_document){ ((const struct fuzz_store *)s)->text, refresh };
	return 1;
}

static struct x509_store_st *given_roots(const struct key_store *s)
{
	return ((const struct fuzz_store *)s)->roots;
}

static struct fuzz_store store_of(const struct fuzz_request *rq)
{
	struct fuzz_store s = { { any_document, given_roots }, rq->document.n ? rq->document : rq->in.body, X509_STORE_new() };

	must(s.roots);
	if (rq->roots.n)
		(void)certificates_trust(s.roots, rq->roots);
	return s;
}

/* By schemes that the headers do not choose, as well. */
static void try_all(const struct provider *p, const struct proof_input *input)
{
	struct proof_step steps[PROOF_STEPS_MAX];
	struct proof_report r;

	for (const struct proof *const *row = provider_proofs(p); *row; row++) {
		must((proof_check_by(*row, input, &r) == PROVEN) == !r.step);
		must(proof_explain(input->arena, *row, &r, steps) <= PROOF_STEPS_MAX);
	}
}

/* What we sign is believed, by each scheme: no header of a stranger stands before ours. A hash of the body that the request
 * brings along may be wrong. */
static void try_signed(const struct fuzz_request *rq, struct proof_input *input)
{
	struct proof_report r;

	for (const struct proof *const *row = provider_proofs(rq->p); *row && rq->secret_n; row++) {
		const struct proof *const alone[] = { *row, NULL };
		struct inbound in = rq->in;

		in.header_n = 0;
		if ((*row)->body_hash || !proof_sign(alone, input->arena, &in, rq->secrets[0]))
			continue;
		input->in = &in;
		must(proof_check_by(*row, input, &r) == PROVEN);
		input->in = &rq->in;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct proof_input input = { .arena = arena_new(64 << 20) };
	struct fuzz_request rq;
	struct fuzz_store keys;
	struct proof_report r;
	enum verdict v;

	fuzz_request(input.arena, data, n, &rq);
	keys = store_of(&rq);
	input.in = &rq.in;
	input.secrets = rq.secrets;
	input.secret_n = rq.secret_n;
	input.keys = &keys.s;
	try_all(rq.p, &input);
	try_signed(&rq, &input);
	v = proof_check(provider_proofs(rq.p), &input, &r);
	must((v == PROVEN) == !r.step);
	if (v == PROVEN && !str_eqs(rq.in.method, "GET") && signs_body(provider_proof(rq.p, str_of(r.scheme)))) {
		rq.in.body = arena_printf(input.arena, "%.*s!", STR_ARG(rq.in.body));
		must(proof_check(provider_proofs(rq.p), &input, &r) == NOT_PROVEN);
	}
	X509_STORE_free(keys.roots);
	arena_free(input.arena);
	return 0;
}
