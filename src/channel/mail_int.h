/* mail_int.h - the text of a mail. */
#ifndef MAIL_INT_H
#define MAIL_INT_H

#include "grapnel/base.h"

/* Writes "name: value"; what is not ASCII, or looks like them, as encoded words. A line break in the value is a blank. */
void mail_header(struct strbuf *b, const char *name, struct str value);
void mail_date(struct strbuf *b, ms_t at);
/* Quoted-printable, with CRLF. */
void mail_body(struct strbuf *b, struct str text);

#endif
