/* monitor_alert.c - trouble of the installation itself: raised once, however often it is seen, and ended.
 *
 * "At most one runs" is a unique key, so any number of jobs and workers may see the same trouble at once: one of them begins the monitor
 * alert and the others find it there. As with event ids, who began it is told by whose number the row has. */
#include "store_int.h"

#include "grapnel/json.h"

enum { Q_RAISE, Q_WORSEN, Q_FIND, Q_END, Q_RUNNING, Q_OVER, Q_FLOODS };

#define COLUMNS "id, tenant_id, type, subject, severity, message, advice, value, threshold, started_at, ended_at, lasts_until"

static const struct stmt stmts[] = {
	[Q_RAISE] = { "monitor_alert.raise",
		"INSERT INTO monitor_alerts (id, tenant_id, type, subject, severity, message, advice, value, threshold, started_at, updated_at,"
		" lasts_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE"
		" severity = GREATEST(severity, VALUES(severity)), message = VALUES(message), advice = VALUES(advice), value = VALUES(value),"
		" threshold = VALUES(threshold), updated_at = VALUES(updated_at), lasts_until = VALUES(lasts_until) RETURNING id, severity, started_at" },
	[Q_WORSEN] = { "monitor_alert.worsen",
		"UPDATE monitor_alerts SET severity = ? WHERE tenant_id = ? AND type = ? AND subject = ? AND running = 1 AND severity < ?" },
	[Q_FIND] = { "monitor_alert.find",
		"SELECT " COLUMNS " FROM monitor_alerts WHERE tenant_id = ? AND type = ? AND subject = ? AND running = 1" },
	[Q_END] = { "monitor_alert.end",
		"UPDATE monitor_alerts SET ended_at = ?, updated_at = ? WHERE id = ? AND running = 1" },
	[Q_RUNNING] = { "monitor_alert.running",
		"SELECT " COLUMNS " FROM monitor_alerts WHERE tenant_id = ? AND running = 1 ORDER BY id" },
	[Q_OVER] = { "monitor_alert.over",
		"SELECT " COLUMNS " FROM monitor_alerts FORCE INDEX (by_end) WHERE running = 1 AND (lasts_until <= ? OR lasts_until > ?)"
		" ORDER BY lasts_until LIMIT ?" },
	/* Of the newest refused ones that are kept, those whose proof failed, by source. */
	[Q_FLOODS] = { "monitor_alert.floods",
		"SELECT s.public_id, s.name, COUNT(*) AS refused FROM (SELECT id FROM request_marks WHERE tenant_id = ? AND kind = 1 AND id >= ?"
		" ORDER BY id DESC LIMIT 5000) m JOIN requests r ON r.id = m.id JOIN sources s ON s.id = r.source_id"
		" WHERE r.status = 401 AND s.deleted_at IS NULL GROUP BY r.source_id HAVING refused >= ?" },
};
const struct stmt_table monitor_alert_stmts = { stmts, ARRAY_SIZE(stmts) };

#define TEXT_MAX 512	/* characters of both columns; as bytes it fits at any rate */

static const struct field fields[] = {
	FIELD_ID(struct monitor_alert, id, "id", ""),
	FIELD_ID(struct monitor_alert, tenant_id, "tenant_id", ""),
	FIELD_STR(struct monitor_alert, type, "type", ""),
	FIELD_STR(struct monitor_alert, subject, "subject", ""),
	FIELD_U64(struct monitor_alert, severity, "severity", ""),
	FIELD_STR(struct monitor_alert, message, "message", ""),
	FIELD_STR(struct monitor_alert, advice, "advice", ""),
	FIELD_NUMBER(struct monitor_alert, value, "value", ""),
	FIELD_NUMBER(struct monitor_alert, threshold, "threshold", ""),
	FIELD_TIME(struct monitor_alert, started_at, "started_at", ""),
	FIELD_TIME(struct monitor_alert, ended_at, "ended_at", ""),
	FIELD_TIME(struct monitor_alert, lasts_until, "lasts_until", ""),
	FIELD_END
};

/* A change: what is raised, or the key of what ends; and whether that was done. */
struct change {
	struct arena *a;
	struct id_maker *ids;
	const struct monitor_alert *alert;
	ms_t now;
	bool changed;
};

/* ---- who is to know ---- */

#define DATA_MAX (16 * 1024)

static struct str as_json(struct arena *a, const struct monitor_alert *m)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, DATA_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "id");
	json_id(&o, m->id);
	json_key(&o, "type");
	json_str(&o, m->type);
	json_key(&o, "subject");
	json_str(&o, m->subject);
	json_key(&o, "severity");
	json_strz(&o, monitor_severity_word((enum monitor_severity)m->severity));
	json_key(&o, "message");
	json_str(&o, m->message);
	json_key(&o, "value");
	json_number(&o, m->value);
	json_key(&o, "threshold");
	json_number(&o, m->threshold);
	json_key(&o, "startedAt");
	json_time(&o, m->started_at);
	json_key(&o, "endedAt");
	json_time(&o, m->ended_at);
	json_key(&o, "advice");
	json_str(&o, m->advice);
	json_close(&o, '}');
	return strbuf_str(&b);
}

static bool tell(struct db *db, const struct change *c, const char *type, const struct monitor_alert *m, struct err *e)
{
	static const enum level levels[] = { [MONITOR_WARNING] = LEVEL_MEDIUM, [MONITOR_ERROR] = LEVEL_HIGH, [MONITOR_CRITICAL] = LEVEL_CRITICAL };
	const struct notice notice = { .tenant_id = m->tenant_id, .event = CHANNEL_MONITOR, .cause_id = m->id, .about = m->subject, .type = type,
		.level = levels[m->severity < ARRAY_SIZE(levels) ? m->severity : MONITOR_WARNING], .data = as_json(c->a, m), .traceparent = m->traceparent };
	const struct endpoint_news news = { .tenant_id = m->tenant_id, .cause_id = m->id, .event = type, .summary = m->message, .traceparent = m->traceparent,
		.body = endpoint_body(c->a, type, id_make(c->ids, c->now), notice.data, c->now) };

	return channels_tell(db, c->a, c->ids, &notice, 1, c->now, NULL, e) && endpoints_tell(db, c->a, c->ids, &news, 1, c->now, NULL, e);
}

static bool raise_step(struct db *db, void *ctx, struct err *e)
{
	struct change *c = ctx;
	const struct monitor_alert *m = c->alert;
	struct monitor_alert told = *m, kept = { 0 };
	uint64_t worse = 0;
	const struct val row[] = { V_U(m->id), V_U(m->tenant_id), V_S(m->type), V_S(m->subject), V_U(m->severity),
		V_S(str_cut(m->message, TEXT_MAX)), V_S(str_cut(m->advice, TEXT_MAX)), V_DECIMAL(c->a, m->value), V_DECIMAL(c->a, m->threshold),
		V_I(c->now), V_I(c->now), V_T(m->lasts_until) };

	/* First, since the upsert does not say what it found: of all who see it become worse at once, one changes it and tells. */
	if (!db_exec(db, &stmts[Q_WORSEN], VALS(V_U(m->severity), V_U(m->tenant_id), V_S(m->type), V_S(m->subject), V_U(m->severity)), &worse, e) ||
		!db_bulk_returning(db, &stmts[Q_RAISE], row, 1, ARRAY_SIZE(row), c->a, fields, sizeof(kept), &kept, e))
		return false;
	c->changed = kept.id == m->id;
	told.id = kept.id;
	told.severity = kept.severity;
	told.started_at = kept.started_at;
	if (c->changed)
		return tell(db, c, "monitor.alert_started", &told, e);
	return !worse || tell(db, c, "monitor.alert_raised", &told, e);
}

static bool end_step(struct db *db, void *ctx, struct err *e)
{
	struct change *c = ctx;
	const struct monitor_alert *m = c->alert;
	struct monitor_alert found = { 0 };
	uint64_t changed = 0;
	int known = db_query_one(db, &stmts[Q_FIND], VALS(V_U(m->tenant_id), V_S(m->type), V_S(m->subject)), c->a, fields,
		sizeof(found), &found, e);

	if (known == 1 && !db_exec(db, &stmts[Q_END], VALS(V_I(c->now), V_I(c->now), V_U(found.id)), &changed, e))
		return false;
	c->changed = changed == 1;
	found.ended_at = c->now;
	return known >= 0 && (!c->changed || tell(db, c, "monitor.alert_ended", &found, e));
}

static int carry_out(struct db *db, bool (*step)(struct db *db, void *ctx, struct err *e), struct change *c, struct err *e)
{
	bool ok = db_in_tx(db) ? step(db, c, e) : db_tx(db, step, c, e);

	return ok ? c->changed : -1;
}

int monitor_alert_raise(struct db *db, struct arena *a, struct id_maker *ids, const struct monitor_alert *in, ms_t now, struct err *e)
{
	struct change c = { .a = a, .ids = ids, .alert = in, .now = now };

	return carry_out(db, raise_step, &c, e);
}

int monitor_alert_end(struct db *db, struct arena *a, struct id_maker *ids, uint64_t tenant_id, struct str type, struct str subject, ms_t now,
	struct err *e)
{
	const struct monitor_alert which = { .tenant_id = tenant_id, .type = type, .subject = subject };
	struct change c = { .a = a, .ids = ids, .alert = &which, .now = now };

	return carry_out(db, end_step, &c, e);
}

bool monitor_alerts_running(struct db *db, struct arena *a, uint64_t tenant_id, struct monitor_alert **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_RUNNING], VALS(V_U(tenant_id)), a, fields, sizeof(**out), out, n, e);
}

#define LATEST_MS (2 * MS_PER_DAY)	/* none lasts that long unseen: it was raised by a clock that was ahead */

bool monitor_alerts_over(struct db *db, struct arena *a, ms_t now, size_t limit, struct monitor_alert **out, size_t *n, struct err *e)
{
	return db_query(db, &stmts[Q_OVER], VALS(V_I(now), V_I(now + LATEST_MS), V_U(limit)), a, fields, sizeof(**out), out, n, e);
}

static const struct field flood_fields[] = {
	FIELD_STR(struct proof_flood, public_id, "public_id", ""),
	FIELD_STR(struct proof_flood, name, "name", ""),
	FIELD_U64(struct proof_flood, refused, "refused", ""),
	FIELD_END
};

bool proof_floods(struct db *db, struct arena *a, uint64_t tenant_id, ms_t since, uint64_t at_least, struct proof_flood **out, size_t *n,
	struct err *e)
{
	return db_query(db, &stmts[Q_FLOODS], VALS(V_U(tenant_id), V_U(id_floor(since)), V_U(at_least)), a, flood_fields, sizeof(**out), out, n, e);
}
