/* spool.c - where webhooks are kept while the database is away: it can be written to, nothing stays in it, and nothing was given up. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor_int.h"

#include "grapnel/spool.h"

#define WAITS_MS (5 * MS_PER_MINUTE)	/* the first worker that sees the database again replays within a second, cron within a minute */

static void look_at_folder(struct doctor *d, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		say(d, DOCTOR_FAIL, how(d, "install -d -m 700 -o %s %s", d->service.name, path),
			"%s: %s: while the database is away, webhooks are refused", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		say(d, DOCTOR_FAIL, "name a folder in [spool] directory", "%s is no folder: while the database is away, webhooks are refused", path);
	else if (!service_may(d, path, R_OK) || !service_may(d, path, W_OK | X_OK))
		say(d, DOCTOR_FAIL, how(d, "chown %s %s; chmod 700 %s", d->service.name, path, path),
			"%s may not write into %s: while the database is away, webhooks are refused", d->service.name, path);
}

static void look_at_files(struct doctor *d, const char *path)
{
	struct spool_state s = spool_state(path);
	ms_t waits = s.oldest_at ? d->c->now - s.oldest_at : 0;

	if (s.bad_files)
		say(d, DOCTOR_FAIL, how(d, "grapnelctl secrets list tells whether a key is missing; mend the cause, then mv %s/bad/* %s/", path, path),
			"%llu files with acknowledged webhooks could not be replayed: %s/bad", (unsigned long long)s.bad_files, path);
	if (d->has & HAS_DB && s.files && waits > WAITS_MS)
		say(d, DOCTOR_WARN, "the log of grapnel.fcgi says why", "%llu files wait for %lld minutes, though the database answers",
			(unsigned long long)s.files, (long long)(waits / MS_PER_MINUTE));
	if (s.bytes > d->conf.spool.max_bytes / 10 * 8)
		say(d, DOCTOR_WARN, "bring the database back, or raise [spool] max_bytes where the disk allows it",
			"%llu of %llu MiB are used; when it is full, webhooks are refused", (unsigned long long)(s.bytes >> 20),
			(unsigned long long)d->conf.spool.max_bytes >> 20);
}

static void look_spool(struct doctor *d)
{
	const char *path = d->conf.spool.directory;
	size_t before = said(d);

	if (!d->conf.spool.enabled) {
		say(d, DOCTOR_WARN, "[spool] enabled = true", "it is switched off: while the database is away, webhooks are refused");
		return;
	}
	look_at_folder(d, path);
	if (said(d) == before)
		look_at_files(d, path);
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%s", path);
}

const struct doctor_check check_spool = {
	"spool", "webhooks can be kept while the database is away, and none is left over", HAS_CONF | HAS_SERVICE, 0, look_spool
};
