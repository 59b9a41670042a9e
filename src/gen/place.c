/* place.c - where in the HTML do we stand?
 *
 * A value is escaped for the place where it stands, so that place must be known without doubt. Instead of following all that
 * browsers repair (WHATWG HTML, "13.2.5 Tokenization", has 80 states), this accepts only HTML as we write it, in which four
 * states are enough: attribute values stand in double quotes, `<` in text is &lt;, there are no comments, no scripts and no
 * styles. What our Content-Security-Policy would block does not compile either. */
#include "gen_int.h"

#define NAME_MAX_SHOWN 40

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool name_char(char c)
{
	return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':' || c == '.';
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static struct str eat_name(struct str *text)
{
	struct str name = { text->p, 0 };

	while (name.n < text->n && name_char(text->p[name.n]))
		name.n++;
	*text = str_sub(*text, name.n);
	return name;
}

/* `name` is the attribute's or the element's, for the message. */
#define refuse(e, sentence, name) err_set((e), ERR_INVALID, sentence, \
	(int)((name).n < NAME_MAX_SHOWN ? (name).n : NAME_MAX_SHOWN), (name).n ? (name).p : "")

static const struct {
	const char *name;
	enum element element;
} special[] = {
	{ "pre", ELEMENT_PRE }, { "textarea", ELEMENT_TEXTAREA }, { "title", ELEMENT_TITLE }, { "script", ELEMENT_SCRIPT },
};

static enum element element_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		if (str_ieqs(name, special[i].name))
			return special[i].element;
	return ELEMENT_PLAIN;
}

static bool one_of(struct str name, const char *const *list)
{
	while (*list && !str_ieqs(name, *list))
		list++;
	return *list;
}

/* Their content is not read as HTML, or not the same way by every browser. */
static const char *const foreign_elements[] = { "iframe", "noembed", "noframes", "plaintext", "xmp", NULL };
static const char *const foreign_attributes[] = { "imagesrcset", "ping", "srcdoc", "srcset", NULL };
static const char *const url_attributes[] = { "action", "cite", "data", "formaction", "href", "poster", "src", "xlink:href", NULL };

/* ---- text ---- */

static bool open_tag(struct place *at, struct str *text, struct err *e)
{
	struct str name = eat_name(text);

	if (str_ieqs(name, "style"))
		return err_set(e, ERR_INVALID, "Styles stand in web/grapnel.css: the Content-Security-Policy blocks <style>.");
	if (one_of(name, foreign_elements))
		return refuse(e, "<%.*s> is not for templates.", name);
	at->tag = element_of(name);
	if (at->tag != ELEMENT_PLAIN && at->inside != ELEMENT_PLAIN)
		return refuse(e, "<%.*s> cannot stand here: the element before it is still open.", name);
	at->spot = SPOT_WORD;
	return true;
}

/* After "</". Whole, since a closing tag has no place for marks. */
static bool close_tag(struct place *at, struct str *text, struct err *e)
{
	struct str name = eat_name(text);

	while (text->n && blank(text->p[0]))
		*text = str_sub(*text, 1);
	if (!name.n || !text->n || text->p[0] != '>')
		return refuse(e, "The closing tag </%.*s has no end on its line.", name);
	*text = str_sub(*text, 1);
	if (at->inside == ELEMENT_PLAIN)
		return true;
	if (element_of(name) == at->inside)
		at->inside = ELEMENT_PLAIN;
	else if (at->inside != ELEMENT_PRE)
		return refuse(e, "</%.*s> closes an element that is not the one open here.", name);
	return true;
}

static bool declaration(struct str *text, struct err *e)
{
	ptrdiff_t end = str_find(*text, '>');

	if (!str_ieq((struct str){ text->p, text->n < 8 ? text->n : 8 }, STR("!doctype")) || end < 0)
		return err_set(e, ERR_INVALID, "Only <!doctype html> begins with <!. A comment is {# ... #}.");
	*text = str_sub(*text, (size_t)end + 1);
	return true;
}

static bool pass_text(struct place *at, struct str *text, struct err *e)
{
	bool closes = str_starts(*text, "</");
	struct str rest = str_sub(*text, 1);

	if (at->inside == ELEMENT_SCRIPT && !closes)
		return err_set(e, ERR_INVALID, "Scripts stand in web/grapnel.js: the Content-Security-Policy blocks them in pages.");
	if (text->p[0] != '<') {
		*text = rest;
		return true;
	}
	if (closes) {
		*text = str_sub(*text, 2);
		return close_tag(at, text, e);
	}
	if (at->inside == ELEMENT_TEXTAREA || at->inside == ELEMENT_TITLE || !rest.n || (!letter(rest.p[0]) && rest.p[0] != '!'))
		return err_set(e, ERR_INVALID, "A < that begins no tag is written &lt;.");
	*text = rest;
	return rest.p[0] == '!' ? declaration(text, e) : open_tag(at, text, e);
}

/* ---- tags ---- */

/* After the name of an attribute: nothing, or ="... */
static bool begin_value(struct place *at, struct str name, struct str *text, struct err *e)
{
	at->spot = SPOT_WORD;
	if (!text->n || text->p[0] != '=')
		return true;
	if (str_ieqs(name, "style") || (name.n > 2 && str_ieq((struct str){ name.p, 2 }, STR("on"))))
		return refuse(e, "The Content-Security-Policy blocks %.*s=. Use a class or a data- attribute.", name);
	if (one_of(name, foreign_attributes))
		return refuse(e, "%.*s= is not for templates.", name);
	if (text->n < 2 || text->p[1] != '"')
		return refuse(e, "The value of %.*s= stands in double quotes.", name);
	*text = str_sub(*text, 2);
	at->spot = SPOT_VALUE;
	at->url = one_of(name, url_attributes);
	at->url_begun = false;
	return true;
}

static bool pass_tag(struct place *at, struct str *text, struct err *e)
{
	char c = text->p[0];

	if (blank(c)) {
		at->spot = SPOT_TAG;
	} else if (c == '>') {
		if (at->tag != ELEMENT_PLAIN)
			at->inside = at->tag;
		at->tag = ELEMENT_PLAIN;
		at->spot = SPOT_TEXT;
	} else if (c == '/' && text->n > 1 && text->p[1] == '>') {
		at->spot = SPOT_WORD;
	} else if (!name_char(c)) {
		return err_set(e, ERR_INVALID, "This cannot stand in a tag: %c", c > ' ' && c <= '~' ? c : '?');
	} else if (at->spot == SPOT_WORD) {
		return err_set(e, ERR_INVALID, "A blank is missing before this attribute.");
	} else {
		struct str name = eat_name(text);

		return begin_value(at, name, text, e);
	}
	*text = str_sub(*text, 1);
	return true;
}

/* A part behind "javascript:" would be decoded and run. `url` is all text up to the next mark or line. */
static bool scheme_fits(struct str url)
{
	size_t n = 0;

	while (n < url.n && !strchr(":/?#\"", url.p[n]))
		n++;
	if (n == url.n || url.p[n] != ':')
		return true;
	url.n = n;
	return str_ieqs(url, "https") || str_ieqs(url, "http") || str_ieqs(url, "mailto");
}

static bool pass_value(struct place *at, struct str *text, struct err *e)
{
	if (text->p[0] == '"') {
		at->spot = SPOT_WORD;
		at->url = at->url_begun = false;
	} else if (at->url && !at->url_begun) {
		if (!scheme_fits(*text))
			return err_set(e, ERR_INVALID, "A URL begins with /, ?, #, http:, https: or mailto:.");
		at->url_begun = true;
	}
	*text = str_sub(*text, 1);
	return true;
}

bool place_pass(struct place *at, struct str text, struct err *e)
{
	bool ok = true;

	while (ok && text.n) {
		switch (at->spot) {
		case SPOT_TEXT: ok = pass_text(at, &text, e); break;
		case SPOT_TAG:
		case SPOT_WORD: ok = pass_tag(at, &text, e); break;
		case SPOT_VALUE: ok = pass_value(at, &text, e); break;
		}
	}
	return ok;
}

/* ---- values and branches ---- */

const char *place_escaper(const struct place *at, struct err *e)
{
	if (at->spot == SPOT_VALUE)
		return !at->url ? "html_attr" : at->url_begun ? "html_url_part" : "html_url";
	if (at->spot != SPOT_TEXT)
		err_set(e, ERR_INVALID, "In a tag a value can only stand in the double quotes of an attribute.");
	else if (at->inside == ELEMENT_SCRIPT)
		err_set(e, ERR_INVALID, "No value can stand in <script>. Put it into a data- attribute.");
	else
		return "html_text";
	return NULL;
}

void place_value(struct place *at)
{
	at->url_begun = at->url;
}

bool place_join(struct place *a, const struct place *b)
{
	bool in_tag = (a->spot == SPOT_TAG || a->spot == SPOT_WORD) && (b->spot == SPOT_TAG || b->spot == SPOT_WORD);

	/* One way ended with a blank and the other did not: a blank has to follow. */
	if (in_tag && a->spot != b->spot)
		a->spot = SPOT_WORD;
	return (in_tag || a->spot == b->spot) && a->tag == b->tag && a->inside == b->inside && a->url == b->url &&
		a->url_begun == b->url_begun;
}

bool place_keeps_blanks(const struct place *at)
{
	return at->spot == SPOT_TEXT && (at->inside == ELEMENT_PRE || at->inside == ELEMENT_TEXTAREA);
}
