/* link.c - links that acknowledge or resolve an incident without a sign-in.
 *
 * The link is its own proof: what it says stands in it, signed, and nothing is stored until it is used. 42 bytes, so that it fits into an SMS beside
 * the text. 96 bits of the HMAC are enough where each guess is a request and wrong ones are counted (RFC 2104 section 5 wants 80). Its nonce is the number of
 * the message that carries it: a message that is sent twice has the same link, and two messages to one person have two.
 *
 * It serves once: the row of its use is written in the transaction of the act, and its primary key lets one through. */
#include "store_int.h"

#define CONTEXT "incident-link"
#define VERSION 1
#define MAC_BYTES 12
#define SAID_BYTES 30		/* version and what kind, key number, incident, recipient, contact, end, nonce */
#define TOKEN_BYTES (SAID_BYTES + MAC_BYTES)

enum { Q_USE, Q_FORGET };

static const struct stmt stmts[] = {
	[Q_USE] = { "link.use", "INSERT INTO link_uses (said_hash, incident_id, used_at, expires_at) VALUES (?, ?, ?, ?)" },
	[Q_FORGET] = { "link.forget", "DELETE FROM link_uses WHERE expires_at < ? LIMIT ?" },
};
const struct stmt_table link_stmts = { stmts, ARRAY_SIZE(stmts) };

/* ---- the token ---- */

static void put(unsigned char **p, uint64_t v, unsigned bytes)
{
	while (bytes--)
		*(*p)++ = (unsigned char)(v >> 8 * bytes);
}

static uint64_t take(const unsigned char **p, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | *(*p)++;
	return v;
}

/* What it says, without the key that signs it: the same however often keys change. */
static void said_write(const struct incident_link *l, unsigned char out[SAID_BYTES])
{
	unsigned char *p = out;

	put(&p, VERSION << 6 | (unsigned)l->to << 4 | (unsigned)l->action, 1);
	put(&p, 0, 1);
	put(&p, l->incident, 8);
	put(&p, l->recipient, 4);
	put(&p, l->contact, 4);
	put(&p, (uint64_t)(l->expires_at / MS_PER_SECOND), 4);
	put(&p, l->message, 8);
}

struct str incident_link_token(struct arena *a, const struct seal_key *k, const struct incident_link *l)
{
	unsigned char bytes[TOKEN_BYTES], mac[DIGEST_MAX];

	said_write(l, bytes);
	bytes[1] = (unsigned char)seal_sign(k, CONTEXT, (struct str){ (const char *)bytes, SAID_BYTES }, mac);
	memcpy(bytes + SAID_BYTES, mac, MAC_BYTES);
	return base64url_encode(a, bytes, sizeof(bytes));
}

/* Signed was what it says with a zero where the key's number stands now. */
static bool is_ours(const struct seal_key *k, const unsigned char *bytes)
{
	unsigned char said[SAID_BYTES], mac[DIGEST_MAX];

	memcpy(said, bytes, sizeof(said));
	said[1] = 0;
	return seal_sign_with(k, bytes[1], CONTEXT, (struct str){ (const char *)said, sizeof(said) }, mac) &&
		equal_ct(mac, MAC_BYTES, bytes + SAID_BYTES, MAC_BYTES);
}

bool incident_link_read(struct arena *a, const struct seal_key *k, struct str token, struct incident_link *out)
{
	const unsigned char *p;
	unsigned what;
	struct str raw;

	*out = (struct incident_link){ 0 };
	if (token.n != INCIDENT_LINK_TOKEN || !base64_decode(a, token, true, &raw) || raw.n != TOKEN_BYTES ||
			!is_ours(k, (const unsigned char *)raw.p))
		return false;
	p = (const unsigned char *)raw.p;
	what = (unsigned)take(&p, 1);
	(void)take(&p, 1);
	out->to = (enum incident_link_to)(what >> 4 & 3);
	out->action = (enum incident_command)(what & 15);
	out->incident = take(&p, 8);
	out->recipient = take(&p, 4);
	out->contact = take(&p, 4);
	out->expires_at = (ms_t)take(&p, 4) * MS_PER_SECOND;
	out->message = take(&p, 8);
	return what >> 6 == VERSION;
}

/* ---- its use ---- */

struct str incident_link_hash(struct arena *a, const struct incident_link *l)
{
	unsigned char said[SAID_BYTES], hash[KEY_HASH_BYTES];

	said_write(l, said);
	key_hash((struct str){ (const char *)said, sizeof(said) }, hash);
	return arena_str(a, (struct str){ (const char *)hash, sizeof(hash) });
}

bool incident_link_use(struct db *db, struct arena *a, const struct incident_link *l, ms_t now, struct err *e)
{
	return db_exec(db, &stmts[Q_USE], VALS(V_B(incident_link_hash(a, l)), V_U(l->incident), V_I(now), V_I(l->expires_at)), NULL, e) ||
		conflict_if_duplicate(db, "", "this link was used before", e);
}

bool incident_links_forget(struct db *db, ms_t now, size_t limit, uint64_t *n, struct err *e)
{
	return db_exec(db, &stmts[Q_FORGET], VALS(V_I(now), V_U(limit)), n, e);
}
