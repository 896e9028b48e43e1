#ifndef RIVER_EXT_H
#define RIVER_EXT_H

#include <pgc/conn.h>

PGC_BEGIN_DECLS

/*
 * Side tables of libriver, beside River's own and never in them: river_ext_client (heartbeats),
 * river_ext_queue (limits over all clients) and river_ext_periodic (next runs of durable periodic
 * jobs). Other clients do not know them and need not. river_client_open() makes them when an option
 * needs them; a client whose role may not create tables has them made before, by these calls.
 */

/**
 * Make the side tables where they are missing.
 *
 * @param schema that of River's tables; NULL or "": the first one of search_path.
 * @return PGC_OK, also when all are there; PGC_INVALID (schema name); PGC_DENIED (may not create
 *         tables); what pgc_conn_script() returns.
 *
 * Blocks: yes. Thread-safe: as the connection. Since: 0.1.
 */
PGC_API pgc_status river_ext_migrate(pgc_conn *conn, const char *schema, pgc_error *err)
    PGC_MUST_CHECK;

/**
 * Drop the side tables. Nobody may use heartbeats, limits or durable periodic jobs at that time.
 *
 * @return as river_ext_migrate(); PGC_OK, too, when there are none.
 *
 * Blocks: yes. Thread-safe: as the connection. Since: 0.1.
 */
PGC_API pgc_status river_ext_remove(pgc_conn *conn, const char *schema, pgc_error *err)
    PGC_MUST_CHECK;

PGC_END_DECLS

#endif
