/* tested.c - what a test webhook tells whoever sent it: API, pages and the command line alike. */
#include "resource_int.h"

#include "grapnel/ingest.h"

struct tested {
	bool success;
	struct str auto_resolve_in;
	uint64_t alert_id, incident_id;
	struct str title, level, severity_mapped, service, provider, signature;
	bool is_duplicate;
};

const struct field tested_fields[] = {
	FIELD_BOOL(struct tested, success, "success", "The test webhook went through the whole pipeline"),
	FIELD_STR(struct tested, auto_resolve_in, "autoResolveIn", "The system resolves the incident after that; null: there is none"),
	FIELD_END
};

const struct field tested_alert_fields[] = {
	FIELD_ID(struct tested, alert_id, "id", "Number of the alert"),
	FIELD_STR(struct tested, title, "title", "What it says"),
	FIELD_STR(struct tested, level, "severity", "Severity of the alert"),
	FIELD_END
};

const struct field tested_incident_fields[] = {
	FIELD_ID(struct tested, incident_id, "id", "Number of the incident"),
	FIELD_BOOL(struct tested, is_duplicate, "isDuplicate", "It was open before"),
	FIELD_END
};

const struct field tested_validation_fields[] = {
	FIELD_STR(struct tested, severity_mapped, "severityMapped", "The sender's word and what it became"),
	FIELD_STR(struct tested, service, "serviceRouted", "Name of the service used"),
	FIELD_STR(struct tested, provider, "providerDetected", "Provider slug"),
	FIELD_STR(struct tested, signature, "signature", "verified, or not possible where only the provider can sign"),
	FIELD_END
};

static void put_part(struct json_out *o, const char *name, bool is_there, const struct field *fields, const struct tested *t)
{
	json_key(o, name);
	if (!is_there) {
		json_null(o);
		return;
	}
	json_open(o, '{');
	json_fields(o, fields, t);
	json_close(o, '}');
}

void tested_json(struct json_out *o, struct arena *a, const struct ingest_tested *t)
{
	struct tested v = {
		.success = true,
		.auto_resolve_in = t->incident ? arena_printf(a, "%d minutes", TEST_RESOLVE_MINUTES) : STR_NONE,
		.alert_id = t->alert,
		.incident_id = t->incident,
		.title = t->title,
		.level = str_of(level_word(t->level)),
		.severity_mapped = arena_printf(a, "%.*s -> %s", STR_ARG(t->native_severity), level_word(t->level)),
		.service = t->service,
		.provider = str_of(t->provider->slug),
		.signature = str_of(t->signed_by_us ? "verified" : "not possible"),
		.is_duplicate = t->is_duplicate,
	};

	json_fields(o, tested_fields, &v);
	put_part(o, "alert", t->alert, tested_alert_fields, &v);
	put_part(o, "incident", t->incident, tested_incident_fields, &v);
	put_part(o, "validation", true, tested_validation_fields, &v);
}

bool tested_audit(struct db *db, struct arena *a, const struct who *who, struct str public_id, const struct ingest_tested *t, ms_t now,
	struct err *e)
{
	struct str detail = arena_printf(a, "{\"requestId\":\"%llu\",\"status\":%u}", (unsigned long long)t->request, t->status);

	return audit_add(db, who, "integration.test", public_id, detail, now, e);
}
