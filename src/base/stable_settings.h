/*
 * stable_settings.h — settings that text and expressions depend on, held still
 *
 * A caller may set how dates, floats or bytea are written and read.  The text
 * of a key has to be the same in every session, and an expression of the
 * table's owner has to mean what it meant when it was checked.
 */
#ifndef ORDCANCEL_STABLE_SETTINGS_H
#define ORDCANCEL_STABLE_SETTINGS_H

/* Returns what stable_settings_end needs; an error unwinds it as well. */
extern int	stable_settings_begin(const char *time_zone);
extern void stable_settings_end(int nest);

#endif /* ORDCANCEL_STABLE_SETTINGS_H */
