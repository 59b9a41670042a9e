/* payload.h - webhooks as providers really send them, each a new event, as whole HTTP requests.
 *
 * A template is a real payload trimmed to about 1 KiB; every member that the adapters read is kept. Marked places of fixed
 * width are overwritten for each event, so that a new one costs a copy of 1.5 KiB, some digits and one HMAC: the sender
 * must not take the processor from what it measures. Single-threaded; a payload owns its memory. */
#ifndef BENCH_PAYLOAD_H
#define BENCH_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

enum payload_kind { PAYLOAD_PROMETHEUS, PAYLOAD_GITHUB, PAYLOAD_STRIPE, PAYLOAD_KINDS };

#define PAYLOAD_MAX 4096	/* bytes of a whole request */
#define PAYLOAD_ID_MAX 96	/* bytes of an event id with its NUL */

struct payload;

extern const char *const payload_words[PAYLOAD_KINDS];

/* `secret` is the integration key of prometheus, the signature secret of the others. `salt` (0..999) keeps two senders that
 * began in the same microsecond apart. NULL when the request would be longer than PAYLOAD_MAX. */
struct payload *payload_new(enum payload_kind kind, const char *host, const char *path, const char *secret, unsigned salt);
void payload_free(struct payload *p);

/* Writes a request into out[PAYLOAD_MAX] and returns its length; id[PAYLOAD_ID_MAX] gets what the product stores as
 * events.event_id. `number` makes the event: microseconds since 1970, equal numbers give equal events but for the
 * signature's time. `key` says which trouble it is about: equal keys join one incident. */
size_t payload_make(struct payload *p, uint64_t number, uint32_t key, char *out, char *id);

#endif
