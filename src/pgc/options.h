/* Structs of options that a caller gives, which may be older or newer than ours. */
#ifndef PGC_OPTIONS_H
#define PGC_OPTIONS_H

#include <pgc/error.h>

/* Copy the struct of size bytes whose first member is its struct_size: what an older caller does
 * not know is zero, which means the default; what a newer one knows beyond is not read.
 * PGC_INVALID, and out untouched, for NULL and for a struct_size that was never set; `what` names
 * the struct. */
pgc_status options_take(const char *what, const void *in, void *out, size_t size, pgc_error *err)
    PGC_MUST_CHECK;
/* The same, but NULL means defaults only. */
pgc_status options_take_any(const char *what, const void *in, void *out, size_t size,
                            pgc_error *err) PGC_MUST_CHECK;

#endif
