/* Catalog of version 7, recorded from a schema that River 0.43 migrated on PostgreSQL 15. */
#ifndef TEST_RIVER_CATALOG_7_H
#define TEST_RIVER_CATALOG_7_H

/* clang-format off: recorded text */
#define RIVER_CATALOG_7                                                                \
    "column|river_job|01|id|bigint|t|nextval('queue.river_job_id_seq'::regclass)\n"    \
    "column|river_job|02|state|queue.river_job_state|t|'available'::queue.river_job_s" \
    "tate\n"                                                                           \
    "column|river_job|03|attempt|smallint|t|0\n"                                       \
    "column|river_job|04|max_attempts|smallint|t|25\n"                                 \
    "column|river_job|05|attempted_at|timestamp with time zone|f\n"                    \
    "column|river_job|06|created_at|timestamp with time zone|t|now()\n"                \
    "column|river_job|07|finalized_at|timestamp with time zone|f\n"                    \
    "column|river_job|08|scheduled_at|timestamp with time zone|t|now()\n"              \
    "column|river_job|09|priority|smallint|t|1\n"                                      \
    "column|river_job|10|args|jsonb|t\n"                                               \
    "column|river_job|11|attempted_by|text[]|f\n"                                      \
    "column|river_job|12|errors|jsonb[]|f\n"                                           \
    "column|river_job|13|kind|text|t\n"                                                \
    "column|river_job|14|metadata|jsonb|t|'{}'::jsonb\n"                               \
    "column|river_job|15|queue|text|t|'default'::text\n"                               \
    "column|river_job|16|tags|character varying(255)[]|t|'{}'::character varying[]\n"  \
    "column|river_job|17|unique_key|bytea|f\n"                                         \
    "column|river_job|18|unique_states|bit(8)|f\n"                                     \
    "column|river_leader|01|elected_at|timestamp with time zone|t\n"                   \
    "column|river_leader|02|expires_at|timestamp with time zone|t\n"                   \
    "column|river_leader|03|leader_id|text|t\n"                                        \
    "column|river_leader|04|name|text|t|'default'::text\n"                             \
    "column|river_migration|01|line|text|t\n"                                          \
    "column|river_migration|02|version|bigint|t\n"                                     \
    "column|river_migration|03|created_at|timestamp with time zone|t|now()\n"          \
    "column|river_notification|01|id|bigint|t|nextval('queue.river_notification_id_se" \
    "q'::regclass)\n"                                                                  \
    "column|river_notification|02|created_at|timestamp with time zone|t|now()\n"       \
    "column|river_notification|03|payload|text|t\n"                                    \
    "column|river_notification|04|topic|text|t\n"                                      \
    "column|river_queue|01|name|text|t\n"                                              \
    "column|river_queue|02|created_at|timestamp with time zone|t|now()\n"              \
    "column|river_queue|03|metadata|jsonb|t|'{}'::jsonb\n"                             \
    "column|river_queue|04|paused_at|timestamp with time zone|f\n"                     \
    "column|river_queue|05|updated_at|timestamp with time zone|t|CURRENT_TIMESTAMP\n"  \
    "constraint|queue.river_job|finalized_or_finalized_at_null|CHECK ((((finalized_at" \
    " IS NULL) AND (state <> ALL (ARRAY['cancelled'::queue.river_job_state, 'complete" \
    "d'::queue.river_job_state, 'discarded'::queue.river_job_state]))) OR ((finalized" \
    "_at IS NOT NULL) AND (state = ANY (ARRAY['cancelled'::queue.river_job_state, 'co" \
    "mpleted'::queue.river_job_state, 'discarded'::queue.river_job_state])))))\n"      \
    "constraint|queue.river_job|kind_length|CHECK (((char_length(kind) > 0) AND (char" \
    "_length(kind) < 128)))\n"                                                         \
    "constraint|queue.river_job|max_attempts_is_positive|CHECK ((max_attempts > 0))\n" \
    "constraint|queue.river_job|priority_in_range|CHECK (((priority >= 1) AND (priori" \
    "ty <= 4)))\n"                                                                     \
    "constraint|queue.river_job|queue_length|CHECK (((char_length(queue) > 0) AND (ch" \
    "ar_length(queue) < 128)))\n"                                                      \
    "constraint|queue.river_job|river_job_pkey|PRIMARY KEY (id)\n"                     \
    "constraint|queue.river_leader|leader_id_length|CHECK (((char_length(leader_id) >" \
    " 0) AND (char_length(leader_id) < 128)))\n"                                       \
    "constraint|queue.river_leader|name_length|CHECK ((name = 'default'::text))\n"     \
    "constraint|queue.river_leader|river_leader_pkey|PRIMARY KEY (name)\n"             \
    "constraint|queue.river_migration|line_length|CHECK (((char_length(line) > 0) AND" \
    " (char_length(line) < 128)))\n"                                                   \
    "constraint|queue.river_migration|river_migration_pkey1|PRIMARY KEY (line, versio" \
    "n)\n"                                                                             \
    "constraint|queue.river_migration|version_gte_1|CHECK ((version >= 1))\n"          \
    "constraint|queue.river_notification|river_notification_pkey|PRIMARY KEY (id)\n"   \
    "constraint|queue.river_notification|topic_length|CHECK (((length(topic) > 0) AND" \
    " (length(topic) < 128)))\n"                                                       \
    "constraint|queue.river_queue|river_queue_pkey|PRIMARY KEY (name)\n"               \
    "function|river_job_state_in_bitmask|bitmask bit, state queue.river_job_state|boo" \
    "lean|i|f|f|u|100|sql\n"                                                           \
    "index|CREATE INDEX river_job_args_index ON queue.river_job USING gin (args)\n"    \
    "index|CREATE INDEX river_job_kind ON queue.river_job USING btree (kind)\n"        \
    "index|CREATE INDEX river_job_metadata_index ON queue.river_job USING gin (metada" \
    "ta)\n"                                                                            \
    "index|CREATE INDEX river_job_prioritized_fetching_index ON queue.river_job USING" \
    " btree (state, queue, priority, scheduled_at, id)\n"                              \
    "index|CREATE INDEX river_job_state_and_finalized_at_index ON queue.river_job USI" \
    "NG btree (state, finalized_at) WHERE (finalized_at IS NOT NULL)\n"                \
    "index|CREATE INDEX river_notification_created_at_idx ON queue.river_notification" \
    " USING btree (created_at)\n"                                                      \
    "index|CREATE INDEX river_notification_topic_id_idx ON queue.river_notification U" \
    "SING btree (topic, id)\n"                                                         \
    "index|CREATE UNIQUE INDEX river_job_pkey ON queue.river_job USING btree (id)\n"   \
    "index|CREATE UNIQUE INDEX river_job_unique_idx ON queue.river_job USING btree (u" \
    "nique_key) WHERE ((unique_key IS NOT NULL) AND (unique_states IS NOT NULL) AND q" \
    "ueue.river_job_state_in_bitmask(unique_states, state))\n"                         \
    "index|CREATE UNIQUE INDEX river_leader_pkey ON queue.river_leader USING btree (n" \
    "ame)\n"                                                                           \
    "index|CREATE UNIQUE INDEX river_migration_pkey1 ON queue.river_migration USING b" \
    "tree (line, version)\n"                                                           \
    "index|CREATE UNIQUE INDEX river_notification_pkey ON queue.river_notification US" \
    "ING btree (id)\n"                                                                 \
    "index|CREATE UNIQUE INDEX river_queue_pkey ON queue.river_queue USING btree (nam" \
    "e)\n"                                                                             \
    "label|river_job_state|01|available\n"                                             \
    "label|river_job_state|02|cancelled\n"                                             \
    "label|river_job_state|03|completed\n"                                             \
    "label|river_job_state|04|discarded\n"                                             \
    "label|river_job_state|05|pending\n"                                               \
    "label|river_job_state|06|retryable\n"                                             \
    "label|river_job_state|07|running\n"                                               \
    "label|river_job_state|08|scheduled\n"                                             \
    "relation|river_job_args_index|i|p\n"                                              \
    "relation|river_job_id_seq|S|p\n"                                                  \
    "relation|river_job_kind|i|p\n"                                                    \
    "relation|river_job_metadata_index|i|p\n"                                          \
    "relation|river_job_pkey|i|p\n"                                                    \
    "relation|river_job_prioritized_fetching_index|i|p\n"                              \
    "relation|river_job_state_and_finalized_at_index|i|p\n"                            \
    "relation|river_job_unique_idx|i|p\n"                                              \
    "relation|river_job|r|p\n"                                                         \
    "relation|river_leader_pkey|i|u\n"                                                 \
    "relation|river_leader|r|u\n"                                                      \
    "relation|river_migration_pkey1|i|p\n"                                             \
    "relation|river_migration|r|p\n"                                                   \
    "relation|river_notification_created_at_idx|i|p\n"                                 \
    "relation|river_notification_id_seq|S|p\n"                                         \
    "relation|river_notification_pkey|i|p\n"                                           \
    "relation|river_notification_topic_id_idx|i|p\n"                                   \
    "relation|river_notification|r|p\n"                                                \
    "relation|river_queue_pkey|i|p\n"                                                  \
    "relation|river_queue|r|p"
/* clang-format on */

#endif
