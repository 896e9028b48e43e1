/* One place that reads structs by the size their caller was compiled with. Pure functions. */
#include "base/prelude.h"

#include "base/options.h"

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
    for (size_t i = size; i < given; i++) {
        if (((const char *) in)[i] != 0) {
            return pgc_error_set(err, PGC_INVALID,
                                 "%s: struct_size is %zu, and what stands behind byte %zu is not "
                                 "known to this version of the library, which is older than its "
                                 "caller's header",
                                 what, given, size);
        }
    }
    memset(out, 0, size);
    memcpy(out, in, given < size ? given : size);
    memcpy(out, &size, sizeof size);
    return PGC_OK;
}

pgc_status options_take_at(const char *what, const void *array, size_t index, void *out,
                           size_t size, pgc_error *err)
{
    size_t step = 0;
    size_t given = 0;
    assert(array != NULL);
    memcpy(&step, array, sizeof step);
    const char *at = (const char *) array;
    if (step >= sizeof step && step <= SIZE_SANE) {
        at += index * step;
        memcpy(&given, at, sizeof given);
        if (given != step) {
            return pgc_error_set(err, PGC_INVALID,
                                 "%s %zu: struct_size is %zu, that of the first one is %zu", what,
                                 index, given, step);
        }
    }
    return options_take(what, at, out, size, err);
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
