/* A configuration file, or, when it begins with "mysql" or "mariadb", a DATABASE_URL. What is taken can be printed. */
#include "fuzz.h"
#include "src/conf/conf_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = { (const char *)data, n };
	static FILE *nowhere;
	struct err e = { 0 };
	struct conf c;
	bool ok;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	conf_defaults(&c);
	if (str_starts(s, "mysql") || str_starts(s, "mariadb"))
		ok = conf_database_url(&c, s, &e);
	else
		ok = conf_parse(&c, s, "fuzz", &e);
	must(ok || e.code == ERR_INVALID);
	conf_print(&c, nowhere);
	must(conf_restart_needed(&c, &c) == NULL);
	conf_free(&c);
	return 0;
}
