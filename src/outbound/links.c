/* links.c - messages that people read as text carry links that act for their readers: src/store/link.c says what such a link is.
 *
 * They are made when a message is sent, not when it is written, so that the outbox holds no proof of anything. A second attempt makes the same ones. What
 * they may do is asked when they are used. */
#include "outbound_int.h"

static const char *const types[] = { "incident.opened", "incident.severity_raised", "incident.reopened", "incident.released", "incident.escalated" };

static bool wants_links(const struct message *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eqs(m->type, types[i]))
			return true;
	return false;
}

static void add(struct parcel *p, const char *label, const struct incident_link *l)
{
	const struct courier_config *c = courier_config(p->round->courier);
	struct arena *a = p->round->arena;
	struct str token = incident_link_token(a, c->seal, l);

	p->message.links[p->message.link_n++] = (struct message_link){ label,
		arena_printf(a, "%.*s/l/%.*s", STR_ARG(c->house.public_url), STR_ARG(token)) };
}

void parcel_links(struct parcel *p, enum incident_link_to to, uint64_t recipient, uint64_t contact)
{
	const struct courier_config *c = courier_config(p->round->courier);
	struct incident_link l = { .to = to, .recipient = recipient, .contact = contact, .message = p->row.id,
		.expires_at = p->row.created_at + c->link_ms };
	struct err unreadable = { 0 };
	enum incident_status status;
	const struct json *data;

	if (!c->link_ms || !c->seal || l.expires_at <= p->at || !wants_links(&p->message) ||
			!json_parse(p->round->arena, p->message.data, &data, &unreadable) || !str_u64(json_text(json_get(data, "id")), &l.incident) ||
			!incident_status_parse(json_text(json_get(data, "status")), &status) || status == INCIDENT_RESOLVED)
		return;
	l.action = COMMAND_ACKNOWLEDGE;
	if (status == INCIDENT_OPEN)
		add(p, "Acknowledge", &l);
	l.action = COMMAND_RESOLVE;
	add(p, "Resolve", &l);
}
