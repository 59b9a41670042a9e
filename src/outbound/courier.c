/* courier.c - rounds of parcels: claimed, sent, stored.
 *
 * A *round* is what one claim brought: rows of one target, held together under one owner and lease. They begin as there is room, at most
 * COURIER_IN_FLIGHT to a target and no more in all than there are places for their kind (fetch.h), so that a receiver that hangs costs its own rows
 * their time and nobody else's, and many of them no page its place. What has ended is
 * stored together, in one transaction with what it changes of its target: a commit costs more than a request to a near receiver, so results wait some
 * milliseconds for others, and the next requests are under way meanwhile. When the database is away, results are kept and stored later. */
#include "grapnel/log.h"

#include "outbound_int.h"

#define TARGETS_MAX 64		/* looked at in one take: as many as can be under way */
#define CLAIM 25		/* rows of a target at once: five rounds of timeouts are below the lease */
#define LEASE_MARGIN_MS (30 * MS_PER_SECOND)	/* for the database, and for clocks that differ */
#define BEGIN_MARGIN_MS (5 * MS_PER_SECOND)	/* a lease that ends sooner after the timeout is none any more */
#define STORE_AT_ONCE 32		/* results; fewer wait for others... */
#define STORE_WITHIN_US 10000	/* ...so long */
#define OVERDUE_MS (10 * MS_PER_SECOND)	/* what no dispatcher has taken by then is cron's */
#define ROUND_ARENA_MAX ((size_t)64 << 20)

static const struct cargo *const cargos[] = { &cargo_notification, &cargo_delivery, &cargo_confirmation, &cargo_page };

struct courier {
	struct courier_config c;
	struct round *rounds;
	struct courier_tally tally;
	int64_t first_end_us;		/* of the results that are not stored; 0: there are none */
};

struct channel_house courier_house(const struct conf *c)
{
	return (struct channel_house){ .public_url = str_of(c->server.public_url), .mail_server = str_of(c->mail.server),
		.mail_from = str_of(c->mail.from), .mail_user = str_of(c->mail.user), .mail_password = str_of(c->mail.password),
		.sms_url = str_of(c->sms.url), .sms_account = str_of(c->sms.account), .sms_user = str_of(c->sms.user), .sms_token = str_of(c->sms.token),
		.sms_from = str_of(c->sms.from) };
}

struct courier *courier_new(const struct courier_config *c)
{
	struct courier *x = xcalloc(1, sizeof(*x));

	x->c = *c;
	return x;
}

void courier_free(struct courier *c)
{
	if (!c)
		return;
	while (c->rounds) {
		struct round *r = c->rounds;

		c->rounds = r->next;
		arena_free(r->arena);
		free(r);
	}
	free(c);
}

const struct courier_config *courier_config(const struct courier *c)
{
	return &c->c;
}

struct courier_tally courier_tally(const struct courier *c)
{
	return c->tally;
}

size_t courier_busy(const struct courier *c)
{
	size_t n = 0;

	for (const struct round *r = c->rounds; r; r = r->next)
		n += r->n - r->settled;
	return n;
}

static uint64_t make_owner(void)
{
	uint64_t owner;

	random_bytes(&owner, sizeof(owner));
	return owner >> 1 | 1;
}

static unsigned chance(void)
{
	uint32_t x;

	random_bytes(&x, sizeof(x));
	return x % 1000;
}

static ms_t lease_ms(const struct courier *c)
{
	return CLAIM / COURIER_IN_FLIGHT * (ms_t)c->c.timeout_ms + LEASE_MARGIN_MS;
}

/* ---- one parcel ---- */

struct str parcel_answered(struct arena *a, unsigned status)
{
	if (status >= 300 && status < 400)
		return arena_printf(a, "It was answered %u; redirects are not followed.", status);
	return arena_printf(a, "It was answered %u.", status);
}

/* What may be shown: UTF-8, and of control characters only line breaks and tabs. */
static struct str as_text(struct arena *a, struct str s)
{
	struct strbuf b;

	strbuf_init(&b, a, OUTBOX_ANSWER_MAX);
	for (size_t i = 0; i < s.n && !b.failed;) {
		size_t n = utf8_sequence(s.p + i, s.n - i);
		unsigned char c = (unsigned char)s.p[i];
		bool fine = n && (n > 1 || (c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t');

		strbuf_add(&b, fine ? s.p + i : "?", fine ? n : 1);
		i += n ? n : 1;
	}
	return strbuf_str(&b);
}

static void end(struct parcel *p, enum reception v, struct str error)
{
	struct courier *c = p->round->courier;

	if (!c->first_end_us)
		c->first_end_us = clock_mono_us();
	p->state = PARCEL_ENDED;
	p->reception = v;
	p->error = error;
	p->duration_ms = p->began_us ? (uint64_t)(clock_mono_us() - p->began_us) / 1000 : 0;
}

/* What was refused before it was sent says nothing of the receiver. */
static bool has_failed(const struct parcel *p)
{
	return p->reception != RECEPTION_TAKEN && p->began_us;
}

/* All rounds of a target hear of it: many small ones may be under way at once. */
static void note_failures(const struct parcel *p)
{
	const struct round *of = p->round;
	uint64_t failures = p->reception == RECEPTION_TAKEN ? 0 : of->failures + has_failed(p);

	for (struct round *r = of->courier->rounds; r && of->cargo->breaker; r = r->next)
		if (r->cargo == of->cargo && r->target_id == of->target_id)
			r->failures = failures;
}

static void on_done(void *ctx, const struct send_result *x)
{
	struct parcel *p = ctx;
	struct arena *a = p->round->arena;

	p->round->under_way--;
	p->status = x->error ? 0 : x->status;
	p->body = as_text(a, x->body);
	p->retry_after_s = x->retry_after_s;
	end(p, x->hopeless ? RECEPTION_REFUSED : RECEPTION_AGAIN, x->error ? arena_str(a, str_of(x->error)) : STR_NONE);
	if (!x->error) {
		p->round->cargo->judge(p);
	} else if (p->once && x->begun) {
		p->reception = RECEPTION_REFUSED;
		p->error = arena_printf(a, "%.*s It may have been taken, so it is not sent again.", STR_ARG(p->error));
	}
	note_failures(p);
}

/* A lease that ends while the receiver may still think about it is given back: somebody else would send it as well. */
static bool has_lease(const struct round *r, ms_t now)
{
	return now + r->courier->c.timeout_ms + BEGIN_MARGIN_MS <= r->lease_until;
}

static void settled(struct parcel *p)
{
	p->state = PARCEL_SETTLED;
	p->round->settled++;
}

/* A probe that asked nobody is due again: the next row does, and not only when the lease is over. */
static bool leave_probe(struct courier *c, struct round *r, uint64_t breaker, uint64_t target_id, ms_t now, struct err *e)
{
	bool ours = r->probe;

	r->probe = false;
	return !ours || breaker_probe_soon(c->c.db, breaker, target_id, now, e) >= 0;
}

/* An end without a request. */
static bool settled_unsent(struct parcel *p, ms_t now, struct err *e)
{
	struct round *r = p->round;

	settled(p);
	return leave_probe(r->courier, r, r->cargo->breaker, r->target_id, now, e);
}

static bool give_back(struct parcel *p, ms_t at, ms_t now, struct err *e)
{
	struct round *r = p->round;

	return outbox_release(r->courier->c.db, p->row.id, r->owner, at, e) && settled_unsent(p, now, e);
}

static bool call_off(struct parcel *p, ms_t now, struct err *e)
{
	struct round *r = p->round;

	if (!outbox_call_off(r->courier->c.db, p->row.id, r->owner, now, e))
		return false;
	log_info("message not needed any more", LOG_U("message", p->row.id));
	return settled_unsent(p, now, e);
}

static void begin(struct parcel *p, ms_t now)
{
	struct round *r = p->round;
	const struct outbox_row *row = &p->row;
	const struct send_cause cause = { .traceparent = row->traceparent, .message = row->id, .attempt = (unsigned)row->attempts };
	struct send x = { .cause = &cause, .keep = OUTBOX_ANSWER_MAX, .total_ms = r->courier->c.timeout_ms, .done = on_done, .ctx = p };
	struct str why = STR_NONE;

	p->at = now;
	if (!r->cargo->request(p, now, &x, &why)) {
		end(p, RECEPTION_REFUSED, why);
		return;
	}
	p->state = PARCEL_UNDER_WAY;
	p->began_us = clock_mono_us();
	r->under_way++;
	send_begin(r->courier->c.sender, &x);
}

/* ---- rounds ---- */

static size_t in_flight(const struct courier *c, const struct round *like)
{
	size_t n = 0;

	for (const struct round *r = c->rounds; r; r = r->next)
		if (r->cargo == like->cargo && r->target_id == like->target_id)
			n += r->under_way;
	return n;
}

/* A receiver that has begun to fail gets no more at once than its breaker lets fail. */
static size_t room_for(const struct round *r)
{
	if (!r->failures)
		return COURIER_IN_FLIGHT;
	return r->failures < BREAKER_OPENS_AT ? BREAKER_OPENS_AT - r->failures : 1;
}

static bool has_place(const struct courier *c, const struct cargo *cargo)
{
	return sender_busy(c->c.sender) < cargo->places;
}

static bool begin_unless(struct parcel *p, ms_t now, struct err *e)
{
	const struct cargo *cargo = p->round->cargo;
	ms_t held;

	if (cargo->is_unneeded && cargo->is_unneeded(p, now))
		return call_off(p, now, e);
	held = cargo->hold ? cargo->hold(p, now) : 0;
	if (held || !has_lease(p->round, now))
		return give_back(p, held ? held : now, now, e);
	begin(p, now);
	return true;
}

static bool begin_all(struct courier *c, ms_t now, struct err *e)
{
	for (struct round *r = c->rounds; r; r = r->next)
		for (; r->begun < r->n && in_flight(c, r) < room_for(r) && has_place(c, r->cargo); r->begun++)
			if (r->parcels[r->begun].state == PARCEL_WAITS && !begin_unless(&r->parcels[r->begun], now, e))
				return false;
	return true;
}

static bool round_start(struct courier *c, const struct cargo *cargo, const struct outbox_target *target, struct round *r,
	const struct outbox_row *rows, size_t n, struct err *e)
{
	r->courier = c;
	r->cargo = cargo;
	r->target_id = target->id;
	r->failures = target->failures;
	r->n = n;
	r->parcels = ARENA_ARRAY(r->arena, struct parcel, n);
	for (size_t i = 0; i < n; i++)
		r->parcels[i] = (struct parcel){ .round = r, .row = rows[i] };
	if (!cargo->open(r, e))
		return false;
	r->next = c->rounds;
	c->rounds = r;
	return true;
}

static bool waits(const struct courier *c, const struct cargo *cargo, uint64_t target_id)
{
	for (const struct round *r = c->rounds; r; r = r->next)
		if (r->cargo == cargo && r->target_id == target_id && (r->begun < r->n || r->probe || r->under_way >= COURIER_IN_FLIGHT))
			return true;
	return false;
}

/* Of an open breaker one row goes: whoever gets the probe sends it. 1, 0, -1. */
static int may_send(struct courier *c, struct round *r, const struct cargo *cargo, const struct outbox_target *t, struct err *e)
{
	const struct breaker seen = { .kind = cargo->breaker, .target_id = t->id, .failures = t->failures, .opened_at = t->opened_at, .probe_at = t->probe_at };
	int ours;

	if (!t->opened_at)
		return 1;
	ours = breaker_probe(c->c.db, &seen, r->lease_until, e);
	r->probe = ours == 1;
	return ours;
}

static bool take_target(struct courier *c, const struct cargo *cargo, enum outbox_status status, const struct outbox_target *t, ms_t since, ms_t now,
	struct err *e)
{
	struct round *r = xcalloc(1, sizeof(*r));
	struct outbox_row *due, *ours;
	size_t due_n, n = 0;
	int may;
	bool ok;

	r->arena = arena_new(ROUND_ARENA_MAX);
	r->owner = make_owner();
	r->lease_until = now + lease_ms(c);
	may = may_send(c, r, cargo, t, e);
	ok = may == 0 || (may > 0 &&
		outbox_due(c->c.db, r->arena, cargo->kind, status, t->id, since, r->probe ? 1 : CLAIM, &due, &due_n, e) &&
		outbox_claim(c->c.db, r->arena, due, due_n, r->owner, r->lease_until, &ours, &n, e) &&
		(!n || round_start(c, cargo, t, r, ours, n, e)));
	if (ok && n)
		return true;
	ok = ok && leave_probe(c, r, cargo->breaker, t->id, now, e);
	arena_free(r->arena);	/* what was claimed comes back by itself */
	free(r);
	return ok;
}

static bool take_lane(struct courier *c, const struct cargo *cargo, enum outbox_status status, ms_t since, ms_t now, struct err *e)
{
	struct arena *a = arena_new(ROUND_ARENA_MAX);
	struct outbox_target *targets;
	size_t n;
	bool ok = outbox_targets(c->c.db, a, cargo->kind, status, cargo->breaker, since, now, TARGETS_MAX, &targets, &n, e);

	for (size_t i = 0; ok && i < n; i++)
		if (!waits(c, cargo, targets[i].id))
			ok = take_target(c, cargo, status, &targets[i], since, now, e);
	arena_free(a);
	return ok;
}

/* ---- results ---- */

struct settling {
	struct arena *a;
	struct parcel **parcels;
	struct outbox_result *results;
	size_t n;
	ms_t now;
};

static void collect(struct courier *c, struct settling *s)
{
	s->parcels = ARENA_ARRAY(s->a, struct parcel *, courier_busy(c) + 1);
	for (struct round *r = c->rounds; r; r = r->next)
		for (size_t i = 0; i < r->n; i++)
			if (r->parcels[i].state == PARCEL_ENDED)
				s->parcels[s->n++] = &r->parcels[i];
}

static void fill_results(struct settling *s)
{
	s->results = ARENA_ARRAY(s->a, struct outbox_result, s->n);
	for (size_t i = 0; i < s->n; i++) {
		struct parcel *p = s->parcels[i];
		struct outbox_row *row = &p->row;

		parcel_schedule(row, p->reception, p->round->cargo->attempts_max, p->retry_after_s, chance(), s->now);
		row->error = p->error.n ? p->error : STR_NONE;
		row->answer = p->answer.n ? p->answer : STR_NONE;
		s->results[i] = (struct outbox_result){ .row = *row, .owner = p->round->owner, .at = p->at, .duration_ms = p->duration_ms,
			.http_status = p->status, .body = p->body };
	}
}

/* Of several that one target took, the last says all that there is to note of it. */
static bool is_news(const struct settling *s, size_t i)
{
	const struct parcel *p = s->parcels[i], *after = i + 1 < s->n ? s->parcels[i + 1] : NULL;

	return !after || after->round != p->round || p->reception != RECEPTION_TAKEN || after->reception != RECEPTION_TAKEN;
}

static bool tell_breaker(struct db *db, const struct parcel *p, ms_t now, struct err *e)
{
	const struct round *r = p->round;

	if (!r->cargo->breaker || (p->reception != RECEPTION_TAKEN && !has_failed(p)))
		return true;
	if (p->reception == RECEPTION_TAKEN)
		return breaker_succeeded(db, r->cargo->breaker, r->target_id, e);
	return breaker_failed(db, r->cargo->breaker, r->target_id, r->probe, p->error, now, e);
}

bool parcel_escalates(struct db *db, struct parcel *p, struct str whom, ms_t now, struct err *e)
{
	const struct outbox_row *row = &p->row;

	return row->status != OUTBOX_DEAD ||
		escalation_failed(db, p->round->arena, courier_config(p->round->courier)->ids, row, whom, p->error, now, e);
}

static bool settle_tx(struct db *db, void *ctx, struct err *e)
{
	struct settling *s = ctx;

	if (!outbox_finish(db, s->a, s->results, s->n, e))
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (is_news(s, i) && (!tell_breaker(db, s->parcels[i], s->now, e) || !s->parcels[i]->round->cargo->note(db, s->parcels[i], s->now, e)))
			return false;
	return true;
}

static void tell_log(const struct parcel *p)
{
	const struct outbox_row *row = &p->row;

	if (row->status == OUTBOX_SENT)
		log_info("message sent", LOG_U("message", row->id), LOG_U("attempt", row->attempts), LOG_U("duration_ms", p->duration_ms));
	else
		log_warning("message not sent", LOG_U("message", row->id), LOG_STR("error", p->error), LOG_U("attempt", row->attempts),
			LOG_S("next", row->status == OUTBOX_DEAD || row->status == OUTBOX_ENDING ? "given up" : "again"));
}

static void tell(struct courier *c, const struct parcel *p)
{
	static const struct {
		enum counter counter;
		size_t tally;
	} outcomes[] = {
		[OUTBOX_WAITING] = { C_MESSAGES_FAILED, offsetof(struct courier_tally, failed) },
		[OUTBOX_FAILED] = { C_MESSAGES_FAILED, offsetof(struct courier_tally, failed) },
		[OUTBOX_SENT] = { C_MESSAGES, offsetof(struct courier_tally, sent) },
		[OUTBOX_DEAD] = { C_MESSAGES_DEAD, offsetof(struct courier_tally, dead) },
		[OUTBOX_ENDING] = { C_MESSAGES_FAILED, offsetof(struct courier_tally, failed) },	/* dead in a moment: end_due */
	};

	++*(uint64_t *)((char *)&c->tally + outcomes[p->row.status].tally);
	if (c->c.shm)
		count(c->c.shm, outcomes[p->row.status].counter, 1);
	tell_log(p);
}

static void drop_finished(struct courier *c)
{
	struct round **link = &c->rounds;

	while (*link) {
		struct round *r = *link;

		if (r->settled < r->n) {
			link = &r->next;
			continue;
		}
		*link = r->next;
		arena_free(r->arena);
		free(r);
	}
}

static bool store(struct courier *c, ms_t now, struct err *e)
{
	struct settling s = { .a = arena_new(ROUND_ARENA_MAX), .now = now };
	bool stored, ok;

	collect(c, &s);
	fill_results(&s);
	ok = stored = !s.n || db_tx(c->c.db, settle_tx, &s, e);
	for (size_t i = 0; i < s.n && stored; i++) {
		struct parcel *p = s.parcels[i];

		tell(c, p);
		if (p->began_us)
			settled(p);
		else
			ok = settled_unsent(p, now, e) && ok;
	}
	arena_free(s.a);
	drop_finished(c);
	if (stored)
		c->first_end_us = 0;
	return ok;
}

/* Have there come enough results, or all, or is it late enough? */
static bool is_time_to_store(const struct courier *c)
{
	size_t ended = 0, under_way = 0;

	if (!c->first_end_us)
		return false;
	for (const struct round *r = c->rounds; r; r = r->next) {
		under_way += r->under_way;
		for (size_t i = 0; i < r->n; i++)
			ended += r->parcels[i].state == PARCEL_ENDED;
	}
	return ended >= STORE_AT_ONCE || !under_way || clock_mono_us() >= c->first_end_us + STORE_WITHIN_US;
}

/* What has not begun. */
static bool give_back_rest(struct round *r, ms_t now, struct err *e)
{
	bool ok = true;

	for (size_t i = r->begun; i < r->n && ok; i++) {
		r->begun = i + 1;
		if (r->parcels[i].state == PARCEL_WAITS)
			ok = give_back(&r->parcels[i], now, now, e);
	}
	return ok;
}

/* Receivers whose breaker has opened are asked no more. */
static bool heed_breakers(struct courier *c, ms_t now, struct err *e)
{
	bool ok = true;

	for (struct round *r = c->rounds; r && ok; r = r->next)
		if (r->failures >= BREAKER_OPENS_AT && !r->probe && r->begun < r->n) {
			log_warning("receiver is left alone: its breaker is open", LOG_U("target", r->target_id), LOG_U("failures", r->failures));
			ok = give_back_rest(r, now, e);
		}
	return ok;
}

bool courier_settle(struct courier *c, ms_t now, struct err *e)
{
	if (!heed_breakers(c, now, e) || !begin_all(c, now, e))
		return false;
	if (!is_time_to_store(c)) {
		drop_finished(c);	/* what was given back without an attempt */
		return true;
	}
	sender_push(c->c.sender);	/* the requests that have just begun leave before the database is waited for */
	return store(c, now, e) && heed_breakers(c, now, e) && begin_all(c, now, e);
}

static bool end_due(struct courier *c, ms_t now, struct err *e)
{
	uint64_t n = 0;

	if (!outbox_end_due(c->c.db, now, &n, e))
		return false;
	c->tally.dead += n;
	if (c->c.shm)
		count(c->c.shm, C_MESSAGES_DEAD, n);
	return true;
}

/* What was sent while the database was away is stored first: its lease may be over, and it would be sent once more. */
bool courier_take(struct courier *c, ms_t now, struct err *e)
{
	bool ok = courier_settle(c, now, e) && end_due(c, now, e);

	for (size_t i = 0; ok && i < ARRAY_SIZE(cargos); i++) {
		if (!has_place(c, cargos[i]))
			continue;
		ok = take_lane(c, cargos[i], OUTBOX_WAITING, c->c.late ? now - OVERDUE_MS : now, now, e);
		if (ok && c->c.late)
			ok = take_lane(c, cargos[i], OUTBOX_FAILED, now, now, e);
	}
	return ok && begin_all(c, now, e);
}

bool courier_release(struct courier *c, ms_t now, struct err *e)
{
	bool ok = true;

	for (struct round *r = c->rounds; r && ok; r = r->next)
		ok = give_back_rest(r, now, e);
	return store(c, now, e) && ok;
}

/* ---- as a carrier ---- */

static bool take(void *ctx, ms_t now, struct err *e)
{
	return courier_take(ctx, now, e);
}

static bool settle(void *ctx, ms_t now, struct err *e)
{
	return courier_settle(ctx, now, e);
}

static bool release(void *ctx, ms_t now, struct err *e)
{
	return courier_release(ctx, now, e);
}

static size_t busy(const void *ctx)
{
	return courier_busy(ctx);
}

struct carrier courier_carrier(struct courier *c)
{
	return (struct carrier){ c, take, settle, release, busy };
}
