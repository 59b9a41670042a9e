/* link.c - the page behind the link of a message: says what will happen, and does it when its button is pressed. No sign-in: the link is the proof.
 *
 * Scanners of mail follow links, so GET shows and changes nothing; only POST acts. The address holds the proof: it is told to no other site, kept by
 * no cache and shown by no search engine. */
#include "link.h"

#include "dash_int.h"
#include "tmpl.h"

/* What each action is called: before it, after it, and where it was done before. */
static const struct words {
	const char *button, *will, *done, *not_needed;
} words[] = {
	[COMMAND_ACKNOWLEDGE] = { "Acknowledge", "You take care of it, and nobody else is called for it.", "Acknowledged. It stays unresolved until its sender or somebody resolves it.",
		"It is acknowledged or resolved already: there is nothing to do here." },
	[COMMAND_RESOLVE] = { "Resolve", "It is over. An alert that still fires reopens it.", "Resolved. An alert that still fires reopens it.",
		"It is resolved already: there is nothing to do here." },
};

static const struct said {
	unsigned get, post;		/* status */
	const char *title, *sentence;	/* sentence NULL: that of the action */
} answers[] = {
	[LINK_READY] = { 200, 200, NULL, NULL },
	[LINK_DONE] = { 200, 200, "Done", NULL },
	[LINK_NOT_NEEDED] = { 200, 409, "Done already", NULL },
	[LINK_USED] = { 410, 410, "Link used", "This link was used before. Each serves once: newer messages have newer links." },
	[LINK_EXPIRED] = { 410, 410, "Link expired", "This link is too old. Sign in, or use that of a newer message." },
	[LINK_REVOKED] = { 403, 403, "Not allowed", "Whoever this link was sent to may not act here any more." },
	[LINK_GONE] = { 410, 410, "Gone", "The incident of this link is long over and was cleaned up." },
	[LINK_FORGED] = { 404, 404, "Not found", "This is no link of ours. Was it copied whole?" },
	[LINK_THROTTLED] = { 429, 429, "Too many", "Too many wrong links came from here. Try again later." },
};

static struct str sentence(const struct link_state *s)
{
	const struct words *w = &words[s->link.action];
	const char *said = answers[s->answer].sentence;

	if (said)
		return str_of(said);
	return str_of(s->answer == LINK_READY ? w->will : s->answer == LINK_DONE ? w->done : w->not_needed);
}

static void show(struct visit *v, const struct link_state *s, bool posted)
{
	const struct said *a = &answers[s->answer];
	struct link_page p = { .title = s->about.title, .service = s->about.service, .level = s->about.level, .sentence = sentence(s),
		.token = v->match.params[0], .bad = s->answer > LINK_NOT_NEEDED };
	const char *title = a->title;

	if (s->answer == LINK_READY)
		title = p.button = words[s->link.action].button;
	if (s->answer == LINK_THROTTLED)
		response_header(v->rq, "Retry-After", arena_printf(v->a, "%lld", (long long)(s->wait_ms / MS_PER_SECOND + 1)));
	page_begin(v, &p.page, title, "");
	PAGE_SEND(v, posted ? a->post : a->get, tmpl_link, &p);
	response_header(v->rq, "Referrer-Policy", STR("no-referrer"));
	response_header(v->rq, "X-Robots-Tag", STR("noindex, nofollow, noarchive"));
}

void page_link(void *visit)
{
	struct visit *v = visit;
	struct link_state s;
	struct err e = { 0 };

	if (link_look(&v->by, v->match.params[0], &s, &e))
		show(v, &s, false);
	else
		visit_err(v, &e);
}

void page_link_post(void *visit)
{
	struct visit *v = visit;
	struct link_state s;
	struct err e = { 0 };

	if (link_use(&v->by, v->match.params[0], &s, &e))
		show(v, &s, true);
	else
		visit_err(v, &e);
}
