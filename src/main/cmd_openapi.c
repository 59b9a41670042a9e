/* cmd_openapi.c - the description of the API, as /api/openapi.json gives it. */
#include "config.h"

#include "ctl_int.h"

#include "grapnel/api.h"

static bool openapi(struct ctl *c, struct err *e)
{
	struct str url = ctl_value(c, "url"), document;
	struct strbuf b;

	if (!url.p && ctl_open(c, NEED_CONF, e))
		return false;
	document = api_document(c->arena, PACKAGE_VERSION, url.p ? url.p : c->conf.server.public_url);
	strbuf_init(&b, c->arena, CTL_JSON_MAX);
	if (c->json)
		strbuf_addstr(&b, document);
	else
		json_indent(&b, document);
	ctl_json_print(&b);
	return true;
}

static const struct ctl_option options[] = {
	{ "url", "URL", "where the API is, if not at [server] public_url; then no configuration is read" },
	{ 0 }
};

const struct command openapi_commands[] = {
	{ "openapi", "", options, 0, openapi, "prints the description of the API, OpenAPI 3.1; in one line with --json" },
	{ 0 }
};
