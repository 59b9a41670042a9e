/* integration.c - an integration as people see it. Secrets and keys never pass through here. */
#include "view_int.h"

#include "grapnel/provider.h"

const struct field integration_view_fields[] = {
	FIELD_STR(struct integration_view, id, "id", "Public id"),
	FIELD_STR(struct integration_view, name, "name", "As people know it"),
	FIELD_STR(struct integration_view, type, "type", "Provider slug"),
	FIELD_STR(struct integration_view, service_id, "serviceId",
		"The service whose incidents it opens"),
	FIELD_BOOL(struct integration_view, enabled, "enabled", "A disabled one answers 403"),
	FIELD_BOOL(struct integration_view, is_default, "isDefault",
		"Serves /api/webhooks/{type} without an id"),
	FIELD_JSON(struct integration_view, actions, "actions", "What is done with its events"),
	FIELD_U64(struct integration_view, rate_per_minute, "rateLimitPerMinute",
		"Requests accepted in a minute; 0 = no limit"),
	FIELD_JSON(struct integration_view, allowed_ips, "allowedIps",
		"Addresses and networks that may send; null = all"),
	FIELD_BOOL(struct integration_view, require_key, "requireKey",
		"Key and signature both are needed"),
	FIELD_BOOL(struct integration_view, route_by_service, "routeByService",
		"The service an event names decides"),
	FIELD_BOOL(struct integration_view, has_secret, "hasSecret", "A signature secret is set"),
	FIELD_STR(struct integration_view, handler_url, "handlerUrl", "Where the action forward posts events"),
	FIELD_BOOL(struct integration_view, has_handler_secret, "hasHandlerSecret",
		"They are signed with a secret of their own, else with the signature secret"),
	FIELD_STR(struct integration_view, forward_mode, "forwardMode", "queued or inline: the sender is answered after the handler"),
	FIELD_JSON(struct integration_view, retry_policy, "retryPolicy",
		"maxRetries after the first attempt, backoffSeconds before the second, doubling"),
	FIELD_JSON(struct integration_view, heartbeat, "heartbeatMinutes", "A request is expected at least so often; null = nobody watches"),
	FIELD_BOOL(struct integration_view, heartbeat_incident, "heartbeatIncident", "Silence opens an incident as well"),
	FIELD_TIME(struct integration_view, silent_since, "silentSince", "Nothing was heard for longer than that; null = all is well"),
	FIELD_JSON(struct integration_view, retention, "retentionDays", "How long its processed events are kept; null = as its tenant says"),
	FIELD_STR(struct integration_view, webhook_url, "webhookUrl", "Where the provider posts"),
	FIELD_U64(struct integration_view, alert_count, "alertCount", "Alerts so far"),
	FIELD_U64(struct integration_view, webhook_count, "webhookCount", "Requests so far"),
	FIELD_TIME(struct integration_view, last_webhook_at, "lastWebhookAt", "Newest request"),
	FIELD_TIME(struct integration_view, verified_at, "verifiedAt", "First request that was proven"),
	FIELD_TIME(struct integration_view, disconnected_at, "disconnectedAt",
		"The sender said that it sends no more; null again with its next request"),
	FIELD_U64(struct integration_view, error_count, "errorCount",
		"Answers 4xx and 5xx in the last 24 hours"),
	FIELD_TIME(struct integration_view, created_at, "createdAt", "Creation"),
	FIELD_TIME(struct integration_view, updated_at, "updatedAt", "Last change"),
	FIELD_END
};

#define ACTIONS_TEXT_MAX 64	/* all four words */
#define ADDRESSES_TEXT_MAX 65536	/* what the column holds */

static struct str actions_json(struct arena *a, uint64_t actions)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, ACTIONS_TEXT_MAX);
	json_out_init(&o, &b);
	source_actions_json(&o, actions);
	return strbuf_str(&b);
}

static struct str addresses_json(struct arena *a, struct str list)
{
	struct json_out o;
	struct strbuf b;

	if (!list.n)
		return STR_NONE;
	strbuf_init(&b, a, 4 * ADDRESSES_TEXT_MAX);
	json_out_init(&o, &b);
	json_open(&o, '[');
	while (list.n) {
		struct str one = str_trim(str_until(&list, ','));

		if (one.n)
			json_str(&o, one);
	}
	json_close(&o, ']');
	return strbuf_str(&b);
}

static struct str number_json(struct arena *a, uint64_t n)
{
	return n ? arena_printf(a, "%llu", (unsigned long long)n) : STR_NONE;
}

void integration_view_fill(struct arena *a, const struct source *s, struct str public_url,
	struct integration_view *out)
{
	const struct provider *p = provider_find(s->provider);

	*out = (struct integration_view){
		.id = s->public_id,
		.name = s->name,
		.type = s->provider,
		.service_id = s->service_public_id,
		.webhook_url = source_webhook_url(a, public_url, s->provider, s->public_id),
		.actions = actions_json(a, s->actions),
		.allowed_ips = addresses_json(a, s->allowed_ips),
		.handler_url = s->handler_url.n ? s->handler_url : STR_NONE,
		.has_handler_secret = s->has_handler_secret,
		.forward_mode = s->forward_mode == FORWARD_INLINE ? STR("inline") : STR("queued"),
		.retry_policy = arena_printf(a, "{\"maxRetries\":%llu,\"backoffSeconds\":%llu}", (unsigned long long)s->max_retries,
			(unsigned long long)s->backoff_s),
		.heartbeat_minutes = s->heartbeat_minutes,
		.heartbeat = number_json(a, s->heartbeat_minutes),
		.heartbeat_incident = s->heartbeat_incident,
		.silent_since = s->silent_since,
		.retention_days = s->retention_days,
		.retention = number_json(a, s->retention_days),
		.rate_per_minute = s->rate_per_minute,
		.enabled = s->enabled,
		.is_default = s->is_default,
		.require_key = s->require_key,
		.route_by_service = s->route_by_service,
		.has_secret = s->has_secret,
		.alert_count = s->alert_count,
		.webhook_count = s->webhook_count,
		.error_count = s->error_count,
		.last_webhook_at = s->last_webhook_at,
		.verified_at = s->verified_at,
		.disconnected_at = s->disconnected_at,
		.created_at = s->created_at,
		.updated_at = s->updated_at,
	};
	if (s->rate_per_minute == RATE_DEFAULT)
		out->rate_per_minute = p ? provider_per_minute(p) : 0;
}
