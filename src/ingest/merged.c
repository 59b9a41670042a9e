/* merged.c - keys whose incident was merged into another one: what fires for them joins that, as long as it is unresolved (incident.h).
 *
 * It is rare, and a batch without any pays nothing for it: the pointer comes with the lock of the key. Else one statement finds the keys of those other incidents,
 * and one locks those that the batch does not hold already. They are locked out of the order of all others, so two batches may collide; then one runs again. */
#include <inttypes.h>

#include "ingest_int.h"

static struct str ids_json(struct arena *a, const struct key_lock *keys, size_t n)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 24 * n + 16);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		if (keys[i].merged_into)
			json_u64(&o, keys[i].merged_into);
	json_close(&o, ']');
	return strbuf_str(&b);
}

static struct key_lock *find(struct key_lock *keys, size_t n, const struct merge_target *t)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i].service_id == t->service_id && !memcmp(keys[i].key_hash, t->key_hash, KEY_HASH_BYTES))
			return &keys[i];
	return NULL;
}

static int by_key(const void *x, const void *y)
{
	const struct key_lock *a = x, *b = y;

	if (a->service_id != b->service_id)
		return a->service_id < b->service_id ? -1 : 1;
	return memcmp(a->key_hash, b->key_hash, KEY_HASH_BYTES);
}

/* Those that the batch does not hold, each once. */
static size_t collect(struct key_lock *keys, size_t n, const struct merge_target *targets, size_t targets_n, struct key_lock *more)
{
	size_t m = 0;

	for (size_t i = 0; i < targets_n; i++)
		if (!find(keys, n, &targets[i]) && !find(more, m, &targets[i]))
			more[m++] = (struct key_lock){ .service_id = targets[i].service_id, .key_hash = targets[i].key_hash };
	if (m)
		qsort(more, m, sizeof(*more), by_key);
	return m;
}

static bool any_merged(const struct key_lock *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keys[i].merged_into)
			return true;
	return false;
}

bool merged_follow(struct batch *b, struct key_lock *keys, size_t n, struct key_lock **more, size_t *more_n, struct err *e)
{
	struct merge_target *targets;
	size_t targets_n;

	*more = NULL;
	*more_n = 0;
	if (!any_merged(keys, n))
		return true;
	if (!batch_merge_targets(b->g->c.db, b->a, ids_json(b->a, keys, n), &targets, &targets_n, e))
		return false;
	*more = ARENA_ARRAY(b->a, struct key_lock, targets_n + 1);
	*more_n = collect(keys, n, targets, targets_n, *more);
	if (*more_n && !batch_lock_keys(b->g->c.db, b->a, *more, *more_n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < targets_n && !keys[i].target; k++)
			if (targets[k].incident == keys[i].merged_into) {
				struct key_lock *among = find(keys, n, &targets[k]);

				keys[i].target = among ? among : find(*more, *more_n, &targets[k]);
			}
	return true;
}
