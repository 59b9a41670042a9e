/* base_int.h - what the files of src/base know of each other and nobody else may. */
#ifndef GRAPNEL_BASE_INT_H
#define GRAPNEL_BASE_INT_H

#include "grapnel/base.h"

/* Length of the longest prefix of s that is UTF-8. */
size_t utf8_prefix(struct str s);

/* Finalizer of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014, constants of
 * Stafford's variant 13). One-to-one on 64 bits, so that it makes no two names equal. */
static inline uint64_t mix64(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* Rounds down, also before 1970. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* ---- zone.c ---- */

#define ZONE_FILES "/usr/share/zoneinfo"

/* zone_moment of whatever tells how far local time is ahead of UTC. */
ms_t wall_moment(ms_t (*offset)(const void *zone, ms_t t), const void *zone, ms_t wall);

#endif
