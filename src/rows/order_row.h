/*
 * order_row.h — locks, reads and updates rows of the order table
 *
 * order_row.c locks and reads orders, order_deleted.c tells which of them are
 * deleted, order_expr.c evaluates the owner's expressions on them,
 * order_update.c writes their status.
 *
 * Functions that take an array work on the open targets (TARGET_OPEN) in it,
 * which all have the same table.  They run as the table's owner, connected to
 * SPI.
 */
#ifndef ORDCANCEL_ORDER_ROW_H
#define ORDCANCEL_ORDER_ROW_H

#include "access/htup.h"
#include "lib/stringinfo.h"

#include "base/read_snapshot.h"
#include "rows/cancel_target.h"

/*
 * Locks the orders like SELECT FOR NO KEY UPDATE, in the order of the array,
 * and fills in what was read.  An order that does not exist, or for which
 * deleted_when is true, becomes TARGET_NOT_FOUND.  With skip_locked, an order that another transaction has
 * locked becomes TARGET_LOCKED.  If waiting for a lock ends in an error, the
 * target for which it was raised is left as TARGET_LOCKED.
 */
extern void order_lock(CancelTarget *targets, int count, bool skip_locked);

/* The same without locking. */
extern void order_read(CancelTarget *targets, int count,
					   ReadSnapshot snapshot);

/*
 * Fills a target from a row in the row type of the attached table.  Only the
 * pointer to the row is stored, so the row must outlive the target.
 */
extern void order_from_tuple(CancelTarget *c, HeapTuple row, Relation rel);

/*
 * Appends SELECT with the columns that order_from_columns() reads: status,
 * placed_at, policy_by, status_since, NULL if not configured, and the key.
 */
#define ORDER_COLUMNS 4 /* without those of the key */

extern void order_columns_sql(StringInfo sql, const OrderTable *table);

/* Fills a target from their values. */
extern void order_from_columns(CancelTarget *c, const Datum *values,
							   const bool *nulls, const Datum *key);

/*
 * A value of the column placed_at, palloc'd.  A date or a timestamp is read in
 * the time zone of the table.
 */
extern TimestampTz *order_placed_at(const OrderTable *table, Datum value);

/*
 * Sets "deleted" of open targets whose rows were read: is deleted_when true?
 * OC014 if the condition is no longer valid.
 */
extern void order_find_deleted(CancelTarget *targets, int count);

/* The same; these targets become TARGET_NOT_FOUND. */
extern void order_hide_deleted(CancelTarget *targets, int count);

/*
 * Does deleted_when, if there is one, depend on the row of the order alone?  Then
 * no order becomes deleted without an UPDATE.  OC014 as above.
 */
extern bool order_deleted_by_row(OrderTable *table);

/* Does the table have blocks or a refund_due expression? */
extern bool order_expr_exist(const OrderTable *table);

/*
 * Evaluates the blocks and refund_due for open targets that have expr_needed
 * set, and sets expr_known.  Fetches the row versions that were read before,
 * whatever has happened to them since, so they must be locked or protected by
 * an active snapshot.  Raises OC014 if an expression is no longer valid or
 * refund_due is not finite.
 */
extern void order_expr_evaluate(CancelTarget *targets, int count);

/*
 * Evaluates what also_set() sets for the decisions on open targets, sets
 * also_set, and record.prior_values if the columns are to be restored later.
 * The records have their final contents apart from that.  Raises OC014 if an
 * expression is no longer valid.
 */
extern void order_also_set(CancelTarget *targets, int count);

/*
 * Writes next_status and also_set to the orders that they change, and sets
 * status.  The update trigger lets these changes pass unchecked.  Raises 27000
 * if a trigger or rule has suppressed or changed an update.  A BEFORE trigger
 * may change values of also_set, which become what is in the row; that sets
 * also_set_changed.
 */
extern void order_update_status(CancelTarget *targets, int count);

/*
 * After that: corrects record.prior_values, in memory only.  "ours" is what
 * order_also_set has made of it; a trigger may have changed it since.
 */
extern void order_also_set_changed(CancelTarget			*c,
								   const struct varlena *ours);

/*
 * For the update trigger: is this the change that an UPDATE run by
 * order_update_status makes?  Returns true once for each UPDATE.
 */
extern bool order_update_is_ours(const OrderTable *table, const Datum *key,
								 const char *from, const char *to);

/*
 * "ONLY ", or nothing for a partitioned table.  Rows of inheritance children
 * are not orders of the attached table.
 */
extern const char *order_only(const OrderTable *table);

#endif /* ORDCANCEL_ORDER_ROW_H */
