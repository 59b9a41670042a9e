/* fastcgi.h - one request to a FastCGI application as a web server makes it: to ask our own workers past the web server. */
#ifndef DOCTOR_FASTCGI_H
#define DOCTOR_FASTCGI_H

#include "grapnel/base.h"

/* GET `uri` at the Unix socket, with further parameters ("HTTP_X_THING") up to { 0 }, or NULL. ERR_DOWN: no connection, no whole answer in
 * wait_ms, or not FastCGI. */
struct fastcgi_param {
	const char *name;
	struct str value;
};
struct fastcgi_answer {
	unsigned status;
	struct str body;
};
bool fastcgi_get(struct arena *a, const char *socket_path, const char *uri, const struct fastcgi_param *params, unsigned wait_ms,
	struct fastcgi_answer *out, struct err *e) MUST_USE;

#endif
