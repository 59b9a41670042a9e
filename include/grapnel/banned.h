/* banned.h - calls that have no place in code that strangers can reach: each use is a compile error.
 * The idea is git's banned.h. Add a line with what to use instead. */
#ifndef GRAPNEL_BANNED_H
#define GRAPNEL_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(f) sorry_##f##_is_banned

#undef strcpy	/* arena_str, snprintf */
#define strcpy(d, s) BANNED(strcpy)
#undef strcat	/* strbuf */
#define strcat(d, s) BANNED(strcat)
#undef strncpy	/* snprintf, memcpy with a checked length */
#define strncpy(d, s, n) BANNED(strncpy)
#undef strncat	/* strbuf */
#define strncat(d, s, n) BANNED(strncat)
#undef sprintf	/* snprintf, strbuf_addf */
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef strtok	/* str_until, str_word */
#define strtok(s, d) BANNED(strtok)
#undef atoi	/* str_u64, str_i64 */
#define atoi(s) BANNED(atoi)
#undef atol
#define atol(s) BANNED(atol)
#undef gmtime	/* time_format */
#define gmtime(t) BANNED(gmtime)
#undef localtime
#define localtime(t) BANNED(localtime)
#undef ctime
#define ctime(t) BANNED(ctime)
#undef asctime
#define asctime(t) BANNED(asctime)
#undef rand	/* random_bytes in crypto.h */
#define rand() BANNED(rand)

#endif
