/* Transactions and scopes against a real server. */
#include "base/prelude.h"

#include <pgc/tx.h>

#include "pgc/auto.h"
#include "pgc/connection.h"

#include "live.h"
#include "tap.h"

static pgc_pool *open_pool(uint32_t max_conns)
{
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = live_options(),
                                       .max_conns = max_conns,
                                       .min_conns = 1 };
    pgc_error err;
    pgc_pool *pool = NULL;
    if (pgc_pool_open(&options, &pool, &err) != PGC_OK) {
        printf("# %s\n", err.message);
    }
    return pool;
}

#define LIVE_POOL(name, max)                         \
    REQUIRE(live_url() != NULL);                     \
    AUTO(pool_auto) pgc_pool *name = open_pool(max); \
    REQUIRE(name != NULL)

/* First text cell of a query, or what went wrong. */
static const char *text_of(pgc_db *db, const char *sql, char *text, size_t text_size)
{
    static const pgc_type_ref columns[] = { { "x", "text", 25 } };
    const pgc_query query = { .name = "text",
                              .sql = sql,
                              .flags = PGC_QUERY_UNNAMED,
                              .column_count = 1,
                              .columns = columns };
    pgc_error err;
    pgc_result *result = NULL;
    if (pgc_db_run(db, &query, NULL, &result, &err) != PGC_OK) {
        printf("# %s\n", err.message);
        (void) snprintf(text, text_size, "error %s", err.sqlstate);
        return text;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, &query);
    pgc_text cell = { NULL, 0 };
    if (pgc_result_rows(result) > 0) {
        cell = pgc_read_opt_text(&reader, 0, 0);
    }
    (void) snprintf(text, text_size, "%.*s", (int) cell.len, cell.ptr == NULL ? "" : cell.ptr);
    pgc_result_free(result);
    return text;
}

static pgc_status do_sql(pgc_db *db, const char *sql, pgc_error *err)
{
    const pgc_query query = { .name = "do", .sql = sql, .flags = PGC_QUERY_UNNAMED };
    return pgc_db_run(db, &query, NULL, NULL, err);
}

static void commits_and_rolls_back(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int)"));
    pgc_error err;
    pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_OPEN);
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "INSERT INTO t VALUES (1)", &err), PGC_OK, &err);
    REQUIRE_OK(pgc_tx_commit(&tx, &err), &err);
    CHECK(tx == NULL);
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "INSERT INTO t VALUES (2)", &err), PGC_OK, &err);
    pgc_tx_rollback(tx);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_IDLE);
    char text[64];
    CHECK_STR(live_text(conn, "SELECT string_agg(x::text, ',') FROM t", text, sizeof text), "1");
}

static void options_reach_the_server(void)
{
    LIVE(conn);
    const pgc_setting settings[] = { { "app.user_id", "7; DROP TABLE x" }, { "app.role", "" } };
    const pgc_tx_options options = { .struct_size = sizeof options,
                                     .isolation = PGC_SERIALIZABLE,
                                     .read_only = true,
                                     .deferrable = true,
                                     .settings = settings,
                                     .setting_count = 2 };
    pgc_error err;
    pgc_tx *tx = NULL;
    char text[100];
    REQUIRE_OK(pgc_tx_begin_conn(conn, &options, &tx, &err), &err);
    CHECK_STR(text_of(pgc_tx_db(tx),
                      "SELECT current_setting('transaction_isolation') || ' ' ||"
                      " current_setting('transaction_read_only') || ' ' ||"
                      " current_setting('transaction_deferrable') || ' ' ||"
                      " current_setting('app.user_id')",
                      text, sizeof text),
              "serializable on on 7; DROP TABLE x");
    REQUIRE_OK(pgc_tx_commit(&tx, &err), &err);
    CHECK_STR(live_text(conn, "SELECT current_setting('app.user_id', true)", text, sizeof text),
              "");
}

static void a_bad_setting_leaves_no_transaction(void)
{
    LIVE(conn);
    const pgc_setting settings[] = { { "work_mem", "plenty" } };
    const pgc_tx_options options = { .struct_size = sizeof options,
                                     .settings = settings,
                                     .setting_count = 1 };
    pgc_error err;
    pgc_tx *tx = NULL;
    CHECK_STATUS(pgc_tx_begin_conn(conn, &options, &tx, &err), PGC_INVALID, &err);
    CHECK(tx == NULL);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_IDLE);
    CHECK(pgc_conn_alive(conn));
    const pgc_tx_options wrong = { .struct_size = sizeof wrong, .setting_count = 1 };
    CHECK_STATUS(pgc_tx_begin_conn(conn, &wrong, &tx, &err), PGC_INVALID, &err);
}

static void nested_scopes_undo_only_themselves(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int)"));
    pgc_error err;
    pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    for (int i = 0; i < 4; i++) {
        pgc_tx *inner = NULL;
        pgc_tx *innermost = NULL;
        REQUIRE_OK(pgc_tx_nest(tx, &inner, &err), &err);
        CHECK_STATUS(do_sql(pgc_tx_db(inner), "INSERT INTO t VALUES (1)", &err), PGC_OK, &err);
        CHECK_STATUS(do_sql(pgc_tx_db(tx), "SELECT 1", &err), PGC_INVALID, &err);
        REQUIRE_OK(pgc_tx_nest(inner, &innermost, &err), &err);
        CHECK_STATUS(do_sql(pgc_tx_db(innermost), "INSERT INTO t VALUES (10)", &err), PGC_OK, &err);
        if (i % 2 == 0) {
            CHECK_STATUS(do_sql(pgc_tx_db(innermost), "SELECT oops", &err), PGC_DB, &err);
            pgc_tx_rollback(innermost);
        } else {
            REQUIRE_OK(pgc_tx_commit(&innermost, &err), &err);
        }
        REQUIRE_OK(pgc_tx_commit(&inner, &err), &err);
    }
    REQUIRE_OK(pgc_tx_commit(&tx, &err), &err);
    char text[64];
    CHECK_STR(live_text(conn, "SELECT sum(x) FROM t", text, sizeof text), "24");
}

static void commit_after_a_failure_says_rolled_back(void)
{
    LIVE(conn);
    pgc_error err;
    pgc_tx *tx = NULL;
    pgc_tx *inner = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    REQUIRE_OK(pgc_tx_nest(tx, &inner, &err), &err);
    CHECK_STATUS(do_sql(pgc_tx_db(inner), "SELECT oops", &err), PGC_DB, &err);
    CHECK_STATUS(pgc_tx_commit(&inner, &err), PGC_CONFLICT, &err);
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "SELECT 1", &err), PGC_OK, &err);
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "SELECT oops", &err), PGC_DB, &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_CONFLICT, &err);
    CHECK(strstr(err.message, "rolled back") != NULL);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_IDLE);
    CHECK(pgc_conn_alive(conn));
}

static void a_deferred_constraint_fails_the_commit(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE p (x int PRIMARY KEY); CREATE TEMP TABLE c (x int"
                          " CONSTRAINT c_p REFERENCES p DEFERRABLE INITIALLY DEFERRED)"));
    pgc_error err;
    pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "INSERT INTO c VALUES (1)", &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_CONFLICT, &err);
    CHECK_STR(err.sqlstate, "23503");
    CHECK_STR(err.constraint, "c_p");
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_IDLE);
    /* Without BEGIN the failure comes at the sync, after the query has reported success. */
    CHECK_STATUS(do_sql(pgc_conn_db(conn), "INSERT INTO c VALUES (1)", &err), PGC_CONFLICT, &err);
    CHECK_STR(err.sqlstate, "23503");
    CHECK(pgc_conn_alive(conn));
}

static void the_parent_may_end_first(void)
{
    LIVE_POOL(pool, 1);
    pgc_error err;
    pgc_tx *tx = NULL;
    pgc_tx *inner = NULL;
    REQUIRE_OK(pgc_tx_begin(pool, NULL, &tx, &err), &err);
    REQUIRE_OK(pgc_tx_nest(tx, &inner, &err), &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_INVALID, &err);
    CHECK(tx == NULL);
    CHECK_STATUS(do_sql(pgc_tx_db(inner), "SELECT 1", &err), PGC_INVALID, &err);
    pgc_tx_rollback(inner);
    char text[16];
    CHECK_STR(text_of(pgc_pool_db(pool), "SELECT 'back'", text, sizeof text), "back");
}

static void misuse_is_refused(void)
{
    LIVE(conn);
    pgc_error err;
    pgc_tx *tx = NULL;
    pgc_tx *second = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    CHECK_STATUS(pgc_tx_begin_conn(conn, NULL, &second, &err), PGC_INVALID, &err);
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "ROLLBACK", &err), PGC_OK, &err);
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "SELECT 1", &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_INVALID, &err);
    pgc_tx_rollback(NULL);
    CHECK(second == NULL);
}

/* Two transactions that read what the other one writes: one of them must run again. */
typedef struct conflict {
    pgc_pool *pool;
    int calls;
} conflict;

static pgc_status read_then_write(pgc_tx *tx, void *arg, pgc_error *err)
{
    conflict *me = arg;
    char text[16];
    (void) text_of(pgc_tx_db(tx), "SELECT sum(x)::text FROM t_tx_conflict", text, sizeof text);
    if (me->calls++ == 0) {
        const pgc_tx_options options = { .struct_size = sizeof options,
                                         .isolation = PGC_SERIALIZABLE };
        pgc_tx *other = NULL;
        TRY(pgc_tx_begin(me->pool, &options, &other, err));
        (void) text_of(pgc_tx_db(other), "SELECT sum(x)::text FROM t_tx_conflict", text,
                       sizeof text);
        TRY(do_sql(pgc_tx_db(other), "INSERT INTO t_tx_conflict VALUES (10)", err));
        TRY(pgc_tx_commit(&other, err));
    }
    return do_sql(pgc_tx_db(tx), "INSERT INTO t_tx_conflict VALUES (1)", err);
}

static void a_serialization_failure_runs_again(void)
{
    LIVE_POOL(pool, 2);
    LIVE(admin);
    REQUIRE(live_do(admin, "DROP TABLE IF EXISTS t_tx_conflict; CREATE TABLE t_tx_conflict"
                           " (x int); INSERT INTO t_tx_conflict VALUES (100)"));
    const pgc_tx_options options = { .struct_size = sizeof options, .isolation = PGC_SERIALIZABLE };
    conflict me = { pool, 0 };
    pgc_error err;
    CHECK_STATUS(pgc_tx_run(pool, &options, 0, read_then_write, &me, &err), PGC_OK, &err);
    CHECK_INT(me.calls, 2);
    char text[16];
    CHECK_STR(live_text(admin, "SELECT sum(x) FROM t_tx_conflict", text, sizeof text), "111");
    me.calls = 0;
    CHECK_STATUS(pgc_tx_run(pool, &options, 1, read_then_write, &me, NULL), PGC_CONFLICT, NULL);
    CHECK_INT(me.calls, 1);
    CHECK(live_do(admin, "DROP TABLE t_tx_conflict"));
}

static pgc_status always_fails(pgc_tx *tx, void *arg, pgc_error *err)
{
    (void) tx;
    ++*(int *) arg;
    return pgc_error_set(err, PGC_NOT_FOUND, "no such thing");
}

static void other_failures_do_not_run_again(void)
{
    LIVE_POOL(pool, 1);
    int calls = 0;
    pgc_error err;
    CHECK_STATUS(pgc_tx_run(pool, NULL, 0, always_fails, &calls, &err), PGC_NOT_FOUND, &err);
    CHECK_INT(calls, 1);
    char text[16];
    CHECK_STR(text_of(pgc_pool_db(pool), "SELECT 'usable'", text, sizeof text), "usable");
}

static const pgc_type_ref ACL_C[] = { { "x", "aclitem", 1033 } };
/* The server has no binary form of it, which only the first answer tells. */
static const pgc_query ACL = { .name = "Acl",
                               .sql = "SELECT makeaclitem(10, 10, 'SELECT', false) AS x",
                               .column_count = 1,
                               .columns = ACL_C };

typedef struct acl_tries {
    int calls;
    pgc_status first;
    bool retry;
    char sqlstate[6];
} acl_tries;

static pgc_status ask_acl(pgc_tx *tx, void *arg, pgc_error *err)
{
    acl_tries *tries = arg;
    tries->calls++;
    TRY(do_sql(pgc_tx_db(tx), "SELECT 1", err));
    pgc_status status = pgc_db_run(pgc_tx_db(tx), &ACL, NULL, NULL, err);
    if (tries->calls == 1) {
        tries->first = status;
        tries->retry = err->retry;
        memcpy(tries->sqlstate, err->sqlstate, sizeof tries->sqlstate);
    }
    return status;
}

static void an_outdated_statement_runs_the_transaction_again(void)
{
    LIVE_POOL(pool, 1);
    pgc_error err;
    acl_tries once = { .calls = 0 };
    CHECK_STATUS(pgc_tx_run(pool, NULL, 1, ask_acl, &once, &err), PGC_CONFLICT, &err);
    CHECK_INT(once.calls, 1);
    LIVE_POOL(other, 1);
    acl_tries tries = { .calls = 0 };
    CHECK_STATUS(pgc_tx_run(other, NULL, 0, ask_acl, &tries, &err), PGC_OK, &err);
    CHECK_INT(tries.calls, 2);
    CHECK_INT(tries.first, PGC_CONFLICT);
    CHECK(tries.retry);
    CHECK_STR(tries.sqlstate, "42883"); /* none of the two that everybody knows */
}

/* The second end of a deadline that is far away: nothing of the short way is lost. */
static void a_deadline_far_away_changes_nothing(void)
{
    LIVE_POOL(pool, 1);
    pgc_error err;
    const pgc_tx_options options = { .struct_size = sizeof options, .timeout_us = 60000000 };
    AUTO(tx_auto) pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin(pool, &options, &tx, &err), &err);
    char text[16];
    for (int i = 0; i < 3; i++) {
        CHECK_STR(text_of(pgc_tx_db(tx), "SELECT 'inside'", text, sizeof text), "inside");
    }
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "SELECT 1/0", &err), PGC_INVALID, &err);
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "SELECT 1", &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "25P02");
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_CONFLICT, &err);
    CHECK_STR(text_of(pgc_pool_db(pool), "SELECT 'usable'", text, sizeof text), "usable");
}

static void a_scope_identity_holds_for_one_call_only(void)
{
    LIVE_POOL(pool, 1);
    pgc_error err;
    const pgc_setting seven[] = { { "app.user_id", "7" } };
    const pgc_setting eight[] = { { "app.user_id", "8" }, { "app.extra", "x'y\"z" } };
    pgc_scope *a = NULL;
    pgc_scope *b = NULL;
    REQUIRE_OK(pgc_scope_open(pool, seven, 1, &a, &err), &err);
    REQUIRE_OK(pgc_scope_open(pool, eight, 2, &b, &err), &err);
    char text[64];
    static const char who[] = "SELECT coalesce(current_setting('app.user_id', true), '')";
    for (int i = 0; i < 3; i++) {
        CHECK_STR(text_of(pgc_scope_db(a), who, text, sizeof text), "7");
        CHECK_STR(text_of(pgc_pool_db(pool), who, text, sizeof text), "");
        CHECK_STR(text_of(pgc_scope_db(b), who, text, sizeof text), "8");
        CHECK_STR(
            text_of(pgc_scope_db(b), "SELECT current_setting('app.extra')", text, sizeof text),
            "x'y\"z");
        CHECK_STATUS(do_sql(pgc_scope_db(a), "SELECT oops", &err), PGC_DB, &err);
        CHECK_STR(text_of(pgc_pool_db(pool), who, text, sizeof text), "");
        CHECK_STR(text_of(pgc_pool_db(pool),
                          "SELECT coalesce(current_setting('app.extra', true), '')", text,
                          sizeof text),
                  "");
    }
    pgc_pool_stats stats;
    pgc_pool_get_stats(pool, &stats);
    CHECK_INT(stats.connect_count, 1);
    CHECK_INT(stats.dirty_release_count, 0);
    pgc_scope_close(a);
    pgc_scope_close(b);
}

static void a_scope_write_and_its_identity_commit_together(void)
{
    LIVE_POOL(pool, 1);
    pgc_error err;
    const pgc_setting seven[] = { { "app.user_id", "7" } };
    pgc_scope *scope = NULL;
    REQUIRE_OK(pgc_scope_open(pool, seven, 1, &scope, &err), &err);
    pgc_db *db = pgc_scope_db(scope);
    CHECK_STATUS(
        do_sql(db, "CREATE TEMP TABLE who (x text DEFAULT current_setting('app.user_id'))", &err),
        PGC_OK, &err);
    CHECK_STATUS(do_sql(db, "INSERT INTO who DEFAULT VALUES", &err), PGC_OK, &err);
    char text[16];
    CHECK_STR(text_of(pgc_pool_db(pool), "SELECT x FROM who", text, sizeof text), "7");
    pgc_scope_close(scope);
    pgc_scope_close(NULL);
}

static void scope_settings_are_checked(void)
{
    LIVE_POOL(pool, 1);
    pgc_error err;
    pgc_scope *scope = NULL;
    pgc_setting many[PGC_SCOPE_SETTINGS_MAX + 1];
    for (size_t i = 0; i < PGC_SCOPE_SETTINGS_MAX + 1; i++) {
        many[i] = (pgc_setting) { "app.x", "1" };
    }
    CHECK_STATUS(pgc_scope_open(pool, many, PGC_SCOPE_SETTINGS_MAX + 1, &scope, &err), PGC_INVALID,
                 &err);
    const pgc_setting no_value[] = { { "app.user_id", NULL } };
    CHECK_STATUS(pgc_scope_open(pool, no_value, 1, &scope, &err), PGC_INVALID, &err);
    CHECK(scope == NULL);
    REQUIRE_OK(pgc_scope_open(pool, many, PGC_SCOPE_SETTINGS_MAX, &scope, &err), &err);
    char text[16];
    CHECK_STR(text_of(pgc_scope_db(scope), "SELECT current_setting('app.x')", text, sizeof text),
              "1");
    pgc_scope_close(scope);
}

TAP_MAIN(TAP("tx: commits and rolls back", commits_and_rolls_back),
         TAP("tx: level, access and settings reach the server", options_reach_the_server),
         TAP("tx: a bad setting leaves no transaction", a_bad_setting_leaves_no_transaction),
         TAP("tx: nested scopes undo only themselves", nested_scopes_undo_only_themselves),
         TAP("tx: commit after a failure says rolled back",
             commit_after_a_failure_says_rolled_back),
         TAP("tx: a deferred constraint fails the commit", a_deferred_constraint_fails_the_commit),
         TAP("tx: the parent may end first", the_parent_may_end_first),
         TAP("tx: misuse is refused", misuse_is_refused),
         TAP("tx_run: a serialization failure runs again", a_serialization_failure_runs_again),
         TAP("tx_run: other failures do not run again", other_failures_do_not_run_again),
         TAP("tx_run: an outdated statement runs the transaction again",
             an_outdated_statement_runs_the_transaction_again),
         TAP("tx: a deadline far away changes nothing", a_deadline_far_away_changes_nothing),
         TAP("scope: the identity holds for one call only",
             a_scope_identity_holds_for_one_call_only),
         TAP("scope: write and identity commit together",
             a_scope_write_and_its_identity_commit_together),
         TAP("scope: settings are checked", scope_settings_are_checked))
