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
#ifdef LIBPQ_HAS_CLOSE_PREPARED
            .sendClosePrepared = PQsendClosePrepared,
#endif
#ifdef LIBPQ_HAS_CHUNK_MODE
        .setChunkedRowsMode = PQsetChunkedRowsMode,
#endif
        .wait = poll,
    };
    return &table;
}
