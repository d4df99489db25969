/*
 * order_table.h — the cached description of an attached order table
 *
 * Each backend keeps one OrderTable per attached table that it has used: the
 * columns, key and blocks, and caches of policies and prepared statements.  It
 * is built on first use.  A relcache invalidation of the order table, which
 * every change of its configuration sends (and ANALYZE, too), makes the next
 * order_table_find() compare it with the catalogs and the configuration, and
 * rebuild it if they differ.
 *
 * A stale OrderTable is replaced, not changed, and is freed only at the end of
 * the transaction; the same holds for a stale policy.  So pointers remain valid
 * while user code runs.  Code that needs the current description must call
 * order_table_find() again.  Only the caches in it change: policies, changes,
 * expr_query, deleted_query, also_set_queries and statements.
 */
#ifndef ORDCANCEL_ORDER_TABLE_H
#define ORDCANCEL_ORDER_TABLE_H

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "executor/spi.h"
#include "fmgr.h"

#include "config/shard.h"
#include "decision/policy.h"

/* A column of the order table that is read or written in C. */
typedef struct Column
{
	AttrNumber attnum; /* 0: not configured */
	char	  *name;
	Oid		   type;
	Oid		   base; /* the base type if it is a domain */
	int32	   typmod;
	int16	   typlen;
	bool	   typbyval;
	bool	   blank_padded; /* character(n): ignore trailing blanks */
	Oid		   input;		 /* the type's input function */
	Oid		   ioparam;
	bool	   input_is_plain; /* it runs no user-defined code */
	FmgrInfo   in;			   /* the input and output functions */
	FmgrInfo   out;

	/* key columns only: how the primary key's index compares */
	Oid		 equal; /* operators */
	Oid		 less;
	FmgrInfo equal_function;
	FmgrInfo compare_function;
	Oid		 collation;
} Column;

/* A block: while its condition is true, the order cannot be canceled. */
typedef struct BlockRule
{
	char *name;
	char *condition; /* pinned, see expression.h */
	char *hint;		 /* or NULL */
	bool  customer;	 /* applies to the customer */
	bool  merchant;	 /* applies to the merchant */
} BlockRule;

/* When also_set() sets a column: a state is reached, or the status restored. */
typedef enum AlsoSetWhen
{
	ALSO_SET_REQUESTED,
	ALSO_SET_IN_PROGRESS,
	ALSO_SET_CANCELED,
	ALSO_SET_RESTORED,
	ALSO_SET_COUNT, /* their number; also: never */
} AlsoSetWhen;

/* A column that is set along with the status; see also_set.h. */
typedef struct AlsoSet
{
	AlsoSetWhen when;
	Column		column; /* attnum 0: it can no longer be written */
	char	   *value;	/* pinned, see expression.h */
} AlsoSet;

/* The query for the values that are set then; sql is NULL if there are none. */
typedef struct AlsoSetQuery
{
	char		  *sql;
	char		  *complaint; /* if it is no longer valid */
	struct Pinned *pinned;
} AlsoSetQuery;

/* Prepared statements for one order table; see rows/plan_cache.h. */
typedef enum StatementKind
{
	STATEMENT_VISIBLE,
	STATEMENT_WRITE_STATUS,
	STATEMENT_WRITE_REQUESTED, /* with the columns of also_set() */
	STATEMENT_WRITE_IN_PROGRESS,
	STATEMENT_WRITE_CANCELED,
	STATEMENT_READ_ITEMS,
	STATEMENT_LOCK_ITEM,
	STATEMENT_WRITE_ITEM,
	STATEMENT_FIND_REQUEST_KEY, /* the first one for the record tables */
	STATEMENT_UNSETTLED,
	STATEMENT_FIND_REFUND,
	STATEMENT_KEPT,
	STATEMENT_CANCELLATIONS,
	STATEMENT_COUNT,
} StatementKind;

/* A status in the configuration; see status_equality.h. */
typedef struct StatusName
{
	char	  *text;
	char	  *policy; /* the policy that names it */
	StatusKind kind;   /* STATUS_ORDINARY: a rule names it */
	Datum	   value;  /* of the status column's type */
} StatusName;

typedef struct PolicyCache PolicyCache;

typedef struct OrderTable
{
	MemoryContext context; /* holds all of this */
	Oid			  relid;
	Oid	   logical; /* that the configuration is for; of a shard: its table */
	Shard  shard;	/* id 0: it is none */
	bool   distributed;	 /* its rows are in shards */
	bool   ids_followed; /* see rows/shard_ids.h */
	uint64 serial;		 /* identifies this description in the session */
	uint64 fingerprint;	 /* of its rows in order_table and block */
	uint64 status_names_fingerprint; /* in policy and rule */
	TupleDesc desc; /* the order table's at the time of loading */
	Oid		  owner;
	char *label; /* schema.table, quoted: for messages; of the logical table */
	char *sql;	 /* the same for SQL: of the relation itself */
	char *name;	 /* without the schema, not quoted */
	char *alias; /* for SQL; not the name of any column */
	bool  partitioned;

	Column	  status;
	Column	  placed_at;	/* attnum 0: not configured */
	Column	  policy_by;	/* attnum 0: not configured */
	Column	  status_since; /* attnum 0: not configured */
	int		  nkeys;
	Column	 *keys;
	int		  ncall_keys;  /* that calls may pass alone; 0: only whole keys */
	char	**record_keys; /* the key columns of the record tables */
	Oid		  key_index;   /* the primary key's index */
	TupleDesc key_desc;	   /* of the key as a row */
	TupleDesc call_key_desc;	 /* of a call key as a row, or NULL */
	bool	  key_has_format;	 /* text of keys depends on settings */
	bool	  policy_has_format; /* text of policy_by depends on settings */

	int	  refund_scale; /* digits after the decimal point */
	bool  plain_updates;
	char *channel;		  /* for NOTIFY */
	bool  payload_is_id;  /* NOTIFY sends the event's id only */
	char *refund_due;	  /* pinned expression, or NULL */
	char *deleted_when;	  /* pinned condition, or NULL */
	bool  refund_due_net; /* it goes down by itself when parts are refunded */
	char *search_path;	  /* for code of the owner */
	char *time_zone;	  /* of a placed_at without time zone */
	Oid	  cancellation_table;
	Oid	  event_table;
	Oid	  items;		/* the table of items, or InvalidOid */
	Oid	  item_records; /* their record table, kept after detach_items() */

	/* of canceled orders whose records may be in archives; NULL: none are */
	int	   narchived_statuses; /* 0: they are not known */
	char **archived_statuses;

	Oid guard_update;  /* the function of the update trigger */
	Oid event_arrived; /* the function of the event table's trigger */

	/*
	 * Policies are loaded on demand (policy_cache.h).  "changes" is incremented
	 * whenever policies or rules may have changed.
	 */
	uint64		 changes;
	PolicyCache *policies;

	/* only if equal statuses may differ as text (status_equality.h) */
	bool		has_status_names;
	int			nstatus_names;
	StatusName *status_names;
	FmgrInfo	status_equal;
	Oid			status_collation;

	char	  *functions; /* called by the expressions, see expression.h */
	int		   nblocks;
	BlockRule *blocks;

	int			 nalso_set;
	AlsoSet		*also_set; /* of each AlsoSetWhen, in the order of the names */
	AlsoSetQuery also_set_queries[ALSO_SET_COUNT];
	Oid			 cancellations; /* ordcancel.cancellation */

	struct Pinned *expr_query;	  /* the query for blocks and refund_due */
	struct Pinned *deleted_query; /* for deleted_when */
	SPIPlanPtr	   statements[STATEMENT_COUNT];
} OrderTable;

/* Called once, when the library is loaded. */
extern void order_table_init(void);

/*
 * The description of an attached table, or NULL if it is not attached.  The
 * caller must hold a lock on the relation.  OC014 if the configuration no longer
 * matches the table.
 */
extern OrderTable *order_table_find(Oid relid);

/*
 * The same for a relation that is attached or is a partition of an attached
 * table, at any depth.
 */
extern OrderTable *order_table_of(Relation rel);

/*
 * Calls a function for an attached table, or for all of them if "relid" is
 * InvalidOid, without building descriptions.
 */
typedef void (*OrderTableCallback)(Oid relid, Oid cancellation_table,
								   void *arg);

extern void order_table_scan(Oid relid, OrderTableCallback callback,
							 void *arg);

/*
 * The order table whose cancellations or events these are; InvalidOid if it is
 * none that is attached.
 */
extern Oid order_table_of_records(Oid records);

#endif /* ORDCANCEL_ORDER_TABLE_H */
