/*
 * state_index.h — the partial indexes on cancellations of one state
 *
 * attach() creates one for each open state, requested and in progress.  Reports
 * and sweep() visit every attached table, most of which have no cancellation in
 * that state, and the index alone shows this.
 */
#ifndef ORDCANCEL_STATE_INDEX_H
#define ORDCANCEL_STATE_INDEX_H

#include "decision/labels.h"

typedef enum StateIndexContent
{
	STATE_INDEX_EMPTY,	 /* the snapshot sees no cancellation in the state */
	STATE_INDEX_FULL,	 /* it may see some */
	STATE_INDEX_MISSING, /* there is no usable index */
} StateIndexContent;

/* Called once, when the library is loaded. */
extern void state_index_init(void);

/*
 * Looks into the index for the active snapshot, without opening the cancellation
 * table, and keeps no lock.
 */
extern StateIndexContent state_index_content(Oid   cancellation_table,
											 State state);

/*
 * The index, if the active snapshot can use it, or InvalidOid.  The caller holds
 * a lock on the cancellation table.
 */
extern Oid state_index_find(Oid cancellation_table, State state);

#endif /* ORDCANCEL_STATE_INDEX_H */
