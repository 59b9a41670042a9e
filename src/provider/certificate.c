/* Senders that sign with RSA and name the URL of their certificate (SNS, PayPal).
 *
 * Three questions in this order, and none is passed over because another was answered well: does
 * the URL stand where this sender keeps its certificates (asked before anything is fetched, or
 * anybody could bring his own); is the certificate the sender's; was the text signed with its key.
 * A certificate is the sender's when it carries the sender's name, is in date at the time of the
 * receipt, and leads to an authority that the key store trusts. The first certificate of the file
 * is the one, what follows may be needed on the way up.
 *
 * A file that an administrator put there is trusted as it is, for machines without a way out to
 * the network. What then is still asked is the provider's choice: see `issued` in
 * provider_int.h. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "provider_int.h"

#define CERTIFICATES_MAX 16	/* in one file; a real chain has three or four */

static const char label_set[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
static const char path_set[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/";

bool host_is_one_of(struct str host, const char *const *patterns)
{
	for (; *patterns; patterns++)
		if (pattern_fits(*patterns, host, label_set))
			return true;
	return false;
}

bool certificate_url_fits(const struct certificate_rule *rule, struct str url,
	struct proof_report *r)
{
	struct https_url u;

	return (https_url_parse(url, &u) && !u.has_query && host_is_one_of(u.host, rule->hosts) &&
		pattern_fits(rule->path, u.path, path_set)) ||
		proof_failed(r, "certificate-url",
			"The certificate's URL is not one of the sender's; nobody was asked.");
}

/* ---- one certificate ------------------------------------------------------------------------- */

static bool text_fits(const ASN1_STRING *s, const char *const *names)
{
	unsigned char *utf8;
	int n = ASN1_STRING_to_UTF8(&utf8, s);
	bool fits = n > 0 && host_is_one_of((struct str){ (char *)utf8, (size_t)n }, names);

	if (n >= 0)
		OPENSSL_free(utf8);
	return fits;
}

static bool subject_fits(X509 *leaf, const char *const *names)
{
	const X509_NAME *subject = X509_get_subject_name(leaf);
	bool fits = false;

	for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;)
		fits |= text_fits(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)), names);
	return fits;
}

static bool has_name(X509 *leaf, const char *const *names)
{
	GENERAL_NAMES *others = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	bool fits = subject_fits(leaf, names);

	for (int i = 0; i < sk_GENERAL_NAME_num(others); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(others, i);

		fits |= name->type == GEN_DNS && text_fits(name->d.dNSName, names);
	}
	GENERAL_NAMES_free(others);
	return fits;
}

static bool in_date(const X509 *leaf, ms_t now)
{
	time_t at = (time_t)(now / MS_PER_SECOND);

	return X509_cmp_time(X509_get0_notBefore(leaf), &at) < 0 &&
		X509_cmp_time(X509_get0_notAfter(leaf), &at) > 0;
}

static bool is_self_signed(X509 *x)
{
	return X509_self_signed(x, 0) == 1;
}

/* ---- the way up ------------------------------------------------------------------------------ */

/* `part`: to any of what is trusted, not only to one that signed itself. */
static bool leads_to(X509_STORE *trusted, X509 *leaf, STACK_OF(X509) *others, ms_t now, bool part)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	bool ok = false;

	if (!ctx || X509_STORE_CTX_init(ctx, trusted, leaf, others) != 1)
		goto out;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)(now / MS_PER_SECOND));
	if (part)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	ok = X509_verify_cert(ctx) == 1;
out:
	X509_STORE_CTX_free(ctx);
	return ok;
}

/* A pinned file: the leaf alone is enough, if somebody issued it; what stands behind it, it must
 * lead to. */
static bool leads_to_pinned(X509 *leaf, STACK_OF(X509) *others, ms_t now)
{
	X509_STORE *trusted;
	bool ok;

	if (is_self_signed(leaf))
		return false;
	if (sk_X509_num(others) == 0)
		return true;
	trusted = X509_STORE_new();
	if (!trusted)
		die("out of memory");
	for (int i = 0; i < sk_X509_num(others); i++)
		X509_STORE_add_cert(trusted, sk_X509_value(others, i));
	ok = leads_to(trusted, leaf, others, now, true);
	X509_STORE_free(trusted);
	return ok;
}

/* ---- the file -------------------------------------------------------------------------------- */

static const char begin[] = "-----BEGIN ";

/* The next block of the text and what follows up to the one after it: files that were put together
 * without a line feed between them are one line there. */
static struct str next_block(struct str *pem)
{
	struct str all = *pem;
	size_t n = 1;

	while (n < all.n && !str_starts(str_sub(all, n), begin))
		n++;
	*pem = str_sub(all, n);
	return str_cut(all, n);
}

static X509 *read_block(struct str block)
{
	BIO *from = BIO_new_mem_buf(block.p, (int)block.n);
	X509 *x = from ? PEM_read_bio_X509(from, NULL, NULL, NULL) : NULL;

	BIO_free(from);
	return x;
}

static STACK_OF(X509) *read_certificates(struct str pem)
{
	STACK_OF(X509) *all = sk_X509_new_null();

	if (!all)
		die("out of memory");
	while (pem.n && sk_X509_num(all) < CERTIFICATES_MAX) {
		X509 *x = read_block(next_block(&pem));

		if (x)
			sk_X509_push(all, x);
	}
	return all;
}

int certificates_trust(struct x509_store_st *to, struct str pem)
{
	int n = 0;

	while (pem.n) {
		X509 *x = read_block(next_block(&pem));

		n += x && X509_STORE_add_cert(to, x) == 1;
		X509_free(x);
	}
	ERR_clear_error();
	return n;
}

static bool is_trusted(const struct certificate_rule *rule, const struct proof_input *in,
	X509 *leaf, STACK_OF(X509) *others, bool pinned, struct proof_report *r)
{
	ms_t now = in->in->now;
	X509_STORE *roots;

	if (pinned && !rule->issued)
		return true;
	if (!has_name(leaf, rule->names))
		return proof_failed(r, "certificate", "The certificate is not for %s.",
			rule->names[0]);
	if (!in_date(leaf, now))
		return proof_failed(r, "certificate",
			"The certificate is not valid yet, or no longer.");
	if (pinned && leads_to_pinned(leaf, others, now))
		return true;
	roots = in->keys->roots(in->keys);
	if (roots && leads_to(roots, leaf, others, now, false))
		return true;
	return proof_failed(r, "certificate",
		"The certificate was not issued by an authority that is trusted here.");
}

/* Its key, if it is the sender's; the caller's to free. */
static EVP_PKEY *trusted_key(const struct certificate_rule *rule, const struct proof_input *in,
	const struct key_document *file, struct proof_report *r)
{
	STACK_OF(X509) *all = read_certificates(file->text);
	X509 *leaf = sk_X509_shift(all);
	EVP_PKEY *key = NULL;

	if (!leaf)
		proof_failed(r, "certificate",
			"What stands at the certificate's URL is no certificate.");
	else if (is_trusted(rule, in, leaf, all, file->pinned, r))
		key = X509_get_pubkey(leaf);
	if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
		proof_failed(r, "certificate", "The certificate holds no RSA key.");
		EVP_PKEY_free(key);
		key = NULL;
	}
	X509_free(leaf);
	sk_X509_pop_free(all, X509_free);
	ERR_clear_error();
	return key;
}

enum verdict certificate_key(const struct certificate_rule *rule, const struct proof_input *in,
	struct str url, struct proof_report *r, EVP_PKEY **key)
{
	struct key_document file;
	int found;

	*key = NULL;
	if (!certificate_url_fits(rule, url, r))
		return NOT_PROVEN;
	found = in->keys ? in->keys->document(in->keys, url, false, &file) : -1;
	if (found < 0) {
		proof_failed(r, "certificate", "The certificate could not be fetched.");
		return PROOF_UNAVAILABLE;
	}
	if (found)
		*key = trusted_key(rule, in, &file, r);
	else
		proof_failed(r, "certificate", "There is no certificate at that URL.");
	return *key ? PROVEN : NOT_PROVEN;
}

/* ---- the signature --------------------------------------------------------------------------- */

bool rsa_signed(EVP_PKEY *key, enum digest digest, struct str text, struct str signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = digest == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256();
	bool fits = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
			(const unsigned char *)text.p, text.n) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return fits;
}
