/* CloudEvents 1.0 over HTTP, in all three modes: an event by itself (structured), a list of them
 * (batch), attributes in headers around any body (binary). Each becomes the object of the structured
 * form: attributes as members, what data_base64 holds under "data". So rows see one shape:
 * /source, /subject, /data/severity.
 *
 * Only the JSON format is read. Header values are texts with percent escapes, perhaps in quotes.
 * Sources: cloudevents/spec spec.md, http-protocol-binding.md 3.1 to 3.3, json-format.md,
 * http-webhook.md 4. */
#include "provider_int.h"

#define EVENT_TYPE "application/cloudevents"
#define BATCH_TYPE "application/cloudevents-batch"

enum mode { NONE, STRUCTURED, BATCH, BINARY, OTHER_FORMAT };

static bool says(struct str type, const char *name, enum mode as, enum mode *out)
{
	struct str format = str_sub(type, strlen(name));

	if (!str_starts(type, name))
		return false;
	*out = format.n == 0 || str_eqs(format, "+json") ? as : OTHER_FORMAT;
	return true;
}

static enum mode mode_of(const struct inbound *in)
{
	enum mode mode = NONE;

	if (says(in->content_type, BATCH_TYPE, BATCH, &mode) ||
		says(in->content_type, EVENT_TYPE, STRUCTURED, &mode))
		return mode;
	return inbound_header(in, "ce-specversion").n ? BINARY : NONE;
}

bool cloudevents_declared(const struct inbound *in)
{
	return mode_of(in) != NONE;
}

/* ---- one event ------------------------------------------------------------------------------- */

static const char *missing_attribute(const struct json *event)
{
	static const char *const required[] = { "specversion", "id", "source", "type" };

	for (size_t i = 0; i < ARRAY_SIZE(required); i++)
		if (str_trim(json_text(json_get(event, required[i]))).n == 0)
			return required[i];
	return str_starts(json_text(json_get(event, "specversion")), "1.") ? NULL : required[0];
}

bool cloudevents_shape(const struct json *event)
{
	return json_is(event, JSON_OBJECT) && !missing_attribute(event);
}

static bool check(const struct json *event, struct err *e)
{
	const char *missing = json_is(event, JSON_OBJECT) ? missing_attribute(event) : "body";

	return !missing ||
		err_field(e, ERR_INVALID, missing, "no CloudEvent of version 1.x: %s", missing);
}

/* Bytes that are neither JSON nor text are no data for rows. */
static void add_data(struct arena *a, struct json *event, struct str bytes)
{
	const struct json *data;
	struct err ignored = { 0 };

	if (json_parse(a, bytes, &data, &ignored))
		json_share(a, event, STR("data"), data);
	else if (str_is_utf8(bytes))
		json_add(event, STR("data"), json_new_str(a, bytes));
}

/* What is no base64 is no data either: the specification's own sample has such. */
static void open_data(struct arena *a, struct json *event)
{
	struct str text = json_text(json_get(event, "data_base64")), bytes;

	if (text.n && base64_decode(a, text, false, &bytes))
		add_data(a, event, bytes);
}

/* ---- from the body --------------------------------------------------------------------------- */

static bool read_event(struct arena *a, struct json *event, struct err *e)
{
	if (!check(event, e))
		return false;
	open_data(a, event);
	return true;
}

static bool read_body(struct arena *a, const struct inbound *in, enum mode mode,
	const struct json **doc, struct err *e)
{
	if (!json_parse(a, in->body, doc, e))
		return false;
	if (mode == STRUCTURED)
		return read_event(a, (struct json *)*doc, e);
	if (!json_is(*doc, JSON_ARRAY))
		return err_field(e, ERR_INVALID, "body", "a batch of CloudEvents is a list");
	for (struct json *event = (*doc)->first; event; event = event->next)
		if (!read_event(a, event, e))
			return false;
	return true;
}

/* ---- from headers ---------------------------------------------------------------------------- */

/* RFC 9110 quoted-string; anything else as it stands. */
static struct str unquoted(struct arena *a, struct str s)
{
	struct strbuf b;

	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return s;
	strbuf_init(&b, a, s.n);
	for (size_t i = 1; i + 1 < s.n; i++) {
		i += s.p[i] == '\\' && i + 2 < s.n;
		strbuf_addc(&b, s.p[i]);
	}
	return strbuf_str(&b);
}

static bool is_data(struct str name)
{
	return str_eqs(name, "data") || str_eqs(name, "data_base64") ||
		str_eqs(name, "datacontenttype");
}

static bool add_attributes(struct arena *a, const struct inbound *in, struct json *event,
	struct err *e)
{
	for (size_t i = 0; i < in->header_n; i++) {
		const struct header *h = &in->headers[i];
		struct str name = str_sub(h->name, strlen("ce-")), value;

		if (!str_starts(h->name, "ce-") || is_data(name))
			continue;
		value = url_decode(a, unquoted(a, h->value), false);
		if (!str_is_utf8(value))
			return err_field(e, ERR_INVALID, arena_cstr(a, h->name),
				"a CloudEvents header is no UTF-8");
		json_add(event, name, json_new_str(a, value));
	}
	return true;
}

/* The content type is the data's. Without one it is JSON. */
static bool read_binary(struct arena *a, const struct inbound *in, const struct json **doc,
	struct err *e)
{
	struct str type = inbound_header(in, "content-type");
	struct json *event = json_new(a, JSON_OBJECT);
	const struct json *data;

	*doc = event;
	if (!add_attributes(a, in, event, e) || !check(event, e))
		return false;
	if (type.n)
		json_add(event, STR("datacontenttype"), json_new_str(a, type));
	if (in->body.n == 0)
		return true;
	if (!says_json(in->content_type)) {
		add_data(a, event, in->body);
		return true;
	}
	if (!json_parse(a, in->body, &data, e))
		return false;
	json_share(a, event, STR("data"), data);
	return true;
}

bool cloudevents_parse(struct arena *a, const struct inbound *in, const struct json **doc,
	struct err *e)
{
	enum mode mode = mode_of(in);

	if (mode == OTHER_FORMAT)
		return err_field(e, ERR_INVALID, "content-type",
			"CloudEvents in another format than JSON");
	if (mode == BINARY)
		return read_binary(a, in, doc, e);
	return read_body(a, in, mode, doc, e);
}

/* ---- a sender that asks before it delivers ------------------------------------------------------ */

static bool is_host(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

/* CloudEvents' protection against abuse: a sender asks before it delivers. Its callback is never
 * called: that would be a request of ours to an address that a stranger chose. */
void cloudevents_consent(struct arena *a, const struct inbound *in, struct answer *answer)
{
	struct str origin = inbound_header(in, "webhook-request-origin");

	*answer = (struct answer){ .status = 200, .extra = { { STR("Allow"), STR("POST") } } };
	if (!is_host(origin))
		return;
	answer->extra[1] = (struct header){ STR("WebHook-Allowed-Origin"), origin };
	answer->extra[2] = (struct header){ STR("WebHook-Allowed-Rate"),
		in->per_minute ? arena_printf(a, "%u", in->per_minute) : STR("*") };
}
