/* ctl_case.h - the requests of providers that come with Grapnel, for send. */
#ifndef CTL_CASE_H
#define CTL_CASE_H

#include "ctl_int.h"

#include "grapnel/provider.h"

#define CTL_CASES_FOLDER GRAPNEL_DATADIR "/cases"

/* As its provider sent it, but for the time and the signature. ERR_INVALID: there is none of that name. */
bool ctl_case_read(struct ctl *c, const struct provider *p, struct str name, struct str nonce, struct inbound *in, struct err *e) MUST_USE;
bool ctl_case_list(struct ctl *c, const struct provider *p, struct err *e) MUST_USE;	/* answers the command */

/* ---- send_to.c ---- */
bool ctl_send_to(struct ctl *c, const struct provider *p, struct str url, struct err *e) MUST_USE;	/* answers the command */
struct str ctl_nonce(struct arena *a);	/* SAMPLE_NONCE hex digits */

#endif
