/* store_int.h - what the files of src/store share among themselves. */
#ifndef STORE_INT_H
#define STORE_INT_H

#include "grapnel/store.h"

#define NAME_MAX_CHARS 100	/* VARCHAR(100) of every column `name` */
#define DESCRIPTION_MAX_CHARS 1024	/* VARCHAR(1024) of every column `description` */

extern const struct stmt_table alert_rule_stmts;
extern const struct stmt_table breaker_stmts, forward_stmts;
extern const struct stmt_table duplicate_stmts, event_stmts;
extern const struct stmt_table audit_stmts, user_stmts, token_stmts, tenant_stmts, service_stmts, source_stmts, source_load_stmts, source_secret_stmts,
	incident_stmts, link_stmts, merge_stmts, auto_resolve_stmts, job_stmts, key_document_stmts, retention_stmts, batch_stmts, session_stmts, outbox_stmts, source_effect_stmts;
extern const struct stmt_table monitor_alert_stmts, monitor_cache_stmts;
extern const struct stmt_table channel_stmts, channel_tell_stmts, publish_stmts;
extern const struct stmt_table policy_stmts;
extern const struct stmt_table oncall_stmts;
extern const struct stmt_table contact_stmts;
extern const struct stmt_table escalation_stmts;
extern const struct stmt_table endpoint_stmts;
extern const struct stmt_table tally_stmts;
extern const struct stmt_table heartbeat_stmts;
extern const struct stmt_table held_stmts, hush_stmts;
extern const struct stmt_table task_stmts;
extern const struct stmt_table news_stmts;
extern const struct stmt_table status_page_stmts;
extern const struct stmt_table sealed_stmts, server_stmts;
extern const struct stmt_table archived_stmts, clock_stmts, table_size_stmts;

/* {"member":"text"}, for audit_add; p NULL is null. */
struct str member_json(struct arena *a, const char *member, struct str text);

/* A name as people give it: UTF-8, 1 to 100 characters, no control characters, no blank at either end. ERR_INVALID names
 * the field. */
bool name_check(struct str name, const char *field, struct err *e) MUST_USE;

/* A column `description`: UTF-8, at most 1024 characters. ERR_INVALID names the field "description". */
bool description_check(struct str description, struct err *e) MUST_USE;

size_t characters(struct str s);	/* of valid UTF-8 */

/* After a change of what ingest caches; also where nobody knows whether it was done. shm may be NULL. */
void bump_if_done(struct shm *shm, bool ok, const struct err *e);

/* After a failed write: when a unique key refused it, that is ERR_CONFLICT with this sentence; else *e stays. Returns
 * false. */
bool conflict_if_duplicate(struct db *db, const char *field, const char *sentence, struct err *e);

/* When a source was heard of last, or since when that is expected. */
#define HEARD_AT "GREATEST(COALESCE(s.heartbeat_since, 0), (SELECT COALESCE(MAX(h.heard_at), 0) FROM source_stats h" \
	" WHERE h.source_id = s.id AND h.hour = 0))"

/* ---- source_secret.c, for source.c ---- */

#define SOURCE_SECRET_MAX 900	/* what VARBINARY(1024) holds, less the 30 bytes of sealing and some room */

struct made_key {
	struct str text, hash, sealed;
};
struct made_key source_key_make(struct arena *a, const struct seal_key *sk, struct str public_id, struct str text);	/* text empty: a new one */
struct str source_setting_context(struct arena *a, struct str name);		/* that its value is sealed with */
bool source_setting_sealed(struct arena *a, struct str value, struct str *sealed) MUST_USE;	/* the bytes; false: it is not sealed */
struct str source_secret_seal(struct arena *a, const struct seal_key *sk, struct str public_id, struct str secret);	/* empty: none */

#endif
