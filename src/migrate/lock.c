/* Takes and watches the advisory locks. They belong to server sessions, so a connection pooler that
 * hands out another session per transaction would lose them: that is found out and refused. A
 * session ends later than its client: that of a killed migrator first finishes its statement. So
 * the session that runs statements holds a lock of its own beside that of Atlas, and nobody begins
 * before it is gone. One thread per connection. */
#include "base/prelude.h"

#include "migrate/lock.h"

#include "pgc/auto.h"

#define PAUSE_MIN_US INT64_C(25000)   /* the first pause is up to twice that */
#define PAUSE_MAX_US INT64_C(1000000) /* later ones grow to up to twice that */

static const pgc_type_ref KEY[] = { { "key", "bigint", 20 } };
static const pgc_type_ref DONE[] = { { "done", "boolean", 16 } };
static const pgc_type_ref PID[] = { { "pid", "integer", 23 } };

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
#define GRANTED                                                                          \
    "FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 " \
    "AND database = (SELECT oid FROM pg_catalog.pg_database "                            \
    "WHERE datname = pg_catalog.current_database()) "                                    \
    "AND classid::bigint << 32 | objid::bigint = $1"

static const pgc_query HOLDS_LOCK = {
    .name = "MigrateHoldsLock",
    .sql = "SELECT EXISTS (SELECT " GRANTED " AND pid = pg_catalog.pg_backend_pid())",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 1,
    .params = KEY,
    .columns = DONE,
};

/* Who it is: 0 when it has ended by now. */
static const pgc_query HOLDER = {
    .name = "MigrateLockHolder",
    .sql = "SELECT coalesce((SELECT pid " GRANTED " LIMIT 1), 0)",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 1,
    .params = KEY,
    .columns = PID,
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

/* All queries take the key. */
static pgc_status send(pgc_conn *conn, const pgc_query *query, const char *lock, pgc_result **out,
                       pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, migrate_lock_key(lock));
    pgc_status status = pgc_db_run(pgc_conn_db(conn), query, &args, out, err);
    pgc_args_done(&args);
    return status == PGC_OK ? status : pgc_error_wrap(err, status, "acquiring database lock");
}

static pgc_status ask(pgc_conn *conn, const pgc_query *query, const char *lock, bool *out,
                      pgc_error *err)
{
    AUTO(rows_auto) pgc_result *result = NULL;
    pgc_reader reader;
    TRY(send(conn, query, lock, &result, err));
    pgc_reader_init(&reader, result, query);
    bool answer = pgc_read_bool(&reader, 0, 0);
    TRY(pgc_reader_finish(&reader, err));
    *out = answer;
    return PGC_OK;
}

/* Its client is gone or has lost the other session; it still works. */
static pgc_status refuse_session(pgc_conn *conn, pgc_error *err)
{
    AUTO(rows_auto) pgc_result *result = NULL;
    pgc_reader reader;
    TRY(send(conn, &HOLDER, MIGRATE_LOCK_SESSION, &result, err));
    pgc_reader_init(&reader, result, &HOLDER);
    int32_t pid = pgc_read_i32(&reader, 0, 0);
    TRY(pgc_reader_finish(&reader, err));
    (void) pgc_error_set(err, PGC_TIMEOUT,
                         "acquiring database lock: server process %" PRId32
                         " still runs a statement of an earlier migration",
                         pid);
    pgc_error_hint(err,
                   "wait for its end, raise --lock-timeout, or end it: "
                   "SELECT pg_terminate_backend(%" PRId32 ")",
                   pid);
    return PGC_TIMEOUT;
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

static pgc_status refuse(pgc_conn *conn, const char *lock, pgc_error *err)
{
    if (strcmp(lock, MIGRATE_LOCK_SESSION) == 0) {
        return refuse_session(conn, err);
    }
    (void) pgc_error_set(err, PGC_TIMEOUT,
                         "acquiring database lock: lock is held by other session");
    pgc_error_hint(err, "another migration is running; wait for it or raise --lock-timeout");
    return PGC_TIMEOUT;
}

static pgc_status check(pgc_conn *conn, const char *lock, pgc_error *err)
{
    bool held = false;
    TRY(ask(conn, &HOLDS_LOCK, lock, &held, err));
    if (held) {
        return PGC_OK;
    }
    (void) pgc_error_set(err, PGC_UNSUPPORTED,
                         "acquiring database lock: the session that took the lock is gone");
    pgc_error_hint(err, "connect to the server itself, not through a pooler in transaction mode");
    return PGC_UNSUPPORTED;
}

/* After the lock was granted it is looked for once more: behind a pooler that second query may
 * reach another session, and then the lock protects nothing. */
static pgc_status take(const env *e, pgc_conn *conn, const char *lock, int64_t until_us,
                       pgc_error *err)
{
    const clock_ops *clock_now = e->clock;
    int64_t pause_us = PAUSE_MIN_US;
    for (;;) {
        bool locked = false;
        TRY(ask(conn, &TRY_LOCK, lock, &locked, err));
        if (locked) {
            return check(conn, lock, err);
        }
        if (clock_now->mono_us(clock_now->ctx) >= until_us) {
            return refuse(conn, lock, err);
        }
        pause_about(clock_now, pause_us);
        pause_us = pause_us * 2 > PAUSE_MAX_US ? PAUSE_MAX_US : pause_us * 2;
    }
}

/* Closing the session would do it as well; this makes it free at once. */
static void give_back(pgc_conn *conn, const char *lock)
{
    bool released = false;
    if (conn != NULL && pgc_conn_alive(conn)) {
        (void) ask(conn, &UNLOCK, lock, &released, NULL);
    }
}

/* Atlas' lock first: who has it is alone in waiting for the session of a dead migrator. */
pgc_status migrate_lock_acquire(const env *e, const migrate_lock_conns *conns, int64_t wait_us,
                                pgc_error *err)
{
    int64_t until_us = e->clock->mono_us(e->clock->ctx) + wait_us;
    assert(wait_us >= 0);
    assert(conns->lock != conns->work);
    TRY(take(e, conns->lock, MIGRATE_LOCK_EXECUTE, until_us, err));
    pgc_status status = take(e, conns->work, MIGRATE_LOCK_SESSION, until_us, err);
    if (status != PGC_OK) {
        give_back(conns->lock, MIGRATE_LOCK_EXECUTE);
    }
    return status;
}

/* Asked before every file, not before every statement: a statement may take hours anyway. Of the
 * session's own lock nothing is asked: a statement of the files may have dropped it. */
pgc_status migrate_lock_check(pgc_conn *conn, pgc_error *err)
{
    return check(conn, MIGRATE_LOCK_EXECUTE, err);
}

void migrate_lock_release(const migrate_lock_conns *conns)
{
    give_back(conns->work, MIGRATE_LOCK_SESSION);
    give_back(conns->lock, MIGRATE_LOCK_EXECUTE);
}
