/* The text of a filtered list. */
#include "unit.h"

#include "grapnel/db.h"

START_TEST(test_parts)
{
	struct arena *a = arena_new(1 << 20);
	struct sql q;

	sql_init(&q, a);
	sql_lit(&q, "SELECT 1 FROM t WHERE a = ");
	sql_val(&q, V_U(5));
	sql_lit(&q, " AND b IN (");
	sql_val(&q, V_S(STR("?, '")));
	sql_lit(&q, ", ");
	sql_val(&q, V_NULL());
	sql_lit(&q, ")");
	unit_str(strbuf_str(&q.text), "SELECT 1 FROM t WHERE a = ? AND b IN (?, ?)");
	ck_assert_uint_eq(q.n, 3);
	ck_assert(q.vals[0].type == VAL_U64 && q.vals[0].u == 5);
	ck_assert(q.vals[1].type == VAL_STR && str_eqs(q.vals[1].s, "?, '"));
	ck_assert(q.vals[2].type == VAL_NULL);
	ck_assert(!q.text.failed);
	arena_free(a);
}
END_TEST

START_TEST(test_too_many_values)
{
	struct arena *a = arena_new(1 << 20);
	struct sql q;

	sql_init(&q, a);
	for (size_t i = 0; i < ARRAY_SIZE(q.vals); i++)
		sql_val(&q, V_U(i));
	ck_assert(!q.text.failed);
	sql_val(&q, V_U(1));
	ck_assert(q.text.failed);
	ck_assert_uint_eq(q.n, ARRAY_SIZE(q.vals));
	arena_free(a);
}
END_TEST

START_TEST(test_nullable_values)
{
	ck_assert_int_eq(V_T(0).type, VAL_NULL);
	ck_assert(V_T(-1).type == VAL_I64 && V_T(-1).i == -1);
	ck_assert_int_eq(V_ID(0).type, VAL_NULL);
	ck_assert(V_ID(UINT64_MAX).type == VAL_U64 && V_ID(UINT64_MAX).u == UINT64_MAX);
	ck_assert_int_eq(V_SN(STR_NONE).type, VAL_NULL);
	ck_assert_int_eq(V_SN(STR("")).type, VAL_STR);
	ck_assert_int_eq(V_S(STR_NONE).type, VAL_STR);
}
END_TEST

UNIT_MAIN("db_sql", UNIT(test_parts), UNIT(test_too_many_values), UNIT(test_nullable_values))
