/* All providers, sorted by slug. To add one: its file, its line in provider_int.h and its line
 * here; doc/adding-a-provider.md has the rest. tests/tools/check-providers compares the sets. */
#include "provider_int.h"

#define BODY_MAX (1024 * 1024)
#define PER_MINUTE 100
#define PER_MINUTE_PAYMENT 1000

const struct provider *const providers[] = {
	&provider_appdynamics,
	&provider_azure,
	&provider_better_uptime,
	&provider_bitbucket,
	&provider_cloudwatch,
	&provider_datadog,
	&provider_dynatrace,
	&provider_elastic,
	&provider_firebase,
	&provider_github,
	&provider_gitlab,
	&provider_google,
	&provider_google_cloud_monitoring,
	&provider_grafana,
	&provider_honeycomb,
	&provider_newrelic,
	&provider_notion,
	&provider_paypal,
	&provider_pingdom,
	&provider_prometheus,
	&provider_salesforce,
	&provider_sentry,
	&provider_slack,
	&provider_splunk_observability,
	&provider_splunk_oncall,
	&provider_stripe,
	&provider_twilio,
	&provider_uptime_kuma,
	&provider_uptimerobot,
	&provider_webhook,
	NULL,
};

const struct provider *provider_find(struct str slug)
{
	size_t low = 0, high = ARRAY_SIZE(providers) - 1;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = str_cmp(slug, str_of(providers[middle]->slug));

		if (order == 0)
			return providers[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

size_t provider_body_max(const struct provider *p)
{
	return p->body_max ? p->body_max : BODY_MAX;
}

uint32_t provider_per_minute(const struct provider *p)
{
	if (p->per_minute)
		return p->per_minute;
	return p->flags & PAYMENT ? PER_MINUTE_PAYMENT : PER_MINUTE;
}

const char *provider_folder(const struct provider *p)
{
	return p->flags & (PAYMENT | ANSWER_RECEIVED) ? "webhooks" : "integrations";
}

bool provider_can_sign(const struct provider *p)
{
	return p->proofs != NULL;
}

const struct proof *const *provider_proofs(const struct provider *p)
{
	return p->proofs ? p->proofs : proofs_plain_hmac;
}

const struct proof *provider_proof(const struct provider *p, struct str scheme)
{
	for (const struct proof *const *proof = provider_proofs(p); *proof; proof++)
		if (str_eqs(scheme, (*proof)->name))
			return *proof;
	return NULL;
}

const struct provider *provider_for(const struct provider *p, const struct inbound *in)
{
	return p->detour.header && inbound_header(in, p->detour.header).n ? p->detour.to : p;
}

/* ---- settings ---- */

static bool setting_fits(const struct setting *s, const struct json *value)
{
	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		return json_is(value, JSON_STRING) || json_is(value, JSON_NUMBER);
	case SETTING_FLAG:
	case SETTING_ON:
		return json_is(value, JSON_BOOL);
	case SETTING_LIST:
		if (!json_is(value, JSON_ARRAY))
			return false;
		for (const struct json *x = value->first; x; x = x->next)
			if (!json_is(x, JSON_STRING))
				return false;
		return true;
	case SETTING_OBJECT:
		return json_is(value, JSON_OBJECT);
	}
	return false;
}

static bool setting_check(const struct provider *p, const struct json *member, struct err *e)
{
	static const char *const kinds[] = {
		[SETTING_TEXT] = "a text",
		[SETTING_FLAG] = "true or false",
		[SETTING_ON] = "true or false",
		[SETTING_LIST] = "a list of texts",
		[SETTING_OBJECT] = "an object",
		[SETTING_SECRET] = "a text",
	};

	for (const struct setting *s = p->settings; s && s->name; s++) {
		if (!str_eqs(member->name, s->name))
			continue;
		if (setting_fits(s, member))
			return true;
		return err_field(e, ERR_INVALID, "settings", "The setting %s must be %s.", s->name, kinds[s->kind]);
	}
	return err_field(e, ERR_INVALID, "settings", "The type %s has no setting %.*s.", p->slug,
		(int)(member->name.n < 100 ? member->name.n : 100), member->name.p);
}

bool provider_settings_check(const struct provider *p, const struct json *settings, struct err *e)
{
	for (const struct json *member = settings ? settings->first : NULL; member; member = member->next)
		if (!setting_check(p, member, e))
			return false;
	return true;
}

const char *provider_group_title(enum provider_group g)
{
	static const char *const titles[GROUP_COUNT] = {
		[GROUP_MONITORING] = "Monitoring",
		[GROUP_CLOUD] = "Clouds",
		[GROUP_UPTIME] = "Uptime checks",
		[GROUP_DEVELOPMENT] = "Development",
		[GROUP_PAYMENT] = "Payment",
		[GROUP_BUSINESS] = "Business and messaging",
		[GROUP_GENERIC] = "Anything else",
	};

	return titles[g];
}
