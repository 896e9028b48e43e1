/* Inserts for parts of the client itself. */
#ifndef RIVER_INSERTION_H
#define RIVER_INSERTION_H

#include "river/client_state.h"

/* Available at once although it has a time: periodic jobs say when they were meant to run. */
/* db NULL: in a transaction of its own. */
pgc_status insert_available(river_client *client, pgc_db *db, const river_insert *job,
                            pgc_error *err) PGC_MUST_CHECK;

#endif
