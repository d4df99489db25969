/*
 * money.h — arithmetic on amounts of money
 *
 * Amounts are numeric values.  Results are allocated in the current memory
 * context.
 */
#ifndef ORDCANCEL_MONEY_H
#define ORDCANCEL_MONEY_H

#include "utils/numeric.h"

extern Numeric money_add(Numeric a, Numeric b);
extern Numeric money_subtract(Numeric a, Numeric b);

extern Numeric money_absolute(Numeric amount);
extern Numeric money_negative(Numeric amount);

/* Negative, zero or positive, like strcmp(). */
extern int	money_compare(Numeric a, Numeric b);
extern bool money_is_positive(Numeric amount);

/* The number of digits after the decimal point; 0 for NaN and infinity. */
extern int money_scale(Numeric amount);

/*
 * Rounds to "scale" digits after the decimal point, half away from zero.  An
 * amount that has no more digits is returned as it is, without padding zeros.
 */
extern Numeric money_round(Numeric amount, int scale);

/* The amount as text; "0" if it is NULL. */
extern char *money_text(Numeric amount);

#endif /* ORDCANCEL_MONEY_H */
