/* contact.c - where people are paged, and when they are left alone.
 *
 * A contact counts once somebody has typed the code that was sent to it: else anybody could have anybody paged. How many codes may be sent is
 * counted for the person and for the address, not for the contact, since contacts can be made anew. */
#include "store_int.h"

#include "grapnel/json.h"

#define DETAIL_MAX 8192

enum { Q_BY_PUBLIC_ID, Q_LIST, Q_BY_IDS, Q_OF, Q_LOCK, Q_COUNT, Q_ADD, Q_DELETE, Q_SET_CODE, Q_TRIED, Q_VERIFIED, Q_SENT, Q_FAILED,
	Q_PAGING, Q_PERSON, Q_CODES_COUNT, Q_CODES, Q_CODES_SWEEP, Q_PAGING_SET };

#define COLUMNS \
	"c.id, c.public_id, c.tenant_id, c.user_id, c.kind, c.address, c.verified_at, c.code_hash, c.code_until, c.code_tries, c.sent_at," \
	" c.failed_at, c.error, c.created_at"
#define PERSON \
	", u.name AS user_name, u.enabled AS user_enabled, u.role AS user_role, COALESCE(p.quiet, 0) AS quiet, COALESCE(p.quiet_from, 0) AS quiet_from," \
	" COALESCE(p.quiet_to, 0) AS quiet_to, COALESCE(p.time_zone, 'UTC') AS time_zone"
#define PAGING "quiet, quiet_from, quiet_to, time_zone"

static const struct stmt stmts[] = {
	[Q_BY_PUBLIC_ID] = { "contact.by_public_id", "SELECT " COLUMNS " FROM contacts c WHERE c.public_id = ? AND c.tenant_id = ?" },
	[Q_LIST] = { "contact.list", "SELECT " COLUMNS " FROM contacts c WHERE c.user_id = ? ORDER BY c.id" },
	[Q_BY_IDS] = { "contact.by_ids",
		"SELECT " COLUMNS PERSON " FROM JSON_TABLE(?, '$[*]' COLUMNS (id INT UNSIGNED PATH '$')) j JOIN contacts c ON c.id = j.id"
		" JOIN users u ON u.id = c.user_id LEFT JOIN paging p ON p.user_id = c.user_id" },
	[Q_OF] = { "contact.of",
		"SELECT " COLUMNS PERSON " FROM JSON_TABLE(?, '$[*]' COLUMNS (id VARCHAR(23) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) j"
		" JOIN users u ON u.public_id = j.id JOIN contacts c ON c.user_id = u.id LEFT JOIN paging p ON p.user_id = c.user_id"
		" WHERE u.tenant_id = ? AND u.enabled = 1 AND c.verified_at IS NOT NULL ORDER BY c.id" },
	[Q_LOCK] = { "contact.lock", "SELECT " COLUMNS " FROM contacts c WHERE c.id = ? FOR UPDATE" },
	[Q_COUNT] = { "contact.count", "SELECT COUNT(*) AS id FROM contacts WHERE user_id = ?" },
	[Q_ADD] = { "contact.add",
		"INSERT INTO contacts (public_id, tenant_id, user_id, kind, address, created_at) VALUES (?, ?, ?, ?, ?, ?)" },
	[Q_DELETE] = { "contact.delete", "DELETE FROM contacts WHERE id = ?" },
	[Q_SET_CODE] = { "contact.set_code", "UPDATE contacts SET code_hash = ?, code_until = ?, code_tries = 0 WHERE id = ?" },
	[Q_TRIED] = { "contact.tried", "UPDATE contacts SET code_tries = code_tries + 1 WHERE id = ?" },
	[Q_VERIFIED] = { "contact.verified",
		"UPDATE contacts SET verified_at = ?, code_hash = NULL, code_until = NULL, code_tries = 0 WHERE id = ?" },
	[Q_SENT] = { "contact.sent", "UPDATE contacts SET sent_at = ?, error = NULL WHERE id = ?" },
	[Q_FAILED] = { "contact.failed", "UPDATE contacts SET failed_at = ?, error = ? WHERE id = ?" },
	[Q_PAGING] = { "contact.paging", "SELECT " PAGING " FROM paging WHERE user_id = ?" },
	/* There is a row then, and it is locked: two requests of one person come one after the other. */
	[Q_PERSON] = { "contact.person", "INSERT INTO paging (user_id) VALUES (?) ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)" },
	/* The row is locked. A window that begins in the future is none: a clock was wrong. */
	[Q_CODES_COUNT] = { "contact.codes_count",
		"INSERT INTO contact_codes (id, since, codes) VALUES (?, ?, 1)"
		" ON DUPLICATE KEY UPDATE codes = IF(since > ? AND since <= VALUES(since), codes + 1, 1),"
		" since = IF(since > ? AND since <= VALUES(since), since, VALUES(since))" },
	[Q_CODES] = { "contact.codes", "SELECT codes FROM contact_codes WHERE id = ?" },
	[Q_CODES_SWEEP] = { "contact.codes_sweep", "DELETE FROM contact_codes WHERE since <= ? LIMIT ?" },
	[Q_PAGING_SET] = { "contact.paging_set",
		"INSERT INTO paging (user_id, " PAGING ") VALUES (?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE quiet = VALUES(quiet),"
		" quiet_from = VALUES(quiet_from), quiet_to = VALUES(quiet_to), time_zone = VALUES(time_zone)" },
};
const struct stmt_table contact_stmts = { stmts, ARRAY_SIZE(stmts) };

struct row {
	struct contact contact;
	struct str time_zone;
};

static const struct field fields[] = {
	FIELD_ID(struct row, contact.id, "id", ""),
	FIELD_ID(struct row, contact.tenant_id, "tenant_id", ""),
	FIELD_ID(struct row, contact.user_id, "user_id", ""),
	FIELD_STR(struct row, contact.public_id, "public_id", ""),
	FIELD_STR(struct row, contact.kind, "kind", ""),
	FIELD_STR(struct row, contact.address, "address", ""),
	FIELD_STR(struct row, contact.code_hash, "code_hash", ""),
	FIELD_U64(struct row, contact.code_tries, "code_tries", ""),
	FIELD_STR(struct row, contact.error, "error", ""),
	FIELD_STR(struct row, contact.user_name, "user_name", ""),
	FIELD_BOOL(struct row, contact.user_enabled, "user_enabled", ""),
	FIELD_U64(struct row, contact.user_role, "user_role", ""),
	FIELD_BOOL(struct row, contact.quiet.on, "quiet", ""),
	FIELD_U64(struct row, contact.quiet.from_min, "quiet_from", ""),
	FIELD_U64(struct row, contact.quiet.to_min, "quiet_to", ""),
	FIELD_STR(struct row, time_zone, "time_zone", ""),
	FIELD_TIME(struct row, contact.verified_at, "verified_at", ""),
	FIELD_TIME(struct row, contact.code_until, "code_until", ""),
	FIELD_TIME(struct row, contact.sent_at, "sent_at", ""),
	FIELD_TIME(struct row, contact.failed_at, "failed_at", ""),
	FIELD_TIME(struct row, contact.created_at, "created_at", ""),
	FIELD_END
};

static const struct field audit_fields[] = {
	FIELD_STR(struct contact, kind, "kind", ""),
	FIELD_STR(struct contact, address, "address", ""),
	FIELD_END
};

/* ---- reading ---- */

/* A zone that this host does not know is UTC. */
static const struct zone *zone_of(struct arena *a, struct str name)
{
	const struct zone *z = zone_read(a, name);

	return z ? z : zone_read(a, STR("UTC"));
}

static void rows_to_contacts(struct arena *a, const struct row *rows, size_t n, struct contact **out)
{
	*out = ARENA_ARRAY(a, struct contact, n + 1);
	for (size_t i = 0; i < n; i++) {
		(*out)[i] = rows[i].contact;
		if (rows[i].contact.quiet.on)
			(*out)[i].quiet.zone = zone_of(a, rows[i].time_zone);
	}
}

int contact_get(struct db *db, struct arena *a, uint64_t tenant_id, struct str public_id, struct contact *out, struct err *e)
{
	struct row row = { 0 };
	int found = db_query_one(db, &stmts[Q_BY_PUBLIC_ID], VALS(V_S(public_id), V_U(tenant_id)), a, fields, sizeof(row), &row, e);

	*out = row.contact;
	return found;
}

bool contact_list(struct db *db, struct arena *a, uint64_t user_id, struct contact **out, size_t *n, struct err *e)
{
	struct row *rows;

	if (!db_query(db, &stmts[Q_LIST], VALS(V_U(user_id)), a, fields, sizeof(*rows), &rows, n, e))
		return false;
	rows_to_contacts(a, rows, *n, out);
	return true;
}

bool contacts_by_ids(struct db *db, struct arena *a, struct str ids, struct contact **out, size_t *n, struct err *e)
{
	struct row *rows;

	if (!db_query(db, &stmts[Q_BY_IDS], VALS(V_S(ids)), a, fields, sizeof(*rows), &rows, n, e))
		return false;
	rows_to_contacts(a, rows, *n, out);
	return true;
}

bool contacts_of(struct db *db, struct arena *a, uint64_t tenant_id, struct str user_ids, struct contact **out, size_t *n, struct err *e)
{
	struct row *rows;

	if (!db_query(db, &stmts[Q_OF], VALS(V_S(user_ids), V_U(tenant_id)), a, fields, sizeof(*rows), &rows, n, e))
		return false;
	rows_to_contacts(a, rows, *n, out);
	return true;
}

/* ---- changing ---- */

struct change {
	struct arena *arena;
	struct contact contact;
	const struct who *who;
	ms_t now;
	bool found;
	/* of a code */
	struct str hash, payload;
	uint64_t message;
	enum contact_answer answer;
};

static bool audit(struct db *db, const struct change *x, const char *action, struct err *e)
{
	struct strbuf b;
	struct json_out o;

	strbuf_init(&b, x->arena, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, audit_fields, &x->contact);
	json_close(&o, '}');
	return audit_add(db, x->who, action, x->contact.public_id, strbuf_str(&b), x->now, e);
}

static bool add_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *x = ctx;
	struct contact *c = &x->contact;
	struct row count = { 0 };

	if (!db_exec(db, &stmts[Q_PERSON], VALS(V_U(c->user_id)), NULL, e) ||
			db_query_one(db, &stmts[Q_COUNT], VALS(V_U(c->user_id)), x->arena, fields, sizeof(count), &count, e) < 0)
		return false;
	if (count.contact.id >= CONTACTS_MAX)
		return err_tell(e, ERR_CONFLICT, "There are %d contacts, and no room for more.", CONTACTS_MAX);
	if (!db_exec(db, &stmts[Q_ADD],
		VALS(V_S(c->public_id), V_U(c->tenant_id), V_U(c->user_id), V_S(c->kind), V_S(c->address), V_I(x->now)), NULL, e))
		return conflict_if_duplicate(db, "address", "This contact is there already.", e);
	c->id = db_insert_id(db);
	return audit(db, x, "contact.create", e);
}

bool contact_add(struct db *db, struct arena *a, const struct contact *in, const struct who *who, ms_t now, struct contact *out, struct err *e)
{
	struct change x = { .arena = a, .contact = *in, .who = who, .now = now };
	char id[PUBLIC_ID_MAX];

	public_id_make("ct", id);
	x.contact.public_id = arena_str(a, str_of(id));
	x.contact.created_at = now;
	if (!db_tx(db, add_tx, &x, e))
		return false;
	*out = x.contact;
	return true;
}

static bool delete_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *x = ctx;
	uint64_t deleted;

	if (!outbox_drop_waiting(db, OUTBOX_PAGE, x->contact.id, "The contact was deleted.", x->now, e) ||
		!db_exec(db, &stmts[Q_DELETE], VALS(V_U(x->contact.id)), &deleted, e))
		return false;
	x->found = deleted == 1;
	return !x->found || audit(db, x, "contact.delete", e);
}

int contact_delete(struct db *db, struct arena *a, const struct contact *c, const struct who *who, ms_t now, struct err *e)
{
	struct change x = { .arena = a, .contact = *c, .who = who, .now = now };

	return db_tx(db, delete_tx, &x, e) ? x.found : -1;
}

/* ---- codes ---- */

#define CODE_CONTEXT "contact-code"
#define HASH_CONTEXT "contact-code-hash"
#define CODES 1000000

/* The message that brings it says which it is, and the key file what it is called: so the code stands nowhere. */
struct str contact_code(struct arena *a, const struct seal_key *sk, struct str public_id, uint64_t message)
{
	unsigned char mac[DIGEST_MAX];
	uint64_t n = 0;

	(void)seal_sign(sk, CODE_CONTEXT, arena_printf(a, "%.*s %llu", STR_ARG(public_id), (unsigned long long)message), mac);
	for (size_t i = 0; i < sizeof(n); i++)
		n = n << 8 | mac[i];
	return arena_printf(a, "%06u", (unsigned)(n % CODES));
}

struct str contact_code_hash(struct arena *a, const struct seal_key *sk, struct str public_id, struct str code)
{
	unsigned char mac[DIGEST_MAX];

	(void)seal_sign(sk, HASH_CONTEXT, arena_printf(a, "%.*s %.*s", STR_ARG(public_id), STR_ARG(code)), mac);
	return arena_str(a, (struct str){ (const char *)mac, CONTACT_HASH_BYTES });
}

#define SWEEP_MAX 20	/* more than a code adds */

struct code_count {
	uint64_t codes;
};

static const struct field count_fields[] = {
	FIELD_U64(struct code_count, codes, "codes", ""),
	FIELD_END
};

static const struct code_limit {
	const char *of;		/* what is counted */
	bool address;		/* of the address, else of the person */
	ms_t window;
	uint64_t max;
	const char *told;	/* after the number */
} code_limits[] = {
	{ "hour", false, MS_PER_HOUR, CONTACT_CODES_HOUR_MAX, "codes were sent within an hour. Try again later." },
	{ "day", false, MS_PER_DAY, CONTACT_CODES_DAY_MAX, "codes were sent within a day. Try again tomorrow." },
	{ "address", true, MS_PER_DAY, CONTACT_CODES_ADDRESS_MAX, "codes were sent to this address within a day. Try again tomorrow." },
};

/* Mail to ANN@EXAMPLE.ORG is ann@example.org's. */
static struct val counted(struct arena *a, const struct contact *c, const struct code_limit *l)
{
	struct str what = l->address ? arena_printf(a, "%s %.*s %.*s", l->of, STR_ARG(c->kind), STR_ARG(arena_lower(a, c->address))) :
		arena_printf(a, "%s %llu", l->of, (unsigned long long)c->user_id);
	unsigned char hash[SHA256_BYTES];

	sha256(what, hash);
	return V_B(arena_str(a, (struct str){ (const char *)hash, sizeof(hash) }));
}

static bool count_code(struct db *db, const struct change *x, const struct code_limit *l, struct err *e)
{
	const struct val id = counted(x->arena, &x->contact, l), over = V_I(x->now - l->window);
	struct code_count c = { 0 };

	if (!db_exec(db, &stmts[Q_CODES_COUNT], VALS(id, V_I(x->now), over, over), NULL, e) ||
			db_query_one(db, &stmts[Q_CODES], VALS(id), x->arena, count_fields, sizeof(c), &c, e) < 0)
		return false;
	return c.codes <= l->max || err_tell(e, ERR_LIMIT, "%d %s", (int)l->max, l->told);
}

/* What is over the limit is not counted: the transaction ends with it. */
static bool count_codes(struct db *db, const struct change *x, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(code_limits); i++)
		if (!count_code(db, x, &code_limits[i], e))
			return false;
	return db_exec(db, &stmts[Q_CODES_SWEEP], VALS(V_I(x->now - MS_PER_DAY), V_U(SWEEP_MAX)), NULL, e);
}

static bool send_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *x = ctx;
	const struct contact *c = &x->contact;
	const struct outbox_row row = { .id = x->message, .tenant_id = c->tenant_id, .kind = OUTBOX_PAGE, .target_id = c->id, .cause_id = x->message,
		.payload = x->payload, .attempts_max = 3, .next_at = x->now, .created_at = x->now };

	return count_codes(db, x, e) && db_exec(db, &stmts[Q_SET_CODE], VALS(V_B(x->hash), V_I(x->now + CONTACT_CODE_MS), V_U(c->id)), NULL, e) &&
		outbox_add_all(db, x->arena, &row, 1, e);
}

bool contact_code_send(struct db *db, struct arena *a, const struct contact *c, struct str hash, uint64_t message, struct str payload, ms_t now,
	struct err *e)
{
	struct change x = { .arena = a, .contact = *c, .now = now, .hash = hash, .message = message, .payload = payload };

	return db_tx(db, send_tx, &x, e);
}

static enum contact_answer judge(const struct row *r, struct str hash, ms_t now)
{
	const struct contact *c = &r->contact;

	if (c->code_hash.n != hash.n || c->code_until <= now || c->code_until > now + CONTACT_CODE_MS)
		return CONTACT_LATE;
	if (c->code_tries >= CONTACT_CODE_TRIES)
		return CONTACT_TRIED;
	return equal_ct(c->code_hash.p, c->code_hash.n, hash.p, hash.n) ? CONTACT_VERIFIED : CONTACT_WRONG;
}

static bool verify_tx(struct db *db, void *ctx, struct err *e)
{
	struct change *x = ctx;
	struct row row = { 0 };
	int found = db_query_one(db, &stmts[Q_LOCK], VALS(V_U(x->contact.id)), x->arena, fields, sizeof(row), &row, e);

	x->found = found == 1;
	if (found != 1)
		return found == 0;
	x->answer = judge(&row, x->hash, x->now);
	if (x->answer == CONTACT_WRONG)
		return db_exec(db, &stmts[Q_TRIED], VALS(V_U(row.contact.id)), NULL, e);
	if (x->answer != CONTACT_VERIFIED)
		return true;
	return db_exec(db, &stmts[Q_VERIFIED], VALS(V_I(x->now), V_U(row.contact.id)), NULL, e) && audit(db, x, "contact.verify", e);
}

int contact_verify(struct db *db, struct arena *a, const struct contact *c, struct str hash, const struct who *who, ms_t now,
	enum contact_answer *out, struct err *e)
{
	struct change x = { .arena = a, .contact = *c, .who = who, .now = now, .hash = hash };

	if (!db_tx(db, verify_tx, &x, e))
		return -1;
	*out = x.answer;
	return x.found;
}

bool contact_told(struct db *db, uint64_t id, struct str error, ms_t now, struct err *e)
{
	return error.n ? db_exec(db, &stmts[Q_FAILED], VALS(V_I(now), V_S(str_cut(error, 255)), V_U(id)), NULL, e) :
		db_exec(db, &stmts[Q_SENT], VALS(V_I(now), V_U(id)), NULL, e);
}

/* ---- how a person wants to be paged ---- */

static const struct field paging_fields[] = {
	FIELD_BOOL(struct paging, quiet, "quiet", ""),
	FIELD_U64(struct paging, quiet_from, "quiet_from", ""),
	FIELD_U64(struct paging, quiet_to, "quiet_to", ""),
	FIELD_STR(struct paging, time_zone, "time_zone", ""),
	FIELD_END
};

bool paging_get(struct db *db, struct arena *a, uint64_t user_id, struct paging *out, struct err *e)
{
	int found = db_query_one(db, &stmts[Q_PAGING], VALS(V_U(user_id)), a, paging_fields, sizeof(*out), out, e);

	if (!found)
		out->time_zone = STR("UTC");
	return found >= 0;
}

struct paging_change {
	struct arena *arena;
	uint64_t user_id;
	struct str public_id;
	const struct paging *paging;
	const struct who *who;
	ms_t now;
};

static bool paging_tx(struct db *db, void *ctx, struct err *e)
{
	const struct paging_change *x = ctx;
	const struct paging *p = x->paging;
	struct json_out o;
	struct strbuf b;

	strbuf_init(&b, x->arena, DETAIL_MAX);
	json_out_init(&o, &b);
	json_open(&o, '{');
	json_fields(&o, paging_fields, p);
	json_close(&o, '}');
	return db_exec(db, &stmts[Q_PAGING_SET], VALS(V_U(x->user_id), V_U(p->quiet), V_U(p->quiet_from), V_U(p->quiet_to), V_S(p->time_zone)), NULL, e) &&
		audit_add(db, x->who, "user.quiet_hours", x->public_id, strbuf_str(&b), x->now, e);
}

bool paging_set(struct db *db, struct arena *a, uint64_t user_id, struct str public_id, const struct paging *p, const struct who *who, ms_t now,
	struct err *e)
{
	struct paging_change x = { a, user_id, public_id, p, who, now };

	return db_tx(db, paging_tx, &x, e);
}
