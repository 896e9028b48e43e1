/* The job queue while its server goes away: restarted, crashed, or without room on the disk. Work
 * goes on by itself, and nothing is lost; how soon is printed. */
#include "base/prelude.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <pgc/cluster.h>

#include "river.h"
#include "tmpdir.h"

#define RESTARTS 6

/* The queue's client on a server of the test's own. */
typedef struct field {
    tmpdir dir;
    pgc_cluster *cluster;
    const char *url;
    pgc_pool *pool;
    river_client *client;
    river_hooks hooks;
    atomic_int calls;
    atomic_int disk_full; /* so many calls were refused for it */
    bool last_words;      /* heartbeats, and a stop that gives up soon */
    int inserted;
    pgc_error err;
} field;

static pgc_status work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    (void) err;
    atomic_fetch_add((atomic_int *) arg, 1);
    if (job->id % 5 == 0) {
        river_ctx_snooze(ctx, 1000); /* for ever: something is always written */
    }
    return river_ctx_wait(ctx, 1000);
}

static bool cluster_up(field *f, pgc_cluster **out)
{
    const pgc_cluster_options options = { .struct_size = sizeof options,
                                          .dir = f->dir.path,
                                          .throw_away = true };
    return CHECK_STATUS(pgc_cluster_open(&options, out, &f->err), PGC_OK, &f->err);
}

static pgc_conn *connect_outside(field *f)
{
    pgc_conn *conn = NULL;
    pgc_conn_options options = { .struct_size = sizeof options, .conninfo = f->url };
    return pgc_conn_open(&options, &conn, &f->err) == PGC_OK ? conn : NULL;
}

static bool make_tables(field *f)
{
    pgc_conn *conn = connect_outside(f);
    bool ok = conn != NULL && scratch_run(conn, "ALTER SYSTEM SET synchronous_commit = on") &&
              scratch_run(conn, "SELECT pg_reload_conf()") && river_tables(conn, &f->err);
    pgc_conn_close(conn);
    return ok;
}

static void on_trouble(const pgc_error *error, void *arg)
{
    if (strcmp(error->sqlstate, "53100") == 0) {
        atomic_fetch_add(&((field *) arg)->disk_full, 1);
    }
}

static bool start(field *f)
{
    pgc_pool_options pool = { .struct_size = sizeof pool,
                              .max_conns = 4,
                              .conn = { .struct_size = sizeof pool.conn, .conninfo = f->url } };
    pgc_conn_options conn = { .struct_size = sizeof conn, .conninfo = f->url };
    river_worker worker = {
        .struct_size = sizeof worker, .kind = "test", .work = work, .arg = &f->calls
    };
    river_queue_options queue = { .struct_size = sizeof queue,
                                  .name = "default",
                                  .max_workers = 8 };
    f->hooks = (river_hooks) { .struct_size = sizeof f->hooks, .on_trouble = on_trouble, .arg = f };
    river_client_options options = { .struct_size = sizeof options,
                                     .hooks = &f->hooks,
                                     .conn = &conn,
                                     .queues = &queue,
                                     .queue_count = 1,
                                     .workers = &worker,
                                     .worker_count = 1,
                                     .fetch_cooldown_us = 1000,
                                     .fetch_poll_us = 20000,
                                     .no_reindex = true };
    if (f->last_words) {
        options.id = "field"; /* what it left behind is its successor's */
        options.heartbeats = true;
        options.flush_us = 200000;
    }
    if (!CHECK_STATUS(pgc_pool_open(&pool, &f->pool, &f->err), PGC_OK, &f->err)) {
        return false;
    }
    options.pool = f->pool;
    return CHECK_STATUS(river_client_open(&options, &f->client, &f->err), PGC_OK, &f->err) &&
           CHECK_STATUS(river_client_start(f->client, &f->err), PGC_OK, &f->err);
}

static bool feed(field *f)
{
    enum { SOME = 200 };
    river_insert jobs[SOME];
    for (size_t i = 0; i < SOME; i++) {
        jobs[i] = (river_insert) { .struct_size = sizeof jobs[0], .kind = "test" };
    }
    if (river_insert_many(f->client, NULL, jobs, SOME, NULL, &f->err) != PGC_OK) {
        return false;
    }
    f->inserted += SOME;
    return true;
}

static int64_t stored(field *f)
{
    river_client_stats stats;
    river_client_get_stats(f->client, &stats);
    return stats.completed + stats.snoozed;
}

/* Microseconds until outcomes are stored again; -1: never. */
static int64_t until_it_works(field *f)
{
    const clock_ops *clock = clock_os();
    int64_t began = clock->mono_us(clock->ctx), before = stored(f);
    while (clock->mono_us(clock->ctx) - began < 30 * SECOND_US) {
        if (stored(f) > before) {
            return clock->mono_us(clock->ctx) - began;
        }
        clock->sleep_us(clock->ctx, 1000);
    }
    return -1;
}

static bool server_down(field *f, int number)
{
    pgc_cluster_info info;
    if (!CHECK_STATUS(pgc_cluster_inspect(f->dir.path, &info, &f->err), PGC_OK, &f->err) ||
        !CHECK_INT(kill(info.pid, number), 0)) {
        return false;
    }
    while (info.running) {
        clock_os()->sleep_us(NULL, 2000);
        if (!CHECK_STATUS(pgc_cluster_inspect(f->dir.path, &info, &f->err), PGC_OK, &f->err)) {
            return false;
        }
    }
    return true;
}

static bool server_up(field *f)
{
    pgc_cluster *again = NULL;
    if (!cluster_up(f, &again)) {
        return false;
    }
    pgc_cluster_close(again); /* the first handle keeps it running */
    return true;
}

/* Jobs that are done once, without those that snooze for ever. */
static const char LEFT[] =
    "SELECT count(*)::text FROM river_job WHERE id % 5 <> 0 AND state <> 'completed'";

/* Nothing runs that nobody knows of, nothing is gone; snoozing ones are as they were. rescued:
 * those of a dead client have come again, with its end for an error. */
static void judge(field *f, bool rescued)
{
    pgc_conn *outside = connect_outside(f);
    scratch look = { .conn = outside };
    arena *mem = arena_new(NULL, 0, 0);
    while (rescued && strcmp(scratch_text(&look, mem, LEFT), "0") != 0) {
        clock_os()->sleep_us(NULL, 5000);
    }
    CHECK_STATUS(river_client_stop(f->client, RIVER_STOP_SOFT, 30 * SECOND_US, &f->err), PGC_OK,
                 &f->err);
    char want[120];
    (void) snprintf(want, sizeof want, "%d 0 0", f->inserted);
    CHECK_STR(scratch_text(&look, mem,
                           "SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE state = "
                           "'running'), count(*) FILTER (WHERE errors[1]->>'error' NOT LIKE "
                           "'%no heartbeat%')) FROM river_job"),
              want);
    if (!rescued) {
        CHECK_STR(scratch_text(&look, mem, "SELECT count(errors)::text FROM river_job"), "0");
    }
    pgc_conn_close(outside);
    arena_free(mem);
}

static void finish(field *f)
{
    river_client_close(f->client);
    pgc_pool_close(f->pool);
    pgc_cluster_close(f->cluster);
    tmpdir_remove(&f->dir);
}

static bool begin(field *f)
{
    f->dir = tmpdir_make();
    if (!cluster_up(f, &f->cluster)) {
        return false;
    }
    f->url = pgc_cluster_conninfo(f->cluster);
    return make_tables(f) && start(f) && feed(f);
}

static void restarts_lose_nothing(void)
{
    static const int SIGNALS[] = { SIGINT, SIGQUIT };
    field f = { 0 };
    int64_t longest = 0;
    bool up = begin(&f);
    for (int i = 0; up && i < RESTARTS; i++) {
        up = CHECK(until_it_works(&f) >= 0) && server_down(&f, SIGNALS[i % 2]) && server_up(&f);
        int64_t us = up ? until_it_works(&f) : -1;
        longest = us > longest ? us : longest;
        up = up && CHECK(us >= 0) && CHECK(feed(&f));
    }
    CHECK(up && until_it_works(&f) >= 0);
    printf("# %d restarts; works again at the latest %" PRId64 " ms after the server's return\n",
           RESTARTS, longest / 1000);
    judge(&f, false);
    finish(&f);
}

/* The outcomes under way cannot be stored: the stop ends all the same, and the jobs come again. */
static void a_stop_without_the_server_ends(void)
{
    field f = { .last_words = true };
    const clock_ops *clock = clock_os();
    bool up = begin(&f) && CHECK(until_it_works(&f) >= 0) && server_down(&f, SIGQUIT);
    if (up) {
        int64_t began = clock->mono_us(clock->ctx);
        CHECK_STATUS(river_client_stop(f.client, RIVER_STOP_SOFT, -1, &f.err), PGC_OK, &f.err);
        printf("# stopped after %" PRId64 " ms\n", (clock->mono_us(clock->ctx) - began) / 1000);
        river_client_close(TAKE(f.client));
        pgc_pool_close(TAKE(f.pool));
        up = server_up(&f) && start(&f) && CHECK(until_it_works(&f) >= 0);
    }
    if (up) {
        judge(&f, true);
    }
    finish(&f);
}

/* What the server says when the disk is full, to every change of a job. */
static void a_full_disk_loses_nothing(void)
{
    field f = { 0 };
    bool up = begin(&f);
    pgc_conn *outside = up ? connect_outside(&f) : NULL;
    up = up && CHECK(until_it_works(&f) >= 0) && CHECK(outside != NULL);
    for (int i = 0; up && i < 3; i++) {
        up = scratch_run(outside,
                         "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql "
                         "AS $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on "
                         "device' USING ERRCODE = '53100'; END $$; "
                         "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON river_job "
                         "FOR EACH STATEMENT EXECUTE FUNCTION full_disk()");
        int64_t before = stored(&f);
        CHECK(!feed(&f));
        clock_os()->sleep_us(NULL, 300000); /* a full disk stays full for a while */
        CHECK(stored(&f) <= before + 8);
        up = up && scratch_run(outside, "DROP TRIGGER full_disk ON river_job");
        int64_t us = until_it_works(&f);
        printf("# works again after %" PRId64 " ms\n", us / 1000);
        up = up && CHECK(us >= 0) && CHECK(feed(&f));
    }
    pgc_conn_close(outside);
    judge(&f, false);
    finish(&f);
}

/* A real one: a small file system under the queue's tables, filled by somebody else. It is mounted
 * where nobody but this process and its server sees it, and is gone with them. */
typedef struct small_disk {
    tmpdir dir;
    char path[128], filler[160];
    bool mounted;
} small_disk;

static const char *disk_make(small_disk *disk)
{
    char options[64];
    const struct passwd *server = getpwnam("postgres");
    memset(disk, 0, sizeof *disk);
    if (geteuid() != 0 || server == NULL || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        return "no right to mount a small disk";
    }
    disk->dir = tmpdir_make();
    (void) snprintf(disk->path, sizeof disk->path, "%s/small", disk->dir.path);
    (void) snprintf(disk->filler, sizeof disk->filler, "%s/filler", disk->path);
    (void) snprintf(options, sizeof options, "size=16m,mode=0700,uid=%u",
                    (unsigned) server->pw_uid);
    if (fchmod(disk->dir.fd, 0711) != 0 || mkdir(disk->path, 0711) != 0) {
        return "no folder for a small disk";
    }
    disk->mounted = mount("tmpfs", disk->path, "tmpfs", 0, options) == 0;
    return disk->mounted ? NULL : "no small disk can be mounted";
}

static void disk_remove(small_disk *disk)
{
    if (disk->mounted) {
        (void) umount2(disk->path, MNT_DETACH);
    }
    if (disk->dir.path[0] != '\0') {
        tmpdir_remove(&disk->dir);
    }
}

/* To the last byte. */
static bool disk_fill(const small_disk *disk)
{
    static const char zeros[65536];
    int fd = open(disk->filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    size_t size = sizeof zeros;
    while (fd >= 0 && size > 0) {
        size = write(fd, zeros, size) < 0 ? size / 2 : size;
    }
    bool full = fd >= 0 && errno == ENOSPC;
    (void) close(fd);
    return full;
}

static bool move_tables(field *f, const small_disk *disk)
{
    char sql[400];
    pgc_conn *conn = connect_outside(f);
    (void) snprintf(sql, sizeof sql, "CREATE TABLESPACE small LOCATION '%s'", disk->path);
    bool moved =
        conn != NULL && scratch_run(conn, sql) &&
        scratch_run(conn, "ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE small") &&
        scratch_run(conn, "ALTER INDEX ALL IN TABLESPACE pg_default SET TABLESPACE small");
    pgc_conn_close(conn);
    return moved;
}

static void a_really_full_disk_loses_nothing(void)
{
    AUTO(disk_remove) small_disk disk;
    field f = { 0 };
    const char *why_not = disk_make(&disk);
    if (why_not != NULL) {
        TAP_SKIP(why_not);
    }
    bool up = begin(&f) && CHECK(until_it_works(&f) >= 0) && CHECK(move_tables(&f, &disk));
    int64_t longest = 0;
    for (int i = 0; up && i < 3; i++) {
        int before = atomic_load(&f.disk_full);
        up = CHECK(disk_fill(&disk));
        while (up && atomic_load(&f.disk_full) < before + 3) {
            (void) feed(&f); /* refused sooner or later, as what is under way */
            clock_os()->sleep_us(NULL, 20000);
        }
        up = up && CHECK_INT(unlink(disk.filler), 0);
        int64_t us = until_it_works(&f);
        longest = us > longest ? us : longest;
        up = up && CHECK(us >= 0) && CHECK(feed(&f));
    }
    printf("# %d times full; works again at the latest after %" PRId64 " ms\n",
           atomic_load(&f.disk_full), longest / 1000);
    judge(&f, false);
    finish(&f);
}

TAP_MAIN(TAP("river restart: restarts under load lose nothing", restarts_lose_nothing),
         TAP("river restart: a stop without the server ends, its jobs come again",
             a_stop_without_the_server_ends),
         TAP("river restart: a file system that is really full loses nothing",
             a_really_full_disk_loses_nothing),
         TAP("river restart: a full disk under load loses nothing", a_full_disk_loses_nothing))
