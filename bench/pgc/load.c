/* Point reads by many at once: threads on a pool of ours beside goroutines on a pgxpool of the same
 * size, on the same server, each for the same time. "Together" is pgc_reads on that pool; "in
 * flight" are as many reads under way at any moment as pgx has goroutines, by pgc_window of one
 * thread for each of two connections. All read the 37 columns of an asset into a struct. The server
 * runs on the same machine, and both sides leave it what they do not use. */
#include "parts.h"

#include <pgc/reads.h>
#include <pgc/window.h>

#include "base/list.h"
#include "repo/assets.h"

static const struct timespec SPAN = { 0, 500000000 };

typedef struct load_state {
    bench_site *site;
    uint32_t conns, threads;
    bool together; /* by pgc_reads */
    pgc_pool *pool;
    pgc_reads *reads;
    bool by_hand;   /* instead: a connection of libpq for each thread */
    uint32_t depth; /* instead: each thread keeps so many reads in flight; 0: no */
    PGconn *raw[THREADS_MAX];
    _Atomic bool stop;
    char ask[64]; /* the same for the peer */
} load_state;

typedef struct load_thread {
    load_state *load;
    size_t number;
    uint64_t reads;
    bool ok;
    pgc_error err;
} load_thread;

static bool read_by_hand(PGconn *raw, const pgc_uuid *id)
{
    const char *values[1] = { (const char *) id->bytes };
    const int lengths[1] = { 16 }, formats[1] = { 1 };
    PGresult *res = PQexecPrepared(raw, "get_asset", 1, values, lengths, formats, 1);
    repo_asset asset;
    asset_digits digits;
    bool ok = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1 &&
              asset_read_by_hand(res, 0, &asset, &digits);
    PQclear(res);
    return ok;
}

static void work_by_hand(load_thread *me)
{
    load_state *load = me->load;
    size_t at = me->number * 97;
    me->ok = true;
    while (me->ok && !load->stop) {
        me->ok = read_by_hand(load->raw[me->number], &load->site->ids[at++ % BENCH_IDS]);
        me->reads++;
    }
}

/* Generated functions send and take in one call. Given this handle one sees what is sent at its
 * first call, and later reads an answer that has come already. */
typedef struct go_between {
    pgc_db db;
    const pgc_query *query; /* seen */
    pgc_result *answer;     /* to be read */
} go_between;

static pgc_status go_between_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                                 pgc_result **out, pgc_error *err)
{
    go_between *between = CONTAINER_OF(db, go_between, db);
    (void) args;
    between->query = query;
    if (between->answer == NULL) {
        return pgc_error_set(err, PGC_NOT_FOUND, "no answer yet");
    }
    *out = TAKE(between->answer);
    return PGC_OK;
}

static const pgc_db_ops GO_BETWEEN = { .struct_size = sizeof GO_BETWEEN, .run = go_between_run };

static pgc_status send_read(pgc_window *window, const pgc_query *query, const pgc_uuid *id,
                            pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_uuid(&args, *id);
    pgc_status status = pgc_window_send(window, query, &args, NULL, err);
    pgc_args_done(&args);
    return status;
}

/* Full at any time; the oldest is decoded while the others are under way. */
static pgc_status keep_in_flight(load_thread *me, pgc_window *window, go_between *between)
{
    const load_state *load = me->load;
    const pgc_uuid *ids = load->site->ids;
    size_t at = me->number * 97;
    repo_asset_set set = { .rows = NULL };
    if (repo_get_asset(&between->db, ids[0], &set, &me->err) != PGC_NOT_FOUND) {
        return PGC_PROTOCOL;
    }
    while (!load->stop) {
        while (pgc_window_count(window) < load->depth) {
            TRY(send_read(window, between->query, &ids[at++ % BENCH_IDS], &me->err));
        }
        TRY(pgc_window_take(window, NULL, &between->answer, &me->err));
        TRY(repo_get_asset(&between->db, ids[0], &set, &me->err));
        repo_asset_set_free(&set);
        me->reads++;
    }
    return PGC_OK;
}

static void work_in_flight(load_thread *me)
{
    const load_state *load = me->load;
    pgc_window *window = NULL;
    go_between between = { .db = { &GO_BETWEEN } };
    const pgc_window_options options = { .struct_size = sizeof options, .depth = load->depth };
    me->ok = pgc_window_open(pgc_pool_db(load->pool), &options, &window, &me->err) == PGC_OK &&
             keep_in_flight(me, window, &between) == PGC_OK;
    pgc_window_close(window);
}

static void load_work(void *arg)
{
    load_thread *me = arg;
    load_state *load = me->load;
    if (load->depth > 0) {
        work_in_flight(me);
        return;
    }
    if (load->by_hand) {
        work_by_hand(me);
        return;
    }
    pgc_db *db = load->together ? pgc_reads_db(load->reads) : pgc_pool_db(load->pool);
    size_t at = me->number * 97;
    me->ok = true;
    while (me->ok && !load->stop) {
        repo_asset_set set = { .rows = NULL };
        me->ok = repo_get_asset(db, load->site->ids[at++ % BENCH_IDS], &set, &me->err) == PGC_OK;
        repo_asset_set_free(&set);
        me->reads++;
    }
}

static void load_stop(void *threads)
{
    const load_thread *first = threads;
    (void) nanosleep(&SPAN, NULL);
    first->load->stop = true;
}

static bool open_by_hand(load_state *load)
{
    bool ok = true;
    for (size_t i = 0; ok && i < load->threads; i++) {
        if (load->raw[i] == NULL) {
            load->raw[i] = PQconnectdb(load->site->url);
            PGresult *res = PQprepare(load->raw[i], "get_asset", ASSET_BY_HAND, 0, NULL);
            ok = PQresultStatus(res) == PGRES_COMMAND_OK;
            PQclear(res);
        }
    }
    return ok;
}

static bool load_open(load_state *load)
{
    if (load->by_hand) {
        return open_by_hand(load);
    }
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .struct_size = sizeof options.conn,
                                                 .conninfo = load->site->url },
                                       .max_conns = load->conns,
                                       .min_conns = load->conns };
    pgc_error *err = &load->site->err;
    return load->pool != NULL || (pgc_pool_open(&options, &load->pool, err) == PGC_OK &&
                                  pgc_reads_open(load->pool, NULL, &load->reads, err) == PGC_OK);
}

static double load_ours(void *ctx)
{
    load_state *load = ctx;
    load_thread threads[THREADS_MAX];
    uint64_t reads = 0;
    if (!load_open(load)) {
        return site_failed(load->site, "open a pool");
    }
    load->stop = false;
    for (size_t i = 0; i < load->threads; i++) {
        threads[i] = (load_thread) { .load = load, .number = i };
    }
    double seconds = threads_run(load->threads, load_work, threads, sizeof threads[0], load_stop);
    bool ok = !isnan(seconds);
    for (size_t i = 0; i < load->threads; i++) {
        reads += threads[i].reads;
        if (!threads[i].ok) {
            load->site->err = threads[i].err;
            ok = false;
        }
    }
    return ok ? (double) reads / seconds : site_failed(load->site, "point reads");
}

static double load_other(void *ctx)
{
    load_state *load = ctx;
    return peer_ask(load->site->pgx, load->ask);
}

static void load_row(bench_rows *rows, load_state *load, const char *name, const char *other_is)
{
    /* A thread that waits for each of its reads costs a switch or two, whatever the library does:
     * libpq by hand, shown above these rows, is their limit. The goal is for reads under way. */
    bool judged = load->depth > 0;
    uint32_t at_once = load->threads * (load->depth > 0 ? load->depth : 1);
    (void) snprintf(load->ask, sizeof load->ask, "load 8 %u %.3f", at_once,
                    (double) SPAN.tv_nsec * 1e-9);
    rows_add(rows, (bench_case) { .name = name,
                                  .unit = "reads/s",
                                  .other_is = other_is,
                                  .ours = load_ours,
                                  .other = load_other,
                                  .ctx = load,
                                  .goal = judged ? BENCH_AT_LEAST : BENCH_SHOWN,
                                  .bound = 1.5,
                                  .rounds = 9,
                                  .skip = load->site->no_pgx });
}

void load_rows(bench_site *site, bench_rows *rows)
{
    static load_state even, scarce, together, shared, crowded, by_hand, flights[3];
    static const char *const FLIGHTS[3][2] = {
        { "8 reads in flight, 2 conns", "pgx v5 pool, 8 goroutines, 8 conns" },
        { "16 reads in flight, 2 conns", "pgx v5 pool, 16 goroutines, 8 conns" },
        { "64 reads in flight, 2 conns", "pgx v5 pool, 64 goroutines, 8 conns" },
    };
    even = (load_state) { .site = site, .conns = 8, .threads = 8 };
    scarce = (load_state) { .site = site, .conns = 8, .threads = 16 };
    together = (load_state) { .site = site, .conns = 8, .threads = 8, .together = true };
    shared = (load_state) { .site = site, .conns = 8, .threads = 16, .together = true };
    crowded = (load_state) { .site = site, .conns = 8, .threads = 64, .together = true };
    by_hand = (load_state) { .site = site, .conns = 8, .threads = 8, .by_hand = true };
    load_row(rows, &by_hand, "libpq by hand, 8 threads, 8 conns", "pgx v5 pool, 8 goroutines");
    load_row(rows, &even, "reads, 8 threads, 8 conns", "pgx v5 pool, 8 goroutines");
    load_row(rows, &scarce, "reads, 16 threads, 8 conns", "pgx v5 pool, 16 goroutines");
    load_row(rows, &together, "reads together, 8 threads, 8 conns", "pgx v5 pool, 8 goroutines");
    load_row(rows, &shared, "reads together, 16 threads, 8 conns", "pgx v5 pool, 16 goroutines");
    load_row(rows, &crowded, "reads together, 64 threads, 8 conns", "pgx v5 pool, 64 goroutines");
    for (size_t i = 0; i < ARRAY_LEN(flights); i++) {
        static const uint32_t DEPTHS[] = { 4, 8, 32 };
        flights[i] = (load_state) { .site = site, .conns = 2, .threads = 2, .depth = DEPTHS[i] };
        load_row(rows, &flights[i], FLIGHTS[i][0], FLIGHTS[i][1]);
    }
}
