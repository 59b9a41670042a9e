/* payload.c - the body of a request on a page: indented where it is JSON, as it was sent, or in hex; and as a file.
 *
 * A stranger wrote it. On a page it is text, escaped like all text; as a file it is bytes that no browser shows, in a sandbox for
 * those that do all the same. Large ones are cut: 256 KiB are more than anybody reads. */
#include "traffic.h"

#include "grapnel/json.h"

#define TEXT_MAX (256u * 1024)	/* shown of a text */
#define HEX_BYTES_MAX (16u * 1024)	/* shown in hex, which is five times as long */
#define PARSE_MAX (2u << 20)	/* larger JSON is not indented: that would take longer than a page may */

enum { VIEW_PRETTY = 1, VIEW_RAW = 2, VIEW_HEX = 4 };

static const struct form_word view_words[] = { { "pretty", VIEW_PRETTY }, { "raw", VIEW_RAW }, { "hex", VIEW_HEX }, { 0 } };

struct payload_query {
	uint64_t view;
};

static const struct form_field payload_query_fields[] = {
	{ "view", WORDS_AT(struct payload_query, view), .words = view_words, .help = "pretty, raw or hex" },
	FORM_END
};

static bool is_json(struct visit *v, struct str body)
{
	const struct json *tree;
	struct err e = { 0 };

	return body.n && body.n <= PARSE_MAX && json_parse(v->a, body, &tree, &e);
}

static void show_pretty(struct visit *v, struct payload *out, struct str body)
{
	struct strbuf b;

	if (str_starts(body, "\xef\xbb\xbf"))
		body = str_sub(body, 3);
	strbuf_init(&b, v->a, TEXT_MAX);
	json_indent(&b, body);
	out->view = STR("pretty");
	out->text = strbuf_str(&b);
	if (b.failed)
		out->note = STR("Only the first 256 KiB are shown.");
}

/* A line break is one, whoever sent it; a lone CR shows as the control character that it is. */
static void show_raw(struct visit *v, struct payload *out, struct str body)
{
	struct strbuf b;

	strbuf_init(&b, v->a, TEXT_MAX);
	for (size_t i = 0; i < body.n && i < TEXT_MAX; i++)
		if (body.p[i] != '\r' || i + 1 == body.n || body.p[i + 1] != '\n')
			strbuf_addc(&b, body.p[i]);
	out->view = STR("raw");
	out->text = strbuf_str(&b);
	if (body.n > TEXT_MAX)
		out->note = STR("Only the first 256 KiB are shown.");
}

static void show_hex(struct visit *v, struct payload *out, struct str body)
{
	struct strbuf b;

	if (body.n > HEX_BYTES_MAX) {
		body.n = HEX_BYTES_MAX;
		out->note = STR("Only the first 16 KiB are shown.");
	}
	strbuf_init(&b, v->a, 6 * HEX_BYTES_MAX);
	hex_dump(&b, body);
	out->view = STR("hex");
	out->text = strbuf_str(&b);
}

bool payload_fill(struct visit *v, struct payload *out, struct str body)
{
	struct payload_query q = { 0 };

	if (!visit_query(v, payload_query_fields, &q))
		return false;
	*out = (struct payload){ .base = v->rq->path, .bytes = body.n, .is_json = is_json(v, body) };
	if (!q.view)
		q.view = out->is_json ? VIEW_PRETTY : str_is_utf8(body) ? VIEW_RAW : VIEW_HEX;
	if (q.view & VIEW_PRETTY && out->is_json)
		show_pretty(v, out, body);
	else if (q.view & VIEW_HEX)
		show_hex(v, out, body);
	else
		show_raw(v, out, body);
	return true;
}

void payload_send(struct visit *v, const struct request_view *request)
{
	struct request *rq = v->rq;

	rq->response.status = 200;
	rq->response.content_type = "application/octet-stream";
	rq->response.body = request->body;
	response_header(rq, "Content-Disposition",
		arena_printf(v->a, "attachment; filename=\"request-%llu.bin\"", (unsigned long long)request->id));
	response_header(rq, "Content-Security-Policy", STR("sandbox; default-src 'none'"));
}
