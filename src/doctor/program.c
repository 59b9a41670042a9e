/* program.c - grapnel.fcgi itself: its sockets, who may connect to them, and whether the workers behind them answer. */
#include "doctor_int.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fastcgi.h"
#include "grapnel/shm.h"

#define ANSWER_MS 5000		/* a worker that is alive answers in some milliseconds */

/* ---- sockets ---- */

/* A process of this name under another user than root: its user, else 0. */
static uid_t user_of(const char *pid, const char *program)
{
	char path[300], name[32] = "";
	struct stat st;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(name, sizeof(name), f) || fstat(fileno(f), &st))
		st.st_uid = 0;
	fclose(f);
	name[strcspn(name, "\n")] = '\0';
	return strcmp(name, program) ? 0 : st.st_uid;
}

/* The user of a running process of that name. */
static uid_t process_user(const char *program)
{
	DIR *dir = opendir("/proc");
	struct dirent *x;
	uid_t uid = 0;

	while (dir && !uid && (x = readdir(dir)))
		if (isdigit((unsigned char)x->d_name[0]))
			uid = user_of(x->d_name, program);
	if (dir)
		closedir(dir);
	return uid;
}

/* Which of the web servers that run here may not connect. */
static void look_at_web_servers(struct doctor *d, const char *path)
{
	static const char *const programs[] = { "lighttpd", "apache2", "httpd", "nginx" };
	struct service_user ours = d->service;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		uid_t uid = process_user(programs[i]);
		struct passwd *pw = uid ? getpwuid(uid) : NULL;

		if (!uid)
			continue;
		d->service = (struct service_user){ uid, pw ? pw->pw_gid : (gid_t)-1, pw ? how(d, "%s", pw->pw_name) : "its user" };
		if (!service_may(d, path, W_OK))
			say(d, DOCTOR_WARN, how(d, "usermod -aG the group of %s %s, and restart %s", path, d->service.name, programs[i]),
				"%s runs here as %s, who may not connect to %s", programs[i], d->service.name, path);
		d->service = ours;
	}
}

static void look_at_socket(struct doctor *d, const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		say(d, DOCTOR_FAIL, "start grapnel.fcgi; the folder must be there and writable for it", "%s: %s", path, strerror(errno));
	else if (!S_ISSOCK(st.st_mode))
		say(d, DOCTOR_FAIL, how(d, "rm %s, then restart grapnel.fcgi", path), "%s is no socket", path);
	else if ((st.st_mode & 0777) != d->conf.server.socket_mode)
		say(d, DOCTOR_WARN, "restart grapnel.fcgi", "%s has mode %04o, [server] socket_mode says %04o", path, (unsigned)(st.st_mode & 0777),
			d->conf.server.socket_mode);
	else
		look_at_web_servers(d, path);
}

static void look_sockets(struct doctor *d)
{
	size_t before = said(d);

	look_at_socket(d, d->conf.server.ingest_socket);
	if (strcmp(d->conf.server.ingest_socket, d->conf.server.web_socket) != 0)
		look_at_socket(d, d->conf.server.web_socket);
	else
		say(d, DOCTOR_FAIL, "give [server] ingest_socket and web_socket different paths", "both pools have one socket");
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "%s and %s", d->conf.server.ingest_socket, d->conf.server.web_socket);
}

const struct doctor_check check_sockets = {
	"sockets", "the two sockets are there, and the web server may connect", HAS_CONF | HAS_SERVICE, 0, look_sockets
};

/* ---- workers ---- */

static bool pool_answers(struct doctor *d, const char *path, const char *pool)
{
	struct fastcgi_answer answer;
	struct err e = { 0 };

	if (!fastcgi_get(d->a, path, "/healthz", NULL, ANSWER_MS, &answer, &e))
		say(d, DOCTOR_FAIL, "start or restart grapnel.fcgi; its log says why it ended", "the %s workers do not answer: %s", pool, e.text);
	else if (answer.status != 200)
		say(d, DOCTOR_FAIL, "see the log of grapnel.fcgi", "the %s workers answer /healthz with %u", pool, answer.status);
	else
		return true;
	return false;
}

#define LATELY_MS MS_PER_HOUR

struct deaths {
	uint64_t n;	/* since the state file was made */
	bool lately;
};

static struct deaths deaths(struct doctor *d)
{
	struct err e = { 0 };
	struct shm *shm = access(d->conf.server.state_file, F_OK) ? NULL : shm_open_existing(d->conf.server.state_file, &e);
	struct deaths x = { 0 };

	if (!shm)
		return x;
	x = (struct deaths){ counter_read(shm, C_WORKER_DEATHS), d->c->now - worker_last_death(shm) < LATELY_MS };
	shm_close(shm);
	return x;
}

static void look_workers(struct doctor *d)
{
	bool ingest = pool_answers(d, d->conf.server.ingest_socket, "ingest");
	bool web = pool_answers(d, d->conf.server.web_socket, "web");
	struct deaths died = deaths(d);

	if (ingest && web)
		d->has |= HAS_PROGRAM;
	if (died.lately)
		say(d, DOCTOR_WARN, "grep \"worker died\" in the log: it names signal and process", "a worker died in the last hour, %llu in all",
			(unsigned long long)died.n);
	else if (ingest && web)
		say(d, DOCTOR_OK, NULL, "both pools answer");
}

const struct doctor_check check_workers = {
	"workers", "the processes behind both sockets answer", HAS_CONF, HAS_PROGRAM, look_workers
};
