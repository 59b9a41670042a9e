/* incident.c - what can be asked of incidents, and what people do to them. */
#include "grapnel/resource.h"

#include "grapnel/json.h"

static const struct form_word status_words[] = {
	{ "OPEN", 1 << INCIDENT_OPEN },
	{ "ACKNOWLEDGED", 1 << INCIDENT_ACKNOWLEDGED },
	{ "RESOLVED", 1 << INCIDENT_RESOLVED },
	{ "UNRESOLVED", 1 << INCIDENT_OPEN | 1 << INCIDENT_ACKNOWLEDGED },
	{ "ALL", 1 << INCIDENT_OPEN | 1 << INCIDENT_ACKNOWLEDGED | 1 << INCIDENT_RESOLVED },
	{ 0 }
};

static const struct form_word test_words[] = { { "false", 1 }, { "true", 2 }, { 0 } };

const struct form_word level_words[] = {
	{ "CRITICAL", 1 << LEVEL_CRITICAL },
	{ "HIGH", 1 << LEVEL_HIGH },
	{ "MEDIUM", 1 << LEVEL_MEDIUM },
	{ "LOW", 1 << LEVEL_LOW },
	{ "INFO", 1 << LEVEL_INFO },
	{ 0 }
};

const struct form_field incident_query_fields[] = {
	{ "status", WORDS_AT(struct incident_filter, statuses), .words = status_words,
		.help = "One or more, with commas between" },
	{ "severity", WORDS_AT(struct incident_filter, levels), .words = level_words,
		.help = "One or more, with commas between" },
	{ "provider", TEXT_AT(struct incident_filter, provider), .max = 32,
		.help = "Slug of the provider whose event opened it" },
	{ "source", TEXT_AT(struct incident_filter, source), .max = 23,
		.help = "Id of the integration whose event opened it" },
	{ "serviceId", TEXT_AT(struct incident_filter, service_id), .max = 23,
		.help = "Id of a service" },
	{ "service", TEXT_AT(struct incident_filter, service), .max = 400,
		.help = "The same by id or name" },
	{ "assignee", TEXT_AT(struct incident_filter, assignee), .max = 400,
		.help = "User name or id; " ASSIGNEE_NOBODY " = those of nobody" },
	{ "isTest", WORDS_AT(struct incident_filter, tests), .words = test_words,
		.help = "Opened by test traffic, or not" },
	{ "q", TEXT_AT(struct incident_filter, text), .max = EVENT_TEXT_MAX,
		.help = "Part of the title, or a whole dedup key" },
	{ "text", TEXT_AT(struct incident_filter, text), .max = EVENT_TEXT_MAX,
		.help = "The same as q" },
	{ "from", TIME_AT(struct incident_filter, from), .help = "Opened at or after" },
	{ "to", TIME_AT(struct incident_filter, to), .after = "from", .help = "Opened before" },
	{ "limit", NUMBER_AT(struct incident_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most incidents in the answer" },
	CURSOR_ROW(struct incident_filter, cursor, "incidents"),
	FORM_END
};

const struct form_field incident_command_fields[] = {
	{ "note", TEXT_AT(struct command_form, note), .max = SUMMARY_MAX,
		.help = "Shown in the timeline" },
	FORM_END
};

const struct form_field incident_note_fields[] = {
	{ "text", TEXT_AT(struct note_form, text), FORM_REQUIRED, 1, SUMMARY_MAX,
		.help = "Shown in the timeline" },
	FORM_END
};

const struct form_field incident_assign_fields[] = {
	{ "assignee", TEXT_AT(struct assign_form, assignee), FORM_REQUIRED, .max = 400,
		.help = "User name or id; null or empty = nobody" },
	FORM_END
};

const struct form_field incident_snooze_fields[] = {
	{ "minutes", NUMBER_AT(struct snooze_form, minutes), .max = SNOOZE_MAX_MS / MS_PER_MINUTE,
		.help = "From now; 0 = no longer" },
	{ "until", TIME_AT(struct snooze_form, until), .help = "Instead of minutes: 1 minute to 30 days from now" },
	FORM_END
};

const struct form_field incident_merge_fields[] = {
	{ "into", TEXT_AT(struct merge_form, into), FORM_REQUIRED, 1, 20,
		.help = "Number of an unresolved incident, which alerts of this one's key join from then on" },
	FORM_END
};

static const struct form_word bulk_words[] = {
	{ "acknowledge", 1 << COMMAND_ACKNOWLEDGE },
	{ "resolve", 1 << COMMAND_RESOLVE },
	{ 0 }
};

const struct form_field incident_bulk_fields[] = {
	{ "ids", LIST_AT(struct bulk_form, ids), FORM_REQUIRED, 1, BULK_IDS_MAX, .help = "Numbers of incidents" },
	{ "action", WORDS_AT(struct bulk_form, action), FORM_REQUIRED, .words = bulk_words,
		.help = "acknowledge or resolve" },
	{ "note", TEXT_AT(struct bulk_form, note), .max = SUMMARY_MAX, .help = "Shown in each timeline" },
	FORM_END
};

const struct field bulk_result_fields[] = {
	FIELD_STR(struct bulk_result, id, "id", "As it was given"),
	FIELD_BOOL(struct bulk_result, success, "success", "It was done"),
	FIELD_STR(struct bulk_result, error, "error", "not_found or conflict"),
	FIELD_STR(struct bulk_result, message, "message", "Why it was not done"),
	FIELD_END
};

static const char *const conflicts[] = {
	[COMMAND_ACKNOWLEDGE] = "Only an open incident can be acknowledged; this one is acknowledged or resolved already.",
	[COMMAND_RESOLVE] = "This incident is resolved already.",
	[COMMAND_REOPEN] = "Only a resolved incident can be reopened, and only while no newer one of its key is open.",
};

static const char missing[] = "There is no such incident here.";

/* With tenant=all the incident's own tenant is the one that acts. 1, 0, -1. */
static int tenant_of(const struct caller *by, uint64_t id, uint64_t *tenant, struct err *e)
{
	struct incident_detail d;
	int found;

	*tenant = by->tenant_id;
	if (*tenant)
		return 1;
	found = incident_view_get(by->db, by->a, 0, id, &d, e);
	if (found == 1)
		*tenant = d.incident.tenant_id;
	return found;
}

bool incident_command_by(const struct caller *by, uint64_t id, enum incident_command command, struct str note,
	struct err *e)
{
	struct who who;
	uint64_t tenant;
	int done = tenant_of(by, id, &tenant, e);

	if (done == 1) {
		who = caller_who(by, tenant);
		done = incident_act(by->db, by->a, (uint32_t)tenant, id, command, ACTOR_PERSON, &who,
			id_make(by->ids, by->now), note.n ? note : STR_NONE, by->now, e);
	}
	if (!done)
		return err_set(e, ERR_NOT_FOUND, "%s", missing);
	if (done < 0 && e->code == ERR_CONFLICT)
		return err_tell(e, ERR_CONFLICT, "%s", conflicts[command]);
	bell_ring(by->shm);
	return done == 1;
}

/* ---- what leaves the status ---- */

/* With the tenant known: an assignee is of that tenant. */
static bool edit_by(const struct caller *by, uint64_t id, uint64_t tenant, const struct incident_edit *edit, struct err *e)
{
	struct who who = caller_who(by, tenant);
	int done = incident_edit(by->db, by->a, (uint32_t)tenant, id, edit, &who, id_make(by->ids, by->now), by->now, e);

	if (done < 0 && e->code == ERR_CONFLICT)
		return err_tell(e, ERR_CONFLICT, "This incident is resolved; only an unresolved one can be snoozed.");
	bell_ring(by->shm);
	return done == 1 || (!done && err_set(e, ERR_NOT_FOUND, "%s", missing));
}

static bool tenant_known(const struct caller *by, uint64_t id, uint64_t *tenant, struct err *e)
{
	int found = tenant_of(by, id, tenant, e);

	return found == 1 || (!found && err_set(e, ERR_NOT_FOUND, "%s", missing));
}

bool incident_note_by(const struct caller *by, uint64_t id, const struct note_form *f, struct err *e)
{
	struct incident_edit edit = { .kind = TIMELINE_NOTE, .note = str_trim(f->text) };
	uint64_t tenant;

	if (!edit.note.n)
		return err_field(e, ERR_INVALID, "text", "A note needs some text.");
	return tenant_known(by, id, &tenant, e) && edit_by(by, id, tenant, &edit, e);
}

bool incident_assign_by(const struct caller *by, uint64_t id, const struct assign_form *f, struct err *e)
{
	struct incident_edit edit = { .kind = TIMELINE_ASSIGNED };
	uint64_t tenant;
	int found;

	if (!tenant_known(by, id, &tenant, e))
		return false;
	if (f->assignee.n) {
		found = assignee_find(by->db, by->a, (uint32_t)tenant, f->assignee, &edit.assignee, e);
		if (found != 1)
			return !found && err_field(e, ERR_INVALID, "assignee", "There is no user of that name or id who could be assigned.");
	}
	return edit_by(by, id, tenant, &edit, e);
}

/* The end; 0: no longer. */
static bool snooze_end(const struct snooze_form *f, ms_t now, ms_t *until, struct err *e)
{
	bool in_minutes = f->minutes != UINT64_MAX;

	if (in_minutes == (f->until != 0))
		return err_field(e, ERR_INVALID, "minutes", "Give minutes or until, one of both.");
	*until = f->until;
	if (in_minutes)
		*until = f->minutes ? now + (ms_t)f->minutes * MS_PER_MINUTE : 0;
	else if (*until < now + MS_PER_MINUTE || *until > now + SNOOZE_MAX_MS)
		return err_field(e, ERR_INVALID, "until", "until must be 1 minute to 30 days from now.");
	return true;
}

bool incident_snooze_by(const struct caller *by, uint64_t id, const struct snooze_form *f, struct err *e)
{
	struct incident_edit edit = { .kind = TIMELINE_SNOOZED };
	uint64_t tenant;

	return snooze_end(f, by->now, &edit.snoozed_until, e) && tenant_known(by, id, &tenant, e) &&
		edit_by(by, id, tenant, &edit, e);
}

/* ---- merging ---- */

bool incident_merge_by(const struct caller *by, uint64_t id, const struct merge_form *f, struct err *e)
{
	struct incident_merge m = { .incident = id, .ids = by->ids, .now = by->now };
	uint64_t tenant;
	struct who who;
	int done;

	if (!str_u64(str_trim(f->into), &m.into) || !m.into || m.into > INT64_MAX)
		return err_field(e, ERR_INVALID, "into", "into must be the number of an incident.");
	if (!tenant_known(by, id, &tenant, e))
		return false;
	who = caller_who(by, tenant);
	m.who = &who;
	done = incident_merge(by->db, by->a, &m, e);
	bell_ring(by->shm);
	return done == 1 || (!done && err_set(e, ERR_NOT_FOUND, "%s", missing));
}

/* ---- many at once ---- */

static enum incident_command bulk_command(uint64_t action)
{
	return action & 1 << COMMAND_ACKNOWLEDGE ? COMMAND_ACKNOWLEDGE : COMMAND_RESOLVE;
}

static bool is_refusal(const struct err *e)
{
	return e->code == ERR_NOT_FOUND || e->code == ERR_CONFLICT;
}

bool incident_bulk_by(const struct caller *by, const struct bulk_form *f, struct bulk_result **out, size_t *n, struct err *e)
{
	struct bulk_result *r = ARENA_ARRAY(by->a, struct bulk_result, f->ids->count);

	if (f->action & (f->action - 1))
		return err_field(e, ERR_INVALID, "action", "action must be acknowledge or resolve, one of both.");
	*out = r;
	*n = f->ids->count;
	for (const struct json *j = f->ids->first; j; j = j->next, r++) {
		struct err why = { .code = ERR_NOT_FOUND };
		uint64_t id;

		r->id = json_text(j);
		r->success = str_u64(r->id, &id) && incident_command_by(by, id, bulk_command(f->action), f->note, &why);
		if (r->success)
			continue;
		if (!is_refusal(&why)) {
			*e = why;
			return false;
		}
		r->error = why.code == ERR_CONFLICT ? STR("conflict") : STR("not_found");
		r->message = why.code == ERR_CONFLICT ? arena_str(by->a, str_of(why.text)) : str_of(missing);
	}
	return true;
}
