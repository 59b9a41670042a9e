/* What an error number asks for. */
#include "unit.h"

#include "src/db/db_int.h"

static const struct {
	unsigned err_no;
	enum db_trouble trouble;
	enum err_code code;
} numbers[] = {
	{ 1213, DB_CONFLICT, ERR_DOWN },
	{ 1205, DB_CONFLICT, ERR_DOWN },
	{ 1020, DB_CONFLICT, ERR_DOWN },
	{ 1047, DB_CONFLICT, ERR_DOWN },
	{ 2006, DB_LOST, ERR_DOWN },
	{ 2013, DB_LOST, ERR_DOWN },
	{ 2055, DB_LOST, ERR_DOWN },
	{ 2002, DB_LOST, ERR_DOWN },
	{ 1053, DB_LOST, ERR_DOWN },
	{ 1927, DB_LOST, ERR_DOWN },
	{ 1158, DB_LOST, ERR_DOWN },
	{ 1243, DB_LOST, ERR_DOWN },
	{ 1062, DB_DUPLICATE, ERR_CONFLICT },
	{ 1406, DB_DATA, ERR_INVALID },
	{ 1366, DB_DATA, ERR_INVALID },
	{ 1264, DB_DATA, ERR_INVALID },
	{ 1292, DB_DATA, ERR_INVALID },
	{ 1153, DB_DATA, ERR_INVALID },
	{ 1301, DB_DATA, ERR_INVALID },
	{ 1048, DB_DATA, ERR_INVALID },
	{ 2020, DB_DATA, ERR_INVALID },
	{ 4025, DB_DATA, ERR_INVALID },
	{ 1114, DB_OTHER, ERR_DOWN },
	{ 1021, DB_OTHER, ERR_DOWN },
	{ 1290, DB_OTHER, ERR_DOWN },
	{ 1045, DB_OTHER, ERR_DOWN },
	{ 1064, DB_OTHER, ERR_BUG },
	{ 1146, DB_OTHER, ERR_BUG },
	{ 2014, DB_OTHER, ERR_BUG },
	{ 0, DB_OTHER, ERR_BUG },
};

START_TEST(test_number)
{
	enum err_code code = ERR_NONE;

	ck_assert_int_eq(trouble_of(numbers[_i].err_no, &code), numbers[_i].trouble);
	ck_assert_int_eq(code, numbers[_i].code);
}
END_TEST

UNIT_MAIN("db_trouble", UNIT_ROWS(test_number, numbers))
