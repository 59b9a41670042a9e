/* request.c - inbound requests of a tenant, accepted, repeated and refused ones: the list, its counts, and one request.
 *
 * Which index: refused and repeated ones alone are walked by their marks, since they are few among many. Else the sources that the
 * filter names, or all of the tenant, when they are few; else all requests, the others' passed over. Rows hold bodies, so passing
 * them costs more than passing events: REQUEST_SCAN_MAX.
 *
 * No index holds trace ids, since each would cost every insert. But those made here, and by many senders, are UUIDv7, which begin
 * with their time (RFC 9562, section 5.7): so they are looked for around that first, and found however old they are. */
#include <assert.h>

#include "view_int.h"

/* No batch takes that long from its first id to its last. */
#define EVENTS_NEAR_MS MS_PER_SECOND

#define MARKS (1u << REQUEST_REFUSED | 1u << REQUEST_REPEATED)

const struct field request_view_fields[] = {
	FIELD_ID(struct request_view, id, "id", "Our number of the request"),
	FIELD_TIME(struct request_view, received_at, "receivedAt", "Receipt"),
	FIELD_STR(struct request_view, source_id, "sourceId", "The integration or registration it came in by"),
	FIELD_STR(struct request_view, source_name, "sourceName", "What people call that"),
	FIELD_STR(struct request_view, provider, "provider", "Provider slug"),
	FIELD_STR(struct request_view, outcome, "outcome", "accepted, repeated or refused"),
	FIELD_U64(struct request_view, status, "statusCode", "What was answered"),
	FIELD_STR(struct request_view, reason, "reason", "Why it was refused"),
	FIELD_STR(struct request_view, method, "method", "HTTP method"),
	FIELD_STR(struct request_view, uri, "uri", "As sent, the key removed"),
	FIELD_STR(struct request_view, remote_addr, "remoteAddr", "The sender's address"),
	FIELD_STR(struct request_view, trace, "traceId", "X-Request-Id"),
	FIELD_STR(struct request_view, traceparent, "traceparent", "W3C trace context"),
	FIELD_U64(struct request_view, body_bytes, "bodyBytes", "Size as received"),
	FIELD_U64(struct request_view, duration_us, "durationUs", "Receipt to storing, in microseconds"),
	FIELD_U64(struct request_view, event_count, "eventCount", "Events in it, known ones counted in"),
	FIELD_ID(struct request_view, event_id, "eventId", "Its first event, or the one it repeats"),
	FIELD_STR(struct request_view, summary, "summary", "What that event says, in a line"),
	FIELD_BOOL(struct request_view, is_test, "isTest", "Test traffic"),
	FIELD_END
};

static const struct field columns[] = {
	FIELD_U64(struct request_view, id, "id", ""),
	FIELD_U64(struct request_view, tenant_id, "tenant_id", ""),
	FIELD_U64(struct request_view, source_row, "source_row", ""),
	FIELD_STR(struct request_view, source_id, "source_id", ""),
	FIELD_STR(struct request_view, source_name, "source_name", ""),
	FIELD_STR(struct request_view, provider, "provider", ""),
	FIELD_U64(struct request_view, status, "status", ""),
	FIELD_STR(struct request_view, reason, "reason", ""),
	FIELD_STR(struct request_view, method, "method", ""),
	FIELD_STR(struct request_view, uri, "uri", ""),
	FIELD_STR(struct request_view, remote_addr, "remote_addr", ""),
	FIELD_STR(struct request_view, trace, "trace", ""),
	FIELD_STR(struct request_view, traceparent, "traceparent", ""),
	FIELD_U64(struct request_view, body_bytes, "body_bytes", ""),
	FIELD_U64(struct request_view, duration_us, "duration_us", ""),
	FIELD_U64(struct request_view, event_count, "event_count", ""),
	FIELD_U64(struct request_view, event_id, "event_id", ""),
	FIELD_BOOL(struct request_view, is_duplicate, "is_duplicate", ""),
	FIELD_BOOL(struct request_view, is_test, "is_test", ""),
	FIELD_STR(struct request_view, summary, "summary", ""),
	FIELD_STR(struct request_view, headers, "headers", ""),
	FIELD_STR(struct request_view, body, "body", ""),
	FIELD_STR(struct request_view, stages, "stages", ""),
	FIELD_STR(struct request_view, proof, "proof", ""),
	FIELD_END
};

static const char *const outcome_words[] = {
	[REQUEST_ACCEPTED] = "accepted", [REQUEST_REFUSED] = "refused", [REQUEST_REPEATED] = "repeated",
};

static void fill_words(struct request_view *v)
{
	v->received_at = id_time(v->id);
	v->outcome_n = v->reason.p ? REQUEST_REFUSED : v->is_duplicate ? REQUEST_REPEATED : REQUEST_ACCEPTED;
	v->outcome = str_of(outcome_words[v->outcome_n]);
}

/* ---- the list ---- */

static void write_open(struct sql *q)
{
	sql_lit(q, "SELECT " REQUEST_COLUMNS " FROM (");
}

static void write_close(struct sql *q)
{
	sql_lit(q, ") k JOIN requests r ON r.id = k.id JOIN sources s ON s.id = r.source_id ORDER BY r.id DESC");
}

static void write_branch(struct sql *q, const struct branch *b)
{
	switch (b->kind) {
	case BRANCH_ALL:
		sql_lit(q, "SELECT t.id AS id FROM requests t FORCE INDEX (PRIMARY) WHERE TRUE");
		return;
	case BRANCH_SOURCE:
		sql_lit(q, "SELECT t.id AS id FROM requests t FORCE INDEX (by_source) WHERE t.source_id = ");
		sql_val(q, V_U(b->value));
		return;
	case BRANCH_MARK:
		sql_lit(q, "SELECT t.id AS id FROM request_marks t FORCE INDEX (PRIMARY) WHERE t.tenant_id = ");
		sql_val(q, V_U(b->tenant_id));
		sql_lit(q, " AND t.kind = ");
		sql_val(q, V_U(b->value));
		return;
	default:
		assert(!"no such branch of requests");
	}
}

/* Of one row of requests, r. */
static void write_row_conditions(struct sql *q, const struct request_filter *f)
{
	if (f->status) {
		sql_lit(q, " AND r.status = ");
		sql_val(q, V_U(f->status));
	}
	if (f->text.n) {
		sql_lit(q, " AND (r.trace = ");
		sql_val(q, V_S(f->text));
		sql_lit(q, " OR r.remote_addr = ");
		sql_val(q, V_S(f->text));
		sql_lit(q, ")");
	}
}

static bool has_row_conditions(const struct request_filter *f)
{
	return f->status || f->text.n;
}

static bool find_names(struct db *db, struct arena *a, const struct request_filter *f, struct source_filter *out, struct err *e)
{
	*out = (struct source_filter){ .tenant_id = f->tenant_id };
	return find_source(db, a, f->tenant_id, f->provider, f->source, out, e);
}

static void write_residual(struct sql *q, const struct plan *p, const struct branch *b)
{
	const struct request_filter *f = p->filter;
	bool sources = b->kind != BRANCH_SOURCE && (f->tenant_id || names_sources(&p->sources));

	if (b->kind != BRANCH_MARK && f->outcomes) {
		sql_lit(q, " AND 1 << IF(t.reason IS NOT NULL, 1, IF(t.is_duplicate, 2, 0)) & ");
		sql_val(q, V_U(f->outcomes));
	}
	if (!has_row_conditions(f) && !sources)
		return;
	sql_lit(q, " AND (SELECT TRUE FROM requests r JOIN sources s ON s.id = r.source_id WHERE r.id = t.id");
	write_row_conditions(q, f);
	if (sources)
		write_sources(q, &p->sources);
	sql_lit(q, ")");
}

const struct list_table request_table = {
	.name = "view.request_list",
	.branch = write_branch,
	.residual = write_residual,
	.open = write_open,
	.close = write_close,
	.scan = REQUEST_SCAN_MAX,
	.columns = columns,
	.size = sizeof(struct request_view),
};

bool request_plan(struct db *db, struct arena *a, const struct request_filter *f, struct plan *p, struct err *e)
{
	bool marks = f->tenant_id && f->outcomes && !(f->outcomes & ~(uint64_t)MARKS), done = false;

	plan_init(p, f, f->from, f->to, f->cursor, f->limit);
	if (!find_names(db, a, f, &p->sources, e))
		return false;
	p->residual = has_row_conditions(f);
	if (marks) {
		for (unsigned kind = REQUEST_REFUSED; kind <= REQUEST_REPEATED; kind++)
			if (f->outcomes & 1u << kind)
				plan_add(p, BRANCH_MARK, f->tenant_id, kind);
		p->residual = p->residual || names_sources(&p->sources);
		return true;
	}
	p->residual = p->residual || f->outcomes;
	if ((f->tenant_id || names_sources(&p->sources)) && !plan_sources(db, a, p, &done, e))
		return false;
	if (!done) {
		plan_add(p, BRANCH_ALL, 0, 0);
		p->residual = p->residual || f->tenant_id || names_sources(&p->sources);
	}
	return true;
}

static bool list_rows(struct db *db, struct arena *a, const struct request_filter *f, struct request_view **out, size_t *n,
	uint64_t *next, struct err *e)
{
	struct plan p;

	if (!request_plan(db, a, f, &p, e) || !list_run(db, a, &request_table, &p, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		fill_words(&(*out)[i]);
	return true;
}

#define TRACE_BEFORE_MS MS_PER_MINUTE		/* clocks of others differ */
#define TRACE_AFTER_MS (10 * MS_PER_MINUTE)	/* and they try again */

/* The time in a UUIDv7; false for any other text. */
static bool trace_time(struct str text, ms_t *t)
{
	unsigned char b[6];
	char digits[12];

	if (text.n != UUID_TEXT - 1 || text.p[8] != '-' || text.p[13] != '-' || text.p[14] != '7')
		return false;
	memcpy(digits, text.p, 8);
	memcpy(digits + 8, text.p + 9, 4);
	if (!hex_decode((struct str){ digits, sizeof(digits) }, b, sizeof(b)))
		return false;
	*t = 0;
	for (size_t i = 0; i < sizeof(b); i++)
		*t = *t << 8 | b[i];
	return true;
}

/* Around the time that the trace id names, where it names one. */
static bool list_near_trace(struct db *db, struct arena *a, const struct request_filter *f, struct request_view **out, size_t *n,
	struct err *e)
{
	struct request_filter near = *f;
	uint64_t next;
	ms_t t;

	*n = 0;
	if (f->cursor || f->from || f->to || !trace_time(f->text, &t))
		return true;
	near.from = t - TRACE_BEFORE_MS;
	near.to = t + TRACE_AFTER_MS;
	return list_rows(db, a, &near, out, n, &next, e);
}

bool request_view_list(struct db *db, struct arena *a, const struct request_filter *f, struct request_view **out, size_t *n,
	uint64_t *next, struct err *e)
{
	if (!list_near_trace(db, a, f, out, n, e))
		return false;
	if (!*n)
		return list_rows(db, a, f, out, n, next, e);
	*next = 0;
	return true;
}

bool request_view_count(struct db *db, struct arena *a, const struct request_filter *f, struct list_count *out, struct err *e)
{
	struct request_filter whole = *f;
	struct plan p;

	whole.cursor = 0;
	return request_plan(db, a, &whole, &p, e) && list_counted(db, a, &request_table, &p, out, e);
}

/* ---- how many, from the counters of ingest: no row of requests is looked at ---- */

static const struct field count_columns[] = {
	FIELD_U64(struct request_counts, received, "received", ""),
	FIELD_U64(struct request_counts, repeated, "repeated", ""),
	FIELD_U64(struct request_counts, refused, "refused", ""),
	FIELD_END
};

bool request_view_counts(struct db *db, struct arena *a, const struct request_filter *f, ms_t now, struct request_counts *out,
	struct err *e)
{
	struct request_counts *rows = NULL;
	struct source_filter sources;
	size_t n = 0;
	struct sql q;

	if (!find_names(db, a, f, &sources, e))
		return false;
	sql_init(&q, a);
	sql_lit(&q, "SELECT STRAIGHT_JOIN COALESCE(SUM(c.received), 0) AS received, COALESCE(SUM(c.repeated), 0) AS repeated,"
		" COALESCE(SUM(c.errors), 0) AS refused FROM sources s JOIN JSON_TABLE(");
	sql_val(&q, V_S(stats_hours(a, now, REQUEST_COUNT_HOURS)));
	sql_lit(&q, ", '$[*]' COLUMNS (hour INT UNSIGNED PATH '$')) h"
		" JOIN source_stats c ON c.source_id = s.id AND c.hour = h.hour WHERE TRUE");
	write_sources(&q, &sources);
	*out = (struct request_counts){ 0 };
	if (!db_query_sql(db, "view.request_counts", &q, a, count_columns, sizeof(*rows), &rows, &n, e))
		return false;
	if (n)
		*out = rows[0];
	out->accepted = out->received - out->repeated - out->refused;
	return true;
}

/* ---- one request ---- */

int request_view_one(struct db *db, struct arena *a, uint64_t id, struct request_view *out, struct err *e)
{
	int found = db_query_one(db, &view_stmt[V_REQUEST], VALS(V_U(id)), a, columns, sizeof(*out), out, e);

	if (found == 1)
		fill_words(out);
	return found;
}

bool request_view_repeats(struct db *db, struct arena *a, uint64_t event_id, struct request_view **out, size_t *n, struct err *e)
{
	if (!db_query(db, &view_stmt[V_REPEATS], VALS(V_U(event_id), V_U(EVENT_REPEATS_MAX)), a, columns, sizeof(**out), out, n, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		fill_words(&(*out)[i]);
	return true;
}

const struct field step_view_fields[] = {
	FIELD_STR(struct step_view, stage, "stage", "received, proven, mapped, deduplicated, acted or stored"),
	FIELD_STR(struct step_view, state, "state", "done, failed, skipped or unknown"),
	FIELD_TIME(struct step_view, at, "at", "When it was done"),
	FIELD_U64(struct step_view, after_us, "afterUs", "Microseconds since receipt"),
	FIELD_END
};

/* In the order in which they are done; all but the first as requests.stages tells them. */
static const char *const steps[REQUEST_STEPS] = { "received", "proven", "mapped", "deduplicated", "acted", "stored" };

/* Of a refused request the first step that is missing is the one that failed. */
void request_view_steps(const struct request_view *v, struct step_view out[REQUEST_STEPS])
{
	struct str rest = v->stages;
	bool failed = false;

	for (size_t i = 0; i < REQUEST_STEPS; i++) {
		struct str word = i ? str_until(&rest, ' ') : STR("0");
		struct step_view *s = &out[i];

		*s = (struct step_view){ .stage = str_of(steps[i]), .state = STR("unknown") };
		if (str_u64(word, &s->after_us)) {
			s->state = STR("done");
			s->at = v->received_at + (ms_t)(s->after_us / 1000);
		} else if (v->stages.n) {
			s->state = v->outcome_n == REQUEST_REFUSED && !failed ? STR("failed") : STR("skipped");
			failed = true;
		}
	}
}

const struct field proof_view_fields[] = {
	FIELD_STR(struct proof_view, scheme, "scheme", "How it was to be proven: the scheme of its signature, or key; null where it did not come to that"),
	FIELD_END
};

void request_view_proof(struct arena *a, const struct request_view *v, struct proof_view *out)
{
	const struct proof_step *last;
	struct proof_note n;

	*out = (struct proof_view){ 0 };
	if (!proof_note_parse(a, v->proof, &n))
		return;
	out->steps_n = proof_note_explain(a, provider_find(v->provider), &n, out->steps);
	if (!out->steps_n)
		return;
	out->scheme = str_of(n.signature.scheme ? n.signature.scheme : n.key != KEY_NOT_ASKED ? "key" : NULL);
	last = &out->steps[out->steps_n - 1];
	if (!last->ok) {
		out->failed = last->name;
		out->why = last->detail;
	}
}

int request_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t id, struct request_detail *out, struct err *e)
{
	struct request_view *v = &out->request;
	uint64_t end = id_floor(id_time(id) + EVENTS_NEAR_MS);
	int found;

	*out = (struct request_detail){ 0 };
	found = request_view_one(db, a, id, v, e);
	if (found != 1)
		return found;
	if (tenant_id && v->tenant_id != tenant_id)
		return 0;
	request_view_steps(v, out->steps);
	request_view_proof(a, v, &out->proof);
	if (!db_query(db, &view_stmt[V_EVENTS_OF_REQUEST], VALS(V_U(id), V_U(end), V_U(id), V_U(REQUEST_EVENTS_MAX)), a, event_columns,
			sizeof(*out->events), &out->events, &out->events_n, e))
		return -1;
	for (size_t i = 0; i < out->events_n; i++)
		event_view_words(&out->events[i]);
	return 1;
}
