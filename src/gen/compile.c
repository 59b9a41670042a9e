/* compile.c - one template to one C function. The language is described in web/tmpl/README.md.
 *
 * The source is read once, line by line. Text goes through place.c and is gathered until the next mark; marks become
 * statements, each after a #line, so that the C compiler's messages about names and types point into the template.
 * Types are not known here: html.h picks by _Generic, and what fits nowhere is a compile error. After fossil's
 * translate.c and kcgi's templates, made safe by type and place. */
#include "gen_int.h"

#define DEPTH_MAX 16		/* of blocks in blocks */
#define MARK_MAX 1000		/* bytes: a longer one is a mistake */
#define WORDS_MAX (16u << 10)	/* of the C made from one mark: a letter and a bar become "html_f_a(o, )" */

enum block_kind { BLOCK_IF, BLOCK_FOR };

struct block {
	enum block_kind kind;
	unsigned line;
	bool has_else, joined;
	struct place before, after;	/* `after`: where the branches so far end */
	struct str loop;		/* name of BLOCK_FOR */
};

struct compiler {
	struct arena *a;
	struct template *t;
	const struct template *all;
	size_t all_n;
	struct err *e;
	struct str rest;		/* of the source */
	struct strbuf out, text;	/* C; text of the template that is not yet in it */
	struct place at;
	struct block blocks[DEPTH_MAX];
	size_t depth;
	bool bare;			/* this line has nothing but block marks */
};

static bool refuse(struct compiler *c, const char *sentence)
{
	return err_set(c->e, ERR_INVALID, "%s", sentence);
}

static void eat(struct compiler *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->t->line += c->rest.p[i] == '\n';
	c->rest = str_sub(c->rest, n);
}

static struct block *innermost(struct compiler *c)
{
	return c->depth ? &c->blocks[c->depth - 1] : NULL;
}

static const char *block_word(const struct block *b)
{
	return b->kind == BLOCK_IF ? "if" : "for";
}

/* ---- C ---- */

static void indent(struct compiler *c)
{
	for (size_t i = 0; i <= c->depth; i++)
		strbuf_addc(&c->out, '\t');
}

static void flush_text(struct compiler *c)
{
	struct str text = strbuf_str(&c->text);

	if (!text.n)
		return;
	indent(c);
	strbuf_adds(&c->out, "html_lit(o, ");
	c_string(&c->out, text, c->depth + 2);
	strbuf_addf(&c->out, ", %zu);\n", text.n);
	c->text.n = 0;
}

static void line_mark(struct compiler *c)
{
	strbuf_addf(&c->out, "#line %u ", c->t->line);
	c_string(&c->out, c->t->path, 0);
	strbuf_addc(&c->out, '\n');
}

/* One statement, or the head or end of a block. */
static void statement(struct compiler *c, struct str code)
{
	flush_text(c);
	line_mark(c);
	indent(c);
	strbuf_addstr(&c->out, code);
	strbuf_addc(&c->out, '\n');
}

/* ---- paths ---- */

static bool is_loop(const struct compiler *c, struct str name)
{
	for (size_t i = 0; i < c->depth; i++)
		if (c->blocks[i].kind == BLOCK_FOR && str_eq(c->blocks[i].loop, name))
			return true;
	return false;
}

/* A path as a C expression: v->page.title, i->title, (*i). */
static bool path(struct compiler *c, struct str *mark, struct strbuf *code)
{
	struct str name;
	bool loop;

	if (!word_name(mark, &name))
		return refuse(c, "The name of a value is missing here.");
	loop = is_loop(c, name);
	if (loop && !str_starts(str_trim(*mark), ".")) {
		strbuf_addf(code, "(*%.*s)", STR_ARG(name));
		return true;
	}
	if (!loop)
		strbuf_addf(code, "v->%.*s", STR_ARG(name));
	else
		strbuf_addf(code, "%.*s", STR_ARG(name));
	for (bool first = loop; word_eat(mark, "."); first = false) {
		if (!word_name(mark, &name))
			return refuse(c, "A name is missing after the dot.");
		strbuf_addf(code, "%s%.*s", first ? "->" : ".", STR_ARG(name));
	}
	return true;
}

static bool mark_ends(struct compiler *c, struct str mark)
{
	mark = str_trim(mark);
	return !mark.n || err_set(c->e, ERR_INVALID, "This is too much in the mark: %.60s", arena_cstr(c->a, mark));
}

/* ---- marks ---- */

/* {{ path | filter | filter }} */
static bool mark_value(struct compiler *c, struct str mark)
{
	const char *escaper = place_escaper(&c->at, c->e);
	struct strbuf value;
	struct str filter, inner;

	strbuf_init(&value, c->a, WORDS_MAX);
	if (!escaper || !path(c, &mark, &value))
		return false;
	while (word_eat(&mark, "|")) {
		if (!word_name(&mark, &filter))
			return refuse(c, "The name of a filter is missing after the bar.");
		inner = arena_str(c->a, strbuf_str(&value));
		value.n = 0;
		strbuf_addf(&value, "html_f_%.*s(o, %.*s)", STR_ARG(filter), STR_ARG(inner));
	}
	if (!mark_ends(c, mark))
		return false;
	statement(c, arena_printf(c->a, "%s(o, %.*s);", escaper, STR_ARG(strbuf_str(&value))));
	place_value(&c->at);
	return true;
}

/* x, not x, x == "word", x != 3, x > 3 */
static bool term(struct compiler *c, struct str *mark, struct strbuf *code)
{
	bool not = word_eat(mark, "not"), equal;
	struct str value, op, right, rest;
	struct strbuf b;

	strbuf_init(&b, c->a, WORDS_MAX);
	if (!path(c, mark, &b))
		return false;
	value = strbuf_str(&b);
	rest = *mark;
	op = word_next(&rest);
	if (!op.n || !strchr("=!<>", op.p[0])) {
		strbuf_addf(code, "%shtml_true(%.*s)", not ? "!" : "", STR_ARG(value));
		return true;
	}
	*mark = rest;
	right = word_next(mark);
	equal = op.n == 2;
	if (not)
		return refuse(c, "`not` stands before a single value; turn the comparison round instead.");
	if (equal && word_is_quoted(right)) {
		strbuf_addf(code, "%shtml_is(%.*s, ", op.p[0] == '!' ? "!" : "", STR_ARG(value));
		c_string(code, (struct str){ right.p + 1, right.n - 2 }, 0);
		strbuf_addc(code, ')');
	} else if ((equal || op.p[0] == '<' || op.p[0] == '>') && word_is_number(right)) {
		strbuf_addf(code, "%.*s %.*s %.*s", STR_ARG(value), STR_ARG(op), STR_ARG(right));
	} else {
		return refuse(c, "A comparison is == or != with a \"word\", or == != < > with a number.");
	}
	return true;
}

static bool condition(struct compiler *c, struct str mark, struct str *out)
{
	const char *joint = NULL;
	struct strbuf code;

	strbuf_init(&code, c->a, WORDS_MAX);
	if (!term(c, &mark, &code))
		return false;
	while (str_trim(mark).n) {
		const char *word = word_eat(&mark, "and") ? "&&" : word_eat(&mark, "or") ? "||" : NULL;

		if (!word)
			return mark_ends(c, mark);
		if (joint && joint[0] != word[0])
			return refuse(c, "`and` and `or` cannot be mixed in one condition.");
		joint = word;
		strbuf_addf(&code, " %s ", joint);
		if (!term(c, &mark, &code))
			return false;
	}
	*out = strbuf_str(&code);
	return true;
}

static bool block_begin(struct compiler *c, enum block_kind kind, struct str loop, struct str head)
{
	if (c->depth == DEPTH_MAX)
		return refuse(c, "Blocks are nested too deeply.");
	statement(c, head);
	/* The second turn of a loop in a tag begins where the first has ended. */
	if (kind == BLOCK_FOR && c->at.spot == SPOT_TAG)
		c->at.spot = SPOT_WORD;
	c->blocks[c->depth++] = (struct block){ .kind = kind, .line = c->t->line, .before = c->at, .loop = loop };
	return true;
}

/* The branch that ends here must lead to the same place as those before it. */
static bool branch_end(struct compiler *c, struct block *b, struct place end)
{
	if (!b->joined)
		b->after = end;
	else if (!place_join(&b->after, &end))
		return err_set(c->e, ERR_INVALID, "The ways through the {%% %s %%} of line %u end in different places of the HTML.",
			block_word(b), b->line);
	b->joined = true;
	return true;
}

static bool mark_if(struct compiler *c, struct str mark)
{
	struct str code;

	return condition(c, mark, &code) &&
		block_begin(c, BLOCK_IF, STR_NONE, arena_printf(c->a, "if (%.*s) {", STR_ARG(code)));
}

/* Ends one branch and begins the next. */
static bool next_branch(struct compiler *c, struct str head)
{
	struct block *b = innermost(c);

	if (!b || b->kind != BLOCK_IF || b->has_else)
		return refuse(c, "There is no open {% if %} for this.");
	if (!branch_end(c, b, c->at))
		return false;
	flush_text(c);
	c->depth--;
	statement(c, head);
	c->depth++;
	c->at = b->before;
	return true;
}

static bool mark_elif(struct compiler *c, struct str mark)
{
	struct str code;

	return condition(c, mark, &code) && next_branch(c, arena_printf(c->a, "} else if (%.*s) {", STR_ARG(code)));
}

static bool mark_else(struct compiler *c, struct str mark)
{
	if (!mark_ends(c, mark) || !next_branch(c, STR("} else {")))
		return false;
	c->blocks[c->depth - 1].has_else = true;
	return true;
}

static bool mark_end(struct compiler *c, struct str mark)
{
	struct block *b = innermost(c);

	if (!b)
		return refuse(c, "There is nothing open that {% end %} could end.");
	/* A loop may run never or again, an if without else may be passed over. */
	if (!mark_ends(c, mark) || !branch_end(c, b, c->at) || (!b->has_else && !branch_end(c, b, b->before)))
		return false;
	flush_text(c);
	c->depth--;
	statement(c, STR("}"));
	c->at = b->after;
	return true;
}

/* {% for i in incidents %} */
static bool mark_for(struct compiler *c, struct str mark)
{
	struct strbuf array;
	struct str loop;

	strbuf_init(&array, c->a, WORDS_MAX);
	if (!word_name(&mark, &loop) || !word_eat(&mark, "in"))
		return refuse(c, "A loop is {% for name in array %}.");
	if (is_loop(c, loop) || str_eqs(loop, "o") || str_eqs(loop, "v"))
		return err_set(c->e, ERR_INVALID, "The name %.40s is taken.", arena_cstr(c->a, loop));
	if (!path(c, &mark, &array) || !mark_ends(c, mark))
		return false;
	return block_begin(c, BLOCK_FOR, loop, arena_printf(c->a, "html_each(%.*s, %.*s, %.*s_n) {", STR_ARG(loop),
		STR_ARG(strbuf_str(&array)), STR_ARG(strbuf_str(&array))));
}

static bool template_known(const struct compiler *c, struct str name)
{
	for (size_t i = 0; i < c->all_n; i++)
		if (str_eq(c->all[i].name, name))
			return true;
	return false;
}

/* {% include row with i %} */
static bool mark_include(struct compiler *c, struct str mark)
{
	struct strbuf view;
	struct str name;

	strbuf_init(&view, c->a, WORDS_MAX);
	if (!word_name(&mark, &name))
		return refuse(c, "The name of the template is missing.");
	if (!template_known(c, name))
		return err_set(c->e, ERR_INVALID, "There is no template %.60s.html in the list of Makefile.am.", arena_cstr(c->a, name));
	if (c->at.spot != SPOT_TEXT || (c->at.inside != ELEMENT_PLAIN && c->at.inside != ELEMENT_PRE))
		return refuse(c, "A template can only be included between tags.");
	if (word_eat(&mark, "with")) {
		strbuf_adds(&view, "&");
		if (!path(c, &mark, &view))
			return false;
	} else {
		strbuf_adds(&view, "v");
	}
	if (!mark_ends(c, mark))
		return false;
	statement(c, arena_printf(c->a, "tmpl_%.*s(o, %.*s);", STR_ARG(name), STR_ARG(strbuf_str(&view))));
	return true;
}

/* To add a mark: its word and its function. */
static const struct {
	const char *word;
	bool (*run)(struct compiler *c, struct str mark);
} marks[] = {
	{ "if", mark_if }, { "elif", mark_elif }, { "else", mark_else }, { "for", mark_for }, { "end", mark_end },
	{ "include", mark_include },
};

static bool mark_block(struct compiler *c, struct str mark)
{
	struct str word = word_next(&mark);

	if (c->at.inside == ELEMENT_SCRIPT && c->at.spot == SPOT_TEXT)
		return refuse(c, "No mark can stand in <script>.");
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (str_eqs(word, marks[i].word))
			return marks[i].run(c, mark);
	return err_set(c->e, ERR_INVALID, "There is no mark {%% %.40s %%}.", arena_cstr(c->a, word));
}

/* ---- lines ---- */

/* Blanks and marks that write nothing themselves, up to the end of the line, which is where *s is then. */
static bool line_is_bare(struct str *s)
{
	struct str inside, words;
	char kind;

	while (s->n && s->p[0] != '\n') {
		if (s->p[0] == ' ' || s->p[0] == '\t') {
			*s = str_sub(*s, 1);
			continue;
		}
		if (mark_here(*s, &kind, &inside) <= 0 || kind == '{')
			return false;
		words = inside;
		if (kind == '%' && str_eqs(word_next(&words), "include"))
			return false;
		*s = str_sub(*s, inside.n + 4);
	}
	return true;
}

/* At the beginning of a line: its indentation is layout of the template, not of the page. */
static void line_begin(struct compiler *c)
{
	struct str line = c->rest;
	size_t n = 0;

	if (place_keeps_blanks(&c->at))
		return;
	c->bare = line_is_bare(&line);
	while (n < c->rest.n && (c->rest.p[n] == ' ' || c->rest.p[n] == '\t'))
		n++;
	eat(c, n);
}

/* Nothing but lines without text: the line break before them is the template's last, which is left to who includes it. */
static bool only_bare_lines(struct str s)
{
	while (s.n && line_is_bare(&s))
		s = str_sub(s, 1);
	return !s.n;
}

static bool line_end(struct compiler *c)
{
	if (!place_pass(&c->at, STR("\n"), c->e))
		return false;
	if (place_keeps_blanks(&c->at)) {
		strbuf_addc(&c->text, '\n');
	} else if (!c->bare && !only_bare_lines(str_sub(c->rest, 1))) {
		while (c->text.n && (c->text.p[c->text.n - 1] == ' ' || c->text.p[c->text.n - 1] == '\t'))
			c->text.n--;
		strbuf_addc(&c->text, '\n');
	}
	c->bare = false;
	eat(c, 1);
	line_begin(c);
	return true;
}

/* Text up to the next mark or the end of the line. */
static bool text_piece(struct compiler *c)
{
	struct str piece = { c->rest.p, 0 }, inside;
	char kind;

	while (piece.n < c->rest.n && c->rest.p[piece.n] != '\n' && !mark_here(str_sub(c->rest, piece.n), &kind, &inside))
		piece.n++;
	if (!place_pass(&c->at, piece, c->e))
		return false;
	if (!c->bare)
		strbuf_addstr(&c->text, piece);
	eat(c, piece.n);
	return true;
}

static bool piece(struct compiler *c)
{
	struct str inside;
	char kind;
	int found;

	if (c->rest.p[0] == '\n')
		return line_end(c);
	found = mark_here(c->rest, &kind, &inside);
	if (!found)
		return text_piece(c);
	if (found < 0)
		return refuse(c, kind == '#' ? "The comment has no end." : "The mark has no end on its line.");
	if (kind != '#' && inside.n > MARK_MAX)
		return refuse(c, "The mark is too long.");
	if ((kind == '{' && !mark_value(c, inside)) || (kind == '%' && !mark_block(c, inside)))
		return false;
	eat(c, inside.n + 4);
	return true;
}

/* ---- the whole ---- */

/* {# struct incidents_page from "src/dash/incidents.h" #} */
static bool first_line(struct compiler *c)
{
	struct str mark, view, header;
	char kind;

	if (mark_here(c->rest, &kind, &mark) <= 0 || kind != '#' || !word_eat(&mark, "struct") || !word_name(&mark, &view) ||
			!word_eat(&mark, "from") || !word_is_header(header = word_next(&mark)) || str_trim(mark).n)
		return refuse(c, "The first line is {# struct NAME from \"HEADER\" #}.");
	c->t->view = view;
	c->t->header = header;
	return true;
}

static bool all_closed(struct compiler *c)
{
	const struct block *b = innermost(c);

	if (b)
		return err_set(c->e, ERR_INVALID, "The {%% %s %%} of line %u has no {%% end %%}.", block_word(b), b->line);
	if (c->at.spot != SPOT_TEXT)
		return refuse(c, "The template ends inside a tag.");
	if (c->at.inside != ELEMENT_PLAIN)
		return refuse(c, "The template ends inside <pre>, <textarea>, <title> or <script>.");
	return true;
}

/* Tabs, line breaks and UTF-8: nothing that editors or browsers could read in two ways. */
static bool source_is_text(struct compiler *c)
{
	struct str all = c->rest;

	if (!str_is_utf8(all))
		return refuse(c, "The template is not UTF-8.");
	for (size_t i = 0; i < all.n; i++)
		if ((unsigned char)all.p[i] < ' ' && all.p[i] != '\t' && all.p[i] != '\n')
			return refuse(c, "The template has control characters, or lines that end in CR LF.");
	return true;
}

bool template_compile(struct arena *a, struct template *t, const struct template *all, size_t n, struct err *e)
{
	struct compiler c = { .a = a, .t = t, .all = all, .all_n = n, .e = e, .rest = t->source };

	strbuf_init(&c.out, a, OUTPUT_MAX);
	strbuf_init(&c.text, a, SOURCE_MAX);
	t->line = 1;
	if (!template_name_is_good(t->name))
		return refuse(&c, "The name of a template has small letters, digits and _ only.");
	if (!source_is_text(&c) || !first_line(&c))
		return false;
	line_mark(&c);
	strbuf_addf(&c.out, "void tmpl_%.*s(struct html_out *o, const struct %.*s *v)\n{\n", STR_ARG(t->name), STR_ARG(t->view));
	line_begin(&c);
	while (c.rest.n)
		if (!piece(&c))
			return false;
	if (!all_closed(&c))
		return false;
	flush_text(&c);
	strbuf_adds(&c.out, "}\n");
	t->code = strbuf_str(&c.out);
	return !c.out.failed || refuse(&c, "The template is too large.");
}
