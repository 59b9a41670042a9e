/* dispatcher.h - the process that sends. */
#ifndef GRAPNEL_MAIN_DISPATCHER_H
#define GRAPNEL_MAIN_DISPATCHER_H

#include "serve.h"

/* Runs in the child until SIGTERM; returns its exit status. `slot` numbers it among the processes of this host. */
int serve_dispatcher(const struct serve *s, unsigned slot);

#endif
