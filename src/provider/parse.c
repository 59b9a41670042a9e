/* From the bytes of a body to a tree. What the body looks like decides; the content type is a hint,
 * since curl -d, Kibana and others send JSON as a form or as plain text, and SNS as text/plain. */
#include "grapnel/xml.h"
#include "provider_int.h"

/* First byte that is no blank, behind a byte order mark; 0 for an empty body. */
static char first_byte(struct str body)
{
	if (str_starts(body, "\xef\xbb\xbf"))
		body = str_sub(body, 3);
	body = str_trim(body);
	return body.n ? body.p[0] : '\0';
}

bool says_json(struct str type)
{
	return str_eqs(type, "application/json") || str_eqs(type, "text/json") ||
		str_ends(type, "+json");
}

static bool says_xml(struct str type)
{
	return str_eqs(type, "text/xml") || str_eqs(type, "application/xml") ||
		str_ends(type, "+xml");
}

static bool says_form(struct str type)
{
	return str_eqs(type, "application/x-www-form-urlencoded");
}

static bool says_multipart(struct str type)
{
	return str_eqs(type, "multipart/form-data");
}

static bool says_nothing(struct str type)
{
	return type.n == 0 || str_eqs(type, "text/plain");
}

/* A form is printable ASCII without blanks, with at least one '='. */
static bool looks_like_form(struct str body)
{
	body = str_trim(body);
	for (size_t i = 0; i < body.n; i++)
		if (body.p[i] <= ' ' || body.p[i] > '~')
			return false;
	return str_find(body, '=') > 0;
}

/* What proves the sender in a query is no part of the event. */
static bool is_key(struct str name)
{
	return str_eqs(name, "key") || str_eqs(name, "access_token");
}

static bool parse_form(struct arena *a, struct str text, bool query, const struct json **doc,
	struct err *e)
{
	struct json *object = json_new(a, JSON_OBJECT);
	struct str name, value;

	while (form_next(a, &text, &name, &value)) {
		if (query && is_key(name))
			continue;
		if (object->count == FORM_PAIRS_MAX)
			return err_field(e, ERR_INVALID, "body", "form with over %d members",
				FORM_PAIRS_MAX);
		json_add(object, utf8_clean(a, name), json_new_str(a, utf8_clean(a, value)));
	}
	*doc = object;
	return true;
}

/* A form that carries the JSON in one of its members (GitHub, Slack). */
static bool parse_carrier(const struct provider *p, struct arena *a, struct inbound *in,
	struct err *e)
{
	struct str value;
	bool found;

	if (!p->form_json)
		return parse_form(a, in->body, false, &in->doc, e);
	if (says_multipart(in->content_type))
		found = multipart_find(a, in->body, inbound_header(in, "content-type"),
			p->form_json, &value);
	else
		found = form_find(a, in->body, p->form_json, &value);
	if (!found)
		return err_field(e, ERR_INVALID, p->form_json, "form without member %s",
			p->form_json);
	return json_parse(a, value, &in->doc, e);
}

static bool parse_body(const struct provider *p, struct arena *a, struct inbound *in, struct err *e)
{
	char first = first_byte(in->body);

	if ((p->bodies & BODY_JSON) && (first == '{' || first == '['))
		return (p->bodies & BODY_LOOSE ? json_parse_loose : json_parse)(a, in->body, &in->doc, e);
	if ((p->bodies & BODY_XML) && first == '<')
		return xml_parse(a, in->body, &in->doc, e);
	if (first == '\0') {
		if (!(p->bodies & BODY_EMPTY))
			return err_field(e, ERR_INVALID, "body", "empty body");
		in->doc = json_new(a, JSON_OBJECT);
		return true;
	}
	if ((p->bodies & BODY_FORM) && (says_form(in->content_type) || looks_like_form(in->body)))
		return parse_carrier(p, a, in, e);
	if ((p->bodies & BODY_MULTIPART) && says_multipart(in->content_type))
		return parse_carrier(p, a, in, e);
	if (says_json(in->content_type) || says_nothing(in->content_type))
		return err_field(e, ERR_INVALID, "body", "body is neither an object nor a list");
	if ((p->bodies & BODY_XML) && says_xml(in->content_type))
		return err_field(e, ERR_INVALID, "body", "body is no XML");
	return err_field(e, ERR_INVALID, "content-type", "unsupported");
}

/* Bytes for which nothing here has a form. What says that it is JSON must be. */
static bool is_opaque(const struct provider *p, const struct inbound *in)
{
	char first = first_byte(in->body);

	return (p->bodies & BODY_OPAQUE) && !((first == '{' || first == '[') && says_json(in->content_type));
}

static bool parse(const struct provider *p, struct arena *a, struct inbound *in, struct err *e)
{
	struct err ignored = { 0 };

	if (str_eqs(in->method, "OPTIONS")) {	/* asks before anything is sent: its headers are all of it */
		in->doc = json_new(a, JSON_OBJECT);
		return true;
	}
	if ((p->bodies & BODY_CLOUDEVENTS) && cloudevents_declared(in))
		return cloudevents_parse(a, in, &in->doc, e);
	if ((p->bodies & BODY_QUERY) && str_eqs(in->method, "GET"))
		return parse_form(a, in->query, true, &in->doc, e);
	if (!is_opaque(p, in))
		return parse_body(p, a, in, e);
	if (!parse_body(p, a, in, &ignored))
		in->doc = json_new(a, JSON_OBJECT);
	return true;
}

bool inbound_parse(const struct provider *p, struct arena *a, struct inbound *in, struct err *e)
{
	in->doc = NULL;
	if (!parse(p, a, in, e))
		return false;
	if (p->flags & LOWER_NAMES)
		for (struct json *member = in->doc->first; member; member = member->next)
			member->name = arena_lower(a, member->name);
	return true;
}
