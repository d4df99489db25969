/*
 * compat.h — the differences between PostgreSQL 15 and 19, in one place
 */
#ifndef ORDCANCEL_COMPAT_H
#define ORDCANCEL_COMPAT_H

#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "utils/acl.h"

/* PostgreSQL 16 moved VARDATA and related macros to varatt.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* PostgreSQL 18 introduced pg_noreturn, written before a declaration. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/* PostgreSQL 16 replaced the privilege checks of each object type by one. */
#if PG_VERSION_NUM >= 160000
#define owns_relation(relid, role) \
	object_ownercheck(RelationRelationId, relid, role)
#define may_execute(procid, role)                                       \
	(object_aclcheck(ProcedureRelationId, procid, role, ACL_EXECUTE) == \
	 ACLCHECK_OK)
#define may_use_schema(schema, role)                                  \
	(object_aclcheck(NamespaceRelationId, schema, role, ACL_USAGE) == \
	 ACLCHECK_OK)
#else
#define owns_relation(relid, role) pg_class_ownercheck(relid, role)
#define may_execute(procid, role) \
	(pg_proc_aclcheck(procid, role, ACL_EXECUTE) == ACLCHECK_OK)
#define may_use_schema(schema, role) \
	(pg_namespace_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK)
#endif

/* PostgreSQL 16 added a parameter for soft errors. */
#if PG_VERSION_NUM >= 160000
#define name_list(text) stringToQualifiedNameList(text, NULL)
#else
#define name_list(text) stringToQualifiedNameList(text)
#endif

/* PostgreSQL 19 requires a call when all attributes are set. */
#if PG_VERSION_NUM >= 190000
#define finalize_tuple_desc(desc) TupleDescFinalize(desc)
#else
#define finalize_tuple_desc(desc) ((void) 0)
#endif

/* PostgreSQL 17 takes the open relation. */
#if PG_VERSION_NUM >= 170000
#define identity_sequence(rel, attnum) getIdentitySequence(rel, attnum, false)
#else
#define identity_sequence(rel, attnum) \
	getIdentitySequence(RelationGetRelid(rel), attnum, false)
#endif

/* PostgreSQL 18 removed the execute_once parameter. */
#if PG_VERSION_NUM >= 180000
#define run_executor(query) ExecutorRun(query, ForwardScanDirection, 0)
#else
#define run_executor(query) ExecutorRun(query, ForwardScanDirection, 0, true)
#endif

/* PostgreSQL 19 added a parameter for the state of EXPLAIN. */
#if PG_VERSION_NUM >= 190000
#define plan_query(query, sql, parameters) \
	pg_plan_query(query, sql, 0, parameters, NULL)
#else
#define plan_query(query, sql, parameters) \
	pg_plan_query(query, sql, 0, parameters)
#endif

/* PostgreSQL 16 added a parameter for details of an error. */
#if PG_VERSION_NUM >= 160000
#define decode_date_time(fields, types, count, kind, tm, fraction, zone) \
	DecodeDateTime(fields, types, count, kind, tm, fraction, zone,       \
				   &(DateTimeErrorExtra){0})
#else
#define decode_date_time DecodeDateTime
#endif

/* PostgreSQL 18 added a parameter for instrumentation, 19 one for flags. */
#if PG_VERSION_NUM >= 190000
#define begin_index_scan(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, NULL, nkeys, 0, SO_NONE)
#elif PG_VERSION_NUM >= 180000
#define begin_index_scan(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, NULL, nkeys, 0)
#else
#define begin_index_scan(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, nkeys, 0)
#endif

#if PG_VERSION_NUM >= 180000
#define begin_bitmap_scan(index, snapshot, nkeys) \
	index_beginscan_bitmap(index, snapshot, NULL, nkeys)
#else
#define begin_bitmap_scan(index, snapshot, nkeys) \
	index_beginscan_bitmap(index, snapshot, nkeys)
#endif

/* PostgreSQL 16 renamed the names of files. */
#if PG_VERSION_NUM >= 160000
#include "storage/relfilelocator.h"
typedef RelFileLocator FileName;
#define file_name(rel) ((rel)->rd_locator)
#else
#include "storage/relfilenode.h"
typedef RelFileNode FileName;
#define file_name(rel) ((rel)->rd_node)
#endif

/* PostgreSQL 17 removed old_snapshot_threshold. */
#if PG_VERSION_NUM >= 170000
#define snapshots_expire() false
#define last_leaf_page(index) _bt_get_endpoint(index, 0, true)
#else
#define snapshots_expire() OldSnapshotThresholdActive()
#define last_leaf_page(index) \
	_bt_get_endpoint(index, 0, true, GetActiveSnapshot())
#endif

#endif /* ORDCANCEL_COMPAT_H */
