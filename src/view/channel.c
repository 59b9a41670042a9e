/* channel.c - channels as people see them, what was sent to them and how that went. Secrets never pass through here. */
#include "view_int.h"

#include "grapnel/channel.h"

#define EVENTS_TEXT_MAX 256	/* all words */
#define ADDRESSES_TEXT_MAX 16384	/* RECIPIENTS_MAX addresses of 320 bytes, as JSON */

const struct field channel_view_fields[] = {
	FIELD_STR(struct channel_view, id, "id", "Public id"),
	FIELD_STR(struct channel_view, name, "name", "As people know it"),
	FIELD_STR(struct channel_view, kind, "kind", "slack, email, sms, push, pagerduty, webhook, cloudevents or event_grid"),
	FIELD_BOOL(struct channel_view, enabled, "enabled", "A disabled one is told nothing"),
	FIELD_STR(struct channel_view, disabled_reason, "disabledReason", "Grapnel switched it off, and why; null = it did not"),
	FIELD_STR(struct channel_view, status, "status",
		"working: the newest attempt was taken; failing: it was not; untried: there was none; or disabled"),
	FIELD_JSON(struct channel_view, events, "events", "What it is told of"),
	FIELD_STR(struct channel_view, min_severity, "minSeverity", "Nothing below"),
	FIELD_U64(struct channel_view, max_per_minute, "maxPerMinute", "Messages a minute; what comes more is told in one at its end; 0 = no limit, since programs read it"),
	FIELD_STR(struct channel_view, url, "url", "Where to, where that is no secret; of e-mail its own mail server"),
	FIELD_JSON(struct channel_view, to, "to", "Mail addresses or telephone numbers; null = it takes none"),
	FIELD_STR(struct channel_view, from, "from", "Sender of its mails or text messages; null = the one of the configuration"),
	FIELD_STR(struct channel_view, account, "account", "Its own account for text messages"),
	FIELD_STR(struct channel_view, user, "user", "User of its own mail server, or API key of its own account"),
	FIELD_STR(struct channel_view, format, "format", "What its events look like; null = as is usual for its kind"),
	FIELD_BOOL(struct channel_view, has_secret, "hasSecret", "Its secret is set: hook URL, password, token, key or signing secret"),
	FIELD_TIME(struct channel_view, sent_at, "lastSentAt", "Newest message that was taken"),
	FIELD_TIME(struct channel_view, failed_at, "lastFailedAt", "Newest attempt that failed"),
	FIELD_U64(struct channel_view, failures, "failures", "Attempts that failed since then"),
	FIELD_STR(struct channel_view, error, "error", "Why the newest of them failed"),
	FIELD_TIME(struct channel_view, created_at, "createdAt", "Creation"),
	FIELD_TIME(struct channel_view, updated_at, "updatedAt", "Last change"),
	FIELD_END
};

const struct field channel_delivery_view_fields[] = {
	FIELD_ID(struct channel_delivery_view, id, "id", "Our number of the message; its receiver sees it too"),
	FIELD_STR(struct channel_delivery_view, recipient, "recipient", "The telephone number, where each has messages of its own; null = all addressees"),
	FIELD_ID(struct channel_delivery_view, bundled_in, "bundledIn", "The message that tells it, with others of its minute; null = it is told by itself"),
	FIELD_STR(struct channel_delivery_view, type, "type", "What it tells: monitor.alert_started, monitor.alert_raised, monitor.alert_ended, channel.test..."),
	FIELD_STR(struct channel_delivery_view, title, "title", "Its one line"),
	FIELD_STR(struct channel_delivery_view, status, "status",
		"waiting, sending, retrying: attempts failed, there will be others; sent; dead: given up; bundled: told in another message"),
	FIELD_U64(struct channel_delivery_view, attempts, "attempts", "Attempts so far"),
	FIELD_STR(struct channel_delivery_view, error, "error", "Why the newest one failed"),
	FIELD_TIME(struct channel_delivery_view, created_at, "createdAt", "When it came to pass"),
	FIELD_TIME(struct channel_delivery_view, next_at, "nextAt", "Next attempt; null = none"),
	FIELD_TIME(struct channel_delivery_view, finished_at, "finishedAt", "When it was taken or given up"),
	FIELD_END
};

const struct field channel_attempt_view_fields[] = {
	FIELD_U64(struct channel_attempt_view, attempt, "attempt", "1 is the first"),
	FIELD_TIME(struct channel_attempt_view, at, "at", "Its begin"),
	FIELD_U64(struct channel_attempt_view, duration_ms, "durationMs", "To the end of the answer"),
	FIELD_U64(struct channel_attempt_view, http_status, "httpStatus", "Status of the answer, of e-mail the server's code; 0 = no answer"),
	FIELD_STR(struct channel_attempt_view, error, "error", "Why it failed; null = it was taken"),
	FIELD_STR(struct channel_attempt_view, answer, "answer", "The first 4 KiB of the answer"),
	FIELD_END
};

/* ---- channels ---- */

static struct str events_json(struct arena *a, uint64_t events)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, EVENTS_TEXT_MAX);
	json_out_init(&o, &b);
	channel_events_json(&o, events);
	return strbuf_str(&b);
}

static struct str events_text(struct arena *a, uint64_t events)
{
	struct strbuf b;

	strbuf_init(&b, a, EVENTS_TEXT_MAX);
	for (const struct channel_event_name *x = channel_event_names; x->word; x++)
		if (events & x->bit)
			strbuf_addf(&b, "%s%s", b.n ? ", " : "", x->label);
	return strbuf_str(&b);
}

static struct str addresses_json(struct arena *a, struct str list)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, ADDRESSES_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	while (list.n) {
		struct str one = str_trim(str_until(&list, ','));

		if (one.n)
			json_str(&o, one);
	}
	json_close(&o, ']');
	return strbuf_str(&b);
}

/* "a@example.org, b@example.org" */
static struct str addresses_text(struct arena *a, struct str list)
{
	struct strbuf b;

	strbuf_init(&b, a, ADDRESSES_TEXT_MAX);
	while (list.n) {
		struct str one = str_trim(str_until(&list, ','));

		strbuf_addf(&b, "%s%.*s", b.n ? ", " : "", STR_ARG(one));
	}
	return strbuf_str(&b);
}

static struct str status_word(const struct channel *c)
{
	if (!c->enabled)
		return STR("disabled");
	if (c->failures)
		return STR("failing");
	return c->sent_at ? STR("working") : STR("untried");
}

/* "https://hooks.example.org/x" is hooks.example.org. */
static struct str host_of(struct str url)
{
	(void)str_until(&url, '/');
	(void)str_until(&url, '/');
	return str_until(&url, '/');
}

void channel_view_fill(struct arena *a, const struct channel *c, struct channel_view *out)
{
	const struct channel_kind *kind = channel_kind_find(c->kind);
	struct channel_settings s;

	channel_settings_read(a, c->settings, &s);
	*out = (struct channel_view){
		.id = c->public_id, .name = c->name, .kind = c->kind, .kind_title = kind ? str_of(kind->title) : c->kind,
		.status = status_word(c), .disabled_reason = c->disabled_reason, .error = c->error, .events = events_json(a, c->events),
		.told_of = events_text(a, c->events),
		.min_severity = str_of(level_word((enum level)c->min_level)), .max_per_minute = c->max_per_minute,
		.url = s.part[PART_URL], .from = s.part[PART_FROM], .account = s.part[PART_ACCOUNT], .user = s.part[PART_USER], .format = s.part[PART_FORMAT],
		.to = s.part[PART_TO].n ? addresses_json(a, s.part[PART_TO]) : STR_NONE,
		.goes_to = s.part[PART_TO].n ? addresses_text(a, s.part[PART_TO]) : host_of(s.part[PART_URL]),
		.enabled = c->enabled, .has_secret = c->has_secret, .failures = c->failures, .sent_at = c->sent_at, .failed_at = c->failed_at,
		.created_at = c->created_at, .updated_at = c->updated_at,
	};
	null_if_empty(&out->url);
	null_if_empty(&out->from);
	null_if_empty(&out->account);
	null_if_empty(&out->user);
	null_if_empty(&out->format);
}

bool channel_view_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t cursor, uint64_t limit, struct channel_view **out, size_t *n,
	uint64_t *next, struct err *e)
{
	struct channel *rows;

	*next = 0;
	if (!channel_list(db, a, tenant_id, cursor, limit + 1, &rows, n, e))
		return false;
	if (*n > limit) {
		*n = limit;
		*next = rows[limit - 1].id;
	}
	*out = ARENA_ARRAY(a, struct channel_view, *n + 1);
	for (size_t i = 0; i < *n; i++)
		channel_view_fill(a, &rows[i], &(*out)[i]);
	return true;
}

/* ---- what was sent ---- */

static const struct field columns[] = {
	FIELD_U64(struct channel_delivery_view, id, "id", ""),
	FIELD_STR(struct channel_delivery_view, recipient, "recipient", ""),
	FIELD_ID(struct channel_delivery_view, bundled_in, "bundled_in", ""),
	FIELD_STR(struct channel_delivery_view, payload, "payload", ""),
	FIELD_U64(struct channel_delivery_view, status_n, "status", ""),
	FIELD_U64(struct channel_delivery_view, attempts, "attempts", ""),
	FIELD_U64(struct channel_delivery_view, attempts_max, "attempts_max", ""),
	FIELD_STR(struct channel_delivery_view, error, "error", ""),
	FIELD_BOOL(struct channel_delivery_view, held, "held", ""),
	FIELD_TIME(struct channel_delivery_view, next_at, "next_at", ""),
	FIELD_TIME(struct channel_delivery_view, created_at, "created_at", ""),
	FIELD_TIME(struct channel_delivery_view, finished_at, "finished_at", ""),
	FIELD_END
};

struct str outbox_word(uint64_t status, bool held, uint64_t attempts)
{
	switch ((enum outbox_status)status) {
	case OUTBOX_SENT:
		return STR("sent");
	case OUTBOX_DEAD:
	case OUTBOX_ENDING:
		return STR("dead");
	case OUTBOX_BUNDLED:
		return STR("bundled");
	case OUTBOX_UNNEEDED:
		return STR("unneeded");
	case OUTBOX_WAITING:
	case OUTBOX_FAILED:
		break;
	}
	return held ? STR("sending") : attempts ? STR("retrying") : STR("waiting");
}

void message_words(struct arena *a, struct str payload, struct str *type, struct str *title)
{
	struct message m = { 0 };
	struct err unreadable = { 0 };

	if (!message_of(a, payload, &m, &unreadable))
		return;
	*type = m.type;
	*title = message_headline(a, &m);
}

/* Held, next_at is the end of a lease. */
static void delivery_fill(struct arena *a, struct channel_delivery_view *v)
{
	v->status = outbox_word(v->status_n, v->held, v->attempts);
	if (v->held || v->finished_at)
		v->next_at = 0;
	message_words(a, v->payload, &v->type, &v->title);
}

static void write_open(struct sql *q)
{
	sql_lit(q, "SELECT " CHANNEL_DELIVERY_COLUMNS " FROM (");
}

static void write_close(struct sql *q)
{
	sql_lit(q, ") k JOIN outbox o ON o.id = k.id ORDER BY o.id DESC");
}

const struct list_table channel_delivery_table = {
	.name = "view.channel_deliveries",
	.branch = sent_branch,
	.residual = sent_residual,
	.open = write_open,
	.close = write_close,
	.columns = columns,
	.size = sizeof(struct channel_delivery_view),
};

bool channel_delivery_view_list(struct db *db, struct arena *a, const struct sent_filter *f, struct channel_delivery_view **out, size_t *n,
	uint64_t *next, struct err *e)
{
	struct plan p;

	sent_plan(f, OUTBOX_NOTIFICATION, &p);
	if (!list_run(db, a, &channel_delivery_table, &p, out, n, next, e))
		return false;
	for (size_t i = 0; i < *n; i++)
		delivery_fill(a, &(*out)[i]);
	return true;
}

int channel_delivery_view_get(struct db *db, struct arena *a, uint64_t channel_row, uint64_t id, struct channel_delivery_view *out,
	struct err *e)
{
	int found = db_query_one(db, &view_stmt[V_CHANNEL_DELIVERY], VALS(V_U(id), V_U(channel_row)), a, columns, sizeof(*out), out, e);

	if (found == 1)
		delivery_fill(a, out);
	return found;
}

static const struct field attempt_columns[] = {
	FIELD_U64(struct channel_attempt_view, attempt, "attempt", ""),
	FIELD_TIME(struct channel_attempt_view, at, "at", ""),
	FIELD_U64(struct channel_attempt_view, duration_ms, "duration_ms", ""),
	FIELD_U64(struct channel_attempt_view, http_status, "status", ""),
	FIELD_STR(struct channel_attempt_view, error, "error", ""),
	FIELD_STR(struct channel_attempt_view, answer, "answer", ""),
	FIELD_END
};

bool channel_attempt_view_list(struct db *db, struct arena *a, uint64_t delivery, struct channel_attempt_view **out, size_t *n, struct err *e)
{
	return db_query(db, &view_stmt[V_CHANNEL_ATTEMPTS], VALS(V_U(delivery)), a, attempt_columns, sizeof(**out), out, n, e);
}
