/* file.c - a file as a whole into memory; room on disks; the three descriptors that everybody takes for granted. */
#include <fcntl.h>
#include <sys/statvfs.h>

#include "grapnel/base.h"

bool file_read(struct arena *a, const char *path, size_t max, struct str *out, struct err *e)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	struct strbuf b;
	char some[4096];
	size_t n;
	bool ok;

	if (!f)
		return err_sys(e, ERR_NOT_FOUND, "cannot be opened");
	strbuf_init(&b, a, max);
	while ((n = fread(some, 1, sizeof(some), f)))
		strbuf_add(&b, some, n);
	ok = !ferror(f);
	if (f != stdin)
		fclose(f);
	if (!ok)
		return err_set(e, ERR_DOWN, "cannot be read");
	if (b.failed)
		return err_set(e, ERR_LIMIT, "is larger than %zu bytes", max);
	*out = strbuf_str(&b);
	return true;
}

void standard_files(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd < (int)ARRAY_SIZE(modes); fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			die("/dev/null cannot be opened");
}

bool disk_space(const char *path, uint64_t *bytes, uint64_t *free_bytes)
{
	struct statvfs fs;

	if (statvfs(path, &fs))
		return false;
	*bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	*free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return true;
}
