/* source_url.c - where the provider posts. */
#include "grapnel/provider.h"
#include "store_int.h"

struct str source_webhook_url(struct arena *a, struct str public_url, struct str provider, struct str public_id)
{
	const struct provider *p = provider_find(provider);

	while (public_url.n && public_url.p[public_url.n - 1] == '/')
		public_url.n--;
	if (public_id_is(public_id, "rg"))
		return arena_printf(a, "%.*s/webhooks/%.*s", STR_ARG(public_url), STR_ARG(public_id));
	return arena_printf(a, "%.*s/api/%s/%.*s/%.*s", STR_ARG(public_url), p ? provider_folder(p) : "integrations", STR_ARG(provider),
		STR_ARG(public_id));
}
