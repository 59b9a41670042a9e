/* audit.c - who changed what, from where. A row is written in the transaction of the change, so that there is neither a
 * change without its entry nor an entry without its change. */
#include "store_int.h"

#include "grapnel/json.h"

#define ESCAPED_MAX 6	/* bytes that one becomes in JSON */

enum { Q_ADD };

static const struct stmt stmts[] = {
	[Q_ADD] = { "audit.add",
		"INSERT INTO audit_log (tenant_id, at, actor, user_id, token_id, remote_addr, action, object, detail)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)" },
};
const struct stmt_table audit_stmts = { stmts, ARRAY_SIZE(stmts) };

bool audit_add(struct db *db, const struct who *who, const char *action, struct str object, struct str detail_json, ms_t now,
	struct err *e)
{
	return db_exec(db, &stmts[Q_ADD],
		VALS(V_U(who->tenant_id), V_I(now), V_U(who->actor), V_ID(who->user_id), V_ID(who->token_id),
			V_SN(who->remote_addr), V_S(str_of(action)), V_S(object), V_SN(detail_json)),
		NULL, e);
}

struct str member_json(struct arena *a, const char *member, struct str text)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, ESCAPED_MAX * text.n + strlen(member) + 16);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, member);
	if (text.p)
		json_str(&o, text);
	else
		json_null(&o);
	json_close(&o, '}');
	return strbuf_str(&b);
}
