/*
 * All SQL of the queue (but for the migrations), in one table. RIVER_PLACE stands in front of every
 * object of River's and becomes the quoted schema and a dot. Behaviour: river.md sections 2 to 7.
 * Threads: the list of stores is under a lock; a store never changes.
 */
#include "base/prelude.h"

#include "river/statements.h"

#include "base/arena.h"
#include "base/ident.h"
#include "river/migrations.h"

#define P RIVER_PLACE

/* A job as all statements give it, from a table named j. Casts make types that every reader knows;
 * the types of the schema itself have no fixed OID. */
#define JOB                                                                                       \
    "j.id, j.state::text, j.attempt, j.max_attempts, j.attempted_at, j.created_at, "              \
    "j.finalized_at, j.scheduled_at, j.priority, j.args::text, j.attempted_by, "                  \
    "to_jsonb(j.errors)::text, j.kind, j.metadata::text, j.queue, j.tags::text[], j.unique_key, " \
    "j.unique_states::integer"
#define JOB_TYPES "itsszzzzstTttttTyd"

#define QUEUE       "q.name, q.metadata::text, q.created_at, q.updated_at, q.paused_at"
#define QUEUE_TYPES "ttzzz"

#define FINAL "('cancelled', 'completed', 'discarded')"

/* A channel is the schema's name, a dot and the topic. */
#define CHANNEL(topic) "pg_catalog.concat($1::text, '.', '" topic "')"

/* Whose row is it, and may it be written: a fence that a late worker does not pass. An attempt that
 * snoozed leaves its number to the next one; with OURS_AT the time of the fetch tells them apart.
 */
#define OURS    "j.state = 'running' AND j.attempt = i.fence"
#define OURS_AT OURS " AND j.attempted_at = coalesce(i.began, j.attempted_at)"

/* What the outcome makes of the job; a wish to cancel wins over every state that is not final. */
#define TARGET                                                                   \
    "CASE WHEN i.state NOT IN " FINAL " AND j.metadata ? 'cancel_attempted_at' " \
    "THEN 'cancelled' ELSE i.state END"

#define MERGE "j.metadata || coalesce(nullif(i.metadata, '')::jsonb, '{}')"

#define OUTCOME_INPUT                                                                      \
    "unnest($1::bigint[], $2::smallint[], $3::text[], $4::smallint[], $5::timestamptz[], " \
    "$6::timestamptz[], $7::text[], $8::text[], $9::timestamptz[]) "                       \
    "AS u (id, fence, state, attempt, finalized_at, scheduled_at, error, metadata, began)"
#define OUTCOME_TYPES "ISTSZZTTZ"

/* Filters of a list: ids, kinds, queues, priorities, states, tags all, tags any, metadata. Sent
 * unnamed, so that the planner sees the values and drops what is NULL. */
#define LIST_FILTER                                           \
    "($1::bigint[] IS NULL OR j.id = ANY ($1)) "              \
    "AND ($2::text[] IS NULL OR j.kind = ANY ($2)) "          \
    "AND ($3::text[] IS NULL OR j.queue = ANY ($3)) "         \
    "AND ($4::smallint[] IS NULL OR j.priority = ANY ($4)) "  \
    "AND j.state = ANY ($5::text[]::" P "river_job_state[]) " \
    "AND ($6::text[] IS NULL OR j.tags::text[] @> $6) "       \
    "AND ($7::text[] IS NULL OR j.tags::text[] && $7) "       \
    "AND ($8::text IS NULL OR j.metadata @> $8::jsonb)"
#define LIST_TYPES "ITTSTTTt"

/* Pages go on behind (time $10, id $9). */
#define LIST_BY_ID(name, above, way)                                                         \
    {                                                                                        \
        name, LIST_TYPES "izi", JOB_TYPES,                                                   \
            "SELECT " JOB " FROM " P "river_job AS j WHERE " LIST_FILTER                     \
            " AND ($9::bigint IS NULL OR j.id " above " $9) ORDER BY j.id " way " LIMIT $11" \
    }
#define LIST_BY(name, column, above, way)                                            \
    {                                                                                \
        name, LIST_TYPES "izi", JOB_TYPES,                                           \
            "SELECT " JOB " FROM " P "river_job AS j WHERE " LIST_FILTER             \
            " AND ($9::bigint IS NULL OR (j." column ", j.id) " above " ($10, $9)) " \
            "ORDER BY j." column " " way ", j.id " way " LIMIT $11"                  \
    }

/* Whoever works the queue is told in the same transaction. */
#define TELL_QUEUES(action)                                                                     \
    "told AS (SELECT pg_catalog.pg_notify(" CHANNEL(                                            \
        "river_control") ", "                                                                   \
                         "json_build_object('action', '" action "', 'queue', $2::text)::text) " \
                         "WHERE $2 = '*' OR EXISTS (SELECT FROM written)) "                     \
                         "SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM told)"

/* The columns that an outcome writes; t is the state that it becomes. */
#define OUTCOME_SET                                                                             \
    "state = t.target::" P "river_job_state, "                                                  \
    "finalized_at = CASE WHEN t.target IN " FINAL " THEN coalesce(t.finalized_at, now()) END, " \
    "attempt = CASE WHEN t.target = 'cancelled' THEN j.attempt "                                \
    "ELSE coalesce(t.new_attempt, j.attempt) END, "                                             \
    "scheduled_at = CASE WHEN t.target IN " FINAL " THEN j.scheduled_at "                       \
    "ELSE coalesce(t.scheduled_at, j.scheduled_at) END, "                                       \
    "errors = CASE WHEN t.error IS NULL THEN j.errors "                                         \
    "ELSE array_append(j.errors, t.error::jsonb) END"

typedef struct statement_text {
    const char *name, *params, *columns, *sql;
} statement_text;

static const statement_text TEXTS[ST_COUNT] = {
    [ST_INSERT] = {
        "RiverInsert", "TTSTSTZTTTD", JOB_TYPES "b",
        "INSERT INTO " P "river_job AS j (args, kind, max_attempts, metadata, priority, queue, "
        "scheduled_at, state, tags, unique_key, unique_states) "
        "SELECT i.args::jsonb, i.kind, i.max_attempts, i.metadata::jsonb, i.priority, i.queue, "
        "coalesce(i.scheduled_at, now()), i.state::" P "river_job_state, "
        "string_to_array(i.tags, ','), decode(nullif(i.unique_key, ''), 'hex'), "
        "nullif(i.unique_states, 0)::bit(8) "
        "FROM unnest($1::text[], $2::text[], $3::smallint[], $4::text[], $5::smallint[], "
        "$6::text[], $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::integer[]) "
        "WITH ORDINALITY AS i (args, kind, max_attempts, metadata, priority, queue, scheduled_at, "
        "state, tags, unique_key, unique_states, place) ORDER BY i.place "
        "ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL "
        "AND " P "river_job_state_in_bitmask(unique_states, state) "
        "DO UPDATE SET kind = EXCLUDED.kind RETURNING " JOB ", j.xmax <> 0",
    },
    [ST_NOTIFY] = {
        "RiverNotify", "ttT", "",
        "SELECT pg_catalog.pg_notify(pg_catalog.concat($1::text, '.', $2::text), payload) "
        "FROM unnest($3::text[]) AS payload",
    },
    /* Rows are found again by an array of ids: joins tempt the planner into reading the whole table
     * when it does not know how few rows there are. */
    [ST_FETCH] = {
        "RiverFetch", "tti", JOB_TYPES,
        "UPDATE " P "river_job AS j SET state = 'running', attempt = least(j.attempt + 1, 32767), "
        "attempted_at = now(), attempted_by = CASE WHEN array_ndims(j.attempted_by) > 1 THEN '{}' "
        "WHEN cardinality(j.attempted_by) >= 100 "
        "THEN j.attempted_by[cardinality(j.attempted_by) - 98:] ELSE j.attempted_by END "
        "|| $2::text WHERE j.id = ANY (ARRAY(SELECT id FROM " P "river_job "
        "WHERE state = 'available' AND queue = $1 AND scheduled_at <= now() "
        "ORDER BY priority, scheduled_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)) RETURNING " JOB,
    },
    [ST_COMPLETE] = {
        "RiverComplete", "Is", "iz",
        "UPDATE " P "river_job AS j SET state = 'completed', finalized_at = now() "
        "WHERE j.id = ANY ($1) AND j.state = 'running' AND j.attempt = $2 "
        "RETURNING j.id, j.finalized_at",
    },
    [ST_FINISH] = {
        "RiverFinish", OUTCOME_TYPES, JOB_TYPES,
        "WITH i AS (SELECT * FROM " OUTCOME_INPUT "), "
        "t AS (SELECT j.id, " OURS_AT " AS ours, " TARGET " AS target, i.finalized_at, "
        "i.attempt AS new_attempt, i.scheduled_at, nullif(i.error, '') AS error, " MERGE
        " AS metadata, coalesce(i.metadata, '') <> '' AS merges "
        "FROM " P "river_job AS j JOIN i ON j.id = i.id WHERE j.id = ANY ($1) "
        "ORDER BY j.id FOR UPDATE OF j), "
        "written AS (UPDATE " P "river_job AS j SET " OUTCOME_SET ", metadata = t.metadata "
        "FROM t WHERE j.id = t.id AND j.id = ANY ($1) AND t.ours RETURNING j.*), "
        "merged AS (UPDATE " P "river_job AS j SET metadata = t.metadata "
        "FROM t WHERE j.id = t.id AND j.id = ANY ($1) AND NOT t.ours AND t.merges RETURNING j.*), "
        "kept AS (SELECT j.* FROM " P "river_job AS j JOIN t ON j.id = t.id "
        "WHERE j.id = ANY ($1) AND NOT t.ours AND NOT t.merges) "
        "SELECT " JOB " FROM (SELECT * FROM written UNION ALL SELECT * FROM merged "
        "UNION ALL SELECT * FROM kept) AS j ORDER BY j.id",
    },
    [ST_RECLAIM] = {
        "RiverReclaim", "ttiI", "",
        "UPDATE " P "river_job SET state = 'available', attempt = greatest(attempt - 1, 0) "
        "WHERE state = 'running' AND queue = $1 "
        "AND attempted_by[cardinality(attempted_by)] = $2 "
        "AND attempted_at >= now() - $3::bigint * interval '1 microsecond' "
        "AND id <> ALL ($4::bigint[])",
    },
    [ST_QUEUE_UPSERT] = {
        "RiverQueueUpsert", "t", QUEUE_TYPES,
        "INSERT INTO " P "river_queue AS q (name, created_at, updated_at) "
        "VALUES ($1, now(), now()) ON CONFLICT (name) DO UPDATE SET updated_at = now() "
        "RETURNING " QUEUE,
    },
    [ST_LEAD_EXPIRE] = {
        "RiverLeadExpire", "", "", "DELETE FROM " P "river_leader WHERE expires_at < now()",
    },
    [ST_LEAD_ELECT] = {
        "RiverLeadElect", "ti", "z",
        "INSERT INTO " P "river_leader (leader_id, elected_at, expires_at) "
        "VALUES ($1, now(), now() + $2::bigint * interval '1 microsecond') "
        "ON CONFLICT (name) DO NOTHING RETURNING elected_at",
    },
    [ST_LEAD_EXTEND] = {
        "RiverLeadExtend", "tiz", "",
        "UPDATE " P "river_leader SET expires_at = now() + $2::bigint * interval '1 microsecond' "
        "WHERE leader_id = $1 AND elected_at = $3 AND expires_at >= now()",
    },
    [ST_LEAD_RESIGN] = {
        "RiverLeadResign", "ttz", "",
        "WITH held AS (SELECT name FROM " P "river_leader WHERE leader_id = $2 "
        "AND elected_at = $3 FOR UPDATE), "
        "told AS (SELECT name, pg_catalog.pg_notify(" CHANNEL("river_leadership") ", "
        "json_build_object('action', 'resigned', 'leader_id', $2::text)::text) FROM held) "
        "DELETE FROM " P "river_leader AS l USING told WHERE l.name = told.name",
    },
    [ST_CLEAN_JOBS] = {
        "RiverCleanJobs", "zzziTb", "",
        "DELETE FROM " P "river_job WHERE id IN (SELECT id FROM " P "river_job "
        "WHERE ((state = 'completed' AND finalized_at < $1) "
        "OR (state = 'cancelled' AND finalized_at < $2) "
        "OR (state = 'discarded' AND finalized_at < $3)) AND (queue = ANY ($5)) = $6 "
        "ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED)",
    },
    [ST_CLEAN_QUEUES] = {
        "RiverCleanQueues", "zi", "",
        "DELETE FROM " P "river_queue WHERE name IN (SELECT name FROM " P "river_queue "
        "WHERE updated_at < $1 ORDER BY name LIMIT $2 FOR UPDATE SKIP LOCKED)",
    },
    [ST_SCHEDULE] = {
        "RiverSchedule", "zi", JOB_TYPES,
        "WITH due AS (SELECT id, unique_key, unique_states, priority, scheduled_at "
        "FROM " P "river_job WHERE state IN ('retryable', 'scheduled') AND scheduled_at <= $1 "
        "ORDER BY priority, scheduled_at, id LIMIT $2 FOR UPDATE), "
        "ranked AS (SELECT id, unique_key, CASE WHEN unique_key IS NULL OR unique_states IS NULL "
        "THEN 1 ELSE row_number() OVER (PARTITION BY unique_key "
        "ORDER BY priority, scheduled_at, id) END AS place, unique_states FROM due), "
        "judged AS (SELECT r.id, r.place > 1 OR (r.unique_states IS NOT NULL AND EXISTS ("
        "SELECT FROM " P "river_job AS o WHERE o.unique_key = r.unique_key AND o.id <> r.id "
        "AND o.unique_states IS NOT NULL "
        "AND " P "river_job_state_in_bitmask(o.unique_states, o.state))) AS loses "
        "FROM ranked AS r) "
        "UPDATE " P "river_job AS j SET "
        "state = CASE WHEN judged.loses THEN 'discarded' ELSE 'available' END::" P
        "river_job_state, "
        "finalized_at = CASE WHEN judged.loses THEN $1 ELSE j.finalized_at END, "
        "metadata = CASE WHEN judged.loses THEN j.metadata || "
        "'{\"unique_key_conflict\": \"scheduler_discarded\"}' ELSE j.metadata END "
        "FROM judged WHERE j.id = judged.id AND j.id = ANY (ARRAY(SELECT id FROM due)) "
        "RETURNING " JOB,
    },
    [ST_STUCK] = {
        "RiverStuck", "zii", JOB_TYPES,
        "SELECT " JOB " FROM " P "river_job AS j WHERE j.state = 'running' "
        "AND j.attempted_at < $1 AND j.id > $2 ORDER BY j.id LIMIT $3",
    },
    [ST_RESCUE] = {
        "RiverRescue", OUTCOME_TYPES "z", "i",
        "WITH i AS (SELECT * FROM " OUTCOME_INPUT "), "
        "t AS (SELECT j.id, i.state AS target, i.finalized_at, i.attempt AS new_attempt, "
        "i.scheduled_at, nullif(i.error, '') AS error, " MERGE " AS metadata "
        "FROM " P "river_job AS j JOIN i ON j.id = i.id WHERE j.id = ANY ($1) AND " OURS_AT
        " AND j.attempted_at < $10 ORDER BY j.id FOR UPDATE OF j SKIP LOCKED) "
        "UPDATE " P "river_job AS j SET " OUTCOME_SET ", metadata = t.metadata "
        "FROM t WHERE j.id = t.id AND j.id = ANY ($1) RETURNING j.id",
    },
    [ST_JOB_GET] = {
        "RiverJobGet", "i", JOB_TYPES, "SELECT " JOB " FROM " P "river_job AS j WHERE j.id = $1",
    },
    [ST_JOB_CANCEL] = {
        "RiverJobCancel", "tit", JOB_TYPES,
        "WITH held AS (SELECT id, queue, state FROM " P "river_job WHERE id = $2 FOR UPDATE), "
        "told AS (SELECT id, state, pg_catalog.pg_notify(" CHANNEL("river_control") ", "
        "json_build_object('action', 'cancel', 'job_id', id, 'queue', queue)::text) "
        "FROM held WHERE state NOT IN " FINAL "), "
        "written AS (UPDATE " P "river_job AS j SET "
        "state = CASE WHEN told.state = 'running' THEN j.state ELSE 'cancelled' END, "
        "finalized_at = CASE WHEN told.state = 'running' THEN j.finalized_at ELSE now() END, "
        "metadata = j.metadata || jsonb_build_object('cancel_attempted_at', $3::text) "
        "FROM told WHERE j.id = told.id RETURNING j.*) "
        "SELECT " JOB " FROM (SELECT * FROM written UNION ALL SELECT k.* FROM " P "river_job AS k "
        "JOIN held ON k.id = held.id WHERE held.state IN " FINAL ") AS j",
    },
    [ST_JOB_RETRY] = {
        "RiverJobRetry", "i", JOB_TYPES,
        "WITH held AS (SELECT id FROM " P "river_job WHERE id = $1 FOR UPDATE), "
        "written AS (UPDATE " P "river_job AS j SET state = 'available', scheduled_at = now(), "
        "finalized_at = NULL, max_attempts = CASE WHEN j.attempt = j.max_attempts "
        "THEN j.max_attempts + 1 ELSE j.max_attempts END FROM held WHERE j.id = held.id "
        "AND j.state <> 'running' AND NOT (j.state = 'available' AND j.scheduled_at < now()) "
        "RETURNING j.*) "
        "SELECT " JOB " FROM (SELECT * FROM written UNION ALL SELECT k.* FROM " P "river_job AS k "
        "WHERE k.id = $1 AND NOT EXISTS (SELECT FROM written)) AS j",
    },
    [ST_JOB_DELETE] = {
        "RiverJobDelete", "i", JOB_TYPES,
        "WITH held AS (SELECT id, state FROM " P "river_job WHERE id = $1 FOR UPDATE), "
        "gone AS (DELETE FROM " P "river_job AS j USING held WHERE j.id = held.id "
        "AND held.state <> 'running' RETURNING j.*) "
        "SELECT " JOB " FROM (SELECT * FROM gone UNION ALL SELECT k.* FROM " P "river_job AS k "
        "JOIN held ON k.id = held.id WHERE held.state = 'running') AS j",
    },
    [ST_JOB_OUTPUT] = {
        "RiverJobOutput", "it", JOB_TYPES,
        "WITH held AS (SELECT id FROM " P "river_job WHERE id = $1 FOR UPDATE) "
        "UPDATE " P "river_job AS j SET metadata = j.metadata || "
        "jsonb_build_object('output', $2::jsonb) FROM held WHERE j.id = held.id RETURNING " JOB,
    },
    [ST_JOB_COUNT] = {
        "RiverJobCount", "", "ti",
        "SELECT state::text, count(*) FROM " P "river_job GROUP BY state",
    },
    [ST_QUEUE_GET] = {
        "RiverQueueGet", "t", QUEUE_TYPES,
        "SELECT " QUEUE " FROM " P "river_queue AS q WHERE q.name = $1",
    },
    [ST_QUEUE_LIST] = {
        "RiverQueueList", "i", QUEUE_TYPES,
        "SELECT " QUEUE " FROM " P "river_queue AS q ORDER BY q.name LIMIT $1",
    },
    [ST_COMPLETE_DELETE] = {
        "RiverCompleteDelete", "Is", "iz",
        "DELETE FROM " P "river_job AS j WHERE j.id = ANY ($1) AND j.state = 'running' "
        "AND j.attempt = $2 RETURNING j.id, now()",
    },
    [ST_EXT_READY] = {
        "RiverExtReady", "t", "i",
        "SELECT count(*) FROM pg_catalog.pg_class AS c WHERE c.relkind = 'r' "
        "AND c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) "
        "AND c.relname IN ('river_ext_client', 'river_ext_queue', 'river_ext_periodic')",
    },
    [ST_EXT_BEAT] = {
        "RiverExtBeat", "tib", "",
        "INSERT INTO " P "river_ext_client AS c (id, lost_after_us) VALUES ($1, $2) "
        "ON CONFLICT (id) DO UPDATE SET beat_at = now(), lost_after_us = EXCLUDED.lost_after_us, "
        "started_at = CASE WHEN $3 THEN now() ELSE c.started_at END",
    },
    [ST_EXT_LEAVE] = {
        "RiverExtLeave", "t", "", "DELETE FROM " P "river_ext_client WHERE id = $1",
    },
    [ST_EXT_ORPHANS] = {
        "RiverExtOrphans", "i", JOB_TYPES,
        "SELECT " JOB " FROM " P "river_job AS j JOIN " P "river_ext_client AS c "
        "ON c.id = j.attempted_by[cardinality(j.attempted_by)] WHERE j.state = 'running' "
        "AND (c.beat_at < now() - c.lost_after_us * interval '1 microsecond' "
        "OR j.attempted_at < c.started_at) ORDER BY j.id LIMIT $1",
    },
    [ST_EXT_FORGET] = {
        "RiverExtForget", "", "",
        "DELETE FROM " P "river_ext_client WHERE beat_at < now() - interval '1 day' "
        "- lost_after_us * interval '1 microsecond'",
    },
    [ST_EXT_LOCK] = {
        "RiverExtLock", "t", "t",
        "SELECT name FROM " P "river_ext_queue WHERE name = $1 FOR UPDATE",
    },
    [ST_EXT_LIMIT_ROW] = {
        "RiverExtLimitRow", "t", "",
        "INSERT INTO " P "river_ext_queue (name) VALUES ($1) ON CONFLICT (name) DO NOTHING",
    },
    /* Clocks are read behind the lock: now() is the time before the wait for it. */
    [ST_EXT_ROOM] = {
        "RiverExtRoom", "tiiii", "i",
        "SELECT least($5, CASE WHEN $2 > 0 THEN $2 - (SELECT count(*) FROM (SELECT FROM " P
        "river_job WHERE state = 'running' AND queue = $1 LIMIT $2) AS r) END, "
        "CASE WHEN $3 > 0 THEN $3 - CASE WHEN q.window_began + $4 * interval '1 microsecond' "
        "> clock_timestamp() THEN q.window_starts ELSE 0 END END) "
        "FROM " P "river_ext_queue AS q WHERE q.name = $1",
    },
    [ST_EXT_STARTED] = {
        "RiverExtStarted", "tii", "",
        "UPDATE " P "river_ext_queue AS q SET "
        "window_starts = CASE WHEN w.goes_on THEN q.window_starts ELSE 0 END + $3, "
        "window_began = CASE WHEN w.goes_on THEN q.window_began ELSE clock_timestamp() END "
        "FROM (SELECT o.name, o.window_began + $2 * interval '1 microsecond' > clock_timestamp() "
        "AS goes_on FROM " P "river_ext_queue AS o WHERE o.name = $1) AS w WHERE q.name = w.name",
    },
    [ST_EXT_PLAN] = {
        "RiverExtPlan", "tz", "z",
        "INSERT INTO " P "river_ext_periodic (id, next_run_at) VALUES ($1, $2) "
        "ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id RETURNING next_run_at",
    },
    [ST_EXT_ADVANCE] = {
        "RiverExtAdvance", "tzz", "",
        "UPDATE " P "river_ext_periodic SET next_run_at = $3 WHERE id = $1 AND next_run_at = $2",
    },
    [ST_LIST_ID] = LIST_BY_ID("RiverListById", ">", "ASC"),
    [ST_LIST_ID_DOWN] = LIST_BY_ID("RiverListByIdDown", "<", "DESC"),
    [ST_LIST_SCHEDULED] = LIST_BY("RiverListByScheduled", "scheduled_at", ">", "ASC"),
    [ST_LIST_SCHEDULED_DOWN] = LIST_BY("RiverListByScheduledDown", "scheduled_at", "<", "DESC"),
    [ST_LIST_FINALIZED] = LIST_BY("RiverListByFinalized", "finalized_at", ">", "ASC"),
    [ST_LIST_FINALIZED_DOWN] = LIST_BY("RiverListByFinalizedDown", "finalized_at", "<", "DESC"),
    [ST_LIST_ATTEMPTED] = LIST_BY("RiverListByAttempted", "attempted_at", ">", "ASC"),
    [ST_LIST_ATTEMPTED_DOWN] = LIST_BY("RiverListByAttemptedDown", "attempted_at", "<", "DESC"),
    [ST_JOB_DELETE_MANY] = {
        "RiverJobDeleteMany", LIST_TYPES "i", JOB_TYPES,
        "WITH picked AS (SELECT j.id FROM " P "river_job AS j WHERE " LIST_FILTER
        " AND j.state <> 'running' ORDER BY j.id LIMIT $9 FOR UPDATE SKIP LOCKED), "
        "gone AS (DELETE FROM " P "river_job AS j USING picked WHERE j.id = picked.id "
        "RETURNING j.*) SELECT " JOB " FROM gone AS j ORDER BY j.id",
    },
    [ST_QUEUE_PAUSE] = {
        "RiverQueuePause", "tt", "ii",
        "WITH written AS (UPDATE " P "river_queue SET paused_at = coalesce(paused_at, now()), "
        "updated_at = CASE WHEN paused_at IS NULL THEN now() ELSE updated_at END "
        "WHERE $2 = '*' OR name = $2 RETURNING name), " TELL_QUEUES("pause"),
    },
    [ST_QUEUE_RESUME] = {
        "RiverQueueResume", "tt", "ii",
        "WITH written AS (UPDATE " P "river_queue SET paused_at = NULL, "
        "updated_at = CASE WHEN paused_at IS NULL THEN updated_at ELSE now() END "
        "WHERE $2 = '*' OR name = $2 RETURNING name), " TELL_QUEUES("resume"),
    },
    [ST_QUEUE_METADATA] = {
        "RiverQueueMetadata", "ttt", QUEUE_TYPES "t",
        "WITH q AS (UPDATE " P "river_queue SET metadata = $3::jsonb, updated_at = now() "
        "WHERE name = $2 RETURNING *) "
        "SELECT " QUEUE ", pg_catalog.pg_notify(" CHANNEL("river_control") ", json_build_object("
        "'action', 'metadata_changed', 'metadata', q.metadata, 'queue', q.name)::text)::text "
        "FROM q",
    },
};

/* Types by their letter: lower case one value, upper case an array. */
static const struct {
    char letter;
    pgc_type_ref ref;
} TYPES[] = {
    { 'b', { "value", "boolean", 16 } },
    { 'd', { "value", "integer", 23 } },
    { 'i', { "value", "bigint", 20 } },
    { 's', { "value", "smallint", 21 } },
    { 't', { "value", "text", 25 } },
    { 'y', { "value", "bytea", 17 } },
    { 'z', { "value", "timestamp with time zone", 1184 } },
    { 'D', { "values", "integer[]", 1007 } },
    { 'I', { "values", "bigint[]", 1016 } },
    { 'S', { "values", "smallint[]", 1005 } },
    { 'T', { "values", "text[]", 1009 } },
    { 'Z', { "values", "timestamp with time zone[]", 1185 } },
};

static pthread_mutex_t stores_lock = PTHREAD_MUTEX_INITIALIZER;
static struct river_store *stores; /* newest first */

/* Type list of a word of letters; empty words give NULL. */
static const pgc_type_ref *types_of(arena *memory, const char *letters, bool *failed)
{
    size_t count = strlen(letters);
    pgc_type_ref *refs = ARENA_ARRAY(memory, count + 1, pgc_type_ref);
    *failed = *failed || refs == NULL;
    for (size_t i = 0; refs != NULL && i < count; i++) {
        size_t at = 0;
        while (at < ARRAY_LEN(TYPES) - 1 && TYPES[at].letter != letters[i]) {
            at++;
        }
        assert(TYPES[at].letter == letters[i]);
        refs[i] = TYPES[at].ref;
    }
    return count == 0 ? NULL : refs;
}

/* FNV-1a: names prepared statements, which differ by schema and text. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char) *text) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* The arena is the store's and is never freed, as prepared statements outlive every client. */
static struct river_store *make_store(arena *memory, const char *schema)
{
    struct river_store *store = ARENA_NEW(memory, struct river_store);
    const char *quoted = ident_quote(schema, memory);
    const char *place = quoted == NULL ? NULL : arena_printf(memory, "%s.", quoted);
    bool failed = store == NULL || place == NULL;
    for (size_t i = 0; !failed && i < ST_COUNT; i++) {
        const statement_text *text = &TEXTS[i];
        const char *sql = ident_fill(text->sql, RIVER_PLACE, place, memory);
        failed = sql == NULL;
        store->queries[i] = (pgc_query) {
            .name = text->name,
            .sql = sql,
            .hash = failed ? 0 : hash_of(sql),
            .flags = i >= ST_LIST_ID ? PGC_QUERY_UNNAMED : 0,
            .param_count = (uint16_t) strlen(text->params),
            .column_count = (uint16_t) strlen(text->columns),
            .params = types_of(memory, text->params, &failed),
            .columns = types_of(memory, text->columns, &failed),
        };
    }
    if (failed) {
        return NULL;
    }
    snprintf(store->schema, sizeof(store->schema), "%s", schema);
    return store;
}

const river_store *statements_of(const char *schema)
{
    pthread_mutex_lock(&stores_lock);
    struct river_store *found = stores;
    while (found != NULL && strcmp(found->schema, schema) != 0) {
        found = found->next;
    }
    if (found == NULL) {
        arena *memory = arena_new(NULL, 0, 0);
        found = memory == NULL ? NULL : make_store(memory, schema);
        if (found == NULL) {
            arena_free(memory);
        } else {
            found->next = stores;
            stores = found;
        }
    }
    pthread_mutex_unlock(&stores_lock);
    return found;
}
