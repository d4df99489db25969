/*
 * stable_settings.h — fixes settings that affect input and output of values
 *
 * DateStyle, extra_float_digits, bytea_output and other settings of the
 * session change how values are written and read.  The text of a key must be
 * the same in every session, and an expression of the owner of the order table
 * must mean what it meant when it was checked.
 */
#ifndef ORDCANCEL_STABLE_SETTINGS_H
#define ORDCANCEL_STABLE_SETTINGS_H

/*
 * Sets them until stable_settings_end(), or until the (sub)transaction aborts.
 * Returns the GUC nesting level, which stable_settings_end() needs.
 */
extern int	stable_settings_begin(const char *time_zone);
extern void stable_settings_end(int nest);

#endif /* ORDCANCEL_STABLE_SETTINGS_H */
