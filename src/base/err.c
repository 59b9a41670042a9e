/* err.c - the error value, and the two ends of the process that need no caller: bugs and exhausted memory.
 *
 * Memory is never handed back as NULL: a worker that is out of memory cannot answer sensibly either, and its master
 * starts another (STYLE: git, dovecot do the same). */
#include "grapnel/base.h"

#include <errno.h>

PRINTF(4, 0)
static bool fill(struct err *e, enum err_code code, const char *field, const char *fmt, va_list ap)
{
	e->code = code;
	e->told = false;
	snprintf(e->field, sizeof(e->field), "%s", field);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	return false;
}

bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, code, "", fmt, ap);
	va_end(ap);
	return false;
}

bool err_field(struct err *e, enum err_code code, const char *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, code, field, fmt, ap);
	va_end(ap);
	return false;
}

bool err_tell(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, code, "", fmt, ap);
	va_end(ap);
	e->told = true;
	return false;
}

bool err_sys(struct err *e, enum err_code code, const char *fmt, ...)
{
	int cause = errno;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	fill(e, code, "", fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %s", strerror(cause));
	errno = cause;
	return false;
}

void die(const char *fmt, ...)
{
	va_list ap;

	fputs("grapnel: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		die("out of memory for %zu bytes", n);
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		die("out of memory for %zu times %zu bytes", n, size);
	return p;
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		die("out of memory for %zu bytes", n);
	return p;
}
