/* Statements on the side tables. Threads: no state. */
#include "base/prelude.h"

#include "river/store_ext.h"

#include "river/store_run.h"

/* First value of the first row, an integer or a truth; *found false without rows. */
static pgc_status run_value(const river_store *store, pgc_db *db, river_statement which,
                            const pgc_args *args, int64_t *out, bool *found, pgc_error *err)
{
    const pgc_query *query = &store->queries[which];
    pgc_result *result = NULL;
    TRY(pgc_db_run(db, query, args, &result, err));
    pgc_reader reader;
    pgc_reader_init(&reader, result, query);
    bool any = pgc_result_rows(result) > 0;
    int64_t value = any ? pgc_read_i64(&reader, 0, 0) : 0;
    pgc_status status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    TRY(status);
    *found = any;
    *out = value;
    return PGC_OK;
}

pgc_status store_ext_ready(const river_store *store, pgc_db *db, bool *out, pgc_error *err)
{
    pgc_args args;
    int64_t tables = 0;
    bool found = false;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(store->schema));
    pgc_status status = run_value(store, db, ST_EXT_READY, &args, &tables, &found, err);
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "look for the job queue's side tables"));
    *out = found && tables == 3;
    return PGC_OK;
}

pgc_status store_ext_beat(const river_store *store, pgc_db *db, const char *id, int64_t lost_us,
                          bool fresh, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(id));
    pgc_add_i64(&args, lost_us);
    pgc_add_bool(&args, fresh);
    pgc_status status = store_run_count(store, db, ST_EXT_BEAT, &args, NULL, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "heartbeat of the job queue client %s", id);
}

pgc_status store_ext_leave(const river_store *store, pgc_db *db, const char *id, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(id));
    pgc_status status = store_run_count(store, db, ST_EXT_LEAVE, &args, NULL, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "end of the job queue client %s", id);
}

pgc_status store_ext_orphans(const river_store *store, pgc_db *db, int32_t max, river_jobs **out,
                             pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, max);
    pgc_status status = store_run_jobs(store, db, ST_EXT_ORPHANS, &args, out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "look for jobs of silent clients");
}

pgc_status store_ext_forget(const river_store *store, pgc_db *db, pgc_error *err)
{
    pgc_status status = store_run_count(store, db, ST_EXT_FORGET, NULL, NULL, err);
    return pgc_error_wrap(err, status, "forget silent clients");
}

pgc_status store_ext_lock(const river_store *store, pgc_db *db, const char *queue, pgc_error *err)
{
    pgc_args args;
    int64_t locked = 0;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(queue));
    pgc_status status = store_run_count(store, db, ST_EXT_LOCK, &args, &locked, err);
    if (status == PGC_OK && locked == 0) { /* the first fetch of this queue: an insert locks, too */
        status = store_run_count(store, db, ST_EXT_LIMIT_ROW, &args, NULL, err);
        if (status == PGC_OK) {
            status = store_run_count(store, db, ST_EXT_LOCK, &args, NULL, err);
        }
    }
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "take the turn of queue %s", queue);
}

pgc_status store_ext_room(const river_store *store, pgc_db *db, const char *queue,
                          const store_limits *limits, uint32_t max, uint32_t *out, pgc_error *err)
{
    pgc_args args;
    int64_t room = 0;
    bool found = false;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(queue));
    pgc_add_i64(&args, limits->running);
    pgc_add_i64(&args, limits->starts);
    pgc_add_i64(&args, limits->period_us);
    pgc_add_i64(&args, max);
    pgc_status status = run_value(store, db, ST_EXT_ROOM, &args, &room, &found, err);
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "limits of queue %s", queue));
    assert(room <= max);
    *out = found && room > 0 ? (uint32_t) room : 0;
    return PGC_OK;
}

pgc_status store_ext_started(const river_store *store, pgc_db *db, const char *queue,
                             int64_t period_us, size_t count, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(queue));
    pgc_add_i64(&args, period_us);
    pgc_add_i64(&args, (int64_t) count);
    pgc_status status = store_run_count(store, db, ST_EXT_STARTED, &args, NULL, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "limits of queue %s", queue);
}

pgc_status store_ext_plan(const river_store *store, pgc_db *db, const char *id,
                          pgc_timestamptz first, pgc_timestamptz *out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(id));
    pgc_add_timestamptz(&args, first);
    pgc_status status = store_run_time(store, db, ST_EXT_PLAN, &args, out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "next run of the periodic job %s", id);
}

pgc_status store_ext_advance(const river_store *store, pgc_db *db, const char *id,
                             pgc_timestamptz from, pgc_timestamptz to, pgc_error *err)
{
    pgc_args args;
    int64_t count = 0;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(id));
    pgc_add_timestamptz(&args, from);
    pgc_add_timestamptz(&args, to);
    pgc_status status = store_run_count(store, db, ST_EXT_ADVANCE, &args, &count, err);
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "next run of the periodic job %s", id));
    return count == 1 ? PGC_OK
                      : pgc_error_set(err, PGC_CONFLICT,
                                      "periodic job %s: another leader inserted it", id);
}
