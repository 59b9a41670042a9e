/* Whatever is sent, each adapter gives events that the tables can take, or an error that names a
 * cause; and answers in JSON. */
#include "fuzz_request.h"

#define EVENTS_MAX 256
#define OCCURRED_MAX 253402300799999LL	/* end of the year 9999 */

static void within(struct str s, size_t max)
{
	must(s.n <= max);
	must(str_is_utf8(s));
}

static void check_event(const struct event *ev)
{
	must(ev->event_id.n > 0);
	within(ev->event_id, EVENT_ID_MAX);
	if (ev->invalid) {
		must(!ev->summary.n && !ev->dedup_key.n && !ev->link_n && ev->action == ACTION_IGNORE);
		return;
	}
	must(ev->event_type.n && ev->summary.n);
	within(ev->event_type, EVENT_TYPE_MAX);
	within(ev->summary, SUMMARY_MAX);
	within(ev->dedup_key, DEDUP_KEY_MAX);
	within(ev->description, DESCRIPTION_MAX);
	within(ev->entity_type, EVENT_TEXT_MAX);
	within(ev->entity_id, EVENT_TEXT_MAX);
	within(ev->source, EVENT_TEXT_MAX);
	within(ev->service, EVENT_TEXT_MAX);
	within(ev->native_severity, EVENT_TEXT_MAX);
	must(ev->action == ACTION_IGNORE || ev->dedup_key.n);
	must(ev->action <= ACTION_RESOLVE && ev->severity <= SEVERITY_CRITICAL);
	must(ev->level == level_of(ev->severity, ev->native_severity));
	must(ev->occurred_at >= 0 && ev->occurred_at <= OCCURRED_MAX);
	must(ev->link_n <= EVENT_LINKS_MAX);
	for (size_t i = 0; i < ev->link_n; i++) {
		within(ev->links[i].href, SIZE_MAX);
		within(ev->links[i].text, EVENT_TEXT_MAX);
	}
	must(!ev->custom_details || json_is(ev->custom_details, JSON_OBJECT));
}

static void check_answer(struct arena *a, const struct fuzz_request *rq, const struct refusal *refusal, const struct outcome *out,
	size_t n)
{
	struct answer answer = { 0 };
	const struct json *doc;
	struct err e = { 0 };

	if (!rq->p->answer || !rq->p->answer(rq->p, a, &rq->in, refusal, out, n, &answer))
		return;
	must(answer.status >= 200 && answer.status < 600);
	must(answer.content_type || json_parse(a, answer.body, &doc, &e));
}

static enum outcome_kind outcome_of(const struct event *ev)
{
	static const enum outcome_kind kinds[] = {
		[ACTION_IGNORE] = OUT_IGNORED, [ACTION_TRIGGER] = OUT_TRIGGERED, [ACTION_ACKNOWLEDGE] = OUT_ACKNOWLEDGED,
		[ACTION_RESOLVE] = OUT_RESOLVED,
	};

	return ev->invalid ? OUT_INVALID : kinds[ev->action];
}

static void check_events(struct arena *a, const struct fuzz_request *rq, const struct event *ev, size_t n)
{
	struct outcome *out = ARENA_ARRAY(a, struct outcome, n);

	must(n >= 1 && n <= EVENTS_MAX);
	for (size_t i = 0; i < n; i++) {
		check_event(&ev[i]);
		out[i] = (struct outcome){ .kind = outcome_of(&ev[i]), .event = &ev[i], .event_number = i + 1, .incident = i };
		for (size_t k = 0; k < i; k++)
			must(!str_eq(ev[i].event_id, ev[k].event_id));
	}
	check_answer(a, rq, NULL, out, n);
}

/* It is kept as an event of which nothing follows, or as none. */
static bool check_handshake(struct arena *a, const struct fuzz_request *rq)
{
	struct answer answer = { 0 };
	struct event *ev;
	size_t n;

	if (!provider_handshake(rq->p, a, &rq->in, &answer, &ev, &n))
		return false;
	must(answer.status >= 200 && answer.status < 600 && n <= 1);
	if (n) {
		check_event(ev);
		must(ev->action == ACTION_IGNORE && !ev->dedup_key.n);
	}
	return true;
}

/* What is kept is as long as what came. */
static void check_mask(struct arena *a, const struct fuzz_request *rq)
{
	must(provider_mask(rq->p, a, rq->in.body).n == rq->in.body.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct refusal refusal = { .status = 400, .code = "invalid_payload", .message = "No." };
	struct arena *a = arena_new(256 << 20);
	struct fuzz_request rq;
	struct event *events;
	struct err e = { 0 };

	fuzz_request(a, data, n, &rq);
	check_mask(a, &rq);
	if (!inbound_parse(rq.p, a, &rq.in, &e))
		must(e.code == ERR_INVALID || e.code == ERR_LIMIT);
	else if (!check_handshake(a, &rq)) {
		if (provider_map(rq.p, a, &rq.in, EVENTS_MAX, &events, &n, &e))
			check_events(a, &rq, events, n);
		else
			must(e.code == ERR_INVALID || e.code == ERR_LIMIT);
	}
	check_answer(a, &rq, &refusal, NULL, 0);
	arena_free(a);
	return 0;
}
