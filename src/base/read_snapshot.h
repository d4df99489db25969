/*
 * read_snapshot.h — which snapshot a read uses
 */
#ifndef ORDCANCEL_READ_SNAPSHOT_H
#define ORDCANCEL_READ_SNAPSHOT_H

typedef enum ReadSnapshot
{
	READ_CALLER,  /* that of the calling statement */
	READ_CURRENT, /* the one that a new statement would get */
	READ_LATEST,  /* all committed rows, at every isolation level */
} ReadSnapshot;

/*
 * Makes the snapshot the active one; the caller has to call
 * PopActiveSnapshot().  All but READ_CALLER also make the changes of the
 * current command visible (CommandCounterIncrement()).
 */
extern void read_snapshot_push(ReadSnapshot snapshot);

#endif /* ORDCANCEL_READ_SNAPSHOT_H */
