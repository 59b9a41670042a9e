/* name.c - the rules for names and descriptions, what a unique key's refusal means, and who is told of a change. */
#include "store_int.h"

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

/* Characters of valid UTF-8: every byte that does not continue one. */
size_t characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

bool name_check(struct str name, const char *field, struct err *e)
{
	if (!name.n)
		return err_field(e, ERR_INVALID, field, "The name is empty.");
	if (!str_is_utf8(name) || has_control(name))
		return err_field(e, ERR_INVALID, field, "The name holds a control character or is no UTF-8.");
	if (str_trim(name).n != name.n)
		return err_field(e, ERR_INVALID, field, "The name begins or ends with a blank.");
	if (characters(name) > NAME_MAX_CHARS)
		return err_field(e, ERR_INVALID, field, "The name has more than %d characters.", NAME_MAX_CHARS);
	return true;
}

bool description_check(struct str description, struct err *e)
{
	return (str_is_utf8(description) && characters(description) <= DESCRIPTION_MAX_CHARS) ||
		err_field(e, ERR_INVALID, "description", "The description has more than %d characters.", DESCRIPTION_MAX_CHARS);
}

bool conflict_if_duplicate(struct db *db, const char *field, const char *sentence, struct err *e)
{
	if (db_trouble(db) == DB_DUPLICATE)
		return err_field(e, ERR_CONFLICT, field, "%s", sentence);
	return false;
}

void bump_if_done(struct shm *shm, bool ok, const struct err *e)
{
	if (shm && (ok || e->code == ERR_UNKNOWN))
		shm_generation_bump(shm);
}
