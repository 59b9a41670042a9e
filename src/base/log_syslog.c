/* log_syslog.c - the only user of <syslog.h>. */
#include "log_int.h"

#include <syslog.h>

void syslog_begin(const char *program)
{
	openlog(program, LOG_PID, LOG_DAEMON);
}

void syslog_line(int severity, const char *line)
{
	syslog(severity, "%s", line);
}
