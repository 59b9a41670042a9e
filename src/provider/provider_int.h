/* provider_int.h - what the files of this folder share and nobody else sees. */
#ifndef GRAPNEL_PROVIDER_INT_H
#define GRAPNEL_PROVIDER_INT_H

#include "grapnel/provider.h"

/* expr.c */
const struct json *expr_json(const char *path, const struct where *w);	/* of one path; or NULL */
bool value_absent(struct str s);	/* empty or an unreplaced template variable */
bool value_left_over(const struct provider *p, struct str s);	/* one of p's words for nothing; p may be NULL */

/* limits.c: text as our tables take it. utf8_clean gives s itself, or a copy with U+FFFD for each
 * bad byte; the limits clean too. Ids and keys are hashed when too long, texts are cut to max bytes. */
struct str utf8_clean(struct arena *a, struct str s);
struct str text_limit(struct arena *a, struct str s, size_t max);
struct str id_limit(struct arena *a, struct str s);
struct str key_limit(struct arena *a, const char *prefix, struct str s);	/* "prefix:s" */
/* Adds a link that is not there yet, if it is http or https, without blanks, not over LINK_MAX. */
void event_link(struct event *ev, struct str href, struct str text);

#define LINK_MAX 2048	/* bytes; what browsers and chat services take */
#define FORM_PAIRS_MAX 1000	/* Twilio's fullest callback has about 40; bounds the tree */

/* parse.c */
bool says_json(struct str type);

/* cloudevents.c */
bool cloudevents_declared(const struct inbound *in);	/* by content type or headers */
/* The declared ones as an object, or a list of them, in the structured form. False with the attribute that is missing or
 * wrong, or with "content-type" for another format than JSON. */
bool cloudevents_parse(struct arena *a, const struct inbound *in, const struct json **doc, struct err *e) MUST_USE;
/* The answer to OPTIONS: consent to the origin that asks, if it names itself (http-webhook.md 4). */
void cloudevents_consent(struct arena *a, const struct inbound *in, struct answer *answer);
bool cloudevents_shape(const struct json *event);	/* an object with all that makes a CloudEvent 1.x */
/* Two rows: the severity that a word means, and the word beside it. */
#define SEVERITY_AT(path, words) \
	{ EV_SEVERITY, path, WORD, words }, \
	{ EV_NATIVE_SEVERITY, path, WORD, words }

/* pubsub.c: a message that Google Cloud Pub/Sub pushes, as an object: subscription, messageId,
 * publishTime, orderingKey, attributes, and data as the JSON or the text that it holds. */
bool pubsub_declared(const struct inbound *in);	/* by its envelope, or by headers */
const struct json *pubsub_message(struct arena *a, const struct inbound *in);

/* google.c: the token of Google's push requests. Its settings are "serviceAccount", without which it
 * proves nothing, and "audience". */
extern const struct proof proof_google_oidc;
#define GOOGLE_OIDC_SETTINGS \
	{ "serviceAccount", SETTING_TEXT, "Service account", "The e-mail address of the service account that " \
		"signs the push requests; with it their bearer token is the proof, and no key is asked for." }, \
	{ "audience", SETTING_TEXT, "Audience", "As entered at the push subscription; where none was entered " \
		"there, leave it empty: it is the address of this integration." }
/* multipart.c: the text of the part of that name; `type` is the whole Content-Type. */
bool multipart_find(struct arena *a, struct str body, struct str type, const char *name,
	struct str *value);

/* map.c */
const struct word *word_find(const struct word *words, struct str value);	/* no case; or NULL */
/* The hash of summary and source, else of the body. */
struct str made_up_key(struct arena *a, const struct where *w, const struct event *ev);

/* proof.c: the rows of proofs_plain_hmac, for lists that hold more */
extern const struct proof proof_x_signature, proof_x_webhook_signature, proof_x_hub_signature;
/* Name and value of each member, in the order of names, then of values, equal pairs once: what Twilio
 * and VictorOps sign. False for FORM_PAIRS_MAX members or more. */
bool form_sorted(struct arena *a, struct str form, struct str *out);

/* jwt.c: bearer tokens in Authorization that an issuer signs with a key of a set that it publishes.
 * The algorithms must be RSA's. Steps are jwt_steps; a proof by it has no secret. */
struct jwt_claim {
	const char *names;	/* "email"; "azp|appid" is the first of them that is there */
	struct str value, other;	/* what it must say, byte for byte: this, or the other unless empty */
};
struct jwt_rule {
	const char *const *algorithms;	/* ends with NULL: { "RS256", NULL } */
	const struct str *issuers, *audiences;	/* one of each, byte for byte */
	size_t issuer_n, audience_n;
	struct str keys_url;		/* of our own words alone */
	int tolerance_s;		/* between the clocks: exp, iat, nbf */
	int64_t lifetime_max_s;		/* from iat to exp */
	const struct jwt_claim *claims;
	size_t claim_n;
};
extern const struct proof_stage jwt_steps[];
enum verdict jwt_verify(const struct jwt_rule *rule, const struct proof_input *in,
	struct proof_report *r);

/* prometheus.c: an alert of Alertmanager's, which others imitate */
extern const struct map alertmanager_fields[];
/* proof.c: notes the skew (seconds since it was signed), and whether it is within the bounds: step "timestamp". */
bool proof_in_time(struct proof_report *r, int64_t skew_s, int past_s, int ahead_s);

/* certificate.c: senders that sign with RSA and name the URL of their certificate. */
struct evp_pkey_st;
struct certificate_rule {
	const char *const *hosts;	/* where it may stand: patterns as for pattern_fits, ends with NULL */
	const char *path;		/* of the URL, a pattern too */
	const char *const *names;	/* patterns too; the certificate's name must be one of them */
	bool issued;			/* a pinned one is looked at as well, and is never self-signed */
};
bool host_is_one_of(struct str host, const char *const *patterns);
/* The steps of certificate_key for the list of a proof; a "digest" comes after them. */
#define CERTIFICATE_STAGES \
	{ "certificate-url", "The certificate's URL is one of the sender's." }, \
	{ "certificate", "The certificate is the sender's." }
bool certificate_url_fits(const struct certificate_rule *rule, struct str url, struct proof_report *r);
/* The key of the certificate at `url`, to be freed with EVP_PKEY_free; NULL unless PROVEN. */
enum verdict certificate_key(const struct certificate_rule *rule, const struct proof_input *in,
	struct str url, struct proof_report *r, struct evp_pkey_st **key);
bool rsa_signed(struct evp_pkey_st *key, enum digest digest, struct str text, struct str signature);
/* webhook.c: the plain shape of the generic endpoint, for bodies that the owner wrote at another
 * provider. plain_fill, called by `adjust`, makes up what such a body leaves out. */
extern const struct map plain_fields[];
extern const struct word plain_actions[];
extern const struct setting plain_settings[];
void plain_fill(struct arena *a, const struct where *w, struct event *ev);

/* pagerduty.c: bodies of PagerDuty's Events API v2, which the generic endpoint takes as one of its
 * shapes */
extern const struct map pagerduty_fields[];
extern const char *const pagerduty_paths[];
/* By routing key or path, as the variants say. */
bool pagerduty_shape(const struct inbound *in, const struct json *element);
bool pagerduty_adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev);
bool pagerduty_answer(const struct provider *p, struct arena *a, const struct inbound *in,
	const struct refusal *refusal, const struct outcome *outcomes, size_t n,
	struct answer *answer);

/* The slugs: one file each. */
extern const struct provider provider_appdynamics;
extern const struct provider provider_azure;
extern const struct provider provider_better_uptime;
extern const struct provider provider_bitbucket;
extern const struct provider provider_cloudwatch;
extern const struct provider provider_datadog;
extern const struct provider provider_dynatrace;
extern const struct provider provider_elastic;
extern const struct provider provider_firebase;
extern const struct provider provider_github;
extern const struct provider provider_gitlab;
extern const struct provider provider_google;
extern const struct provider provider_google_cloud_monitoring;
extern const struct provider provider_grafana;
extern const struct provider provider_honeycomb;
extern const struct provider provider_newrelic;
extern const struct provider provider_notion;
extern const struct provider provider_paypal;
extern const struct provider provider_pingdom;
extern const struct provider provider_prometheus;
extern const struct provider provider_salesforce;
extern const struct provider provider_sentry;
extern const struct provider provider_slack;
extern const struct provider provider_splunk_observability;
extern const struct provider provider_splunk_oncall;
extern const struct provider provider_stripe;
extern const struct provider provider_twilio;
extern const struct provider provider_uptime_kuma;
extern const struct provider provider_uptimerobot;
extern const struct provider provider_webhook;

#endif
