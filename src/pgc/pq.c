/* The libpq seam, filled with the real library. Constant data only; any thread. */
#include "base/prelude.h"

#include "pgc/pq.h"

/* A table of constants: calls through it cost one indirect jump. */
const pq_ops *pq_libpq(void)
{
    static const pq_ops table = {
#define X(name) .name = PQ##name,
        PQ_MAP(X) PQ_CANCEL_MAP(X)
#undef X
            .wait = poll,
    };
    return &table;
}
