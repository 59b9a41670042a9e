/* cmd_channel.c - channels: where people and programs are told of things. */
#include "ctl_int.h"

#include "grapnel/resource.h"

struct made {
	struct str id, secret;
};

static const struct field made_fields[] = {
	FIELD_STR(struct made, id, "id", ""),
	FIELD_STR(struct made, secret, "secret", ""),
	FIELD_END
};

static bool failed(const struct ctl *c, struct err *e)
{
	return e->code == ERR_NOT_FOUND && err_set(e, ERR_NOT_FOUND, "there is no channel \"%s\"", c->words[0]);
}

/* A secret that was made is shown, this once. */
static bool print(struct ctl *c, const struct caller *by, struct str id, const struct channel_form *f, struct err *e)
{
	struct channel_view v;
	struct channel found;

	if (f && f->made_secret) {
		ctl_one(c, made_fields, &(struct made){ id, f->secret });
		return true;
	}
	switch (channel_find(by, id, &found, e)) {
	case 1:
		channel_view_fill(c->arena, &found, &v);
		ctl_one(c, channel_view_fields, &v);
		return true;
	case 0:
		e->code = ERR_NOT_FOUND;
		return failed(c, e);
	default:
		return false;
	}
}

static bool add(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct channel_form f = CHANNEL_FORM_NEW;
	struct channel made;

	f.kind = ctl_word(c, 0);
	f.name = ctl_word(c, 1);
	return ctl_form_read(c, 2, NULL, channel_fields, FORM_CHANGE, &f, e) && channel_create(&by, &f, &made, e) &&
		print(c, &by, made.public_id, &f, e);
}

static bool list(struct ctl *c, struct err *e)
{
	struct channel_view *rows;
	uint64_t limit = LIST_LIMIT_MAX, cursor = 0, next;
	size_t n;

	if (!ctl_number(c, "limit", 1, LIST_LIMIT_MAX, &limit, e) || !ctl_number(c, "cursor", 1, UINT32_MAX, &cursor, e) ||
		!channel_view_list(c->db, c->arena, c->tenant_id, cursor, limit, &rows, &n, &next, e))
		return false;
	ctl_list(c, "channels", channel_view_fields, "id kind status minSeverity lastSentAt name", rows, n, sizeof(*rows), next);
	return true;
}

static bool show(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);

	return print(c, &by, ctl_word(c, 0), NULL, e);
}

static bool read_wish(void *ctx, struct channel_form *f, struct err *e)
{
	return ctl_form_read(ctx, 1, NULL, channel_fields, FORM_CHANGE, f, e);
}

static bool set(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct channel_form f;

	if (c->word_n < 2) {
		ctl_form_list(c, channel_fields);
		return true;
	}
	if (!channel_change(&by, ctl_word(c, 0), read_wish, c, &f, e))
		return failed(c, e);
	return print(c, &by, ctl_word(c, 0), &f, e);
}

static bool test(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);
	struct channel_tested t;

	if (!channel_test(&by, ctl_word(c, 0), &t, e))
		return failed(c, e);
	ctl_one(c, channel_tested_fields, &t);
	c->said_no = !t.success;
	return true;
}

static bool remove_channel(struct ctl *c, struct err *e)
{
	struct caller by = ctl_caller(c);

	if (!ctl_sure(c, "Delete this channel? What waits for it is given up.", e))
		return false;
	if (!channel_remove(&by, ctl_word(c, 0), e))
		return failed(c, e);
	ctl_done(c, "channel %s is deleted", c->words[0]);
	return true;
}

static const struct ctl_option list_options[] = {
	{ "limit", "N", "at most so many, up to 100" },
	{ "cursor", "N", "goes on after an earlier list" },
	{ 0 }
};

static const struct ctl_option delete_options[] = {
	{ "yes", NULL, "does not ask" },
	{ 0 }
};

const struct command channel_commands[] = {
	{ "channel add", "KIND NAME [FIELD=VALUE...]", NULL, NEED_SCHEMA | NEED_KEY | NEED_STATE, add,
		"makes a channel of the kind slack, email, sms, push, pagerduty, webhook, cloudevents or event_grid; a secret that is made is shown this once" },
	{ "channel list", "", list_options, NEED_SCHEMA, list, "lists the channels of the tenant, newest first" },
	{ "channel show", "ID", NULL, NEED_SCHEMA, show, "shows a channel" },
	{ "channel set", "ID [FIELD=VALUE...]", NULL, NEED_SCHEMA | NEED_KEY | NEED_STATE, set,
		"changes a channel; the fields are those of the API, and are listed where none is given" },
	{ "channel test", "ID", NULL, NEED_SCHEMA | NEED_STATE, test, "sends it a test message and says what happened" },
	{ "channel delete", "ID", delete_options, NEED_SCHEMA | NEED_STATE, remove_channel, "deletes a channel" },
	{ 0 }
};
