/* First include of every .c file: feature macros, the C library, then the list of functions that
 * must not be used. System headers come before the poison, or their own declarations trip it. */
#ifndef BASE_PRELUDE_H
#define BASE_PRELUDE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef PRELUDE_NO_POISON
/* Fortified headers make macros of some under clang; poisoning a macro is an error there. */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol atof gets
#pragma GCC poison gmtime localtime ctime asctime system popen mktemp
#ifndef PRELUDE_ALLOW_EXIT /* src/cli only */
#pragma GCC poison abort exit
#endif
#endif

#define AUTO(fn) __attribute__((cleanup(fn)))

/* Take ownership out of a variable: gives its value and leaves NULL behind. */
#define TAKE(p)                        \
    __extension__({                    \
        __typeof__(p) take_tmp_ = (p); \
        (p) = NULL;                    \
        take_tmp_;                     \
    })

/* Return early with the status of a failed call. */
#define TRY(expr)                        \
    do {                                 \
        pgc_status try_status_ = (expr); \
        if (try_status_ != PGC_OK) {     \
            return try_status_;          \
        }                                \
    } while (0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
