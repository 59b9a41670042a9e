/* vals.c - values to be bound: the members of a struct, by the field table that reads it from rows; numbers that are not whole. */
#include <assert.h>

#include "src/db/db_int.h"

static struct val val_of(enum field_type type, const void *member)
{
	switch (type) {
	case FIELD_TYPE_STR:
		return V_SN(*(const struct str *)member);
	case FIELD_TYPE_JSON:
		return ((const struct str *)member)->n ? V_S(*(const struct str *)member) : V_NULL();
	case FIELD_TYPE_U64:
		return V_U(*(const uint64_t *)member);
	case FIELD_TYPE_I64:
		return V_I(*(const int64_t *)member);
	case FIELD_TYPE_BOOL:
		return V_U(*(const bool *)member);
	case FIELD_TYPE_TIME:
		return V_T(*(const ms_t *)member);
	case FIELD_TYPE_ID:
		return V_ID(*(const uint64_t *)member);
	case FIELD_TYPE_RATE:
	case FIELD_TYPE_NUMBER:
		break;
	}
	assert(!"a type that is not bound");
	return V_NULL();
}

struct val V_DECIMAL(struct arena *a, double x)
{
	struct strbuf b;

	strbuf_init(&b, a, 400);	/* the largest double has 309 digits */
	strbuf_number(&b, x);
	return V_S(strbuf_str(&b));
}

void fields_to_vals(const struct field *fields, size_t n, const void *obj, struct val *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = val_of(fields[i].type, (const char *)obj + fields[i].offset);
}
