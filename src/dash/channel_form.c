/* channel_form.c - the form of a channel: its kind says which fields there are, and which of them is the secret. */
#include "channels.h"

#include "grapnel/json.h"
#include "tmpl.h"

#define LINES_MAX 16384		/* RECIPIENTS_MAX of them */
#define SECRET_MADE "The channel is saved. Its messages are signed with this secret; it is shown this once."

static const struct choice_word severities[] = {
	{ "INFO", "everything" }, { "MEDIUM", "warnings and worse (medium)" }, { "HIGH", "errors and worse (high)" },
	{ "CRITICAL", "critical things only" }, { NULL, NULL }
};

/* ---- shown ---- */

static struct str lines_of(struct visit *v, const struct json *list)
{
	struct strbuf b;

	strbuf_init(&b, v->a, LINES_MAX);
	for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
		strbuf_adds(&b, b.n ? "\n" : "");
		strbuf_addstr(&b, json_text(j));
	}
	return strbuf_str(&b);
}

static struct str stored(struct visit *v, struct channel_form *f, enum channel_part p)
{
	const struct str *text = channel_form_text(f, p);

	return text ? *text : lines_of(v, f->to);
}

/* Of the part that is one of the kind's words. */
static void fill_formats(struct visit *v, const struct channel_kind *kind, struct channel_part_field *p)
{
	size_t n = 0;

	while (kind->formats[n].word)
		n++;
	p->choices = ARENA_ARRAY(v->a, struct choice, n);
	for (; p->choices_n < n; p->choices_n++) {
		const struct channel_format *x = &kind->formats[p->choices_n];

		p->choices[p->choices_n] = (struct choice){ .value = str_of(x->word), .label = str_of(x->title), .chosen = str_eqs(p->value, x->word) };
	}
}

static void fill_parts(struct visit *v, const struct channel_kind *kind, unsigned parts, struct channel_form *f, bool has_secret,
	struct channel_form_page *p)
{
	for (enum channel_part part = 0; part < PART_COUNT; part++) {
		struct channel_part_field *x = &p->parts[p->parts_n];
		const char *name = channel_part_names[part];
		bool secret = part == kind->secret;

		if (!(parts & 1u << part))
			continue;
		p->parts_n++;
		*x = (struct channel_part_field){ .name = name, .label = kind->texts[part].label,
			.help = kind->texts[part].help, .example = kind->texts[part].example,
			.value = secret ? STR_NONE : visit_typed(v, name, stored(v, f, part)), .secret = secret, .lines = part == PART_TO,
			.needed = kind->needs & 1u << part && !(secret && (has_secret || kind->makes_secret)), .is_set = secret && has_secret,
			.error = str_eqs(p->page.error_field, name) ? p->page.error : STR_NONE };
		if (part == PART_FORMAT)
			fill_formats(v, kind, x);
	}
}

static bool ticked(struct visit *v, const char *word, bool otherwise)
{
	struct str rest = v->rq->body, key, value;
	bool found = false;

	if (!str_eqs(v->rq->method, "POST"))
		return otherwise;
	while (form_next(v->a, &rest, &key, &value))
		found |= str_eqs(key, "events") && str_eqs(value, word);
	return found;
}

static void fill_events(struct visit *v, const struct channel_kind *kind, const struct channel_form *f, struct channel_form_page *p)
{
	size_t max = 0;

	while (channel_event_names[max].word)
		max++;
	p->events = ARENA_ARRAY(v->a, struct channel_event_box, max + 1);
	for (size_t i = 0; i < max; i++) {
		const struct channel_event_name *x = &channel_event_names[i];

		if (x->bit == CHANNEL_PROCESSED && !kind->sink)
			continue;
		p->events[p->events_n++] = (struct channel_event_box){ x->word, x->title, ticked(v, x->word, f->events & x->bit) };
	}
}

/* A switch stands behind a hidden `false`, so the last one counts. */
static bool switched(const struct visit *v, const char *name, bool otherwise)
{
	return str_eqs(visit_typed(v, name, otherwise ? STR("true") : STR("false")), "true");
}

static const char *drop_label(const struct channel_kind *kind, bool has_secret)
{
	if (!has_secret)
		return NULL;
	if (kind->makes_secret)
		return "Make a new secret, and show it once";
	return kind->needs & 1u << kind->secret ? NULL : "Remove it";
}

static void show(struct visit *v, const struct channel_kind *kind, struct channel_form *f, bool has_secret, struct channel_form_page *p,
	const struct err *bad)
{
	struct str severity = str_of(level_word((enum level)__builtin_ctzll(f->min_severity)));

	page_begin(v, &p->page, arena_cstr(v->a, p->heading), "channels");
	if (bad && !page_blame(v, &p->page, bad))
		return;
	p->kind_title = kind->title;
	p->kind_help = kind->help;
	p->name = visit_typed(v, "name", f->name);
	p->enabled = switched(v, "enabled", f->enabled);
	p->drop_label = drop_label(kind, has_secret);
	p->drop_secret = switched(v, "_dropSecret", false);
	fill_parts(v, kind, kind->needs, f, has_secret, p);
	fill_parts(v, kind, kind->takes & ~kind->needs, f, has_secret, p);
	fill_events(v, kind, f, p);
	p->per_minute = visit_typed(v, "maxPerMinute", arena_printf(v->a, "%llu",
		(unsigned long long)(f->max_per_minute ? f->max_per_minute : CHANNEL_PER_MINUTE)));
	p->per_minute_max = kind->people ? CHANNEL_PER_MINUTE_MAX : 0;
	choices_of_words(v, severities, visit_typed(v, "minSeverity", severity), &p->severities, &p->severities_n);
	PAGE_SEND(v, bad ? err_status(bad->code) : 200, tmpl_channel_form, p);
}

/* ---- read ---- */

/* The secret field is not shown, so an empty one says nothing. */
static void keep_secret(struct visit *v, const struct channel_kind *kind, struct channel_form *f)
{
	struct str *secret = channel_form_text(f, kind->secret);

	if (switched(v, "_dropSecret", false))
		*secret = STR("");
	else if (!secret->n)
		*secret = STR_NONE;
}

static bool read(struct visit *v, enum form_mode mode, struct channel_form *f, struct err *e)
{
	bool any = false;

	for (const struct channel_event_name *x = channel_event_names; x->word; x++)
		any |= ticked(v, x->word, false);
	if (!any)
		return err_field(e, ERR_INVALID, "events", "Tick what it is to be told of; or switch it off.");
	return visit_form(v, channel_fields, mode, f, e);
}

/* ---- a new one ---- */

static const struct channel_kind *kind_of(struct visit *v)
{
	const struct channel_kind *kind = channel_kind_find(v->match.params[0]);

	if (!kind)
		visit_not_found(v);
	return kind;
}

static void show_new(struct visit *v, const struct channel_kind *kind, const struct err *bad)
{
	struct channel_form f = CHANNEL_FORM_NEW;
	struct channel_form_page p = { .heading = arena_printf(v->a, "New channel: %s", kind->title), .back = STR("/channels/new"),
		.new_kind = kind->slug,
		.button = STR("Make the channel"), .action = arena_printf(v->a, "/channels/new/%s", kind->slug) };

	show(v, kind, &f, false, &p, bad);
}

void page_channel_new(void *visit)
{
	const struct channel_kind *kind = kind_of(visit);

	if (kind)
		show_new(visit, kind, NULL);
}

static void saved(struct visit *v, const struct channel_form *f, const char *text, struct str id)
{
	if (f->made_secret)
		visit_flash(v, SECRET_MADE, f->secret);
	else
		visit_flash(v, text, STR_NONE);
	visit_redirect(v, "/channels/%.*s", STR_ARG(id));
}

void page_channel_create(void *visit)
{
	struct visit *v = visit;
	const struct channel_kind *kind = kind_of(v);
	struct channel_form f = CHANNEL_FORM_NEW;
	struct channel made;
	struct err e = { 0 };

	if (!kind)
		return;
	if (read(v, FORM_NEW, &f, &e) && (f.kind = str_of(kind->slug), channel_create(&v->by, &f, &made, &e)))
		saved(v, &f, "The channel is there. Send it a test.", made.public_id);
	else
		show_new(v, kind, &e);
}

/* ---- a change ---- */

static void show_edit(struct visit *v, const struct err *bad)
{
	struct channel_form_page p = { .button = STR("Save") };
	const struct channel_kind *kind;
	struct channel_form f;
	struct channel c;
	struct err e = { 0 };
	int found = channel_find(&v->by, v->match.params[0], &c, &e);

	kind = found == 1 ? channel_kind_find(c.kind) : NULL;
	if (!kind) {
		found < 0 ? visit_err(v, &e) : visit_not_found(v);
		return;
	}
	channel_to_form(&v->by, &c, &f);
	p.heading = arena_printf(v->a, "Change %.*s", STR_ARG(c.name));
	p.back = arena_printf(v->a, "/channels/%.*s", STR_ARG(c.public_id));
	p.action = arena_printf(v->a, "%.*s/edit", STR_ARG(p.back));
	show(v, kind, &f, c.has_secret, &p, bad);
}

void page_channel_edit(void *visit)
{
	show_edit(visit, NULL);
}

static bool read_change(void *ctx, struct channel_form *f, struct err *e)
{
	struct visit *v = ctx;

	if (!read(v, FORM_CHANGE, f, e))
		return false;
	keep_secret(v, channel_kind_find(f->kind), f);
	return true;
}

void page_channel_change(void *visit)
{
	struct visit *v = visit;
	struct channel_form f;
	struct err e = { 0 };

	if (channel_change(&v->by, v->match.params[0], read_change, v, &f, &e))
		saved(v, &f, "Saved.", v->match.params[0]);
	else
		show_edit(v, &e);
}
