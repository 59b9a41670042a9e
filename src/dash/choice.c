/* choice.c - the options of a <select>: words, providers, integrations, services, people. */
#include "choice.h"

#include "grapnel/provider.h"

static struct choice *choices_new(struct visit *v, size_t max, struct choice **out, size_t *n)
{
	*n = 0;
	return *out = ARENA_ARRAY(v->a, struct choice, max + 1);
}

/* What is chosen and not among them, gone or mistyped, stands last: a filter shows what it looks for. */
static void add_lost(struct str chosen, struct choice *choices, size_t *n)
{
	bool found = !chosen.n || !*n;

	for (size_t i = 0; i < *n; i++)
		found |= choices[i].chosen;
	if (!found)
		choices[(*n)++] = (struct choice){ chosen, chosen, true };
}

void choices_of_words(struct visit *v, const struct choice_word *words, struct str chosen, struct choice **out, size_t *n)
{
	size_t max = 0;

	while (words[max].value)
		max++;
	for (struct choice *c = choices_new(v, max, out, n); words->value; words++, c++, ++*n)
		*c = (struct choice){ str_of(words->value), str_of(words->label), str_ieqs(chosen, words->value) };
	add_lost(chosen, *out, n);
}

void choices_of_providers(struct visit *v, struct str chosen, struct choice **out, size_t *n)
{
	size_t max = 0;

	while (providers[max])
		max++;
	choices_new(v, max, out, n);
	for (; *n < max; ++*n)
		(*out)[*n] = (struct choice){ str_of(providers[*n]->slug), str_of(providers[*n]->title),
			str_eqs(chosen, providers[*n]->slug) };
	add_lost(chosen, *out, n);
}

bool choices_of_sources(struct visit *v, struct str chosen, struct choice **out, size_t *n, struct err *e)
{
	struct source_name *names;
	size_t max;

	if (!source_names(v->by.db, v->a, v->by.tenant_id, CHOICES_MAX + 1, &names, &max, e))
		return false;
	choices_new(v, CHOICES_MAX, out, n);
	for (; max <= CHOICES_MAX && *n < max; ++*n)
		(*out)[*n] = (struct choice){ names[*n].id, names[*n].name, str_eq(chosen, names[*n].id) };
	add_lost(chosen, *out, n);
	return true;
}

bool choices_of_services(struct visit *v, struct str chosen, struct choice **out, size_t *n, struct err *e)
{
	struct service *services;
	size_t max;

	if (!service_list(v->by.db, v->a, (uint32_t)v->by.tenant_id, &services, &max, e))
		return false;
	choices_new(v, CHOICES_MAX, out, n);
	for (; max <= CHOICES_MAX && *n < max; ++*n)
		(*out)[*n] = (struct choice){ services[*n].public_id, services[*n].name,
			str_eq(chosen, services[*n].public_id) || str_ieq(chosen, services[*n].name) };
	add_lost(chosen, *out, n);
	return true;
}

bool choices_of_people(struct visit *v, enum role least, struct str chosen, struct choice **out, size_t *n, struct err *e)
{
	struct user *users;
	size_t max;

	if (!user_list(v->by.db, v->a, (uint32_t)v->by.tenant_id, &users, &max, e))
		return false;
	choices_new(v, CHOICES_MAX, out, n);
	for (size_t i = 0; max <= CHOICES_MAX && i < max; i++)
		if (users[i].enabled && users[i].role >= least)
			(*out)[(*n)++] = (struct choice){ users[i].public_id, users[i].name,
				str_eq(chosen, users[i].public_id) || str_eq(chosen, users[i].name) };
	add_lost(chosen, *out, n);
	return true;
}

struct zone_list zones_to_offer(struct visit *v)
{
	struct zone_list list = { 0 };
	struct str *names;
	size_t n;

	zone_names(v->a, &names, &n);
	list.zones = ARENA_ARRAY(v->a, struct zone_name, n + 1);
	for (; list.zones_n < n; list.zones_n++)
		list.zones[list.zones_n].name = names[list.zones_n];
	return list;
}
