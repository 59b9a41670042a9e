/* PagerDuty Events API v2 as a shape of the generic endpoint, so that a tool that speaks PagerDuty
 * needs only another URL. Its key is the sender's own and is kept bare. Answers imitate
 * PagerDuty's: its clients look at status and dedup_key. Source: PagerDuty/developer-docs, Events
 * API v2; the wording of the answers is from there but was not seen on the wire. */
#include "provider_int.h"

#define PAGERDUTY_BODY_MAX (512 * 1024)	/* PagerDuty's own limit */

const char *const pagerduty_paths[] = { "/v2/enqueue", "/v2/change/enqueue", NULL };

static const struct word actions[] = {
	{ "trigger", ACTION_TRIGGER },
	{ "acknowledge", ACTION_ACKNOWLEDGE },
	{ "resolve", ACTION_RESOLVE },
	{ 0 }
};

const struct map pagerduty_fields[] = {
	{ EV_ACTION, "/event_action", WORD, actions },
	{ EV_DEDUP_KEY, "/dedup_key", NATIVE },
	{ EV_SEVERITY, "/payload/severity", WORD, severity_words },
	{ EV_SEVERITY, "'error'", WORD, severity_words, ON_TRIGGER },
	{ EV_NATIVE_SEVERITY, "/payload/severity" },
	{ EV_SUMMARY, "/payload/summary" },
	{ EV_SUMMARY, "{/event_action} {/dedup_key}", .only = ON_ACKNOWLEDGE | ON_RESOLVE },
	{ EV_SOURCE, "/payload/source" },
	{ EV_SERVICE, "/payload/component" },
	{ EV_EVENT_TYPE, "pagerduty.{/event_action|'change'}", LOWER },
	{ EV_ENTITY_TYPE, "'alert'", .only = ON_TRIGGER | ON_ACKNOWLEDGE | ON_RESOLVE },
	{ EV_ENTITY_TYPE, "'change'" },
	{ EV_ENTITY_ID, "/dedup_key" },
	{ EV_OCCURRED, "/payload/timestamp", TIME },
	{ EV_LINK, "/client_url" },
	{ EV_DETAILS, "/payload/custom_details" },
	{ EV_DETAILS, "/payload/component" },
	{ EV_DETAILS, "/payload/group" },
	{ EV_DETAILS, "/payload/class" },
	{ EV_DETAILS, "/client" },
	{ EV_END }
};

bool pagerduty_shape(const struct inbound *in, const struct json *element)
{
	for (size_t i = 0; pagerduty_paths[i]; i++)
		if (str_eqs(in->path, pagerduty_paths[i]))
			return true;
	return !value_absent(str_trim(json_text(json_get(element, "routing_key"))));
}

/* The first member that makes the event unusable, or NULL. */
static const char *missing_member(struct arena *a, const struct where *w, const struct event *ev)
{
	static const struct {
		const char *path, *field;
	} required[] = {
		{ "/payload/summary", "payload.summary" },
		{ "/payload/source", "payload.source" },
		{ "/payload/severity", "payload.severity" },
	};

	if (w->in->body.n > PAGERDUTY_BODY_MAX)
		return "body";
	if (ev->action == ACTION_IGNORE)
		return expr_eval(a, "/event_action", w).n ? "event_action" : NULL;
	if (ev->action != ACTION_TRIGGER)
		return ev->dedup_key.n ? NULL : "dedup_key";
	for (size_t i = 0; i < ARRAY_SIZE(required); i++)
		if (expr_eval(a, required[i].path, w).n == 0)
			return required[i].field;
	return NULL;
}

bool pagerduty_adjust(const struct provider *p, struct arena *a, const struct where *w,
	struct event *ev)
{
	const struct json *links = json_get(w->element, "links"), *link;

	ev->invalid = missing_member(a, w, ev);
	if (ev->invalid)
		return false;
	for (link = json_is(links, JSON_ARRAY) ? links->first : NULL; link; link = link->next)
		event_link(ev, str_trim(json_text(json_get(link, "href"))),
			json_text(json_get(link, "text")));
	/* A trigger that names no key is always a new alert, even if its bytes were seen a minute
	 * ago. */
	if (ev->action == ACTION_TRIGGER && ev->dedup_key.n == 0) {
		ev->dedup_key = expr_eval(a, w->index ? "{$request}#{$index}" : "$request", w);
		ev->entity_id = ev->dedup_key;
		if (ev->event_id.n == 0)
			ev->event_id = ev->dedup_key;
	}
	return true;
}

/* ---- answers --------------------------------------------------------------------------------- */

#define ANSWER_MAX 4096

static void answer_error(struct json_out *o, const struct refusal *refusal, const char *field)
{
	json_key(o, "status");
	if (refusal && refusal->status == 429)
		json_strz(o, "throttle exceeded");
	else
		json_strz(o, refusal && refusal->status >= 500 ? "error" : "invalid event");
	json_key(o, "message");
	json_strz(o, refusal ? refusal->message : "Event object is invalid");
	json_key(o, "errors");
	json_open(o, '[');
	if (field)
		json_strz(o, field);
	json_close(o, ']');
}

static void answer_success(struct json_out *o, const struct event *ev)
{
	json_key(o, "status");
	json_strz(o, "success");
	json_key(o, "message");
	json_strz(o, ev->action == ACTION_IGNORE ? "Change event processed" : "Event processed");
	if (ev->dedup_key.n) {
		json_key(o, "dedup_key");
		json_str(o, ev->dedup_key);
	}
}

bool pagerduty_answer(const struct provider *p, struct arena *a, const struct inbound *in,
	const struct refusal *refusal, const struct outcome *outcomes, size_t n,
	struct answer *answer)
{
	struct json_out o;
	struct strbuf b;

	if (!pagerduty_shape(in, in->doc) || (!refusal && n != 1))
		return false;
	strbuf_init(&b, a, ANSWER_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	if (refusal)
		answer_error(&o, refusal, refusal->field);
	else if (outcomes->kind == OUT_INVALID)
		answer_error(&o, NULL, outcomes->event->invalid);
	else
		answer_success(&o, outcomes->event);
	json_close(&o, '}');
	answer->status = refusal ? refusal->status : outcomes->kind == OUT_INVALID ? 400 : 202;
	answer->body = strbuf_str(&b);
	return true;
}
