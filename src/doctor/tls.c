/* tls.c - a handshake with the server and nothing more. The certificate is judged after it, so that a bad one is told and not only
 * refused. */
#include "tls.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int open_socket(const char *host, const char *port, unsigned wait_ms, struct err *e)
{
	const struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	int failed = getaddrinfo(host, port, &hints, &list), fd = -1;

	if (failed) {
		err_set(e, ERR_DOWN, "%s: %s", host, gai_strerror(failed));
		return -1;
	}
	for (struct addrinfo *x = list; x && fd < 0; x = x->ai_next) {
		fd = socket(x->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) &&
			!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) && !connect(fd, x->ai_addr, x->ai_addrlen))
			continue;
		err_sys(e, ERR_DOWN, "%s port %s", host, port);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

static ms_t time_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) ? (ms_t)timegm(&tm) * MS_PER_SECOND : 0;
}

static bool shake_hands(SSL *ssl, const char *host, struct err *e)
{
	unsigned long code;

	if (!SSL_set_tlsext_host_name(ssl, host) || !SSL_set1_host(ssl, host))
		die("OpenSSL has no memory");
	if (SSL_connect(ssl) == 1)
		return true;
	code = ERR_get_error();
	return err_set(e, ERR_DOWN, "no TLS with %s: %s", host, code ? ERR_reason_error_string(code) : "the connection broke off");
}

static void judge(SSL *ssl, struct tls_facts *out)
{
	X509 *certificate = SSL_get1_peer_certificate(ssl);
	long verdict = SSL_get_verify_result(ssl);

	*out = (struct tls_facts){ .trouble = verdict == X509_V_OK ? NULL : X509_verify_cert_error_string(verdict) };
	if (certificate)
		out->ends_at = time_of(X509_get0_notAfter(certificate));
	X509_free(certificate);
}

bool tls_look(const char *host, const char *port, unsigned wait_ms, struct tls_facts *out, struct err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = ctx && SSL_CTX_set_default_verify_paths(ctx) ? SSL_new(ctx) : NULL;
	int fd = open_socket(host, port, wait_ms, e);
	bool ok = false;

	if (!ssl)
		die("OpenSSL has no memory");
	if (fd >= 0 && SSL_set_fd(ssl, fd) && shake_hands(ssl, host, e)) {
		judge(ssl, out);
		ok = true;
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	if (fd >= 0)
		close(fd);
	return ok;
}
