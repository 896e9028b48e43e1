/* Jobs that come again. The leader inserts them; its own list counts. */
#ifndef RIVER_PERIODIC_H
#define RIVER_PERIODIC_H

#include "base/list.h"
#include "river/client_state.h"
#include "river/cron.h"

struct lead_link;

typedef struct periodic_set {
    pthread_mutex_t lock; /* guards the list, also while jobs are inserted */
    list_node entries;
    int32_t last_handle;
    const pgc_alloc *alloc;
} periodic_set;

void periodic_make(periodic_set *set, const pgc_alloc *alloc);
void periodic_free(periodic_set *set);
/* Check and copy. PGC_INVALID names the member; PGC_CONFLICT: the id is taken. */
pgc_status periodic_add(periodic_set *set, const river_periodic *spec, int32_t *handle_out,
                        pgc_error *err) PGC_MUST_CHECK;
pgc_status periodic_remove(periodic_set *set, int32_t handle, pgc_error *err) PGC_MUST_CHECK;
/* Leadership was gained: next times count from now. */
void periodic_begin(periodic_set *set);
/* Insert what is due. Gives the monotonic time of the next, INT64_MAX: none. */
int64_t periodic_run(periodic_set *set, river_client *client, struct lead_link *link);

#endif
