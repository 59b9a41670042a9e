#include "fcgi_main.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG 1024

void bench_fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	_exit(1);
}

MYSQL *bench_connect(void)
{
	MYSQL *db = mysql_init(NULL);

	mysql_options(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(db, MYSQL_INIT_COMMAND, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
	if (!mysql_real_connect(db, NULL, getenv("BENCH_DB_USER"), getenv("BENCH_DB_PASSWORD"), getenv("BENCH_DB_NAME"), 0,
		getenv("BENCH_DB_SOCKET"), 0))
		bench_fail("connect", mysql_error(db));
	return db;
}

MYSQL_STMT *bench_prepare(MYSQL *db, const char *sql)
{
	MYSQL_STMT *st = mysql_stmt_init(db);

	if (mysql_stmt_prepare(st, sql, (unsigned long)strlen(sql)))
		bench_fail(sql, mysql_stmt_error(st));
	return st;
}

void bench_answer(struct request *rq, unsigned status, const char *json)
{
	char head[128];
	int n = snprintf(head, sizeof(head), "Status: %u\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		status, strlen(json));

	FCGX_PutStr(head, n, rq->fcgi->out);
	FCGX_PutS(json, rq->fcgi->out);
}

static void work(int fd, unsigned worker, const struct bench_program *program)
{
	void *state = program->start ? program->start(worker) : NULL;
	char *body = malloc(BENCH_BODY_MAX);
	struct request rq = { .body = body, .worker = worker };
	FCGX_Request fcgi;

	if (FCGX_InitRequest(&fcgi, fd, 0))
		bench_fail("libfcgi", "FCGX_InitRequest");
	rq.fcgi = &fcgi;
	while (FCGX_Accept_r(&fcgi) == 0) {
		rq.body_n = (size_t)FCGX_GetStr(body, BENCH_BODY_MAX - 1, fcgi.in);
		body[rq.body_n] = 0;
		program->serve(state, &rq);
		FCGX_Finish_r(&fcgi);
	}
	_exit(0);
}

int bench_main(int argc, char **argv, const struct bench_program *program)
{
	unsigned workers = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0, i;
	int fd;

	if (!workers || workers > 256)
		bench_fail("usage", "SOCKET WORKERS");
	FCGX_Init();
	umask(0);
	fd = FCGX_OpenSocket(argv[1], BACKLOG);
	if (fd < 0)
		bench_fail(argv[1], "cannot listen");
	for (i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			bench_fail("fork", "failed");
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work(fd, i, program);
		}
	}
	while (wait(NULL) > 0)
		;
	return 1;
}
