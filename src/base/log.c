/* log.c - one line per fact, whole or not at all.
 *
 * A line is built in memory and handed over in one write, so that lines of several processes do not mix. It is never
 * longer than a syslog datagram: values are cut, and facts that do not fit are left out rather than cut in the middle. */
#include "grapnel/log.h"
#include "base_int.h"
#include "grapnel/json.h"
#include "log_int.h"

#include <assert.h>
#include <inttypes.h>
#include <unistd.h>

#define LINE_BYTES 4096		/* half of the 8 KiB that a datagram to /dev/log may have */
#define VALUE_MAX 512		/* longer values are payload, which does not belong here */

/* Process-wide, as syslog's own state is: where lines go is decided once, by main. */
static struct {
	char program[32];
	char prefix[160];
	enum log_target target;
	enum log_level level;
	enum log_format format;
	struct arena *arena;	/* of the line in work */
} out = { .program = "grapnel", .level = LOG_LEVEL_INFO };

static const struct {
	const char *word;
	int severity;		/* RFC 5424 */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

void log_init(const char *program, enum log_target target, enum log_level level, enum log_format format)
{
	snprintf(out.program, sizeof(out.program), "%s", program);
	out.target = target;
	out.level = level;
	out.format = format;
	if (target == LOG_TARGET_SYSLOG)
		syslog_begin(out.program);
}

void log_prefix(const char *fmt, ...)
{
	va_list ap;

	out.prefix[0] = '\0';
	if (!fmt)
		return;
	va_start(ap, fmt);
	vsnprintf(out.prefix, sizeof(out.prefix), fmt, ap);
	va_end(ap);
}

bool log_enabled(enum log_level level)
{
	return level <= out.level;
}

/* ---- a line: pairs in one of two notations ---- */

struct line {
	struct strbuf b;
	struct json_out json;	/* over b */
	bool full;		/* something was left out: so is the rest */
};

static void line_begin(struct line *l)
{
	*l = (struct line){ 0 };
	if (!out.arena)
		out.arena = arena_new(16 * LINE_BYTES);
	strbuf_init(&l->b, out.arena, LINE_BYTES - 2);	/* the end is "}\n" */
	json_out_init(&l->json, &l->b);
	if (out.format == LOG_FORMAT_JSON)
		json_open(&l->json, '{');
}

/* Bare where a shell word would be, else quoted with C escapes: a sender cannot forge a pair or a line. */
static void keys_value(struct strbuf *b, struct str s)
{
	bool bare = s.n > 0;

	for (size_t i = 0; i < s.n && bare; i++)
		bare = s.p[i] > ' ' && s.p[i] < 0x7f && s.p[i] != '"' && s.p[i] != '\\' && s.p[i] != '=';
	if (bare) {
		strbuf_addstr(b, s);
		return;
	}
	strbuf_addc(b, '"');
	for (size_t i = 0, n; i < s.n; i += n) {
		unsigned char c = (unsigned char)s.p[i];

		n = utf8_sequence(s.p + i, s.n - i);
		if (!n || c < ' ' || c == 0x7f)
			strbuf_addf(b, "\\x%02x", (unsigned)c);
		else if (c == '"' || c == '\\')
			strbuf_addf(b, "\\%c", c);
		else
			strbuf_add(b, s.p + i, n);
		n = n ? n : 1;
	}
	strbuf_addc(b, '"');
}

static void pair_keys(struct line *l, const struct log_pair *p)
{
	strbuf_addf(&l->b, "%s%s=", l->b.n ? " " : "", p->key);
	if (p->is_number)
		strbuf_addf(&l->b, "%" PRIu64, p->number);
	else
		keys_value(&l->b, str_cut(p->text, VALUE_MAX));
}

static void pair_json(struct line *l, const struct log_pair *p)
{
	json_key(&l->json, p->key);
	if (p->is_number)
		json_u64(&l->json, p->number);
	else
		json_str(&l->json, str_cut(p->text, VALUE_MAX));
}

static void pair(struct line *l, const struct log_pair *p)
{
	struct json_out json = l->json;
	size_t n = l->b.n;

	if (l->full)
		return;
	if (out.format == LOG_FORMAT_JSON)
		pair_json(l, p);
	else
		pair_keys(l, p);
	if (!l->b.failed)
		return;
	l->full = true;
	l->json = json;
	l->b.n = n;
	l->b.failed = false;
}

/* "request=abc job=cleanup" as pairs; a word without '=' goes under the key "about". */
static void prefix_pairs(struct line *l)
{
	struct str rest = str_of(out.prefix), word;

	while ((word = str_word(&rest)).n) {
		char key[32] = "about";
		struct log_pair p = { .key = key, .text = word };

		if (str_find(word, '=') > 0) {
			struct str name = str_cut(str_until(&p.text, '='), sizeof(key) - 1);

			memcpy(key, name.p, name.n);
			key[name.n] = '\0';
		}
		pair(l, &p);
	}
}

/* syslog writes time, program and pid itself. */
static void origin_pairs(struct line *l)
{
	char now[TIME_TEXT];

	if (out.target == LOG_TARGET_SYSLOG)
		return;
	pair(l, &LOG_S("time", time_format(clock_now(), now)));
	pair(l, &LOG_S("program", out.program));
	pair(l, &LOG_U("process", getpid()));
}

static void line_end(struct line *l, enum log_level level)
{
	l->b.max = LINE_BYTES;
	if (out.format == LOG_FORMAT_JSON)
		json_close(&l->json, '}');
	strbuf_addc(&l->b, out.target == LOG_TARGET_SYSLOG ? '\0' : '\n');
	if (out.target == LOG_TARGET_SYSLOG)
		syslog_line(levels[level].severity, l->b.p);
	else if (write(STDERR_FILENO, l->b.p, l->b.n) < 0)
		return;	/* nobody is left to tell */
}

void log_write(enum log_level level, const char *message, const struct log_pair *pairs, size_t n)
{
	struct line l;

	if (!log_enabled(level))
		return;
	line_begin(&l);
	origin_pairs(&l);
	pair(&l, &LOG_S("level", levels[level].word));
	prefix_pairs(&l);
	pair(&l, &LOG_S("message", message));
	for (size_t i = 0; i < n; i++)
		pair(&l, &pairs[i]);
	line_end(&l, level);
	arena_reset(out.arena);
}
