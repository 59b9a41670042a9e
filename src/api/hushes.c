/* hushes.c - /api/maintenance-windows and /api/silences: when nobody is told. */
#include "api_int.h"

static const struct kind {
	enum hush_kind kind;
	const char *plural, *path;
	const struct form_field *fields, *query;
	const struct field *view;
} window = { HUSH_WINDOW, "maintenanceWindows", "/api/maintenance-windows", window_fields, window_query_fields, window_view_fields },
	silence = { HUSH_SILENCE, "silences", "/api/silences", silence_fields, silence_query_fields, silence_view_fields };

static void list(struct call *c, const struct kind *k)
{
	struct hush_filter f = { .kind = k->kind, .limit = LIST_LIMIT_DEFAULT };
	struct hush_view *rows;
	struct err e = { 0 };
	uint64_t next;
	size_t n;

	if (!input_one_tenant(c) || !input_query(c, k->query, &f))
		return;
	f.tenant_id = c->by.tenant_id;
	if (hush_view_list(c->by.db, c->a, &f, c->by.now, &rows, &n, &next, &e))
		reply_list(c, k->plural, k->view, rows, sizeof(*rows), n, next);
	else
		reply_err(c, &e);
}

static void reply_hush(struct call *c, const struct kind *k, unsigned status, struct str id)
{
	struct hush_view v;
	struct err e = { 0 };
	struct reply r;
	struct hush h;
	int found = hush_find_by(&c->by, k->kind, id, &h, &e);

	if (found != 1) {
		found ? reply_err(c, &e) : reply_not_found(c);
		return;
	}
	hush_view_fill(c->a, &h, c->by.now, &v);
	reply_begin(c, &r);
	json_fields(&r.o, k->view, &v);
	reply_end(c, &r, status);
}

static void get(struct call *c, const struct kind *k)
{
	if (input_one_tenant(c))
		reply_hush(c, k, 200, c->match.params[0]);
}

static void create(struct call *c, const struct kind *k)
{
	struct hush_form f = HUSH_FORM_NEW;
	struct err e = { 0 };
	struct hush made;

	if (!input_one_tenant(c) || !input_form(c, k->fields, false, &f))
		return;
	if (!hush_create(&c->by, k->kind, &f, &made, &e)) {
		reply_err(c, &e);
		return;
	}
	response_header(c->rq, "Location", arena_printf(c->a, "%s/%.*s", k->path, STR_ARG(made.public_id)));
	reply_hush(c, k, 201, made.public_id);
}

struct wish {
	struct arena *a;
	const struct form_field *fields;
	const struct json *body;
};

static bool wish_read(void *ctx, struct hush_form *f, struct err *e)
{
	const struct wish *w = ctx;

	return form_read_json(w->a, w->body, w->fields, FORM_CHANGE, f, e);
}

static void update(struct call *c, const struct kind *k)
{
	struct wish wish = { .a = c->a, .fields = k->fields };
	struct err e = { 0 };

	if (!input_one_tenant(c) || !input_body(c, false, &wish.body))
		return;
	if (hush_change(&c->by, k->kind, c->match.params[0], wish_read, &wish, &e))
		reply_hush(c, k, 200, c->match.params[0]);
	else
		reply_err(c, &e);
}

static void end(struct call *c, const struct kind *k)
{
	struct err e = { 0 };

	if (!input_one_tenant(c))
		return;
	if (hush_stop(&c->by, k->kind, c->match.params[0], &e))
		reply_hush(c, k, 200, c->match.params[0]);
	else
		reply_err(c, &e);
}

static void drop(struct call *c, const struct kind *k)
{
	struct err e = { 0 };

	if (!input_one_tenant(c))
		return;
	if (hush_remove(&c->by, k->kind, c->match.params[0], &e))
		c->rq->response.status = 204;
	else
		reply_err(c, &e);
}

void api_window_list(void *call)	{ list(call, &window); }
void api_window_get(void *call)		{ get(call, &window); }
void api_window_create(void *call)	{ create(call, &window); }
void api_window_update(void *call)	{ update(call, &window); }
void api_window_end(void *call)		{ end(call, &window); }
void api_window_delete(void *call)	{ drop(call, &window); }
void api_silence_list(void *call)	{ list(call, &silence); }
void api_silence_get(void *call)	{ get(call, &silence); }
void api_silence_create(void *call)	{ create(call, &silence); }
void api_silence_update(void *call)	{ update(call, &silence); }
void api_silence_end(void *call)	{ end(call, &silence); }
void api_silence_delete(void *call)	{ drop(call, &silence); }
