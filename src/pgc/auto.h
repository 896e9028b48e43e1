/* Clean-up functions for AUTO(): `AUTO(tx_auto) pgc_tx *tx = NULL;` rolls back unless committed. */
#ifndef PGC_AUTO_H
#define PGC_AUTO_H

#include <pgc/pipeline.h>
#include <pgc/tx.h>

/* For AUTO(): frees the rows. */
static inline void rows_auto(pgc_result **local)
{
    pgc_result_free(*local);
}

/* For AUTO(): the list must have been started. */
static inline void params_auto(pgc_args *local)
{
    pgc_args_done(local);
}

/* For AUTO(): closes the connection. */
static inline void conn_auto(pgc_conn **local)
{
    pgc_conn_close(*local);
}

/* For AUTO(): rolls back; pgc_tx_commit() leaves NULL, so that nothing is left to do. */
static inline void tx_auto(pgc_tx **local)
{
    pgc_tx_rollback(*local);
}

/* For AUTO(): drops the batch and its unread rows. */
static inline void pipeline_auto(pgc_pipeline **local)
{
    pgc_pipeline_close(*local);
}

/* For AUTO(): the scope must go before its pool. */
static inline void scope_auto(pgc_scope **local)
{
    pgc_scope_close(*local);
}

/* For AUTO(): waits for borrowed connections. */
static inline void pool_auto(pgc_pool **local)
{
    pgc_pool_close(*local);
}

#endif
