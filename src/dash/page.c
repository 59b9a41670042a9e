/* page.c - what stands around every page, and how every page goes out. */
#include "dash_int.h"

#include "grapnel/log.h"
#include "tmpl.h"

#define FLASH_CONTEXT "flash:%.*s"

/* Nothing but our own files; no script or style inside a page. A page is never framed. */
static const char content_security_policy[] = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/* ---- flash: what the next page says once ---- */

static const char *flash_context(struct visit *v)
{
	return arena_printf(v->a, FLASH_CONTEXT, STR_ARG(v->session.public_id)).p;
}

/* Sealed: '+' or '-', the text, NUL, the secret. */
static void flash_put(struct visit *v, char kind, const char *text, struct str secret)
{
	struct str plain = arena_printf(v->a, "%c%s%c%.*s", kind, text, 0, STR_ARG(secret));
	struct err e = { 0 };

	if (!session_flash(v->by.db, v->a, &v->session, seal(v->a, v->by.seal, plain, flash_context(v)), &e))
		log_warning("a flash is lost", LOG_S("request", v->rq->id), LOG_ERR(&e));
}

void visit_flash(struct visit *v, const char *text, struct str secret)
{
	flash_put(v, '+', text, secret);
}

void visit_flash_bad(struct visit *v, const char *text)
{
	flash_put(v, '-', text, STR_NONE);
}

static void flash_take(struct visit *v, struct flash *f)
{
	struct str plain;
	struct err e = { 0 };

	if (!v->session.flash_sealed.n)
		return;
	if (unseal(v->a, v->by.seal, v->session.flash_sealed, flash_context(v), &plain, &e) && plain.n) {
		f->bad = plain.p[0] == '-';
		f->secret = str_sub(plain, 1);
		f->text = str_until(&f->secret, '\0');
	}
	v->session.flash_sealed = STR_NONE;
	if (!session_flash(v->by.db, v->a, &v->session, STR_NONE, &e))
		log_warning("a flash stays", LOG_S("request", v->rq->id), LOG_ERR(&e));
}

/* ---- around a page ---- */

static void warn(struct page *p, struct str text)
{
	if (text.n && p->warnings_n < ARRAY_SIZE(p->warnings))
		p->warnings[p->warnings_n++] = text;
}

/* Cron that is late is told on each page: what it should have done, nobody else says. */
static void add_cron(struct visit *v, struct page *p)
{
	struct cron_watch cron;
	struct err e = { 0 };
	char since[TIME_TEXT];

	if (!cron_watch(v->by.db, v->a, v->by.now, &cron, &e))
		log_warning("cron not looked at", LOG_S("request", v->rq->id), LOG_ERR(&e));
	else if (cron.late && cron.last_at)
		warn(p, arena_printf(v->a, "Cron has not run since %.10s %.5s UTC: incidents stay open, nothing is cleaned up. "
			"Is contrib/cron.d/grapnel in /etc/cron.d?", time_format(cron.last_at, since), since + strlen("2026-01-02T")));
	else if (cron.late)
		warn(p, STR("Cron has never run: incidents stay open, nothing is cleaned up. Add contrib/cron.d/grapnel to /etc/cron.d."));
}

static void add_warnings(struct visit *v, struct page *p)
{
	if (!v->by.conf->ingest.verify_signatures)
		warn(p, STR("Signatures are not verified: anybody can send webhooks. Remove INTEGRATION_VERIFY_SIGNATURES=false."));
	if (!v->by.conf->ingest.rate_limit)
		warn(p, STR("Rate limits are off. Remove INTEGRATION_RATE_LIMIT=false."));
}

static void add_signed_in(struct visit *v, struct page *p)
{
	const struct principal *who = &v->by.principal;
	struct err e = { 0 };

	p->signed_in = true;
	p->can_operate = account_has_role(who, ROLE_OPERATOR);
	p->can_admin = account_has_role(who, ROLE_ADMIN);
	p->is_platform = who->platform_admin;
	p->user_name = who->user_name;
	p->user_id = who->user_public_id;
	p->role = str_of(role_word((enum role)who->role));
	/* What the script fetches in the background nobody reads: the flash waits for the page. */
	if (!request_header(v->rq, "x-requested-with").n)
		flash_take(v, &p->flash);
	add_warnings(v, p);
	add_cron(v, p);
	/* A page without its badge is better than none. */
	if (!incident_open_count(v->by.db, v->a, v->by.tenant_id, &p->open_incidents, &e))
		log_warning("open incidents not counted", LOG_S("request", v->rq->id), LOG_ERR(&e));
}

void page_begin(struct visit *v, struct page *p, const char *title, const char *section)
{
	p->title = str_of(title);
	p->section = section;
	p->path = v->rq->path;
	p->css_url = asset_url("grapnel.css");
	p->js_url = asset_url("grapnel.js");
	p->icon_url = asset_url("favicon.svg");
	p->version = v->dash->c.version;
	if (v->csrf_secret.n)
		p->csrf = csrf_make(v->a, v->csrf_secret, v->by.now);
	if (v->session.text.n)
		add_signed_in(v, p);
	p->server_us = (uint64_t)(clock_mono_us() - v->began_us);
}

void page_send_html(struct visit *v, unsigned status, struct html_out *o)
{
	struct err e = { 0 };

	if (o->b.failed) {
		err_set(&e, ERR_BUG, "a page over %u bytes", HTML_PAGE_MAX);
		response_err(v->rq, &e);
		log_error("page failed", LOG_S("request", v->rq->id), LOG_STR("path", v->rq->path), LOG_ERR(&e));
		return;
	}
	v->rq->response.status = status;
	v->rq->response.content_type = "text/html; charset=utf-8";
	v->rq->response.body = strbuf_str(&o->b);
	response_header(v->rq, "Content-Security-Policy", str_of(content_security_policy));
	response_header(v->rq, "Referrer-Policy", STR("same-origin"));
	response_header(v->rq, "X-Frame-Options", STR("DENY"));
	if (v->session.text.n)
		response_header(v->rq, "Server-Timing",
			arena_printf(v->a, "app;dur=%.1f", (double)(clock_mono_us() - v->began_us) / 1000));
}

void visit_redirect(struct visit *v, const char *fmt, ...)
{
	char where[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(where, sizeof(where), fmt, ap);
	va_end(ap);
	response_header(v->rq, "Location", arena_str(v->a, str_of(where)));
	v->rq->response.status = 303;
	v->rq->response.content_type = "text/plain; charset=utf-8";
}

/* ---- pages of one sentence ---- */

bool visit_refuse(struct visit *v, unsigned status, const char *title, const char *sentence)
{
	struct error_page p = { .status = status, .sentence = sentence };

	page_begin(v, &p.page, title, "");
	PAGE_SEND(v, status, tmpl_error, &p);
	return false;
}

bool visit_not_found(struct visit *v)
{
	return visit_refuse(v, 404, "Not found", "There is nothing here: it never was, is gone, or belongs to somebody else.");
}

/* The status and sentence of the API for the same error. */
bool visit_err(struct visit *v, const struct err *e)
{
	struct error_page p = { .status = err_status(e->code), .sentence = err_told(v->a, e) };

	if (e->code >= ERR_DOWN)
		log_error("page failed", LOG_S("request", v->rq->id), LOG_STR("path", v->rq->path), LOG_ERR(e));
	/* No database, no navigation: what stands around a page needs one. */
	if (e->code >= ERR_DOWN)
		v->session = (struct session){ 0 };
	page_begin(v, &p.page, e->code == ERR_NOT_FOUND ? "Not found" : "That did not work", "");
	PAGE_SEND(v, p.status, tmpl_error, &p);
	return false;
}
