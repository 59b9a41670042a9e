/* The command that sends a request again is given to a real shell, in which `curl` writes down its arguments. */
#include <stdio.h>

#include "src/view/view_int.h"
#include "unit.h"

#define URL "https://hooks.example.org"

/* The arguments, each ended by a line break and a '|'. */
static struct str arguments(struct arena *a, struct str command)
{
	char path[] = "/tmp/grapnel-curl.XXXXXX", out[65536];
	int fd = mkstemp(path);
	FILE *script, *shell;
	size_t n;

	ck_assert_int_ge(fd, 0);
	script = fdopen(fd, "w");
	fprintf(script, "curl() { printf '%%s\\n|' \"$@\"; }\n%.*s\n", STR_ARG(command));
	ck_assert_int_eq(fclose(script), 0);
	shell = popen(arena_printf(a, "sh %s 2>&1", path).p, "r");
	n = fread(out, 1, sizeof(out), shell);
	ck_assert_int_eq(pclose(shell), 0);
	unlink(path);
	return arena_str(a, (struct str){ out, n });
}

static const struct {
	struct request_view v;
	const char *want;
} rows[] = {
	{ { .method = STR("POST"), .uri = STR("/api/x/in_1"), .headers = STR("content-type: application/json\nhost: a\n"), .body = STR("{\"a\":1}") },
		"-i\n|-g\n|" URL "/api/x/in_1\n|-H\n|content-type: application/json\n|--data-raw\n|{\"a\":1}\n|" },
	/* a body that wants to be run */
	{ { .method = STR("POST"), .uri = STR("/x"), .body = STR("'; touch /tmp/x; $(id) `id` \"$HOME\" \\ !! '\n'") },
		"-i\n|-g\n|" URL "/x\n|-H\n|content-type:\n|--data-raw\n|'; touch /tmp/x; $(id) `id` \"$HOME\" \\ !! '\n'\n|" },
	{ { .method = STR("POST"), .uri = STR("/x"), .headers = STR("content-type: t\n"), .body = STR("@/etc/passwd") },
		"-i\n|-g\n|" URL "/x\n|-H\n|content-type: t\n|--data-raw\n|@/etc/passwd\n|" },
	/* a path that does */
	{ { .method = STR("GET"), .uri = STR("/x?a='$(id)'&b=[1-9]") }, "-i\n|-g\n|" URL "/x?a=%27$(id)%27&b=[1-9]\n|" },
	{ { .method = STR("PUT"), .uri = STR("/x"), .headers = STR("x-a: '\"$(id)\nx-empty:\nno colon\n") },
		"-i\n|-g\n|-X\n|PUT\n|" URL "/x\n|-H\n|x-a: '\"$(id)\n|-H\n|x-empty;\n|-H\n|no colon;\n|" },
	/* secrets */
	{ { .method = STR("POST"), .uri = STR("/x?key=***&a=1"), .headers = STR("authorization: ***\nx-gitlab-token: ***\ncookie: ***\n"), .body = STR("{}") },
		"-i\n|-g\n|" URL "/x?key=paste the key here&a=1\n|-H\n|authorization: Bearer paste the key here\n|-H\n|x-gitlab-token: paste the key here\n|"
		"-H\n|content-type:\n|--data-raw\n|{}\n|" },
	/* what a terminal would act on */
	{ { .id = 7, .method = STR("POST"), .uri = STR("/x"), .headers = STR("content-type: t\nx-a: \x1b[2J\nx-b: \xc2\x9b""2J\n"), .body = STR("a\x1b[2J") },
		"-i\n|-g\n|" URL "/x\n|-H\n|content-type: t\n|--data-binary\n|@request-7.bin\n|" },
	{ { .id = 8, .method = STR("POST"), .uri = STR("/x"), .headers = STR("content-type: t\n"), .body = STR("\xc2\x9b") },
		"-i\n|-g\n|" URL "/x\n|-H\n|content-type: t\n|--data-binary\n|@request-8.bin\n|" },
	{ { .id = 9, .method = STR("POST"), .uri = STR("/x"), .headers = STR("content-type: t\n"), .body = STR("\xff\0") },
		"-i\n|-g\n|" URL "/x\n|-H\n|content-type: t\n|--data-binary\n|@request-9.bin\n|" },
	{ { .method = STR("POST"), .uri = STR("/x"), .headers = STR("content-type: t\n") },
		"-i\n|-g\n|" URL "/x\n|-H\n|content-type: t\n|--data-raw\n|\n|" },
};

START_TEST(test_rows)
{
	struct arena *a = arena_new(1 << 20);
	struct str got = arguments(a, request_view_curl(a, STR(URL "/"), &rows[_i].v)), want = arena_printf(a, "%s", rows[_i].want);

	ck_assert_msg(got.n && str_eq((struct str){ got.p, got.n - 1 }, (struct str){ want.p, want.n - 1 }), "got  %.*s\nwant %.*s",
		STR_ARG(got), STR_ARG(want));
	arena_free(a);
}
END_TEST

START_TEST(test_a_long_body_is_a_file)
{
	struct arena *a = arena_new(1 << 22);
	struct request_view v = { .id = 5, .method = STR("POST"), .uri = STR("/x") };

	v.body = (struct str){ memset(arena_alloc(a, 40000), 'x', 40000), 40000 };
	ck_assert(str_ends(request_view_curl(a, STR(URL), &v), "--data-binary @request-5.bin"));
	arena_free(a);
}
END_TEST

UNIT_MAIN("curl", UNIT_ROWS(test_rows, rows), UNIT(test_a_long_body_is_a_file))
