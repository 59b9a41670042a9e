/* openapi_int.h - what the parts of the API document share. */
#ifndef GRAPNEL_OPENAPI_INT_H
#define GRAPNEL_OPENAPI_INT_H

#include "api_int.h"

static inline void member_str(struct json_out *o, const char *name, const char *value)
{
	json_key(o, name);
	json_strz(o, value);
}

/* {"$ref": "#/components/<kind>/<name>"} */
void openapi_ref(struct json_out *o, const char *kind, const char *name);
/* What each operation begins with: operationId, summary, tag. */
void openapi_head(struct json_out *o, struct arena *a, const char *method, const char *path, const char *tag, const char *summary);

/* ---- openapi_schema.c: tables as JSON Schema ---- */

/* The members of components.schemas: what the rows of `routes` and of `inbound` speak of, and Error. */
void schemas_write(struct json_out *o, struct arena *a, const struct route *routes, const struct doc *inbound);
/* A body's schema by its name. */
void schema_body(struct json_out *o, struct arena *a, const struct doc *d, bool change);
/* Of an answer. */
void schema_answer(struct json_out *o, struct arena *a, const struct doc *d);
/* The value of a member of a form or, with `in_query`, of a parameter. */
void schema_value(struct json_out *o, const struct form_field *f, bool in_query);

/* ---- openapi_inbound.c: the paths that senders post to ---- */

extern const struct doc inbound_doc;
void inbound_paths_write(struct json_out *o, struct arena *a);
/* Members of components.parameters. */
void inbound_parameters_write(struct json_out *o);

#endif
