/*
 * order_table_columns.c — what descriptions of orders and items are made of
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "config/order_table_columns.h"
#include "decision/refusal.h"

void
order_table_load_column(MemoryContext context, Relation rel, Column *column,
						AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	Oid				  function;
	bool			  varlena;
	char			  typtype;

	column->attnum = attnum;
	column->name = pstrdup(NameStr(att->attname));
	column->type = att->atttypid;
	column->base = getBaseType(att->atttypid);
	column->typmod = att->atttypmod;
	column->typlen = att->attlen;
	column->typbyval = att->attbyval;
	column->blank_padded = column->base == BPCHAROID;
	getTypeInputInfo(column->type, &column->input, &column->ioparam);
	typtype = get_typtype(column->type);
	column->input_is_plain = typtype == TYPTYPE_ENUM ||
		(typtype == TYPTYPE_BASE &&
		 !OidIsValid(get_element_type(column->type)));
	fmgr_info_cxt(column->input, &column->in, context);
	getTypeOutputInfo(column->type, &function, &varlena);
	fmgr_info_cxt(function, &column->out, context);
}

void
order_table_load_named_column(OrderTable *table, Relation rel, Column *column,
							  const char *name)
{
	int attnum;

	if (name == NULL)
		return;
	attnum = SPI_fnumber(RelationGetDescr(rel), name);
	if (attnum > 0)
	{
		order_table_load_column(table->context, rel, column, attnum);
		return;
	}
	refusal_raise_invalid_policy(
		psprintf("order table %s no longer has column \"%s\"", table->label,
				 name),
		"The column was renamed or dropped after the table was attached.",
		"Call ordcancel.attach() again with the column's new name; policies, rules and records are kept.");
}

/* C code reads these columns, and knows only these types. */
void
order_table_check_time(const OrderTable *table, const Column *column)
{
	switch (column->attnum ? column->base : TIMESTAMPTZOID)
	{
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
			return;
	}
	refusal_raise_invalid_policy(
		psprintf(
			"column \"%s\" of order table %s is no longer a timestamp or date",
			column->name, table->label),
		psprintf("Its type is %s.", format_type_be(column->type)),
		"It must be a timestamp, with or without time zone, or a date.");
}

/* Types not listed here are assumed to depend on settings. */
bool
type_has_settings(Oid type)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case UUIDOID:
		case NUMERICOID:
			return false;
		default:
			return true;
	}
}

void
order_table_load_key_order(MemoryContext context, Column *key, Relation index,
						   int i)
{
	Oid family = index->rd_opfamily[i];
	Oid type = index->rd_opcintype[i];

	key->equal = get_opfamily_member(family, type, type,
									 BTEqualStrategyNumber);
	key->less = get_opfamily_member(family, type, type, BTLessStrategyNumber);
	fmgr_info_cxt(get_opcode(key->equal), &key->equal_function, context);
	fmgr_info_cxt(get_opfamily_proc(family, type, type, BTORDER_PROC),
				  &key->compare_function, context);
	key->collation = index->rd_indcollation[i];
}

char *
order_table_unused_alias(TupleDesc desc)
{
	char *alias = pstrdup("o");

	for (int i = 0; i < desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), alias) == 0)
		{
			alias = psprintf("%s_", alias);
			i = -1;
		}
	return alias;
}

Oid
order_table_guard(const char *name)
{
	oidvector *none = buildoidvector(NULL, 0);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name), PointerGetDatum(none),
						   ObjectIdGetDatum(
							   get_namespace_oid("ordcancel_internal", true)));
}

Oid
order_table_primary_key(Relation rel)
{
	list_free(RelationGetIndexList(rel)); /* sets rd_pkindex */
	return rel->rd_pkindex;
}

char *
order_table_label_of(Relation rel)
{
	return pstrdup(quote_qualified_identifier(get_namespace_name(
												  RelationGetNamespace(rel)),
											  RelationGetRelationName(rel)));
}

Oid
key_type_family(Oid base)
{
	switch (base)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return INT8OID;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return TEXTOID;
		default:
			return base;
	}
}
