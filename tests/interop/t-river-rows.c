/* What stands in rows: unique keys, cursors, texts and odd shapes, read by the other side. */
#include "base/prelude.h"

#include <sched.h>

#include "random.h"
#include "river_peer.h"

#define SETS 10000

static void add(char **at, const char *end, const char *text)
{
    int len = snprintf(*at, (size_t) (end - *at), "%s", text);
    *at += len;
}

/* Strings in Go's spelling but for < > & and line separators, which both must escape. */
static void add_string(uint64_t *random, char **at, const char *end)
{
    static const char *const pieces[] = { "a",
                                          "Z",
                                          "7",
                                          " ",
                                          "<b>",
                                          "&",
                                          "\\n",
                                          "\\t",
                                          "/",
                                          "\\\"",
                                          "\\\\",
                                          "\xc3\xa9",
                                          "\xe2\x82\xac",
                                          "\xf0\x9f\x93\xb7",
                                          "\xe2\x80\xa8",
                                          "'",
                                          "\\u0001",
                                          "=" };
    add(at, end, "\"");
    for (size_t i = random_below(random, 8); i > 0; i--) {
        add(at, end, pieces[random_below(random, ARRAY_LEN(pieces))]);
    }
    add(at, end, "\"");
}

static void add_value(uint64_t *random, char **at, const char *end, int depth)
{
    static const char *const plain[] = { "0",    "-1",       "12.5",
                                         "1e21", "0.000001", "12345678901234567890",
                                         "true", "false",    "null" };
    static const char *const keys[] = { "a", "bc", "id", "x_y", "z9", "\xc3\xa4" };
    const char *blank = random_below(random, 3) == 0 ? " " : "";
    size_t what = random_below(random, depth > 2 ? 2 : 4);
    if (what == 0) {
        add(at, end, plain[random_below(random, ARRAY_LEN(plain))]);
    } else if (what == 1) {
        add_string(random, at, end);
    } else {
        bool object = what == 2, first = true;
        add(at, end, object ? "{" : "[");
        /* Keys ascend, as Go's maps are written. */
        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            if (random_below(random, 3) != 0) {
                continue;
            }
            add(at, end, first ? "" : ",");
            add(at, end, blank);
            first = false;
            if (object) {
                add(at, end, "\"");
                add(at, end, keys[i]);
                add(at, end, "\":");
                add(at, end, blank);
            }
            add_value(random, at, end, depth + 1);
        }
        add(at, end, object ? "}" : "]");
    }
}

/* An object with a number of its own and top-level keys in any order. */
static void make_args(uint64_t *random, int number, char *text, size_t size)
{
    static const char *const keys[] = {
        "zeta", "Alpha", "asset_id", "path", "n-1", "_x", "\xc3\xb6"
    };
    char *at = text;
    const char *end = text + size;
    size_t turn = random_below(random, ARRAY_LEN(keys));
    at += snprintf(at, size, "{\"nr\": %d", number);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (random_below(random, 2) == 0) {
            continue;
        }
        add(&at, end, ",\"");
        add(&at, end, keys[(i + turn) % ARRAY_LEN(keys)]);
        add(&at, end, "\":");
        add_value(random, &at, end, 0);
    }
    add(&at, end, "}");
}

static void ten_thousand_random_keys_are_equal(void)
{
    enum { ROOM = 4096, BATCH = 100 };
    MIXED(m, 1);
    uint64_t random = (uint64_t) clock_os()->mono_us(NULL);
    printf("# seed %" PRIu64 "\n", random);
    REQUIRE(mixed_open(&m, &(mixed_options) { 0 }, &m.s.client));
    AUTO(buf_auto) buf line;
    buf_init(&line, NULL, 16 << 20);
    int fresh = 0;
    for (int i = 0; i < SETS; i += BATCH) {
        river_insert jobs[BATCH];
        buf_reset(&line);
        for (int j = 0; j < BATCH; j++) {
            char *text = arena_alloc(m.s.mem, ROOM);
            REQUIRE(text != NULL);
            make_args(&random, i + j, text, ROOM);
            bool by_queue = random_below(&random, 2) == 0;
            jobs[j] = (river_insert) { .struct_size = sizeof jobs[0],
                                       .kind = "k1",
                                       .args = pgc_text_from(text),
                                       .unique = { .by_args = true, .by_queue = by_queue } };
            buf_printf(
                &line,
                "%s{\"kind\":\"k1\",\"by_args\":true,\"by_queue\":%s,\"decode\":%s,\"args\":%s}",
                j == 0 ? "insert [" : ",", by_queue ? "true" : "false",
                j % 2 == 0 ? "true" : "false", text);
        }
        buf_add_char(&line, ']');
        river_jobs *got = NULL;
        REQUIRE_OK(river_insert_many(m.s.client, NULL, jobs, BATCH, &got, &m.s.err), &m.s.err);
        for (size_t j = 0; j < BATCH; j++) {
            fresh += river_jobs_duplicate(got, j) ? 0 : 1;
        }
        river_jobs_free(got);
        REQUIRE(!line.failed);
        /* Each is a duplicate of ours: the keys are the same bytes. */
        const char *answer = go_say(&m.go[0], line.ptr);
        if (!CHECK_STR(strchr(answer, ' '), " 0")) {
            break;
        }
    }
    CHECK_INT(fresh, SETS);
    CHECK_STR(mixed_text(&m, "SELECT concat_ws(' ', count(*), count(DISTINCT unique_key), "
                             "min(length(unique_key)), max(unique_states::text)) FROM river_job"),
              "10000 10000 32 11110101");
}

static void the_vectors_are_equal(void)
{
    MIXED(m, 1);
    static const char *const paths[] = { "asset", "customer.id" };
    static const struct {
        const char *kind, *args, *queue, *theirs;
        river_unique unique;
    } cases[] = {
        { "simple",
          "{}",
          NULL,
          "\"by_state\":[\"available\",\"pending\",\"running\",\"scheduled\"]",
          { .by_state = 0xd1 } },
        { "worker_6", "{}", "email_queue", "\"by_queue\":true", { .by_queue = true } },
        { "worker_5", "{\"task_id\":\"task_123\"}", NULL, "\"by_args\":true", { .by_args = true } },
        { "k1",
          "{\"b\":{\"z\":1,\"a\":2},\"a\":1}",
          NULL,
          "\"by_args\":true",
          { .by_args = true } },
        { "k2", "{}", NULL, "\"by_args\":true", { .by_args = true } },
        { "k3", "{\"html\":\"<b>\"}", NULL, "\"by_args\":true", { .by_args = true } },
        { "k4", "{}", NULL, "\"by_seconds\":604800", { .by_period_us = 604800 * SECOND_US } },
        { "k5",
          "{}",
          NULL,
          "\"by_seconds\":2592000,\"by_queue\":true",
          { .by_period_us = 2592000 * SECOND_US, .by_queue = true } },
        { "thumb",
          "{\"size\":1,\"asset\":\"x\",\"customer\":{\"id\":\"42\",\"name\":\"n\"}}",
          NULL,
          "\"by_args\":true",
          { .by_args = true, .paths = paths, .path_count = 2 } },
    };
    REQUIRE(mixed_open(&m, &(mixed_options) { 0 }, &m.s.client));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        river_insert job = { .struct_size = sizeof job,
                             .kind = cases[i].kind,
                             .args = pgc_text_from(cases[i].args),
                             .queue = cases[i].queue,
                             .unique = cases[i].unique };
        int64_t id = mixed_insert(&m, &job);
        const char *answer = go_do(
            &m.go[0], "insert {\"kind\":\"%s\",\"args\":%s,\"queue\":\"%s\",%s}", cases[i].kind,
            cases[i].args, cases[i].queue == NULL ? "" : cases[i].queue, cases[i].theirs);
        if (!CHECK_STR(answer, arena_printf(m.s.mem, "%" PRId64 " 0", id))) {
            printf("# %s\n", cases[i].kind);
        }
    }
}

static void masks_are_stored_alike(void)
{
    MIXED(m, 1);
    static const char *const states[] = {
        "", ",\"by_state\":[\"available\",\"pending\",\"retryable\",\"running\",\"scheduled\"]",
        ",\"by_state\":[\"available\",\"pending\",\"running\",\"scheduled\"]"
    };
    static const river_states ours[] = {
        0,
        RIVER_STATE_BIT(RIVER_AVAILABLE) | RIVER_STATE_BIT(RIVER_PENDING) |
            RIVER_STATE_BIT(RIVER_RETRYABLE) | RIVER_STATE_BIT(RIVER_RUNNING) |
            RIVER_STATE_BIT(RIVER_SCHEDULED),
        RIVER_STATE_BIT(RIVER_AVAILABLE) | RIVER_STATE_BIT(RIVER_PENDING) |
            RIVER_STATE_BIT(RIVER_RUNNING) | RIVER_STATE_BIT(RIVER_SCHEDULED)
    };
    REQUIRE(mixed_open(&m, &(mixed_options) { 0 }, &m.s.client));
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        CHECK(go_do(&m.go[0], "insert {\"kind\":\"go%zu\",\"by_queue\":true%s}", i, states[i]) !=
              NULL);
        char kind[8];
        (void) snprintf(kind, sizeof kind, "us%zu", i);
        river_insert job = { .struct_size = sizeof job,
                             .kind = kind,
                             .unique = { .by_queue = true, .by_state = ours[i] } };
        CHECK(mixed_insert(&m, &job) > 0);
    }
    CHECK_STR(mixed_text(&m, "SELECT string_agg(unique_states::text, ' ' ORDER BY id) "
                             "FROM river_job"),
              "11110101 11110101 11110001 11110001 11010001 11010001");
}

static void cursors_are_read_by_the_other_side(void)
{
    MIXED(m, 1);
    REQUIRE(mixed_open(&m, &(mixed_options) { 0 }, &m.s.client));
    REQUIRE(scratch_do(&m.s.db,
                       "INSERT INTO river_job (args, kind, scheduled_at, queue) SELECT '{}', "
                       "'kind\xc3\xa9?>' || i, '2026-01-01 00:00:00.123456Z'::timestamptz + "
                       "(i % 3) * interval '1 h', 'q' FROM generate_series(1, 30) AS i"));
    static const struct {
        river_order order;
        const char *name;
    } orders[] = { { RIVER_ORDER_ID, "id" },
                   { RIVER_ORDER_TIME, "time" },
                   { RIVER_ORDER_SCHEDULED_AT, "scheduled_at" } };
    for (size_t i = 0; i < 2 * ARRAY_LEN(orders); i++) {
        bool down = i % 2 == 1;
        river_filter filter = { .struct_size = sizeof filter,
                                .order = orders[i / 2].order,
                                .descending = down,
                                .states = RIVER_STATE_BIT(RIVER_AVAILABLE),
                                .limit = 7 };
        char cursor[RIVER_CURSOR_SIZE] = "", seen[400] = "";
        /* Pages in turn by them and by us, each going on behind the other's cursor. */
        for (int page = 0; page < 5; page++) {
            if (page % 2 == 0) {
                const char *answer = go_do(
                    &m.go[0],
                    "list {\"first\":7,\"order\":\"%s\",\"down\":%s,\"states\":[\"available\"],"
                    "\"after\":\"%s\"}",
                    orders[i / 2].name, down ? "true" : "false", cursor);
                size_t len = strcspn(answer, " ");
                REQUIRE(!m.go[0].failed && len < sizeof cursor);
                memcpy(cursor, answer, len);
                cursor[len] = '\0';
                size_t at = strlen(seen);
                (void) snprintf(seen + at, sizeof seen - at, "%s", answer + len);
                continue;
            }
            river_jobs *jobs = NULL;
            filter.after = cursor;
            REQUIRE_OK(river_job_list(m.s.client, NULL, &filter, &jobs, &m.s.err), &m.s.err);
            size_t count = river_jobs_count(jobs);
            for (size_t k = 0; k < count; k++) {
                size_t at = strlen(seen);
                (void) snprintf(seen + at, sizeof seen - at, " %" PRId64,
                                river_jobs_at(jobs, k)->id);
            }
            REQUIRE(count > 0);
            REQUIRE_OK(river_job_cursor(river_jobs_at(jobs, count - 1), &filter, cursor,
                                        sizeof cursor, &m.s.err),
                       &m.s.err);
            river_jobs_free(jobs);
        }
        CHECK_STR(seen, mixed_text(&m, arena_printf(m.s.mem,
                                                    "SELECT string_agg(' ' || id, '' ORDER BY %s "
                                                    "%s, id %s) FROM river_job",
                                                    i / 2 == 0 ? "id" : "scheduled_at",
                                                    down ? "DESC" : "ASC", down ? "DESC" : "ASC")));
    }
}

/* Texts that the handler fails, cancels and logs with; the seed is in its argument. */
static pgc_status fail_oddly(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    static const char *const pieces[] = { "\"",       "\\",   "\n",        "\x01",         "\x7f",
                                          "\xff",     "\xc3", "\xe2\x82",  "\xed\xa0\x80", "\xf5",
                                          "\xc0\x80", "%s",   "</script>", "\xe2\x80\xa9", "a",
                                          "\\u0000",  "\t",   "{}" };
    uint64_t random = (uint64_t) job->id * 2654435761u;
    char text[200] = "", *at = text;
    (void) arg;
    for (size_t i = random_below(&random, 24); i > 0; i--) {
        add(&at, text + sizeof text, pieces[random_below(&random, ARRAY_LEN(pieces))]);
    }
    river_ctx_log(ctx, "%s%c%s", text, 0, text); /* with a NUL in the middle */
    if (job->id % 3 == 0) {
        river_ctx_cancel(ctx, text);
        return PGC_OK;
    }
    return pgc_error_set(err, PGC_IO, "%s", text);
}

static void go_decodes_every_text_that_we_write(void)
{
    enum { COUNT = 1500 };
    MIXED(m, 1);
    river_worker worker = {
        .struct_size = sizeof worker, .kind = "odd", .work = fail_oddly, .arg = &m
    };
    river_queue_options queue = { .struct_size = sizeof queue,
                                  .name = "default",
                                  .max_workers = 8 };
    river_client_options options = { .struct_size = sizeof options,
                                     .pool = m.s.pool,
                                     .queues = &queue,
                                     .queue_count = 1,
                                     .workers = &worker,
                                     .worker_count = 1,
                                     .fetch_cooldown_us = 1000,
                                     .fetch_poll_us = 5000,
                                     .max_attempts = 2,
                                     .no_lead = true };
    REQUIRE_OK(river_client_open(&options, &m.s.client, &m.s.err), &m.s.err);
    static river_insert jobs[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        jobs[i] = (river_insert) { .struct_size = sizeof jobs[0], .kind = "odd" };
    }
    REQUIRE_OK(river_insert_many(m.s.client, NULL, jobs, COUNT, NULL, &m.s.err), &m.s.err);
    REQUIRE_OK(river_client_start(m.s.client, &m.s.err), &m.s.err);
    CHECK(mixed_until(&m, "SELECT bool_and(state IN ('discarded', 'cancelled')) FROM river_job"));
    CHECK_STR(go_say(&m.go[0], "decode"), "1500 2500");
    CHECK_STR(mixed_text(&m,
                         "SELECT concat_ws(' ', count(*), bool_and(jsonb_array_length(metadata->"
                         "'river:log') = cardinality(errors))) FROM river_job"),
              "1500 t");
}

/* Rows as other programs might leave them. Ours are worked all the same; where Go cannot read a
 * row, it is not one that we made worse. */
static void poisoned_rows_do_not_stop_us(void)
{
    MIXED(m, 1);
    REQUIRE(scratch_do(
        &m.s.db,
        "INSERT INTO river_job (args, kind, errors, metadata, attempted_by, tags, max_attempts) "
        "VALUES ('{}', 'shared', ARRAY['1', 'null', '\"x\"', '[]']::jsonb[], '{}', NULL, '{}', "
        "25), "
        "('{}', 'shared', ARRAY['{\"at\": 7, \"attempt\": \"x\", \"error\": [], \"trace\": null}']"
        "::jsonb[], '{}', NULL, '{}', 25), "
        "('{}', 'shared', ARRAY[NULL]::jsonb[], '[]', NULL, '{}', 25), "
        "('{}', 'shared', ARRAY[ARRAY['{}', '{}']]::jsonb[], '{}', NULL, '{}', 25), "
        "('{}', 'shared', NULL, '\"cancel_attempted_at\"', NULL, '{}', 25), "
        "('{}', 'shared', NULL, 'null', ARRAY[NULL], ARRAY[NULL]::varchar[], 25), "
        "('{}', 'shared', NULL, '7', ARRAY[ARRAY['a'], ARRAY['b']], "
        "ARRAY[ARRAY['a'], ARRAY['b']]::varchar[], 25), "
        "('[]', 'shared', NULL, '{\"cancel_attempted_at\": 7}', NULL, '{}', 25), "
        "('7', 'shared', NULL, '{\"snoozes\": \"x\", \"river:log\": 7, \"river:resumable_step\": "
        "7}', "
        "NULL, '{}', 25), "
        "('null', 'sh ared \xe2\x82\xac', NULL, '{}', NULL, '{}', 25), "
        "('{\"do\": \"fail\"}', 'shared', ARRAY[ARRAY['{}', '{}']]::jsonb[], '[]', NULL, '{}', 1), "
        "('{\"do\": \"output\"}', 'shared', ARRAY['7']::jsonb[], '7', NULL, '{}', 1), "
        "('{\"do\": \"snooze\"}', 'shared', ARRAY['7']::jsonb[], 'null', NULL, '{}', 1), "
        "('{\"do\": \"cancel\"}', 'shared', ARRAY[ARRAY['{}'], ARRAY['7']]::jsonb[], '{}', NULL, "
        "'{}', 1), "
        "('{}', 'shared', NULL, '{}', NULL, '{}', 25)"));
    REQUIRE(scratch_do(&m.s.db, "UPDATE river_job SET scheduled_at = '-infinity' WHERE id = 1; "
                                "UPDATE river_job SET attempt = 32767 WHERE id = 15"));
    REQUIRE(mixed_start(&m, &(mixed_options) { 0 }, &m.s.client));
    CHECK(mixed_until(&m, "SELECT count(*) = 0 FROM river_job WHERE state IN ('available', "
                          "'running') AND kind = 'shared'"));
    CHECK_STR(mixed_text(&m, "SELECT string_agg(state::text, ' ' ORDER BY id) FROM river_job "
                             "WHERE id IN (1, 4, 7, 11, 12, 13, 14, 15)"),
              "completed completed completed discarded completed scheduled cancelled completed");
    REQUIRE_OK(river_job_list(m.s.client, NULL, NULL, &m.s.jobs, &m.s.err), &m.s.err);
    CHECK_INT(river_jobs_count(m.s.jobs), 15);
}

/* A row that Go cannot decode fails its whole fetch; ours must not be one of those, and the rows
 * beside a poisoned one are worked by us. */
static void poison_for_go_is_worked_by_us(void)
{
    MIXED(m, 1);
    REQUIRE(scratch_do(&m.s.db,
                       "INSERT INTO river_job (args, kind, errors) "
                       "SELECT '{}', 'shared', CASE WHEN i = 1 THEN ARRAY['{\"at\": 7}']::jsonb[] "
                       "END FROM generate_series(1, 20) AS i"));
    REQUIRE(mixed_start(&m, &(mixed_options) { .max_workers = 5 }, &m.s.client));
    CHECK(mixed_until(&m, "SELECT bool_and(state = 'completed') FROM river_job"));
    CHECK(scratch_do(&m.s.db, "DELETE FROM river_job WHERE id = 1"));
    CHECK_STR(go_say(&m.go[0], "decode"), "19 0");
}

TAP_MAIN(TAP("river 13: the vectors' keys are equal", the_vectors_are_equal),
         TAP("river 13: masks are stored alike", masks_are_stored_alike),
         TAP("river 14: ten thousand random keys are equal", ten_thousand_random_keys_are_equal),
         TAP("river 34: Go decodes every text that we write", go_decodes_every_text_that_we_write),
         TAP("river 34: poisoned rows do not stop us", poisoned_rows_do_not_stop_us),
         TAP("river 34: poison for Go is worked by us", poison_for_go_is_worked_by_us),
         TAP("river 52: cursors are read by the other side", cursors_are_read_by_the_other_side))
