/* agent.c - a User-Agent as a person would say it. Only to tell one's own sessions apart: what is not known is left as it is. */
#include "account.h"

#define CUT 60

struct agent_word {
	const char *mark, *word;
};

/* The first that occurs counts: each browser names those it descends from. */
static const struct agent_word browsers[] = {
	{ "Edg", "Edge" }, { "OPR/", "Opera" }, { "Vivaldi/", "Vivaldi" }, { "SamsungBrowser/", "Samsung Internet" },
	{ "Firefox/", "Firefox" }, { "FxiOS/", "Firefox" }, { "CriOS/", "Chrome" }, { "Chrome/", "Chrome" }, { "Safari/", "Safari" },
	{ "curl/", "curl" }, { "w3m/", "w3m" }, { "Lynx/", "Lynx" }, { NULL }
};
static const struct agent_word systems[] = {
	{ "Android", "Android" }, { "iPhone", "iPhone" }, { "iPad", "iPad" }, { "Windows", "Windows" }, { "CrOS", "ChromeOS" },
	{ "Mac OS X", "macOS" }, { "FreeBSD", "FreeBSD" }, { "OpenBSD", "OpenBSD" }, { "Linux", "Linux" }, { NULL }
};

static const char *first_of(const struct agent_word *words, const char *text)
{
	for (; words->mark; words++)
		if (strstr(text, words->mark))
			return words->word;
	return NULL;
}

struct str agent_words(struct arena *a, struct str user_agent)
{
	const char *text = arena_cstr(a, user_agent), *browser = first_of(browsers, text), *system = first_of(systems, text);

	if (browser && system)
		return arena_printf(a, "%s on %s", browser, system);
	if (browser || system)
		return str_of(browser ? browser : system);
	return user_agent.n ? str_cut(user_agent, CUT) : STR("unknown browser");
}
