/* fcgi_main.h - what the bare FastCGI programs share: a Unix socket, N forked workers, the plain libfcgi loop. One request at a
 * time and nothing clever: they are the limits that a simple C program meets. Errors end the process with a message. */
#ifndef BENCH_FCGI_MAIN_H
#define BENCH_FCGI_MAIN_H

#include <fcgiapp.h>
#include <mysql.h>
#include <stddef.h>

#define BENCH_BODY_MAX 65536

struct request {
	FCGX_Request *fcgi;
	const char *body;
	size_t body_n;
	unsigned worker;	/* 0.. */
};

struct bench_program {
	void *(*start)(unsigned worker);		/* in each worker, once; NULL = nothing to do */
	void (*serve)(void *state, struct request *rq);	/* writes the whole answer */
};

/* argv: SOCKET WORKERS. Runs until it is killed, its workers with it; returns only when they all have died. */
int bench_main(int argc, char **argv, const struct bench_program *program);
void bench_answer(struct request *rq, unsigned status, const char *json);

/* To the database that BENCH_DB_SOCKET, _NAME, _USER and _PASSWORD in the environment name. */
MYSQL *bench_connect(void);
MYSQL_STMT *bench_prepare(MYSQL *db, const char *sql);
void bench_fail(const char *what, const char *why) __attribute__((noreturn));

#endif
