/* base.h - what every other folder stands on: errors, views of bytes, memory, numbers, time and ids.
 *
 * Nothing here knows of webhooks. Two rules hold throughout the program:
 * - a call that can fail returns bool (true = done), takes `struct err *e` last and writes the cause there once;
 *   a look-up returns 1 found, 0 absent, -1 failed. Both are MUST_USE.
 * - text is `struct str`, a view of bytes that is not terminated and may hold any byte; memory of a request, batch
 *   or job comes from one arena and is never freed singly. */
#ifndef GRAPNEL_BASE_H
#define GRAPNEL_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "grapnel/banned.h"

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(n, m) __attribute__((format(printf, n, m)))
#define NORETURN __attribute__((noreturn))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Milliseconds since 1970-01-01 UTC, leap seconds ignored. 0 means "not there" wherever a time is optional. */
typedef int64_t ms_t;

#define MS_PER_SECOND 1000LL
#define MS_PER_MINUTE 60000LL
#define MS_PER_HOUR 3600000LL
#define MS_PER_DAY 86400000LL

/* ---- errors ---------------------------------------------------------------------------------------------- */

enum err_code {
	ERR_NONE = 0,
	ERR_INVALID,	/* what was given cannot be accepted: the giver's mistake */
	ERR_NOT_FOUND,	/* it does not exist, or not for this caller */
	ERR_CONFLICT,	/* it exists already, or has changed meanwhile */
	ERR_DENIED,	/* the caller may not */
	ERR_LIMIT,	/* a stated limit is exceeded */
	ERR_DOWN,	/* a part we depend on does not answer: try again later */
	ERR_UNKNOWN,	/* the connection was lost before the answer: it may or may not have been done */
	ERR_BUG,	/* this program is wrong */
};

/* `code` is for the program, `text` for the log (never for a stranger). Zero-initialised means no error. */
struct err {
	enum err_code code;
	char text[240];
	char field[48];	/* the input field to blame, or "" */
	bool told;	/* the text is a sentence for the caller */
};

/* Setters return false, so that `return err_set(...)` reads as "failed because". err_sys appends strerror(errno). */
bool err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF(3, 4);
bool err_field(struct err *e, enum err_code code, const char *field, const char *fmt, ...) PRINTF(4, 5);
bool err_sys(struct err *e, enum err_code code, const char *fmt, ...) PRINTF(3, 4);
bool err_tell(struct err *e, enum err_code code, const char *fmt, ...) PRINTF(3, 4);	/* a sentence for the caller */

/* Ends the process with a message on stderr: for what cannot happen and for exhausted memory. */
void die(const char *fmt, ...) PRINTF(1, 2) NORETURN;
void *xmalloc(size_t n);	/* never NULL */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);

/* ---- str: a view of bytes -------------------------------------------------------------------------------- */

struct str {
	const char *p;	/* not terminated; may be NULL only when n is 0 */
	size_t n;	/* bytes */
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
/* For printf: printf("%.*s", STR_ARG(s)). Views over 2 GiB do not occur: every input has a limit far below. */
#define STR_ARG(s) (int)(s).n, (s).n ? (s).p : ""

struct str str_of(const char *terminated);	/* NULL gives STR_NONE */
bool str_eq(struct str a, struct str b);
bool str_eqs(struct str a, const char *terminated);
bool str_ieq(struct str a, struct str b);	/* ASCII letters without case */
bool str_ieqs(struct str a, const char *terminated);
int str_cmp(struct str a, struct str b);	/* by byte value, then by length */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
struct str str_trim(struct str s);		/* ASCII blanks off both ends */
struct str str_cut(struct str s, size_t max);	/* at most max bytes, never inside a UTF-8 sequence */
struct str str_sub(struct str s, size_t from);	/* the rest from `from`, empty beyond the end */
ptrdiff_t str_find(struct str s, char c);	/* index or -1 */
bool str_has(struct str s, const char *part);	/* somewhere; never to tell words: "unresolved" has "resolved" */
/* Parsers: verbs that eat from the front of *s. str_until takes all before the first `c` and eats the `c` too; without
 * one it takes everything. str_word takes the next run without blanks. */
struct str str_until(struct str *s, char c);
struct str str_word(struct str *s);
/* Whole-text numbers: decimal digits only (str_i64: one leading '-'), no overflow, not empty; else false, *out kept. */
bool str_u64(struct str s, uint64_t *out) MUST_USE;
bool str_i64(struct str s, int64_t *out) MUST_USE;
bool str_is_utf8(struct str s);			/* RFC 3629: no overlong forms, no surrogates, at most U+10FFFF */
/* Bytes of the well-formed UTF-8 sequence at p (n > 0 bytes are there), 1 to 4; 0 when there is none. */
size_t utf8_sequence(const char *p, size_t n);

/* ---- arena ----------------------------------------------------------------------------------------------- */

/* Memory that lives until the reset. Single-threaded. Grows in chunks; asking beyond `max` ends the process, since
 * every size that a stranger can influence is checked against its own limit first. */
struct arena;
struct arena *arena_new(size_t max);
void arena_free(struct arena *a);		/* NULL is fine */
void arena_reset(struct arena *a);		/* forgets everything; keeps one chunk of at most 1 MiB warm */
size_t arena_used(const struct arena *a);
void *arena_alloc(struct arena *a, size_t n);	/* zeroed, aligned to 16, never NULL */
void *arena_grow(struct arena *a, void *old, size_t old_n, size_t new_n);	/* copies; the rest zeroed */
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))
struct str arena_str(struct arena *a, struct str s);		/* a copy */
struct str arena_line(struct arena *a, struct str s);		/* a copy in one line: control characters are blanks, none at its ends */
char *arena_cstr(struct arena *a, struct str s);		/* a terminated copy */
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);	/* p is terminated too */
struct str arena_lower(struct arena *a, struct str s);		/* ASCII letters to lower case */

/* Amounts as people say them. n of `unit`, rounded, one decimal below ten: "1.5 s"; bytes as "83 B", "1.5 GiB". */
struct str quantity_text(struct arena *a, uint64_t n, uint64_t unit, const char *name);
struct str bytes_text(struct arena *a, uint64_t n);

/* ---- strbuf: bytes that grow up to a stated maximum ------------------------------------------------------- */

/* Lives in an arena. Once something did not fit, `failed` stays set and later calls do nothing, so that a writer
 * checks once at the end (curl dynbuf). */
struct strbuf {
	struct arena *arena;
	char *p;
	size_t n, cap, max;
	bool failed;
};

void strbuf_init(struct strbuf *b, struct arena *a, size_t max);
void strbuf_add(struct strbuf *b, const void *p, size_t n);
void strbuf_addstr(struct strbuf *b, struct str s);
void strbuf_adds(struct strbuf *b, const char *terminated);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) PRINTF(2, 3);
void strbuf_number(struct strbuf *b, double x);	/* finite; at most four decimals, no zeros at their end: 12, 0.9496 */
double number_rounded(double x);		/* to what strbuf_number writes; 0 has no sign. Below 10^14 either way */
struct str strbuf_str(const struct strbuf *b);

/* ---- text encodings --------------------------------------------------------------------------------------- */

struct str hex_encode(struct arena *a, const void *p, size_t n);		/* lower case */
/* Exactly out_n bytes from 2*out_n digits of either case; else false. */
bool hex_decode(struct str s, void *out, size_t out_n) MUST_USE;
void hex_dump(struct strbuf *b, struct str s);	/* lines "00000000  7b 22 ...  |{"...|" */
struct str base64_encode(struct arena *a, const void *p, size_t n);		/* RFC 4648 section 4, padded */
struct str base64url_encode(struct arena *a, const void *p, size_t n);		/* section 5, without padding */
/* Standard or URL alphabet by `url`; padding needed unless url. Bad text gives false. */
bool base64_decode(struct arena *a, struct str s, bool url, struct str *out) MUST_USE;
/* RFC 1952, one member, nothing after it. Inflates to at most `max` bytes: 1 done, 0 it would be more, -1 no such gzip. */
int gunzip(struct arena *a, struct str in, size_t max, struct str *out) MUST_USE;
/* %XX, and with `plus` '+' as blank. A bad escape stays as it stands (WHATWG URL). */
struct str url_decode(struct arena *a, struct str s, bool plus);
struct str url_encode(struct arena *a, struct str s);				/* RFC 3986 unreserved stay */

/* "https://user@example.org:8443/x" is of example.org, "smtp://[::1]:25" of ::1. */
struct str url_host(struct str url);
/* So much of an address as tells those who know it which one it is: "a…@example.org", "+49…56", "https://ntfy.sh/…". */
struct str address_masked(struct arena *a, struct str address);

/* application/x-www-form-urlencoded and query strings. Eats one pair from *s; false at the end. Names and values are
 * decoded copies. A piece without '=' is a name with an empty value; empty pieces are passed over. */
bool form_next(struct arena *a, struct str *s, struct str *name, struct str *value);
/* First value of `name`, or false. */
bool form_find(struct arena *a, struct str s, const char *name, struct str *value);

/* The whole of a file, "-" = standard input; ERR_LIMIT when it has over `max` bytes. The error does not name the file. */
bool file_read(struct arena *a, const char *path, size_t max, struct str *out, struct err *e) MUST_USE;

/* The first call of a program: of descriptors 0 to 2 those that its caller closed are taken, in a way that reading and writing fail. Else the next
 * file or connection would have their number, and answers and log lines would go into it. */
void standard_files(void);

/* How large the disk of a folder is, and what of it is free for an ordinary account; false where it cannot be told. */
bool disk_space(const char *path, uint64_t *bytes, uint64_t *free_bytes) MUST_USE;

/* A strict reading of https URLs, for those that a stranger names and we shall fetch: "https://", a host of letters, digits, '-' and
 * '.', then path and query in visible ASCII without backslash. False with user, port, fragment, "." or ".." as a step of the path, or
 * anything else that parsers read in different ways. The views point into `s`; path is empty or begins with '/'. */
struct https_url {
	struct str host, path, query;	/* the query without '?' */
	bool has_query;
};
bool https_url_parse(struct str s, struct https_url *out) MUST_USE;
/* Of a pattern with at most one '*': there stands a run of three or more characters of `set`. Letters without case. */
bool pattern_fits(const char *pattern, struct str s, const char *set);

/* A request header or parameter. */
struct header {
	struct str name;	/* lower case, '-' between words: "x-github-event" */
	struct str value;	/* trimmed */
};

/* ---- time ------------------------------------------------------------------------------------------------- */

ms_t clock_now(void);			/* wall clock: only main, ingest and job code asks; pure code is told */
int64_t clock_wall_us(void);		/* the same in microseconds */
int64_t clock_mono_us(void);		/* microseconds since some start; for durations and deadlines */

/* RFC 3339 (years 0001 to 9999), also with a blank for 'T', a zone without colon, "UTC" or no zone (= UTC), any number
 * of fraction digits (beyond ms cut). False on anything else, and for the "never" year 0001. */
bool time_parse(struct str s, ms_t *out) MUST_USE;
#define TIME_TEXT 25	/* "2026-01-02T03:04:05.678Z" and its NUL */
const char *time_format(ms_t t, char out[TIME_TEXT]);

/* Dates of the calendar (Gregorian, also before 1582). */
struct civil {
	int64_t year;		/* 0 to 9999 */
	unsigned month, day;	/* from 1 */
};
int64_t days_from_civil(struct civil c);	/* since 1970-01-01 */
struct civil civil_from_days(int64_t days);
unsigned days_in_month(int64_t year, unsigned month);

/* ---- hist: durations in classes, at most 3.2 % off -------------------------------------------------------------- */

#define HIST_MAX_LOG 46		/* 2^47 us are four years; what is longer counts as that */
#define HIST_CLASSES 704
unsigned hist_class(uint64_t us);		/* 0 to HIST_CLASSES - 1, growing with us */
uint64_t hist_class_us(unsigned class);	/* the middle of it: what stands for all that fell into it */
/* The smallest duration that at least so many percent (1 to 100) are not above; 0 where there are none. */
uint64_t hist_percentile(const uint64_t counts[HIST_CLASSES], unsigned percent);

/* ---- schedules: moments at which something is to happen again and again ---- */

struct schedule {
	unsigned every_min;	/* at whole multiples of so many minutes since 1970 UTC; 0: once a day */
	unsigned at_min;	/* then: minutes after local midnight, 120 = 02:00 */
};
/* How far local time is ahead of UTC at a moment: zone_offset, or what a test makes up. A local time that a change of
 * clocks skips counts as the same span after midnight would, one that comes twice counts the first time: one moment a day. */
ms_t schedule_last(const struct schedule *s, ms_t (*offset)(ms_t t), ms_t now);	/* the newest one, not after now */
ms_t schedule_next(const struct schedule *s, ms_t (*offset)(ms_t t), ms_t now);	/* the first one after now */
struct str schedule_text(struct arena *a, const struct schedule *s);	/* "every 10 minutes", "daily at 02:00" */

/* The zone of this process: a name of the system's zone files ("Europe/Berlin"); "" keeps the host's. For main alone. */
void zone_set(const char *name);
bool zone_exists(const char *name);
ms_t zone_offset(ms_t t);

/* Any zone by name, read from the same files; NULL where there is none of that name. It lives in the arena. */
struct zone;
const struct zone *zone_read(struct arena *a, struct str name);
/* Names to offer, sorted: of the zones that differ since 1970, and UTC. zone_read takes others, too. */
void zone_names(struct arena *a, struct str **out, size_t *n);
ms_t zone_ahead(const struct zone *z, ms_t t);	/* of UTC */
/* The moment at which clocks of the zone show `wall`: local time, counted as if it were UTC. Of two moments the first; a time that is skipped
 * is told by the clock of before, so that 02:30 is what clocks then call 03:30. */
ms_t zone_moment(const struct zone *z, ms_t wall);

/* ---- ids -------------------------------------------------------------------------------------------------- */

/* 63-bit ids of events, requests, alerts, incidents: 41 bits of ms since 2020-01-01, 10 bits of worker, 12 bits of
 * counter, so that they grow with time, sort as received and need no round trip. Time never runs backwards inside
 * one maker: when the clock steps back or a ms is used up, it goes on from the last id. `worker` (0..1023) must
 * be unique among running processes of all hosts on one database: src/main/id_worker.h. */
struct id_maker {
	unsigned worker;
	uint64_t last;
};

void id_maker_init(struct id_maker *m, unsigned worker);
uint64_t id_make(struct id_maker *m, ms_t now);
ms_t id_time(uint64_t id);		/* the moment inside an id */
uint64_t id_floor(ms_t t);		/* the smallest id of that ms: turns a time window into a range of keys */

/* Public ids: prefix "in", "sv"..., '_' and 20 characters of Crockford base 32 (100 random bits). */
#define PUBLIC_ID_MAX 24	/* with NUL */
void public_id_make(const char *prefix, char out[PUBLIC_ID_MAX]);
bool public_id_is(struct str s, const char *prefix);	/* of that form; says nothing of existence */

/* UUIDv7 text of RFC 9562. */
#define UUID_TEXT 37
void uuid_make(ms_t now, char out[UUID_TEXT]);

/* ---- field tables ----------------------------------------------------------------------------------------- */

/* Describes a struct once. Row fetch, JSON, CSV and OpenAPI read the same table. The macros refuse a member of another
 * type at compile time. `name` is the JSON name and the column alias in SELECT ... AS name. */
enum field_type {
	FIELD_TYPE_STR,		/* struct str; p == NULL is null */
	FIELD_TYPE_U64,		/* uint64_t */
	FIELD_TYPE_I64,		/* int64_t */
	FIELD_TYPE_BOOL,	/* bool */
	FIELD_TYPE_TIME,	/* ms_t; 0 is null; RFC 3339 in JSON */
	FIELD_TYPE_ID,		/* uint64_t; 0 is null; a decimal string in JSON, since 2^53 is not enough */
	FIELD_TYPE_JSON,	/* struct str holding JSON text, put in as it is; empty is null */
	FIELD_TYPE_RATE,	/* double with two decimals */
	FIELD_TYPE_NUMBER,	/* double with as many decimals as it needs, four at most */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	const char *help;	/* one sentence, for OpenAPI and the manual */
};

#define FIELD_CHECKED(s, m, type) (offsetof(s, m) + _Generic(&((s *)0)->m, type *: 0))
#define FIELD_STR(s, m, n, h) { n, FIELD_TYPE_STR, FIELD_CHECKED(s, m, struct str), h }
#define FIELD_U64(s, m, n, h) { n, FIELD_TYPE_U64, FIELD_CHECKED(s, m, uint64_t), h }
#define FIELD_I64(s, m, n, h) { n, FIELD_TYPE_I64, FIELD_CHECKED(s, m, int64_t), h }
#define FIELD_BOOL(s, m, n, h) { n, FIELD_TYPE_BOOL, FIELD_CHECKED(s, m, bool), h }
#define FIELD_TIME(s, m, n, h) { n, FIELD_TYPE_TIME, FIELD_CHECKED(s, m, ms_t), h }
#define FIELD_ID(s, m, n, h) { n, FIELD_TYPE_ID, FIELD_CHECKED(s, m, uint64_t), h }
#define FIELD_JSON(s, m, n, h) { n, FIELD_TYPE_JSON, FIELD_CHECKED(s, m, struct str), h }
#define FIELD_RATE(s, m, n, h) { n, FIELD_TYPE_RATE, FIELD_CHECKED(s, m, double), h }
#define FIELD_NUMBER(s, m, n, h) { n, FIELD_TYPE_NUMBER, FIELD_CHECKED(s, m, double), h }
#define FIELD_END { 0 }

/* CSV (RFC 4180): the names as a line, and one object as a line. A text that a spreadsheet would run as a formula gets an
 * apostrophe in front; control characters are taken out. Null is an empty cell. */
void csv_header(struct strbuf *b, const struct field *fields);
void csv_row(struct strbuf *b, const struct field *fields, const void *obj);

#endif
