/* config_export.c - what people set up, as a file.
 *
 * {"grapnel": {head}, "configuration": {"tenants": [...]}, "sealed": {...}}. The checksum in the head is of the configuration without
 * blanks, so that the file may be laid out anew. `sealed` is the same configuration with its secrets: whoever has the passphrase needs no
 * other part. */
#include "config_int.h"

#include "grapnel/json.h"

const struct field config_head_fields[] = {
	FIELD_STR(struct config_head, file, "file", ""),
	FIELD_U64(struct config_head, version, "version", ""),
	FIELD_STR(struct config_head, product, "product", ""),
	FIELD_STR(struct config_head, exported_at, "exportedAt", ""),
	FIELD_STR(struct config_head, sha256, "sha256", ""),
	FIELD_END
};

struct str config_sum(struct arena *a, struct str configuration, struct str sealed)
{
	return sha256_hex(a, arena_printf(a, "%.*s\n%.*s", STR_ARG(configuration), STR_ARG(sealed)));
}

void config_thing_write(struct json_out *o, const struct config_part *p, struct str id, const void *form)
{
	json_open(o, '{');
	if (id.n) {
		json_key(o, "id");
		json_str(o, id);
	}
	form_write_json(o, p->fields, form);
	json_close(o, '}');
}

/* Of an integration the key as well, which no form has. */
static void thing_write(struct json_out *o, const struct config_work *w, const struct config_part *p, const struct config_thing *x)
{
	const struct integration_form *f = x->form;

	json_open(o, '{');
	if (x->id.n) {
		json_key(o, "id");
		json_str(o, x->id);
	}
	if (w->secrets && p->fields == integration_fields && f->key.n) {
		json_key(o, "key");
		json_str(o, f->key);
	}
	form_write_json(o, p->fields, x->form);
	json_close(o, '}');
}

static bool write_part(struct json_out *o, struct config_work *w, const struct config_part *p, struct err *e)
{
	struct config_thing *things;
	size_t n;

	if (!p->list(w, &things, &n, e))
		return false;
	json_key(o, p->name);
	json_open(o, '[');
	for (size_t i = 0; i < n; i++)
		thing_write(o, w, p, &things[i]);
	json_close(o, ']');
	return true;
}

static bool write_tenant(struct json_out *o, struct config_work *w, const struct tenant *t, struct err *e)
{
	bool ok = true;

	w->by.tenant_id = t->id;
	json_open(o, '{');
	json_key(o, "name");
	json_str(o, t->name);
	for (const struct config_part *p = config_parts; ok && p->name; p++)
		ok = write_part(o, w, p, e);
	json_close(o, '}');
	return ok;
}

/* The named one, or all. */
static bool write_tenants(struct json_out *o, struct config_work *w, struct str only, struct err *e)
{
	struct tenant t = { .id = 0 };
	int found;

	if (only.n) {
		found = tenant_by_name(w->by.db, w->by.a, only, &t, e);
		return found == 1 ? write_tenant(o, w, &t, e) : !found && err_field(e, ERR_NOT_FOUND, "tenant", "There is no such tenant.");
	}
	while ((found = tenant_next(w->by.db, w->by.a, t.id, &t, e)) == 1)
		if (!write_tenant(o, w, &t, e))
			return false;
	return !found;
}

static bool configuration(const struct caller *by, struct str tenant, bool secrets, struct str *out, struct err *e)
{
	struct config_work w = { .by = *by, .secrets = secrets };
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, by->a, CONFIG_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_key(&o, "tenants");
	json_open(&o, '[');
	if (!write_tenants(&o, &w, tenant, e))
		return false;
	json_close(&o, ']');
	json_close(&o, '}');
	*out = strbuf_str(&b);
	return !b.failed || err_set(e, ERR_LIMIT, "the configuration is larger than %u MiB", CONFIG_MAX >> 20);
}

static bool seal_it(const struct caller *by, const struct config_export *x, struct str *salt, struct str *sealed, struct err *e)
{
	unsigned char random[PASSPHRASE_SALT];
	struct seal_key *key;
	struct str plain;

	random_bytes(random, sizeof(random));
	key = seal_key_of_passphrase(x->passphrase, (struct str){ (const char *)random, sizeof(random) }, e);
	if (!key || !configuration(by, x->tenant, true, &plain, e)) {
		seal_key_free(key);
		return false;
	}
	*sealed = seal(by->a, key, plain, CONFIG_CONTEXT);
	*sealed = base64_encode(by->a, sealed->p, sealed->n);
	*salt = base64_encode(by->a, random, sizeof(random));
	secret_wipe((char *)plain.p, plain.n);
	seal_key_free(key);
	return true;
}

static void write_file(struct json_out *o, const struct config_head *head, struct str plain, struct str salt, struct str sealed)
{
	json_open(o, '{');
	json_key(o, "grapnel");
	json_open(o, '{');
	json_fields(o, config_head_fields, head);
	json_close(o, '}');
	json_key(o, "configuration");
	json_raw(o, plain);
	if (sealed.n) {
		json_key(o, "sealed");
		json_open(o, '{');
		json_key(o, "salt");
		json_str(o, salt);
		json_key(o, "text");
		json_str(o, sealed);
		json_close(o, '}');
	}
	json_close(o, '}');
}

bool config_export(const struct caller *by, const struct config_export *x, struct str *out, struct err *e)
{
	struct who who = caller_who(by, by->tenant_id);
	struct str plain, salt = STR_NONE, sealed = STR_NONE;
	struct config_head head = { .file = STR(CONFIG_KIND), .version = CONFIG_VERSION, .product = str_of(x->version) };
	char at[TIME_TEXT];
	struct json_out o;
	struct strbuf b;

	if (!configuration(by, x->tenant, false, &plain, e) || (x->passphrase.n && !seal_it(by, x, &salt, &sealed, e)))
		return false;
	head.exported_at = str_of(time_format(by->now, at));
	head.sha256 = config_sum(by->a, plain, sealed);
	strbuf_init(&b, by->a, 3 * (size_t)CONFIG_MAX);
	json_out_init(&o, &b);
	write_file(&o, &head, plain, salt, sealed);
	*out = strbuf_str(&b);
	return audit_add(by->db, &who, "configuration.export", x->tenant.n ? x->tenant : STR("all"),
		x->passphrase.n ? STR("{\"secrets\":true}") : STR_NONE, by->now, e);
}
