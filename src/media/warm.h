/* Lazy initialisation, done early. */
#ifndef MEDIA_WARM_H
#define MEDIA_WARM_H

#include <pgc/error.h>

/* Decode one tiny picture of each kind in the helper, so that no child has to look up anything. */
pgc_status warm_up(pgc_error *err) PGC_MUST_CHECK;

#endif
