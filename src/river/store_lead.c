/* Leadership and the batches of maintenance. Threads: no state. */
#include "base/prelude.h"

#include "river/store_run.h"

pgc_status store_lead_elect(const river_store *store, pgc_db *db, const char *id, int64_t ttl_us,
                            store_term *out, pgc_error *err)
{
    TRY(store_run_count(store, db, ST_LEAD_EXPIRE, NULL, NULL, err));
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(id));
    pgc_add_i64(&args, ttl_us);
    pgc_status status = store_run_time(store, db, ST_LEAD_ELECT, &args, &out->elected_at, err);
    pgc_args_done(&args);
    return status;
}

pgc_status store_lead_extend(const river_store *store, pgc_db *db, const char *id,
                             const store_term *term, int64_t ttl_us, pgc_error *err)
{
    pgc_args args;
    int64_t count = 0;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(id));
    pgc_add_i64(&args, ttl_us);
    pgc_add_timestamptz(&args, term->elected_at);
    pgc_status status = store_run_count(store, db, ST_LEAD_EXTEND, &args, &count, err);
    pgc_args_done(&args);
    TRY(status);
    return count == 1 ? PGC_OK : pgc_error_set(err, PGC_NOT_FOUND, "the term of %s has ended", id);
}

pgc_status store_lead_resign(const river_store *store, pgc_db *db, const char *id,
                             const store_term *term, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(store->schema));
    pgc_add_text(&args, pgc_text_from(id));
    pgc_add_timestamptz(&args, term->elected_at);
    pgc_status status = store_run_count(store, db, ST_LEAD_RESIGN, &args, NULL, err);
    pgc_args_done(&args);
    return status;
}

pgc_status store_clean_jobs(const river_store *store, pgc_db *db, const store_retention *keep,
                            int32_t max, int64_t *count_out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_opt_timestamptz(&args, keep->completed_before);
    pgc_add_opt_timestamptz(&args, keep->cancelled_before);
    pgc_add_opt_timestamptz(&args, keep->discarded_before);
    pgc_add_i64(&args, max);
    pgc_add_arr_text(&args,
                     (pgc_arr_text) { .has = true, .count = keep->queue_count, .v = keep->queues });
    pgc_add_bool(&args, keep->only_these);
    pgc_status status = store_run_count(store, db, ST_CLEAN_JOBS, &args, count_out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "delete old jobs");
}

pgc_status store_clean_queues(const river_store *store, pgc_db *db, pgc_timestamptz before,
                              int32_t max, int64_t *count_out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_timestamptz(&args, before);
    pgc_add_i64(&args, max);
    pgc_status status = store_run_count(store, db, ST_CLEAN_QUEUES, &args, count_out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "delete queues that nobody works");
}

pgc_status store_schedule(const river_store *store, pgc_db *db, pgc_timestamptz due, int32_t max,
                          river_jobs **out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_timestamptz(&args, due);
    pgc_add_i64(&args, max);
    pgc_status status = store_run_jobs(store, db, ST_SCHEDULE, &args, out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "make due jobs available");
}

pgc_status store_stuck(const river_store *store, pgc_db *db, pgc_timestamptz horizon, int64_t after,
                       int32_t max, river_jobs **out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_timestamptz(&args, horizon);
    pgc_add_i64(&args, after);
    pgc_add_i64(&args, max);
    pgc_status status = store_run_jobs(store, db, ST_STUCK, &args, out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "look for lost jobs");
}

pgc_status store_rescue(const river_store *store, pgc_db *db, pgc_timestamptz horizon,
                        const store_outcome *outcomes, size_t count, int64_t *count_out,
                        pgc_error *err)
{
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    if (memory == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "rescue jobs: out of memory");
    }
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_status status = store_add_outcomes(&args, outcomes, count, memory, err);
    pgc_add_timestamptz(&args, horizon);
    if (status == PGC_OK) {
        status = store_run_count(store, db, ST_RESCUE, &args, count_out, err);
    }
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "rescue %zu jobs", count);
}
