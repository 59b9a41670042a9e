/* contact.c - where a person is paged: one's own contacts, their codes, and the hours in which one is left alone. Admins see those of others and change
 * nothing of them. */
#include "resource_int.h"

#include "grapnel/channel.h"
#include "grapnel/outbound.h"

#define CODE_TEXT_MAX 16	/* with the blanks that people type */
#define CODE_DIGITS 6
#define ZONE_MAX 64

const struct form_field contact_query_fields[] = {
	{ "user", TEXT_AT(struct contact_query, user), .max = 23, .help = "Id of another user, for admins" },
	{ "limit", NUMBER_AT(struct contact_query, limit), FORM_CLAMP, 1, LIST_LIMIT_MAX, .help = "Most contacts in the answer; a person has 10 at most" },
	FORM_END
};

const struct form_field contact_fields[] = {
	{ "kind", TEXT_AT(struct contact_form, kind), FORM_REQUIRED, 1, 20, .help = "email, sms or push" },
	{ "address", TEXT_AT(struct contact_form, address), FORM_REQUIRED, 1, CONTACT_ADDRESS_MAX,
		.help = "Mail address, telephone number like +4930123456, or the URL of an ntfy topic" },
	FORM_END
};

const struct form_field contact_code_fields[] = {
	{ "code", TEXT_AT(struct contact_code_form, code), FORM_REQUIRED, 1, CODE_TEXT_MAX, .help = "The six digits that were sent to it" },
	FORM_END
};

const struct form_field quiet_fields[] = {
	{ "from", TEXT_AT(struct quiet_form, from), .max = 5, .help = "Their begin, 22:00; null and no `to`: there are none" },
	{ "to", TEXT_AT(struct quiet_form, to), .max = 5, .help = "Their end, 07:00; not after `from`: of the next day" },
	{ "timeZone", TEXT_AT(struct quiet_form, time_zone), .max = ZONE_MAX, .help = "On the clocks of which zone: Europe/Berlin" },
	FORM_END
};

/* ---- whose ---- */

static bool is_person(const struct caller *by, struct err *e)
{
	return by->principal.user_id || deny(e, "Contacts are those of a person who is signed in.");
}

bool contact_owner(const struct caller *by, struct str wanted, uint64_t *user_row, struct err *e)
{
	struct user u = { 0 };
	int found;

	*user_row = by->principal.user_id;
	if (!wanted.n || str_eq(wanted, by->principal.user_public_id))
		return is_person(by, e);
	if (!account_has_role(&by->principal, NEED(ROLE_ADMIN, 0)))
		return deny(e, "Only an admin sees the contacts of others.");
	found = user_find(by, wanted, &u, e);
	*user_row = u.id;
	return found == 1 || (!found && err_field(e, ERR_INVALID, "user", "There is no such user."));
}

int contact_find(const struct caller *by, struct str public_id, struct contact *out, struct err *e)
{
	int found = public_id_is(public_id, "ct") ? contact_get(by->db, by->a, by->principal.tenant_id, public_id, out, e) : 0;

	return found == 1 && out->user_id != by->principal.user_id ? 0 : found;
}

static bool not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no such contact");
}

/* ---- making one ---- */

static bool check(const struct caller *by, const struct contact_form *f, enum channel_part part, struct err *e)
{
	const struct channel_house house = courier_house(by->conf);
	struct channel_settings s = { 0 };
	struct err why = { 0 };

	s.part[part] = f->address;
	if (str_find(f->address, ',') >= 0)
		return err_field(e, ERR_INVALID, "address", "Give one address, without commas.");
	if (!channel_kind_find(f->kind)->check(&s, &house, &why))
		return str_eqs(str_of(why.field), channel_part_names[part]) ? err_field(e, ERR_INVALID, "address", "%s", why.text) :
			err_field(e, ERR_INVALID, "kind", "Nothing can be sent by this kind: the administrator has not set it up.");
	return part != PART_URL || address_check(by, guard_resolve, f->address, "address", e);
}

static bool send_code(const struct caller *by, const struct contact *c, struct err *e)
{
	uint64_t message = id_make(by->ids, by->now);
	struct str code = contact_code(by->a, by->seal, c->public_id, message);
	bool ok = contact_code_send(by->db, by->a, c, contact_code_hash(by->a, by->seal, c->public_id, code), message,
		notice_payload(by->a, "contact.verify", arena_printf(by->a, "{\"id\":\"%.*s\"}", STR_ARG(c->public_id)), by->now), by->now, e);

	if (ok)
		bell_ring(by->shm);
	return ok;
}

bool contact_create(const struct caller *by, const struct contact_form *f, struct contact *made, struct err *e)
{
	struct contact_form x = { .kind = f->kind, .address = str_trim(f->address) };
	struct who who = caller_who(by, by->principal.tenant_id);
	enum channel_part part = contact_part(x.kind);
	struct contact c = { .tenant_id = by->principal.tenant_id, .user_id = by->principal.user_id, .kind = x.kind, .address = x.address };

	if (!is_person(by, e))
		return false;
	if (part == PART_COUNT)
		return err_field(e, ERR_INVALID, "kind", "A contact is of the kind email, sms or push.");
	return check(by, &x, part, e) && contact_add(by->db, by->a, &c, &who, by->now, made, e) && send_code(by, made, e);
}

bool contact_send_code(const struct caller *by, struct str public_id, struct err *e)
{
	struct contact c;
	int found = contact_find(by, public_id, &c, e);

	if (found != 1)
		return !found && not_found(e);
	if (c.verified_at)
		return err_tell(e, ERR_CONFLICT, "This contact is verified already.");
	return send_code(by, &c, e);
}

static struct str digits_of(const struct caller *by, struct str text)
{
	struct strbuf b;

	strbuf_init(&b, by->a, CODE_TEXT_MAX);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ' ' && text.p[i] != '-')
			strbuf_addc(&b, text.p[i]);
	return strbuf_str(&b);
}

bool contact_verify_by(const struct caller *by, struct str public_id, const struct contact_code_form *f, struct err *e)
{
	static const char *const sentences[] = {
		[CONTACT_WRONG] = "This is not the code.",
		[CONTACT_LATE] = "The code counts no more. Have another one sent.",
		[CONTACT_TRIED] = "There were five wrong codes. Have another one sent.",
	};
	struct who who = caller_who(by, by->principal.tenant_id);
	struct str code = digits_of(by, f->code);
	enum contact_answer answer;
	struct contact c;
	int found = contact_find(by, public_id, &c, e);

	if (found == 1 && c.verified_at)
		return err_tell(e, ERR_CONFLICT, "This contact is verified already.");
	if (found == 1)
		found = contact_verify(by->db, by->a, &c, contact_code_hash(by->a, by->seal, c.public_id, code), &who, by->now, &answer, e);
	if (found != 1)
		return !found && not_found(e);
	return answer == CONTACT_VERIFIED || err_field(e, ERR_INVALID, "code", "%s", sentences[answer]);
}

bool contact_remove(const struct caller *by, struct str public_id, struct err *e)
{
	struct who who = caller_who(by, by->principal.tenant_id);
	struct contact c;
	int done = contact_find(by, public_id, &c, e);

	if (done == 1)
		done = contact_delete(by->db, by->a, &c, &who, by->now, e);
	return done == 1 || (!done && not_found(e));
}

/* ---- quiet hours ---- */

static bool read_time(struct str text, uint64_t *minutes)
{
	struct str rest = text, hours = str_until(&rest, ':');
	uint64_t h, m;

	if (hours.n != 2 || rest.n != 2 || !str_u64(hours, &h) || !str_u64(rest, &m) || h > 23 || m > 59)
		return false;
	*minutes = h * 60 + m;
	return true;
}

static struct str time_text(const struct caller *by, uint64_t minutes)
{
	return arena_printf(by->a, "%02u:%02u", (unsigned)(minutes / 60), (unsigned)(minutes % 60));
}

bool quiet_get(const struct caller *by, uint64_t user_row, struct quiet_form *out, struct err *e)
{
	struct paging p;

	if (!paging_get(by->db, by->a, user_row, &p, e))
		return false;
	*out = (struct quiet_form){ .time_zone = p.time_zone };
	if (p.quiet) {
		out->from = time_text(by, p.quiet_from);
		out->to = time_text(by, p.quiet_to);
	}
	return true;
}

bool quiet_set(const struct caller *by, const struct quiet_form *f, struct err *e)
{
	struct who who = caller_who(by, by->principal.tenant_id);
	struct paging p = { .quiet = f->from.n || f->to.n, .time_zone = str_trim(f->time_zone) };

	if (!is_person(by, e))
		return false;
	if (!p.time_zone.n || !zone_read(by->a, p.time_zone))
		return err_field(e, ERR_INVALID, "timeZone", "There is no such time zone. Names are like Europe/Berlin.");
	if (p.quiet && !read_time(f->from, &p.quiet_from))
		return err_field(e, ERR_INVALID, "from", "A time is like 22:00.");
	if (p.quiet && !read_time(f->to, &p.quiet_to))
		return err_field(e, ERR_INVALID, "to", "A time is like 07:00.");
	if (p.quiet && p.quiet_from == p.quiet_to)
		return err_field(e, ERR_INVALID, "to", "They begin and end at the same time.");
	return paging_set(by->db, by->a, by->principal.user_id, by->principal.user_public_id, &p, &who, by->now, e);
}
