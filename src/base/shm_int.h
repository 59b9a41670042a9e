/* shm_int.h - the layout of the shared file. Whoever changes anything here raises SHM_LAYOUT. */
#ifndef GRAPNEL_SHM_INT_H
#define GRAPNEL_SHM_INT_H

#include "grapnel/shm.h"

#include <stdatomic.h>

#define SHM_LAYOUT 4u
#define TABLE_CELLS 65536	/* 1 MiB; four times the sources and remote addresses of a busy minute */
#define TABLE_PROBE 8		/* cells a key may stand in: two cache lines */

/* A named 64-bit value. Key 0 is a free cell; a cell once taken is never free again, it only changes its key. */
struct cell {
	_Atomic uint64_t key, value;
};

struct hand {
	_Atomic uint64_t n;
	_Atomic uint64_t prints[SHM_IN_HAND];
};

struct suspect {
	_Atomic uint64_t print;		/* 0 = free */
	_Atomic int64_t died_at;	/* ms_t */
};

struct shm_file {
	_Atomic uint64_t version;	/* written last when the file is made */
	_Atomic uint64_t generation;
	_Atomic int64_t silent_us;	/* when the database last was, by the monotonic clock */
	_Atomic int64_t dispatcher_at;	/* ms_t */
	_Atomic uint64_t counters[COUNTER_COUNT];
	struct hand hands[SHM_WORKERS];
	_Atomic int64_t last_death;	/* ms_t; spares the walk through the suspects */
	struct suspect suspects[SHM_SUSPECTS];
	_Atomic int64_t places[SHM_PLACES];	/* ms_t until which it is taken; 0 = free */
	_Alignas(64) struct cell buckets[TABLE_CELLS];	/* value: theoretical arrival time, ns since 1970 */
	struct cell hourly[TABLE_CELLS];	/* value: hours since 1970 << 32 | count */
};

struct shm {
	struct shm_file *f;
	int bell;		/* of this process and its children; -1: none */
};

/* The cell of that key. When the key is new it takes a free cell of its neighbourhood, or the one with the smallest
 * value (both tables: the longest idle), and its value starts at 0. */
struct cell *cell_find(struct cell *table, uint64_t key);

#endif
