/* cmd_prove.c - is a captured request from its sender? The proofs of the pipeline, step by step. Certificates and key sets come from
 * files: nothing is fetched. */
#include <openssl/x509.h>

#include "ctl_request.h"

#define SECRET_FILE_MAX (64u << 10)
#define KEY_FILE_MAX (4u << 20)
#define SECRETS_MAX 16

/* ---- secrets ---- */

struct secrets {
	struct str list[SECRETS_MAX];
	size_t n;
};

static bool add_secret(struct secrets *s, struct str secret, struct err *e)
{
	if (s->n == SECRETS_MAX)
		return err_set(e, ERR_INVALID, "there are more than %d secrets", SECRETS_MAX);
	s->list[s->n++] = secret;
	return true;
}

/* A secret may hold any byte but a line feed, so a file of several lines holds several. */
static bool read_secrets(struct ctl *c, struct secrets *s, struct err *e)
{
	struct str given, text;

	for (size_t i = 0; (given = ctl_value_at(c, "secret-file", i)).p; i++) {
		if (!ctl_file(c, "secret-file", given, SECRET_FILE_MAX, &text, e))
			return false;
		while (text.n) {
			struct str line = str_until(&text, '\n');

			line.n -= str_ends(line, "\r");
			if (line.n && !add_secret(s, line, e))
				return false;
		}
	}
	given = ctl_value(c, "webhook-id");
	return !given.p || add_secret(s, given, e);
}

/* ---- certificates and key sets ---- */

struct file_store {
	struct key_store s;
	struct str text;
	X509_STORE *roots;
};

static int file_document(const struct key_store *s, struct str url, bool refresh, struct key_document *out)
{
	const struct file_store *f = (const struct file_store *)s;

	if (!f->text.n)
		return -1;
	*out = (struct key_document){ f->text, !f->roots };
	return 1;
}

static struct x509_store_st *file_roots(const struct key_store *s)
{
	return ((const struct file_store *)s)->roots;
}

static bool read_keys(struct ctl *c, struct file_store *f, struct err *e)
{
	const char *option = ctl_has(c, "jwks") ? "jwks" : "cert";
	struct str path = ctl_value(c, option), ca = ctl_value(c, "ca"), authorities;

	f->s = (struct key_store){ file_document, file_roots };
	if (ctl_has(c, "jwks") && ctl_has(c, "cert"))
		return err_set(e, ERR_INVALID, "no scheme needs both --jwks and --cert");
	if (path.p && !ctl_file(c, option, path, KEY_FILE_MAX, &f->text, e))
		return false;
	if (!ca.p)
		return true;
	if (!ctl_file(c, "ca", ca, KEY_FILE_MAX, &authorities, e))
		return false;
	f->roots = X509_STORE_new();
	if (!f->roots || !certificates_trust(f->roots, authorities))
		return err_set(e, ERR_INVALID, "--ca %.150s holds no certificates", ca.p);
	return true;
}

/* ---- the scheme ---- */

/* Of this type, else of whichever type has it: the header says little to who has only a name. */
static const struct proof *scheme_named(const struct provider *p, struct str name)
{
	const struct proof *found = provider_proof(p, name);

	for (size_t i = 0; !found && providers[i]; i++)
		found = provider_proof(providers[i], name);
	return found;
}

/* Whoever brings a key set means the scheme that reads it, whether or not a setting would switch it on. */
static const struct proof *keyless_scheme(const struct provider *p)
{
	for (const struct proof *const *proof = provider_proofs(p); *proof; proof++)
		if ((*proof)->keyless)
			return *proof;
	return NULL;
}

static bool no_scheme(struct ctl *c, const struct provider *p, struct str name, struct err *e)
{
	struct strbuf b;

	strbuf_init(&b, c->arena, sizeof(e->text));
	for (const struct proof *const *proof = provider_proofs(p); *proof; proof++)
		strbuf_addf(&b, " %s", (*proof)->name);
	return err_set(e, ERR_INVALID, "there is no scheme \"%.*s\"; %s has%.*s", STR_ARG(str_cut(name, 60)), p->slug,
		STR_ARG(strbuf_str(&b)));
}

/* ---- the answer ---- */

static void print_json(struct ctl *c, bool valid, const struct proof_report *r, const struct proof_step *steps, size_t n)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, c->arena, CTL_JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "valid");
	json_bool(&o, valid);
	json_key(&o, "scheme");
	json_strz(&o, r->scheme);
	ctl_steps_json(&o, steps, n);
	json_close(&o, '}');
	ctl_json_print(&b);
}

static void print_text(bool valid, const struct proof_report *r, const struct proof_step *steps, size_t n)
{
	printf("%s (%s)\n", valid ? "valid" : "not valid", r->scheme);
	ctl_steps_text(steps, n);
}

/* By the scheme that was named, else by the one that headers and secrets choose; *used is that one. */
static bool proven(const struct provider *p, const struct proof *named, const struct proof_input *input, struct proof_report *r,
	const struct proof **used)
{
	const struct proof *const *proofs = provider_proofs(p);
	enum verdict v = named ? proof_check_by(named, input, r) : proof_check(proofs, input, r);

	while (!named && strcmp((*proofs)->name, r->scheme))
		proofs++;
	*used = named ? named : *proofs;
	return v == PROVEN;
}

/* The message holds its own time (SNS): one from a log is old for certain, and that alone says nothing. */
static bool old_inside(const struct proof *p, const struct proof_report *r)
{
	return !p->header && r->step && !strcmp(r->step, "timestamp");
}

static bool check(struct ctl *c, const struct provider *p, struct inbound *in, struct file_store *keys, struct err *e)
{
	struct str name = ctl_value(c, "scheme");
	const struct proof *named = name.p ? scheme_named(p, name) : NULL, *used;
	struct secrets secrets = { .n = 0 };
	struct proof_input input = { .arena = c->arena, .in = in, .secrets = secrets.list, .keys = &keys->s };
	struct proof_step steps[PROOF_STEPS_MAX];
	struct proof_report r;
	bool valid;
	size_t n;

	if (name.p && !named)
		return no_scheme(c, p, name, e);
	if (!read_secrets(c, &secrets, e))
		return false;
	input.secret_n = secrets.n;
	if (!named && ctl_has(c, "jwks"))
		named = keyless_scheme(p);
	valid = proven(provider_for(p, in), named, &input, &r, &used);
	if (!used->keyless && !ctl_has(c, "secret-file") && !secrets.n)
		return err_set(e, ERR_INVALID, "the scheme %s needs --secret-file", r.scheme);
	if (!valid && !ctl_has(c, "at") && old_inside(used, &r)) {
		in->now -= r.skew_s * MS_PER_SECOND;
		valid = proven(provider_for(p, in), named, &input, &r, &used);
	}
	n = proof_explain(c->arena, used, &r, steps);
	if (c->json)
		print_json(c, valid, &r, steps, n);
	else
		print_text(valid, &r, steps, n);
	c->said_no = !valid;
	return true;
}

static bool prove(struct ctl *c, struct err *e)
{
	struct file_store keys = { .text = STR_NONE };
	const struct provider *p;
	struct inbound in;
	bool ok = ctl_request(c, &p, &in, e) && read_keys(c, &keys, e) && check(c, p, &in, &keys, e);

	X509_STORE_free(keys.roots);
	return ok;
}

static const struct ctl_option options[] = {
	CTL_REQUEST_OPTIONS,
	{ "scheme", "NAME", "signature scheme; default the one that its headers choose" },
	{ "secret-file", "FILE", "signature secrets, one a line; may be given many times" },
	{ "webhook-id", "ID", "the webhook's id at PayPal, which is what stands for a secret there" },
	{ "jwks", "FILE", "the sender's key set, as at its address" },
	{ "cert", "FILE", "the sender's certificate, as at its address; trusted as it is unless --ca is given" },
	{ "ca", "FILE", "the authorities that its certificate must come from" },
	{ 0 }
};

const struct command prove_commands[] = {
	{ "prove", "TYPE", options, 0, prove, "shows step by step whether a captured request is its sender's" },
	{ 0 }
};
