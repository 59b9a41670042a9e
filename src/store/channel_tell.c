/* channel_tell.c - who is told of a thing: rows of the outbox, and how much of a storm people get.
 *
 * A channel that people read takes so many messages in a minute of the clock. What comes more is *bundled*: each message has its row nevertheless, which is
 * done with and says in which other it is told; that one, the digest, is due when the minute is over, and is made of those rows when it is
 * sent (src/outbound/digest.c). All of it stands in the transaction of the cause and under a lock on the channel's row, so there is no message without a digest
 * that tells it and none that is told twice. Whoever sends a digest closes it first under the same lock: what is bundled later has another.
 *
 * What programs read is never bundled: each message is a fact of its own there, and what PagerDuty was told has begun must be told to have ended.
 * So those channels have no limit (src/resource/channel.c), and nothing is locked for them. Tests of a channel are neither counted nor bundled. */
#include "store_int.h"

#include "grapnel/json.h"

enum { Q_TOLD, Q_TOLD_BEFORE, Q_STORMS, Q_STORM_NOTE, Q_STORM_CLOSE };

static const struct stmt stmts[] = {
	[Q_TOLD] = { "channel_tell.told",
		"SELECT id, tenant_id, each_recipient, settings, max_per_minute FROM channels c WHERE tenant_id = ? AND enabled = 1 AND min_level <= ?"
		" AND (events & ? <> 0 OR EXISTS (SELECT 1 FROM service_channels s WHERE s.service_id = ? AND s.channel_id = c.id)) AND public_id <> ?"
		" ORDER BY id" },
	[Q_TOLD_BEFORE] = { "channel_tell.told_before",
		"SELECT STRAIGHT_JOIN w.cause_id, c.id, c.tenant_id, c.each_recipient, c.settings, c.max_per_minute"
		" FROM (SELECT DISTINCT o.cause_id, o.target_id FROM JSON_TABLE(?, '$[*]' COLUMNS (cause BIGINT UNSIGNED PATH '$')) j"
		" JOIN outbox o FORCE INDEX (by_cause) ON o.cause_id = j.cause WHERE o.kind = 1) w JOIN channels c ON c.id = w.target_id WHERE c.enabled = 1"
		" ORDER BY c.id" },
	[Q_STORMS] = { "channel_tell.storms",
		"SELECT STRAIGHT_JOIN c.id, c.storm_minute AS minute, c.storm_n AS n, c.storm_digest AS digest"
		" FROM (SELECT DISTINCT wanted FROM JSON_TABLE(?, '$[*]' COLUMNS (wanted INT UNSIGNED PATH '$')) j) w JOIN channels c ON c.id = w.wanted"
		" ORDER BY c.id FOR UPDATE" },
	[Q_STORM_NOTE] = { "channel_tell.storm_note", "UPDATE channels SET storm_minute = ?, storm_n = ?, storm_digest = ? WHERE id = ?" },
	[Q_STORM_CLOSE] = { "channel_tell.storm_close", "UPDATE channels SET storm_minute = 0, storm_digest = 0 WHERE id = ? AND storm_digest = ?" },
};
const struct stmt_table channel_tell_stmts = { stmts, ARRAY_SIZE(stmts) };

static const struct field fields[] = {
	FIELD_ID(struct channel, id, "id", ""),
	FIELD_ID(struct channel, tenant_id, "tenant_id", ""),
	FIELD_BOOL(struct channel, each_recipient, "each_recipient", ""),
	FIELD_STR(struct channel, settings, "settings", ""),
	FIELD_U64(struct channel, max_per_minute, "max_per_minute", ""),
	FIELD_END
};

/* A channel that was told of a cause. */
struct follower {
	uint64_t cause_id;
	struct channel channel;
};

static const struct field follower_fields[] = {
	FIELD_ID(struct follower, cause_id, "cause_id", ""),
	FIELD_ID(struct follower, channel.id, "id", ""),
	FIELD_ID(struct follower, channel.tenant_id, "tenant_id", ""),
	FIELD_BOOL(struct follower, channel.each_recipient, "each_recipient", ""),
	FIELD_STR(struct follower, channel.settings, "settings", ""),
	FIELD_U64(struct follower, channel.max_per_minute, "max_per_minute", ""),
	FIELD_END
};

/* What a channel was told in a minute. */
struct storm {
	uint64_t id, minute, n, digest;	/* id: channels.id; digest: outbox.id; 0: none yet */
};

static const struct field storm_fields[] = {
	FIELD_ID(struct storm, id, "id", ""),
	FIELD_U64(struct storm, minute, "minute", ""),
	FIELD_U64(struct storm, n, "n", ""),
	FIELD_ID(struct storm, digest, "digest", ""),
	FIELD_END
};

struct str notice_payload(struct arena *a, const char *type, struct str data, ms_t at)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, data.n + 256);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "type");
	json_strz(&o, type);
	json_key(&o, "at");
	json_time(&o, at);
	json_key(&o, "data");
	json_raw(&o, data);
	json_close(&o, '}');
	return strbuf_str(&b);
}

/* ---- rows ---- */

static size_t count_commas(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == ',';
	return n;
}

size_t channel_rows(struct arena *a, struct id_maker *ids, const struct channel *c, const struct outbox_row *like, ms_t now, struct outbox_row **out)
{
	struct err ignored = { 0 };
	const struct json *settings;
	struct str list = STR_NONE;
	size_t n = 0;

	if (c->each_recipient && json_parse(a, c->settings, &settings, &ignored))
		list = json_text(json_get(settings, "to"));
	*out = ARENA_ARRAY(a, struct outbox_row, count_commas(list) + 1);
	do {
		struct str one = str_trim(str_until(&list, ','));

		if (!one.n && c->each_recipient)
			continue;
		(*out)[n] = *like;
		(*out)[n].id = id_make(ids, now);
		(*out)[n++].recipient = one.n ? one : STR_NONE;
	} while (list.n);
	return n;
}

/* Those who want to know of one kind of thing: of many things there are few kinds. */
struct audience {
	uint64_t tenant_id, service_id;
	enum channel_event event;
	enum level level;
	struct str about;	/* as in struct notice */
	struct channel *list;
	size_t n;
};

struct telling {
	struct arena *a;
	struct id_maker *ids;
	ms_t now;
	struct audience *audiences;
	size_t audience_n;
	struct follower *followers;
	size_t follower_n;
	struct storm *storms;
	size_t storm_n;
	struct outbox_row *rows;
	size_t n, max;
};

static void add_rows(struct telling *t, const struct outbox_row *rows, size_t n)
{
	if (t->n + n > t->max) {
		struct outbox_row *more = ARENA_ARRAY(t->a, struct outbox_row, 2 * t->max + n);

		if (t->n)
			memcpy(more, t->rows, t->n * sizeof(*more));
		t->rows = more;
		t->max = 2 * t->max + n;
	}
	memcpy(t->rows + t->n, rows, n * sizeof(*rows));
	t->n += n;
}

static void add(struct telling *t, const struct channel *c, const struct outbox_row *like)
{
	struct outbox_row *rows;
	size_t n = channel_rows(t->a, t->ids, c, like, t->now, &rows);

	add_rows(t, rows, n);
}

/* ---- storms ---- */

/* Where each addressee gets messages of his own, each gets the digest; its number is that of the first. */
static void add_digest(struct telling *t, const struct channel *c, const struct outbox_row *like, struct storm *s)
{
	ms_t over = (ms_t)(s->minute + 1) * MS_PER_MINUTE;
	struct outbox_row digest = { .tenant_id = like->tenant_id, .kind = like->kind, .target_id = like->target_id, .next_at = over, .created_at = t->now };
	struct outbox_row *rows;
	size_t n = channel_rows(t->a, t->ids, c, &digest, t->now, &rows);
	struct str data;

	if (!n)
		return;
	s->digest = rows[0].id;
	data = arena_printf(t->a, "{\"id\":\"%llu\"}", (unsigned long long)s->digest);
	for (size_t i = 0; i < n; i++) {
		rows[i].payload = notice_payload(t->a, DIGEST_TYPE, data, over);
		rows[i].cause_id = s->digest;
	}
	add_rows(t, rows, n);
}

static void add_bundled(struct telling *t, const struct channel *c, const struct outbox_row *like, struct storm *s)
{
	struct outbox_row row = *like;

	if (!s->digest)
		add_digest(t, c, like, s);
	row.id = id_make(t->ids, t->now);
	row.status = OUTBOX_BUNDLED;
	row.bundled_in = s->digest;
	row.finished_at = t->now;
	add_rows(t, &row, 1);
}

/* Clocks of hosts differ by less than a minute: who is a little behind adds to the minute that has begun elsewhere. */
static void storm_turn(struct storm *s, ms_t now)
{
	uint64_t minute = (uint64_t)(now / MS_PER_MINUTE);

	if (s->minute < minute || s->minute > minute + 1)
		*s = (struct storm){ .id = s->id, .minute = minute };
}

static struct storm *storm_of(const struct telling *t, const struct channel *c)
{
	for (size_t i = 0; i < t->storm_n; i++)
		if (t->storms[i].id == c->id)
			return &t->storms[i];
	return NULL;
}

static void tell(struct telling *t, const struct channel *c, const struct outbox_row *like)
{
	struct storm *s = c->max_per_minute ? storm_of(t, c) : NULL;

	if (!s) {
		add(t, c, like);
		return;
	}
	storm_turn(s, t->now);
	if (s->n++ < c->max_per_minute)
		add(t, c, like);
	else
		add_bundled(t, c, like, s);
}

static bool lock_storms(struct db *db, struct telling *t, struct err *e)
{
	size_t max = t->follower_n;
	struct strbuf b;
	struct json_out o;

	for (size_t i = 0; i < t->audience_n; i++)
		for (size_t k = 0; k < t->audiences[i].n; k++)
			max += t->audiences[i].list[k].max_per_minute != 0;
	if (!max)
		return true;
	strbuf_init(&b, t->a, 16 * max + 16);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < t->audience_n; i++)
		for (size_t k = 0; k < t->audiences[i].n; k++)
			if (t->audiences[i].list[k].max_per_minute)
				json_u64(&o, t->audiences[i].list[k].id);
	for (size_t i = 0; i < t->follower_n; i++)
		if (t->followers[i].channel.max_per_minute)
			json_u64(&o, t->followers[i].channel.id);
	json_close(&o, ']');
	return db_query(db, &stmts[Q_STORMS], VALS(V_S(strbuf_str(&b))), t->a, storm_fields, sizeof(*t->storms), &t->storms, &t->storm_n, e);
}

#define NOTE_COLUMNS 4

static bool note_storms(struct db *db, const struct telling *t, struct err *e)
{
	struct val *v = ARENA_ARRAY(t->a, struct val, NOTE_COLUMNS * t->storm_n + 1);

	for (size_t i = 0; i < t->storm_n; i++) {
		const struct storm *s = &t->storms[i];
		const struct val row[NOTE_COLUMNS] = { V_U(s->minute), V_U(s->n), V_U(s->digest), V_U(s->id) };

		memcpy(v + NOTE_COLUMNS * i, row, sizeof(row));
	}
	return db_bulk(db, &stmts[Q_STORM_NOTE], v, t->storm_n, NOTE_COLUMNS, e);
}

bool channel_digest_close(struct db *db, uint64_t channel_id, uint64_t digest, struct err *e)
{
	return db_exec(db, &stmts[Q_STORM_CLOSE], VALS(V_U(channel_id), V_U(digest)), NULL, e);
}

/* ---- all ---- */

/* NULL: the database failed. */
static const struct audience *audience_of(struct db *db, struct telling *t, const struct notice *x, struct err *e)
{
	struct audience *a = &t->audiences[t->audience_n];

	*a = (struct audience){ .tenant_id = x->tenant_id ? x->tenant_id : DEFAULT_TENANT, .service_id = x->service_id, .event = x->event, .level = x->level,
		.about = x->about };
	for (const struct audience *known = t->audiences; known < a; known++)
		if (known->tenant_id == a->tenant_id && known->service_id == a->service_id && known->event == a->event && known->level == a->level &&
			str_eq(known->about, a->about))
			return known;
	if (!db_query(db, &stmts[Q_TOLD], VALS(V_U(a->tenant_id), V_U(a->level), V_U(a->event), V_U(a->service_id), V_S(a->about)), t->a, fields, sizeof(*a->list), &a->list,
		&a->n, e))
		return NULL;
	t->audience_n++;
	return a;
}

/* Those who were told of what is over or in good hands now, though it was none of theirs: by a step of an escalation policy. */
static bool find_followers(struct db *db, struct telling *t, const struct notice *list, size_t n, struct err *e)
{
	size_t wanted = 0;
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, t->a, 24 * n + 16);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		if (list[i].follows) {
			json_u64(&o, list[i].cause_id);
			wanted++;
		}
	json_close(&o, ']');
	return !wanted || db_query(db, &stmts[Q_TOLD_BEFORE], VALS(V_S(strbuf_str(&b))), t->a, follower_fields, sizeof(*t->followers), &t->followers, &t->follower_n, e);
}

static bool is_among(const struct audience *to, uint64_t channel_id)
{
	for (size_t i = 0; i < to->n; i++)
		if (to->list[i].id == channel_id)
			return true;
	return false;
}

static void tell_one(struct telling *t, const struct channel *c, const struct notice *x, struct outbox_row *like)
{
	if (!like->payload.n)
		like->payload = notice_payload(t->a, x->type, x->data, t->now);
	like->tenant_id = c->tenant_id;
	like->target_id = c->id;
	tell(t, c, like);
}

/* Returns how many channels. */
static size_t tell_all(struct telling *t, const struct notice *x, const struct audience *to)
{
	struct outbox_row like = { .kind = OUTBOX_NOTIFICATION, .cause_id = x->cause_id, .traceparent = x->traceparent, .next_at = t->now, .created_at = t->now };
	size_t told = to->n;

	for (size_t i = 0; i < to->n; i++)
		tell_one(t, &to->list[i], x, &like);
	for (size_t i = 0; i < t->follower_n && x->follows; i++) {
		const struct follower *f = &t->followers[i];

		if (f->cause_id != x->cause_id || is_among(to, f->channel.id))
			continue;
		tell_one(t, &f->channel, x, &like);
		told++;
	}
	return told;
}

bool channels_tell(struct db *db, struct arena *a, struct id_maker *ids, const struct notice *list, size_t n, ms_t now, size_t *told, struct err *e)
{
	const struct audience **to = ARENA_ARRAY(a, const struct audience *, n + 1);
	struct telling t = { .a = a, .ids = ids, .now = now, .audiences = ARENA_ARRAY(a, struct audience, n + 1) };
	size_t all = 0;

	for (size_t i = 0; i < n; i++) {
		to[i] = audience_of(db, &t, &list[i], e);
		if (!to[i])
			return false;
	}
	if (!find_followers(db, &t, list, n, e) || !lock_storms(db, &t, e))
		return false;
	for (size_t i = 0; i < n; i++)
		all += tell_all(&t, &list[i], to[i]);
	if (told)
		*told = all;
	return outbox_add_all(db, a, t.rows, t.n, e) && note_storms(db, &t, e);
}

bool channel_page(struct db *db, struct arena *a, struct id_maker *ids, const struct channel *c, const struct outbox_row *like, ms_t now, struct outbox_row **out,
	size_t *n, struct err *e)
{
	struct follower one = { .cause_id = like->cause_id, .channel = *c };
	struct telling t = { .a = a, .ids = ids, .now = now, .followers = &one, .follower_n = 1 };

	if (!lock_storms(db, &t, e))
		return false;
	tell(&t, c, like);
	*out = t.rows;
	*n = t.n;
	return note_storms(db, &t, e);
}
