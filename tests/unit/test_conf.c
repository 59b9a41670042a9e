/* Every case is a whole file, or an environment, and what one option is afterwards. */
#include "unit.h"

#include "src/conf/conf_int.h"

static char text[1 << 16];

/* What conf_print_value says, without the line end. */
static struct str value_of(const struct conf *c, const char *name)
{
	FILE *to = fmemopen(text, sizeof(text), "w");
	bool there = conf_print_value(c, name, to);

	fclose(to);
	return there ? str_trim(str_of(text)) : STR_NONE;
}

static const struct {
	const char *file, *option;
	const char *want;	/* NULL = refused */
	const char *why;	/* part of the message */
} files[] = {
	{ "", "database.name", "grapnel" },
	{ "# comment\n; comment\n\n[database]\nname=hooks\n", "database.name", "hooks" },
	{ "\xef\xbb\xbf[database]\r\n  name  =  hooks  \r\n", "database.name", "hooks" },
	{ "[database]\nname = hooks ; as agreed", "database.name", "hooks" },
	{ "[database]\nname = a;b", "database.name", "a;b" },
	{ "[database]\nname =", "database.name", "" },
	{ "[server]\nnode = 3\n[database]\nname = x\n[server]\nuser = y", "server.user", "y" },
	/* types */
	{ "[ingest]\nrequest_deadline_ms = 500", "ingest.request_deadline_ms", "500" },
	{ "[ingest]\nrequest_deadline_ms = 500ms", "ingest.request_deadline_ms", "500" },
	{ "[ingest]\nrequest_deadline_ms = 20s", "ingest.request_deadline_ms", "20000" },
	{ "[ingest]\nrequest_deadline_ms = 2 M", "ingest.request_deadline_ms", "120000" },
	{ "[ingest]\nrequest_deadline_ms = 2h", "", NULL, "f:2: [ingest] request_deadline_ms: \"2h\" is no duration" },
	{ "[ingest]\nrequest_deadline_ms = s", "", NULL, "is no duration" },
	{ "[ingest]\nrequest_deadline_ms = 99", "", NULL, "99 is not within 100 to 600000" },
	{ "[ingest]\nrequest_deadline_ms = 11m", "", NULL, "660000 is not within" },
	{ "[ingest]\nrequest_deadline_ms = 4294967396", "", NULL, "not within" },
	{ "[ingest]\nrequest_deadline_ms = 18446744073709551716", "", NULL, "is no duration" },
	{ "[ingest]\nrequest_deadline_ms = -1", "", NULL, "is no duration" },
	{ "[ingest]\nbatch_bytes_max = 64K", "ingest.batch_bytes_max", "65536" },
	{ "[ingest]\nbatch_bytes_max = 64M", "ingest.batch_bytes_max", "67108864" },
	{ "[ingest]\nbatch_bytes_max = 1G", "", NULL, "1073741824 is not within 65536 to 67108864" },
	{ "[spool]\nmax_bytes = 2G", "spool.max_bytes", "2147483648" },
	{ "[spool]\nmax_bytes = 1T", "", NULL, "is no size" },
	{ "[ingest]\nbatch_max = 0", "", NULL, "0 is not within 1 to 32" },
	{ "[ingest]\nbatch_max = 32", "ingest.batch_max", "32" },
	{ "[ingest]\nbatch_max = 1.5", "", NULL, "is no number" },
	{ "[server]\nsocket_mode = 600", "server.socket_mode", "0600" },
	{ "[server]\nsocket_mode = 0777", "server.socket_mode", "0777" },
	{ "[server]\nsocket_mode = 0888", "", NULL, "no octal number up to 0777" },
	{ "[server]\nsocket_mode = 1777", "", NULL, "no octal number up to 0777" },
	{ "[server]\nsocket_mode =", "", NULL, "no octal number" },
	{ "[ingest]\ndebug = yes", "ingest.debug", "true" },
	{ "[ingest]\ndebug = On", "ingest.debug", "true" },
	{ "[ingest]\nrate_limit = 0", "ingest.rate_limit", "false" },
	{ "[ingest]\ndebug = maybe", "", NULL, "\"maybe\" is neither true nor false" },
	{ "[ingest]\ndebug =", "", NULL, "neither true nor false" },
	{ "[log]\nlevel = DEBUG", "log.level", "debug" },
	{ "[log]\nlevel = loud", "", NULL, "[log] level: \"loud\" is none of its words" },
	{ "[keys]\ntest_hosts = api.paypal.com=127.0.0.1:8443, x.example=[::1]:1", "keys.test_hosts",
		"api.paypal.com=127.0.0.1:8443, x.example=[::1]:1" },
	{ "[keys]\ntest_hosts = api.paypal.com=192.0.2.1:8443", "", NULL, "must be host=127.0.0.1:port" },
	{ "[keys]\ntest_hosts = api.paypal.com=127.0.0.1", "", NULL, "must be host=127.0.0.1:port" },
	{ "[keys]\ntest_hosts = api.paypal.com=127.0.0.1:70000", "", NULL, "must be host=127.0.0.1:port" },
	{ "[keys]\ntest_hosts = api.paypal.com=[::1]8443", "", NULL, "must be host=127.0.0.1:port" },
	{ "[keys]\ntest_hosts = =127.0.0.1:1", "", NULL, "must be host=127.0.0.1:port" },
	{ "[keys]\ntest_hosts = 127.0.0.1:1", "", NULL, "must be host=127.0.0.1:port" },
	{ "[database]\ntls = Required", "database.tls", "required" },
	{ "[database]\ntls = yes", "", NULL, "none of its words" },
	{ "[metrics]\nallow = 10.0.0.0/8, ::1", "metrics.allow", "10.0.0.0/8, ::1" },
	{ "", "tracing.endpoint", "" },
	{ "[tracing]\nendpoint =", "tracing.endpoint", "" },
	{ "[tracing]\nendpoint = http://localhost:4318/", "tracing.endpoint", "http://localhost:4318" },
	{ "[tracing]\nendpoint = localhost:4318", "", NULL, "[tracing] endpoint: must begin with http:// or https://" },
	{ "[tracing]\nendpoint = http:///x", "", NULL, "names no host" },
	{ "[tracing]\nendpoint = http://x/?key=y", "", NULL, "'?' or '#' in it" },
	{ "[tracing]\nheaders = api-key=a b=c,x=%20", "tracing.headers", "***" },
	{ "[tracing]\nheaders = api key=s3cret", "", NULL, "must be name=value" },
	{ "[tracing]\nheaders = api-key", "", NULL, "must be name=value" },
	{ "[tracing]\nheaders = =x", "", NULL, "must be name=value" },
	{ "[tracing]\nheaders = x=\xc3\xa4", "", NULL, "no printable ASCII" },
	{ "[tracing]\nsample_ratio = 0.05", "tracing.sample_ratio", "0.05" },
	{ "[tracing]\nsample_ratio = 2", "", NULL, "2 is not within 0 to 1" },
	{ "", "monitor.min_success_rate", "0.95" },
	{ "[monitor]\nmin_success_rate = 0.9999", "monitor.min_success_rate", "0.9999" },
	{ "[monitor]\nmin_success_rate = 1", "monitor.min_success_rate", "1" },
	{ "[monitor]\nmin_success_rate = 0", "monitor.min_success_rate", "0" },
	{ "[monitor]\nmin_success_rate = 95", "", NULL, "[monitor] min_success_rate: 95 is not within 0 to 1" },
	{ "[monitor]\nmin_success_rate = 0.99999", "", NULL, "no number with up to 4 decimals" },
	{ "[monitor]\nmin_success_rate = .5", "", NULL, "no number with up to 4 decimals" },
	{ "[monitor]\nmin_success_rate = 0.", "", NULL, "no number with up to 4 decimals" },
	{ "[monitor]\nmin_success_rate = -1", "", NULL, "no number with up to 4 decimals" },
	{ "[monitor]\nmin_success_rate = 0.5 %", "", NULL, "no number with up to 4 decimals" },
	{ "[monitor]\nmax_average_attempts = 1.5", "monitor.max_average_attempts", "1.5" },
	{ "[monitor]\nmax_average_attempts = 0.5", "", NULL, "0.5 is not within 1 to 100" },
	{ "[monitor]\nmax_average_attempts = 4294967297", "", NULL, "no number with up to 4 decimals" },
	{ "[monitor]\nmax_duplicates = 0", "monitor.max_duplicates", "0" },
	{ "[monitor]\nmax_oldest_pending_minutes = 0", "", NULL, "0 is not within 1 to 1000000" },
	{ "[outbound]\nallow = 127.0.0.0/8, 10.1.2.3", "outbound.allow", "127.0.0.0/8, 10.1.2.3" },
	{ "", "outbound.allow", "" },
	{ "[outbound]\nports = 443 8000-8999", "outbound.ports", "443 8000-8999" },
	{ "[outbound]\nports = 0-99", "", NULL, "[outbound] ports: \"0-99\" is no port or range of ports" },
	{ "[outbound]\ntimeout_ms = 2m", "", NULL, "[outbound] timeout_ms: 120000 is not within" },
	{ "[metrics]\nallow =", "metrics.allow", "" },
	{ "[metrics]\nallow = 10.0.0.0/33", "", NULL, "[metrics] allow: \"10.0.0.0/33\"" },
	{ "[server]\npublic_url = https://hooks.example.org/", "server.public_url", "https://hooks.example.org" },
	{ "[server]\npublic_url = http://h:8080/base//", "server.public_url", "http://h:8080/base" },
	{ "[server]\npublic_url = hooks.example.org", "", NULL, "must begin with http" },
	{ "[server]\npublic_url = https://", "", NULL, "names no host" },
	{ "[server]\npublic_url = http:///x", "", NULL, "names no host" },
	{ "[server]\npublic_url = http://a b", "", NULL, "a blank" },
	{ "[cron]\ntimezone = UTC", "cron.timezone", "UTC" },
	{ "[cron]\ntimezone =", "cron.timezone", "" },
	{ "[cron]\ntimezone = Nowhere/Town", "", NULL, "[cron] timezone: \"Nowhere/Town\" is no zone" },
	{ "[cron]\ntoken = hidden", "cron.token", "***" },
	{ "[retention]\nevents_days = 0", "", NULL, "0 is not within 1 to 36500" },
	{ "[metrics]\ntoken = hidden", "metrics.token", "***" },
	{ "", "metrics.token", "" },
	/* lines */
	{ "[ingest]\nbatch = 1", "", NULL, "f:2: [ingest] batch: there is no such option" },
	{ "[Ingest]\nbatch_max = 1", "", NULL, "f:2: [Ingest] batch_max: there is no such option" },
	{ "name = x", "", NULL, "f:1: [] name: there is no such option" },
	{ "[database]\nname = x\nname = y", "", NULL, "f:3: [database] name: it is set twice" },
	{ "[database]\nname = x\n  y", "", NULL, "f:3: neither" },
	{ "[database\nname = x", "", NULL, "f:1: neither" },
	{ "[database]\n\n\nname\n[ingest]\ndebug = maybe", "", NULL, "f:4: neither" },
	{ "[ingest]\ndebug = maybe\nname\n", "", NULL, "f:2: [ingest] debug" },
	{ "[database]\n= x", "", NULL, "f:2: " },
};

START_TEST(test_file)
{
	struct err e = { 0 };
	struct conf c;

	conf_defaults(&c);
	if (conf_parse(&c, str_of(files[_i].file), "f", &e)) {
		unit_str(value_of(&c, files[_i].option), files[_i].want);
	} else {
		ck_assert_int_eq(e.code, ERR_INVALID);
		ck_assert_msg(!files[_i].want, "%s", e.text);
		ck_assert_msg(strstr(e.text, files[_i].why) != NULL, "%s", e.text);
	}
	conf_free(&c);
}
END_TEST

START_TEST(test_long_lines_and_nul)
{
	struct arena *a = arena_new(1 << 20);
	char *line = arena_alloc(a, 100001);
	struct err e = { 0 };
	struct conf c;

	memset(line, 'x', 100000);
	conf_defaults(&c);
	ck_assert(conf_parse(&c, arena_printf(a, "[server]\nuser = %.150s\n", line), "f", &e));
	ck_assert_uint_eq(strlen(c.server.user), 150);
	ck_assert(!conf_parse(&c, arena_printf(a, "[server]\nuser = %s\n", line), "f", &e));
	ck_assert_str_eq(e.text, "f:2: the line is too long");
	ck_assert(!conf_parse(&c, STR("[server]\nuser = a\0b\n"), "f", &e));
	ck_assert_str_eq(e.text, "f:2: a NUL byte in it");
	conf_free(&c);
	arena_free(a);
}
END_TEST

static const struct {
	const char *url;
	const char *want;	/* user|password|host|port|name|socket; NULL = refused */
} urls[] = {
	{ "mysql://u:p@db.example.org:3307/hooks", "u|p|db.example.org|3307|hooks|" },
	{ "mariadb://u:p@db:3307/hooks", "u|p|db|3307|hooks|" },
	{ "mysql://u@db/hooks", "u|old|db|3306|hooks|" },
	{ "mysql://db", "grapnel|old|db|3306|grapnel|" },
	{ "mysql:///hooks", "grapnel|old|localhost|3306|hooks|/old.sock" },
	{ "mysql://u:p@/hooks?socket=/run/my%20sql.sock", "u|p|localhost|3306|hooks|/run/my sql.sock" },
	{ "mysql://u:p@localhost/hooks?charset=utf8mb4&socket=/s", "u|p|localhost|3306|hooks|/s" },
	{ "mysql://localhost?socket=/s", "grapnel|old|localhost|3306|grapnel|/s" },
	{ "mysql://us%65r:p%40%3A%2F@h/n", "user|p@:/|h|3306|n|" },
	{ "mysql://u:p@ss:word@h/n", "u|p@ss:word|h|3306|n|" },
	{ "mysql://u:p+w@h/n", "u|p+w|h|3306|n|" },
	{ "mysql://u:p@[2001:db8::1]:3307/n", "u|p|2001:db8::1|3307|n|" },
	{ "mysql://[::1]/n", "grapnel|old|::1|3306|n|" },
	{ "mysql://[::1/n", NULL },
	{ "mysql://[::1]x/n", NULL },
	{ "mysql://h:0/n", NULL },
	{ "mysql://h:65536/n", NULL },
	{ "mysql://h:x/n", NULL },
	{ "mysql://u:%00@h/n", NULL },
	{ "postgres://h/n", NULL },
	{ "h/n", NULL },
};

START_TEST(test_url)
{
	struct arena *a = arena_new(1 << 16);
	struct err e = { 0 };
	struct conf c;
	bool ok;

	conf_defaults(&c);
	text_set(&c.database.socket, STR("/old.sock"));
	text_set(&c.database.password, STR("old"));
	ok = conf_database_url(&c, str_of(urls[_i].url), &e);
	ck_assert_msg(ok == (urls[_i].want != NULL), "%s", e.text);
	if (ok)
		unit_str(arena_printf(a, "%s|%s|%s|%u|%s|%s", c.database.user, c.database.password, c.database.host,
			c.database.port, c.database.name, c.database.socket), urls[_i].want);
	conf_free(&c);
	arena_free(a);
}
END_TEST

static const struct {
	const char *name, *value, *option;
	const char *want;	/* NULL = refused */
} variables[] = {
	{ "STRIPE_WEBHOOK_SECRET", "whsec_x", "secrets.stripe_webhook_secret", "***" },
	{ "PAYPAL_WEBHOOK_ID", "8PT", "secrets.paypal_webhook_id", "***" },
	{ "INTEGRATION_VERIFY_SIGNATURES", "false", "ingest.verify_signatures", "false" },
	{ "INTEGRATION_VERIFY_SIGNATURES", "", "ingest.verify_signatures", "true" },
	{ "INTEGRATION_RATE_LIMIT", "0", "ingest.rate_limit", "false" },
	{ "INTEGRATION_RATE_LIMIT", "sometimes", "", NULL },
	{ "WEBHOOK_DEBUG", "true", "ingest.debug", "true" },
	{ "WEBHOOK_MAX_DELIVERIES", "7", "outbound.max_deliveries", "7" },
	{ "DATABASE_URL", "mysql://u:p@h/n", "database.user", "u" },
	{ "DATABASE_URL", "nonsense", "", NULL },
};

START_TEST(test_environment)
{
	struct err e = { 0 };
	struct conf c;
	bool ok;

	setenv(variables[_i].name, variables[_i].value, 1);
	ok = conf_load(&c, NULL, &e);
	unsetenv(variables[_i].name);
	ck_assert_msg(ok == (variables[_i].want != NULL), "%s", e.text);
	if (ok) {
		unit_str(value_of(&c, variables[_i].option), variables[_i].want);
		conf_free(&c);
	} else {
		ck_assert(str_starts(str_of(e.text), "environment: "));
		ck_assert_ptr_null(c.database.name);
	}
}
END_TEST

static const char *path_with(const char *suffix, const char *content)
{
	static char path[2][64];
	char *p = path[suffix[0] == 'p'];
	FILE *f;

	snprintf(p, sizeof(path[0]), "test_conf.%d.%s", (int)getpid(), suffix);
	f = fopen(p, "w");
	fputs(content, f);
	fclose(f);
	return p;
}

START_TEST(test_headers_file)
{
	struct err e = { 0 };
	struct conf c;
	char config[200];
	const char *headers = path_with("p-headers", "api-key=s3cret\nmore\n"), *file;

	snprintf(config, sizeof(config), "[tracing]\nheaders_file = %s\n", headers);
	file = path_with("conf", config);
	ck_assert_msg(conf_load(&c, file, &e), "%s", e.text);
	ck_assert_str_eq(c.tracing.headers, "api-key=s3cret");
	conf_free(&c);
	path_with("p-headers", "s3cret\n");
	ck_assert(!conf_load(&c, file, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "[tracing] headers_file: must be name=value"));
	ck_assert_ptr_null(strstr(e.text, "s3cret"));
	unlink(headers);
	unlink(file);
}
END_TEST

START_TEST(test_load)
{
	struct err e = { 0 };
	struct conf c;
	char config[200];
	const char *password = path_with("password", "s3cret word \nmore\n"), *file;

	snprintf(config, sizeof(config), "[database]\npassword_file = %s\n", password);
	file = path_with("conf", config);
	ck_assert_msg(conf_load(&c, file, &e), "%s", e.text);
	ck_assert_str_eq(c.database.password, "s3cret word");
	conf_free(&c);
	conf_free(&c);		/* a zeroed one is fine */
	unlink(password);
	ck_assert(!conf_load(&c, file, &e));
	ck_assert_int_eq(e.code, ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(e.text, "password_file"));
	unlink(file);
	ck_assert(!conf_load(&c, file, &e));
	ck_assert_int_eq(e.code, ERR_DOWN);
	ck_assert(!conf_load(&c, "/", &e));
	ck_assert_int_eq(e.code, ERR_DOWN);
	ck_assert(!conf_load(&c, "/dev/zero", &e));	/* has no end */
	ck_assert_int_eq(e.code, ERR_DOWN);
}
END_TEST

/* What only tests need is refused where it could be a real server. */
static const struct {
	const char *file;
	const char *why;	/* NULL = taken */
} together[] = {
	{ "[server]\ndevelopment = true\npublic_url = http://127.0.0.1:8000\n[keys]\ntest_hosts = x=127.0.0.1:1", NULL },
	{ "[server]\ndevelopment = true\npublic_url = http://localhost", NULL },
	{ "[server]\ndevelopment = true\npublic_url = http://[::1]:80/hooks", NULL },
	{ "[server]\ndevelopment = true\npublic_url = http://localhost.example.org", "[server] development: is for tests" },
	{ "[server]\ndevelopment = true\npublic_url = https://localhost", "[server] development: is for tests" },
	{ "[server]\ndevelopment = true\npublic_url = http://127.0.0.1.example.org", "[server] development: is for tests" },
	{ "[retention]\narchive_dir = /tmp\narchive_events = true", NULL },
	{ "[retention]\narchive_events = true", "[retention] archive_events: needs a folder" },
	{ "[server]\npublic_url = http://localhost\n[keys]\ntest_hosts = x=127.0.0.1:1", "[keys] test_hosts: is for tests" },
	{ "[keys]\ntest_authorities = /tmp/ca.pem", "[keys] test_authorities: is for tests" },
};

START_TEST(test_together)
{
	struct err e = { 0 };
	struct conf c;
	const char *file = path_with("conf", together[_i].file);
	bool ok = conf_load(&c, file, &e);

	unlink(file);
	ck_assert_msg(ok == !together[_i].why, "%s", e.text);
	if (ok)
		conf_free(&c);
	else
		ck_assert_msg(str_starts(str_of(e.text), together[_i].why), "%s", e.text);
}
END_TEST

START_TEST(test_restart)
{
	struct conf a, b;

	conf_defaults(&a);
	conf_defaults(&b);
	ck_assert_ptr_null(conf_restart_needed(&a, &b));
	b.ingest.batch_max = 5;
	text_set(&b.database.host, STR("elsewhere"));
	ck_assert_ptr_null(conf_restart_needed(&a, &b));
	b.server.node = 7;
	ck_assert_str_eq(conf_restart_needed(&a, &b), "server.node");
	text_set(&b.server.web_socket, STR("/elsewhere"));
	ck_assert_str_eq(conf_restart_needed(&a, &b), "server.web_socket");
	conf_free(&a);
	conf_free(&b);
}
END_TEST

/* The sample, with the marks taken off, is a file that sets every option to its default. */
START_TEST(test_sample)
{
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };
	struct conf c;
	struct strbuf b;
	struct str rest;
	FILE *to = fmemopen(text, sizeof(text), "w");

	conf_print_sample(to);
	fclose(to);
	strbuf_init(&b, a, 1 << 16);
	for (rest = str_of(text); rest.n;) {
		struct str line = str_until(&rest, '\n');

		ck_assert_uint_lt(line.n, 200);
		if (str_starts(line, "#") && !str_starts(line, "# "))
			line = str_sub(line, 1);
		strbuf_addf(&b, "%.*s\n", STR_ARG(line));
	}
	conf_defaults(&c);
	ck_assert_msg(conf_parse(&c, strbuf_str(&b), "sample", &e), "%s", e.text);
	ck_assert_str_eq(c.database.name, "grapnel");
	for (size_t i = 0; i < option_n; i++) {
		ck_assert_ptr_nonnull(strstr(b.p, options[i].key));
		ck_assert(str_ends(str_of(options[i].help), "."));
		ck_assert_ptr_eq(option_find(str_of(options[i].section), str_of(options[i].key)), &options[i]);
	}
	conf_free(&c);
	arena_free(a);
}
END_TEST

/* Each option stands under its section, with its help and its default. */
START_TEST(test_manual)
{
	FILE *to = fmemopen(text, sizeof(text), "w");
	const char *at = text;
	char want[256];

	conf_print_manual(to);
	fclose(to);
	for (size_t i = 0; i < option_n; i++) {
		const char *sentence = strstr(options[i].help, ". ");	/* each begins a line */
		int n = sentence ? (int)(sentence - options[i].help) + 1 : (int)strlen(options[i].help);

		snprintf(want, sizeof(want), ".Ss [%s]\n", options[i].section);
		ck_assert_msg(strstr(text, want) != NULL, "%s", want);
		snprintf(want, sizeof(want), ".It Ic %s\n%.*s\n", options[i].key, n, options[i].help);
		at = strstr(at, want);
		ck_assert_msg(at != NULL, "%s", want);
	}
	for (const struct variable *v = conf_variables; v->name; v++)
		ck_assert_msg(strstr(text, v->name) != NULL, "%s", v->name);
	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		ck_assert_msg(*line != '\'', "roff takes this line for a command: %.40s", line);
}
END_TEST

START_TEST(test_print)
{
	struct err e = { 0 };
	struct conf c, again;
	FILE *to = fmemopen(text, sizeof(text), "w");

	conf_defaults(&c);
	text_set(&c.database.password, STR("hidden"));
	c.ingest.batch_max = 7;
	conf_print(&c, to);
	fclose(to);
	ck_assert_ptr_null(strstr(text, "hidden"));
	ck_assert_ptr_nonnull(strstr(text, "password = ***\n"));
	conf_defaults(&again);
	ck_assert_msg(conf_parse(&again, str_of(text), "printed", &e), "%s", e.text);
	ck_assert_uint_eq(again.ingest.batch_max, 7);
	unit_str(value_of(&c, "ingest.batch_max"), "7");
	unit_str(value_of(&c, "log.target"), "syslog");
	unit_str(value_of(&c, "nope.nope"), NULL);
	unit_str(value_of(&c, "nope"), NULL);
	conf_free(&c);
	conf_free(&again);
}
END_TEST

UNIT_MAIN("conf", UNIT_ROWS(test_file, files), UNIT(test_long_lines_and_nul), UNIT_ROWS(test_url, urls),
	UNIT_ROWS(test_environment, variables), UNIT(test_headers_file), UNIT(test_load), UNIT_ROWS(test_together, together), UNIT(test_restart), UNIT(test_sample), UNIT(test_manual), UNIT(test_print))
