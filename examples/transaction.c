/* Money from one account to another, by several threads at once, serializable. The server refuses
 * what could not have happened one after the other; pgc_tx_run() then runs the whole function
 * again.
 *
 *     cc transaction.c $(pkg-config --cflags --libs pgc) -pthread -o transaction */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>

enum { THREADS = 4, TRANSFERS = 10, ATTEMPTS = 50 };

static const char SETUP[] = "CREATE TABLE account (id int PRIMARY KEY, amount bigint NOT NULL);"
                            "INSERT INTO account VALUES (1, 1000), (2, 1000)";
static const char CHECK[] =
    "DO $$ BEGIN ASSERT (SELECT amount FROM account WHERE id = 2) = 1220; END $$";

static const pgc_type_ref MOVE_PARAMS[] = { { "id", "integer", 23 }, { "amount", "bigint", 20 } };
static const pgc_query MOVE = {
    .name = "AddToAccount",
    .sql = "UPDATE account SET amount = amount + $2 WHERE id = $1",
    .hash = 0xadd,
    .param_count = 2,
    .params = MOVE_PARAMS,
};

static pgc_status move(pgc_db *db, int32_t id, int64_t amount, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, id);
    pgc_add_i64(&args, amount);
    pgc_status status = pgc_db_run(db, &MOVE, &args, NULL, err);
    pgc_args_done(&args);
    return status;
}

/* Runs inside a transaction, perhaps several times: it must have no effect outside of it. */
static pgc_status transfer(pgc_tx *tx, void *arg, pgc_error *err)
{
    int64_t amount = *(const int64_t *) arg;
    pgc_status status = move(pgc_tx_db(tx), 1, -amount, err);
    return status != PGC_OK ? status : move(pgc_tx_db(tx), 2, amount, err);
}

typedef struct worker {
    pgc_pool *pool;
    pgc_status status;
    pgc_error err;
} worker;

static void *work(void *arg)
{
    worker *me = arg;
    const pgc_tx_options serializable = { .struct_size = sizeof serializable,
                                          .isolation = PGC_SERIALIZABLE };
    for (int64_t amount = 1; amount <= TRANSFERS && me->status == PGC_OK; amount++) {
        me->status = pgc_tx_run(me->pool, &serializable, ATTEMPTS, transfer, &amount, &me->err);
    }
    return NULL;
}

/* Constant text, several statements, no parameters: for what no typed query is worth writing. */
static pgc_status script(pgc_pool *pool, const char *sql, pgc_error *err)
{
    pgc_conn *conn = NULL;
    pgc_status status = pgc_pool_acquire(pool, &conn, err);
    if (status == PGC_OK) {
        status = pgc_conn_script(conn, sql, 0, NULL, err);
        pgc_pool_release(pool, conn);
    }
    return status;
}

static pgc_status run_all(pgc_pool *pool, pgc_error *err)
{
    worker workers[THREADS];
    pthread_t threads[THREADS];
    int started = 0;
    while (started < THREADS) {
        workers[started] = (worker) { .pool = pool };
        if (pthread_create(&threads[started], NULL, work, &workers[started]) != 0) {
            break;
        }
        started++;
    }
    pgc_status status = started == THREADS ? PGC_OK : pgc_error_set(err, PGC_LIMIT, "no thread");
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
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
        .max_conns = THREADS,
    };
    pgc_error err;
    pgc_pool *pool = NULL;
    pgc_status status = pgc_pool_open(&options, &pool, &err);
    if (status == PGC_OK && (status = script(pool, SETUP, &err)) == PGC_OK) {
        status = run_all(pool, &err);
    }
    if (status == PGC_OK && (status = script(pool, CHECK, &err)) == PGC_OK) {
        printf("%d transfers, none lost and none done twice\n", THREADS * TRANSFERS);
    } else {
        fprintf(stderr, "transaction: %s%s\n", err.message, err.retry ? " (try again)" : "");
    }
    pgc_pool_close(pool);
    return status == PGC_OK ? 0 : 1;
}
