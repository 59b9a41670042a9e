/* input.c - what a call brings: numbers in the path, filters in the query, a form in the body. */
#include "api_int.h"

#include <assert.h>

/* A number that is none, or too long, names nothing: as unknown as any other. */
bool input_id(struct call *c, size_t param, uint64_t *id)
{
	return (str_u64(c->match.params[param], id) && *id && *id <= INT64_MAX) ||
		reply_not_found(c);
}

bool input_source(struct call *c, size_t param, struct source *out)
{
	struct err e = { 0 };
	int found = integration_find(&c->by, c->match.params[param], out, &e);

	if (found < 0)
		return reply_err(c, &e);
	return found || reply_not_found(c);
}

bool input_query(struct call *c, const struct form_field *fields, void *out)
{
	struct err e = { 0 };

	assert(call_doc(c)->query == fields);	/* the API document would say otherwise */
	return form_read_query(c->a, c->rq->query, fields, TENANT_PARAMETER, out, &e) || reply_err(c, &e);
}

/* The content type is a hint: `curl -d '{...}'` calls its JSON a form. */
static bool is_json(struct str type, struct str body)
{
	return !type.n || str_eqs(type, "application/json") || str_ends(type, "+json") ||
		str_starts(str_trim(body), "{");
}

static bool inflate_body(struct call *c)
{
	struct request *rq = c->rq;
	struct str coding = request_header(rq, "content-encoding");

	if (!coding.n || str_ieqs(coding, "identity"))
		return true;
	if (!str_ieqs(coding, "gzip") && !str_ieqs(coding, "x-gzip"))
		return reply_refuse(c, 415, "unsupported_media_type",
			"Of content codings only gzip is taken.", NULL);
	switch (gunzip(c->a, rq->body, API_BODY_MAX, &rq->body)) {
	case 0:
		return reply_refuse(c, 413, "body_too_large", "The inflated body is too large.",
			NULL);
	case 1:
		return true;
	default:
		return reply_refuse(c, 400, "invalid_payload",
			"The body is not the gzip that its header says.", NULL);
	}
}

bool input_body(struct call *c, bool optional, const struct json **object)
{
	struct request *rq = c->rq;
	struct err e = { 0 };

	assert(call_doc(c)->body);
	if (optional && !str_trim(rq->body).n) {
		*object = json_new(c->a, JSON_OBJECT);
		return true;
	}
	if (!inflate_body(c))
		return false;
	if (!is_json(rq->content_type, rq->body))
		return reply_refuse(c, 415, "unsupported_media_type",
			"The body must be application/json.", NULL);
	if (!json_parse(c->a, rq->body, object, &e))
		return reply_refuse(c, 400, "invalid_payload",
			"The body is not JSON that we can read.", NULL);
	if (!json_is(*object, JSON_OBJECT))
		return reply_refuse(c, 400, "invalid_payload", "The body must be a JSON object.",
			NULL);
	return true;
}

bool input_form(struct call *c, const struct form_field *fields, bool optional,
	void *out)
{
	const struct json *object;
	struct err e = { 0 };

	assert(call_doc(c)->body == fields);
	return input_body(c, optional, &object) &&
		(form_read_json(c->a, object, fields, FORM_NEW, out, &e) || reply_err(c, &e));
}

bool input_one_tenant(struct call *c)
{
	return c->by.tenant_id ||
		reply_refuse(c, 400, "invalid_request", "Name one tenant here.", "tenant");
}
