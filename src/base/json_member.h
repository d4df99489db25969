/*
 * json_member.h — a JSON object with one member
 */
#ifndef ORDCANCEL_JSON_MEMBER_H
#define ORDCANCEL_JSON_MEMBER_H

#include "utils/jsonb.h"

/* {"name": value}, of an object or array. */
extern Jsonb *json_member(const char *name, const Jsonb *value);

#endif /* ORDCANCEL_JSON_MEMBER_H */
