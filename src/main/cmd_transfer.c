/* cmd_transfer.c - export and import: what people set up, as a file. import also takes what cleanup has archived, and tells the two apart by
 * their first bytes. */
#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include "ctl_int.h"

#include "grapnel/resource.h"

#define FILE_BYTES_MAX (512u << 20)
#define PASSPHRASE_MAX 1024

/* The first line of the file, or STR_NONE where the option was not given. */
static bool read_passphrase(struct ctl *c, struct str *out, struct err *e)
{
	struct str path = ctl_value(c, "passphrase-file"), text;

	*out = STR_NONE;
	if (!path.p)
		return true;
	if (!ctl_file(c, "passphrase-file", path, PASSPHRASE_MAX, &text, e))
		return false;
	*out = str_until(&text, '\n');
	return out->n || err_set(e, ERR_INVALID, "--passphrase-file %.150s holds nothing", path.p);
}

static bool export(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct config_export x = { .tenant = ctl_value(c, "tenant"), .version = PACKAGE_VERSION };
	struct strbuf b;
	struct str out;

	if (ctl_has(c, "secrets") != ctl_has(c, "passphrase-file"))
		return err_set(e, ERR_INVALID, "--secrets and --passphrase-file go together: secrets leave sealed or not at all");
	if (!read_passphrase(c, &x.passphrase, e) || !config_export(&by, &x, &out, e))
		return false;
	strbuf_init(&b, c->arena, FILE_BYTES_MAX);
	if (c->json)
		strbuf_addstr(&b, out);
	else
		json_indent(&b, out);
	ctl_json_print(&b);
	return true;
}

/* ---- import ---- */

/* gzip, RFC 1952; one that is damaged there is still called so. A pipe is none, and what was read of it would be missing later. */
static bool is_archive(const char *path)
{
	unsigned char magic[2] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool yes = str_ends(str_of(path), ".gz") || (fd >= 0 && pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b);

	if (fd >= 0)
		close(fd);
	return yes;
}

static void show(void *ctx, const char *what, double done, uint64_t n)
{
	ctl_progress(ctx, what, done, n);
}

static bool import_configuration(struct ctl *c, struct err *e)
{
	struct ctl_progress progress = { .ctl = c };
	struct config_import x = { .tenant = ctl_value(c, "tenant"), .dry_run = ctl_has(c, "dry-run"), .progress = show, .ctx = &progress };
	struct config_imported parts[CONFIG_PARTS];
	struct caller by = ctl_caller(c);
	struct err why = { 0 };
	struct str text;
	bool ok;

	if (!read_passphrase(c, &x.passphrase, e))
		return false;
	if (!file_read(c->arena, c->words[0], FILE_BYTES_MAX, &text, &why))
		return err_set(e, why.code, "%.80s: %.70s", c->words[0], why.text);
	if (!x.dry_run && !ctl_sure(c, "Change the configuration to what the file says?", e))
		return false;
	ok = config_import(&by, text, &x, parts, e);
	ctl_progress_end(&progress);
	if (!ok)
		return false;
	ctl_list(c, "parts", config_imported_fields, "part created changed unchanged leftOut", parts, CONFIG_PARTS, sizeof(*parts), 0);
	return true;
}

/* An archive knows whose its rows are, and holds no secret. */
static bool import_archives(struct ctl *c, struct err *e)
{
	static const char *const strange[] = { "tenant", "passphrase-file" };

	for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
		if (ctl_value(c, strange[i]).p)
			return err_set(e, ERR_INVALID, "--%s is for a file of export, and these are archives", strange[i]);
	return ctl_archive_read(c, e);
}

static bool import(struct ctl *c, struct err *e)
{
	size_t archives = 0;

	for (size_t i = 0; i < c->word_n; i++)
		archives += is_archive(c->words[i]);
	if (archives == c->word_n)
		return import_archives(c, e);
	if (c->word_n > 1)
		return err_set(e, ERR_INVALID, "give one file of configuration, or archives alone");
	return ctl_open(c, NEED_KEY | NEED_STATE, e) == CTL_OK && import_configuration(c, e);
}

static const struct ctl_option export_options[] = {
	{ "secrets", NULL, "with keys and secrets, sealed under a passphrase" },
	{ "passphrase-file", "FILE", "whose first line is the passphrase" },
	{ 0 }
};

static const struct ctl_option import_options[] = {
	{ "dry-run", NULL, "says what would be changed, and changes nothing" },
	{ "passphrase-file", "FILE", "takes the secrets that the file holds, too" },
	{ "yes", NULL, "does not ask" },
	{ 0 }
};

const struct command transfer_commands[] = {
	{ "export", "", export_options, NEED_SCHEMA | NEED_KEY, export,
		"prints the configuration of all tenants, or of that of --tenant: channels, users, escalation policies, services, integrations, alert rules" },
	{ "import", "FILE...", import_options, NEED_SCHEMA, import,
		"takes a file of export, all of it or nothing; or archives, as archive read does" },
	{ 0 }
};
