/* choice.h - the options of a <select>. */
#ifndef GRAPNEL_DASH_CHOICE_H
#define GRAPNEL_DASH_CHOICE_H

#include "dash_int.h"

/* A choice that is not among them stands last: gone, mistyped, or several words at once. */
struct choice {
	struct str value, label;
	bool chosen;
};

/* A fixed list of words with their labels, ended by { NULL }. */
struct choice_word {
	const char *value, *label;
};
void choices_of_words(struct visit *v, const struct choice_word *words, struct str chosen, struct choice **out, size_t *n);
void choices_of_providers(struct visit *v, struct str chosen, struct choice **out, size_t *n);
/* Of the tenant, by name. Where there are more than CHOICES_MAX there are none:
 * the page then shows a field to type into, since a list that long is neither small nor readable. */
#define CHOICES_MAX 100
/* Integrations by id. */
bool choices_of_sources(struct visit *v, struct str chosen, struct choice **out, size_t *n, struct err *e) MUST_USE;
/* By id; `chosen` may be a name. */
bool choices_of_services(struct visit *v, struct str chosen, struct choice **out, size_t *n, struct err *e) MUST_USE;
/* People of that role or a higher one, by id; `chosen` may be a name. */
bool choices_of_people(struct visit *v, enum role least, struct str chosen, struct choice **out, size_t *n, struct err *e) MUST_USE;

/* Zones of the <datalist> "zones", template zones.html. */
struct zone_name {
	struct str name;
};
struct zone_list {
	struct zone_name *zones;
	size_t zones_n;
};
struct zone_list zones_to_offer(struct visit *v);

#endif
