/* sample.h - a view with one of everything, for tests/gen/sample.html. */
#ifndef GRAPNEL_TESTS_SAMPLE_H
#define GRAPNEL_TESTS_SAMPLE_H

#include "grapnel/html.h"

struct sample_row {
	struct str name, url;
	const char *state;
	uint64_t count;
	struct str tags[2];
	size_t tags_n;
};

struct sample {
	struct sample_row first, *rows;
	size_t rows_n;
	struct str hostile, url;
	const char *word;
	struct html picture;
	ms_t at;
	uint32_t small;
	int below;
	bool yes, no;
};

#endif
