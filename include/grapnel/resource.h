/* resource.h - what people and programs ask for and change: a file per resource, with its forms and its acts.
 *
 * API and pages are two dresses of the same thing. Both read a form by the tables here (JSON there, a posted form here), call
 * the same act, and show the result through the same view. So a rule about input stands once, and a page can do nothing
 * that a program cannot. Rights were checked before, by the route.
 *
 * An act returns false with a code: ERR_NOT_FOUND (or not for this tenant), ERR_INVALID (with the field), ERR_CONFLICT.
 * Texts that are meant for the caller are whole sentences with a field or made by err_tell. */
#ifndef GRAPNEL_RESOURCE_H
#define GRAPNEL_RESOURCE_H

#include "grapnel/account.h"
#include "grapnel/base.h"
#include "grapnel/conf.h"
#include "grapnel/form.h"
#include "grapnel/provider.h"
#include "grapnel/store.h"
#include "grapnel/view.h"

struct ingest;

/* Who asks, for whom, and what there is to do it with. */
struct caller {
	struct db *db;
	struct shm *shm;
	const struct seal_key *seal;
	const struct conf *conf;
	struct id_maker *ids;
	struct ingest *ingest;		/* for test webhooks */
	struct arena *a;		/* of the request */
	struct principal principal;	/* empty on open routes */
	uint64_t tenant_id;		/* whose things; 0 = all: a platform admin asked with tenant=all */
	struct str remote_addr;
	ms_t now;
};
/* For audit log and timeline. */
struct who caller_who(const struct caller *by, uint64_t tenant_id);

/* ---- event.c ---- */

struct event_query {
	struct event_filter f;
	uint64_t processed;	/* bits of statuses: nothing left to do, or something */
};
extern const struct form_field event_query_fields[];
bool event_query_list(const struct caller *by, struct event_query *q, struct event_view **out, size_t *n, uint64_t *next,
	struct err *e) MUST_USE;

/* ---- incident.c ---- */

extern const struct form_field incident_query_fields[];	/* over struct incident_filter */

struct note_form {
	struct str note;
};
extern const struct form_field incident_note_fields[];
/* A person's command, with a note or STR_NONE. ERR_CONFLICT says why its status does not allow it. */
bool incident_command_by(const struct caller *by, uint64_t id, enum incident_command command, struct str note,
	struct err *e) MUST_USE;

/* ---- integration.c ---- */

struct integration_form {
	struct str name, type, service, secret, allowed_ips;
	uint64_t actions, per_minute;
	const struct json *settings;
	bool require_key, route_by_service, enabled, is_default, make_secret, alert_test_mode;
};
extern const struct form_field integration_fields[];
#define INTEGRATION_FORM_NEW { .per_minute = RATE_DEFAULT, .enabled = true }

/* 1 found; 0 no integration of that id in the caller's tenant; -1 failed. */
int integration_find(const struct caller *by, struct str public_id, struct source *out, struct err *e) MUST_USE;
/* What a form is to show, and what a change starts from. */
void integration_to_form(const struct caller *by, const struct source *s, struct integration_form *f);
/* *key is shown this once; f->secret holds the secret, also a made one. */
bool integration_create(const struct caller *by, struct integration_form *f, struct source *made, struct str *key,
	struct err *e) MUST_USE;
/* `read` puts the wish over the form of what is stored; it is called again when somebody else changed the source meanwhile.
 * *out is the source after the change, f the form as it was carried out. */
bool integration_change(const struct caller *by, struct str public_id,
	bool (*read)(void *ctx, struct integration_form *f, struct err *e), void *ctx, struct integration_form *f,
	struct source *out, struct err *e) MUST_USE;
bool integration_remove(const struct caller *by, struct str public_id, struct err *e) MUST_USE;

#endif
