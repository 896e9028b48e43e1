/* A job that comes again and again, inserted by whichever client leads. Its next time is kept in
 * the database ("durable"): what was missed while no program ran is caught up once.
 *
 *     cc river-periodic.c $(pkg-config --cflags --libs river) -o river-periodic */
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>
#include <river/river.h>

enum { RUNS = 3 };

static pgc_status tidy(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    (void) arg;
    river_ctx_log(ctx, "run of job %lld", (long long) job->id); /* shown by River UI */
    return river_ctx_output(ctx, pgc_text_from("{\"deleted\":0}"), err);
}

static pgc_status migrate(const pgc_conn_options *options, pgc_error *err)
{
    const river_migrate_options all = { .struct_size = sizeof all };
    pgc_conn *conn = NULL;
    pgc_status status = pgc_conn_open(options, &conn, err);
    if (status == PGC_OK && (status = river_migrate(conn, RIVER_UP, &all, NULL, err)) == PGC_OK) {
        status = river_ext_migrate(conn, NULL, err); /* the side tables, for "durable" */
    }
    pgc_conn_close(conn);
    return status;
}

static pgc_status run(pgc_pool *pool, const pgc_conn_options *conn, pgc_error *err)
{
    const river_worker worker = { .struct_size = sizeof worker, .kind = "tidy", .work = tidy };
    const river_queue_options queue = { .struct_size = sizeof queue,
                                        .name = RIVER_QUEUE_DEFAULT,
                                        .max_workers = 1 };
    const river_insert job = { .struct_size = sizeof job, .kind = "tidy" };
    const river_periodic periodics[] = {
        { .struct_size = sizeof periodics[0],
          .id = "tidy",
          .interval_us = 200000,
          .job = &job,
          .run_on_start = true,
          .durable = true },
        { .struct_size = sizeof periodics[0],
          .id = "tidy_at_night",
          .cron = "30 3 * * *",
          .time_zone = "Europe/Lisbon",
          .job = &job },
    };
    const river_client_options options = { .struct_size = sizeof options,
                                           .pool = pool,
                                           .conn = conn,
                                           .queues = &queue,
                                           .queue_count = 1,
                                           .workers = &worker,
                                           .worker_count = 1,
                                           .periodics = periodics,
                                           .periodic_count = 2 };
    river_client *client = NULL;
    river_subscription *events = NULL;
    pgc_status status = river_client_open(&options, &client, err);
    if (status == PGC_OK) {
        status = river_subscribe(client, RIVER_EVENT_COMPLETED, 0, &events, err);
    }
    if (status == PGC_OK) {
        status = river_client_start(client, err);
    }
    for (int i = 1; i <= RUNS && status == PGC_OK; i++) {
        river_event *event = NULL;
        status = river_subscription_next(events, 30000000, &event);
        if (status == PGC_OK) {
            printf("run %d: %s\n", i, river_state_name(river_jobs_at(event->jobs, 0)->state));
            river_event_free(event);
        } else {
            pgc_error_set(err, status, "no job came");
        }
    }
    river_unsubscribe(events);
    river_client_close(client);
    return status;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : getenv("DATABASE_URL");
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .struct_size = sizeof options.conn,
                                                 .conninfo = url },
                                       .max_conns = 4 };
    pgc_error err;
    pgc_pool *pool = NULL;
    pgc_status status = pgc_pool_open(&options, &pool, &err);
    if (status == PGC_OK && (status = migrate(&options.conn, &err)) == PGC_OK) {
        status = run(pool, &options.conn, &err);
    }
    pgc_pool_close(pool);
    if (status != PGC_OK) {
        fprintf(stderr, "river-periodic: %s\n", err.message);
        return 1;
    }
    return 0;
}
