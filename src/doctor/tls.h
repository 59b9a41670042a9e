/* tls.h - what certificate a server shows, and whether others will take it. */
#ifndef DOCTOR_TLS_H
#define DOCTOR_TLS_H

#include "grapnel/base.h"

struct tls_facts {
	const char *trouble;	/* why nobody takes it, OpenSSL's words; NULL: they do */
	ms_t ends_at;
};
/* ERR_DOWN: no connection, or no TLS there. */
bool tls_look(const char *host, const char *port, unsigned wait_ms, struct tls_facts *out, struct err *e) MUST_USE;

#endif
