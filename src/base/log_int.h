/* log_int.h - syslog(3) behind a wall: <syslog.h> and log.h both define LOG_ERR. */
#ifndef GRAPNEL_LOG_INT_H
#define GRAPNEL_LOG_INT_H

/* `program` must live as long as the process (openlog keeps the pointer). */
void syslog_begin(const char *program);
/* `severity` as in RFC 5424 table 2: 3 error, 4 warning, 6 informational, 7 debug. */
void syslog_line(int severity, const char *line);

#endif
