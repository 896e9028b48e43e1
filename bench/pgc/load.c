/* Point reads by many at once: threads on a pool of ours beside goroutines on a pgxpool of the same
 * size, on the same server, each for the same time. "Together" is pgc_reads on that pool. Both read
 * all 37 columns of an asset into a struct. The server runs on the same machine, and both sides
 * leave it what they do not use. */
#include "parts.h"

#include <pgc/reads.h>

#include "repo/assets.h"

static const struct timespec SPAN = { 0, 500000000 };

typedef struct load_state {
    bench_site *site;
    uint32_t conns, threads;
    bool together; /* by pgc_reads */
    pgc_pool *pool;
    pgc_reads *reads;
    bool by_hand; /* instead: a connection of libpq for each thread */
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

static void load_work(void *arg)
{
    load_thread *me = arg;
    load_state *load = me->load;
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
    bool judged = !load->by_hand;
    (void) snprintf(load->ask, sizeof load->ask, "load %u %u %.3f", load->conns, load->threads,
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
    static load_state even, scarce, together, shared, crowded, by_hand;
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
}
