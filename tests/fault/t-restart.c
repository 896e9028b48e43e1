/* A pool under load whose server goes away: restarted, crashed, or with single sessions ended. All
 * threads go on by themselves, no answer is wrong, nothing leaks. */
#include "base/prelude.h"

#include <dirent.h>
#include <stdatomic.h>

#include <pgc/cluster.h>
#include <pgc/pool.h>
#include <pgc/tx.h>

#include "base/clock.h"
#include "base/env.h"
#include "pgc/auto.h"

#include "ledger.h"
#include "random.h"
#include "tap.h"
#include "tmpdir.h"

#define THREADS  8
#define RESTARTS 100
#define KILLS    150

/* An allocator that counts what is out; any thread. */
static void *counted_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void) old_size;
    void *made = realloc(ptr, new_size);
    if (made != NULL && ptr == NULL) {
        (void) atomic_fetch_add((atomic_int *) ctx, 1);
    }
    return made;
}

static void counted_release(void *ctx, void *ptr, size_t size)
{
    (void) size;
    if (ptr != NULL) {
        (void) atomic_fetch_sub((atomic_int *) ctx, 1);
        free(ptr);
    }
}

/* One thread's work: reads, writes and transactions in turn, judged as they end. */
typedef struct worker {
    pgc_pool *pool;
    atomic_bool *stop;
    pthread_t thread;
    int32_t first;         /* its numbers: first, first + 1, … */
    atomic_int good, lost; /* rounds */
    int wrong;             /* answers, and failures that do not say what they are */
    int32_t committed[4096];
    int committed_count;
    char words[256]; /* of the first wrong failure */
} worker;

static pgc_status write_in_tx(worker *w, int32_t n, bool *good, pgc_error *err)
{
    AUTO(tx_auto) pgc_tx *tx = NULL;
    TRY(pgc_tx_begin(w->pool, NULL, &tx, err));
    TRY(ledger_run(pgc_tx_db(tx), &LEDGER_INSERT, n, good, err));
    TRY(pgc_tx_commit(&tx, err));
    if (w->committed_count < (int) ARRAY_LEN(w->committed)) {
        w->committed[w->committed_count++] = n;
    }
    return PGC_OK;
}

static void *work(void *arg)
{
    worker *w = arg;
    for (int32_t n = w->first; !atomic_load(w->stop); n++) {
        pgc_error err;
        bool good = false;
        pgc_status status =
            n % 4 == 0 ? write_in_tx(w, n, &good, &err)
                       : ledger_run(pgc_pool_db(w->pool), n % 4 == 1 ? &LEDGER_READ : &LEDGER_ECHO,
                                    n, &good, &err);
        if (status == PGC_OK && good) {
            (void) atomic_fetch_add(&w->good, 1);
        } else if (status == PGC_CONNECTION || status == PGC_TIMEOUT || status == PGC_IN_DOUBT) {
            (void) atomic_fetch_add(&w->lost, 1);
        } else if (w->wrong++ == 0) {
            (void) snprintf(w->words, sizeof w->words, "status %d: %.200s", (int) status,
                            err.message);
        }
    }
    return NULL;
}

/* The server, the pool on it, and the threads on that. */
typedef struct load {
    atomic_int live; /* allocations of the pool */
    pgc_alloc alloc;
    atomic_bool stop;
    pgc_pool *pool;
    worker workers[THREADS];
} load;

static bool start_load(load *l, const char *url, const char *app_name)
{
    pgc_error err;
    l->alloc = (pgc_alloc) { &l->live, counted_resize, counted_release };
    const pgc_pool_options options = {
        .struct_size = sizeof options,
        .conn = { .conninfo = url, .app_name = app_name, .alloc = &l->alloc },
        .max_conns = 4,
        .min_conns = 2
    };
    if (!CHECK_STATUS(pgc_pool_open(&options, &l->pool, &err), PGC_OK, &err)) {
        return false;
    }
    for (int i = 0; i < THREADS; i++) {
        worker *w = &l->workers[i];
        w->pool = l->pool;
        w->stop = &l->stop;
        w->first = 10000000 * (i + 1);
        CHECK(pthread_create(&w->thread, NULL, work, w) == 0);
    }
    return true;
}

/* Every thread succeeds again; false when one does not in a time that is far too long. */
static bool all_work(load *l)
{
    int before[THREADS];
    int64_t until_us = clock_os()->mono_us(NULL) + 20000000;
    for (int i = 0; i < THREADS; i++) {
        before[i] = atomic_load(&l->workers[i].good);
    }
    for (int i = 0; i < THREADS;) {
        if (atomic_load(&l->workers[i].good) >= before[i] + 3) {
            i++;
        } else if (clock_os()->mono_us(NULL) > until_us) {
            return false;
        } else {
            clock_os()->sleep_us(NULL, 1000);
        }
    }
    return true;
}

/* Ends the threads and judges them; rows that were committed are there. */
static void end_load(load *l, pgc_conn *outside)
{
    int good = 0, lost = 0;
    atomic_store(&l->stop, true);
    for (int i = 0; i < THREADS; i++) {
        worker *w = &l->workers[i];
        (void) pthread_join(w->thread, NULL);
        if (!CHECK_INT(w->wrong, 0)) {
            printf("# %s\n", w->words);
        }
        good += atomic_load(&w->good);
        lost += atomic_load(&w->lost);
        int missing = 0;
        for (int k = 0; k < w->committed_count; k++) {
            missing += ledger_count(outside, w->committed[k], w->committed[k]) == 1 ? 0 : 1;
        }
        CHECK_INT(missing, 0);
    }
    pgc_pool_stats stats;
    pgc_pool_get_stats(l->pool, &stats);
    CHECK_INT(stats.acquired, 0);
    CHECK_INT(stats.waiters, 0);
    CHECK(stats.total <= 4);
    pgc_pool_close(l->pool);
    CHECK_INT(atomic_load(&l->live), 0);
    printf("# %d rounds succeeded, %d were lost, %lld connections were made\n", good, lost,
           (long long) stats.connect_count);
    CHECK(lost > 0);
}

/* Descriptors that this process has open. */
static int open_fds(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir != NULL && readdir(dir) != NULL) {
        count++;
    }
    if (dir != NULL) {
        (void) closedir(dir);
    }
    return count;
}

static pgc_status open_cluster(const char *dir, pgc_cluster **out, pgc_error *err)
{
    const pgc_cluster_options options = { .struct_size = sizeof options,
                                          .dir = dir,
                                          .throw_away = true };
    return pgc_cluster_open(&options, out, err);
}

/* End the server by a signal, wait until it is gone, start it again. */
static bool restart(const char *dir, int number)
{
    pgc_error err;
    pgc_cluster_info info;
    if (!CHECK_STATUS(pgc_cluster_inspect(dir, &info, &err), PGC_OK, &err) ||
        !CHECK(info.running) || !CHECK_INT(kill(info.pid, number), 0)) {
        return false;
    }
    while (info.running) {
        clock_os()->sleep_us(NULL, 2000);
        if (!CHECK_STATUS(pgc_cluster_inspect(dir, &info, &err), PGC_OK, &err)) {
            return false;
        }
    }
    pgc_cluster *again = NULL;
    if (!CHECK_STATUS(open_cluster(dir, &again, &err), PGC_OK, &err)) {
        return false;
    }
    CHECK(pgc_cluster_started(again));
    pgc_cluster_close(again); /* the first handle keeps it running */
    return true;
}

/* Fast shutdowns, crashes and the death of the postmaster alone, whose children notice by
 * themselves, in turn. What was committed is there afterwards. */
static void the_server_restarts_under_load(void)
{
    static const int SIGNALS[] = { SIGINT, SIGQUIT, SIGQUIT, SIGKILL };
    static load l;
    pgc_error err;
    tmpdir t = tmpdir_make();
    pgc_cluster *cluster = NULL;
    int fds = open_fds();
    REQUIRE_OK(open_cluster(t.path, &cluster, &err), &err);
    const char *url = pgc_cluster_conninfo(cluster);
    pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    pgc_conn *outside = NULL;
    CHECK_STATUS(pgc_conn_open(&options, &outside, &err), PGC_OK, &err);
    /* Throw-away servers do not wait for the log; a crash must lose nothing here. */
    CHECK(outside != NULL && live_do(outside, "ALTER SYSTEM SET synchronous_commit = on") &&
          live_do(outside, "SELECT pg_reload_conf()") && live_do(outside, LEDGER_TABLE));
    pgc_conn_close(TAKE(outside));
    bool up = start_load(&l, url, "restart") && CHECK(all_work(&l));
    int done = 0;
    int64_t since_us = clock_os()->mono_us(NULL);
    for (; up && done < RESTARTS; done++) {
        up = restart(t.path, SIGNALS[(size_t) done % ARRAY_LEN(SIGNALS)]) && CHECK(all_work(&l));
    }
    printf("# %d restarts in %lld s\n", done,
           (long long) (clock_os()->mono_us(NULL) - since_us) / 1000000);
    CHECK_INT(done, RESTARTS);
    CHECK_STATUS(pgc_conn_open(&options, &outside, &err), PGC_OK, &err);
    if (l.pool != NULL && outside != NULL) {
        end_load(&l, outside);
    }
    pgc_conn_close(outside);
    pgc_cluster_close(cluster);
    CHECK_INT(open_fds(), fds);
    tmpdir_remove(&t);
}

/* One backend of the pool, picked by chance, ends in the middle of whatever it does. */
static void sessions_end_at_random_moments(void)
{
    static load l;
    pgc_error err;
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    int fds = open_fds();
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    AUTO(conn_auto) pgc_conn *outside = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &outside, &err), &err);
    REQUIRE(live_do(outside, LEDGER_TABLE));
    REQUIRE(start_load(&l, url, "restart-sessions"));
    uint64_t state = (uint64_t) clock_os()->mono_us(NULL);
    printf("# seed %" PRIu64 "\n", state);
    CHECK(all_work(&l));
    int killed = 0;
    for (int i = 0; i < KILLS; i++) {
        char text[16];
        live_text(outside,
                  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE application_name = 'restart-sessions' AND datname = current_database()"
                  " ORDER BY random() LIMIT 1",
                  text, sizeof text);
        killed += strcmp(text, "t") == 0 ? 1 : 0;
        clock_os()->sleep_us(NULL, (int64_t) random_below(&state, 15000));
    }
    printf("# %d sessions ended\n", killed);
    CHECK(killed > KILLS / 2);
    CHECK(all_work(&l));
    end_load(&l, outside);
    CHECK_INT(open_fds(), fds + 1);
}

TAP_MAIN(TAP("restart: eight threads survive a hundred restarts", the_server_restarts_under_load),
         TAP("restart: sessions end at random moments", sessions_end_at_random_moments))
