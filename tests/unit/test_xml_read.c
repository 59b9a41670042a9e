/* XML as the tree that JSON gives. The bad ones are from the "XML vulnerabilities" list of Python's defusedxml and from W3C's
 * conformance suite (not-wf). */
#include "unit.h"

#include "grapnel/xml.h"

static struct str written(struct arena *a, const struct json *j)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, 1 << 24);
	json_out_init(&o, &b);
	json_tree(&o, j);
	ck_assert(!b.failed);
	return strbuf_str(&b);
}

#define UNICODE_BOM "\xef\xbb\xbf"

static const struct {
	const char *text;
	const char *want;	/* NULL = ERR_INVALID */
} rows[] = {
	/* text */
	{ "<a/>", "{\"a\":\"\"}" },
	{ "<a></a>", "{\"a\":\"\"}" },
	{ "<a>1</a>", "{\"a\":\"1\"}" },
	{ "<a>\n  two words\n</a>", "{\"a\":\"two words\"}" },
	{ "<a>1<!-- no text -->2</a>", "{\"a\":\"12\"}" },
	{ "<a><?target no text?>1</a>", "{\"a\":\"1\"}" },
	{ "<a><![CDATA[<b>&amp;</b>]]></a>", "{\"a\":\"<b>&amp;</b>\"}" },
	{ "<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x20ac;</a>", "{\"a\":\"<>&\\\"'A\xe2\x82\xac\"}" },
	{ "<a>x\r\ny</a>", "{\"a\":\"x\\ny\"}" },
	{ "<a>\xc3\xa4</a>", "{\"a\":\"\xc3\xa4\"}" },
	/* elements */
	{ "<a><b>1</b><c>2</c></a>", "{\"a\":{\"b\":\"1\",\"c\":\"2\"}}" },
	{ "<a> <b/> </a>", "{\"a\":{\"b\":\"\"}}" },
	{ "<a>x <b>1</b> y</a>", "{\"a\":{\"b\":\"1\",\"#text\":\"x  y\"}}" },
	{ "<a>x<b>y</b></a>", "{\"a\":{\"b\":\"y\",\"#text\":\"x\"}}" },
	/* those that repeat */
	{ "<a><b>1</b><b>2</b></a>", "{\"a\":{\"b\":[\"1\",\"2\"]}}" },
	{ "<a><b>1</b><c/><b>2</b><c/><b>3</b></a>", "{\"a\":{\"b\":[\"1\",\"2\",\"3\"],\"c\":[\"\",\"\"]}}" },
	{ "<a><z/><b>1</b><y/><b>2</b></a>", "{\"a\":{\"z\":\"\",\"b\":[\"1\",\"2\"],\"y\":\"\"}}" },
	{ "<a><b><c/></b><b x='1'/><b>3</b></a>", "{\"a\":{\"b\":[{\"c\":\"\"},{\"@x\":\"1\"},\"3\"]}}" },
	{ "<a><a><a/><a/></a></a>", "{\"a\":{\"a\":{\"a\":[\"\",\"\"]}}}" },
	/* attributes */
	{ "<a x=\"1\" y='2'/>", "{\"a\":{\"@x\":\"1\",\"@y\":\"2\"}}" },
	{ "<a x='&lt;&#10;'>1</a>", "{\"a\":{\"@x\":\"<\\n\",\"#text\":\"1\"}}" },
	{ "<a x='1'><x>2</x></a>", "{\"a\":{\"@x\":\"1\",\"x\":\"2\"}}" },
	/* namespaces */
	{ "<s:a xmlns:s='urn:s'><s:b/></s:a>", "{\"a\":{\"b\":\"\"}}" },
	{ "<a xmlns='urn:s'><b/></a>", "{\"a\":{\"b\":\"\"}}" },
	{ "<a xmlns:s='urn:s' xmlns:t='urn:t'><s:b>1</s:b><t:b>2</t:b></a>", "{\"a\":{\"b\":[\"1\",\"2\"]}}" },
	{ "<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='sf:Contact'/>", "{\"a\":{\"@type\":\"sf:Contact\"}}" },
	{ "<a xml:lang='en'/>", "{\"a\":{\"@lang\":\"en\"}}" },
	{ "<s:a xmlnsx='1'/>", "{\"a\":{\"@xmlnsx\":\"1\"}}" },	/* not declared, and nobody asks */
	{ "<a s:x='1' t:x='2'/>", "{\"a\":{\"@x\":[\"1\",\"2\"]}}" },
	{ "<a s:x='1' s:x='2'/>", NULL },
	/* in front and behind */
	{ "<?xml version='1.0'?><a/>", "{\"a\":\"\"}" },
	{ UNICODE_BOM "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a/>\n", "{\"a\":\"\"}" },
	{ "\n<!-- hello --><a/><!-- bye -->", "{\"a\":\"\"}" },
	{ "\n<?xml version='1.0'?><a/>", NULL },
	{ UNICODE_BOM UNICODE_BOM "<a/>", NULL },
	{ "<a/><b/>", NULL },
	{ "<a/>x", NULL },
	{ "", NULL },
	{ "   ", NULL },
	{ UNICODE_BOM, NULL },
	{ "{}", NULL },
	/* encodings */
	{ "<?xml version='1.0' encoding='iso-8859-1'?><a>\xe4</a>", "{\"a\":\"\xc3\xa4\"}" },
	{ "<?xml version='1.0' encoding='us-ascii'?><a>1</a>", "{\"a\":\"1\"}" },
	{ "<?xml version='1.0' encoding='US-ASCII'?><a>\xe4</a>", NULL },
	{ "<?xml version='1.0' encoding='windows-1252'?><a>1</a>", NULL },
	{ "<?xml version='1.0' encoding='UTF-16'?><a>1</a>", NULL },
	{ "<?xml version='1.0' encoding='UTF-7'?><a>1</a>", NULL },
	{ "<?xml version='1.0' encoding='x'?><a>1</a>", NULL },
	{ UNICODE_BOM "<?xml version='1.0' encoding='iso-8859-1'?><a>\xe4</a>", "{\"a\":\"\xc3\xa4\"}" },	/* the word wins */
	{ "<a>\xff</a>", NULL },
	{ "<a>\xc0\x80</a>", NULL },
	{ "<a>\xed\xa0\x80</a>", NULL },
	{ "<a>\xf5\x80\x80\x80</a>", NULL },
	{ "<a x='\xe4'/>", NULL },
	{ "<a>&#0;</a>", NULL },
	{ "<a>&#xd800;</a>", NULL },
	{ "<a>&#x110000;</a>", NULL },
	{ "<a>\x01</a>", NULL },
	/* document types, and what they could declare */
	{ "<!DOCTYPE a><a/>", NULL },
	{ "<!DOCTYPE a SYSTEM 'http://evil.example/a.dtd'><a/>", NULL },
	{ "<!DOCTYPE a PUBLIC '-//X//Y' 'file:///etc/passwd'><a/>", NULL },
	{ "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", NULL },
	{ "<!DOCTYPE a [<!ENTITY x 'xxxxxxxxxx'><!ENTITY y '&x;&x;&x;&x;'>]><a>&y;&y;</a>", NULL },
	{ "<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://evil.example/'>%x;]><a/>", NULL },
	{ "<!DOCTYPE a [<!ATTLIST a x CDATA 'default'>]><a/>", NULL },
	{ "<a>&x;</a>", NULL },
	{ "<?xml version='1.0' standalone='no'?><a>&x;</a>", NULL },
	{ "<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='file:///etc/passwd'/></a>",
		"{\"a\":{\"include\":{\"@href\":\"file:///etc/passwd\"}}}" },
	/* not well-formed */
	{ "<a>", NULL },
	{ "<a", NULL },
	{ "<", NULL },
	{ "</a>", NULL },
	{ "<a></b>", NULL },
	{ "<a><b></a></b>", NULL },
	{ "<a x=1/>", NULL },
	{ "<a x/>", NULL },
	{ "<a x='1' x='2'/>", NULL },
	{ "<a x='<'/>", NULL },
	{ "<a>&</a>", NULL },
	{ "<a>]]></a>", NULL },
	{ "<a><![CDATA[x</a>", NULL },
	{ "<a><!-- -- --></a>", NULL },
	{ "<1/>", NULL },
	{ "< a/>", NULL },
	{ "<A></a>", NULL },
	{ "<?xml version='2'?><a", NULL },
};

START_TEST(test_rows)
{
	struct arena *a = arena_new(1 << 24);
	const struct json *j = NULL;
	struct err e = { 0 };
	bool ok = xml_parse(a, str_of(rows[_i].text), &j, &e);

	ck_assert_msg(ok == (rows[_i].want != NULL), "%s: %s", rows[_i].text, e.text);
	if (ok)
		unit_str(written(a, j), rows[_i].want);
	else
		ck_assert_int_eq(e.code, ERR_INVALID);
	arena_free(a);
}
END_TEST

/* UTF-16, with a mark, declared or neither. */
START_TEST(test_nul_is_refused)
{
	static const struct str texts[] = {
		STR("\xff\xfe<\0a\0/\0>\0"), STR("\0<\0a\0/\0>"), STR("<\0a\0/\0>\0"), STR("<a>\0</a>"), STR("<a/>\0"),
	};
	struct arena *a = arena_new(1 << 20);
	const struct json *j;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct err e = { 0 };

		ck_assert(!xml_parse(a, texts[i], &j, &e));
		ck_assert_int_eq(e.code, ERR_INVALID);
		ck_assert_ptr_nonnull(strstr(e.text, "encoding"));
	}
	arena_free(a);
}
END_TEST

static const struct {
	const char *text, *says;
} sentences[] = {
	{ "<a><b></a>", "XML: mismatched tag at byte 8" },
	{ "<!DOCTYPE a><a/>", "XML: a document type declaration is not taken at byte " },
	{ "<?xml version='1.0' encoding='KOI8-R'?><a/>", "XML: encoding is none of UTF-8, US-ASCII and ISO-8859-1 at byte " },
	{ "<?xml version='1.0' encoding='utf-16'?><a/>", "XML: encoding is none of UTF-8, US-ASCII and ISO-8859-1 at byte " },
	{ "<a", "XML: unclosed token at byte 0" },
};

START_TEST(test_sentences)
{
	struct arena *a = arena_new(1 << 20);
	const struct json *j;
	struct err e = { 0 };

	ck_assert(!xml_parse(a, str_of(sentences[_i].text), &j, &e));
	ck_assert_msg(str_starts(str_of(e.text), sentences[_i].says), "%s", e.text);
	arena_free(a);
}
END_TEST

static struct str repeated(struct arena *a, const char *front, const char *open, const char *close, const char *back, size_t n)
{
	struct strbuf b;

	strbuf_init(&b, a, 1 << 24);
	strbuf_adds(&b, front);
	for (size_t i = 0; i < n; i++)
		strbuf_adds(&b, open);
	for (size_t i = 0; i < n; i++)
		strbuf_adds(&b, close);
	strbuf_adds(&b, back);
	return strbuf_str(&b);
}

static const struct {
	size_t depth;
	const char *open, *close;
	bool ok;
} depths[] = {
	{ XML_DEPTH_MAX, "<a>", "</a>", true },
	{ XML_DEPTH_MAX + 1, "<a>", "</a>", false },
	{ XML_DEPTH_MAX, "<a x='1'>", "</a>", true },
	{ XML_DEPTH_MAX - 1, "<a><a x='1'/>", "</a>", true },	/* an array at each level: the deepest tree there is */
	{ 300000, "<a>", "</a>", false },
	{ 300000, "<a>", "", false },
};

START_TEST(test_depth)
{
	struct arena *a = arena_new(1 << 25);
	struct str text = repeated(a, "", depths[_i].open, depths[_i].close, "", depths[_i].depth);
	const struct json *j;
	struct err e = { 0 };

	ck_assert(xml_parse(a, text, &j, &e) == depths[_i].ok);
	ck_assert_int_eq(e.code, depths[_i].ok ? ERR_NONE : ERR_LIMIT);
	if (depths[_i].ok)
		(void)written(a, j);	/* the writer knows no more than JSON_DEPTH_MAX levels */
	arena_free(a);
}
END_TEST

/* The limit of elements and attributes. */
START_TEST(test_count)
{
	struct arena *a = arena_new(1 << 28);
	const struct json *j;
	struct err e = { 0 };

	ck_assert(xml_parse(a, repeated(a, "<a>", "<b/>", "", "</a>", JSON_NODES_MAX - 1), &j, &e));
	ck_assert_uint_eq(json_at(j, STR("/a/b"))->count, JSON_NODES_MAX - 1);
	ck_assert(!xml_parse(a, repeated(a, "<a>", "<b/>", "", "</a>", JSON_NODES_MAX), &j, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	e = (struct err){ 0 };
	ck_assert(!xml_parse(a, repeated(a, "<a>", "<b x='1'/>", "", "</a>", JSON_NODES_MAX / 2), &j, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	arena_free(a);
}
END_TEST

/* Neither for brothers of different names nor for text between them is the time quadratic: it would be minutes. */
START_TEST(test_many_names)
{
	struct arena *a = arena_new(1 << 28);
	const struct json *j;
	struct strbuf b;
	struct err e = { 0 };

	strbuf_init(&b, a, 1 << 24);
	strbuf_adds(&b, "<a>");
	for (unsigned i = 0; i < 90000; i++)
		strbuf_addf(&b, "x<n%u/>", i);
	for (unsigned i = 0; i < 90000; i++)
		strbuf_addf(&b, "<n%u/>", i);
	strbuf_adds(&b, "</a>");
	ck_assert(xml_parse(a, strbuf_str(&b), &j, &e));
	j = json_get(j, "a");
	ck_assert_uint_eq(j->count, 90001);
	ck_assert_uint_eq(json_get(j, "n89999")->count, 2);
	ck_assert_uint_eq(json_get(j, "#text")->text.n, 90000);
	arena_free(a);
}
END_TEST

/* Nor for a long name of a namespace that is used often. */
START_TEST(test_long_namespace)
{
	struct arena *a = arena_new(1 << 28);
	const struct json *j;
	struct strbuf b;
	struct err e = { 0 };

	strbuf_init(&b, a, 1 << 24);
	strbuf_adds(&b, "<a xmlns:s='");
	for (unsigned i = 0; i < 2000000; i++)
		strbuf_addc(&b, 'x');
	strbuf_adds(&b, "'>");
	for (unsigned i = 0; i < 90000; i++)
		strbuf_adds(&b, "<s:b s:c=''/>");
	strbuf_adds(&b, "</a>");
	ck_assert(xml_parse(a, strbuf_str(&b), &j, &e));
	ck_assert_uint_eq(json_at(j, STR("/a/b"))->count, 90000);
	arena_free(a);
}
END_TEST

UNIT_MAIN("xml_read", UNIT_ROWS(test_rows, rows), UNIT(test_nul_is_refused), UNIT_ROWS(test_sentences, sentences),
	UNIT_ROWS(test_depth, depths), UNIT(test_count), UNIT(test_many_names),
	UNIT(test_long_namespace))
