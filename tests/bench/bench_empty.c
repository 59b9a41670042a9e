/* The upper limit: web server and libfcgi with no work at all. */
#include "fcgi_main.h"

static void serve(void *state, struct request *rq)
{
	(void)state;
	bench_answer(rq, 200, "{\"received\":true}");
}

int main(int argc, char **argv)
{
	return bench_main(argc, argv, &(struct bench_program){ .serve = serve });
}
