/* confirmation.c - rows by which senders have their subscriptions confirmed (SNS): a GET of the address that they gave.
 *
 * Not inside the request that asks for it: the sender must not wait for our visit to him. Its host was checked by the adapter before the
 * row was written. */
#include "grapnel/json.h"

#include "outbound_int.h"

#define ATTEMPTS_MAX 12

static bool open(struct round *r, struct err *e)
{
	return true;
}

static struct str member(struct parcel *p, const char *name)
{
	const struct json *payload;
	struct err e = { 0 };

	return json_parse(p->round->arena, p->row.payload, &payload, &e) ? json_text(json_get(payload, name)) : STR_NONE;
}

static bool request(struct parcel *p, ms_t now, struct send *out, struct str *why)
{
	out->url = member(p, "url");
	out->get = out->trusted = true;
	*why = STR("The row cannot be read.");
	return out->url.n > 0;
}

/* The word behind `mark` in an XML answer, or empty. */
static struct str shown(struct str body, struct str mark)
{
	for (size_t i = 0; mark.n && i + mark.n <= body.n; i++)
		if (!memcmp(body.p + i, mark.p, mark.n)) {
			struct str rest = str_sub(body, i + mark.n);

			return str_trim(str_until(&rest, '<'));
		}
	return STR_NONE;
}

static void judge(struct parcel *p)
{
	if (p->status == 200)
		p->answer = shown(p->body, member(p, "shows"));
	if (p->answer.n) {
		p->reception = RECEPTION_TAKEN;
		return;
	}
	p->reception = p->status == 429 ? RECEPTION_LATER : p->status == 408 || p->status >= 500 ? RECEPTION_AGAIN : RECEPTION_REFUSED;
	p->error = p->status == 200 ? STR("The answer does not confirm it.") : parcel_answered(p->round->arena, p->status);
}

static bool note(struct db *db, struct parcel *p, ms_t now, struct err *e)
{
	return true;
}

const struct cargo cargo_confirmation = {
	.kind = OUTBOX_CONFIRMATION, .attempts_max = ATTEMPTS_MAX, .places = SEND_PROGRAMS_MAX, .open = open, .request = request, .judge = judge, .note = note,
};
