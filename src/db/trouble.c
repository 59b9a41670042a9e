/* trouble.c - what an error number asks for.
 *
 * Server numbers: MariaDB's error code list (mysqld_error.h of libmariadb-dev, 10.11); client
 * numbers: errmsg.h. A number that is not here is a statement the server does not understand, and
 * so this program's fault. */
#include <mysqld_error.h>
#include <errmsg.h>

#include "src/db/db_int.h"

/* Not named in every version of the header. */
#define CHECK_FAILED 4025
#define IDLE_TOO_LONG 4031	/* MySQL 8.0.24 says so before it closes an idle connection */

static const struct {
	unsigned err_no;
	enum db_trouble trouble;
	enum err_code code;
} known[] = {
	/* The transaction lost against another one: all of it again. */
	{ ER_CHECKREAD, DB_CONFLICT, ERR_DOWN },	 /* 1020: changed since it was read */
	{ ER_UNKNOWN_COM_ERROR, DB_CONFLICT, ERR_DOWN }, /* 1047: Galera, this node is not ready */
	{ ER_LOCK_WAIT_TIMEOUT, DB_CONFLICT, ERR_DOWN }, /* 1205 */
	{ ER_LOCK_DEADLOCK, DB_CONFLICT, ERR_DOWN }, /* 1213: also Galera's failed certification */

	/* The connection is of no more use. The last two are for proxies that moved us to a server
	 * without our statements. */
	{ CR_CONNECTION_ERROR, DB_LOST, ERR_DOWN },	   /* 2002 */
	{ CR_CONN_HOST_ERROR, DB_LOST, ERR_DOWN },	   /* 2003 */
	{ CR_SERVER_GONE_ERROR, DB_LOST, ERR_DOWN },	   /* 2006: could not be sent */
	{ CR_SERVER_LOST, DB_LOST, ERR_DOWN },		   /* 2013: sent, no answer */
	{ CR_MALFORMED_PACKET, DB_LOST, ERR_DOWN },	   /* 2027 */
	{ CR_SERVER_LOST_EXTENDED, DB_LOST, ERR_DOWN },	   /* 2055 */
	{ ER_SERVER_SHUTDOWN, DB_LOST, ERR_DOWN },	   /* 1053 */
	{ ER_ABORTING_CONNECTION, DB_LOST, ERR_DOWN },	   /* 1152 */
	{ ER_NET_READ_ERROR, DB_LOST, ERR_DOWN },	   /* 1158 */
	{ ER_NET_READ_INTERRUPTED, DB_LOST, ERR_DOWN },	   /* 1159 */
	{ ER_NET_ERROR_ON_WRITE, DB_LOST, ERR_DOWN },	   /* 1160 */
	{ ER_NET_WRITE_INTERRUPTED, DB_LOST, ERR_DOWN },   /* 1161 */
	{ ER_NEW_ABORTING_CONNECTION, DB_LOST, ERR_DOWN }, /* 1184 */
	{ ER_CONNECTION_KILLED, DB_LOST, ERR_DOWN },	   /* 1927 */
	{ IDLE_TOO_LONG, DB_LOST, ERR_DOWN },
	{ ER_UNKNOWN_STMT_HANDLER, DB_LOST, ERR_DOWN }, /* 1243 */
	{ ER_NEED_REPREPARE, DB_LOST, ERR_DOWN },	/* 1615 */

	{ ER_DUP_ENTRY, DB_DUPLICATE, ERR_CONFLICT }, /* 1062 */

	/* A value is at fault: the same statement will fail again. */
	{ ER_BAD_NULL_ERROR, DB_DATA, ERR_INVALID },		      /* 1048 */
	{ ER_NET_PACKET_TOO_LARGE, DB_DATA, ERR_INVALID },	      /* 1153 */
	{ ER_WARN_DATA_OUT_OF_RANGE, DB_DATA, ERR_INVALID },	      /* 1264 */
	{ WARN_DATA_TRUNCATED, DB_DATA, ERR_INVALID },		      /* 1265 */
	{ ER_TRUNCATED_WRONG_VALUE, DB_DATA, ERR_INVALID },	      /* 1292 */
	{ ER_INVALID_CHARACTER_STRING, DB_DATA, ERR_INVALID },	      /* 1300 */
	{ ER_WARN_ALLOWED_PACKET_OVERFLOWED, DB_DATA, ERR_INVALID },  /* 1301 */
	{ ER_DIVISION_BY_ZERO, DB_DATA, ERR_INVALID },		      /* 1365 */
	{ ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, DB_DATA, ERR_INVALID }, /* 1366: not UTF-8 */
	{ ER_DATA_TOO_LONG, DB_DATA, ERR_INVALID },		      /* 1406 */
	{ ER_DATA_OUT_OF_RANGE, DB_DATA, ERR_INVALID },		      /* 1690 */
	{ CHECK_FAILED, DB_DATA, ERR_INVALID },
	{ CR_NET_PACKET_TOO_LARGE, DB_DATA, ERR_INVALID }, /* 2020 */

	/* The server is there but cannot: an administrator's work, worth another try later. */
	{ ER_DISK_FULL, DB_OTHER, ERR_DOWN },		     /* 1021 */
	{ ER_ERROR_ON_WRITE, DB_OTHER, ERR_DOWN },	     /* 1026 */
	{ ER_GET_ERRNO, DB_OTHER, ERR_DOWN },		     /* 1030: error of the storage engine */
	{ ER_OUTOFMEMORY, DB_OTHER, ERR_DOWN },		     /* 1037 */
	{ ER_OUT_OF_RESOURCES, DB_OTHER, ERR_DOWN },	     /* 1041 */
	{ ER_CON_COUNT_ERROR, DB_OTHER, ERR_DOWN },	     /* 1040 */
	{ ER_DBACCESS_DENIED_ERROR, DB_OTHER, ERR_DOWN },    /* 1044 */
	{ ER_ACCESS_DENIED_ERROR, DB_OTHER, ERR_DOWN },	     /* 1045 */
	{ ER_BAD_DB_ERROR, DB_OTHER, ERR_DOWN },	     /* 1049 */
	{ ER_RECORD_FILE_FULL, DB_OTHER, ERR_DOWN },	     /* 1114: table full */
	{ ER_TABLEACCESS_DENIED_ERROR, DB_OTHER, ERR_DOWN }, /* 1142 */
	{ ER_OPTION_PREVENTS_STATEMENT, DB_OTHER, ERR_DOWN },		  /* 1290: --read-only */
	{ ER_QUERY_INTERRUPTED, DB_OTHER, ERR_DOWN },			  /* 1317 */
	{ ER_MAX_PREPARED_STMT_COUNT_REACHED, DB_OTHER, ERR_DOWN },	  /* 1461 */
	{ ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, DB_OTHER, ERR_DOWN }, /* 1792 */
	{ ER_READ_ONLY_MODE, DB_OTHER, ERR_DOWN },			  /* 1836 */
	{ ER_STATEMENT_TIMEOUT, DB_OTHER, ERR_DOWN },			  /* 1969 */
};

enum db_trouble trouble_of(unsigned err_no, enum err_code *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].err_no == err_no) {
			*code = known[i].code;
			return known[i].trouble;
		}
	*code = ERR_BUG;
	return DB_OTHER;
}
