/* account_contacts.c - where one is paged, and when not: a part of the account page. */
#include "account.h"

#include "dash_int.h"

static const struct choice_word kinds[] = { { "email", "E-mail" }, { "sms", "Text message" }, { "push", "Push (ntfy)" }, { NULL, NULL } };

bool account_contacts_fill(struct visit *v, struct account_page *p, struct err *e)
{
	struct quiet_form q;
	uint64_t user_row = v->by.principal.user_id;

	if (!contact_view_list(v->by.db, v->a, user_row, v->by.now, &p->contacts, &p->contacts_n, e) || !quiet_get(&v->by, user_row, &q, e))
		return false;
	choices_of_words(v, kinds, visit_typed(v, "kind", STR("email")), &p->contact_kinds, &p->contact_kinds_n);
	p->contact_address = visit_typed(v, "address", STR_NONE);
	p->quiet_from = visit_typed(v, "from", q.from);
	p->quiet_to = visit_typed(v, "to", q.to);
	p->time_zone = visit_typed(v, "timeZone", q.time_zone);
	p->zones = zones_to_offer(v);
	return true;
}

/* What somebody asked for too often is told as a form's error is. */
static void blame(struct visit *v, const char *form, struct err *e)
{
	if (e->code == ERR_LIMIT && e->told)
		e->code = ERR_CONFLICT;
	account_blame(v, form, e);
}

void page_account_contact_post(void *visit)
{
	struct visit *v = visit;
	struct contact_form f = { .kind = STR_NONE };
	struct contact made;
	struct err e = { 0 };

	if (!visit_form(v, contact_fields, FORM_NEW, &f, &e) || !contact_create(&v->by, &f, &made, &e)) {
		blame(v, "contact", &e);
		return;
	}
	visit_flash(v, "A code of six digits is on its way. Type it in here.", STR_NONE);
	visit_redirect(v, "/account#contacts");
}

void page_account_contact_code_post(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };

	if (!contact_send_code(&v->by, v->match.params[0], &e)) {
		blame(v, "contact", &e);
		return;
	}
	visit_flash(v, "Another code is on its way. The one before counts no more.", STR_NONE);
	visit_redirect(v, "/account#contacts");
}

void page_account_contact_verify_post(void *visit)
{
	struct visit *v = visit;
	struct contact_code_form f = { .code = STR_NONE };
	struct contact c;
	struct err e = { 0 };
	int found = contact_find(&v->by, v->match.params[0], &c, &e);

	if (found != 1) {
		found ? visit_err(v, &e) : visit_not_found(v);
		return;
	}
	if (!visit_form(v, contact_code_fields, FORM_NEW, &f, &e) || !contact_verify_by(&v->by, v->match.params[0], &f, &e)) {
		blame(v, "verify", &e);
		return;
	}
	visit_flash(v, "This contact is verified: you can be paged there.", STR_NONE);
	visit_redirect(v, "/account#contacts");
}

void page_account_contact_end(void *visit)
{
	struct visit *v = visit;
	struct confirm c = { .page.section = "account", .question = STR("Remove this contact?"), .action = v->rq->path, .button = STR("Remove it"),
		.back = STR("/account#contacts") };
	struct account_page p = { 0 };
	struct err e = { 0 };

	if (!account_contacts_fill(v, &p, &e)) {
		visit_err(v, &e);
		return;
	}
	for (size_t i = 0; i < p.contacts_n; i++)
		if (str_eq(p.contacts[i].id, v->match.params[0])) {
			c.facts[c.facts_n++] = arena_printf(v->a, "%.*s is paged no more. What waits to be sent to it is given up.", STR_ARG(p.contacts[i].address));
			visit_confirm(v, &c);
			return;
		}
	visit_not_found(v);
}

void page_account_contact_end_post(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };

	if (!contact_remove(&v->by, v->match.params[0], &e)) {
		visit_err(v, &e);
		return;
	}
	visit_flash(v, "The contact is removed.", STR_NONE);
	visit_redirect(v, "/account#contacts");
}

void page_account_quiet_post(void *visit)
{
	struct visit *v = visit;
	struct quiet_form f = { .from = STR_NONE };
	struct err e = { 0 };

	if (!visit_form(v, quiet_fields, FORM_NEW, &f, &e) || !quiet_set(&v->by, &f, &e)) {
		account_blame(v, "quiet", &e);
		return;
	}
	visit_flash(v, f.from.n ? "Your quiet hours are set." : "You have no quiet hours.", STR_NONE);
	visit_redirect(v, "/account#contacts");
}
