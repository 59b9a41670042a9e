/* ask.c - questions to a provider about a request: OAuth client credentials, then one POST of JSON (RFC 6749, section 4.4).
 *
 * The token is kept for as long as it lasts, in this worker alone; one that the host does not know any more is replaced once. A question
 * blocks the worker as a fetch does, and has the same bounds: a host that does not answer is left alone for a minute. */
#include "grapnel/log.h"

#include "keys_int.h"

#define TOKENS 8		/* of as many apps; the oldest goes */
#define SCRATCH_MAX (16u << 20)	/* a body in its question, and answers */
#define ANSWER_MAX (64 * 1024)
#define CONNECT_MS 2000
#define TOTAL_MS 5000
#define SPARE_S 60		/* a token is not used to its last second */
#define TOKEN_MAX_S 86400

struct bearer {
	unsigned char app[SHA256_BYTES];	/* of token URL, id and secret */
	char *text;				/* NULL = none */
	ms_t until;
};

struct asker {
	struct keys_config c;
	struct bearer tokens[TOKENS];
	size_t next;
	struct arena *scratch;
};

static const struct budget questions = { "questions", 600, 1200 };

struct asker *asker_new(const struct keys_config *c)
{
	struct asker *x = xcalloc(1, sizeof(*x));

	x->c = *c;
	x->scratch = arena_new(SCRATCH_MAX);
	return x;
}

static void forget(struct bearer *t)
{
	if (t->text)
		secret_wipe(t->text, strlen(t->text));
	free(t->text);
	*t = (struct bearer){ .text = NULL };
}

void asker_free(struct asker *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < TOKENS; i++)
		forget(&x->tokens[i]);
	arena_free(x->scratch);
	free(x);
}

static ms_t now_of(const struct asker *x)
{
	return x->c.clock ? x->c.clock() : clock_now();
}

/* ---- one request ---- */

static bool post(struct asker *x, struct str url, struct str authorization, const char *type, struct str body, struct fetch_answer *answer)
{
	const struct header headers[] = {
		{ STR("authorization"), authorization }, { STR("content-type"), str_of(type) }, { STR("accept"), STR("application/json") },
	};
	const struct fetch_request rq = { .method = "POST", .url = url, .headers = headers, .header_n = ARRAY_SIZE(headers), .body = body,
		.answer_max = ANSWER_MAX, .connect_ms = CONNECT_MS, .total_ms = TOTAL_MS };
	struct str host = host_of(url);
	ms_t now = now_of(x);
	struct err e = { 0 };

	if (!x->c.fetch || !budget_left(x->c.shm, &questions, host, now) || !budget_left(x->c.shm, &budget_failures, host, now))
		return false;
	budget_spend(x->c.shm, &questions, host, now);
	if (fetch_run(x->c.fetch, x->scratch, &rq, answer, &e))
		return true;
	budget_spend(x->c.shm, &budget_failures, host, now);
	log_warning("a provider could not be asked", LOG_STR("host", host), LOG_ERR(&e));
	return false;
}

/* ---- tokens ---- */

static void app_of(struct arena *a, const struct key_question *q, unsigned char out[SHA256_BYTES])
{
	sha256(arena_printf(a, "%.*s\n%.*s\n%.*s", STR_ARG(q->token_url), STR_ARG(q->client_id), STR_ARG(q->client_secret)), out);
}

static struct bearer *known(struct asker *x, const unsigned char app[SHA256_BYTES], ms_t now)
{
	for (size_t i = 0; i < TOKENS; i++)
		if (x->tokens[i].text && now < x->tokens[i].until && !memcmp(x->tokens[i].app, app, SHA256_BYTES))
			return &x->tokens[i];
	return NULL;
}

/* It goes into a header. */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

/* From the host; NULL where it gives none. */
static struct bearer *fresh(struct asker *x, const struct key_question *q, const unsigned char app[SHA256_BYTES])
{
	struct arena *a = x->scratch;
	struct str pair = arena_printf(a, "%.*s:%.*s", STR_ARG(q->client_id), STR_ARG(q->client_secret));
	struct str basic = arena_printf(a, "Basic %.*s", STR_ARG(base64_encode(a, pair.p, pair.n))), text;
	struct bearer *t = &x->tokens[x->next];
	struct fetch_answer answer;
	const struct json *doc;
	struct err e = { 0 };
	uint64_t seconds = 0;

	if (!post(x, q->token_url, basic, "application/x-www-form-urlencoded", STR("grant_type=client_credentials"), &answer))
		return NULL;
	text = answer.status == 200 && json_parse(a, answer.body, &doc, &e) ? json_text(json_get(doc, "access_token")) : STR_NONE;
	if (!is_token(text)) {
		log_warning("a provider gives no token", LOG_STR("host", host_of(q->token_url)), LOG_U("status", answer.status));
		return NULL;
	}
	if (!str_u64(json_text(json_get(doc, "expires_in")), &seconds) || seconds > TOKEN_MAX_S)
		seconds = seconds ? TOKEN_MAX_S : 0;
	forget(t);
	memcpy(t->app, app, SHA256_BYTES);
	t->text = xmalloc(text.n + 1);
	memcpy(t->text, text.p, text.n);
	t->text[text.n] = '\0';
	t->until = now_of(x) + ((int64_t)seconds - SPARE_S) * MS_PER_SECOND;
	x->next = (x->next + 1) % TOKENS;
	return t;
}

/* ---- the question ---- */

/* 1, -1, or 0: the host does not take that token. */
static int ask_with(struct asker *x, const struct key_question *q, const struct bearer *t, struct str *answer)
{
	struct fetch_answer a;

	if (!post(x, q->url, arena_printf(x->scratch, "Bearer %s", t->text), "application/json", q->body, &a))
		return -1;
	*answer = a.body;
	return a.status == 200 ? 1 : a.status == 401 ? 0 : -1;
}

int asker_ask(struct asker *x, const struct key_question *q, struct str *answer)
{
	unsigned char app[SHA256_BYTES];
	struct bearer *t;
	int done = 0;

	arena_reset(x->scratch);
	app_of(x->scratch, q, app);
	t = known(x, app, now_of(x));
	if (t) {
		done = ask_with(x, q, t, answer);
		if (done)
			return done;
		forget(t);
	}
	t = fresh(x, q, app);
	return t && ask_with(x, q, t, answer) == 1 ? 1 : -1;
}
