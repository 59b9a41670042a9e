/* Pub/Sub push: a message of a Google Cloud topic as a POST, in its envelope or without it.
 * Wrapped, the body is JSON and holds the data in base64; unwrapped, the body is the data, and what
 * the envelope would say is in headers, if the subscription writes them.
 *
 * Either becomes one object: subscription, messageId, publishTime, orderingKey, attributes, data.
 * Data is the JSON that it holds, or its text; bytes that are neither are no data for rows.
 * Sources: Cloud Pub/Sub "Push subscriptions", "Payload unwrapping", pubsub.proto (2026-11). */
#include "provider_int.h"

#define HEADER "x-goog-pubsub-"

static void add_text(struct arena *a, struct json *to, const char *name, struct str text)
{
	if (text.n)
		json_add(to, str_of(name), json_new_str(a, text));
}

/* Gmail's data is in the URL alphabet, all other in the standard one. */
static bool decode(struct arena *a, struct str text, struct str *out)
{
	return base64_decode(a, text, false, out) || base64_decode(a, text, true, out);
}

static void add_data(struct arena *a, struct json *message, struct str bytes)
{
	const struct json *data;
	struct err ignored = { 0 };

	if (json_parse(a, bytes, &data, &ignored))
		json_share(a, message, STR("data"), data);
	else if (str_is_utf8(bytes))
		add_text(a, message, "data", bytes);
}

static const struct json *wrapped(struct arena *a, const struct json *envelope,
	const struct json *in)
{
	struct json *out = json_new(a, JSON_OBJECT);
	const struct json *attributes = json_get(in, "attributes");
	struct str id = json_text(json_get(in, "messageId")), bytes;
	struct str at = json_text(json_get(in, "publishTime"));

	add_text(a, out, "subscription", json_text(json_get(envelope, "subscription")));
	add_text(a, out, "messageId", id.n ? id : json_text(json_get(in, "message_id")));
	add_text(a, out, "publishTime", at.n ? at : json_text(json_get(in, "publish_time")));
	add_text(a, out, "orderingKey", json_text(json_get(in, "orderingKey")));
	if (json_is(attributes, JSON_OBJECT) && attributes->count)
		json_share(a, out, STR("attributes"), attributes);
	if (decode(a, json_text(json_get(in, "data")), &bytes))
		add_data(a, out, bytes);
	return out;
}

/* Attributes that rows look for, and the headers that they become. */
static const struct {
	const char *header, *attribute;
} attribute_headers[] = {
	{ "eventtype", "eventType" },
	{ "event-type", "event_type" },
	{ "event_type", "event_type" },
	{ "resource", "resource" },
	{ "resourcename", "resourceName" },
};

static void add_attribute(struct arena *a, struct json *attributes, const struct header *h)
{
	if (str_starts(h->name, "ce-")) {
		json_add(attributes, h->name, json_new_str(a, h->value));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(attribute_headers); i++)
		if (str_eqs(h->name, attribute_headers[i].header))
			add_text(a, attributes, attribute_headers[i].attribute, h->value);
}

static const struct json *unwrapped(struct arena *a, const struct inbound *in)
{
	struct json *out = json_new(a, JSON_OBJECT), *attributes = json_new(a, JSON_OBJECT);

	add_text(a, out, "subscription", inbound_header(in, HEADER "subscription-name"));
	add_text(a, out, "messageId", inbound_header(in, HEADER "message-id"));
	add_text(a, out, "publishTime", inbound_header(in, HEADER "publish-time"));
	add_text(a, out, "orderingKey", inbound_header(in, HEADER "ordering-key"));
	for (size_t i = 0; i < in->header_n; i++)
		add_attribute(a, attributes, &in->headers[i]);
	if (attributes->count)
		json_share(a, out, STR("attributes"), attributes);
	if (in->doc->count)
		json_share(a, out, STR("data"), in->doc);
	else
		add_data(a, out, in->body);
	return out;
}

/* The message of an envelope, or NULL: what is unwrapped may have a member of that name. */
static const struct json *enveloped(const struct json *doc)
{
	static const char *const members[] = { "data", "attributes", "messageId", "message_id" };
	const struct json *message = json_get(doc, "message");

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (json_get(message, members[i]))
			return message;
	return NULL;
}

bool pubsub_declared(const struct inbound *in)
{
	return enveloped(in->doc) || inbound_header(in, HEADER "message-id").n > 0;
}

const struct json *pubsub_message(struct arena *a, const struct inbound *in)
{
	const struct json *message = enveloped(in->doc);

	return message ? wrapped(a, in->doc, message) : unwrapped(a, in);
}
