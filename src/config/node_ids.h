/*
 * node_ids.h — ids of cancellations and events that many databases can share
 *
 * An id is the number of the node, ordcancel.node_id, and a number that counts
 * there: node << 43 | number.  With 10 bits for the node every id is below 2^53,
 * so that programs which read JSON numbers as double precision, as JavaScript
 * does, keep it exact.
 *
 * The node is in the sequence itself.  So the ids of a database only rise, which
 * readers of events rely on (consumer/event_horizon.h), whichever sessions have
 * seen a new ordcancel.node_id already; and everything that compares ids with
 * the sequence needs to know nothing of nodes.  The first call after the node
 * was raised moves the sequence.  Lowering it is an error, but for 0, which
 * leaves the sequence where it is: a session that began before the setting, or
 * a database that was restored without it.
 */
#ifndef ORDCANCEL_NODE_IDS_H
#define ORDCANCEL_NODE_IDS_H

#define NODE_ID_MAX 1023

/* ordcancel.node_id */
extern int guc_node_id;

/*
 * The next id of a sequence of the extension.  55000 if the sequence has left
 * the numbers of the node.
 */
extern int64 node_next_id(Oid sequence);

/* Moves a sequence to the numbers of the node, if it is at a lower one. */
extern void node_follow(Oid sequence);

/* The last id that was taken; 0 if none was. */
extern int64 node_last_id(Oid sequence);

/* Moves a sequence to this id, unless it is there or beyond. */
extern void node_raise_last_id(Oid sequence, int64 id);

/* Is the id one of this node, or of a lower one? */
extern bool node_may_take(Oid sequence, int64 id);

/* What setval() does, as the owner of the extension. */
extern void node_set_last_id(Oid sequence, int64 id);

#endif /* ORDCANCEL_NODE_IDS_H */
