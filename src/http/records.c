/* records.c - see records_int.h. One byte range is taken at a time: a header, a piece of content, padding. Only the
 * content of PARAMS is kept, since method, uri and length must be known before the body is there. */
#include "records_int.h"

enum { TYPE_BEGIN = 1, TYPE_PARAMS = 4, TYPE_STDIN = 5 };	/* section 8 of the specification */
enum { VERSION_1 = 1, ROLE_RESPONDER = 1 };

void records_clear(struct records *r)
{
	char *params = r->params;
	size_t cap = r->params_cap;

	*r = (struct records){ .params = params, .params_cap = cap };
}

void records_release(struct records *r)
{
	free(r->params);
	*r = (struct records){ 0 };
}

static bool params_keep(struct records *r, const char *p, size_t n)
{
	size_t cap = r->params_cap ? r->params_cap : 2048;

	if (n > HTTP_PARAMS_MAX - r->params_n)
		return false;
	while (cap < r->params_n + n)
		cap *= 2;
	if (cap != r->params_cap) {
		r->params = xrealloc(r->params, cap);
		r->params_cap = cap;
	}
	memcpy(r->params + r->params_n, p, n);
	r->params_n += n;
	return true;
}

/* Section 3.4: a length is one byte below 128, or four with the high bit set. */
static bool pair_length(struct str *s, size_t *out)
{
	const unsigned char *p = (const unsigned char *)s->p;

	if (!s->n)
		return false;
	if (p[0] < 0x80) {
		*out = p[0];
		*s = str_sub(*s, 1);
		return true;
	}
	if (s->n < 4)
		return false;
	*out = (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	*s = str_sub(*s, 4);
	return true;
}

/* In libfcgi's "NAME=value" strings a NUL would be lost, and a '=' in a name would move: two readers saw two requests. */
static bool name_fits(struct str name)
{
	return str_find(name, '=') < 0;
}

static bool pair_text(struct str *s, size_t n, struct str *out)
{
	if (n > s->n || (n && memchr(s->p, 0, n)))
		return false;
	*out = (struct str){ s->p, n };
	*s = str_sub(*s, n);
	return true;
}

static bool length_take(struct records *r, struct str value)
{
	if (r->has_length || !value.n)	/* some servers send it empty for a GET */
		return true;
	r->has_length = true;
	return str_u64(value, &r->content_length);
}

/* All pairs fit exactly, and a request line is among them. Of equal names the first counts, as in libfcgi. */
static bool params_read(struct records *r)
{
	struct str s = { r->params, r->params_n }, name, value;
	size_t name_n, value_n, pairs = 0;

	while (s.n) {
		if (++pairs > RECORDS_PAIRS_MAX || !pair_length(&s, &name_n) || !pair_length(&s, &value_n) ||
				!pair_text(&s, name_n, &name) || !pair_text(&s, value_n, &value) || !name_fits(name))
			return false;
		if (!r->method.n && str_eqs(name, "REQUEST_METHOD"))
			r->method = value;
		else if (!r->uri.n && str_eqs(name, "REQUEST_URI"))
			r->uri = value;
		else if (str_eqs(name, "HTTP_CONTENT_ENCODING"))
			r->packed = true;
		else if (str_eqs(name, "CONTENT_LENGTH") && !length_take(r, value))
			return false;
	}
	return r->method.n && r->uri.n;
}

/* libfcgi 2.4.2 forgets the padding of BEGIN_REQUEST and of the empty PARAMS record when it changes its reader
 * (SetReaderType) and would take it for a header. No web server pads these; who does is refused. */
static bool header_fits(struct records *r)
{
	const unsigned char *h = r->fixed;
	uint16_t id = (uint16_t)(h[2] << 8 | h[3]);

	r->type = h[1];
	r->content_left = (uint32_t)(h[4] << 8 | h[5]);
	r->padding_left = h[6];
	if (h[0] != VERSION_1 || !id)
		return false;
	if (!r->began) {
		r->id = id;
		return r->type == TYPE_BEGIN && r->content_left == RECORD_HEADER && !r->padding_left;
	}
	if (id != r->id)
		return false;
	if (r->type == TYPE_PARAMS)
		return !r->params_done && (r->content_left || !r->padding_left);
	return r->type == TYPE_STDIN && r->params_done;
}

/* Fills r->fixed to its 8 bytes; true when full. */
static bool fixed_fill(struct records *r, const char **p, size_t *n)
{
	size_t take = RECORD_HEADER - r->fixed_n;

	if (take > *n)
		take = *n;
	memcpy(r->fixed + r->fixed_n, *p, take);
	r->fixed_n += (uint8_t)take;
	*p += take;
	*n -= take;
	if (r->fixed_n < RECORD_HEADER)
		return false;
	r->fixed_n = 0;
	return true;
}

/* Content of the current record: BEGIN_REQUEST's body, parameters or body bytes. False: refused. */
static bool content_take(struct records *r, const char **p, size_t *n)
{
	size_t take = r->content_left < *n ? r->content_left : *n;

	if (r->type == TYPE_BEGIN) {
		if (!fixed_fill(r, p, n))
			return true;
		r->content_left = 0;
		r->began = true;
		return (r->fixed[0] << 8 | r->fixed[1]) == ROLE_RESPONDER;
	}
	if (r->type == TYPE_PARAMS && !params_keep(r, *p, take))
		return false;
	if (r->type == TYPE_STDIN)
		r->stdin_n += take;
	r->content_left -= (uint32_t)take;
	*p += take;
	*n -= take;
	return true;
}

static void padding_take(struct records *r, const char **p, size_t *n)
{
	size_t take = r->padding_left < *n ? r->padding_left : *n;

	r->padding_left -= (uint32_t)take;
	*p += take;
	*n -= take;
}

/* One piece: a header, content, or padding, as far as the bytes go. */
static bool piece_take(struct records *r, const char **p, size_t *n)
{
	if (!r->in_record) {
		if (!fixed_fill(r, p, n))
			return true;
		if (!header_fits(r))
			return false;
		r->in_record = true;
		r->empty = !r->content_left;
		return true;
	}
	if (r->content_left)
		return content_take(r, p, n);
	padding_take(r, p, n);
	return true;
}

/* Behind a record: what does its end mean? */
static enum records_result record_ends(struct records *r)
{
	r->in_record = false;
	if (!r->empty)
		return RECORDS_MORE;
	if (r->type == TYPE_STDIN) {
		r->whole = true;
		return RECORDS_WHOLE;
	}
	r->params_done = true;
	r->params_end = r->seen;
	return params_read(r) ? RECORDS_PARAMS : RECORDS_BAD;
}

static enum records_result walk(struct records *r, const char *p, size_t n)
{
	enum records_result result;
	size_t before;

	while (n) {
		before = n;
		if (r->whole || !piece_take(r, &p, &n))
			return RECORDS_BAD;
		r->seen += before - n;
		if (!r->in_record || r->content_left || r->padding_left)
			continue;
		result = record_ends(r);
		if (result == RECORDS_PARAMS || result == RECORDS_BAD || (result == RECORDS_WHOLE && !n))
			return result;
	}
	return RECORDS_MORE;
}

enum records_result records_feed(struct records *r, const void *p, size_t n, size_t *used)
{
	uint64_t before = r->seen;
	enum records_result result = r->bad ? RECORDS_BAD : walk(r, p, n);

	*used = (size_t)(r->seen - before);
	r->bad = result == RECORDS_BAD;
	return result;
}

void records_end(const struct records *r, unsigned char out[RECORD_HEADER])
{
	const unsigned char end[RECORD_HEADER] = {
		VERSION_1, TYPE_STDIN, (unsigned char)(r->id >> 8), (unsigned char)r->id
	};

	memcpy(out, end, sizeof(end));
}
