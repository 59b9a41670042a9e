/* The least a receiver can do that loses nothing: one durable INSERT of the body for each request, committed by itself. No
 * proof, no dedup, no incident. */
#include "fcgi_main.h"

#include <string.h>

struct state {
	MYSQL_STMT *insert;
	MYSQL_BIND bind;
};

static void *start(unsigned worker)
{
	static struct state s;

	(void)worker;
	s.insert = bench_prepare(bench_connect(), "INSERT INTO bench_bodies (body) VALUES (?)");
	return &s;
}

static void serve(void *state, struct request *rq)
{
	struct state *s = state;
	unsigned long n = rq->body_n;

	s->bind = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_BLOB, .buffer = (void *)rq->body, .buffer_length = n, .length = &n };
	if (mysql_stmt_bind_param(s->insert, &s->bind) || mysql_stmt_execute(s->insert))
		bench_fail("insert", mysql_stmt_error(s->insert));
	bench_answer(rq, 201, "{\"received\":true}");
}

int main(int argc, char **argv)
{
	return bench_main(argc, argv, &(struct bench_program){ .start = start, .serve = serve });
}
