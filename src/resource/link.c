/* link.c - the link of a message acts for whom it was sent to.
 *
 * Whoever has the link may use it: it came by mail or SMS, and the incident is open now. So it can do one thing, to one incident, once. No session counts
 * here and no cookie, so another site that posts to it has nothing to borrow. Wrong tokens are counted by address, as failures of signing in. */
#include "grapnel/resource.h"

static struct str whose(const struct caller *by)
{
	return throttle_whose(by->a, "link", by->remote_addr);
}

static bool is_needed(const struct link_state *s)
{
	if (s->link.action == COMMAND_ACKNOWLEDGE)
		return s->about.status_n == INCIDENT_OPEN;
	return s->about.status_n != INCIDENT_RESOLVED;
}

static enum link_answer judge(const struct caller *by, const struct link_state *s, int found)
{
	if (!found)
		return LINK_GONE;
	if (s->about.used_at)
		return LINK_USED;
	if (s->link.expires_at <= by->now)
		return LINK_EXPIRED;
	if (!(s->link.to == LINK_TO_USER ? s->about.user : s->about.channel).n)
		return LINK_REVOKED;
	return is_needed(s) ? LINK_READY : LINK_NOT_NEEDED;
}

bool link_look(const struct caller *by, struct str token, struct link_state *out, struct err *e)
{
	int found;

	*out = (struct link_state){ .answer = LINK_FORGED, .wait_ms = throttle_wait(by->shm, &throttle_address, whose(by), by->now) };
	if (out->wait_ms) {
		out->answer = LINK_THROTTLED;
		return true;
	}
	if (!incident_link_read(by->a, by->seal, token, &out->link)) {
		throttle_failure(by->shm, &throttle_address, whose(by), by->now);
		return true;
	}
	found = link_view_get(by->db, by->a, &out->link, &out->about, e);
	if (found >= 0)
		out->answer = judge(by, out, found);
	return found >= 0;
}

struct use {
	const struct caller *by;
	const struct link_state *s;
	struct who who;
};

static bool use_tx(struct db *db, void *ctx, struct err *e)
{
	const struct use *u = ctx;
	const struct caller *by = u->by;
	const struct incident_link *l = &u->s->link;
	int done;

	if (!incident_link_use(db, by->a, l, by->now, e))
		return false;
	done = incident_act(db, by->a, u->who.tenant_id, l->incident, l->action, ACTOR_PERSON, &u->who, id_make(by->ids, by->now), STR_NONE, by->now, e);
	return done == 1 || (!done && err_set(e, ERR_CONFLICT, "the incident is gone"));
}

#define WORDS_MAX 255		/* of the column */

/* "email to ann, a…@example.org", "sms to the channel Ops, +49…56" */
static struct str words_of(const struct caller *by, const struct link_state *s)
{
	const struct link_view *v = &s->about;
	bool person = s->link.to == LINK_TO_USER;

	return str_cut(arena_printf(by->a, "%.*s to %s%.*s%s%.*s", STR_ARG(v->way), person ? "" : "the channel ", STR_ARG(person ? v->user : v->channel),
		v->address.n ? ", " : "", STR_ARG(v->address)), WORDS_MAX);
}

static struct who who_of(const struct caller *by, const struct link_state *s)
{
	bool person = s->link.to == LINK_TO_USER;

	return (struct who){ .tenant_id = (uint32_t)s->about.tenant_id, .user_id = person ? (uint32_t)s->link.recipient : 0, .actor = ACTOR_PERSON,
		.remote_addr = by->remote_addr, .link = words_of(by, s) };
}

/* What others did in the same moment is seen by looking again. */
bool link_use(const struct caller *by, struct str token, struct link_state *out, struct err *e)
{
	struct use u = { .by = by, .s = out };

	if (!link_look(by, token, out, e))
		return false;
	if (out->answer != LINK_READY)
		return true;
	u.who = who_of(by, out);
	if (!db_tx(by->db, use_tx, &u, e)) {
		if (e->code != ERR_CONFLICT)
			return false;
		*e = (struct err){ 0 };
		return link_look(by, token, out, e);
	}
	bell_ring(by->shm);
	out->answer = LINK_DONE;
	return true;
}
