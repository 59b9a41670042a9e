/* cmd_map.c - what a captured request would become: the pipeline's own stages, without a database and without a proof. */
#include "ctl_request.h"

#include "grapnel/ingest.h"

struct mapped {
	struct str action, severity, native_severity, dedup_key, summary, source, event_id, event_type, entity_type, entity_id;
	ms_t occurred_at;
	struct str links, invalid;
};

static const struct field mapped_fields[] = {
	FIELD_STR(struct mapped, action, "action", ""),
	FIELD_STR(struct mapped, severity, "severity", ""),
	FIELD_STR(struct mapped, native_severity, "nativeSeverity", ""),
	FIELD_STR(struct mapped, dedup_key, "dedupKey", ""),
	FIELD_STR(struct mapped, summary, "summary", ""),
	FIELD_STR(struct mapped, source, "source", ""),
	FIELD_STR(struct mapped, event_id, "eventId", ""),
	FIELD_STR(struct mapped, event_type, "eventType", ""),
	FIELD_STR(struct mapped, entity_type, "entityType", ""),
	FIELD_STR(struct mapped, entity_id, "entityId", ""),
	FIELD_TIME(struct mapped, occurred_at, "occurredAt", ""),
	FIELD_JSON(struct mapped, links, "links", ""),
	FIELD_END
};

/* Of an element that could not be mapped while others could. */
static const struct field invalid_fields[] = {
	FIELD_STR(struct mapped, invalid, "invalid", ""),
	FIELD_STR(struct mapped, event_id, "eventId", ""),
	FIELD_END
};

struct told {
	uint64_t status;
	struct str content_type, body;
};

static const struct field told_fields[] = {
	FIELD_U64(struct told, status, "status", ""),
	FIELD_STR(struct told, content_type, "contentType", ""),
	FIELD_STR(struct told, body, "body", ""),
	FIELD_END
};

struct refused {
	struct str error, message, field;
};

static const struct field refused_fields[] = {
	FIELD_STR(struct refused, error, "error", ""),
	FIELD_STR(struct refused, message, "message", ""),
	FIELD_STR(struct refused, field, "field", ""),
	FIELD_END
};

static struct str or_null(struct str s)
{
	return s.n ? s : STR_NONE;
}

static struct str links_json(struct arena *a, const struct event *ev)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, CTL_JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < ev->link_n; i++)
		json_str(&o, ev->links[i].href);
	json_close(&o, ']');
	return strbuf_str(&b);
}

static struct mapped mapped_of(struct arena *a, const struct event *ev)
{
	return (struct mapped){
		.action = str_of(action_word(ev->action)), .severity = str_of(severity_word(ev->severity)),
		.native_severity = or_null(ev->native_severity), .dedup_key = or_null(ev->dedup_key), .summary = ev->summary,
		.source = or_null(ev->source), .event_id = ev->event_id, .event_type = ev->event_type,
		.entity_type = or_null(ev->entity_type), .entity_id = or_null(ev->entity_id),
		.occurred_at = ev->occurred_at, .links = links_json(a, ev), .invalid = str_of(ev->invalid),
	};
}

static struct told told_of(const struct answer *x)
{
	return (struct told){ x->status, str_of(x->content_type ? x->content_type : "application/json"),
		x->body.n ? x->body : STR("") };
}

static void print_json(struct ctl *c, const struct ingest_dry *dry)
{
	struct told told = told_of(&dry->answer);
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, c->arena, CTL_JSON_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "events");
	json_open(&o, '[');
	for (size_t i = 0; i < dry->event_n; i++) {
		struct mapped m = mapped_of(c->arena, dry->events[i]);

		json_open(&o, '{');
		json_fields(&o, m.invalid.n ? invalid_fields : mapped_fields, &m);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_key(&o, "answer");
	json_open(&o, '{');
	json_fields(&o, told_fields, &told);
	json_close(&o, '}');
	json_close(&o, '}');
	ctl_json_print(&b);
}

static void print_text(struct ctl *c, const struct ingest_dry *dry)
{
	struct told told = told_of(&dry->answer);

	for (size_t i = 0; i < dry->event_n; i++) {
		struct mapped m = mapped_of(c->arena, dry->events[i]);

		printf("event %zu of %zu\n", i + 1, dry->event_n);
		ctl_one(c, m.invalid.n ? invalid_fields : mapped_fields, &m);
		putchar('\n');
	}
	puts(dry->handshake ? "a handshake; the sender is answered" : "the sender is answered");
	ctl_one(c, told_fields, &told);
}

/* Why, in a sentence: what the sender is told, and what only the log says. */
static struct refused refused_of(struct arena *a, const struct refusal *r)
{
	struct str message = str_of(r->message);

	if (r->reason && !str_eqs(message, r->reason))
		message = arena_printf(a, "%.*s: %s", (int)message.n - str_ends(message, "."), message.p, r->reason);
	return (struct refused){ str_of(r->code), message, str_of(r->field) };
}

static bool map(struct ctl *c, struct err *e)
{
	const struct provider *p;
	struct ingest_dry dry;
	struct inbound in;

	if (!ctl_request(c, &p, &in, e))
		return false;
	ingest_dry(c->arena, p, &in, &dry);
	if (dry.refusal.status) {
		struct refused refused = refused_of(c->arena, &dry.refusal);

		ctl_one(c, refused_fields, &refused);
		c->said_no = true;
	} else if (c->json) {
		print_json(c, &dry);
	} else {
		print_text(c, &dry);
	}
	return true;
}

static const struct ctl_option options[] = {
	CTL_REQUEST_OPTIONS,
	{ 0 }
};

const struct command map_commands[] = {
	{ "map", "TYPE", options, 0, map, "shows what a captured request would become, and its answer" },
	{ 0 }
};
