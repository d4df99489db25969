/*
 * record_delete.h — deletes rows of record tables
 *
 * The only statements that the trigger on these tables lets through.  Which
 * rows may be deleted is up to the caller.
 */
#ifndef ORDCANCEL_RECORD_DELETE_H
#define ORDCANCEL_RECORD_DELETE_H

/*
 * Runs a DELETE on a record table, as the current user and connected to SPI.
 * Returns the number of rows.
 */
extern uint64 record_delete(Oid relid, const char *statement, int nargs,
							Oid *types, Datum *values);

/* For the trigger: is this the table of which record_delete deletes rows? */
extern bool record_delete_is_ours(Oid relid);

#endif /* ORDCANCEL_RECORD_DELETE_H */
