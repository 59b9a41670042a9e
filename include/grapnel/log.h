/* log.h - one line per fact, key=value, to syslog or stderr.
 *
 * Only code that decides logs (main, http, ingest, api, job); libraries return errors. Levels: error = someone must
 * act; warning = will need it; info = a fact; debug = off. Control characters and quotes in values are escaped. Never a
 * secret, never a payload. */
#ifndef GRAPNEL_LOG_H
#define GRAPNEL_LOG_H

#include "grapnel/base.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG };
enum log_format { LOG_FORMAT_KEYS, LOG_FORMAT_JSON };

void log_init(const char *program, enum log_target target, enum log_level level, enum log_format format);
/* A prefix for all lines until changed, e.g. "request=abc"; NULL for none. Copied. */
void log_prefix(const char *fmt, ...) PRINTF(1, 2);
/* The message is a short fixed sentence; facts follow as "key=value" pairs made with log_kv arguments:
 *     log_info("worker started", LOG_U("pid", pid), LOG_S("pool", name));
 */
struct log_pair {
	const char *key;
	struct str text;
	uint64_t number;
	bool is_number;
};
#define LOG_S(k, s) ((struct log_pair){ k, str_of(s), 0, false })
#define LOG_STR(k, s) ((struct log_pair){ k, (s), 0, false })
#define LOG_U(k, v) ((struct log_pair){ k, { NULL, 0 }, (uint64_t)(v), true })
#define LOG_ERR(e) ((struct log_pair){ "error", str_of((e)->text), 0, false })

void log_write(enum log_level level, const char *message, const struct log_pair *pairs, size_t n);
bool log_enabled(enum log_level level);
#define LOG_AT(level, message, ...) \
	log_write((level), (message), (const struct log_pair[]){ { 0 }, ##__VA_ARGS__ } + 1, \
		sizeof((const struct log_pair[]){ { 0 }, ##__VA_ARGS__ }) / sizeof(struct log_pair) - 1)
#define log_error(...) LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) LOG_AT(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) do { if (log_enabled(LOG_LEVEL_DEBUG)) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__); } while (0)

#endif
