/* provider.h - one const struct per provider: facts in tables, code only for what a table cannot say.
 *
 * Pure: bytes and structs in, structs out. No database, network, log or clock; time, secrets, certificates and the
 * request's own number are arguments. An adapter is written in three steps: which proof (a row), which fields (rows of
 * a small expression language), which few pointers to functions. doc/adding-a-provider.md walks through one.
 *
 * The interface was checked on paper against the awkward ones; doc/adding-a-provider.md says how each is expressed:
 * GitHub (keys joined from fallback paths, chosen by header), PayPal (certificate from a store, CRC-32 in the signed
 * text), Twilio (signs the public URL and sorted form fields), SNS (signature inside the body, nested JSON text,
 * handshake to be confirmed by the outbox), Salesforce (SOAP in and out), Slack (challenge before anything else),
 * UptimeRobot (GET, the query is the body). */
#ifndef GRAPNEL_PROVIDER_H
#define GRAPNEL_PROVIDER_H

#include "grapnel/base.h"
#include "grapnel/crypto.h"
#include "grapnel/event.h"
#include "grapnel/json.h"

/* ---- the request as an adapter sees it ---------------------------------------------------------------------- */

struct inbound {
	struct str method;		/* "POST" */
	struct str uri;			/* REQUEST_URI as the client sent it */
	struct str path, query;		/* of the uri, not decoded; the query without '?' */
	const struct header *headers;
	size_t header_n;
	struct str content_type;	/* media type alone, lower case, or empty */
	struct str body;		/* raw bytes */
	const struct json *doc;		/* the parsed body; NULL before inbound_parse */
	struct str request_id;		/* our own number of this request, decimal: for made-up keys */
	struct str public_url;		/* configured base, "https://hooks.example.org": Twilio signs it */
	const struct json *settings;	/* the source's own settings, or NULL */
	uint32_t per_minute;		/* the source's rate limit, 0 = none: CloudEvents senders ask for it */
	ms_t now;
};

/* Value of a header by lower-case name; empty when absent. */
struct str inbound_header(const struct inbound *in, const char *name);
/* As if it had come to this absolute URL: public_url is scheme and authority, uri the rest. */
void inbound_set_url(struct inbound *in, struct str url);
void inbound_set_uri(struct inbound *in, struct str uri);	/* with its path and query */
/* One more, in a copy of the list. */
void inbound_add_header(struct arena *a, struct inbound *in, const char *name, struct str value);

/* ---- expressions: how a row says where a value is ------------------------------------------------------------ */
/* A path is one of
 *	/a/b		JSON pointer inside the event (the element of .each, else the body)
 *	.a.b		the member "a.b", or b in a: names that a sender writes either way (Elastic)
 *	^/a/b		the same from the top of the body
 *	</a/b		the same in what .wraps took the event out of
 *	#/a/b		as /a/b, for ids: the words null, none, n/a and undefined are "not there" too
 *	~/a/b		the last part of the URL there; behind ~ stands any other path
 *	&name/a/b	what follows "name/" in the URL there, no case: "https://x/accounts/7/y?z" has accounts 7
 *	=/a/b		hex SHA-256 of that object's members, sorted: the key of a set of labels
 *	:name/a/b	the value of a tag in a set: "env:prod, service:api", a list of such texts, of objects with name and value, or of pairs
 *	%name		the member that the source's settings name as "fields": {"name": "/a/b"}, a list of them: the first there
 *	@name		request header
 *	?name		query parameter
 *	'text'		the text itself
 *	$body		hex SHA-256 of the raw body (GET: query)	$request	our number of the request
 *	$index		number of the element, from 0		$path		path of the request
 *	$key		the dedup key that the rows above made, without its prefix
 *	$list		the pointer of .each that led to the event
 *	!name		what the provider's .own makes of that name: for what stands inside a text
 * `a|b|c` is the first of them that is there. Missing, null, empty and unreplaced template variables are "not there";
 * strings are trimmed; a number is its digits. An expression with braces is a text: "job:{^/project/id}:{/ref|/sha}"; it is
 * not there when one of its braces is not; only what stands in [ ] is left out alone then: "{/name}[ on {/branch}]".
 * A single path gives a view and takes no memory. Quoted texts hold none of | { } [ ]. */
#define TOP_PATHS_MAX 8
struct top_paths {	/* what ^ paths lead to is the same for all events of a request: looked up once */
	struct {
		struct str path;
		const struct json *value;
	} seen[TOP_PATHS_MAX];
	size_t n;
};

struct where {			/* an event's place in its request */
	const struct provider *p;	/* whose .own computes !name; NULL where no row has one */
	const struct event *event;	/* as far as it is mapped, for $key; or NULL */
	const struct inbound *in;
	const struct json *element;
	const struct json *wrapper;	/* NULL, or what .wraps took the element out of */
	struct str list;		/* the pointer of .each that leads to it, or empty */
	size_t index;
	struct str *body_hash;		/* where $body is kept once it was computed, or NULL */
	struct top_paths *top;		/* the same for ^ paths, or NULL */
};
struct str expr_eval(struct arena *a, const char *expr, const struct where *w);	/* empty = not there */

enum event_field {
	EV_END = 0, EV_EVENT_ID, EV_ACTION, EV_DEDUP_KEY, EV_SEVERITY, EV_SUMMARY, EV_DESCRIPTION, EV_SOURCE, EV_SERVICE,
	EV_EVENT_TYPE, EV_ENTITY_TYPE, EV_ENTITY_ID, EV_OCCURRED, EV_LINK, EV_DETAILS, EV_NATIVE_SEVERITY,
};

enum conversion {
	TEXT = 0,
	LOWER,		/* ASCII lower case */
	NATIVE,		/* event id or dedup key that the sender made; such a key gets no prefix */
	DERIVED,	/* event id built from content */
	SNAKE,		/* lower case, '_' for blanks and hyphens: "Re-No Data" is re_no_data */
	WORD,		/* action, severity: through .words, whole and without case; an unknown word is "not there". A text: as it stands, if
			 * it is one of .words */
	TIME,		/* RFC 3339 and its relatives */
	EPOCH,		/* seconds, perhaps with a fraction, or milliseconds when over 10^11 */
};

struct word {
	const char *word;	/* "*" is any: the last of its table */
	int value;	/* enum action, enum severity */
};

/* Rows are tried in order; the first that yields a value for its field wins. EV_LINK: each adds one; "/a/-/b" one for each element of a. EV_DETAILS: each is a single
 * path and adds its value, of any JSON type, to the details, under the last name in the path; a tag under its own. Both: "/note.*" adds all members whose names
 * begin so. Dedup keys get the slug and ':' in front. */
struct map {
	enum event_field field;
	const char *expr;
	enum conversion as;
	const struct word *words;	/* ends with { 0 } */
	unsigned only;			/* 0 = always (a severity: not on ignore), else bits 1 << enum action: row counts
					 * for these actions only. The action is settled first. */
};

#define ON_IGNORE (1U << ACTION_IGNORE)
#define ON_TRIGGER (1U << ACTION_TRIGGER)
#define ON_ACKNOWLEDGE (1U << ACTION_ACKNOWLEDGE)
#define ON_RESOLVE (1U << ACTION_RESOLVE)
#define ON_ALL (ON_IGNORE | ON_TRIGGER | ON_ACKNOWLEDGE | ON_RESOLVE)

/* Rows for one kind of event: the first whose `when` evaluates to one of `is` (without case) is used, then the provider's own rows. */
struct variant {
	const char *when;
	const char *const *is;		/* ends with NULL; NULL itself = any value that is there */
	const struct map *fields;
};

/* An envelope: where `when` is there and `inside` is an object, or a text that holds one, the event is that object. Tried in order, so
 * that an envelope in an envelope is two rows. */
struct wrap {
	const char *when;
	const char *inside;	/* JSON pointer */
	const char *front, *back;	/* what may stand around a text; both NULL = nothing */
};

/* What each event of a type has: where `expr` is not there it is none, and `field` is to blame. */
struct required {
	const char *expr, *field;
};

/* A member of the event whose text is JSON: read as what it holds, under `name`. One level only. */
struct opening {
	const char *at;		/* JSON pointer */
	const char *name;	/* NULL = its own */
};

extern const struct word severity_words[];	/* the common table of providers-tools.md */

/* ---- proofs ---------------------------------------------------------------------------------------------------- */

enum verdict {
	PROVEN,
	NOT_PROVEN,		/* 401, recorded as "Invalid signature" or "Invalid key" */
	PROOF_UNAVAILABLE,	/* a certificate or key set could not be had: 503, the sender repeats */
	PROOF_FORBIDDEN,	/* it is the sender, but not what the owner takes (another topic): 403 with the report's detail */
};

/* Certificates and key sets of schemes that are not HMAC, by URL. Implemented above this folder, where fetching, cache and their
 * limits live; `verify` has checked a URL against its provider's rule before it asks. */
struct x509_store_st;
struct key_document {
	struct str text;	/* PEM, or JSON; the store's own until the next call */
	bool pinned;		/* an administrator put it there: trusted as it is */
};
/* To the provider itself, by OAuth client credentials (RFC 6749, section 4.4); the store keeps the token for as long as it lasts. */
struct key_question {
	struct str token_url, client_id, client_secret;
	struct str url, body;	/* one POST of JSON */
};
struct key_store {
	/* 1 found; 0 the host has no such document (not proven); -1 it could not be had (unavailable). `refresh`: what is cached
	 * lacks a key id, so it is fetched anew, but not more often than once a minute. */
	int (*document)(const struct key_store *s, struct str url, bool refresh, struct key_document *out);
	struct x509_store_st *(*roots)(const struct key_store *s);	/* the authorities that are trusted; NULL = none */
	/* 1: it answered 200, and *answer is the body, the store's own until the next call; -1 nobody could be asked. */
	int (*ask)(const struct key_store *s, const struct key_question *q, struct str *answer);
};

/* Adds the certificates of a PEM text to those that are trusted. Returns how many. */
int certificates_trust(struct x509_store_st *to, struct str pem);

struct proof_input {
	struct arena *arena;		/* for decoded keys, wiped again, and what `verify` needs */
	const struct inbound *in;
	const struct str *secrets;	/* all active ones, newest first */
	size_t secret_n;
	const struct key_store *keys;	/* what RSA and JWT schemes ask for certificates and key sets; NULL where there is none */
};

/* What became of it, for the explainer and WEBHOOK_DEBUG; never a secret nor a signature. */
#define PROOF_DETAIL_MAX 200
struct proof_report {
	const char *scheme;	/* "github" */
	const char *step;	/* the first that failed: "header", "prefix", "timestamp", "digest", ... NULL when proven */
	char detail[PROOF_DETAIL_MAX];	/* a sentence about it; when proven what else is to be known, mostly nothing */
	int64_t skew_s;		/* clock skew where the scheme has a time */
	int secret;		/* index of the secret that matched, or -1 */
};
/* Notes the step that failed and why, in a sentence. Returns false. */
bool proof_failed(struct proof_report *r, const char *step, const char *detail, ...) PRINTF(3, 4);

enum encoding {
	ENC_HEX, ENC_BASE64,
	ENC_SECRET,		/* no signature: the header's value is the secret itself (GitLab's token) */
};
enum secret_form {
	SECRET_TEXT,		/* its bytes */
	SECRET_WHSEC,		/* base64 after "whsec_" (Standard Webhooks); without the prefix its bytes may match too */
};

/* A step of a proof, and the sentence about it once it was passed. */
struct proof_stage {
	const char *name, *passed;
};

/* A signature scheme. HMAC schemes are rows; others bring `verify` and its `steps`. */
struct proof {
	const char *name;		/* as grapnelctl prove --scheme takes it */
	const char *header;		/* the signature's header, lower case; NULL: stands in the body, always chosen */
	const char *only_with;		/* NULL, or a second header, or "?name" in the query, that must be there for this row to be chosen */
	size_t length;			/* 0, or of the header's value, for this row to be chosen: it tells digests apart (Splunk) */
	const char *allowed_by;		/* NULL, or the setting that must be true for this row to be chosen (GitHub's SHA-1), with '!' must not */
	const char *secret_prefix;	/* NULL, or how a secret for this row begins: with such a secret no later row is chosen, without
					 * one this row is not (GitLab's signing key) */
	const char *prefix;		/* "sha256=", or NULL */
	bool prefix_optional;
	enum encoding encoding;
	bool upper_ok;			/* hex of either case */
	enum digest digest;
	enum secret_form secret_form;
	/* A list of signatures: separator, and the name before '=' (Stripe) or ',' (Standard Webhooks) that counts. */
	char list, list_assign;
	const char *list_name;
	/* What is signed, in order, ends with NULL: "$body" (on GET the query), "$url" (public URL and URI, or instead of what stands before
	 * the query the source's setting "url"), "$form" (of the form body each name and its value, sorted, nothing between), "'v0:'",
	 * "@header", "$t" (list entry t). */
	const char *parts[8];
	bool any_port;			/* the URL may have been signed without its port, or with its scheme's (Twilio) */
	const char *body_hash;		/* NULL, or the query parameter that must hold the hex SHA-256 of the body */
	const char *time;		/* one such part holding decimal seconds, or NULL */
	int tolerance_s;
	/* Instead of an HMAC, for public keys: does the signature, encoded, fit what was signed? The secret is the public key. */
	bool (*fits)(struct arena *a, struct str secret, struct str text, struct str signature);
	enum verdict (*verify)(const struct proof *p, const struct proof_input *in, struct proof_report *r);
	const struct proof_stage *steps;	/* of `verify`, in its order; ends with { 0 } */
	/* NULL: a secret of the source is part of it. Else it needs none (RSA, JWT): "" always takes part, "audience" once the source
	 * has that setting, "!checkSignature" unless that setting is false. */
	const char *keyless;
	/* Beside `verify`, where the sender's side needs no more than the secret (a header that is the secret itself, a signed URL): called
	 * by proof_sign, adds its headers to `in`. NULL beside `verify`: only the provider can sign (RSA, JWT). */
	bool (*sign)(const struct proof *p, struct arena *a, struct inbound *in, struct str secret);
};

#define PROOF_STEPS_MAX 12
struct proof_step {
	struct str name;
	bool ok;
	struct str detail;
};
extern const struct field proof_step_fields[];	/* step, ok, detail */
/* The steps of a proof that came to this report, in their order up to the one that failed. Returns how many. */
size_t proof_explain(struct arena *a, const struct proof *p, const struct proof_report *r, struct proof_step out[PROOF_STEPS_MAX]);
/* A scheme that needs no secret is switched on: such a source is proven by the signature even if it has no secret. */
bool proofs_keyless(const struct proof *const *proofs, const struct json *settings);

/* Every scheme takes part by its header: the first of the provider's proofs whose header is present decides; none
 * present is NOT_PROVEN with step "header". Digests are compared in constant time; any active secret may match. */
enum verdict proof_check(const struct proof *const *proofs, const struct proof_input *in, struct proof_report *r);
/* The same by one scheme, whatever would be chosen: for a person who names it. */
enum verdict proof_check_by(const struct proof *p, const struct proof_input *in, struct proof_report *r);
/* The reverse, for test webhooks: adds the headers with which the sender proves that `in` is his, by the first scheme that can be
 * signed with this secret. A header of the time is added, other signed headers must be there. False: none can, and *in is kept. */
bool proof_sign(const struct proof *const *proofs, struct arena *a, struct inbound *in, struct str secret) MUST_USE;
/* X-Signature, X-Webhook-Signature or X-Hub-Signature-256: for types that have no scheme of their own. Ends with NULL. */
extern const struct proof *const proofs_plain_hmac[];

/* ---- what is kept of a proof: key.c, proof_note.c ---------------------------------------------------------------- */

/* Where a request may carry the integration's own key, in the order of looking. */
enum key_place {
	KEY_NOT_ASKED, KEY_NOWHERE,
	KEY_ROUTING,	/* the integration was found by it */
	KEY_BEARER, KEY_BASIC, KEY_HEADER, KEY_QUERY, KEY_ACCESS_TOKEN, KEY_PLACES
};
struct str inbound_key(struct arena *a, const struct inbound *in, enum key_place place);	/* empty: there is none */

/* How a request was proven, or where that failed: its key, where one is asked for, then its signature. */
struct proof_note {
	enum key_place key;
	bool key_good;
	struct proof_report signature;	/* without scheme: none was asked for, or detail says why it was not looked at */
};
#define PROOF_NOTE_MAX 400	/* bytes of the line */
/* As the request log keeps it: one line, STR_NONE where nothing was proven. And back; false: nothing is known. */
struct str proof_note_text(struct arena *a, const struct proof_note *n);
bool proof_note_parse(struct arena *a, struct str text, struct proof_note *out);
/* The steps of key and signature in their order, up to the one that failed. `p` is the integration's type, or NULL. */
#define PROOF_NOTE_STEPS (PROOF_STEPS_MAX + 2)
size_t proof_note_explain(struct arena *a, const struct provider *p, const struct proof_note *n,
	struct proof_step out[PROOF_NOTE_STEPS]);

/* ---- answers ---------------------------------------------------------------------------------------------------- */

enum outcome_kind {
	OUT_TRIGGERED, OUT_DEDUPLICATED, OUT_ACKNOWLEDGED, OUT_RESOLVED, OUT_IGNORED,
	OUT_INVALID,		/* this element could not be mapped */
	OUT_REPEATED,		/* stored before and done: alreadyProcessed */
	OUT_IN_WORK,		/* stored before, not done yet: duplicate */
};

struct outcome {		/* of one event, after the commit */
	enum outcome_kind kind;
	const struct event *event;
	uint64_t event_number;	/* our id; 0 for invalid ones */
	uint64_t incident;	/* 0 = none */
	const char *incident_status;	/* "OPEN"... */
};

struct refusal {		/* a request that is not accepted */
	unsigned status;	/* HTTP */
	const char *code;	/* "invalid_signature" */
	const char *message;	/* a sentence for the sender */
	const char *reason;	/* for the request log; NULL: the message */
	const char *field;	/* or NULL */
	unsigned retry_after_s;	/* 0 = no Retry-After */
};

struct kept_setting {
	const char *name;	/* NULL = none */
	struct str value;
};

struct answer {
	unsigned status;
	const char *content_type;	/* NULL = application/json */
	struct str body;
	struct header extra[4];		/* name as it should appear; empty = unused */
	/* Of a handshake only: */
	struct str confirm_url;		/* the outbox shall GET it (SNS); its host was checked by the adapter */
	const char *confirm_shows;	/* what stands in front of the word that a good answer to it holds, "<SubscriptionArn>" */
	struct str new_secret;		/* the source's secret from now on, if it has none yet (Notion) */
	struct kept_setting keep;	/* a setting of the source from now on, if it has none of that name yet (SNS's topic) */
	bool disconnected;		/* the sender says that it sends no more */
};

/* ---- the provider ----------------------------------------------------------------------------------------------- */

enum method { METHOD_GET = 1, METHOD_POST = 2, METHOD_PUT = 4, METHOD_OPTIONS = 8 };

enum body_form {		/* what the body may be; content type is a hint only */
	BODY_JSON = 1,		/* first non-blank byte is { or [ */
	BODY_FORM = 2,		/* becomes an object of texts */
	BODY_QUERY = 4,		/* with GET the query string is the body, as a form */
	BODY_XML = 8,		/* becomes an object too: see doc/adding-a-provider.md */
	BODY_EMPTY = 16,	/* no body is fine: an empty object */
	BODY_LOOSE = 32,	/* with BODY_JSON: as templates make it, json_parse_loose */
	BODY_CLOUDEVENTS = 64,	/* in any mode; becomes the object of the structured form, or a list of them */
	BODY_OPAQUE = 128,	/* any bytes: what is none of the others is an empty object, and stands in in->body */
	BODY_MULTIPART = 256,	/* a multipart form with the JSON in .form_json */
};

enum provider_flag {
	FINAL_4XX = 1 << 0,		/* the sender drops on 4xx: a full bucket answers 503 instead of 429 */
	PAYMENT = 1 << 1,		/* 1000 requests per minute by default, answers {"received":true} */
	SECRET_THEIRS = 1 << 2,	/* the sender makes the signature secret and shows it once our URL is entered there */
	LOWER_NAMES = 1 << 3,	/* names of the body's own members count in any case: the rows have them in lower case */
	ANSWER_200 = 1 << 4,	/* the sender takes exactly 200 for success, not 201 */
	SECRET_BARE = 1 << 5,	/* a secret that we make does not begin with whsec_, which would make it a signing key (GitLab) */
	SECRET_OPTIONAL = 1 << 6,	/* most of its senders do not sign: a new source gets a secret only if one is asked for */
	ASKS_FOR_BASIC = 1 << 7,	/* the sender brings its credentials only when a 401 has asked for them */
	ANSWER_RECEIVED = 1 << 8,	/* stands under /api/webhooks and answers {"received":true}, as PAYMENT does */
};

/* Where the type stands in the gallery. */
enum provider_group {
	GROUP_MONITORING, GROUP_CLOUD, GROUP_UPTIME, GROUP_DEVELOPMENT, GROUP_PAYMENT, GROUP_BUSINESS, GROUP_GENERIC, GROUP_COUNT
};
const char *provider_group_title(enum provider_group g);

/* One thing to do at the provider, in its words: a sentence, and what is to be copied there, or NULL. There {url}, {key} and {secret} stand
 * for those of the integration, {base} for the configured public URL. */
struct step {
	const char *text, *copy;
};

/* What "Send test" sends: trouble as the provider would report it, written down. In query, headers and body stand for what differs each
 * time: $nonce (12 hex digits), $time (RFC 3339), $seconds, $ms (since 1970). A JSON body is written with ' for ", so that it can be read
 * here. The signature is proof_sign's. */
#define SAMPLE_HEADERS 6
#define SAMPLE_NONCE 12
struct sample {
	const char *method;		/* NULL = POST */
	const char *query;		/* or NULL */
	const char *content_type;	/* NULL = application/json */
	struct {
		const char *name, *value;	/* name in lower case */
	} headers[SAMPLE_HEADERS];
	const char *body;		/* or NULL */
	const char *severity;		/* the word that its severity is read from, where no row gives EV_NATIVE_SEVERITY */
};

/* What the owner of a source may set for this type, as a member of the source's settings. */
enum setting_kind {
	SETTING_TEXT,
	SETTING_FLAG, SETTING_ON,	/* true or false; where it is not set: false, true */
	SETTING_LIST,			/* of texts */
	SETTING_OBJECT,
	SETTING_SECRET			/* a text that is kept sealed and never shown; adapters get it opened */
};
struct setting {
	const char *name;
	enum setting_kind kind;
	const char *label, *help;	/* of its field in the form; help is a sentence */
};

/* A source of this type that gets a request with `header` reads it as the other type does. */
struct detour {
	const char *header;		/* lower case; NULL = none */
	const struct provider *to;
};

struct provider {
	const char *slug, *title;	/* "github", "GitHub" */
	enum provider_group group;
	const char *about;		/* a sentence for the gallery: what it sends */
	const char *signs;		/* sentences: what proves the sender */
	const char *on_error;		/* sentences: how long it waits for an answer, what it does on errors */
	const struct setting *settings;	/* ends with { 0 }, or NULL */
	struct detour detour;
	const struct step *steps;	/* how it is set up there; ends with { 0 } */
	const struct sample *sample;
	unsigned methods;		/* bits of enum method */
	unsigned bodies;		/* bits of enum body_form */
	unsigned flags;
	unsigned actions;		/* default bits of enum source_action for a new source */
	uint32_t per_minute;		/* default rate limit; 0 = 100, or 1000 with PAYMENT */
	size_t body_max;		/* 0 = 1 MiB */
	const char *const *masked;	/* members of its bodies that hold secrets, whole names without case: their values are
					 * never kept; ends with NULL, or NULL */
	const struct proof *const *proofs;	/* ends with NULL; NULL = cannot sign: the key is the proof */
	const char *form_json;		/* form member that holds the JSON ("payload"), or NULL */
	const char *each;		/* JSON pointer to the array of events, or NULL: the body is one. Several joined by '|':
					 * their events one after the other. All absent, non-array or empty: a single event from
					 * the body as a whole, action ignore. "": the body is an array of events or one event */
	const char *alone;		/* an expression over the body, or NULL: where it is there and the list of .each is not, the
					 * body is one event like any other */
	/* Instead of .each, where the events stand in no array: a list of them, made in `a` of parts of in->doc and what belongs to
	 * each of them. NULL or an empty one: the body is one event. */
	const struct json *(*unfold)(struct arena *a, const struct inbound *in);
	const struct wrap *wraps;	/* ends with { 0 }, or NULL */
	const char *const *left_over;	/* whole texts that mean nothing here, names of template variables for instance: "not there";
					 * ends with NULL, or NULL */
	struct required needs;		/* { 0 } = nothing */
	const struct opening *opens;	/* after the wraps; ends with { 0 }, or NULL */
	const struct map *fields;
	const struct variant *variants;	/* ends with { 0 }, or NULL */
	enum severity severity_trigger;	/* of a trigger that brings none; others are info */
	/* Called by the rows for !name, perhaps several times for one event; empty = not there. Reads, allocates, keeps nothing. */
	struct str (*own)(struct arena *a, struct str name, const struct where *w);
	/* Called by provider_map for each event after the rows and the defaults of action and severity, before the other defaults and
	 * the limits. May read everything, may set any field of ev, a dedup key without its prefix; returns false with ev->invalid set
	 * to the field to blame. */
	bool (*adjust)(const struct provider *p, struct arena *a, const struct where *w, struct event *ev);
	/* Called by provider_handshake, which ingest calls after the proof; true = this request is a handshake and `answer` is the whole
	 * answer. The rows say what it is called: event id, type, summary. */
	bool (*handshake)(const struct provider *p, struct arena *a, const struct inbound *in, struct answer *answer);
	/* Called by ingest after the commit (refusal NULL) or for a refusal (outcomes NULL; in->doc may be NULL still). False = the common
	 * answer does: of what was taken under answer->status, where that was set; of a refusal with the headers of answer->extra.
	 * Retry-After and the rate limit headers are the caller's. */
	bool (*answer)(const struct provider *p, struct arena *a, const struct inbound *in, const struct refusal *refusal,
		const struct outcome *outcomes, size_t n, struct answer *answer);
};

extern const struct provider *const providers[];	/* sorted by slug, ends with NULL */
const struct provider *provider_find(struct str slug);	/* or NULL */
size_t provider_body_max(const struct provider *p);
/* The body as it is kept, the values of .masked as asterisks: itself, or a copy of its length. JSON, XML or form, parsed or not. */
struct str provider_mask(const struct provider *p, struct arena *a, struct str body);
uint32_t provider_per_minute(const struct provider *p);
/* "webhooks" or "integrations": the folder of /api that its address is in, "/api/webhooks/stripe/in_...". */
const char *provider_folder(const struct provider *p);
const struct proof *const *provider_proofs(const struct provider *p);	/* its own, else proofs_plain_hmac; never NULL */
bool provider_can_sign(const struct provider *p);	/* it has a scheme of its own */
const struct proof *provider_proof(const struct provider *p, struct str scheme);	/* one of provider_proofs by its name, or NULL */
/* The provider whose adapter reads this request: p, or where its detour leads. */
const struct provider *provider_for(const struct provider *p, const struct inbound *in);
/* Are these settings (an object, or NULL) ones that this type knows, of the right kind? Else ERR_INVALID with the field. */
bool provider_settings_check(const struct provider *p, const struct json *settings, struct err *e) MUST_USE;
/* The sample as a request to `path`, not signed yet. `nonce` has SAMPLE_NONCE hex digits. */
void provider_sample(const struct provider *p, struct arena *a, struct str path, struct str nonce, ms_t now, struct inbound *in);

/* Parses in->body by content into in->doc (JSON, form, query...). ERR_INVALID "unsupported" with field "content-type" means 415,
 * any other error 400. */
bool inbound_parse(const struct provider *p, struct arena *a, struct inbound *in, struct err *e) MUST_USE;

/* The events of a parsed request, in their order; at least one. Ids, keys and texts are within the limits of event.h; equal
 * ids inside one request get "#<n>". An element that cannot be mapped has `invalid` set. ERR_INVALID when the request's shape as a whole is
 * wrong (e->field names the member); ERR_LIMIT for more than `events_max`. */
bool provider_map(const struct provider *p, struct arena *a, const struct inbound *in, size_t events_max,
	struct event **out, size_t *n, struct err *e) MUST_USE;

/* Is it a handshake? Then its whole answer, and the one event that it is kept as: ignored, without a key; n is 0 where the rows say
 * nothing of it. */
bool provider_handshake(const struct provider *p, struct arena *a, const struct inbound *in, struct answer *answer,
	struct event **out, size_t *n) MUST_USE;

#endif
