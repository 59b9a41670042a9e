/* effect.c - what a message changes in its own source, in the transaction that stores it: a source is verified by its first proven
 * message, and a handshake may bring a secret, a setting to be kept, a URL to be confirmed, or the sender's farewell.
 *
 * Nearly every batch has nothing of that, which the cached source tells without a statement. */
#include "ingest_int.h"

#define PAYLOAD_MAX 8192	/* a URL of 2 KiB, escaped */

static bool is_handshake_with_effect(const struct ingest_work *w)
{
	const struct answer *x = &w->item->answer;

	return w->answered && (x->confirm_url.n || x->new_secret.n || x->keep.name || x->disconnected);
}

static bool is_news(const struct ingest_work *w)
{
	return !w->source->s.verified_at || w->source->s.disconnected_at;
}

/* Nobody is where signatures are not looked at, nor who asks by OPTIONS. */
static bool is_proven(const struct ingest_work *w)
{
	return w->proof.key_good || (w->proof.signature.scheme && !w->proof.signature.step);
}

static bool has_effect(const struct ingest_work *w)
{
	return w->source && !w->refused && !w->item->is_test && is_proven(w) && !work_repeats(w) &&
		(is_handshake_with_effect(w) || is_news(w));
}

static struct str confirmation(struct arena *a, const struct answer *x)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, a, PAYLOAD_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "url");
	json_str(&o, x->confirm_url);
	json_key(&o, "shows");
	json_strz(&o, x->confirm_shows);
	json_close(&o, '}');
	return strbuf_str(&b);
}

static bool add_confirmation(struct batch *b, const struct ingest_work *w, struct err *e)
{
	const struct outbox_row row = { .id = id_make(b->g->c.ids, b->now), .tenant_id = w->source->s.tenant_id,
		.kind = OUTBOX_CONFIRMATION, .target_id = w->source->s.id, .cause_id = w->request_number,
		.payload = confirmation(b->a, &w->item->answer),
		.traceparent = trace_of_effect(b->a, w), .next_at = b->now, .created_at = b->now };

	b->to_send = true;
	return outbox_add_all(b->g->c.db, b->a, &row, 1, e);
}

static bool write_effect(struct batch *b, const struct ingest_work *w, struct err *e)
{
	struct source_effect x = { .source_id = w->source->s.id };
	int done;

	if (is_handshake_with_effect(w)) {
		x.new_secret = w->item->answer.new_secret;
		x.keep_name = w->item->answer.keep.name;
		x.keep_value = w->item->answer.keep.value;
		x.disconnected = w->item->answer.disconnected;
	}
	done = source_effect(b->g->c.db, b->a, b->g->c.seal, &x, b->now, e);
	if (done != 1 || !is_handshake_with_effect(w) || !w->item->answer.confirm_url.n || (x.keep_name && !x.kept))
		return done >= 0;
	return add_confirmation(b, w, e);
}

/* A first storm of a new source changes it once. */
static bool was_told(const struct batch *b, size_t from, size_t i)
{
	for (size_t k = from; k < i; k++)
		if (b->work[k].source == b->work[i].source && has_effect(&b->work[k]))
			return !is_handshake_with_effect(&b->work[i]);
	return false;
}

bool write_effects(struct batch *b, size_t from, size_t to, struct err *e)
{
	for (size_t i = from; i < to; i++) {
		if (!has_effect(&b->work[i]) || was_told(b, from, i))
			continue;
		b->changed_sources = true;
		if (!write_effect(b, &b->work[i], e))
			return false;
	}
	return true;
}
