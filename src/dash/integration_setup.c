/* integration_setup.c - the page on which an integration is set up at its provider: the steps with this integration's own values, and
 * what came of them. It looks again by itself until the first good request is there, and says why one was refused. */
#include "dash_int.h"
#include "integrations.h"

#include "tmpl.h"

#define LOOK_AGAIN_S 5
#define LOOKED_THROUGH 10	/* newest requests; test webhooks among them are passed over */
#define STEP_MAX 4096

/* ---- the type ---- */

bool type_takes_secret(const struct provider *type)
{
	const struct proof *const *proof = provider_proofs(type);

	while (*proof && (*proof)->keyless)
		proof++;
	return provider_can_sign(type) && *proof;
}

void type_facts_fill(struct visit *v, const struct provider *type, struct type_facts *out)
{
	*out = (struct type_facts){ .slug = type->slug, .title = type->title, .about = type->about, .signs = type->signs,
		.on_error = type->on_error, .can_sign = provider_can_sign(type), .takes_secret = type_takes_secret(type),
		.secret_theirs = type->flags & SECRET_THEIRS };
}

/* ---- the steps ---- */

static struct str value_at(const struct setup_values *x, struct str text, size_t *n)
{
	const struct {
		const char *mark;
		struct str value;
	} marks[] = { { "{url}", x->url }, { "{base}", x->base }, { "{key}", x->key }, { "{secret}", x->secret } };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (str_starts(text, marks[i].mark)) {
			*n = strlen(marks[i].mark);
			return marks[i].value;
		}
	*n = 1;
	return str_cut(text, 1);
}

static struct str put_values(struct visit *v, const char *text, const struct setup_values *x)
{
	struct str rest = str_of(text);
	struct strbuf b;
	size_t n;

	strbuf_init(&b, v->a, STEP_MAX);
	for (; rest.n; rest = str_sub(rest, n))
		strbuf_addstr(&b, value_at(x, rest, &n));
	return strbuf_str(&b);
}

void setup_steps_fill(struct visit *v, const struct provider *type, const struct setup_values *x, struct setup_steps *out)
{
	size_t n = 0;

	while (type->steps[n].text)
		n++;
	out->steps = ARENA_ARRAY(v->a, struct setup_step, n);
	for (out->steps_n = 0; out->steps_n < n; out->steps_n++) {
		const struct step *s = &type->steps[out->steps_n];

		out->steps[out->steps_n] = (struct setup_step){ put_values(v, s->text, x), s->copy ? put_values(v, s->copy, x) : STR_NONE,
			s->copy && strchr(s->copy, '\n') };
	}
}

/* Does a step show the value of that mark? */
static bool shows(const struct provider *type, const char *mark)
{
	const struct step *s = type->steps;

	while (s->text && !(s->copy && strstr(s->copy, mark)))
		s++;
	return s->text;
}

/* What was just made or looked at stands in the flash; else the page shows neither key nor secret. */
static bool values_fill(struct visit *v, const struct source *s, struct str shown, struct setup_values *x,
	bool *is_key)
{
	struct err e = { 0 };
	struct str key;

	x->base = str_of(v->by.conf->server.public_url);
	x->url = source_webhook_url(v->a, x->base, s->provider, s->public_id);
	x->key = STR("YOUR-KEY");
	x->secret = s->has_secret ? STR("(the signature secret: shown when it was made)") : STR("(none is set: the key is the proof)");
	*is_key = false;
	if (!shown.n)
		return true;
	if (source_key(v->by.db, v->a, v->by.seal, v->by.tenant_id, s->public_id, NULL, v->by.now, &key, &e) < 0)
		return visit_err(v, &e);
	*is_key = str_eq(key, shown);
	*(*is_key ? &x->key : &x->secret) = shown;
	return true;
}

/* ---- what came of it ---- */

static const struct {
	const char *reason, *advice;
} advices[] = {
	{ "Invalid signature", "The provider signs with another secret. Enter the one of this integration there, or rotate it and enter the new one." },
	{ "Invalid key", "The key is missing or another one. Show the key above and enter it where the steps say." },
	{ "This address may not send to this integration.", "Its address is not on the list of those that may send. Change the list, or empty it." },
	{ "This integration takes no more requests in this minute.", "The rate limit is reached. Raise it, or let the sender group its alerts." },
	{ "This integration is switched off.", "Switch it on, then let the provider send again." },
	{ "This address does not take that method.", "The provider must send with POST." },
};

static const char *advice_of(struct str reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (str_eqs(reason, advices[i].reason))
			return advices[i].advice;
	return "Open the request to see what was sent.";
}

static bool newest_request(struct visit *v, const struct source *s, struct request_view *out)
{
	struct request_filter f = { .tenant_id = v->by.tenant_id, .source = s->public_id, .limit = LOOKED_THROUGH };
	struct request_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	*out = (struct request_view){ 0 };
	if (!request_view_list(v->by.db, v->a, &f, &rows, &n, &next, &e))
		return visit_err(v, &e);
	for (size_t i = 0; i < n && !out->id; i++)
		if (!rows[i].is_test)
			*out = rows[i];
	return true;
}

/* Which step of the proof failed says more than the reason does; what is to be done about another secret stands in the table. */
static bool advice_fill(struct visit *v, struct setup_page *p)
{
	static const char *const another[] = { "secret", "token", "digest", "key", "match", NULL };
	struct request_detail d;
	struct err e = { 0 };
	size_t i = 0;

	if (request_view_get(v->by.db, v->a, v->by.tenant_id, p->request.id, &d, &e) < 0)
		return visit_err(v, &e);
	while (another[i] && !str_eqs(d.proof.failed, another[i]))
		i++;
	p->advice = d.proof.why.n && !another[i] ? d.proof.why : str_of(advice_of(p->request.reason));
	return true;
}

static bool state_fill(struct visit *v, struct setup_page *p)
{
	p->state = !p->request.id ? STR("waiting") : p->request.outcome_n == REQUEST_REFUSED ? STR("refused") : STR("verified");
	return !str_eqs(p->state, "refused") || advice_fill(v, p);
}

static void show_setup(struct visit *v, const struct source *s, const struct provider *type, const struct err *e)
{
	struct setup_page p = { .needs_secret = type->flags & SECRET_THEIRS && !s->has_secret, .steps.final = true };
	struct err cause = { 0 };
	struct setup_values x;
	bool is_key;

	if (!integration_card_fill(v, s, &p.card) || !newest_request(v, s, &p.request) ||
		(e->code && !page_blame(v, &p.page, e)))
		return;
	if (subscription_view_of_source(v->by.db, v->a, s->id, &p.subscription, &cause) < 0) {
		visit_err(v, &cause);
		return;
	}
	page_begin(v, &p.page, arena_printf(v->a, "Set up %.*s", STR_ARG(s->name)).p, "integrations");
	if (!values_fill(v, s, p.page.flash.secret, &x, &is_key))
		return;
	type_facts_fill(v, type, &p.type);
	setup_steps_fill(v, type, &x, &p.steps);
	p.key_hidden = shows(type, "{key}") && !(p.page.flash.secret.n && is_key) && p.page.can_admin;
	p.secret_hidden = shows(type, "{secret}") && !(p.page.flash.secret.n && !is_key) && p.page.can_admin && s->has_secret;
	p.secret_unseen = s->secret_unseen && p.page.can_admin;
	if (!state_fill(v, &p))
		return;
	p.waits = s->enabled && (!str_eqs(p.state, "verified") || str_eqs(p.subscription.status, "waiting"));
	/* A page that comes anew by itself would take away what is shown this once, or what is being typed. */
	if (p.waits && !p.page.flash.secret.n && !p.needs_secret)
		p.page.refresh_s = LOOK_AGAIN_S;
	PAGE_SEND(v, e->code ? 400 : 200, tmpl_integration_setup, &p);
}

void page_integration_setup(void *visit)
{
	struct visit *v = visit;
	const struct provider *type;
	struct err none = { 0 };
	struct source s;

	if (!integration_of(v, &s))
		return;
	type = provider_find(s.provider);
	if (type)
		show_setup(v, &s, type, &none);
	else
		visit_not_found(v);
}

/* ---- the secret that the provider made ---- */

static bool read_secret(void *ctx, struct integration_form *f, struct err *e)
{
	struct visit *v = ctx;
	struct integration_form given = { .secret = STR_NONE };

	if (!visit_form(v, integration_fields, FORM_CHANGE, &given, e))
		return false;
	f->secret = given.secret;
	return f->secret.n || err_field(e, ERR_INVALID, "signatureSecret", "Enter the secret that the provider shows.");
}

void page_integration_secret(void *visit)
{
	struct visit *v = visit;
	struct integration_form f;
	struct err e = { 0 };
	struct source s, changed;
	const struct provider *type;

	if (!integration_of(v, &s))
		return;
	type = provider_find(s.provider);
	if (!type) {
		visit_not_found(v);
	} else if (!integration_change(&v->by, s.public_id, read_secret, v, &f, &changed, &e)) {
		show_setup(v, &s, type, &e);
	} else {
		visit_flash(v, "The secret is set. From now on each request must be signed with it.", STR_NONE);
		visit_redirect(v, "/integrations/%.*s/setup", STR_ARG(s.public_id));
	}
}
