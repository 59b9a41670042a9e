/* ctl_request.h - a captured request on the command line, for the commands that look at one. */
#ifndef CTL_REQUEST_H
#define CTL_REQUEST_H

#include "ctl_int.h"

#include "grapnel/provider.h"

#define CTL_REQUEST_OPTIONS \
	{ "method", "M", "its method; default POST" }, \
	{ "url", "URL", "the address that the sender called; some sign it" }, \
	{ "query", "Q", "its query, if not in --url" }, \
	{ "header", "'NAME: VALUE'", "a header; may be given many times" }, \
	{ "header-file", "FILE", "headers, one a line" }, \
	{ "body", "FILE", "its body as it came, byte for byte; - is standard input" }, \
	{ "at", "UNIXTIME", "when it came, in seconds; default now, or the time inside a message that holds its own" }, \
	{ "set", "NAME=VALUE", "a setting of the integration; may be given many times" }, \
	{ "settings", "FILE", "settings of the integration as a JSON object" }

/* The request that words and options describe. ERR_INVALID says what is wrong. */
bool ctl_request(struct ctl *c, const struct provider **p, struct inbound *in, struct err *e) MUST_USE;
/* Its settings, of --settings and --set; part of the above. */
bool ctl_settings(struct ctl *c, const struct provider *p, struct inbound *in, struct err *e) MUST_USE;

/* The steps of a proof: as the member "steps" of the open object, or a line each. */
void ctl_steps_json(struct json_out *o, const struct proof_step *steps, size_t n);
void ctl_steps_text(const struct proof_step *steps, size_t n);

#endif
