/* endpoint.c - outbound webhooks of a user: forms; making, changing, removing and trying one; sending once more what was sent.
 *
 * Everybody has his own, as he has tokens: an administrator does not see those of others. */
#include "resource_int.h"

#include "grapnel/json.h"

#define FILTERS_MAX 20
#define GRACE_MAX (30 * 86400)	/* seconds */

const struct form_field endpoint_query_fields[] = {
	{ "limit", NUMBER_AT(struct endpoint_query, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most endpoints in the answer" },
	CURSOR_ROW(struct endpoint_query, cursor, "endpoints"),
	FORM_END
};

const struct form_word endpoint_delivery_words[] = {
	{ "pending", 1 << OUTBOX_WAITING | 1 << OUTBOX_FAILED | 1 << OUTBOX_ENDING }, { "delivered", 1 << OUTBOX_SENT }, { "failed", 1 << OUTBOX_DEAD }, { 0 }
};

const struct form_field endpoint_delivery_query_fields[] = {
	{ "status", WORDS_AT(struct sent_filter, statuses), .words = endpoint_delivery_words, .help = "pending, delivered or failed: one or more, with commas between" },
	{ "limit", NUMBER_AT(struct sent_filter, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most deliveries in the answer" },
	CURSOR_ROW(struct sent_filter, cursor, "deliveries"),
	FORM_END
};

const struct form_field endpoint_fields[] = {
	{ "url", TEXT_AT(struct endpoint_form, url), FORM_REQUIRED, .max = ENDPOINT_URL_MAX, .help = "http or https; private addresses only where the administrator opened them" },
	{ "events", LIST_AT(struct endpoint_form, events), .max = FILTERS_MAX,
		.help = "What it is told of: words like incident.opened, incident.* or *; none or null = incident.* and alerts.triggered" },
	{ "secret", TEXT_AT(struct endpoint_form, secret), .max = ENDPOINT_SECRET_MAX,
		.help = "What deliveries are signed with, up to 255 bytes; null or empty: nothing. Left out of a new one: one is made and shown this once" },
	{ "retries", BOOL_AT(struct endpoint_form, retries), .help = "What failed three quick attempts is tried for some three days more" },
	{ "enabled", BOOL_AT(struct endpoint_form, enabled), .help = "A disabled one is told nothing" },
	FORM_END
};

const struct form_field endpoint_rotate_fields[] = {
	{ "graceSeconds", NUMBER_AT(struct endpoint_rotate_form, grace_seconds), 0, 0, GRACE_MAX,
		.help = "How long deliveries are signed with both secrets; 0 ends the old one at once" },
	{ "secret", TEXT_AT(struct endpoint_rotate_form, secret), .max = ENDPOINT_SECRET_MAX, .help = "The new one; none: one is made" },
	FORM_END
};

const struct form_field webhook_fields[] = {
	{ "url", TEXT_AT(struct webhook_form, url), FORM_REQUIRED, .max = ENDPOINT_URL_MAX, .help = "http or https; private addresses only where the administrator opened them" },
	{ "secret", TEXT_AT(struct webhook_form, secret), .max = ENDPOINT_SECRET_MAX, .help = "What deliveries are signed with, up to 255 bytes; none: nothing" },
	FORM_END
};

/* ---- form ---- */

static bool filters_joined(const struct caller *by, const struct json *list, struct str *out, struct err *e)
{
	struct strbuf b;

	strbuf_init(&b, by->a, ENDPOINT_EVENTS_MAX);
	for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
		if (!endpoint_filter_is(json_text(j)))
			return err_field(e, ERR_INVALID, "events", "%.*s fits no event: take words like incident.opened, incident.*, alerts.triggered, event.*, monitor.* or *.",
				STR_ARG(str_cut(json_text(j), 60)));
		strbuf_adds(&b, b.n ? "," : "");
		strbuf_addstr(&b, arena_lower(by->a, json_text(j)));
	}
	*out = b.n ? strbuf_str(&b) : STR(ENDPOINT_EVENTS_DEFAULT);
	return !b.failed || err_field(e, ERR_INVALID, "events", "These are too many words.");
}

static bool form_to_endpoint(const struct caller *by, struct endpoint_form *f, struct endpoint *ep, struct err *e)
{
	f->url = str_trim(f->url);
	if ((!ep->url.n || !str_eq(f->url, ep->url)) && !address_check(by, guard_resolve, f->url, "url", e))
		return false;
	if (!filters_joined(by, f->events, &ep->events, e))
		return false;
	ep->url = f->url;
	ep->retries = f->retries;
	ep->enabled = f->enabled;
	return true;
}

void endpoint_to_form(const struct caller *by, const struct endpoint *ep, struct endpoint_form *f)
{
	struct json *list = json_new(by->a, JSON_ARRAY);
	struct str words = ep->events;

	while (words.n)
		json_add(list, STR_NONE, json_new_str(by->a, str_until(&words, ',')));
	*f = (struct endpoint_form){ .url = ep->url, .events = list, .retries = ep->retries, .enabled = ep->enabled };
}

/* ---- acts ---- */

int endpoint_find(const struct caller *by, struct str public_id, struct endpoint *out, struct err *e)
{
	if (!public_id_is(public_id, "ep"))
		return 0;
	return endpoint_get(by->db, by->a, by->tenant_id, by->principal.user_id, public_id, out, e);
}

static bool not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such endpoint");
}

bool endpoint_create(const struct caller *by, struct endpoint_form *f, struct endpoint *made, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct endpoint ep = { .tenant_id = by->tenant_id, .user_id = by->principal.user_id };

	if (!form_to_endpoint(by, f, &ep, e))
		return false;
	f->made_secret = !f->secret.p;
	if (f->made_secret)
		f->secret = secret_make(by, "whsec_");
	return endpoint_add(by->db, by->a, by->shm, by->seal, &ep, f->secret, &who, by->now, made, e);
}

/* Trouble of what was before its change. */
static bool end_alert(const struct caller *by, struct str public_id, struct err *e)
{
	return monitor_alert_end(by->db, by->a, by->ids, by->tenant_id, STR(ENDPOINT_DISABLED), public_id, by->now, e) >= 0;
}

/* One try. 1, 0, -1 as the store. */
static int change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct endpoint_form *f, struct err *e), void *ctx,
	struct endpoint_form *f, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct endpoint ep;
	int found = endpoint_find(by, public_id, &ep, e);

	if (found != 1)
		return found;
	endpoint_to_form(by, &ep, f);
	if (!read(ctx, f, e) || !form_to_endpoint(by, f, &ep, e))
		return -1;
	found = endpoint_update(by->db, by->a, by->shm, by->seal, &ep, f->secret, &who, by->now, e);
	return found == 1 && ep.enabled && !end_alert(by, public_id, e) ? -1 : found;
}

bool endpoint_change(const struct caller *by, struct str public_id, bool (*read)(void *ctx, struct endpoint_form *f, struct err *e), void *ctx,
	struct endpoint_form *f, struct err *e)
{
	int done, tries = 0;

	do
		done = change(by, public_id, read, ctx, f, e);
	while (changed_meanwhile(done, &tries, e));
	return done == 1 || (!done && not_found(e));
}

static int remove_one(const struct caller *by, const struct endpoint *ep, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	int done = endpoint_delete(by->db, by->a, by->shm, ep, &who, by->now, e);

	return done == 1 && !end_alert(by, ep->public_id, e) ? -1 : done;
}

bool endpoint_remove(const struct caller *by, struct str public_id, struct err *e)
{
	struct endpoint ep;
	int done, tries = 0;

	do {
		done = endpoint_find(by, public_id, &ep, e);
		if (done == 1)
			done = remove_one(by, &ep, e);
	} while (changed_meanwhile(done, &tries, e));
	return done == 1 || (!done && not_found(e));
}

bool endpoint_rotate_secret(const struct caller *by, struct str public_id, struct endpoint_rotate_form *f, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct endpoint ep;
	int done, tries = 0;

	if (!f->secret.n)
		f->secret = secret_make(by, "whsec_");
	do {
		done = endpoint_find(by, public_id, &ep, e);
		if (done == 1)
			done = endpoint_rotate(by->db, by->a, by->seal, &ep, f->secret, (ms_t)f->grace_seconds * MS_PER_SECOND, &who, by->now, e);
	} while (changed_meanwhile(done, &tries, e));
	return done == 1 || (!done && not_found(e));
}

/* ---- trying one ---- */

#define TEST_EVENT "endpoint.test"
#define TEST_DATA_MAX 1024

const struct field endpoint_tested_fields[] = {
	FIELD_BOOL(struct endpoint_tested, success, "success", "The receiver took it"),
	FIELD_STR(struct endpoint_tested, message, "message", "What happened, a sentence"),
	FIELD_END
};

struct trial {
	const struct caller *by;
	const struct endpoint *endpoint;
	struct endpoint_news news;
	uint64_t id;
};

static struct str test_data(const struct caller *by)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, by->a, TEST_DATA_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "message");
	json_strz(&o, "This delivery was asked for with the test button. Nothing is wrong.");
	json_key(&o, "user");
	json_str(&o, by->principal.user_name);
	json_close(&o, '}');
	return strbuf_str(&b);
}

/* Where the endpoint is left alone just now it is tried at once: by what waits longest, and then by the test. */
static bool trial_tx(struct db *db, void *ctx, struct err *e)
{
	const struct trial *t = ctx;
	const struct caller *by = t->by;
	struct who who = caller_who(by, by->tenant_id);

	return endpoint_tell_one(db, by->a, t->id, t->endpoint, &t->news, by->now, e) &&
		breaker_probe_soon(db, BREAKER_ENDPOINT, t->endpoint->id, by->now, e) >= 0 &&
		audit_add(db, &who, "endpoint.test", t->endpoint->public_id, STR("{}"), by->now, e);
}

struct watch {
	const struct caller *by;
	uint64_t id;
	struct endpoint_delivery_view *out;
};

static int find_delivery(const struct caller *by, uint64_t id, struct endpoint_delivery_view *out, struct err *e)
{
	return endpoint_delivery_view_get(by->db, by->a, by->tenant_id, by->principal.user_id, id, out, e);
}

static int look(void *ctx, struct err *e)
{
	const struct watch *w = ctx;
	int found = find_delivery(w->by, w->id, w->out, e);

	if (!found)
		(void)not_found(e);
	return found == 1 ? w->out->finished_at != 0 : -1;
}

static struct str verdict(const struct caller *by, const struct endpoint_tested *t)
{
	if (t->success)
		return arena_printf(by->a, "It was taken: %llu after %llu ms.", (unsigned long long)t->attempt.http_status,
			(unsigned long long)t->attempt.duration_ms);
	return t->delivery.finished_at ? t->delivery.error : not_sent_yet(by);
}

bool endpoint_test(const struct caller *by, struct str public_id, struct endpoint_tested *out, struct err *e)
{
	struct channel_attempt_view *attempts;
	struct endpoint ep;
	struct trial t = { .by = by, .endpoint = &ep, .id = id_make(by->ids, by->now) };
	int found = endpoint_find(by, public_id, &ep, e);
	size_t n;

	*out = (struct endpoint_tested){ 0 };
	if (found != 1)
		return !found && not_found(e);
	t.news = (struct endpoint_news){ .tenant_id = ep.tenant_id, .event = TEST_EVENT, .summary = STR("Test of the endpoint"),
		.body = endpoint_body(by->a, TEST_EVENT, t.id, test_data(by), by->now) };
	if (!db_tx(by->db, trial_tx, &t, e))
		return false;
	bell_ring(by->shm);
	if (!await_attempt(by, look, &(struct watch){ by, t.id, &out->delivery }, e) ||
		!channel_attempt_view_list(by->db, by->a, t.id, &attempts, &n, e))
		return false;
	if (n)
		out->attempt = attempts[n - 1];
	out->success = str_eqs(out->delivery.status, "delivered");
	out->message = verdict(by, out);
	return true;
}

/* ---- once more ---- */

struct redelivery {
	const struct caller *by;
	const struct endpoint_delivery_view *v;
};

static bool redeliver_tx(struct db *db, void *ctx, struct err *e)
{
	const struct redelivery *x = ctx;
	const struct caller *by = x->by;
	struct who who = caller_who(by, by->tenant_id);
	struct str detail = arena_printf(by->a, "{\"delivery\":\"%llu\"}", (unsigned long long)x->v->id);
	int done = outbox_again(db, x->v->id, by->now, e);

	if (done != 1)
		return done == 0 && err_tell(e, ERR_CONFLICT, "It is being sent just now, or it was tried as often as can be.");
	return breaker_probe_soon(db, BREAKER_ENDPOINT, x->v->endpoint_row, by->now, e) >= 0 &&
		audit_add(db, &who, "endpoint.redeliver", x->v->endpoint, detail, by->now, e);
}

bool delivery_redeliver(const struct caller *by, uint64_t id, struct endpoint_delivery_view *out, struct err *e)
{
	struct redelivery x = { by, out };
	int found = find_delivery(by, id, out, e);

	if (found != 1)
		return !found && not_found(e);
	if (out->endpoint_deleted || !out->endpoint_enabled)
		return err_tell(e, ERR_CONFLICT, out->endpoint_deleted ? "Its endpoint was deleted." : "Its endpoint is switched off.");
	if (!db_tx(by->db, redeliver_tx, &x, e))
		return false;
	bell_ring(by->shm);
	found = find_delivery(by, id, out, e);
	return found == 1 || (!found && not_found(e));
}

/* ---- /api/webhooks ---- */

const struct field webhook_view_fields[] = {
	FIELD_STR(struct webhook, url, "url", "Where to; null = there is none"),
	FIELD_BOOL(struct webhook, has_secret, "has_secret", "Deliveries are signed"),
	FIELD_BOOL(struct webhook, is_active, "is_active", "It is told of things"),
	FIELD_TIME(struct webhook, created_at, "created_at", "Creation"),
	FIELD_TIME(struct webhook, updated_at, "updated_at", "Last change"),
	FIELD_STR(struct webhook, message, "message", "What was done, a sentence"),
	FIELD_END
};

static int find_webhook(const struct caller *by, struct endpoint *out, struct err *e)
{
	return endpoint_config(by->db, by->a, by->tenant_id, by->principal.user_id, out, e);
}

static bool webhook_read(const struct caller *by, struct webhook *out, struct err *e)
{
	struct endpoint ep;
	int found = find_webhook(by, &ep, e);

	*out = (struct webhook){ 0 };
	if (found == 1)
		*out = (struct webhook){ .url = ep.url, .has_secret = ep.has_secret, .is_active = ep.enabled, .created_at = ep.created_at,
			.updated_at = ep.updated_at };
	return found >= 0;
}

bool webhook_get(const struct caller *by, struct webhook *out, struct err *e)
{
	if (!webhook_read(by, out, e))
		return false;
	if (out->url.n)
		out->message = out->is_active ? STR("The webhook is active.") : STR("The webhook is switched off.");
	return true;
}

/* One try. 1 replaced, 0 made, -1 failed. */
static int put(const struct caller *by, const struct webhook_form *f, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct endpoint ep = { 0 };
	int found = find_webhook(by, &ep, e);
	struct str secret = f->secret.n ? f->secret : STR("");

	if (found < 0)
		return -1;
	ep.tenant_id = by->tenant_id;
	ep.user_id = by->principal.user_id;
	ep.url = f->url;
	ep.events = STR("alerts.triggered");
	ep.is_config = ep.enabled = true;
	ep.retries = false;
	if (!found)
		return endpoint_add(by->db, by->a, by->shm, by->seal, &ep, secret, &who, by->now, &ep, e) ? 0 : -1;
	found = endpoint_update(by->db, by->a, by->shm, by->seal, &ep, secret, &who, by->now, e);
	if (!found)
		(void)err_set(e, ERR_CONFLICT, "it was deleted meanwhile");
	return found == 1 && end_alert(by, ep.public_id, e) ? 1 : -1;
}

bool webhook_put(const struct caller *by, const struct webhook_form *f, struct webhook *out, bool *replaced, struct err *e)
{
	struct webhook_form wish = { .url = str_trim(f->url), .secret = f->secret };
	int done, tries = 0;

	if (!address_check(by, guard_resolve, wish.url, "url", e))
		return false;
	do
		done = put(by, &wish, e);
	while (changed_meanwhile(done, &tries, e));
	if (done < 0 || !webhook_read(by, out, e))
		return false;
	*replaced = done == 1;
	out->message = *replaced ? STR("The webhook is replaced.") : STR("The webhook is there.");
	return true;
}

bool webhook_remove(const struct caller *by, struct err *e)
{
	struct endpoint ep;
	int done, tries = 0;

	do {
		done = find_webhook(by, &ep, e);
		if (done == 1)
			done = remove_one(by, &ep, e);
	} while (changed_meanwhile(done, &tries, e));
	return done == 1 || (!done && not_found(e));
}
