/* account_totp.c - setting up an authenticator app: a seed is made and shown as QR code and key; it counts once a first code
 * proves that the app has it. */
#include "account.h"

#include "dash_int.h"

static void done(struct visit *v, bool ok, const struct err *e, const char *text)
{
	if (!ok) {
		visit_err(v, e);
		return;
	}
	if (text)
		visit_flash(v, text, STR_NONE);
	visit_redirect(v, "/account#app");
}

void page_account_totp_post(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };

	done(v, account_totp_begin(&v->by, &e), &e, NULL);
}

void page_account_totp_cancel_post(void *visit)
{
	struct visit *v = visit;
	struct err e = { 0 };

	done(v, account_totp_cancel(&v->by, &e), &e, "Nothing was changed: you sign in as before.");
}

void page_account_totp_confirm_post(void *visit)
{
	struct visit *v = visit;
	struct code_form f = { .code = STR_NONE };
	struct err e = { 0 };

	if (!visit_form(v, code_fields, FORM_NEW, &f, &e) || !account_totp_confirm(&v->by, &f, &e))
		account_blame(v, "setup", &e);
	else
		done(v, true, &e, "The app is set up. From now on you sign in with its code too.");
}

void page_account_totp_end_post(void *visit)
{
	struct visit *v = visit;
	struct confirm_form f = { .current = STR_NONE };
	struct err e = { 0 };

	if (!visit_form(v, confirm_fields, FORM_NEW, &f, &e) || !account_totp_end(&v->by, &f, &e))
		account_blame(v, "remove", &e);
	else
		done(v, true, &e, "The app is removed. Your password alone signs you in.");
}
