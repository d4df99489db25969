/*
 * json_member.c — a JSON object with one member
 *
 * The formats are described in utils/jsonb.h.  An object with one member is its
 * header, the lengths of key and value, and both; the value begins at a multiple
 * of four bytes.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/json_member.h"

typedef struct OneMember
{
	int32  size; /* of the value, which is not compressed */
	uint32 header;
	JEntry key;
	JEntry value;
} OneMember;

Jsonb *
json_member(const char *name, const Jsonb *value)
{
	uint32	   length = strlen(name);
	uint32	   padded = INTALIGN(length);
	uint32	   value_size = VARSIZE(value) - VARHDRSZ;
	Size	   size = sizeof(OneMember) + padded + value_size;
	OneMember *object = palloc0(size);
	char	  *data = (char *) (object + 1);

	Assert(JB_ROOT_IS_OBJECT(value) || JB_ROOT_IS_ARRAY(value));
	SET_VARSIZE(object, size);
	object->header = JB_FOBJECT | 1;
	object->key = JENTRY_ISSTRING | JENTRY_HAS_OFF |
		length; /* the first one */
	object->value = JENTRY_ISCONTAINER | (padded - length + value_size);
	memcpy(data, name, length);
	memcpy(data + padded, &value->root, value_size);
	return (Jsonb *) object;
}
