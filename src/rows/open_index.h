/*
 * open_index.h — the partial indexes on open cancellations
 *
 * attach() creates one for requests and one for cancellations of which a refund
 * is due.  Reports and sweep() visit every attached table, most of which have no
 * such cancellation, and the index alone shows this.
 */
#ifndef ORDCANCEL_OPEN_INDEX_H
#define ORDCANCEL_OPEN_INDEX_H

#include "decision/labels.h"

typedef enum OpenKind
{
	OPEN_REQUEST, /* in state requested */
	OPEN_REFUND,  /* in progress, or canceled and not fully refunded */
} OpenKind;

typedef enum OpenIndexContent
{
	OPEN_INDEX_EMPTY,	/* the snapshot sees no such cancellation */
	OPEN_INDEX_FULL,	/* it may see some */
	OPEN_INDEX_MISSING, /* there is no usable index */
} OpenIndexContent;

/* Called once, when the library is loaded. */
extern void open_index_init(void);

/* requested or refund_due; returns false for another name. */
extern bool open_kind_from_name(const char *name, OpenKind *kind);

/*
 * Looks into the index for the active snapshot, without opening the cancellation
 * table, and keeps no lock.
 */
extern OpenIndexContent open_index_content(Oid		cancellation_table,
										   OpenKind kind);

/*
 * The index, if the active snapshot can use it, or InvalidOid.  The caller holds
 * a lock on the cancellation table.
 */
extern Oid open_index_find(Oid cancellation_table, OpenKind kind);

#endif /* ORDCANCEL_OPEN_INDEX_H */
