/*
 * index_form.h — what kind of index it is
 *
 * RelationGetIndexPredicate() and RelationGetIndexExpressions() evaluate what is
 * constant in them: code of the table's owner, as the current role.  These only
 * look whether there is any.
 */
#ifndef ORDCANCEL_INDEX_FORM_H
#define ORDCANCEL_INDEX_FORM_H

#include "utils/relcache.h"

extern bool index_is_partial(Relation index);
extern bool index_has_expressions(Relation index);

#endif /* ORDCANCEL_INDEX_FORM_H */
