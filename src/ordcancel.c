/*
 * ordcancel.c — initialization of the library
 *
 * The first call of a C function, or the first trigger that fires, loads the
 * library.  Only the relay needs shared_preload_libraries.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "base/immediate_triggers.h"
#include "base/index_end.h"
#include "config/call_table.h"
#include "config/child_table.h"
#include "config/guarded_columns.h"
#include "config/guc.h"
#include "config/item_table.h"
#include "config/order_table.h"
#include "config/reason_cache.h"
#include "consumer/event_index.h"
#include "notify/outbox.h"
#include "notify/relay.h"
#include "rows/index_predicate.h"
#include "rows/open_index.h"
#include "rows/partition_map.h"
#include "rows/record_columns.h"
#include "rows/record_index.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	guc_init();
	order_table_init();
	item_table_init();
	child_table_init();
	call_table_init();
	index_end_init();
	guarded_columns_init();
	reason_cache_init();
	record_columns_init();
	record_index_init();
	open_index_init();
	event_index_init();
	index_predicate_init();
	partition_map_init();
	immediate_triggers_init();
	outbox_init();
	if (process_shared_preload_libraries_in_progress)
		relay_init();
}
