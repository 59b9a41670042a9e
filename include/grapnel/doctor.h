/* doctor.h - what may be wrong with an installation, found by looking at the real thing, and how each is mended.
 *
 * A check is a row of the table in src/doctor/table.c. It is run against the configuration, the files, the database, the sockets and the
 * address that providers call, changes nothing, and says one thing or several: a level, a sentence, and what to do. */
#ifndef GRAPNEL_DOCTOR_H
#define GRAPNEL_DOCTOR_H

#include "grapnel/base.h"
#include "grapnel/conf.h"
#include "grapnel/crypto.h"

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_SKIPPED,	/* what it looks at is not there; another line says why */
	DOCTOR_WARN,	/* it works, but should not stay so */
	DOCTOR_FAIL,	/* something does not work, or what was acknowledged may be lost or forged */
};
const char *doctor_level_word(enum doctor_level l);	/* "ok", "skip", "warn", "FAIL" */

struct doctor_line {
	struct str check, level, text;
	struct str mend;	/* p NULL: nothing to do */
	enum doctor_level at;
};
extern const struct field doctor_line_fields[];

struct doctor_check;
extern const struct doctor_check *const doctor_checks[];	/* in the order in which they are run; ends with NULL */
const struct doctor_check *doctor_find(struct str name);	/* NULL: there is none */

/* A check, for those who list them. */
struct doctor_about {
	struct str name, what;
};
extern const struct field doctor_about_fields[];
struct doctor_about doctor_about(const struct doctor_check *check);

struct doctor_config {
	const char *conf_path;		/* of the configuration file */
	const char *sql_dir;		/* of the migrations */
	const char *url;		/* where Grapnel is called, NULL: public_url */
	const char *program, *version;	/* "Grapnel/0.1.0", "0.1.0" */
	struct db *(*open_db)(const struct conf *conf);
	const struct doctor_check *const *only;	/* ends with NULL; NULL itself: all */
	ms_t now;
};

struct doctor_result {
	struct doctor_line *lines;
	size_t n;
	uint64_t ok, skipped, warnings, failures;
	bool no_database;	/* it does not answer */
};
/* Texts are in the arena. */
void doctor_run(const struct doctor_config *c, struct arena *a, struct doctor_result *out);

#endif
