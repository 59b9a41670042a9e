/* reply.c - answers: JSON from field tables, refusals, errors. */
#include "api_int.h"

#include <assert.h>

#include "grapnel/log.h"

void reply_begin(struct call *c, struct reply *r)
{
	strbuf_init(&r->b, c->a, REPLY_MAX);
	json_out_init(&r->o, &r->b);
	json_open(&r->o, '{');
}

void reply_end(struct call *c, struct reply *r, unsigned status)
{
	json_close(&r->o, '}');
	if (r->b.failed) {
		struct err e = { 0 };

		err_set(&e, ERR_BUG, "an answer over %u bytes", REPLY_MAX);
		reply_err(c, &e);
		return;
	}
	response_json(c->rq, status, strbuf_str(&r->b));
}

void reply_fields(struct call *c, unsigned status, const struct field *fields, const void *obj)
{
	struct reply r;

	assert(call_doc(c)->fields.fields == fields);
	reply_begin(c, &r);
	json_fields(&r.o, fields, obj);
	reply_end(c, &r, status);
}

void reply_rows(struct reply *r, const char *name, const struct field *fields, const void *rows,
	size_t size, size_t n)
{
	json_key(&r->o, name);
	json_rows(&r->o, fields, rows, size, n);
}

void reply_counts(struct reply *r, const char *name, const struct stats_count *counts, size_t n)
{
	json_key(&r->o, name);
	json_open(&r->o, '{');
	for (size_t i = 0; i < n; i++) {
		json_keyn(&r->o, counts[i].name);
		json_u64(&r->o, counts[i].count);
	}
	json_close(&r->o, '}');
}

void reply_object(struct reply *r, const char *name, const struct field *fields, const void *obj)
{
	json_key(&r->o, name);
	if (!obj) {
		json_null(&r->o);
		return;
	}
	json_open(&r->o, '{');
	json_fields(&r->o, fields, obj);
	json_close(&r->o, '}');
}

void reply_list(struct call *c, const char *plural, const struct field *fields, const void *rows,
	size_t size, size_t n, uint64_t next)
{
	struct reply r;

	assert(call_doc(c)->list && !strcmp(call_doc(c)->list, plural) && call_doc(c)->fields.fields == fields);
	reply_begin(c, &r);
	reply_rows(&r, plural, fields, rows, size, n);
	json_key(&r.o, "next");
	if (next)
		json_str(&r.o, form_cursor(c->a, plural, next));
	else
		json_null(&r.o);
	reply_end(c, &r, 200);
}

bool reply_refuse(struct call *c, unsigned status, const char *code, const char *message,
	const char *field)
{
	response_error(c->rq, status, code, message, field);
	return false;
}

bool reply_not_found(struct call *c)
{
	struct err e = { .code = ERR_NOT_FOUND };

	response_err(c->rq, &e);
	return false;
}

bool reply_err(struct call *c, const struct err *e)
{
	if (e->told && e->code == ERR_DENIED)
		return reply_refuse(c, 403, "forbidden", err_told(c->a, e), NULL);
	if (err_is_told(e) && (e->code == ERR_INVALID || e->code == ERR_CONFLICT)) {
		bool invalid = e->code == ERR_INVALID;

		return reply_refuse(c, invalid ? 400 : 409,
			invalid ? "invalid_request" : "conflict", err_told(c->a, e),
			e->field[0] ? e->field : NULL);
	}
	if (e->code >= ERR_DOWN)
		log_error("request failed", LOG_S("request", c->rq->id),
			LOG_STR("path", c->rq->path), LOG_ERR(e));
	response_err(c->rq, e);
	return false;
}

void reply_removed(struct call *c, bool (*remove_it)(const struct caller *by, struct str public_id, struct err *e))
{
	struct err e = { 0 };

	if (!input_one_tenant(c))
		return;
	if (remove_it(&c->by, c->match.params[0], &e))
		c->rq->response.status = 204;
	else
		reply_err(c, &e);
}
