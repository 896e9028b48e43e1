/* Takes and watches the advisory lock. It belongs to one server session, so a connection pooler
 * that hands out another session per transaction would lose it: that is found out and refused. One
 * thread per connection. */
#include "base/prelude.h"

#include "migrate/lock.h"

#define PAUSE_MIN_US INT64_C(25000)   /* the first pause is up to twice that */
#define PAUSE_MAX_US INT64_C(1000000) /* later ones grow to up to twice that */

static const pgc_type_ref KEY[] = { { "key", "bigint", 20 } };
static const pgc_type_ref DONE[] = { { "done", "boolean", 16 } };

static const pgc_query TRY_LOCK = {
    .name = "MigrateTryLock",
    .sql = "SELECT pg_catalog.pg_try_advisory_lock($1)",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 1,
    .params = KEY,
    .columns = DONE,
};

/* The server shows a bigint key as two halves, with objsubid 1; locks of other databases of the
 * cluster with the same key are not ours. */
static const pgc_query HOLDS_LOCK = {
    .name = "MigrateHoldsLock",
    .sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' "
           "AND pid = pg_catalog.pg_backend_pid() AND granted AND objsubid = 1 "
           "AND database = (SELECT oid FROM pg_catalog.pg_database "
           "WHERE datname = pg_catalog.current_database()) "
           "AND classid::bigint << 32 | objid::bigint = $1)",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 1,
    .params = KEY,
    .columns = DONE,
};

static const pgc_query UNLOCK = {
    .name = "MigrateUnlock",
    .sql = "SELECT pg_catalog.pg_advisory_unlock($1)",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 1,
    .params = KEY,
    .columns = DONE,
};

/* FNV-1 multiplies first and then mixes the byte in; FNV-1a would give other keys. */
int64_t migrate_lock_key(const char *name)
{
    uint32_t hash = UINT32_C(2166136261);
    for (; *name != '\0'; name++) {
        hash *= UINT32_C(16777619);
        hash ^= (unsigned char) *name;
    }
    return hash;
}

/* All three queries take the key and answer with one boolean. */
static pgc_status ask(pgc_conn *conn, const pgc_query *query, bool *out, pgc_error *err)
{
    pgc_args args;
    pgc_result *result = NULL;
    pgc_reader reader;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, migrate_lock_key(MIGRATE_LOCK_EXECUTE));
    pgc_status status = pgc_db_run(pgc_conn_db(conn), query, &args, &result, err);
    pgc_args_done(&args);
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "acquiring database lock");
    }
    pgc_reader_init(&reader, result, query);
    bool answer = pgc_read_bool(&reader, 0, 0);
    status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    if (status == PGC_OK) {
        *out = answer;
    }
    return status;
}

/* Between pause and twice that, at random so that waiting migrators spread out. */
static void pause_about(const clock_ops *clock_now, int64_t pause_us)
{
    uint32_t random = 0; /* without randomness the pauses are simply equal */
    assert(pause_us > 0);
    assert(pause_us <= PAUSE_MAX_US);
    (void) clock_now->random(clock_now->ctx, &random, sizeof random);
    clock_now->sleep_us(clock_now->ctx, pause_us + (int64_t) (random % (uint32_t) pause_us));
}

/* After the lock was granted it is looked for once more: behind a pooler that second query may
 * reach another session, and then the lock protects nothing. */
pgc_status migrate_lock_acquire(const env *e, pgc_conn *conn, int64_t wait_us, pgc_error *err)
{
    const clock_ops *clock_now = e->clock;
    int64_t start_us = clock_now->mono_us(clock_now->ctx);
    int64_t pause_us = PAUSE_MIN_US;
    for (;;) {
        bool locked = false;
        TRY(ask(conn, &TRY_LOCK, &locked, err));
        if (locked) {
            return migrate_lock_check(conn, err);
        }
        if (clock_now->mono_us(clock_now->ctx) - start_us >= wait_us) {
            (void) pgc_error_set(err, PGC_TIMEOUT,
                                 "acquiring database lock: lock is held by other session");
            pgc_error_hint(err, "another migration is running; wait for it or raise "
                                "--lock-timeout");
            return PGC_TIMEOUT;
        }
        pause_about(clock_now, pause_us);
        pause_us = pause_us * 2 > PAUSE_MAX_US ? PAUSE_MAX_US : pause_us * 2;
    }
}

/* Asked before every file, not before every statement: a statement may take hours anyway. */
pgc_status migrate_lock_check(pgc_conn *conn, pgc_error *err)
{
    bool held = false;
    TRY(ask(conn, &HOLDS_LOCK, &held, err));
    if (held) {
        return PGC_OK;
    }
    (void) pgc_error_set(err, PGC_UNSUPPORTED,
                         "acquiring database lock: the session that took the lock is gone");
    pgc_error_hint(err, "connect to the server itself, not through a pooler in transaction mode");
    return PGC_UNSUPPORTED;
}

/* Closing the session would do it as well; this makes it free at once. */
void migrate_lock_release(pgc_conn *conn)
{
    bool released = false;
    if (conn != NULL && pgc_conn_alive(conn)) {
        (void) ask(conn, &UNLOCK, &released, NULL);
    }
}
