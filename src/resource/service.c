/* service.c - what can break: its form, and making, changing and removing one. */
#include "resource_int.h"

#include "grapnel/json.h"

#define ALIASES_TEXT_MAX 65536	/* while they are put together; the store takes less */

const struct form_field service_query_fields[] = {
	{ "q", TEXT_AT(struct service_filter, text), .max = 400, .help = "Part of the name" },
	{ "text", TEXT_AT(struct service_filter, text), .max = 400, .help = "The same as q" },
	{ "limit", NUMBER_AT(struct service_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX,
		.help = "Most services in the answer" },
	CURSOR_ROW(struct service_filter, cursor, "services"),
	FORM_END
};

const struct form_field service_fields[] = {
	{ "name", TEXT_AT(struct service_form, name), FORM_REQUIRED, 1, 400,
		.help = "1 to 100 characters, no other service's name or alias" },
	{ "description", TEXT_AT(struct service_form, description), .max = 4096, .help = "What it is" },
	{ "aliases", LIST_AT(struct service_form, aliases), .max = SERVICE_ALIASES_MAX,
		.help = "Further names that events may call it by" },
	{ "autoResolveMinutes", NUMBER_AT(struct service_form, auto_resolve_minutes), FORM_NULL, 1, AUTO_RESOLVE_MAX,
		.help = "Resolves its incidents when no alert came for so long; null = never" },
	{ "policyId", TEXT_AT(struct service_form, policy), .max = 23, .help = "Escalation policy: who is paged for its incidents; null = nobody" },
	{ "channelIds", LIST_AT(struct service_form, channels), .max = SERVICE_CHANNELS_MAX,
		.help = "Channels that are told of its incidents, whatever else they want to know" },
	{ "isDefault", BOOL_AT(struct service_form, is_default),
		.help = "Takes the integrations that name no service; moves here from the one that was" },
	FORM_END
};

static bool stands_before(const struct json *list, const struct json *item)
{
	for (const struct json *j = list->first; j != item; j = j->next)
		if (str_ieq(json_text(j), json_text(item)))
			return true;
	return false;
}

/* As the store keeps them: no name twice, the service's own name is none. */
static bool aliases_text(const struct caller *by, const struct service_form *f, struct str *out, struct err *e)
{
	struct json_out o;
	struct strbuf b;
	size_t n = 0;

	strbuf_init(&b, by->a, ALIASES_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (const struct json *j = f->aliases ? f->aliases->first : NULL; j; j = j->next)
		if (!stands_before(f->aliases, j) && !str_ieq(json_text(j), f->name)) {
			json_str(&o, json_text(j));
			n++;
		}
	json_close(&o, ']');
	*out = n ? strbuf_str(&b) : STR_NONE;
	return !b.failed || err_field(e, ERR_INVALID, "aliases", "The aliases are too long.");
}

static bool policy_there(const struct caller *by, struct service_form *f, struct err *e)
{
	struct policy p;
	int found = f->policy.n ? policy_find(by, f->policy, &p, e) : 1;

	if (!found && f->leave_gone)
		f->policy = STR_NONE;
	else if (!found)
		err_field(e, ERR_INVALID, "policyId", "There is no such escalation policy.");
	return found == 1 || (!found && f->leave_gone);
}

/* Each once, and of this tenant. */
static bool channels_text(const struct caller *by, const struct service_form *f, struct str *out, struct err *e)
{
	struct policy_target_name *there;
	struct json_out o;
	struct strbuf b;
	size_t n, left = 0;

	strbuf_init(&b, by->a, ALIASES_TEXT_MAX);
	json_out_init(&o, &b);
	json_tree(&o, f->channels ? f->channels : json_new(by->a, JSON_ARRAY));
	if (!policy_target_names(by->db, by->a, by->tenant_id, strbuf_str(&b), &there, &n, e))
		return false;
	strbuf_init(&b, by->a, ALIASES_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	for (const struct json *j = f->channels ? f->channels->first : NULL; j; j = j->next) {
		struct str id = json_text(j);
		bool known = public_id_is(id, "ch") && policy_target_name(there, n, id).p;

		if (!known && !f->leave_gone)
			return err_field(e, ERR_INVALID, "channelIds", "There is no channel \"%.*s\".", STR_ARG(str_cut(id, 60)));
		if (!known || stands_before(f->channels, j))
			continue;
		json_str(&o, id);
		left++;
	}
	json_close(&o, ']');
	*out = left ? strbuf_str(&b) : STR_NONE;
	return true;
}

static bool form_to_service(const struct caller *by, struct service_form *f, struct service *s, struct err *e)
{
	if (!policy_there(by, f, e) || !channels_text(by, f, &s->channels, e))
		return false;
	s->policy = f->policy;
	s->name = f->name;
	s->description = str_trim(f->description);
	s->auto_resolve_minutes = f->auto_resolve_minutes;
	s->is_default = f->is_default;
	return aliases_text(by, f, &s->aliases, e);
}

void service_to_form(const struct caller *by, const struct service *s, struct service_form *f)
{
	struct err ignored = { 0 };

	*f = (struct service_form){ .name = s->name, .description = s->description,
		.policy = s->policy, .auto_resolve_minutes = s->auto_resolve_minutes, .is_default = s->is_default };
	if (s->channels.n && !json_parse(by->a, s->channels, &f->channels, &ignored))
		f->channels = NULL;
	if (s->aliases.n && !json_parse(by->a, s->aliases, &f->aliases, &ignored))
		f->aliases = NULL;
}

bool service_create(const struct caller *by, const struct service_form *f, struct service *made, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct service s = { .tenant_id = by->tenant_id };
	struct service_form wish = *f;

	return form_to_service(by, &wish, &s, e) && service_add(by->db, by->a, by->shm, &s, &who, by->now, made, e);
}

static bool not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such service");
}

/* One try. 1, 0, -1 as the store. */
static int change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct service_form *f, struct err *e),
	void *ctx, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct service_form f;
	struct service s;
	int found = service_by_public_id(by->db, by->a, (uint32_t)by->tenant_id, public_id, &s, e);

	if (found != 1)
		return found;
	service_to_form(by, &s, &f);
	if (!read(ctx, &f, e) || !form_to_service(by, &f, &s, e))
		return -1;
	return service_update(by->db, by->a, by->shm, &s, &who, by->now, e);
}

bool service_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct service_form *f, struct err *e),
	void *ctx, struct err *e)
{
	int done, tries = 0;

	do
		done = change(by, public_id, read, ctx, e);
	while (changed_meanwhile(done, &tries, e));
	return done == 1 || (!done && not_found(e));
}

bool service_remove(const struct caller *by, struct str public_id, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	int done = service_delete(by->db, by->a, by->shm, (uint32_t)by->tenant_id, public_id, &who, by->now, e);

	return done == 1 || (!done && not_found(e));
}
