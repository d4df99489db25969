/*
 * money.c — arithmetic on amounts of money
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"

#include "base/money.h"

Numeric
money_add(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a),
											   NumericGetDatum(b)));
}

Numeric
money_subtract(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_sub, NumericGetDatum(a),
											   NumericGetDatum(b)));
}

Numeric
money_absolute(Numeric amount)
{
	return DatumGetNumeric(
		DirectFunctionCall1(numeric_abs, NumericGetDatum(amount)));
}

Numeric
money_negative(Numeric amount)
{
	return DatumGetNumeric(
		DirectFunctionCall1(numeric_uminus, NumericGetDatum(amount)));
}

int
money_compare(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(b)));
}

bool
money_is_positive(Numeric amount)
{
	return money_compare(amount, int64_to_numeric(0)) > 0;
}

int
money_scale(Numeric amount)
{
	if (numeric_is_nan(amount) || numeric_is_inf(amount))
		return 0;
	return DatumGetInt32(
		DirectFunctionCall1(numeric_scale, NumericGetDatum(amount)));
}

Numeric
money_round(Numeric amount, int scale)
{
	if (money_scale(amount) <= scale)
		return amount;
	return DatumGetNumeric(DirectFunctionCall2(numeric_round,
											   NumericGetDatum(amount),
											   Int32GetDatum(scale)));
}

char *
money_text(Numeric amount)
{
	return amount ?
		DatumGetCString(
			DirectFunctionCall1(numeric_out, NumericGetDatum(amount))) :
		"0";
}
