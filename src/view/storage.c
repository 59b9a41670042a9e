/* storage.c - how large the tables are, how fast they grow, and when the disk is full.
 *
 * Growth is measured, not computed from what comes in: the difference to what the job `storage` noted up to a week ago. So everything counts,
 * also what cleanup removes. As long as the oldest event is younger than events are kept, nothing goes yet: then the tables grow until that
 * day and stand still afterwards, if as much comes as before. */
#include <inttypes.h>

#include "view_int.h"

#define GROWTH_MS (7 * MS_PER_DAY)		/* looks back so far: working days and a weekend */
#define GROWTH_MIN_MS (6 * MS_PER_HOUR)		/* less says nothing of a day */
#define FORECAST_MAX_DAYS 3650

const struct field storage_view_fields[] = {
	FIELD_U64(struct storage_view, bytes, "bytes", "Size of all tables with their indexes"),
	FIELD_I64(struct storage_view, bytes_per_day, "bytesPerDay", "How fast they grow; 0 while since is null"),
	FIELD_TIME(struct storage_view, since, "since", "The growth is that from then to now; null: not known yet"),
	FIELD_TIME(struct storage_view, steady_at, "steadyAt",
		"From then on as much goes as comes, since the oldest events reach their age; null: that is so already"),
	FIELD_U64(struct storage_view, disk_bytes, "diskBytes", "Size of the database's disk; 0: it is not seen from here"),
	FIELD_U64(struct storage_view, disk_free, "diskFreeBytes", "What is free of it"),
	FIELD_TIME(struct storage_view, full_at, "fullAt", "When the disk is full at this growth; null: not, or not known"),
	FIELD_U64(struct storage_view, days_left, "daysLeft", "Days until then; 0 as well while fullAt is null"),
	FIELD_STR(struct storage_view, forecast, "forecast", "All that in a sentence"),
	FIELD_END
};

const struct field table_view_fields[] = {
	FIELD_STR(struct table_view, name, "name", "The table"),
	FIELD_U64(struct table_view, rows, "rows", "About how many rows it has"),
	FIELD_U64(struct table_view, bytes, "bytes", "Size with its indexes"),
	FIELD_I64(struct table_view, bytes_per_day, "bytesPerDay", "How fast it grows"),
	FIELD_END
};

struct look {
	struct str folder;
	ms_t since;
	uint64_t oldest_event;
};

static const struct field look_columns[] = {
	FIELD_STR(struct look, folder, "folder", ""),
	FIELD_TIME(struct look, since, "since", ""),
	FIELD_ID(struct look, oldest_event, "oldest_event", ""),
	FIELD_END
};

static const struct field table_columns[] = {
	FIELD_STR(struct table_view, name, "name", ""),
	FIELD_U64(struct table_view, rows, "row_count", ""),
	FIELD_U64(struct table_view, bytes, "bytes", ""),
	FIELD_U64(struct table_view, bytes_then, "bytes_then", ""),
	FIELD_END
};

/* ---- the forecast: pure ---- */

static const char *day(ms_t t, char out[TIME_TEXT])
{
	time_format(t, out);
	out[10] = '\0';
	return out;
}

static struct str days_text(struct arena *a, uint64_t days)
{
	return days < 2 ? STR("within a day or two") : arena_printf(a, "in %" PRIu64 " days", days);
}

static struct str sentence(struct arena *a, const struct storage_view *s, ms_t now)
{
	char on[TIME_TEXT], until[TIME_TEXT] = "";
	struct str speed;

	if (!s->since)
		return STR("How fast the tables grow is known some hours after the job storage ran first.");
	if (s->bytes_per_day <= 0)
		return STR("The tables do not grow.");
	speed = bytes_text(a, (uint64_t)s->bytes_per_day);
	if (s->steady_at)
		day(s->steady_at, until);
	if (!s->disk_bytes)
		return arena_printf(a, "The tables grow by %.*s a day%s%s. The database is on another host: how full its disk is cannot be seen"
			" from here.", STR_ARG(speed), *until ? " until " : "", until);
	if (s->full_at)
		return arena_printf(a, "The tables grow by %.*s a day: the disk is full %.*s, on %s%s%s%s.", STR_ARG(speed),
			STR_ARG(days_text(a, s->days_left)), day(s->full_at, on), *until ? "; only from " : "", until,
			*until ? " on would as much go as comes" : "");
	if (s->steady_at && s->steady_at > now)
		return arena_printf(a, "The tables grow by %.*s a day until %s, from when on as much goes as comes; the disk has room for that.",
			STR_ARG(speed), until);
	return arena_printf(a, "The tables grow by %.*s a day; the disk has room for more than ten years of that.", STR_ARG(speed));
}

void storage_forecast(struct arena *a, ms_t now, struct storage_view *s)
{
	s->full_at = 0;
	s->days_left = 0;
	if (s->since && s->bytes_per_day > 0 && s->disk_bytes) {
		uint64_t days = s->disk_free / (uint64_t)s->bytes_per_day;
		ms_t full_at = days <= FORECAST_MAX_DAYS ? now + (ms_t)days * MS_PER_DAY : 0;

		if (full_at && (!s->steady_at || full_at < s->steady_at)) {
			s->full_at = full_at;
			s->days_left = days;
		}
	}
	s->forecast = sentence(a, s, now);
}

/* ---- reading ---- */

static int64_t per_day(uint64_t bytes, uint64_t then, ms_t span)
{
	return (int64_t)(((double)bytes - (double)then) * MS_PER_DAY / (double)span);
}

static void add_tables(struct storage_view *s, ms_t now)
{
	uint64_t then = 0;

	for (size_t i = 0; i < s->tables_n; i++) {
		struct table_view *t = &s->tables[i];

		s->bytes += t->bytes;
		then += t->bytes_then;
		t->bytes_per_day = s->since ? per_day(t->bytes, t->bytes_then, now - s->since) : 0;
	}
	s->bytes_per_day = s->since ? per_day(s->bytes, then, now - s->since) : 0;
}

bool storage_view_get(struct db *db, struct arena *a, bool same_host, uint64_t events_days, ms_t now, struct storage_view *out, struct err *e)
{
	struct storage_view s = { 0 };
	struct look look = { 0 };
	ms_t steady_at;

	if (db_query_one(db, &view_stmt[V_STORAGE], VALS(V_I(now - GROWTH_MS)), a, look_columns, sizeof(look), &look, e) < 0 ||
		!db_query(db, &view_stmt[V_TABLES], VALS(V_I(look.since)), a, table_columns, sizeof(*s.tables), &s.tables, &s.tables_n, e))
		return false;
	s.since = look.since && now - look.since >= GROWTH_MIN_MS ? look.since : 0;
	add_tables(&s, now);
	steady_at = look.oldest_event ? id_time(look.oldest_event) + (ms_t)events_days * MS_PER_DAY : 0;
	s.steady_at = steady_at > now ? steady_at : 0;
	if (!same_host || !disk_space(arena_cstr(a, look.folder), &s.disk_bytes, &s.disk_free))
		s.disk_bytes = s.disk_free = 0;
	storage_forecast(a, now, &s);
	*out = s;
	return true;
}
