/*
 * compat.h — the differences between PostgreSQL 15 and 19, in one place
 */
#ifndef ORDCANCEL_COMPAT_H
#define ORDCANCEL_COMPAT_H

#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "utils/acl.h"

/* PostgreSQL 16 has moved VARDATA and the like there. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* PostgreSQL 18 has this word, before the declaration. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/* PostgreSQL 16 made the per-kind privilege checks one function. */
#if PG_VERSION_NUM >= 160000
#define owns_relation(relid, role) \
	object_ownercheck(RelationRelationId, relid, role)
#define may_execute(procid, role)                                       \
	(object_aclcheck(ProcedureRelationId, procid, role, ACL_EXECUTE) == \
	 ACLCHECK_OK)
#else
#define owns_relation(relid, role) pg_class_ownercheck(relid, role)
#define may_execute(procid, role) \
	(pg_proc_aclcheck(procid, role, ACL_EXECUTE) == ACLCHECK_OK)
#endif

/* PostgreSQL 16 lets a caller catch what is wrong with a name. */
#if PG_VERSION_NUM >= 160000
#define name_list(text) stringToQualifiedNameList(text, NULL)
#else
#define name_list(text) stringToQualifiedNameList(text)
#endif

/* PostgreSQL 19 wants to be told that a descriptor is complete. */
#if PG_VERSION_NUM >= 190000
#define finalize_tuple_desc(desc) TupleDescFinalize(desc)
#else
#define finalize_tuple_desc(desc) ((void) 0)
#endif

/* PostgreSQL 18 has no flag for running a query once. */
#if PG_VERSION_NUM >= 180000
#define run_executor(query) ExecutorRun(query, ForwardScanDirection, 0)
#else
#define run_executor(query) ExecutorRun(query, ForwardScanDirection, 0, true)
#endif

/* PostgreSQL 19 can explain while it plans. */
#if PG_VERSION_NUM >= 190000
#define plan_query(query, sql, parameters) \
	pg_plan_query(query, sql, 0, parameters, NULL)
#else
#define plan_query(query, sql, parameters) \
	pg_plan_query(query, sql, 0, parameters)
#endif

/* PostgreSQL 16 tells more of an error. */
#if PG_VERSION_NUM >= 160000
#define decode_date_time(fields, types, count, kind, tm, fraction, zone) \
	DecodeDateTime(fields, types, count, kind, tm, fraction, zone,       \
				   &(DateTimeErrorExtra){0})
#else
#define decode_date_time DecodeDateTime
#endif

/* PostgreSQL 18 counts what index scans do, 19 takes flags. */
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

#endif /* ORDCANCEL_COMPAT_H */
