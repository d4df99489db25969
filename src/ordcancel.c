/*
 * ordcancel.c — loading the library
 *
 * Nothing here needs shared_preload_libraries: the first call, or the first
 * trigger that fires, loads the library.
 */
#include "postgres.h"

#include "fmgr.h"

#include "order_table.h"
#include "rules.h"
#include "settings.h"
#include "watched.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	settings_init();
	order_table_init();
	watched_init();
	rules_init();
}
