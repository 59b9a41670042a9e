/* source_url.c - where the provider posts. */
#include "store_int.h"

/* Under /api/webhooks, which also serves them without an id (2-ingest-and-api: Inbound). */
static const char *const by_provider[] = { "firebase", "paypal", "stripe", "twilio" };

struct str source_webhook_url(struct arena *a, struct str public_url, struct str provider, struct str public_id)
{
	const char *folder = "integrations";

	while (public_url.n && public_url.p[public_url.n - 1] == '/')
		public_url.n--;
	if (public_id_is(public_id, "rg"))
		return arena_printf(a, "%.*s/webhooks/%.*s", STR_ARG(public_url), STR_ARG(public_id));
	for (size_t i = 0; i < ARRAY_SIZE(by_provider); i++)
		if (str_eqs(provider, by_provider[i]))
			folder = "webhooks";
	return arena_printf(a, "%.*s/api/%s/%.*s/%.*s", STR_ARG(public_url), folder, STR_ARG(provider), STR_ARG(public_id));
}
