/* Inserting rows: one statement with an array per column, or COPY. Threads: no state. */
#include "base/prelude.h"

#include "river/store_run.h"

#include "base/buf.h"
#include "base/sha256.h"

typedef struct insert_columns {
    slice *args, *kinds, *metadata, *queues, *states, *tags, *keys;
    int16_t *max_attempts, *priorities;
    pgc_timestamptz *scheduled;
    uint8_t *scheduled_nulls;
    int32_t *unique_states;
} insert_columns;

static bool columns_make(insert_columns *to, size_t count, arena *memory)
{
    *to = (insert_columns) {
        .args = ARENA_ARRAY(memory, count, slice),
        .kinds = ARENA_ARRAY(memory, count, slice),
        .metadata = ARENA_ARRAY(memory, count, slice),
        .queues = ARENA_ARRAY(memory, count, slice),
        .states = ARENA_ARRAY(memory, count, slice),
        .tags = ARENA_ARRAY(memory, count, slice),
        .keys = ARENA_ARRAY(memory, count, slice),
        .max_attempts = ARENA_ARRAY(memory, count, int16_t),
        .priorities = ARENA_ARRAY(memory, count, int16_t),
        .scheduled = ARENA_ARRAY(memory, count, pgc_timestamptz),
        .scheduled_nulls = ARENA_ARRAY(memory, count, uint8_t),
        .unique_states = ARENA_ARRAY(memory, count, int32_t),
    };
    return to->args && to->kinds && to->metadata && to->queues && to->states && to->tags &&
           to->keys && to->max_attempts && to->priorities && to->scheduled && to->scheduled_nulls &&
           to->unique_states;
}

/* Tags with commas between: a tag has none. */
static bool join_tags(const river_insert *job, arena *memory, slice *out)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, INT32_MAX);
    for (size_t i = 0; i < job->tag_count; i++) {
        if (i > 0) {
            buf_add_char(&text, ',');
        }
        buf_add_str(&text, job->tags[i]);
    }
    const char *copy = text.failed ? NULL : arena_copy(memory, buf_view(&text));
    *out = (slice) { copy, text.len };
    return copy != NULL;
}

static bool columns_fill(insert_columns *to, size_t i, const store_row *row, arena *memory)
{
    const river_insert *job = row->job;
    to->args[i] = job->args.ptr == NULL ? SLICE("{}") : job->args;
    to->kinds[i] = pgc_text_from(job->kind);
    to->max_attempts[i] = job->max_attempts;
    to->metadata[i] = job->metadata.ptr == NULL ? SLICE("{}") : job->metadata;
    to->priorities[i] = job->priority == 0 ? RIVER_PRIORITY_DEFAULT : job->priority;
    to->queues[i] = pgc_text_from(job->queue == NULL ? RIVER_QUEUE_DEFAULT : job->queue);
    to->scheduled[i] = job->scheduled_at.v;
    to->scheduled_nulls[i] = !job->scheduled_at.has;
    to->states[i] = pgc_text_from(river_state_name(row->state));
    to->keys[i] = SLICE("");
    if (row->unique) {
        char *hex = arena_take(memory, SHA256_HEX_SIZE);
        if (hex == NULL) {
            return false;
        }
        sha256_hex(row->unique_key, hex);
        to->keys[i] = (slice) { hex, SHA256_HEX_SIZE - 1 };
        to->unique_states[i] = row->unique_states;
    }
    return join_tags(job, memory, &to->tags[i]);
}

static void add_columns(pgc_args *args, const insert_columns *from, size_t count)
{
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = from->args });
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = from->kinds });
    pgc_add_arr_i16(args, (pgc_arr_i16) { .has = true, .count = count, .v = from->max_attempts });
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = from->metadata });
    pgc_add_arr_i16(args, (pgc_arr_i16) { .has = true, .count = count, .v = from->priorities });
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = from->queues });
    pgc_add_arr_timestamptz(args, (pgc_arr_timestamptz) { .has = true,
                                                          .count = count,
                                                          .v = from->scheduled,
                                                          .nulls = from->scheduled_nulls });
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = from->states });
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = from->tags });
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = from->keys });
    pgc_add_arr_i32(args, (pgc_arr_i32) { .has = true, .count = count, .v = from->unique_states });
}

pgc_status store_insert(const river_store *store, pgc_db *db, const store_row *rows, size_t count,
                        river_jobs **out, pgc_error *err)
{
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    insert_columns columns;
    bool made = memory != NULL && columns_make(&columns, count, memory);
    for (size_t i = 0; made && i < count; i++) {
        made = columns_fill(&columns, i, &rows[i], memory);
    }
    if (!made) {
        return pgc_error_set(err, PGC_NOMEM, "insert jobs: out of memory");
    }
    pgc_args args;
    river_jobs *jobs = NULL;
    pgc_args_init(&args, NULL);
    add_columns(&args, &columns, count);
    pgc_status status = store_run_jobs(store, db, ST_INSERT, &args, &jobs, err);
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "insert %zu jobs", count));
    if (river_jobs_count(jobs) != count) {
        river_jobs_free(jobs);
        return pgc_error_set(err, PGC_PROTOCOL, "insert %zu jobs: another number came back", count);
    }
    *out = jobs;
    return PGC_OK;
}

pgc_status store_notify(const river_store *store, pgc_db *db, const char *topic,
                        const pgc_text *payloads, size_t count, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(store->schema));
    pgc_add_text(&args, pgc_text_from(topic));
    pgc_add_arr_text(&args, (pgc_arr_text) { .has = true, .count = count, .v = payloads });
    pgc_status status = store_run_count(store, db, ST_NOTIFY, &args, NULL, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "notify %s", topic);
}
