/* link.c - what a link that acts without a sign-in is about: as little as its page shows, and whether its recipient may still act. */
#include "view_int.h"

static const struct field columns[] = {
	FIELD_U64(struct link_view, tenant_id, "tenant_id", ""),
	FIELD_U64(struct link_view, status_n, "status_n", ""),
	FIELD_U64(struct link_view, level_n, "level_n", ""),
	FIELD_STR(struct link_view, title, "title", ""),
	FIELD_STR(struct link_view, service, "service", ""),
	FIELD_STR(struct link_view, user, "user", ""),
	FIELD_STR(struct link_view, channel, "channel", ""),
	FIELD_STR(struct link_view, way, "way", ""),
	FIELD_STR(struct link_view, address, "address", ""),
	FIELD_TIME(struct link_view, used_at, "used_at", ""),
	FIELD_END
};

int link_view_get(struct db *db, struct arena *a, const struct incident_link *l, struct link_view *out, struct err *e)
{
	uint64_t user = l->to == LINK_TO_USER ? l->recipient : 0, channel = l->to == LINK_TO_CHANNEL ? l->recipient : 0;
	int found = db_query_one(db, &view_stmt[V_LINK],
		VALS(V_B(incident_link_hash(a, l)), V_U(user), V_U(ROLE_OPERATOR), V_U(l->contact), V_U(channel), V_U(l->message), V_U(l->incident)), a, columns,
		sizeof(*out), out, e);

	if (found != 1)
		return found;
	out->status = str_of(incident_status_word((enum incident_status)out->status_n));
	out->level = str_of(level_word((enum level)out->level_n));
	if (out->address.n)
		out->address = address_masked(a, out->address);
	return 1;
}
