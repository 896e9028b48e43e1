/* The version that was built. Invariant: it is the project's and that of the headers, which a test
 * compares. Any thread. */
#include "base/prelude.h"

#include <river/river.h>

const char *river_version(void)
{
    return LUM_VERSION;
}
