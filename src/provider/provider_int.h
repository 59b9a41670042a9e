/* provider_int.h - what the files of this folder share and nobody else sees. */
#ifndef GRAPNEL_PROVIDER_INT_H
#define GRAPNEL_PROVIDER_INT_H

#include "grapnel/provider.h"

/* expr.c */
const struct json *expr_json(const char *path, const struct where *w);	/* the value of a single JSON path, or NULL */
bool value_absent(struct str s);	/* empty or an unreplaced template variable */

/* limits.c: text as tables take it */
struct str utf8_clean(struct arena *a, struct str s);	/* s itself, or a copy with U+FFFD for each bad byte */
struct str text_limit(struct arena *a, struct str s, size_t max);	/* clean, and cut to max bytes */
struct str id_limit(struct arena *a, struct str s);	/* an event id: cleaned, hashed when too long */
struct str key_limit(struct arena *a, const char *prefix, struct str s);	/* prefix:key, hashed when too long */
bool link_ok(struct str href);		/* http or https, no blanks or control characters, not over LINK_MAX */
void event_link(struct event *ev, struct str href, struct str text);	/* adds a good one that is not there yet */

#define LINK_MAX 2048	/* bytes; what browsers and chat services take */

/* map.c */
struct str made_up_key(struct arena *a, const struct where *w, const struct event *ev);	/* hash of summary and source, else body */

/* proof.c: the rows of proofs_plain_hmac, for lists that hold more */
extern const struct proof proof_x_signature, proof_x_webhook_signature, proof_x_hub_signature;

/* pagerduty.c: bodies of PagerDuty's Events API v2, which the generic endpoint takes as one of its shapes */
extern const struct map pagerduty_fields[];
extern const char *const pagerduty_paths[];
bool pagerduty_shape(const struct inbound *in, const struct json *element);	/* by routing key or path, as the variants say */
bool pagerduty_adjust(const struct provider *p, struct arena *a, const struct where *w, struct event *ev);
bool pagerduty_answer(const struct provider *p, struct arena *a, const struct inbound *in, const struct refusal *refusal,
	const struct outcome *outcomes, size_t n, struct answer *answer);

/* The slugs: one file each. */
extern const struct provider provider_github;
extern const struct provider provider_prometheus;
extern const struct provider provider_stripe;
extern const struct provider provider_webhook;

#endif
