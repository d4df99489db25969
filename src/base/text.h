/*
 * text.h — comparing and shortening strings, names of relations
 */
#ifndef ORDCANCEL_TEXT_H
#define ORDCANCEL_TEXT_H

/* Are both NULL, or the same bytes? */
extern bool equal_or_both_null(const char *a, const char *b);

/* Are both not NULL, and the same bytes? */
extern bool equal_and_not_null(const char *a, const char *b);

/*
 * A copy of the text, truncated to at most "bytes" bytes at a character
 * boundary, with "..." appended if it was truncated.
 */
extern char *text_clip(const char *text, int bytes);

/* The qualified, quoted name of a relation, or its OID if it was dropped. */
extern char *relation_label(Oid relid);

#endif /* ORDCANCEL_TEXT_H */
