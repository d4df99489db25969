/*
 * read_snapshot.h — which snapshot a read uses
 */
#ifndef ORDCANCEL_READ_SNAPSHOT_H
#define ORDCANCEL_READ_SNAPSHOT_H

typedef enum ReadSnapshot
{
	READ_CALLER,  /* the calling statement's own; read only */
	READ_CURRENT, /* a new one, as for a new statement */
	READ_LATEST,  /* all that is committed, at every isolation level */
} ReadSnapshot;

/* Pushes it as the active snapshot; the caller pops it. */
extern void read_snapshot_push(ReadSnapshot snapshot);

#endif /* ORDCANCEL_READ_SNAPSHOT_H */
