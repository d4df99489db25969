/*
 * text.h — comparing and shortening strings
 */
#ifndef ORDCANCEL_TEXT_H
#define ORDCANCEL_TEXT_H

/* Are both NULL, or the same to the byte? */
extern bool equal_or_both_null(const char *a, const char *b);

/* Are both not NULL, and the same to the byte? */
extern bool equal_and_not_null(const char *a, const char *b);

/*
 * Copies at most so many bytes of a text, cut between characters, and appends
 * "..." if it was cut.
 */
extern char *text_clip(const char *text, int bytes);

#endif /* ORDCANCEL_TEXT_H */
