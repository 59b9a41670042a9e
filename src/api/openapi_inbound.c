/* openapi_inbound.c - the paths that senders post to, of the table of providers. They belong to src/ingest, which knows no
 * documents; tests/unit/test_openapi asks it about each of them. */
#include "openapi_int.h"

#include "grapnel/ingest.h"

/* ---- the answer that most senders get ---- */

static const struct field outcome_fields[] = {
	{ "action", FIELD_TYPE_STR, 0, "triggered, deduplicated, acknowledged, resolved, ignored or invalid" },
	FIELD_END
};

static const struct field outcome_incident_fields[] = {
	{ "id", FIELD_TYPE_ID, 0, "Our number of the incident" },
	{ "status", FIELD_TYPE_STR, 0, "OPEN, ACKNOWLEDGED or RESOLVED" },
	{ "isDuplicate", FIELD_TYPE_BOOL, 0, "It was open already" },
	FIELD_END
};

static const struct field outcome_event_fields[] = {
	{ "id", FIELD_TYPE_ID, 0, "Our number of the event" },
	FIELD_END
};

static const struct doc_part outcome_parts[] = {
	{ "incident", PART_MAYBE, FIELDS(outcome_incident_fields), .help = "What it opened, joined or changed" },
	{ "event", PART_MAYBE, FIELDS(outcome_event_fields), .help = "What was stored" },
	{ 0 }
};

static const struct doc_part inbound_parts[] = {
	{ "result", PART_ONE, FIELDS(outcome_fields), outcome_parts, "Of the one event of the request" },
	{ "results", PART_ROWS, FIELDS(outcome_fields), outcome_parts, "Of none or several events, in their order" },
	{ 0 }
};

static const struct field inbound_fields[] = {
	{ "status", FIELD_TYPE_STR, 0, "success" },
	{ "received", FIELD_TYPE_BOOL, 0, "What payment providers are told" },
	{ "alreadyProcessed", FIELD_TYPE_BOOL, 0, "All of it was known and is done" },
	{ "duplicate", FIELD_TYPE_BOOL, 0, "All of it was known and is still in work" },
	FIELD_END
};

const struct doc inbound_doc = { .maybe = FIELDS(inbound_fields), .parts = inbound_parts };

/* ---- paths ---- */

static const struct {
	enum method bit;
	const char *name;
} methods[] = { { METHOD_GET, "get" }, { METHOD_POST, "post" }, { METHOD_PUT, "put" }, { METHOD_OPTIONS, "options" } };

static const struct {
	enum body_form bit;
	const char *type;
} media[] = {
	{ BODY_JSON, "application/json" }, { BODY_CLOUDEVENTS, "application/cloudevents+json" },
	{ BODY_CLOUDEVENTS, "application/cloudevents-batch+json" }, { BODY_FORM, "application/x-www-form-urlencoded" }, { BODY_XML, "application/xml" },
};

static void write_body(struct json_out *o, unsigned bodies)
{
	json_key(o, "requestBody");
	json_open(o, '{');
	json_key(o, "content");
	json_open(o, '{');
	for (size_t i = 0; i < ARRAY_SIZE(media); i++)
		if (bodies & media[i].bit) {
			json_key(o, media[i].type);
			json_open(o, '{');
			json_close(o, '}');
		}
	json_close(o, '}');
	json_close(o, '}');
}

static void write_responses(struct json_out *o)
{
	json_key(o, "responses");
	json_open(o, '{');
	json_key(o, "2XX");
	openapi_ref(o, "responses", "Inbound");
	json_key(o, "default");
	openapi_ref(o, "responses", "Error");
	json_close(o, '}');
}

struct inbound_path {
	const char *path, *title, *parameter;	/* the parameter's name in components, or NULL */
	unsigned methods, bodies;
	const char *description;	/* or NULL */
};

/* The proof is the signature or the key, so `security` is empty: no token. */
static void write_path(struct json_out *o, struct arena *a, const struct inbound_path *p)
{
	json_key(o, p->path);
	json_open(o, '{');
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (!(p->methods & methods[i].bit))
			continue;
		json_key(o, methods[i].name);
		json_open(o, '{');
		openapi_head(o, a, methods[i].name, p->path, "inbound", p->title);
		if (p->description)
			member_str(o, "description", p->description);
		json_key(o, "security");
		json_open(o, '[');
		json_close(o, ']');
		if (p->parameter) {
			json_key(o, "parameters");
			json_open(o, '[');
			openapi_ref(o, "parameters", p->parameter);
			json_close(o, ']');
		}
		if (methods[i].bit & (METHOD_POST | METHOD_PUT))
			write_body(o, p->bodies);
		write_responses(o);
		json_close(o, '}');
	}
	json_close(o, '}');
}

static const char *joined(struct arena *a, const char *front, const char *slug, const char *end)
{
	return arena_printf(a, "%s%s%s", front, slug, end).p;
}

void inbound_paths_write(struct json_out *o, struct arena *a)
{
	for (const struct provider *const *p = providers; *p; p++) {
		const char *title = arena_printf(a, "Webhooks of %s.", (*p)->title).p;
		const char *help = arena_printf(a, "%s %s %s", (*p)->about, (*p)->signs, (*p)->on_error).p;
		unsigned verbs = (*p)->methods, bodies = (*p)->bodies;
		const struct inbound_path paths[] = {
			{ joined(a, "/api/integrations/", (*p)->slug, ""), title, "integrationId", verbs, bodies, help },
			{ joined(a, "/api/integrations/", (*p)->slug, "/{id}"), title, "id", verbs, bodies, help },
			{ joined(a, "/api/webhooks/", (*p)->slug, ""), title, "integrationIdOptional", verbs, bodies, help },
			{ joined(a, "/api/webhooks/", (*p)->slug, "/{id}"), title, "id", verbs, bodies, help },
		};

		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			write_path(o, a, &paths[i]);
	}
	write_path(o, a, &(struct inbound_path){ "/webhooks/{id}", "Webhooks of a registration.", "id", METHOD_POST,
		BODY_JSON | BODY_FORM | BODY_XML });
	write_path(o, a, &(struct inbound_path){ "/v2/enqueue", "PagerDuty's Events API v2; the routing key is an integration's key.",
		NULL, METHOD_POST, BODY_JSON });
	write_path(o, a, &(struct inbound_path){ "/v2/change/enqueue", "PagerDuty's change events.", NULL, METHOD_POST, BODY_JSON });
	write_path(o, a, &(struct inbound_path){ "/integrations/generic/20131114/alert/{key}",
		"VictorOps' REST endpoint, for tools that were made for it; a routing key may follow.", "key", METHOD_POST, BODY_JSON });
}

static void write_parameter(struct json_out *o, const char *key, const char *name, const char *in, bool required,
	const char *help)
{
	json_key(o, key);
	json_open(o, '{');
	member_str(o, "name", name);
	member_str(o, "in", in);
	json_key(o, "required");
	json_bool(o, required);
	member_str(o, "description", help);
	json_key(o, "schema");
	json_open(o, '{');
	member_str(o, "type", "string");
	json_close(o, '}');
	json_close(o, '}');
}

void inbound_parameters_write(struct json_out *o)
{
	write_parameter(o, "id", "id", "path", true, "Public id, as in webhookUrl");
	write_parameter(o, "key", "key", "path", true, "Key of an integration of the type splunk-oncall");
	write_parameter(o, "integrationId", "integrationId", "query", true, "Id of the integration");
	write_parameter(o, "integrationIdOptional", "integrationId", "query", false,
		"Id of the integration; without one, the default integration of that type");
}
