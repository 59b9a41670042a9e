/* assets.c - style sheet, script and icon: in the program, so that pages and what they load are of one release.
 *
 * The URL names the content, hence browsers may keep it for a year and never ask (RFC 8246). A URL of another release is
 * not answered with this one's content: the cache of a person in between two releases would hold the wrong file for a year. */
#include "assets.h"
#include "dash_int.h"

const char *asset_url(const char *name)
{
	for (const struct asset *f = assets; f->name; f++)
		if (!strcmp(f->name, name))
			return f->url;
	die("there is no asset %s", name);
}

/* GET /assets/:hash/:name */
void asset_get(void *visit)
{
	struct visit *v = visit;
	struct response *r = &v->rq->response;

	for (const struct asset *f = assets; f->name; f++) {
		if (!str_eqs(v->rq->path, f->url))
			continue;
		r->status = 200;
		r->content_type = f->type;
		r->body = f->content;
		response_header(v->rq, "Cache-Control", STR("public, max-age=31536000, immutable"));
		return;
	}
	visit_not_found(v);
}
