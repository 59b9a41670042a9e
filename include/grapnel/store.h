/* store.h - every SQL statement of the product, one file per aggregate, behind typed calls.
 *
 * A call takes the connection, reads and writes one aggregate, and knows nothing of HTTP. Changes to a source bump the
 * shared generation, so that all workers of this host see them at once (shm NULL: the caller has none, and they see them
 * within minutes). Inside a transaction a call is one step of it; calls that need several statements open their own
 * (db_tx). Rows come back in the caller's arena. */
#ifndef GRAPNEL_STORE_H
#define GRAPNEL_STORE_H

#include "grapnel/base.h"
#include "grapnel/crypto.h"
#include "grapnel/db.h"
#include "grapnel/event.h"
#include "grapnel/incident.h"
#include "grapnel/monitor.h"
#include "grapnel/oncall.h"
#include "grapnel/shm.h"

#define KEY_HASH_BYTES 16	/* of a dedup key or event id: see key_hash */

/* All tables of statements, for the test that prepares and EXPLAINs them. Ends with NULL. */
extern const struct stmt_table *const stmt_tables[];

/* Who acts: for the audit log and the timeline. */
struct who {
	uint32_t tenant_id;
	uint32_t user_id;	/* 0 = system or command line */
	uint32_t token_id;	/* 0 = none */
	unsigned actor;		/* audit_log.actor: ACTOR_SYSTEM, ACTOR_PERSON or AUDIT_COMMAND_LINE */
	struct str remote_addr;
	struct str link;	/* the signed link of a message acts for them: whose, "channel Ops mail"; p NULL: none does */
};
#define AUDIT_COMMAND_LINE 4	/* goes on after enum actor */
bool audit_add(struct db *db, const struct who *who, const char *action, struct str object, struct str detail_json, ms_t now,
	struct err *e) MUST_USE;

/* ---- tenant.c ---- */

struct tenant {
	uint64_t id;
	struct str name;
	ms_t created_at;
	uint64_t users, services, integrations;		/* tenant_list alone counts them */
};
#define DEFAULT_TENANT 1	/* is always there */
int tenant_by_name(struct db *db, struct arena *a, struct str name, struct tenant *out, struct err *e) MUST_USE;
int tenant_next(struct db *db, struct arena *a, uint64_t after, struct tenant *out, struct err *e) MUST_USE;	/* the first with a higher number */
bool tenant_list(struct db *db, struct arena *a, uint64_t after, uint64_t limit, struct tenant **out, size_t *n, struct err *e) MUST_USE;	/* in their order */
/* With a default service. ERR_INVALID and ERR_CONFLICT name the field. */
bool tenant_add(struct db *db, struct arena *a, struct shm *shm, struct str name, const struct who *who, ms_t now, struct tenant *out,
	struct err *e) MUST_USE;
bool tenant_rename(struct db *db, struct arena *a, const struct tenant *t, struct str name, const struct who *who, ms_t now, struct err *e) MUST_USE;

/* How many days its processed events are kept; 0: as the configuration says. A change is an entry of the audit log. */
#define RETENTION_MAX 36500	/* as in [retention] */
bool tenant_retention(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t *days, struct err *e) MUST_USE;
bool tenant_retention_set(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t days, const struct who *who, ms_t now,
	struct err *e) MUST_USE;

/* ---- user.c, token.c ---- */

enum role { ROLE_NONE = 0, ROLE_VIEWER = 1, ROLE_OPERATOR = 2, ROLE_ADMIN = 3 };
enum scope { SCOPE_READ = 1, SCOPE_INCIDENTS = 2, SCOPE_EVENTS = 4, SCOPE_INTEGRATIONS = 8, SCOPE_SYNC = 16, SCOPE_ADMIN = 32, SCOPE_ALL = 63 };
const char *role_word(enum role r);
bool role_parse(struct str s, enum role *out) MUST_USE;
bool scopes_parse(struct str s, uint32_t *out) MUST_USE;	/* "read,incidents" or "all" */
struct str scopes_text(struct arena *a, uint32_t scopes);

struct user {
	uint64_t id, tenant_id, role;
	struct str public_id, name, email, password_hash;
	struct str totp_sealed, totp_pending_sealed;	/* p NULL: none. The second is not yet confirmed */
	int64_t totp_step;				/* newest 30 s step whose code was used */
	bool platform_admin, enabled;
	ms_t created_at, last_seen_at;
};
/* ERR_CONFLICT when the name is taken. password empty = none. */
bool user_add(struct db *db, struct arena *a, uint32_t tenant_id, struct str name, struct str email, struct str password, enum role role,
	bool platform_admin, ms_t now, struct user *out, struct err *e) MUST_USE;
int user_by_name(struct db *db, struct arena *a, struct str name, struct user *out, struct err *e) MUST_USE;
bool user_list(struct db *db, struct arena *a, uint32_t tenant_id, struct user **out, size_t *n, struct err *e) MUST_USE;
int user_any(struct db *db, struct arena *a, struct err *e) MUST_USE;	/* are there users at all? */
/* tenant_id 0: whatever its tenant. */
int user_by_public_id(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, struct user *out, struct err *e) MUST_USE;
/* One step of a transaction: until it ends nobody else changes a user of that tenant. */
int user_lock(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, struct user *out, struct err *e) MUST_USE;
/* Writes role, email, enabled and platform_admin. */
bool user_update(struct db *db, const struct user *u, struct err *e) MUST_USE;
/* Enabled users with the role admin. */
bool user_admins(struct db *db, uint64_t tenant_id, struct arena *a, uint64_t *n, struct err *e) MUST_USE;
/* A seed to be confirmed (empty: none any more); it becomes the one in force by user_totp_confirm, with the step of the code that proved it.
 * ERR_CONFLICT: another seed is pending by now. */
bool user_totp_pending(struct db *db, uint64_t id, struct str sealed, struct err *e) MUST_USE;
bool user_totp_confirm(struct db *db, uint64_t id, struct str sealed, int64_t step, struct err *e) MUST_USE;
bool user_totp_remove(struct db *db, uint64_t id, struct err *e) MUST_USE;
/* 1: no code of this step or a later one was used before. */
int user_totp_use(struct db *db, uint64_t id, int64_t step, struct err *e) MUST_USE;
/* Who could sign in and administer, in all tenants; with_totp: of these, who use an authenticator app. */
struct administrators {
	uint64_t n, with_totp;
};
bool user_administrators(struct db *db, struct arena *a, struct administrators *out, struct err *e) MUST_USE;
bool user_set_password(struct db *db, struct arena *a, uint64_t id, struct str password, struct err *e) MUST_USE;

struct token {
	uint64_t id, user_id, tenant_id, scopes;	/* tenant_id: token_get alone */
	struct str public_id, name;
	ms_t created_at, expires_at, last_used_at, revoked_at;
};
/* `text` is the token itself, "gt_" and 43 characters of base64url: shown this once. */
bool token_add(struct db *db, struct arena *a, uint64_t user_id, struct str name, uint32_t scopes, ms_t expires_at, ms_t now,
	struct token *out, struct str *text, struct err *e) MUST_USE;
bool token_list(struct db *db, struct arena *a, uint64_t user_id, struct token **out, size_t *n, struct err *e) MUST_USE;
/* Of a user of that tenant; 0: of any. */
int token_get(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, struct token *out, struct err *e) MUST_USE;
int token_revoke(struct db *db, struct str public_id, ms_t now, struct err *e) MUST_USE;
/* The living token of that text with its user: 0 when unknown, expired, revoked, or its user disabled. Notes last_used_at at most once a minute. */
struct principal {
	uint64_t user_id, token_id, tenant_id, role, scopes;
	bool platform_admin;
	struct str user_name, user_public_id, token_public_id;
	ms_t last_used_at, expires_at;	/* of the token; 0 = does not end */
};
int token_principal(struct db *db, struct arena *a, struct str text, ms_t now, struct principal *out, struct err *e) MUST_USE;

/* ---- session.c: sessions of the dashboard as they are stored. The cookie's text and its life are src/account's ---- */

struct session_row {
	uint64_t user_id, tenant_id, role;
	bool platform_admin;
	struct str public_id, user_name, user_public_id, remote_addr, user_agent, flash_sealed;
	ms_t created_at, last_seen_at, expires_at;
};
/* What is alive at a moment: made after `created_after`, seen after `seen_after`, and not at its end. */
struct session_bounds {
	ms_t created_after, seen_after, now;
};
/* `hash` is 32 bytes throughout. 0 when there is none, none alive, or its user is disabled. */
int session_row_find(struct db *db, struct arena *a, struct str hash, const struct session_bounds *alive, struct session_row *out,
	struct err *e) MUST_USE;
/* Of the row: user_id, remote_addr, user_agent, created_at, expires_at; public_id is filled in. */
bool session_row_add(struct db *db, struct arena *a, struct str hash, struct session_row *row, struct err *e) MUST_USE;
/* Notes it of the user as well. */
bool session_row_seen(struct db *db, struct str hash, ms_t now, struct err *e) MUST_USE;
bool session_row_flash(struct db *db, struct str hash, struct str sealed, struct err *e) MUST_USE;	/* empty removes it */
bool session_row_end(struct db *db, struct str hash, struct err *e) MUST_USE;
/* Newest first. */
bool session_rows(struct db *db, struct arena *a, uint64_t user_id, const struct session_bounds *alive, struct session_row **out, size_t *n,
	struct err *e) MUST_USE;
/* 1 ended, 0 that user has none of that id, -1 failed. */
int session_row_end_one(struct db *db, uint64_t user_id, struct str public_id, struct err *e) MUST_USE;
/* All but `keep` (a public id, or STR_NONE); `ended` may be NULL. */
bool session_rows_end(struct db *db, uint64_t user_id, struct str keep, uint64_t *ended, struct err *e) MUST_USE;

/* ---- service.c: a deleted service is found by nobody, but its incidents keep its name ---- */

#define SERVICE_ALIASES_MAX 50
#define AUTO_RESOLVE_MAX (30 * 24 * 60)	/* minutes: 30 days */
#define SERVICE_CHANNELS_MAX 20

struct service {
	uint64_t id, tenant_id, auto_resolve_minutes;	/* 0 = never */
	struct str public_id, name, description;
	struct str aliases;		/* JSON array of texts, or p NULL */
	struct str policy;		/* public id of its escalation policy, or empty */
	struct str channels;		/* JSON array of public ids of the channels that are told of its incidents, or p NULL */
	bool is_default;
	ms_t created_at, updated_at;
};
int service_by_public_id(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, struct service *out, struct err *e) MUST_USE;
int service_by_name(struct db *db, struct arena *a, uint32_t tenant_id, struct str name, struct service *out, struct err *e) MUST_USE;
int service_default(struct db *db, struct arena *a, uint32_t tenant_id, struct service *out, struct err *e) MUST_USE;
/* By name. */
bool service_list(struct db *db, struct arena *a, uint32_t tenant_id, struct service **out, size_t *n, struct err *e) MUST_USE;
/* Inside a transaction: the service cannot be deleted until its end. 1, 0, -1. */
int service_hold(struct db *db, struct arena *a, uint64_t id, struct err *e) MUST_USE;
/* What can be set is taken from `in`. ERR_CONFLICT: another service answers to that name or alias. ERR_INVALID names the field as the API
 * does. A new default service takes over from the old one. */
bool service_add(struct db *db, struct arena *a, struct shm *shm, const struct service *in, const struct who *who, ms_t now, struct service *out,
	struct err *e) MUST_USE;
/* Of the service in->public_id in in->tenant_id. ERR_CONFLICT as with service_add; where the default one would be no longer default; and
 * without field or sentence where the service has changed since `in` was read (in->updated_at is another). */
int service_update(struct db *db, struct arena *a, struct shm *shm, const struct service *in, const struct who *who, ms_t now, struct err *e) MUST_USE;
/* ERR_CONFLICT with a sentence: it is the default one, or integrations or unresolved incidents use it. */
int service_delete(struct db *db, struct arena *a, struct shm *shm, uint32_t tenant_id, struct str public_id, const struct who *who, ms_t now,
	struct err *e) MUST_USE;

/* ---- policy.c: escalation policies. Who is paged, step by step, while nobody takes care of an incident ---- */

#define POLICIES_MAX 100		/* of a tenant */

enum policy_target_type { TARGET_USER, TARGET_SCHEDULE, TARGET_CHANNEL };
struct policy_target {
	enum policy_target_type type;
	struct str id;			/* public id, which says the type, too */
};
struct policy_step {
	uint64_t delay_minutes;		/* after it, before the next one */
	struct policy_target targets[ESCALATION_TARGETS_MAX];
	size_t n;
};
const char *policy_target_word(enum policy_target_type t);	/* "user" */
bool policy_target_of(struct str id, enum policy_target_type *out) MUST_USE;	/* by its form */

struct policy {
	uint64_t id, tenant_id, repeats;
	struct str public_id, name, description;
	struct str steps;		/* JSON, as policy_steps_write made it */
	ms_t created_at, updated_at;
};
struct str policy_steps_write(struct arena *a, const struct policy_step *steps, size_t n);
void policy_steps_read(struct arena *a, struct str json, struct policy_step out[ESCALATION_STEPS_MAX], size_t *n);

int policy_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, struct policy *out, struct err *e) MUST_USE;
int policy_by_id(struct db *db, struct arena *a, uint64_t id, struct policy *out, struct err *e) MUST_USE;
/* Newest first; below an id, 0 = from the top. */
bool policy_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t below, uint64_t limit, struct policy **out, size_t *n,
	struct err *e) MUST_USE;
/* Inside a transaction: the policy cannot be deleted until its end. 1, 0, -1. */
int policy_hold(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, struct policy *out, struct err *e) MUST_USE;
/* Services that use the policies of the JSON array, oldest first. */
struct policy_service {
	uint64_t policy;
	struct str id, name;
};
bool policy_services(struct db *db, struct arena *a, struct str ids, uint64_t limit, struct policy_service **out, size_t *n, struct err *e) MUST_USE;
/* Keeps in->public_id where there is one. ERR_INVALID and ERR_CONFLICT name the field, or are a sentence. */
bool policy_add(struct db *db, struct arena *a, const struct policy *in, const struct who *who, ms_t now, struct policy *out, struct err *e) MUST_USE;
/* ERR_CONFLICT without field or sentence: it has changed since `in` was read. */
int policy_update(struct db *db, struct arena *a, const struct policy *in, const struct who *who, ms_t now, struct err *e) MUST_USE;
/* ERR_CONFLICT with a sentence: services use it. */
int policy_delete(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, const struct who *who, ms_t now, struct err *e) MUST_USE;
/* ---- status_page.c: what a tenant shows to everybody ---- */

#define STATUS_SERVICES_MAX 100
#define STATUS_SLUG_MAX 63
#define STATUS_ABOUT_MAX 1024		/* characters */

struct status_page {
	uint64_t tenant_id;
	struct str slug, title, about;
	bool enabled, show_titles;
	struct str services, names;	/* JSON arrays of their public ids and names, in their order; without those that were deleted. To set: ids or names */
	ms_t updated_at;		/* 0: the tenant has none */
};
/* A tenant that has none gets a struct of zeros. */
bool status_page_get(struct db *db, struct arena *a, uint64_t tenant_id, struct status_page *out, struct err *e) MUST_USE;
int status_page_by_slug(struct db *db, struct arena *a, struct str slug, struct status_page *out, struct err *e) MUST_USE;	/* an enabled one */
/* Makes or replaces that of in->tenant_id. ERR_INVALID names the field; ERR_CONFLICT where another tenant has the slug. */
bool status_page_set(struct db *db, struct arena *a, const struct status_page *in, const struct who *who, ms_t now, struct err *e) MUST_USE;

/* ---- oncall.c: schedules, who is on call ---- */

#define SCHEDULES_MAX 100		/* of a tenant */

struct oncall_person {
	uint64_t id;
	struct str public_id, name;
	bool enabled;
	uint64_t role;			/* oncall_find_people alone */
};
/* What a layer has beside its turns. */
struct oncall_crew {
	struct str name;
	const struct oncall_person *people;
	size_t n;
};
struct oncall_schedule {
	uint64_t id, tenant_id;
	struct str public_id, name, description, time_zone;
	ms_t created_at, updated_at;
	struct oncall_plan plan;		/* read: with overrides that were not over at a moment; a disabled person is 0. Of a wish: its layers */
	const struct oncall_crew *crews;	/* as many as layers */
	const struct oncall_person *stand_ins;	/* of the overrides */
};
/* Layers as the API shows and takes them: an array; people by their ids, or by their names. */
enum oncall_naming { ONCALL_BY_ID, ONCALL_BY_NAME };
void oncall_layers_json(struct json_out *o, const struct oncall_schedule *s, enum oncall_naming naming);
/* "monday" */
extern const char *const oncall_day_words[7];

/* Whole, with overrides that are not over at `since`. */
int oncall_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, ms_t since, struct oncall_schedule *out, struct err *e) MUST_USE;
/* Newest first; below an id, 0 = from the top. */
bool oncall_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t below, uint64_t limit, ms_t since, struct oncall_schedule **out, size_t *n,
	struct err *e) MUST_USE;
/* Of the tenant, by public ids: a JSON array; those that are there. */
bool oncall_some(struct db *db, struct arena *a, uint64_t tenant_id, struct str ids, ms_t since, struct oncall_schedule **out, size_t *n,
	struct err *e) MUST_USE;
/* Who is that: one of the people of the schedule. NULL: nobody. */
const struct oncall_person *oncall_who(const struct oncall_schedule *s, const struct oncall_duty *d);
/* Who is on call at a moment, of schedules by public ids (a JSON array), each person once, in their order. */
bool oncall_now(struct db *db, struct arena *a, uint64_t tenant_id, struct str ids, ms_t at, const struct oncall_person **out, size_t *n,
	struct err *e) MUST_USE;

/* Users of the tenant by their public ids or names, a JSON array of texts; in its order, each with the place it has there. Unknown ones are
 * not among them. */
struct oncall_found {
	uint64_t place;				/* from 1 */
	struct oncall_person person;
};
bool oncall_find_people(struct db *db, struct arena *a, uint64_t tenant_id, struct str words, struct oncall_found **out, size_t *n,
	struct err *e) MUST_USE;

/* Keeps in->public_id where there is one. ERR_CONFLICT: its name is taken, or there is no room. */
bool oncall_add(struct db *db, struct arena *a, const struct oncall_schedule *in, const struct who *who, ms_t now, struct oncall_schedule *out,
	struct err *e) MUST_USE;
/* ERR_CONFLICT without field or sentence: it has changed since `in` was read. */
int oncall_update(struct db *db, struct arena *a, const struct oncall_schedule *in, const struct who *who, ms_t now, struct err *e) MUST_USE;
/* ERR_CONFLICT with a sentence: an escalation policy names it. */
int oncall_delete(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, const struct who *who, ms_t now, struct err *e) MUST_USE;
/* 0: there is no such schedule, or override of it. Of `in` its id and times count. */
int oncall_override_add(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, const struct oncall_override *in,
	const struct oncall_person *user, const struct who *who, ms_t now, struct err *e) MUST_USE;
int oncall_override_delete(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, uint64_t id, const struct who *who, ms_t now,
	struct err *e) MUST_USE;

/* ---- escalation.c: where incidents are in their policies. All but the last two calls are steps of a transaction ---- */

#define ESCALATION_EXHAUSTED "ESCALATION_EXHAUSTED"	/* the monitor alert: nobody took care, or nobody was reached */

struct escalation_row {
	uint64_t incident_id, policy_id;
	struct escalation at;
	uint64_t ended;			/* enum escalation_end; the next one: when */
	ms_t ended_at;
	struct str traceparent;		/* of what began it */
};
struct escalation_incident {
	uint64_t tenant_id, service_id, status, level;
	ms_t snoozed_until;
};
/* From its first step on, if the service has a policy; one that runs already begins anew. */
bool escalation_start(struct db *db, uint64_t incident, uint64_t service_row, struct str traceparent, ms_t now, struct err *e) MUST_USE;
bool escalation_stop(struct db *db, uint64_t incident, enum escalation_end how, ms_t now, struct err *e) MUST_USE;	/* one that has ended stays as it was */
bool escalation_drop(struct db *db, uint64_t incident, struct err *e) MUST_USE;	/* its incident is gone */
bool escalation_awake(struct db *db, uint64_t incident, ms_t now, struct err *e) MUST_USE;	/* as escalation_wake of incident.h */
bool escalation_mend(struct db *db, ms_t now, struct err *e) MUST_USE;	/* what waits since a moment that is still to come is due */
int escalation_due(struct db *db, struct arena *a, ms_t now, struct escalation_row *out, struct err *e) MUST_USE;	/* one of them, locked */
bool escalation_move(struct db *db, const struct escalation_row *r, struct err *e) MUST_USE;
int escalation_incident(struct db *db, struct arena *a, uint64_t incident, struct escalation_incident *out, struct err *e) MUST_USE;	/* locked */
/* The entry of the timeline under its number, and the news of it. */
bool escalation_tell(struct db *db, struct arena *a, const struct escalation_row *r, uint64_t entry, enum level level, struct str text, ms_t now,
	struct err *e) MUST_USE;
/* Of the incidents in the JSON array those of which nobody takes care, with their severity of now, the end of their snooze, and the newest page of them that waits
 * for that contact, or 0. */
struct escalation_wanted {
	uint64_t incident_id, level, newest;
	ms_t snoozed_until;
};
bool escalation_wanted(struct db *db, struct arena *a, struct str incidents, uint64_t contact, struct escalation_wanted **out, size_t *n, struct err *e) MUST_USE;
int escalation_get(struct db *db, struct arena *a, uint64_t incident, struct escalation_row *out, struct err *e) MUST_USE;
struct outbox_row;
/* A message was given up. If it is of the newest step, and no other of that step arrived or still may, the next one (or the end of the policy) is due at once, and the timeline says
 * why: `whom` it was for, and the sentence why not. A step of the transaction that has written the row's end. */
bool escalation_failed(struct db *db, struct arena *a, struct id_maker *ids, const struct outbox_row *row, struct str whom, struct str why, ms_t now,
	struct err *e) MUST_USE;

/* ---- contact.c: where a person is paged, and when not ---- */

#define CONTACTS_MAX 10			/* of a person */
#define CONTACT_ADDRESS_MAX 512
#define CONTACT_CODE_MS (15 * MS_PER_MINUTE)
#define CONTACT_CODE_TRIES 5
#define CONTACT_CODES_HOUR_MAX 10	/* of a person in an hour... */
#define CONTACT_CODES_DAY_MAX 20	/* ...and in 24 */
#define CONTACT_CODES_ADDRESS_MAX 10	/* to an address in 24 hours, whoever has them sent: it may be a stranger's */

struct contact {
	uint64_t id, tenant_id, user_id, code_tries;
	struct str public_id, kind, address, error;
	struct str code_hash;		/* p NULL: no code was asked for */
	struct str user_name;		/* contacts_by_ids and contacts_of alone, as the next ones */
	bool user_enabled;
	uint64_t user_role;
	struct quiet_hours quiet;	/* its zone is read */
	ms_t verified_at, code_until, sent_at, failed_at, created_at;
};
/* Of any person of the tenant. */
int contact_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, struct contact *out, struct err *e) MUST_USE;
bool contact_list(struct db *db, struct arena *a, uint64_t user_id, struct contact **out, size_t *n, struct err *e) MUST_USE;	/* oldest first */
bool contacts_by_ids(struct db *db, struct arena *a, struct str ids, struct contact **out, size_t *n, struct err *e) MUST_USE;	/* a JSON array */
/* The verified ones of enabled users of the tenant: a JSON array of users' public ids. */
bool contacts_of(struct db *db, struct arena *a, uint64_t tenant_id, struct str user_ids, struct contact **out, size_t *n, struct err *e) MUST_USE;
/* ERR_CONFLICT: it is there, or there are too many. */
bool contact_add(struct db *db, struct arena *a, const struct contact *in, const struct who *who, ms_t now, struct contact *out, struct err *e) MUST_USE;
int contact_delete(struct db *db, struct arena *a, const struct contact *c, const struct who *who, ms_t now, struct err *e) MUST_USE;
#define CONTACT_HASH_BYTES 32
/* Six digits: the code that the message of that number brings. And what is stored of one. */
struct str contact_code(struct arena *a, const struct seal_key *sk, struct str public_id, uint64_t message);
struct str contact_code_hash(struct arena *a, const struct seal_key *sk, struct str public_id, struct str code);
/* Puts the hash of a code that counts from now on, and the row of the outbox that brings it. ERR_LIMIT in a sentence: too many in this hour or day. */
bool contact_code_send(struct db *db, struct arena *a, const struct contact *c, struct str hash, uint64_t message, struct str payload, ms_t now,
	struct err *e) MUST_USE;
enum contact_answer { CONTACT_VERIFIED, CONTACT_WRONG, CONTACT_LATE, CONTACT_TRIED };	/* late: the code counts no more; tried: five wrong ones */
/* A code with that hash was typed. 1, 0 the contact is gone, -1. */
int contact_verify(struct db *db, struct arena *a, const struct contact *c, struct str hash, const struct who *who, ms_t now,
	enum contact_answer *out, struct err *e) MUST_USE;
/* A message was taken, or refused for that reason. */
bool contact_told(struct db *db, uint64_t id, struct str error, ms_t now, struct err *e) MUST_USE;

struct paging {				/* how a person wants to be paged */
	bool quiet;
	uint64_t quiet_from, quiet_to;	/* minutes after midnight */
	struct str time_zone;
};
bool paging_get(struct db *db, struct arena *a, uint64_t user_id, struct paging *out, struct err *e) MUST_USE;
bool paging_set(struct db *db, struct arena *a, uint64_t user_id, struct str public_id, const struct paging *p, const struct who *who, ms_t now,
	struct err *e) MUST_USE;

/* ---- source.c: integrations and registrations as people manage them ---- */

enum forward_mode { FORWARD_QUEUED = 0, FORWARD_INLINE = 1 };	/* the sender is answered at once, or after the handler */
#define HANDLER_URL_MAX 2048
#define RETRIES_DEFAULT 4	/* attempts after the first */
#define RETRIES_MAX 20
#define BACKOFF_DEFAULT 60	/* seconds before the second attempt */
#define BACKOFF_MAX 86400
#define HEARTBEAT_MAX (30 * 24 * 60)	/* minutes */

enum source_kind { SOURCE_INTEGRATION = 1, SOURCE_REGISTRATION = 2 };
#define RATE_DEFAULT UINT32_MAX	/* rate_per_minute NULL: the provider's default */

/* What can be set; also the answer of reading. Texts with p == NULL are not there. */
struct source {
	uint64_t id, tenant_id, kind, service_id, actions, rate_per_minute;	/* RATE_DEFAULT where NULL */
	struct str public_id, provider, name, service_public_id, allowed_ips, settings;
	/* of the action forward */
	struct str handler_url;
	struct str handler_secret;	/* of a wish: p NULL as it was, empty none. Never read back */
	struct str key;			/* of a new source: the key that it had elsewhere; empty: one is made. Never read back */
	uint64_t forward_mode;		/* enum forward_mode */
	uint64_t max_retries, backoff_s;	/* backoff_s 0 in a wish: the default policy */
	uint64_t heartbeat_minutes;	/* something is to be heard at least as often; 0: nobody watches */
	uint64_t retention_days;	/* how long its processed events are kept; 0: as its tenant says */
	bool enabled, is_default, require_key, route_by_service, has_secret, has_handler_secret;
	bool heartbeat_incident;	/* silence opens an incident as well */
	bool secret_unseen;	/* its secret came with a handshake and was not shown yet */
	ms_t created_at, updated_at;
	ms_t verified_at, disconnected_at;	/* first proven message; the sender's farewell. 0: none */
	ms_t key_old_until;	/* the key before this one works until then; 0: none does */
	ms_t heartbeat_since, heard_at, silent_since;	/* heard_at: newest accepted request, tests left out; silent_since 0: it is not */
	/* totals and the last 24 h, from source_stats */
	uint64_t alert_count, webhook_count, error_count;
	ms_t last_webhook_at;
};
/* Names of the bits of enum source_action, ended by { NULL }. */
struct action_name {
	const char *name;
	unsigned bit;
};
extern const struct action_name action_names[];
/* An array of those names. */
void source_actions_json(struct json_out *o, uint64_t actions);

/* Keeps in->public_id where there is one. Makes a 32-hex-digit key (returned once), seals it and the secret (may be empty). The service is in->service_public_id, else
 * in->service_id, else the tenant's default. The provider is the caller's to check. ERR_CONFLICT: a default source of that provider
 * exists. ERR_INVALID names the field as the API does. */
bool source_add(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, const struct source *in, struct str secret,
	const struct who *who, ms_t now, struct source *out, struct str *key, struct err *e) MUST_USE;
int source_get(struct db *db, struct arena *a, uint32_t tenant_id, struct str public_id, ms_t now, struct source *out, struct err *e) MUST_USE;
/* Of whatever tenant, in no order; `ids` is a JSON array of rows' numbers. */
bool sources_by_ids(struct db *db, struct arena *a, struct str ids, ms_t now, struct source **out, size_t *n, struct err *e) MUST_USE;
/* Newest first; cursor = id of the last one seen, 0 = from the top. */
bool source_list(struct db *db, struct arena *a, uint32_t tenant_id, struct str provider, uint64_t cursor, size_t limit, ms_t now,
	struct source **out, size_t *n, struct err *e) MUST_USE;
/* Of the source in->public_id in in->tenant_id: writes all that can be set; `secret` with p != NULL replaces the active secrets (empty
 * removes them). ERR_CONFLICT as with source_add, and without a field where the source has changed since `in` was read
 * (in->updated_at is another): else this would undo that change. */
int source_update(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, const struct source *in, struct str secret,
	const struct who *who, ms_t now, struct err *e) MUST_USE;
int source_delete(struct db *db, struct arena *a, struct shm *shm, uint32_t tenant_id, struct str public_id, const struct who *who, ms_t now,
	struct err *e) MUST_USE;
/* Sees to it that the default tenant has a default source of the provider with just this secret (STRIPE_WEBHOOK_SECRET,
 * PAYPAL_WEBHOOK_ID); does nothing when it has. For the start of a master. */
bool source_ensure_env(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, struct str provider, struct str secret,
	ms_t now, struct err *e) MUST_USE;
/* The types that living sources have, in all tenants. */
struct source_type {
	struct str provider;
	uint64_t n, disabled;
};
bool source_types(struct db *db, struct arena *a, struct source_type **out, size_t *n, struct err *e) MUST_USE;
/* Where the provider posts: "<public_url>/api/integrations/github/in_...". */
struct str source_webhook_url(struct arena *a, struct str public_url, struct str provider, struct str public_id);

/* ---- source_secret.c: key and secrets of a source ---- */

/* The key of the source; with `who` that is an entry of the audit log: somebody looked at it. */
int source_key(struct db *db, struct arena *a, const struct seal_key *sk, uint64_t tenant_id, struct str public_id, const struct who *who,
	ms_t now, struct str *key, struct err *e) MUST_USE;

/* The secret that came with a handshake, this once; an entry of the audit log. 1, 0 there is none to show, -1. */
int source_received_secret(struct db *db, struct arena *a, const struct seal_key *sk, uint64_t tenant_id, struct str public_id,
	const struct who *who, ms_t now, struct str *secret, struct err *e) MUST_USE;

/* The value of a setting that is a secret, as it stands in the settings: "sealed:" and base64. What does not open is not there. */
bool source_setting_is_sealed(struct str value);
struct str source_setting_seal(struct arena *a, const struct seal_key *sk, struct str name, struct str value);
struct str source_setting_open(struct arena *a, const struct seal_key *sk, struct str name, struct str value);

/* Key, active secret and the handler's, opened; empty: it has none. The arena holds them afterwards: wipe it. */
struct source_plain {
	struct str key, secret, handler_secret;
};
bool source_plain(struct db *db, struct arena *a, const struct seal_key *sk, const struct source *s, struct source_plain *out, struct err *e) MUST_USE;

#define SOURCE_SECRETS_MAX 4	/* valid at once */
struct source_secret {
	ms_t created_at, expires_at;	/* expires_at 0: the active one */
};
/* The valid ones, newest first. */
bool source_secrets(struct db *db, struct arena *a, uint64_t source_id, ms_t now, struct source_secret **out, size_t *n, struct err *e) MUST_USE;

/* A new key, or `secret` as the new secret; the old ones are valid for grace_ms more, of keys one at most. Rotating a secret where there
 * is none is ERR_CONFLICT: it would be the first, and the sender is not ready. */
int source_rotate_key(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, uint64_t tenant_id, struct str public_id,
	ms_t grace_ms, const struct who *who, ms_t now, struct str *key, struct err *e) MUST_USE;
int source_rotate_secret(struct db *db, struct arena *a, const struct seal_key *sk, struct shm *shm, uint64_t tenant_id, struct str public_id,
	struct str secret, ms_t grace_ms, const struct who *who, ms_t now, struct err *e) MUST_USE;

/* ---- stats.c ---- */

/* The last n hours, that of `now` among them, for a join of source_stats with STATS_HOURS: each is looked up by its key, where
 * "hour > ?" would read all the hours that a source has. */
#define STATS_HOURS "JSON_TABLE(?, '$[*]' COLUMNS (hour INT UNSIGNED PATH '$')) h"
struct str stats_hours(struct arena *a, ms_t now, unsigned n);

/* ---- source_load.c: sources as ingest knows them, secrets opened ---- */

struct live_source {
	uint64_t id, tenant_id, kind, service_id, actions, forward_mode, rate_per_minute;
	uint64_t told;			/* enum channel_event: of what somebody of its tenant wants to know */
	struct str public_id, provider, name, service_name, allowed_ips, settings;
	struct str services;		/* with route_by_service: JSON array of {"id","name","aliases"}, all of its tenant */
	bool enabled, is_default, require_key, route_by_service;
	struct str key_hash;		/* 32 bytes, or empty */
	struct str key_old_hash;	/* the same of the key before it, good until key_old_until */
	ms_t key_old_until;
	ms_t verified_at, disconnected_at;	/* 0: not yet; not */
	struct str secrets[SOURCE_SECRETS_MAX];	/* newest first, plain */
	ms_t secret_until[SOURCE_SECRETS_MAX];	/* end of its grace period; 0: none */
	size_t secret_n;
	bool secrets_lost;		/* one does not open under our keys: random bytes stand for it, so that nothing matches. Log it */
};
/* The living sources whose public id is in `ids` (JSON array of texts), or whose key hash (or that of the key before) is in `key_hashes` (JSON array of hex texts), or the default ones of the
 * default tenant whose provider is in `providers` (JSON array): one round trip for a batch. Secrets are in the arena: wipe it. */
bool live_sources(struct db *db, struct arena *a, const struct seal_key *sk, struct str ids, struct str key_hashes, struct str providers,
	ms_t now, struct live_source **out, size_t *n, struct err *e) MUST_USE;
/* The first `max` living sources: to fill the cache at start. */
bool live_sources_all(struct db *db, struct arena *a, const struct seal_key *sk, size_t max, ms_t now, struct live_source **out, size_t *n,
	struct err *e) MUST_USE;

/* A number that any change of any source, service, channel, endpoint, window or silence changes: how hosts of one database see what the others did. */
bool live_sources_stamp(struct db *db, struct arena *a, ms_t now, uint64_t *stamp, struct err *e) MUST_USE;

/* ---- source_effect.c: what a message changes in its own source ---- */

struct source_effect {
	uint64_t source_id;
	struct str new_secret;		/* taken only while the source has none */
	const char *keep_name;		/* a setting that is kept, unless there is one of that name; NULL = none */
	struct str keep_value;
	bool disconnected;		/* the sender says that it sends no more; else it does, and is verified by that */
	/* returned */
	bool kept;			/* the setting in force is that one */
};
/* Inside a transaction, the last lock but that of counters; the caller bumps the generation once it is committed. 1 done, 0 no such
 * source, -1 failed. */
int source_effect(struct db *db, struct arena *a, const struct seal_key *sk, struct source_effect *x, ms_t now, struct err *e) MUST_USE;

/* ---- heartbeat.c: sources that ought to be heard of ---- */

#define STALE_ALERT "STALE"	/* type of the monitor alert; its subject is the source's public id */

struct heartbeat {
	uint64_t source_id, tenant_id, service_id, minutes;	/* minutes 0: nobody watches it any more */
	struct str public_id, name;
	bool wants_incident, told;		/* told: a monitor alert of its silence runs */
	uint64_t incident;		/* of its newest silence; 0: none */
	ms_t heard_at;			/* or when the watch began */
};
/* Those that are watched and those whose silence was told, by id. */
bool heartbeats(struct db *db, struct arena *a, uint64_t after, size_t limit, struct heartbeat **out, size_t *n, struct err *e) MUST_USE;
/* It was heard, or began to be watched, by a clock that was ahead: that counts as now, else nobody would notice its silence until then. */
bool heartbeat_mend(struct db *db, uint64_t source_id, ms_t now, struct err *e) MUST_USE;
/* Raises its monitor alert and, where it is wanted, opens the incident, in one transaction. 1 done, 0 it was told before, -1. */
int heartbeat_silent(struct db *db, struct arena *a, struct id_maker *ids, const struct heartbeat *h, ms_t now, struct err *e) MUST_USE;
/* It was heard again, or is not watched any more: the incident is resolved by the system, then the monitor alert ends. */
int heartbeat_heard(struct db *db, struct arena *a, struct id_maker *ids, const struct heartbeat *h, ms_t now, struct err *e) MUST_USE;

/* ---- outbox.c: what is to be sent, from the transaction of its cause on ---- */

enum outbox_kind { OUTBOX_NOTIFICATION = 1, OUTBOX_DELIVERY = 2, OUTBOX_CONFIRMATION = 4, OUTBOX_PAGE = 5 };
enum outbox_status {
	OUTBOX_WAITING = 0,	/* for the dispatcher */
	OUTBOX_SENT = 1,
	OUTBOX_FAILED = 2,	/* its quick attempts did: waits for cron */
	OUTBOX_DEAD = 3,	/* given up */
	OUTBOX_BUNDLED = 4,	/* done with: told in another message, with others */
	OUTBOX_ENDING = 5,	/* its quick attempts failed, and there are no others: given up when its last wait is over */
	OUTBOX_UNNEEDED = 6,	/* done with: there was no use in it any more when its turn came */
};
#define OUTBOX_ANSWER_MAX 4096	/* bytes of an answer that are kept */

struct outbox_row {
	uint64_t id, tenant_id, kind, target_id, cause_id, status, attempts;
	uint64_t bundled_in;		/* the message that tells it; 0: it is told by itself */
	uint64_t attempts_max;		/* given up after so many; 0: as many as its kind has */
	struct str recipient;		/* of a channel whose addressees get messages of their own: which of them; p NULL: all there are. Of a page: about where */
	uint64_t user_id;		/* of a page: who is paged; 0: it is none */
	struct str payload;		/* JSON */
	struct str traceparent;		/* of its cause, with our span as the parent; p NULL: none */
	struct str answer, error;	/* p NULL: none */
	ms_t next_at;			/* while it waits: when it is due, or when the lease of its sender ends */
	ms_t created_at, finished_at;
};
bool outbox_add_all(struct db *db, struct arena *a, const struct outbox_row *rows, size_t n, struct err *e) MUST_USE;
/* All that waits for that target is given up. */
bool outbox_drop_waiting(struct db *db, enum outbox_kind kind, uint64_t target_id, const char *why, ms_t now, struct err *e) MUST_USE;

/* What waits of that cause for a later moment is due. */
bool outbox_hurry(struct db *db, enum outbox_kind kind, uint64_t cause_id, ms_t now, struct err *e) MUST_USE;

/* Sources or channels that have something due in that status, the longest waiting first. */
struct outbox_target {
	uint64_t id;
	ms_t next_at;
	uint64_t failures;		/* of the breaker: from BREAKER_OPENS_AT on the next attempt is a probe */
	ms_t opened_at, probe_at;
};
bool outbox_targets(struct db *db, struct arena *a, enum outbox_kind kind, enum outbox_status status, uint64_t breaker, ms_t since, ms_t now,
	size_t limit, struct outbox_target **out, size_t *n, struct err *e) MUST_USE;
/* Of one of them, the longest waiting first: as much of each row as a claim needs. */
bool outbox_due(struct db *db, struct arena *a, enum outbox_kind kind, enum outbox_status status, uint64_t target_id, ms_t now, size_t limit,
	struct outbox_row **out, size_t *n, struct err *e) MUST_USE;
/* Takes leases until then and counts the attempts, of the rows that are as they were seen (which it sorts). *out are those, whole; `owner` is a number that
 * nobody else ever used. */
bool outbox_claim(struct db *db, struct arena *a, struct outbox_row *seen, size_t seen_n, uint64_t owner, ms_t until, struct outbox_row **out,
	size_t *n, struct err *e) MUST_USE;
/* Gives a lease back without an attempt. */
bool outbox_release(struct db *db, uint64_t id, uint64_t owner, ms_t now, struct err *e) MUST_USE;

/* Ends a row under a lease without an attempt: it is OUTBOX_UNNEEDED. */
bool outbox_call_off(struct db *db, uint64_t id, uint64_t owner, ms_t now, struct err *e) MUST_USE;

/* Gives up what is OUTBOX_ENDING and due; *n says how many. */
bool outbox_end_due(struct db *db, ms_t now, uint64_t *n, struct err *e) MUST_USE;
/* One of those that ended or wait is to be sent now, by one attempt more. 1; 0: somebody sends it, or it was tried as often as can be; -1. */
int outbox_again(struct db *db, uint64_t id, ms_t now, struct err *e) MUST_USE;

bool outbox_due_count(struct db *db, struct arena *a, ms_t now, uint64_t *n, struct err *e) MUST_USE;
/* How much waits in that status, counted up to OUTBOX_COUNT_MAX, and since when the first of it is due (or will be); 0: nothing waits. What waits
 * for a receiver that is left alone does not count. */
#define OUTBOX_COUNT_MAX 10000
struct outbox_queue {
	uint64_t n;
	ms_t next_at;
};
bool outbox_queue_get(struct db *db, struct arena *a, enum outbox_status status, struct outbox_queue *out, struct err *e) MUST_USE;
/* What a clock that was wrong put too far away is due now. */
bool outbox_mend(struct db *db, ms_t now, struct err *e) MUST_USE;

struct outbox_result {
	struct outbox_row row;		/* status, answer, error, next_at, finished_at as they are to be; attempts: the number of this one */
	uint64_t owner;
	ms_t at;			/* when the attempt began */
	uint64_t duration_ms;
	unsigned http_status;		/* or of SMTP; 0: no answer */
	struct str body;		/* of the answer, UTF-8 */
};
/* One step of a transaction. Writes the attempts, and the rows as far as their leases are still ours, which end. */
bool outbox_finish(struct db *db, struct arena *a, const struct outbox_result *results, size_t n, struct err *e) MUST_USE;

/* Is there one that was told with it, to another addressee, and not taken: not yet, or given up? 1, 0, -1. */
int outbox_untaken(struct db *db, struct arena *a, const struct outbox_row *r, struct err *e) MUST_USE;
/* The newest for a source or channel, and the one of a cause. 1, 0, -1. */
int outbox_newest(struct db *db, struct arena *a, enum outbox_kind kind, uint64_t target_id, struct outbox_row *out, struct err *e) MUST_USE;
/* What a message tells of others, the oldest first: as much of each as can be told of it; and how many there are, counted up to OUTBOX_BUNDLE_MAX. */
#define OUTBOX_BUNDLE_MAX 100000
bool outbox_bundled(struct db *db, struct arena *a, uint64_t digest, size_t limit, struct outbox_row **out, size_t *n, uint64_t *all, struct err *e) MUST_USE;
int outbox_of_cause(struct db *db, struct arena *a, enum outbox_kind kind, uint64_t cause_id, struct outbox_row *out, struct err *e) MUST_USE;

/* ---- channel.c: where people and programs are told of things ---- */

#define CHANNELS_MAX 100		/* of a tenant: each message goes to all that want it */
#define CHANNEL_SECRET_MAX 2000		/* bytes; what VARBINARY(2100) holds, less the sealing */
/* Bits of channels.events: never renumber. */
enum channel_event { CHANNEL_MONITOR = 1, CHANNEL_INCIDENT = 2, CHANNEL_ALERTS = 4, CHANNEL_PROCESSED = 8 };
struct channel_event_name {
	const char *word;	/* "monitor.*"; ends with NULL */
	uint64_t bit;
	const char *title;	/* "Monitor alerts: ..." */
	const char *label;	/* the same in a list: "monitor alerts" */
};
extern const struct channel_event_name channel_event_names[];
void channel_events_json(struct json_out *o, uint64_t events);	/* their words, as an array */
#define CHANNEL_FAILED "CHANNEL_FAILED"	/* type of the monitor alert about a message that was given up; its subject is the channel */

struct channel {
	uint64_t id, tenant_id, events, min_level, failures;	/* failures: attempts that failed since sent_at */
	uint64_t max_per_minute;				/* what comes more is bundled; 0: no limit */
	struct str public_id, kind, name, settings;		/* settings: JSON, nothing secret */
	struct str secret_sealed;
	struct str disabled_reason, error;			/* p NULL: none */
	bool enabled, has_secret, each_recipient;		/* each_recipient: of `to` in settings gets a message of its own */
	ms_t sent_at, failed_at, created_at, updated_at;
};
int channel_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, struct channel *out, struct err *e) MUST_USE;
/* Of a tenant below that row (0: from the newest), newest first. */
bool channel_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t below, uint64_t limit, struct channel **out, size_t *n,
	struct err *e) MUST_USE;
bool channels_by_ids(struct db *db, struct arena *a, struct str ids, struct channel **out, size_t *n, struct err *e) MUST_USE;	/* JSON array of numbers */
/* Empty: it has none. The arena holds it afterwards: wipe it. */
bool channel_secret(struct arena *a, const struct seal_key *sk, const struct channel *c, struct str *out, struct err *e) MUST_USE;

/* ---- channel_tell.c: who is told of a thing ---- */

/* One step of the transaction of their causes: a row of the outbox for each notice and each channel that wants to know. Once it is committed, ring the
 * dispatcher's bell. The payload is {"type","at","data"}; src/channel makes a message of it. */
struct notice {
	uint64_t tenant_id;		/* 0, the whole installation: the default tenant's channels */
	enum channel_event event;
	enum level level;
	uint64_t cause_id;		/* the monitor alert, the incident */
	uint64_t service_id;		/* its channels are told as well, whatever they want to know; 0: none is concerned */
	struct str about;		/* public id of a channel that is not told, since it is about that one; empty: of none */
	bool follows;			/* whoever was told of its cause before is told of this as well: what has begun somewhere ends there */
	const char *type;		/* "monitor.alert_started": see src/channel/message.c */
	struct str data;		/* JSON object */
	struct str traceparent;		/* of the cause; empty: none */
};
struct str notice_payload(struct arena *a, const char *type, struct str data, ms_t at);
/* As many rows as the channel needs, which are as `like`. Returns how many. */
size_t channel_rows(struct arena *a, struct id_maker *ids, const struct channel *c, const struct outbox_row *like, ms_t now, struct outbox_row **out);
/* The same, bundled in a storm as channels_tell does: the digest among them has its own payload and cause. A step of the transaction that writes them. */
bool channel_page(struct db *db, struct arena *a, struct id_maker *ids, const struct channel *c, const struct outbox_row *like, ms_t now, struct outbox_row **out,
	size_t *n, struct err *e) MUST_USE;
bool channels_tell(struct db *db, struct arena *a, struct id_maker *ids, const struct notice *list, size_t n, ms_t now, size_t *told, struct err *e) MUST_USE;	/* told may be NULL */

#define DIGEST_TYPE "messages.bundled"	/* data: {"id"}, of the message; the rest is found when it is sent */
/* Nothing is bundled into that one any more. Waits for who is about to. */
bool channel_digest_close(struct db *db, uint64_t channel_id, uint64_t digest, struct err *e) MUST_USE;

/* ---- publish.c: events for sinks and endpoints ---- */

#define PUBLISHED_TYPE "webhook.received"	/* to sinks. data: {"event":{"id"}}; the rest is read when it is sent */
#define PUBLISHED_EVENT "event.processed"	/* to endpoints, the same */
struct published {
	uint64_t event_id;
	struct str traceparent;		/* p NULL: none */
};
/* In the transaction that made them processed: a row of the outbox for each of them and each channel and endpoint of its tenant that wants to know, *told in all. Sorts
 * the list. */
bool events_publish(struct db *db, struct arena *a, struct id_maker *ids, struct published *list, size_t n, ms_t now, size_t *told, struct err *e) MUST_USE;

/* ---- channel.c again: changes, and results ---- */

/* Keeps in->public_id where there is one. Kind and settings are the caller's to check. `secret` may be empty. ERR_CONFLICT with a sentence: there are too many. */
bool channel_add(struct db *db, struct arena *a, struct shm *shm, const struct seal_key *sk, const struct channel *in, struct str secret, const struct who *who, ms_t now,
	struct channel *out, struct err *e) MUST_USE;
/* Of the channel in->public_id in in->tenant_id: writes all that can be set; `secret` p NULL keeps the one there is. ERR_CONFLICT without a field where it
 * has changed since `in` was read. 1, 0, -1. */
int channel_update(struct db *db, struct arena *a, struct shm *shm, const struct seal_key *sk, const struct channel *in, struct str secret, const struct who *who, ms_t now,
	struct err *e) MUST_USE;
/* What waits for it is given up. 1, 0, -1. */
int channel_delete(struct db *db, struct arena *a, struct shm *shm, uint64_t tenant_id, struct str public_id, const struct who *who, ms_t now, struct err *e) MUST_USE;
/* Those of all tenants. */
struct channel_counts {
	uint64_t n, enabled, switched_off, failing;	/* switched_off: by the program; failing: enabled ones */
	struct str name, error;				/* of a failing one */
};
bool channel_count(struct db *db, struct arena *a, struct channel_counts *out, struct err *e) MUST_USE;
/* Channels and verified contacts that are told by the mail server and the SMS account of the configuration. */
struct house_uses {
	uint64_t mail, sms;
};
bool channel_house_uses(struct db *db, struct arena *a, struct house_uses *out, struct err *e) MUST_USE;
/* Steps of the transaction that notes results. */
bool channel_sent(struct db *db, uint64_t id, ms_t now, struct err *e) MUST_USE;
bool channel_failed(struct db *db, uint64_t id, struct str why, ms_t now, struct err *e) MUST_USE;
/* Its receiver said that it is gone. What waits for it is given up; an entry of the audit log. Nothing, if the channel has changed since it was read:
 * by updated_at. */
bool channel_disable(struct db *db, struct arena *a, const struct channel *c, struct str why, ms_t now, struct err *e) MUST_USE;

/* ---- endpoint.c: outbound webhooks of users, and what was sent to them ---- */

#define ENDPOINTS_MAX 100		/* of a user in a tenant */
#define ENDPOINT_URL_MAX 2048
#define ENDPOINT_SECRET_MAX 255		/* bytes */
#define ENDPOINT_EVENTS_MAX 1000	/* bytes: the words with commas between */
#define ENDPOINT_ATTEMPTS_MAX 80	/* three quick ones, then for some three days */
#define ENDPOINT_QUICK_ATTEMPTS 3	/* all that there are without `retries` */
#define ENDPOINT_FAILING_MS (5 * MS_PER_DAY)	/* after that long with nothing but failures it is switched off */
#define ENDPOINT_DISABLED "ENDPOINT_DISABLED"	/* type of the monitor alert about that; its subject is the endpoint */

struct endpoint {
	uint64_t id, tenant_id, user_id, failures;	/* failures: attempts that failed since failing_since */
	struct str public_id, url;
	struct str events;				/* words with commas between: endpoint_hears */
	struct str secret_sealed, old_secret_sealed;
	struct str disabled_reason, error;		/* p NULL: none */
	bool is_config, retries, enabled, has_secret;
	bool entitled;					/* endpoint_by_row alone: its user may still be told of that tenant's things */
	ms_t old_secret_until;				/* 0: there is no old one */
	ms_t sent_at, failed_at, failing_since, created_at, updated_at, deleted_at;
};
/* What one may be told of. A filter is such a word, one whose last part is *, or * alone. */
struct endpoint_event {
	const char *word;	/* "incident.opened"; ends with NULL */
	const char *title;	/* "An incident was opened" */
};
extern const struct endpoint_event endpoint_events[];
bool endpoint_filter_is(struct str word);			/* is that a filter? */
bool endpoint_hears(struct str events, struct str event);	/* does one of the filters fit it? */

/* Of that user in that tenant; deleted ones are not there. */
int endpoint_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, struct str public_id, struct endpoint *out, struct err *e) MUST_USE;
int endpoint_config(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, struct endpoint *out, struct err *e) MUST_USE;	/* the one of /api/webhooks */
int endpoint_by_row(struct db *db, struct arena *a, uint64_t id, struct endpoint *out, struct err *e) MUST_USE;	/* deleted ones too */
struct endpoint_counts {
	uint64_t n, enabled, switched_off, open;	/* switched_off: by the program; open: enabled ones whose breaker is open */
	struct str first;				/* one of these: its id, whose it is, and why */
};
bool endpoint_count(struct db *db, struct arena *a, struct endpoint_counts *out, struct err *e) MUST_USE;
/* The secrets that it signs with now; empty: none. The arena holds them afterwards: wipe them. */
struct endpoint_secrets {
	struct str secret, old;
};
bool endpoint_secrets(struct arena *a, const struct seal_key *sk, const struct endpoint *ep, ms_t now, struct endpoint_secrets *out, struct err *e) MUST_USE;

/* One step of the transaction of their causes, as channels_tell: a row of the outbox for each endpoint whose filters fit. What is of the monitor only
 * administrators are told. */
struct endpoint_news {
	uint64_t tenant_id;		/* 0, the whole installation: the default tenant's endpoints */
	uint64_t user_id;		/* only his; 0: everybody's */
	uint64_t cause_id;		/* messages of one cause go out in their order; 0: it has no order */
	const char *event;		/* of endpoint_events */
	struct str body;		/* the whole payload: endpoint_body, or a JSON object with the member event */
	struct str summary;		/* it in a line; cut at 200 characters */
	struct str traceparent;		/* of the cause; empty: none */
};
/* {"event","type","timestamp","sequence","data"}: of two about one thing, the larger sequence is the later one. */
struct str endpoint_body(struct arena *a, const char *event, uint64_t sequence, struct str data, ms_t at);
/* n deliveries at once, each of its own news to its own endpoint, whatever its filters are. */
struct endpoint_delivery {
	struct endpoint endpoint;	/* id, tenant_id, user_id, url, retries */
	struct endpoint_news news;
};
bool endpoint_deliver_all(struct db *db, struct arena *a, struct id_maker *ids, const struct endpoint_delivery *list, size_t n, ms_t now, struct err *e) MUST_USE;
bool endpoints_tell(struct db *db, struct arena *a, struct id_maker *ids, const struct endpoint_news *list, size_t n, ms_t now, size_t *told, struct err *e) MUST_USE;	/* told may be NULL */
/* The same for one endpoint, whatever its filters are, by one attempt: its test. */
bool endpoint_tell_one(struct db *db, struct arena *a, uint64_t id, const struct endpoint *ep, const struct endpoint_news *x, ms_t now, struct err *e) MUST_USE;

/* URL and filters are the caller's to check. `secret` may be empty. ERR_CONFLICT with a sentence: there are too many; without: one of /api/webhooks is
 * there by now. */
bool endpoint_add(struct db *db, struct arena *a, struct shm *shm, const struct seal_key *sk, const struct endpoint *in, struct str secret, const struct who *who, ms_t now,
	struct endpoint *out, struct err *e) MUST_USE;
/* Writes all that can be set of in->public_id; `secret` p NULL keeps the ones there are, else they end. What failed before says nothing of other settings.
 * ERR_CONFLICT without a field where it has changed since `in` was read. 1, 0, -1. */
int endpoint_update(struct db *db, struct arena *a, struct shm *shm, const struct seal_key *sk, const struct endpoint *in, struct str secret, const struct who *who, ms_t now,
	struct err *e) MUST_USE;
/* A new secret; messages are signed with the one before as well for grace_ms more. ERR_CONFLICT as above. */
int endpoint_rotate(struct db *db, struct arena *a, const struct seal_key *sk, const struct endpoint *in, struct str secret, ms_t grace_ms,
	const struct who *who, ms_t now, struct err *e) MUST_USE;
/* What waits for it has failed: "endpoint deleted". 1, 0, -1. */
int endpoint_delete(struct db *db, struct arena *a, struct shm *shm, const struct endpoint *ep, const struct who *who, ms_t now, struct err *e) MUST_USE;

/* Former secrets whose time is over: how many; with `remove` they go. */
bool endpoint_old_secrets(struct db *db, struct arena *a, ms_t now, bool remove, uint64_t *n, struct err *e) MUST_USE;

/* Steps of the transaction that notes results. */
bool endpoint_sent(struct db *db, uint64_t id, ms_t now, struct err *e) MUST_USE;
bool endpoint_failed(struct db *db, uint64_t id, struct str why, ms_t now, struct err *e) MUST_USE;
/* Its receiver is gone (failing_since 0), or has failed since then: it is switched off, what waits for it has failed; an entry of the audit log and a
 * monitor alert. Nothing, if it has changed since it was read: by updated_at. */
bool endpoint_disable(struct db *db, struct arena *a, struct id_maker *ids, const struct endpoint *ep, ms_t failing_since, struct str why, ms_t now,
	struct err *e) MUST_USE;

/* ---- sealed.c: every column of sealed secrets ---- */

struct sealed_row {
	struct str at;		/* which row */
	struct str owner, context, sealed;
};
struct sealed_walk {		/* begins with zeros */
	char at[64];
	bool over;		/* those were the last */
};
/* What column number `column` holds, "signature secret"; NULL behind the last. */
const char *sealed_what(size_t column);
/* The next rows, in the order of their keys; about `limit` of them, and perhaps none although the walk goes on. */
bool sealed_rows(struct db *db, struct arena *a, size_t column, struct sealed_walk *w, size_t limit, struct sealed_row **out, size_t *n,
	struct err *e) MUST_USE;
/* Puts the newly sealed value in the place of the old one, unless somebody has changed that meanwhile: *replaced is 0 then. */
bool sealed_replace(struct db *db, struct arena *a, size_t column, const struct sealed_row *row, struct str sealed, uint64_t *replaced,
	struct err *e) MUST_USE;

/* ---- server.c: what the database server says of itself ---- */

struct server_facts {
	struct str version, sql_mode, global_sql_mode, isolation, time_zone, charset;	/* of this session but for global_sql_mode */
	struct str schema_charset, datadir, account, cipher;	/* cipher empty: no TLS */
	uint64_t flush, sync_binlog, packet_max, connections_max, statements_max, buffer_pool;
	bool doublewrite, log_bin, read_only;
	ms_t now;
};
bool server_facts(struct db *db, struct arena *a, struct server_facts *out, struct err *e) MUST_USE;

struct server_table {
	struct str name, engine, collation;
};
/* Tables of the schema that are not InnoDB in utf8mb4. */
bool server_other_tables(struct db *db, struct arena *a, size_t limit, struct server_table **out, size_t *n, struct err *e) MUST_USE;
/* Rights of the account beyond reading and writing rows of this schema, "ALTER, DROP"; empty: none. */
bool server_excess_rights(struct db *db, struct arena *a, struct str *out, struct err *e) MUST_USE;

/* ---- incident.c: what people do to an incident ---- */

/* Locks the key, asks incident_command, writes incident, key and timeline in one transaction. 1 done, 0 no such incident of that tenant,
 * -1 failed (ERR_CONFLICT: its status does not allow it; or ACTOR_SYSTEM has resolved this test, or this silence, before). */
int incident_act(struct db *db, struct arena *a, uint32_t tenant_id, uint64_t incident, enum incident_command c, enum actor actor,
	const struct who *who, uint64_t timeline_id, struct str text, ms_t now, struct err *e) MUST_USE;

/* ---- merge.c ---- */

#define INCIDENT_PARTS_MAX 50	/* merged into one */
struct incident_merge {
	uint64_t incident, into;
	const struct who *who;		/* both are of its tenant */
	struct id_maker *ids;		/* of entries of timelines */
	ms_t now;
};
/* Resolves the one and joins its key to the other: merge.c and incident.h. 1 done, 0 no such incident of that tenant, -1 failed (ERR_INVALID with field "into"; ERR_CONFLICT
 * with a sentence: either is resolved, one of them is a test, or it has too many parts). */
int incident_merge(struct db *db, struct arena *a, const struct incident_merge *m, struct err *e) MUST_USE;

/* The user of that name or us_ id, if it can be an assignee: enabled, and of the tenant. 1, 0, -1. */
struct assignee {
	uint64_t id;
	struct str name;
};
int assignee_find(struct db *db, struct arena *a, uint32_t tenant_id, struct str word, struct assignee *out, struct err *e) MUST_USE;

/* What a person does beside commands; its status stays. */
struct incident_edit {
	unsigned kind;			/* TIMELINE_NOTE, TIMELINE_ASSIGNED or TIMELINE_SNOOZED: says which member counts */
	struct str note;
	struct assignee assignee;	/* id 0: nobody */
	ms_t snoozed_until;		/* 0: no longer; by the system only where its time is over */
};
/* One transaction with timeline and audit log; what is so already leaves no entry. 1 done, 0 no such incident of that tenant, -1 failed
 * (ERR_CONFLICT: a resolved one cannot be snoozed). */
int incident_edit(struct db *db, struct arena *a, uint32_t tenant_id, uint64_t incident, const struct incident_edit *edit, const struct who *who,
	uint64_t timeline_id, ms_t now, struct err *e) MUST_USE;

enum timeline_kind {
	TIMELINE_OPENED = 1, TIMELINE_RAISED = 2, TIMELINE_ACKNOWLEDGED = 3, TIMELINE_RESOLVED = 4, TIMELINE_REOPENED = 5,
	TIMELINE_NOTE = 6, TIMELINE_ASSIGNED = 7, TIMELINE_SNOOZED = 8,
	TIMELINE_HELD = 9,		/* nobody is told: a maintenance window or a silence */
	TIMELINE_RELEASED = 10,		/* that is over, and it is told as if it began now */
	TIMELINE_ESCALATED = 11,	/* a step of its policy */
	TIMELINE_MERGED = 12,		/* into another, or another into it */
	TIMELINE_KINDS
};
const char *timeline_word(unsigned kind);
/* The text of an entry: a note; of ASSIGNED the user's name; of SNOOZED the end, RFC 3339. The last two have none where it was taken back. Of HELD and
 * RELEASED the window's or silence's name; of ESCALATED whom that step told; of MERGED
 * "into ID: title", at the other incident "from ID: title". */

/* ---- news.c: entries of timelines of which nobody has been told yet; src/notify says who is to know ---- */

struct news {
	uint64_t id, incident_id;	/* id: of the entry */
	struct str traceparent;		/* of its cause; empty: none */
};
/* In the transaction of the entries. Once it is committed, ring the dispatcher's bell. */
bool news_add(struct db *db, struct arena *a, const struct news *rows, size_t n, struct err *e) MUST_USE;
/* Inside a transaction: the oldest, by their numbers alone, locked until its end; waits for whoever holds them. */
bool news_lock(struct db *db, struct arena *a, size_t limit, struct news **out, size_t *n, struct err *e) MUST_USE;
bool news_drop(struct db *db, struct arena *a, const struct news *rows, size_t n, struct err *e) MUST_USE;

/* ---- link.c: links that acknowledge or resolve without a sign-in ---- */

enum incident_link_to { LINK_TO_USER = 0, LINK_TO_CHANNEL = 1 };	/* stand in tokens: never renumber, as those of COMMAND_ */
struct incident_link {
	uint64_t incident;
	enum incident_command action;	/* COMMAND_ACKNOWLEDGE or COMMAND_RESOLVE */
	enum incident_link_to to;
	uint64_t recipient, contact;	/* users.id and contacts.id; or channels.id and 0: below 2^32 */
	uint64_t message;		/* outbox.id of the message that carries it: no two are alike */
	ms_t expires_at;		/* whole seconds */
};
#define INCIDENT_LINK_TOKEN 56	/* characters, [A-Za-z0-9_-] */
struct str incident_link_token(struct arena *a, const struct seal_key *k, const struct incident_link *l);
/* False: we never made it, or with a key that the file does not have any more. Its time may be over. */
bool incident_link_read(struct arena *a, const struct seal_key *k, struct str token, struct incident_link *out) MUST_USE;
struct str incident_link_hash(struct arena *a, const struct incident_link *l);	/* link_uses.said_hash */
/* One step of the transaction of its act. ERR_CONFLICT: it was used before. */
bool incident_link_use(struct db *db, struct arena *a, const struct incident_link *l, ms_t now, struct err *e) MUST_USE;
/* Uses of links whose time is over. */
bool incident_links_forget(struct db *db, ms_t now, size_t limit, uint64_t *n, struct err *e) MUST_USE;

/* ---- auto_resolve.c: what the system may resolve or wake by itself ---- */

struct overdue {
	uint64_t id, tenant_id, minutes;	/* minutes without an alert that its service allows */
	ms_t opened_at;
};
/* Unresolved test incidents with ids in (after, below), oldest first. */
bool overdue_tests(struct db *db, struct arena *a, uint64_t after, uint64_t below, size_t limit, struct overdue **out, size_t *n,
	struct err *e) MUST_USE;
/* Unresolved incidents that had no alert for as long as their service says. */
bool overdue_silent(struct db *db, struct arena *a, ms_t now, size_t limit, struct overdue **out, size_t *n, struct err *e) MUST_USE;
/* Incidents whose snooze is over, the longest first. */
bool overdue_awake(struct db *db, struct arena *a, ms_t now, size_t limit, struct overdue **out, size_t *n, struct err *e) MUST_USE;

/* ---- key_document.c: certificates and key sets of providers; src/keys fetches them ---- */

#define KEY_URL_MAX 1024		/* key_documents.url */
#define KEY_TEXT_MAX (64 * 1024)	/* Microsoft's key set is the largest seen, 16 KiB */
struct stored_key {
	struct str url, text;		/* text p NULL: not had yet */
	bool pinned;			/* an administrator put it there */
	bool absent;			/* at tried_at the host had none */
	ms_t fetched_at, fresh_until, tried_at;
};
int stored_key_get(struct db *db, struct arena *a, struct str url, struct stored_key *out, struct err *e) MUST_USE;
/* Before a fetch. `seen`: the row as it was read, or NULL where there was none. 1: the caller fetches; 0: somebody else does; -1 failed. */
int stored_key_claim(struct db *db, struct str url, const struct stored_key *seen, ms_t now, struct err *e) MUST_USE;
/* After it. A pinned document stays as it is. */
bool stored_key_put(struct db *db, struct str url, struct str text, ms_t fetched_at, ms_t fresh_until, struct err *e) MUST_USE;
bool stored_key_absent(struct db *db, struct str url, struct err *e) MUST_USE;
bool stored_key_list(struct db *db, struct arena *a, size_t limit, struct stored_key **out, size_t *n, struct err *e) MUST_USE;
bool stored_key_pin(struct db *db, struct arena *a, struct shm *shm, struct str url, struct str text, const struct who *who, ms_t now,
	struct err *e) MUST_USE;
/* 1 removed, pinned or not; 0 there is none; -1 failed. */
int stored_key_remove(struct db *db, struct arena *a, struct shm *shm, struct str url, const struct who *who, ms_t now, struct err *e) MUST_USE;

/* ---- job.c: leases and results of cron's jobs ---- */

#define JOB_CRON "cron"			/* the row of cron itself */
#define JOB_LEASE_MS (90 * MS_PER_SECOND)	/* a statement may take 30 s (read_timeout_ms), and twice that for what stands before and after */

struct job_state {
	struct str name;
	ms_t last_started_at, last_finished_at;	/* 0 = never; started later than finished = it runs, or was killed */
	bool last_ok, unfinished;
	uint64_t last_touched, lease_owner, position;
	struct str last_error, holder;	/* holder: host and process that took the lease last */
	ms_t lease_until;
};
bool job_states(struct db *db, struct arena *a, struct job_state **out, size_t *n, struct err *e) MUST_USE;
bool job_is_held(const struct job_state *s, ms_t now);	/* somebody runs it */
/* Takes the lease for JOB_LEASE_MS and notes the start, if the job is as it was seen and nobody holds it. A state of zeros but for
 * the name: it has no row yet. `owner` is not 0, `holder` is for people. 1 ours, 0 somebody else was faster, -1 failed. */
int job_claim(struct db *db, const struct job_state *seen, uint64_t owner, struct str holder, ms_t now, struct err *e) MUST_USE;
int job_renew(struct db *db, struct str name, uint64_t owner, ms_t now, struct err *e) MUST_USE;	/* 0: it is another's now */

struct job_end {
	struct str name, counts, error;		/* error p NULL: none */
	ms_t started_at;
	uint64_t duration_ms, touched, bytes, longest_ms, position;
	bool ok, unfinished;
};
/* Writes result and history and gives the lease back; the result only where the lease is still ours. */
bool job_finish(struct db *db, const struct job_end *end, uint64_t owner, struct err *e) MUST_USE;
/* Hosts that have not run it since then are gone. */
bool job_forget_hosts(struct db *db, struct arena *a, const char *job, ms_t before, struct err *e) MUST_USE;
bool job_beat(struct db *db, ms_t now, struct err *e) MUST_USE;	/* cron runs */

/* ---- task.c: long work that somebody asked for; src/task does it ---- */

#define TASK_LEASE_MS (90 * MS_PER_SECOND)	/* renewed by each step, which takes a fraction of a second; a statement may take 30 s */
#define TASK_LOST_MAX 20	/* runners that died in the same step: then it is given up */
#define TASK_ABOUT_MAX 2048

enum task_state { TASK_WAITING, TASK_RUNNING, TASK_CANCELLING, TASK_DONE, TASK_FAILED, TASK_CANCELLED };
const char *task_state_word(enum task_state s);
bool task_is_over(enum task_state s);

struct task {
	uint64_t id, tenant_id;
	struct str kind, params;
	uint64_t state;			/* enum task_state */
	uint64_t position, total, seen;	/* total 0: nobody has counted, or there is nothing */
	uint64_t lost, owner;
	ms_t next_at, created_at;
};
struct task_wish {
	uint64_t id, tenant_id, user_id;
	struct str kind, about, params;
	bool counted;
	uint64_t total;
};
/* One of that id that is there already stays: a form that was posted twice is one task. */
bool task_add(struct db *db, const struct task_wish *w, ms_t now, struct err *e) MUST_USE;
int task_get(struct db *db, struct arena *a, uint64_t id, struct task *out, struct err *e) MUST_USE;
/* The one that waits longest for somebody. 1, 0, -1. */
int task_due(struct db *db, struct arena *a, ms_t now, struct task *out, struct err *e) MUST_USE;
/* Takes it for TASK_LEASE_MS as it was seen. 1 ours, 0 somebody was faster, -1 failed. */
int task_claim(struct db *db, const struct task *seen, uint64_t owner, ms_t now, struct err *e) MUST_USE;

/* One transaction: `work`, and what it means for the task. *changed: how many rows it did something to. 1 done; 0 not, and nothing was
 * written: the task was cancelled or is somebody else's; -1 failed. */
struct task_step {
	uint64_t id, owner, position, seen;
	bool undoes;		/* takes back what a cancelled task did: position and seen do not move */
	bool (*work)(struct db *db, void *ctx, uint64_t *changed, struct err *e);
	void *ctx;
	ms_t now;
};
int task_step(struct db *db, const struct task_step *s, struct err *e) MUST_USE;
/* From a state; a task that is in another one, or another's, is left as it is. */
bool task_end(struct db *db, uint64_t id, uint64_t owner, enum task_state from, enum task_state to, struct str error, ms_t now,
	struct err *e) MUST_USE;
bool task_release(struct db *db, uint64_t id, uint64_t owner, ms_t now, struct err *e) MUST_USE;	/* due at `now` for whoever comes */
/* Tenant 0: of any. What holds it stops at its next step and takes back what can be taken back. 1; 0 there is none that goes on; -1. */
int task_cancel(struct db *db, uint64_t tenant_id, uint64_t id, ms_t now, struct err *e) MUST_USE;

/* ---- clock.c: what tells of a clock that is wrong ---- */

struct clock_facts {
	ms_t db_now;		/* by the database's clock */
	uint64_t newest;	/* number of the newest request, which holds its time */
	uint64_t trusted;	/* somebody has said that it may be of that time, up to this number */
	ms_t leapt_at;		/* cron found the clock more than a week later than anything before; 0: never */
};
bool clock_facts(struct db *db, struct arena *a, struct clock_facts *out, struct err *e) MUST_USE;
bool clock_trust(struct db *db, struct arena *a, uint64_t newest, ms_t now, struct err *e) MUST_USE;

/* ---- tally.c: what the monitor counts, summed as it happens. Test traffic is the caller's to leave out ---- */

struct tallies;
struct tallies *tallies_new(struct arena *a);
/* Of the events that `type` names in a source; `received_at` is theirs. Sums go up, or down where an event is removed. */
struct tally {
	uint64_t tenant_id, source_id;
	struct str type;
	ms_t at;
};
void tally_events(struct tallies *t, const struct tally *of, int64_t events);	/* .at: when they were received */
void tally_starts(struct tallies *t, const struct tally *of, int64_t starts);	/* the same: of the events of that minute */
void tally_duplicate(struct tallies *t, const struct tally *of);	/* .at: now. A repeat of an event that its sender named */
void tally_done(struct tallies *t, uint64_t tenant_id, ms_t now, uint64_t took_us);	/* processed or ignored, so long after its receipt */
/* One statement for all of them, in the rows of worker `slot`; a step of the caller's transaction, the last one. */
bool tallies_write(struct db *db, struct arena *a, const struct tallies *t, unsigned slot, struct err *e) MUST_USE;
/* An attempt failed. */
bool tally_failure(struct db *db, uint64_t tenant_id, uint64_t source_id, uint64_t event_id, ms_t at, struct err *e) MUST_USE;

#define TALLY_MINUTES_KEPT 180		/* then they are sums of hours */
#define TALLY_HOURS_KEPT (9 * 24)	/* then of days */
#define TALLY_DAYS_KEPT 33
/* Moves rows of minutes that are old enough into their hours, at most `limit`, and removes what is older than all that is kept. *moved is
 * below `limit` where nothing is left to do. */
bool tallies_fold(struct db *db, struct arena *a, ms_t now, size_t limit, size_t *moved, struct err *e) MUST_USE;

/* ---- monitor_cache.c: what was found out for the monitor, for half a minute ---- */

#define MONITOR_CACHE_MS (30 * MS_PER_SECOND)
struct monitor_cached {
	uint64_t drops;		/* how often the tenant's were dropped; put goes by what get said before the finding out began */
	ms_t made_at;
	struct str facts;	/* JSON */
};
/* Tenant 0: all. 1 what is kept still counts; 0 it does not, and only out->drops is filled; -1 failed. */
int monitor_cache_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t window_min, ms_t now, struct monitor_cached *out,
	struct err *e) MUST_USE;
bool monitor_cache_put(struct db *db, uint64_t tenant_id, uint64_t window_min, const struct monitor_cached *c, struct err *e) MUST_USE;
/* After a change: nothing that is kept of the tenant, or of all, counts any more. */
bool monitor_cache_drop(struct db *db, uint64_t tenant_id, struct err *e) MUST_USE;
bool monitor_cache_forget(struct db *db, ms_t now, struct err *e) MUST_USE;	/* rows that nobody has asked for in an hour */

/* ---- breaker.c: receivers that fail are left alone for a while. No row: nothing failed since the last success ---- */

enum breaker_kind { BREAKER_HANDLER = 1, BREAKER_ENDPOINT = 2 };	/* target: sources.id, endpoints.id */
#define BREAKER_OPENS_AT 5		/* failures in a row */
#define BREAKER_WAIT_MS MS_PER_MINUTE	/* before the first probe; doubles */
#define BREAKER_WAIT_MAX_MS MS_PER_HOUR

struct breaker {
	uint64_t kind, target_id, failures;
	ms_t opened_at;		/* 0: closed */
	ms_t probe_at;		/* of an open one */
	struct str error;	/* of the last failure */
};
int breaker_get(struct db *db, struct arena *a, enum breaker_kind kind, uint64_t target_id, struct breaker *out, struct err *e) MUST_USE;
/* Takes the probe of an open one, as it was seen: until then nobody else probes. 1 ours, 0 somebody was faster, -1 failed. */
int breaker_probe(struct db *db, const struct breaker *seen, ms_t until, struct err *e) MUST_USE;
/* What an attempt came to; `probe`: it was one. */
bool breaker_succeeded(struct db *db, enum breaker_kind kind, uint64_t target_id, struct err *e) MUST_USE;
bool breaker_failed(struct db *db, enum breaker_kind kind, uint64_t target_id, bool probe, struct str error, ms_t now, struct err *e) MUST_USE;
/* Open ones of the handlers of a tenant (0: of all), the longest open first. */
struct breaker_open {
	uint64_t target_id, tenant_id;
	struct str public_id, name, error;	/* of the source; of the last failure */
	ms_t opened_at;
};
bool breakers_open(struct db *db, struct arena *a, uint64_t tenant_id, size_t limit, struct breaker_open **out, size_t *n, struct err *e) MUST_USE;
/* The next probe of an open one is due at once. 1 done, 0 it is closed, -1. */
int breaker_probe_soon(struct db *db, enum breaker_kind kind, uint64_t target_id, ms_t now, struct err *e) MUST_USE;
/* Probes that a clock which was wrong put off for longer than any wait are due. */
bool breaker_mend(struct db *db, ms_t now, struct err *e) MUST_USE;

/* ---- forward.c: events that wait for the handler of their source, and what became of each attempt.
 *
 * A row of `forwards` is written in the transaction that stores its event, and goes when the event is processed or dead. Senders (cron, the dispatcher,
 * a web worker for an inline event) never lock: a claim is one UPDATE that sets owner and due time together, so of two at once one finds nothing
 * left, on a Galera cluster too, where the later commit fails and runs again. A row that is held is due at the end of its lease, so
 * what a killed sender held is taken up by the next claim. ---- */

#define FORWARD_ANSWER_MAX 4096		/* bytes of an answer that are kept */
#define FORWARD_LEASE_MAX_MS (10 * MS_PER_MINUTE)	/* no claim is held longer */
#define FORWARD_WAIT_MAX_MS MS_PER_DAY	/* nor does anything wait longer for its next attempt */
#define FORWARD_LOST_MAX 20		/* starts without a result after which an event is given up: what ends its sender each time must end itself */

/* In the transaction of ingest, after all of its own locks: events with work for their handler, due at next_at. One that is there already
 * becomes due as well, unless somebody holds it. */
struct forward_row {
	uint64_t event_id, source_id;
	ms_t next_at;
	uint64_t tries;
};
bool forward_add(struct db *db, struct arena *a, const struct forward_row *rows, size_t n, struct err *e) MUST_USE;
/* Failed and dead ones wait again: the next attempt of an event that its sender repeats. */
bool forward_reopen(struct db *db, struct arena *a, const struct forward_row *rows, size_t n, ms_t now, struct err *e) MUST_USE;

/* Handlers with something due whose breaker lets it pass, the one that waits longest first. */
struct forward_source {
	uint64_t source_id;
	ms_t next_at;
	uint64_t failures;		/* of the breaker: from BREAKER_OPENS_AT on the next one is a probe */
	ms_t opened_at, probe_at;
};
bool forward_sources_due(struct db *db, struct arena *a, ms_t now, size_t limit, struct forward_source **out, size_t *n, struct err *e) MUST_USE;

/* Where and how a source forwards. */
struct forward_target {
	uint64_t source_id, tenant_id, actions, max_retries, backoff_s;
	struct str public_id, name, url;	/* url empty: it has no handler any more */
	struct str secret;		/* plain, in the arena: wipe it. Empty: none, or it does not open (secret_lost) */
	bool secret_lost, deleted;
	bool has_sinks;			/* channels or endpoints of its tenant are told of each event that is processed */
};
int forward_target(struct db *db, struct arena *a, const struct seal_key *sk, uint64_t source_id, ms_t now, struct forward_target *out,
	struct err *e) MUST_USE;

struct forward_claim {
	uint64_t event_id, source_id, tenant_id, tries, lost;
	bool again;			/* it was processed before, and is replayed */
	uint64_t number;		/* of this attempt */
	struct str type;
	bool is_test;
	ms_t received_at;
};
/* Takes what is due of one source, the longest waiting first, until that moment: the events become `processing`, and their attempts are
 * counted and noted. Claims and results keep the tallies, in the rows of worker `slot`. */
struct forward_claimer {
	uint64_t owner;			/* a random number for each claim, not 0 */
	unsigned slot;
	ms_t now, until;
};
bool forward_claim(struct db *db, struct arena *a, uint64_t source_id, const struct forward_claimer *by, size_t limit,
	struct forward_claim **out, size_t *n, struct err *e) MUST_USE;
/* The same of those in the JSON array of event ids, whether due or not, as far as nobody holds them. */
bool forward_claim_these(struct db *db, struct arena *a, uint64_t source_id, struct str event_ids, const struct forward_claimer *by,
	struct forward_claim **out, size_t *n, struct err *e) MUST_USE;

enum forward_outcome {
	FORWARD_DONE,		/* processed */
	FORWARD_AGAIN,		/* failed: once more at next_at */
	FORWARD_DEAD,		/* failed for good */
	FORWARD_NOT_NEEDED,	/* its source forwards no more: processed; not an attempt */
	FORWARD_NOT_SENT,	/* given back; not an attempt. Failed where an error says why */
};
struct forward_end {
	struct forward_claim claim;
	enum forward_outcome outcome;
	uint64_t status;		/* of the answer; 0 = none */
	uint64_t duration_us;
	struct str error, answer;	/* error: a sentence, p NULL = none */
	ms_t started_at, next_at;
	struct str traceparent;		/* as the handler got it; for what follows from its failure */
};
/* Stores results of a claim. What somebody else took over meanwhile stays his, but for a success: that is one, whoever had it. */
bool forward_finish(struct db *db, struct arena *a, const struct forward_end *ends, size_t n, const struct forward_claimer *by, ms_t now,
	struct err *e) MUST_USE;

/* How many are due. */
bool forward_due_count(struct db *db, struct arena *a, ms_t now, uint64_t *n, struct err *e) MUST_USE;
/* What a clock that was wrong put too far away is due now; *n says how many. */
bool forward_mend(struct db *db, struct arena *a, ms_t now, uint64_t *n, struct err *e) MUST_USE;

/* In the transaction of a task: events of these ids (a JSON array) whose status is one of `statuses` go to their handler as if they were new,
 * those too that it has taken before. Passed over are those that are being sent, and those of sources without a handler that wait for
 * nothing. What was processed before leaves no trace in the tallies. */
bool forward_replay(struct db *db, uint64_t task_id, struct str ids, uint64_t statuses, ms_t now, uint64_t *n, struct err *e) MUST_USE;
/* The same backwards, for at most `limit` that nobody holds: what was processed or dead before is that again; the others go on waiting. */
bool forward_withdraw(struct db *db, uint64_t task_id, size_t limit, ms_t now, uint64_t *n, struct err *e) MUST_USE;
/* Events that wait (0 pending, 1 processing) without being in the queue, received before a moment: their source had other actions then, or a
 * program of another version stored them. At most `limit` of a tenant are put into the queue; whoever takes them sees what is left to do. */
bool forward_take_up(struct db *db, struct arena *a, uint64_t tenant_id, ms_t before, size_t limit, ms_t now, uint64_t *n, struct err *e) MUST_USE;

/* Monitor alerts DEAD_EVENTS that run, one for each source. */
struct dead_alert {
	uint64_t tenant_id, source_id;
	struct str subject;
};
bool forward_dead_alerts(struct db *db, struct arena *a, struct dead_alert **out, size_t *n, struct err *e) MUST_USE;
/* 1: that source has dead events, or so many others have that nobody can say; 0; -1. */
int forward_any_dead(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t source_id, struct err *e) MUST_USE;

/* By hand: makes events of the tenant (0: of any) wait for their handler again, now and with all attempts, where anything is left to do: those
 * that are pending, failed or dead. `ids` is a JSON array; *n says how many. */
bool forward_retry(struct db *db, uint64_t tenant_id, struct str ids, ms_t now, uint64_t *n, struct err *e) MUST_USE;

/* What a killed sender held is anybody's at once, not only when somebody looks at it next; one that has no row here gets one. Of the events in the
 * JSON array those that are `processing` and held by nobody alive; *n says how many. */
bool forward_release(struct db *db, uint64_t tenant_id, struct str ids, ms_t now, uint64_t *n, struct err *e) MUST_USE;
/* The event that waits longest for the handler of a source and is held by nobody. 1, 0 none, -1. */
int forward_first(struct db *db, struct arena *a, uint64_t source_id, ms_t now, uint64_t *event_id, struct err *e) MUST_USE;

/* ---- event.c: what people do to events, but for trying them again ---- */

struct event_brief {
	uint64_t id, tenant_id, source_row, request_id, incident_id, status, attempts, owner;	/* owner: who sends it or has died; 0 nobody */
	struct str event_id, type, error, source_id, provider;
	ms_t received_at, updated_at, next_at;	/* next_at: of its forward; 0: it waits for none */
	bool is_test;
};
bool event_is_held(const struct event_brief *ev, ms_t now);	/* it is being sent */
/* The event whose number this is; else those that their provider calls so, newest first, of a derived id that came again later the newest.
 * Tenant 0: of any, here and below. */
bool event_by_any_id(struct db *db, struct arena *a, uint64_t tenant_id, struct str id, size_t limit, struct event_brief **out, size_t *n,
	struct err *e) MUST_USE;
bool event_these(struct db *db, struct arena *a, uint64_t tenant_id, struct str ids, struct event_brief **out, size_t *n, struct err *e) MUST_USE;	/* a JSON array */
/* Of one tenant, the oldest first, with numbers above `after`. */
bool event_of_status(struct db *db, struct arena *a, uint64_t tenant_id, enum event_status status, uint64_t after, size_t limit,
	struct event_brief **out, size_t *n, struct err *e) MUST_USE;
/* Those of the JSON array that are not processed and not held are: whoever asked knows that nothing is left to do. *n says how many. */
bool event_settle(struct db *db, uint64_t tenant_id, struct str ids, ms_t now, uint64_t *n, struct err *e) MUST_USE;
/* With its attempts, alerts and id, so that its sender may send it anew; its request stays in the log. Written to the audit log. ERR_CONFLICT: it
 * is being sent, or gone. */
bool event_remove(struct db *db, struct arena *a, const struct event_brief *ev, const struct who *who, unsigned slot, ms_t now, struct err *e) MUST_USE;

/* ---- duplicate.c: what tells duplicates, of one tenant without tests ---- */

struct duplicate_trace {
	uint64_t id, request_id, body_bytes, repeats;
	struct str event_id, source_id, provider;
	struct str hash;		/* of the body: SHA-256 */
};
/* The newest events since then, the oldest of them first: all but repeats and hash. */
bool duplicate_recent(struct db *db, struct arena *a, uint64_t tenant_id, ms_t since, size_t limit, struct duplicate_trace **out, size_t *n,
	struct err *e) MUST_USE;
/* Events that most of the newest `look` repeats since then were of. */
bool duplicate_repeated(struct db *db, struct arena *a, uint64_t tenant_id, ms_t since, size_t look, size_t limit, struct duplicate_trace **out, size_t *n,
	struct err *e) MUST_USE;
/* request_id and hash of the requests in the JSON array. */
bool duplicate_bodies(struct db *db, struct arena *a, struct str request_ids, struct duplicate_trace **out, size_t *n, struct err *e) MUST_USE;

/* ---- monitor_alert.c: trouble of the installation itself, with its beginning and end; never called just "alert" ---- */

struct monitor_alert {
	uint64_t id, tenant_id;		/* tenant 0: the whole installation */
	struct str type;		/* at most 32 bytes: "DEAD_EVENTS" */
	struct str subject;		/* at most 64: what it is about where a type may run several times, else empty */
	uint64_t severity;		/* of enum monitor_severity */
	struct str message, advice;	/* a sentence each; cut at 512 */
	double value, threshold;	/* what was measured, and its limit */
	ms_t started_at, ended_at;
	struct str traceparent;		/* of what made it begin, for the messages about it: stored with them alone; empty: none */
	ms_t lasts_until;		/* ends by itself then, unless it is raised again before; 0: whoever raised it ends it */
};
/* Begins it under *in's id, made by the caller; one of its tenant, type and subject that runs already goes on, with the new texts and
 * numbers and the higher severity. 1 it began now; 0 it ran before; -1 failed. The channels that want to know are told when it begins, and
 * once more when it is more severe than before. Both calls are a step of the transaction that is open, else they open one of their own; `ids` numbers what is told. */
int monitor_alert_raise(struct db *db, struct arena *a, struct id_maker *ids, const struct monitor_alert *in, ms_t now, struct err *e) MUST_USE;
/* 1 it ended now, and channels are told; 0 none of these ran; -1 failed. */
int monitor_alert_end(struct db *db, struct arena *a, struct id_maker *ids, uint64_t tenant_id, struct str type, struct str subject, ms_t now,
	struct err *e) MUST_USE;
/* Those that run, the longest first: of a tenant without those of the installation; or all whose time is over, of whatever tenant. */
bool monitor_alerts_running(struct db *db, struct arena *a, uint64_t tenant_id, struct monitor_alert **out, size_t *n, struct err *e) MUST_USE;
/* Sources of the tenant that refused at least so many requests since then because their proof failed. */
struct proof_flood {
	struct str public_id, name;
	uint64_t refused;
};
bool proof_floods(struct db *db, struct arena *a, uint64_t tenant_id, ms_t since, uint64_t at_least, struct proof_flood **out, size_t *n,
	struct err *e) MUST_USE;
bool monitor_alerts_over(struct db *db, struct arena *a, ms_t now, size_t limit, struct monitor_alert **out, size_t *n, struct err *e) MUST_USE;

/* ---- alert_rule.c: thresholds that users set for themselves ---- */

#define ALERT_RULES_MAX 100	/* of a user: a person reads them, and each is judged every minute */

struct alert_rule {
	uint64_t id, tenant_id, user_id;
	uint64_t metric, comparison;		/* enum rule_metric, enum rule_comparison */
	struct str public_id, name;
	struct str provider;			/* slug; empty: all */
	uint64_t source_row, service_row;	/* sources.id, services.id; 0: all */
	struct str source, source_name, service, service_name;	/* of these, public ids and names; read only */
	struct str user_name, user;		/* whose: name and public id; read only, as all that follows but `enabled` */
	double threshold;
	uint64_t window_min;
	bool enabled, user_enabled;
	bool triggered;				/* it held when it was judged last */
	uint64_t episode;			/* the newest time that it did; 0: it never did */
	ms_t triggered_at, since;		/* its begin; when `triggered` changed last */
	double value;				/* what was measured last, at evaluated_at; has_value: there is one */
	bool has_value;
	ms_t evaluated_at, created_at, updated_at;
};
struct rule_condition alert_rule_condition(const struct alert_rule *r);
void alert_rule_filter_json(struct json_out *o, const struct alert_rule *r);	/* {"provider","source","service"}, as far as there are */

int alert_rule_get(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, struct str public_id, struct alert_rule *out,
	struct err *e) MUST_USE;
/* Below that row (0: from the newest), newest first. */
bool alert_rule_list(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, uint64_t below, uint64_t limit, struct alert_rule **out,
	size_t *n, struct err *e) MUST_USE;
bool alert_rules_of_user(struct db *db, struct arena *a, uint64_t tenant_id, uint64_t user_id, struct alert_rule **out, size_t *n,
	struct err *e) MUST_USE;	/* enabled ones, oldest first */
bool alert_rules_of_tenant(struct db *db, struct arena *a, uint64_t tenant_id, struct alert_rule **out, size_t *n, struct err *e) MUST_USE;	/* all, oldest first */
/* Of a tenant, those that are to be judged, or are off and triggered; the ones that were not judged for longest first. */
bool alert_rules_due(struct db *db, struct arena *a, uint64_t tenant_id, size_t limit, struct alert_rule **out, size_t *n, struct err *e) MUST_USE;
int alert_rule_tenant_next(struct db *db, struct arena *a, uint64_t after, uint64_t *tenant_id, struct err *e) MUST_USE;	/* that has any */

/* Keeps in->public_id where there is one. Metric, comparison, filter and window are the caller's to check. ERR_CONFLICT with a sentence: there are
 * too many. */
bool alert_rule_add(struct db *db, struct arena *a, const struct alert_rule *in, const struct who *who, ms_t now, struct alert_rule *out,
	struct err *e) MUST_USE;
/* 1, 0 that user has none of that id, -1. ERR_CONFLICT without field: it has changed since `in` was read. One that is triggered and is switched
 * off or deleted is over, and channels are told. */
int alert_rule_update(struct db *db, struct arena *a, struct id_maker *ids, const struct alert_rule *in, const struct who *who, ms_t now,
	struct err *e) MUST_USE;
int alert_rule_delete(struct db *db, struct arena *a, struct id_maker *ids, uint64_t tenant_id, uint64_t user_id, struct str public_id,
	const struct who *who, ms_t now, struct err *e) MUST_USE;

/* Values that were measured and changed nothing; of rules that were changed meanwhile they are dropped. */
bool alert_rules_note(struct db *db, struct arena *a, const struct alert_rule *rules, size_t n, ms_t now, struct err *e) MUST_USE;
struct rule_verdict {
	bool triggered;			/* otherwise than the rule that was read */
	bool measured;
	double value;
	struct str why;			/* a sentence: it is over for another reason than its value */
};
/* As `seen` it was read. 1 it changed, and channels are told; 0 it is another one by now, or somebody else was faster; -1. */
int alert_rule_change(struct db *db, struct arena *a, struct id_maker *ids, const struct alert_rule *seen, const struct rule_verdict *v, ms_t now,
	struct err *e) MUST_USE;
/* What triggered, all of one user, with `value` as it was measured: to his endpoints that hear of it. */
bool alert_rules_deliver(struct db *db, struct arena *a, struct id_maker *ids, const struct alert_rule *rules, size_t n, ms_t now, struct err *e) MUST_USE;

/* ---- table_size.c: how large the tables were ---- */

bool table_sizes_note(struct db *db, ms_t now, struct err *e) MUST_USE;
bool table_sizes_forget(struct db *db, ms_t before, size_t limit, uint64_t *n, struct err *e) MUST_USE;

/* ---- retention.c: what is old enough to go; see there how it is done ---- */

struct old_table;	/* a table, and what in other tables goes with its rows */
extern const struct old_table old_events, old_alerts, old_requests, old_bodies, old_incidents, old_stats, old_runs, old_outbox, old_tokens,
	old_audit, old_monitor_alerts, old_tasks, old_hushes, old_endpoints;
const char *old_what(const struct old_table *t);	/* "events" */

/* What sources say of how long they keep their events; 0: nothing. */
struct source_days {
	uint64_t source_id, own, of_tenant;	/* days */
};
/* Those that say something; or all of a tenant. By id. */
bool source_days(struct db *db, struct arena *a, uint64_t tenant_id, struct source_days **out, size_t *n, struct err *e) MUST_USE;

struct source_limit {
	uint64_t source_id;
	ms_t before;
};
struct old_limits {
	ms_t before;			/* what is from before that moment may go */
	const struct source_limit *sources;	/* but of these, by id, what is from before their own; no later one counts */
	size_t sources_n;
};

struct old_row {
	uint64_t id, source, owner, incident, bytes;
	struct str hash;
	bool kept;
};
struct old_chunk {
	size_t look;		/* rows to look at */
	size_t limit;		/* at most so many to go */
	uint64_t source;	/* only the rows of that source; 0: of all. For old_events and old_requests */
	uint64_t from;		/* the walk begins after this key; all of them for 0 */
	uint64_t group, after;	/* where the walk is, or 0, 0 */
	size_t seen, n;		/* returned: rows looked at, rows of these that may go */
	uint64_t bytes;		/* what these hold, more or less */
	struct old_row *rows;	/* those, in the arena */
	bool end;		/* returned: nothing is left to look at */
};
/* The next rows that are old enough, read without locks; moves the walk on. */
bool old_find(struct db *db, struct arena *a, const struct old_table *t, const struct old_limits *l, struct old_chunk *c, struct err *e) MUST_USE;
/* Removes them in one transaction. */
bool old_remove(struct db *db, struct arena *a, const struct old_table *t, const struct old_chunk *c, struct err *e) MUST_USE;

/* ---- archived.c: rows that leave for an archive and come back; src/job writes and reads the files ---- */

struct archived_table;
extern const struct archived_table archived_events, archived_requests, archived_alerts, archived_incidents, archived_timeline, archived_audit;
extern const struct archived_table *const archived_tables[];		/* ends with NULL */
const char *archived_name(const struct archived_table *t);
const struct archived_table *archived_find(struct str name);
/* What a row is made of, for JSON; the first `columns` of them are all columns of the table. */
const struct field *archived_fields(const struct archived_table *t, size_t *columns);
/* The rows that these stand for (of archived_timeline: of these incidents), as they go into a file. */
bool archived_read(struct db *db, struct arena *a, const struct archived_table *t, const struct old_row *of, size_t of_n, void *rows_r, size_t *n,
	struct err *e) MUST_USE;
const void *archived_at(const struct archived_table *t, const void *rows, size_t i);
/* Back: room for n rows; what a row was packed into for the file is undone; they are added, but for those that are there, as a step of a
 * transaction. */
void *archived_new(struct arena *a, const struct archived_table *t, size_t n);
bool archived_unpack(struct arena *a, const struct archived_table *t, void *row, struct err *e) MUST_USE;
bool archived_write(struct db *db, struct arena *a, const struct archived_table *t, const void *rows, size_t n, uint64_t *added,
	struct err *e) MUST_USE;
/* Tells one installation from another: no two were made in the same millisecond. */
bool installation_number(struct db *db, struct arena *a, uint64_t *out, struct err *e) MUST_USE;

bool expired_sessions(struct db *db, struct arena *a, ms_t now, uint64_t *n, struct err *e) MUST_USE;	/* how many */
bool expired_sessions_remove(struct db *db, ms_t now, size_t limit, uint64_t *n, struct err *e) MUST_USE;
/* Secrets and keys whose time of grace after a rotation is over; with `remove` they go, and workers are told. */
bool expired_secrets(struct db *db, struct arena *a, struct shm *shm, ms_t now, bool remove, size_t limit, uint64_t *n,
	struct err *e) MUST_USE;

/* ---- batch.c: the writes of ingest; each call is one statement for all rows. Call them inside one transaction, in this order: it is the
 * order of locks (event ids sorted, keys sorted, then inserts, counters last). ---- */

struct id_claim {
	uint64_t source_id;
	const unsigned char *id_hash;	/* KEY_HASH_BYTES */
	uint64_t event_id;		/* the number it would get */
	bool native;			/* else it may be claimed anew once first_at is derived_ms old */
	ms_t received_at;
	/* returned */
	uint64_t kept;			/* event_id = it is new; another number = a repeat of that event */
	uint64_t repeats;
};
bool batch_claim_ids(struct db *db, struct arena *a, struct id_claim *claims, size_t n, ms_t derived_ms, struct err *e) MUST_USE;

struct repeated {			/* what is stored of a repeated event */
	uint64_t id, status, incident_id, incident_status;
};
/* `ids` is a JSON array of numbers; rows come in no order. */
bool batch_repeated(struct db *db, struct arena *a, struct str ids, struct repeated **out, size_t *n, struct err *e) MUST_USE;

struct key_lock {
	uint64_t service_id;
	const unsigned char *key_hash;
	/* The newest trigger, where nothing but triggers comes for this key, else 0. It is applied while the key is locked, as
	 * incident_decide would: then an alert that merely joins needs no second write of its key. */
	ms_t triggered_at;
	struct key_state state;		/* returned; then moved on by decisions */
	uint64_t merged_into;		/* returned: its incident, which is resolved, goes on in that one; 0: it was not merged */
	struct key_lock *target;	/* the key of that one, locked as well; the caller's */
	bool changed;			/* to be written back */
};
bool batch_lock_keys(struct db *db, struct arena *a, struct key_lock *keys, size_t n, struct err *e) MUST_USE;
/* The keys of incidents that others were merged into; `ids` is a JSON array of numbers. They come in no order, and not at all where an incident is gone. */
struct merge_target {
	uint64_t incident, service_id;
	unsigned char key_hash[KEY_HASH_BYTES];
};
bool batch_merge_targets(struct db *db, struct arena *a, struct str ids, struct merge_target **out, size_t *n, struct err *e) MUST_USE;
bool batch_write_keys(struct db *db, struct arena *a, const struct key_lock *keys, size_t n, struct err *e) MUST_USE;

struct request_row {
	uint64_t id, tenant_id, source_id, status, body_bytes, duration_us, event_count, event_id;
	const char *reason;		/* NULL = accepted */
	struct str method, uri, remote_addr, trace, traceparent, headers, body, stages;
	struct str proof;		/* STR_NONE: it did not come to that */
	bool is_duplicate, is_test;
};
bool batch_insert_requests(struct db *db, struct arena *a, const struct request_row *rows, size_t n, struct err *e) MUST_USE;
/* Those that were refused or repeated once more, for their lists; no statement where there are none. */
enum request_mark { MARK_REFUSED = 1, MARK_REPEATED = 2 };
bool batch_insert_marks(struct db *db, struct arena *a, const struct request_row *rows, size_t n, struct err *e) MUST_USE;

struct event_row {
	uint64_t id, tenant_id, source_id, request_id, element, incident_id, done, attempts;
	const struct event *ev;
	enum event_status status;
	bool is_test;
	ms_t received_at, processed_at;
};
bool batch_insert_events(struct db *db, struct arena *a, const struct event_row *rows, size_t n, struct err *e) MUST_USE;

struct incident_row {
	uint64_t id, tenant_id, service_id, source_id, alerts;	/* alerts: how many join in this batch */
	bool is_new, is_test, is_quiet;	/* quiet: nobody is told of it, now or later */
	struct str dedup_key, title;
	const unsigned char *key_hash;
	enum incident_status status;
	enum level level;
	enum actor resolved_by;
	ms_t opened_at, acknowledged_at, resolved_at, last_alert_at;
};
/* Changes of known incidents first, so that a key's old incident is closed before its new one opens. */
bool batch_write_incidents(struct db *db, struct arena *a, const struct incident_row *rows, size_t n, ms_t now, struct err *e) MUST_USE;

struct alert_row {
	uint64_t id, tenant_id, event_id, incident_id;
	enum level level;
	ms_t created_at;
};
bool batch_insert_alerts(struct db *db, struct arena *a, const struct alert_row *rows, size_t n, struct err *e) MUST_USE;

struct timeline_row {
	uint64_t incident_id, id, user_id, event_id;
	unsigned kind;			/* enum timeline_kind */
	enum actor actor;
	enum level level;
	struct str text;
	ms_t at;
};
bool batch_insert_timeline(struct db *db, struct arena *a, const struct timeline_row *rows, size_t n, struct err *e) MUST_USE;

struct stats_row {
	uint64_t source_id, received, errors, repeated, events, repeats, alerts, latency_us, tests;
	ms_t heard_at;			/* newest one that was accepted and no test; 0: none was */
};
/* Adds to the totals and to the hour of `now`, in the rows of worker `slot`. */
bool batch_add_stats(struct db *db, struct arena *a, const struct stats_row *rows, size_t n, unsigned slot, ms_t now, struct err *e) MUST_USE;

/* It was answered after its batch, otherwise than it was stored: with an error. */
bool request_answered(struct db *db, struct arena *a, uint64_t id, uint64_t source_id, unsigned status, unsigned slot, ms_t now,
	struct err *e) MUST_USE;
/* Is that request stored? Waits for a transaction that is just ending. 1, 0, -1. After a COMMIT whose answer was lost. */
int batch_request_exists(struct db *db, struct arena *a, uint64_t id, struct err *e) MUST_USE;
/* The same of many: `ids` is a JSON array of numbers, and those that are stored come in no order. */
struct stored_request {
	uint64_t id;
};
bool batch_requests_stored(struct db *db, struct arena *a, struct str ids, struct stored_request **out, size_t *n, struct err *e) MUST_USE;

/* Hash of a dedup key or event id as the tables hold it: the first 16 bytes of its SHA-256. */
void key_hash(struct str text, unsigned char out[KEY_HASH_BYTES]);

/* ---- hush.c: maintenance windows and silences ---- */

#define HUSHES_MAX 200			/* of a tenant and kind that are not over: each new incident is held against all of them */
int hush_get(struct db *db, struct arena *a, uint64_t tenant_id, enum hush_kind kind, struct str public_id, struct hush *out, struct err *e) MUST_USE;
/* Newest first. */
struct hush_range {
	uint64_t tenant_id, kind;
	uint64_t below;			/* id of the one before; 0: from the newest */
	ms_t over_after, over_until;	/* it is over after the first and not after the second: 0 and INT64_MAX for all */
};
bool hush_list(struct db *db, struct arena *a, const struct hush_range *r, size_t limit, struct hush **out, size_t *n, struct err *e) MUST_USE;
/* Of both kinds, all that are not over. */
bool hush_living(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now, struct hush **out, size_t *n, struct err *e) MUST_USE;
/* The maintenance windows that run: what is in maintenance. hush_runs says until when. */
bool hush_running(struct db *db, struct arena *a, uint64_t tenant_id, ms_t now, struct hush **out, size_t *n, struct err *e) MUST_USE;
/* Keeps in->public_id where there is one. Times and scope are the caller's to check. ERR_CONFLICT with a sentence: there are too many. */
bool hush_add(struct db *db, struct arena *a, const struct hush *in, const struct who *who, ms_t now, struct hush *out, struct err *e) MUST_USE;
/* Of the one with kind and public_id of `in` in its tenant; what it holds is looked at again. ERR_CONFLICT without a field where it has changed since `in`
 * was read. 1, 0, -1. */
int hush_update(struct db *db, struct arena *a, const struct hush *in, const struct who *who, ms_t now, struct err *e) MUST_USE;
/* Ends the span that runs, of what recurs this one alone. ERR_CONFLICT with a sentence: none does. 1, 0, -1. */
int hush_end(struct db *db, struct arena *a, uint64_t tenant_id, enum hush_kind kind, struct str public_id, const struct who *who, ms_t now,
	struct err *e) MUST_USE;
int hush_delete(struct db *db, struct arena *a, uint64_t tenant_id, enum hush_kind kind, struct str public_id, const struct who *who, ms_t now,
	struct err *e) MUST_USE;
/* In the transaction that holds something back by it. 0: it has changed since it was read. 1, 0, -1. */
int hush_holds(struct db *db, const struct hush *h, ms_t now, struct err *e) MUST_USE;

/* ---- held.c: incidents that are held back by one of these ---- */

struct held {
	uint64_t incident_id, hush_id;
	struct str name;		/* of the hush */
	bool was_told;			/* of the incident, before: only that it became more severe is held back */
	ms_t since, until;		/* looked at again then */
};
/* The hushes of a tenant as they were read last, for who asks about many incidents in one transaction; { 0 } at its beginning. */
struct hush_memory {
	uint64_t tenant_id;
	struct hush *list;
	size_t n;
	bool known;
};
/* What holds such an incident at `now`, and did at `from` already; steps of the caller's transaction, which holds by it. 1, 0, -1. */
int hush_find(struct db *db, struct arena *a, struct hush_memory *m, uint64_t tenant_id, const struct hush_subject *x, ms_t from, ms_t now, struct hush *out, ms_t *until,
	struct err *e) MUST_USE;
/* Is nobody to be told of it now, whether it was told before or not? 1, 0, -1. */
int incident_held(struct db *db, struct arena *a, uint64_t incident, ms_t now, struct err *e) MUST_USE;
/* Steps of a transaction. */
int held_lock(struct db *db, struct arena *a, uint64_t incident, struct held *out, struct err *e) MUST_USE;
bool held_put(struct db *db, const struct held *h, struct err *e) MUST_USE;	/* of a row that is there: hush and until */
bool held_drop(struct db *db, uint64_t incident, struct err *e) MUST_USE;
/* An entry TIMELINE_HELD, which is no news, or TIMELINE_RELEASED, which is. */
bool held_entry(struct db *db, struct arena *a, const struct timeline_row *row, struct str traceparent, struct err *e) MUST_USE;
/* Unresolved ones that are to be looked at again, by incident_id alone. */
bool held_due(struct db *db, struct arena *a, ms_t now, size_t limit, struct held **out, size_t *n, struct err *e) MUST_USE;
/* Looks at one again: what holds it longer takes it over, else it is told as released; one that is snoozed stays held. 1 done, 0 somebody else did, -1. */
int held_release(struct db *db, struct arena *a, struct id_maker *ids, uint64_t incident, ms_t now, struct err *e) MUST_USE;

#endif
