/* serve.h - one worker of grapnel.fcgi: joins the loop, the pipeline and the API. */
#ifndef GRAPNEL_SERVE_H
#define GRAPNEL_SERVE_H

#include "grapnel/conf.h"
#include "grapnel/crypto.h"
#include "grapnel/http.h"
#include "grapnel/shm.h"

struct serve {			/* made by the master, shared by all workers through fork */
	const struct conf *conf;
	const struct seal_key *seal;
	struct shm *shm;
	struct spans *spans;	/* NULL: no collector is configured, or nobody sends to it */
};

/* Serves one pool in this process until it is told to leave; `ctx` is a struct serve. Returns the exit status. */
int serve_worker(void *ctx, enum pool pool, unsigned slot, int listen_fd, int pass_fd);

#endif
