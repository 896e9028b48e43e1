/* One place that reads structs by the size their caller was compiled with. Pure functions. */
#include "base/prelude.h"

#include "pgc/options.h"

#define SIZE_SANE 4096u /* bytes; more means that struct_size was never set */

pgc_status options_take(const char *what, const void *in, void *out, size_t size, pgc_error *err)
{
    size_t given = 0;
    assert(size >= sizeof size && size <= SIZE_SANE);
    if (in != NULL) {
        memcpy(&given, in, sizeof given);
    }
    if (given < sizeof given || given > SIZE_SANE) {
        return pgc_error_set(err, PGC_INVALID, "%s: struct_size is not set", what);
    }
    memset(out, 0, size);
    memcpy(out, in, given < size ? given : size);
    memcpy(out, &size, sizeof size);
    return PGC_OK;
}

pgc_status options_take_any(const char *what, const void *in, void *out, size_t size,
                            pgc_error *err)
{
    if (in == NULL) {
        assert(size >= sizeof size);
        memset(out, 0, size);
        memcpy(out, &size, sizeof size);
        return PGC_OK;
    }
    return options_take(what, in, out, size, err);
}
