/* A set of one primary and one replica, with real streaming replication: routing, reads that see
 * one's own writes, replicas that fall behind or cancel, a primary that goes away, and a promotion
 * under load. The cases share one pair of servers, which starts slowly, and go on in order. */
#include "base/prelude.h"

#include <stdatomic.h>

#include <pgc/rows.h>
#include <pgc/set.h>

#include "base/clock.h"
#include "pgc/auto.h"

#include "ledger.h"
#include "pair.h"
#include "tap.h"

static pair servers;
static bool up;

static const pgc_type_ref TEXT_COLUMN[] = { { "x", "text", 25 } };
#define TEXT_QUERY(query_name, text, bits)                                       \
    {                                                                            \
        .name = (query_name), .sql = (text), .flags = (bits), .column_count = 1, \
        .columns = TEXT_COLUMN                                                   \
    }
/* "replica" or "primary"; the first may be routed. */
#define WHERE_SQL "SELECT CASE WHEN pg_is_in_recovery() THEN 'replica' ELSE 'primary' END"
static const pgc_query WHERE_READ = TEXT_QUERY("where", WHERE_SQL, PGC_QUERY_READ_ONLY);
static const pgc_query WHERE_ANY = TEXT_QUERY("where any", WHERE_SQL " ", 0);
static const pgc_query COUNT =
    TEXT_QUERY("count", "SELECT count(*)::text FROM ledger", PGC_QUERY_READ_ONLY);

/* First cell of a query, or what went wrong. */
static const char *text_of(pgc_db *db, const pgc_query *query, char *text, size_t size)
{
    pgc_error err;
    pgc_result *result = NULL;
    if (pgc_db_run(db, query, NULL, &result, &err) != PGC_OK) {
        printf("# %s\n", err.message);
        (void) snprintf(text, size, "error %s", err.sqlstate);
        return text;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, query);
    pgc_text cell = pgc_read_text(&reader, 0, 0);
    (void) snprintf(text, size, "%.*s", (int) cell.len, cell.ptr);
    pgc_result_free(result);
    return text;
}

static bool do_on(int which, const char *sql)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = pair_conninfo(&servers, which) };
    bool ok = pgc_conn_open(&options, &conn, &err) == PGC_OK && live_do(conn, sql);
    pgc_conn_close(conn);
    return ok;
}

static pgc_set_options set_options(const char *const *nodes)
{
    return (pgc_set_options) { .struct_size = sizeof(pgc_set_options),
                               .nodes = nodes,
                               .node_count = 2,
                               .pool = { .max_conns = 8, .min_conns = 1 },
                               .check_us = 50000 };
}

static const char *nodes[2];

/* The replica stands first: the order says nothing. */
static pgc_set *open_set(const pgc_set_options *options, uint32_t replicas)
{
    pgc_error err;
    pgc_set *set = NULL;
    if (CHECK_STATUS(pgc_set_open(options, &set, &err), PGC_OK, &err)) {
        CHECK_STATUS(pgc_set_await(set, replicas, 20000000, &err), PGC_OK, &err);
    }
    return set;
}

static void set_auto(pgc_set **set)
{
    pgc_set_close(*set);
}

static void view_auto(pgc_view **view)
{
    pgc_view_close(*view);
}

#define SET(name, options, replicas)                                 \
    REQUIRE(up);                                                     \
    AUTO(set_auto) pgc_set *name = open_set(&(options), (replicas)); \
    REQUIRE(name != NULL);                                           \
    pgc_error err

static pgc_status insert(pgc_db *db, int32_t n, pgc_error *err)
{
    bool good = false;
    TRY(ledger_run(db, &LEDGER_INSERT, n, &good, err));
    return good ? PGC_OK : pgc_error_set(err, PGC_PROTOCOL, "a wrong answer");
}

static void servers_start(void)
{
    up = pair_open(&servers);
    REQUIRE(up);
    nodes[0] = pair_conninfo(&servers, PAIR_B);
    nodes[1] = pair_conninfo(&servers, PAIR_A);
    up = do_on(PAIR_A, LEDGER_TABLE);
    CHECK(up);
}

static void reads_go_to_the_replica(void)
{
    const pgc_set_options options = set_options(nodes);
    SET(set, options, 1);
    char text[32];
    for (int i = 0; i < 3; i++) {
        CHECK_STR(text_of(pgc_set_reader(set), &WHERE_READ, text, sizeof text), "replica");
        CHECK_STR(text_of(pgc_set_reader(set), &WHERE_ANY, text, sizeof text), "primary");
        CHECK_STR(text_of(pgc_set_writer(set), &WHERE_READ, text, sizeof text), "primary");
    }
    /* An error of the query itself is no reason to ask another server. */
    static const pgc_query wrong = TEXT_QUERY("wrong", "SELECT oops", PGC_QUERY_READ_ONLY);
    CHECK_STATUS(pgc_db_run(pgc_set_reader(set), &wrong, NULL, NULL, &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "42703");
    /* A function that writes in a query that is marked as a read. */
    CHECK(do_on(PAIR_A, "CREATE SEQUENCE counter"));
    pgc_view_options view_options = { .struct_size = sizeof view_options };
    static const pgc_query next =
        TEXT_QUERY("next", "SELECT nextval('counter')::text", PGC_QUERY_READ_ONLY);
    AUTO(view_auto) pgc_view *view = NULL;
    REQUIRE_OK(pgc_view_open(set, &view_options, &view, &err), &err);
    CHECK_STATUS(insert(pgc_view_db(view), 1, &err), PGC_OK, &err);
    CHECK_STR(text_of(pgc_view_db(view), &next, text, sizeof text), "1");
    pgc_set_stats stats;
    pgc_node_stats node[2];
    pgc_set_get_stats(set, &stats, node, 2);
    CHECK_INT(stats.primary, 1);
    CHECK_INT(node[0].role, PGC_NODE_REPLICA);
    CHECK_INT(node[1].role, PGC_NODE_PRIMARY);
    CHECK_INT(node[0].read_count, 3);
    CHECK_INT(node[1].write_count, 4);
    CHECK_INT(node[0].timeline, 1);
    CHECK(pgc_set_pool(set, 0) != NULL && pgc_set_pool(set, 2) == NULL);
}

static void a_view_sees_its_own_writes(void)
{
    const pgc_set_options options = set_options(nodes);
    const pgc_setting who[] = { { "app.user_id", "7" } };
    const pgc_view_options view_options = { .struct_size = sizeof view_options,
                                            .settings = who,
                                            .setting_count = 1 };
    SET(set, options, 1);
    AUTO(view_auto) pgc_view *view = NULL;
    REQUIRE_OK(pgc_view_open(set, &view_options, &view, &err), &err);
    static const pgc_query mine = TEXT_QUERY(
        "mine",
        "SELECT count(*)::text FROM ledger WHERE who = current_setting('app.user_id')::int4",
        PGC_QUERY_READ_ONLY);
    char text[32], want[32];
    int wrong = 0;
    for (int32_t n = 1; n <= 200; n++) {
        CHECK_STATUS(insert(pgc_view_db(view), 1000 + n, &err), PGC_OK, &err);
        (void) snprintf(want, sizeof want, "%d", n);
        wrong += strcmp(text_of(pgc_view_db(view), &mine, text, sizeof text), want) == 0 ? 0 : 1;
    }
    CHECK_INT(wrong, 0);
    pgc_set_stats stats;
    pgc_node_stats node[2];
    pgc_set_get_stats(set, &stats, node, 2);
    printf("# %d of 200 reads on the replica, %d behind\n", (int) node[0].read_count,
           (int) node[0].behind_count);
    CHECK(node[0].read_count > 0);
    CHECK_INT(node[0].read_count + stats.fallback_count, 200);
    /* The token goes to another process as text. */
    char token[PGC_TOKEN_TEXT_SIZE];
    pgc_token_text(pgc_view_token(view), token);
    pgc_view_options again = { .struct_size = sizeof again };
    CHECK_STATUS(pgc_token_parse(token, &again.token, &err), PGC_OK, &err);
    CHECK_INT(again.token.timeline, 1);
    AUTO(view_auto) pgc_view *other = NULL;
    REQUIRE_OK(pgc_view_open(set, &again, &other, &err), &err);
    CHECK_STR(text_of(pgc_view_db(other), &COUNT, text, sizeof text), "201");
}

/* Rows one by one, on whichever server; by a view behind its own write. */
static void rows_come_from_the_replica(void)
{
    const pgc_set_options options = set_options(nodes);
    SET(set, options, 1);
    AUTO(view_auto) pgc_view *view = NULL;
    REQUIRE_OK(pgc_view_open(set, NULL, &view, &err), &err);
    static const pgc_query all =
        TEXT_QUERY("all", "SELECT n::text FROM ledger", PGC_QUERY_READ_ONLY);
    CHECK_STATUS(insert(pgc_view_db(view), 1900, &err), PGC_OK, &err);
    pgc_db *const handles[] = { pgc_view_db(view), pgc_set_reader(set), pgc_set_writer(set) };
    for (size_t i = 0; i < ARRAY_LEN(handles); i++) {
        pgc_rows *rows = NULL;
        bool more = false;
        CHECK_STATUS(pgc_rows_open(handles[i], &all, NULL, NULL, &rows, &err), PGC_OK, &err);
        while (rows != NULL && pgc_rows_next(rows, &more, &err) == PGC_OK && more) {
        }
        CHECK_INT(rows == NULL ? 0 : pgc_rows_count(rows), 202);
        pgc_rows_close(rows);
    }
    pgc_set_stats stats;
    pgc_node_stats node[2];
    pgc_set_get_stats(set, &stats, node, 2);
    CHECK_INT(node[0].read_count + stats.fallback_count, 2);
    CHECK_INT(node[1].write_count, 2);
    CHECK(do_on(PAIR_A, "DELETE FROM ledger WHERE n = 1900"));
}

typedef struct tx_look {
    char where[16], count[16];
} tx_look;

static pgc_status look_in_tx(pgc_tx *tx, void *arg, pgc_error *err)
{
    tx_look *found = arg;
    (void) err;
    (void) text_of(pgc_tx_db(tx), &WHERE_READ, found->where, sizeof found->where);
    (void) text_of(pgc_tx_db(tx), &COUNT, found->count, sizeof found->count);
    return PGC_OK;
}

static pgc_status insert_in_tx(pgc_tx *tx, void *arg, pgc_error *err)
{
    return insert(pgc_tx_db(tx), *(const int32_t *) arg, err);
}

static void transactions_carry_tokens(void)
{
    pgc_set_options options = set_options(nodes);
    options.token_wait_us = 5000000;
    SET(set, options, 1);
    const pgc_tx_options reading = { .struct_size = sizeof reading,
                                     .isolation = PGC_REPEATABLE_READ,
                                     .read_only = true };
    pgc_token token = { 0, 0, 0 };
    tx_look found;
    int32_t n = 2000;
    CHECK_STATUS(pgc_set_tx_run(set, NULL, 0, insert_in_tx, &n, &token, &err), PGC_OK, &err);
    CHECK(token.lsn != 0 && token.timeline == 1);
    CHECK_STATUS(pgc_set_tx_run(set, &reading, 0, look_in_tx, &found, &token, &err), PGC_OK, &err);
    CHECK_STR(found.where, "replica");
    CHECK_STR(found.count, "202");
    CHECK_STATUS(pgc_set_tx_run(set, NULL, 0, look_in_tx, &found, NULL, &err), PGC_OK, &err);
    CHECK_STR(found.where, "primary");
}

static void a_replica_that_stands_still_is_left_out(void)
{
    pgc_set_options options = set_options(nodes);
    options.lag_max_us = 400000;
    options.token_wait_us = 4000;
    SET(set, options, 1);
    AUTO(view_auto) pgc_view *view = NULL;
    REQUIRE_OK(pgc_view_open(set, NULL, &view, &err), &err);
    REQUIRE(do_on(PAIR_B, "SELECT pg_wal_replay_pause()"));
    char text[32];
    CHECK_STATUS(insert(pgc_view_db(view), 3000, &err), PGC_OK, &err);
    /* Those who wrote see it, on the primary. */
    CHECK_STR(text_of(pgc_view_db(view), &COUNT, text, sizeof text), "203");
    /* Within the limit others are still served by the replica; then not any more. */
    pgc_set_stats stats;
    pgc_node_stats node[2];
    int64_t until_us = clock_os()->mono_us(NULL) + 20000000;
    do {
        clock_os()->sleep_us(NULL, 10000);
        pgc_set_get_stats(set, &stats, node, 2);
    } while (node[0].serves_reads && clock_os()->mono_us(NULL) < until_us);
    CHECK(!node[0].serves_reads);
    CHECK_INT(node[0].role, PGC_NODE_REPLICA);
    CHECK(node[0].lag_us > 400000 && node[0].lag_bytes > 0);
    CHECK(node[0].behind_count >= 1);
    CHECK_STR(text_of(pgc_set_reader(set), &COUNT, text, sizeof text), "203");
    CHECK_STR(text_of(pgc_set_reader(set), &WHERE_READ, text, sizeof text), "primary");
    REQUIRE(do_on(PAIR_B, "SELECT pg_wal_replay_resume()"));
    CHECK_STATUS(pgc_set_await(set, 1, 20000000, &err), PGC_OK, &err);
    CHECK_STR(text_of(pgc_set_reader(set), &WHERE_READ, text, sizeof text), "replica");
}

typedef struct slow_read {
    pgc_set *set;
    char text[32];
    atomic_bool done;
} slow_read;

/* Holds a lock on the replica while it sleeps. */
static void *read_slowly(void *arg)
{
    static const pgc_query slow =
        TEXT_QUERY("slow",
                   "SELECT count(*)::text FROM passing, (SELECT pg_sleep(CASE WHEN"
                   " pg_is_in_recovery() THEN 30 ELSE 0 END)) nap",
                   PGC_QUERY_READ_ONLY);
    slow_read *me = arg;
    (void) text_of(pgc_set_reader(me->set), &slow, me->text, sizeof me->text);
    atomic_store(&me->done, true);
    return NULL;
}

/* Until a query on the replica says so, 20 s at most. */
static bool replica_says(const char *sql, const char *wanted)
{
    pgc_conn *conn = NULL;
    pgc_error err;
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = pair_conninfo(&servers, PAIR_B) };
    char text[16] = "";
    if (!CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_OK, &err)) {
        return false;
    }
    int64_t until_us = clock_os()->mono_us(NULL) + 20000000;
    while (strcmp(text, wanted) != 0 && clock_os()->mono_us(NULL) < until_us) {
        clock_os()->sleep_us(NULL, 5000);
        live_text(conn, sql, text, sizeof text);
    }
    pgc_conn_close(conn);
    return strcmp(text, wanted) == 0;
}

/* True once a session on the replica naps. */
static bool somebody_naps(void)
{
    return replica_says("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'", "1");
}

static void a_read_that_the_replay_cancels_moves_on(void)
{
    const pgc_set_options options = set_options(nodes);
    SET(set, options, 1);
    (void) err;
    REQUIRE(do_on(PAIR_B, "ALTER SYSTEM SET max_standby_streaming_delay = 0"));
    REQUIRE(do_on(PAIR_B, "SELECT pg_reload_conf()"));
    REQUIRE(do_on(PAIR_A, "CREATE TABLE passing (x int); INSERT INTO passing VALUES (1), (2)"));
    REQUIRE(replica_says("SELECT to_regclass('passing') IS NOT NULL", "t"));
    REQUIRE(replica_says("SELECT count(*) FROM passing", "2"));
    pgc_set_stats stats;
    pgc_node_stats node[2];
    for (int round = 0; round < 2; round++) {
        slow_read reading = { .set = set };
        pthread_t thread;
        REQUIRE(pthread_create(&thread, NULL, read_slowly, &reading) == 0);
        CHECK(somebody_naps());
        /* Its table goes; or its session. */
        CHECK(round == 0 ? do_on(PAIR_A, "TRUNCATE passing; INSERT INTO passing VALUES (3)")
                         : do_on(PAIR_B, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                         " WHERE wait_event = 'PgSleep'"));
        (void) pthread_join(thread, NULL);
        CHECK_STR(reading.text, "1");
    }
    pgc_set_get_stats(set, &stats, node, 2);
    CHECK(node[0].conflict_count + node[0].lost_count >= 2);
    CHECK_INT(stats.fallback_count, 2);
}

static void reads_go_on_without_a_primary(void)
{
    pgc_set_options options = set_options(nodes);
    options.primary_wait_us = 200000;
    SET(set, options, 1);
    AUTO(view_auto) pgc_view *view = NULL;
    REQUIRE_OK(pgc_view_open(set, NULL, &view, &err), &err);
    char text[32];
    CHECK_STATUS(insert(pgc_view_db(view), 4000, &err), PGC_OK, &err);
    REQUIRE(pair_stop(&servers, PAIR_A, false));
    for (int i = 0; i < 20; i++) {
        CHECK_STR(text_of(pgc_set_reader(set), &COUNT, text, sizeof text), "204");
    }
    /* A clean shutdown sends everything first. */
    CHECK_STR(text_of(pgc_view_db(view), &COUNT, text, sizeof text), "204");
    CHECK_STATUS(insert(pgc_set_writer(set), 4001, &err), PGC_CONNECTION, &err);
    CHECK_STATUS(insert(pgc_set_writer(set), 4001, &err), PGC_CONNECTION, &err);
    CHECK(strstr(err.message, "no primary among 2 servers") != NULL);
    CHECK(err.retry);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
    printf("# %s\n", err.message);
    REQUIRE(pair_start(&servers, PAIR_A));
    CHECK_STATUS(pgc_set_await(set, 1, 20000000, &err), PGC_OK, &err);
    CHECK_STATUS(insert(pgc_set_writer(set), 4001, &err), PGC_OK, &err);
}

/* ---- a promotion under load ---- */

#define WRITERS    4
#define WRITES_MAX 20000

typedef struct writer {
    pgc_set *set;
    atomic_bool *stop;
    pthread_t thread;
    int32_t first;
    atomic_int good;
    int failed, doubtful, wrong;
    int32_t count;
    pgc_status told[WRITES_MAX]; /* of first, first + 1, … */
} writer;

/* Whole transactions and single writes in turn. */
static void *write_on(void *arg)
{
    writer *w = arg;
    for (; !atomic_load(w->stop) && w->count < WRITES_MAX; w->count++) {
        pgc_error err;
        int32_t n = w->first + w->count;
        pgc_status status = n % 2 == 0
                                ? pgc_set_tx_run(w->set, NULL, 50, insert_in_tx, &n, NULL, &err)
                                : insert(pgc_set_writer(w->set), n, &err);
        if (status == PGC_CONNECTION && err.outcome == PGC_OUTCOME_UNKNOWN) {
            status = PGC_IN_DOUBT; /* a single write whose answer was lost */
        }
        w->told[w->count] = status;
        if (status == PGC_OK) {
            (void) atomic_fetch_add(&w->good, 1);
        } else if (status == PGC_IN_DOUBT) {
            w->doubtful++;
        } else if (status == PGC_CONNECTION || status == PGC_TIMEOUT) {
            w->failed++;
        } else if (w->wrong++ == 0) {
            printf("# status %d: %s\n", (int) status, err.message);
        }
    }
    return NULL;
}

static bool all_write(writer *writers, int more)
{
    int before[WRITERS];
    int64_t until_us = clock_os()->mono_us(NULL) + 30000000;
    for (int i = 0; i < WRITERS; i++) {
        before[i] = atomic_load(&writers[i].good);
    }
    for (int i = 0; i < WRITERS;) {
        if (atomic_load(&writers[i].good) >= before[i] + more) {
            i++;
        } else if (clock_os()->mono_us(NULL) > until_us) {
            return false;
        } else {
            clock_os()->sleep_us(NULL, 1000);
        }
    }
    return true;
}

/* What was told as done is there, what was told as undone is not; nothing twice. */
static void judge(const writer *w, pgc_conn *outside)
{
    int missing = 0, unexpected = 0;
    for (int32_t i = 0; i < w->count; i++) {
        int64_t rows = ledger_count(outside, w->first + i, w->first + i);
        missing += w->told[i] == PGC_OK && rows != 1 ? 1 : 0;
        unexpected += w->told[i] != PGC_OK && w->told[i] != PGC_IN_DOUBT && rows != 0 ? 1 : 0;
    }
    CHECK_INT(missing, 0);
    CHECK_INT(unexpected, 0);
    CHECK_INT(w->wrong, 0);
    printf("# %d written, %d failed, %d in doubt\n", w->good, w->failed, w->doubtful);
}

static void writes_move_to_the_promoted_server(void)
{
    static writer writers[WRITERS];
    const pgc_set_options options = set_options(nodes);
    SET(set, options, 1);
    /* What is acknowledged must be on the standby, or no client can be right about it. */
    REQUIRE(do_on(PAIR_A, "ALTER SYSTEM SET synchronous_standby_names = '*'"));
    REQUIRE(do_on(PAIR_A, "SELECT pg_reload_conf()"));
    atomic_bool stop = false;
    for (int i = 0; i < WRITERS; i++) {
        writers[i].set = set;
        writers[i].stop = &stop;
        writers[i].first = 1000000 * (i + 1);
        CHECK(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]) == 0);
    }
    CHECK(all_write(writers, 20));
    CHECK(pair_stop(&servers, PAIR_A, true));
    CHECK(pair_promote(&servers, PAIR_B));
    int64_t began_us = clock_os()->mono_us(NULL);
    CHECK(all_write(writers, 20));
    printf("# writing again %d ms after the promotion\n",
           (int) ((clock_os()->mono_us(NULL) - began_us) / 1000));
    atomic_store(&stop, true);
    AUTO(conn_auto) pgc_conn *outside = NULL;
    const pgc_conn_options outer = { .struct_size = sizeof outer,
                                     .conninfo = pair_conninfo(&servers, PAIR_B) };
    CHECK_STATUS(pgc_conn_open(&outer, &outside, &err), PGC_OK, &err);
    for (int i = 0; i < WRITERS; i++) {
        (void) pthread_join(writers[i].thread, NULL);
        if (outside != NULL) {
            judge(&writers[i], outside);
        }
    }
    pgc_set_stats stats;
    pgc_node_stats node[2];
    pgc_set_get_stats(set, &stats, node, 2);
    CHECK_INT(stats.primary, 0);
    CHECK_INT(stats.primary_change_count, 1);
    CHECK_INT(node[0].timeline, 2);
}

/* The old primary comes back as if nothing had been: it is not written to, nor read from. Then it
 * becomes a standby of its successor, and serves. */
static void a_deposed_primary_is_left_out_and_comes_back(void)
{
    const pgc_set_options options = set_options(nodes);
    SET(set, options, 0);
    char text[32];
    REQUIRE(pair_start(&servers, PAIR_A));
    pgc_set_stats stats;
    pgc_node_stats node[2];
    int64_t until_us = clock_os()->mono_us(NULL) + 20000000;
    do {
        clock_os()->sleep_us(NULL, 10000);
        pgc_set_get_stats(set, &stats, node, 2);
    } while (node[1].role != PGC_NODE_DEPOSED && clock_os()->mono_us(NULL) < until_us);
    CHECK_INT(node[1].role, PGC_NODE_DEPOSED);
    CHECK_INT(stats.primary, 0);
    CHECK(!node[1].serves_reads);
    {
        /* One who comes now and sees both at once decides the same. */
        AUTO(set_auto) pgc_set *fresh = open_set(&options, 0);
        REQUIRE(fresh != NULL);
        CHECK_STATUS(insert(pgc_set_writer(fresh), 5000, &err), PGC_OK, &err);
        pgc_set_get_stats(fresh, &stats, node, 2);
        CHECK_INT(stats.primary, 0);
        CHECK_INT(node[0].write_count, 1);
    }
    REQUIRE(pair_stop(&servers, PAIR_A, false));
    REQUIRE(pair_follow(&servers, PAIR_A));
    CHECK_STATUS(pgc_set_await(set, 1, 20000000, &err), PGC_OK, &err);
    CHECK_STR(text_of(pgc_set_reader(set), &WHERE_READ, text, sizeof text), "replica");
    AUTO(view_auto) pgc_view *view = NULL;
    REQUIRE_OK(pgc_view_open(set, NULL, &view, &err), &err);
    CHECK_STATUS(insert(pgc_view_db(view), 5001, &err), PGC_OK, &err);
    CHECK_INT(pgc_view_token(view).timeline, 2);
    static const pgc_query last =
        TEXT_QUERY("last", "SELECT n::text FROM ledger WHERE n = 5001", PGC_QUERY_READ_ONLY);
    CHECK_STR(text_of(pgc_view_db(view), &last, text, sizeof text), "5001");
}

static void servers_of_another_system_are_left_out(void)
{
    REQUIRE(up);
    const char *strange = test_server();
    REQUIRE(strange != NULL);
    const char *const mixed[] = { nodes[0], strange };
    const pgc_set_options options = set_options(mixed);
    SET(set, options, 0);
    pgc_set_stats stats;
    pgc_node_stats node[2];
    pgc_set_get_stats(set, &stats, node, 2);
    /* Whoever was seen first belongs; the other one does not. */
    CHECK(stats.primary == 0 || stats.primary == 1);
    CHECK_INT(node[stats.primary == 0 ? 1 : 0].role, PGC_NODE_STRANGER);
    CHECK_STATUS(pgc_set_await(set, 1, 1000, &err), PGC_TIMEOUT, &err);
}

static void misuse_is_refused(void)
{
    pgc_error err;
    pgc_set *set = NULL;
    static const char *const bad[] = { "host=/tmp", NULL };
    pgc_set_options options = set_options(bad);
    CHECK_STATUS(pgc_set_open(&options, &set, &err), PGC_INVALID, &err);
    static const char *const unreadable[] = { "host=/tmp", "host='" };
    options.nodes = unreadable;
    CHECK_STATUS(pgc_set_open(&options, &set, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "node 2") != NULL);
    options.node_count = 0;
    CHECK_STATUS(pgc_set_open(&options, &set, &err), PGC_INVALID, &err);
    options.node_count = PGC_SET_NODES_MAX + 1;
    CHECK_STATUS(pgc_set_open(&options, &set, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_set_open(NULL, &set, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_set_tx_run(NULL, NULL, 0, insert_in_tx, NULL, NULL, &err), PGC_INVALID, &err);
    CHECK(set == NULL);
    pgc_set_close(NULL);
    pgc_view_close(NULL);
}

static void servers_stop(void)
{
    pair_close(&servers);
    CHECK(access(servers.dir.path, F_OK) != 0);
}

TAP_MAIN(TAP("set: two servers start", servers_start),
         TAP("set: reads go to the replica, writes to the primary", reads_go_to_the_replica),
         TAP("set: a view sees its own writes", a_view_sees_its_own_writes),
         TAP("set: rows come one by one from the replica", rows_come_from_the_replica),
         TAP("set: transactions carry tokens", transactions_carry_tokens),
         TAP("set: a replica that stands still is left out",
             a_replica_that_stands_still_is_left_out),
         TAP("set: a read that the replay cancels moves on",
             a_read_that_the_replay_cancels_moves_on),
         TAP("set: reads go on without a primary", reads_go_on_without_a_primary),
         TAP("set: writes move to the promoted server", writes_move_to_the_promoted_server),
         TAP("set: a deposed primary is left out and comes back",
             a_deposed_primary_is_left_out_and_comes_back),
         TAP("set: servers of another system are left out", servers_of_another_system_are_left_out),
         TAP("set: misuse is refused", misuse_is_refused),
         TAP("set: nothing is left behind", servers_stop))
