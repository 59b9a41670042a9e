/* digest.c - the message that tells what a storm had too much of: how many, of which severity, and the gravest by their titles.
 *
 * It is made when it is sent, of the rows that were bundled into it (src/store/channel_tell.c). It is closed before they are read, so that a second attempt
 * says the same. */
#include "grapnel/json.h"

#include "outbound_int.h"

#define READ_MAX 1000		/* of those the gravest are chosen */
#define TITLES_MAX 20		/* what a person reads */
#define TITLE_BYTES 200
#define DATA_MAX (32 * 1024)
#define ARENA_MAX ((size_t)32 << 20)

struct told {
	enum level level;
	struct str type, title;
	uint64_t id;
};

static int gravest_first(const void *x, const void *y)
{
	const struct told *a = x, *b = y;

	return a->level != b->level ? (a->level < b->level) - (a->level > b->level) : (a->id > b->id) - (a->id < b->id);
}

static struct told told_of(struct arena *a, const struct outbox_row *row)
{
	struct told t = { .id = row->id };
	struct err unreadable = { 0 };
	struct message m;

	if (!message_of(a, row->payload, &m, &unreadable))
		return t;
	t.level = m.level;
	t.type = m.type;
	t.title = str_cut(message_headline(a, &m), TITLE_BYTES);
	return t;
}

static void put_counts(struct json_out *o, const struct told *list, size_t n)
{
	json_key(o, "bySeverity");
	json_open(o, '{');
	for (int level = LEVEL_CRITICAL; level >= LEVEL_INFO; level--) {
		uint64_t k = 0;

		for (size_t i = 0; i < n; i++)
			k += (int)list[i].level == level;
		if (!k)
			continue;
		json_key(o, level_word((enum level)level));
		json_u64(o, k);
	}
	json_close(o, '}');
}

static void put_titles(struct json_out *o, const struct told *list, size_t n)
{
	json_key(o, "messages");
	json_open(o, '[');
	for (size_t i = 0; i < n && i < TITLES_MAX; i++) {
		json_open(o, '{');
		json_key(o, "type");
		json_str(o, list[i].type);
		json_key(o, "severity");
		json_strz(o, level_word(list[i].level));
		json_key(o, "title");
		json_str(o, list[i].title);
		json_close(o, '}');
	}
	json_close(o, ']');
}

static struct str data_of(struct arena *a, struct str id, uint64_t all, const struct told *list, size_t n)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, DATA_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "id");
	json_str(&o, id);
	json_key(&o, "count");
	json_u64(&o, all);
	put_counts(&o, list, n);
	put_titles(&o, list, n);
	json_close(&o, '}');
	return strbuf_str(&b);
}

/* Over what the row says of itself. */
static bool fill(struct parcel *p, struct arena *scratch, struct str id, uint64_t number, ms_t at, struct err *e)
{
	struct db *db = courier_config(p->round->courier)->db;
	struct outbox_row *rows;
	struct told *list;
	uint64_t all;
	size_t n;

	if (!channel_digest_close(db, p->row.target_id, number, e) || !outbox_bundled(db, scratch, number, READ_MAX, &rows, &n, &all, e))
		return false;
	list = ARENA_ARRAY(scratch, struct told, n + 1);
	for (size_t i = 0; i < n; i++)
		list[i] = told_of(scratch, &rows[i]);
	qsort(list, n, sizeof(*list), gravest_first);
	p->row.payload = notice_payload(p->round->arena, DIGEST_TYPE, data_of(p->round->arena, id, all, list, n), at);
	return true;
}

static bool open_digest(struct parcel *p, struct err *e)
{
	struct err unreadable = { 0 };
	const struct json *payload;
	struct arena *scratch;
	uint64_t number;
	struct str id;
	ms_t at;
	bool ok;

	if (!json_parse(p->round->arena, p->row.payload, &payload, &unreadable) || !str_eqs(json_text(json_get(payload, "type")), DIGEST_TYPE))
		return true;
	id = json_text(json_get(json_get(payload, "data"), "id"));
	if (!str_u64(id, &number) || !time_parse(json_text(json_get(payload, "at")), &at))
		return true;	/* nobody can read it: so it will be said */
	scratch = arena_new(ARENA_MAX);
	ok = fill(p, scratch, id, number, at, e);
	arena_free(scratch);
	return ok;
}

/* One by one: there is one in a minute. */
bool digests_open(struct round *r, struct err *e)
{
	for (size_t i = 0; i < r->n; i++)
		if (!open_digest(&r->parcels[i], e))
			return false;
	return true;
}
