/* route.c - which source a path speaks of.
 *
 *	/api/integrations/{type}?integrationId={id}	/api/integrations/{type}/{id}
 *	/api/webhooks/{provider}[/{id}]			without id: the default source of that provider
 *	/webhooks/{registrationId}			POST only: the other methods belong to the API
 *	/v2/enqueue, /v2/change/enqueue			PagerDuty Events API v2: the key is in the body
 *	/integrations/generic/20131114/alert/{key}[/{routing key}]	VictorOps' REST endpoint: tools made for it need another host only
 *
 * A first part that is a provider's slug is inbound; anything else under the same path is the API's. */
#include "ingest_int.h"

#define BODY_MAX_ANY (25u << 20)	/* GitHub's and GitLab's limit: where the path does not name the provider */

static bool next_part(struct str *path, struct str *part)
{
	if (!path->n)
		return false;
	*part = str_until(path, '/');
	return part->n > 0;
}

/* {slug}[/{id}] */
static struct entrance by_slug(struct arena *a, struct str rest, struct str query, bool has_default)
{
	struct entrance ep = { 0 };
	struct str slug, id = STR_NONE;

	if (!next_part(&rest, &slug) || !(ep.provider = provider_find(slug)))
		return ep;
	if (rest.n) {
		if (!next_part(&rest, &id) || rest.n || !(str_starts(id, "in_") || str_starts(id, "rg_")))
			return ep;
	} else if (a) {
		(void)form_find(a, query, "integrationId", &id);
	}
	ep.matched = true;
	if (id.n) {
		ep.kind = LOOKUP_ID;
		ep.name = id;
	} else if (has_default) {
		ep.kind = LOOKUP_DEFAULT;
		ep.name = slug;
	}
	return ep;
}

static bool starts_with(struct str *path, const char *prefix)
{
	if (!str_starts(*path, prefix))
		return false;
	*path = str_sub(*path, strlen(prefix));
	return true;
}

/* {key}[/{routing key}]; the latter chooses a team there and nothing here */
static struct entrance by_key(struct arena *a, struct str rest)
{
	struct entrance ep = { .matched = true, .provider = provider_find(STR("splunk-oncall")) };
	unsigned char *hash;
	struct str key;

	if (!a || !next_part(&rest, &key))
		return ep;
	hash = ARENA_ARRAY(a, unsigned char, SHA256_BYTES);
	sha256(key, hash);
	ep.kind = LOOKUP_KEY;
	ep.name = (struct str){ (const char *)hash, SHA256_BYTES };
	return ep;
}

/* `a` may be NULL: then the query is not read. */
static struct entrance parse(struct arena *a, struct str path, struct str query)
{
	struct entrance ep = { 0 };

	if (starts_with(&path, "/api/integrations/"))
		return by_slug(a, path, query, false);
	if (starts_with(&path, "/api/webhooks/"))
		return by_slug(a, path, query, true);
	if (starts_with(&path, VICTOROPS_PATH))
		return by_key(a, path);
	if (str_eqs(path, "/v2/enqueue") || str_eqs(path, "/v2/change/enqueue")) {
		ep = (struct entrance){ .matched = true, .provider = provider_find(STR("webhook")), .key_in_body = true };
	} else if (starts_with(&path, "/webhooks/rg_")) {
		ep = (struct entrance){ .matched = true, .kind = LOOKUP_ID, .name = { path.p - 3, path.n + 3 } };
	}
	return ep;
}

struct entrance entrance_of(struct arena *a, struct str path, struct str query)
{
	struct entrance ep = parse(a, path, query);

	/* No id of ours: not asked for, since one of 60 KB would fill the query for all of its batch. */
	if (ep.kind == LOOKUP_ID && ep.name.n >= PUBLIC_ID_MAX)
		ep.kind = LOOKUP_NONE;
	return ep;
}

bool ingest_path(struct str method, struct str path, size_t *body_max)
{
	struct entrance ep = parse(NULL, path, STR_NONE);

	if (!ep.matched || (str_starts(path, "/webhooks/") && !str_eqs(method, "POST")))
		return false;
	*body_max = ep.provider ? provider_body_max(ep.provider) : BODY_MAX_ANY;
	return true;
}
