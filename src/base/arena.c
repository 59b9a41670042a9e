/* arena.c - memory that is forgotten all at once.
 *
 * A list of chunks, each twice the size of the one before up to 1 MiB; a larger wish gets a chunk of its own size. The
 * newest chunk is the one that is filled. A reset frees all but one chunk, so that a worker that once saw a body of
 * 25 MB does not keep it, and the usual request of a few KiB never calls malloc. Rejected: one mmap of the maximum
 * (page faults on each reset), and a free list (nothing is freed singly, that is the point).
 *
 * Under AddressSanitizer the unused part is poisoned and each piece has a gap behind it, so that an overrun inside a
 * chunk, and a view that outlived a reset, are found as they would be with malloc. */
#include "grapnel/base.h"

#include <assert.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define GAP 16
#define POISON(p, n) __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define GAP 0
#define POISON(p, n) ((void)0)
#define UNPOISON(p, n) ((void)0)
#endif

#define ALIGN 16
#define CHUNK_FIRST (16 * 1024)		/* an ordinary request with its tree fits */
#define CHUNK_MAX (1024 * 1024)		/* doubling ends here: beyond it half a chunk unused would be too much */
#define WARM_MAX (1024 * 1024)		/* a full batch of ordinary requests; promised in base.h */

struct chunk {
	struct chunk *older;
	size_t size, used;	/* of data */
	_Alignas(ALIGN) char data[];
};

struct arena {
	struct chunk *top;
	size_t used, max;	/* bytes given out, and their limit */
};

struct arena *arena_new(size_t max)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->max = max;
	return a;
}

static void chunks_free(struct chunk *c)
{
	while (c) {
		struct chunk *older = c->older;

		UNPOISON(c->data, c->size);
		free(c);
		c = older;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	chunks_free(a->top);
	free(a);
}

void arena_reset(struct arena *a)
{
	struct chunk *keep = NULL, **link = &a->top;

	/* Sizes grow towards the top, so the newest that is small enough is about the largest of those. */
	while (*link && (*link)->size > WARM_MAX)
		link = &(*link)->older;
	if (*link) {
		keep = *link;
		*link = keep->older;
		keep->older = NULL;
		keep->used = 0;
		POISON(keep->data, keep->size);
	}
	chunks_free(a->top);
	a->top = keep;
	a->used = 0;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

static void chunk_push(struct arena *a, size_t need)
{
	size_t size = a->top ? a->top->size * 2 : CHUNK_FIRST;
	struct chunk *c;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (size < need)
		size = need;
	c = xmalloc(sizeof(*c) + size);
	c->older = a->top;
	c->size = size;
	c->used = 0;
	POISON(c->data, size);
	a->top = c;
}

static size_t rounded(size_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

void *arena_alloc(struct arena *a, size_t n)
{
	size_t step;
	char *p;

	if (n > a->max || rounded(n) > a->max - a->used)
		die("arena: %zu more bytes are over its limit of %zu", n, a->max);
	step = rounded(n) + GAP;
	if (!a->top || a->top->size - a->top->used < step)
		chunk_push(a, step);
	p = a->top->data + a->top->used;
	a->top->used += step;
	a->used += rounded(n);
	UNPOISON(p, n);
	return memset(p, 0, n);
}

/* The newest piece can grow where it is: a buffer that is filled while nothing else asks is never copied. */
static bool grow_in_place(struct arena *a, char *old, size_t old_n, size_t new_n)
{
	struct chunk *c = a->top;
	size_t more = rounded(new_n) - rounded(old_n);

	if (!c || !old || old + rounded(old_n) + GAP != c->data + c->used || c->size - c->used < more ||
			a->max - a->used < more)
		return false;
	c->used += more;
	a->used += more;
	UNPOISON(old, new_n);
	memset(old + old_n, 0, new_n - old_n);
	return true;
}

void *arena_grow(struct arena *a, void *old, size_t old_n, size_t new_n)
{
	void *p;

	assert(new_n >= old_n);
	if (new_n > a->max)
		die("arena: %zu bytes are over its limit of %zu", new_n, a->max);
	if (grow_in_place(a, old, old_n, new_n))
		return old;
	p = arena_alloc(a, new_n);
	if (old_n)
		memcpy(p, old, old_n);
	return p;
}

char *arena_cstr(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	return (struct str){ arena_cstr(a, s), s.n };
}

struct str arena_line(struct arena *a, struct str s)
{
	char *p = arena_cstr(a, s);

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			p[i] = ' ';
	return str_trim((struct str){ p, s.n });
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return (struct str){ p, (size_t)n };
}

struct str arena_lower(struct arena *a, struct str s)
{
	char *p = arena_cstr(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] - 'A' + 'a');
	return (struct str){ p, s.n };
}
