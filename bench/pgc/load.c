/* Point reads by many at once: threads on a pool of ours beside goroutines on a pgxpool of the same
 * size, on the same server, each for the same time. Both read all 37 columns of an asset into a
 * struct. The server runs on the same machine, and both sides leave it what they do not use. */
#include "parts.h"

#include "repo/assets.h"

static const struct timespec SPAN = { 0, 500000000 };

typedef struct load_state {
    bench_site *site;
    uint32_t conns, threads;
    pgc_pool *pool;
    _Atomic bool stop;
    char ask[64]; /* the same for the peer */
} load_state;

typedef struct load_thread {
    load_state *load;
    size_t number;
    uint64_t reads;
    bool ok;
} load_thread;

static void load_work(void *arg)
{
    load_thread *me = arg;
    load_state *load = me->load;
    pgc_db *db = pgc_pool_db(load->pool);
    size_t at = me->number * 97;
    me->ok = true;
    while (me->ok && !load->stop) {
        repo_asset_set set = { .rows = NULL };
        me->ok = repo_get_asset(db, load->site->ids[at++ % BENCH_IDS], &set, NULL) == PGC_OK;
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

static bool load_open(load_state *load)
{
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .struct_size = sizeof options.conn,
                                                 .conninfo = load->site->url },
                                       .max_conns = load->conns,
                                       .min_conns = load->conns };
    return load->pool != NULL || pgc_pool_open(&options, &load->pool, &load->site->err) == PGC_OK;
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
        ok = ok && threads[i].ok;
    }
    return ok ? (double) reads / seconds : BENCH_NONE;
}

static double load_other(void *ctx)
{
    load_state *load = ctx;
    return peer_ask(load->site->pgx, load->ask);
}

void load_rows(bench_site *site, bench_rows *rows)
{
    static load_state even, crowded;
    even = (load_state) { .site = site, .conns = 8, .threads = 8, .ask = "load 8 8 0.5" };
    crowded = (load_state) { .site = site, .conns = 8, .threads = 16, .ask = "load 8 16 0.5" };
    rows_add(rows, (bench_case) { .name = "point reads, 8 threads, 8 conns",
                                  .unit = "reads/s",
                                  .other_is = "pgx v5 pool, 8 goroutines",
                                  .ours = load_ours,
                                  .other = load_other,
                                  .ctx = &even,
                                  .goal = BENCH_AT_LEAST,
                                  .bound = 1.5,
                                  .rounds = 9,
                                  .skip = site->no_pgx });
    rows_add(rows, (bench_case) { .name = "point reads, 16 threads, 8 conns",
                                  .unit = "reads/s",
                                  .other_is = "pgx v5 pool, 16 goroutines",
                                  .ours = load_ours,
                                  .other = load_other,
                                  .ctx = &crowded,
                                  .goal = BENCH_AT_LEAST,
                                  .bound = 1.5,
                                  .rounds = 9,
                                  .skip = site->no_pgx });
}
