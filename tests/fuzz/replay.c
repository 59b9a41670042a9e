/* replay.c - runs a fuzz target over files, without a fuzzer: what clang's libFuzzer found once is tried again by every
 * `make check`, with any compiler. After libgit2's standalone_driver.c.
 *
 * fuzz_json reads tests/fuzz/corpus/json/ below $srcdir (automake sets it), or the files and directories it is given. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t files;

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	unsigned char *p;
	struct stat st;
	size_t n;

	if (!f || fstat(fileno(f), &st)) {
		perror(path);
		return 1;
	}
	/* Exactly as long as the file, so that the sanitizer sees a read beyond it. */
	p = malloc(st.st_size ? (size_t)st.st_size : 1);
	n = p ? fread(p, 1, (size_t)st.st_size, f) : 0;
	fclose(f);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(p, n);
	free(p);
	files++;
	return 0;
}

static int run(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	int failed = 0;

	if (!d)
		return run_file(path);
	while ((entry = readdir(d))) {
		char inside[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		failed |= run_file(inside);
	}
	closedir(d);
	return failed;
}

/* "./fuzz_json" -> "<srcdir>/tests/fuzz/corpus/json" */
static int run_own_corpus(const char *program)
{
	const char *slash = strrchr(program, '/'), *srcdir = getenv("srcdir");
	const char *name = slash ? slash + 1 : program;
	char path[4096];

	if (!strncmp(name, "fuzz_", 5))
		name += 5;
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
	return run(path);
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc < 2)
		failed = run_own_corpus(argv[0]);
	for (int i = 1; i < argc; i++)
		failed |= run(argv[i]);
	if (!files)
		fprintf(stderr, "%s: no files\n", argv[0]);
	return failed || !files;
}
