/* contact.c - where a person is paged, as he sees it. */
#include "view_int.h"

const struct field contact_view_fields[] = {
	FIELD_STR(struct contact_view, id, "id", "Public id"),
	FIELD_STR(struct contact_view, kind, "kind", "email, sms or push"),
	FIELD_STR(struct contact_view, address, "address", "Mail address, telephone number or URL"),
	FIELD_STR(struct contact_view, status, "status", "verified; waiting: for the code that was sent; or unverified: the code counts no more"),
	FIELD_TIME(struct contact_view, verified_at, "verifiedAt", "When its code was typed in"),
	FIELD_TIME(struct contact_view, code_until, "codeUntil", "So long the code counts; null = none waits"),
	FIELD_TIME(struct contact_view, sent_at, "lastSentAt", "Newest message that was taken"),
	FIELD_TIME(struct contact_view, failed_at, "lastFailedAt", "Newest attempt that failed"),
	FIELD_STR(struct contact_view, error, "error", "Why; null = the newest message was taken"),
	FIELD_TIME(struct contact_view, created_at, "createdAt", "Creation"),
	FIELD_END
};

void contact_view_fill(const struct contact *c, ms_t now, struct contact_view *out)
{
	bool waits = !c->verified_at && c->code_until > now && c->code_tries < CONTACT_CODE_TRIES;

	*out = (struct contact_view){ .id = c->public_id, .kind = c->kind, .address = c->address, .error = c->error, .verified_at = c->verified_at,
		.code_until = waits ? c->code_until : 0, .sent_at = c->sent_at, .failed_at = c->failed_at, .created_at = c->created_at,
		.status = c->verified_at ? STR("verified") : waits ? STR("waiting") : STR("unverified") };
}

bool contact_view_list(struct db *db, struct arena *a, uint64_t user_row, ms_t now, struct contact_view **out, size_t *n, struct err *e)
{
	struct contact *rows;

	if (!contact_list(db, a, user_row, &rows, n, e))
		return false;
	*out = ARENA_ARRAY(a, struct contact_view, *n + 1);
	for (size_t i = 0; i < *n; i++)
		contact_view_fill(&rows[i], now, &(*out)[i]);
	return true;
}
