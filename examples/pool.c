/* Eight threads on a pool of three connections. Every call borrows a connection for its own
 * duration; who waits longest is served first.
 *
 *     cc pool.c $(pkg-config --cflags --libs pgc) -pthread -o pool */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>

enum { THREADS = 8, CALLS = 25 };

static const pgc_type_ref SQUARE_PARAMS[] = { { "n", "bigint", 20 } };
static const pgc_type_ref SQUARE_COLUMNS[] = { { "square", "bigint", 20 } };
static const pgc_query SQUARE = {
    .name = "Square",
    .sql = "SELECT $1::bigint * $1::bigint AS square",
    .hash = 0x59ace,
    .param_count = 1,
    .column_count = 1,
    .params = SQUARE_PARAMS,
    .columns = SQUARE_COLUMNS,
    .row_size = sizeof(int64_t),
};

/* Takes any pgc_db: of a pool, a connection, a transaction. Generated functions look like this. */
static pgc_status square(pgc_db *db, int64_t n, int64_t *out, pgc_error *err)
{
    pgc_args args;
    pgc_result *result = NULL;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, n);
    pgc_status status = pgc_db_run(db, &SQUARE, &args, &result, err);
    pgc_args_done(&args);
    if (status != PGC_OK) {
        return status;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, &SQUARE);
    int64_t value = pgc_read_i64(&reader, 0, 0);
    status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    if (status == PGC_OK) {
        *out = value;
    }
    return status;
}

typedef struct worker {
    pgc_pool *pool;
    int64_t first, sum;
    pgc_status status;
    pgc_error err; /* each thread has its own: no hidden "last error" */
} worker;

static void *work(void *arg)
{
    worker *me = arg;
    for (int64_t n = me->first; n < me->first + CALLS && me->status == PGC_OK; n++) {
        int64_t value = 0;
        me->status = square(pgc_pool_db(me->pool), n, &value, &me->err);
        me->sum += value;
    }
    return NULL;
}

static pgc_status run_all(pgc_pool *pool, int64_t *sum, pgc_error *err)
{
    worker workers[THREADS];
    pthread_t threads[THREADS];
    int started = 0;
    pgc_status status = PGC_OK;
    for (; started < THREADS; started++) {
        workers[started] = (worker) { .pool = pool, .first = (int64_t) started * CALLS };
        if (pthread_create(&threads[started], NULL, work, &workers[started]) != 0) {
            status = pgc_error_set(err, PGC_LIMIT, "no thread number %d", started);
            break;
        }
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        *sum += workers[i].sum;
        if (workers[i].status != PGC_OK && status == PGC_OK) {
            status = workers[i].status;
            *err = workers[i].err;
        }
    }
    return status;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : getenv("DATABASE_URL");
    const pgc_pool_options options = {
        .struct_size = sizeof options,
        .conn = { .struct_size = sizeof options.conn, .conninfo = url },
        .max_conns = 3,
        .acquire_timeout_us = 5000000, /* a full pool is an error in time, never an outage */
    };
    pgc_error err;
    pgc_pool *pool = NULL;
    int64_t sum = 0;
    pgc_status status = pgc_pool_open(&options, &pool, &err);
    if (status == PGC_OK) {
        status = run_all(pool, &sum, &err);
    }
    if (status == PGC_OK) {
        pgc_pool_stats stats;
        pgc_pool_get_stats(pool, &stats);
        printf("sum %lld from %lld calls on at most %d connections\n", (long long) sum,
               (long long) stats.acquire_count, 3);
    } else {
        fprintf(stderr, "pool: %s\n", err.message);
    }
    pgc_pool_close(pool);
    return status == PGC_OK ? 0 : 1;
}
