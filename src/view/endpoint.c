/* endpoint.c - outbound webhooks as their user sees them: how they fare, what was sent to them and how that went. Secrets never pass through here. */
#include "view_int.h"

const struct field endpoint_view_fields[] = {
	FIELD_STR(struct endpoint_view, id, "id", "Public id"),
	FIELD_STR(struct endpoint_view, url, "url", "Where to"),
	FIELD_JSON(struct endpoint_view, events, "events", "What it is told of: words like incident.opened, incident.* or *"),
	FIELD_BOOL(struct endpoint_view, enabled, "enabled", "A disabled one is told nothing"),
	FIELD_STR(struct endpoint_view, disabled_reason, "disabledReason", "Grapnel switched it off, and why; null = it did not"),
	FIELD_BOOL(struct endpoint_view, retries, "retries", "What failed three quick attempts is tried for some three days more"),
	FIELD_BOOL(struct endpoint_view, has_secret, "hasSecret", "Deliveries are signed"),
	FIELD_TIME(struct endpoint_view, old_secret_until, "oldSecretUntil", "They are signed with the former secret too until then; null = they are not"),
	FIELD_BOOL(struct endpoint_view, is_config, "isConfig", "It is the one of /api/webhooks"),
	FIELD_STR(struct endpoint_view, status, "status",
		"working: the newest attempt was taken; failing: it was not; untried: there was none; or disabled"),
	FIELD_U64(struct endpoint_view, failures, "failures", "Attempts that failed since the newest that was taken"),
	FIELD_TIME(struct endpoint_view, failing_since, "failingSince", "The first of them; after five days it is switched off"),
	FIELD_STR(struct endpoint_view, error, "error", "Why the newest of them failed"),
	FIELD_STR(struct endpoint_view, circuit, "circuit", "closed; open: it failed five times in a row and is left alone; probing: one delivery tries it"),
	FIELD_TIME(struct endpoint_view, circuit_opened_at, "circuitOpenedAt", "Since when it is left alone; null = it is not"),
	FIELD_TIME(struct endpoint_view, probe_at, "nextProbeAt", "When it is tried again; null = it is not left alone"),
	FIELD_TIME(struct endpoint_view, sent_at, "lastDeliveredAt", "Newest delivery that was taken"),
	FIELD_TIME(struct endpoint_view, failed_at, "lastFailedAt", "Newest attempt that failed"),
	FIELD_TIME(struct endpoint_view, created_at, "createdAt", "Creation"),
	FIELD_TIME(struct endpoint_view, updated_at, "updatedAt", "Last change"),
	FIELD_END
};

const struct field endpoint_delivery_view_fields[] = {
	FIELD_ID(struct endpoint_delivery_view, id, "id", "Our number of it, webhook-id and X-Webhook-Delivery of all its attempts"),
	FIELD_STR(struct endpoint_delivery_view, endpoint, "endpointId", "For whom"),
	FIELD_STR(struct endpoint_delivery_view, event, "event", "What it tells"),
	FIELD_STR(struct endpoint_delivery_view, summary, "summary", "Its payload in a line"),
	FIELD_STR(struct endpoint_delivery_view, url, "url", "Where it went, or will go"),
	FIELD_STR(struct endpoint_delivery_view, status, "status", "pending, delivered or failed"),
	FIELD_U64(struct endpoint_delivery_view, attempts, "attempts", "Attempts so far"),
	FIELD_JSON(struct endpoint_delivery_view, http_status, "httpStatus", "Of the newest answer; null = there was none"),
	FIELD_STR(struct endpoint_delivery_view, error, "error", "Why the newest attempt failed"),
	FIELD_TIME(struct endpoint_delivery_view, created_at, "createdAt", "When it came to pass"),
	FIELD_TIME(struct endpoint_delivery_view, next_at, "nextAt", "Next attempt; null = none"),
	FIELD_TIME(struct endpoint_delivery_view, finished_at, "finishedAt", "When it was taken or given up"),
	FIELD_END
};

const struct field webhook_delivery_view_fields[] = {
	FIELD_ID(struct endpoint_delivery_view, id, "id", "Our number of it, X-Webhook-Delivery"),
	FIELD_STR(struct endpoint_delivery_view, event, "event", "What it tells"),
	FIELD_STR(struct endpoint_delivery_view, status, "status", "pending, delivered or failed"),
	FIELD_STR(struct endpoint_delivery_view, url, "url", "Where it went, or will go"),
	FIELD_STR(struct endpoint_delivery_view, summary, "payload_summary", "Its payload in a line of at most 200 characters"),
	FIELD_JSON(struct endpoint_delivery_view, http_status, "http_status", "Of the newest answer; null = there was none"),
	FIELD_U64(struct endpoint_delivery_view, attempts, "attempts", "Attempts so far"),
	FIELD_STR(struct endpoint_delivery_view, error, "failure_reason", "Why the newest attempt failed; null = it did not"),
	FIELD_TIME(struct endpoint_delivery_view, created_at, "created_at", "When it came to pass"),
	FIELD_TIME(struct endpoint_delivery_view, finished_at, "completed_at", "When it was taken or given up; null = it is pending"),
	FIELD_END
};

/* ---- endpoints ---- */

static const struct field columns[] = {
	FIELD_ID(struct endpoint_view, row, "row", ""),
	FIELD_STR(struct endpoint_view, id, "id", ""),
	FIELD_STR(struct endpoint_view, url, "url", ""),
	FIELD_STR(struct endpoint_view, words, "words", ""),
	FIELD_BOOL(struct endpoint_view, enabled, "enabled", ""),
	FIELD_BOOL(struct endpoint_view, retries, "retries", ""),
	FIELD_BOOL(struct endpoint_view, is_config, "is_config", ""),
	FIELD_BOOL(struct endpoint_view, has_secret, "has_secret", ""),
	FIELD_TIME(struct endpoint_view, old_secret_until, "old_secret_until", ""),
	FIELD_STR(struct endpoint_view, disabled_reason, "disabled_reason", ""),
	FIELD_STR(struct endpoint_view, error, "error", ""),
	FIELD_U64(struct endpoint_view, failures, "failures", ""),
	FIELD_TIME(struct endpoint_view, failing_since, "failing_since", ""),
	FIELD_TIME(struct endpoint_view, sent_at, "sent_at", ""),
	FIELD_TIME(struct endpoint_view, failed_at, "failed_at", ""),
	FIELD_TIME(struct endpoint_view, created_at, "created_at", ""),
	FIELD_TIME(struct endpoint_view, updated_at, "updated_at", ""),
	FIELD_U64(struct endpoint_view, circuit_failures, "circuit_failures", ""),
	FIELD_TIME(struct endpoint_view, circuit_opened_at, "circuit_opened_at", ""),
	FIELD_TIME(struct endpoint_view, probe_at, "probe_at", ""),
	FIELD_END
};

static struct str words_json(struct arena *a, struct str words)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 4 * ENDPOINT_EVENTS_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	while (words.n)
		json_str(&o, str_until(&words, ','));
	json_close(&o, ']');
	return strbuf_str(&b);
}

static struct str status_word(const struct endpoint_view *v)
{
	if (!v->enabled)
		return STR("disabled");
	if (v->failures)
		return STR("failing");
	return v->sent_at ? STR("working") : STR("untried");
}

static void fill(struct arena *a, struct endpoint_view *v, ms_t now)
{
	v->events = words_json(a, v->words);
	v->status = status_word(v);
	v->circuit = !v->circuit_opened_at ? STR("closed") : v->probe_at <= now ? STR("probing") : STR("open");
	if (v->old_secret_until <= now)
		v->old_secret_until = 0;
}

int endpoint_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, struct str public_id, ms_t now, struct endpoint_view *out,
	struct err *e)
{
	int found = db_query_one(db, &view_stmt[V_ENDPOINT], VALS(V_S(public_id), V_U(tenant_id), V_U(user_id)), a, columns, sizeof(*out), out, e);

	if (found == 1)
		fill(a, out, now);
	return found;
}

bool endpoint_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, uint64_t cursor, uint64_t limit, ms_t now,
	struct endpoint_view **out, size_t *n, uint64_t *next, struct err *e)
{
	uint64_t below = cursor ? cursor : UINT32_MAX;

	*next = 0;
	if (!db_query(db, &view_stmt[V_ENDPOINTS], VALS(V_U(tenant_id), V_U(user_id), V_U(below), V_U(limit + 1)), a, columns, sizeof(**out), out, n, e))
		return false;
	if (*n > limit) {
		*n = limit;
		*next = (*out)[limit - 1].row;
	}
	for (size_t i = 0; i < *n; i++)
		fill(a, &(*out)[i], now);
	return true;
}

/* ---- what was sent ---- */

static const struct field delivery_columns[] = {
	FIELD_U64(struct endpoint_delivery_view, id, "id", ""),
	FIELD_STR(struct endpoint_delivery_view, endpoint, "endpoint", ""),
	FIELD_BOOL(struct endpoint_delivery_view, endpoint_deleted, "endpoint_deleted", ""),
	FIELD_BOOL(struct endpoint_delivery_view, endpoint_enabled, "endpoint_enabled", ""),
	FIELD_ID(struct endpoint_delivery_view, endpoint_row, "endpoint_row", ""),
	FIELD_STR(struct endpoint_delivery_view, event, "event", ""),
	FIELD_STR(struct endpoint_delivery_view, url, "url", ""),
	FIELD_STR(struct endpoint_delivery_view, summary, "summary", ""),
	FIELD_STR(struct endpoint_delivery_view, payload, "payload", ""),
	FIELD_U64(struct endpoint_delivery_view, status_n, "status_n", ""),
	FIELD_U64(struct endpoint_delivery_view, attempts, "attempts", ""),
	FIELD_STR(struct endpoint_delivery_view, error, "error", ""),
	FIELD_BOOL(struct endpoint_delivery_view, held, "held", ""),
	FIELD_TIME(struct endpoint_delivery_view, next_at, "next_at", ""),
	FIELD_TIME(struct endpoint_delivery_view, created_at, "created_at", ""),
	FIELD_TIME(struct endpoint_delivery_view, finished_at, "finished_at", ""),
	FIELD_U64(struct endpoint_delivery_view, answered, "answered", ""),
	FIELD_END
};

/* Held, next_at is the end of a lease; of what is to end, its end. */
static void delivery_fill(struct arena *a, struct endpoint_delivery_view *v)
{
	v->status = v->status_n == OUTBOX_SENT ? STR("delivered") : v->status_n == OUTBOX_DEAD ? STR("failed") : STR("pending");
	v->http_status = v->answered ? arena_printf(a, "%u", (unsigned)v->answered) : STR_NONE;
	if (v->held || v->finished_at || v->status_n == OUTBOX_ENDING)
		v->next_at = 0;
}

static void write_open(struct sql *q)
{
	sql_lit(q, "SELECT " ENDPOINT_DELIVERY_COLUMNS " FROM (");
}

static void write_close(struct sql *q)
{
	sql_lit(q, ") k JOIN deliveries d ON d.id = k.id" ENDPOINT_DELIVERY_JOINS " ORDER BY d.id DESC");
}

static const struct list_table endpoint_delivery_table = {
	.name = "view.endpoint_deliveries",
	.branch = sent_branch,
	.residual = sent_residual,
	.open = write_open,
	.close = write_close,
	.columns = delivery_columns,
	.size = sizeof(struct endpoint_delivery_view),
};

bool endpoint_delivery_view_list(struct db *db, struct arena *a, const struct sent_filter *f, struct endpoint_delivery_view **out, size_t *n,
	uint64_t *next, struct err *e)
{
	struct plan p;

	sent_plan(f, OUTBOX_DELIVERY, &p);
	if (!list_run(db, a, &endpoint_delivery_table, &p, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		delivery_fill(a, &(*out)[i]);
	return true;
}

bool endpoint_delivery_view_history(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, uint64_t limit,
	struct endpoint_delivery_view **out, size_t *n, struct err *e)
{
	if (!db_query(db, &view_stmt[V_USER_DELIVERIES], VALS(V_U(tenant_id), V_U(user_id), V_U(limit)), a, delivery_columns, sizeof(**out), out, n, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		delivery_fill(a, &(*out)[i]);
	return true;
}

int endpoint_delivery_view_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, uint64_t id, struct endpoint_delivery_view *out,
	struct err *e)
{
	int found = db_query_one(db, &view_stmt[V_USER_DELIVERY], VALS(V_U(id), V_U(tenant_id), V_U(user_id)), a, delivery_columns, sizeof(*out), out, e);

	if (found == 1)
		delivery_fill(a, out);
	return found;
}
