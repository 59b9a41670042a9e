/* message.c - a message as JSON and back: what stands in the outbox until it is sent. */
#include "grapnel/channel.h"

static const char *const phases[] = { [MESSAGE_NOTE] = "note", [MESSAGE_BEGINS] = "begins", [MESSAGE_ENDS] = "ends" };

void message_add_fact(struct message *m, const char *name, struct str value)
{
	if (value.n && m->fact_n < MESSAGE_FACTS_MAX)
		m->facts[m->fact_n++] = (struct message_fact){ str_of(name), value };
}

/* ---- writing ---- */

static void member(struct json_out *o, const char *name, struct str value)
{
	json_key(o, name);
	json_str(o, value);
}

static void write_facts(struct json_out *o, const struct message *m)
{
	json_key(o, "facts");
	json_open(o, '[');
	for (size_t i = 0; i < m->fact_n; i++) {
		json_open(o, '{');
		member(o, "name", m->facts[i].name);
		member(o, "value", m->facts[i].value);
		json_close(o, '}');
	}
	json_close(o, ']');
}

struct str message_write(struct arena *a, const struct message *m)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, MESSAGE_BYTES_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	member(&o, "type", m->type);
	member(&o, "thread", m->thread);
	member(&o, "phase", str_of(phases[m->phase]));
	member(&o, "level", str_of(level_word(m->level)));
	member(&o, "title", m->title);
	member(&o, "text", m->text);
	write_facts(&o, m);
	member(&o, "path", m->path);
	json_key(&o, "at");
	json_time(&o, m->at);
	json_key(&o, "data");
	if (m->data.n)
		json_raw(&o, m->data);
	else
		json_null(&o);
	json_close(&o, '}');
	return strbuf_str(&b);
}

/* ---- reading ---- */

static bool read_phase(struct str s, enum message_phase *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		if (str_eqs(s, phases[i])) {
			*out = (enum message_phase)i;
			return true;
		}
	return false;
}

static struct str as_text(struct arena *a, const struct json *j)
{
	struct strbuf b;
	struct json_out o;

	if (!json_is(j, JSON_OBJECT))
		return STR_NONE;
	strbuf_init(&b, a, MESSAGE_BYTES_MAX);
	json_out_init(&o, &b);
	json_tree(&o, j);
	return strbuf_str(&b);
}

bool message_read(struct arena *a, struct str text, struct message *out, struct err *e)
{
	struct message m = { 0 };
	const struct json *j;

	if (!json_parse(a, text, &j, e))
		return false;
	m.type = json_text(json_get(j, "type"));
	m.thread = json_text(json_get(j, "thread"));
	m.title = json_text(json_get(j, "title"));
	m.text = json_text(json_get(j, "text"));
	m.path = json_text(json_get(j, "path"));
	m.data = as_text(a, json_get(j, "data"));
	for (const struct json *f = json_is(json_get(j, "facts"), JSON_ARRAY) ? json_get(j, "facts")->first : NULL; f; f = f->next)
		if (m.fact_n < MESSAGE_FACTS_MAX)
			m.facts[m.fact_n++] = (struct message_fact){ json_text(json_get(f, "name")), json_text(json_get(f, "value")) };
	if (!m.type.n || !m.thread.n || !m.title.n || !read_phase(json_text(json_get(j, "phase")), &m.phase) ||
		!level_parse(json_text(json_get(j, "level")), &m.level) || !time_parse(json_text(json_get(j, "at")), &m.at))
		return err_set(e, ERR_INVALID, "this is no message");
	*out = m;
	return true;
}
