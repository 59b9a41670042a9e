/* The templates, and how their marked places are filled. A mark is <name>; a table gives each name its width and who
 * writes it. JSON stands in single quotes here and gets its double ones when the template is built: none of the payloads
 * holds an apostrophe. Sources of the payloads: tests/golden of the same three providers. */
#include "payload.h"

#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLACES_MAX 16
#define SIGNED_BYTES 32
#define ARRAY_N(a) (sizeof(a) / sizeof((a)[0]))

enum mark {
	MARK_KEY_HEX, MARK_KEY_DEC, MARK_TIME_NS, MARK_TIME_S, MARK_EPOCH, MARK_NUMBER, MARK_ID24, MARK_GUID,
	MARK_SIGNATURE,
};

static const struct {
	const char *name;
	size_t width;
} marks[] = {
	[MARK_KEY_HEX] = { "<key-hex>", 16 },	/* a fingerprint */
	[MARK_KEY_DEC] = { "<key>", 10 },	/* a number that begins with no zero: JSON */
	[MARK_TIME_NS] = { "<time-ns>", 30 },	/* 2026-01-01T00:00:00.000000000Z, as Go writes it */
	[MARK_TIME_S] = { "<time>", 20 },
	[MARK_EPOCH] = { "<epoch>", 10 },	/* now, in seconds */
	[MARK_NUMBER] = { "<number>", 16 },	/* below 2^53, so exact in JSON */
	[MARK_ID24] = { "<id24>", 24 },
	[MARK_GUID] = { "<guid>", 36 },
	[MARK_SIGNATURE] = { "<sig>", 64 },
};

struct template {
	const char *head;	/* request headers of the provider's own */
	const char *body;
	bool keyed;		/* the secret is a key and goes into Authorization; else it signs */
	bool signs_time;	/* "<epoch>." goes before the body into the signature */
};

static const struct template templates[PAYLOAD_KINDS] = {
[PAYLOAD_PROMETHEUS] = {
"User-Agent: Alertmanager/0.27.0\r\nContent-Type: application/json\r\n",
"{'receiver':'grapnel','status':'firing','alerts':[{'status':'firing','labels':{'alertname':'ContainerRestarted',"
"'container':'testapp-api-worker','instance':'testapp-kube-state-metrics.monitoring.svc:8080','job':'kube-state-metrics',"
"'namespace':'testapp-test','pod':'testapp-test-api-worker-deployment-<key>','severity':'critical'},"
"'annotations':{'summary':'Container testapp-api-worker of pod testapp-test-api-worker-deployment-<key> has been restarted'},"
"'startsAt':'<time-ns>','endsAt':'0001-01-01T00:00:00Z','generatorURL':"
"'http://127.0.0.1:9090/graph?g0.expr=increase%28kube_pod_container_status_restarts_total%5B5m%5D%29+%3E+1&g0.tab=1',"
"'fingerprint':'<key-hex>'}],'groupLabels':{'alertname':'ContainerRestarted'},"
"'commonLabels':{'alertname':'ContainerRestarted','severity':'critical'},'commonAnnotations':{},"
"'externalURL':'http://127.0.0.1:9093','version':'4','groupKey':'{}:{alertname=\\'ContainerRestarted\\'}','truncatedAlerts':0}\n",
.keyed = true },
[PAYLOAD_GITHUB] = {
"User-Agent: GitHub-Hookshot/044aadd\r\nContent-Type: application/json\r\nX-GitHub-Event: workflow_run\r\n"
"X-GitHub-Delivery: <guid>\r\nX-GitHub-Hook-ID: 292430182\r\nX-Hub-Signature-256: sha256=<sig>\r\n",
"{'action':'completed','workflow_run':{'id':<number>,'name':'Test','head_branch':'master',"
"'head_sha':'3484a3fb816e0859fd6e1cea078d76385ff50625','path':'.github/workflows/test.yml',"
"'display_title':'ci(action): update actions/setup-node digest to 8c91899','run_number':162,'event':'push',"
"'status':'completed','conclusion':'failure','workflow_id':<key>,'check_suite_id':1291530001,"
"'html_url':'https://github.com/octo-org/octo-repo/actions/runs/<number>','created_at':'<time>','updated_at':'<time>',"
"'run_attempt':1,'run_started_at':'<time>','head_repository':{'id':274468021,'full_name':'octo-org/octo-repo'}},"
"'workflow':{'id':<key>,'name':'Test','path':'.github/workflows/test.yml','state':'active'},"
"'repository':{'id':274468021,'name':'octo-repo','full_name':'octo-org/octo-repo','private':true,"
"'html_url':'https://github.com/octo-org/octo-repo','default_branch':'master'},"
"'organization':{'login':'octo-org','id':33435682},'sender':{'login':'Codertocat','id':21031067,'type':'User'}}",
},
[PAYLOAD_STRIPE] = {
"User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\nContent-Type: application/json; charset=utf-8\r\n"
"Stripe-Signature: t=<epoch>,v1=<sig>\r\n",
"{\n  'id': 'evt_<id24>',\n  'object': 'event',\n  'api_version': '2020-08-27',\n  'created': <epoch>,\n"
"  'data': {\n    'object': {\n      'id': 'ch_<key-hex>00000000',\n      'object': 'charge',\n      'amount': 2000,\n"
"      'amount_captured': 0,\n      'amount_refunded': 0,\n      'captured': false,\n      'created': <epoch>,\n"
"      'currency': 'usd',\n      'customer': null,\n      'description': '(created by Stripe CLI)',\n"
"      'failure_code': 'card_declined',\n      'failure_message': 'Your card was declined.',\n      'invoice': null,\n"
"      'livemode': true,\n      'metadata': {\n      },\n      'outcome': {\n"
"        'network_status': 'declined_by_network',\n        'reason': 'generic_decline',\n        'type': 'issuer_declined'\n"
"      },\n      'paid': false,\n      'payment_intent': 'pi_000000000000000000000000',\n      'receipt_url': null,\n"
"      'status': 'failed'\n    }\n  },\n  'livemode': true,\n  'pending_webhooks': 2,\n  'request': {\n"
"    'id': 'req_00000000000000',\n    'idempotency_key': '57ddc22f-1d42-446f-8f91-85cf0d32084a'\n  },\n"
"  'type': 'charge.failed'\n}",
.signs_time = true },
};

const char *const payload_words[PAYLOAD_KINDS] = { "prometheus", "github", "stripe" };

struct place {
	enum mark mark;
	size_t at;
};

struct payload {
	enum payload_kind kind;
	unsigned salt;
	char bytes[PAYLOAD_MAX];
	size_t n, body_at;
	struct place places[PLACES_MAX];
	size_t place_n;
	EVP_MAC_CTX *mac;	/* keyed once; NULL where the key is the proof */
	time_t second;		/* whose text stands in second_text */
	char second_text[24];
};

static void put_dec(char *p, size_t width, uint64_t v)
{
	for (p += width; width--; v /= 10)
		*--p = (char)('0' + v % 10);
}

static void put_hex(char *p, size_t width, uint64_t v)
{
	for (p += width; width--; v >>= 4)
		*--p = "0123456789abcdef"[v & 15];
}

/* Copies a template's text into the request, turns apostrophes into quotes where it is JSON, and notes its marks. */
static bool add_template(struct payload *p, const char *text, bool json)
{
	while (*text) {
		size_t m = ARRAY_N(marks);

		if (*text == '<')
			for (m = 0; m < ARRAY_N(marks); m++)
				if (!strncmp(text, marks[m].name, strlen(marks[m].name)))
					break;
		if (p->n + 64 >= PAYLOAD_MAX)
			return false;
		if (m == ARRAY_N(marks)) {
			p->bytes[p->n++] = json && *text == '\'' ? '"' : *text;
			text++;
			continue;
		}
		if (p->place_n == PLACES_MAX)
			return false;
		p->places[p->place_n++] = (struct place){ (enum mark)m, p->n };
		memset(p->bytes + p->n, '0', marks[m].width);
		p->n += marks[m].width;
		text += strlen(marks[m].name);
	}
	return true;
}

static EVP_MAC_CTX *mac_new(const char *secret)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);
	char digest[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end() };

	EVP_MAC_free(hmac);
	if (!ctx || !EVP_MAC_init(ctx, (const unsigned char *)secret, strlen(secret), params)) {
		EVP_MAC_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* The body's length is known only once its marks have their widths: it is built on its own first. */
static size_t body_length(const struct template *t)
{
	struct payload p = { 0 };

	return add_template(&p, t->body, true) ? p.n : 0;
}

struct payload *payload_new(enum payload_kind kind, const char *host, const char *path, const char *secret, unsigned salt)
{
	const struct template *t = &templates[kind];
	struct payload *p = calloc(1, sizeof(*p));
	char head[PAYLOAD_MAX];
	int n;

	if (!p)
		return NULL;
	p->kind = kind;
	p->salt = salt;
	n = snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n%s%s%s%sContent-Length: %zu\r\n\r\n",
		path, host, t->head, t->keyed ? "Authorization: Bearer " : "", t->keyed ? secret : "", t->keyed ? "\r\n" : "",
		body_length(t));
	if (n < 0 || (size_t)n >= sizeof(head) || !add_template(p, head, false))
		goto fail;
	p->body_at = p->n;
	if (!add_template(p, t->body, true))
		goto fail;
	if (!t->keyed && !(p->mac = mac_new(secret)))
		goto fail;
	return p;
fail:
	payload_free(p);
	return NULL;
}

void payload_free(struct payload *p)
{
	if (!p)
		return;
	EVP_MAC_CTX_free(p->mac);
	free(p);
}

static void put_second(struct payload *p, char *at, uint64_t number)
{
	time_t second = (time_t)(number / 1000000);
	struct tm tm;

	if (second != p->second) {
		gmtime_r(&second, &tm);
		strftime(p->second_text, sizeof(p->second_text), "%Y-%m-%dT%H:%M:%SZ", &tm);
		p->second = second;
	}
	memcpy(at, p->second_text, 20);
}

static void put_time_ns(struct payload *p, char *at, uint64_t number)
{
	put_second(p, at, number);
	at[19] = '.';
	put_dec(at + 20, 9, number % 1000000 * 1000 + p->salt);
	at[29] = 'Z';
}

/* A version 4 UUID by its form; number and salt make it unique. */
static void put_guid(const struct payload *p, char *at, uint64_t number)
{
	memcpy(at, "00000000-0000-4000-8000-000000000000", 36);
	put_hex(at, 8, number >> 32);
	put_hex(at + 9, 4, number >> 16);
	put_hex(at + 24, 4, number);
	put_hex(at + 28, 8, p->salt);
}

static void put_place(struct payload *p, const struct place *place, uint64_t number, uint32_t key, time_t now, char *out)
{
	char *at = out + place->at;

	switch (place->mark) {
	case MARK_KEY_HEX:
		put_hex(at, 16, 0xfb1ae00000000000 + key);
		break;
	case MARK_KEY_DEC:
		put_dec(at, 10, 1000000000 + (uint64_t)key);
		break;
	case MARK_TIME_NS:
		put_time_ns(p, at, number);
		break;
	case MARK_TIME_S:
		put_second(p, at, number);
		break;
	case MARK_EPOCH:
		put_dec(at, 10, (uint64_t)now);
		break;
	case MARK_NUMBER:
		put_dec(at, 16, number);
		break;
	case MARK_ID24:
		put_dec(at, 16, number);
		put_dec(at + 16, 8, p->salt);
		break;
	case MARK_GUID:
		put_guid(p, at, number);
		break;
	case MARK_SIGNATURE:
		break;	/* made last, over all the others */
	}
}

static void sign(struct payload *p, time_t now, char *out)
{
	unsigned char mac[SIGNED_BYTES];
	char stamp[11];
	size_t n, i, k;

	put_dec(stamp, 10, (uint64_t)now);
	stamp[10] = '.';
	if (!EVP_MAC_init(p->mac, NULL, 0, NULL) ||
		(templates[p->kind].signs_time && !EVP_MAC_update(p->mac, (unsigned char *)stamp, sizeof(stamp))) ||
		!EVP_MAC_update(p->mac, (unsigned char *)out + p->body_at, p->n - p->body_at) ||
		!EVP_MAC_final(p->mac, mac, &n, sizeof(mac)))
		abort();
	for (i = 0; i < p->place_n; i++)
		if (p->places[i].mark == MARK_SIGNATURE)
			for (k = 0; k < SIGNED_BYTES; k++)
				put_hex(out + p->places[i].at + 2 * k, 2, mac[k]);
}

static const struct place *place_of(const struct payload *p, enum mark mark)
{
	size_t i;

	for (i = 0; i < p->place_n; i++)
		if (p->places[i].mark == mark)
			return &p->places[i];
	abort();
}

static void put_id(const struct payload *p, const char *out, char *id)
{
	switch (p->kind) {
	case PAYLOAD_PROMETHEUS:
		snprintf(id, PAYLOAD_ID_MAX, "%.16s:%.30s:firing", out + place_of(p, MARK_KEY_HEX)->at,
			out + place_of(p, MARK_TIME_NS)->at);
		break;
	case PAYLOAD_GITHUB:
		snprintf(id, PAYLOAD_ID_MAX, "%.36s", out + place_of(p, MARK_GUID)->at);
		break;
	default:
		snprintf(id, PAYLOAD_ID_MAX, "evt_%.24s", out + place_of(p, MARK_ID24)->at);
		break;
	}
}

size_t payload_make(struct payload *p, uint64_t number, uint32_t key, char *out, char *id)
{
	time_t now = time(NULL);
	size_t i;

	memcpy(out, p->bytes, p->n);
	for (i = 0; i < p->place_n; i++)
		put_place(p, &p->places[i], number, key, now, out);
	if (p->mac)
		sign(p, now, out);
	put_id(p, out, id);
	return p->n;
}
