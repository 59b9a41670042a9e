/* password.c - which passwords people may choose: long enough, and not their own name. Nothing about digits and signs: such
 * rules make passwords worse (NIST SP 800-63B, section 5.1.1.2). */
#include "grapnel/account.h"

#define PASSWORD_MAX_BYTES 511		/* what libcrypt takes */

static size_t characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

bool account_password_check(struct str password, struct str user_name, struct err *e)
{
	if (!str_is_utf8(password) || str_find(password, '\0') >= 0)
		return err_field(e, ERR_INVALID, "password", "The password must be text.");
	if (characters(password) < PASSWORD_MIN_CHARS)
		return err_field(e, ERR_INVALID, "password", "The password must have at least %d characters.", PASSWORD_MIN_CHARS);
	if (password.n > PASSWORD_MAX_BYTES)
		return err_field(e, ERR_INVALID, "password", "The password must have at most %d bytes.", PASSWORD_MAX_BYTES);
	if (str_ieq(password, user_name))
		return err_field(e, ERR_INVALID, "password", "The password must not be the name.");
	return true;
}
