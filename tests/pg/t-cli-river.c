/* lumilio river … as a person calls it: the program itself, on a database of the test's own. */
#include "base/prelude.h"

#include "base/buf.h"
#include "base/proc.h"
#include "river/json.h"

#include "river.h"

#define PROGRAM    TEST_BUILD_ROOT "/lumilio"
#define TIMEOUT_US INT64_C(60000000)
#define ARGS_MAX   12

/* Exit status of "lumilio river WORDS…"; the output, both streams, is in s->out. */
static int run(scene *s, const char *const words[])
{
    const char *argv[ARGS_MAX + 5] = { PROGRAM, "river" };
    size_t count = 2;
    int code = -1;
    pgc_error err;
    for (size_t i = 0; words[i] != NULL && i < ARGS_MAX; i++) {
        argv[count++] = words[i];
    }
    argv[count++] = "--database-url";
    argv[count++] = s->db.url;
    const proc_options options = { .argv = argv, .timeout_us = TIMEOUT_US, .output = &s->out };
    buf_reset(&s->out);
    if (proc_run(env_default(), &options, &code, &err) != PGC_OK) {
        printf("# %s\n", err.message);
    }
    return code;
}

#define RUN(s, ...) run((s), (const char *const[]) { __VA_ARGS__, NULL })

static bool says(const scene *s, const char *text)
{
    bool found = s->out.ptr != NULL && strstr(s->out.ptr, text) != NULL;
    if (!found) {
        printf("# not in: %s\n", s->out.ptr == NULL ? "" : s->out.ptr);
    }
    return found;
}

static void a_job_goes_through_its_life(void)
{
    SCENE(s);
    CHECK_INT(RUN(&s, "insert", "mail.send", "{\"to\":\"x\"}", "--tag", "on,two-b", "--priority",
                  "2", "--queue", "post"),
              1);
    CHECK(says(&s, "tag")); /* too short */
    CHECK_INT(RUN(&s, "insert", "mail.send", "{\"to\":\"x\"}", "--tag", "first,second",
                  "--priority", "2", "--queue", "post"),
              0);
    CHECK(says(&s, "available"));
    CHECK_INT(RUN(&s, "jobs", "get", "1", "--json"), 0);
    CHECK(says(&s, "\"args\":{\"to\":\"x\"}"));
    CHECK(says(&s, "\"tags\":[\"first\",\"second\"]"));
    CHECK_INT(RUN(&s, "jobs", "cancel", "1"), 0);
    CHECK(says(&s, "cancelled"));
    CHECK_INT(RUN(&s, "jobs", "retry", "1"), 0);
    CHECK(says(&s, "available"));
    CHECK_INT(RUN(&s, "jobs", "delete", "1"), 0);
    CHECK_INT(RUN(&s, "jobs", "get", "1"), 1);
}

static void lists_filter_and_go_on_behind_a_cursor(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db,
                       "INSERT INTO river_job (args, kind, max_attempts, queue) SELECT '{}',"
                       " 'kind' || n % 2, 25, 'q' || n % 3 FROM generate_series(0, 5) AS n"));
    CHECK_INT(RUN(&s, "jobs", "list", "--kind", "kind0", "--queue", "q0,q1", "--json"), 0);
    CHECK(says(&s, "{\"jobs\":[{\"id\":1,"));
    CHECK(strstr(s.out.ptr, "kind1") == NULL && strstr(s.out.ptr, "\"q2\"") == NULL);
    CHECK_INT(RUN(&s, "jobs", "list", "--limit", "4"), 0);
    REQUIRE(says(&s, "more: --after "));
    char cursor[1100] = "";
    CHECK_INT(sscanf(strstr(s.out.ptr, "--after "), "--after %1099s", cursor), 1);
    CHECK_INT(RUN(&s, "jobs", "list", "--after", cursor, "--json"), 0);
    CHECK(says(&s, "{\"jobs\":[{\"id\":5,"));
    CHECK(says(&s, "\"after\":null"));
}

static void queues_are_paused_and_resumed(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db, "INSERT INTO river_queue (name, created_at, updated_at) "
                              "VALUES ('post', now(), now())"));
    CHECK_INT(RUN(&s, "queues", "pause", "post"), 0);
    CHECK(says(&s, "paused"));
    CHECK_INT(RUN(&s, "queues", "list", "--json"), 0);
    CHECK(says(&s, "\"paused_at\":\"2"));
    CHECK_INT(RUN(&s, "queues", "resume", "*"), 0);
    CHECK(says(&s, "works"));
    CHECK_INT(RUN(&s, "queues", "update", "post", "--metadata", "{\"a\":1}", "--json"), 0);
    CHECK(says(&s, "\"metadata\":{\"a\":1}"));
    CHECK_INT(RUN(&s, "queues", "pause", "nobody"), 1);
}

static void wrong_calls_say_what_is_wanted(void)
{
    SCENE(s);
    CHECK_INT(RUN(&s, "jobs", "list", "--state", "tired"), 2);
    CHECK(says(&s, "--state"));
    CHECK_INT(RUN(&s, "jobs", "list", "--order", "size"), 2);
    CHECK_INT(RUN(&s, "jobs", "get", "one"), 2);
    CHECK(says(&s, "the number of one job"));
    CHECK_INT(RUN(&s, "queues", "update", "post"), 2);
    CHECK_INT(RUN(&s, "insert", "mail.send", "no json"), 1);
    CHECK_INT(RUN(&s, "migrate-get", "--version", "9", "--up"), 2);
    CHECK_INT(RUN(&s, "jobs"), 2);
}

static void side_tables_come_and_go(void)
{
    SCENE(s);
    static const char COUNT[] = "SELECT count(*)::text FROM pg_class WHERE relkind = 'r' AND "
                                "relname LIKE 'river\\_ext\\_%'";
    CHECK_INT(RUN(&s, "ext-migrate-up"), 0);
    CHECK_STR(scratch_text(&s.db, s.mem, COUNT), "3");
    CHECK_INT(RUN(&s, "ext-migrate-down"), 0);
    CHECK_STR(scratch_text(&s.db, s.mem, COUNT), "0");
    CHECK_INT(RUN(&s, "migrate-get", "--version", "1", "--up", "--schema", "jobs"), 0);
    CHECK(says(&s, "CREATE TABLE \"jobs\".river_migration"));
}

/* One JSON text and nothing else on it. */
static bool is_json(const scene *s)
{
    pgc_error err;
    pgc_text text = { s->out.ptr == NULL ? "" : s->out.ptr, s->out.len };
    while (text.len > 0 && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    bool good = text.len > 0 && json_check(text, &err) == PGC_OK;
    if (!good) {
        printf("# no JSON: %.*s\n", (int) text.len, text.ptr);
    }
    return good;
}

static void every_command_has_help_and_json(void)
{
    static const struct {
        const char *words[8];
    } COMMANDS[] = {
        { { "migrate-up" } },
        { { "migrate-list" } },
        { { "migrate-get", "--all", "--down", "--exclude-version", "2" } },
        { { "validate" } },
        { { "ext-migrate-up" } },
        { { "insert", "mail.send" } },
        { { "jobs", "list" } },
        { { "jobs", "get", "1" } },
        { { "jobs", "cancel", "1" } },
        { { "jobs", "retry", "1" } },
        { { "jobs", "delete", "1" } },
        { { "queues", "list" } },
        { { "queues", "pause", "*" } },
        { { "queues", "resume", "*" } },
        { { "queues", "update", "post", "--metadata", "{}" } },
        { { "ext-migrate-down" } },
        { { "migrate-down", "--max-steps", "1" } },
    };
    SCENE(s);
    REQUIRE(scratch_do(&s.db, "INSERT INTO river_queue (name) VALUES ('post')"));
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
        const char *words[10] = { NULL };
        size_t count = 0;
        while (COMMANDS[i].words[count] != NULL) {
            words[count] = COMMANDS[i].words[count];
            count++;
        }
        words[count] = "--json";
        if (!CHECK_INT(run(&s, words), 0) || !CHECK(is_json(&s))) {
            printf("# %s %s\n", words[0], words[1]);
        }
        words[count] = "--help";
        CHECK_INT(run(&s, words), 0);
        CHECK(says(&s, words[0]));
    }
    CHECK_INT(RUN(&s, "validate", "--json"), 1);
    CHECK(says(&s, "{\"OK\":false}"));
}

static void the_benchmark_works_its_jobs(void)
{
    SCENE(s);
    CHECK_INT(RUN(&s, "bench", "--num-total-jobs", "200", "--workers", "20", "--json"), 0);
    CHECK(says(&s, "\"JobsWorked\":200"));
    CHECK_INT(RUN(&s, "bench", "--num-total-jobs", "10"), 1);
    CHECK(says(&s, "--force"));
    CHECK_INT(RUN(&s, "bench", "--num-total-jobs", "100", "--workers", "20", "--force"), 0);
    CHECK(says(&s, "bench: total jobs worked [        100 ], total jobs inserted [        100 ]"));
    /* Counted is what is stored. */
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT count(*)::text FROM river_job WHERE state = 'completed'"),
              "100");
}

TAP_MAIN(TAP("cli river: a job goes through its life", a_job_goes_through_its_life),
         TAP("cli river: lists filter and go on behind a cursor",
             lists_filter_and_go_on_behind_a_cursor),
         TAP("cli river: queues are paused and resumed", queues_are_paused_and_resumed),
         TAP("cli river: wrong calls say what is wanted", wrong_calls_say_what_is_wanted),
         TAP("cli river: side tables come and go", side_tables_come_and_go),
         TAP("cli river: every command has its help and its JSON", every_command_has_help_and_json),
         TAP("cli river: the benchmark works its jobs", the_benchmark_works_its_jobs))
