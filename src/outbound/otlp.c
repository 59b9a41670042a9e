/* otlp.c - spans as OTLP/HTTP wants them in JSON (opentelemetry-proto 1.x, "JSON Protobuf Encoding"): ids in hex, 64-bit numbers as strings, enums as
 * numbers. Names of attributes are those of OpenTelemetry's semantic conventions where these have one, else ours, below `grapnel.`.
 * Looked up 2026-06-02. */
#include "config.h"
#include "grapnel/json.h"

#include "outbound_int.h"

#define NS_PER_US "000"
#define SCHEMA "https://opentelemetry.io/schemas/1.30.0"

/* enum SpanKind and StatusCode of trace.proto, and its SpanFlags */
enum { KIND_INTERNAL = 1, KIND_SERVER = 2, KIND_CLIENT = 3 };
enum { STATUS_ERROR = 2 };
#define FLAG_PARENT_KNOWN 0x100u
#define FLAG_PARENT_REMOTE 0x200u

static const struct {
	const char *name;
	unsigned kind;
} kinds[SPAN_NAMES] = {
	[SPAN_RECEIVE] = { "receive", KIND_SERVER },
	[SPAN_PROVE] = { "prove", KIND_INTERNAL },
	[SPAN_STORE] = { "store", KIND_INTERNAL },
	[SPAN_SPOOL] = { "spool", KIND_INTERNAL },
	[SPAN_ACT] = { "act", KIND_INTERNAL },
	[SPAN_SEND] = { "send", KIND_CLIENT },
};

static void put_text(struct json_out *o, const char *key, struct str text)
{
	if (!text.n)
		return;
	json_open(o, '{');
	json_key(o, "key");
	json_strz(o, key);
	json_key(o, "value");
	json_open(o, '{');
	json_key(o, "stringValue");
	json_str(o, text);
	json_close(o, '}');
	json_close(o, '}');
}

static void put_number(struct json_out *o, const char *key, uint64_t n)
{
	if (!n)
		return;
	json_open(o, '{');
	json_key(o, "key");
	json_strz(o, key);
	json_key(o, "value");
	json_open(o, '{');
	json_key(o, "intValue");
	json_id(o, n);
	json_close(o, '}');
	json_close(o, '}');
}

/* Ids do not fit the signed numbers of OTLP's readers in JavaScript: they are words to them. */
static void put_id(struct json_out *o, const char *key, uint64_t id)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	if (id)
		put_text(o, key, str_of(text));
}

static void put_hex(struct json_out *o, const char *key, const unsigned char *b, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char text[32];

	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[b[i] >> 4];
		text[2 * i + 1] = digits[b[i] & 15];
	}
	json_key(o, key);
	json_str(o, (struct str){ text, 2 * n });
}

static void put_span_id(struct json_out *o, const char *key, uint64_t id)
{
	unsigned char b[8];

	for (size_t i = 0; i < 8; i++)
		b[i] = (unsigned char)(id >> (56 - 8 * i));
	put_hex(o, key, b, 8);
}

static void put_time(struct json_out *o, const char *key, int64_t us)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld" NS_PER_US, (long long)us);
	json_key(o, key);
	json_strz(o, text);
}

static bool is_http(const struct span *s)
{
	return *s->method;
}

static void put_attributes(struct json_out *o, const struct span *s)
{
	bool sent = s->name == SPAN_SEND;

	json_key(o, "attributes");
	json_open(o, '[');
	put_text(o, "http.request.method", str_of(s->method));
	put_text(o, sent ? "server.address" : "url.path", str_of(s->place));
	put_number(o, "server.port", s->port);
	put_number(o, is_http(s) ? "http.response.status_code" : "grapnel.smtp.status", s->status);
	if (is_http(s) && s->attempt > 1)
		put_number(o, "http.request.resend_count", s->attempt - 1u);
	put_text(o, "error.type", s->failed ? str_of(s->reason) : STR_NONE);
	put_text(o, "grapnel.refusal", s->failed ? STR_NONE : str_of(s->reason));
	put_text(o, "grapnel.source", str_of(s->source));
	put_text(o, "grapnel.provider", str_of(s->provider));
	put_id(o, "grapnel.request.id", s->request);
	put_id(o, "grapnel.event.id", s->event);
	put_id(o, "grapnel.message.id", s->message);
	put_number(o, "grapnel.attempt", s->attempt);
	put_number(o, "grapnel.batch.requests", s->requests);
	put_number(o, "grapnel.events", s->events);
	json_close(o, ']');
}

static void put_span(struct json_out *o, const struct span *s)
{
	unsigned flags = s->flags | FLAG_PARENT_KNOWN | (s->remote ? FLAG_PARENT_REMOTE : 0);

	json_open(o, '{');
	put_hex(o, "traceId", s->trace, sizeof(s->trace));
	put_span_id(o, "spanId", s->id);
	if (s->parent)
		put_span_id(o, "parentSpanId", s->parent);
	json_key(o, "flags");
	json_u64(o, flags);
	json_key(o, "name");
	json_strz(o, kinds[s->name].name);
	json_key(o, "kind");
	json_u64(o, kinds[s->name].kind);
	put_time(o, "startTimeUnixNano", s->began_us);
	put_time(o, "endTimeUnixNano", s->ended_us > s->began_us ? s->ended_us : s->began_us);
	put_attributes(o, s);
	if (s->failed) {
		json_key(o, "status");
		json_open(o, '{');
		json_key(o, "code");
		json_u64(o, STATUS_ERROR);
		json_close(o, '}');
	}
	json_close(o, '}');
}

static void put_resource(struct json_out *o, const struct otlp_resource *r)
{
	json_key(o, "resource");
	json_open(o, '{');
	json_key(o, "attributes");
	json_open(o, '[');
	put_text(o, "service.name", r->service);
	put_text(o, "service.version", STR(PACKAGE_VERSION));
	put_text(o, "service.instance.id", r->instance);
	put_text(o, "host.name", r->host);
	put_text(o, "telemetry.sdk.name", STR("grapnel"));
	put_text(o, "telemetry.sdk.language", STR("c"));
	put_text(o, "telemetry.sdk.version", STR(PACKAGE_VERSION));
	json_close(o, ']');
	json_close(o, '}');
}

struct str otlp_body(struct arena *a, const struct otlp_resource *r, const struct span *list, size_t n)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, OTLP_HEAD_MAX + n * OTLP_SPAN_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "resourceSpans");
	json_open(&o, '[');
	json_open(&o, '{');
	put_resource(&o, r);
	json_key(&o, "scopeSpans");
	json_open(&o, '[');
	json_open(&o, '{');
	json_key(&o, "scope");
	json_open(&o, '{');
	json_key(&o, "name");
	json_strz(&o, "grapnel");
	json_key(&o, "version");
	json_strz(&o, PACKAGE_VERSION);
	json_close(&o, '}');
	json_key(&o, "spans");
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		if (list[i].name < SPAN_NAMES)
			put_span(&o, &list[i]);
	json_close(&o, ']');
	json_key(&o, "schemaUrl");
	json_strz(&o, SCHEMA);
	json_close(&o, '}');
	json_close(&o, ']');
	json_close(&o, '}');
	json_close(&o, ']');
	json_close(&o, '}');
	return strbuf_str(&b);
}

/* ---- answers ---- */

/* Only these may be tried again; so the specification of OTLP, "Retryable Response Codes". */
bool otlp_again(unsigned status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

uint64_t otlp_rejected(struct arena *a, struct str body, struct str *why)
{
	const struct json *answer, *partial;
	struct err e = { 0 };
	uint64_t n = 0;

	*why = STR_NONE;
	if (!json_parse(a, body, &answer, &e))
		return 0;
	partial = json_get(answer, "partialSuccess");
	*why = json_text(json_get(partial, "errorMessage"));
	return str_u64(json_text(json_get(partial, "rejectedSpans")), &n) ? n : 0;
}

/* ---- where to ---- */

struct str otlp_url(struct arena *a, struct str endpoint)
{
	return str_ends(endpoint, "/v1/traces") ? endpoint : arena_printf(a, "%.*s/v1/traces", STR_ARG(endpoint));
}

size_t otlp_headers(struct arena *a, struct str list, struct header out[OTLP_HEADERS_MAX])
{
	size_t n = 0;

	while (list.n && n < OTLP_HEADERS_MAX) {
		struct str value = str_until(&list, ','), name = str_trim(str_until(&value, '='));

		value = url_decode(a, str_trim(value), false);
		if (str_find(value, '\r') < 0 && str_find(value, '\n') < 0 && str_find(value, '\0') < 0)
			out[n++] = (struct header){ name, value };
	}
	return n;
}
