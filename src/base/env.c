/* The default seams in one hand. Filled once, read-only afterwards: any thread. */
#include "base/prelude.h"

#include "base/env.h"

static env default_env;

static void fill_default(void)
{
    default_env = (env) { pgc_alloc_libc(), vfs_os(), clock_os(), NULL };
}

const env *env_default(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void) pthread_once(&once, fill_default);
    return &default_env;
}
