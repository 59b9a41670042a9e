/* facts.c - what a document is: a key set or certificates. A page of an error, or of a hotel's network, is neither. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "keys_int.h"

static bool read_set(struct arena *a, struct str text, struct err *e)
{
	const struct json *set;
	struct err ignored = { 0 };

	if (json_parse(a, text, &set, &ignored) && json_is(json_get(set, "keys"), JSON_ARRAY))
		return true;
	return err_tell(e, ERR_INVALID, "It is no key set: a JSON object with a list \"keys\".");
}

static ms_t time_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) ? (ms_t)timegm(&tm) * MS_PER_SECOND : 0;
}

static bool read_certificate(struct str text, ms_t *ends_at, struct err *e)
{
	BIO *in = BIO_new_mem_buf(text.p, (int)text.n);
	X509 *first = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

	*ends_at = first ? time_of(X509_get0_notAfter(first)) : 0;
	X509_free(first);
	BIO_free(in);
	ERR_clear_error();	/* what is no certificate leaves a note that the next TLS connection would take for its own */
	return *ends_at > 0 || err_tell(e, ERR_INVALID, "It is neither a key set (JSON) nor a certificate (PEM).");
}

bool key_facts_read(struct arena *a, struct str text, struct key_facts *out, struct err *e)
{
	struct str s = str_trim(text);

	*out = (struct key_facts){ 0 };
	if (text.n > KEY_TEXT_MAX)
		return err_tell(e, ERR_INVALID, "It has more than %d bytes.", KEY_TEXT_MAX);
	if (str_starts(s, "{"))
		return read_set(a, text, e);
	out->is_certificate = true;
	return read_certificate(text, &out->ends_at, e);
}

bool key_url_check(struct str url, struct err *e)
{
	struct str rest = str_sub(url, strlen("https://")), host = str_until(&rest, '/');

	if (!str_starts(url, "https://") || !host.n)
		return err_tell(e, ERR_INVALID, "The URL must begin with https:// and name a host.");
	if (url.n > KEY_URL_MAX)
		return err_tell(e, ERR_INVALID, "The URL has more than %d bytes.", KEY_URL_MAX);
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= ' ' || (unsigned char)url.p[i] >= 0x7f)
			return err_tell(e, ERR_INVALID, "The URL holds a character that must be written as %%XX.");
	return true;
}

int64_t cache_control_age(struct str value)
{
	uint64_t seconds;

	while (value.n) {
		struct str item = str_trim(str_until(&value, ',')), name = str_until(&item, '=');

		if (str_ieqs(name, "max-age") && str_u64(item, &seconds))
			return seconds < SECONDS_MAX ? (int64_t)seconds : SECONDS_MAX;
	}
	return -1;
}
