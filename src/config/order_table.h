/*
 * order_table.h — what a backend knows of an attached order table
 *
 * One OrderTable per attached table: its columns, key, blocks, the policies
 * that were used and the prepared statements over it.  It is built on first
 * use, and compared after a relcache invalidation, which every change of the
 * configuration sends for the order table, and ANALYZE too: it is built anew
 * only if it would not be the same.
 *
 * What was handed out of it never changes.  A stale OrderTable is replaced,
 * and so is a stale policy; they are not freed until the transaction ends, so
 * a pointer holds through user code that runs in between; ask again for what
 * must be new.
 */
#ifndef ORDCANCEL_ORDER_TABLE_H
#define ORDCANCEL_ORDER_TABLE_H

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "executor/spi.h"
#include "fmgr.h"

#include "decision/policy.h"

/* A column of the order table that we read or write. */
typedef struct Column
{
	AttrNumber attnum; /* 0: not configured */
	char	  *name;
	Oid		   type;
	Oid		   base; /* the type under a domain */
	int32	   typmod;
	int16	   typlen;
	bool	   typbyval;
	bool	   blank_padded; /* character(n): trailing blanks are not text */
	Oid		   input;		 /* the type's functions */
	Oid		   ioparam;
	bool	   input_is_plain; /* it runs no code of a user's */
	FmgrInfo   in;			   /* of a plain one */
	FmgrInfo   out;

	/* key columns: the order that the index keeps */
	Oid		 equal; /* the operators */
	Oid		 less;
	FmgrInfo equal_function;
	FmgrInfo compare_function;
	Oid		 collation;
} Column;

typedef struct BlockRule
{
	char *name;
	char *condition; /* pinned */
	char *hint;		 /* or NULL */
	bool  customer;	 /* whom it stops */
	bool  merchant;
} BlockRule;

/* The statements over one order table; see order_row.c and record.c. */
typedef enum StatementKind
{
	STATEMENT_VISIBLE,
	STATEMENT_LOCK_ORDER,
	STATEMENT_LOCK_FREE_ORDER,
	STATEMENT_READ_ORDER,
	STATEMENT_WRITE_STATUS,
	STATEMENT_FIND_OVERDUE, /* from here on: over the record tables */
	STATEMENT_FIND_REQUEST_KEY,
	STATEMENT_UNSETTLED,
	STATEMENT_FIND_REFUND,
	STATEMENT_KEPT,
	STATEMENT_COUNT,
} StatementKind;

/* A status that the rules name, where equal statuses may differ in bytes. */
typedef struct StatusName
{
	char	  *text;
	char	  *policy; /* whose word it is */
	StatusKind kind;   /* STATUS_ORDINARY: of a rule */
	Datum	   value;
} StatusName;

typedef struct PolicyCache PolicyCache;

typedef struct OrderTable
{
	MemoryContext context; /* holds all of this */
	Oid			  relid;
	uint64		  serial; /* of this description, in the session */
	uint64 mark; /* of the configuration's rows, see config_fingerprint */
	uint64 status_names_fingerprint; /* and of those that the words are of */
	TupleDesc desc; /* the columns as they were when it was built */
	Oid		  owner;
	char	 *label; /* schema.table, quoted: for SQL and messages */
	char	 *name;	 /* the table's name alone */
	char	 *alias; /* for its rows in our SQL; no column has it */
	bool	  partitioned;

	Column	  status;
	Column	  placed_at;
	Column	  policy_by;
	int		  nkeys;
	Column	 *keys;
	char	**record_keys;		 /* the keys' names in the record tables */
	Oid		  key_index;		 /* the primary key's */
	TupleDesc key_desc;			 /* of a composite key, for its text */
	bool	  key_has_format;	 /* the key's text depends on settings */
	bool	  policy_has_format; /* that of policy_by does */

	int	  refund_scale; /* digits of money after the point */
	bool  plain_updates;
	char *channel;
	bool  payload_is_id; /* NOTIFY tells the event's id alone */
	char *refund_due;	 /* expression, pinned, or NULL */
	char *search_path;	 /* the owner's code runs with it */
	char *time_zone;	 /* a placed_at without zone is in it */
	Oid	  cancellation_table;
	Oid	  event_table;
	Oid	  live_index; /* where record_find looks; see there */
	Oid	  newest_index;

	/* the function of our own trigger */
	Oid guard_update;

	/*
	 * What is read only when an order needs it, see policy_cache.h.  The count
	 * rises whenever something of the rules, or of the table, may have changed.
	 */
	uint64		 changes;
	PolicyCache *policies;

	/* only for a status column whose equal values may differ in bytes */
	bool		has_status_names;
	int			nstatus_names;
	StatusName *words;
	FmgrInfo	status_equal;
	Oid			status_collation;

	char	  *functions; /* that the expressions call, one a line, or NULL */
	int		   nblocks;
	BlockRule *blocks;

	struct Pinned
			  *expr_query; /* what order_expr_evaluate asks; see pinned.h */
	SPIPlanPtr statements[STATEMENT_COUNT];
} OrderTable;

extern void order_table_init(void);

/* The attached table, or NULL.  The caller holds a lock on the relation. */
extern OrderTable *order_table_find(Oid relid);

/* The attached table that a relation is, or is a partition of, or NULL. */
extern OrderTable *order_table_of(Relation rel);

#endif /* ORDCANCEL_ORDER_TABLE_H */
