/* The programs of examples/ do what their first lines promise. Each gets an empty database. */
#include "base/prelude.h"

#include <sys/stat.h>

#include <pgc/pgc.h>
#include <river/river.h>

#include "base/buf.h"
#include "base/proc.h"

#include "pg.h"
#include "tap.h"
#include "tmpdir.h"

#define EXAMPLE_TIMEOUT_US INT64_C(60000000)

/* Exit status; -1 when it did not run. out: stdout and stderr. */
static int run_example(const char *name, const char *argument, buf *out)
{
    char program[512];
    pgc_error err;
    int code = -1;
    (void) snprintf(program, sizeof program, "%s/examples/example-%s", TEST_BUILD_ROOT, name);
    const char *const argv[] = { program, argument, NULL };
    const proc_options options = { .argv = argv, .timeout_us = EXAMPLE_TIMEOUT_US, .output = out };
    if (proc_run(env_default(), &options, &code, &err) != PGC_OK) {
        printf("# %s\n", err.message);
        return -1;
    }
    return code;
}

static void prints_on(const char *url, const char *name, const char *want)
{
    AUTO(buf_auto) buf out;
    buf_init(&out, NULL, 1 << 16);
    CHECK_INT(run_example(name, url, &out), 0);
    CHECK_STR(out.ptr != NULL ? out.ptr : "", want);
}

static void prints(const char *name, const char *want)
{
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    prints_on(url, name, want);
    test_db_drop(url);
}

static void headers_and_library_agree(void)
{
    int major = 0, minor = 0, patch = 0;
    CHECK_STR(pgc_version(), PGC_VERSION);
    CHECK_STR(pgc_version(), LUM_VERSION);
    CHECK_INT(sscanf(PGC_VERSION, "%d.%d.%d", &major, &minor, &patch), 3);
    CHECK_INT(PGC_VERSION_NUM, major * 10000 + minor * 100 + patch);
    CHECK_STR(river_version(), RIVER_VERSION);
    CHECK_STR(RIVER_VERSION, PGC_VERSION);
    CHECK_INT(RIVER_VERSION_NUM, PGC_VERSION_NUM);
}

static void query_reads_rows(void)
{
    AUTO(buf_auto) buf out;
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    buf_init(&out, NULL, 1 << 16);
    CHECK_INT(run_example("query", url, &out), 0);
    REQUIRE(out.ptr != NULL);
    CHECK(strncmp(out.ptr, "libpgc " LUM_VERSION ", server 1", 20) == 0);
    CHECK(strstr(out.ptr, "pg_proc ") != NULL);
    size_t lines = 0;
    for (const char *at = out.ptr; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    CHECK_INT(lines, 4);
    test_db_drop(url);
}

static void query_tells_why_it_failed(void)
{
    AUTO(buf_auto) buf out;
    buf_init(&out, NULL, 1 << 16);
    CHECK_INT(run_example("query", "host=/nonexistent", &out), 1);
    REQUIRE(out.ptr != NULL);
    CHECK(strstr(out.ptr, "query: connect: ") == out.ptr);
}

static void pool_serves_all_threads(void)
{
    prints("pool", "sum 2646700 from 200 calls on at most 3 connections\n");
}

/* One server is a set as well: its primary serves the reads. */
static void replicas_show_what_was_written(void)
{
    prints("replicas", "visits: 1\nvisits: 2\nvisits: 3\n");
}

static void transaction_loses_nothing(void)
{
    prints("transaction", "40 transfers, none lost and none done twice\n");
}

static void pipeline_keeps_errors_apart(void)
{
    prints("pipeline", "atomic: 1000 rows\nisolated: reading_possible\nrow 0: success\n"
                       "row 1: invalid argument or data\nrow 2: success\n");
}

static void identity_is_gone_after_the_query(void)
{
    prints("identity", "ada sees 2\nbob sees 1\nnobody sees 0\n");
}

static void copy_goes_in_and_out(void)
{
    prints("copy", "in: 10000 rows\nout: 10000 rows, 5000 with a label\n");
}

static void listen_hears_what_was_said(void)
{
    prints("listen", "gap on imports: read the table\nimports: asset 7\nimports: asset 8\n"
                     "imports: \n");
}

static void hooks_tell_what_happens(void)
{
    prints("hooks", "connect: success\nquery Divide: success, 1 rows\n"
                    "query Divide: invalid argument or data 22012, 0 rows\n"
                    "WARNING: mind the gap\nquery script: success, 0 rows\n"
                    "3 queries, 1 failed, some time spent\n");
}

static void river_ships_every_order_once(void)
{
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    prints_on(url, "river-producer",
              "refused: order 4: no credit\nreminder inserted, scheduled\n"
              "reminder was there, scheduled\nlibriver " LUM_VERSION ": 5 orders to be shipped\n");
    prints_on(url, "river-worker", "5 completed, 1 failed attempt\nevery order was shipped once\n");
    test_db_drop(url);
}

static void river_tables_come_once(void)
{
    AUTO(buf_auto) buf out;
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    buf_init(&out, NULL, 1 << 16);
    CHECK_INT(run_example("river-tables", url, &out), 3);
    REQUIRE(out.ptr != NULL);
    CHECK(strstr(out.ptr, "missing 7: ") != NULL);
    CHECK(strstr(out.ptr, "Unapplied migrations: [1 2 3 4 5 6 7]") != NULL);
    prints_on(url, "river-producer",
              "refused: order 4: no credit\nreminder inserted, scheduled\n"
              "reminder was there, scheduled\nlibriver " LUM_VERSION ": 5 orders to be shipped\n");
    prints_on(url, "river-tables", "libriver " LUM_VERSION ", tables of version 7\nup to date\n");
    test_db_drop(url);
}

static void river_periodic_comes_again(void)
{
    prints("river-periodic", "run 1: completed\nrun 2: completed\nrun 3: completed\n");
}

static void private_server_keeps_its_data(void)
{
    AUTO(buf_auto) buf out;
    AUTO(tmpdir_remove) tmpdir folder = tmpdir_make();
    char data[128];
    REQUIRE(folder.fd >= 0);
    REQUIRE(fchmod(folder.fd, 0711) == 0);
    (void) snprintf(data, sizeof data, "%s/diary", folder.path);
    buf_init(&out, NULL, 1 << 16);
    CHECK_INT(run_example("private-server", data, &out), 0);
    CHECK_INT(run_example("private-server", data, &out), 0);
    CHECK_STR(out.ptr != NULL ? out.ptr : "", "start number 1\nstart number 2\n");
}

TAP_MAIN(TAP("examples: headers and library are of one version", headers_and_library_agree),
         TAP("examples: query reads rows into a struct", query_reads_rows),
         TAP("examples: query says why it failed", query_tells_why_it_failed),
         TAP("examples: pool serves eight threads with three connections", pool_serves_all_threads),
         TAP("examples: replicas show what was written", replicas_show_what_was_written),
         TAP("examples: transaction repeats what the server refused", transaction_loses_nothing),
         TAP("examples: pipeline keeps errors with their query", pipeline_keeps_errors_apart),
         TAP("examples: identity holds for one query", identity_is_gone_after_the_query),
         TAP("examples: copy sends and fetches rows", copy_goes_in_and_out),
         TAP("examples: listen hears what was said", listen_hears_what_was_said),
         TAP("examples: hooks tell what happens", hooks_tell_what_happens),
         TAP("examples: river-worker ships what river-producer ordered, each once",
             river_ships_every_order_once),
         TAP("examples: river-tables says what is missing", river_tables_come_once),
         TAP("examples: river-periodic's job comes again", river_periodic_comes_again),
         TAP("examples: private-server keeps its data", private_server_keeps_its_data))
