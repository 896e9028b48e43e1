/* The four seams in one hand: what a top object is given and hands down. */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/vfs.h"

typedef struct env {
    const pgc_alloc *alloc;
    const vfs *fs;
    const clock_ops *clock;
    const log_sink *log; /* NULL: silent */
} env;

/* libc, the operating system, no log; static. */
const env *env_default(void);

#endif
