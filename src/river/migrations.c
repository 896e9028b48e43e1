/* What each migration of the job queue does. The catalogs they leave are those of River's own
 * migrations, name by name, so that Go, Ruby and Python clients find what they expect; never change
 * one that was released. Placeholder: see migrations.h. Constant data. */
#include "base/prelude.h"

#include "river/migrations.h"

#define R            RIVER_PLACE
#define FINAL_STATES "('cancelled', 'completed', 'discarded')"

/* The first form of the table that records migrations: no lines yet. */
#define MIGRATION_TABLE_1                             \
    "CREATE TABLE " R "river_migration ("             \
    "id bigserial PRIMARY KEY, "                      \
    "created_at timestamptz NOT NULL DEFAULT now(), " \
    "version bigint NOT NULL, "                       \
    "CONSTRAINT version CHECK (version >= 1));\n"     \
    "CREATE UNIQUE INDEX ON " R "river_migration (version);\n"

/* 1: the table of migrations itself. */
#define UP_1   MIGRATION_TABLE_1
#define DOWN_1 "DROP TABLE " R "river_migration;\n"

/* Until version 4: a job that is not final must not have a time of its end. */
#define WEAK_FINALIZED_CHECK                            \
    "CONSTRAINT finalized_or_finalized_at_null CHECK (" \
    "(state IN " FINAL_STATES " AND finalized_at IS NOT NULL) OR finalized_at IS NULL)"

/* Each new job wakes listeners; replaced by notifications from the client in version 4. */
#define NOTIFY_TRIGGER                                            \
    "CREATE FUNCTION " R "river_job_notify() RETURNS trigger\n"   \
    "LANGUAGE plpgsql AS $body$\n"                                \
    "BEGIN\n"                                                     \
    "    IF NEW.state = 'available' THEN\n"                       \
    "        PERFORM pg_notify('river_insert', "                  \
    "json_build_object('queue', NEW.queue)::text);\n"             \
    "    END IF;\n"                                               \
    "    RETURN NULL;\n"                                          \
    "END;\n"                                                      \
    "$body$;\n"                                                   \
    "CREATE TRIGGER river_notify AFTER INSERT ON " R "river_job " \
    "FOR EACH ROW EXECUTE FUNCTION " R "river_job_notify();\n"
#define DROP_NOTIFY_TRIGGER                          \
    "DROP TRIGGER river_notify ON " R "river_job;\n" \
    "DROP FUNCTION " R "river_job_notify();\n"

/* 2: jobs, their states, the leader. The leader's table is unlogged: after a crash of the server
 * there is no leader, which is the truth. */
#define UP_2                                                                                       \
    "CREATE TYPE " R "river_job_state AS ENUM ('available', 'cancelled', 'completed', "            \
    "'discarded', 'retryable', 'running', 'scheduled');\n"                                         \
    "CREATE TABLE " R "river_job ("                                                                \
    "id bigserial PRIMARY KEY, "                                                                   \
    "state " R "river_job_state NOT NULL DEFAULT 'available', "                                    \
    "attempt smallint NOT NULL DEFAULT 0, " /* begun so far */                                     \
    "max_attempts smallint NOT NULL, "                                                             \
    "attempted_at timestamptz, " /* start of the last attempt */                                   \
    "created_at timestamptz NOT NULL DEFAULT now(), "                                              \
    "finalized_at timestamptz, "                        /* end of the last attempt */              \
    "scheduled_at timestamptz NOT NULL DEFAULT now(), " /* not to be worked before */              \
    "priority smallint NOT NULL DEFAULT 1, "            /* 1 is the most urgent */                 \
    "args jsonb, "                                      /* the worker's input */                   \
    "attempted_by text[], "                             /* clients, newest last */                 \
    "errors jsonb[], "                                  /* one per failed attempt */               \
    "kind text NOT NULL, "                              /* which worker */                         \
    "metadata jsonb NOT NULL DEFAULT '{}', "            /* for clients and people */               \
    "queue text NOT NULL DEFAULT 'default', "                                                      \
    "tags varchar(255)[], " WEAK_FINALIZED_CHECK ", "                                              \
    "CONSTRAINT max_attempts_is_positive CHECK (max_attempts > 0), "                               \
    "CONSTRAINT priority_in_range CHECK (priority >= 1 AND priority <= 4), "                       \
    "CONSTRAINT queue_length CHECK (char_length(queue) > 0 AND char_length(queue) < 128), "        \
    "CONSTRAINT kind_length CHECK (char_length(kind) > 0 AND char_length(kind) < 128));\n"         \
    "CREATE INDEX river_job_kind ON " R "river_job USING btree (kind);\n"    /* lists by kind */   \
    "CREATE INDEX river_job_state_and_finalized_at_index ON " R "river_job " /* the cleaner */     \
    "USING btree (state, finalized_at) WHERE finalized_at IS NOT NULL;\n"                          \
    "CREATE INDEX river_job_prioritized_fetching_index ON " R "river_job " /* the fetch */         \
    "USING btree (state, queue, priority, scheduled_at, id);\n"                                    \
    "CREATE INDEX river_job_args_index ON " R "river_job USING gin (args);\n"                      \
    "CREATE INDEX river_job_metadata_index ON " R                                                  \
    "river_job USING gin (metadata);\n" NOTIFY_TRIGGER "CREATE UNLOGGED TABLE " R "river_leader (" \
    "elected_at timestamptz NOT NULL, " /* since when it leads */                                  \
    "expires_at timestamptz NOT NULL, " /* when others may take over */                            \
    "leader_id text NOT NULL, "         /* a client */                                             \
    "name text PRIMARY KEY, "                                                                      \
    "CONSTRAINT name_length CHECK (char_length(name) > 0 AND char_length(name) < 128), "           \
    "CONSTRAINT leader_id_length CHECK (char_length(leader_id) > 0 "                               \
    "AND char_length(leader_id) < 128));\n"
#define DOWN_2                                 \
    "DROP TABLE " R "river_job;\n"             \
    "DROP FUNCTION " R "river_job_notify();\n" \
    "DROP TYPE " R "river_job_state;\n"        \
    "DROP TABLE " R "river_leader;\n"

/* 3: tags are never NULL. */
#define UP_3                                                           \
    "ALTER TABLE " R "river_job ALTER COLUMN tags SET DEFAULT '{}';\n" \
    "UPDATE " R "river_job SET tags = '{}' WHERE tags IS NULL;\n"      \
    "ALTER TABLE " R "river_job ALTER COLUMN tags SET NOT NULL;\n"
#define DOWN_3                                                     \
    "ALTER TABLE " R "river_job ALTER COLUMN tags DROP NOT NULL, " \
    "ALTER COLUMN tags DROP DEFAULT;\n"

/* 4: queues and the state "pending"; a job is final if and only if it has a time of its end. Going
 * back keeps the label: PostgreSQL cannot remove one. */
#define UP_4                                                                                 \
    "UPDATE " R "river_job SET args = '{}' WHERE args IS NULL;\n"                            \
    "ALTER TABLE " R "river_job ALTER COLUMN args SET NOT NULL, "                            \
    "ALTER COLUMN args DROP DEFAULT;\n"                                                      \
    "ALTER TABLE " R "river_job ALTER COLUMN metadata SET DEFAULT '{}';\n"                   \
    "UPDATE " R "river_job SET metadata = '{}' WHERE metadata IS NULL;\n"                    \
    "ALTER TABLE " R "river_job ALTER COLUMN metadata SET NOT NULL;\n"                       \
    "ALTER TYPE " R "river_job_state ADD VALUE IF NOT EXISTS 'pending' AFTER 'discarded';\n" \
    "ALTER TABLE " R "river_job DROP CONSTRAINT finalized_or_finalized_at_null, "            \
    "ADD CONSTRAINT finalized_or_finalized_at_null CHECK ("                                  \
    "(finalized_at IS NULL AND state NOT IN " FINAL_STATES ") OR "                           \
    "(finalized_at IS NOT NULL AND state IN " FINAL_STATES "));\n" DROP_NOTIFY_TRIGGER       \
    "CREATE TABLE " R "river_queue ("                                                        \
    "name text PRIMARY KEY, "                                                                \
    "created_at timestamptz NOT NULL DEFAULT now(), "                                        \
    "metadata jsonb NOT NULL DEFAULT '{}', "                                                 \
    "paused_at timestamptz, " /* NULL while jobs are fetched */                              \
    "updated_at timestamptz NOT NULL);\n"                                                    \
    "ALTER TABLE " R "river_leader ALTER COLUMN name SET DEFAULT 'default', "                \
    "DROP CONSTRAINT name_length, "                                                          \
    "ADD CONSTRAINT name_length CHECK (name = 'default');\n"
#define DOWN_4                                                                        \
    "ALTER TABLE " R "river_job ALTER COLUMN args DROP NOT NULL, "                    \
    "ALTER COLUMN metadata DROP NOT NULL, ALTER COLUMN metadata DROP DEFAULT;\n"      \
    "ALTER TABLE " R "river_job DROP CONSTRAINT finalized_or_finalized_at_null, "     \
    "ADD " WEAK_FINALIZED_CHECK ";\n" NOTIFY_TRIGGER "DROP TABLE " R "river_queue;\n" \
    "ALTER TABLE " R "river_leader ALTER COLUMN name DROP DEFAULT, "                  \
    "DROP CONSTRAINT name_length, "                                                   \
    "ADD CONSTRAINT name_length CHECK (char_length(name) > 0 AND char_length(name) < 128);\n"

/* Tables of versions 5 and 6 that no client ever used. */
#define CLIENT_TABLES                                                                     \
    "CREATE UNLOGGED TABLE " R "river_client ("                                           \
    "id text PRIMARY KEY, "                                                               \
    "created_at timestamptz NOT NULL DEFAULT now(), "                                     \
    "metadata jsonb NOT NULL DEFAULT '{}', "                                              \
    "paused_at timestamptz, "                                                             \
    "updated_at timestamptz NOT NULL, "                                                   \
    "CONSTRAINT name_length CHECK (char_length(id) > 0 AND char_length(id) < 128));\n"    \
    "CREATE UNLOGGED TABLE " R "river_client_queue ("                                     \
    "river_client_id text NOT NULL REFERENCES " R "river_client (id) ON DELETE CASCADE, " \
    "name text NOT NULL, "                                                                \
    "created_at timestamptz NOT NULL DEFAULT now(), "                                     \
    "max_workers bigint NOT NULL DEFAULT 0, "                                             \
    "metadata jsonb NOT NULL DEFAULT '{}', "                                              \
    "num_jobs_completed bigint NOT NULL DEFAULT 0, "                                      \
    "num_jobs_running bigint NOT NULL DEFAULT 0, "                                        \
    "updated_at timestamptz NOT NULL, "                                                   \
    "PRIMARY KEY (river_client_id, name), "                                               \
    "CONSTRAINT name_length CHECK (char_length(name) > 0 AND char_length(name) < 128), "  \
    "CONSTRAINT num_jobs_completed_zero_or_positive CHECK (num_jobs_completed >= 0), "    \
    "CONSTRAINT num_jobs_running_zero_or_positive CHECK (num_jobs_running >= 0));\n"
#define DROP_CLIENT_TABLES                  \
    "DROP TABLE " R "river_client_queue;\n" \
    "DROP TABLE " R "river_client;\n"
#define OLD_UNIQUE_INDEX                                                    \
    "CREATE UNIQUE INDEX IF NOT EXISTS river_job_kind_unique_key_idx ON " R \
    "river_job (kind, unique_key) WHERE unique_key IS NOT NULL;\n"

/* 5: migrations of several lines in one table, and unique jobs. The key is named
 * river_migration_pkey1 because the old table still owns the other name. */
#define UP_5                                                                             \
    "DO $body$\n"                                                                        \
    "BEGIN\n"                                                                            \
    "    IF to_regclass('" R "river_migration') IS NULL THEN\n"                          \
    "        RETURN;\n"                                                                  \
    "    END IF;\n"                                                                      \
    "    ALTER TABLE " R "river_migration RENAME TO river_migration_old;\n"              \
    "    CREATE TABLE " R "river_migration ("                                            \
    "line text NOT NULL, " /* main, or one of other products */                          \
    "version bigint NOT NULL, "                                                          \
    "created_at timestamptz NOT NULL DEFAULT now(), "                                    \
    "CONSTRAINT line_length CHECK (char_length(line) > 0 AND char_length(line) < 128), " \
    "CONSTRAINT version_gte_1 CHECK (version >= 1), "                                    \
    "PRIMARY KEY (line, version));\n"                                                    \
    "    INSERT INTO " R "river_migration (line, version, created_at) "                  \
    "SELECT 'main', version, created_at FROM " R "river_migration_old;\n"                \
    "    DROP TABLE " R "river_migration_old;\n"                                         \
    "END;\n"                                                                             \
    "$body$;\n"                                                                          \
    "ALTER TABLE " R                                                                     \
    "river_job ADD COLUMN IF NOT EXISTS unique_key bytea;\n" OLD_UNIQUE_INDEX CLIENT_TABLES
#define DOWN_5                                                                              \
    "DO $body$\n"                                                                           \
    "BEGIN\n"                                                                               \
    "    IF EXISTS (SELECT FROM " R "river_migration WHERE line <> 'main') THEN\n"          \
    "        RAISE EXCEPTION 'River migrations of other lines than main are applied: take " \
    "them back first';\n"                                                                   \
    "    END IF;\n"                                                                         \
    "END;\n"                                                                                \
    "$body$;\n"                                                                             \
    "ALTER TABLE " R "river_migration RENAME TO river_migration_old;\n" MIGRATION_TABLE_1   \
    "INSERT INTO " R "river_migration (created_at, version) "                               \
    "SELECT created_at, version FROM " R "river_migration_old ORDER BY version;\n"          \
    "DROP TABLE " R "river_migration_old;\n"                                                \
    "ALTER TABLE " R "river_job DROP COLUMN unique_key;\n" DROP_CLIENT_TABLES

/* 6: unique jobs by key and set of states. A job whose state is not in its set leaves the index, so
 * a finished job need not stand in the way of the next one. */
#define UP_6                                                                                 \
    "CREATE FUNCTION " R "river_job_state_in_bitmask(bitmask bit(8), "                       \
    "state " R "river_job_state) RETURNS boolean\n"                                          \
    "LANGUAGE sql IMMUTABLE AS $body$\n"                                                     \
    "    SELECT coalesce(get_bit(bitmask, CASE state WHEN 'scheduled' THEN 0 "               \
    "WHEN 'running' THEN 1 WHEN 'retryable' THEN 2 WHEN 'pending' THEN 3 "                   \
    "WHEN 'discarded' THEN 4 WHEN 'completed' THEN 5 WHEN 'cancelled' THEN 6 "               \
    "WHEN 'available' THEN 7 END) = 1, false);\n"                                            \
    "$body$;\n"                                                                              \
    "ALTER TABLE " R "river_job ADD COLUMN IF NOT EXISTS unique_states bit(8);\n"            \
    "CREATE UNIQUE INDEX IF NOT EXISTS river_job_unique_idx ON " R "river_job (unique_key) " \
    "WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL "                            \
    "AND " R "river_job_state_in_bitmask(unique_states, state);\n"                           \
    "DROP INDEX " R "river_job_kind_unique_key_idx;\n"
#define DOWN_6                                                                                    \
    "DROP INDEX " R "river_job_unique_idx;\n"                                                     \
    "ALTER TABLE " R "river_job DROP COLUMN unique_states;\n" OLD_UNIQUE_INDEX "DROP FUNCTION " R \
    "river_job_state_in_bitmask(bit, " R "river_job_state);\n"

/* 7: a table for databases without LISTEN (empty here), defaults, and the unused tables go. */
#define UP_7                                                                                    \
    "CREATE TABLE " R "river_notification ("                                                    \
    "id bigserial PRIMARY KEY, "                                                                \
    "created_at timestamptz NOT NULL DEFAULT now(), "                                           \
    "payload text NOT NULL, "                                                                   \
    "topic text NOT NULL, " /* the channel */                                                   \
    "CONSTRAINT topic_length CHECK (length(topic) > 0 AND length(topic) < 128));\n"             \
    "CREATE INDEX river_notification_created_at_idx ON " R "river_notification (created_at);\n" \
    "CREATE INDEX river_notification_topic_id_idx ON " R                                        \
    "river_notification (topic, id);\n" DROP_CLIENT_TABLES "ALTER TABLE " R                     \
    "river_job ALTER COLUMN max_attempts SET DEFAULT 25;\n"                                     \
    "ALTER TABLE " R "river_queue ALTER COLUMN updated_at SET DEFAULT CURRENT_TIMESTAMP;\n"
#define DOWN_7                                                             \
    CLIENT_TABLES                                                          \
    "ALTER TABLE " R "river_job ALTER COLUMN max_attempts DROP DEFAULT;\n" \
    "ALTER TABLE " R "river_queue ALTER COLUMN updated_at DROP DEFAULT;\n" \
    "DROP TABLE " R "river_notification;\n"

const river_migration RIVER_MIGRATIONS[RIVER_SCHEMA_VERSION] = {
    { 1, "create river migration", UP_1, DOWN_1 },
    { 2, "initial schema", UP_2, DOWN_2 },
    { 3, "river job tags non null", UP_3, DOWN_3 },
    { 4, "pending and more", UP_4, DOWN_4 },
    { 5, "migration unique client", UP_5, DOWN_5 },
    { 6, "bulk unique", UP_6, DOWN_6 },
    { 7, "notification outbox sqlite jsonb and sql cleanup", UP_7, DOWN_7 },
};
