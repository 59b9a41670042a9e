/* Migrations against a real MariaDB: twice, two at once, broken and mended, changed, cut off. */
#include <fcntl.h>
#include <sys/stat.h>

#include "db_test.h"

#define MIGRATE_DB "grapnel_migrate"

static struct db *db;
static struct arena *a;
static struct err e;
static char folder[] = "/tmp/grapnel-migrate.XXXXXX";
static unsigned applied;

static void put_file(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void setup(void)
{
	e = (struct err){ 0 };
	a = arena_new(1 << 20);
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	test_database(MIGRATE_DB);
	db = test_connect(MIGRATE_DB, 30000);
}

static void teardown(void)
{
	static const char *const names[] = { "0001_a.sql", "0002_b.sql", "0002_c.sql", "0003_c.sql",
		"3_c.sql", "README" };
	char path[200];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	db_free(db);
	arena_free(a);
}

static const char first[] =
	"-- 0001 a: it's a start; with a comment\n"
	"CREATE TABLE IF NOT EXISTS one (\n"
	"\tid INT NOT NULL,	-- the id; not null\n"
	"\tt VARCHAR(20) NOT NULL DEFAULT ';' COMMENT 'a ; and -- in it',\n"
	"\tPRIMARY KEY (id)\n"
	") ENGINE=InnoDB;\n"
	"\n"
	"INSERT INTO one (id) VALUES (1) ON DUPLICATE KEY UPDATE id = id;	-- done\n"
	"-- the end\n";
#define CREATE_TWO "CREATE TABLE IF NOT EXISTS two (id INT NOT NULL, PRIMARY KEY (id));\n"
static const char second[] = CREATE_TWO "ALTER TABLE two ADD COLUMN IF NOT EXISTS x INT;\n";

struct count_row {
	uint64_t n;
};
static const struct field count_fields[] = { FIELD_U64(struct count_row, n, "n", ""), FIELD_END };
static const struct stmt count_tables = { "tables",
	"SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = DATABASE()"
	" AND table_name IN ('one', 'two', 'three')" };
static const struct stmt count_one = { "one", "SELECT COUNT(*) AS n FROM one WHERE t = ';'" };

static uint64_t number(const struct stmt *s)
{
	struct count_row r;

	succeeds(db_query_one(db, s, NULL, 0, a, count_fields, sizeof(r), &r, &e) == 1);
	return r.n;
}

static void check_status(unsigned current, unsigned newest, bool clean)
{
	struct migration_status st;

	succeeds(migrate_status(db, folder, &st, &e));
	ck_assert_uint_eq(st.current, current);
	ck_assert_uint_eq(st.newest, newest);
	ck_assert(st.clean == clean);
}

START_TEST(test_twice)
{
	unsigned at;

	put_file("0001_a.sql", first);
	put_file("0002_b.sql", second);
	put_file("README", "not a migration");
	ck_assert_int_eq(schema_current(db, &at, &e), 0);
	check_status(0, 2, true);
	succeeds(migrate_up(db, folder, &applied, &e));
	ck_assert_uint_eq(applied, 2);
	ck_assert_uint_eq(number(&count_one), 1);
	succeeds(migrate_up(db, folder, &applied, &e));
	ck_assert_uint_eq(applied, 0);
	check_status(2, 2, true);
	ck_assert_int_eq(schema_current(db, &at, &e), 1);
	ck_assert_uint_eq(at, 2);
}
END_TEST

START_TEST(test_broken_then_mended)
{
	put_file("0001_a.sql", first);
	put_file("0002_b.sql", CREATE_TWO "ALTER TABLE nobody ADD COLUMN x INT;\n");
	fails(migrate_up(db, folder, &applied, &e), ERR_BUG, DB_OTHER);
	ck_assert_uint_eq(applied, 1);
	ck_assert_uint_eq(number(&count_tables), 2);	/* DDL commits by itself */
	check_status(1, 2, true);
	put_file("0002_b.sql", second);
	succeeds(migrate_up(db, folder, &applied, &e));
	ck_assert_uint_eq(applied, 1);
	check_status(2, 2, true);
}
END_TEST

START_TEST(test_error_names_file_and_statement)
{
	put_file("0001_a.sql",
		"CREATE TABLE one (id INT);\n-- comment; only\n\nALTER TABLE nobody ADD x INT;\n");
	ck_assert(!migrate_up(db, folder, &applied, &e));
	ck_assert_msg(!strncmp(e.text, "0001_a.sql: statement 2: 1146: ", 31), "%s", e.text);
}
END_TEST

START_TEST(test_two_at_once)
{
	pid_t child;
	int status = 0;

	put_file("0001_a.sql",
		"CREATE TABLE one (id INT);\nDO SLEEP(1);\nINSERT INTO one VALUES (1);\n");
	child = test_fork();
	if (!child) {
		db = test_connect(MIGRATE_DB, 30000);
		succeeds(migrate_up(db, folder, &applied, &e));
		_exit(10 + (int)applied);
	}
	/* without the lock one of them would fail: there is no IF NOT EXISTS */
	succeeds(migrate_up(db, folder, &applied, &e));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_uint_eq(applied + (unsigned)WEXITSTATUS(status), 11);
	check_status(1, 1, true);
}
END_TEST

START_TEST(test_changed_file_is_noticed)
{
	put_file("0001_a.sql", first);
	succeeds(migrate_up(db, folder, &applied, &e));
	put_file("0001_a.sql", "CREATE TABLE three (id INT);\n");
	put_file("0002_b.sql", second);
	fails(migrate_up(db, folder, &applied, &e), ERR_CONFLICT, DB_FINE);
	ck_assert_uint_eq(number(&count_tables), 1);
	check_status(1, 2, false);
}
END_TEST

START_TEST(test_file_cut_off_changes_nothing)
{
	put_file("0001_a.sql",
		"CREATE TABLE one (id INT);\nCREATE TABLE two (id INT COMMENT 'half a sente");
	fails(migrate_up(db, folder, &applied, &e), ERR_INVALID, DB_FINE);
	put_file("0001_a.sql", "CREATE TABLE one (id INT);\nCREATE TABLE two (id INT)\n");
	fails(migrate_up(db, folder, &applied, &e), ERR_INVALID, DB_FINE);
	ck_assert_uint_eq(number(&count_tables), 0);
	check_status(0, 1, true);
}
END_TEST

START_TEST(test_names)
{
	put_file("0001_a.sql", first);
	put_file("3_c.sql", second);
	fails(migrate_up(db, folder, &applied, &e), ERR_INVALID, DB_FINE);
	fails(migrate_up(db, "/nonexistent/sql", &applied, &e), ERR_NOT_FOUND, DB_FINE);
}
END_TEST

START_TEST(test_number_taken_twice)
{
	put_file("0002_b.sql", second);
	put_file("0002_c.sql", second);
	fails(migrate_up(db, folder, &applied, &e), ERR_INVALID, DB_FINE);
}
END_TEST

/* An older program meets a newer schema: nothing to do, and the number tells. */
START_TEST(test_newer_schema)
{
	char path[200];

	put_file("0001_a.sql", first);
	put_file("0002_b.sql", second);
	succeeds(migrate_up(db, folder, &applied, &e));
	snprintf(path, sizeof(path), "%s/0002_b.sql", folder);
	ck_assert_int_eq(unlink(path), 0);
	succeeds(migrate_up(db, folder, &applied, &e));
	ck_assert_uint_eq(applied, 0);
	check_status(2, 1, true);
}
END_TEST

/* The product's own files: from nothing, and each statement once more, as after a crash just before
 * the end. */
START_TEST(test_own_files_run_again)
{
	static const struct stmt forget = { "forget", "DELETE FROM schema_migrations" };
	const char *dir = getenv("GRAPNEL_TEST_SQL");
	unsigned at, again;

	ck_assert_ptr_nonnull(dir);
	succeeds(migrate_up(db, dir, &applied, &e));
	ck_assert_int_eq(schema_current(db, &at, &e), 1);
	ck_assert_uint_eq(at, SCHEMA_NUMBER);
	succeeds(db_exec(db, &forget, NULL, 0, NULL, &e));
	succeeds(migrate_up(db, dir, &again, &e));
	ck_assert_uint_eq(again, applied);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("migrate");
	TCase *t = tcase_create("migrate");
	SRunner *r;
	int failed;

	if (!getenv("GRAPNEL_TEST_SOCKET"))
		return 77;	/* skipped: tests/db/run starts a server */
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_twice);
	tcase_add_test(t, test_broken_then_mended);
	tcase_add_test(t, test_error_names_file_and_statement);
	tcase_add_test(t, test_two_at_once);
	tcase_add_test(t, test_changed_file_is_noticed);
	tcase_add_test(t, test_file_cut_off_changes_nothing);
	tcase_add_test(t, test_names);
	tcase_add_test(t, test_number_taken_twice);
	tcase_add_test(t, test_newer_schema);
	tcase_add_test(t, test_own_files_run_again);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
