/*
 * formats.h — settings that text and expressions depend on, held still
 *
 * A caller may set how dates, floats or bytea are written and read.  The text
 * of a key has to be the same in every session, and an expression of the
 * table's owner has to mean what it meant when it was checked.
 */
#ifndef ORDCANCEL_FORMATS_H
#define ORDCANCEL_FORMATS_H

/* Returns what formats_restore needs; an error unwinds it as well. */
extern int	formats_fix(const char *time_zone);
extern void formats_restore(int nest);

#endif /* ORDCANCEL_FORMATS_H */
