/* The version that was built. Invariant: it is the project's and that of the headers, which a test
 * compares. Any thread. */
#include "base/prelude.h"

#include <pgc/pgc.h>

const char *pgc_version(void)
{
    return LUM_VERSION;
}
