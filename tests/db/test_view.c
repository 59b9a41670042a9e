/* src/view against a real MariaDB: every filter finds exactly what plain SQL finds, page by page;
 * what a page costs; the plans behind it; other tenants' things do not exist. */
#include "src/view/view_int.h"
#include "view_data.h"

static struct db *db;
static struct arena *a;
static struct err e;

#define T(k) (BASE + (k) * 1000LL)

/* ---- filters, and the same in SQL ---- */

static const struct {
	struct event_filter f;
	const char *where;
	uint64_t reads; /* of the first page, at most: handler calls of the storage engine */
} event_rows[] = {
	{ { 0 }, "TRUE", 1000 },
	{ { .tenant_id = 1 }, "tenant_id = 1", 1500 },
	{ { .tenant_id = 2 }, "tenant_id = 2", 1500 },
	{ { .tenant_id = 3 }, "tenant_id = 3", 100 },
	{ { .tenant_id = 1, .statuses = 1 << EVENT_FAILED }, "tenant_id = 1 AND status = 3", 1000 },
	{ { .tenant_id = 1, .statuses = 1 << EVENT_FAILED | 1 << EVENT_IGNORED },
		"tenant_id = 1 AND status IN (3, 5)", 1500 },
	{ { .statuses = 1 << EVENT_FAILED }, "status = 3", 60000 },
	{ { .tenant_id = 1, .provider = STR("github") }, "source_id = 1", 1000 },
	{ { .tenant_id = 2, .provider = STR("github") }, "source_id = 9", 1000 },
	{ { .provider = STR("github") }, "source_id IN (1, 9)", 1500 },
	{ { .tenant_id = 1, .provider = STR("webhook") }, "source_id BETWEEN 11 AND 25", 125000 },
	{ { .tenant_id = 1, .provider = STR("pingdom") }, "FALSE", 100 },
	{ { .tenant_id = 1, .source = STR("in_00000000000000000002") }, "source_id = 2", 1000 },
	{ { .tenant_id = 1, .service_id = STR("sv_shop") }, "source_id = 2", 1000 },
	{ { .tenant_id = 1, .service = STR("Shop") }, "source_id = 2", 1000 },
	{ { .tenant_id = 1, .service = STR("sv_shop"), .provider = STR("github") }, "FALSE", 100 },
	{ { .tenant_id = 1, .provider = STR("github"), .statuses = 1 << EVENT_FAILED },
		"source_id = 1 AND status = 3", 4000 },
	{ { .tenant_id = 1, .provider = STR("github"), .statuses = 1 << EVENT_IGNORED },
		"source_id = 1 AND status = 5", 40000 },
	{ { .tenant_id = 1,
			.provider = STR("webhook"),
			.statuses = 1 << EVENT_FAILED,
			.severities = 1 << 2 },
		"source_id BETWEEN 11 AND 25 AND status = 3 AND severity = 2", 4000 },
	{ { .tenant_id = 1, .severities = 1 << SEVERITY_CRITICAL | 1 << SEVERITY_INFO },
		"tenant_id = 1 AND severity IN (0, 3)", 6000 },
	{ { .tenant_id = 1, .type = STR("rare") }, "FALSE", 125000 },
	{ { .tenant_id = 2, .type = STR("rare") }, "tenant_id = 2 AND event_type = 'rare'", 4000 },
	{ { .tenant_id = 1, .text = STR("DISK 100% FULL_77") },
		"tenant_id = 1 AND summary LIKE 'Disk 100\\% full\\_77%'", 125000 },
	{ { .tenant_id = 1, .text = STR("full__7") }, "FALSE", 125000 },
	{ { .tenant_id = 1, .text = STR("ev-4242") }, "event_id = 'ev-4242'", 200 },	/* however old */
	{ { .tenant_id = 2, .text = STR("ev-4242") }, "FALSE", 4000 },
	{ { .text = STR("ev-4242") }, "event_id = 'ev-4242'", 200 },
	{ { .tenant_id = 1, .text = STR("ev-4242"), .provider = STR("prometheus") }, "event_id = 'ev-4242'", 200 },
	{ { .tenant_id = 1, .text = STR("ev-4242"), .provider = STR("github") }, "FALSE", 200 },
	{ { .tenant_id = 1, .text = STR("ev-4242"), .to = T(4242) }, "FALSE", 200 },
	{ { .tenant_id = 2, .text = STR("RAR") }, "tenant_id = 2 AND event_type = 'rare'", 6000 },
	{ { .tenant_id = 1, .text = STR("key-77") }, "tenant_id = 1 AND dedup_key = 'key-77'",
		125000 },
	{ { .tenant_id = 1, .from = T(100), .to = T(200) },
		"tenant_id = 1 AND received_at >= 1760000100000 AND received_at < 1760000200000",
		1500 },
	{ { .tenant_id = 1, .from = T(29990) }, "tenant_id = 1 AND received_at >= 1760029990000",
		1500 },
	{ { .tenant_id = 1, .to = T(10) }, "tenant_id = 1 AND received_at < 1760000010000", 1500 },
	{ { .tenant_id = 1, .from = T(200), .to = T(100) }, "FALSE", 100 },
	{ { .tenant_id = 1, .to = 1 }, "FALSE", 100 },
};

static const struct {
	struct incident_filter f;
	const char *where;
} incident_rows[] = {
	{ { 0 }, "TRUE" },
	{ { .tenant_id = 1 }, "tenant_id = 1" },
	{ { .tenant_id = 2 }, "tenant_id = 2" },
	{ { .tenant_id = 1, .statuses = 1 << INCIDENT_OPEN }, "tenant_id = 1 AND status = 1" },
	{ { .tenant_id = 1, .statuses = 1 << INCIDENT_OPEN | 1 << INCIDENT_ACKNOWLEDGED },
		"tenant_id = 1 AND status IN (1, 2)" },
	{ { .statuses = 1 << INCIDENT_RESOLVED }, "status = 3" },
	{ { .tenant_id = 1, .levels = 1 << LEVEL_CRITICAL }, "tenant_id = 1 AND level = 4" },
	{ { .tenant_id = 1, .provider = STR("prometheus") }, "source_id = 2" },
	{ { .tenant_id = 1, .source = STR("in_00000000000000000001") }, "source_id = 1" },
	{ { .tenant_id = 1, .service = STR("sv_shop") }, "service_id = 2" },
	{ { .service = STR("sv_shop") }, "service_id = 2" },
	{ { .tenant_id = 1, .service = STR("SHOP") }, "service_id = 2" },
	{ { .tenant_id = 1, .service_id = STR("sv_shop"), .service = STR("default") }, "service_id = 2" },
	{ { .tenant_id = 1, .service = STR("shop"), .statuses = 1 << INCIDENT_OPEN }, "service_id = 2 AND status = 1" },
	{ { .tenant_id = 1, .service = STR("sv_shop"), .statuses = 1 << INCIDENT_RESOLVED },
		"service_id = 2 AND status = 3" },
	{ { .service = STR("sv_shop"), .statuses = 1 << INCIDENT_OPEN | 1 << INCIDENT_RESOLVED, .levels = 1 << LEVEL_HIGH },
		"service_id = 2 AND status IN (1, 3) AND level = 3" },
	{ { .tenant_id = 1, .assignee = STR("none") }, "tenant_id = 1 AND assignee_id IS NULL" },
	{ { .tenant_id = 1, .tests = 2 }, "tenant_id = 1 AND is_test" },
	{ { .tenant_id = 1, .tests = 1, .statuses = 1 << INCIDENT_OPEN }, "tenant_id = 1 AND NOT is_test AND status = 1" },
	{ { .tenant_id = 1, .assignee = STR("ann") }, "tenant_id = 1 AND assignee_id = 7" },
	{ { .tenant_id = 1, .assignee = STR("us_seven") }, "tenant_id = 1 AND assignee_id = 7" },
	{ { .tenant_id = 1, .text = STR("disk 77 full") },
		"tenant_id = 1 AND title = 'Disk 77 FULL'" },
	{ { .tenant_id = 1, .text = STR("key-77") }, "tenant_id = 1 AND dedup_key = 'key-77'" },
	{ { .tenant_id = 1, .from = T(100), .to = T(200) },
		"tenant_id = 1 AND opened_at >= 1760000100000 AND opened_at < 1760000200000" },
};

#define ID5 (((uint64_t)(BASE + 5000 - 1577836800000) << 22) + 5)	/* ID_OF(5), for initializers */
#define ALL_REQUESTS "(SELECT r.*, s.tenant_id, s.provider, s.public_id FROM requests r JOIN sources s ON s.id = r.source_id) x"

static const struct {
	struct request_filter f;
	const char *where;
	uint64_t reads;
} request_rows[] = {
	{ { 0 }, "TRUE", 1000 },
	{ { .tenant_id = 1 }, "tenant_id = 1", 7000 },	/* 17 sources: all are walked */
	{ { .tenant_id = 2 }, "tenant_id = 2", 1000 },
	{ { .tenant_id = 3 }, "tenant_id = 3", 100 },
	{ { .tenant_id = 1, .outcomes = 1 << REQUEST_REFUSED }, "tenant_id = 1 AND reason IS NOT NULL", 1000 },
	{ { .tenant_id = 1, .outcomes = 1 << REQUEST_REPEATED }, "tenant_id = 1 AND is_duplicate = 1", 1000 },
	{ { .tenant_id = 1, .outcomes = 1 << REQUEST_REFUSED | 1 << REQUEST_REPEATED },
		"tenant_id = 1 AND (reason IS NOT NULL OR is_duplicate = 1)", 1500 },
	{ { .tenant_id = 1, .outcomes = 1 << REQUEST_ACCEPTED }, "tenant_id = 1 AND reason IS NULL AND is_duplicate = 0", 9000 },
	{ { .tenant_id = 1, .outcomes = 7 }, "tenant_id = 1", 9000 },
	{ { .outcomes = 1 << REQUEST_REFUSED }, "reason IS NOT NULL", 60000 },
	{ { .tenant_id = 1, .provider = STR("github") }, "source_id = 1", 1000 },
	{ { .tenant_id = 1, .provider = STR("webhook") }, "source_id BETWEEN 11 AND 25", 70000 },
	{ { .tenant_id = 1, .source = STR("in_00000000000000000002") }, "source_id = 2", 1000 },
	{ { .tenant_id = 1, .provider = STR("github"), .outcomes = 1 << REQUEST_REFUSED }, "source_id = 1 AND reason IS NOT NULL", 3000 },
	{ { .tenant_id = 1, .provider = STR("github"), .outcomes = 1 << REQUEST_ACCEPTED },
		"source_id = 1 AND reason IS NULL AND is_duplicate = 0", 9000 },
	{ { .tenant_id = 1, .status = 401 }, "tenant_id = 1 AND status = 401", 90000 },
	{ { .tenant_id = 1, .status = 401, .outcomes = 1 << REQUEST_REPEATED }, "FALSE", 4000 },
	{ { .tenant_id = 1, .text = STR("192.0.2.8") }, "tenant_id = 1 AND remote_addr = '192.0.2.8'", 90000 },
	{ { .tenant_id = 1, .text = STR("trace-6400") }, "FALSE", 90000 },
	{ { .tenant_id = 2, .text = STR("trace-6400") }, "trace = 'trace-6400'", 2000 },
	{ { .tenant_id = 1, .text = STR("trace-64"), .outcomes = 1 << REQUEST_REPEATED }, "trace = 'trace-64'", 4000 },
	{ { .tenant_id = 1, .from = T(100), .to = T(200) }, "tenant_id = 1 AND id >= (1760000100000 - 1577836800000) << 22"
		" AND id < (1760000200000 - 1577836800000) << 22", 7000 },
	{ { .tenant_id = 1, .from = T(100), .to = T(200), .outcomes = 1 << REQUEST_REFUSED }, "tenant_id = 1 AND reason IS NOT NULL"
		" AND id >= (1760000100000 - 1577836800000) << 22 AND id < (1760000200000 - 1577836800000) << 22", 1000 },
	{ { .tenant_id = 1, .from = T(200), .to = T(100) }, "FALSE", 100 },
};

static const struct {
	struct alert_filter f;
	const char *where;
} alert_rows[] = {
	{ { 0 }, "TRUE" },
	{ { .tenant_id = 1 }, "tenant_id = 1" },
	{ { .tenant_id = 3 }, "FALSE" },
	{ { .tenant_id = 1, .levels = 1 << LEVEL_LOW }, "tenant_id = 1 AND level = 1" },
	{ { .tenant_id = 1, .levels = 1 << LEVEL_CRITICAL | 1 << LEVEL_LOW }, "tenant_id = 1 AND level IN (1, 4)" },
	{ { .tenant_id = 1, .incident_id = ID5 }, "incident_id = (1760000005000 - 1577836800000) * 4194304 + 5" },
	{ { .tenant_id = 2, .incident_id = ID5 }, "FALSE" },
	{ { .tenant_id = 1, .service = STR("sv_shop") }, "incident_id IN (SELECT id FROM incidents WHERE service_id = 2)" },
	{ { .tenant_id = 1, .provider = STR("prometheus") }, "event_id IN (SELECT id FROM events WHERE source_id = 2)" },
	{ { .tenant_id = 1, .source = STR("in_00000000000000000001") }, "FALSE" },
	{ { .tenant_id = 1, .text = STR("DISK 100% full_4") }, "event_id IN (SELECT id FROM events WHERE summary LIKE 'Disk 100\\% full\\_4%')" },
	{ { .tenant_id = 1, .text = STR("key-4") }, "event_id IN (SELECT id FROM events WHERE dedup_key = 'key-4')" },
	{ { .tenant_id = 1, .from = T(100), .to = T(200) }, "tenant_id = 1 AND id >= (1760000100000 - 1577836800000) << 22"
		" AND id < (1760000200000 - 1577836800000) << 22" },
};

/* ---- what is the truth ---- */

struct number_row {
	uint64_t n;
};
static const struct field number_fields[] = {
	FIELD_U64(struct number_row, n, "n", ""),
	FIELD_END
};

static const struct field floor_fields[] = {
	FIELD_U64(struct number_row, n, "id", ""),
	FIELD_END
};

static uint64_t number(const char *sql)
{
	struct number_row *rows;
	struct sql q;
	size_t n;

	sql_init(&q, a);
	strbuf_adds(&q.text, sql);
	ck_assert_msg(db_query_sql(db, "test.number", &q, a, number_fields, sizeof(*rows), &rows,
		&n, &e),
		"%s: %s", sql, e.text);
	return rows[0].n;
}

static uint64_t count_of(const char *table, const char *where)
{
	return number(arena_printf(a, "SELECT COUNT(*) AS n FROM %s WHERE %s", table, where).p);
}

/* Sum of the ids, so that not only their number is right. */
static uint64_t sum_of(const char *table, const char *where)
{
	return number(arena_printf(a,
		"SELECT CAST(COALESCE(SUM(id %% 1000003), 0) AS UNSIGNED) AS n FROM %s WHERE %s",
		table, where).p);
}

static uint64_t handler_reads(void)
{
	return number("SELECT CAST(SUM(variable_value) AS UNSIGNED) AS n FROM "
		"information_schema.session_status"
		" WHERE variable_name LIKE 'Handler_read%'");
}

/* ---- lists ---- */

static void setup(void)
{
	e = (struct err){ 0 };
	a = arena_new(256 << 20);
}

static void teardown(void)
{
	arena_free(a);
}

START_TEST(test_every_filter_of_events_finds_what_sql_finds)
{
	struct event_filter f = event_rows[_i].f;
	uint64_t n = 0, sum = 0, last = UINT64_MAX, pages = 0;

	f.limit = 100;
	do {
		struct event_view *rows;
		size_t found;

		succeeds(event_view_list(db, a, &f, &rows, &found, &f.cursor, &e));
		ck_assert_uint_le(found, 100);
		for (size_t i = 0; i < found; i++) {
			ck_assert_uint_lt(rows[i].id, last);
			last = rows[i].id;
			sum += last % 1000003;
		}
		n += found;
		ck_assert_uint_lt(++pages, 1000);
	} while (f.cursor);
	ck_assert_uint_eq(n, count_of("events", event_rows[_i].where));
	ck_assert_uint_eq(sum, sum_of("events", event_rows[_i].where));
}
END_TEST

START_TEST(test_every_filter_of_incidents_finds_what_sql_finds)
{
	struct incident_filter f = incident_rows[_i].f;
	uint64_t n = 0, sum = 0;

	f.limit = 37;
	do {
		struct incident_view *rows;
		size_t found;

		succeeds(incident_view_list(db, a, &f, &rows, &found, &f.cursor, &e));
		for (size_t i = 0; i < found; i++)
			sum += rows[i].id % 1000003;
		n += found;
	} while (f.cursor);
	ck_assert_uint_eq(n, count_of("incidents", incident_rows[_i].where));
	ck_assert_uint_eq(sum, sum_of("incidents", incident_rows[_i].where));
}
END_TEST

/* The chips of a list: exact up to COUNT_MAX, and where not every row was looked at they say so. */
START_TEST(test_counts_of_incidents)
{
	struct list_count counts[INCIDENT_RESOLVED + 1];
	struct incident_filter f = incident_rows[_i].f;

	f.cursor = ID_OF(1000);	/* counts are of the whole list */
	succeeds(incident_view_counts(db, a, &f, counts, &e));
	for (unsigned s = INCIDENT_OPEN; s <= INCIDENT_RESOLVED; s++) {
		uint64_t n = count_of("incidents", arena_printf(a, "(%s) AND status = %u", incident_rows[_i].where, s).p);

		if (f.statuses && !(f.statuses & 1u << s))	/* the chips of other statuses count them all the same */
			continue;
		if (n > COUNT_MAX)
			ck_assert(counts[s].more && counts[s].n == COUNT_MAX);
		else
			ck_assert_msg(counts[s].n == n && !counts[s].more, "row %d, status %u: %llu instead of %llu", _i, s,
				(unsigned long long)counts[s].n, (unsigned long long)n);
	}
}
END_TEST

START_TEST(test_every_filter_of_requests_finds_what_sql_finds)
{
	struct request_filter f = request_rows[_i].f;
	uint64_t n = 0, sum = 0, last = UINT64_MAX;

	f.limit = 100;
	do {
		struct request_view *rows;
		size_t found;

		succeeds(request_view_list(db, a, &f, &rows, &found, &f.cursor, &e));
		for (size_t i = 0; i < found; i++) {
			ck_assert_uint_lt(rows[i].id, last);
			last = rows[i].id;
			sum += last % 1000003;
		}
		n += found;
	} while (f.cursor);
	ck_assert_uint_eq(n, count_of(ALL_REQUESTS, request_rows[_i].where));
	ck_assert_uint_eq(sum, sum_of(ALL_REQUESTS, request_rows[_i].where));
}
END_TEST

START_TEST(test_every_filter_of_alerts_finds_what_sql_finds)
{
	struct alert_filter f = alert_rows[_i].f;
	uint64_t n = 0, sum = 0;

	f.limit = 37;
	do {
		struct alert_view *rows;
		size_t found;

		succeeds(alert_view_list(db, a, &f, &rows, &found, &f.cursor, &e));
		for (size_t i = 0; i < found; i++)
			sum += rows[i].id % 1000003;
		n += found;
	} while (f.cursor);
	ck_assert_uint_eq(n, count_of("alerts", alert_rows[_i].where));
	ck_assert_uint_eq(sum, sum_of("alerts", alert_rows[_i].where));
}
END_TEST

START_TEST(test_a_page_of_requests_reads_little)
{
	struct request_filter f = request_rows[_i].f;
	struct request_view *rows;
	uint64_t before, after, next;
	size_t n;

	f.limit = 50;
	succeeds(request_view_list(db, a, &f, &rows, &n, &next, &e));
	before = handler_reads();
	succeeds(request_view_list(db, a, &f, &rows, &n, &next, &e));
	after = handler_reads();
	ck_assert_msg(after - before <= request_rows[_i].reads, "row %d (%s) reads %llu", _i, request_rows[_i].where,
		(unsigned long long)(after - before));
}
END_TEST

START_TEST(test_a_page_reads_little)
{
	struct event_filter f = event_rows[_i].f;
	struct event_view *rows;
	uint64_t before, after, next;
	size_t n;

	f.limit = 50;
	succeeds(event_view_list(db, a, &f, &rows, &n, &next,
		&e)); /* statistics and dictionary are read once */
	before = handler_reads();
	succeeds(event_view_list(db, a, &f, &rows, &n, &next, &e));
	after = handler_reads();
	ck_assert_msg(after - before <= event_rows[_i].reads, "row %d (%s) reads %llu", _i,
		event_rows[_i].where, (unsigned long long)(after - before));
}
END_TEST

/* ---- plans ---- */

struct plan_row {
	uint64_t id;
	struct str select_type, table, type, possible_keys, key, key_len, ref, rows, extra;
};
static const struct field plan_fields[] = {
	FIELD_U64(struct plan_row, id, "id", ""),
	FIELD_STR(struct plan_row, select_type, "select_type", ""),
	FIELD_STR(struct plan_row, table, "table", ""),
	FIELD_STR(struct plan_row, type, "type", ""),
	FIELD_STR(struct plan_row, possible_keys, "possible_keys", ""),
	FIELD_STR(struct plan_row, key, "key", ""),
	FIELD_STR(struct plan_row, key_len, "key_len", ""),
	FIELD_STR(struct plan_row, ref, "ref", ""),
	FIELD_STR(struct plan_row, rows, "rows", ""),
	FIELD_STR(struct plan_row, extra, "Extra", ""),
	FIELD_END
};

static const char *const index_of[] = {
	[BRANCH_ALL] = "PRIMARY", [BRANCH_STATUS] = "by_status", [BRANCH_SOURCE] = "by_source", [BRANCH_SERVICE] = "by_service_status",
	[BRANCH_TARGET] = "by_target", [BRANCH_ID] = "PRIMARY", [BRANCH_MARK] = "PRIMARY", [BRANCH_INCIDENT] = "by_incident",
};

/* Every branch walks its own index in order; every other table is read by a key. */
static void check_plan(const struct sql *q, enum branch_kind kind)
{
	struct sql *explain = ARENA_NEW(a, struct sql);
	struct plan_row *rows;
	size_t n;

	sql_init(explain, a);
	sql_lit(explain, "EXPLAIN ");
	strbuf_addstr(&explain->text, strbuf_str(&q->text));
	memcpy(explain->vals, q->vals, sizeof(q->vals));
	explain->n = q->n;
	succeeds(db_query_sql(db, "test.explain", explain, a, plan_fields, sizeof(*rows), &rows, &n,
		&e));
	for (size_t i = 0; i < n; i++) {
		const struct plan_row *p = &rows[i];

		if (str_eqs(p->table, "t"))
			ck_assert_msg(str_eqs(p->key, index_of[kind]) &&
					!strstr(arena_cstr(a, p->extra), "filesort"),
				"%.*s by %.*s: %.*s", STR_ARG(p->type), STR_ARG(p->key),
				STR_ARG(p->extra));
		else if (p->table.n && !str_starts(p->table, "<"))
			ck_assert_msg(str_eqs(p->type, "eq_ref") || str_eqs(p->type, "ref") ||
					str_eqs(p->type, "const") || str_eqs(p->type, "range"),
				"%.*s: %.*s", STR_ARG(p->table), STR_ARG(p->type));
	}
}

static void check_plans(const struct list_table *t, struct plan *p)
{
	struct sql *page = ARENA_NEW(a, struct sql), *floor = ARENA_NEW(a, struct sql);

	if (!p->n || p->from >= p->below)
		return;
	sql_init(page, a);
	list_page_sql(page, t, p);
	ck_assert(!page->text.failed);
	check_plan(page, p->branches[0].kind);
	sql_init(floor, a);
	list_floor_sql(floor, t, p, 1000);
	ck_assert(!floor->text.failed);
	check_plan(floor, p->branches[0].kind);
}

START_TEST(test_plan_of_events)
{
	struct event_filter f = event_rows[_i].f;
	struct plan p;

	f.limit = 50;
	succeeds(event_plan(db, a, &f, &p, &e));
	check_plans(&event_table, &p);
}
END_TEST

START_TEST(test_plan_of_incidents)
{
	struct incident_filter f = incident_rows[_i].f;
	struct plan p;

	f.limit = 50;
	succeeds(incident_plan(db, a, &f, &p, &e));
	check_plans(&incident_table, &p);
}
END_TEST

/* Each of the nearest by its own index, the rest by keys; what is of another day, of a test or of no service of its own is none. */
START_TEST(test_related)
{
	struct incident_detail d;
	struct sql *q = ARENA_NEW(a, struct sql);

	ck_assert_int_eq(incident_view_get(db, a, 1, ID_OF(2000), &d, &e), 0);
	ck_assert_int_eq(incident_view_get(db, a, 1, ID_OF(2003), &d, &e), 1);
	sql_init(q, a);
	related_sql(q, &d.incident);
	ck_assert(!q->text.failed);
	check_plan(q, BRANCH_ALL);
	ck_assert_uint_eq(d.related_n, INCIDENT_RELATED_MAX);
	for (size_t i = 0; i < d.related_n; i++) {
		const struct related_view *r = &d.related[i];

		ck_assert_msg(str_eqs(r->why, "same service") && str_eq(r->service_id, d.incident.service_id) && r->id != d.incident.id, "%.*s", STR_ARG(r->why));
		ck_assert_msg((r->id & 4194303) % 11 && (r->id & 4194303) % 100, "tests and other tenants");
	}
}
END_TEST

START_TEST(test_plan_of_requests)
{
	struct request_filter f = request_rows[_i].f;
	struct plan p;

	f.limit = 50;
	succeeds(request_plan(db, a, &f, &p, &e));
	check_plans(&request_table, &p);
}
END_TEST

START_TEST(test_plan_of_alerts)
{
	struct alert_filter f = alert_rows[_i].f;
	struct plan p;

	f.limit = 50;
	succeeds(alert_plan(db, a, &f, &p, &e));
	check_plans(&alert_table, &p);
}
END_TEST

START_TEST(test_plan_of_deliveries)
{
	struct plan p;

	plan_init(&p, NULL, 0, 0, 0, 50);
	plan_add(&p, BRANCH_SOURCE, 0, 1);
	check_plans(&delivery_table, &p);
}
END_TEST

/* Those of endpoints find their ids in the same way. */
START_TEST(test_plan_of_what_was_sent)
{
	struct sent_filter f = { .target_row = 1, .statuses = _i ? 1 << OUTBOX_DEAD : 0, .limit = 50 };
	struct plan p;

	sent_plan(&f, OUTBOX_NOTIFICATION, &p);
	check_plans(&channel_delivery_table, &p);
}
END_TEST

/* Where a step of a scan ends: at the entry that a plain OFFSET names, whichever branches it is
 * merged from. */
START_TEST(test_a_step_ends_where_it_says)
{
	struct event_filter f = { .tenant_id = 1, .limit = 50, .severities = 1 };
	struct number_row *rows;
	struct plan p;
	struct sql q;
	size_t n;

	succeeds(event_plan(db, a, &f, &p, &e));
	ck_assert(p.residual);
	ck_assert_uint_eq(p.n, 6);
	sql_init(&q, a);
	list_floor_sql(&q, &event_table, &p, 1000);
	succeeds(db_query_sql(db, "test.floor", &q, a, floor_fields, sizeof(*rows), &rows, &n, &e));
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(rows[0].n,
		number("SELECT id AS n FROM events WHERE tenant_id = 1 ORDER BY id DESC LIMIT 1 "
			"OFFSET 1000"));
	sql_init(&q, a);
	list_floor_sql(&q, &event_table, &p, EVENTS);
	succeeds(db_query_sql(db, "test.floor", &q, a, floor_fields, sizeof(*rows), &rows, &n, &e));
	ck_assert_uint_eq(n, 0);
}
END_TEST

/* The most values that a page can bind. */
START_TEST(test_all_filters_together_fit)
{
	struct event_filter f = { .tenant_id = 1,
		.statuses = 63,
		.severities = 15,
		.provider = STR("github"),
		.type = STR("push"),
		.text = STR("text"),
		.from = 1,
		.to = BASE,
		.cursor = 5,
		.limit = 100 };
	struct plan p;
	struct sql q;

	plan_init(&p, &f, f.from, f.to, f.cursor, f.limit);
	p.sources = (struct source_filter){ 1, STR("github"), 1, 1 };
	p.residual = true;
	while (p.n < LIST_BRANCHES_MAX)
		plan_add(&p, BRANCH_SOURCE, 0, p.n);
	sql_init(&q, a);
	list_page_sql(&q, &event_table, &p);
	ck_assert(!q.text.failed);
	p.n = 0;
	for (unsigned s = 0; s <= EVENT_IGNORED; s++)
		plan_add(&p, BRANCH_STATUS, 1, s);
	sql_init(&q, a);
	list_page_sql(&q, &event_table, &p);
	ck_assert(!q.text.failed);
}
END_TEST

/* ---- what a filter names ---- */

static const struct {
	uint64_t tenant_id;
	struct str source, service_id, service, assignee;
	const char *field;	/* to blame; NULL: it is known */
} named_rows[] = {
	{ 1, .source = STR("in_00000000000000000002") },
	{ 2, .source = STR("in_00000000000000000002"), .field = "source" },
	{ 0, .source = STR("in_00000000000000000002") },
	{ 1, .source = STR("in_nothing"), .field = "source" },
	{ 0, .source = STR("in_nothing"), .field = "source" },
	{ 1, .source = STR("in_00000000000000000025") },	/* deleted */
	{ 1, .service_id = STR("sv_shop") },
	{ 1, .service_id = STR("shop"), .field = "serviceId" },
	{ 1, .service_id = STR("sv_other"), .field = "serviceId" },
	{ 1, .service_id = STR("sv_101") },			/* deleted */
	{ 1, .service = STR("service 101"), .field = "service" },	/* its name is free again */
	{ 1, .service = STR("sv_shop") },
	{ 1, .service = STR("shop") },
	{ 2, .service = STR("shop"), .field = "service" },
	{ 0, .service = STR("shop"), .field = "service" },	/* names are of a tenant */
	{ 0, .service = STR("sv_shop") },
	{ 1, .service = STR("sv_nothing"), .field = "service" },
	{ 1, .assignee = STR("ann") },
	{ 1, .assignee = STR("us_seven") },
	{ 1, .assignee = STR("none") },
	{ 2, .assignee = STR("ann"), .field = "assignee" },
	{ 1, .assignee = STR("bob"), .field = "assignee" },
};

static void told(bool known, const char *field)
{
	ck_assert_msg(known == !field, "%s", e.text);
	if (field) {
		ck_assert_int_eq(e.code, ERR_INVALID);
		ck_assert_str_eq(e.field, field);
	}
}

START_TEST(test_what_a_filter_names_is_there)
{
	static const struct stmt gone[] = {
		{ "test.gone_source", "UPDATE sources SET deleted_at = 1 WHERE id = 25" },
		{ "test.gone_service", "UPDATE services SET deleted_at = 1 WHERE public_id = 'sv_101'" },
		{ "test.back_source", "UPDATE sources SET deleted_at = NULL WHERE id = 25" },
		{ "test.back_service", "UPDATE services SET deleted_at = NULL WHERE public_id = 'sv_101'" },
	};
	const uint64_t tenant = named_rows[_i].tenant_id;
	const struct str source = named_rows[_i].source, id = named_rows[_i].service_id, service = named_rows[_i].service;
	const char *field = named_rows[_i].field;
	struct plan p;

	for (size_t i = 0; i < 2; i++)
		succeeds(db_exec(db, &gone[i], NULL, 0, NULL, &e));
	told(incident_plan(db, a, &(struct incident_filter){ .tenant_id = tenant, .source = source, .service_id = id, .service = service,
		.assignee = named_rows[_i].assignee }, &p, &e), field);
	if (!named_rows[_i].assignee.n) {
		told(event_plan(db, a, &(struct event_filter){ .tenant_id = tenant, .source = source, .service_id = id, .service = service },
			&p, &e), field);
		told(alert_plan(db, a, &(struct alert_filter){ .tenant_id = tenant, .source = source, .service_id = id, .service = service },
			&p, &e), field);
	}
	if (source.n)
		told(request_plan(db, a, &(struct request_filter){ .tenant_id = tenant, .source = source }, &p, &e), field);
	for (size_t i = 2; i < ARRAY_SIZE(gone); i++)
		succeeds(db_exec(db, &gone[i], NULL, 0, NULL, &e));
}
END_TEST

/* ---- single things ---- */

static struct str json_of(void (*write)(struct json_out *o, const void *x), const void *x)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 1 << 20);
	json_out_init(&o, &b);
	json_open(&o, '{');
	write(&o, x);
	json_close(&o, '}');
	return strbuf_str(&b);
}

static void write_event(struct json_out *o, const void *x)
{
	json_fields(o, event_view_fields, x);
}

START_TEST(test_an_event_in_words)
{
	struct event_detail d;

	ck_assert_int_eq(event_view_get(db, a, 1, ID_OF(97), &d, &e), 1);
	ck_assert_str_eq(arena_cstr(a, json_of(write_event, &d.event)),
		arena_printf(a,
			"{\"id\":\"%llu\",\"eventId\":\"ev-97\",\"sourceId\":\"in_00000000000000000001\",\"provider\":\"github\","
			"\"eventType\":\"push\",\"entityType\":null,\"entityId\":null,\"action\":\"trigger\",\"severity\":\"warning\","
			"\"nativeSeverity\":null,\"dedupKey\":\"key-97\",\"summary\":\"Disk 100%% "
			"full_97\",\"occurredAt\":null,"
			"\"status\":\"failed\",\"processed\":false,\"attempts\":1,\"error\":\"refused\",\"duplicates\":%llu,\"isTest\":false,"
			"\"incidentId\":null,\"receivedAt\":\"2025-10-09T08:54:57.000Z\",\"processedAt\":null,"
			"\"lastAttemptAt\":\"2025-10-09T08:54:57.009Z\",\"updatedAt\":\"2025-10-09T08:54:57.009Z\"}",
			(unsigned long long)ID_OF(97), (unsigned long long)(ID_OF(97) % 3)).p);
}
END_TEST

static void write_request(struct json_out *o, const void *x)
{
	const struct request_view *v = x;

	json_key(o, "headers");
	request_headers_json(o, a, v->headers);
	request_payload_json(o, a, v->body);
}

START_TEST(test_an_event_with_its_request_and_what_it_caused)
{
	struct event_detail d;

	ck_assert_int_eq(event_view_get(db, a, 1, ID_OF(4), &d, &e), 1);
	ck_assert_uint_eq(d.incident.id, ID_OF(4));
	ck_assert_uint_eq(d.alert.id, ID_OF(4) + 1);
	ck_assert(str_eqs(d.alert.level, "CRITICAL"));
	ck_assert_str_eq(arena_cstr(a, json_of(write_request, &d.request)),
		"{\"headers\":{\"content-type\":\"application/json\",\"authorization\":\"***\"},"
		"\"payloadEncoding\":\"json\",\"payload\":{\"n\":0, \"n\":12345678901234567890}}");
}
END_TEST

START_TEST(test_another_tenants_things_do_not_exist)
{
	struct incident_detail i;
	struct event_detail d;

	ck_assert_int_eq(event_view_get(db, a, 2, ID_OF(4), &d, &e), 0);
	ck_assert_int_eq(event_view_get(db, a, 1, ID_OF(100), &d, &e), 0);
	ck_assert_int_eq(event_view_get(db, a, 2, ID_OF(100), &d, &e), 1);
	ck_assert_int_eq(event_view_get(db, a, 0, ID_OF(100), &d, &e), 1);
	ck_assert_int_eq(event_view_get(db, a, 1, 12345, &d, &e), 0);
	ck_assert_int_eq(incident_view_get(db, a, 2, ID_OF(4), &i, &e), 0);
	ck_assert_int_eq(incident_view_get(db, a, 1, ID_OF(100), &i, &e), 0);
	ck_assert_int_eq(incident_view_get(db, a, 0, ID_OF(100), &i, &e), 1);
}
END_TEST

START_TEST(test_an_incident_with_its_timeline)
{
	struct incident_detail d;

	ck_assert_int_eq(incident_view_get(db, a, 1, ID_OF(4), &d, &e), 1);
	ck_assert(str_eqs(d.incident.status, "RESOLVED"));
	ck_assert(str_eqs(d.incident.service_id, "sv_00000000000000000000"));
	ck_assert_uint_eq(d.timeline_n, 2);
	ck_assert(str_eqs(d.timeline[0].kind, "opened") && str_eqs(d.timeline[0].actor, "sender") &&
		str_eqs(d.timeline[0].level, "CRITICAL"));
	ck_assert(str_eqs(d.timeline[1].kind, "acknowledged") &&
		str_eqs(d.timeline[1].user, "ann") && !d.timeline[1].level.p);
	ck_assert(str_eqs(d.timeline[1].text, "on it"));
	ck_assert_uint_eq(d.alert_n, 1);
	ck_assert(str_eqs(d.alerts[0].summary, "Disk 100% full_4"));
}
END_TEST

START_TEST(test_deliveries_newest_first)
{
	uint64_t cursor = 0, next, n = 0, refused = 0;
	struct delivery_view *rows;
	size_t found;

	do {
		succeeds(delivery_view_list(db, a, 2, cursor, 100, &rows, &found, &next, &e));
		for (size_t i = 0; i < found; i++) {
			ck_assert(!cursor || rows[i].id < cursor);
			ck_assert_int_eq(rows[i].created_at, id_time(rows[i].id));
			ck_assert_uint_eq(rows[i].duration_ms, 7);
			refused += rows[i].status_code == 401 &&
				str_eqs(rows[i].error_message, "Invalid signature") &&
				!rows[i].event_id;
			ck_assert_uint_eq(rows[i].alert_id,
				rows[i].id == ID_OF(4) ? ID_OF(4) + 1 : 0);
		}
		n += found;
		cursor = next;
	} while (cursor);
	ck_assert_uint_eq(n, count_of("requests", "source_id = 2"));
	ck_assert_uint_eq(refused, count_of("requests", "source_id = 2 AND status = 401"));
}
END_TEST

/* ---- requests ---- */

START_TEST(test_a_request_in_steps)
{
	static const char *const states[2][REQUEST_STEPS] = {
		{ "done", "done", "done", "done", "done", "done" },
		{ "done", "failed", "skipped", "skipped", "skipped", "done" },
	};
	struct request_detail d;

	ck_assert_int_eq(request_view_get(db, a, 1, ID_OF(1), &d, &e), 1);
	ck_assert(str_eqs(d.request.outcome, "accepted") && !d.request.reason.p && d.request.body_bytes == 9);
	ck_assert_int_eq(d.request.received_at, T(1));
	ck_assert_uint_eq(d.events_n, 1);
	ck_assert_uint_eq(d.events[0].id, ID_OF(1));
	for (size_t i = 0; i < REQUEST_STEPS; i++)
		ck_assert(str_eqs(d.steps[i].state, states[0][i]));
	ck_assert(str_eqs(d.steps[4].stage, "acted") && d.steps[4].after_us == 4500 && d.steps[4].at == T(1) + 4);
	ck_assert_int_eq(request_view_get(db, a, 1, ID_OF(97), &d, &e), 1);
	ck_assert(str_eqs(d.request.outcome, "refused") && str_eqs(d.request.reason, "Invalid signature"));
	for (size_t i = 0; i < REQUEST_STEPS; i++)
		ck_assert_msg(str_eqs(d.steps[i].state, states[1][i]), "step %zu", i);
	ck_assert_int_eq(request_view_get(db, a, 1, ID_OF(64), &d, &e), 1);
	ck_assert(str_eqs(d.request.outcome, "repeated") && d.request.event_id == ID_OF(1));
}
END_TEST

/* A trace id that names its time is found far below the newest rows. */
START_TEST(test_a_trace_id_with_a_time_in_it)
{
	static const struct stmt set = { "test.trace", "UPDATE requests SET trace = ? WHERE id = ?" };
	struct request_filter f = { .tenant_id = 1, .limit = 50 };
	struct request_view *rows;
	uint64_t next, before;
	char uuid[UUID_TEXT];
	size_t n;

	uuid_make(T(11), uuid);
	succeeds(db_exec(db, &set, VALS(V_S(str_of(uuid)), V_U(ID_OF(11))), NULL, &e));
	f.text = str_of(uuid);
	succeeds(request_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert(n == 1 && rows[0].id == ID_OF(11) && !next);
	before = handler_reads();
	succeeds(request_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert_uint_lt(handler_reads() - before, 5000);
	uuid_make(T(12), uuid);	/* nobody's: all are looked through */
	succeeds(request_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert(n == 0 && next);
	uuid_make(T(11), uuid);
	uuid[3] = 'x';
	succeeds(request_view_list(db, a, &f, &rows, &n, &next, &e));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_requests_of_other_tenants_do_not_exist)
{
	struct request_detail d;

	ck_assert_int_eq(request_view_get(db, a, 2, ID_OF(1), &d, &e), 0);
	ck_assert_int_eq(request_view_get(db, a, 1, ID_OF(100), &d, &e), 0);
	ck_assert_int_eq(request_view_get(db, a, 2, ID_OF(100), &d, &e), 1);
	ck_assert_int_eq(request_view_get(db, a, 0, ID_OF(100), &d, &e), 1);
	ck_assert_int_eq(request_view_get(db, a, 1, 12345, &d, &e), 0);
}
END_TEST

START_TEST(test_an_event_knows_its_repeats_and_attempts)
{
	struct event_detail d;

	ck_assert_int_eq(event_view_get(db, a, 1, ID_OF(1), &d, &e), 1);
	ck_assert_uint_eq(d.repeats_n, EVENT_REPEATS_MAX);
	ck_assert_uint_gt(d.repeats[0].id, d.repeats[1].id);
	ck_assert(str_eqs(d.repeats[0].outcome, "repeated"));
	ck_assert_uint_eq(d.steps_n, REQUEST_STEPS);
	ck_assert_uint_eq(d.attempts_n, 1);
	ck_assert_uint_eq(d.attempts[0].number, 1);
	ck_assert_uint_eq(d.attempts[0].duration_us, 1500);
	ck_assert_int_eq(event_view_get(db, a, 1, ID_OF(97), &d, &e), 1);
	ck_assert_uint_eq(d.repeats_n, 0);
	ck_assert(str_eqs(d.attempts[0].error, "refused"));
}
END_TEST

START_TEST(test_counts_of_requests)
{
	const ms_t now = T(EVENTS);
	struct request_counts c;

	succeeds(request_view_counts(db, a, &(struct request_filter){ .tenant_id = 1 }, now, &c, &e));
	ck_assert_uint_eq(c.received, count_of(ALL_REQUESTS, "tenant_id = 1"));
	ck_assert_uint_eq(c.refused, count_of(ALL_REQUESTS, "tenant_id = 1 AND reason IS NOT NULL"));
	ck_assert_uint_eq(c.repeated, count_of(ALL_REQUESTS, "tenant_id = 1 AND is_duplicate = 1"));
	ck_assert_uint_eq(c.accepted, c.received - c.refused - c.repeated);
	succeeds(request_view_counts(db, a, &(struct request_filter){ .tenant_id = 1, .provider = STR("github") }, now, &c, &e));
	ck_assert_uint_eq(c.received, count_of(ALL_REQUESTS, "source_id = 1"));
	ck_assert(!request_view_counts(db, a, &(struct request_filter){ .tenant_id = 2, .source = STR("in_00000000000000000001") }, now, &c, &e));
	ck_assert_str_eq(e.field, "source");
	succeeds(request_view_counts(db, a, &(struct request_filter){ .tenant_id = 1 }, now + 3 * MS_PER_DAY, &c, &e));
	ck_assert_uint_eq(c.received, 0);
}
END_TEST

/* ---- statistics ---- */

START_TEST(test_stats)
{
	struct stats_view v;

	succeeds(stats_view_get(db, a, 1, BASE, T(EVENTS + 1), &v, &e));
	ck_assert_uint_eq(v.total, count_of("events", "tenant_id = 1"));
	ck_assert_uint_eq(v.processed, count_of("events", "tenant_id = 1 AND status IN (2, 5)"));
	ck_assert_uint_eq(v.ignored, count_of("events", "tenant_id = 1 AND status = 5"));
	ck_assert_uint_eq(v.pending, count_of("events", "tenant_id = 1 AND status = 3"));	/* one attempt: they wait for the next */
	ck_assert_uint_eq(v.failed + v.dead, 0);
	ck_assert_double_eq_tol(v.success_rate, (double)v.processed / (double)v.total, 1e-9);
	ck_assert_double_eq_tol(v.average_attempts, 1, 1e-9);
	ck_assert_int_eq(v.oldest_pending_at, T(97));
	ck_assert_uint_eq(v.by_provider_n, 3);
	ck_assert(str_eqs(v.by_provider[0].name, "GITHUB") && v.by_provider[0].count == count_of("events", "source_id = 1"));
	ck_assert_uint_eq(v.by_type_n, 1);
	ck_assert(str_eqs(v.by_type[0].name, "push") && v.by_type[0].count == v.total);
	succeeds(stats_view_get(db, a, 2, BASE, T(EVENTS + 1), &v, &e));
	ck_assert_uint_eq(v.by_type_n, 2);
	ck_assert(str_eqs(v.by_type[1].name, "rare"));
	succeeds(stats_view_get(db, a, 1, T(100), T(200), &v, &e));
	ck_assert_uint_eq(v.total, 99);
	succeeds(stats_view_get(db, a, 1, T(EVENTS + 100), T(EVENTS + 200), &v, &e));
	ck_assert_uint_eq(v.total + v.by_type_n + v.by_provider_n, 0);
	ck_assert_double_eq_tol(v.success_rate, 1, 1e-9);
	ck_assert_int_eq(v.oldest_pending_at, T(97));	/* whatever the window */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("view");
	TCase *t = tcase_create("view");
	SRunner *r;
	int failed;

	if (!getenv("GRAPNEL_TEST_SOCKET") || !getenv("GRAPNEL_TEST_SQL"))
		return 77;	/* skipped: tests/db/run starts a server */
	db = view_database("grapnel_view");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_every_filter_of_events_finds_what_sql_finds, 0,
		(int)ARRAY_SIZE(event_rows));
	tcase_add_loop_test(t, test_every_filter_of_incidents_finds_what_sql_finds, 0,
		(int)ARRAY_SIZE(incident_rows));
	tcase_add_loop_test(t, test_counts_of_incidents, 0, (int)ARRAY_SIZE(incident_rows));
	tcase_add_loop_test(t, test_a_page_reads_little, 0, (int)ARRAY_SIZE(event_rows));
	tcase_add_loop_test(t, test_plan_of_events, 0, (int)ARRAY_SIZE(event_rows));
	tcase_add_loop_test(t, test_plan_of_incidents, 0, (int)ARRAY_SIZE(incident_rows));
	tcase_add_loop_test(t, test_every_filter_of_requests_finds_what_sql_finds, 0, (int)ARRAY_SIZE(request_rows));
	tcase_add_loop_test(t, test_every_filter_of_alerts_finds_what_sql_finds, 0, (int)ARRAY_SIZE(alert_rows));
	tcase_add_loop_test(t, test_a_page_of_requests_reads_little, 0, (int)ARRAY_SIZE(request_rows));
	tcase_add_test(t, test_related);
	tcase_add_loop_test(t, test_plan_of_requests, 0, (int)ARRAY_SIZE(request_rows));
	tcase_add_loop_test(t, test_plan_of_alerts, 0, (int)ARRAY_SIZE(alert_rows));
	tcase_add_test(t, test_a_request_in_steps);
	tcase_add_test(t, test_requests_of_other_tenants_do_not_exist);
	tcase_add_test(t, test_a_trace_id_with_a_time_in_it);
	tcase_add_test(t, test_an_event_knows_its_repeats_and_attempts);
	tcase_add_test(t, test_counts_of_requests);
	tcase_add_test(t, test_stats);
	tcase_add_test(t, test_plan_of_deliveries);
	tcase_add_loop_test(t, test_plan_of_what_was_sent, 0, 2);
	tcase_add_test(t, test_a_step_ends_where_it_says);
	tcase_add_test(t, test_all_filters_together_fit);
	tcase_add_loop_test(t, test_what_a_filter_names_is_there, 0, ARRAY_SIZE(named_rows));
	tcase_add_test(t, test_an_event_in_words);
	tcase_add_test(t, test_an_event_with_its_request_and_what_it_caused);
	tcase_add_test(t, test_another_tenants_things_do_not_exist);
	tcase_add_test(t, test_an_incident_with_its_timeline);
	tcase_add_test(t, test_deliveries_newest_first);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	db_free(db);
	return failed != 0;
}
