/* The FastCGI record walk, src/http/records.c: what passes, what does not, and that pieces make no difference. */
#include "src/http/records_int.h"
#include "unit.h"

#define METHOD "\16\4REQUEST_METHODPOST"
#define URI "\13\2REQUEST_URI/x"
#define LENGTH "\16\1CONTENT_LENGTH3"
#define PARAMS_END "\1\4\0\1\0\0\0\0"

/* A request under construction; lengths are computed, so that a row can be read. */
struct bytes {
	unsigned char p[200000];
	size_t n;
};

static void add(struct bytes *b, const void *p, size_t n)
{
	ck_assert(n <= sizeof(b->p) - b->n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void record(struct bytes *b, int type, const void *p, size_t n, unsigned char padding)
{
	const unsigned char head[8] = {
		1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8), (unsigned char)n, padding
	};

	add(b, head, sizeof(head));
	add(b, p, n);
	add(b, "\0\0\0\0\0\0\0\0", padding);
}

static void good(struct bytes *b)
{
	b->n = 0;
	record(b, 1, "\0\1\0\0\0\0\0\0", 8, 0);
	record(b, 4, METHOD URI LENGTH, sizeof(METHOD URI LENGTH) - 1, 4);
	record(b, 4, "", 0, 0);
	record(b, 5, "ab", 2, 6);
	record(b, 5, "c", 1, 7);
	record(b, 5, "", 0, 0);
}

/* Feeds all in pieces of at most `piece` bytes; the last result. */
static enum records_result feed(struct records *r, const struct bytes *b, size_t piece, unsigned *params)
{
	enum records_result result = RECORDS_MORE;
	size_t at = 0, n, used;

	while (at < b->n && result != RECORDS_BAD) {
		n = b->n - at < piece ? b->n - at : piece;
		result = records_feed(r, b->p + at, n, &used);
		ck_assert_uint_le(used, n);
		if (result == RECORDS_PARAMS)
			++*params;
		else if (result != RECORDS_BAD)
			ck_assert_uint_eq(used, n);
		at += used;
	}
	return result;
}

START_TEST(test_whole)
{
	static struct bytes b;
	size_t piece;

	good(&b);
	for (piece = 1; piece <= b.n; piece++) {
		struct records r = { 0 };
		unsigned params = 0;

		ck_assert_int_eq(feed(&r, &b, piece, &params), RECORDS_WHOLE);
		ck_assert_uint_eq(params, 1);
		ck_assert(r.whole && r.params_done && r.has_length);
		unit_str(r.method, "POST");
		unit_str(r.uri, "/x");
		ck_assert_uint_eq(r.content_length, 3);
		ck_assert_uint_eq(r.stdin_n, 3);
		ck_assert_uint_eq(r.id, 1);
		ck_assert_uint_eq(r.seen, b.n);
		records_release(&r);
	}
}
END_TEST

START_TEST(test_params_stop)
{
	static struct bytes b;
	struct records r = { 0 };
	size_t used;

	good(&b);
	ck_assert_int_eq(records_feed(&r, b.p, b.n, &used), RECORDS_PARAMS);
	ck_assert_uint_eq(used, r.params_end);
	ck_assert(!memcmp(b.p + used - 8, PARAMS_END, 8));
	ck_assert_uint_eq(r.stdin_n, 0);
	ck_assert_int_eq(records_feed(&r, b.p + used, 0, &used), RECORDS_MORE);
	ck_assert_uint_eq(used, 0);
	records_release(&r);
}
END_TEST

/* Two requests after one another need a clear between them. */
START_TEST(test_clear)
{
	static struct bytes b;
	struct records r = { 0 };
	unsigned params = 0;
	size_t used;

	good(&b);
	feed(&r, &b, b.n, &params);
	ck_assert_int_eq(records_feed(&r, b.p, 1, &used), RECORDS_BAD);
	records_clear(&r);
	ck_assert_int_eq(feed(&r, &b, 10, &params), RECORDS_WHOLE);
	records_release(&r);
}
END_TEST

START_TEST(test_end_record)
{
	struct records r = { .id = 0x1234 };
	unsigned char out[RECORD_HEADER];

	records_end(&r, out);
	ck_assert(!memcmp(out, "\1\5\x12\x34\0\0\0\0", sizeof(out)));
}
END_TEST

/* One byte of the good request changed. */
static const struct {
	const char *what;
	size_t at;
	unsigned char value;
} changes[] = {
	{ "version 0", 0, 0 },
	{ "version 2", 0, 2 },
	{ "first record is no BEGIN_REQUEST", 1, 4 },
	{ "id 0", 3, 0 },
	{ "BEGIN_REQUEST of 7 bytes", 5, 7 },
	{ "BEGIN_REQUEST of 9 bytes", 5, 9 },
	{ "padded BEGIN_REQUEST", 6, 8 },
	{ "role 0", 9, 0 },
	{ "authorizer", 9, 2 },
	{ "filter", 9, 3 },
	{ "role 257", 8, 1 },
	{ "version in the second record", 16, 3 },
	{ "ABORT_REQUEST", 17, 2 },
	{ "STDIN before the parameters", 17, 5 },
	{ "DATA", 17, 8 },
	{ "GET_VALUES", 17, 9 },
	{ "second BEGIN_REQUEST", 17, 1 },
	{ "another id", 19, 2 },
	{ "another id, high byte", 18, 1 },
	{ "name too long", 24, 0x7f },
	{ "name of a four-byte length", 24, 0x80 },
};

START_TEST(test_changed)
{
	static struct bytes b;
	size_t piece;

	for (piece = 1; piece < 40; piece += 13) {
		struct records r = { 0 };
		unsigned params = 0;

		good(&b);
		b.p[changes[_i].at] = changes[_i].value;
		ck_assert_msg(feed(&r, &b, piece, &params) == RECORDS_BAD, "%s", changes[_i].what);
		ck_assert_uint_eq(params, 0);
		records_release(&r);
	}
}
END_TEST

#define TEXT(s) s, sizeof(s) - 1

/* Payloads of PARAMS. */
static const struct {
	const char *what, *p;
	size_t n;
	bool ok;
} payloads[] = {
	{ "plain", TEXT(METHOD URI), true },
	{ "length empty", TEXT(METHOD URI "\16\0CONTENT_LENGTH"), true },
	{ "length twice: the first counts", TEXT(METHOD URI LENGTH "\16\1CONTENT_LENGTHx"), true },
	{ "empty pairs", TEXT("\0\0" METHOD "\0\0" URI "\0\0"), true },
	{ "four-byte lengths", TEXT("\x80\0\0\16\x80\0\0\4REQUEST_METHODPOST" URI), true },
	{ "nothing", TEXT(""), false },
	{ "no uri", TEXT(METHOD), false },
	{ "no method", TEXT(URI), false },
	{ "empty method", TEXT("\16\0REQUEST_METHOD" URI), false },
	{ "length 1x", TEXT(METHOD URI "\16\2CONTENT_LENGTH1x"), false },
	{ "length -1", TEXT(METHOD URI "\16\2CONTENT_LENGTH-1"), false },
	{ "length beyond 64 bits", TEXT(METHOD URI "\16\25CONTENT_LENGTH999999999999999999999"), false },
	{ "one byte too many", TEXT(METHOD URI "\1"), false },
	{ "two bytes too many", TEXT(METHOD URI "\1\1"), false },
	{ "value cut off", TEXT(METHOD "\13\3REQUEST_URI/x"), false },
	{ "half a four-byte length", TEXT(METHOD URI "\x80\0\0"), false },
	{ "name of 2 GiB", TEXT(METHOD URI "\xff\xff\xff\xff\1ab"), false },
	{ "value of 2 GiB", TEXT(METHOD URI "\1\xff\xff\xff\xff" "ab"), false },
	{ "NUL in a value", TEXT(METHOD URI "\1\3Aa\0b"), false },
	{ "= in a name", TEXT("\15\2REQUEST_URI=a/y" METHOD URI), false },
	{ "NUL in a name", TEXT(METHOD URI "\3\1A\0Bb"), false },
};

START_TEST(test_payload)
{
	static struct bytes b;
	struct records r = { 0 };
	unsigned params = 0;
	enum records_result result;

	b.n = 0;
	record(&b, 1, "\0\1\0\0\0\0\0\0", 8, 0);
	if (payloads[_i].n)
		record(&b, 4, payloads[_i].p, payloads[_i].n, 3);
	record(&b, 4, "", 0, 0);
	record(&b, 5, "", 0, 0);
	result = feed(&r, &b, 5, &params);
	ck_assert_msg((result == RECORDS_WHOLE) == payloads[_i].ok, "%s", payloads[_i].what);
	if (payloads[_i].ok) {
		unit_str(r.method, "POST");
		unit_str(r.uri, "/x");
	}
	records_release(&r);
}
END_TEST

/* libfcgi would read the padding of the empty PARAMS record as a header. */
START_TEST(test_padded_end_of_params)
{
	static struct bytes b;
	struct records r = { 0 };
	unsigned params = 0;

	b.n = 0;
	record(&b, 1, "\0\1\0\0\0\0\0\0", 8, 0);
	record(&b, 4, TEXT(METHOD URI), 0);
	record(&b, 4, "", 0, 8);
	ck_assert_int_eq(feed(&r, &b, b.n, &params), RECORDS_BAD);
	records_release(&r);
}
END_TEST

static enum records_result params_of(size_t n)
{
	static struct bytes b;
	static unsigned char long_value[HTTP_PARAMS_MAX];
	const size_t fixed = sizeof(METHOD URI) - 1 + 1 + 4 + 1;	/* lengths and name of the long one */
	size_t value = n - fixed, first;
	unsigned char head[6] = { 1, 0x80, (unsigned char)(value >> 16), (unsigned char)(value >> 8),
		(unsigned char)value, 'A' };
	struct records r = { 0 };
	unsigned params = 0;
	enum records_result result;

	memset(long_value, 'v', sizeof(long_value));
	b.n = 0;
	record(&b, 1, "\0\1\0\0\0\0\0\0", 8, 0);
	record(&b, 4, TEXT(METHOD URI), 0);
	record(&b, 4, head, sizeof(head), 2);
	first = value / 2;
	record(&b, 4, long_value, first, 0);
	record(&b, 4, long_value, value - first, 0);
	record(&b, 4, "", 0, 0);
	record(&b, 5, "", 0, 0);
	result = feed(&r, &b, 1000, &params);
	records_release(&r);
	return result;
}

START_TEST(test_params_max)
{
	ck_assert_int_eq(params_of(HTTP_PARAMS_MAX), RECORDS_WHOLE);
	ck_assert_int_eq(params_of(HTTP_PARAMS_MAX + 1), RECORDS_BAD);
}
END_TEST

START_TEST(test_pairs_max)
{
	static struct bytes b;
	char pairs[2 * RECORDS_PAIRS_MAX] = { 0 };
	int more;

	for (more = 0; more < 2; more++) {
		struct records r = { 0 };
		unsigned params = 0;

		b.n = 0;
		record(&b, 1, "\0\1\0\0\0\0\0\0", 8, 0);
		record(&b, 4, TEXT(METHOD URI), 0);
		record(&b, 4, pairs, (size_t)(2 * (RECORDS_PAIRS_MAX - 2 + more)), 0);
		record(&b, 4, "", 0, 0);
		ck_assert_int_eq(feed(&r, &b, b.n, &params), more ? RECORDS_BAD : RECORDS_PARAMS);
		records_release(&r);
	}
}
END_TEST

UNIT_MAIN("records", UNIT(test_whole), UNIT(test_params_stop), UNIT(test_clear), UNIT(test_end_record),
	UNIT_ROWS(test_changed, changes), UNIT_ROWS(test_payload, payloads), UNIT(test_padded_end_of_params),
	UNIT(test_params_max), UNIT(test_pairs_max))
