/* again.c - a form whose token is not good.
 *
 * A token of ours that is merely too old: the person was away for long. His form comes back with all that he typed (but
 * passwords), and one click sends it with a new token. A token that is not ours may come from a foreign page, so such a form
 * is not shown again: a person could be led to send it. */
#include "dash_int.h"

#include "tmpl.h"

#define FIELDS_MAX 100

static bool is_secret(struct str name)
{
	static const char *const names[] = { "password", "newPassword", "oldPassword", "code", "signatureSecret", "current", "repeated" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eqs(name, names[i]))
			return true;
	return false;
}

bool visit_old_form(struct visit *v)
{
	struct again_page p = { .action = v->rq->uri, .back = visit_back_path(v) };
	struct str rest = v->rq->body;
	struct hidden_field f;

	p.fields = ARENA_ARRAY(v->a, struct hidden_field, FIELDS_MAX);
	while (p.fields_n < FIELDS_MAX && form_next(v->a, &rest, &f.name, &f.value))
		if (!str_eqs(f.name, "_csrf") && !is_secret(f.name))
			p.fields[p.fields_n++] = f;
	page_begin(v, &p.page, "This form was open for too long", "");
	PAGE_SEND(v, 403, tmpl_again, &p);
	return false;
}

bool visit_foreign_form(struct visit *v)
{
	return visit_refuse(v, 403, "Not sent",
		"This form belongs to another sign-in, so nothing was changed. Open its page anew and send it from there.");
}

/* Of "https://host/path?query" the path and query, when host is the one that was asked. */
struct str visit_back_path(const struct visit *v)
{
	struct str url = request_header(v->rq, "referer"), host = request_header(v->rq, "host");
	struct str rest = str_starts(url, "https://") ? str_sub(url, 8) :
		str_starts(url, "http://") ? str_sub(url, 7) : STR_NONE;

	if (!host.n || rest.n <= host.n || !str_ieq((struct str){ rest.p, host.n }, host))
		return STR("/");
	rest = str_sub(rest, host.n);
	return str_starts(rest, "/") && !str_starts(rest, "//") ? rest : STR("/");
}
