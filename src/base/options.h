/* Structs of options that a caller gives, which may be older or newer than ours. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <pgc/error.h>

/* Copy the struct of size bytes whose first member is its struct_size: what an older caller does
 * not know is zero, which means the default; what a newer one knows beyond must be zero, too.
 * PGC_INVALID, and out untouched, for NULL, for a struct_size that was never set and for a newer
 * caller who asks for what we do not know; `what` names the struct. */
pgc_status options_take(const char *what, const void *in, void *out, size_t size, pgc_error *err)
    PGC_MUST_CHECK;
/* The same, but NULL means defaults only. */
pgc_status options_take_any(const char *what, const void *in, void *out, size_t size,
                            pgc_error *err) PGC_MUST_CHECK;
/* Member `index` of an array of such structs, which stand as far apart as their caller knows them:
 * they all have the struct_size of the first one. */
pgc_status options_take_at(const char *what, const void *array, size_t index, void *out,
                           size_t size, pgc_error *err) PGC_MUST_CHECK;

#endif
