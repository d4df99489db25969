/*
 * money.h — amounts of money, as finite numeric values
 */
#ifndef ORDCANCEL_MONEY_H
#define ORDCANCEL_MONEY_H

#include "utils/numeric.h"

extern Numeric money_add(Numeric a, Numeric b);
extern Numeric money_subtract(Numeric a, Numeric b);

/* Below, equal to or above zero, as strcmp. */
extern int	money_compare(Numeric a, Numeric b);
extern bool money_is_positive(Numeric amount);

/* Digits after the decimal point; 0 for NaN and infinity. */
extern int money_scale(Numeric amount);

/* Rounds half up to so many digits; an amount with no more digits is kept. */
extern Numeric money_round(Numeric amount, int scale);

/* As text; "0" for NULL. */
extern char *money_text(Numeric amount);

#endif /* ORDCANCEL_MONEY_H */
