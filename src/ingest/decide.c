/* decide.c - what the new events of a batch do to their keys, folded in memory: one write per key and incident,
 * however many events of it came.
 *
 * The keys are locked in one order by all workers (service, then hash), so that two batches wait and never deadlock. Events of one key are
 * applied by their own time, equal times as they came. */
#include "ingest_int.h"

struct ref {			/* one event that goes to a key */
	struct ingest_work *w;
	struct plan *p;
	size_t seq;		/* order of arrival: qsort is not stable */
};

struct refs {
	struct ref *r;
	size_t n;
};

static int compare_keys(const struct plan *x, const struct plan *y)
{
	if (x->service_id != y->service_id)
		return x->service_id < y->service_id ? -1 : 1;
	return memcmp(x->key_hash, y->key_hash, KEY_HASH_BYTES);
}

static int compare_refs(const void *x, const void *y)
{
	const struct ref *a = x, *b = y;
	int c = compare_keys(a->p, b->p);

	if (!c)
		c = incident_order(a->p->ev, a->w->received_at, b->p->ev, b->w->received_at);
	return c ? c : a->seq < b->seq ? -1 : a->seq > b->seq;
}

static struct refs collect(struct batch *b, size_t from, size_t to)
{
	struct refs refs = { 0 };
	size_t max = 0;

	for (size_t i = from; i < to; i++)
		max += b->work[i].plan_n;
	refs.r = ARENA_ARRAY(b->a, struct ref, max);
	for (size_t i = from; i < to; i++) {
		struct ingest_work *w = &b->work[i];

		for (size_t k = 0; k < w->plan_n; k++) {
			struct plan *p = &w->plans[k];

			if (!p->for_incident || p->known || p->twin)
				continue;
			refs.r[refs.n] = (struct ref){ w, p, refs.n };
			refs.n++;
		}
	}
	if (refs.n)
		qsort(refs.r, refs.n, sizeof(*refs.r), compare_refs);
	return refs;
}

/* The key of refs[from] and, where only triggers come for it, the newest of them; *next is the first of another key. */
static struct key_lock key_of(const struct refs *refs, size_t from, size_t *next)
{
	const struct plan *first = refs->r[from].p;
	struct key_lock key = { .service_id = first->service_id, .key_hash = first->key_hash };
	bool triggers = true;
	size_t i;

	for (i = from; i < refs->n && !compare_keys(first, refs->r[i].p); i++) {
		const struct event *ev = refs->r[i].p->ev;
		ms_t at = incident_event_time(ev, refs->r[i].w->received_at);

		triggers &= ev->action == ACTION_TRIGGER;
		if (at > key.triggered_at)
			key.triggered_at = at;
	}
	if (!triggers)
		key.triggered_at = 0;
	*next = i;
	return key;
}

struct key_lock *decide_keys(struct batch *b, size_t from, size_t to, size_t *n)
{
	struct refs refs = collect(b, from, to);
	struct key_lock *keys = ARENA_ARRAY(b->a, struct key_lock, refs.n);

	*n = 0;
	for (size_t i = 0; i < refs.n;)
		keys[(*n)++] = key_of(&refs, i, &i);
	return keys;
}

/* ---- rows ---- */

/* The row of the incident that is the newest of `key`; a key can go through several in one batch, the last is at the end. But what joins by
 * another key finds its row anywhere, and so does that one's own key afterwards. */
static struct incident_row *row_of(struct decided *d, const struct ref *r, const struct key_lock *key)
{
	struct incident_row *row;

	for (size_t i = d->incident_n; i; i--) {
		if (d->incidents[i - 1].id == key->state.incident)
			return &d->incidents[i - 1];
		if (!d->any_merged)
			break;
	}
	row = &d->incidents[d->incident_n++];
	*row = (struct incident_row){
		.id = key->state.incident,
		.tenant_id = r->w->source->s.tenant_id,
		.service_id = key->service_id,
		.source_id = r->w->source->s.id,
		.key_hash = key->key_hash,
		.dedup_key = r->p->ev->dedup_key,
		.title = r->p->ev->summary,
		.is_test = r->w->item->is_test,
		.is_quiet = r->w->item->is_quiet,
	};
	return row;
}

static void add_timeline(struct batch *b, struct decided *d, const struct ref *r, const struct key_state *s,
	enum timeline_kind kind, enum actor actor)
{
	struct timeline_row *row = &d->timeline[d->timeline_n++];

	*row = (struct timeline_row){
		.incident_id = s->incident,
		.id = id_make(b->g->c.ids, b->now),
		.event_id = r->p->number,
		.kind = kind,
		.actor = actor,
		.level = s->level,
		.text = r->p->ev->summary,
		.at = b->now,
	};
	if (r->w->source->s.told & CHANNEL_INCIDENT && !r->w->item->is_quiet)
		d->news[d->news_n++] = (struct news){ .id = row->id, .incident_id = row->incident_id, .traceparent = r->w->item->traceparent };
}

static void set_state(struct batch *b, struct incident_row *row, enum incident_act act)
{
	switch (act) {
	case INCIDENT_OPENS:
		row->is_new = true;
		row->opened_at = b->now;
		break;
	case INCIDENT_REOPENS:
		row->acknowledged_at = row->resolved_at = 0;
		break;
	case INCIDENT_ACKS:
		row->acknowledged_at = b->now;
		break;
	case INCIDENT_RESOLVES:
		row->resolved_at = b->now;
		break;
	case INCIDENT_NOTHING:
	case INCIDENT_JOINS:
		break;
	}
}

static void tell_timeline(struct batch *b, struct decided *d, const struct ref *r, const struct key_state *s,
	const struct incident_change *c)
{
	static const struct {
		enum timeline_kind kind;
		enum actor actor;
	} told[] = {
		[INCIDENT_OPENS] = { TIMELINE_OPENED, ACTOR_SENDER },
		[INCIDENT_REOPENS] = { TIMELINE_REOPENED, ACTOR_SYSTEM },
		[INCIDENT_ACKS] = { TIMELINE_ACKNOWLEDGED, ACTOR_SENDER },
		[INCIDENT_RESOLVES] = { TIMELINE_RESOLVED, ACTOR_SENDER },
	};

	if (c->act < ARRAY_SIZE(told) && told[c->act].kind)
		add_timeline(b, d, r, s, told[c->act].kind, told[c->act].actor);
	if (c->raised)
		add_timeline(b, d, r, s, TIMELINE_RAISED, ACTOR_SENDER);
}

static void add_alert(struct batch *b, struct decided *d, const struct ref *r, struct incident_row *row)
{
	row->alerts++;
	row->last_alert_at = b->now;
	r->p->alert = id_make(b->g->c.ids, b->now);
	d->alerts[d->alert_n++] = (struct alert_row){
		.id = r->p->alert,
		.tenant_id = row->tenant_id,
		.event_id = r->p->number,
		.incident_id = row->id,
		.level = r->p->ev->level,
		.created_at = b->now,
	};
}

/* The key of the incident that this one's was merged into and that is unresolved still, or NULL. */
static struct key_lock *merged_into(const struct key_lock *key)
{
	struct key_lock *t = key->target;

	return t && t->state.incident == key->merged_into && t->state.status != INCIDENT_RESOLVED ? t : NULL;
}

/* Decides for `key`, and returns the one whose incident it is about. */
static struct key_lock *judge(struct batch *b, const struct ref *r, struct key_lock *key)
{
	struct key_lock *other = merged_into(key);
	struct key_state before = key->state, others = other ? other->state : before;
	struct plan *p = r->p;

	if (other)
		p->change = incident_decide_merged(&key->state, &other->state, p->ev, r->w->received_at, b->now);
	else
		p->change = incident_decide(&key->state, p->ev, r->w->received_at, b->now, id_make(b->g->c.ids, b->now));
	key->changed |= memcmp(&before, &key->state, sizeof(before)) != 0;
	if (other)
		other->changed |= memcmp(&others, &other->state, sizeof(others)) != 0;
	else if (key->state.status != INCIDENT_RESOLVED)
		key->merged_into = 0;	/* that other one is over, and this one open again */
	return other && p->change.act == INCIDENT_JOINS ? other : key;
}

static void apply(struct batch *b, struct decided *d, const struct ref *r, struct key_lock *key)
{
	struct key_lock *of = judge(b, r, key);
	const struct key_state *s = &of->state;
	struct plan *p = r->p;
	struct incident_row *row;

	p->incident_status = s->status;
	if (p->change.act == INCIDENT_NOTHING)
		return;
	p->incident = s->incident;
	d->any_merged |= of != key;
	row = row_of(d, r, of);
	set_state(b, row, p->change.act);
	if (p->change.alert)
		add_alert(b, d, r, row);
	row->status = s->status;
	row->level = s->level;
	row->resolved_by = s->status == INCIDENT_RESOLVED ? s->resolved_by : ACTOR_NONE;
	tell_timeline(b, d, r, s, &p->change);
}

void decide(struct batch *b, size_t from, size_t to, struct key_lock *keys, size_t key_n, struct decided *d)
{
	struct refs refs = collect(b, from, to);
	size_t k = 0;

	*d = (struct decided){
		.incidents = ARENA_ARRAY(b->a, struct incident_row, refs.n),
		.timeline = ARENA_ARRAY(b->a, struct timeline_row, refs.n * 2),
		.news = ARENA_ARRAY(b->a, struct news, refs.n * 2),
		.alerts = ARENA_ARRAY(b->a, struct alert_row, refs.n),
	};
	for (size_t i = 0; i < refs.n; i++) {
		if (i && compare_keys(refs.r[i - 1].p, refs.r[i].p))
			k++;
		if (k < key_n)
			apply(b, d, &refs.r[i], &keys[k]);
	}
}
