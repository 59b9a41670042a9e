/* config_int.h - the kinds of things that a file of configuration holds. To add one: a row of config_parts. */
#ifndef CONFIG_INT_H
#define CONFIG_INT_H

#include <assert.h>

#include "grapnel/resource.h"

#define CONFIG_MAX (256u << 20)		/* the file; a thousand integrations with their largest settings are a quarter of it */
#define CONFIG_VERSION 1
#define CONFIG_KIND "configuration"
#define CONFIG_CONTEXT "grapnel configuration"

struct config_thing {
	struct str id;			/* public id, or empty where there is none to keep */
	struct str name;
	void *form;
};

struct config_work {
	struct caller by;		/* of the tenant in work */
	bool secrets;			/* forms hold them, opened */
	struct json *ids;		/* of an import: ids of the file's services and users, each with that of ours */
};

struct config_part {
	const char *name;
	const struct form_field *fields;
	size_t form_size;
	const void *fresh;		/* the form of a new one */
	/* All that the tenant has. */
	bool (*list)(struct config_work *w, struct config_thing **out, size_t *n, struct err *e);
	/* 1 made; 0 left out: it needs a secret; -1. `id` is the file's, to be kept where the part keeps ids. NULL: there is always one. */
	int (*create)(struct config_work *w, void *form, struct str id, struct err *e);
	/* Puts the wish over what is stored. */
	bool (*change)(struct config_work *w, const struct config_thing *stored, const struct json *wish, struct err *e);
	/* Optional: what the form points to has other ids here. */
	void (*ours)(struct config_work *w, void *form);
};
extern const struct config_part config_parts[];	/* in the order in which they are made; ends with { NULL } */

/* A thing as the file has it; the same text where nothing differs. */
void config_thing_write(struct json_out *o, const struct config_part *p, struct str id, const void *form);

/* What the checksum is of: the configuration as JSON without blanks, and what is sealed. */
struct str config_sum(struct arena *a, struct str configuration, struct str sealed);

/* The file's first member. */
struct config_head {
	struct str file, product, exported_at, sha256;
	uint64_t version;
};
extern const struct field config_head_fields[];

#endif
