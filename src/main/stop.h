/* stop.h - SIGINT and SIGTERM as a flag: a program that has begun something ends it whole. */
#ifndef STOP_H
#define STOP_H

#include <signal.h>

extern volatile sig_atomic_t told_to_stop;	/* 0, then the number of the signal */
void stop_catch(void);	/* from then on; before, they end the program. Without SA_RESTART, so that a wait ends */

#endif
