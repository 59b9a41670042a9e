/* input.c - what a visit brings: numbers in the path, filters in the query, a posted form. */
#include "dash_int.h"

bool visit_id(struct visit *v, size_t param, uint64_t *id)
{
	return (str_u64(v->match.params[param], id) && *id && *id <= INT64_MAX) || visit_not_found(v);
}

bool visit_query(struct visit *v, const struct form_field *fields, void *out)
{
	struct err e = { 0 };

	return form_read_query(v->a, v->rq->query, fields, NULL, out, &e) || visit_err(v, &e);
}

bool visit_form(struct visit *v, const struct form_field *fields, enum form_mode mode, void *out, struct err *e)
{
	return form_read_post(v->a, v->rq->body, fields, mode, out, e);
}

/* A form's sentence begins with the name that programs know, "expiresInDays must be..."; on a page it stands at the field. */
static struct str at_the_field(struct visit *v, const struct err *e)
{
	size_t n = strlen(e->field);

	if (n && !strncmp(e->text, e->field, n) && e->text[n] == ' ')
		return arena_printf(v->a, "This%s", e->text + n);
	return str_of(err_told(v->a, e));
}

bool page_blame(struct visit *v, struct page *p, const struct err *e)
{
	if (e->code != ERR_INVALID && e->code != ERR_CONFLICT && e->code != ERR_LIMIT)
		return visit_err(v, e);
	p->error = at_the_field(v, e);
	p->error_field = arena_str(v->a, str_of(e->field));
	return true;
}

/* A checkbox stands behind a hidden field of its name: the last one counts. */
static bool posted(const struct visit *v, const char *name, struct str *value)
{
	struct str rest = v->rq->body, key, text;
	bool found = false;

	if (!str_eqs(v->rq->method, "POST"))
		return false;
	while (form_next(v->a, &rest, &key, &text))
		if (str_eqs(key, name)) {
			*value = text;
			found = true;
		}
	return found;
}

struct str visit_typed(const struct visit *v, const char *name, struct str otherwise)
{
	struct str value;

	return posted(v, name, &value) ? value : otherwise;
}

struct str visit_posted(const struct visit *v, const char *name)
{
	return visit_typed(v, name, STR_NONE);
}
