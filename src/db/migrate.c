/* migrate.c - bringing the schema up to date from a folder of SQL files.
 *
 * MariaDB commits around each DDL statement, so a migration cannot be one transaction. Instead
 * every statement of a file can run again (IF NOT EXISTS, upserts), and a file is written down in
 * schema_migrations after its last statement: after a crash in the middle it simply runs from its
 * first. A named lock lets one process at a time do it. The work has a connection of its own kind:
 * without a time-out for answers, since an ALTER of a large table takes minutes, and never a second
 * one, since the lock goes with it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mysqld_error.h>

#include "grapnel/crypto.h"
#include "src/db/db_int.h"

#define FILE_MAX (1024 * 1024)		/* the first migration, prose included, is below 40 KiB */
#define FILES_MAX 1000
#define MIGRATE_ARENA (64 * 1024 * 1024)
#define LOCK_WAITS 600			/* seconds that a second one waits for the first */
#define NAME_PATTERN "NNNN_name.sql"

struct migration {			/* a row of the table, or a file of the folder */
	uint64_t number;
	struct str name;		/* file name */
	struct str checksum;		/* SHA-256 of the file, hex */
	struct str text;		/* of the file */
};

struct migrations {
	struct migration *m;
	size_t n;
};

struct lock_row {
	uint64_t got;
};

static const struct field migration_fields[] = {
	FIELD_U64(struct migration, number, "number", "its place in the order"),
	FIELD_STR(struct migration, name, "name", "file name"),
	FIELD_STR(struct migration, checksum, "checksum", "SHA-256 of the file, hex"),
	FIELD_END
};

static const struct field lock_fields[] = {
	FIELD_U64(struct lock_row, got, "got", "1 = the lock is ours"),
	FIELD_END
};

static const char create_table[] =
	"CREATE TABLE IF NOT EXISTS schema_migrations ("
	" number INT UNSIGNED NOT NULL,"
	" name VARCHAR(100) NOT NULL COMMENT 'file name',"
	" checksum CHAR(64) NOT NULL COMMENT 'SHA-256 of the file as it was applied, hex',"
	" applied_at BIGINT NOT NULL COMMENT 'ms since 1970 UTC',"
	" PRIMARY KEY (number)"
	") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

enum { M_LOCK, M_LIST, M_RECORD, M_NEWEST };

static const struct stmt stmts[] = {
	[M_LOCK] = { "migrate.lock",
		"SELECT GET_LOCK(CONCAT('grapnel.', LEFT(DATABASE(), 50)), 1) AS got" },
	[M_LIST] = { "migrate.list",
		"SELECT number, name, checksum FROM schema_migrations ORDER BY number", SCAN_OK },
	[M_RECORD] = { "migrate.record",
		"INSERT INTO schema_migrations (number, name, checksum, applied_at)"
		" VALUES (?, ?, ?, CAST(UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3)) * 1000 AS SIGNED))" },
	[M_NEWEST] = { "migrate.newest", "SELECT number, name, checksum FROM schema_migrations "
					 "ORDER BY number DESC LIMIT 1" },
};
const struct stmt_table migrate_statements = { stmts, ARRAY_SIZE(stmts) };

/* ---- the folder ---- */

/* "0001_initial.sql" gives 1; false: not such a name. */
static bool file_number(struct str name, uint64_t *number)
{
	const size_t digits = 4;

	return name.n > digits + 1 + 4 && name.p[digits] == '_' && str_ends(name, ".sql") &&
		str_u64((struct str){ name.p, digits }, number);
}

static bool read_file(int dir, const char *name, struct arena *a, struct str *text, struct err *e)
{
	struct stat st;
	char *p = NULL;
	ssize_t n = -1;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, ERR_NOT_FOUND, "%s", name);
	if (fstat(fd, &st) || st.st_size > FILE_MAX) {
		close(fd);
		return err_set(e, ERR_LIMIT, "%s: cannot be read, or is larger than 1 MiB", name);
	}
	p = arena_alloc(a, (size_t)st.st_size + 1);
	for (size_t have = 0; n && have < (size_t)st.st_size; have += (size_t)n) {
		n = read(fd, p + have, (size_t)st.st_size - have);
		if (n < 0) {
			err_sys(e, ERR_DOWN, "%s", name);
			close(fd);
			return false;
		}
	}
	close(fd);
	*text = (struct str){ p, (size_t)st.st_size };
	return true;
}

static int by_number(const void *a, const void *b)
{
	const struct migration *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static bool add_file(
	int dir, struct str name, struct arena *a, struct migrations *files, struct err *e)
{
	struct migration *m = &files->m[files->n];

	if (!file_number(name, &m->number))
		return err_set(e, ERR_INVALID, "%.*s: the name of a migration is " NAME_PATTERN,
			STR_ARG(name));
	if (files->n++ == FILES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d migrations", FILES_MAX);
	m->name = (struct str){ arena_cstr(a, name), name.n };
	if (!read_file(dir, m->name.p, a, &m->text, e))
		return false;
	m->checksum = sha256_hex(a, m->text);
	return true;
}

static bool read_folder(const char *path, struct arena *a, struct migrations *files, struct err *e)
{
	DIR *d = opendir(path);
	bool ok = true;

	if (!d)
		return err_sys(e, ERR_NOT_FOUND, "%s", path);
	*files = (struct migrations){ ARENA_ARRAY(a, struct migration, FILES_MAX + 1), 0 };
	for (struct dirent *entry; ok && (entry = readdir(d));)
		if (entry->d_name[0] != '.' && str_ends(str_of(entry->d_name), ".sql"))
			ok = add_file(dirfd(d), str_of(entry->d_name), a, files, e);
	closedir(d);
	if (!ok)
		return false;
	qsort(files->m, files->n, sizeof(*files->m), by_number);
	for (size_t i = 1; i < files->n; i++)
		if (files->m[i].number == files->m[i - 1].number)
			return err_set(e, ERR_INVALID, "%s: the number is taken by %s",
				files->m[i].name.p, files->m[i - 1].name.p);
	return true;
}

/* ---- the table ---- */

/* Without the table nothing is applied. */
static bool read_applied(struct db *db, struct arena *a, struct migrations *applied, struct err *e)
{
	if (db_query(db, &stmts[M_LIST], NULL, 0, a, migration_fields, sizeof(struct migration),
		    &applied->m, &applied->n, e))
		return true;
	if (db->err_no != ER_NO_SUCH_TABLE)
		return false;
	*e = (struct err){ 0 };
	*applied = (struct migrations){ NULL, 0 };
	return true;
}

static const struct migration *find_number(const struct migrations *list, uint64_t number)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->m[i].number == number)
			return &list->m[i];
	return NULL;
}

int schema_current(struct db *db, unsigned *number, struct err *e)
{
	struct arena *a = arena_new(64 * 1024);
	struct migration newest;
	int found = db_query_one(
		db, &stmts[M_NEWEST], NULL, 0, a, migration_fields, sizeof(newest), &newest, e);

	*number = found > 0 ? (unsigned)newest.number : 0;
	if (found < 0 && db->err_no == ER_NO_SUCH_TABLE) {
		*e = (struct err){ 0 };
		found = 0;
	}
	arena_free(a);
	return found;
}

/* ---- applying ---- */

/* Walks the whole file before its first statement runs: a file cut off in the middle changes
 * nothing. */
static bool check_whole(const struct migration *m, struct err *e)
{
	struct str rest = m->text, statement;
	unsigned n = 0;
	int found;

	while ((found = migrate_next(&rest, &statement)) > 0)
		n++;
	return !found || err_set(e, ERR_INVALID, "%s: statement %u has no end", m->name.p, n + 1);
}

static bool apply(struct db *db, const struct migration *m, struct err *e)
{
	const struct val row[] = { V_U(m->number), V_S(m->name), V_S(m->checksum) };
	struct str rest = m->text, statement;
	char name[160];

	if (!check_whole(m, e))
		return false;
	for (unsigned n = 1; migrate_next(&rest, &statement) > 0; n++) {
		snprintf(name, sizeof(name), "%s: statement %u", m->name.p, n);
		if (!conn_ready(db, name, e) || !conn_query(db, name, statement, e))
			return false;
	}
	return db_exec(db, &stmts[M_RECORD], row, ARRAY_SIZE(row), NULL, e);
}

/* One second at a time, so that a signal or a lost server is noticed. */
static bool lock(struct db *db, struct arena *a, struct err *e)
{
	struct lock_row row;

	for (unsigned i = 0; i < LOCK_WAITS; i++) {
		if (db_query_one(
			    db, &stmts[M_LOCK], NULL, 0, a, lock_fields, sizeof(row), &row, e) < 0)
			return false;
		if (row.got == 1)
			return true;
	}
	return err_set(
		e, ERR_DOWN, "migrate: another migration has been running for %d s", LOCK_WAITS);
}

static bool apply_missing(struct db *db, const struct migrations *files,
	const struct migrations *applied, unsigned *n, struct err *e)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct migration *done = find_number(applied, files->m[i].number);

		if (done && !str_eq(done->checksum, files->m[i].checksum))
			return err_set(e, ERR_CONFLICT,
				"%s: has changed since it was applied as %.*s", files->m[i].name.p,
				STR_ARG(done->name));
	}
	for (size_t i = 0; i < files->n; i++) {
		if (find_number(applied, files->m[i].number))
			continue;
		if (!apply(db, &files->m[i], e))
			return false;
		++*n;
	}
	return true;
}

static bool migrate_locked(
	struct db *db, struct arena *a, const struct migrations *files, unsigned *n, struct err *e)
{
	struct migrations applied;

	return lock(db, a, e) &&
	       conn_query(db, "migrate.table",
		       (struct str){ create_table, sizeof(create_table) - 1 }, e) &&
	       read_applied(db, a, &applied, e) && apply_missing(db, files, &applied, n, e);
}

bool migrate_up(struct db *db, const char *dir, unsigned *applied, struct err *e)
{
	struct arena *a = arena_new(MIGRATE_ARENA);
	struct migrations files;
	unsigned n = 0;
	bool ok = false;

	if (!read_folder(dir, a, &files, e))
		goto out;
	conn_close(db);		/* the next one is without time-out */
	db->pinned = true;
	ok = conn_open(db, e) && migrate_locked(db, a, &files, &n, e);
	conn_close(db);		/* gives the lock back */
	db->pinned = false;
out:
	if (applied)
		*applied = n;
	arena_free(a);
	return ok;
}

bool migrate_status(struct db *db, const char *dir, struct migration_status *st, struct err *e)
{
	struct arena *a = arena_new(MIGRATE_ARENA);
	struct migrations files = { 0 }, applied = { 0 };
	bool ok = read_folder(dir, a, &files, e) && read_applied(db, a, &applied, e);

	*st = (struct migration_status){ .clean = true };
	if (ok && applied.n)
		st->current = (unsigned)applied.m[applied.n - 1].number;
	if (ok && files.n)
		st->newest = (unsigned)files.m[files.n - 1].number;
	for (size_t i = 0; ok && i < files.n; i++) {
		const struct migration *done = find_number(&applied, files.m[i].number);

		if (done && !str_eq(done->checksum, files.m[i].checksum))
			st->clean = false;
	}
	arena_free(a);
	return ok;
}
