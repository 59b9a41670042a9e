/* From a parsed request to its events: the engine behind the tables.
 *
 * For each event the rows are gone through twice: first those for the action, since others depend
 * on it, then the rest. A field is filled by the first row that yields a value. What the rows left
 * open is filled with defaults, and everything is brought within limits; ids last, as two events of
 * one request must not have the same. */
#include <assert.h>

#include "grapnel/crypto.h"
#include "provider_int.h"

#define DETAILS_MAX 100	/* where a row takes all names that begin alike */
#define LISTS_MAX 4	/* of .each; the longest row names three */
#define DIGITS_MS 100000000000ULL	/* 10^11: as seconds the year 5138, as milliseconds 1973 */
#define EVENTS_BYTES_MAX (64u << 20)	/* memory for all events of a request: 10,000 of 6 KiB */
#define OCCURRED_MAX 253402300799999LL	/* end of the year 9999, the last of RFC 3339 */

struct mapping {
	const struct provider *p;
	struct arena *a;
	struct where w;
	struct event *ev;
	unsigned done;		/* bits 1 << enum event_field */
	bool own_key;		/* the sender made the dedup key: no prefix */
	struct json *details;
};

/* ---- one row --------------------------------------------------------------------------------- */

static struct str *text_field(struct event *ev, enum event_field f)
{
	switch (f) {
	case EV_EVENT_ID:
		return &ev->event_id;
	case EV_DEDUP_KEY:
		return &ev->dedup_key;
	case EV_SUMMARY:
		return &ev->summary;
	case EV_DESCRIPTION:
		return &ev->description;
	case EV_SOURCE:
		return &ev->source;
	case EV_SERVICE:
		return &ev->service;
	case EV_EVENT_TYPE:
		return &ev->event_type;
	case EV_ENTITY_TYPE:
		return &ev->entity_type;
	case EV_ENTITY_ID:
		return &ev->entity_id;
	case EV_NATIVE_SEVERITY:
		return &ev->native_severity;
	default:
		die("map: field %d is no text", (int)f);
	}
}

/* "1646482530", "1646482530.25", "1646482530000" */
static bool epoch_parse(struct str s, ms_t *out)
{
	struct str whole = str_until(&s, '.');
	uint64_t n, ms = 0, unit = 100;

	if (!str_u64(whole, &n) || n > (uint64_t)OCCURRED_MAX)
		return false;
	for (size_t i = 0; i < s.n && i < 3; i++, unit /= 10) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		ms += unit * (uint64_t)(s.p[i] - '0');
	}
	*out = n >= DIGITS_MS ? (ms_t)n : (ms_t)(n * MS_PER_SECOND + ms);
	return true;
}

static bool set_time(struct mapping *m, const struct map *row, struct str value)
{
	ms_t t;

	if (!(row->as == EPOCH ? epoch_parse(value, &t) : time_parse(value, &t)))
		return false;
	if (t <= 0 || t > OCCURRED_MAX)
		return false;
	m->ev->occurred_at = t;
	return true;
}

static struct str snake(struct arena *a, struct str s)
{
	struct str copy = arena_lower(a, s);
	char *p = (char *)copy.p;

	for (size_t i = 0; i < copy.n; i++)
		if (p[i] == ' ' || p[i] == '-')
			p[i] = '_';
	return copy;
}

static bool set_text(struct mapping *m, const struct map *row, struct str value)
{
	if (row->field == EV_EVENT_ID)
		m->ev->native_id = row->as == NATIVE;
	if (row->field == EV_DEDUP_KEY)
		m->own_key = row->as == NATIVE;
	if (row->as == LOWER)
		value = arena_lower(m->a, value);
	else if (row->as == SNAKE)
		value = snake(m->a, value);
	*text_field(m->ev, row->field) = value;
	return true;
}

const struct word *word_find(const struct word *words, struct str value)
{
	for (const struct word *w = words; w->word; w++)
		if (str_ieqs(value, w->word) || !strcmp(w->word, "*"))
			return w;
	return NULL;
}

static bool set_word(struct mapping *m, const struct map *row, struct str value)
{
	const struct word *w = word_find(row->words, value);

	if (!w)
		return false;
	if (row->field == EV_ACTION)
		m->ev->action = w->value;
	else if (row->field == EV_SEVERITY)
		m->ev->severity = w->value;
	else
		return set_text(m, row, value);
	return true;
}

/* Of a path that ends in a star, "/a/note.*": the members of a whose names begin so, the one after
 * `before` or the first. */
static const struct json *starred(const struct mapping *m, const char *expr,
	const struct json *before)
{
	const char *name = strrchr(expr, '/') + 1;
	struct str front = { name, strlen(name) - 1 };
	const struct json *j = before;

	if (!j)
		j = json_at(m->w.element, (struct str){ expr, (size_t)(name - 1 - expr) });
	for (j = before ? j->next : j ? j->first : NULL; j; j = j->next)
		if (j->name.n > front.n && str_eq((struct str){ j->name.p, front.n }, front))
			break;
	return j;
}

static void add_detail(struct mapping *m, struct str name, const struct json *value)
{
	if (!value || value->type == JSON_NULL)
		return;
	if (value->type == JSON_STRING && value_absent(str_trim(value->text)))
		return;
	if (value->type == JSON_STRING && value_left_over(m->p, str_trim(value->text)))
		return;
	if (!m->details)
		m->details = json_new(m->a, JSON_OBJECT);
	json_share(m->a, m->details, name, value);
}

static void add_details(struct mapping *m, const struct map *row)
{
	const char *slash = strrchr(row->expr, '/'), *name = slash ? slash + 1 : row->expr + 1;
	const struct json *j = NULL;
	struct str tag = str_of(row->expr + 1);

	if (*row->expr == ':')
		add_detail(m, str_until(&tag, '/'),
			json_new_str(m->a, expr_eval(m->a, row->expr, &m->w)));
	else if (!str_ends(str_of(name), "*"))
		add_detail(m, str_of(name), expr_json(row->expr, &m->w));
	else
		while ((!m->details || m->details->count < DETAILS_MAX) &&
				(j = starred(m, row->expr, j)))
			add_detail(m, j->name, j);
}

/* One link; or one of each element, "/links/-/href"; or one of each member whose name begins so,
 * "/link.*", with the rest of the name as its text. */
static void add_links(struct mapping *m, const struct map *row)
{
	const char *dash = *row->expr == '/' ? strstr(row->expr, "/-/") : NULL;
	const struct json *list, *j = NULL;

	if (str_ends(str_of(row->expr), "*")) {
		size_t front = strlen(strrchr(row->expr, '/')) - 2;	/* without '/' and star */

		while ((j = starred(m, row->expr, j)))
			event_link(m->ev, str_trim(json_text(j)), str_sub(j->name, front));
		return;
	}
	if (!dash) {
		event_link(m->ev, expr_eval(m->a, row->expr, &m->w), STR_NONE);
		return;
	}
	list = json_at(m->w.element, (struct str){ row->expr, (size_t)(dash - row->expr) });
	if (!json_is(list, JSON_ARRAY))
		return;
	for (j = list->first; j && m->ev->link_n < EVENT_LINKS_MAX; j = j->next)
		event_link(m->ev, str_trim(json_text(json_at(j, str_of(dash + 2)))), STR_NONE);
}

static bool row_counts(const struct mapping *m, const struct map *row)
{
	unsigned only = row->only;

	if (m->done & 1U << row->field)
		return false;
	if (row->field == EV_ACTION)
		return true;
	if (!only)
		only = row->field == EV_SEVERITY ? ON_ALL & ~ON_IGNORE : ON_ALL;
	return only & 1U << m->ev->action;
}

static void apply_row(struct mapping *m, const struct map *row)
{
	struct str value;
	bool set;

	if (row->field == EV_DETAILS) {
		add_details(m, row);
		return;
	}
	if (row->field == EV_LINK) {
		add_links(m, row);
		return;
	}
	value = expr_eval(m->a, row->expr, &m->w);
	if (value.n == 0)
		return;
	if (row->as == WORD)
		set = set_word(m, row, value);
	else if (row->field == EV_OCCURRED)
		set = set_time(m, row, value);
	else
		set = set_text(m, row, value);
	if (set)
		m->done |= 1U << row->field;
}

static void apply_rows(struct mapping *m, const struct map *rows, bool action)
{
	for (const struct map *row = rows; row && row->field != EV_END; row++)
		if ((row->field == EV_ACTION) == action && row_counts(m, row))
			apply_row(m, row);
}

static bool variant_fits(const struct variant *v, struct str value)
{
	if (!v->is)
		return value.n > 0;
	for (const char *const *word = v->is; *word; word++)
		if (str_ieqs(value, *word))
			return true;
	return false;
}

static const struct map *variant_rows(struct mapping *m)
{
	const char *asked = NULL;
	struct str value = STR_NONE;

	for (const struct variant *v = m->p->variants; v && v->when; v++) {
		if (v->when != asked) {
			asked = v->when;
			value = expr_eval(m->a, asked, &m->w);
		}
		if (variant_fits(v, value))
			return v->fields;
	}
	return NULL;
}

/* ---- one event ------------------------------------------------------------------------------- */

/* The object or list that a text holds, or NULL. */
static const struct json *held(struct arena *a, const struct json *text)
{
	const struct json *doc;
	struct err e = { 0 };
	struct str s;

	if (!json_is(text, JSON_STRING))
		return NULL;
	s = str_trim(text->text);
	if (!str_starts(s, "{") && !str_starts(s, "["))
		return NULL;
	return json_parse(a, s, &doc, &e) ? doc : NULL;
}

/* What is inside an envelope's member: an object, or a text that holds one (SNS); else NULL. */
static const struct json *opened(struct arena *a, const struct wrap *wrap,
	const struct json *inside)
{
	struct str text = str_trim(json_text(inside));

	if (wrap->front && str_starts(text, wrap->front)) {
		text = str_sub(text, strlen(wrap->front));
		if (str_ends(text, wrap->back))
			text.n -= strlen(wrap->back);
		inside = json_new_str(a, text);
	}
	if (!json_is(inside, JSON_OBJECT))
		inside = held(a, inside);
	return json_is(inside, JSON_OBJECT) ? inside : NULL;
}

static void unwrap(struct mapping *m)
{
	for (const struct wrap *wrap = m->p->wraps; wrap && wrap->when; wrap++) {
		const struct json *inside;

		if (expr_eval(m->a, wrap->when, &m->w).n == 0)
			continue;
		inside = opened(m->a, wrap, json_at(m->w.element, str_of(wrap->inside)));
		if (!inside)
			continue;
		m->w.wrapper = m->w.element;
		m->w.element = inside;
	}
}

/* The tree was made for this request, so that a text in it may become what it holds. */
static void open_texts(struct mapping *m)
{
	for (const struct opening *o = m->p->opens; o && o->at; o++) {
		struct json *text = (struct json *)json_at(m->w.element, str_of(o->at));
		const struct json *inside = held(m->a, text);

		if (inside) {
			text->type = inside->type;
			text->first = inside->first;
			text->count = inside->count;
			text->text = STR_NONE;
		}
		if (text && o->name)
			text->name = str_of(o->name);
	}
}

static void default_severity(struct mapping *m)
{
	if (m->done & 1U << EV_SEVERITY)
		return;
	m->ev->severity = m->ev->action == ACTION_TRIGGER ? m->p->severity_trigger : SEVERITY_INFO;
}

/* Equal texts from equal places are one alert, and with no text equal bytes: the best that can be
 * said where a sender names nothing. */
struct str made_up_key(struct arena *a, const struct where *w, const struct event *ev)
{
	if (ev->summary.n == 0 && ev->source.n == 0)
		return expr_eval(a, "$body", w);
	return sha256_hex(a,
		arena_printf(a, "%.*s\n%.*s", STR_ARG(ev->summary), STR_ARG(ev->source)));
}

static void within_limits(struct arena *a, struct event *ev)
{
	static const enum event_field short_texts[] = {
		EV_SOURCE, EV_SERVICE, EV_ENTITY_TYPE, EV_ENTITY_ID, EV_NATIVE_SEVERITY,
	};

	for (size_t i = 0; i < ARRAY_SIZE(short_texts); i++) {
		struct str *s = text_field(ev, short_texts[i]);

		*s = text_limit(a, *s, EVENT_TEXT_MAX);
	}
	ev->event_type = text_limit(a, ev->event_type, EVENT_TYPE_MAX);
	if (ev->event_type.n == 0)
		ev->event_type = STR("event");
	ev->summary = text_limit(a, ev->summary, SUMMARY_MAX);
	if (ev->summary.n == 0)
		ev->summary = ev->event_type;
	ev->description = text_limit(a, ev->description, DESCRIPTION_MAX);
	for (size_t i = 0; i < ev->link_n; i++)
		ev->links[i].text = text_limit(a, ev->links[i].text, EVENT_TEXT_MAX);
	ev->level = level_of(ev->severity, ev->native_severity);
}

/* Nothing of an event that could not be mapped is kept but its id. */
static void invalidate(struct event *ev, const char *field)
{
	*ev = (struct event){
		.event_id = ev->event_id, .native_id = ev->native_id, .invalid = field,
	};
}

static void finish(struct mapping *m)
{
	struct event *ev = m->ev;

	if (m->details)
		ev->custom_details = m->details;
	if (ev->dedup_key.n == 0 && ev->action != ACTION_IGNORE)
		ev->dedup_key = made_up_key(m->a, &m->w, ev);
	if (ev->dedup_key.n)
		ev->dedup_key = key_limit(m->a, m->own_key ? NULL : m->p->slug, ev->dedup_key);
	within_limits(m->a, ev);
}

/* `settled`: there is nothing to alert about, whatever the rows say. */
static void map_element(struct mapping *m, bool settled)
{
	const struct map *special;

	if (!json_is(m->w.element, JSON_OBJECT)) {
		invalidate(m->ev, "element");
		return;
	}
	unwrap(m);
	open_texts(m);
	if (m->p->needs.expr && expr_eval(m->a, m->p->needs.expr, &m->w).n == 0) {
		invalidate(m->ev, m->p->needs.field);
		return;
	}
	special = variant_rows(m);
	if (!settled) {
		apply_rows(m, special, true);
		apply_rows(m, m->p->fields, true);
	}
	apply_rows(m, special, false);
	apply_rows(m, m->p->fields, false);
	default_severity(m);
	if (!m->p->adjust || m->p->adjust(m->p, m->a, &m->w, m->ev))
		finish(m);
	else
		invalidate(m->ev, m->ev->invalid);
}

/* ---- ids of one request ---------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	const struct event *const *x = a, *const *y = b;

	return str_cmp((*x)->event_id, (*y)->event_id);
}

/* Events that fell back on one id (of the request, of the body) become <id>#<n>, n from 0 by their
 * place. A long id is hashed before, since it would be copied for each of them. */
static void tell_equal_ids_apart(struct arena *a, struct event *events, size_t n)
{
	struct event **order = ARENA_ARRAY(a, struct event *, n);

	for (size_t i = 0; i < n; i++)
		order[i] = &events[i];
	qsort(order, n, sizeof(*order), by_id);
	for (size_t i = 0, end; i < n; i = end) {
		struct str id = order[i]->event_id;

		for (end = i + 1; end < n && str_eq(order[end]->event_id, id); end++)
			continue;
		if (end - i == 1)
			continue;
		id = id_limit(a, id);
		for (size_t k = i; k < end; k++)
			order[k]->event_id =
				arena_printf(a, "%.*s#%td", STR_ARG(id), order[k] - events);
	}
}

static void settle_ids(struct arena *a, const struct inbound *in, struct str *hash,
	struct event *events, size_t n)
{
	struct where w = { .in = in, .body_hash = hash };

	for (size_t i = 0; i < n; i++)
		if (events[i].event_id.n == 0) {
			events[i].event_id = expr_eval(a, "$body", &w);
			events[i].native_id = false;
		}
	if (n > 1)
		tell_equal_ids_apart(a, events, n);
	for (size_t i = 0; i < n; i++)
		events[i].event_id = id_limit(a, events[i].event_id);
}

/* ---- one request ----------------------------------------------------------------------------- */

/* The lists of .each that are there and hold something. */
struct lists {
	struct str at[LISTS_MAX];	/* the pointer that leads to it */
	const struct json *list[LISTS_MAX];
	size_t n, count;		/* of lists, of elements in all of them */
};

static void add_list(struct lists *l, struct str at, const struct json *list)
{
	if (!json_is(list, JSON_ARRAY) || list->count == 0)
		return;
	assert(l->n < LISTS_MAX);
	l->at[l->n] = at;
	l->list[l->n++] = list;
	l->count += list->count;
}

static void find_lists(const struct provider *p, struct arena *a, const struct inbound *in,
	struct lists *l)
{
	struct str rest = str_of(p->each);

	if (p->unfold)
		add_list(l, STR_NONE, p->unfold(a, in));
	if (p->each)
		do {
			struct str at = str_until(&rest, '|');

			add_list(l, at, json_at(in->doc, at));
		} while (rest.n);
}

/* A body without the list that is an event by itself. */
static bool stands_alone(const struct provider *p, struct arena *a, const struct inbound *in)
{
	struct where w = { .p = p, .in = in, .element = in->doc };

	if (!p->each || (*p->each == '\0' && json_is(in->doc, JSON_OBJECT)))
		return true;
	return p->alone && expr_eval(a, p->alone, &w).n;
}

/* The body as one event, or NULL. An empty batch counts as an empty event. */
static const struct json *whole_body(const struct provider *p, struct arena *a,
	const struct inbound *in)
{
	bool batch = p->each && *p->each == '\0' && json_is(in->doc, JSON_ARRAY);

	return batch ? json_new(a, JSON_OBJECT) : json_is(in->doc, JSON_OBJECT) ? in->doc : NULL;
}

struct run {	/* over the events of a request */
	const struct provider *p;
	struct arena *a;
	const struct inbound *in;
	struct str *hash;
	struct top_paths top;
	struct event *events;
	size_t n, done, began;
	bool settled;
};

static bool map_elements(struct run *r, struct str list, const struct json *element, struct err *e)
{
	for (; element && r->done < r->n; element = element->next, r->done++) {
		struct event *ev = &r->events[r->done];
		struct mapping m = {
			.p = r->p, .a = r->a, .ev = ev,
			.w = { .p = r->p, .event = ev, .in = r->in, .element = element, .list = list,
				.index = r->done, .body_hash = r->hash, .top = &r->top },
		};

		/* A long text of the top can be part of each event: 900 KB in each of 10,000. */
		if (r->done && arena_used(r->a) - r->began > EVENTS_BYTES_MAX)
			return err_set(e, ERR_LIMIT, "%s: events over %u bytes together", r->p->slug,
				EVENTS_BYTES_MAX);
		map_element(&m, r->settled);
	}
	return true;
}

static bool map_list(const struct provider *p, struct arena *a, const struct inbound *in,
	struct str *hash, size_t events_max, struct event **out, size_t *n, struct err *e)
{
	struct lists l = { .n = 0 };
	struct run r = { .p = p, .a = a, .in = in, .hash = hash };

	find_lists(p, a, in, &l);
	if (l.n == 0) {
		l.list[0] = whole_body(p, a, in);
		if (!l.list[0])
			return err_field(e, ERR_INVALID, "body", "%s: body holds no events", p->slug);
		l.count = 1;
		r.settled = !stands_alone(p, a, in);
	}
	if (l.count > events_max)
		return err_set(e, ERR_LIMIT, "%s: %zu events in one request", p->slug, l.count);
	*out = r.events = ARENA_ARRAY(a, struct event, l.count);
	*n = r.n = l.count;
	r.began = arena_used(a);
	if (l.n == 0)
		return map_elements(&r, STR_NONE, l.list[0], e);
	for (size_t i = 0; i < l.n; i++)
		if (!map_elements(&r, l.at[i], l.list[i]->first, e))
			return false;
	return true;
}

bool provider_map(const struct provider *p, struct arena *a, const struct inbound *in,
	size_t events_max, struct event **out, size_t *n, struct err *e)
{
	struct str hash = STR_NONE;

	if (!map_list(p, a, in, &hash, events_max, out, n, e))
		return false;
	settle_ids(a, in, &hash, *out, *n);
	return true;
}

bool provider_handshake(const struct provider *p, struct arena *a, const struct inbound *in,
	struct answer *answer, struct event **out, size_t *n)
{
	struct err e = { 0 };

	*n = 0;
	if (!p->handshake || !p->handshake(p, a, in, answer))
		return false;
	if (str_eqs(in->method, "OPTIONS") || (json_is(in->doc, JSON_ARRAY) && !in->doc->count))
		return true;	/* a question, an empty list: no event */
	if (!provider_map(p, a, in, 1, out, n, &e) || (*out)->invalid)
		*n = 0;
	else
		**out = (struct event){
			.event_id = (*out)->event_id, .native_id = (*out)->native_id,
			.event_type = (*out)->event_type, .summary = (*out)->summary,
			.source = (*out)->source, .occurred_at = (*out)->occurred_at,
		};
	return true;
}
