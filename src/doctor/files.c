/* files.c - who runs the programs, and the files they need: key, state, archive; room on the disk; certificate authorities.
 *
 * What counts is what the worker processes may do, not what the administrator may who calls us: root asks in the name of their user, in
 * a child that becomes him. */
#include "doctor_int.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/x509_vfy.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grapnel/shm.h"

/* ---- who runs the programs ---- */

/* The user of whoever listens there. */
static bool listener_uid(const char *path, uid_t *uid)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t n = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	ok = fd >= 0 && !connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n);
	if (ok)
		*uid = peer.uid;
	if (fd >= 0)
		close(fd);
	return ok;
}

static void set_service(struct doctor *d, uid_t uid)
{
	struct passwd *pw = getpwuid(uid);

	d->service = (struct service_user){ uid, pw ? pw->pw_gid : (gid_t)-1, pw ? how(d, "%s", pw->pw_name) : how(d, "uid %u", (unsigned)uid) };
}

static void look_service_user(struct doctor *d)
{
	const char *name = d->conf.server.user;
	struct passwd *pw = *name ? getpwnam(name) : NULL;
	uid_t uid = pw ? pw->pw_uid : geteuid();
	bool runs = listener_uid(d->conf.server.ingest_socket, &uid);

	d->has |= HAS_SERVICE;
	set_service(d, uid);
	if (*name && !pw)
		say(d, DOCTOR_FAIL, how(d, "adduser --system --group %s", name), "[server] user: there is no user %s; grapnel.fcgi will not start",
			name);
	else if (runs && !uid)
		say(d, DOCTOR_FAIL, "[server] user = grapnel, then restart", "grapnel.fcgi runs as root");
	else if (runs && pw && uid != pw->pw_uid)
		say(d, DOCTOR_WARN, "restart grapnel.fcgi", "grapnel.fcgi runs as %s, [server] user says %s", d->service.name, name);
	else
		say(d, DOCTOR_OK, NULL, "%s%s", d->service.name, runs ? "" : ", as far as can be told while grapnel.fcgi does not run");
}

const struct doctor_check check_service_user = {
	"service-user", "who runs grapnel.fcgi; not root", HAS_CONF, HAS_SERVICE, look_service_user
};

static bool become(const struct service_user *s)
{
	return !(s->gid != (gid_t)-1 ? initgroups(s->name, s->gid) || setgid(s->gid) : setgroups(0, NULL)) && !setuid(s->uid);
}

int service_may(struct doctor *d, const char *path, int mode)
{
	int status;
	pid_t child;

	if (geteuid() == d->service.uid)
		return !faccessat(AT_FDCWD, path, mode, AT_EACCESS);
	if (geteuid())
		return -1;
	child = fork();
	if (child < 0)
		return -1;
	if (!child)
		_exit(!become(&d->service) ? 2 : access(path, mode) ? 1 : 0);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 2)
		return -1;
	return !WEXITSTATUS(status);
}

/* ---- the key file ---- */

static void look_key_file(struct doctor *d)
{
	const char *path = d->conf.secrets.key_file;
	struct err e = { 0 };

	d->seal = seal_key_load(path, &e);
	if (d->seal)
		d->has |= HAS_KEY;
	if (!d->seal && e.code == ERR_NOT_FOUND)
		say(d, DOCTOR_FAIL, "put the copy of it back; on a new installation: grapnelctl secrets init, as the user of the programs", "%s", e.text);
	else if (!d->seal && e.code == ERR_DENIED && geteuid() && !access(path, F_OK))
		say(d, DOCTOR_FAIL, how(d, "chown %s %s; chmod 600 %s; run this as root", d->service.name, path, path), "%s", e.text);
	else if (!d->seal)
		say(d, DOCTOR_FAIL, how(d, "put the copy of it back, chown %s %s, chmod 600 %s", d->service.name, path, path), "%s", e.text);
	else if (!service_may(d, path, R_OK))
		say(d, DOCTOR_FAIL, how(d, "chown %s %s", d->service.name, path), "%s, who runs the programs, may not read %s", d->service.name, path);
	else
		say(d, DOCTOR_OK, NULL, "%s", path);
}

const struct doctor_check check_key_file = {
	"key-file", "the key that seals secrets: there, private, readable by the programs", HAS_CONF | HAS_SERVICE, HAS_KEY, look_key_file
};

/* ---- the state file ---- */

static void look_state_file(struct doctor *d)
{
	const char *path = d->conf.server.state_file;
	struct shm *shm = NULL;
	struct err e = { 0 };

	if (access(path, F_OK)) {
		say(d, DOCTOR_FAIL, "start grapnel.fcgi, which makes it; its folder must be there and writable for it",
			"%s: %s: changes made on the command line reach no worker for minutes", path, strerror(errno));
		return;
	}
	shm = shm_open_existing(path, &e);
	if (!shm)
		say(d, DOCTOR_FAIL, e.code == ERR_CONFLICT ? "restart grapnel.fcgi: it is of another version than grapnelctl" :
			how(d, "call grapnelctl and grapnel-cron as %s or as root", d->service.name), "%s", e.text);
	else if (!service_may(d, path, R_OK) || !service_may(d, path, W_OK))
		say(d, DOCTOR_FAIL, how(d, "chown %s %s, then restart grapnel.fcgi", d->service.name, path), "%s may not use %s", d->service.name, path);
	else
		say(d, DOCTOR_OK, NULL, "%s", path);
	if (shm)
		shm_close(shm);
}

const struct doctor_check check_state_file = {
	"state-file", "the memory that workers, cron and command line share", HAS_CONF | HAS_SERVICE, 0, look_state_file
};

/* ---- the archive ---- */

static void look_archive_folder(struct doctor *d)
{
	const char *path = d->conf.retention.archive_dir;
	struct stat st;

	if (!*path)
		say(d, DOCTOR_OK, NULL, "none is set: audit entries stay in the database");
	else if (stat(path, &st))
		say(d, DOCTOR_FAIL, how(d, "install -d -m 700 -o %s %s", d->service.name, path), "%s: %s: cleanup fails", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		say(d, DOCTOR_FAIL, "name a folder in [retention] archive_dir", "%s is no folder: cleanup fails", path);
	else if (!service_may(d, path, R_OK) || !service_may(d, path, W_OK | X_OK))
		say(d, DOCTOR_FAIL, how(d, "chown %s %s; chmod u+rwx %s", d->service.name, path, path), "%s may not write into %s: cleanup fails",
			d->service.name, path);
	else if (st.st_mode & S_IRWXO)
		say(d, DOCTOR_WARN, how(d, "chmod o-rwx %s", path), "everybody on this host may look into %s", path);
	else
		say(d, DOCTOR_OK, NULL, "%s", path);
}

const struct doctor_check check_archive_folder = {
	"archive-folder", "where cleanup puts what it archives", HAS_CONF | HAS_SERVICE, 0, look_archive_folder
};

/* ---- room ---- */

#define ROOM_LEAST ((uint64_t)256 << 20)	/* bytes: some minutes of full load with bodies of 1 KiB */
#define ROOM_GOOD ((uint64_t)2 << 30)
#define FILES_LEAST 1000

static void look_at_room(struct doctor *d, const char *path, const char *what)
{
	struct statvfs fs;
	uint64_t room;

	if (!*path || statvfs(path, &fs))
		return;		/* whether it is there is another check's question */
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room < ROOM_LEAST || (fs.f_files && fs.f_favail < FILES_LEAST))
		say(d, DOCTOR_FAIL, "make room, or move it to a larger disk; grapnel-cron --dry-run cleanup says what may go",
			"%s: %llu MiB and %llu files are left for %s", path, (unsigned long long)(room >> 20),
			(unsigned long long)fs.f_favail, what);
	else if (room < ROOM_GOOD)
		say(d, DOCTOR_WARN, "make room soon", "%s: %llu MiB are left for %s", path, (unsigned long long)(room >> 20), what);
}

static void look_disk_space(struct doctor *d)
{
	bool db_is_here = d->has & HAS_DB && *d->conf.database.socket;
	size_t before = said(d);

	if (db_is_here)
		look_at_room(d, arena_cstr(d->a, d->server.datadir), "the database");
	look_at_room(d, d->conf.retention.archive_dir, "archives");
	if (d->conf.spool.enabled)
		look_at_room(d, d->conf.spool.directory, "the spool");
	if (said(d) == before)
		say(d, DOCTOR_OK, NULL, "there is room%s", db_is_here ? "" : "; the database is on another host, or does not answer");
}

const struct doctor_check check_disk_space = {
	"disk-space", "room for what is written", HAS_CONF, 0, look_disk_space
};

/* ---- certificate authorities ---- */

static bool folder_holds_certificates(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *x;
	bool found = false;

	while (dir && !found && (x = readdir(dir)))
		found = str_ends(str_of(x->d_name), ".0");	/* names are hashes with a number: openssl-rehash(1) */
	if (dir)
		closedir(dir);
	return found;
}

/* As src/keys trusts them: a file that is read at once, a folder that is looked into when needed. */
static bool openssl_trusts_somebody(void)
{
	X509_STORE *store = X509_STORE_new();
	const char *folder = getenv(X509_get_default_cert_dir_env());
	bool ok;

	ok = store && X509_STORE_set_default_paths(store) &&
		(sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) > 0 ||
			folder_holds_certificates(folder ? folder : X509_get_default_cert_dir()));
	X509_STORE_free(store);
	return ok;
}

static bool curl_trusts_somebody(void)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	X509_STORE *store = X509_STORE_new();
	bool ok;

	ok = store && v->cainfo && X509_STORE_load_file(store, v->cainfo) && sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) > 0;
	X509_STORE_free(store);
	return ok || (v->capath && folder_holds_certificates(v->capath));
}

static void look_authorities(struct doctor *d)
{
	if (!openssl_trusts_somebody() || !curl_trusts_somebody())
		say(d, DOCTOR_FAIL, "apt install ca-certificates; update-ca-certificates",
			"no certificate authority is trusted: nothing can be fetched or sent over https, and signatures by certificate fail");
	else
		say(d, DOCTOR_OK, NULL, "those of the system");
}

const struct doctor_check check_authorities = {
	"authorities", "certificate authorities that are trusted", 0, 0, look_authorities
};
