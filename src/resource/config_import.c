/* config_import.c - a file of configuration, back into the tables.
 *
 * One transaction: the first member that nobody knows, or value that is refused, and nothing was changed; a dry run is the same one,
 * rolled back. A thing that is there already is found by its id, else by its name, and changed only where the file says something else:
 * so a file can be read any number of times. What is there and not in the file stays. */
#include "config_int.h"

#include "grapnel/json.h"

const struct field config_imported_fields[] = {
	FIELD_STR(struct config_imported, part, "part", ""),
	FIELD_U64(struct config_imported, created, "created", ""),
	FIELD_U64(struct config_imported, changed, "changed", ""),
	FIELD_U64(struct config_imported, unchanged, "unchanged", ""),
	FIELD_U64(struct config_imported, left_out, "leftOut", ""),
	FIELD_END
};

struct import {
	struct config_work w;
	const struct config_import *x;
	const struct json *configuration;
	struct config_imported *out;
	uint64_t all, done;		/* things */
	bool rolled_back;		/* a dry run that would have gone well */
};

/* ---- the file ---- */

static struct str compact(struct arena *a, const struct json *j)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, CONFIG_MAX);
	json_out_init(&o, &b);
	json_tree(&o, j);
	return strbuf_str(&b);
}

/* Objects of the file have these members and no others; `part` names the object. */
static bool members_check(const struct json *object, const char *part, const char *const *known, struct err *e)
{
	if (!json_is(object, JSON_OBJECT))
		return err_field(e, ERR_INVALID, part, "%s must be an object.", part);
	for (const struct json *m = object->first; m; m = m->next) {
		const char *const *name = known;

		while (*name && !str_eqs(m->name, *name))
			name++;
		if (!*name)
			return err_field(e, ERR_INVALID, part, "%s has a member \"%.*s\" that is not known here.", part, STR_ARG(str_cut(m->name, 40)));
	}
	return true;
}

static bool unseal_it(struct arena *a, const struct json *sealed, struct str passphrase, const struct json **out, struct err *e)
{
	struct str salt, text, plain;
	struct seal_key *key;
	struct err why = { 0 };
	bool ok;

	if (!sealed)
		return err_set(e, ERR_INVALID, "the file holds no secrets: it was made without a passphrase");
	if (!base64_decode(a, json_text(json_get(sealed, "salt")), false, &salt) || !base64_decode(a, json_text(json_get(sealed, "text")), false, &text))
		return err_field(e, ERR_INVALID, "sealed", "sealed: salt and text must be base64.");
	key = seal_key_of_passphrase(passphrase, salt, e);
	if (!key)
		return false;
	ok = unseal(a, key, text, CONFIG_CONTEXT, &plain, &why);
	seal_key_free(key);
	if (!ok)
		return err_set(e, ERR_DENIED, "the secrets of the file do not open with this passphrase");
	return json_parse(a, plain, out, e);
}

static bool read_file(struct arena *a, struct str text, struct str passphrase, const struct json **configuration, struct err *e)
{
	static const char *const members[] = { "grapnel", "configuration", "sealed", NULL };
	const struct json *file, *sealed;
	struct config_head head;

	if (!json_parse(a, text, &file, e) || !members_check(file, "file", members, e))
		return false;
	if (!json_fields_read_all(a, json_get(file, "grapnel"), config_head_fields, false, &head, e))
		return err_field(e, ERR_INVALID, "grapnel", "This is no file of configuration: its member grapnel is not as it should be.");
	if (!str_eqs(head.file, CONFIG_KIND) || head.version != CONFIG_VERSION)
		return err_field(e, ERR_INVALID, "grapnel", "This program reads files of configuration of version %d.", CONFIG_VERSION);
	*configuration = json_get(file, "configuration");
	sealed = json_get(file, "sealed");
	if (!str_eq(head.sha256, config_sum(a, compact(a, *configuration), json_text(json_get(sealed, "text")))))
		return err_set(e, ERR_CONFLICT, "the checksum is wrong: the file was changed or cut short");
	return !passphrase.n || unseal_it(a, sealed, passphrase, configuration, e);
}

/* ---- one thing ---- */

/* The entry without what is no field, with the id of our service; `fixed`: and without what cannot be changed. */
static const struct json *wish_of(struct import *m, const struct config_part *p, const struct json *entry, bool fixed)
{
	struct arena *a = m->w.by.a;
	struct json *wish = json_new(a, JSON_OBJECT);

	for (const struct json *x = entry->first; x; x = x->next) {
		const struct form_field *f = p->fields;
		const struct json *ours = str_eqs(x->name, "serviceId") ? json_getn(m->w.ids, json_text(x)) : NULL;

		while (f->name && !str_eqs(x->name, f->name))
			f++;
		if (str_eqs(x->name, "id") || (str_eqs(x->name, "key") && p->fields == integration_fields) || (fixed && f->flags & FORM_FIXED))
			continue;
		json_share(a, wish, x->name, ours ? ours : x);
	}
	return wish;
}

static const struct config_thing *find(const struct config_part *p, const struct json *entry, const struct config_thing *things, size_t n)
{
	struct str id = json_text(json_get(entry, "id")), name = json_text(json_get(entry, "name"));

	if (!p->create)
		return things;
	for (size_t i = 0; id.n && i < n; i++)
		if (str_eq(things[i].id, id))
			return &things[i];
	for (size_t i = 0; i < n; i++)		/* elsewhere names may be there twice */
		if ((p->fields == service_fields || p->fields == user_fields) && str_ieq(things[i].name, name))
			return &things[i];
	return NULL;
}

static struct str thing_text(struct arena *a, const struct config_part *p, const void *form)
{
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, a, CONFIG_MAX);
	json_out_init(&o, &b);
	config_thing_write(&o, p, STR_NONE, form);
	return strbuf_str(&b);
}

static bool same(struct import *m, const struct config_part *p, const struct config_thing *stored, const void *form)
{
	return str_eq(thing_text(m->w.by.a, p, stored->form), thing_text(m->w.by.a, p, form));
}

/* What cannot be changed must be what it is. */
static bool fixed_check(const struct config_part *p, const void *stored, const void *form, struct err *e)
{
	for (const struct form_field *f = p->fields; f->name; f++) {
		const struct str *was = (const void *)((const char *)stored + f->offset), *is = (const void *)((const char *)form + f->offset);

		if (f->flags & FORM_FIXED && f->type == FORM_TEXT && !str_ieq(*was, *is))
			return err_field(e, ERR_CONFLICT, f->name, "%s is %.*s here and cannot be changed.", f->name, STR_ARG(str_cut(*was, 40)));
	}
	return true;
}

static bool make(struct import *m, const struct config_part *p, const struct json *entry, void *form, struct config_imported *sum, struct err *e)
{
	struct integration_form *f = form;
	int done;

	if (p->fields == integration_fields)
		f->key = json_text(json_get(entry, "key"));
	done = p->create(&m->w, form, json_text(json_get(entry, "id")), e);
	sum->created += done == 1;
	sum->left_out += done == 0;
	return done >= 0;
}

static bool take(struct import *m, const struct config_part *p, const struct json *entry, const struct config_thing *stored,
	struct config_imported *sum, struct err *e)
{
	void *form = arena_alloc(m->w.by.a, p->form_size);

	memcpy(form, stored ? stored->form : p->fresh, p->form_size);
	if (!form_read_json(m->w.by.a, wish_of(m, p, entry, false), p->fields, FORM_NEW, form, e))
		return false;
	if (p->ours)
		p->ours(&m->w, form);
	if (!stored)
		return make(m, p, entry, form, sum, e);
	if (p->fields == service_fields || p->fields == user_fields)
		json_add(m->w.ids, json_text(json_get(entry, "id")), json_new_str(m->w.by.a, stored->id));
	if (same(m, p, stored, form)) {
		sum->unchanged++;
		return true;
	}
	sum->changed++;
	return fixed_check(p, stored->form, form, e) && p->change(&m->w, stored, wish_of(m, p, entry, true), e);
}

/* ---- all ---- */

static bool place(const struct json *tenant, const struct config_part *p, size_t i, const struct json *entry, struct err *e)
{
	struct err why = *e;
	struct str name = json_text(json_get(entry, "name"));

	e->text[0] = '\0';
	return err_field(e, why.code, why.field, "%.*s, %s[%zu]%s%.*s: %.90s", STR_ARG(str_cut(json_text(json_get(tenant, "name")), 20)), p->name, i,
		name.n ? " " : "", STR_ARG(str_cut(name, 20)), why.text);
}

static bool import_part(struct import *m, const struct json *tenant, const struct config_part *p, struct config_imported *sum, struct err *e)
{
	const struct json *list = json_get(tenant, p->name);
	struct config_thing *things;
	size_t n, i = 0;

	if (!list)
		return true;
	if (!json_is(list, JSON_ARRAY))
		return err_field(e, ERR_INVALID, p->name, "%s must be a list.", p->name);
	if (!p->list(&m->w, &things, &n, e))
		return false;
	for (const struct json *entry = list->first; entry; entry = entry->next, i++) {
		if (!json_is(entry, JSON_OBJECT))
			return err_field(e, ERR_INVALID, p->name, "%s[%zu] must be an object.", p->name, i);
		if (!take(m, p, entry, find(p, entry, things, n), sum, e))
			return place(tenant, p, i, entry, e);
		m->done++;
		if (m->x->progress)
			m->x->progress(m->x->ctx, "things", (double)m->done / (double)m->all, m->done);
	}
	return true;
}

static bool tenant_of(struct import *m, const struct json *tenant, struct err *e)
{
	struct str name = m->x->tenant.n ? m->x->tenant : json_text(json_get(tenant, "name"));
	struct who who = caller_who(&m->w.by, m->w.by.tenant_id);
	struct tenant t;
	int found = tenant_by_name(m->w.by.db, m->w.by.a, name, &t, e);

	if (!found)
		found = tenant_add(m->w.by.db, m->w.by.a, m->w.by.shm, name, &who, m->w.by.now, &t, e) ? 1 : -1;
	m->w.by.tenant_id = t.id;
	return found == 1;
}

static bool import_tenant(struct import *m, const struct json *tenant, struct err *e)
{
	const char *members[CONFIG_PARTS + 2] = { "name" };
	bool ok;

	for (size_t i = 0; i < CONFIG_PARTS; i++)
		members[i + 1] = config_parts[i].name;
	m->w.ids = json_new(m->w.by.a, JSON_OBJECT);
	ok = members_check(tenant, "tenants", members, e) && tenant_of(m, tenant, e);
	for (size_t i = 0; ok && i < CONFIG_PARTS; i++)
		ok = import_part(m, tenant, &config_parts[i], &m->out[i], e);
	return ok;
}

static void count_things(struct import *m)
{
	m->all = m->done = 0;
	for (const struct json *t = json_get(m->configuration, "tenants")->first; t; t = t->next)
		for (size_t i = 0; i < CONFIG_PARTS; i++)
			m->all += json_get(t, config_parts[i].name) ? json_get(t, config_parts[i].name)->count : 0;
}

static bool import_tx(struct db *db, void *ctx, struct err *e)
{
	struct import *m = ctx;
	const uint64_t tenant_id = m->w.by.tenant_id;
	struct who who = caller_who(&m->w.by, tenant_id);
	bool ok = true;

	count_things(m);
	for (size_t i = 0; i < CONFIG_PARTS; i++)
		m->out[i] = (struct config_imported){ .part = str_of(config_parts[i].name) };
	for (const struct json *t = json_get(m->configuration, "tenants")->first; ok && t; t = t->next)
		ok = import_tenant(m, t, e);
	m->w.by.tenant_id = tenant_id;
	ok = ok && audit_add(db, &who, "configuration.import", STR_NONE, STR_NONE, m->w.by.now, e);
	m->rolled_back = ok && m->x->dry_run;
	return ok && !m->x->dry_run;
}

bool config_import(const struct caller *by, struct str file, const struct config_import *x, struct config_imported *out, struct err *e)
{
	static const char *const members[] = { "tenants", NULL };
	struct import m = { .w = { .by = *by, .secrets = x->passphrase.n }, .x = x, .out = out };
	const struct json *tenants;

	if (!read_file(by->a, file, x->passphrase, &m.configuration, e) || !members_check(m.configuration, CONFIG_KIND, members, e))
		return false;
	tenants = json_get(m.configuration, "tenants");
	if (!json_is(tenants, JSON_ARRAY))
		return err_field(e, ERR_INVALID, "tenants", "tenants must be a list.");
	if (x->tenant.n && tenants->count != 1)
		return err_field(e, ERR_INVALID, "tenants", "The file has %u tenants: they cannot all become one.", tenants->count);
	if (!db_tx(by->db, import_tx, &m, e) && !m.rolled_back)
		return false;
	if (by->shm && !x->dry_run)
		shm_generation_bump(by->shm);
	return true;
}
