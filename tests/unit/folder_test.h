/* folder_test.h - a temporary folder with all that a test left in it goes. */
#ifndef GRAPNEL_FOLDER_TEST_H
#define GRAPNEL_FOLDER_TEST_H

#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>

static inline int folder_entry_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

/* Links are removed, not followed. One that is not there is gone. */
static inline bool folder_remove(const char *path)
{
	return !nftw(path, folder_entry_remove, 16, FTW_DEPTH | FTW_PHYS) || errno == ENOENT;
}

#endif
