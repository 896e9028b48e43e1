/* What depends on the time and on the server's moods: the daily rebuild of the indexes, clients
 * whose clocks are wrong, a server that only reads for a while. */
#include "base/prelude.h"

#include "river/client_state.h"

#include "river.h"

#define DAY_US (24 * 3600 * SECOND_US)

/* A client with a clock of its own, and what it complained of. */
typedef struct world {
    clock_ops clock;
    env seams;
    int64_t ahead_us; /* of the true time */
    river_hooks hooks;
    pthread_mutex_t lock;
    char said[4000];
    river_client *client;
} world;

static int64_t wrong_unix_us(void *ctx)
{
    return clock_os()->unix_us(NULL) + ((const world *) ctx)->ahead_us;
}

static int64_t true_mono_us(void *ctx)
{
    (void) ctx;
    return clock_os()->mono_us(NULL);
}

static bool true_random(void *ctx, void *bytes, size_t count)
{
    (void) ctx;
    return clock_os()->random(NULL, bytes, count);
}

static void true_sleep(void *ctx, int64_t us)
{
    (void) ctx;
    clock_os()->sleep_us(NULL, us);
}

static void on_trouble(const pgc_error *error, void *arg)
{
    world *w = (world *) arg;
    pthread_mutex_lock(&w->lock);
    size_t used = strlen(w->said);
    (void) snprintf(w->said + used, sizeof w->said - used, "%s\n", error->message);
    pthread_mutex_unlock(&w->lock);
}

/* So many lines of complaint hold the words. */
static int said(world *w, const char *words)
{
    int count = 0;
    pthread_mutex_lock(&w->lock);
    for (const char *at = w->said; (at = strstr(at, words)) != NULL; at++) {
        count++;
    }
    pthread_mutex_unlock(&w->lock);
    return count;
}

static pgc_status work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    (void) ctx, (void) job, (void) err;
    atomic_fetch_add((atomic_int *) arg, 1);
    return PGC_OK;
}

static bool world_begin(scene *s, world *w, const char *id, int64_t ahead_us, int64_t reindex_us)
{
    memset(w, 0, sizeof *w);
    pthread_mutex_init(&w->lock, NULL);
    w->ahead_us = ahead_us;
    w->clock = (clock_ops) { w, true_mono_us, wrong_unix_us, true_random, true_sleep };
    w->seams = *env_default();
    w->seams.clock = &w->clock;
    w->hooks = (river_hooks) { .struct_size = sizeof w->hooks, .on_trouble = on_trouble, .arg = w };
    const pgc_conn_options conn = { .struct_size = sizeof conn, .conninfo = s->db.url };
    const river_worker worker = {
        .struct_size = sizeof worker, .kind = "test", .work = work, .arg = &s->calls
    };
    const river_queue_options queue = { .struct_size = sizeof queue,
                                        .name = "default",
                                        .max_workers = 2 };
    const river_client_options options = { .struct_size = sizeof options,
                                           .pool = s->pool,
                                           .conn = &conn,
                                           .id = id,
                                           .queues = &queue,
                                           .queue_count = 1,
                                           .workers = &worker,
                                           .worker_count = 1,
                                           .fetch_cooldown_us = 5000,
                                           .fetch_poll_us = 20000,
                                           .hooks = &w->hooks,
                                           .reindex_timeout_us = reindex_us };
    return CHECK_STATUS(client_open_on(&options, &w->seams, &w->client, &s->err), PGC_OK,
                        &s->err) &&
           CHECK_STATUS(river_client_start(w->client, &s->err), PGC_OK, &s->err);
}

static void world_end(world *w)
{
    river_client_close(w->client);
    pthread_mutex_destroy(&w->lock);
}

/* How far a clock must be ahead for midnight to come in so many microseconds. */
static int64_t to_midnight(int64_t in_us)
{
    return DAY_US - clock_os()->unix_us(NULL) % DAY_US - in_us;
}

#define INDEXES                                                                                 \
    "SELECT relname, relfilenode FROM pg_class WHERE relkind = 'i' AND relname IN "             \
    "('river_job_args_index', 'river_job_kind', 'river_job_metadata_index', 'river_job_pkey', " \
    "'river_job_prioritized_fetching_index', 'river_job_state_and_finalized_at_index', "        \
    "'river_job_unique_idx')"
#define REBUILT                                                          \
    "SELECT count(*) FROM old JOIN pg_class AS c USING (relname) WHERE " \
    "c.relfilenode <> old.relfilenode"
#define REMAINS "SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)'"

static void indexes_are_rebuilt_at_midnight(void)
{
    SCENE(s);
    world w;
    REQUIRE(scratch_do(&s.db, "CREATE TABLE old AS " INDEXES));
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM old"), "7");
    REQUIRE(world_begin(&s, &w, "ours", to_midnight(2 * SECOND_US), 0));
    CHECK(scene_comes_true(&s, "SELECT (" REBUILT ") = 7"));
    CHECK_INT(said(&w, "index"), 0);
    world_end(&w);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT (" REMAINS ")::text"), "0");
}

static void strange_indexes_are_left_alone(void)
{
    SCENE(s);
    world w;
    REQUIRE(scratch_do(&s.db, "CREATE TABLE old AS " INDEXES "; DROP INDEX river_job_kind; "
                              "CREATE INDEX river_job_args_index_ccnew1 ON river_job (attempt)"));
    REQUIRE(world_begin(&s, &w, "ours", to_midnight(2 * SECOND_US), 0));
    CHECK(scene_comes_true(&s, "SELECT (" REBUILT ") = 5"));
    while (said(&w, "is not rebuilt") < 2) {
        clock_os()->sleep_us(NULL, 5000);
    }
    CHECK_INT(said(&w, "river_job_kind is not rebuilt: there is none"), 1);
    CHECK_INT(said(&w, "river_job_args_index is not rebuilt: an unfinished rebuild"), 1);
    world_end(&w);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT (" REMAINS ")::text"), "1");
}

/* Somebody's open transaction keeps a rebuild waiting; the server ends it after a second. */
static bool block_rebuilds(scene *s, scratch *other)
{
    *other = (scratch) { .url = s->db.url };
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = s->db.url };
    return CHECK_STATUS(pgc_conn_open(&options, &other->conn, &s->err), PGC_OK, &s->err) &&
           scratch_run(other->conn, "SET idle_in_transaction_session_timeout = '3s'; BEGIN; "
                                    "INSERT INTO river_job (args, kind, queue) "
                                    "VALUES ('{}', 'test', 'elsewhere')");
}

static void a_rebuild_that_takes_too_long_leaves_nothing(void)
{
    SCENE(s);
    world w;
    scratch other;
    REQUIRE(scratch_do(&s.db, "CREATE TABLE old AS " INDEXES));
    REQUIRE(world_begin(&s, &w, "ours", to_midnight(2 * SECOND_US), SECOND_US / 2));
    CHECK(scene_comes_true(&s, "SELECT count(*) = 1 FROM river_leader"));
    REQUIRE(block_rebuilds(&s, &other));
    CHECK(scene_comes_true(&s, "SELECT (" REBUILT ") >= 5"));
    world_end(&w);
    pgc_conn_close(other.conn);
    CHECK(said(&w, "rebuild index river_job_") > 0);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT (" REMAINS ")::text"), "0");
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT count(*)::text FROM pg_index AS i JOIN pg_class AS c "
                           "ON c.oid = i.indexrelid WHERE NOT i.indisvalid"),
              "0");
}

static void a_stop_breaks_a_rebuild_off(void)
{
    SCENE(s);
    world w;
    scratch other;
    REQUIRE(scratch_do(&s.db, "CREATE TABLE old AS " INDEXES));
    REQUIRE(world_begin(&s, &w, "ours", to_midnight(2 * SECOND_US), -1));
    CHECK(scene_comes_true(&s, "SELECT count(*) = 1 FROM river_leader"));
    REQUIRE(block_rebuilds(&s, &other));
    CHECK(scene_comes_true(&s, "SELECT count(*) > 0 FROM pg_stat_activity WHERE "
                               "datname = current_database() AND query LIKE 'REINDEX%' "
                               "AND wait_event_type = 'Lock'"));
    world_end(&w); /* without it: the next index and the one after */
    pgc_conn_close(other.conn);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT (" REBUILT ")::text"), "0");
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT (" REMAINS ")::text"), "0");
}

static void leadership_moves_between_wrong_clocks(void)
{
    SCENE(s);
    world fast, slow;
    REQUIRE(world_begin(&s, &fast, "fast", 30 * SECOND_US, 0));
    CHECK(scene_comes_true(&s, "SELECT leader_id = 'fast' FROM river_leader"));
    REQUIRE(world_begin(&s, &slow, "slow", -30 * SECOND_US, 0));
    const river_insert job = { .struct_size = sizeof job, .kind = "test" };
    for (int i = 0; i < 20; i++) {
        REQUIRE_OK(
            river_insert_one(i % 2 == 0 ? fast.client : slow.client, NULL, &job, NULL, &s.err),
            &s.err);
    }
    CHECK(scene_comes_true(&s, "SELECT count(*) = 20 FROM river_job WHERE state = 'completed'"));
    /* The term was extended: a leader with a wrong clock keeps it, the other does not take it. */
    CHECK(scene_comes_true(&s, "SELECT expires_at > elected_at + interval '19 s' FROM "
                               "river_leader WHERE leader_id = 'fast'"));
    CHECK(river_client_leads(fast.client) && !river_client_leads(slow.client));
    world_end(&fast);
    CHECK(scene_comes_true(&s, "SELECT leader_id = 'slow' FROM river_leader"));
    world_end(&slow);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM river_leader"), "0");
    CHECK_INT(atomic_load(&s.calls), 20);
}

static void a_server_that_only_reads_is_waited_for(void)
{
    SCENE(s);
    world w;
    REQUIRE(world_begin(&s, &w, "ours", 0, 0));
    CHECK(scene_comes_true(&s, "SELECT leader_id = 'ours' FROM river_leader"));
    const char *name = scratch_text(&s.db, s.mem, "SELECT quote_ident(current_database())");
    static const char OTHERS[] = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                 "datname = current_database() AND pid <> pg_backend_pid()";
    REQUIRE(scratch_do(&s.db, arena_printf(s.mem,
                                           "ALTER DATABASE %s SET "
                                           "default_transaction_read_only = on",
                                           name)));
    REQUIRE(scratch_do(&s.db, OTHERS));
    REQUIRE(scratch_do(&s.db, "INSERT INTO river_job (args, kind) VALUES ('{}', 'test'); "
                              "DELETE FROM river_leader"));
    while (said(&w, "read-only") < 3) { /* 25006, to fetches and elections */
        clock_os()->sleep_us(NULL, 5000);
    }
    CHECK_INT(atomic_load(&s.calls), 0);
    REQUIRE(scratch_do(&s.db, arena_printf(s.mem,
                                           "ALTER DATABASE %s RESET "
                                           "default_transaction_read_only",
                                           name)));
    REQUIRE(scratch_do(&s.db, OTHERS));
    CHECK(scene_comes_true(&s, "SELECT state = 'completed' FROM river_job"));
    CHECK(scene_comes_true(&s, "SELECT leader_id = 'ours' FROM river_leader"));
    world_end(&w);
}

TAP_MAIN(TAP("river 48: the seven indexes are rebuilt at midnight",
             indexes_are_rebuilt_at_midnight),
         TAP("river 48: missing indexes and remains of others are left alone",
             strange_indexes_are_left_alone),
         TAP("river 48: a rebuild that takes too long leaves nothing behind",
             a_rebuild_that_takes_too_long_leaves_nothing),
         TAP("river 48: a stop breaks a rebuild off", a_stop_breaks_a_rebuild_off),
         TAP("river 49: leadership moves between clocks a minute apart",
             leadership_moves_between_wrong_clocks),
         TAP("river 49: a server that only reads is waited for",
             a_server_that_only_reads_is_waited_for))
