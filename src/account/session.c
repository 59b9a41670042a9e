/* session.c - who stays signed in: the cookie's text, how long it counts, and what it opens.
 *
 * The text is 256 random bits; the database holds its SHA-256 (as with tokens, no slow hash is needed and nothing is
 * compared that a clock could tell). Two ends: idle, since a browser left open is the usual way to lose a session, and
 * absolute, since a stolen one must end however busy it is kept (OWASP Session Management Cheat Sheet, 2026-07). Both are
 * judged when the session is read, so a shorter configured life holds at once for those that exist. */
#include "grapnel/account.h"

#define SESSION_BYTES 32
#define SEEN_EVERY_MS MS_PER_MINUTE
#define AGENT_MAX 255		/* sessions.user_agent */
#define TEXT_CHARS (SESSION_TEXT - 1)

static struct str hash_of(struct arena *a, struct str text)
{
	unsigned char digest[SHA256_BYTES];

	sha256(text, digest);
	return arena_str(a, (struct str){ (const char *)digest, sizeof(digest) });
}

static struct session_bounds bounds_at(const struct session_life *life, ms_t now)
{
	return (struct session_bounds){ .created_after = now - life->max_ms, .seen_after = now - life->idle_ms, .now = now };
}

static void fill(struct session *s, struct str text, const struct session_row *row)
{
	*s = (struct session){
		.text = text,
		.public_id = row->public_id,
		.principal = {
			.user_id = row->user_id,
			.tenant_id = row->tenant_id,
			.role = row->role,
			.scopes = SCOPE_ALL,
			.platform_admin = row->platform_admin,
			.user_name = row->user_name,
			.user_public_id = row->user_public_id,
		},
		.created_at = row->created_at,
		.last_seen_at = row->last_seen_at,
		.expires_at = row->expires_at,
		.flash_sealed = row->flash_sealed,
	};
}

int session_find(struct db *db, struct arena *a, struct str text, const struct session_life *life, ms_t now, bool person, struct session *out,
	struct err *e)
{
	struct session_bounds alive = bounds_at(life, now);
	struct session_row row = { 0 };
	struct err ignored = { 0 };
	struct str hash;
	int found;

	if (text.n != TEXT_CHARS)
		return 0;
	hash = hash_of(a, text);
	found = session_row_find(db, a, hash, &alive, &row, e);
	if (found != 1)
		return found;
	fill(out, text, &row);
	/* A note that cannot be made (a lock, a read-only member) is no reason to refuse the page. */
	if (person && now - row.last_seen_at >= SEEN_EVERY_MS && session_row_seen(db, hash, now, &ignored))
		out->last_seen_at = now;
	return 1;
}

/* Browsers send ASCII; anything else must not fail the sign-in. */
static struct str agent_text(struct arena *a, struct str s)
{
	char *p;

	s.n = s.n < AGENT_MAX ? s.n : AGENT_MAX;
	p = arena_cstr(a, s);
	for (size_t i = 0; i < s.n; i++)
		if (p[i] < ' ' || p[i] > '~')
			p[i] = '?';
	return (struct str){ p, s.n };
}

bool session_begin(struct db *db, struct arena *a, const struct session_life *life, uint64_t user_id, struct str remote_addr,
	struct str user_agent, ms_t now, struct session *out, struct err *e)
{
	struct session_bounds alive = bounds_at(life, now);
	struct session_row row = { .user_id = user_id, .remote_addr = remote_addr, .user_agent = agent_text(a, user_agent),
		.created_at = now, .expires_at = now + life->max_ms };
	unsigned char raw[SESSION_BYTES];
	struct str text, hash;
	int found;

	random_bytes(raw, sizeof(raw));
	text = base64url_encode(a, raw, sizeof(raw));
	secret_wipe(raw, sizeof(raw));
	hash = hash_of(a, text);
	if (!session_row_add(db, a, hash, &row, e) || !session_row_seen(db, hash, now, e))
		return false;
	found = session_row_find(db, a, hash, &alive, &row, e);
	if (!found)
		return err_set(e, ERR_CONFLICT, "the user was disabled while signing in");
	fill(out, text, &row);
	return found == 1;
}

bool session_end(struct db *db, struct arena *a, struct str text, struct err *e)
{
	return session_row_end(db, hash_of(a, text), e);
}

bool session_flash(struct db *db, struct arena *a, const struct session *s, struct str sealed, struct err *e)
{
	return session_row_flash(db, hash_of(a, s->text), sealed, e);
}

bool session_list(struct db *db, struct arena *a, const struct session_life *life, uint64_t user_id, ms_t now, struct session_row **out,
	size_t *n, struct err *e)
{
	struct session_bounds alive = bounds_at(life, now);

	return session_rows(db, a, user_id, &alive, out, n, e);
}
