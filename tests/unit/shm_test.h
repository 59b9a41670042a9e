/* shm_test.h - a state file for one test. */
#ifndef GRAPNEL_SHM_TEST_H
#define GRAPNEL_SHM_TEST_H

#include "unit.h"

#include "grapnel/shm.h"

static inline const char *shm_test_path(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "test_shm.%d.tmp", (int)getpid());
	return name;
}

static inline struct shm *shm_test_open(void)
{
	struct err e = { 0 };
	struct shm *s = shm_open_file(shm_test_path(), &e);

	ck_assert_msg(s != NULL, "%s", e.text);
	return s;
}

static inline void shm_test_end(struct shm *s)
{
	shm_close(s);
	unlink(shm_test_path());
}

#endif
