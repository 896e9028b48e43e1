/* The text of every statement, and their descriptors for one schema. */
#ifndef RIVER_STATEMENTS_H
#define RIVER_STATEMENTS_H

#include "river/store.h"

typedef enum river_statement {
    ST_INSERT,
    ST_NOTIFY,
    ST_FETCH,
    ST_COMPLETE,
    ST_FINISH,
    ST_RECLAIM,
    ST_QUEUE_UPSERT,
    ST_LEAD_EXPIRE,
    ST_LEAD_ELECT,
    ST_LEAD_EXTEND,
    ST_LEAD_RESIGN,
    ST_CLEAN_JOBS,
    ST_CLEAN_QUEUES,
    ST_SCHEDULE,
    ST_STUCK,
    ST_RESCUE,
    ST_JOB_GET,
    ST_JOB_CANCEL,
    ST_JOB_RETRY,
    ST_JOB_DELETE,
    ST_JOB_OUTPUT,
    ST_JOB_COUNT,
    ST_QUEUE_GET,
    ST_QUEUE_LIST,
    ST_QUEUE_PAUSE,
    ST_QUEUE_RESUME,
    ST_QUEUE_METADATA,
    ST_COMPLETE_DELETE,
    ST_EXT_READY, /* our side tables */
    ST_EXT_BEAT,
    ST_EXT_LEAVE,
    ST_EXT_ORPHANS,
    ST_EXT_FORGET,
    ST_EXT_LOCK,
    ST_EXT_LIMIT_ROW,
    ST_EXT_ROOM,
    ST_EXT_STARTED,
    ST_EXT_PLAN,
    ST_EXT_ADVANCE,
    ST_LIST_ID, /* from here on planned with their values */
    ST_LIST_ID_DOWN,
    ST_LIST_SCHEDULED,
    ST_LIST_SCHEDULED_DOWN,
    ST_LIST_FINALIZED,
    ST_LIST_FINALIZED_DOWN,
    ST_LIST_ATTEMPTED,
    ST_LIST_ATTEMPTED_DOWN,
    ST_JOB_DELETE_MANY,
    ST_COUNT
} river_statement;

#define RIVER_SCHEMA_SIZE 47 /* with the longest topic it fits a channel name; and NUL */

struct river_store {
    struct river_store *next;
    char schema[RIVER_SCHEMA_SIZE];
    pgc_query queries[ST_COUNT];
};

/* The store of a schema; made at the first call. NULL: no memory. */
const river_store *statements_of(const char *schema);

#endif
