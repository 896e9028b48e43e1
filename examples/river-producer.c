/* Jobs that exist exactly when the rows do which make them necessary: an order and the job that
 * ships it are inserted in one transaction. Of two transactions, one rolls back: its job is gone,
 * too. A reminder is inserted for later, and only once however often it is asked for.
 *
 *     cc river-producer.c $(pkg-config --cflags --libs river) -o river-producer */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pgc/pgc.h>
#include <river/river.h>

static const char SETUP[] = "CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, "
                            "shipped int NOT NULL DEFAULT 0)";

static const pgc_type_ref ID_PARAM[] = { { "id", "bigint", 20 } };
static const pgc_query ORDER_INSERT = {
    .name = "OrderInsert",
    .sql = "INSERT INTO orders (id) VALUES ($1)",
    .hash = 0x0de1,
    .param_count = 1,
    .params = ID_PARAM,
};

typedef struct order {
    river_client *queue;
    int64_t id;
    int refused; /* what a check far down may find */
} order;

/* Runs inside a transaction, perhaps several times. */
static pgc_status place(pgc_tx *tx, void *arg, pgc_error *err)
{
    const order *o = arg;
    char json[64];
    const int len = snprintf(json, sizeof json, "{\"order_id\":%lld}", (long long) o->id);
    const river_insert job = { .struct_size = sizeof job,
                               .kind = "ship_order",
                               .queue = "shipping",
                               .args = { json, (size_t) len } };
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, o->id);
    pgc_status status = pgc_db_run(pgc_tx_db(tx), &ORDER_INSERT, &args, NULL, err);
    pgc_args_done(&args);
    if (status == PGC_OK) {
        status = river_insert_one(o->queue, pgc_tx_db(tx), &job, NULL, err);
    }
    if (status == PGC_OK && o->refused) {
        status = pgc_error_set(err, PGC_DENIED, "order %lld: no credit", (long long) o->id);
    }
    return status;
}

/* In an hour, at most one per order and queue; asked for twice here. */
static pgc_status remind(river_client *queue, int64_t id, pgc_error *err)
{
    char json[64];
    const int len = snprintf(json, sizeof json, "{\"order_id\":%lld}", (long long) id);
    const int64_t in_an_hour = ((int64_t) time(NULL) + 3600) * 1000000;
    const river_insert job = {
        .struct_size = sizeof job,
        .kind = "remind_customer",
        .args = { json, (size_t) len },
        .scheduled_at = { true, pgc_timestamptz_from_unix_us(in_an_hour) },
        .unique = { .by_args = true, .by_queue = true },
    };
    for (int i = 0; i < 2; i++) {
        river_jobs *jobs = NULL;
        pgc_status status = river_insert_one(queue, NULL, &job, &jobs, err);
        if (status != PGC_OK) {
            return status;
        }
        printf("reminder %s, %s\n", river_jobs_duplicate(jobs, 0) ? "was there" : "inserted",
               river_state_name(river_jobs_at(jobs, 0)->state));
        river_jobs_free(jobs);
    }
    return PGC_OK;
}

/* River's tables and ours, where they are missing. */
static pgc_status set_up(pgc_pool *pool, pgc_error *err)
{
    const river_migrate_options all = { .struct_size = sizeof all };
    pgc_conn *conn = NULL;
    pgc_status status = pgc_pool_acquire(pool, &conn, err);
    if (status != PGC_OK) {
        return status;
    }
    status = river_migrate(conn, RIVER_UP, &all, NULL, err);
    if (status == PGC_OK) {
        status = pgc_conn_script(conn, SETUP, 0, NULL, err);
    }
    pgc_pool_release(pool, conn);
    return status;
}

static pgc_status produce(pgc_pool *pool, pgc_error *err)
{
    const river_client_options options = { .struct_size = sizeof options, .pool = pool };
    river_client *queue = NULL;
    pgc_status status = river_client_open(&options, &queue, err);
    for (int64_t id = 1; id <= 6 && status == PGC_OK; id++) {
        order o = { .queue = queue, .id = id, .refused = id == 4 };
        status = pgc_tx_run(pool, NULL, 0, place, &o, err);
        if (status == PGC_DENIED) { /* neither the order nor its job exist */
            printf("refused: %s\n", err->message);
            status = PGC_OK;
        }
    }
    if (status == PGC_OK) {
        status = remind(queue, 1, err);
    }
    river_client_close(queue);
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
    if (status == PGC_OK && (status = set_up(pool, &err)) == PGC_OK) {
        status = produce(pool, &err);
    }
    pgc_pool_close(pool);
    if (status != PGC_OK) {
        fprintf(stderr, "river-producer: %s\n", err.message);
        return 1;
    }
    printf("libriver %s: 5 orders to be shipped\n", river_version());
    return 0;
}
