/* integration_gallery.c - which type shall the new integration be? All of them by group, or those that have what is looked for. */
#include "dash_int.h"
#include "integrations.h"

#include "tmpl.h"

struct gallery_query {
	struct str text;
};

static const struct form_field query_fields[] = {
	{ "q", TEXT_AT(struct gallery_query, text), .max = 100, .help = "Words that title, description or proof of a type hold" },
	FORM_END
};

/* Each word stands somewhere in what the card says, without case. */
static bool fits(struct arena *a, const struct provider *p, struct str text)
{
	struct str card = arena_lower(a, arena_printf(a, "%s %s %s %s %s", p->slug, p->title, provider_group_title(p->group),
		p->about, p->signs ? p->signs : ""));

	for (struct str rest = arena_lower(a, text), word; (word = str_word(&rest)).n;)
		if (!memmem(card.p, card.n, word.p, word.n))
			return false;
	return true;
}

static void group_fill(struct arena *a, struct gallery_page *p, enum provider_group group)
{
	struct gallery_group *g = &p->groups[p->groups_n];
	size_t all = 0;

	while (providers[all])
		all++;
	*g = (struct gallery_group){ provider_group_title(group), ARENA_ARRAY(a, struct gallery_entry, all), 0 };
	for (size_t i = 0; i < all; i++)
		if (providers[i]->group == group && fits(a, providers[i], p->q))
			g->entries[g->entries_n++] = (struct gallery_entry){ providers[i]->slug, providers[i]->title, providers[i]->about,
				providers[i]->signs };
	p->groups_n += g->entries_n > 0;
}

void gallery_fill(struct arena *a, struct gallery_page *p)
{
	for (enum provider_group group = 0; group < GROUP_COUNT; group++)
		group_fill(a, p, group);
}

void page_integration_gallery(void *visit)
{
	struct visit *v = visit;
	struct gallery_page p = { .groups_n = 0 };
	struct gallery_query q = { .text = STR_NONE };

	if (!visit_query(v, query_fields, &q))
		return;
	p.q = q.text;
	gallery_fill(v->a, &p);
	page_begin(v, &p.page, "New integration", "integrations");
	PAGE_SEND(v, 200, tmpl_integration_gallery, &p);
}
